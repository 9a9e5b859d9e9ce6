"""What there is on the sky: stars and galaxies, and how a detector of an imager sees them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jviz.backend.demo.galaxies import sersic
from jviz.backend.demo.psf import Psf

__all__ = ["FINE", "Sources", "centred_psf", "draw_sources", "painted"]

FAINTEST, BRIGHTEST = 22.6, 16.2
SLOPE = 0.22
"""Stars per magnitude grow as ``10**(SLOPE m)``."""

FINE = 2
"""Samples of the point-spread function per pixel, along each axis."""

WIDE_ABOVE = 20.5
"""Magnitude of the faintest stars whose spikes are drawn to their ends."""

AB_ZERO = 3631.0
"""Flux density of magnitude 0 in Jy (Oke & Gunn 1983)."""

GALAXY_SIZES = (0.06, 0.28)

Place = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


@dataclass
class Sources:
    """Stars and galaxies.

    Attributes
    ----------
    ra, dec : ndarray
        In degrees.
    flux : ndarray
        In Jy.
    radius : ndarray
        Half-light radius along the major axis in arcsec, 0 for stars.
    index, ratio, angle : ndarray
        Of the Sérsic profile: index, minor over major axis, and position angle in degrees east of north.
    """

    ra: np.ndarray
    dec: np.ndarray
    flux: np.ndarray
    radius: np.ndarray
    index: np.ndarray
    ratio: np.ndarray
    angle: np.ndarray

    @property
    def is_star(self) -> np.ndarray:
        """Which are points."""
        return self.radius == 0

    def chosen(self, which: np.ndarray) -> Sources:
        """Return some of them."""
        return Sources(*(getattr(self, name)[which] for name in self.__dataclass_fields__))

    def around(self, ra: float, dec: float, magnitude: float, alone: float) -> Sources:
        """Return them behind a star at a place, without those nearer to it than so many arcsec."""
        east = (self.ra - ra) * np.cos(np.radians(dec)) * 3600
        rest = self.chosen(np.hypot(east, (self.dec - dec) * 3600) >= alone)
        star = (ra, dec, AB_ZERO * 10 ** (-0.4 * magnitude), 0.0, 1.0, 1.0, 0.0)
        names = self.__dataclass_fields__
        return Sources(*(np.concatenate([[value], getattr(rest, name)])
                         for value, name in zip(star, names, strict=True)))  # fmt: skip

    @property
    def magnitude(self) -> np.ndarray:
        """AB magnitudes."""
        return -2.5 * np.log10(self.flux / AB_ZERO)

    def write(self, path: Path, **meta: Any) -> None:
        """Write a catalogue, the brightest first, with more to say of it."""
        from astropy import units as u
        from astropy.table import QTable

        order = np.argsort(-self.flux, kind="stable")
        star = self.is_star[order]
        table = QTable({
            "id": np.arange(1, order.size + 1), "kind": np.where(star, "star", "galaxy"), "RA": self.ra[order] * u.deg,
            "DEC": self.dec[order] * u.deg, "flux": self.flux[order] * u.Jy,
            "abmag": np.round(self.magnitude[order], 5) * u.ABmag, "radius": self.radius[order] * u.arcsec,
            "index": np.where(star, 0.0, self.index[order]), "ratio": np.where(star, 1.0, self.ratio[order]),
            "angle": np.where(star, 0.0, self.angle[order]) * u.deg,
        })  # fmt: skip
        table.meta = {"comment": "SIMULATED by jviz; nothing in this table was observed", **meta}
        table.write(path, format="ascii.ecsv")


def draw_sources(rng: np.random.Generator, ra: float, dec: float, width: float, *, stars: int,
                 galaxies: int) -> Sources:  # fmt: skip
    """Draw sources evenly over a square on the sky; stars keep away from each other.

    Parameters
    ----------
    ra, dec : float
        Of its middle, in degrees.
    width : float
        In arcsec.
    """
    count = stars + galaxies
    apart = 0.72 * width / max(np.sqrt(stars), 1)
    east, north = _apart(rng, stars, width, apart)
    more = rng.uniform(-width / 2, width / 2, (2, galaxies))
    east, north = np.concatenate([east, more[0]]), np.concatenate([north, more[1]])
    magnitude = _magnitudes(rng, count)
    magnitude[stars:] = rng.uniform(19.5, 24.0, galaxies)
    is_star = np.arange(count) < stars
    low, high = GALAXY_SIZES
    return Sources(
        ra=ra + east / 3600 / np.cos(np.radians(dec)), dec=dec + north / 3600,
        flux=AB_ZERO * 10 ** (-0.4 * magnitude),
        radius=np.where(is_star, 0.0, low * (high / low) ** rng.random(count)),
        index=np.where(rng.random(count) < 0.3, 3.0, 1.0), ratio=rng.uniform(0.3, 1.0, count),
        angle=rng.uniform(0, 180, count),
    )  # fmt: skip


def _magnitudes(rng: np.random.Generator, count: int) -> np.ndarray:
    low, high = 10 ** (SLOPE * BRIGHTEST), 10 ** (SLOPE * FAINTEST)
    return np.log10(rng.uniform(low, high, count)) / SLOPE


def _apart(rng: np.random.Generator, count: int, width: float, apart: float) -> tuple[np.ndarray, np.ndarray]:
    """Draw places that keep a distance while there is room for it."""
    places = np.empty((0, 2))
    for place in rng.uniform(-width / 2, width / 2, (60 * count, 2)):
        if len(places) == count:
            break
        if not len(places) or np.hypot(*(places - place).T).min() >= apart:
            places = np.vstack([places, place])
    more = rng.uniform(-width / 2, width / 2, (count - len(places), 2))
    return tuple(np.vstack([places, more]).T)


def centred_psf(rng: np.random.Generator, scale: float, wavelength: float, width: float) -> Psf:
    """Return a point-spread function whose core lies where its star does; `Psf` has wavefront errors that move it.

    Parameters
    ----------
    scale : float
        Arcsec per pixel.
    wavelength, width : float
        Of the filter, in µm.
    """
    psf = Psf(rng, pixel_scale=scale / FINE, wavelength=wavelength * 1e-6, width=width * 1e-6)
    size = len(psf.image)
    offset = np.arange(size) - size // 2
    x = y = 0.0
    for _ in range(30):
        weight = psf.image * np.exp(-((offset - x) ** 2 + (offset[:, None] - y) ** 2) / (2 * (2.0 * FINE) ** 2))
        whole = weight.sum(dtype=float)
        x += 2 * (float((weight.sum(0, dtype=float) * offset).sum() / whole) - x)
        y += 2 * (float((weight.sum(1, dtype=float) * offset).sum() / whole) - y)
    phase = np.fft.rfftfreq(size) * x + np.fft.fftfreq(size)[:, None] * y
    moved = np.fft.irfft2(np.fft.rfft2(psf.image) * np.exp(2j * np.pi * phase), s=psf.image.shape)
    moved = np.maximum(moved, 0)
    psf.image = (moved / moved.sum()).astype(np.float32)
    return psf


def painted(sources: Sources, place: Place, shape: tuple[int, int], psf: Psf, scale: float, north: float) -> np.ndarray:
    """Return the light of sources on a detector, in Jy per pixel.

    Parameters
    ----------
    place : callable
        Gives 0-based column and row of right ascension and declination.
    psf : Psf
        On samples half as wide as a pixel.
    scale : float
        Arcsec per pixel.
    north : float
        Angle on the detector from +x towards +y of the direction to the north, in degrees; east is a quarter turn
        further against the clock.
    """
    x, y = place(sources.ra, sources.dec)
    image = np.zeros(shape)
    star = sources.is_star
    _paint_stars(image, x[star], y[star], sources.flux[star], psf)
    if not star.all():
        image += _galaxies(sources, x, y, shape, psf, scale, north)
    return np.maximum(image, 0)


def _paint_stars(image: np.ndarray, x: np.ndarray, y: np.ndarray, flux: np.ndarray, psf: Psf) -> None:
    faint = flux < AB_ZERO * 10 ** (-0.4 * WIDE_ABOVE)
    for size, chosen in ((256, np.flatnonzero(faint)), (1024, np.flatnonzero(~faint))):
        reach = size // (2 * FINE)
        near = chosen[(x[chosen] > -reach) & (x[chosen] < image.shape[1] + reach)
                      & (y[chosen] > -reach) & (y[chosen] < image.shape[0] + reach)]  # fmt: skip
        for some in np.array_split(near, -(-near.size * size**2 // 2**22) or 1):
            column, row = np.floor(x[some]).astype(int), np.floor(y[some]).astype(int)
            # The middle of a pixel lies between its two samples.
            shift_x = FINE * (x[some] - column) + (FINE - 1) / 2
            shift_y = FINE * (y[some] - row) + (FINE - 1) / 2
            stamps = _binned(psf.stamps(size, shift_x, shift_y))
            for number, one in enumerate(some):
                stamp = stamps[number] / stamps[number].sum()
                _add(image, stamp * flux[one], int(column[number]) - reach, int(row[number]) - reach)


def _binned(stamps: np.ndarray) -> np.ndarray:
    count, rows, columns = stamps.shape
    return stamps.reshape(count, rows // FINE, FINE, columns // FINE, FINE).sum((2, 4), dtype=np.float64)


def _galaxies(sources: Sources, x: np.ndarray, y: np.ndarray, shape: tuple[int, int], psf: Psf, scale: float,
              north: float) -> np.ndarray:  # fmt: skip
    """Paint the profiles of galaxies and smear them by the point-spread function."""
    margin = 64
    light = np.zeros((shape[0] + 2 * margin, shape[1] + 2 * margin))
    for one in np.flatnonzero(~sources.is_star):
        column, row = round(float(x[one])), round(float(y[one]))
        # Position angles run from north to east, which is against the clock on detectors of parity -1.
        angle = np.radians(north + sources.angle[one])
        stamp = sersic(radius=sources.radius[one] / scale, index=sources.index[one], ratio=sources.ratio[one],
                       angle=float(angle), dx=float(x[one] - column), dy=float(y[one] - row))  # fmt: skip
        half = stamp.shape[0] // 2
        _add(light, stamp * sources.flux[one], column - half + margin, row - half + margin)
    kernel = _binned(psf.stamps(256, np.array([0.5]), np.array([0.5])))[0]
    return _smeared(light, kernel)[margin:-margin, margin:-margin]


def _smeared(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Convolve with a kernel whose middle is its pixel ``[n // 2, n // 2]``."""
    import scipy.fft

    size = [scipy.fft.next_fast_len(a + b, real=True) for a, b in zip(image.shape, kernel.shape, strict=True)]
    product = scipy.fft.rfft2(image, size) * scipy.fft.rfft2(kernel / kernel.sum(), size)
    half = kernel.shape[0] // 2
    return scipy.fft.irfft2(product, size)[half : half + image.shape[0], half : half + image.shape[1]]


def _add(image: np.ndarray, stamp: np.ndarray, left: int, bottom: int) -> None:
    """Add a stamp whose first pixel goes to (left, bottom), cut at the image's edges (in place)."""
    x0, y0 = max(left, 0), max(bottom, 0)
    x1, y1 = min(left + stamp.shape[1], image.shape[1]), min(bottom + stamp.shape[0], image.shape[0])
    if x0 < x1 and y0 < y1:
        image[y0:y1, x0:x1] += stamp[y0 - bottom : y1 - bottom, x0 - left : x1 - left]
