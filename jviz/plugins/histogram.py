"""A histogram whose limits and spline knots are dragged with the mouse; painted by hand, for a quick start."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QKeyEvent, QPainter, QPainterPath, QPalette, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from jviz.api import Counted, Values, blended

__all__ = ["Histogram"]

REACH = 7
"""Screen pixels from a line or knot within which the mouse takes hold of it."""

RAMP = 10
BINS = 192

Knots = tuple[tuple[float, float], ...]


class Histogram(QWidget):
    """Numbers of pixels over their values (log), the limits as two lines, the colours below.

    Drag a line to move a limit, between them to move both; the wheel zooms, a double click shows
    all; with Shift a drag chooses a range of values. With the keys: ↑ and ↓ choose a limit, ← and →
    move it, Home shows all. Knots of a spline are dragged as well; a double click on the curve adds
    one, on a knot removes it.
    """

    limits_dragged = Signal(float, float)
    knots_dragged = Signal(tuple)
    drag_began = Signal()
    drag_ended = Signal()
    drag_given_up = Signal()
    range_chosen = Signal(float, float)

    def __init__(self) -> None:
        super().__init__()
        self.limits: tuple[float, float] = (0.0, 1.0)
        self.knots: Knots | None = None
        self._values: Counted = Values(np.empty(0))
        self._span = (0.0, 1.0)
        self._all = (0.0, 1.0)
        self._heights = np.empty(0)
        self._ramp: np.ndarray | None = None
        self._curve: np.ndarray | None = None
        self._held: Any = None
        self._grip = 0.0
        self._chosen = "low"
        self._range: tuple[float, float] | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMaximumHeight(240)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Histogram with the limits")
        self.setToolTip(
            "Drag the lines to set the limits; wheel zooms, double click shows all;\n"
            "Shift and drag makes a region of the pixels in a range of values"
        )

    def sizeHint(self) -> QSize:
        return QSize(260, 150)

    def minimumSizeHint(self) -> QSize:
        return QSize(160, 110)

    # --- what is shown --------------------------------------------------------------------------

    def show_values(self, values: Counted) -> None:
        """Take over how values are spread."""
        self._values = values
        self.show_all()

    def show_look(self, limits: tuple[float, float], ramp: np.ndarray, curve: np.ndarray, knots: Knots | None) -> None:
        """Take over the limits, the colours between them (uint32), the stretch's curve, and its knots."""
        self.limits, self._ramp, self._curve, self.knots = limits, ramp, curve, knots
        if self._held is None and not self._in_sight():
            self.show_all()
        self.update()

    def show_all(self) -> None:
        """Show the limits and, as far as there is room, the range in which nearly all values lie."""
        low, high = sorted(self.limits)
        if self._values.size:
            least, greatest = (self._values.percentile(percent) for percent in (0.1, 99.8))
            room = 0.75 * (high - low)
            low, high = min(low, max(least, low - room)), max(high, min(greatest, high + room))
        margin = 0.06 * (high - low) or abs(low) * 0.1 or 1.0
        self._all = (low - margin, high + margin)
        self._show_span(*self._all)

    def _show_span(self, low: float, high: float) -> None:
        self._span = (low, high)
        counts = self._values.counts(np.linspace(low, high, BINS + 1))
        heights = np.log1p(counts)
        self._heights = heights / (heights.max() or 1.0)
        self.update()

    def _in_sight(self) -> bool:
        low, high = sorted(self.limits)
        x0, x1 = self._span
        return x0 <= low and high <= x1 and (high - low) > 0.02 * (x1 - x0)

    # --- geometry -------------------------------------------------------------------------------

    @property
    def area(self) -> QRectF:
        """Where the bars are."""
        text = self.fontMetrics().height()
        return QRectF(8, 4, max(self.width() - 16, 1), max(self.height() - RAMP - text - 12, 1))

    def x_of(self, value: float) -> float:
        """Screen position of a value."""
        low, high = self._span
        return self.area.left() + (value - low) / (high - low) * self.area.width()

    def value_at(self, x: float) -> float:
        """Return the value at a screen position."""
        low, high = self._span
        return low + (x - self.area.left()) / self.area.width() * (high - low)

    def knot_position(self, knot: tuple[float, float]) -> QPointF:
        """Screen position of a knot."""
        low, high = self.limits
        return QPointF(self.x_of(low + knot[0] * (high - low)), self.area.bottom() - knot[1] * self.area.height())

    def _knot_at(self, point: QPointF) -> tuple[float, float]:
        low, high = self.limits
        x = (self.value_at(point.x()) - low) / ((high - low) or 1.0)
        y = (self.area.bottom() - point.y()) / self.area.height()
        return min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0)

    def _under(self, point: QPointF) -> Any:
        """Return what the mouse would take hold of: a knot's number, "low", "high", "both" or None."""
        for number, knot in enumerate(self.knots or ()):
            at = self.knot_position(knot)
            if math.hypot(at.x() - point.x(), at.y() - point.y()) <= REACH + 1:
                return number
        distances = {name: abs(self.x_of(v) - point.x()) for name, v in zip(("low", "high"), self.limits, strict=True)}
        nearest = min(distances, key=distances.__getitem__)
        if distances[nearest] <= REACH:
            # On top of each other: the one that can move to where the mouse goes.
            together = distances["low"] == distances["high"]
            return "high" if together and point.x() > self.x_of(self.limits[1]) else nearest
        low, high = sorted(map(self.x_of, self.limits))
        return "both" if low < point.x() < high else None

    # --- mouse and keys -------------------------------------------------------------------------

    def mousePressEvent(self, event: Any) -> None:
        if event.button() == Qt.MouseButton.LeftButton and event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._range = (self._value_inside(event.position().x()),) * 2
        elif event.button() == Qt.MouseButton.LeftButton:
            self._held = self._under(event.position())
            if self._held in ("low", "high"):
                self._chosen = self._held
                self._grip = self.x_of(self.limits[self._held == "high"]) - event.position().x()
            elif self._held == "both":
                self._grip = event.position().x()
            if self._held is not None:
                self.drag_began.emit()
            self.update()

    def mouseMoveEvent(self, event: Any) -> None:
        if self._range is not None:
            self._range = (self._range[0], self._value_inside(event.position().x()))
            self.update()
        elif self._held is None:
            held = self._under(event.position())
            shape = Qt.CursorShape.SizeHorCursor if held in ("low", "high") else Qt.CursorShape.ArrowCursor
            shape = Qt.CursorShape.PointingHandCursor if isinstance(held, int) else shape
            self.setCursor(Qt.CursorShape.OpenHandCursor if held == "both" else shape)
        elif isinstance(self._held, int):
            self._drag_knot(event.position())
        else:
            self._drag_limits(event.position().x())

    def _value_inside(self, x: float) -> float:
        return self.value_at(min(max(x, self.area.left()), self.area.right()))

    def mouseReleaseEvent(self, event: Any) -> None:
        if self._range is not None and event.button() == Qt.MouseButton.LeftButton:
            low, high = sorted(self._range)
            self._range = None
            self.update()
            if self.x_of(high) - self.x_of(low) >= 2:
                self.range_chosen.emit(low, high)
        elif self._held is not None and event.button() == Qt.MouseButton.LeftButton:
            self._held = None
            self.update()
            self.drag_ended.emit()

    def mouseDoubleClickEvent(self, event: Any) -> None:
        held = self._under(event.position())
        self._held = None
        if self.knots is not None and isinstance(held, int):
            if 0 < held < len(self.knots) - 1:
                self._set_knots(self.knots[:held] + self.knots[held + 1 :])
        elif self.knots is not None and held is not None:
            self._set_knots(self._rising([*self.knots, self._knot_at(event.position())]))
        else:
            self.show_all()
        self.drag_ended.emit()

    def wheelEvent(self, event: Any) -> None:
        factor = 0.8 ** (event.angleDelta().y() / 120)
        at = self.value_at(event.position().x())
        low, high = (at + (edge - at) * factor for edge in self._span)
        if high - low > 1e-9 * (abs(low) + abs(high)) and factor != 1:
            self._show_span(low, high)
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key == Qt.Key.Key_Escape and self._range is not None:
            self._range = None
            self.update()
        elif key == Qt.Key.Key_Escape and self._held is not None:
            self._held = None
            self.drag_given_up.emit()
            self.update()
        elif key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self._chosen = "high" if key == Qt.Key.Key_Up else "low"
            self.update()
        elif key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            steps = 10 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1
            self._nudge(steps if key == Qt.Key.Key_Right else -steps)
        elif key == Qt.Key.Key_Home:
            self.show_all()
        else:
            super().keyPressEvent(event)

    def _nudge(self, pixels: int) -> None:
        step = pixels * (self._span[1] - self._span[0]) / self.area.width()
        low, high = self.limits
        low, high = (low, high + step) if self._chosen == "high" else (low + step, high)
        if low < high:
            self._set_limits(low, high)
            self.drag_ended.emit()

    def _drag_limits(self, x: float) -> None:
        low, high = self.limits
        least = (self._span[1] - self._span[0]) / self.area.width()
        if self._held == "both":
            shift = self.value_at(x) - self.value_at(self._grip)
            self._grip = x
            self._set_limits(low + shift, high + shift)
            return
        value = self.value_at(min(max(x + self._grip, self.area.left()), self.area.right()))
        if self._held == "low":
            self._set_limits(min(value, high - least), high)
        else:
            self._set_limits(low, max(value, low + least))

    def _set_limits(self, low: float, high: float) -> None:
        self.limits = (low, high)
        self.update()
        self.limits_dragged.emit(low, high)

    def _drag_knot(self, point: QPointF) -> None:
        knots = list(self.knots or ())
        before = knots[self._held - 1] if self._held else (-1.0, 0.0)
        after = knots[self._held + 1] if self._held + 1 < len(knots) else (2.0, 1.0)
        x, y = self._knot_at(point)
        x = min(max(x, before[0] + 0.01), after[0] - 0.01)
        if self._held in (0, len(knots) - 1):
            x = float(self._held != 0)  # the ends stay on the limits
        knots[self._held] = (x, min(max(y, before[1]), after[1]))
        self._set_knots(tuple(knots))

    def _rising(self, knots: list[tuple[float, float]]) -> Knots:
        """Return the knots in order; those there are when these would not rise."""
        ordered = tuple(sorted(knots))
        rising = all(a[0] < b[0] and a[1] <= b[1] for a, b in itertools.pairwise(ordered))
        return ordered if rising else tuple(self.knots or ())

    def _set_knots(self, knots: Knots) -> None:
        self.knots = knots
        self.update()
        self.knots_dragged.emit(knots)

    # --- painting -------------------------------------------------------------------------------

    def paintEvent(self, event: Any) -> None:
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.fillRect(self.area, self.palette().color(QPalette.ColorRole.Base))
            self._paint_bars(painter)
            self._paint_outside(painter)
            self._paint_ramp(painter)
            self._paint_curve(painter)
            self._paint_limits(painter)
            self._paint_range(painter)
            self._paint_ticks(painter)
            if self.hasFocus():
                painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Accent), 1))
                painter.drawRect(self.area.adjusted(-1, -1, 1, 1))

    def _paint_bars(self, painter: QPainter) -> None:
        if not self._heights.size:
            return
        area, width = self.area, self.area.width() / len(self._heights)
        path = QPainterPath(area.bottomLeft())
        for number, height in enumerate(self._heights):
            y = area.bottom() - height * (area.height() - 6)
            path.lineTo(area.left() + number * width, y)
            path.lineTo(area.left() + (number + 1) * width, y)
        path.lineTo(area.bottomRight())
        text, base = (self.palette().color(role) for role in (QPalette.ColorRole.Text, QPalette.ColorRole.Base))
        painter.fillPath(path, blended(base, text, 0.42))

    def _paint_outside(self, painter: QPainter) -> None:
        """Dim what lies outside the limits."""
        area, veil = self.area, self.palette().color(QPalette.ColorRole.Base)
        veil.setAlphaF(0.55)
        low, high = (min(max(x, area.left()), area.right()) for x in sorted(map(self.x_of, self.limits)))
        painter.fillRect(QRectF(area.left(), area.top(), low - area.left(), area.height()), veil)
        painter.fillRect(QRectF(high, area.top(), area.right() - high, area.height()), veil)

    def _paint_ramp(self, painter: QPainter) -> None:
        if self._ramp is None:
            return
        area = self.area
        values = np.linspace(*self._span, max(int(area.width()), 2))
        low, high = self.limits
        place = np.clip((values - low) / ((high - low) or 1.0), 0, 1) * (len(self._ramp) - 1)
        row = np.ascontiguousarray(self._ramp[np.rint(place).astype(int)][None, :])
        image = QImage(row.data, row.shape[1], 1, row.shape[1] * 4, QImage.Format.Format_RGB32)
        painter.drawImage(QRectF(area.left(), area.bottom() + 2, area.width(), RAMP), image)

    def _paint_curve(self, painter: QPainter) -> None:
        if self._curve is None:
            return
        low, high = self.limits
        x0, x1 = self.x_of(low), self.x_of(high)
        xs = np.linspace(x0, x1, len(self._curve))
        ys = self.area.bottom() - self._curve * self.area.height()
        painter.save()
        painter.setClipRect(self.area.adjusted(-4, -4, 4, 4))
        painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Accent), 1.4))
        painter.drawPolyline(QPolygonF([QPointF(x, y) for x, y in zip(xs, ys, strict=True)]))
        painter.setBrush(self.palette().color(QPalette.ColorRole.Base))
        for knot in self.knots or ():
            painter.drawEllipse(self.knot_position(knot), 4.5, 4.5)
        painter.restore()

    def _paint_limits(self, painter: QPainter) -> None:
        area = self.area
        for name, value in zip(("low", "high"), self.limits, strict=True):
            x = self.x_of(value)
            if not area.left() - 1 <= x <= area.right() + 1:
                continue
            colour = self.palette().color(QPalette.ColorRole.Text)
            if self._held == name or (self.hasFocus() and self._chosen == name):
                colour = self.palette().color(QPalette.ColorRole.Accent)
            painter.setPen(QPen(colour, 1.5))
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom() + RAMP + 2))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            painter.drawRoundedRect(QRectF(x - 3.5, area.top(), 7, 12), 2, 2)
            painter.setBrush(Qt.BrushStyle.NoBrush)

    def _paint_range(self, painter: QPainter) -> None:
        """Mark the range that is being chosen."""
        if self._range is None:
            return
        low, high = sorted(map(self.x_of, self._range))
        colour = self.palette().color(QPalette.ColorRole.Accent)
        painter.setPen(QPen(colour, 1))
        colour.setAlphaF(0.3)
        painter.setBrush(colour)
        painter.drawRect(QRectF(low, self.area.top(), high - low, self.area.height()))
        painter.setBrush(Qt.BrushStyle.NoBrush)

    def _paint_ticks(self, painter: QPainter) -> None:
        """Write the values of round numbers below the ramp."""
        area, metrics = self.area, self.fontMetrics()
        painter.setPen(QColor(self.palette().color(QPalette.ColorRole.PlaceholderText)))
        free = -math.inf
        for value, text in round_values(*self._span, max(2, int(area.width() / 70))):
            width = metrics.horizontalAdvance(text)
            left = min(max(self.x_of(value) - width / 2, 0), self.width() - width - 2)
            if left > free:
                painter.drawText(QPointF(left, area.bottom() + RAMP + 5 + metrics.ascent()), text)
                free = left + width + 8


def round_values(low: float, high: float, number: int) -> list[tuple[float, str]]:
    """Return about so many round values in a range, with their texts."""
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low:
        return []
    rough = (high - low) / number
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough * 0.999)
    first = math.ceil(low / step)
    values = [n * step for n in range(first, math.floor(high / step) + 1)]
    return [(v, value_text(v, step)) for v in values]


def value_text(value: float, step: float) -> str:
    """Write a round value with as many digits as tell it from its neighbours."""
    if value == 0:
        return "0"
    if 1e-3 <= abs(value) < 1e6 and step >= 1e-4:
        return f"{value:.{max(0, -math.floor(math.log10(step) + 1e-9))}f}"
    digits = max(0, math.floor(math.log10(abs(value))) - math.floor(math.log10(step) + 1e-9))
    mantissa, exponent = f"{value:.{digits}e}".split("e")
    return f"{mantissa}e{int(exponent)}"
