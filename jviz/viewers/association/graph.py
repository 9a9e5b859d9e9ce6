"""The graph of an association: members on the left, products in the middle, the files they become on the right."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from jviz.backend.associations.graph import MADE, Graph, Node
from jviz.viewers.graph import GAP, HEIGHT, WARN, NodeGraph, draw_frame
from jviz.viewers.look import Look, blended

__all__ = ["AssociationGraph"]

NOTHING = Graph((), (), 0.0)
MARGIN = 12.0
"""Logical pixels round all nodes."""

LEAST, NARROW, WIDE = 88.0, 150.0, 420.0
"""Least width of a node, that below which it says less, and the greatest one."""

CROWD = 150
"""Edges in sight above which they are drawn thin and without smoothing, which takes a tenth of the time."""

SHORT = 2000.0
"""Logical pixels of height down to which edges are drawn as smooth curves."""

MANY = 400
"""Nodes up to which short names are worked out for narrow graphs."""

CLOSE, FAR = 20.0, 140.0
"""Least and greatest room between columns."""

COLOURS = {
    "science": ("#1f6feb", "#6aa6ff"), "product": ("#1f6feb", "#6aa6ff"),
    "background": ("#c05f00", "#f0a050"), "imprint": ("#7a4bb5", "#b794e8"), "psf": ("#1c7f5c", "#4fc99a"),
    "sourcecat": ("#5c6b7a", "#9fb0c0"), "segmap": ("#5c6b7a", "#9fb0c0"), "direct_image": ("#5c6b7a", "#9fb0c0"),
    MADE: ("#1c7f5c", "#4fc99a"),
}  # fmt: skip
"""Of roles, on light and on dark ground."""


class AssociationGraph(NodeGraph):
    """Draws the graph of an association as wide as there is room; see `NodeGraph`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Graph of members and products", parent)
        self.graph: Graph = NOTHING
        self._look: Look | None = None
        self._brief: dict[str, str] = {}
        self._rows, self._ends = np.empty(0), np.empty((0, 2), int)
        self._columns, self._of_columns = np.empty(0, int), [0, 0, 0]
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.MinimumExpanding)

    def show_graph(self, graph: Graph | None) -> None:
        """Take over a graph; what was chosen stays so when it is still there."""
        name = self.selected_name
        self.graph, self.selected = graph or NOTHING, -1
        self._brief = _briefly(self.graph) if len(self.graph.nodes) <= MANY else {}
        self._rows = np.array([node.row for node in self.graph.nodes])
        self._ends = np.array([(edge.first, edge.second) for edge in self.graph.edges], int).reshape(-1, 2)
        columns = [node.column for node in self.graph.nodes]
        self._columns = np.array(columns, int)
        self._of_columns = [columns.index(column) if column in columns else 0 for column in range(3)]
        self.select_name(name)
        self.updateGeometry()
        self.setMinimumSize(self.minimumSizeHint())
        self.update()

    def name_of(self, number: int) -> str:
        """Return the name of a node, "" for -1."""
        return self.graph.nodes[number].name if number >= 0 else ""

    @property
    def selected_name(self) -> str:
        """Name of the chosen node, "" for none."""
        return self.name_of(self.selected)

    def select_name(self, name: str) -> None:
        """Choose a node by name, without telling anybody."""
        self.select(next((n for n, node in enumerate(self.graph.nodes) if node.name == name), -1))

    def wear(self, look: Look | None) -> None:
        """Draw with these colours and font; None: those of the theme."""
        self._look = look
        self.update()

    def minimumSizeHint(self) -> QSize:
        return QSize(round(3 * LEAST + 2 * CLOSE + 2 * MARGIN), round(self._height()))

    def sizeHint(self) -> QSize:
        return QSize(round(3 * NARROW + 2 * 60 + 2 * MARGIN), round(self._height()))

    def _height(self) -> float:
        return 2 * MARGIN + max(self.graph.rows, 1.0) * (HEIGHT + GAP) - GAP

    # --- where things are -----------------------------------------------------------------------

    def rect_of(self, number: int) -> QRectF:
        """Return where a node is drawn."""
        node = self.graph.nodes[number]
        room = self.width() - 2 * MARGIN
        between = min(max(room * 0.065, CLOSE), FAR)
        wide = min(max((room - 2 * between) / 3, LEAST), WIDE)
        return QRectF(MARGIN + node.column * (wide + between), MARGIN + node.row * (HEIGHT + GAP), wide, HEIGHT)

    def column_of(self, number: int) -> int:
        return self.graph.nodes[number].column

    def said(self, number: int) -> str:
        return _said(self.graph.nodes[number])

    def node_at(self, place: QPointF) -> int:
        near = QRectF(place.x(), place.y(), 0, 0)
        return next((n for n in self._numbers_in(near) if self.rect_of(n).contains(place)), -1)

    # --- picture --------------------------------------------------------------------------------

    def paintEvent(self, event: Any) -> None:
        look = self._look or Look.of(self)
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
            painter.fillRect(event.rect(), QColor(look.canvas))
            briefly = self._brief if self.graph.nodes and self.rect_of(0).width() < NARROW else {}
            near = self.graph.neighbours(self.selected) if self.selected >= 0 else None
            seen = QRectF(event.rect()).adjusted(0, -HEIGHT, 0, HEIGHT)
            self._draw_edges(painter, look, near, seen)
            for number in self._numbers_in(seen):
                node, area = self.graph.nodes[number], self.rect_of(number)
                if area.intersects(seen):
                    state = (number == self.selected, self.hasFocus(), near is not None and number not in near)
                    _draw_node(painter, look, node, briefly.get(node.name, ""), area, *state)

    def _numbers_in(self, seen: QRectF) -> Iterable[int]:
        """Return the nodes of the rows in sight."""
        step = HEIGHT + GAP
        first, last = (seen.top() - MARGIN) / step - 1, (seen.bottom() - MARGIN) / step + 1
        return np.flatnonzero((self._rows >= first) & (self._rows <= last)).tolist()

    def _draw_edges(self, painter: QPainter, look: Look, near: set[int] | None, seen: QRectF) -> None:
        """Draw the parts of all edges that are in sight, those of one look in one path."""
        if not self.graph.edges or not len(self._rows):
            return
        columns = [self.rect_of(n) for n in self._of_columns]
        tops = self._rows * (HEIGHT + GAP) + MARGIN + HEIGHT / 2
        low, high = np.sort(tops[self._ends], axis=1).T
        shown = np.flatnonzero((low < seen.bottom()) & (high > seen.top()))
        looks: dict[tuple[str, bool], list[int]] = {}
        for number in shown.tolist():
            edge = self.graph.edges[number]
            linked = near is None or (edge.first in near and edge.second in near)
            looks.setdefault((edge.role, linked), []).append(number)
        for (role, linked), numbers in looks.items():
            colour, some = _colour(look, role), near is not None
            colour.setAlphaF(0.95 if some and linked else 0.6 if linked else 0.14)
            crowd = len(numbers) > CROWD
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, not crowd)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            width = 1.0 if crowd else 2.2 if some and linked else 1.4
            painter.setPen(QPen(colour, width, c=Qt.PenCapStyle.FlatCap))
            sides = self._columns[self._ends[numbers]]
            left = np.array([area.right() for area in columns])[sides[:, 0]]
            right = np.array([area.left() for area in columns])[sides[:, 1]]
            first, last = tops[self._ends[numbers, 0]], tops[self._ends[numbers, 1]]
            if crowd or float(np.abs(last - first).max()) > SHORT:
                painter.drawLines(_lines(left, first, right, last, seen))
            else:
                painter.drawPath(_curves(left, first, right, last))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)


