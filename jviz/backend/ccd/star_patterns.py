"""Exposures turned and scaled against each other: stars found again by the triangles that they form."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from jviz.backend.catalogs.astrometry import fit_offsets
from jviz.backend.ccd.images import DEAD, CcdImage

__all__ = ["Motion", "motion_of", "resampled", "star_places"]

BRIGHTEST = 40
"""Stars that are looked at in each exposure."""

NEIGHBOURS = 6
"""Nearest stars that each one forms triangles with."""

ABOVE = 8.0
"""Light over the scatter of the background from which something counts as a star."""

SEEING = 1.3
"""Standard deviation in pixels of the window that centres are measured in, and of the smoothing before."""

SAME_SHAPE = 0.012
"""Difference of two ratios of sides below which triangles look alike."""

NEAR, NEARER = 2.5, 1.0
"""Pixels within which stars count as the same: for a first guess, and in the end."""

FEWEST, LEAST_SHARE = 6, 0.3
"""Stars that must be the same, and their share of those that could be: fewer are chance."""

SCALES = (0.5, 2.0)
MOST_PAIRS = 4000


@dataclass(frozen=True)
class Motion:
    """How an exposure lies to another: ``place = matrix · place of the reference + shift``, in pixels (x, y).

    Attributes
    ----------
    matrix : ndarray, shape (2, 2)
        A rotation times a scale.
    shift : ndarray, shape (2,)
    stars : int
        That were found in both.
    scatter : float
        Of their places, in pixels on each axis.
    """

    matrix: np.ndarray
    shift: np.ndarray
    stars: int
    scatter: float

    @property
    def degrees(self) -> float:
        """By how much it is turned, from x to y."""
        return float(np.degrees(np.arctan2(self.matrix[1, 0], self.matrix[0, 0])))

    @property
    def scale(self) -> float:
        """By how much its pixels are finer than those of the reference."""
        return float(np.sqrt(np.linalg.det(self.matrix)))

    def offset(self, shape: tuple[int, int]) -> tuple[float, float]:
        """Return how far what lies in the middle of the reference lies from there, (x, y)."""
        middle = (np.array(shape[::-1]) - 1) / 2
        dx, dy = self.matrix @ middle + self.shift - middle
        return float(dx), float(dy)


def motion_of(image: CcdImage, reference: CcdImage) -> Motion | None:
    """Return how an exposure is moved, turned and scaled against another; None when they show no stars in common.

    Notes
    -----
    Triangles of neighbouring stars look the same after a rotation and a change of scale (Groth 1986, AJ 91, 1244;
    Valdes et al. 1995, PASP 107, 1119). Each pair that does gives a guess; the one that most stars agree with is
    fitted.
    """
    here, there = star_places(reference), star_places(image)
    if min(len(here), len(there)) < FEWEST:
        return None
    guesses = _guesses(here, there)
    if not len(guesses):
        return None
    matrix, shift = _best(guesses, here, there)
    for radius in (NEAR, NEAR, NEARER, NEARER):
        pairs = _same(here @ matrix.T + shift, there, radius)
        if len(pairs) < FEWEST:
            return None
        fit = fit_offsets(here[pairs[:, 0]], there[pairs[:, 1]], "similarity")
        matrix, shift = fit.matrix, fit.shift
    left = fit.residual[fit.used]
    if len(left) < max(FEWEST, LEAST_SHARE * _in_both(here, there, matrix, shift, image, reference)):
        return None
    return Motion(matrix, shift, len(left), float(np.sqrt((left**2).mean())))


def star_places(image: CcdImage) -> np.ndarray:
    """Return the centres of the brightest stars, (x, y) each, the brightest first."""
    from scipy.ndimage import gaussian_filter, maximum_filter

    good = ~image.bad
    middle = float(np.median(image.values[good])) if good.any() else 0.0
    light = np.where(good, image.values - middle, 0.0)
    smooth = gaussian_filter(light, SEEING)
    scatter = 1.4826 * float(np.median(np.abs(smooth[good]))) if good.any() else 0.0
    peak = (smooth == maximum_filter(smooth, 5)) & (smooth > ABOVE * scatter) & good
    peak[:4], peak[-4:], peak[:, :4], peak[:, -4:] = False, False, False, False
    rows, columns = np.nonzero(peak)
    order = np.argsort(-smooth[rows, columns])[:BRIGHTEST]
    return _centred(light, columns[order].astype(float), rows[order].astype(float))


def _centred(light: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Move places onto the centres of light in a Gaussian window, as SExtractor's XWIN does."""
    steps = np.arange(-3, 4)
    ny, nx = light.shape
    begun = np.stack([x, y], 1)
    for _ in range(8):
        rows = np.clip(np.rint(y).astype(int), 3, ny - 4)[:, None] + steps
        columns = np.clip(np.rint(x).astype(int), 3, nx - 4)[:, None] + steps
        part = light[rows[:, :, None], columns[:, None, :]]
        dx, dy = columns - x[:, None], rows - y[:, None]
        weight = part * np.exp(-(dx[:, None, :] ** 2 + dy[:, :, None] ** 2) / (2 * (1.5 * SEEING) ** 2))
        total = weight.sum((1, 2))
        total = np.where(total > 0, total, np.inf)
        x = x + 2 * (weight * dx[:, None, :]).sum((1, 2)) / total
        y = y + 2 * (weight * dy[:, :, None]).sum((1, 2)) / total
    found = np.stack([x, y], 1)
    return found[np.hypot(*(found - begun).T) < 2]


# --- triangles ----------------------------------------------------------------------------------------


