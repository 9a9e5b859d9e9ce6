"""VOTables, their rows as text, binary or FITS, within the file or beside it."""

from __future__ import annotations

import base64
import binascii
import io
import mmap
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

import numpy as np

from jviz.backend.io.fits_compressed import decompressed, first_bytes
from jviz.backend.io.product import Product
from jviz.backend.io.registry import reader
from jviz.backend.io.tables import product_of_table, unreadable, with_units
from jviz.backend.progress import Progress, silent
from jviz.errors import ReadError

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["read_votable"]

_field = re.compile(rb"<FIELD(?:\s[^>]*)?>")
_field_name = re.compile(rb"\bname=\"([^\"]*)\"")
_first_row = re.compile(rb"<TR>(.*?)</TR>", re.DOTALL)
_cell = re.compile(rb"<TD>(.*?)</TD>", re.DOTALL)
_table = re.compile(rb"<(?:\w+:)?TABLE[\s>]")
_fits = re.compile(rb"<(?:\w+:)?FITS(\s[^>]*)?>\s*(<(?:\w+:)?STREAM[^>]*>)(.*?)</(?:\w+:)?FITS>", re.DOTALL)
_stream = re.compile(rb"<(?:\w+:)?STREAM\s[^>]*\bhref\s*=[^>]*>")
_href = re.compile(rb"(\bhref\s*=\s*[\"'])([^\"']*)")
_extension = re.compile(rb"\bextnum\s*=\s*[\"'](\d+)")


def _is_votable(path: Path, start: bytes) -> bool:
    # TOPCAT puts one into its FITS files, too
    return b"<VOTABLE" in first_bytes(start, len(start) + 2000) and not first_bytes(start).startswith(b"SIMPLE")


@reader("votable", title="VOTable", suffixes=(".vot", ".votable"), sniff=_is_votable)
def read_votable(path: Path, *, progress: Progress = silent, table: int | None = None) -> list[Product]:
    """Open the tables of a VOTable file, compressed or not.

    Rows that lie in a file beside it are read, too; what lies at an address of the network is never fetched.

    Parameters
    ----------
    table : int, optional
        Number of the only table to open, counted from 0.

    Raises
    ------
    ReadError
        When it is damaged, holds no table, its rows are elsewhere, or it is the error message of a service.
    """
    text, within = _taken_apart(path)
    file = _parsed(path, text)
    if vectors := _undeclared_vectors(file):
        whole = decompressed(path).read_bytes() if text is None else text
        file = _parsed(path, _declared(whole, vectors))
    tables = list(file.iter_tables())
    filled = [bool(len(one.array)) or i in within for i, one in enumerate(tables)]
    chosen = [i for i, one in enumerate(tables) if one.fields and (i == table if table is not None else filled[i])]
    if not chosen and table is None:
        chosen = [i for i, one in enumerate(tables) if one.fields][:1]
    if not chosen:
        which = "no table" if table is None else f"no table {table}"
        raise ReadError(f"{path.name} holds {which}{_service_message(file)}. Ask the service again.")
    products = [_product(path, tables[i], within.get(i)) for i in chosen]
    for i, product in zip(chosen, products, strict=True):
        product.options = {"table": i} if len(tables) > 1 else {}
        if len(chosen) > 1:
            product.name = f"{path.stem}[{tables[i].name or tables[i].ID or i}]"
    return products


def _parsed(path: Path, text: bytes | None) -> Any:
    from astropy.io.votable import parse

    source = str(decompressed(path)) if text is None else io.BytesIO(text)
    return _quietly(path, lambda: parse(source, verify="ignore", invalid="mask"))


def _quietly(path: Path, function: Callable[[], Any]) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return function()
    except (*unreadable, SyntaxError, NotImplementedError) as error:  # expat's errors are SyntaxErrors of astropy
        raise ReadError(
            f"{path.name} cannot be read as a VOTable: {' '.join(str(error).split())[:200]}. Fetch it again."
        ) from error


# --- rows that are not in the text --------------------------------------------------------------------


