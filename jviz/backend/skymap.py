"""Where the pixels of an image lie on the sky: always ICRS degrees, whatever the file's WCS speaks."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from jviz.backend.inverse import Inverse
from jviz.backend.render.frames import unit_vectors
from jviz.backend.sky_adapters import Adapter, adapter_of

__all__ = ["SR_PER_ARCSEC2", "PixelScale", "SkyMap"]

Pair = tuple[np.ndarray, np.ndarray]

_arcsec = np.degrees(1.0) * 3600.0

SR_PER_ARCSEC2 = float(np.radians(1 / 3600) ** 2)
"""Steradians of a square arcsecond."""


FEW, KNOWN = 8, 6
"""Places that are remembered where a WCS is slow: of a question, and how many questions."""


class PixelScale(NamedTuple):
    """Sizes of a pixel in arcseconds: the root of its area, and along x and y."""

    mean: float
    x: float
    y: float


class SkyMap:
    """The exact map between pixels of the last two array axes and the sky.

    Make it with `SkyMap.of`. Pixels are 0-based, (0, 0) is the centre of the first one; x is the
    column. Every method takes numbers or arrays of one shape.

    Attributes
    ----------
    wcs : object
        The WCS it was made from.
    shape : tuple of int
        Shape of the array.
    native_frame : str
        ``"icrs"``, ``"fk5"``, ``"fk4"``, ``"galactic"``, ``"ecliptic"`` … as the WCS has it.
    mesh_step : int
        Distance, in viewport pixels, of mesh nodes that is fine enough for drawing with this WCS.
    is_quick : bool
        Whether thousands of places take no longer than a picture may.
    """

    def __init__(self, adapter: Adapter, wcs: Any, shape: tuple[int, ...]) -> None:
        self.wcs = wcs
        self.shape = tuple(shape)
        self.native_frame = adapter.frame.name
        self.mesh_step, self.is_quick = adapter.mesh_step, adapter.quick
        self._adapter = adapter
        self._inverse = Inverse(adapter.forward, self.shape[-2:])
        self._known: dict[tuple[Any, ...], Pair] = {}

    @classmethod
    def of(cls, wcs: Any, shape: tuple[int, ...]) -> SkyMap | None:
        """Make the map of a WCS over the last two axes of an array.

        Parameters
        ----------
        wcs : object
            astropy's ``WCS``, a ``gwcs.WCS``, or anything with the interface of APE 14; or None.
        shape : tuple of int
            In numpy order.

        Returns
        -------
        SkyMap or None
            None when these axes are no pair of celestial ones: spectra, slits, planets.
        """
        if wcs is None or len(shape) < 2:
            return None
        adapter = adapter_of(wcs)
        return None if adapter is None else cls(adapter, wcs, shape)

    def pixel_to_sky(self, x: ArrayLike, y: ArrayLike) -> Pair:
        """Return ICRS longitude in [0, 360) and latitude in degrees, float64; NaN where undefined."""
        x, y = _pair(x, y)
        if self.is_quick or x.size > FEW:
            return self._sky_of(x, y)
        # A scale bar, a compass and the numbers of a panel ask for the same places.
        key = x.shape, x.tobytes(), y.tobytes()
        known = self._known  # which other threads replace, and never change
        found = known.get(key) or self._sky_of(x, y)
        if key not in known:
            self._known = {**dict(list(known.items())[1 - KNOWN :]), key: found}
        lon, lat = found
        return lon.copy(), lat.copy()

    def _sky_of(self, x: np.ndarray, y: np.ndarray) -> Pair:
        lon, lat = self._adapter.forward(x.ravel(), y.ravel())
        lon, lat = self._adapter.frame.to_icrs(lon, lat)
        undefined = np.isnan(lat) | np.isnan(lon) | (np.abs(lat) > 90.0 + 1e-9)
        if undefined.any():
            lon, lat = np.where(undefined, np.nan, lon), np.where(undefined, np.nan, lat)
        return lon.reshape(x.shape), lat.reshape(x.shape)

    def sky_to_pixel(self, lon: ArrayLike, lat: ArrayLike) -> Pair:
        """Return the pixel of ICRS directions in degrees, float64; NaN where there is none.

        Pixels beyond the edges of the array are given as long as the WCS reaches there.
        """
        lon, lat = _pair(lon, lat)
        native = self._adapter.frame.of_icrs(lon.ravel(), lat.ravel())
        x, y = self._pixels(*native)
        return np.reshape(x, lon.shape), np.reshape(y, lon.shape)

    def _pixels(self, lon: np.ndarray, lat: np.ndarray) -> Pair:
        if self._adapter.inverse is None:
            return self._inverse.solve(lon, lat)
        x, y = self._adapter.inverse(lon, lat)
        return (x, y) if self._adapter.exact else self._inverse.improve(x, y, lon, lat)

    def pixel_scale(self, x: float | None = None, y: float | None = None) -> PixelScale:
        """Return the size of a pixel in arcseconds, at the centre of the array by default."""
        jacobian = self.jacobian(*self._place(x, y))
        along_x, along_y = np.hypot(jacobian[0, 0], jacobian[1, 0]), np.hypot(jacobian[0, 1], jacobian[1, 1])
        (a, b), (c, d) = jacobian
        area = abs(a * d - b * c)  # numpy's det warns of what has no sky there
        return PixelScale(float(np.sqrt(area)), float(along_x), float(along_y))

    def pixel_area_arcsec2(self, x: ArrayLike, y: ArrayLike) -> np.ndarray:
        """Return the solid angle of pixels in square arcseconds."""
        (a, b), (c, d) = self.jacobian(*_pair(x, y))
        return np.abs(a * d - b * c)

    def north_angle(self, x: float | None = None, y: float | None = None) -> float:
        """Return the direction of north on the array, in degrees from +y counter-clockwise (y up)."""
        (a, b), (c, d) = self.jacobian(*self._place(x, y))
        # the pixel step that goes north only: J (px, py) = (0, 1), up to the sign of the determinant
        sign = np.sign(a * d - b * c)
        return float(np.degrees(np.arctan2(sign * b, sign * a)))

    def handedness(self, x: float | None = None, y: float | None = None) -> int:
        """Return +1 when east lies counter-clockwise (left) of north with y up, −1 when mirrored, 0 if undefined."""
        (a, b), (c, d) = self.jacobian(*self._place(x, y))
        determinant = a * d - b * c
        return -int(np.sign(determinant)) if np.isfinite(determinant) else 0

    def _place(self, x: float | None, y: float | None) -> tuple[float, float]:
        ny, nx = self.shape[-2:]
        return (nx - 1) / 2 if x is None else x, (ny - 1) / 2 if y is None else y

    def jacobian(self, x: ArrayLike, y: ArrayLike) -> np.ndarray:
        """Return d(east, north) / d(x, y) in arcseconds per pixel, shape (2, 2, …), over one pixel."""
        x, y = _pair(x, y)
        dx, dy = np.array([0, 0.5, -0.5, 0, 0]), np.array([0, 0, 0, 0.5, -0.5])
        lon, lat = self.pixel_to_sky(np.add.outer(dx, x), np.add.outer(dy, y))
        vectors = unit_vectors(lon, lat)
        steps = (vectors[:, 1] - vectors[:, 2], vectors[:, 3] - vectors[:, 4])
        east, north = _tangents(lon[0], lat[0])
        return np.array([[(axis * step).sum(0) for step in steps] for axis in (east, north)]) * _arcsec


def _pair(a: ArrayLike, b: ArrayLike) -> Pair:
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    return (a, b) if a.shape == b.shape else np.broadcast_arrays(a, b)


def _tangents(lon: np.ndarray, lat: np.ndarray) -> Pair:
    """Return the unit vectors to the east and to the north."""
    lon, lat = np.radians(lon), np.radians(lat)
    east = np.stack([-np.sin(lon), np.cos(lon), np.zeros_like(lon)])
    north = np.stack([-np.sin(lat) * np.cos(lon), -np.sin(lat) * np.sin(lon), np.cos(lat)])
    return east, north
