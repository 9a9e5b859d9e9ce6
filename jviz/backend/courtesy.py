"""Long stretches of Python in threads that give way to a window.

Reading a GWCS is a tenth of a second of Python, most of it in packages of others. A window that draws meanwhile gets
Python's lock back a tenth of a millisecond after each call into Qt, and so takes two or three times as long.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["courteous", "give_way_by"]

EVERY = 300
"""Calls of functions between two looks at what the window does: less than a tenth of a millisecond."""

_pauses: list[Callable[[], Any]] = []


def give_way_by(pause: Callable[[], Any] | None) -> None:
    """Have threads that are courteous call a function often, which returns once they may go on; None ends that."""
    _pauses[:] = [] if pause is None else [pause]


@contextmanager
def courteous() -> Iterator[None]:
    """Give way in this thread meanwhile, unless it is the main one, or is being profiled."""
    if not _pauses or threading.current_thread() is threading.main_thread() or sys.getprofile() is not None:
        yield
        return
    pause, left = _pauses[0], EVERY

    def look(*_: Any) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            left = EVERY
            pause()

    sys.setprofile(look)
    try:
        yield
    finally:
        sys.setprofile(None)
