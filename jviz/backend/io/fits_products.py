"""The FITS reader: from the index of a file to the products that a user opens."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from jviz.backend.io.asinh_scaled import is_asinh_scaled
from jviz.backend.io.fits_asdf import asdf_tree, asdf_unit
from jviz.backend.io.fits_beams import beam_planes
from jviz.backend.io.fits_compressed import decompressed
from jviz.backend.io.fits_groups import Group, group_arrays
from jviz.backend.io.fits_planes import View, companion_plane, plane_of
from jviz.backend.io.fitsfile import FitsFile, Hdu
from jviz.backend.io.joint_flags import joint_flags
from jviz.backend.io.jwst import dialect_of
from jviz.backend.io.keck_flags import keck_flags
from jviz.backend.io.kinds import (
    array_kind,
    array_label,
    is_auxiliary,
    section_axis,
    sections,
    table_kind,
    table_label,
)
from jviz.backend.io.product import Identity, Kind, Product, Unit, WcsResult
from jviz.backend.io.survey_files import conventional_names
from jviz.backend.progress import Progress, silent
from jviz.errors import ReadError

__all__ = ["read_fits"]

_SUFFIXES = (".gz", ".bz2", ".xz", ".fz", ".fits", ".fit", ".fts")


def read_fits(
    path: Path, *, progress: Progress = silent, hdu: int | str | None = None, section: int | None = None
) -> list[Product]:
    """Open a FITS file.

    Only headers are read; pixels are memory mapped when asked for.

    Parameters
    ----------
    path : Path
        A FITS file, plain or compressed as a whole or in tiles.
    hdu : int or str, optional
        One extension, ``3``, ``"SCI"`` or ``"SCI,2"``, instead of all products of the file; ``"EXTRACT1D,*"`` takes
        the spectra of all tables of that name together.
    section : int, optional
        Of an array with four axes, which part along the slowest one (a Stokes parameter, from 0).

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
    if hdu is not None and str(hdu).endswith(",*"):
        named = [h for h in file.hdus if h.is_table and h.complete and h.name == str(hdu)[:-2]]
        products = source.table_products(named or [_choose(file, path.name, hdu)])
    elif hdu is not None:
        products = source.products_of(_choose(file, path.name, hdu))
    else:
        products = source.products()
    if section is not None:
        products = _only_section(products, path.name, section)
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
        for index, name in conventional_names([hdu.header for hdu in file.hdus]).items():
            file.hdus[index] = replace(file.hdus[index], given=name)
        self.groups = group_arrays(file.hdus)
        self.has_tree = asdf_unit(file.hdus) is not None
        names = [hdu.name.upper() for hdu in file.hdus]
        self.alike = Counter(names) + Counter(zip(names, (hdu.version for hdu in file.hdus), strict=True))

    def products(self) -> list[Product]:
        """Make all that the file holds; tables that only accompany the rest stay out."""
        tables = [h for h in self.file.hdus if h.is_table and h.complete and h.shape[0] * h.shape[1]]
        chosen = [h for h in tables if not is_auxiliary(h)]
        if not self.groups and not chosen:
            chosen = [h for h in tables if h.name.upper() != "ASDF"]
        if not self.groups and not chosen:  # a query that found nothing
            chosen = [h for h in self.file.hdus if h.is_table and h.complete and h.shape[1]]
        products = [product for group in self.groups for product in self.array_products(group)]
        products += self.table_products(chosen)
        if len(products) > 1:
            for product in products:
                product.name = f"{product.name}[{self._part_name(product)}]"
        return products

    def _part_name(self, product: Product) -> str:
        hdu, option = self.file.hdus[product.main], product.options["hdu"]
        name = option if isinstance(option, str) else f"{option} {hdu.name}".strip()
        section = product.options.get("section")
        if section is None:
            return name
        part = sections(hdu)[section]
        return part if len(self.groups) == 1 else f"{name} {part}"

    def products_of(self, hdu: Hdu) -> list[Product]:
        """Make what has this unit as its main one; a companion alone."""
        if hdu.is_table:
            return [self.table_product(hdu)]
        group = next((g for g in self.groups if g.main.index == hdu.index), Group(hdu))
        return self.array_products(group)

    def array_products(self, group: Group) -> list[Product]:
        """Make a product of an array and its companions, or one for each of its sections."""
        kind, shape = array_kind(self.path, self.primary, group)
        names = sections(group.main) if kind == "other" else []
        if not names:
            return [self._array_product(group, kind, View(shape))]
        products, axis = [], section_axis(group.main)
        for section, name in enumerate(names):
            product = self._array_product(group, "cube", View(shape[:axis] + shape[axis + 1 :], section, axis))
            product.label += f" {name}"
            product.options["section"] = section
            products.append(product)
        return products

    def _array_product(self, group: Group, kind: Kind, view: View) -> Product:
        hdu = group.main
        planes = [plane_of(self.file, hdu, "data", view)]
        planes += [companion_plane(self.file, companion, hdu, view) for companion in group.companions]
        has_flags = any(plane.meaning == "flags" for plane in planes)
        product = self._product(hdu, kind, array_label(self.path, self.primary, kind, view.shape))
        product.planes = {plane.name: plane for plane in planes}
        if kind == "cube":
            beams = beam_planes(self.path, self.file.hdus, view.shape, view.section or 0)
            product.planes |= {name: plane for name, plane in beams.items() if name not in product.planes}
        product.joint = joint_flags(planes) or keck_flags(planes, self.primary)
        product.flags = dialect_of(self.primary) if has_flags or product.joint is not None else ""
        product.load_wcs = partial(_load_wcs, self.path, hdu.index, view.shape)
        if is_asinh_scaled(hdu):
            product.warnings.append(
                f"{self.path.name} stores the asinh of its values (BOFFSET, BSOFTEN), as Pan-STARRS does; "
                "they are shown and measured as the linear ones."
            )
        return product

    def table_products(self, tables: list[Hdu]) -> list[Product]:
        """Make a product of each table; spectra of many sources or orders, named alike, are one together."""
        spectra = [hdu for hdu in tables if table_kind(hdu) == "spectrum"]
        names = Counter(hdu.name for hdu in spectra)
        products, done = [], set()
        for hdu in tables:
            if hdu not in spectra or names[hdu.name] == 1:
                products.append(self.table_product(hdu))
            elif hdu.name not in done:
                done.add(hdu.name)
                products.append(self.spectra_product([one for one in spectra if one.name == hdu.name]))
        return products

    def table_product(self, hdu: Hdu) -> Product:
        """Make a product of a table."""
        from jviz.backend.io.fits_tables import load_table

        product = self._product(hdu, table_kind(hdu), table_label(self.path, self.primary, hdu))
        product.load_object = partial(load_table, self.path, hdu.index, product.warnings)
        if product.kind == "spectrum":
            product.load_samples = partial(_load_spectra, self.path, [hdu.index], dialect_of(self.primary))
        return product

    def spectra_product(self, tables: list[Hdu]) -> Product:
        """Make one product of the spectra of several tables."""
        first = tables[0]
        label = table_label(self.path, self.primary, first).replace("(spectrum)", f"({len(tables)} spectra)")
        product = self._product(first, "spectrum", label)
        product.options = {"hdu": f"{first.name},*"}
        indices = [hdu.index for hdu in tables]
        product.load_samples = partial(_load_spectra, self.path, indices, dialect_of(self.primary))
        return product

    def _product(self, hdu: Hdu, kind: Kind, label: str) -> Product:
        return Product(
            kind,
            _stem(self.path),
            label,
            path=self.path,
            reader="fits",
            units=self.units,
            main=hdu.index,
            tree=partial(asdf_tree, self.path) if self.has_tree else None,
            options={"hdu": _option(hdu, self.alike)},
        )


