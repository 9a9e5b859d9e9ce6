"""Tables as files between two processes: a line about each column, then its values as NumPy writes them.

Such a file is read in a few large reads, which leave Python to others meanwhile; nothing in it is run.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import MaskedColumn, Table

__all__ = ["read_table", "write_table"]

PLAIN = "iufbcUSM"
"""Kinds of values that are written as they are; others as texts."""


def write_table(table: Table, path: Path) -> None:
    """Write a table; see `read_table`."""
    with path.open("wb") as file:
        for name in table.colnames:
            column = table[name]
            values = np.asarray(np.ma.getdata(column))
            mask = np.ma.getmaskarray(column) if hasattr(column, "mask") else None
            about = {"name": name, "unit": str(column.unit or ""), "about": column.description,
                     "format": column.format if isinstance(column.format, str) else None,
                     "masked": mask is not None}  # fmt: skip
            file.write(json.dumps(about, default=str).encode() + b"\n")
            values = values if values.dtype.kind in PLAIN else np.array([str(value) for value in values], str)
            np.lib.format.write_array(file, np.ascontiguousarray(values), allow_pickle=False)
            if mask is not None:
                np.lib.format.write_array(file, np.ascontiguousarray(mask), allow_pickle=False)


def read_table(path: Path) -> Table:
    """Read a table with the units, formats, descriptions and masks of its columns.

    Raises
    ------
    OSError, ValueError
        When there is none in the file.
    """
    columns: list[Any] = []
    with path.open("rb") as file:
        while line := file.readline():
            about = json.loads(line)
            values = np.lib.format.read_array(file, allow_pickle=False)
            column = values
            if about["masked"]:
                column = MaskedColumn(values, mask=np.lib.format.read_array(file, allow_pickle=False), copy=False)
            columns.append((about, column))
    table = Table([column for _, column in columns], names=[about["name"] for about, _ in columns], copy=False)
    for about, _ in columns:
        column = table[about["name"]]
        column.unit, column.description, column.format = about["unit"] or None, about["about"], about["format"]
    return table
