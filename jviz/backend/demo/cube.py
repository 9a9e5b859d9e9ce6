"""A simulated integral-field cube, a slit spectrum and extracted spectra of one rotating galaxy."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

__all__ = ["LINES", "REDSHIFT", "SPAXEL", "Galaxy", "Measured", "cube_waves", "slit_waves"]

LINES = {
    "H2 1-0 S(2)": (2.03376, 0.30),
    "He I": (2.05869, 0.45),
    "H2 1-0 S(1)": (2.12183, 0.85),
    "Br gamma": (2.16612, 1.00),
    "H2 1-0 S(0)": (2.22329, 0.22),
}
"""Name → rest wavelength in vacuum in µm, and strength relative to Br γ."""
REDSHIFT = 0.0045
SPAXEL = 0.1
"""In arcsec."""
PIXAR_SR = float(np.radians(SPAXEL / 3600) ** 2)

_light_speed = 299792.458
_rotation = 230.0
_angle = np.radians(35.0)
_ratio = 0.62
_instrument = 60.0
_noise = 0.45
_gain = 0.012


@dataclass
class Measured:
    """Values in MJy/sr with their errors and flags, of one shape."""

    sci: np.ndarray
    err: np.ndarray
    dq: np.ndarray


def cube_waves(channels: int = 400) -> np.ndarray:
    """Return the wavelengths of the cube's channels in µm, (400,)."""
    return 2.03 + 0.000575 * np.arange(channels)


def slit_waves(pixels: int = 1024) -> np.ndarray:
    """Return the wavelengths of the columns of the slit spectrum in µm, (1024,)."""
    return 2.025 + 0.00031 * np.arange(pixels)


@dataclass
class Galaxy:
    """The galaxy as a function of place: a disc that turns, with a ring of star formation.

    Parameters
    ----------
    x, y : ndarray
        Offsets from the nucleus in arcsec, of one shape.
    """

    x: np.ndarray
    y: np.ndarray

    @cached_property
    def _disc(self) -> tuple[np.ndarray, np.ndarray]:
        """Radius in arcsec and cosine of the azimuth in the plane of the disc."""
        major = self.x * np.cos(_angle) + self.y * np.sin(_angle)
        minor = (self.y * np.cos(_angle) - self.x * np.sin(_angle)) / _ratio
        radius = np.hypot(major, minor)
        return radius, major / np.maximum(radius, 1e-9)

    @property
    def continuum(self) -> np.ndarray:
        """Brightness of the stars at 2.15 µm in MJy/sr."""
        radius, _ = self._disc
        return 95 * np.exp(-radius / 0.75) + 260 * np.exp(-((radius / 0.16) ** 1.2)) + 1.2

    @property
    def velocity(self) -> np.ndarray:
        """Line-of-sight velocity in km/s: an arctangent rotation curve."""
        radius, cosine = self._disc
        inclination = np.sqrt(1 - _ratio**2)
        return _rotation * 2 / np.pi * np.arctan(radius / 0.28) * cosine * inclination

    @property
    def dispersion(self) -> np.ndarray:
        """Width of the lines (1 σ) in km/s, the instrument's included."""
        radius, _ = self._disc
        return np.hypot(_instrument, 35 + 85 * np.exp(-radius / 0.35))

    def line_flux(self, name: str) -> np.ndarray:
        """Return the brightness of a line in MJy/sr µm."""
        radius, cosine = self._disc
        ring = np.exp(-(((radius - 1.15) / 0.28) ** 2)) * (1 + 0.45 * cosine)
        core = 2.4 * np.exp(-radius / 0.22)
        disc = 0.35 * np.exp(-radius / 0.9)
        gas = core + disc + (0.25 if name.startswith("H2") else 1.3) * ring
        return 0.085 * LINES[name][1] * gas

    def spectrum(self, waves: np.ndarray) -> np.ndarray:
        """Return the brightness in MJy/sr, (waves, *shape)."""
        waves = waves.reshape(-1, *[1] * self.x.ndim).astype(np.float32)
        total = self.continuum * _stars(waves)
        shift = 1 + self.velocity / _light_speed
        for name, (rest, _) in LINES.items():
            centre = rest * (1 + REDSHIFT) * shift
            sigma = centre * self.dispersion / _light_speed
            near = np.abs(waves.ravel() - rest * (1 + REDSHIFT)) < 0.012
            profile = np.exp(-0.5 * ((waves[near] - centre) / sigma) ** 2)
            total[near] += self.line_flux(name) / (sigma * np.sqrt(2 * np.pi)) * profile
        return total.astype(np.float32)

    def observed(self, waves: np.ndarray, rng: np.random.Generator, *, bad: float = 2e-4) -> Measured:
        """Add noise to the spectrum, and flag a few samples as bad."""
        truth = self.spectrum(waves)
        err = np.sqrt(np.float32(_noise**2) + np.float32(_gain) * np.maximum(truth, 0))
        sci = truth + err * rng.standard_normal(truth.shape, dtype=np.float32)
        dq = np.zeros(truth.shape, np.uint32)
        hit = rng.random(truth.shape, dtype=np.float32) < bad
        dq[hit] = 1
        sci[hit] = err[hit] = np.nan
        return Measured(sci, err, dq)


def _stars(waves: np.ndarray) -> np.ndarray:
    """Return the shape of the stellar continuum: a slope and the band heads of CO."""
    shape = (waves / 2.15) ** -1.4
    for head, depth in ((2.2935, 0.16), (2.3227, 0.14)):
        edge = head * (1 + REDSHIFT)
        shape = shape * (1 - depth * np.exp(-(waves - edge) / 0.02) * (waves > edge) * np.float32(1))
    return shape
