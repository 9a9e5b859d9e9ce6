"""Tables outside of FITS: ECSV, VOTable, CSV and other text; pools of JWST associations."""

from __future__ import annotations

import io
import itertools
import re
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from jviz.backend.io.product import Product, Unit
from jviz.backend.io.registry import reader
from jviz.backend.progress import Progress, silent
from jviz.errors import ReadError

if TYPE_CHECKING:
    from astropy.table import QTable, Table

__all__ = ["read_ecsv", "read_pool", "read_text", "read_votable", "table_product"]

_TEXT = (".csv", ".tsv", ".dat", ".txt", ".tbl", ".ascii", ".mrt", ".rdb", ".cat", ".asc")
_unreadable = (ValueError, TypeError, KeyError, IndexError, OSError, AttributeError)
_fewest_samples = 10
_field = re.compile(rb"<FIELD(?:\s[^>]*)?>")
_field_name = re.compile(rb"\bname=\"([^\"]*)\"")
_first_row = re.compile(rb"<TR>(.*?)</TR>", re.DOTALL)
_cell = re.compile(rb"<TD>(.*?)</TD>", re.DOTALL)
_separator = re.compile(r"[;|\t ]")


def _product(path: Path, label: str, table: QTable, notes: list[str]) -> Product:
    """Wrap a table that is at hand."""
    cards = tuple((str(key), _short(value), "") for key, value in table.meta.items())
    unit = Unit(0, path.stem, 1, "table", (len(table), len(table.colnames)), "", "", cards)
    product = Product("catalog", path.stem, label, path=path, units=(unit,), warnings=notes)
    product.load_object = lambda: table
    if _is_spectrum(table):
        from jviz.backend.spectra.reading import samples_of_table

        product.kind, product.label = "spectrum", label.replace("table", "spectrum")
        product.load_samples = lambda: samples_of_table(table, product.header, path.name)
    return product


def _is_spectrum(table: QTable) -> bool:
    """Whether the columns say so, or are two to four unnamed ones of which the first rises or falls throughout."""
    from jviz.backend.io.kinds import is_spectral
    from jviz.backend.spectra.tables import split_unit

    names = list(table.colnames)
    if is_spectral([split_unit(name)[0].lower() for name in names]):
        return True
    if len(table) < _fewest_samples or not 2 <= len(names) <= 4 or not all(n.startswith("col") for n in names):
        return False
    columns = [table[name] for name in names]
    if not all(column.dtype.kind in "fiu" and column.ndim == 1 for column in columns):
        return False
    steps = np.diff(np.asarray(columns[0], float))
    return bool((steps > 0).all() or (steps < 0).all())


def _short(value: Any) -> Any:
    return value if isinstance(value, (int, float, bool)) else " ".join(str(value).split())[:200]


