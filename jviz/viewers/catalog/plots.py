"""What scatter plots and histograms of catalogues share: a strip of controls, rows, and selecting by the mouse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPen, QPolygonF, QResizeEvent
from PySide6.QtWidgets import QWidget

from jviz.catalog_views import CatalogLayer, CatalogPlotView
from jviz.catalogs import passing, selections_of
from jviz.errors import JvizError
from jviz.session import Session
from jviz.viewers.catalog.lines import draw_lines, draw_names, shown_lines
from jviz.viewers.catalog.strip import ExpressionBox, Strip
from jviz.viewers.look import Look
from jviz.viewers.plot.axes import Axis
from jviz.viewers.plot.base import AxesViewer
from jviz.viewers.plot.frame import Frame, draw_frame, picture_in
from jviz.viewers.plot.paint import ON_DARK, ON_LIGHT

__all__ = ["MANY", "CatalogPlot", "RowReadout", "axis_ends", "colour_of"]

MANY = 100_000
"""Rows above which their values are worked out and counted off the main thread."""

ROOM = 0.04
"""Share of an axis that is left free at both ends."""

MODES = {
    Qt.KeyboardModifier.NoModifier: "new",
    Qt.KeyboardModifier.ShiftModifier: "or",
    Qt.KeyboardModifier.AltModifier: "andnot",
    Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.AltModifier: "and",
}
"""How rows join those that are selected, by the keys that are held."""


def colour_of(view: CatalogPlotView, layer: CatalogLayer, look: Look) -> str:
    """Return the colour of a catalogue: its own, or one of the theme's by its number."""
    colours = ON_DARK if look.is_dark else ON_LIGHT
    return layer.color or colours[view.layers.index(layer) % len(colours)]


@dataclass(frozen=True)
class RowReadout:
    """The row nearest to the cursor."""

    view: Any
    data: Any
    row: int
    text: str

    def __str__(self) -> str:
        return self.text


def axis_ends(
    chosen: tuple[float, float] | None, parts: list[np.ndarray], log: bool, inverted: bool
) -> tuple[float, float]:
    """Return the values at the two ends of an axis."""
    if chosen is not None:
        return chosen
    parts = [part for part in parts if len(part)]
    low, high = (min(p.min() for p in parts), max(p.max() for p in parts)) if parts else (1.0, 10.0)
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        # All alike but for rounding, which no ticks could tell apart.
        low, high = (low / 2, high * 2) if log else (low - (abs(low) / 2 or 0.5), high + (abs(high) / 2 or 0.5))
    if log:
        room = (high / low) ** ROOM
        low, high = low / room, high * room
    else:
        low, high = low - ROOM * (high - low), high + ROOM * (high - low)
    return (float(high), float(low)) if inverted else (float(low), float(high))


