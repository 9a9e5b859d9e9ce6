"""Questions to archives, asked by a process beside this one: the window does not feel how long the answers are."""

from __future__ import annotations

import atexit
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jviz.backend.progress import Progress, silent
from jviz.errors import JvizError
from jviz.worker import Pool, run_in_worker

if TYPE_CHECKING:
    from astropy.table import Table

    from jviz.archive_keys import ArchiveKeys
    from jviz.backend.archive.asking import Question
    from jviz.backend.archive.vo import Service
    from jviz.jobs import Job

__all__ = ["Reply", "ask", "asked_of_service", "of_question", "progress_of", "unpacked"]

ANSWERED = "jviz.backend.archive.apart:answered"

LARGE = 500_000
"""Bytes of a kept answer from which another process reads it."""

_pool = Pool("jviz.backend.archive.apart:prepare", gentle=True)
atexit.register(_pool.close)


@dataclass(frozen=True, eq=False)
class Reply:
    """What came back.

    Attributes
    ----------
    said : dict
    table : Table or None
    packed : bytes
        The table as it is kept; empty when it is not to be.
    """

    said: dict[str, Any]
    table: Table | None
    packed: bytes


def ask(session: Any, job: Job | None, road: str, *, each: Callable[[Table, int], None] | None = None,
        packed: bytes = b"", **asked: Any) -> Reply:  # fmt: skip
    """Ask, and wait for the answer.

    Parameters
    ----------
    job : Job or None
        Whose progress it is, and which can be cancelled. Without one nobody has a window to look at meanwhile, and
        this process asks.
    road : str
        One of `jviz.backend.archive.apart`, which takes what is ``asked``.
    each : callable
        Called with the rows so far, and the total, from time to time.
    packed : bytes
        An answer that was kept, to be read.

    Raises
    ------
    NetError, JvizError
        When there is no answer.
    """
    from jviz.backend.archive.apart import PACKED, ROWS, taken
    from jviz.backend.archive.table_files import read_table

    with tempfile.TemporaryDirectory(prefix="jviz-answer-", ignore_cleanup_errors=True) as name:
        folder, keys = Path(name), session.archives.keys

        def tell(grown: Any) -> None:
            if each is not None:
                each(read_table(folder / grown["rows"]), grown["total"])
            (folder / grown["rows"]).unlink()

        if packed:
            (folder / PACKED).write_bytes(packed)
        if job:
            said = _beside(job, road, asked, keys, folder, tell)
        else:
            said = taken(road, asked, keys, folder, silent, tell)
        table = read_table(folder / ROWS) if (folder / ROWS).exists() else None
        return Reply(said, table, packed or ((folder / PACKED).read_bytes() if (folder / PACKED).exists() else b""))


def _beside(job: Job, road: str, asked: Any, keys: ArchiveKeys, folder: Path,
            tell: Callable[[Any], None]) -> Any:  # fmt: skip
    from jviz.backend.archive.apart import as_json
    from jviz.backend.archive.net import NetError, mast_url

    arguments = {name: as_json(value) for name, value in asked.items()}

    def follow(say: Callable[[Any], None]) -> Callable[[], None]:
        """Tell who logs in and out meanwhile."""

        def news() -> None:
            say(_of_secrets(keys))

        keys.changed.connect(news)
        news()
        return partial(keys.changed.disconnect, news)

    said = run_in_worker(job, ANSWERED, workers=_pool, tell=tell, folder=folder, road=road,
                         asked={"dict": arguments}, mast=mast_url(), keys=_of_secrets(keys), follow=follow)  # fmt: skip
    if "fault" in said:
        raise NetError(said["fault"], said["status"])
    return said


def _of_secrets(keys: ArchiveKeys) -> Any:
    from jviz.backend.archive.apart import as_json

    return as_json(vars(keys()))


def asked_of_service(session: Any, job: Job | None, road: str, service: Service, **asked: Any) -> Reply:
    """Ask a service; see `ask`."""
    return ask(session, job, road, service=_of_service(service), **asked)


def progress_of(job: Job | None) -> Progress:
    """Return what takes the progress of work."""
    return job.report if job else silent


def of_question(question: Question) -> dict[str, Any]:
    """Return a question as arguments of `ask`."""
    return {"service": _of_service(question.service), "circles": question.circles, "names": question.names,
            "criteria": dict(question.criteria)}  # fmt: skip


def unpacked(session: Any, job: Job | None, content: bytes) -> Table:
    """Return the rows of an answer that was kept."""
    from jviz.backend.archive.answers import unpacked_table

    if len(content) < LARGE:
        return unpacked_table(content)
    table = ask(session, job, "kept", packed=content).table
    if table is None:
        raise JvizError("The answer that was kept cannot be read; ask anew.")
    return table


def _of_service(service: Service) -> tuple[Any, ...]:
    return service.name, service.title, service.kind, service.url, service.obscore
