"""How long the window's event loop was blocked: a timer that ought to fire every few milliseconds."""

from __future__ import annotations

import time

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
        self._last, self._worked = 0.0, 0.0
        self._timer = QTimer(self, interval=INTERVAL)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)

    def start(self) -> None:
        """Begin to watch; earlier gaps are forgotten."""
        self.gaps.clear()
        self.busy.clear()
        self._last, self._worked = time.perf_counter(), time.thread_time()
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

    def above(self, milliseconds: float) -> int:
        """How many blocks were longer."""
        return sum(gap > milliseconds for gap in self.gaps)

    def _tick(self) -> None:
        now, worked = time.perf_counter(), time.thread_time()
        self.busy.append((worked - self._worked) * 1000)
        self._worked = worked
        self.gaps.append(max(0.0, (now - self._last) * 1000 - INTERVAL))
        self._last = now
