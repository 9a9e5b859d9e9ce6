"""Images of rows: how many lie in each pixel, as of the events of X-ray and gamma-ray telescopes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["USUAL_PIXELS", "Axis", "binned", "celestial_axes", "round_bin", "sky_wcs"]

USUAL_PIXELS = 1024
"""Pixels along the longer side that an image has at most when no size of pixels is given."""

_KEYS = ("CTYP", "CRVL", "CRPX", "CDLT")


@dataclass(frozen=True)
class Axis:
    """What a table says of a column that is an axis of the sky: keywords TCTYPn … (FITS standard 4.0, table 22)."""

    column: str
    ctype: str
    value: float
    pixel: float
    step: float


def celestial_axes(header: Mapping[str, Any], columns: list[str]) -> tuple[Axis, Axis] | None:
    """Return the axes of longitude and latitude of a list of events: by TCTYPn …, or by the REFXCTYP … of XMM."""
    found = [axis for name in columns if (axis := _axis_of(header, name)) is not None]
    pairs = [(lon, lat) for lon in found for lat in found if _is_pair(lon, lat)]
    return pairs[0] if pairs else None


def _axis_of(header: Mapping[str, Any], name: str) -> Axis | None:
    number = next((key[5:] for key, value in header.items()
                   if key.startswith("TTYPE") and str(value).strip().lower() == name.lower()), None)  # fmt: skip
    words = [f"T{key}{number}" for key in _KEYS] if number else []
    if not words or words[0] not in header:
        words = [f"REF{name.upper()}{key}" for key in ("CTYP", "CRVL", "CRPX", "CDLT")]
    try:
        ctype, *numbers = (header[word] for word in words)
        return Axis(name, str(ctype).strip(), *map(float, numbers))
    except (KeyError, TypeError, ValueError):
        return None


def _is_pair(lon: Axis, lat: Axis) -> bool:
    names = lon.ctype[:4].rstrip("-"), lat.ctype[:4].rstrip("-")
    return names in (("RA", "DEC"), ("GLON", "GLAT"), ("ELON", "ELAT")) and lon.ctype[4:] == lat.ctype[4:]


def round_bin(span: float, *, whole: bool) -> float:
    """Return a size of pixels that makes a span at most `USUAL_PIXELS`: a power of two, or 1, 2, 5 … if not whole."""
    least = span / USUAL_PIXELS
    if not least > 0:
        return 1.0
    if whole:
        return 2.0 ** max(0, math.ceil(math.log2(least)))
    decade = 10.0 ** math.floor(math.log10(least))
    return decade * next(step for step in (1, 2, 5, 10) if step * decade >= least * (1 - 1e-9))


def binned(
    x: np.ndarray, y: np.ndarray, origin: tuple[float, float], size: float, shape: tuple[int, int], weights: Any = None
) -> tuple[np.ndarray, np.ndarray]:
    """Count rows in square pixels.

    Parameters
    ----------
    x, y : ndarray of float64
        NaN, and what lies outside, counts nowhere.
    origin : (float, float)
        Lower edges of the first pixel.
    size : float
        Of a pixel.
    shape : (int, int)
        Rows and columns of the image.
    weights : ndarray, optional
        What each row counts; NaN counts nowhere.

    Returns
    -------
    values, error : ndarray of float32
        Sums, and their standard deviations after Poisson: the root of the sum of the squares.
    """
    column, row = np.floor((x - origin[0]) / size), np.floor((y - origin[1]) / size)
    good = (column >= 0) & (column < shape[1]) & (row >= 0) & (row < shape[0])
    if weights is not None:
        good &= np.isfinite(weights)
        weights = weights[good]
    where = (row[good] * shape[1] + column[good]).astype(np.intp)
    cells = shape[0] * shape[1]
    values = np.bincount(where, weights, cells)
    squares = values if weights is None else np.bincount(where, weights**2, cells)
    return tuple(a.reshape(shape).astype(np.float32) for a in (values, np.sqrt(squares)))


def sky_wcs(lon: Axis, lat: Axis, origin: tuple[float, float], size: float) -> Any:
    """Return the WCS of an image of the columns of two axes."""
    from astropy.wcs import WCS

    wcs = WCS(naxis=2)
    wcs.wcs.ctype = [lon.ctype, lat.ctype]
    wcs.wcs.cunit = ["deg", "deg"]
    wcs.wcs.crval = [lon.value, lat.value]
    wcs.wcs.crpix = [(axis.pixel - start) / size + 0.5 for axis, start in zip((lon, lat), origin, strict=True)]
    wcs.wcs.cdelt = [lon.step * size, lat.step * size]
    wcs.wcs.set()
    return wcs
