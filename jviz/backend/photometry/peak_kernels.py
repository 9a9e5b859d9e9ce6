"""The local maxima of an image; compiled by numba, without the GIL."""

import numpy as np
from numba import njit

from jviz.backend.render.kernels import choose_cache

__all__ = ["maxima"]

choose_cache()
compiled = njit(cache=True, nogil=True, error_model="numpy")


@compiled
def _parabola(before: float, value: float, after: float) -> float:
    bend = before - 2.0 * value + after
    if not bend < 0.0:
        return 0.0
    return min(max(0.5 * (before - after) / bend, -0.5), 0.5)


@njit("int64(float32[:, ::1], float32, int64, float64[:, ::1])", cache=True, nogil=True, error_model="numpy")
def maxima(ratio: np.ndarray, threshold: float, half: int, out: np.ndarray) -> int:
    """Fill x, y and value of the pixels above a threshold that are the highest of their box; return how many.

    The place is that of the parabolas through the pixel and its neighbours.
    """
    ny, nx = ratio.shape
    n = 0
    for i in range(ny):
        for j in range(nx):
            value = ratio[i, j]
            if not value > threshold:
                continue
            highest = True
            for k in range(max(i - half, 0), min(i + half + 1, ny)):
                for m in range(max(j - half, 0), min(j + half + 1, nx)):
                    other = ratio[k, m]
                    if other > value or (other == value and (k < i or (k == i and m < j))):
                        highest = False
                        break
                if not highest:
                    break
            if highest and n < len(out):
                out[n, 0], out[n, 1], out[n, 2] = j, i, value
                if 0 < j < nx - 1:
                    out[n, 0] += _parabola(ratio[i, j - 1], value, ratio[i, j + 1])
                if 0 < i < ny - 1:
                    out[n, 1] += _parabola(ratio[i - 1, j], value, ratio[i + 1, j])
                n += 1
    return n
