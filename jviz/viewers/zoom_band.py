"""The rectangle that a drag draws to zoom to it, in all viewers alike."""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QPainter, QPen

from jviz.viewers.look import Look

__all__ = ["draw_band"]


def draw_band(painter: QPainter, band: QRectF, look: Look) -> None:
    """Draw the rectangle of a drag that zooms to it."""
    accent = QColor(look.accent)
    painter.setPen(QPen(accent, 1.5))
    accent.setAlphaF(0.15)
    painter.setBrush(accent)
    painter.drawRect(band)
