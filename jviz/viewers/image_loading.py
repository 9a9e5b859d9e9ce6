"""Fetching what an image view lacks, in jobs; only the newest wish for each thing counts."""

from __future__ import annotations

import atexit
import contextlib
import gc
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from functools import cache, partial
from typing import Any
from weakref import WeakKeyDictionary, WeakSet, ref

from jviz.backend.priority import step_aside
from jviz.backend.progress import Cancelled
from jviz.backend.render import kernels
from jviz.backend.spectra import strokes
from jviz.errors import JvizError
from jviz.jobs import Job
from jviz.session import Session
from jviz.signals import Signal
from jviz.viewers.image_needs import Need, failed_text
from jviz.viewers.post import post
from jviz.viewers.tidying import tidying

__all__ = ["Loader", "Preparer", "WarmUp", "preparer_of", "warm_up"]


LONG = 8.0
"""Seconds beyond which the kernels were not only loaded."""

LONGEST_KERNEL = 10.0
"""Seconds that compiling one kernel may take while the program ends."""


class WarmUp:
    """Loads the compiled kernels in a thread, once in a program.

    Imports in several threads at once would leave the window too little time; what else
    imports much waits until this is over.

    Attributes
    ----------
    ended : Signal
        The kernels are in use, or cannot be.
    pause : callable
        Called before each kernel: a window makes it wait while it is busy.
    """

    def __init__(self) -> None:
        self.ended = Signal()
        self.pause: Callable[[], None] = kernels.no_pause
        self._thread: threading.Thread | None = None
        self._over = False
        self._wanted = self._ending = False
        self._held = 0

    @property
    def is_over(self) -> bool:
        """Whether nothing has to wait any more."""
        return self._over or kernels.ready

    def hold(self) -> None:
        """Keep it from beginning until `release`: a window furnishes itself, in half the time without it."""
        self._held += 1

    def release(self) -> None:
        """Let it begin, if it was asked for and nobody else holds it."""
        self._held -= 1
        if self._wanted:
            self.begin()

    def begin(self) -> None:
        """Start, unless that was done before; while it is held, as soon as it is released."""
        self._wanted = True
        if not self._held and not self.is_over and self._thread is None:
            self._thread = threading.Thread(target=self._work, name="jviz-kernels", daemon=True)
            atexit.register(self._end)
            self._thread.start()

    def _end(self) -> None:
        """Stop before the next kernel: a compiler at work while the program takes itself apart would abort it."""
        self._ending = True
        self._thread.join(LONGEST_KERNEL)

    def _next_kernel(self) -> None:
        if self._ending:
            raise Cancelled
        self.pause()

    def _work(self) -> None:
        step_aside()
        begun = time.monotonic()
        # What is imported stays: to look through it for garbage would stop the window for a tenth of a second.
        try:
            with tidying().undisturbed():
                kernels.warm_up(self._next_kernel)
                if time.monotonic() - begun < LONG:
                    gc.freeze()  # else they were compiled, which leaves much behind that should go
        except Cancelled:
            return
        finally:
            self._over = True
            if not self._ending:
                post(self.ended.emit)
        # Nothing waits for those of spectra; a thousand of them draw at once when they come.
        with contextlib.suppress(Cancelled):
            strokes.prepare(self._next_kernel)


@cache
def warm_up() -> WarmUp:
    """Return the one warm-up of the program."""
    return WarmUp()


