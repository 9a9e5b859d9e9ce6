"""Painting a view of curves: one code for the screen, PNG, PDF and SVG."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPaintEngine, QPainter, QPen

from jviz.plot_views import Curve, PlotLayer, PlotView
from jviz.viewers.look import Look
from jviz.viewers.plot.axes import Curves, axes_between, spans_of
from jviz.viewers.plot.curves import outline_of, polygon
from jviz.viewers.plot.frame import Frame, Title, draw_frame, picture_in
from jviz.viewers.plot.legend import draw_legend

__all__ = ["PlotScene", "draw_curve", "ground", "layer_colors", "paint_plot", "plot_scene"]

ON_DARK = ("#6cb6ff", "#f6a23c", "#7ee787", "#ff7b72", "#d2a8ff", "#e3d26f", "#79d9d9", "#ff9bce")
ON_LIGHT = ("#0b63c4", "#b45309", "#1a7f37", "#c62828", "#7b3fbf", "#7a6a00", "#0b7a7a", "#b3307f")
FEW_PENS = 1_500
"""Points up to which lines may be wider than one pixel: Qt draws wide ones twenty times slower."""

FAR = 5e4
"""Pixels up and down above which pens are of width 1: noise over the whole height takes Qt 80 ms otherwise."""

MOST_BANDS = 8000
"""Samples of which the errors are drawn; of more in sight, every n-th."""

MANY_LAYERS = 24
"""Layers from which on colours run along a colour map: eight that come again and again would tell nothing."""

Shown = list[tuple[PlotLayer, Curve]]


@dataclass(kw_only=True)
class PlotScene(Frame):
    """All that painting curves needs.

    Attributes
    ----------
    colors : dict
        ``"#rrggbb"`` by the id of the layer.
    hovered : PlotLayer or None
        Drawn on top and wider, the others fainter.
    legend_first : int
        Which entry of the legend is its uppermost.
    legend_left : bool
        Whether the legend stands at the left, for curves that rise.
    """

    view: PlotView
    shown: Shown = field(default_factory=list)
    colors: dict[int, str] = field(default_factory=dict)
    hovered: PlotLayer | None = None
    legend_first: int = 0
    legend_left: bool = False

    @property
    def is_filled(self) -> bool:
        """Whether there is something to draw, or will be soon."""
        return bool(self.view.layers or self.shown)


def curves_of(view: PlotView) -> Shown:
    """Return the visible layers with their curves."""
    return [(layer, layer.data.curve()) for layer in view.layers if layer.visible and layer.data is not None]


def layer_colors(view: PlotView, look: Look) -> dict[int, str]:
    """Return the colours of all layers by their id."""
    count = len(view.layers)
    if count < MANY_LAYERS:
        colours = ON_DARK if look.is_dark else ON_LIGHT
        own = [colours[number % len(colours)] for number in range(count)]
    else:
        low, high = (0.25, 1.0) if look.is_dark else (0.0, 0.82)
        own = _along_map(count, low, high)
    return {id(layer): layer.color or own[number] for number, layer in enumerate(view.layers)}


@lru_cache(maxsize=4)
def _along_map(count: int, low: float, high: float) -> list[str]:
    """Return so many colours between two places of a colour map."""
    from jviz.backend.render.colormaps import colormap

    table = np.asarray(colormap("viridis"))
    chosen = table[(np.linspace(low, high, count) * (len(table) - 1)).astype(int)]
    return [QColor.fromRgb(*(int(part) for part in row[:3])).name() for row in chosen]


def plot_scene(
    view: PlotView,
    width: float,
    height: float,
    look: Look,
    cursor: QPointF | None = None,
    *,
    shown: Shown | None = None,
    spanning: list[Curve] = (),  # type: ignore[assignment]
    kind: type[PlotScene] = PlotScene,
    within: Curves | None = None,
    colors: dict[int, str] | None = None,
    room: float = 0.0,
) -> PlotScene:
    """Lay out a view of curves in a size in logical pixels.

    Parameters
    ----------
    shown : list of (PlotLayer, Curve), optional
        The curves; those that the data of the layers give by default.
    spanning : list of Curve
        More curves that the axes reach over.
    kind : type
        Of the scene.
    within : Curves, optional
        What knows quicker how far all those curves reach.
    colors : dict, optional
        Of the layers, as `layer_colors` gives them.
    room : float
        For the numbers of y, at least.
    """
    shown = curves_of(view) if shown is None else shown
    curves = [curve for _, curve in shown] + list(spanning)
    spans = spans_of(view, within or curves)
    # The numbers of the y axis decide how much room they need, and that decides little about them.
    picture = picture_in(width, height, look, axes_between(view, spans, 0.0, width, height, 0.0)[1], room)
    x, y = axes_between(view, spans, picture.left(), picture.right(), picture.bottom(), picture.top())
    titles = {}
    if curves:
        first = curves[0]
        titles = {"x_title": Title(first.x_label, first.x_unit), "y_title": Title(first.y_label, first.y_unit)}
    return kind(
        view=view, look=look, picture=picture, whole=QRectF(0, 0, width, height), x=x, y=y, shown=shown,
        grid=view.grid, cursor=cursor, colors=layer_colors(view, look) if colors is None else colors, **titles,
    )  # fmt: skip


def ground(painter: QPainter, scene: PlotScene, empty: str) -> bool:
    """Paint what lies behind the frame, or the hint of an empty view; returns whether there is something to draw."""
    look = scene.look
    if not look.transparent:
        painter.fillRect(scene.whole, QColor(look.canvas))
    if scene.is_filled:
        return True
    painter.setFont(look.font())
    painter.setPen(QColor(look.faint))
    painter.drawText(scene.whole, Qt.AlignmentFlag.AlignCenter, empty)
    return False


def paint_plot(
    painter: QPainter, scene: PlotScene, empty: str = "No curve yet: make a line cut or a profile"
) -> bool:
    """Paint a scene; returns whether there was a curve to draw."""
    if not ground(painter, scene, empty):
        return False
    draw_frame(painter, scene)
    painter.save()
    painter.setClipRect(scene.picture, Qt.ClipOperation.IntersectClip)
    for layer, curve in scene.shown:
        draw_curve(painter, scene, layer, curve)
    painter.restore()
    draw_legend(painter, scene)
    return bool(scene.shown)


# --- curves ---------------------------------------------------------------------------------------


def is_much(pieces: list[tuple[np.ndarray, np.ndarray]]) -> bool:
    """Return whether lines through so many places, or up and down so far, are to be drawn as thin as can be."""
    return sum(len(x) for x, _ in pieces) > FEW_PENS or sum(float(np.abs(np.diff(y)).sum()) for _, y in pieces) > FAR


def draw_curve(
    painter: QPainter, scene: PlotScene, layer: PlotLayer, curve: Curve, color: str = "", width: float = 1.4
) -> None:
    """Draw a curve and its band of errors, in the colour of its layer or another one."""
    colour = QColor(color or layer.color or scene.colors.get(id(layer), scene.look.text))
    away = scene.hovered is not None and scene.hovered is not layer
    colour.setAlphaF(layer.opacity * (0.35 if away else 1.0))
    if layer.errors and curve.error is not None:
        _draw_band(painter, scene, curve, colour)
    pieces = outline_of(curve).points(scene.x, scene.y, layer.drawing)
    many = is_much(pieces)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, not many and layer.drawing != "steps")
    painter.setPen(QPen(colour, 1.0 if many else width))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for x, y in pieces:
        if layer.drawing == "points" or len(x) == 1:
            painter.setPen(QPen(colour, 4.0, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            painter.drawPoints(polygon(x, y))
        else:
            painter.drawPolyline(polygon(x, y))


def _draw_band(painter: QPainter, scene: PlotScene, curve: Curve, colour: QColor) -> None:
    """Fill between y − σ and y + σ of what is in sight, column by column.

    Rectangles, not one polygon: Qt takes seconds to fill a noisy one of thousands of corners.
    """
    first, last = np.searchsorted(curve.x, sorted((scene.x.low, scene.x.high)))
    first, last = max(int(first) - 1, 0), min(int(last) + 1, len(curve.x))
    if last <= first:
        return
    part = slice(first, last, max(1, (last - first) // MOST_BANDS))
    y, error = curve.y[part], curve.error[part]
    low, high = scene.y.place(y - error), scene.y.place(y + error)
    low = np.where(np.isnan(low) & np.isfinite(high), scene.y.start, low)
    low, high = np.minimum(low, high), np.maximum(low, high)
    left = scene.x.place(curve.edges[first:last][:: part.step])
    right = np.append(left[1:], scene.x.place(curve.edges[last]))
    good = np.isfinite(low) & np.isfinite(high)
    rows = np.stack([left, right, low, high])[:, good]
    rows[2:] = np.clip(rows[2:], scene.picture.top() - 5, scene.picture.bottom() + 5)
    joined = rows.shape[1] > scene.picture.width()
    if joined:
        rows = _columns(rows)
    fill = QColor(colour)
    fill.setAlphaF(0.22 * colour.alphaF())
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(fill)
    if joined and painter.paintEngine().type() == QPaintEngine.Type.Raster:
        _fill_columns(painter, rows, fill)
    else:
        sizes = np.stack([rows[0], rows[2], rows[1] - rows[0], rows[3] - rows[2]], axis=1)
        painter.drawRects([QRectF(*size) for size in sizes.tolist()])


def _fill_columns(painter: QPainter, rows: np.ndarray, fill: QColor) -> None:
    """Fill columns of pixels as one picture, which takes Qt a tenth of the time of a thousand high rectangles."""
    if not rows.shape[1]:
        return
    left, _, low, high = np.rint(rows).astype(int)
    first, top = int(left.min()), int(low.min())
    wide = int(left.max()) - first + 1
    borders = np.zeros((2, wide), int)
    borders[:, left - first] = low - top, high - top
    y = np.arange(max(int(high.max()) - top, 1))[:, None]
    inside = (y >= borders[0]) & (y < borders[1])
    alpha = fill.alpha()
    parts = (alpha, *(round(part * alpha / 255) for part in (fill.red(), fill.green(), fill.blue())))
    pixels = np.where(inside, np.uint32(int.from_bytes(parts)), np.uint32(0))
    image = QImage(pixels.data, wide, len(y), 4 * wide, QImage.Format.Format_ARGB32_Premultiplied)
    painter.drawImage(first, top, image)


def _columns(rows: np.ndarray) -> np.ndarray:
    """Join the bands within each column of pixels: from the mean lower to the mean upper border."""
    column = np.floor(rows[0])
    starts = np.flatnonzero(np.diff(column, prepend=column[0] - 1)) if len(column) else np.zeros(0, int)
    if not len(starts):
        return rows[:, :0]
    many = np.diff(np.append(starts, len(column)))
    low, high = (np.add.reduceat(row, starts) / many for row in rows[2:])
    return np.stack([column[starts], column[starts] + 1, low, high])
