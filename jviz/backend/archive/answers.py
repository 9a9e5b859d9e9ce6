"""Answers of archives, kept for a while, and searches that are kept for ever: in the database of the library."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from astropy.table import MaskedColumn, Table

from jviz.backend.archive.gently import packed, unpacked
from jviz.backend.library.catalogue import Library
from jviz.errors import JvizError

__all__ = ["Kept", "Saved", "forget_search", "identities", "keep", "kept", "key_of", "newly_found",
           "packed_table", "save_search",
           "saved_searches", "unpacked_table"]  # fmt: skip

MOST_BYTES = 200_000_000
"""Of all kept answers; the oldest go first."""

STEP = 1_000
"""Rows of a column that are written and read at a time."""

IDS = ("obsid", "obs_publisher_did", "sha256", "fileSetName", "obs_id", "source_id", "access_url", "name")
"""Columns that tell rows of an answer from one another, the best first."""


@dataclass(frozen=True)
class Kept:
    """An answer that was kept: its rows, for `unpacked_table`, how many there were in all, and when it came (seconds
    since 1970)."""

    content: bytes
    total: int
    time: float


@dataclass(frozen=True)
class Saved:
    """A saved search: what it asks, when it was run last, and the rows that were seen then."""

    name: str
    question: dict[str, Any]
    time: float
    seen: frozenset[str]


def key_of(question: Mapping[str, Any]) -> str:
    """Return a question as a text that is the same for the same question."""
    return json.dumps(question, sort_keys=True, default=str)


def keep(library: Library, question: Mapping[str, Any], content: bytes, total: int) -> None:
    """Keep an answer, in the place of an earlier one; its rows are given by `packed_table`."""
    with library.writing() as database:
        database.execute("INSERT OR REPLACE INTO answer VALUES (?, ?, ?, ?)",
                         (key_of(question), time.time(), int(total), content))  # fmt: skip
        database.execute(
            "DELETE FROM answer WHERE question IN (SELECT question FROM (SELECT question, "
            "sum(length(columns)) OVER (ORDER BY time DESC, question) AS size FROM answer) WHERE size > ?)",
            (MOST_BYTES,),
        )


def kept(library: Library, question: Mapping[str, Any], *, newer_than: float = 0.0) -> Kept | None:
    """Return an answer that came after a time (seconds since 1970), None when there is none."""
    rows = library.ask("SELECT time, total, columns FROM answer WHERE question = ? AND time >= ?",
                       (key_of(question), newer_than))  # fmt: skip
    return Kept(bytes(rows[0]["columns"]), rows[0]["total"], rows[0]["time"]) if rows else None


def packed_table(table: Table) -> bytes:
    """Write columns as JSON, each as a line about it and some with its values: read by anybody, and never run."""

    def lines() -> Iterator[str]:
        for name in table.colnames:
            column = table[name]
            values = np.ma.getdata(column)
            mask = np.ma.getmaskarray(column) if hasattr(column, "mask") else None
            yield json.dumps({"name": name, "unit": str(column.unit or ""), "type": values.dtype.str,
                              "about": column.description, "rows": len(values), "masked": mask is not None},
                             default=str)  # fmt: skip
            for at in range(0, len(values), STEP):
                missing = [] if mask is None else np.flatnonzero(mask[at : at + STEP]).tolist()
                yield json.dumps([values[at : at + STEP].tolist(), missing], default=str)

    return packed(lines())


def unpacked_table(content: bytes) -> Table:
    """Read what `packed_table` wrote."""
    table, lines = Table(), unpacked(content)
    for line in lines:
        about = json.loads(line)
        values, mask = _column(about, lines)
        column = values if mask is None else MaskedColumn(values, mask=mask, copy=False)
        table.add_column(column, name=about["name"], copy=False)
        table[about["name"]].unit = about["unit"] or None
        table[about["name"]].description = about["about"]
    return table


def _column(about: Mapping[str, Any], lines: Iterator[str]) -> tuple[np.ndarray, np.ndarray | None]:
    """Read the values of a column, and where there are none; None when all are there."""
    kind, count = np.dtype(about["type"]), about["rows"]
    values = np.empty(count, kind if kind.kind in "iufbUM" else object)
    mask = np.zeros(count, bool) if about["masked"] else None
    for at in range(0, count, STEP):
        some, missing = json.loads(next(lines))
        values[at : at + STEP] = some
        if mask is not None:
            mask[at + np.array(missing, int)] = True
    return (values if kind.kind in "iufbUM" else np.array(values.tolist())), mask


# --- saved searches ---------------------------------------------------------------------------------


def identities(table: Any) -> list[str]:
    """Return for each row a text that tells it from the others, also in the next answer."""
    name = next((name for name in IDS if name in table.colnames), None)
    if name is not None:
        return texts_of(table[name])
    return [" ".join(row) for row in zip(*(texts_of(table[name]) for name in table.colnames), strict=True)]


def texts_of(column: Any) -> list[str]:
    """Return the values of a column as texts; "--" where there is none."""
    plain = getattr(column, "unmasked", column)
    values = np.asarray(np.ma.getdata(getattr(plain, "value", plain)))
    if values.ndim != 1 or values.dtype.kind not in "biufU":
        return [str(value) for value in column]
    found = values.astype(str).tolist()
    for row in np.flatnonzero(np.ma.getmaskarray(column) if plain is column else np.asarray(column.mask)).tolist():
        found[row] = "--"
    return found


def newly_found(library: Library, saved: str, seen: frozenset[str], table: Any) -> np.ndarray:
    """Return which rows a saved search had not found before, and take note that they were seen."""
    ids = identities(table)
    for search in saved_searches(library):
        if search.name == saved:
            save_search(library, saved, search.question, frozenset(ids))
    return np.array([text not in seen for text in ids], bool)


def save_search(library: Library, name: str, question: Mapping[str, Any], seen: frozenset[str] | None = None) -> None:
    """Keep a search under a name, with the rows that have been seen; without them nothing has been."""
    if not name.strip():
        raise JvizError("A saved search needs a name.")
    with library.writing() as database:
        database.execute("INSERT OR REPLACE INTO search VALUES (?, ?, ?, ?)",
                         (name.strip(), key_of(question), time.time(), json.dumps(sorted(seen or ()))))  # fmt: skip


def saved_searches(library: Library) -> list[Saved]:
    """Return the saved searches by name."""
    rows = library.ask("SELECT name, question, time, seen FROM search ORDER BY name COLLATE NOCASE")
    return [Saved(row["name"], json.loads(row["question"]), row["time"], frozenset(json.loads(row["seen"])))
            for row in rows]  # fmt: skip


def forget_search(library: Library, name: str) -> None:
    """Forget a saved search.

    Raises
    ------
    JvizError
        When there is none of that name.
    """
    with library.writing() as database:
        if not database.execute("DELETE FROM search WHERE name = ?", (name,)).rowcount:
            raise JvizError(f"There is no saved search {name!r}.")
