"""Straight lines through channels beside a line, and peaks along the spectral axis, of every pixel of a cube."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from jviz.backend.cubes.source import PIECE, CubeSource
from jviz.backend.progress import Progress, silent

__all__ = ["Continuum", "Peaks", "line_of", "peaks_of"]

ReadVariance = Callable[[slice, slice, slice], np.ndarray]


@dataclass(frozen=True, eq=False)
class Continuum:
    """A straight line level + slope · x of every pixel.

    Attributes
    ----------
    level, slope : ndarray, shape (rows, columns)
        NaN where no channel has a value; a slope of 0 where they lie at one x.
    spread : tuple of three ndarray or None
        Variance of the level, covariance of both, variance of the slope, for independent channels.
    """

    level: np.ndarray
    slope: np.ndarray
    spread: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None

    def at(self, x: np.ndarray) -> np.ndarray:
        """Return the line at some x, shape (len(x), rows, columns)."""
        return self.level + self.slope * x[:, None, None]


def line_of(
    source: CubeSource,
    x: np.ndarray,
    channels: np.ndarray,
    *,
    variance: ReadVariance | None = None,
    progress: Progress = silent,
) -> Continuum:
    """Fit level + slope · x through channels of each pixel by least squares; missing values are left out.

    Parameters
    ----------
    x : ndarray, shape (n_channels,)
    channels : ndarray of bool, shape (n_channels,)
    variance : callable, optional
        From which the errors of the line are propagated; all channels weigh the same whatever theirs are.
    """
    _, ny, nx = source.shape
    n, sx, sxx, sf, sfx, *noise = np.zeros((8, ny, nx))
    # Scaled, so that squares of frequencies in Hz keep their digits.
    unit = float(np.abs(x).max()) or 1.0
    for number in np.flatnonzero(channels).tolist():
        progress(number, len(channels), "fitting the continuum")
        where = (slice(number, number + 1), slice(None), slice(None))
        values = source.read(*where, dtype=np.dtype(np.float64))[0]
        good, at = np.isfinite(values), x[number] / unit
        values = np.where(good, values, 0.0)
        n += good
        sx += good * at
        sxx += good * at**2
        sf += values
        sfx += values * at
        if variance is not None:
            own = np.where(good, variance(*where)[0], 0.0)
            for power in range(3):
                noise[power] += own * at**power
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = n * sxx - sx**2
        tilted = spread > 1e-12 * np.maximum(n * sxx, 1e-300)
        # The level is Σ a f and the slope Σ b f with a = a0 + a1 x, b = b0 + b1 x.
        b = np.where(tilted, [-sx, n], 0.0) / np.where(tilted, spread, 1.0)
        a = np.array([1 / n, np.zeros_like(n)]) - (sx / n) * b
        slope = b[0] * sf + b[1] * sfx
        level = a[0] * sf + a[1] * sfx
        known = n > 0
        errors = None if variance is None else (
            _product(a, a, noise), _product(a, b, noise) / unit, _product(b, b, noise) / unit**2
        )  # fmt: skip
    return Continuum(np.where(known, level, np.nan), np.where(known, slope / unit, np.nan), errors)


def _product(a: np.ndarray, b: np.ndarray, noise: list[np.ndarray]) -> np.ndarray:
    """Return Σ (a0 + a1 x) (b0 + b1 x) σ² from the sums of σ², σ² x and σ² x²."""
    return a[0] * b[0] * noise[0] + (a[0] * b[1] + a[1] * b[0]) * noise[1] + a[1] * b[1] * noise[2]


@dataclass(frozen=True, eq=False)
class Peaks:
    """The greatest value along the spectral axis of every pixel; arrays of shape (rows, columns), NaN for none.

    Attributes
    ----------
    value, value_error : ndarray
        Of the greatest channel; the error is None without variances.
    channel, channel_error : ndarray
        Where the parabola through the greatest value and its two neighbours has its top; where one of these is
        missing the number of the channel, with the error 1 ∕ √12 of a place somewhere within it.
    """

    value: np.ndarray
    channel: np.ndarray
    value_error: np.ndarray | None = None
    channel_error: np.ndarray | None = None


def peaks_of(
    source: CubeSource,
    channels: np.ndarray,
    *,
    variance: ReadVariance | None = None,
    progress: Progress = silent,
) -> Peaks:
    """Find the greatest value along the spectral axis, and its channel with its fraction, of each pixel.

    Parameters
    ----------
    channels : ndarray of bool, shape (n_channels,)
    variance : callable, optional
        For errors, to first order and of independent channels.
    """
    _, ny, nx = source.shape
    inside = np.flatnonzero(channels)
    first, last = int(inside[0]), int(inside[-1]) + 1
    low, high = max(0, first - 1), min(source.shape[0], last + 1)
    found = np.full((4, ny, nx), np.nan)
    step = max(1, PIECE // ((last - first + 2) * nx))
    for row in range(0, ny, step):
        progress(row, ny, "looking for peaks")
        rows = slice(row, min(row + step, ny))
        part = source.read(slice(low, high), rows, dtype=np.dtype(np.float64))
        noise = None if variance is None else variance(slice(low, high), rows, slice(None))
        found[:, rows] = _tops(part, noise, channels[low:high])
        found[1, rows] += low
    value, place, *errors = found
    return Peaks(value, place, *(errors if variance is not None else ()))


def _tops(part: np.ndarray, noise: np.ndarray | None, channels: np.ndarray) -> np.ndarray:
    """Return value, place, and the errors of both, of the top of each spectrum; shape (4, rows, columns)."""
    wanted = np.where(np.isfinite(part) & channels[:, None, None], part, -np.inf)
    best = wanted.argmax(axis=0)
    before, there, after = (_around(part, best, k) for k in (-1, 0, 1))
    known = np.isfinite(_around(wanted, best, 0))
    with np.errstate(invalid="ignore", divide="ignore"):
        curve = before - 2 * there + after
        shift = 0.5 * (before - after) / curve
        inner = (best > 0) & (best < len(part) - 1) & np.isfinite(shift) & (np.abs(shift) <= 0.5)
        place = best + np.where(inner, shift, 0.0)
        made = [np.where(known, there, np.nan), np.where(known, place, np.nan), np.nan * there, np.nan * there]
        if noise is not None:
            left, own, right = (_around(noise, best, k) for k in (-1, 0, 1))
            spread = ((0.5 - shift) ** 2 * left + (2 * shift) ** 2 * own + (0.5 + shift) ** 2 * right) / curve**2
            made[2] = np.where(known, np.sqrt(own), np.nan)
            made[3] = np.where(known, np.where(inner, np.sqrt(spread), np.sqrt(1 / 12)), np.nan)
    return np.stack(made)


def _around(part: np.ndarray, best: np.ndarray, by: int) -> np.ndarray:
    return np.take_along_axis(part, np.clip(best + by, 0, len(part) - 1)[None], 0)[0]
