"""A small FITS writer: images and binary tables, the same bytes for the same content."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["Hdu", "write_atomically", "write_fits"]

Card = tuple[str, Any, str]

_block = 2880
_bitpix = {"f4": -32, "f8": -64, "i4": 32, "i2": 16, "u4": 32}
_formats = {"f4": "E", "f8": "D", "i4": "J", "u4": "J"}


@dataclass
class Hdu:
    """One header-data unit.

    Parameters
    ----------
    name : str
        EXTNAME, empty for the primary one.
    data : ndarray, or dict of column → ndarray, or None
        An image in numpy order, or the columns of a table.
    units : dict
        Column → unit, for tables.
    """

    name: str = ""
    data: np.ndarray | dict[str, np.ndarray] | None = None
    cards: list[Card] = field(default_factory=list)
    units: dict[str, str] = field(default_factory=dict)


def write_fits(path: Path, hdus: Iterable[Hdu]) -> None:
    """Write a file under a temporary name and rename it when it is whole."""

    def write(file: Any) -> None:
        for index, hdu in enumerate(hdus):
            cards, body = _table(hdu) if isinstance(hdu.data, dict) else _image(hdu, index == 0)
            _write_header(file, [*cards, *hdu.cards])
            if body is not None:
                file.write(memoryview(body).cast("B"))
                file.write(b"\0" * (-body.nbytes % _block))

    write_atomically(path, write)


def write_atomically(path: Path, write: Any) -> None:
    """Call ``write(file)`` on a temporary file in the same folder, then rename it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(temporary, "wb") as file:
            write(file)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _image(hdu: Hdu, primary: bool) -> tuple[list[Card], np.ndarray | None]:
    data = hdu.data
    shape = () if data is None else data.shape[::-1]
    kind = "i2" if data is None else data.dtype.str[1:]
    cards: list[Card] = [
        ("SIMPLE", True, "conforms to FITS") if primary else ("XTENSION", "IMAGE", "image extension"),
        ("BITPIX", 8 if data is None else _bitpix[kind], "bits per value"),
        ("NAXIS", len(shape), "number of axes"),
        *((f"NAXIS{axis + 1}", length, "") for axis, length in enumerate(shape)),
    ]
    cards += [("EXTEND", True, "")] if primary else [("PCOUNT", 0, ""), ("GCOUNT", 1, "")]
    if hdu.name:
        cards.append(("EXTNAME", hdu.name, "name of this extension"))
    if data is None:
        return cards, None
    if kind == "u4":
        cards += [("BZERO", 2147483648, "unsigned integers"), ("BSCALE", 1, "")]
    return cards, _big_endian(data)


def _big_endian(data: np.ndarray) -> np.ndarray:
    if data.dtype.kind == "u":
        data = (data ^ np.uint32(2**31)).view(np.int32)
    return np.ascontiguousarray(data, dtype=data.dtype.newbyteorder(">"))


def _table(hdu: Hdu) -> tuple[list[Card], np.ndarray]:
    columns = {name: _big_endian(column) for name, column in hdu.data.items()}
    rows = np.zeros(len(next(iter(columns.values()))), dtype=[(name, c.dtype) for name, c in columns.items()])
    cards: list[Card] = [
        ("XTENSION", "BINTABLE", "binary table"),
        ("BITPIX", 8, ""),
        ("NAXIS", 2, ""),
        ("NAXIS1", rows.dtype.itemsize, "bytes per row"),
        ("NAXIS2", rows.size, "rows"),
        ("PCOUNT", 0, ""),
        ("GCOUNT", 1, ""),
        ("TFIELDS", len(columns), "columns"),
    ]
    for number, (name, column) in enumerate(columns.items(), 1):
        rows[name] = column
        cards += _column(number, name, hdu.data[name].dtype, hdu.units.get(name, ""))
    cards.append(("EXTNAME", hdu.name, "name of this extension"))
    return cards, rows


def _column(number: int, name: str, dtype: np.dtype, unit: str) -> list[Card]:
    cards: list[Card] = [
        (f"TTYPE{number}", name, ""),
        (f"TFORM{number}", _formats[dtype.str[1:]], ""),
    ]
    if dtype.kind == "u":
        cards.append((f"TZERO{number}", 2147483648, "unsigned integers"))
    return cards + ([(f"TUNIT{number}", unit, "")] if unit else [])


def _write_header(file: Any, cards: list[Card]) -> None:
    text = "".join(_card(*card) for card in cards) + f"{'END':80}"
    file.write(text.ljust(-(-len(text) // _block) * _block).encode("ascii"))


def _card(keyword: str, value: Any, comment: str = "") -> str:
    if keyword in ("HISTORY", "COMMENT", ""):
        return f"{keyword:8}{value}"[:80].ljust(80)
    if isinstance(value, bool):
        text = f"{'T' if value else 'F':>20}"
    elif isinstance(value, str):
        quoted = value.replace("'", "''")
        text = f"{f"'{quoted:8}'":20}"
    elif isinstance(value, float):
        text = f"{_real(value):>20}"
    else:
        text = f"{value:>20}"
    return (f"{keyword:8}= {text}" + (f" / {comment}" if comment else ""))[:80].ljust(80)


def _real(value: float) -> str:
    text = repr(value).upper()
    return text if "." in text or "E" in text else f"{text}.0"
