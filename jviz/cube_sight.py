"""Which cubes make one spectrum together: the sub-bands of a spectrograph, each in a file of its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jviz.data import Cube

__all__ = ["continues"]

SHARED = 0.5
"""Share of the shorter of two ranges up to which they may overlap."""


def continues(cube: Cube, others: Iterable[Cube]) -> bool:
    """Return whether a cube lies at other wavelengths than each of some others, but for the ends of its range.

    False where one of them does not say its wavelengths, or is not read yet.
    """
    mine = _reach(cube)
    if mine is None:
        return False
    for other in others:
        reach = _reach(other)
        if reach is None:
            return False
        common = min(mine[1], reach[1]) - max(mine[0], reach[0])
        if common > SHARED * min(mine[1] - mine[0], reach[1] - reach[0]):
            return False
    return True


def _reach(cube: Cube) -> tuple[float, float] | None:
    """Return the vacuum wavelengths, in m, of both ends of a cube."""
    from jviz.backend.spectra.units import Scale, convert_axis, scale_of

    if not cube.axis_ready:
        return None
    source = scale_of(cube.axis)
    if source.quantity not in ("wavelength", "frequency", "energy", "wavenumber"):
        return None
    ends = convert_axis(np.array([cube.axis.edges[0], cube.axis.edges[-1]]), source, Scale("m", "wavelength"))
    low, high = sorted(float(end) for end in ends)
    return (low, high) if np.isfinite(high) and low < high else None
