"""Many spectra on the screen: drawn by a kernel into one picture, since Qt takes a millisecond for each."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QImage, QPainter

from jviz.backend.spectra import strokes
from jviz.viewers.plot.axes import Axis
from jviz.viewers.spectrum.scene import SpectrumScene

__all__ = ["draw_crowd", "is_crowd"]

CROWD = 24
"""Spectra from which on they are drawn together, without bands of errors."""
FAINT = 0.35


def is_crowd(scene: SpectrumScene) -> bool:
    """Whether so many spectra are shown that they are drawn together."""
    many = scene.on_screen and len(scene.shown) >= CROWD
    return many and not (scene.x.log or scene.y.log) and all(layer.drawing != "points" for layer, _ in scene.shown)


def draw_crowd(painter: QPainter, scene: SpectrumScene, ratio: float) -> None:
    """Draw all spectra of a scene, the one that is pointed at on top."""
    box = scene.picture
    width, height = max(1, round(box.width() * ratio)), max(1, round(box.height() * ratio))
    picture = np.zeros((height, width), np.uint32)
    x, y = _map(scene.x, box.left(), ratio), _map(scene.y, box.top(), ratio)
    for layer, curve in sorted(scene.shown, key=lambda pair: pair[0] is scene.hovered):
        first, last = np.searchsorted(curve.x, (scene.x.low, scene.x.high))
        first, last = max(int(first) - 1, 0), min(int(last) + 1, len(curve.x))
        if last <= first:
            continue
        edges = curve.edges[first : last + 1]
        if curve.masked is not None:
            grey = _argb(scene.look.faint, layer, scene)
            strokes.draw_steps(picture, edges, np.ascontiguousarray(curve.masked.y[first:last]), x, y, grey)
        colour = _argb(layer.color or scene.colors[id(layer)], layer, scene)
        strokes.draw_steps(picture, edges, np.ascontiguousarray(curve.y[first:last]), x, y, colour)
    image = QImage(picture.data, width, height, 4 * width, QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(ratio)
    painter.drawImage(QPointF(box.left(), box.top()), image)


def _map(axis: Axis, zero: float, ratio: float) -> tuple[float, float]:
    """Return factor and zero point from values of a linear axis to pixels of the picture."""
    factor = (axis.end - axis.start) / (axis.high - axis.low) * ratio
    return factor, (axis.start - zero) * ratio - factor * axis.low


def _argb(name: str, layer: Any, scene: SpectrumScene) -> int:
    """Return a colour, premultiplied by its opacity."""
    away = scene.hovered is not None and scene.hovered is not layer
    alpha, colour = layer.opacity * (FAINT if away else 1.0), QColor(name)
    parts = (255 * alpha, colour.red() * alpha, colour.green() * alpha, colour.blue() * alpha)
    a, r, g, b = (round(part) for part in parts)
    return a << 24 | r << 16 | g << 8 | b
