"""Between which values the colours run: by hand, extremes, percentiles, z-scale, or what suits."""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from jviz.backend.render.raster import Raster
from jviz.errors import JvizError

__all__ = ["MODES", "Limits", "auto_limits", "histogram", "limits", "suggest_stretch", "zscale"]

Limits = tuple[float, float]
Mode = Literal["auto", "minmax", "percentile", "zscale", "manual"]
MODES: tuple[Mode, ...] = ("auto", "minmax", "percentile", "zscale", "manual")


def limits(data: np.ndarray | Raster, mode: Mode = "auto", **options: Any) -> Limits:
    """Return the lower and the upper limit.

    Parameters
    ----------
    data : ndarray or Raster
        Values of any shape (NaN are left out); of a raster, its `Raster.sample`.
    mode : str
        ``"auto"``: `auto_limits`. ``"minmax"``, ``"percentile"`` (options ``low`` = 1, ``high`` = 99.5): of
        all pixels of a raster that is small or built, until then of its sample. ``"zscale"``:
        `zscale` with its options. ``"manual"``: options ``low`` and ``high`` are the limits.

    Returns
    -------
    low, high : float
        ``low < high`` always, except for ``"manual"`` limits that are turned round on purpose;
        (0, 1) when no value is finite.

    Raises
    ------
    JvizError
        When there is no such mode, or percentiles are not 0 ≤ low < high ≤ 100.
    """
    if mode == "manual":
        return _manual(**options)
    if mode in ("minmax", "percentile") and isinstance(data, Raster) and data.counted:
        return _of_all(data, mode, **options)
    values = finite_values(data)
    if mode == "auto":
        return auto_limits(values)
    if not values.size:
        return 0.0, 1.0
    if mode == "minmax":
        return _apart(float(values.min()), float(values.max()))
    if mode == "percentile":
        return _percentile(lambda percent: float(np.percentile(values, percent)), **options)
    if mode == "zscale":
        return _apart(*zscale(values, **options))
    raise JvizError(f"There are no limits {mode!r}. Choose one of {', '.join(MODES)}.")


def _of_all(raster: Raster, mode: Mode, **options: Any) -> Limits:
    """Work out limits of every pixel of a raster that is small or built."""
    if mode == "minmax" and raster.statistics is not None:
        return _apart(raster.statistics.minimum, raster.statistics.maximum)
    values = raster.all_values()
    if values is not None:
        return limits(values, mode, **options)
    spread = raster.spread()
    return _percentile(spread.percentile, **options) if spread is not None else (0.0, 1.0)


def finite_values(data: np.ndarray | Raster) -> np.ndarray:
    """Return the finite values of an array, or of the sample of a raster, 1-D."""
    values = np.asarray(data.sample() if isinstance(data, Raster) else data).ravel()
    return values[np.isfinite(values)]


def auto_limits(sample: np.ndarray) -> Limits:
    """Return limits that show structure at once, whatever the data.

    The 1st to the 99.5th percentile, but: of few different integers (labels, counts) all of
    them; zeros that only fill the frame do not count; and where percentiles coincide because
    nearly all pixels are equal, those that are not decide.
    """
    values = finite_values(sample)
    if not values.size:
        return 0.0, 1.0
    least, greatest = float(values.min()), float(values.max())
    if least == greatest:
        return _apart(least, greatest)
    if _are_labels(values):
        return least, greatest
    counted = _without_filling(values)
    low, high = (float(v) for v in np.percentile(counted, (1.0, 99.5)))
    if counted.size < values.size and low > 0.0 and (low < 0.1 * (high - low) or _are_whole(counted)):
        low = 0.0  # sparse counts: an empty pixel is dark, and one count is not
    return (low, high) if low < high else _of_the_others(counted, low)


def suggest_stretch(sample: np.ndarray, shown: Limits | None = None) -> str:
    """Return the stretch that suits the limits of `auto_limits`.

    ``"linear"`` when the middle pixel is already bright enough, ``"asinh"`` when faint structure would
    stay dark (the rule for stars and galaxies on a sky), ``"log"`` when it would even then.

    Parameters
    ----------
    shown : (float, float), optional
        What `auto_limits` gives for the sample, where that is known.
    """
    values = finite_values(sample)
    if not values.size or _are_labels(values):
        return "linear"
    low, high = auto_limits(values) if shown is None else shown
    middle = (float(np.median(_without_filling(values))) - low) / (high - low)
    if middle > 0.2:
        return "linear"
    return "asinh" if middle > 0.01 else "log"


