"""The command that makes position-velocity diagrams."""

from __future__ import annotations

from typing import Any

import numpy as np

from jviz.actions.cube_operations import MENU
from jviz.backend.cubes.grids import with_axis
from jviz.backend.cubes.pv import along_path, path_over, pv_wcs
from jviz.backend.images.picture import Extra, Picture
from jviz.backend.progress import Progress
from jviz.commands import command
from jviz.cube_making import axis_is_linear
from jviz.cube_measuring import CubeMeasure
from jviz.data import Cube, Image
from jviz.errors import CommandError
from jviz.flags import DEFAULT_FLAGS
from jviz.measuring import corners_of
from jviz.pictures import data_from
from jviz.session import Session


@command("cube.pv", title="Position-Velocity…", menu=MENU, job=True, needs="cube", group="cut",
         icon="fa6s.chart-area")  # fmt: skip
def pv(
    session: Session,
    data: Cube,
    path: Any,
    width: float = 1.0,
    *,
    exclude_flags: Any = DEFAULT_FLAGS,
    name: str = "",
    progress: Progress,
) -> Image:
    """Make a position-velocity diagram: spectra along a path, averaged over a width across it.

    Parameters
    ----------
    path : list of positions, region or name of a subset
        At least two points: pixels ``[(10, 20), (90, 25)]`` or sky positions; or a line, a polyline or an outline.
    width : float
        Spaxels across the path that are averaged.
    exclude_flags : list of str, str or int
        Values with these data quality flags are left out; DO_NOT_USE by default.

    Returns
    -------
    Image
        Offset from the start of the path along x (arcsec, or pixels of a cube that is not on the sky), the spectral
        axis along y, with errors. Samples are about one spaxel apart. Channels of unequal widths are numbered;
        their values are then in the plane WAVELENGTH.

    Notes
    -----
    Errors are those of independent spaxels; neighbouring samples share spaxels and are correlated.
    """
    corners = corners_of(session, data, path)
    measure = CubeMeasure(session, data, exclude_flags)
    over = path_over(corners, width, measure.source.shape[1:])
    values, error = along_path(measure.source, over, measure.variance, progress)
    if not np.isfinite(values).any():
        raise CommandError(f"The path crosses no spaxel of {data.name} that has a value; move it onto the cube.")
    step, unit = _step(data, over.x, over.y)
    linear = axis_is_linear(measure.axis)
    wcs = pv_wcs(step, unit, with_axis(None, measure.axis, linear=linear))
    others = () if linear else (
        Extra("WAVELENGTH", "other", measure.axis.unit, np.repeat(measure.axis.values[:, None], len(over.x), 1)),
    )  # fmt: skip
    kind = np.float32 if data.plane().dtype.itemsize <= 4 else np.float64
    noise = None if error is None else error.astype(kind)
    picture = Picture(values.astype(kind), noise, None, data.unit, wcs, others)
    places = "; ".join(f"{x:.6g} {y:.6g}" for x, y in corners[:20])
    what = f"position-velocity of {data.name} along {places}, width {width:g} spaxels"
    return data_from(picture, name.strip() or f"position-velocity of {data.name}", data, what)


def _step(data: Cube, x: np.ndarray, y: np.ndarray) -> tuple[float, str]:
    """Return the mean distance between samples, along great circles where there is a sky."""
    from astropy.coordinates import angular_separation

    if data.sky is not None:
        lon, lat = (np.radians(v) for v in data.sky.pixel_to_sky(x, y))
        parts = angular_separation(lon[:-1], lat[:-1], lon[1:], lat[1:])
        if np.isfinite(parts).all() and parts.sum() > 0:
            return float(np.degrees(parts.mean()) * 3600), "arcsec"
    return float(np.hypot(np.diff(x), np.diff(y)).mean()), "pix"
