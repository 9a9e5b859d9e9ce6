"""Bins of spaxels with about the same signal-to-noise: accretion, then a weighted Voronoi tessellation.

Cappellari & Copin (2003, MNRAS 342, 345) grow bins from the brightest spaxel on; Diehl & Statler (2006, MNRAS 368, 497)
then make them round by assigning each spaxel to the generator that is nearest in units of the bin's own size.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from jviz.backend.cubes.maps import ReadVariance
from jviz.backend.cubes.source import PIECE, CubeSource
from jviz.backend.progress import Progress, silent
from jviz.errors import JvizError

__all__ = ["Bins", "binned_spectra", "bins_of", "signal_and_noise"]

ROUNDS = 60
SETTLED = 5e-4
"""Share of spaxels that may still change their bin at the end."""


@dataclass(frozen=True, eq=False)
class Bins:
    """Which bin each spaxel is in.

    Attributes
    ----------
    number : ndarray of int, shape (rows, columns)
        From 0; -1 outside of all.
    snr : ndarray, shape (n_bins,)
        Signal-to-noise of each.
    count : ndarray of int, shape (n_bins,)
        Spaxels in each.
    """

    number: np.ndarray
    snr: np.ndarray
    count: np.ndarray


def signal_and_noise(
    source: CubeSource, shares: np.ndarray, variance: ReadVariance | None, progress: Progress = silent
) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and typical noise of a channel for every spaxel: Σ f / n, and √(Σ σ² / n).

    Without errors the noise is that of DER_SNR (Stoehr et al. 2008): 1.482602 / √6 times the median of
    \\|2 f(i) − f(i − 2) − f(i + 2)\\|.
    """
    from jviz.backend.spectra.medians import nan_median

    inside = np.flatnonzero(shares >= min(0.5, shares.max(initial=0.0)))
    channels = slice(int(inside[0]), int(inside[-1]) + 1)
    use = np.zeros(channels.stop - channels.start, bool)
    use[inside - channels.start] = True
    _, ny, nx = source.shape
    signal, noise = np.full((ny, nx), np.nan), np.full((ny, nx), np.nan)
    step = max(1, PIECE // (4 * len(use) * nx))
    for row in range(0, ny, step):
        progress(row, ny, "signal and noise")
        where = (channels, slice(row, min(row + step, ny)), slice(None))
        values = source.read(*where, dtype=np.dtype(np.float64))
        values[~use] = np.nan
        good = np.isfinite(values)
        n = good.sum(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            signal[where[1]] = np.where(good, values, 0.0).sum(axis=0) / n
            if variance is not None:
                spread = variance(*where)
                noise[where[1]] = np.sqrt(np.where(good, spread, 0.0).sum(axis=0) / n)
            elif len(use) > 4:
                curved = np.abs(2 * values[2:-2] - values[:-4] - values[4:])
                noise[where[1]] = 1.482602 / np.sqrt(6) * nan_median(curved, axis=0)
    return signal, noise


def bins_of(
    signal: np.ndarray, noise: np.ndarray, target: float, *, minimum: float = 0.0, progress: Progress = silent
) -> Bins:
    """Join spaxels into bins of about a target signal-to-noise, for independent spaxels.

    Parameters
    ----------
    signal, noise : ndarray, shape (rows, columns)
    target : float
    minimum : float
        Spaxels below this signal-to-noise are in no bin.

    Raises
    ------
    JvizError
        When all spaxels together do not reach the target.
    """
    if not (np.isfinite(target) and target > 0):
        raise JvizError(f"The signal-to-noise wanted must be above 0, not {target!r}.")
    with np.errstate(invalid="ignore", divide="ignore"):
        good = np.isfinite(signal) & np.isfinite(noise) & (noise > 0) & (signal / noise >= minimum)
    if not good.any():
        raise JvizError("No spaxel has a signal and a noise to bin by; lower the minimum or choose other channels.")
    whole = signal[good].sum() / np.sqrt((noise[good] ** 2).sum())
    best = float((signal[good] / noise[good]).max())
    if max(whole, best) < target:
        raise JvizError(
            f"All spaxels together have a signal-to-noise of {whole:.3g}, below {target:g}; ask for less, or choose "
            "channels with more signal."
        )
    from jviz.backend.cubes import accretion

    progress(0, 4, "growing bins")
    number = np.full(signal.shape, -1, np.int64)
    s, v = np.where(good, signal, 0.0), np.where(good, noise, 1.0) ** 2
    grown = accretion.grown(s, v, good, float(target), number)
    rows, columns = np.nonzero(good)
    s, v, label = s[good], v[good], number[good]
    places = np.stack([columns, rows], axis=1).astype(float)
    generators = _centres(places, label, grown)
    return _tessellated(places, (s, v), generators, good, progress)


def _centres(places: np.ndarray, label: np.ndarray, n: int) -> np.ndarray:
    inside = label >= 0
    count = np.maximum(np.bincount(label[inside], minlength=n), 1)
    sums = [np.bincount(label[inside], places[inside, k], n) for k in (0, 1)]
    return np.stack(sums, axis=1) / count[:, None]


def _tessellated(
    places: np.ndarray,
    signals: tuple[np.ndarray, np.ndarray],
    generators: np.ndarray,
    good: np.ndarray,
    progress: Progress,
) -> Bins:
    """Move generators to the middles of their bins until these stay, each with a scale √(spaxels ∕ S/N)."""
    from jviz.backend.cubes import tessellation

    s, v = signals
    extent = (float(places[:, 0].max()), float(places[:, 1].max()))
    scale = np.ones(len(generators))
    label = np.zeros(len(places), int)
    for number in range(ROUNDS):
        progress(number, ROUNDS, "rounding bins")
        new = np.empty(len(places), np.int64)
        cells = tessellation.sorted_into_cells(generators, extent)
        tessellation.assign(places, generators, scale, *cells, new)
        # Bins that lost all their spaxels go.
        used = np.bincount(new, minlength=len(generators)) > 0
        new, n = (np.cumsum(used) - 1)[new], int(used.sum())
        count = np.bincount(new, minlength=n)
        snr = np.bincount(new, s, n) / np.sqrt(np.bincount(new, v, n))
        middles = _centres(places, new, n)
        changed = len(new) if n != len(generators) else np.count_nonzero(new != label)
        generators, label = middles, new
        scale = np.sqrt(count / np.maximum(snr, 1e-3 * max(snr.max(), 1e-300)))
        if changed <= SETTLED * len(places):
            break
    whole = np.full(good.shape, -1)
    whole[good] = label
    return Bins(whole, snr, count)


def binned_spectra(
    source: CubeSource,
    bins: Bins,
    variance: ReadVariance | None,
    put: Callable[[slice, np.ndarray, np.ndarray | None], None],
    progress: Progress = silent,
) -> None:
    """Give each spaxel the mean spectrum of its bin, with the error of independent spaxels.

    Parameters
    ----------
    put : callable
        Takes channels, values and variances (or None).
    """
    n, ny, nx = source.shape
    inside = bins.number >= 0
    label, m = bins.number[inside], len(bins.count)
    step = max(1, PIECE // (4 * ny * nx))
    for first in range(0, n, step):
        progress(first, n, "averaging bins")
        where = (slice(first, min(first + step, n)), slice(None), slice(None))
        part = source.read(*where, dtype=np.dtype(np.float64))
        spread = variance(*where) if variance is not None else None
        values, noise = np.full(part.shape, np.nan), None if spread is None else np.full(part.shape, np.nan)
        for k in range(len(part)):
            flat = part[k][inside]
            good = np.isfinite(flat)
            count = np.bincount(label, good, m)
            with np.errstate(invalid="ignore", divide="ignore"):
                values[k][inside] = (np.bincount(label, np.where(good, flat, 0.0), m) / count)[label]
                if noise is not None and spread is not None:
                    own = np.where(good, np.nan_to_num(spread[k][inside]), 0.0)
                    noise[k][inside] = (np.bincount(label, own, m) / count**2)[label]
        put(where[0], values, noise)
