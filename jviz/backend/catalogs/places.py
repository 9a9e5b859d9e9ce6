"""Where the rows of a catalogue lie: on the sky, or on the pixels of an image."""

from __future__ import annotations

import re
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

_sexagesimal = re.compile(r"([-+\u2212]?)\s*(\d{1,3})\s*([:hd° ])\s*(\d{1,2}(?:\.\d*)?)"
                          r"(?:\s*[:m'′ ]\s*(\d{1,2}(?:\.\d*)?)?)?\s*[s\"″m'′]?")  # fmt: skip
_PARTS = ("rah", "ram", "ras", "ded", "dem", "des")

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
        if (coordinates := _coordinates(table) or _of_parts(columns)) is not None:
            return coordinates
        found = position_columns([name for name, column in columns.items() if _may_be_position(column)])
        if found is None:
            return None
        system, x, y = found
    if system != "pixel" and columns[x].values.dtype.kind in "UO":
        first, second = _angles(columns[x], hours=system == "sky"), _angles(columns[y])
    else:
        first, second = (numbers(columns[name]) for name in (x, y))
    if system == "pixel":
        shift = float(table.meta.get(FIRST_PIXEL, 1.0 if x.lower() in _ONE_BASED else 0.0))
        return Places("pixel", first - shift, second - shift)
    if columns[x].values.dtype.kind not in "UO":
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


def _may_be_position(column: Any) -> bool:
    """Whether a column has numbers, or texts of which the first is an angle."""
    if column.values.ndim != 1 or column.values.dtype.kind not in "iufUO":
        return False
    if column.values.dtype.kind in "iuf":
        return True
    first = next((text for value in column.values[:100] if (text := str(value).strip())), "")
    return _sexagesimal.fullmatch(first) is not None


def _angles(column: Any, *, hours: bool = False) -> np.ndarray:
    """Return texts such as ``10:00:01.2``, ``-02 13 00`` or ``10h00m01.2s`` in degrees, NaN for all that are none.

    Parameters
    ----------
    hours : bool
        Whether the first of their numbers counts hours, unless a d or ° follows it.
    """
    missing = np.zeros(len(column.values), bool) if column.mask is None else column.mask
    degrees = np.full(len(column.values), np.nan)
    for row, text in enumerate(column.values.tolist()):
        found = None if missing[row] else _sexagesimal.fullmatch(str(text).strip())
        if found is not None:
            sign, first, mark, second, third = found.groups()
            size = float(first) + float(second) / 60 + float(third or 0) / 3600
            size *= 15 if hours and mark not in ("d", "°") else 1
            degrees[row] = -size if sign in ("-", "\u2212") else size
    return degrees


def _of_parts(columns: Any) -> Places | None:
    """Take the columns of hours, minutes and seconds of the machine-readable tables of journals: RAh, RAm … DEs."""
    known = {name.lower(): column for name, column in columns.items()}
    if not {"rah", "ram", "ras", "ded", "dem", "des"} <= known.keys():
        return None
    if any(column.values.dtype.kind not in "iuf" for name in _PARTS if (column := known[name])):
        return None
    ra, dec = (sum(numbers(known[name]) / 60**k for k, name in enumerate(names)) for names in (_PARTS[:3], _PARTS[3:]))
    sign = known.get("de-")
    south = np.zeros(len(dec), bool) if sign is None else np.array([str(v).strip() == "-" for v in sign.values])
    return Places("sky", ra * 15, np.where(south, -dec, dec))


def _degrees(values: np.ndarray, unit: str) -> np.ndarray:
    factors = {"rad": np.degrees(1.0), "hourangle": 15.0, "h": 15.0, "hr": 15.0, "arcsec": 1 / 3600, "arcmin": 1 / 60}
    return values * factors.get(unit.strip().lower(), 1.0)
