"""What a session does about messages of other programs."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from jviz.errors import JvizError

if TYPE_CHECKING:
    from pathlib import Path

    from jviz.backend.samp.connection import Received
    from jviz.backend.samp.messages import Load
    from jviz.jobs import Job

__all__ = ["receive"]

READERS = {"image.load.fits": "fits", "table.load.fits": "fits", "table.load.votable": "votable"}
"""Readers by message: a file is read as what the sender says it is, and never as a session, which names others."""


def receive(session: Any, received: Received) -> None:
    """Do what a message asks for (called in a thread of the connection)."""
    from jviz.backend.samp.messages import Load, Point, Rows

    who, meaning = received.sender.name, received.meaning
    try:
        if isinstance(meaning, Load):
            session.jobs.submit(f"{meaning.name} from {who}", partial(_open, session, received, meaning), apart=True)
        elif isinstance(meaning, Rows):
            # Here, for a hundred thousand of them would hold up the window.
            rows = np.unique(np.array(meaning.rows, np.int64))
            session.dispatcher.call(lambda: received.answer(session.samp.tables.take(meaning, rows, who)))
        elif isinstance(meaning, Point):
            session.dispatcher.call(lambda: received.answer(_follow(session, meaning, who)))
        else:
            session.notice("warning", f"{who} sent a message that cannot be used: {received.problem}.")
            received.answer(received.problem)
    except JvizError as error:
        received.answer(str(error))  # the session is being closed


def _open(session: Any, received: Received, load: Load, job: Job) -> None:
    """Bring a file here and open it; then say so, to the user and to the sender."""
    who = received.sender.name
    try:
        data = _opened(session, received.sender.id, load, job)
    except Exception as error:
        received.answer(str(error))
        session.notice("error", f"{who} sent {load.name}, which was not opened: {error}")
        raise
    received.answer("")
    session.notice("info", f"{who} sent {', '.join(one.name for one in data)}.")


def _opened(session: Any, sender: str, load: Load, job: Job) -> list[Any]:
    from jviz.backend.cache import home
    from jviz.backend.samp.fetching import bring, is_near

    if session.settings["network.offline"] and not is_near(load.url):
        raise JvizError("You work offline, and it lies on the network.")
    most = int(session.settings["samp.limit_mb"] * 1e6)
    path = bring(load.url, home("data") / "received", mtype=load.mtype, most=most, progress=job.report)
    arguments = {"paths": [str(path)], "reader": _reader(load, path), "name": load.name}
    opening = session.dispatcher.ask(lambda: session.submit("file.open", **arguments), unless=lambda: job.cancel_wanted)
    job.when_cancelled(opening.cancel)
    data = opening.result()
    session.dispatcher.ask(partial(_share, session, sender, load, data))
    return data


def _reader(load: Load, path: Path) -> str | None:
    from jviz.session_file import is_session_file

    if load.mtype in READERS:
        return READERS[load.mtype]
    if is_session_file(path):
        raise JvizError(f"{path.name} is a session of jviz and no {load.what}. Open it yourself if you trust it.")
    return None


def _share(session: Any, sender: str, load: Load, data: list[Any]) -> None:
    """Remember how the sender speaks of a table."""
    table = next((one for one in data if one.kind == "catalog"), None)
    if table is not None:
        session.samp.tables.share(table, load.url, {load.id or load.url: {sender}})


def _follow(session: Any, point: Any, who: str) -> str:
    """Centre the images on a place that another program points at."""
    if not session.settings["samp.follow_positions"]:
        return "jviz does not follow positions (samp.follow_positions)"
    session.notice("status", f"{who} points at {point.ra:.5f} {point.dec:+.5f}.")
    if any("image" in view.kinds() for view in session.views.values()):
        session.submit("image.show_place", position=f"{point.ra!r} {point.dec!r}")
    return ""
