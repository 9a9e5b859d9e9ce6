"""How much of each pixel a polygon covers; compiled by numba, without the GIL."""

import numpy as np
from numba import njit

from jviz.backend.render.kernels import choose_cache

__all__ = ["contains", "cover", "inside"]

choose_cache()
compiled = njit(cache=True, nogil=True, error_model="numpy")


@compiled
def _row(cells: np.ndarray, left: float, right: float, rise: float) -> None:
    """Add to one row what an edge from ``left`` to ``right`` leaves to its right, differenced along the row."""
    first, last = int(np.floor(left)), int(np.ceil(right))
    if last <= first + 1:
        middle = 0.5 * (left + right) - first
        cells[first] += rise * (1.0 - middle)
        cells[first + 1] += rise * middle
        return
    slope = 1.0 / (right - left)
    passed, known = 0.0, 0.0
    for j in range(first, last):
        # the part of the rise within the cell lies to the right of it by its mean distance
        low, high = max(left, float(j)), min(right, j + 1.0)
        part = (high - low) * slope
        covered = passed + part * (j + 1.0 - 0.5 * (low + high))
        cells[j] += rise * (covered - known)
        passed, known = passed + part, covered
    cells[last] += rise * (1.0 - known)


@compiled
def _edge(cells: np.ndarray, x0: float, y0: float, x1: float, y1: float, sign: float) -> None:
    """Go along an edge with y0 < y1 and 0 <= x <= width, row by row."""
    slope = (x1 - x0) / (y1 - y0)
    width = cells.shape[1] - 2.0
    for i in range(int(np.floor(y0)), int(np.ceil(y1))):
        low, high = max(y0, float(i)), min(y1, i + 1.0)
        a = min(max(x0 + (low - y0) * slope, 0.0), width)
        b = min(max(x0 + (high - y0) * slope, 0.0), width)
        _row(cells[i], min(a, b), max(a, b), sign * (high - low))


@compiled
def _clipped(cells: np.ndarray, x0: float, y0: float, x1: float, y1: float) -> None:
    """Cut an edge at the borders; what lies to the left counts as lying on the left border."""
    sign = 1.0
    if y0 > y1:
        x0, y0, x1, y1, sign = x1, y1, x0, y0, -1.0
    height, width = float(cells.shape[0]), cells.shape[1] - 2.0
    if y1 <= 0.0 or y0 >= height or y0 == y1:
        return
    slope = (x1 - x0) / (y1 - y0)
    if y0 < 0.0:
        x0, y0 = x0 - y0 * slope, 0.0
    if y1 > height:
        x1, y1 = x1 - (y1 - height) * slope, height
    cuts = np.array([y0, y1, y0, y1])
    if slope != 0.0:
        cuts[2] = min(max(y0 - x0 / slope, y0), y1)
        cuts[3] = min(max(y0 + (width - x0) / slope, y0), y1)
    cuts.sort()
    for k in range(3):
        low, high = cuts[k], cuts[k + 1]
        if high > low:
            a, b = x0 + (low - y0) * slope, x0 + (high - y0) * slope
            a, b = min(max(a, 0.0), width), min(max(b, 0.0), width)
            _edge(cells, a, low, b, high, sign)


@compiled
def cover(x: np.ndarray, y: np.ndarray, out: np.ndarray) -> None:
    """Fill the part of each cell that a closed polygon covers, exactly.

    Each edge adds the area between it and the right border; the sum along a row is the area in each
    cell, with the sign of the turn. Where a polygon overlaps itself the part stays at 1.

    Parameters
    ----------
    x, y : ndarray of float64
        Vertices; cell (i, j) spans j to j + 1 along x and i to i + 1 along y.
    out : ndarray of float64, shape (ny, nx)
    """
    ny, nx = out.shape
    cells = np.zeros((ny, nx + 2))
    count = len(x)
    for k in range(count):
        after = k + 1 if k + 1 < count else 0
        _clipped(cells, x[k], y[k], x[after], y[after])
    for i in range(ny):
        total = 0.0
        for j in range(nx):
            total += cells[i, j]
            out[i, j] = min(abs(total), 1.0)


@compiled
def inside(x: np.ndarray, y: np.ndarray, out: np.ndarray) -> None:
    """Fill 1 where the centre of a cell lies in a polygon (an odd number of times), else 0."""
    ny, nx = out.shape
    crossings = np.zeros((ny, nx + 1), np.int64)
    count = len(x)
    for k in range(count):
        after = k + 1 if k + 1 < count else 0
        x0, y0, x1, y1 = x[k], y[k], x[after], y[after]
        if y0 > y1:
            x0, y0, x1, y1 = x1, y1, x0, y0
        for i in range(max(0, int(np.ceil(y0 - 0.5))), min(ny, int(np.ceil(y1 - 0.5)))):
            at = x0 + (i + 0.5 - y0) * (x1 - x0) / (y1 - y0)
            crossings[i, int(min(max(np.ceil(at - 0.5), 0.0), float(nx)))] += 1
    for i in range(ny):
        total = 0
        for j in range(nx):
            total += crossings[i, j]
            out[i, j] = total % 2


@compiled
def contains(x: np.ndarray, y: np.ndarray, at_x: np.ndarray, at_y: np.ndarray) -> np.ndarray:
    """Return which points lie in a closed polygon (an odd number of times).

    Parameters
    ----------
    x, y : ndarray of float64
        Vertices.
    at_x, at_y : ndarray of float64
        Points; NaN lies outside.
    """
    out = np.zeros(len(at_x), np.bool_)
    count = len(x)
    for i in range(len(at_x)):
        within = False
        before = count - 1
        for k in range(count):
            straddles = (y[k] > at_y[i]) != (y[before] > at_y[i])
            if straddles and at_x[i] < x[k] + (at_y[i] - y[k]) * (x[before] - x[k]) / (y[before] - y[k]):
                within = not within
            before = k
        out[i] = within
    return out
