"""Reports on the products in the library: made one after another in a process that runs after all others."""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from jviz.backend.calibration.quality import Check
from jviz.errors import JvizError
from jviz.library_chores import LibraryChore
from jviz.worker import Pool, WorkerCrashed, run_in_worker

if TYPE_CHECKING:
    from jviz.jobs import Job
    from jviz.session import Session

__all__ = ["QualityWatch", "library_reports"]

MODULE = "jviz.backend.library.quality"

AT_ONCE = 100
"""Products that are asked for at a time: those that come meanwhile are looked at before older ones."""

SHOWN_EVERY = 5.0
"""Seconds between two times that tables of the library are asked to show new reports."""

_pool = Pool()
atexit.register(_pool.close)
_one = threading.Lock()


class QualityWatch(LibraryChore):
    """Has a report made of each JWST product that came into the library."""

    title, apart, wish = "Quality of the library", True, "library.check_quality"

    def do(self, job: Job) -> None:
        from jviz.backend.library.quality import unchecked

        archives, shown, new = self._session.archives, time.monotonic(), 0
        try:
            while found := unchecked(archives.library, AT_ONCE):
                for sha256, path in found:
                    job.report(0, 0, path.name)
                    _made(self._session, job, sha256, path)
                    new += 1
                    if time.monotonic() - shown > SHOWN_EVERY:
                        archives.library_changed.emit()
                        shown, new = time.monotonic(), 0
        finally:
            _pool.rest()
            if new:
                archives.library_changed.emit()


def library_reports(session: Session, paths: Iterable[Path], job: Job) -> dict[Path, list[Check]]:
    """Return the reports on files of the library; those that there are not yet are made now.

    Raises
    ------
    JvizError
        When one of them is not in the library.
    """
    from jviz.backend.library.quality import kept_reports

    library, several = session.archives.library, list(dict.fromkeys(Path(path).absolute() for path in paths))
    sums = library.sums_of(several)
    missing = next((path for path in several if path not in sums), None)
    if missing is not None:
        raise JvizError(f"{missing} is not in the library, so there is no report on it. Add it by library.add.")
    kept, found = kept_reports(library, sums.values()), {}
    try:
        for number, path in enumerate(several):
            job.report(number, len(several), path.name)
            sha256 = sums[path]
            if sha256 not in kept:
                kept[sha256] = _made(session, job, sha256, path)
            found[path] = kept[sha256]
    finally:
        _pool.rest()
    return found


def _made(session: Session, job: Job, sha256: str, path: Path) -> list[Check]:
    """Make a report in the process for that, and keep it; a file that ends the process is not tried again."""
    from jviz.backend.library.quality import keep_report, unreadable

    try:
        with _one:
            values = run_in_worker(job, f"{MODULE}:report", workers=_pool, path=str(path))
        checks = [Check(**value) for value in values]
    except WorkerCrashed:
        checks = unreadable("the process that looked at it ended by itself; was the memory too small?")
    keep_report(session.archives.library, sha256, checks)
    return checks
