"""The wings of a PSF that is built from stars: a smooth ellipse of light where single pixels say nothing any more."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

__all__ = ["Pixels", "Wings", "fitted_wings", "pixels_of"]

LEAST, MOST = 0.08, 1.0
"""Part of the smooth profile by which PSFs differ from it, ring by ring, at least and at most."""

LEVEL = 0.1
"""Noise of a pixel to which the background is right already."""

MOST_PIXELS = 50_000
STEEP, FLAT = 60.0, 1.3
"""Greatest and least exponent: a Gaussian for all that can be seen, and less steep than any telescope's."""


@dataclass(frozen=True)
class Pixels:
    """Pixels round stars.

    Attributes
    ----------
    dx, dy : ndarray, shape (n, side, side)
        From the star, in pixels.
    light : ndarray, shape (n, side, side)
        Over the flux of the star, neighbours subtracted.
    error : ndarray, shape (n, side, side)
        Infinite where a pixel is not used.
    """

    dx: np.ndarray
    dy: np.ndarray
    light: np.ndarray
    error: np.ndarray

    @cached_property
    def sure(self) -> np.ndarray:
        """Inverse variance of the background that was subtracted, shape (n,)."""
        error = np.where(np.isfinite(self.error), self.error, np.nan)
        return (LEVEL * np.nanmedian(error, axis=(1, 2))) ** -2

    def brightest(self, most: int) -> Pixels:
        """Return the stars with the least errors, so many that there are not more pixels."""
        count = max(most // self.light[0].size, 1)
        if count >= len(self.light):
            return self
        which = np.argsort(self.sure)[-count:]
        return Pixels(self.dx[which], self.dy[which], self.light[which], self.error[which])


@dataclass(frozen=True)
class Wings:
    """Moffat's profile with elliptical contours, peak × (1 + u)^−β, u a quadratic form of the place.

    Attributes
    ----------
    peak, beta : float
    xx, xy, yy : float
        The form, per pixel².
    level : ndarray, shape (n,)
        What is left of the background at each star, over its flux.
    unlike : float
        Part of it by which the stars differ from it.
    rings : ndarray
        Part of the profile that is added in each ring, so wide in pixels as `step` says.
    step : float
    """

    peak: float
    beta: float
    xx: float
    xy: float
    yy: float
    level: np.ndarray
    unlike: float
    rings: np.ndarray
    step: float

    def at(self, dx: np.ndarray, dy: np.ndarray) -> np.ndarray:
        """Return the light in pixels whose centres are so far from the star."""
        far = np.hypot(dx, dy)
        part = np.interp(far, (np.arange(len(self.rings)) + 0.5) * self.step, self.rings, right=0.0)
        return self.smooth(dx, dy) * (1 + part)

    def smooth(self, dx: np.ndarray, dy: np.ndarray) -> np.ndarray:
        """Return the profile without its rings."""
        return _profile((np.log(self.peak), self.beta, self.xx, self.xy, self.yy), dx, dy)

    def table(self, half: float, fine: int, edge: int = 0) -> np.ndarray:
        """Return the light at samples, with more of them at each edge."""
        n = round(half * fine) + edge
        along = np.arange(-n, n + 1) / fine
        return self.at(along[None, :], along[:, None])

    def beyond(self, half: float, fine: int) -> float:
        """Return the light outside of a table."""
        n = round(half * fine)
        along = np.arange(-n, n + 1) / fine
        return max(self.light - float(self.smooth(along[None, :], along[:, None]).sum()) / fine**2, 0.0)

    @property
    def light(self) -> float:
        """All of it."""
        return float(self.peak * np.pi / ((self.beta - 1) * np.sqrt(self.xx * self.yy - self.xy**2)))


def _profile(parameters: tuple[float, ...], dx: np.ndarray, dy: np.ndarray) -> np.ndarray:
    log_peak, beta, xx, xy, yy = parameters
    return np.exp(log_peak - beta * np.log1p(xx * dx * dx + 2 * xy * dx * dy + yy * dy * dy))


def _meant(free: np.ndarray) -> tuple[float, ...]:
    """Turn what is fitted into what a profile takes: its width stays the same while the exponent changes."""
    log_peak, log_beta, log_narrow, along, across = free
    beta = np.exp(log_beta)
    form = np.exp(log_narrow) / beta
    return log_peak, beta, form * (1 + along), form * across, form * (1 - along)


def pixels_of(
    residual: np.ndarray, weight: np.ndarray, known: np.ndarray, stars: np.ndarray, half: int, clip: float
) -> Pixels:
    """Cut out the pixels round the brightest stars.

    Parameters
    ----------
    residual, weight : ndarray, shape (ny, nx)
        The image less all stars, and inverse variances.
    known : ndarray, shape (n, side, side)
        The light of each star that was subtracted, over its flux.
    stars : ndarray, shape (n, 3)
    clip : float
        Errors beyond which a pixel is not the star's.
    """
    around = np.arange(-half, half + 1)
    rows = np.rint(stars[:, 1]).astype(int)[:, None] + around
    columns = np.rint(stars[:, 0]).astype(int)[:, None] + around
    dy, dx = np.broadcast_arrays(
        (rows - stars[:, 1:2])[:, :, None], (columns - stars[:, 0:1])[:, None, :]
    )
    ny, nx = residual.shape
    on = ((rows >= 0) & (rows < ny))[:, :, None] & ((columns >= 0) & (columns < nx))[:, None, :]
    place = rows.clip(0, ny - 1)[:, :, None], columns.clip(0, nx - 1)[:, None, :]
    flux = stars[:, 2, None, None]
    with np.errstate(divide="ignore"):
        error = np.where(on, 1 / np.sqrt(weight[place].astype(float)), np.inf) / flux
    rest = residual[place] / flux
    error[np.abs(rest) > clip * error + 0.05 * np.abs(known)] = np.inf
    return Pixels(dx, dy, known + rest, error)


def fitted_wings(pixels: Pixels, fwhm: float, start: Wings | None = None) -> Wings:
    """Fit the profile to stars, each with a level of its own."""
    narrow = 4 * np.log(2) / fwhm**2
    free = np.array([np.log(0.8 * narrow / np.pi), np.log(3.5), np.log(narrow), 0.0, 0.0])
    if start is not None:
        form = 0.5 * (start.xx + start.yy)
        free = np.array([np.log(start.peak), np.log(start.beta), np.log(form * start.beta),
                         0.5 * (start.xx - start.yy) / form, start.xy / form])  # fmt: skip
    few = pixels.brightest(MOST_PIXELS)
    ring = ring_of(few, fwhm)
    unlike = LEAST if start is None else start.unlike
    for _ in range(4 if start is None else 2):
        weight = _weight(few, _profile(_meant(free), few.dx, few.dy), ring, unlike)
        free = _least(few, weight, free, narrow)
        rest, profile = _rest(few, weight, free)
        unlike = _misfit(few, rest, profile, ring)
    ring = ring_of(pixels, fwhm)
    weight = _weight(pixels, _profile(_meant(free), pixels.dx, pixels.dy), ring, unlike)
    rest, profile = _rest(pixels, weight, free)
    level = (pixels.light - profile - rest)[:, 0, 0]
    log_peak, *form = _meant(free)
    rings = _rings(pixels, rest, profile, ring, unlike)
    return Wings(float(np.exp(log_peak)), *(float(v) for v in form), level, unlike, rings, _step(fwhm))


def ring_of(pixels: Pixels, fwhm: float) -> np.ndarray:
    """Return in which ring about its star each pixel is."""
    return (np.hypot(pixels.dx, pixels.dy) / _step(fwhm)).astype(int)


def _step(fwhm: float) -> float:
    return max(0.3 * fwhm, 0.7)


def _rest(pixels: Pixels, weight: np.ndarray, free: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what a profile and the levels leave, and the profile."""
    profile = _profile(_meant(free), pixels.dx, pixels.dy)
    rest = pixels.light - profile
    level = (weight * rest).sum(axis=(1, 2)) / (weight.sum(axis=(1, 2)) + pixels.sure)
    return rest - level[:, None, None], profile


def _least(pixels: Pixels, weight: np.ndarray, free: np.ndarray, narrow: float) -> np.ndarray:
    from scipy.optimize import least_squares

    root = np.sqrt(weight)
    low = [free[0] - 3, np.log(FLAT), np.log(narrow) - 3, -0.7, -0.7]
    high = [free[0] + 3, np.log(STEEP), np.log(narrow) + 3, 0.7, 0.7]
    start = np.clip(free, np.add(low, 1e-6), np.subtract(high, 1e-6))
    return least_squares(lambda at: (root * _rest(pixels, weight, at)[0]).ravel(), start, bounds=(low, high),
                         x_scale=[0.1, 0.3, 0.1, 0.1, 0.1], xtol=1e-5, ftol=1e-6, max_nfev=30).x  # fmt: skip


def _misfit(pixels: Pixels, rest: np.ndarray, profile: np.ndarray, ring: np.ndarray) -> float:
    """Return by which part of it the profile differs from the rings whose light is well known, beyond their noise."""
    told, light, off = (np.bincount(ring.ravel(), (v / pixels.error**2).ravel()) for v in (1.0, profile, rest))
    known = light > 5 * np.sqrt(told)
    if known.sum() < 2:
        return MOST
    part, noise = off[known] / light[known], np.sqrt(told[known]) / light[known]
    return float(np.clip(np.sqrt(max(np.mean(part**2 - noise**2), 0.0)), LEAST, MOST))


def _rings(pixels: Pixels, rest: np.ndarray, profile: np.ndarray, ring: np.ndarray, unlike: float) -> np.ndarray:
    """Return by which part of the profile each ring is brighter, as far as its noise can tell."""
    told, off = (np.bincount(ring.ravel(), (v / pixels.error**2).ravel()) for v in (profile**2, rest * profile))
    with np.errstate(divide="ignore", invalid="ignore"):
        part = off / told * unlike**2 / (unlike**2 + 1 / told)
    return np.where(told > 0, part, 0.0)


def _weight(pixels: Pixels, profile: np.ndarray, ring: np.ndarray, unlike: float) -> np.ndarray:
    """Weigh pixels by their noise and by how unlike the profile is, which all of a ring share."""
    alike = np.bincount(ring.ravel(), np.isfinite(pixels.error).ravel())[ring]
    return 1 / (pixels.error**2 + alike * (unlike * profile) ** 2)
