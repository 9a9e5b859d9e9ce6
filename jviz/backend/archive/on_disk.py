"""Which files of an archive are on this machine already, wherever they lie and whatever they are called there."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from jviz.backend.archive.products import address_of, bytes_of, uri_of
from jviz.backend.library.catalogue import Library
from jviz.backend.searching import cells
from jviz.errors import JvizError

__all__ = ["files_here", "observations_here"]

AT_ONCE = 2_000
"""Names that the library is asked about in one question."""


def files_here(library: Library, products: Any) -> list[Path | None]:
    """Return for each product a file on this machine that is it, None where there is none.

    A file is a product when it was fetched from its address, also when it was moved or copied since (its checksum says
    so), or when it has its name and its size.

    Parameters
    ----------
    products : Table
        Rows of archive.products, or others with an address.
    """
    uris = [str(uri) for uri in cells(products, "dataURI", "access_url", "uri") or []]
    names = [str(name) for name in cells(products, "productFilename") or
             [uri.partition("?")[0].rpartition("/")[2] for uri in uris]]  # fmt: skip
    sizes = [bytes_of(size) for size in cells(products, "size") or [0] * len(uris)]
    found: list[Path | None] = [None] * len(uris)
    for rows in _pieces(len(uris)):
        by_name = _by_name(library, [names[row] for row in rows])
        by_address = _by_address(library, [uris[row] for row in rows])
        for row in rows:
            fits = [path for source, size, path in by_name.get(names[row], ())
                    if source == uris[row] or sizes[row] in (0, size)]  # fmt: skip
            fits += by_address.get(uris[row], [])
            found[row] = next((path for path in map(Path, fits) if path.is_file()), None)
    return found


def observations_here(library: Library, names: Sequence[str]) -> np.ndarray:
    """Return of how many files of each observation the library knows the place."""
    counts: dict[str, int] = {}
    for rows in _pieces(len(names)):
        for row in library.ask("SELECT obs_id, count(*) AS n FROM file WHERE state = 'present' AND obs_id IN "
                               "(SELECT value FROM json_each(?)) GROUP BY obs_id",
                               (json.dumps(list({names[row] for row in rows})),)):  # fmt: skip
            counts[row["obs_id"]] = row["n"]
    return np.array([counts.get(name, 0) for name in names], int)


def _pieces(count: int) -> Iterator[range]:
    for start in range(0, count, AT_ONCE):
        yield range(start, min(start + AT_ONCE, count))


def _by_name(library: Library, names: list[str]) -> dict[str, list[tuple[str, int, str]]]:
    found: dict[str, list[tuple[str, int, str]]] = {}
    for row in library.ask("SELECT name, source, size, path FROM file WHERE state = 'present' AND name IN "
                           "(SELECT value FROM json_each(?)) ORDER BY path", (json.dumps(names),)):  # fmt: skip
        found.setdefault(row["name"], []).append((uri_of(row["source"] or ""), row["size"], row["path"]))
    return found


def _by_address(library: Library, uris: list[str]) -> dict[str, list[str]]:
    asked: dict[str, str] = {}
    for uri in uris:
        with suppress(JvizError):
            asked[address_of(uri)] = uri
    found: dict[str, list[str]] = {}
    for row in library.ask(
        "SELECT download.url, file.path FROM download JOIN file ON file.sha256 = download.sha256 WHERE download.url IN "
        "(SELECT value FROM json_each(?)) AND download.sha256 <> '' AND file.state = 'present' ORDER BY file.path",
        (json.dumps(list(asked)),),
    ):
        found.setdefault(asked[row["url"]], []).append(row["path"])
    return found
