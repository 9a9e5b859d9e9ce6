"""Copies of tables, made in steps: numpy keeps Python to itself while it copies texts, and the window waits."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["copied"]

STEP = 1 << 21
"""Bytes of a column that are copied at a time."""


def copied(table: Table, kind: type[Table] | None = None) -> Table:
    """Return a copy of a table that shares nothing with it.

    Parameters
    ----------
    table : Table
    kind : type, optional
        Of the copy, ``QTable`` for example; that of the table itself when none is given.
    """
    kind = kind or type(table)
    if getattr(table, "indices", None) or hasattr(table, "_groups"):
        return table.copy() if kind is type(table) else kind(table, copy=True)
    columns = [_copied_column(table[name]) for name in table.colnames]
    return kind(columns, names=table.colnames, meta=copy.deepcopy(table.meta), copy=False)


def _copied_column(column: Any) -> Any:
    if not hasattr(column, "_name") or column.dtype.kind not in "US" or column.nbytes <= STEP or column.ndim != 1:
        return column.copy()
    if not isinstance(column, np.ma.MaskedArray):
        return column.copy(data=_in_steps(np.asarray(column)))
    mask = column.mask if column.mask is np.ma.nomask else column.mask.copy()
    return column.copy(data=np.ma.MaskedArray(_in_steps(np.ma.getdata(column)), mask, fill_value=column.fill_value))


def _in_steps(values: np.ndarray) -> np.ndarray:
    found, rows = np.empty_like(values), max(1, STEP // max(values.itemsize, 1))
    for at in range(0, len(values), rows):
        found[at : at + rows] = values[at : at + rows]
    return found
