"""Regions between pixels and the sky, and put together; shapes are kept where the sky allows it."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from jviz.backend.regions.kinds import shape_name
from jviz.backend.regions.making import Sketch
from jviz.backend.regions.rings import degrees
from jviz.backend.skymap import SkyMap
from jviz.errors import CommandError

__all__ = ["combined", "converted", "is_pixel", "moved", "to_pixel", "to_sky"]

_operators = {"and": operator.and_, "or": operator.or_, "xor": operator.xor}


def is_pixel(region: Any) -> bool:
    """Whether a region, or a sketch of one, counts pixels."""
    return region.space == "pixel" if isinstance(region, Sketch) else type(region).__name__.endswith("PixelRegion")


def to_sky(region: Any, sky: SkyMap) -> Any:
    """Return a pixel region as one on the sky (ICRS).

    Centres and vertices are exact; sizes and angles follow the map at the centre, as `regions` has it: a
    circle keeps its area. Sky regions are returned as they are.

    Raises
    ------
    CommandError
        When it lies where the image has no sky.
    """
    if not is_pixel(region):
        return region
    return converted(region, _ToSky(sky))


def to_pixel(region: Any, sky: SkyMap) -> Any:
    """Return a sky region as one of the pixels of an image; pixel regions as they are.

    Raises
    ------
    CommandError
        When it does not lie on the sky of the image.
    """
    if is_pixel(region):
        return region
    return converted(region, _ToPixel(sky))


def combined(first: Any, second: Any, mode: str) -> Any:
    """Return ``first`` and, or, xor, andnot ``second``, both of pixels or both of the sky."""
    import regions

    kind = regions.CompoundPixelRegion if is_pixel(first) else regions.CompoundSkyRegion
    words = {"meta": first.meta.copy(), "visual": first.visual.copy()}
    if mode == "andnot":
        return kind(kind(first, second, operator.or_), second, operator.xor, **words)
    return kind(first, second, _operators[mode], **words)


def moved(region: Any, dx: float, dy: float) -> Any:
    """Return a region shifted: by pixels, or by degrees to the east and north for sky regions."""
    name = shape_name(type(region))
    if name == "Compound":
        return region.copy(region1=moved(region.region1, dx, dy), region2=moved(region.region2, dx, dy))
    return region.copy(**{n: _shifted(getattr(region, n), dx, dy) for n in _positions(name)})


def _positions(name: str) -> tuple[str, ...]:
    return {"Polygon": ("vertices",), "Line": ("start", "end")}.get(name, ("center",))


def _shifted(position: Any, dx: float, dy: float) -> Any:
    if hasattr(position, "x"):
        return type(position)(position.x + dx, position.y + dy)
    from astropy import units as u

    return position.spherical_offsets_by(dx * u.deg, dy * u.deg)


class _ToSky:
    """Positions, sizes and angles from pixels to the sky."""

    space = "Sky"

    def __init__(self, sky: SkyMap) -> None:
        self._sky = sky

    def position(self, position: Any) -> Any:
        from astropy.coordinates import SkyCoord

        lon, lat = self._sky.pixel_to_sky(position.x, position.y)
        _check(lon)
        return SkyCoord(lon, lat, unit="deg", frame="icrs")

    def matrix(self, position: Any) -> np.ndarray:
        """From (x, y) to degrees to the west and north: axes as angles of sky regions count them."""
        east, north = self._sky.jacobian(position.x, position.y) / 3600.0
        return np.array([-east, north])

    def size(self, value: float) -> Any:
        from astropy import units as u

        return (value * 3600.0) * u.arcsec


class _ToPixel:
    """Positions, sizes and angles from the sky to pixels."""

    space = "Pixel"

    def __init__(self, sky: SkyMap) -> None:
        self._sky = sky

    def position(self, position: Any) -> Any:
        from regions import PixCoord

        coord = position.icrs
        x, y = self._sky.sky_to_pixel(degrees(coord.ra), degrees(coord.dec))
        _check(x)
        return PixCoord(x, y) if np.ndim(x) else PixCoord(float(x), float(y))

    def matrix(self, position: Any) -> np.ndarray:
        """From degrees to the west and north, in the frame of the position, to (x, y)."""
        here = self.position(position)
        east, north = self._sky.jacobian(here.x, here.y) / 3600.0
        turn = _frame_angle(position)
        cos, sin = np.cos(turn), np.sin(turn)
        return np.linalg.inv(np.array([-east, north])) @ np.array([[cos, -sin], [sin, cos]])

    def size(self, value: float) -> float:
        return value


def _frame_angle(position: Any) -> float:
    """Return how far the parallel of the position's frame is turned against that of ICRS, in radians."""
    if position.frame.name == "icrs":
        return 0.0
    from astropy import units as u

    north = position.directional_offset_by(0 * u.deg, 1 * u.arcsec)
    return float(position.icrs.position_angle(north.icrs).to_value("rad"))


def _check(values: Any) -> None:
    if not np.isfinite(values).all():
        raise CommandError("The region reaches where the image has no sky; keep it in pixels or move it.")


def converted(region: Any, to: Any) -> Any:
    """Return a region by a map of positions, with sizes and angles as the map has them at its centre.

    Parameters
    ----------
    region : regions.Region
    to : object
        With ``space`` ("Sky" or "Pixel"), ``position``, ``matrix`` and ``size``, as `_ToSky` has them.
    """
    import regions

    name = shape_name(type(region))
    words = {"meta": region.meta.copy(), "visual": region.visual.copy()}
    if name == "Compound":
        kind = getattr(regions, f"Compound{to.space}Region")
        return kind(converted(region.region1, to), converted(region.region2, to), region.operator, **words)
    if name == "RegularPolygon":
        name = "Polygon"
    kind = getattr(regions, f"{name}{to.space}Region", None)
    if kind is None:
        raise CommandError(f"A {name} cannot be converted; draw it again on the image where it is needed.")
    values = {n: to.position(getattr(region, n)) for n in _positions(name)}
    if name == "Text":
        values["text"] = region.text
    return kind(**values, **_sizes(region, to), **words)


def _sizes(region: Any, to: Any) -> dict[str, Any]:
    """Return the sizes and the angle by the names that the class gives them."""
    names = [n for n in region._params if n.endswith(("radius", "width", "height"))]
    if not names or shape_name(type(region)) == "RegularPolygon":
        return {}
    matrix = to.matrix(region.center)
    lengths = {n: _number(getattr(region, n)) for n in names}
    if all(n.endswith("radius") for n in names):
        scale = float(np.sqrt(abs(np.linalg.det(matrix))))
        return {n: to.size(value * scale) for n, value in lengths.items()}
    widen, heighten, angle = _axes(matrix, float(degrees(region.angle)))
    sizes = {n: to.size(value * (widen if n.endswith("width") else heighten)) for n, value in lengths.items()}
    return {**sizes, "angle": angle}


def _number(value: Any) -> float:
    return float(degrees(value) if hasattr(value, "unit") else value)


def _axes(matrix: np.ndarray, angle: float) -> tuple[float, float, Any]:
    """Return by what width and height grow, and the new angle, mirrored where the map mirrors."""
    from astropy import units as u

    turn = np.radians(angle)
    width = matrix @ [np.cos(turn), np.sin(turn)]
    longer = float(np.hypot(*width))
    return longer, abs(float(np.linalg.det(matrix))) / longer, np.degrees(np.arctan2(width[1], width[0])) * u.deg
