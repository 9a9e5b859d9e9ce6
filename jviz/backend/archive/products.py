"""Files of observations: choosing among them, and what is fetched for each."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import numpy as np
from astropy.table import Table

from jviz.backend.archive.fetch import Wanted
from jviz.backend.archive.net import mast_url
from jviz.backend.searching import cells, several
from jviz.errors import JvizError

__all__ = ["address_of", "addresses", "narrowed", "wanted_files"]


def narrowed(table: Table, *, level: Any = None, type: Any = None, suffix: Any = None, extension: Any = None) -> Table:
    """Return the products that fit all conditions; of each, one of several values is enough.

    Associations stay when products of level 3 do, whatever their type: they say what those were made of.
    """
    if not len(table):
        return table
    keep = np.ones(len(table), bool)
    if level is not None:
        keep &= np.isin(_filled(table["calib_level"], -1), several(level))
    names = [str(name).lower() for name in table["productFilename"]]
    if type is not None:
        keep &= np.isin(np.char.upper(np.asarray(table["productType"], str)), [str(t).upper() for t in several(type)])
    if suffix is not None:
        wanted = {str(word).lower().strip("_") for word in several(suffix)}
        keep &= [name.partition(".")[0].rpartition("_")[2] in wanted for name in names]
    if extension is not None:
        ends = tuple("." + str(end).lower().lstrip(".") for end in several(extension))
        keep &= [name.endswith(ends) for name in names]
    if suffix is not None and extension is None:
        keep |= _associations(table, names, keep)
    return table[keep]


def _associations(table: Table, names: list[str], keep: np.ndarray) -> np.ndarray:
    owners = {str(owner) for owner in np.asarray(table["obs_id"], str)[keep]}
    return np.array([name.endswith("_asn.json") and str(owner) in owners
                     for name, owner in zip(names, table["obs_id"], strict=True)], bool)  # fmt: skip


def _filled(column: Any, missing: Any) -> np.ndarray:
    return np.asarray(column.filled(missing) if hasattr(column, "filled") else column)


def address_of(uri: str) -> str:
    """Return where a product is fetched from.

    Raises
    ------
    JvizError
        When it is no address.
    """
    uri = uri.strip()
    if uri.startswith(("https://", "http://")):
        return uri
    if re.match(r"mast:\S+/\S+", uri):
        return f"{mast_url()}/api/v0.1/Download/file?uri={quote(uri, safe=':/')}"
    raise JvizError(f"{uri[:80]!r} is no address of a file. Write mast:JWST/product/NAME or https://….")


def addresses(name: str) -> tuple[str, str]:
    """Return mission and observation of a file by its name: the folders of the store."""
    stem = name.partition(".")[0]
    if re.match(r"jw\d{5}", stem):
        return "JWST", stem.rpartition("_")[0] or stem
    return "other", stem


def wanted_files(products: Any) -> list[Wanted]:
    """Return the files that rows of products, or addresses, stand for.

    Raises
    ------
    JvizError
        When they are none.
    """
    names = getattr(products, "colnames", None)
    uris = several(products) if names is None else cells(products, "dataURI", "access_url", "uri")
    if uris is None:
        raise JvizError("These are no products: a column dataURI is missing. Take what archive.products gives.")
    if not uris:
        raise JvizError("No products were given, so there is nothing to download.")
    texts = [str(uri) for uri in uris]
    files = cells(products, "productFilename") or [_name(text) for text in texts]
    sizes = cells(products, "size") or [0] * len(texts)
    return [Wanted(address_of(text), str(file), _bytes(size))
            for text, file, size in zip(texts, files, sizes, strict=True)]  # fmt: skip


def _bytes(size: Any) -> int:
    return 0 if np.ma.is_masked(size) else max(int(getattr(size, "value", size)), 0)


def _name(uri: str) -> str:
    """Return the name of a file: the end of its address, or of the product that the address asks for."""
    from urllib.parse import parse_qs, unquote, urlsplit

    parts = urlsplit(uri)
    asked = parse_qs(parts.query).get("uri") if parts.scheme in ("http", "https") else None
    name = (asked[0] if asked else unquote(parts.path)).rstrip("/").rpartition("/")[2]
    return name or "download"
