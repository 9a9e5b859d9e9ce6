"""What a spectrometer looks at: a source with continuum and lines, in front of an even background."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jviz.backend.spectra.line_fits import C_KMS, SIGMA

__all__ = ["Scene", "SpectralLine", "make_scene"]

LINES = {
    "H2 0-0 S(8)": (5.05311, 0.5), "[Fe II]": (5.340169, 0.8), "H2 0-0 S(7)": (5.51118, 0.6), "[Ne VI]": (7.6524, 0.8),
    "H2 0-0 S(4)": (8.02505, 0.6), "[Ar III]": (8.99138, 0.5), "[S IV]": (10.5105, 0.7),
    "[Ne II]": (12.813548, 0.6),
}  # fmt: skip
"""Name → wavelength at rest in vacuum in µm, and height over the continuum."""

APART = 7.0
"""Distance that lines keep, in full widths."""

VELOCITIES = (-300.0, 300.0)
"""Range in km/s that those of sources are drawn from."""


@dataclass(frozen=True)
class SpectralLine:
    """An emission line of the source.

    Attributes
    ----------
    rest, wavelength : float
        At rest and as observed, in µm.
    fwhm : float
        In km/s, before the instrument widens it.
    height : float
        Relative to the continuum.
    """

    name: str
    rest: float
    wavelength: float
    fwhm: float
    height: float


@dataclass(frozen=True)
class Scene:
    """A point source and a background.

    Attributes
    ----------
    ra, dec : float
        Of the source, in degrees.
    flux : float
        Of its continuum at ``pivot``, in Jy.
    slope : float
        Power of the wavelength that the continuum follows.
    pivot : float
        In µm.
    velocity : float
        Of the source, in km/s.
    lines : tuple of SpectralLine
    background : float
        At ``pivot``, in MJy/sr; it grows as the square of the wavelength.
    """

    ra: float
    dec: float
    flux: float
    slope: float
    pivot: float
    velocity: float
    lines: tuple[SpectralLine, ...]
    background: float

    def continuum(self, wave: Any) -> np.ndarray:
        """Return the continuum of the source in Jy, at wavelengths in µm."""
        return self.flux * (np.asarray(wave) / self.pivot) ** self.slope

    def sky(self, wave: Any) -> np.ndarray:
        """Return the background in MJy/sr."""
        return self.background * (np.asarray(wave) / self.pivot) ** 2

    def source(self, wave: np.ndarray, width: Any, resolving: float) -> np.ndarray:
        """Return the flux density of the source in Jy, in the mean over pixels.

        Parameters
        ----------
        width : float or ndarray
            Of the pixels, in µm.
        resolving : float
            λ/Δλ of the spectrometer, whose line-spread function is a Gaussian.
        """
        from scipy.special import ndtr

        total, widths = self.continuum(wave), np.broadcast_to(width, wave.shape)
        for line in self.lines:
            sigma = self.sigma(line, resolving)
            near = np.abs(wave - line.wavelength) < 6 * sigma + widths
            apart, half = wave[near] - line.wavelength, widths[near] / 2
            area = line.height * self.continuum(line.wavelength) * np.sqrt(2 * np.pi) * self.sigma(line, np.inf)
            total[near] += area / (2 * half) * (ndtr((apart + half) / sigma) - ndtr((apart - half) / sigma))
        return total

    def sigma(self, line: SpectralLine, resolving: float) -> float:
        """Return the sigma of a line in µm as the spectrometer shows it."""
        return line.wavelength / SIGMA * float(np.hypot(line.fwhm / C_KMS, 1 / resolving))

    def write(self, folder: Path, wave: np.ndarray, resolving: float, seed: int) -> None:
        """Write the source, its lines, and its spectrum at wavelengths in µm.

        ``sources_truth.ecsv``, ``lines_truth.ecsv`` and ``spectrum_truth.ecsv``, the last one as the spectrometer
        shows it.
        """
        from astropy import units as u
        from astropy.table import QTable

        lines = self.lines
        flux = [line.height * self.continuum(line.wavelength) * np.sqrt(2 * np.pi) * self.sigma(line, np.inf)
                * C_KMS * 1e9 / line.wavelength**2 for line in lines]  # fmt: skip
        tables = {
            "sources": QTable({
                "id": [1], "kind": ["star"], "RA": [self.ra] * u.deg, "DEC": [self.dec] * u.deg,
                "flux": [self.flux] * u.Jy, "pivot": [self.pivot] * u.um, "velocity": [self.velocity] * u.km / u.s,
            }),
            "lines": QTable({
                "name": [line.name for line in lines], "rest": [line.rest for line in lines] * u.um,
                "wavelength": [line.wavelength for line in lines] * u.um,
                "velocity": [self.velocity] * len(lines) * u.km / u.s,
                "fwhm": [line.fwhm for line in lines] * u.km / u.s,
                "observed": [float(np.hypot(line.fwhm, C_KMS / resolving)) for line in lines] * u.km / u.s,
                "flux": np.array(flux) * 1e-26 * u.W / u.m**2,
            }),
            "spectrum": QTable({
                "wavelength": wave * u.um, "flux": self.source(wave, 1e-6, resolving) * u.Jy,
                "continuum": self.continuum(wave) * u.Jy, "background": self.sky(wave) * u.MJy / u.sr,
            }),
        }  # fmt: skip
        for name, table in tables.items():
            table.meta = {"comment": "SIMULATED by jviz; nothing in this table was observed", "seed": seed}
            table.write(folder / f"{name}_truth.ecsv", format="ascii.ecsv")


def make_scene(rng: np.random.Generator, place: tuple[float, float], flux: float, pivot: float, background: float,
               waves: tuple[float, float], fwhm: float, resolving: float) -> Scene:  # fmt: skip
    """Make up a source.

    Parameters
    ----------
    place : tuple of float
        Right ascension and declination in degrees.
    flux : float
        In Jy at ``pivot``, in µm.
    background : float
        In MJy/sr there.
    waves : tuple of float
        Range in which there are lines, in µm.
    fwhm : float
        Of the lines, in km/s, about.
    resolving : float
        λ/Δλ of the spectrometer; lines that it would blend are left out.
    """
    velocity = float(rng.uniform(*VELOCITIES))
    # The optical convention: λ = λ₀ (1 + v/c).
    lines: list[SpectralLine] = []
    for name, (rest, height) in LINES.items():
        wave, width = rest * (1 + velocity / C_KMS), float(fwhm * rng.uniform(0.9, 1.2))
        apart = APART * float(np.hypot(width / C_KMS, 1 / resolving)) * wave
        if waves[0] < wave < waves[1] and not (lines and wave - lines[-1].wavelength < apart):
            lines.append(SpectralLine(name, rest, wave, width, height))
    return Scene(*place, flux, float(rng.uniform(-1.0, 0.5)), pivot, velocity, tuple(lines), background)
