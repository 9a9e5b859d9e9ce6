"""Where a dragged viewer would go: zones of a tab group, and the veil that shows them."""

from __future__ import annotations

from typing import Any, Literal

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QColor, QPainter, QPalette, QPen
from PySide6.QtWidgets import QWidget

__all__ = ["Veil", "Zone", "part_of", "zone_at"]

Zone = Literal["left", "right", "top", "bottom", "centre"]

EDGE = 0.27
"""Share of a group's width or height within which a drop splits it."""


def zone_at(area: QRect, point: QPoint) -> Zone:
    """Return which zone of an area a point lies in; the nearest edge wins in the corners."""
    x = (point.x() - area.left()) / max(1, area.width())
    y = (point.y() - area.top()) / max(1, area.height())
    distances: dict[Zone, float] = {"left": x, "right": 1 - x, "top": y, "bottom": 1 - y}
    nearest = min(distances, key=lambda zone: distances[zone])
    return nearest if distances[nearest] < EDGE else "centre"


def part_of(area: QRect, zone: Zone) -> QRect:
    """Return the part of an area that a drop in a zone would take."""
    half_width, half_height = area.width() // 2, area.height() // 2
    return {
        "left": QRect(area.left(), area.top(), half_width, area.height()),
        "right": QRect(area.right() - half_width, area.top(), half_width, area.height()),
        "top": QRect(area.left(), area.top(), area.width(), half_height),
        "bottom": QRect(area.left(), area.bottom() - half_height, area.width(), half_height),
        "centre": area,
    }[zone]


class Veil(QWidget):
    """Lies over the viewers while a tab is dragged and shows where it would go."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAccessibleName("Drop zones of viewers")
        self._target = QRect()
        self._ghost, self._cursor = "", QPoint()
        self.hide()

    def show_target(self, target: QRect, ghost: str, cursor: QPoint) -> None:
        """Show the part that would be taken, and a ghost of the tab at the cursor."""
        self._target, self._ghost, self._cursor = target, ghost, cursor
        self.setGeometry(self.parentWidget().rect())
        self.raise_()
        self.show()
        self.update()

    def paintEvent(self, event: Any) -> None:
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            accent = self.palette().color(QPalette.ColorRole.Accent)
            if not self._target.isEmpty():
                fill = QColor(accent)
                fill.setAlphaF(0.22)
                painter.setBrush(fill)
                painter.setPen(QPen(accent, 2))
                painter.drawRoundedRect(self._target.adjusted(4, 4, -4, -4), 6, 6)
            self._paint_ghost(painter)

    def _paint_ghost(self, painter: QPainter) -> None:
        width = painter.fontMetrics().horizontalAdvance(self._ghost) + 24
        box = QRect(self._cursor.x() + 12, self._cursor.y() + 8, width, painter.fontMetrics().height() + 10)
        painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Accent), 1))
        painter.setBrush(self.palette().color(QPalette.ColorRole.Button))
        painter.drawRoundedRect(box, 5, 5)
        painter.setPen(self.palette().color(QPalette.ColorRole.ButtonText))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, self._ghost)
