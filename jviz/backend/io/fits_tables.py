"""The table of a FITS extension as an astropy QTable."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from jviz.backend.io.fits_compressed import decompressed
from jviz.backend.units import parse_unit
from jviz.errors import ReadError

if TYPE_CHECKING:
    from astropy.table import Column, QTable, Table

__all__ = ["NO_MAGNITUDE", "alike", "as_quantities", "load_table", "mask_sextractor", "note_units", "rows_of",
           "settle_unit"]  # fmt: skip

NO_MAGNITUDE = 99.0
"""What SExtractor and DOLPHOT write for a magnitude that there is none of."""


def load_table(path: Path, index: int, notes: list[str]) -> QTable:
    """Read a table with its units.

    Parameters
    ----------
    path : Path
        The user's file.
    index : int
        Number of the extension.
    notes : list of str
        Where sentences about units that could not be understood are added.

    Returns
    -------
    QTable
        A unit that astropy does not know is kept as text in ``column.info.meta["unit"]``.

    Raises
    ------
    ReadError
        When the table is damaged.
    """
    from astropy.io import fits
    from astropy.table import Column

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what matters of it is noted below
            with fits.open(decompressed(path), memmap=True) as units:
                table = rows_of(units, index)
            # Coordinates and times, written as several columns, come back as objects that know their units.
            plain = [column for column in table.itercols() if isinstance(column, Column)]
            unknown = [text for column in plain if (text := settle_unit(column))]
            mask_sextractor(table)
            result = as_quantities(table)
    except ReadError:
        raise
    except Exception as error:  # damaged headers fail in many ways within astropy
        raise ReadError(
            f"Table {index} of {path.name} cannot be read: {error}. Look at its header, or fetch the file again."
        ) from error
    note_units(notes, path.name, unknown)
    return result


def rows_of(units: list, index: int) -> Table:
    """Return the table of an extension of an open file, that of TOPCAT's column-oriented files row by row."""
    from astropy.table import Table

    # NaN stays NaN: masked columns cost every later step more than they tell
    table = Table.read(
        units, hdu=index, format="fits", astropy_native=False, mask_invalid=False, unit_parse_strict="silent"
    )
    length = _by_columns(units[index].header, units[0].header.get("COLFITS") is True)
    return alike(_by_rows(table, length) if length else table)


def _by_columns(header: Any, said: bool) -> int:
    """Return the number of rows of a table of one row in which each column is one array, 0 for other tables.

    TOPCAT's colfits-plus says so; colfits-basic is known by TDIM, whose last number is the same for all columns and
    which has two numbers at least.
    """
    if header["NAXIS2"] != 1:
        return 0
    shapes = [re.findall(r"\d+", str(header.get(f"TDIM{n}", ""))) for n in range(1, header["TFIELDS"] + 1)]
    lengths = {shape[-1] for shape in shapes if shape}
    if len(lengths) != 1 or not all(len(shape) >= (1 if said else 2) for shape in shapes):
        return 0
    return int(lengths.pop())


def _by_rows(table: Table, length: int) -> Table:
    """Return a table of one row with an array of so many elements for each column, row by row."""
    made = []
    for column in table.itercols():
        values = column[0]
        if values.ndim > 1 and values.shape[1:] == (1,):
            values = values[:, 0]  # (1,n) is how TOPCAT writes single numbers
        made.append(type(column)(values, column.name, unit=column.unit, description=column.description,
                                 meta=column.meta))  # fmt: skip
    return type(table)(made, meta=table.meta, copy=False)


def alike(table: Table) -> Table:
    """Make arrays of columns whose cells are lists of the same length, and texts of those whose cells are texts.

    The former can be calculated with, element by element, the latter be written to every kind of file.

    Returns
    -------
    Table
        The same one.
    """
    from astropy.table import Column

    for name in table.colnames:
        column = table[name]
        if not isinstance(column, Column) or column.dtype.kind != "O" or column.ndim != 1 or not len(column):
            continue
        cells = list(np.asarray(column))
        if all(isinstance(cell, str | None) for cell in cells):
            table[name] = _column(column, np.array([cell or "" for cell in cells]), np.ma.getmaskarray(column))
        elif all(isinstance(cell, np.ndarray) and cell.dtype.kind in "iuf" and cell.ndim for cell in cells) and (
            len({cell.shape for cell in cells}) == 1 and cells[0].size
        ):
            values = np.ma.stack(cells)
            table[name] = _column(column, values.data, np.ma.getmaskarray(values))
    return table


