"""Files of observations: choosing among them, and what is fetched for each."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

import numpy as np
from astropy.table import Table

from jviz.backend.archive.fetch import Wanted
from jviz.backend.archive.net import MAST, is_mast, mast_url
from jviz.backend.searching import cells, several
from jviz.errors import JvizError

__all__ = ["ProductGroups", "address_of", "addresses", "bytes_of", "grouped", "narrowed", "s3_address", "uri_of",
           "wanted_files"]  # fmt: skip

RECOMMENDED = "Minimum Recommended Products"
"""What MAST says of the products that most people need."""

DOWNLOAD = "/api/v0.1/Download/file"
"""Where MAST gives files."""


@dataclass(frozen=True, eq=False)
class ProductGroups:
    """Products, put together by their observations.

    Attributes
    ----------
    table : Table
    observations : tuple of str
        Their names, in the order in which they come.
    rows : tuple of ndarray of int
        Of each observation the rows of the table that are its files.
    sizes : ndarray of float
        Bytes of the files of each observation.
    """

    table: Table
    observations: tuple[str, ...]
    rows: tuple[np.ndarray, ...]
    sizes: np.ndarray


def grouped(table: Table) -> ProductGroups:
    """Put products together by their observations; those that tell none stand under ""."""
    if not len(table):
        return ProductGroups(table, (), (), np.empty(0))
    names = np.asarray(_filled(table["obs_id"], "") if "obs_id" in table.colnames else [""] * len(table), str)
    labels, first, codes = np.unique(names, return_index=True, return_inverse=True)
    by_code = np.split(np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes))[:-1])
    sizes = np.bincount(codes, weights=_sizes(table), minlength=len(labels))
    order = np.argsort(first, kind="stable")
    return ProductGroups(table, tuple(labels[order].tolist()), tuple(by_code[n] for n in order), sizes[order])


def _sizes(table: Table) -> np.ndarray:
    if "size" not in table.colnames:
        return np.zeros(len(table))
    column = getattr(table["size"], "value", table["size"])
    return np.nan_to_num(np.asarray(_filled(getattr(column, "unmasked", column), 0), float))


def narrowed(table: Table, *, level: Any = None, type: Any = None, suffix: Any = None, extension: Any = None,
             recommended: bool = False) -> Table:  # fmt: skip
    """Return the products that fit all conditions; of each, one of several values is enough.

    Associations stay when products of level 3 do, whatever their type: they say what those were made of.

    Parameters
    ----------
    recommended : bool
        Only what MAST calls the minimum recommended products; all of those of archives that recommend none.
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
    if recommended and "productGroupDescription" in table.colnames:
        keep &= np.asarray(_filled(table["productGroupDescription"], ""), str) == RECOMMENDED
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
        return f"{mast_url()}{DOWNLOAD}?uri={quote(uri, safe=':/')}"
    if found := re.fullmatch(r"s3://([a-z0-9][a-z0-9.-]+)/(\S+)", uri):
        return s3_address(*found.groups())
    raise JvizError(f"{uri[:80]!r} is no address of a file. Write mast:JWST/product/NAME, https://… or s3://….")


def s3_address(bucket: str, key: str) -> str:
    """Return where a public object of S3 is fetched without signing; ``$JVIZ_S3_URL`` names a mirror."""
    mirror = os.environ.get("JVIZ_S3_URL", "").rstrip("/")
    return f"{mirror}/{bucket}/{quote(key)}" if mirror else f"https://{bucket}.s3.amazonaws.com/{quote(key)}"


def uri_of(url: str) -> str:
    """Return the product of MAST that is fetched from an address, ``mast:…``; the address itself for others."""
    parts = urlsplit(url)
    asked = parse_qs(parts.query).get("uri") if parts.path.endswith(DOWNLOAD) else None
    return asked[0] if asked and (is_mast(url) or parts.hostname == urlsplit(MAST).hostname) else url


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
    return [Wanted(address_of(text), str(file), bytes_of(size))
            for text, file, size in zip(texts, files, sizes, strict=True)]  # fmt: skip


def bytes_of(size: Any) -> int:
    """Return a size as whole bytes, 0 where it is not known."""
    return 0 if np.ma.is_masked(size) else max(int(getattr(size, "value", size)), 0)


def _name(uri: str) -> str:
    """Return the name of a file: the end of its address, or of the product that the address asks for."""
    parts = urlsplit(uri)
    asked = parse_qs(parts.query).get("uri") if parts.scheme in ("http", "https") else None
    name = (asked[0] if asked else unquote(parts.path)).rstrip("/").rpartition("/")[2]
    return name or "download"
