"""Commands that speak with other programs through SAMP: TOPCAT, DS9, Aladin and the like."""

from __future__ import annotations

from typing import Any

from jviz.actions.catalog import chosen_rows
from jviz.backend.progress import Progress
from jviz.commands import command
from jviz.data import Catalog, Data
from jviz.errors import CommandError
from jviz.session import Session
from jviz.views import ImageView

MENU = "Interop"


@command("samp.connect", title="Connect", menu=MENU, job=True, apart=True, recorded=False, script=False, group="link",
         icon="fa6s.plug")  # fmt: skip
def connect(session: Session) -> None:
    """Connect to the other programs of this desktop, through the SAMP hub.

    Raises
    ------
    JvizError
        When there is no hub and jviz may start none (the setting ``samp.own_hub``).
    """
    session.samp.connect()


@command("samp.disconnect", title="Disconnect", menu=MENU, job=True, apart=True, recorded=False, script=False,
         group="link", icon="fa6s.plug-circle-xmark")  # fmt: skip
def disconnect(session: Session) -> None:
    """End the connection to other programs; a hub of jviz's own ends too."""
    session.samp.disconnect()


@command("samp.clients", title="List Programs", menu=MENU, job=True, apart=True, script=False, group="link",
         icon="fa6s.list")  # fmt: skip
def clients(session: Session) -> Any:
    """List the other programs at the SAMP hub and the messages that they understand.

    Returns
    -------
    QTable
        ``id``, ``name``, ``about`` and ``takes`` of each.
    """
    from astropy.table import QTable

    partners = session.samp.connection.partners
    rows = [(p.id, p.name, p.about, " ".join(sorted(p.takes))) for p in partners]
    names = ("id", "name", "about", "takes")
    return QTable(rows=rows or None, names=names, dtype=None if rows else ("U1",) * 4)


@command("samp.pages", title="List Pages", menu=MENU, job=True, apart=True, script=False, group="pages")
def pages(session: Session) -> Any:
    """List the pages in a browser that ask to be let in, and those that were (the setting ``samp.web_pages``).

    Returns
    -------
    QTable
        ``page``, ``name``, ``origin`` (where it comes from) and ``state``: "asks" or "in".
    """
    from astropy.table import QTable

    samp = session.samp
    rows = [(str(one.number), one.name, one.origin, "asks") for one in samp.waiting]
    rows += [(one.id, one.name, one.origin, "in") for one in samp.partners if one.origin]
    names = ("page", "name", "origin", "state")
    return QTable(rows=rows or None, names=names, dtype=None if rows else ("U1",) * 4)


@command("samp.admit_page", title="Let Page In…", menu=MENU, recorded=False, script=False, group="pages")
def admit_page(session: Session, page: str) -> None:
    """Let a page in a browser connect to jviz and the programs here.

    Parameters
    ----------
    page : str
        One that asks, as samp.pages lists it: its number, or where it comes from.
    """
    session.samp.answer_page(_knock(session, page).number, True)


@command("samp.refuse_page", title="Keep Page Out…", menu=MENU, job=True, apart=True, recorded=False, script=False,
         group="pages")  # fmt: skip
def refuse_page(session: Session, page: str) -> None:
    """Keep out a page that asks to be let in, and all from there until jviz connects anew; or end one that is in.

    Parameters
    ----------
    page : str
        As samp.pages lists it.
    """
    inside = next((one for one in session.samp.partners if one.origin and page in (one.id, one.name, one.origin)), None)
    if inside is None or not session.samp.end_page(inside.id):
        session.samp.answer_page(_knock(session, page).number, False)


def _knock(session: Session, page: str) -> Any:
    """Return a page that asks to be let in."""
    found = next((one for one in session.samp.waiting if str(page) in (str(one.number), one.origin)), None)
    if found is None:
        names = ", ".join(f"{one.number} ({one.name} at {one.origin})" for one in session.samp.waiting) or "none asks"
        raise CommandError(f"There is no page {page!r} that asks to be let in; there are: {names}.")
    return found


@command("samp.send", title="Send Data to Programs…", menu=MENU, job=True, apart=True, recorded=False, script=False,
         group="send", icon="fa6s.paper-plane", needs="data")  # fmt: skip
