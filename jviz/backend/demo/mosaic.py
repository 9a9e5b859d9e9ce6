"""The simulated mosaic: what the sky shows, what a detector makes of it, and the truth about both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jviz.backend.demo.galaxies import sersic, spiral
from jviz.backend.demo.nebula import nebula
from jviz.backend.demo.psf import Psf

__all__ = ["PIXAR_SR", "PIXEL_SCALE", "SIZE", "Mosaic", "Source", "make_mosaic", "to_sky"]

SIZE = 2048
PIXEL_SCALE = 0.031
"""In arcsec."""
PIXAR_SR = float(np.radians(PIXEL_SCALE / 3600) ** 2)
"""Solid angle of a pixel in sr."""
CENTRE = (53.1625, -27.7914)
ROTATION = 30.0
"""Position angle of the image's y axis, in degrees east of north."""
APERTURE = 8
"""Radius in pixels of the aperture that the errors of fluxes are for."""

DO_NOT_USE, SATURATED, JUMP_DET, DEAD, HOT = 1, 2, 4, 1024, 2048

_background = 0.21
_noise = 0.011
_gain = 2.2e-4
_exposures = ((-14.0, 9.0, 0.35), (11.0, -16.0, 0.35), (17.0, 13.0, -0.30), (-9.0, -12.0, -0.30))
_exposure_time = 837.468
_saturation = 9000.0
_hero = (1395.0, 1440.0)
_bright = ((438.6, 1585.3, 3.0e5), (1738.2, 585.7, 1.05e5), (905.4, 1130.8, 4.2e4), (1226.7, 231.4, 5.5e4))


@dataclass
class Source:
    """What was put into the sky.

    Parameters
    ----------
    x, y : float
        0-based pixel coordinates.
    flux : float
        All its light, in MJy/sr × pixels.
    radius : float
        Half-light radius in pixels, 0 for stars.
    """

    kind: str
    x: float
    y: float
    flux: float
    radius: float = 0.0


@dataclass
class Mosaic:
    """The arrays of a mosaic, (2048, 2048) each, in MJy/sr, and the sources in it."""

    truth: np.ndarray
    sci: np.ndarray
    err: np.ndarray
    dq: np.ndarray
    wht: np.ndarray
    sources: list[Source]
    psf: Psf

    def flux_errors(self) -> np.ndarray:
        """Return the errors of the sources' fluxes in an aperture, corrected for what it misses."""
        offset = np.arange(-APERTURE, APERTURE + 1)
        dy, dx = np.nonzero(offset**2 + offset[:, None] ** 2 <= APERTURE**2)
        x = np.array([round(source.x) for source in self.sources])[:, None] + offset[dx]
        y = np.array([round(source.y) for source in self.sources])[:, None] + offset[dy]
        inside = self.err[np.clip(y, 0, SIZE - 1), np.clip(x, 0, SIZE - 1)]
        return np.sqrt(np.nansum(inside.astype(float) ** 2, 1)) / self.psf.encircled(APERTURE)


