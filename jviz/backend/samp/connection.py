"""A connection to other programs through the SAMP hub: who is there, what they say, what is said to them.

Nothing that is received is run, and nothing about this machine is told.
"""

from __future__ import annotations

import itertools
import queue
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyvo.samp import SAMPHubServer

from jviz.backend.progress import Progress, silent
from jviz.backend.samp.client import HubClient
from jviz.backend.samp.hub import FAULTS, HubProxy, find_hub, own_hub
from jviz.backend.samp.messages import UNDERSTOOD, Load, Point, Rows, read_message
from jviz.backend.samp.page import ORIGIN
from jviz.errors import JvizError

if TYPE_CHECKING:
    from jviz.backend.samp.web import WebGate

__all__ = ["Connection", "Partner", "Received"]

EVENTS = "samp.hub.event."
LOOK = 5.0
"""Seconds between two looks at whether the hub is still there."""

REPLY = 60.0
"""Seconds in which a program should say that it took what was sent."""

GONE = "The SAMP hub does not answer any more. Connect again, or start a hub in another program."


@dataclass(frozen=True)
class Partner:
    """Another program at the hub.

    Attributes
    ----------
    id : str
        The hub's name for it.
    name, about, icon : str
        As it says itself; ``icon`` is the address of a picture.
    takes : frozenset of str
        Messages that it understands; a ``*`` at the end stands for any.
    origin : str
        Of a page in a browser, where it comes from; "" of a program.
    """

    id: str
    name: str
    about: str = ""
    icon: str = ""
    takes: frozenset[str] = frozenset()
    origin: str = ""

    def understands(self, mtype: str) -> bool:
        """Whether it takes messages of a kind."""
        words = mtype.split(".")
        above = {".".join(words[:n]) + ".*" for n in range(1, len(words))} | {"*", mtype}
        return not above.isdisjoint(self.takes)


@dataclass(frozen=True)
class Received:
    """A message that came.

    Attributes
    ----------
    sender : Partner
    meaning : Load, Rows or Point or None
        None when it cannot be used.
    problem : str
        Why not.
    answer : callable
        ``answer("")`` tells the sender that all went well, ``answer(reason)`` that it did not; to be called once.
    """

    sender: Partner
    meaning: Load | Rows | Point | None
    problem: str
    answer: Callable[[str], None]


