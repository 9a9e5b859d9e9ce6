"""Position-velocity diagrams: spectra along a path over a cube, averaged across it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from jviz.backend.cubes.maps import ReadVariance
from jviz.backend.cubes.source import CubeSource
from jviz.backend.profiles import samples_along
from jviz.backend.progress import Progress, silent
from jviz.errors import JvizError

__all__ = ["Path", "along_path", "path_over", "pv_wcs"]

PIECE = 1 << 22
"""Values read at a time."""


@dataclass(frozen=True, eq=False)
class Path:
    """Samples along a path and the weights of the spaxels in each.

    Attributes
    ----------
    x, y : ndarray, shape (n,)
        Spaxels on the middle of the path, about one apart.
    rows, columns : slice
        The box of spaxels that take part.
    weights : scipy.sparse array, shape (n, spaxels of the box)
        Each row has the sum 1 where all of the width lies on the cube.
    """

    x: np.ndarray
    y: np.ndarray
    rows: slice
    columns: slice
    weights: Any


def path_over(corners: np.ndarray, width: float, shape: tuple[int, int]) -> Path:
    """Lay a path over the spaxels, with bilinear weights of samples one spaxel apart along and across it.

    Parameters
    ----------
    corners : ndarray, shape (n, 2)
        (x, y) in spaxels.
    width : float
        Spaxels across the path that are averaged.
    shape : (int, int)
        Rows and columns of the cube.

    Raises
    ------
    JvizError
        When the path has no length, or lies off the cube.
    """
    from scipy.sparse import coo_array

    if not (np.isfinite(width) and width > 0):
        raise JvizError(f"The width of a path must be above 0 spaxels, not {width!r}.")
    try:
        points, across, _ = samples_along(corners)
    except ValueError as error:
        raise JvizError(f"No cut can be made: {error}.") from None
    number = max(1, int(np.ceil(width)))
    offsets = (np.arange(number) - (number - 1) / 2) * (width / number if width > 1 else 1.0)
    x = points[:, 0, None] + offsets * across[:, 0, None]
    y = points[:, 1, None] + offsets * across[:, 1, None]
    box = [
        slice(max(0, int(np.floor(v.min()))), min(size, int(np.floor(v.max())) + 2))
        for v, size in ((y, shape[0]), (x, shape[1]))
    ]
    if any(part.start >= part.stop for part in box):
        raise JvizError("The path does not cross the cube; move it onto the cube.")
    rows, columns = box
    wide = columns.stop - columns.start
    left, low = np.floor(x).astype(int), np.floor(y).astype(int)
    sample = np.broadcast_to(np.arange(len(points))[:, None], x.shape)
    parts: list[list[np.ndarray]] = [[], [], []]
    for down in (0, 1):
        for aside in (0, 1):
            column, row = left + aside, low + down
            share = (1 - np.abs(x - column)) * (1 - np.abs(y - row)) / number
            inside = (column >= 0) & (row >= 0) & (column < shape[1]) & (row < shape[0]) & (share > 0)
            place = (row - rows.start) * wide + column - columns.start
            for kept, array in zip(parts, (share, sample, place), strict=True):
                kept.append(array[inside])
    share, sample, place = (np.concatenate(part) for part in parts)
    size = (rows.stop - rows.start) * wide
    return Path(points[:, 0], points[:, 1], rows, columns, coo_array((share, (sample, place)), (len(x), size)).tocsr())


def along_path(
    source: CubeSource, path: Path, variance: ReadVariance | None = None, progress: Progress = silent
) -> tuple[np.ndarray, np.ndarray | None]:
    """Average a cube along a path.

    Returns
    -------
    values : ndarray, shape (n_channels, n_samples)
        The mean over spaxels with a value; NaN where these are less than half of the width.
    error : ndarray or None
        Of the weights of independent spaxels; neighbouring samples share spaxels.
    """
    weights = path.weights
    used = np.flatnonzero(np.bincount(weights.indices, minlength=weights.shape[1]))
    weights = weights[:, used]
    squares, n = weights.power(2), source.shape[0]
    values = np.full((n, weights.shape[0]), np.nan)
    error = None if variance is None else np.full(values.shape, np.nan)
    box = (path.rows.stop - path.rows.start) * (path.columns.stop - path.columns.start)
    step = max(1, PIECE // box)
    for first in range(0, n, step):
        progress(first, n, "along the path")
        where = (slice(first, min(first + step, n)), path.rows, path.columns)
        part = source.read(*where, dtype=np.dtype(np.float64)).reshape(-1, box)[:, used].T
        good = np.isfinite(part)
        share = weights @ good.astype(float)
        known = share >= 0.5
        with np.errstate(invalid="ignore", divide="ignore"):
            values[where[0]] = np.where(known, (weights @ np.where(good, part, 0.0)) / share, np.nan).T
            if error is not None and variance is not None:
                noise = variance(*where).reshape(-1, box)[:, used].T
                noise = squares @ np.where(good & np.isfinite(noise), noise, 0.0)
                error[where[0]] = np.where(known, np.sqrt(noise) / share, np.nan).T
    return values, error


def pv_wcs(step: float, step_unit: str, spectral: Any) -> Any:
    """Return the WCS of a diagram: offset along x, the spectral axis along y.

    Parameters
    ----------
    step : float
        From sample to sample, in ``step_unit``.
    spectral : astropy.wcs.WCS
        Of three axes, whose third is the spectral one (`jviz.backend.cubes.grids.with_axis`).
    """
    from astropy.wcs import WCS

    new = WCS(naxis=2)
    new.wcs.ctype = ["OFFSET", spectral.wcs.ctype[2]]
    new.wcs.cunit = [step_unit, spectral.wcs.cunit[2]]
    new.wcs.crpix = [1.0, spectral.wcs.crpix[2]]
    new.wcs.crval = [0.0, spectral.wcs.crval[2]]
    new.wcs.cdelt = [step, spectral.wcs.cdelt[2]]
    new.wcs.restfrq, new.wcs.restwav = spectral.wcs.restfrq, spectral.wcs.restwav
    new.wcs.set()
    return new
