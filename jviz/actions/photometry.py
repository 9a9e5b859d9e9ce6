"""Commands of aperture photometry."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import numpy as np

from jviz.actions.region_measure import chosen
from jviz.aperture_measuring import (
    Photometry,
    correction_table,
    in_circles,
    in_regions,
    is_none,
    ring_meant,
    sizes_meant,
    vega_meant,
)
from jviz.backend.photometry.circles import Statistic
from jviz.backend.photometry.tables import FLAGS, NO_SKY, NOTHING, Measured, aperture_table, flags_of
from jviz.backend.progress import Progress
from jviz.commands import command
from jviz.data import WithPicture
from jviz.errors import CommandError
from jviz.flags import DEFAULT_FLAGS
from jviz.photometry import Field, places_meant
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
    vega: Any = None,
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
    annulus : (inner, outer), name of a region or "none", optional
        Where the sky is taken from: a ring round each place (in pixels, or two angles), or one region for all. By
        default none, or with radii as parts of the light the ring of the table of corrections (skyin, skyout).
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
    vega : float, file or table, optional
        m(AB) − m(Vega) of the filter: a number, an ABVEGAOFFSET reference file of JWST, or a table with the column
        abvega_offset (and filter, pupil, detector); by default that of filters of NIRCam, MIRI, WFC3 and ACS.
    pixel_area : {"header", "wcs"}
        The solid angle of pixels: PIXAR_SR of the header, or that at each place.
    plane, index : optional
        The first plane, and the slice in the middle of a cube, by default.

    Returns
    -------
    QTable
        id, x, y, sky, aperture_sum, aperture_sum_err, background (of one pixel), background_err, area, flux,
        flux_err (Jy, or the unit of the image), snr, flux_limit (3 σ, where S/N < 3), abmag, abmag_err,
        abmag_limit, vegamag, vegamag_err (where the filter is known), n_masked, flags.
        ``meta["notes"]`` says what could not be had and why.
    """
    field = Field(session, data, exclude_flags=exclude_flags, error=error, plane=plane, index=tuple(index))
    table = correction_table(session, aperture_correction, data.header)
    how = Photometry(sky_meant(session, data, annulus), None if table is not None else aperture_correction, table,
                     sky, sky_clip, gain, zero_point, pixel_area, vega_meant(session, vega))  # fmt: skip
    if positions is not None and region is not None:
        raise CommandError("Give regions or positions, not both.")
    if positions is None:
        measured, notes, recorded = _of_regions(session, field, region, how, progress)
        sizes = None
    else:
        sizes = sizes_meant(radii, table, data)
        ring, said = ring_meant(annulus, radii, table, sizes)
        how = how if ring is annulus else replace(how, annulus=ring)
        measured, notes, recorded = _of_places(session, field, positions, sizes, how, progress)
        notes += [said] if said else []
    result = aperture_table(measured, field.coordinates(measured.x, measured.y))
    result.meta |= _meta(field, sizes, measured, notes, result)
    return Apply(lambda: _told(session, data, result), f"Aperture Photometry of {data.name}", recorded)


def _of_regions(
    session: Session, field: Field, region: Any, how: Photometry, progress: Progress
) -> tuple[Measured, list[str], dict[str, Any]]:
    """Return what was measured, what could not be had, and the arguments to record."""
    subsets = _regions_meant(session, region, field.data)
    measured, notes = in_regions(field, subsets, how, progress)
    names = [subset.name for subset in subsets]
    return replace(measured, first={"name": names}), notes, {"region": names if region is None else region}


def _of_places(
    session: Session, field: Field, positions: Any, sizes: np.ndarray, how: Photometry, progress: Progress
) -> tuple[Measured, list[str], dict[str, Any]]:
    """Return what was measured, what could not be had, and the arguments to record."""
    x, y = places_meant(session, field.data, positions)
    _check_places(x, y, field.data, field)
    measured, notes = in_circles(field, x, y, sizes, how, progress)
    at_cursor = isinstance(positions, str) and positions.strip().lower() == "cursor"
    return measured, notes, {"positions": [(float(x[0]), float(y[0]))]} if at_cursor else {}


def sky_meant(session: Session, data: Any, annulus: Any) -> Any:
    """Return two radii, the region of the sky, or None."""
    if annulus is None or is_none(annulus):
        return None
    if isinstance(annulus, list | tuple) or (hasattr(annulus, "isscalar") and not annulus.isscalar):
        if len(annulus) != 2:
            raise CommandError("An annulus has two radii, inner and outer; or give the name of a region.")
        return tuple(annulus)
    [subset] = chosen(session, annulus, data)[:1]
    return subset


def _told(session: Session, data: Any, result: Any) -> Any:
    """Say in one sentence what could not be had."""
    if notes := result.meta["notes"]:
        session.notice("warning", f"Photometry of {data.name}: {'; '.join(notes)}.")
    return result


def _meta(field: Field, sizes: Any, measured: Measured, notes: list[str], result: Any) -> dict[str, Any]:
    flags = flags_of(measured)
    lost, bare = (int(((flags & bit) != 0).sum()) for bit in (NOTHING, NO_SKY))
    if lost:
        notes.append(f"{lost} of {len(result)} have no pixel to use (off the image, NaN or flagged) and stay NaN")
    if bare:
        notes.append(f"{bare} of {len(result)} have too few pixels for the sky; choose another annulus")
    return {
        "data": field.data.name, "excluded_bits": field.bits, "calibration": measured.calibration.how,
        "abvega_offset": measured.calibration.vega,
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
