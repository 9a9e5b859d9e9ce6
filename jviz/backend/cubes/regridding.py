"""Cubes on the channels of another, with what they hold conserved, all spaxels at once."""

from __future__ import annotations

from typing import Any

import numpy as np

from jviz.backend.spectra.axis import SpectralAxis
from jviz.errors import JvizError

__all__ = ["overlaps", "shared_out"]


def overlaps(old: SpectralAxis, new: np.ndarray) -> Any:
    """Return by how much of its width each old channel lies in each new one, as a sparse array (new, old).

    Parameters
    ----------
    old : SpectralAxis
    new : ndarray
        Middles of the new channels, in the unit of the old axis.

    Raises
    ------
    JvizError
        When an axis does not rise or fall throughout, or they have nothing in common.
    """
    from dataclasses import replace

    from scipy.sparse import coo_array

    borders = [old.edges, replace(old, values=new).edges]
    turned = [edges[-1] < edges[0] for edges in borders]
    a, b = (edges[::-1] if turn else edges for edges, turn in zip(borders, turned, strict=True))
    if (np.diff(a) <= 0).any() or (np.diff(b) <= 0).any():
        raise JvizError("The spectral axes must rise or fall throughout to be brought together.")
    if a[-1] <= b[0] or b[-1] <= a[0]:
        raise JvizError("The cubes have no channels in common; choose another reference.")
    cuts = np.unique(np.concatenate([a, b]))
    cuts = cuts[(cuts >= max(a[0], b[0])) & (cuts <= min(a[-1], b[-1]))]
    middle = (cuts[1:] + cuts[:-1]) / 2
    before, after = np.searchsorted(a, middle) - 1, np.searchsorted(b, middle) - 1
    n, m = len(a) - 1, len(b) - 1
    rows, columns = (m - 1 - after if turned[1] else after), (n - 1 - before if turned[0] else before)
    return coo_array((np.diff(cuts), (rows, columns)), (m, n)).tocsr()


def shared_out(
    values: np.ndarray, variance: np.ndarray | None, weights: Any, widths: np.ndarray
) -> tuple[np.ndarray, np.ndarray | None]:
    """Average old channels in new ones by overlap, so that the integral over the axis stays.

    Parameters
    ----------
    values, variance : ndarray of float64, shape (old, rows, columns)
    weights : sparse array, shape (new, old)
    widths : ndarray, shape (new,)
        Of the new channels; those covered by less than half by values become NaN.
    """
    n, rows, columns = values.shape
    flat = values.reshape(n, -1)
    good = np.isfinite(flat)
    covered = weights @ good.astype(float)
    known = covered >= (0.5 - 1e-9) * widths[:, None]
    shape = (len(widths), rows, columns)
    with np.errstate(invalid="ignore", divide="ignore"):
        made = np.where(known, (weights @ np.where(good, flat, 0.0)) / covered, np.nan)
        if variance is None:
            return made.reshape(shape), None
        noise = np.where(good, np.nan_to_num(variance.reshape(n, -1)), 0.0)
        spread = np.where(known, (weights.power(2) @ noise) / covered**2, np.nan)  # type: ignore[attr-defined]
    return made.reshape(shape), spread.reshape(shape)
