"""Regions as a hand edits them: shapes on a flat grid, with handles.

The grid of a pixel region are its pixels; that of a sky region are arcseconds round its centre, x to the west and y to
the north, as the angles of ``regions`` count them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from jviz.backend.regions.kinds import NAMES, SPECIAL, kind_of

__all__ = ["CENTRED", "Handle", "Shape", "region_of", "shape_of"]

CENTRED = ("circle", "annulus", "ellipse", "ellipse_annulus", "rectangle", "rectangle_annulus", "compass")
"""Kinds that have a centre and sizes; the others are made of points."""

TURNED = ("ellipse", "ellipse_annulus", "rectangle", "rectangle_annulus")
CORNERS = ((1, 1), (-1, 1), (-1, -1), (1, -1))
SIDES = ((1, 0), (0, 1), (-1, 0), (0, -1))
LEAST = 1e-3


@dataclass(frozen=True)
class Handle:
    """A place to grasp a shape: ``what`` is "size", "vertex", "turn" or "move", ``index`` which of them."""

    what: str
    index: int
    at: tuple[float, float]


@dataclass(frozen=True, eq=False)
class Shape:
    """A shape on a grid.

    Attributes
    ----------
    kind : str
        One of `NAMES`.
    points : ndarray, shape (n, 2)
        The centre, or the vertices.
    sizes : tuple of float
        Radii; semi-axes along x and y, first those of the inner edge of an annulus.
    angle : float
        Degrees, counter-clockwise from x.
    text : str
    """

    kind: str
    points: np.ndarray
    sizes: tuple[float, ...] = ()
    angle: float = 0.0
    text: str = ""

    @property
    def centre(self) -> np.ndarray:
        """The centre, or the middle of the vertices."""
        return self.points.mean(axis=0)

    def but(self, **values: Any) -> Shape:
        """Return the same with other values."""
        return replace(self, **values)

    def moved(self, dx: float, dy: float) -> Shape:
        """Return it elsewhere."""
        return self.but(points=self.points + np.array([dx, dy]))

    # --- what is drawn --------------------------------------------------------------------------

    def lines(self, n: int = 64) -> list[np.ndarray]:
        """Return its outline as polylines of shape (m, 2), closed where the first point is the last; curves have n."""
        if self.kind in ("circle", "annulus"):
            return [self._curve(r, r, n) for r in self.sizes]
        if self.kind in ("ellipse", "ellipse_annulus"):
            return [self._curve(a, b, n) for a, b in self._pairs()]
        if self.kind in ("rectangle", "rectangle_annulus"):
            return [self._box(a, b) for a, b in self._pairs()]
        if self.kind == "polygon":
            return [np.vstack([self.points, self.points[:1]])]
        if self.kind == "compass":
            x, y = self.points[0]
            return [np.array([(x, y), (x, y + self.sizes[0])]), np.array([(x, y), (x - self.sizes[0], y)])]
        return [self.points] if len(self.points) > 1 else []

    def _pairs(self) -> list[tuple[float, float]]:
        return list(zip(self.sizes[::2], self.sizes[1::2], strict=True))

    def _curve(self, a: float, b: float, n: int) -> np.ndarray:
        return self._placed(_round(n) * (a, b))

    def _box(self, a: float, b: float) -> np.ndarray:
        return self._placed(np.array([(a, b), (-a, b), (-a, -b), (a, -b), (a, b)]))

    def _placed(self, points: np.ndarray) -> np.ndarray:
        """Turn points round the origin by the angle and put them at the centre."""
        return points @ _turn(self.angle).T + self.points[0]

    def _within(self, point: np.ndarray) -> np.ndarray:
        """Return a point as seen from the centre, turned back."""
        return (point - self.points[0]) @ _turn(self.angle)

    # --- handles --------------------------------------------------------------------------------

    def handles(self) -> list[Handle]:
        """Return where it can be grasped; the one that turns it stands on its upper edge."""
        if self.kind not in CENTRED:
            vertices = self.points if self.kind not in ("point", "text") else ()
            return [Handle("vertex", k, tuple(p)) for k, p in enumerate(np.asarray(vertices).tolist())]
        if self.kind == "compass":
            return [Handle("size", 0, tuple(self.lines()[0][1].tolist()))]
        found = []
        for edge, (a, b) in enumerate(self._edges()):
            places = CORNERS if self.kind.startswith("rectangle") else SIDES
            at = self._placed(np.array([(a * sx, b * sy) for sx, sy in places]))
            found += [Handle("size", 4 * edge + k, tuple(p)) for k, p in enumerate(at.tolist())]
        if self.kind in TURNED:
            top = self._placed(np.array([(0.0, self._edges()[-1][1])]))[0]
            found.append(Handle("turn", 0, tuple(top.tolist())))
        return found

    def _edges(self) -> list[tuple[float, float]]:
        return self._pairs() if self.kind in TURNED else [(r, r) for r in self.sizes]

    def dragged(self, handle: Handle, to: np.ndarray, *, constrained: bool = False, about_centre: bool = True) -> Shape:
        """Return it with a handle at another place.

        Parameters
        ----------
        constrained : bool
            Keep the proportions of an ellipse or rectangle, turn by steps of 15°, and lead lines in such directions.
        about_centre : bool
            Whether the centre stays when a rectangle's corner is dragged, or the opposite corner.
        """
        to = np.asarray(to, dtype=float)
        if handle.what == "move":
            return self.moved(*(to - self.centre))
        if handle.what == "vertex":
            return self._with_vertex(handle.index, to, constrained)
        if handle.what == "turn":
            dx, dy = to - self.points[0]
            angle = math.degrees(math.atan2(dy, dx)) - 90
            return self.but(angle=(15 * round(angle / 15) if constrained else angle) % 360)
        return self._resized(handle.index, to, constrained)

    def _with_vertex(self, index: int, to: np.ndarray, constrained: bool) -> Shape:
        points = self.points.copy()
        if constrained and len(points) > 1:
            to = stepped(points[index - 1 if index else 1], to)
        points[index] = to
        return self.but(points=points)

    def _resized(self, index: int, to: np.ndarray, constrained: bool) -> Shape:
        x, y = np.abs(self._within(to))
        edge = index // 4
        sizes = list(self.sizes)
        if self.kind not in TURNED:
            sizes[edge] = max(float(math.hypot(*(to - self.points[0]))), LEAST)
            return self.but(sizes=_in_order(sizes, edge))
        a, b = sizes[2 * edge], sizes[2 * edge + 1]
        if self.kind.startswith("rectangle"):
            new = (x, y)
        else:
            new = (x, b) if index % 2 == 0 else (a, y)
        if constrained:
            share = max(new[0] / a if new[0] != a else 0, new[1] / b if new[1] != b else 0) or 1.0
            new = (a * share, b * share)
        if len(sizes) == 4:
            # The two edges of an annulus keep one form, as in DS9.
            share = new[0] / a if abs(new[0] / a - 1) > abs(new[1] / b - 1) else new[1] / b
            new = (a * share, b * share)
            other = sizes[2 - 2 * edge]
            if (edge == 0) != (new[0] < other):
                return self
        sizes[2 * edge : 2 * edge + 2] = (max(float(new[0]), LEAST), max(float(new[1]), LEAST))
        return self.but(sizes=tuple(sizes))

    # --- vertices -------------------------------------------------------------------------------

    @property
    def least_vertices(self) -> int:
        """How many vertices it needs."""
        return 3 if self.kind == "polygon" else 2

    def with_new_vertex(self, at: np.ndarray) -> tuple[Shape, int]:
        """Return it with a vertex more, on the edge that is nearest to a point, and the number of that vertex."""
        closed = self.kind == "polygon"
        ends = np.roll(self.points, -1, axis=0) if closed else self.points[1:]
        starts = self.points[: len(ends)]
        number = int(np.argmin(distances_to_segments(np.asarray(at, dtype=float), starts, ends)))
        points = np.insert(self.points, number + 1, at, axis=0)
        return self.but(points=points, kind="path" if self.kind == "line" else self.kind), number + 1

    def without_vertex(self, index: int) -> Shape | None:
        """Return it with a vertex less, None when it needs them all."""
        if len(self.points) <= self.least_vertices:
            return None
        return self.but(points=np.delete(self.points, index, axis=0))


@lru_cache(maxsize=8)
def _round(n: int) -> np.ndarray:
    """Return points on the unit circle, the first one at the end again."""
    t = np.linspace(0, 2 * np.pi, n, endpoint=False)
    return np.column_stack([np.cos(np.append(t, 0.0)), np.sin(np.append(t, 0.0))])


def _turn(angle: float) -> np.ndarray:
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    return np.array([[cos, -sin], [sin, cos]])


def _in_order(sizes: list[float], moved: int) -> tuple[float, ...]:
    """Keep the radii of an annulus apart: the one that is dragged stops at the other."""
    if len(sizes) == 2:
        if moved == 0:
            sizes[0] = min(sizes[0], 0.999 * sizes[1])
        else:
            sizes[1] = max(sizes[1], 1.001 * sizes[0])
    return tuple(sizes)


def stepped(start: np.ndarray, to: np.ndarray, step: float = 15.0) -> np.ndarray:
    """Return the end of a line from a start, led into a direction that is a multiple of a step in degrees."""
    dx, dy = to - start
    angle = math.radians(step * round(math.degrees(math.atan2(dy, dx)) / step))
    return start + math.hypot(dx, dy) * np.array([math.cos(angle), math.sin(angle)])


def distances_to_segments(point: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Return the distance of a point from each of the segments, shape (n,)."""
    along = ends - starts
    length = (along**2).sum(axis=1)
    share = ((point - starts) * along).sum(axis=1) / np.where(length > 0, length, 1)
    nearest = starts + np.clip(share, 0, 1)[:, None] * along
    return np.hypot(*(point - nearest).T)


