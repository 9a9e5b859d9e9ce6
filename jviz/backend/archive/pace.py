"""How fast bytes come, and how long the rest will take."""

from __future__ import annotations

import threading
import time
from collections import deque

__all__ = ["Pace"]

SPAN = 6.0
"""Seconds over which a speed is taken: long enough to be read, short enough to follow the network."""

STEP = 0.1
"""Seconds between two counts that are kept."""


class Pace:
    """The counts of the last seconds; may be asked from any thread."""

    def __init__(self) -> None:
        self._counts: deque[tuple[float, int]] = deque()
        self._lock = threading.Lock()

    def count(self, done: int, now: float | None = None) -> None:
        """Take note of how many bytes are here; fewer than before begin anew."""
        now = time.monotonic() if now is None else now
        with self._lock:
            if self._counts and done < self._counts[-1][1]:
                self._counts.clear()
            if len(self._counts) > 1 and now - self._counts[-2][0] < STEP:
                self._counts[-1] = now, done
            else:
                self._counts.append((now, done))
            while len(self._counts) > 2 and now - self._counts[1][0] > SPAN:
                self._counts.popleft()

    def speed(self, now: float | None = None) -> float:
        """Return bytes per second; 0 when nothing came for a while."""
        now = time.monotonic() if now is None else now
        with self._lock:
            if len(self._counts) < 2 or now - self._counts[-1][0] > SPAN:
                return 0.0
            (first, before), (_, done) = self._counts[0], self._counts[-1]
        return (done - before) / max(now - first, STEP)
