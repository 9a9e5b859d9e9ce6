"""Light curves of stacks of integrations by one weighted product, and what is done to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Curve", "binned", "curve_of_stack", "decorrelated", "outliers", "scatter_by_bin"]

MEDIAN_ERROR = 1.2533141373155
"""Error of a median over that of a mean, of normal noise: √(π/2)."""
MAD = 1.4826022185056
"""Standard deviation of normal noise over its median absolute deviation."""


@dataclass
class Curve:
    """What was summed in each integration, shape (n,) each.

    Attributes
    ----------
    flux, error : ndarray
        In the unit of the pixels; the error is NaN where none is known.
    background : ndarray
        Of one pixel.
    x, y : ndarray
        Centroid of the light above the background, in pixels of the stack.
    replaced : ndarray of int
        Pixels whose value was taken from the other integrations.
    """

    flux: np.ndarray
    error: np.ndarray
    background: np.ndarray
    x: np.ndarray
    y: np.ndarray
    replaced: np.ndarray


class _Stack:
    """A stack as rows of pixels, read a few rows at a time as float64, bad values mended.

    Parameters
    ----------
    values : ndarray, shape (n, ny, nx)
    bad : ndarray of bool, shape (n, ny, nx), optional
        Besides what is not finite.
    """

    def __init__(self, values: np.ndarray, bad: np.ndarray | None) -> None:
        self.flat = values.reshape(len(values), -1)
        bad = None if bad is None else bad.reshape(self.flat.shape)
        touched = np.zeros(self.flat.shape[1], bool) if bad is None else bad.any(axis=0)
        for rows in _slices(len(self.flat)):
            touched |= ~np.isfinite(self.flat[rows]).all(axis=0)
        self.columns = np.flatnonzero(touched)
        part = self.flat[:, self.columns].astype(np.float64)
        self.bad = ~np.isfinite(part)
        if bad is not None:
            self.bad |= bad[:, self.columns]
        self.never = np.zeros(len(touched), bool)
        self.never[self.columns] = self.bad.all(axis=0)
        part[self.bad] = np.nan
        part[:, self.never[self.columns]] = 0.0
        self.part = np.where(self.bad, np.nanmedian(part, axis=0), part) if part.size else part

    def rows(self, rows: slice) -> np.ndarray:
        """Return some integrations, shape (rows, pixels); a pixel that is never good is 0."""
        part = self.flat[rows].astype(np.float64)
        part[:, self.columns] = self.part[rows]
        return part

    def replaced(self, used: np.ndarray) -> np.ndarray:
        """Return how many of the pixels that are used were mended in each integration."""
        return (self.bad & (used & ~self.never)[self.columns]).sum(axis=1)


def _slices(count: int, at_once: int = 32) -> list[slice]:
    """Return rows that fit the processor's cache."""
    return [slice(start, start + at_once) for start in range(0, count, at_once)]


