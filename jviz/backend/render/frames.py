"""Turn directions between celestial frames by one matrix product, fast enough for every frame of a pan."""

import numpy as np

__all__ = ["FRAMES", "equatorial", "from_icrs", "lonlat", "to_icrs", "unit_vectors"]

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
    return frame in ("icrs", "fk5", "fk4")


def unit_vectors(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Return directions of shape (3, …) from longitudes and latitudes in degrees."""
    lon, lat = np.radians(lon), np.radians(lat)
    across = np.cos(lat)
    return np.stack([across * np.cos(lon), across * np.sin(lon), np.sin(lat)])


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
        raise ValueError(f"There is no frame {frame!r}; choose one of {', '.join(FRAMES)}.")
    return _ROTATIONS[frame]


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
