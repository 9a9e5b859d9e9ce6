"""The command that measures every source of an image."""

from __future__ import annotations

from typing import Any

import numpy as np

from jviz.actions.photometry_sources import MENU, Prepared, prepare, segment_image, with_places
from jviz.aperture_measuring import correction_table
from jviz.backend.photometry.catalogs import (
    ENERGIES,
    STAR_LIMITS,
    add_concentrations,
    add_fluxes,
    energy_radii,
    shapes,
    star_limits,
)
from jviz.backend.photometry.circles import Block, sums_in_circles
from jviz.backend.photometry.corrections import corrections_at, radius_of_energy
from jviz.backend.photometry.sources import Found, segments
from jviz.backend.progress import Progress
from jviz.catalogs import catalog_of
from jviz.commands import command
from jviz.data import Catalog, Image
from jviz.errors import CommandError
from jviz.flags import DEFAULT_FLAGS
from jviz.photometry import Field
from jviz.running import Apply, add_data
from jviz.session import Session


@command("photometry.catalog", title="Source Catalogue…", menu=MENU, job=True, group="sources", needs="image",
         icon="fa6s.table-list")  # fmt: skip
def catalog(
    session: Session,
    data: Image,
    detection: Image | None = None,
    snr: float = 3.0,
    *,
    npixels: int = 5,
    fwhm: float = 2.0,
    deblend: bool = True,
    contrast: float = 0.005,
    box_size: int = 64,
    psf_fwhm: float | None = None,
    aperture_correction: Any = None,
    gain: float | None = None,
    zero_point: float | None = None,
    region: Any = None,
    exclude_flags: str | int | list[str | int] | None = DEFAULT_FLAGS,
    name: str = "",
    progress: Progress,
) -> Apply:
    """Find the sources of an image and measure positions, shapes, fluxes and magnitudes of each.

    Parameters
    ----------
    detection : Data, optional
        Where sources are looked for instead: an image of segments (integers), or another image on the same pixels.
    snr, npixels, fwhm, deblend, contrast, box_size
        As in ``photometry.detect``.
    psf_fwhm : float, optional
        Full width of stars in pixels, which gives the circles of 30, 50 and 70 % of the light of a Gaussian; by
        default these are taken from the Kron fluxes of compact bright sources.
    aperture_correction : file or table, optional
        An APCORR reference file of JWST or a table with radius, apcorr and eefraction, for these circles instead.
    gain : float, optional
        Electrons for 1 in the image, which adds Poisson noise of the sources where there are no errors.
    zero_point : float, optional
        AB magnitude of 1 in the image.
    region : str, list of str or regions.Region, optional
        Where no sources are looked for.

    Returns
    -------
    Catalog
        Names as in the JWST pipeline and photutils: label, x_centroid, y_centroid, sky_centroid, area,
        semimajor_axis, semiminor_axis, orientation, ellipticity, fwhm, kron_radius, isophotal_flux, kron_flux,
        aper30_flux, aper50_flux, aper70_flux, aper_total_flux, each with _flux_err, _abmag and _abmag_err,
        background, CI_50_30, CI_70_50, is_extended. ``meta["notes"]`` says what could not be had.
    """
    prepared = prepare(session, data, box_size, "background", region, exclude_flags, progress)
    options = {"snr": snr, "npixels": npixels, "fwhm": fwhm, "deblend": deblend, "contrast": contrast}
    found, fresh = _found(session, data, detection, prepared, options, box_size, exclude_flags, progress)
    progress(2, 3, f"measuring {found.image.n_labels} sources")
    error, source = _errors(prepared, gain)
    table, sources = shapes(prepared.values, found.image, smooth=found.smooth, error=error, mask=prepared.mask)
    field = Field(session, data, exclude_flags=exclude_flags)
    radii, corrections, what = _circles(session, table, sources, psf_fwhm, aperture_correction, data)
    notes = _add_circles(table, prepared, field, radii, corrections, error, zero_point)
    limits = star_limits(radii) if aperture_correction is None else STAR_LIMITS
    add_concentrations(table, limits)
    if source:
        notes.append(source)
    table = with_places(table, field, data)
    table.meta |= {
        "radii": radii.tolist(),
        "aperture_correction": corrections.tolist(),
        "psf": what,
        "star_limits": [float(v) for v in limits],
        "notes": notes,
    }
    made = catalog_of(table, name or f"{data.name} catalogue")
    maps = [segment_image(found, prepared.picture, data)] if fresh else []

    def end() -> Catalog:
        add_data(session, maps)
        if notes:
            session.notice("warning", f"Catalogue of {data.name}: {'; '.join(notes)}.")
        return made

    return Apply(end, f"Catalogue of {len(table)} Sources in {data.name}")