def curve_of_stack(
    values: np.ndarray,
    weights: np.ndarray,
    *,
    sigma: np.ndarray | None = None,
    bad: np.ndarray | None = None,
    ring: np.ndarray | None = None,
) -> Curve:
    """Sum a stack of integrations in one aperture by a matrix product.

    Parameters
    ----------
    values : ndarray, shape (n, ny, nx)
    weights : ndarray, shape (ny, nx)
        Part of each pixel inside the aperture.
    sigma : ndarray, shape (n, ny, nx), optional
        1-σ errors of the pixels.
    bad : ndarray of bool, shape (n, ny, nx), optional
        Pixels not to be used, besides those without a finite value. Their values are the median of the same pixel
        over time: left out, they would make the flux drop.
    ring : ndarray of bool, shape (ny, nx), optional
        Pixels of the sky, whose median in each integration is taken away.

    Notes
    -----
    The error is √(Σ w²σ² + (Σw)² σ_b²), σ_b = √(π/2) × scatter of the sky / √(its pixels). Without ``sigma`` the
    scatter of the sky stands for it.
    """
    n, shape = len(values), values.shape[1:]
    stack = _Stack(values, bad)
    w = np.where(stack.never, 0.0, weights.ravel().astype(np.float64))
    y, x = (axis.ravel() for axis in np.indices(shape))
    shares = np.stack([w, w * x, w * y], axis=1)
    sky = np.zeros(0, int) if ring is None else np.flatnonzero(ring.ravel() & ~stack.never)
    sums, level, scatter = np.empty((n, 3)), np.zeros(n), np.zeros(n)
    for rows in _slices(n):
        part = stack.rows(rows)
        # No matrix routine of BLAS: its threads wait for each other on a busy machine (0.15 s become 1 s).
        sums[rows] = np.stack([np.einsum("ij,j->i", part, share) for share in shares.T], axis=1)
        if ring is not None:
            level[rows], scatter[rows] = _sky(part[:, sky])
    sums -= level[:, None] * shares.sum(axis=0)
    flux = sums[:, 0] if w.any() else np.full(n, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        centroid = sums[:, 1:] / flux[:, None]
    variance = _variance(sigma, bad, w) if sigma is not None else scatter**2 * (w @ w)
    if sigma is None and ring is None:
        variance = np.full(n, np.nan)
    error = np.sqrt(variance + (w.sum() * MEDIAN_ERROR * scatter) ** 2 / max(len(sky), 1))
    return Curve(flux, error, level, centroid[:, 0], centroid[:, 1], stack.replaced(w > 0))


def _sky(part: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the median of the sky in each row and the scatter of its pixels."""
    if not part.shape[1]:
        return np.full(len(part), np.nan), np.full(len(part), np.nan)
    level = np.median(part, axis=1)
    return level, MAD * np.median(np.abs(part - level[:, None]), axis=1)


def _variance(sigma: np.ndarray, bad: np.ndarray | None, weights: np.ndarray) -> np.ndarray:
    """Return Σ w²σ² of each integration; mended pixels have the usual error of that pixel."""
    stack = _Stack(sigma, bad)
    return np.concatenate(
        [np.einsum("ij,ij,j->i", part, part, weights**2) for part in map(stack.rows, _slices(len(sigma)))]
    )


def outliers(values: np.ndarray, clip: float, width: int = 21) -> np.ndarray:
    """Return True for values farther than so many deviations from the median of their neighbours.

    A running median follows what varies slowly (a transit); the deviation is 1.4826 × the median of the absolute
    differences from it. NaN is an outlier always.
    """
    from scipy.ndimage import median_filter

    bad = ~np.isfinite(values)
    if clip <= 0 or (~bad).sum() < 5:
        return bad
    good = values[~bad]
    rest = good - median_filter(good, size=min(width, len(good) // 2 * 2 - 1), mode="nearest")
    spread = MAD * np.median(np.abs(rest))
    if spread > 0:
        bad[~bad] = np.abs(rest) > clip * spread
    return bad


def decorrelated(
    flux: np.ndarray, regressors: np.ndarray, used: np.ndarray, *, clip: float = 4.0
) -> tuple[np.ndarray, np.ndarray]:
    """Divide a light curve by a linear function of regressors, fitted by least squares with clipping.

    Parameters
    ----------
    flux : ndarray, shape (n,)
    regressors : ndarray, shape (n, k)
        Positions, time …; they are centred on the mean of those used, where the trend is 1.
    used : ndarray of bool, shape (n,)
        Integrations that are fitted.

    Returns
    -------
    trend : ndarray, shape (n,)
        ``flux / trend`` is without it.
    slopes : ndarray, shape (k,)
        Relative change per unit of each regressor.
    """
    used = used & np.isfinite(flux) & np.isfinite(regressors).all(axis=1)
    if used.sum() < regressors.shape[1] + 2:
        raise ValueError(f"{int(used.sum())} integrations are too few for {regressors.shape[1]} slopes")
    centred = regressors - regressors[used].mean(axis=0)
    scale = centred[used].std(axis=0)
    varies = scale > 0
    design = np.column_stack([np.ones(len(flux)), centred[:, varies] / scale[varies]])
    for _ in range(10):
        solution = np.linalg.lstsq(design[used], flux[used], rcond=None)[0]
        rest = flux - design @ solution
        spread = MAD * np.median(np.abs(rest[used]))
        kept = used & (np.abs(rest) <= clip * spread) if spread > 0 else used
        if kept.sum() < design.shape[1] + 1 or (kept == used).all():
            break
        used = kept
    slopes = np.zeros(regressors.shape[1])
    slopes[varies] = solution[1:] / scale[varies] / solution[0]
    return 1 + centred @ slopes, slopes


def binned(columns: dict[str, np.ndarray], errors: tuple[str, ...], size: int, used: np.ndarray) -> dict[str, Any]:
    """Average so many neighbouring rows each; errors are divided by n, after adding in quadrature.

    Rows that are not used count nowhere; a bin without any is left out.
    """
    group = np.arange(len(used)) // size
    n = np.bincount(group, used).astype(int)
    there = n > 0
    made: dict[str, Any] = {}
    for name, values in columns.items():
        squared = name in errors
        part = np.where(used, np.square(values) if squared else values, 0.0)
        total = np.bincount(group, part)[there]
        made[name] = (np.sqrt(total) if squared else total) / n[there]
    return made | {"n": n[there]}


def scatter_by_bin(values: np.ndarray, fewest: int = 5) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return how the scatter of averages falls with their size (Pont et al. 2006, MNRAS 373, 231).

    Returns
    -------
    size : ndarray of int
        Neighbours averaged, 1 to n / ``fewest``.
    rms : ndarray
        Standard deviation of the averages.
    rms_err : ndarray
        rms / √(2 (bins − 1)).
    expected : ndarray
        Of noise without memory: rms(1) / √size.
    """
    values = values[np.isfinite(values)]
    most = len(values) // fewest
    if most < 1:
        raise ValueError(f"{len(values)} values are too few; {fewest} are needed")
    size = np.unique(np.rint(np.geomspace(1, most, 60)).astype(int))
    rms, bins = np.empty(len(size)), np.empty(len(size))
    for k, length in enumerate(size):
        count = len(values) // length
        means = values[: count * length].reshape(count, length).mean(axis=1)
        rms[k], bins[k] = means.std(ddof=1), count
    return size, rms, rms / np.sqrt(2 * (bins - 1)), rms[0] / np.sqrt(size)
