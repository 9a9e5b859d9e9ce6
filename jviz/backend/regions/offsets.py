"""Directions on the sphere by arcs to the west and to the north of a place."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["offset_by", "offsets_to"]


def offset_by(lon: Any, lat: Any, west: np.ndarray, north: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the directions, in degrees, that lie so many degrees away (the solution of a spherical triangle)."""
    lon, lat = np.radians(lon), np.radians(lat)
    distance, angle = np.radians(np.hypot(west, north)), np.arctan2(-west, north)
    sine = np.sin(lat) * np.cos(distance) + np.cos(lat) * np.sin(distance) * np.cos(angle)
    across = np.sin(angle) * np.sin(distance) * np.cos(lat)
    new = lon + np.arctan2(across, np.cos(distance) - np.sin(lat) * sine)
    return np.degrees(new) % 360.0, np.degrees(np.arcsin(np.clip(sine, -1, 1)))


def offsets_to(lon: float, lat: float, to_lon: np.ndarray, to_lat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how many degrees to the west and to the north directions in degrees lie; undoes `offset_by`."""
    lon, lat, to_lon, to_lat = (np.radians(v) for v in (lon, lat, to_lon, to_lat))
    dlon = to_lon - lon
    east = np.cos(to_lat) * np.sin(dlon)
    north = np.cos(lat) * np.sin(to_lat) - np.sin(lat) * np.cos(to_lat) * np.cos(dlon)
    ahead = np.sin(lat) * np.sin(to_lat) + np.cos(lat) * np.cos(to_lat) * np.cos(dlon)
    sine = np.hypot(east, north)
    # The angle over its sine is 1 where both vanish.
    ratio = np.divide(np.arctan2(sine, ahead), sine, out=np.ones_like(sine), where=sine > 0)
    scale = np.degrees(ratio)
    return -east * scale, north * scale
