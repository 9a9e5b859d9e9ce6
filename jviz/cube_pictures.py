"""Pictures worked out of many slices of a cube: means, slabs and moments, and limits of all slices."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from jviz.backend.io.product import Plane
from jviz.backend.progress import Progress
from jviz.backend.render.raster import Raster
from jviz.backend.render.source import Source

if TYPE_CHECKING:
    from jviz.data import Cube, WithPicture

__all__ = ["limits_of_cube", "mean_raster", "rough_slab_raster", "slab_map", "slab_raster"]

SAMPLED = 24
"""Slices that limits of a cube are found from."""

ROUGH = 16
"""Channels of a first look at a slab."""

ANEW = 100
"""Steps of a slab that is dragged after which its sums are begun anew."""

PIECE = 1 << 22
"""Values read between two looks at whether the result is still wanted."""

BIG = 1 << 26
"""Values above which the extremes of a cube are not looked for while somebody waits."""


def _made(picture: WithPicture, key: tuple, plane: Plane, work: Callable[[Progress], np.ndarray]) -> Raster:
    """Return the raster of something worked out in the thread that fetches it, kept under a key."""
    with picture._raster_lock:
        found = picture._rasters.pop(key, None)
        if found is None:
            # float64: the steps of a float32 at 230 GHz are as wide as a narrow channel of a radio telescope.
            made = Plane(plane.name, plane.shape[-2:], np.dtype(np.float64), work, plane.meaning, plane.unit,
                         immediate=False)  # fmt: skip
            found = Raster(made)
            found.outdates = True  # type: ignore[attr-defined]
        picture._keep_raster(key, found)
        return found


def mean_raster(picture: WithPicture, plane: str, middle: int, width: int) -> Raster:
    """Return the mean of ``width`` slices round one; NaN is left out."""
    source = picture.plane(plane)
    first = max(0, middle - (width - 1) // 2)
    last = min(source.shape[0], middle - (width - 1) // 2 + width)

    def work(progress: Progress) -> np.ndarray:
        raw, total, number = source.raw(progress), np.zeros(source.shape[1:]), np.zeros(source.shape[1:], np.int32)
        for k in range(first, last):
            progress(k - first, last - first, "adding up slices")
            values = source.physical(raw[k])
            good = np.isfinite(values)
            total += np.where(good, values, 0)
            number += good
        return _ratio(total, number)

    return _made(picture, ("mean", source.name, first, last), source, work)


def _ratio(total: np.ndarray, number: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        return total / number


def slab_raster(cube: Cube, plane: str, slab: tuple[float, float, str]) -> Raster:
    """Return the picture of a statistic over a range of spectral values."""
    source = cube.plane(plane)
    return _made(
        cube, ("slab", source.name, *slab), source,
        lambda progress: slab_map(cube, plane, slab, progress),
    )  # fmt: skip


def slab_map(cube: Cube, plane: str, slab: tuple[float, float, str], progress: Progress) -> np.ndarray:
    """Work out a statistic over a range: from the copy of the cube where there is one, else from the file.

    Channels that the range cuts count in part in sums, means and moments (`SpectralAxis.shares`).

    Returns
    -------
    ndarray of float64, shape (rows, columns)
        NaN where no channel has a value, and everywhere when the range misses the cube.
    """
    from jviz.backend.cubes import maps
    from jviz.cube_copies import copy_of

    low, high, statistic = slab
    source, axis = cube.source(plane, one_beam=statistic not in ("min", "max")), cube.axis
    shares = axis.shares(low, high)
    if not shares.any():
        return np.full(source.shape[1:], np.nan)
    if statistic in ("median", "min", "max"):
        return maps.collapse(source, shares, statistic, progress=progress).values
    store = copy_of(cube, plane) if source.factors is None else None
    even = np.ptp(axis.widths) <= 1e-4 * axis.widths.mean()
    if statistic in ("sum", "mean") and not even:
        return maps.collapse(source, shares, statistic, progress=progress).values
    sums = _running_sums(cube, source, store, shares, progress, totals_only=statistic in ("sum", "mean", "moment0"))
    if statistic.startswith("moment"):
        return maps.moment(sums, int(statistic[-1]))
    total = np.where(sums.number > 0, sums.s0, np.nan) / axis.widths.mean()
    return total if statistic == "sum" else total / _coverage(source, shares, sums.number)


def _running_sums(
    cube: Cube, source: Any, store: Any, shares: np.ndarray, progress: Progress, *, totals_only: bool
) -> Any:
    """Return sums over channels: those of the last slab with what came and went, while a range is dragged."""
    from jviz.backend.cubes import maps

    axis, kept = cube.axis, cube.__dict__.get("_slab_sums")
    key = (source.plane.name, totals_only)
    sums = None
    # Begun anew now and then, so that rounding does not pile up.
    if kept is not None and kept[0] == key and kept[3] < ANEW:
        sums = maps.sums_moved(kept[2], axis, kept[1], shares, source)
    steps = 0 if sums is None else kept[3] + 1
    if sums is None and store is not None:
        sums = maps.sums_from_store(store, axis, shares, source, totals_only=totals_only)
    elif sums is None:
        sums = maps.moment_sums(source, axis, shares, progress)
    cube._slab_sums = (key, shares, sums, steps)
    return sums


def _coverage(source: Any, shares: np.ndarray, number: np.ndarray) -> np.ndarray:
    """Return how many channels have a value in each pixel, those at the ends counted in part."""
    covered = number.astype(float)
    for k in np.flatnonzero((shares > 0) & (shares < 1)):
        covered -= (1 - shares[k]) * np.isfinite(source.read(slice(int(k), int(k) + 1))[0])
    return np.where(covered > 0, covered, np.nan)


def rough_slab_raster(cube: Cube, plane: str, slab: tuple[float, float, str]) -> Raster | None:
    """Return the same of every n-th channel, to look at meanwhile; None where the real one takes no longer."""
    from jviz.cube_copies import copy_of

    source = cube.plane(plane)
    if not cube.axis_ready or source.shape[1] * source.shape[2] < 1 << 14:
        return None
    inside = np.flatnonzero(cube.axis.shares(*slab[:2]) > 0)
    quick = slab[2] not in ("median", "min", "max") and copy_of(cube, plane) is not None
    if len(inside) < 3 * ROUGH or quick:
        return None
    channels = inside[:: -(-len(inside) // ROUGH)]

    def work(progress: Progress) -> np.ndarray:
        reader = cube.source(plane, one_beam=slab[2] not in ("min", "max"))
        values = np.stack([reader.read(slice(int(k), int(k) + 1), progress=progress)[0] for k in channels])
        return _rough(values.astype(np.float64), cube.axis, channels, len(inside), slab[2])

    return _made(cube, ("rough", source.name, *slab), source, work)


def _rough(values: np.ndarray, axis: Any, channels: np.ndarray, number: int, statistic: str) -> np.ndarray:
    import warnings

    with warnings.catch_warnings(), np.errstate(invalid="ignore", divide="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)  # pixels without a value: NaN is the answer
        if statistic in ("median", "min", "max"):
            return getattr(np, f"nan{statistic}")(values, axis=0)
        mean = np.nanmean(values, axis=0)
        if statistic in ("mean", "sum"):
            return mean if statistic == "mean" else mean * number
        if statistic == "moment0":
            return mean * number * axis.widths[channels].mean()
        x = axis.values[channels][:, None, None]
        total = np.nansum(values, axis=0)
        middle = np.where(total > 0, np.nansum(values * x, axis=0) / total, np.nan)
        return middle if statistic == "moment1" else np.nansum(values * (x - middle) ** 2, axis=0) / total


# --- limits of all slices -------------------------------------------------------------------------


def sample_of_cube(picture: WithPicture, plane: str) -> np.ndarray:
    """Read about 200,000 values from slices spread evenly over a cube; kept with it."""
    source, key = picture.plane(plane), ("sample", plane)
    found = picture.__dict__.setdefault("_samples_of_slices", {}).get(key)
    if found is None:
        n, rows, columns = source.shape
        slices = np.unique(np.linspace(0, n - 1, min(n, SAMPLED)).round().astype(int))
        # Odd steps: whatever repeats in twos and powers of two must not fall in step.
        down = np.arange(0, rows, max(1, rows // 90) | 1)
        across = np.arange(0, columns, max(1, columns // 90) | 1)
        found = np.stack([Source(source, (int(k),)).pick(down, across) for k in slices])
        found = picture._samples_of_slices[key] = found.reshape(-1, found.shape[-1])
    return found


def limits_of_cube(
    picture: WithPicture, plane: str, mode: str, percentiles: tuple[float, float], *, exact: bool
) -> tuple[float, float]:
    """Work out display limits over all slices.

    Parameters
    ----------
    exact : bool
        The true extremes, which reads all of a large cube; else those of the sample do.
    """
    from jviz.backend.render.limits import limits

    sample = sample_of_cube(picture, plane)
    if mode == "minmax" and (exact or picture.plane(plane).shape[0] * sample.size < BIG):
        sample = _extremes(picture, plane)
    options = {"low": percentiles[0], "high": percentiles[1]} if mode == "percentile" else {}
    return limits(sample, mode, **options)


def _extremes(picture: WithPicture, plane: str) -> np.ndarray:
    """Return least and greatest value of all slices."""
    source, found = picture.plane(plane), []
    step = max(1, PIECE // (source.shape[1] * source.shape[2]))
    for first in range(0, source.shape[0], step):
        values = source.read(slice(first, first + step))
        values = values[np.isfinite(values)]
        if len(values):
            found += [float(values.min()), float(values.max())]
    return np.array([found or [np.nan, np.nan]])
