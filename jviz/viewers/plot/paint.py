"""Painting a view of curves: one code for the screen, PNG, PDF and SVG."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from jviz.plot_views import Curve, PlotLayer, PlotView
from jviz.viewers.look import Look
from jviz.viewers.plot.axes import axes_of
from jviz.viewers.plot.curves import outline_of, polygon
from jviz.viewers.plot.frame import Frame, Title, draw_frame, picture_in

__all__ = ["PlotScene", "layer_color", "paint_plot", "plot_scene"]

ON_DARK = ("#6cb6ff", "#f6a23c", "#7ee787", "#ff7b72", "#d2a8ff", "#e3d26f", "#79d9d9", "#ff9bce")
ON_LIGHT = ("#0b63c4", "#b45309", "#1a7f37", "#c62828", "#7b3fbf", "#7a6a00", "#0b7a7a", "#b3307f")
FEW_PENS = 20_000
"""Points up to which lines may be wider than one pixel: Qt draws wide ones twenty times slower."""

Shown = list[tuple[PlotLayer, Curve]]


@dataclass(kw_only=True)
class PlotScene(Frame):
    """All that painting curves needs."""

    view: PlotView
    shown: Shown = field(default_factory=list)


def curves_of(view: PlotView) -> Shown:
    """Return the visible layers with their curves."""
    return [(layer, layer.data.curve()) for layer in view.layers if layer.visible and layer.data is not None]


def layer_color(view: PlotView, layer: PlotLayer, look: Look) -> str:
    """Return the colour of a layer: its own, or one of the theme's by its number."""
    if layer.color:
        return layer.color
    colours = ON_DARK if look.is_dark else ON_LIGHT
    return colours[view.layers.index(layer) % len(colours)]


def plot_scene(view: PlotView, width: float, height: float, look: Look, cursor: QPointF | None = None) -> PlotScene:
    """Lay out a view of curves in a size in logical pixels."""
    shown = curves_of(view)
    curves = [curve for _, curve in shown]
    # The numbers of the y axis decide how much room they need, and that decides little about them.
    picture = picture_in(width, height, look, axes_of(view, curves, 0.0, width, height, 0.0)[1])
    x, y = axes_of(view, curves, picture.left(), picture.right(), picture.bottom(), picture.top())
    titles = {}
    if curves:
        first = curves[0]
        titles = {"x_title": Title(first.x_label, first.x_unit), "y_title": Title(first.y_label, first.y_unit)}
    return PlotScene(
        view=view, look=look, picture=picture, whole=QRectF(0, 0, width, height), x=x, y=y, shown=shown,
        grid=view.grid, cursor=cursor, **titles,
    )  # fmt: skip


def paint_plot(painter: QPainter, scene: PlotScene) -> bool:
    """Paint a scene; returns whether there was a curve to draw."""
    look = scene.look
    if not look.transparent:
        painter.fillRect(scene.whole, QColor(look.canvas))
    if not scene.view.layers:
        painter.setFont(look.font())
        painter.setPen(QColor(look.faint))
        painter.drawText(scene.whole, Qt.AlignmentFlag.AlignCenter, "No curve yet: make a line cut or a profile")
        return False
    draw_frame(painter, scene)
    painter.save()
    painter.setClipRect(scene.picture, Qt.ClipOperation.IntersectClip)
    for layer, curve in scene.shown:
        _draw_curve(painter, scene, layer, curve)
    painter.restore()
    if scene.view.legend and len(scene.view.layers) > 1:
        _draw_legend(painter, scene)
    return bool(scene.shown)


# --- curves ---------------------------------------------------------------------------------------


def _draw_curve(painter: QPainter, scene: PlotScene, layer: PlotLayer, curve: Curve) -> None:
    colour = QColor(layer_color(scene.view, layer, scene.look))
    colour.setAlphaF(layer.opacity)
    if layer.errors and curve.error is not None:
        _draw_band(painter, scene, curve, colour)
    pieces = outline_of(curve).points(scene.x, scene.y, layer.drawing)
    many = sum(len(x) for x, _ in pieces) > FEW_PENS
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, not many and layer.drawing != "steps")
    painter.setPen(QPen(colour, 1.0 if many else 1.4))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for x, y in pieces:
        if layer.drawing == "points" or len(x) == 1:
            painter.setPen(QPen(colour, 4.0, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            painter.drawPoints(polygon(x, y))
        else:
            painter.drawPolyline(polygon(x, y))


def _draw_band(painter: QPainter, scene: PlotScene, curve: Curve, colour: QColor) -> None:
    """Fill between y − σ and y + σ, of what is in sight and not too much of it."""
    first, last = np.searchsorted(curve.x, sorted((scene.x.low, scene.x.high)))
    first, last = max(int(first) - 1, 0), min(int(last) + 1, len(curve.x))
    step = max(1, (last - first) // 4000)
    part = slice(first, last, step)
    x, y, error = scene.x.place(curve.x[part]), curve.y[part], curve.error[part]
    low, high = scene.y.place(y - error), scene.y.place(y + error)
    low = np.where(np.isnan(low) & np.isfinite(high), scene.y.start, low)
    good = np.isfinite(low) & np.isfinite(high)
    reach = abs(scene.y.end - scene.y.start)
    bottom, top = min(scene.y.start, scene.y.end) - reach, max(scene.y.start, scene.y.end) + reach
    fill = QColor(colour)
    fill.setAlphaF(0.22 * colour.alphaF())
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(fill)
    borders = np.flatnonzero(np.diff(good.astype(np.int8), prepend=0, append=0))
    for a, b in zip(borders[::2], borders[1::2], strict=True):
        across = np.concatenate([x[a:b], x[a:b][::-1]])
        down = np.clip(np.concatenate([high[a:b], low[a:b][::-1]]), bottom, top)
        painter.drawPolygon(polygon(across, down))


def _draw_legend(painter: QPainter, scene: PlotScene) -> None:
    look = scene.look
    metrics = look.metrics(0.92)
    room = int((scene.picture.height() - 16) / (1.35 * metrics.height()))
    layers = scene.view.layers[: max(1, room)]
    names = [layer.data.name for layer in layers]
    if len(layers) < len(scene.view.layers):
        names[-1] = f"… and {len(scene.view.layers) - len(layers) + 1} more"
    names = [metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, 0.5 * scene.picture.width()) for name in names]
    wide = max(metrics.horizontalAdvance(name) for name in names) + 44
    box = QRectF(0, 0, wide, 1.35 * metrics.height() * len(names) + 8)
    box.moveTopRight(scene.picture.topRight() + QPointF(-8, 8))
    ground = QColor(look.canvas)
    ground.setAlphaF(0.85)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ground)
    painter.drawRoundedRect(box, 4, 4)
    painter.setFont(look.font(0.92))
    for number, (layer, name) in enumerate(zip(layers, names, strict=True)):
        y = box.top() + 4 + (number + 0.5) * 1.35 * metrics.height()
        colour = QColor(layer_color(scene.view, layer, look))
        colour.setAlphaF(1.0 if layer.visible else 0.3)
        painter.setPen(QPen(colour, 2.0))
        painter.drawLine(QPointF(box.left() + 8, y), QPointF(box.left() + 28, y))
        painter.setPen(QColor(look.text if layer.visible else look.faint))
        painter.drawText(QPointF(box.left() + 36, y + metrics.ascent() / 2 - 1.5), name)
