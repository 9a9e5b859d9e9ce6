"""Lines and letters that can be read on any picture: bright with a dark rim, or dark with a bright one."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPen

from jviz.viewers.strokes import draw_segments

__all__ = ["Ink", "ground_of", "ink_on"]


@dataclass(frozen=True)
class Ink:
    """A colour and the colour of the rim round it."""

    colour: str
    rim: str

    def stroke(self, painter: QPainter, path: QPainterPath, width: float = 1.6) -> None:
        """Draw a line with its rim."""
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for colour, alpha, extra in ((self.rim, 0.55, 2.2), (self.colour, 1.0, 0.0)):
            shade = QColor(colour)
            shade.setAlphaF(alpha)
            pen = QPen(shade, width + extra)
            pen.setCapStyle(Qt.PenCapStyle.RoundCap)
            pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
            painter.setPen(pen)
            painter.drawPath(path)

    def lines(self, painter: QPainter, segments: np.ndarray, width: float = 1.2) -> None:
        """Draw many lines with their rim, shape (n, 4): from x and y to x and y.

        Qt needs a second for a wide stroke round hundreds of shapes; lines of one pixel, side by side, take a
        hundredth of that.
        """
        pixel = 1 / painter.device().devicePixelRatioF()
        half = (max(round(width / pixel), 1) - 1) / 2
        shifts = np.arange(-half, half + 0.5) * pixel
        beside = np.outer((-1, 1), half * pixel + np.arange(pixel, 1.01, pixel)).ravel()
        for colour, alpha, away in ((self.rim, 0.4, beside), (self.colour, 1.0, shifts)):
            shade = QColor(colour)
            shade.setAlphaF(alpha)
            pen = QPen(shade, 1.0)
            pen.setCosmetic(True)
            painter.setPen(pen)
            for shift in away.tolist():
                draw_segments(painter, segments + np.array([shift, 0, shift, 0]))
                if shift:
                    draw_segments(painter, segments + np.array([0, shift, 0, shift]))

    def write(
        self, painter: QPainter, at: QPointF, text: str, font: QFont, *, across: float = 0.0, down: float = 0.0
    ) -> None:
        """Write a text with its rim.

        Parameters
        ----------
        across, down : float
            Which part of the text stands at the point: 0 its left or top, 0.5 its middle, 1 its right or bottom.
        """
        metrics = QFontMetricsF(font)
        left = at.x() - across * metrics.horizontalAdvance(text)
        base = at.y() - down * (metrics.ascent() + metrics.descent()) + metrics.ascent()
        path = QPainterPath()
        path.addText(QPointF(left, base), font, text)
        shade = QColor(self.rim)
        shade.setAlphaF(0.6)
        pen = QPen(shade, 3.0)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.strokePath(path, pen)
        painter.fillPath(path, QBrush(QColor(self.colour)))


MIDDLE = 125
BRIGHT, DARK = Ink("#ffffff", "#000000"), Ink("#101216", "#ffffff")


def ink_on(pixels: np.ndarray | None, ratio: float, area: QRectF) -> Ink:
    """Choose the ink for a part of a picture by how bright it is there.

    Parameters
    ----------
    pixels : ndarray of uint32, shape (height, width), or None
        0xAARRGGBB.
    ratio : float
        Pixels per unit of ``area``.
    """
    brightness = _brightness(pixels, ratio, area)
    return DARK if brightness.size and brightness.mean() > MIDDLE else BRIGHT


def ground_of(pixels: np.ndarray | None, ratio: float, area: QRectF) -> tuple[Ink, bool]:
    """Choose the ink for a part of a picture, and say whether that is bright here and dark there.

    Such a part, as at the edge of an image on a light background, needs a plate below what is written.
    """
    brightness = _brightness(pixels, ratio, area)
    if not brightness.size:
        return BRIGHT, False
    mixed = 0.08 < float((brightness > MIDDLE).mean()) < 0.92
    return (DARK if not mixed and brightness.mean() > MIDDLE else BRIGHT), mixed


MOST_LOOKED_AT = 450
"""Pixels of which the brightness is worked out; with more, numpy lets go of Python's lock at each step of it."""


def _brightness(pixels: np.ndarray | None, ratio: float, area: QRectF) -> np.ndarray:
    """Return the luma, 0 to 255, of pixels spread over a part of a picture."""
    if pixels is None:
        return np.empty(0)
    left, top, right, bottom = (
        max(0, int(edge * ratio)) for edge in (area.left(), area.top(), area.right(), area.bottom())
    )
    part = pixels[top : bottom + 1, left : right + 1]
    step = max(4, math.ceil(math.sqrt(part.size / MOST_LOOKED_AT)))
    part = part[::step, ::step]
    red, green, blue = ((part >> np.uint32(shift)) & np.uint32(255) for shift in (16, 8, 0))
    return 0.3 * red + 0.59 * green + 0.11 * blue
