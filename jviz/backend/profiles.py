"""Profiles of images: along a line, over rings round a point, and how the light adds up with radius."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

__all__ = [
    "Cut",
    "Fit",
    "Rings",
    "fit_rings",
    "growth",
    "line_cut",
    "rings",
    "samples_along",
]

Read = Callable[[slice, slice], tuple[np.ndarray, np.ndarray | None]]
"""``read(rows, columns)`` returns values (float64, NaN for missing ones) and variances or None."""

Interpolation = Literal["nearest", "linear", "cubic"]
MOST = 1 << 20
"""Pixels that are read at once for samples along a path."""

_REACH = {"nearest": 1, "linear": 1, "cubic": 3}


@dataclass(frozen=True, eq=False)
class Cut:
    """Values along a path.

    Attributes
    ----------
    x, y : ndarray of float64, shape (n,)
        Data pixels of the samples.
    distance : ndarray
        From the start of the path, in pixels.
    values : ndarray
        Mean over the width; NaN where there is no value.
    error : ndarray or None
    """

    x: np.ndarray
    y: np.ndarray
    distance: np.ndarray
    values: np.ndarray
    error: np.ndarray | None


def samples_along(path: np.ndarray, step: float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return points about ``step`` apart along a polyline, the unit vectors across it, and their distances.

    Parameters
    ----------
    path : ndarray, shape (n, 2)
        Corners (x, y) in data pixels.

    Returns
    -------
    points, across : ndarray, shape (m, 2)
    distance : ndarray, shape (m,)
        From the first corner, in pixels; the first and the last sample lie on the ends.
    """
    path = np.asarray(path, dtype=float)
    lengths = np.hypot(*np.diff(path, axis=0).T)
    keep = np.concatenate([[True], lengths > 0])
    path, lengths = path[keep], lengths[lengths > 0]
    if len(path) < 2:
        raise ValueError("the path has no length: give at least two different points")
    ends = np.concatenate([[0.0], np.cumsum(lengths)])
    distance = np.linspace(0.0, ends[-1], max(2, round(ends[-1] / step) + 1))
    points = np.stack([np.interp(distance, ends, path[:, k]) for k in (0, 1)], axis=1)
    part = np.clip(np.searchsorted(ends, distance, side="right") - 1, 0, len(lengths) - 1)
    along = (np.diff(path, axis=0) / lengths[:, None])[part]
    return points, np.stack([-along[:, 1], along[:, 0]], axis=1), distance


def line_cut(
    read: Read,
    shape: tuple[int, int],
    path: np.ndarray,
    *,
    width: float = 1.0,
    interpolation: Interpolation = "linear",
) -> Cut:
    """Sample an image along a polyline, averaged across it.

    Parameters
    ----------
    path : ndarray, shape (n, 2)
        Corners (x, y) in data pixels.
    width : float
        Pixels across the path that are averaged; 1 takes the path alone.
    interpolation : str
        nearest, linear, or cubic (which needs all 16 neighbours; where one is missing it is linear).

    Returns
    -------
    Cut
        One sample a pixel. The error is that of the weights of linear interpolation over independent pixels.
    """
    points, across, distance = samples_along(path)
    number = max(1, round(width))
    offsets = np.arange(number) - (number - 1) / 2
    x = points[:, 0, None] + offsets * across[:, 0, None]
    y = points[:, 1, None] + offsets * across[:, 1, None]
    values, variance = _sampled(read, shape, x, y, interpolation)
    good = np.isfinite(values)
    n = good.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(good, values, 0.0).sum(axis=1) / n
        error = None if variance is None else np.sqrt(np.where(good, variance, 0.0).sum(axis=1)) / n
    return Cut(points[:, 0], points[:, 1], distance, np.where(n > 0, mean, np.nan), error)


def _sampled(
    read: Read, shape: tuple[int, int], x: np.ndarray, y: np.ndarray, interpolation: Interpolation
) -> tuple[np.ndarray, np.ndarray | None]:
    """Interpolate values and variances at places; NaN off the image."""
    reach = _REACH[interpolation]
    rows = slice(max(0, int(np.floor(y.min())) - reach), min(shape[0], int(np.ceil(y.max())) + reach + 1))
    columns = slice(max(0, int(np.floor(x.min())) - reach), min(shape[1], int(np.ceil(x.max())) + reach + 1))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return np.full(x.shape, np.nan), None
    if (rows.stop - rows.start) * (columns.stop - columns.start) > MOST and len(x) > 1:
        # A long diagonal crosses few pixels of a box that may be the whole image.
        halves = [_sampled(read, shape, a, b, interpolation) for a, b in zip(_halves(x), _halves(y), strict=True)]
        values, spreads = zip(*halves, strict=True)
        return np.concatenate(values), _joined(values, spreads)
    image, variance = read(rows, columns)
    x, y = x - columns.start, y - rows.start
    if interpolation == "nearest":
        return _picked(image, x, y), None if variance is None else _picked(variance, x, y)
    values, spread = _linear(image, variance, x, y)
    if interpolation == "cubic":
        from scipy.ndimage import map_coordinates

        # Where a neighbour is missing the spline would spread it; those samples stay linear.
        smooth = map_coordinates(np.nan_to_num(image), [y, x], order=3, mode="nearest")
        touched = map_coordinates(np.isnan(image).astype(float), [y, x], order=1, mode="nearest")
        values = np.where((touched == 0) & np.isfinite(values), smooth, values)
    return values, spread


