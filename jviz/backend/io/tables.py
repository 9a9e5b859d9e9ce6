"""Tables outside of FITS: ECSV, VOTable, CSV and other text; JWST association files."""

from __future__ import annotations

import json
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

__all__ = ["read_association", "read_ecsv", "read_pool", "read_text", "read_votable", "table_product"]

_TEXT = (".csv", ".tsv", ".dat", ".txt", ".tbl", ".ascii", ".mrt", ".rdb", ".cat")
_unreadable = (ValueError, TypeError, KeyError, IndexError, OSError, AttributeError)
_most_json = 20_000_000
_fewest_samples = 10
_separator = re.compile(r"[;|\t ]")
_trailing_comma = re.compile(r",(\s*[}\]])")


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
        raise ReadError(
            f"{path.name} cannot be read as {what}: {reason}. Check the file, or fetch it again."
        ) from error
    if not table.colnames:
        raise ReadError(f"{path.name} has no columns. Check that it is {what}, or fetch it again.")
    return table


def _with_units(table: Table, name: str) -> tuple[QTable, list[str]]:
    """Give the columns units that can be computed with."""
    from astropy.table import Column, QTable

    from jviz.backend.io.fits_tables import note_units, settle_unit

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
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
    return path.name.lower().endswith(_TEXT) and b"\0" not in start


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


@reader("votable", title="VOTable", suffixes=(".vot", ".votable"), sniff=lambda path, start: b"<VOTABLE" in start)
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


def _is_association(path: Path, start: bytes) -> bool:
    if path.suffix.lower() != ".json" or path.stat().st_size > _most_json:
        return False
    text = start if len(start) >= path.stat().st_size else path.read_bytes()
    return b'"asn_type"' in text and b'"products"' in text


@reader("association", title="JWST association", suffixes=("_asn.json", ".json"), sniff=_is_association)
def read_association(path: Path, *, progress: Progress = silent) -> list[Product]:
    """Open a JWST association: which exposures the pipeline makes into which products.

    The tree has its content as it is; `load_object` gives a table of the members.

    Raises
    ------
    ReadError
        When it is no JSON, or has no products.
    """
    text = path.read_text("utf-8", errors="replace")
    notes: list[str] = []
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        content = _without_trailing_commas(path, text, error)
        notes.append(f"{path.name} has commas where JSON allows none; they were passed over.")
    members = _members(path, content)
    cards = tuple((key, _short(value), "") for key, value in content.items() if not isinstance(value, (list, dict)))
    unit = Unit(0, str(content["asn_type"]), 1, "association", (len(members),), "", "", cards)
    product = Product("other", path.stem, "JWST association", path=path, units=(unit,), warnings=notes)
    product.tree = lambda: content
    product.load_object = lambda: _member_table(members)
    return [product]


def _without_trailing_commas(path: Path, text: str, cause: json.JSONDecodeError) -> Any:
    try:
        return json.loads(_trailing_comma.sub(r"\1", text))
    except json.JSONDecodeError:
        raise ReadError(
            f"{path.name} is no valid JSON: {cause.msg} in line {cause.lineno}. Mend that line, or fetch it again."
        ) from cause


def _members(path: Path, content: Any) -> list[tuple[str, str, str]]:
    """Return (product, file, type of exposure) of each member."""
    try:
        return [
            (str(product.get("name", "")), str(member["expname"]), str(member.get("exptype", "")))
            for product in content["products"]
            for member in product["members"]
        ]
    except (TypeError, KeyError, AttributeError) as error:
        raise ReadError(
            f"{path.name} is no JWST association: its products or their members are missing. "
            "Make it again by asn_generate."
        ) from error


def _member_table(members: list[tuple[str, str, str]]) -> QTable:
    from astropy.table import QTable

    return QTable(rows=members, names=("product", "expname", "exptype"), dtype=("U", "U", "U"))
