"""The command that finds sources once and measures them in several bands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from jviz.actions.photometry_catalog import errors_of
from jviz.actions.photometry_forced import moved, words_of
from jviz.actions.photometry_sources import MENU, scene_of, segment_image, with_sky
from jviz.actions.region_measure import chosen
from jviz.aperture_measuring import correction_table, sizes_meant, vega_meant
from jviz.backend.photometry.circles import Block, sums_in_circles
from jviz.backend.photometry.corrections import corrections_at
from jviz.backend.photometry.segmenting import Segments, find_segments
from jviz.backend.photometry.sources import segment_table
from jviz.backend.photometry.tables import FLAGS, WORDS, Measured, columns_of, flags_of
from jviz.backend.progress import Progress
from jviz.catalogs import catalog_of
from jviz.commands import command
from jviz.data import Catalog, Image
from jviz.errors import CommandError
from jviz.flags import DEFAULT_FLAGS
from jviz.photometry_bands import Together
from jviz.photometry_tiles import Scene
from jviz.running import Apply, add_data
from jviz.session import Session

COLUMNS = ("flux", "flux_err", "snr", "flux_limit", "abmag", "abmag_err", "vegamag", "vegamag_err", "n_masked")


@command("photometry.bands", title="Catalogue of Several Bands…", menu=MENU, job=True, group="sources",
         icon="fa6s.layer-group")  # fmt: skip
def bands(
    session: Session,
    data: list[Image],
    detect_on: Literal["chi2", "sum", "first"] = "chi2",
    snr: float = 3.0,
    *,
    radius: Any = 5.0,
    npixels: int = 5,
    fwhm: float = 2.0,
    deblend: bool = True,
    contrast: float = 0.005,
    box_size: int = 64,
    aperture_correction: Any = None,
    vega: Any = None,
    region: Any = None,
    exclude_flags: str | int | list[str | int] | None = DEFAULT_FLAGS,
    edge: int = 0,
    name: str = "",
    progress: Progress,
) -> Apply:
    """Find sources in several bands together, and measure each in all bands at the same place.

    Parameters
    ----------
    data : list of Image
        Bands, on the same pixels; with ``detect_on`` "first" others may have their own, and places go by the sky.
    detect_on : {"chi2", "sum", "first"}
        The χ² of the bands (of what is above 0 in each); their sum, weighed by inverse variances; or the first band
        in which anything can be measured.
    snr : float
        Threshold over the noise of the smoothed image; that of χ² is passed by noise as rarely.
    radius : float or str
        Of the circles in pixels of the first band, or an angle (``"0.3 arcsec"``): the same on the sky in all bands.
    npixels, fwhm, deblend, contrast, box_size, region, exclude_flags, edge
        As in ``photometry.detect``. The background of each band is worked out in meshes and subtracted.
    aperture_correction : float, file or table, optional
        As in ``photometry.aperture``; of a table the rows of each band's filter.
    vega : file or table, optional
        As in ``photometry.aperture``.

    Returns
    -------
    Catalog
        label, x_centroid, y_centroid, sky_centroid, area, peak_snr, and for each band flux, flux_err, snr, flux_limit
        (3 σ, where S/N < 3), abmag, abmag_err (vegamag, vegamag_err), n_masked and flags with its filter behind them.
        Bands without a pixel to look at are left out, and the notes in ``meta`` say so.
    """
    if not data:
        raise CommandError("Give two bands or more.")
    scenes, notes = _scenes(session, data, detect_on, {"box_size": box_size, "progress": progress}, region,
                            exclude_flags, edge)  # fmt: skip
    home, data = data[0], [scene.data for scene in scenes]
    how = {"npixels": npixels, "deblend": deblend, "contrast": contrast}
    found = _found(scenes, detect_on, snr, fwhm, how, progress)
    table = _places(found, scenes[0], progress)
    for scene, word in zip(scenes, words_of(data), strict=True):
        progress(0, 1, f"measuring {scene.data.name}")
        circle = _Circle(sizes_meant(radius, None, home), home, aperture_correction, vega_meant(session, vega))
        notes += _measure(session, table, scene, scenes[0], circle, word, progress)
    table.meta |= {"images": ", ".join(one.name for one in data), "detect_on": detect_on, "notes": notes}
    made, maps = catalog_of(table, name or f"{len(data)} band{'s' * (len(data) > 1)}"), segment_image(found, data[0])
    return Apply(lambda: _told(session, made, maps, notes), f"Catalogue of {len(table)} Sources in {len(data)} Bands")


def _scenes(
    session: Session, data: list[Image], detect_on: str, how: dict[str, Any], region: Any, exclude_flags: Any, edge: int
) -> tuple[list[Scene], list[str]]:
    """Return the bands less their backgrounds; bands in which nothing can be measured are left out, and why is said."""
    scenes: list[Scene] = []
    problems: list[CommandError] = []
    regions = chosen(session, region, data[0]) if region else None
    for one in data:
        place = regions if not scenes or detect_on != "first" else None
        try:
            scenes.append(scene_of(session, one, place, exclude_flags, edge).measure(**how))
        except CommandError as error:
            problems.append(error)
    if not scenes:
        raise problems[0]
    notes = [f"left out a band: {str(error).rstrip('.')}" for error in problems]
    if detect_on == "first" and scenes[0].data is not data[0]:
        notes.append(f"sources were looked for in {scenes[0].data.name}")
    return scenes, notes


def _told(session: Session, made: Catalog, maps: Image, notes: list[str]) -> Catalog:
    add_data(session, [maps])
    if notes:
        session.notice("warning", f"{made.name}: {'; '.join(notes[:3])}.")
    return made


def _found(
    scenes: list[Scene], detect_on: str, snr: float, fwhm: float, how: dict[str, Any], progress: Progress
) -> Segments:
    if detect_on == "first":
        found = find_segments(scenes[0].tile, scenes[0].shape, snr=snr, fwhm=fwhm, progress=progress, **how)
    else:
        together = Together(scenes, detect_on, fwhm)  # type: ignore[arg-type]
        found = find_segments(together.tile, together.shape, snr=together.threshold(snr), fwhm=together.fwhm,
                              progress=progress, **how)  # fmt: skip
    if found is None:
        raise CommandError(f"No source is above S/N {snr:g} in {len(scenes)} bands; lower snr or npixels.")
    return found


def _places(found: Segments, first: Scene, progress: Progress) -> Any:
    table = segment_table(found, progress)
    table.remove_column("peak")
    with_sky(table, first.field, first.data)
    return table


@dataclass(frozen=True)
class _Circle:
    """What is measured round each source: the radius in pixels of an image, which may be none of those measured."""

    size: np.ndarray
    home: Image
    correction: Any
    vega: Any


def _measure(
    session: Session, table: Any, scene: Scene, first: Scene, circle: _Circle, word: str, progress: Progress
) -> list[str]:
    """Add the columns of one band; return what could not be had."""
    from astropy import units as u

    data, field = scene.data, scene.field
    x, y = (np.asarray(table[n], float) for n in ("x_centroid", "y_centroid"))
    size, scale = circle.size, 1.0
    if scene is not first:
        x, y = moved(x, y, first.data, data)
    if data is not circle.home and circle.home.sky is not None and data.sky is not None:
        scale = circle.home.sky.pixel_scale().mean / data.sky.pixel_scale().mean
    rows = correction_table(session, circle.correction, data.header)
    factor = corrections_at(rows, size * scale) if rows is not None else np.array([float(circle.correction or 1.0)])
    error_of, note = errors_of(scene, None)

    def read(part_rows: slice, part_columns: slice) -> Block:
        tile = scene.tile(part_rows, part_columns)
        values = np.where(tile.mask, np.nan, tile.values).astype(tile.values.dtype, copy=False)
        return Block(values, error_of(tile), field.flags(part_rows, part_columns))

    sums = sums_in_circles(
        read, scene.shape, x, y, size * scale, kind="error", saturated=field.saturated, progress=progress
    )
    calibration = field.calibration(None, circle.vega)
    solid, _ = field.solid_angles(x, y)
    measured = Measured(x, y, sums, np.pi * (size * scale) ** 2, None, sums.variance, field.unit, calibration, solid,
                        factor)  # fmt: skip
    columns = columns_of(measured)
    units = {"flux": u.Jy if calibration.known else field.unit, "abmag": u.mag, "vegamag": u.mag}
    for name in COLUMNS:
        if name in columns:
            unit = units.get(name.split("_")[0])
            table[f"{name}_{word}"] = columns[name][:, 0] if unit is None else columns[name][:, 0] * unit
            table[f"{name}_{word}"].info.description = WORDS.get(name)
    table[f"flags_{word}"] = flags_of(measured)
    table[f"flags_{word}"].info.description = "; ".join(f"{bit}: {words}" for bit, words in FLAGS.items())
    said = [note] if note else []
    if not calibration.known:
        said.append(f"no flux in Jy and no magnitudes ({calibration.how})")
    return [f"{data.name}: {one}" for one in said]
