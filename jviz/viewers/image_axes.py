"""Axes and grid of an image: pixel numbers or sky coordinates round the picture, lines over it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from jviz.backend.render.frames import equinox_of
from jviz.backend.render.grid import pixel_ticks, sky_grid
from jviz.geometry import Geometry
from jviz.viewers.image_overlays import draw_plate
from jviz.viewers.ink import BRIGHT, Ink
from jviz.viewers.look import Look

__all__ = ["Lines", "draw_axes", "draw_grid", "pixel_lines", "sky_lines"]

TICK = 5.0

NAMES = {
    "icrs": ("Right ascension (ICRS)", "Declination (ICRS)"),
    "fk5": ("Right ascension ({})", "Declination ({})"),
    "fk4": ("Right ascension ({})", "Declination ({})"),
    "galactic": ("Galactic longitude", "Galactic latitude"),
    "ecliptic": ("Ecliptic longitude ({})", "Ecliptic latitude ({})"),
}


@dataclass(frozen=True)
class Mark:
    """A number of an axis: where its line meets an edge (or "inside"), in coordinates of the picture."""

    text: str
    x: float
    y: float
    edge: str
    axis: int
    box: tuple[float, float, float, float] | None = None


@dataclass(frozen=True)
class Lines:
    """The lines of a grid in coordinates of the picture, their numbers, and the names of both axes."""

    lines: tuple[np.ndarray, ...] = ()
    marks: tuple[Mark, ...] = ()
    names: tuple[str, str] = ("", "")

    @cached_property
    def polygons(self) -> list[QPolygonF]:
        """The lines as Qt draws them."""
        return [QPolygonF([QPointF(x, y) for x, y in points.tolist()]) for points in self.lines]

    def title(self, edge: str) -> str:
        """Return the name of the axis whose numbers stand at an edge; of both, that of most numbers first."""
        axes = [mark.axis for mark in self.marks if mark.edge == edge]
        first, *others = [self.names[axis] for axis in sorted(set(axes), key=axes.count, reverse=True)] or [""]
        if not others:
            return first
        return f"{first.partition(' (')[0]}, {others[0][:1].lower()}{others[0][1:]}"


@lru_cache(maxsize=4)
def _names(frame: str) -> tuple[str, str]:
    """Name the axes of a frame, with its equinox where it has one."""
    longitude, latitude = NAMES.get(frame.split(" ")[0], ("Longitude", "Latitude"))
    return longitude.format(equinox_of(frame)), latitude.format(equinox_of(frame))


def sky_lines(
    sky: Any,
    geometry: Geometry,
    frame: str,
    style: str,
    glyph: tuple[float, float],
    n: float,
    taken: tuple[tuple[float, float, float, float], ...] = (),
) -> Lines:
    """Trace the sky grid of a picture; its numbers keep out of places that are taken."""
    grid = sky_grid(
        sky.pixel_to_sky, geometry.to_data, geometry.width, geometry.height,
        frame=frame, style=style, glyph=glyph, n=n, taken=taken,
    )  # fmt: skip
    marks = (Mark(m.text, m.x, m.y, m.edge, 0 if m.axis == "lon" else 1, m.box) for m in grid.labels)
    return Lines(tuple(line.points for line in grid.lines), tuple(marks), _names(frame))


@lru_cache(maxsize=4)
def pixel_lines(
    geometry: Geometry,
    origin: int,
    n: float,
    scales: tuple[Any, Any] = (None, None),
    names: tuple[str, str] = ("x (pixels)", "y (pixels)"),
) -> Lines:
    """Lay lines of equal pixel number over a picture, at any rotation.

    Parameters
    ----------
    scales : (Scale or None, Scale or None)
        `jviz.spectral_display.Scale` of an axis that counts channels: its lines are at round spectral values.
    names : (str, str)
        Of both axes.
    """
    width, height = geometry.width, geometry.height
    x, y = geometry.to_data(np.array([0, width, 0, width]), np.array([0, 0, height, height]))
    lines, marks = [], []
    for axis, span in ((0, x), (1, y)):
        low, high = float(span.min()) + origin, float(span.max()) + origin
        turned = abs(np.sin(np.radians(geometry.rotation))) > 0.7071
        edge = "bottom" if (axis == 0) != turned else "left"
        wanted = n * (high - low) * geometry.scales[axis] / max(width, height)
        for pixel, text in _marked(low - origin, high - origin, origin, wanted, scales[axis]):
            line = _pixel_line(geometry, axis, pixel)
            if line is not None:
                lines.append(line)
                marks.extend(_marks(text, line, axis, edge, geometry))
    return Lines(tuple(lines), tuple(marks), names)


def _marked(low: float, high: float, origin: int, n: float, scale: Any) -> list[tuple[float, str]]:
    """Return pixels that get a line between two, and what is written at each."""
    if scale is None:
        ticks = pixel_ticks(low + origin, high + origin, n)
        return [(value - origin, text) for value, text in zip(ticks.values, ticks.labels, strict=True)]
    return [(channel, text) for channel, text in scale.ticks(max(n, 2), low, high)]


def _pixel_line(geometry: Geometry, axis: int, value: float) -> np.ndarray | None:
    """Cut the line x = value (axis 0) or y = value (axis 1) at the edges of the picture."""
    reach = 2 * (geometry.width + geometry.height) / min(geometry.scales)
    middle = geometry.centre[1 - axis]
    ends = np.array([middle - reach, middle + reach])
    fixed = np.full(2, value)
    x, y = geometry.to_screen(*((fixed, ends) if axis == 0 else (ends, fixed)))
    start, step = np.array([x[0], y[0]]), np.array([x[1] - x[0], y[1] - y[0]])
    first, last = 0.0, 1.0
    for k, size in ((0, geometry.width), (1, geometry.height)):
        if abs(step[k]) < 1e-9:
            if not 0 <= start[k] <= size:
                return None
            continue
        low, high = sorted(((0 - start[k]) / step[k], (size - start[k]) / step[k]))
        first, last = max(first, low), min(last, high)
    return np.array([start + first * step, start + last * step]) if first < last else None


def _marks(text: str, line: np.ndarray, axis: int, edge: str, geometry: Geometry) -> list[Mark]:
    """Return where a line's number stands: at its end on the edge of its axis, if it has one there."""
    return [Mark(text, *end.tolist(), edge, axis) for end in line if _edge_of(end, geometry) == edge]


