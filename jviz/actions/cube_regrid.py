"""The command that brings a cube onto the grid of another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from jviz.actions.cube_operations import MENU
from jviz.backend.cubes.grids import with_axis
from jviz.backend.cubes.regridding import measured_along, shared_between, shared_out
from jviz.backend.images.picture import Picture
from jviz.backend.images.projection import Method, reprojected
from jviz.backend.progress import Progress
from jviz.backend.spectra.axis import SpectralAxis
from jviz.backend.units import parse_unit
from jviz.commands import command
from jviz.cube_making import VALUES, NewCube, axis_is_linear, by_rows, is_summed, read
from jviz.cube_measuring import CubeMeasure
from jviz.data import Cube, WithPicture
from jviz.errors import CommandError
from jviz.flags import DEFAULT_FLAGS
from jviz.pictures import plane_wcs
from jviz.session import Session


@command("cube.regrid", title="Regrid Cube…", menu=MENU, job=True, needs="cube", group="grid", icon="fa6s.globe")
def regrid(
    session: Session,
    data: Cube,
    reference: WithPicture,
    axes: Literal["spectral", "spatial", "both"] = "spectral",
    *,
    method: Method = "interpolate",
    exclude_flags: Any = DEFAULT_FLAGS,
    name: str = "",
    progress: Progress,
) -> Cube:
    """Bring a cube onto the channels, onto the spaxels, or onto both of another.

    Parameters
    ----------
    reference : Data
        A cube, or for spaxels also an image.
    axes : {"spectral", "spatial", "both"}
        Channels are shared out by overlap, so that integrals over the axis stay; spaxels are reprojected channel by
        channel, and keep surface brightness or, where the unit is one of flux, the flux; values without a unit stay as
        they are. With both, each new channel is made first and reprojected then.
    method : {"interpolate", "exact", "adaptive"}
        Of the reprojection, as in image.reproject: cubic interpolation (fast), overlap of pixels on the sphere, or a
        filter that follows the change of scale.
    exclude_flags : list of str, str or int
        Values with these data quality flags count as missing; DO_NOT_USE by default.

    Notes
    -----
    Axes of frequency, wavelength (in vacuum or air), energy and velocity are converted to each other; velocities by the
    rest value of the cube, else of the reference, in the convention of the axis. Values keep their unit: Jy or MJy/sr
    stay per hertz, and their integral over frequency stays; of values per length that over wavelength, of others that
    over the axis of the cube. From velocity to velocity each line keeps its own rest value.

    Between frames of rest (SPECSYS) nothing is shifted; a message says where they differ.

    Errors are those of independent values; neighbours on the new grid share old ones and are correlated: the history
    of the result says how much, of channels.

    Raises
    ------
    CommandError
        When they have no channels, or no place on the sky, in common.
    """
    measure = CubeMeasure(session, data, exclude_flags, one_beam=axes != "spatial")
    title = name.strip() or f"{data.name} on {reference.name}"
    what = f"{data.name} on the {axes if axes != 'both' else 'spectral and spatial'} grid of {reference.name}"
    if axes == "spatial":
        channels = _Channels(measure, measure.axis, lambda channel: _channel(measure, channel))
        return _reprojected(channels, reference, method, title, what, progress)
    if not isinstance(reference, Cube):
        raise CommandError(f"{reference.name} is of kind {reference.kind} and has no channels; choose a cube.")
    shared = shared_between(measure.axis, reference.axis, measured_along(parse_unit(data.unit)))
    axis, weights, widths = shared.axis, shared.weights, shared.widths
    what += f"; integrals over {shared.along} stay; errors of neighbouring channels correlate: {shared.correlation:.2f}"
    what += _frames(session, data, reference)
    if axes == "both":
        channels = _Channels(measure, axis, lambda channel: _shared(measure, weights[[channel]], widths[[channel]]))
        return _reprojected(channels, reference, method, title, what, progress)
    new = NewCube(measure, (len(axis), *measure.source.shape[1:]))

    def work(values: np.ndarray, variance: np.ndarray | None) -> tuple[np.ndarray, np.ndarray | None]:
        return shared_out(values, variance, weights, widths)

    by_rows(new, work, "sharing out channels", progress)
    wcs = with_axis(plane_wcs(data), axis, linear=axis_is_linear(axis))
    return new.made(title, what, axis=axis, wcs=wcs, without=("DC-FLAG", "VACUUM"))


def _frames(session: Session, data: Cube, reference: Cube) -> str:
    """Tell of channels that are counted in two frames of rest (SPECSYS), between which nothing is shifted."""
    first, second = (str(one.header.get("SPECSYS", "")).strip().upper() for one in (data, reference))
    if not first or not second or first == second:
        return ""
    session.notice("warning", (
        f"Channels of {data.name} are counted in the frame {first}, those of {reference.name} in {second} (SPECSYS). "
        "They were matched as they stand, without the shift between these frames."
    ))  # fmt: skip
    return f"; channels of {first} matched with those of {second} as they stand"


@dataclass(frozen=True)
class _Channels:
    """Channels on the spaxels of an old cube: ``of`` gives values and variances of one, shape (rows, columns)."""

    measure: CubeMeasure
    axis: SpectralAxis
    of: Callable[[int], tuple[np.ndarray, np.ndarray | None]]


def _channel(measure: CubeMeasure, channel: int) -> tuple[np.ndarray, np.ndarray | None]:
    values, variance = read(measure, (slice(channel, channel + 1), slice(None), slice(None)))
    return values[0], None if variance is None else variance[0]


def _shared(measure: CubeMeasure, weights: Any, widths: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Work out one new channel, of weights of shape (1, old channels), some rows at a time."""
    _, ny, nx = measure.source.shape
    values, variance = np.full((ny, nx), np.nan), None if measure.variance is None else np.full((ny, nx), np.nan)
    used = weights.indices
    if not len(used):
        return values, variance
    channels = slice(int(used.min()), int(used.max()) + 1)
    step = max(1, VALUES // ((channels.stop - channels.start) * nx))
    for first in range(0, ny, step):
        rows = slice(first, min(first + step, ny))
        part, spread = shared_out(*read(measure, (channels, rows, slice(None))), weights[:, channels], widths)
        values[rows] = part[0]
        if variance is not None and spread is not None:
            variance[rows] = spread[0]
    return values, variance


def _reprojected(
    channels: _Channels, reference: WithPicture, method: Method, title: str, what: str, progress: Progress
) -> Cube:
    measure, data = channels.measure, channels.measure.cube
    for one in (data, reference):
        if one.sky is None:
            raise CommandError(f"{one.name} is not on the sky, so nothing can be reprojected; give it a WCS first.")
    target, own, shape = plane_wcs(reference), plane_wcs(data), tuple(reference.shape[-2:])
    if target is None or own is None:
        raise CommandError("The sky of one of them cannot be told from its spectral axis; export it as FITS first.")
    new = NewCube(measure, (len(channels.axis), *shape))
    flux, some = is_summed(data.unit), False
    for channel in range(new.shape[0]):
        progress(channel, new.shape[0], "reprojecting")
        values, variance = channels.of(channel)
        error = None if variance is None else np.sqrt(variance)
        made = reprojected(Picture(values, error, None, data.unit, own), target, shape, method, flux=flux)
        some = some or bool(np.isfinite(made.values).any())
        new.put(channel, made.values, None if made.error is None else np.square(made.error))
    if not some:
        raise CommandError(f"{data.name} and {reference.name} do not overlap on the sky; choose another reference.")
    wcs = with_axis(target, channels.axis, linear=axis_is_linear(channels.axis))
    without = ("PIXAR_SR", "PIXAR_A2", "DC-FLAG", *(("VACUUM",) if channels.axis is not measure.axis else ()))
    return new.made(title, what, axis=channels.axis, wcs=wcs, without=without)
