"""The files of rows of the Virtual Observatory: what their addresses give, or their datalinks tell of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

import numpy as np
from astropy.table import Table

from jviz.backend.progress import Progress, silent
from jviz.backend.searching import plain
from jviz.errors import JvizError

__all__ = ["MOST_LINKS", "files_of_rows", "plain_rows"]

MOST_LINKS = 200
"""Rows whose datalinks are asked for at once; each is a question of its own."""

DEPTH = 2
"""Datalinks that lead to further ones are followed so often."""

ASKED = ("obs_id", "access_url", "access_format", "access_estsize", "calib_level", "dataproduct_type", "obs_title")
"""Columns of ObsCore (IVOA Recommendation, 1.1) that tell of files."""

NAMES = ("obs_id", "productFilename", "dataURI", "size", "calib_level", "productType", "productSubGroupDescription",
         "description")  # fmt: skip
KINDS = ("U1", "U1", "U1", int, int, "U1", "U1", "U1")

TYPES = {"#this": "SCIENCE", "#progenitor": "SCIENCE", "#derivation": "SCIENCE", "#coderived": "SCIENCE",
         "#preview": "PREVIEW", "#preview-image": "PREVIEW", "#preview-plot": "PREVIEW", "#thumbnail": "PREVIEW",
         "#documentation": "INFO"}  # fmt: skip
"""What a datalink calls its files (IVOA vocabulary "datalink/core"); the others are auxiliary."""

SERVICES = ("#proc", "#cutout")
"""These take parameters, and are no files."""

ENDS = {"fits": ".fits", "votable": ".vot", "jpeg": ".jpg", "png": ".png", "pdf": ".pdf", "json": ".json",
        "x-tar": ".tar", "html": ".html"}  # fmt: skip


def plain_rows(rows: Any) -> list[dict[str, Any]]:
    """Return what rows of a search, or mappings, tell of files; those without an address are left out.

    Raises
    ------
    JvizError
        When none has an address.
    """
    columns = getattr(rows, "colnames", None)
    rows = [rows] if isinstance(rows, Mapping) or (columns is not None and not hasattr(rows, "columns")) else rows
    found = []
    for row in rows:
        there = columns if columns is not None else row.keys()
        found.append({name: plain(row[name]) for name in ASKED if name in there})
    found = [row for row in found if str(row.get("access_url") or "").startswith(("http://", "https://"))]
    if not found:
        raise JvizError("These rows tell of no files: they have neither an obsid of MAST nor an access_url.")
    return found


def files_of_rows(rows: list[dict[str, Any]], links: Callable[[str], Table], *, progress: Progress = silent) -> Table:
    """Return the files of rows, each address once, with the columns of archive.products.

    Parameters
    ----------
    rows : list of dict
        As of `plain_rows`.
    links : callable
        Gives what a datalink tells, see `jviz.backend.archive.vo.links`.

    Raises
    ------
    JvizError
        When too many datalinks would be asked.
    """
    count = sum(_is_datalink(row.get("access_format")) for row in rows)
    if count > MOST_LINKS:
        raise JvizError(f"The files of {count:,} rows are told by as many datalinks; select at most {MOST_LINKS}.")
    found: dict[str, tuple[Any, ...]] = {}
    for number, row in enumerate(rows):
        progress(number, len(rows), "Asking for the files of the rows")
        name = str(row.get("obs_id") or row.get("obs_title") or "")
        level = int(row["calib_level"]) if isinstance(row.get("calib_level"), int | float) else -1
        for file in _files(row, links, 0):
            found.setdefault(file[1], (name, file[0], file[1], file[2], level, *file[3:]))
    return Table(rows=list(found.values()), names=NAMES) if found else Table(names=NAMES, dtype=KINDS)


def _files(row: Mapping[str, Any], links: Callable[[str], Table], depth: int) -> Iterable[tuple[Any, ...]]:
    """Yield name, address, bytes, type, kind and description of each file of a row."""
    url, kind = str(row["access_url"]), str(row.get("access_format") or "")
    if not _is_datalink(kind):
        size = row.get("access_estsize")  # in kbyte
        known = isinstance(size, int | float) and np.isfinite(size) and size > 0
        about = f"about {1000 * size:,.0f} bytes" if known else ""
        word = "PREVIEW" if kind.startswith("image/") and "fits" not in kind else "SCIENCE"
        # An estimate is told, but it is not the size that the file must have.
        yield _name(url, kind), url, 0, word, str(row.get("dataproduct_type") or ""), about
        return
    if depth >= DEPTH:
        return
    for link in links(url):
        address = str(link["access_url"]).strip()
        meaning, about, form, length = (_cell(link, name) for name in
                                        ("semantics", "description", "content_type", "content_length"))  # fmt: skip
        if not address.startswith(("http://", "https://")) or meaning in SERVICES:
            continue
        if _is_datalink(form):
            yield from _files({"access_url": address, "access_format": form}, links, depth + 1)
            continue
        size = int(length) if isinstance(length, int | float) and length > 0 else 0
        yield (_name(address, str(form or "")), address, size, TYPES.get(str(meaning), "AUXILIARY"),
               str(meaning or "").lstrip("#"), str(about or ""))  # fmt: skip


def _cell(row: Any, name: str) -> Any:
    return plain(row[name]) if name in row.colnames else None


def _is_datalink(kind: Any) -> bool:
    return "content=datalink" in str(kind or "").lower().replace(" ", "").replace('"', "")


def _name(url: str, kind: str) -> str:
    """Return the name of a file by its address, with the end that its type asks for."""
    parts = urlsplit(url)
    name = unquote(parts.path).rstrip("/").rpartition("/")[2] or "file"
    if parts.query and "." not in name:
        name = unquote(parts.query).rpartition("/")[2].rpartition("=")[2] or name
    name = "".join(sign if sign.isalnum() or sign in "-_.+" else "_" for sign in name).strip(".")[-120:] or "file"
    end = next((end for word, end in ENDS.items() if word in kind.lower()), "")
    has = name.lower().endswith((end, f"{end}.gz", f"{end}.fz", ".fit", ".fits")) if end else True
    return name if has else name + end
