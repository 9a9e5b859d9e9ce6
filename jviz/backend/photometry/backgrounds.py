"""The background of an image in meshes: its level and scatter, without sources."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

import numpy as np

from jviz.backend.progress import Progress, silent
from jviz.errors import CommandError

__all__ = ["Estimator", "Meshes", "ReadRows", "Rms", "clipped_scatter", "mesh_background", "meshes_of", "uncovered"]

Estimator = Literal["median", "mean", "mode", "sextractor", "mmm", "biweight"]
Rms = Literal["std", "mad", "biweight"]

ReadRows = Callable[[slice], tuple[np.ndarray, np.ndarray]]
"""``read(rows)`` returns the values of rows and which of them are not used."""

ZEROS = 0.01
"""Exact zeros that are more than this part of an image lie outside of its field."""

NEAREST = 10
"""Meshes whose values, by their inverse distances, stand for one that has none."""

MAD = 1.482602218505602
"""Standard deviation of Gaussian values over the median of their absolute deviations."""


def uncovered(values: np.ndarray) -> np.ndarray:
    """Return which pixels hold nothing: NaN, and exact zeros where these are many."""
    empty = ~np.isfinite(values)
    zeros = values == 0
    return empty | zeros if np.count_nonzero(zeros) > ZEROS * values.size else empty


def clipped_scatter(values: np.ndarray) -> float:
    """Return the clipped standard deviation of values without NaN; of a million of them, which tell it to 0.1 %."""
    from astropy.stats import sigma_clipped_stats

    return float(sigma_clipped_stats(values[:: max(1, len(values) // 1_000_000)])[2])


@dataclass(frozen=True)
class Meshes:
    """A background, known at meshes, from which that of any part of the image is made.

    Attributes
    ----------
    level, scatter : ndarray, shape (my, mx)
        Of each mesh, after the filter.
    box : (int, int)
        Height and width of a mesh in pixels.
    shape : (int, int)
        Of the image.
    """

    level: np.ndarray
    scatter: np.ndarray
    box: tuple[int, int]
    shape: tuple[int, int]

    def level_of(self, rows: slice, columns: slice = slice(None)) -> np.ndarray:
        """Return the level at each pixel of a part, float32."""
        return self._enlarged(self.level, rows, columns)

    def scatter_of(self, rows: slice, columns: slice = slice(None)) -> np.ndarray:
        """Return the scatter at each pixel of a part, float32."""
        return self._enlarged(self.scatter, rows, columns)

    def level_at(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Return the level at some pixels, shape (n,)."""
        down, across = self._splines(self.level)
        found = np.einsum("ni,ni->n", down[rows] @ self.level, across[columns])
        return np.clip(found, self.level.min(), self.level.max())

    def _splines(self, mesh: np.ndarray) -> list[np.ndarray]:
        return [_spline(n, size, total) for n, size, total in zip(mesh.shape, self.box, self.shape, strict=True)]

    def _enlarged(self, mesh: np.ndarray, rows: slice, columns: slice) -> np.ndarray:
        """Join the meshes by cubic splines as photutils' ``Background2D`` does, in a fiftieth of its time.

        The spline is linear in the meshes and separable: a matrix along each axis says it all.
        """
        down, across = self._splines(mesh)
        down, across = down[rows], across[columns]
        # a part depends on the meshes near it: the weights of others fall off as 0.27 to the power of their distance
        near, beside = (np.flatnonzero(np.abs(matrix).max(axis=0) > 1e-9) for matrix in (down, across))
        mesh_near = mesh[near[0] : near[-1] + 1, beside[0] : beside[-1] + 1]
        wide = mesh_near @ across[:, beside[0] : beside[-1] + 1].T
        large = down[:, near[0] : near[-1] + 1].astype(np.float32) @ wide.astype(np.float32)
        return np.clip(large, mesh.min(), mesh.max(), out=large)


