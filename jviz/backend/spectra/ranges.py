"""Ranges of wavelength, frequency or velocity, without the weight of importing specutils."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from jviz.errors import JvizError

__all__ = ["SpectralRanges", "ranges_of"]


@dataclass(frozen=True)
class SpectralRanges:
    """One or several ranges along a spectral axis, each from low to high.

    Attributes
    ----------
    ranges : tuple of (float, float)
        Sorted, each with low < high.
    unit : str
        Of the bounds; ``""`` counts channels from 0.
    medium : str
        Of wavelengths: "vacuum" or "air"; "" is that of the data they are laid on.
    """

    ranges: tuple[tuple[float, float], ...]
    unit: str = ""
    medium: str = ""

    def __post_init__(self) -> None:
        ordered = tuple(sorted((min(pair), max(pair)) for pair in self.ranges))
        if not ordered or any(not low < high for low, high in ordered):
            raise JvizError("A spectral range needs two different bounds; give it as (low, high) with a unit.")
        object.__setattr__(self, "ranges", tuple((float(low), float(high)) for low, high in ordered))

    @property
    def low(self) -> float:
        """The lowest bound."""
        return self.ranges[0][0]

    @property
    def high(self) -> float:
        """The highest bound."""
        return max(high for _, high in self.ranges)


def ranges_of(region: Any) -> SpectralRanges:
    """Take ranges from a `SpectralRanges`, a specutils ``SpectralRegion`` or pairs of quantities.

    Raises
    ------
    JvizError
        When it is none of these, or its bounds are equal.
    """
    if isinstance(region, SpectralRanges):
        return region
    pairs = getattr(region, "subregions", region)
    try:
        if len(pairs) == 2 and np.ndim(pairs[0]) == 0:
            pairs = [pairs]
        unit = str(getattr(pairs[0][0], "unit", "") or "")
        return SpectralRanges(tuple(tuple(_number(bound, unit) for bound in pair) for pair in pairs), unit)  # type: ignore[misc]
    except (TypeError, ValueError, IndexError, KeyError) as error:
        raise JvizError(
            f"{region!r} is no spectral range; give (low, high) with a unit such as (4.9, 5.1) * u.um, "
            "a SpectralRegion or the name of a spectral subset."
        ) from error


def _number(bound: Any, unit: str) -> float:
    return float(bound.to_value(unit)) if hasattr(bound, "to_value") else float(bound)
