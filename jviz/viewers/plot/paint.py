"""Painting a view of curves: one code for the screen, PNG, PDF and SVG."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from jviz.plot_views import Curve, PlotLayer, PlotView
from jviz.viewers.look import Look
from jviz.viewers.plot.axes import Axis, axes_of, axis_ticks
from jviz.viewers.plot.curves import outline_of, polygon
from jviz.viewers.readout import pretty_unit

__all__ = ["PlotScene", "layer_color", "paint_plot", "plot_scene"]

ON_DARK = ("#6cb6ff", "#f6a23c", "#7ee787", "#ff7b72", "#d2a8ff", "#e3d26f", "#79d9d9", "#ff9bce")
ON_LIGHT = ("#0b63c4", "#b45309", "#1a7f37", "#c62828", "#7b3fbf", "#7a6a00", "#0b7a7a", "#b3307f")
FEW_PENS = 20_000
"""Points up to which lines may be wider than one pixel: Qt draws wide ones twenty times slower."""

Shown = list[tuple[PlotLayer, Curve]]


@dataclass
class PlotScene:
    """All that painting needs, in logical pixels with the origin at the top left corner."""

    view: PlotView
    look: Look
    picture: QRectF
    whole: QRectF
    x: Axis
    y: Axis
    shown: Shown = field(default_factory=list)
    cursor: QPointF | None = None


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
    metrics = look.metrics(0.92)
    line = metrics.height()
    top, right, bottom = 0.9 * line, 1.2 * line, 3.1 * line
    left = 2.2 * line
    curves = [curve for _, curve in shown]
    # The numbers of the y axis decide how much room they need, and that decides little about them.
    _, y = axes_of(view, curves, left, width - right, height - bottom, top)
    labels = axis_ticks(y, _many(height - bottom - top, 3.2 * line))[0].labels
    left += max((metrics.horizontalAdvance(text) for text in labels), default=0.0) + 8
    picture = QRectF(left, top, max(width - left - right, 10.0), max(height - top - bottom, 10.0))
    x, y = axes_of(view, curves, picture.left(), picture.right(), picture.bottom(), picture.top())
    return PlotScene(view, look, picture, QRectF(0, 0, width, height), x, y, shown, cursor)


def _many(length: float, each: float) -> int:
    return max(2, int(length / each))


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
    _draw_axes(painter, scene)
    painter.save()
    painter.setClipRect(scene.picture, Qt.ClipOperation.IntersectClip)
    for layer, curve in scene.shown:
        _draw_curve(painter, scene, layer, curve)
    painter.restore()
    if scene.view.legend and len(scene.view.layers) > 1:
        _draw_legend(painter, scene)
    return bool(scene.shown)


# --- axes -----------------------------------------------------------------------------------------


def _draw_axes(painter: QPainter, scene: PlotScene) -> None:
    look, picture = scene.look, scene.picture
    metrics = look.metrics(0.92)
    line = metrics.height()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setFont(look.font(0.92))
    x_ticks, x_small = axis_ticks(scene.x, _many(picture.width(), 7 * line))
    y_ticks, y_small = axis_ticks(scene.y, _many(picture.height(), 3.2 * line))
    across = [picture.left() + p * picture.width() for p in x_ticks.positions]
    down = [picture.bottom() - p * picture.height() for p in y_ticks.positions]
    if scene.view.grid:
        _draw_grid(painter, scene, across, down)
    painter.setPen(QPen(QColor(look.line), 1.0))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(picture)
    for place, length in [(p, 5.0) for p in across] + [(picture.left() + p * picture.width(), 3.0) for p in x_small]:
        painter.drawLine(QPointF(place, picture.bottom()), QPointF(place, picture.bottom() - length))
        painter.drawLine(QPointF(place, picture.top()), QPointF(place, picture.top() + length))
    for place, length in [(p, 5.0) for p in down] + [(picture.bottom() - p * picture.height(), 3.0) for p in y_small]:
        painter.drawLine(QPointF(picture.left(), place), QPointF(picture.left() + length, place))
        painter.drawLine(QPointF(picture.right(), place), QPointF(picture.right() - length, place))
    painter.setPen(QColor(look.text))
    for place, text in zip(across, x_ticks.labels, strict=True):
        painter.drawText(
            QPointF(place - metrics.horizontalAdvance(text) / 2, picture.bottom() + metrics.ascent() + 5), text
        )
    widest = 0.0
    for place, text in zip(down, y_ticks.labels, strict=True):
        wide = metrics.horizontalAdvance(text)
        widest = max(widest, wide)
        painter.drawText(QPointF(picture.left() - wide - 7, place + metrics.ascent() / 2 - 1.5), text)
    _draw_titles(painter, scene, x_ticks.power, y_ticks.power, widest)


def _draw_grid(painter: QPainter, scene: PlotScene, across: list[float], down: list[float]) -> None:
    colour = QColor(scene.look.line)
    colour.setAlphaF(0.3)
    painter.setPen(QPen(colour, 1.0))
    for place in across:
        painter.drawLine(QPointF(place, scene.picture.top()), QPointF(place, scene.picture.bottom()))
    for place in down:
        painter.drawLine(QPointF(scene.picture.left(), place), QPointF(scene.picture.right(), place))


def _draw_titles(painter: QPainter, scene: PlotScene, x_power: str, y_power: str, widest: float) -> None:
    if not scene.shown:
        return
    curve, picture = scene.shown[0][1], scene.picture
    metrics = scene.look.metrics(0.92)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    title = _title(curve.x_label, x_power, curve.x_unit)
    painter.drawText(
        QPointF(picture.center().x() - metrics.horizontalAdvance(title) / 2, picture.bottom() + 2.6 * metrics.height()),
        title,
    )
    title = _title(curve.y_label, y_power, curve.y_unit)
    painter.save()
    painter.translate(
        max(picture.left() - widest - 16, metrics.ascent() + 4),
        picture.center().y() + metrics.horizontalAdvance(title) / 2,
    )
    painter.rotate(-90)
    painter.drawText(QPointF(0, 0), title)
    painter.restore()


def _title(label: str, power: str, unit: str) -> str:
    inside = " ".join(filter(None, (power, pretty_unit(unit))))
    return f"{label} ({inside})" if inside else label


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
