"""The PSF of a segmented mirror by Fourier optics, on pixels."""

from functools import cache

import numpy as np

from jviz.backend.photometry.psfs import PsfModel

PITCH, STRUT = 1.323, 0.11
CENTRES = [(PITCH * np.sqrt(3) / 2 * q, PITCH * (r + q / 2)) for q in range(-2, 3) for r in range(-2, 3)
           if 0 < max(abs(q), abs(r), abs(q + r)) <= 2]  # fmt: skip


@cache
def webb_psf(wave=2e-6, pixel=0.031, fine=4, half=125, side=1024):
    """Return that of 18 hexagons with three struts, errors of 70 nm in the wavefront, for three wavelengths.

    The light in all of the ``side / fine`` pixels is 1; those up to ``half`` pixels are returned.
    """
    draw = np.random.default_rng(1).normal(0, 70e-9, (18, 3))
    total = 0
    for length in wave * np.array([0.9, 1.0, 1.1]):
        step = length / (side * np.radians(pixel / 3600) / fine)
        reach = int(3.5 / step)  # half the mirror
        along = np.arange(-reach, reach + 1) * step
        x, y = np.meshgrid(along, along)
        pupil = 0
        for (cx, cy), (piston, tip, tilt) in zip(CENTRES, draw, strict=True):
            u, v = x - cx, y - cy
            far = np.maximum.reduce([abs(u * np.cos(t) + v * np.sin(t)) for t in np.radians([30, 90, 150])])
            whole = np.clip(0.5 + (0.497 * PITCH - far) / step, 0, 1)
            pupil = pupil + whole * np.exp(2j * np.pi / length * (piston + tip * u + tilt * v))
        for t in np.radians([90, -60, -120]):
            aside = np.clip(0.5 + (STRUT / 2 - abs(y * np.cos(t) - x * np.sin(t))) / step, 0, 1)
            pupil = pupil * (1 - aside * (x * np.cos(t) + y * np.sin(t) > 0))
        total = total + abs(np.fft.fft2(pupil, s=(side, side))) ** 2
    by_pixels = np.sinc(np.fft.fftfreq(side) * fine)
    total = np.fft.fftshift(np.fft.ifft2(np.fft.fft2(total) * by_pixels * by_pixels[:, None]).real)
    box = slice(side // 2 - half * fine, side // 2 + half * fine + 1)
    return PsfModel((total * fine**2 / total.sum())[None, box, box], fine)