def _column(old: Column, values: np.ndarray, mask: np.ndarray) -> Column:
    """Return a column of the same name, unit and description with these values."""
    from astropy.table import Column, MaskedColumn

    about = {"name": old.name, "unit": old.unit, "description": old.info.description}
    return MaskedColumn(values, mask=mask, **about) if mask.any() else Column(values, **about)


def mask_sextractor(table: Table) -> None:
    """Mask the magnitudes, and their errors, of SExtractor that say by 99 that there is none.

    Its tables are known by a magnitude with its error, ``MAG_AUTO`` and ``MAGERR_AUTO``.
    """
    from astropy.table import MaskedColumn

    for name in table.colnames:
        if not (name.startswith("MAG_") and name.replace("MAG_", "MAGERR_", 1) in table.colnames):
            continue
        for one in (name, name.replace("MAG_", "MAGERR_", 1)):
            column = table[one]
            missing = np.abs(np.asarray(column)) >= NO_MAGNITUDE if column.dtype.kind == "f" else np.zeros(1, bool)
            if missing.any():
                about = {"name": one, "unit": column.unit, "description": column.info.description}
                mask = missing | np.asarray(getattr(column, "mask", False))
                table[one] = MaskedColumn(np.asarray(column), mask=mask, **about)


def as_quantities(table: Table) -> QTable:
    """Return a table with quantities of its own; what is missing of mag(AB) and dex(cm/s2) becomes NaN.

    Masked quantities of logarithms are not to be had, and astropy complains of each at every step.
    """
    from astropy.table import Column, MaskedColumn, QTable

    from jviz.backend.catalogs.copies import copied

    plain = table.copy(copy_data=False)
    for name in plain.colnames:
        column = plain[name]
        if isinstance(column, MaskedColumn) and hasattr(column.unit, "function_unit"):
            values = np.ma.filled(np.ma.asarray(column).astype(float), np.nan)
            plain[name] = Column(values, unit=column.unit, description=column.info.description)
    return copied(plain, QTable)


def settle_unit(column: Column) -> str:
    """Give the column a unit that can be computed with, or none; return the text not understood."""
    unit = column.unit
    if unit is not None and column.dtype.kind in "iu":
        column.info.format = None  # a whole number with a unit becomes a float, which "I9" cannot write
    if unit is None or not str(unit).strip():
        column.unit = None  # a quantity without a unit would make whole numbers floats
        return ""
    if _is_known(unit) and column.dtype.kind in "iufc":
        return ""
    text = str(unit)
    column.unit = parse_unit(text) if column.dtype.kind in "iufc" else None
    if column.unit is not None:
        return ""
    column.info.meta = {**(column.info.meta or {}), "unit": text}
    return text if column.dtype.kind in "iufc" else ""


def _is_known(unit: Any) -> bool:
    """Whether a unit and its parts mean something; VOTables make up units for words they do not know."""
    from astropy import units

    if unit.__class__ is units.UnrecognizedUnit:
        return False
    registry = units.get_current_unit_registry().registry
    names = [part.name for part in (unit, *getattr(unit, "bases", ())) if hasattr(part, "name")]
    return all(name in registry for name in names)


def note_units(notes: list[str], name: str, unknown: list[str]) -> None:
    """Add a sentence about the units that were not understood, once."""
    if not unknown:
        return
    listed = ", ".join(repr(text) for text in dict.fromkeys(unknown))
    note = f"{name}: columns with units that are not understood ({listed}) come as plain numbers."
    if note not in notes:
        notes.append(note)
