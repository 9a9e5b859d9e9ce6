"""Outlines on the sky as unit vectors: from S_REGION or from a WCS, and whether a circle or a point meets them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jviz.backend.render.frames import unit_vectors

__all__ = ["Footprint", "meeting", "of_region", "of_wcs", "vector"]

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
        x, y, z = _middle([corner for shape in self.shapes for corner in shape.tolist()])
        return math.degrees(math.atan2(y, x)) % 360, math.degrees(math.asin(max(-1.0, min(1.0, z))))

    @property
    def box(self) -> tuple[float, ...]:
        """Limits of x, y and z of the caps about its shapes."""
        caps = [_cap(shape) for shape in self.shapes]
        return tuple(limit for axis in range(3) for limit in (min(cap[axis] - cap[3] for cap in caps),
                                                              max(cap[axis] + cap[3] for cap in caps)))  # fmt: skip

    def meets(self, place: np.ndarray, radius: float) -> bool:
        """Whether it overlaps a circle about a unit vector; ``radius`` in degrees, 0 for the point itself."""
        return bool(meeting([self], place, radius)[0])

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


# A few corners are summed by plain numbers: thousands of files are taken in, and arrays of four cost ten times that.
def _middle(corners: list[list[float]]) -> list[float]:
    total = [sum(numbers) for numbers in zip(*corners, strict=True)]
    length = math.hypot(*total) or 1.0
    return [number / length for number in total]


def _cap(shape: Shape) -> tuple[float, float, float, float]:
    """Return the middle of a shape and the longest chord from it to a corner: sides and inside are no farther."""
    corners = shape.tolist()
    x, y, z = _middle(corners)
    return x, y, z, max(math.hypot(a - x, b - y, c - z) for a, b, c in corners) + 1e-7


def meeting(footprints: Sequence[Footprint], place: np.ndarray, radius: float) -> np.ndarray:
    """Return which footprints overlap a circle about a unit vector; ``radius`` in degrees, 0 for the point itself."""
    owners = [number for number, footprint in enumerate(footprints) for _ in footprint.shapes]
    shapes = [shape for footprint in footprints for shape in footprint.shapes]
    found = np.zeros(len(footprints), bool)
    for count in {len(shape) for shape in shapes}:
        chosen = [number for number, shape in enumerate(shapes) if len(shape) == count]
        corners = np.array([shapes[number] for number in chosen])
        good = _inside(corners, place)
        if radius > 0:
            good |= _distance(corners, place) <= math.radians(radius)
        found[[owners[number] for number in np.array(chosen)[good]]] = True
    return found


def _inside(corners: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Whether a point is inside polygons below half the sky, shape (m, n, 3): by winding on its tangent plane."""
    toward = corners @ place
    before = np.all(toward > 0, axis=1)
    toward = np.where(toward > 0, toward, 1.0)
    east, north = _axes(place)
    angles = np.arctan2(corners @ east / toward, corners @ north / toward)
    turns = np.roll(angles, -1, 1) - angles
    turns = (turns + math.pi) % (2 * math.pi) - math.pi
    return before & (np.abs(turns.sum(1)) > math.pi)


def _distance(corners: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Return the distances in radians from a point to the sides of polygons, shape (m, n, 3)."""
    ends = np.roll(corners, -1, 1)
    normal = _cross(corners, ends)
    length = np.linalg.norm(normal, axis=2)
    good = length > 1e-12  # of two corners in one place there is no side
    normal = normal / np.where(good, length, 1.0)[..., None]
    off = normal @ place
    foot = place - off[..., None] * normal
    between = good & (np.einsum("mnk,mnk->mn", _cross(corners, foot), normal) >= 0)
    between &= np.einsum("mnk,mnk->mn", _cross(foot, ends), normal) >= 0
    sides = np.where(between, np.abs(np.arcsin(np.clip(off, -1, 1))), np.inf)
    away = 2 * np.arcsin(np.clip(np.linalg.norm(corners - place, axis=2) / 2, 0, 1))
    return np.minimum(sides, away).min(1)


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return cross products; np.cross takes several times as long for a few."""
    return np.stack([a[..., i] * b[..., j] - a[..., j] * b[..., i] for i, j in ((1, 2), (2, 0), (0, 1))], -1)


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
    matrix = _matrix(header, lon + 1, lat + 1)
    if matrix is None:
        return None
    ra, dec, x0, y0 = values
    width, height = shape[len(shape) - 1 - lon] + 0.5, shape[len(shape) - 1 - lat] + 0.5
    corners = [_off(x - x0, y - y0, *matrix) for x, y in ((0.5, 0.5), (width, 0.5), (width, height), (0.5, height))]
    if max(abs(number) for corner in corners for number in corner) > math.radians(60):
        return None  # an all-sky map has no corners on a plane
    return Footprint((np.array([_from_plane(ra, dec, *corner) for corner in corners]),))


def _off(dx: float, dy: float, a: float, b: float, c: float, d: float) -> tuple[float, float]:
    """Return where a pixel is on the tangent plane, in radians."""
    return math.radians(a * dx + b * dy), math.radians(c * dx + d * dy)


def _from_plane(ra: float, dec: float, east: float, north: float) -> tuple[float, float, float]:
    """Return the unit vector of a point of the plane that touches the sphere at a position in degrees."""
    cos_ra, sin_ra = math.cos(math.radians(ra)), math.sin(math.radians(ra))
    cos_dec, sin_dec = math.cos(math.radians(dec)), math.sin(math.radians(dec))
    along = cos_dec - north * sin_dec
    scale = 1 / math.sqrt(1 + east * east + north * north)
    return ((along * cos_ra - east * sin_ra) * scale, (along * sin_ra + east * cos_ra) * scale,
            (sin_dec + north * cos_dec) * scale)  # fmt: skip


def _axis(header: Any, number: int) -> str:
    return str(header.get(f"CTYPE{number}", "")).upper()[:5].split("-")[0].rstrip()


def _matrix(header: Any, lon: int, lat: int) -> tuple[float, float, float, float] | None:
    """Return the matrix from pixels to degrees on the plane, row by row: CD, or PC (or CROTA2) with CDELT."""
    pairs = [(i, j) for i in (lon, lat) for j in (lon, lat)]

    def numbers(key: str, missing: Any) -> list[float]:
        return [float(header.get(f"{key}{i}_{j}", missing(i, j))) for i, j in pairs]

    try:
        if any(header.get(f"CD{i}_{j}") is not None for i, j in pairs):
            a, b, c, d = numbers("CD", lambda i, j: 0.0)
        else:
            a, b, c, d = numbers("PC", lambda i, j: 1.0 if i == j else 0.0)
            one, other = (float(header.get(f"CDELT{i}", 1.0)) for i in (lon, lat))
            turn = math.radians(float(header.get(f"CROTA{lat}", 0.0)))
            if turn and not any(header.get(f"PC{i}_{j}") is not None for i, j in pairs):
                a, b, c, d = math.cos(turn), -math.sin(turn) * other / one, math.sin(turn) * one / other, math.cos(turn)
            a, b, c, d = a * one, b * one, c * other, d * other
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    good = all(math.isfinite(number) for number in (a, b, c, d)) and a * d - b * c != 0
    return (a, b, c, d) if good else None
