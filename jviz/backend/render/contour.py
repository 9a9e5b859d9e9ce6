"""Meridians and parallels through a mesh of directions, by marching squares.

No inverse transform is needed, so poles, the seam at 0°/360° and the undefined corners of
all-sky maps are nothing special: a line simply ends where the mesh is undefined.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Line", "Mesh", "meridians", "parallels"]

_noise = 1e-15
_slack = 1e-6


@dataclass(frozen=True)
class Line:
    """One connected piece of the line of a level.

    Parameters
    ----------
    index : int
        The level is index × step.
    points : ndarray, (n, 2)
        Places in mesh coordinates.
    """

    index: int
    points: np.ndarray


@dataclass(frozen=True)
class Mesh:
    """A rectangular mesh of directions on the sky.

    Parameters
    ----------
    x, y : ndarray, (nx,) and (ny,)
        Places of the columns and rows.
    vectors : ndarray, (3, ny, nx)
        Unit vectors; NaN where the sky is undefined.
    lon, lat : ndarray, (ny, nx)
        The same in degrees.
    """

    x: np.ndarray
    y: np.ndarray
    vectors: np.ndarray
    lon: np.ndarray
    lat: np.ndarray

    def corners(self, field: np.ndarray) -> np.ndarray:
        """Return the values at the corners of each cell, counter-clockwise: (4, cells)."""
        return np.stack([field[:-1, :-1], field[:-1, 1:], field[1:, 1:], field[1:, :-1]]).reshape(4, -1)

    def corner_nodes(self, cells: np.ndarray) -> np.ndarray:
        """Return the flat indices of the corners of cells: (4, n)."""
        columns = self.x.size
        first = cells + cells // (columns - 1)
        return np.stack([first, first + 1, first + 1 + columns, first + columns])


def parallels(mesh: Mesh, step: float) -> list[Line]:
    """Trace the parallels at all multiples of a step.

    Parameters
    ----------
    step : float
        In degrees, above 0.
    """
    corners = mesh.corners(mesh.lat)
    with np.errstate(invalid="ignore"):
        cells, index = _crossed(corners.min(0), corners.max(0), step)
    nodes = mesh.corner_nodes(cells)
    height = mesh.lat.ravel()[nodes] - index * step
    height[np.abs(height) < 90 * _noise] = 0.0
    return _trace(mesh, nodes, index, height)


def meridians(mesh: Mesh, step: float) -> list[Line]:
    """Trace the meridians at all multiples of a step in [0, 360); they end at the very pole.

    Parameters
    ----------
    step : float
        In degrees, above 0.
    """
    cells, index = _crossed_by_meridians(mesh, step)
    nodes = mesh.corner_nodes(cells)
    angle = np.radians(index * step)
    x, y = mesh.vectors[0].ravel()[nodes], mesh.vectors[1].ravel()[nodes]
    # Unlike longitude itself, the distances from the plane of the meridian (aside) and from the
    # axis (along) are smooth at the pole.
    aside = y * np.cos(angle) - x * np.sin(angle)
    along = x * np.cos(angle) + y * np.sin(angle)
    aside[np.abs(aside) < _noise] = 0.0
    return _trace(mesh, nodes, index, aside, along)


def _crossed(low: np.ndarray, high: np.ndarray, step: float) -> tuple[np.ndarray, np.ndarray]:
    """Return (cell, level index) of all levels within the range of each cell."""
    defined = np.isfinite(low)
    cells = np.flatnonzero(defined)
    first = np.ceil(low[defined] / step - _slack).astype(np.int64)
    last = np.floor(high[defined] / step + _slack).astype(np.int64)
    count = np.maximum(last - first + 1, 0)
    start = np.repeat(first - np.cumsum(count) + count, count)
    return np.repeat(cells, count), start + np.arange(start.size)


def _crossed_by_meridians(mesh: Mesh, step: float) -> tuple[np.ndarray, np.ndarray]:
    """Do as `_crossed` on the circle: ranges across 0° are asked for twice, cells at a pole for all."""
    corners = mesh.corners(mesh.lon)
    turn = _wrapped(np.roll(corners, -1, 0) - corners)
    around = np.stack([np.zeros_like(turn[0]), turn[0], turn[0] + turn[1], -turn[3]])
    with np.errstate(invalid="ignore"):
        low, high = corners[0] + around.min(0), corners[0] + around.max(0)
        pole = np.abs(turn.sum(0)) > 180
        low[pole], high[pole] = 0.0, 360.0
        # The seam: a range may reach below 0 or above 360, so look one turn to both sides.
        pairs = []
        for shift in (-360.0, 0.0, 360.0):
            near = (low < shift + 360) & (high > shift - step)
            pairs.append(_crossed(np.where(near, low - shift, np.nan), high - shift, step))
    cells, index = (np.concatenate(part) for part in zip(*pairs, strict=True))
    inside = (index >= 0) & (index * step < 360 - _slack * step)
    keys = np.unique(cells[inside] * 2**40 + index[inside])
    return keys // 2**40, keys % 2**40


def _wrapped(angle: np.ndarray) -> np.ndarray:
    """Bring differences of longitudes in (−360, 360) into [−180, 180]."""
    return np.where(angle > 180, angle - 360, np.where(angle < -180, angle + 360, angle))


def _trace(
    mesh: Mesh,
    nodes: np.ndarray,
    index: np.ndarray,
    height: np.ndarray,
    along: np.ndarray | None = None,
) -> list[Line]:
    """March through the cells, then join what belongs together.

    Parameters
    ----------
    nodes : ndarray of int, (4, n)
        Corners of one cell for one level, counter-clockwise.
    index : ndarray of int, (n,)
        The level of each.
    height : ndarray, (4, n)
        The field whose zero is the line.
    along : ndarray, (4, n), optional
        Keep only the part of the line where this is above 0.
    """
    pair, start, end = _marched(height >= 0)
    ends = [_vertex(mesh, nodes, height, along, pair, side) for side in (start, end)]
    # Levels may be negative, keys not: a negative key marks an end without neighbour.
    level = index[pair] - index.min(initial=0)
    keys = [key + level * (2 * mesh.lat.size) for key, _, _ in ends]
    points = np.stack([place for _, place, _ in ends], 1)
    keep = np.ones(pair.size, dtype=bool)
    if along is not None:
        keep = _cut_at_pole(points, keys, ends[0][2], ends[1][2])
    return _joined(points[keep], keys[0][keep], keys[1][keep], index[pair][keep])


def _marched(above: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (pair, first edge, second edge) of each piece of line through a cell.

    Pieces keep the higher side on their left, so that the end of one is the start of the next.
    """
    after = np.roll(above, -1, 0)
    leaves, enters = above & ~after, ~above & after
    start, pair = np.nonzero(leaves)
    end = (start + 1) % 4
    for _ in range(2):
        end = np.where(enters[end, pair], end, (end + 1) % 4)
    return pair, start, end


