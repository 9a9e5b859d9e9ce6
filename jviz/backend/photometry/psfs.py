"""Point spread functions as tables finer than the pixels: analytic ones, those of stars, grids over a detector."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from jviz.errors import CommandError

__all__ = ["PsfModel", "gaussian_psf", "model_from_cards", "moffat_psf"]

EDGE = 3
"""Samples of 0 round a table, so that its spline ends smoothly."""

FWHM = 2.0 * np.sqrt(2.0 * np.log(2.0))


@dataclass(frozen=True)
class PsfModel:
    """A point spread function, or several over a detector.

    Attributes
    ----------
    values : ndarray, shape (n, my, mx)
        Light that a pixel gets whose centre is at each sample, of a star of flux 1 (the effective PSF of
        Anderson & King 2000): the sum is about the square of ``fine``.
    fine : int
        Samples for one pixel along each axis.
    places : ndarray, shape (n, 2)
        Where on the detector each is, (x, y) in 0-based pixels; between them it is interpolated linearly.
    origin : (float, float)
        Sample (x, y) at which the star is; the middle by default.
    """

    values: np.ndarray
    fine: int
    places: np.ndarray = field(default_factory=lambda: np.zeros((1, 2)))
    origin: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if self.values.ndim != 3 or min(self.values.shape[1:]) < 5 or self.fine < 1:
            raise CommandError(
                f"A PSF of shape {self.values.shape} with {self.fine} samples a pixel is none; it takes 5 or more "
                "along each axis."
            )
        if not np.isfinite(self.values).all() or not (self.values.sum(axis=(1, 2)) > 0).all():
            raise CommandError("The PSF has NaN in it or no light; PSFs are finite and their sums above 0.")
        if len(self.places) != len(self.values):
            raise CommandError(f"There are {len(self.values)} PSFs and {len(self.places)} places of them.")

    @cached_property
    def coefs(self) -> np.ndarray:
        """Coefficients of the bicubic B-splines through the samples, with an edge of zeros, shape (n, …, …)."""
        from scipy.ndimage import spline_filter

        padded = np.pad(self.values.astype(np.float64), ((0, 0), (EDGE, EDGE), (EDGE, EDGE)))
        return np.ascontiguousarray([spline_filter(one, order=3, mode="mirror") for one in padded])

    @property
    def centre(self) -> tuple[float, float]:
        """Sample (x, y) of ``coefs`` at which the star is."""
        my, mx = self.values.shape[1:]
        x, y = self.origin or ((mx - 1) / 2, (my - 1) / 2)
        return x + EDGE, y + EDGE

    @cached_property
    def mean(self) -> np.ndarray:
        """The mean of all PSFs, shape (my, mx)."""
        return self.values.mean(axis=0)

    @cached_property
    def fwhm(self) -> float:
        """Diameter in pixels of the circle with the area above half of the maximum."""
        above = np.count_nonzero(self.mean >= 0.5 * self.mean.max())
        return float(2 * np.sqrt(above / np.pi) / self.fine)

    @property
    def light(self) -> float:
        """The part of a star's light on the table."""
        return float(self.mean.sum() / self.fine**2)

    @property
    def reach(self) -> int:
        """Pixels from the star to the farthest edge of the table."""
        (x, y), (my, mx) = self.centre, self.values.shape[1:]
        return int(np.ceil(max(x - EDGE, y - EDGE, mx - 1 + EDGE - x, my - 1 + EDGE - y) / self.fine)) + 1

    @cached_property
    def tails(self) -> np.ndarray:
        """Greatest value outside of boxes of half side 0, 1, 2 … pixels, shape (reach + 1,)."""
        x, y = self.centre
        highest = np.abs(self.values).max(axis=0)
        rows, columns = (np.arange(n) + EDGE for n in highest.shape)
        far = np.maximum(abs(rows - y)[:, None], abs(columns - x)) / self.fine
        ring = np.minimum(np.floor(far).astype(int), self.reach)
        most = np.zeros(self.reach + 1)
        np.maximum.at(most, ring.ravel(), highest.ravel())
        return np.maximum.accumulate(most[::-1])[::-1]

    def at(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return which four PSFs make that at each place, and their weights (bilinear; off the grid the nearest).

        Returns
        -------
        near : ndarray of int64, shape (n, 4)
        share : ndarray, shape (n, 4)
        """
        n = len(x)
        if len(self.values) == 1:
            return np.zeros((n, 4), np.int64), np.tile([1.0, 0.0, 0.0, 0.0], (n, 1))
        xs, ys, grid = self._grid
        if grid is None:
            far = (np.asarray(x)[:, None] - self.places[:, 0]) ** 2 + (np.asarray(y)[:, None] - self.places[:, 1]) ** 2
            near = np.tile(far.argmin(axis=1)[:, None], (1, 4)).astype(np.int64)
            return near, np.tile([1.0, 0.0, 0.0, 0.0], (n, 1))
        i, a = _between(ys, np.asarray(y, float))
        j, b = _between(xs, np.asarray(x, float))
        i1, j1 = np.minimum(i + 1, len(ys) - 1), np.minimum(j + 1, len(xs) - 1)
        near = np.stack([grid[i, j], grid[i, j1], grid[i1, j], grid[i1, j1]], axis=1)
        share = np.stack([(1 - a) * (1 - b), (1 - a) * b, a * (1 - b), a * b], axis=1)
        return np.ascontiguousarray(near, np.int64), np.ascontiguousarray(share)

    @cached_property
    def _grid(self) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """Return the x and y of the grid and the number of the PSF at each of its places; None: it is no grid."""
        xs, ys = np.unique(self.places[:, 0]), np.unique(self.places[:, 1])
        grid = np.full((len(ys), len(xs)), -1)
        grid[np.searchsorted(ys, self.places[:, 1]), np.searchsorted(xs, self.places[:, 0])] = np.arange(
            len(self.places)
        )
        return xs, ys, None if (grid < 0).any() or grid.size != len(self.places) else grid

    def cards(self) -> tuple[tuple[str, Any, str], ...]:
        """Return header cards that say all but the values, as the grids of STPSF have them."""
        x, y = self.centre
        made: list[tuple[str, Any, str]] = [
            ("OVERSAMP", self.fine, "samples for one pixel along each axis"),
            ("PSFX0", x - EDGE, "0-based sample of the star along x"),
            ("PSFY0", y - EDGE, "0-based sample of the star along y"),
            ("PSFFWHM", round(self.fwhm, 4), "full width at half maximum in pixels"),
        ]
        if len(self.values) > 1:
            made += [
                (f"DET_YX{k}", f"({float(py)}, {float(px)})", f"(y, x) of PSF {k} in pixels")
                for k, (px, py) in enumerate(self.places)
            ]
        return tuple(made)


def _between(grid: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the number of the step of a grid before each place and how far it is to the next, 0 to 1."""
    if len(grid) == 1:
        return np.zeros(len(at), int), np.zeros(len(at))
    i = np.clip(np.searchsorted(grid, at, side="right") - 1, 0, len(grid) - 2)
    return i, np.clip((at - grid[i]) / (grid[i + 1] - grid[i]), 0.0, 1.0)


def model_from_cards(values: np.ndarray, header: Mapping[str, Any]) -> PsfModel:
    """Make a model of an array and the keywords that `PsfModel.cards` or STPSF's grids have.

    Raises
    ------
    CommandError
        When a keyword is missing or is no number.
    """
    values = values[None] if values.ndim == 2 else values
    try:
        fine = int(header["OVERSAMP"])
        places = np.zeros((1, 2))
        if len(values) > 1:
            pairs = [str(header[f"DET_YX{k}"]).strip("() ").split(",") for k in range(len(values))]
            places = np.array([(float(x), float(y)) for y, x in pairs])
        origin = (float(header["PSFX0"]), float(header["PSFY0"])) if "PSFX0" in header else None
    except (KeyError, ValueError, TypeError) as error:
        raise CommandError(f"The PSF lacks a keyword or has one that is no number: {error}.") from error
    return PsfModel(np.asarray(values, float), fine, places, origin)


# --- analytic -----------------------------------------------------------------------------------------


def gaussian_psf(fwhm: float, fwhm_minor: float | None = None, angle: float = 0.0, size: int = 0) -> PsfModel:
    """Return a Gaussian, integrated over the pixels.

    Parameters
    ----------
    fwhm, fwhm_minor : float
        In pixels, along the major and the minor axis.
    angle : float
        Of the major axis, in degrees from x to y.
    size : int
        Pixels along the sides; 0: so many that less than 1e-6 of the light is outside.
    """
    minor = fwhm if fwhm_minor is None else fwhm_minor
    _check_width(fwhm, minor)
    major_sigma, minor_sigma = fwhm / FWHM, minor / FWHM
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))

    def shape(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        along, across = c * x + s * y, c * y - s * x
        exponent = -0.5 * ((along / major_sigma) ** 2 + (across / minor_sigma) ** 2)
        return np.exp(exponent) / (2 * np.pi * major_sigma * minor_sigma)

    half = size // 2 if size else int(np.ceil(5.3 * max(major_sigma, minor_sigma))) + 1
    return _sampled(shape, half, min(fwhm, minor))


def moffat_psf(fwhm: float, beta: float = 3.0, size: int = 0) -> PsfModel:
    """Return a Moffat (1969) profile, (1 + r²/α²)^−β, integrated over the pixels.

    Parameters
    ----------
    fwhm : float
        In pixels, 2 α √(2^(1/β) − 1).
    beta : float
        Above 1; the larger, the less light in the wings.
    size : int
        Pixels along the sides; 0: 0.1 % of the light is outside, but not more than 25 widths.
    """
    _check_width(fwhm, fwhm)
    if not beta > 1:
        raise CommandError(f"A Moffat profile with β = {beta:g} has no finite light; give one above 1.")
    alpha = fwhm / (2 * np.sqrt(2 ** (1 / beta) - 1))
    far = alpha * np.sqrt(1e-3 ** (1 / (1 - beta)) - 1)
    half = size // 2 if size else int(np.ceil(min(far, 25 * fwhm))) + 1

    def shape(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return (beta - 1) / (np.pi * alpha**2) * (1 + (x * x + y * y) / alpha**2) ** -beta

    return _sampled(shape, half, fwhm)


def _check_width(*widths: float) -> None:
    if not all(0.3 <= width <= 200 for width in widths):
        raise CommandError(f"A PSF with a FWHM of {widths[0]:g} pixels is none; give one of 0.3 to 200.")


def _sampled(shape: Any, half: int, narrow: float) -> PsfModel:
    """Integrate a profile over pixels round each sample, by Gauss-Legendre sums along both axes."""
    # 8 samples across the width: the spline is then true to 1e-5 of the peak
    fine = int(np.clip(np.ceil(8 / narrow), 2, 16))
    offsets = np.arange(-half * fine, half * fine + 1) / fine
    nodes, weights = np.polynomial.legendre.leggauss(int(np.clip(np.ceil(14 / narrow), 4, 24)))
    total = np.zeros((len(offsets), len(offsets)))
    for a, wa in zip(nodes / 2, weights / 2, strict=True):
        for b, wb in zip(nodes / 2, weights / 2, strict=True):
            total += wa * wb * shape(offsets[None, :] + a, offsets[:, None] + b)
    return PsfModel(total[None], fine)
