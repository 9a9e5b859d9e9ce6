"""Turn directions between celestial frames by one matrix product, fast enough for every frame of a pan."""

import re
from functools import lru_cache
from typing import Any

import numpy as np

from jviz.backend.render.equinoxes import e_terms, ecliptic_rotation, fk4_rotation, fk5_precession

__all__ = ["FRAMES", "canonical", "dated", "equatorial", "equinox_of", "from_icrs", "lonlat", "separation", "to_icrs",
           "unit_vectors"]  # fmt: skip

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

FRAMES = tuple(_ROTATIONS)
"""The frames a grid can be drawn in."""


def equatorial(frame: str) -> bool:
    """Whether longitudes of the frame are right ascensions, which people read in hours."""
    return frame.split(" ")[0] in ("icrs", "fk5", "fk4")


def canonical(frame: str) -> str:
    """Return the name of a frame as it is kept: one of `FRAMES`, or with another equinox than its usual one.

    Parameters
    ----------
    frame : str
        ``"icrs"``, ``"fk5 J1975"``, ``"fk4 B1975"``, ``"ecliptic J2016"`` …: FK4 counts Besselian years.

    Raises
    ------
    ValueError
        When it is none of those, or the equinox is before 1800 or after 2200.
    """
    name = " ".join(str(frame).split()).lower()
    if name in FRAMES:
        return name
    found = _dated.fullmatch(name)
    if found is None:
        raise ValueError(
            f"There is no frame {frame!r}; choose one of {', '.join(FRAMES)}, or write an equinox, as in 'fk5 J1975'."
        )
    return dated(found[1] or found[3], float(found[2] or found[4]))


_dated = re.compile(r"(fk5|ecliptic)[ _,]*j?(\d{4}(?:\.\d*)?)|(fk4)[ _,]*b?(\d{4}(?:\.\d*)?)")

_usual = {"fk5": "J2000", "fk4": "B1950", "ecliptic": "J2000"}


def dated(frame: str, equinox: float) -> str:
    """Return the name of a frame at an equinox: a Besselian year of FK4, a Julian one of FK5 and the ecliptic.

    Raises
    ------
    ValueError
        When the frame has no equinox, or it is before 1800 or after 2200.
    """
    if frame not in _usual:
        raise ValueError(f"The frame {frame} has no equinox; {', '.join(_usual)} have one.")
    year = f"{_usual[frame][0]}{equinox:.10g}"
    if not 1800 <= equinox <= 2200:
        raise ValueError(f"The equinox {year} is too far from ours; choose one between 1800 and 2200.")
    return frame if year == _usual[frame] else f"{frame} {year}"


def equinox_of(frame: str) -> str:
    """Return the equinox to which a frame refers, ``"J2000"`` or ``"B1950"`` …; empty for one without."""
    name, _, year = frame.partition(" ")
    return year or _usual.get(name, "")


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
    return _aberrated(turned, _aberration(frame)) if frame.startswith("fk4") else turned


def to_icrs(vectors: np.ndarray, frame: str) -> np.ndarray:
    """Turn unit vectors of shape (3, …) of a frame into ICRS.

    Raises
    ------
    ValueError
        When the frame is none of `FRAMES`.
    """
    if frame == "icrs":
        return vectors
    straight = _unaberrated(vectors, _aberration(frame)) if frame.startswith("fk4") else vectors
    return np.tensordot(_rotation(frame).T, straight, 1)


@lru_cache(maxsize=16)
def _rotation(frame: str) -> np.ndarray:
    if frame not in _ROTATIONS:
        frame = canonical(frame)
    if frame in _ROTATIONS:
        return _ROTATIONS[frame]
    name, year = frame.split(" ")
    equinox = float(year[1:])
    if name == "ecliptic":
        return ecliptic_rotation(equinox)
    turn = fk4_rotation(equinox) if name == "fk4" else fk5_precession(equinox)
    return turn @ _ROTATIONS["fk5"]


def _aberration(frame: str) -> np.ndarray:
    return e_terms(float(equinox_of(canonical(frame))[1:]))


def _aberrated(vectors: np.ndarray, e_terms: np.ndarray) -> np.ndarray:
    """Add the E-terms, which FK4 positions contain; three rounds reach 1e-16."""
    shift = e_terms.reshape(3, *[1] * (vectors.ndim - 1))
    moved = vectors
    for _ in range(3):
        moved = (vectors + shift) / (1 + (shift * moved).sum(0))
    return moved / np.sqrt((moved * moved).sum(0))


def _unaberrated(vectors: np.ndarray, e_terms: np.ndarray) -> np.ndarray:
    """Take the E-terms out of FK4 positions."""
    shift = e_terms.reshape(3, *[1] * (vectors.ndim - 1))
    moved = vectors - shift + (shift * vectors).sum(0) * vectors
    return moved / np.sqrt((moved * moved).sum(0))