class Connection:
    """A connection to the hub, from its making until `close`; its calls come in threads of its own.

    Parameters
    ----------
    metadata : mapping
        What is told about this program: ``samp.name`` and so on.
    receive : callable
        Called with each `Received` message.
    changed : callable
        Called when programs came, went or changed, and when the hub is gone.
    start_hub : bool
        Start a hub when there is none.

    Attributes
    ----------
    partners : tuple of Partner
        The other programs, by name.
    lost : str
        Why the connection is no more; empty while it is there.
    gate : WebGate or None
        Where pages in a browser are let in, while they may come.

    Raises
    ------
    JvizError
        When there is no hub.
    """

    _tags = itertools.count(1)

    def __init__(self, metadata: Mapping[str, str], receive: Callable[[Received], None],
                 changed: Callable[[], None], *, start_hub: bool = False) -> None:  # fmt: skip
        self.partners: tuple[Partner, ...] = ()
        self.lost = ""
        self.gate: WebGate | None = None
        self._receive, self._changed = receive, changed
        self._waiting: dict[tuple[str, str], queue.SimpleQueue] = {}
        self._posts: queue.SimpleQueue = queue.SimpleQueue()
        self._own, self._lock = _hub_to_use(start_hub)
        self._hub = HubProxy()
        try:
            self._hub.connect(self._lock)
            self._client = HubClient(self._hub, self, dict(metadata))
            self._client.start()
            self._client.register()
            self._client.declare_subscriptions({name: {} for name in (*UNDERSTOOD, EVENTS + "*")})
            self.partners = self._look()
        except FAULTS as error:
            self.close()
            raise JvizError(f"The SAMP hub refuses the connection: {error}. Stop the hub, or start it anew.") from error
        self._thread = threading.Thread(target=self._attend, name="jviz-samp", daemon=True)
        self._thread.start()

    @property
    def owns_hub(self) -> bool:
        """Whether the hub is one of our own, which ends with the connection."""
        return self._own is not None

    def let_pages_come(self, offline: Callable[[], bool]) -> None:
        """Let pages in a browser ask to be let in, if the hub is our own.

        Raises
        ------
        JvizError
            When another program has the place where pages look for a hub.
        """
        if self.gate is None and self._own is not None and not self.lost:
            from jviz.backend.samp.web import WebGate

            self.gate = WebGate(self._lock, self._changed, offline=offline)

    def keep_pages_out(self) -> None:
        """End the pages that were let in, and let none in any more."""
        gate, self.gate = self.gate, None
        if gate is not None:
            gate.close()

    def close(self) -> None:
        """Say goodbye, and stop the hub when it is our own."""
        self.lost = self.lost or "closed"
        self.keep_pages_out()
        self._posts.put(None)
        thread = getattr(self, "_thread", None)
        if thread is not None and thread is not threading.current_thread():
            thread.join(5.0)
        client = getattr(self, "_client", None)
        if client is not None:
            client.end()
        self._hub.disconnect()
        if self._own is not None:
            own, self._own = self._own, None
            with suppress(*FAULTS):
                own.stop()

    # --- speaking -------------------------------------------------------------------------------

    def post(self, mtype: str, params: Mapping[str, Any] | Callable[[], dict[str, Any]], to: str = "") -> None:
        """Tell one program or all something that needs no answer, soon and in the order of the calls.

        Parameters
        ----------
        params : mapping or callable
            What is told, or what makes it in the thread of the connection.
        """
        self._posts.put((mtype, params, to))

    def send(self, mtype: str, params: Mapping[str, Any], to: list[Partner], *,
             progress: Progress = silent) -> dict[str, str]:  # fmt: skip
        """Tell programs something, and wait until they have done what they do about it.

        Returns
        -------
        dict
            What went wrong by the id of the program; empty texts where nothing did.
        """
        tag, answers = f"jviz-{next(self._tags)}", queue.SimpleQueue()
        message = {"samp.mtype": mtype, "samp.params": dict(params)}
        said: dict[str, str] = {}
        for partner in to:
            self._waiting[partner.id, tag] = answers
        try:
            for partner in to:
                try:
                    self._hub.call(self._client.get_private_key(), partner.id, tag, message)
                except FAULTS as error:
                    said[partner.id] = f"it cannot be reached ({error})"
            end = time.monotonic() + REPLY
            while len(said) < len(to) and time.monotonic() < end and not self.lost:
                progress(len(said), len(to), "Waiting for " + ", ".join(p.name for p in to if p.id not in said))
                with suppress(queue.Empty):
                    who, reason = answers.get(timeout=0.1)
                    said[who] = reason
        finally:
            for partner in to:
                self._waiting.pop((partner.id, tag), None)
        return {partner.id: said.get(partner.id, "it did not answer") for partner in to}

    # --- hearing --------------------------------------------------------------------------------

    def take(self, sender: str, call: str, message: Any) -> None:
        """Take a message (called by the client's server)."""
        mtype = str(message.get("samp.mtype", "")) if isinstance(message, Mapping) else ""
        if mtype.startswith(EVENTS):
            self._posts.put(mtype)
            return
        try:
            meaning = read_message(mtype, message.get("samp.params") if isinstance(message, Mapping) else None)
            problem = ""
        except JvizError as error:
            meaning, problem = None, str(error)
        answer = self._answerer(call)
        if meaning is None and not problem:
            answer("")
            return
        self._receive(Received(self.partner(sender), meaning, problem, answer))

    def take_response(self, who: str, tag: str, response: Any) -> None:
        """Take the answer to a message that was sent."""
        waiting = self._waiting.get((who, tag))
        if waiting is not None:
            waiting.put((who, _reason(response)))

    def partner(self, id: str) -> Partner:
        """Return the program of an id; one that is not known yet is called by it."""
        return next((partner for partner in self.partners if partner.id == id), Partner(id, id))

    def _answerer(self, call: str) -> Callable[[str], None]:
        def answer(reason: str) -> None:
            if not call or self.lost:
                return
            response: dict[str, Any] = {"samp.status": "samp.ok", "samp.result": {}}
            if reason:
                response = {"samp.status": "samp.error", "samp.result": {}, "samp.error": {"samp.errortxt": reason}}
            with suppress(*FAULTS):
                self._hub.reply(self._client.get_private_key(), call, response)

        return answer

    # --- the thread that keeps the connection ---------------------------------------------------

    def _attend(self) -> None:
        """Send what was posted, look who is there, and notice when the hub is gone."""
        while not self.lost:
            try:
                post = self._posts.get(timeout=LOOK)
            except queue.Empty:
                post = ""
            try:
                if isinstance(post, tuple):
                    self._notify(*post)
                elif post == EVENTS + "shutdown":
                    raise ConnectionError
                elif post is not None:
                    self._refresh(ping_only=not post)
            except FAULTS:
                self._lose()

    def _notify(self, mtype: str, params: Any, to: str) -> None:
        message = {"samp.mtype": mtype, "samp.params": dict(params() if callable(params) else params)}
        key = self._client.get_private_key()
        if to:
            self._hub.notify(key, to, message)
        else:
            self._hub.notify_all(key, message)

    def _refresh(self, *, ping_only: bool) -> None:
        if ping_only:
            self._hub.ping()
            return
        self.partners = self._look()
        self._changed()

    def _lose(self) -> None:
        if not self.lost:
            self.lost = GONE
            self._changed()

    def _look(self) -> tuple[Partner, ...]:
        """Ask the hub who is there."""
        key = self._client.get_private_key()
        hidden = (self._client.get_public_id(), self._client._hub_id)
        found = []
        for id in self._hub.get_registered_clients(key):
            if id not in hidden:
                with suppress(*FAULTS[2:]):  # it left meanwhile
                    found.append(self._described(key, id))
        return tuple(sorted(found, key=lambda partner: (partner.name.lower(), partner.id)))

    def _described(self, key: str, id: str) -> Partner:
        # In this order: who comes says first what it is called, then what it takes, and may be half-way through.
        takes = frozenset(map(str, self._hub.get_subscriptions(key, id)))
        about = self._hub.get_metadata(key, id)
        name = str(about.get("samp.name", "")).strip()[:60] or id
        origin = str(about.get(ORIGIN, ""))[:120]
        # Pages call themselves what they like: where they come from belongs to their name.
        return Partner(id, f"{name} ({origin.partition('//')[2]})" if origin else name,
                       str(about.get("samp.description.text", ""))[:400], str(about.get("samp.icon.url", "")), takes,
                       origin)  # fmt: skip


def _hub_to_use(start: bool) -> tuple[SAMPHubServer | None, dict[str, str]]:
    """Return our own hub, if there has to be one, and where the hub is."""
    lock = find_hub()
    if lock is not None:
        return None, lock
    if not start:
        raise JvizError("No SAMP hub is running. Start one in TOPCAT, Aladin or DS9, or let jviz start its own "
                        "(the setting samp.own_hub).")  # fmt: skip
    own = own_hub()
    return own, own.params


def _reason(response: Any) -> str:
    """Return what went wrong by a response, "" for nothing."""
    if not isinstance(response, Mapping) or response.get("samp.status") in ("samp.ok", "samp.warning"):
        return ""
    error = response.get("samp.error")
    text = error.get("samp.errortxt", "") if isinstance(error, Mapping) else ""
    return " ".join(str(text).split())[:300] or "it says that it failed, and not why"
