"""Finding what a user means by a few letters."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Hit", "matched_letters", "ranked"]


@dataclass
class Hit:
    """Something that can be found and started.

    Attributes
    ----------
    title, note : str
        What is shown, and where it comes from ("View ▸ Zoom").
    words : str
        Further text that it is found by.
    keys : str
        Its shortcut.
    summary : str
        One line about it.
    """

    title: str
    run: Callable[[], Any]
    kind: str = "Command"
    note: str = ""
    words: str = ""
    keys: str = ""
    summary: str = ""
    enabled: bool = True
    weight: float = 0.0
    searched: str = field(init=False, default="")

    def __post_init__(self) -> None:
        self.searched = f"{self.title} {self.note} {self.words}".casefold()


def ranked(query: str, hits: Iterable[Hit]) -> list[Hit]:
    """Return the hits that fit, best first; an empty query keeps their order."""
    query = " ".join(query.casefold().split())
    if not query:
        return list(hits)
    scored = [(score(query, hit), number, hit) for number, hit in enumerate(hits)]
    return [hit for value, _, hit in sorted(scored, key=lambda s: (-s[0], s[1])) if value > 0]


def score(query: str, hit: Hit) -> float:
    """Say how well a hit fits: whole words first, then letters in order, then likeness for slips of the finger."""
    title = hit.title.casefold()
    bonus = hit.weight + (0 if hit.enabled else -15)
    if title.startswith(query):
        return 120 + bonus - len(title) / 100
    if all(_starts_a_word(part, hit.searched) for part in query.split()):
        in_title = sum(_starts_a_word(part, title) for part in query.split()) / len(query.split())
        return 90 + 20 * in_title + bonus - len(title) / 100
    initials = "".join(word[0] for word in re.findall(r"\w+", title))
    if initials.startswith(query.replace(" ", "")) and len(query) > 1:
        return 85 + bonus
    if query in hit.searched:
        return 75 + bonus
    from rapidfuzz import fuzz

    likeness = max(fuzz.WRatio(query, title), 0.9 * fuzz.partial_token_set_ratio(query, hit.searched))
    return likeness * 0.7 + bonus if likeness >= 70 else 0


def _starts_a_word(part: str, text: str) -> bool:
    return re.search(rf"(?<![^\W_]){re.escape(part)}", text) is not None


def matched_letters(query: str, title: str) -> set[int]:
    """Return the positions in a title to show in bold."""
    folded, found = title.casefold(), set()
    for part in query.casefold().split():
        at = folded.find(part)
        if at >= 0:
            found.update(range(at, at + len(part)))
    return found
