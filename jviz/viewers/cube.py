"""The cube viewer: an image viewer with a bar of slices below the picture."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from weakref import WeakSet

import numpy as np
from PySide6.QtCore import QPointF, Qt, QTimer
from PySide6.QtGui import QKeyEvent, QMouseEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from jviz.cube_copies import make_copy
from jviz.cube_views import CubeView
from jviz.errors import JvizError
from jviz.session import Session
from jviz.viewers.base import viewer
from jviz.viewers.image import ImageViewer
from jviz.viewers.slice_bar import SliceBar

__all__ = ["CubeViewer"]

AT_ONCE = 1 << 20
"""Bytes of a slice up to which it is read without a job: it takes a millisecond."""

PAGE = 10
"""Slices of a step with Page up and Page down."""


@viewer(kind="cube", title="Cube", view=CubeView)
class CubeViewer(ImageViewer):
    """Draws slices of a cube, and lets them be gone through by mouse, keys and playing.

    Attributes
    ----------
    bar : SliceBar
        Below the picture.
    """

    def __init__(self, session: Session, state: CubeView, parent: QWidget | None = None) -> None:
        self.bar: SliceBar | None = None
        self._direction = 1
        self._space_moved = False
        self._asked: WeakSet[Any] = WeakSet()
        super().__init__(session, state, parent)
        self._ticks = QTimer(self)
        self._ticks.setTimerType(Qt.TimerType.PreciseTimer)
        self._ticks.timeout.connect(self._tick)
        self.bar = SliceBar(self)
        self._place_bar()

    # --- picture ----------------------------------------------------------------------------------

    @property
    def _has_bar(self) -> bool:
        return self.bar is not None and self.state.slice_bar and self.state.leading is not None

    def canvas_height(self) -> int:
        """Height of the picture and its axes, above the bar."""
        if not self._has_bar:
            return self.height()
        return max(40, self.height() - self.bar.sizeHint().height())

    def _place_bar(self) -> None:
        if self.bar is None:
            return
        self.bar.setVisible(self._has_bar)
        top = self.canvas_height()
        self.bar.setGeometry(0, top, self.width(), self.height() - top)

    def refresh(self) -> None:
        """Bring bar and picture in line with the state."""
        self._place_bar()
        if self._has_bar:
            self.bar.refresh()
        self._ask_for_axes()
        self._read_small_slices()
        super().refresh()
        self._keep_time()

    def _ask_for_axes(self) -> None:
        """Find the spectral axes of cubes in a job: their WCS takes a while, and the bar shows channels until then."""
        for layer in self.state.layers:
            cube = layer.cube
            if cube is None or cube.axis_ready or cube in self._asked:
                continue
            self._asked.add(cube)

            def work(job: Any, cube: Any = cube) -> None:
                _ = cube.axis
                self.stir()

            self.session.jobs.submit(f"Spectral axis of {cube.name}", work, quiet=True)

    def _read_small_slices(self) -> None:
        """Read slices that are quick to read right now: a job and its answer would take longer."""
        for layer in self.state.wanted:
            try:
                if not layer.is_made and _is_quick(layer):
                    raster = layer.raster()
                    if raster.block(raster.bounds, 1.0) is None:
                        raster.first()
            except (JvizError, OSError, IndexError):
                continue  # the job that is asked for next tells what is wrong

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the bar the width of the viewer."""
        self._place_bar()
        super().resizeEvent(event)

    def _come_to_rest(self) -> None:
        super()._come_to_rest()
        if self.has_painted and not self.state.playing:
            for layer in self.state.layers:
                if layer.cube is not None and layer.cube.axis_ready and layer.cube in self.session:
                    make_copy(self.session, layer.cube)

    # --- going through the slices -----------------------------------------------------------------

    def step(self, by: int) -> None:
        """Go some slices on; after the last comes the first."""
        from jviz.actions.cube_view import step_slices

        if self.state.leading is not None:
            step_slices(self.state, by)

    def seal(self) -> None:
        """End a row of changes: one step of the history."""
        self._seal()

    def _keep_time(self) -> None:
        wanted = bool(self.state.playing) and self.state.leading is not None
        interval = max(1, round(1000 / self.state.rate))
        if wanted and (not self._ticks.isActive() or self._ticks.interval() != interval):
            self._ticks.start(interval)
        elif not wanted and self._ticks.isActive():
            self._ticks.stop()
            self._seal()

    def _tick(self) -> None:
        """Show the next slice, unless the last one is still being read."""
        layer = self.state.leading
        if layer is None or not self.state.playing:
            self._keep_time()
            return
        if self.loader.busy and not self._shows_now(layer):
            return
        number, last = int(layer.slice), layer.count - 1
        following = number + self._direction * self.state.playing
        if not 0 <= following <= last:
            following = self._turn(last)
        if following is None:
            self.state.playing = 0
        else:
            layer.slice = following

    def _turn(self, last: int) -> int | None:
        """Return where it goes on at an end."""
        if self.state.loop == "once":
            self._direction = 1
            return None
        if self.state.loop == "bounce":
            self._direction = -self._direction
            return min(max(int(self.state.leading.slice) + self._direction, 0), last)
        return 0 if self._direction > 0 else last

    def _shows_now(self, layer: Any) -> bool:
        raster = layer.raster()
        return raster.block(raster.bounds, 1.0) is not None

    # --- mouse and keys ---------------------------------------------------------------------------

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Step through the slices with Ctrl or Alt, else zoom."""
        keys = event.modifiers() & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier)
        delta = event.angleDelta().y() or event.angleDelta().x()
        if keys and delta and self.state.leading is not None:
            self.step(1 if delta > 0 else -1)
            event.accept()
            return
        super().wheelEvent(event)

    def key_of_slices(self, event: QKeyEvent) -> Callable[[], Any] | None:
        """Return what a key does with the slices, None for other keys."""
        if self.state.leading is None or event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            return None
        key = Qt.Key(event.key())
        steps = {
            Qt.Key.Key_Period: 1, Qt.Key.Key_BracketRight: 1, Qt.Key.Key_Comma: -1, Qt.Key.Key_BracketLeft: -1,
            Qt.Key.Key_PageUp: PAGE, Qt.Key.Key_PageDown: -PAGE,
        }  # fmt: skip
        return partial(self.step, steps[key]) if key in steps else None

    def hold_space(self, down: bool) -> None:
        """Let Space pan while it is down, and play when it was only tapped."""
        if down and not self.is_space_down:
            self._space_moved = False
        tapped = self.is_space_down and not down and not self._space_moved and self.hasFocus()
        super().hold_space(down)
        if tapped and self.state.leading is not None:
            self.run_command("cube.play")

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take note that Space serves to pan."""
        self._space_moved = True
        super().mousePressEvent(event)

    def release(self) -> None:
        """Stop playing."""
        self._ticks.stop()
        super().release()

    def _inside(self) -> QPointF | None:
        at = self._cursor
        if at is not None and at.y() > self.canvas_height():
            return None
        return super()._inside()


def _is_quick(layer: Any) -> bool:
    """Whether the slice that a layer shows is small, and lies in one piece in a file that need not be decompressed."""
    if getattr(layer, "cube", None) is None:
        return False
    plane = layer.picture.plane(layer.plane)
    if len(plane.shape) != 3 or not (plane.immediate or plane.loaded):
        return False
    part: np.ndarray = plane.raw()[layer.picture_index]
    return part.nbytes <= AT_ONCE and part.flags.c_contiguous
