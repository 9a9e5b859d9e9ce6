"""What stars cannot tell of their PSF: light and places that depend on where between pixels a star lies."""

from __future__ import annotations

import numpy as np

__all__ = ["evened"]

FINEST = 1.0
"""Cycles for a pixel from which a PSF has no structure: light that pixels add up is 0 there (a zero of their sinc)."""

NYQUIST = 0.75
"""The same as a part of the finest that a table can show, where that is less."""

HELD = 1e-3
"""Part of their own structure with which corrections are held back."""


def evened(table: np.ndarray, fine: int, fwhm: float) -> np.ndarray:
    """Take what depends on the pixel phase alone out of a table.

    All pixels of a star lie at one phase, the fraction of its place. A PSF with a factor or a shift for each phase and
    stars with the inverse ones give the same image, so that the light of a PSF and the fluxes of its stars would keep
    what they began with: 1 to 4 % for PSFs that are unlike a Gaussian. Such factors and shifts, periodic in a pixel,
    show as structure finer than a pixel. The smoothest of all tables that give the same image is that of the telescope.

    Parameters
    ----------
    table : ndarray, shape (m, m)
        The star is at the middle sample.
    fine : int
        Samples for one pixel; with 1 there is only one phase.
    fwhm : float
        In pixels.
    """
    if fine == 1:
        return table
    middle = len(table) // 2
    waves = _waves(np.arange(-middle, middle + 1) * 2 * np.pi / fine, fine)
    by_y, by_x = np.gradient(table)
    columns = [values * wave for values in (table, by_x, by_y) for wave in waves]
    reach = min(middle, int(np.ceil(2 * max(fwhm, 1.5) * fine)))
    box = slice(middle - reach, middle + reach + 1)
    seen = np.stack([_structure(one[box, box], fine) for one in columns], axis=1)
    scale = np.sqrt((seen**2).sum(axis=0))
    seen /= scale
    normal = seen.T @ seen + HELD * np.eye(len(scale))
    part = -np.linalg.solve(normal, seen.T @ _structure(table[box, box], fine)) / scale
    return table + np.tensordot(part, columns, 1)


def _waves(angle: np.ndarray, fine: int) -> list[np.ndarray]:
    """Return functions of the phase: products of the first harmonics along both axes, without the constant."""
    along = [np.ones_like(angle), np.cos(angle)]
    if fine > 2:  # two samples do not show the sine
        along.append(np.sin(angle))
    return [np.outer(a, b) for a in along for b in along][1:]


def _structure(values: np.ndarray, fine: int) -> np.ndarray:
    """Return the amplitudes of what is finer than a PSF can be."""
    side = len(values)
    taper = np.cos(np.linspace(-0.5, 0.5, side + 2)[1:-1] * np.pi)
    frequency = np.abs(np.fft.fftfreq(side)) * fine
    high = np.maximum(frequency[:, None], frequency) >= min(FINEST, NYQUIST * fine / 2)
    found = np.fft.fft2(values * taper * taper[:, None])[high]
    return np.r_[found.real, found.imag]
