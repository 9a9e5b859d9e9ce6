"""Channels with elliptical beams, widened to one round beam."""

from __future__ import annotations

import numpy as np

from jviz.backend.images.filters import FWHM

__all__ = ["convolved", "covariance_between"]

REACH = 5.0
"""Standard deviations out to which the kernel goes."""


def covariance_between(
    wanted: float, beam: tuple[float, float, float], jacobian: np.ndarray
) -> np.ndarray | None:
    """Return the covariance, in square pixels, of the Gaussian that widens a beam to a round one.

    Parameters
    ----------
    wanted : float
        Full width at half maximum in arcsec.
    beam : (float, float, float)
        Full widths in arcsec and position angle in degrees, from north to east.
    jacobian : ndarray, shape (2, 2)
        Arcseconds to the east and to the north per pixel along x and y.

    Returns
    -------
    ndarray of shape (2, 2) or None
        Over x and y; None where the beam is wider than what is wanted.
    """
    angle = np.radians(beam[2])
    axes = np.array([[np.sin(angle), np.cos(angle)], [np.cos(angle), -np.sin(angle)]])  # columns: along, across
    given = axes @ np.diag(np.square(beam[:2])) @ axes.T
    missing, turn = np.linalg.eigh(wanted**2 * np.eye(2) - given)
    if missing.min() < -1e-6 * wanted**2:
        return None
    to_pixels = np.linalg.inv(jacobian) / FWHM
    return to_pixels @ (turn @ np.diag(np.maximum(missing, 0)) @ turn.T) @ to_pixels.T


def convolved(
    values: np.ndarray, variance: np.ndarray | None, covariance: np.ndarray
) -> tuple[np.ndarray, np.ndarray | None]:
    """Convolve an image with a Gaussian of any shape, also one that is a line; missing values take no part.

    Parameters
    ----------
    values, variance : ndarray of float64, shape (ny, nx)
    covariance : ndarray, shape (2, 2)
        In square pixels.

    Notes
    -----
    Normalised convolution, as in `jviz.backend.cubes.smoothing`, with the transform of the Gaussian.
    """
    from scipy.fft import fftfreq, irfft2, next_fast_len, rfft2, rfftfreq

    pad = int(np.ceil(REACH * np.sqrt(max(np.diag(covariance).max(), 0.0)))) + 1
    shape = tuple(next_fast_len(n + pad, real=True) for n in values.shape)
    ky, kx = fftfreq(shape[0])[:, None], rfftfreq(shape[1])
    form = covariance[0, 0] * kx**2 + 2 * covariance[0, 1] * kx * ky + covariance[1, 1] * ky**2
    transfer = np.exp(-2 * np.pi**2 * form)

    def through(part: np.ndarray, by: np.ndarray) -> np.ndarray:
        return irfft2(rfft2(part, shape) * by, shape)[: values.shape[0], : values.shape[1]]

    good = np.isfinite(values)
    total = through(good.astype(np.float64), transfer)
    with np.errstate(divide="ignore", invalid="ignore"):
        made = np.where(good, through(np.where(good, values, 0.0), transfer) / total, np.nan)
        if variance is None:
            return made, None
        squared = rfft2(irfft2(transfer, shape) ** 2)
        noise = through(np.where(good & np.isfinite(variance), variance, 0.0), squared)
        return made, np.where(good, np.maximum(noise, 0) / total**2, np.nan)
