"""A page in a browser, as a client of the hub: what is said to it waits until it asks."""

from __future__ import annotations

import itertools
import queue
import secrets
import threading
import time
from collections import deque
from collections.abc import Mapping
from typing import Any

from jviz.backend.samp.addresses import Addresses, checked
from jviz.backend.samp.client import HubClient
from jviz.backend.samp.hub import HubProxy
from jviz.errors import JvizError

__all__ = ["ORIGIN", "Page"]

ORIGIN = "jviz.page-origin"
"""In the metadata of a page: where it comes from, as its browser says."""

MOST = 1_000
"""Messages that wait for a page; when there are more the oldest are lost."""

LONGEST = 60.0
"""Seconds that a page may wait for a message or an answer, whatever it asks for."""


class Page:
    """A page that was let in.

    Parameters
    ----------
    lock : mapping
        Where the hub is.
    name, origin : str
        As the user let it in.
    addresses : Addresses
        Which it may read.
    """

    _tags = itertools.count(1)

    def __init__(self, lock: Mapping[str, str], name: str, origin: str, addresses: Addresses) -> None:
        self.name, self.origin, self.key = name, origin, secrets.token_urlsafe(32)
        self.seen = time.monotonic()
        self._addresses = addresses
        self._news: deque[dict[str, Any]] = deque(maxlen=MOST)
        self._change = threading.Condition()
        self._answers: dict[str, queue.SimpleQueue[Any]] = {}
        self._callable = self._ended = False
        self._hub = HubProxy()
        self._hub.connect(lock)
        self._client = HubClient(self._hub, self, self._about({}))
        try:
            self._client.start()
            self._client.register()
        except BaseException:
            self.close()
            raise

    @property
    def id(self) -> str:
        """The hub's name for it."""
        return str(self._client.get_public_id())

    def registered(self, translator: str) -> dict[str, str]:
        """Return what a page is told that was let in."""
        return {"samp.self-id": self.id, "samp.private-key": self.key, "samp.hub-id": str(self._client._hub_id),
                "samp.url-translator": translator}  # fmt: skip

    def close(self) -> None:
        """End it."""
        with self._change:
            self._ended = True
            self._change.notify_all()
        self._client.end()
        self._hub.disconnect()
        self._addresses.forget(self.key)

    def _about(self, metadata: Mapping[str, Any]) -> dict[str, Any]:
        """Return what it says of itself, under the name by which the user let it in."""
        said = {name: text for name, text in metadata.items() if not str(text).strip().lower().startswith("file:")}
        return {**said, "samp.name": self.name, ORIGIN: self.origin}

    # --- what comes for it ------------------------------------------------------------------------

    def take(self, sender: str, call: str, message: Any) -> None:
        """Keep a message until the page asks."""
        self._addresses.told(self.key, message)
        if call:
            self._keep("receiveCall", sender, call, message)
        else:
            self._keep("receiveNotification", sender, message)

    def take_response(self, who: str, tag: str, response: Any) -> None:
        """Keep an answer until the page asks."""
        self._addresses.told(self.key, response)
        waiting = self._answers.get(tag)
        if waiting is not None:
            waiting.put(response)
        else:
            self._keep("receiveResponse", who, tag, response)

    def _keep(self, method: str, *params: Any) -> None:
        with self._change:
            if self._callable:
                self._news.append({"samp.methodName": method, "samp.params": list(params)})
                self._change.notify_all()

    # --- what it asks for -------------------------------------------------------------------------

    def allow_reverse_callbacks(self, allow: str) -> str:
        """Begin, or end, to keep messages."""
        with self._change:
            self._callable = allow not in ("0", "")
            self._news.clear()
        return ""

    def pull_callbacks(self, timeout: str) -> list[dict[str, Any]]:
        """Return the messages that came; wait for one as long as the page wants to."""
        with self._change:
            if not self._callable:
                raise JvizError("allowReverseCallbacks comes first")
            self._change.wait_for(lambda: self._news or self._ended, _seconds(timeout))
            found = list(self._news)
            self._news.clear()
            return found

    def declare_metadata(self, metadata: Any) -> str:
        """Say what it is; its name stays that by which the user let it in."""
        self._client.declare_metadata(self._about(checked(metadata)))
        return ""

    def declare_subscriptions(self, mtypes: Any) -> str:
        """Say which messages it takes."""
        self._hub.declare_subscriptions(self._secret, checked(mtypes))
        return ""

    def get_metadata(self, client: str) -> Any:
        """Return what a program says of itself."""
        return self._hub.get_metadata(self._secret, checked(client))

    def get_subscriptions(self, client: str) -> Any:
        """Return which messages a program takes."""
        return self._hub.get_subscriptions(self._secret, checked(client))

    def get_registered_clients(self) -> Any:
        """Return who is there."""
        return self._hub.get_registered_clients(self._secret)

    def get_subscribed_clients(self, mtype: str) -> Any:
        """Return who takes a message."""
        return self._hub.get_subscribed_clients(self._secret, checked(mtype))

    def notify(self, client: str, message: Any) -> str:
        """Tell one program something."""
        self._hub.notify(self._secret, checked(client), self._sayable(message))
        return ""

    def notify_all(self, message: Any) -> Any:
        """Tell all something."""
        return self._hub.notify_all(self._secret, self._sayable(message))

    def call(self, client: str, tag: str, message: Any) -> Any:
        """Tell one program something that is to be answered."""
        return self._hub.call(self._secret, checked(client), checked(tag), self._sayable(message))

    def call_all(self, tag: str, message: Any) -> Any:
        """Tell all something that is to be answered."""
        return self._hub.call_all(self._secret, checked(tag), self._sayable(message))

    def call_and_wait(self, client: str, message: Any, timeout: str) -> Any:
        """Tell one program something, and return its answer."""
        tag = f"jviz-page-{next(self._tags)}"
        answers = self._answers[tag] = queue.SimpleQueue()
        try:
            self.call(client, tag, message)
            return answers.get(timeout=_seconds(timeout) or LONGEST)
        except queue.Empty:
            raise JvizError("there was no answer in time") from None
        finally:
            self._answers.pop(tag, None)

    def reply(self, call: str, response: Any) -> str:
        """Answer a message."""
        response = checked(response)
        self._addresses.name(self.key, self.origin, response)
        self._hub.reply(self._secret, checked(call), response)
        return ""

    def _sayable(self, message: Any) -> Any:
        message = checked(message)
        self._addresses.check(self.key, self.origin, message)
        return message

    @property
    def _secret(self) -> str:
        return self._client.get_private_key()


def _seconds(text: Any) -> float:
    try:
        return min(max(float(text), 0.0), LONGEST)
    except (TypeError, ValueError):
        raise JvizError(f"{str(text)[:20]!r} is no number of seconds") from None
