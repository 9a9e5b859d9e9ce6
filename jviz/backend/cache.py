"""Where jviz keeps its files, and a cache of what was worked out from users' files.

Entries are named by the `Identity` of the bytes they came from, so that an edited file
never finds the entry of its former self. The least recently used go first.
"""

import atexit
import itertools
import os
import shutil
import tempfile
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Literal

from jviz.backend.io.product import Identity

__all__ = ["clear", "folder", "home", "size", "stored", "storing", "trim"]

ENTRIES = "entries"
"""Folder of the entries made by `storing`."""

KEPT_FOLDERS = ("numba",)
"""Folders that `trim` and `clear` leave alone: small, and slow to make again."""

STALE_SECONDS = 24 * 3600
"""Age above which a temporary file was left behind by a program that died."""

_counter = itertools.count()


def home(which: Literal["config", "cache", "data"]) -> Path:
    """Return the user's folder for settings, for the cache, or for data that must last.

    ``$JVIZ_HOME/<which>`` when that variable is set, else where the platform wants it.
    The folder need not exist yet.
    """
    chosen = os.environ.get("JVIZ_HOME")
    if chosen:
        return Path(chosen) / which
    import platformdirs

    places = {
        "config": platformdirs.user_config_path,
        "cache": platformdirs.user_cache_path,
        "data": platformdirs.user_data_path,
    }
    return places[which]("jviz", appauthor=False)


def folder(name: str) -> Path:
    """Return a folder below the cache that exists and can be written to.

    When the cache cannot be written, it is a temporary folder that goes when the program ends.
    """
    return _made(_usable(home("cache")) / name)


def stored(identity: Identity, suffix: str) -> Path | None:
    """Return the entry of an identity, marked as just used, or None when there is none."""
    path = _entry(identity, suffix)
    if not path.is_file():
        return None
    # An entry that cannot be marked is as good as any; it only goes out earlier.
    with suppress(OSError):
        os.utime(path)
    return path


@contextmanager
def storing(identity: Identity, suffix: str) -> Iterator[Path]:
    """Give a temporary path to write to; it becomes the entry when the block ends well.

    On any exception, `Cancelled` among them, the temporary file goes and no entry appears.

    Examples
    --------
    >>> with storing(plane.identity, ".pyramid") as path:  # doctest: +SKIP
    ...     path.write_bytes(levels)
    """
    target = _entry(identity, suffix)
    temporary = target.with_name(f".{target.name}.{os.getpid()}-{next(_counter)}.part")
    try:
        yield temporary
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def trim(limit_bytes: int, *, keep: Collection[Path] = ()) -> int:
    """Remove the least recently used files until the cache is within its limit.

    Parameters
    ----------
    limit_bytes : int
        What may stay, in bytes.
    keep : collection of Path
        Files in use, which stay whatever the limit says.

    Returns
    -------
    int
        How many bytes were freed.
    """
    freed = _remove_stale()
    files = sorted(_files(), key=lambda item: item[1].st_mtime_ns)
    excess = sum(status.st_size for _, status in files) - limit_bytes
    for path, status in files:
        if excess <= 0:
            break
        if path not in keep and _removed(path):
            excess -= status.st_size
            freed += status.st_size
    return freed


def size() -> int:
    """Return how many bytes the cache takes on disk."""
    return sum(status.st_size for _, status in _files())


def clear() -> int:
    """Remove every file of the cache and return how many bytes that freed."""
    return trim(0)


def _entry(identity: Identity, suffix: str) -> Path:
    return folder(ENTRIES) / f"{identity.key}{suffix}"


def _files() -> list[tuple[Path, os.stat_result]]:
    root = _usable(home("cache"))
    found = []
    for place, names, files in os.walk(root):
        if Path(place) == root:
            names[:] = [name for name in names if name not in KEPT_FOLDERS]
        for name in files:
            with suppress(FileNotFoundError):  # another jviz may trim at the same time
                path = Path(place, name)
                found.append((path, path.stat()))
    return [item for item in found if not _is_temporary(item[0])]


def _is_temporary(path: Path) -> bool:
    return path.name.startswith(".") and path.suffix == ".part"


def _remove_stale() -> int:
    freed = 0
    for path in folder(ENTRIES).glob(".*.part"):
        with suppress(FileNotFoundError):
            status = path.stat()
            if time.time() - status.st_mtime > STALE_SECONDS and _removed(path):
                freed += status.st_size
    return freed


def _removed(path: Path) -> bool:
    # Windows refuses to remove a file that is mapped; it goes another time.
    with suppress(OSError):
        path.unlink()
        return True
    return False


def _made(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path


def _usable(wanted: Path) -> Path:
    """Return the folder itself when it can be written, else a temporary one."""
    with suppress(OSError):
        wanted.mkdir(parents=True, exist_ok=True)
        if os.access(wanted, os.W_OK | os.X_OK):
            return wanted
    return _substitute(wanted)


@cache
def _substitute(wanted: Path) -> Path:
    made = Path(tempfile.mkdtemp(prefix="jviz-cache-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made
