"""Several images on the same pixels made one, some rows at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np

from jviz.backend.progress import Progress, silent

__all__ = ["How", "stacked"]

How = Literal["mean", "median", "clipped", "sum", "weighted"]

Rows = Callable[[slice], tuple[np.ndarray, np.ndarray | None, np.ndarray | None]]

_numbers = 1 << 23


def stacked(
    readers: Sequence[Rows], shape: tuple[int, int], how: How, *, sigma: float = 3.0, progress: Progress = silent
) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
    """Combine images pixel by pixel; NaN is left out.

    Parameters
    ----------
    readers : sequence of callable
        Each gives (values, errors, flags) of some rows; errors and flags may be None.
    how : {"mean", "median", "clipped", "sum", "weighted"}
        ``clipped``: the mean of those within ``sigma`` × 1.4826 × median absolute deviation of the median;
        ``weighted``: by 1/σ². A sum is scaled up where values are missing.

    Returns
    -------
    values, error, dq : ndarray, ndarray or None, ndarray or None
        Errors of independent images; that of a median is √(π/2) times that of the mean (for more than two).
    """
    ny, nx = shape
    step = max(1, _numbers // (nx * len(readers)))
    values = np.empty(shape)
    error = dq = None
    for start in range(0, ny, step):
        progress(start, ny, "rows")
        rows = slice(start, min(start + step, ny))
        parts = [reader(rows) for reader in readers]
        variance = None
        if all(p[1] is not None for p in parts):
            variance = np.square(np.array([p[1] for p in parts], np.float64))
            error = np.empty(shape) if error is None else error
        found, deviation = _combined(np.array([p[0] for p in parts], np.float64), variance, how, sigma)
        values[rows] = found
        if error is not None:
            error[rows] = deviation
        flags = [p[2] for p in parts if p[2] is not None]
        if flags:
            dq = np.zeros(shape, np.result_type(*flags)) if dq is None else dq
            dq[rows] = np.bitwise_or.reduce(flags)
    return values, error, dq


def _combined(cube: np.ndarray, variance: np.ndarray | None, how: str, sigma: float) -> tuple[np.ndarray, np.ndarray]:
    good = np.isfinite(cube)
    if how == "clipped":
        hidden = np.ma.masked_array(cube, ~good)
        middle = np.ma.median(hidden, axis=0).filled(np.nan)
        spread = 1.4826 * np.ma.median(np.abs(hidden - middle), axis=0).filled(0)
        good &= (np.abs(cube - middle) <= sigma * spread) | (spread == 0)
    weight = good.astype(np.float64)
    if how == "weighted" and variance is not None:
        with np.errstate(divide="ignore", invalid="ignore"):
            weight = np.where(good & (variance > 0), 1 / variance, 0)
    total, count = weight.sum(axis=0), good.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        values = (weight * np.where(good, cube, 0)).sum(axis=0) / total
        known = np.zeros_like(cube) if variance is None else np.where(weight > 0, variance, 0)
        error = np.sqrt((weight**2 * known).sum(axis=0)) / total
    if how == "median":
        values = np.ma.median(np.ma.masked_array(cube, ~good), axis=0).filled(np.nan)
        error = np.where(count > 2, error * np.sqrt(np.pi / 2), error)
    scale = len(cube) if how == "sum" else 1
    return values * scale, error * scale
