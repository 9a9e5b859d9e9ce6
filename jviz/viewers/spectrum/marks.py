"""What lies over and under the curves of a viewer of spectra: ranges, lines with labels, slices of cubes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from jviz.backend.spectra.lines import Line, lines_of, own_lines
from jviz.backend.spectra.units import Scale, convert_axis, scale_of
from jviz.errors import CommandError
from jviz.session import Session
from jviz.spectrum_views import SpectrumView, bounds_in
from jviz.viewers.plot.legend import legend_of
from jviz.viewers.spectrum.scene import SpectrumScene

__all__ = ["RangeMark", "SliceMark", "draw_lines", "draw_ranges", "draw_slices", "lines_in_sight", "ranges_in_sight",
           "slices_in_sight", "strongest"]  # fmt: skip

CROWDED = 0.4
"""Share of the width that labels of all lines may take before weak lines lose theirs."""
HANDLE = 5.0
"""Half the width of the handles of a selected range, in pixels."""


# --- ranges ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RangeMark:
    """A spectral subset on the screen: one of its ranges.

    Attributes
    ----------
    subset : Subset
    part : int
        Which range of the subset.
    low, high : float
        In the unit of the axis.
    left, right : float
        Places in pixels, not cut at the picture.
    """

    subset: Any
    part: int
    low: float
    high: float
    left: float
    right: float


def ranges_in_sight(session: Session, scene: SpectrumScene) -> list[RangeMark]:
    """Return the visible spectral subsets that reach into the picture."""
    if not getattr(scene.view, "ranges", True):
        return []
    found = []
    for subset in session.subsets.values():
        if subset.kind != "spectral" or not subset.visible:
            continue
        for part, (low, high) in enumerate(_bounds(subset, scene.scale)):
            left, right = sorted(float(v) for v in scene.x.place(np.array([low, high])))
            if right > scene.picture.left() and left < scene.picture.right():
                found.append(RangeMark(subset, part, low, high, left, right))
    return found


def _bounds(subset: Any, scale: Scale) -> list[tuple[float, float]]:
    from jviz.backend.spectra.ranges import ranges_of

    return bounds_in(ranges_of(subset.region), scale)


def draw_ranges(painter: QPainter, scene: SpectrumScene, marks: list[RangeMark], selected: tuple[str, ...]) -> None:
    """Shade ranges; the selected ones have handles and their name."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    picture, metrics = scene.picture, scene.look.metrics(0.85)
    for mark in marks:
        is_selected = mark.subset.name in selected
        colour = QColor(mark.subset.color)
        box = QRectF(QPointF(mark.left, picture.top()), QPointF(mark.right, picture.bottom())).intersected(picture)
        fill = QColor(colour)
        fill.setAlphaF(0.26 if is_selected else 0.15)
        painter.fillRect(box, fill)
        painter.setPen(QPen(colour, 2.0 if is_selected else 1.0))
        for place in (mark.left, mark.right):
            if picture.left() <= place <= picture.right():
                painter.drawLine(QPointF(place, picture.top()), QPointF(place, picture.bottom()))
        if is_selected and scene.on_screen:
            _draw_handles(painter, scene, mark, colour)
        painter.setFont(scene.look.font(0.85))
        name = metrics.elidedText(mark.subset.name, Qt.TextElideMode.ElideRight, max(box.width() - 6, 0))
        if len(name) > 2:
            painter.setPen(_readable(colour, scene))
            painter.drawText(QPointF(box.left() + 4, picture.bottom() - 5), name)


def _draw_handles(painter: QPainter, scene: SpectrumScene, mark: RangeMark, colour: QColor) -> None:
    middle = scene.picture.center().y()
    for place in (mark.left, mark.right):
        handle = QRectF(place - HANDLE / 2, middle - 2.5 * HANDLE, HANDLE, 5 * HANDLE)
        painter.fillRect(handle, QColor(scene.look.canvas))
        painter.setPen(QPen(colour, 1.5))
        painter.drawRect(handle)


def _readable(colour: QColor, scene: SpectrumScene) -> QColor:
    return colour.lighter(125) if scene.look.is_dark else colour.darker(190)


# --- lines ----------------------------------------------------------------------------------------


def lines_in_sight(view: SpectrumView, scene: SpectrumScene) -> tuple[list[Line], np.ndarray]:
    """Return the marked lines within the picture and their places in pixels, from left to right."""
    lines, waves = lines_of(view.lines)
    if view.own_lines:
        lines, waves = (*lines, *own_lines(view.own_lines)), np.append(waves, [wave for _, wave in view.own_lines])
    if not lines or scene.scale.quantity == "channel":
        return [], np.zeros(0)
    try:
        values = convert_axis(waves * (1 + view.redshift), Scale("m", "wavelength", "vacuum"), scene.scale)
    except CommandError:
        return [], np.zeros(0)
    places = scene.x.place(values)
    inside = (places >= scene.picture.left()) & (places <= scene.picture.right())
    order = [n for n in np.argsort(places, kind="stable") if inside[n]]
    return [lines[n] for n in order], places[order]


