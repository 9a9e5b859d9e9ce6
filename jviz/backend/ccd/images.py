"""CCD images with their variances and flags, and what is done to one of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from jviz.backend.spectra.medians import nan_median

__all__ = [
    "COSMIC", "DEAD", "SATURATED", "CcdImage", "combined", "dark_subtracted", "flattened", "from_counts", "with_light",
]  # fmt: skip

DEAD, SATURATED, COSMIC = 1, 2, 8
"""Bits of the flags: no value; full; hit by a cosmic ray."""


def median_error(count: int | np.ndarray) -> float | np.ndarray:
    """Return the variance of a median over that of a mean, of a number of Gaussian values: π/2 for many."""
    return math.pi / 2 * count / (count + math.pi / 2 - 1)


@dataclass(frozen=True)
class CcdImage:
    """An image in electrons.

    Attributes
    ----------
    values, variance : ndarray of float64, shape (ny, nx)
    flags : ndarray of uint8
    exposure : float
        Seconds.
    """

    values: np.ndarray
    variance: np.ndarray
    flags: np.ndarray
    exposure: float = 0.0

    @property
    def bad(self) -> np.ndarray:
        """Pixels that say nothing of the sky."""
        return self.flags > 0


def from_counts(
    counts: np.ndarray,
    gain: float,
    read_noise: float,
    *,
    overscan: tuple[slice, slice] | None,
    trim: tuple[slice, slice] | None,
    saturation: float,
    exposure: float,
) -> CcdImage:
    """Return the trimmed image of a raw frame in electrons, its overscan subtracted; variance: read noise alone.

    The overscan is the median of each row (of each column where it lies above or below the image). Its error,
    of as many pixels as it has across, is added.
    """
    full = counts >= saturation if np.isfinite(saturation) else np.zeros(counts.shape, bool)
    values = counts * gain
    variance = np.full(counts.shape, read_noise**2)
    if overscan is not None and trim is not None and overscan != trim:
        strip = values[overscan]
        beside = overscan[0].stop - overscan[0].start >= strip.shape[1]
        axis = 1 if beside else 0
        level = np.median(strip, axis=axis, keepdims=True)
        place = (overscan[0], slice(None)) if beside else (slice(None), overscan[1])
        values[place] = values[place] - level
        variance += median_error(strip.shape[axis]) * read_noise**2 / strip.shape[axis]
    part = trim or (slice(None), slice(None))
    values, variance, full = values[part], variance[part], full[part]
    flags = np.where(full, SATURATED, 0).astype(np.uint8)
    dead = ~np.isfinite(values)
    flags[dead] |= DEAD
    return CcdImage(np.where(dead, 0.0, values), variance, flags, exposure)


def with_light(image: CcdImage, bias: np.ndarray | float) -> CcdImage:
    """Return the same with the variance of its light added: Poisson, of what is above the bias."""
    return replace(image, variance=image.variance + np.maximum(image.values - bias, 0.0))


def dark_subtracted(image: CcdImage, bias: CcdImage | None, dark: CcdImage | None) -> CcdImage:
    """Subtract bias and dark current; the dark is one with its bias still in it.

    With the ratio k of the exposure times, what is left is image − k dark − (1 − k) bias: where k is 1, the bias
    and its error drop out.
    """
    k = image.exposure / dark.exposure if dark is not None and dark.exposure > 0 else 0.0
    values, variance, flags = image.values.copy(), image.variance.copy(), image.flags.copy()
    if dark is not None and k:
        values -= k * dark.values
        variance += k**2 * dark.variance
        flags |= dark.flags & DEAD
    if bias is not None:
        values -= (1 - k) * bias.values
        variance += (1 - k) ** 2 * bias.variance
        flags |= bias.flags & DEAD
    return replace(image, values=values, variance=variance, flags=flags)


def flattened(image: CcdImage, flat: CcdImage) -> CcdImage:
    """Divide by a flat field of median 1; pixels where it is below 0.05 are dead."""
    dead = ~(flat.values > 0.05) | (flat.flags > 0)
    field = np.where(dead, 1.0, flat.values)
    values = image.values / field
    variance = image.variance / field**2 + values**2 * flat.variance / field**2
    flags = image.flags | np.where(dead, DEAD, 0).astype(np.uint8)
    return replace(image, values=values, variance=variance, flags=flags)


def combined(images: Sequence[CcdImage], statistic: str = "mean", clip: float = 4.0) -> CcdImage:
    """Combine images pixel by pixel.

    Parameters
    ----------
    statistic : str
        "mean" or "median".
    clip : float
        Values farther from the median than this many standard deviations, of their variances or of their scatter where
        that is larger, are left out; 0 keeps all.

    Returns
    -------
    CcdImage
        Dead where no image has a value. The exposure is the mean one, 0 when one is not known.
    """
    values = np.stack([image.values for image in images])
    variance = np.stack([image.variance for image in images])
    good = np.stack([~image.bad for image in images])
    if clip and len(images) > 2:
        middle = nan_median(np.where(good, values, np.nan))
        scale = np.sqrt(variance)
        if len(images) > 4:
            scatter = 1.4826 * nan_median(np.where(good, np.abs(values - middle), np.nan))
            scale = np.maximum(scale, scatter)
        good &= np.abs(values - middle) <= clip * scale
    count = good.sum(axis=0)
    some = np.maximum(count, 1)
    total = np.where(good, values, 0.0).sum(axis=0) / some
    error = np.where(good, variance, 0.0).sum(axis=0) / some**2
    if statistic == "median":
        total = np.where(count > 0, nan_median(np.where(good, values, np.nan)), 0.0)
        error = error * np.where(count > 2, median_error(some), 1.0)
    flags = np.where(count > 0, 0, DEAD).astype(np.uint8)
    times = [image.exposure for image in images]
    return CcdImage(total, error, flags, float(np.mean(times)) if all(times) else 0.0)
