"""What region files of DS9 say of a shape beside its numbers: names, colours, tags, and how it is drawn."""

from __future__ import annotations

import re
from collections.abc import Mapping

__all__ = ["ABOUT", "COMBINED", "is_alternate", "is_locked", "kept", "properties", "sized_about", "tags_of"]

COMBINED = "combined"
"""Tag of a composite that is one region: its members are added in turn, those with a minus sign cut out."""

LOCKS = ("edit", "move", "rotate", "delete")
"""Properties that are 0 where a region is locked."""

DEFAULTS = {
    "dash": "0", "dashlist": "8 3", "fill": "0", "font": "helvetica 10 normal roman", "select": "1", "highlite": "1",
    "edit": "1", "move": "1", "rotate": "1", "delete": "1", "fixed": "0", "background": "0", "point": "", "line": "0 0",
    "textangle": "0", "textrotate": "1",
}  # fmt: skip
"""What jviz does not draw by, but writes as it was read, with the values that are not written."""

_property = re.compile(r"""(\w+)\s*=\s*(?:\{([^}]*)\}|"([^"]*)"|'([^']*)'|(\S+))""")
_second = re.compile(r"\s+([\d.]+)(?=\s|$)")
_pairs = ("point", "line", "dashlist")
_background = re.compile(r"(?:^|\s)background(?=\s*$|\s+[^=\s])")


ABOUT = " about "
"""Stands between what sizes wait for and the place round which they count."""

_alternate = re.compile("wcs[a-z]")


def is_alternate(word: str) -> bool:
    """Whether a word names another WCS of an image: "wcsa"."""
    return bool(_alternate.fullmatch(word))


def sized_about(kind: str, place: tuple[float, float]) -> str:
    """Return the word for sizes that are the distances of vertices from a place."""
    return f"{kind}{ABOUT}{place[0]!r} {place[1]!r}"


def properties(text: str) -> dict[str, str]:
    """Return the properties that stand after a shape, by their names in lower case."""
    found: dict[str, str] = {}
    bare = text
    for match in _property.finditer(text):
        name, value = match[1].lower(), next((g for g in match.groups()[1:] if g is not None), "")
        if name in _pairs and match[5] and (second := _second.match(text, match.end())):
            value = f"{value} {second[1]}"
        found[name] = value
    if "background" in text:
        bare = _property.sub(" ", text)
        if _background.search(bare):
            found["background"] = "1"
    return found


def tags_of(text: str) -> list[str]:
    """Return all tags, of which there may be many."""
    if "tag" not in text:
        return []
    found = (match for match in _property.finditer(text) if match[1].lower() == "tag")
    return [next(group for group in match.groups()[1:] if group is not None) for match in found]


def is_locked(words: Mapping[str, str]) -> bool:
    """Whether hands shall leave a region as it is."""
    return words.get("select") == "0" or (words.get("edit") == "0" and words.get("move") == "0")


def kept(words: Mapping[str, str]) -> str:
    """Return the text of the properties that are written again as they are; empty for the usual ones.

    Whether a region is locked is said apart, for hands may change that.
    """
    left_out = (*LOCKS, "select") if is_locked(words) else ()
    names = [n for n, usual in DEFAULTS.items() if words.get(n, usual) != usual and n not in left_out]
    return " ".join("background" if n == "background" else f"{n}={_quoted(n, words[n])}" for n in names)


def _quoted(name: str, value: str) -> str:
    return f'"{value}"' if name == "font" else value
