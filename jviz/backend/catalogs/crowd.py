"""Many points: how densely they lie in a picture, and which of them are inside an outline or nearest to a place."""

from __future__ import annotations

import numpy as np

__all__ = ["density", "inside", "nearest"]


def density(x: np.ndarray, y: np.ndarray, width: int, height: int, weights: np.ndarray | None = None) -> np.ndarray:
    """Count points in the pixels of a picture.

    Parameters
    ----------
    x, y : ndarray of float, shape (n,)
        Places in pixels; those outside of the picture, and NaN, are left out.
    weights : ndarray, optional
        Added up instead of the number of points.

    Returns
    -------
    ndarray of float64, shape (height, width)
    """
    with np.errstate(invalid="ignore"):
        there = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    column, row = x[there].astype(np.int64), y[there].astype(np.int64)
    counts = np.bincount(row * width + column, None if weights is None else weights[there], width * height)
    return counts.reshape(height, width).astype(np.float64)


def inside(x: np.ndarray, y: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Return which points lie in a polygon (an odd number of times, so that loops of a lasso are holes).

    Parameters
    ----------
    x, y : ndarray of float, shape (n,)
        NaN lies nowhere.
    corners : ndarray of float, shape (m, 2)

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    corners = np.asarray(corners, float)
    low, high = corners.min(axis=0), corners.max(axis=0)
    with np.errstate(invalid="ignore"):
        near = np.flatnonzero((x >= low[0]) & (x <= high[0]) & (y >= low[1]) & (y <= high[1]))
    # Sorted by y, the points that an edge passes are one slice: the work grows with crossings, not with edges.
    near = near[np.argsort(y[near], kind="stable")]
    px, py = x[near], y[near]
    crossed = np.zeros(len(near), np.int64)
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if y0 == y1:
            continue
        if y0 > y1:
            x0, y0, x1, y1 = x1, y1, x0, y0
        first, last = np.searchsorted(py, (y0, y1), side="left")
        part = slice(int(first), int(last))
        crossed[part] += px[part] < x0 + (py[part] - y0) * ((x1 - x0) / (y1 - y0))
    found = np.zeros(len(x), bool)
    found[near[crossed % 2 == 1]] = True
    return found


def nearest(x: np.ndarray, y: np.ndarray, place: tuple[float, float], reach: float) -> int | None:
    """Return the number of the point that is nearest to a place, None when none is within ``reach``."""
    with np.errstate(invalid="ignore"):
        near = np.flatnonzero((np.abs(x - place[0]) <= reach) & (np.abs(y - place[1]) <= reach))
    if not len(near):
        return None
    distance = np.hypot(x[near] - place[0], y[near] - place[1])
    best = int(distance.argmin())
    return int(near[best]) if distance[best] <= reach else None
