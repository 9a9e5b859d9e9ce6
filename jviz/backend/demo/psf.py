"""The point-spread function of a segmented hexagonal mirror, as JWST has it: six long spikes, two short.

The pupil is drawn for five wavelengths of the filter and Fourier transformed; its geometry
(18 hexagons 1.32 m across, three struts) is that of JWST, its wavefront errors are invented.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

__all__ = ["Psf"]

_pitch = 1.323
_gap = 0.007
_strut = 0.11
_normals = np.radians([30.0, 90.0, 150.0])
_strut_angles = np.radians([90.0, -60.0, -120.0])
_size = 1024
_smoothing = 0.62


class Psf:
    """A point-spread function sampled on the pixels of an image.

    Parameters
    ----------
    rng : Generator
        Draws the wavefront errors.
    pixel_scale : float
        In arcsec.
    wavelength, width : float
        Of the filter, in m.
    """

    def __init__(
        self,
        rng: np.random.Generator,
        *,
        pixel_scale: float = 0.031,
        wavelength: float = 2.0e-6,
        width: float = 0.45e-6,
    ) -> None:
        self._tilts = rng.normal(0.0, 1.0, (18, 3)) * (35e-9, 45e-9, 45e-9)
        waves = wavelength + width * np.linspace(-0.5, 0.5, 5)
        full = sum(self._monochromatic(wave, np.radians(pixel_scale / 3600)) for wave in waves)
        full = _band_limited(full) * _taper()
        self.image = (full / full.sum(dtype=np.float64)).astype(np.float32)
        """The function (1024, 1024) centred on [512, 512]; its sum is 1."""

    def _monochromatic(self, wave: float, pixel: float) -> np.ndarray:
        """Return the intensity at one wavelength on the image's pixels."""
        metres = wave / (_size * pixel)
        half = int(3.4 / metres) + 1
        across = (np.arange(-half, half + 1) * metres).astype(np.float32)
        pupil = _pupil(across, across[:, None], metres, wave, self._tilts)
        field = np.zeros((_size, _size), np.complex64)
        field[: 2 * half + 1, : 2 * half + 1] = pupil
        return np.fft.fftshift(np.abs(np.fft.fft2(field)) ** 2)

    def encircled(self, radius: float) -> float:
        """Return the fraction of the light in the pixels whose centres lie within a radius."""
        offset = np.arange(_size) - _size // 2
        inside = offset**2 + offset[:, None] ** 2 <= radius**2
        return float(self.image[inside].sum(dtype=np.float64))

    def stamps(self, size: int, dx: np.ndarray, dy: np.ndarray) -> np.ndarray:
        """Return the function (n, size, size) moved by fractions of a pixel from [size//2, size//2]."""
        transfer = self._transfers[size]
        u = np.fft.rfftfreq(size).astype(np.float32)
        v = np.fft.fftfreq(size).astype(np.float32)
        phase = dx[:, None, None] * u + dy[:, None, None] * v[:, None]
        moved = np.fft.irfft2(transfer * np.exp(-2j * np.pi * phase).astype(np.complex64), s=(size, size))
        return np.fft.fftshift(moved, axes=(1, 2)).astype(np.float32)

    @cached_property
    def _transfers(self) -> dict[int, np.ndarray]:
        transfers = {}
        for size in (64, 256, _size):
            middle = slice((_size - size) // 2, (_size + size) // 2)
            transfers[size] = np.fft.rfft2(np.fft.ifftshift(self.image[middle, middle]))
        return transfers


def _band_limited(image: np.ndarray) -> np.ndarray:
    """Smooth as pixels and drizzling do, so that moving by a part of a pixel does not ring."""
    u, v = np.fft.rfftfreq(_size), np.fft.fftfreq(_size)[:, None]
    gain = np.exp(-2 * (np.pi * _smoothing) ** 2 * (u**2 + v**2)).astype(np.float32)
    return np.maximum(np.fft.irfft2(np.fft.rfft2(image) * gain), 0)


def _taper() -> np.ndarray:
    """Let the spikes fade out before the array ends, (1024, 1024)."""
    offset = np.arange(_size) - _size // 2
    radius = np.hypot(offset, offset[:, None]) / (_size // 2)
    return np.cos(np.pi / 2 * np.clip((radius - 0.45) / 0.53, 0, 1)) ** 2


def _pupil(x: np.ndarray, y: np.ndarray, metres: float, wave: float, tilts: np.ndarray) -> np.ndarray:
    """Draw the aperture (ny, nx) with its phases; edges are smoothed over one sample."""
    pupil = np.zeros((y.size, x.size), np.complex64)
    reach = _pitch / np.sqrt(3) + metres
    for (cx, cy), (piston, tip, tilt) in zip(_centres(), tilts, strict=True):
        columns = np.abs(x - cx) < reach
        rows = np.abs(y[:, 0] - cy) < reach
        dx, dy = x[columns] - np.float32(cx), y[rows] - np.float32(cy)
        distance = np.maximum.reduce([np.abs(dx * np.cos(n) + dy * np.sin(n)) for n in _normals])
        cover = np.clip(0.5 + (_pitch / 2 - _gap / 2 - distance) / metres, 0, 1)
        path = piston + (tip * dx + tilt * dy) / _pitch
        pupil[np.ix_(rows, columns)] += cover * np.exp(2j * np.pi / wave * path)
    for angle in _strut_angles:
        along = x * np.cos(angle) + y * np.sin(angle)
        aside = np.abs(y * np.cos(angle) - x * np.sin(angle))
        pupil *= 1 - np.clip(0.5 + (_strut / 2 - aside) / metres, 0, 1) * (along > 0)
    return pupil


def _centres() -> list[tuple[float, float]]:
    """Return the centres of the 18 segments in m: six near ones and twelve in the outer ring."""
    centres = []
    for q in range(-2, 3):
        for r in range(-2, 3):
            if 0 < max(abs(q), abs(r), abs(q + r)) <= 2:
                centres.append((_pitch * np.sqrt(3) / 2 * q, _pitch * (r + q / 2)))
    return centres
