"""Regions in another world coordinate system of their image ("wcsa" of DS9), in its pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from jviz.backend.regions.converting import converted, to_pixel
from jviz.backend.regions.ds9_words import ABOUT
from jviz.backend.regions.offsets import offset_by
from jviz.backend.regions.physical import linear_of
from jviz.backend.skymap import SkyMap
from jviz.errors import CommandError

__all__ = ["of_alternate"]


def of_alternate(region: Any, words: Sequence[str], image: Any) -> Any:
    """Return a region of pixels whose numbers are of another WCS of its image.

    Parameters
    ----------
    region : regions.PixelRegion
        Positions are the numbers of that WCS less 1; sizes in its unit, or in arcseconds as "sky sizes" says.
    words : sequence of str
        "wcsa", and what else is left to the image.
    image : object or None
        With ``shape`` and ``header``.

    Raises
    ------
    CommandError
        When the image has no such WCS, or it is turned against its pixels and not of the sky.
    """
    word, letter = words[0], words[0][-1].upper()
    if image is None:
        raise CommandError(f"{word} coordinates, which need an image")
    sky = _sky_of(image, letter)
    sized = next((said for said in words if said.startswith("sky sizes")), "")
    if sky is not None:
        return to_pixel(converted(region, _Named(sky.native_frame, sized)), sky)
    linear = linear_of(_without_letter(image.header, letter))
    if linear is None or sized:
        raise CommandError(f"{word} coordinates, which the image does not have")
    return converted(region, linear)


def _sky_of(image: Any, letter: str) -> SkyMap | None:
    from astropy.io.fits import Header
    from astropy.wcs import WCS

    header = Header()
    for key, value in image.header.items():
        if len(key) <= 8 and isinstance(value, str | int | float) and key not in ("COMMENT", "HISTORY", ""):
            header[key] = value
    try:
        wcs = WCS(header, key=letter, naxis=2)
    except Exception:  # wcslib has many reasons, and all mean that there is none
        return None
    return SkyMap.of(wcs, image.shape[-2:]) if wcs.has_celestial else None


def _without_letter(header: Mapping[str, Any], letter: str) -> dict[str, Any]:
    return {key[:-1]: value for key, value in header.items() if key.endswith(letter) and key[-2:-1].isdigit()}


class _Named:
    """Takes numbers of pixels for degrees of a frame."""

    space = "Sky"

    def __init__(self, frame: str, sized: str) -> None:
        self._frame = {"ecliptic": "barycentricmeanecliptic"}.get(frame, frame)
        self._factor = 1 / 3600.0 if sized else 1.0
        _, about, place = sized.partition(ABOUT)
        self._about = tuple(map(float, place.split())) if about else None

    def position(self, position: Any) -> Any:
        from astropy.coordinates import SkyCoord

        lon, lat = np.asarray(position.x) + 1.0, np.asarray(position.y) + 1.0
        if self._about is not None:
            x, y = self._about
            lon, lat = offset_by(x + 1.0, y + 1.0, (position.x - x) / 3600.0, (position.y - y) / 3600.0)
        if (np.abs(lat) > 90).any():
            raise CommandError("no place on the sky of the other WCS")
        return SkyCoord(lon, lat, unit="deg", frame=self._frame)

    def matrix(self, position: Any) -> np.ndarray:
        return np.eye(2) * self._factor

    def size(self, value: float) -> Any:
        from astropy import units as u

        return value * 3600.0 * u.arcsec
