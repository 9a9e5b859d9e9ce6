"""Outlines on the sky as unit vectors: from S_REGION or from a WCS, and whether a circle or a point meets them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jviz.backend.render.frames import unit_vectors

__all__ = ["Footprint", "of_region", "of_wcs", "vector"]

CORNERS = 16
"""Corners of the polygon that stands for a circle."""

type Shape = np.ndarray
"""Corners of a polygon as unit vectors, shape (n, 3)."""


@dataclass(frozen=True)
class Footprint:
    """One or more polygons on the sphere."""

    shapes: tuple[Shape, ...]

    @property
    def middle(self) -> tuple[float, float]:
        """RA and Dec in degrees of the middle of its corners."""
        total = np.concatenate(self.shapes).sum(0)
        x, y, z = total / np.linalg.norm(total)
        return math.degrees(math.atan2(y, x)) % 360, math.degrees(math.asin(max(-1.0, min(1.0, z))))

    @property
    def box(self) -> tuple[float, ...]:
        """Limits of x, y and z of the caps about its shapes."""
        caps = np.array([_cap(shape) for shape in self.shapes])
        low, high = (caps[:, :3] - caps[:, 3:]).min(0), (caps[:, :3] + caps[:, 3:]).max(0)
        return tuple(float(v) for pair in zip(low, high, strict=True) for v in pair)

    def meets(self, place: np.ndarray, radius: float) -> bool:
        """Whether it overlaps a circle about a unit vector; ``radius`` in degrees, 0 for the point itself."""
        return any(_meets(shape, place, math.radians(radius)) for shape in self.shapes)

    def as_bytes(self) -> bytes:
        """Return it as it is stored: for each shape, the number of its corners and their vectors."""
        return b"".join(len(s).to_bytes(4, "little") + s.astype("<f8").tobytes() for s in self.shapes)

    @classmethod
    def from_bytes(cls, stored: bytes) -> Footprint:
        """Read what `as_bytes` gave."""
        shapes, at = [], 0
        while at < len(stored):
            count = int.from_bytes(stored[at : at + 4], "little")
            shapes.append(np.frombuffer(stored, "<f8", 3 * count, at + 4).reshape(count, 3))
            at += 4 + 24 * count
        return cls(tuple(shapes))


def vector(ra: Any, dec: Any) -> np.ndarray:
    """Return unit vectors of positions in degrees, shape (..., 3)."""
    return np.moveaxis(unit_vectors(ra, dec), 0, -1)


def _cap(shape: Shape) -> np.ndarray:
    """Return the middle of a shape and the longest chord from it to a corner: sides and inside are no farther."""
    middle = shape.sum(0)
    middle = middle / np.linalg.norm(middle)
    return np.append(middle, np.linalg.norm(shape - middle, axis=1).max() + 1e-7)


def _meets(shape: Shape, place: np.ndarray, radius: float) -> bool:
    return _inside(shape, place) or bool(radius > 0 and _distance(shape, place) <= radius)


def _inside(shape: Shape, place: np.ndarray) -> bool:
    """Whether a point is inside a polygon smaller than half the sky, by winding on its tangent plane."""
    toward = shape @ place
    if np.any(toward <= 0):
        return False
    east, north = _axes(place)
    angles = np.arctan2(shape @ east / toward, shape @ north / toward)
    turns = np.diff(np.append(angles, angles[0]))
    turns = (turns + math.pi) % (2 * math.pi) - math.pi
    return abs(turns.sum()) > math.pi


def _distance(shape: Shape, place: np.ndarray) -> float:
    """Return the distance in radians from a point to the sides of a polygon."""
    ends = np.roll(shape, -1, 0)
    normal = np.cross(shape, ends)
    length = np.linalg.norm(normal, axis=1)
    good = length > 1e-12
    normal = normal[good] / length[good, None]
    foot = place - (normal @ place)[:, None] * normal
    start, end = shape[good], ends[good]
    between = (np.einsum("ij,ij->i", np.cross(start, foot), normal) >= 0) & (
        np.einsum("ij,ij->i", np.cross(foot, end), normal) >= 0
    )
    sides = np.where(between, np.abs(np.arcsin(np.clip(normal @ place, -1, 1))), np.inf)
    corners = 2 * np.arcsin(np.clip(np.linalg.norm(shape - place, axis=1) / 2, 0, 1))
    return float(min(sides.min(initial=np.inf), corners.min()))


def _axes(place: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    east = np.array([-place[1], place[0], 0.0])
    length = np.linalg.norm(east)
    east = east / length if length > 1e-12 else np.array([0.0, 1.0, 0.0])
    return east, np.cross(place, east)


# --- S_REGION ---------------------------------------------------------------------------------------

_kinds = re.compile(r"\b(POLYGON|CIRCLE)\b", re.IGNORECASE)
_frames = re.compile(r"\b(ICRS|J2000|FK5|GSC1|UNKNOWNFRAME)\b", re.IGNORECASE)
_number = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


def of_region(text: str) -> Footprint | None:
    """Read an S_REGION: polygons and circles, one or several, in any equatorial frame of J2000; RA may be negative.

    None when there is no shape in it.
    """
    parts = _kinds.split(_frames.sub(" ", text))
    shapes = [
        shape
        for kind, rest in zip(parts[1::2], parts[2::2], strict=True)
        if (shape := _shape(kind.upper(), [float(number) for number in _number.findall(rest)])) is not None
    ]
    return Footprint(tuple(shapes)) if shapes else None


def _shape(kind: str, numbers: Sequence[float]) -> Shape | None:
    if kind == "POLYGON" and len(numbers) >= 6:
        corners = vector(numbers[0 : len(numbers) // 2 * 2 : 2], numbers[1::2])
        if np.allclose(corners[0], corners[-1], atol=1e-12):
            corners = corners[:-1]
        return corners if len(corners) >= 3 and np.all(np.isfinite(corners)) else None
    if kind == "CIRCLE" and len(numbers) >= 3 and abs(numbers[1]) <= 90 and 0 < numbers[2] < 90:
        return _circle(*numbers[:3])
    return None


def _circle(ra: float, dec: float, radius: float) -> Shape:
    place = vector(ra, dec)
    east, north = _axes(place)
    turn = np.linspace(0, 2 * math.pi, CORNERS, endpoint=False)[:, None]
    # the polygon around the circle: it misses nothing
    r = math.atan(math.tan(math.radians(radius)) / math.cos(math.pi / CORNERS))
    return math.cos(r) * place + math.sin(r) * (np.cos(turn) * north + np.sin(turn) * east)


# --- WCS --------------------------------------------------------------------------------------------


def of_wcs(header: Any, shape: Sequence[int]) -> Footprint | None:
    """Return the corners of an image by the linear part of a gnomonic WCS, good to the distortions left out.

    None when the header has no celestial WCS of that kind; projections other than TAN are treated as TAN, which is
    right to a hundredth of the size for fields below ten degrees.
    """
    axes = [_axis(header, number) for number in (1, 2, 3, 4)]
    lon = next((i for i, name in enumerate(axes) if name in ("RA", "GLON", "ELON")), None)
    lat = next((i for i, name in enumerate(axes) if name in ("DEC", "GLAT", "ELAT")), None)
    if lon is None or lat is None or axes[lon] != "RA" or max(lon, lat) >= len(shape):
        return None
    values = [header.get(f"{key}{i + 1}") for key in ("CRVAL", "CRPIX") for i in (lon, lat)]
    if not all(isinstance(v, int | float) and math.isfinite(v) for v in values):
        return None
    matrix = _matrix(header, lon, lat)
    sizes = np.array([shape[len(shape) - 1 - lon], shape[len(shape) - 1 - lat]], float)
    if matrix is None or not np.all(np.isfinite(matrix)) or abs(np.linalg.det(matrix)) == 0:
        return None
    corners = np.array([(0.5, 0.5), (sizes[0] + 0.5, 0.5), sizes + 0.5, (0.5, sizes[1] + 0.5)])
    plane = np.radians((corners - np.array(values[2:])) @ matrix.T)
    if np.abs(plane).max() > math.radians(60):
        return None  # an all-sky map has no corners on a plane
    place = vector(*values[:2])
    east, north = _axes(place)
    points = place + plane[:, :1] * east + plane[:, 1:] * north
    return Footprint((points / np.linalg.norm(points, axis=1)[:, None],))


def _axis(header: Any, number: int) -> str:
    return str(header.get(f"CTYPE{number}", "")).upper()[:5].split("-")[0].rstrip()


def _matrix(header: Any, lon: int, lat: int) -> np.ndarray | None:
    """Return the matrix from pixels to degrees on the plane: CD, or PC (or CROTA2) with CDELT."""
    pair = (lon + 1, lat + 1)

    def numbers(key: str, default: Any) -> np.ndarray:
        return np.array([[header.get(f"{key}{i}_{j}", default(i, j)) for j in pair] for i in pair], object)

    try:
        if any(header.get(f"CD{i}_{j}") is not None for i in pair for j in pair):
            return numbers("CD", lambda i, j: 0.0).astype(float)
        step = np.array([float(header.get(f"CDELT{i}", 1.0)) for i in pair])
        turn = math.radians(float(header.get(f"CROTA{pair[1]}", 0.0)))
        if turn and not any(header.get(f"PC{i}_{j}") is not None for i in pair for j in pair):
            rotation = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
            return rotation * step[None, :]
        return step[:, None] * numbers("PC", lambda i, j: 1.0 if i == j else 0.0).astype(float)
    except (TypeError, ValueError):
        return None
