"""From objects of numpy and of the astropy family to products."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from jviz.backend.io.product import Kind, Meaning, Plane, Product, Unit, WcsResult
from jviz.errors import CommandError

__all__ = ["TAKERS", "plane_from"]

_KINDS: dict[int, Kind] = {1: "spectrum", 2: "image", 3: "cube", 4: "ramp"}
_SPECTRUM_KINDS: dict[int, Kind] = {1: "spectrum", 2: "spectrum2d", 3: "cube"}


def take_array(thing: np.ndarray, name: str) -> Product:
    """Take an array of 1 to 4 axes; a structured one is a table."""
    if thing.dtype.names:
        from astropy.table import Table

        return take_table(Table(thing), name)
    return _product_of([plane_from("DATA", thing)], name)


def take_masked_array(thing: Any, name: str) -> Product:
    """Take a masked array: what is masked becomes NaN, and is told by a MASK plane."""
    values, mask = np.asarray(thing.data), np.broadcast_to(np.ma.getmaskarray(thing), thing.shape)
    return _product_of(_hidden(values, mask, ""), name)


def take_quantity(thing: Any, name: str) -> Product:
    """Take a Quantity; its unit goes with it."""
    if hasattr(thing, "unmasked"):
        return _product_of(_hidden(thing.unmasked.value, np.asarray(thing.mask), thing.unit.to_string()), name)
    return _product_of([plane_from("DATA", np.asarray(thing.value), unit=thing.unit.to_string())], name)


def take_masked(thing: Any, name: str) -> Product:
    """Take a ``Masked`` array of astropy."""
    return _product_of(_hidden(np.asarray(thing.unmasked), np.asarray(thing.mask), ""), name)


def take_nddata(thing: Any, name: str) -> Product:
    """Take an NDData or CCDData with its uncertainty (of the same kind), mask, flags, WCS and meta data."""
    unit = thing.unit.to_string() if thing.unit is not None else ""
    planes = [plane_from("SCI", np.asarray(thing.data), unit=unit), *_companions(thing)]
    flags = getattr(thing, "flags", None)
    if isinstance(flags, np.ndarray) and flags.shape == planes[0].shape:
        planes.append(plane_from("DQ", flags, "flags"))
    return _product_of(planes, name, meta=thing.meta, wcs=thing.wcs)


def take_spectrum(thing: Any, name: str) -> Product:
    """Take a specutils Spectrum; `Data.get` gives that very object again."""
    planes = [plane_from("FLUX", thing.flux.value, unit=thing.flux.unit.to_string()), *_companions(thing)]
    axis = thing.spectral_axis
    planes.append(plane_from("WAVELENGTH", np.asarray(axis.value), "other", axis.unit.to_string()))
    meta = {k: v for k, v in thing.meta.items() if k != "header"} | dict(thing.meta.get("header") or {})
    product = _product_of(planes, name or "spectrum", meta=meta, wcs=_wcs_of_axis(thing))
    product.kind = _SPECTRUM_KINDS.get(len(planes[0].shape), "other")
    product.load_object = lambda: thing
    return product


def _wcs_of_axis(spectrum: Any) -> Any:
    """Return the WCS of a spectrum, None where it only repeats the table of wavelengths."""
    return None if type(spectrum.wcs).__module__.startswith("specutils.") else spectrum.wcs


def take_spectra(thing: Any, name: str) -> Product:
    """Take a SpectrumList; a list of one is that one."""
    if not len(thing):
        raise CommandError("The SpectrumList is empty; add one with at least one spectrum.")
    if len(thing) == 1:
        return take_spectrum(thing[0], name)
    return _object_product("spectrum", name or "spectra", f"{len(thing)} spectra", thing)


def take_table(thing: Any, name: str) -> Product:
    """Take a table as a catalogue; every column is kept, its ``*_err`` companions too."""
    from astropy.table import Table

    from jviz.backend.io.fits_tables import as_quantities

    table = as_quantities(thing if isinstance(thing, Table) else Table(thing))
    product = _object_product("catalog", name or "catalog", f"table of {len(table)} rows", table)
    cards = cards_of(table.meta)
    product.units = (Unit(0, "", 1, "table", (len(table), len(table.columns)), "", "", cards),)
    return product


def take_profile(table: Any, name: str, label: str) -> Product:
    """Take a table of numbers along a line; see `jviz.data.Profile`."""
    product = _object_product("profile", name, label, table)
    product.units = (Unit(0, name, 1, "profile", (len(table),), "", "", cards_of(table.meta)),)
    return product


def take_region(thing: Any, name: str) -> Product:
    """Take one region."""
    from regions import Regions

    return take_regions(Regions([thing]), name)


def take_regions(thing: Any, name: str) -> Product:
    """Take a list of regions."""
    return _object_product("regions", name or "regions", f"{len(thing)} regions", thing)


def take_spectral_region(thing: Any, name: str) -> Product:
    """Take a spectral region."""
    return _object_product("regions", name or "spectral region", f"{len(thing)} spectral ranges", thing)


TAKERS: tuple[tuple[str, Callable[[Any, str], Product]], ...] = (
    ("SpectrumList", take_spectra),
    ("Spectrum", take_spectrum),
    ("Spectrum1D", take_spectrum),
    ("SpectralRegion", take_spectral_region),
    ("NDData", take_nddata),
    ("Table", take_table),
    ("Regions", take_regions),
    ("Region", take_region),
    ("Quantity", take_quantity),
    ("MaskedNDArray", take_masked),
    ("masked array", take_masked_array),
    ("array", take_array),
)
"""Labels of `jviz.convert.family`, the most special first, each with who takes such an object."""


def plane_from(name: str, values: np.ndarray, meaning: Meaning = "data", unit: str = "") -> Plane:
    """Make a plane of an array in memory, without copying it where its type can be shown.

    Raises
    ------
    CommandError
        When its type is no kind of real number.
    """
    values = _real(np.asarray(values))
    return Plane(name, values.shape, values.dtype.newbyteorder("="), lambda progress: values, meaning, unit)


def cards_of(meta: Any) -> tuple[tuple[str, Any, str], ...]:
    """Turn meta data into header cards; what is no plain value is left out."""
    if hasattr(meta, "cards"):
        return tuple((c.keyword, _card_value(c.value), c.comment) for c in meta.cards)
    items = meta.items() if isinstance(meta, Mapping) else ()
    return tuple((str(k), _card_value(v), "") for k, v in items if _card_value(v) is not None)


def _card_value(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    return value if isinstance(value, bool | int | float | str) else None


def _real(values: np.ndarray) -> np.ndarray:
    kind, size = values.dtype.kind, values.dtype.itemsize
    if kind in "iu" or (kind == "f" and size in (4, 8)):
        return values
    if kind == "b":
        return values.view(np.uint8)
    if kind == "f":
        return values.astype(np.float32 if size == 2 else np.float64)
    way = "add its real, imaginary or absolute values" if kind == "c" else "convert it to numbers first"
    raise CommandError(f"An array of type {values.dtype} cannot be shown; {way}.")


def _hidden(values: np.ndarray, mask: np.ndarray, unit: str) -> list[Plane]:
    """Make planes of masked values."""
    if mask.any():
        # Below a mask anything may stand (1e20 is usual), which would spoil limits and means.
        dtype = values.dtype if values.dtype.kind == "f" else np.float64
        values = np.where(mask, np.nan, values.astype(dtype))
    return [plane_from("DATA", values, unit=unit), plane_from("MASK", mask, "flags")]


def _companions(thing: Any) -> list[Plane]:
    """Make planes of the uncertainty and of the mask of an NDData."""
    planes, uncertainty = [], thing.uncertainty
    if uncertainty is not None and uncertainty.array is not None:
        name, meaning = _uncertainty_role(uncertainty.uncertainty_type)
        unit = uncertainty.unit.to_string() if uncertainty.unit is not None else ""
        planes.append(plane_from(name, np.broadcast_to(uncertainty.array, thing.data.shape), meaning, unit))
    if thing.mask is not None and np.any(thing.mask):
        planes.append(plane_from("MASK", np.broadcast_to(np.asarray(thing.mask, bool), thing.data.shape), "flags"))
    return planes


def _uncertainty_role(kind: str) -> tuple[str, Meaning]:
    roles: dict[str, tuple[str, Meaning]] = {
        "std": ("ERR", "error"),
        "var": ("VAR", "variance"),
        "ivar": ("IVAR", "inverse variance"),
    }
    return roles.get(kind, ("UNCERT", "other"))


def _product_of(planes: list[Plane], name: str, *, meta: Any = None, wcs: Any = None) -> Product:
    main = planes[0]
    kind = _kind_of(main.shape)
    unit = Unit(0, main.name, 1, "array in memory", main.shape, main.dtype.name, main.unit, cards_of(meta))
    product = Product(kind, name or kind, f"{kind} in memory", units=(unit,))
    product.planes = {plane.name: plane for plane in planes}
    if wcs is not None:
        result = WcsResult(wcs)
        product.load_wcs = lambda: result
    return product


def _kind_of(shape: tuple[int, ...]) -> Kind:
    if not shape or 0 in shape:
        raise CommandError(f"An array of shape {shape} has no pixels; add one with at least one value on each axis.")
    axes = len(shape)
    while axes > 2 and shape[-axes] == 1:
        axes -= 1
    if axes not in _KINDS:
        raise CommandError(f"An array with {axes} axes cannot be shown; add parts of it with at most four.")
    return _KINDS[axes]


def _object_product(kind: Kind, name: str, label: str, thing: Any) -> Product:
    return replace(Product(kind, name, label), load_object=lambda: thing)
