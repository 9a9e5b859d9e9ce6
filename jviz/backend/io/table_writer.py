"""Writing tables: ECSV, CSV, tab-separated text, FITS, VOTable and Parquet, each under a temporary name first."""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jviz.backend.files import writing
from jviz.errors import CommandError

if TYPE_CHECKING:
    from astropy.table import QTable, Table

__all__ = ["FORMATS", "write_table"]

FORMATS = {
    ".ecsv": ("ECSV: text with units, reads back exactly", "ascii.ecsv"),
    ".csv": ("CSV: for spreadsheets, without units", "ascii.csv"),
    ".tsv": ("Text with tabs, without units", "ascii.tab"),
    ".fits": ("FITS: a binary table", "fits"),
    ".vot": ("VOTable: for the Virtual Observatory", "votable"),
    ".parquet": ("Parquet: quick and small, for data frames", "parquet"),
}
"""By suffix: what a user should know, and astropy's name of the format."""

OTHER_NAMES = {".fit": ".fits", ".xml": ".vot", ".votable": ".vot", ".txt": ".tsv", ".dat": ".tsv", ".parq": ".parquet"}


def write_table(table: Table, path: Path) -> Path:
    """Write a table in the format of the file's name; what was there before stays when it fails.

    Parameters
    ----------
    table : Table or QTable
    path : Path
        Its suffix, one of `FORMATS`, says how.

    Raises
    ------
    CommandError
        For other suffixes, a table that the format cannot hold, or Parquet without pyarrow.
    JvizError
        When the folder cannot be written to.
    """
    suffix = path.suffix.lower()
    suffix = OTHER_NAMES.get(suffix, suffix)
    if suffix not in FORMATS:
        raise CommandError(f"{path.name} does not say which kind of table to write; end it with {', '.join(FORMATS)}.")
    name = FORMATS[suffix][1]
    if name == "parquet" and find_spec("pyarrow") is None:
        raise CommandError(
            f"{path.name}: Parquet needs the package pyarrow. Install it with: pip install pyarrow; or choose ECSV."
        )
    with writing(path) as temporary:
        try:
            with warnings.catch_warnings():
                # of units outside of the standard of a format, which are written as they are
                warnings.simplefilter("ignore")
                _write(_prepared(table, name), temporary, name)
        except (ValueError, TypeError, NotImplementedError) as error:
            kind = FORMATS[suffix][0].partition(":")[0]
            reason = " ".join(str(error).split())[:200]
            raise CommandError(
                f"{path.name} cannot be written as {kind}: {reason}. Choose ECSV, which holds every table."
            ) from error
    return path


def _write(table: Table | QTable, path: Path, name: str) -> None:
    if not name.startswith("ascii."):
        table.write(path, format=name, overwrite=True)
        if name == "fits":
            _keep_units(table, path)
        return
    # A file of our own: astropy leaves its own one open when the disk is full.
    with path.open("w", encoding="utf-8", newline="") as file:
        table.write(file, format=name)


def _keep_units(table: Table, path: Path) -> None:
    """Write the units that the standard of FITS does not know, electrons above all, which astropy leaves out."""
    from astropy.io import fits

    with fits.open(path, mode="update") as units:
        header = units[1].header
        for n in range(1, header["TFIELDS"] + 1):
            column = header[f"TTYPE{n}"]
            unit = getattr(table[column], "unit", None) if column in table.colnames else None
            if f"TUNIT{n}" not in header and unit is not None and str(unit):
                header.set(f"TUNIT{n}", str(unit), after=f"TFORM{n}")


def _prepared(table: Table, name: str) -> Table | QTable:
    """Return the table as a format wants it."""
    from astropy.table import Table as Plain
    from astropy.table.serialize import represent_mixins_as_columns

    if name == "parquet":
        deep = [column.info.name for column in table.itercols() if getattr(column, "ndim", 1) > 2]
        if deep:
            raise ValueError(f"it cannot hold the arrays of more than one axis in {', '.join(deep)}")
    plain = Plain(table, copy=False)
    if name in ("ascii.ecsv", "parquet"):
        # As columns with a unit: astropy cannot write quantities that are called "value", which these read back as.
        return plain
    if name != "fits":
        # Coordinates and times become columns of numbers: place.ra, place.dec.
        plain = represent_mixins_as_columns(plain)
    plain.meta = {key: value for key, value in table.meta.items() if _fits_card(key, value)}
    if name in ("ascii.csv", "ascii.tab"):
        # Text without a header cannot hold columns of arrays.
        wide = [n for n in plain.colnames if getattr(plain[n], "ndim", 1) > 1]
        for column in wide:
            plain[column] = [" ".join(map(str, row.ravel())) for row in plain[column]]
    return plain


def _fits_card(key: Any, value: Any) -> bool:
    return isinstance(key, str) and len(key) <= 8 and isinstance(value, str | int | float | bool)