# --- between regions and shapes ---------------------------------------------------------------------


def shape_of(region: Any, coordinates: Any, length: Any) -> Shape | None:
    """Return a region as a shape.

    Parameters
    ----------
    coordinates : callable
        Gives points of the grid, shape (n, 2), for a coordinate of the region.
    length : callable
        Gives lengths of the grid for a length of the region.
    """
    kind = kind_of(region)
    if not kind:
        return None
    text = str(getattr(region, "text", ""))
    if kind in ("polygon", "path"):
        return Shape(kind, coordinates(region.vertices), text=text)
    if kind in ("line", "ruler", "compass", "vector"):
        ends = np.vstack([coordinates(region.start), coordinates(region.end)])
        if kind == "compass":
            return Shape(kind, ends[:1], (float(np.hypot(*(ends[1] - ends[0]))),))
        return Shape(kind, ends)
    points = coordinates(region.center)
    if kind in ("point", "text"):
        return Shape(kind, points, text=text)
    angle = float(region.angle.to_value("deg")) if hasattr(region, "angle") else 0.0
    return Shape(kind, points, _sizes_of(kind, region, length), angle)


def _sizes_of(kind: str, region: Any, length: Any) -> tuple[float, ...]:
    if kind == "circle":
        return (length(region.radius),)
    if kind == "annulus":
        return (length(region.inner_radius), length(region.outer_radius))
    if kind in ("ellipse", "rectangle"):
        names = ("width", "height")
    else:
        names = ("inner_width", "inner_height", "outer_width", "outer_height")
    return tuple(length(getattr(region, name)) / 2 for name in names)


