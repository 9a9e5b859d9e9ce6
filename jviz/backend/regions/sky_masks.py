"""Which pixels of an image lie in a region whose outline its map parts: asked for each pixel on the sky."""

from __future__ import annotations

from typing import Any

import numpy as np

from jviz.backend.regions.converting import is_pixel
from jviz.backend.regions.offsets import offsets_to
from jviz.backend.regions.outlines import counts_of, sampled
from jviz.backend.regions.rings import rings_of
from jviz.backend.render.frames import lonlat, unit_vectors

__all__ = ["SkyShape"]

_points = 2_000_000
"""Places on the sky that are worked out at a time."""

_scale = 400.0
"""The outline is as fine as that of a region of so many pixels: areas to 1e-5."""


class SkyShape:
    """A region as polygons on a plane where it is whole: round its middle, or the pixels of its own image.

    Parameters
    ----------
    region : regions.Region
        A simple one.
    home : SkyMap or other
        Of a pixel region: the map of the image whose pixels it counts.

    Attributes
    ----------
    reach : float
        Degrees from its middle to its farthest point.
    """

    def __init__(self, region: Any, home: Any) -> None:
        self._home = home if is_pixel(region) else None
        rings = rings_of([region])
        table = rings.table
        size = np.maximum(np.hypot(table[:, 6], table[:, 7]), 1e-12)
        found = sampled(rings, table, counts_of(table, np.where(table[:, 6] > 0, _scale / size, 1.0)))
        whole = np.concatenate([found.ring(k) for k in range(len(found))])
        on_sky = whole if self._home is None else np.column_stack(self._home.pixel_to_sky(*whole.T))
        self._centre = _middle(region, on_sky)
        self.reach = float(np.nanmax(np.hypot(*offsets_to(*self._centre, *on_sky.T))))
        self._rings = [self._flat(found.ring(k)) for k in range(len(found))]

    def _flat(self, places: np.ndarray) -> np.ndarray:
        if self._home is not None:
            return np.ascontiguousarray(places)
        return np.column_stack(offsets_to(*self._centre, *places.T))

    def near(self, sky: Any, margin: float) -> tuple[slice, slice] | None:
        """Return the box of the pixels that may be touched, None when there are none.

        Parameters
        ----------
        sky : SkyMap
        margin : float
            How far round the region is searched besides, in pixels.
        """
        ny, nx = sky.shape[-2:]
        step = max(1, int(np.ceil(np.sqrt(nx * ny / _points))))
        y, x = (np.unique(np.append(np.arange(0, n, step), n - 1)) for n in (ny, nx))
        lon, lat = sky.pixel_to_sky(*np.meshgrid(x.astype(float), y.astype(float)))
        size = sky.pixel_scale().mean / 3600.0
        reach = self.reach + (margin + 2 * step) * (size if np.isfinite(size) else 1.0)
        with np.errstate(invalid="ignore"):
            found = np.hypot(*offsets_to(*self._centre, lon, lat)) < reach
        rows, columns = np.flatnonzero(found.any(axis=1)), np.flatnonzero(found.any(axis=0))
        if not len(rows):
            return None
        low = [max(0, int(grid[k[0]]) - step) for grid, k in ((y, rows), (x, columns))]
        high = [min(n, int(grid[k[-1]]) + step + 1) for grid, k, n in ((y, rows, ny), (x, columns, nx))]
        return slice(low[0], high[0]), slice(low[1], high[1])

    def points_in(self, sky: Any, box: tuple[slice, slice], finer: int) -> np.ndarray:
        """Return which points of a grid, ``finer`` to a pixel each way, lie in the region; bool."""
        rows, columns = box
        y = rows.start - 0.5 + (np.arange((rows.stop - rows.start) * finer) + 0.5) / finer
        x = columns.start - 0.5 + (np.arange((columns.stop - columns.start) * finer) + 0.5) / finer
        out = np.zeros((len(y), len(x)), bool)
        strip = max(1, _points // max(1, len(x)))
        for first in range(0, len(y), strip):
            lon, lat = sky.pixel_to_sky(*np.meshgrid(x, y[first : first + strip]))
            out[first : first + strip] = self._contains(lon, lat)
        return out

    def holds(self, sky: Any, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return which points, in pixels, lie in the region; bool, shape (n,)."""
        return self._contains(*sky.pixel_to_sky(x, y))

    def _contains(self, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
        from jviz.backend.regions import kernels

        found = np.zeros(lon.shape, bool)
        with np.errstate(invalid="ignore"):
            near = np.hypot(*offsets_to(*self._centre, lon, lat)) <= self.reach * (1 + 1e-9)
        places = np.column_stack([lon[near], lat[near]])
        if self._home is not None:
            places = np.column_stack(self._home.sky_to_pixel(*places.T))
        else:
            places = self._flat(places)
        x, y = np.ascontiguousarray(places[:, 0]), np.ascontiguousarray(places[:, 1])
        inside = np.zeros(len(x), bool)
        for ring in self._rings:
            inside ^= kernels.contains(np.ascontiguousarray(ring[:, 0]), np.ascontiguousarray(ring[:, 1]), x, y)
        found[near] = inside
        return found


def _middle(region: Any, outline: np.ndarray) -> tuple[float, float]:
    """Return the degrees of the centre of a region; of the mean of its outline where it has none of the sky."""
    if not is_pixel(region) and hasattr(region, "center"):
        # The mean of the outline of what is larger than a hemisphere lies on the other side.
        return float(region.center.icrs.ra.deg), float(region.center.icrs.dec.deg)
    middle = unit_vectors(*outline.T).mean(axis=1)
    lon, lat = lonlat(middle / (np.linalg.norm(middle) or 1.0))
    return float(lon), float(lat)
