"""A separable convolution in one pass over the image; compiled by numba, without the GIL."""

import numpy as np
from numba import njit

from jviz.backend.render.kernels import choose_cache

__all__ = ["smooth"]

choose_cache()


@njit("void(float32[:, ::1], float32[::1], float32[:, ::1])", cache=True, nogil=True, error_model="numpy")
def smooth(values: np.ndarray, kernel: np.ndarray, out: np.ndarray) -> None:
    """Convolve an image along both axes; beyond its edges all is 0.

    Parameters
    ----------
    values : ndarray of float32, shape (ny, nx)
        Without NaN.
    kernel : ndarray of float32, shape (2 n + 1,)
        Symmetric.
    out : ndarray of float32, shape (ny, nx)
    """
    ny, nx = values.shape
    reach = len(kernel) // 2
    row = np.zeros(nx + 2 * reach, np.float32)
    for i in range(ny):
        inner = row[reach : reach + nx]
        inner[:] = 0.0
        for k in range(max(0, i - reach), min(ny, i + reach + 1)):
            weight = kernel[k - i + reach]
            source = values[k]
            for j in range(nx):
                inner[j] += weight * source[j]
        target = out[i]
        target[:] = 0.0
        for k in range(len(kernel)):
            weight = kernel[k]
            part = row[k : k + nx]
            for j in range(nx):
                target[j] += weight * part[j]
