"""Markers: places that a user logged with a key, each with what was read there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from jviz.backend.dq import flag_names
from jviz.backend.units import parse_unit
from jviz.data import Data
from jviz.errors import CommandError
from jviz.pixels import Pixels

__all__ = ["Marker", "mark", "numbered", "places", "table_of"]


@dataclass(frozen=True, eq=False)
class Marker:
    """One logged place; never changed.

    Attributes
    ----------
    number : int
        What is written beside it; counted from 1 in a session.
    data : Data or None
        Where it was logged; None when a saved session no longer finds it.
    name, plane : str
        Of the data and the plane that was read.
    index : tuple of int
        Slice of data with more than two axes.
    x, y : float
        Pixel of the data, 0-based.
    lon, lat : float or None
        ICRS degrees.
    value, error : float or None
        Of the pixel; None where there is none.
    unit : str
    flags : int or None
        The data quality value.
    flag_names : str
        Names of its bits.
    """

    number: int
    data: Data | None
    name: str
    plane: str
    index: tuple[int, ...]
    x: float
    y: float
    lon: float | None = None
    lat: float | None = None
    value: float | None = None
    error: float | None = None
    unit: str = ""
    flags: int | None = None
    flag_names: str = ""


def mark(data: Any, x: float, y: float, plane: str = "", index: tuple[int, ...] = ()) -> Marker:
    """Read what is at a pixel of some data.

    Raises
    ------
    CommandError
        When the place is not on the image.
    """
    pixels = Pixels(data, plane, index)
    if not (math.isfinite(x) and math.isfinite(y)):
        raise CommandError(f"Pixel ({x:g}, {y:g}) is no place on {data.name}; give finite numbers.")
    column, row = math.floor(x + 0.5), math.floor(y + 0.5)
    if not (0 <= column < pixels.shape[1] and 0 <= row < pixels.shape[0]):
        raise CommandError(f"Pixel ({x:.1f}, {y:.1f}) is not on {data.name}; mark a place on the image.")
    here = slice(row, row + 1), slice(column, column + 1)
    values, variance = pixels.read(*here)
    bits = pixels.flags(*here)
    flags = None if bits is None else int(bits[0, 0])
    names = flag_names(flags, data.product.flags or "generic") if flags else ()
    lon, lat = (None, None) if data.sky is None else map(_known, data.sky.pixel_to_sky(x, y))
    error = None if variance is None else math.sqrt(variance[0, 0]) if variance[0, 0] >= 0 else None
    return Marker(
        0, data, data.name, pixels.plane.name, pixels.index, float(x), float(y), lon, lat, _known(values[0, 0]),
        None if error is None else _known(error), pixels.unit, flags, ", ".join(names),
    )  # fmt: skip


def _known(value: Any) -> float | None:
    return float(value) if math.isfinite(value) else None


def numbered(markers: Sequence[Marker], new: Marker) -> tuple[Marker, ...]:
    """Return the markers with a new one, which gets the next number."""
    return (*markers, replace(new, number=max((m.number for m in markers), default=0) + 1))


def table_of(markers: Sequence[Marker]) -> Any:
    """Return markers as a ``QTable``, one row each.

    The value has its unit where all markers share one, else the units have a column of their own. What is not
    known is NaN, or an empty text.
    """
    import astropy.units as u
    from astropy.table import QTable

    def numbers(name: str) -> np.ndarray:
        return np.array([math.nan if getattr(m, name) is None else getattr(m, name) for m in markers], dtype=float)

    units = {m.unit for m in markers}
    unit = parse_unit(next(iter(units))) if len(units) == 1 else None
    table = QTable({"marker": np.array([m.number for m in markers], dtype=int)})
    table["x"], table["y"] = numbers("x") * u.pix, numbers("y") * u.pix
    if any(m.lon is not None for m in markers):
        table["ra"], table["dec"] = numbers("lon") * u.deg, numbers("lat") * u.deg
    for name, source in (("value", "value"), ("value_err", "error")):
        if source == "value" or any(m.error is not None for m in markers):
            table[name] = numbers(source) if unit is None else numbers(source) * unit
    if unit is None and units != {""}:
        table["unit"] = [m.unit for m in markers]
    if any(m.flags is not None for m in markers):
        table["flags"] = [m.flag_names if m.flags else "" if m.flags is None else "good" for m in markers]
    table["data"], table["plane"] = [m.name for m in markers], [m.plane for m in markers]
    if any(m.index for m in markers):
        table["slice"] = [", ".join(map(str, m.index)) for m in markers]
    return table


def places(markers: Sequence[Marker], view: Any, sky: Any) -> np.ndarray:
    """Return where markers lie in the pixels of a view's first layer, shape (n, 2); NaN where they do not.

    Parameters
    ----------
    sky : SkyMap or None
        Of the first layer, where it is known already.
    """
    own = {layer.data for layer in view.layers}
    base = view.layers[0].data
    found = np.full((len(markers), 2), np.nan)
    through = [n for n, m in enumerate(markers) if m.data is not base and m.lon is not None]
    if sky is not None and view.align == "sky" and through:
        lon, lat = np.array([(markers[n].lon, markers[n].lat) for n in through]).T
        found[through] = np.column_stack(sky.sky_to_pixel(lon, lat))
    for n, marker in enumerate(markers):
        beside = marker.data in own and (view.align != "sky" or sky is None or marker.lon is None)
        if marker.data is base or beside:
            found[n] = marker.x, marker.y
    return found