class _Fits:
    """Rows that are the table of a FITS file: its bytes or its path, and the number of the extension if it is said."""

    def __init__(self, source: bytes | Path, attributes: bytes) -> None:
        found = _extension.search(attributes or b"")
        self.source, self.number = source, int(found[1]) if found else None

    def table(self) -> Table:
        from astropy.io import fits

        from jviz.backend.io.fits_tables import rows_of

        source = io.BytesIO(self.source) if isinstance(self.source, bytes) else decompressed(self.source)
        with fits.open(source) as units:
            tables = [n for n, unit in enumerate(units) if isinstance(unit, fits.BinTableHDU | fits.TableHDU)]
            number = self.number if self.number in tables else next(iter(tables), None)
            if number is None:
                raise ValueError("the FITS file within holds no table")
            return rows_of(units, number)


def _taken_apart(path: Path) -> tuple[bytes | None, dict[int, _Fits]]:
    """Return the text to parse where it differs from the file, and the tables whose rows are FITS, by their numbers.

    Addresses of files beside it become whole ones, as astropy wants them.
    """
    with decompressed(path).open("rb") as file:
        try:
            text = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError:  # an empty file
            return None, {}
        with text:
            if not (_fits.search(text) or _stream.search(text)):
                return None, {}
            whole = text[:]
    within: dict[int, _Fits] = {}

    def kept(match: re.Match[bytes]) -> bytes:
        number = len(_table.findall(whole, 0, match.start())) - 1
        within[number] = _Fits(_content(path, match), match[1] or b"")
        return b"<TABLEDATA></TABLEDATA>"

    rest = _fits.sub(kept, whole)
    return _stream.sub(lambda match: _href.sub(lambda m: m[1] + _beside(path, m[2]).as_uri().encode(), match[0]),
                       rest), within  # fmt: skip


def _content(path: Path, match: re.Match[bytes]) -> bytes | Path:
    """Return the bytes of FITS in a VOTable, or the file that has them."""
    address = _href.search(match[2])
    if address:
        return _beside(path, address[2])
    try:
        return base64.b64decode(match[3].partition(b"</")[0])
    except binascii.Error as error:
        raise ReadError(f"{path.name} holds rows as FITS that are cut short ({error}). Fetch it again.") from error


def _beside(path: Path, address: bytes) -> Path:
    """Return the file that an address means, as seen from a VOTable."""
    text = address.decode("utf-8", "replace").replace("&amp;", "&").strip()
    parts = urlsplit(text)
    if parts.scheme not in ("", "file") and len(parts.scheme) > 1:
        raise ReadError(
            f"The rows of {path.name} are not in it but at {text}, which jviz does not fetch. "
            "Save the table with its rows in the file (TOPCAT: votable-tabledata or votable-binary2-inline)."
        )
    there = url2pathname(parts.path) if parts.scheme == "file" else unquote(text)
    found = (path.resolve().parent / there).resolve()
    if not found.is_file():
        raise ReadError(f"The rows of {path.name} are in {found.name}, which is missing; put it beside it.")
    return found


# --- what is in the file ------------------------------------------------------------------------------


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


def _product(path: Path, source: Any, rows: _Fits | None) -> Product:
    if rows is None:
        plain = source.to_table(use_names_over_ids=True)
    else:
        plain = _quietly(path, lambda: _described(rows.table(), source.fields))
    return product_of_table(path, "VOTable", *with_units(plain, path.name))


def _described(table: Table, fields: Any) -> Table:
    """Give the columns of FITS the names, units and descriptions that the VOTable has for them."""
    for column, field in zip(list(table.colnames), fields, strict=False):
        if field.unit is not None and table[column].unit is None:
            table[column].unit = field.unit
        if field.description:
            table[column].info.description = " ".join(str(field.description).split())
        if field.name and field.name not in table.colnames:
            table.rename_column(column, field.name)
    return table


def _service_message(file: Any) -> str:
    """Return what a service said instead of a table (INFO with QUERY_STATUS, DALI section 4.4)."""
    infos = [info for resource in file.resources for info in resource.infos] + list(file.infos)
    texts = [str(info.content or info.value) for info in infos if str(info.value).upper() == "ERROR"]
    return f"; the service says: {' '.join(texts[0].split())[:200]}" if texts else ""
