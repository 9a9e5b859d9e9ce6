"""Maps made from cubes: collapsed along the spectral axis, and moments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from jviz.backend.cubes.continuum import Continuum
from jviz.backend.cubes.extract import RANKED, weighted_statistic
from jviz.backend.cubes.source import PIECE, CubeSource
from jviz.backend.cubes.store import BLOCK, SpectralStore, block_places
from jviz.backend.progress import Progress, silent
from jviz.backend.spectra.axis import SpectralAxis
from jviz.errors import JvizError

__all__ = [
    "Map",
    "MomentSums",
    "central_moment",
    "collapse",
    "middle_of",
    "moment",
    "moment_errors",
    "moment_sums",
    "sums_from_store",
    "sums_moved",
]

MOVED = 16
"""Channels that may come and go until sums are begun anew."""

Collapse = Literal["sum", "mean", "median", "min", "max", "percentile"]
ReadVariance = Callable[[slice, slice, slice], np.ndarray]


@dataclass(frozen=True, eq=False)
class Map:
    """An image made from a cube.

    Attributes
    ----------
    values : ndarray of float64, shape (rows, columns)
        NaN where no channel has a value.
    error : ndarray or None
        One standard deviation, for independent channels; None when the cube has no errors.
    """

    values: np.ndarray
    error: np.ndarray | None = None


def collapse(
    source: CubeSource,
    shares: np.ndarray,
    statistic: Collapse = "sum",
    *,
    percentile: float = 50.0,
    variance: ReadVariance | None = None,
    progress: Progress = silent,
) -> Map:
    """Reduce the channels of a cube to an image, in strips of rows.

    Parameters
    ----------
    shares : ndarray, shape (n_channels,)
        How much of each channel counts (`SpectralAxis.shares`): in ``sum`` and ``mean`` as weights; the others
        take the channels of which at least half is inside.
    percentile : float
        0 to 100, for ``statistic="percentile"``.

    Raises
    ------
    JvizError
        When no channel is inside.
    """
    if statistic in RANKED:
        shares = (shares >= min(0.5, shares.max(initial=0.0))) * (shares > 0).astype(float)
    inside = np.flatnonzero(shares > 0)
    if not len(inside):
        raise JvizError("No channel of the cube lies in the spectral region; choose one that overlaps the cube.")
    channels = slice(int(inside[0]), int(inside[-1]) + 1)
    weights = shares[channels]
    _, ny, nx = source.shape
    values = np.full((ny, nx), np.nan)
    error = np.full((ny, nx), np.nan) if variance is not None else None
    step = max(1, PIECE // (len(weights) * nx))
    for row in range(0, ny, step):
        progress(row, ny, "collapsing")
        rows = slice(row, min(row + step, ny))
        part = source.read(channels, rows, dtype=source.dtype)
        spread = variance(channels, rows, slice(None)) if variance is not None else None
        # Few rows at a time: sums need several float64 arrays of that size.
        few = max(1, PIECE // (8 * len(weights) * nx))
        for first in range(0, part.shape[1], few):
            some = slice(first, first + few)
            noise = None if spread is None else spread[:, some]
            there = slice(row + first, row + min(first + few, part.shape[1]))
            values[there], found = _reduced(part[:, some].astype(np.float64), noise, weights, statistic, percentile)
            if error is not None:
                error[there] = found
    return Map(values, error)


def _reduced(
    part: np.ndarray, variance: np.ndarray | None, weights: np.ndarray, statistic: Collapse, percentile: float
) -> tuple[np.ndarray, np.ndarray | None]:
    # The same sums with channels in the place of spaxels: one row of them for each pixel.
    rows, columns = part.shape[1:]
    turned = np.moveaxis(part, 0, -1).reshape(rows * columns, 1, -1)
    spread = None if variance is None else np.moveaxis(variance, 0, -1).reshape(rows * columns, 1, -1)
    values, error, _ = weighted_statistic(turned, spread, weights[None, :], statistic, percentile)
    error = None if variance is None else np.broadcast_to(error, values.shape).reshape(rows, columns)
    return values.reshape(rows, columns), error


@dataclass(frozen=True, eq=False)
class MomentSums:
    """Sums of f·Δ, f·Δ·x and f·Δ·x² over channels, where x is the spectral value and Δ the channel's width.

    ``zero`` is a value near the middle that x is counted from, so that no digits are lost.
    """

    s0: np.ndarray
    s1: np.ndarray
    s2: np.ndarray
    number: np.ndarray
    zero: float


def moment_sums(
    source: CubeSource,
    axis: SpectralAxis,
    shares: np.ndarray,
    progress: Progress = silent,
    *,
    continuum: Continuum | None = None,
) -> MomentSums:
    """Add up the channels from the file.

    Parameters
    ----------
    shares : ndarray, shape (n_channels,)
        How much of each channel counts.
    continuum : Continuum, optional
        Taken away from each value, with x counted from the middle of the channels (`middle_of`).
    """
    channels, zero = _span(axis, shares)
    weights = (shares * axis.widths)[channels]
    x = (axis.values - zero)[channels]
    _, ny, nx = source.shape
    sums = np.zeros((4, ny, nx))
    step = max(1, PIECE // (8 * ny * nx))
    for first in range(0, len(x), step):
        progress(first, len(x), "adding up channels")
        last = min(first + step, len(x))
        part = source.read(slice(channels.start + first, channels.start + last), dtype=np.dtype(np.float64))
        if continuum is not None:
            part -= continuum.at(x[first:last])
        good = np.isfinite(part)
        part = np.where(good, part, 0.0) * weights[first:last, None, None]
        for power in range(3):
            sums[power] += np.einsum("kij,k->ij", part, x[first:last] ** power)
        sums[3] += good.sum(axis=0)
    return MomentSums(sums[0], sums[1], sums[2], sums[3], zero)


def sums_from_store(
    store: SpectralStore,
    axis: SpectralAxis,
    shares: np.ndarray,
    source: CubeSource | None = None,
    *,
    totals_only: bool = False,
) -> MomentSums:
    """Add up the channels from the copy: whole blocks from their sums, only the ends one by one.

    Parameters
    ----------
    source : CubeSource, optional
        The file, from which channels at the ends are read where its planes lie in one piece: a channel of the copy
        is a value here and there in all of it.
    totals_only : bool
        Leave the sums over the positions at 0: totals and means need none of them.
    """
    from jviz.backend.cubes import kernels

    channels, zero = _span(axis, shares)
    places, middles, halves = block_places(axis.values)
    from_file = source is not None and source.has_whole_planes
    total = np.zeros((4, *store.shape[1:]))
    for block in range(channels.start // BLOCK, (channels.stop - 1) // BLOCK + 1):
        part = slice(block * BLOCK, min((block + 1) * BLOCK, len(shares)))
        sums, change, count = _beginning(store, block, shares[part])
        used = np.flatnonzero((change != 0) | (count != 0))
        if len(used):
            there = slice(part.start + int(used[0]), part.start + int(used[-1]) + 1)
            weights = np.zeros(len(shares))
            counts = np.zeros(len(shares))
            weights[part], counts[part] = change * axis.widths[part], count
            if from_file:
                kernels.plane_sums(source.read(there), weights[there], places[there], counts[there], sums)
            else:
                kernels.range_sums(store.spectra, weights, counts, places, there.start, there.stop, sums)
        if totals_only:
            total[0] += sums[0]
            total[3] += sums[3]
        else:
            _add(total, sums, middles[block] - zero, halves[block])
    return MomentSums(total[0], total[1], total[2], total[3], zero)


def sums_moved(
    sums: MomentSums, axis: SpectralAxis, before: np.ndarray, after: np.ndarray, source: CubeSource
) -> MomentSums | None:
    """Return the sums over other channels from those over nearly the same ones; None where many channels differ.

    Parameters
    ----------
    before, after : ndarray, shape (n_channels,)
        How much of each channel counts in ``sums``, and should count.
    source : CubeSource
        From which the channels that come and go are read.
    """
    from jviz.backend.cubes import kernels

    changed = np.flatnonzero(before != after)
    if len(changed) > MOVED or not source.has_whole_planes:
        return None
    total = np.stack([sums.s0, sums.s1, sums.s2, sums.number])
    x, change = axis.values - sums.zero, (after - before) * axis.widths
    counts = (after > 0).astype(float) - (before > 0)
    for part in np.split(changed, np.flatnonzero(np.diff(changed) > 1) + 1):
        if len(part):
            there = slice(int(part[0]), int(part[-1]) + 1)
            kernels.plane_sums(source.read(there), change[there], x[there], counts[there], total)
    zero = _span(axis, after)[1]
    s0, s1, s2, number = total
    by = zero - sums.zero
    return MomentSums(s0, s1 - by * s0, s2 - 2 * by * s1 + by**2 * s0, number, zero)


def _beginning(store: SpectralStore, block: int, shares: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return sums to begin with, and what is still to add: shares of channels, and how often each counts.

    Of a block that is mostly inside, the sums of all of it, from which the rest is taken away.
    """
    if (shares == 1).sum() * 2 > len(shares):
        return store.sums[:, block].astype(np.float64), shares - 1, -(shares == 0).astype(float)
    return np.zeros((4, *store.shape[1:])), shares, (shares > 0).astype(float)


