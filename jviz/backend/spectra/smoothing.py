"""Smoothing of spectra along their channels, with missing samples left out and errors carried along."""

from __future__ import annotations

import numpy as np

from jviz.errors import CommandError

__all__ = ["kernel_of", "smoothed"]

REACH = 4.0
"""Sigmas to which a Gaussian is taken."""


def kernel_of(kind: str, width: float) -> np.ndarray:
    """Return the weights of a kernel, an odd number of them with the sum 1.

    Parameters
    ----------
    kind : str
        "boxcar" (``width`` channels; the outermost count in part) or "gaussian" (``width`` is sigma).
    """
    if kind == "boxcar":
        half = max(0, int(np.ceil((width - 1) / 2 - 1e-9)))
        weights = np.ones(2 * half + 1)
        weights[[0, -1]] = (width - (2 * half - 1)) / 2 if half else 1.0
    elif kind == "gaussian":
        half = max(1, int(np.ceil(REACH * width)))
        weights = np.exp(-0.5 * (np.arange(-half, half + 1) / width) ** 2)
    else:
        raise CommandError(f"There is no way {kind!r} to smooth a spectrum; there are boxcar and gaussian.")
    return weights / weights.sum()


def smoothed(
    flux: np.ndarray, error: np.ndarray | None, good: np.ndarray, kind: str, width: float
) -> tuple[np.ndarray, np.ndarray | None]:
    """Average each sample with its neighbours.

    Parameters
    ----------
    flux, error : ndarray, shape (n,)
        The error is one standard deviation; samples are taken as independent.
    good : ndarray of bool, shape (n,)
        Samples that are averaged; the others count for nothing and stay as they are.

    Returns
    -------
    flux, error : ndarray
        Errors are those of the averages: smaller, and no longer independent.
    """
    weights = kernel_of(kind, width)
    share = _convolved(good.astype(float), weights)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = _convolved(np.where(good, flux, 0.0), weights) / share
        result = np.where(good, mean, flux)
        if error is None:
            return result, None
        variance = _convolved(np.where(good, error, 0.0) ** 2, weights**2)
        return result, np.where(good, np.sqrt(variance) / share, error)


def _convolved(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    half = len(weights) // 2
    return np.convolve(values, weights, mode="full")[half : half + len(values)]
