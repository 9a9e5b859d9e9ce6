"""Lines over plots of catalogues: isochrones and tracks of a table, moved by distance and dust, and functions."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from jviz.backend.catalogs.expressions import numbers, rows_where, values_of
from jviz.backend.catalogs.extinction import filter_wavelength
from jviz.backend.expressions import Operand, evaluate, names_in, parsed
from jviz.errors import CommandError

__all__ = ["curve_of", "function_of", "is_magnitude", "moved_columns", "track_of"]

PARTS = ("logage", "zini", "mh", "m_h", "feh", "[fe/h]", "[m/h]", "log10_isochrone_age_yr", "isochrone_age_yr", "age",
         "log_age", "log_age_yr", "log(age/yr)", "star_mass_initial", "track")  # fmt: skip
"""Columns that are the same along one isochrone: where one of them changes, another line begins."""

_left = re.compile(r"^\s*([xy])\s*=(?!=)\s*(.*)$", re.DOTALL)


def is_magnitude(column: Any) -> bool:
    """Whether a column holds magnitudes, which distance and dust change; colours are none."""
    if not column.is_number or "-" in column.name or column.name.lower().endswith(("_err", "err")):
        return False
    return column.unit.startswith("mag") or (not column.unit and filter_wavelength(column.name) is not None)


def moved_columns(
    columns: Mapping[str, Any], modulus: float, reddening: float, extinction: Mapping[str, float]
) -> dict[str, Any]:
    """Return columns whose magnitudes are as at a distance and behind dust: m + μ + R(filter) E(B − V).

    Parameters
    ----------
    columns : mapping of str to TableColumn
    modulus : float
        Distance modulus μ, mag.
    reddening : float
        E(B − V), mag.
    extinction : mapping of str to float
        R = A(filter) / E(B − V) by column.
    """
    made = dict(columns)
    for name, column in columns.items():
        shift = (modulus if is_magnitude(column) else 0.0) + reddening * extinction.get(name, 0.0)
        if shift:
            made[name] = moved = copy.copy(column)
            moved.values = np.asarray(column.values, float) + shift
    return made


def track_of(columns: Mapping[str, Any], x: str, y: str, condition: str = "") -> tuple[np.ndarray, np.ndarray]:
    """Return places along the lines of a table, NaN between one line and the next.

    Parameters
    ----------
    columns : mapping of str to TableColumn
    x, y : str
        Expressions over the columns.
    condition : str
        Only rows for which it holds; a line is broken where rows are left out.

    Raises
    ------
    CommandError
        When an expression cannot be worked out.
    """
    along, up = (np.array(values_of(columns, text).values) for text in (x, y))
    if condition.strip():
        along[~rows_where(columns, condition)] = np.nan
    starts = np.zeros(max(len(along) - 1, 0), bool)
    for name in columns:
        if name.lower() in PARTS and columns[name].is_number:
            starts |= np.diff(numbers(columns[name])) != 0
    where = np.flatnonzero(starts) + 1
    return np.insert(along, where, np.nan), np.insert(up, where, np.nan)


def function_of(text: str) -> tuple[Literal["x", "y"], Any]:
    """Read a function of x (``0.5 * x - 3``, ``y = 24``) or of y (``x = 1.2``).

    Returns
    -------
    (str, ast.expr)
        The variable that it depends on, and what is worked out.

    Raises
    ------
    CommandError
        When it is none, or has other names.
    """
    found = _left.match(text)
    of: Literal["x", "y"] = "y" if found and found[1] == "x" else "x"
    tree = parsed(found[2] if found else text)
    other = [name for name in names_in(tree) if name != of]
    if other:
        raise CommandError(
            f"{text.strip()!r} has {', '.join(other)}; a function has numbers and {of}: 24.2 - 0.5 * x, or x = 1.5."
        )
    return of, tree


def curve_of(text: str, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return x and y of a function at values of its variable; NaN where it has none."""
    of, tree = function_of(text)
    made = np.broadcast_to(np.asarray(evaluate(tree, {of: Operand(values)}).values, float), values.shape)
    return (values, made) if of == "x" else (made, values)
