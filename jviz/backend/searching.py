"""What a user may write in a search, be it of an archive or of the library on this machine."""

from __future__ import annotations

from typing import Any

import numpy as np

from jviz.errors import JvizError

__all__ = ["DATES", "WILD", "WORDS", "cells", "days_of", "pattern_of", "plain", "several", "spans_of"]

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


CODES = ("calib_level",)
"""Columns of whole numbers of which two are two alternatives, and no range."""

ROUND = ("s_ra", "targ_ra", "ra")
"""Columns of angles that begin anew at 360 degrees."""

type Span = tuple[float, float]


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


def spans_of(column: str, value: Any) -> list[Span]:
    """Return the ranges of numbers that a condition means, with both ends.

    Parameters
    ----------
    value : float, (float, float), str or list of these
        A number, (least, most), ``"least..most"``, or several numbers. A right ascension may go through zero:
        ``(350, 10)`` is both ``(350, 360)`` and ``(0, 10)``.

    Raises
    ------
    JvizError
        For what is no number, and for a range whose ends are exchanged.
    """
    if isinstance(value, list | tuple) and len(value) == 2 and column.lower() not in CODES:
        pairs = [(_number(column, value[0]), _number(column, value[1]))]
    else:
        pairs = [_ends(column, each) for each in several(value)]
    return [span for low, high in pairs for span in _rising(column, low, high)]


def _ends(column: str, value: Any) -> Span:
    first, dots, last = value.partition("..") if isinstance(value, str) else (value, "", value)
    return _number(column, first), _number(column, last if dots else first)


def _number(column: str, value: Any) -> float:
    try:
        found = float(value)
    except (TypeError, ValueError):
        found = np.nan
    if not np.isfinite(found):
        raise JvizError(f"{value!r} is no number, as {column} wants one. Write one number, (least, most), or "
                        "least..most.")  # fmt: skip
    return found


def _rising(column: str, low: float, high: float) -> list[Span]:
    """Return a range, in two parts where a right ascension goes through zero."""
    if column.lower() in ROUND:
        if abs(high - low) >= 360:
            return [(0.0, 360.0)]
        first, last = low % 360, high if 0 <= high <= 360 else high % 360
        return [(first, last)] if first <= last else [(first, 360.0), (0.0, last)]
    if low > high:
        raise JvizError(f"{column} cannot be from {low:g} to {high:g}: the ends of the range are exchanged.")
    return [(low, high)]


def days_of(value: Any) -> tuple[float, float]:
    """Return the modified Julian days that "2024-05-31", "2024-01-01..2024-05-31" or a pair of them span.

    Raises
    ------
    JvizError
        For what is no date, and for two whose order is wrong.
    """
    if isinstance(value, list | tuple) and len(value) == 2:
        first, last = value
    else:
        first, dots, last = str(value).partition("..")
        last = last if dots else first
    begin, end = _day(first, 0.0), _day(last, 1e6, whole=1.0)
    if begin > end:
        raise JvizError(f"A date cannot be from {first} to {last}: the ends of the range are exchanged.")
    return begin, end


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
