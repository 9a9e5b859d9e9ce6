"""One ellipse of equal surface brightness at a time, compiled by numba, without the GIL.

The method is that of Jedrzejewski (1987, MNRAS 226, 747) with the samples, limits and errors of photutils' ``isophote``
(after Busko 1996, ASPC 101, 139), which does the same in Python: some sixty times as long, with Python's lock held.
"""

import numpy as np
from numba import njit

from jviz.backend.render.kernels import choose_cache

__all__ = ["as_it_is", "fitted", "light_at"]

choose_cache()
compiled = njit(cache=True, nogil=True, error_model="numpy")

MOST = 50
"""Corrections of an ellipse at most."""

CONVERGED = 0.05
"""Part of the scatter below which the largest harmonic is small enough."""

AREA = 2.0
"""Pixels that a value between pixels is taken from, as photutils counts them."""

WHOLE = 0.7
"""Part of the values along an ellipse that must be there."""

ROUND, FLAT = 0.05, 0.95
"""Ellipticity that stands for a circle, whose angle is nothing, and the largest."""

UNSURE = 0.8
"""Relative error of a gradient that is not known."""

NARROW, WIDE, BROAD = 0.05, 0.2, 3.0
"""Steps along an ellipse begin in the middle of the first sector: radians, and pixels."""


@compiled
def light_at(image: np.ndarray, x: float, y: float) -> float:
    """Return the light at a place between pixels, bilinearly; NaN where one of the four is not there."""
    i, j = int(np.floor(x)), int(np.floor(y))
    if not (0 <= i < image.shape[1] - 1 and 0 <= j < image.shape[0] - 1):
        return np.nan
    a, b = x - i, y - j
    return ((1 - a) * (1 - b) * image[j, i] + (1 - a) * b * image[j + 1, i] + a * (1 - b) * image[j, i + 1]
            + a * b * image[j + 1, i + 1])  # fmt: skip


@compiled
def _sampled(image, here, sma, step, clip, clips):  # type: ignore[no-untyped-def]
    """Return angles from the major axis and values along an ellipse, about a pixel apart, and how many were tried."""
    x0, y0, eps, pa = here
    turn, tilt, flat = np.cos(pa), np.sin(pa), 1 - eps
    room = int(7 * max(sma, 2.0)) + 16
    angles, values = np.empty(room), np.empty(room)
    count = total = 0
    angle = min(max(min(sma * step, BROAD) / sma, NARROW), WIDE) / 2
    while angle <= 2 * np.pi + NARROW and total < room:
        along, across = np.cos(angle), np.sin(angle)
        radius = sma * flat / np.sqrt((flat * along) ** 2 + across**2)
        right, up = along * turn - across * tilt, across * turn + along * tilt
        value = light_at(image, x0 + radius * right, y0 + radius * up)
        if np.isfinite(value):
            angles[count], values[count] = angle, value
            count += 1
        total += 1
        angle += min(1 / radius, 0.5)
    for _ in range(clips):
        count = _clipped(angles, values, count, clip)
    return angles[:count], values[:count], total


@compiled
def _clipped(angles, values, count, clip):  # type: ignore[no-untyped-def]
    """Leave out values far from their mean, in place; return how many are left."""
    mean, spread = values[:count].mean(), values[:count].std()
    kept = 0
    for k in range(count):
        if mean - clip * spread <= values[k] < mean + clip * spread:
            angles[kept], values[kept] = angles[k], values[k]
            kept += 1
    return kept


@compiled
def _harmonics(angles, values, low, high):  # type: ignore[no-untyped-def]
    """Fit y = c0 + Σ (a sin kφ + b cos kφ), k from low to high, by least squares.

    Returns the coefficients, the diagonal of the inverse of the normal matrix, and the sum of squares that is left.
    """
    size = 1 + 2 * (high - low + 1)
    normal, right, terms = np.zeros((size, size)), np.zeros(size), np.ones(size)
    # About the mean: a bright level would cost digits of the harmonics.
    level = values.mean()
    for k in range(len(angles)):
        for order in range(low, high + 1):
            at = 1 + 2 * (order - low)
            terms[at], terms[at + 1] = np.sin(order * angles[k]), np.cos(order * angles[k])
        for i in range(size):
            right[i] += terms[i] * (values[k] - level)
            for j in range(size):
                normal[i, j] += terms[i] * terms[j]
    inverse = _inverse(normal)
    found = inverse @ right
    left = 0.0
    for k in range(len(angles)):
        made = found[0]
        for order in range(low, high + 1):
            at = 1 + 2 * (order - low)
            made += found[at] * np.sin(order * angles[k]) + found[at + 1] * np.cos(order * angles[k])
        left += (values[k] - level - made) ** 2
    found[0] += level
    return found, np.diag(inverse), left


