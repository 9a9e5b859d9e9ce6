"""The basket, which keeps products until they are fetched, and the history of all that ever was: in the library."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from jviz.backend.archive.products import uri_of, wanted_files
from jviz.backend.searching import cells, plain

if TYPE_CHECKING:
    from astropy.table import Table

    from jviz.backend.library.catalogue import Library

__all__ = ["Download", "Kept", "basket", "downloads", "empty", "kept_products", "put", "take_out"]

FIRST = ("productFilename", "size", "calib_level", "productType", "productSubGroupDescription", "obs_id", "dataURI",
         "dataRights", "description", "obs_collection")  # fmt: skip
"""Columns that come first, and are there whatever the products say of themselves."""

NUMBERS = {"size": 0, "calib_level": -1}
"""Columns of numbers, and what stands in them where nothing is known."""


@dataclass(frozen=True)
class Kept:
    """A product in the basket: its address, all that is known of it, and when it was put there (s since 1970)."""

    uri: str
    product: Mapping[str, Any]
    added: float


@dataclass(frozen=True)
class Download:
    """A file that was fetched once.

    Attributes
    ----------
    time : float
        Seconds since 1970.
    uri : str
        ``mast:…``, or its address.
    name, path, sha256 : str
    size, received : int
        Bytes of the file, and those that came over the network for it.
    """

    time: float
    uri: str
    name: str
    path: str
    size: int
    sha256: str
    received: int

    @property
    def is_here(self) -> bool:
        """Whether there is still a file of that size at its place."""
        try:
            return Path(self.path).stat().st_size == self.size
        except OSError:
            return False


def kept_products(products: Any) -> list[Kept]:
    """Return rows of products, or addresses, as the basket keeps them.

    Raises
    ------
    JvizError
        When they are none.
    """
    files, now = wanted_files(products), time.time()
    names = [str(name) for name in getattr(products, "colnames", ())]
    columns = {name: cells(products, name) or [] for name in names}
    found = []
    for number, file in enumerate(files):
        known = {name: plain(values[number]) for name, values in columns.items()}
        known |= {"productFilename": file.name, "dataURI": uri_of(file.url), "size": file.size}
        found.append(Kept(known["dataURI"], known, now + 1e-5 * number))  # in the order in which they are given
    return found


def basket(library: Library) -> Table:
    """Return what is in the basket, in the order in which it was put there, as `archive.products` gives it."""
    from astropy.table import MaskedColumn, Table

    rows = library.ask("SELECT product FROM basket ORDER BY added, uri")
    products = [json.loads(row["product"]) for row in rows]
    names = dict.fromkeys([*FIRST, *(name for product in products for name in product)])
    table = Table()
    for name in names:
        values = [product.get(name) for product in products]
        mask = [value is None for value in values]
        if name in NUMBERS:
            table[name] = np.array([NUMBERS[name] if value is None else int(value) for value in values], int)
        elif values and all(isinstance(value, int | float) for value in values if value is not None) and not all(mask):
            table[name] = MaskedColumn([0 if value is None else value for value in values], mask=mask)
        else:
            table[name] = np.array(["" if value is None else str(value) for value in values], str)
    return table


def put(library: Library, products: Iterable[Kept]) -> list[Kept]:
    """Put products into the basket; return those that were not in it."""
    with library.writing() as database:
        return [kept for kept in products if database.execute(
            "INSERT OR IGNORE INTO basket VALUES (?, ?, ?)",
            (kept.uri, json.dumps(kept.product), kept.added)).rowcount]  # fmt: skip


def take_out(library: Library, uris: Sequence[str]) -> list[Kept]:
    """Take products out of the basket; return those that were in it."""
    gone = "DELETE FROM basket WHERE uri = ? RETURNING *"
    with library.writing() as database:
        rows = [row for uri in uris for row in database.execute(gone, (uri,)).fetchall()]
    return [Kept(row["uri"], json.loads(row["product"]), row["added"]) for row in rows]


def empty(library: Library) -> list[Kept]:
    """Empty the basket; return what was in it."""
    return take_out(library, [row["uri"] for row in library.ask("SELECT uri FROM basket")])


def downloads(library: Library, text: str = "", *, most: int = 2_000) -> list[Download]:
    """Return the files that were ever fetched, the newest first.

    Parameters
    ----------
    text : str
        A part of the name, the address or the path; "" for all.
    """
    like = "%" + text.strip().replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_") + "%"
    rows = library.ask(
        "SELECT * FROM download WHERE name LIKE :like ESCAPE '\\' OR url LIKE :like ESCAPE '\\' "
        "OR path LIKE :like ESCAPE '\\' ORDER BY time DESC, id DESC LIMIT :most",
        {"like": like, "most": most})  # fmt: skip
    return [Download(row["time"], uri_of(row["url"]), row["name"], row["path"], row["size"], row["sha256"],
                     row["received"]) for row in rows]  # fmt: skip