def _vertex(
    mesh: Mesh,
    nodes: np.ndarray,
    height: np.ndarray,
    along: np.ndarray | None,
    pair: np.ndarray,
    side: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Return (key, place, along) where the line crosses an edge of its cell."""
    other = (side + 1) % 4
    a, b = nodes[side, pair], nodes[other, pair]
    fraction = height[side, pair] / (height[side, pair] - height[other, pair])
    columns = mesh.x.size
    xa, ya = mesh.x[a % columns], mesh.y[a // columns]
    xb, yb = mesh.x[b % columns], mesh.y[b // columns]
    place = np.stack([xa + fraction * (xb - xa), ya + fraction * (yb - ya)], 1)
    key = np.minimum(a, b) + np.where(side % 2 == 1, mesh.lat.size, 0)
    if along is None:
        return key, place, None
    return key, place, along[side, pair] + fraction * (along[other, pair] - along[side, pair])


def _cut_at_pole(points: np.ndarray, keys: list[np.ndarray], first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Move ends beyond the pole onto it (in place); say which pieces remain."""
    fraction = np.divide(first, first - second, out=np.zeros_like(first), where=first != second)
    pole = points[:, 0] + fraction[:, None] * (points[:, 1] - points[:, 0])
    for end, value in enumerate((first, second)):
        beyond = value <= 0
        points[beyond, end] = pole[beyond]
        keys[end][beyond] = -1 - end
    return (first > 0) | (second > 0)


def _joined(points: np.ndarray, start: np.ndarray, end: np.ndarray, index: np.ndarray) -> list[Line]:
    """Join pieces of shape (n, 2, 2) whose end has the key of another's start."""
    if not start.size:
        return []
    order = np.argsort(start, kind="stable")
    place = np.minimum(np.searchsorted(start[order], end), start.size - 1)
    follower = order[place]
    following = np.where((start[follower] == end) & (end >= 0), follower, -1)
    has_leader = np.zeros(start.size, dtype=bool)
    has_leader[following[following >= 0]] = True
    chains = _chains(following.tolist(), np.flatnonzero(~has_leader).tolist())
    lines = []
    for chain in chains:
        path = np.concatenate([points[chain[:1], 0], points[chain, 1]])
        if np.ptp(path, axis=0).max() > _slack:
            lines.append(Line(int(index[chain[0]]), path))
    return lines


def _chains(following: list[int], heads: list[int]) -> list[list[int]]:
    """Walk from each head to its end, then round the loops that have no head."""
    seen = bytearray(len(following))
    chains = []
    for head in [*heads, *range(len(following))]:
        chain, here = [], head
        while here >= 0 and not seen[here]:
            seen[here] = 1
            chain.append(here)
            here = following[here]
        if chain:
            chains.append(chain)
    return chains
