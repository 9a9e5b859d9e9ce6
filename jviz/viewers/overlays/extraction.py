"""The windows of an extraction over a 2-D spectrum, while its panel is seen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPen, QPolygonF

from jviz.extraction import Extraction, extraction_shown
from jviz.viewers.image_mouse import Gesture
from jviz.viewers.image_overlays import Scene
from jviz.viewers.image_tools import Overlay, register_overlay
from jviz.viewers.ink import Ink
from jviz.viewers.plot.curves import polygon

if TYPE_CHECKING:
    from jviz.viewers.image import ImageViewer

__all__ = ["ExtractionOverlay"]

REACH = 5.0
"""Screen pixels within which an edge is taken hold of."""

TRACE, BACKGROUND = "#7ee787", "#ffb86b"
MOST = 512
"""Points of a line; a trace is smooth."""


class ExtractionOverlay(Overlay):
    """The trace with the edges of its window, and the bands of the background."""

    order = 35

    def signals(self, session: Any) -> Iterable[Any]:
        return (extraction_shown(session).changed,)

    def gesture(self, viewer: ImageViewer, event: QMouseEvent) -> Gesture | None:
        found = edge_at(viewer, event.position())
        return EdgeDrag(viewer, event, *found) if found is not None else None

    def cursor(self, viewer: ImageViewer, position: QPointF) -> Qt.CursorShape | None:
        found = edge_at(viewer, position)
        if found is None:
            return None
        return Qt.CursorShape.SplitHCursor if found[0].turned else Qt.CursorShape.SplitVCursor

    def paint(self, painter: QPainter, scene: Scene) -> None:
        if scene.session is None or not scene.view.layers:
            return
        shown = extraction_shown(scene.session).current
        if shown is None or shown.data is not scene.view.layers[0].data:
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        for low, high in shown.windows:
            _band(painter, scene, shown, low, high)
        low, high = shown.bands["light"]
        for offset, style in (
            (low, Qt.PenStyle.SolidLine),
            (high, Qt.PenStyle.SolidLine),
            (0.0, Qt.PenStyle.DashLine),
        ):
            line = _line(scene, shown, offset)
            for colour, width in (("#000000", 3.0), (TRACE, 1.4)):
                pen = QPen(QColor(colour), width, style)
                painter.setPen(pen)
                painter.drawPolyline(line)
        _name(painter, scene, shown)
        painter.restore()


def offset_of(shown: Extraction, x: float, y: float) -> float:
    """Return how far from the trace a place on the image is, across the dispersion."""
    along, across = (y, x) if shown.turned else (x, y)
    centre = np.interp(along, np.arange(len(shown.centre)), shown.centre)
    return float(across - centre)


def edge_at(viewer: ImageViewer, position: QPointF) -> tuple[Extraction, str, int] | None:
    """Return the extraction, and the band and the number of the edge that is under the mouse."""
    shown = extraction_shown(viewer.session).current
    layers = viewer.state.layers
    if shown is None or not layers or shown.data is not layers[0].data:
        return None
    geometry, at = viewer.geometry_now(), viewer.frame_now().inside(position)
    offset = offset_of(shown, *map(float, geometry.to_data(at.x(), at.y())))
    edges = {(band, end): edge for band, pair in shown.bands.items() for end, edge in enumerate(pair)}
    found = min(edges, key=lambda one: abs(edges[one] - offset))
    across = geometry.scales[0 if shown.turned else 1]
    return (shown, *found) if abs(edges[found] - offset) * across <= REACH else None


class EdgeDrag(Gesture):
    """Moves an edge of the light or of a window of the background; with Shift that one alone, whatever the other side.

    Without, the panel says whether the edge on the other side of the trace goes with it.
    """

    def __init__(self, viewer: ImageViewer, event: QMouseEvent, shown: Extraction, band: str, end: int) -> None:
        super().__init__(viewer, event.position())
        self.shown, self.moved_band, self.end = shown, band, end
        self.alone = _shift(event.modifiers())
        self.cursor = Qt.CursorShape.SplitHCursor if shown.turned else Qt.CursorShape.SplitVCursor

    def drag(self, position: QPointF) -> None:
        at = self.viewer.frame_now().inside(position)
        offset = round(offset_of(self.shown, *map(float, self.geometry.to_data(at.x(), at.y()))), 1)
        alone = self.alone or _shift(self.modifiers)
        extraction_shown(self.viewer.session).dragged.emit(self.moved_band, self.end, offset, alone)


def _shift(held: Qt.KeyboardModifier) -> bool:
    return bool(held & Qt.KeyboardModifier.ShiftModifier)


def _line(scene: Scene, shown: Extraction, offset: float) -> QPolygonF:
    x, y = shown.line(offset)
    step = max(1, len(x) // MOST)
    u, v = scene.geometry.to_screen(np.append(x[::step], x[-1:]), np.append(y[::step], y[-1:]))
    return polygon(np.clip(u, -1e5, 1e5), np.clip(v, -1e5, 1e5))


def _band(painter: QPainter, scene: Scene, shown: Extraction, low: float, high: float) -> None:
    """Fill a window of the background, with its edges."""
    edges = _line(scene, shown, low), _line(scene, shown, high)
    around = QPolygonF(list(edges[0]) + list(reversed(list(edges[1]))))
    fill = QColor(BACKGROUND)
    fill.setAlpha(46)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(fill)
    painter.drawPolygon(around)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(BACKGROUND), 1.0, Qt.PenStyle.DashLine))
    for edge in edges:
        painter.drawPolyline(edge)


def _name(painter: QPainter, scene: Scene, shown: Extraction) -> None:
    """Say what the bands are, where there is room."""
    font, room = scene.look.font(0.82), scene.look.metrics(0.82).height()
    for low, high in shown.windows:
        if (high - low) * scene.geometry.scales[0 if shown.turned else 1] < room:
            continue
        line = _line(scene, shown, (low + high) / 2)
        inside = [p for p in line if 12 < p.x() < scene.geometry.width - 90 and 8 < p.y() < scene.geometry.height - 8]
        if inside:
            Ink(BACKGROUND, "#000000").write(painter, inside[0], "background", font, down=0.5)


register_overlay(ExtractionOverlay())