def meshes_of(
    read: ReadRows,
    shape: tuple[int, int],
    box_size: int | tuple[int, int] = 64,
    filter_size: int | tuple[int, int] = 3,
    estimator: Estimator = "median",
    rms: Rms = "std",
    *,
    clip: float = 3.0,
    exclude: float = 50.0,
    progress: Progress = silent,
) -> Meshes:
    """Measure the background of an image that is read a row of meshes at a time.

    Parameters
    ----------
    read : callable
    shape : (int, int)
    box_size : int or (ny, nx)
        Sides of the meshes in pixels, larger than the sources; more or less, so that whole ones fill the image.
    filter_size : int or (ny, nx)
        Meshes, an odd number, over which a median is taken.
    estimator, rms : str
        As photutils' classes of these names work; SExtractor's is 2.5 × median − 1.5 × mean.
    clip : float
        Values farther from the median than so many deviations are left out, again and again.
    exclude : float
        Meshes with more than so many percent of their pixels masked or clipped are not used.

    Raises
    ------
    CommandError
        When there is nothing to take it from, or a size is none.
    """
    from jviz.backend.photometry import mesh_kernels as kernels

    box, window = _sizes(shape, box_size, filter_size, estimator, rms)
    count = tuple(-(-n // size) for n, size in zip(shape, box, strict=True))
    found = np.full((*count, kernels.COLUMNS), np.nan)
    robust = estimator == "biweight" or rms != "std"
    for row in range(count[0]):
        progress(row, count[0], "background")
        values, hidden = read(slice(row * box[0], min((row + 1) * box[0], shape[0])))
        kernels.mesh_row(values, hidden, box[1], float(clip), robust, found[row])
    used = found[..., kernels.USED]
    if not (used > 0).any():
        raise CommandError("There is no background: every pixel is NaN, masked or off the field.")
    poor = (used < (1 - exclude / 100) * box[0] * box[1]) | (used == 0)
    if poor.all():
        raise CommandError(f"No background with meshes of {box[1]} × {box[0]} pixels: all have more than {exclude:g} % "
                           "of their pixels masked; take larger boxes, mask less, or exclude fewer.")  # fmt: skip
    names = ("median", "mean", "std", "n", "mad", "location", "scale")
    columns = dict(zip(names, np.moveaxis(found, -1, 0), strict=True))
    both = (np.where(poor, np.nan, values) for values in (_levels(columns, estimator), _scatters(columns, rms)))
    level, scatter = (_filtered(_filled(values), window) for values in both)
    return Meshes(level, scatter, box, shape)


def _levels(found: dict[str, np.ndarray], estimator: Estimator) -> np.ndarray:
    median, mean, std = found["median"], found["mean"], found["std"]
    if estimator in ("mode", "mmm"):
        return 3 * median - 2 * mean
    if estimator == "sextractor":
        crowded = np.abs(mean - median) >= 0.3 * std
        return np.where(std == 0, mean, np.where(crowded, median, 2.5 * median - 1.5 * mean))
    return {"median": median, "mean": mean, "biweight": found["location"]}[estimator]


def _scatters(found: dict[str, np.ndarray], rms: Rms) -> np.ndarray:
    return {"std": found["std"], "mad": MAD * found["mad"], "biweight": found["scale"]}[rms]


def _filled(mesh: np.ndarray) -> np.ndarray:
    """Give meshes without a value that of their neighbours, weighed by the inverse distances (Shepard 1968)."""
    from scipy.spatial import KDTree

    known = np.isfinite(mesh)
    if known.all():
        return mesh
    places, wanted = np.argwhere(known), np.argwhere(~known)
    distance, which = KDTree(places).query(wanted, k=min(NEAREST, len(places)))
    distance, which = (a.reshape(len(wanted), -1) for a in (distance, which))
    mesh = mesh.copy()
    mesh[~known] = np.average(mesh[known][which], axis=1, weights=1 / distance)
    return mesh


def _filtered(mesh: np.ndarray, window: tuple[int, int]) -> np.ndarray:
    """Take the median over neighbouring meshes, of as many as there are."""
    from bottleneck import nanmedian

    if window == (1, 1):
        return mesh
    wide = np.pad(mesh, [(size // 2,) * 2 for size in window], constant_values=np.nan)
    views = np.lib.stride_tricks.sliding_window_view(wide, window)
    return nanmedian(views.reshape(*mesh.shape, -1), axis=-1)


def _sizes(
    shape: tuple[int, int],
    box_size: int | tuple[int, int],
    filter_size: int | tuple[int, int],
    estimator: str,
    rms: str,
) -> tuple[tuple[int, int], tuple[int, int]]:
    if estimator not in get_args(Estimator) or rms not in get_args(Rms):
        known = ", ".join((*get_args(Estimator), *get_args(Rms)))
        raise CommandError(f"{estimator!r} and {rms!r} are no pair of estimators; there are {known}.")
    box, window = (_pair(size) for size in (box_size, filter_size))
    if min(box) < 2 or any(size < 1 or size % 2 == 0 for size in window):
        raise CommandError(f"Meshes of {box[1]} × {box[0]} pixels with a filter of {window[1]} × {window[0]} do not "
                           "work: boxes have sides of 2 or more, filters odd ones.")  # fmt: skip
    # A narrow rest of a mesh at the edge would leave the slope of the sky there as false sources.
    height, width = (-(-n // max(1, round(n / size))) for size, n in zip(box, shape, strict=True))
    return (height, width), window


def mesh_background(
    values: np.ndarray,
    box_size: int | tuple[int, int] = 64,
    filter_size: int | tuple[int, int] = 3,
    estimator: Estimator = "median",
    rms: Rms = "std",
    *,
    mask: np.ndarray | None = None,
    clip: float = 3.0,
    exclude: float = 50.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Return level and scatter of the background at each pixel of an array, NaN off the field; see `meshes_of`.

    Parameters
    ----------
    values : ndarray, shape (ny, nx)
    mask : ndarray of bool, optional
        Pixels not to be used (sources, flags); the background is worked out there too.
    """
    empty = uncovered(values)
    hidden = empty if mask is None else empty | mask
    meshes = meshes_of(lambda rows: (values[rows], hidden[rows]), values.shape, box_size, filter_size, estimator, rms,
                       clip=clip, exclude=exclude)  # fmt: skip
    level, scatter = meshes.level_of(slice(None)), meshes.scatter_of(slice(None))
    level[empty], scatter[empty] = np.nan, np.nan
    return level, scatter


@lru_cache(maxsize=4)
def _spline(n: int, size: int, total: int) -> np.ndarray:
    """Return the matrix from the values of meshes to those of pixels along an axis, shape (total, n)."""
    from scipy.ndimage import zoom

    columns = [zoom(unit, size, order=3, mode="reflect", grid_mode=True) for unit in np.eye(n)]
    return np.stack(columns, axis=1)[:total]


def _pair(size: int | tuple[int, int]) -> tuple[int, int]:
    return (int(size), int(size)) if isinstance(size, int | float | np.integer) else (int(size[0]), int(size[1]))
