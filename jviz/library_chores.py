"""What is done for the library in quiet jobs that nobody waits for: looking at folders, drawing, reporting."""

from __future__ import annotations

import logging
import sqlite3
from typing import TYPE_CHECKING, Any

from jviz.errors import JvizError
from jviz.libraries import is_begun

if TYPE_CHECKING:
    from jviz.jobs import Job
    from jviz.session import Session

__all__ = ["LibraryChore"]

log = logging.getLogger(__name__)


class LibraryChore:
    """Something that is done for the library now and then, one time after another.

    Parameters
    ----------
    session : Session
    """

    title = ""
    """Of the job."""

    apart = False
    """Whether the job takes long, and has a thread of its own."""

    wish = ""
    """The setting that says whether it is wanted; none: always."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._job: Any = None

    def look(self) -> None:
        """Do it in a job, unless that is still going on or it is not wanted."""
        is_wanted = not self.wish or self._session.settings[self.wish]
        if is_wanted and (self._job is None or self._job.is_over):
            self._job = self._session.jobs.submit(self.title, self._work, quiet=True, apart=self.apart)

    def close(self) -> None:
        """Stop."""
        if self._job is not None:
            self._job.cancel()

    def do(self, job: Job) -> None:
        """Do it, in the thread of a job; there is a library."""
        raise NotImplementedError

    def _work(self, job: Job) -> None:
        if not is_begun():
            return
        try:
            self.do(job)
        except (JvizError, sqlite3.Error) as error:
            log.warning("%s: %s", self.title, error)
