"""Outlines of what a search found, over images; a click on one chooses its row."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QMouseEvent, QPainter

from jviz.found_rows import Outlined, found_rows
from jviz.viewers.image import ImageViewer
from jviz.viewers.image_mouse import Gesture, Pan
from jviz.viewers.image_overlays import Scene
from jviz.viewers.image_tools import Overlay, register_overlay
from jviz.viewers.ink import Ink
from jviz.viewers.strokes import segments_of

__all__ = ["FoundOverlay"]

FOUND, CHOSEN, UNDER = Ink("#58a6ff", "#000000"), Ink("#ffb000", "#000000"), Ink("#ffffff", "#000000")
REACH = 5.0
"""Pixels from an outline within which the mouse is on it: on the line, for its inside may be all of the picture."""


class FoundOverlay(Overlay):
    """The outlines of the rows that were found, while the panel of archives shows them."""

    order = 32

    def signals(self, session: Any) -> Iterable[Any]:
        return (found_rows(session).changed,)

    def paint(self, painter: QPainter, scene: Scene) -> None:
        if scene.session is None or not scene.view.layers or not scene.fast:
            return
        found = found_rows(scene.session)
        there = found.on(scene.view.layers[0].data)
        if there is None:
            return
        u, v = scene.geometry.to_screen(there.x, there.y)
        chosen = np.isin(there.rows, list(found.chosen))
        under = there.rows == found.under
        seen = _in_sight(there, u, v, scene.geometry)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        for ink, which, width in ((FOUND, seen & ~chosen & ~under, 1.0), (CHOSEN, seen & chosen & ~under, 2.0),
                                  (UNDER, seen & under, 2.0)):  # fmt: skip
            if which.any():
                ink.lines(painter, _lines(there, u, v, which), width)
        painter.restore()

    def gesture(self, viewer: ImageViewer, event: QMouseEvent) -> Gesture | None:
        row = _row_at(viewer, event.position())
        return PickOutline(viewer, event.position(), row) if row is not None else None

    def cursor(self, viewer: ImageViewer, position: QPointF) -> Qt.CursorShape | None:
        return Qt.CursorShape.PointingHandCursor if _row_at(viewer, position) is not None else None


class PickOutline(Pan):
    """A click on an outline chooses its row, with Ctrl besides others; a drag moves the picture."""

    def __init__(self, viewer: ImageViewer, start: QPointF, row: int) -> None:
        super().__init__(viewer, start)
        self.row = row

    def finish(self, position: QPointF) -> None:
        if self.moved:
            super().finish(position)
            return
        found_rows(self.viewer.session).picked.emit(
            self.row, bool(self.modifiers & Qt.KeyboardModifier.ControlModifier)
        )


def _in_sight(there: Outlined, u: np.ndarray, v: np.ndarray, geometry: Any) -> np.ndarray:
    """Return which polygons may cross the picture."""
    first = there.starts[:-1]
    low, high = np.minimum.reduceat, np.maximum.reduceat
    return ((low(u, first) < geometry.width) & (high(u, first) > 0)
            & (low(v, first) < geometry.height) & (high(v, first) > 0))  # fmt: skip


def _lines(there: Outlined, u: np.ndarray, v: np.ndarray, which: np.ndarray) -> np.ndarray:
    lengths = np.diff(there.starts)
    points = np.column_stack([u, v])[np.repeat(which, lengths)]
    return segments_of(points, np.concatenate([[0], np.cumsum(lengths[which])]))


def _row_at(viewer: ImageViewer, position: QPointF) -> int | None:
    """Return the row whose outline is under the mouse, the nearest one."""
    if viewer.session.interaction.tool != "pan" or not viewer.state.layers:
        return None
    there, frame = found_rows(viewer.session).on(viewer.state.layers[0].data), viewer.frame_now()
    if there is None or not frame.picture.contains(position):
        return None
    at = frame.inside(position)
    u, v = viewer.geometry_now().to_screen(there.x, there.y)
    away = _away(u, v, at.x(), at.y())
    away[there.starts[1:-1] - 1] = np.inf  # no line leads from one polygon to the next
    nearest = int(np.argmin(away))
    if away[nearest] > REACH:
        return None
    return int(there.rows[np.searchsorted(there.starts, nearest, side="right") - 1])


def _away(u: np.ndarray, v: np.ndarray, x: float, y: float) -> np.ndarray:
    """Return distances of a point from the lines between corners, shape (n - 1,)."""
    du, dv = np.diff(u), np.diff(v)
    along = np.clip(((x - u[:-1]) * du + (y - v[:-1]) * dv) / np.maximum(du**2 + dv**2, 1e-12), 0, 1)
    return np.hypot(u[:-1] + along * du - x, v[:-1] + along * dv - y)


register_overlay(FoundOverlay())
