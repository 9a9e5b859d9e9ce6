"""The hub that programs speak through: where it is, a way to it that does not wait for ever, and one of our own."""

from __future__ import annotations

import http.client
import os
import secrets
import warnings
import xmlrpc.client
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from pyvo.samp import SAMPHubProxy, SAMPHubServer, conf
from pyvo.samp.errors import SAMPHubError, SAMPProxyError, SAMPWarning
from pyvo.samp.utils import ServerProxyPool

from jviz.errors import JvizError

__all__ = ["FAULTS", "HubProxy", "find_hub", "own_hub"]

# pyvo would ask a page on the internet to find out which name this machine has.
conf.use_internet = False
warnings.filterwarnings("ignore", category=SAMPWarning)

ANSWER = 10.0
"""Seconds that a hub may take to answer."""

PREFIX = "std-lockurl:"

FAULTS = (OSError, http.client.HTTPException, xmlrpc.client.Error, SAMPHubError, SAMPProxyError, KeyError, TypeError,
          ValueError)  # fmt: skip
"""What speaking to a hub, or to something that takes its place, may raise."""


class _Transport(xmlrpc.client.Transport):
    """Gives up on a hub that does not answer."""

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        made = super().make_connection(host)
        made.timeout = ANSWER
        return made


def _proxy(url: str) -> xmlrpc.client.ServerProxy:
    return xmlrpc.client.ServerProxy(url, transport=_Transport(), allow_none=True)


class HubProxy(SAMPHubProxy):
    """A way to a hub; each question ends after `ANSWER` seconds."""

    def connect(self, hub_params: Mapping[str, str], pool_size: int = 4) -> None:
        """Connect to the hub that a lock file describes."""
        self.proxy = ServerProxyPool(pool_size, _proxy, hub_params["samp.hub.xmlrpc.url"])
        self.ping()
        self.lockfile = dict(hub_params)
        self._connected = True


def _lock_file() -> Path:
    """Return the file in which a hub says where it is.

    Raises
    ------
    JvizError
        When the environment names none of this machine.
    """
    named = os.environ.get("SAMP_HUB", "")
    if not named:
        return Path.home() / ".samp"
    parts = urlsplit(named.removeprefix(PREFIX))
    if not named.startswith(PREFIX) or parts.scheme != "file":
        raise JvizError(f"The environment variable SAMP_HUB is {named!r}; jviz follows only "
                        f"{PREFIX}file:///… to a file on this machine.")  # fmt: skip
    return Path(unquote(parts.path))


def find_hub() -> dict[str, str] | None:
    """Return what the lock file of the hub says, None when no hub is there.

    Raises
    ------
    JvizError
        When the file cannot be read.
    """
    path = _lock_file()
    try:
        text = path.read_text("utf-8", errors="replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise JvizError(f"The lock file of the SAMP hub, {path}, cannot be read: {error.strerror or error}.") from error
    lines = [line.partition("=") for line in text.splitlines() if "=" in line and not line.lstrip().startswith("#")]
    found = {name.strip(): value.strip() for name, _, value in lines}
    # Java programs write their lock file as a file of properties, where a colon has a backslash before it.
    found["samp.hub.xmlrpc.url"] = found.get("samp.hub.xmlrpc.url", "").replace("\\", "")
    complete = found["samp.hub.xmlrpc.url"].startswith("http://") and found.get("samp.secret")
    return found if complete and _answers(found["samp.hub.xmlrpc.url"]) else None


def _answers(url: str) -> bool:
    """Whether a hub is alive: its lock file stays when it is killed."""
    try:
        _proxy(url).samp.hub.ping()
    except xmlrpc.client.Error:
        return True  # it speaks the protocol
    except (OSError, http.client.HTTPException):
        return False
    return True


class _OwnHub(SAMPHubServer):
    """A hub for which it is nothing to speak of that a program leaves while it is told something."""

    def _launch_thread(self, group: Any = None, target: Any = None, name: str | None = None, args: Any = None) -> None:
        def quietly(*given: Any) -> None:
            with suppress(SAMPWarning):  # where warnings are errors
                target(*given)

        super()._launch_thread(group, quietly, name, args)


def own_hub() -> SAMPHubServer:
    """Start a hub on loopback that programs on this machine may use, and no page in a browser.

    Raises
    ------
    JvizError
        When it cannot be started.
    """
    # Of its own web profile, pages could read every file of this machine: see jviz.backend.samp.web.
    hub = _OwnHub(secret=secrets.token_hex(24), web_profile=False, addr="127.0.0.1", label="jviz")
    try:
        # What a dead hub left behind may be anything, and stops pyvo.
        _lock_file().unlink(missing_ok=True)
        hub.start()
    except FAULTS as error:
        raise JvizError(f"No SAMP hub can be started: {error}. Start one in another program, as TOPCAT.") from error
    return hub
