"""Short forms of long names in which what tells them apart is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

__all__ = ["told_apart"]

LONG, COMMON, LEAST = 22, 8, 8
"""Letters of a name that is cut, of a beginning that is worth leaving out, and of what is left."""


def told_apart(names: Iterable[str]) -> dict[str, str]:
    """Return names with what to write where there is little room.

    Parameters
    ----------
    names : iterable of str
        Products of one programme begin alike (``"jw09999001001_02101_00001_nrcb1_uncal"``), and differ where a
        shortened name has its dots.

    Returns
    -------
    dict of str
        For each name the same one, or "…" and what follows the part that another one begins with as well
        (``"…00001_nrcb1_uncal"``).
    """
    ordered = ["", *sorted(set(names)), ""]
    threes = zip(ordered, ordered[1:], ordered[2:], strict=False)
    found = {name: _cut(name, max(_shared(name, before), _shared(name, after))) for before, name, after in threes}
    said = Counter(found.values())
    return {name: short if said[short] == 1 else name for name, short in found.items()}


def _shared(name: str, other: str) -> int:
    """Return how many letters two names have in common, up to the last mark that parts words."""
    alike = next((n for n, (a, b) in enumerate(zip(name, other, strict=False)) if a != b), min(len(name), len(other)))
    start = name[: min(alike, max(len(name) - LEAST, 0))]
    return 1 + max(start.rfind(mark) for mark in "_-. ")


def _cut(name: str, shared: int) -> str:
    return f"…{name[shared:]}" if len(name) > LONG and shared >= COMMON else name
