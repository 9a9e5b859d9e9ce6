"""Which rows of two catalogues belong together: by their places or by a name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Pairs", "match_names", "match_places", "on_sphere", "one_to_one"]

NEIGHBOURS = 10
"""Neighbours that tell how dense the rows lie at a place."""


@dataclass(frozen=True)
class Pairs:
    """Rows that belong together, ordered by the first.

    Attributes
    ----------
    first, second : ndarray of int
        Row numbers in each catalogue.
    separation : ndarray
        In the unit of the coordinates; NaN for matches by name.
    candidates : ndarray of int
        Rows of the second catalogue within the radius of that row of the first.
    quality : ndarray
        Chance that no unrelated row of the second catalogue lies as near.
    """

    first: np.ndarray
    second: np.ndarray
    separation: np.ndarray
    candidates: np.ndarray
    quality: np.ndarray

    def __getitem__(self, rows: np.ndarray) -> Pairs:
        return Pairs(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))

    def __len__(self) -> int:
        return len(self.first)


def on_sphere(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Return unit vectors of degrees, shape (n, 3)."""
    lon, lat = np.radians(lon), np.radians(lat)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)


def match_places(first: np.ndarray, second: np.ndarray, radius: float) -> Pairs:
    """Return all pairs of points that are not farther apart than a radius.

    Parameters
    ----------
    first, second : ndarray, shape (n, d) and (m, d)
        NaN matches nothing. On the sphere take `on_sphere` and the chord, 2 sin(r/2), as the radius.
    radius : float
    """
    from scipy.spatial import KDTree

    rows = [np.flatnonzero(np.isfinite(points).all(axis=1)) for points in (first, second)]
    if not (len(rows[0]) and len(rows[1])):
        return _none()
    tree = KDTree(second[rows[1]])
    near = tree.query_ball_point(first[rows[0]], radius)
    counts = np.fromiter((len(found) for found in near), int, len(near))
    if not counts.any():
        return _none()
    left = np.repeat(np.arange(len(near)), counts)
    right = np.concatenate([np.asarray(found, int) for found in near if found])
    separation = np.linalg.norm(first[rows[0]][left] - second[rows[1]][right], axis=1)
    quality = _no_stranger(tree, first[rows[0]], left, separation)
    order = np.lexsort((separation, left))
    found = Pairs(rows[0][left], rows[1][right], separation, counts[left], quality)
    return found[order]


def _no_stranger(tree: Any, points: np.ndarray, left: np.ndarray, separation: np.ndarray) -> np.ndarray:
    """Return the chance that no unrelated row is as near: (1 − s²/d²)⁹, d the distance of the tenth neighbour.

    Nine rows that know nothing of the point lie evenly in the circle that reaches to the tenth.
    """
    k = min(NEIGHBOURS, tree.n)
    if k < 3:
        return np.ones(len(left))
    farthest = tree.query(points, k=[k])[0][:, 0]
    share = np.minimum((separation / np.maximum(farthest[left], 1e-300)) ** 2, 1.0)
    return (1.0 - share) ** (k - 1)


def match_names(first: np.ndarray, second: np.ndarray) -> Pairs:
    """Return all pairs of rows with the same name or number.

    A row without a name (masked, NaN or nothing but blanks) matches none; 7 and 7.0 are the same, 7 and "7" too.
    """
    names, rows = zip(*(_named(values) for values in (first, second)), strict=True)
    if names[0].dtype.kind != names[1].dtype.kind:
        names = tuple(values.astype(str) for values in names)
    order = np.argsort(names[1], kind="stable")
    start, end = (np.searchsorted(names[1][order], names[0], side) for side in ("left", "right"))
    counts = end - start
    left = np.repeat(np.arange(len(names[0])), counts)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    right = order[np.repeat(start, counts) + within] if len(left) else np.empty(0, int)
    nothing = np.full(len(left), np.nan)
    return Pairs(rows[0][left], rows[1][right], nothing, counts[left], np.ones(len(left)))


def _named(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the names of the rows that have one, as whole numbers where they are, else as text, and these rows."""
    rows = np.flatnonzero(~np.ma.getmaskarray(values))
    names = np.ma.getdata(values)[rows]
    if names.dtype.kind == "f":
        # A column of numbers with gaps is often read as floats: its ids are whole all the same.
        there = np.isfinite(names)
        rows, names = rows[there], names[there]
        whole = (names == np.rint(names)) & (np.abs(names) < 2.0**63)
        return (names.astype(np.int64), rows) if whole.all() else (names.astype(str), rows)
    if names.dtype.kind in "iu":
        fits = not (names > np.iinfo(np.int64).max).any()
        return names.astype(np.int64 if fits else str), rows
    if names.dtype.kind == "O":
        names = np.where(names == None, "", names)  # noqa: E711
    names = np.char.strip(names.astype("U"))
    return names[names != ""], rows[names != ""]


def one_to_one(pairs: Pairs) -> Pairs:
    """Keep the nearest pairs so that no row of either catalogue stands in two of them."""
    order = np.lexsort((pairs.second, pairs.first, np.nan_to_num(pairs.separation)))
    kept: list[np.ndarray] = []
    while len(order):
        left, right = pairs.first[order], pairs.second[order]
        best = np.zeros((2, len(order)), bool)
        for row, values in zip(best, (left, right), strict=True):
            row[np.unique(values, return_index=True)[1]] = True
        chosen = order[best.all(axis=0)]
        kept.append(chosen)
        taken = np.isin(left, pairs.first[chosen]) | np.isin(right, pairs.second[chosen])
        order = order[~taken]
    return pairs[np.concatenate(kept)[np.argsort(pairs.first[np.concatenate(kept)])]] if kept else pairs


def _none() -> Pairs:
    empty, numbers = np.empty(0), np.empty(0, int)
    return Pairs(numbers, numbers, empty, numbers, empty)
