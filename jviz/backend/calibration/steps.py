"""What pipelines and steps are, as plain values: names, parameters, reference types, orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from jviz.errors import JvizError

__all__ = ["Catalogue", "Param", "Pipeline", "StepInfo"]

COMMON = ("pre_hooks", "post_hooks", "output_file", "output_dir", "output_ext", "output_use_model", "output_use_index",
          "save_results", "suffix", "search_output_file", "input_dir", "config_file", "name", "class")  # fmt: skip
"""Parameters of every step that a run sets itself."""


@dataclass(frozen=True)
class Param:
    """One parameter of a step.

    Attributes
    ----------
    type : str
        Of the specification: float, integer, boolean, string, option, float_list, int_list, list, force_list,
        input_file or output_file.
    default : object
    options : tuple of str
        Of an option.
    least, most : float or None
        Inclusive limits of a number, or of the length of a list.
    help : str
    """

    name: str
    type: str
    default: Any = None
    options: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None
    help: str = ""

    def checked(self, value: Any, step: str) -> Any:
        """Return a value in the type of the parameter.

        Raises
        ------
        JvizError
            Names the step, the parameter, and what it takes.
        """
        if value is None or value == "None":
            return None
        try:
            value = _CONVERTERS.get(self.type, _same)(value)
        except (TypeError, ValueError):
            raise JvizError(f"{self.name} of the step {step} cannot be {value!r}; it takes {_article(self)}.") from None
        if self.type == "option" and value not in self.options:
            raise JvizError(
                f"{self.name} of the step {step} cannot be {value!r}; choose one of {', '.join(self.options)}."
            )
        size = value if isinstance(value, int | float) else len(value) if isinstance(value, list) else None
        if size is not None and not isinstance(value, bool) and not self._within(size):
            what = "a value" if not isinstance(value, list) else "a number of values"
            raise JvizError(f"{self.name} of the step {step} is {value!r}; it takes {what} {self.range_text}.")
        return value

    @property
    def range_text(self) -> str:
        """What the limits say: "of at least 0", "" for none."""
        parts = [f"of at least {self.least:g}"] if self.least is not None else []
        parts += [f"of at most {self.most:g}"] if self.most is not None else []
        return " and ".join(parts)

    def _within(self, size: float) -> bool:
        return (self.least is None or size >= self.least) and (self.most is None or size <= self.most)


@dataclass(frozen=True)
class StepInfo:
    """One step: its names, what it reads from CRDS, its parameters.

    Attributes
    ----------
    name : str
        In its pipeline, and as command-line alias.
    class_name : str
        ``"jwst.step.JumpStep"``.
    references : tuple of str
        Types of the reference files that it reads.
    keyword : str
        Header keyword of its status (``S_…``), "" when there is none.
    inner : dict
        Of a step that is a pipeline itself: types of reference files by the names of its own steps.
    """

    name: str
    class_name: str
    title: str = ""
    params: tuple[Param, ...] = ()
    references: tuple[str, ...] = ()
    keyword: str = ""
    inner: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def param(self, name: str) -> Param:
        """Return a parameter by name.

        Raises
        ------
        JvizError
            When there is none.
        """
        for param in self.params:
            if param.name == name:
                return param
        known = ", ".join(param.name for param in self.params)
        raise JvizError(f"The step {self.name} has no parameter {name!r}; it takes {known}.")

    def checked(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return parameters in their types; see `Param.checked`."""
        return {name: self.param(name).checked(value, self.name) for name, value in values.items()}


@dataclass(frozen=True)
class Pipeline:
    """One pipeline: its steps in the order of each instrument.

    Attributes
    ----------
    orders : dict
        Names of steps in the order in which they run, by instrument (upper case; "" for all others), and by type of
        exposure where that has another order.
    """

    name: str
    class_name: str
    title: str
    steps: tuple[StepInfo, ...]
    params: tuple[Param, ...] = ()
    orders: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def step(self, name: str) -> StepInfo:
        """Return a step by name.

        Raises
        ------
        JvizError
            When there is none.
        """
        for step in self.steps:
            if step.name == name:
                return step
        raise JvizError(f"{self.name} has no step {name!r}; its steps are {', '.join(s.name for s in self.steps)}.")

    def ordered(self, instrument: str = "", kind: str = "") -> tuple[StepInfo, ...]:
        """Return the steps in the order in which they run for an instrument; those that do not run are left out.

        Parameters
        ----------
        kind : str
            EXP_TYPE, where it is known.
        """
        names = self.orders.get(kind.upper()) or self.orders.get(instrument.upper(), self.orders.get("", ()))
        return tuple(self.step(name) for name in names) or self.steps

    @property
    def references(self) -> dict[str, list[str]]:
        """Types of reference files and the steps that read each; ``"step.inner"`` where a step has steps of its own."""
        found: dict[str, list[str]] = {}
        for step in self.steps:
            readers = {f"{step.name}.{name}": kinds for name, kinds in step.inner.items()}
            for name, kinds in (readers or {step.name: step.references}).items():
                for kind in kinds:
                    found.setdefault(kind, []).append(name)
        return found


