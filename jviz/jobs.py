"""Long work beside the window: jobs with progress, cancel and a result that reaches the main thread.

A job is a function run in one of a few threads. Work that cannot be interrupted from within
(the calibration pipelines) runs in a worker process that the job's thread watches and kills:
see `jviz.worker`.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal, Protocol

from jviz.backend.priority import step_aside
from jviz.backend.progress import Cancelled
from jviz.dispatcher import Dispatcher
from jviz.errors import JvizError
from jviz.signals import Signal

__all__ = ["Dispatcher", "Job", "Jobs", "Way"]

JobState = Literal["queued", "running", "done", "failed", "cancelled"]


class Job:
    """One piece of long work: what it is, how far it is, and its end.

    Attributes
    ----------
    title : str
    state : {"queued", "running", "done", "failed", "cancelled"}
    done, total : float
        Progress in any unit; ``total`` is 0 while unknown.
    text : str
        What it does just now.
    log : deque of str
        The last 1,000 texts with their times.
    error : BaseException or None
    """

    _numbers = itertools.count(1)

    def __init__(
        self, title: str, work: Callable[[Job], Any], owner: Jobs, *, quiet: bool = False, urgent: bool = False
    ) -> None:
        self.number = next(Job._numbers)
        self.title = title
        self.quiet, self.urgent = quiet, urgent
        self.state: JobState = "queued"
        self.done, self.total, self.text = 0.0, 0.0, ""
        self.log: deque[str] = deque(maxlen=1000)
        self.created = time.time()
        self.started: float | None = None
        self.ended: float | None = None
        self.error: BaseException | None = None
        self._on_cancel: list[Callable[[], None]] = []
        self._work = work
        self._owner = owner
        self._future: Future = Future()
        self._cancel = threading.Event()

    def __repr__(self) -> str:
        return f"<Job {self.title!r} {self.state} {self.progress:.0%}>"

    @property
    def progress(self) -> float:
        """Fraction done, 0 to 1."""
        if self.state == "done":
            return 1.0
        return min(self.done / self.total, 1.0) if self.total else 0.0

    @property
    def remaining(self) -> float | None:
        """Estimated seconds to the end, None while nobody can say."""
        if self.state != "running" or not 0.02 < self.progress < 1 or self.started is None:
            return None
        return (time.time() - self.started) * (1 / self.progress - 1)

    @property
    def is_over(self) -> bool:
        """Whether it is done, failed or cancelled."""
        return self.state in ("done", "failed", "cancelled")

    def report(self, done: float, total: float = 1.0, text: str = "") -> None:
        """Take progress from the work; raises `Cancelled` once `cancel` was called."""
        if self._cancel.is_set():
            raise Cancelled
        self.done, self.total = done, total
        if text and text != self.text:
            self.text = text
            self.log.append(f"{time.strftime('%H:%M:%S')} {text}")
        self._owner.notify(self)
        if (way := self._owner.way) is not None:
            way.wait()

    @property
    def cancel_wanted(self) -> bool:
        """Whether `cancel` was called."""
        return self._cancel.is_set()

    def cancel(self) -> None:
        """Ask the work to stop; it does so at its next report, a worker process at once."""
        if self.is_over:
            return
        self._cancel.set()
        for on_cancel in list(self._on_cancel):
            on_cancel()
        self._owner.forget_queued(self)

    def when_cancelled(self, function: Callable[[], None]) -> Callable[[], None]:
        """Have a function called in the thread that cancels; returns what lets go of it."""
        self._on_cancel.append(function)
        return lambda: self._on_cancel.remove(function)

    def result(self, timeout: float | None = None) -> Any:
        """Wait for the end and return what the work gave.

        Raises
        ------
        JvizError
            What the work raised; `Cancelled` becomes a `JvizError` too.
        TimeoutError
            After ``timeout`` seconds.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        self._owner.help_with(self)
        # The owner's thread waits in slices: the job may need it to apply its result.
        while not self._future.done():
            if deadline is not None and time.monotonic() > deadline:
                raise TimeoutError(f"{self.title} did not end within {timeout} s")
            if self._owner.dispatcher.is_here:
                self._owner.dispatcher.drain()
            self._wait_a_little()
        return self._future.result()

    def _wait_a_little(self) -> None:
        try:
            self._future.result(0.005)
        except BaseException:
            # The caller of `result` raises it; here it only ends the wait.
            return

    def run(self) -> None:
        """Do the work in this thread (called by `Jobs`)."""
        self._begin()
        try:
            if self._cancel.is_set():
                raise Cancelled
            value = self._work(self)
        except Cancelled:
            self._end("cancelled", error=JvizError(f"{self.title} was cancelled."))
        except BaseException as error:
            self.log.append(traceback.format_exc())
            self._end("failed", error=error)
        else:
            self._end("done", value)

    def drop(self) -> None:
        """End a job that never began."""
        self._end("cancelled", error=JvizError(f"{self.title} was cancelled."))

    def _begin(self) -> None:
        self.state, self.started = "running", time.time()
        self._owner.notify(self)

    def _end(self, state: JobState, value: Any = None, *, error: BaseException | None = None) -> None:
        self.state, self.error, self.ended = state, error, time.time()
        self._work = _done  # what it worked on goes, though the job stays in the list
        if error is None:
            self._future.set_result(value)
        else:
            self._future.set_exception(error)
        self._owner.notify(self)