def _read(path: Path, what: str, function: Callable[[], Table]) -> Table:
    """Call a reader of astropy quietly, and say what is wrong in one sentence."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # oddities of units are noted from the columns
            table = function()
    except _unreadable as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        reason = (lines[0] if lines else type(error).__name__).rstrip(".:")[:200]
        if reason.startswith("ERROR: Unable to guess table format"):
            reason = "how its columns are set apart is not clear"
        raise ReadError(
            f"{path.name} cannot be read as {what}: {reason}. Check the file, or fetch it again."
        ) from error
    if not table.colnames:
        raise ReadError(f"{path.name} has no columns. Check that it is {what}, or fetch it again.")
    return table


def _with_units(table: Table, name: str) -> tuple[QTable, list[str]]:
    """Give the columns units that can be computed with."""
    from astropy.table import Column, QTable

    from jviz.backend.io.fits_tables import mask_sextractor, note_units, settle_unit

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mask_sextractor(table)
        plain = [column for column in table.itercols() if isinstance(column, Column)]
        unknown = [text for column in plain if (text := settle_unit(column))]
        notes: list[str] = []
        note_units(notes, name, unknown)
        return QTable(table), notes


def table_product(path: Path, label: str, what: str, function: Callable[[], Table]) -> list[Product]:
    """Wrap the table that a function reads, its units understood; its failure becomes one sentence.

    Parameters
    ----------
    label : str
        What it is, for lists.
    what : str
        The same after "cannot be read as".

    Raises
    ------
    ReadError
        When the function fails or finds no columns.
    """
    table, notes = _with_units(_read(path, what, function), path.name)
    return [_product(path, label, table, notes)]


def _is_text(path: Path, start: bytes) -> bool:
    # SExtractor calls its catalogues .cat whatever they are
    return path.name.lower().endswith(_TEXT) and b"\0" not in start and not start.startswith((b"SIMPLE", b"<?xml"))


def _starbase_head(path: Path) -> tuple[list[str], int] | None:
    """Return the names of columns over a line of dashes, and the number of the first row: Starbase, of DS9 and Skycat.

    Rows are counted without empty lines and comments.
    """
    rows: list[str] = []
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in itertools.islice(file, 300):
            if not line.strip() or line.startswith("#"):
                continue
            if rows and set(line.strip()) <= {"-", "\t"}:
                return [name.strip() for name in rows[-1].rstrip("\n").split("\t")], len(rows) + 1
            rows.append(line)
    return None


@reader("text-table", title="Text table", suffixes=_TEXT, sniff=_is_text)
def read_text(path: Path, *, progress: Progress = silent, format: str | None = None) -> list[Product]:
    """Open a table written as text; how its columns are set apart is guessed.

    Parameters
    ----------
    format : str, optional
        astropy's name of the format, ``"ascii.mrt"``, instead of guessing.

    Raises
    ------
    ReadError
        When no table can be made of it.
    """
    from astropy.table import Table

    def load() -> Table:
        if format is not None:
            return Table.read(path, format=format)
        if (head := _starbase_head(path)) is not None:
            names, first = head
            return Table.read(path, format="ascii.no_header", delimiter="\t", names=names, data_start=first,
                              comment="#", guess=False)  # fmt: skip
        if path.suffix.lower() == ".csv":
            # many a .csv is set apart by blanks, bars or semicolons
            with suppress(*_unreadable):
                table = Table.read(path, format="ascii.csv", encoding="utf-8-sig")
                other = _separator.search(table.colnames[0]) if len(table.colnames) == 1 else None
                if other is None:
                    return table
                return Table.read(path, format="ascii.basic", delimiter=other[0], guess=False)
        return Table.read(path, format="ascii", guess=True)

    return table_product(path, "text table", "a table", load)


def _is_votable(path: Path, start: bytes) -> bool:
    return b"<VOTABLE" in start and not start.startswith(b"SIMPLE")  # TOPCAT puts one into its FITS files, too


@reader("votable", title="VOTable", suffixes=(".vot", ".votable"), sniff=_is_votable)
def read_votable(path: Path, *, progress: Progress = silent, table: int | None = None) -> list[Product]:
    """Open the tables of a VOTable file.

    Parameters
    ----------
    table : int, optional
        Number of the only table to open, counted from 0.

    Raises
    ------
    ReadError
        When it is damaged, holds no table, or is the error message of a service.
    """
    from astropy.io.votable import parse

    file = _read_votable(path, lambda: parse(path, verify="ignore", invalid="mask"))
    if vectors := _undeclared_vectors(file):
        text = io.BytesIO(_declared(path.read_bytes(), vectors))
        file = _read_votable(path, lambda: parse(text, verify="ignore", invalid="mask"))
    tables = list(file.iter_tables())
    chosen = [i for i, one in enumerate(tables) if one.fields and (i == table if table is not None else len(one.array))]
    if not chosen and table is None:
        chosen = [i for i, one in enumerate(tables) if one.fields][:1]
    if not chosen:
        which = "no table" if table is None else f"no table {table}"
        raise ReadError(f"{path.name} holds {which}{_service_message(file)}. Ask the service again.")
    products = [_votable_product(path, tables[i]) for i in chosen]
    for i, product in zip(chosen, products, strict=True):
        product.options = {"table": i} if len(tables) > 1 else {}
        if len(chosen) > 1:
            product.name = f"{path.stem}[{tables[i].name or tables[i].ID or i}]"
    return products


def _read_votable(path: Path, function: Callable[[], Any]) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return function()
    except (*_unreadable, SyntaxError) as error:  # expat's errors are SyntaxErrors of astropy
        raise ReadError(
            f"{path.name} cannot be read as a VOTable: {' '.join(str(error).split())[:200]}. Fetch it again."
        ) from error


def _undeclared_vectors(file: Any) -> set[str]:
    """Return the columns that are said to be single numbers, but in which no row has one: SExtractor's vectors."""
    return {
        field.name for table in file.iter_tables() for field in table.fields
        if len(table.array) and field.arraysize is None
        and field.datatype in ("float", "double", "int", "short", "long") and bool(np.all(table.array.mask[field.ID]))
    }  # fmt: skip


