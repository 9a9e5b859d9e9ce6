"""The command that measures every source of an image."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from jviz.actions.photometry_sources import MENU, scene_of, segment_image, with_places
from jviz.aperture_measuring import correction_table, vega_meant
from jviz.backend.photometry.catalogs import (
    ENERGIES,
    STAR_LIMITS,
    Errors,
    Sources,
    add_concentrations,
    add_fluxes,
    star_limits,
)
from jviz.backend.photometry.circles import Block, sums_in_circles
from jviz.backend.photometry.corrections import corrections_at, radius_of_energy
from jviz.backend.photometry.fluxes import Calibration
from jviz.backend.photometry.segmenting import Segments, Tile, find_segments
from jviz.backend.photometry.tables import FLAGS, NO_SKY, flags_of_sums
from jviz.backend.progress import Progress
from jviz.catalogs import catalog_of
from jviz.commands import command
from jviz.data import Catalog, Image
from jviz.errors import CommandError
from jviz.flags import DEFAULT_FLAGS
from jviz.photometry import Field
from jviz.photometry_tiles import Scene
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
    kron_scale: float = 2.5,
    kron_minimum: float = 1.4,
    aperture_correction: Any = None,
    gain: float | None = None,
    zero_point: float | None = None,
    vega: Any = None,
    region: Any = None,
    exclude_flags: str | int | list[str | int] | None = DEFAULT_FLAGS,
    edge: int = 0,
    morphology: bool = False,
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
        Full width of stars in pixels, as it is seen in the image, which gives the circles of 30, 50 and 70 % of the
        light of a Gaussian; by default these are taken from the Kron fluxes of compact bright sources.
    kron_scale, kron_minimum : float
        The ellipse of Kron (1980) has so many times the Kron radius, which is at least the minimum (in axes of the
        source).
    aperture_correction : file or table, optional
        An APCORR reference file of JWST or a table with radius, apcorr and eefraction, for these circles instead.
    gain : float, optional
        Electrons for 1 in the image, which adds Poisson noise of the sources where there are no errors.
    zero_point : float, optional
        AB magnitude of 1 in the image.
    vega : float, file or table, optional
        m(AB) − m(Vega), as in ``photometry.aperture``.
    region : str, list of str or regions.Region, optional
        Where no sources are looked for.
    edge : int
        No sources nearer than so many pixels to the edge of the field.
    morphology : bool
        Add Gini and M20 (Lotz et al. 2004), concentration, asymmetry and smoothness (Conselice 2003), each with its
        error, the Petrosian radius and the radii of 20, 50 and 80 % of the light; takes milliseconds for each source.

    Returns
    -------
    Catalog
        Names as in the JWST pipeline and photutils: label, x_centroid, y_centroid, sky_centroid, area,
        semimajor_axis, semiminor_axis, orientation, ellipticity, fwhm, kron_radius, isophotal_flux, kron_flux,
        aper30_flux, aper50_flux, aper70_flux, aper_total_flux, each with _flux_err, _abmag and _abmag_err (and
        _vegamag, _vegamag_err where the filter is known),
        background, flags (of the circle of 70 %, as in ``photometry.aperture``), CI_50_30, CI_70_50, is_extended; with
        ``morphology`` petrosian_radius, r20, r50, r80 (of circles),
        petrosian_sma, half_light_sma (semi-major axes of ellipses; all in pixels), petrosian_ellipticity,
        petrosian_angle (degrees from +x),
        concentration, asymmetry, smoothness, gini, m20, each with _err, snr_per_pixel and morphology_flags (a sum of
        1: no Petrosian radius, 2: low signal-to-noise, 4: neighbours or edge, 8: too small for the smoothness, 16:
        hardly larger than a pixel). ``meta["notes"]`` says what could not be had.
    """
    scene = scene_of(session, data, region, exclude_flags, edge).measure(box_size, progress=progress)
    how = {"snr": snr, "npixels": npixels, "fwhm": fwhm, "deblend": deblend, "contrast": contrast}
    found, numbers = segments_of(session, scene, detection, how, box_size, exclude_flags, progress)
    if not (kron_scale > 0 and kron_minimum >= 0):
        raise CommandError(f"An ellipse of {kron_scale:g} times the Kron radius is none; give a scale above 0.")
    error_of, source = errors_of(scene, gain)
    zeros = scene.field.calibration(zero_point, vega_meant(session, vega))
    sources = Sources(found, scene.tile, error_of, (kron_scale, kron_minimum))
    table = sources.table(progress)
    circles = _circles(session, table, sources, psf_fwhm, aperture_correction, data)
    notes = _add_circles(table, scene, circles[:2], error_of, zeros, progress) + ([source] if source else [])
    limits = star_limits(circles[0]) if aperture_correction is None else STAR_LIMITS
    add_concentrations(table, limits)
    if morphology:
        _add_morphology(table, found, scene, error_of, progress)
    table = with_places(table, scene.field, data)
    if numbers is not None:
        table["label"] = numbers
    table.meta |= _meta(*circles, limits, notes)
    made = catalog_of(table, name or f"{data.name} catalogue")
    maps = [segment_image(found, data)] if numbers is None else []

    def end() -> Catalog:
        add_data(session, maps)
        if notes:
            session.notice("warning", f"Catalogue of {data.name}: {'; '.join(notes)}.")
        return made

    return Apply(end, f"Catalogue of {len(table)} Sources in {data.name}")


