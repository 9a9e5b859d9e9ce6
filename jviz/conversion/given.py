"""From data of a session to objects of numpy and of the astropy family."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from jviz.backend.dq import DIALECTS
from jviz.backend.io.product import Plane
from jviz.backend.units import parse_unit
from jviz.conversion import spectra
from jviz.data import Data, loaded_object
from jviz.errors import CommandError

__all__ = ["GIVERS", "mask_of", "uncertainty_of"]

_PARTS = ("VAR_POISSON", "VAR_RNOISE", "VAR_FLAT", "VAR_DARK")


def give_array(data: Data, cls: type) -> np.ndarray:
    """Give the values of the first plane, in the file's shape; rows of a table as a structured array."""
    if not data.planes and data.kind in ("catalog", "spectrum"):
        return np.array(give_table(data, _table_class()).as_array())
    return _own(data.plane())


def give_masked_array(data: Data, cls: type) -> Any:
    """Give the values with the mask of DO_NOT_USE pixels."""
    return np.ma.MaskedArray(_own(data.plane()), mask_of(data))


def give_quantity(data: Data, cls: type) -> Any:
    """Give the values with their unit.

    Raises
    ------
    CommandError
        When the unit is not understood.
    """
    unit = parse_unit(data.unit)
    if unit is None:
        raise CommandError(
            f"The unit {data.unit!r} of {data.name} is not understood, so it cannot be a Quantity; "
            "get it as numpy.ndarray and give a unit yourself."
        )
    return cls(_own(data.plane()), unit, copy=False, dtype=None)


def give_nddata(data: Data, cls: type) -> Any:
    """Give values, unit, uncertainty of its kind, mask, WCS and meta data.

    A unit that is not understood becomes dimensionless; ``meta["BUNIT"]`` keeps its text.
    """
    from astropy import units
    from astropy.nddata import NDData

    unit, meta = parse_unit(data.unit), data.header
    if unit is None:
        unit, meta["BUNIT"] = units.dimensionless_unscaled, data.unit
    result = cls(_own(data.plane()), unit=unit, uncertainty=uncertainty_of(data), mask=mask_of(data), meta=meta)
    wcs = getattr(data, "wcs", None)
    if wcs is not None:
        # CCDData's own setter takes FITS WCS only; a GWCS says where the pixels are just as well.
        NDData.wcs.fset(result, wcs)
    return result


def give_table(data: Data, cls: type) -> Any:
    """Give a table: the rows, or a column for each plane of a spectrum with its ``_err``."""
    found = loaded_object(data) if data.product.load_object is not None else None
    if found is not None and hasattr(found, "colnames"):
        return cls(found, copy=True)
    if data.kind == "spectrum":
        return spectra.table_of(spectra.give_spectrum(data, None), cls)
    raise CommandError(f"{data.name} ({data.label or data.kind}) is no table; get it as numpy.ndarray or NDData.")


def give_regions(data: Data, cls: type) -> Any:
    """Give regions as they were read or added."""
    found = loaded_object(data) if data.product.load_object is not None else None
    if not isinstance(found, cls):
        what = type(found).__name__ if found is not None else data.label or data.kind
        raise CommandError(f"{data.name} ({what}) cannot be given as {cls.__name__}.")
    return copy.copy(found)


GIVERS: tuple[tuple[str, Callable[[Data, type], Any]], ...] = (
    ("SpectrumList", spectra.give_spectra),
    ("Spectrum", spectra.give_spectrum),
    ("Spectrum1D", spectra.give_spectrum),
    ("SpectralRegion", give_regions),
    ("Regions", give_regions),
    ("NDData", give_nddata),
    ("Table", give_table),
    ("Quantity", give_quantity),
    ("masked array", give_masked_array),
    ("array", give_array),
)
"""Labels of `jviz.convert.family`, the most special first, each with who gives such an object."""


def uncertainty_of(data: Data) -> Any:
    """Return the uncertainty of the first plane as an astropy object of the kind that the file has, or None."""
    from astropy.nddata import InverseVariance, StdDevUncertainty, VarianceUncertainty

    kinds = (
        ("error", StdDevUncertainty),
        ("variance", VarianceUncertainty),
        ("inverse variance", InverseVariance),
    )
    for meaning, kind in kinds:
        planes = [p for p in data.planes.values() if p.meaning == meaning and p.shape == data.shape]
        whole = [p for p in planes if p.name not in _PARTS]
        if whole:
            return kind(_own(whole[0]), unit=_unit_or_none(whole[0].unit))
        if planes:
            # Without their sum, the parts of the variance are added: they are independent.
            return kind(sum(_own(p) for p in planes), unit=_unit_or_none(planes[0].unit))
    return None


def mask_of(data: Data) -> np.ndarray | None:
    """Return which pixels must not be used (True), or None when the data say nothing about that.

    JWST and Roman have a flag for it; those of HST condemn no pixel for all ends.
    """
    plane = next((p for p in data.planes.values() if p.meaning == "flags" and p.shape == data.shape), None)
    if plane is None:
        return None
    bits = [bit for bit, (name, _) in DIALECTS.get(data.product.flags, {}).items() if name == "DO_NOT_USE"]
    if bits:
        return (plane.read() & (1 << bits[0])) != 0
    is_mask = "MASK" in plane.name.upper() or plane.name.upper() in ("BPM", "BADPIX")
    return plane.read() != 0 if is_mask else None


def _own(plane: Plane) -> np.ndarray:
    """Read a plane into an array that belongs to the caller."""
    raw = plane.raw()
    values = plane.physical(raw)
    return values.copy() if np.may_share_memory(values, raw) else values


def _unit_or_none(text: str) -> Any:
    return parse_unit(text) if text else None


def _table_class() -> type:
    from astropy.table import Table

    return Table
