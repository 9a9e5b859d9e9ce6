"""Which cubes make one spectrum together: the sub-bands of a spectrograph, each in a file of its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

if TYPE_CHECKING:
    from jviz.backend.spectra.axis import SpectralAxis
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
    found, waiting = list(cubes), [(cube, _band(cube)) for cube in behind]
    bands = [_band(cube) for cube in found]
    while True:
        before = len(found)
        for cube, band in list(waiting):
            if _carries_on(band, bands):
                found.append(cube)
                bands.append(band)
                waiting.remove((cube, band))
        if len(found) == before:
            return found


class Band(NamedTuple):
    """What a cube counts, in which unit, and the vacuum wavelengths (m) of its ends."""

    quantity: str
    unit: str
    low: float
    high: float


def _carries_on(mine: Band | None, others: list[Band | None]) -> bool:
    touches = False
    for other in others:
        if mine is None or other is None or mine[:2] != other[:2]:
            return False
        common = min(mine.high, other.high) - max(mine.low, other.low)
        shorter = min(mine.high - mine.low, other.high - other.low)
        if common > SHARED * shorter:
            return False
        touches = touches or common > -APART * shorter
    return touches


_bands: WeakKeyDictionary[Cube, tuple[SpectralAxis, Band | None]] = WeakKeyDictionary()


def _band(cube: Cube) -> Band | None:
    """Return the band of a cube; None where its wavelengths are not known."""
    if not cube.axis_ready:
        return None
    axis, known = cube.axis, _bands.get(cube)
    if known is None or known[0] is not axis:
        # Kept, for every move of the mouse asks.
        known = _bands[cube] = (axis, _band_of(axis, cube.unit))
    return known[1]


def _band_of(axis: SpectralAxis, unit: str) -> Band | None:
    from jviz.backend.spectra.units import Scale, convert_axis, scale_of

    source = scale_of(axis)
    if source.quantity not in ("wavelength", "frequency", "energy", "wavenumber"):
        return None
    ends = convert_axis(np.array([axis.edges[0], axis.edges[-1]]), source, Scale("m", "wavelength"))
    low, high = sorted(float(end) for end in ends)
    return Band(source.quantity, unit, low, high) if np.isfinite(high) and low < high else None
