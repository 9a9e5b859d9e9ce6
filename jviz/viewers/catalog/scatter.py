"""The viewer of scatter plots: any two expressions over the columns of catalogues."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PySide6.QtCore import QLineF, QPointF
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QWidget

from jviz.backend.catalogs.expressions import Values
from jviz.catalog_views import CatalogLayer, ScatterView
from jviz.catalogs import at_hand, axes_for, evaluated, passing, scaled, spans
from jviz.data import Catalog
from jviz.errors import JvizError
from jviz.session import Session
from jviz.viewers.base import viewer
from jviz.viewers.catalog.colour_bar import ColourBar, colour_bar
from jviz.viewers.catalog.lines import spans_of_tracks
from jviz.viewers.catalog.plots import MANY, CatalogPlot, RowReadout, axis_ends, colour_of
from jviz.viewers.catalog.rows import Marking, Rows, draw_rows
from jviz.viewers.plot.frame import Frame, Title
from jviz.viewers.readout import number_text, pretty_unit

__all__ = ["ScatterViewer"]

MOST_BARS = 5_000
REACH = 12.0
LONGEST = 48
"""Letters of a description that goes along an axis."""

Plotted = tuple[Catalog, tuple[str, str]]
"""A catalogue, and the expressions for x and y."""


@dataclass(eq=False)
class Cloud:
    """The points of one catalogue."""

    layer: CatalogLayer
    x: Values
    y: Values
    rows: np.ndarray | None
    """True for those that the filter lets through; None: all."""


@dataclass(kw_only=True)
class ScatterScene(Frame):
    """All that painting points needs."""

    view: ScatterView
    clouds: list[Cloud] = field(default_factory=list)
    bar: ColourBar | None = None

    def rows(self, cloud: Cloud) -> Rows:
        """Return where the rows of a cloud lie."""
        (a, c), (e, f) = self.x.linear, self.y.linear
        to = np.array([[a, 0.0, c], [0.0, e, f]])
        return Rows(scaled(cloud.x, self.x.log), scaled(cloud.y, self.y.log), to, cloud.rows)


@viewer(kind="scatter", title="Scatter Plot", view=ScatterView)
class ScatterViewer(CatalogPlot):
    """Draws rows as points: shapes, stamps or a picture of their density; selections in their colours."""

    tools = (
        ("lasso", "fa6s.draw-polygon", "Lasso: drag round the points to select (L)"),
        ("box", "fa6s.vector-square", "Box: drag over the points to select (B)"),
    )

    def __init__(self, session: Session, state: ScatterView, parent: QWidget | None = None) -> None:
        self._clouds: list[Cloud] = []
        self._tried: tuple[Any, ...] | None = None
        super().__init__(session, state, parent)

    def fill_strip(self) -> None:
        """Boxes for x, y, colour and filter; switches; tools."""
        self.expression("x", "x", "Column or expression for x")
        self.expression("y", "y", "Column or expression for y")
        self.expression("color_by", "Colour", "Column or expression that colours the points")
        self.expression("filter", "Rows", "Condition: only rows for which it holds")
        self.strip.add_gap()
        self.switch("x_log", "fa6s.arrow-right-long", "Logarithmic x")
        self.switch("y_log", "fa6s.arrow-up-long", "Logarithmic y")
        self.switch("x_inverted", "fa6s.right-left", "Invert x")
        self.switch("y_inverted", "fa6s.arrow-down-long", "Invert y: magnitudes grow downwards")
        self.switch("errors", "fa6s.plus", "Error bars: one standard deviation")
        self.strip.add_gap()
        self.add_tools()

    def shown_text(self, name: str, value: str) -> str:
        """Show what is plotted also where nothing was chosen."""
        if name in ("x", "y") and self.state.data is not None:
            return axes_for(self.state, self.state.data)[name == "y"]
        return value

    # --- layout ---------------------------------------------------------------------------------

    def clouds(self) -> list[Cloud]:
        """Return the points of the visible layers; what cannot be worked out is told in `problem`.

        Many are worked out in a job; until it is done the last ones are shown.
        """
        layers = self.point_layers()
        wanted = [(layer.data, axes_for(self.state, layer.data)) for layer in layers]
        if not self._paper and self._is_to_come(wanted):
            self._ask(wanted)
            known = [cloud for cloud in self._clouds if cloud.layer in layers]
            self.problem = "" if known else "Working out the points…"
            return known
        self.problem, self._clouds = "", []
        for layer, (_, axes) in zip(layers, wanted, strict=True):
            try:
                x, y = (evaluated(layer.data, text) for text in axes if text)
                self._clouds.append(Cloud(layer, x, y, self.rows_of(layer)))
            except (JvizError, ValueError) as error:
                self.problem = str(error) if isinstance(error, JvizError) else f"{layer.data.name} has no numbers."
        return self._clouds

    def _is_to_come(self, wanted: list[Plotted]) -> bool:
        """Whether there are many points that are not worked out yet, and that it was not tried in vain."""
        if self._tried == self._key(wanted) or sum(len(data) for data, _ in wanted) <= MANY:
            return False
        view = self.state
        return not all(at_hand(data, axes, view.filter, (view.x_log, view.y_log)) for data, axes in wanted if all(axes))

    def _key(self, wanted: list[Plotted]) -> tuple[Any, ...]:
        view = self.state
        return (*wanted, view.filter, view.x_log, view.y_log)

    def _ask(self, wanted: list[Plotted]) -> None:
        """Have the points worked out; `clouds` finds them kept."""
        key, condition, log = self._key(wanted), self.state.filter, (self.state.x_log, self.state.y_log)

        def work() -> None:
            for data, axes in wanted:
                with suppress(JvizError):  # told when it is painted
                    x, y = (evaluated(data, text) for text in axes)
                    spans(x, y, passing(data, condition), log)

        def done(_: None) -> None:
            self._tried = key
            self.stir()

        self.work_out("Working out points", work, done)

    def scene_now(self) -> ScatterScene:
        """Lay out the points in the present size."""
        view, clouds = self.state, self.clouds()
        found = [spans(c.x, c.y, c.rows, (view.x_log, view.y_log)) for c in clouds]
        found = [np.array(span) for span in found if span is not None] or spans_of_tracks(view)
        x_range = axis_ends(view.x_range, [span[0] for span in found], view.x_log, view.x_inverted)
        y_range = axis_ends(view.y_range, [span[1] for span in found], view.y_log, view.y_inverted)
        titles = {}
        if clouds:
            first = clouds[0]
            titles = {"x_title": _title(first.x, first.layer), "y_title": _title(first.y, first.layer)}
        bar = colour_bar([cloud.layer for cloud in clouds], self.width())
        right = bar.room(self.look, self.height() - self.top) if bar is not None else 0.0
        return ScatterScene(**self.framed(x_range, y_range, right), clouds=clouds, bar=bar, **titles)

    # --- painting -------------------------------------------------------------------------------

    def paint(self, painter: QPainter, scene: ScatterScene) -> None:
        """Paint the plot, and beside it what its colours stand for."""
        super().paint(painter, scene)
        if scene.bar is not None:
            scene.bar.draw(painter, self.look, scene.picture)

    def paint_content(self, painter: QPainter, scene: ScatterScene) -> None:
        """Paint the points of all catalogues."""
        for cloud in scene.clouds:
            self._paint_cloud(painter, scene, cloud)

    def _paint_cloud(self, painter: QPainter, scene: ScatterScene, cloud: Cloud) -> None:
        layer, rows = cloud.layer, scene.rows(cloud)
        colour = colour_of(self.state, layer, self.look)
        if self.state.errors:
            count, numbers = rows.in_sight(scene.picture, MOST_BARS)
            if count <= MOST_BARS:
                _draw_bars(painter, scene, cloud, numbers, colour)
        marking = Marking(colour, self.look.faint, 0.6, "dot", density=self.state.density)
        try:
            draw_rows(painter, rows, scene.picture, layer, marking, self.selections(layer))
        except JvizError as error:
            self.problem = str(error)

    # --- mouse ----------------------------------------------------------------------------------

    def held_by(self, layer: CatalogLayer, outline: np.ndarray) -> np.ndarray:
        """Return True for the rows inside an outline."""
        scene = self.scene_now()
        return scene.rows(self._cloud(scene, layer)).inside(outline)

    def clicked_on(self, layer: CatalogLayer, place: QPointF) -> np.ndarray:
        """Return True for the row nearest to a place."""
        row = self._nearest(layer, place)
        return np.arange(len(layer.data)) == (-1 if row is None else row)

    def readout(self, position: QPointF) -> RowReadout | None:
        """Return the row that is nearest to a position, None when none is near."""
        for layer in reversed(self.point_layers()):
            row = self._nearest(layer, position)
            if row is not None:
                cloud = self._cloud(self.scene_now(), layer)
                text = f"{_said(cloud, row)}   row {row + 1} of {layer.data.name}"
                return RowReadout(self.state, layer.data, row, text)
        return None

    def _cloud(self, scene: ScatterScene, layer: CatalogLayer) -> Cloud:
        cloud = next((c for c in scene.clouds if c.layer is layer), None)
        if cloud is None:
            raise JvizError(self.problem or f"{layer.data.name} is not plotted.")
        return cloud

    def _nearest(self, layer: CatalogLayer, place: QPointF) -> int | None:
        scene = self.scene_now()
        try:
            rows = scene.rows(self._cloud(scene, layer))
        except JvizError:
            return None
        return rows.nearest((place.x(), place.y()), REACH)


def _title(values: Values, layer: CatalogLayer) -> Title:
    """Return the title of an axis; that of the time of a light curve says which clock it is of."""
    name = values.label.strip("`")
    column = layer.data.columns.get(name)
    is_clock = column is not None and name == "time" and 0 < len(column.about) <= LONGEST
    return Title(column.about if is_clock else name, values.unit)


def _draw_bars(painter: QPainter, scene: ScatterScene, cloud: Cloud, rows: np.ndarray, colour: str) -> None:
    """Draw bars of one standard deviation along both axes where it is known."""
    shade = QColor(colour)
    shade.setAlphaF(0.45)
    painter.setPen(QPen(shade, 1.0))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    x, y = scene.x.place(cloud.x.values[rows]), scene.y.place(cloud.y.values[rows])
    lines: list[QLineF] = []
    for axis, values, along in ((scene.x, cloud.x, True), (scene.y, cloud.y, False)):
        if values.error is None:
            continue
        low, high = (axis.place(values.values[rows] + sign * values.error[rows]) for sign in (-1, 1))
        for a, b, c, d in zip(x.tolist(), y.tolist(), low.tolist(), high.tolist(), strict=True):
            if np.isfinite(c) and np.isfinite(d):
                lines.append(QLineF(c, b, d, b) if along else QLineF(a, c, a, d))
    painter.drawLines(lines)


def _said(cloud: Cloud, row: int) -> str:
    parts = []
    for values in (cloud.x, cloud.y):
        error = "" if values.error is None or not np.isfinite(values.error[row]) else f" ± {values.error[row]:.3g}"
        parts.append(f"{values.label} {number_text(values.values[row])}{error} {pretty_unit(values.unit)}".rstrip())
    return "   ".join(parts)
