"""Cosmic rays: tracks of charge across pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Hits", "draw_hits", "joined"]

PER_PIXEL = 900.0
"""Electrons that a ray leaves on the way across one pixel, in the median."""

LENGTH = 3.0
"""Mean length of tracks in pixels."""

STEPS = 6
"""Pieces of a track per pixel."""


@dataclass
class Hits:
    """Charge of cosmic rays, one row for each pixel and group that one struck.

    Attributes
    ----------
    group : ndarray of int
        0-based read before which the ray came; one before the first read leaves no jump.
    x, y : ndarray of int
        0-based pixels.
    electrons : ndarray of float
    integration : int or ndarray of int
        0-based.
    """

    group: np.ndarray
    x: np.ndarray
    y: np.ndarray
    electrons: np.ndarray
    integration: int | np.ndarray = 0

    def add(self, electrons: np.ndarray, group: int, blind: np.ndarray) -> None:
        """Add the charge that came before a read (in place), but to blind pixels."""
        chosen = (self.group == group) & ~blind[self.y, self.x]
        np.add.at(electrons, (self.y[chosen], self.x[chosen]), self.electrons[chosen])

    def without(self, blind: np.ndarray) -> Hits:
        """Return those that did not strike blind pixels."""
        seen = ~blind[self.y, self.x]
        return Hits(self.group[seen], self.x[seen], self.y[seen], self.electrons[seen], self.integration)


def joined(several: list[Hits]) -> Hits:
    """Put the hits of integrations together."""
    number = np.concatenate([np.full(hits.group.size, number) for number, hits in enumerate(several)])
    names = ("group", "x", "y", "electrons")
    return Hits(*(np.concatenate([getattr(hits, name) for hits in several]) for name in names), number)


def draw_hits(rng: np.random.Generator, rate: float, area: float, seconds: float, groups: int,
              shape: tuple[int, int]) -> Hits:  # fmt: skip
    """Draw the cosmic rays of an exposure.

    Parameters
    ----------
    rate : float
        Rays per cm² and second.
    area : float
        Of the detector, in cm².
    seconds : float
        Between two reads.
    """
    count = int(rng.poisson(rate * area * seconds * groups))
    group = rng.integers(0, groups, count)
    x, y = rng.uniform(0, shape[1], count), rng.uniform(0, shape[0], count)
    angle = rng.uniform(0, 2 * np.pi, count)
    length = rng.exponential(LENGTH, count)
    charge = PER_PIXEL * np.exp(0.5 * rng.standard_normal(count))
    pieces = np.maximum(np.ceil(length * STEPS).astype(int), STEPS // 2)
    ray = np.repeat(np.arange(count), pieces)
    along = (np.arange(ray.size) - np.repeat(np.cumsum(pieces) - pieces, pieces)) / STEPS
    column = np.floor(x[ray] + along * np.cos(angle[ray])).astype(int)
    row = np.floor(y[ray] + along * np.sin(angle[ray])).astype(int)
    inside = (column >= 0) & (row >= 0) & (column < shape[1]) & (row < shape[0])
    places = np.ravel_multi_index((group[ray[inside]], row[inside], column[inside]), (groups, *shape))
    struck, which = np.unique(places, return_inverse=True)
    left = np.bincount(which, weights=charge[ray[inside]] / STEPS, minlength=struck.size)
    where = np.unravel_index(struck, (groups, *shape))
    return Hits(where[0], where[2], where[1], left)
