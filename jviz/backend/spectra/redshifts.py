"""Redshifts by lines: spectra cross-correlated with line lists, and the best places fitted with all lines at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from jviz.backend.spectra.lines import Line
from jviz.errors import CommandError

__all__ = ["Found", "Seen", "prepared", "refined", "searched"]

Sign = Literal["emission", "absorption", "both"]
WIDTHS = (2.2, 4.5, 9.0)
"""Full widths at half maximum, in channels, of the profiles that are looked for."""
REACH = 12
"""Channels on either side of a line that take part in the fit."""
APART = 12
"""Trial redshifts, each half a channel, by which two candidates are apart at least."""
CLEAR = 3.0
"""Signal-to-noise from which a line counts as seen."""
FINEST = 400_000
"""Trial redshifts at most."""


@dataclass(frozen=True)
class Seen:
    """A spectrum made ready for the search.

    Attributes
    ----------
    waves : ndarray, shape (n,)
        In vacuum, in m, rising.
    flux, error : ndarray, shape (n,)
        Without the continuum; samples that take no part have an infinite error.
    snr : ndarray, shape (n,)
        Of a line of the best of `WIDTHS` at each channel, its sign that of the line.
    """

    waves: np.ndarray
    flux: np.ndarray
    error: np.ndarray
    snr: np.ndarray


@dataclass(frozen=True)
class Found:
    """A redshift.

    Attributes
    ----------
    redshift, error : float
    score : float
        Of the correlation.
    lines : tuple of Line
        Those that are seen at it.
    chi2 : float
        Reduced, of the fit around the lines.
    """

    redshift: float
    error: float
    score: float
    lines: tuple[Line, ...]
    chi2: float


def prepared(waves: np.ndarray, flux: np.ndarray, error: np.ndarray | None, good: np.ndarray) -> Seen:
    """Take the continuum (a running median) off, and filter with the profiles of lines.

    Parameters
    ----------
    waves : ndarray, shape (n,)
        In vacuum, in m, in any order.
    error : ndarray or None
        Without one, the scatter between neighbours is taken.
    good : ndarray of bool
    """
    from scipy.ndimage import median_filter

    order = np.argsort(waves, kind="stable")
    waves, flux, good = waves[order], flux[order], good[order] & np.isfinite(waves[order])
    if error is not None:
        good = good & np.isfinite(error[order]) & (error[order] > 0)
    if good.sum() < 16:
        raise CommandError(f"The spectrum has {int(good.sum())} good samples; a redshift needs 16 at least.")
    filled = np.interp(waves, waves[good], flux[good])
    size = int(np.clip(len(waves) // 12, 25, 101)) | 1
    left = filled - median_filter(filled, size, mode="nearest")
    spread = 1.4826 * float(np.median(np.abs(np.diff(left[good])))) / np.sqrt(2)
    noise = np.full(len(waves), spread or 1.0) if error is None else error[order].astype(float)
    noise = np.where(good, noise, np.inf)
    snr = _filtered(np.where(good, left, 0.0), noise)
    # Errors of files are often too small, and continua are never straight: what is common is no line.
    usual = 1.4826 * float(np.median(np.abs(snr[good])))
    return Seen(waves, left, noise, snr / max(usual, 1.0))


def _filtered(flux: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Return the signal-to-noise of a line at each channel, the largest of all widths."""
    from scipy.signal import fftconvolve

    weight, best = 1.0 / noise**2, np.zeros(len(flux))
    scale = float(weight.max()) or 1.0
    weight = weight / scale
    for width in WIDTHS:
        reach = np.arange(-int(2 * width + 1), int(2 * width + 1) + 1)
        shape = np.exp(-4 * np.log(2) * (reach / width) ** 2)
        if len(shape) > len(flux):
            continue
        above = fftconvolve(weight * flux, shape, mode="same")
        below = np.maximum(fftconvolve(weight, shape**2, mode="same"), 1e-6)
        snr = above / np.sqrt(below) * np.sqrt(scale)
        best = np.where(np.abs(snr) > np.abs(best), snr, best)
    return best


