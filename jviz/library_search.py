"""What a panel of the library shows: files that fit, how many of what kind there are, small pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from jviz.archives import DEFAULT_RADIUS, circle_of
from jviz.backend.progress import Progress, silent
from jviz.describe import size_text
from jviz.libraries import GB, is_begun, store_folder

if TYPE_CHECKING:
    from astropy.table import Table

    from jviz.backend.calibration.quality import Check
    from jviz.backend.catalogs.columns import TableColumn
    from jviz.backend.library.provenance import Graph
    from jviz.session import Session

__all__ = [
    "LibraryCounts", "LibraryFound", "library_found", "library_provenance", "library_report", "library_thumbnail",
    "linked_paths",
]  # fmt: skip

MOST = 100_000
"""Rows that are shown; more of them nobody looks through."""

MB = 1_000_000

FIRST = ("preview", "name", "quality", "target_name", "instrument_name", "filters", "suffix", "calib_level", "date_obs",
         "t_exptime", "size", "state", "tags", "note", "pinned")  # fmt: skip
"""Columns that come first; the others follow."""


@dataclass(frozen=True)
class LibraryCounts:
    """How many files there are: all, those on the disk, missing, dropped from the store, and refused; bytes."""

    all: int = 0
    here: int = 0
    missing: int = 0
    dropped: int = 0
    refused: int = 0
    folders: int = 0
    size: int = 0
    store: int = 0
    store_limit: int = 0


@dataclass(frozen=True)
class LibraryFound:
    """Rows of the library that fit, ready to be shown, and what there is in all.

    Attributes
    ----------
    table : Table
    columns : list of TableColumn
        Of the table.
    paths : ndarray of str
    row_of : dict of str to int
        Row of each path.
    order : ndarray of int or None
        Rows in the order that was wanted.
    counts : LibraryCounts
    """

    table: Table
    columns: list[TableColumn]
    paths: np.ndarray
    row_of: dict[str, int]
    order: np.ndarray | None
    counts: LibraryCounts


def library_found(
    session: Session, asked: Mapping[str, Any], *, by: str = "", descending: bool = False, progress: Progress = silent
) -> LibraryFound | None:
    """Search the library without leaving a step in the history.

    Parameters
    ----------
    asked : mapping
        Arguments of library.search; ``refused=True`` gives the files that were refused, with ``reason``.
    by, descending : str, bool
        Column by which the rows are wanted in order.

    Returns
    -------
    LibraryFound or None
        None when there is no library yet.

    Raises
    ------
    JvizError
        For names and positions that are none, and columns that there are not.
    """
    from jviz.backend.catalogs.columns import columns_of

    if not is_begun():
        return None
    table = _arranged(_refused(session) if asked.get("refused") else _searched(session, asked, progress))
    columns = columns_of(table)
    wanted = next((column for column in columns if column.name == by), None)
    order = wanted.order(descending=descending) if wanted is not None else None
    paths = np.asarray(table["path"], str)
    row_of = {path: row for row, path in enumerate(paths.tolist())}
    return LibraryFound(table, columns, paths, row_of, order, _counts(session))


def _searched(session: Session, asked: Mapping[str, Any], progress: Progress) -> Table:
    from jviz.backend.library.queries import SHOWN, search

    criteria = dict(asked)
    target, position = criteria.pop("target", None), criteria.pop("position", None)
    if target or position:
        progress(0, 1, "Looking up the place")
    circle = circle_of(session, target, position, criteria.pop("radius", DEFAULT_RADIUS))
    own = {name: criteria.pop(name) for name in ("text", "tag", "missing", "duplicates") if name in criteria}
    columns = [name for name in SHOWN if name != "s_region"]
    return search(session.archives.library, sky=circle, criteria=criteria, most=MOST, columns=columns, **own)


def _arranged(table: Table) -> Table:
    """Return a table with a column for pictures, sizes as people read them, and the columns first that they look at."""
    if "sha256" in table.colnames:
        table["preview"] = np.zeros(len(table), "U1")
    for name, how in (("size", _size), ("pinned", _pin)):
        if name in table.colnames:
            table[name].info.format = how
    names = [name for name in FIRST if name in table.colnames]
    names += [name for name in table.colnames if name not in names]
    return type(table)([table[name] for name in names], names=names, copy=False)


def _size(value: Any) -> str:
    return "" if np.ma.is_masked(value) else size_text(float(value))


def _pin(value: Any) -> str:
    return "●" if value is not np.ma.masked and value else ""


def _refused(session: Session) -> Table:
    from astropy.table import Table

    rows = session.archives.library.ask("SELECT path, reason, size FROM refused ORDER BY path")
    return Table([[Path(row["path"]).name for row in rows], [row["reason"] for row in rows],
                  [row["size"] for row in rows], [row["path"] for row in rows]],
                 names=("name", "reason", "size", "path"), dtype=(str, str, int, str))  # fmt: skip


def _counts(session: Session) -> LibraryCounts:
    from jviz.backend.library.folders import below

    library = session.archives.library
    rows = library.ask("SELECT state, count(*) AS n, coalesce(sum(size), 0) AS size FROM file "
                       "WHERE state <> 'forgotten' GROUP BY state")  # fmt: skip
    number = {row["state"]: row["n"] for row in rows}
    size = {row["state"]: row["size"] for row in rows}
    where, values = below(store_folder())
    in_store = f"SELECT coalesce(sum(size), 0) AS size FROM file WHERE state = 'present' AND {where}"
    [store] = library.ask(in_store, values)
    [more] = library.ask("SELECT (SELECT count(*) FROM refused) AS refused, (SELECT count(*) FROM root) AS folders")
    return LibraryCounts(sum(number.values()), number.get("present", 0), number.get("missing", 0),
                         number.get("dropped", 0), more["refused"], more["folders"], size.get("present", 0),
                         store["size"], round(session.settings["library.store_limit_gb"] * GB))  # fmt: skip


def library_provenance(session: Session, path: Path, *, references: bool = True) -> Graph | None:
    """Return the graph of what a file was made of; None when the library does not know it.

    Raises
    ------
    JvizError
        When it cannot be read.
    """
    from jviz.backend.library.provenance import provenance_of

    if not is_begun() or session.archives.library.sum_of(path) is None:
        return None
    return provenance_of(session.archives.library, path, references=references)


def library_report(session: Session, sha256: str) -> list[Check]:
    """Return the report on a product, as far as it was made: see `jviz.library_quality`."""
    from jviz.backend.library.quality import kept_reports

    return kept_reports(session.archives.library, [sha256]).get(sha256, [])


def linked_paths(session: Session) -> list[Path]:
    """Return the folders that are linked to the library."""
    from jviz.backend.library.folders import linked_folders

    return [linked.path for linked in linked_folders(session.archives.library)] if is_begun() else []


def library_thumbnail(session: Session, sha256: str, path: Path, progress: Progress = silent) -> bytes | None:
    """Return the small picture of a file as PNG, made when there is none yet; None when there is nothing to draw."""
    from jviz.backend.library import thumbnails

    fresh = thumbnails.kept(sha256) is None
    picture = thumbnails.made(sha256, path, progress=progress) if path.is_file() else thumbnails.kept(sha256)
    if fresh and picture is not None:
        thumbnails.trimmed(round(session.settings["library.thumbnails_mb"] * MB))
    return picture.read_bytes() if picture is not None and picture.is_file() else None
