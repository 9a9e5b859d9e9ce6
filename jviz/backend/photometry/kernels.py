"""Sums in circles and the sky in rings for thousands of places at once; compiled by numba, without the GIL."""

from typing import Any

import numpy as np
from numba import njit, types

from jviz.backend.render.kernels import choose_cache

__all__ = [
    "AREA",
    "COLUMNS",
    "MASKED",
    "SATURATED",
    "SQUARES",
    "SUM",
    "USED",
    "VARIANCE",
    "ascending",
    "circle_sums",
    "clipped",
    "ring_skies",
    "weighted_sums",
]

choose_cache()
compiled = njit(cache=True, nogil=True, error_model="numpy")
# Taken up by their callers: a call that passes arrays counts references, which costs more than what these do.
inlined = njit(cache=True, nogil=True, error_model="numpy", inline="always")

AREA, USED, SUM, VARIANCE, SQUARES, SQUARED_LIGHT, MASKED, SATURATED = range(8)
"""Columns of what `circle_sums` fills: area on the image, area used, Σ w v, Σ w² σ², Σ w², Σ w² v, pixels not used,
saturated pixels."""
COLUMNS = 8


def _signatures(code: str) -> list[Any]:
    """Return the signatures of images of float32 and float64: one each for contiguous, sliced and read-only ones."""
    kinds = {
        "i": types.intp,
        "f": types.float64,
        "b": types.UniTuple(types.intp, 2),
        "r": types.UniTuple(types.float64, 2),
    }
    kinds |= {"x": types.Array(types.float64, 1, "C"), "o": types.Array(types.float64, 3, "C")}
    kinds |= {"w": types.Array(types.float32, 2, "A", readonly=True), "v": types.Array(types.float64, 1, "C")}
    kinds |= {"t": types.Array(types.float64, 2, "C"), "F": types.Array(types.uint32, 2, "A", readonly=True)}
    images = [types.Array(real, 2, "A", readonly=True) for real in (types.float32, types.float64)]
    return [types.void(*(image if c == "I" else kinds[c] for c in code)) for image in images]


HALF_DIAGONAL = np.sqrt(0.5)
ERROR, INVERSE = 1, 3
ROUNDS = 10


@compiled
def _swept(t: float, r: float) -> float:
    """Return the area of a quarter of a circle of radius r between an axis and the line at t >= 0 beside it."""
    if t >= r:
        return 0.25 * np.pi * r * r
    return 0.5 * (t * np.sqrt((r - t) * (r + t)) + r * r * np.arcsin(t / r))


@compiled
def _edges(first: int, last: int, centre: float, radii: np.ndarray, out: np.ndarray) -> None:
    """Fill `_swept` at the edges of the pixels first … last - 1 along an axis, for each radius."""
    for m in range(len(radii)):
        for k in range(last - first + 1):
            out[m, k] = _swept(abs(first + k - 0.5 - centre), radii[m])


@compiled
def _corner(x: float, y: float, swept_x: float, swept_y: float, r: float) -> float:
    """Return the area of the circle between the axes and a corner (x, y), negative where one of these is.

    Within the circle it is that of a rectangle. Beyond it, it is what is swept up to x, and up to y, less the quarter
    of the circle, all of which the two hold together.
    """
    inside = abs(x * y)
    beyond = max(swept_x + swept_y - 0.25 * np.pi * r * r, 0.0)
    area = inside if x * x + y * y <= r * r else beyond
    return area if x * y >= 0.0 else -area


@compiled
def _under(x: float, dy: float, swept_x: float, below: float, above: float, r: float) -> float:
    """Return the area of the circle in a row of pixels at dy, between the axis and x; negative left of the axis."""
    return _corner(x, dy + 0.5, swept_x, above, r) - _corner(x, dy - 0.5, swept_x, below, r)


@compiled
def _variance(value: float, kind: int) -> float:
    if kind == ERROR:
        return value * value
    if kind == INVERSE:
        return 1.0 / value if value > 0.0 else np.inf
    return value


@compiled
def _range(centre: float, reach: float, n: int) -> tuple[int, int]:
    first = max(0, int(np.floor(centre - reach + 0.5)))
    return first, min(n, int(np.floor(centre + reach + 0.5)) + 1)


