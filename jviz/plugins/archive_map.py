"""The map of the sky of the Archive panel: where the rows are, from the whole sky down to single fields."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPalette,
    QPen,
    QPolygonF,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from jviz.api import Hammer, outlines, position_columns, separation, unit_vectors

__all__ = ["SkyMap"]

MOST_OUTLINES = 1500
"""Outlines that are drawn at a time; of more the places alone."""

REACH = 9.0
"""Pixels from a place within which the mouse is on it."""

HALF = (2 * math.sqrt(2), math.sqrt(2))
STEPS = (30, 15, 10, 5, 2, 1, 0.5, 0.2, 0.1)


class SkyMap(QWidget):
    """Rows on the sky: dragged and zoomed like any map.

    Attributes
    ----------
    picked : Signal
        With the row that was clicked and whether it is added to what is selected; -1 for none.
    hovered : Signal
        With the row under the mouse, -1 for none.
    circled : Signal
        With RA, Dec and radius in degrees of a circle that was drawn with Shift.
    """

    picked = Signal(int, bool)
    hovered = Signal(int)
    circled = Signal(float, float, float)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Map of the sky")
        self.setToolTip("Drag to turn, wheel to zoom, double click for all rows, Shift and drag to draw the circle "
                        "of a search")  # fmt: skip
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.plane, self.zoom = Hammer(180.0, 0.0), 1.0
        self._table: Any = None
        self._places = (np.empty(0), np.empty(0))
        self._vectors = np.empty((0, 3))
        self._rows = np.empty(0, int)
        self._kept: tuple[Any, np.ndarray, np.ndarray, QImage] | None = None
        self._grid: tuple[Any, QPainterPath, float] | None = None
        self._chosen: frozenset[int] = frozenset()
        self._under = -1
        self._outlines: dict[int, tuple[np.ndarray, ...]] = {}
        self._press: tuple[QPointF, Hammer, bool] | None = None
        self._circle: tuple[float, float, float] | None = None
        self._drawn: list[tuple[int, QPolygonF]] = []

    def sizeHint(self) -> QSize:
        return QSize(340, 200)

    def minimumSizeHint(self) -> QSize:
        return QSize(140, 90)

    # --- what is shown --------------------------------------------------------------------------

    def show_rows(self, table: Any, rows: np.ndarray | None = None, *, fit: bool = False) -> None:
        """Show rows of a table, all for None."""
        if table is not self._table:
            self._outlines.clear()
            self._under = -1
        self._table = table
        found = position_columns(table) if table is not None and len(table) else None
        lon, lat = found if found is not None else (np.empty(0), np.empty(0))
        self._rows = np.flatnonzero(np.isfinite(lon) & np.isfinite(lat) & (True if rows is None else rows))
        self._places = lon[self._rows], lat[self._rows]
        self._vectors, self._kept = np.moveaxis(unit_vectors(*self._places), 0, -1), None
        if fit:
            self.fit()
        self.update()

    def select(self, rows: Any) -> None:
        """Mark the selected rows."""
        chosen = frozenset(int(row) for row in rows)
        if chosen != self._chosen:
            self._chosen = chosen
            self.update()

    def show_circle(self, circle: tuple[float, float, float] | None) -> None:
        """Draw the circle of a search, in degrees."""
        self._circle = circle
        self.update()

    def fit(self) -> None:
        """Show all rows, or the whole sky when they are spread over it."""
        lon, lat = self._places
        self.plane, self.zoom = Hammer(180.0, 0.0), 1.0
        if len(lon):
            a, b = np.radians(lon), np.radians(lat)
            middle = np.array([(np.cos(b) * np.cos(a)).mean(), (np.cos(b) * np.sin(a)).mean(), np.sin(b).mean()])
            length = float(np.linalg.norm(middle))
            if length > 0.8:
                x, y, z = middle / length
                ra, dec = math.degrees(math.atan2(y, x)) % 360, math.degrees(math.asin(z))
                away = float(np.max(separation(lon, lat, ra, dec))) + 0.03
                self.plane, self.zoom = Hammer(ra, dec), float(np.clip(75 / away, 1, 3000))
        self.update()

    # --- places ---------------------------------------------------------------------------------

    @property
    def _scale(self) -> float:
        """Pixels for a unit of the plane."""
        return self.zoom * min((self.width() - 16) / (2 * HALF[0]), (self.height() - 16) / (2 * HALF[1]))

    def _screen(self, x: Any, y: Any) -> tuple[Any, Any]:
        return self.width() / 2 + x * self._scale, self.height() / 2 - y * self._scale

    def _sky(self, point: QPointF) -> tuple[float, float]:
        x, y = (point.x() - self.width() / 2) / self._scale, (self.height() / 2 - point.y()) / self._scale
        lon, lat = self.plane.to_sky(x, y)
        return float(lon), float(lat)

    def _row_at(self, point: QPointF) -> int:
        """Return the row of the outline or the place under the mouse, -1 for none."""
        inside = [(polygon.boundingRect().width(), row) for row, polygon in self._drawn
                  if polygon.containsPoint(point, Qt.FillRule.OddEvenFill)]  # fmt: skip
        if inside:
            return min(inside)[1]
        if not len(self._rows):
            return -1
        u, v, _ = self._dots()
        away = np.hypot(u - point.x(), v - point.y())
        nearest = int(np.argmin(away))
        return int(self._rows[nearest]) if away[nearest] <= REACH else -1

    # --- mouse and keys -------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            circling = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self._press = event.position(), self.plane, circling

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._press is None:
            self._hover(event)
            return
        start, plane, circling = self._press
        if circling:
            self._circle = self._drag_circle(start, event.position())
        else:
            moved = event.position() - start
            per_pixel = math.degrees(1 / self._scale)
            lat = min(90.0, max(-90.0, plane.lat + moved.y() * per_pixel))
            across = max(math.cos(math.radians(lat)), 0.2)
            self.plane = Hammer((plane.lon + moved.x() * per_pixel / across) % 360, lat if self.zoom > 1 else 0.0)
        self.update()

    def _drag_circle(self, start: QPointF, end: QPointF) -> tuple[float, float, float] | None:
        middle, edge = self._sky(start), self._sky(end)
        away = float(separation(*middle, *edge))
        return (*middle, away) if math.isfinite(away) and away > 0 else None

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._press is None:
            return
        start, _, circling = self._press
        self._press = None
        if circling:
            if self._circle is not None:
                self.circled.emit(*self._circle)
        elif (event.position() - start).manhattanLength() < 4:
            add = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
            self.picked.emit(self._row_at(event.position()), add)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.fit()

    def _hover(self, event: QMouseEvent) -> None:
        row = self._row_at(event.position())
        if row != self._under:
            self.point_at(row)
            self.hovered.emit(row)
        lon, lat = self._sky(event.position())
        if row >= 0:
            QToolTip.showText(event.globalPosition().toPoint(), self._about(row), self)
        elif math.isfinite(lon):
            QToolTip.showText(event.globalPosition().toPoint(), f"{lon:.4f}° {lat:+.4f}°", self)

    def point_at(self, row: int) -> None:
        """Light up one row, -1 for none."""
        self._under = row
        self.update()

    def _about(self, row: int) -> str:
        names = [n for n in ("obs_id", "fileSetName", "target_name", "instrument_name", "filters", "name")
                 if n in self._table.colnames]  # fmt: skip
        return "\n".join(str(self._table[name][row]) for name in names[:4])

    def leaveEvent(self, event: Any) -> None:
        self.point_at(-1)
        self.hovered.emit(-1)

    def wheelEvent(self, event: QWheelEvent) -> None:
        self.zoom_by(1.0015 ** event.angleDelta().y(), event.position())
        event.accept()

    def zoom_by(self, factor: float, about: QPointF | None = None) -> None:
        """Zoom about a place of the widget, which goes towards the middle."""
        zoom = float(np.clip(self.zoom * factor, 1.0, 20_000.0))
        lon, lat = self._sky(about) if about is not None else (math.nan, math.nan)
        if math.isfinite(lon) and zoom > self.zoom:
            share = 1 - self.zoom / zoom
            turn = (lon - self.plane.lon + 180) % 360 - 180
            self.plane = Hammer((self.plane.lon + share * turn) % 360, self.plane.lat + share * (lat - self.plane.lat))
        if zoom == 1.0:
            self.plane = Hammer(self.plane.lon, 0.0)
        self.zoom = zoom
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = 20 / self.zoom
        keys = {Qt.Key.Key_Left: (step, 0), Qt.Key.Key_Right: (-step, 0), Qt.Key.Key_Up: (0, step),
                Qt.Key.Key_Down: (0, -step)}  # fmt: skip
        if event.key() in keys:
            lon, lat = keys[event.key()]
            self.plane = Hammer((self.plane.lon + lon) % 360, min(90.0, max(-90.0, self.plane.lat + lat)))
        elif event.key() in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom_by(1.5)
        elif event.key() == Qt.Key.Key_Minus:
            self.zoom_by(1 / 1.5)
        else:
            super().keyPressEvent(event)
            return
        self.update()

    # --- painting -------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            palette = self.palette()
            sky = QRectF(0, 0, 2 * HALF[0] * self._scale, 2 * HALF[1] * self._scale)
            sky.moveCenter(QRectF(self.rect()).center())
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(palette.color(QPalette.ColorRole.Base))
            painter.drawEllipse(sky)
            self._paint_grid(painter)
            self._paint_rows(painter)
            self._paint_circle(painter)

    def _paint_grid(self, painter: QPainter) -> None:
        text = self.palette().color(QPalette.ColorRole.Text)
        faint = QColor(text.red(), text.green(), text.blue(), 60)
        key = (self.plane, self.zoom, self.width(), self.height())
        if self._grid is None or self._grid[0] != key:
            self._grid = key, *self._grid_lines()
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(faint, 1.0))
        painter.drawPath(self._grid[1])
        self._paint_numbers(painter, self._grid[2], text)

    def _grid_lines(self) -> tuple[QPainterPath, float]:
        """Return the lines of the grid on the screen, and how many degrees apart they are."""
        wide_enough = (s for s in reversed(STEPS) if math.radians(s) * self._scale > 45)
        step = next(wide_enough, STEPS[0]) if self.zoom > 1 else STEPS[0]
        path = QPainterPath()
        middle, span = self.plane, min(180.0, math.degrees(self.width() / self._scale) + 2 * step)
        along = np.linspace(-90, 90, 91) if self.zoom < 4 else np.linspace(
            max(-90.0, middle.lat - span), min(90.0, middle.lat + span), 61)  # fmt: skip
        wide = span if self.zoom >= 4 and abs(middle.lat) < 75 else 180.0
        wide = min(180.0, wide / max(math.cos(math.radians(min(abs(middle.lat) + span, 89))), 0.05))
        for lon in np.arange(math.floor((middle.lon - wide) / step) * step, middle.lon + wide + step / 2, step):
            self._add_line(path, np.full(len(along), lon), along)
        turns = middle.lon + np.linspace(-wide, wide, 121)
        for lat in np.arange(math.ceil(along[0] / step) * step, along[-1] + step / 2, step):
            self._add_line(path, turns, np.full(len(turns), lat))
        return path, step

    def _add_line(self, path: QPainterPath, lon: np.ndarray, lat: np.ndarray) -> None:
        u, v = self._screen(*self.plane.at(lon, lat))
        last, most = None, self._scale
        for a, b in zip(u.tolist(), v.tolist(), strict=True):
            # A line that goes round the rim comes in again on the other side.
            if last is None or math.hypot(a - last[0], b - last[1]) > most:
                path.moveTo(a, b)
            else:
                path.lineTo(a, b)
            last = a, b

    def _paint_numbers(self, painter: QPainter, step: float, text: QColor) -> None:
        painter.setPen(QColor(text.red(), text.green(), text.blue(), 150))
        font = painter.font()
        font.setPointSizeF(max(font.pointSizeF() * 0.8, 6.5))
        painter.setFont(font)
        span = math.degrees(self.width() / self._scale) / 2
        across = max(math.cos(math.radians(self.plane.lat)), 0.1)
        every = step * (2 if step == 30 else 1)
        for number in range(-6, 7):
            lon = round(self.plane.lon / every) * every + number * every
            if abs(lon - self.plane.lon) * across < min(span, 178):
                u, v = self._screen(*self.plane.at(lon, self.plane.lat))
                painter.drawText(QPointF(float(u) + 3, float(v) - 3), f"{lon % 360:g}°")

    def _paint_rows(self, painter: QPainter) -> None:
        self._drawn = []
        if not len(self._rows):
            return
        u, v, dots = self._dots()
        seen = np.flatnonzero((u > -50) & (v > -50) & (u < self.width() + 50) & (v < self.height() + 50))
        accent = self.palette().color(QPalette.ColorRole.Accent)
        outlined = len(seen) <= MOST_OUTLINES and self.zoom > 8
        if outlined:
            self._outline(self._rows[seen])
        painter.drawImage(0, 0, dots)
        self._paint_outlines(painter, accent)
        self._paint_chosen(painter, u, v)

    def _outline(self, rows: np.ndarray) -> None:
        """Put the outlines of rows on the screen; those that are not known yet are read."""
        new = [int(row) for row in rows if int(row) not in self._outlines]
        self._outlines |= dict(zip(new, outlines(self._table, new), strict=True))
        for row in rows.tolist():
            for shape in self._outlines[row]:
                u, v = self._screen(*self.plane.to_plane(shape))
                if np.ptp(u) > 3 and np.ptp(u) < 20 * self.width():
                    self._drawn.append((row, QPolygonF([QPointF(a, b) for a, b in zip(u, v, strict=True)])))

    def _paint_outlines(self, painter: QPainter, accent: QColor) -> None:
        painter.setPen(QPen(accent, 1.0))
        painter.setBrush(QColor(accent.red(), accent.green(), accent.blue(), 22))
        for _, polygon in self._drawn:
            painter.drawPolygon(polygon)

    def _dots(self) -> tuple[np.ndarray, np.ndarray, QImage]:
        """Return where the places are on the screen, and the picture of them; worked out once for a look at the sky."""
        accent = self.palette().color(QPalette.ColorRole.Accent)
        key = (self.plane, self.zoom, self.width(), self.height(), accent.rgb())
        if self._kept is None or self._kept[0] != key:
            u, v = self._screen(*self.plane.to_plane(self._vectors))
            self._kept = key, u, v, _dotted(u, v, self.width(), self.height(), accent)
        return self._kept[1:]

    def _paint_chosen(self, painter: QPainter, u: np.ndarray, v: np.ndarray) -> None:
        marked = {row: polygon for row, polygon in self._drawn}
        text = self.palette().color(QPalette.ColorRole.Text)
        for colour, rows in ((QColor("#ffb000"), self._chosen), (text, {self._under} - {-1})):
            painter.setPen(QPen(colour, 2.0))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            for at in np.flatnonzero(np.isin(self._rows, list(rows)))[:2000]:
                polygon = marked.get(int(self._rows[at]))
                if polygon is not None:
                    painter.drawPolygon(polygon)
                else:
                    painter.drawEllipse(QPointF(float(u[at]), float(v[at])), 5, 5)

    def _paint_circle(self, painter: QPainter) -> None:
        if self._circle is None:
            return
        lon, lat, radius = self._circle
        turn, r = np.linspace(0, 2 * np.pi, 73), math.radians(min(radius, 179))
        toward, east, north = Hammer(lon, lat).axes
        rim = math.cos(r) * toward + math.sin(r) * (np.cos(turn)[:, None] * north + np.sin(turn)[:, None] * east)
        path = QPainterPath()
        u, v = self._screen(*self.plane.to_plane(rim))
        path.addPolygon(QPolygonF([QPointF(a, b) for a, b in zip(u, v, strict=True)]))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor("#ff6b6b"), 1.4, Qt.PenStyle.DashLine))
        painter.drawPath(path)


def _dotted(u: np.ndarray, v: np.ndarray, width: int, height: int, colour: QColor) -> QImage:
    """Draw places as crosses of three pixels, the denser the more opaque: by counting, for there may be 50,000."""
    inside = (u >= 0) & (v >= 0) & (u < width) & (v < height)
    flat = (v[inside].astype(int) + 1) * (width + 2) + u[inside].astype(int) + 1
    counts = np.bincount(flat, minlength=(height + 2) * (width + 2)).reshape(height + 2, width + 2)
    near = sum(counts[1 + dy : height + 1 + dy, 1 + dx : width + 1 + dx]
               for dx, dy in ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)))  # fmt: skip
    alpha = np.where(near > 0, np.minimum(255, 150 + 25 * near), 0).astype(np.uint32)
    # Multiplied by how opaque they are, as they are painted: else each painting would do it.
    shades = (alpha * part // 255 << shift for part, shift in
              ((colour.red(), 16), (colour.green(), 8), (colour.blue(), 0)))  # fmt: skip
    pixels = np.ascontiguousarray(sum(shades, alpha << 24).astype(np.uint32))
    return QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_ARGB32_Premultiplied).copy()
