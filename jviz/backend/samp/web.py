"""The web profile of SAMP (IVOA recommendation 1.3, section 5): pages in a browser at the hub, if the user lets them.

A page is asked for by its name and by where it comes from, which its browser says and it cannot forge; without the
user's word it gets nothing. What it may say and read then is in `jviz.backend.samp.addresses`.
"""

from __future__ import annotations

import itertools
import os
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from typing import Any

from jviz.backend.samp.addresses import Addresses
from jviz.backend.samp.page import Page
from jviz.backend.samp.web_requests import Handler
from jviz.errors import JvizError

__all__ = ["PORT", "Knock", "WebGate"]

PORT = 21012
"""Where pages look for a hub, by the standard."""

MOST_WAITING, MOST_PAGES = 3, 20
PATIENCE = 120.0
"""Seconds that a page waits for the user."""

IDLE = 300.0
"""Seconds after which a page that asks for nothing is taken for closed."""

NAME = 60
ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?|https?://\[[0-9A-Fa-f:.]+\](:\d{1,5})?")
REFUSED = "The user does not let this page in"


@dataclass(eq=False)
class Knock:
    """A page that asks to be let in.

    Attributes
    ----------
    number : int
    name : str
        As it calls itself.
    origin : str
        Where it comes from, as its browser says.
    """

    number: int
    name: str
    origin: str
    answered: threading.Event = field(default_factory=threading.Event, repr=False)
    allowed: bool = False


class WebGate:
    """The server for pages, from its making until `close`.

    Parameters
    ----------
    lock : mapping
        Where the hub is.
    changed : callable
        Called, in any thread, when a page asks, or gives up.
    offline : callable
        Whether nothing but this machine may be asked.
    port : int, optional
        Another than that of the standard; 0 for a free one.

    Attributes
    ----------
    port : int

    Raises
    ------
    JvizError
        When another program is there already.
    """

    _numbers = itertools.count(1)

    def __init__(self, lock: Mapping[str, str], changed: Callable[[], None], *,
                 offline: Callable[[], bool] = lambda: False, port: int | None = None) -> None:  # fmt: skip
        self.addresses, self.offline = Addresses(), offline
        self._lock, self._changed = dict(lock), changed
        self._mutex = threading.RLock()
        self._waiting: list[Knock] = []
        self._pages: dict[str, Page] = {}
        self._refused: set[str] = set()
        self._closed = False
        try:
            self._server = _Server(self, PORT if port is None else port)
        except OSError as error:
            raise JvizError(f"Pages in a browser cannot connect: port {PORT} of this machine cannot be had "
                            f"({error.strerror or error}). Perhaps another program has a hub for them.") from error
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="jviz-samp-web",
                                        daemon=True)  # fmt: skip
        self._thread.start()

    @property
    def waiting(self) -> tuple[Knock, ...]:
        """The pages that ask to be let in."""
        with self._mutex:
            return tuple(self._waiting)

    def close(self) -> None:
        """End all pages, and the server."""
        with self._mutex:
            self._closed = True
            pages, self._pages = list(self._pages.values()), {}
            waiting, self._waiting = self._waiting, []
        for knock in waiting:
            knock.answered.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5.0)
        for page in pages:
            page.close()

    def answer(self, number: int, allowed: bool, *, remember: bool = True) -> Knock | None:
        """Let a page in or not; return it, None when it does not ask any more.

        Parameters
        ----------
        remember : bool
            Not to be asked again for what comes from there, when it is not let in.
        """
        with self._mutex:
            knock = next((one for one in self._waiting if one.number == number), None)
            if knock is None:
                return None
            self._waiting.remove(knock)
            knock.allowed = allowed
            if not allowed and remember:
                self._refused.add(knock.origin)
        knock.answered.set()
        self._changed()
        return knock

    def end(self, id: str) -> bool:
        """End a page by the hub's name for it; return whether it was one."""
        with self._mutex:
            page = next((one for one in self._pages.values() if one.id == id), None)
            if page is not None:
                del self._pages[page.key]
        if page is not None:
            page.close()
        return page is not None

    def end_idle(self) -> None:
        """End the pages that were closed without a goodbye."""
        with self._mutex:
            idle = [page.id for page in self._pages.values() if time.monotonic() - page.seen > IDLE]
        for id in idle:
            threading.Thread(target=self.end, args=(id,), name="jviz-samp-page-end", daemon=True).start()

    # --- what pages ask for ---------------------------------------------------------------------

    def page(self, key: Any, origin: str) -> Page:
        """Return the page of a key.

        Raises
        ------
        JvizError
            When it was not let in, or another page uses its key.
        """
        with self._mutex:
            page = self._pages.get(key) if isinstance(key, str) else None
            if page is None or page.origin != origin:
                raise JvizError("This page is not registered")
            page.seen = time.monotonic()
            return page

    def register(self, identity: Any, origin: str, gone: Callable[[], bool]) -> dict[str, str]:
        """Ask the user whether to let a page in, and do so.

        Parameters
        ----------
        identity : mapping or str
            What the page says of itself.
        gone : callable
            Whether the page does not wait any more.

        Raises
        ------
        JvizError
            When it is not let in.
        """
        name = identity.get("samp.name", "") if isinstance(identity, Mapping) else identity
        name = name if isinstance(name, str) else ""
        name = " ".join("".join(sign if sign.isprintable() else " " for sign in name).split())[:NAME]
        if not name:
            raise JvizError("A page has to say its name (samp.name)")
        if not ORIGIN.fullmatch(origin):
            raise JvizError("A page has to come from a server: its browser does not say from where it comes")
        knock = self._knock(name, origin)
        self._changed()
        self._wait(knock, gone)
        if not knock.allowed:
            raise JvizError(REFUSED)
        page = Page(self._lock, name, origin, self.addresses)
        with self._mutex:
            if not self._closed:
                self._pages[page.key] = page
                return page.registered(f"http://localhost:{self.port}/translator/{page.key}?ref=")
        page.close()
        raise JvizError(REFUSED)

    def _knock(self, name: str, origin: str) -> Knock:
        with self._mutex:
            if self._closed or origin in self._refused:
                raise JvizError(REFUSED)
            if any(one.origin == origin for one in self._waiting):
                raise JvizError("The user is being asked already")
            if len(self._pages) >= MOST_PAGES or len(self._waiting) >= MOST_WAITING:
                raise JvizError("There are too many pages already")
            knock = Knock(next(self._numbers), name, origin)
            self._waiting.append(knock)
            return knock

    def _wait(self, knock: Knock, gone: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not knock.answered.wait(0.1):
            if gone() or time.monotonic() > end:
                self.answer(knock.number, False, remember=False)

    def unregister(self, page: Page) -> str:
        """End a page that says goodbye."""
        self.end(page.id)
        return ""


class _Server(ThreadingHTTPServer):
    """Listens on loopback."""

    daemon_threads = True
    block_on_close = False
    # Elsewhere it lets another program listen at the same time, too.
    allow_reuse_address = os.name != "nt"

    def __init__(self, gate: WebGate, port: int) -> None:
        self.gate = gate
        super().__init__(("127.0.0.1", port), Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A page that goes away is no error."""

    def service_actions(self) -> None:
        self.gate.end_idle()