def _halves(samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return samples[: len(samples) // 2], samples[len(samples) // 2 :]


def _joined(values: tuple[np.ndarray, ...], spreads: tuple[np.ndarray | None, ...]) -> np.ndarray | None:
    """Join variances; parts beside the image have none, and no values either."""
    if all(spread is None for spread in spreads):
        return None
    return np.concatenate([np.full(v.shape, np.nan) if s is None else s for v, s in zip(values, spreads, strict=True)])


def _picked(image: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    columns, rows = np.floor(x + 0.5).astype(int), np.floor(y + 0.5).astype(int)
    inside = (columns >= 0) & (rows >= 0) & (columns < image.shape[1]) & (rows < image.shape[0])
    values = np.full(x.shape, np.nan)
    values[inside] = image[rows[inside], columns[inside]]
    return values


def _linear(
    image: np.ndarray, variance: np.ndarray | None, x: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray | None]:
    """Interpolate between the four neighbours, over those that have a value; at least half must have one."""
    left, low = np.floor(x).astype(int), np.floor(y).astype(int)
    total, share, spread = np.zeros(x.shape), np.zeros(x.shape), np.zeros(x.shape)
    for down in (0, 1):
        for aside in (0, 1):
            columns, rows = left + aside, low + down
            weight = (1 - np.abs(x - columns)) * (1 - np.abs(y - rows))
            inside = (columns >= 0) & (rows >= 0) & (columns < image.shape[1]) & (rows < image.shape[0]) & (weight > 0)
            value = np.full(x.shape, np.nan)
            value[inside] = image[rows[inside], columns[inside]]
            good = np.isfinite(value)
            total += np.where(good, weight * np.where(good, value, 0.0), 0.0)
            share += np.where(good, weight, 0.0)
            if variance is not None:
                part = np.zeros(x.shape)
                part[inside] = variance[rows[inside], columns[inside]]
                spread += np.where(good, weight**2 * np.nan_to_num(part), 0.0)
    there = share >= 0.5
    with np.errstate(invalid="ignore", divide="ignore"):
        values = np.where(there, total / share, np.nan)
        return values, None if variance is None else np.where(there, spread / share**2, np.nan)


# --- rings ----------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Rings:
    """Means over rings round a point, or sums within circles.

    Attributes
    ----------
    radius : ndarray of float64
        Middle of each ring (radius of each circle), in pixels.
    values : ndarray
    error : ndarray or None
    area : ndarray
        Of the pixels with a value, in pixels.
    """

    radius: np.ndarray
    values: np.ndarray
    error: np.ndarray | None
    area: np.ndarray


def _overlaps(
    read: Read, shape: tuple[int, int], centre: tuple[float, float], radii: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None] | None:
    """Return exact overlaps of circles with pixels, (n_radii, n_pixels), and the pixels' values and variances."""
    from photutils.geometry import circular_overlap_grid

    x, y = centre
    reach = radii[-1] + 1
    rows = slice(max(0, int(np.floor(y - reach))), min(shape[0], int(np.ceil(y + reach)) + 1))
    columns = slice(max(0, int(np.floor(x - reach))), min(shape[1], int(np.ceil(x + reach)) + 1))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return None
    values, variance = read(rows, columns)
    edges = (columns.start - 0.5 - x, columns.stop - 0.5 - x, rows.start - 0.5 - y, rows.stop - 0.5 - y)
    high, wide = values.shape
    circles = [
        circular_overlap_grid(*edges, wide, high, float(r), 1, 1).ravel() if r > 0 else np.zeros(high * wide)
        for r in radii
    ]
    return np.array(circles), values.ravel(), None if variance is None else variance.ravel()


def rings(read: Read, shape: tuple[int, int], centre: tuple[float, float], radii: np.ndarray) -> Rings:
    """Average an image over the rings between successive radii, with exact shares of the pixels.

    Parameters
    ----------
    centre : (float, float)
        (x, y) in data pixels.
    radii : ndarray, shape (n + 1,)
        Ascending, in pixels; the first may be 0.

    Returns
    -------
    Rings
        n of them. The error of a mean is √(Σ w² σ²) ∕ Σ w for independent pixels.
    """
    found = _overlaps(read, shape, centre, radii)
    middles = (radii[1:] + radii[:-1]) / 2
    if found is None:
        empty = np.full(len(middles), np.nan)
        return Rings(middles, empty, None, np.zeros(len(middles)))
    circles, values, variance = found
    weights = np.clip(np.diff(circles, axis=0), 0.0, None)
    return Rings(middles, *_weighted(weights, values, variance, mean=True))


def growth(read: Read, shape: tuple[int, int], centre: tuple[float, float], radii: np.ndarray) -> Rings:
    """Sum an image within circles, with exact shares of the pixels; missing pixels add nothing."""
    found = _overlaps(read, shape, centre, radii)
    if found is None:
        empty = np.full(len(radii), np.nan)
        return Rings(radii, empty, None, np.zeros(len(radii)))
    return Rings(radii, *_weighted(*found, mean=False))


def _weighted(
    weights: np.ndarray, values: np.ndarray, variance: np.ndarray | None, *, mean: bool
) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
    good = np.isfinite(values)
    area = weights @ good
    total = weights @ np.where(good, values, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        error = None
        if variance is not None:
            error = np.sqrt(weights**2 @ np.where(good, np.nan_to_num(variance), 0.0)) / (area if mean else 1.0)
        return np.where(area > 0, total / (area if mean else 1.0), np.nan), error, area


@dataclass(frozen=True)
class Fit:
    """A round profile fitted to rings or pixels: value(r) = sky + peak · shape(r).

    Attributes
    ----------
    model : str
        "gaussian" or "moffat" (Moffat 1969: (1 + (r ∕ α)²)^−β).
    fwhm, fwhm_err : float
        Full width at half maximum, pixels.
    peak, peak_err, sky, sky_err : float
        In the unit of the image.
    beta, beta_err : float or None
        Of the Moffat.
    chi2 : float
        Σ (residual ∕ error)²; NaN where the rings have no errors, which are then taken from the residuals.
    dof : int
        Rings less parameters.
    """

    model: str
    fwhm: float
    fwhm_err: float
    peak: float
    sky: float
    beta: float | None = None
    peak_err: float = np.nan
    sky_err: float = np.nan
    beta_err: float | None = None
    chi2: float = np.nan
    dof: int = 0

    def numbers(self) -> dict[str, float]:
        """Return all that was fitted by name, with errors, χ² and degrees of freedom; without what is not known."""
        names = ("fwhm", "fwhm_err", "peak", "peak_err", "sky", "sky_err", "beta", "beta_err", "chi2", "dof")
        found = {name: getattr(self, name) for name in names}
        return {name: value for name, value in found.items() if value is not None and np.isfinite(value)}

    def __call__(self, radius: np.ndarray) -> np.ndarray:
        """Return the fitted profile at some radii."""
        shape = _gaussian(radius, self.fwhm) if self.beta is None else _moffat(radius, self.fwhm, self.beta)
        return self.sky + self.peak * shape


def _gaussian(radius: Any, fwhm: float) -> Any:
    return np.exp(-4 * np.log(2) * (radius / fwhm) ** 2)


def _moffat(radius: Any, fwhm: float, beta: float) -> Any:
    alpha = fwhm / (2 * np.sqrt(2 ** (1 / beta) - 1))
    return (1 + (radius / alpha) ** 2) ** -beta


def fit_rings(found: Rings, model: Literal["gaussian", "moffat"] = "gaussian") -> Fit | None:
    """Fit a round profile to a radial profile by least squares; None where it does not converge.

    The error of the width comes from the curvature of χ² at the minimum: with errors of the rings it is that of
    the noise, without them it is scaled by the residuals.
    """
    from scipy.optimize import curve_fit

    good = np.isfinite(found.values)
    if good.sum() < 5:
        return None
    radius, values = found.radius[good], found.values[good]
    error = found.error[good] if found.error is not None else None
    if error is not None and not (np.isfinite(error) & (error > 0)).all():
        error = None
    sky, peak = float(np.median(values[-max(3, len(values) // 4) :])), float(values[0])
    half = radius[values - sky < (peak - sky) / 2]
    start = [2 * float(half[0]) if len(half) else 3.0, peak - sky, sky]
    low, high = [0.1, -np.inf, -np.inf], [10 * radius[-1], np.inf, np.inf]
    if model == "moffat":
        start, low, high = [*start, 3.0], [*low, 0.6], [*high, 50.0]

    def shape(r: np.ndarray, fwhm: float, height: float, base: float, beta: float = 0.0) -> np.ndarray:
        return base + height * (_moffat(r, fwhm, beta) if model == "moffat" else _gaussian(r, fwhm))

    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a covariance that cannot be had is told by an infinite error
            best, covariance = curve_fit(
                shape, radius, values, start, error, absolute_sigma=error is not None, bounds=(low, high)
            )
    except (RuntimeError, ValueError):
        return None
    width, peak, sky, *beta = best.tolist()
    width_err, peak_err, sky_err, *beta_err = np.sqrt(np.diag(covariance)).tolist()
    chi2 = np.nan if error is None else float(np.sum(((values - shape(radius, *best)) / error) ** 2))
    return Fit(
        model, width, width_err, peak, sky, *(beta or [None]), peak_err, sky_err, *(beta_err or [None]), chi2,
        len(values) - len(best),
    )  # fmt: skip
