"""Several bands looked at as one: where any of them, or all together, show a source."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb
from typing import Literal

import numpy as np

from jviz.backend.photometry.segmenting import Tile, smooth_part
from jviz.errors import CommandError
from jviz.photometry_tiles import Scene

__all__ = ["How", "Together", "chi_threshold"]

How = Literal["chi2", "sum"]

FAR = 25.0
"""Deviations beyond which χ and the S/N of one band are the same but for a thousandth."""

APART = 0.2
"""Pixels by which the grids of two bands may differ."""


def chi_threshold(snr: float, bands: int) -> float:
    """Return the χ above which noise lies as rarely as above ``snr`` deviations in one band.

    Parameters
    ----------
    snr : float
    bands : int

    Notes
    -----
    χ² is the sum of the squares of the bands' S/N that are above 0: noise makes k of n bands positive in
    C(n, k) / 2ⁿ of the cases, in which it has a χ² distribution of k degrees.
    """
    from scipy.optimize import brentq
    from scipy.stats import chi2, norm

    if snr > FAR:
        return snr
    wanted = norm.logsf(snr)

    def excess(square: float) -> float:
        shares = [np.log(comb(bands, k) / 2**bands) + chi2.logsf(square, k) for k in range(1, bands + 1)]
        return float(np.logaddexp.reduce(shares) - wanted)

    return float(np.sqrt(brentq(excess, 0.0, (snr + 5) ** 2 + 10 * bands))) if excess(0.0) > 0 else 0.0


class Together:
    """An image of what several bands show together, in deviations of its noise, a tile at a time.

    Parameters
    ----------
    scenes : sequence of Scene
        On the same pixels.
    how : {"chi2", "sum"}
        The root of the sum of the squares of the S/N above 0, of each band smoothed (Szalay, Connolly & Szokoly 1999);
        or the sum of the bands weighed by their inverse variances.
    fwhm : float
        Of the Gaussian that smooths each band, in pixels.

    Attributes
    ----------
    fwhm : float
        Of the Gaussian by which what `tile` gives is yet to be smoothed.

    Raises
    ------
    CommandError
        When the bands are not on the same pixels.
    """

    def __init__(self, scenes: Sequence[Scene], how: How, fwhm: float) -> None:
        self._scenes, self._how, self._smooth = list(scenes), how, fwhm
        self.shape = self._scenes[0].shape
        self.fwhm = 0.0 if how == "chi2" else fwhm
        for other in self._scenes[1:]:
            _check_grid(self._scenes[0], other)

    def threshold(self, snr: float) -> float:
        """Return the threshold that noise passes as rarely as ``snr`` deviations of one band."""
        return chi_threshold(snr, len(self._scenes)) if self._how == "chi2" else snr

    def tile(self, rows: slice, columns: slice) -> Tile:
        """Return a part: values in deviations of the noise, which is 1."""
        parts = [self._part(scene, rows, columns) for scene in self._scenes]
        mask = np.logical_and.reduce([hidden for _, _, hidden in parts])
        if self._how == "chi2":
            values = np.sqrt(sum(np.square(np.maximum(light, 0)) for light, _, _ in parts))
        else:
            weight = sum(np.square(share) for _, share, _ in parts)
            with np.errstate(divide="ignore", invalid="ignore"):
                values = sum(light * share for light, share, _ in parts) / np.sqrt(weight)
        values = np.where(mask, np.nan, values).astype(np.float32)
        return Tile(values, np.zeros_like(values), np.ones_like(values), mask)

    def _part(self, scene: Scene, rows: slice, columns: slice) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return S/N, 1/σ, and what is not used, of one band."""
        fwhm = self._smooth if self._how == "chi2" else 0.0
        light, tile, factor = smooth_part(scene.tile, scene.shape, rows, columns, fwhm)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = 1 / (factor * tile.rms)
        hidden = tile.mask | ~np.isfinite(share)
        share = np.where(hidden, 0, share)
        return light * share, share, hidden


def _check_grid(first: Scene, other: Scene) -> None:
    a, b = first.data, other.data
    same = first.shape == other.shape
    if same and a.sky is not None and b.sky is not None:
        ny, nx = first.shape
        x, y = np.array([0.0, nx - 1, 0, nx - 1]), np.array([0.0, 0, ny - 1, ny - 1])
        there = b.sky.sky_to_pixel(*(np.asarray(v, float) for v in a.sky.pixel_to_sky(x, y)))
        with np.errstate(invalid="ignore"):
            same = not (np.hypot(there[0] - x, there[1] - y) > APART).any()
    if not same:
        raise CommandError(
            f"{b.name} is not on the pixels of {a.name}, so that they cannot be looked at together; reproject it to "
            f"{a.name} first, or find sources on one image (detect_on)."
        )
