"""Which cubes make one spectrum together: the sub-bands of a spectrograph, each in a file of its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jviz.data import Cube

__all__ = ["continued"]

SHARED = 0.5
"""Share of the shorter of two ranges up to which they may overlap."""

APART = 0.5
"""Share of the shorter of two ranges up to which there may be a gap between them."""


def continued(cubes: Iterable[Cube], behind: Iterable[Cube]) -> list[Cube]:
    """Return some cubes, and those of others that carry on their spectra: next to them, as one band to the next.

    They count the same thing in the same unit. A cube that does not say its wavelengths, or is not read yet, is left
    out.
    """
    found, waiting = list(cubes), list(behind)
    while True:
        following = [cube for cube in waiting if _carries_on(cube, found)]
        if not following:
            return found
        found.append(following[0])
        waiting.remove(following[0])


def _carries_on(cube: Cube, others: Iterable[Cube]) -> bool:
    mine, touches = _reach(cube), False
    if mine is None:
        return False
    for other in others:
        reach = _reach(other)
        if reach is None or other.unit != cube.unit or other.axis.quantity != cube.axis.quantity:
            return False
        common = min(mine[1], reach[1]) - max(mine[0], reach[0])
        shorter = min(mine[1] - mine[0], reach[1] - reach[0])
        if common > SHARED * shorter:
            return False
        touches = touches or common > -APART * shorter
    return touches


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
