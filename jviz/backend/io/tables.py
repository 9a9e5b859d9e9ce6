"""Tables outside of FITS: ECSV, CSV and other text; pools of JWST associations."""

from __future__ import annotations

import csv
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from jviz.backend.io.fits_compressed import decompressed, first_bytes
from jviz.backend.io.product import Product, Unit
from jviz.backend.io.registry import reader
from jviz.backend.io.text_tables import guessed_table
from jviz.backend.progress import Progress, silent
from jviz.errors import ReadError

if TYPE_CHECKING:
    from astropy.table import QTable, Table

__all__ = ["product_of_table", "read_ecsv", "read_pool", "read_text", "table_product", "unreadable", "with_units"]

_TEXT = (".csv", ".tsv", ".dat", ".txt", ".tbl", ".ascii", ".mrt", ".rdb", ".cat", ".asc", ".tst",
         ".ipac", ".tab", ".coo")  # fmt: skip
unreadable = (ValueError, TypeError, KeyError, IndexError, OSError, AttributeError)
_fewest_samples = 10
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def product_of_table(path: Path, label: str, table: QTable, notes: list[str]) -> Product:
    """Wrap a table that is at hand."""
    cards = tuple((str(key), _short(value), "") for key, value in table.meta.items())
    stem = Path(path.name.removesuffix(".gz")).stem
    unit = Unit(0, stem, 1, "table", (len(table), len(table.colnames)), "", "", cards)
    product = Product("catalog", stem, label, path=path, units=(unit,), warnings=notes)
    product.load_object = lambda: table
    if _is_spectrum(table):
        from jviz.backend.spectra.reading import samples_of_table

        product.kind, product.label = "spectrum", label.replace("table", "spectrum")
        product.load_samples = lambda: samples_of_table(table, product.header, path.name)
    return product


def _is_spectrum(table: QTable) -> bool:
    """Whether the columns say so, or are two to four unnamed ones of which the first rises or falls throughout."""
    from jviz.backend.io.kinds import is_spectral
    from jviz.backend.io.survey_files import roles_of_units
    from jviz.backend.spectra.tables import split_unit

    names = list(table.colnames)
    if is_spectral([split_unit(name)[0].lower() for name in names]):
        return True
    if len(table) < _fewest_samples:
        return False
    if roles_of_units([str(getattr(table[name], "unit", None) or "") for name in names]):
        return True
    if not 2 <= len(names) <= 4 or not all(n.startswith("col") for n in names):
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
    except unreadable as error:
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


def with_units(table: Table, name: str) -> tuple[QTable, list[str]]:
    """Give the columns units that can be computed with."""
    from astropy.table import Column

    from jviz.backend.io.fits_tables import alike, as_quantities, mask_sextractor, note_units, settle_unit

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mask_sextractor(alike(table))
        plain = [column for column in table.itercols() if isinstance(column, Column)]
        unknown = [text for column in plain if (text := settle_unit(column))]
        notes: list[str] = []
        note_units(notes, name, unknown)
        return as_quantities(table), notes


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
    table, notes = with_units(_read(path, what, function), path.name)
    return [product_of_table(path, label, table, notes)]


def _plain_name(path: Path) -> str:
    """Return the name in lower case without the ending of a compressed file."""
    return path.name.lower().removesuffix(".gz")


def _is_text(path: Path, start: bytes) -> bool:
    # SExtractor calls its catalogues .cat whatever they are; spreadsheets write UTF-16
    start = first_bytes(start, len(start))
    if not _plain_name(path).endswith(_TEXT) or start.startswith((b"SIMPLE", b"<?xml")):
        return False
    return b"\0" not in start or _is_utf16(start)


def _is_utf16(start: bytes) -> bool:
    """Whether bytes begin as UTF-16 does, and are letters and lines in it."""
    text = start[: len(start) // 2 * 2].decode("utf-16", errors="replace") if start.startswith(_UTF16) else ""
    return bool(text.strip()) and "".join(text.split()).isprintable()


@reader("text-table", title="Text table", suffixes=_TEXT, sniff=_is_text)
def read_text(path: Path, *, progress: Progress = silent, format: str | None = None) -> list[Product]:
    """Open a table written as text, compressed or not; how its columns are set apart is guessed.

    Parameters
    ----------
    format : str, optional
        astropy's name of the format, ``"ascii.mrt"``, instead of guessing.

    Raises
    ------
    ReadError
        When no table can be made of it.
    """
    return table_product(path, "text table", "a table", lambda: _text_table(path, format))


def _text_table(path: Path, form: str | None) -> Table:
    from astropy.table import Table

    file = decompressed(path)
    if form is not None:
        return Table.read(file, format=form)
    with file.open("rb") as stream:
        if stream.read(2) in _UTF16:
            return guessed_table(_decoded(file, "utf-16"))
    try:
        return guessed_table(_decoded(file, "utf-8-sig"))
    except UnicodeDecodeError:  # an older spreadsheet; every byte is a letter of Latin-1
        return guessed_table(_decoded(file, "latin-1"))


def _decoded(file: Path, encoding: str) -> str:
    """Return a text, read in parts: Python's lock is held while one is decoded."""
    with file.open(encoding=encoding) as stream:
        return "".join(iter(lambda: stream.read(1_000_000), ""))


def _is_ecsv(path: Path, start: bytes) -> bool:
    return first_bytes(start).startswith(b"# %ECSV")


@reader("ecsv", title="ECSV table", suffixes=(".ecsv",), sniff=_is_ecsv)
def read_ecsv(path: Path, *, progress: Progress = silent) -> list[Product]:
    """Open an enhanced CSV table, compressed or not, with its units and its meta data.

    Raises
    ------
    ReadError
        When it is damaged.
    """
    from astropy.table import Table

    csv.field_size_limit(2**31 - 1)  # a cell may hold a whole spectrum
    label = "JWST source catalogue" if path.name.lower().endswith("_cat.ecsv") else "ECSV table"
    return table_product(path, label, "an ECSV table", lambda: Table.read(decompressed(path), format="ascii.ecsv"))


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