@compiled
def _inverse(matrix):  # type: ignore[no-untyped-def]
    """Invert a small symmetric matrix by elimination; of a singular one nothing is finite."""
    size = len(matrix)
    left, right = matrix.copy(), np.eye(size)
    for k in range(size):
        pivot = k + np.argmax(np.abs(left[k:, k]))
        for m in (left, right):
            row = m[k].copy()
            m[k] = m[pivot]
            m[pivot] = row
        scale = left[k, k]
        left[k] /= scale
        right[k] /= scale
        for i in range(size):
            if i != k:
                factor = left[i, k]
                left[i] -= factor * left[k]
                right[i] -= factor * right[k]
    return right


@compiled
def _slope(image, here, sma, step, clip, clips, values, before):  # type: ignore[no-untyped-def]
    """Return the gradient of the light outwards and its error, NaN where it has none.

    One that is not credible is taken from an ellipse twice as far away, or from the ellipse before.
    """
    slope, error = _difference(image, here, sma, step, 1, clip, clips, values)
    if np.isnan(before) or before == 0:
        before = slope + error
    if slope >= before / 3 or slope >= 0:
        slope, error = _difference(image, here, sma, step, 2, clip, clips, values)
    if slope >= before / 3 or slope >= 0:
        return 0.8 * before, np.nan
    return slope, error


@compiled
def _difference(image, here, sma, step, times, clip, clips, values):  # type: ignore[no-untyped-def]
    away = sma * step * times
    _, beyond, _ = _sampled(image, here, sma + away, step, clip, clips)
    if len(beyond) == 0:
        return np.nan, np.nan
    error = np.sqrt(values.var() / len(values) + beyond.var() / len(beyond))
    return (beyond.mean() - values.mean()) / away, error / abs(away)


@compiled
def _correct(here, which, amplitude, slope, sma):  # type: ignore[no-untyped-def]
    """Move, turn or flatten an ellipse, in place, so that one harmonic goes away (Jedrzejewski 1987, table 1)."""
    x0, y0, eps, pa = here
    if which == 0:
        shift = amplitude * (1 - eps) / slope
        here[0], here[1] = x0 + shift * np.sin(pa), y0 - shift * np.cos(pa)
    elif which == 1:
        shift = -amplitude / slope
        here[0], here[1] = x0 + shift * np.cos(pa), y0 + shift * np.sin(pa)
    elif which == 2:
        here[3] = (pa + amplitude * 2 * (1 - eps) / sma / slope / ((1 - eps) ** 2 - 1)) % np.pi
    else:
        eps -= amplitude * 2 * (1 - eps) / sma / slope
        if eps < 0:  # what was the longer axis is the shorter one
            here[3] = (pa + np.pi / 2) % np.pi
        eps = min(abs(eps), FLAT)
        here[2] = eps if eps > 0 else ROUND


