"""Outlines on maps of the whole sky: cut where the map is, so that no line runs across it from edge to edge."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from jviz.backend.regions.outlines import Outlines
from jviz.backend.render.frames import lonlat, unit_vectors

__all__ = ["torn"]

_suspicious = 3.0
_least = 2.0
_halvings = 14


def torn(outlines: Outlines, sky: np.ndarray, away: np.ndarray, target: Any) -> Outlines:
    """Part the rings whose points are neighbours on the sky and far from each other on the map.

    Parameters
    ----------
    outlines : Outlines
        In pixels of the target.
    sky : ndarray, shape (n, 2)
        The ICRS degrees of the same points.
    away : ndarray of bool, shape (n,)
        Points that come from the sky; others are pixels of the target, which no seam parts.
    target : SkyMap

    Returns
    -------
    Outlines
        A ring with a seam becomes open pieces that end at both sides of it; they have its owner.
    """
    after = _following(outlines)
    steps = np.flatnonzero(_suspects(outlines.points, sky, away, after, target))
    ends = _sides(outlines.points, sky, steps, after[steps], target)
    cut = {int(step): (left, right) for step, left, right in zip(steps, *ends, strict=True) if np.isfinite(left).all()}
    if not cut:
        return outlines
    rings: list[np.ndarray] = []
    closed: list[bool] = []
    owners: list[int] = []
    for number in range(len(outlines)):
        first, last = outlines.starts[number : number + 2]
        at = [step for step in range(first, last) if step in cut]
        pieces = _pieces(outlines.ring(number), [s - first for s in at], [cut[s] for s in at], outlines.closed[number])
        rings += pieces
        closed += [bool(outlines.closed[number]) and not at] * len(pieces)
        owners += [int(outlines.owners[number])] * len(pieces)
    starts = np.concatenate([[0], np.cumsum([len(ring) for ring in rings])]).astype(np.intp)
    return Outlines(np.concatenate(rings), starts, np.array(closed, bool), np.array(owners, np.intp))


def _following(outlines: Outlines) -> np.ndarray:
    """Return for each point the number of the next one in its ring; its own at the end of an open one."""
    after = np.arange(1, len(outlines.points) + 1)
    last = outlines.starts[1:] - 1
    after[last] = np.where(outlines.closed, outlines.starts[:-1], last)
    return after


def _suspects(points: np.ndarray, sky: np.ndarray, away: np.ndarray, after: np.ndarray, target: Any) -> np.ndarray:
    """Return which steps are much longer on the map than on the sky."""
    vectors = unit_vectors(*sky.T).T
    angle = np.degrees(2 * np.arcsin(np.clip(np.linalg.norm(vectors[after] - vectors, axis=1) / 2, 0, 1)))
    jump = np.linalg.norm(points[after] - points, axis=1)
    size = target.pixel_scale().mean / 3600.0
    if not np.isfinite(size):
        size = 360.0 / max(target.shape[-2:])
    return away & (jump > _suspicious * angle / size + _least)


def _sides(
    points: np.ndarray, sky: np.ndarray, first: np.ndarray, second: np.ndarray, target: Any
) -> tuple[np.ndarray, np.ndarray]:
    """Halve steps until only the seam is between their ends, and return these; NaN where the map goes on smoothly."""
    low, high = unit_vectors(*sky[first].T).T, unit_vectors(*sky[second].T).T
    left, right = points[first].copy(), points[second].copy()
    whole = np.linalg.norm(right - left, axis=1)
    for _ in range(_halvings):
        middle = low + high
        middle /= np.linalg.norm(middle, axis=1, keepdims=True)
        there = np.column_stack(target.sky_to_pixel(*lonlat(middle.T)))
        beyond = np.linalg.norm(there - left, axis=1) > np.linalg.norm(right - there, axis=1)
        high[beyond], right[beyond] = middle[beyond], there[beyond]
        low[~beyond], left[~beyond] = middle[~beyond], there[~beyond]
    smooth = ~(np.linalg.norm(right - left, axis=1) > whole / 2)
    left[smooth] = np.nan
    return left, right


def _pieces(ring: np.ndarray, steps: list[int], sides: list[tuple], is_closed: bool) -> list[np.ndarray]:
    """Return a ring parted after some of its points, with the sides of the seam as ends."""
    if not steps:
        return [ring]
    bounds = [0, *(step + 1 for step in steps), len(ring)]
    pieces = [ring[a:b] for a, b in pairwise(bounds)]
    for k, (left, right) in enumerate(sides):
        pieces[k] = np.vstack([pieces[k], left])
        pieces[k + 1] = np.vstack([right, pieces[k + 1]])
    if not is_closed:
        return pieces
    if steps[-1] == len(ring) - 1:  # the seam is where the ring begins
        pieces[0] = np.vstack([pieces[-1], pieces[0]])
        return pieces[:-1]
    return [*pieces[1:-1], np.vstack([pieces[-1], pieces[0]])]