def _stem(path: Path) -> str:
    name = path.name
    while name.lower().endswith(_SUFFIXES):
        name = name[: name.rindex(".")]
    return name or path.name


def _load_wcs(path: Path, index: int, shape: tuple[int, ...]) -> WcsResult:
    from jviz.backend.wcs import load_fits_wcs

    try:
        return load_fits_wcs(decompressed(path), index, shape)
    except (OSError, ReadError) as error:
        return WcsResult(None, (f"{path.name} is shown without coordinates: {error}",))


def _load_spectra(path: Path, indices: list[int], dialect: str) -> Any:
    from jviz.backend.spectra.reading import samples_of_tables

    return samples_of_tables(path, indices, dialect)


def _only_section(products: list[Product], name: str, section: int) -> list[Product]:
    chosen = [product for product in products if product.options.get("section") == section]
    if not chosen:
        count = sum("section" in product.options for product in products)
        raise ReadError(f"There is no section {section} in {name}. Leave the option out, or take one below {count}.")
    return chosen


def _option(hdu: Hdu, alike: Counter) -> int | str:
    """Say which unit it is, as the ``hdu`` option takes it: ``"SCI,1"``, or its number."""
    name = hdu.name.upper()
    if hdu.index == 0 or not name or alike[name, hdu.version] > 1 or name.isdigit() or "," in name:
        return hdu.index
    return hdu.name if hdu.extver is None and alike[name] == 1 else f"{hdu.name},{hdu.version}"


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
    label = "FITS header without data"
    if file.hdus[0].what == "random groups":
        label = f"FITS visibilities, {int(file.hdus[0].number('GCOUNT', 0)):,} random groups"
    return source._product(file.hdus[0], "other", label)
