"""A page in a browser, as the web profile of SAMP sees it: HTTP with the headers that a browser adds."""

from __future__ import annotations

import http.client
import threading
import xmlrpc.client
from typing import Any
from urllib.parse import quote, urlsplit

ORIGIN = "https://page.example.org"


class BrowserPage:
    """Asks as a browser does for a page.

    Parameters
    ----------
    port : int
        Of the hub.
    origin : str
        Where the page comes from; pages cannot change it.
    """

    def __init__(self, port: int, origin: str = ORIGIN) -> None:
        self.port, self.origin = port, origin
        self.key = self.id = self.translator = ""
        self.refused = ""

    def request(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and body of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            said = {"Host": f"localhost:{self.port}", "Content-Type": "text/xml"}
            said |= {"Origin": self.origin} if self.origin else {}
            connection.request(method, path, body or None, said | headers)
            reply = connection.getresponse()
            return reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read()
        finally:
            connection.close()

    def call(self, method: str, *params: Any) -> Any:
        """Call a method of the hub; raises `xmlrpc.client.Fault`."""
        status, _, body = self.request("POST", "/", xmlrpc.client.dumps(params, f"samp.webhub.{method}").encode())
        assert status == 200, status
        [value], _ = xmlrpc.client.loads(body)
        return value

    def hub(self, method: str, *params: Any) -> Any:
        """Call a method with the key of the page."""
        return self.call(method, self.key, *params)

    def register(self, name: Any = "Sky Page") -> None:
        """Ask to be let in, and wait for the user's word; see `refused`."""
        try:
            said = self.call("register", {"samp.name": name} if isinstance(name, str) else name)
        except xmlrpc.client.Fault as fault:
            self.refused = fault.faultString
            return
        self.key, self.id = said["samp.private-key"], said["samp.self-id"]
        self.translator = said["samp.url-translator"]

    def knock(self, name: Any = "Sky Page") -> threading.Thread:
        """Ask to be let in, in a thread."""
        thread = threading.Thread(target=self.register, args=(name,), daemon=True)
        thread.start()
        return thread

    def read(self, url: str) -> tuple[int, bytes]:
        """Read what an address names, as pages do it."""
        parts = urlsplit(self.translator)
        status, _, body = self.request("GET", f"{parts.path}?{parts.query}{quote(url, safe='')}")
        return status, body

    def pulled(self) -> list[dict[str, Any]]:
        """Wait for messages."""
        return self.hub("pullCallbacks", "20")
