"""The FITS reader: from the index of a file to the products that a user opens."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from jviz.backend.io.fits_compressed import decompressed, decompressed_image
from jviz.backend.io.fits_groups import Companion, Group, constant_shape, group_arrays
from jviz.backend.io.fitsfile import FitsFile, Hdu
from jviz.backend.io.jwst import dialect_of
from jviz.backend.io.kinds import (
    array_kind,
    array_label,
    is_auxiliary,
    squeezed,
    table_kind,
    table_label,
)
from jviz.backend.io.product import Identity, Meaning, Plane, Product, Unit, WcsResult
from jviz.backend.progress import Progress, silent
from jviz.errors import ReadError

__all__ = ["read_fits"]

_UNSIGNED = {(8, -128.0): "i1", (16, 2.0**15): "u2", (32, 2.0**31): "u4", (64, 2.0**63): "u8"}
_SUFFIXES = (".gz", ".bz2", ".xz", ".fz", ".fits", ".fit", ".fts")


def read_fits(path: Path, *, progress: Progress = silent, hdu: int | str | None = None) -> list[Product]:
    """Open a FITS file.

    Only headers are read; pixels are memory mapped when asked for.

    Parameters
    ----------
    path : Path
        A FITS file, plain or compressed as a whole or in tiles.
    hdu : int or str, optional
        One extension, ``3``, ``"SCI"`` or ``"SCI,2"``, instead of all products of the file.

    Returns
    -------
    list of Product
        Arrays with their errors, flags and weights as one product each, then tables.

    Raises
    ------
    ReadError
        When nothing in the file can be opened, or there is no such extension.
    """
    file = FitsFile.open(decompressed(path, progress), identity=Identity.of(path.absolute()))
    source = _Source(path, file)
    if hdu is not None:
        return [source.product_of(_choose(file, path.name, hdu))]
    products = source.products()
    if not products:
        products = [_header_only(source)]
    products[0].warnings[:0] = file.warnings
    return products


class _Source:
    """A file with what its products share."""

    def __init__(self, path: Path, file: FitsFile) -> None:
        self.path = path
        self.file = file
        self.units: tuple[Unit, ...] = tuple(hdu.as_unit() for hdu in file.hdus)
        self.primary = file.hdus[0].header
        self.groups = group_arrays(file.hdus)

    def products(self) -> list[Product]:
        """Make all that the file holds; tables that only accompany the rest stay out."""
        tables = [h for h in self.file.hdus if h.is_table and h.complete and h.shape[0] * h.shape[1]]
        chosen = [h for h in tables if not is_auxiliary(h)]
        if not self.groups and not chosen:
            chosen = [h for h in tables if h.name.upper() != "ASDF"]
        products = [self.array_product(group) for group in self.groups]
        products += [self.table_product(hdu) for hdu in chosen]
        if len(products) > 1:
            for product in products:
                product.name = f"{product.name}[{self._part_name(product)}]"
        return products

    def _part_name(self, product: Product) -> str:
        name, option = self.file.hdus[product.main].name, product.options["hdu"]
        return option if isinstance(option, str) else f"{option} {name}".strip()

    def product_of(self, hdu: Hdu) -> Product:
        """Make the product that has this unit as its main one; a companion alone."""
        if hdu.is_table:
            return self.table_product(hdu)
        group = next((g for g in self.groups if g.main.index == hdu.index), Group(hdu))
        return self.array_product(group)

    def array_product(self, group: Group) -> Product:
        """Make a product of an array and its companions."""
        hdu = group.main
        kind, shape = array_kind(self.path, self.primary, group)
        planes = [plane_of(self.file, hdu, "data", shape)]
        planes += [_companion_plane(self.file, companion, hdu, shape) for companion in group.companions]
        has_flags = any(plane.meaning == "flags" for plane in planes)
        product = self._product(hdu, kind, array_label(self.path, self.primary, kind, shape))
        product.planes = {plane.name: plane for plane in planes}
        product.flags = dialect_of(self.primary) if has_flags else ""
        product.load_wcs = partial(_load_wcs, self.file.path, hdu.index, shape)
        return product

    def table_product(self, hdu: Hdu) -> Product:
        """Make a product of a table."""
        from jviz.backend.io.fits_tables import load_table

        product = self._product(hdu, table_kind(hdu), table_label(self.path, self.primary, hdu))
        product.load_object = partial(load_table, self.file.path, hdu.index, self.path.name, product.warnings)
        return product

    def _product(self, hdu: Hdu, kind: Any, label: str) -> Product:
        return Product(
            kind,
            _stem(self.path),
            label,
            path=self.path,
            reader="fits",
            units=self.units,
            main=hdu.index,
            options={"hdu": _option(self.file.hdus, hdu.index)},
        )


def _stem(path: Path) -> str:
    name = path.name
    while name.lower().endswith(_SUFFIXES):
        name = name[: name.rindex(".")]
    return name or path.name


def _load_wcs(path: Path, index: int, shape: tuple[int, ...]) -> WcsResult:
    from jviz.backend.wcs import load_fits_wcs

    return load_fits_wcs(path, index, shape)


def plane_of(file: FitsFile, hdu: Hdu, meaning: Meaning, shape: tuple[int, ...]) -> Plane:
    """Make a plane of an image that is mapped, or decompressed, when it is loaded.

    Parameters
    ----------
    shape : tuple of int
        The shape to show, which may lack axes of length 1.
    """
    scale, zero = hdu.number("BSCALE", 1.0) or 1.0, hdu.number("BZERO", 0.0)
    blank = None if meaning == "flags" else _blank(hdu)
    compressed = hdu.what == "compressed image"
    return Plane(
        hdu.name or f"HDU{hdu.index}",
        shape,
        physical_dtype(hdu.bitpix, scale, zero, blank),
        partial(_load, file, hdu, shape),
        meaning,
        str(hdu.header.get("BUNIT", "")).strip(),
        float(scale),
        float(zero),
        blank,
        hdu.index,
        file.identity_of(hdu),
        immediate=not compressed,
    )


def _load(file: FitsFile, hdu: Hdu, shape: tuple[int, ...], progress: Progress) -> np.ndarray:
    if hdu.what == "compressed image":
        return decompressed_image(file.path, hdu, file.identity_of(hdu), progress).reshape(shape)
    return file.array(hdu).reshape(shape)


def _blank(hdu: Hdu) -> int | None:
    if hdu.bitpix < 0:
        return None
    value = hdu.header.get("BLANK", hdu.header.get("ZBLANK"))
    limits = np.iinfo(hdu.dtype)
    is_usable = isinstance(value, int) and not isinstance(value, bool) and limits.min <= value <= limits.max
    return value if is_usable else None


def physical_dtype(bitpix: int, scale: float, zero: float, blank: int | None) -> np.dtype:
    """Return the type of physical values, as `Plane.read` promises it."""
    if bitpix < 0:
        return np.dtype(f"f{-bitpix // 8}")
    if blank is None and scale == 1.0:
        if zero == 0.0:
            return np.dtype(f"{'u' if bitpix == 8 else 'i'}{bitpix // 8}")
        if (bitpix, zero) in _UNSIGNED:
            return np.dtype(_UNSIGNED[bitpix, zero])
    return np.dtype("f4" if bitpix <= 16 else "f8")


def _companion_plane(file: FitsFile, companion: Companion, main: Hdu, shape: tuple[int, ...]) -> Plane:
    hdu = companion.hdu
    own = constant_shape(hdu) or hdu.shape
    shown = shape if own == main.shape or squeezed(own) == squeezed(shape) else squeezed(own)
    if hdu.is_array:
        return plane_of(file, hdu, companion.meaning, shown)
    return _constant_plane(file, hdu, companion.meaning, shown)


def _constant_plane(file: FitsFile, hdu: Hdu, meaning: Meaning, shape: tuple[int, ...]) -> Plane:
    value = hdu.header.get("PIXVALUE")
    dtype = np.dtype("f4") if isinstance(value, float) else hdu.dtype.newbyteorder("=")
    unit = str(hdu.header.get("BUNIT", "")).strip()

    def load(progress: Progress) -> np.ndarray:
        return np.broadcast_to(np.asarray(value, dtype), shape)

    name = hdu.name or f"HDU{hdu.index}"
    return Plane(name, shape, dtype, load, meaning, unit, hdu=hdu.index, identity=file.identity_of(hdu))


def _option(hdus: list[Hdu], index: int) -> int | str:
    """Say which unit it is, as the ``hdu`` option takes it: ``"SCI,1"``, or its number."""
    hdu = hdus[index]
    alike = [h for h in hdus if (h.name.upper(), h.version) == (hdu.name.upper(), hdu.version)]
    if index == 0 or not hdu.name or len(alike) > 1 or hdu.name.isdigit() or "," in hdu.name:
        return index
    same_name = sum(h.name.upper() == hdu.name.upper() for h in hdus)
    return f"{hdu.name},{hdu.version}" if hdu.versioned or same_name > 1 else hdu.name


def _choose(file: FitsFile, name: str, wanted: int | str) -> Hdu:
    found = [hdu for hdu in file.hdus if _matches(hdu, wanted)]
    usable = [h for h in found if h.complete and (h.is_array or h.is_table)]
    if usable:
        return usable[0]
    listed = "; ".join(f"{hdu.title} ({_describe(hdu)})" for hdu in file.hdus)
    problem = "has no pixels or rows that can be read" if found else "is not there"
    raise ReadError(f"Extension {wanted!r} of {name} {problem}. Choose one of: {listed}.")


def _matches(hdu: Hdu, wanted: int | str) -> bool:
    text = str(wanted).strip()
    if text.isdigit():
        return hdu.index == int(text)
    name, comma, version = text.rpartition(",")
    if comma and version.strip().isdigit():
        return hdu.name.upper() == name.strip().upper() and hdu.version == int(version)
    return hdu.name.upper() == text.upper()


def _describe(hdu: Hdu) -> str:
    if hdu.is_table:
        return f"{hdu.what}, {hdu.shape[0]} rows × {hdu.shape[1]} columns"
    if not hdu.is_array:
        return "no data" if hdu.what == "empty" else hdu.what
    return " × ".join(map(str, hdu.shape)) + f" {hdu.dtype.name}" + ("" if hdu.complete else ", truncated")


def _header_only(source: _Source) -> Product:
    """Show the headers of a file without content, unless its headers announce some."""
    file, name = source.file, source.path.name
    if not all(hdu.complete for hdu in file.hdus):
        raise ReadError(file.warnings[0])
    for hdu in file.hdus:
        if any(hdu.shape) and hdu.what == "image":
            lengths = " × ".join(map(str, hdu.shape))
            raise ReadError(
                f"{name} has no pixels: the header of extension {hdu.title} announces {lengths}. "
                "Its NAXIS keywords are wrong; write the file again."
            )
    product = source._product(file.hdus[0], "other", "FITS header without data")
    return product
