"""Functions, isochrones and tracks over plots of catalogues, and their names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from jviz.backend.catalogs.tracks import curve_of, function_of
from jviz.catalog_lines import Line, lines_of, track_places
from jviz.errors import JvizError
from jviz.viewers.look import Look
from jviz.viewers.plot.axes import Axis
from jviz.viewers.plot.curves import polygon
from jviz.viewers.plot.frame import Frame
from jviz.viewers.plot.paint import ON_DARK, ON_LIGHT

__all__ = ["LineShown", "draw_lines", "draw_names", "line_colors", "shown_lines", "spans_of_tracks"]

SAMPLES = 1_500
"""Places at which a function is worked out across the picture."""

MOST_NAMES = 10
SHARE = 0.6


@dataclass(frozen=True, eq=False)
class LineShown:
    """A line with what it is drawn in."""

    line: Line
    color: str
    width: float
    places: tuple[np.ndarray, np.ndarray] | None
    """Of a track, in the units of the axes; None for a function."""


def line_colors(view: Any, *, dark: bool) -> list[str]:
    """Return the colour of each line over a plot: its own, or one of the theme that its points do not have."""
    theme = ON_DARK if dark else ON_LIGHT
    points = sum(layer.drawing == "points" for layer in view.layers)
    return [line.color or theme[(points + n) % len(theme)] for n, line in enumerate(lines_of(view))]


def shown_lines(view: Any, look: Look) -> tuple[list[LineShown], str]:
    """Return the visible lines over a plot, and what is wrong with those that cannot be drawn."""
    found, problem = [], ""
    for line, color in zip(lines_of(view), line_colors(view, dark=look.is_dark), strict=True):
        if not line.visible:
            continue
        try:
            places = track_places(view, line.layer) if line.layer is not None else None
        except JvizError as error:
            problem = str(error)
            continue
        found.append(LineShown(line, color, line.layer.width if line.layer is not None else 1.8, places))
    return found, problem


def spans_of_tracks(view: Any) -> list[np.ndarray]:
    """Return the least and greatest x and y of tracks that have a plot to themselves, each of shape (2, 2)."""
    found = []
    for line in lines_of(view):
        if line.layer is None or not line.visible:
            continue
        try:
            x, y = track_places(view, line.layer)
        except JvizError:
            continue  # told where it is drawn
        good = np.isfinite(x) & np.isfinite(y) & ((x > 0) | (not view.x_log)) & ((y > 0) | (not view.y_log))
        if good.any():
            found.append(np.array([[v[good].min(), v[good].max()] for v in (x, y)]))
    return found


def draw_lines(painter: QPainter, scene: Frame, lines: list[LineShown]) -> None:
    """Draw lines, clipped to the picture."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for shown in lines:
        places = shown.places if shown.places is not None else _sampled(scene, shown.line.expression)
        painter.setPen(QPen(QColor(shown.color), shown.width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap,
                            Qt.PenJoinStyle.RoundJoin))  # fmt: skip
        for x, y in _pieces(_near(scene.x, places[0]), _near(scene.y, places[1])):
            painter.drawPolyline(polygon(x, y))


def _sampled(scene: Frame, text: str) -> tuple[np.ndarray, np.ndarray]:
    """Return x and y of a function, evenly across the picture."""
    of, _ = function_of(text)
    axis = scene.x if of == "x" else scene.y
    return curve_of(text, (np.geomspace if axis.log else np.linspace)(axis.low, axis.high, SAMPLES))


def _near(axis: Axis, values: np.ndarray) -> np.ndarray:
    """Return places, those far outside of the picture drawn near, which Qt needs."""
    reach = 3 * abs(axis.end - axis.start)
    return np.clip(axis.place(values), min(axis.start, axis.end) - reach, max(axis.start, axis.end) + reach)


def _pieces(x: np.ndarray, y: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    good = np.isfinite(x) & np.isfinite(y)
    borders = np.flatnonzero(np.diff(good.astype(np.int8), prepend=0, append=0))
    return [(x[a:b], y[a:b]) for a, b in zip(borders[::2], borders[1::2], strict=True)]


def draw_names(painter: QPainter, scene: Frame, lines: list[LineShown]) -> None:
    """Name the lines in a corner of the picture."""
    if not lines:
        return
    look, metrics = scene.look, scene.look.metrics(0.92)
    high, most = 1.35 * metrics.height(), SHARE * scene.picture.width() - 44
    if most < 30:
        return
    names = [metrics.elidedText(one.line.title, Qt.TextElideMode.ElideMiddle, most) for one in lines[:MOST_NAMES]]
    if len(lines) > MOST_NAMES:
        names.append(f"and {len(lines) - MOST_NAMES} more")
    box = QRectF(0, 0, max(metrics.horizontalAdvance(name) for name in names) + 44, high * len(names) + 8)
    box.moveTopRight(scene.picture.topRight() + QPointF(-8, 8))
    ground = QColor(look.canvas)
    ground.setAlphaF(0.85)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ground)
    painter.drawRoundedRect(box, 4, 4)
    painter.setFont(look.font(0.92))
    for n, name in enumerate(names):
        y = box.top() + 4 + (n + 0.5) * high
        if n < len(lines[:MOST_NAMES]):
            painter.setPen(QPen(QColor(lines[n].color), 2.0))
            painter.drawLine(QPointF(box.left() + 8, y), QPointF(box.left() + 28, y))
        painter.setPen(QColor(look.text))
        painter.drawText(QPointF(box.left() + 36, y + metrics.ascent() / 2 - 1.5), name)
