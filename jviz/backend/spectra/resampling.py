"""Spectra on other channels, with what they hold conserved and errors that follow."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from jviz.backend.spectra.axis import SpectralAxis
from jviz.backend.spectra.samples import Samples
from jviz.backend.spectra.units import Scale, convert_axis, scale_of
from jviz.errors import JvizError

__all__ = ["Holds", "axis_in_unit", "brought_onto", "resampled", "scales_between", "variance_of", "with_variance"]

Holds = Literal["density", "counts"]


def variance_of(samples: Samples) -> np.ndarray | None:
    """Return variances, NaN where the file knows none; None without an uncertainty."""
    return None if samples.error is None else np.square(samples.error)


def with_variance(samples: Samples, flux: np.ndarray, variance: np.ndarray | None, **more: object) -> Samples:
    """Return a spectrum with other values, its uncertainty given as standard deviations."""
    error = None if variance is None else np.sqrt(variance)
    changes = {"flux": flux, "uncertainty": error, "kind": "" if error is None else "std", **more}
    return replace(samples, **changes)  # type: ignore[arg-type]


def scales_between(axis: SpectralAxis, like: SpectralAxis) -> tuple[Scale, Scale]:
    """Return how two axes count, with what only one of them says: rest value, medium, convention.

    Velocities meet velocities, each counted from its own rest value: a line of one isotope on the channels of another.

    Raises
    ------
    JvizError
        When one counts channels and the other does not, or a rest value is missing.
    """
    a, b = scale_of(axis), scale_of(like)
    if "channel" in (a.quantity, b.quantity):
        if (a.quantity, axis.unit) == (b.quantity, like.unit):
            return a, b
        raise JvizError(
            f"Axes over {_counted(axis)} and {_counted(like)} cannot be compared; say first what is counted, with "
            "Cube ▸ Spectral Axis… or Spectrum ▸ Units and Medium of Data…."
        )
    if a.quantity == b.quantity == "velocity":
        known = axis.convention or like.convention or "optical", like.convention or axis.convention or "optical"
        return replace(a, rest=1.0, convention=known[0]), replace(b, rest=1.0, convention=known[1])
    if a.quantity == b.quantity:
        return replace(a, medium=a.medium or b.medium), replace(b, medium=b.medium or a.medium)
    rest = b.rest or a.rest
    if rest is None and "velocity" in (a.quantity, b.quantity):
        raise JvizError(
            f"A {a.quantity} becomes a {b.quantity} only with a rest value, and neither axis gives one; give it first, "
            "for cubes with Cube ▸ Spectral Axis…."
        )
    return replace(a, rest=rest), replace(b, rest=rest)


def _counted(axis: SpectralAxis) -> str:
    return f"{axis.quantity} in {axis.unit}" if axis.unit else f"{axis.quantity} without a unit"


def axis_in_unit(axis: SpectralAxis, like: SpectralAxis) -> np.ndarray:
    """Return the values of an axis as another one counts: its unit, its quantity, its medium.

    Raises
    ------
    JvizError
        As `scales_between`.
    """
    return convert_axis(axis.values, *scales_between(axis, like))


def _on_scale_of(samples: Samples, grid: SpectralAxis) -> tuple[Samples, SpectralAxis]:
    """Return a spectrum and a grid that count alike: as the spectrum where only units differ, else as the grid."""
    theirs, ours = scales_between(grid, samples.axis)
    if (theirs.quantity, theirs.medium, theirs.convention) == (ours.quantity, ours.medium, ours.convention):
        return samples, replace(grid, values=convert_axis(grid.values, theirs, ours))
    axis = replace(samples.axis, values=convert_axis(samples.axis.values, ours, theirs), unit=grid.unit,
                   quantity=grid.quantity, medium=theirs.medium, convention=grid.convention)  # fmt: skip
    # Borders half way between wavelengths are not half way between frequencies.
    axis.__dict__["edges"] = convert_axis(samples.axis.edges, ours, theirs)
    return replace(samples, axis=axis), grid


@dataclass(frozen=True)
class _Pieces:
    """Where old and new channels overlap: ``length`` of channel ``old`` in channel ``new``, in order."""

    old: np.ndarray
    new: np.ndarray
    length: np.ndarray


def resampled(samples: Samples, grid: SpectralAxis, method: str = "conserving", holds: Holds = "density") -> Samples:
    """Bring a spectrum onto other channels.

    Parameters
    ----------
    grid : SpectralAxis
        In any unit; of another quantity or medium, integrals over the grid's stay.
    method : {"conserving", "linear"}
        "conserving" shares each channel out by overlap, so that sums over whole channels stay; "linear" interpolates
        between the middles.
    holds : {"density", "counts"}
        Whether values are per unit of the axis (Jy, erg/s/cm²/Å, surface brightness), or of the whole channel.

    Returns
    -------
    Samples
        New channels that are covered by less than half by good samples are masked, those without any are NaN. Errors
        are those of independent input channels. ``meta["neighbour correlation"]`` is the median correlation between the
        errors of neighbouring channels.
    """
    medium = grid.medium or (samples.axis.medium if grid.quantity == samples.axis.quantity else "")
    samples, moved = _on_scale_of(samples, grid)
    if method == "linear":
        flux, variance, correlation, thin = _linear(samples, moved)
    else:
        flux, variance, correlation, thin = _conserving(samples, moved, holds)
    meta = {**samples.meta, "neighbour correlation": correlation} if variance is not None else samples.meta
    axis = replace(grid, medium=medium, array_axis=0)
    return with_variance(samples, flux, variance, axis=axis, mask=thin, flags=None, meta=meta)


def brought_onto(samples: Samples, grid: SpectralAxis) -> Samples:
    """Return a spectrum on the channels of a grid: the same one if it has them, else resampled."""
    if len(samples.axis) == len(grid):
        moved = axis_in_unit(samples.axis, grid)
        if np.allclose(moved, grid.values, rtol=1e-9, atol=0):
            return samples
    return resampled(samples, grid)


def _rising(edges: np.ndarray) -> tuple[np.ndarray, bool]:
    return (edges, False) if edges[-1] >= edges[0] else (edges[::-1], True)


def _pieces(old: np.ndarray, new: np.ndarray) -> _Pieces:
    """Cut the common range at all borders; each piece then lies in one old and one new channel."""
    if (np.diff(old) <= 0).any() or (np.diff(new) <= 0).any():
        raise JvizError(
            "The wavelengths do not rise or fall throughout; sort the spectrum, or take its orders one by one."
        )
    cuts = np.unique(np.concatenate([old, new]))
    cuts = cuts[(cuts >= max(old[0], new[0])) & (cuts <= min(old[-1], new[-1]))]
    middle = (cuts[1:] + cuts[:-1]) / 2
    return _Pieces(np.searchsorted(old, middle) - 1, np.searchsorted(new, middle) - 1, np.diff(cuts))


def _conserving(
    samples: Samples, grid: SpectralAxis, holds: Holds
) -> tuple[np.ndarray, np.ndarray | None, float, np.ndarray]:
    (old, flip_old), (new, flip_new) = _rising(samples.axis.edges), _rising(grid.edges)
    turn = slice(None, None, -1) if flip_old else slice(None)
    good, variance = samples.good[turn], variance_of(samples)
    flux = np.where(good, samples.flux[turn], 0.0)
    pieces, n = _pieces(old, new), len(grid)
    weight = pieces.length * good[pieces.old]
    covered = np.bincount(pieces.new, weight, n)
    share = covered / np.diff(new)
    if holds == "counts":
        weight = weight / np.diff(old)[pieces.old]
        divisor = np.where(covered > 0, share, np.nan)  # scaled up where samples are missing
    else:
        divisor = np.where(covered > 0, covered, np.nan)
    values = np.bincount(pieces.new, weight * flux[pieces.old], n) / divisor
    spread, correlation = None, 0.0
    if variance is not None:
        single = np.where(good, variance[turn], 0.0)[pieces.old]
        summed = np.bincount(pieces.new, weight**2 * single, n)
        correlation = _correlation(pieces, weight, single, summed)
        spread = summed / divisor**2
    back = slice(None, None, -1) if flip_new else slice(None)
    # rounding of borders must not mask channels that are covered by exactly a half
    thin = share < 0.5 - 1e-9
    return values[back], None if spread is None else spread[back], correlation, thin[back]


def _correlation(pieces: _Pieces, weight: np.ndarray, single: np.ndarray, summed: np.ndarray) -> float:
    """Return the median correlation of neighbours: they share the old channels that a border cuts."""
    cut = (pieces.old[1:] == pieces.old[:-1]) & (pieces.new[1:] == pieces.new[:-1] + 1)
    shared = np.zeros(len(summed))
    with np.errstate(divide="ignore", invalid="ignore"):  # errors may be infinite
        np.add.at(shared, pieces.new[:-1][cut], (weight[1:] * weight[:-1] * single[1:])[cut])
        found = shared[:-1] / np.sqrt(summed[:-1] * summed[1:])
    found = found[np.isfinite(found)]
    return float(np.median(found)) if len(found) else 0.0


def _linear(samples: Samples, grid: SpectralAxis) -> tuple[np.ndarray, np.ndarray | None, float, np.ndarray]:
    order = np.argsort(samples.axis.values, kind="stable")
    x, good = samples.axis.values[order], samples.good[order]
    place = np.interp(grid.values, x, np.arange(len(x)), left=np.nan, right=np.nan)
    outside = ~np.isfinite(place)
    low = np.clip(np.floor(np.where(outside, 0, place)).astype(int), 0, max(len(x) - 2, 0))
    high = np.minimum(low + 1, len(x) - 1)
    share = np.where(outside, 0.0, place - low)

    def between(values: np.ndarray, power: int = 1) -> np.ndarray:
        return (1 - share) ** power * values[low] + share**power * values[high]

    bad = outside | ~(good[low] | (share == 1)) | ~(good[high] | (share == 0))
    flux = np.where(samples.good, samples.flux, 0.0)[order]
    values = np.where(bad, np.nan, between(flux))
    variance = variance_of(samples)
    spread = None if variance is None else np.where(bad, np.nan, between(np.where(samples.good, variance, 0)[order], 2))
    correlation = 0.0
    if spread is not None and len(low) > 1:
        v = np.where(samples.good, variance, 0)[order]  # type: ignore[arg-type]
        correlation = _linear_correlation(low, share, v, spread)
    return values, spread, correlation, bad


def _linear_correlation(low: np.ndarray, share: np.ndarray, variance: np.ndarray, spread: np.ndarray) -> float:
    """Return the median correlation of neighbours, which lie between the same samples or have one in common."""
    high = np.minimum(low + 1, len(variance) - 1)
    weight = ((low, 1 - share), (high, share))
    shared = np.zeros(len(low) - 1)
    for one, a in weight:
        for other, b in weight:
            shared += np.where(one[:-1] == other[1:], a[:-1] * b[1:] * variance[one[:-1]], 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = shared / np.sqrt(spread[1:] * spread[:-1])
    found = found[np.isfinite(found)]
    return float(np.median(found)) if len(found) else 0.0
