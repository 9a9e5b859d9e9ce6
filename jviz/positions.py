"""Places that a user names: pixels, sky positions in any usual form, objects by name."""

from __future__ import annotations

import math
from typing import Any

from jviz.errors import CommandError, JvizError

__all__ = ["Position", "pixel_of", "sky_of", "sky_position"]

Position = Any
"""``"pixel 512 300"``, ``(512, 300)``, ``"10:00:28.6 +02:12:21"``, ``"M 31"``, a `SkyCoord` or a `regions.PixCoord`."""

PIXEL_WORDS = ("pixel", "pixels", "pix", "px", "image")


def pixel_of(session: Any, data: Any, position: Position) -> tuple[float, float, str]:
    """Return the data pixel (x, y) of a place and a text for it.

    Raises
    ------
    CommandError
        When the place is not understood or does not fall on the data's sky.
    """
    own = _as_pixel(position, data)
    if own is not None:
        return (*own, f"pixel {own[0]:g}, {own[1]:g}")
    if data.sky is None:
        raise CommandError(
            f"{str(position)!r} is no pair of pixel numbers such as 512, 300; {data.name} has no sky coordinates."
        )
    lon, lat, text = _as_sky(session, position)
    x, y = (float(v) for v in data.sky.sky_to_pixel(lon, lat))
    if not (math.isfinite(x) and math.isfinite(y)):
        raise CommandError(f"{text} ({lon:.5f}, {lat:.5f}) does not fall on {data.name}.")
    return x, y, text


def sky_of(session: Any, data: Any, position: Position) -> tuple[float, float]:
    """Return ICRS longitude and latitude in degrees of a place; pixels are those of ``data`` (which may be None).

    Raises
    ------
    CommandError
        When there is no sky to place pixels on.
    """
    own = _as_pixel(position, data) if data is not None else None
    if own is None:
        return _as_sky(session, position)[:2]
    if data.sky is None:
        raise CommandError(f"{data.name} has no sky coordinates, so its pixels have no place on the sky.")
    lon, lat = (float(v) for v in data.sky.pixel_to_sky(*own))
    if not (math.isfinite(lon) and math.isfinite(lat)):
        raise CommandError(f"Pixel ({own[0]:g}, {own[1]:g}) of {data.name} is not on the sky.")
    return lon, lat


def _as_pixel(position: Position, data: Any) -> tuple[float, float] | None:
    """Return the pixel that is meant, None when it is a place on the sky."""
    if type(position).__name__ == "PixCoord":
        return float(position.x), float(position.y)
    if isinstance(position, tuple | list) and len(position) == 2:
        try:
            return float(position[0]), float(position[1])
        except (TypeError, ValueError):
            raise CommandError(f"{position!r} is no pair of pixel numbers.") from None
    if not isinstance(position, str):
        return None
    words = position.lower().replace(",", " ").split()
    if words and words[0] in PIXEL_WORDS:
        words = words[1:]
    elif words and words[-1] in PIXEL_WORDS:
        words = words[:-1]
    elif data.sky is not None:
        return None
    try:
        x, y = (float(word) for word in words)
    except ValueError:
        where = "" if data.sky is not None else f"; {data.name} has no sky coordinates"
        raise CommandError(f"{position!r} is no pair of pixel numbers such as 512, 300{where}.") from None
    return x, y


def _as_sky(session: Any, position: Position) -> tuple[float, float, str]:
    if isinstance(position, str):
        return sky_position(session, position)
    icrs = getattr(position, "icrs", None)
    if icrs is None or not icrs.isscalar:
        raise CommandError(f"{position!r} is no place; give pixel numbers, a sky position or a name.")
    return float(icrs.ra.deg), float(icrs.dec.deg), str(position.to_string())


def sky_position(session: Any, text: str, *, resolver: str = "auto") -> tuple[float, float, str]:
    """Return RA and Dec (ICRS, degrees) of a position or an object's name, and the text for it; may ask the network."""
    from jviz.backend.coords import parse_position, resolve_name
    from jviz.backend.names import SESAME

    text = text.strip()
    try:
        return (*parse_position(text), text)
    except JvizError:
        if not any(c.isalpha() for c in text):
            raise
    chosen = session.settings["network.name_resolver"]
    servers = SESAME if chosen in ("", SESAME[0]) else (chosen,)
    found = resolve_name(text, offline=session.settings["network.offline"], servers=servers, resolver=resolver)
    return found.lon, found.lat, text
