"""The command that compares the place of an image with a reference catalogue, and corrects it."""

from __future__ import annotations

from typing import Any

import numpy as np

from jviz.actions.catalog_match import chance_said
from jviz.actions.view import open_view
from jviz.astrometry import moved
from jviz.backend.catalogs.astrometry import Correction, Fit, Model, corrected, first_shift, fit_offsets, on_plane
from jviz.backend.catalogs.chance import Chance, chance_matches
from jviz.backend.catalogs.matching import Pairs, match_places, one_to_one
from jviz.backend.progress import Progress
from jviz.catalogs import catalog_of, places_on
from jviz.commands import command
from jviz.data import Catalog, Image
from jviz.errors import CommandError
from jviz.running import Apply, add_data
from jviz.session import Session

ARCSEC = 3600.0
ROUNDS = 3
"""Corrections one after the other: the second takes away what is of the order of shift × field²."""


@command("catalog.fit_wcs", title="Check and Fit Astrometry…", menu="Catalogue", needs="catalog", group="make",
         icon="fa6s.crosshairs", job=True)  # fmt: skip
def fit_wcs(
    session: Session,
    catalog: Catalog,
    reference: Catalog,
    image: Image,
    radius: float = 1.0,
    *,
    model: Model = "similarity",
    clip: float = 3.0,
    tolerance: float = 0.1,
    apply: bool = False,
    name: str = "",
    progress: Progress,
) -> Apply:
    """Compare sources of an image with reference positions, fit the difference, and correct the image's WCS.

    Parameters
    ----------
    catalog : Catalog
        Sources measured on the image, in its pixels or on its sky.
    reference : Catalog
        Positions on the sky that count, from Gaia for one.
    image : Data
        Whose place is checked.
    radius : float
        How far off a source may be, in arcseconds.
    model : {"shift", "rotation", "similarity", "affine"}
        What is fitted: a shift; with a rotation; with a scale; any linear map of the tangent plane.
    clip : float
        Pairs with residuals beyond so many deviations are left out.
    tolerance : float
        How well pairs agree once the commonest shift is taken away, in arcseconds.
    apply : bool
        Give the image (and the positions on the sky of its catalogue) the correction: CRVAL and CD of FITS keywords,
        distortions stay; a further step of a GWCS.

    Returns
    -------
    Catalog
        A row for each pair: x, y, ra, dec (reference), delta_ra (× cos Dec), delta_dec before the fit, residual_ra,
        residual_dec after it (arcsec, reference less image), residual (its length), n_sigma (over the scatter), quality
        (the chance that no unrelated row of the reference lies as near), n_candidates, false_share (the part of the
        pairs at most as far apart that is by chance), used. ``meta`` has shift_ra, shift_dec (arcsec, at the middle
        of the image), rotation (degrees, east of north), scale, each with _err, rms_ra, rms_dec, false_matches and its
        error. The residuals are drawn as arrows on images, plotted, and counted in a histogram.
    """
    if not (0 < radius < np.inf and 0 < tolerance < np.inf):
        raise CommandError("The radius and the tolerance are arcseconds above 0.")
    x, y, rows = _sources(catalog, image)
    known = _reference(reference)
    ny, nx = image.shape[-2:]
    centre = tuple(float(v) for v in image.sky.pixel_to_sky((nx - 1) / 2, (ny - 1) / 2))
    progress(0, 2, "matching")
    measured = on_plane(*image.sky.pixel_to_sky(x, y), *centre)
    aim = on_plane(*known, *centre)
    pairs, chance = _pairs(measured, aim, radius, tolerance, (catalog.name, reference.name))
    first, second = pairs.first, pairs.second
    progress(1, 2, "fitting")
    fit = _fit(measured[first], aim[second], model, clip)
    new, steps = (image, ())
    if apply:
        new, steps = _corrected(image, (x[first], y[first]), [v[second] for v in known], fit, model, clip)
    table = _table(fit, (x[first], y[first]), [v[second] for v in known], aim[second] - measured[first], rows[first])
    _add_quality(table, fit, pairs, chance)
    table.meta |= _numbers(fit) | {"false_matches": chance.count, "false_matches_err": chance.error}
    table.meta |= {"image": image.name, "reference": reference.name, "model": model, "applied": apply}
    made = catalog_of(table, name or f"{image.name} astrometry")

    def end() -> Catalog:
        if apply:
            _put(session, image, new)
            _move_rows(session, catalog, steps)
        add_data(session, [made])
        rows = open_view(session, "table", made)
        rows.layers[0].update(arrows="residual", mark="dot", size=4.0)
        open_view(session, "scatter", made, x="residual_ra", y="residual_dec")
        open_view(session, "histogram", made, x="residual")
        session.notice("status", f"{_said(table.meta, image.name)} Of the pairs {chance_said(chance)}.")
        return made

    return Apply(end, f"Astrometry of {image.name}")


