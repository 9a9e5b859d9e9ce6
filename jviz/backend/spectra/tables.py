"""Spectra as tables that hold everything of them, for files and for saved sessions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from jviz.backend.spectra.samples import Samples
from jviz.backend.units import parse_unit

if TYPE_CHECKING:
    from astropy.table import QTable

__all__ = ["split_unit", "table_of_samples", "tall_table", "with_units_in_names"]

_axis_card = re.compile(r"(CTYPE|CRVAL|CRPIX|CDELT|CUNIT|CRDER|CNAME)\d$|CD\d_\d$|PC\d_\d$|WCS(AXES|DIM|NAME)$|"
                        r"COEFF\d$|DC-FLAG$|LTM\d_\d$|LTV\d$|WAT\d_\d{3}$", re.IGNORECASE)  # fmt: skip
"""Keywords of the axis of an array, which say nothing true of a table with its wavelengths."""
_TITLES = {"std": "flux_error", "var": "flux_var", "ivar": "flux_ivar"}
_POWERS = {"std": 1, "var": 2, "ivar": -2}


def table_of_samples(samples: Sequence[Samples]) -> QTable:
    """Return spectra as a table that `jviz.backend.spectra.columns` reads back.

    Parameters
    ----------
    samples : sequence of Samples
        One makes a row for each sample; several make a row for each spectrum, with vectors that are filled up with
        NaN to the longest.

    Returns
    -------
    QTable
        Columns wavelength (or frequency …), flux, flux_error, flux_var or flux_ivar, mask and dq. ``meta`` has the
        header's keywords, VACUUM, and FLUXAREA in sr.
    """
    from astropy.table import QTable

    first, meta = samples[0], dict(samples[0].meta)
    if first.axis.medium:
        meta["VACUUM"] = first.axis.medium == "vacuum"
    if first.area is not None:
        meta["FLUXAREA"] = first.area
    meta = {k: v for k, v in meta.items() if isinstance(v, str | int | float | bool) and k and not _axis_card.match(k)}
    if len(samples) == 1:
        return QTable(_columns(first), meta=meta)
    longest = max(len(one) for one in samples)
    rows = [_columns(one, longest) for one in samples]
    kept = [key for key in rows[0] if all(key in row for row in rows)]
    columns: dict[str, Any] = {"name": [one.name for one in samples], "nelem": [len(one) for one in samples]}
    return QTable(columns | {key: _stacked([row[key] for row in rows]) for key in kept}, meta=meta)


def tall_table(samples: Sequence[Samples]) -> QTable:
    """Return spectra below each other, a row for each sample with the name of its spectrum: for text without vectors.

    `jviz.backend.spectra.columns` parts them again.
    """
    from astropy.table import QTable, vstack

    if len(samples) == 1:
        return table_of_samples(samples)
    names: list[str] = []
    for number, one in enumerate(samples, 1):
        names.append(f"{one.name or 'spectrum'} {number}" if not one.name or one.name in names else one.name)
    parts = []
    for name, one in zip(names, samples, strict=True):
        columns = _columns(one)
        parts.append(QTable({"name": np.full(len(one), name), **columns}))
    kept = [key for key in parts[0].colnames if all(key in part.colnames for part in parts)]
    return vstack([part[kept] for part in parts], metadata_conflicts="silent")


def _stacked(rows: list[Any]) -> Any:
    unit = getattr(rows[0], "unit", None)
    return np.stack(rows) if unit is None else np.stack([row.to_value(unit) for row in rows]) * unit


def _columns(one: Samples, length: int = 0) -> dict[str, Any]:
    axis = one.axis
    unit = parse_unit(one.unit) if one.unit else None
    columns = {
        axis.quantity: _with_unit(_filled(axis.values, length), parse_unit(axis.unit) if axis.unit else None),
        "flux": _with_unit(_filled(one.flux, length), unit),
    }
    if one.uncertainty is not None and one.kind:
        power = None if unit is None else unit ** _POWERS[one.kind]
        columns[_TITLES[one.kind]] = _with_unit(_filled(one.uncertainty, length), power)
        if one.kind != "std":  # which other programs, specutils among them, find
            columns["uncertainty"] = _with_unit(_filled(one.error, length), unit)
    if one.mask is not None:
        columns["mask"] = _filled(one.mask, length)
    if one.flags is not None:
        columns["dq"] = _filled(one.flags, length)
    return columns


def _filled(values: np.ndarray, length: int) -> np.ndarray:
    missing = length - len(values)
    if missing <= 0:
        return values
    fill = {"b": True, "f": np.nan}.get(values.dtype.kind, 0)
    return np.concatenate([values, np.full(missing, fill, values.dtype)])


def _with_unit(values: np.ndarray, unit: Any) -> Any:
    return values if unit is None else values * unit


def with_units_in_names(table: QTable) -> Any:
    """Return a table whose columns are named ``flux (Jy)``, for formats that hold no units."""
    from astropy.table import Table

    plain = Table()
    for name in table.colnames:
        column = table[name]
        unit = getattr(column, "unit", None)
        values = np.asarray(getattr(column, "value", column))
        # As 0 and 1: a text cannot tell the words True and False from names.
        values = values.astype(int) if values.dtype.kind == "b" else values
        plain[f"{name} ({unit.to_string()})" if unit else name] = values
    return plain


def split_unit(name: str) -> tuple[str, str]:
    """Return the name and the unit of a column ``"flux (Jy)"`` or ``"wavelength [um]"``."""
    found = re.fullmatch(r"\s*(\w[\w .]*?)\s*[(\[]([^()\[\]]*(?:\([^()]*\)[^()\[\]]*)*)[)\]]\s*", name)
    return (found[1], found[2].strip()) if found else (name, "")
