"""Commands of aperture photometry."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np

from jviz.actions.region_measure import chosen
from jviz.backend.photometry.circles import Skies, Statistic, Sums, skies_in_rings, sums_in_circles
from jviz.backend.photometry.corrections import checked, corrections_at, radius_of_energy, read_corrections, rows_for
from jviz.backend.photometry.tables import FLAGS, NOTHING, Measured, aperture_table
from jviz.backend.progress import Progress
from jviz.commands import command
from jviz.data import Catalog, WithPicture
from jviz.errors import CommandError
from jviz.photometry import (
    DEFAULT_FLAGS,
    Field,
    places_meant,
    radius_in_pixels,
    sky_of_region,
    sums_in_regions,
)
from jviz.running import Apply
from jviz.session import Session
from jviz.subsets import Subset

MENU = "Photometry"


@command("photometry.aperture", title="Aperture Photometry…", menu=MENU, job=True, group="measure", needs="data",
         icon="fa6s.bullseye")  # fmt: skip
def aperture(
    session: Session,
    data: WithPicture,
    region: str | list[str] | None = None,
    positions: Any = None,
    *,
    radii: Any = 5.0,
    annulus: Any = None,
    error: Any = None,
    exclude_flags: str | int | list[str | int] | None = DEFAULT_FLAGS,
    aperture_correction: Any = None,
    sky: Statistic = "median",
    sky_clip: float = 3.0,
    gain: float | None = None,
    zero_point: float | None = None,
    pixel_area: Literal["header", "wcs"] = "header",
    plane: str = "",
    index: tuple[int, ...] = (),
    progress: Progress,
) -> Apply:
    """Measure fluxes and AB magnitudes with errors in circles or in regions.

    Parameters
    ----------
    region : str, list of str, regions.Region or list, optional
        Regions to measure, each pixel weighed by the part inside. Without regions and positions: the selected
        regions, or all of them.
    positions : list of (x, y), SkyCoord, Catalog, table, "cursor" or a place, optional
        Centres of circles; the rows of a catalogue by its name.
    radii : float, str or list
        Of the circles, in pixels, as an angle (``"0.3 arcsec"``), or, with a table of aperture corrections, as the
        part of a point's light (``"70 %"``). Columns of several radii end in _0, _1 …
    annulus : (inner, outer) or name of a region, optional
        Where the sky is taken from: a ring round each place (in pixels, or two angles), or one region for all.
    error : float or Data, optional
        1-σ errors of the pixels; by default the errors of the data, else the scatter of the sky.
    exclude_flags : str, int or list, optional
        Flags whose pixels are not used; by default those that the view leaves out, DO_NOT_USE without a view.
    aperture_correction : float, list of float, file or table, optional
        What fluxes are multiplied by: a number (one for each radius), an APCORR reference file of JWST, or a table
        with columns radius and apcorr (and eefraction, filter, pupil).
    sky : {"median", "mean", "mode"}
        How the level of the sky is found; the mode is 3 × median − 2 × mean.
    sky_clip : float
        Values of the sky farther from the median than so many deviations are left out; 0: none.
    gain : float, optional
        Electrons for 1 in the image: errors are then those of Poisson and of the sky's scatter.
    zero_point : float, optional
        AB magnitude of 1 in the image, for images without a calibration that is understood.
    pixel_area : {"header", "wcs"}
        The solid angle of pixels: PIXAR_SR of the header, or that at each place.
    plane, index : optional
        The first plane, and the slice in the middle of a cube, by default.

    Returns
    -------
    QTable
        id, x, y, sky, aperture_sum, aperture_sum_err, background (of one pixel), background_err, area, flux,
        flux_err (Jy, or the unit of the image), snr, flux_limit (3 σ, where S/N < 3), abmag, abmag_err,
        abmag_limit, n_masked, flags. ``meta["notes"]`` says what could not be had and why.
    """
    field = Field(session, data, exclude_flags=exclude_flags, error=error, plane=plane, index=tuple(index))
    table = correction_table(session, aperture_correction, data.header)
    if positions is not None and region is not None:
        raise CommandError("Give regions or positions, not both.")
    recorded: dict[str, Any] = {}
    sizes: np.ndarray | None = None
    first: dict[str, Any] = {}
    if positions is not None:
        x, y = places_meant(session, data, positions)
        _check_places(x, y, data, field)
        sizes = _sizes(radii, table, data)
        sums = _circles(field, x, y, sizes, progress)
        if isinstance(positions, str) and positions.strip().lower() == "cursor":
            recorded["positions"] = [(float(x[0]), float(y[0]))]
    else:
        subsets = _regions_meant(session, region, data)
        sums, x, y = sums_in_regions(field, subsets, progress)
        first["name"] = [subset.name for subset in subsets]
        recorded["region"] = first["name"] if region is None else region
    if not (sums.used > 0).any():
        raise CommandError(f"{data.name} has no pixel with a value there: all are NaN, flagged or off the image.")
    skies = _skies(session, field, annulus, x, y, sky, sky_clip, progress)
    correction = _corrections(aperture_correction, table, sizes)
    measured, notes = _measured(field, sums, skies, (x, y), sizes, correction, gain, zero_point, pixel_area == "wcs")
    measured = _with_names(measured, first)
    result = aperture_table(measured)
    result.meta |= _meta(field, sizes, measured, notes, result)
    return Apply(lambda: _told(session, data, result), f"Aperture Photometry of {data.name}", recorded)


def _told(session: Session, data: Any, result: Any) -> Any:
    """Say in one sentence what could not be had."""
    if notes := result.meta["notes"]:
        session.notice("warning", f"Photometry of {data.name}: {'; '.join(notes)}.")
    return result


def _with_names(measured: Measured, first: dict[str, Any]) -> Measured:
    from dataclasses import replace

    return replace(measured, first=first)


def _meta(field: Field, sizes: Any, measured: Measured, notes: list[str], result: Any) -> dict[str, Any]:
    from jviz.backend.photometry.tables import flags_of

    lost = int(((flags_of(measured) & NOTHING) != 0).sum())
    if lost:
        notes.append(f"{lost} of {len(result)} have no pixel to use (off the image, NaN or flagged) and stay NaN")
    return {
        "data": field.data.name, "excluded_bits": field.bits, "calibration": measured.calibration.how,
        "radii": [] if sizes is None else [float(r) for r in sizes],
        "aperture_correction": [float(c) for c in measured.correction],
        "flags": {str(bit): words for bit, words in FLAGS.items()}, "notes": notes,
    }  # fmt: skip


# --- what is meant ------------------------------------------------------------------------------------


def _regions_meant(session: Session, region: Any, data: Any) -> list[Subset]:
    if region is None:
        region = [name for name in session.interaction.selected if name in session.subsets] or None
    subsets = chosen(session, region, data)
    if not subsets:
        raise CommandError("Say where to measure: draw a region, or give positions (pixels, a catalogue, cursor).")
    return subsets


def _check_places(x: np.ndarray, y: np.ndarray, data: Any, field: Field) -> None:
    ny, nx = field.shape
    on = (x > -0.5) & (y > -0.5) & (x < nx - 0.5) & (y < ny - 0.5)
    if not len(x):
        raise CommandError("There are no positions to measure: the catalogue or the list is empty.")
    if not on.any():
        raise CommandError(f"None of the {len(x)} positions lies on {data.name} ({nx} × {ny} pixels).")


def _sizes(radii: Any, table: Any, data: Any) -> np.ndarray:
    """Return radii in pixels; parts of light by the table of corrections."""
    several = radii if isinstance(radii, list | tuple) else [radii]
    if isinstance(radii, np.ndarray) or (hasattr(radii, "isscalar") and not radii.isscalar):
        several = list(radii)
    if not len(several):
        raise CommandError("Give at least one radius.")
    return np.array([_size(one, table, data) for one in several], float)


def _size(radius: Any, table: Any, data: Any) -> float:
    if isinstance(radius, str) and radius.strip().endswith("%"):
        if table is None:
            raise CommandError(f"A radius of {radius} of the light needs a table of aperture corrections; name one.")
        try:
            part = float(radius.strip().rstrip("% "))
        except ValueError:
            raise CommandError(f"{radius!r} is no part of the light; write 70 %.") from None
        return radius_of_energy(table, part / 100)
    return radius_in_pixels(radius, data)


def correction_table(session: Session, correction: Any, header: Mapping[str, Any]) -> Any:
    """Return the rows of a table of corrections for the filter of an image; None for numbers."""
    if isinstance(correction, str) and correction in session.names:
        correction = session[correction]
    if isinstance(correction, Catalog):
        return rows_for(checked(correction.table, correction.name), header)
    if hasattr(correction, "colnames"):
        return rows_for(checked(correction, "the table"), header)
    if isinstance(correction, str | Path):
        return rows_for(read_corrections(Path(correction)), header)
    return None


def _corrections(correction: Any, table: Any, sizes: np.ndarray | None) -> np.ndarray:
    count = 1 if sizes is None else len(sizes)
    if table is not None:
        if sizes is None:
            raise CommandError("A table of aperture corrections is for circles at positions; give regions a number.")
        return corrections_at(table, sizes)
    try:
        numbers = np.atleast_1d(np.asarray(1.0 if correction is None else correction, float))
    except (TypeError, ValueError):
        raise CommandError(f"{correction!r} is no aperture correction; give a number, a file or a table.") from None
    if len(numbers) not in (1, count) or not (np.isfinite(numbers) & (numbers > 0)).all():
        raise CommandError(f"Aperture corrections are numbers above 0, one or {count}; these are {correction}.")
    return np.broadcast_to(numbers, count)


# --- measuring ----------------------------------------------------------------------------------------


def _circles(field: Field, x: np.ndarray, y: np.ndarray, sizes: np.ndarray, progress: Progress) -> Sums:
    return sums_in_circles(
        field.read, field.shape, x, y, sizes,
        kind=field.kind, exclude=field.bits, saturated=field.saturated, progress=progress,
    )  # fmt: skip


def _skies(
    session: Session, field: Field, annulus: Any, x: np.ndarray, y: np.ndarray, sky: Statistic, clip: float,
    progress: Progress,
) -> Skies | None:  # fmt: skip
    if annulus is None:
        return None
    if isinstance(annulus, list | tuple) or (hasattr(annulus, "isscalar") and not annulus.isscalar):
        if len(annulus) != 2:
            raise CommandError("An annulus has two radii, inner and outer; or give the name of a region.")
        inner, outer = (0.0 if _is_zero(r) else radius_in_pixels(r, field.data) for r in annulus)
        if not outer > inner:
            raise CommandError(f"The annulus reaches from {inner:g} to {outer:g} pixels; the outer radius is larger.")
        return skies_in_rings(
            field.read, field.shape, x, y, (inner, outer),
            statistic=sky, clip=clip, exclude=field.bits, progress=progress,
        )  # fmt: skip
    [subset] = chosen(session, annulus, field.data)[:1]
    return sky_of_region(field, subset, len(x), sky, clip)


def _is_zero(radius: Any) -> bool:
    return isinstance(radius, int | float) and radius == 0


def _variance(field: Field, sums: Sums, skies: Skies | None, gain: float | None) -> tuple[np.ndarray | None, str]:
    """Return the variances of the sums and what they come from; None: they cannot be had."""
    scatter = None if skies is None else (np.nan_to_num(skies.scatter) ** 2)[:, None] * sums.squares
    if gain is not None:
        if not gain > 0:
            raise CommandError(f"A gain of {gain:g} is none; give the electrons for 1 in the image, above 0.")
        level = 0.0 if skies is None else np.nan_to_num(skies.level)[:, None]
        photons = np.maximum(sums.squared_light - level * sums.squares, 0.0) / gain
        return photons + (0.0 if scatter is None else scatter), "Poisson" + (" and sky scatter" if skies else "")
    if field.constant is not None:
        return field.constant**2 * sums.squares, f"error {field.constant:g} of each pixel"
    if field.has_errors:
        return sums.variance, "errors of the pixels"
    return (None, "none") if scatter is None else (scatter, "sky scatter")


def _measured(
    field: Field, sums: Sums, skies: Skies | None, places: tuple[np.ndarray, np.ndarray], sizes: np.ndarray | None,
    correction: np.ndarray, gain: float | None, zero_point: float | None, exact: bool,
) -> tuple[Measured, list[str]]:  # fmt: skip
    """Bring together what the table is made of, and say what cannot be had."""
    notes = []
    variance, source = _variance(field, sums, skies, gain)
    if variance is None:
        notes.append("it has no errors, so none are given; name error=, gain= or an annulus")
    elif source == "sky scatter" and gain is None:
        notes.append("it has no errors: those given come from the scatter of the sky alone")
    factors = field.calibration(zero_point)
    solid, where = field.solid_angles(*places, exact=exact)
    if factors.known and factors.per_area and not np.isfinite(solid).any():
        factors = type(factors)(np.nan, False, f"the solid angle of pixels is not known: {where}")
    if not factors.known:
        notes.append(f"no flux in Jy and no magnitudes ({factors.how}); flux is the sum less the sky")
    expected = None if sizes is None else np.pi * sizes**2
    coordinates = field.coordinates(*places)
    made = Measured(*places, sums, expected, skies, variance, field.unit, factors, solid, correction, coordinates)
    return made, notes
