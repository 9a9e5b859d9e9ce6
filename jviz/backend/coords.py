"""Positions on the sky as people write them: read, written and looked up by name.

Reading and writing take microseconds (no SkyCoord), for the read-out runs at each move of the mouse.
"""

from __future__ import annotations

import math
import re
from typing import Literal

from jviz.backend.names import Resolved, parse_jname, resolve_name
from jviz.backend.render.frames import FRAMES, canonical, equatorial, from_icrs, lonlat, to_icrs, unit_vectors
from jviz.errors import JvizError

__all__ = ["FRAMES", "Resolved", "angle_text", "convert", "format_position", "parse_position", "resolve_name"]

Style = Literal["sexagesimal", "degrees"]

_frame_words = {
    **{frame: frame for frame in FRAMES},
    **{"j2000": "fk5", "b1950": "fk4", "gal": "galactic", "ecl": "ecliptic"},
}
_letters = {"l": "galactic", "glon": "galactic", "ra": "", "lon": "", "elon": "ecliptic"}
_partners = {"l": "b", "glon": "glat", "ra": "dec", "lon": "lat", "elon": "elat"}
_marks = str.maketrans(
    {"−": "-", "–": "-", "º": "d", "°": "d", "′": "'", "’": "'", "″": '"', "”": '"', "α": "ra", "δ": "dec"}
)
_equinox = re.compile(r"[jb]\d{4}(?:\.\d+)?", re.IGNORECASE)
_number = r"\d+(?:\.\d*)?|\.\d+"
_angle = re.compile(
    rf"""(?P<sign>[+-])?\s*(?P<first>{_number})\s*
    (?:(?P<unit>h|d(?:eg(?:rees?)?)?|:|\s)\s*(?:(?P<second>{_number})\s*(?:m(?:in)?|'|:|\s|$)\s*(?:(?P<third>{_number})\s*(?:s(?:ec)?|"|'')?)?)?)?\s*$""",
    re.VERBOSE | re.IGNORECASE,
)


def angle_text(arcsec: float, digits: int = 4, *, mas: bool = True) -> str:
    """Write an angle in degrees, arcminutes or arcseconds, whichever suits it; below 1″ in mas where that is wished."""
    for size, mark in ((3600.0, "°"), (60.0, "′"), (1.0, "″")):
        if arcsec >= size or (mark == "″" and not mas):
            return f"{_short(arcsec / size, digits)}{mark}"
    return f"{_short(1000 * arcsec, digits)} mas"


def _short(value: float, digits: int) -> str:
    """Write a number with so many digits that count; 140 with two of them, not 1.4e+02."""
    text = f"{value:.{digits}g}"
    return f"{float(text):.0f}" if "e+" in text else text


def parse_position(text: str, *, frame: str = "icrs") -> tuple[float, float]:
    """Read a position in any usual notation.

    Parameters
    ----------
    text : str
        ``"10:00:28.6 +02:12:21"``, ``"10h00m28.6s +02d12m21s"``, ``"150.119 2.205"``,
        ``"150.119d, 2.205d"``, ``"10 00 28.6 +02 12 21"``, ``"galactic 121.17 -21.57"``, ``"fk4 B1975 10:00 +02:12"``,
        ``"l=121.17 b=-21.57"``, ``"J100028.6+021221"``.
    frame : str
        The frame meant when the text names none: one of `FRAMES`.

    Returns
    -------
    tuple of float
        ICRS longitude in [0, 360) and latitude in degrees.

    Raises
    ------
    JvizError
        When it cannot be understood, or is off the sphere.
    """
    bare = " ".join(str(text).translate(_marks).split())
    named = parse_jname(bare)
    if named:
        return convert(*named, "icrs", "icrs")
    bare, frame = _take_frame(bare, frame)
    pair = _split(bare)
    if pair is None:
        raise _not_understood(text)
    lon = _degrees(pair[0], hours=equatorial(frame))
    lat = _degrees(pair[1], hours=False)
    if lon is None or lat is None:
        raise _not_understood(text)
    if abs(lat) > 90 or abs(lon) > 360:
        raise JvizError(f"{text!r} is no place on the sky: the second number must lie between −90° and +90°. "
                        f"For a pixel write 'pixel {text}'.")  # fmt: skip
    return convert(lon, lat, frame, "icrs")


def _not_understood(text: str) -> JvizError:
    return JvizError(
        f"{text!r} is not understood as a position. Write it like 10:00:28.6 +02:12:21, "
        "150.119 2.205, or galactic 121.17 -21.57."
    )


