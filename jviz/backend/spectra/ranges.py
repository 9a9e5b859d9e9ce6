"""Ranges of wavelength, frequency or velocity, without the weight of importing specutils."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from jviz.errors import JvizError

__all__ = ["SpectralRanges", "ranges_of", "ranges_of_text"]


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


_written = re.compile(
    r"\s*(?P<low>[-+−]?[\d.]+(?:e[-+]?\d+)?)\s*(?P<first>[^\d\s,;–—-][^,;–—]*?)?\s*(?:\bto\b|\.\.|[-–—,;])\s*"
    r"(?P<high>[-+−]?[\d.]+(?:e[-+]?\d+)?)\s*(?P<second>\S.*?)?\s*",
    re.IGNORECASE,
)


def ranges_of_text(text: str) -> SpectralRanges | None:
    """Read a range as people write it, ``"5.0 to 5.1 um"``, ``"6600 Å – 665 nm"`` or ``"110, 115"``; None for others.

    Raises
    ------
    JvizError
        When it is a range in a unit that is not known, or its bounds are equal.
    """
    found = _written.fullmatch(text)
    if found is None:
        return None
    from astropy import units

    from jviz.backend.units import parse_unit

    names = found["first"] or found["second"] or "", found["second"] or found["first"] or ""
    try:
        low, high = (float(found[end].replace("−", "-")) for end in ("low", "high"))
    except ValueError:
        return None
    both = [parse_unit(name) for name in names]
    if None in both:
        raise JvizError(f"The range {text!r} has no unit that is known; write um, nm, Angstrom, GHz or km/s.")
    try:
        other = high if both[0] == both[1] else float((high * both[1]).to_value(both[0], units.spectral()))
    except units.UnitConversionError:
        raise JvizError(f"The ends of the range {text!r} are different things; give both in one unit.") from None
    return SpectralRanges(((low, other),), both[0].to_string() if names[0] else "")


def _number(bound: Any, unit: str) -> float:
    return float(bound.to_value(unit)) if hasattr(bound, "to_value") else float(bound)
