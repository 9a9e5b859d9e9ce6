"""When integrations were taken, as their file says."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

__all__ = ["Times", "times_of"]

COLUMNS = (
    ("int_mid_BJD_TDB", "BJD_TDB"), ("TDB-MID", "BJD_TDB"), ("int_mid_MJD_UTC", "MJD_UTC"), ("MJD-AVG", "MJD_UTC"),
    ("MJD-MID", "MJD_UTC"),
)  # fmt: skip
"""Columns (or keywords) of the middle of integrations, the best first, and their scale. JWST gives the barycentric
Julian date less 2,400,000.5 days (stdatamodels, schema int_times)."""


class Times(NamedTuple):
    """The middle of each integration: values in days, and what they are."""

    values: np.ndarray
    scale: str
    label: str
    unit: str


def times_of(path: Path | None, count: int, header: Any, order: int | None = None) -> Times:
    """Find the times of so many integrations, of a spectral order where there are several.

    From a table INT_TIMES, else another table or the extensions with such columns, else evenly between EXPSTART and
    EXPEND, else their numbers.
    """
    found = _in_file(path, count, header, order) if path is not None and Path(path).is_file() else None
    if found is not None:
        values, scale = found
        words = "BJD (TDB) − 2400000.5" if scale == "BJD_TDB" else "MJD (UTC)"
        return Times(values, scale, words, "d")
    start, end = header.get("EXPSTART"), header.get("EXPEND")
    if isinstance(start, float | int) and isinstance(end, float | int) and end > start:
        step = (end - start) / count
        return Times(start + step * (np.arange(count) + 0.5), "MJD_UTC", "MJD (UTC), evenly from EXPSTART", "d")
    return Times(np.arange(1.0, count + 1), "", "integration", "")


def _in_file(path: Path, count: int, header: Any, order: int | None) -> tuple[np.ndarray, str] | None:
    from astropy.io import fits

    try:
        with fits.open(path, memmap=False, lazy_load_hdus=True) as units:
            tables = [u for u in units if isinstance(u, fits.BinTableHDU)]
            tables.sort(key=lambda u: u.name != "INT_TIMES")
            for name, scale in COLUMNS:
                for table in tables:
                    known = {c.lower(): c for c in table.columns.names}
                    if name.lower() in known and len(table.data):
                        values = _rows_meant(table.data, known, np.asarray(table.data[known[name.lower()]]), header)
                        if values.shape == (count,) and np.isfinite(values).all():
                            return values.astype(float), scale
                mine = [u.header for u in units if order is None or u.header.get("SPORDER") == order]
                said = [cards[name] for cards in mine if isinstance(cards.get(name), float)]
                if len(said) == count:
                    return np.array(said), scale
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return None


def _rows_meant(rows: Any, known: dict[str, str], values: np.ndarray, header: Any) -> np.ndarray:
    """Return the rows of the integrations of this segment (INTSTART to INTEND) of an exposure."""
    first, last = header.get("INTSTART"), header.get("INTEND")
    if "integration_number" in known and isinstance(first, int) and isinstance(last, int):
        numbers = np.asarray(rows[known["integration_number"]])
        chosen = (numbers >= first) & (numbers <= last)
        if chosen.sum() == last - first + 1:
            return values[chosen]
    return values