@inlined
def _is_good(value: float, flags: np.ndarray, i: int, j: int, exclude: np.uint32) -> bool:
    return np.isfinite(value) and (flags.size == 0 or (flags[i, j] & exclude) == 0)


@inlined
def _add_whole(
    values: np.ndarray, sigma: np.ndarray, kind: int, flags: np.ndarray, bits: tuple[int, int], i: int, first: int,
    last: int, out: np.ndarray, m: int,
) -> None:  # fmt: skip
    """Add the pixels first … last - 1 of row i, which lie wholly in a circle, to ``out[m]``."""
    exclude, saturated = np.uint32(bits[0]), np.uint32(bits[1])
    used, light, noise, full = 0, 0.0, 0.0, 0
    for j in range(first, last):
        value = np.float64(values[i, j])
        if flags.size and flags[i, j] & saturated:
            full += 1
        if _is_good(value, flags, i, j, exclude):
            used += 1
            light += value
            if kind:
                noise += _variance(np.float64(sigma[i, j]), kind)
    out[m, AREA] += last - first
    out[m, USED] += used
    out[m, SUM] += light
    out[m, VARIANCE] += noise
    out[m, SQUARES] += used
    out[m, SQUARED_LIGHT] += light
    out[m, MASKED] += last - first - used
    out[m, SATURATED] += full


@inlined
def _add_rim(
    values: np.ndarray, sigma: np.ndarray, kind: int, flags: np.ndarray, bits: tuple[int, int], i: int, first: int,
    last: int, x: float, dy: float, r: float, across: np.ndarray, start: int, below: float, above: float,
    out: np.ndarray, m: int,
) -> None:  # fmt: skip
    """Add the pixels first … last - 1 of row i, each weighed by the part that a circle of radius r covers, exactly.

    ``across[m]`` is `_swept` at the left edges of pixels from ``start`` on, ``below`` and ``above`` at both edges of
    the row.
    """
    exclude, saturated = np.uint32(bits[0]), np.uint32(bits[1])
    left = first - 0.5 - x
    before = _under(left, dy, across[m, first - start], below, above, r)
    for j in range(first, last):
        after = _under(left + j - first + 1, dy, across[m, j - start + 1], below, above, r)
        weight = after - before
        before = after
        if not weight > 0.0:
            continue
        value = np.float64(values[i, j])
        out[m, AREA] += weight
        if flags.size and flags[i, j] & saturated:
            out[m, SATURATED] += 1.0
        if not _is_good(value, flags, i, j, exclude):
            out[m, MASKED] += 1.0
            continue
        square = weight * weight
        out[m, USED] += weight
        out[m, SUM] += weight * value
        out[m, SQUARES] += square
        out[m, SQUARED_LIGHT] += square * value
        if kind:
            out[m, VARIANCE] += square * _variance(np.float64(sigma[i, j]), kind)


@compiled
def _span(x: float, dy: float, radius: float, first: int, last: int) -> tuple[int, int]:
    """Return which pixels of a row, among first … last - 1, have their centres in a circle."""
    square = radius * radius - dy * dy
    if radius <= 0.0 or square <= 0.0:
        return first, first
    half = np.sqrt(square)
    low = min(max(int(np.ceil(x - half)), first), last)
    return low, max(min(int(np.floor(x + half)) + 1, last), low)


@inlined
def _add_place(
    values: np.ndarray, sigma: np.ndarray, kind: int, flags: np.ndarray, bits: tuple[int, int], x: float, y: float,
    radii: np.ndarray, across: np.ndarray, along: np.ndarray, whole: np.ndarray, out: np.ndarray,
) -> None:  # fmt: skip
    """Add all circles of one place. Pixels wholly in a circle are added to the smallest that holds them."""
    ny, nx = values.shape
    first, last = _range(x, radii[-1], nx)
    low, high = _range(y, radii[-1], ny)
    if first >= last or low >= high:
        return
    _edges(first, last, x, radii, across)
    _edges(low, high, y, radii, along)
    whole[:] = 0.0
    for i in range(low, high):
        dy = i - y
        done = (0, 0)
        for m in range(len(radii)):
            a, b = _span(x, dy, radii[m] + HALF_DIAGONAL, first, last)
            c, d = _span(x, dy, radii[m] - HALF_DIAGONAL, a, b)
            below, above = along[m, i - low], along[m, i - low + 1]
            _add_rim(values, sigma, kind, flags, bits, i, a, c, x, dy, radii[m], across, first, below, above, out, m)
            _add_rim(values, sigma, kind, flags, bits, i, d, b, x, dy, radii[m], across, first, below, above, out, m)
            e, f = done if done[1] > done[0] else (d, d)
            _add_whole(values, sigma, kind, flags, bits, i, c, e, whole, m)
            _add_whole(values, sigma, kind, flags, bits, i, f, d, whole, m)
            if d > c:
                done = (c, d)
    for m in range(len(radii)):
        for column in range(COLUMNS):
            if m:
                whole[m, column] += whole[m - 1, column]
            out[m, column] += whole[m, column]


