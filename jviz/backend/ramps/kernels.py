"""Loops over ramps, compiled without the GIL. Imported on first use: numba takes a second to load.

Counts are float32 of shape (integrations, groups, pixels), flags of groups uint8 of the same shape.
"""

import numpy as np
from numba import njit

__all__ = ["fit_rates", "flag_jumps"]

Array = np.ndarray

compiled = njit(cache=True, nogil=True, error_model="numpy")

DO_NOT_USE, SATURATED, JUMP = np.uint8(1), np.uint8(2), np.uint8(4)
BAD = np.uint8(3)
FEW = 40
LARGE = 1e10
"""Variances beyond this tell nothing, and are set to 0."""


@compiled
def _sort(values: Array, number: int) -> None:
    """Sort the first values in place: for the few of a ramp quicker than what sorts many."""
    if number > FEW:
        values[:number].sort()
        return
    for n in range(1, number):
        value, at = values[n], n
        while at > 0 and values[at - 1] > value:
            values[at] = values[at - 1]
            at -= 1
        values[at] = value


@compiled
def _median(values: Array, number: int) -> float:
    """Return the median of the first values, which are sorted in place; NaN of none."""
    if number == 0:
        return np.nan
    _sort(values, number)
    half = number // 2
    return values[half] if number % 2 else 0.5 * (values[half - 1] + values[half])


@compiled
def _typical(differences: Array, room: Array) -> float:
    """Return the difference that a ramp without cosmic rays has: the median, the greatest of four or more left out."""
    number = 0
    for value in differences:
        if not np.isnan(value):
            room[number] = value
            number += 1
    if number < 2:
        return np.nan
    if number == 2:
        return min(room[0], room[1])
    _sort(room, number)
    if number >= 4:
        top = room[number - 1]
        while number and room[number - 1] == top:
            number -= 1
    return _median(room, number)


