"""Properties of states whose values are checked when they are set, and the checks."""

from __future__ import annotations

from typing import Any

from echo import CallbackProperty

from jviz.errors import CommandError

__all__ = ["Checked", "number", "one_of", "pair", "some_of"]


class Checked(CallbackProperty):
    """A property whose values pass a check that may convert them or raise `CommandError`."""

    def __init__(self, default: Any = None, check: Any = None, docstring: str | None = None) -> None:
        super().__init__(default=default, docstring=docstring)
        self._check = check

    def __set__(self, instance: Any, value: Any) -> None:
        super().__set__(instance, self._check(value) if self._check else value)


def one_of(*choices: Any, name: str = "value") -> Any:
    """Make a check that lets only these through."""

    def check(value: Any) -> Any:
        if value not in choices:
            raise CommandError(f"{value!r} is no {name}; choose one of {', '.join(map(str, choices))}.")
        return value

    return check


def pair(value: Any) -> tuple[float, float] | None:
    """Two finite numbers, or None."""
    if value is None:
        return None
    try:
        first, second = (float(v) for v in value)
    except (TypeError, ValueError):
        raise CommandError(f"{value!r} are not two numbers.") from None
    if not (abs(first) < float("inf") and abs(second) < float("inf")):
        raise CommandError(f"({first}, {second}) are not two finite numbers.")
    return (first, second)


def number(low: float = -float("inf"), high: float = float("inf"), name: str = "number") -> Any:
    """Make a check for a number between two bounds."""

    def check(value: Any) -> float:
        try:
            value = float(value)
        except (TypeError, ValueError):
            raise CommandError(f"{value!r} is no {name}.") from None
        if not low <= value <= high:
            raise CommandError(f"The {name} is {value:g}; it must lie between {low:g} and {high:g}.")
        return value

    return check


def some_of(*choices: str, name: str = "value") -> Any:
    """Make a check that turns names, or one of them, into a tuple in the order of the choices."""

    def check(value: Any) -> tuple[str, ...]:
        given = (value,) if isinstance(value, str) else tuple(value or ())
        for one in given:
            if one not in choices:
                raise CommandError(f"{one!r} is no {name}; choose from {', '.join(choices)}.")
        return tuple(choice for choice in choices if choice in given)

    return check