@njit(_signatures("IIiFbxxxo"), cache=True, nogil=True, error_model="numpy")
def circle_sums(
    values: np.ndarray,
    sigma: np.ndarray,
    kind: int,
    flags: np.ndarray,
    bits: tuple[int, int],
    x: np.ndarray,
    y: np.ndarray,
    radii: np.ndarray,
    out: np.ndarray,
) -> None:
    """Add up an image in circles, each pixel weighed by the part of it that is inside.

    Parameters
    ----------
    values : ndarray of float, shape (ny, nx)
        NaN is not used.
    sigma : ndarray of float, shape (ny, nx) or (0, 0)
    kind : int
        What ``sigma`` holds: 0 nothing, 1 errors, 2 variances, 3 inverse variances.
    flags : ndarray of uint32, shape (ny, nx) or (0, 0)
    bits : (int, int)
        Pixels with any of the first are not used; those with any of the second are counted as saturated.
    x, y : ndarray of float64, shape (n,)
        Centres; (0, 0) is the centre of the first pixel.
    radii : ndarray of float64, shape (m,)
        In ascending order.
    out : ndarray of float64, shape (n, m, COLUMNS)
        Zeros, filled.
    """
    count, side = len(radii), int(2 * radii[-1]) + 4
    whole, across, along = np.zeros((count, COLUMNS)), np.empty((count, side)), np.empty((count, side))
    for k in range(len(x)):
        if abs(x[k]) < 1e9 and abs(y[k]) < 1e9:
            _add_place(values, sigma, kind, flags, bits, x[k], y[k], radii, across, along, whole, out[k])


@njit(_signatures("IIiFbwv"), cache=True, nogil=True, error_model="numpy")
def weighted_sums(
    values: np.ndarray,
    sigma: np.ndarray,
    kind: int,
    flags: np.ndarray,
    bits: tuple[int, int],
    weights: np.ndarray,
    out: np.ndarray,
) -> None:
    """Add up a part of an image by weights; all as `circle_sums` has it.

    Parameters
    ----------
    weights : ndarray of float32, shape (ny, nx)
        Which part of each pixel is inside.
    out : ndarray of float64, shape (COLUMNS + 2,)
        Zeros, filled; the last two are Σ w x and Σ w y over all pixels.
    """
    exclude, saturated = np.uint32(bits[0]), np.uint32(bits[1])
    ny, nx = values.shape
    for i in range(ny):
        for j in range(nx):
            weight = np.float64(weights[i, j])
            if not weight > 0.0:
                continue
            out[AREA] += weight
            out[COLUMNS] += weight * j
            out[COLUMNS + 1] += weight * i
            if flags.size and flags[i, j] & saturated:
                out[SATURATED] += 1.0
            value = np.float64(values[i, j])
            if not _is_good(value, flags, i, j, exclude):
                out[MASKED] += 1.0
                continue
            square = weight * weight
            out[USED] += weight
            out[SUM] += weight * value
            out[SQUARES] += square
            out[SQUARED_LIGHT] += square * value
            if kind:
                out[VARIANCE] += square * _variance(np.float64(sigma[i, j]), kind)


@compiled
def _gather(
    values: np.ndarray, flags: np.ndarray, exclude: np.uint32, x: float, y: float, inner: float, outer: float,
    found: np.ndarray,
) -> int:  # fmt: skip
    """Collect the good pixels whose centres lie in a ring; return how many."""
    ny, nx = values.shape
    first, last = _range(x, outer, nx)
    low, high = _range(y, outer, ny)
    flagged = flags.size > 0
    n = 0
    for i in range(low, high):
        dy = i - y
        for j in range(first, last):
            dx = j - x
            distance = dx * dx + dy * dy
            if distance < inner * inner or distance >= outer * outer:
                continue
            if flagged and (flags[i, j] & exclude) != 0:
                continue
            # written always, counted only when it is a number: no branch
            found[n] = values[i, j]
            n += np.isfinite(found[n])
    return n


