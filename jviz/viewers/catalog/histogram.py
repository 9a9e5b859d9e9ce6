"""The viewer of histograms: how often the values of an expression over the columns of catalogues occur."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from jviz.backend.catalogs.expressions import Values
from jviz.backend.catalogs.histograms import bin_edges, counted
from jviz.catalog_views import CatalogLayer, HistogramView
from jviz.catalogs import axes_for, evaluated, passing
from jviz.errors import JvizError
from jviz.viewers.base import viewer
from jviz.viewers.catalog.plots import MANY, CatalogPlot, RowReadout, axis_ends, colour_of
from jviz.viewers.plot.curves import polygon
from jviz.viewers.plot.frame import Frame, Title
from jviz.viewers.readout import number_text, pretty_unit

__all__ = ["HistogramViewer"]


@dataclass(eq=False)
class Bars:
    """Counts of one catalogue, or of a subset of its rows."""

    layer: CatalogLayer
    colour: str
    counts: np.ndarray
    is_part: bool = False


@dataclass(kw_only=True)
class HistogramScene(Frame):
    """All that painting bars needs."""

    view: HistogramView
    edges: np.ndarray = field(default_factory=lambda: np.array([0.0, 1.0]))
    bars: list[Bars] = field(default_factory=list)


Counts = tuple[np.ndarray, list[Bars], Title, str]


@dataclass(frozen=True)
class Part:
    """The rows of one catalogue that are to be counted."""

    layer: CatalogLayer
    data: Any
    expression: str
    colour: str
    subsets: tuple[Any, ...]


@dataclass(frozen=True)
class Question:
    """All that counts depend on."""

    parts: tuple[Part, ...]
    filter: str
    x_log: bool
    bins: int | None
    cumulative: bool
    normalize: bool

    def counts(self) -> Counts:
        """Count; takes long for millions of rows."""
        problem, found, title = "", [], Title()
        for part in self.parts:
            try:
                made, good, wrong = _values_of(part.data, part.expression, self.filter, log=self.x_log)
                problem = problem or wrong
            except JvizError as error:
                problem = str(error)
                continue
            found.append((part, made.values, good))
            title = Title(part.expression.strip("`"), made.unit)
        together = np.concatenate([values[good] for _, values, good in found]) if found else np.zeros(0)
        edges = bin_edges(together, self.bins, self.x_log)
        bars = []
        for part, values, good in found:
            rows = int(good.sum())
            bars.append(Bars(part.layer, part.colour, self._counted(values[good], edges, rows)))
            for subset in part.subsets:
                chosen = values[good & subset.region]
                bars.append(Bars(part.layer, subset.color, self._counted(chosen, edges, rows), True))
        return edges, bars, title, problem

    def _counted(self, values: np.ndarray, edges: np.ndarray, rows: int) -> np.ndarray:
        counts = counted(values, edges)
        if self.cumulative:
            counts = counts.cumsum()
        return counts / max(rows, 1) if self.normalize else counts


def _values_of(data: Any, expression: str, condition: str, *, log: bool) -> tuple[Values, np.ndarray, str]:
    """Return the values of all rows, which of them count, and what is wrong with the condition: all count then."""
    made = evaluated(data, expression)
    with np.errstate(invalid="ignore"):
        good = np.isfinite(made.values) & ((made.values > 0) | (not log))
    try:
        rows = passing(data, condition)
    except JvizError as error:
        return made, good, str(error)
    return made, good if rows is None else good & rows, ""


@viewer(kind="histogram", title="Histogram", view=HistogramView)
class HistogramViewer(CatalogPlot):
    """Draws counts in bins; a drag with the range tool selects the rows between two values."""

    tools = (("box", "fa6s.arrows-left-right-to-line", "Range: drag over values to select rows (B)"),)
    _kept: tuple[Question, Counts] | None = None

    def fill_strip(self) -> None:
        """Boxes for x and filter; switches; tools."""
        self.expression("x", "x", "Column or expression")
        self.expression("filter", "Rows", "Condition: only rows for which it holds")
        self.strip.add_gap()
        self.switch("x_log", "fa6s.arrow-right-long", "Logarithmic x")
        self.switch("y_log", "fa6s.arrow-up-long", "Logarithmic counts")
        self.switch("cumulative", "fa6s.stairs", "Cumulative")
        self.switch("normalize", "fa6s.percent", "Normalised: shares of the rows")
        self.strip.add_gap()
        self.add_tools()

    def shown_text(self, name: str, value: str) -> str:
        """Show what is plotted also where nothing was chosen."""
        if name == "x" and self.state.data is not None:
            return self._expression(self.state.data)
        return value

    def _expression(self, data: Any) -> str:
        return self.state.x or axes_for(self.state, data)[1]

    def _values(self, layer: CatalogLayer) -> tuple[np.ndarray, np.ndarray]:
        """Return the values of all rows, and which of them count."""
        view = self.state
        made, good, _ = _values_of(layer.data, self._expression(layer.data), view.filter, log=view.x_log)
        return made.values, good

    def scene_now(self) -> HistogramScene:
        """Lay out the bars in the present size."""
        edges, bars, title, self.problem = self._counts()
        view = self.state
        most = max((float(b.counts.max()) for b in bars if len(b.counts)), default=1.0) or 1.0
        floor = 0.5 / (most if view.normalize else 1.0) if view.y_log else 0.0
        y_range = view.y_range or ((floor, 1.5 * most) if view.y_log else (0.0, 1.06 * most))
        x_range = axis_ends(view.x_range, [edges], view.x_log, view.x_inverted)
        y_title = Title("share of rows" if view.normalize else "rows")
        return HistogramScene(**self.framed(x_range, y_range), edges=edges, bars=bars, x_title=title, y_title=y_title)

    def _counts(self) -> Counts:
        """Return edges, bars, what they are of and what is wrong; counted anew only when one of the causes changed.

        Many rows are counted in a job; until it is done the last counts are shown.
        """
        view = self.state
        parts = tuple(
            Part(layer, layer.data, self._expression(layer.data), colour_of(view, layer, self.look),
                 tuple(self.selections(layer)))
            for layer in self.point_layers()
        )  # fmt: skip
        wanted = Question(parts, view.filter, view.x_log, view.bins, view.cumulative, view.normalize)
        if self._kept is not None and self._kept[0] == wanted:
            return self._kept[1]
        if self._paper or sum(len(part.data) for part in parts) <= MANY:
            self._kept = (wanted, wanted.counts())
            return self._kept[1]
        last = self._kept
        self.work_out("Counting rows", wanted.counts, partial(self._take_counts, wanted))
        if last is not None and [part.data for part in last[0].parts] == [part.data for part in parts]:
            return last[1]
        return np.array([0.0, 1.0]), [], Title(parts[0].expression.strip("`")), "Counting…"

    def _take_counts(self, question: Question, counts: Counts | None) -> None:
        if counts is not None:
            self._kept = (question, counts)
            self.stir()

    def paint_content(self, painter: QPainter, scene: HistogramScene) -> None:
        """Paint the bars of all catalogues."""
        for bars in scene.bars:
            _draw_bars(painter, scene, bars)

    # --- mouse ----------------------------------------------------------------------------------

    def outline(self, drawn: list[QPointF]) -> np.ndarray:
        """Return the range that was drawn, over the whole height."""
        picture = self.scene_now().picture
        low, high = drawn[0].x(), drawn[-1].x()
        return np.array(
            [(low, picture.top()), (high, picture.top()), (high, picture.bottom()), (low, picture.bottom())]
        )

    def held_by(self, layer: CatalogLayer, outline: np.ndarray) -> np.ndarray:
        """Return True for the rows whose value lies between the ends of the range."""
        scene = self.scene_now()
        ends = sorted(scene.x.value(float(place)) for place in outline[:2, 0])
        values, good = self._values(layer)
        with np.errstate(invalid="ignore"):
            return good & (values >= ends[0]) & (values <= ends[1])

    def clicked_on(self, layer: CatalogLayer, place: QPointF) -> np.ndarray:
        """Return True for the rows of the bin at a place."""
        scene = self.scene_now()
        n = int(np.searchsorted(scene.edges, scene.x.value(place.x()), side="right")) - 1
        values, good = self._values(layer)
        if not 0 <= n < len(scene.edges) - 1:
            return np.zeros(len(values), bool)
        last = n == len(scene.edges) - 2
        with np.errstate(invalid="ignore"):
            below = values <= scene.edges[n + 1] if last else values < scene.edges[n + 1]
            return good & (values >= scene.edges[n]) & below

    def readout(self, position: QPointF) -> RowReadout | None:
        """Return the bin at a position."""
        scene = self.scene_now()
        n = int(np.searchsorted(scene.edges, scene.x.value(position.x()), side="right")) - 1
        if not scene.picture.contains(position) or not scene.bars or not 0 <= n < len(scene.edges) - 1:
            return None
        ends = " to ".join(number_text(float(edge)) for edge in scene.edges[n : n + 2])
        counted = ", ".join(f"{bars.counts[n]:.6g}" for bars in scene.bars)
        text = f"{scene.x_title.label} {ends} {pretty_unit(scene.x_title.unit)}".rstrip() + f"   {counted} rows"
        return RowReadout(self.state, self.state.data, n, text)


def _draw_bars(painter: QPainter, scene: HistogramScene, bars: Bars) -> None:
    """Fill below the steps of the counts."""
    across = np.repeat(scene.x.place(scene.edges), 2)
    base = max(scene.y.start, scene.y.end)
    tops = scene.y.place(bars.counts)
    tops = np.where(np.isfinite(tops), tops, base)
    down = np.concatenate([[base], np.repeat(tops, 2), [base]])
    fill = QColor(bars.colour)
    fill.setAlphaF(0.75 if bars.is_part else 0.3)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(fill)
    painter.drawPolygon(polygon(across, np.clip(down, -1e4, 1e5)))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(bars.colour), 1.2))
    painter.drawPolyline(polygon(across, np.clip(down, -1e4, 1e5)))
