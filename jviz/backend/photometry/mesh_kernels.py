"""Level and scatter of the meshes of a background; compiled by numba, without the GIL."""

import numpy as np
from numba import njit, types

from jviz.backend.photometry.kernels import ascending, clipped
from jviz.backend.render.kernels import choose_cache

__all__ = ["COLUMNS", "LOCATION", "MAD", "MEAN", "MEDIAN", "SCALE", "SCATTER", "USED", "mesh_row", "spread"]

choose_cache()
compiled = njit(cache=True, nogil=True, error_model="numpy")

MEDIAN, MEAN, SCATTER, USED, MAD, LOCATION, SCALE = range(7)
"""Columns of what `mesh_row` fills; the last three are the median of the absolute deviations (not scaled), and the
biweight location and scale."""
COLUMNS = 7

_IMAGES = [types.Array(real, 2, "A", readonly=True) for real in (types.float32, types.float64)]
_MASK, _OUT = types.Array(types.boolean, 2, "A", readonly=True), types.Array(types.float64, 2, "C")


@compiled
def spread(ordered: np.ndarray) -> float:
    """Return the median of the absolute deviations of sorted values from their median.

    The values nearest to the median lie side by side: from there the next one is to the left or to the right.
    """
    n = len(ordered)
    median = 0.5 * (ordered[(n - 1) // 2] + ordered[n // 2])
    right = n // 2
    left = right - 1
    before, now = 0.0, 0.0
    for _ in range(n // 2 + 1):
        to_left = median - ordered[left] if left >= 0 else np.inf
        to_right = ordered[right] - median if right < n else np.inf
        before = now
        if to_left < to_right:
            now, left = to_left, left - 1
        else:
            now, right = to_right, right + 1
    return now if n % 2 else 0.5 * (before + now)


@compiled
def _biweights(values: np.ndarray, median: float, mad: float, out: np.ndarray) -> None:
    """Fill location (tuning constant 6) and scale (9), as astropy has them (Beers, Flynn & Gebhardt 1990)."""
    if mad <= 0.0:
        out[LOCATION], out[SCALE] = median, 0.0
        return
    share, shift, above, below = 0.0, 0.0, 0.0, 0.0
    for value in values:
        d = value - median
        u = (d / (6.0 * mad)) ** 2
        if u < 1.0:
            share += (1.0 - u) ** 2
            shift += d * (1.0 - u) ** 2
        u = (d / (9.0 * mad)) ** 2
        if u < 1.0:
            above += d * d * (1.0 - u) ** 4
            below += (1.0 - u) * (1.0 - 5.0 * u)
    out[LOCATION] = median + shift / share
    out[SCALE] = np.sqrt(len(values) * above) / abs(below)


@njit([types.void(image, _MASK, types.intp, types.float64, types.boolean, _OUT) for image in _IMAGES],
      cache=True, nogil=True, error_model="numpy")  # fmt: skip
def mesh_row(values: np.ndarray, hidden: np.ndarray, width: int, clip: float, robust: bool, out: np.ndarray) -> None:
    """Measure a row of meshes, without values beyond so many deviations from the median, left out again and again.

    Parameters
    ----------
    values : ndarray of float, shape (height, nx)
        The pixels of the row of meshes.
    hidden : ndarray of bool, shape (height, nx)
        Not used.
    width : int
        Of a mesh, in pixels.
    clip : float
        Deviations; 0: all values stay.
    robust : bool
        Work out the last three columns too.
    out : ndarray of float64, shape (meshes, COLUMNS)
        NaN, filled where a mesh has a value.
    """
    height, nx = values.shape
    room = height * width + 1
    found = np.empty(room, values.dtype)
    keys, spare, ordered = np.empty(room, np.uint32), np.empty(room, np.uint32), np.empty(room)
    for mesh in range(len(out)):
        n = 0
        for i in range(height):
            for j in range(mesh * width, min((mesh + 1) * width, nx)):
                found[n] = values[i, j]
                n += not hidden[i, j]
        if not n:
            out[mesh, USED] = 0
            continue
        ascending(found, n, keys, spare, ordered)
        clipped(ordered[:n], clip, out[mesh])
        if robust:
            low = np.searchsorted(ordered[:n], out[mesh, MEDIAN] - clip * out[mesh, SCATTER]) if clip > 0 else 0
            used = ordered[low : low + int(out[mesh, USED])]
            out[mesh, MAD] = spread(used)
            _biweights(used, out[mesh, MEDIAN], out[mesh, MAD], out[mesh])
