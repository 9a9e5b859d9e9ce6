"""What users say about spectral axes: checked, put in place of what the file says, and remembered by file name."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from jviz.data import Cube, Data, Spectrum, from_product
from jviz.errors import CommandError
from jviz.replacing import put_in_place
from jviz.spectral import AxisChoice

__all__ = [
    "as_remembered", "choice_of", "choice_of_spectrum", "choose", "is_axis_unclear", "is_unclear", "restored", "saved",
]  # fmt: skip


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
    _check_numbers(chosen)
    _check_unit(chosen.unit)
    values = {n: v for n, v in asdict(chosen).items() if v not in (None, "")}
    if chosen.axis is not None:
        values["axis"] = chosen.axis % axes
    if chosen.rest is None:
        values.pop("rest_unit", None)
    return AxisChoice(**{**_given(cube.choice), **values})


def _check_numbers(chosen: AxisChoice) -> None:
    if (chosen.first is None) != (chosen.step is None):
        raise CommandError("Give both the value of the first channel and the step.")
    if chosen.step == 0:
        raise CommandError("The step is 0; give the distance between two channels.")
    if chosen.rest is not None and not chosen.rest > 0:
        raise CommandError(f"The rest value is {chosen.rest:g}; it must be above 0.")


def _check_unit(unit: str) -> None:
    if not unit:
        return
    from jviz.backend.spectra.axis import quantity_of_unit

    if quantity_of_unit(unit) == "channel":
        raise CommandError(f"{unit!r} is no unit of wavelength, frequency, energy or velocity; write um or GHz.")


def choice_of_spectrum(spectrum: Spectrum, chosen: AxisChoice) -> AxisChoice:
    """Return a choice over an earlier one, checked.

    Raises
    ------
    CommandError
        When nothing is said, or a unit is none.
    """
    from jviz.backend.units import parse_unit

    values = {n: v for n, v in asdict(chosen).items() if v not in (None, "")}
    if not values:
        raise CommandError("Say the unit of the wavelengths, that of the fluxes, or the medium.")
    _check_numbers(chosen)
    _check_unit(chosen.unit)
    if chosen.flux_unit not in ("", "ABmag") and parse_unit(chosen.flux_unit) is None:
        raise CommandError(f"{chosen.flux_unit!r} is no unit of flux; write Jy, erg / (s cm2 Angstrom) or DN / s.")
    return AxisChoice(**{**_given(spectrum.choice), **values})


def _given(choice: AxisChoice | None) -> dict[str, Any]:
    return {} if choice is None else {n: v for n, v in asdict(choice).items() if v not in (None, "")}


def choose(session: Any, data: Cube | Spectrum, choice: AxisChoice, *, remember: bool) -> None:
    """Put a cube or spectra with another spectral axis in the place of others, everywhere (inside a change)."""
    new = _with(data, choice)
    new.made_by = data.made_by
    turned = isinstance(data, Cube) and new.spectral != data.spectral
    put_in_place(session, data, new, turned=turned)
    for view in session.views.values():
        if isinstance(new, Spectrum) and view.kind == "spectrum" and any(layer.data is new for layer in view.layers):
            view.update(x_range=None, y_range=None)  # they were in other units
    if remember and data.path is not None:
        session.settings["cube.axes"] = {**session.settings["cube.axes"], data.path.name: _given(choice)}


def _with(data: Any, choice: AxisChoice) -> Any:
    if isinstance(data, Cube):
        return Cube(data.filed, data.name, choice=choice)
    new = from_product(data.product, data.name)
    new.choice = choice
    if data.path is None or data.is_read:  # what was made in jviz has no other
        new._samples = choice.to_samples(data.samples)
    return new


def is_unclear(data: Data) -> bool:
    """Whether the file of a cube leaves open what its channels or its errors are, and nobody else has said it.

    Its axis is loaded.
    """
    return is_axis_unclear(data) or (isinstance(data, Cube) and data.errors_unclear)


def is_axis_unclear(data: Data) -> bool:
    """Whether the file of a cube does not say what its channels are, or in which unit, and nobody else has."""
    if not isinstance(data, Cube) or data.path is None or data.choice is not None:
        return False
    return bool(data.axis.notes) and (data.axis.quantity == "channel" or not data.axis.unit)


def as_remembered(session: Any, data: Data) -> Data:
    """Return freshly read data with what was said before about a file of that name."""
    known = session.settings["cube.axes"].get(data.path.name) if data.path is not None else None
    return restored(data, known) if known else data


def saved(data: Data) -> dict[str, Any]:
    """Return a choice as plain values, for session files."""
    return _given(getattr(data, "choice", None))


def restored(data: Data, values: dict[str, Any]) -> Data:
    """Return data with a choice from plain values."""
    known = {n: v for n, v in values.items() if n in AxisChoice.__dataclass_fields__}
    return _with(data, AxisChoice(**known)) if known and isinstance(data, Cube | Spectrum) else data
