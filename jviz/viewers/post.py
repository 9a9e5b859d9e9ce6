"""Calls from any thread into the one of the widgets.

Threads must not touch widgets, not even to emit their signals: one may be deleted at that very
moment. They leave a call with `post`, on an object that lives as long as the program.
"""

from __future__ import annotations

import queue
from collections.abc import Callable
from functools import cache
from typing import Any

import shiboken6
from PySide6.QtCore import QCoreApplication, QObject, Qt, Signal

__all__ = ["can_be_called", "post", "post_office"]


class PostOffice(QObject):
    """Runs in its own thread what other threads left."""

    _left = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._calls: queue.SimpleQueue[Callable[[], Any]] = queue.SimpleQueue()
        application = QCoreApplication.instance()
        if application is not None:
            self.moveToThread(application.thread())
        self._left.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def leave(self, call: Callable[[], Any]) -> None:
        """Have a call made soon; from any thread."""
        self._calls.put(call)
        self._left.emit()

    def _deliver(self) -> None:
        while True:
            try:
                call = self._calls.get_nowait()
            except queue.Empty:
                return
            if can_be_called(call):
                call()


def can_be_called(call: Callable[[], Any]) -> bool:
    """Whether the widget whose method this is, if it is one's, was not deleted meanwhile."""
    owner = getattr(call, "__self__", None)
    return not isinstance(owner, QObject) or shiboken6.isValid(owner)


@cache
def post_office() -> PostOffice:
    """Return the one of the program; first called in the thread of the widgets."""
    return PostOffice()


def post(call: Callable[[], Any]) -> None:
    """Have a call made soon in the thread of the widgets."""
    post_office().leave(call)