@compiled
def _flag_one_by_one(differences: Array, groups: int, noise2: float, limits: Array, hit: Array, room: Array) -> None:
    """Flag the greatest outlier, leave it out, and look again; ``differences`` becomes NaN there."""
    steps = groups - 1
    for _ in range(differences.shape[0]):
        usable = 0
        for value in differences:
            usable += not np.isnan(value)
        limit = limits[0] if usable >= 4 else limits[1] if usable == 3 else limits[2] if usable == 2 else np.inf
        typical = _typical(differences, room)
        sigma = np.sqrt(np.float32(abs(typical) + noise2))
        if not sigma > 0:
            return
        greatest = np.float32(-1.0)
        for n in range(differences.shape[0]):
            ratio = np.float32(abs(np.float32(differences[n] - typical)) / sigma)
            if ratio > greatest:
                greatest = ratio
        if not greatest > limit:
            return
        for n in range(differences.shape[0]):
            if np.float32(abs(np.float32(differences[n] - typical)) / sigma) == greatest:
                hit[(n // steps) * groups + n % steps + 1] = True
                differences[n] = np.nan


@compiled
def flag_jumps(
    counts: Array, flags: Array, gain: Array, noise: Array, limits: Array, at_once: bool, ratios: Array
) -> None:
    """Set JUMP in ``flags`` of groups that are much higher than the one before.

    Parameters
    ----------
    counts : ndarray, shape (integrations, groups, pixels)
        DN.
    gain, noise : ndarray, shape (pixels,)
        e⁻ per DN; e⁻ of the difference of two groups.
    limits : ndarray, shape (3,)
        Standard deviations for four and more, three, and two differences.
    at_once : bool
        Compare all differences with one median instead of one after the other.
    ratios : ndarray of float32, shape (integrations, groups, pixels)
        Filled with the deviation of each group from the median in standard deviations.
    """
    integrations, groups, pixels = counts.shape
    steps = groups - 1
    differences = np.empty(integrations * steps, np.float32)
    plain, room = np.empty(integrations * steps, np.float32), np.empty(integrations * steps, np.float32)
    hit = np.empty(integrations * groups, np.bool_)
    for p in range(pixels):
        number = 0
        for i in range(integrations):
            for k in range(steps):
                before, after = counts[i, k, p] * gain[p], counts[i, k + 1, p] * gain[p]
                bad = (flags[i, k, p] | flags[i, k + 1, p]) & BAD
                value = np.float32(np.nan) if bad else np.float32(np.float32(after) - np.float32(before))
                plain[i * steps + k] = value
                differences[i * steps + k] = abs(value)
                if not np.isnan(value):
                    room[number] = value
                    number += 1
        middle = np.float32(_median(room, number))
        noise2 = noise[p] * noise[p]
        sigma = np.sqrt(np.float32(abs(middle) + noise2))
        hit[:] = False
        for i in range(integrations):
            ratios[i, 0, p] = np.nan
            for k in range(steps):
                ratio = np.float32(abs(plain[i * steps + k] - middle) / sigma) if sigma > 0 else np.float32(np.nan)
                ratios[i, k + 1, p] = ratio
                if at_once and ratio > limits[0]:
                    hit[i * groups + k + 1] = True
        if not at_once:
            _flag_one_by_one(differences, groups, noise2, limits, hit, room)
        for i in range(integrations):
            for k in range(groups):
                if hit[i * groups + k] and not flags[i, k, p] & BAD:
                    flags[i, k, p] |= JUMP


@compiled
def _power(snr: float) -> float:
    """Return the exponent of the weights for a signal-to-noise ratio (Fixsen et al. 2000, PASP 112, 1350)."""
    if snr < 5:
        return 0.0
    if snr < 10:
        return 0.4
    if snr < 20:
        return 1.0
    if snr < 50:
        return 3.0
    return 6.0 if snr < 100 else 10.0


@compiled
def _segments(flags: Array, starts: Array, lengths: Array) -> int:
    """Find runs of good groups; one begins with the group of a jump. Runs of one group count only if all are."""
    groups = flags.shape[0]
    number, inside, longest = 0, False, 0
    for k in range(groups):
        if flags[k] == 0 and not inside:
            starts[number] = k - 1 if k > 0 and flags[k - 1] == JUMP else k
            inside = True
        elif flags[k] != 0 and inside:
            lengths[number] = k - starts[number]
            longest = max(longest, lengths[number])
            number, inside = number + 1, False
    if inside:
        lengths[number] = groups - starts[number]
        longest = max(longest, lengths[number])
        number += 1
    if longest < 2:
        return min(number, 1)
    kept = 0
    for n in range(number):
        if lengths[n] > 1:
            starts[kept], lengths[kept] = starts[n], lengths[n]
            kept += 1
    return kept


@compiled
def _line(counts: Array, start: int, length: int, gain: float, noise: float) -> tuple[float, float]:
    """Fit a weighted line to a run of groups; return slope per group and the value at group 0.

    The weights are |(k − m) / m|^P about the middle m, with P from the signal-to-noise ratio.
    """
    if length == 1:
        return counts[start], 0.0
    rise = float(counts[start + length - 1]) - float(counts[start])
    if length == 2:
        return rise, counts[start] - rise * start
    variance = noise * noise + rise * gain
    snr = max(rise * gain / np.sqrt(variance), 0.0) if variance > 0 and gain != 0 else 0.0
    power, middle = _power(snr), (length - 1) / 2.0
    w, x, xx, y, xy = 0.0, 0.0, 0.0, 0.0, 0.0
    for k in range(length):
        weight = abs((k - middle) / middle) ** power if power else 1.0
        at, value = float(start + k), float(counts[start + k])
        w += weight
        x += at * weight
        xx += at * at * weight
        y += value * weight
        xy += at * value * weight
    scale = 1.0 / (w * xx - x * x)
    return (w * xy - x * y) * scale, (xx * y - x * xy) * scale


@compiled
def _median_rate(counts: Array, flags: Array, room: Array) -> float:
    """Return the median difference of groups of one pixel, the mean over integrations, per group."""
    integrations, groups = counts.shape
    total = 0.0
    for i in range(integrations):
        number = 0
        for k in range(groups - 1):
            bad = (flags[i, k] | flags[i, k + 1]) & BAD
            if not (bad or flags[i, k + 1] & JUMP):
                room[number] = float(counts[i, k + 1]) - float(counts[i, k])
                number += 1
        if number == 0 and not flags[i, 0] & BAD:
            room[0], number = counts[i, 0], 1
        middle = _median(room, number)
        total += 0.0 if np.isnan(middle) else middle
    return total / integrations


@compiled
def fit_rates(
    counts: Array, flags: Array, gain: Array, noise: Array, dark: Array, seconds: float, rates: Array, model: Array
) -> None:
    """Fit count rates, DN/s, to the runs between jumps, and join them by the variance of their read noise.

    Parameters
    ----------
    counts : ndarray, shape (integrations, groups, pixels)
        DN.
    gain, noise, dark : ndarray, shape (pixels,)
        e⁻ per DN; e⁻ of one group; DN/s of the dark current that was subtracted.
    seconds : float
        Between two groups.
    rates : ndarray of float32, shape (integrations + 1, 4, pixels)
        Filled with rate, variance of photons, variance of read noise and error of each integration,
        and last of all of them together. NaN and 0 where there is nothing to fit.
    model : ndarray of float32, shape (integrations, groups, pixels) or (0, 0, 0)
        Filled with the fitted counts, NaN between the runs.
    """
    integrations, groups, pixels = counts.shape
    starts, lengths = np.empty(groups, np.int64), np.empty(groups, np.int64)
    room, mine, marks = np.empty(groups), np.empty((integrations, groups), np.float32), np.empty(
        (integrations, groups), np.uint8)  # fmt: skip
    for p in range(pixels):
        for i in range(integrations):
            for k in range(groups):
                mine[i, k], marks[i, k] = counts[i, k, p], flags[i, k, p]
        typical = max(_median_rate(mine, marks, room) / seconds, 0.0) + dark[p]
        all_slope, all_read, all_photon = 0.0, 0.0, 0.0
        for i in range(integrations):
            slope_sum, read_sum, photon_sum, error_sum = 0.0, 0.0, 0.0, 0.0
            number = 0 if marks[i, 0] & SATURATED else _segments(marks[i], starts, lengths)
            if model.size:
                model[i, :, p] = np.nan
            for n in range(number):
                start, length = starts[n], lengths[n]
                slope, zero = _line(mine[i], start, length, gain[p], noise[p])
                photon = typical / (seconds * gain[p] * max(length - 1, 1))
                size = float(max(length, 2))
                read = 12.0 * (noise[p] / seconds) ** 2 / ((size**3 - size) * gain[p] ** 2)
                slope_sum += slope / seconds / read
                read_sum += 1.0 / read
                photon_sum += 1.0 / photon if photon > 0 else 0.0
                error_sum += 1.0 / (photon + read)
                if model.size and length > 1:
                    for k in range(start, start + length):
                        model[i, k, p] = zero + slope * k
            _keep(rates[i, :, p], number, slope_sum, photon_sum, read_sum)
            if number and 1.0 / error_sum <= LARGE:
                rates[i, 3, p] = np.sqrt(1.0 / error_sum)
            all_slope += slope_sum
            all_read += read_sum
            all_photon += photon_sum
        _keep(rates[integrations, :, p], all_read > 0, all_slope, all_photon, all_read)
        rates[integrations, 3, p] = np.sqrt(rates[integrations, 1, p] + rates[integrations, 2, p])


@compiled
def _keep(rates: Array, found: bool, slope: float, photon: float, read: float) -> None:
    if not found:
        rates[0], rates[1], rates[2], rates[3] = np.nan, 0.0, 0.0, 0.0
        return
    rates[1] = 1.0 / photon if photon > 0 and 1.0 / photon < LARGE else 0.0
    rates[2] = 1.0 / read if 1.0 / read < LARGE else 0.0
    rates[0] = slope / read
