"""The queue of calibrations: a small database, so that what waits or was cut off is known after a restart."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jviz.backend.databases import open_database
from jviz.backend.files import is_full
from jviz.backend.owners import lives, new_owner
from jviz.errors import JvizError

__all__ = ["Entry", "Queue"]

TABLE = """
CREATE TABLE IF NOT EXISTS run(
    id TEXT PRIMARY KEY, title TEXT NOT NULL, request TEXT NOT NULL, priority INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL, folder TEXT NOT NULL DEFAULT '', error TEXT NOT NULL DEFAULT '', owner TEXT NOT NULL,
    created REAL NOT NULL, ended REAL
);
"""
MOST = 1000
"""Ended runs that are remembered."""


@dataclass(frozen=True)
class Entry:
    """One run in the queue.

    Attributes
    ----------
    request : dict
        Arguments of the command ``calibration.run`` that makes it again.
    state : str
        queued, running, done, failed, cancelled, or interrupted (its program ended meanwhile).
    """

    id: str
    title: str
    request: dict[str, Any]
    priority: int
    state: str
    folder: str
    error: str
    created: float
    ended: float | None


class Queue:
    """One database; may be used from several threads and programs.

    Parameters
    ----------
    path : Path
        Made when it is missing.

    Raises
    ------
    JvizError
        When it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._lock, self._owner, self._folder = threading.RLock(), new_owner(), path.parent
        self._database = _connected(path)
        self._database.row_factory = sqlite3.Row
        weakref.finalize(self, self._database.close)
        self._find_interrupted()

    def close(self) -> None:
        """Let go of the database."""
        with self._lock:
            self._database.close()

    def add(self, id: str, title: str, request: Mapping[str, Any], priority: int = 0) -> None:
        """Put a run at the end of those of its priority."""
        self._do("INSERT INTO run(id, title, request, priority, state, owner, created) VALUES (?, ?, ?, ?, ?, ?, ?)",
                 id, title, json.dumps(dict(request)), priority, "queued", self._owner, time.time())  # fmt: skip
        self._do("DELETE FROM run WHERE ended IS NOT NULL AND id NOT IN "
                 "(SELECT id FROM run WHERE ended IS NOT NULL ORDER BY ended DESC LIMIT ?)", MOST)  # fmt: skip

    def set(self, id: str, state: str, *, folder: str = "", error: str = "") -> None:
        """Note what became of a run."""
        ended = None if state in ("queued", "running") else time.time()
        self._do("UPDATE run SET state = ?, folder = ?, error = ?, ended = ?, owner = ? WHERE id = ?",
                 state, folder, error, ended, self._owner, id)  # fmt: skip

    def forget(self, id: str) -> None:
        """Take a run out; its folder stays."""
        self._do("DELETE FROM run WHERE id = ?", id)

    def entries(self, *states: str) -> list[Entry]:
        """Return the runs, or those in some states: by priority, then in the order in which they came."""
        where = f"WHERE state IN ({', '.join('?' * len(states))})" if states else ""
        rows = self._do(f"SELECT * FROM run {where} ORDER BY priority DESC, created, rowid", *states)
        return [
            Entry(r["id"], r["title"], json.loads(r["request"]), r["priority"], r["state"], r["folder"], r["error"],
                  r["created"], r["ended"])
            for r in rows
        ]  # fmt: skip

    def _find_interrupted(self) -> None:
        rows = self._do("SELECT DISTINCT owner FROM run WHERE state IN ('queued', 'running')")
        for owner in {row["owner"] for row in rows}:
            if not lives(owner):
                self._do("UPDATE run SET state = 'interrupted' WHERE state IN ('queued', 'running') AND owner = ?",
                         owner)  # fmt: skip

    def _do(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        with self._lock:
            try:
                return self._database.execute(sql, values).fetchall()
            except sqlite3.Error as error:
                hint = f" Free some space on the disk of {self._folder}." if is_full(error) else ""
                raise JvizError(f"The queue of calibrations cannot be used: {error}.{hint}") from error


def _connected(path: Path) -> sqlite3.Connection:
    database = None
    try:
        database = open_database(path)
        database.executescript(TABLE)
    except (OSError, sqlite3.Error) as error:
        if database is not None:
            database.close()
        raise JvizError(f"The queue of calibrations {path} cannot be opened: {error}. Move it away.") from error
    return database
