"""The command that brings two catalogues together."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from jviz.backend.catalogs.chance import chance_matches
from jviz.backend.catalogs.matching import Pairs, match_names, match_places, on_sphere, one_to_one
from jviz.catalogs import catalog_of
from jviz.commands import command
from jviz.data import Catalog, Image
from jviz.errors import CommandError
from jviz.session import Session

NAMES = ("id", "label", "source_id", "number", "name", "objid", "designation", "star")
"""Columns that are looked for when rows are matched by their names."""

ARCSEC = 3600.0


@command("catalog.match", title="Match Catalogues…", menu="Catalogue", needs="catalog", group="make",
         icon="fa6s.code-merge", job=True)  # fmt: skip
def match(
    session: Session,
    a: Catalog,
    b: Catalog,
    radius: float = 0.3,
    *,
    by: Literal["sky", "pixel", "id"] = "sky",
    keep: Literal["best", "all"] = "best",
    rows: Literal["matched", "only a", "only b"] = "matched",
    image: Image | None = None,
    column: str = "",
    suffixes: tuple[str, str] = ("_1", "_2"),
    name: str = "",
) -> Catalog:
    """Match the rows of two catalogues by their places or names.

    Parameters
    ----------
    a, b : Catalog
    radius : float
        Farthest separation: arcseconds on the sky, else pixels.
    by : {"sky", "pixel", "id"}
        What must agree; rows without an id match nothing.
    keep : {"best", "all"}
        The nearest pairs, each row once; or all pairs within the radius.
    rows : {"matched", "only a", "only b"}
        Pairs, or the rows of one catalogue that are in none.
    image : Data, optional
        Its world coordinates place rows in pixels on the sky, or the other way round.
    column : str
        Of ids; by default id, label, source_id, name …
    suffixes : (str, str)
        Of columns with the same name in both.

    Returns
    -------
    Catalog
        The columns of both, then separation, delta_ra (× cos Dec) and delta_dec, or delta_x and delta_y (b less a),
        n_candidates (rows of b within the radius), quality: the chance that no unrelated row of b lies as near,
        (1 − s²/d²)⁹ with the distance d of the tenth neighbour, and false_share: the part of the pairs at most as far
        apart that is by chance. ``meta`` has false_matches, the pairs that are expected by chance, with its error; they
        are counted with one catalogue shifted.
    """
    if a is b:
        raise CommandError("A catalogue cannot be matched with itself; choose another.")
    if by == "id":
        pairs, shifts, points = match_names(*(_names(data, column) for data in (a, b))), {}, None
    else:
        if not 0 < radius < np.inf:
            raise CommandError(f"A radius of {radius:g} matches nothing; give one above 0.")
        pairs, shifts, points = _near(a, b, radius, by, image)
    if keep == "best":
        pairs = one_to_one(pairs)
    if rows != "matched":
        return _rest(a if rows == "only a" else b, pairs.first if rows == "only a" else pairs.second, (a, b), name)
    if not len(pairs):
        within = "with the same id" if by == "id" else f"within {radius:g} {'arcsec' if by == 'sky' else 'pixels'}"
        raise CommandError(f"No row of {a.name} matches one of {b.name} {within}.")
    table = _joined(a.table[pairs.first], b.table[pairs.second], suffixes)
    _add_numbers(table, pairs, shifts, by)
    table.meta = {"matched": [a.name, b.name], "by": by, "radius": radius, "keep": keep}
    if points is not None:
        reach, apart = (v if by == "pixel" else _chord(v) for v in (radius, pairs.separation))
        chance = chance_matches(*points, reach, apart, best=keep == "best")
        table["false_share"] = chance.share
        table.meta |= {"false_matches": chance.count, "false_matches_err": chance.error}
        session.notice("status", f"{len(pairs):,} pairs of {a.name} and {b.name}; of these {chance_said(chance)}")
    return catalog_of(table, name or f"{a.name} × {b.name}")


def chance_said(chance: Any) -> str:
    """Say how many matches are by chance."""
    if chance.count < 0.05:
        return "none is expected by chance"
    return f"{chance.count:.1f} ± {chance.error:.1f} are expected by chance"


def _chord(arcsec: Any) -> Any:
    """Return the straight lines between points of the unit sphere that are so far apart."""
    return 2 * np.sin(np.radians(arcsec / ARCSEC) / 2)


def _names(data: Catalog, column: str) -> np.ma.MaskedArray:
    """Return the names of rows, masked where the table has none."""
    known = {name.lower(): name for name in data.columns}
    found = next((known[n] for n in ([column.lower()] if column else NAMES) if n in known), None)
    if found is None:
        raise CommandError(f"{data.name} has no column {column or ', '.join(NAMES)}; name one by column=.")
    values, mask = (getattr(data.columns[found], part) for part in ("values", "mask"))
    return np.ma.array(values, mask=False if mask is None else mask)


def _near(a: Catalog, b: Catalog, radius: float, by: str, image: Any) -> tuple[Pairs, dict[str, Any], Any]:
    """Return pairs within a radius, how to tell their shifts, and the places of both as they were matched."""
    (xa, ya), (xb, yb) = (places_by(data, by, image) for data in (a, b))
    if by == "pixel":
        points = np.stack([xa, ya], 1), np.stack([xb, yb], 1)
        return match_places(*points, radius), {"delta_x": (xa, xb, None), "delta_y": (ya, yb, None)}, points
    points = on_sphere(xa, ya), on_sphere(xb, yb)
    found = match_places(*points, _chord(radius))
    arcsec = np.degrees(2 * np.arcsin(np.clip(found.separation / 2, 0, 1))) * ARCSEC
    pairs = Pairs(found.first, found.second, arcsec, found.candidates, found.quality)
    return pairs, {"delta_ra": (xa, xb, ya), "delta_dec": (ya, yb, None)}, points


def places_by(data: Catalog, by: str, image: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the places of rows on the sky (degrees) or in pixels; an image leads from one to the other."""
    places = data.places
    if places is None:
        raise CommandError(f"No columns of {data.name} tell where its rows are; match by id instead.")
    if places.system == by:
        return places.x, places.y
    sky = None if image is None else image.sky
    if sky is None:
        have = "pixels" if places.system == "pixel" else "the sky"
        raise CommandError(f"{data.name} has positions on {have} only; name an image with world coordinates by image=.")
    x, y = np.full(len(places.x), np.nan), np.full(len(places.x), np.nan)
    good = np.isfinite(places.x) & np.isfinite(places.y)
    x[good], y[good] = (sky.pixel_to_sky if by == "sky" else sky.sky_to_pixel)(places.x[good], places.y[good])
    return x, y