def zscale(
    values: np.ndarray,
    *,
    contrast: float = 0.25,
    n_samples: int = 1000,
    max_reject: float = 0.5,
    min_pixels: int = 5,
    sigma: float = 2.5,
    iterations: int = 5,
) -> Limits:
    """Return the z-scale limits of IRAF's display task (stsdas ``zscale``).

    A line is fitted to the sorted values around the median, outliers rejected; its slope over
    ``contrast`` spans the limits.

    Parameters
    ----------
    values : ndarray
        Any shape; NaN are left out.
    """
    finite = finite_values(values)
    if not finite.size:
        return 0.0, 1.0
    sample = np.sort(finite[:: max(1, int(finite.size / n_samples))][:n_samples].astype(float))
    n = sample.size
    least = max(min_pixels, int(n * max_reject))
    slope, good = _line(sample, least, sigma, iterations)
    low, high = float(sample[0]), float(sample[-1])
    if good >= least:
        slope, centre, median = slope / contrast, (n - 1) // 2, float(np.median(sample))
        low = max(low, median - (centre - 1) * slope)
        high = min(high, median + (n - centre) * slope)
    return low, high


def _line(sample: np.ndarray, least: int, sigma: float, iterations: int) -> tuple[float, int]:
    """Fit a line to sorted values with rejection; return its slope and how many were kept."""
    n = sample.size
    x = np.arange(n, dtype=float)
    kept, good, before, slope = np.ones(n, bool), n, n + 1, 0.0
    grow = np.ones(max(1, int(n * 0.01)), bool)
    for _ in range(iterations):
        if good >= before or good < least:
            break
        mean_x, mean = x[kept].mean(), sample[kept].mean()
        spread = ((x[kept] - mean_x) ** 2).sum()
        slope = float(((x[kept] - mean_x) * (sample[kept] - mean)).sum() / spread) if spread else 0.0
        flat = sample - mean - slope * (x - mean_x)
        threshold = sigma * flat[kept].std()
        kept &= np.abs(flat) <= threshold
        kept = ~np.convolve(~kept, grow, mode="same")
        before, good = good, int(kept.sum())
    return slope, good


def histogram(data: np.ndarray | Raster, bins: int = 256, span: Limits | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Count values.

    Parameters
    ----------
    data : ndarray or Raster
        Of a raster, its sample.
    bins : int
    span : (float, float), optional
        From where to where; from the least to the greatest value unless given.

    Returns
    -------
    counts : ndarray of int, shape (bins,)
    edges : ndarray of float, shape (bins + 1,)
    """
    values = finite_values(data)
    if span is None:
        span = limits(values, "minmax")
    return np.histogram(values, bins=bins, range=span)


def _manual(low: float = 0.0, high: float = 1.0) -> Limits:
    if not (np.isfinite(low) and np.isfinite(high)):
        raise JvizError(f"The limits {low} and {high} are not finite. Give two numbers.")
    return (float(low), float(high)) if low != high else _apart(float(low), float(high))


def _percentile(value_at: Callable[[float], float], low: float = 1.0, high: float = 99.5) -> Limits:
    if not 0 <= low < high <= 100:
        raise JvizError(f"Percentiles from {low} to {high} cannot be. Give 0 ≤ low < high ≤ 100.")
    return _apart(value_at(low), value_at(high))


def _apart(low: float, high: float) -> Limits:
    """Make limits differ, so that what is constant is drawn in the middle colour."""
    if not (np.isfinite(low) and np.isfinite(high)):
        return 0.0, 1.0
    if low < high:
        return low, high
    half = 0.1 * abs(low) or 1.0
    return low - half, low + half


def _of_the_others(values: np.ndarray, usual: float) -> Limits:
    """Return limits for pixels nearly all of which have the same value."""
    others = values[values != usual]
    if not others.size:
        return _apart(usual, usual)
    low, high = (float(v) for v in np.percentile(others, (1.0, 99.5)))
    return _apart(min(low, usual), max(high, usual))


def _are_labels(values: np.ndarray) -> bool:
    """Whether there are only few different values, all whole: labels, flags, coverage counts."""
    some = values[:: max(1, values.size // 2000)]
    if np.unique(some).size > 32 or not np.all(some == np.rint(some)):
        return False
    found = np.unique(values)
    if found.size > 64 or found[-1] - found[0] > 4096:
        return False
    # A raw frame of low counts has few different values as well, but also a hot pixel far off.
    low, high = np.percentile(values, (1.0, 99.5))
    return bool(low == high or found[-1] - found[0] <= 5 * (high - low))


def _are_whole(values: np.ndarray) -> bool:
    """Whether the values are counts."""
    some = values[:: max(1, values.size // 2000)]
    return bool(np.all(some == np.rint(some)))


def _without_filling(values: np.ndarray) -> np.ndarray:
    """Leave out exact zeros where so many stand for "nothing here" (mosaic corners, empty pixels)."""
    full = values[values != 0]
    return full if 0 < full.size < 0.9 * values.size else values
