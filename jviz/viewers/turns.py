"""Refreshes of panels, one in each turn of the event loop.

After one change ten panels have something new to show, each in a few milliseconds; all in one turn they would keep
the mouse waiting for longer than a frame. So each takes its turn, and between two of them the window answers and
paints. A turn that has already painted for a while makes no call: both together would be too long.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from typing import Any

from PySide6.QtCore import QAbstractEventDispatcher, QObject, QTimer

from jviz.viewers.post import can_be_called

__all__ = ["in_turn"]

BREATH_MS = 1
"""Between two calls, so that other timers, the user and painting come before the next one."""


SPENT_SECONDS = 0.006
"""What a turn may have lasted when a call is made in it."""
MOST_WAITS = 4
"""Turns that a call is put off for at most."""


class Turns(QObject):
    """Makes calls in the order in which they were asked for, one in a turn; in the thread of the widgets."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: dict[Callable[[], Any], None] = {}
        self._turn = QTimer(self, singleShot=True)
        self._turn.timeout.connect(self._next)
        self._awake, self._waits = 0.0, 0
        QAbstractEventDispatcher.instance().awake.connect(self._awoke)

    def _awoke(self) -> None:
        self._awake = time.perf_counter()

    def ask(self, call: Callable[[], Any]) -> None:
        """Have a call made soon; once, however often it is asked for until then."""
        self._waiting[call] = None
        if not self._turn.isActive():
            self._turn.start(0)

    def _next(self) -> None:
        if self._waits < MOST_WAITS and time.perf_counter() - self._awake > SPENT_SECONDS:
            self._waits += 1
            self._turn.start(0)
            return
        self._waits = 0
        while self._waiting:
            call = next(iter(self._waiting))
            del self._waiting[call]
            if can_be_called(call):
                # Before the call: it may run a loop of its own, in which the others must not wait.
                if self._waiting:
                    self._turn.start(BREATH_MS)
                call()
                return


@cache
def turns() -> Turns:
    """Return the one of the program."""
    return Turns()


def in_turn(call: Callable[[], Any]) -> None:
    """Have a method of a widget called soon, in a turn of the event loop of its own (in the thread of the widgets).

    Parameters
    ----------
    call : callable
        Left out when its widget is deleted before; asked for twice, it is called once.
    """
    turns().ask(call)
