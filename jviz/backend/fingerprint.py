"""Telling whether a file is the one that a session used, and finding it again where it went."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from jviz.backend.progress import Progress, silent

__all__ = ["Fingerprint", "find"]

END = 1 << 20
"""Bytes at either end of a file that are always compared."""

WHOLE_LIMIT = 200 * 10**6
"""Size in bytes up to which a file is compared whole."""

SEARCH_LIMIT = 20_000
"""Files looked at in the folders searched for a moved one."""

MOST_COMPARED = 100
"""Files of the right size under other names that are compared: exposures of a detector all have one size."""

_whole: dict[tuple[str, int, int], str] = {}


@dataclass(frozen=True)
class Fingerprint:
    """What tells a file from others.

    Attributes
    ----------
    size : int
        In bytes.
    mtime_ns : int
    ends : str
        SHA-256 of the first and the last MB.
    whole : str
        SHA-256 of all of it, ``""`` when the file is large or there was no time for it.
    """

    size: int
    mtime_ns: int
    ends: str
    whole: str = ""

    @classmethod
    def of(cls, path: str | Path, *, whole: bool = True, progress: Progress = silent) -> Fingerprint:
        """Take the fingerprint of a file (reads all of it, up to 200 MB, unless ``whole`` is False).

        Raises
        ------
        OSError
            When it cannot be read.
        """
        status = os.stat(path)
        with open(path, "rb") as file:
            start = file.read(END)
            file.seek(max(len(start), status.st_size - END))
            ends = hashlib.sha256(start + file.read(END)).hexdigest()
        total = _digest(path, status, progress) if whole and status.st_size <= WHOLE_LIMIT else ""
        return cls(status.st_size, status.st_mtime_ns, ends, total)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Fingerprint:
        """Make it of what `as_dict` gave."""
        return cls(int(values["size"]), int(values["mtime_ns"]), str(values["ends"]), str(values["whole"]))

    def as_dict(self) -> dict[str, Any]:
        """Return the attributes as plain values."""
        return asdict(self)

    def fits(self, path: str | Path, *, progress: Progress = silent) -> bool:
        """Whether a file is this one; it is read whole only when its time differs."""
        try:
            if os.stat(path).st_size != self.size:
                return False
            other = Fingerprint.of(path, whole=False)
            if other.ends != self.ends:
                return False
            if other.mtime_ns == self.mtime_ns or not self.whole:
                return True
            return Fingerprint.of(path, progress=progress).whole == self.whole
        except OSError:
            return False


def find(
    path: Path, fingerprint: Fingerprint, near: Iterable[Path], search: Iterable[Path]
) -> tuple[Path | None, bool]:
    """Find a file that may have moved.

    Parameters
    ----------
    path : Path
        Where it was.
    near : iterable of Path
        Where else it may be, likely ones first.
    search : iterable of Path
        Folders to look through for its name, and for the same content under another one.

    Returns
    -------
    (Path or None, bool)
        Where it is, and whether it is unchanged; None when there is no file of its name or content.
    """
    search = list(search)
    changed: Path | None = None
    for candidate in _candidates(path, near, search):
        if not candidate.is_file():
            continue
        if fingerprint.fits(candidate):
            return candidate, True
        changed = changed or candidate
    alike = islice(_files_of_size(fingerprint.size, search), MOST_COMPARED)
    renamed = next((file for file in alike if fingerprint.fits(file)), None)
    return (renamed, True) if renamed is not None else (changed, False)


def _candidates(path: Path, near: Iterable[Path], search: Iterable[Path]) -> Iterator[Path]:
    yield path
    yield from near
    looked_at = 0
    for folder in search:
        for place, folders, names in os.walk(folder):
            folders.sort()
            looked_at += len(names)
            if path.name in names:
                yield Path(place, path.name)
            if looked_at > SEARCH_LIMIT:
                return


def _files_of_size(size: int, search: Iterable[Path]) -> Iterator[Path]:
    looked_at = 0
    for folder in search:
        for place, folders, names in os.walk(folder):
            folders.sort()
            looked_at += len(names)
            for file in (Path(place, name) for name in sorted(names)):
                with suppress(OSError):
                    status = file.stat()
                    if stat.S_ISREG(status.st_mode) and status.st_size == size:
                        yield file
            if looked_at > SEARCH_LIMIT:
                return


def _digest(path: str | Path, status: os.stat_result, progress: Progress) -> str:
    key = (os.path.abspath(path), status.st_size, status.st_mtime_ns)
    if key not in _whole:
        digest = hashlib.sha256()
        with open(path, "rb") as file:
            while piece := file.read(8 << 20):
                progress(file.tell(), status.st_size, f"Checking {os.path.basename(path)}")
                digest.update(piece)
        _whole[key] = digest.hexdigest()
    return _whole[key]
