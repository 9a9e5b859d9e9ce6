"""The list of transfers in the database of the library, which all running programs share.

A transfer that waits or runs belongs to one program, which holds a lock of the operating system as long as it lives.
Every change is made in one transaction that looks first whose the transfer is: no program fetches, stops or marks what
another one that lives is fetching, and what a dead one left behind can be taken over.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from jviz.backend.archive.fetch import Stop, Wanted
from jviz.backend.archive.pace import Pace
from jviz.backend.locks import FileLock, is_locked
from jviz.backend.owners import lease_of, lives, new_owner

if TYPE_CHECKING:
    from jviz.backend.library.catalogue import Library

__all__ = ["INTERRUPTED", "OVER", "UNDER_WAY", "Ledger", "Transfer"]

OVER = ("done", "failed", "cancelled")
"""States in which nothing more happens by itself; the others are waiting, running and paused."""

UNDER_WAY = ("waiting", "running")
"""States in which a transfer belongs to a program."""

INTERRUPTED = "jviz ended before it was here"


@dataclass
class Transfer:
    """One file of the list.

    Attributes
    ----------
    number : int
    wanted : Wanted
    folder : Path
    state : {"waiting", "running", "paused", "done", "failed", "cancelled"}
    reason : str
        Why it failed, or was interrupted.
    path : Path or None
        Where it is, once it is done.
    done, total : int
        Bytes that are here, and that there will be (0: not known).
    received : int
        Bytes that came over the network for it, in the last try.
    added, ended : float
        When it was put on the list, and when it came to an end (0: not yet), in seconds since 1970.
    elsewhere : bool
        Another program that lives is at it.
    """

    number: int
    wanted: Wanted
    folder: Path
    state: str = "waiting"
    reason: str = ""
    path: Path | None = None
    done: int = 0
    total: int = 0
    received: int = 0
    added: float = 0.0
    ended: float = 0.0
    elsewhere: bool = False
    stop: Stop = field(default_factory=Stop, repr=False, compare=False)
    pace: Pace = field(default_factory=Pace, repr=False, compare=False)

    @property
    def host(self) -> str:
        """Where it comes from."""
        return urlsplit(self.wanted.url).netloc

    @property
    def speed(self) -> float:
        """Bytes per second, while it runs in this program."""
        return self.pace.speed() if self.state == "running" else 0.0


class Ledger:
    """The rows of the list.

    Parameters
    ----------
    library : Library
        Whose database has them.
    """

    def __init__(self, library: Library) -> None:
        self.library = library
        self.owner = new_owner()
        self._lease = FileLock(lease_of(library.path, self.owner))
        self._lease.path.parent.mkdir(exist_ok=True)
        for old in self._lease.path.parent.glob("*.lock"):
            _sweep(old)
        while not self._lease.take():
            time.sleep(0.01)  # somebody sweeps
        # Without locks on this file system, the numbers of processes have to tell who lives.
        self._has_locks = is_locked(self._lease.path)
        self.adopt()

    def close(self) -> None:
        """Let go of all that is this program's."""
        self._lease.give()

    def lives(self, owner: str) -> bool:
        """Whether the program of an owner still runs; this one included."""
        if owner == self.owner:
            return True
        return is_locked(lease_of(self.library.path, owner)) if self._has_locks else lives(owner)

    def adopt(self) -> None:
        """Take note of what programs that ended left behind: it is paused."""
        rows = self.library.ask("SELECT DISTINCT owner FROM transfer WHERE state IN ('waiting', 'running')")
        gone = [row["owner"] for row in rows if not self.lives(row["owner"])]
        if not gone:
            return
        sql = "UPDATE transfer SET state = 'paused', reason = ? WHERE owner = ? AND state IN ('waiting', 'running')"
        with self.library.writing() as database:
            database.executemany(sql, [(INTERRUPTED, owner) for owner in gone])

    # --- looking --------------------------------------------------------------------------------

    def newest(self, most: int, *, unfinished: bool = False) -> list[Transfer]:
        """Return the transfers, newest first: all that are unfinished, and so many of the others."""
        self.adopt()
        left = "state IN ('waiting', 'running', 'paused')"
        others = f"SELECT * FROM transfer WHERE NOT {left} ORDER BY id DESC LIMIT ?"
        # One question: asked after each other, one that ends in between would be among both, or among none.
        rows = self.library.ask(f"SELECT * FROM transfer WHERE {left} UNION ALL SELECT * FROM ({others}) "
                                "ORDER BY id DESC", (0 if unfinished else most,))  # fmt: skip
        return [self._of_row(row) for row in rows]

    def get(self, numbers: Sequence[int]) -> list[Transfer]:
        """Return transfers by their numbers, in that order; those that are not on the list are left out."""
        rows = self.library.ask("SELECT * FROM transfer WHERE id IN (SELECT value FROM json_each(?))",
                                (json.dumps([int(number) for number in numbers]),))  # fmt: skip
        if any(row["state"] in UNDER_WAY and not self.lives(row["owner"]) for row in rows):
            self.adopt()
            return self.get(numbers)
        found = {row["id"]: self._of_row(row) for row in rows}
        return [found[number] for number in numbers if number in found]

    def _of_row(self, row: sqlite3.Row) -> Transfer:
        wanted = Wanted(row["url"], row["name"], row["size"], row["md5"])
        elsewhere = row["state"] in UNDER_WAY and row["owner"] != self.owner
        return Transfer(row["id"], wanted, Path(row["folder"]), row["state"], row["reason"],
                        Path(row["path"]) if row["path"] else None, row["done"], row["size"], row["received"],
                        row["added"], row["ended"], elsewhere)  # fmt: skip

    # --- changing -------------------------------------------------------------------------------

    def put(self, files: Sequence[tuple[Wanted, Path]]) -> list[tuple[Transfer, bool]]:
        """Put files on the list for this program; of each return the transfer, and whether it is to begin now.

        One for the same place that is not over yet is taken instead; when another program is at it, it stays there.
        """
        self.adopt()
        with self.library.writing() as database:
            return [self._put(database, file, place) for file, place in files]

    def _put(self, database: sqlite3.Connection, file: Wanted, place: Path) -> tuple[Transfer, bool]:
        known = _row(database, "url = ? AND folder = ? AND state IN ('waiting', 'running', 'paused') ORDER BY id DESC",
                     (file.url, str(place)))  # fmt: skip
        if known is not None:
            transfer = self._of_row(known)
            return transfer, transfer.state == "paused" and self._take(database, transfer)
        now = time.time()
        number = database.execute(
            "INSERT INTO transfer(url, name, folder, size, md5, state, added, owner) "
            "VALUES (?, ?, ?, ?, ?, 'waiting', ?, ?)",
            (file.url, file.name, str(place), file.size, file.md5, now, self.owner),
        ).lastrowid  # fmt: skip
        assert number is not None
        return Transfer(number, file, place, total=file.size, added=now), True

    def take(self, transfer: Transfer) -> bool:
        """Make a transfer that is paused or over one of this program's, that waits; False when it is not to be had.

        Paths, sizes and reasons of an earlier end are forgotten.
        """
        self.adopt()
        with self.library.writing() as database:
            return self._take(database, transfer)

    def _take(self, database: sqlite3.Connection, transfer: Transfer) -> bool:
        changed = database.execute(
            "UPDATE transfer SET state = 'waiting', reason = '', path = '', received = 0, ended = 0, owner = ? "
            "WHERE id = ? AND state NOT IN ('waiting', 'running')", (self.owner, transfer.number)).rowcount  # fmt: skip
        if changed:
            transfer.state, transfer.reason, transfer.path, transfer.received = "waiting", "", None, 0
            transfer.ended, transfer.elsewhere = 0.0, False
        return bool(changed)

    def write(self, transfer: Transfer, *, sha256: str = "") -> bool:
        """Write down how one of this program's transfers is; False when it is not this program's any more.

        One that is done goes into the history, too.
        """
        with self.library.writing() as database:
            changed = database.execute(
                "UPDATE transfer SET state = ?, reason = ?, path = ?, done = ?, size = ?, received = ?, ended = ? "
                "WHERE id = ? AND owner = ?",
                (transfer.state, transfer.reason, str(transfer.path or ""), transfer.done, transfer.total,
                 transfer.received, transfer.ended, transfer.number, self.owner),
            ).rowcount  # fmt: skip
            if changed and transfer.state == "done":
                _remember(database, transfer, sha256)
        return bool(changed)

    def stop(self, transfer: Transfer, state: str) -> bool:
        """Pause or cancel a transfer that is this program's or nobody's; False when another program is at it."""
        self.adopt()
        ended = time.time() if state in OVER else 0.0
        with self.library.writing() as database:
            changed = database.execute(
                "UPDATE transfer SET state = ?, reason = '', done = ?, ended = ?, owner = ? "
                "WHERE id = ? AND (owner = ? OR state NOT IN ('waiting', 'running')) "
                "AND state IN ('waiting', 'running', 'paused')",
                (state, transfer.done, ended, self.owner, transfer.number, self.owner)).rowcount  # fmt: skip
        if changed:
            transfer.state, transfer.reason, transfer.ended = state, "", ended
        return bool(changed)

    def forget(self, numbers: Sequence[int]) -> None:
        """Take transfers that are over off the list; the history keeps those that came."""
        with self.library.writing() as database:
            database.executemany("DELETE FROM transfer WHERE id = ? AND state IN ('done', 'failed', 'cancelled')",
                                 [(number,) for number in numbers])  # fmt: skip


def _sweep(path: Path) -> None:
    """Take away what a program that was killed has left of its lock."""
    left = FileLock(path)
    with suppress(OSError):
        if left.take():
            left.give()


def _remember(database: sqlite3.Connection, transfer: Transfer, sha256: str) -> None:
    """Put what came into the history; what was here already is in it."""
    path = str(transfer.path)
    known = "SELECT 1 FROM download WHERE path = ? AND sha256 = ? LIMIT 1"
    if transfer.received or database.execute(known, (path, sha256)).fetchone() is None:
        database.execute(
            "INSERT INTO download(time, url, name, path, size, sha256, received) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (transfer.ended, transfer.wanted.url, transfer.wanted.name, path, transfer.total, sha256,
             transfer.received),
        )  # fmt: skip


def _row(database: sqlite3.Connection, where: str, values: Sequence[Any]) -> sqlite3.Row | None:
    return database.execute(f"SELECT * FROM transfer WHERE {where} LIMIT 1", values).fetchone()