@compiled
def ascending(found: np.ndarray, n: int, keys: np.ndarray, spare: np.ndarray, out: np.ndarray) -> None:
    """Sort the first n values, without NaN, into ``out``.

    Those of 32 bits by their bytes: turned so that they order as unsigned integers, in a fifth of the time.

    Parameters
    ----------
    found : ndarray of float32 or float64
    keys, spare : ndarray of uint32
        Room for as many.
    out : ndarray of float64
    """
    if found.itemsize == 8:
        out[:n] = np.sort(found[:n])
        return
    words = found.view(np.uint32)
    counts = np.zeros((4, 256), np.int64)
    for k in range(n):
        word = words[k]
        key = ~word if word >> np.uint32(31) else word | np.uint32(0x80000000)
        keys[k] = key
        for byte in range(4):
            counts[byte, (key >> np.uint32(8 * byte)) & np.uint32(255)] += 1
    here, there = keys, spare
    for byte in range(4):
        shift, place = np.uint32(8 * byte), 0
        if counts[byte, (here[0] >> shift) & np.uint32(255)] == n:
            continue
        for digit in range(256):
            counts[byte, digit], place = place, place + counts[byte, digit]
        for k in range(n):
            digit = (here[k] >> shift) & np.uint32(255)
            there[counts[byte, digit]] = here[k]
            counts[byte, digit] += 1
        here, there = there, here
    for k in range(n):
        key = here[k]
        here[k] = key & np.uint32(0x7FFFFFFF) if key >> np.uint32(31) else ~key
    out[:n] = here.view(np.float32)[:n]


@compiled
def clipped(ordered: np.ndarray, sigma: float, out: np.ndarray) -> None:
    """Fill median, mean, deviation and number of sorted values, without those beyond sigma deviations."""
    n = len(ordered)
    origin = ordered[n // 2]
    total, square = 0.0, 0.0
    for value in ordered:
        total += value - origin
        square += (value - origin) ** 2
    low, high = 0, n
    for _ in range(ROUNDS):
        count = high - low
        mean = total / count
        scatter = np.sqrt(max(square / count - mean * mean, 0.0))
        median = 0.5 * (ordered[low + (count - 1) // 2] + ordered[low + count // 2])
        out[0], out[1], out[2], out[3] = median, origin + mean, scatter, count
        if sigma <= 0.0:
            break
        before = count
        while low < high - 1 and ordered[low] < median - sigma * scatter:
            total -= ordered[low] - origin
            square -= (ordered[low] - origin) ** 2
            low += 1
        while high > low + 1 and ordered[high - 1] > median + sigma * scatter:
            high -= 1
            total -= ordered[high] - origin
            square -= (ordered[high] - origin) ** 2
        if high - low == before:
            break


@njit(_signatures("IFixxrft"), cache=True, nogil=True, error_model="numpy")
def ring_skies(
    values: np.ndarray,
    flags: np.ndarray,
    exclude: int,
    x: np.ndarray,
    y: np.ndarray,
    ring: tuple[float, float],
    sigma: float,
    out: np.ndarray,
) -> None:
    """Find median, mean, standard deviation and number of the pixels in rings, clipped again and again.

    Parameters
    ----------
    values, flags, x, y
        As `circle_sums` takes them.
    ring : (float, float)
        Radii in pixels; pixels whose centres lie between them count.
    sigma : float
        Values farther from the median than so many deviations are left out; 0: all stay.
    out : ndarray of float64, shape (n, 4)
        NaN, filled where a ring has pixels.
    """
    side = int(2 * ring[1]) + 3
    found = np.empty(side * side + 1, values.dtype)
    keys, spare, ordered = (np.empty(len(found), np.uint32), np.empty(len(found), np.uint32), np.empty(len(found)))
    for k in range(len(x)):
        if not (abs(x[k]) < 1e9 and abs(y[k]) < 1e9):
            continue
        n = _gather(values, flags, np.uint32(exclude), x[k], y[k], ring[0], ring[1], found)
        if n:
            ascending(found, n, keys, spare, ordered)
            clipped(ordered[:n], sigma, out[k])
