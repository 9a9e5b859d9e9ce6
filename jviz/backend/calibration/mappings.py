"""Rules for reference files: the mappings of CRDS, read without running anything that stands in them.

Mappings are texts in the syntax of Python: a context (``.pmap``) names one for each instrument (``.imap``), which names
one for each type of reference files (``.rmap``). They are parsed, never executed; what is not a plain value or a
selector that is known here is refused.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from jviz.errors import JvizError

__all__ = ["Mapping", "Selector", "holds", "read_mapping"]

SELECTORS = frozenset({"Match", "UseAfter", "VersionAfter", "ClosestTime", "GeometricallyNearest", "Bracket"})
MOST = 4096
"""Mappings that are kept; a context of JWST has some 600."""


@dataclass(frozen=True, eq=False)
class Selector:
    """Choices of a rule by their keys: ``Match`` on values of keywords, ``UseAfter`` on dates."""

    kind: str
    choices: dict[Any, Any]


@dataclass(frozen=True)
class Mapping:
    """One mapping.

    Attributes
    ----------
    name : str
    header : dict
        What it is for: ``parkey`` (the keywords that choose), ``rmap_relevance``, ``substitutions`` …
    selector : dict or Selector
    """

    name: str
    header: dict[str, Any]
    selector: Any


def read_mapping(path: Path) -> Mapping:
    """Read a mapping, kept until the file changes.

    Raises
    ------
    JvizError
        When there is none, or it holds what no mapping may.
    """
    try:
        return _read(path, path.stat().st_mtime_ns)
    except FileNotFoundError:
        text = f"The CRDS mapping {path.name} is not in {path.parent}. Sync the context, or choose another."
        raise JvizError(text) from None
    except (OSError, SyntaxError, ValueError) as error:
        raise JvizError(f"The CRDS mapping {path} cannot be read: {error}. Remove it and sync the context.") from None


@lru_cache(maxsize=MOST)
def _read(path: Path, _: int) -> Mapping:
    found: dict[str, Any] = {}
    for statement in ast.parse(path.read_text()).body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            found[statement.targets[0].id] = _value(statement.value)
    if not isinstance(found.get("header"), dict) or "selector" not in found:
        raise ValueError("there is no header or no selector")
    return Mapping(path.name, found["header"], found["selector"])


def _value(node: ast.expr) -> Any:
    """Return what an expression of literals and selectors says."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Tuple):
        return tuple(_value(part) for part in node.elts)
    if isinstance(node, ast.List):
        return [_value(part) for part in node.elts]
    if isinstance(node, ast.Dict) and all(key is not None for key in node.keys):
        return {_value(key): _value(part) for key, part in zip(node.keys, node.values, strict=True)}
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SELECTORS:
        return Selector(node.func.id, _value(node.args[0]) if node.args else {})
    raise ValueError(f"line {node.lineno} holds {ast.unparse(node)[:40]!r}, which is no value")


# --- conditions ---------------------------------------------------------------------------------------


def holds(text: str, keys: dict[str, str]) -> bool:
    """Say whether a condition on keywords holds, such as ``(META.EXPOSURE.TYPE not in ("NRC_IMAGE",))``.

    Parameters
    ----------
    text : str
        Comparisons, ``in``, ``and``, ``or``, ``not``; ``always`` holds.
    keys : dict
        Values by name, such as ``META.EXPOSURE.TYPE``; others are UNDEFINED.

    Raises
    ------
    ValueError
        For anything else.
    """
    text = text.strip()
    if text in ("always", "True", ""):
        return True
    if text == "False":
        return False
    return bool(_said(ast.parse(re.sub(r"\s+", " ", text), mode="eval").body, keys))


def _said(node: ast.expr, keys: dict[str, str]) -> Any:
    if isinstance(node, ast.BoolOp):
        parts = (bool(_said(part, keys)) for part in node.values)
        return all(parts) if isinstance(node.op, ast.And) else any(parts)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return not _said(node.operand, keys)
    if isinstance(node, ast.Compare):
        return _compared(node, keys)
    if isinstance(node, ast.Attribute | ast.Name):
        return keys.get(ast.unparse(node).upper(), "UNDEFINED")
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Tuple | ast.List):
        return tuple(_said(part, keys) for part in node.elts)
    raise ValueError(f"{ast.unparse(node)!r} is no condition")


def _compared(node: ast.Compare, keys: dict[str, str]) -> bool:
    left = _said(node.left, keys)
    for operator, right_node in zip(node.ops, node.comparators, strict=True):
        right = _said(right_node, keys)
        known = {
            ast.Eq: lambda a, b: a == b, ast.NotEq: lambda a, b: a != b, ast.In: lambda a, b: a in b,
            ast.NotIn: lambda a, b: a not in b, ast.Lt: lambda a, b: a < b, ast.LtE: lambda a, b: a <= b,
            ast.Gt: lambda a, b: a > b, ast.GtE: lambda a, b: a >= b,
        }  # fmt: skip
        if type(operator) not in known:
            raise ValueError(f"{ast.unparse(node)!r} is no condition")
        if not known[type(operator)](left, right):
            return False
        left = right
    return True
