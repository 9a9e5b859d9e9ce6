"""The connection of a session to the SAMP hub: made when the user wants it, and told of in the window's thread."""

from __future__ import annotations

import threading
from importlib import resources
from typing import TYPE_CHECKING, Any

from jviz.errors import CommandError, JvizError
from jviz.samp.receiving import receive
from jviz.samp.rows import SharedRows
from jviz.signals import Signal

if TYPE_CHECKING:
    from jviz.backend.samp.connection import Connection, Partner
    from jviz.backend.samp.web import Knock

__all__ = ["PAGES", "SampLink"]

PAGES = "samp.web_pages"
"""The setting that lets pages in a browser ask."""


class SampLink:
    """Other programs, as a session knows them; nothing of the protocol is imported before it connects.

    Attributes
    ----------
    changed : Signal
        Without arguments, in the session's thread: connected, disconnected, programs came or went.
    tables : SharedRows
        Catalogues that other programs have too, and their rows.
    """

    def __init__(self, session: Any) -> None:
        self._session = session
        self._lock = threading.RLock()
        self._connection: Connection | None = None
        self.changed = Signal()
        self.tables = SharedRows(session, self)
        session.settings.changed.connect(self._set)

    @property
    def connected(self) -> bool:
        """Whether there is a connection."""
        connection = self._connection
        return connection is not None and not connection.lost

    @property
    def owns_hub(self) -> bool:
        """Whether the hub is jviz's own."""
        connection = self._connection
        return self.connected and connection is not None and connection.owns_hub

    @property
    def partners(self) -> tuple[Partner, ...]:
        """The other programs at the hub, by name."""
        connection = self._connection
        return connection.partners if connection is not None and not connection.lost else ()

    @property
    def connection(self) -> Connection:
        """The connection.

        Raises
        ------
        CommandError
            When there is none.
        """
        if not self.connected or self._connection is None:
            raise CommandError("jviz is not connected to other programs. Connect first: Interop ▸ Connect, or "
                               "session.run('samp.connect').")  # fmt: skip
        return self._connection

    @property
    def takes_pages(self) -> bool:
        """Whether pages in a browser may ask to be let in now."""
        connection = self._connection
        return self.connected and connection is not None and connection.gate is not None

    @property
    def waiting(self) -> tuple[Knock, ...]:
        """The pages in a browser that ask to be let in."""
        connection = self._connection
        gate = connection.gate if connection is not None else None
        return gate.waiting if gate is not None else ()

    def answer_page(self, number: int, allowed: bool, *, remember: bool = True) -> Knock | None:
        """Let a page in or not; see `jviz.backend.samp.web.WebGate.answer`."""
        connection = self._connection
        gate = connection.gate if connection is not None else None
        return gate.answer(number, allowed, remember=remember) if gate is not None else None

    def end_page(self, id: str) -> bool:
        """End a page that was let in; return whether it was there. May take seconds."""
        connection = self._connection
        gate = connection.gate if connection is not None else None
        return gate is not None and gate.end(id)

    def connect(self) -> None:
        """Connect, unless that is done already; may take seconds.

        Raises
        ------
        JvizError
            When there is no hub, or it refuses.
        """
        from jviz.backend.samp.connection import Connection

        with self._lock:
            if self.connected:
                return
            self._end()
            start = self._session.settings["samp.own_hub"]
            self._connection = Connection(_about(), self._receive, self._told, start_hub=start)
            self._follow_pages()
        self._told()

    def _set(self, key: str) -> None:
        if key == PAGES and self.connected:
            self._session.jobs.submit("Pages in a browser", lambda _: self._change_pages(), quiet=True, apart=True)

    def _change_pages(self) -> None:
        with self._lock:
            self._follow_pages()
        self._told()

    def _follow_pages(self) -> None:
        """Let pages come or keep them out, as the user wants."""
        connection, settings = self._connection, self._session.settings
        if connection is None or connection.lost:
            return
        if not settings[PAGES]:
            connection.keep_pages_out()
            return
        try:
            connection.let_pages_come(lambda: settings["network.offline"])
        except JvizError as error:
            self._session.notice("warning", str(error))

    def disconnect(self) -> None:
        """End the connection."""
        with self._lock:
            self._end()
        self._told()

    def close(self) -> None:
        """End the connection; nobody is told."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.close()

    def _receive(self, received: Any) -> None:
        receive(self._session, received)

    def _told(self) -> None:
        self._session.dispatcher.call(self._tell)

    def _tell(self) -> None:
        connection = self._connection
        if connection is not None and connection.lost not in ("", "closed"):
            self._session.notice("warning", connection.lost)
            # Its threads end by themselves; waiting for them is not for this one.
            self._connection = None
            threading.Thread(target=connection.close, name="jviz-samp-end", daemon=True).start()
        self.changed.emit()

    def icon(self, partner: Partner) -> bytes:
        """Return the picture of a program, where it keeps one on this machine; may take seconds."""
        from jviz.backend.samp.fetching import small

        return small(partner.icon) if partner.icon else b""

    def to_whom(self, to: str, mtypes: tuple[str, ...]) -> list[tuple[Partner, str]]:
        """Return programs with the message to send to each: the first of some kinds that it understands.

        Parameters
        ----------
        to : str
            Name or id of a program; "" for all that understand one of the messages.

        Raises
        ------
        CommandError
            When there is none.
        """
        partners = self.connection.partners
        if to:
            partners = tuple(p for p in partners if to in (p.id, p.name) or p.name.lower() == to.lower())
            if not partners:
                names = ", ".join(p.name for p in self.partners) or "none"
                raise CommandError(f"There is no program {to!r} at the SAMP hub; there are: {names}.")
        found = [(p, next((m for m in mtypes if p.understands(m)), "")) for p in partners]
        able = [(partner, mtype) for partner, mtype in found if mtype]
        if not able:
            who = " and ".join(p.name for p in partners) if to else "No other program at the SAMP hub"
            verb = "does not understand" if to else "understands"
            raise CommandError(f"{who} {verb} {' or '.join(mtypes)}.")
        return able


def _about() -> dict[str, str]:
    """Say who jviz is."""
    from jviz import __version__

    icon = resources.files("jviz.resources").joinpath("icons/jviz.png")
    return {
        "samp.name": "jviz",
        "samp.description.text": "Images, cubes, spectra and tables of astronomy, above all of JWST",
        "samp.icon.url": getattr(icon, "as_uri", str)(),
        "jviz.version": __version__,
    }
