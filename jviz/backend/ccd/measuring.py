"""Gain and read noise of a CCD from its own frames, where headers do not say them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

__all__ = ["measured_gain", "measured_read_noise"]


def measured_read_noise(biases: Sequence[np.ndarray]) -> float:
    """Return the read noise in counts: the scatter of differences of biases over √2.

    Raises
    ------
    ValueError
        For fewer than two.
    """
    if len(biases) < 2:
        raise ValueError("two bias frames are needed")
    return float(np.median([_scatter(b - a) / np.sqrt(2) for a, b in pairwise(biases)]))


def measured_gain(flats: Sequence[np.ndarray], biases: Sequence[np.ndarray]) -> float:
    """Return the gain in electrons per count, by the noise of pairs of flats (Janesick 2001, Scientific CCDs, 2.2.7).

    Parameters
    ----------
    flats, biases : sequence of ndarray
        In counts, of one shape; two of each at least.

    Raises
    ------
    ValueError
        When there are fewer, or the flats have no light.
    """
    if len(flats) < 2 or len(biases) < 2:
        raise ValueError("two flats and two biases are needed")
    level, noise = np.mean([np.median(b) for b in biases]), measured_read_noise(biases)
    found = []
    for first, second in pairwise(flats):
        a, b = np.median(first) - level, np.median(second) - level
        if a <= 0 or b <= 0:
            continue
        # The lamp may have changed: both are brought to one level, which scales their noise too.
        scaled = (second - level) * (a / b)
        light = _scatter((first - level) - scaled) ** 2 - noise**2 * (1 + (a / b) ** 2)
        if light > 0:
            found.append(a * (1 + a / b) / light)
    if not found:
        raise ValueError("the flats have no more light than the biases")
    return float(np.median(found))


def _scatter(values: np.ndarray) -> float:
    middle = np.median(values)
    return 1.4826 * float(np.median(np.abs(values - middle)))
