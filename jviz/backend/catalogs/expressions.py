"""Expressions over the columns of a table: with units, errors and texts; nothing of Python is run."""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from jviz.backend.expressions import Operand, evaluate, names_in, parsed
from jviz.backend.units import parse_unit
from jviz.errors import CommandError

__all__ = ["Values", "error_column", "names_of", "numbers", "renamed", "rows_where", "values_of"]

_quoted = re.compile(r"`([^`]+)`(\[[\d\s,]+\])?")
_element = re.compile(r"\b([A-Za-z_]\w*)(\[[\d\s,]+\])")
_part = re.compile(r"(.+?)\s*\[([\d\s,]+)\]")
_ERRORS = ("{}_err", "{}_error", "e_{}", "{}err", "err_{}", "{}_unc", "{}_uncertainty", "sigma_{}", "d{}")


@dataclass(frozen=True, eq=False)
class Values:
    """One number for each row of a table.

    Attributes
    ----------
    values : ndarray of float64, shape (n,)
        NaN where there is none.
    error : ndarray of float64 or None, shape (n,)
        One standard deviation, from columns such as ``flux_err``.
    unit : str
    label : str
        The expression.
    """

    values: np.ndarray
    error: np.ndarray | None
    unit: str
    label: str


def error_column(names: Sequence[str], name: str) -> str:
    """Return the column that holds the uncertainty of another one, ``""`` when there is none."""
    known = {n.lower(): n for n in names}
    patterns = [pattern.format(name.lower()) for pattern in _ERRORS]
    patterns.append(re.sub("^(mag|flux)_", r"\1err_", name.lower()))  # SExtractor: MAG_AUTO and MAGERR_AUTO
    found = (known.get(pattern) for pattern in patterns)
    return next((n for n in found if n and n != name), "")


def values_of(columns: Any, expression: str) -> Values:
    """Work out an expression for every row.

    Parameters
    ----------
    columns : mapping of str to TableColumn
    expression : str
        A name of a column, or numbers, names, + - * / ** and functions: ``F115W - F200W``,
        ``-2.5 * log10(flux / 3631)`` (of the numbers in the unit that the column has); names that are no Python
        words stand in backquotes: ```Ks mag` - J``; of a column with several numbers in a row, one: ``MAG_APER[0]``.

    Raises
    ------
    CommandError
        When it cannot be read, a column is missing, or units do not fit.
    """
    made = _evaluated(columns, expression)
    n = _rows(columns)
    values = np.broadcast_to(np.asarray(made.values, np.float64), (n,))
    error = None
    if made.variance is not None:
        with np.errstate(invalid="ignore"):
            error = np.broadcast_to(np.sqrt(np.asarray(made.variance, np.float64)), (n,))
    return Values(values, error, made.unit.to_string() if made.unit is not None else "", expression.strip())


def rows_where(columns: Any, expression: str) -> np.ndarray:
    """Return True for the rows for which a condition holds, ``(mag < 24) & (flags == 0)``.

    A comparison with a missing value neither holds nor fails, as in SQL: ``mag != 24`` and ``~(mag < 24)`` leave such
    rows out, ``(mag < 24) | (flags == 0)`` takes them where the flags are 0. ``~isfinite(mag)`` finds them, of texts
    ``name == ''``.

    Raises
    ------
    CommandError
        As `values_of`.
    """
    text = expression.strip()
    if text in columns:
        tree, operands = ast.Name(text), {text: _operand(columns, text)}
    else:
        tree, operands = _terms(columns, expression)
    holds = _explained(expression, lambda: _logic(tree, operands, expression)[0])
    return np.broadcast_to(holds, (_rows(columns),)).copy()


