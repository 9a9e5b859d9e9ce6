"""The whole sky on a plane: the equal-area projection of Hammer about any place, near which nothing is bent.

Hammer, E. 1892, Petermanns Mitteilungen 38, 85; Snyder, J. P. 1987, Map Projections, USGS 1395, p. 182.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from jviz.backend.render.frames import lonlat, unit_vectors

__all__ = ["HALF_HEIGHT", "HALF_WIDTH", "Hammer"]

HALF_WIDTH, HALF_HEIGHT = 2 * math.sqrt(2), math.sqrt(2)
"""Semi-axes of the ellipse that the sky becomes."""


@dataclass(frozen=True)
class Hammer:
    """The projection with a place (degrees) in its middle, north up and east to the left."""

    lon: float = 0.0
    lat: float = 0.0

    @property
    def axes(self) -> np.ndarray:
        """Unit vectors towards the middle, to the east of it and to the north of it, shape (3, 3)."""
        lon, lat = math.radians(self.lon), math.radians(self.lat)
        sl, cl, sb, cb = math.sin(lon), math.cos(lon), math.sin(lat), math.cos(lat)
        return np.array([[cb * cl, cb * sl, sb], [-sl, cl, 0.0], [-sb * cl, -sb * sl, cb]])

    def to_plane(self, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return x to the right and y up of unit vectors of shape (..., 3); a radian at the middle is 1."""
        toward, east, north = np.moveaxis(vectors @ self.axes.T, -1, 0)
        half = np.arctan2(east, toward) / 2
        flat = np.sqrt(np.clip(1 - north**2, 0, None))
        root = np.sqrt(1 + flat * np.cos(half))
        return -HALF_WIDTH * flat * np.sin(half) / root, HALF_HEIGHT * north / root

    def to_sky(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return longitude and latitude in degrees of places on the plane; NaN off the sky."""
        x, y = np.asarray(x, float) * -1, np.asarray(y, float)
        square = 1 - (x / 4) ** 2 - (y / 2) ** 2
        with np.errstate(invalid="ignore"):
            root = np.sqrt(np.where(square >= 0.5 - 1e-12, square, np.nan))
            lon, lat = 2 * np.arctan2(root * x, 2 * (2 * square - 1)), np.arcsin(np.clip(root * y, -1, 1))
        vectors = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], -1) @ self.axes
        return lonlat(np.moveaxis(vectors, -1, 0))

    def at(self, lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return x and y of positions in degrees."""
        return self.to_plane(np.moveaxis(unit_vectors(lon, lat), 0, -1))