@compiled
def fitted(image, start, sma, step, fixed, clip, clips, least, doubt, inwards):  # type: ignore[no-untyped-def]
    """Fit the ellipse of one semi-major axis.

    Parameters
    ----------
    image : ndarray of float64, shape (ny, nx)
        NaN is left out.
    start : ndarray, shape (4,)
        x, y, ellipticity and angle (radians) to begin with.
    step : float
        To the next ellipse, as a part of the axis; below 0 inwards.
    fixed : ndarray of bool, shape (4,)
        Of x, y, angle and ellipticity.
    least : int
        Corrections at least.
    doubt : float
        Relative error of the gradient above which outwards nothing is fitted any more.

    Returns
    -------
    ndarray
        `jviz.backend.photometry.isophotes.COLUMNS`; a ``stop_code`` of 3 is for too few values, of −1 for an ellipse
        that went astray.
    """
    here, best = start.copy(), start.copy()
    smallest, before, best_slope, doubted = np.inf, np.nan, np.nan, False
    for turn in range(1, MOST + 1):
        angles, values, total = _sampled(image, here, sma, step, clip, clips)
        if len(values) < 5:
            return _described(image, here, sma, step, clip, clips, before, turn, 3)
        before, _ = _slope(image, here, sma, step, clip, clips, values, before)
        found, _, left = _harmonics(angles, values, 1, 2)
        free = np.where(fixed, 0.0, found[1:])
        which = np.argmax(np.abs(free))
        if abs(free[which]) < smallest:
            smallest, best_slope = abs(free[which]), before
            best[:] = here
        if turn >= least and CONVERGED * AREA * np.sqrt(left / len(values)) > abs(free[which]):
            return _described(image, here, sma, step, clip, clips, before, turn, 0)
        if len(values) < WHOLE * total:
            return _described(image, best, sma, step, clip, clips, best_slope, turn, 1)
        if before == 0 or not np.isfinite(before):
            return _described(image, here, sma, step, clip, clips, before, turn, -1)
        _correct(here, which, free[which], before, sma)
        go, doubted, before = _goes_on(image, here, sma, step, clip, clips, doubt, inwards, doubted)
        if not go:
            return _described(image, here, sma, step, clip, clips, before, turn, -1)
    return _described(image, best, sma, step, clip, clips, best_slope, MOST, 2)


@compiled
def _goes_on(image, here, sma, step, clip, clips, doubt, inwards, doubted):  # type: ignore[no-untyped-def]
    """Return whether an ellipse can be corrected once more, whether its gradient is doubtful, and that."""
    ny, nx = image.shape
    if not (1 <= here[0] <= nx and 1 <= here[1] <= ny):
        return False, doubted, np.nan
    _, values, _ = _sampled(image, here, sma, step, clip, clips)
    if len(values) == 0:
        return False, doubted, np.nan
    slope, error = _slope(image, here, sma, step, clip, clips, values, np.nan)
    if not (error > 0 and slope < 0):
        return False, doubted, slope
    if not inwards and error > doubt * abs(slope):
        return not doubted, True, slope
    return True, doubted, slope


@compiled
def as_it_is(image, here, sma, step, clip, clips, turns, code):  # type: ignore[no-untyped-def]
    """Return the `jviz.backend.photometry.isophotes.COLUMNS` of an ellipse that is not fitted."""
    return _described(image, here, sma, step, clip, clips, np.nan, turns, code)


@compiled
def _described(image, here, sma, step, clip, clips, before, turns, code):  # type: ignore[no-untyped-def]
    row = np.full(26, np.nan)
    row[0], row[1], row[2], row[3], row[4] = sma, here[0], here[1], here[2], here[3]
    row[12], row[13] = turns, code
    angles, values, total = _sampled(image, here, sma, step, clip, clips)
    count = len(values)
    row[10], row[11] = count, total - count
    if count == 0:
        return row
    row[5], row[6], row[7] = values.mean(), values.std(), values.std() / np.sqrt(count)
    slope, error = _slope(image, here, sma, step, clip, clips, values, before)
    row[8], row[9] = slope, error
    if count > 5:
        _errors(row, angles, values)
    return row


@compiled
def _errors(row, angles, values):  # type: ignore[no-untyped-def]
    """Put in the errors of the shape, and the third and fourth harmonics with theirs."""
    count, sma, eps, pa = len(values), row[0], row[3], row[4]
    slope, error = row[8], row[9]
    _, inverse, left = _harmonics(angles, values, 1, 2)
    sigma = np.sqrt(inverse * left / (count - 5)) / abs(slope)
    along, across = sigma[2], sigma[1] * (1 - eps)
    row[14] = np.hypot(along * np.cos(pa), across * np.sin(pa))
    row[15] = np.hypot(along * np.sin(pa), across * np.cos(pa))
    row[16] = 2 * sigma[4] * (1 - eps) / sma
    row[17] = 2 * sigma[3] * (1 - eps) / sma / (1 - (1 - eps) ** 2)
    doubt = error / abs(slope) if error > 0 and slope < 0 else UNSURE
    for order in (3, 4):
        found, inverse, left = _harmonics(angles, values, order, order)
        for k in (1, 2):
            part = found[k] / sma / abs(slope)
            spread = np.sqrt(inverse[k] * left / (count - 3)) / sma / abs(slope)
            at = 18 + 4 * (order - 3) + k - 1
            row[at], row[at + 2] = part, np.hypot(spread, part * doubt)
