"""Spectra smoothed, cropped, and freed of their continuum."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import numpy as np

from jviz.backend.spectra.median_errors import median_factor
from jviz.backend.spectra.medians import nan_median
from jviz.backend.spectra.ranges import SpectralRanges
from jviz.backend.spectra.resampling import variance_of, with_variance
from jviz.backend.spectra.samples import Samples
from jviz.errors import JvizError

__all__ = ["Continuum", "Kernel", "continuum_of", "cropped", "inside", "smoothed"]

Kernel = Literal["gaussian", "boxcar", "median"]
Continuum = Literal["polynomial", "spline", "median"]


def inside(samples: Samples, ranges: SpectralRanges) -> np.ndarray:
    """Return which samples have their middle in one of the ranges, shape (n,).

    Raises
    ------
    JvizError
        When the unit of the ranges does not fit the axis.
    """
    from jviz.backend.units import parse_unit

    factor = 1.0
    if ranges.unit and samples.axis.unit and ranges.unit != samples.axis.unit:
        try:
            factor = float(parse_unit(ranges.unit).to(parse_unit(samples.axis.unit)))
        except Exception as error:
            raise JvizError(
                f"A range in {ranges.unit} says nothing about an axis in {samples.axis.unit}; give it in that unit."
            ) from error
    values = samples.axis.values if ranges.unit else np.arange(len(samples))
    bounds = [(low * factor, high * factor) for low, high in ranges.ranges]
    # rounding of a unit must not lose the samples at the bounds
    slack = [1e-9 * max(abs(low), abs(high)) for low, high in bounds]
    return np.any([(values >= a - e) & (values <= b + e) for (a, b), e in zip(bounds, slack, strict=True)], axis=0)


def cropped(samples: Samples, ranges: SpectralRanges) -> Samples:
    """Keep the samples inside ranges."""
    keep = inside(samples, ranges)
    if not keep.any():
        values = samples.axis.values
        raise JvizError(
            f"No sample lies in {ranges.low:g} to {ranges.high:g} {ranges.unit}; "
            f"the spectrum covers {values.min():g} to {values.max():g} {samples.axis.unit}."
        )
    parts = {
        n: None if (v := getattr(samples, n)) is None else v[keep] for n in ("flux", "uncertainty", "mask", "flags")
    }
    return replace(samples, axis=replace(samples.axis, values=samples.axis.values[keep]), **parts)


def smoothed(samples: Samples, kernel: Kernel = "gaussian", width: float = 3.0) -> Samples:
    """Smooth a spectrum; samples that are masked or missing take no part, and stay as they are.

    Parameters
    ----------
    width : float
        In samples: full width at half maximum of the Gaussian, or the width of the box or of the running median.

    Returns
    -------
    Samples
        Errors are those of independent samples: the variance of a weighted mean, or of a median.
    """
    if not width > 0:
        raise JvizError(f"The width is {width:g}; it must be above 0 samples.")
    good, variance = samples.good, variance_of(samples)
    flux = np.where(good, samples.flux, 0.0)
    if kernel == "median":
        values, spread = _running_median(samples, round(width) | 1, variance)
    else:
        weights = _weights(kernel, width)
        total = _convolved(good.astype(float), weights)
        with np.errstate(divide="ignore", invalid="ignore"):
            values = _convolved(flux, weights) / total
            spread = None
            if variance is not None:
                spread = _convolved(np.where(good, variance, 0.0), weights**2) / total**2
    flux = np.where(good, values, samples.flux)
    return with_variance(samples, flux, None if variance is None else np.where(good, spread, variance))


def _weights(kernel: Kernel, width: float) -> np.ndarray:
    if kernel == "boxcar":
        # Parts of the outermost samples count where the width is no odd number.
        half = max(int(np.ceil((width - 1) / 2)), 0)
        offset = np.abs(np.arange(-half, half + 1))
        return np.clip((width - 1) / 2 - offset + 1, 0, 1)
    sigma = width / np.sqrt(8 * np.log(2))
    offset = np.arange(-int(np.ceil(4 * sigma)), int(np.ceil(4 * sigma)) + 1)
    return np.exp(-0.5 * (offset / sigma) ** 2)


def _convolved(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    half = len(weights) // 2
    return np.convolve(values, weights)[half : half + len(values)]


def _running_median(samples: Samples, width: int, variance: np.ndarray | None) -> tuple[np.ndarray, np.ndarray | None]:
    half = width // 2

    def windows(values: np.ndarray) -> np.ndarray:
        padded = np.pad(np.where(samples.good, values, np.nan), half, constant_values=np.nan)
        return np.lib.stride_tricks.sliding_window_view(padded, width)

    values = nan_median(windows(samples.flux), axis=-1)
    if variance is None:
        return values, None
    count = np.maximum(np.isfinite(windows(samples.flux)).sum(axis=-1), 1)
    return values, np.nansum(windows(variance), axis=-1) / count * median_factor(count)


def continuum_of(
    samples: Samples,
    method: Continuum = "polynomial",
    order: int = 3,
    *,
    ranges: SpectralRanges | None = None,
    exclude: SpectralRanges | None = None,
    sigma: float = 3.0,
    width: float = 101.0,
) -> tuple[np.ndarray, np.ndarray | None]:
    """Fit a continuum.

    Parameters
    ----------
    method : {"polynomial", "spline", "median"}
        Legendre polynomials; a least squares cubic spline; or a running median over ``width`` samples.
    order : int
        Of the polynomial, or the number of pieces of the spline.
    ranges, exclude : SpectralRanges, optional
        What takes part, and what does not.
    sigma : float
        Samples beyond that many robust deviations of the fit are left out, five times over; 0 for never.

    Returns
    -------
    tuple
        The continuum at every sample, and its variance (polynomials of spectra with errors; else None).
    """
    use = samples.good.copy()
    if ranges is not None:
        use &= inside(samples, ranges)
    if exclude is not None:
        use &= ~inside(samples, exclude)
    if method == "median":
        hidden = replace(samples, mask=~use)
        values = _running_median(hidden, round(width) | 1, None)[0]
        known = np.isfinite(values)
        if not known.any():
            raise JvizError("No sample is left to find the continuum from; widen the ranges.")
        return np.interp(np.arange(len(values)), np.flatnonzero(known), values[known]), None
    return _fitted(samples, use, method, order, sigma)


def _fitted(
    samples: Samples, use: np.ndarray, method: Continuum, order: int, sigma: float
) -> tuple[np.ndarray, np.ndarray | None]:
    basis = _basis(samples.axis.values, method, order, use)
    error = samples.error
    weights = np.ones(len(samples)) if error is None else np.where((error > 0) & np.isfinite(error), 1 / error, 0.0)
    use = use & (weights > 0)
    for _ in range(6):
        if use.sum() <= basis.shape[1]:
            raise JvizError(
                f"Only {use.sum()} samples are left for a continuum with {basis.shape[1]} coefficients; "
                "widen the ranges or lower the order."
            )
        solved: Any = np.linalg.lstsq(basis[use] * weights[use, None], samples.flux[use] * weights[use], rcond=None)[0]
        model = basis @ solved
        residual = (samples.flux - model) * weights
        spread = 1.4826 * np.median(np.abs(residual[use] - np.median(residual[use])))
        kept = use & (np.abs(residual) <= sigma * spread) if sigma > 0 and spread > 0 else use
        if (kept == use).all():
            break
        use = kept
    if error is None:
        return model, None
    curvature = np.linalg.pinv((basis[use] * weights[use, None]).T @ (basis[use] * weights[use, None]))
    return model, np.einsum("ij,jk,ik->i", basis, curvature, basis)


def _basis(x: np.ndarray, method: Continuum, order: int, use: np.ndarray) -> np.ndarray:
    if order < 0 or (method == "spline" and order < 1):
        raise JvizError(f"The order is {order}; it must be at least {1 if method == 'spline' else 0}.")
    low, high = x.min(), x.max()
    scaled = 2 * (x - low) / ((high - low) or 1.0) - 1
    if method == "polynomial":
        return np.polynomial.legendre.legvander(scaled, order)
    from scipy.interpolate import BSpline

    inner = np.quantile(scaled[use], np.linspace(0, 1, order + 1)[1:-1]) if use.any() else np.array([])
    knots = np.concatenate([[-1.0] * 4, inner, [1.0] * 4])
    return BSpline.design_matrix(np.clip(scaled, -1, 1), knots, 3).toarray()
