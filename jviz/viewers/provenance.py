"""The graph of what a file was made of: drawn in a widget whose nodes are clicked, and into files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QPointF, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from jviz.backend.files import writing
from jviz.backend.library.provenance import Edge, Graph, Node
from jviz.errors import JvizError
from jviz.outputs import maker_of
from jviz.viewers.graph import GAP, HEIGHT, WARN, NodeGraph, draw_curve, draw_frame
from jviz.viewers.look import Look, blended
from jviz.viewers.picture import MOST_PIXELS, WRITERS, needs_application

__all__ = ["ProvenanceGraph", "save_provenance"]

ACROSS, MARGIN = 150.0, 16.0
"""Logical pixels at the usual size of the font: between columns, round all nodes."""

NARROWEST, WIDEST, SIDES = 200.0, 420.0, 30.0
"""Least and greatest width of a node, and what it has beside its name."""

USUAL = 13.0
"""Height of the usual font in logical pixels."""

COLOURS = {
    "product": ("#1f6feb", "#6aa6ff"), "exposure": ("#1c7f5c", "#4fc99a"), "association": ("#7a4bb5", "#b794e8"),
    "reference": ("#5c6b7a", "#9fb0c0"), "more": ("#5c6b7a", "#9fb0c0"),
}  # fmt: skip
"""Of roles, on light and on dark ground."""

STATES = {"missing": "missing", "dropped": "dropped, can be fetched", "unknown": "not in the library"}
LEFT, RIGHT = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight
TOP, BOTTOM = Qt.AlignmentFlag.AlignTop, Qt.AlignmentFlag.AlignBottom


class ProvenanceGraph(NodeGraph):
    """Draws what a file was made of, at the size that it needs; see `NodeGraph`."""

    def __init__(self) -> None:
        super().__init__("Provenance graph")
        self.graph: Graph | None = None

    def show_graph(self, graph: Graph | None) -> None:
        """Take over a graph; nothing is chosen."""
        self.graph, self.selected = graph, -1
        self.resize(self.sizeHint())
        self.setMinimumSize(self.sizeHint())
        self.update()

    def first(self) -> int:
        return self.graph.focus

    def column_of(self, number: int) -> int:
        return self.graph.nodes[number].rank

    def said(self, number: int) -> str:
        return said_of(self.graph, number)

    def sizeHint(self) -> QSize:
        size = Layout(self.graph, Look.of(self)).size if self.graph is not None else QSizeF(200, 120)
        return size.toSize()

    def rect_of(self, number: int) -> QRectF:
        """Return where a node is drawn."""
        return Layout(self.graph, Look.of(self)).rect(self.graph.nodes[number])

    def node_at(self, place: QPointF) -> int:
        if self.graph is None:
            return -1
        layout = Layout(self.graph, Look.of(self))  # once for all nodes
        return next((n for n, node in enumerate(self.graph.nodes) if layout.rect(node).contains(place)), -1)

    def paintEvent(self, event: Any) -> None:
        look = Look.of(self)
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
            painter.fillRect(event.rect(), QColor(look.canvas))
            if self.graph is not None:
                seen = QRectF(event.rect())
                draw(painter, self.graph, look, self.selected, focused=self.hasFocus(), seen=seen)


def save_provenance(graph: Graph, path: Path, theme: str = "light") -> None:
    """Draw a graph into a PNG, PDF or SVG file, at the size that it needs.

    Parameters
    ----------
    theme : {"light", "dark", "screen"}

    Raises
    ------
    JvizError
        For another suffix, or when the file cannot be written.
    """
    writer = maker_of(path, WRITERS, "pictures")
    needs_application()
    look, ratio = Look.for_paper(theme), 2.0
    size = Layout(graph, look).size
    width, height = round(size.width() * ratio), round(size.height() * ratio)
    if width * height > MOST_PIXELS:
        raise JvizError(f"A picture of all {len(graph.nodes)} files would have {width} × {height} pixels, which is too "
                        "large. Leave the reference files out.")  # fmt: skip

    def paint(painter: QPainter) -> None:
        painter.fillRect(QRectF(0, 0, size.width(), size.height()), QColor(look.canvas))
        draw(painter, graph, look)

    with writing(path) as temporary:
        writer(temporary, width, height, ratio, paint)


# --- drawing --------------------------------------------------------------------------------------


class Layout:
    """Where the nodes of a graph stand, in logical pixels: they are as wide as the longest name needs."""

    def __init__(self, graph: Graph, look: Look) -> None:
        self.scale = max(look.pixels / USUAL, 0.6)
        metrics = QFontMetricsF(look.font(0.92, bold=True))
        longest = max(metrics.horizontalAdvance(node.name) for node in graph.nodes)
        self.wide = min(max(longest / self.scale + SIDES, NARROWEST), WIDEST)
        self.size = QSizeF(2 * MARGIN + graph.columns * (self.wide + ACROSS) - ACROSS,
                           2 * MARGIN + graph.rows * (HEIGHT + GAP) - GAP) * self.scale  # fmt: skip

    def rect(self, node: Node) -> QRectF:
        """Return where a node is drawn."""
        left, top = MARGIN + node.rank * (self.wide + ACROSS), MARGIN + node.row * (HEIGHT + GAP)
        return QRectF(left * self.scale, top * self.scale, self.wide * self.scale, HEIGHT * self.scale)


def draw(painter: QPainter, graph: Graph, look: Look, selected: int = -1, *, focused: bool = False,
         seen: QRectF | None = None) -> None:  # fmt: skip
    """Draw a graph, or what is in sight of it; what the selected node is joined with stands out."""
    layout = Layout(graph, look)
    seen = QRectF(QPointF(0, 0), layout.size) if seen is None else seen
    near = graph.neighbours(selected) if selected >= 0 and selected != graph.focus else None
    for edge in graph.edges:
        strong = near is None or selected in (edge.first, edge.second)
        _draw_edge(painter, graph, edge, look, layout, strong)
    for number, node in enumerate(graph.nodes):
        if not layout.rect(node).adjusted(-3, -3, 3, 3).intersects(seen):
            continue
        faded = near is not None and number not in near
        _draw_node(painter, node, look, layout, number == graph.focus, number == selected and focused, faded)
    _draw_steps(painter, graph, look, layout, near)


def _colour(look: Look, role: str) -> QColor:
    return QColor(COLOURS[role][look.is_dark])


def _draw_edge(painter: QPainter, graph: Graph, edge: Edge, look: Look, layout: Layout, strong: bool) -> None:
    start, end = (layout.rect(graph.nodes[number]) for number in (edge.first, edge.second))
    colour = _colour(look, graph.nodes[edge.first].role)
    colour.setAlphaF(0.75 if strong else 0.15)
    style = Qt.PenStyle.DashLine if edge.role == "name" else Qt.PenStyle.SolidLine
    draw_curve(painter, start, end, QPen(colour, 1.5 * layout.scale, style), ACROSS * layout.scale / 2)


def _draw_node(painter: QPainter, node: Node, look: Look, layout: Layout, is_focus: bool, focused: bool,
               faded: bool) -> None:  # fmt: skip
    canvas, text, colour = QColor(look.canvas), QColor(look.text), _colour(look, node.role)
    area, scale, here = layout.rect(node), layout.scale, node.state == "present"
    painter.setOpacity(0.45 if faded else 1.0)
    fill = blended(canvas, colour, 0.22) if is_focus else blended(canvas, text, 0.06)
    line = colour if is_focus or focused else blended(canvas, text, 0.3)
    style = Qt.PenStyle.SolidLine if here or node.role == "more" else Qt.PenStyle.DashLine
    pen = QPen(line, (2.2 if focused else 1.6 if is_focus else 1.1) * scale, style)
    _draw_words(painter, node, look, draw_frame(painter, area, fill, pen, colour, scale), is_focus)
    painter.setOpacity(1.0)


def _draw_words(painter: QPainter, node: Node, look: Look, inside: QRectF, is_focus: bool) -> None:
    font = look.font(0.92, bold=is_focus)
    painter.setFont(font)
    painter.setPen(QColor(look.text))
    name = QFontMetricsF(font).elidedText(node.name, Qt.TextElideMode.ElideMiddle, inside.width())
    painter.drawText(inside, int(LEFT | TOP), name)
    small = look.font(0.8)
    metrics, state = QFontMetricsF(small), STATES.get(node.state, "") if node.role != "more" else ""
    painter.setFont(small)
    painter.setPen(blended(QColor(look.canvas), QColor(look.text), 0.7))
    about = " · ".join(filter(None, (node.role if node.role != "more" else "", node.about)))
    room = inside.width() - (metrics.horizontalAdvance(state) + 8 if state else 0)
    painter.drawText(inside, int(LEFT | BOTTOM), metrics.elidedText(about, Qt.TextElideMode.ElideRight, room))
    if state:
        painter.setPen(QColor(WARN[look.is_dark]))
        painter.drawText(inside, int(RIGHT | BOTTOM), state)


def _draw_steps(painter: QPainter, graph: Graph, look: Look, layout: Layout, near: set[int] | None) -> None:
    """Write what was done before each file that was made by steps: left of it, once for all that it was made of."""
    font = look.font(0.78)
    metrics = QFontMetricsF(font)
    painter.setFont(font)
    for number, node in enumerate(graph.nodes):
        steps = next((edge.steps for edge in graph.edges if edge.second == number and edge.steps), ())
        if not steps or (near is not None and number not in near):
            continue
        area, scale = layout.rect(node), layout.scale
        room = (ACROSS - 26) * scale
        text = metrics.elidedText(short_steps(steps), Qt.TextElideMode.ElideRight, room)
        wide = metrics.horizontalAdvance(text) + 10 * scale
        place = QRectF(area.left() - wide - 8 * scale, area.center().y() - metrics.height() * 0.65, wide,
                       metrics.height() * 1.3)  # fmt: skip
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(look.canvas))
        painter.drawRoundedRect(place, 4 * scale, 4 * scale)
        painter.setPen(QColor(look.text))
        painter.drawText(place, int(Qt.AlignmentFlag.AlignCenter), text)


def short_steps(steps: tuple[str, ...]) -> str:
    """Return steps in a few letters: the last one, and how many came before."""
    return steps[-1] if len(steps) == 1 else f"{steps[-1]} + {len(steps) - 1}"


def said_of(graph: Graph, number: int) -> str:
    """Return a node in words, for tool tips and screen readers."""
    node = graph.nodes[number]
    state = STATES.get(node.state, "") if node.role != "more" else ""
    lines = [node.name, ", ".join(filter(None, (node.role if node.role != "more" else "", node.about, state)))]
    steps = next((edge.steps for edge in graph.edges if edge.second == number and edge.steps), ())
    if steps:
        lines.append(f"Made by {', '.join(steps)}.")
    if any(edge.second == number and edge.role == "name" for edge in graph.edges):
        lines.append("What it was made of is known by the names alone.")
    return "\n".join(filter(None, lines))
