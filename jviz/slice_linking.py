"""Slices of several cubes that go together: at the same wavelength, velocity or channel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from jviz.errors import CommandError

if TYPE_CHECKING:
    from jviz.backend.spectra.axis import SpectralAxis
    from jviz.cube_views import CubeLayer

__all__ = ["matched_channel", "matched_values"]


def matched_channel(source: CubeLayer, target: CubeLayer, match: str, *, wait: bool = True) -> int | None:
    """Return the channel of one cube that shows what another one shows.

    Parameters
    ----------
    match : str
        "wavelength": the same one, whatever the units; frequencies, and velocities with a rest value, count too.
        "velocity": each cube's from its own rest value. "channel": the same number.
    wait : bool
        Work out an axis that is not at hand yet; else there is no answer.

    Returns
    -------
    int or None
        None where the other cube does not reach, or cannot be compared.
    """
    channel = source.point[0]
    if match == "channel" or source.data is target.data:
        return min(channel, target.data.shape[0] - 1)
    first, second = source.data, target.data
    if not wait and not (first.axis_ready and second.axis_ready):
        return None
    try:
        value = _converted(first.axis, first.axis.values[channel : channel + 1], second.axis, match)
    except CommandError:
        return None
    position = second.axis.channel_of(float(value[0]))
    return min(max(round(position), 0), len(second.axis) - 1) if np.isfinite(position) else None


def _converted(first: SpectralAxis, values: np.ndarray, second: SpectralAxis, match: str) -> np.ndarray:
    from jviz.backend.spectra.units import Scale, convert_axis, scale_of

    source, target = scale_of(first), scale_of(second)
    if match == "wavelength":
        return convert_axis(values, source, target)
    # Optical velocities count λ/λ₀ alone, so that neither unit nor convention of the two cubes matters.
    speeds = convert_axis(values, source, Scale("km/s", "velocity", "", _rest_of(first, source)))
    return convert_axis(speeds, Scale("km/s", "velocity", "", _rest_of(second, target)), target)


def _rest_of(axis: SpectralAxis, scale: Any) -> float:
    if scale.rest is None:
        raise CommandError("Slices that go together by velocity need the rest value of both cubes.")
    return float(scale.rest)


def matched_values(source: Any, target: Any, *, wait: bool) -> dict[str, Any]:
    """Return what to set on the layer of a view so that it shows the slice of another."""
    first, second = getattr(source, "leading", None), getattr(target, "leading", None)
    if first is None or second is None:
        return {}
    found = matched_channel(first, second, source.match, wait=wait)
    return {} if found is None else {"index": (found,)}
