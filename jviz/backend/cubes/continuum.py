"""Straight lines through channels beside a line, and peaks along the spectral axis, of every pixel of a cube."""

from __future__ import annotations

import numpy as np

from jviz.backend.cubes.source import PIECE, CubeSource
from jviz.backend.progress import Progress, silent

__all__ = ["line_of", "peaks_of"]


def line_of(
    source: CubeSource, x: np.ndarray, channels: np.ndarray, progress: Progress = silent
) -> tuple[np.ndarray, np.ndarray]:
    """Fit level + slope · x through channels of each pixel by least squares; missing values are left out.

    Parameters
    ----------
    x : ndarray, shape (n_channels,)
    channels : ndarray of bool, shape (n_channels,)

    Returns
    -------
    level, slope : ndarray, shape (rows, columns)
        NaN where no channel has a value; a slope of 0 where they lie at one x.
    """
    _, ny, nx = source.shape
    n, sx, sxx, sf, sfx = np.zeros((5, ny, nx))
    # Scaled, so that squares of frequencies in Hz keep their digits.
    unit = float(np.abs(x).max()) or 1.0
    for number in np.flatnonzero(channels).tolist():
        progress(number, len(channels), "fitting the continuum")
        values = source.read(slice(number, number + 1), dtype=np.dtype(np.float64))[0]
        good, at = np.isfinite(values), x[number] / unit
        values = np.where(good, values, 0.0)
        n += good
        sx += good * at
        sxx += good * at**2
        sf += values
        sfx += values * at
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = n * sxx - sx**2
        slope = np.where(spread > 1e-12 * np.maximum(n * sxx, 1e-300), (n * sfx - sx * sf) / spread, 0.0)
        level = (sf - slope * sx) / n
    return np.where(n > 0, level, np.nan), np.where(n > 0, slope / unit, np.nan)


def peaks_of(source: CubeSource, channels: np.ndarray, progress: Progress = silent) -> tuple[np.ndarray, np.ndarray]:
    """Find the greatest value along the spectral axis, and its channel with its fraction, of each pixel.

    The fraction is that of the parabola through the greatest value and its two neighbours; none where one of these
    is missing.
    """
    _, ny, nx = source.shape
    inside = np.flatnonzero(channels)
    first, last = int(inside[0]), int(inside[-1]) + 1
    value, place = np.full((ny, nx), np.nan), np.full((ny, nx), np.nan)
    step = max(1, PIECE // ((last - first + 2) * nx))
    low, high = max(0, first - 1), min(source.shape[0], last + 1)
    for row in range(0, ny, step):
        progress(row, ny, "looking for peaks")
        rows = slice(row, min(row + step, ny))
        part = source.read(slice(low, high), rows, dtype=np.dtype(np.float64))
        wanted = np.where(np.isfinite(part) & channels[low:high, None, None], part, -np.inf)
        best = wanted.argmax(axis=0)
        there = np.take_along_axis(wanted, best[None], 0)[0]
        found = np.isfinite(there)
        before, after = (np.take_along_axis(part, np.clip(best + k, 0, len(part) - 1)[None], 0)[0] for k in (-1, 1))
        with np.errstate(invalid="ignore", divide="ignore"):
            shift = 0.5 * (before - after) / (before - 2 * there + after)
        inner = (best > 0) & (best < len(part) - 1) & np.isfinite(shift) & (np.abs(shift) <= 0.5)
        value[rows] = np.where(found, there, np.nan)
        place[rows] = np.where(found, low + best + np.where(inner, shift, 0.0), np.nan)
    return value, place
