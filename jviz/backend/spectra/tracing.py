"""Where the light of a source lies on a two-dimensional spectrum."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from jviz.backend.spectra.medians import nan_median
from jviz.backend.spectra.two_d import Frame
from jviz.errors import JvizError

__all__ = ["Finder", "Trace", "found_trace", "profile_across"]

Finder = Literal["gaussian", "centroid", "peak"]
_BINS = 48


@dataclass(frozen=True, eq=False)
class Trace:
    """The middle of a source across the dispersion, for every pixel along it.

    Attributes
    ----------
    centre : ndarray of float64, shape (n_along,)
        In pixels from 0 across the dispersion.
    along, across, used : ndarray, shape (n_bins,)
        The places that were measured, and which of them made the fit.
    scatter : float
        Standard deviation of the used places about the fit, in pixels.
    """

    centre: np.ndarray
    along: np.ndarray
    across: np.ndarray
    used: np.ndarray
    scatter: float = 0.0


def profile_across(frame: Frame, centre: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Return offsets from the trace (or rows), the median light there and its error, each of shape (n_cross,).

    With a trace every column is moved by whole and parts of pixels so that the trace is straight.
    """
    values = frame.good
    rows = np.arange(values.shape[0], dtype=float)
    variance = None if frame.variance is None else np.where(frame.bad, np.nan, frame.variance)
    offsets = rows
    if centre is not None:
        middle = np.round(np.nanmedian(centre))
        offsets, shift = rows - middle, centre - middle
        values = _shifted(values, shift)
        variance = None if variance is None else _shifted(variance, shift)
    return offsets, nan_median(values, axis=1), None if variance is None else _error_of_median(variance)


