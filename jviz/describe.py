"""What is in a file, in words: for ``jviz info``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jviz.backend.io.product import Plane, Product, Unit
from jviz.data import Data, from_product, loaded_object
from jviz.errors import JvizError
from jviz.results import counted

__all__ = ["describe", "size_text"]


def describe(path: Path, *, header: bool = False) -> str:
    """Return lines about every product of a file.

    Parameters
    ----------
    header : bool
        Add the cards of every header.

    Raises
    ------
    JvizError
        When it cannot be read.
    """
    from jviz.backend.io.registry import open_products
    from jviz.session_file import is_session_file

    if is_session_file(path):
        return "\n".join(_of_session(path))
    products = open_products(path)
    lines = [f"{path}: {size_text(path.stat().st_size)}, {counted(len(products), 'data set')}"]
    for product in products:
        lines += _of_product(product)
    if len(products[0].units) > 1:
        lines += ["\n  extensions", *map(_of_unit, products[0].units)]
    if header:
        for unit in products[0].units:
            lines += _of_header(unit)
    return "\n".join(lines)


def _of_session(path: Path) -> Iterator[str]:
    from jviz.session_file import read_document

    document = read_document(path)
    counts = ", ".join(counted(len(document.get(what, [])), what.rstrip("s")) for what in ("views", "subsets"))
    yield f"{path}: session saved by jviz {document.get('jviz', '?')}, {counts}"
    for source in document.get("data", []):
        yield f"  {source.get('name')}: {source.get('kind')}, {source.get('path', 'inside of the session')}"


def _of_product(product: Product) -> Iterator[str]:
    data = from_product(product)
    yield f"\n  {data.name}  ({', '.join(dict.fromkeys(w for w in (product.kind, product.label) if w))})"
    width = max([8, *map(len, data.planes)])
    for plane in data.planes.values():
        yield f"    {_of_plane(plane, width)}"
    if product.load_object is not None:
        yield from _of_object(data)
    if data.planes:
        yield f"    world    {_of_world(data)}"
    for warning in product.warnings:
        yield f"    note     {warning}"


def _of_plane(plane: Plane, width: int) -> str:
    shape = " × ".join(map(str, plane.shape))
    words = [f"{plane.name:<{width}} {shape}", plane.dtype.name, plane.unit, f"({plane.meaning})"]
    return "  ".join(word for word in words if word)


def _of_object(data: Data) -> Iterator[str]:
    try:
        thing = loaded_object(data)
    except JvizError as error:
        yield f"    {error}"
        return
    if not hasattr(thing, "colnames"):
        yield f"    {type(thing).__name__} of {len(thing)}" if hasattr(thing, "__len__") else f"    {thing}"
        return
    yield f"    table    {counted(len(thing), 'row')}, {counted(len(thing.colnames), 'column')}"
    for name in thing.colnames:
        column = thing[name]
        shape = " × ".join(map(str, getattr(column, "shape", (0,))[1:]))
        unit = getattr(column, "unit", None)
        words = (f"      {name:<24}", _type_of(column), shape, str(unit) if unit else "")
        yield "  ".join(word for word in words if word)


def _type_of(column: Any) -> str:
    dtype = getattr(column, "dtype", None)
    return dtype.newbyteorder("=").name if dtype is not None else type(column).__name__


def _of_world(data: Any) -> str:
    result = data.product.load_wcs()
    notes = " ".join(result.warnings)
    if result.wcs is None:
        return notes or "none"
    from jviz.backend.wcs import linear_axes

    kind = "GWCS" if type(result.wcs).__module__.startswith("gwcs") else "FITS WCS"
    words = [kind, *_sky_words(data)]
    words += [_axis_words(axis, data.shape) for axis in linear_axes(result.wcs)]
    return ", ".join(words) + (f" ({notes})" if notes else "")


def _sky_words(data: Any) -> list[str]:
    from jviz.backend.wcs import SkyMap

    sky = SkyMap.of(data.product.load_wcs().wcs, data.shape)
    if sky is None:
        return []
    x, y = (data.shape[-1] - 1) / 2, (data.shape[-2] - 1) / 2
    ra, dec = (float(v) for v in sky.pixel_to_sky(x, y))
    if ra != ra:
        return ["centre not on the sky"]
    return [f"centre {ra:.6f} {dec:+.6f} deg (ICRS)", f"{sky.pixel_scale().mean:.4g} arcsec per pixel"]


def _axis_words(axis: Any, shape: tuple[int, ...]) -> str:
    last = shape[-1 - axis.pixel_axis] - 1
    low, high = (float(axis.function(place)) for place in (0, last))
    return f"{axis.label or 'axis'} {low:.6g} to {high:.6g} {axis.unit}".strip()


def _of_unit(unit: Unit) -> str:
    shape = counted(unit.shape[0], "row") if "table" in unit.what else " × ".join(map(str, unit.shape))
    return f"    {unit.index:<3} {unit.name or 'PRIMARY':<16} {unit.what} {shape}".rstrip()


def _of_header(unit: Unit) -> Iterator[str]:
    shape = " × ".join(map(str, unit.shape))
    yield f"\n  [{unit.index}] {unit.name or 'PRIMARY'}  {unit.what} {shape}".rstrip()
    for keyword, value, comment in unit.cards:
        if keyword in ("COMMENT", "HISTORY", ""):
            yield f"    {keyword:<8}  {value}".rstrip()
        else:
            yield f"    {keyword:<8} = {value!r}" + (f" / {comment}" if comment else "")


def size_text(size: float) -> str:
    """Write a number of bytes with the unit that suits it: ``"4.1 MB"``."""
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if size < 1000 or unit == "TB":
            return f"{size:.3g} {unit}" if unit != "bytes" else f"{size:.0f} bytes"
        size /= 1000
    return ""
