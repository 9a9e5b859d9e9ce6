"""What commands of PSF photometry share: noise and background, places picked, PSFs as data, the table of stars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from jviz.backend.io.product import Plane, Product, Unit
from jviz.backend.photometry.fluxes import AB_ZERO, magnitudes
from jviz.backend.photometry.psf_fitting import Fitted
from jviz.backend.photometry.psfs import PsfModel
from jviz.catalogs import places_on
from jviz.data import Catalog, Psf, WithPicture, from_product
from jviz.errors import CommandError
from jviz.photometry import Field, places_meant

__all__ = ["FLAGS", "picked_places", "psf_data", "psf_table", "saturated_near", "scale_meta",
           "scale_notes"]  # fmt: skip

SAME, MOST_COMPARED = 1.0, 2000
"""Pixels within which two points are on one star; of more stars than that none was picked by hand."""

MASKED, EDGE, SATURATED, NOTHING, RESTLESS, AT_LIMIT, NO_FLUX, OFF = 1, 2, 4, 16, 32, 64, 128, 256
FLAGS = {
    MASKED: "pixels of the box without a value or with an excluded flag are left out",
    EDGE: "the box reaches beyond the image",
    SATURATED: "saturated pixels in the box; they are left out",
    NOTHING: "no pixel to use",
    RESTLESS: "the fit has not settled",
    AT_LIMIT: "the star would have moved farther than it may",
    NO_FLUX: "the flux is not above 0",
    OFF: "off the image",
}
"""Bits of the column ``flags``; the first ones as in aperture photometry."""

_WORDS = {
    "flux_fit": "flux in the unit of the image",
    "chi2": "reduced chi square of the pixels in the box",
    "qfit": "sum of the absolute residuals over the flux",
    "cfit": "residual of the middle pixel over the flux",
    "n_masked": "pixels in the box that are not used",
    "group_id": "stars that were fitted at once",
    "abmag_err": "2.5 log10(1 + flux_err / flux)",
}


def psf_data(model: PsfModel, name: str, label: str, notes: Sequence[tuple[str, Any, str]] = ()) -> Psf:
    """Make data of a PSF."""
    values = model.values[0] if len(model.values) == 1 else model.values
    values = np.ascontiguousarray(values)
    plane = Plane("PSF", values.shape, values.dtype, lambda progress: values)
    unit = Unit(0, "PSF", 1, "PSF made in jviz", values.shape, values.dtype.name, "", (*model.cards(), *notes))
    made = from_product(Product("psf", name, label, planes={"PSF": plane}, units=(unit,)), name)
    assert isinstance(made, Psf)
    return made


def scale_meta(psf: Psf, ending: str = "") -> dict[str, float]:
    """Return what all fluxes by a PSF that was built from stars share, as parts of them.

    ``flux_systematic`` is their error, ``flux_beyond`` the light beyond the PSF, which is in them, with its error.
    """
    names = {"flux_systematic": "PSFDOUBT", "flux_beyond": "PSFBEYON", "flux_beyond_err": "PSFBEYER"}
    found = {name: psf.header.get(card) for name, card in names.items()}
    return {name + ending: float(value) for name, value in found.items() if value is not None}


def scale_notes(psf: Psf) -> list[str]:
    """Say what the stars that a PSF was built from leave open of its light, where it is above 0.1 %."""
    doubt, beyond, error = (float(psf.header.get(word) or 0) for word in ("PSFDOUBT", "PSFBEYON", "PSFBEYER"))
    said = []
    if doubt >= 0.001:
        said.append(
            f"all fluxes by {psf.name} share an error of {100 * doubt:.1f} %, from the {psf.header.get('NSTARS')} "
            "stars it is made of and its wings, which is not in flux_err; more or brighter stars lower it"
        )
    if beyond >= 0.001:
        said.append(
            f"{100 * beyond:.1f} ± {100 * error:.1f} % of the light lies beyond {psf.name}, by rings round its stars "
            "and how they fall off, and is in the fluxes"
        )
    return said


def picked_places(session: Any, data: WithPicture) -> tuple[np.ndarray, np.ndarray, list[tuple[float, float]]]:
    """Return the places of the stars that are picked: selected rows of catalogues, else selected or all point regions.

    Returns
    -------
    x, y : ndarray
    recorded : list of (float, float)
        The same, for the script.

    Raises
    ------
    CommandError
        When nothing is picked.
    """
    found = _selected_rows(session, data) or _points(session, data)
    if not found:
        raise CommandError(
            f"No stars are picked on {data.name}: select rows of a catalogue, draw points on stars, or give positions."
        )
    places = _each_once(np.concatenate(found))
    return places[:, 0], places[:, 1], [(round(float(x), 3), round(float(y), 3)) for x, y in places]


def _each_once(places: np.ndarray) -> np.ndarray:
    """Leave out places of stars that were picked before, to a pixel."""
    far = np.abs(places[:, None] - places).max(axis=2) <= SAME
    return places[~np.tril(far, -1).any(axis=1)] if len(places) <= MOST_COMPARED else places


def _selected_rows(session: Any, data: WithPicture) -> list[np.ndarray]:
    found = []
    for subset in session.subsets.values():
        if isinstance(subset.data, Catalog) and subset.kind == "mask" and subset.visible:
            places = places_on(subset.data, data)
            if places is not None and subset.region.any():
                found.append(np.c_[places][subset.region])
    return found


def _points(session: Any, data: WithPicture) -> list[np.ndarray]:
    from jviz.backend.regions.converting import is_pixel, to_pixel

    points = [s for s in session.subsets.values() if s.on_images and s.shape == "point" and s.visible]
    chosen = [s for s in points if s.name in session.interaction.selected]
    found = []
    for subset in chosen if len(chosen) > 1 else points:
        region = subset.region if is_pixel(subset.region) else to_pixel(subset.region, data)
        found.append(np.array([[float(region.center.x), float(region.center.y)]]))
    return found


def stars_meant(
    session: Any, data: WithPicture, positions: Any
) -> tuple[np.ndarray, np.ndarray, list[tuple[float, float]] | None]:
    """Return the places of stars: those given, or those picked where nothing is given or "picked"."""
    if positions is None or (isinstance(positions, str) and positions.strip().lower() == "picked"):
        return picked_places(session, data)
    x, y = places_meant(session, data, positions)
    if not len(x):
        raise CommandError("There are no positions: the catalogue or the list is empty.")
    return x, y, None


def check_on(x: np.ndarray, y: np.ndarray, data: WithPicture) -> None:
    """Raise when no place lies on an image."""
    ny, nx = data.shape[-2:]
    if not ((x > -0.5) & (y > -0.5) & (x < nx - 0.5) & (y < ny - 0.5)).any():
        raise CommandError(f"None of the {len(x)} positions lies on {data.name} ({nx} × {ny} pixels).")


def saturated_near(dq: np.ndarray | None, bits: int, x: np.ndarray, y: np.ndarray, half: int) -> np.ndarray:
    """Return which places have a saturated pixel in their box."""
    found = np.zeros(len(x), bool)
    good = np.isfinite(x) & np.isfinite(y)
    if dq is None or not bits or not good.any():
        return found
    bad = np.pad((dq.astype(np.int64) & bits) != 0, half)
    if not bad.any():
        return found
    ny, nx = dq.shape
    j, i = np.rint(np.where(good, x, -9)).astype(int), np.rint(np.where(good, y, -9)).astype(int)
    inside = good & (i >= 0) & (j >= 0) & (i < ny) & (j < nx)
    for dy in range(2 * half + 1):
        for dx in range(2 * half + 1):
            found[inside] |= bad[i[inside] + dy, j[inside] + dx]
    return found


def flags_of(fitted: Fitted, saturated: np.ndarray) -> np.ndarray:
    """Return the bits of `FLAGS` of each star."""
    off = fitted.group == 0
    bits = np.where(off, OFF, 0)
    bits |= np.where(fitted.n_masked > 0, MASKED, 0) | np.where((fitted.n_beyond > 0) & ~off, EDGE, 0)
    bits |= np.where(saturated, SATURATED, 0) | np.where(~fitted.usable & ~off, NOTHING, 0)
    bits |= np.where(fitted.usable & ~fitted.at_rest, RESTLESS, 0) | np.where(fitted.at_limit, AT_LIMIT, 0)
    with np.errstate(invalid="ignore"):
        return bits | np.where(fitted.usable & (fitted.flux <= 0), NO_FLUX, 0)


def psf_table(
    field: Field, fitted: Fitted, level: np.ndarray, zero_point: float | None, saturated: np.ndarray
) -> tuple[Any, list[str]]:
    """Return the ``QTable`` of stars, and what could not be had.

    Parameters
    ----------
    level : ndarray, shape (n,)
        Background at each star.
    """
    from astropy import units as u
    from astropy.table import QTable

    x, y = fitted.x, fitted.y
    error = fitted.flux_error
    table = QTable({"id": np.arange(1, len(x) + 1), "x": x, "y": y})
    if field.data.sky is not None:
        table["sky"] = field.coordinates(x, y)
    table["x_err"], table["y_err"] = fitted.x_error, fitted.y_error
    table["flux_fit"], table["flux_fit_err"] = fitted.flux * field.unit, error * field.unit
    factor, unit, notes = _factor(field, x, y, zero_point)
    flux, flux_error = fitted.flux * factor, error * factor
    table["flux"], table["flux_err"] = flux * unit, flux_error * unit
    with np.errstate(divide="ignore", invalid="ignore"):
        table["snr"] = fitted.flux / error
    magnitude = magnitudes(flux, flux_error) if unit == u.Jy else (np.full(len(x), np.nan),) * 2
    table["abmag"], table["abmag_err"] = (values * u.mag for values in magnitude)
    found = field.calibration(zero_point)
    if found.no_vega and not notes:
        notes = [found.no_vega]
    if np.isfinite(offset := found.vega):
        table["vegamag"], table["vegamag_err"] = (magnitude[0] - offset) * u.mag, magnitude[1] * u.mag
    table["background"] = level * field.unit
    for name, values in {
        "chi2": fitted.chi2, "qfit": fitted.qfit, "cfit": fitted.cfit, "n_used": fitted.n_used,
        "n_masked": fitted.n_masked, "group_id": fitted.group, "group_size": fitted.size,
    }.items():  # fmt: skip
        table[name] = values
    table["flags"] = flags_of(fitted, saturated)
    for name, words in _WORDS.items():
        if name in table.colnames:
            table[name].info.description = words
    table["flags"].info.description = "; ".join(f"{bit}: {words}" for bit, words in FLAGS.items())
    table.meta |= {"data": field.data.name, "zero": AB_ZERO, "excluded_bits": field.bits}
    return table, notes


def _factor(field: Field, x: np.ndarray, y: np.ndarray, zero_point: float | None) -> tuple[np.ndarray, Any, list[str]]:
    """Return what fluxes are multiplied by, their unit then, and what is missing."""
    from astropy import units as u

    found = field.calibration(zero_point)
    how = found.how
    factor = np.full(len(x), found.factor)
    if found.known and found.per_area:
        solid, where = field.solid_angles(x, y)
        factor = factor * solid
        if not np.isfinite(factor).any():
            how = f"the solid angle of pixels is not known: {where}"
    if found.known and np.isfinite(factor).any():
        return factor, u.Jy, []
    words = f"no flux in Jy and no magnitudes ({how}); flux is in the unit of the image"
    return np.ones(len(x)), field.unit, [words]
