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
    lost : int
        Pixels of the aperture that are good in no integration.
    """

    flux: np.ndarray
    error: np.ndarray
    background: np.ndarray
    x: np.ndarray
    y: np.ndarray
    replaced: np.ndarray
    lost: int = 0


class _Stack:
    """The pixels in use of a stack, bad values mended.

    Parameters
    ----------
    values : ndarray, shape (n, ny, nx)
    bad : ndarray of bool, shape (n, ny, nx), optional
        Besides what is not finite.
    used : ndarray of int, shape (m,)
        Which pixels, counted along the rows.

    Attributes
    ----------
    values : ndarray, shape (n, m)
        Bad ones are the median of the same pixel over time; 0 where a pixel is never good.
    bad : ndarray of bool, shape (n, m)
    never : ndarray of bool, shape (m,)
    """

    def __init__(self, values: np.ndarray, bad: np.ndarray | None, used: np.ndarray) -> None:
        import bottleneck

        self.values = values.reshape(len(values), -1)[:, used]
        self.bad = ~np.isfinite(self.values)
        if bad is not None:
            self.bad |= bad.reshape(len(bad), -1)[:, used]
        self.never = self.bad.all(axis=0)
        columns = np.flatnonzero(self.bad.any(axis=0) & ~self.never)
        part = np.where(self.bad[:, columns], np.nan, self.values[:, columns])
        if part.size:
            self.values[:, columns] = np.where(self.bad[:, columns], bottleneck.nanmedian(part, axis=0), part)
        self.values[:, self.never] = 0.0


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
    shape, weights = values.shape[1:], weights.ravel().astype(np.float64)
    inside = np.flatnonzero(weights)
    stack = _Stack(values, bad, inside)
    w = np.where(stack.never, 0.0, weights[inside])
    y, x = np.unravel_index(inside, shape)
    # No matrix routine of BLAS: its threads wait for each other on a busy machine (0.15 s become 1 s).
    sums = np.stack([np.einsum("ij,j->i", stack.values, share) for share in (w, w * x, w * y)], axis=1)
    level, scatter, count = np.zeros(len(values)), np.zeros(len(values)), 1
    if ring is not None:
        sky = _Stack(values, bad, np.flatnonzero(ring))
        level, scatter = _sky(sky.values[:, ~sky.never])
        count = max(int((~sky.never).sum()), 1)
    sums -= level[:, None] * (w.sum(), w @ x, w @ y)
    flux = sums[:, 0] if w.any() else np.full(len(values), np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        centroid = sums[:, 1:] / flux[:, None]
    variance = _variance(sigma, bad, inside, w) if sigma is not None else scatter**2 * (w @ w)
    if sigma is None and ring is None:
        variance = np.full(len(values), np.nan)
    error = np.sqrt(variance + (w.sum() * MEDIAN_ERROR * scatter) ** 2 / count)
    replaced = (stack.bad & (w > 0)).sum(axis=1)
    return Curve(flux, error, level, centroid[:, 0], centroid[:, 1], replaced, int(stack.never.sum()))


def _sky(part: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the median of the sky in each row and the scatter of its pixels."""
    import bottleneck

    if not part.shape[1]:
        return np.full(len(part), np.nan), np.full(len(part), np.nan)
    level = bottleneck.median(part, axis=1).astype(np.float64)
    return level, MAD * bottleneck.median(np.abs(part - level[:, None]), axis=1)


def _variance(sigma: np.ndarray, bad: np.ndarray | None, inside: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return Σ w²σ² of each integration; mended pixels have the usual error of that pixel."""
    part = _Stack(sigma, bad, inside).values
    return np.einsum("ij,ij,j->i", part, part, weights**2)


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
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
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
    slopes, slope_errors : ndarray, shape (k,)
        Relative change per unit of each regressor, and its error from the scatter of the residuals.
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
    slopes, errors = np.zeros(regressors.shape[1]), np.zeros(regressors.shape[1])
    slopes[varies] = solution[1:] / scale[varies] / solution[0]
    free = max(int(used.sum()) - design.shape[1], 1)
    variance = float(np.sum((flux - design @ solution)[used] ** 2)) / free
    covariance = variance * np.linalg.pinv(design[used].T @ design[used])
    errors[varies] = np.sqrt(np.diag(covariance)[1:]) / scale[varies] / abs(solution[0])
    return 1 + centred @ slopes, slopes, errors


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
