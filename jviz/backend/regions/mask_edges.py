"""The outline of a mask along the edges of its pixels."""

from __future__ import annotations

import numpy as np

__all__ = ["mask_edges"]

MOST = 60_000
"""Straight edges above which a mask is outlined in coarser steps."""


def mask_edges(mask: np.ndarray) -> np.ndarray:
    """Return the straight edges between pixels that are in a mask and others that are not.

    Parameters
    ----------
    mask : ndarray of bool, shape (…, ny, nx)
        A pixel counts when any of the leading axes has it.

    Returns
    -------
    ndarray, shape (3 n, 2)
        x and y of the start and the end of each edge, then NaN. A speckled mask is outlined by blocks of pixels.
    """
    plane = mask.reshape(-1, *mask.shape[-2:]).any(axis=0)
    step = 1
    edges = _edges(plane)
    while len(edges) > 3 * MOST:
        step *= 2
        ny, nx = (-(-n // 2) * 2 for n in plane.shape)
        padded = np.zeros((ny, nx), bool)
        padded[: plane.shape[0], : plane.shape[1]] = plane
        plane = padded.reshape(ny // 2, 2, nx // 2, 2).any(axis=(1, 3))
        edges = _edges(plane)
    return edges * step - 0.5


def _edges(plane: np.ndarray) -> np.ndarray:
    """Return the edges counted from the lower left corner of the first pixel."""
    across = _runs(np.pad(plane, ((1, 1), (0, 0))))
    upright = _runs(np.pad(plane.T, ((1, 1), (0, 0))))[..., ::-1]
    edges = np.concatenate([across, upright]).astype(float)
    gaps = np.full((len(edges), 1, 2), np.nan)
    return np.concatenate([edges, gaps], axis=1).reshape(-1, 2)


def _runs(rows: np.ndarray) -> np.ndarray:
    """Return start and end (x, y) of every run along a row in which it differs from the row before, shape (n, 2, 2)."""
    differ = np.pad(rows[1:] != rows[:-1], ((0, 0), (1, 1))).astype(np.int8)
    turns = np.argwhere(np.diff(differ, axis=1))  # in the order of rows: a start, its end, a start …
    return turns[:, ::-1].reshape(-1, 2, 2)
