"""The store of jviz's own: kept within a limit by dropping what can be fetched again, and never anything else."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jviz.backend.archive.checks import digest
from jviz.backend.library.folders import below
from jviz.backend.progress import Progress, silent

if TYPE_CHECKING:
    from jviz.backend.library.catalogue import Library

__all__ = ["Dropped", "StoreSize", "drop", "store_size"]

AGAIN = ("http://", "https://")
"""Beginnings of sources that a file can be fetched from again."""


@dataclass(frozen=True)
class StoreSize:
    """Bytes of the files in the store, and how many of them can be dropped."""

    size: int
    droppable: int


@dataclass(frozen=True)
class Dropped:
    """A file that was dropped, its bytes, and where it can be fetched from."""

    path: Path
    size: int
    source: str


def store_size(library: Library, store: Path, keep: Collection[Path] = ()) -> StoreSize:
    """Return how large the store is."""
    where, values = below(store)
    rows = library.ask(f"SELECT sum(size) AS size FROM file WHERE state = 'present' AND {where}", values)
    return StoreSize(rows[0]["size"] or 0, sum(file.size for file, _ in _droppable(library, store, keep)))


def drop(library: Library, store: Path, limit: int, *, keep: Collection[Path] = (),
         progress: Progress = silent) -> list[Dropped]:  # fmt: skip
    """Drop files of the store until it is within its limit; what was not used for longest goes first.

    A file goes only when it came from an archive, is not pinned, lies in the store, and still has the bytes that came:
    so that it can be had again. Its row stays and is found by searches.

    Parameters
    ----------
    limit : int
        Bytes that may stay.
    keep : collection of Path
        Files that stay whatever the limit says: those that are open.
    """
    excess = store_size(library, store).size - limit
    wanted, dropped = excess, list[Dropped]()
    for file, sha256 in _droppable(library, store, keep) if excess > 0 else ():
        if excess <= 0:
            break
        progress(wanted - excess, wanted, f"Dropping {file.path.name}")
        if _is_as_it_came(file, sha256) and _removed(file.path):
            # Only now: a program that is killed in between finds the file missing, which is true.
            with library.writing() as database:
                database.execute("UPDATE file SET state = 'dropped' WHERE path = ?", (str(file.path),))
            excess -= file.size
            dropped.append(file)
    return dropped


def _droppable(library: Library, store: Path, keep: Collection[Path]) -> list[tuple[Dropped, str]]:
    where, values = below(store)
    rows = library.ask(
        "SELECT path, size, source, sha256 FROM file WHERE state = 'present' AND NOT pinned AND source IS NOT NULL "
        f"AND root IS NULL AND {where} ORDER BY max(used, added), path",
        values,
    )
    return [(Dropped(Path(row["path"]), row["size"], row["source"]), row["sha256"]) for row in rows
            if row["source"].startswith(AGAIN) and Path(row["path"]) not in keep]  # fmt: skip


def _is_as_it_came(file: Dropped, sha256: str) -> bool:
    try:
        return not file.path.is_symlink() and file.path.stat().st_size == file.size and digest(file.path) == sha256
    except OSError:
        return False


def _removed(path: Path) -> bool:
    try:
        os.unlink(path)
    except OSError:
        return False  # Windows refuses while another program reads it
    return True
