"""The growing of bins, compiled without the GIL; see `jviz.backend.cubes.binning`."""

import numpy as np
from numba import njit

__all__ = ["grown"]

Array = np.ndarray

compiled = njit(cache=True, nogil=True, error_model="numpy")

ROUNDNESS = 0.3
ENOUGH = 0.8


@compiled
def _brightest(signal: Array, variance: Array, good: Array) -> tuple:
    best, row, column = -np.inf, -1, -1
    for i in range(signal.shape[0]):
        for j in range(signal.shape[1]):
            if good[i, j] and signal[i, j] / np.sqrt(variance[i, j]) > best:
                best, row, column = signal[i, j] / np.sqrt(variance[i, j]), i, j
    return row, column


@compiled
def _nearest_free(free: Array, row: float, column: float) -> tuple:
    nearest, at_row, at_column = np.inf, -1, -1
    for i in range(free.shape[0]):
        for j in range(free.shape[1]):
            if free[i, j]:
                far = (i - row) ** 2 + (j - column) ** 2
                if far < nearest:
                    nearest, at_row, at_column = far, i, j
    return at_row, at_column


@compiled
def _nearest(places: Array, count: int, row: float, column: float) -> int:
    least, choice = np.inf, -1
    for k in range(count):
        far = (places[k, 0] - row) ** 2 + (places[k, 1] - column) ** 2
        if far < least:
            least, choice = far, k
    return choice


@compiled
def _roundness(places: Array, count: int, row: float, column: float, a: int, b: int) -> float:
    """Return by how much the farthest place, or (a, b), lies outside of a circle of the same area."""
    largest = (a - row) ** 2 + (b - column) ** 2
    for k in range(count):
        far = (places[k, 0] - row) ** 2 + (places[k, 1] - column) ** 2
        if far > largest:
            largest = far
    return np.sqrt(largest) / np.sqrt((count + 1) / np.pi) - 1


@compiled
def _one_bin(
    signal: Array, variance: Array, free: Array, seen: Array, attempt: int, target: float, members: Array, edge: Array
) -> tuple:
    """Grow one bin from ``members[0]``; return its spaxels, signal-to-noise, and sums of rows and columns."""
    rows, columns = signal.shape
    count, edges, s, v, sum_row, sum_column = 0, 0, 0.0, 0.0, 0.0, 0.0
    i, j = members[0, 0], members[0, 1]
    while True:
        members[count, 0], members[count, 1] = i, j
        count += 1
        free[i, j] = False
        s += signal[i, j]
        v += variance[i, j]
        sum_row += i
        sum_column += j
        for di, dj in ((-1, 0), (1, 0), (0, -1), (0, 1)):
            a, b = i + di, j + dj
            if 0 <= a < rows and 0 <= b < columns and free[a, b] and seen[a, b] != attempt:
                seen[a, b] = attempt
                edge[edges, 0], edge[edges, 1] = a, b
                edges += 1
        now = s / np.sqrt(v)
        if now >= target or edges == 0:
            break
        # The free neighbour nearest to the middle of the bin comes next.
        choice = _nearest(edge, edges, sum_row / count, sum_column / count)
        a, b = edge[choice, 0], edge[choice, 1]
        middle = (sum_row + a) / (count + 1), (sum_column + b) / (count + 1)
        if _roundness(members, count, middle[0], middle[1], a, b) > ROUNDNESS:
            break
        after = (s + signal[a, b]) / np.sqrt(v + variance[a, b])
        if now > ENOUGH * target and np.abs(after - target) > np.abs(now - target):
            break
        edges -= 1
        edge[choice, 0], edge[choice, 1] = edge[edges, 0], edge[edges, 1]
        i, j = a, b
    return count, s / np.sqrt(v), sum_row, sum_column


@compiled
def grown(signal: Array, variance: Array, good: Array, target: float, number: Array) -> int:
    """Grow bins from the spaxel of the highest signal-to-noise on, and number those that come near to the target.

    Parameters
    ----------
    signal, variance : ndarray of float64, shape (rows, columns)
    good : ndarray of bool
        Spaxels that can be in a bin.
    number : ndarray of int64
        All -1; filled with the number of each spaxel's bin. Bins that stay below 0.8 times the target are not numbered.

    Returns
    -------
    int
        How many bins there are; at least 1.
    """
    rows, columns = signal.shape
    free = good.copy()
    seen = np.full((rows, columns), -1, np.int64)
    members = np.empty((rows * columns, 2), np.int64)
    edge = np.empty((rows * columns, 2), np.int64)
    bins, attempt, taken, total_row, total_column = 0, 0, 0, 0.0, 0.0
    row, column = _brightest(signal, variance, good)
    while row >= 0:
        members[0, 0], members[0, 1] = row, column
        count, snr, sum_row, sum_column = _one_bin(signal, variance, free, seen, attempt, target, members, edge)
        if snr > ENOUGH * target:
            for k in range(count):
                number[members[k, 0], members[k, 1]] = bins
            bins += 1
        attempt += 1
        total_row += sum_row
        total_column += sum_column
        taken += count
        # The next bin begins with the free spaxel nearest to the middle of all that is taken.
        row, column = _nearest_free(free, total_row / taken, total_column / taken)
    if bins == 0:  # noise all over: all of it is one bin
        for i in range(rows):
            for j in range(columns):
                if good[i, j]:
                    number[i, j] = 0
        bins = 1
    return bins
