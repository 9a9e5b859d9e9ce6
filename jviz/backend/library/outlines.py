"""Which footprints overlap an outline on the sky."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from jviz.backend.library.footprints import Footprint, Shape, vector
from jviz.backend.render.frames import lonlat
from jviz.errors import JvizError

__all__ = ["enclosing", "overlapping", "within"]

WIDEST = 30.0
"""Degrees from the middle of an outline to its farthest corner."""


def enclosing(outline: Footprint) -> tuple[float, float, float]:
    """Return RA, Dec and radius in degrees of a circle round an outline.

    Raises
    ------
    JvizError
        When it is too wide to be one field.
    """
    corners = np.concatenate(outline.shapes)
    middle = _middle(outline)
    radius = math.degrees(np.arccos(np.clip(corners @ middle, -1, 1)).max())
    if radius > WIDEST:
        raise JvizError(f"The outline reaches {radius:.0f}° from its middle; at most {WIDEST:g}° can be searched.")
    lon, lat = lonlat(middle)
    return float(lon), float(lat), radius * (1 + 1e-9)


def within(outline: Footprint, ra: np.ndarray, dec: np.ndarray) -> np.ndarray:
    """Return which places (degrees) lie in an outline."""
    middle = _middle(outline)
    places = vector(np.nan_to_num(ra), np.nan_to_num(dec)).reshape(-1, 3)
    flat, before = _flat(places, middle)
    found = np.zeros(len(places), bool)
    for shape in outline.shapes:
        corners, _ = _flat(shape, middle)
        found |= _holds(corners[None], flat)
    return found & before & np.isfinite(ra) & np.isfinite(dec)


def overlapping(footprints: Sequence[Footprint | None], outline: Footprint) -> np.ndarray:
    """Return which footprints have a part in common with an outline; None has not.

    All is projected from the centre of the sphere onto the plane that touches it in the middle of the outline, where
    sides are straight. Two polygons overlap when sides cross, or when one has a corner of the other within.
    """
    middle = _middle(outline)
    wanted = [_flat(shape, middle)[0] for shape in outline.shapes]
    owners = [n for n, footprint in enumerate(footprints) if footprint for _ in footprint.shapes]
    shapes: list[Shape] = [shape for footprint in footprints if footprint for shape in footprint.shapes]
    found = np.zeros(len(footprints), bool)
    for count in {len(shape) for shape in shapes}:
        chosen = np.array([number for number, shape in enumerate(shapes) if len(shape) == count])
        corners, before = _flat(np.array([shapes[number] for number in chosen]), middle)
        good = np.zeros(len(chosen), bool)
        for polygon in wanted:
            good |= _holds(polygon[None], corners[:, 0]) | _holds(corners, polygon[:1]) | _cross(corners, polygon)
        found[[owners[number] for number in chosen[good & before.all(1)]]] = True
    return found


def _middle(outline: Footprint) -> np.ndarray:
    total = np.concatenate(outline.shapes).mean(0)
    return total / np.linalg.norm(total)


def _flat(places: np.ndarray, middle: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Project unit vectors, shape (…, 3), onto the plane at ``middle``; and which of them are before it."""
    pole = np.array([0.0, 0.0, 1.0]) if abs(middle[2]) < 0.9 else np.array([1.0, 0.0, 0.0])
    east = np.cross(pole, middle)
    east = east / np.linalg.norm(east)
    toward = places @ middle
    before = toward > 0.1
    toward = np.where(before, toward, 1.0)
    return np.stack([places @ east, places @ np.cross(middle, east)], -1) / toward[..., None], before


def _holds(polygons: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Whether points (m, 2) are in polygons (m, n, 2), one of either being for all: by the sides that a ray crosses."""
    ends = np.roll(polygons, -1, 1)
    x, y = points[:, None, 0], points[:, None, 1]
    above = (polygons[..., 1] > y) != (ends[..., 1] > y)
    rise = np.where(ends[..., 1] == polygons[..., 1], 1.0, ends[..., 1] - polygons[..., 1])
    meet = polygons[..., 0] + (y - polygons[..., 1]) / rise * (ends[..., 0] - polygons[..., 0])
    return (above & (x < meet)).sum(1) % 2 == 1


def _cross(polygons: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Whether any side of polygons (m, n, 2) crosses one of another polygon (k, 2)."""

    def side(a: np.ndarray, b: np.ndarray, point: np.ndarray) -> np.ndarray:
        along, off = b - a, point - a
        return along[..., 0] * off[..., 1] - along[..., 1] * off[..., 0]

    ends, found = np.roll(polygons, -1, 1), np.zeros(len(polygons), bool)
    for start, end in zip(other, np.roll(other, -1, 0), strict=True):
        apart = side(start, end, polygons) * side(start, end, ends) < 0
        found |= (apart & (side(polygons, ends, start) * side(polygons, ends, end) < 0)).any(1)
    return found
