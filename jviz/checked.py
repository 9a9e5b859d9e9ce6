"""Properties of states whose values are checked when they are set, and the checks."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import numpy as np
from echo import CallbackProperty

from jviz.errors import CommandError

__all__ = [
    "Checked",
    "bit_colors",
    "bits",
    "colour",
    "colour_map",
    "hex_color",
    "knots",
    "layer_number",
    "levels",
    "like",
    "names",
    "number",
    "one_of",
    "pair",
    "plain",
    "positive",
    "sky_frame",
    "some_of",
    "whole",
]

COLOURS = {
    "black": "#000000", "white": "#ffffff", "red": "#ff0000", "green": "#00ff00", "blue": "#0000ff",
    "cyan": "#00ffff", "magenta": "#ff00ff", "yellow": "#ffff00", "orange": "#ffa500",
}  # fmt: skip
"""Those that DS9 knows by name."""


class Checked(CallbackProperty):
    """A property whose values pass a check that may convert them or raise `CommandError`."""

    def __init__(self, default: Any = None, check: Any = None, docstring: str | None = None) -> None:
        super().__init__(default=default, docstring=docstring)
        self._check = check

    def __set__(self, instance: Any, value: Any) -> None:
        super().__set__(instance, self._check(value) if self._check else value)


def plain(value: Any) -> Any:
    """Turn arrays and numbers of numpy into those of Python, which states hold."""
    return value.tolist() if type(value).__module__ == "numpy" and isinstance(value, np.ndarray | np.generic) else value


def like(default: Any, name: str, value: Any) -> Any:
    """Take a value of the kind of a default: a switch, a number, a text or a tuple; anything in place of others.

    Raises
    ------
    CommandError
        When it is of another kind.
    """
    if isinstance(default, bool):
        if value not in (True, False):
            raise CommandError(f"{name} is on or off: give True or False, not {value!r}.")
        return bool(value)
    if isinstance(default, int):
        return int(number(name=f"number for {name}")(value))
    if isinstance(default, str) and not isinstance(value, str):
        raise CommandError(f"{name} is a text; {value!r} is none.")
    return tuple(listed(value, name)) if isinstance(default, tuple) else value


def listed(value: Any, what: str) -> Iterable[Any]:
    """Take several things; None are none."""
    if isinstance(value, str) or not isinstance(value, Iterable | None):
        raise CommandError(f"{value!r} are no {what}; give them in brackets.")
    return () if value is None else value


def one_of(*choices: Any, name: str = "value") -> Any:
    """Make a check that lets only these through."""

    def check(value: Any) -> Any:
        if value.__hash__ is None or value not in choices:
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


def whole(low: float = -float("inf"), high: float = float("inf"), name: str = "number") -> Any:
    """Make a check for a whole number between two bounds; 1.5 is not taken for 1."""
    check = number(low, high, name)

    def check_whole(value: Any) -> int:
        found = check(value)
        if found != round(found):
            raise CommandError(f"The {name} is {found:g}; it must be a whole number.")
        return int(found)

    return check_whole


def positive(name: str) -> Any:
    """Make a check for a number above 0, or None."""

    def check(value: Any) -> float | None:
        value = None if value is None else number(name=name)(value)
        if value is not None and not value > 0:
            raise CommandError(f"The {name} is {value:g}; it must be above 0.")
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


def colour(value: Any, of_what: str = "") -> str:
    """Take a colour, or "" for the usual one."""
    found = "" if value in ("", None) else hex_color(value)
    if not found and value not in ("", None):
        raise CommandError(f"{value!r} is no colour{of_what}; write one as '#4cc9f0'.")
    return found


def hex_color(text: Any) -> str:
    """Return a colour as ``#rrggbb``, ``""`` for what is none.

    Colours are names of DS9, ``#rgb``, ``#rrggbb``, ``#rrrgggbbb``, or, as CARTA writes them, without the ``#``.
    """
    text = str(text).strip().lower()
    if text in COLOURS:
        return COLOURS[text]
    digits = re.fullmatch("#?([0-9a-f]{3}|[0-9a-f]{6}|[0-9a-f]{9})", text)
    if not digits:
        return ""
    each = len(digits[1]) // 3
    parts = (digits[1][i : i + each] for i in range(0, 3 * each, each))
    return "#" + "".join((2 * part)[:2] for part in parts)


def colour_map(value: Any) -> str:
    """Take the name of a colour map, or a colour: from black to that."""
    from jviz.backend.render.colormaps import colormap

    colormap(value if isinstance(value, str) else repr(value))
    return value


def knots(value: Any) -> tuple[tuple[float, float], ...]:
    """Take the knots of a spline: at least two, in 0 … 1, that rise."""
    from jviz.backend.render.stretch import stretch

    taken = tuple(pair(one) for one in listed(value, "knots"))
    stretch("spline", knots=taken)
    return taken


def sky_frame(value: Any) -> str:
    """Take the name of a frame of the sky."""
    from jviz.backend.render.frames import canonical

    try:
        return canonical(value)
    except ValueError as error:
        raise CommandError(str(error)) from None


def layer_number(value: Any) -> int | None:
    """Take the number of a layer, or None."""
    return None if value is None else int(number(0, 1e6, "number of a layer")(value))


def bits(value: Any) -> tuple[int, ...] | None:
    """Take numbers of bits, or None for all."""
    check = number(0, 31, "number of a bit")
    return None if value is None else tuple(sorted({int(check(bit)) for bit in listed(value, "bits")}))


def bit_colors(value: Any) -> tuple[tuple[int, str], ...]:
    """Take pairs of a bit and its colour."""
    try:
        pairs = dict(value or ())
    except (TypeError, ValueError):
        raise CommandError(f"{value!r} are no pairs of a bit and a colour, such as (10, '#ff8800').") from None
    check = number(0, 31, "number of a bit")
    return tuple(sorted((int(check(bit)), colour(color, f" for bit {bit}")) for bit, color in pairs.items()))


def names(value: Any) -> tuple[str, ...]:
    """Take a name, or several."""
    return (value,) if isinstance(value, str) else tuple(str(name) for name in listed(value, "names"))


def levels(value: Any) -> tuple[float, ...]:
    """Take values of contours."""
    check = number(name="level")
    return tuple(sorted(check(level) for level in listed(value, "levels")))
