"""Threads that step aside: where there are fewer processors than threads, those of the window come first."""

from __future__ import annotations

import contextlib
import os
import sys
import threading

__all__ = ["step_aside"]

NICE = 10
"""Steps of priority that a thread gives up; beside a busy one it gets a tenth of a processor, alone all of it."""

BELOW_NORMAL = -1


def step_aside() -> None:
    """Have the thread that calls this run after others; threads that it starts do so, too.

    The system changes what runs on a processor only every few milliseconds. Two threads that calculate on two
    processors make a frame wait for that long, several times over, unless they are known to matter less.
    """
    # Only ever a wish: a system that refuses it runs the thread as before.
    with contextlib.suppress(OSError, AttributeError):
        if sys.platform == "linux":
            # Linux alone has a priority for each thread; elsewhere this would be one of the whole process.
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
        elif sys.platform == "win32":
            import ctypes

            kernel = ctypes.windll.kernel32
            kernel.SetThreadPriority(kernel.GetCurrentThread(), BELOW_NORMAL)