def _logic(node: ast.expr, operands: dict[str, _Term], text: str) -> tuple[np.ndarray, np.ndarray]:
    """Return where a condition holds, and where it is known whether it does (three-valued logic of Kleene)."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd | ast.BitOr):
        (first, known_first), (second, known_second) = (_logic(n, operands, text) for n in (node.left, node.right))
        both = known_first & known_second
        if isinstance(node.op, ast.BitOr):
            return first | second, both | first | second
        return first & second, both | (known_first & ~first) | (known_second & ~second)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Invert):
        holds, known = _logic(node.operand, operands, text)
        return known & ~holds, known
    values = np.asarray(evaluate(node, operands).values)
    if values.dtype.kind not in "biuf":
        raise CommandError(f"{text!r} is a text, not a number or a condition; compare it: name == 'star'.")
    if isinstance(node, ast.Compare):
        sides = (node.left, node.comparators[0])
        known = ~(_missing(sides[0], sides[1], operands) | _missing(sides[1], sides[0], operands))
    else:
        known = ~np.isnan(values)
    return (values != 0) & known, known


def _missing(node: ast.expr, other: ast.expr, operands: dict[str, _Term]) -> np.ndarray:
    """Return where one side of a comparison has no value; compared with an empty text a missing one is empty, too."""
    if isinstance(node, ast.Name | ast.Attribute) and (mask := operands[ast.unparse(node)].missing) is not None:
        empty = isinstance(other, ast.Constant) and other.value == ""
        return np.zeros(len(mask), bool) if empty else mask
    if isinstance(node, ast.Constant):
        return np.zeros((), bool)
    values = np.asarray(evaluate(node, operands).values)
    return np.isnan(values) if values.dtype.kind == "f" else np.zeros((), bool)


@dataclass(frozen=True)
class _Term(Operand):
    """A column in an expression; of texts it is told where there are none."""

    missing: Any = None


def _rows(columns: Any) -> int:
    return len(next(iter(columns.values())).values) if columns else 0


def _evaluated(columns: Any, expression: str) -> Operand:
    text = expression.strip()
    made = _operand(columns, text) if text in columns else _worked_out(columns, expression)
    if np.asarray(made.values).dtype.kind not in "biuf":
        raise CommandError(f"{expression!r} is a text, not a number or a condition; compare it: name == 'star'.")
    return made


def names_of(expression: str) -> list[str]:
    """Return the columns that an expression is made of, without backquotes.

    Raises
    ------
    CommandError
        When it cannot be read.
    """
    tree, names = _read(expression)
    return list(dict.fromkeys(_parted(names.get(name, name))[0] for name in names_in(tree)))


def _read(expression: str) -> tuple[Any, dict[str, str]]:
    """Return the tree of an expression, and the columns, or parts of them, for which words stand in."""
    names: dict[str, str] = {}

    def stand_in(match: re.Match) -> str:
        names[f"column_{len(names)}"] = match.group(1) + (match.group(2) or "")
        return f"column_{len(names) - 1}"

    # texts in quotes stay as they are
    parts = re.split(r"('[^']*'|\"[^\"]*\")", _quoted.sub(stand_in, expression))
    parts[::2] = [_element.sub(stand_in, part) for part in parts[::2]]
    return _Numbers().visit(parsed("".join(parts), texts=True)), names


def renamed(columns: Any, expression: str, old: str, new: str) -> str:
    """Return an expression with another name for a column.

    Parameters
    ----------
    columns : collection of str
        Names, the old one among them.
    """
    written = new if new.isidentifier() and not keyword.iskeyword(new) else f"`{new}`"
    if expression.strip() == old:
        return written
    if expression.strip() in columns:
        return expression
    word = rf"|(?<![\w.`]){re.escape(old)}(?![\w`(])" if old.isidentifier() else ""
    pattern = re.compile(rf"`{re.escape(old)}`{word}")
    parts = re.split(r"('[^']*'|\"[^\"]*\")", expression)
    parts[::2] = [pattern.sub(lambda _: written, part) for part in parts[::2]]
    return "".join(parts)


class _Numbers(ast.NodeTransformer):
    """Takes logarithms, exponentials and powers of the numbers that a table shows, whatever their unit."""

    def visit_Call(self, node: ast.Call) -> ast.expr:
        node.args = [self.visit(term) for term in node.args]
        if ast.unparse(node.func) in ("log", "log10", "exp"):
            node.args = [_value(term) for term in node.args]
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.op, ast.Pow):
            node.right = _value(node.right)
        return node


def _value(term: ast.expr) -> ast.expr:
    return ast.copy_location(ast.Call(ast.Name("value"), [term], []), term)


def _parted(name: str) -> tuple[str, tuple[int, ...]]:
    """Return the column that a name with numbers in brackets means, and the numbers."""
    found = _part.fullmatch(name)
    numbers = [word for word in found[2].split(",") if word.strip()] if found else []
    return (found[1], tuple(int(word) for word in numbers)) if found and numbers else (name, ())


def _terms(columns: Any, expression: str) -> tuple[ast.expr, dict[str, _Term]]:
    """Return the tree of an expression and the columns in it."""
    tree, names = _read(expression)
    operands = {}
    for name in names_in(tree):
        column = names.get(name, name)
        if column not in columns and (column := _parted(column)[0]) not in columns:
            raise CommandError(f"There is no column {column!r}; {_like(columns, column)}")
        operands[name] = _operand(columns, names.get(name, name))
    return tree, operands


def _worked_out(columns: Any, expression: str) -> Operand:
    tree, operands = _terms(columns, expression)
    made = _explained(expression, lambda: evaluate(tree, operands))
    written = [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Name | ast.Attribute)]
    again = [name for name, term in operands.items() if term.variance is not None and written.count(name) > 1]
    if again and made.variance is not None and np.asarray(made.values).dtype.kind == "f":
        return replace(made, variance=_variance(tree, operands))
    return made


def _variance(tree: ast.expr, operands: dict[str, _Term]) -> np.ndarray:
    """Return the variance of first order, where a column that stands twice in an expression is one and the same.

    It is Σ (∂f/∂x)² σ², the derivatives by central differences a thousandth of an error wide.
    """
    total = np.zeros(())
    for name, term in operands.items():
        if term.variance is None:
            continue
        sigma = np.sqrt(term.variance)
        step = np.maximum(1e-3 * sigma, 1e-7 * np.abs(term.values))
        moved = (replace(term, values=term.values + side * step) for side in (1, -1))
        up, down = (evaluate(tree, operands | {name: one}).values for one in moved)
        with np.errstate(all="ignore"):
            slope = (np.asarray(up, float) - down) / (2 * step)
            total = total + np.where(sigma == 0, 0.0, np.square(slope * sigma))
    return total


def _explained(expression: str, work: Callable[[], Any]) -> Any:
    """Call a function; what numpy says of texts among numbers becomes a sentence."""
    try:
        return work()
    except (TypeError, ValueError) as error:
        said = "it compares or adds up texts and numbers" if "ufunc" in str(error) else str(error)
        raise CommandError(f"{expression!r} cannot be worked out: {said}.") from None


def _operand(columns: Any, name: str) -> _Term:
    name, at = (name, ()) if name in columns else _parted(name)
    column = columns[name]
    wide = column.values.shape[1:]
    if len(at) != len(wide) or any(k >= n for k, n in zip(at, wide, strict=True)):
        one = ", ".join("0" for _ in wide)
        said = f"holds {wide} values a row; take one of them: {name}[{one}]" if wide else "holds one value a row"
        raise CommandError(f"The column {name} {said}.")
    if column.values.dtype.kind in "OUS":
        missing = np.zeros(len(column.values), bool) if column.mask is None else column.mask
        return _Term(_texts(column), missing=missing)
    unit = parse_unit(column.unit) if column.unit else None
    partner = error_column(list(columns), name)
    variance = None
    if partner and columns[partner].values.shape[1:] == wide and columns[partner].values.dtype.kind in "iuf":
        other = columns[partner]
        factor = _factor(other.unit, column.unit)
        variance = None if factor is None else np.square(numbers(other)[(slice(None), *at)] * factor)
    return _Term(numbers(column)[(slice(None), *at)], variance, None, unit)


def _texts(column: Any) -> np.ndarray:
    """Return a column of texts, empty ones where it has no value; at once where numpy holds them."""
    if column.values.dtype.kind == "U":
        return column.values if column.mask is None else np.where(column.mask, "", column.values)
    return np.asarray([column.exact(row) for row in range(len(column.values))])


def numbers(column: Any, rows: slice = slice(None)) -> np.ndarray:
    """Return a column as float64, or some rows of it, NaN where it has no value."""
    values = np.array(column.values[rows], np.float64)
    if column.mask is not None:
        values[column.mask[rows]] = np.nan
    return values


def _factor(unit: str, to: str) -> float | None:
    """Return by what an error must be multiplied, None when it is in a unit of something else."""
    if unit == to or not unit:
        return 1.0
    first, second = (Operand(0.0, unit=parse_unit(text) if text else None).unit for text in (unit, to))
    if first is None or second is None or not first.is_equivalent(second):
        return None
    return float(first.to(second))


def _like(columns: Any, wanted: str) -> str:
    from difflib import get_close_matches

    lower = {name.lower(): name for name in columns}
    near = [lower[n] for n in get_close_matches(wanted.lower(), lower, 3, 0.5)]
    if near:
        return f"did you mean {' or '.join(near)}?"
    names = list(columns)
    return f"there are {', '.join(names[:12])}{' …' if len(names) > 12 else ''}."
