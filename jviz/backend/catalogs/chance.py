"""How many matches of two catalogues are by chance: counted with one of them shifted, so that no match is real."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Chance", "chance_matches"]

SHIFTS = 16
MOST = 20_000
"""Rows that are shifted; of more, a sample tells as well."""

NEAREST, FARTHEST = 3.0, 8.0
"""How far rows are shifted, over the radius of the match: beyond their own partners, within their surroundings."""


@dataclass(frozen=True)
class Chance:
    """Matches that are by chance.

    Attributes
    ----------
    count, error : float
        Expected number among the pairs, and one standard deviation of what it may be.
    share : ndarray
        For each pair the part of those at most as far apart that is by chance.
    """

    count: float
    error: float
    share: np.ndarray


def chance_matches(
    first: np.ndarray, second: np.ndarray, radius: float, separation: np.ndarray, *, best: bool = True, seed: int = 0
) -> Chance:
    """Estimate how many pairs are by chance.

    The first catalogue is shifted in 16 directions by three to eight radii and matched again: a part p of its n rows
    finds a stranger among the m of the second. Rows with a real partner, t in each, neither take a stranger nor are
    taken by one, so that (n − t) p (m − t) / m of the pairs are by chance; t and these together are all pairs. To
    these come real partners that have lost each other to a stranger that is nearer than they are.

    Parameters
    ----------
    first, second : ndarray, shape (n, d) and (m, d)
        As `jviz.backend.catalogs.matching.match_places` takes them: of a plane, or unit vectors.
    radius : float
    separation : ndarray
        Of the pairs that were found.
    best : bool
        Each row was matched with its nearest alone; else with all within the radius.
    """
    first, second = (points[np.isfinite(points).all(axis=1)] for points in (first, second))
    n, found = len(first), len(separation)
    if not (n and len(second) and found):
        return Chance(0.0, 0.0, np.zeros(found))
    rng = np.random.default_rng(seed)
    few = first if n <= MOST else first[rng.choice(n, MOST, replace=False)]
    counts, apart = _strangers(few, second, radius, best, rng)
    counts = counts * (n / len(few))
    nearer = np.searchsorted(np.sort(apart), separation, side="right") * (n / len(few)) / SHIFTS
    weight, swapped = 1.0, np.zeros(found)
    if best:
        real = _real(found, n, len(second), float(counts.mean()) / n)
        weight = (1 - real / n) * (1 - real / len(second))
        swapped = real / found * nearer * (1 / n + 1 / len(second))
    count = min(float(counts.mean()) * weight + swapped.sum(), float(found))
    error = float(np.sqrt(count + (counts.std(ddof=1) * weight) ** 2 / SHIFTS))
    order = np.argsort(separation, kind="stable")
    share = np.empty(found)
    share[order] = (nearer[order] * weight + np.cumsum(swapped[order])) / np.arange(1, found + 1)
    return Chance(count, error, np.minimum(share, 1.0))


def _real(found: int, n: int, m: int, p: float) -> float:
    """Return how many of the pairs are real: t + (n − t) p (m − t) / m is the number that was found."""
    a, b, c = p / m, 1 - p * (n + m) / m, n * p - found
    roots = np.roots([a, b, c]) if a > 0 else np.array([float(found)])
    real = roots[np.isreal(roots)].real
    # where more was found than by chance the other one is negative
    return float(np.clip(real.max(), 0, min(found, n, m))) if len(real) and c < 0 else 0.0


def _strangers(
    points: np.ndarray, second: np.ndarray, radius: float, best: bool, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return the number of matches for each shift, and the separations of all of them."""
    from scipy.spatial import KDTree

    tree, turn = KDTree(second), rng.uniform(0, 2 * np.pi)
    counts, apart = np.zeros(SHIFTS), []
    for k in range(SHIFTS):
        angle = turn + 2 * np.pi * k / SHIFTS
        far = radius * (NEAREST + (FARTHEST - NEAREST) * (k * 0.618 % 1))
        moved = _moved(points, far * np.cos(angle), far * np.sin(angle))
        if best:
            distance, partner = tree.query(moved, distance_upper_bound=radius)
            near = np.isfinite(distance)
            order = np.argsort(distance[near], kind="stable")
            distance = distance[near][order][np.unique(partner[near][order], return_index=True)[1]]
        else:
            distance = KDTree(moved).sparse_distance_matrix(tree, radius, output_type="coo_matrix").data
        counts[k] = len(distance)
        apart.append(distance)
    return counts, np.concatenate(apart)


def _moved(points: np.ndarray, east: float, north: float) -> np.ndarray:
    """Shift points of a plane, or unit vectors on the sphere."""
    if points.shape[1] == 2:
        return points + np.array([east, north])
    x, y, z = points.T
    level = np.maximum(np.hypot(x, y), 1e-12)
    to_east = np.stack([-y / level, x / level, np.zeros_like(z)], axis=1)
    to_north = np.stack([-z * x / level, -z * y / level, level], axis=1)
    moved = points + east * to_east + north * to_north
    return moved / np.linalg.norm(moved, axis=1, keepdims=True)