def searched(
    seen: Seen, lines: Sequence[Line], low: float, high: float, *, sign: Sign = "emission", count: int = 5
) -> list[tuple[float, float]]:
    """Correlate a spectrum with lines at all redshifts of a range.

    The signal-to-noise is taken on equal steps of ln λ, where a redshift moves all lines alike (Tonry & Davis 1979,
    AJ 84, 1511), and added up over the lines, weighted by how strong they use to be; the root of the summed squared
    weights of the lines within the spectrum divides the sum, so that lines that should be seen and are not tell
    against a redshift.

    Returns
    -------
    list of (redshift, score)
        The best first.
    """
    step = max(float(np.median(np.diff(np.log(seen.waves)))) / 2, np.log((1 + high) / (1 + low)) / FINEST, 1e-7)
    start, end = np.log(seen.waves[[0, -1]])
    grid = np.arange(start, end, step)
    snr = np.interp(grid, np.log(seen.waves), seen.snr)
    known = np.interp(grid, np.log(seen.waves), np.isfinite(seen.error).astype(float)) > 0.5
    size = {"emission": snr, "absorption": -snr, "both": np.abs(snr)}[sign]
    # The logarithm keeps one very strong line from deciding alone.
    size = np.where(known, np.log1p(np.maximum(size - 2.0, 0.0)), 0.0)
    trials = np.log1p(low) + step * np.arange(int((np.log1p(high) - np.log1p(low)) / step) + 1)
    total, norm = np.zeros(len(trials)), np.zeros(len(trials))
    for line in lines:
        weight = line.strength
        place = np.round((np.log(line.wavelength) + trials - start) / step).astype(np.int64)
        inside = (place >= 0) & (place < len(grid))
        at = place[inside]
        total[inside] += weight * size[at]
        norm[inside] += weight**2 * known[at]
    score = total / np.sqrt(np.maximum(norm, 1.0))
    return _peaks(np.expm1(trials), score, APART, count)


def _peaks(places: np.ndarray, score: np.ndarray, apart: int, count: int) -> list[tuple[float, float]]:
    left, found = score.copy(), []
    while len(found) < count and left.max(initial=0.0) > 0:
        n = int(np.argmax(left))
        found.append((float(places[n]), float(score[n])))
        left[max(0, n - apart) : n + apart + 1] = 0
    return found


def refined(
    seen: Seen, lines: Sequence[Line], redshift: float, score: float, *, sign: Sign = "emission"
) -> Found | None:
    """Fit all lines that are seen at a redshift: one redshift, one width in channels, and an amplitude for each.

    The error is that of the covariance, times the root of the reduced chi² where that is above 1. None where no line
    is seen, or the fit leaves the place.
    """
    from scipy.optimize import least_squares

    channels, waves = np.arange(len(seen.waves), dtype=float), np.array([line.wavelength for line in lines])
    at = waves * (1 + redshift)
    shown = (at > seen.waves[0]) & (at < seen.waves[-1])
    near = np.interp(at, seen.waves, channels)
    snr = np.array([_largest(seen.snr, p, sign) if ok else 0.0 for p, ok in zip(near, shown, strict=True)])
    taken = snr > CLEAR
    if not taken.any():
        return None
    waves, names, near = waves[taken], [line for line, ok in zip(lines, taken, strict=True) if ok], near[taken]
    use = np.isfinite(seen.error) & (np.abs(channels[:, None] - near).min(axis=1) <= REACH)
    x, weight = channels[use], 1 / seen.error[use]
    y = seen.flux[use] * weight
    per = float(np.median(np.gradient(np.log(seen.waves))[near.astype(int)])) * (1 + redshift)

    def design(p: np.ndarray) -> np.ndarray:
        place = np.interp(waves * (1 + redshift + p[0] * per), seen.waves, channels)
        width = np.clip(np.exp(p[1]), 0.5, REACH)
        return np.exp(-0.5 * ((x[:, None] - place) / width) ** 2) * weight[:, None]

    def off(p: np.ndarray) -> np.ndarray:
        shapes = design(p)
        return y - shapes @ np.linalg.lstsq(shapes, y, rcond=1e-8)[0]

    fit = least_squares(off, [0.0, np.log(1.5)], diff_step=1e-4, x_scale=[1.0, 0.5], max_nfev=60)
    if not np.isfinite(fit.x).all() or abs(fit.x[0]) > 2 * REACH:
        return None
    shapes, step = design(fit.x), 1e-3
    level = np.linalg.lstsq(shapes, y, rcond=1e-8)[0]
    slopes = [(design(fit.x + d) - design(fit.x - d)) @ level / (2 * step) for d in step * np.eye(2)]
    jacobian = np.column_stack([*slopes, shapes])
    sizes = np.maximum(np.linalg.norm(jacobian, axis=0), 1e-150)  # its square is a number still
    covariance = np.linalg.pinv((jacobian / sizes).T @ (jacobian / sizes), hermitian=True) / np.outer(sizes, sizes)
    free = max(1, len(y) - jacobian.shape[1])
    chi2 = float((fit.fun**2).sum()) / free
    error = np.sqrt(max(covariance[0, 0], 0.0)) * per * np.sqrt(max(chi2, 1.0))
    return Found(redshift + float(fit.x[0]) * per, float(error), score, tuple(names), chi2)


def _largest(snr: np.ndarray, place: float, sign: Sign) -> float:
    """Return the signal-to-noise of a line within a channel and a half of its place."""
    part = snr[max(0, round(place - 1.5)) : round(place + 1.5) + 1]
    if not len(part):
        return 0.0
    return float({"emission": part.max(), "absorption": -part.min(), "both": np.abs(part).max()}[sign])