def _sources(catalog: Catalog, image: Image) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return pixels of the sources that have a place on the image, and their row numbers."""
    if image.sky is None:
        raise CommandError(f"{image.name} has no world coordinates to compare; choose another image.")
    places = places_on(catalog, image)
    if places is None:
        raise CommandError(f"No columns of {catalog.name} tell where its rows are.")
    rows = np.flatnonzero(np.isfinite(places[0]) & np.isfinite(places[1]))
    return places[0][rows], places[1][rows], rows


def _reference(reference: Catalog) -> tuple[np.ndarray, np.ndarray]:
    places = reference.places
    if places is None or places.system != "sky":
        raise CommandError(f"{reference.name} has no positions on the sky; a reference needs ra and dec.")
    good = np.isfinite(places.x) & np.isfinite(places.y)
    return places.x[good], places.y[good]


def _pairs(
    measured: np.ndarray, aim: np.ndarray, radius: float, tolerance: float, names: tuple[str, str]
) -> tuple[Pairs, Chance]:
    """Return the rows that belong together: the commonest shift is found first, then the nearest after it."""
    near = match_places(measured, aim, radius / ARCSEC)
    if not len(near):
        raise CommandError(
            f"No row of {names[0]} lies within {radius:g} arcsec of one of {names[1]}; give a larger radius."
        )
    shift = first_shift((aim[near.second] - measured[near.first]) * ARCSEC, tolerance) / ARCSEC
    found = one_to_one(match_places(measured + shift, aim, tolerance / ARCSEC))
    return found, chance_matches(measured + shift, aim, tolerance / ARCSEC, found.separation)


def _add_quality(table: Any, fit: Fit, pairs: Pairs, chance: Chance) -> None:
    """Add how far off each pair is, and how sure it is, before the column that tells whether it was used."""
    from astropy import units as u

    used = table["used"]
    table.remove_column("used")
    residual = fit.residual * ARCSEC
    table["residual"] = np.hypot(*residual.T) * u.arcsec
    scatter = residual[fit.used].std(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        table["n_sigma"] = np.hypot(*(residual / scatter).T)
    table["n_candidates"], table["quality"] = pairs.candidates, pairs.quality
    table["false_share"], table["used"] = chance.share, used


def _fit(a: np.ndarray, b: np.ndarray, model: Model, clip: float) -> Fit:
    try:
        return fit_offsets(a, b, model, clip=clip)
    except ValueError as error:
        raise CommandError(f"The astrometry cannot be fitted: {error}. Is the tolerance too small?") from None


def _corrected(
    image: Image, pixels: tuple[np.ndarray, np.ndarray], known: list[np.ndarray], fit: Fit, model: Model, clip: float
) -> tuple[Image, tuple[Correction, ...]]:
    """Return the image with corrections that leave no shift, rotation or scale."""
    ny, nx = image.shape[-2:]
    now, steps = image, []
    for _ in range(ROUNDS):
        centre = tuple(float(v) for v in now.sky.pixel_to_sky((nx - 1) / 2, (ny - 1) / 2))
        a, b = on_plane(*now.sky.pixel_to_sky(*pixels), *centre), on_plane(*known, *centre)
        one = _fit(a[fit.used], b[fit.used], model, 0)
        shift = tuple((one.shift * ARCSEC).tolist())
        steps.append(Correction(*centre, tuple(one.matrix.ravel().tolist()), shift))  # type: ignore[arg-type]
        now = moved(now, (steps[-1],))  # type: ignore[assignment]
        if np.abs(one.shift).max() * ARCSEC < 1e-9 and np.abs(one.matrix - np.eye(2)).max() < 1e-12:
            break
    return now, tuple(steps)


def _numbers(fit: Fit) -> dict[str, Any]:
    a, b = fit.matrix, fit.residual[fit.used] * ARCSEC
    scale = float(np.sqrt(abs(np.linalg.det(a))))
    errors = fit.matrix_error[0]
    return {
        "shift_ra": float(fit.shift[0] * ARCSEC), "shift_ra_err": float(fit.shift_error[0] * ARCSEC),
        "shift_dec": float(fit.shift[1] * ARCSEC), "shift_dec_err": float(fit.shift_error[1] * ARCSEC),
        "rotation": float(np.degrees(np.arctan2(a[0, 1] - a[1, 0], a[0, 0] + a[1, 1]))),
        "rotation_err": float(np.degrees(errors[1])), "scale": scale, "scale_err": float(errors[0]),
        "matrix": a.ravel().tolist(), "rms_ra": float(b[:, 0].std()), "rms_dec": float(b[:, 1].std()),
        "n_pairs": len(fit.used), "n_used": int(fit.used.sum()),
    }  # fmt: skip


def _said(numbers: dict[str, Any], name: str) -> str:
    ra, dec = (f"{numbers[k] * 1000:z.2f} ± {numbers[f'{k}_err'] * 1000:.2f}" for k in ("shift_ra", "shift_dec"))
    angle, error = numbers["rotation"] * ARCSEC, numbers["rotation_err"] * ARCSEC
    turned = f" and {angle:z.2f} ± {error:.2f} arcsec in angle" if error else ""  # of a shift alone there is no angle
    return (
        f"{name} is off by {ra} mas in RA, {dec} mas in Dec{turned}; "
        f"{numbers['n_used']} of {numbers['n_pairs']} pairs scatter "
        f"by {numbers['rms_ra'] * 1000:.2f}, {numbers['rms_dec'] * 1000:.2f} mas."
    )


def _table(fit: Fit, pixels: Any, known: list[np.ndarray], offsets: np.ndarray, rows: np.ndarray) -> Any:
    from astropy import units as u
    from astropy.table import QTable

    return QTable({
        "row": rows, "x": pixels[0] * u.pix, "y": pixels[1] * u.pix, "ra": known[0] * u.deg, "dec": known[1] * u.deg,
        "delta_ra": offsets[:, 0] * ARCSEC * u.arcsec, "delta_dec": offsets[:, 1] * ARCSEC * u.arcsec,
        "residual_ra": fit.residual[:, 0] * ARCSEC * u.arcsec, "residual_dec": fit.residual[:, 1] * ARCSEC * u.arcsec,
        "used": fit.used,
    })  # fmt: skip


# --- into the session ---------------------------------------------------------------------------------


def _put(session: Session, old: Any, new: Any) -> None:
    """Put data in the place of others, in all views and subsets."""
    session.set_data(tuple(new if data is old else data for data in session.data))
    for view in session.views.values():
        for layer in view.layers:
            for name in ("data", "against", "image"):
                if getattr(layer, name, None) is old:
                    setattr(layer, name, new)
    session.set_subsets({n: s.but(data=new) if s.data is old else s for n, s in session.subsets.items()})


def _move_rows(session: Session, catalog: Catalog, steps: tuple[Correction, ...]) -> None:
    """Correct the positions on the sky of a catalogue that was measured on the image."""
    table = catalog.table
    if not _moved_columns(table, catalog, steps):
        return
    new = catalog_of(table, catalog.name)
    new.made_by = catalog.made_by
    _put(session, catalog, new)


def _moved_columns(table: Any, catalog: Catalog, steps: tuple[Correction, ...]) -> bool:
    """Give a table its corrected positions; False where it has none on the sky."""
    from astropy import units as u
    from astropy.coordinates import SkyCoord

    from jviz.backend.catalogs.places import position_columns

    found = False
    for column in [n for n in table.colnames if hasattr(table[n], "icrs")]:
        place = table[column].icrs
        lon, lat = _through(np.asarray(place.ra.deg, float), np.asarray(place.dec.deg, float), steps)
        table[column], found = SkyCoord(lon, lat, unit="deg").transform_to(table[column].frame), True
    pair = position_columns(table.colnames)
    if pair is not None and pair[0] == "sky" and catalog.places.system == "sky":
        first, second = (table[n] for n in pair[1:])
        units = [getattr(v, "unit", None) or u.deg for v in (first, second)]
        degrees = [u.Quantity(v, unit).to_value("deg") for v, unit in zip((first, second), units, strict=True)]
        for column, old, values, unit in zip(pair[1:], (first, second), _through(*degrees, steps), units, strict=True):
            moved_values = (values * u.deg).to(unit)
            table[column], found = (moved_values if hasattr(old, "to") else moved_values.value), True
    return found


def _through(lon: np.ndarray, lat: np.ndarray, steps: tuple[Correction, ...]) -> tuple[np.ndarray, np.ndarray]:
    for step in steps:
        lon, lat = corrected(lon, lat, step)
    return lon, lat
