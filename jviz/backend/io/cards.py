"""FITS header cards, parsed by ourselves: many headers are indexed before the first picture.

Implements the card syntax of the FITS standard 4.0, section 4, with the CONTINUE and HIERARCH
conventions, and is lenient: what does not parse stays text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from functools import cached_property
from typing import Any

import numpy as np

__all__ = ["Card", "Header", "Keywords", "parse_cards", "parse_value"]

type Card = tuple[str, Any, str]

CARD = 80
_COMMENTARY = ("COMMENT", "HISTORY", "")
_FEW = 30
"""Values of a header that are looked for one by one; for more all its cards are indexed."""

_STRING = re.compile(r"\s*'((?:[^']|'')*)'\s*(?:/(.*))?", re.DOTALL)
_INTEGER = re.compile(r"[+-]? *\d+")
_REAL = re.compile(r"[+-]? *(?:\d+\.?\d*|\.\d+)(?:[eEdD] *[+-]? *\d+)?")
_COMPLEX = re.compile(rf"\( *({_REAL.pattern}) *, *({_REAL.pattern}) *\)")


class Header(Sequence[Card]):
    """The cards of one header, parsed when asked for.

    Parameters
    ----------
    block : bytes
        The header up to, and without, its END card; a multiple of 80 bytes.
    """

    def __init__(self, block: bytes) -> None:
        self.block = block
        self._asked = 0

    @cached_property
    def cards(self) -> tuple[Card, ...]:
        """All cards as ``(keyword, value, comment)``, CONTINUE cards joined."""
        return tuple(parse_cards(self.block))

    def get(self, keyword: str, default: Any = None) -> Any:
        """Return the value of the first card with this keyword without parsing the others."""
        start = self._start(keyword.ljust(8).encode())
        if start is None:
            return default
        end = start + CARD
        if not self.block.startswith(b"CONTINUE", end) and keyword not in _COMMENTARY:
            value = _plain(self.block[start + 8 : end])
            if value is not None:
                return value
        while self.block.startswith(b"CONTINUE", end):
            end += CARD
        value = next(parse_cards(self.block[start:end]))[1]
        return default if value is None else value

    def some(self, keywords: Set[bytes], prefix: bytes = b"") -> dict[str, Any]:
        """Return the values of those keywords that are there (8 bytes each), and of all that begin with a prefix."""
        found = self._starts.keys() & keywords
        if prefix:
            found |= {self.block[at : at + 8] for at in self._beginning(prefix)}
        names = [key.decode("latin-1").rstrip() for key in found]
        self._asked = _FEW + 1
        return {name: value for name in names if (value := self.get(name)) is not None}

    def _start(self, key: bytes) -> int | None:
        """Return where the first card of a keyword begins: found by looking, when only a few are ever asked for."""
        if self._asked > _FEW:
            return self._starts.get(key)
        self._asked += 1
        if len(key) > 8:
            return None
        at = self.block.find(key)
        if at < 0 or at % CARD == 0:
            return at if at >= 0 else None
        return next(self._beginning(key), None)

    def _beginning(self, start: bytes) -> Iterator[int]:
        """Yield where the cards are that begin with some bytes."""
        at = self.block.find(start)
        while at >= 0:
            if at % CARD == 0:
                yield at
            at = self.block.find(start, at + 1)

    @cached_property
    def _starts(self) -> dict[bytes, int]:
        count = len(self.block) // CARD
        keys = np.ndarray(count, "V8", self.block, 0, (CARD,)).tolist()
        # backwards, so that the first card of a repeated keyword wins
        return dict(zip(reversed(keys), range((count - 1) * CARD, -1, -CARD), strict=True))

    def __len__(self) -> int:
        return len(self.cards)

    def __getitem__(self, index: Any) -> Any:
        return self.cards[index]

    def __iter__(self) -> Iterator[Card]:
        return iter(self.cards)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self.cards == tuple(other)

    def __hash__(self) -> int:
        return hash(self.block)

    def __repr__(self) -> str:
        return f"<Header of {len(self.block) // CARD} cards>"


type Keywords = Header | Mapping[str, Any]


def parse_cards(block: bytes) -> Iterator[Card]:
    """Parse a header.

    Parameters
    ----------
    block : bytes
        A multiple of 80 bytes; bytes beyond ASCII are taken as Latin-1.

    Yields
    ------
    tuple
        ``(keyword, value, comment)``. An undefined value is None, a complex one ``complex``,
        HIERARCH keywords come without the word HIERARCH.
    """
    text = block.decode("latin-1")
    start, size = 0, len(text)
    while start < size:
        end = start + CARD
        while text.startswith("CONTINUE", end) and text[start : start + 8].rstrip() not in _COMMENTARY:
            end += CARD
        yield _parse_long(text[start:end]) if end - start > CARD else _parse_card(text[start:end])
        start = end


def _parse_card(card: str) -> Card:
    keyword = card[:8].rstrip()
    if card[8:10] == "= " and keyword not in _COMMENTARY:
        return keyword, *parse_value(card[10:])
    if keyword in ("HIERARCH", "CONTINUE"):
        return _parse_hierarch(card) if keyword == "HIERARCH" else _parse_orphan(card)
    if card[8:9] == "=" and keyword not in _COMMENTARY and not card[9:].startswith("="):
        return keyword, *parse_value(card[9:])
    return keyword, card[8:].rstrip(), ""


def _parse_hierarch(card: str) -> Card:
    keyword, equals, rest = card[9:].partition("=")
    if not equals:
        return "HIERARCH", card[8:].strip(), ""
    return keyword.strip(), *parse_value(rest)


def _parse_orphan(card: str) -> Card:
    value, comment = parse_value(card[10:])
    return "CONTINUE", value, comment


def _parse_long(cards: str) -> Card:
    keyword, value, comment = _parse_card(cards[:CARD])
    if not isinstance(value, str):
        return keyword, value, comment
    values, comments = [value], [comment]
    for start in range(CARD, len(cards), CARD):
        more, comment = parse_value(cards[start + 8 : start + CARD])
        values.append(more if isinstance(more, str) else "")
        comments.append(comment)
    joined = "".join(part.removesuffix("&") for part in values)
    return keyword, joined, " ".join(filter(None, comments))


def parse_value(field: str) -> tuple[Any, str]:
    """Parse the value and comment of a card (columns 11 to 80).

    Returns
    -------
    tuple
        ``(value, comment)``; the value is str, bool, int, float, complex or None (undefined).
        Text that follows no rule of the standard is returned as it stands.
    """
    string = _STRING.fullmatch(field)
    if string:
        text = string[1].replace("''", "'").rstrip()
        return text, (string[2] or "").strip()
    text, _, comment = field.partition("/")
    return _parse_free(text.strip()), comment.strip()


def _plain(card: bytes) -> Any:
    """Return the value of a card that follows the common forms, from its ninth byte on; None for any other."""
    if not card.startswith(b"= "):
        return None
    if card.startswith(b"'", 2):
        end = card.find(b"'", 3)
        rest = card[end + 1 :].lstrip()
        return card[3:end].decode("latin-1").rstrip() if end > 0 and (not rest or rest[0] == 47) else None
    text = card[2:].partition(b"/")[0].strip()
    if text in (b"T", b"F"):
        return text == b"T"
    if b"_" in text or not (text[-1:].isdigit() or text.endswith(b".")):
        return None
    try:
        return int(text) if text.lstrip(b"+-").isdigit() else float(text)
    except ValueError:
        return None


def _parse_free(text: str) -> Any:
    if text in ("T", "F"):
        return text == "T"
    if not text:
        return None
    if _INTEGER.fullmatch(text):
        return int(text.replace(" ", ""))
    if _REAL.fullmatch(text):
        return _real(text)
    if pair := _COMPLEX.fullmatch(text):
        return complex(_real(pair[1]), _real(pair[2]))
    return text


def _real(text: str) -> float:
    # FORTRAN writes double precision exponents as D
    return float(text.replace(" ", "").upper().replace("D", "E"))
