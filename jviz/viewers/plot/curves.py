"""From samples to the few points that a screen can show: peaks are kept, however many samples there are."""

from __future__ import annotations

from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np
import shiboken6
from PySide6.QtGui import QPolygonF

from jviz.plot_views import Curve
from jviz.viewers.plot.axes import Axis

__all__ = ["Outline", "outline_of", "polygon"]

BLOCK = 64
"""Samples whose extremes are worked out once for a curve."""

MANY = 4
"""Samples per pixel above which only the extremes of each pixel column are drawn."""


def polygon(x: np.ndarray, y: np.ndarray) -> QPolygonF:
    """Make a polyline of arrays without a loop over the points."""
    made = QPolygonF()
    made.resize(len(x))
    if len(x):
        memory = shiboken6.VoidPtr(made.data(), len(x) * 16, True)
        points = np.frombuffer(memory, np.float64).reshape(-1, 2)
        points[:, 0], points[:, 1] = x, y
    return made


class Outline:
    """A curve with the extremes of its blocks, made on first use and kept as long as the curve."""

    def __init__(self, curve: Curve) -> None:
        # Not the curve itself: this is a value of a dictionary whose keys are weak.
        self._x, self._y = curve.x, curve.y
        self._edges = curve.edges

    def prepare(self) -> None:
        """Work out the extremes now; long for millions of samples."""
        _ = self._blocks

    @cached_property
    def _blocks(self) -> tuple[np.ndarray, np.ndarray]:
        whole = len(self._y) // BLOCK * BLOCK
        blocks = self._y[:whole].reshape(-1, BLOCK)
        return np.fmin.reduce(blocks, axis=1), np.fmax.reduce(blocks, axis=1)

    def points(self, x: Axis, y: Axis, drawing: str) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return the pieces between missing values as places (x, y) in pixels."""
        low, high = sorted((x.low, x.high))
        first, last = np.searchsorted(self._x, (low, high))
        first, last = max(int(first) - 1, 0), min(int(last) + 1, len(self._x))
        if last - first > MANY * abs(x.end - x.start) and drawing != "points":
            return self._extremes(first, last, x, y)
        values = self._y[first:last]
        if drawing == "steps":
            borders = x.place(self._edges[first : last + 1])
            across, down = np.repeat(borders, 2)[1:-1], np.repeat(y.place(values), 2)
        else:
            across, down = x.place(self._x[first:last]), y.place(values)
        return _pieces(across, _clipped(down, y))

    def _extremes(self, first: int, last: int, x: Axis, y: Axis) -> list[tuple[np.ndarray, np.ndarray]]:
        """Draw one line from the least to the greatest value in each column of pixels."""
        if (last - first) / abs(x.end - x.start) > 2 * BLOCK:
            least, greatest = (part[first // BLOCK : last // BLOCK] for part in self._blocks)
            samples = self._x[first // BLOCK * BLOCK : last // BLOCK * BLOCK : BLOCK]
        else:
            least = greatest = self._y[first:last]
            samples = self._x[first:last]
        columns = np.floor(x.place(samples)).astype(np.int64)
        starts = np.flatnonzero(np.diff(columns, prepend=columns[0] - 1))
        low, high = np.fmin.reduceat(least, starts), np.fmax.reduceat(greatest, starts)
        across = np.repeat(columns[starts] + 0.5, 2)
        down = np.stack([low, high], axis=1)
        # Every other column downwards: the line goes on where the last one ended.
        down[1::2] = down[1::2, ::-1]
        return _pieces(across, _clipped(y.place(down.ravel()), y))


def _clipped(places: np.ndarray, y: Axis) -> np.ndarray:
    """Keep places within a screen of the picture: Qt draws lines of millions of pixels slowly and wrongly."""
    reach = abs(y.end - y.start)
    low, high = min(y.start, y.end) - reach, max(y.start, y.end) + reach
    return np.clip(places, low, high)


def _pieces(across: np.ndarray, down: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    good = np.isfinite(across) & np.isfinite(down)
    if good.all():
        return [(across, down)] if len(across) else []
    borders = np.flatnonzero(np.diff(good.astype(np.int8), prepend=0, append=0))
    return [(across[a:b], down[a:b]) for a, b in zip(borders[::2], borders[1::2], strict=True)]


_outlines: WeakKeyDictionary[Curve, Outline] = WeakKeyDictionary()


def outline_of(curve: Curve) -> Outline:
    """Return the outline of a curve, kept while the curve lives."""
    if curve not in _outlines:
        _outlines[curve] = Outline(curve)
    return _outlines[curve]
