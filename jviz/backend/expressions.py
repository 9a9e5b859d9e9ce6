"""Expressions of arrays: a small language of its own, with units, errors and flags; nothing of Python is run."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from jviz.errors import CommandError

__all__ = ["FUNCTIONS", "Operand", "evaluate", "names_in", "parsed"]

Array = Any


@dataclass(frozen=True)
class Operand:
    """A term of an expression.

    Attributes
    ----------
    values : ndarray or float
    variance : ndarray, float or None
        None: known without error.
    dq : ndarray or None
    unit : astropy unit or None
        None: a bare number, which takes the unit of what it is added to or compared with. mag(AB) and dex(cm/s2) are
        mag and dex: with astropy's units of logarithms that know of what they are nothing can be multiplied.
    """

    values: Array
    variance: Array = None
    dq: Array = None
    unit: Any = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "unit", getattr(self.unit, "function_unit", self.unit))


FUNCTIONS = {
    "sqrt": 1, "log": 1, "log10": 1, "exp": 1, "sin": 1, "cos": 1, "tan": 1, "abs": 1, "isfinite": 1, "where": 3,
    "min": 2, "max": 2, "clip": 3, "value": 1,
}  # fmt: skip
"""Functions of expressions and how many arguments each takes. ``value`` is a number in its unit, without the unit."""

_operations = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}
_comparisons: dict[type, Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
    ast.Eq: operator.eq, ast.NotEq: operator.ne,
}  # fmt: skip
_logic: dict[type, Any] = {ast.BitAnd: np.logical_and, ast.BitOr: np.logical_or}
_longest = 10_000


def parsed(expression: str, *, texts: bool = False) -> ast.expr:
    """Read an expression.

    Parameters
    ----------
    texts : bool
        Whether texts in quotes may stand in it, for comparisons.

    Raises
    ------
    CommandError
        When it is not one, or uses what the language does not have.
    """
    text = expression.strip()
    if not text or len(text) > _longest:
        raise CommandError("The expression is empty or too long; write something such as a - 2*b.")
    try:
        tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        place = getattr(error, "offset", None)
        where = f" at character {place}" if place else ""
        raise CommandError(f"{expression!r} cannot be read{where}; write something such as (a - b) / a.err.") from None
    tree = _Plain().visit(tree)
    _checked(tree, expression, texts)
    return tree


class _Plain(ast.NodeTransformer):
    """Writes ``a and b``, ``not a``, ``0 < a < 5`` and True as ``a & b``, ``~a``, ``(0 < a) & (a < 5)`` and 1."""

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        self.generic_visit(node)
        return _joined(node, node.values, ast.BitAnd() if isinstance(node.op, ast.And) else ast.BitOr())

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        self.generic_visit(node)
        op = ast.Invert() if isinstance(node.op, ast.Not) else node.op
        return ast.copy_location(ast.UnaryOp(op, node.operand), node)

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        return ast.copy_location(ast.Constant(int(node.value)), node) if isinstance(node.value, bool) else node

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        if any(isinstance(n, ast.BinOp) and type(n.op) in _logic for n in (node.left, *node.comparators)):
            raise CommandError("Put each comparison into brackets: (0 < a) & (a < 5), or write and, or.")
        self.generic_visit(node)
        terms = [node.left, *node.comparators]
        pairs = zip(terms, node.ops, terms[1:], strict=False)
        return _joined(node, [ast.copy_location(ast.Compare(a, [op], [b]), node) for a, op, b in pairs], ast.BitAnd())


def _joined(node: ast.expr, terms: list[ast.expr], op: ast.operator) -> ast.expr:
    made = terms[0]
    for term in terms[1:]:
        made = ast.copy_location(ast.BinOp(made, op, term), node)
    return made


def names_in(tree: ast.expr) -> list[str]:
    """Return the names of data in an expression, with planes as ``"a.err"``, in order of appearance."""
    found: list[str] = []
    for node in _walk(tree):
        name = _name(node)
        if name and name not in found:
            found.append(name)
    return found


def evaluate(tree: ast.expr, operands: Mapping[str, Operand]) -> Operand:
    """Work out an expression.

    Parameters
    ----------
    tree : ast.expr
        As `parsed` gives it.
    operands : mapping
        By the names that `names_in` gives.

    Returns
    -------
    Operand
        Errors are those of first order of terms that are independent of each other: ``a - a`` has √2 times
        the error of a. ``a**2`` is one term, and right.

    Raises
    ------
    CommandError
        When units do not fit.
    """
    with np.errstate(all="ignore"):
        return _evaluated(tree, operands)


def _name(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return f"{node.value.id}.{node.attr}"
    return ""


def _walk(node: ast.AST) -> Any:
    """Yield the terms; names of functions and what a dotted name starts with are none."""
    yield node
    if _name(node):
        return
    children = node.args if isinstance(node, ast.Call) else ast.iter_child_nodes(node)
    for child in children:
        yield from _walk(child)


def _checked(tree: ast.expr, text: str, texts: bool) -> None:
    for node in _walk(tree):
        if isinstance(node, ast.Call):
            _check_call(node)
        elif isinstance(node, ast.Constant):
            if texts and isinstance(node.value, str):
                continue
            if isinstance(node.value, bool) or not isinstance(node.value, int | float):
                raise CommandError(
                    f"{node.value!r} is no number; an expression has numbers, names, + - * / ** and functions."
                )
        elif isinstance(node, ast.Compare):
            if type(node.ops[0]) not in _comparisons:
                raise CommandError("Compare by < <= > >= == !=, each with one thing: (a == 1) | (a == 2).")
        elif isinstance(node, ast.expr) and not (_name(node) or isinstance(node, ast.BinOp | ast.UnaryOp)):
            raise CommandError(
                f"{ast.get_source_segment(text.strip(), node)!r} cannot be used in an expression; it has numbers, "
                f"names, + - * / **, comparisons, & | ~ and {', '.join(FUNCTIONS)}."
            )
        elif isinstance(node, ast.operator) and type(node) not in (*_operations, *_logic):
            raise CommandError(f"The operator {type(node).__name__} cannot be used; there are + - * / ** & |.")


def _check_call(node: ast.Call) -> None:
    name = ast.unparse(node.func)
    if name not in FUNCTIONS:
        raise CommandError(f"There is no function {name!r}; there are {', '.join(FUNCTIONS)}.")
    if len(node.args) != FUNCTIONS[name] or node.keywords:
        raise CommandError(
            f"{name} takes {FUNCTIONS[name]} argument{'s' * (FUNCTIONS[name] > 1)}, not {len(node.args)}."
        )


def _evaluated(node: ast.expr, operands: Mapping[str, Operand]) -> Operand:
    if name := _name(node):
        return operands[name]
    if isinstance(node, ast.Constant):
        return Operand(np.str_(node.value) if isinstance(node.value, str) else float(node.value))  # type: ignore[arg-type]
    if isinstance(node, ast.UnaryOp):
        return _unary(node.op, _evaluated(node.operand, operands))
    if isinstance(node, ast.Call):
        return _function(node.func.id, [_evaluated(n, operands) for n in node.args])  # type: ignore[attr-defined]
    if isinstance(node, ast.Compare):
        first, second = _evaluated(node.left, operands), _evaluated(node.comparators[0], operands)
        first, second = _alike(first, second, "compared")
        return Operand(_truth(_comparisons[type(node.ops[0])](first.values, second.values)), dq=_flags(first, second))
    assert isinstance(node, ast.BinOp)
    first, second = _evaluated(node.left, operands), _evaluated(node.right, operands)
    if type(node.op) in _logic:
        return Operand(_truth(_logic[type(node.op)](first.values != 0, second.values != 0)), dq=_flags(first, second))
    return _binary(_operations[type(node.op)], first, second)


def _truth(values: Any) -> Any:
    return np.asarray(values, np.float32)


def _unary(op: ast.unaryop, term: Operand) -> Operand:
    if isinstance(op, ast.USub):
        return Operand(-term.values, term.variance, term.dq, term.unit)
    if isinstance(op, ast.UAdd):
        return term
    return Operand(_truth(np.logical_not(term.values != 0)), dq=term.dq)


def _binary(op: str, first: Operand, second: Operand) -> Operand:
    dq = _flags(first, second)
    a, b = first.values, second.values
    if op in "+-":
        first, second = _alike(first, second, "added" if op == "+" else "subtracted")
        values = first.values + second.values if op == "+" else first.values - second.values
        return Operand(values, _sum(first.variance, second.variance), dq, first.unit)
    if op == "*":
        variance = _sum(_times(first.variance, b * b), _times(second.variance, a * a))
        return Operand(a * b, variance, dq, _product(first.unit, second.unit, 1))
    if op == "/":
        a, b = np.asarray(a), np.asarray(b)
        values = np.where(b == 0, np.nan, a / np.where(b == 0, 1, b))
        variance = _sum(_times(first.variance, 1 / (b * b)), _times(second.variance, (values / b) ** 2))
        return Operand(values, variance, dq, _product(first.unit, second.unit, -1))
    return _power(first, second, dq)


def _power(base: Operand, power: Operand, dq: Any) -> Operand:
    unit = base.unit
    exponent = _plain(power, "an exponent")
    if unit is not None and not _dimensionless(unit):
        if np.ndim(exponent):
            raise CommandError(f"A power of something in {unit} needs one number as exponent, not an image.")
        unit = unit ** float(exponent)
    elif unit is not None:
        base = _bare(base, "**")
    a = np.asarray(base.values, float) if not np.ndim(base.values) else base.values
    values = np.power(a, exponent)
    variance = _times(base.variance, np.square(exponent * np.power(a, exponent - 1)))
    return Operand(values, _sum(variance, _times(power.variance, np.square(values * np.log(a)))), dq, unit)


def _function(name: str, terms: list[Operand]) -> Operand:
    if name in ("where", "clip", "min", "max"):
        return _choosing(name, terms)
    term = terms[0]
    if name == "isfinite":
        return Operand(_truth(np.isfinite(term.values)), dq=term.dq)
    if name == "value":
        return Operand(term.values, term.variance, term.dq, _one())
    if name == "abs":
        return Operand(np.abs(term.values), term.variance, term.dq, term.unit)
    if name == "sqrt":
        values = np.sqrt(term.values)
        unit = None if term.unit is None else term.unit**0.5
        return Operand(values, _times(term.variance, 1 / (4 * np.asarray(term.values))), term.dq, unit)
    term = _radians(term, name) if name in ("sin", "cos", "tan") else _bare(term, name)
    values = getattr(np, name)(term.values)
    values = np.where(np.isinf(values), np.nan, values)
    x = np.asarray(term.values)
    slope = {
        "log": lambda: 1 / x, "log10": lambda: 1 / (x * np.log(10)), "exp": lambda: values, "sin": lambda: np.cos(x),
        "cos": lambda: np.sin(x), "tan": lambda: 1 / np.cos(x) ** 2,
    }[name]()  # fmt: skip
    return Operand(values, _times(term.variance, np.square(slope)), term.dq, _one())


def _choosing(name: str, terms: list[Operand]) -> Operand:
    """Take each pixel from one of the terms, with its error."""
    if name == "clip":
        return _choosing("min", [_choosing("max", terms[:2]), terms[2]])
    condition = terms[0] if name == "where" else None
    first, second = _alike(*terms[-2:], name)
    if condition is not None:
        take = np.asarray(condition.values != 0)
    else:
        # a NaN stays one: of the two the missing value is taken
        take = np.asarray(operator.le(first.values, second.values) if name == "min" else first.values >= second.values)
        take = take | np.isnan(first.values)
    variance = None
    if first.variance is not None or second.variance is not None:
        variance = np.where(take, *(0.0 if t.variance is None else t.variance for t in (first, second)))
    dq = _flags(*terms)
    if dq is not None:
        taken = np.where(take, *(0 if t.dq is None else t.dq for t in (first, second)))
        dq = taken if condition is None or condition.dq is None else taken | condition.dq
    return Operand(np.where(take, first.values, second.values), variance, dq, first.unit)


# --- units, errors and flags ------------------------------------------------------------------------


def _one() -> Any:
    from astropy.units import dimensionless_unscaled

    return dimensionless_unscaled


def _dimensionless(unit: Any) -> bool:
    return unit is None or unit.is_equivalent(_one())


def _logarithm(first: Any, second: Any) -> Any:
    """Return mag or dex where one of two units is it and the other none: ``m - 5 * log10(d)`` is a magnitude."""
    from astropy.units import dex, mag

    one, other = (first, second) if first in (mag, dex) else (second, first)
    return one if one in (mag, dex) and other not in (mag, dex) and _dimensionless(other) else None


def _alike(first: Operand, second: Operand, done: str) -> tuple[Operand, Operand]:
    """Bring the second to the unit of the first; a bare number takes the other's."""
    if first.unit is None or second.unit is None:
        unit = second.unit if first.unit is None else first.unit
        return tuple(Operand(t.values, t.variance, t.dq, unit) for t in (first, second))  # type: ignore[return-value]
    if first.unit == second.unit:
        return first, second
    if (unit := _logarithm(first.unit, second.unit)) is not None:
        first, second = (t if t.unit == unit else _bare(t, done) for t in (first, second))
        return tuple(Operand(t.values, t.variance, t.dq, unit) for t in (first, second))  # type: ignore[return-value]
    if not second.unit.is_equivalent(first.unit):
        names = [t.unit.to_string() or "no unit" for t in (first, second)]
        raise CommandError(
            f"{names[0]} and {names[1]} cannot be {done if done[-1] == 'd' else f'used together in {done}'}; multiply "
            "one by a number with the right meaning, or give images of the same kind."
        )
    factor = second.unit.to(first.unit)
    return first, Operand(second.values * factor, _times(second.variance, factor**2), second.dq, first.unit)


