"""Bringing calls from any thread to the one that owns the session."""

from __future__ import annotations

import math
import queue
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from typing import Any

from jviz.backend.progress import Cancelled

__all__ = ["Dispatcher"]


class Dispatcher:
    """Brings calls from any thread to the one that owns the session.

    Without a window nobody owns it: calls run where they are made, one at a time.
    """

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue = queue.SimpleQueue()
        self._lock = threading.RLock()
        self._held = 0
        self._owner: int | None = None
        self.is_draining = False
        """Whether the owner runs what other threads left, among which may be much of the same."""
        self._wake: Callable[[], None] = lambda: None

    def bind(self, wake: Callable[[], None] | None) -> None:
        """Make the current thread the owner; ``wake()`` (from any thread) must lead to `drain`."""
        self._owner = None if wake is None else threading.get_ident()
        self._wake = wake or (lambda: None)

    @property
    def is_here(self) -> bool:
        """Whether calls run at once in this thread."""
        return self._owner is None or self._owner == threading.get_ident()

    def call(self, function: Callable[[], Any]) -> None:
        """Run ``function`` in the owner's thread, at once when this is it.

        Without an owner it runs here, or, while another thread is changing the session, once
        that one is through.
        """
        if not self.is_here:
            self._calls.put(function)
            self._wake()
        elif self._lock.acquire(blocking=False):
            self._held += 1
            try:
                function()
            finally:
                self._release()
        else:
            self._calls.put(function)
            self._drain_if_free()

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Keep other threads from changing the session; what they want to do waits."""
        self._lock.acquire()
        self._held += 1
        try:
            yield
        finally:
            self._release()

    def _release(self) -> None:
        self._held -= 1
        is_free = not self._held
        self._lock.release()
        if is_free:
            self._drain_if_free()

    def _drain_if_free(self) -> None:
        if self._calls.empty():
            return
        if self._owner is None:
            self.drain()
        elif not self.is_here:
            self._wake()  # the owner may have come meanwhile, and gone away again because the lock was taken

    def ask(self, function: Callable[[], Any], *, unless: Callable[[], bool] = lambda: False) -> Any:
        """Run ``function`` in the owner's thread and wait for what it returns or raises.

        Parameters
        ----------
        unless : callable
            Once it is true, the function is not begun any more.

        Raises
        ------
        Cancelled
            When ``unless`` became true before the function began.
        """
        answer: Future = Future()

        def run() -> None:
            if unless():
                answer.cancel()
            if not answer.set_running_or_notify_cancel():
                return
            try:
                answer.set_result(function())
            except BaseException as error:
                answer.set_exception(error)

        self.call(run)
        while not answer.done():
            if unless():
                answer.cancel()
            # The owner may give up its place meanwhile (the window closes); then anybody may run the calls.
            if self.is_here:
                self.drain()
            wait([answer], 0.05)
        if answer.cancelled():
            raise Cancelled
        return answer.result()

    def drain(self, seconds: float = math.inf) -> None:
        """Run the calls that wait; only in the owner's thread.

        What one of them raises is raised again after the last one.

        Parameters
        ----------
        seconds : float
            After that many no further call is begun, and the owner is woken once more for the rest: a
            window must answer its user between the calls of many jobs.
        """
        errors: list[BaseException] = []
        outer, self.is_draining = self.is_draining, True
        end = time.monotonic() + seconds
        # When the lock is taken, who has it drains when giving it back.
        while not self._calls.empty() and self._lock.acquire(blocking=False):
            self._held += 1
            try:
                self._calls.get_nowait()()
            except queue.Empty:
                break
            except BaseException as error:
                errors.append(error)
            finally:
                self._held -= 1
                self._lock.release()
            if time.monotonic() > end:
                self._wake()
                break
        self.is_draining = outer
        if errors:
            raise errors[0]
