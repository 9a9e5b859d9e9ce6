"""Commands that make cubes of cubes: smoothed, matched in their PSF, freed of their continuum, signal-to-noise."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from jviz.backend.cubes import smoothing
from jviz.backend.cubes.beams import Beams
from jviz.backend.cubes.polynomials import basis_of
from jviz.backend.cubes.polynomials import continuum as fitted
from jviz.backend.images.filters import FWHM
from jviz.backend.progress import Progress
from jviz.beams import beams_of, is_per_beam
from jviz.commands import command
from jviz.cube_making import NewCube, by_channels, by_rows
from jviz.cube_measuring import CubeMeasure, channel_shares
from jviz.data import Cube
from jviz.errors import CommandError
from jviz.flags import DEFAULT_FLAGS
from jviz.session import Session

MENU = "Cube/Operations"


@command("cube.smooth", title="Smooth Cube…", menu=MENU, job=True, needs="cube", group="filter", icon="fa6s.droplet")
def smooth(
    session: Session,
    data: Cube,
    axis: Literal["spectral", "spatial"] = "spectral",
    sigma: float = 2.0,
    *,
    kernel: smoothing.Kernel = "gaussian",
    fill: bool = False,
    exclude_flags: Any = DEFAULT_FLAGS,
    name: str = "",
    progress: Progress,
) -> Cube:
    """Smooth a cube along the spectrum or on the sky; missing values take no part, and edges do not darken.

    Parameters
    ----------
    axis : {"spectral", "spatial"}
    sigma : float
        In channels or spaxels: σ of the Gaussian, full width of the box, or the odd side of the median.
    kernel : {"gaussian", "box", "median"}
    fill : bool
        Give missing values the mean of those round them; else they stay missing.
    exclude_flags : list of str, str or int
        Values with these data quality flags count as missing; DO_NOT_USE by default.

    Notes
    -----
    Errors are those of independent values. Afterwards neighbours are correlated: errors of sums over the result are
    larger than its errors added in quadrature.
    """
    measure = CubeMeasure(session, data, exclude_flags, one_beam=axis == "spectral")
    new = NewCube(measure)
    axes, walk = ((0,), by_rows) if axis == "spectral" else ((1, 2), by_channels)

    def work(values: np.ndarray, variance: np.ndarray | None) -> tuple[np.ndarray, np.ndarray | None]:
        return smoothing.smoothed(values, variance, axes, kernel, sigma, fill=fill)

    walk(new, work, "smoothing", progress)
    what = f"{data.name} smoothed, {axis}, {kernel} of {sigma:g} {'channels' if axis == 'spectral' else 'spaxels'}"
    return new.made(name.strip() or f"{data.name} smoothed", what, flags=data.product.plane("flags"))


@command("cube.continuum", title="Continuum of Spaxels…", menu=MENU, job=True, needs="cube", group="filter",
         icon="fa6s.chart-line")  # fmt: skip
def continuum(
    session: Session,
    data: Cube,
    order: int = 1,
    spectral: Any = None,
    *,
    exclude: Any = None,
    sigma: float = 3.0,
    result: Literal["subtracted", "continuum"] = "subtracted",
    exclude_flags: Any = DEFAULT_FLAGS,
    name: str = "",
    progress: Progress,
) -> Cube:
    """Fit a polynomial to the spectrum of every spaxel, and give the cube without it, or the continuum.

    Parameters
    ----------
    order : int
        Of the polynomial, 0 to 10.
    spectral, exclude : ranges or name of a spectral subset, optional
        Channels that take part, and channels (lines) that do not; by default all but outliers.
    sigma : float
        Values beyond that many robust deviations of the fit are left out, five times over; 0 keeps all.
    result : {"subtracted", "continuum"}

    Notes
    -----
    Least squares with equal weights. Errors are those of the fit to independent channels; in the cube without
    continuum they take into account that a channel is part of its own fit.
    """
    measure = CubeMeasure(session, data, exclude_flags, one_beam=True)
    basis = basis_of(measure.axis.values, order)
    use = channel_shares(session, measure.axis, spectral) >= 0.5
    if exclude is not None and exclude != "":
        use &= channel_shares(session, measure.axis, exclude) == 0
    if use.sum() < basis.shape[1]:
        raise CommandError(
            f"{use.sum()} channels take part, too few for {basis.shape[1]} coefficients; widen the ranges or lower the "
            "order."
        )
    new = NewCube(measure)

    def work(values: np.ndarray, variance: np.ndarray | None) -> tuple[np.ndarray, np.ndarray | None]:
        model, spread, remaining = fitted(values, variance, basis, use, sigma)
        return (values - model, remaining) if result == "subtracted" else (model, spread)

    by_rows(new, work, "fitting the continuum", progress)
    said = f"{data.name} without continuum" if result == "subtracted" else f"continuum of {data.name}"
    return new.made(name.strip() or said, f"{said}, polynomial of order {order}", flags=data.product.plane("flags"))


@command("cube.snr", title="Signal-to-Noise Cube…", menu=MENU, job=True, needs="cube", group="filter",
         icon="fa6s.signal")  # fmt: skip
def snr(
    session: Session, data: Cube, *, exclude_flags: Any = DEFAULT_FLAGS, name: str = "", progress: Progress
) -> Cube:
    """Divide every value of a cube by its error.

    Raises
    ------
    CommandError
        When the cube has no errors.
    """
    measure = CubeMeasure(session, data, exclude_flags)
    if measure.variance is None:
        raise CommandError(f"{data.name} has no errors (ERR, variances), so its signal-to-noise is not known.")
    new = NewCube(measure, error=False)

    def work(values: np.ndarray, variance: np.ndarray | None) -> tuple[np.ndarray, None]:
        assert variance is not None
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(variance > 0, values / np.sqrt(variance), np.nan), None

    by_channels(new, work, "dividing", progress)
    title = f"signal-to-noise of {data.name}"
    return new.made(name.strip() or title, title, unit="", flags=data.product.plane("flags"))


@command("cube.psf_match", title="Match PSF of Cube…", menu=MENU, job=True, needs="cube", group="filter",
         icon="fa6s.bullseye")  # fmt: skip
def psf_match(
    session: Session,
    data: Cube,
    fwhm_to: float | None = None,
    fwhm_from: float | tuple[float, float] | None = None,
    *,
    unit: Literal["arcsec", "spaxel"] = "arcsec",
    exclude_flags: Any = DEFAULT_FLAGS,
    name: str = "",
    progress: Progress,
) -> Cube:
    """Widen the point spread of every channel to one width, by Gaussians.

    Parameters
    ----------
    fwhm_to : float, optional
        Full width at half maximum wanted; left out, the least that all beams of a cube fit into.
    fwhm_from : float or (float, float), optional
        That of the cube: one number, or those of the first and last channel, in between linear with the axis. Left out
        for a cube with beams (BMAJ and BMIN, or a table BEAMS): these, elliptical as they are.
    unit : {"arcsec", "spaxel"}
        Of the widths.

    Notes
    -----
    Values per beam become values per beam of the width wanted, so that fluxes stay; the new header names it.

    Raises
    ------
    CommandError
        When a channel is wider than what is wanted.
    """
    measure = CubeMeasure(session, data, exclude_flags)
    if fwhm_from is None and beams_of(data) is not None:
        return _beams_matched(measure, fwhm_to, unit, name, progress)
    if fwhm_to is None:
        raise CommandError(f"{data.name} has no beams that tell it: say how wide the PSF is to be, with fwhm_to.")
    sigmas = _matching(data, measure.axis.values, fwhm_to, fwhm_from, unit)
    new = NewCube(measure)
    numbers = iter(sigmas.tolist())

    def work(values: np.ndarray, variance: np.ndarray | None) -> tuple[np.ndarray, np.ndarray | None]:
        sigma = next(numbers)
        return smoothing.smoothed(values, variance, (1, 2), "gaussian", sigma) if sigma > 0.05 else (values, variance)

    by_channels(new, work, "matching", progress, step=1)
    what = f"{data.name} with the PSF of all channels {fwhm_to:g} {unit} wide"
    return new.made(name.strip() or f"{data.name} matched", what, flags=data.product.plane("flags"))


def _beams_matched(measure: CubeMeasure, width: float | None, unit: str, name: str, progress: Progress) -> Cube:
    """Widen the beam of every channel to a round one."""
    from jviz.backend.cubes.beam_matching import convolved, covariance_between

    data, beams = measure.cube, beams_of(measure.cube)
    assert beams is not None
    if data.sky is None:
        raise CommandError(f"{data.name} is not on the sky, so its beams have no size in spaxels; give fwhm_from.")
    ny, nx = measure.source.shape[1:]
    jacobian, largest = data.sky.jacobian((nx - 1) / 2, (ny - 1) / 2), float(np.nanmax(beams.table[:, 0]))
    scale = float(data.sky.pixel_scale().mean) if unit == "spaxel" else 1.0
    wanted = largest if width is None else width * scale
    if not (np.isfinite(wanted) and wanted > 0 and wanted >= largest * (1 - 1e-6)):
        raise CommandError(f"The beams of {data.name} are up to {largest:.4g} arcsec wide and can only be widened; "
                           f"{wanted:.4g} arcsec is less.")  # fmt: skip
    target, areas = Beams.of([[wanted, wanted, 0.0]]), beams.solid_angles
    assert target is not None
    new, numbers = NewCube(measure), iter(range(measure.source.shape[0]))

    def work(values: np.ndarray, variance: np.ndarray | None) -> tuple[np.ndarray, np.ndarray | None]:
        channel = next(numbers)
        kernel = covariance_between(wanted, beams.at(channel) or beams.reference, jacobian)
        made, spread = convolved(values[0], None if variance is None else variance[0], np.asarray(kernel))
        area = areas[channel] if len(areas) > 1 else areas[0]
        factor = float(target.solid_angles[0] / area) if is_per_beam(data.unit) else 1.0
        return made[None] * factor, None if spread is None else spread[None] * factor**2

    by_channels(new, work, "matching", progress, step=1)
    what = f"{data.name} with a round beam of {wanted:.6g} arcsec"
    return new.made(name.strip() or f"{data.name} matched", what, flags=data.product.plane("flags"),
                    beams=np.tile(target.table, (new.shape[0], 1)))  # fmt: skip


def _matching(data: Cube, axis: np.ndarray, wanted: float, given: Any, unit: str) -> np.ndarray:
    """Return the σ of the Gaussian for each channel, in spaxels."""
    if given is None:
        raise CommandError("Say how wide the PSF of the cube is: fwhm_from, one number or those of both ends.")
    ends = np.broadcast_to(np.asarray(given, float), 2)
    widths = np.interp(axis, *((axis[[0, -1]], ends) if axis[-1] >= axis[0] else (axis[[-1, 0]], ends[::-1])))
    if not (np.isfinite(wanted) and (widths >= 0).all() and (widths <= wanted).all()):
        raise CommandError(
            f"The PSF of the cube is up to {widths.max():g} {unit} wide and cannot be made {wanted:g}; a PSF can only "
            "be widened."
        )
    scale = 1.0
    if unit == "arcsec":
        if data.sky is None:
            raise CommandError(f"{data.name} is not on the sky; give the widths in spaxels (unit='spaxel').")
        scale = float(data.sky.pixel_scale().mean)
    return np.sqrt(wanted**2 - widths**2) / scale / FWHM
