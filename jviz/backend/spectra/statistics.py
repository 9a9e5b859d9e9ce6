"""What a range of a spectrum holds: level, noise, sum, and the line in it, with errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jviz.backend.spectra.samples import Samples
from jviz.errors import CommandError

__all__ = ["RangeStatistics", "range_statistics"]

DRAWS = 200
"""Spectra with noise of their errors from which the error of the full width comes."""


@dataclass(frozen=True)
class RangeStatistics:
    """Numbers of one range, in the units of the file.

    Attributes
    ----------
    channels : float
        Good ones; those that are cut by an end count in part.
    mean, median, rms, low, high : float
        Of the flux; rms is the scatter about the mean.
    mean_err : float
        Of the mean, from the errors of the samples, else from the scatter.
    total, total_err : float
        Sum of the flux over the channels.
    integral, integral_err : float
        Flux times width of the channels: unit of flux times unit of the axis.
    snr : float
        Median of flux over error of a sample; without errors DER_SNR (Stoehr et al. 2008), from the scatter of
        each sample about its second neighbours.
    continuum : float
        At the middle of the range.
    line, line_err : float
        Integral of what is above the continuum.
    width, width_err : float
        Equivalent width, positive for absorption, in the unit of the axis.
    centroid, centroid_err : float
        Of what is above (or below) the continuum.
    fwhm, fwhm_err : float
        Full width at half of the highest (or deepest) point, not freed of the resolution.
    from_scatter : bool
        Whether the spectrum has no errors and those here come from its scatter.
    """

    channels: float
    mean: float
    mean_err: float
    median: float
    rms: float
    low: float
    high: float
    total: float
    total_err: float
    integral: float
    integral_err: float
    snr: float
    continuum: float
    line: float
    line_err: float
    width: float
    width_err: float
    centroid: float
    centroid_err: float
    fwhm: float
    fwhm_err: float
    from_scatter: bool


def range_statistics(
    samples: Samples, low: float, high: float, *, continuum: str = "sides", side: float = 0.5
) -> RangeStatistics:
    """Measure a range.

    Parameters
    ----------
    low, high : float
        In the unit of the axis of the samples.
    continuum : str
        "sides": a straight line through the samples beside the range, weighted by their errors; "ends": through the
        outermost samples within the range; "zero".
    side : float
        Width of each side band as a share of that of the range.

    Raises
    ------
    CommandError
        When there is no good sample in the range.
    """
    low, high = min(low, high), max(low, high)
    share = samples.axis.shares(low, high) * samples.good
    if not share.any():
        raise CommandError(
            f"There is no good sample between {low:g} and {high:g} {samples.axis.unit}; the spectrum reaches from "
            f"{samples.axis.values.min():g} to {samples.axis.values.max():g}."
        )
    chosen = share > 0
    x, f, w = samples.axis.values[chosen], samples.flux[chosen], samples.axis.widths[chosen]
    share = share[chosen]
    sigma, from_scatter = _errors(samples, chosen)
    fit = _continuum(samples, low, high, continuum, side, chosen)
    numbers = _levels(f, share, sigma, from_scatter) | _sums(f, share, w, sigma)
    numbers |= _line(x, f, w, share, sigma, fit)
    return RangeStatistics(**numbers, from_scatter=from_scatter)


def _errors(samples: Samples, chosen: np.ndarray) -> tuple[np.ndarray, bool]:
    """Return one standard deviation of each sample; that of neighbours from each other where there are no errors."""
    if samples.error is not None:
        error = samples.error[chosen]
        known = np.isfinite(error) & (error > 0)
        if known.any():
            return np.where(known, error, np.median(error[known])), False
    return np.full(int(chosen.sum()), _noise(samples.flux[samples.good])), True


def _noise(flux: np.ndarray) -> float:
    """Return the noise of a sample: DER_SNR (Stoehr et al. 2008, ASP 394, 505), blind to what is smooth."""
    if len(flux) < 5:
        return float(np.std(flux)) if len(flux) > 1 else np.nan
    return float(1.482602 / np.sqrt(6) * np.median(np.abs(2 * flux[2:-2] - flux[:-4] - flux[4:])))


def _levels(f: np.ndarray, share: np.ndarray, sigma: np.ndarray, from_scatter: bool) -> dict[str, float]:
    weight = share.sum()
    mean = float((share * f).sum() / weight)
    rms = float(np.sqrt((share * (f - mean) ** 2).sum() / weight * (len(f) / max(len(f) - 1, 1))))
    with np.errstate(divide="ignore", invalid="ignore"):
        snr = np.median(f) / np.float64(_noise(f)) if from_scatter and len(f) >= 5 else np.median(f / sigma)
    return {
        "channels": float(weight), "mean": mean, "mean_err": float(np.sqrt(((share * sigma) ** 2).sum()) / weight),
        "median": float(np.median(f)), "rms": rms, "low": float(f.min()), "high": float(f.max()), "snr": float(snr),
    }  # fmt: skip


def _sums(f: np.ndarray, share: np.ndarray, w: np.ndarray, sigma: np.ndarray) -> dict[str, float]:
    return {
        "total": float((share * f).sum()), "total_err": float(np.sqrt(((share * sigma) ** 2).sum())),
        "integral": float((share * w * f).sum()), "integral_err": float(np.sqrt(((share * w * sigma) ** 2).sum())),
    }  # fmt: skip


@dataclass(frozen=True)
class _Fit:
    """A straight line a + b (x − x₀) with the covariance of a and b."""

    zero: float
    a: float
    b: float
    cov: np.ndarray

    def at(self, x: np.ndarray) -> np.ndarray:
        return self.a + self.b * (x - self.zero)


def _continuum(samples: Samples, low: float, high: float, kind: str, side: float, inside: np.ndarray) -> _Fit:
    middle, reach = (low + high) / 2, side * (high - low)
    if kind == "zero":
        return _Fit(middle, 0.0, 0.0, np.zeros((2, 2)))
    x = samples.axis.values
    if kind == "sides":
        beside = ((x < low) & (x >= low - reach)) | ((x > high) & (x <= high + reach))
        beside &= samples.good & ~inside
        both = (x[beside] < low).any() and (x[beside] > high).any()
        if not both:
            raise CommandError(
                f"There are no good samples on both sides of {low:g} to {high:g} {samples.axis.unit} for the "
                'continuum; take continuum="ends" or "zero".'
            )
    elif kind == "ends":
        order = np.flatnonzero(inside)
        beside = np.zeros(len(x), bool)
        beside[[order[0], order[-1]]] = True
    else:
        raise CommandError(f"There is no continuum {kind!r}; there are sides, ends and zero.")
    sigma, _ = _errors(samples, beside)
    return _straight(x[beside] - middle, samples.flux[beside], sigma, middle)


def _straight(x: np.ndarray, f: np.ndarray, sigma: np.ndarray, zero: float) -> _Fit:
    weight = np.where(sigma > 0, 1 / np.where(sigma > 0, sigma, 1.0) ** 2, 0.0)
    has_errors = bool(weight.any()) and np.isfinite(weight).all()
    weight = weight if has_errors else np.ones_like(x)
    if np.ptp(x) == 0:
        return _Fit(zero, float(np.average(f, weights=weight)), 0.0, np.diag([1 / weight.sum(), 0.0]))
    # In units of the reach: wavelengths in m would spoil the matrix.
    scale = np.abs(x).max()
    design = np.stack([np.ones_like(x), x / scale], axis=1)
    cov = np.linalg.inv(design.T @ (design * weight[:, None]))
    a, b = cov @ (design.T @ (weight * f))
    back = np.diag([1.0, 1 / scale])
    return _Fit(zero, float(a), float(b / scale), back @ cov @ back if has_errors else np.zeros((2, 2)))


def _line(
    x: np.ndarray, f: np.ndarray, w: np.ndarray, share: np.ndarray, sigma: np.ndarray, fit: _Fit
) -> dict[str, float]:
    level, weight = fit.at(x), share * w
    excess, slope = f - level, np.stack([np.ones_like(x), x - fit.zero])
    line = float((weight * excess).sum())
    line_err = _spread(weight * sigma, slope @ weight, fit.cov)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = f / level
        width = float((weight * (1 - ratio)).sum())
        width_err = _spread(weight * sigma / level, slope @ (weight * ratio / level), fit.cov)
        centroid = float((weight * excess * x).sum() / line)
        from_centre = x - centroid
        spread = _spread(weight * from_centre * sigma, slope @ (weight * from_centre), fit.cov)
        centroid_err = spread / abs(line) if line else np.nan
    has_level = bool(np.all(level != 0))
    fwhm = _fwhm(x, excess)
    return {
        "continuum": fit.a, "line": line, "line_err": line_err, "width": width if has_level else np.nan,
        "width_err": width_err if has_level else np.nan, "centroid": centroid, "centroid_err": float(centroid_err),
        "fwhm": fwhm, "fwhm_err": _fwhm_error(x, excess, sigma, fwhm),
    }  # fmt: skip


def _spread(of_samples: np.ndarray, of_fit: np.ndarray, cov: np.ndarray) -> float:
    """Return the error of a sum: of its samples and of the continuum below it."""
    return float(np.sqrt((of_samples**2).sum() + of_fit @ cov @ of_fit))


def _fwhm(x: np.ndarray, excess: np.ndarray) -> float:
    """Return the distance between the places, beside the extreme, where the line has half of it."""
    order = np.argsort(x)
    x, y = x[order], excess[order]
    y = y if abs(y.max()) >= abs(y.min()) else -y
    top = int(np.argmax(y))
    half = y[top] / 2
    if not half > 0:
        return np.nan
    left = np.flatnonzero(y[:top] < half)
    right = np.flatnonzero(y[top:] < half)
    if not len(left) or not len(right):
        return np.nan
    a, b = int(left[-1]), top + int(right[0])
    start = x[a] + (half - y[a]) / (y[a + 1] - y[a]) * (x[a + 1] - x[a])
    end = x[b - 1] + (y[b - 1] - half) / (y[b - 1] - y[b]) * (x[b] - x[b - 1])
    return float(end - start)


def _fwhm_error(x: np.ndarray, excess: np.ndarray, sigma: np.ndarray, fwhm: float) -> float:
    """Return the scatter of the full width over spectra with noise of the size of the errors."""
    if not (np.isfinite(fwhm) and np.isfinite(sigma).all()):
        return np.nan
    draw = np.random.default_rng(0)
    widths = np.array([_fwhm(x, excess + sigma * draw.standard_normal(len(x))) for _ in range(DRAWS)])
    widths = widths[np.isfinite(widths)]
    return float(np.std(widths)) if len(widths) > DRAWS / 2 else np.nan
