"""Asymmetry of a source about a centre, compiled by numba, without the GIL."""

import numpy as np
from numba import njit

from jviz.backend.render.kernels import choose_cache

__all__ = ["asymmetry", "ellipse_growth", "least_asymmetry", "stamp_values"]

choose_cache()
compiled = njit(cache=True, nogil=True, error_model="numpy")


@compiled
def asymmetry(values: np.ndarray, noise: np.ndarray, x: float, y: float, reach: float) -> tuple[float, float, float]:
    """Return Σ |I − I180|, Σ |I| within a radius, and what noise alone gives of the first.

    The image turned by 180° is interpolated bilinearly; pixels without a value or without a partner are left out.
    For Gaussian noise of σ in the pixel the difference has the mean √(2/π) σ √(1 + Σ w²), w the weights of the
    interpolation.

    Parameters
    ----------
    values, noise : ndarray of float64, shape (ny, nx)
    x, y : float
        Centre.
    reach : float
        Radius in pixels; pixels at the rim count by about their part inside.
    """
    ny, nx = values.shape
    difference, total, expected = 0.0, 0.0, 0.0
    # The turned image is shifted against the pixels by the same part of one everywhere.
    row, column = int(np.floor(2 * y)), int(np.floor(2 * x))
    b, a = 2 * y - row, 2 * x - column
    w00, w01, w10, w11 = (1 - a) * (1 - b), a * (1 - b), (1 - a) * b, a * b
    down, right = int(b > 0), int(a > 0)
    spread = np.sqrt(2 / np.pi * (1 + w00 * w00 + w01 * w01 + w10 * w10 + w11 * w11))
    inner, outer = max(reach - 0.5, 0.0) ** 2, (reach + 0.5) ** 2
    for i in range(max(0, int(y - reach) - 1, row + down - ny + 1), min(ny, int(y + reach) + 2, row + 1)):
        for j in range(max(0, int(x - reach) - 1, column + right - nx + 1), min(nx, int(x + reach) + 2, column + 1)):
            far = (i - y) ** 2 + (j - x) ** 2
            if far >= outer:
                continue
            value, p, q = values[i, j], row - i, column - j
            other = w00 * values[p, q]
            if right:
                other += w01 * values[p, q + 1]
            if down:
                other += w10 * values[p + 1, q]
                if right:
                    other += w11 * values[p + 1, q + 1]
            if not np.isfinite(value + other):
                continue
            weight = 1.0 if far <= inner else min(reach - np.sqrt(far) + 0.5, 1.0)
            difference += weight * abs(value - other)
            total += weight * abs(value)
            expected += weight * noise[i, j] * spread
    return difference, total, expected


@compiled
def ellipse_growth(
    values: np.ndarray, x: float, y: float, ratio: float, turn: float, step: float, light: np.ndarray, used: np.ndarray
) -> None:
    """Add the light between ellipses in images of one source, and the area of the pixels with a value there.

    Pixels are shared out by points inside them, the more the nearer they are to the centre, where ellipses are hardly
    larger than a pixel.

    Parameters
    ----------
    values : ndarray, shape (ny, nx, n_images)
        NaN in the same pixels of all.
    ratio, turn : float
        Minor over major axis, and the angle of the major axis in radians from +x.
    step : float
        From one semi-major axis to the next, in pixels; the first is that long.
    light : ndarray, shape (n, n_images)
    used : ndarray, shape (n,)
        Sums between an ellipse and the one before it; what is beyond the last is left out.
    """
    ny, nx, images = values.shape
    cos, sin = np.cos(turn), np.sin(turn)
    reach, wide, finer = len(light) * step + 1.0, 1.0 / ratio, 1.0 / step
    for i in range(max(0, int(y - reach)), min(ny, int(y + reach) + 2)):
        for j in range(max(0, int(x - reach)), min(nx, int(x + reach) + 2)):
            if not np.isfinite(values[i, j, 0]):
                continue
            along, across = (j - x) * cos + (i - y) * sin, (i - y) * cos - (j - x) * sin
            far = np.sqrt(along * along + (across * wide) ** 2)
            if far > reach + wide:
                continue
            k = 16 if far < 2.0 else (8 if far < 5.0 else (4 if far < 12.0 else 2))
            share = 1.0 / (k * k)
            for a in range(k):
                dy = i - y + (a + 0.5) / k - 0.5
                for b in range(k):
                    dx = j - x + (b + 0.5) / k - 0.5
                    along, across = dx * cos + dy * sin, (dy * cos - dx * sin) * wide
                    which = int(np.sqrt(along * along + across * across) * finer)
                    if which < len(light):
                        used[which] += share
                        for n in range(images):
                            light[which, n] += share * values[i, j, n]


@compiled
def least_asymmetry(
    values: np.ndarray, x: float, y: float, reach: float, rounds: int, step: float
) -> tuple[float, float]:
    """Return the centre about which a source is least asymmetric, from a start: the best of nine places, step by step.

    Steps are halved from the first on where the place in the middle is the best (Conselice et al. 2000, ApJ 529, 886).
    """
    moves = 0
    difference, total, _ = asymmetry(values, values, x, y, reach)
    best = difference / total if total > 0 else np.inf
    while step > 0.02 and moves < 8 * rounds:
        moves += 1
        bx, by, found = x, y, best
        for dy in (-1.0, 0.0, 1.0):
            for dx in (-1.0, 0.0, 1.0):
                if dx == 0.0 and dy == 0.0:
                    continue
                difference, total, _ = asymmetry(values, values, x + dx * step, y + dy * step, reach)
                if total > 0 and difference / total < found:
                    bx, by, found = x + dx * step, y + dy * step, difference / total
        if found < best:
            x, y, best = bx, by, found
        else:
            step /= 2
    return x, y


@compiled
def stamp_values(values: np.ndarray, mask: np.ndarray, labels: np.ndarray, number: int) -> np.ndarray:
    """Return values without bad pixels and those of other segments, which become NaN."""
    made = values.copy()
    for i in range(made.shape[0]):
        for j in range(made.shape[1]):
            if mask[i, j] or (labels[i, j] != 0 and labels[i, j] != number):
                made[i, j] = np.nan
    return made
