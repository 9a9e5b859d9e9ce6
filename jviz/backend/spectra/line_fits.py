"""Profiles of spectral lines fitted together with the continuum below them, with errors from the covariance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from jviz.errors import CommandError

__all__ = ["C_KMS", "SIGMA", "FittedLine", "LineFit", "Shape", "fit_lines", "profile"]

Shape = Literal["gaussian", "lorentzian", "voigt"]
C_KMS = 299_792.458
SIGMA = 2 * np.sqrt(2 * np.log(2))
"""Full width at half maximum of a Gaussian over its sigma."""

Value = tuple[float, float]
"""A number with its standard deviation."""


@dataclass(frozen=True)
class FittedLine:
    """One line, in the units of the spectrum; each number with its error.

    Attributes
    ----------
    center, fwhm : (float, float)
        In the unit of the axis; the width is that of the profile, freed of the resolution where one was given.
    velocity_width : (float, float)
        The same in km/s, c Δλ/λ.
    amplitude : (float, float)
        Highest (or lowest) value above the continuum, before the resolution was taken off.
    flux : (float, float)
        Integral over the axis.
    equivalent_width : (float, float)
        Positive for absorption; NaN without a continuum.
    continuum : float
        At the centre.
    """

    center: Value
    fwhm: Value
    velocity_width: Value
    amplitude: Value
    flux: Value
    equivalent_width: Value
    continuum: float


@dataclass(frozen=True)
class LineFit:
    """Lines and continuum of one range.

    Attributes
    ----------
    lines : tuple of FittedLine
    model, continuum : ndarray
        At all given places, also those that took no part.
    chi2 : float
    free : int
        Degrees of freedom.
    scaled : bool
        Whether there were no errors, and those here come from the scatter about the model.
    """

    lines: tuple[FittedLine, ...]
    model: np.ndarray
    continuum: np.ndarray
    chi2: float
    free: int
    scaled: bool


def profile(x: np.ndarray, center: float, gauss: float, lorentz: float) -> np.ndarray:
    """Return a profile of area 1: Voigt, a Gaussian or a Lorentzian where one of the full widths is 0.

    The Voigt profile is Re w(z) / (σ √2π), z = (x − x₀ + iγ) / (σ√2), with the Faddeeva function w.
    """
    if lorentz <= 0:
        sigma = gauss / SIGMA
        return np.exp(-0.5 * ((x - center) / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))
    half = lorentz / 2
    if gauss <= 0:
        return half / np.pi / ((x - center) ** 2 + half**2)
    from scipy.special import voigt_profile

    return voigt_profile(x - center, gauss / SIGMA, half)


def _fwhm(gauss: float, lorentz: float) -> float:
    """Return the full width of a Voigt profile, to 0.02 % (Olivero & Longbothum 1977)."""
    return 0.5346 * lorentz + np.sqrt(0.2166 * lorentz**2 + gauss**2)


@dataclass(frozen=True)
class _Problem:
    """What is fitted: places, values, weights, and how parameters make a model.

    Parameters are the fluxes, the centres, one width for each (two for Voigt), and the polynomial. ``mixing`` of
    shape (lines, fluxes) makes the flux of each line of them: one flux for all whose ratios are held.
    """

    x: np.ndarray
    count: int
    shape: Shape
    order: int
    tied_width: bool
    ratios: np.ndarray | None
    width: float | None
    centers: np.ndarray | None
    mixing: np.ndarray

    def lines(self, p: np.ndarray) -> list[tuple[float, float, float, float]]:
        """Return flux, centre and the Gaussian and Lorentzian full width of each line."""
        fluxes = self.mixing.shape[1]
        flux, p = self.mixing @ p[:fluxes], p[fluxes:]
        if self.centers is not None:
            center = self.centers
        elif self.ratios is not None:
            center, p = p[0] * self.ratios, p[1:]
        else:
            center, p = p[: self.count], p[self.count :]
        if self.width is not None:
            relative = np.full((1, self.count), self.width)
        else:
            widths = np.abs(p[: self.parts * (1 if self.tied_width else self.count)]).reshape(self.parts, -1)
            relative = np.broadcast_to(widths, (self.parts, self.count))
        relative = relative * (center / center[0] if self.tied_width else 1.0)
        found = []
        for k in range(self.count):
            gauss = relative[0, k] if self.shape != "lorentzian" else 0.0
            has_wings = self.shape == "lorentzian" or self.parts == 2
            lorentz = relative[-1, k] if has_wings else 0.0
            found.append((float(flux[k]), float(center[k]), float(gauss), float(lorentz)))
        return found

    @property
    def parts(self) -> int:
        return 2 if self.shape == "voigt" and self.width is None else 1

    def base(self, p: np.ndarray, x: np.ndarray, reach: float) -> np.ndarray:
        if self.order < 0:
            return np.zeros_like(x)
        return np.polynomial.polynomial.polyval(x / reach, p[len(p) - self.order - 1 :])

    def model(self, p: np.ndarray, x: np.ndarray, zero: float, reach: float) -> np.ndarray:
        total = self.base(p, x - zero, reach)
        for flux, center, gauss, lorentz in self.lines(p):
            total = total + flux * profile(x, center, gauss, lorentz)
        return total


def fit_lines(
    x: np.ndarray, flux: np.ndarray, error: np.ndarray | None, centers: Sequence[float], *, use: np.ndarray,
    shape: Shape = "gaussian", order: int = 1, width: float | None = None, tie_centers: bool = False,
    tie_widths: bool = False, fix_centers: bool = False, fix_width: bool = False, resolution: float = 0.0,
    flux_ratios: Sequence[float | None] | None = None,
) -> LineFit:  # fmt: skip
    """Fit lines and a polynomial together, by Levenberg and Marquardt.

    Parameters
    ----------
    x, flux : ndarray, shape (n,)
    error : ndarray or None
        Standard deviations; without them all samples weigh the same, and errors come from the scatter.
    centers : sequence of float
        Where each line is about.
    use : ndarray of bool
        Which samples take part.
    order : int
        Of the polynomial; −1 for no continuum.
    width : float, optional
        Full width at half maximum to begin with, or, with ``fix_width``, to hold.
    tie_centers : bool
        Hold the ratios of the centres: one redshift for all.
    tie_widths : bool
        One width in velocity for all.
    fix_centers : bool
        Hold the centres.
    resolution : float
        Full width of the instrument in the unit of x, taken off Gaussian widths in quadrature.
    flux_ratios : sequence of float or None, optional
        One for each line: those with a number keep these ratios of their fluxes, those with None are free.

    Raises
    ------
    CommandError
        When there are too few samples, or the fit finds no minimum.
    """
    from scipy.optimize import least_squares

    x, flux, use = np.asarray(x, float), np.asarray(flux, float), np.asarray(use, bool)
    start = np.asarray(centers, float)
    if fix_width and not width:
        raise CommandError("Give the width that is to be held.")
    if fix_width and shape == "voigt":
        raise CommandError("A Voigt profile has two widths; hold that of a gaussian or lorentzian, or leave both free.")
    step = float(np.median(np.abs(np.diff(x)))) if len(x) > 1 else 1.0
    problem = _Problem(
        x[use], len(start), shape, order, tie_widths, start / start[0] if tie_centers and not fix_centers else None,
        width if fix_width else None, start if fix_centers else None, _mixing(len(start), flux_ratios),
    )  # fmt: skip
    zero = float(x[use].mean()) if use.any() else 0.0
    reach = float(np.abs(x[use] - zero).max(initial=0.0)) or 1.0  # of a single sample it is 0
    first, scales = _start(problem, x[use], flux[use], start, width or 4 * step, zero, reach)
    free = int(use.sum()) - len(first)
    if free < 1:
        raise CommandError(
            f"{int(use.sum())} good samples cannot tell {len(first)} parameters; widen the range or hold some of them."
        )
    weight = np.ones(int(use.sum())) if error is None else 1 / np.asarray(error, float)[use]
    typical = float(np.median(np.abs(flux[use] * weight))) or 1.0

    def off(p: np.ndarray) -> np.ndarray:
        return (problem.model(p * scales, x[use], zero, reach) - flux[use]) * weight / typical

    found = least_squares(off, first / scales, method="lm", xtol=1e-12, ftol=1e-12, max_nfev=4000)
    p, chi2 = found.x * scales, float((found.fun**2).sum() * typical**2)
    try:
        covariance = np.linalg.inv(found.jac.T @ found.jac) * np.outer(scales, scales) / typical**2
    except np.linalg.LinAlgError as wrong:
        raise CommandError("The lines cannot be told apart; give other places, tie them, or fit fewer.") from wrong
    if error is None:
        covariance = covariance * chi2 / free
    lines = tuple(_line(problem, p, covariance, k, zero, reach, resolution) for k in range(len(start)))
    outside = [line for line in lines if not x[use].min() <= line.center[0] <= x[use].max()]
    if outside or not np.isfinite(p).all():
        raise CommandError("A line ran out of the range; give a better place, hold it, or choose another range.")
    base = problem.base(p, x - zero, reach)
    return LineFit(lines, problem.model(p, x, zero, reach), base, chi2, free, error is None)


def _mixing(count: int, ratios: Sequence[float | None] | None) -> np.ndarray:
    """Return what makes the fluxes of lines of the free fluxes, shape (lines, free fluxes)."""
    if ratios is None:
        return np.eye(count)
    if len(ratios) != count:
        raise CommandError(f"Give one flux ratio for each line, None for free ones: {count}, not {len(ratios)}.")
    held = np.array([ratio is not None for ratio in ratios])
    values = np.array([0.0 if ratio is None else float(ratio) for ratio in ratios])
    if held.sum() < 2 or not (np.isfinite(values[held]) & (values[held] != 0)).all():
        raise CommandError("Flux ratios hold two lines or more, by numbers other than 0, such as [None, 1, 2.98].")
    group = np.where(held, values / values[held][0], 0.0)
    return np.column_stack([group, np.eye(count)[:, ~held]])


def _start(
    problem: _Problem, x: np.ndarray, flux: np.ndarray, centers: np.ndarray, width: float, zero: float, reach: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return parameters to begin with, linear ones by least squares, and of which size each is."""
    gauss, lorentz = (width, 0.0) if problem.shape == "gaussian" else (0.0, width)
    shapes = np.stack([profile(x, center, gauss, lorentz) * width for center in centers], axis=1)
    columns = list((shapes @ problem.mixing).T)
    columns += [((x - zero) / reach) ** n for n in range(problem.order + 1)]
    level, *_ = np.linalg.lstsq(np.stack(columns, axis=1), flux, rcond=None)
    many = problem.mixing.shape[1]
    fluxes, base = level[:many] * width, level[many:]
    spread = float(np.ptp(flux)) or 1.0
    parts, sizes = [fluxes], [np.full(many, spread * width)]
    if problem.centers is None:
        places = centers[:1] if problem.ratios is not None else centers
        parts, sizes = [*parts, places], [*sizes, np.full(len(places), width)]
    if problem.width is None:
        widths = problem.parts * (1 if problem.tied_width else problem.count)
        begun = width * (0.6 if problem.parts == 2 else 1.0)
        parts, sizes = [*parts, np.full(widths, begun)], [*sizes, np.full(widths, width)]
    return np.concatenate([*parts, base]), np.concatenate([*sizes, np.full(len(base), spread)])


