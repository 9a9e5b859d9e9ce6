"""Keeps the library in step: what is opened is taken in, many files change at once, the store keeps its limit."""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from jviz.backend.priority import step_aside
from jviz.backend.progress import Progress, silent
from jviz.errors import JvizError
from jviz.results import counted

if TYPE_CHECKING:
    from jviz.backend.library.catalogue import Taken
    from jviz.backend.library.keeping import Dropped
    from jviz.jobs import Job
    from jviz.session import Session

__all__ = [
    "change_library", "is_begun", "keep_store", "open_paths", "store_folder", "take_opened", "told_of",
]  # fmt: skip

LARGE = 64 * 1024**2
"""Bytes above which a file gets a thread of its own for its checksum, so that no other job waits for that."""

GB = 1_000_000_000

log = logging.getLogger(__name__)


def is_begun() -> bool:
    """Whether there is a library: nobody's is made by looking whether something is in it."""
    from jviz.backend.cache import home

    return (home("data") / "library.sqlite").is_file()


def store_folder() -> Path:
    """Return the folder of jviz's own in which downloads are kept."""
    from jviz.backend.cache import home

    return home("data") / "store"


def open_paths(session: Session) -> set[Path]:
    """Return the files that data of the session come from."""
    return {Path(data.path).absolute() for data in session.data if data.path is not None}


# --- changes --------------------------------------------------------------------------------------

MANY = 300
"""Files above which a change of the library is made beside the window."""

_changes: WeakKeyDictionary[Session, deque[Callable[[], object]]] = WeakKeyDictionary()


def change_library(session: Session, count: int, change: Callable[[], object]) -> None:
    """Change what the library knows of ``count`` files: at once, or of many beside the window, one after another."""
    waiting = _changes.setdefault(session, deque())
    if not waiting and (count <= MANY or not session.showing):
        change()
        return
    waiting.append(change)
    session.jobs.submit("Change the library", partial(_change_next, waiting), quiet=True, urgent=True)


_changing = threading.Lock()


def _change_next(waiting: deque[Callable[[], object]], job: Job) -> None:
    with _changing:
        waiting[0]()
        waiting.popleft()


# --- what is opened -------------------------------------------------------------------------------


def take_opened(session: Session, paths: Iterable[Path | None]) -> None:
    """Take files that a user opened into the library, when they want that; nobody waits for it."""
    from jviz.backend.cache import home
    from jviz.backend.library.records import SUFFIXES

    if not (session.showing and session.settings["library.take_opened"]):
        return
    there = dict.fromkeys(Path(path).absolute() for path in paths if path is not None)
    files = [path for path in there if path.name.lower().endswith(SUFFIXES) and home("cache") not in path.parents]
    if files:
        session.jobs.submit("Take opened files into the library", partial(_take, session, files), quiet=True)


def _take(session: Session, files: list[Path], job: Job) -> None:
    for path in files:
        job.report(0, 1, path.name)
        if _size_of(path) > LARGE:
            session.jobs.submit(f"Checksum of {path.name}", partial(_take_large, session, path), quiet=True, apart=True)
        else:
            _take_one(session, path)


def _take_large(session: Session, path: Path, job: Job) -> None:
    from jviz.backend.archive.checks import digest

    step_aside()
    library, before = session.archives.library, _size_and_time(path)
    if before is None or library.knows(path, *before):
        library.note_use([path])
        return
    total = digest(path, watch=lambda: job.report(0))
    _take_one(session, path, total if _size_and_time(path) == before else "")


def _take_one(session: Session, path: Path, total: str = "") -> None:
    try:
        library = session.archives.library
        library.add(path, sha256=total)
        library.note_use([path])
    except (JvizError, sqlite3.Error) as error:
        # The file is open, which is what the user wanted.
        log.warning("%s was not taken into the library: %s", path.name, error)


def _size_and_time(path: Path) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def _size_of(path: Path) -> int:
    return (_size_and_time(path) or (0, 0))[0]


# --- the store ------------------------------------------------------------------------------------


def keep_store(session: Session, limit_gb: float | None = None, *, progress: Progress = silent) -> list[Dropped]:
    """Drop files of the store until it is within its limit, and say so; only what can be fetched again.

    Parameters
    ----------
    limit_gb : float, optional
        By default that of the settings; there 0 is none.
    """
    from jviz.backend.library.keeping import drop

    limit = session.settings["library.store_limit_gb"] or None if limit_gb is None else limit_gb
    if limit is None:
        return []
    dropped = drop(session.archives.library, store_folder(), round(limit * GB), keep=open_paths(session),
                   progress=progress)  # fmt: skip
    if dropped:
        session.archives.library_changed.emit()
        size = sum(file.size for file in dropped) / 1e6
        session.notice("info", f"The store was above its limit of {limit:g} GB: {counted(len(dropped), 'file')} "
                       f"({size:,.0f} MB) were dropped, which can be fetched again from the library.")  # fmt: skip
    return dropped


def told_of(taken: Taken) -> str:
    """Say in a sentence what a scan found."""
    words = [f"{len(getattr(taken, name)):,} {word}" for name, word in
             (("added", "new"), ("changed", "changed"), ("moved", "moved"), ("found", "found again"),
              ("missing", "missing"), ("refused", "refused")) if getattr(taken, name)]  # fmt: skip
    return f"Files of the library: {', '.join(words)}." if words else "Nothing is new in the library."