def _done(_: Job) -> None:
    """Stand for work that is over."""


class Way(Protocol):
    """How threads give way to a window."""

    def wait(self) -> None:
        """Wait for a moment while the window is busy; called when a job reports its progress."""

    def patiently(self) -> AbstractContextManager[None]:
        """Have what is imported meanwhile wait until the user pauses; round jobs that nobody asked for."""


class Jobs:
    """The threads that do the jobs, and the list of all jobs of a session.

    Attributes
    ----------
    changed : Signal
        Emitted in the owner's thread with the job whose progress or state changed.
    way : Way or None
        Of a window: its jobs wait for a moment while it is busy, so that it has Python and a processor for itself.
    """

    threads = 2
    kept = 200

    def __init__(self, dispatcher: Dispatcher) -> None:
        self.dispatcher = dispatcher
        self.changed = Signal()
        self.way: Way | None = None
        self.all: list[Job] = []
        self._waiting: deque[Job] = deque()
        self._lock = threading.Condition()
        self._workers: list[threading.Thread] = []
        self._apart: list[threading.Thread] = []
        self._closed = False
        self._pending: set[int] = set()
        self._holds = 0

    @property
    def running(self) -> list[Job]:
        """Jobs that wait or run and that a user would miss (not the quiet ones)."""
        return [job for job in self.all if not job.is_over and not job.quiet]

    def submit(
        self, title: str, work: Callable[[Job], Any], *, quiet: bool = False, urgent: bool = False, apart: bool = False
    ) -> Job:
        """Queue ``work(job)``.

        Parameters
        ----------
        quiet : bool
            Not worth a line in the jobs panel (refinement of a picture, a read-out).
        urgent : bool
            Goes before all that waits, and begins also while `hold` keeps what is quiet waiting.
        apart : bool
            Begins at once in a thread of its own, for that does nothing but wait for other processes.
        """
        job = Job(title, work, self, quiet=quiet, urgent=urgent)
        with self._lock:
            if self._closed:
                raise JvizError(f"{title} cannot start: the session is closed.")
            self.all.append(job)
            if apart:
                self._forget_old()
                self._apart = [thread for thread in self._apart if thread.is_alive()]
                thread = threading.Thread(target=job.run, name=f"jviz-apart-{job.number}", daemon=True)
                self._apart.append(thread)
                thread.start()
                return job
            (self._waiting.appendleft if urgent else self._waiting.append)(job)
            self._forget_old()
            self._ensure_workers()
            self._lock.notify()
        self.notify(job)
        return job

    def notify(self, job: Job) -> None:
        """Tell the owner's thread about a job, once per batch of changes."""
        with self._lock:
            if job.number in self._pending:
                return
            self._pending.add(job.number)
        self.dispatcher.call(lambda: self._emit(job))

    def forget_queued(self, job: Job) -> None:
        """Drop a cancelled job that has not begun."""
        with self._lock:
            if job not in self._waiting:
                return
            self._waiting.remove(job)
        job.drop()

    def hold(self) -> None:
        """Keep quiet jobs that are not urgent from beginning until `release`: a window shows its first picture."""
        with self._lock:
            self._holds += 1

    def release(self) -> None:
        """Let them begin, once everybody who held them has."""
        with self._lock:
            self._holds -= 1
            self._lock.notify_all()

    def help_with(self, job: Job) -> None:
        """Have somebody do a job that is waited for.

        In a thread of jobs that is this thread, for all of them might be waiting for each other.
        """
        with self._lock:
            job.urgent = True
            self._lock.notify_all()
        if threading.current_thread() not in self._workers:
            return
        with self._lock:
            if job not in self._waiting:
                return
            self._waiting.remove(job)
        job.run()

    def close(self, timeout: float = 5.0) -> None:
        """Cancel everything and end the threads."""
        with self._lock:
            self._closed = True
            waiting = list(self.all)
            self._lock.notify_all()
        for job in waiting:
            job.cancel()
        for worker in (*self._workers, *self._apart):
            worker.join(timeout)

    def _emit(self, job: Job) -> None:
        with self._lock:
            self._pending.discard(job.number)
        try:
            self.changed.emit(job)
        except Exception:
            # Who shows jobs must not make them fail.
            logging.getLogger("jviz").exception("A job could not be shown")

    def _forget_old(self) -> None:
        over = [job for job in self.all if job.is_over]
        for job in over[: max(0, len(over) - self.kept)]:
            self.all.remove(job)

    def _ensure_workers(self) -> None:
        if len(self._workers) < self.threads:
            name = f"jviz-job-{len(self._workers) + 1}"
            worker = threading.Thread(target=self._work, name=name, daemon=True)
            self._workers.append(worker)
            worker.start()

    def _work(self) -> None:
        while True:
            with self._lock:
                while (job := self._next()) is None and not self._closed:
                    self._lock.wait()
                if job is None:
                    return
                self._waiting.remove(job)
            if (way := self.way) is not None:
                step_aside()
            with way.patiently() if way is not None and job.quiet else nullcontext():
                job.run()

    def _next(self) -> Job | None:
        """Return the job to begin now, None when there is none."""
        held = self._holds and not self._closed
        return next((job for job in self._waiting if job.urgent or not (held and job.quiet)), None)
