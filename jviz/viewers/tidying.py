"""Collects garbage in the window's own thread only, in small portions.

Python's collector runs in whatever thread makes objects. Met there, a widget in a cycle of references is deleted by a
thread that Qt does not allow to, and the program ends. So while a window is open it runs by a timer instead.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import QCoreApplication, QTimer

from jviz.viewers.turns import in_turn

__all__ = ["Tidying", "tidying"]

PAUSE_MS = 150
"""Milliseconds between two looks at how much there may be to collect."""

WHOLE_SECONDS = 20.0
"""Least time between two collections of everything."""

IMPORTED = 25
"""Modules that came since the last look, from which what is there is taken to stay."""


class Tidying:
    """The one collector of a program; it works while somebody keeps it."""

    def __init__(self) -> None:
        self._kept, self._undisturbed, self._was_enabled = 0, 0, True
        self._timer: QTimer | None = None
        self._whole, self._modules = time.monotonic(), 0

    def keep(self) -> None:
        """Take over from Python's collector until `release`."""
        self._kept += 1
        if self._kept > 1:
            return
        self._was_enabled, self._modules = gc.isenabled(), len(sys.modules)
        gc.disable()
        self._timer = QTimer(QCoreApplication.instance(), interval=PAUSE_MS)
        self._timer.timeout.connect(lambda: in_turn(self.tidy))
        self._timer.start()

    def release(self) -> None:
        """Give back to Python's collector when nobody keeps this one any more."""
        self._kept -= 1
        if self._kept or self._timer is None:
            return
        self._timer.stop()
        self._timer.deleteLater()
        self._timer = None
        if self._was_enabled:
            gc.enable()

    @contextmanager
    def undisturbed(self) -> Iterator[None]:
        """Collect nothing meanwhile: of what large imports make nearly all stays, and it takes long to look through."""
        self._undisturbed += 1
        collects = gc.isenabled()
        gc.disable()
        try:
            yield
        finally:
            self._undisturbed -= 1
            if collects and not self._kept:
                gc.enable()

    def tidy(self) -> None:
        """Collect the generations that have grown beyond Python's own thresholds, the youngest first."""
        counts, limits = gc.get_count(), gc.get_threshold()
        if self._undisturbed or counts[0] <= limits[0]:
            return
        if self._kept and len(sys.modules) - self._modules >= IMPORTED:
            self._spare_imports()
            return
        generation = 1 if counts[1] > limits[1] > 0 else 0
        if counts[2] > max(limits[2], 1) and time.monotonic() - self._whole > WHOLE_SECONDS:
            generation, self._whole = 2, time.monotonic()
        gc.collect(generation)

    def _spare_imports(self) -> None:
        """Look no more through what is there: nearly all of it stays, and each look would stop the window for 0.1 s."""
        self._modules = len(sys.modules)
        gc.collect(0)
        gc.freeze()


_tidying = Tidying()


def tidying() -> Tidying:
    """Return the one of this program."""
    return _tidying
