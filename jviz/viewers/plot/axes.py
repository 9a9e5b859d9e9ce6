"""Axes of a plot: from numbers to places, what is in sight, and round numbers along them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from jviz.backend.render.ticks import Ticks, value_ticks
from jviz.plot_views import Curve, PlotView

__all__ = ["Axis", "Curves", "axes_between", "axis_ticks", "spans_of"]

_superscripts = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
HIDING = 40.0
"""How many times farther than 99 of 100 samples reach peaks must go to be cut off by themselves."""

NOISY = 10.0
"""How many times the usual error makes a sample one of noise, unless it stands out as far above its own error."""
DROWNING = 10.0
"""How many times farther than all others samples of noise must go to be cut off by themselves."""
MOST_ASKED = 200_000
"""Samples up to which the errors of all are looked at for each picture."""

ROOM = 0.06
"""Share of the height that is left free above and below the curves."""


@dataclass(frozen=True)
class Axis:
    """The map from values to places along an axis and back.

    Parameters
    ----------
    low, high : float
        Values at the two ends; positive ones where ``log`` is true.
    start, end : float
        Places of the ends, in pixels.
    """

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def place(self, values: np.ndarray | float) -> np.ndarray:
        """Return places of values; NaN where a logarithm has none."""
        low, high = self._scaled(self.low), self._scaled(self.high)
        return self.start + (self._scaled(values) - low) * ((self.end - self.start) / (high - low))

    @property
    def linear(self) -> tuple[float, float]:
        """Factor and offset: ``place = factor · v + offset``, where v is the value, or its decimal logarithm."""
        low, high = float(self._scaled(self.low)), float(self._scaled(self.high))
        factor = (self.end - self.start) / (high - low)
        return factor, self.start - factor * low

    def value(self, place: float) -> float:
        """Return the value at a place."""
        low, high = self._scaled(self.low), self._scaled(self.high)
        scaled = low + (place - self.start) / (self.end - self.start) * (high - low)
        return float(10.0**scaled if self.log else scaled)

    def zoomed(self, place: float, factor: float) -> tuple[float, float]:
        """Return the range that shows less by a factor and keeps the value at a place where it is."""
        low, high, fixed = (float(self._scaled(v)) for v in (self.low, self.high, self.value(place)))
        return self._range(fixed + (low - fixed) / factor, fixed + (high - fixed) / factor)

    def moved(self, pixels: float) -> tuple[float, float]:
        """Return the range that shows the same curves so many pixels further along."""
        low, high = float(self._scaled(self.low)), float(self._scaled(self.high))
        shift = pixels * (high - low) / (self.end - self.start)
        return self._range(low - shift, high - shift)

    def _range(self, low: float, high: float) -> tuple[float, float]:
        if self.log:
            return float(10.0 ** min(max(low, -300), 300)), float(10.0 ** min(max(high, -300), 300))
        return low, high

    def _scaled(self, values: np.ndarray | float) -> np.ndarray:
        if not self.log:
            return np.asarray(values, dtype=float)
        values = np.asarray(values, dtype=float)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(values > 0, np.log10(values), np.nan)


Span = tuple[float, float]


def axes_between(
    view: PlotView, spans: tuple[Span, Span], left: float, right: float, bottom: float, top: float
) -> tuple[Axis, Axis]:
    """Return the axes that show these spans of x and y in a picture between these places."""
    return Axis(*spans[0], left, right, view.x_log), Axis(*spans[1], bottom, top, view.y_log)


class Curves:
    """Curves that axes have to reach over.

    Parameters
    ----------
    curves : sequence of Curve
    """

    def __init__(self, curves: Sequence[Curve]) -> None:
        self.curves = curves

    @property
    def turned(self) -> bool:
        """Whether y grows downwards."""
        return bool(self.curves) and self.curves[0].turned

    def across(self, *, log: bool) -> Span:
        """Return the span of x from end to end."""
        curves = [curve for curve in self.curves if len(curve.x)]
        if log:
            return _span([curve.x for curve in curves], log=True)
        ends = [end for curve in curves for end in (curve.edges[0], curve.edges[-1])]
        return _span([np.array(ends)], log=False)

    def span(self, low: float, high: float, *, log: bool) -> Span:
        """Return the span of y for x between two values."""
        return _span(self._parts(low, high), log=log)

    def some(self, low: float, high: float, count: int) -> np.ndarray:
        """Return about so many of the values of y for x between two values, spread evenly over all."""
        parts = self._parts(low, high)
        step = max(1, sum(map(len, parts)) // count)
        return np.concatenate([part[min(step // 2, len(part) // 2) :: step] for part in parts] or [np.zeros(0)])

    def certain(self, low: float, high: float) -> Span | None:
        """Return the span of y without samples that are noise beside the others, None where there are no such ones."""
        if sum(len(curve.x) for curve in self.curves) > MOST_ASKED:
            return None
        known = [_known(curve, low, high) for curve in self.curves]
        if all(kept is None for kept, _ in known):
            return None
        return _span([whole if kept is None else kept for kept, whole in known], log=False)

    def _parts(self, low: float, high: float) -> list[np.ndarray]:
        return [_in_sight(curve, low, high) for curve in self.curves]


def spans_of(view: PlotView, curves: Sequence[Curve] | Curves) -> tuple[Span, Span]:
    """Return what the axes of a view show: of y what is in sight, where the view does not say."""
    curves = curves if isinstance(curves, Curves) else Curves(curves)
    x = _usable(*(view.x_range or curves.across(log=view.x_log)), view.x_log)
    if view.y_range is not None:
        return x, _usable(*view.y_range, view.y_log)
    span = _scaled(curves, *x, getattr(view, "robust", "off"), log=view.y_log)
    y = _usable(*_padded(*span, log=view.y_log), view.y_log)
    return x, y[::-1] if curves.turned else y


def _in_sight(curve: Curve, low: float, high: float) -> np.ndarray:
    first, last = np.searchsorted(curve.x, sorted((low, high)))
    if first == last and (first == 0 or last == len(curve.x)):
        return curve.y[:0]
    first, last = max(first - 1, 0), min(last + 1, len(curve.x))
    y = curve.y[first:last]
    if len(y) > 1_000_000:
        y = y[:: len(y) // 500_000]
    return y


def _known(curve: Curve, low: float, high: float) -> tuple[np.ndarray | None, np.ndarray]:
    """Return the values in sight that are no noise beside the others, None where all are, and all of them."""
    y = _in_sight(curve, low, high)
    if curve.error is None or curve.turned or not len(y):
        return None, y
    first = max(int(np.searchsorted(curve.x, min(low, high))) - 1, 0)
    error = curve.error[first : first + len(y)]
    usable = np.isfinite(y) & np.isfinite(error)
    if not usable.any():
        return None, y
    with np.errstate(invalid="ignore"):
        noise = usable & (error > NOISY * np.median(error[usable])) & (np.abs(y) < NOISY * error)
    return (y[~noise] if noise.any() else None), y


def _scaled(curves: Curves, low: float, high: float, robust: str, *, log: bool) -> Span:
    """Return the span of what is in sight, with or without peaks of noise."""
    span = curves.span(low, high, log=log) if robust != "on" else (0.0, 0.0)
    if robust == "off" or (robust == "auto" and log):
        return span
    values = curves.some(low, high, 10_000)
    values = values[np.isfinite(values) & ((values > 0) | (not log))]
    middle = _robust(values, log=log) if len(values) >= 10 else curves.span(low, high, log=log)
    hides = span[1] - span[0] > HIDING * (middle[1] - middle[0]) > 0
    if robust == "on" or hides:
        return middle
    certain = curves.certain(low, high)
    drowns = certain is not None and span[1] - span[0] > DROWNING * (certain[1] - certain[0]) > 0
    return certain if drowns else span


def _robust(values: np.ndarray, *, log: bool) -> Span:
    """Return the span of all but the farthest hundredth of the values."""
    low, high = np.percentile(values, (0.5, 99.5))
    room = 0.0 if log else 0.1 * (high - low)
    return float(low - room), float(high + room)


def _span(parts: Sequence[np.ndarray], *, log: bool) -> tuple[float, float]:
    parts = [part for part in parts if len(part)]
    if log:
        parts = [np.where(part > 0, part, np.nan) for part in parts]
    low = min((float(np.fmin.reduce(part)) for part in parts), key=_last, default=np.nan)
    high = max((float(np.fmax.reduce(part)) for part in parts), key=_first, default=np.nan)
    if not (np.isfinite(low) and np.isfinite(high)):
        return _finite_span(parts, log)
    return low, high


def _last(value: float) -> float:
    return np.inf if np.isnan(value) else value


def _first(value: float) -> float:
    return -np.inf if np.isnan(value) else value


def _finite_span(parts: Sequence[np.ndarray], log: bool) -> Span:
    """Return the span of values of which some are infinite, or all missing."""
    values = np.concatenate([part[np.isfinite(part)] for part in parts] or [np.zeros(0)])
    if not len(values):
        return (1.0, 10.0) if log else (0.0, 1.0)
    return float(values.min()), float(values.max())


def _padded(low: float, high: float, *, log: bool) -> tuple[float, float]:
    if log:
        room = (high / low) ** ROOM
        return low / room, high * room
    room = ROOM * (high - low)
    return low - room, high + room


def _usable(low: float, high: float, log: bool) -> tuple[float, float]:
    """Return two different ends, above 0 for a logarithmic axis."""
    if log:
        top = high if high > 0 else 10.0
        low = low if low > 0 else top * 1e-6
        return (low, top) if low != top else (low / 2, top * 2)
    if low == high:
        room = abs(low) * 0.5 or 0.5
        return low - room, high + room
    return low, high


def axis_ticks(axis: Axis, n: int) -> tuple[Ticks, tuple[float, ...]]:
    """Return the ticks with numbers of an axis, and the places between 0 and 1 of small ones between them."""
    low, high = min(axis.low, axis.high), max(axis.low, axis.high)
    turned = axis.low > axis.high
    if axis.log and high / low >= 10:
        ticks, small = _decades(low, high, n)
    else:
        ticks, small = value_ticks(low, high, n), ()
        if axis.log:
            span = np.log10(high / low)
            ticks = Ticks(
                ticks.values, tuple(np.log10(v / low) / span for v in ticks.values), ticks.labels, ticks.exponent
            )
    if turned:
        ticks = Ticks(ticks.values, tuple(1 - p for p in ticks.positions), ticks.labels, ticks.exponent)
        small = tuple(1 - p for p in small)
    return ticks, small


def _decades(low: float, high: float, n: int) -> tuple[Ticks, tuple[float, ...]]:
    first, last, span = np.log10(low), np.log10(high), np.log10(high / low)
    step = max(1, round(span / max(n, 1)))
    powers = [p for p in range(int(np.ceil(first - 1e-9)), int(np.floor(last + 1e-9)) + 1)]
    shown = [p for p in powers if p % step == 0]
    small = [np.log10(m) + p for p in range(int(np.floor(first)), int(np.ceil(last))) for m in range(2, 10)]
    places = tuple(float((s - first) / span) for s in small if first <= s <= last) if span < 8 else ()
    labels = tuple(_power(p) for p in shown)
    return Ticks(tuple(10.0**p for p in shown), tuple((p - first) / span for p in shown), labels), places


def _power(exponent: int) -> str:
    if -3 <= exponent <= 4:
        return f"{10.0**exponent:g}"
    return f"10{str(exponent).translate(_superscripts)}"
