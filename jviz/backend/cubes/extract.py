"""Spectra of regions: weighted sums and other statistics over spaxels, channel by channel.

Errors are those of independent spaxels: neighbouring spaxels of a resampled cube are correlated, so the
true errors of sums are larger. Where no error plane is given there is no error, and the result says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from jviz.backend.cubes.source import PIECE, CubeSource
from jviz.backend.cubes.store import SpectralStore
from jviz.backend.progress import Progress, silent
from jviz.backend.render.source import in_memory, will_need
from jviz.backend.spectra.medians import nan_percentile
from jviz.errors import JvizError

__all__ = ["Extracted", "LiveSum", "Spaxels", "Statistic", "extract", "weighted_statistic"]

Statistic = Literal["sum", "mean", "median", "min", "max"]

CHANNELS = 256
"""Channels read between two looks at whether the result is still wanted: each is another place of the file."""

RELEASED = 1024
"""Channels after which pages of the file are let go of: the system maps 64 kB round each piece that is read."""

RANKED = ("median", "percentile", "min", "max")
"""Statistics in which a spaxel counts as a whole or not at all."""


@dataclass(frozen=True, eq=False)
class Spaxels:
    """Which spaxels a region covers, and how much of each.

    Attributes
    ----------
    rows, columns : ndarray of int, shape (n,)
    weights : ndarray of float64, shape (n,)
        Above 0, at most 1.
    """

    rows: np.ndarray
    columns: np.ndarray
    weights: np.ndarray

    @classmethod
    def of(cls, corner: tuple[int, int], weights: np.ndarray) -> Spaxels:
        """Take them from an array of weights whose first element is at (row, column) ``corner``."""
        rows, columns = np.nonzero(weights > 0)
        return cls(rows + corner[0], columns + corner[1], weights[rows, columns].astype(np.float64))

    @classmethod
    def one(cls, row: int, column: int) -> Spaxels:
        """Take a single spaxel."""
        return cls(np.array([row]), np.array([column]), np.ones(1))

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def box(self) -> tuple[slice, slice]:
        """The rows and columns that hold them all."""
        return slice(self.rows.min(), self.rows.max() + 1), slice(self.columns.min(), self.columns.max() + 1)

    def within(self, shape: tuple[int, int]) -> Spaxels:
        """Return those that lie on a cube of so many rows and columns."""
        inside = (self.rows >= 0) & (self.rows < shape[0]) & (self.columns >= 0) & (self.columns < shape[1])
        return Spaxels(self.rows[inside], self.columns[inside], self.weights[inside])

    def sheet(self) -> np.ndarray:
        """Return the weights as an array over `box`."""
        rows, columns = self.box
        sheet = np.zeros((rows.stop - rows.start, columns.stop - columns.start))
        sheet[self.rows - rows.start, self.columns - columns.start] = self.weights
        return sheet


@dataclass(frozen=True, eq=False)
class Extracted:
    """A spectrum of a region.

    Attributes
    ----------
    values : ndarray of float64, shape (n_channels,)
        NaN where no spaxel has a value.
    error : ndarray of float64 or None
        One standard deviation; None when the cube has no errors.
    coverage : ndarray of float64
        Sum of the weights of the spaxels that have a value.
    """

    values: np.ndarray
    error: np.ndarray | None
    coverage: np.ndarray

    def minus(self, other: Extracted, share: np.ndarray | float) -> Extracted:
        """Take away ``share`` of another spectrum (a background for each spaxel times their number)."""
        error = self.error
        if error is not None and other.error is not None:
            error = np.hypot(error, share * other.error)
        return Extracted(self.values - share * other.values, error, self.coverage)


WeightsOf = Callable[[int], Spaxels]
"""Spaxels of a channel, for regions that grow with wavelength."""


def extract(
    source: CubeSource,
    spaxels: Spaxels | WeightsOf,
    statistic: Statistic = "sum",
    *,
    variance: Callable[[slice, slice, slice], np.ndarray] | None = None,
    progress: Progress = silent,
) -> Extracted:
    """Work out the spectrum of a region from the file, in pieces.

    Parameters
    ----------
    source : CubeSource
    spaxels : Spaxels or callable
        The region, or for one that changes with wavelength a function of the channel number.
    statistic : str
        ``sum`` adds w·f; ``mean`` divides that by the sum of w; ``median``, ``min`` and ``max`` are over the
        spaxels of which at least half is inside (all of them, where none is).
    variance : callable, optional
        ``variance(channels, rows, columns)`` returns variances of that part.

    Raises
    ------
    JvizError
        When the region covers no spaxel of the cube.
    """
    fixed = spaxels.within(source.shape[1:]) if isinstance(spaxels, Spaxels) else None
    if fixed is not None and not len(fixed):
        raise JvizError("The region covers no spaxel of the cube; move it onto the cube.")
    n = source.shape[0]
    values, coverage = np.full(n, np.nan), np.zeros(n)
    error = np.full(n, np.nan) if variance is not None else None
    step = min(CHANNELS, max(1, PIECE // (8 * _area(fixed, source)))) if fixed is not None else 1
    for first in range(0, n, step):
        progress(first, n, "adding up spaxels")
        channels = slice(first, min(first + step, n))
        place = fixed if fixed is not None else spaxels(first).within(source.shape[1:])
        if not len(place):
            continue
        rows, columns = place.box
        part = source.read(channels, rows, columns, dtype=np.dtype(np.float64))
        spread = variance(channels, rows, columns) if variance is not None else None
        values[channels], found, coverage[channels] = weighted_statistic(part, spread, place.sheet(), statistic)
        if error is not None:
            error[channels] = found
        if channels.stop // RELEASED > channels.start // RELEASED:
            source.release()
    source.release()
    return Extracted(values, error, coverage)


def _area(spaxels: Spaxels, source: CubeSource) -> int:
    rows, columns = spaxels.box
    return (rows.stop - rows.start) * (columns.stop - columns.start)


def weighted_statistic(
    part: np.ndarray,
    variance: np.ndarray | None,
    weights: np.ndarray,
    statistic: Statistic | Literal["percentile"],
    percentile: float = 50.0,
) -> tuple[np.ndarray, np.ndarray | float, np.ndarray]:
    """Return values, errors and coverage of some channels; ``part`` has shape (channels, rows, columns)."""
    if statistic in RANKED:
        weights = (weights >= min(0.5, weights.max())).astype(float)
    good = np.isfinite(part) & (weights > 0)
    used = np.where(good, weights, 0.0)
    coverage = used.sum(axis=(1, 2))
    total = (np.where(good, part, 0.0) * used).sum(axis=(1, 2))
    spread = np.nan
    if variance is not None:
        # A value without an error counts as one with none known: it must not make the sum look certain.
        spread = np.sqrt((np.where(good, variance, 0.0) * used**2).sum(axis=(1, 2)))
    with np.errstate(invalid="ignore", divide="ignore"):
        if statistic == "sum":
            return np.where(coverage > 0, total, np.nan), np.where(coverage > 0, spread, np.nan), coverage
        if statistic == "mean":
            return total / coverage, spread / coverage, coverage
        values = np.where(good, part, np.nan)
        if statistic == "median" or (statistic == "percentile" and 0 < percentile < 100):
            percentile = 50.0 if statistic == "median" else percentile
            ranked = nan_percentile(values.reshape(len(values), -1), percentile, axis=1)
            return ranked, _scatter_of(percentile) * spread / coverage, coverage
        if statistic == "percentile":
            statistic = "min" if percentile <= 0 else "max"
        return _extreme(values, variance, statistic, coverage)


def _scatter_of(percentile: float) -> float:
    """Return the scatter of a percentile of many normal values in units of that of their mean.

    √(p (1 − p)) ∕ φ(Φ⁻¹(p)) (Stuart & Ord, Kendall's Advanced Theory of Statistics I, 10.10): √(π ∕ 2) for the median.
    """
    from statistics import NormalDist

    normal, p = NormalDist(), percentile / 100
    return float(np.sqrt(p * (1 - p)) / normal.pdf(normal.inv_cdf(p)))


def _extreme(
    values: np.ndarray, variance: np.ndarray | None, statistic: Statistic, coverage: np.ndarray
) -> tuple[np.ndarray, np.ndarray | float, np.ndarray]:
    flat = values.reshape(len(values), -1)
    sign = 1.0 if statistic == "min" else -1.0
    filled = np.where(np.isnan(flat), np.inf, sign * flat)
    place = filled.argmin(axis=1)
    rows = np.arange(len(flat))
    error = np.sqrt(variance.reshape(len(values), -1)[rows, place]) if variance is not None else np.nan
    return flat[rows, place], error, coverage


class LiveSum:
    """The sum (or mean) over a region of a cube's copy that is kept up while the region moves.

    Only spaxels whose weight changed are read. Sums are kept in float64; `worn` says when rounding may be seen in
    them, and `clear` begins anew. A move that is given up on the way leaves a sum that later moves go on from.
    """

    ANEW = 200
    LOST = 1e-9

    def __init__(self, store: SpectralStore) -> None:
        self.store = self._store = store
        self._weights = np.zeros(store.shape[1:])
        self.clear()

    def clear(self) -> None:
        """Begin with no spaxel."""
        n = self._store.shape[0]
        self._steps = 0
        self._weights[:] = 0.0
        self._total, self._share, self._peak = np.zeros(n), np.zeros(n), np.zeros(n)

    @property
    def worn(self) -> bool:
        """Whether so much was added and taken away that what is left may be rounding."""
        return self._steps >= self.ANEW or bool((np.abs(self._total) < self.LOST * self._peak).any())

    def move_to(self, spaxels: Spaxels, check: Callable[..., None] = silent, most: int = 0) -> None:
        """Take the region as it is now.

        Parameters
        ----------
        check : callable
            Called after each part of ``most`` values; may raise `Cancelled`, and another move then goes on from there.
        """
        from jviz.backend.cubes import kernels

        wanted = self._wanted(spaxels)
        if np.count_nonzero(wanted - self._weights) > np.count_nonzero(wanted):
            self.clear()
        rows, columns = np.nonzero(wanted - self._weights)
        step = max(1, most // self._store.shape[0]) if most else max(1, len(rows))
        for first in range(0, len(rows), step):
            there = rows[first : first + step], columns[first : first + step]
            if most:
                self._ask_for(*there)
            change = wanted[there] - self._weights[there]
            kernels.add_spectra(self._store.spectra, *there, change, self._total, self._share)
            self._weights[there] = wanted[there]
            check(first + step, len(rows), "adding up spaxels")
        np.maximum(self._peak, np.abs(self._total), out=self._peak)
        self._steps += 1

    def _wanted(self, spaxels: Spaxels) -> np.ndarray:
        spaxels = spaxels.within(self._store.shape[1:])
        wanted = np.zeros_like(self._weights)
        wanted[spaxels.rows, spaxels.columns] = spaxels.weights
        return wanted

    def _ask_for(self, rows: np.ndarray, columns: np.ndarray) -> None:
        for row, part in _runs(rows, columns):
            will_need(self._store.spectra[row, part])

    def expect(self, spaxels: Spaxels) -> None:
        """Have the system read what a region that may come next needs, without waiting for it."""
        self._ask_for(*np.nonzero((self._wanted(spaxels) > 0) & (self._weights == 0)))

    def is_warm_for(self, spaxels: Spaxels) -> bool:
        """Whether what `move_to` would read is in memory, so that the disk is not waited for."""
        changed = np.nonzero(self._wanted(spaxels) - self._weights)
        return all(in_memory(self._store.spectra[row, part]) for row, part in _runs(*changed))

    def changes(self, spaxels: Spaxels) -> int:
        """Return how many spectra `move_to` would read."""
        wanted = self._wanted(spaxels)
        return min(np.count_nonzero(wanted), np.count_nonzero(wanted - self._weights))

    @property
    def coverage(self) -> np.ndarray:
        """Sum of the weights of the spaxels that have a value, shape (n_channels,)."""
        return np.where(self._share > 1e-9, self._share, 0.0)

    def spectrum(self, statistic: Literal["sum", "mean"] = "sum") -> np.ndarray:
        """Return the present sum or mean, shape (n_channels,); NaN where no spaxel has a value."""
        # Differences of weights leave dust of rounding where nothing is left.
        there = self._share > 1e-9
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(there, self._total / (self._share if statistic == "mean" else 1.0), np.nan)


def _runs(rows: np.ndarray, columns: np.ndarray) -> Iterator[tuple[int, slice]]:
    """Yield row and columns of spaxels that lie side by side; given row by row."""
    if not len(rows):
        return
    breaks = np.flatnonzero((np.diff(rows) != 0) | (np.diff(columns) != 1))
    firsts, lasts = np.append(0, breaks + 1), np.append(breaks, len(rows) - 1)
    for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True):
        yield int(rows[first]), slice(int(columns[first]), int(columns[last]) + 1)
