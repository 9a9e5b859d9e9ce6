"""The line below a cube on which its slices are chosen: a ruler in spectral values, with a marker that is dragged."""

from __future__ import annotations

import math
from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPalette,
    QPen,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from jviz.backend.render.ticks import pixel_ticks
from jviz.spectral_display import Scale
from jviz.viewers.look import Look

__all__ = ["SliceTrack"]

MARGIN = 12.0
GROOVE = 4.0


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
        self._grip: Callable[[float], None] | None = None
        self._other_end = 0.0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAccessibleName("Slice")
        self.setToolTip("Drag to go through the slices; drag with Shift to show a slab")

    def sizeHint(self) -> QSize:
        """Return one line of numbers and the groove."""
        return QSize(200, round(2.6 * Look.of(self).pixels) + 6)

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
        """Paint groove, ticks, slab and marker."""
        look, middle = Look.of(self), 11.0
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
            self._paint_groove(painter, look, middle)
            self._paint_ticks(painter, look, middle)
            self._paint_marker(painter, look, middle)

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

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Step with the arrow keys, go to the ends with Home and End."""
        key = event.key()
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Down: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Up: 1}
        if key in steps:
            self._step(steps[key])
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self._step(-self.count if key == Qt.Key.Key_Home else self.count)
        else:
            super().keyPressEvent(event)

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
