"""Small pictures of the library, drawn ahead by a process beside the window."""

from __future__ import annotations

import atexit
from typing import TYPE_CHECKING

from jviz.library_chores import LibraryChore
from jviz.worker import Pool, run_in_worker

if TYPE_CHECKING:
    from jviz.jobs import Job
    from jviz.session import Session

__all__ = ["PicturesAhead"]

AT_ONCE = 200
"""Files that the process gets at a time."""

MOST = 20_000
"""Files, the newest, that are drawn at all."""

MB = 1_000_000


class PicturesAhead(LibraryChore):
    """Draws files of the library that came since it looked last, the newest first."""

    title, apart, wish = "Small pictures of the library", True, "library.draw_ahead"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._seen: set[str] = set()
        # A process of its own: it ends with the last picture.
        self._pool = Pool(gentle=True)
        atexit.register(self._pool.close)

    def close(self) -> None:
        """Stop, and let go of the process."""
        super().close()
        self._pool.close()
        atexit.unregister(self._pool.close)

    def do(self, job: Job) -> None:
        try:
            while files := self._wanted():
                for start in range(0, len(files), AT_ONCE):
                    limit = round(self._session.settings["library.thumbnails_mb"] * MB)
                    has_room = run_in_worker(job, "jviz.backend.library.thumbnails:draw_ahead", workers=self._pool,
                                             files=files[start : start + AT_ONCE], limit=limit)  # fmt: skip
                    if not has_room:
                        return
                self._seen.update(sha256 for sha256, _ in files)
        finally:
            self._pool.rest()

    def _wanted(self) -> list[tuple[str, str]]:
        from jviz.backend.library.thumbnails import known
        self._seen |= known()
        rows = self._session.archives.library.ask(
            "SELECT sha256, path FROM file WHERE state = 'present' AND sha256 IS NOT NULL ORDER BY added DESC, id DESC "
            "LIMIT ?", (MOST,))  # fmt: skip
        return [(row["sha256"], row["path"]) for row in rows if row["sha256"] not in self._seen]
