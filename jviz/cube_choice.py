"""What users say about spectral axes: checked, put in place of what the file says, and remembered by file name."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from jviz.data import Cube, Data
from jviz.errors import CommandError
from jviz.replacing import put_in_place
from jviz.spectral import AxisChoice

__all__ = ["as_remembered", "choice_of", "choose", "is_unclear", "restored", "saved"]


def choice_of(cube: Cube, chosen: AxisChoice) -> AxisChoice:
    """Return a choice over an earlier one, checked.

    Raises
    ------
    CommandError
        When the cube has no such axis, or the unit is none.
    """
    axes = len(cube.filed.shape)
    if chosen.axis is not None and not -axes <= chosen.axis < axes:
        raise CommandError(f"{cube.name} has axes 0 to {axes - 1}; {chosen.axis} is none of them.")
    if chosen.axis is not None and axes != 3:
        raise CommandError(f"{cube.name} has {axes} axes; only those of three can be turned.")
    if (chosen.first is None) != (chosen.step is None):
        raise CommandError("Give both the value of the first channel and the step.")
    if chosen.step == 0:
        raise CommandError("The step is 0; give the distance between two channels.")
    _check_unit(chosen.unit)
    values = {n: v for n, v in asdict(chosen).items() if v not in (None, "")}
    if chosen.axis is not None:
        values["axis"] = chosen.axis % axes
    if chosen.rest is None:
        values.pop("rest_unit", None)
    elif not chosen.rest > 0:
        raise CommandError(f"The rest value is {chosen.rest:g}; it must be above 0.")
    return AxisChoice(**{**_given(cube.choice), **values})


def _check_unit(unit: str) -> None:
    if not unit:
        return
    from jviz.backend.spectra.axis import quantity_of_unit

    if quantity_of_unit(unit) == "channel":
        raise CommandError(f"{unit!r} is no unit of wavelength, frequency, energy or velocity; write um or GHz.")


def _given(choice: AxisChoice | None) -> dict[str, Any]:
    return {} if choice is None else {n: v for n, v in asdict(choice).items() if v not in (None, "")}


def choose(session: Any, cube: Cube, choice: AxisChoice, *, remember: bool) -> None:
    """Put a cube with another spectral axis in the place of one, everywhere (inside a change)."""
    new = Cube(cube.filed, cube.name, choice=choice)
    new.made_by = cube.made_by
    put_in_place(session, cube, new, turned=new.spectral != cube.spectral)
    if remember and cube.path is not None:
        session.settings["cube.axes"] = {**session.settings["cube.axes"], cube.path.name: _given(choice)}


def is_unclear(data: Data) -> bool:
    """Whether the file of a cube does not say what its channels are, and nobody else has; its axis is loaded."""
    if not isinstance(data, Cube) or data.path is None or data.choice is not None:
        return False
    return bool(data.axis.notes) and data.axis.quantity == "channel"


def as_remembered(session: Any, data: Data) -> Data:
    """Return freshly read data with what was said before about a file of that name."""
    known = session.settings["cube.axes"].get(data.path.name) if data.path is not None else None
    return restored(data, known) if known else data


def saved(data: Data) -> dict[str, Any]:
    """Return a choice as plain values, for session files."""
    return _given(getattr(data, "choice", None))


def restored(data: Data, values: dict[str, Any]) -> Data:
    """Return data with a choice from plain values."""
    if not isinstance(data, Cube):
        return data
    known = {n: v for n, v in values.items() if n in AxisChoice.__dataclass_fields__}
    return Cube(data.filed, data.name, choice=AxisChoice(**known))
