"""Commands that measure cubes: spectra of regions, collapsed cubes, moments, peaks, slices and slabs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import numpy as np

from jviz.backend.cubes import maps
from jviz.backend.cubes.continuum import line_of
from jviz.backend.images.picture import Picture
from jviz.backend.progress import Progress
from jviz.backend.spectra.axis import SpectralAxis
from jviz.backend.spectra.units import Scale, convert_axis, quantity_of, scale_of
from jviz.backend.units import moment_unit, parse_unit
from jviz.beams import beam_at, beam_cards, beams_of, is_per_beam, tell_of_beams
from jviz.commands import command
from jviz.cube_measuring import CubeMeasure, channel_shares, spaxel_area
from jviz.cube_planes import statistics_of
from jviz.data import Cube, Image, Spectrum
from jviz.errors import CommandError
from jviz.flags import DEFAULT_FLAGS
from jviz.pictures import data_from, plane_wcs
from jviz.session import Session
from jviz.spectral import made_spectrum

MENU = "Cube/Measure"


@command("cube.extract", title="Extract Spectrum of Region…", menu=MENU, needs="cube", group="spectra", job=True,
         icon="fa6s.chart-line")  # fmt: skip
def extract(
    session: Session,
    data: Cube,
    region: Any = None,
    statistic: Literal["sum", "mean", "median", "min", "max"] = "sum",
    weights: Literal["exact", "center"] = "exact",
    cone: bool = False,
    reference_wavelength: float | None = None,
    background: Any = None,
    exclude_flags: Any = DEFAULT_FLAGS,
    *,
    ring: tuple[float, float] | None = None,
    name: str = "",
    progress: Progress,
) -> Spectrum:
    """Work out the spectrum of a region of a cube, with its error.

    Parameters
    ----------
    region : region, mask or name of a subset, optional
        On pixels or on the sky; the whole cube by default.
    statistic : {"sum", "mean", "median", "min", "max"}
        Over the spaxels of each channel. A sum of surface brightness is multiplied by the solid angle of a spaxel:
        MJy/sr becomes Jy. A sum of Jy/beam is divided by the beam of each channel in spaxels, and is in Jy too.
    weights : {"exact", "center"}
        Each spaxel counts by the part that is inside, or as a whole where its centre is.
    cone : bool
        The size of the region grows in proportion to the wavelength, as the width of a point source does, a polygon
        from its centroid; that of the background with it, unless it is a mask.
    reference_wavelength : float, optional
        Value on the spectral axis at which a cone is as wide as drawn; the middle of the cube by default.
    background : region, mask or name of a subset, optional
        Whose mean is taken away, times the spaxels that are summed.
    exclude_flags : list of str, str or int
        Spaxels with these data quality flags are left out; DO_NOT_USE by default.
    ring : (float, float), optional
        In place of a background: what is round the region from so many times its size to so many times, (1.5, 2).

    Notes
    -----
    Errors are those of independent spaxels; neighbours in a resampled cube are correlated, so that true errors of
    sums are larger.

    Raises
    ------
    CommandError
        When the region covers no spaxel.
    """
    if cone and (region is None or region == ""):
        raise CommandError("A cone needs a region that grows: draw one on the cube, or name one.")
    if ring is not None and (region is None or region == "" or background not in (None, "")):
        raise CommandError("A ring needs a region that it goes round, and no other background.")
    measure = CubeMeasure(session, data, exclude_flags)
    what = region if isinstance(region, str) and region else "all" if region is None else "region"
    samples = measure.spectrum(
        region, statistic, mode=weights, cone=cone, reference=reference_wavelength, background=background,
        ring=ring, name=str(what), progress=progress,
    )  # fmt: skip
    if not np.isfinite(samples.flux).any():
        raise CommandError(f"No channel of {data.name} has a value there; choose another region or fewer flags.")
    label = f"{statistic} of {what} in {data.name}"
    return made_spectrum(samples, name.strip() or label, label + _how(data, samples.unit))


def _how(cube: Cube, unit: str) -> str:
    """Say what made a flux of brightness."""
    if unit == cube.unit:
        return ""
    times, beams = f", times {spaxel_area(cube):.6g} sr a spaxel", beams_of(cube) if is_per_beam(cube.unit) else None
    if beams is None:
        return times
    areas = beams.solid_angles
    low, high = f"{areas.min():.6g}", f"{areas.max():.6g}"
    return f"{times}, over {low if low == high else f'{low} to {high}'} sr a beam"


@command("cube.keep_spectrum", title="Keep Spectrum at the Cursor", menu=MENU, needs="cube", group="spectra",
         shortcut="Shift+K", job=True, icon="fa6s.thumbtack")  # fmt: skip
def keep_spectrum(
    session: Session, data: Cube, x: int | None = None, y: int | None = None, *, progress: Progress
) -> Any:
    """Keep the spectrum of one spaxel, with its error, as data.

    Parameters
    ----------
    x, y : int, optional
        Of the spaxel, from 0; by default the one under the cursor.
    """
    from jviz.backend.cubes.extract import Spaxels
    from jviz.backend.cubes.extract import extract as extracted
    from jviz.running import Apply

    if x is None or y is None:
        place = session.cube_spectra.place_on(data)
        if place is None:
            raise CommandError("Move the mouse over the cube first, or give the spaxel by x and y.")
        y, x = place
    ny, nx = data.shape[-2:]
    if not (0 <= x < nx and 0 <= y < ny):
        raise CommandError(f"{data.name} has spaxels up to ({nx - 1}, {ny - 1}); ({x}, {y}) is none of them.")
    measure = CubeMeasure(session, data, 0)
    found = extracted(measure.source, Spaxels.one(y, x), "mean", variance=measure.variance, progress=progress)
    samples = measure.samples(found, "mean", f"({x}, {y})")
    made = made_spectrum(samples, f"{data.name} ({x}, {y})", f"spaxel ({x}, {y}) of {data.name}")
    # A script has no cursor.
    return Apply(lambda: made, f"Keep Spectrum ({x}, {y})", {"x": x, "y": y})


@command("cube.collapse", title="Collapse…", menu=MENU, needs="cube", group="maps", job=True, icon="fa6s.layer-group")
def collapse(
    session: Session,
    data: Cube,
    statistic: Literal["sum", "mean", "median", "min", "max", "percentile"] = "sum",
    spectral: Any = None,
    *,
    percentile: float = 50.0,
    exclude_flags: Any = DEFAULT_FLAGS,
    name: str = "",
    progress: Progress,
) -> Image:
    """Collapse a cube along its spectral axis into an image, with its error.

    Parameters
    ----------
    spectral : ranges or name of a spectral subset, optional
        ``(4.9 * u.um, 5.1 * u.um)``, a SpectralRegion …; the whole cube by default. In sums and means a channel
        counts by the share of it that is inside.
    percentile : float
        Which one, 0 to 100, when the statistic is "percentile".

    Notes
    -----
    Where channels have beams of their own, values per beam are brought to that of median size by its area, which keeps
    fluxes and brightness; minima and maxima stay per beam of their own channel. The history says so.
    """
    if not 0 <= percentile <= 100:
        raise CommandError(f"The percentile is {percentile:g}; it must be from 0 to 100.")
    extreme = statistic in ("min", "max")
    measure = CubeMeasure(session, data, exclude_flags, one_beam=not extreme)
    shares = channel_shares(session, measure.axis, spectral)
    made = maps.collapse(
        measure.source, shares, statistic, percentile=percentile, variance=measure.variance, progress=progress
    )
    said = f"percentile {percentile:g}" if statistic == "percentile" else statistic
    return _image(measure, made.values, made.error, data.unit, f"{said} of {data.name}", name, spectral,
                  one_beam=not extreme)  # fmt: skip


@command("cube.moment", title="Moment…", menu=MENU, needs="cube", group="maps", job=True, icon="fa6s.wave-square")
def moment(
    session: Session,
    data: Cube,
    order: int = 0,
    spectral: Any = None,
    continuum: Literal["side bands", "fit"] | None = None,
    reference: Any = None,
    output: Literal["native", "velocity"] = "native",
    convention: Literal["relativistic", "optical", "radio"] = "relativistic",
    *,
    side_bands: Any = None,
    minimum_snr: float | None = None,
    exclude_flags: Any = DEFAULT_FLAGS,
    name: str = "",
    progress: Progress,
) -> Image:
    """Work out a moment of a line: its integral (0), its mean position (1) or its variance (2), with errors.

    Parameters
    ----------
    order : int
        0: Σ f·Δ, in the unit of the cube times that of the axis. 1: Σ f·Δ·x / Σ f·Δ. 2: Σ f·Δ·(x − x̄)² / Σ f·Δ, whose
        root is the standard deviation of the line. Higher ones are central moments of that kind, without errors.
    spectral : ranges or name of a spectral subset, optional
        Where the line is; the whole cube by default.
    continuum : {"side bands", "fit"}, optional
        A straight line taken away first: through the channels on both sides of the range, as many as it has (or
        ``side_bands``), or through all channels outside of it.
    reference : Quantity, text or float, optional
        Rest wavelength or frequency of velocities, ``"656.46 nm"``; the rest value of the cube by default. A number
        counts in the unit of the axis.
    output : {"native", "velocity"}
        In the unit of the axis, or in km/s.
    convention : {"relativistic", "optical", "radio"}
        Of velocities.
    side_bands : ranges or name of a spectral subset, optional
    minimum_snr : float, optional
        Pixels whose integral is below so many times its error are left out.

    Notes
    -----
    Errors are those of independent channels, to first order, with that of the continuum. Where channels have beams of
    their own, values per beam are brought to that of median size by its area first, which the header of the map then
    names: fluxes and brightness stay. Match beams that differ by more (cube.psf_match) to have peaks right, too.
    """
    if order < 0:
        raise CommandError(f"Moments have orders from 0 on; {order} is none.")
    measure = CubeMeasure(session, data, exclude_flags, one_beam=True)
    shares = channel_shares(session, measure.axis, spectral)
    axis = _velocities(measure.axis, reference, convention) if output == "velocity" else measure.axis
    line = None
    if continuum is not None:
        if spectral is None or (isinstance(spectral, str) and not spectral):
            raise CommandError("A continuum is found beside the line: say with spectral where the line is.")
        beside = _beside(session, measure.axis, shares, side_bands, fit=continuum == "fit")
        x = axis.values - maps.middle_of(axis, shares)
        line = line_of(measure.source, x, beside, variance=measure.variance, progress=progress)
    sums = maps.moment_sums(measure.source, axis, shares, progress, continuum=line)
    if order > 2:
        values = maps.central_moment(measure.source, axis, shares, order, progress, continuum=line)
    else:
        values = maps.moment(sums, order)  # type: ignore[arg-type]

    def errors(of: Any) -> np.ndarray:
        return maps.moment_errors(measure.source, sums, of, axis, shares, measure.variance, progress, continuum=line)

    error = None
    if measure.variance is not None and order <= 2:
        error = np.where(np.isfinite(values), errors(order), np.nan)
    if minimum_snr is not None:
        if measure.variance is None:
            raise CommandError(f"{data.name} has no errors, so there is no S/N to choose pixels by.")
        values, error = _significant(sums, errors(0), values, error, minimum_snr)
        if not np.isfinite(values).any():
            raise CommandError(f"No pixel of {data.name} has a line of S/N {minimum_snr:g}; ask for less.")
    unit = moment_unit(data.unit, axis.unit, order)
    said = f"moment {order} of {data.name}"
    return _image(measure, values, error, unit, said, name, spectral, is_position=order == 1)


@command("cube.peak", title="Peak and Its Position…", menu=MENU, needs="cube", group="maps", job=True,
         icon="fa6s.mountain")  # fmt: skip
def peak(
    session: Session,
    data: Cube,
    spectral: Any = None,
    *,
    exclude_flags: Any = DEFAULT_FLAGS,
    progress: Progress,
) -> list[Image]:
    """Make maps of the greatest value along the spectral axis, and of where it is, with errors.

    The position is that of the parabola through the greatest channel and its neighbours, in the unit of the axis.

    Notes
    -----
    Errors are those of independent channels, to first order. Where the greatest channel has no two neighbours its
    position is known to within the channel: its error is the width over √12.
    """
    from jviz.backend.cubes.continuum import peaks_of

    measure = CubeMeasure(session, data, exclude_flags)
    shares = channel_shares(session, measure.axis, spectral)
    found = peaks_of(measure.source, shares > 0, variance=measure.variance, progress=progress)
    numbers, axis = np.arange(len(measure.axis), dtype=float), measure.axis
    channel = np.nan_to_num(found.channel)
    position = np.where(np.isnan(found.channel), np.nan, np.interp(channel, numbers, axis.values))
    error = None if found.channel_error is None else found.channel_error * np.interp(channel, numbers, axis.widths)
    return [
        _image(measure, found.value, found.value_error, data.unit, f"peak of {data.name}", "", spectral,
               one_beam=False),
        _image(measure, position, error, axis.unit, f"position of the peak of {data.name}", "", spectral,
               is_position=True),
    ]  # fmt: skip


@command("cube.image", title="Slice as Image…", menu=MENU, needs="cube", group="parts", job=True, icon="fa6s.image")
def image(session: Session, data: Cube, channel: int | None = None, *, name: str = "", progress: Progress) -> Image:
    """Make an image of one channel, with its error and flags.

    Parameters
    ----------
    channel : int, optional
        From 0; the one that a view shows by default.
    """
    n = len(data.axis)
    shown = [one.index[0] for v in session.views.values() for one in v.layers if one.data is data and one.index]
    channel = channel if channel is not None else shown[-1] if shown else n // 2
    if not 0 <= channel < n:
        raise CommandError(f"{data.name} has channels 0 to {n - 1}; {channel} is none of them.")
    where = (slice(channel, channel + 1), slice(None), slice(None))
    measure = CubeMeasure(session, data, 0)
    progress(0, 1, "reading")
    values = measure.source.read(*where)[0]
    error = None if measure.variance is None else np.sqrt(measure.variance(*where)[0])
    flags = data.product.plane("flags")
    dq = flags.read(channel) if flags is not None and flags.shape == data.plane().shape else None
    text = f"{data.axis.values[channel]:.7g} {data.axis.unit}".strip()
    picture = Picture(values, error, dq, data.unit, plane_wcs(data))
    what = f"channel {channel} ({text}) of {data.name}"
    cards = beam_cards(beam_at(data, channel))
    return data_from(picture, name.strip() or f"{data.name} at {text}", data, what, cards=cards)


@command("cube.plane_statistics", title="Statistics of Slices…", menu=MENU, needs="cube", group="parts", job=True,
         icon="fa6s.table")  # fmt: skip
def plane_statistics(
    session: Session, data: Cube, *, exclude_flags: Any = DEFAULT_FLAGS, progress: Progress
) -> Any:
    """Tabulate number, mean, standard deviation, least and greatest value of every channel.

    Parameters
    ----------
    exclude_flags : list of str, str or int
        Values with these data quality flags are left out; DO_NOT_USE by default.

    Returns
    -------
    QTable
        One row for each channel, with its spectral value; those of the whole cube are in ``meta``. The standard
        deviation is that of the values about their mean, noise and source together.
    """
    from astropy import units as u
    from astropy.table import QTable

    found, axis = statistics_of(data, exclude_flags, progress), data.axis
    unit, along = (parse_unit(text) or u.dimensionless_unscaled for text in (data.unit, axis.unit))
    table = QTable({"channel": np.arange(len(axis)), axis.quantity: axis.values * along, "number": found.number})
    for name, values in (("mean", found.mean), ("std", found.std), ("min", found.least), ("max", found.greatest)):
        table[name] = values * unit
    names = ("number", "mean", "std", "min", "max")
    table.meta = {"cube": data.name, **{f"whole {n}": v for n, v in zip(names, found.whole, strict=True)}}
    if data.unit:
        table.meta["unit"] = data.unit
    return table


# --- helpers --------------------------------------------------------------------------------------


def _image(
    measure: CubeMeasure, values: np.ndarray, error: np.ndarray | None, unit: str, what: str, name: str, spectral: Any,
    *, is_position: bool = False, one_beam: bool = True,
) -> Image:  # fmt: skip
    data = measure.cube
    if not np.isfinite(values).any():
        raise CommandError(f"The {what} has no value anywhere: the channels chosen are empty.")
    where = "" if spectral is None or spectral == "" else f" over {spectral}"
    # The steps of a float32 at 230 GHz are as wide as a narrow channel of a radio telescope: positions need more.
    kind = np.float32 if data.plane().dtype.itemsize <= 4 and not is_position else np.float64
    picture = Picture(
        values.astype(kind), None if error is None else np.asarray(error, kind), None, unit, plane_wcs(data)
    )
    beams = beams_of(data)
    of_beams = measure.of_beams if one_beam else tell_of_beams(measure.session, data, scaled=False)
    # A map of extremes has no beam: each value is of another channel.
    cards = () if beams is None or (beams.differ and not one_beam) else beam_cards(beams.reference)
    return data_from(picture, name.strip() or what, data, f"{what}{where}{of_beams}", cards=cards)


def _velocities(axis: SpectralAxis, reference: Any, convention: str) -> SpectralAxis:
    """Return the axis in km/s round a reference."""
    source = scale_of(axis)
    if source.quantity == "channel":
        raise CommandError(
            "The file does not say in which unit the channels are counted, so they have no velocities; say it with "
            "Cube ▸ Spectral Axis…."
        )
    rest = source.rest if reference is None else _rest_wavelength(reference, source)
    if source.quantity == "velocity" and reference is None and rest is None:
        if axis.convention and axis.convention != convention:
            raise CommandError(
                f"The cube counts {axis.convention} velocities and gives no rest value; give one with reference to "
                f"count {convention} ones."
            )
        target = replace(source, unit="km/s")
    elif rest is None:
        raise CommandError("Velocities need a reference: give the rest wavelength or frequency, such as '656.46 nm'.")
    else:
        target = Scale("km/s", "velocity", "", rest, convention)
        source = replace(source, rest=source.rest or rest)
    values = convert_axis(axis.values, source, target)
    return replace(axis, values=values, unit="km/s", quantity="velocity", convention=convention)


def _rest_wavelength(reference: Any, scale: Scale) -> float:
    """Return the vacuum wavelength in m of a rest value."""
    from astropy import units

    if isinstance(reference, int | float):
        value, unit = float(reference), scale.unit
    else:
        try:
            found = units.Quantity(reference)
        except (TypeError, ValueError):
            raise CommandError(f"{reference!r} is no rest value; write one such as '656.46 nm'.") from None
        value, unit = float(found.value), found.unit.to_string()
    quantity = quantity_of(unit)[0]
    if quantity not in ("wavelength", "frequency", "energy", "wavenumber") or not value > 0:
        raise CommandError(f"{reference!r} is no rest wavelength or frequency.")
    medium = scale.medium if quantity == "wavelength" else ""
    found = float(convert_axis(np.array([value]), Scale(unit, quantity, medium), Scale("m", "wavelength"))[0])
    if not (np.isfinite(found) and found > 0):
        raise CommandError(f"{reference!r} is no rest wavelength or frequency.")
    return found


def _beside(session: Session, axis: SpectralAxis, shares: np.ndarray, side_bands: Any, *, fit: bool) -> np.ndarray:
    """Return True for the channels that the continuum goes through."""
    if side_bands is not None and not (isinstance(side_bands, str) and not side_bands):
        found = channel_shares(session, axis, side_bands) >= 0.5
    elif fit:
        found = shares == 0
    else:
        inside = np.flatnonzero(shares > 0)
        first, last = int(inside[0]), int(inside[-1])
        width = last - first + 1
        found = np.zeros(len(shares), bool)
        found[max(0, first - width) : first] = True
        found[last + 1 : last + 1 + width] = True
    found = found & (shares == 0)
    if found.sum() < 2:
        raise CommandError(
            "Too few channels beside the line for a continuum; take a narrower range or give side_bands."
        )
    return found


def _significant(
    sums: maps.MomentSums, spread: np.ndarray, values: np.ndarray, error: np.ndarray | None, least: float
) -> tuple[np.ndarray, np.ndarray | None]:
    """Leave out pixels whose integral is less than so many times its error."""
    with np.errstate(invalid="ignore", divide="ignore"):
        good = maps.moment(sums, 0) / spread >= least
    return np.where(good, values, np.nan), None if error is None else np.where(good, error, np.nan)
