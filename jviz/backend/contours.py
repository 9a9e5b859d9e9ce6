"""Lines of equal value of an image: which levels, and where they run."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from jviz.backend.progress import Progress, silent

__all__ = ["Area", "Contours", "Side", "Spacing", "areas", "levels_between", "smoothed", "trace"]

Spacing = Literal["linear", "sqrt", "log", "sigma"]

Side = Literal["above", "below"]

SIGMAS = (3.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0)


@dataclass(frozen=True, eq=False)
class Contours:
    """Lines of several levels, packed.

    Attributes
    ----------
    points : ndarray of float64, shape (n, 2)
        Places (x, y) in data pixels.
    starts : ndarray of int, shape (lines + 1,)
        Where each line begins in ``points``; the last is n.
    levels : ndarray of float64, shape (lines,)
        The level of each line.
    """

    points: np.ndarray
    starts: np.ndarray
    levels: np.ndarray

    def __len__(self) -> int:
        return len(self.levels)


def levels_between(low: float, high: float, n: int, spacing: Spacing, sample: np.ndarray) -> tuple[float, ...]:
    """Choose n levels.

    Parameters
    ----------
    low, high : float
        The first and the last level.
    spacing : str
        Equal steps of the value, of its square root (from ``low``), or of its logarithm (both must be above 0);
        or, with ``sigma``, the background plus 3, 5, 10 … times its scatter, whatever ``low`` and ``high`` are.
    sample : ndarray
        Values of the image, for ``sigma``: its median and its scatter (1.4826 times the median deviation).

    Raises
    ------
    ValueError
        When there are no such levels; the text says why.
    """
    if spacing == "sigma":
        middle, scatter = noise_of(sample)
        if not np.isfinite(middle):
            raise ValueError("the image has no values")
        if scatter == 0:
            raise ValueError("most of the image has one value, so its scatter is 0; give levels by hand")
        return tuple(middle + k * scatter for k in SIGMAS[:n])
    if not low < high:
        raise ValueError(f"the lowest level {low:g} must be below the highest, {high:g}")
    if spacing == "log":
        if low <= 0:
            raise ValueError(f"logarithmic levels need a lowest level above 0, not {low:g}")
        return tuple(np.geomspace(low, high, n).tolist())
    steps = np.linspace(0, 1, n) ** (2 if spacing == "sqrt" else 1)
    return tuple((low + (high - low) * steps).tolist())


def noise_of(sample: np.ndarray) -> tuple[float, float]:
    """Return the median of values and their scatter, 1.4826 times the median deviation; NaN where there are none."""
    finite = sample[np.isfinite(sample)]
    if not len(finite):
        return float("nan"), float("nan")
    middle = float(np.median(finite))
    return middle, 1.4826 * float(np.median(np.abs(finite - middle)))


def smoothed(values: np.ndarray, sigma: float) -> np.ndarray:
    """Smooth by a Gaussian of ``sigma`` samples; missing values take no part and stay missing."""
    if sigma <= 0:
        return values
    from scipy.ndimage import gaussian_filter

    good = np.isfinite(values)
    total = gaussian_filter(np.where(good, values, 0.0).astype(np.float32), sigma)
    share = gaussian_filter(good.astype(np.float32), sigma)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(good, total / share, np.nan)


def trace(
    values: np.ndarray,
    levels: tuple[float, ...],
    *,
    origin: tuple[float, float] = (0.0, 0.0),
    step: float = 1.0,
    progress: Progress = silent,
) -> Contours:
    """Trace the lines of some levels; they end where values are missing.

    Parameters
    ----------
    values : ndarray, shape (rows, columns)
    origin : (float, float)
        Data pixel (x, y) of the first sample.
    step : float
        Data pixels per sample.
    """
    from contourpy import LineType, contour_generator

    rows, columns = values.shape
    x, y = origin[0] + step * np.arange(columns), origin[1] + step * np.arange(rows)
    z = np.ma.masked_invalid(values.astype(np.float64))
    generator = contour_generator(x, y, z, name="serial", line_type=LineType.ChunkCombinedOffset)
    points, starts, owners, total = [], [], [], 0
    for number, level in enumerate(levels):
        progress(number, len(levels), "tracing contours")
        (found,), (offsets,) = generator.lines(level)
        if found is None:
            continue
        points.append(found)
        starts.append(offsets[:-1].astype(np.int64) + total)
        owners.append(np.full(len(offsets) - 1, level))
        total += len(found)
    if not points:
        return Contours(np.zeros((0, 2)), np.zeros(1, np.int64), np.zeros(0))
    return Contours(np.concatenate(points), np.append(np.concatenate(starts), total), np.concatenate(owners))


@dataclass(frozen=True, eq=False)
class Area:
    """Where an image is above a level, or below it, in one piece.

    Attributes
    ----------
    edge : ndarray of float64, shape (n, 2)
        The outer edge (x, y) in data pixels, without the first point again.
    holes : tuple of ndarray
        The edges of holes in it.
    """

    edge: np.ndarray
    holes: tuple[np.ndarray, ...]

    @property
    def size(self) -> float:
        """Area in pixels, without the holes."""
        return _polygon_area(self.edge) - sum(map(_polygon_area, self.holes))

    def largest_holes(self, most: int, least: float) -> list[np.ndarray]:
        """Return the largest holes, at most so many and none below an area in pixels."""
        sizes = sorted(((_polygon_area(hole), k) for k, hole in enumerate(self.holes)), reverse=True)
        return [self.holes[k] for size, k in sizes[:most] if size >= least]


def areas(
    values: np.ndarray,
    level: float,
    side: Side = "above",
    *,
    origin: tuple[float, float] = (0.0, 0.0),
    step: float = 1.0,
) -> list[Area]:
    """Return the connected areas within the contours of a level, the largest first.

    Parameters
    ----------
    values : ndarray, shape (rows, columns)
        Missing values bound areas as the edges of the image do.
    origin, step
        As of `trace`.
    """
    from contourpy import FillType, contour_generator

    rows, columns = values.shape
    x, y = origin[0] + step * np.arange(columns), origin[1] + step * np.arange(rows)
    z = np.ma.masked_invalid(values.astype(np.float64))
    generator = contour_generator(x, y, z, name="serial", fill_type=FillType.OuterOffset)
    between = (level, np.inf) if side == "above" else (-np.inf, level)
    found = []
    for points, offsets in zip(*generator.filled(*between), strict=True):
        edge, *holes = (points[a : b - 1] for a, b in pairwise(offsets.astype(int)))
        found.append(Area(edge, tuple(holes)))
    return sorted(found, key=lambda area: -area.size)


def _polygon_area(points: np.ndarray) -> float:
    x, y = points.T
    return 0.5 * abs(float(np.roll(x, 1) @ y - np.roll(y, 1) @ x))
