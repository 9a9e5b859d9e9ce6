"""Where the labels of a coordinate grid go: at the edges that its lines cross, none over another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from jviz.backend.render.contour import Line
from jviz.backend.render.levels import Step

__all__ = ["Axis", "Edge", "Label", "place_labels"]

Axis = Literal["lon", "lat"]
Edge = Literal["bottom", "left", "top", "right", "inside"]

_near = 1e-6
_margin = 3.0
_preference: dict[str, tuple[Edge, ...]] = {
    "across": ("bottom", "top", "left", "right", "inside"),
    "up": ("left", "right", "bottom", "top", "inside"),
}


@dataclass(frozen=True)
class Label:
    """The text of one line of the grid.

    Parameters
    ----------
    x, y : float
        Where the line crosses the edge, in viewport coordinates (y downwards).
    edge : str
        Which edge; ``"inside"`` for lines that cross none (all-sky maps, circles round a pole).
    box : (float, float, float, float)
        Left, top, right and bottom of the place kept free for the text, inside the viewport.
    """

    text: str
    x: float
    y: float
    edge: Edge
    axis: Axis
    value: float
    box: tuple[float, float, float, float]


@dataclass(frozen=True)
class _Crossing:
    axis: Axis
    index: int
    edge: Edge
    x: float
    y: float


def place_labels(
    traced: dict[str, tuple[Step, list[Line]]],
    width: float,
    height: float,
    *,
    glyph: tuple[float, float],
    taken: Sequence[tuple[float, float, float, float]] = (),
) -> tuple[Label, ...]:
    """Give each level one label, at the edge that suits its axis; leave out what would overlap.

    Parameters
    ----------
    traced : dict
        ``"lon"`` and ``"lat"`` → (step, lines in viewport coordinates).
    width, height : float
        Size of the viewport.
    glyph : (float, float)
        Width of a character and height of a line.
    taken : sequence of (float, float, float, float)
        Left, top, right and bottom of places that are kept free.
    """
    crossings = {axis: _crossings(axis, lines, width, height) for axis, (_, lines) in traced.items()}
    turned = _fits_sideways(crossings)
    labels: list[Label] = []
    for axis, level in _by_roundness(crossings):
        step = traced[axis][0]
        order = _preference["up" if (axis == "lat") != turned else "across"]
        text = step.text(level[0].index)
        for crossing in sorted(level, key=lambda crossing: order.index(crossing.edge)):
            box = _box(crossing, text, glyph, width, height)
            if not any(_overlap(box, other) for other in (*taken, *(label.box for label in labels))):
                value = crossing.index * step.degrees
                labels.append(Label(text, crossing.x, crossing.y, crossing.edge, axis, value, box))
                break
    return tuple(labels)


def _crossings(axis: Axis, lines: list[Line], width: float, height: float) -> dict[int, list[_Crossing]]:
    """Return level → where its lines meet the edges, or the middle of one that meets none."""
    found: dict[int, list[_Crossing]] = {}
    for line in lines:
        for x, y in (line.points[0].tolist(), line.points[-1].tolist()):
            edge = _edge(x, y, width, height)
            if edge:
                found.setdefault(line.index, []).append(_Crossing(axis, line.index, edge, x, y))
    for line in lines:
        if line.index not in found:
            x, y = _middle(axis, line.points, width)
            found[line.index] = [_Crossing(axis, line.index, "inside", x, y)]
    return found


def _edge(x: float, y: float, width: float, height: float) -> Edge | None:
    if y >= height - _near:
        return "bottom"
    if x <= _near:
        return "left"
    if y <= _near:
        return "top"
    return "right" if x >= width - _near else None


def _middle(axis: Axis, points: np.ndarray, width: float) -> tuple[float, float]:
    """Return a good place on a line that meets no edge."""
    if axis == "lon":
        return tuple(points[len(points) // 2].tolist())
    return tuple(points[np.argmin(np.abs(points[:, 0] - width / 2))].tolist())


def _fits_sideways(crossings: dict[str, dict[int, list[_Crossing]]]) -> bool:
    """Whether meridians run sideways, so that the left edge meets more of them than the bottom."""

    def count(axis: Axis, edge: Edge) -> int:
        return sum(any(c.edge == edge for c in level) for level in crossings[axis].values())

    upright = count("lon", "bottom") + count("lat", "left")
    return count("lon", "left") + count("lat", "bottom") > upright


def _by_roundness(
    crossings: dict[str, dict[int, list[_Crossing]]],
) -> Iterator[tuple[Axis, list[_Crossing]]]:
    """Yield levels with the roundest first, so that what is left out leaves a regular pattern."""
    levels = [(axis, level) for axis, found in crossings.items() for level in found.values()]
    yield from sorted(levels, key=lambda pair: -_roundness(pair[1][0].index))


def _roundness(index: int) -> int:
    """Return the largest power of two in an index, many for 0."""
    return index & -index if index else 2**30


def _box(
    crossing: _Crossing, text: str, glyph: tuple[float, float], width: float, height: float
) -> tuple[float, float, float, float]:
    """Return the place of a text beside its crossing, moved into the viewport."""
    wide, high = len(text) * glyph[0], glyph[1]
    left = {"left": _margin, "right": width - _margin - wide}.get(crossing.edge, crossing.x - wide / 2)
    top = {"top": _margin, "bottom": height - _margin - high}.get(crossing.edge, crossing.y - high / 2)
    left = min(max(left, _margin), max(width - _margin - wide, _margin))
    top = min(max(top, _margin), max(height - _margin - high, _margin))
    return left, top, left + wide, top + high


def _overlap(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
