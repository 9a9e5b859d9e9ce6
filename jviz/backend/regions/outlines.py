"""Outlines of regions as polylines: on the plane, or on the sphere by great circles from their centres."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from jviz.backend.regions.rings import PATH, PIXEL, RECTANGLE, Rings, rings_of
from jviz.backend.render.frames import lonlat, unit_vectors

__all__ = ["ERROR", "Outlines", "counts_of", "outline", "sampled"]

ERROR = 0.02
"""Largest distance between a curve and its polyline, in pixels."""

_side = 32.0
_widest = 0.5
_fewest, _most = 12, 2048


@dataclass(frozen=True)
class Outlines:
    """Polylines of many regions in one array.

    Attributes
    ----------
    points : ndarray of float64, shape (n, 2)
        x and y in pixels, or ICRS longitude and latitude in degrees.
    starts : ndarray of int, shape (rings + 1,)
        Ring i is ``points[starts[i]:starts[i + 1]]``; a ring of one point is a point or the place of a text.
    closed : ndarray of bool, shape (rings,)
        Whether the last point of the ring is joined to the first one.
    owners : ndarray of int, shape (rings,)
        Which region a ring belongs to; ascending. Annuli have two rings, the outer one first.
    """

    points: np.ndarray
    starts: np.ndarray
    closed: np.ndarray
    owners: np.ndarray

    def __len__(self) -> int:
        return len(self.closed)

    def ring(self, number: int) -> np.ndarray:
        """Return the points of one ring, shape (n, 2)."""
        return self.points[self.starts[number] : self.starts[number + 1]]


def outline(region: Any, *, error: float | None = None) -> Outlines:
    """Return the outline of a region in its own coordinates.

    Parameters
    ----------
    region : regions.Region
    error : float, optional
        Largest distance between the curve and the polyline, in pixels; for sky regions in degrees.
        By default 0.02 pixels; on the sky a thousandth of the size of the region.

    Returns
    -------
    Outlines
        Pixels, or ICRS degrees for sky regions.

    Notes
    -----
    On the sky, sizes are arcs of great circles from the centre: a circle is a circle on the sphere. The
    width of a region with ``angle`` 0 lies along the parallel, and angles grow counter-clockwise with
    north up and east to the left, which is what ``regions`` means by it.
    """
    rings = rings_of([region])
    table = rings.table
    if error is None:
        size = np.maximum(np.hypot(table[:, 6], table[:, 7]), 1e-12)
        per_pixel = np.where(table[:, 2] == PIXEL, 1.0, 50.0 / size) if len(table) else np.ones(0)
    else:
        per_pixel = np.full(len(table), ERROR / error)
    return sampled(rings, table, counts_of(table, per_pixel))


def counts_of(table: np.ndarray, scale: np.ndarray, straight: np.ndarray | None = None) -> np.ndarray:
    """Return how many points make each ring fine enough for a picture.

    Parameters
    ----------
    table : ndarray
        `Rings.table`.
    scale : ndarray, shape (rings,)
        Pixels of the picture for each pixel or degree of the ring.
    straight : ndarray of bool, optional
        Rings whose sides are straight in the picture, so that their corners are enough.
    """
    straight = np.zeros(len(table), bool) if straight is None else straight
    return _counts(table, scale, _steps(table, scale, straight))


def sampled(rings: Rings, table: np.ndarray, counts: np.ndarray) -> Outlines:
    """Return points on rings: pixels, or ICRS degrees.

    Parameters
    ----------
    rings : Rings
    table : ndarray
        `Rings.table`.
    counts : ndarray of int
        Points of each ring, as from `counts_of`.
    """
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.intp)
    points = np.empty((starts[-1], 2))
    _fill_curves(points, table, counts, starts, rings)
    for row, vertices in rings.paths.items():
        closed = bool(table[row, 3])
        sides = len(vertices) if closed else max(1, len(vertices) - 1)
        steps = max(1, int(counts[row] - (not closed)) // sides)
        points[starts[row] : starts[row + 1]] = _path(vertices, steps, closed, int(table[row, 2]), rings)
    return Outlines(points, starts, table[:, 3].astype(bool), table[:, 0].astype(np.intp))


def _steps(table: np.ndarray, scale: np.ndarray, straight: np.ndarray) -> np.ndarray:
    """Return into how many pieces each side of rectangles and paths is cut."""
    side = np.where(table[:, 1] == PATH, table[:, 6], 2 * np.maximum(table[:, 6], table[:, 7]))
    pieces = np.maximum(side * scale / _side, np.where(table[:, 2] == PIXEL, 0.0, side / _widest))
    return np.where(straight, 1, np.clip(np.ceil(pieces), 1, _most // 4)).astype(np.intp)


def _counts(table: np.ndarray, scale: np.ndarray, steps: np.ndarray) -> np.ndarray:
    radius = np.maximum(table[:, 6], table[:, 7]) * scale
    with np.errstate(divide="ignore", invalid="ignore"):
        # the sagitta of a chord over the angle 2 π / n is r (1 - cos(π / n))
        fine = np.pi / np.arccos(np.clip(1 - ERROR / radius, -1.0, 1.0))
    ellipse = np.clip(np.ceil(np.nan_to_num(fine, nan=_fewest, posinf=_most) / 4) * 4, _fewest, _most)
    vertices = table[:, 4]
    sides = np.where(table[:, 3] > 0, vertices, vertices - 1)
    path = sides * steps + (table[:, 3] == 0)
    return np.choose(table[:, 1].astype(int), [ellipse, 4 * steps, path]).astype(np.intp)


def _fill_curves(points: np.ndarray, table: np.ndarray, counts: np.ndarray, starts: np.ndarray, rings: Rings) -> None:
    curves = np.flatnonzero(table[:, 1] != PATH)
    if not len(curves):
        return
    number = np.repeat(curves, counts[curves])
    index = np.arange(len(number)) - np.repeat(np.cumsum(counts[curves]) - counts[curves], counts[curves])
    u, v = _unit(table[number, 1], index, counts[number])
    u, v = u * table[number, 6], v * table[number, 7]
    cos, sin = np.cos(table[:, 8])[number], np.sin(table[:, 8])[number]
    across, up = u * cos - v * sin, u * sin + v * cos
    places = starts[number] + index
    frames = table[number, 2].astype(int)
    x, y = table[number, 4], table[number, 5]
    for frame in np.unique(frames):
        here = slice(None) if (frames == frame).all() else frames == frame
        if frame == PIXEL:
            points[places[here]] = np.stack([x[here] + across[here], y[here] + up[here]], axis=1)
        else:
            vectors = _offset(x[here], y[here], -across[here], up[here])
            points[places[here]] = _icrs(vectors, rings.frames[frame])


def _unit(shape: np.ndarray, index: np.ndarray, count: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return points of the unit circle, or of the square of half width 1."""
    angle = 2 * np.pi * index / count
    u, v = np.cos(angle), np.sin(angle)
    square = shape == RECTANGLE
    if square.any():
        steps = count[square] // 4
        side, along = index[square] // steps, 2 * (index[square] % steps) / steps - 1
        u[square] = np.choose(side, [along, 1.0, -along, -1.0])
        v[square] = np.choose(side, [-1.0, along, 1.0, -along])
    return u, v