def _add_morphology(table: Any, found: Segments, scene: Scene, error_of: Errors, progress: Progress) -> None:
    from astropy import units as u

    from jviz.backend.photometry.morphology import FLAGS, RADII, morphologies

    places = tuple(np.asarray(table[n], float) for n in ("x_centroid", "y_centroid"))
    numbers, flags = morphologies(found, scene.tile, error_of, places, progress=progress)  # type: ignore[arg-type]
    for name, values in numbers.items():
        unit = u.pix if name in RADII else u.deg if name == "petrosian_angle" else None
        table[name] = values if unit is None else values * unit
    table["morphology_flags"] = flags
    table["morphology_flags"].info.description = "; ".join(f"{bit}: {text}" for bit, text in FLAGS.items())


def _meta(radii: Any, corrections: Any, what: str, limits: Any, notes: list[str]) -> dict[str, Any]:
    return {"radii": radii.tolist(), "aperture_correction": corrections.tolist(), "psf": what,
            "star_limits": [float(v) for v in limits], "notes": notes}  # fmt: skip


def segments_of(
    session: Session, scene: Scene, detection: Image | None, how: dict[str, Any], box_size: int, flags: Any,
    progress: Progress,
) -> tuple[Segments, np.ndarray | None]:  # fmt: skip
    """Return the segments, and their numbers where they are those of an image of segments."""
    tiles = scene.tile
    if detection is not None:
        if detection.plane().shape[-2:] != scene.shape:
            raise CommandError(
                f"{detection.name} has shape {detection.plane().shape}; {scene.data.name} has {scene.shape}."
            )
        if detection.plane().dtype.kind in "iu":
            return _given(detection, scene)
        where = scene_of(session, detection, None, flags).measure(box_size, progress=progress)

        def tiles(rows: slice, columns: slice) -> Tile:
            found = where.tile(rows, columns)
            return replace(found, mask=found.mask | scene.tile(rows, columns).mask)

    found = find_segments(tiles, scene.shape, progress=progress, **how)
    if found is None:
        raise CommandError(f"No source of {scene.data.name} is above S/N {how['snr']:g}; lower snr or npixels.")
    return found, None


def _given(detection: Image, scene: Scene) -> tuple[Segments, np.ndarray]:
    """Return the segments of an image of segments, numbered without gaps, and their own numbers."""
    labels = detection.plane().read().reshape(scene.shape)
    if not (labels > 0).any() or (labels < 0).any():
        raise CommandError(f"{detection.name} holds no segments: labels are integers above 0.")
    numbers = np.flatnonzero(np.bincount(labels.ravel()))
    numbers = numbers[numbers > 0]
    table = np.zeros(int(numbers[-1]) + 1, np.int32)
    table[numbers] = np.arange(1, len(numbers) + 1)
    return Segments(table[labels], len(numbers), scene.tile), numbers


def errors_of(scene: Scene, gain: float | None) -> tuple[Errors, str]:
    """Return what gives the errors of the pixels of a tile, and a note where they are not those of the data."""
    if gain is not None and not gain > 0:
        raise CommandError(f"A gain of {gain:g} is none; give the electrons for 1 in the image, above 0.")
    if scene.field.has_errors and gain is None:
        return lambda tile: tile.error, ""  # type: ignore[return-value]
    if gain is None:
        note = "it has no errors: those given come from the scatter of the background alone"
        return lambda tile: np.nan_to_num(tile.rms, nan=0.0), note
    return lambda tile: np.sqrt(np.nan_to_num(tile.rms) ** 2 + np.nan_to_num(tile.values).clip(0) / gain), ""


