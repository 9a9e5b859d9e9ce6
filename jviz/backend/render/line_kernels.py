"""Very many short lines into a picture, compiled by numba; Qt takes ten times as long for each."""

import numpy as np
from numba import njit

__all__ = ["draw_lines", "segments"]

compiled = njit(cache=True, nogil=True, error_model="numpy")


@compiled
def segments(
    points: np.ndarray, starts: np.ndarray, lines: np.ndarray, strides: np.ndarray, to: np.ndarray, out: np.ndarray
) -> int:
    """Fill in the pieces of polylines on the screen and return how many they are; NaN interrupts a line.

    Parameters
    ----------
    points : ndarray, shape (n, 2)
    starts : ndarray of int
        Where each polyline begins, and the end of the last.
    lines : ndarray of int
        Numbers of the polylines that are wanted.
    strides : ndarray of int
        Of each of them every n-th point only, and the last one.
    to : ndarray, shape (2, 3)
        ``screen = to @ (x, y, 1)``
    out : ndarray, shape (m, 4)
        From x and y to x and y.
    """
    count = 0
    for k in range(len(lines)):
        first, last, stride = starts[lines[k]], starts[lines[k] + 1] - 1, strides[k]
        x0 = to[0, 0] * points[first, 0] + to[0, 1] * points[first, 1] + to[0, 2]
        y0 = to[1, 0] * points[first, 0] + to[1, 1] * points[first, 1] + to[1, 2]
        i = first
        while i < last:
            i = min(i + stride, last)
            x1 = to[0, 0] * points[i, 0] + to[0, 1] * points[i, 1] + to[0, 2]
            y1 = to[1, 0] * points[i, 0] + to[1, 1] * points[i, 1] + to[1, 2]
            if x0 == x0 and x1 == x1 and y0 == y0 and y1 == y1:
                out[count, 0], out[count, 1], out[count, 2], out[count, 3] = x0, y0, x1, y1
                count += 1
            x0, y0 = x1, y1
    return count


@compiled
def draw_lines(pieces: np.ndarray, colour: np.uint32, ratio: float, out: np.ndarray) -> None:
    """Draw lines one pixel wide.

    Parameters
    ----------
    pieces : ndarray, shape (m, 4)
    colour : uint32
        0xAARRGGBB
    ratio : float
        Pixels of the picture for each unit of the pieces.
    out : ndarray of uint32, shape (height, width)
    """
    height, width = out.shape
    for k in range(len(pieces)):
        x0, y0, x1, y1 = pieces[k, 0] * ratio, pieces[k, 1] * ratio, pieces[k, 2] * ratio, pieces[k, 3] * ratio
        if max(x0, x1) < 0.0 or min(x0, x1) >= width or max(y0, y1) < 0.0 or min(y0, y1) >= height:
            continue
        dx, dy = x1 - x0, y1 - y0
        # cut to the picture, so that a long line costs what can be seen of it
        low, high = 0.0, 1.0
        if dx != 0.0:
            a, b = -x0 / dx, (width - x0) / dx
            low, high = max(low, min(a, b)), min(high, max(a, b))
        if dy != 0.0:
            a, b = -y0 / dy, (height - y0) / dy
            low, high = max(low, min(a, b)), min(high, max(a, b))
        if high <= low and (dx != 0.0 or dy != 0.0):
            continue
        steps = int(max(abs(dx), abs(dy)) * (high - low)) + 1
        for step in range(steps + 1):
            at = low + (high - low) * step / steps
            column, row = int(np.floor(x0 + dx * at)), int(np.floor(y0 + dy * at))
            if 0 <= column < width and 0 <= row < height:
                out[row, column] = colour