def _triangles(places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the corners of triangles, (n, 3), and their shapes, (n, 3): two ratios of sides, and the handedness.

    The corners stand opposite to the longest, the middle and the shortest side.
    """
    from scipy.spatial import KDTree

    _, near = KDTree(places).query(places, min(NEIGHBOURS + 1, len(places)))
    corners = np.array(sorted({tuple(sorted(three)) for each in near for three in combinations(each.tolist(), 3)}))
    opposite = ((1, 2), (0, 2), (0, 1))
    sides = np.stack([np.hypot(*(places[corners[:, a]] - places[corners[:, b]]).T) for a, b in opposite], 1)
    order = np.argsort(-sides, axis=1)
    corners, sides = np.take_along_axis(corners, order, 1), np.take_along_axis(sides, order, 1)
    first, second = (places[corners[:, k]] - places[corners[:, 0]] for k in (1, 2))
    hand = np.sign(first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0])
    shapes = np.stack([sides[:, 1] / sides[:, 0], sides[:, 2] / sides[:, 0], hand], 1)
    # Of sides of nearly the same length nobody knows which is which.
    clear = (shapes[:, 0] < 1 - SAME_SHAPE) & (shapes[:, 0] - shapes[:, 1] > SAME_SHAPE) & (shapes[:, 1] > 0.1)
    return corners[clear], shapes[clear]


def _guesses(here: np.ndarray, there: np.ndarray) -> np.ndarray:
    """Return maps that triangles suggest, as complex numbers (turn, shift), shape (n, 2)."""
    from scipy.spatial import KDTree

    corners, shapes = _triangles(here)
    others, their_shapes = _triangles(there)
    if not len(corners) or not len(others):
        return np.empty((0, 2), complex)
    near = KDTree(their_shapes).query_ball_point(shapes, SAME_SHAPE)
    pairs = np.array([(n, m) for n, found in enumerate(near) for m in found]).reshape(-1, 2)[:MOST_PAIRS]
    a, b = (np.array(p[:, 0] + 1j * p[:, 1]) for p in (here, there))
    one, two = a[corners[pairs[:, 0]]], b[others[pairs[:, 1]]]
    # Least squares of three corners, in the plane of complex numbers.
    u, v = one - one.mean(1, keepdims=True), two - two.mean(1, keepdims=True)
    turn = (v * u.conj()).sum(1) / (np.abs(u) ** 2).sum(1)
    fits = (np.abs(turn) > SCALES[0]) & (np.abs(turn) < SCALES[1])
    return np.stack([turn, two.mean(1) - turn * one.mean(1)], 1)[fits]


def _best(guesses: np.ndarray, here: np.ndarray, there: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the map by which most stars come to lie on another."""
    from scipy.spatial import KDTree

    places = guesses[:, :1] * (here[:, 0] + 1j * here[:, 1]) + guesses[:, 1:]
    away, _ = KDTree(there).query(np.stack([places.real, places.imag], -1))
    turn, shift = guesses[int(np.argmax((away < NEAR).sum(1)))]
    return np.array([[turn.real, -turn.imag], [turn.imag, turn.real]]), np.array([shift.real, shift.imag])


def _same(places: np.ndarray, there: np.ndarray, radius: float) -> np.ndarray:
    """Return pairs of numbers of stars that are each other's nearest, within a radius."""
    from scipy.spatial import KDTree

    away, number = KDTree(there).query(places)
    _, back = KDTree(places).query(there)
    mine = np.arange(len(places))
    good = (away < radius) & (back[number] == mine)
    return np.stack([mine[good], number[good]], 1)


def _in_both(here: np.ndarray, there: np.ndarray, matrix: np.ndarray, shift: np.ndarray, image: CcdImage,
             reference: CcdImage) -> int:  # fmt: skip
    """Return how many stars of the exposure with fewer of them lie where the other one looked, too."""
    back = np.linalg.inv(matrix)
    inside = [_inside(here @ matrix.T + shift, image), _inside((there - shift) @ back.T, reference)]
    return min(inside)


def _inside(places: np.ndarray, image: CcdImage) -> int:
    ny, nx = image.values.shape
    return int(((places >= 4) & (places < np.array([nx, ny]) - 4)).all(1).sum())


# --- pixels -------------------------------------------------------------------------------------------


def resampled(image: CcdImage, motion: Motion) -> CcdImage:
    """Return an image on the pixels of the reference, interpolated between its own (bilinear); light is conserved.

    Where nothing comes from it is dead. Neighbouring pixels share values: their noise is correlated.
    """
    ny, nx = image.values.shape
    y, x = np.mgrid[:ny, :nx]
    (a, b), (c, d) = motion.matrix
    px, py = a * x + b * y + motion.shift[0], c * x + d * y + motion.shift[1]
    there = (px >= 0) & (px <= nx - 1) & (py >= 0) & (py <= ny - 1)
    column, row = (np.clip(np.floor(p).astype(int), 0, n - 2) for p, n in ((px, nx), (py, ny)))
    fx, fy = px - column, py - row
    area = abs(np.linalg.det(motion.matrix))
    values, variance = np.zeros((ny, nx)), np.zeros((ny, nx))
    flags = np.where(there, 0, DEAD).astype(np.uint8)
    for step_y, wy in ((0, 1 - fy), (1, fy)):
        for step_x, wx in ((0, 1 - fx), (1, fx)):
            share, at = np.where(there, area * wx * wy, 0.0), (row + step_y, column + step_x)
            values += share * image.values[at]
            variance += share**2 * image.variance[at]
            flags |= np.where(share > 0, image.flags[at], 0).astype(np.uint8)
    return replace(image, values=values, variance=variance, flags=flags)
