"""Linked folders, looked through for what comes, goes and moves."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from jviz.libraries import keep_store, told_of
from jviz.library_chores import LibraryChore

if TYPE_CHECKING:
    from jviz.jobs import Job
    from jviz.session import Session

__all__ = ["LibraryWatch"]

SHARE = 0.01
"""Of the time, for looks at all files and not only at folders: a file written over in its place changes no folder."""

LATEST = 300.0
"""Seconds after which all files are looked at, however many there are."""


class LibraryWatch(LibraryChore):
    """Finds what comes, goes and moves in linked folders.

    It looks at the folders, which is quick, and at their files when one of them changed; and, the more often the fewer
    they are, at all files.

    Parameters
    ----------
    session : Session
    looked : callable
        Called, in any thread, with the folders that were looked at.
    """

    title = "Look through linked folders"

    def __init__(self, session: Session, looked: Callable[[list[str]], None] = lambda folders: None) -> None:
        super().__init__(session)
        self._looked = looked
        self._times: dict[str, int] | None = None
        self._whole_again = 0.0

    def do(self, job: Job) -> None:
        from jviz.backend.library.folders import folder_times, linked_folders, outermost

        library = self._session.archives.library
        folders = outermost([linked.path for linked in linked_folders(library)])
        times = {path: when for folder in folders for path, when in folder_times(folder).items()}
        start = time.monotonic()
        if times != self._times or start >= self._whole_again:
            taken = library.rescan(progress=job.report)
            took = time.monotonic() - start
            self._whole_again = 0.0 if taken.is_news else start + min(took / SHARE, LATEST)
            if taken.is_news:
                self._session.notice("status", told_of(taken))
        self._times = times
        self._looked(list(times))
        keep_store(self._session, progress=job.report)
