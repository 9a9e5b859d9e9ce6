"""How the hub speaks to a client of ours: a small server on loopback, whose owner gets all that comes."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Protocol

from pyvo.samp import SAMPClient

from jviz.backend.samp.hub import FAULTS, HubProxy

__all__ = ["HubClient", "Owner"]


class Owner(Protocol):
    """Takes what the hub hands over."""

    def take(self, sender: str, call: str, message: Any) -> None:
        """Take a message; ``call`` is empty when no answer is wanted."""

    def take_response(self, who: str, tag: str, response: Any) -> None:
        """Take the answer to a message that was sent."""


class HubClient(SAMPClient):
    """A client at the hub; it leaves all messages to its owner.

    pyvo's own would answer questions about environment variables (``client.env.get``), in which tokens are kept.
    """

    def __init__(self, hub: HubProxy, owner: Owner, metadata: dict[str, str]) -> None:
        super().__init__(hub, metadata=metadata, addr="127.0.0.1")
        self._call_bindings.clear()
        self._owner = owner

    def receive_notification(self, private_key: str, sender_id: str, message: Any) -> str:
        if private_key == self.get_private_key():
            self._owner.take(sender_id, "", message)
        return ""

    def receive_call(self, private_key: str, sender_id: str, msg_id: str, message: Any) -> str:
        if private_key == self.get_private_key():
            self._owner.take(sender_id, msg_id, message)
        return ""

    def receive_response(self, private_key: str, responder_id: str, msg_tag: str, response: Any) -> str:
        if private_key == self.get_private_key():
            self._owner.take_response(responder_id, msg_tag, response)
        return ""

    def end(self) -> None:
        """Say goodbye to the hub, and end the server."""
        with suppress(*FAULTS):
            if self.is_registered:
                self.unregister()
        if self.is_running:
            with suppress(Exception):  # a thread that does not end in time
                self.stop(2.0)
