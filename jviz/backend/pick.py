"""The source nearest to a place of an image: where it is, how bright and how wide, without a catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from jviz.backend.profiles import Read

__all__ = ["Picked", "pick"]

Model = Literal["gaussian", "moffat"]
_TINY = 1e-300


@dataclass(frozen=True)
class Picked:
    """An elliptical profile fitted to a source; lengths in pixels, values in the unit of the image.

    Attributes
    ----------
    x, y : float
        Centre, 0-based.
    peak, sky : float
        Height above the sky, and the sky.
    fwhm_major, fwhm_minor : float
    angle : float
        Of the major axis, degrees counter-clockwise from x, 0 to 180.
    beta : float
        Of the Moffat; NaN for a Gaussian.
    flux : float
        Of the fitted profile without the sky, value × pixels.
    errors : dict
        One standard deviation of each of the above.
    reduced_chi2 : float
        NaN where the image has no errors; the errors are then scaled by the residuals.
    """

    model: str
    x: float
    y: float
    peak: float
    sky: float
    fwhm_major: float
    fwhm_minor: float
    angle: float
    beta: float
    flux: float
    errors: dict[str, float]
    reduced_chi2: float

    @property
    def fwhm(self) -> float:
        """Geometric mean of both widths."""
        return float(np.sqrt(self.fwhm_major * self.fwhm_minor))

    @property
    def ellipticity(self) -> float:
        """1 − minor ∕ major."""
        return 1 - self.fwhm_minor / self.fwhm_major


def pick(
    read: Read,
    shape: tuple[int, int],
    x: float,
    y: float,
    *,
    radius: float = 10.0,
    model: Model = "gaussian",
) -> Picked:
    """Find the brightest peak near a place and fit an elliptical profile with a flat sky to it.

    Parameters
    ----------
    x, y : float
        Where to look, data pixels.
    radius : float
        How far the peak may be, and half the side of the box that is fitted, in pixels.

    Raises
    ------
    ValueError
        Where nothing can be fitted: the text says why.
    """
    top_x, top_y = _peak(read, shape, x, y, radius)
    rows, columns, values, variance = _box(read, shape, top_x, top_y, radius)
    good = np.isfinite(values)
    if variance is not None:
        good &= np.isfinite(variance) & (variance > 0)
    if good.sum() < 12:
        raise ValueError("too few pixels there have a value and an error")
    v, u = np.nonzero(good)
    u, v, values = u + columns.start, v + rows.start, values[good]
    sigma = np.sqrt(variance[good]) if variance is not None else None
    return _fitted(u.astype(float), v.astype(float), values, sigma, (float(top_x), float(top_y)), model)


def _box(read: Read, shape: tuple[int, int], x: float, y: float, reach: float) -> tuple[Any, ...]:
    rows = slice(max(0, int(np.floor(y - reach))), min(shape[0], int(np.ceil(y + reach)) + 1))
    columns = slice(max(0, int(np.floor(x - reach))), min(shape[1], int(np.ceil(x + reach)) + 1))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        raise ValueError("the place is off the image")
    return rows, columns, *read(rows, columns)


def _peak(read: Read, shape: tuple[int, int], x: float, y: float, radius: float) -> tuple[int, int]:
    """Return the pixel (x, y) of the greatest value within the radius, smoothed a little against hot pixels."""
    from scipy.ndimage import uniform_filter

    rows, columns, values, _ = _box(read, shape, x, y, radius)
    good = np.isfinite(values)
    if not good.any():
        raise ValueError("no pixel near the place has a value")
    share = uniform_filter(good.astype(float), 3, mode="constant")
    smooth = uniform_filter(np.where(good, values, 0.0), 3, mode="constant") / np.maximum(share, _TINY)
    v, u = np.mgrid[rows, columns]
    smooth[~good | (np.hypot(u - x, v - y) > radius)] = -np.inf
    row, column = np.unravel_index(int(np.argmax(smooth)), smooth.shape)
    return int(column) + columns.start, int(row) + rows.start


def _fitted(
    u: np.ndarray, v: np.ndarray, values: np.ndarray, sigma: np.ndarray | None, top: tuple[float, float], model: Model
) -> Picked:
    from scipy.optimize import least_squares

    sky = float(np.percentile(values, 20))
    near = np.hypot(u - top[0], v - top[1]) <= 1.5
    peak = max(float(values[near].max()) - sky, _TINY)
    width = _width(u, v, values - sky, peak, top)
    # Quadratic form a·dx² + b·dx·dy + c·dy²: smooth everywhere, where an angle is not for round sources.
    form = 4 * np.log(2) / width**2 if model == "gaussian" else 4 * (2 ** (1 / 3) - 1) / width**2
    start = np.array([*top, peak, sky, form, 0.0, form] + ([3.0] if model == "moffat" else []))
    scale = np.array(
        [1.0, 1.0, peak, max(abs(sky), peak, _TINY), form, form, form] + ([1.0] if model == "moffat" else [])
    )
    weights = 1.0 if sigma is None else 1 / sigma

    def residuals(p: np.ndarray) -> np.ndarray:
        return (_model(p, u, v) - values) * weights

    best = least_squares(residuals, start, x_scale=scale, method="lm", max_nfev=400)
    a, b, c = best.x[4:7]
    if not best.success or 4 * a * c <= b * b or a <= 0 or best.x[2] <= 0:
        raise ValueError("no peak with a shape that can be fitted stands there")
    free = max(len(values) - len(start), 1)
    covariance = np.linalg.pinv(best.jac.T @ best.jac)
    if sigma is None:
        covariance = covariance * (2 * best.cost / free)
    # A flat field has peaks of rounding, noise has some of one or two sigma.
    if best.x[2] < 3 * np.sqrt(max(covariance[2, 2], 0.0)) or best.x[2] < 1e-9 * abs(best.x[3]):
        raise ValueError("no peak there stands out of the noise")
    return _described(best.x, covariance, model, np.nan if sigma is None else 2 * best.cost / free)


def _width(u: np.ndarray, v: np.ndarray, values: np.ndarray, peak: float, top: tuple[float, float]) -> float:
    """Return a first width: that of the disc with as many pixels as are brighter than half the peak near it."""
    near = np.hypot(u - top[0], v - top[1]) < 6
    return float(max(1.5, 2 * np.sqrt(max((values[near] > peak / 2).sum(), 1) / np.pi)))


def _model(p: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    dx, dy = u - p[0], v - p[1]
    form = p[4] * dx * dx + p[5] * dx * dy + p[6] * dy * dy
    if len(p) == 7:
        return p[3] + p[2] * np.exp(-np.clip(form, -50, 700))
    return p[3] + p[2] * np.clip(1 + form, 1e-3, None) ** -np.clip(p[7], 0.3, 60)


def _shape_of(p: np.ndarray) -> np.ndarray:
    """Return major and minor width, angle (degrees) and flux of fitted parameters."""
    a, b, c = p[4:7]
    middle, apart = (a + c) / 2, np.hypot((a - c) / 2, b / 2)
    if len(p) == 7:
        half, integral = np.log(2), np.pi
    else:
        # ∫ (1 + q)^−β over the plane is π ∕ ((β − 1) √det) for β > 1, and has no end otherwise
        half, integral = 2 ** (1 / p[7]) - 1, np.pi / (p[7] - 1) if p[7] > 1 else np.nan
    major, minor = 2 * np.sqrt(half / (middle - apart)), 2 * np.sqrt(half / (middle + apart))
    angle = np.degrees(0.5 * np.arctan2(-b, c - a)) % 180
    flux = p[2] * integral / np.sqrt(a * c - b * b / 4)
    return np.array([major, minor, angle, flux])


def _described(p: np.ndarray, covariance: np.ndarray, model: Model, chi2: float) -> Picked:
    shape = _shape_of(p)
    slopes = np.zeros((4, len(p)))
    for k in range(len(p)):
        step = 1e-5 * (abs(p[k]) or 1e-3)
        above, below = p.copy(), p.copy()
        above[k], below[k] = p[k] + step, p[k] - step
        change = _shape_of(above) - _shape_of(below)
        change[2] = (change[2] + 90) % 180 - 90
        slopes[:, k] = change / (2 * step)
    spread = np.sqrt(np.clip(np.diag(slopes @ covariance @ slopes.T), 0, None))
    own = np.sqrt(np.clip(np.diag(covariance), 0, None))
    names = ("fwhm_major", "fwhm_minor", "angle", "flux")
    errors = dict(zip(names, map(float, spread), strict=True))
    errors |= {name: float(own[k]) for k, name in enumerate(("x", "y", "peak", "sky"))}
    errors["fwhm"] = float(np.hypot(spread[0] / shape[0], spread[1] / shape[1]) / 2 * np.sqrt(shape[0] * shape[1]))
    beta = float(p[7]) if model == "moffat" else np.nan
    errors["beta"] = float(own[7]) if model == "moffat" else np.nan
    x, y, peak, sky = map(float, p[:4])
    return Picked(model, x, y, peak, sky, *map(float, shape[:3]), beta, float(shape[3]), errors, float(chi2))
