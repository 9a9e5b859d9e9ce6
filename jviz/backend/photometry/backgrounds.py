"""The background of an image in meshes: its level and scatter, without sources."""

from __future__ import annotations

import warnings
from functools import lru_cache
from typing import Literal, get_args

import numpy as np

from jviz.errors import CommandError

__all__ = ["Estimator", "Rms", "clipped_scatter", "mesh_background", "uncovered"]

Estimator = Literal["median", "mean", "mode", "sextractor", "mmm", "biweight"]
Rms = Literal["std", "mad", "biweight"]

_LEVELS = {
    "median": "MedianBackground", "mean": "MeanBackground", "mode": "ModeEstimatorBackground",
    "sextractor": "SExtractorBackground", "mmm": "MMMBackground", "biweight": "BiweightLocationBackground",
}  # fmt: skip
_SCATTERS = {"std": "StdBackgroundRMS", "mad": "MADStdBackgroundRMS", "biweight": "BiweightScaleBackgroundRMS"}

ZEROS = 0.01
"""Exact zeros that are more than this part of an image lie outside of its field."""


def uncovered(values: np.ndarray) -> np.ndarray:
    """Return which pixels hold nothing: NaN, and exact zeros where these are many."""
    empty = ~np.isfinite(values)
    zeros = values == 0
    return empty | zeros if zeros.sum() > ZEROS * values.size else empty


def clipped_scatter(values: np.ndarray) -> float:
    """Return the clipped standard deviation of values without NaN; of a million of them, which tell it to 0.1 %."""
    from astropy.stats import sigma_clipped_stats

    return float(sigma_clipped_stats(values[:: max(1, len(values) // 1_000_000)])[2])


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
    """Return level and scatter of the background at each pixel (photutils' ``Background2D``), NaN off the field.

    Parameters
    ----------
    values : ndarray, shape (ny, nx)
    box_size : int or (ny, nx)
        Sides of the meshes in pixels, larger than the sources; more or less, so that whole ones fill the image.
    filter_size : int or (ny, nx)
        Meshes, an odd number, over which a median is taken.
    estimator, rms : str
        The classes of photutils of these names.
    mask : ndarray of bool, optional
        Pixels not to be used (sources, flags); the background is worked out there too.
    clip : float
        Values farther from the median than so many deviations are left out, again and again.
    exclude : float
        Meshes with more than so many percent of their pixels masked are not used.

    Raises
    ------
    CommandError
        When there is nothing to take it from, or a size is none.
    """
    import photutils.background as methods
    from astropy.stats import SigmaClip

    if estimator not in get_args(Estimator) or rms not in get_args(Rms):
        known = ", ".join((*get_args(Estimator), *get_args(Rms)))
        raise CommandError(f"{estimator!r} and {rms!r} are no pair of estimators; there are {known}.")
    box, window = (_pair(size) for size in (box_size, filter_size))
    if min(box) < 2 or any(size < 1 or size % 2 == 0 for size in window):
        raise CommandError(f"Meshes of {box[1]} × {box[0]} pixels with a filter of {window[1]} × {window[0]} do not "
                           "work: boxes have sides of 2 or more, filters odd ones.")  # fmt: skip
    empty = uncovered(values)
    hidden = empty if mask is None else empty | mask
    if hidden.all():
        raise CommandError("There is no background: every pixel is NaN, masked or off the field.")
    # A narrow rest of a mesh at the edge would leave the slope of the sky there as false sources.
    box = tuple(-(-n // max(1, round(n / size))) for size, n in zip(box, values.shape, strict=True))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of NaN, which are masked
        try:
            found = methods.Background2D(
                values, box, filter_size=window, mask=None if mask is None else mask & ~empty, coverage_mask=empty,
                fill_value=np.nan, exclude_percentile=exclude, sigma_clip=SigmaClip(sigma=clip, maxiters=10),
                bkg_estimator=getattr(methods, _LEVELS[estimator])(),
                bkg_rms_estimator=getattr(methods, _SCATTERS[rms])(),
            )  # fmt: skip
            meshes = found.background_mesh, found.background_rms_mesh
        except ValueError as error:
            raise CommandError(f"No background with meshes of {box[1]} × {box[0]} pixels: {error}; "
                               "take larger boxes, mask less, or exclude fewer.") from error  # fmt: skip
    level, scatter = (_enlarged(np.asarray(mesh, float), box, values.shape) for mesh in meshes)
    level[empty], scatter[empty] = np.nan, np.nan
    return level, scatter


def _enlarged(mesh: np.ndarray, box: tuple[int, ...], shape: tuple[int, int]) -> np.ndarray:
    """Join the meshes by cubic splines as ``Background2D`` does, in a fiftieth of its time.

    The spline is linear in the meshes and separable: a matrix along each axis says it all.
    """
    along = [_spline(n, size, total) for n, size, total in zip(mesh.shape, box, shape, strict=True)]
    large = along[0].astype(np.float32) @ (mesh @ along[1].T).astype(np.float32)
    return np.clip(large, mesh.min(), mesh.max(), out=large)


@lru_cache(maxsize=4)
def _spline(n: int, size: int, total: int) -> np.ndarray:
    """Return the matrix from the values of meshes to those of pixels along an axis, shape (total, n)."""
    from scipy.ndimage import zoom

    columns = [zoom(unit, size, order=3, mode="reflect", grid_mode=True) for unit in np.eye(n)]
    return np.stack(columns, axis=1)[:total]


def _pair(size: int | tuple[int, int]) -> tuple[int, int]:
    return (int(size), int(size)) if isinstance(size, int | float | np.integer) else (int(size[0]), int(size[1]))