def _line(
    problem: _Problem, p: np.ndarray, covariance: np.ndarray, k: int, zero: float, reach: float, resolution: float
) -> FittedLine:
    """Return the numbers of a line; errors by the derivatives of each with respect to the parameters."""

    def numbers(p: np.ndarray) -> np.ndarray:
        flux, center, gauss, lorentz = problem.lines(p)[k]
        level = float(problem.base(p, np.array([center - zero]), reach)[0])
        own = np.sqrt(max(gauss**2 - resolution**2, 0.0)) if gauss else 0.0
        fwhm, seen = _fwhm(own, lorentz), float(profile(np.array([center]), center, gauss, lorentz)[0])
        width = -flux / level if problem.order >= 0 and level else np.nan
        return np.array([center, fwhm, C_KMS * fwhm / abs(center), flux * seen, flux, width, level])

    at, steps = numbers(p), np.sqrt(np.maximum(np.diag(covariance), 0)) * 1e-3
    slopes = np.zeros((len(at), len(p)))
    for n, step in enumerate(steps):
        if step > 0:
            moved = np.zeros(len(p))
            moved[n] = step
            slopes[:, n] = (numbers(p + moved) - numbers(p - moved)) / (2 * step)
    errors = np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", slopes, covariance, slopes), 0))
    pairs = [(float(a), float(b)) for a, b in zip(at, errors, strict=True)]
    return FittedLine(*pairs[:6], continuum=pairs[6][0])
