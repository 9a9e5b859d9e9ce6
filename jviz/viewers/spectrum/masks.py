"""Where samples of spectra must not be used: a hatched ground, and a strip at the foot for each of few spectra."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QPainter

from jviz.viewers.spectrum.scene import SpectrumScene

__all__ = ["STRIP", "draw_masked"]

STRIP = 5.0
"""Height of the strip of a spectrum, in pixels."""
FEW = 6
"""Spectra up to which each has its strip."""


def draw_masked(painter: QPainter, scene: SpectrumScene) -> None:
    """Mark the masked samples in sight, also those without a value, of which the curve shows nothing."""
    if len(scene.shown) > FEW:
        return
    picture, foot = scene.picture, scene.picture.bottom()
    painter.setRenderHint(painter.RenderHint.Antialiasing, False)
    for layer, curve in reversed(scene.shown):
        boxes = _boxes(scene, curve.masked_spans)
        if not boxes:
            continue
        colour = QColor(layer.color or scene.colors.get(id(layer), scene.look.text))
        for left, right in boxes:
            if len(scene.shown) == 1:
                hatch = QColor(scene.look.faint)
                hatch.setAlphaF(0.45)
                painter.fillRect(
                    QRectF(left, picture.top(), right - left, picture.height()),
                    QBrush(hatch, Qt.BrushStyle.BDiagPattern),
                )
            painter.fillRect(QRectF(left, foot - STRIP, right - left, STRIP), colour)
        foot -= STRIP + 1


def _boxes(scene: SpectrumScene, spans: np.ndarray) -> list[tuple[float, float]]:
    """Return where spans lie in the picture, a pixel wide at least, those that touch as one."""
    low, high = sorted((scene.x.low, scene.x.high))
    spans = spans[(spans[:, 1] > low) & (spans[:, 0] < high)]
    if not len(spans):
        return []
    ends = np.sort(scene.x.place(spans), axis=1)
    ends = ends[np.argsort(ends[:, 0])]
    ends[:, 1] = np.maximum(ends[:, 1], ends[:, 0] + 1)
    first = np.concatenate([[True], ends[1:, 0] > np.maximum.accumulate(ends[:, 1])[:-1] + 0.5])
    starts = np.flatnonzero(first)
    last = np.maximum.reduceat(ends[:, 1], starts)
    return [(float(a), float(b)) for a, b in zip(ends[starts, 0], last, strict=True)]