def _circles(
    session: Session, table: Any, sources: Sources, psf_fwhm: float | None, correction: Any, data: Image
) -> tuple[np.ndarray, np.ndarray, str]:
    """Return radii of the parts of a point's light, the corrections to all of it, and what they are from."""
    parts = np.array(ENERGIES) / 100
    rows = correction_table(session, correction, data.header)
    if rows is not None:
        radii = np.array([radius_of_energy(rows, part) for part in parts])
        return radii, corrections_at(rows, radii), "table of aperture corrections"
    if psf_fwhm is None:
        radii, what = sources.energy_radii(table), "Kron fluxes of compact bright sources"
    else:
        # a sum over parts of pixels sees the star smeared once more by the pixel
        width = np.hypot(float(psf_fwhm) / np.sqrt(8 * np.log(2)), np.sqrt(1 / 12))
        radii = width * np.sqrt(-2 * np.log(1 - parts))
        what = f"Gaussian with a FWHM of {psf_fwhm:.3g} pixels"
    if not (radii > 0).all():
        raise CommandError("The light of stars is not known: no source has a shape; give psf_fwhm in pixels.")
    return radii, 1 / parts, what


def _add_circles(
    table: Any, scene: Scene, circles: tuple[np.ndarray, np.ndarray], error_of: Errors, zeros: Calibration,
    progress: Progress,
) -> list[str]:  # fmt: skip
    """Add sums in circles and turn all sums into fluxes; return what could not be had."""

    def read(rows: slice, columns: slice) -> Block:
        tile = scene.tile(rows, columns)
        values = np.where(tile.mask, np.nan, tile.values).astype(tile.values.dtype, copy=False)
        return Block(values, error_of(tile), scene.field.flags(rows, columns))

    radii, corrections = circles
    x, y = (np.asarray(table[n], float) for n in ("x_centroid", "y_centroid"))
    saturated = scene.field.saturated
    sums = sums_in_circles(read, scene.shape, x, y, radii, kind="error", saturated=saturated, progress=progress)
    for k, part in enumerate(ENERGIES):
        table[f"aper{part}_flux"] = np.where(sums.used[:, k] > 0, sums.sum[:, k], np.nan)
        table[f"aper{part}_flux_err"] = np.sqrt(sums.variance[:, k])
    for suffix in ("", "_err"):
        table[f"aper_total_flux{suffix}"] = table[f"aper{ENERGIES[-1]}_flux{suffix}"] * corrections[-1]
    notes = _add_units(table, scene.field, zeros)
    if not (sums.variance[sums.used > 0] > 0).any():
        notes.append("the errors of all pixels of its sources are 0, and so are those given; give gain=")
    rows, columns = (np.rint(np.nan_to_num(v)).astype(int).clip(0, n - 1)
                     for v, n in ((y, scene.shape[0]), (x, scene.shape[1])))  # fmt: skip
    level = np.zeros(len(x)) if scene.meshes is None else scene.meshes.level_at(rows, columns)
    table["background"] = level * scene.field.unit
    table["flags"] = flags_of_sums(sums, np.pi * radii**2)
    table["flags"].info.description = "; ".join(f"{bit}: {words}" for bit, words in FLAGS.items() if bit != NO_SKY)
    return notes


def _add_units(table: Any, field: Field, calibration: Calibration) -> list[str]:
    """Turn all sums into Jy and magnitudes where that can be had; return what could not."""
    x, y = (np.asarray(table[n], float) for n in ("x_centroid", "y_centroid"))
    solid, where = field.solid_angles(x, y)
    notes = []
    if calibration.per_area and not np.isfinite(solid).any():
        calibration = type(calibration)(np.nan, False, f"the solid angle of pixels is not known: {where}")
    if not calibration.known:
        notes.append(f"no flux in Jy and no magnitudes ({calibration.how})")
    elif calibration.no_vega:
        notes.append(calibration.no_vega)
    factor = calibration.factor * (solid if calibration.per_area else 1.0) if calibration.known else np.ones(len(x))
    for stem in ("isophotal", "kron", *(f"aper{part}" for part in ENERGIES), "aper_total"):
        add_fluxes(table, f"{stem}_flux", factor, calibration, field.unit)
    table["max_value"] = np.asarray(table["max_value"]) * field.unit
    return notes
