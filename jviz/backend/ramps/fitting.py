"""Cosmic rays in ramps, and count rates fitted between them, as the JWST pipeline does by default.

Jumps are found by the two-point difference method (Anderson & Gordon 2011, PASP 123, 1237): the difference of two
groups is compared with the median difference of the pixel, in units of the noise of both. Rates are lines of least
squares with the weights of Fixsen et al. (2000, PASP 112, 1350), one for each run of good groups between jumps; runs
are joined by the variance of their read noise, and the variance of photons is that of the median rate.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from jviz.backend.progress import Progress, silent

__all__ = ["DO_NOT_USE", "JUMP", "SATURATED", "JumpRule", "RampFit", "ReadOut", "fit_ramps"]

DO_NOT_USE, SATURATED, JUMP = 1, 2, 4
"""Bits of the flags of groups, as JWST has them."""

ROWS_BYTES = 1 << 24
"""Counts that are worked on between two looks at whether the result is still wanted."""


@dataclass(frozen=True)
class ReadOut:
    """How a ramp was read.

    Attributes
    ----------
    group_time : float
        Seconds between the beginnings of two groups.
    frames : int
        Reads that were averaged in a group.
    """

    group_time: float
    frames: int = 1


@dataclass(frozen=True)
class JumpRule:
    """When a difference of two groups counts as a cosmic ray; the defaults are those of the JWST pipeline.

    Attributes
    ----------
    threshold, three, two : float
        Standard deviations, for ramps with four or more, three and two usable differences.
    neighbours : bool
        Whether the four pixels beside one with a jump are flagged, too.
    least_neighbour, greatest_neighbour : float
        Standard deviations of the jumps that spread to their neighbours.
    at_once : int
        Differences from which all are compared with one median, instead of one after the other.
    """

    threshold: float = 4.0
    three: float = 5.0
    two: float = 6.0
    neighbours: bool = True
    least_neighbour: float = 10.0
    greatest_neighbour: float = 1000.0
    at_once: int = 10


@dataclass(frozen=True)
class RampFit:
    """Rates of an exposure.

    Attributes
    ----------
    rate, err, var_poisson, var_rnoise : ndarray of float32, shape (y, x)
        DN/s, and variances in (DN/s)²; NaN (rate) and 0 where no group can be used.
    integrations : ndarray of float32, shape (integrations, 4, y, x)
        Rate, variance of photons, variance of read noise and error of each integration.
    flags : ndarray of uint8, shape (integrations, groups, y, x)
        Of groups, with the jumps that were found.
    model : ndarray of float32 or None
        Fitted counts, DN, of the shape of ``flags``; NaN between the runs of good groups.
    """

    rate: np.ndarray
    err: np.ndarray
    var_poisson: np.ndarray
    var_rnoise: np.ndarray
    integrations: np.ndarray
    flags: np.ndarray
    model: np.ndarray | None


def fit_ramps(
    counts: np.ndarray,
    flags: np.ndarray | None,
    gain: np.ndarray | float,
    noise: np.ndarray | float,
    readout: ReadOut,
    *,
    jumps: JumpRule | None = None,
    bad: np.ndarray | None = None,
    dark: np.ndarray | float = 0.0,
    differences: int | None = None,
    model: bool = False,
    progress: Progress = silent,
) -> RampFit:
    """Fit count rates to ramps.

    Parameters
    ----------
    counts : ndarray, shape (integrations, groups, y, x)
        DN.
    flags : ndarray of uint8, same shape, optional
        DO_NOT_USE 1, SATURATED 2, JUMP_DET 4 of each group. Jumps that are there are kept, unless `jumps` is given.
    gain : ndarray, shape (y, x), or float
        e⁻ per DN.
    noise : ndarray, shape (y, x), or float
        Read noise of the difference of two single reads (CDS), DN, as reference files have it.
    readout : ReadOut
    jumps : JumpRule, optional
        Look for jumps by it.
    bad : ndarray of bool, shape (y, x), optional
        Pixels that are not to be used at all: their rate is NaN.
    dark : ndarray, shape (y, x), or float
        Dark current that was subtracted, DN/s: its photons are noise, too.
    differences : int, optional
        Usable differences of the whole exposure, which decide how jumps are looked for; those of ``counts`` when
        they are all of it.
    model : bool
        Return the fitted counts, too.
    progress : callable

    Raises
    ------
    ValueError
        When there are fewer than two groups, or shapes differ.
    """
    if counts.ndim != 4 or counts.shape[1] < 2:
        raise ValueError("a rate needs ramps of two groups or more, in an array (integrations, groups, y, x)")
    shape, area = counts.shape, counts.shape[2:]
    flags = np.zeros(shape, np.uint8) if flags is None else (flags & 255).astype(np.uint8)
    if flags.shape != shape:
        raise ValueError(f"flags of shape {flags.shape} do not fit counts of shape {shape}")
    gain, noise, dark = (np.ascontiguousarray(np.broadcast_to(a, area), np.float32) for a in (gain, noise, dark))
    unusable = ~(np.isfinite(gain) & (gain > 0)) | (False if bad is None else bad)
    if jumps is not None:
        flags &= np.uint8(255 - JUMP)
        _find_jumps(counts, flags, gain, noise, readout, jumps, _usable(flags, differences), progress)
    flags = _without_single_groups(flags)
    electrons = noise * gain / np.sqrt(np.float32(2.0 * readout.frames))
    rates = np.empty((shape[0] + 1, 4, *area), np.float32)
    fitted = np.empty(shape if model else (0, 0, 0, 0), np.float32)
    _fit(counts, flags, (gain, electrons, dark), readout.group_time, rates, fitted, progress)
    rates[:, 0][:, unusable] = np.nan
    rates[:, 1:][:, :, unusable] = 0.0
    last = rates[-1]
    return RampFit(last[0], last[3], last[1], last[2], rates[:-1], flags, fitted if model else None)


def _usable(flags: np.ndarray, given: int | None) -> int:
    """Return the number of differences of groups that are not left out as a whole, of the worst integration."""
    if given is not None:
        return given
    whole = ((flags & DO_NOT_USE) != 0).all(axis=(2, 3)).sum(axis=1)
    return int(flags.shape[1] - whole.max() - 1)


def _find_jumps(
    counts: np.ndarray, flags: np.ndarray, gain: np.ndarray, noise: np.ndarray, readout: ReadOut,
    rule: JumpRule, usable: int, progress: Progress,
) -> None:  # fmt: skip
    from jviz.backend.ramps.kernels import flag_jumps

    if usable < 2:
        return  # fewer than three groups: nothing to compare with
    limits = np.array([rule.threshold, rule.three, rule.two])
    ratios = np.empty(counts.shape, np.float32)
    between = noise * gain / np.sqrt(np.float32(readout.frames))
    for rows in _strips(counts, progress, "looking for cosmic rays"):
        part, marks = _flat(counts, rows), _flat(flags, rows)
        found = np.empty(part.shape, np.float32)
        flag_jumps(part, marks, gain[rows].ravel(), between[rows].ravel(), limits, usable >= rule.at_once, found)
        _back(flags, rows, marks)
        _back(ratios, rows, found)
    if rule.neighbours:
        _spread(flags, ratios, rule)


def _spread(flags: np.ndarray, ratios: np.ndarray, rule: JumpRule) -> None:
    """Flag the four neighbours of clear jumps."""
    with np.errstate(invalid="ignore"):
        clear = ((flags & JUMP) != 0) & (ratios > rule.least_neighbour) & (ratios < rule.greatest_neighbour)
    near = np.zeros_like(clear)
    near[..., 1:, :] |= clear[..., :-1, :]
    near[..., :-1, :] |= clear[..., 1:, :]
    near[..., 1:] |= clear[..., :-1]
    near[..., :-1] |= clear[..., 1:]
    flags[near & ((flags & (SATURATED | DO_NOT_USE)) == 0)] |= JUMP


def _without_single_groups(flags: np.ndarray) -> np.ndarray:
    """Leave out integrations of pixels with one good group only: a rate cannot be had from it."""
    single = (flags == 0).sum(axis=1) == 1
    return np.where(single[:, None], flags | np.uint8(DO_NOT_USE), flags)


def _fit(
    counts: np.ndarray, flags: np.ndarray, noise: tuple, seconds: float, rates: np.ndarray, model: np.ndarray,
    progress: Progress,
) -> None:  # fmt: skip
    from jviz.backend.ramps.kernels import fit_rates

    for rows in _strips(counts, progress, "fitting ramps"):
        part, marks = _flat(counts, rows), _flat(flags, rows)
        found = np.empty((rates.shape[0], 4, part.shape[2]), np.float32)
        fitted = np.empty(part.shape if model.size else (0, 0, 0), np.float32)
        fit_rates(part, marks, *(array[rows].ravel() for array in noise), seconds, found, fitted)
        _back(rates, rows, found)
        if model.size:
            _back(model, rows, fitted)


def _strips(counts: np.ndarray, progress: Progress, text: str) -> Iterator[slice]:
    rows = counts.shape[2]
    height = max(1, ROWS_BYTES // max(1, 4 * counts.shape[0] * counts.shape[1] * counts.shape[3]))
    for row in range(0, rows, height):
        progress(row, rows, text)
        yield slice(row, min(row + height, rows))


def _flat(array: np.ndarray, rows: slice) -> np.ndarray:
    """Return some rows with their pixels on one axis, as the kernels take them."""
    part = array[:, :, rows]
    kind = np.uint8 if part.dtype == np.uint8 else np.float32
    return np.ascontiguousarray(part, kind).reshape(*part.shape[:2], -1)


def _back(array: np.ndarray, rows: slice, part: np.ndarray) -> None:
    array[:, :, rows] = part.reshape(array[:, :, rows].shape)
