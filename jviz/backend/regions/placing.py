"""Outlines of regions in the pixels of an image: their own, or another one on the same sky."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from jviz.backend.regions.outlines import ERROR, Outlines, counts_of, sampled
from jviz.backend.regions.rings import ELLIPSE, PIXEL, rings_of
from jviz.backend.regions.tears import torn
from jviz.backend.skymap import SkyMap

__all__ = ["HERE", "is_wide", "place"]

HERE = "here"
"""Home of pixel regions that count the pixels of the target itself."""

_nodes, _fewer = 16, 8
_narrow = 0.5
"""Degrees; over a circle of that radius any map of the sky is a polynomial of third order within 1e-7 of the radius."""
_small = 128.0
_round = 60.0
"""Degrees; images that show less of the sky have no seam that a region could lie on."""
_many = 2000


def place(
    regions: Sequence[Any],
    homes: Sequence[SkyMap | str | None],
    target: SkyMap | None,
    *,
    error: float = ERROR,
    curve: int | None = None,
) -> Outlines:
    """Return the outlines of regions in the pixels of a target image.

    Parameters
    ----------
    regions : sequence of regions.Region
    homes : sequence of SkyMap, HERE or None
        For each pixel region the map of the image whose pixels it counts; `HERE` for the target's.
        Sky regions need none.
    target : SkyMap or None
        None: the target is not on the sky, and only regions of its own pixels can be placed.
    error : float
        Largest distance in target pixels between a curve and its polyline.
    curve : int, optional
        Points of every ellipse, whatever its size; by default as many as ``error`` asks for.

    Returns
    -------
    Outlines
        In pixels of the target, x and y; NaN where a point has no pixel there. Rings that lie across the seam of
        a map of the whole sky are parted into open pieces.
    """
    rings = rings_of(regions)
    table = rings.table
    groups = _groups(table, homes)
    own = groups == -2
    scale = _scales(table, groups, homes, target) * (ERROR / error)
    counts = counts_of(table, scale, straight=own)
    if curve is not None:
        counts = np.where(table[:, 1] == ELLIPSE, curve, counts)
    wide = target is not None and is_wide(target)
    few = np.zeros(len(table), bool) if wide else _few(table, own, counts, scale)
    radius = np.maximum(table[few, 6], table[few, 7]) * scale[few] * (error / ERROR) * _pixel(target) / 3600.0
    nodes = _fewer if (radius < _narrow).all() and target is not None else _nodes
    found = sampled(rings, table, np.where(few, nodes, counts))
    if wide:
        return _transformed_apart(found, groups, homes, target)
    _transform(found, groups, homes, target)
    return _finer(found, few, counts, nodes) if few.any() else found


def is_wide(target: SkyMap) -> bool:
    """Whether an image shows so much of the sky that its map may be parted somewhere."""
    return max(target.shape[-2:]) * _pixel(target) > _round * 3600.0


def _groups(table: np.ndarray, homes: Sequence[Any]) -> np.ndarray:
    """Return for each ring −2: pixels of the target, −1: sky, else the first region with the same home."""
    first: dict[int, int] = {}
    by_region = [-2 if home is HERE else first.setdefault(id(home), i) for i, home in enumerate(homes)]
    groups = np.array(by_region, int)[table[:, 0].astype(int)] if len(table) else np.zeros(0, int)
    return np.where(table[:, 2] == PIXEL, groups, -1)


def _scales(table: np.ndarray, groups: np.ndarray, homes: Sequence[Any], target: SkyMap | None) -> np.ndarray:
    """Return target pixels for each pixel or degree of the rings."""
    scale = np.ones(len(table))
    arcsec = _pixel(target)
    for group in np.unique(groups):
        if group != -2:
            scale[groups == group] = 3600.0 / arcsec if group == -1 else _pixel(homes[group]) / arcsec
    return scale


def _pixel(sky: Any) -> float:
    """Return the mean size of a map's pixels in arcseconds, 1 where it has none."""
    if not isinstance(sky, SkyMap):
        return 1.0
    if sky not in _pixels:
        size = sky.pixel_scale().mean
        _pixels[sky] = float(size) if np.isfinite(size) and size > 0 else 1.0
    return _pixels[sky]


_pixels: WeakKeyDictionary[SkyMap, float] = WeakKeyDictionary()


def _few(table: np.ndarray, own: np.ndarray, counts: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Return which ellipses are placed by a few exact points and the trigonometric polynomial through them.

    Over a small ellipse any map of the sky is so nearly linear that sixteen points tell all of it.
    """
    radius = np.maximum(table[:, 6], table[:, 7]) * scale
    few = (table[:, 1] == ELLIPSE) & ~own & (radius < _small) & (counts > _nodes)
    return few & (few.sum() * (_nodes // 2) > _many)


def _finer(nodes: Outlines, few: np.ndarray, counts: np.ndarray, number: int) -> Outlines:
    """Put as many points as wanted on the rings of which only the nodes are known."""
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.intp)
    points = np.empty((starts[-1], 2))
    for count in np.unique(counts[few]):
        here = np.flatnonzero((counts == count) & few)
        known = nodes.points[nodes.starts[here, None] + np.arange(number)]
        points[starts[here, None] + np.arange(count)] = _interpolation(int(count), number) @ known
    for ring in np.flatnonzero(~few):
        points[starts[ring] : starts[ring + 1]] = nodes.ring(ring)
    return Outlines(points, starts, nodes.closed, nodes.owners)


@lru_cache(maxsize=16)
def _interpolation(count: int, nodes: int) -> np.ndarray:
    """Return the matrix, shape (count, nodes), from values at nodes of a circle to finer ones (the periodic sinc)."""
    angle = 2 * np.pi * (np.arange(count)[:, None] / count - np.arange(nodes) / nodes)
    orders = np.arange(1, nodes // 2)
    terms = 1 + 2 * np.cos(angle[..., None] * orders).sum(-1) + np.cos(angle * (nodes // 2))
    return terms / nodes


def _transformed_apart(outlines: Outlines, groups: np.ndarray, homes: Sequence[Any], target: SkyMap) -> Outlines:
    """Do as `_transform` on a map that may be cut, and part the rings that lie across the seam."""
    away = np.repeat(groups, np.diff(outlines.starts)) != -2
    sky = _transform(outlines, groups, homes, target)
    return torn(outlines, sky, away, target) if away.any() else outlines


def _transform(outlines: Outlines, groups: np.ndarray, homes: Sequence[Any], target: SkyMap | None) -> np.ndarray:
    """Turn sky and foreign pixels into pixels of the target, in place and by one call of its map.

    Returns where the points lie on the sky, as far as they do not lie on the target's own pixels.
    """
    by_point = np.repeat(groups, np.diff(outlines.starts))
    points = outlines.points
    away = by_point != -2
    if not away.any():
        return points
    for group in np.unique(by_point[by_point >= 0]):
        here = by_point == group
        home = homes[group]
        points[here] = np.nan if home is None else np.stack(home.pixel_to_sky(*points[here].T), axis=1)
    sky = points.copy()
    if target is None:
        points[away] = np.nan
    else:
        points[away] = np.stack(target.sky_to_pixel(*points[away].T), axis=1)
    return sky
