"""How long the window's event loop was blocked: a timer that ought to fire every few milliseconds."""

from __future__ import annotations

import time
from contextlib import suppress

from PySide6.QtCore import QObject, Qt, QTimer

INTERVAL = 2


class LoopMonitor(QObject):
    """Watches the event loop of the thread that makes it.

    Between two ticks the loop did other things; the time beyond the interval is time in which no mouse
    move could have been answered.
    """

    def __init__(self) -> None:
        super().__init__()
        self.gaps: list[float] = []
        self.busy: list[float] = []
        self.held: list[float] = []
        self._last, self._worked, self._waited = 0.0, 0.0, 0.0
        self._timer = QTimer(self, interval=INTERVAL)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)

    def start(self) -> None:
        """Begin to watch; earlier gaps are forgotten."""
        self.gaps.clear()
        self.busy.clear()
        self.held.clear()
        self._last, self._worked, self._waited = time.perf_counter(), time.thread_time(), waited_for_a_processor()
        self._timer.start()

    def stop(self) -> None:
        """End, counting the time since the last tick too."""
        self._timer.stop()
        self._tick()

    @property
    def longest(self) -> float:
        """Longest block in milliseconds."""
        return max(self.gaps, default=0.0)

    @property
    def busiest(self) -> float:
        """Most processor time that the window's own thread took between two ticks, in milliseconds.

        What a block is beyond that, others took: on a machine with other work that is most of it.
        """
        return max(self.busy, default=0.0)

    @property
    def longest_held(self) -> float:
        """Longest block in milliseconds, less the time in which other programs had the processors meanwhile.

        What is left is work of the thread, and waiting for Python's lock, for files and for other threads.
        """
        return max(self.held, default=0.0)

    def above(self, milliseconds: float) -> int:
        """How many blocks were longer."""
        return sum(gap > milliseconds for gap in self.gaps)

    def _tick(self) -> None:
        now, worked = time.perf_counter(), time.thread_time()
        self.busy.append((worked - self._worked) * 1000)
        self._worked = worked
        waited = waited_for_a_processor()
        gap = max(0.0, (now - self._last) * 1000 - INTERVAL)
        self.gaps.append(gap)
        self.held.append(max(0.0, gap - (waited - self._waited)))
        self._last, self._waited = now, waited


def waited_for_a_processor() -> float:
    """Return for how many milliseconds this thread was ready to go on and had to wait its turn; 0 where none tells."""
    with suppress(OSError, ValueError, IndexError), open("/proc/thread-self/schedstat") as file:
        return int(file.read().split()[1]) / 1e6
    return 0.0
