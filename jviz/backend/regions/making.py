"""Many regions from plain numbers: positions on the sky are made by one call for each frame."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["PIXEL_FRAME", "SIZES", "Maker"]

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


class Maker:
    """Takes shapes and makes them all at the end.

    Each call of astropy to make one position takes longer than to make a thousand.
    """

    def __init__(self) -> None:
        self._shapes: list[tuple[str, str, int, int, list[float], float | None, Words]] = []
        self._places: dict[str, list[np.ndarray]] = {}
        self._counts: dict[str, int] = {}

    def curve(
        self, kind: str, frame: str, centre: tuple[float, float], sizes: list[float], angle: float | None, words: Words
    ) -> None:
        """Take a shape with a centre: sizes in pixels or degrees by the order of its class, angle in degrees."""
        inner, outer = sizes[::2], sizes[1::2]
        if kind.endswith("Annulus") and not any(inner):
            kind, sizes = kind.removesuffix("Annulus"), outer  # DS9 lets the inner radius be 0
        elif kind.endswith("Annulus") and not all(np.less(inner, outer)):
            raise ValueError("the inner size is not below the outer one")
        if not all(size > 0 for size in sizes):
            raise ValueError("a size is not above 0")
        self._add(kind, frame, np.array([centre], float), sizes, angle, words)

    def path(self, kind: str, frame: str, points: np.ndarray, words: Words) -> None:
        """Take a polygon, a line, a point or a text; points of shape (n, 2)."""
        self._add(kind, frame, points, [], None, words)

    def _add(self, kind: str, frame: str, points: np.ndarray, sizes: list[float], angle: float | None, words: Words):
        if not np.isfinite(points).all() or (frame != PIXEL_FRAME and (np.abs(points[:, 1]) > 90).any()):
            raise ValueError("no place on the sky")
        first = self._counts.get(frame, 0)
        self._places.setdefault(frame, []).append(points)
        self._counts[frame] = first + len(points)
        self._shapes.append((kind, frame, first, first + len(points), sizes, angle, words))

    def made(self) -> list[Any]:
        """Return the regions in the order in which they were taken."""
        positions = {frame: self._positions(frame) for frame in self._places}
        return [self._made(positions, *shape) for shape in self._shapes]

    def _positions(self, frame: str) -> Any:
        points = np.concatenate(self._places[frame])
        if frame == PIXEL_FRAME:
            return points
        from astropy.coordinates import SkyCoord

        return SkyCoord(points[:, 0], points[:, 1], unit="deg", frame=frame)

    def _made(self, positions: Any, kind: str, frame: str, first: int, last: int, sizes: Any, angle: Any, words: Words):
        import regions

        space = "Pixel" if frame == PIXEL_FRAME else "Sky"
        cls = getattr(regions, f"{kind}{space}Region")
        meta, visual = _said(words, kind)
        values = _placed(kind, positions[frame], first, last, frame)
        if kind in SIZES:
            values.update(zip(SIZES[kind], [_length(s, frame) for s in sizes], strict=True))
        if angle is not None:
            values["angle"] = _degrees(angle)
        if kind == "Text":
            values["text"] = words[0].get("text", "")
        return _bare(cls, {**values, "meta": meta, "visual": visual})


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


def _said(words: Words, kind: str) -> tuple[Any, Any]:
    from regions import RegionMeta, RegionVisual

    given, tags, sign = words
    meta, visual = RegionMeta(), RegionVisual()
    if given.get("text") and kind != "Text":
        meta["text"] = given["text"]
    if tags:
        meta["tag"] = list(tags)
    if sign == "-":
        meta["include"] = False
    if given.get("color"):
        visual["color"] = given["color"]
    if given.get("width", "").isdigit():
        visual["linewidth"] = int(given["width"])
    return meta, visual
