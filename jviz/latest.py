"""Work of which only the newest of each kind counts: done one after the other in a quiet job."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

from jviz.backend.progress import Cancelled
from jviz.errors import JvizError

if TYPE_CHECKING:
    from jviz.jobs import Job
    from jviz.session import Session

__all__ = ["Latest", "Work"]

Key = Hashable
Work = Callable[[Callable[..., None]], Iterator[Any]]


class Latest:
    """Works out what was asked for last under each key, in one quiet job at a time; what is outdated is given up.

    Parameters
    ----------
    deliver : callable
        Gets a key and a result, in the thread of the session.
    """

    def __init__(self, session: Session, deliver: Callable[[Key, Any], None]) -> None:
        self._session, self._deliver = session, deliver
        self._lock = threading.Lock()
        self._numbers: dict[Key, int] = {}
        self._wanted: dict[Key, tuple[int, Work]] = {}
        self._count, self._busy = count(1), False

    def ask(self, key: Key, work: Work, *, urgent: bool = True) -> None:
        """Have ``work(check)`` done soon, instead of what was asked for under the same key.

        Each thing that it yields is delivered; ``check`` raises `Cancelled` once it is outdated.
        """
        with self._lock:
            number = self._numbers[key] = next(self._count)
            self._wanted.pop(key, None)
            self._wanted[key] = (number, work)
            if self._busy:
                return
            self._busy = True
        self._submit(urgent)

    def forget(self, key: Key) -> None:
        """Give up what was asked for under a key."""
        with self._lock:
            self._numbers.pop(key, None)
            self._wanted.pop(key, None)

    def _submit(self, urgent: bool) -> None:
        try:
            self._session.jobs.submit("Live spectra", self._run, quiet=True, urgent=urgent)
        except JvizError:
            self._busy = False  # the session is closed

    def _run(self, job: Job) -> None:
        while True:
            with self._lock:
                if not self._wanted or job.cancel_wanted:
                    self._busy = False
                    return
                key = next(reversed(self._wanted))
                number, work = self._wanted.pop(key)
            try:
                self._do(job, key, number, work)
            except BaseException:
                self._busy = False  # the next one begins another job
                raise

    def _do(self, job: Job, key: Key, number: int, work: Work) -> None:
        def check(*_: Any) -> None:
            if job.cancel_wanted or self._numbers.get(key) != number:
                raise Cancelled

        try:
            for result in work(check):
                self._session.dispatcher.call(partial(self._arrived, key, number, result))
        except Cancelled:
            return
        except (JvizError, OSError) as error:
            self._session.notice("warning", f"The spectrum cannot be shown: {error}")

    def _arrived(self, key: Key, number: int, result: Any) -> None:
        if self._numbers.get(key) == number:
            self._deliver(key, result)
