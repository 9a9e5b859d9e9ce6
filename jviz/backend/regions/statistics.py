"""The numbers of the pixels in a region, each weighed by the part of it that is inside."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from jviz.backend.regions.masks import Weights

__all__ = ["Numbers", "interpolated_areas", "numbers_of"]

CLIP, ROUNDS = 3.0, 5
"""Sigma-clipping: pixels farther than so many standard deviations from the median, so many times."""


@dataclass(frozen=True)
class Numbers:
    """What there is to say about the pixels of a region; NaN where there are none.

    Attributes
    ----------
    n_pixels : int
        Pixels that are used (finite and not flagged) whose centre is in the region; of a region so
        small that it has no centre, and of lines, those that it touches.
    n_excluded, n_flagged, n_nan : int
        Pixels counted in the same way that are not used; of these, flagged ones, and NaN that are not flagged.
    area : float
        Of the parts of pixels used, in the unit of the areas given.
    sum, sum_err : float
        Weighted sum, and the root of the sum of (weight × error)².
    mean, median, std : float
        Weighted by the parts of the pixels, as is the sum; the standard deviation of the pixels, not of the mean.
    clipped_mean, clipped_median, clipped_std : float
        The same without pixels farther than 3 σ from the median, five times.
    min, max : float
        Of the pixels that are counted.
    centroid_x, centroid_y : float
        Weighted by the values, in pixels of the image.
    semimajor, semiminor, orientation : float
        Root of the second central moments along their axes, in pixels, and the angle of the
        major one from +x counter-clockwise, in degrees.
    flux, flux_err : float
        Sum of value × weight × area of the pixel.
    """

    n_pixels: int = 0
    n_excluded: int = 0
    n_flagged: int = 0
    n_nan: int = 0
    area: float = 0.0
    sum: float = np.nan
    sum_err: float = np.nan
    mean: float = np.nan
    median: float = np.nan
    std: float = np.nan
    clipped_mean: float = np.nan
    clipped_median: float = np.nan
    clipped_std: float = np.nan
    min: float = np.nan
    max: float = np.nan
    centroid_x: float = np.nan
    centroid_y: float = np.nan
    semimajor: float = np.nan
    semiminor: float = np.nan
    orientation: float = np.nan
    flux: float = np.nan
    flux_err: float = np.nan

    @classmethod
    def names(cls) -> list[str]:
        """Names of the numbers, in order."""
        return [f.name for f in fields(cls)]


def numbers_of(
    weights: Weights,
    values: np.ndarray,
    *,
    errors: np.ndarray | None = None,
    flagged: np.ndarray | None = None,
    areas: np.ndarray | float = 1.0,
) -> Numbers:
    """Measure the pixels of a box.

    Parameters
    ----------
    weights : Weights
    values, errors : ndarray
        Of the pixels of the box, 1-σ errors.
    flagged : ndarray of bool
        Pixels not to be used.
    areas : ndarray or float
        Area of each pixel.
    """
    within = weights.values > 0
    if not within.any():
        return Numbers()
    bad = np.zeros(within.shape, bool) if flagged is None else flagged
    finite = np.isfinite(values)
    use = within & finite & ~bad
    counted = weights.counted
    counts = {
        "n_pixels": int((use & counted).sum()),
        "n_excluded": int((counted & ~use).sum()),
        "n_flagged": int((counted & bad).sum()),
        "n_nan": int((counted & ~bad & ~finite).sum()),
    }
    if not use.any():
        return Numbers(**counts)
    v, w = values[use].astype(float), weights.values[use].astype(float)
    area = np.broadcast_to(areas, within.shape)[use]
    rows, columns = np.nonzero(use)
    e = errors[use].astype(float) if errors is not None else np.full(v.shape, np.nan)
    return Numbers(
        **counts,
        area=float(w @ area),
        sum=float(w @ v),
        sum_err=_root(w * e),
        **_ordered(v, w),
        **_extremes(values[use & counted] if counts["n_pixels"] else v),
        **_moments(v, w, columns + weights.slices[1].start, rows + weights.slices[0].start),
        flux=float(w @ (v * area)),
        flux_err=_root(w * e * area),
    )


def _extremes(values: np.ndarray) -> dict[str, float]:
    return {"min": float(values.min()), "max": float(values.max())}


def _root(terms: np.ndarray) -> float:
    return float(np.sqrt(terms @ terms))


def _ordered(v: np.ndarray, w: np.ndarray) -> dict[str, float]:
    """Return mean, median and deviation, clipped and not, from one sort and sums along it."""
    order = np.argsort(v)
    v, w = v[order], w[order]
    # the median as origin: sums of squares of large numbers would lose the small deviations
    origin = v[len(v) // 2]
    near = v - origin
    sums = np.zeros((3, len(v) + 1))
    np.cumsum([w, w * near, w * near * near], axis=1, out=sums[:, 1:])
    first, last = 0, len(v)
    mean, median, std = _of_part(near, sums, first, last)
    clipped = mean, median, std
    for _ in range(ROUNDS):
        _, middle, deviation = clipped
        low = int(np.searchsorted(near, middle - CLIP * deviation, "left"))
        high = int(np.searchsorted(near, middle + CLIP * deviation, "right"))
        low, high = max(first, low), min(last, high)
        if (low, high) == (first, last) or high <= low:
            break
        first, last = low, high
        clipped = _of_part(near, sums, first, last)
    return {
        "mean": float(origin + mean),
        "median": float(origin + median),
        "std": std,
        "clipped_mean": float(origin + clipped[0]),
        "clipped_median": float(origin + clipped[1]),
        "clipped_std": clipped[2],
    }


def _of_part(v: np.ndarray, sums: np.ndarray, first: int, last: int) -> tuple[float, float, float]:
    """Return weighted mean, median and deviation of the sorted values from ``first`` to ``last``."""
    total, linear, square = sums[:, last] - sums[:, first]
    mean = linear / total
    # the value at which half of the weight lies below; halfway between two when it lies exactly between them
    half = sums[0, first] + total / 2
    step = 1e-9 * total
    low = int(np.searchsorted(sums[0, first + 1 : last + 1], half - step)) + first
    high = int(np.searchsorted(sums[0, first + 1 : last + 1], half + step)) + first
    median = 0.5 * (v[min(low, last - 1)] + v[min(high, last - 1)])
    return float(mean), float(median), float(np.sqrt(max(square / total - mean * mean, 0.0)))


def _moments(v: np.ndarray, w: np.ndarray, x: np.ndarray, y: np.ndarray) -> dict[str, float]:
    light = v * w
    total = light.sum()
    if not total > 0:
        return {}
    cx, cy = float(light @ x / total), float(light @ y / total)
    dx, dy = x - cx, y - cy
    xx, yy, xy = ((light @ (a * b)) / total for a, b in ((dx, dx), (dy, dy), (dx, dy)))
    middle, spread = (xx + yy) / 2, np.hypot((xx - yy) / 2, xy)
    major, minor = middle + spread, middle - spread
    return {
        "centroid_x": cx,
        "centroid_y": cy,
        "semimajor": float(np.sqrt(major)) if major >= 0 else np.nan,
        "semiminor": float(np.sqrt(minor)) if minor >= 0 else (0.0 if minor > -1e-9 else np.nan),
        "orientation": float(np.degrees(0.5 * np.arctan2(2 * xy, xx - yy))),
    }


def interpolated_areas(nodes: np.ndarray, step: int, box: Any) -> np.ndarray:
    """Return areas of the pixels of a box from those at every ``step``-th pixel, linearly.

    Parameters
    ----------
    nodes : ndarray, shape (ny, nx)
        Areas at pixels (i × step, j × step).
    """
    rows, columns = (np.arange(part.start, part.stop) / step for part in box)
    i = np.minimum(rows.astype(int), nodes.shape[0] - 2)
    j = np.minimum(columns.astype(int), nodes.shape[1] - 2)
    down, right = (rows - i)[:, None], (columns - j)[None, :]
    a, b, c, d = (nodes[np.ix_(i + k, j + m)] for k, m in ((0, 0), (0, 1), (1, 0), (1, 1)))
    return a * (1 - down) * (1 - right) + b * (1 - down) * right + c * down * (1 - right) + d * down * right
