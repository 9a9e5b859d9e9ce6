"""The outlines of combined regions: of each member the parts at which one enters or leaves the combination."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from jviz.backend.regions.outlines import Outlines
from jviz.backend.regions.rings import rings_of

__all__ = ["combine", "inside", "members", "same", "with_member"]

_most = 4_000_000
"""Pairs of edges above which crossings are not looked for: lines end at the nearest of their points."""


def members(region: Any) -> list[Any]:
    """Return the simple regions that a combined one is made of, each once; a simple one itself."""
    found: list[Any] = []
    for leaf in _leaves(region):
        if not any(same(leaf, other) for other in found):
            found.append(leaf)
    return found


def _leaves(region: Any) -> list[Any]:
    if not hasattr(region, "region1"):
        return [region]
    return [*_leaves(region.region1), *_leaves(region.region2)]


def same(first: Any, second: Any) -> bool:
    """Whether two members are the same region."""
    # "and not" is made of three, of which two are the same; once saved and loaded they are two objects
    if first is second:
        return True
    if type(first) is not type(second) or np.size(_vertices(first)) != np.size(_vertices(second)):
        return False  # regions of pixels cannot compare polygons of different numbers of vertices
    return bool(first == second)


def _vertices(region: Any) -> Any:
    vertices = getattr(region, "vertices", None)
    return getattr(vertices, "x", vertices)


def with_member(region: Any, old: Any, new: Any) -> Any:
    """Return a combined region in which another member stands wherever ``old`` did."""
    if not hasattr(region, "region1"):
        return new if same(region, old) else region
    parts = with_member(region.region1, old, new), with_member(region.region2, old, new)
    return type(region)(*parts, region.operator, meta=region.meta, visual=region.visual)


def combine(outlines: Outlines, regions: Sequence[Any]) -> Outlines:
    """Return outlines in which combined regions have the edge of the combination instead of all their members'.

    Parameters
    ----------
    outlines : Outlines
        Of the regions, in pixels of an image; combined ones have the rings of their members, in order.
    regions : sequence of regions.Region
    """
    combined = {k: region for k, region in enumerate(regions) if hasattr(region, "region1")}
    if not combined:
        return outlines
    bounds = np.searchsorted(outlines.owners, np.arange(len(regions) + 1))
    rings: list[np.ndarray] = []
    closed: list[bool] = []
    owners: list[int] = []
    for k in range(len(regions)):
        own = range(bounds[k], bounds[k + 1])
        if k in combined:
            lines = _edge(combined[k], [outlines.ring(r) for r in own], [bool(outlines.closed[r]) for r in own])
            rings += lines
            closed += [False] * len(lines)
            owners += [k] * len(lines)
            continue
        rings += [outlines.ring(r) for r in own]
        closed += [bool(outlines.closed[r]) for r in own]
        owners += [k] * len(own)
    starts = np.concatenate([[0], np.cumsum([len(ring) for ring in rings])]).astype(np.intp)
    points = np.concatenate(rings) if rings else np.empty((0, 2))
    return Outlines(points, starts, np.array(closed, bool), np.array(owners, np.intp))


def _edge(region: Any, rings: list[np.ndarray], closed: list[bool]) -> list[np.ndarray]:
    """Return the pieces of the members' rings that bound the combination; lines and points as they are."""
    counts = [len(rings_of([leaf]).rows) for leaf in _leaves(region)]
    ends = np.cumsum([0, *counts])
    if ends[-1] != len(rings):
        return rings
    shapes: list[list[np.ndarray]] = []
    which: list[int] = []
    lines = [ring for ring, shut in zip(rings, closed, strict=True) if not shut]
    for first, last in pairwise(ends):
        own = [ring for ring, shut in zip(rings[first:last], closed[first:last], strict=True) if shut]
        same = (k for k, shape in enumerate(shapes) if list(map(bytes, shape)) == list(map(bytes, own)))
        which.append(next(same, len(shapes)))
        if which[-1] == len(shapes):
            shapes.append(own)
    return lines + [piece for number in range(len(shapes)) for piece in _bounding(region, which, shapes, number)]


def _bounding(region: Any, which: list[int], shapes: list[list[np.ndarray]], number: int) -> Iterator[np.ndarray]:
    """Give the pieces of one shape's rings on whose two sides the combination is not the same."""
    others = [ring for k, shape in enumerate(shapes) if k != number for ring in shape]
    for ring in shapes[number]:
        line = _cut(np.concatenate([ring, ring[:1]]), others)
        middle = 0.5 * (line[:-1] + line[1:])
        within = [inside(middle, shape) for shape in shapes]
        sides = []
        for state in (True, False):
            within[number] = np.full(len(middle), state)
            sides.append(_member(region, iter([within[k] for k in which])))
        yield from _pieces(line, sides[0] != sides[1])


def _member(region: Any, within: Iterator[np.ndarray]) -> np.ndarray:
    """Return which points are in a region of which it is known for each member, from left to right."""
    if not hasattr(region, "region1"):
        return next(within)
    first = _member(region.region1, within)
    return region.operator(first, _member(region.region2, within))


def inside(points: np.ndarray, rings: list[np.ndarray]) -> np.ndarray:
    """Return which points lie in an odd number of rings."""
    count = np.zeros(len(points), int)
    x, y = points.T
    for ring in rings:
        following = np.roll(ring, -1, axis=0)
        for (x0, y0), (x1, y1) in zip(ring.tolist(), following.tolist(), strict=True):
            if y0 != y1:
                straddles = (y0 > y) != (y1 > y)
                count += straddles & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    return count % 2 == 1


def _cut(line: np.ndarray, rings: list[np.ndarray]) -> np.ndarray:
    """Return a polyline with points more where it crosses rings."""
    at = []
    start, way = line[:-1], np.diff(line, axis=0)
    for ring in rings:
        if len(ring) * len(line) > _most:
            continue
        far = np.roll(ring, -1, axis=0) - ring
        cross = way[:, None, 0] * far[None, :, 1] - way[:, None, 1] * far[None, :, 0]
        apart = ring[None] - start[:, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            along = (apart[..., 0] * far[None, :, 1] - apart[..., 1] * far[None, :, 0]) / cross
            across = (apart[..., 0] * way[:, None, 1] - apart[..., 1] * way[:, None, 0]) / cross
        hit = (along > 0) & (along < 1) & (across >= 0) & (across <= 1)
        at.append(np.nonzero(hit)[0] + along[hit])
    where = np.unique(np.concatenate([np.arange(len(line)), *at]))
    edge = np.minimum(where.astype(int), len(line) - 2)
    return line[edge] + way[edge] * (where - edge)[:, None]


def _pieces(line: np.ndarray, kept: np.ndarray) -> list[np.ndarray]:
    """Return the runs of edges that are kept, joined over the place where the ring begins."""
    if kept.all():
        return [line]
    if kept[0] and kept[-1]:
        turn = int(np.flatnonzero(~kept)[0])
        line, kept = np.concatenate([line[turn:-1], line[: turn + 1]]), np.roll(kept, -turn)
    changes = np.flatnonzero(np.diff(np.concatenate([[0], kept.astype(int), [0]])))
    return [line[a : b + 1] for a, b in zip(changes[::2], changes[1::2], strict=True)]
