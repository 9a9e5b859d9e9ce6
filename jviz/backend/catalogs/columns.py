"""The columns of a table as a view needs them: plain arrays that are quick to look up, sort and write."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np

__all__ = ["TableColumn", "columns_of"]

MISSING = "—"

_position = re.compile(r"_?(ra|de|dec|alpha|delta|glon|glat)(j2000|_j2000|_icrs|_?deg)?", re.IGNORECASE)
"""Names of columns of degrees, where a file does not tell units: a ten-thousandth of one is a third of an arcsecond."""

LOOKED_AT = 2000
"""Values from which the digits of a column are worked out."""


class TableColumn:
    """One column.

    Parameters
    ----------
    name : str
    column : Column, MaskedColumn, Quantity, Time, SkyCoord or another mixin of astropy

    Attributes
    ----------
    values : ndarray
        Without unit and mask; of objects for coordinates and other mixins, worked out per cell.
    mask : ndarray of bool or None
        True where there is no value; None when all are there.
    unit, about : str
    """

    def __init__(self, name: str, column: Any) -> None:
        info = getattr(column, "info", None)
        self.name = name
        self.unit = str(getattr(column, "unit", None) or "")
        self.about = str(getattr(info, "description", None) or "")
        self.values, self.mask = _plain(column)
        self.is_number = self.values.ndim == 1 and self.values.dtype.kind in "iufb" and not hasattr(column, "jd1")
        self._format = getattr(info, "format", None) if self.is_number else None
        degrees = self.unit == "deg" or (not self.unit and _position.fullmatch(name) is not None)
        self._digits = _digits(self.values, degrees=degrees) if self.is_number else ""

    def is_missing(self, row: int) -> bool:
        """Whether a cell holds no value: masked, or not a number."""
        if self.mask is not None and np.all(self.mask[row]):
            return True
        value = self.values[row]
        return isinstance(value, np.floating) and math.isnan(value)

    def shown(self, row: int) -> str:
        """Return a cell as the table shows it."""
        if self.mask is not None and np.all(self.mask[row]):
            return MISSING
        value = self.values[row]
        if self._format:
            return _formatted(self._format, value)
        if isinstance(value, np.floating):
            return f"{value:{self._digits}}" if math.isfinite(value) else str(value)
        return _text(value)

    def exact(self, row: int) -> str:
        """Return a cell with all its digits; nothing where there is no value."""
        if self.mask is not None and np.all(self.mask[row]):
            return ""
        return _text(self.values[row])

    def order(self, *, descending: bool = False) -> np.ndarray:
        """Return the rows in the order of their values; those without one are last either way."""
        keys = self.values
        if keys.ndim > 1 or keys.dtype.kind not in "iufbUSM":
            keys = np.array([self.exact(row) for row in range(len(keys))])
        missing = np.zeros(len(keys), bool) if self.mask is None else _by_row(self.mask)
        if keys.dtype.kind == "f":
            missing = missing | np.isnan(keys)
        there = np.flatnonzero(~missing)
        ranks = np.argsort(keys[there], kind="stable")
        if descending:
            # Equal values keep the order of the table in both directions.
            ranks = len(there) - 1 - np.argsort(keys[there][::-1], kind="stable")[::-1]
        return np.concatenate([there[ranks], np.flatnonzero(missing)])


def columns_of(table: Any) -> list[TableColumn]:
    """Return the columns of an astropy table."""
    return [TableColumn(name, table[name]) for name in table.colnames]


def _by_row(mask: np.ndarray) -> np.ndarray:
    return mask if mask.ndim == 1 else mask.reshape(len(mask), -1).all(axis=1)


def _plain(column: Any) -> tuple[np.ndarray, np.ndarray | None]:
    """Take values and mask out of a column."""
    mask = getattr(column, "mask", None)
    mask = np.asarray(mask) if mask is not None and np.any(mask) else None
    if hasattr(column, "jd1"):  # a Time
        column = getattr(column, "isot", column) if column.format in ("datetime", "ymdhms") else column.value
    column = getattr(column, "unmasked", column)
    if isinstance(column, np.ma.MaskedArray):
        column = column.data
    if hasattr(column, "to_value"):
        column = column.value
    if isinstance(column, np.ndarray):
        return np.asarray(column), mask if mask is None or mask.ndim else None
    return _objects(column), None


def _objects(column: Any) -> np.ndarray:
    """Write coordinates and other mixins as texts, one a row."""
    values = np.empty(len(column), object)
    if hasattr(column, "spherical") and hasattr(column, "to_string"):
        values[:] = column.to_string("decimal", precision=7)
    else:
        values[:] = [str(column[row]) for row in range(len(column))]
    return values


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace").rstrip()
    if isinstance(value, np.ndarray):
        inside = ", ".join(_text(v) for v in value.ravel()[:4])
        return f"[{inside}{', …' if value.size > 4 else ''}]"
    return str(value)


def _formatted(how: Any, value: Any) -> str:
    """Use the format that a table carries for a column, in any of the ways astropy knows."""
    try:
        if callable(how):
            return str(how(value))
        return how % value if "%" in how else how.format(value) if "{" in how else format(value, how)
    except (TypeError, ValueError):
        return str(value)


def _digits(values: np.ndarray, *, degrees: bool) -> str:
    """Choose how floats of a column are written: alike where their range allows it, and never misleading."""
    if values.dtype.kind != "f" or not len(values):
        return ""
    few = np.abs(values[:: max(len(values) // LOOKED_AT, 1)].astype(float))
    few = few[np.isfinite(few) & (few > 0)]
    if not few.size:
        return "g"
    largest, smallest = few.max(), np.quantile(few, 0.02)
    if degrees and 1e-3 < largest < 1e4:
        return ".7f"
    if largest >= 1e8 or largest < 1e-4 or smallest < 1e-5 * largest:
        return ".7g"
    if np.all(few == np.round(few, 1)):
        return ".1f"
    return f".{int(np.clip(6 - math.floor(math.log10(largest)), 1, 9))}f"