def _offset(lon: np.ndarray, lat: np.ndarray, east: np.ndarray, north: np.ndarray) -> np.ndarray:
    """Go from places on the sphere along great circles, by arcs given in degrees; unit vectors (3, n)."""
    lon, lat, east, north = np.radians(lon), np.radians(lat), np.radians(east), np.radians(north)
    arc = np.hypot(east, north)
    part = np.sinc(arc / np.pi)
    cos_lon, sin_lon, cos_lat, sin_lat = np.cos(lon), np.sin(lon), np.cos(lat), np.sin(lat)
    ahead, east, north = np.cos(arc), east * part, north * part
    outward = ahead * cos_lat - north * sin_lat
    return np.stack(
        [
            outward * cos_lon - east * sin_lon,
            outward * sin_lon + east * cos_lon,
            ahead * sin_lat + north * cos_lat,
        ]
    )


def _icrs(vectors: np.ndarray, frame: Any) -> np.ndarray:
    turned = vectors if frame.into_icrs is None else frame.into_icrs(vectors)
    return np.stack(lonlat(turned), axis=1)


def _path(vertices: np.ndarray, steps: int, closed: bool, frame: int, rings: Rings) -> np.ndarray:
    """Return the vertices with points between them: on straight lines, or on great circles."""
    if frame == PIXEL:
        return vertices if steps == 1 else _between(vertices, steps, closed)
    vectors = unit_vectors(vertices[:, 0], vertices[:, 1])
    if steps > 1:
        vectors = _between(vectors.T, steps, closed).T
    return _icrs(vectors, rings.frames[frame])


def _between(vertices: np.ndarray, steps: int, closed: bool) -> np.ndarray:
    """Cut each side into pieces; chords of the sphere serve as well, for their points are on the same great circle."""
    ends = np.concatenate([vertices[1:], vertices[:1]]) if closed else vertices[1:]
    first = vertices[: len(ends)]
    part = (np.arange(steps) / steps)[None, :, None]
    points = (first[:, None] + (ends - first)[:, None] * part).reshape(-1, vertices.shape[1])
    return points if closed else np.concatenate([points, vertices[-1:]])