def _edge_of(point: np.ndarray, geometry: Geometry) -> str:
    x, y = point
    gaps = {"left": abs(x), "right": abs(x - geometry.width), "top": abs(y), "bottom": abs(y - geometry.height)}
    return min(gaps, key=gaps.__getitem__)


# --- drawing --------------------------------------------------------------------------------------


def draw_grid(
    painter: QPainter,
    lines: Lines,
    picture: QRectF,
    look: Look,
    *,
    labels: bool,
    fast: bool,
    taken: Sequence[QRectF] = (),
    ground: Callable[[QRectF], tuple[Ink, bool]] = lambda area: (BRIGHT, False),
) -> None:
    """Draw the lines over the picture.

    Parameters
    ----------
    labels : bool
        Their numbers too, inside the picture.
    fast : bool
        For the screen: with a shadow instead of a rim, because Qt draws lines wider than a pixel
        of the device twenty times slower.
    taken : sequence of QRectF
        Where no numbers are written, as seen from the corner of the picture.
    ground : callable
        Returns what can be read on a part of the picture, and whether it needs a plate for that.
    """
    painter.save()
    painter.setClipRect(picture, Qt.ClipOperation.IntersectClip)
    painter.translate(picture.topLeft())
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for colour, width, shift in ((QColor(0, 0, 0, 80), 2.0, 0.8), (QColor(255, 255, 255, 140), 0.9, 0.0)):
        pen = QPen(colour, 1.0 if fast else width)
        pen.setCosmetic(fast)
        painter.setPen(pen)
        for line in lines.polygons:
            painter.drawPolyline(line.translated(shift, shift) if fast and shift else line)
    font = look.font(0.85)
    for mark in lines.marks:
        if (labels or mark.edge == "inside") and not _covered(mark, taken, look):
            _write_inside(painter, mark, font, _area(mark, look), ground)
    painter.restore()


