"""A graph whose nodes are chosen by mouse and keys: what graphs of files and of associations have in common."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QToolTip, QWidget

__all__ = ["GAP", "HEIGHT", "STRIPE", "WARN", "NodeGraph", "draw_curve", "draw_frame"]

HEIGHT, GAP, STRIPE = 42.0, 9.0, 4.0
"""Logical pixels at the usual size of the font: of a node, below it, of the mark at its left."""

WARN = ("#8f5902", "#e5a50a")
"""Of words about what is not there, on light and on dark ground."""

STEPS = {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1)}


class NodeGraph(QWidget):
    """Nodes in columns, chosen by a click or the arrow keys, opened by a double click or Return.

    A kind of graph says where its nodes are (`rect_of`), in which column (`column_of`) and row they stand, and what
    they are in words (`said`); its ``graph`` has ``nodes``, each with a ``row``, and ``neighbours(number)``.

    Attributes
    ----------
    chosen : Signal
        Number of the node that the user chose, -1 for none.
    opened : Signal
        Number of the node that the user wants to open.
    """

    chosen = Signal(int)
    opened = Signal(int)
    graph: Any = None

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.selected = -1
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAccessibleName(name)

    # --- of a kind of graph ---------------------------------------------------------------------

    def rect_of(self, number: int) -> QRectF:
        """Return where a node is drawn."""
        raise NotImplementedError

    def column_of(self, number: int) -> int:
        """Return the column of a node."""
        raise NotImplementedError

    def said(self, number: int) -> str:
        """Return a node in words, for tool tips and screen readers."""
        raise NotImplementedError

    def first(self) -> int:
        """Return the node that a key chooses when none is."""
        return 0

    # --- of all of them -------------------------------------------------------------------------

    def select(self, number: int) -> None:
        """Choose a node without telling anybody; -1: none."""
        if number != self.selected:
            self.selected = number
            self.setAccessibleDescription(self.said(number) if number >= 0 else "")
            self.update()

    def node_at(self, place: QPointF) -> int:
        """Return the number of the node at a place, -1 for none."""
        return next((n for n in range(self._count()) if self.rect_of(n).contains(place)), -1)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._choose(self.node_at(event.position()))
        else:
            super().mousePressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        number = self.node_at(event.position())
        if number >= 0 and event.button() == Qt.MouseButton.LeftButton:
            self.opened.emit(number)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        over = self.node_at(event.position()) >= 0
        self.setCursor(Qt.CursorShape.PointingHandCursor if over else Qt.CursorShape.ArrowCursor)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.selected >= 0:
            self.opened.emit(self.selected)
        elif key in STEPS and self._count():
            self._choose(self._next(*STEPS[key]))
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip:
            number = self.node_at(QPointF(event.pos()))  # type: ignore[attr-defined]
            QToolTip.showText(event.globalPos(), self.said(number) if number >= 0 else "", self)  # type: ignore[attr-defined]
            return True
        return super().event(event)

    def _count(self) -> int:
        return len(self.graph.nodes) if self.graph is not None else 0

    def _choose(self, number: int) -> None:
        self.select(number)
        self.chosen.emit(number)

    def _next(self, across: int, down: int) -> int:
        """Return the nearest node in a direction from the chosen one."""
        if self.selected < 0:
            return self.first()
        nodes, column = self.graph.nodes, self.column_of(self.selected)
        row = nodes[self.selected].row
        if across:
            linked = self.graph.neighbours(self.selected)
            ahead = [n for n in linked if (self.column_of(n) - column) * across > 0]
        else:
            ahead = [n for n in range(len(nodes)) if self.column_of(n) == column and (nodes[n].row - row) * down > 0]
        # The next column first, and there the nearest row.
        return min(ahead, key=lambda n: (abs(self.column_of(n) - column), abs(nodes[n].row - row)),
                   default=self.selected)  # fmt: skip


def draw_frame(painter: QPainter, area: QRectF, fill: QColor, pen: QPen, mark: QColor, scale: float = 1.0) -> QRectF:
    """Draw a node without its words, and return the room for them."""
    painter.setBrush(fill)
    painter.setPen(pen)
    painter.drawRoundedRect(area, 6 * scale, 6 * scale)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(mark)
    stripe = QRectF(area.left() + 5 * scale, area.top() + 8 * scale, STRIPE * scale, area.height() - 16 * scale)
    painter.drawRoundedRect(stripe, 2, 2)
    return area.adjusted((STRIPE + 13) * scale, 4 * scale, -8 * scale, -5 * scale)


def draw_curve(painter: QPainter, start: QRectF, end: QRectF, pen: QPen, most: float = float("inf")) -> None:
    """Draw a line from the right side of a node to the left side of another, bent within ``most`` of either."""
    first, last = QPointF(start.right(), start.center().y()), QPointF(end.left(), end.center().y())
    bend = QPointF(min((last.x() - first.x()) / 2, most), 0)
    path = QPainterPath(first)
    path.cubicTo(first + bend, last - bend, last)
    painter.strokePath(path, pen)
