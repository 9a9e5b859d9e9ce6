"""The list of downloads as people see it: one row for each transfer, and what all of them come to."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jviz.errors import CommandError

if TYPE_CHECKING:
    from astropy.table import QTable

    from jviz.backend.archive.transfers import Transfer

__all__ = ["Totals", "TransferRow", "numbers_of", "path_of", "totals_of", "transfer_rows", "transfer_table"]

WORKING = ("waiting", "running")
LEFT = (*WORKING, "paused")


@dataclass(frozen=True)
class TransferRow:
    """One transfer at a moment.

    Attributes
    ----------
    number : int
    name, host, url : str
    folder : str
        Where the file will be.
    state : {"waiting", "running", "paused", "done", "failed", "cancelled"}
    reason : str
        Why it failed, or was interrupted.
    path : str
        Where it is, once it is done.
    done, size : int
        Bytes that are here, and that there will be (0: not known).
    speed : float
        Bytes per second.
    added, ended : float
        Seconds since 1970; ``ended`` is 0 while it is not over.
    elsewhere : bool
        Another jviz that is open is at it.
    """

    number: int
    name: str
    host: str
    url: str
    folder: str
    state: str
    reason: str
    path: str
    done: int
    size: int
    speed: float
    added: float
    ended: float
    elsewhere: bool

    @property
    def share(self) -> float | None:
        """How much of it is here, 0 to 1; None when nobody knows."""
        if self.state == "done":
            return 1.0
        return min(self.done / self.size, 1.0) if self.size else None

    @property
    def remaining(self) -> float | None:
        """Seconds until it is here, at the present speed; None when nobody knows."""
        return (self.size - self.done) / self.speed if self.speed and self.size >= self.done > 0 else None

    @property
    def interrupted(self) -> bool:
        """Whether it stopped because jviz ended, and not because somebody paused it."""
        return self.state == "paused" and bool(self.reason)


@dataclass(frozen=True)
class Totals:
    """What transfers come to.

    Attributes
    ----------
    counts : dict of str to int
        How many are in each state.
    done, size : int
        Bytes of those that are not over, and of those that ended since the first of them was put on the list.
    speed : float
        Bytes per second.
    unknown : bool
        Whether the size of one that is not over is not known.
    """

    counts: dict[str, int]
    done: int
    size: int
    speed: float
    unknown: bool

    @property
    def remaining(self) -> float | None:
        """Seconds until all is here, at the present speed; None when nobody knows."""
        return (self.size - self.done) / self.speed if self.speed and not self.unknown else None


def transfer_rows(session: Any, *, most: int = 2_000) -> list[TransferRow]:
    """Return the list of downloads, newest first: all that are not over, and so many of the others."""
    return [_row_of(transfer) for transfer in session.archives.transfers.listed(most=most)]


def _row_of(transfer: Transfer) -> TransferRow:
    wanted = transfer.wanted
    return TransferRow(
        transfer.number, wanted.name, transfer.host, wanted.url, str(transfer.folder), transfer.state,
        transfer.reason, str(transfer.path or ""), transfer.done, transfer.total, transfer.speed,
        transfer.added, transfer.ended, transfer.elsewhere,
    )  # fmt: skip


def totals_of(rows: Sequence[TransferRow]) -> Totals:
    """Add up transfers."""
    counts: dict[str, int] = {}
    for row in rows:
        counts[row.state] = counts.get(row.state, 0) + 1
    left = [row for row in rows if row.state in LEFT]
    begun = min((row.added for row in left), default=math.inf)
    together = [row for row in rows if row.state in LEFT or (row.state == "done" and row.added >= begun)]
    working = [row for row in left if row.state in WORKING]
    return Totals(counts, sum(row.done for row in together), sum(max(row.size, row.done) for row in together),
                  sum(row.speed for row in working), any(not row.size for row in working))  # fmt: skip


def transfer_table(rows: Iterable[TransferRow]) -> QTable:
    """Return transfers as a table with units; what nobody knows is masked."""
    import numpy as np
    from astropy import units as u
    from astropy.table import MaskedColumn, QTable
    from astropy.time import Time
    from astropy.utils.masked import Masked

    rows = list(rows)
    table = QTable()
    table["number"] = np.array([row.number for row in rows], int)
    for name in ("name", "host", "state", "reason"):
        table[name] = np.array([getattr(row, name) for row in rows], str)
    sizes = np.array([row.size for row in rows], float)
    table["size"] = Masked(sizes, mask=sizes == 0) * u.byte
    table["done"] = np.array([row.done for row in rows], float) * u.byte
    table["speed"] = np.array([row.speed for row in rows], float) * (u.byte / u.s)
    left = np.array([np.nan if row.remaining is None else row.remaining for row in rows], float)
    table["remaining"] = Masked(left, mask=np.isnan(left)) * u.s
    table["path"] = MaskedColumn([row.path for row in rows], mask=[not row.path for row in rows], dtype=str)
    for name in ("folder", "url"):
        table[name] = np.array([getattr(row, name) for row in rows], str)
    table["added"] = Time(np.array([row.added for row in rows], float), format="unix", precision=0).isot
    table["elsewhere"] = np.array([row.elsewhere for row in rows], bool)
    return table


def numbers_of(session: Any, transfers: Any, states: Sequence[str]) -> list[int]:
    """Return the numbers of the transfers that are meant.

    Parameters
    ----------
    transfers : None, QTable, Row, int, str or list
        Rows of archive.transfers, numbers, or names of files; None: all that are in one of the ``states``.

    Raises
    ------
    CommandError
        When one of them is not on the list.
    """
    from jviz.backend.searching import cells, several

    rows = {row.number: row for row in transfer_rows(session, most=1_000_000)}
    if transfers is None:
        return [row.number for row in rows.values() if row.state in states and not row.elsewhere]
    given = cells(transfers, "number")
    found: list[int] = []
    for item in several(transfers) if given is None else given:
        if isinstance(item, str) and not item.isdigit():
            named = [row.number for row in rows.values() if row.name == item]
        else:
            named = [int(item)] if int(item) in rows else []
        if not named:
            raise CommandError(f"There is no transfer {item!r}; archive.transfers lists those there are.")
        found += named
    return found


def path_of(row: TransferRow) -> Path | None:
    """Return the file of a transfer, None when it is not there (any more)."""
    path = Path(row.path) if row.path else None
    return path if path is not None and path.is_file() else None
