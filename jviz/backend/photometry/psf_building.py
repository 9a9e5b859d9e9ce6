"""A point spread function built from stars: the effective PSF of Anderson & King (2000, PASP 112, 1360)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from jviz.backend.photometry.psf_far import Far, Surroundings, far_light
from jviz.backend.photometry.psf_fitting import StarFit, usual_half
from jviz.backend.photometry.psf_phases import evened
from jviz.backend.photometry.psf_wings import Pixels, Wings, fitted_wings, pixels_of
from jviz.backend.photometry.psfs import EDGE, PsfModel, gaussian_psf
from jviz.backend.progress import Progress, silent
from jviz.errors import CommandError

__all__ = ["Built", "build"]

CLIP = 5.0
"""Errors beyond which a pixel is a neighbour's or a cosmic ray's."""

WORSE = 6.0
"""Scatters of the goodness of the fit beyond which a star is no single star."""

UNLIKE = 0.2
"""Part by which PSFs differ from rings round their middle, over an area as wide as they are."""

ACROSS = 4
"""Samples across the width of the table that is solved: finer ones would only be noise and cost time."""

LOST = 0.3
"""Light of a pixel over its noise from which the wings of a star are lost in it."""

FIRST_ROUNDS, MORE_ROUNDS = 3, 3

MOST_DIRECT = 12_000
"""Samples of a table whose equations are solved at once; larger ones in parts."""


@dataclass(frozen=True)
class Built:
    """A PSF with the stars it was built from.

    Attributes
    ----------
    psf : PsfModel
    used : ndarray of bool
        Which stars it was built from in the end.
    x, y, flux : ndarray
        Of all stars that were given.
    spread : float
        Median of Σ|r| over the flux, a few per cent of noise for a good PSF.
    doubt : float
        Error of the fluxes of all stars alike, as a part of them, from the noise in the light of the PSF.
    beyond, beyond_error : float
        Part of the light beyond the table.
    """

    psf: PsfModel
    used: np.ndarray
    x: np.ndarray
    y: np.ndarray
    flux: np.ndarray
    spread: float
    doubt: float
    beyond: float
    beyond_error: float


def build(
    values: np.ndarray,
    variance: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    *,
    fine: int = 4,
    size: int = 0,
    rounds: int = 10,
    others: tuple[np.ndarray, np.ndarray] | None = None,
    level: np.ndarray | float = 0.0,
    mesh: int = 64,
    progress: Progress = silent,
) -> Built:
    """Build a PSF from stars.

    Parameters
    ----------
    values, variance : ndarray, shape (ny, nx)
        Less the background, and the variance of each pixel; not finite: not used.
    x, y : ndarray, shape (n,)
        Places of the stars, to a pixel.
    fine : int
        Samples for one pixel along each axis, in the end.
    size : int
        Pixels along the sides of the PSF, an odd number; 0: until the wings of the brightest star are lost in the
        noise, 8 widths or more.
    rounds : int
        How often stars and PSF are fitted in turn.
    others : (x, y), optional
        Further stars, which are subtracted.
    level : ndarray, shape (ny, nx), or float
        The background that was subtracted, and with it light of the wings.
    mesh : int
        Pixels over which the background may change; 0: it does not.

    Raises
    ------
    CommandError
        When no star can be used.
    """
    making = _Making.begun(values, variance, x, y, fine, size, others)
    making.level, making.mesh = level, mesh
    for number in range(rounds):
        progress(number, rounds + 1, f"building the PSF from {making.used.sum()} stars")
        making.round(number)
        if number == FIRST_ROUNDS - 1:
            making.widen(fine, size)
    far = making.far()
    if not size and (half := making.wanted(far)) > making.half:
        making.grow(far, half)
        for number in range(MORE_ROUNDS):
            progress(rounds - 1, rounds, f"the wings of the PSF, to {half} pixels")
            making.round(rounds + number)
        far = making.far()
    progress(rounds, rounds + 1, "the uncertainty of its light")
    doubt = float(np.hypot(_doubt(making.scene, making.stars, making.wings, making.psf), far.error / far.total))
    psf = _resampled(far.applied(making.psf, making.half), making.half, fine)
    making.fit.use(psf)
    making.fit.run()
    found = making.fit.fitted()
    spread = float(np.median(found.qfit[: len(x)][making.used]))
    return Built(psf, making.used, found.x[: len(x)], found.y[: len(x)], found.flux[: len(x)], spread, doubt,
                 float(np.clip(1 - psf.light, 0, 1)), far.error / far.total)  # fmt: skip


@dataclass
class _Making:
    """A PSF that is being made: what fits its stars, which of them are used, how far it reaches."""

    fit: StarFit
    psf: PsfModel
    n: int
    half: int
    used: np.ndarray
    wings: Wings | None = None
    scene: _Scene | None = None
    stars: np.ndarray | None = None
    level: np.ndarray | float = 0.0
    mesh: int = 64

    @classmethod
    def begun(
        cls, values: np.ndarray, variance: np.ndarray, x: np.ndarray, y: np.ndarray, fine: int, size: int,
        others: tuple[np.ndarray, np.ndarray] | None,
    ) -> _Making:  # fmt: skip
        width = width_of(values, x, y)
        half = size // 2 if size else int(np.ceil(4 * width))
        psf = _resampled(gaussian_psf(float(np.clip(width, 0.8, 50))), half, min(fine, int(np.ceil(ACROSS / width))))
        fit_half = min(usual_half(width), half)
        fit = StarFit(values, variance, psf, half=fit_half, apart=fit_half + 1.0, limit=2.0)
        fit.add(*(x, y) if others is None else (np.r_[x, others[0]], np.r_[y, others[1]]))
        return cls(fit, psf, len(x), half, np.ones(len(x), bool))

    def widen(self, fine: int, size: int) -> None:
        """Take the samples, the size and the box that the width of the PSF asks for, now that it is better known."""
        width = self.psf.fwhm
        half = self.half if size else max(self.half, int(np.ceil(4 * width)))
        self.psf, self.half = _resampled(self.psf, half, min(fine, int(np.ceil(ACROSS / width)))), half
        self.fit.half = min(usual_half(width), half)
        self.fit.apart = self.fit.half + 1.0

    def round(self, number: int) -> None:
        """Fit the stars by the PSF as it is, and the PSF to the stars."""
        fit = self.fit
        fit.use(self.psf)
        fit.run()
        self.used = _good(fit.fitted(), self.n, self.used, number)
        self.scene = _Scene(fit.residual, fit.weight, self.psf, self.half, CLIP if number >= 3 else np.inf)
        self.stars = np.ascontiguousarray(fit.stars[: self.n][self.used])
        self.psf, self.wings = _improved(self.scene, self.stars, self.wings)

    def far(self) -> Far:
        """Measure the light far from the stars, on the image with its background."""
        fit = self.fit
        fit.use(self.psf)
        fit.run()
        bare = fit.bare()
        seen = Surroundings(bare + np.nan_to_num(self.level), fit.weight, fit.light_of(bare), self.mesh)
        return far_light(seen, self.psf, np.ascontiguousarray(fit.stars[: self.n][self.used]), self.wings)

    def wanted(self, far: Far) -> int:
        """Return half the side of a PSF up to where the light of the brightest star is lost in the noise."""
        weight = self.fit.weight
        noise = 1 / np.sqrt(np.median(weight[weight > 0]))
        most = int((np.sqrt(MOST_DIRECT) - 2 * EDGE) / (2 * self.psf.fine))
        return min(int(np.ceil(far.reach(LOST * noise / self.stars[:, 2].max()))), most)

    def grow(self, far: Far, half: int) -> None:
        """Take the wings onto the table."""
        self.psf, self.half = far.applied(self.psf, half), half


def width_of(values: np.ndarray, x: np.ndarray, y: np.ndarray, reach: int = 12) -> float:
    """Estimate the FWHM of stars in pixels, from the median profile of light over their highest pixel."""
    around = np.arange(-reach, reach + 1)
    far, light = [], []
    for px, py in zip(np.rint(x).astype(int), np.rint(y).astype(int), strict=True):
        part, (i, j) = _peak(values, px, py)
        if part is None:
            continue
        rows, columns = i + around, j + around
        if rows[0] < 0 or columns[0] < 0 or rows[-1] >= values.shape[0] or columns[-1] >= values.shape[1]:
            continue
        square = values[np.ix_(rows, columns)] / values[i, j]
        far.append(np.hypot(*np.meshgrid(around, around)).ravel())
        light.append(square.ravel())
    if not far:
        return 2.5
    r, v = np.concatenate(far), np.concatenate(light)
    steps = np.arange(0.5, reach, 0.5)
    profile = np.array([np.nanmedian(v[(r > s - 0.5) & (r <= s + 0.5)]) for s in steps])
    below = np.flatnonzero(profile < 0.5)
    if not below.size or not below[0]:
        return 1.2 if below.size else float(reach)
    out = below[0]
    radius = np.interp(0.5, [profile[out], profile[out - 1]], [steps[out], steps[out - 1]])
    return float(np.clip(2 * radius, 1.2, reach))


def _peak(values: np.ndarray, px: int, py: int) -> tuple[np.ndarray | None, tuple[int, int]]:
    """Return the part round a place and its highest pixel; None when there is none."""
    i0, j0 = max(py - 2, 0), max(px - 2, 0)
    part = values[i0 : max(py + 3, 0), j0 : max(px + 3, 0)]
    if not part.size or not np.isfinite(part).any() or not np.nanmax(part) > 0:
        return None, (0, 0)
    i, j = np.unravel_index(np.nanargmax(part), part.shape)
    return part, (i0 + int(i), j0 + int(j))


def _good(found: object, n: int, before: np.ndarray, number: int) -> np.ndarray:
    """Return which stars serve: whole, not masked in the core, and after a few rounds no worse than the others."""
    good = found.usable[:n] & (found.n_masked[:n] == 0) & (found.n_beyond[:n] == 0) & (found.flux[:n] > 0)
    good &= found.flux[:n] > 5 * found.flux_error[:n]
    if number >= 3:
        good &= before
        spread = found.qfit[:n] - np.median(found.qfit[:n][good]) if good.any() else found.qfit[:n]
        # Faint stars have more noise over their flux: what counts is what is worse than that
        noise = np.sqrt(found.n_used[:n]) * found.flux_error[:n] / found.flux[:n]
        scatter = 1.4826 * np.median(np.abs(spread[good])) if good.any() else np.inf
        good &= spread < WORSE * scatter + noise
    if not good.any():
        raise CommandError(
            f"None of the {n} stars can make a PSF: each is off the image, cut by its edge, has NaN, saturated or "
            "masked pixels, or a S/N below 5. Pick brighter ones that stand alone."
        )
    return good


# --- the steps ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Scene:
    """The image less all stars, its inverse variances, and the PSF by which they were subtracted."""

    residual: np.ndarray
    weight: np.ndarray
    psf: PsfModel
    half: int
    clip: float

    def pixels(self, stars: np.ndarray) -> Pixels:
        """Cut out the pixels round stars."""
        from scipy.ndimage import map_coordinates

        around = np.arange(-self.half, self.half + 1)
        x0, y0 = self.psf.centre
        rows = ((np.rint(stars[:, 1]) - stars[:, 1])[:, None] + around) * self.psf.fine + y0
        columns = ((np.rint(stars[:, 0]) - stars[:, 0])[:, None] + around) * self.psf.fine + x0
        at = np.broadcast_arrays(rows[:, :, None], columns[:, None, :])
        known = map_coordinates(self.psf.coefs[0], at, order=3, prefilter=False, mode="constant")
        return pixels_of(self.residual, self.weight, known, stars, self.half, self.clip)


def _improved(scene: _Scene, stars: np.ndarray, wings: Wings | None) -> tuple[PsfModel, Wings]:
    """Return the PSF that fits stars best where they are now, as smooth as PSFs are, and its wings."""
    wings = fitted_wings(scene.pixels(stars), scene.psf.fwhm, wings)
    return _settled(_table(scene, stars, wings), scene.psf.fine, wings), wings


def _doubt(scene: _Scene, stars: np.ndarray, wings: Wings, whole: PsfModel) -> float:
    """Return the error of all fluxes alike that the making of a PSF has, as a part of them.

    It is made again without each eighth of the stars in turn (a jackknife), or of less than five with noise of the
    size of the errors added once more.
    """
    n, parts = len(stars), min(len(stars), 8)
    if n >= 5:
        again = (_improved(scene, stars[np.arange(n) % parts != k], wings)[0] for k in range(parts))
        ratio = np.array([_flux_of(whole, one) for one in again])
        return float(np.sqrt((parts - 1) / parts * ((ratio - ratio.mean()) ** 2).sum()))
    draw = np.random.default_rng(0)
    noise = np.where(scene.weight > 0, 1 / np.sqrt(np.where(scene.weight > 0, scene.weight, 1)), 0)
    ratio = np.array([
        _flux_of(whole, _improved(replace(scene, residual=_noisier(scene, noise, draw)), stars, wings)[0])
        for _ in range(8)
    ])  # fmt: skip
    return float(np.sqrt(np.mean((ratio - 1) ** 2)))


def _noisier(scene: _Scene, noise: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    return (scene.residual + noise * draw.standard_normal(noise.shape)).astype(np.float32)


def _flux_of(psf: PsfModel, by: PsfModel) -> float:
    """Return the flux of a star with one PSF by another with as much light in the box, over its own."""
    n = usual_half(psf.fwhm) * psf.fine
    m = len(psf.mean) // 2
    box = slice(max(m - n, 0), m + n + 1)
    a, b = psf.mean[box, box], by.mean[box, box]
    return float((a * b).sum() / (b * b).sum() * b.sum() / a.sum())


@dataclass(frozen=True)
class _Grid:
    """A table that is fitted: coefficients as they are now, where the star is in them, samples a pixel, half a side."""

    coefs: np.ndarray
    centre: tuple[float, float]
    fine: int
    half: int

    @property
    def inner(self) -> int:
        """Pixels from the star up to which it can be solved directly."""
        return self.half if self.fine == 1 else min(self.half, int((np.sqrt(MOST_DIRECT) - 2 * EDGE) / (2 * self.fine)))

    def within(self, half: int) -> _Grid:
        """Return the middle of it."""
        cut = (self.half - half) * self.fine
        part = np.ascontiguousarray(self.coefs[cut : len(self.coefs) - cut, cut : len(self.coefs) - cut])
        return _Grid(part, (self.centre[0] - cut, self.centre[1] - cut), self.fine, half)

    def coarser(self) -> tuple[_Grid, int]:
        """Return it with fewer samples a pixel, and which of them stay."""
        from scipy.ndimage import spline_filter

        step = next(k for k in range(2, self.fine + 1) if self.fine % k == 0)
        values = np.pad(_values(self.coefs)[EDGE:-EDGE, EDGE:-EDGE][::step, ::step], EDGE)
        middle = len(values) // 2
        return _Grid(spline_filter(values, order=3), (middle, middle), self.fine // step, self.half), step


def _table(scene: _Scene, stars: np.ndarray, wings: Wings) -> np.ndarray:
    """Return the table, shape (my, mx), that fits the pixels best, and that of the wings where they do not say it."""
    psf = scene.psf
    return _fitted(scene, stars, wings, _Grid(psf.coefs[0], psf.centre, psf.fine, scene.half))


def _fitted(scene: _Scene, stars: np.ndarray, wings: Wings, grid: _Grid) -> np.ndarray:
    """Fit a table; of a large one the middle as fine as it is, and what is round it, which is smoother, coarser.

    What is smooth in the wings and what the stars say of the core differ by many powers of ten: steps of conjugate
    gradients on the whole end long before the wings are right, so that fluxes were wrong by 5 %.
    """
    from scipy.ndimage import map_coordinates

    smooth = wings.table(grid.half, grid.fine, EDGE)
    if grid.inner == grid.half:
        return _solved(scene, stars, wings, grid, smooth)
    coarse, step = grid.coarser()
    more = _fitted(scene, stars, wings, coarse) - wings.table(grid.half, coarse.fine)
    at = (np.arange(len(smooth)) - EDGE) / step
    smooth += map_coordinates(more, np.meshgrid(at, at, indexing="ij"), order=3, mode="nearest")
    cut = (grid.half - grid.inner) * grid.fine
    middle = slice(cut, len(smooth) - cut)
    core = _solved(scene, stars, wings, grid.within(grid.inner), smooth[middle, middle])
    table = smooth[EDGE:-EDGE, EDGE:-EDGE]
    table[cut : len(table) - cut, cut : len(table) - cut] = core
    return table


def _solved(scene: _Scene, stars: np.ndarray, wings: Wings, grid: _Grid, smooth: np.ndarray) -> np.ndarray:
    """Solve the normal equations of a table that is expected to be a smooth one."""
    from scipy.ndimage import spline_filter
    from scipy.sparse import dia_array
    from scipy.sparse.linalg import splu

    from jviz.backend.photometry import psf_kernels

    coefs = grid.coefs
    my, mx = coefs.shape
    bands, right = np.zeros((49, coefs.size)), np.zeros(coefs.size)
    seen = np.ascontiguousarray(np.c_[stars, wings.level * stars[:, 2]])
    psf_kernels.gather(
        scene.residual, scene.weight, coefs, grid.fine, *grid.centre, seen, grid.half, scene.clip, bands, right
    )  # fmt: skip
    steps = [c * mx + d for c in range(-3, 4) for d in range(-3, 4)]
    expected = spline_filter(smooth, order=3, mode="mirror").ravel()
    width = scene.psf.fwhm * grid.fine
    allowed = max(1.0, 0.8 * width**2) * (UNLIKE * np.maximum(smooth, 1e-6 * smooth.max()).ravel()[None]) ** 2
    told = dia_array((bands, steps), shape=(coefs.size, coefs.size)).tocsr()
    matrix = told + _roughness(coefs, width / 2.355) + dia_array((1 / allowed, [0]), shape=told.shape).tocsr()
    root = np.sqrt(matrix.diagonal())
    scale = dia_array((1 / root[None], [0]), shape=matrix.shape).tocsr()
    factors = splu((scale @ matrix @ scale).tocsc(), permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0,
                   options={"SymmetricMode": True})  # fmt: skip
    solved = factors.solve(scale @ (right - told @ expected)) / root
    return _values((solved + expected).reshape(my, mx))[EDGE:-EDGE, EDGE:-EDGE]


def _values(coefs: np.ndarray) -> np.ndarray:
    """Return what a bicubic B-spline is at its samples."""
    from scipy.ndimage import convolve1d

    for axis in (0, 1):
        coefs = convolve1d(coefs, [1 / 6, 4 / 6, 1 / 6], axis=axis, mode="constant")
    return coefs


def _roughness(coefs: np.ndarray, sigma: float) -> Any:
    """Return the penalty on third differences that PSFs of this width do not have; and the edges are 0.

    The third differences of a Gaussian are at most 1.4 / σ³ of its height, σ in samples.
    """
    from scipy.ndimage import maximum_filter
    from scipy.sparse import dia_array, eye_array, kron

    level = maximum_filter(np.abs(coefs), max(3, round(sigma) | 1))
    allowed = 1.4 / sigma**3 * level + 1e-6 * coefs.max()
    weight = dia_array((1 / allowed.ravel()[None] ** 2, [0]), shape=(coefs.size, coefs.size)).tocsr()
    my, mx = coefs.shape
    total = None
    for n, make in ((mx, lambda d: kron(eye_array(my), d)), (my, lambda d: kron(d, eye_array(mx)))):
        third = dia_array((np.tile([[-1.0], [3.0], [-3.0], [1.0]], (1, n)), [-1, 0, 1, 2]), shape=(n, n))
        rough = make(third).tocsr()
        total = rough.T @ weight @ rough if total is None else total + rough.T @ weight @ rough
    return total


def _settled(table: np.ndarray, fine: int, wings: Wings) -> PsfModel:
    """Return a PSF whose light is 1 with that beyond the table, and whose centroid, in a box of its width, is 0."""
    from scipy.ndimage import shift

    table = evened(table, fine, PsfModel(table[None], fine).fwhm)
    middle = (len(table) - 1) / 2
    reach = max(2, int(np.ceil(np.sqrt(np.count_nonzero(table >= 0.5 * table.max())))))
    around = np.arange(len(table)) - middle
    for _ in range(3):
        core = np.clip(table, 0, None) * (np.abs(around) <= reach) * (np.abs(around) <= reach)[:, None]
        dx, dy = core.sum(axis=0) @ around / core.sum(), core.sum(axis=1) @ around / core.sum()
        if max(abs(dx), abs(dy)) < 1e-3:
            break
        table = shift(table, (-dy, -dx), order=3, mode="nearest")
    beyond = wings.beyond((len(table) - 1) / 2 / fine, fine)
    return PsfModel((table / (table.sum() / fine**2 + beyond))[None], fine)


def _resampled(psf: PsfModel, half: int, fine: int) -> PsfModel:
    """Return a PSF on another grid."""
    from scipy.ndimage import map_coordinates

    x0, y0 = psf.centre
    offsets = np.arange(-half * fine, half * fine + 1) / fine * psf.fine
    rows, columns = np.meshgrid(offsets + y0, offsets + x0, indexing="ij")
    table = map_coordinates(psf.coefs[0], [rows, columns], order=3, prefilter=False, mode="constant")
    return PsfModel(table[None], fine)
