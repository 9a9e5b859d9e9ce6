"""How many downloads wait to go on: asked at the start of a program, so with as little as possible imported."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from jviz.backend.locks import is_locked
from jviz.backend.owners import lease_of

__all__ = ["interrupted"]

QUESTION = """
SELECT state, owner, count(*) FROM transfer
WHERE state IN ('waiting', 'running') OR (state = 'paused' AND reason <> '') GROUP BY state, owner
"""


def interrupted(library: Path) -> int:
    """Return how many transfers the end of a program has interrupted; 0 where there is no library yet.

    Parameters
    ----------
    library : Path
        Its database; it is only read.
    """
    if not library.is_file():
        return 0
    try:
        with closing(sqlite3.connect(f"{library.as_uri()}?mode=ro", uri=True, timeout=1.0)) as database:
            rows = database.execute(QUESTION).fetchall()
    except sqlite3.Error:
        return 0  # who opens the library will say what is wrong with it
    return sum(count for state, owner, count in rows if state == "paused" or not is_locked(lease_of(library, owner)))
