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
        self._last = 0.0
        self._timer = QTimer(self, interval=INTERVAL)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)

    def start(self) -> None:
        """Begin to watch; earlier gaps are forgotten."""
        self.gaps.clear()
        self._last = time.perf_counter()
        self._timer.start()

    def stop(self) -> None:
        """End, counting the time since the last tick too."""
        self._timer.stop()
        self._tick()

    @property
    def longest(self) -> float:
        """Longest block in milliseconds."""
        return max(self.gaps, default=0.0)

    def above(self, milliseconds: float) -> int:
        """How many blocks were longer."""
        return sum(gap > milliseconds for gap in self.gaps)

    def _tick(self) -> None:
        now = time.perf_counter()
        self.gaps.append(max(0.0, (now - self._last) * 1000 - INTERVAL))
        self._last = now
