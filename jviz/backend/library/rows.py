"""Rows of the library: written, taken out, and what is known of them kept when a file changes or moves."""

from __future__ import annotations

import sqlite3

from jviz.backend.library.footprints import vector
from jviz.backend.library.reading import Seen
from jviz.backend.library.records import Record
from jviz.backend.library.schema import COLUMNS

__all__ = ["former_row", "former_rows", "insert_row", "remove_row"]

TEXTS = ("target_name", "proposal_pi", "obs_title", "name")

KEPT = "id, added, source, root, pinned, used"
"""Columns that a file keeps whatever becomes of its bytes and its place."""


def insert_row(database: sqlite3.Connection, seen: Seen, root: int | None, source: str, now: float,
               former: sqlite3.Row | None = None) -> None:  # fmt: skip
    """Write what was read of a file.

    Parameters
    ----------
    root : int or None
        Number of the linked folder that it was found in.
    source : str
        Where it was fetched from; "": as was known.
    former : Row, optional
        Of the same file before it changed, or moved here (`former_row`): replaced by the new one.
    """
    record = seen.record
    assert record is not None
    kept = dict(former) if former is not None else {"added": now, "source": "", "pinned": 0, "used": 0.0}
    if former is not None:
        remove_row(database, former["id"])
    # A path is unique: what stood there before it was somebody else's is over.
    other = former_row(database, "path = ?", str(seen.path))
    if other is not None:
        remove_row(database, other["id"])
    values = {
        "path": str(seen.path), "name": seen.path.name, "size": seen.size, "mtime_ns": seen.mtime_ns,
        "sha256": seen.sha256, "state": "present", "seen": now, "added": kept["added"], "pinned": kept["pinned"],
        "used": kept["used"], "root": root,
        "source": source or kept["source"] or None,
        **{name: record.columns.get(name) for name in COLUMNS},
        "footprint": record.footprint.as_bytes() if record.footprint is not None else None,
        "header": seen.header,
    }  # fmt: skip
    marks = ", ".join("?" * len(values))
    row = database.execute(f"INSERT INTO file({', '.join(values)}) VALUES ({marks})", list(values.values())).lastrowid
    box = _box(record)
    if box is not None:
        database.execute("INSERT INTO foot VALUES (?, ?, ?, ?, ?, ?, ?)", (row, *box))
    database.execute(f"INSERT INTO words(rowid, {', '.join(TEXTS)}) VALUES (?, ?, ?, ?, ?)",
                     (row, *(values[name] or "" for name in TEXTS)))  # fmt: skip
    database.executemany("INSERT INTO edge VALUES (?, ?, ?, ?)", [(row, *member) for member in record.members])


def _box(record: Record) -> tuple[float, ...] | None:
    """Return the limits of what is searched by place: of the footprint, or of the position when there is none."""
    if record.footprint is not None:
        return record.footprint.box
    ra, dec = record.columns.get("s_ra"), record.columns.get("s_dec")
    if ra is None or dec is None:
        return None
    return tuple(float(v) for number in vector(ra, dec) for v in (number - 1e-7, number + 1e-7))


def former_rows(database: sqlite3.Connection, where: str, *values: object) -> list[sqlite3.Row]:
    """Return the rows that fit a condition, with what a file keeps."""
    return database.execute(f"SELECT {KEPT}, path FROM file WHERE {where}", values).fetchall()


def former_row(database: sqlite3.Connection, where: str, *values: object) -> sqlite3.Row | None:
    """Return the first of them."""
    return next(iter(former_rows(database, where, *values)), None)


def remove_row(database: sqlite3.Connection, row: int) -> None:
    """Take a row out, and all that is found by it."""
    texts = database.execute(f"SELECT {', '.join(TEXTS)} FROM file WHERE id = ?", (row,)).fetchone()
    database.execute(f"INSERT INTO words(words, rowid, {', '.join(TEXTS)}) VALUES ('delete', ?, ?, ?, ?, ?)",
                     (row, *(text or "" for text in texts)))  # fmt: skip
    database.execute("DELETE FROM foot WHERE id = ?", (row,))
    database.execute("DELETE FROM edge WHERE child = ?", (row,))
    database.execute("DELETE FROM file WHERE id = ?", (row,))
