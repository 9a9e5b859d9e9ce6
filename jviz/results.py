"""What commands found out: tables, numbers and texts, kept in the order in which they came."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from jviz.data import Data
from jviz.errors import CommandError
from jviz.jobs import Job
from jviz.subsets import Subset
from jviz.views import State

__all__ = ["Result", "Results", "as_table", "counted", "entries", "is_result", "said"]

MOST = 200
MOST_BYTES = 256 << 20
"""Results beyond these numbers go, the oldest first; the newest always stays."""

NO_RESULT = (Data, State, Subset, Job, Path, bool)
"""What commands return besides results: things that the session shows in other places."""

SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True, eq=False)
class Result:
    """One thing that a command found out.

    Attributes
    ----------
    number : int
        Counted from 1 in a session.
    title : str
        Of the command.
    value : Table, number, Quantity, text, dict or another object
        As the caller of the command gets it.
    line : str
        The Python that gives it again; empty when there is none.
    command : str
        Id of the command.
    """

    number: int
    title: str
    value: Any
    line: str = ""
    command: str = ""
    when: float = field(default_factory=time.time)

    @property
    def text(self) -> str:
        """The value in one line."""
        return said(self.value)

    @property
    def nbytes(self) -> int:
        """Memory of its arrays."""
        columns = self.value.itercols() if _is_table(self.value) else (self.value,)
        return sum(int(getattr(column, "nbytes", 0)) for column in columns)


class Results:
    """The results of a session, oldest first.

    Parameters
    ----------
    changed : callable
        Called without arguments after each change.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self._items: tuple[Result, ...] = ()
        self._count = 0
        self._changed = changed

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Result]:
        return iter(self._items)

    def __getitem__(self, number: int) -> Result:
        """Return the result of a number; -1 is the last one.

        Raises
        ------
        CommandError
            When there is none (any more).
        """
        if number < 0 and -number <= len(self._items):
            return self._items[number]
        for result in self._items:
            if result.number == number:
                return result
        there = ", ".join(str(r.number) for r in self._items[-10:]) or "none yet"
        raise CommandError(f"There is no result {number}; the last ones are {there}.")

    def of(self, value: Any, command: str) -> Result | None:
        """Return the result of a command that holds this very object: small numbers are one object everywhere."""
        return next((r for r in reversed(self._items) if r.value is value and r.command == command), None)

    def add(self, title: str, value: Any, line: str = "", command: str = "") -> Result | None:
        """Keep a value; None when it is nothing to show."""
        if not is_result(value):
            return None
        self._count += 1
        result = Result(self._count, title, value, line, command)
        self._items = _bounded((*self._items, result))
        self._changed()
        return result

    def follow(self, command: str, title: str, value: Any) -> Result | None:
        """Keep the present value of something that grows: one result of this title, the newest; None takes it away."""
        self._items = tuple(r for r in self._items if (r.command, r.title) != (command, title))
        if value is None:
            self._changed()
            return None
        return self.add(title, value, f"session.run({command!r})", command)

    def remove(self, result: Result) -> None:
        """Forget a result; its number is not given again."""
        self._items = tuple(r for r in self._items if r is not result)
        self._changed()

    def clear(self) -> None:
        """Forget all."""
        self._items = ()
        self._changed()


def _bounded(items: tuple[Result, ...]) -> tuple[Result, ...]:
    items = items[-MOST:]
    total = sum(item.nbytes for item in items)
    while len(items) > 1 and total > MOST_BYTES:
        total -= items[0].nbytes
        items = items[1:]
    return items


def is_result(value: Any) -> bool:
    """Whether a command's value is something to show, and not data, views, files or nothing."""
    if value is None or isinstance(value, NO_RESULT):
        return False
    if isinstance(value, list | tuple):
        return bool(value) and not all(v is None or isinstance(v, NO_RESULT) for v in value)
    return not (isinstance(value, str | Mapping) and not value)


# --- words --------------------------------------------------------------------------------------


def said(value: Any) -> str:
    """Say a value in one line: ``"3.214 ± 0.012 Jy"``, ``"120 rows, 8 columns"``."""
    if _is_table(value):
        return f"{counted(len(value), 'row')}, {counted(len(value.colnames), 'column')}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {text}" for name, text in entries(value)[:6])
    number, error, unit = _measured(value)
    if number is not None:
        return f"{_with_error(number, error)} {unit}".strip()
    if isinstance(value, list | tuple) and value and all(isinstance(item, int | float) for item in value):
        return ", ".join(said(item) for item in value)
    return " ".join(str(value).split())


