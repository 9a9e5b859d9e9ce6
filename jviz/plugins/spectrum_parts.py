"""Numbers of spectra with units and errors, as panels tabulate them."""

from __future__ import annotations

import math
from collections.abc import Iterable

from jviz.api import pretty_unit

__all__ = ["row_titles", "with_error"]


def row_titles(rows: Iterable[tuple[str, str, str]], x_unit: str, y_unit: str) -> list[str]:
    """Name rows with units.

    Parameters
    ----------
    rows : iterable of (str, str, str)
        Name, title and unit of each: "x" and "y" are those of the axes, "xy" of an area; others stand for themselves.
    x_unit, y_unit : str
    """
    x, y = pretty_unit(x_unit), pretty_unit(y_unit)
    units = {"x": x, "y": y, "xy": f"{y} {x}".strip()}
    return [f"{title}\n{units.get(unit, unit)}".rstrip() for _, title, unit in rows]


def with_error(value: float, error: float) -> str:
    """Write a number with its error, to two digits of the error."""
    if not math.isfinite(value):
        return "–"
    if math.isfinite(error) and error > 0 and value:
        digits = max(2, min(10, math.floor(math.log10(abs(value))) - math.floor(math.log10(error)) + 2))
        return f"{value:.{digits}g} ± {error:.2g}"
    return f"{value:.5g}"
