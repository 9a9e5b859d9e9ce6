"""Round numbers along a line: ticks of pixel axes and colour bars, the length of a scale bar, a compass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import atan2, ceil, degrees, floor, isfinite, log10
from typing import NamedTuple

import numpy as np

from jviz.backend.render.frames import from_icrs, unit_vectors

__all__ = [
    "Compass", "Ticks", "compass", "digits_apart", "in_digits", "pixel_ticks", "scale_bar", "ticks_for_table",
    "value_ticks",
]  # fmt: skip

_superscripts = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Ticks:
    """Marks along an axis.

    Parameters
    ----------
    values : tuple of float
        In data units, increasing.
    positions : tuple of float
        Where each is along the axis, 0 at the low end, 1 at the high end.
    labels : tuple of str
        The values divided by 10**exponent, in as many digits as needed.
    exponent : int
        The power of ten common to all labels; 0 for handy numbers.
    """

    values: tuple[float, ...] = ()
    positions: tuple[float, ...] = ()
    labels: tuple[str, ...] = ()
    exponent: int = 0

    @property
    def power(self) -> str:
        """The common factor in words, such as ``"×10⁻⁷"``; empty for 1."""
        return f"×10{str(self.exponent).translate(_superscripts)}" if self.exponent else ""


def pixel_ticks(low: float, high: float, n: int = 5) -> Ticks:
    """Return about n ticks at whole pixels between two pixel coordinates.

    Parameters
    ----------
    low, high : float
        0-based pixel coordinates, low below high.
    """
    if not _is_range(low, high):
        return Ticks()
    step = max(1.0, _nice(high - low, n))
    values = _multiples(low, high, step)
    return Ticks(values, _linear(values, low, high), tuple(f"{value:.0f}" for value in values))


def value_ticks(low: float, high: float, n: int = 5) -> Ticks:
    """Return about n ticks at round values between two values, with a common power of ten."""
    if not _is_range(low, high):
        return Ticks()
    step = _nice(high - low, n)
    values = _multiples(low, high, step)
    labels, exponent = _written(values, step)
    return Ticks(values, _linear(values, low, high), labels, exponent)


def ticks_for_table(table: np.ndarray, low: float, high: float, n: int = 5) -> Ticks:
    """Return about n ticks for a colour bar whose colours follow a stretch.

    Parameters
    ----------
    table : ndarray, (m,)
        The stretch: fractions of the colour map, not decreasing, for m values at equal steps from
        low to high.
    low, high : float
        The limits, low below high.
    n : int
        Ticks wanted; they are spread over the bar, not over the values.
    """
    if not _is_range(low, high):
        return Ticks()
    table = np.asarray(table, dtype=float)
    span = table[-1] - table[0]
    if not span > 0:
        return value_ticks(low, high, n)
    places = (table - table[0]) / span
    if np.abs(places - np.linspace(0, 1, places.size)).max() < 0.02:
        return value_ticks(low, high, n)
    values, positions = _spread(*_candidates(low, high, places, n), 0.8 / max(n, 1))
    labels, exponent = _written(values, 0.0)
    return Ticks(values, positions, labels, exponent)


def scale_bar(pixel_scale_arcsec: float | None, screen_px_per_data_px: float, max_px: float) -> tuple[float, str]:
    """Return the length on screen and the text of the longest round bar that fits.

    Parameters
    ----------
    pixel_scale_arcsec : float or None
        Size of a data pixel in arcsec; None without a sky: the bar then counts pixels.
    screen_px_per_data_px : float
        Magnification.
    max_px : float
        The longest bar wanted, in screen pixels.

    Returns
    -------
    (float, str)
        Length in screen pixels (≤ max_px) and text such as ``"10″"``; ``(0, "")`` when the
        scale is not a positive number.
    """
    per_unit = screen_px_per_data_px / (pixel_scale_arcsec or 1.0)
    if not (isfinite(per_unit) and per_unit > 0 and max_px > 0):
        return 0.0, ""
    longest = max_px / per_unit
    if pixel_scale_arcsec is None:
        size = _round_down(longest)
        return size * per_unit, f"{size:g} px"
    for unit, mark, top in ((3600.0, "°", 180.0), (60.0, "′", 30.0), (1.0, "″", 30.0)):
        if longest >= unit:
            size = min(_round_down(longest / unit, thirty=unit < 3600), top)
            return size * unit * per_unit, f"{size:g}{mark}"
    size = _round_down(longest)
    length = size * per_unit
    for unit, mark in ((1e-3, " mas"), (1e-6, " µas")):
        if size >= 0.1 or size < unit * 0.999:
            continue
        return length, f"{size / unit:.3g}{mark}"
    return length, f"{size:g}″"


class Compass(NamedTuple):
    """Directions on screen, in degrees from the x axis towards the y axis."""

    north: float
    east: float


def compass(
    pixel_to_sky: Callable,
    x: float,
    y: float,
    *,
    frame: str = "icrs",
    pixel_to_viewport: Callable | None = None,
) -> Compass | None:
    """Return where north and east point at a place of the image.

    Parameters
    ----------
    pixel_to_sky : callable
        ``(x, y) -> (lon, lat)``: ICRS degrees.
    x, y : float
        Data pixel.
    frame : str
        Whose north; see `jviz.backend.render.frames.FRAMES`.
    pixel_to_viewport : callable, optional
        ``(x, y) -> (x, y)``; angles are then those in the viewport rather than in data pixels.

    Returns
    -------
    Compass or None
        None where the sky is undefined, or at a pole.
    """
    places = np.array([x, x + 0.5, x - 0.5, x, x]), np.array([y, y, y, y + 0.5, y - 0.5])
    sky = pixel_to_sky(*places)
    here, right, left, up, down = from_icrs(unit_vectors(*map(np.asarray, sky)), frame).T
    across = np.hypot(here[0], here[1])
    if not across > 1e-14:
        return None
    east = np.array([-here[1], here[0], 0.0]) / across
    north = np.cross(here, east)
    motion = np.array([[axis @ (right - left), axis @ (up - down)] for axis in (east, north)])
    if not np.isfinite(motion).all() or not abs(np.linalg.det(motion)) > 0:
        return None
    steps = np.linalg.inv(motion)
    steps /= np.sqrt(abs(np.linalg.det(steps)))
    angles = [_screen_angle(step, x, y, pixel_to_viewport) for step in steps.T]
    return Compass(north=angles[1], east=angles[0])


def _screen_angle(step: np.ndarray, x: float, y: float, pixel_to_viewport: Callable | None) -> float:
    dx, dy = step
    if pixel_to_viewport is not None:
        ends = pixel_to_viewport(np.array([x, x + dx]), np.array([y, y + dy]))
        dx, dy = (float(end[1] - end[0]) for end in ends)
    return degrees(atan2(dy, dx))


def digits_apart(low: float, high: float, *, least: int = 6, parts: int = 1000) -> int:
    """Return how many significant digits tell apart values that lie between two, in steps of a part of their distance.

    Parameters
    ----------
    least : int
        Digits at least; there are never more than a float64 holds.
    parts : int
    """
    step, size = abs(high - low) / parts, max(abs(low), abs(high))
    if not (step > 0 and isfinite(size)):
        return least
    return min(max(least, ceil(log10(size / step)) + 1), 16)


def in_digits(value: float, digits: int) -> str:
    """Write a value in so many digits; where they are many, without a power of ten: ``230538001000``."""
    if digits <= 6 or not 1e-3 < abs(value) < 1e15:
        return f"{value:.{digits}g}"
    decimals = digits - 1 - floor(log10(abs(value)))
    text = f"{round(value, decimals):.{max(decimals, 0)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _is_range(low: float, high: float) -> bool:
    return isfinite(low) and isfinite(high) and high > low


def _nice(span: float, n: float) -> float:
    """Return the step of 1, 2 or 5 × 10^k that comes nearest to n steps."""
    wanted = span / max(n, 1)
    decade = 10.0 ** floor(log10(wanted))
    return min((decade * digit for digit in (1, 2, 5, 10)), key=lambda step: abs(log10(step / wanted)))


def _round_down(value: float, *, thirty: bool = False) -> float:
    """Return the largest 1, 2, 5 × 10^k (or 30) that is not above a value."""
    decade = 10.0 ** floor(log10(value * (1 + 1e-12)))
    digits = [1, 2, 5] + ([3] if thirty and decade == 10 else [])
    return max(float(f"{decade * digit:.6g}") for digit in digits if decade * digit <= value * (1 + 1e-12))


def _multiples(low: float, high: float, step: float) -> tuple[float, ...]:
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    # Ten more digits than the step has: 3 × 0.1 is to be 0.3.
    digits = 10 - floor(log10(step))
    return tuple(round(index * step, digits) + 0.0 for index in range(first, last + 1))


def _linear(values: tuple[float, ...], low: float, high: float) -> tuple[float, ...]:
    return tuple((value - low) / (high - low) for value in values)


def _written(values: tuple[float, ...], step: float) -> tuple[tuple[str, ...], int]:
    """Write numbers with a common power of ten; the step, when there is one, sets the digits."""
    largest = max(map(abs, values), default=0.0)
    if largest == 0:
        return tuple("0" for _ in values), 0
    power = floor(log10(largest) + 1e-12)
    exponent = power if power >= 6 or power <= -4 else 0
    scale = 10.0**-exponent
    if step == 0:
        return tuple(f"{value * scale:.6g}".replace("-", "−") for value in values), exponent
    digits = max(0, exponent - floor(log10(step) + 1e-9))
    return tuple(f"{value * scale:.{digits}f}".replace("-", "−") for value in values), exponent


def _candidates(low: float, high: float, places: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return round values, their places on the bar and how round they are (less is rounder)."""
    top = floor(log10(max(abs(low), abs(high))))
    bottom = floor(log10((high - low) / 1e4))
    found: dict[float, int] = {0.0: 0}
    for power in range(top, max(bottom, top - 8) - 1, -1):
        for rank, digit in ((1, 1), (2, 5), (3, 2), (4, 3)):
            for sign in (1, -1):
                found.setdefault(float(f"{sign * digit}e{power}"), rank)
    for value in value_ticks(low, high, 2 * n).values:
        found.setdefault(value, 5)
    values = np.array(list(found))
    inside = (values >= low) & (values <= high)
    ranks = np.array(list(found.values()))[inside]
    values = values[inside]
    grid = np.linspace(low, high, places.size)
    return values, np.interp(values, grid, places), ranks


def _spread(
    values: np.ndarray, places: np.ndarray, ranks: np.ndarray, gap: float
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Take the roundest first and leave out what comes nearer than the gap, which is smaller when one alone is left."""
    taken: list[int] = []
    while len(taken) < min(2, len(values)):
        taken = []
        for one in np.lexsort((-np.abs(values), ranks)):
            if all(abs(places[one] - places[other]) >= gap for other in taken):
                taken.append(int(one))
        gap /= 2
    taken.sort(key=lambda one: values[one])
    return tuple(values[taken].tolist()), tuple(places[taken].tolist())
