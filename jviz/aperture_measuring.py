"""Photometry in apertures: from what was asked for to numbers with units, errors and what could not be had."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from jviz.backend.photometry.circles import (
    Skies,
    Statistic,
    Sums,
    add_weighted,
    skies_in_rings,
    sums_in_circles,
)
from jviz.backend.photometry.corrections import (
    checked,
    corrections_at,
    radius_of_energy,
    read_corrections,
    ring_at,
    rows_for,
)
from jviz.backend.photometry.tables import Measured
from jviz.backend.photometry.vega import checked as checked_offsets
from jviz.backend.photometry.vega import read_offsets
from jviz.backend.progress import Progress, silent
from jviz.data import Catalog
from jviz.errors import CommandError
from jviz.photometry import Field, radius_in_pixels, sky_of_region, sums_in_regions
from jviz.subsets import Subset

__all__ = ["Photometry", "correction_table", "in_circles", "in_regions", "in_squares", "is_none", "ring_meant",
           "sizes_meant", "vega_meant"]  # fmt: skip


@dataclass(frozen=True)
class Photometry:
    """How apertures are measured; the arguments of ``photometry.aperture`` of these names.

    Attributes
    ----------
    annulus : (inner, outer), Subset or None
    correction : float, list of float or None
        Numbers, where there is no ``table``.
    table : Table or None
        Of aperture corrections, for the filter of the image.
    vega : float, Table or None
        m(AB) − m(Vega), or a table of them; by default that of the filter.
    """

    annulus: Any = None
    correction: Any = None
    table: Any = None
    sky: Statistic = "median"
    sky_clip: float = 3.0
    gain: float | None = None
    zero_point: float | None = None
    pixel_area: Literal["header", "wcs"] = "header"
    vega: Any = None


def in_circles(
    field: Field, x: np.ndarray, y: np.ndarray, sizes: np.ndarray, how: Photometry, progress: Progress = silent
) -> tuple[Measured, list[str]]:
    """Measure circles of radii in pixels at places in pixels; return that, and what could not be had."""
    return _measured(field, _circles(field, x, y, sizes, progress), (x, y), sizes, how, progress)


def in_squares(
    field: Field, place: tuple[float, float], halves: np.ndarray, how: Photometry, progress: Progress = silent
) -> tuple[Measured, list[str]]:
    """Measure squares round a place with sides of twice ``halves`` pixels; return that, and what could not be had."""
    found = np.zeros((1, len(halves), 10))
    for k, half in enumerate(halves):
        rows, down = _overlaps(place[1], half, field.shape[0])
        columns, across = _overlaps(place[0], half, field.shape[1])
        if len(down) and len(across):
            weights = np.outer(down, across)
            add_weighted(field.read(rows, columns), field.kind, field.bits, field.saturated, weights, found[0, k])
    x, y = np.array([place[0]]), np.array([place[1]])
    measured, notes = _measured(field, Sums.of(found[..., :8]), (x, y), None, replace(how, correction=None), progress)
    return replace(measured, correction=np.ones(len(halves)), expected=4 * halves**2), notes


def _overlaps(centre: float, half: float, n: int) -> tuple[slice, np.ndarray]:
    """Return which pixels along an axis lie within ``half`` of a place, and which part of each."""
    first, last = max(int(np.floor(centre - half + 0.5)), 0), min(int(np.ceil(centre + half + 0.5)), n)
    pixels = np.arange(first, max(last, first))
    part = np.minimum(pixels + 0.5, centre + half) - np.maximum(pixels - 0.5, centre - half)
    return slice(first, max(last, first)), np.clip(part, 0, 1)


def in_regions(
    field: Field, subsets: list[Subset], how: Photometry, progress: Progress = silent
) -> tuple[Measured, list[str]]:
    """Measure regions, each pixel weighed by the part inside; return that, and what could not be had."""
    sums, x, y = sums_in_regions(field, subsets, progress)
    return _measured(field, sums, (x, y), None, how, progress)


def sizes_meant(radii: Any, table: Any, data: Any) -> np.ndarray:
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


def is_none(annulus: Any) -> bool:
    """Whether a word says that no sky is wanted."""
    return isinstance(annulus, str) and annulus.strip().lower() == "none"


def ring_meant(annulus: Any, radii: Any, table: Any, sizes: np.ndarray) -> tuple[Any, str]:
    """Return the ring of the sky, and what is to be said about it.

    Where none is given and radii are parts of the light, it is the ring with which the table of corrections was made:
    they hold for that sky, which has light of the star in it too.
    """
    several = radii if isinstance(radii, list | tuple) else [radii]
    if annulus is not None or table is None or not any(isinstance(r, str) and r.strip().endswith("%") for r in several):
        return annulus, ""
    ring = ring_at(table, float(sizes.max()))
    if ring is None:
        return None, ""
    inner, outer = ring
    return ring, (f"the sky is from the ring of the aperture corrections, {inner:.4g} to {outer:.4g} pixels "
                  "(annulus='none' subtracts none)")  # fmt: skip


def correction_table(session: Any, correction: Any, header: Mapping[str, Any]) -> Any:
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


def vega_meant(session: Any, vega: Any) -> Any:
    """Return a number, a table of Vega offsets, or None for that of the filter."""
    if isinstance(vega, str) and vega in session.names:
        vega = session[vega]
    if isinstance(vega, Catalog):
        return checked_offsets(vega.table, vega.name)
    if hasattr(vega, "colnames"):
        return checked_offsets(vega, "the table")
    return read_offsets(Path(vega)) if isinstance(vega, str | Path) else vega


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


def _skies(field: Field, x: np.ndarray, y: np.ndarray, how: Photometry, progress: Progress) -> Skies | None:
    if how.annulus is None:
        return None
    if not how.sky_clip >= 0:
        raise CommandError(f"A clip of {how.sky_clip:g} deviations is none; give one above 0, or 0 for no clipping.")
    if isinstance(how.annulus, Subset):
        return sky_of_region(field, how.annulus, len(x), how.sky, how.sky_clip)
    inner, outer = (0.0 if _is_zero(r) else radius_in_pixels(r, field.data) for r in how.annulus)
    if not outer > inner:
        raise CommandError(f"The annulus reaches from {inner:g} to {outer:g} pixels; the outer radius is larger.")
    return skies_in_rings(
        field.read, field.shape, x, y, (inner, outer),
        statistic=how.sky, clip=how.sky_clip, exclude=field.bits, progress=progress,
    )  # fmt: skip


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
    field: Field, sums: Sums, places: tuple[np.ndarray, np.ndarray], sizes: np.ndarray | None, how: Photometry,
    progress: Progress,
) -> tuple[Measured, list[str]]:  # fmt: skip
    """Bring together what a table is made of, and say what cannot be had.

    Raises
    ------
    CommandError
        When there is no pixel to use, or an option is none.
    """
    if not (sums.used > 0).any():
        raise CommandError(f"{field.data.name} has no pixel with a value there: all are NaN, flagged or off the image.")
    skies = _skies(field, *places, how, progress)
    correction = _corrections(how.correction, how.table, sizes)
    notes = []
    variance, source = _variance(field, sums, skies, how.gain)
    if variance is None:
        notes.append("it has no errors, so none are given; name error=, gain= or an annulus")
    elif source == "sky scatter" and how.gain is None:
        notes.append("it has no errors: those given come from the scatter of the sky alone")
    elif not (variance[sums.used > 0] > 0).any():
        notes.append("the errors of all its pixels there are 0, and so are those given; name error= or gain=")
    factors = field.calibration(how.zero_point, how.vega)
    solid, where = field.solid_angles(*places, exact=how.pixel_area == "wcs")
    if factors.known and factors.per_area and not np.isfinite(solid).any():
        factors = type(factors)(np.nan, False, f"the solid angle of pixels is not known: {where}")
    if not factors.known:
        notes.append(f"no flux in Jy and no magnitudes ({factors.how}); flux is the sum less the sky")
    elif factors.no_vega:
        notes.append(factors.no_vega)
    expected = None if sizes is None else np.pi * sizes**2
    made = Measured(*places, sums, expected, skies, variance, field.unit, factors, solid, correction)
    return made, notes
