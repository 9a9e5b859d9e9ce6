"""Loops over cubes, compiled without the GIL. Imported on first use: numba takes a second to load.

``spectra`` are arrays of shape (rows, columns, channels): one spectrum lies in one piece of memory.
NaN are left out everywhere, and what was left out is counted.
"""

import numpy as np
from numba import njit

__all__ = [
    "add_spectra",
    "block_sums",
    "extreme_spectra",
    "plane_moments",
    "plane_statistics",
    "plane_sums",
    "range_sums",
    "turned",
]

Array = np.ndarray

compiled = njit(cache=True, nogil=True, error_model="numpy")
TILE = 32


@compiled
def turned(slab: Array, spectra: Array) -> None:
    """Copy a slab (channels, rows, columns) into spectra (rows, columns, channels), in tiles that fit the cache."""
    channels, rows, columns = slab.shape
    for i in range(rows):
        for j0 in range(0, columns, TILE):
            j1 = min(j0 + TILE, columns)
            for k0 in range(0, channels, TILE):
                k1 = min(k0 + TILE, channels)
                for j in range(j0, j1):
                    for k in range(k0, k1):
                        spectra[i, j, k] = slab[k, i, j]


@compiled
def plane_statistics(slab: Array, number: Array, total: Array, least: Array, greatest: Array) -> None:
    """Add the finite values of each plane of a slab to running numbers, each of shape (channels,)."""
    channels, rows, columns = slab.shape
    for k in range(channels):
        n, s, low, high = 0, 0.0, least[k], greatest[k]
        for i in range(rows):
            for j in range(columns):
                value = slab[k, i, j]
                if np.isfinite(value):
                    n += 1
                    s += value
                    low = min(low, value)
                    high = max(high, value)
        number[k] += n
        total[k] += s
        least[k], greatest[k] = low, high


@compiled
def plane_moments(planes: Array, found: Array) -> None:
    """Join the finite values of planes (channels, rows, columns) to what is known of each: ``found`` (5, channels).

    Number, mean, sum of squared differences from it, least and greatest value.
    """
    for k in range(planes.shape[0]):
        n, s, low, high = 0, 0.0, found[3, k], found[4, k]
        for i in range(planes.shape[1]):
            for j in range(planes.shape[2]):
                value = planes[k, i, j]
                if np.isfinite(value):
                    n += 1
                    s += value
                    low = min(low, value)
                    high = max(high, value)
        if n == 0:
            continue
        mean, squares = s / n, 0.0
        for i in range(planes.shape[1]):
            for j in range(planes.shape[2]):
                value = planes[k, i, j]
                if np.isfinite(value):
                    squares += (value - mean) * (value - mean)
        before = found[0, k]
        total, apart = before + n, mean - found[1, k]
        found[0, k] = total
        found[1, k] += apart * n / total
        found[2, k] += squares + apart * apart * before * n / total
        found[3, k], found[4, k] = low, high


@compiled
def block_sums(spectra: Array, widths: Array, places: Array, size: int, sums: Array) -> None:
    """Fill sums over blocks of ``size`` channels.

    ``sums`` has shape (4, blocks, rows, columns): of f·Δ, of f·Δ·t, of f·Δ·t² and the number of values,
    with the width Δ of each channel and its place t in the block, −1 to 1.
    """
    rows, columns, channels = spectra.shape
    for i in range(rows):
        for j in range(columns):
            for b in range(sums.shape[1]):
                s0, s1, s2, n = 0.0, 0.0, 0.0, 0
                for k in range(b * size, min((b + 1) * size, channels)):
                    value = spectra[i, j, k]
                    if value == value:
                        part = value * widths[k]
                        s0 += part
                        s1 += part * places[k]
                        s2 += part * places[k] * places[k]
                        n += 1
                sums[0, b, i, j], sums[1, b, i, j], sums[2, b, i, j], sums[3, b, i, j] = s0, s1, s2, n


@compiled
def range_sums(
    spectra: Array, weights: Array, counts: Array, places: Array, first: int, last: int, sums: Array
) -> None:
    """Add the channels ``first`` to ``last`` (exclusive) of each spectrum to ``sums`` of shape (4, rows, columns).

    They are of w·f, w·f·t, w·f·t² and, of channels that have a value, of the counts.
    """
    for i in range(spectra.shape[0]):
        for j in range(spectra.shape[1]):
            s0, s1, s2, n = 0.0, 0.0, 0.0, 0.0
            for k in range(first, last):
                value = spectra[i, j, k]
                if value == value:
                    part = value * weights[k]
                    s0 += part
                    s1 += part * places[k]
                    s2 += part * places[k] * places[k]
                    n += counts[k]
            sums[0, i, j] += s0
            sums[1, i, j] += s1
            sums[2, i, j] += s2
            sums[3, i, j] += n


@compiled
def plane_sums(planes: Array, weights: Array, places: Array, counts: Array, sums: Array) -> None:
    """Add planes of shape (channels, rows, columns) to sums as `range_sums` does."""
    for k in range(planes.shape[0]):
        w, t, count = weights[k], places[k], counts[k]
        for i in range(planes.shape[1]):
            for j in range(planes.shape[2]):
                value = planes[k, i, j]
                if value == value:
                    part = value * w
                    sums[0, i, j] += part
                    sums[1, i, j] += part * t
                    sums[2, i, j] += part * t * t
                    sums[3, i, j] += count


@compiled
def add_spectra(spectra: Array, rows: Array, columns: Array, weights: Array, total: Array, share: Array) -> None:
    """Add weighted spectra to ``total`` and their weights, where there is a value, to ``share`` (channels,).

    Negative weights take spectra away again: a region that moves changes few of them. Four at a time: the running
    sums are read and written less often, and the compiler finds the loop free of branches.
    """
    many = rows.shape[0] - rows.shape[0] % 4
    for m in range(0, many, 4):
        a, b = spectra[rows[m], columns[m]], spectra[rows[m + 1], columns[m + 1]]
        c, d = spectra[rows[m + 2], columns[m + 2]], spectra[rows[m + 3], columns[m + 3]]
        wa, wb, wc, wd = weights[m], weights[m + 1], weights[m + 2], weights[m + 3]
        for k in range(spectra.shape[2]):
            fa, fb, fc, fd = a[k], b[k], c[k], d[k]
            # the difference is 0 for what is finite only
            ua, ub, uc, ud = fa - fa == 0, fb - fb == 0, fc - fc == 0, fd - fd == 0
            total[k] += (wa * fa if ua else 0.0) + (wb * fb if ub else 0.0)
            total[k] += (wc * fc if uc else 0.0) + (wd * fd if ud else 0.0)
            share[k] += (wa if ua else 0.0) + (wb if ub else 0.0) + (wc if uc else 0.0) + (wd if ud else 0.0)
    for m in range(many, rows.shape[0]):
        a, wa = spectra[rows[m], columns[m]], weights[m]
        for k in range(spectra.shape[2]):
            fa = a[k]
            ua = fa - fa == 0
            total[k] += wa * fa if ua else 0.0
            share[k] += wa if ua else 0.0


@compiled
def extreme_spectra(spectra: Array, rows: Array, columns: Array, least: Array, greatest: Array) -> None:
    """Take the least and greatest value of each channel over some spectra into arrays of shape (channels,)."""
    for m in range(rows.shape[0]):
        for k in range(spectra.shape[2]):
            value = spectra[rows[m], columns[m], k]
            if value == value:
                least[k] = min(least[k], value)
                greatest[k] = max(greatest[k], value)
