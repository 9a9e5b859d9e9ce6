"""How an image is first seen, by its header alone: the shape of its pixels, and the part where its light is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

__all__ = ["PROJECTED", "has_spectral_edge", "lit_box", "pixel_aspect"]

NEARLY_SQUARE = 1.25
"""Pixels nearer to squares than this are drawn square: detectors with some distortion, compared pixel by pixel."""

MOST = 50.0
"""No spaxels are so long: a header that says so is wrong."""

LRS_SLIT = (298.5, 1.5, 352.5, 403.5)
"""Where the slit of MIRI LRS lies on the whole detector, x0, y0, x1, y1, with a margin: the pipeline's bounding box
of its GWCS is x 302.5 to 346.5 and y 6.5 to 396.5 (jwst.assign_wcs, reference file SPECWCS)."""

PROJECTED = ("RA--", "DEC-", "GLON", "GLAT", "ELON", "ELAT", "SLON", "SLAT")
"""How CTYPE begins of axes along the sky: longitudes, each with its latitude."""


def pixel_aspect(header: Mapping[str, Any]) -> float:
    """Return the height of a pixel over its width, 1 for those that are nearly square and where nothing is said.

    Both are lengths on the sky, of the columns of CDi_j (or PCi_j times CDELTi) of the two celestial axes; the axis
    with the lower number is to the right (FITS standard 4.0, section 8).
    """
    axes = _celestial(header)
    if axes is None:
        return 1.0
    wide, high = (_length(header, axes, pixel) for pixel in sorted(axes))
    if not (math.isfinite(wide) and math.isfinite(high) and wide > 0 and high > 0):
        return 1.0
    aspect = high / wide
    return aspect if NEARLY_SQUARE < max(aspect, 1 / aspect) <= MOST else 1.0


def lit_box(header: Mapping[str, Any], shape: tuple[int, ...]) -> tuple[float, float, float, float] | None:
    """Return the edges x0, y0, x1, y1 of the part that has the spectrum, None when that is the whole image.

    The spectrum through the slit of MIRI LRS takes a fiftieth of the detector, which is read whole.
    """
    if str(header.get("EXP_TYPE", "")) != "MIR_LRS-FIXEDSLIT" or len(shape) < 2 or min(shape[-2:]) < 1000:
        return None
    return LRS_SLIT


def has_spectral_edge(header: Mapping[str, Any]) -> bool:
    """Whether one of the two first axes counts wavelengths, frequencies or velocities, and the other does not."""
    from jviz.backend.spectra.axis import spectral_word

    return sum(spectral_word(str(header.get(f"CTYPE{n}", ""))) for n in (1, 2)) == 1


def _celestial(header: Mapping[str, Any]) -> tuple[int, int] | None:
    words = {n: str(header.get(f"CTYPE{n}", "")).strip()[:4] for n in range(1, 6)}
    pair = PROJECTED[::2], PROJECTED[1::2]
    found = [next((n for n, word in words.items() if word in kinds), None) for kinds in pair]
    return None if None in found else (found[0], found[1])


def _length(header: Mapping[str, Any], world: tuple[int, int], pixel: int) -> float:
    """Return the length on the sky of a step along a pixel axis, in the unit of the header."""
    matrix = "CD" if any(f"CD{i}_{j}" in header for i in world for j in world) else "PC"
    steps = []
    for axis in world:
        usual = float(axis == pixel) if matrix == "PC" else 0.0
        value = _number(header, f"{matrix}{axis}_{pixel}", usual)
        steps.append(value if matrix == "CD" else value * _number(header, f"CDELT{axis}", 1.0))
    return math.hypot(*steps)


def _number(header: Mapping[str, Any], name: str, usual: float) -> float:
    try:
        return float(header.get(name, usual))
    except (TypeError, ValueError):
        return math.nan
