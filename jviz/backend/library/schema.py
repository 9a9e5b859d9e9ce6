"""The database of the library: its tables, and how older ones are brought up to date."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from jviz.backend.databases import open_database
from jviz.errors import JvizError

__all__ = ["COLUMNS", "VERSION", "connect"]

COLUMNS = {
    "obs_collection": "TEXT", "obs_id": "TEXT", "instrument_name": "TEXT", "filters": "TEXT", "target_name": "TEXT",
    "proposal_id": "TEXT", "proposal_pi": "TEXT", "obs_title": "TEXT", "dataproduct_type": "TEXT",
    "calib_level": "INTEGER", "suffix": "TEXT", "exp_type": "TEXT", "detector": "TEXT", "grating": "TEXT",
    "s_ra": "REAL", "s_dec": "REAL", "t_min": "REAL", "t_max": "REAL", "t_exptime": "REAL", "date_obs": "TEXT",
    "s_region": "TEXT", "cal_ver": "TEXT", "crds_ctx": "TEXT",
}  # fmt: skip
"""What is kept of a product: the names of ObsCore where it has one."""

_FIRST = f"""
CREATE TABLE root(id INTEGER PRIMARY KEY, path TEXT UNIQUE NOT NULL, managed INTEGER NOT NULL DEFAULT 0);
CREATE TABLE file(
    id INTEGER PRIMARY KEY, path TEXT UNIQUE NOT NULL, name TEXT NOT NULL, size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL, sha256 TEXT, state TEXT NOT NULL DEFAULT 'present', root INTEGER REFERENCES root(id),
    added REAL NOT NULL, seen REAL NOT NULL, source TEXT, pinned INTEGER NOT NULL DEFAULT 0,
    {", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())}, footprint BLOB, header BLOB
);
CREATE INDEX file_sha256 ON file(sha256);
CREATE INDEX file_name ON file(name);
CREATE INDEX file_state ON file(state);
CREATE INDEX file_time ON file(t_min);
CREATE INDEX file_instrument ON file(instrument_name, filters);
CREATE VIRTUAL TABLE foot USING rtree(id, x0, x1, y0, y1, z0, z1);
CREATE VIRTUAL TABLE words USING fts5(target_name, proposal_pi, obs_title, name, content='');
CREATE TABLE edge(child INTEGER NOT NULL REFERENCES file(id) ON DELETE CASCADE, name TEXT NOT NULL, role TEXT NOT NULL,
    step TEXT NOT NULL DEFAULT '');
CREATE INDEX edge_child ON edge(child);
CREATE INDEX edge_name ON edge(name);
CREATE TABLE tag(sha256 TEXT NOT NULL, tag TEXT NOT NULL, PRIMARY KEY(sha256, tag)) WITHOUT ROWID;
CREATE TABLE note(sha256 TEXT PRIMARY KEY, note TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE refused(path TEXT PRIMARY KEY, reason TEXT NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    seen REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE answer(question TEXT PRIMARY KEY, time REAL NOT NULL, total INTEGER NOT NULL, votable BLOB NOT NULL)
    WITHOUT ROWID;
"""

_SEARCHES = """
DROP TABLE answer;
CREATE TABLE answer(question TEXT PRIMARY KEY, time REAL NOT NULL, total INTEGER NOT NULL, columns BLOB NOT NULL)
    WITHOUT ROWID;
CREATE TABLE search(name TEXT PRIMARY KEY, question TEXT NOT NULL, time REAL NOT NULL, seen TEXT NOT NULL)
    WITHOUT ROWID;
"""

_TRANSFERS = """
CREATE TABLE transfer(
    id INTEGER PRIMARY KEY, url TEXT NOT NULL, name TEXT NOT NULL, folder TEXT NOT NULL, size INTEGER NOT NULL,
    md5 TEXT NOT NULL DEFAULT '', state TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '', path TEXT NOT NULL DEFAULT '',
    done INTEGER NOT NULL DEFAULT 0, received INTEGER NOT NULL DEFAULT 0, added REAL NOT NULL,
    ended REAL NOT NULL DEFAULT 0, owner TEXT NOT NULL
);
CREATE INDEX transfer_state ON transfer(state);
"""

_DOWNLOADS = """
CREATE INDEX transfer_url ON transfer(url);
CREATE TABLE download(
    id INTEGER PRIMARY KEY, time REAL NOT NULL, url TEXT NOT NULL, name TEXT NOT NULL, path TEXT NOT NULL,
    size INTEGER NOT NULL, sha256 TEXT NOT NULL DEFAULT '', received INTEGER NOT NULL
);
CREATE INDEX download_time ON download(time);
INSERT INTO download(time, url, name, path, size, sha256, received)
    SELECT ended, url, transfer.name, transfer.path, transfer.size, coalesce(sha256, ''), received
    FROM transfer LEFT JOIN file ON file.path = transfer.path WHERE transfer.state = 'done' ORDER BY ended;
"""

_KEEPING = """
ALTER TABLE file ADD COLUMN used REAL NOT NULL DEFAULT 0;
ALTER TABLE file ADD COLUMN was TEXT NOT NULL DEFAULT '';
CREATE INDEX file_root ON file(root);
"""

_BASKET = """
CREATE TABLE basket(uri TEXT PRIMARY KEY, product TEXT NOT NULL, added REAL NOT NULL) WITHOUT ROWID;
"""

_STEPS = """
DELETE FROM answer;
"""
"""Answers are written in another way from here on; they are kept for an hour only."""

_HERE = """
CREATE INDEX download_url ON download(url);
CREATE INDEX file_observation ON file(obs_id);
"""

_QUALITY = """
CREATE TABLE quality(sha256 TEXT PRIMARY KEY, verdict TEXT NOT NULL, checks TEXT NOT NULL, made REAL NOT NULL)
    WITHOUT ROWID;
"""

MIGRATIONS = (_FIRST, _SEARCHES, _TRANSFERS, _DOWNLOADS, _KEEPING, _BASKET, _STEPS, _HERE, _QUALITY)
"""What brings a database from each version to the next."""

VERSION = len(MIGRATIONS)


def connect(path: Path) -> sqlite3.Connection:
    """Open the database, made or brought up to date where needed.

    Raises
    ------
    JvizError
        When it cannot be opened, is damaged, or was written by a newer jviz.
    """
    try:
        database = open_database(path)
    except (OSError, sqlite3.Error) as error:
        raise _unusable(path, error) from error
    try:
        _migrate(database, path)
    except BaseException as error:
        database.close()
        if isinstance(error, sqlite3.Error):
            raise _unusable(path, error) from error
        raise
    database.row_factory = sqlite3.Row
    return database


def _unusable(path: Path, error: Exception) -> JvizError:
    return JvizError(f"The library {path} cannot be opened: {error}. Move it away to begin a new one; "
                     "the files themselves are untouched.")  # fmt: skip


def _migrate(database: sqlite3.Connection, path: Path) -> None:
    version = database.execute("PRAGMA user_version").fetchone()[0]
    if version > VERSION:
        raise JvizError(f"The library {path} was written by a newer jviz. Use that one, or move the file away.")
    if version == VERSION:
        return
    # One transaction with its version: a program killed in between leaves the former one whole. What is missing is
    # asked within it, for another program that began at the same time may have done it meanwhile.
    database.execute("BEGIN IMMEDIATE")
    version = database.execute("PRAGMA user_version").fetchone()[0]
    for statement in "".join(MIGRATIONS[version:]).split(";"):
        database.execute(statement)
    database.execute(f"PRAGMA user_version = {max(version, VERSION)}")
    database.execute("COMMIT")