class CatalogPlot(AxesViewer):
    """A plot of rows of catalogues. With the lasso or the box, a drag selects rows in all viewers.

    Shift adds to the rows that are selected, Alt takes away, both keep what lies in both.
    """

    tools: tuple[tuple[str, str, str], ...] = ()
    """(tool, icon, tip) of the buttons that say what a drag does."""

    def __init__(self, session: Session, state: CatalogPlotView, parent: QWidget | None = None) -> None:
        self.tool = "pan"
        self.problem = ""
        self._is_working = False
        self._lasso: list[QPointF] = []
        self._paper = False
        super().__init__(session, state, parent)
        self.strip = Strip(self)
        self.boxes: dict[str, ExpressionBox] = {}
        self.switches: dict[str, Any] = {}
        self.tool_buttons: dict[str, Any] = {}
        self.fill_strip()
        session.subsets_changed.connect(self.stir)

    def release(self) -> None:
        """Stop listening."""
        self.session.subsets_changed.disconnect(self.stir)
        super().release()

    # --- the strip ------------------------------------------------------------------------------

    def fill_strip(self) -> None:
        """Add the controls; subclasses add theirs."""
        raise NotImplementedError

    def expression(self, name: str, label: str, hint: str) -> None:
        """Add a box for an expression that the state holds under a name."""
        box = ExpressionBox(hint, hint, lambda text: self.change(name, text))
        self.boxes[name] = box
        self.strip.add_box(label, box)

    def switch(self, name: str, icon: str, tip: str) -> None:
        """Add a button for something that the state has on or off."""
        self.switches[name] = self.strip.add_button(icon, tip, lambda on: self.change(name, bool(on)))

    def add_tools(self) -> None:
        """Add the buttons that say what a drag does."""
        for tool, icon, tip in (("pan", "fa6s.hand", "Move: drag to move, Ctrl and drag to zoom"), *self.tools):
            button = self.strip.add_button(icon, tip, lambda _, tool=tool: self.take_tool(tool))
            button.setAutoExclusive(True)
            self.tool_buttons[tool] = button
        self.tool_buttons["pan"].setChecked(True)

    def take_tool(self, tool: str) -> None:
        """Work with another tool."""
        self.tool = tool
        self.tool_buttons[tool].setChecked(True)

    def change(self, name: str, value: Any) -> None:
        """Set something of the state, or of its active layer, as one step; what is wrong is told."""
        owner = self.state if self.state.is_callback_property(name) else self.state.layer
        if owner is None or getattr(owner, name) == value:
            return
        try:
            if isinstance(value, str) and value and self.state.data is not None:
                self.check(name, value)
            values = {"x_range": None} if name == "x" else {"y_range": None} if name == "y" else {}
            self._seal()
            owner.update(**{name: value}, **(values if owner is self.state else {}))
            self._seal()
        except JvizError as error:
            self.session.notice("error", str(error))
            self.stir()

    def check(self, name: str, text: str) -> None:
        """Raise `JvizError` when a text cannot be what a state takes under a name."""
        from jviz.catalogs import evaluated

        if name == "filter":
            passing(self.state.data, text)
        elif name in self.boxes:
            evaluated(self.state.data, text)

    def refresh(self) -> None:
        """Bring the strip and the picture up to date."""
        data = self.state.data
        names = [n for n, c in data.columns.items() if c.is_number] if data is not None else []
        for name, box in self.boxes.items():
            owner = self.state if self.state.is_callback_property(name) else self.state.layer
            box.offer(names, self.shown_text(name, getattr(owner, name, "")))
        self.strip.share()
        self._fit_strip()
        for name, button in self.switches.items():
            button.setChecked(bool(getattr(self.state, name)))
        super().refresh()

    def shown_text(self, name: str, value: str) -> str:
        """Return what a box shows for a value of the state."""
        return value

    # --- what takes long -------------------------------------------------------------------------

    @property
    def is_sharp(self) -> bool:
        """Whether what is drawn is that of the present state."""
        return self.has_painted and not self._is_working

    def work_out(self, title: str, work: Callable[[], Any], take: Callable[[Any], None]) -> None:
        """Do something in a job, one at a time; whatever is wanted when it ends comes next.

        Parameters
        ----------
        take : callable
            Gets what ``work`` returns, None when it failed, in the thread of the widgets.
        """
        if self._is_working:
            return
        self._is_working = True

        def run(job: Any) -> None:
            made = None
            try:
                made = work()
            finally:
                self.session.dispatcher.call(lambda: done(made))

        def done(made: Any) -> None:
            self._is_working = False
            take(made)

        self.session.jobs.submit(title, run, quiet=True)

    # --- layout ---------------------------------------------------------------------------------

    def wear(self, look: Look) -> None:
        """Draw for a file: without the strip."""
        super().wear(look)
        self._paper = True
        self.strip.hide()

    @property
    def top(self) -> float:
        """Where the picture begins below the strip."""
        return 0.0 if self._paper else float(self.strip.height())

    def _fit_strip(self) -> None:
        """Give the strip the whole width."""
        self.strip.setGeometry(0, 0, self.width(), self.strip.fit(self.width()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lay out the strip anew."""
        self._fit_strip()
        super().resizeEvent(event)

    def draw(self, painter: QPainter) -> None:
        """Draw the picture, and on the screen the strip above it."""
        super().draw(painter)
        if not self._paper:
            self.strip.render(painter, self.strip.pos())

    def framed(
        self, x_range: tuple[float, float], y_range: tuple[float, float], right: float = 0.0
    ) -> dict[str, Any]:
        """Return what a scene needs of its frame, for these values at the ends of the axes.

        Parameters
        ----------
        right : float
            Pixels that are left free beside the picture.
        """
        view = self.state
        y_log, width, height = view.y_log, self.width(), self.height() - self.top
        picture = picture_in(width, height, self.look, Axis(*y_range, height, 0, y_log))
        picture.adjust(0, self.top, -min(right, picture.width() / 2), self.top)
        return {
            "view": view, "look": self.look, "picture": picture, "whole": QRectF(0, self.top, width, height),
            "x": Axis(*x_range, picture.left(), picture.right(), view.x_log),
            "y": Axis(*y_range, picture.bottom(), picture.top(), y_log), "grid": view.grid, "cursor": self._cursor,
        }  # fmt: skip

    def paint(self, painter: QPainter, scene: Frame) -> None:
        """Paint the frame, what lies in it, and what is being selected."""
        if not self.look.transparent:
            painter.fillRect(QRectF(0, 0, self.width(), self.height()), QColor(self.look.canvas))
        draw_frame(painter, scene)
        painter.save()
        painter.setClipRect(scene.picture, Qt.ClipOperation.IntersectClip)
        self.paint_content(painter, scene)
        lines, problem = shown_lines(self.state, self.look)
        draw_lines(painter, scene, lines)
        painter.restore()
        self.problem = self.problem or problem
        if self.state.legend:
            draw_names(painter, scene, lines)
        self.paint_problem(painter, scene.picture)
        self.paint_lasso(painter)

    def paint_content(self, painter: QPainter, scene: Any) -> None:
        """Paint points or bars, clipped to the picture."""
        raise NotImplementedError

    # --- rows -----------------------------------------------------------------------------------

    def point_layers(self) -> list[CatalogLayer]:
        """Return the layers whose rows are points or counts, not lines."""
        return [one for one in self.state.layers if one.visible and one.data is not None and one.drawing == "points"]

    def rows_of(self, layer: CatalogLayer) -> np.ndarray | None:
        """Return True for the rows that the filter lets through; None: all."""
        try:
            return passing(layer.data, self.state.filter)
        except JvizError as error:
            self.problem = str(error)
            return None

    def selections(self, layer: CatalogLayer) -> list[Any]:
        """Return the subsets of rows that are drawn in their colours."""
        return selections_of(self.session, layer.data)

    # --- selecting ------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin to select, or what every plot does."""
        if self.tool == "pan" or event.button() != Qt.MouseButton.LeftButton or not self.state.layers:
            super().mousePressEvent(event)
            return
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        self.activated.emit()
        self._lasso = [event.position()]

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Draw the lasso on, or what every plot does."""
        if not self._lasso:
            super().mouseMoveEvent(event)
            return
        if self.tool == "lasso":
            self._lasso.append(event.position())
        else:
            self._lasso = [self._lasso[0], event.position()]
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Select what the lasso or the box holds; a click selects the nearest row, or none."""
        if not self._lasso:
            super().mouseReleaseEvent(event)
            return
        drawn, self._lasso = self._lasso, []
        held = event.modifiers() & (Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.AltModifier)
        self.update()
        far = max((point - drawn[0]).manhattanLength() for point in drawn) > 6
        layer = self.state.layer
        if layer is None:
            return
        try:
            chosen = self.held_by(layer, self.outline(drawn)) if far else self.clicked_on(layer, drawn[0])
            if not chosen.any() and MODES[held] == "new":
                self.session.run("catalog.deselect", data=layer.data)
            else:
                rows = chosen if len(chosen) > MANY else np.flatnonzero(chosen)
                self.session.run("catalog.select", data=layer.data, rows=rows, mode=MODES[held])
        except JvizError as error:
            self.session.notice("error", str(error))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Give a lasso up with Escape; take tools with L, B and V; else what every plot does."""
        keys = {Qt.Key.Key_V: "pan", Qt.Key.Key_L: "lasso", Qt.Key.Key_B: "box"}
        if event.key() == Qt.Key.Key_Escape and self._lasso:
            self._lasso = []
            self.update()
        elif keys.get(Qt.Key(event.key())) in self.tool_buttons:
            self.take_tool(keys[Qt.Key(event.key())])
        else:
            super().keyPressEvent(event)

    def outline(self, drawn: list[QPointF]) -> np.ndarray:
        """Return the corners of what was drawn, in pixels, shape (n, 2)."""
        points = np.array([point.toTuple() for point in drawn])
        if self.tool == "lasso":
            return points
        (x0, y0), (x1, y1) = points[0], points[-1]
        return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])

    def held_by(self, layer: CatalogLayer, outline: np.ndarray) -> np.ndarray:
        """Return True for the rows that lie inside an outline in pixels."""
        raise NotImplementedError

    def clicked_on(self, layer: CatalogLayer, place: QPointF) -> np.ndarray:
        """Return True for the row at a place."""
        raise NotImplementedError

    def paint_lasso(self, painter: QPainter) -> None:
        """Draw what is being selected."""
        if len(self._lasso) < 2:
            return
        accent = QColor(self.look.accent)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setPen(QPen(accent, 1.5, Qt.PenStyle.DashLine))
        accent.setAlphaF(0.12)
        painter.setBrush(accent)
        painter.drawPolygon(QPolygonF([QPointF(*corner) for corner in self.outline(self._lasso).tolist()]))

    def paint_problem(self, painter: QPainter, picture: QRectF) -> None:
        """Say in the picture why there is nothing to see."""
        if self.problem:
            painter.setFont(self.look.font())
            painter.setPen(QColor(self.look.faint))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(picture.adjusted(20, 20, -20, -20), flags, self.problem)

    def event(self, event: QEvent) -> bool:
        """Make room for the strip when its height changes with font or theme."""
        done = super().event(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange, QEvent.Type.Polish):
            self._fit_strip()
        return done
