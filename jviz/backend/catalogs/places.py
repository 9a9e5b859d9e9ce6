"""Where the rows of a catalogue lie: on the sky, or on the pixels of an image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from jviz.backend.catalogs.expressions import numbers

__all__ = ["FIRST_PIXEL", "Places", "places_of", "position_columns"]

_SKY = (
    ("ra", "dec"), ("ra_icrs", "dec_icrs"), ("_ra", "_de"), ("_raj2000", "_dej2000"), ("raj2000", "dej2000"),
    ("ra_icrs", "de_icrs"), ("alpha_j2000", "delta_j2000"), ("alphawin_j2000", "deltawin_j2000"),
    ("right_ascension", "declination"), ("ra_deg", "dec_deg"), ("radeg", "decdeg"), ("radeg", "dedeg"),
    ("target_ra", "target_dec"), ("x_world", "y_world"), ("s_ra", "s_dec"), ("plug_ra", "plug_dec"),
    ("ramean", "decmean"), ("glon", "glat"), ("l", "b"),
)  # fmt: skip
_PIXELS = (("xcentroid", "ycentroid"), ("x_centroid", "y_centroid"), ("x_fit", "y_fit"), ("x_image", "y_image"),
           ("xcenter", "ycenter"), ("x_0", "y_0"), ("x_init", "y_init"), ("x_peak", "y_peak"), ("x", "y"))  # fmt: skip
_ONE_BASED = ("x_image",)
"""SExtractor counts pixels from 1 (FITS), photutils and the JWST pipeline from 0."""

FIRST_PIXEL = "first_pixel"
"""Key of a table's meta for the coordinate of the middle of the first pixel, where it is neither 0 nor 1."""


@dataclass(frozen=True, eq=False)
class Places:
    """Positions of rows.

    Attributes
    ----------
    system : str
        "sky": ICRS degrees; "pixel": 0-based pixels (x, y) of the image they were measured on.
    x, y : ndarray of float64, shape (n,)
        NaN for rows without a position.
    """

    system: Literal["sky", "pixel"]
    x: np.ndarray
    y: np.ndarray


def position_columns(names: Any) -> tuple[str, str, str] | None:
    """Return (system, x column, y column) by the names of columns, sky first; None when there is no such pair.

    The system is "sky" (ICRS or a frame within 0.1 arcsec of it), "galactic" or "pixel".
    """
    known = {name.lower(): name for name in reversed(list(names))}
    # coordinates are written as two columns where a format has none for them: sky_centroid.ra, sky_centroid.dec
    stems = sorted((n.removesuffix(".ra") for n in known if n.endswith(".ra")), key=lambda n: n != "sky_centroid")
    parts = tuple((f"{stem}.ra", f"{stem}.dec") for stem in stems)
    for pairs, system in (((*_SKY, *parts), "sky"), (_PIXELS, "pixel")):
        for x, y in pairs:
            if x in known and y in known:
                return ("galactic" if x in ("glon", "l") else system), known[x], known[y]
    return None


def places_of(table: Any, columns: Any, x: str = "", y: str = "", system: str = "") -> Places | None:
    """Find the positions of all rows of a table.

    Parameters
    ----------
    table : QTable
    columns : mapping of str to TableColumn
    x, y, system : str, optional
        Columns, and "sky", "galactic" or "pixel", instead of what the names say.

    Returns
    -------
    Places or None
        None when no column tells where the rows are.
    """
    if not (x and y):
        coordinates = _coordinates(table)
        if coordinates is not None:
            return coordinates
        found = position_columns([n for n, c in columns.items() if c.values.ndim == 1 and c.values.dtype.kind in "iuf"])
        if found is None:
            return None
        system, x, y = found
    first, second = (numbers(columns[name]) for name in (x, y))
    if system == "pixel":
        shift = float(table.meta.get(FIRST_PIXEL, 1.0 if x.lower() in _ONE_BASED else 0.0))
        return Places("pixel", first - shift, second - shift)
    first, second = (_degrees(v, columns[name].unit) for v, name in ((first, x), (second, y)))
    if system == "galactic":
        from astropy.coordinates import Galactic, SkyCoord

        icrs = SkyCoord(first, second, unit="deg", frame=Galactic()).icrs
        return Places("sky", icrs.ra.deg, icrs.dec.deg)
    return Places("sky", first, second)


def _coordinates(table: Any) -> Places | None:
    """Take a column of coordinates (a SkyCoord), that of centroids first."""
    names = [n for n in table.colnames if hasattr(table[n], "icrs")]
    if not names:
        return None
    names.sort(key=lambda n: n not in ("sky_centroid", "sky_centroid_icrs"))
    icrs = table[names[0]].icrs
    lon, lat = (np.ma.filled(np.ma.asarray(v), np.nan) for v in (icrs.ra.deg, icrs.dec.deg))
    return Places("sky", np.asarray(lon, float), np.asarray(lat, float))


def _degrees(values: np.ndarray, unit: str) -> np.ndarray:
    factors = {"rad": np.degrees(1.0), "hourangle": 15.0, "h": 15.0, "hr": 15.0, "arcsec": 1 / 3600, "arcmin": 1 / 60}
    return values * factors.get(unit.strip().lower(), 1.0)
