"""Parquet tables: those that astropy wrote with their units, and those of anybody else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from jviz.backend.io.product import Product
from jviz.backend.io.registry import reader
from jviz.backend.io.tables import table_product
from jviz.backend.progress import Progress, silent
from jviz.errors import ReadError

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["read_parquet"]

_ASTROPY, _VOTABLE = b"table_meta_yaml", b"IVOA.VOTable-Parquet.content"
"""Where astropy, and the Virtual Observatory, keep units and descriptions in the file's own words."""


@reader(
    "parquet",
    title="Parquet table",
    suffixes=(".parquet", ".parq"),
    sniff=lambda path, start: start.startswith(b"PAR1"),
)
def read_parquet(path: Path, *, progress: Progress = silent) -> list[Product]:
    """Open a Parquet table, when pyarrow is installed.

    Units come from astropy's or the Virtual Observatory's description in the file, or from the ``unit`` of a
    column's own metadata. What is missing (null) is masked, except in columns of floats, where it is NaN.

    Raises
    ------
    ReadError
        When it is damaged or pyarrow is not there.
    """
    try:
        import pyarrow  # noqa: F401
    except ImportError as error:
        raise ReadError(
            f"{path.name} is a Parquet table, which needs the package pyarrow. Install it with: pip install pyarrow."
        ) from error
    return table_product(path, "Parquet table", "a Parquet table", lambda: _read(path))


def _read(path: Path) -> Table:
    from pyarrow import ArrowException, parquet

    try:
        described = parquet.read_schema(path).metadata or {}
        special = _reader_for(described)
        return special(path) if special is not None else _plain(parquet.read_table(path).flatten())
    except ArrowException as error:
        raise ValueError(str(error)) from error


def _reader_for(described: dict[bytes, bytes]) -> Callable[[Path], Table] | None:
    """Return what reads a table that describes itself."""
    from astropy.table import QTable

    formats = {_ASTROPY: "parquet", _VOTABLE: "parquet.votable"}
    name = next((name for key, name in formats.items() if key in described), None)
    return None if name is None else lambda path: QTable.read(path, format=name)


def _plain(columns: Any) -> Table:
    """Make a table of pyarrow's columns."""
    from astropy.table import Column, Table

    table = Table()
    for number, field in enumerate(columns.schema):
        table[field.name] = _values(columns.column(number))
        words = {key.decode("utf-8", "replace"): text.decode("utf-8", "replace")
                 for key, text in (field.metadata or {}).items()}  # fmt: skip
        table[field.name].info.description = words.get("description") or None
        if words.get("unit") and isinstance(table[field.name], Column):
            table[field.name].unit = words["unit"]
    return table


def _values(column: Any) -> Any:
    """Turn a column of pyarrow into one of numpy or astropy."""
    from astropy.table import MaskedColumn
    from pyarrow import types

    kind = column.type
    if types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    missing = column.is_null().to_numpy() if column.null_count else None
    if _is_list(kind):
        return _rows(column)
    if types.is_timestamp(kind) or types.is_date(kind):
        return _times(column)
    if types.is_floating(kind):
        return column.to_numpy()
    if types.is_integer(kind) or types.is_boolean(kind):
        values = column.fill_null(0 if types.is_integer(kind) else False).to_numpy()
    elif types.is_decimal(kind):
        return column.cast("float64").to_numpy()
    else:
        # Text, also of what has no other form in a table.
        values = np.array(["" if value is None else _text(value) for value in column.to_pylist()], dtype=str)
    return values if missing is None else MaskedColumn(values, mask=missing)


def _is_list(kind: Any) -> bool:
    from pyarrow import types

    return types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)


def _rows(column: Any) -> np.ndarray:
    """Make a column of arrays; where all have one length, it has a second axis."""
    rows = column.to_numpy(zero_copy_only=False) if hasattr(column, "combine_chunks") else column
    if len(rows) and all(row is not None and len(row) == len(rows[0]) for row in rows):
        stacked = np.stack(list(rows))
        if stacked.dtype.kind in "iufb":
            return stacked
    together = np.empty(len(rows), object)
    together[:] = list(rows)
    return together


def _times(column: Any) -> Any:
    """Make times of dates; those that are missing are masked."""
    from astropy.table import MaskedColumn
    from astropy.time import Time

    values = column.cast("timestamp[us]").to_numpy().astype("datetime64[us]")
    missing = np.isnat(values)
    if missing.all():
        return MaskedColumn(np.zeros(len(values), "U1"), mask=missing)
    times = Time(np.where(missing, values[~missing][0], values), format="datetime64")
    times.format = "isot"
    if missing.any():
        times[missing] = np.ma.masked
    return times


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
