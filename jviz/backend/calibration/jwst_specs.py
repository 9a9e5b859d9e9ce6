"""Reads what the JWST pipelines say of themselves; runs in a worker process only."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any

from jviz.backend.calibration.registry import SPECTRAL
from jviz.backend.calibration.steps import COMMON, Catalogue, Param, Pipeline, StepInfo

__all__ = ["catalogue"]

STATUS = {"dark_current": "dark_sub", "resample_spec": "resample", "stack_refs": "stack_psfs",
          "align_refs": "align_psfs"}  # fmt: skip
"""Attributes of ``meta.cal_step`` that are not named like their step."""

TYPES = {"is_string_or_datamodel": "input_file"}


def catalogue() -> Catalogue:
    """Return all pipelines and steps of the installed jwst."""
    import jwst
    from jwst.stpipe.integration import get_steps

    keywords = _status_keywords()
    pipelines, steps = {}, {}
    for class_name, alias, is_pipeline in get_steps():
        cls = _class(class_name)
        if is_pipeline:
            pipelines[alias] = _pipeline(cls, class_name, alias, keywords)
        else:
            steps[alias] = _step(cls, alias, class_name, keywords)
    return Catalogue(jwst.__version__, pipelines, steps)


def _class(name: str) -> Any:
    module, _, attribute = name.rpartition(".")
    return getattr(import_module(module), attribute)


def _pipeline(cls: Any, class_name: str, alias: str, keywords: dict[str, str]) -> Pipeline:
    steps = tuple(_step(step, name, f"jwst.step.{step.__name__}", keywords) for name, step in cls.step_defs.items())
    spec = cls.load_spec_file(preserve_comments=True)
    params = tuple(_param(spec, name) for name in spec if name not in (*COMMON, "skip", "steps"))
    return Pipeline(alias, class_name, _title(cls), steps, params, _orders(cls))


def _step(cls: Any, name: str, class_name: str, keywords: dict[str, str]) -> StepInfo:
    spec = cls.load_spec_file(preserve_comments=True)
    names = [key for key in spec if key not in (*COMMON, "steps") and not key.startswith("override_")]
    names.sort(key=lambda key: key == "skip")
    alias = cls.class_alias or name
    keyword = keywords.get(STATUS.get(alias, alias), keywords.get(name, ""))
    return StepInfo(name, class_name, _title(cls), tuple(_param(spec, key) for key in names),
                    _references(cls), keyword, _inner(cls))  # fmt: skip


def _references(cls: Any) -> tuple[str, ...]:
    """Return the types that a step reads; those of its own steps, where it is a pipeline itself."""
    if isinstance(inner := getattr(cls, "step_defs", None), dict):
        return tuple(dict.fromkeys(kind for step in inner.values() for kind in _references(step)))
    return tuple(cls.reference_file_types)


def _inner(cls: Any) -> dict[str, tuple[str, ...]]:
    """Return the types that the own steps of a step read, where it is a pipeline itself."""
    steps = getattr(cls, "step_defs", None)
    return {name: _references(step) for name, step in steps.items()} if isinstance(steps, dict) else {}


def _title(cls: Any) -> str:
    text = inspect.getdoc(cls) or cls.__name__
    return text.strip().splitlines()[0]


def _param(spec: Any, name: str) -> Param:
    """Take one line of a configuration specification apart."""
    from configobj.validate import Validator

    kind, values, options, default = Validator()._parse_with_caching(spec[name])
    comment = (spec.inline_comments.get(name) or "").lstrip("# ").strip()
    choices = tuple(map(str, values)) if kind == "option" else ()
    least, most = _limits(values if kind != "option" else (), options)
    return Param(name, TYPES.get(kind, kind), _default(kind, default), choices, least, most, comment)


def _limits(values: Any, options: dict[str, Any]) -> tuple[float | None, float | None]:
    found = [*values, None, None]
    least, most = options.get("min", found[0]), options.get("max", found[1])
    return (None if least in (None, "None") else float(least), None if most in (None, "None") else float(most))


def _default(kind: str, text: Any) -> Any:
    """Return the default of a specification, which is text there, in its type."""
    if text is None or text == "None":
        return None
    try:
        return Param("", TYPES.get(kind, kind)).checked(text, "")
    except Exception:
        return text


def _status_keywords() -> dict[str, str]:
    """Return the header keyword of each ``meta.cal_step`` attribute, as the schema has it."""
    from stdatamodels.jwst.datamodels import JwstDataModel

    found: dict[str, str] = {}

    def look(schema: Any) -> None:
        if not isinstance(schema, dict):
            return
        for name, inside in schema.get("properties", {}).items():
            if name == "cal_step":
                found.update({key: each.get("fits_keyword", "") for key, each in inside["properties"].items()})
            else:
                look(inside)
        for combined in schema.get("allOf", ()):
            look(combined)

    with JwstDataModel() as model:
        look(model.schema)
    return found


# --- the order in which steps run -----------------------------------------------------------------


def _orders(cls: Any) -> dict[str, tuple[str, ...]]:
    """Return the names of steps in their order by instrument, and by type of exposure where that has another one."""
    found = {instrument: _order(cls, instrument) for instrument in ("", "MIRI")}
    for kind in sorted(SPECTRAL):
        instrument = "MIRI" if kind.startswith("MIR_") else ""
        order = _order(cls, instrument, kind)
        if order != found[instrument]:
            found[kind] = order
    return found


def _order(cls: Any, instrument: str, kind: str = "") -> tuple[str, ...]:
    """Return the names of steps in the order in which the source of a pipeline runs them.

    ``step_defs`` has no order that can be relied on, MIRI goes another way than the near infrared, and some types of
    exposure go another way than others: the branches that test for one of these are followed.
    """
    found: list[str] = []
    seen: set[str] = set()
    names = vars(import_module(cls.__module__))

    def method(name: str) -> None:
        if name in seen or not hasattr(cls, name):
            return
        seen.add(name)
        try:
            body = _body(getattr(cls, name))
        except (OSError, TypeError):
            return
        for statement in body:
            visit(statement)

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.If) and (answer := _holds(node.test, instrument, kind, names)) is not None:
            for statement in node.body if answer else node.orelse:
                visit(statement)
            return
        for child in ast.iter_child_nodes(node):
            visit(child)
        if isinstance(node, ast.Call):
            called(ast.unparse(node.func))

    def called(name: str) -> None:
        parts = name.split(".")
        if parts[0] != "self":
            return
        if parts[1] in cls.step_defs and parts[2:] in ([], ["run"]):
            if parts[1] not in found:
                found.append(parts[1])
        elif len(parts) == 2 and parts[1] in vars(cls):
            method(parts[1])

    method("process")
    return tuple(found)


@cache
def _body(function: Any) -> list[ast.stmt]:
    """Return the statements of a function."""
    return ast.parse(textwrap.dedent(inspect.getsource(function))).body[0].body


def _holds(test: ast.AST, instrument: str, kind: str, names: Mapping[str, Any]) -> bool | None:
    """Return whether a test for an instrument or a type of exposure holds; None when it tests something else.

    Parameters
    ----------
    names : mapping
        What the module of the test knows: lists of types of exposure have names there.
    """
    if not (isinstance(test, ast.Compare) and len(test.ops) == 1):
        return None
    if isinstance(test.left, ast.Name) and test.left.id in ("exp_type", "exptype"):
        return _compares(test.ops[0], kind, _value(test.comparators[0], names)) if kind else None
    if not isinstance(test.ops[0], ast.Eq):
        return None
    words = [side.value.upper() for side in (test.left, *test.comparators)
             if isinstance(side, ast.Constant) and isinstance(side.value, str)]  # fmt: skip
    named = {"NIRCAM", "NIRISS", "NIRSPEC", "MIRI", "FGS"} & set(words)
    if not named or "instrument" not in ast.unparse(test):
        return None
    return instrument in named


def _value(node: ast.AST, names: Mapping[str, Any]) -> Any:
    """Return the text, or the list of texts, that a piece of source stands for; None for others."""
    if isinstance(node, ast.Name):
        return names.get(node.id)
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None


def _compares(operator: ast.AST, kind: str, value: Any) -> bool | None:
    if isinstance(operator, ast.In | ast.NotIn) and isinstance(value, list | tuple | set):
        return (kind in value) == isinstance(operator, ast.In)
    if isinstance(operator, ast.Eq | ast.NotEq) and isinstance(value, str):
        return (kind == value) == isinstance(operator, ast.Eq)
    return None
