"""The statements of region files: cut apart at semicolons, and into shapes and the operators between them."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Term", "pieces", "terms"]

_piece = re.compile(r"""(?:\{[^}]*\}|=\s*"[^"]*"|=\s*'[^']*'|[^;])+""")
_term = re.compile(r"\s*([-+!&|*,\s]*?)\s*([a-z]\w*)\s*(?:\(([^()]*)\)|\s((?:\{[^}]*\}|[^&|#])*))", re.IGNORECASE)
_more = re.compile(r"\s*(?:\|\||&&)\s*(?=#|$)")


@dataclass(frozen=True)
class Term:
    """One shape of a statement.

    Attributes
    ----------
    name, arguments : str
    sign : str
        "-" where the first shape is excluded.
    mode : str
        How it is put together with those before it: "or", "and", "andnot"; empty: not at all.
    """

    name: str
    arguments: str
    sign: str = ""
    mode: str = ""


def pieces(line: str) -> list[str]:
    """Split a line at semicolons that are not within a text."""
    return _piece.findall(line) if ";" in line else [line]


def terms(statement: str) -> tuple[list[Term], bool, str]:
    """Return the shapes of a statement, whether the composite goes on after it, and its properties.

    Notes
    -----
    ``a & b`` and ``a * b`` are what is in both, ``a | b`` and ``a + b`` what is in one of them; ``a - b``,
    ``a & !b`` and ``a * !b`` cut b out of a, as in CIAO. Commas part shapes of which each is a region.
    """
    found: list[Term] = []
    at = 0
    while not (more := _more.match(statement, at)) and (match := _term.match(statement, at)):
        signs = "".join(match[1].split())
        if found and not signs:
            break
        cut = "-" if signs.strip(",") in ("-", "!") else ""
        mode = _mode(signs) if found else ""
        found.append(Term(match[2], match[3] if match[3] is not None else match[4], "" if mode else cut, mode))
        at = match.end()
    rest = statement[more.end() if more else at :].strip()
    return found, bool(more), rest.removeprefix("#").strip()


def _mode(signs: str) -> str:
    if signs.startswith(","):
        return ""
    if "!" in signs or "-" in signs:
        return "andnot"
    return "and" if "&" in signs or "*" in signs else "or"
