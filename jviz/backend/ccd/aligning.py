"""Exposures of one field brought onto each other: offsets by cross-correlation, and shifts with their errors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from jviz.backend.ccd.images import DEAD, CcdImage

__all__ = ["offset_of", "shifted"]

STARS = 3.0
"""Values above the background, in its scatter, that count for an offset."""

SEEING = 1.0
"""Standard deviation in pixels by which images are smoothed first, so that single noisy pixels hardly count."""


def offset_of(image: CcdImage, reference: CcdImage) -> tuple[float, float, float]:
    """Return how far an image is displaced from another.

    Returns
    -------
    dx, dy : float
        In pixels: what lies at (x, y) in the reference lies at (x + dx, y + dy) in the image.
    peak : float
        Correlation coefficient of what is above the background, in percent: 100 for the same light, up to 36 for noise.
    """
    a, b = _stars(reference), _stars(image)
    shape = tuple(2 * n for n in a.shape)
    product = np.fft.rfft2(b, shape) * np.conj(np.fft.rfft2(a, shape))
    found = np.fft.irfft2(product, shape)
    top = np.unravel_index(int(np.argmax(found)), found.shape)
    same = float(np.sqrt((a**2).sum() * (b**2).sum()))
    shifts = [_parabola(found, top, axis) for axis in (0, 1)]
    dy, dx = (s - n if s > n / 2 else s for s, n in zip(shifts, shape, strict=True))
    return float(dx), float(dy), 100 * float(found[top]) / same if same else 0.0


def _stars(image: CcdImage) -> np.ndarray:
    """Return the light of sources, compressed so that no single one decides."""
    from scipy.ndimage import gaussian_filter  # a start should not wait for it

    good = ~image.bad
    middle = float(np.median(image.values[good])) if good.any() else 0.0
    above = gaussian_filter(np.where(good, image.values, middle), SEEING) - middle
    scatter = 1.4826 * float(np.median(np.abs(above))) or 1.0
    return np.sqrt(np.maximum(above / scatter - STARS, 0.0))


def _parabola(values: np.ndarray, top: tuple[int, ...], axis: int) -> float:
    """Return where the maximum lies along an axis, to a part of a pixel."""
    n, place = values.shape[axis], list(top)
    around = []
    for step in (-1, 0, 1):
        place[axis] = (top[axis] + step) % n
        around.append(float(values[tuple(place)]))
    below, middle, above = around
    bend = below - 2 * middle + above
    return top[axis] + (0.5 * (below - above) / bend if bend < 0 else 0.0)


def shifted(image: CcdImage, dx: float, dy: float, *, fractions: bool = False) -> CcdImage:
    """Return an image moved back by an offset, on the grid of the reference; dead where nothing comes from.

    Parameters
    ----------
    fractions : bool
        Interpolate between pixels (bilinear), which correlates their noise; otherwise whole pixels are moved.
    """
    if not fractions:
        return _moved(image, round(dx), round(dy))
    x0, y0 = int(np.floor(dx)), int(np.floor(dy))
    fx, fy = dx - x0, dy - y0
    values, variance = np.zeros(image.values.shape), np.zeros(image.values.shape)
    flags = np.zeros(image.values.shape, np.uint8)
    for step_y, wy in ((0, 1 - fy), (1, fy)):
        for step_x, wx in ((0, 1 - fx), (1, fx)):
            if wx * wy == 0:
                continue
            part = _moved(image, x0 + step_x, y0 + step_y)
            values += wx * wy * part.values
            variance += (wx * wy) ** 2 * part.variance
            flags |= part.flags
    return replace(image, values=values, variance=variance, flags=flags)


def _moved(image: CcdImage, dx: int, dy: int) -> CcdImage:
    """Return the pixel at (x + dx, y + dy) at (x, y)."""
    ny, nx = image.values.shape
    values, variance = np.zeros((ny, nx)), np.zeros((ny, nx))
    flags = np.full((ny, nx), DEAD, np.uint8)
    rows, columns = (slice(max(0, -d), max(0, min(n, n - d))) for d, n in ((dy, ny), (dx, nx)))
    from_rows, from_columns = (slice(max(0, d), max(0, min(n, n + d))) for d, n in ((dy, ny), (dx, nx)))
    for out, source in ((values, image.values), (variance, image.variance), (flags, image.flags)):
        out[rows, columns] = source[from_rows, from_columns]
    return replace(image, values=values, variance=variance, flags=flags)