def draw_lines(painter: QPainter, scene: SpectrumScene) -> None:
    """Draw the marked lines; labels are moved aside, or those of weak lines left out, and never collide."""
    lines, places = lines_in_sight(scene.view, scene)  # type: ignore[arg-type]
    if not lines:
        return
    look, picture = scene.look, scene.picture
    metrics = look.metrics(0.82)
    colour = QColor(look.text)
    colour.setAlphaF(0.45)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setPen(QPen(colour, 1.0, Qt.PenStyle.DashLine))
    for place in places:
        painter.drawLine(QPointF(place, picture.top()), QPointF(place, picture.bottom()))
    painter.setFont(look.font(0.82))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    size = metrics.height() + 1
    taken = strongest(lines, places, size) if len(lines) * size > CROWDED * picture.width() else range(len(lines))
    labels = placed(places[list(taken)], size, picture.left(), picture.right() - 2)
    ground = QColor(look.canvas)
    ground.setAlphaF(0.8)
    legend = legend_of(scene)
    for number, where in labels:
        text = lines[taken[number]].title
        half = metrics.height() / 2
        is_behind = legend is not None and legend.box.left() - half < where < legend.box.right() + half
        top = legend.box.bottom() if legend is not None and is_behind else picture.top()
        painter.save()
        painter.translate(where + half, top + 6 + metrics.horizontalAdvance(text))
        painter.rotate(-90)
        painter.fillRect(QRectF(-1, -metrics.ascent(), metrics.horizontalAdvance(text) + 2, metrics.height()), ground)
        painter.setPen(QColor(look.text))
        painter.drawText(QPointF(0, -metrics.descent() / 2), text)
        painter.restore()


def strongest(lines: list[Line], places: np.ndarray, size: float) -> list[int]:
    """Return the numbers of the lines whose labels fit beside each other where the lines are, strong ones first."""
    chosen: list[int] = []
    for n in sorted(range(len(lines)), key=lambda n: -lines[n].strength):
        if all(abs(places[n] - places[k]) >= size for k in chosen):
            chosen.append(n)
    return sorted(chosen)


def placed(places: np.ndarray, size: float, low: float, high: float) -> Iterator[tuple[int, float]]:
    """Move labels along a line so that none covers another.

    Parameters
    ----------
    places : ndarray
        Wanted middles, rising.
    size : float
        Of each label.
    low, high : float
        Ends of the line.

    Yields
    ------
    (int, float)
        Number of the label and its middle; every n-th only when not all of them have room.
    """
    room = max(1, int((high - low) / size))
    chosen = list(range(len(places)))[:: max(1, -(-len(places) // room))]
    if not chosen:
        return
    wanted = np.clip(places[chosen], low + size / 2, high - size / 2)
    # Labels that touch form blocks, each centred on what its labels want.
    blocks: list[tuple[float, int]] = []
    for value in wanted:
        total, count = float(value), 1
        while blocks and total / count - count * size / 2 < blocks[-1][0] / blocks[-1][1] + blocks[-1][1] * size / 2:
            before, many = blocks.pop()
            total, count = before + total, many + count
        blocks.append((total, count))
    middles: list[float] = []
    for total, count in blocks:
        middle = min(max(total / count, low + count * size / 2), high - count * size / 2)
        middles += [middle + (k - (count - 1) / 2) * size for k in range(count)]
    yield from zip(chosen, _apart(middles, size, low), strict=True)


def _apart(middles: list[float], size: float, low: float) -> list[float]:
    """Push apart blocks that the ends of the line have moved into each other."""
    for n in range(1, len(middles)):
        middles[n] = max(middles[n], middles[n - 1] + size)
    return middles


# --- slices ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SliceMark:
    """Where the slice that a cube view shows is along the axis.

    Attributes
    ----------
    view : View
        With ``spectral_value``.
    value : float
        In the unit of the cube's axis.
    place : float
        In pixels.
    low, high : float or None
        Ends of the slab that the view shows, in pixels.
    """

    view: Any
    value: float
    place: float
    low: float | None = None
    high: float | None = None


def slices_in_sight(session: Session, scene: SpectrumScene) -> list[SliceMark]:
    """Return the slices of cube views that lie within the picture."""
    found = []
    for view in session.views.values():
        layer = getattr(view, "leading", None)
        axis = getattr(layer.data, "_axis", None) if layer is not None else None
        if axis is None:  # no cube, or an axis that is not worked out yet
            continue
        value = float(axis.values[layer.point[0]])
        slab = layer.slab[:2] if layer.slab is not None else (value, value)
        try:
            values = convert_axis(np.array([value, *slab]), scale_of(axis), scene.scale)
        except CommandError:
            continue
        place, low, high = (float(v) for v in scene.x.place(values))
        ends = (min(low, high), max(low, high)) if layer.slab is not None else (None, None)
        if scene.picture.left() <= place <= scene.picture.right() or ends[0] is not None:
            found.append(SliceMark(view, value, place, *ends))
    return found


def slice_color(scene: SpectrumScene) -> str:
    """Return the colour of slices: the accent of a theme may be too pale for a line."""
    return "#ffa94d" if scene.look.is_dark else "#d9480f"


def draw_slices(painter: QPainter, scene: SpectrumScene, marks: list[SliceMark]) -> None:
    """Draw a line with a grip for each slice, and the slab where one is shown."""
    accent, picture = QColor(slice_color(scene)), scene.picture
    for mark in marks:
        if mark.low is not None and mark.high is not None:
            fill = QColor(accent)
            fill.setAlphaF(0.18)
            box = QRectF(QPointF(mark.low, picture.top()), QPointF(mark.high, picture.bottom())).intersected(picture)
            painter.fillRect(box, fill)
        if not picture.left() <= mark.place <= picture.right():
            continue
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(QPen(accent, 1.6))
        painter.drawLine(QPointF(mark.place, picture.top()), QPointF(mark.place, picture.bottom()))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(accent)
        top = picture.top()
        painter.drawPolygon([QPointF(mark.place - 6, top), QPointF(mark.place + 6, top), QPointF(mark.place, top + 9)])
