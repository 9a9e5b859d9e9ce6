"""Sums and skies of many places of one image, read in bands of rows so that memory stays bounded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from jviz.backend.progress import Progress, silent

__all__ = ["KINDS", "Block", "Read", "Skies", "Statistic", "Sums", "add_weighted", "skies_in_rings", "sums_in_circles"]

KINDS = {"": 0, "error": 1, "variance": 2, "inverse variance": 3}
"""What the plane of errors of a `Block` may hold, as the kernels count them."""

Statistic = Literal["median", "mean", "mode"]

FACTORS = {"mean": 1.0, "median": float(np.sqrt(np.pi / 2)), "mode": float(np.sqrt(9 * np.pi / 2 - 8))}
"""Error of an estimate of the sky over that of the mean of as many Gaussian values.

The mode is 3 × median − 2 × mean; median and mean share the variance of the mean, σ²/n."""

BAND = 1024
"""Rows of the places that are measured at once."""


@dataclass(frozen=True)
class Block:
    """A part of an image.

    Attributes
    ----------
    values : ndarray of float32 or float64, shape (ny, nx)
    sigma : ndarray or None
        Errors, variances or inverse variances.
    flags : ndarray of uint32 or None
    """

    values: np.ndarray
    sigma: np.ndarray | None = None
    flags: np.ndarray | None = None


Read = Callable[[slice, slice], Block]
"""``read(rows, columns)`` returns a part of the image."""


@dataclass(frozen=True)
class Sums:
    """What lies in n circles (or other shapes) of m sizes; arrays of shape (n, m).

    Attributes
    ----------
    area : ndarray
        Of the shape, as far as it lies on the image, in pixels.
    used : ndarray
        Of the pixels that are finite and not excluded.
    sum, variance : ndarray
        Σ w v and Σ w² σ² over these.
    squares, squared_light : ndarray
        Σ w² and Σ w² v.
    n_masked, n_saturated : ndarray of int
        Pixels that touch the shape.
    """

    area: np.ndarray
    used: np.ndarray
    sum: np.ndarray
    variance: np.ndarray
    squares: np.ndarray
    squared_light: np.ndarray
    n_masked: np.ndarray
    n_saturated: np.ndarray

    @classmethod
    def of(cls, found: np.ndarray) -> Sums:
        """Take the columns that the kernel fills, shape (n, m, 8)."""
        columns = np.moveaxis(found, -1, 0)
        return cls(*columns[:6], *columns[6:].astype(int))


@dataclass(frozen=True)
class Skies:
    """The sky at n places: level and its error, scatter of the pixels, number of pixels."""

    level: np.ndarray
    error: np.ndarray
    scatter: np.ndarray
    n: np.ndarray


def sums_in_circles(
    read: Read,
    shape: tuple[int, int],
    x: np.ndarray,
    y: np.ndarray,
    radii: np.ndarray,
    *,
    kind: str = "",
    exclude: int = 0,
    saturated: int = 0,
    progress: Progress = silent,
) -> Sums:
    """Add up an image in circles with the exact overlap of circles and pixels.

    Parameters
    ----------
    read : callable
    shape : (int, int)
        Of the image.
    x, y : ndarray, shape (n,)
        Centres in pixels.
    radii : ndarray, shape (m,)
        In pixels.
    kind : str
        What ``Block.sigma`` holds: a key of `KINDS`.
    exclude, saturated : int
        Bits of flags whose pixels are not used, and those that are counted as saturated.
    """
    from jviz.backend.photometry import kernels

    order = np.argsort(radii)
    ascending = np.ascontiguousarray(np.asarray(radii, float)[order])
    found = np.zeros((len(x), len(ascending), kernels.COLUMNS))
    for rows, block, px, py in _bands(read, shape, x, y, float(ascending[-1]), progress):
        out = np.zeros((len(rows), *found.shape[1:]))
        kernels.circle_sums(*_planes(block, kind), (exclude, saturated), px, py, ascending, out)
        found[rows] = out
    back = np.empty_like(found)
    back[:, order] = found
    return Sums.of(back)


def skies_in_rings(
    read: Read,
    shape: tuple[int, int],
    x: np.ndarray,
    y: np.ndarray,
    ring: tuple[float, float],
    *,
    statistic: Statistic = "median",
    clip: float = 3.0,
    exclude: int = 0,
    progress: Progress = silent,
) -> Skies:
    """Estimate the sky in rings, from values clipped again and again.

    Parameters
    ----------
    ring : (float, float)
        Radii in pixels; pixels whose centres lie between them count.
    statistic : {"median", "mean", "mode"}
        The mode is 3 × median − 2 × mean.
    clip : float
        Standard deviations from the median; 0: all values count.
    """
    from jviz.backend.photometry import kernels

    found = np.full((len(x), 4), np.nan)
    for rows, block, px, py in _bands(read, shape, x, y, ring[1], progress):
        out = np.full((len(rows), 4), np.nan)
        kernels.ring_skies(block.values, _flags(block), exclude, px, py, ring, float(clip), out)
        found[rows] = out
    return skies_of(*found.T, statistic)


def skies_of(median: Any, mean: Any, scatter: Any, n: Any, statistic: Statistic) -> Skies:
    """Return the sky and its error from the numbers of the pixels."""
    level = {"median": median, "mean": mean, "mode": 3 * np.asarray(median) - 2 * np.asarray(mean)}[statistic]
    count = np.nan_to_num(n)
    with np.errstate(divide="ignore", invalid="ignore"):
        error = FACTORS[statistic] * np.asarray(scatter) / np.sqrt(count)
    return Skies(*(np.asarray(v, float) for v in (level, error, scatter)), count.astype(int))


def _bands(
    read: Read, shape: tuple[int, int], x: np.ndarray, y: np.ndarray, reach: float, progress: Progress
) -> Iterator[tuple[np.ndarray, Block, np.ndarray, np.ndarray]]:
    """Yield which places lie in a band, the pixels round them, and the places in pixels of that part."""
    near = np.isfinite(x) & np.isfinite(y)
    near &= (x > -0.5 - reach) & (y > -0.5 - reach) & (x < shape[1] - 0.5 + reach) & (y < shape[0] - 0.5 + reach)
    numbers = np.flatnonzero(near)
    # by tiles, in which neighbours in time are neighbours in memory
    numbers = numbers[np.lexsort((x[numbers], y[numbers] // 64))]
    band = np.floor(y[numbers] / BAND)
    for start in np.unique(band):
        rows = numbers[band == start]
        progress(int(rows.size and np.searchsorted(band, start)), len(numbers), "measuring")
        low, high = _part(y[rows], reach, shape[0])
        left, right = _part(x[rows], reach, shape[1])
        if high > low and right > left:
            block = read(slice(low, high), slice(left, right))
            yield rows, block, x[rows] - left, y[rows] - low


def _part(places: np.ndarray, reach: float, n: int) -> tuple[int, int]:
    first, last = np.floor(places.min() - reach), np.ceil(places.max() + reach) + 1
    return int(np.clip(first, 0, n)), int(np.clip(last, 0, n))


def add_weighted(
    block: Block, kind: str, exclude: int, saturated: int, weights: np.ndarray, out: np.ndarray
) -> None:
    """Add up a part of an image by weights of its pixels; see `kernels.weighted_sums`."""
    from jviz.backend.photometry import kernels

    weights = np.asarray(weights, np.float32)
    kernels.weighted_sums(*_planes(block, kind), (exclude, saturated), weights, out)


def _planes(block: Block, kind: str) -> tuple[np.ndarray, np.ndarray, int, np.ndarray]:
    """Return values, errors, what these are, and flags, as the kernels take them."""
    code = KINDS[kind] if block.sigma is not None else 0
    return block.values, _like(block.sigma, block.values), code, _flags(block)


def _like(plane: np.ndarray | None, values: np.ndarray) -> np.ndarray:
    return np.zeros((0, 0), values.dtype) if plane is None else np.asarray(plane, values.dtype)


def _flags(block: Block) -> np.ndarray:
    return np.zeros((0, 0), np.uint32) if block.flags is None else block.flags
