"""The line below a cube on which its slices are chosen: a ruler in spectral values, with a marker that is dragged."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPalette,
    QPen,
    QPixmap,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from jviz.backend.render.ticks import pixel_ticks
from jviz.spectral_display import Scale
from jviz.viewers.look import Look

__all__ = ["SliceTrack"]

MARGIN = 12.0
GROOVE = 4.0
CURVE = 26.0
"""Height of the curve above the groove."""


def curve_path(values: np.ndarray, left: float, right: float, top: float, bottom: float) -> QPainterPath:
    """Return a line through values that are spread evenly from left to right; where one is missing it is broken.

    Of many values for each pixel the least and the greatest are drawn. A thousandth of the values at either end may
    lie beyond top and bottom: channels at the edge of a cube often are noise.
    """
    path, good = QPainterPath(), np.isfinite(values)
    if good.sum() < 2:
        return path
    low, high = np.percentile(values[good], (0.1, 99.9))
    n, columns = len(values), max(2, int(right - left))
    places = np.linspace(left, right, n)
    if n > 2 * columns:
        bins = np.linspace(0, n, columns + 1).astype(int)[:-1]
        least = np.minimum.reduceat(np.where(good, values, np.inf), bins)
        most = np.maximum.reduceat(np.where(good, values, -np.inf), bins)
        values = np.where(np.isfinite(least), np.stack([least, most]), np.nan).T.ravel()
        places = np.repeat(places[bins], 2)
    y = bottom - np.clip((values - low) / ((high - low) or 1.0), 0, 1) * (bottom - top)
    begun = False
    for x, height in zip(places.tolist(), y.tolist(), strict=True):
        if height != height:
            begun = False
        elif begun:
            path.lineTo(x, height)
        else:
            path.moveTo(x, height)
            begun = True
    return path


KEYS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Down: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Up: 1}
"""Keys that step, and by how much."""


class SliceTrack(QWidget):
    """Shows where the slice lies in the cube; the mouse drags the marker, or the range of a slab.

    Attributes
    ----------
    moved : Signal
        With the number of the slice that the user dragged to.
    ranged : Signal
        With two channel numbers, the ends of the slab that the user drew (with Shift, or by an end of it).
    released : Signal
        The drag is over.
    """

    moved = Signal(int)
    ranged = Signal(float, float)
    released = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.count, self.current, self.width_shown = 1, 0, 1
        self.scale: Scale | None = None
        self.slab: tuple[float, float] | None = None
        self.curve: np.ndarray | None = None
        self._has_curve = False
        self._picture: tuple[Any, QPixmap] | None = None
        self._grip: Callable[[float], None] | None = None
        self._other_end = 0.0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAccessibleName("Slice")
        self.setToolTip("Drag to go through the slices; drag with Shift to show a slab")

    def sizeHint(self) -> QSize:
        """Return one line of numbers, the groove and the curve."""
        return QSize(200, round(2.6 * Look.of(self).pixels + 6 + self._rise))

    @property
    def _rise(self) -> float:
        return CURVE if self._has_curve else 0.0

    def minimumSizeHint(self) -> QSize:
        """Return the least size."""
        return QSize(60, self.sizeHint().height())

    def show_state(
        self, count: int, current: int, width: int, scale: Scale | None, slab: tuple[float, float] | None
    ) -> None:
        """Show a slice of so many, and the channel numbers at the ends of a slab."""
        now = (count, current, width, scale, slab)
        if now != (self.count, self.current, self.width_shown, self.scale, self.slab):
            self.count, self.current, self.width_shown, self.scale, self.slab = now
            self.setAccessibleDescription(self._text(current))
            self.update()

    def show_curve(self, curve: np.ndarray | None, *, wanted: bool) -> None:
        """Draw a value of each slice above the ruler; room is kept for it while it is not known yet."""
        if curve is not self.curve or wanted != self._has_curve:
            self.curve, self._picture = curve, None
            if wanted != self._has_curve:
                self._has_curve = wanted
                self.updateGeometry()
            self.update()

    def _text(self, channel: float) -> str:
        return self.scale.text(channel) if self.scale is not None else f"{channel:.0f}"

    # --- places -----------------------------------------------------------------------------------

    def x_of(self, channel: float) -> float:
        """Return where a channel lies, in pixels."""
        span = max(self.count - 1, 1)
        return MARGIN + (self.width() - 2 * MARGIN) * channel / span

    def channel_at(self, x: float) -> float:
        """Return the channel at a place, within the cube."""
        share = (x - MARGIN) / max(self.width() - 2 * MARGIN, 1.0)
        return min(max(share, 0.0), 1.0) * (self.count - 1)

    # --- painting ---------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint curve, groove, ticks, slab and marker."""
        look, middle = Look.of(self), 11.0 + self._rise
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
            if self._has_curve:
                self._paint_curve(painter, look)
            self._paint_groove(painter, look, middle)
            self._paint_ticks(painter, look, middle)
            self._paint_marker(painter, look, middle)

    def _paint_curve(self, painter: QPainter, look: Look) -> None:
        if self.curve is None or len(self.curve) != self.count:
            return
        painter.drawPixmap(0, 0, self._drawn_curve(look))
        colour, x = self._marker_colour(look), self.x_of(self.current)
        painter.setPen(QPen(colour, 1))
        if self.slab is None:
            painter.drawLine(QPointF(x, 2), QPointF(x, CURVE + 2))
            return
        low, high = sorted(self.x_of(min(max(end, 0), self.count - 1)) for end in self.slab)
        colour.setAlpha(60)
        painter.fillRect(QRectF(low, 2, max(high - low, 1.0), CURVE), colour)

    def _drawn_curve(self, look: Look) -> QPixmap:
        """Return the curve as it was drawn last: that takes milliseconds, and every slice paints it."""
        ratio = self.devicePixelRatioF()
        key = (self.width(), ratio, look.faint)
        if self._picture is None or self._picture[0] != key:
            pixmap = QPixmap(round(self.width() * ratio), round((CURVE + 2) * ratio))
            pixmap.setDevicePixelRatio(ratio)
            pixmap.fill(Qt.GlobalColor.transparent)
            with QPainter(pixmap) as painter:
                painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
                painter.setPen(QPen(QColor(look.faint), 1))
                painter.drawPath(curve_path(self.curve, self.x_of(0), self.x_of(self.count - 1), 3.0, CURVE - 1))
            self._picture = (key, pixmap)
        return self._picture[1]

    def _paint_groove(self, painter: QPainter, look: Look, middle: float) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(look.line))
        left, right = self.x_of(0), self.x_of(self.count - 1)
        painter.setOpacity(0.55)
        painter.drawRoundedRect(QRectF(left, middle - GROOVE / 2, right - left, GROOVE), 2, 2)
        painter.setOpacity(1.0)
        if self.slab is not None:
            low, high = sorted(self.x_of(min(max(end, 0), self.count - 1)) for end in self.slab)
            area = QRectF(low, middle - 7, max(high - low, 2.0), 14)
            fill = self._marker_colour(look)
            fill.setAlpha(110)
            painter.setBrush(fill)
            painter.setPen(QPen(self._marker_colour(look), 1))
            painter.drawRoundedRect(area, 3, 3)
        elif self.width_shown > 1:
            half = (self.width_shown - 1) / 2
            low, high = self.x_of(max(self.current - half, 0)), self.x_of(min(self.current + half, self.count - 1))
            painter.setBrush(self._marker_colour(look))
            painter.drawRoundedRect(QRectF(low, middle - GROOVE / 2, high - low, GROOVE), 2, 2)

    def _paint_ticks(self, painter: QPainter, look: Look, middle: float) -> None:
        if self.count < 2:
            return
        font = look.font(0.85)
        metrics = look.metrics(0.85)
        painter.setFont(font)
        taken = -math.inf
        for channel, text in self._ticks(metrics.horizontalAdvance("0")):
            x = self.x_of(channel)
            wide = metrics.horizontalAdvance(text)
            painter.setPen(QPen(QColor(look.faint), 1))
            painter.drawLine(QPointF(x, middle + 5), QPointF(x, middle + 9))
            left = min(max(x - wide / 2, 1), self.width() - wide - 1)
            if left < taken + 8:
                continue
            taken = left + wide
            painter.setPen(QColor(look.text))
            painter.drawText(QPointF(left, middle + 10 + metrics.ascent()), text)

    def _ticks(self, letter: float) -> list[tuple[float, str]]:
        """Return channels of round values and their texts, from left to right."""
        n = max(2, int(self.width() / (13 * letter)))
        if self.scale is not None:
            return self.scale.ticks(n)
        found = pixel_ticks(0, self.count - 1, n)
        return list(zip(found.values, found.labels, strict=True))

    def _paint_marker(self, painter: QPainter, look: Look, middle: float) -> None:
        x = self.x_of(self.current)
        path = QPainterPath()
        path.addRoundedRect(QRectF(x - 5, middle - 9, 10, 18), 4, 4)
        painter.setPen(QPen(QColor(look.canvas), 1.5))
        painter.setBrush(self._marker_colour(look) if self.slab is None else QColor(look.faint))
        painter.drawPath(path)
        painter.setPen(QPen(QColor("#ffffff"), 1.2))
        painter.drawLine(QPointF(x, middle - 5), QPointF(x, middle + 5))
        if self.hasFocus():
            painter.setPen(QPen(QColor(look.text), 1, Qt.PenStyle.DotLine))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(x - 8, middle - 11, 16, 22), 5, 5)

    def _marker_colour(self, look: Look) -> QColor:
        """Return the accent of the theme, dark enough to stand out from a light ground."""
        return QColor(look.accent) if look.is_dark else self.palette().color(QPalette.ColorRole.Link)

    # --- mouse and keys ---------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Grasp the marker, an end of the slab, or begin a slab with Shift."""
        if event.button() != Qt.MouseButton.LeftButton or self.count < 2:
            return
        x, end = event.position().x(), self._end_at(event.position().x())
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier or end is not None:
            self._other_end = end if end is not None else self.channel_at(x)
            self._grip = self._range_to
        else:
            self._grip = self._go_to
        self._grip(x)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow the drag."""
        if self._grip is not None:
            self._grip(event.position().x())
        over = self._end_at(event.position().x()) is not None
        self.setCursor(Qt.CursorShape.SizeHorCursor if over else Qt.CursorShape.PointingHandCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End the drag."""
        if self._grip is not None:
            self._grip = None
            self.released.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Step through the slices."""
        delta = event.angleDelta().y() or event.angleDelta().x()
        if delta:
            self._step(1 if delta > 0 else -1)
        event.accept()

    def event(self, event: QEvent) -> bool:
        """Keep the keys of the ruler from the shortcuts of the picture, which pan and fit with the same ones."""
        if event.type() == QEvent.Type.ShortcutOverride and self._steps_of(event) is not None:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Step with the arrow keys, go to the ends with Home and End."""
        by = self._steps_of(event)
        if by is not None:
            self._step(by)
        else:
            super().keyPressEvent(event)

    def _steps_of(self, event: Any) -> int | None:
        """Return how far a key goes; None for a key that is none of the ruler's."""
        if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            return None
        ends = {Qt.Key.Key_Home: -self.count, Qt.Key.Key_End: self.count}
        return {**KEYS, **ends}.get(event.key())

    def _step(self, by: int) -> None:
        self.moved.emit(min(max(self.current + by, 0), self.count - 1))
        self.released.emit()

    def _go_to(self, x: float) -> None:
        channel = round(self.channel_at(x))
        if channel != self.current or self.slab is not None:
            self.moved.emit(channel)

    def _range_to(self, x: float) -> None:
        self.ranged.emit(self._other_end, self.channel_at(x))

    def _end_at(self, x: float) -> float | None:
        """Return the far end of the slab when the mouse is at the other one."""
        if self.slab is None:
            return None
        low, high = sorted(self.slab)
        if abs(x - self.x_of(low)) < 6:
            return high
        return low if abs(x - self.x_of(high)) < 6 else None
