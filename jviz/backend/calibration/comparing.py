"""What a calibration changed: numbers, flags and header keywords of two products of one exposure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["Comparison", "FlagChange", "compared", "flag_changes", "keyword_changes"]

IGNORED = frozenset(
    ("", "COMMENT", "HISTORY", "DATE", "CHECKSUM", "DATASUM", "FILENAME", "PCOUNT", "GCOUNT", "EXTEND", "SIMPLE")
)
"""Keywords that say nothing of the calibration."""

BINS = 101


@dataclass(frozen=True)
class FlagChange:
    """How many pixels have one flag before and after, got it, and lost it."""

    name: str
    before: int
    after: int
    added: int
    removed: int


@dataclass(frozen=True)
class Comparison:
    """The differences of two products.

    Attributes
    ----------
    numbers : dict
        Median, robust scatter, percentiles … of before, after, their difference and their ratio.
    flags : list of FlagChange
        Only those that changed or are there.
    keywords : list of (str, object, object)
        Keyword, before, after; None where there is none.
    edges, counts : ndarray
        Histogram of the differences, between their 0.5th and 99.5th percentile.
    """

    numbers: dict[str, tuple[Any, Any, Any]] = field(default_factory=dict)
    flags: list[FlagChange] = field(default_factory=list)
    keywords: list[tuple[str, Any, Any]] = field(default_factory=list)
    edges: np.ndarray = field(default_factory=lambda: np.empty(0))
    counts: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))


def compared(
    before: np.ndarray,
    after: np.ndarray,
    *,
    flags: tuple[np.ndarray | None, np.ndarray | None] = (None, None),
    names: Mapping[int, str] | None = None,
    headers: tuple[Mapping[str, Any], Mapping[str, Any]] | None = None,
) -> Comparison:
    """Compare two arrays of the same shape, their flags and headers.

    Parameters
    ----------
    before, after : ndarray
        Of any shape, the same for both; NaN where there is nothing.
    flags : (ndarray, ndarray)
        Data quality arrays of the same shape.
    names : mapping
        Names of flags by bit.
    """
    both = np.isfinite(before) & np.isfinite(after)
    difference = np.subtract(after, before, where=both, out=np.full(before.shape, np.nan, np.float64))
    values = difference[both]
    numbers: dict[str, tuple[Any, Any, Any]] = {
        "pixels with a value": (*(int(np.isfinite(a).sum()) for a in (before, after)), int(both.sum())),
        "pixels that differ": (None, None, int(np.count_nonzero(values))),
    }
    edges, counts = np.empty(0), np.empty(0, np.int64)
    if values.size:
        old, new = before[both].astype(np.float64), after[both].astype(np.float64)
        for name, function in _STATISTICS.items():
            numbers[name] = (function(old), function(new), function(values))
        positive = np.abs(old) > 0
        if positive.any():
            numbers["median ratio"] = (None, None, float(np.median(new[positive] / old[positive])))
        low, high = np.percentile(values, (0.5, 99.5))
        wide = high - low > 1e-9 * max(abs(low), abs(high))
        span = (low, high) if wide else (low - 0.5, low + 0.5)
        counts, edges = np.histogram(values, BINS, span)
    return Comparison(numbers, flag_changes(*flags, names or {}), keyword_changes(*headers) if headers else [],
                      edges, counts)  # fmt: skip


def _scatter(values: np.ndarray) -> float:
    return float(1.4826 * np.median(np.abs(values - np.median(values))))


_STATISTICS = {
    "median": lambda values: float(np.median(values)),
    "mean": lambda values: float(np.mean(values)),
    "scatter (robust)": _scatter,
    "least": lambda values: float(np.min(values)),
    "greatest": lambda values: float(np.max(values)),
}


def flag_changes(before: np.ndarray | None, after: np.ndarray | None, names: Mapping[int, str]) -> list[FlagChange]:
    """Count how many pixels have each flag, and which got or lost it; nothing when one has no flags."""
    if before is None or after is None or before.shape != after.shape:
        return []
    old, new = (np.ascontiguousarray(flags).astype(np.uint32, copy=False) for flags in (before, after))
    found = []
    for bit in range(32):
        mask = np.uint32(1 << bit)
        was, now = (old & mask) != 0, (new & mask) != 0
        counts = int(was.sum()), int(now.sum())
        if any(counts):
            added, removed = int((now & ~was).sum()), int((was & ~now).sum())
            found.append(FlagChange(names.get(bit, f"bit {bit}"), *counts, added, removed))
    return found


def keyword_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """Return the keywords whose values differ, or that only one has, in alphabetical order."""
    names = {name for name in (*before, *after) if name not in IGNORED and not name.startswith("NAXIS")}
    rows = ((name, before.get(name), after.get(name)) for name in sorted(names))
    return [(name, old, new) for name, old, new in rows if old != new and not _both_nan(old, new)]


def _both_nan(old: Any, new: Any) -> bool:
    return isinstance(old, float) and isinstance(new, float) and old != old and new != new
