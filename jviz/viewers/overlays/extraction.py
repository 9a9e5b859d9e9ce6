"""The windows of an extraction over a 2-D spectrum, while its panel is seen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from jviz.extraction import Extraction, extraction_shown
from jviz.viewers.image_overlays import Scene
from jviz.viewers.image_tools import Overlay, register_overlay
from jviz.viewers.ink import Ink
from jviz.viewers.plot.curves import polygon

__all__ = ["ExtractionOverlay"]

TRACE, BACKGROUND = "#7ee787", "#ffb86b"
MOST = 512
"""Points of a line; a trace is smooth."""


class ExtractionOverlay(Overlay):
    """The trace with the edges of its window, and the bands of the background."""

    order = 35

    def signals(self, session: Any) -> Iterable[Any]:
        return (extraction_shown(session).changed,)

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
        half = shown.width / 2
        for offset, style in (
            (-half, Qt.PenStyle.SolidLine),
            (half, Qt.PenStyle.SolidLine),
            (0.0, Qt.PenStyle.DashLine),
        ):
            line = _line(scene, shown, offset)
            for colour, width in (("#000000", 3.0), (TRACE, 1.4)):
                pen = QPen(QColor(colour), width, style)
                painter.setPen(pen)
                painter.drawPolyline(line)
        _name(painter, scene, shown)
        painter.restore()


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
        if (high - low) * scene.geometry.scale < room:
            continue
        line = _line(scene, shown, (low + high) / 2)
        inside = [p for p in line if 12 < p.x() < scene.geometry.width - 90 and 8 < p.y() < scene.geometry.height - 8]
        if inside:
            Ink(BACKGROUND, "#000000").write(painter, inside[0], "background", font, down=0.5)


register_overlay(ExtractionOverlay())
