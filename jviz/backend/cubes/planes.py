"""Statistics of every channel of a cube, in one pass over its file."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jviz.backend.cubes.source import CubeSource
from jviz.backend.progress import Progress, silent

__all__ = ["PlaneStatistics", "plane_statistics"]

PART = 1 << 22
"""Values read at a time."""


@dataclass(frozen=True, eq=False)
class PlaneStatistics:
    """What one pass tells of each channel; arrays of shape (n_channels,), NaN where nothing is finite.

    Attributes
    ----------
    number : ndarray of int
        Finite values.
    mean, std, least, greatest : ndarray of float64
        The standard deviation is that of the values about their mean (divided by their number).
    """

    number: np.ndarray
    mean: np.ndarray
    std: np.ndarray
    least: np.ndarray
    greatest: np.ndarray

    @property
    def whole(self) -> tuple[int, float, float, float, float]:
        """Number, mean, standard deviation, least and greatest value of the whole cube."""
        there = self.number > 0
        n, mean = self.number[there].astype(float), self.mean[there]
        total = n.sum()
        if not total:
            return 0, np.nan, np.nan, np.nan, np.nan
        middle = (n * mean).sum() / total
        spread = (n * (self.std[there] ** 2 + (mean - middle) ** 2)).sum() / total
        return int(total), middle, float(np.sqrt(spread)), self.least[there].min(), self.greatest[there].max()


def plane_statistics(source: CubeSource, progress: Progress = silent) -> PlaneStatistics:
    """Work out number, mean, standard deviation and extremes of every channel, reading each value once.

    Parts of a plane are joined by the formulae of Chan, Golub & LeVeque (1983, The American Statistician 37, 242), so
    that no digits are lost where the scatter is small beside the level.
    """
    from jviz.backend.cubes import kernels

    n, ny, nx = source.shape
    found = np.zeros((5, n))
    found[3], found[4] = np.inf, -np.inf
    if source.has_whole_planes or source.plane.shape[0] == n:
        step = max(1, PART // (ny * nx))
        parts = [(slice(k, min(k + step, n)), slice(None)) for k in range(0, n, step)]
    else:  # channels do not come first in the file: whole rows of it
        step = max(1, PART // (n * nx))
        parts = [(slice(None), slice(k, min(k + step, ny))) for k in range(0, ny, step)]
    for number, (channels, rows) in enumerate(parts):
        progress(number, len(parts), "statistics of planes")
        kernels.plane_moments(source.read(channels, rows, dtype=source.dtype), found[:, channels])
    count, mean, squares, least, greatest = found
    with np.errstate(invalid="ignore", divide="ignore"):
        empty = np.where(count > 0, 0.0, np.nan)
        return PlaneStatistics(
            count.astype(np.int64), mean + empty, np.sqrt(squares / count), least + empty, greatest + empty
        )
