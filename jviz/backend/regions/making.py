"""Many regions from plain numbers: as sketches first, and as objects of ``regions`` when they are asked for."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jviz.backend.regions.ds9_words import is_locked, kept
from jviz.backend.regions.kinds import SPECIAL

__all__ = ["PIXEL_FRAME", "SIZES", "Maker", "Sketch", "made"]

PIXEL_FRAME = "image"

Words = tuple[dict[str, str], list[str], str]

SIZES = {
    "Circle": ("radius",),
    "CircleAnnulus": ("inner_radius", "outer_radius"),
    "Ellipse": ("width", "height"),
    "Rectangle": ("width", "height"),
    "EllipseAnnulus": ("inner_width", "outer_width", "inner_height", "outer_height"),
    "RectangleAnnulus": ("inner_width", "outer_width", "inner_height", "outer_height"),
}


@dataclass(eq=False, slots=True)
class Sketch:
    """A region as plain numbers; thousands of objects of astropy would take longer than all the rest.

    Attributes
    ----------
    shape : str
        "Circle" … as in the names of the classes of ``regions``.
    frame : str
        `PIXEL_FRAME`, or the name of a frame of astropy.
    points : sequence of (float, float), or ndarray of shape (n, 2)
        Pixels from 0, or degrees of the frame.
    sizes : sequence of float
        In pixels or degrees, by the order of `SIZES`.
    angle : float or None
        Degrees.
    words : (dict, list of str, str)
        Properties, tags, and the sign before it.
    """

    shape: str
    frame: str
    points: Sequence[tuple[float, float]] | np.ndarray
    sizes: Sequence[float]
    angle: float | None
    words: Words

    @property
    def space(self) -> str:
        """ "pixel" or "sky"."""
        return "pixel" if self.frame == PIXEL_FRAME else "sky"

    @property
    def meta(self) -> dict[str, Any]:
        """What the meta of the region will be."""
        given, tags, sign = self.words
        meta: dict[str, Any] = {}
        if given.get("text") and self.shape != "Text":
            meta["text"] = given["text"]
        if given.get("type") in SPECIAL:
            meta["type"] = given["type"]
        if tags:
            meta["tag"] = list(tags)
        if sign == "-" or given.get("include") == "0":
            meta["include"] = False
        for name in ("frame", "name"):
            if given.get(name):
                meta[name] = given[name]
        if is_locked(given):
            meta["move"] = 0
        if comment := kept(given):
            meta["comment"] = comment
        return meta

    @property
    def visual(self) -> dict[str, Any]:
        """What the visual of the region will be."""
        given = self.words[0]
        visual: dict[str, Any] = {"color": given["color"]} if given.get("color") else {}
        if given.get("width", "").isdigit():
            visual["linewidth"] = int(given["width"])
        return visual

    def made(self) -> Any:
        """Return the object of ``regions``."""
        return made([self])[0]


class Maker:
    """Takes shapes, checks them, and keeps them as sketches."""

    def __init__(self) -> None:
        self.sketches: list[Any] = []

    def curve(
        self, shape: str, frame: str, centre: tuple[float, float], sizes: list[float], angle: float | None, words: Words
    ) -> None:
        """Take a shape with a centre: sizes in pixels or degrees by the order of its class, angle in degrees."""
        if shape.endswith("Annulus"):
            inner, outer = sizes[::2], sizes[1::2]
            if not any(inner):
                shape, sizes = shape.removesuffix("Annulus"), outer  # DS9 lets the inner radius be 0
            elif not all(a < b for a, b in zip(inner, outer, strict=True)):
                raise ValueError("the inner size is not below the outer one")
        if not all(0 < size < math.inf for size in sizes):
            raise ValueError("a size is not above 0")
        x, y = centre
        if not (math.isfinite(x) and math.isfinite(y)) or (frame != PIXEL_FRAME and abs(y) > 90):
            raise ValueError("no place on the sky")
        self.sketches.append(Sketch(shape, frame, (centre,), sizes, angle, words))

    def path(self, shape: str, frame: str, points: np.ndarray, words: Words) -> None:
        """Take a polygon, a line, a point or a text; points of shape (n, 2)."""
        if not np.isfinite(points).all() or (frame != PIXEL_FRAME and (np.abs(points[:, 1]) > 90).any()):
            raise ValueError("no place on the sky")
        self.sketches.append(Sketch(shape, frame, points, (), None, words))

    def made(self) -> list[Any]:
        """Return the regions in the order in which they were taken."""
        return made(self.sketches)


def made(sketches: Iterable[Any]) -> list[Any]:
    """Return objects of ``regions`` for sketches, whatever else there is as it is.

    Positions on the sky are made by one call for each frame: to make one takes longer than to make a thousand.
    """
    things = list(sketches)
    points: dict[str, list[np.ndarray]] = {}
    counts: dict[str, int] = {}
    firsts = []
    for sketch in things:
        if not isinstance(sketch, Sketch):
            firsts.append(0)
            continue
        firsts.append(counts.get(sketch.frame, 0))
        points.setdefault(sketch.frame, []).append(np.asarray(sketch.points, float))
        counts[sketch.frame] = firsts[-1] + len(sketch.points)
    positions = {frame: _positions(frame, np.concatenate(some)) for frame, some in points.items()}
    return [
        _made(thing, positions[thing.frame], first) if isinstance(thing, Sketch) else thing
        for thing, first in zip(things, firsts, strict=True)
    ]


def _positions(frame: str, points: np.ndarray) -> Any:
    if frame == PIXEL_FRAME:
        return points
    from astropy.coordinates import SkyCoord

    return SkyCoord(points[:, 0], points[:, 1], unit="deg", frame=frame)


def _made(sketch: Sketch, positions: Any, first: int) -> Any:
    import regions

    space = "Pixel" if sketch.frame == PIXEL_FRAME else "Sky"
    cls = getattr(regions, f"{sketch.shape}{space}Region")
    values = _placed(sketch.shape, positions, first, first + len(sketch.points), sketch.frame)
    if sketch.shape in SIZES:
        values.update(zip(SIZES[sketch.shape], [_length(s, sketch.frame) for s in sketch.sizes], strict=True))
    if sketch.angle is not None:
        values["angle"] = _degrees(sketch.angle)
    if sketch.shape == "Text":
        values["text"] = sketch.words[0].get("text", "")
    words = {"meta": regions.RegionMeta(sketch.meta), "visual": regions.RegionVisual(sketch.visual)}
    return _bare(cls, {**values, **words})


def _bare(cls: type, values: dict[str, Any]) -> Any:
    """Make a region from values that were checked: checking the units of each takes longer than all the rest."""
    if cls.__name__.startswith(("Polygon", "RectangleAnnulus", "EllipseAnnulus", "CircleAnnulus")):
        return cls(**values)  # these keep more than their parameters
    region = cls.__new__(cls)
    region.__dict__.update(values)
    return region


def _placed(kind: str, positions: Any, first: int, last: int, frame: str) -> dict[str, Any]:
    name = {"Polygon": "vertices"}.get(kind, "center")
    if frame != PIXEL_FRAME:
        if kind == "Line":
            return {"start": positions[first], "end": positions[first + 1]}
        return {name: positions[first:last] if kind == "Polygon" else positions[first]}
    from regions import PixCoord

    x, y = positions[first:last].T
    if kind == "Line":
        return {"start": PixCoord(float(x[0]), float(y[0])), "end": PixCoord(float(x[1]), float(y[1]))}
    return {name: PixCoord(x.copy(), y.copy()) if kind == "Polygon" else PixCoord(float(x[0]), float(y[0]))}


def _length(size: float, frame: str) -> Any:
    if frame == PIXEL_FRAME:
        return size
    from astropy import units as u

    return u.Quantity(size * 3600.0, u.arcsec)


def _degrees(angle: float) -> Any:
    from astropy import units as u

    return u.Quantity(angle, u.deg)