def _shifted(values: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Move each column down by ``shift`` pixels, linearly between rows."""
    rows = np.arange(values.shape[0])[:, np.newaxis] + shift
    low = np.floor(rows).astype(int)
    part = rows - low
    column = np.arange(values.shape[1])
    inside = (low >= 0) & (low < len(values) - 1)
    low = np.clip(low, 0, max(len(values) - 2, 0))
    moved = (1 - part) * values[low, column] + part * values[np.minimum(low + 1, len(values) - 1), column]
    return np.where(inside, moved, np.nan)


def _error_of_median(variance: np.ndarray) -> np.ndarray:
    count = np.isfinite(variance).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.sqrt(np.pi / 2 * np.nansum(variance, axis=1)) / np.where(count > 0, count, np.nan)


def found_trace(
    frame: Frame,
    finder: Finder = "gaussian",
    order: int = 2,
    *,
    guess: float | None = None,
    window: float = 5.0,
    sigma: float = 3.0,
    bins: int = _BINS,
) -> Trace:
    """Follow a source along the dispersion and lay a polynomial through it.

    Parameters
    ----------
    finder : {"gaussian", "centroid", "peak"}
        How the middle is found in each of ``bins`` sums of columns.
    order : int
        Of the polynomial.
    guess : float, optional
        Where the source lies across the dispersion; the brightest row by default.
    window : float
        Pixels on either side of the last place where the next one is looked for.
    sigma : float
        Places beyond that many robust deviations of the fit are left out.

    Raises
    ------
    JvizError
        When too few places are found.
    """
    along, profiles = _binned(frame.good, bins)
    start, middle = _start(profiles, guess)
    across, weight = np.full(len(along), np.nan), np.zeros(len(along))
    for path in (range(start, len(along)), range(start - 1, -1, -1)):
        near = middle
        for number in path:
            place, strength = _middle(profiles[number], near, window, finder)
            if np.isfinite(place):
                across[number], weight[number] = place, strength
                near = 0.7 * near + 0.3 * place if strength < 3 else place
    used = np.isfinite(across) & (weight > 1.5)
    if used.sum() <= order:
        raise JvizError(
            f"The source is seen in {int(used.sum())} places only, too few for a trace of order {order}; "
            "say where it is (guess), lower the order, or give a row or points by hand."
        )
    return _fitted(along, across, np.sqrt(np.minimum(weight, 100)), used, order, sigma, frame.flux.shape[1])


def _binned(values: np.ndarray, bins: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the middles of bins of columns that have any light, and the median light of each row in them."""
    lit = np.flatnonzero(np.isfinite(values).any(axis=0))
    first, last = (lit[0], lit[-1] + 1) if len(lit) else (0, values.shape[1])
    edges = np.linspace(first, last, min(bins, last - first) + 1).round().astype(int)
    pairs = [(a, b) for a, b in pairwise(edges) if b > a]
    profiles = np.stack([nan_median(values[:, a:b], axis=1) for a, b in pairs])
    return np.array([(a + b - 1) / 2 for a, b in pairs]), profiles


def _start(profiles: np.ndarray, guess: float | None) -> tuple[int, float]:
    """Return the bin where the source stands out most, and its row."""
    above = profiles - nan_median(profiles, axis=1)[:, np.newaxis]
    filled = np.nan_to_num(above)
    kernel = np.array([0.25, 0.5, 0.25])
    smooth = np.apply_along_axis(np.convolve, 1, filled, kernel, mode="same")
    if guess is None:
        # the row that is bright in most bins, not a single hot pixel
        noise = 1.4826 * np.nan_to_num(nan_median(np.abs(above), axis=1))[:, np.newaxis]
        strength = smooth / np.where(noise > 0, noise, np.inf)
        guess = float(np.argmax(np.median(strength, axis=0) + 0.2 * np.mean(np.clip(strength, -20, 20), axis=0)))
    row = int(np.clip(round(guess), 0, profiles.shape[1] - 1))
    near = smooth[:, max(row - 3, 0) : row + 4].max(axis=1)
    order = np.argsort(near)
    return int(order[int(0.9 * (len(order) - 1))]), float(guess)


def _middle(profile: np.ndarray, near: float, window: float, finder: Finder) -> tuple[float, float]:
    """Return the middle of the light near a place, and how far it stands out of the noise."""
    rows = np.arange(len(profile))
    inside = (np.abs(rows - near) <= window) & np.isfinite(profile)
    if inside.sum() < 3:
        return np.nan, 0.0
    x, y = rows[inside], profile[inside]
    outside = np.isfinite(profile) & (np.abs(rows - near) > 2)
    sky = np.median(profile[outside]) if outside.sum() > 3 else y.min()
    # noise from differences of neighbours: the source itself must not count as noise
    steps = np.diff(profile[np.isfinite(profile)])
    noise = 1.4826 * np.median(np.abs(steps - np.median(steps))) / np.sqrt(2) if len(steps) > 3 else 0.0
    peak = int(np.argmax(y))
    strength = (y[peak] - sky) / noise if noise > 0 else 10.0
    if y[peak] <= sky:
        return np.nan, 0.0
    if finder == "peak":
        return _vertex(x, y, peak), strength
    light = np.clip(y - sky, 0, None)
    close = np.abs(x - x[peak]) <= max(window / 2, 2)
    centroid = float((x * light)[close].sum() / light[close].sum())
    return (_gaussian(x, y - sky, peak, centroid) if finder == "gaussian" else centroid), strength


def _vertex(x: np.ndarray, y: np.ndarray, peak: int) -> float:
    """Return the top of the parabola through the brightest pixel and its neighbours."""
    if 0 < peak < len(x) - 1 and x[peak + 1] - x[peak - 1] == 2:
        curve = y[peak - 1] - 2 * y[peak] + y[peak + 1]
        if curve < 0:
            return float(x[peak] + 0.5 * (y[peak - 1] - y[peak + 1]) / curve)
    return float(x[peak])


def _gaussian(x: np.ndarray, y: np.ndarray, peak: int, start: float) -> float:
    from scipy.optimize import least_squares

    def residual(p: np.ndarray) -> np.ndarray:
        return p[0] * np.exp(-0.5 * ((x - p[1]) / p[2]) ** 2) + p[3] - y

    scale = float(y[peak]) or 1.0
    low, high = [0, x[0] - 0.5, 0.3, -np.inf], [np.inf, x[-1] + 0.5, float(len(x)), np.inf]
    begin = [scale, float(np.clip(start, x[0], x[-1])), min(1.2, len(x) / 2), 0.0]
    fit = least_squares(residual, begin, bounds=(low, high), x_scale=[scale, 1, 1, scale], max_nfev=60)
    at_border = min(fit.x[1] - low[1], high[1] - fit.x[1]) < 1e-3
    return np.nan if at_border or not fit.success else float(fit.x[1])


def _fitted(
    along: np.ndarray, across: np.ndarray, weight: np.ndarray, used: np.ndarray, order: int, sigma: float, length: int
) -> Trace:
    middle, half = (length - 1) / 2, max((length - 1) / 2, 1)
    scaled = (along - middle) / half
    for _ in range(8):
        coefficients = np.polynomial.legendre.legfit(scaled[used], across[used], order, w=weight[used])
        residual = across - np.polynomial.legendre.legval(scaled, coefficients)
        width = 1.4826 * np.median(np.abs(residual[used]))
        kept = np.isfinite(residual) & used & (np.abs(residual) <= max(sigma * width, 1e-3))
        if kept.sum() <= order + 1 or (kept == used).all():
            break
        used = kept
    half_bin = (along[-1] - along[0]) / max(len(along) - 1, 1) / 2
    # Beyond the light a polynomial leaves the picture.
    seen = np.clip(np.arange(length), along[0] - half_bin, along[-1] + half_bin)
    centre = np.polynomial.legendre.legval((seen - middle) / half, coefficients)
    return Trace(centre, along, across, used, float(np.std(residual[used])))
