"""Commands on the list of downloads: look at it, pause, resume, cancel, try again, and tidy it."""

from __future__ import annotations

from typing import Any, Literal

from jviz.archive_transfers import LEFT, WORKING, numbers_of, transfer_rows, transfer_table
from jviz.archives import online
from jviz.backend.archive.ledger import OVER
from jviz.commands import command
from jviz.errors import CommandError
from jviz.session import Session

MENU = "Archive/Transfers"


@command("archive.transfers", title="List Transfers", menu=MENU, job=True, apart=True, group="list", icon="fa6s.list")
def transfers(
    session: Session,
    state: Literal["any", "waiting", "running", "paused", "done", "failed", "cancelled"] = "any",
) -> Any:
    """List the downloads, newest first: those under way, those that wait for better times, and those that ended.

    The list is shared by all jviz that are open, and outlives them.

    Parameters
    ----------
    state : str
        Only those in this state.

    Returns
    -------
    QTable
        ``number``, ``name``, ``host``, ``state``, the ``reason`` of a failure, ``size`` and ``done`` in bytes,
        ``speed`` in bytes per second, ``remaining`` in s, ``path`` (once it is done), ``folder``, ``url``, ``added``
        (UTC), and whether another jviz that is open is at it (``elsewhere``). The other commands on transfers take
        its rows.
    """
    return transfer_table(row for row in transfer_rows(session) if state in ("any", row.state))


@command("archive.pause", title="Pause Transfers", menu=MENU, job=True, apart=True, recorded=False, script=False,
         group="control", icon="fa6s.pause")  # fmt: skip
def pause(session: Session, transfers: Any = None) -> int:
    """Stop downloads for now; what came is kept, and archive.resume goes on with it.

    Parameters
    ----------
    transfers : QTable, Row, int, str or list, optional
        Rows of archive.transfers, their numbers, or names of files; without it all that wait or run.

    Returns
    -------
    int
        How many were stopped.
    """
    return _changed(session, "pause", transfers, WORKING)


@command("archive.resume", title="Resume Transfers", menu=MENU, job=True, apart=True, recorded=False, script=False,
         group="control", icon="fa6s.play")  # fmt: skip
def resume(session: Session, transfers: Any = None) -> int:
    """Go on with downloads that are paused, or were interrupted when jviz ended; no byte comes twice.

    Parameters
    ----------
    transfers : QTable, Row, int, str or list, optional
        Rows of archive.transfers, their numbers, or names of files, also those that failed or were cancelled;
        without it all that are paused.

    Returns
    -------
    int
        How many go on.
    """
    online(session)
    return _changed(session, "resume", transfers, ("paused",))


@command("archive.cancel", title="Cancel Transfers", menu=MENU, job=True, apart=True, recorded=False, script=False,
         group="control", icon="fa6s.xmark")  # fmt: skip
def cancel(session: Session, transfers: Any = None) -> int:
    """Give downloads up; what came is kept in case they are wanted again, and no other file is touched.

    Parameters
    ----------
    transfers : QTable, Row, int, str or list, optional
        Rows of archive.transfers, their numbers, or names of files; without it all that are not over.

    Returns
    -------
    int
        How many were given up.
    """
    return _changed(session, "cancel", transfers, LEFT)


@command("archive.retry", title="Retry Failed Transfers", menu=MENU, job=True, apart=True, recorded=False,
         script=False, group="control", icon="fa6s.rotate-right")  # fmt: skip
def retry(session: Session, transfers: Any = None) -> int:
    """Begin downloads that failed or were cancelled again, and fetch anew what is done but gone from its place.

    Parameters
    ----------
    transfers : QTable, Row, int, str or list, optional
        Rows of archive.transfers, their numbers, or names of files; without it all that failed.

    Returns
    -------
    int
        How many were begun.
    """
    online(session)
    return _changed(session, "resume", transfers, ("failed",))


@command("archive.clear_transfers", title="Clear Finished Transfers", menu=MENU, job=True, apart=True,
         recorded=False, script=False, group="tidy", icon="fa6s.broom")  # fmt: skip
def clear_transfers(session: Session, transfers: Any = None) -> int:
    """Take downloads that are over off the list; their files stay, and archive.history goes on knowing them.

    Parameters
    ----------
    transfers : QTable, Row, int, str or list, optional
        Rows of archive.transfers, their numbers, or names of files; without it all that are done, failed or cancelled.

    Returns
    -------
    int
        How many were taken off.
    """
    known = session.archives.transfers
    numbers = [t.number for t in known.get(numbers_of(session, transfers, OVER)) if t.state in OVER]
    known.forget(numbers)
    return len(numbers)


def _changed(session: Session, change: str, transfers: Any, states: tuple[str, ...]) -> int:
    """Pause, resume or cancel transfers.

    Raises
    ------
    CommandError
        When they were named, and another program is at all of them.
    """
    known = session.archives.transfers
    numbers = numbers_of(session, transfers, states)
    changed = getattr(known, change)(numbers)
    if transfers is not None and not changed:
        found = known.get(numbers)
        if found and all(transfer.elsewhere for transfer in found):
            raise CommandError(f"Another jviz that is open is fetching {found[0].wanted.name}: {change} it there.")
    return len(changed)
