"""What a browser asks of the web profile: XML-RPC of pages, and the files that they were told of."""

from __future__ import annotations

import select
import socket
import xmlrpc.client
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from jviz.backend.archive.net import connection
from jviz.backend.samp.fetching import bring, is_near
from jviz.backend.samp.hub import FAULTS
from jviz.errors import JvizError

__all__ = ["Handler"]

PREFIX = "samp.webhub."
METHODS = {
    "allowReverseCallbacks": "allow_reverse_callbacks", "pullCallbacks": "pull_callbacks",
    "declareMetadata": "declare_metadata", "getMetadata": "get_metadata",
    "declareSubscriptions": "declare_subscriptions", "getSubscriptions": "get_subscriptions",
    "getRegisteredClients": "get_registered_clients", "getSubscribedClients": "get_subscribed_clients",
    "notify": "notify", "notifyAll": "notify_all", "call": "call", "callAll": "call_all",
    "callAndWait": "call_and_wait", "reply": "reply",
}  # fmt: skip
"""Operations of the standard, with the methods of `jviz.backend.samp.page.Page`."""

MOST_BYTES = 32_000_000
"""Of a message: a list of 200,000 rows has 8 MB."""

CHUNK = 256 * 1024


class Handler(BaseHTTPRequestHandler):
    """Answers a browser."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "jviz", ""
    timeout = 75.0

    def log_message(self, *_: Any) -> None:
        """Say nothing: keys are in the addresses."""

    # --- who asks -------------------------------------------------------------------------------

    def parse_request(self) -> bool:
        """Turn away what does not come from a page at this address of this machine."""
        if not super().parse_request():
            return False
        names = (f"localhost:{self.server.gate.port}", f"127.0.0.1:{self.server.gate.port}")
        # A page whose server says that it is at this address would else be of the same origin.
        if self.headers.get("Host", "").lower() in names and self.client_address[0] == "127.0.0.1":
            return True
        self._send(403, b"", close=True)
        return False

    @property
    def origin(self) -> str:
        """Where the page comes from; a browser always says so, and pages cannot change it."""
        return self.headers.get("Origin", "")

    def do_OPTIONS(self) -> None:
        self._send(200, b"", {"Access-Control-Allow-Methods": "POST, GET, HEAD",
                              "Access-Control-Allow-Headers": "Content-Type",
                              "Access-Control-Allow-Private-Network": "true"})  # fmt: skip

    # --- XML-RPC --------------------------------------------------------------------------------

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if urlsplit(self.path).path != "/" or not length.isdigit() or int(length) > MOST_BYTES:
            self._send(400, b"", close=True)
            return
        body = self.rfile.read(int(length))
        try:
            answer = xmlrpc.client.dumps((self._answer(body),), methodresponse=True).encode()
        except (JvizError, *FAULTS) as error:
            said = error.faultString if isinstance(error, xmlrpc.client.Fault) else str(error)
            answer = xmlrpc.client.dumps(xmlrpc.client.Fault(1, said or type(error).__name__)).encode()
        self._send(200, answer, {"Content-Type": "text/xml; charset=utf-8"})

    def _answer(self, body: bytes) -> Any:
        try:
            params, method = xmlrpc.client.loads(body)
        except Exception as error:  # whatever the parser has against it
            raise JvizError(f"This is no XML-RPC: {error}") from None
        gate, name = self.server.gate, str(method).removeprefix(PREFIX)
        if not str(method).startswith(PREFIX) or name not in (*METHODS, "register", "unregister", "ping"):
            raise JvizError(f"There is no method {str(method)[:80]}")
        if name == "ping":
            return ""
        if not params:
            raise JvizError(f"{name} lacks something")
        if name == "register":
            return gate.register(params[0], self.origin, self._is_gone)
        page = gate.page(params[0], self.origin)
        if name == "unregister":
            return gate.unregister(page)
        return getattr(page, METHODS[name])(*params[1:])

    def _is_gone(self) -> bool:
        """Whether the browser does not wait for the answer any more."""
        with suppress(OSError):
            there = select.select([self.connection], [], [], 0)[0]
            return bool(there) and self.connection.recv(1, socket.MSG_PEEK) == b""
        return True

    # --- files ----------------------------------------------------------------------------------

    def do_GET(self) -> None:
        self._file()

    def do_HEAD(self) -> None:
        self._file()

    def _file(self) -> None:
        parts = urlsplit(self.path)
        _, _, key = parts.path.partition("/translator/")
        url = parse_qs(parts.query).get("ref", [""])[0]
        gate = self.server.gate
        try:
            page = gate.page(key, self.origin)
            if not gate.addresses.may_read(page.key, url):
                raise JvizError("Nobody told this page of that address")
            if gate.offline() and not is_near(url):
                raise JvizError("It lies on the network, and the user works offline")
            with _opened(url) as (length, pieces):
                self._pass_on(length, pieces)
        except JvizError as error:
            self._send(403, str(error).encode(), {"Content-Type": "text/plain; charset=utf-8"})
        except OSError:
            self._send(404, b"", close=True)

    def _pass_on(self, length: int, pieces: Iterator[bytes]) -> None:
        """Send a file as it comes; one of unknown length ends with the connection."""
        self._head(200, length, {"Content-Type": "application/octet-stream"}, close=True)
        if self.command == "HEAD":
            return
        with suppress(OSError):
            for piece in pieces:
                self.wfile.write(piece)

    # --- answers --------------------------------------------------------------------------------

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None, *, close: bool = False) -> None:
        self._head(status, len(body), headers or {}, close=close)
        if self.command != "HEAD":
            with suppress(OSError):
                self.wfile.write(body)

    def _head(self, status: int, length: int, headers: dict[str, str], *, close: bool) -> None:
        self.send_response(status)
        if length >= 0:
            self.send_header("Content-Length", str(length))
        if self.origin:
            self.send_header("Access-Control-Allow-Origin", self.origin)
            self.send_header("Vary", "Origin")
        for name, value in headers.items():
            self.send_header(name, value)
        if close:
            self.send_header("Connection", "close")
        with suppress(OSError):
            self.end_headers()


@contextmanager
def _opened(url: str) -> Iterator[tuple[int, Iterator[bytes]]]:
    """Open what an address names: its length (-1: not known), and its bytes.

    Raises
    ------
    OSError, JvizError
    """
    if urlsplit(url).scheme == "file":
        path = bring(url, Path(), most=0)
        with path.open("rb") as file:
            yield path.stat().st_size, iter(lambda: file.read(CHUNK), b"")
        return
    with connection(tries=1) as session:
        session.trust_env = not is_near(url)
        with session.get(url, stream=True, allow_redirects=not is_near(url)) as reply:
            if not reply.ok or reply.is_redirect:
                raise OSError(reply.status_code)
            yield -1, reply.iter_content(CHUNK)