def region_of(shape: Shape, suffix: str, coordinate: Any, length: Any, like: Any = None) -> Any:
    """Return a shape as a region; the opposite of `shape_of`.

    Parameters
    ----------
    suffix : str
        "PixelRegion" or "SkyRegion".
    coordinate, length : callable
        Make a coordinate of points of the grid, shape (n, 2) or (2,), and a length of lengths of the grid.
    like : Region, optional
        Whose words (meta and visual) it gets.
    """
    import regions
    from astropy import units as u

    cls = getattr(regions, NAMES[shape.kind] + suffix)
    meta, visual = (dict(like.meta), dict(like.visual)) if like is not None else ({}, {})
    meta = {k: v for k, v in meta.items() if k != "type" or v not in SPECIAL}
    if shape.kind in SPECIAL:
        meta["type"] = shape.kind
    words = {"meta": regions.RegionMeta(meta), "visual": regions.RegionVisual(visual)}
    kind, s = shape.kind, [length(size) for size in shape.sizes]
    if kind in ("polygon", "path"):
        return cls(vertices=coordinate(shape.points), **words)
    if kind in ("line", "ruler", "vector"):
        return cls(start=coordinate(shape.points[0]), end=coordinate(shape.points[1]), **words)
    centre = coordinate(shape.points[0])
    if kind == "compass":
        return cls(start=centre, end=coordinate(shape.lines()[0][1]), **words)
    if kind == "point":
        return cls(center=centre, **words)
    if kind == "text":
        return cls(center=centre, text=shape.text or "text", **words)
    if kind == "circle":
        return cls(center=centre, radius=s[0], **words)
    if kind == "annulus":
        return cls(center=centre, inner_radius=s[0], outer_radius=s[1], **words)
    angle = shape.angle * u.deg
    if kind in ("ellipse", "rectangle"):
        return cls(center=centre, width=2 * s[0], height=2 * s[1], angle=angle, **words)
    return cls(
        center=centre, inner_width=2 * s[0], inner_height=2 * s[1], outer_width=2 * s[2], outer_height=2 * s[3],
        angle=angle, **words,
    )  # fmt: skip