class Loader:
    """Runs needs as quiet jobs and applies their results in the thread of the viewer.

    Attributes
    ----------
    arrived : Signal
        Something was fetched and applied.
    """

    def __init__(self, session: Session) -> None:
        self.arrived = Signal()
        self._session = session
        self._closed = False
        self._running: dict[tuple, tuple[Need, Job]] = {}
        self._next: dict[tuple, Need] = {}
        self._failed: list[Need] = []

    @property
    def busy(self) -> bool:
        """Whether something is being fetched."""
        return bool(self._running)

    def open_needs(self, needs: Iterable[Need]) -> list[Need]:
        """Return those that have not failed before."""
        return [need for need in needs if need not in self._failed]

    def want(self, needs: Iterable[Need]) -> None:
        """Fetch these; what was wanted before and is not any more is dropped."""
        wanted = {need.group: need for need in self.open_needs(needs)}
        self._next = {}
        for group, (need, _) in self._running.items():
            if group in wanted and wanted[group] != need:
                # Let a fetch end that has begun, or a steady pan would never be sharp.
                self._next[group] = wanted[group]
        self._drop({group for group in self._running if group not in wanted})
        for group, need in wanted.items():
            if group not in self._running:
                self._start(need)

    def _drop(self, groups: set[tuple]) -> None:
        """Cancel what has not begun; what has, may end: the next look may want it."""
        for group in groups:
            need, job = self._running[group]
            if job.state == "queued" or getattr(need, "outdates", False):
                job.cancel()
            if job.is_over:
                del self._running[group]

    def forget_failures(self) -> None:
        """Try again what could not be fetched."""
        self._failed.clear()

    def close(self) -> None:
        """Drop everything."""
        self._closed = True
        self._next.clear()
        for _, job in list(self._running.values()):
            job.cancel()

    def _start(self, need: Need) -> None:
        try:
            job = self._session.jobs.submit(
                "Refine the picture", lambda job: self._work(need, job), quiet=True, urgent=True
            )
        except JvizError:
            return  # the session is closed
        self._running[need.group] = (need, job)

    def _work(self, need: Need, job: Job) -> None:
        value, error = None, None
        try:
            value = need.run(job.report)
        except BaseException as problem:
            error = problem
            raise
        finally:
            post(partial(self._finish, need, value, error))

    def _finish(self, need: Need, value: Any, error: BaseException | None) -> None:
        self._running.pop(need.group, None)
        if self._closed:
            return
        if error is None:
            need.apply(value)
            for text in getattr(need, "notes", ()):
                self._session.notice("warning", text)
            for data in getattr(need, "unclear", ()):
                self._session.axis_unclear.emit(data)
        elif not isinstance(error, Cancelled):
            self._failed.append(need)
            self._session.notice("error", failed_text(error))
        following = self._next.pop(need.group, None)
        if following is not None and following != need:
            self._start(following)
        self.arrived.emit()


class Preparer:
    """Builds pyramids, one image after the other, so that a thread is left for what is looked at.

    Attributes
    ----------
    prepared : Signal
        An image became sharp at every scale.
    """

    def __init__(self, session: Session) -> None:
        self.prepared = Signal()
        self._session = ref(session)
        self._waiting: deque[tuple[str, Any]] = deque()
        self._now: Any = None
        self._job: Job | None = None
        self._known: WeakSet[Any] = WeakSet()

    def prepare(self, name: str, raster: Any) -> None:
        """Build the pyramid of a raster unless it has one or is about to get it."""
        if not raster.sharp and raster not in self._known:
            self._known.add(raster)
            self._waiting.append((name, raster))
        self._start()

    def is_pending(self, raster: Any) -> bool:
        """Whether its pyramid is still to come."""
        return (self._busy and raster is self._now) or any(raster is waiting for _, waiting in self._waiting)

    @property
    def _busy(self) -> bool:
        # A job that was cancelled before it began never reports its end.
        return self._job is not None and not self._job.is_over

    def _start(self) -> None:
        session = self._session()
        if self._busy or not self._waiting or session is None:
            return
        name, raster = self._waiting.popleft()
        try:
            self._job = session.jobs.submit(f"Preparing {name}", lambda job: self._work(raster, session, job))
        except JvizError:
            return  # the session is closed
        self._now = raster

    def _work(self, raster: Any, session: Session, job: Job) -> None:
        error = None
        try:
            limit = int(session.settings["cache.limit_gb"] * 1e9)
            raster.build(job.report, cache_limit=limit)
        except BaseException as problem:
            error = problem
            raise
        finally:
            post(partial(self._finish, error))

    def _finish(self, error: BaseException | None) -> None:
        self._now = self._job = None
        session = self._session()
        if error is not None and not isinstance(error, Cancelled) and session is not None:
            session.notice("error", failed_text(error))
        self._start()
        self.prepared.emit()


_preparers: WeakKeyDictionary[Session, Preparer] = WeakKeyDictionary()


def preparer_of(session: Session) -> Preparer:
    """Return the one preparer of a session."""
    if session not in _preparers:
        _preparers[session] = Preparer(session)
    return _preparers[session]
