"""Many curves drawn into a picture at once: one pass over the samples, a column of pixels at a time."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["draw_steps", "is_ready", "prepare"]

_kernel: Any = None


def is_ready() -> bool:
    """Whether the kernel is compiled."""
    return _kernel is not None


def prepare() -> None:
    """Compile the kernel, or take it from the cache; takes a second the first time."""
    global _kernel
    if _kernel is None:
        from numba import njit

        made = njit(cache=True, nogil=True)(_steps)
        made(np.zeros((2, 2), np.uint32), np.arange(3.0), np.arange(2.0), 1.0, 0.0, 1.0, 0.0, np.uint32(1))
        _kernel = made


def draw_steps(
    picture: np.ndarray, edges: np.ndarray, values: np.ndarray, x: tuple[float, float], y: tuple[float, float],
    colour: int,
) -> None:  # fmt: skip
    """Draw a curve as steps, one pixel wide.

    Parameters
    ----------
    picture : ndarray of uint32, shape (height, width)
        Changed in place.
    edges, values : ndarray of float64, shapes (n + 1,) and (n,)
        Borders of the samples, rising, and their values; NaN leaves a gap.
    x, y : (float, float)
        Factor and zero point from edges to columns, and from values to rows.
    colour : int
        Written as it is.
    """
    (_kernel or _steps)(picture, edges, values, *x, *y, np.uint32(colour))


def _steps(
    picture: np.ndarray, edges: np.ndarray, values: np.ndarray, ax: float, bx: float, ay: float, by: float, colour: Any
) -> None:
    height, width = picture.shape
    column, low, high, before = -1, 0, 0, -2
    for i in range(len(values)):
        value = ay * values[i] + by
        if not np.isfinite(value):
            before = -2
            continue
        row = int(min(max(value, -1.0), float(height)))
        first, last = ax * edges[i] + bx, ax * edges[i + 1] + bx
        if last < 0 or first >= width:
            before = row
            continue
        start, end = int(max(first, 0.0)), int(min(last, width - 1.0))
        if start != column:
            if column >= 0:
                for r in range(max(low, 0), min(high, height - 1) + 1):
                    picture[r, column] = colour
            column, low, high = start, row, row
        if before != -2:
            low, high = min(low, before), max(high, before)
        low, high = min(low, row), max(high, row)
        if end > start:
            for r in range(max(low, 0), min(high, height - 1) + 1):
                picture[r, column] = colour
            if 0 <= row < height:
                for c in range(start + 1, end):
                    picture[row, c] = colour
            column, low, high = end, row, row
        before = row
    if column >= 0:
        for r in range(max(low, 0), min(high, height - 1) + 1):
            picture[r, column] = colour