_t = np.linspace(0, 1, 25)
STEPS_X, STEPS_Y = 1.5 * _t * (1 - _t) + _t**3, 3 * _t**2 - 2 * _t**3
"""Points of a Bézier curve that leaves and arrives level, as parts of its width and height."""



def _briefly(graph: Graph) -> dict[str, str]:
    """Return what tells the names of a column apart: without the parts that all of them have."""
    found = {}
    for column in range(3):
        names = [node.name for node in graph.nodes if node.column == column]
        parts = [re.split(r"(?<=_)|(?=[_.])", name) for name in names]
        start, end = _common(parts), _common([part[::-1] for part in parts])
        for name, part in zip(names, parts, strict=True):
            middle = "".join(part[start : len(part) - end]).strip("_.")
            if len(names) > 1 and middle:
                found[name] = f"…{middle}{'…' if end else ''}"
    return found


def _common(parts: list[list[str]]) -> int:
    """Return how many first parts are the same in all."""
    count = 0
    for column in zip(*parts, strict=False):
        if len(set(column)) > 1:
            break
        count += 1
    return count


def _colour(look: Look, role: str) -> QColor:
    return QColor(COLOURS[role][look.is_dark]) if role in COLOURS else QColor(look.faint)


def _curves(x0: np.ndarray, y0: np.ndarray, x1: np.ndarray, y1: np.ndarray) -> QPainterPath:
    """Return curves from points to points that leave and arrive level."""
    path = QPainterPath()
    for ax, ay, bx, by in np.stack([x0, y0, x1, y1], axis=1).tolist():
        path.moveTo(ax, ay)
        path.cubicTo((ax + bx) / 2, ay, (ax + bx) / 2, by, bx, by)
    return path


