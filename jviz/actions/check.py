"""Commands that look whether files are what they say."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from jviz.backend.io.jwst import is_jwst
from jviz.backend.progress import Progress, silent
from jviz.commands import command
from jviz.data import Data
from jviz.errors import CommandError, JvizError
from jviz.jobs import Job
from jviz.session import Session

AT_ONCE = 16 * 1024**2
"""Files up to this size, in bytes, are checked before they are shown (10 ms); larger ones while they are looked at."""


@command("data.verify", title="Verify Checksums", menu="Data", job=True, needs="data", recorded=False)
def verify(session: Session, data: Data, *, progress: Progress) -> list[str]:
    """Compare the file of data with the checksums in its headers, and tell the result.

    Returns
    -------
    list of str
        What is wrong, a sentence each.
    """
    if data.path is None or not _has_sums(data):
        raise CommandError(
            f"{data.name} has no checksums to compare with; files get them from the program that writes."
        )
    problems = _problems(data.path, progress)
    for text in problems:
        session.notice("warning", text)
    if not problems:
        session.notice("info", f"{data.path.name} is as it was written: its checksums are right.")
    return problems


def check_loaded(loaded: list[Data], progress: Progress = silent) -> None:
    """Add what the checksums of small files say to the warnings of their first data set."""
    for path, data in _to_check(loaded).items():
        if path.stat().st_size <= AT_ONCE:
            known = data.product.warnings
            known += [text for text in _problems(path, progress) if text not in known]


def check_later(session: Session, loaded: list[Data]) -> None:
    """Check large files in the background, and products where that is wanted; only what is wrong is told."""
    if session.settings["calibration.report"]:
        for data in loaded:
            if data.planes and is_jwst(data.header):
                session.jobs.submit(f"Quality of {data.name}", partial(_report, session, data), quiet=True)
    for path in _to_check(loaded):
        if path.stat().st_size > AT_ONCE:
            session.jobs.submit(f"Checking {path.name}", partial(_check, session, path), quiet=True)


def _report(session: Session, data: Data, job: Job) -> None:
    from jviz.quality import quality_checks, worst

    checks = quality_checks(data, progress=job.report)
    if worst(checks) == "bad":
        said = "; ".join(f"{check.name}: {check.said}" for check in checks if check.verdict == "bad")
        session.notice("warning", f"{data.name} is not as it should be. {said}. The panel Calibration has its Quality.")


def _check(session: Session, path: Path, job: Job) -> None:
    for text in _problems(path, job.report):
        session.notice("warning", text)


def _to_check(loaded: list[Data]) -> dict[Path, Data]:
    """Return the files that have checksums, each with its first data set."""
    found: dict[Path, Data] = {}
    for data in loaded:
        if data.path is not None and data.path not in found and data.path.is_file() and _has_sums(data):
            found[data.path] = data
    return found


def _has_sums(data: Data) -> bool:
    from jviz.backend.io.checksums import has_checksums

    return data.product.reader == "fits" and any(has_checksums(unit.header) for unit in data.product.units)


def _problems(path: Path, progress: Progress) -> list[str]:
    from jviz.backend.io.checksums import verify_checksums

    try:
        return verify_checksums(path, progress=progress)
    except JvizError as error:
        return [str(error)]