def _declared(text: bytes, names: set[str]) -> bytes:
    """Return a VOTable in whose fields of these names it stands how many numbers they have, as its first row shows."""
    fields = [(m[0], (_field_name.search(m[0]) or m)[1].decode()) for m in _field.finditer(text)]
    row = _first_row.search(text)
    cells = _cell.findall(row[1]) if row else []
    for (field, name), cell in zip(fields, cells, strict=False):
        count = len(cell.split())
        if name in names and count > 1 and b"arraysize" not in field:
            text = text.replace(field, field.replace(b"<FIELD", b'<FIELD arraysize="%d"' % count, 1), 1)
    return text


def _votable_product(path: Path, source: Any) -> Product:
    table, notes = _with_units(source.to_table(use_names_over_ids=True), path.name)
    return _product(path, "VOTable", table, notes)


def _service_message(file: Any) -> str:
    """Return what a service said instead of a table (INFO with QUERY_STATUS, DALI section 4.4)."""
    infos = [info for resource in file.resources for info in resource.infos] + list(file.infos)
    texts = [str(info.content or info.value) for info in infos if str(info.value).upper() == "ERROR"]
    return f"; the service says: {' '.join(texts[0].split())[:200]}" if texts else ""


@reader("ecsv", title="ECSV table", suffixes=(".ecsv",), sniff=lambda path, start: start.startswith(b"# %ECSV"))
def read_ecsv(path: Path, *, progress: Progress = silent) -> list[Product]:
    """Open an enhanced CSV table, with its units and its meta data.

    Raises
    ------
    ReadError
        When it is damaged.
    """
    from astropy.table import QTable

    table = _read(path, "an ECSV table", lambda: QTable.read(path, format="ascii.ecsv"))
    label = "JWST source catalogue" if path.name.lower().endswith("_cat.ecsv") else "ECSV table"
    return [_product(path, label, table, [])]


def _is_pool(path: Path, start: bytes) -> bool:
    lines = [line for line in start.lower().splitlines() if line and not line.startswith(b"#")]
    return path.suffix.lower() == ".csv" and bool(lines) and b"|" in lines[0] and b"asn_candidate" in lines[0]


@reader("association-pool", title="JWST association pool", suffixes=("_pool.csv",), sniff=_is_pool)
def read_pool(path: Path, *, progress: Progress = silent) -> list[Product]:
    """Open the table of exposures from which JWST associations are made.

    Raises
    ------
    ReadError
        When it is damaged.
    """
    from astropy.table import Table

    def load() -> Table:
        return Table.read(path, format="ascii.basic", delimiter="|", comment="#", guess=False, fast_reader=False)

    return table_product(path, "JWST association pool", "an association pool", load)