def _found(
    session: Session, data: Image, detection: Image | None, prepared: Prepared, options: dict[str, Any], box_size: int,
    flags: Any, progress: Progress,
) -> tuple[Found, bool]:  # fmt: skip
    """Return the segments, and whether they are new."""
    from photutils.segmentation import SegmentationImage

    where = prepared
    if detection is not None:
        plane = detection.plane()
        if plane.shape[-2:] != prepared.picture.shape:
            raise CommandError(f"{detection.name} has shape {plane.shape}; {data.name} has {prepared.picture.shape}.")
        if plane.dtype.kind in "iu":
            labels = plane.read().reshape(prepared.picture.shape).astype(np.int32)
            if not (labels > 0).any() or (labels < 0).any():
                raise CommandError(f"{detection.name} holds no segments: labels are integers above 0.")
            return Found(SegmentationImage(labels), np.where(prepared.mask, 0, prepared.values)), False
        where = prepare(session, detection, box_size, "background", None, flags, progress)
    found = segments(where.values, where.rms, mask=where.mask | prepared.mask, progress=progress, **options)
    if found is None:
        raise CommandError(f"No source of {data.name} is above S/N {options['snr']:g}; lower snr or npixels.")
    return found, True


def _errors(prepared: Prepared, gain: float | None) -> tuple[np.ndarray, str]:
    """Return the errors of the pixels, and a note where they are not those of the data."""
    if gain is not None and not gain > 0:
        raise CommandError(f"A gain of {gain:g} is none; give the electrons for 1 in the image, above 0.")
    if prepared.picture.error is not None and gain is None:
        return prepared.picture.error.astype(prepared.values.dtype), ""
    sky = np.where(np.isfinite(prepared.rms), prepared.rms, 0)
    if gain is None:
        return sky, "it has no errors: those given come from the scatter of the background alone"
    light = np.nan_to_num(prepared.values).clip(0)
    return np.sqrt(sky**2 + light / gain).astype(prepared.values.dtype), ""


def _circles(
    session: Session, table: Any, sources: Any, psf_fwhm: float | None, correction: Any, data: Image
) -> tuple[np.ndarray, np.ndarray, str]:
    """Return radii of the parts of a point's light, the corrections to all of it, and what they are from."""
    parts = np.array(ENERGIES) / 100
    rows = correction_table(session, correction, data.header)
    if rows is not None:
        radii = np.array([radius_of_energy(rows, part) for part in parts])
        return radii, corrections_at(rows, radii), "table of aperture corrections"
    if psf_fwhm is None:
        radii, what = energy_radii(sources, table), "Kron fluxes of compact bright sources"
    else:
        radii = float(psf_fwhm) / np.sqrt(8 * np.log(2)) * np.sqrt(-2 * np.log(1 - parts))
        what = f"Gaussian with a FWHM of {psf_fwhm:.3g} pixels"
    if not (radii > 0).all():
        raise CommandError("The light of stars is not known: no source has a shape; give psf_fwhm in pixels.")
    return radii, 1 / parts, what


def _add_circles(
    table: Any, prepared: Prepared, field: Field, radii: np.ndarray, corrections: np.ndarray, error: np.ndarray,
    zero_point: float | None,
) -> list[str]:  # fmt: skip
    """Add sums in circles and turn all sums into fluxes; return what could not be had."""
    values = np.where(prepared.mask, np.nan, prepared.values).astype(prepared.values.dtype)

    def read(rows: slice, columns: slice) -> Block:
        return Block(values[rows, columns], error[rows, columns])

    x, y = (np.asarray(table[n], float) for n in ("x_centroid", "y_centroid"))
    sums = sums_in_circles(read, values.shape, x, y, radii, kind="error")
    for k, part in enumerate(ENERGIES):
        table[f"aper{part}_flux"] = np.where(sums.used[:, k] > 0, sums.sum[:, k], np.nan)
        table[f"aper{part}_flux_err"] = np.sqrt(sums.variance[:, k])
    for suffix in ("", "_err"):
        table[f"aper_total_flux{suffix}"] = table[f"aper{ENERGIES[-1]}_flux{suffix}"] * corrections[-1]
    calibration = field.calibration(zero_point)
    solid, where = field.solid_angles(x, y)
    notes = []
    if calibration.per_area and not np.isfinite(solid).any():
        calibration = type(calibration)(np.nan, False, f"the solid angle of pixels is not known: {where}")
    if not calibration.known:
        notes.append(f"no flux in Jy and no magnitudes ({calibration.how})")
    factor = calibration.factor * (solid if calibration.per_area else 1.0) if calibration.known else np.ones(len(x))
    for stem in ("isophotal", "kron", *(f"aper{part}" for part in ENERGIES), "aper_total"):
        add_fluxes(table, f"{stem}_flux", factor, calibration, field.unit)
    table["max_value"] = np.asarray(table["max_value"]) * field.unit
    rows, columns = (np.rint(np.nan_to_num(v)).astype(int).clip(0, n - 1)
                     for v, n in ((y, values.shape[0]), (x, values.shape[1])))  # fmt: skip
    table["background"] = prepared.level[rows, columns] * field.unit
    return notes