def _bare(term: Operand, name: str) -> Operand:
    """Return a number without unit."""
    if term.unit is None:
        return term
    if not _dimensionless(term.unit):
        raise CommandError(f"{name} needs a number without a unit, not one in {term.unit}; take value(…) or divide.")
    factor = term.unit.to(_one())
    return Operand(term.values * factor, _times(term.variance, factor**2), term.dq, _one())


def _radians(term: Operand, name: str) -> Operand:
    """Return an angle in radians; a bare number is taken as such."""
    from astropy.units import radian

    if term.unit is None or _dimensionless(term.unit):
        return _bare(term, name)
    if not term.unit.is_equivalent(radian):
        raise CommandError(f"{name} needs an angle or a number in radians, not something in {term.unit}.")
    factor = term.unit.to(radian)
    return Operand(term.values * factor, _times(term.variance, factor**2), term.dq, _one())


def _plain(term: Operand, name: str) -> Any:
    return _bare(term, name).values


def _product(first: Any, second: Any, power: int) -> Any:
    if first is None and second is None:
        return None
    first, second = (_one() if u is None else u for u in (first, second))
    return first * second if power > 0 else first / second


def _times(variance: Any, factor: Any) -> Any:
    return None if variance is None else variance * factor


def _sum(first: Any, second: Any) -> Any:
    if first is None or second is None:
        return second if first is None else first
    return first + second


def _flags(*terms: Operand) -> Any:
    dq = None
    for term in terms:
        if term.dq is not None:
            dq = term.dq if dq is None else dq | term.dq
    return dq
