"""Many downloads at a time: a few per host, one broken file does not stop the others."""

from __future__ import annotations

import queue
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from requests import Session

from jviz.backend.archive.fetch import Fetched, Stop, Wanted, fetch
from jviz.backend.archive.net import connection, reason_of
from jviz.backend.progress import Cancelled, Progress, silent
from jviz.errors import JvizError

__all__ = ["PER_HOST", "Outcome", "fetch_all"]

PER_HOST = 4
"""Files that are fetched from one host at a time."""

TICK = 0.05
"""Seconds between two looks at whether somebody still waits."""


@dataclass(frozen=True)
class Outcome:
    """What became of one file: it is here, or ``error`` says why not."""

    wanted: Wanted
    fetched: Fetched | None = None
    error: JvizError | None = None


class _Batch:
    """Files on their way, and how far each is."""

    def __init__(self, wanted: Sequence[Wanted], per_host: int) -> None:
        self.outcomes: list[Outcome | None] = [None] * len(wanted)
        self.done, self.sizes = [0] * len(wanted), [file.size for file in wanted]
        self.finished: queue.SimpleQueue[int] = queue.SimpleQueue()
        self.stop = Stop()
        self._lock, self._waiting = threading.Lock(), defaultdict(deque)
        for number, file in enumerate(wanted):
            self._waiting[urlsplit(file.url).netloc].append(number)
        self.hosts = [host for host, files in self._waiting.items() for _ in range(min(per_host, len(files)))]

    def next(self, host: str) -> int | None:
        with self._lock:
            return self._waiting[host].popleft() if self._waiting[host] else None

    def report(self, number: int, done: int, total: int) -> None:
        self.done[number], self.sizes[number] = done, max(total, done)


def fetch_all(
    wanted: Sequence[Wanted],
    folder: Path | Callable[[Wanted], Path],
    *,
    token: str = "",
    progress: Progress = silent,
    per_host: int = PER_HOST,
    known: Callable[[Path], str | None] = lambda path: None,
) -> list[Outcome]:
    """Fetch files, several at a time.

    Parameters
    ----------
    wanted : sequence of Wanted
        A file named twice is fetched once.
    folder : Path, or callable that gives one for each file
    token : str
        Shown to MAST alone.

    Returns
    -------
    list of Outcome
        In the order of the files, without those named twice.

    Raises
    ------
    Cancelled
        When nobody waits any more; what came is kept for the next time.
    """
    wanted = list(dict.fromkeys(wanted))
    batch = _Batch(wanted, per_host)

    def work(host: str) -> None:
        session = connection(token=token, tries=1)
        with session:
            while not batch.stop.is_set and (number := batch.next(host)) is not None:
                where = folder(wanted[number]) if callable(folder) else folder
                batch.outcomes[number] = _outcome(batch, number, wanted[number], where, session, known)
                batch.finished.put(number)

    # Threads that nobody joins: one that waits for a server to accept a connection must not hold up a cancel.
    for number, host in enumerate(batch.hosts):
        threading.Thread(target=work, args=(host,), daemon=True, name=f"jviz-fetch-{number}").start()
    try:
        _wait(batch, len(wanted), progress)
    except BaseException:
        batch.stop.set()
        raise
    return [outcome for outcome in batch.outcomes if outcome is not None]


def _outcome(batch: _Batch, number: int, file: Wanted, where: Path, session: Session, known: Any) -> Outcome:
    try:
        return Outcome(file, fetch(file, where, session, stop=batch.stop, known=known,
                                   report=lambda done, total: batch.report(number, done, total)))  # fmt: skip
    except Cancelled:
        return Outcome(file, error=JvizError(f"{file.name} was not fetched: the download was stopped."))
    except JvizError as error:
        return Outcome(file, error=error)
    except Exception as error:  # one file must not take the others with it
        return Outcome(file, error=reason_of(error, urlsplit(file.url).hostname or file.url))


def _wait(batch: _Batch, count: int, progress: Progress) -> None:
    finished = 0
    while finished < count:
        done, total = sum(batch.done), sum(batch.sizes)
        progress(done, max(total, 1), f"Fetching {count - finished} of {count} files: {done / 1e6:,.1f} MB")
        try:
            batch.finished.get(timeout=TICK)
        except queue.Empty:
            continue
        finished += 1
