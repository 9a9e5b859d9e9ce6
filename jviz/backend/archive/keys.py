"""What is shown to whom: the token of MAST to MAST alone, a user name and a password to one archive alone."""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from requests.auth import AuthBase

from jviz.backend.archive.permits import Permits, challenge_in
from jviz.errors import JvizError

__all__ = ["MAST", "NO_SECRETS", "TOKEN_USER", "Keys", "Secrets", "Shown", "host_of", "is_mast", "mast_url"]

MAST = "https://mast.stsci.edu"
TOKEN_USER = "(token)"
"""Stands for the name of a user who has a token instead of a password."""

PERMITS = Permits()
NEAR = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Secrets:
    """What proves who asks; it is never printed.

    Attributes
    ----------
    token : str
        Of MAST.
    logins : mapping
        User name and password by host, as `host_of` writes it; `TOKEN_USER` and a token to be shown as it is.
    """

    token: str = field(default="", repr=False)
    logins: Mapping[str, tuple[str, str]] = field(default_factory=dict, repr=False)

    def login_at(self, url: str) -> tuple[str, str] | None:
        """Return what an address may be told: over https, or on this machine."""
        parts = urlsplit(url)
        if parts.scheme != "https" and parts.hostname not in NEAR:
            return None
        return self.logins.get(host_of(url))


NO_SECRETS = Secrets()

type Keys = Secrets | Callable[[], Secrets]
"""Secrets, or what gives those that count at each request: of a connection that outlives a log-in or a log-out."""


def mast_url() -> str:
    """Return the address of MAST: that of ``$JVIZ_MAST_URL`` (a mirror), or its own."""
    return os.environ.get("JVIZ_MAST_URL", "").rstrip("/") or MAST


def is_mast(url: str) -> bool:
    """Whether an address is of the MAST that is asked: what may be told the token."""
    asked, mast = urlsplit(url), urlsplit(mast_url())
    return (asked.scheme, asked.netloc) == (mast.scheme, mast.netloc)


def host_of(url: str) -> str:
    """Return the host of an address, with its port where that is none of the usual.

    Raises
    ------
    JvizError
        When it has none.
    """
    try:
        parts = urlsplit(url if "//" in url else f"//{url}")
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        host, port = "", None
    if not host or any(sign.isspace() for sign in host):
        raise JvizError(f"{url[:80]!r} names no host; give an address such as https://archive.example.org.")
    host = f"[{host}]" if ":" in host else host
    return host if port in (None, {"http": 80}.get(parts.scheme, 443)) else f"{host}:{port}"


class Shown(AuthBase):
    """Shows a request what its host may see; a redirection to another host goes without it."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def _secrets(self) -> Secrets:
        return self._keys() if callable(self._keys) else self._keys

    def __call__(self, request: Any) -> Any:
        secrets = self._secrets()
        asked, mast = urlsplit(request.url), urlsplit(MAST)
        login = secrets.login_at(request.url)
        if secrets.token and (is_mast(request.url) or (asked.scheme, asked.hostname) == (mast.scheme, mast.hostname)):
            request.headers["Authorization"] = f"token {secrets.token}"
        elif login is not None and login[0] == TOKEN_USER:
            request.headers["Authorization"] = f"Bearer {login[1]}"
        elif login is not None:
            self._show_login(request, login)
        return request

    def _show_login(self, request: Any, login: tuple[str, str]) -> None:
        request.permit = PERMITS.known(host_of(request.url), login)
        if request.permit is not None:
            request.permit.show(request)
        else:
            said = b64encode(":".join(login).encode()).decode()
            request.headers["Authorization"] = f"Basic {said}"
        if self._with_permit not in request.hooks["response"]:
            request.register_hook("response", self._with_permit)

    def _with_permit(self, reply: Any, **options: Any) -> Any:
        """Ask once more with a cookie or a token, where a server wants the password to be changed for one."""
        asked = reply.request
        login = self._secrets().login_at(asked.url)
        challenge = challenge_in(reply) if login is not None and hasattr(asked, "permit") else None
        if challenge is None:
            return reply
        reply.close()
        permit = PERMITS.fresh(host_of(asked.url), login, challenge, asked.url, asked.permit)
        again = asked.copy()  # without what was noted of the first one, so that there is no third
        permit.show(again)
        found = reply.connection.send(again, **options)
        found.history.append(reply)
        found.request = again
        return found
