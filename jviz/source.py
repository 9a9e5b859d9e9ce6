"""Python source of small astropy objects, so that script lines can be read and edited."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from jviz.conversion.codec import region_parameters
from jviz.conversion.family import family

__all__ = ["modules_in", "source_of"]

LONGEST = 64
"""Numbers of an array that are written out; longer ones are kept beside the script."""

MODULES = ("astropy.coordinates", "astropy.units", "regions", "specutils", "jviz.kept")


def source_of(value: Any) -> str:
    """Return source that makes an equal object, ``""`` when it would be long or is not known."""
    families = family(type(value))
    if "Region" in families:
        return _region(value)
    if "SpectralRegion" in families:
        return _spectral_region(value)
    if "SpectralRanges" in families:
        medium = f", {value.medium!r}" if value.medium else ""
        return f"jviz.SpectralRanges({value.ranges!r}, {value.unit!r}{medium})" if len(value.ranges) <= LONGEST else ""
    if "Quantity" in families:
        return _quantity(value)
    name = type(value).__name__
    if name == "PixCoord" and type(value).__module__.startswith("regions"):
        return _call("regions.PixCoord", {"x": _numbers(value.x), "y": _numbers(value.y)})
    if name == "SkyCoord" and type(value).__module__.startswith("astropy"):
        return _sky(value)
    return ""


def modules_in(text: str) -> set[str]:
    """Return the modules that lines of source need."""
    return {name for name in MODULES if re.search(rf"(?<![\w.'/]){re.escape(name)}\.", text)}


def _call(function: str, arguments: dict[str, str]) -> str:
    """Write a call, or nothing when one of the arguments cannot be written."""
    if not all(arguments.values()):
        return ""
    return f"{function}({', '.join(f'{name}={text}' for name, text in arguments.items())})"


def _region(region: Any) -> str:
    if type(region).__name__.startswith("Compound") or dict(region.visual):
        return ""
    words = {k: v for k, v in region.meta.items() if isinstance(v, str | bool | int | float)}
    if len(words) != len(region.meta):
        return ""
    arguments = {name: _argument(value) for name, value in region_parameters(region).items() if value is not None}
    if words:
        arguments["meta"] = f"regions.RegionMeta({words!r})"
    return _call(f"regions.{type(region).__name__}", arguments)


def _argument(value: Any) -> str:
    if isinstance(value, bool | int | float | str | np.generic):
        return repr(value.item() if isinstance(value, np.generic) else value)
    return source_of(value)


def _spectral_region(region: Any) -> str:
    ranges = [(_quantity(low), _quantity(high)) for low, high in region.subregions]
    if len(ranges) > LONGEST:
        return ""
    return f"specutils.SpectralRegion([{', '.join(f'({low}, {high})' for low, high in ranges)}])"


def _quantity(value: Any) -> str:
    numbers = "" if hasattr(value, "unmasked") else _numbers(value.value)
    return f"astropy.units.Quantity({numbers}, {value.unit.to_string()!r})" if numbers else ""


def _sky(coord: Any) -> str:
    frame = coord.frame
    plain = all(frame.is_frame_attr_default(name) for name in frame.frame_attributes)
    if not plain or frame.data.__class__.__name__ != "UnitSphericalRepresentation":
        return ""
    lon, lat = _numbers(frame.spherical.lon.deg), _numbers(frame.spherical.lat.deg)
    if not (lon and lat):
        return ""
    return f"astropy.coordinates.SkyCoord({lon}, {lat}, unit='deg', frame={frame.name!r})"


def _numbers(value: Any) -> str:
    array = np.asarray(value)
    if array.size > LONGEST or array.dtype.kind not in "iuf" or not np.isfinite(array).all():
        return ""
    return repr(array.tolist())
