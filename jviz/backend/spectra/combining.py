"""Several spectra as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from jviz.backend.spectra.axis import SpectralAxis
from jviz.backend.spectra.median_errors import median_factor, variance_of_medians
from jviz.backend.spectra.medians import nan_median
from jviz.backend.spectra.resampling import axis_in_unit, brought_onto, variance_of, with_variance
from jviz.backend.spectra.samples import Samples
from jviz.backend.units import parse_unit
from jviz.errors import JvizError

__all__ = ["How", "combined", "joined"]

How = Literal["mean", "weighted", "median", "clipped"]


def combined(
    spectra: Sequence[Samples],
    how: How = "mean",
    *,
    sigma: float = 3.0,
    grid: SpectralAxis | None = None,
    errors: Literal["propagated", "scatter"] = "propagated",
) -> Samples:
    """Combine spectra, sample by sample; masked and missing samples are left out.

    Parameters
    ----------
    spectra : sequence of Samples
        Of one quantity and of units that can be converted.
    how : {"mean", "weighted", "median", "clipped"}
        "weighted" by inverse variance; "clipped" is the mean of what lies within ``sigma`` robust standard deviations
        of the median.
    grid : SpectralAxis, optional
        That of the first by default; spectra on others are resampled, with what they hold conserved.
    errors : {"propagated", "scatter"}
        From the errors of the spectra, or from how they differ from each other.

    Raises
    ------
    JvizError
        When units do not fit, or errors are missing that are needed.
    """
    grid = grid or spectra[0].axis
    aligned = [brought_onto(one, grid) for one in spectra]
    unit = spectra[0].unit
    factors = [_factor(one, unit) for one in aligned]
    values = np.stack([np.where(one.good, one.flux, np.nan) * f for one, f in zip(aligned, factors, strict=True)])
    variances = _variances(aligned, factors)
    if variances is None and how == "weighted":
        raise JvizError("Weighting needs the errors of every spectrum; take the mean or the median.")
    if variances is None:
        errors = "scatter"
    if how == "clipped":
        values = _clipped(values, sigma)
    with np.errstate(all="ignore"):
        flux, variance = _reduced(values, variances, how, errors)
    first = aligned[0]
    missing = ~np.isfinite(values).any(axis=0)
    meta = {**first.meta, "NCOMBINE": len(spectra)}
    return with_variance(first, flux, variance, mask=missing, flags=None, name="", meta=meta)


def joined(spectra: Sequence[Samples]) -> Samples:
    """Join spectra of one object that follow each other in wavelength, as the arms of a spectrograph do.

    Channels stay as they are; where two overlap, those of the one that begins first stay, and the other is resampled
    onto them with its flux conserved and averaged, by inverse variance where both have errors.

    Raises
    ------
    JvizError
        When units do not fit.
    """
    first = spectra[0].axis
    parts = sorted((np.sort(axis_in_unit(one.axis, first)) for one in spectra), key=lambda values: values[0])
    values = parts[0]
    for part in parts[1:]:
        reach = values[-1] + (values[-1] - values[-2] if len(values) > 1 else 0.0) / 2
        values = np.concatenate([values, part[part > reach]])
    how: How = "weighted" if all(one.error is not None for one in spectra) else "mean"
    made = combined(spectra, how, grid=replace(first, values=values, array_axis=0))
    meta = {key: value for key, value in made.meta.items() if key not in ("NCOMBINE", "neighbour correlation")}
    return replace(made, name=spectra[0].name, meta=meta)


def _factor(one: Samples, unit: str) -> float:
    if one.unit == unit:
        return 1.0
    try:
        return float(parse_unit(one.unit).to(parse_unit(unit)))
    except Exception as error:
        raise JvizError(f"Spectra in {unit or 'no unit'} and {one.unit or 'no unit'} cannot be combined.") from error


def _variances(aligned: list[Samples], factors: list[float]) -> np.ndarray | None:
    found = [variance_of(one) for one in aligned]
    if any(one is None for one in found):
        return None
    return np.stack([v * f**2 for v, f in zip(found, factors, strict=True)])  # type: ignore[operator]


def _clipped(values: np.ndarray, sigma: float) -> np.ndarray:
    """Leave out what is beyond sigma robust deviations (1.4826 × the median absolute deviation) of the median."""
    kept = values.copy()
    for _ in range(5):
        middle = nan_median(kept)
        width = 1.4826 * nan_median(np.abs(kept - middle))
        out = (np.abs(kept - middle) > sigma * width) & (width > 0)
        if not out.any():
            break
        kept[out] = np.nan
    return kept


def _reduced(
    values: np.ndarray, variances: np.ndarray | None, how: How, errors: str
) -> tuple[np.ndarray, np.ndarray | None]:
    good = np.isfinite(values)
    n = good.sum(axis=0).astype(float)
    n[n == 0] = np.nan
    filled = np.where(good, values, 0.0)
    if how == "weighted":
        weights = np.where(good & (variances > 0), 1 / variances, 0.0)  # type: ignore[operator]
        total = weights.sum(axis=0)
        flux, variance = (weights * filled).sum(axis=0) / total, 1 / total
        if errors == "scatter":
            variance *= (weights * np.where(good, values - flux, 0) ** 2).sum(axis=0) / (n - 1)
        return flux, variance
    flux = nan_median(values) if how == "median" else filled.sum(axis=0) / n
    share = median_factor(n) if how == "median" else 1 / n
    if errors == "scatter" or variances is None:
        spread = np.where(good, values - filled.sum(axis=0) / n, 0) ** 2
        return flux, share * spread.sum(axis=0) / (n - 1) if len(values) > 1 else None
    if how == "median":
        return flux, variance_of_medians(variances, good)
    return flux, share * np.where(good, variances, 0).sum(axis=0) / n