def _take_frame(text: str, frame: str) -> tuple[str, str]:
    """Take the word for the frame off either end, and labels such as ``l=`` off the numbers."""
    words = text.split(" ")
    for end in (0, -1):
        word = words[end].strip(",;()").lower()
        if len(words) > 1 and word in _frame_words:
            del words[end]
            frame = _frame_words[word]
            if end == 0 and len(words) > 1 and _equinox.fullmatch(words[0]):
                frame = _at_equinox(frame, words.pop(0))
            break
    text = " ".join(words)
    label = re.match(r"(ra|lon|glon|elon|l)\s*[=:]?\s*(?=[+\-.\d])", text, re.IGNORECASE)
    if label:
        key = label[1].lower()
        frame = _letters[key] or frame
        text = re.sub(rf"\b{_partners[key]}\s*[=:]?\s*(?=[+\-.\d])", ", ", text[label.end() :], flags=re.IGNORECASE)
        text = re.sub(r"\s*,\s*,\s*", ", ", text)
    return text, frame


def _at_equinox(frame: str, equinox: str) -> str:
    try:
        return canonical(f"{frame} {equinox}")
    except ValueError as error:
        raise JvizError(str(error)) from None


def _split(text: str) -> tuple[str, str] | None:
    """Split into two angles: at a comma, before a sign, or in the middle."""
    text = text.strip("()[] ")
    parts = [part.strip() for part in re.split(r"[,;]", text) if part.strip()]
    if len(parts) == 2:
        return parts[0], parts[1]
    if len(parts) != 1:
        return None
    signed = re.match(r"(.*[\d.hmsd'\"])\s*([+-].*)$", text, re.IGNORECASE)
    if signed and re.search(r"\d", signed[1]) and not re.search(r"e[+-]?$", signed[1], re.IGNORECASE):
        return signed[1].strip(), signed[2]
    words = text.split(" ")
    if len(words) % 2 == 0:
        half = len(words) // 2
        return " ".join(words[:half]), " ".join(words[half:])
    return None


def _degrees(text: str, *, hours: bool) -> float | None:
    """Read one angle; several numbers without letters are hours when ``hours``."""
    found = _angle.match(text.strip())
    if found is None:
        return None
    first, second, third = (float(found[name] or 0) for name in ("first", "second", "third"))
    if second >= 60 or third >= 60 or (found["second"] and "." in found["first"]):
        return None
    unit = (found["unit"] or "").lower()
    value = first + second / 60 + third / 3600
    in_hours = unit == "h" or (hours and found["second"] is not None and not unit.startswith("d"))
    return (-1 if found["sign"] == "-" else 1) * value * (15 if in_hours else 1)


def convert(lon: float, lat: float, source: str, target: str) -> tuple[float, float]:
    """Turn one position from a frame into another.

    Parameters
    ----------
    lon, lat : float
        Degrees.
    source, target : str
        Of `FRAMES`: FK5 and ecliptic (barycentric, mean) at J2000, FK4 at B1950; or with an equinox, ``"fk5 J1975"``.
    """
    if source == target:
        return lon % 360.0, float(lat)
    turned = lonlat(from_icrs(to_icrs(unit_vectors(lon, lat), source), target))
    return float(turned[0]), float(turned[1])


def format_position(
    lon: float, lat: float, frame: str = "icrs", style: Style = "sexagesimal", precision: int | None = None
) -> tuple[str, str]:
    """Write a position.

    Parameters
    ----------
    lon, lat : float
        ICRS, in degrees.
    frame : str
        The frame to write it in, of `FRAMES`.
    style : "sexagesimal" or "degrees"
        Sexagesimal longitudes are in hours in equatorial frames and in degrees in the others.
    precision : int, optional
        Decimals of the seconds of latitude (2 by default; longitudes in hours get one more), or
        of the degrees (6 by default).

    Returns
    -------
    tuple of str
        ``("10:00:28.600", "+02:12:21.00")``; two dashes where the position is undefined.
    """
    if not (math.isfinite(lon) and math.isfinite(lat)):
        return "–", "–"
    lon, lat = convert(lon, lat, "icrs", frame)
    if style == "degrees":
        places = 6 if precision is None else precision
        shown = f"{lon:.{places}f}"
        return (f"{0:.{places}f}" if float(shown) >= 360 else shown), f"{lat:+.{places}f}"
    places = 2 if precision is None else precision
    if equatorial(frame):
        return sexagesimal(lon / 15, places + 1, wrap=24), sexagesimal(lat, places, signed=True)
    return sexagesimal(lon, places, wrap=360), sexagesimal(lat, places, signed=True)


def sexagesimal(value: float, places: int, *, wrap: int = 0, signed: bool = False) -> str:
    """Write hours or degrees as ``"hh:mm:ss.ss"``, rounded in the last place and never ``60``."""
    unit = 10**places
    total = round(abs(value) * 3600 * unit)
    if wrap:
        total %= wrap * 3600 * unit
    rest, fraction = divmod(total, unit)
    minutes, seconds = divmod(rest, 60)
    whole, minutes = divmod(minutes, 60)
    width = 3 if wrap == 360 else 2
    sign = ("-" if value < 0 else "+") if signed else ""
    tail = f".{fraction:0{places}d}" if places else ""
    return f"{sign}{whole:0{width}d}:{minutes:02d}:{seconds:02d}{tail}"