def send(session: Session, data: Data, to: str = "", *, progress: Progress) -> list[str]:
    """Send an image, a cube, a spectrum or a table to other programs, which open it.

    Parameters
    ----------
    data : Data
        Images go as FITS, with the file itself where nothing was changed; tables as VOTable or FITS, and their rows are
        selected together from then on.
    to : str
        Name of a program, as samp.clients lists it; empty: to all that can open it.

    Returns
    -------
    list of str
        Names of the programs that took it.

    Raises
    ------
    CommandError
        When there is no such program, or none took it.
    """
    from jviz.samp.sending import messages_for
    from jviz.samp.sending import send as send_files

    said = send_files(session, data, session.samp.to_whom(to, messages_for(data)), progress)
    took = [name for name, problem in said if not problem]
    lost = [f"{name} did not take {data.name}: {problem.rstrip('.')}." for name, problem in said if problem]
    if not took:
        raise CommandError(" ".join(lost))
    session.notice("status", f"Sent {data.name} to {' and '.join(took)}.")
    for text in lost:
        session.notice("warning", text)
    return took


@command("samp.send_rows", title="Send Selected Rows…", menu=MENU, recorded=False, script=False, group="rows",
         icon="fa6s.table-list", needs="catalog")  # fmt: skip
def send_rows(session: Session, data: Catalog, subset: str = "", *, to: str = "") -> int:
    """Tell other programs which rows of a table are selected; they have to have it, see samp.send.

    Parameters
    ----------
    subset : str
        Name of a subset of rows; by default the plain selection.
    to : str
        Name of a program; empty: all.

    Returns
    -------
    int
        How many rows.
    """
    import numpy as np

    rows = np.flatnonzero(chosen_rows(session, data, subset).region)
    _tell_rows(session, data, rows, "table.select.rowList", to)
    return len(rows)


@command("samp.highlight", title="Point at Row…", menu=MENU, recorded=False, script=False, group="rows",
         needs="catalog")  # fmt: skip
def highlight(session: Session, data: Catalog, row: int, *, to: str = "") -> None:
    """Have other programs point at a row of a table; they have to have it, see samp.send.

    Parameters
    ----------
    row : int
        Counted from 0.
    to : str
        Name of a program; empty: all.
    """
    import numpy as np

    if not 0 <= row < len(data):
        raise CommandError(f"{data.name} has rows 0 to {len(data) - 1}; {row} is none of them.")
    _tell_rows(session, data, np.array([row]), "table.highlight.row", to)


def _tell_rows(session: Session, data: Catalog, rows: Any, mtype: str, to: str) -> None:
    partners = session.samp.to_whom(to, (mtype,))
    shared = session.samp.tables.of(data)
    if shared is None:
        raise CommandError(f"Other programs do not have {data.name}; send it to them first.")
    session.samp.tables.tell(shared, rows, partners[0][0].id if to else "", mtype=mtype)


@command("samp.point", title="Point at Position…", menu=MENU, job=True, recorded=False, script=False, group="sky",
         icon="fa6s.location-crosshairs", needs="image")  # fmt: skip
def point(
    session: Session, position: Any = None, *, view: ImageView | None = None, to: str = ""
) -> tuple[float, float]:
    """Have other programs point at a place on the sky.

    Parameters
    ----------
    position : str, (float, float) or SkyCoord, optional
        Place in any usual form, a name, or a pixel of the image; by default the middle of the view.
    view : ImageView, optional
        The newest by default.
    to : str
        Name of a program; empty: all.

    Returns
    -------
    (float, float)
        RA and Dec (ICRS, degrees).
    """
    from jviz.positions import sky_of

    partners = session.samp.to_whom(to, ("coord.pointAt.sky",))
    data = None
    if position is None or view is not None or any(v.kind == "image" for v in session.views.values()):
        view = session.find_view(view, "image")  # type: ignore[assignment]
        data = view.layers[0].data if view is not None and view.layers else None
        position = tuple(view.centre) if position is None and view is not None else position
    ra, dec = sky_of(session, data, position)
    who = partners[0][0].id if to else ""
    session.samp.connection.post("coord.pointAt.sky", {"ra": repr(ra), "dec": repr(dec)}, who)
    return ra, dec
