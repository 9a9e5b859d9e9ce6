"""Which messages a page in a browser may send, and which addresses of this machine it may read.

A page learns of files of this machine only by what programs of this machine tell it, and speaks only of those. What a
page names first stays closed to all pages: else it could have a program say it back (as JSAMP's hub has it, too).
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from jviz.backend.samp.fetching import is_near
from jviz.errors import JvizError

__all__ = ["Addresses", "checked"]

SAFE = ("samp.app.", "table.", "image.", "coord.", "spectrum.", "coverage.", "bibcode.", "voresource.")
"""Beginnings of the messages that pages may send: none of them makes a program do more than open or show something."""

EXACT = ("samp.msg.progress",)
MOST = 10_000
"""Addresses that are remembered."""

DEEP = 8
"""How deep the values of a message may be nested."""


def checked(value: Any, depth: int = 0) -> Any:
    """Return a value that SAMP knows: texts, and lists and maps of them.

    Raises
    ------
    JvizError
        When it is another.
    """
    if isinstance(value, str):
        return value
    if depth < DEEP and isinstance(value, list | tuple):
        return [checked(part, depth + 1) for part in value]
    if depth < DEEP and isinstance(value, Mapping):
        return {str(name): checked(part, depth + 1) for name, part in value.items()}
    raise JvizError(f"SAMP knows texts, lists and maps of them, and no {type(value).__name__} here")


class Addresses:
    """What pages were told of, each on its own, and what they named themselves, all together."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told: dict[str, dict[str, None]] = {}
        self._named: dict[str, None] = {}

    def told(self, page: str, message: Any) -> None:
        """Take note of what a program of this machine tells a page."""
        with self._lock:
            known = self._told.setdefault(page, {})
            for text in _texts(message):
                if text not in self._named and _is_address(text) and len(known) < MOST:
                    known[text] = None

    def may_read(self, page: str, url: str) -> bool:
        """Whether a page was told of an address."""
        with self._lock:
            return url in self._told.get(page, {})

    def forget(self, page: str) -> None:
        """Forget what a page was told."""
        with self._lock:
            self._told.pop(page, None)

    def check(self, page: str, origin: str, message: Any) -> None:
        """Raise a sentence when a page may not send a message.

        Raises
        ------
        JvizError
        """
        mtype = message.get("samp.mtype", "") if isinstance(message, Mapping) else ""
        if not isinstance(mtype, str) or not (mtype.startswith(SAFE) or mtype in EXACT):
            raise JvizError(f"a page in a browser may not send {str(mtype)[:80]!r}")
        self.name(page, origin, message)

    def name(self, page: str, origin: str, message: Any) -> None:
        """Take note of what a page says.

        Raises
        ------
        JvizError
            When it speaks of a file or a server of this machine that nobody told it of.
        """
        with self._lock:
            known = self._told.get(page, {})
            strange = [text for text in _texts(message) if text not in known and _is_address(text)]
            self._named.update(dict.fromkeys(strange))
            if len(self._named) > MOST:
                raise JvizError("pages in a browser spoke of too many addresses")
        for text in strange:
            if _is_here(text) and not _same_server(text, origin):
                raise JvizError(f"a page in a browser may not speak of {text[:200]!r} on this machine")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _texts(part)
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _texts(part)


def _plain(text: str) -> str:
    """Return an address as the most lenient of programs reads it: Java leaves out "url:" in front, Python blanks."""
    plain = re.sub(r"[\x00-\x20\x7f-\xa0]", "", text[:2_000]).lower()
    return re.sub(r"^(?:url:|jar:|view-source:)+", "", plain)


def _is_address(text: str) -> bool:
    return re.match(r"(?:[a-z][a-z0-9+.-]*:/|file:)", _plain(text)) is not None


def _is_here(text: str) -> bool:
    """Whether an address is of this machine, or may be to some program."""
    plain = _plain(text)
    if plain.startswith("file:") or is_near(plain):
        return True
    host = urlsplit(plain).hostname or ""
    try:
        address = ip_address(host)
    except ValueError:
        # What ends in a number is one of the old ways to write addresses: 127.1, 2130706433, 0x7f000001.
        last = host.rstrip(".").rpartition(".")[2]
        return re.fullmatch(r"\d*|0x[0-9a-f]*", last) is not None or last in ("localhost", "local")
    return address.is_loopback or address.is_unspecified


def _same_server(text: str, origin: str) -> bool:
    """Whether an address is of the server that a page itself comes from."""
    asked, own = urlsplit(_plain(text)), urlsplit(origin)
    return (asked.scheme, asked.netloc) == (own.scheme, own.netloc)
