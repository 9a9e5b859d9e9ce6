"""Linked folders, looked through for what comes, goes and moves."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from jviz.libraries import keep_store, told_of
from jviz.library_chores import LibraryChore

if TYPE_CHECKING:
    from jviz.jobs import Job
    from jviz.session import Session

__all__ = ["LibraryWatch"]

WHOLE_EVERY = 30
"""Looks after which all files are looked at, not only folders: one written over in its place changes no folder."""


class LibraryWatch(LibraryChore):
    """Finds what comes, goes and moves in linked folders.

    It looks at the folders, which is quick, and at their files only when one of them changed, or now and then.

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
        self._looks = 0

    def do(self, job: Job) -> None:
        from jviz.backend.library.folders import folder_times, linked_folders, outermost

        library = self._session.archives.library
        folders = outermost([linked.path for linked in linked_folders(library)])
        times = {path: time for folder in folders for path, time in folder_times(folder).items()}
        if times != self._times or self._looks % WHOLE_EVERY == 0:
            taken = library.rescan(progress=job.report)
            if taken.is_news:
                self._session.notice("status", told_of(taken))
        self._times, self._looks = times, self._looks + 1
        self._looked(list(times))
        keep_store(self._session, progress=job.report)
