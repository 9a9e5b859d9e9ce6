"""Log-ins of the Virtual Observatory: a name and a password are changed for a cookie or a token, as a server wants it.

The document of the IVOA, "Authentication in the VO", says how: an answer that has ``WWW-Authenticate: ivoa_cookie`` or
``ivoa_bearer`` names an address (``access_url``) and how the password is given there (``standard_id``). What comes back
is shown from then on: cookies where their domain allows it, a token to the host that asked for it alone.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from http.cookiejar import CookieJar
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.cookies import RequestsCookieJar, extract_cookies_to_jar, get_cookie_header

from jviz.errors import JvizError

__all__ = ["CONFIRMED", "Challenge", "Permit", "Permits", "Refusal", "challenge_in", "may_go_to"]

SCHEMES = ("ivoa_bearer", "ivoa_cookie")
BY_FORM, BY_BASIC = "ivo://ivoa.net/sso#tls-with-password", "ivo://ivoa.net/sso#basicaa"

WORD = re.compile(r'(?P<name>[\w.-]+)\s*=\s*(?:"(?P<quoted>(?:\\.|[^"\\])*)"|(?P<plain>[^\s,"]+))|(?P<scheme>[\w.-]+)')
"""A parameter of a challenge, or the name with which the next one begins."""

TOKEN = "X-VO-Bearer"
CONFIRMED = "X-VO-Authenticated"
TIMEOUT = (10.0, 30.0)

KIN = (("nrc-cnrc.gc.ca", "canfar.net"),)
"""Domains of one owner: services of CADC are at both, its log-in at the second."""


class Refusal(JvizError):
    """Nobody was let in; the sentence says why."""

    status = 401


@dataclass(frozen=True)
class Challenge:
    """How a server wants to know who asks: ``scheme`` is one of `SCHEMES`; where and how the password is given."""

    scheme: str
    access_url: str
    standard_id: str


@dataclass(frozen=True)
class Permit:
    """What proves who asks: a token for one host, or cookies."""

    token: str = ""
    cookies: CookieJar | None = None

    def show(self, request: Any) -> None:
        """Put it into a request, in the place of the password."""
        request.headers.pop("Authorization", None)
        if self.token:
            request.headers["Authorization"] = f"Bearer {self.token}"
        if self.cookies is not None:
            names = {cookie.name for cookie in self.cookies}
            others = [pair for pair in request.headers.pop("Cookie", "").split("; ")
                      if pair and pair.partition("=")[0] not in names]  # fmt: skip
            shown = [get_cookie_header(self.cookies, request) or "", *others]
            if any(shown):
                request.headers["Cookie"] = "; ".join(filter(None, shown))


def challenge_in(reply: requests.Response) -> Challenge | None:
    """Return how a server lets in whom it has not let in yet; None when it does not say, or in no way that is known."""
    if not (reply.status_code in (401, 403) or reply.ok) or CONFIRMED in reply.headers:
        return None
    found: list[tuple[str, dict[str, str]]] = []
    for word in WORD.finditer(reply.headers.get("WWW-Authenticate", "")):
        if word["scheme"]:
            found.append((word["scheme"].lower(), {}))
        elif found:
            value = re.sub(r"\\(.)", r"\1", word["quoted"]) if word["quoted"] is not None else word["plain"]
            found[-1][1][word["name"].lower()] = value
    known = [Challenge(scheme, about["access_url"], about.get("standard_id", BY_FORM).lower())
             for scheme, about in found if scheme in SCHEMES and about.get("access_url")]  # fmt: skip
    return min((each for each in known if each.standard_id in (BY_FORM, BY_BASIC)),
               key=lambda each: SCHEMES.index(each.scheme), default=None)  # fmt: skip


def may_go_to(asked: str, where: str) -> bool:
    """Whether the password for one address may be given at another: one of the same owner, encrypted as well."""
    first, second = urlsplit(asked), urlsplit(where)
    if second.scheme != "https" and (second.scheme != first.scheme or second.hostname != first.hostname):
        return False
    ours, theirs = _owner(first.hostname or ""), _owner(second.hostname or "")
    return ours == theirs or any({ours, theirs} <= set(kin) for kin in KIN)


def _owner(host: str) -> str:
    """Return the part of the name of a host that is bought: the last two words, three below such as ac.uk."""
    try:
        return str(ip_address(host))
    except ValueError:
        words = host.lower().split(".")
    return ".".join(words[-3 if len(words) > 2 and len(words[-1]) == 2 and len(words[-2]) <= 3 else -2 :])


class Permits:
    """The permits of this process: each is asked for once, however many requests want it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[tuple[str, tuple[str, str]], Permit] = {}

    def known(self, host: str, login: tuple[str, str]) -> Permit | None:
        """Return what was got for a name and a password at a host."""
        return self._known.get((host, login))

    def fresh(self, host: str, login: tuple[str, str], challenge: Challenge, asked: str,
              shown: Permit | None) -> Permit:  # fmt: skip
        """Return a permit that is another than the one that was shown in vain.

        Raises
        ------
        Refusal
            When the password is not taken, or would have to go where it must not.
        """
        with self._lock:
            found = self._known.get((host, login))
            if found is None or found is shown:
                found = self._known[host, login] = _obtained(challenge, login, asked)
            return found


def _nobody(request: Any) -> Any:
    """Show nothing: requests would look for another password in ~/.netrc."""
    return request


def _obtained(challenge: Challenge, login: tuple[str, str], asked: str) -> Permit:
    where, who = challenge.access_url, urlsplit(challenge.access_url).hostname or "nobody"
    if not may_go_to(asked, where):
        raise Refusal(f"{urlsplit(asked).hostname} wants the password to be given at {who}, which is another's or not "
                      "encrypted. jviz does not give it there.")  # fmt: skip
    if challenge.standard_id == BY_FORM:
        form = {"username": login[0], "password": login[1]}
        reply = requests.post(where, form, auth=_nobody, timeout=TIMEOUT, allow_redirects=False)
    else:
        name, password = (text.encode() for text in login)
        reply = requests.get(where, auth=(name, password), timeout=TIMEOUT, allow_redirects=False)
    if not reply.ok:
        why = "does not take this name and password" if reply.status_code in (400, 401, 403) else (
            f"does not let anybody log in (error {reply.status_code})")  # fmt: skip
        raise Refusal(f"{who} {why}.")
    if challenge.scheme == "ivoa_bearer":
        token = reply.headers.get(TOKEN, "").strip()
        if not token or not token.isascii() or not token.isprintable():
            raise Refusal(f"{who} gave no token for the password.")
        return Permit(token=token)
    cookies = RequestsCookieJar()
    extract_cookies_to_jar(cookies, reply.request, reply.raw)
    if not len(cookies):
        raise Refusal(f"{who} gave no cookie for the password.")
    return Permit(cookies=cookies)
