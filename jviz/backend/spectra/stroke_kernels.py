"""Very many curves into one picture, compiled by numba: a pass over the samples, a column of pixels at a time."""

import math

import numpy as np
from numba import njit

__all__ = ["draw", "draw_bands", "every", "nearest", "span"]

compiled = njit(cache=True, nogil=True, error_model="numpy")


@compiled
def _mixed(under: np.uint32, colour: np.uint32, share: int) -> np.uint32:
    """Lay a premultiplied colour over another, ``share`` of 256 of it; two parts of the colour at a time."""
    pairs, rest = np.int64(colour) & 0xFF00FF, (np.int64(colour) >> 8) & 0xFF00FF
    left = 256 - (((np.int64(colour) >> 24) * share + 127) // 255)
    pairs = (pairs * share + (np.int64(under) & 0xFF00FF) * left) >> 8
    rest = rest * share + ((np.int64(under) >> 8) & 0xFF00FF) * left
    return np.uint32((pairs & 0xFF00FF) | (rest & 0xFF00FF00))


@compiled
def _fill(line: np.ndarray, low: float, high: float, colour: np.uint32) -> None:
    """Fill one column of pixels between two places, those that are cut in part."""
    low, high = max(low, 0.0), min(high, float(len(line)))
    if not high > low:
        return
    first, last = int(low), int(high)
    if first == last:
        line[first] = _mixed(line[first], colour, int(256 * (high - low)))
        return
    line[first] = _mixed(line[first], colour, int(256 * (first + 1 - low)))
    if colour >> 24 == 255:
        line[first + 1 : last] = colour
    else:
        for row in range(first + 1, last):
            line[row] = _mixed(line[row], colour, 256)
    if last < len(line):
        line[last] = _mixed(line[last], colour, int(256 * (high - last)))


@compiled
def _scaled(value: float, log: bool) -> float:
    if not log:
        return value
    return math.log10(value) if value > 0 else np.nan


@compiled
def _found(x: np.ndarray, first: int, last: int, value: float) -> int:
    """Return the first sample of a curve that is not below a value."""
    while first < last:
        middle = (first + last) // 2
        if x[middle] < value:
            first = middle + 1
        else:
            last = middle
    return first


@compiled
def _seen(x: np.ndarray, start: int, end: int, low: float, high: float) -> tuple[int, int]:
    """Return which samples of a curve are in sight, with a neighbour on either side."""
    first, last = _found(x, start, end, low), _found(x, start, end, high)
    if first == last and (first == start or last == end):
        return start, start
    return max(first - 1, start), min(last + 1, end)


@compiled
def _edge(x: np.ndarray, start: int, end: int, n: int) -> float:
    """Return the border before a sample of a curve, half way between neighbours."""
    if end - start < 2:
        return x[start] - 0.5 + (n - start)
    if n == start:
        return x[start] - (x[start + 1] - x[start]) / 2
    if n == end:
        return x[end - 1] + (x[end - 1] - x[end - 2]) / 2
    return (x[n - 1] + x[n]) / 2


@compiled
def draw(
    picture: np.ndarray, x: np.ndarray, y: np.ndarray, starts: np.ndarray, ends: np.ndarray, colours: np.ndarray,
    stepped: np.ndarray, axes: np.ndarray, logs: np.ndarray, half: float,
) -> None:  # fmt: skip
    """Draw curves, each over those before.

    Parameters
    ----------
    picture : ndarray of uint32, shape (width, height)
        Changed in place; a row of it is a column of pixels.
    x, y : ndarray of float64
        Samples of all curves, x of each rising; NaN leaves a gap.
    starts, ends : ndarray of int64
        Where each curve is in them.
    colours : ndarray of uint32
        0xAARRGGBB, premultiplied.
    stepped : ndarray of bool
        Steps, or straight lines from sample to sample.
    axes : ndarray, shape (2, 2)
        ``place = axes[k, 0] · value + axes[k, 1]``, of the decimal logarithm where ``logs[k]``.
    half : float
        Half the width of the lines in pixels.
    """
    width, height = picture.shape
    for k in range(len(starts)):
        start, stop = starts[k], ends[k]
        begin, end = _in_picture(x, start, stop, axes, logs, width)
        column, low, high, before, place = -1, 0.0, 0.0, np.nan, np.nan
        for n in range(begin, end):
            value = axes[1, 0] * _scaled(y[n], logs[1]) + axes[1, 1]
            if value != value:
                before = np.nan
                continue
            value = min(max(value, -4.0 * height), 5.0 * height)
            if stepped[k]:
                value = math.floor(value) + 0.5  # levels lie on rows of pixels, crisp
                left = axes[0, 0] * _scaled(_edge(x, start, stop, n), logs[0]) + axes[0, 1]
                right = axes[0, 0] * _scaled(_edge(x, start, stop, n + 1), logs[0]) + axes[0, 1]
            else:
                right = axes[0, 0] * _scaled(x[n], logs[0]) + axes[0, 1]
                left = place if before == before else right
                place = right
            if left != left:
                left = 0.0
            if right != right or right < 0 or left >= width:
                before = value
                continue
            i, last = int(max(left, 0.0)), int(min(right, width - 1.0))
            slope = 0.0
            if not stepped[k] and before == before and right > left:
                slope = (value - before) / (right - left)
            while i <= last:
                if i != column:
                    if column >= 0:
                        _fill(picture[column], low - half, high + half, colours[k])
                    column, low, high = i, np.inf, -np.inf
                if slope == 0.0:
                    low, high = min(low, value), max(high, value)
                else:
                    here = before + slope * (max(float(i), left) - left)
                    there = before + slope * (min(i + 1.0, right) - left)
                    low, high = min(low, here, there), max(high, here, there)
                if i == int(max(left, 0.0)) and before == before and left >= 0 and (stepped[k] or slope == 0.0):
                    low, high = min(low, before), max(high, before)
                i += 1
            before = value
        if column >= 0:
            _fill(picture[column], low - half, high + half, colours[k])


@compiled
def _in_picture(
    x: np.ndarray, start: int, end: int, axes: np.ndarray, logs: np.ndarray, width: int
) -> tuple[int, int]:
    """Return which samples of a curve reach into the picture."""
    low, high = -axes[0, 1] / axes[0, 0], (width - axes[0, 1]) / axes[0, 0]
    if logs[0]:
        low, high = 10.0**low, 10.0**high
    first, last = _found(x, start, end, low), _found(x, start, end, high)
    return max(first - 1, start), min(last + 1, end)


@compiled
def draw_bands(
    picture: np.ndarray, x: np.ndarray, y: np.ndarray, error: np.ndarray, starts: np.ndarray, ends: np.ndarray,
    colours: np.ndarray, opacity: float, axes: np.ndarray, logs: np.ndarray,
) -> None:  # fmt: skip
    """Fill between y − σ and y + σ of curves, in each column between the means of the two; as `draw`.

    Where bands overlap their colours are averaged, with an opacity of 1 − (1 − ``opacity``)ⁿ: no matter how many there
    are, each costs two changes of a column.
    """
    width, height = picture.shape
    sums = np.zeros((width, height + 1, 4), np.float32)
    for k in range(len(starts)):
        start, stop = starts[k], ends[k]
        begin, end = _in_picture(x, start, stop, axes, logs, width)
        column, low, high, many = -1, 0.0, 0.0, 0
        for n in range(begin, end):
            a = axes[1, 0] * _scaled(y[n] - error[n], logs[1]) + axes[1, 1]
            b = axes[1, 0] * _scaled(y[n] + error[n], logs[1]) + axes[1, 1]
            if logs[1] and a != a and b == b:
                a = float(height)
            left = axes[0, 0] * _scaled(_edge(x, start, stop, n), logs[0]) + axes[0, 1]
            right = axes[0, 0] * _scaled(_edge(x, start, stop, n + 1), logs[0]) + axes[0, 1]
            if not (a == a and b == b and right == right) or right < 0 or left >= width:
                continue
            if left != left:
                left = 0.0
            first = int(max(left, 0.0))
            for i in range(first, max(int(min(right, width - 0.5) - 1e-9), first) + 1):
                if i != column:
                    if many:
                        _add(sums[column], low / many, high / many, colours[k])
                    column, low, high, many = i, 0.0, 0.0, 0
                low, high, many = low + min(a, b), high + max(a, b), many + 1
        if many:
            _add(sums[column], low / many, high / many, colours[k])
    shares = 1.0 - (1.0 - opacity) ** np.arange(len(starts) + 1)
    for i in range(width):
        _lay(picture[i], sums[i], shares)


@compiled
def _add(sums: np.ndarray, low: float, high: float, colour: np.uint32) -> None:
    """Note where a band begins and ends in a column: weight and colour, each to be summed up along it."""
    height = len(sums) - 1
    first, last = int(min(max(low + 0.5, 0.0), height)), int(min(max(high + 0.5, 0.0), height))
    if first >= last:
        return
    for part in range(4):
        value = 1.0 if part == 3 else float((colour >> (8 * part)) & 255)
        sums[first, part] += value
        sums[last, part] -= value


@compiled
def _lay(line: np.ndarray, sums: np.ndarray, shares: np.ndarray) -> None:
    """Lay the sums of bands over a column of pixels; ``shares`` are opacities by the number of bands."""
    blue = green = red = weight = np.float32(0.0)
    for row in range(len(line)):
        blue, green, red, weight = blue + sums[row, 0], green + sums[row, 1], red + sums[row, 2], weight + sums[row, 3]
        if weight > 0.5:
            alpha = shares[min(int(weight + 0.5), len(shares) - 1)]
            share = alpha / weight
            line[row] = np.uint32(
                (int(255 * alpha) << 24) | (int(red * share) << 16) | (int(green * share) << 8) | int(blue * share)
            )


@compiled
def span(
    x: np.ndarray, y: np.ndarray, starts: np.ndarray, ends: np.ndarray, low: float, high: float, log: bool
) -> tuple[float, float, int]:
    """Return the least and the greatest finite value in sight, and how many samples there are; NaN without any."""
    least, most, count = np.inf, -np.inf, 0
    for k in range(len(starts)):
        first, last = _seen(x, starts[k], ends[k], low, high)
        count += last - first
        for n in range(first, last):
            value = y[n]
            if value < least and value > -np.inf and (value > 0 or not log):
                least = value
            if value > most and value < np.inf and (value > 0 or not log):
                most = value
    if least > most:
        return np.nan, np.nan, count
    return least, most, count


@compiled
def every(
    x: np.ndarray, y: np.ndarray, starts: np.ndarray, ends: np.ndarray, low: float, high: float, step: int,
    out: np.ndarray,
) -> int:  # fmt: skip
    """Fill in every n-th sample in sight of each curve and return how many they are."""
    count = 0
    for k in range(len(starts)):
        first, last = _seen(x, starts[k], ends[k], low, high)
        for n in range(first + min(step // 2, (last - first) // 2), last, step):
            if count < len(out):
                out[count] = y[n]
                count += 1
    return count


@compiled
def nearest(x: np.ndarray, starts: np.ndarray, ends: np.ndarray, wanted: float, out: np.ndarray) -> None:
    """Fill in which sample of each curve is nearest to a value of x; −1 for a curve without samples."""
    for k in range(len(starts)):
        start, end = starts[k], ends[k]
        n = min(max(_found(x, start, end, wanted), start), end - 1)
        if n > start and wanted - x[n - 1] <= x[n] - wanted:
            n -= 1
        out[k] = n