def _joined(left: Any, right: Any, suffixes: tuple[str, str]) -> Any:
    """Put the columns of two tables side by side; those with the same name get suffixes."""
    if len(suffixes) != 2 or suffixes[0] == suffixes[1]:
        raise CommandError(f"Two different suffixes are needed, such as _1, _2; not {suffixes}.")
    both = set(left.colnames) & set(right.colnames)
    for table, suffix in zip((left, right), suffixes, strict=True):
        for column in both:
            table.rename_column(column, f"{column}{suffix}")
    for column in right.colnames:
        left[column if column not in left.colnames else f"{column}{suffixes[1]}"] = right[column]
    return left


def _add_numbers(table: Any, pairs: Pairs, shifts: dict[str, Any], by: str) -> None:
    from astropy import units as u

    table["n_candidates"] = pairs.candidates
    if by == "id":
        return
    unit, scale = (u.arcsec, ARCSEC) if by == "sky" else (u.pix, 1.0)
    table["separation"] = pairs.separation * unit
    for column, (first, second, latitude) in shifts.items():
        delta = second[pairs.second] - first[pairs.first]
        if latitude is not None:
            delta = ((delta + 180) % 360 - 180) * np.cos(np.radians(latitude[pairs.first]))
        table[column] = delta * scale * unit
    table["quality"] = pairs.quality


def _rest(data: Catalog, matched: np.ndarray, both: tuple[Catalog, Catalog], name: str) -> Catalog:
    left = np.ones(len(data), bool)
    left[matched] = False
    other = both[1] if data is both[0] else both[0]
    if not left.any():
        raise CommandError(f"Every row of {data.name} has a match in {other.name}.")
    return catalog_of(data.table[left], name or f"{data.name} not in {other.name}")
