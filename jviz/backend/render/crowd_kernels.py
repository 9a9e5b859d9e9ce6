"""Very many points: counted in the pixels of a picture, gathered, and tested against an outline; compiled by numba."""

import numpy as np
from numba import njit

__all__ = ["count_points", "gather", "inside", "tint"]

compiled = njit(cache=True, nogil=True, error_model="numpy")


@compiled
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


@compiled
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


@compiled
def inside(
    x: np.ndarray, y: np.ndarray, to: np.ndarray, corners: np.ndarray, starts: np.ndarray, edges: np.ndarray,
    top: float, step: float, found: np.ndarray,
) -> None:  # fmt: skip
    """Tell which points lie in a polygon an odd number of times; each meets only the edges of its own strip.

    Parameters
    ----------
    corners : ndarray, shape (m, 2)
        In pixels; the last is joined to the first.
    starts, edges : ndarray of int
        Numbers of the edges that pass each horizontal strip; those of strip s are ``edges[starts[s]:starts[s + 1]]``.
    top, step : float
        Where the first strip begins, and how high each is.
    found : ndarray of bool, shape (n,)
    """
    strips, last = len(starts) - 1, len(corners) - 1
    for n in range(len(x)):
        across = to[0, 0] * x[n] + to[0, 1] * y[n] + to[0, 2]
        down = to[1, 0] * x[n] + to[1, 1] * y[n] + to[1, 2]
        strip = np.floor((down - top) / step)
        odd = False
        if 0.0 <= strip < strips:
            for k in edges[starts[int(strip)] : starts[int(strip) + 1]]:
                after = 0 if k == last else k + 1
                x0, y0, x1, y1 = corners[k, 0], corners[k, 1], corners[after, 0], corners[after, 1]
                if (y0 <= down) != (y1 <= down) and across < x0 + (down - y0) * ((x1 - x0) / (y1 - y0)):
                    odd = not odd
        found[n] = odd


@compiled
def tint(counts: np.ndarray, table: np.ndarray, out: np.ndarray) -> None:
    """Give each pixel the colour of its count, the last one of the table to those beyond it."""
    last = np.uint32(len(table) - 1)
    flat, pixels = counts.ravel(), out.ravel()
    for n in range(len(flat)):
        pixels[n] = table[min(flat[n], last)]
