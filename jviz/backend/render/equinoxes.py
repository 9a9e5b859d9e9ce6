"""Frames of other equinoxes: the axes to which FK4, FK5 and ecliptic coordinates of a year refer."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

__all__ = ["e_terms", "ecliptic_rotation", "fk4_rotation", "fk5_precession"]

FK4_TO_FK5 = np.array(
    [
        [0.9999256794956877, -0.0111814832204662, -0.0048590038153592],
        [0.0111814832391717, 0.9999374848933135, -0.0000271625947142],
        [0.0048590037723143, -0.0000271702937440, 0.9999881946023742],
    ]
)
FK4_SPIN = 1e-6 * np.array(
    [[-0.0026455262, -1.1539918689, 2.1111346190], [1.1540628161, -0.0129042997, 0.0236021478],
     [-2.1112979048, -0.0056024448, 0.0102587734]]
)  # fmt: skip
"""From FK4 without E-terms to FK5, and what that changes in a century (Murray 1989, A&A 218, 325, eqs. 28 and 29)."""


def julian_date(besselian: float) -> float:
    """Return the Julian date of a Besselian year (Lieske 1979, A&A 73, 282)."""
    return 2415020.31352 + 365.242198781 * (besselian - 1900.0)


@lru_cache(maxsize=16)
def fk5_precession(equinox: float) -> np.ndarray:
    """Return the rotation from J2000 to another Julian year: precession of Capitaine et al. 2003 (A&A 412, 567)."""
    t = (equinox - 2000.0) / 100.0
    zeta, z, theta = (math.radians(np.polyval(terms, t) / 3600.0) for terms in _CAPITAINE)
    return _turned(zeta, z, theta)


# Arc seconds, from the fifth power of Julian centuries down.
_CAPITAINE = (
    (-0.0000003173, -0.000005971, 0.01801828, 0.2988499, 2306.083227, 2.650545),
    (-0.0000002904, -0.000028596, 0.01826837, 1.0927348, 2306.077181, -2.650545),
    (-0.0000001274, -0.000007089, -0.04182264, -0.4294934, 2004.191903, 0.0),
)


@lru_cache(maxsize=16)
def fk4_rotation(equinox: float) -> np.ndarray:
    """Return the rotation from FK5 at J2000 to FK4 of a Besselian year, without E-terms, observed in that year.

    Notes
    -----
    Newcomb's precession, as in the Explanatory Supplement to the Astronomical Almanac 1992, section 3.214.
    """
    centuries = (julian_date(equinox) - 2433282.5) / 36525.0  # since J1950
    t1, dt = 0.1, (equinox - 1950.0) / 1000.0  # tropical millennia since 1850, and since 1950
    shared = 23035.545 + t1 * 139.720 + 0.060 * t1 * t1
    zeta = np.polyval((17.995, 30.240 - 0.27 * t1, shared, 0), dt)
    z = np.polyval((18.325, 109.480 + 0.39 * t1, shared, 0), dt)
    theta = np.polyval((-41.8, -42.65 - 0.37 * t1, 20051.12 - 85.29 * t1 - 0.37 * t1 * t1, 0), dt)
    angles = (math.radians(angle / 3600.0) for angle in (zeta, z, theta))
    return _turned(*angles) @ (FK4_TO_FK5 + FK4_SPIN * centuries).T


@lru_cache(maxsize=16)
def e_terms(equinox: float) -> np.ndarray:
    """Return the E-terms of aberration of a Besselian year, in radians (Explanatory Supplement 1992, 3.531)."""
    t = (julian_date(equinox) - julian_date(1950.0)) / 36525.0
    t2000 = (julian_date(equinox) - 2451545.0) / 36525.0
    eccentricity = np.polyval((-0.000000126, -0.00004193, 0.01673011), t)
    perigee = math.radians(np.polyval((0.012, 1.65, 6190.67, 1015489.951), t) / 3600.0)
    obliquity = math.radians(np.polyval((0.001813, -0.00059, -46.8150, 84381.448), t2000) / 3600.0)
    size = eccentricity * math.radians(0.0056932)
    across = -size * math.cos(perigee)
    return np.array([size * math.sin(perigee), across * math.cos(obliquity), across * math.sin(obliquity)])


@lru_cache(maxsize=16)
def ecliptic_rotation(equinox: float) -> np.ndarray:
    """Return the rotation from ICRS to the mean ecliptic and equinox of a Julian year (IAU 2006, SOFA's ecm06)."""
    import erfa

    return erfa.ecm06(2451545.0, 365.25 * (equinox - 2000.0))


def _turned(zeta: float, z: float, theta: float) -> np.ndarray:
    return _turn(2, -z) @ _turn(1, theta) @ _turn(2, -zeta)


def _turn(axis: int, angle: float) -> np.ndarray:
    """Return the matrix that turns the axes by an angle in radians about one of them."""
    a, b = (axis + 1) % 3, (axis + 2) % 3
    matrix = np.eye(3)
    matrix[a, a] = matrix[b, b] = math.cos(angle)
    matrix[a, b], matrix[b, a] = math.sin(angle), -math.sin(angle)
    return matrix
