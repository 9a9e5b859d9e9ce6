"""Point-spread functions of spectrometers in closed form: a Gaussian core in a Gaussian halo, wider with wavelength."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from jviz.backend.spectra.line_fits import SIGMA

__all__ = ["Spot"]


@dataclass(frozen=True)
class Spot:
    """What the image of a point looks like.

    Attributes
    ----------
    width, growth : float
        Full width of the core at half maximum: ``width + growth λ``, in arcsec, λ in µm.
    halo : float
        Share of the light in the halo.
    wider : float
        Width of the halo over that of the core.
    """

    width: float = 0.106
    growth: float = 0.033
    halo: float = 0.06
    wider: float = 3.0

    def fwhm(self, wave: Any) -> np.ndarray:
        """Return the full width of the core at half maximum in arcsec, at wavelengths in µm."""
        return self.width + self.growth * np.asarray(wave, float)

    def sigma(self, wave: Any) -> np.ndarray:
        """Return the sigma of the core in arcsec."""
        return self.fwhm(wave) / SIGMA

    def _parts(self, wave: Any) -> tuple[tuple[float, np.ndarray], ...]:
        sigma = self.sigma(wave)
        return (1 - self.halo, sigma), (self.halo, self.wider * sigma)

    def in_box(self, x: Any, y: Any, width: float, height: float, wave: Any) -> np.ndarray:
        """Return the share of the light in boxes whose middles are at x, y from the point, all in arcsec."""
        return sum(share * _between(x, width, sigma) * _between(y, height, sigma)
                   for share, sigma in self._parts(wave))  # fmt: skip

    def encircled(self, radius: Any, wave: Any, spread: float = 0.0) -> np.ndarray:
        """Return the share of the light within a radius in arcsec.

        Parameters
        ----------
        spread : float
            Variance, in arcsec² on each axis, that pixels and resampling add.
        """
        return sum(share * (1 - np.exp(-np.asarray(radius) ** 2 / (2 * (sigma**2 + spread))))
                   for share, sigma in self._parts(wave))  # fmt: skip


def _between(middle: Any, width: float, sigma: Any) -> np.ndarray:
    from scipy.special import ndtr

    return ndtr((middle + width / 2) / sigma) - ndtr((middle - width / 2) / sigma)
