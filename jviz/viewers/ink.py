"""Lines and letters that can be read on any picture: bright with a dark rim, or dark with a bright one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPen

__all__ = ["Ink", "ink_on", "is_mixed"]


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


def is_mixed(pixels: np.ndarray | None, ratio: float, area: QRectF) -> bool:
    """Whether a part of a picture is bright here and dark there, as at its edge on a light background."""
    brightness = _brightness(pixels, ratio, area)
    return bool(brightness.size) and 0.08 < (brightness > MIDDLE).mean() < 0.92


def _brightness(pixels: np.ndarray | None, ratio: float, area: QRectF) -> np.ndarray:
    """Return the luma, 0 to 255, of every fourth pixel of a part of a picture."""
    if pixels is None:
        return np.empty(0)
    left, top, right, bottom = (
        max(0, int(edge * ratio)) for edge in (area.left(), area.top(), area.right(), area.bottom())
    )
    part = pixels[top : bottom + 1 : 4, left : right + 1 : 4]
    red, green, blue = ((part >> np.uint32(shift)) & np.uint32(255) for shift in (16, 8, 0))
    return 0.3 * red + 0.59 * green + 0.11 * blue
