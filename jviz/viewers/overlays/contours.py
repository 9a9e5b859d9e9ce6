"""Contours over images, each layer's in its colour."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPainter, QPen

from jviz.backend.contours import Contours
from jviz.contouring import contour_store
from jviz.viewers.image_overlays import Scene
from jviz.viewers.image_tools import Overlay, register_overlay
from jviz.viewers.plot.curves import polygon

__all__ = ["ContourOverlay"]

COLORS = ("#35e0a1", "#ffb02e", "#ff5d8f", "#5cc8ff", "#d9f85c")
FEW = 20_000
"""Points up to which lines are drawn smoothly."""


class ContourOverlay(Overlay):
    """The contours of all visible layers that have levels."""

    order = 30

    def signals(self, session: Any) -> Iterable[Any]:
        return (contour_store(session).arrived,)

    def paint(self, painter: QPainter, scene: Scene) -> None:
        if scene.session is None:
            return
        store = contour_store(scene.session)
        for number, layer in enumerate(scene.view.layers):
            if not layer.visible or not layer.contour_levels:
                continue
            reference = scene.view.layers[0].data
            found = store.of(layer, reference, scene.view.align, wait=not scene.fast)
            if found is not None and len(found):
                _draw(painter, scene, found, layer.contour_color or COLORS[number % len(COLORS)])


def _draw(painter: QPainter, scene: Scene, found: Contours, colour: str) -> None:
    """Draw the lines that touch the picture."""
    x, y = scene.geometry.to_screen(found.points[:, 0], found.points[:, 1])
    lines = _in_sight(x, y, found.starts, scene.geometry.width, scene.geometry.height)
    number = int(np.diff(found.starts)[lines].sum())
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, number <= FEW or not scene.fast)
    painter.setPen(QPen(QColor(colour), 1.0 if number > FEW else 1.3))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for n in lines.tolist():
        part = slice(found.starts[n], found.starts[n + 1])
        painter.drawPolyline(polygon(x[part], y[part]))
    painter.restore()


def _in_sight(x: np.ndarray, y: np.ndarray, starts: np.ndarray, width: float, height: float) -> np.ndarray:
    """Return the numbers of the lines whose box touches the picture and that have no missing point."""
    first = starts[:-1]
    least = np.minimum.reduceat(x, first), np.minimum.reduceat(y, first)
    most = np.maximum.reduceat(x, first), np.maximum.reduceat(y, first)
    return np.flatnonzero((least[0] <= width) & (most[0] >= 0) & (least[1] <= height) & (most[1] >= 0))


register_overlay(ContourOverlay())
