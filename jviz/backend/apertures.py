"""Apertures of JWST, HST and Roman, and where they lie on the sky for a pointing."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib import resources

import numpy as np

from jviz.errors import CommandError

__all__ = ["Aperture", "apertures", "find_aperture", "middle_of", "moved", "on_sky"]

ARCSEC = np.pi / 180 / 3600


@dataclass(frozen=True, eq=False)
class Aperture:
    """One aperture, or several that belong together.

    Attributes
    ----------
    telescope, instrument, name, title : str
        ``"JWST"``, ``"NIRCam"``, the name in the SIAF, and what it is in words.
    v2, v3 : float
        Reference point in the frame of the telescope, arcsec.
    angle : float
        Degrees from V3 to the aperture's y axis at that point (V3IdlYAngle).
    parts : tuple of ndarray, shape (n, 2)
        Corners of each part in V2, V3, arcsec.
    """

    telescope: str
    instrument: str
    name: str
    title: str
    v2: float
    v3: float
    angle: float
    parts: tuple[np.ndarray, ...]

    @property
    def label(self) -> str:
        """Instrument and title, ``"NIRCam: module A, short wave"``."""
        return f"{self.instrument}: {self.title}"


@cache
def apertures() -> dict[str, Aperture]:
    """Return all known apertures by name (from the SIAF files that pysiaf distributes)."""
    text = resources.files("jviz.resources").joinpath("apertures.csv").read_text("utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return {row["aperture"]: _read(row) for row in rows}


def _read(row: dict[str, str]) -> Aperture:
    parts = [[point.split() for point in part.split(";")] for part in row["corners"].split("|")]
    place = (float(row[name]) for name in ("v2", "v3", "angle"))
    names = (row[name] for name in ("telescope", "instrument", "aperture", "title"))
    return Aperture(*names, *place, tuple(np.array(part, float) for part in parts))


def find_aperture(name: str) -> Aperture:
    """Return an aperture by its name, in any case.

    Raises
    ------
    CommandError
        Names some that are alike.
    """
    by_name = {key.upper(): aperture for key, aperture in apertures().items()}
    if name.strip().upper() not in by_name:
        near = get_close_matches(name.upper(), by_name, 4, 0.4) or ["NRCALL_FULL", "MIRIM_ILLUM", "IUVIS", "WFI_CEN"]
        raise CommandError(f"There is no aperture {name!r}; there are {', '.join(near)} and others.")
    return by_name[name.strip().upper()]


def on_sky(aperture: Aperture, ra: float, dec: float, pa: float, *, of_v3: bool = False) -> list[np.ndarray]:
    """Place an aperture: its reference point on a position, middle_of on the sphere without approximation.

    Parameters
    ----------
    ra, dec : float
        Degrees.
    pa : float
        Position angle (north through east, degrees) of the aperture's y axis at the position.
    of_v3 : bool
        ``pa`` is that of the telescope's V3 axis at the position instead.

    Returns
    -------
    list of ndarray, shape (n, 2)
        RA and Dec of the corners of each part, degrees.

    Notes
    -----
    V1, V2, V3 are right-handed, as are the directions to (0, 0), (90°, 0) and the pole: the frame of
    tangents (outward, V2, V3) at the reference point is laid on (outward, east, north) at the
    position, middle_of by the angle of V3 (JWST-STScI-001550, SIAF conventions).
    """
    v3_angle = pa if of_v3 else pa - aperture.angle
    there = _tangents(aperture.v2 * ARCSEC, aperture.v3 * ARCSEC)
    here = _tangents(np.radians(ra), np.radians(dec))
    turn = np.radians(v3_angle)
    cos, sin = np.cos(turn), np.sin(turn)
    here = np.stack([here[0], here[1] * cos - here[2] * sin, here[1] * sin + here[2] * cos])
    return [_angles(_vectors(*(part.T * ARCSEC)) @ there.T @ here) for part in aperture.parts]


def moved(corners: np.ndarray, start: tuple[float, float], end: tuple[float, float], turn: float = 0.0) -> np.ndarray:
    """Carry positions along the sky, from one place to another, and turn them about it.

    Parameters
    ----------
    corners : ndarray, shape (n, 2)
        RA and Dec, degrees.
    start, end : (float, float)
        What was at ``start`` is at ``end``; the angle to north stays the same but for ``turn``.
    turn : float
        Degrees, north through east.
    """
    there, here = (_tangents(*np.radians(place)) for place in (start, end))
    cos, sin = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    here = np.stack([here[0], here[1] * cos - here[2] * sin, here[1] * sin + here[2] * cos])
    return _angles(_vectors(*np.radians(np.asarray(corners, float)).T) @ there.T @ here)


def middle_of(outlines: list[np.ndarray]) -> tuple[float, float]:
    """Return the middle of several outlines on the sky: RA, Dec in degrees."""
    middle = np.mean([_vectors(*np.radians(outline).T).mean(0) for outline in outlines], axis=0)
    ra, dec = _angles(middle[None, :] / np.linalg.norm(middle))[0]
    return float(ra), float(dec)


def _vectors(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)


def _angles(vectors: np.ndarray) -> np.ndarray:
    x, y, z = vectors.T
    return np.degrees(np.stack([np.arctan2(y, x) % (2 * np.pi), np.arctan2(z, np.hypot(x, y))], axis=-1))


def _tangents(lon: float, lat: float) -> np.ndarray:
    """Return the outward, eastward and northward directions at a place, as rows."""
    east = np.array([-np.sin(lon), np.cos(lon), 0.0])
    north = np.array([-np.sin(lat) * np.cos(lon), -np.sin(lat) * np.sin(lon), np.cos(lat)])
    return np.stack([_vectors(np.float64(lon), np.float64(lat)), east, north])
