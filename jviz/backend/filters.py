"""The wavelength of an image by the filter that its header names, and the hues for a colour picture of several."""

from __future__ import annotations

import colorsys
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["hex_of", "hues", "in_order", "wavelength"]

BANDS = {
    "U": 0.365, "B": 0.445, "V": 0.551, "R": 0.658, "I": 0.806, "Z": 0.900, "Y": 1.020, "J": 1.220, "H": 1.630,
    "K": 2.190, "KS": 2.150, "L": 3.450, "M": 4.750, "N": 10.0, "Q": 20.0, "G": 0.477, "NUV": 0.231, "FUV": 0.153,
    "W1": 3.4, "W2": 4.6, "W3": 12.0, "W4": 22.0,
}  # fmt: skip
"""Effective wavelengths in micrometres (Bessell 2005, ARA&A 43, 293; SDSS g; GALEX; WISE)."""

NAMES = {
    "red": "#ff0000", "green": "#00ff00", "blue": "#0000ff", "cyan": "#00ffff", "magenta": "#ff00ff",
    "yellow": "#ffff00", "orange": "#ff8000", "violet": "#8000ff", "purple": "#a000c0", "pink": "#ff80c0",
    "teal": "#00a0a0", "lime": "#80ff00", "white": "#ffffff", "gold": "#ffc000", "azure": "#0080ff",
}  # fmt: skip

KEYWORDS = ("FILTER", "FILTER1", "FILTER2", "PUPIL", "FILTNAM1", "FILTERS", "BAND", "INSFLNAM")


def wavelength(header: Mapping[str, Any]) -> float | None:
    """Return the wavelength in micrometres that a header's filter stands for, None when it says none.

    ``F200W`` is 2.00 µm at JWST, Roman and in the infrared channel of WFC3, and 200 nm elsewhere at HST; where
    two wheels have filters, the narrower band (of greater number in a JWST pupil wheel) counts.
    """
    for key in ("WAVELEN", "WAVELNTH"):
        value = header.get(key)
        if isinstance(value, int | float) and value > 0:
            return float(value) / (1e4 if value > 1000 else 1.0)
    found = [w for key in KEYWORDS if (w := _of_name(str(header.get(key, "")), header)) is not None]
    pupil = _of_name(str(header.get("PUPIL", "")), header)
    return pupil if pupil is not None else (found[0] if found else None)


def _of_name(name: str, header: Mapping[str, Any]) -> float | None:
    name = name.strip().upper()
    coded = re.fullmatch(r"F(\d{3,4})([WMNXLP]P?|LP|W2|N)?(\d*)", name)
    if coded:
        number = int(coded[1])
        telescope, detector = (str(header.get(key, "")).upper() for key in ("TELESCOP", "DETECTOR"))
        nanometres = telescope == "HST" and not (detector == "IR" or "NIC" in str(header.get("INSTRUME", "")).upper())
        return number / 1000 if nanometres else number / 100
    bare = re.sub(r"^(SDSS|BESSELL?|JOHNSON|COUSINS|PS1|DECAM|VISTA|2MASS|SLOAN)[ _-]*", "", name)
    bare = re.sub(r"['´P]$|[ _-].*$", "", bare)
    return BANDS.get(bare)


def in_order(headers: Sequence[Mapping[str, Any]]) -> list[int]:
    """Return the numbers of images from the shortest wavelength to the longest; unknown ones keep their place last."""
    known = [wavelength(header) for header in headers]
    return sorted(range(len(headers)), key=lambda n: (known[n] if known[n] is not None else math.inf, n))


def hues(count: int) -> list[str]:
    """Return colours from blue to red for so many images, ``"#rrggbb"``."""
    if count == 2:
        return ["#00a0ff", "#ff6000"]  # together white, as far as two can be
    steps = [240.0 - 240.0 * n / (count - 1) for n in range(count)] if count > 1 else [0.0]
    return ["#" + "".join(f"{round(255 * c):02x}" for c in colorsys.hsv_to_rgb(h / 360, 1.0, 1.0)) for h in steps]


def hex_of(color: str) -> str | None:
    """Return ``"#rrggbb"`` of a name or of itself, None when it is no colour."""
    color = str(color).strip().lower()
    if re.fullmatch("#[0-9a-f]{6}", color):
        return color
    return NAMES.get(color)
