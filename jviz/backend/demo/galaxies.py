"""Galaxies: Sérsic ellipses by the hundred, and spirals with arms, dust and knots."""

from __future__ import annotations

import numpy as np

from jviz.backend.demo.nebula import turbulence

__all__ = ["sersic", "spiral"]

_softening = 0.9
_reach = 6.0


def sersic(*, radius: float, index: float, ratio: float, angle: float, dx: float, dy: float) -> np.ndarray:
    """Return a Sérsic profile on a square stamp of odd size, of sum 1.

    Parameters
    ----------
    radius : float
        Half-light radius along the major axis, in pixels.
    index : float
        1 for a disc, 4 for an elliptical (Sérsic 1968).
    ratio : float
        Minor over major axis.
    angle : float
        Of the major axis from x towards y, in radians.
    dx, dy : float
        The centre from that of the middle pixel.
    """
    half = int(min(_reach * radius * (1 + 0.25 * (index - 1)) + 6, 160))
    major, minor = _axes(half, angle, dx, dy)
    # The softening stands for the point-spread function, whose core is two pixels wide.
    r = np.sqrt(major**2 + (minor / ratio) ** 2 + _softening**2) / radius
    light = np.exp(-(1.9992 * index - 0.3271) * (r ** (1 / index) - 1))
    edge = light[half, 0]
    light = np.maximum(light - edge, 0)
    return light / light.sum()


def spiral(
    rng: np.random.Generator,
    *,
    radius: float,
    ratio: float,
    angle: float,
    dx: float = 0.0,
    dy: float = 0.0,
    arms: int = 2,
    pitch: float = 0.30,
) -> np.ndarray:
    """Return a spiral galaxy on a square stamp of odd size, of sum 1.

    Parameters
    ----------
    radius : float
        Scale length of the disc in pixels.
    pitch : float
        Tangent of the pitch angle of the arms; negative ones wind the other way.
    """
    half = int(5.2 * radius) + 4
    major, minor = _axes(half, angle, dx, dy)
    minor = minor / ratio
    r = np.sqrt(major**2 + minor**2 + 0.6**2) / radius
    size = 1 << int(2 * half).bit_length()
    knots = turbulence(rng, size, 1.1, largest=12)[: 2 * half + 1, : 2 * half + 1]
    clouds = turbulence(rng, size, 1.5, largest=4)[: 2 * half + 1, : 2 * half + 1]
    phase = arms * (np.arctan2(minor, major) - np.log(r + 0.05) / pitch) + 0.55 * clouds
    fade = np.clip((r - 0.35) / 0.6, 0, 1)
    arm = np.exp(2.4 * (np.cos(phase) - 1)) * fade
    lane = np.exp(7.0 * (np.cos(phase + 0.95) - 1)) * np.clip((r - 0.25) / 0.5, 0, 1)
    sparks = np.exp(np.clip(1.5 * knots + 0.5 * clouds - 1.2, None, 2.6))
    disc = np.exp(-r) * (0.42 + 1.9 * arm * (0.55 + 0.9 * sparks)) * (1 - 0.62 * lane)
    disc *= np.clip(1 + 0.16 * clouds, 0.4, 2)
    bulge = 3.2 * np.exp(-((r / 0.055) ** 0.62)) + 1.1 * np.exp(-((r / 0.22) ** 1.1))
    edge = np.clip((4.9 - r) / 1.6, 0, 1)
    light = (disc + bulge) * edge**2
    light = _blurred(light)
    return light / light.sum()


def _blurred(image: np.ndarray) -> np.ndarray:
    """Smooth by about the core of the point-spread function."""
    for _ in range(2):
        image = (2 * image + np.roll(image, 1, 0) + np.roll(image, -1, 0)) / 4
        image = (2 * image + np.roll(image, 1, 1) + np.roll(image, -1, 1)) / 4
    return image


def _axes(half: int, angle: float, dx: float, dy: float) -> tuple[np.ndarray, np.ndarray]:
    """Return distances along the major and the minor axis from a centre, (size, size) each."""
    place = np.arange(-half, half + 1, dtype=np.float32)
    x, y = place - np.float32(dx), place[:, None] - np.float32(dy)
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    return x * cos + y * sin, y * cos - x * sin
