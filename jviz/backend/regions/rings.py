"""The closed and open lines that bound regions, as plain numbers for many regions at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from math import radians
from typing import Any

import numpy as np

from jviz.backend.native_frame import ICRS, NativeFrame, frame_of_astropy
from jviz.backend.regions.kinds import kind_of, shape_name
from jviz.backend.regions.making import PIXEL_FRAME, SIZES, Sketch
from jviz.backend.regions.mask_edges import mask_edges
from jviz.backend.regions.offsets import offset_by, offsets_to

__all__ = ["PIXEL", "Rings", "degrees", "rings_of"]

PIXEL = -1
"""Frame of rings that are counted in pixels."""

ELLIPSE, RECTANGLE, PATH = 0, 1, 2


@dataclass
class Rings:
    """Rows of numbers, one for each ring; pixels, or degrees in one of ``frames``.

    Attributes
    ----------
    rows : list of tuple
        (owner, shape, frame, closed, x, y, half width, half height, angle in radians counter-clockwise).
        Of a path x counts its vertices, half width is its length, half height 0.
    paths : dict of int to ndarray, shape (n, 2)
        Vertices of the rows of paths.
    frames : list of NativeFrame
    """

    rows: list[tuple[float, ...]] = field(default_factory=list)
    paths: dict[int, np.ndarray] = field(default_factory=dict)
    frames: list[NativeFrame] = field(default_factory=list)

    @property
    def table(self) -> np.ndarray:
        """The rows as float64, shape (n, 9)."""
        return np.array(self.rows, float).reshape(-1, 9)

    def add_curve(self, owner: int, shape: int, at: tuple[int, float, float], half: tuple[float, float], angle: float):
        """Add an ellipse or a rectangle: frame and centre, half of its sizes, its angle."""
        self.rows.append((owner, shape, at[0], True, at[1], at[2], *half, angle))

    def add_path(self, owner: int, frame: int, vertices: np.ndarray, *, closed: bool) -> None:
        """Add a polygon, a line or a point."""
        ends = np.concatenate([vertices, vertices[:1]]) if closed else vertices
        longest = float(np.fmax.reduce(np.abs(np.diff(ends, axis=0)), axis=None, initial=0.0))
        self.paths[len(self.rows)] = vertices
        self.rows.append((owner, PATH, frame, closed, len(vertices), 0.0, longest, 0.0, 0.0))

    def place(self, position: Any) -> tuple[int, np.ndarray | float, np.ndarray | float]:
        """Return frame and numbers of a PixCoord or SkyCoord."""
        if hasattr(position, "x"):
            return PIXEL, position.x, position.y
        frame, lon, lat = _directions(position)
        return self.frame_number(frame), lon, lat

    def frame_number(self, frame: NativeFrame) -> int:
        """Return the number of a frame among ``frames``, to which it is added."""
        if frame not in self.frames:
            self.frames.append(frame)
        return self.frames.index(frame)


def _directions(coord: Any) -> tuple[NativeFrame, Any, Any]:
    """Return the frame of a SkyCoord and its longitudes and latitudes in degrees."""
    inner = coord.frame
    frame = ICRS if inner.name == "icrs" else _frame(inner)
    if frame is None:
        inner, frame = coord.icrs.frame, ICRS
    data = inner.data
    if not hasattr(data, "lon"):
        data = inner.spherical
    return frame, degrees(data.lon), degrees(data.lat)


def degrees(angle: Any) -> Any:
    """Return the number or the numbers of an angle in degrees: ``to_value``, ten times as fast."""
    unit = angle.unit
    if unit not in _factors:
        _factors[unit] = unit.to("deg")
    return angle.value * _factors[unit]


_factors: dict[Any, float] = {}


def _frame(frame: Any) -> NativeFrame | None:
    # Thousands of coordinates share the objects of their times; to write a time as text takes longer than all the rest.
    times = tuple(getattr(frame, name) for name in ("equinox", "obstime") if name in frame.frame_attributes)
    key = (frame.name, *map(id, times))
    if key not in _known:
        if len(_known) >= _most_known:
            _known.clear()
        _known[key] = times, frame_of_astropy(frame.replicate_without_data())
    return _known[key][1]


_known: dict[tuple, tuple[tuple, NativeFrame | None]] = {}
"""The times are kept with their frame, so that their numbers stay theirs."""
_most_known = 64


def rings_of(regions: Iterable[Any]) -> Rings:
    """Read regions of the ``regions`` package, or sketches; what has no outline (whole sky) gives no rings."""
    rings = Rings()
    for owner, region in enumerate(regions):
        _read(rings, owner, region)
    return rings


def _read(rings: Rings, owner: int, region: Any) -> None:
    if isinstance(region, Sketch):
        _read_sketch(rings, owner, region)
        return
    if isinstance(region, np.ndarray):
        if region.ndim >= 2:
            rings.add_path(owner, PIXEL, mask_edges(region), closed=False)
        return
    name = shape_name(type(region))
    if name == "Compound":
        _read(rings, owner, region.region1)
        _read(rings, owner, region.region2)
    elif name in _FIXED:
        frame, x, y = rings.place(region.center)
        at = frame, float(x), float(y)
        for shape, width, height in _FIXED[name](region):
            angle = getattr(region, "angle", None)
            half = _size(width), _size(height)
            rings.add_curve(owner, shape, at, half, 0.0 if angle is None else radians(_size(angle)))
    elif name in ("Polygon", "RegularPolygon"):
        _read_path(rings, owner, region.vertices, closed=kind_of(region) != "path")
    elif name in ("Point", "Text"):
        _read_path(rings, owner, region.center, closed=False)
    elif name == "Line":
        (frame, x0, y0), (_, x1, y1) = rings.place(region.start), rings.place(region.end)
        _add_line(rings, owner, frame, np.array([[x0, y0], [x1, y1]], float), kind_of(region))


def _read_path(rings: Rings, owner: int, position: Any, *, closed: bool) -> None:
    frame, x, y = rings.place(position)
    rings.add_path(owner, frame, np.stack([np.atleast_1d(x), np.atleast_1d(y)], axis=1).astype(float), closed=closed)


def _add_line(rings: Rings, owner: int, frame: int, ends: np.ndarray, kind: str) -> None:
    """Add a line; a compass has an arm to the north as long as it and one to the east, or along y and x."""
    if kind != "compass":
        rings.add_path(owner, frame, ends, closed=False)
        return
    start = ends[0]
    if frame == PIXEL:
        length = float(np.hypot(*(ends[1] - start)))
        tips = start + np.array([(0.0, length), (length, 0.0)])
    else:
        length = np.hypot(*offsets_to(*start, *ends[1:].T))
        tips = np.column_stack(offset_by(*start, np.append(0 * length, -length), np.append(length, 0 * length)))
    for tip in tips:
        rings.add_path(owner, frame, np.array([start, tip]), closed=False)


def _read_sketch(rings: Rings, owner: int, sketch: Sketch) -> None:
    frame = PIXEL if sketch.frame == PIXEL_FRAME else rings.frame_number(_named(sketch.frame))
    if sketch.shape in SIZES:
        [(x, y)] = sketch.points
        angle = 0.0 if sketch.angle is None else radians(sketch.angle)
        shape = RECTANGLE if sketch.shape.startswith("Rectangle") else ELLIPSE
        sizes = sketch.sizes
        if len(sizes) == 1:
            rings.rows.append((owner, shape, frame, True, x, y, sizes[0], sizes[0], angle))
            return
        if sketch.shape == "CircleAnnulus":
            pairs = [(sizes[1], sizes[1]), (sizes[0], sizes[0])]
        elif len(sizes) == 4:
            pairs = [(sizes[1] / 2, sizes[3] / 2), (sizes[0] / 2, sizes[2] / 2)]
        else:
            pairs = [(sizes[0] / 2, sizes[1] / 2)]
        for half in pairs:
            rings.add_curve(owner, shape, (frame, x, y), half, angle)
        return
    points, kind = np.asarray(sketch.points, float), kind_of(sketch)
    if sketch.shape == "Line":
        _add_line(rings, owner, frame, points, kind)
    else:
        rings.add_path(owner, frame, points, closed=kind == "polygon")


@cache
def _named(name: str) -> NativeFrame:
    """Return a frame by its name in astropy, with its usual equinox."""
    from astropy.coordinates import SkyCoord

    found = ICRS if name == "icrs" else frame_of_astropy(SkyCoord(0, 0, unit="deg", frame=name).frame)
    if found is None:
        raise ValueError(f"the frame {name} is not one of the sky")
    return found


def _size(value: Any) -> float:
    """Return a length in pixels, or an angle in degrees."""
    return float(degrees(value) if hasattr(value, "unit") else value)


_FIXED = {
    "Circle": lambda r: [(ELLIPSE, size := _size(r.radius), size)],
    "Ellipse": lambda r: [(ELLIPSE, r.width / 2, r.height / 2)],
    "Rectangle": lambda r: [(RECTANGLE, r.width / 2, r.height / 2)],
    "CircleAnnulus": lambda r: [(ELLIPSE, r.outer_radius, r.outer_radius), (ELLIPSE, r.inner_radius, r.inner_radius)],
    "EllipseAnnulus": lambda r: [
        (ELLIPSE, r.outer_width / 2, r.outer_height / 2),
        (ELLIPSE, r.inner_width / 2, r.inner_height / 2),
    ],
    "RectangleAnnulus": lambda r: [
        (RECTANGLE, r.outer_width / 2, r.outer_height / 2),
        (RECTANGLE, r.inner_width / 2, r.inner_height / 2),
    ],
}
"""(shape, half width, half height) of the rings of each shape with a centre, the outer one first."""
