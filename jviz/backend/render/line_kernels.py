"""Very many short lines into a picture, compiled by numba; Qt takes ten times as long for each."""

import numpy as np
from numba import njit

__all__ = ["draw_outlines"]

compiled = njit(cache=True, nogil=True, error_model="numpy")


@compiled
def draw_outlines(
    points: np.ndarray,
    starts: np.ndarray,
    owners: np.ndarray,
    strides: np.ndarray,
    colours: np.ndarray,
    to: np.ndarray,
    out: np.ndarray,
) -> None:
    """Draw polylines one pixel wide; NaN interrupts a line.

    Parameters
    ----------
    points : ndarray, shape (n, 2)
    starts : ndarray of int
        Where each polyline begins, and the end of the last.
    owners : ndarray of int
        Which outline each polyline is of.
    strides : ndarray of int, shape (outlines,)
        Of an outline every n-th point only, and the last one; 0: it is not drawn.
    colours : ndarray of uint32, shape (outlines,)
        0xAARRGGBB
    to : ndarray, shape (2, 3)
        ``pixel of the picture = to @ (x, y, 1)``
    out : ndarray of uint32, shape (height, width)
    """
    height, width = out.shape
    for line in range(len(owners)):
        stride, colour = strides[owners[line]], colours[owners[line]]
        if stride == 0:
            continue
        i, last = starts[line], starts[line + 1] - 1
        x0 = to[0, 0] * points[i, 0] + to[0, 1] * points[i, 1] + to[0, 2]
        y0 = to[1, 0] * points[i, 0] + to[1, 1] * points[i, 1] + to[1, 2]
        while i < last:
            i = min(i + stride, last)
            x1 = to[0, 0] * points[i, 0] + to[0, 1] * points[i, 1] + to[0, 2]
            y1 = to[1, 0] * points[i, 0] + to[1, 1] * points[i, 1] + to[1, 2]
            _draw_line(x0, y0, x1, y1, colour, width, height, out)
            x0, y0 = x1, y1


@compiled
def _draw_line(
    x0: float, y0: float, x1: float, y1: float, colour: np.uint32, width: int, height: int, out: np.ndarray
) -> None:
    """Draw a line, cut to the picture, so that a long one costs what can be seen of it."""
    dx, dy = x1 - x0, y1 - y0
    if not (abs(dx) < np.inf and abs(dy) < np.inf):
        return
    if max(x0, x1) < 0.0 or min(x0, x1) >= width or max(y0, y1) < 0.0 or min(y0, y1) >= height:
        return
    if min(x0, x1) < 0.0 or max(x0, x1) >= width or min(y0, y1) < 0.0 or max(y0, y1) >= height:
        low, high = 0.0, 1.0
        if dx != 0.0:
            a, b = -x0 / dx, (width - x0) / dx
            low, high = max(low, min(a, b)), min(high, max(a, b))
        if dy != 0.0:
            a, b = -y0 / dy, (height - y0) / dy
            low, high = max(low, min(a, b)), min(high, max(a, b))
        if high <= low:
            return
        x0, y0, dx, dy = x0 + low * dx, y0 + low * dy, (high - low) * dx, (high - low) * dy
    steps = int(max(abs(dx), abs(dy))) + 1
    right, down = dx / steps, dy / steps
    for _ in range(steps + 1):
        # rounding may lead a little below zero, which is pixel zero
        column, row = int(x0), int(y0)
        if column < width and row < height:
            out[row, column] = colour
        x0 += right
        y0 += down
