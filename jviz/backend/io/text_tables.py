"""Tables as plain text of many hands: what sets columns apart, where their names are, and what is missing."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["guessed_table"]

_SEPARATORS = ("\t", ";", "|", ",")
"""In the order in which they are tried: texts and decimal numbers have commas, hardly ever the others."""

_LOOKED_AT = 200
_LONG, _PIECE = 2_000_000, 500_000  # characters
_AT_ONCE = 10_000
"""Rows of texts that are looked at in one go, a few milliseconds."""
_number = re.compile(r"[-+]?(\d+[.,]?\d*|[.,]\d+)([eEdD][-+]?\d+)?$|[-+]?nan$|[-+]?inf(inity)?$", re.IGNORECASE)
_MISSING = ("", "--", "---", "...", "null", "n/a", "na", "none", "indef", "nan", "(null)", r"\n", "undef")
_padded = re.compile(r'0(?<![^\t;|, "\r\n]0)\d{2,}(?=["\t;|, \r\n]|$)')  # a plain 0 first: quick to look for
"""Names made of digits as 007; two digits with a zero are hours, minutes or days."""
_foreign = re.compile(r"^[ \t]*(?:[%!;]|//)", re.MULTILINE)
_word = re.compile(r"[^\s,;\[(]+(?:\s*(?:\[[^\]]*\]|\((?:[^()]|\([^()]*\))*\)))?")
"""The name of a column, with its unit in brackets."""
_types_of_rdb = re.compile(r"\d*[SNMsnm]$")
_box = re.compile(r"\+(-+\+)+$")


@dataclass(frozen=True)
class _Layout:
    """How the columns of a text are written."""

    separator: str
    names: list[str]
    units: list[str]
    first: int  # number of the first row of data, not counting empty lines and comments


def guessed_table(text: str) -> Table:
    """Read a text whose columns are set apart in a way that is to be found out.

    Parameters
    ----------
    text : str
        The whole table, decoded: only so astropy's quick readers take it.

    Raises
    ------
    ValueError
        When it is no table.
    """
    from astropy.io import ascii

    text = _with_usual_comments(text)
    lines = [line.rstrip("\r\n") for line in itertools.islice(io.StringIO(text[:_PIECE]), 2 * _LOOKED_AT)]
    if (head := _starbase_head(lines)) is not None:
        names, first = head
        table = ascii.read(text, format="tab", names=names, header_start=first - 2, data_start=first,
                           comment=r"#|\[EOD\]", guess=False, fast_reader=False)  # fmt: skip
    elif (bars := _bars(lines)) is not None:
        table = _boxed(text, bars)
    elif (layout := _layout(lines, is_long=len(text) > _LONG)) is not None:
        table = _separated(text, layout)
    else:
        table = ascii.read(text, guess=True)
        _keep_zeros(table, text)
        _name_by_comment(table, lines)
    for name in table.colnames:
        table[name] = understood(table[name])
    return table


def _with_usual_comments(text: str) -> str:
    """Turn the signs of comments of other programs (%, !, ;, //) above a table into #."""
    start = 0
    for line in io.StringIO(text[:_PIECE]):
        if line.strip() and not line.startswith("#") and not _foreign.match(line):
            break
        start += len(line)
    head = text[:start]
    return _foreign.sub("# ", head) + text[start:] if _foreign.search(head) else text


def _name_by_comment(table: Table, lines: list[str]) -> None:
    """Name columns by the last comment above the first row that has as many words, units in brackets with them."""
    if not table.colnames or any(name != f"col{n}" for n, name in enumerate(table.colnames, 1)):
        return
    above = itertools.takewhile(lambda line: not line.strip() or line.startswith("#"), lines)
    for line in reversed(list(above)):
        words = _word.findall(line.lstrip("# \t"))
        if len(words) == len(table.colnames) and len(set(words)) == len(words) and not any(map(_is_number, words)):
            table.rename_columns(table.colnames, words)
            _split_units(table)
            return


def _keep_zeros(table: Table, text: str) -> None:
    """Give columns of names with zeros in front their texts back."""
    from astropy.io import ascii

    if not _padded.search(text):
        return
    read = ascii.read(text, guess=True, converters={"*": [ascii.convert_numpy(str)]})
    for name in table.colnames if read.colnames == table.colnames else ():
        if table[name].dtype.kind == "i" and len(known := _known_texts(read[name])) and _is_padded(known):
            table[name] = read[name]


def _known_texts(column: Any) -> np.ndarray:
    return np.char.strip(np.asarray(column)[~np.ma.getmaskarray(column)].astype(str))


def _is_padded(known: np.ndarray) -> bool:
    """Whether texts of digits are names that lose their zeros as numbers: 007."""
    long = known[np.char.str_len(known) > 2]
    return bool(len(long) and np.char.startswith(long, "0").any() and np.char.isdigit(known).all())


def _starbase_head(lines: list[str]) -> tuple[list[str], int] | None:
    """Return the names of columns over dashes and tabs, and the number of the first row: Starbase, of DS9 and Skycat.

    Rows are counted without empty lines and comments. Dashes alone part the sections of machine-readable tables.
    """
    rows: list[str] = []
    for line in lines:
        if not line.strip() or line.startswith("#"):
            continue
        if rows and "\t" in line and set(line.strip()) <= {"-", "\t"}:
            return [name.strip() for name in rows[-1].split("\t")], len(rows) + 1
        rows.append(line)
    return None


# --- tables drawn with bars: TOPCAT's "text", astropy's fixed_width ----------------------------------------


def _bars(lines: list[str]) -> list[int] | None:
    """Return where the bars of a table with a line of bars above each cell stand, None for other texts."""
    rule = next((line.strip() for line in lines if _box.fullmatch(line.strip())), None)
    if rule is not None:
        return [at for at, letter in enumerate(rule) if letter == "+"]
    rows = [line for line in lines if line.strip()]
    if len(rows) < 2 or not all(row.startswith("|") and row.rstrip().endswith("|") for row in rows):
        return None
    places = [{at for at, letter in enumerate(row) if letter == "|"} for row in rows]
    common = set.intersection(*places)
    return sorted(common) if len(common) > 2 else None


def _boxed(text: str, bars: list[int]) -> Table:
    from astropy.table import Table

    rows = [[line[a + 1 : b].strip() for a, b in itertools.pairwise(bars)]
            for line in map(str.strip, io.StringIO(text)) if line.startswith("|")]  # fmt: skip
    if not rows:
        raise ValueError("it has no rows")
    columns = [_of_texts(list(cells)) for cells in zip(*rows[1:], strict=True)] or [[] for _ in rows[0]]
    return Table(columns, names=_distinct(rows[0]))


def _of_texts(cells: list[str]) -> Any:
    """Return cells as numbers where all that are not empty are, empty ones masked."""
    from astropy.table import Column, MaskedColumn

    empty = np.array([not cell for cell in cells], bool)
    values = _as_numbers(np.array(cells), empty)
    values = np.array(cells) if values is None else values
    return MaskedColumn(values, mask=empty) if empty.any() else Column(values)


# --- columns between separators ---------------------------------------------------------------------------


def _layout(lines: list[str], *, is_long: bool) -> _Layout | None:
    """Find out how columns are set apart, None where it is another kind of text, or a short one with blanks."""
    rows = [line for line in lines if line.strip() and not line.lstrip().startswith("#")][:_LOOKED_AT]
    if not rows or any(line.startswith(("\\", "Title:", "Byte-by-byte")) for line in rows[:20]):
        return None
    for separator in (*_SEPARATORS, *((" ",) if is_long else ())):
        cells = list(csv.reader(rows, delimiter=separator, skipinitialspace=True))
        cells = [[cell.strip() for cell in row] for row in cells]
        wide = len(cells[0])
        # rows of a spreadsheet may end early, never late; a text with commas in it is no table with commas
        if wide < 2 or sum(len(row) == wide for row in cells) < 0.8 * len(cells):
            continue
        if separator == "|" and not cells[0][0] and not cells[0][-1]:
            return None  # IPAC
        if separator == "\t" and len(cells) > 1 and all(_types_of_rdb.match(cell) for cell in cells[1]):
            return None  # RDB
        return _named(lines, cells, separator)
    return None


def _named(lines: list[str], cells: list[list[str]], separator: str) -> _Layout:
    """Find the names of columns, in the first row or in the last comment before it, and their units below."""
    wide = len(cells[0])
    comments = itertools.takewhile(lambda line: not line.strip() or line.lstrip().startswith("#"), lines)
    said = [next(csv.reader([line.strip().lstrip("#").strip()], delimiter=separator), []) for line in comments]
    titles = [[cell.strip() for cell in row] for row in said if len(row) == wide]
    if not _is_head(cells[0], cells[1:]):
        names = titles[-1] if titles else [f"col{n}" for n in range(1, wide + 1)]
        return _Layout(separator, _distinct(names), [], 0)
    if len(cells) > 1 and (units := _units_below(cells)):
        return _Layout(separator, _distinct(cells[0]), units, 2)
    return _Layout(separator, _distinct(cells[0]), [], 1)


def _is_number(text: str) -> bool:
    return _number.match(text) is not None


def _is_head(first: list[str], others: list[list[str]]) -> bool:
    """Whether a row names columns: it is a text where the rows below have numbers, or texts throughout."""
    for n, text in enumerate(first):
        below = [row[n] for row in others if n < len(row) and row[n].lower() not in _MISSING]
        is_word = not _is_number(text) and text.lower() not in _MISSING
        # the first of those below may be a unit
        if is_word and below and all(map(_is_number, below[1:] or below)):
            return True
    return not any(_is_number(text) for text in first)


def _units_below(cells: list[list[str]]) -> list[str]:
    """Return the units that the second row has, none where it is a row of values."""
    from jviz.backend.units import parse_unit

    second, others = cells[1], cells[2:]
    if any(map(_is_number, second)) or not any(second) or len(second) != len(cells[0]):
        return []
    numeric = [n for n in range(len(second)) if others and all(n < len(row) and (_is_number(row[n]) or not row[n])
                                                                for row in others)]  # fmt: skip
    told = [second[n].strip("[]()") for n in numeric if second[n]]
    if not told or not all(parse_unit(text) is not None for text in told):
        return []
    return [text.strip("[]()") for text in second]


def _distinct(names: list[str]) -> list[str]:
    """Return names of columns without empty ones and without doubles."""
    made: list[str] = []
    for n, name in enumerate(names):
        plain = name.strip() or f"col{n + 1}"
        further = next(k for k in itertools.count() if (f"{plain}_{k}" if k else plain) not in made)
        made.append(f"{plain}_{further}" if further else plain)
    return made


def _separated(text: str, layout: _Layout) -> Table:
    from astropy.io import ascii

    options = {"format": "csv", "delimiter": layout.separator, "comment": "#", "names": layout.names,
               "header_start": 0, "guess": False}  # fmt: skip
    if padded := _padded_columns(text, layout, options):
        options["converters"] = {name: [ascii.convert_numpy(str)] for name in padded}
    table = _in_pieces(text, layout.first, options) if len(text) > _LONG else None
    table = ascii.read(text, data_start=layout.first, **options) if table is None else table
    for name, unit in zip(layout.names, layout.units, strict=False):
        if unit and table[name].dtype.kind in "if":
            table[name].unit = unit
    empty = [n for n in table.colnames if re.fullmatch(r"col\d+", n) and np.ma.getmaskarray(table[n]).all()]
    if len(empty) < len(table.colnames) and len(table):
        table.remove_columns(empty)  # of lines that end with a separator
    _split_units(table)
    return table


def _padded_columns(text: str, layout: _Layout, options: dict[str, Any]) -> list[str]:
    """Return the columns whose whole numbers are names with zeros in front: as numbers they would lose them."""
    from astropy.io import ascii

    padded: set[str] = set()
    starts = itertools.chain([layout.first], itertools.repeat(0))
    for piece, start in zip(_pieces(text), starts, strict=False):
        if not _padded.search(piece):
            continue
        read = ascii.read(piece, data_start=start, converters={"*": [ascii.convert_numpy(str)]}, **options)
        known = {name: _known_texts(read[name]) for name in read.colnames}
        padded |= {name for name, texts in known.items() if len(texts) and _is_padded(texts)}
    return sorted(padded)


def _in_pieces(text: str, first: int, options: dict[str, Any]) -> Table | None:
    """Read a long text piece by piece: astropy holds Python's lock while it reads one, and the window waits for it.

    Returns
    -------
    Table or None
        None when a column begins with numbers and goes on with texts: only as a whole its numbers stay as written.
    """
    from astropy.io import ascii
    from astropy.table import MaskedColumn, Table

    starts = itertools.chain([first], itertools.repeat(0))
    pieces = [ascii.read(piece, data_start=start, **options)
              for piece, start in zip(_pieces(text), starts, strict=False)]  # fmt: skip
    made = Table()
    for name in pieces[0].colnames:
        columns = [piece[name] for piece in pieces if not np.ma.getmaskarray(piece[name]).all()] or [pieces[0][name]]
        kinds = {column.dtype.kind for column in columns}
        if "U" in kinds and len(kinds) > 1:
            return None
        values = [np.asarray(p[name]) if p[name].dtype.kind in kinds else np.zeros(len(p), columns[0].dtype)
                  for p in pieces]  # fmt: skip
        mask = np.concatenate([np.ma.getmaskarray(piece[name]) for piece in pieces])
        whole = np.concatenate(values)
        made[name] = MaskedColumn(whole, mask=mask) if mask.any() else whole
    return made


def _pieces(text: str) -> Iterator[str]:
    """Yield a text in pieces of whole lines, and of whole cells where these have lines in quotes."""
    start = 0
    while start < len(text):
        end = start + _PIECE
        while True:
            end = text.find("\n", end) + 1 or len(text)
            if end == len(text) or text.count('"', start, end) % 2 == 0:
                break
        if piece := text[start:end].strip("\r\n"):
            yield piece + "\n"
        start = end


def _split_units(table: Table) -> None:
    """Take units out of the names of columns with numbers: ``flux [uJy]``, ``RA (deg)``."""
    from jviz.backend.spectra.tables import split_unit
    from jviz.backend.units import parse_unit

    for name in table.colnames:
        plain, unit = split_unit(name)
        known = parse_unit(unit) if unit else None
        # mag(AB) is a magnitude of the system AB, and no "mag" in the unit AB
        if known is None or unit in ("AB", "ST") or plain in table.colnames or table[name].dtype.kind not in "if":
            continue
        table.rename_column(name, plain)
        table[plain].unit = unit


# --- values -------------------------------------------------------------------------------------------------


def understood(column: Any) -> Any:
    """Return a column of texts as numbers or truths where it is one but for words for what is missing.

    Parameters
    ----------
    column : Column
        ``null``, ``--``, ``N/A``, ``INDEF`` and the like are missing in a column that else has numbers; 3,14 is a
        number where all have a comma.
    """
    from astropy.table import Column, MaskedColumn

    if getattr(column, "dtype", np.dtype(object)).kind != "U" or column.ndim != 1 or not len(column):
        return column
    if not _may_be(column):
        return column
    told = np.ma.getmaskarray(column)
    pieces = []
    for start in range(0, len(column), _AT_ONCE):
        rows = slice(start, start + _AT_ONCE)
        piece = _read_texts(np.asarray(column[rows]), told[rows])
        if piece is None:
            return column
        pieces.append(piece)
    known = [values for values, missing in pieces if not missing.all()]
    if not known or len({values.dtype.kind == "b" for values in known}) > 1:
        return column
    missing = np.concatenate([missing for _, missing in pieces])
    made = np.concatenate([values for values, _ in pieces]).astype(np.result_type(*known))
    about = {"name": column.name, "unit": column.unit, "description": column.description}
    return MaskedColumn(made, mask=missing, **about) if missing.any() else Column(made, **about)


def _read_texts(texts: np.ndarray, missing: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Return texts as truths or numbers and where they are missing, None when they are neither."""
    texts = np.char.strip(texts)
    lower = np.char.lower(texts)
    missing = np.isin(lower, _MISSING) | (np.char.strip(lower, "*") == "") | missing
    if missing.all():
        return np.zeros(len(texts), bool), missing
    if (np.isin(lower, ("true", "false")) | missing).all():
        return lower == "true", missing
    made = _as_numbers(texts, missing)
    return None if made is None else (made, missing)


def _may_be(column: Any) -> bool:
    """Whether the first values are no plain texts; to look at all takes long."""
    known = [text for text in map(str.strip, map(str, column[:1000])) if text.lower() not in _MISSING]
    return all(_is_number(text) or text.lower() in ("true", "false") or set(text) == {"*"} for text in known)


def _as_numbers(texts: np.ndarray, missing: np.ndarray) -> np.ndarray | None:
    """Return texts as whole numbers or floats, 0 or NaN where they are missing, None where one is neither."""
    known = texts[~missing]
    if not len(known):
        return None
    if (np.char.find(known, ",") >= 0).any():
        known = np.char.replace(known, ",", ".")
    if np.char.isdigit(np.char.lstrip(known, "+-")).all():
        if _is_padded(known):
            return None
        with suppress(ValueError, OverflowError):
            whole = np.zeros(len(texts), np.int64)
            whole[~missing] = known.astype(np.int64)
            return whole
        return None  # identifiers with more digits than a number has stay whole as texts
    with suppress(ValueError):
        values = np.full(len(texts), np.nan)
        values[~missing] = np.char.replace(np.char.upper(known), "D", "E").astype(float)
        return values
    return None
