"""Glowing gas: a cloud with a bright torn edge and filaments, out of noise warped by noise."""

from __future__ import annotations

import numpy as np

__all__ = ["doubled", "nebula", "turbulence"]


def turbulence(rng: np.random.Generator, size: int, slope: float, *, largest: float = 1.0) -> np.ndarray:
    """Return a Gaussian field (size, size) with a power-law spectrum, periodic, of mean 0 and variance 1.

    Parameters
    ----------
    slope : float
        Amplitudes fall as frequency**-slope.
    largest : float
        Scales above size / largest are left out.
    """
    noise = np.fft.rfft2(rng.standard_normal((size, size), dtype=np.float32))
    fy, fx = np.fft.fftfreq(size)[:, None] * size, np.fft.rfftfreq(size) * size
    frequency = np.sqrt(fx**2 + fy**2 + 1e-9)
    gain = np.where(frequency >= largest, frequency**-slope, 0.0).astype(np.float32)
    field = np.fft.irfft2(noise * gain, s=(size, size))
    return ((field - field.mean()) / field.std()).astype(np.float32)


def nebula(rng: np.random.Generator, size: int) -> np.ndarray:
    """Return the surface brightness (size, size) of a cloud in the lower left, 0 … about 1.

    Parameters
    ----------
    size : int
        Even; the cloud is made at half that size.
    """
    half = size // 2
    bend_x, bend_y = turbulence(rng, half, 2.1), turbulence(rng, half, 2.1)
    texture = _warped(turbulence(rng, half, 1.45, largest=2), 11 * bend_x, 11 * bend_y)
    strands = _warped(turbulence(rng, half, 1.9, largest=3), 22 * bend_y, 22 * bend_x)
    y, x = np.mgrid[0:half, 0:half].astype(np.float32) / half
    # How deep in the cloud: 0 on its edge, which runs from the upper left to the lower right.
    edge = 0.36 - 0.40 * x + 0.10 * np.sin(5.5 * x + 0.6)
    depth = (edge - y) + 0.050 * bend_x + 0.020 * texture
    inside = (1 + np.tanh(depth / 0.010)) / 2
    rim = np.exp(-np.abs(depth - 0.006) / np.where(depth > 0.006, 0.016, 0.004))
    filaments = np.exp(-np.abs(strands) / 0.05) + 0.6 * np.exp(-np.abs(strands + 0.8) / 0.03)
    shade = (1 + np.tanh(1.3 * (bend_y + 0.5 * texture + 0.2))) / 2
    ripple = np.exp(0.62 * texture)
    body = 0.20 * ripple * (0.25 + shade) * np.exp(-np.maximum(depth, 0) / 0.3)
    haze = 0.09 * np.exp(-np.maximum(-depth, 0) / 0.10) * np.sqrt(ripple)
    body = body + 0.22 * filaments * ripple * (0.1 + shade)
    light = inside * body + 0.5 * rim * ripple**2.2 * shade + haze
    return doubled(np.maximum(light, 0).astype(np.float32))


def doubled(field: np.ndarray) -> np.ndarray:
    """Return a field at twice the size, linearly interpolated."""
    for axis in (0, 1):
        following = np.concatenate([field.take(range(1, field.shape[axis]), axis), field.take([-1], axis)], axis)
        field = np.stack([field, (field + following) * np.float32(0.5)], axis + 1)
        shape = list(field.shape)
        shape[axis : axis + 2] = [shape[axis] * 2]
        field = field.reshape(shape)
    return field


def _warped(field: np.ndarray, dx: np.ndarray, dy: np.ndarray) -> np.ndarray:
    """Look the field up at places moved by (dx, dy), linearly, round the edges."""
    size = field.shape[0]
    place = np.arange(size, dtype=np.float32)
    x, y = place + dx, place[:, None] + dy
    column, row = np.floor(x).astype(np.int32), np.floor(y).astype(np.int32)
    fx, fy = x - column.astype(np.float32), y - row.astype(np.float32)
    left, right = column % size, (column + 1) % size
    below, above = row % size * size, (row + 1) % size * size
    flat = field.ravel()
    lower = flat[below + left] * (1 - fx) + flat[below + right] * fx
    upper = flat[above + left] * (1 - fx) + flat[above + right] * fx
    return lower * (1 - fy) + upper * fy
