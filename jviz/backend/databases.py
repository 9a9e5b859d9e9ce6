"""Databases of SQLite that several threads and programs write to at the same time."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

__all__ = ["open_database"]

PATIENCE = 30.0
"""Seconds that another program may keep a database to itself."""

GLANCE = 0.01


def open_database(path: Path) -> sqlite3.Connection:
    """Open a database, made with its folder where it is missing, for any thread and with a log of what is written.

    Raises
    ------
    OSError, sqlite3.Error
        When it cannot be opened, or is none.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    database = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
    try:
        _keep_log(database)
        database.executescript("PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;")
    except BaseException:
        database.close()
        raise
    return database


def _keep_log(database: sqlite3.Connection) -> None:
    """Turn to a write-ahead log; where another turns to it at the same time, SQLite does not wait by itself."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            database.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
        time.sleep(GLANCE)
