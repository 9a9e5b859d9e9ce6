"""Stretches: how brightness rises from the lower to the upper limit, and the colour tables made of them.

All work on 0 … 1 to 0 … 1, rise everywhere, and have an inverse (for the ticks of a colour bar).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

import numpy as np

from jviz.errors import JvizError

__all__ = ["STRETCHES", "Stretch", "look_table", "stretch"]

Curve = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Stretch:
    """A rising function of 0 … 1 onto 0 … 1.

    Parameters
    ----------
    name : str
        One of `STRETCHES`.
    parameters : dict
        What it was made with.
    """

    name: str
    forward: Curve = field(repr=False, compare=False)
    backward: Curve = field(repr=False, compare=False)
    parameters: dict[str, Any] = field(default_factory=dict)

    def __call__(self, fraction: np.ndarray | float) -> np.ndarray:
        """Return the brightness for positions between the limits; both are cut to 0 … 1."""
        return np.clip(self.forward(np.clip(np.asarray(fraction, dtype=float), 0.0, 1.0)), 0.0, 1.0)

    def inverse(self, brightness: np.ndarray | float) -> np.ndarray:
        """Return the positions between the limits that are so bright."""
        return np.clip(self.backward(np.clip(np.asarray(brightness, dtype=float), 0.0, 1.0)), 0.0, 1.0)


def stretch(name: str, **parameters: Any) -> Stretch:
    """Make a stretch.

    Parameters
    ----------
    name : str
        ``"linear"``, ``"sqrt"``, ``"squared"``, ``"log"`` (``a`` = 1000), ``"asinh"`` (``a`` = 0.1),
        ``"sinh"`` (``a`` = 1/3), ``"power"`` (``gamma`` = 2), ``"histogram"`` (``sample``, ``low``,
        ``high``: values and limits, so that all brightnesses are equally frequent), ``"spline"``
        (``knots``: pairs of position and brightness, both rising).

    Raises
    ------
    JvizError
        When there is no such stretch, or a parameter makes no sense.
    """
    maker = _MAKERS.get(name)
    if maker is None:
        near = get_close_matches(name, _MAKERS, n=3) or list(_MAKERS)
        raise JvizError(f"There is no stretch {name!r}. Did you mean {', '.join(near)}?")
    try:
        forward, backward = maker(**parameters)
    except TypeError as error:
        raise JvizError(f"The stretch {name} cannot be made with {sorted(parameters)}: {error}.") from error
    return Stretch(name, forward, backward, parameters)


def look_table(
    curve: Stretch,
    colours: np.ndarray,
    *,
    contrast: float = 1.0,
    bias: float = 0.5,
    invert: bool = False,
    size: int = 4096,
) -> np.ndarray:
    """Bake a stretch and a colour map into one table, so that all stretches draw equally fast.

    Parameters
    ----------
    curve : Stretch
    colours : ndarray of uint8, shape (n, 3)
        As from `colormap`.
    contrast, bias : float
        How steep the colours run and where their middle lies, as in DS9: 1 and 0.5 change nothing.
    invert : bool
        Turn the colours round.
    size : int
        Entries. 4096 do for most; steep stretches (log, histogram) show no steps with 65536,
        which costs 0.1 ms per frame.

    Returns
    -------
    ndarray of uint32, shape (size,)
        0xFFRRGGBB from the lower to the upper limit, both included.
    """
    bright = curve(np.linspace(0.0, 1.0, size))
    bright = np.clip((bright - bias) * contrast + 0.5, 0.0, 1.0)
    if invert:
        bright = 1.0 - bright
    at = np.linspace(0.0, 1.0, len(colours))
    red, green, blue = (
        np.rint(np.interp(bright, at, channel)).astype(np.uint32) for channel in np.asarray(colours).T[:3]
    )
    return np.uint32(0xFF000000) | red << np.uint32(16) | green << np.uint32(8) | blue


def _positive(name: str, value: float) -> float:
    if not (np.isfinite(value) and value > 0):
        raise JvizError(f"{name} of the stretch is {value}; it must be above 0.")
    return float(value)


def _linear() -> tuple[Curve, Curve]:
    return np.positive, np.positive


def _power(gamma: float = 2.0) -> tuple[Curve, Curve]:
    gamma = _positive("gamma", gamma)
    return lambda t: t**gamma, lambda y: y ** (1.0 / gamma)


def _log(a: float = 1000.0) -> tuple[Curve, Curve]:
    a = _positive("a", a)
    return lambda t: np.log1p(a * t) / np.log1p(a), lambda y: np.expm1(y * np.log1p(a)) / a


def _asinh(a: float = 0.1) -> tuple[Curve, Curve]:
    a = _positive("a", a)
    top = np.arcsinh(1.0 / a)
    return lambda t: np.arcsinh(t / a) / top, lambda y: a * np.sinh(y * top)


def _sinh(a: float = 1.0 / 3.0) -> tuple[Curve, Curve]:
    forward, backward = _asinh(1.0 / np.sinh(1.0 / _positive("a", a)))
    return backward, forward


def _histogram(sample: np.ndarray, low: float, high: float) -> tuple[Curve, Curve]:
    values = np.asarray(sample, dtype=float)
    inner = (values[np.isfinite(values)] - low) / ((high - low) or 1.0)
    inner = inner[(inner > 0.0) & (inner < 1.0)]
    if not inner.size:
        return _linear()
    position = np.quantile(inner, np.linspace(0.0, 1.0, 257)[1:-1])
    # Many equal values: one step, at the brightness of the last of them.
    position, last = np.unique(position[::-1], return_index=True)
    bright = (len(np.linspace(0.0, 1.0, 257)[1:-1]) - last) / 256
    x, y = np.concatenate([[0.0], position, [1.0]]), np.concatenate([[0.0], bright, [1.0]])
    return lambda t: np.interp(t, x, y), lambda b: np.interp(b, y, x)


def _spline(knots: Sequence[tuple[float, float]] = ((0.0, 0.0), (1.0, 1.0))) -> tuple[Curve, Curve]:
    points = np.array(sorted((float(x), float(y)) for x, y in knots))
    if len(points) < 2 or not np.isfinite(points).all() or points.min() < 0 or points.max() > 1:
        raise JvizError("A spline needs at least two knots, with positions and brightnesses from 0 to 1.")
    x, y = points.T
    if (np.diff(x) <= 0).any() or (np.diff(y) < 0).any():
        raise JvizError("The knots of a spline must rise from left to right: move or remove one.")
    curve = pchip(x, y)
    fine = np.linspace(0.0, 1.0, 4097)
    heights = curve(fine)
    return curve, lambda b: np.interp(b, heights, fine)


def pchip(x: np.ndarray, y: np.ndarray) -> Curve:
    """Interpolate by cubics that are monotone wherever the points are.

    Slopes by Fritsch & Butland (1984, SIAM J. Sci. Stat. Comput. 5, 300), as in scipy's
    PchipInterpolator; constant beyond the ends.
    """
    h, slope = np.diff(x), np.diff(y) / np.diff(x)
    d = _knot_slopes(h, slope)

    def curve(t: np.ndarray) -> np.ndarray:
        t = np.clip(t, x[0], x[-1])
        k = np.clip(np.searchsorted(x, t, side="right") - 1, 0, len(h) - 1)
        s = (t - x[k]) / h[k]
        rise = y[k] + (y[k + 1] - y[k]) * s**2 * (3 - 2 * s)
        return rise + h[k] * s * (1 - s) * (d[k] * (1 - s) - d[k + 1] * s)

    return curve


def _knot_slopes(h: np.ndarray, slope: np.ndarray) -> np.ndarray:
    if len(h) == 1:
        return np.array([slope[0], slope[0]])
    w1, w2 = 2 * h[1:] + h[:-1], h[1:] + 2 * h[:-1]
    flat = slope[1:] * slope[:-1] <= 0
    with np.errstate(divide="ignore", invalid="ignore"):
        inner = np.where(flat, 0.0, (w1 + w2) / (w1 / slope[:-1] + w2 / slope[1:]))
    first = _end_slope(h[0], h[1], slope[0], slope[1])
    last = _end_slope(h[-1], h[-2], slope[-1], slope[-2])
    return np.concatenate([[first], inner, [last]])


def _end_slope(h0: float, h1: float, m0: float, m1: float) -> float:
    end = ((2 * h0 + h1) * m0 - h0 * m1) / (h0 + h1)
    if end * m0 <= 0:
        return 0.0
    if m0 * m1 <= 0 and abs(end) > 3 * abs(m0):
        return 3 * m0
    return end


_MAKERS: dict[str, Callable[..., tuple[Curve, Curve]]] = {
    "linear": _linear,
    "sqrt": lambda: _power(0.5),
    "log": _log,
    "asinh": _asinh,
    "sinh": _sinh,
    "power": _power,
    "squared": lambda: _power(2.0),
    "histogram": _histogram,
    "spline": _spline,
}

STRETCHES = tuple(_MAKERS)
