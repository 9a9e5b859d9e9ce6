"""From the grid that a region is edited on to the pixels of a view, and back, exactly."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from jviz.backend.native_frame import NativeFrame, frame_of_astropy
from jviz.backend.regions.converting import to_sky
from jviz.backend.regions.kinds import kind_of
from jviz.backend.regions.offsets import offset_by, offsets_to
from jviz.errors import CommandError
from jviz.subsets import Subset
from jviz.viewers.image_layers import ready_sky
from jviz.viewers.region_shapes import Shape, region_of, shape_of

__all__ = ["Grid", "PixelGrid", "SkyGrid", "edited", "grid_of", "new_region", "shape_on_grid"]

ARCSEC = 3600.0


@dataclass(frozen=True, eq=False)
class PixelGrid:
    """The pixels of an image: those of the view itself, or of another image through the sky of both.

    Parameters
    ----------
    own, view : SkyMap or None
        None: the pixels of the view.
    """

    own: Any = None
    view: Any = None

    def to_view(self, points: np.ndarray) -> np.ndarray:
        """Return pixels of the view, shape (n, 2)."""
        if self.own is None:
            return points
        return np.column_stack(self.view.sky_to_pixel(*self.own.pixel_to_sky(*points.T)))

    def from_view(self, points: np.ndarray) -> np.ndarray:
        """Return points of the grid."""
        if self.own is None:
            return points
        return np.column_stack(self.own.sky_to_pixel(*self.view.pixel_to_sky(*points.T)))

    def shape(self, region: Any) -> Shape | None:
        """Return a region as a shape on this grid."""
        return shape_of(region, _pixels, float)

    def region(self, shape: Shape, like: Any = None) -> Any:
        """Return a shape as a region."""
        return region_of(shape, "PixelRegion", _pix_coord, float, like)


@dataclass(frozen=True, eq=False)
class SkyGrid:
    """Arcseconds to the west and to the north of a direction, along great circles (azimuthal equidistant).

    Parameters
    ----------
    lon, lat : float
        The direction, in degrees of ``frame``.
    frame : NativeFrame
    like : SkyCoord
        A coordinate in that frame.
    view : SkyMap
    """

    lon: float
    lat: float
    frame: NativeFrame
    like: Any
    view: Any

    def to_view(self, points: np.ndarray) -> np.ndarray:
        """Return pixels of the view, shape (n, 2)."""
        lon, lat = offset_by(self.lon, self.lat, *points.T / ARCSEC)
        return np.column_stack(self.view.sky_to_pixel(*self.frame.to_icrs(lon, lat)))

    def from_view(self, points: np.ndarray) -> np.ndarray:
        """Return points of the grid."""
        lon, lat = self.frame.of_icrs(*self.view.pixel_to_sky(*points.T))
        return ARCSEC * np.column_stack(offsets_to(self.lon, self.lat, lon, lat))

    def shape(self, region: Any) -> Shape | None:
        """Return a region as a shape on this grid."""
        return shape_of(region, self._offsets, _arcsec)

    def region(self, shape: Shape, like: Any = None) -> Any:
        """Return a shape as a region."""
        from astropy import units as u

        return region_of(shape, "SkyRegion", self._coord, lambda size: size * u.arcsec, like)

    def _offsets(self, coord: Any) -> np.ndarray:
        lon, lat = degrees_of(coord)
        if len(lon) == 1 and lon[0] == self.lon and lat[0] == self.lat:
            return np.zeros((1, 2))
        return ARCSEC * np.column_stack(offsets_to(self.lon, self.lat, lon, lat))

    def _coord(self, points: np.ndarray) -> Any:
        from astropy.coordinates import SkyCoord

        lon, lat = offset_by(self.lon, self.lat, *np.asarray(points).T / ARCSEC)
        return SkyCoord(lon, lat, unit="deg", frame=self.like.frame.replicate_without_data())


Grid = PixelGrid | SkyGrid


def degrees_of(coord: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return longitudes and latitudes of a SkyCoord in its own frame, in degrees, shape (n,)."""
    data = coord.frame.data
    if not hasattr(data, "lon"):
        data = coord.frame.spherical
    # Asking for another unit, or another representation, would take longer than all the rest.
    lon, lat = data.lon, data.lat
    return np.atleast_1d(lon.value * (_arcsecs(lon.unit) / ARCSEC)), np.atleast_1d(
        lat.value * (_arcsecs(lat.unit) / ARCSEC)
    )


def _arcsec(size: Any) -> float:
    return float(size.value) * _arcsecs(size.unit)


@cache
def _arcsecs(unit: Any) -> float:
    """Return how many arcseconds a unit has."""
    return float(unit.to("arcsec"))


def _pixels(coord: Any) -> np.ndarray:
    return np.column_stack([np.atleast_1d(coord.x), np.atleast_1d(coord.y)]).astype(float)


def _pix_coord(points: np.ndarray) -> Any:
    from regions import PixCoord

    x, y = np.asarray(points, dtype=float).T
    return PixCoord(float(x), float(y)) if np.ndim(x) == 0 else PixCoord(x, y)


def anchor_of(region: Any) -> Any:
    """Return the coordinate that a region's grid begins at."""
    for name in ("center", "start"):
        if hasattr(region, name):
            return getattr(region, name)
    return region.vertices[0]


def shape_on_grid(subset: Subset, data: Any, sky: Any, region: Any = None) -> tuple[Shape, Grid] | None:
    """Return the shape of a subset with its grid, None when it cannot be edited or shown on an image.

    Parameters
    ----------
    data : Data
        The image whose pixels the view shows.
    sky : SkyMap or None
        Of that image.
    region : Region, optional
        One of the parts of a compound region instead of the whole.
    """
    region = subset.region if region is None else region
    if not kind_of(region):
        return None
    grid = grid_of(subset, data, sky, region)
    shape = grid.shape(region) if grid is not None else None
    return (shape, grid) if shape is not None else None


def grid_of(subset: Subset, data: Any, sky: Any, region: Any) -> Grid | None:
    """Return the grid that a region is edited on, None when the view cannot show it (yet)."""
    if subset.kind == "pixel":
        if subset.data is None or subset.data is data:
            return PixelGrid()
        own = ready_sky(subset.data)
        if own is not None and sky is not None:
            return PixelGrid(own, sky)
        return PixelGrid() if own is None and sky is None else None
    if subset.kind != "sky" or sky is None:
        return None
    coord = anchor_of(region)
    frame = frame_of_astropy(coord.frame)
    if frame is None:
        return None
    lon, lat = degrees_of(coord)
    return SkyGrid(float(lon[0]), float(lat[0]), frame, coord, sky)


def edited(subset: Subset, shape: Shape, grid: Grid) -> Subset:
    """Return a subset whose region is a shape now."""
    return subset.but(region=grid.region(shape, subset.region))


def new_region(shape: Shape, sky: Any, *, on_sky: bool) -> Any:
    """Return a region of a shape in pixels of a view, on its sky if it has one there and that is wanted."""
    region = PixelGrid().region(shape)
    if sky is None or not on_sky:
        return region
    try:
        return to_sky(region, sky)
    except CommandError:
        return region  # beside the sky, as off the edge of an all-sky map
