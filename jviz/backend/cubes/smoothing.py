"""Cubes smoothed along the spectrum or on the sky, without letting missing values or edges in."""

from __future__ import annotations

from typing import Literal

import numpy as np

from jviz.backend.spectra.median_errors import median_factor
from jviz.backend.spectra.medians import nan_median
from jviz.errors import JvizError

__all__ = ["Kernel", "line_of", "smoothed"]

Kernel = Literal["gaussian", "box", "median"]

TRUNCATED = 5.0
"""Standard deviations out to which a Gaussian goes."""

WINDOWED = 1 << 22
"""Values of windows of a median at a time."""


def line_of(kernel: Kernel, size: float) -> np.ndarray:
    """Return the weights of a kernel along one axis, of sum 1: σ of a Gaussian, full width of a box, in pixels.

    Parts of the outermost pixels count where the width of a box is no odd number.
    """
    if not (np.isfinite(size) and size > 0):
        raise JvizError(f"The size of a kernel must be above 0, not {size!r}.")
    if kernel == "gaussian":
        half = max(1, int(np.ceil(TRUNCATED * size)))
        weights = np.exp(-0.5 * (np.arange(-half, half + 1) / size) ** 2)
    else:
        half = max(int(np.ceil((size - 1) / 2)), 0)
        weights = np.clip((size - 1) / 2 - np.abs(np.arange(-half, half + 1)) + 1, 0, 1)
    return weights / weights.sum()


def smoothed(
    values: np.ndarray,
    variance: np.ndarray | None,
    axes: tuple[int, ...],
    kernel: Kernel,
    size: float,
    *,
    fill: bool = False,
) -> tuple[np.ndarray, np.ndarray | None]:
    """Smooth along some axes.

    Parameters
    ----------
    values, variance : ndarray of float64
        NaN where nothing is known.
    axes : tuple of int
    size : float
        In pixels: σ of the Gaussian, full width of the box, or the odd side of the median.
    fill : bool
        Give missing values the mean of those round them; else they stay missing.

    Notes
    -----
    Normalised convolution (Knutsson & Westin 1993): k ∗ (m v) / k ∗ m with m = 1 where there is a value; the variance
    is k² ∗ (m σ²) / (k ∗ m)² for independent errors. That of a median of n values is the mean variance times the factor
    of `median_factor`.
    """
    if kernel == "median":
        return _medians(values, variance, axes, size, fill)
    weights = line_of(kernel, size)
    good = np.isfinite(values)
    total = _convolved(good.astype(np.float64), weights, axes)
    known = total > 1e-6 * weights.max() ** len(axes) if fill else good
    with np.errstate(divide="ignore", invalid="ignore"):
        made = np.where(known, _convolved(np.where(good, values, 0.0), weights, axes) / total, np.nan)
        if variance is None:
            return made, None
        noise = np.where(good & np.isfinite(variance), variance, 0.0)
        return made, np.where(known, _convolved(noise, weights**2, axes) / total**2, np.nan)


def _convolved(values: np.ndarray, weights: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    from scipy.ndimage import correlate1d

    for axis in axes:
        # What is farther off than the array is wide meets nothing; a kernel of a million pixels would take for ever.
        beyond = max(len(weights) // 2 - (values.shape[axis] - 1), 0)
        values = correlate1d(values, weights[beyond : len(weights) - beyond], axis, mode="constant")
    return values


def _medians(
    values: np.ndarray, variance: np.ndarray | None, axes: tuple[int, ...], size: float, fill: bool
) -> tuple[np.ndarray, np.ndarray | None]:
    side = int(size)
    if side != size or side < 1 or side % 2 == 0:
        raise JvizError(f"The side of a median must be an odd number of pixels, not {size:g}.")
    pads = [(side // 2, side // 2) if axis in axes else (0, 0) for axis in range(values.ndim)]
    padded = np.pad(values, pads, constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (side,) * len(axes), axes)
    made, count = np.empty(values.shape), np.empty(values.shape)
    step = max(1, WINDOWED // (values[:, :1].size * side ** len(axes)))
    for row in range(0, values.shape[1], step):
        part = windows[:, row : row + step]
        part = part.reshape(*part.shape[: values.ndim], -1)
        made[:, row : row + step] = nan_median(part, axis=-1)
        count[:, row : row + step] = np.isfinite(part).sum(axis=-1)
    known = (count > 0) if fill else np.isfinite(values)
    made = np.where(known, made, np.nan)
    if variance is None:
        return made, None
    ones = np.ones(side)
    noise = _convolved(np.where(np.isfinite(values) & np.isfinite(variance), variance, 0.0), ones, axes)
    count = np.maximum(count, 1)
    return made, np.where(known, noise / count * median_factor(count), np.nan)
