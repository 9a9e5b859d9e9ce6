"""Sectors of rings (panda, epanda and bpanda of DS9) as polygons."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from jviz.backend.regions.making import PIXEL_FRAME
from jviz.backend.regions.offsets import offset_by

__all__ = ["offset_points", "sectors"]

_step = 1.5
"""Degrees from one point of an arc to the next."""

Pair = tuple[float, float]


def sectors(
    frame: str,
    centre: Pair,
    angles: tuple[float, float, int],
    inner: Pair,
    outer: Pair,
    rings: int,
    *,
    turn: float = 0.0,
    box: bool = False,
) -> list[np.ndarray]:
    """Return the corners of the sectors of rings, shape (n, 2) each: from the inside, and counter-clockwise.

    Parameters
    ----------
    frame : str
    centre : (float, float)
    angles : (float, float, int)
        From, to (degrees) and how many; a stop below the start is meant one turn later.
    inner, outer : (float, float)
        Semi-axes of the innermost and the outermost ring, or half of the sizes of boxes.
    rings : int
    turn : float
        Angle of the axes; the other angles are counted from it.
    box : bool
    """
    start, stop, count = angles
    if stop <= start:
        stop += 360.0
    if count < 1 or rings < 1 or not (outer[0] > inner[0] >= 0 and outer[1] > inner[1] >= 0):
        raise ValueError("no sectors")
    bounds = np.linspace(start, stop, count + 1)
    shares = np.linspace(0, 1, rings + 1)[:, None]
    axes = np.array(inner) + shares * (np.array(outer) - inner)
    found = []
    for low, high in pairwise(axes):
        for first, last in pairwise(bounds):
            theta = _along(first, last, high, box)
            points = np.concatenate([_edge(theta, high, box), _edge(theta[::-1], low, box)])
            found.append(offset_points(frame, centre, points, turn))
    return found


def _along(first: float, last: float, axes: np.ndarray, box: bool) -> np.ndarray:
    """Return the angles of the points of an arc; of a box those of its ends and of the corners between them."""
    if not box:
        return np.linspace(first, last, max(2, int(np.ceil((last - first) / _step)) + 1))
    corner = np.degrees(np.arctan2(axes[1], axes[0]))
    turns = np.arange(-2, 3) * 360.0
    corners = (np.array([corner, 180 - corner, 180 + corner, 360 - corner])[:, None] + turns).ravel()
    return np.sort(np.concatenate([[first, last], corners[(corners > first) & (corners < last)]]))


def _edge(theta: np.ndarray, axes: np.ndarray, box: bool) -> np.ndarray:
    """Return the points of an ellipse or a box in the directions given."""
    if not axes.all():
        return np.zeros((1, 2))
    cos, sin = np.cos(np.radians(theta)), np.sin(np.radians(theta))
    if box:
        with np.errstate(divide="ignore"):
            radius = np.minimum(axes[0] / np.abs(cos), axes[1] / np.abs(sin))
    else:
        radius = 1 / np.hypot(cos / axes[0], sin / axes[1])
    return np.column_stack([radius * cos, radius * sin])


def offset_points(frame: str, centre: Pair, points: np.ndarray, turn: float = 0.0) -> np.ndarray:
    """Return places by offsets to the right and up with north up, in pixels or degrees of great circles."""
    cos, sin = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    right, up = points[:, 0] * cos - points[:, 1] * sin, points[:, 0] * sin + points[:, 1] * cos
    if frame == PIXEL_FRAME:
        return np.column_stack([centre[0] + right, centre[1] + up])
    return np.column_stack(offset_by(*centre, right, up))
