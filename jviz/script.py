"""Saying what was done as Python: script lines of commands and of changed states."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from jviz.data import Data
from jviz.errors import JvizError
from jviz.views import State, View

if TYPE_CHECKING:
    from jviz.commands import Command
    from jviz.session import Session

__all__ = ["Written", "command_line", "literal", "script_of", "state_lines"]

LARGE, LONG = 4 << 20, 2_000
"""Bytes above which an array, and rows above which a table, is stored when a script is asked for, and not while the
user waits."""


@dataclass(frozen=True)
class Written:
    """A value that was written as Python already, where that takes long and can be done beside the window."""

    text: str


def command_line(session: Session, command: Command, arguments: dict[str, Any]) -> str:
    """Return the line that runs a command with these arguments (defaults left out)."""
    try:
        line = _command_line(command, arguments)
        if command.id == "view.save":
            return "\n".join([*viewport_lines([session.find_view(arguments.get("view"))]), line])
        return line
    except JvizError as error:
        # A step that Python cannot say is no reason not to do it.
        return f"# {command.title.rstrip('…')}: {' '.join(str(error).split())}"


def _command_line(command: Command, arguments: dict[str, Any]) -> str:
    given = {n: v for n, v in arguments.items() if not _is_default(command, n, v)}
    words = [] if command.method else [repr(command.id)]
    if command.method and "paths" in given:
        words += [literal(path) for path in given.pop("paths")]
    words += [f"{name}={literal(value)}" for name, value in given.items()]
    return f"session.{command.method or 'run'}({', '.join(words)})"


def _is_default(command: Command, name: str, value: Any) -> bool:
    parameter = command.parameters.get(name)
    return parameter is not None and type(parameter.default) is type(value) and parameter.default == value


def state_lines(session: Session, state: State, changed: dict[str, Any]) -> list[str]:
    """Return the lines that set changed properties of a view or of one of its layers."""
    for name, view in session.views.items():
        if state is view:
            return _assignments(f"session.views[{name!r}]", changed)
        if state in view.layers:
            changed = _as_limits(changed)
            if state is view.layer and set(changed) <= set(view.lent):
                return _assignments(f"session.views[{name!r}]", changed)
            return _assignments(f"session.views[{name!r}].layers[{view.layers.index(state)}]", changed)
    return []


def _as_limits(changed: dict[str, Any]) -> dict[str, Any]:
    """Say manual limits the short way."""
    if "manual_limits" not in changed or changed.get("limits_mode", "manual") != "manual":
        return changed
    rest = {n: v for n, v in changed.items() if n not in ("manual_limits", "limits_mode")}
    return {**rest, "limits": changed["manual_limits"]}


def _assignments(target: str, changed: dict[str, Any]) -> list[str]:
    if len(changed) == 1 or "limits" in changed:
        return [f"{target}.{name} = {literal(value)}" for name, value in changed.items()]
    return [f"{target}.update({', '.join(f'{n}={literal(v)}' for n, v in changed.items())})"]


def viewport_lines(views: Iterable[View]) -> list[str]:
    """Return the lines that give views the size they have in the window: saved pictures show the same field then."""
    sized = [view for view in views if "viewport" in vars(view)]
    return [f"session.views[{view.name!r}].viewport = {literal(view.viewport)}" for view in sized]


def _ending(session: Session) -> str:
    """Return lines for what depends on the size of viewers, so that it is the same without them."""
    views = [view for view in session.views.values() if "viewport" in vars(view)]
    lines = viewport_lines(view for view in views if getattr(view, "scale", None) is not None or _from_view(view))
    for view in views:
        for number in _from_view(view):
            low_high = literal(view.layers[number].limits)
            lines.append(f"session.views[{view.name!r}].layers[{number}].shown_limits = {low_high}")
    return "".join(f"{line}\n" for line in lines)


def _from_view(view: View) -> list[int]:
    """Return which layers have limits of the pixels in sight."""
    layers = enumerate(view.layers)
    return [n for n, layer in layers if getattr(layer, "limits_from", "") == "view" and layer.limits_mode != "manual"]


def literal(value: Any) -> str:
    """Return Python source for a value that a command or a state takes.

    Data and views become their names; what has no short source (an array, an astropy object)
    becomes a call of ``jviz.kept.thaw`` on a copy that `jviz.kept.freeze` stores by its content.
    """
    if isinstance(value, Written):
        return value.text
    if isinstance(value, Data | View):
        return repr(value.name)
    if isinstance(value, Path):
        return repr(str(value))
    if value is None or isinstance(value, bool | int | float | str | bytes):
        return _plain(value)
    if isinstance(value, np.generic):
        return literal(value.item())
    if isinstance(value, tuple | list):
        return _sequence(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{literal(k)}: {literal(v)}" for k, v in value.items()) + "}"
    from jviz.source import source_of

    return source_of(value) or _kept(value)


def _kept(value: Any) -> str:
    from jviz.kept import freeze, promise

    if isinstance(value, np.ndarray) and value.nbytes > LARGE:
        return f"jviz.kept.thaw({promise(value)!r})"
    if len(getattr(value, "colnames", ())) and len(value) > LONG:
        from jviz.backend.catalogs.copies import copied

        return f"jviz.kept.thaw({promise(copied(value))!r})"  # columns may be added to that of the caller
    return f"jviz.kept.thaw({freeze(value)!r})"


def _plain(value: Any) -> str:
    if isinstance(value, float) and (value != value or abs(value) == float("inf")):
        return f"float({str(value)!r})"
    return repr(value)


def _sequence(value: tuple | list) -> str:
    inside = ", ".join(literal(v) for v in value)
    if isinstance(value, list):
        return f"[{inside}]"
    return f"({inside},)" if len(value) == 1 else f"({inside})"


HEAD = '''"""Repeats a jviz session without a window: python THIS_FILE, or jviz run THIS_FILE."""

'''


def script_of(session: Session) -> str:
    """Return the program that repeats a session, one line a step."""
    from jviz.kept import settled
    from jviz.source import modules_in

    lines = settled("".join(f"{line}\n" for entry in session.history for line in entry.lines))
    modules = sorted({"jviz", *modules_in(lines)}, key=lambda name: (name.startswith("jviz"), name))
    imports = "".join(f"import {name}\n" for name in modules)
    # Not the settings of whoever runs it: the views must come out the same.
    settings = session.settings.differing("image")
    return f"{HEAD}{imports}\nsession = jviz.Session(settings={literal(settings)})\n{lines}{_ending(session)}"