def _add(total: np.ndarray, sums: np.ndarray, offset: float, half: float) -> None:
    """Add sums over places t of a block to sums over x = offset + half·t."""
    s0, s1, s2, number = sums
    total[0] += s0
    total[1] += offset * s0 + half * s1
    total[2] += offset**2 * s0 + 2 * offset * half * s1 + half**2 * s2
    total[3] += number


def _span(axis: SpectralAxis, shares: np.ndarray) -> tuple[slice, float]:
    inside = np.flatnonzero(shares > 0)
    if not len(inside):
        raise JvizError("No channel of the cube lies in the spectral region; choose one that overlaps the cube.")
    channels = slice(int(inside[0]), int(inside[-1]) + 1)
    return channels, float(axis.values[channels].mean())


def middle_of(axis: SpectralAxis, shares: np.ndarray) -> float:
    """Return the value from which moments count the positions of channels."""
    return _span(axis, shares)[1]


def moment(sums: MomentSums, order: Literal[0, 1, 2]) -> np.ndarray:
    """Return a moment from its sums.

    Order 0 is Σ f·Δ (unit of the data times that of the axis), order 1 the mean Σ f·Δ·x ∕ Σ f·Δ, order 2 the
    variance Σ f·Δ·(x − x̄)² ∕ Σ f·Δ in squared units of the axis. NaN where there is no value, or no
    positive total to divide by.
    """
    there = sums.number > 0
    if order == 0:
        return np.where(there, sums.s0, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(there & (sums.s0 > 0), sums.s1 / sums.s0, np.nan)
        if order == 1:
            return mean + sums.zero
        return sums.s2 / sums.s0 - mean**2


def central_moment(
    source: CubeSource,
    axis: SpectralAxis,
    shares: np.ndarray,
    order: int,
    progress: Progress = silent,
    *,
    continuum: Continuum | None = None,
) -> np.ndarray:
    """Return Σ f·Δ·(x − x̄)ⁿ ∕ Σ f·Δ of every pixel; NaN where there is no positive total."""
    sums = moment_sums(source, axis, shares, progress, continuum=continuum)
    mean = moment(sums, 1) - sums.zero
    channels, _ = _span(axis, shares)
    weights, x = shares * axis.widths, axis.values - sums.zero
    total = np.zeros_like(sums.s0)
    for channel in range(channels.start, channels.stop):
        progress(channel - channels.start, channels.stop - channels.start, "moment")
        values = source.read(slice(channel, channel + 1), dtype=np.dtype(np.float64))
        if continuum is not None:
            values -= continuum.at(x[channel : channel + 1])
        total += np.where(np.isfinite(values[0]), values[0], 0.0) * weights[channel] * (x[channel] - mean) ** order
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(np.isfinite(mean), total / sums.s0, np.nan)


def moment_errors(
    source: CubeSource,
    sums: MomentSums,
    order: Literal[0, 1, 2],
    axis: SpectralAxis,
    shares: np.ndarray,
    variance: ReadVariance,
    progress: Progress = silent,
    *,
    continuum: Continuum | None = None,
) -> np.ndarray:
    """Propagate the errors of independent channels, and of the continuum, to a moment, to first order.

    σ² = Σ (∂M/∂f)² σ_f² with ∂M₀ = Δ, ∂M₁ = Δ (x − M₁) ∕ M₀ and ∂M₂ = Δ ((x − M₁)² − M₂) ∕ M₀. A level l and a slope m
    that are taken away add (∂M/∂l)² σ_l² + 2 (∂M/∂l)(∂M/∂m) σ_lm + (∂M/∂m)² σ_m² with ∂M/∂l = −Σ ∂M/∂f and
    ∂M/∂m = −Σ x ∂M/∂f. Channels without a value count in neither.
    """
    channels, _ = _span(axis, shares)
    weights, x = shares * axis.widths, axis.values - sums.zero
    mean, second = moment(sums, 1) - sums.zero, moment(sums, 2)
    total, by_level, by_slope = np.zeros((3, *sums.s0.shape))
    for channel in range(channels.start, channels.stop):
        progress(channel - channels.start, channels.stop - channels.start, "errors")
        where = (slice(channel, channel + 1), slice(None), slice(None))
        change = np.where(np.isfinite(source.read(*where)[0]), weights[channel], 0.0)
        if order == 1:
            change = change * (x[channel] - mean) / sums.s0
        elif order == 2:
            change = change * ((x[channel] - mean) ** 2 - second) / sums.s0
        total += change**2 * np.nan_to_num(variance(*where)[0], nan=0.0)
        by_level += change
        by_slope += change * x[channel]
    if continuum is not None and continuum.spread is not None:
        level, both, slope = continuum.spread
        total += by_level**2 * level + 2 * by_level * by_slope * both + by_slope**2 * slope
    return np.sqrt(total)