def _lines(x0: np.ndarray, y0: np.ndarray, x1: np.ndarray, y1: np.ndarray, seen: QRectF) -> list[QLineF]:
    """Return curves from points to points as lines, as far as they are in sight.

    Qt takes seconds for curves of thousands of pixels.
    """
    xs, ys = x0[:, None] + STEPS_X * (x1 - x0)[:, None], y0[:, None] + STEPS_Y * (y1 - y0)[:, None]
    low, high = seen.top(), seen.bottom()
    inside = (np.minimum(ys[:, :-1], ys[:, 1:]) < high) & (np.maximum(ys[:, :-1], ys[:, 1:]) > low)
    ends = [(values[:, :-1][inside], values[:, 1:][inside]) for values in (xs, ys)]
    (ax, bx), (ay, by) = ends
    rise = np.where(by == ay, 1.0, by - ay)
    cut = [np.clip(y, low, high) for y in (ay, by)]
    at = [np.where(y == old, x, ax + (y - ay) / rise * (bx - ax)) for y, old, x in ((cut[0], ay, ax), (cut[1], by, bx))]
    return [QLineF(*line) for line in np.stack([at[0], cut[0], at[1], cut[1]], axis=1).tolist()]


def _draw_node(
    painter: QPainter, look: Look, node: Node, brief: str, area: QRectF, chosen: bool, focused: bool, faded: bool
) -> None:
    canvas, text = QColor(look.canvas), QColor(look.text)
    accent = colour = _colour(look, node.role)
    fill = blended(canvas, accent, 0.22) if chosen else blended(canvas, text, 0.07)
    line = accent if chosen else blended(canvas, text, 0.3)
    gone = node.present is False
    painter.setOpacity(0.45 if faded else 1.0)
    style = Qt.PenStyle.DashLine if gone else Qt.PenStyle.SolidLine
    inside = draw_frame(painter, area, fill, QPen(line, 2.0 if chosen and focused else 1.2, style), colour)
    font = look.font(0.96, bold=node.column == 1)
    painter.setFont(font)
    painter.setPen(text)
    mode = Qt.TextElideMode.ElideMiddle if node.column == 1 else Qt.TextElideMode.ElideLeft
    name = QFontMetricsF(font).elidedText(brief or node.name, mode, inside.width())
    painter.drawText(inside, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop), name)
    _draw_about(painter, look, node, inside, gone)
    painter.setOpacity(1.0)


def _draw_about(painter: QPainter, look: Look, node: Node, inside: QRectF, gone: bool) -> None:
    font = look.font(0.84)
    painter.setFont(font)
    words, state = _words(node)
    if inside.width() < NARROW - 25:
        words, state = words.partition(" · ")[0], ""
    faint = blended(QColor(look.canvas), QColor(look.text), 0.68)
    flags = int(Qt.AlignmentFlag.AlignBottom)
    right = QFontMetricsF(font).horizontalAdvance(state) + 8 if state else 0.0
    painter.setPen(faint)
    shown = QFontMetricsF(font).elidedText(words, Qt.TextElideMode.ElideRight, inside.width() - right)
    painter.drawText(inside, flags | int(Qt.AlignmentFlag.AlignLeft), shown)
    if state:
        painter.setPen(QColor(WARN[look.is_dark]) if gone and node.role != MADE else faint)
        painter.drawText(inside, flags | int(Qt.AlignmentFlag.AlignRight), state)


def _words(node: Node) -> tuple[str, str]:
    """Return what stands below a name: its role and meaning, and whether it is there."""
    if node.column == 1:
        return node.short, ""
    if node.role == MADE:
        return node.short, "there" if node.present else "not made yet" if node.present is False else ""
    words = [node.role.replace("_", " ") or "no role", node.short]
    return " · ".join(word for word in words if word), "missing" if node.present is False else ""


def _said(node: Node) -> str:
    """Return a node in words, for tool tips and screen readers."""
    state = _words(node)[1]
    role = "" if node.column else f"{node.role or 'no role'}, "
    return f"{node.name}\n{role}{node.about}" + (f"\n{state}" if state else "")
