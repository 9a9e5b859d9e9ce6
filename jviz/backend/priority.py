"""Threads and processes that step aside: where there are fewer processors than work, the window comes first."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from pathlib import Path

__all__ = ["step_aside", "step_back"]

NICE = 10
"""Steps of priority that a thread gives up; beside a busy one it gets a tenth of a processor, alone all of it.

A worker process gives up as many: a thread may hold Python's lock, and while it waits for a processor, so does the
window.
"""

SHARE = 5
"""Steps that the session of a worker process gives up among the sessions of the machine, which are not only ours."""

BELOW_NORMAL, BELOW_NORMAL_CLASS = -1, 0x4000

SHARES = Path("/proc/self/autogroup")
"""Where Linux is told what share a session has; priorities count only among the processes of one."""


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


def step_back() -> None:
    """Have this process, and what it starts, run after the windows of this and of other programs."""
    with contextlib.suppress(OSError, AttributeError):
        if sys.platform == "win32":
            import ctypes

            kernel = ctypes.windll.kernel32
            kernel.SetPriorityClass(kernel.GetCurrentProcess(), BELOW_NORMAL_CLASS)
        else:
            os.setpriority(os.PRIO_PROCESS, 0, NICE)
    with contextlib.suppress(OSError):
        SHARES.write_text(str(SHARE))
