"""Connected pixels of an image that is read a few rows at a time; compiled by numba, without the GIL."""

import numpy as np
from numba import njit, types

from jviz.backend.render.kernels import choose_cache

__all__ = ["FEATURES", "boxes", "features", "join", "label_rows", "relabel", "settle"]

choose_cache()
compiled = njit(cache=True, nogil=True, error_model="numpy")

_LABELS = types.Array(types.int32, 2, "C")
_TABLE = types.Array(types.int32, 1, "C")
_FLAT = types.Array(types.float64, 2, "C")
_REALS = [types.Array(real, 2, "A", readonly=True) for real in (types.float32, types.float64)]

FEATURES = 6
"""Columns of what `features` fills: Σ w, Σ w x, Σ w y over the smoothed light w, pixels, peak, peak over noise."""


@compiled
def _root(parents: np.ndarray, label: int) -> int:
    while parents[label] != label:
        parents[label] = parents[parents[label]]
        label = parents[label]
    return label


@compiled
def join(parents: np.ndarray, a: int, b: int) -> int:
    """Make two labels one, the lower; return it."""
    a, b = _root(parents, a), _root(parents, b)
    low, high = min(a, b), max(a, b)
    parents[high] = low
    return low


@njit(types.intp(types.Array(types.boolean, 2, "A", readonly=True), _LABELS, types.intp, _TABLE, _TABLE, types.intp),
      cache=True, nogil=True, error_model="numpy")  # fmt: skip
def label_rows(
    above: np.ndarray, labels: np.ndarray, first: int, parents: np.ndarray, areas: np.ndarray, count: int
) -> int:
    """Label the pixels of some rows that are set, and join them with those of the row before.

    Pixels that touch at a corner belong together. Labels that turn out to be one are joined in ``parents``, the lower
    one stays: labels ascend with the first pixel of what is connected, row by row.

    Parameters
    ----------
    above : ndarray of bool, shape (n, nx)
    labels : ndarray of int32, shape (ny, nx)
        Filled from row ``first`` on.
    parents, areas : ndarray of int32, shape (room,)
        With room for a fourth of the pixels more.
    count : int
        Labels so far.

    Returns
    -------
    int
        Labels now.
    """
    n, nx = above.shape
    for k in range(n):
        row = first + k
        for j in range(nx):
            if not above[k, j]:
                labels[row, j] = 0
                continue
            label = labels[row, j - 1] if j > 0 else 0
            if row > 0:
                for i in range(max(j - 1, 0), min(j + 2, nx)):
                    other = labels[row - 1, i]
                    if other and other != label:
                        label = join(parents, label, other) if label else other
            if not label:
                count += 1
                label = count
                parents[label], areas[label] = label, 0
            labels[row, j] = label
            areas[label] += 1
    return count


@njit(types.intp(_TABLE, _TABLE, types.intp, types.intp), cache=True, nogil=True, error_model="numpy")
def settle(parents: np.ndarray, areas: np.ndarray, count: int, npixels: int) -> int:
    """Turn ``parents`` into the final label of each, 0 for what has fewer than ``npixels`` pixels; return how many."""
    for label in range(1, count + 1):
        root = _root(parents, label)
        parents[label] = root
        if root != label:
            areas[root] += areas[label]
    kept = 0
    for label in range(1, count + 1):
        if parents[label] == label:
            kept += areas[label] >= npixels
            areas[label] = kept if areas[label] >= npixels else 0
    for label in range(1, count + 1):
        parents[label] = areas[parents[label]]
    parents[0] = 0
    return kept


@njit(types.void(_LABELS, _TABLE), cache=True, nogil=True, error_model="numpy")
def relabel(labels: np.ndarray, table: np.ndarray) -> None:
    """Replace labels by what the table has for them."""
    for i in range(labels.shape[0]):
        for j in range(labels.shape[1]):
            if labels[i, j]:
                labels[i, j] = table[labels[i, j]]


@njit(types.void(_LABELS, types.intp, types.Array(types.int64, 2, "C")), cache=True, nogil=True, error_model="numpy")
def boxes(labels: np.ndarray, first: int, out: np.ndarray) -> None:
    """Fill the box of each label: first row, last row + 1, first column, last column + 1.

    Parameters
    ----------
    labels : ndarray of int32
        Rows of an image, the first of which is row ``first``.
    out : ndarray of int64, shape (labels + 1, 4)
        Begins with (large, 0, large, 0).
    """
    for i in range(labels.shape[0]):
        for j in range(labels.shape[1]):
            label = labels[i, j]
            if label:
                out[label, 0] = min(out[label, 0], first + i)
                out[label, 1] = max(out[label, 1], first + i + 1)
                out[label, 2] = min(out[label, 2], j)
                out[label, 3] = max(out[label, 3], j + 1)


@njit([types.void(_LABELS, types.intp, types.Array(types.float32, 2, "A", readonly=True), image, image, _FLAT)
       for image in _REALS], cache=True, nogil=True, error_model="numpy")  # fmt: skip
def features(
    labels: np.ndarray, first: int, smooth: np.ndarray, values: np.ndarray, rms: np.ndarray, out: np.ndarray
) -> None:
    """Add the numbers of each label in some rows: see `FEATURES`.

    Parameters
    ----------
    labels : ndarray of int32
        Rows of an image, the first of which is row ``first``.
    smooth, values, rms : ndarray
        Of the same rows.
    out : ndarray of float64, shape (labels + 1, FEATURES)
        Begins with zeros, and −inf for the peaks.
    """
    for i in range(labels.shape[0]):
        for j in range(labels.shape[1]):
            label = labels[i, j]
            if not label:
                continue
            light = np.float64(smooth[i, j])
            if light > 0.0:
                out[label, 0] += light
                out[label, 1] += light * j
                out[label, 2] += light * (first + i)
            out[label, 3] += 1.0
            value = np.float64(values[i, j])
            if value > out[label, 4]:
                out[label, 4] = value
            if value / rms[i, j] > out[label, 5]:
                out[label, 5] = value / rms[i, j]
