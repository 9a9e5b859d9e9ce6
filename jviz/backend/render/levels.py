"""Round numbers for grids and their texts, in hours, degrees or plain decimals, exact by `Decimal`."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from math import log
from typing import Literal

__all__ = ["Step", "Style", "nice_step", "step_of"]

Style = Literal["sexagesimal", "degrees"]

_seconds = (1, 2, 5, 10, 15, 20, 30)
_finest = -7


@dataclass(frozen=True)
class Step:
    """The distance between neighbouring lines of a grid.

    Parameters
    ----------
    size : Decimal
        In seconds of time (``unit="hours"``), arcseconds (``"arcsec"``) or degrees (``"degrees"``).
    signed : bool
        Whether to write a sign: for latitudes.
    """

    size: Decimal
    unit: Literal["hours", "arcsec", "degrees"]
    signed: bool = False

    @property
    def degrees(self) -> float:
        """The step in degrees."""
        return float(self.size) / {"hours": 240.0, "arcsec": 3600.0, "degrees": 1.0}[self.unit]

    def text(self, index: int) -> str:
        """Write the level index × step with as many digits as tell it from its neighbours.

        Examples
        --------
        >>> Step(Decimal("0.5"), "hours").text(3)
        '0h00m01.5s'
        """
        value = index * self.size
        sign = "−" if value < 0 else "+" if self.signed and value > 0 else ""
        digits = max(0, -int(self.size.normalize().as_tuple().exponent))
        if self.unit == "degrees":
            return f"{sign}{abs(value):.{digits}f}°"
        return sign + self._sexagesimal(abs(value), digits)

    def _sexagesimal(self, value: Decimal, digits: int) -> str:
        marks = "hms" if self.unit == "hours" else "°′″"
        minutes, seconds = divmod(value, 60)
        whole, minutes = divmod(int(minutes), 60)
        text = f"{whole}{marks[0]}"
        if self.size % 3600:
            text += f"{minutes:02d}{marks[1]}"
        if self.size % 60:
            width = 3 + digits if digits else 2
            text += f"{seconds:0{width}.{digits}f}{marks[2]}"
        return text


def nice_step(target: float, style: Style, *, hours: bool, signed: bool) -> Step:
    """Return the nice step nearest to a wanted one, 30° at most.

    Parameters
    ----------
    target : float
        Wanted distance of lines in degrees, above 0.
    hours : bool
        Whether sexagesimal values count hours rather than degrees.
    """
    steps = _ladder("degrees" if style == "degrees" else "hours" if hours else "arcsec", signed)
    return min(steps, key=lambda step: abs(log(step.degrees / target)))


def step_of(degrees: float, style: Style, *, hours: bool, signed: bool) -> Step:
    """Return a step chosen by the user, in degrees, as `nice_step` would give it."""
    exact = Decimal(repr(float(degrees)))
    if style == "degrees":
        return Step(exact, "degrees", signed)
    unit, factor = ("hours", 240) if hours else ("arcsec", 3600)
    return Step(_rounded(exact * factor), unit, signed)


def _rounded(size: Decimal) -> Decimal:
    finest = Decimal(1).scaleb(_finest)
    return max(size.quantize(finest), finest).normalize()


@lru_cache
def _ladder(unit: Literal["hours", "arcsec", "degrees"], signed: bool) -> tuple[Step, ...]:
    fractions = [Decimal(digit).scaleb(power) for power in range(_finest, 0) for digit in (1, 2, 5)]
    if unit == "degrees":
        sizes = [*(f.scaleb(-3) for f in fractions), *fractions[9:], *map(Decimal, (1, 2, 5, 10, 20, 30))]
    else:
        top = (1, 2) if unit == "hours" else (1, 2, 5, 10, 20, 30)
        whole = [n * scale for scale in (1, 60) for n in _seconds] + [n * 3600 for n in top]
        sizes = fractions + [Decimal(size) for size in whole]
    return tuple(Step(size, unit, signed) for size in dict.fromkeys(sizes))