def _covered(mark: Mark, taken: Sequence[QRectF], look: Look) -> bool:
    """Whether a number that has no other place to go would lie under something else."""
    return mark.box is None and any(_area(mark, look).intersects(area) for area in taken)


def _area(mark: Mark, look: Look) -> QRectF:
    """Return where a number stands, as seen from the corner of the picture."""
    metrics = look.metrics(0.85)
    wide, high = metrics.horizontalAdvance(mark.text), metrics.height()
    if mark.box is not None:
        left, top, right, bottom = mark.box
        return QRectF((left + right - wide) / 2, (top + bottom - high) / 2, wide, high)
    across, down = _anchor(mark)
    return QRectF(mark.x - across * wide, mark.y - down * high, wide, high)


def _anchor(mark: Mark) -> tuple[float, float]:
    """Return which part of its text stands at a mark, in shares of its width and height."""
    return {"bottom": (0.5, 1.15), "left": (-0.15, 0.5)}.get(mark.edge, (0.5, 0.5))


def _write_inside(
    painter: QPainter, mark: Mark, font: Any, area: QRectF, ground: Callable[[QRectF], tuple[Ink, bool]]
) -> None:
    ink, mixed = ground(area)
    if mixed:
        draw_plate(painter, area.adjusted(-3, 0, 3, 0))
    ink.write(painter, area.topLeft(), mark.text, font)


def draw_axes(painter: QPainter, lines: Lines, picture: QRectF, look: Look) -> None:
    """Draw the frame of the picture, and ticks, numbers and names outside of it."""
    painter.save()
    painter.setPen(QPen(QColor(look.line), 1.0))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(picture)
    _draw_ticks(painter, lines, picture)
    painter.setFont(look.font(0.92))
    painter.setPen(QColor(look.text))
    widest = _draw_numbers(painter, lines, picture, look)
    _draw_names(painter, lines, picture, look, widest)
    painter.restore()


def _draw_ticks(painter: QPainter, lines: Lines, picture: QRectF) -> None:
    """Draw ticks that point outwards: over the picture they would be hard to see."""
    for mark in lines.marks:
        x, y = picture.left() + mark.x, picture.top() + mark.y
        if mark.edge == "bottom":
            painter.drawLine(QPointF(x, picture.bottom()), QPointF(x, picture.bottom() + TICK))
        elif mark.edge == "left":
            painter.drawLine(QPointF(picture.left() - TICK, y), QPointF(picture.left(), y))


def _draw_numbers(painter: QPainter, lines: Lines, picture: QRectF, look: Look) -> float:
    metrics = look.metrics(0.92)
    widest, taken = 0.0, []
    for mark in lines.marks:
        wide = metrics.horizontalAdvance(mark.text)
        if mark.edge == "bottom":
            box = QRectF(picture.left() + mark.x - wide / 2, picture.bottom() + TICK + 2, wide, metrics.height())
        elif mark.edge == "left":
            middle = picture.top() + mark.y
            box = QRectF(picture.left() - TICK - 4 - wide, middle - metrics.height() / 2, wide, metrics.height())
        else:
            continue
        if any(box.adjusted(-5, -1, 5, 1).intersects(other) for other in taken):
            continue
        taken.append(box)
        widest = max(widest, wide if mark.edge == "left" else 0.0)
        painter.drawText(QPointF(box.left(), box.top() + metrics.ascent()), mark.text)
    return widest


def _draw_names(painter: QPainter, lines: Lines, picture: QRectF, look: Look, widest: float) -> None:
    metrics = look.metrics(0.92)
    below, beside = lines.title("bottom"), lines.title("left")
    x = picture.center().x() - metrics.horizontalAdvance(below) / 2
    painter.drawText(QPointF(x, picture.bottom() + 8 + metrics.height() + metrics.ascent()), below)
    painter.save()
    painter.translate(picture.left() - 14 - widest, picture.center().y() + metrics.horizontalAdvance(beside) / 2)
    painter.rotate(-90)
    painter.drawText(QPointF(0, -metrics.descent()), beside)
    painter.restore()
