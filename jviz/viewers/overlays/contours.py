"""Contours over images, each layer's in its colour."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from jviz.backend.contours import Contours
from jviz.backend.render.ticks import digits_apart, in_digits
from jviz.contouring import contour_color, contour_store
from jviz.viewers.image_overlays import Scene
from jviz.viewers.image_tools import Overlay, register_overlay
from jviz.viewers.ink import Ink
from jviz.viewers.plot.curves import polygon

__all__ = ["ContourOverlay"]

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
        for layer in scene.view.layers:
            if not layer.visible or not layer.contour_levels:
                continue
            reference = scene.view.layers[0].data
            found = store.of(layer, reference, scene.view.align, wait=not scene.fast)
            if found is not None and len(found):
                _draw(painter, scene, found, layer)


def _draw(painter: QPainter, scene: Scene, found: Contours, layer: Any) -> None:
    """Draw the lines that touch the picture, and say their levels."""
    colour = contour_color(scene.view, layer)
    x, y = scene.geometry.to_screen(found.points[:, 0], found.points[:, 1])
    lines = _in_sight(x, y, found.starts, scene.geometry.width, scene.geometry.height)
    number = int(np.diff(found.starts)[lines].sum())
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, number <= FEW or not scene.fast)
    # Qt draws lines of one pixel many times faster than wider ones.
    painter.setPen(QPen(QColor(colour), 1.0 if number > FEW and scene.fast else layer.contour_width))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for n in lines.tolist():
        part = slice(found.starts[n], found.starts[n + 1])
        painter.drawPolyline(polygon(x[part], y[part]))
    if layer.contour_labels:
        _write_levels(painter, scene, found, lines, np.column_stack([x, y]), colour)
    painter.restore()


def _write_levels(
    painter: QPainter, scene: Scene, found: Contours, lines: np.ndarray, points: np.ndarray, colour: str
) -> None:
    """Write each level once, on its longest line in sight, where no other level is written."""
    width, height = scene.geometry.width, scene.geometry.height
    font, metrics, ink, taken = scene.look.font(0.82), scene.look.metrics(0.82), Ink(colour, "#000000"), []
    lengths = np.diff(found.starts)[lines]
    longest = {float(found.levels[n]): n for n in lines[np.argsort(lengths)].tolist()}
    digits = digits_apart(min(longest), max(longest), least=4, parts=100) if longest else 4
    for level, n in longest.items():
        own = points[found.starts[n] : found.starts[n + 1]]
        text = in_digits(level, digits)
        size = QRectF(0, 0, metrics.horizontalAdvance(text) + 6, metrics.height())
        for x, y in own[:: max(1, len(own) // 24)].tolist():
            size.moveCenter(QPointF(x, y))
            inside = size.left() > 0 and size.top() > 0 and size.right() < width and size.bottom() < height
            if inside and not any(size.intersects(other) for other in taken):
                taken.append(QRectF(size))
                ink.write(painter, QPointF(x, y), text, font, across=0.5, down=0.5)
                break


def _in_sight(x: np.ndarray, y: np.ndarray, starts: np.ndarray, width: float, height: float) -> np.ndarray:
    """Return the numbers of the lines whose box touches the picture and that have no missing point."""
    first = starts[:-1]
    least = np.minimum.reduceat(x, first), np.minimum.reduceat(y, first)
    most = np.maximum.reduceat(x, first), np.maximum.reduceat(y, first)
    return np.flatnonzero((least[0] <= width) & (most[0] >= 0) & (least[1] <= height) & (most[1] >= 0))


register_overlay(ContourOverlay())
