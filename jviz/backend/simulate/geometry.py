"""From pixels of a detector to the telescope's V2, V3 and to the sky, and back, in closed form."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

__all__ = ["DetectorFrame", "Pointing"]

_TERMS = 6


@dataclass(frozen=True)
class DetectorFrame:
    """Where the pixels of a detector look, in V2 and V3.

    Pixels are stretched along each axis by a quadratic term, sheared by another, scaled and turned. Coordinates are
    0-based, those of the full detector.

    Attributes
    ----------
    middle : tuple of float
        Column and row that look at ``v2, v3``.
    v2, v3 : float
        In arcsec.
    scale_x, scale_y : float
        In arcsec per pixel, in the middle.
    angle : float
        V3I_YANG in degrees: from V3 to the y axis.
    stretch_x, stretch_y, shear : float
        Quadratic terms, per pixel.
    parity : int
        VPARITY: -1 where x runs against V2.
    """

    middle: tuple[float, float]
    v2: float
    v3: float
    scale_x: float
    scale_y: float
    angle: float
    stretch_x: float = 0.0
    stretch_y: float = 0.0
    shear: float = 0.0
    parity: int = -1

    @property
    def matrix(self) -> np.ndarray:
        """From stretched pixels to V2, V3 in arcsec, (2, 2)."""
        angle = np.radians(self.angle)
        cos, sin = np.cos(angle), np.sin(angle)
        turned = np.array([[self.parity * cos, sin], [-self.parity * sin, cos]])
        return turned * np.array([self.scale_x, self.scale_y])

    def to_telescope(self, x: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return V2 and V3 in arcsec."""
        dx, dy = np.asarray(x, float) - self.middle[0], np.asarray(y, float) - self.middle[1]
        v = dy + self.stretch_y * dy**2
        u = dx + self.stretch_x * dx**2 + self.shear * v**2
        (a, b), (c, d) = self.matrix
        return self.v2 + a * u + b * v, self.v3 + c * u + d * v

    def from_telescope(self, v2: Any, v3: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return the pixel that looks at V2, V3, in arcsec."""
        (a, b), (c, d) = np.linalg.inv(self.matrix)
        west, up = np.asarray(v2, float) - self.v2, np.asarray(v3, float) - self.v3
        u, v = a * west + b * up, c * west + d * up
        u = u - self.shear * v**2
        return self.middle[0] + _unstretched(u, self.stretch_x), self.middle[1] + _unstretched(v, self.stretch_y)

    def area(self, x: Any, y: Any) -> np.ndarray:
        """Return the solid angle of pixels, relative to that in the middle."""
        dx, dy = np.asarray(x, float) - self.middle[0], np.asarray(y, float) - self.middle[1]
        return (1 + 2 * self.stretch_x * dx) * (1 + 2 * self.stretch_y * dy)

    @property
    def pixel_area(self) -> float:
        """Solid angle of the pixel in the middle, in sr."""
        return float(np.radians(self.scale_x / 3600) * np.radians(self.scale_y / 3600))

    def model(self) -> Any:
        """Return the same as an astropy model, with its inverse, as a reference file of the type distortion holds."""
        from astropy.modeling.models import AffineTransformation2D, Identity, Mapping, Polynomial1D, Polynomial2D, Shift

        def powers(*coefficients: float) -> Any:
            return Polynomial1D(len(coefficients) - 1, **{f"c{n}": value for n, value in enumerate(coefficients)})

        to_middle = Shift(-self.middle[0]) & Shift(-self.middle[1])
        stretched = powers(0, 1, self.stretch_x) & powers(0, 1, self.stretch_y)
        sheared = Mapping((0, 1, 1)) | Polynomial2D(2, c1_0=1, c0_2=self.shear) & Identity(1)
        turned = AffineTransformation2D(matrix=self.matrix, translation=[0, 0])
        forward = to_middle | stretched | sheared | turned | Shift(self.v2) & Shift(self.v3)

        back = AffineTransformation2D(matrix=np.linalg.inv(self.matrix), translation=[0, 0])
        unsheared = Mapping((0, 1, 1)) | Polynomial2D(2, c1_0=1, c0_2=-self.shear) & Identity(1)
        shrunk = powers(0, *_series(self.stretch_x)) & powers(0, *_series(self.stretch_y))
        from_middle = Shift(self.middle[0]) & Shift(self.middle[1])
        forward.inverse = Shift(-self.v2) & Shift(-self.v3) | back | unsheared | shrunk | from_middle
        return forward


@dataclass(frozen=True)
class Pointing:
    """Where the telescope looks: the sky at a point of the V2, V3 plane, and its roll there.

    Attributes
    ----------
    ra, dec : float
        In degrees, at ``v2, v3``.
    roll : float
        Position angle of V3 at that point, in degrees east of north.
    v2, v3 : float
        In arcsec.
    """

    ra: float
    dec: float
    roll: float
    v2: float
    v3: float

    @property
    def attitude(self) -> np.ndarray:
        """Rotation (3, 3) from the axes of the telescope to those of the sky."""
        ra, dec, roll = np.radians([self.ra, self.dec, self.roll])
        v2, v3 = np.radians([self.v2 / 3600, self.v3 / 3600])
        return _about("z", ra) @ _about("y", -dec) @ _about("x", -roll) @ _about("y", v3) @ _about("z", -v2)

    def to_sky(self, v2: Any, v3: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return right ascension and declination in degrees of V2, V3 in arcsec."""
        return _angles(self.attitude, np.radians(np.asarray(v2) / 3600), np.radians(np.asarray(v3) / 3600))

    def from_sky(self, ra: Any, dec: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return V2 and V3 in arcsec of right ascension and declination in degrees."""
        v2, v3 = _angles(self.attitude.T, np.radians(np.asarray(ra)), np.radians(np.asarray(dec)))
        return ((v2 + 180) % 360 - 180) * 3600, v3 * 3600

    def moved(self, east: float, north: float) -> Pointing:
        """Return the pointing moved by arcsec on the sky."""
        return replace(self, ra=self.ra + east / 3600 / float(np.cos(np.radians(self.dec))),
                       dec=self.dec + north / 3600)  # fmt: skip


def _series(stretch: float) -> list[float]:
    """Return the coefficients of u, u² … of the inverse of ``u = x + stretch x²`` (Catalan numbers)."""
    catalan = [1, 1, 2, 5, 14, 42]
    return [value * (-stretch) ** power for power, value in enumerate(catalan[:_TERMS])]


def _unstretched(u: np.ndarray, stretch: float) -> np.ndarray:
    return 2 * u / (1 + np.sqrt(1 + 4 * stretch * u))


def _about(axis: str, angle: float) -> np.ndarray:
    """Return the rotation of vectors about an axis, right-handed."""
    cos, sin = np.cos(angle), np.sin(angle)
    if axis == "x":
        return np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])
    if axis == "y":
        return np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])
    return np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])


def _angles(rotation: np.ndarray, longitude: np.ndarray, latitude: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    vectors = np.stack([np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)])
    x, y, z = np.tensordot(rotation, vectors, 1)
    return np.degrees(np.arctan2(y, x)) % 360, np.degrees(np.arctan2(z, np.hypot(x, y)))
