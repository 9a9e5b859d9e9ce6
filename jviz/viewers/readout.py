"""What is under the cursor: pixel, sky, value with unit, error and flags, exact and from the file."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from jviz.backend.coords import format_position
from jviz.backend.dq import flag_names
from jviz.backend.render.ticks import in_digits
from jviz.viewers.image_layers import raster_of, ready_sky
from jviz.views import ImageLayer, ImageView

__all__ = ["Readout", "pretty_unit", "read_out", "unit_of_ratio"]


@dataclass(frozen=True)
class Readout:
    """What is under the cursor of an image viewer.

    Attributes
    ----------
    x, y : float
        Data pixel of the view's first layer, 0-based.
    pixel : (float, float)
        The same, counted from the first pixel's number in the settings.
    lon, lat : float or None
        ICRS degrees.
    frame, style : str
        Of `sky_text`.
    data : Data
        Of the active layer, whose value is read.
    value : float, int or None
        From the file; None outside of the image or while it is not read yet.
    unit : str
    error : float or None
        One sigma.
    flags : int or None
        The data quality value.
    flag_names : tuple of str
    spectral : str
        The spectral value of a cube there, the range of a slab, the wavelength of a pixel of a 2-D spectrum, or the
        coordinates of an image that is not on the sky of stars.
    digits : int
        Of the value: as many as its error, the limits of the colours, or the channels that a mean position is between,
        ask for.
    """

    view: ImageView
    data: Any
    x: float
    y: float
    pixel: tuple[float, float]
    lon: float | None = None
    lat: float | None = None
    frame: str = "icrs"
    style: str = "sexagesimal"
    value: float | int | None = None
    unit: str = ""
    error: float | None = None
    flags: int | None = None
    flag_names: tuple[str, ...] = ()
    spectral: str = ""
    digits: int = 6

    @property
    def pixel_text(self) -> str:
        """The pixel, ``"512.3, 300.8"``."""
        return f"{self.pixel[0]:.1f}, {self.pixel[1]:.1f}"

    def position(self, frame: str = "icrs", style: str = "") -> str:
        """The sky position in a frame; empty without one."""
        if self.lon is None or self.lat is None:
            return ""
        return " ".join(format_position(self.lon, self.lat, frame, style or self.style))

    @property
    def sky_text(self) -> str:
        """The sky position in the frame and style of the view."""
        return self.position(self.frame)

    @property
    def value_text(self) -> str:
        """Value ± error and unit."""
        if self.value is None:
            return ""
        value = number_text(self.value, self.digits)
        if self.error is not None and math.isfinite(self.error):
            value = f"{value} ± {self.error:.3g}"
        return f"{value} {self.unit}".rstrip()

    @property
    def flags_text(self) -> str:
        """Names of the flags that are set; "good" when there are none."""
        if self.flags is None:
            return ""
        return ", ".join(self.flag_names) or "good"

    @property
    def text(self) -> str:
        """All in one line."""
        short = {"galactic": "Gal", "ecliptic": "Ecl"}.get(self.frame, self.frame.upper())
        sky = f"{short} {self.sky_text}" if self.sky_text else ""
        flags = f"DQ {self.flags_text}" if self.flags_text else ""
        parts = (f"({self.pixel_text})", sky, self.spectral, self.value_text, flags)
        return "   ".join(part for part in parts if part)

    def __str__(self) -> str:
        return self.text


def read_out(view: ImageView, x: float, y: float, *, origin: int = 0) -> Readout:
    """Read what a view shows at a data pixel of its first layer.

    Parameters
    ----------
    origin : int
        Number that the first pixel has for the user.
    """
    layer = view.layer
    lon, lat = _sky(view, x, y)
    column, row = _in_data(view, layer.picture, x, y, lon, lat)
    value, unit, error, flags = _values(layer, column, row)
    if layer.operation and layer.against is not None:
        (value, unit), error, flags = _computed(view, layer, value, x, y, (lon, lat)), None, None
    names: tuple[str, ...] = ()
    if flags:
        names = tuple(flag_names(flags, layer.data.product.flags or "generic"))
    return Readout(
        view, layer.data, x, y, (x + origin, y + origin), lon, lat, view.sky_frame, view.sky_style,
        value, unit, error, flags, names, spectral_text(view, layer, column, row) or world_text(view, x, y),
        _digits(layer, value, error),
    )  # fmt: skip


def _digits(layer: ImageLayer, value: float | int | None, error: float | None) -> int:
    step = error
    if getattr(layer, "shows_slab", False) and layer.slab[2] == "moment1" and layer.data.axis_ready:
        step = float(np.median(layer.data.axis.widths)) / 10
    elif step is None and layer.shown_limits is not None and not layer.operation:
        step = abs(layer.shown_limits[1] - layer.shown_limits[0]) / 1000
    if not (value and step and math.isfinite(value) and math.isfinite(step) and step > 0):
        return 6
    return min(max(6, math.ceil(math.log10(abs(value) / step)) + 1), 15)


def world_text(view: ImageView, x: float, y: float) -> str:
    """Write the coordinates of axes that are not of the sky of stars: those of the Sun, of planets, of detectors."""
    data = view.layers[0].picture
    wcs = data.wcs if getattr(data, "wcs_ready", False) and data.sky is None else None
    types = list(wcs.wcs.ctype) if hasattr(wcs, "wcs") else []
    if len(types) != 2 or wcs.pixel_n_dim != 2 or not any(types):
        return ""
    parts = []
    for kind, unit, value in zip(types, wcs.world_axis_units, wcs.pixel_to_world_values(x, y), strict=True):
        if not math.isfinite(value):
            return ""
        name = kind.partition("-")[0].replace("LINEAR", "")
        if name in ("HPLN", "HPLT") and unit == "deg":  # the Sun is measured in arcseconds from its centre
            text = f"{3600 * ((value + 180) % 360 - 180):.2f}″"
        else:
            text = f"{value:.6f}°" if unit == "deg" else f"{value:.7g} {pretty_unit(unit)}"
        parts.append(f"{name} {text}".strip())
    return "  ".join(parts)


def spectral_text(view: ImageView, layer: ImageLayer, x: float, y: float) -> str:
    """Write the spectral value of a cube, or of a 2-D spectrum, at a pixel of its picture; empty for others."""
    if layer.data.kind == "spectrum2d":
        return _wavelength(layer.data, x, y)
    cube = getattr(layer, "cube", None)
    if cube is None or not cube.axis_ready:
        return ""
    from jviz.spectral_display import channel_within, scale_of

    scale = scale_of(cube.axis, getattr(view, "spectral_unit", ""))
    if layer.shows_slab:
        first, last = (channel_within(cube.axis, end) for end in layer.slab_now[:2])
        return f"{scale.text(first, unit=False)} – {scale.text(last)}"
    channel = {1: y, 2: x}.get(layer.order.index(0), 0.0) if layer.is_side else layer.point[0]
    return scale.text(channel) if not scale.is_channels else f"channel {round(channel)}"


def _wavelength(data: Any, x: float, y: float) -> str:
    """Write the wavelength of a pixel of a 2-D spectrum, linearly between pixels, once wavelengths are at hand."""
    if not data.wavelengths_ready:
        return ""
    waves = data.wavelengths
    value = waves.at(x, y)
    return f"{value:.6g} {pretty_unit(waves.unit)}".rstrip() if math.isfinite(value) else ""


def _sky(view: ImageView, x: float, y: float) -> tuple[float | None, float | None]:
    sky = ready_sky(view.layers[0].picture)
    if sky is None:
        return None, None
    lon, lat = (float(v) for v in sky.pixel_to_sky(x, y))
    return (lon, lat) if math.isfinite(lon) and math.isfinite(lat) else (None, None)


def _in_data(
    view: ImageView, data: Any, x: float, y: float, lon: float | None, lat: float | None
) -> tuple[float, float]:
    """Return the pixel of data that lies at a pixel of the first layer; NaN when there is none."""
    base = view.layers[0].picture
    if data is base or view.align != "sky" or ready_sky(base) is None or ready_sky(data) is None:
        return x, y
    if lon is None:
        return math.nan, math.nan
    column, row = ready_sky(data).sky_to_pixel(lon, lat)
    return float(column), float(row)


def _computed(
    view: ImageView, layer: ImageLayer, here: float | int | None, x: float, y: float, sky: tuple
) -> tuple[float | None, str]:
    """Return the difference or ratio of two images at a pixel of the first layer, and its unit."""
    there = _value(layer.against.raster(), *_in_data(view, layer.against, x, y, *sky))
    unit = pretty_unit(layer.shown_unit) if layer.operation == "difference" else unit_of_ratio(layer)
    if here is None or there is None or (layer.operation == "ratio" and there == 0):
        return None, unit
    return (here / there if layer.operation == "ratio" else here - there), unit


def unit_of_ratio(layer: ImageLayer) -> str:
    """Return the unit of one image divided by another, empty where both have the same."""
    first, second = (pretty_unit(unit) for unit in (layer.shown_unit, layer.against.plane().unit))
    return "" if first == second else f"{first or '1'} / ({second})" if second else first


def _values(layer: ImageLayer, x: float, y: float) -> tuple[Any, str, float | None, int | None]:
    """Return value, unit, error and flags of a pixel."""
    raster = raster_of(layer)
    if raster is None or not (math.isfinite(x) and math.isfinite(y)):
        return None, "", None, None
    plane, shown = layer.data.plane(layer.plane), _value(raster, x, y)
    unit = pretty_unit(layer.shown_unit)
    if layer.is_made or plane is not layer.data.plane():
        flags = int(shown) if plane.meaning == "flags" and shown is not None else None
        return shown, unit, None, flags
    product = layer.data.product
    return shown, unit, _error(layer, product, x, y), _flags(layer, product, x, y)


def _value(raster: Any, x: float, y: float) -> float | int | None:
    """Read a pixel from the file, or from memory while the file is still to be decompressed."""
    value = raster.value(x, y)
    if value is not None or raster.reduce == "or":
        return value
    column, row = math.floor(x + 0.5), math.floor(y + 0.5)
    if not (0 <= column < raster.shape[1] and 0 <= row < raster.shape[0]):
        return None
    block = raster.block((column - 0.5, row - 0.5, column + 0.5, row + 0.5), 1.0)
    if block is None or block.step != 1:
        return None
    i, j = round(row - block.y0), round(column - block.x0)
    inside = 0 <= i < block.data.shape[0] and 0 <= j < block.data.shape[1]
    return float(block.data[i, j]) + block.offset if inside else None


def _beside(layer: ImageLayer, plane: Any, x: float, y: float) -> Any:
    """Read the same pixel of another plane; None when it has another shape."""
    first, index = layer.picture.plane(), layer.picture_index
    if plane is None:
        return None
    plane = layer.picture.plane(plane.name)
    if plane.shape[-2:] != first.shape[-2:] or len(plane.shape) > len(first.shape):
        return None
    index = index[len(index) - (len(plane.shape) - 2) :] if len(plane.shape) > 2 else ()
    if len(plane.shape) > 2 and len(index) != len(plane.shape) - 2:
        return None
    return layer.picture.raster(plane.name, index).value(x, y)


def _error(layer: ImageLayer, product: Any, x: float, y: float) -> float | None:
    value = _beside(layer, product.plane("error"), x, y)
    if value is not None:
        return float(value)
    value = _beside(layer, product.plane("variance"), x, y)
    if value is not None:
        return math.sqrt(value) if value >= 0 else None
    value = _beside(layer, product.plane("inverse variance"), x, y)
    return 1 / math.sqrt(value) if value is not None and value > 0 else None


def _flags(layer: ImageLayer, product: Any, x: float, y: float) -> int | None:
    value = _beside(layer, product.plane("flags"), x, y)
    return None if value is None else int(value)


def number_text(value: float | int, digits: int = 6) -> str:
    """Write a value with six digits, or more, whole numbers in full."""
    return str(value) if isinstance(value, int) else in_digits(value, digits)


def place_text(x: float, along: np.ndarray) -> str:
    """Write a place along samples in at least six digits, and in as many as tell two samples apart."""
    every = max(1, len(along) // 256)
    steps = np.abs(np.diff(along[::every])) / every
    steps = steps[steps > 0]
    if x == 0 or not len(steps) or not np.isfinite(x):
        return number_text(x)
    digits = math.ceil(math.log10(abs(x) / float(np.median(steps)))) + 1
    return f"{x:.{min(max(6, digits), 15)}g}"


_superscripts = str.maketrans("+-0123456789", "⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_in_capitals = {"ERG": "erg", "ERGS": "erg", "CM": "cm", "S": "s", "SEC": "s", "A": "Å", "HZ": "Hz"}
_in_words = re.compile(r"[\w%°′″'\"]")
_capitals = re.compile(r"[A-Z]+")


def _raised(found: re.Match) -> str:
    return found[1].translate(_superscripts)


_power = re.compile(r"(?:\*\*|\^)\(?\+?(-?\d+)\)?")

_spellings: tuple[tuple[re.Pattern, Any], ...] = (
    (re.compile(r"\b(angstroms?|ang)(?![A-Za-z])", re.IGNORECASE), "Å"),
    (re.compile(r"\bmicro[Jj]anskys?\b"), "µJy"),
    (re.compile(r"\bmeter\b"), "m"),
    (re.compile(r"\b1[Ee]([+-]?\d+)\b"), lambda found: f"10{found[1].lstrip('+').translate(_superscripts)}"),
    (re.compile(r"\bu(?=m\b|Jy\b)"), "µ"),
    (re.compile(r"(?<=[A-Za-zÅ])(\d)(?=\b|_)"), _raised),
    (re.compile(r"(?<=[A-Za-zÅ])(-\d+)\b"), _raised),
    (re.compile(r"(?<=[⁰¹²³⁴⁵⁶⁷⁸⁹])(?=[A-Za-zÅ])"), " "),
    (re.compile(r"\s*\*\s*"), " "),
    (re.compile(r"\s*/\s*"), "/"),
)


@lru_cache(maxsize=256)
def pretty_unit(unit: str) -> str:
    """Write a unit of a file as people do: ``"10**(-20)*erg/s/cm**2"`` becomes ``"10⁻²⁰ erg/s/cm²"``."""
    if not _in_words.search(unit):
        return ""  # "+" and the like, which some files have in place of a unit
    text = _power.sub(_raised, unit)
    if "ERG" in text and text.isupper():
        text = _capitals.sub(lambda found: _in_capitals.get(found[0], found[0]), text)  # IUE and others of its time
    for pattern, spelling in _spellings:
        text = pattern.sub(spelling, text)
    return text.strip()