def to_sky(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return right ascension and declination in degrees by the gnomonic projection of the header."""
    (a, b), (c, d) = cd_matrix()
    dx, dy = x - (SIZE - 1) / 2, y - (SIZE - 1) / 2
    xi, eta = np.radians(a * dx + b * dy), np.radians(c * dx + d * dy)
    ra, dec = np.radians(CENTRE)
    up = np.cos(dec) - eta * np.sin(dec)
    lon = np.degrees(ra + np.arctan2(xi, up))
    lat = np.degrees(np.arctan2(np.sin(dec) + eta * np.cos(dec), np.hypot(xi, up)))
    return lon, lat


def cd_matrix() -> tuple[tuple[float, float], tuple[float, float]]:
    """Return CD1_1, CD1_2; CD2_1, CD2_2 in degrees per pixel."""
    scale, angle = PIXEL_SCALE / 3600, np.radians(ROTATION)
    cos, sin = float(scale * np.cos(angle)), float(scale * np.sin(angle))
    return (-cos, sin), (sin, cos)


def make_mosaic(seed: int) -> Mosaic:
    """Simulate the mosaic; the same seed gives the same pixels."""
    rng = np.random.default_rng([seed, 1])
    psf = Psf(rng, pixel_scale=PIXEL_SCALE)
    truth = _diffuse(rng)
    sources = [*_add_galaxies(truth, rng), *_add_stars(truth, rng, psf)]
    return _observed(truth, sources, psf, rng)


def _diffuse(rng: np.random.Generator) -> np.ndarray:
    """Zodiacal light with a slight gradient, and the nebula."""
    place = np.linspace(-1, 1, SIZE, dtype=np.float32)
    slope = 1 + 0.035 * place + 0.02 * place[:, None]
    return np.float32(_background) * slope + np.float32(0.85) * nebula(rng, SIZE)


def _add(image: np.ndarray, stamp: np.ndarray, x: int, y: int) -> None:
    """Add a stamp whose middle goes to pixel (x, y), cut at the image's edges (in place)."""
    left, bottom = x - stamp.shape[1] // 2, y - stamp.shape[0] // 2
    x0, y0 = max(left, 0), max(bottom, 0)
    x1, y1 = min(left + stamp.shape[1], image.shape[1]), min(bottom + stamp.shape[0], image.shape[0])
    if x0 < x1 and y0 < y1:
        image[y0:y1, x0:x1] += stamp[y0 - bottom : y1 - bottom, x0 - left : x1 - left]


def _add_galaxies(image: np.ndarray, rng: np.random.Generator) -> list[Source]:
    sources = []
    for x, y, radius, flux, shape in _spirals(rng):
        stamp = spiral(rng, radius=radius, dx=x % 1, dy=y % 1, **shape)
        _add(image, stamp * flux, int(x), int(y))
        sources.append(Source("spiral", x, y, flux, 1.68 * radius))
    for x, y, radius, flux, shape in _ellipses(rng):
        stamp = sersic(radius=radius, dx=x % 1, dy=y % 1, **shape)
        _add(image, stamp * flux, int(x), int(y))
        sources.append(Source("galaxy", x, y, flux, radius))
    return sources


def _spirals(rng: np.random.Generator) -> list[tuple]:
    """One big spiral and a dozen smaller ones: x, y, scale length, flux, shape."""
    found = [(*_hero, 68.0, 4.6e4, {"ratio": 0.72, "angle": 0.5, "pitch": 0.34})]
    for _ in range(13):
        radius = float(rng.uniform(6, 19))
        x, y = rng.uniform(60, SIZE - 60, 2)
        flux = 0.9 * radius**2 * float(rng.uniform(4, 10))
        shape = {
            "ratio": float(rng.uniform(0.22, 0.95)),
            "angle": float(rng.uniform(0, np.pi)),
            "pitch": float(rng.choice([-1, 1]) * rng.uniform(0.25, 0.42)),
        }
        found.append((float(x), float(y), radius, flux, shape))
    return found


def _ellipses(rng: np.random.Generator) -> list[tuple]:
    """A small group round one elliptical, and the faint many behind everything."""
    group = rng.normal((620, 560), 120, (16, 2)) + rng.uniform(-20, 20, (16, 2))
    field = rng.uniform(10, SIZE - 10, (1350, 2))
    places = np.concatenate([group, field])
    count = len(places)
    flux = 3.0 * (1 - rng.uniform(0, 0.9995, count)) ** -0.85
    flux[:16] = np.sort(rng.uniform(60, 1400, 16))[::-1]
    flux[0] = 6200.0
    radius = np.clip(0.95 * flux**0.27 * np.exp(rng.normal(0, 0.28, count)), 0.9, 26)
    index = np.where(rng.uniform(size=count) < 0.22, 3.2, 1.0)
    index[:16] = 3.6
    ratio, angle = rng.uniform(0.3, 1, count), rng.uniform(0, np.pi, count)
    ratio[:16] = rng.uniform(0.68, 0.96, 16)
    return [
        (
            float(x), float(y), float(r), float(f),
            {"index": float(n), "ratio": float(q), "angle": float(a)},
        )
        for (x, y), r, f, n, q, a in zip(places, radius, flux, index, ratio, angle, strict=True)
    ]  # fmt: skip


def _add_stars(image: np.ndarray, rng: np.random.Generator, psf: Psf) -> list[Source]:
    """Add stars, each with as much of its spikes as rises above the noise."""
    flux = 14.0 * (1 - rng.uniform(0, 0.9992, 170)) ** -1.05
    x, y = rng.uniform(20, SIZE - 20, (2, flux.size))
    bright = np.array(_bright)
    x, y, flux = (np.concatenate([a, b]) for a, b in zip(bright.T, (x, y, flux), strict=True))
    size = np.where(flux > 1.2e4, 1024, np.where(flux > 250, 256, 64))
    for stamp_size in (64, 256, 1024):
        chosen = np.flatnonzero(size == stamp_size)
        for some in np.array_split(chosen, -(-chosen.size * stamp_size**2 // 2**20) or 1):
            stamps = psf.stamps(stamp_size, x[some] % 1, y[some] % 1)
            for stamp, one in zip(stamps, some, strict=True):
                _add(image, stamp * np.float32(flux[one]), int(x[one]), int(y[one]))
    return [Source("star", *map(float, star)) for star in zip(x, y, flux, strict=True)]


def _observed(truth: np.ndarray, sources: list[Source], psf: Psf, rng: np.random.Generator) -> Mosaic:
    """Expose four times with dithers, add noise, and flag what detectors spoil."""
    count = _coverage()
    dq = np.zeros(truth.shape, np.uint32)
    lost = _hit(dq, count, rng)
    left = np.maximum(count - lost, 0)
    with np.errstate(divide="ignore"):
        share = len(_exposures) / left
    err = np.sqrt((_noise**2 + _gain * np.maximum(truth - _background, 0)) * share)
    sci = truth + err * rng.standard_normal(truth.shape, dtype=np.float32)
    saturated = truth > _saturation
    dq[saturated] |= SATURATED | DO_NOT_USE
    unseen = (left == 0) | saturated
    dq[unseen] |= DO_NOT_USE
    sci[unseen] = err[unseen] = np.nan
    wht = np.where(unseen, 0, left * np.float32(_exposure_time))
    return Mosaic(truth, sci, err, dq, wht, sources, psf)


def _coverage() -> np.ndarray:
    """Count the exposures that see each pixel."""
    count = np.zeros((SIZE, SIZE), np.float32)
    place = np.arange(SIZE, dtype=np.float32)
    middle = (SIZE - 1) / 2
    for dx, dy, degrees in _exposures:
        slope = np.float32(np.tan(np.radians(degrees)))
        # A parallelogram: for such small angles the same as a turned square.
        aside = place - middle - dx
        along = place[:, None] - middle - dy
        half = middle - 6
        columns = np.abs(aside + slope * along) <= half
        rows = np.abs(along - slope * aside) <= half
        count += columns & rows
    return count


def _hit(dq: np.ndarray, count: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Flag cosmic rays, hot and dead pixels (in place); return how many exposures each costs."""
    lost = np.zeros(dq.shape, np.float32)
    starts, lengths = rng.integers(0, SIZE, (2, 900)), rng.integers(2, 9, 900)
    angles = rng.uniform(0, np.pi, 900)
    step = np.arange(9)
    keep = step < lengths[:, None]
    x = np.clip(starts[0][:, None] + np.rint(step * np.cos(angles)[:, None]), 0, SIZE - 1)[keep].astype(int)
    y = np.clip(starts[1][:, None] + np.rint(step * np.sin(angles)[:, None]), 0, SIZE - 1)[keep].astype(int)
    dq[y, x] |= JUMP_DET
    lost[y, x] = 1
    for flag, number, cost in ((HOT, 500, 1), (DEAD, 40, len(_exposures))):
        x, y = rng.integers(0, SIZE, (2, number))
        dq[y, x] |= flag
        lost[y, x] = cost
    return lost
