"""Spectral values as viewers show them: in a unit of choice, with as many digits as tell channels apart."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from jviz.errors import CommandError, JvizError

if TYPE_CHECKING:
    from jviz.backend.spectra.axis import SpectralAxis

__all__ = ["Scale", "axis_name", "channel_within", "parsed", "pretty", "quantity_name", "scale_of", "units_for"]

UNITS = ("", "um", "nm", "Angstrom", "GHz", "1/cm", "eV", "km/s", "channel")
"""Offered for display; "" is that of the file, or a multiple of it that reads better."""


class Scale:
    """The values of channels in a unit.

    Attributes
    ----------
    values : ndarray, shape (n_channels,)
    unit : str
        As it is written beside numbers; empty for channel numbers.
    """

    def __init__(self, axis: SpectralAxis, unit: str) -> None:
        self.axis, self._counts = axis, unit == "channel" or axis.quantity == "channel"
        self.values, self.unit = _converted(axis, unit)
        steps = np.abs(np.diff(self.values)) if len(self.values) > 1 else np.ones(1)
        steps = steps[steps > 0]
        step = float(np.median(steps)) if len(steps) else 1.0
        self.places = 0 if self.is_channels else max(0, 1 - math.floor(math.log10(step)))

    @property
    def is_channels(self) -> bool:
        """Whether it counts channels."""
        return not self.unit and self._counts

    def text(self, channel: float, *, unit: bool = True) -> str:
        """Write the value at a channel, which may lie between two."""
        value = self._value(channel)
        places = self.places if abs(value) < 10.0 ** (15 - self.places) else 0
        number = f"{value:.{places}f}" if places <= 9 else f"{value:.8g}"
        return f"{number} {pretty(self.unit)}".rstrip() if unit else number

    def _value(self, channel: float) -> float:
        """Return the value at a channel, as far as the outer borders of the first and the last one."""
        values, last = self.values, len(self.values) - 1
        if 0 <= channel <= last or not last:
            return float(np.interp(channel, np.arange(last + 1), values))
        end, step = (values[0], values[0] - values[1]) if channel < 0 else (values[-1], values[-1] - values[-2])
        return float(end + step * min(-channel if channel < 0 else channel - last, 0.5))

    def ticks(self, n: float, low: float = 0.0, high: float = np.inf) -> list[tuple[float, str]]:
        """Return about ``n`` channels of round values between two channels, in order, and what to write at each."""
        from jviz.backend.render.ticks import value_ticks

        first, last = max(low, 0.0), min(high, len(self.values) - 1.0)
        ends = np.interp([first, last], np.arange(len(self.values)), self.values)
        found = value_ticks(float(ends.min()), float(ends.max()), n)
        labels = found.labels if not found.exponent else [f"{value:.10g}" for value in found.values]
        return sorted((self.channel(v), text) for v, text in zip(found.values, labels, strict=True))

    def channel(self, value: float) -> float:
        """Return the channel at which a value lies, at the ends for what is beyond."""
        order = np.argsort(self.values)
        return float(np.interp(value, self.values[order], order.astype(float)))


def pretty(unit: str) -> str:
    """Write a unit as people do."""
    return {"um": "µm", "Angstrom": "Å", "1/cm": "cm⁻¹", "m s-1": "m/s", "m.s**-1": "m/s"}.get(unit, unit)


def _converted(axis: SpectralAxis, unit: str) -> tuple[np.ndarray, str]:
    if unit == "channel" or not axis.unit:
        return np.arange(len(axis), dtype=float) if unit == "channel" else axis.values, ""
    if not unit:
        from jviz.backend.spectra.units import quantity_of, readable_unit

        better = readable_unit(axis.unit, axis.reach)
        if better == axis.unit:
            return axis.values, better
        return axis.values * (quantity_of(axis.unit)[1] / quantity_of(better)[1]), better
    if unit == axis.unit:
        return axis.values, axis.unit
    from jviz.backend.spectra import units

    source = units.scale_of(axis)
    quantity, _ = units.quantity_of(unit)
    medium = axis.medium if quantity == "wavelength" else ""
    target = units.Scale(unit, quantity, medium, source.rest, source.convention)
    return units.convert_axis(axis.values, source, target), unit


@lru_cache(maxsize=64)
def scale_of(axis: SpectralAxis, unit: str = "") -> Scale:
    """Return the scale of an axis in a unit; that of the file where the unit does not fit."""
    try:
        return Scale(axis, unit)
    except JvizError:
        return Scale(axis, "")


@lru_cache(maxsize=64)
def units_for(axis: SpectralAxis) -> tuple[str, ...]:
    """Return the units that an axis can be shown in."""
    found = []
    own = Scale(axis, "").unit
    for unit in (*UNITS[:-1], axis.unit, UNITS[-1]):
        try:
            Scale(axis, unit)
        except JvizError:
            continue
        if unit in found or (unit not in ("", "channel") and unit == own):
            continue
        found.append(unit)
    return tuple(found)


def parsed(text: str, scale: Scale) -> float:
    """Read what a user typed as a channel number.

    Raises
    ------
    CommandError
        When it is no number.
    """
    try:
        return scale.channel(float(text.split()[0].replace(",", ".")))
    except (ValueError, IndexError):
        raise CommandError(f"{text!r} is no number; type a value in {scale.unit or 'channels'}.") from None


def channel_within(axis: SpectralAxis, value: float) -> float:
    """Return the channel at which a value of the file's unit lies, at an end for what is beyond."""
    low, high = min(axis.edges[0], axis.edges[-1]), max(axis.edges[0], axis.edges[-1])
    return axis.channel_of(min(max(value, low), high))


def axis_name(axis: SpectralAxis, scale: Scale) -> str:
    """Name a spectral axis: ``"Wavelength (µm)"``."""
    if scale.is_channels:
        return "Channel"
    name = quantity_name(axis, scale.unit)
    return f"{name} ({pretty(scale.unit)})" if scale.unit else name


def quantity_name(axis: SpectralAxis, unit: str) -> str:
    """Say what a unit measures along an axis."""
    from jviz.backend.spectra.axis import quantity_of_unit

    quantity: Any = axis.quantity if unit == axis.unit else quantity_of_unit(unit)
    return "Spectral axis" if quantity == "channel" else str(quantity).capitalize()
