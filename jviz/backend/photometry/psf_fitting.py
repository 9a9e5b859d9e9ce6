"""All stars of an image fitted by a PSF: in groups at once, all others subtracted, until nothing moves any more."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jviz.backend.photometry.psfs import PsfModel
from jviz.backend.progress import Progress, silent

__all__ = ["Fitted", "StarFit", "groups_of", "usual_half"]

MOST = 12
"""Stars of a group that are fitted at once; larger groups are parted and fitted in turn until they agree."""

SWEEPS, SETTLED = 40, 0.01
"""Most steps, and the step over its error below which a group is at rest."""

FAINT_TAIL = 0.02
"""Light of a star over the noise of a pixel below which it need not be subtracted."""


@dataclass(frozen=True)
class Fitted:
    """What was found of n stars; arrays of shape (n,), NaN where there is nothing.

    Attributes
    ----------
    x, y, flux : ndarray
        Pixels, and the unit of the image.
    flux_error, x_error, y_error : ndarray
    chi2 : ndarray
        Of the pixels in the box over the degrees of freedom.
    qfit, cfit : ndarray
        Σ|r| over the box and r of the middle pixel, over the flux (as photutils has them).
    n_used, n_masked, n_beyond : ndarray of int
        Pixels of the box that are used, that are not, and that lie off the image.
    group : ndarray of int
        Stars that are fitted at once have the same number; from 1.
    size : ndarray of int
        Stars of the group.
    at_rest, at_limit, usable : ndarray of bool
        Whether the fit has settled; whether the star wanted to go farther than it may; whether it could be fitted.
    """

    x: np.ndarray
    y: np.ndarray
    flux: np.ndarray
    flux_error: np.ndarray
    x_error: np.ndarray
    y_error: np.ndarray
    chi2: np.ndarray
    qfit: np.ndarray
    cfit: np.ndarray
    n_used: np.ndarray
    n_masked: np.ndarray
    n_beyond: np.ndarray
    group: np.ndarray
    size: np.ndarray
    at_rest: np.ndarray
    at_limit: np.ndarray
    usable: np.ndarray


def usual_half(fwhm: float) -> int:
    """Return half the side of the box to fit: beyond 1.3 widths there is more noise than star."""
    return max(2, int(np.ceil(1.3 * fwhm)))


def groups_of(x: np.ndarray, y: np.ndarray, apart: float, most: int = MOST) -> tuple[np.ndarray, np.ndarray]:
    """Put stars that touch into groups, neighbours after neighbours in the image.

    Parameters
    ----------
    x, y : ndarray, shape (n,)
        Finite.
    apart : float
        Stars nearer than that, in pixels, touch.
    most : int
        Larger groups are parted at the middle of their longer side.

    Returns
    -------
    first, order : ndarray of int
        Group g has the stars ``order[first[g]:first[g + 1]]``.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import KDTree

    n = len(x)
    places = np.c_[x, y]
    pairs = KDTree(places).query_pairs(apart, output_type="ndarray") if n else np.zeros((0, 2), int)
    touching = coo_array((np.ones(len(pairs), bool), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    label = connected_components(touching, directed=False)[1] if n else np.zeros(0, int)
    order = np.argsort(label, kind="stable")
    parts: list[np.ndarray] = []
    for members in np.split(order, np.flatnonzero(np.diff(label[order])) + 1) if n else []:
        _part(members, places, most, parts)
    # by tiles, in which neighbours in time are neighbours in memory
    heads = places[[part[0] for part in parts]] if parts else np.zeros((0, 2))
    turn = np.lexsort((heads[:, 0], heads[:, 1] // 64))
    parts = [parts[k] for k in turn]
    first = np.concatenate([[0], np.cumsum([len(part) for part in parts])]).astype(np.int64)
    return first, np.concatenate([*parts, np.zeros(0, int)]).astype(np.int64)


def _part(members: np.ndarray, places: np.ndarray, most: int, parts: list[np.ndarray]) -> None:
    if len(members) <= most:
        parts.append(members)
        return
    mine = places[members]
    axis = int(np.ptp(mine[:, 1]) > np.ptp(mine[:, 0]))
    members = members[np.argsort(mine[:, axis], kind="stable")]
    _part(members[: len(members) // 2], places, most, parts)
    _part(members[len(members) // 2 :], places, most, parts)


class StarFit:
    """An image whose stars are fitted.

    Parameters
    ----------
    values : ndarray, shape (ny, nx)
        Less the background; NaN is not used.
    variance : ndarray, shape (ny, nx)
        Of each pixel; not finite or 0: not used.
    psf : PsfModel
    half : int
        Half the side of the box that is fitted, in pixels.
    apart : float
        Stars nearer than that are fitted at once.
    limit : float
        Farthest that a star may move, in pixels; 0: places stay as they are.
    gain : float, optional
        Electrons for 1 in the image, when the variance is that of the background alone: the noise of the light of the
        stars, as they are fitted, is added.
    """

    def __init__(
        self, values: np.ndarray, variance: np.ndarray, psf: PsfModel, *, half: int, apart: float, limit: float,
        gain: float | None = None,
    ) -> None:  # fmt: skip
        self.psf, self.half, self.apart, self.limit, self.gain = psf, half, apart, limit, gain
        self._variance = variance
        good = np.isfinite(values) & np.isfinite(variance) & (variance > 0)
        self._image = np.where(good, values, 0).astype(np.float32)
        self.weight = np.zeros(values.shape, np.float32)
        np.divide(1.0, variance, out=self.weight, where=good, casting="unsafe")
        self.residual = self._image.copy()
        self.stars = np.zeros((0, 3))
        self._start = np.zeros((0, 3))
        self._groups = np.zeros(1, np.int64), np.zeros(0, np.int64)
        self._restless = np.zeros(0, bool)

    @property
    def start(self) -> np.ndarray:
        """Where the stars began: x, y and 0, shape (n, 3)."""
        return self._start

    @property
    def _count(self) -> int:
        return 3 if self.limit > 0 else 1

    @property
    def model(self) -> np.ndarray:
        """The light of all stars, shape (ny, nx)."""
        return self._image - self.residual

    def add(self, x: np.ndarray, y: np.ndarray) -> None:
        """Add stars at places; those off the image stay without flux."""
        new = np.c_[x, y, np.zeros(len(x))].astype(float)
        self.stars = np.ascontiguousarray(np.r_[self.stars, new])
        self._start = np.ascontiguousarray(np.r_[self._start, new])
        self._prepare()

    def keep(self, good: np.ndarray) -> None:
        """Let go of all stars but these."""
        self.stars, self._start = (np.ascontiguousarray(v[good]) for v in (self.stars, self._start))
        self._prepare()
        self.renew()

    def use(self, psf: PsfModel) -> None:
        """Go on with another PSF."""
        self.psf = psf
        self._prepare()
        self.renew()

    def _prepare(self) -> None:
        """Find groups, PSFs, and how far stars are subtracted."""
        ny, nx = self.residual.shape
        x, y = self.stars[:, 0], self.stars[:, 1]
        on = np.isfinite(x) & np.isfinite(y) & (x > -0.5) & (y > -0.5) & (x < nx - 0.5) & (y < ny - 0.5)
        self._on = np.flatnonzero(on)
        first, order = groups_of(x[on], y[on], self.apart)
        self._groups = first, self._on[order]
        near, share = self.psf.at(np.where(on, x, 0), np.where(on, y, 0))
        self._near, self._share = near, share
        self._reach = self._reaches()
        self._restless = np.ones(len(first) - 1, bool)

    def _reaches(self) -> np.ndarray:
        """Return how far each star is subtracted: until its light is lost in the noise."""
        # A star at the edge may have moved off the image since.
        x, y = (np.rint(self.stars[self._on, k]).astype(int).clip(0, n - 1)
                for k, n in enumerate(self.residual.shape[::-1]))  # fmt: skip
        reach = np.full(len(self.stars), self.psf.reach, np.int64)
        weight = self.weight[y, x]
        if not (weight > 0).any():
            return reach
        noise = 1 / np.sqrt(np.where(weight > 0, weight, weight.max()))
        peak = np.maximum(self._image[y, x] / self.psf.mean.max(), self.stars[self._on, 2])
        with np.errstate(divide="ignore"):
            needed = FAINT_TAIL * noise / np.maximum(peak, 1e-30)
        far = np.searchsorted(-self.psf.tails, -needed) + 1
        far = np.where(weight > 0, far, self.psf.reach)
        reach[self._on] = np.clip(far, self.half + 1, self.psf.reach)
        return reach

    def run(self, progress: Progress = silent) -> None:
        """Fit until nothing moves."""
        if self.gain:
            self._sweeps(3, 3, progress)
            self._weigh()
        self._sweeps(SWEEPS, self._count, progress)
        if self.gain:
            self._weigh()
            self._sweeps(5, self._count, progress)
        self.renew()

    def _sweeps(self, most: int, count: int, progress: Progress) -> None:
        from jviz.backend.photometry import psf_kernels

        first, order = self._groups
        change, active = np.zeros(len(first) - 1), np.ones(len(first) - 1, bool)
        for number in range(most):
            progress(number, most, f"fitting {len(self._on)} stars")
            # fluxes first: a star that is too faint at the start would not find its place
            unknowns = 1 if number == 0 and not self.stars[:, 2].any() else min(count, self._count)
            change[:] = 0
            psf_kernels.sweep(
                self.residual, self.weight, self.psf.coefs, self.psf.fine, *self.psf.centre, self._near, self._share,
                self.stars, self._start, self._reach, first, order, active, self.half, unknowns, self.limit, change,
            )  # fmt: skip
            moving = change > SETTLED
            if moving.any() or number == 0:
                active = moving if number > 2 else active
            elif active.all():
                break
            else:
                active = np.ones(len(active), bool)  # whether the others still agree with what has moved since
        self._restless = change > 10 * SETTLED

    def _weigh(self) -> None:
        """Take the noise of the light of the stars into the weights."""
        photons = np.maximum(self.model, 0) / np.float32(self.gain)
        np.divide(1.0, self._variance + photons, out=self.weight, where=self.weight > 0, casting="unsafe")

    def renew(self) -> None:
        """Subtract all stars from the image anew, as far as they can be seen, without the rounding of many steps."""
        from jviz.backend.photometry import psf_kernels

        self._reach = self._reaches()
        self.residual = self._image.copy()
        psf_kernels.subtract(
            self.residual, self.psf.coefs, self.psf.fine, *self.psf.centre, self._near[self._on], self._share[self._on],
            np.ascontiguousarray(self.stars[self._on]), self._reach[self._on], 1.0,
        )  # fmt: skip

    def bare(self) -> np.ndarray:
        """Return the image less all stars as far as the PSF reaches, also where their light is lost in the noise."""
        from jviz.backend.photometry import psf_kernels

        left = self._image.copy()
        psf_kernels.subtract(
            left, self.psf.coefs, self.psf.fine, *self.psf.centre, self._near[self._on], self._share[self._on],
            np.ascontiguousarray(self.stars[self._on]), np.full(len(self._on), self.psf.reach), 1.0,
        )  # fmt: skip
        return left

    def light_of(self, left: np.ndarray) -> np.ndarray:
        """Return what was subtracted from the image where this is left, shape (ny, nx)."""
        return self._image - left

    def lift(self, level: np.ndarray) -> None:
        """Take a background that was found since out of the image too."""
        self._image = np.where(np.isfinite(level), self._image - level, self._image).astype(np.float32)
        self.renew()

    def fitted(self) -> Fitted:
        """Return the stars with errors and the goodness of the fit."""
        from jviz.backend.photometry import psf_kernels

        n, count = len(self.stars), self._count
        out = np.zeros((n, 8))
        out[:, :3] = np.nan
        first, order = self._groups
        psf_kernels.assess(
            self.residual, self.weight, self.psf.coefs, self.psf.fine, *self.psf.centre, self._near, self._share,
            self.stars, first, order, self.half, count, out,
        )  # fmt: skip
        used, box = out[:, 4], out[:, 7]
        usable = np.isfinite(out[:, 0])
        flux = np.where(usable, self.stars[:, 2], np.nan)
        with np.errstate(divide="ignore", invalid="ignore"):
            chi2 = np.where(used > count, out[:, 3] / (used - count), np.nan)
            qfit, cfit = out[:, 5] / flux, out[:, 6] / flux
        group, size, restless = np.zeros(n, int), np.zeros(n, int), np.zeros(n, bool)
        sizes = np.diff(first)
        group[order], size[order] = np.repeat(np.arange(1, len(first)), sizes), np.repeat(sizes, sizes)
        restless[order] = np.repeat(self._restless, sizes)
        far = np.abs(self.stars[:, :2] - self._start[:, :2]).max(axis=1, initial=0) >= self.limit * (1 - 1e-9)
        return Fitted(
            self.stars[:, 0].copy(), self.stars[:, 1].copy(), flux, *out[:, :3].T.copy(),
            np.where(usable, chi2, np.nan), np.where(usable, qfit, np.nan), np.where(usable, cfit, np.nan),
            used.astype(int), (box - used).astype(int), ((2 * self.half + 1) ** 2 - box).astype(int),
            group, size, ~restless & usable, far & (count == 3) & usable, usable,
        )  # fmt: skip
