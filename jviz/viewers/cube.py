"""The cube viewer: an image viewer with a bar of slices below the picture."""

from __future__ import annotations

from typing import Any
from weakref import WeakSet

import numpy as np
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QWidget

from jviz.beams import beams_of
from jviz.cube_copies import make_copy
from jviz.cube_planes import make_statistics
from jviz.cube_views import CubeView
from jviz.errors import JvizError
from jviz.session import Session
from jviz.viewers.base import viewer
from jviz.viewers.slice_bar import SliceBar
from jviz.viewers.stepped import SteppedViewer

__all__ = ["CubeViewer"]

AT_ONCE = 1 << 20
"""Bytes of a slice up to which it is read without a job: it takes a millisecond."""


@viewer(kind="cube", title="Cube", view=CubeView)
class CubeViewer(SteppedViewer):
    """Draws slices of a cube, and lets them be gone through by mouse, keys and playing."""

    play_command = "cube.play"

    def __init__(self, session: Session, state: CubeView, parent: QWidget | None = None) -> None:
        self._direction = 1
        self._asked: WeakSet[Any] = WeakSet()
        super().__init__(session, state, parent)
        session.cube_spectra.see(state, seen=False)  # until it is shown: it may be made behind another tab

    def make_bar(self) -> QWidget:
        """Return the bar of slices."""
        return SliceBar(self)

    def showEvent(self, event: QShowEvent) -> None:
        """Live spectra are of cubes that are seen."""
        super().showEvent(event)
        self.session.cube_spectra.see(self.state, seen=True)

    def hideEvent(self, event: QHideEvent) -> None:
        """Live spectra are of cubes that are seen."""
        super().hideEvent(event)
        if not event.spontaneous():  # else the window is only minimized
            self.session.cube_spectra.see(self.state, seen=False)

    # --- picture ----------------------------------------------------------------------------------

    @property
    def has_steps(self) -> bool:
        """Whether a cube is shown."""
        return self.state.leading is not None

    @property
    def has_bar(self) -> bool:
        """Whether the bar is to be seen."""
        return self.state.slice_bar and self.has_steps

    def before_picture(self) -> None:
        """Find the spectral axes, and read slices that are quick to read."""
        self._ask_for_axes()
        self._read_small_slices()

    def _ask_for_axes(self) -> None:
        """Find the spectral axes of cubes in a job: their WCS takes a while, and the bar shows channels until then."""
        for layer in self.state.layers:
            cube = layer.cube
            if cube is None or cube.axis_ready or cube in self._asked:
                continue
            self._asked.add(cube)

            def work(job: Any, cube: Any = cube) -> None:
                _ = cube.axis, beams_of(cube)
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

    def _come_to_rest(self) -> None:
        super()._come_to_rest()
        if self.has_painted and not self.state.playing:
            for layer in self.state.layers:
                cube = layer.cube
                # One after the other: both read the whole file, and the first takes a second.
                if (
                    cube is not None
                    and cube.axis_ready
                    and cube in self.session
                    and make_statistics(self.session, cube, self.stir)
                ):
                    make_copy(self.session, cube)

    # --- going through the slices -----------------------------------------------------------------

    def step(self, by: int) -> None:
        """Go some slices on; after the last comes the first."""
        from jviz.actions.cube_view import step_slices

        if self.state.leading is not None:
            step_slices(self.state, by)

    def play_on(self) -> None:
        """Show the next slice, unless the last one is still being read."""
        layer = self.state.leading
        if self.loader.busy and not self._shows_now(layer):
            return
        number, last = int(layer.slice), layer.count - 1
        if self.state.loop != "bounce":
            self._direction = 1
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


def _is_quick(layer: Any) -> bool:
    """Whether the slice that a layer shows is small, and lies in one piece in a file that need not be decompressed."""
    if getattr(layer, "cube", None) is None:
        return False
    plane = layer.picture.plane(layer.plane)
    if len(plane.shape) != 3 or not (plane.immediate or plane.loaded):
        return False
    part: np.ndarray = plane.raw()[layer.picture_index]
    return part.nbytes <= AT_ONCE and part.flags.c_contiguous
