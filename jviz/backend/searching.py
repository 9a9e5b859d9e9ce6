"""What a user may write in a search, be it of an archive or of the library on this machine."""

from __future__ import annotations

from typing import Any

import numpy as np

from jviz.errors import JvizError

__all__ = ["DATES", "WILD", "WORDS", "cells", "days_of", "pattern_of", "plain", "several"]

WORDS = {
    "instrument": "instrument_name", "program": "proposal_id", "pi": "proposal_pi", "filter": "filters",
    "collection": "obs_collection", "mission": "obs_collection", "level": "calib_level",
    "exposure_time": "t_exptime", "date": "t_min", "type": "dataproduct_type", "title": "obs_title",
    "moving_target": "mtFlag",
}  # fmt: skip
"""Words that people use for columns of ObsCore and of MAST."""

DATES = ("t_min", "t_max", "t_obs_release")

WILD = ("instrument_name", "proposal_pi", "filters", "target_name", "obs_title")
"""Columns in which a part of the text is enough: "MIRI" means MIRI/IMAGE, MIRI/MRS and the others."""


def several(value: Any) -> list[Any]:
    """Return alternatives: those of a list, a tuple or a set, else the value alone."""
    return list(value) if isinstance(value, list | tuple | set) else [value]


def cells(rows: Any, *names: str) -> list[Any] | None:
    """Return the values of the first of these columns in a table or a row; None when it is neither or has none."""
    there = getattr(rows, "colnames", ())
    name = next((name for name in names if name in there), None)
    if name is None:
        return None
    column = rows[name]
    return list(column) if getattr(column, "shape", ()) else [column]


def plain(value: Any) -> Any:
    """Return a cell of a table as JSON has it; None where there is no value."""
    if value is None or np.ma.is_masked(value) or bool(np.any(getattr(value, "mask", False))):
        return None
    value = getattr(value, "value", value)
    value = value.item() if isinstance(value, np.generic | np.ndarray) and np.ndim(value) == 0 else value
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    return value if isinstance(value, int | str | bool) else str(value)


def pattern_of(column: str, text: str) -> str:
    """Return a text with ``*`` for anything, put around it where a part of the column is enough."""
    text = text.replace("%", "*")
    return f"*{text}*" if column in WILD and "*" not in text else text


def days_of(value: Any) -> tuple[float, float]:
    """Return the modified Julian days that "2024-05-31", "2024-01-01..2024-05-31" or a pair of them span.

    Raises
    ------
    JvizError
        For what is no date.
    """
    if isinstance(value, list | tuple) and len(value) == 2:
        first, last = value
    else:
        first, dots, last = str(value).partition("..")
        last = last if dots else first
    return _day(first, 0.0), _day(last, 1e6, whole=1.0)


def _day(value: Any, missing: float, whole: float = 0.0) -> float:
    """Return one date; the end of a day when ``whole`` is 1 and no time is given."""
    from astropy.time import Time

    if isinstance(value, int | float):
        return float(value)
    text = str(value).strip()
    if not text:
        return missing
    try:
        return float(Time(text).mjd) + (whole if len(text) <= 10 else 0.0)
    except ValueError:
        raise JvizError(f"{text!r} is no date. Write 2024-05-31, or 2024-01-01..2024-05-31.") from None
