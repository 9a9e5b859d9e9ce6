"""The viewer of histograms: how often the values of an expression over the columns of catalogues occur."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from jviz.catalog_views import CatalogLayer, HistogramView
from jviz.catalogs import axes_for, evaluated
from jviz.errors import JvizError
from jviz.viewers.base import viewer
from jviz.viewers.catalog.plots import CatalogPlot, RowReadout, axis_ends, colour_of
from jviz.viewers.plot.curves import polygon
from jviz.viewers.plot.frame import Frame, Title
from jviz.viewers.readout import number_text, pretty_unit

__all__ = ["HistogramViewer", "bin_edges"]

MOST_BINS = 1_000


def bin_edges(values: np.ndarray, bins: int | None, log: bool = False) -> np.ndarray:
    """Return borders of bins of equal width, on a logarithmic axis of equal ratio.

    Without a number, their width is 2 IQR / n^(1/3) (Freedman & Diaconis 1981), and there are 5 to 1,000.
    """
    values = np.log10(values[values > 0]) if log else values
    if not len(values):
        return np.array([1.0, 10.0])
    low, high = float(values.min()), float(values.max())
    if low == high:
        low, high = low - 0.5, high + 0.5
    if bins is None:
        width = 2 * float(np.subtract(*np.percentile(values, (75, 25)))) / len(values) ** (1 / 3)
        bins = int(np.clip(np.ceil((high - low) / width), 5, MOST_BINS)) if width > 0 else 5
    edges = np.linspace(low, high, bins + 1)
    return 10.0**edges if log else edges


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


@viewer(kind="histogram", title="Histogram", view=HistogramView)
class HistogramViewer(CatalogPlot):
    """Draws counts in bins; a drag with the range tool selects the rows between two values."""

    tools = (("box", "fa6s.arrows-left-right-to-line", "Range: drag over values to select rows (B)"),)
    _kept: tuple[tuple, Counts] | None = None

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

    def _values(self, layer: CatalogLayer) -> tuple[np.ndarray, np.ndarray, str]:
        """Return the values of all rows, which of them count, and their unit."""
        made, rows = evaluated(layer.data, self._expression(layer.data)), self.rows_of(layer)
        with np.errstate(invalid="ignore"):
            good = np.isfinite(made.values) & ((made.values > 0) | (not self.state.x_log))
        return made.values, good if rows is None else good & rows, made.unit

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
        """Return edges, bars, what they are of and what is wrong; counted anew only when one of the causes changed."""
        view = self.state
        causes = tuple(
            (layer, layer.data, self._expression(layer.data), layer.color, *self.selections(layer))
            for layer in view.layers
            if layer.visible and layer.data is not None
        )
        key = (causes, view.filter, view.x_log, view.bins, view.cumulative, view.normalize, self.look)
        if self._kept is None or self._kept[0] != key:
            self._kept = (key, self._count([cause[0] for cause in causes]))
        return self._kept[1]

    def _count(self, layers: list[CatalogLayer]) -> Counts:
        self.problem, view, found, title = "", self.state, [], Title()
        for layer in layers:
            try:
                values, good, unit = self._values(layer)
            except JvizError as error:
                self.problem = str(error)
                continue
            found.append((layer, values, good))
            title = Title(self._expression(layer.data).strip("`"), unit)
        together = np.concatenate([values[good] for _, values, good in found]) if found else np.zeros(0)
        edges = bin_edges(together, view.bins, view.x_log)
        bars = []
        for layer, values, good in found:
            bars.append(Bars(layer, colour_of(view, layer, self.look), self._counted(values[good], edges, good.sum())))
            for subset in self.selections(layer):
                part = values[good & subset.region]
                bars.append(Bars(layer, subset.color, self._counted(part, edges, good.sum()), True))
        return edges, bars, title, self.problem

    def _counted(self, values: np.ndarray, edges: np.ndarray, rows: Any) -> np.ndarray:
        counts = np.histogram(values, edges)[0].astype(float)
        if self.state.cumulative:
            counts = counts.cumsum()
        return counts / max(int(rows), 1) if self.state.normalize else counts

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
        values, good, _ = self._values(layer)
        with np.errstate(invalid="ignore"):
            return good & (values >= ends[0]) & (values <= ends[1])

    def clicked_on(self, layer: CatalogLayer, place: QPointF) -> np.ndarray:
        """Return True for the rows of the bin at a place."""
        scene = self.scene_now()
        n = int(np.searchsorted(scene.edges, scene.x.value(place.x()), side="right")) - 1
        values, good, _ = self._values(layer)
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