def counted(number: int, word: str) -> str:
    """Say how many: ``"1 row"``, ``"1,200 rows"``."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def entries(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return names and texts of a dict; ``flux_err`` becomes the ± of ``flux``."""
    found = []
    for name, value in values.items():
        whose = name.removesuffix("_err") if isinstance(name, str) else name
        if whose != name and whose in values:
            continue
        number, error, unit = _measured(value)
        if number is not None and f"{name}_err" in values:
            error = _in_unit(values[f"{name}_err"], value)
        text = said(value) if number is None else f"{_with_error(number, error)} {unit}".strip()
        found.append((str(name).replace("_", " "), text))
    return found


def _in_unit(error: Any, value: Any) -> float | None:
    if hasattr(error, "to_value") and hasattr(value, "unit"):
        return float(error.to_value(value.unit))
    number, _, _ = _measured(error)
    return number


def _measured(value: Any) -> tuple[float | int | None, float | None, str]:
    """Take a number apart into value, uncertainty (or None) and unit; a value of None says that it is no number."""
    unit = getattr(value, "unit", None)
    plain = getattr(value, "value", value) if unit is not None else value
    if isinstance(plain, np.ndarray | np.generic):
        if plain.ndim or plain.dtype.kind not in "iuf":
            return None, None, ""
        plain = plain.item()
    if isinstance(plain, bool) or not isinstance(plain, int | float):
        return None, None, ""
    return plain, _uncertainty(value), "" if unit is None else unit.to_string()


def _uncertainty(value: Any) -> float | None:
    """Return the standard deviation that specutils and NDData hang on a value."""
    uncertainty = getattr(value, "uncertainty", None)
    if uncertainty is None:
        return None
    if hasattr(uncertainty, "represent_as"):
        from astropy.nddata import StdDevUncertainty

        uncertainty = uncertainty.represent_as(StdDevUncertainty).quantity
    return _in_unit(uncertainty, value)


def _with_error(number: float, error: float | None) -> str:
    """Write a value with as many digits as its uncertainty has a meaning for (two of its own)."""
    if error is None:
        return str(number) if isinstance(number, int) else f"{number:.7g}"
    if not (math.isfinite(number) and math.isfinite(error) and error > 0):
        return f"{number:.7g} ± {error:.2g}"
    power = math.floor(math.log10(max(abs(number), error)))
    if -4 <= power < 7:
        return _rounded(number, error)
    return f"({_rounded(number / 10.0**power, error / 10.0**power)}) × 10{str(power).translate(SUPERSCRIPTS)}"


def _rounded(number: float, error: float) -> str:
    digits = 1 - math.floor(math.log10(error))
    # 0.0996 rounds up to 0.10: the digits are those of the rounded error.
    digits = min(1 - math.floor(math.log10(round(error, digits))), 12)
    number, error = round(number, digits), round(error, digits)
    return f"{number:.{max(digits, 0)}f} ± {error:.{max(digits, 0)}f}"


# --- tables -------------------------------------------------------------------------------------


def _is_table(value: Any) -> bool:
    return hasattr(value, "colnames") and hasattr(value, "itercols")


def as_table(value: Any) -> Any:
    """Return a value as a ``QTable``: a dict or a number as one row, an array as one column.

    Raises
    ------
    CommandError
        When it is a text or another object that has no columns.
    """
    from astropy.table import QTable

    if _is_table(value):
        return value if isinstance(value, QTable) else QTable(value)
    if isinstance(value, Mapping):
        return QTable([{str(name): _cell(item) for name, item in value.items()}])
    number, error, _ = _measured(value)
    if number is not None:
        errors = {} if error is None else {"value_err": error * getattr(value, "unit", 1)}
        return QTable([{"value": _cell(value), **errors}])
    array = value if hasattr(value, "unit") else np.asarray(value)
    if array.dtype.kind in "biufU" and array.ndim == 1:
        return QTable({"value": array})
    raise CommandError(f"This result is no table ({type(value).__name__}); copy it as text.")


def _cell(value: Any) -> Any:
    number, _, _ = _measured(value)
    return value if number is not None or isinstance(value, str | bool | np.bool_) else said(value)
