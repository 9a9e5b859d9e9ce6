"""The command that fits ellipses of equal surface brightness to a galaxy."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from jviz.actions.photometry_psf import lay_over
from jviz.actions.photometry_sources import MENU, scene_of
from jviz.actions.view import open_view
from jviz.backend.images.picture import Picture
from jviz.backend.photometry.fluxes import AB_ZERO, Calibration
from jviz.backend.photometry.isophotes import fit_growing, model_of
from jviz.backend.progress import Progress
from jviz.backend.room import let_go, room
from jviz.backend.skymap import SR_PER_ARCSEC2
from jviz.catalogs import catalog_of
from jviz.commands import command
from jviz.data import Catalog, Image
from jviz.errors import CommandError
from jviz.flags import DEFAULT_FLAGS
from jviz.isophote_preview import first_ellipse, others_of
from jviz.photometry import Field, places_meant
from jviz.pictures import data_from, plane_wcs
from jviz.running import Apply, add_data
from jviz.session import Session

Fixed = Literal["center", "ellipticity", "angle"]
ERRORS = {"center": ("x0_err", "y0_err"), "ellipticity": ("ellipticity_err",), "angle": ("pa_err",)}
"""Errors that there are none of where something is fixed."""


@command("photometry.isophotes", title="Isophotes…", menu=MENU, job=True, group="growth", needs="image",
         icon="mdi6.ellipse-outline")  # fmt: skip
def isophotes(
    session: Session,
    data: Image,
    center: Any = "cursor",
    sma: float = 10.0,
    *,
    ellipticity: float | None = None,
    angle: float | None = None,
    step: float = 0.1,
    linear: bool = False,
    minimum: float = 0.0,
    maximum: float | None = None,
    fixed: list[Fixed] = (),  # type: ignore[assignment]
    recenter: bool = True,
    clip: float = 3.0,
    clips: int = 2,
    background: float = 0.0,
    harmonics: bool = True,
    model: bool = True,
    region: Any = None,
    segmentation: Image | None = None,
    exclude_flags: str | int | list[str | int] | None = DEFAULT_FLAGS,
    zero_point: float | None = None,
    name: str = "",
    progress: Progress,
) -> Apply:
    """Fit ellipses of equal surface brightness to a galaxy: profiles of intensity, shape and angle, model, residual.

    After Jedrzejewski (1987, MNRAS 226, 747), as in photutils; those of more than 870 pixels on means of 2 × 2
    pixels, of more than 1,740 on means of 4 × 4, and so on.

    Parameters
    ----------
    center : (float, float), SkyCoord, str or "cursor"
        Where the galaxy is: a pixel, a place on the sky, the place under the cursor or in the middle of the view.
    sma : float
        First semi-major axis, in pixels; where it cannot be fitted, others are tried.
    ellipticity, angle : float, optional
        Of the first ellipse: 1 − b/a, degrees from +x counter-clockwise; by default from the moments of the light.
    step : float
        Each semi-major axis is longer than the one before by this part of it; with ``linear`` by so many pixels.
    minimum, maximum : float
        Semi-major axes in pixels; without a maximum until the signal is lost in the noise.
    fixed : list of {"center", "ellipticity", "angle"}
        What stays as it is.
    recenter : bool
        Begin at the brightest pixel within 6 pixels of the centre.
    clip, clips : float, int
        Values along an ellipse farther than so many σ from their mean are left out, so many times.
    background : float
        Level that is subtracted first, in the unit of the image.
    harmonics : bool
        Have the third and fourth harmonics in the model.
    model : bool
        Make the image of the ellipses, and the residual, which lies over the image to blink with.
    region : str, list of str or regions.Region, optional
        Whose pixels are not used.
    segmentation : Data, optional
        An image of segments: pixels of others than the one at the centre are not used.
    zero_point : float, optional
        AB magnitude of 1 in the image.

    Returns
    -------
    Catalog
        A row for each ellipse: sma (pixels, and arcseconds where the sky is known), intensity, ellipticity, pa (degrees
        from +x), position_angle (east of north), x0, y0, a3, b3, a4, b4 (over the semi-major axis and the gradient; b4
        above 0 is discy, below 0 boxy), each with _err, gradient, rms, n_data, n_flagged, stop_code (0: converged, 1:
        too few points, 2: not converged, 4 and 5: geometry taken over), surface_brightness (AB mag/arcsec²).
    """
    _check(step, minimum, maximum, fixed)
    x, y = (float(v[0]) for v in places_meant(session, data, center))
    pixels = Pixels(session, data, region, segmentation, exclude_flags, (x, y), background, progress)
    x, y, *shape = first_ellipse(pixels.read, pixels.shape, (x, y), float(sma), ellipticity, angle, recenter=recenter)
    try:
        table = fit_growing(
            pixels.read, pixels.shape, (x, y), float(sma), *shape, step=step, linear=linear, minimum=minimum,
            maximum=maximum, fixed=fixed, clip=clip, clips=clips, progress=progress,
        )  # fmt: skip
    except ValueError as error:
        raise CommandError(f"{data.name} at ({x:.1f}, {y:.1f}): {error}.") from None
    for column in (column for one in fixed for column in ERRORS[one]):
        table[column][:] = np.nan * getattr(table[column], "unit", 1)
    made = _images(data, table, pixels, harmonics, progress) if model else []
    notes = _with_units(table, pixels.scene.field, data, pixels.scene.field.calibration(zero_point))
    table.meta |= {"image": data.name, "center": [x, y], "background": background, "notes": notes}
    catalog = catalog_of(table, name or f"{data.name} isophotes")
    return Apply(lambda: _shown(session, data, catalog, made, notes), f"Isophotes of {data.name}",
                 {"center": (x, y), "recenter": False})  # fmt: skip


def _check(step: float, minimum: float, maximum: float | None, fixed: Any) -> None:
    if not step > 0 or minimum < 0 or (maximum is not None and maximum <= max(minimum, 3)):
        raise CommandError("The step is above 0, the minimum 0 or more, and the maximum above it and 3 pixels.")
    unknown = [one for one in fixed if one not in ("center", "ellipticity", "angle")]
    if unknown or len(set(fixed)) == 3:
        raise CommandError(f"{fixed} cannot be fixed; choose one or two of center, ellipticity, angle.")


class Pixels:
    """The pixels of an image round a galaxy, a part at a time.

    Parameters
    ----------
    segmentation : Image, optional
        Segments of others than the one at the place are not used.
    place : (float, float)
        On the galaxy.
    background : float
        Is subtracted.
    """

    def __init__(
        self, session: Session, data: Image, region: Any, segmentation: Image | None, flags: Any,
        place: tuple[float, float], background: float, progress: Progress,
    ) -> None:  # fmt: skip
        progress(0, 0, "pixels that are used")
        self.scene = scene_of(session, data, region, flags)
        self.shape = ny, nx = self.scene.shape
        if not (0 <= place[0] <= nx - 1 and 0 <= place[1] <= ny - 1):
            raise CommandError(f"The centre ({place[0]:.1f}, {place[1]:.1f}) lies off {data.name}.")
        self._background = background
        self._others = None if segmentation is None else others_of(segmentation, data, place)

    def read(self, rows: slice, columns: slice) -> np.ndarray:
        """Return pixels as float64, NaN where they are not used."""
        values = self.scene.used(rows, columns)
        if self._others is not None:
            values[self._others(rows, columns)] = np.nan
        values -= self._background
        return values


def _images(data: Image, table: Any, pixels: Pixels, harmonics: bool, progress: Progress) -> list[Image]:
    model = model_of(table, pixels.shape, harmonics=harmonics, progress=progress)
    rest = room(pixels.shape, np.float32)
    for rows in pixels.scene.parts:
        progress(rows.start, pixels.shape[0], "residual")
        rest[rows] = pixels.read(rows, slice(0, pixels.shape[1])) - model[rows]
        let_go(rest, model)
    plain = Picture(model, None, None, data.plane().unit, plane_wcs(data))
    return [data_from(plain, f"{data.name} model", data, f"isophotes of {data.name}"),
            data_from(plain.but(values=rest), f"{data.name} residual", data,
                      f"{data.name} less its isophotes")]  # fmt: skip


def _with_units(table: Any, field: Field, data: Image, calibration: Calibration) -> list[str]:
    """Give the intensities their unit, and add lengths and angles on the sky and magnitudes where they can be had."""
    from astropy import units as u

    light, error = (np.asarray(table[n], float) for n in ("intensity", "intensity_err"))
    for name in ("intensity", "intensity_err", "rms"):
        table[name] = np.asarray(table[name], float) * field.unit
    for name in ("gradient", "gradient_err"):
        table[name] = np.asarray(table[name], float) * field.unit / u.pix
    x, y = (table[n].value for n in ("x0", "y0"))
    if data.sky is not None:
        scale = data.sky.pixel_scale(float(x[0]), float(y[0])).mean
        table.add_column(table["sma"].value * scale * u.arcsec, 1, "sma_arcsec")
        turn = np.radians(table["pa"].value)
        here, there = field.coordinates(x, y), field.coordinates(x + np.cos(turn), y + np.sin(turn))
        angles = here.position_angle(there).deg % 180 * u.deg
        table.add_column(angles, table.index_column("pa_err") + 1, "position_angle")
    notes = []
    solid, where = field.solid_angles(x, y)
    area = solid / SR_PER_ARCSEC2
    if not calibration.known or not np.isfinite(area).any():
        notes.append(f"no surface brightness in magnitudes ({calibration.how if not calibration.known else where})")
        return notes
    jansky = calibration.factor * (SR_PER_ARCSEC2 if calibration.per_area else 1 / area)
    with np.errstate(invalid="ignore", divide="ignore"):
        mag = -2.5 * np.log10(light * jansky / AB_ZERO)
        mag_err = 2.5 * np.log10(1 + error / np.abs(light))
    unit = u.mag / u.arcsec**2
    table["surface_brightness"] = mag * unit
    table["surface_brightness_err"] = np.where(light > 0, mag_err, np.nan) * unit
    return notes


def _shown(session: Session, data: Image, catalog: Catalog, made: list[Image], notes: list[str]) -> Catalog:
    """Add what was made, draw the ellipses over the image, and plot the profile."""
    add_data(session, [catalog, *made])
    table = open_view(session, "table", catalog)
    table.layers[0].image = data
    bright = bool((np.asarray(catalog.table["intensity"].value) > 0).sum() > 3)
    open_view(session, "scatter", catalog, x="sma", y="intensity", y_log=bright, errors=True)
    if made:
        lay_over(session, data, made[-1], visible=False)
    if notes:
        session.notice("info", f"Isophotes of {data.name}: {'; '.join(notes)}.")
    return catalog
