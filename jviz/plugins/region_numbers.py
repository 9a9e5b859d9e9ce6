"""Numbers of regions as texts that can be edited: positions on the sky or in pixels, sizes in any unit, angles."""

from __future__ import annotations

from typing import Any

import numpy as np

from jviz.api import CommandError

__all__ = ["LENGTHS", "fields_of", "with_field"]

LENGTHS = ("arcsec", "arcmin", "deg", "mas")

TITLES = {
    "center": "Centre",
    "start": "From",
    "end": "To",
    "vertices": "Vertices",
    "radius": "Radius",
    "inner_radius": "Inner radius",
    "outer_radius": "Outer radius",
    "width": "Width",
    "height": "Height",
    "inner_width": "Inner width",
    "outer_width": "Outer width",
    "inner_height": "Inner height",
    "outer_height": "Outer height",
    "angle": "Angle",
    "text": "Text",
}


def fields_of(region: Any, *, origin: int = 0, style: str = "sexagesimal", unit: str = "arcsec") -> dict[str, tuple]:
    """Return the numbers of a region as (title, text) by the names of its attributes; none for combined regions.

    Parameters
    ----------
    origin : int
        Number of the first pixel.
    style : str
        "sexagesimal" or "degrees", for the sky.
    unit : str
        Of sizes on the sky.
    """
    names = [name for name in TITLES if hasattr(region, name)]
    return {name: (TITLES[name], _text(getattr(region, name), name, origin, style, unit)) for name in names}


def _text(value: Any, name: str, origin: int, style: str, unit: str) -> str:
    if name == "text":
        return str(value)
    if name == "angle":
        return f"{value.to_value('deg'):.6g}°"
    if hasattr(value, "frame"):
        return "; ".join(_sky_text(c, style) for c in (value if value.shape else [value]))
    if hasattr(value, "x"):
        pairs = zip(np.atleast_1d(value.x) + origin, np.atleast_1d(value.y) + origin, strict=True)
        return "; ".join(f"{x:.8g}, {y:.8g}" for x, y in pairs)
    return f"{value.to_value(unit):.8g} {unit}" if hasattr(value, "to_value") else f"{value:.8g} px"


def _sky_text(coord: Any, style: str) -> str:
    lon, lat = coord.spherical.lon, coord.spherical.lat
    if style == "degrees":
        return f"{lon.deg:.8f} {lat.deg:+.8f}"
    hours = "hourangle" if coord.frame.name in ("icrs", "fk5", "fk4") else "deg"
    first = lon.to_string(unit=hours, sep=":", precision=4, pad=True)
    return f"{first} {lat.to_string(unit='deg', sep=':', precision=3, pad=True, alwayssign=True)}"


def with_field(region: Any, name: str, text: str, *, origin: int = 0, unit: str = "arcsec") -> Any:
    """Return a region with one of its numbers as a user wrote it.

    Raises
    ------
    CommandError
        When the text cannot be understood, or the region cannot be so.
    """
    old = getattr(region, name)
    try:
        value = _value(old, name, text, origin, unit)
        return region.copy(**{name: value})
    except CommandError:
        raise
    except (ValueError, TypeError) as error:
        raise CommandError(f"{TITLES[name]} cannot be {text!r}: {error}.") from error


def _value(old: Any, name: str, text: str, origin: int, unit: str) -> Any:
    from astropy import units as u

    if name == "text":
        return text
    if name == "angle":
        return u.Quantity(_number(text.replace("°", " deg"), "deg"), "deg")
    if hasattr(old, "frame"):
        return _sky(old, text)
    if hasattr(old, "x"):
        return _pixels(old, text, origin)
    if hasattr(old, "to_value"):
        size = u.Quantity(_number(text, unit), unit)
        return _positive(size, name)
    return _positive(_number(text.replace("px", "").replace("pix", ""), ""), name)


def _positive(size: Any, name: str) -> Any:
    if not size > 0:
        raise CommandError(f"{TITLES[name]} must be above 0; {size} is not.")
    return size


def _number(text: str, unit: str) -> float:
    from astropy import units as u

    text = text.strip().replace("″", " arcsec").replace('"', " arcsec").replace("′", " arcmin")
    try:
        return float(text)
    except ValueError:
        return float(u.Quantity(text).to_value(unit))


def _pixels(old: Any, text: str, origin: int) -> Any:
    pairs = [[float(word) - origin for word in part.replace(",", " ").split()] for part in text.split(";")]
    if any(len(pair) != 2 for pair in pairs):
        raise CommandError(f"{text!r} is no position; write x and y, such as 512.3, 300.")
    x, y = np.transpose(pairs)
    single = np.ndim(old.x) == 0
    return type(old)(float(x[0]), float(y[0])) if single else type(old)(x, y)


def _sky(old: Any, text: str) -> Any:
    from astropy import units as u
    from astropy.coordinates import SkyCoord

    frame = old.frame.replicate_without_data()
    parts = [part.strip() for part in text.split(";") if part.strip()]
    sexagesimal = any(mark in text for mark in ":hm")
    units = (u.hourangle if sexagesimal and old.frame.name in ("icrs", "fk5", "fk4") else u.deg, u.deg)
    coords = [SkyCoord(part, unit=units, frame=frame) for part in parts]
    if not coords:
        raise CommandError("A position on the sky is needed, such as 10:00:28.6 +02:12:21.")
    if not old.shape:
        return coords[0]
    return SkyCoord([c.spherical.lon for c in coords], [c.spherical.lat for c in coords], frame=frame)
