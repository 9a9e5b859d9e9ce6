"""Very many points: counted in the pixels of a picture, gathered, and tested against an outline; compiled by numba."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit, types

__all__ = ["add_points", "count_points", "gather", "inside", "stamp_points", "tint"]

_POINTS = types.Array(types.float64, 1, "C", readonly=True)
_ROWS = types.Array(types.boolean, 1, "C", readonly=True)
_NUMBERS = types.Array(types.int64, 1, "C", readonly=True)
_MAP = types.Array(types.float64, 2, "C", readonly=True)


def compiled(*takes: Any) -> Callable[[Any], Any]:
    """Compile for arrays that may be read-only, too: what takes those takes any, so that nothing is compiled later."""
    return njit([takes] if takes else None, cache=True, nogil=True, error_model="numpy")


@compiled(_POINTS, _POINTS, _ROWS, _MAP, types.uint32[:, ::1])
def count_points(x: np.ndarray, y: np.ndarray, rows: np.ndarray, to: np.ndarray, counts: np.ndarray) -> int:
    """Add points to the pixels that they fall on and return how many do.

    Parameters
    ----------
    x, y : ndarray of float64, shape (n,)
        NaN falls nowhere.
    rows : ndarray of bool, shape (n,) or (0,)
        Points that count; empty: all.
    to : ndarray, shape (2, 3)
        ``pixel = to @ (x, y, 1)``
    counts : ndarray of uint32, shape (height, width)
    """
    height, width = counts.shape
    every, number = len(rows) == 0, 0
    a, b, c, d, e, f = to[0, 0], to[0, 1], to[0, 2], to[1, 0], to[1, 1], to[1, 2]
    for n in range(len(x)):
        if every or rows[n]:
            across, down = a * x[n] + b * y[n] + c, d * x[n] + e * y[n] + f
            if 0.0 <= across < width and 0.0 <= down < height:
                counts[int(down), int(across)] += 1
                number += 1
    return number


@compiled(_POINTS, _POINTS, _ROWS, _MAP, _NUMBERS, types.uint32[:, ::1], types.int64[:, ::1])
def add_points(
    x: np.ndarray, y: np.ndarray, rows: np.ndarray, to: np.ndarray, numbers: np.ndarray, counts: np.ndarray,
    sums: np.ndarray,
) -> None:  # fmt: skip
    """Count points as `count_points` does, and add up their numbers; those whose number is below 0 are left out."""
    height, width = counts.shape
    every = len(rows) == 0
    a, b, c, d, e, f = to[0, 0], to[0, 1], to[0, 2], to[1, 0], to[1, 1], to[1, 2]
    for n in range(len(x)):
        if numbers[n] >= 0 and (every or rows[n]):
            across, down = a * x[n] + b * y[n] + c, d * x[n] + e * y[n] + f
            if 0.0 <= across < width and 0.0 <= down < height:
                counts[int(down), int(across)] += 1
                sums[int(down), int(across)] += numbers[n]


@compiled(_NUMBERS, _NUMBERS, _NUMBERS, types.Array(types.uint8, 2, "C", readonly=True), types.uint32[:, ::1])
def stamp_points(
    column: np.ndarray, row: np.ndarray, numbers: np.ndarray, stamp: np.ndarray, made: np.ndarray
) -> None:  # fmt: skip
    """Put a stamp at pixels: 256 × the number of the point, and how much the stamp covers, where it covers most.

    Parameters
    ----------
    column, row : ndarray of int64, shape (n,)
        Of the left upper corner of the stamp, which lies in the picture as a whole.
    numbers : ndarray of int64, shape (n,) or (0,)
        Empty: all 0.
    stamp : ndarray of uint8
    made : ndarray of uint32, shape (height, width)
    """
    for n in range(len(column)):
        number = np.uint32(256 * numbers[n]) if len(numbers) else np.uint32(0)
        for j in range(stamp.shape[0]):
            for i in range(stamp.shape[1]):
                cover = np.uint32(stamp[j, i])
                if cover > 0 and cover >= made[row[n] + j, column[n] + i] % 256:
                    made[row[n] + j, column[n] + i] = number + cover


@compiled(_POINTS, _POINTS, _ROWS, _MAP, _POINTS, types.int64[::1])
def gather(x: np.ndarray, y: np.ndarray, rows: np.ndarray, to: np.ndarray, box: np.ndarray, found: np.ndarray) -> int:
    """Write the numbers of the points within a box (left, top, right, bottom of pixels) and return how many there are.

    More than fit into ``found`` are counted and not written.
    """
    every, number = len(rows) == 0, 0
    a, b, c, d, e, f = to[0, 0], to[0, 1], to[0, 2], to[1, 0], to[1, 1], to[1, 2]
    for n in range(len(x)):
        if every or rows[n]:
            across, down = a * x[n] + b * y[n] + c, d * x[n] + e * y[n] + f
            if box[0] <= across <= box[2] and box[1] <= down <= box[3]:
                if number < len(found):
                    found[number] = n
                number += 1
    return number


OUT, IN, EDGE = 0, 1, 2
"""What a cell of an outline is: whole outside, whole inside, or passed by an edge."""


@compiled()
def _is_odd(across: float, down: float, corners: np.ndarray, edges: np.ndarray) -> int:
    """Return `IN` for a place to the right of which an odd number of edges passes, else `OUT`."""
    last, odd = len(corners) - 1, OUT
    for k in edges:
        after = 0 if k == last else k + 1
        x0, y0, x1, y1 = corners[k, 0], corners[k, 1], corners[after, 0], corners[after, 1]
        if (y0 <= down) != (y1 <= down) and across < x0 + (down - y0) * ((x1 - x0) / (y1 - y0)):
            odd = IN - odd
    return odd


@compiled()
def _sort_cells(
    strip: int, corners: np.ndarray, edges: np.ndarray, left: float, width: float, top: float, step: float,
    cells: np.ndarray,
) -> None:  # fmt: skip
    """Tell what the cells of a strip are."""
    last, columns = len(corners) - 1, len(cells)
    cells[:] = OUT
    low, high = top + step * strip, top + step * (strip + 1)
    for k in edges:
        after = 0 if k == last else k + 1
        x0, y0, x1, y1 = corners[k, 0], corners[k, 1], corners[after, 0], corners[after, 1]
        first, end = min(x0, x1), max(x0, x1)
        if y0 != y1:  # only the part of the edge within the strip, and a little more against rounding
            slope = (x1 - x0) / (y1 - y0)
            at_low, at_high = x0 + (low - y0) * slope, x0 + (high - y0) * slope
            first, end = max(first, min(at_low, at_high)), min(end, max(at_low, at_high))
        begin, stop = int((first - left) / width) - 1, int((end - left) / width) + 2
        cells[max(begin, 0) : max(min(stop, columns), 0)] = EDGE
    before = EDGE
    for column in range(columns):
        if cells[column] == OUT:
            if before == EDGE:  # cells in a row without an edge between them are alike
                before = _is_odd(left + width * (column + 0.5), 0.5 * (low + high), corners, edges)
            cells[column] = before
        else:
            before = EDGE


@compiled(_POINTS, _POINTS, _MAP, _MAP, _NUMBERS, _NUMBERS, types.float64, types.float64, types.uint8[:, ::1],
          types.boolean[::1])  # fmt: skip
def inside(
    x: np.ndarray, y: np.ndarray, to: np.ndarray, corners: np.ndarray, starts: np.ndarray, edges: np.ndarray,
    top: float, step: float, cells: np.ndarray, found: np.ndarray,
) -> None:  # fmt: skip
    """Tell which points lie in a polygon an odd number of times.

    Most lie in cells that no edge passes, which are either inside or outside; the others meet only the edges of their
    own strip.

    Parameters
    ----------
    corners : ndarray, shape (m, 2)
        In pixels; the last is joined to the first.
    starts, edges : ndarray of int
        Numbers of the edges that pass each horizontal strip; those of strip s are ``edges[starts[s]:starts[s + 1]]``.
    top, step : float
        Where the first strip begins, and how high each is.
    cells : ndarray of uint8, shape (strips, columns)
        Room for what each cell of the box round the polygon is.
    found : ndarray of bool, shape (n,)
    """
    strips, columns = cells.shape
    left = corners[:, 0].min()
    width = (corners[:, 0].max() - left) / columns
    width = width if width > 0.0 else 1.0
    for strip in range(strips):
        _sort_cells(strip, corners, edges[starts[strip] : starts[strip + 1]], left, width, top, step, cells[strip])
    a, b, c, d, e, f = to[0, 0], to[0, 1], to[0, 2], to[1, 0], to[1, 1], to[1, 2]
    for n in range(len(x)):
        across, down = a * x[n] + b * y[n] + c, d * x[n] + e * y[n] + f
        strip, column = (down - top) / step, (across - left) / width
        kind = OUT
        if 0.0 <= strip < strips and 0.0 <= column < columns:
            kind = cells[int(strip), int(column)]
            if kind == EDGE:
                kind = _is_odd(across, down, corners, edges[starts[int(strip)] : starts[int(strip) + 1]])
        found[n] = kind == IN


@compiled(types.uint32[:, ::1], types.Array(types.uint32, 1, "C", readonly=True), types.uint32[:, ::1])
def tint(counts: np.ndarray, table: np.ndarray, out: np.ndarray) -> None:
    """Give each pixel the colour of its count, the last one of the table to those beyond it."""
    last = np.uint32(len(table) - 1)
    flat, pixels = counts.ravel(), out.ravel()
    for n in range(len(flat)):
        pixels[n] = table[min(flat[n], last)]
