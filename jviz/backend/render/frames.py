"""Turn directions between celestial frames by one matrix product, fast enough for every frame of a pan."""

import math
import re
from functools import lru_cache
from typing import Any

import numpy as np

__all__ = ["FRAMES", "canonical", "equatorial", "from_icrs", "lonlat", "to_icrs", "unit_vectors"]

# Rows of the rotations from ICRS, as astropy 8.0 has them: FK5 at J2000, FK4 at B1950 (without the
# E-terms of aberration, observed at B1950), galactic, and the barycentric mean ecliptic at J2000.
_ROTATIONS = {
    "icrs": np.eye(3),
    "fk5": np.array(
        [
            [0.9999999999999921, -1.1102233297408327e-07, -4.411804498096771e-08],
            [1.1102233723050035e-07, 0.9999999999999889, 9.647792246010129e-08],
            [4.411803426976326e-08, -9.647792751958126e-08, 0.9999999999999943],
        ]
    ),
    "fk4": np.array(
        [
            [0.9999256809514492, 0.011181371753884796, 0.004858960740738826],
            [-0.011181372203849871, 0.9999374861373449, -2.707332853596656e-05],
            [-0.0048589597052854224, -2.725853209429822e-05, 0.9999881948140961],
        ]
    ),
    "galactic": np.array(
        [
            [-0.05487565771259163, -0.8734370519556159, -0.48383507361671546],
            [0.4941094371927268, -0.4448297212232952, 0.7469821839866676],
            [-0.8676661375596576, -0.19807633727300053, 0.4559838136873016],
        ]
    ),
    "ecliptic": np.array(
        [
            [0.9999999999999941, -7.078368960971556e-08, 8.056213977613186e-08],
            [3.2897004077419646e-08, 0.9174821299149584, 0.39777699944404793],
            [-1.0207044725484355e-07, -0.39777699944404304, 0.9174821299149556],
        ]
    ),
}

# E-terms of aberration at B1950 (Explanatory Supplement 1992, 3.531), in radians.
_E_TERMS = np.array([-1.6255741516894347e-06, -3.191905371563791e-07, -1.384290671929659e-07])

FRAMES = tuple(_ROTATIONS)
"""The frames a grid can be drawn in."""


def equatorial(frame: str) -> bool:
    """Whether longitudes of the frame are right ascensions, which people read in hours."""
    return frame.split(" ")[0] in ("icrs", "fk5", "fk4")


def canonical(frame: str) -> str:
    """Return the name of a frame as it is kept: one of `FRAMES`, or FK5 with another equinox, ``"fk5 J1975"``.

    Raises
    ------
    ValueError
        When it is none of those, or the equinox is before 1800 or after 2200.
    """
    name = " ".join(str(frame).split()).lower()
    if name in FRAMES:
        return name
    dated = _dated.fullmatch(name)
    if dated is None:
        raise ValueError(f"There is no frame {frame!r}; choose one of {', '.join(FRAMES)}, or write 'fk5 J1975'.")
    equinox = float(dated[1])
    if not 1800 <= equinox <= 2200:
        raise ValueError(f"The equinox J{equinox:g} is too far from J2000; choose one between 1800 and 2200.")
    return "fk5" if equinox == 2000 else f"fk5 J{equinox:g}"


_dated = re.compile(r"fk5[ _,]*j?(\d{4}(?:\.\d*)?)")


@lru_cache(maxsize=16)
def _precessed(equinox: float) -> np.ndarray:
    """Return the rotation from ICRS to FK5 at an equinox: precession of Capitaine et al. 2003 (A&A 412, 567)."""
    t = (equinox - 2000.0) / 100.0
    zeta, z, theta = (math.radians(np.polyval(terms, t) / 3600.0) for terms in _PRECESSION)
    return _turn(2, -z) @ _turn(1, theta) @ _turn(2, -zeta) @ _ROTATIONS["fk5"]


# Arc seconds, from the fifth power of Julian centuries down.
_PRECESSION = (
    (-0.0000003173, -0.000005971, 0.01801828, 0.2988499, 2306.083227, 2.650545),
    (-0.0000002904, -0.000028596, 0.01826837, 1.0927348, 2306.077181, -2.650545),
    (-0.0000001274, -0.000007089, -0.04182264, -0.4294934, 2004.191903, 0.0),
)


def _turn(axis: int, angle: float) -> np.ndarray:
    """Return the matrix that turns the axes by an angle in radians about one of them."""
    a, b = (axis + 1) % 3, (axis + 2) % 3
    matrix = np.eye(3)
    matrix[a, a] = matrix[b, b] = math.cos(angle)
    matrix[a, b], matrix[b, a] = math.sin(angle), -math.sin(angle)
    return matrix


def unit_vectors(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Return directions of shape (3, …) from longitudes and latitudes in degrees."""
    lon, lat = np.radians(lon), np.radians(lat)
    across = np.cos(lat)
    return np.stack([across * np.cos(lon), across * np.sin(lon), np.sin(lat)])


def separation(lon1: Any, lat1: Any, lon2: Any, lat2: Any) -> np.ndarray:
    """Return the angles between directions in degrees: from the chord, so exact for the smallest."""
    lon1, lat1, lon2, lat2 = np.broadcast_arrays(lon1, lat1, lon2, lat2)
    chord = unit_vectors(lon1, lat1) - unit_vectors(lon2, lat2)
    return np.degrees(2 * np.arcsin(np.minimum(1.0, np.sqrt((chord**2).sum(0)) / 2)))


def lonlat(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return longitudes in [0, 360) and latitudes in degrees from vectors of shape (3, …)."""
    x, y, z = vectors
    lon = np.degrees(np.arctan2(y, x))
    return np.where(lon < 0, lon + 360, lon), np.degrees(np.arctan2(z, np.hypot(x, y)))


def from_icrs(vectors: np.ndarray, frame: str) -> np.ndarray:
    """Turn ICRS unit vectors of shape (3, …) into a frame.

    Raises
    ------
    ValueError
        When the frame is none of `FRAMES`.
    """
    if frame == "icrs":
        return vectors
    turned = np.tensordot(_rotation(frame), vectors, 1)
    return _aberrated(turned) if frame == "fk4" else turned


def to_icrs(vectors: np.ndarray, frame: str) -> np.ndarray:
    """Turn unit vectors of shape (3, …) of a frame into ICRS.

    Raises
    ------
    ValueError
        When the frame is none of `FRAMES`.
    """
    if frame == "icrs":
        return vectors
    straight = _unaberrated(vectors) if frame == "fk4" else vectors
    return np.tensordot(_rotation(frame).T, straight, 1)


def _rotation(frame: str) -> np.ndarray:
    if frame not in _ROTATIONS:
        frame = canonical(frame)
    if frame in _ROTATIONS:
        return _ROTATIONS[frame]
    return _precessed(float(frame.removeprefix("fk5 J")))


def _aberrated(vectors: np.ndarray) -> np.ndarray:
    """Add the E-terms, which FK4 positions contain; three rounds reach 1e-16."""
    shift = _E_TERMS.reshape(3, *[1] * (vectors.ndim - 1))
    moved = vectors
    for _ in range(3):
        moved = (vectors + shift) / (1 + (shift * moved).sum(0))
    return moved / np.sqrt((moved * moved).sum(0))


def _unaberrated(vectors: np.ndarray) -> np.ndarray:
    """Take the E-terms out of FK4 positions."""
    shift = _E_TERMS.reshape(3, *[1] * (vectors.ndim - 1))
    moved = vectors - shift + (shift * vectors).sum(0) * vectors
    return moved / np.sqrt((moved * moved).sum(0))
