"""A service of the Virtual Observatory that wants a cookie or a token, and says where a password is changed for one."""

from __future__ import annotations

import base64
import http.cookies
import urllib.parse
from http.server import BaseHTTPRequestHandler

from tests.vo_service import Service, _Handler

FORM, BASIC = "ivo://ivoa.net/sso#tls-with-password", "ivo://ivoa.net/sso#BasicAA"


class SsoService(Service):
    """Asks who asks, as CADC (bearer), ESAC (cookies) and others do.

    Parameters
    ----------
    scheme : str
        ``"ivoa_bearer"`` or ``"ivoa_cookie"``.
    standard_id : str
        How the password is given at ``login_url``, which is a path of this server unless a test sets it.
    """

    def __init__(self, scheme: str, standard_id: str = FORM) -> None:
        self.scheme, self.standard_id, self.account_of = scheme, standard_id, "curie:pass:wörd"
        self.optional = False
        self.valid: set[str] = set()
        self.given: list[str] = []
        """What was shown at the log-in."""
        self.seen: list[tuple[str, str]] = []
        """What every other request showed: Authorization and Cookie."""
        self.login_url = ""
        super().__init__()
        self.RequestHandlerClass = _SsoHandler
        self.login_url = f"{self.url}/ac/login"

    @property
    def challenge(self) -> str:
        return (f'Basic realm="x, y", Bearer, {self.scheme} standard_id="{self.standard_id}", '
                f'access_url="{self.login_url}", ivoa_x509')  # fmt: skip


class _SsoHandler(_Handler):
    server: SsoService

    def parse_request(self) -> bool:
        if not BaseHTTPRequestHandler.parse_request(self):
            return False
        if self.path.startswith("/ac/login"):
            self._log_in()
            return False
        shown = self.headers.get("Authorization", ""), self.headers.get("Cookie", "")
        self.server.seen.append(shown)
        cookies = http.cookies.SimpleCookie(shown[1])
        permit = shown[0].removeprefix("Bearer ") if self.server.scheme == "ivoa_bearer" else (
            cookies["sso"].value if "sso" in cookies else "")  # fmt: skip
        self.known = permit in self.server.valid
        if self.known or self.server.optional:
            return True
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._send(b"who are you?", "text/plain", 401)
        return False

    def end_headers(self) -> None:
        if getattr(self, "known", False):
            self.send_header("X-VO-Authenticated", "curie")
        elif not self.path.startswith("/ac/login"):
            self.send_header("WWW-Authenticate", self.server.challenge)
        super().end_headers()

    def _log_in(self) -> None:
        server = self.server
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        form = dict(urllib.parse.parse_qsl(body))
        shown = self.headers.get("Authorization", "")
        given = (f"{form.get('username')}:{form.get('password')}" if server.standard_id == FORM else
                 base64.b64decode(shown.removeprefix("Basic ")).decode() if shown else "")  # fmt: skip
        server.given.append(given)
        good = given == server.account_of and (self.command == "POST") == (server.standard_id == FORM)
        self.send_response(200 if good else 401)
        if good:
            permit = f"permit-{len(server.given)}"
            server.valid.add(permit)
            if server.scheme == "ivoa_bearer":
                self.send_header("X-VO-Bearer", permit)
            else:
                self.send_header("Set-Cookie", f"sso={permit}; Path=/; HttpOnly")
        self.send_header("Content-Length", "0")
        self.end_headers()
