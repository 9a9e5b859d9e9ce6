"""Which program something in a database belongs to, and whether it still runs."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

__all__ = ["lease_of", "lives", "new_owner"]


def new_owner() -> str:
    """Return a name that nothing else has, of this process: its number, when it began, and something of its own."""
    return f"{os.getpid()} {_started(os.getpid())} {uuid.uuid4().hex}"


def lease_of(database: Path, owner: str) -> Path:
    """Return the file beside a database that an owner has a lock on as long as it lives."""
    return database.with_name("programs") / f"{(owner.split() or ['nobody'])[-1]}.lock"


def lives(owner: str) -> bool:
    """Whether the program of an owner still runs; another one with its number is not it."""
    pid, _, rest = str(owner).partition(" ")
    return pid.isdigit() and bool(rest) and _started(int(pid)) == int(rest.split()[0])


def _started(pid: int) -> int:
    """Return when a process began, 0 when there is none."""
    import psutil

    try:
        return int(psutil.Process(pid).create_time())
    except psutil.Error:
        return 0