@dataclass(frozen=True)
class Catalogue:
    """All pipelines and steps of one version of jwst."""

    version: str
    pipelines: dict[str, Pipeline]
    steps: dict[str, StepInfo]

    @property
    def names(self) -> tuple[str, ...]:
        """Aliases of the pipelines, and of the steps that stand for one: pairs of wavefront sensing have such a one."""
        return (*self.pipelines, *(name for name in self.steps if name.startswith("calwebb_")))

    def pipeline(self, name: str) -> Pipeline:
        """Return a pipeline by its alias, with or without ``calwebb_``; a step that stands for one has itself in it.

        Raises
        ------
        JvizError
            When there is none.
        """
        for known in (name, f"calwebb_{name}"):
            if known in self.pipelines:
                return self.pipelines[known]
            if known in self.names:
                step = self.steps[known]
                return Pipeline(known, step.class_name, step.title, (step,), orders={"": (known,)})
        raise JvizError(f"There is no pipeline {name!r}; there are {', '.join(sorted(self.names))}.")

    def step(self, name: str) -> StepInfo:
        """Return a step by its alias.

        Raises
        ------
        JvizError
            When there is none.
        """
        if name not in self.steps:
            raise JvizError(f"There is no step {name!r}; there are {', '.join(sorted(self.steps))}.")
        return self.steps[name]

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` makes the catalogue of again."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Catalogue:
        """Make a catalogue of JSON values."""
        pipelines = {
            name: Pipeline(**{**each, "steps": _steps(each["steps"]), "params": _params(each["params"]),
                              "orders": {key: tuple(order) for key, order in each["orders"].items()}})
            for name, each in values["pipelines"].items()
        }  # fmt: skip
        steps = dict(zip(values["steps"], _steps(values["steps"].values()), strict=True))
        return cls(values["version"], pipelines, steps)


def _steps(values: Any) -> tuple[StepInfo, ...]:
    return tuple(
        StepInfo(**{**each, "params": _params(each["params"]), "references": tuple(each["references"]),
                    "inner": {name: tuple(kinds) for name, kinds in each["inner"].items()}})
        for each in values
    )


def _params(values: Sequence[Mapping[str, Any]]) -> tuple[Param, ...]:
    return tuple(Param(**{**each, "options": tuple(each["options"])}) for each in values)


def _same(value: Any) -> Any:
    return value


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    words = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
    if str(value).lower() not in words:
        raise ValueError
    return words[str(value).lower()]


def _integer(value: Any) -> int:
    if isinstance(value, bool) or (isinstance(value, float) and value != int(value)):
        raise ValueError
    return int(value)


def _float(value: Any) -> float:
    if isinstance(value, bool):
        raise ValueError
    return float(value)


def _list_of(convert: Any) -> Any:
    def converted(value: Any) -> list[Any]:
        if isinstance(value, str):
            value = [word.strip() for word in value.strip("[]() ").split(",") if word.strip()]
        elif not isinstance(value, list | tuple):
            value = [value]
        return [convert(item) for item in value]

    return converted


_CONVERTERS = {
    "boolean": _boolean, "integer": _integer, "float": _float, "string": str, "option": str, "input_file": str,
    "output_file": str, "float_list": _list_of(_float), "int_list": _list_of(_integer), "list": _list_of(_same),
    "force_list": _list_of(_same),
}  # fmt: skip

_WORDS = {"boolean": "true or false", "integer": "a whole number", "float": "a number", "string": "a text",
          "float_list": "numbers separated by commas", "int_list": "whole numbers separated by commas"}  # fmt: skip


def _article(param: Param) -> str:
    words = _WORDS.get(param.type, "another value")
    return f"{words} {param.range_text}".strip()
