"""What a ruler says: separation and position angle between two pixels."""

from __future__ import annotations

from typing import Any

import numpy as np

from jviz.backend.coords import angle_text
from jviz.backend.regions.offsets import offsets_to

__all__ = ["measured", "separation"]


def separation(start: np.ndarray, end: np.ndarray, sky: Any) -> tuple[float, float] | None:
    """Return the angle between two pixels in arcseconds, and the position angle of the second seen from the first.

    Position angles are in degrees from north through east. None where there is no sky.
    """
    if sky is None:
        return None
    lon, lat = sky.pixel_to_sky(np.array([start[0], end[0]]), np.array([start[1], end[1]]))
    west, north = offsets_to(lon[0], lat[0], lon[1:], lat[1:])
    if not np.isfinite(west + north).all():
        return None
    return float(3600 * np.hypot(west, north)[0]), float(np.degrees(np.arctan2(-west, north))[0] % 360)


def measured(start: np.ndarray, end: np.ndarray, sky: Any) -> str:
    """Say how far two pixels are apart and in which direction."""
    found = separation(start, end, sky)
    dx, dy = end - start
    pixels = f"{np.hypot(dx, dy):.2f} px"
    if found is None:
        return f"{pixels}   {np.degrees(np.arctan2(dy, dx)) % 360:.1f}°"
    arcsec, angle = found
    return f"{angle_text(arcsec)}   PA {angle:.1f}°   {pixels}"
