"""The way from the pixels of one image to those of another through the sky, kept on a grid in data space.

Unlike the mesh of a viewport it need not be worked out again when the view moves: four-point
interpolation on it is as good as the exact transform (`Warp.error` says how good) and takes a
fraction of a millisecond for all the nodes of a viewport.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from jviz.backend.render.frames import separation

__all__ = ["Warp", "Warps", "are_far_apart", "gap", "warp_between", "warps"]

Pair = tuple[np.ndarray, np.ndarray]

GOAL = 2e-4
"""Pixels by which the grid may be wrong before it is made finer."""

BEYOND = 2.0
"""Cells beyond the grid in which the cubic of the outermost ones is still followed."""

FIRST_CELLS, MOST_CELLS = 24, 200
MARGIN = 0.03
"""Share of the image that the grid reaches beyond its edges."""


@dataclass(frozen=True, eq=False)
class Warp:
    """Pixels of an image at the nodes of a grid over the pixels of a reference.

    Parameters
    ----------
    origin : (float, float)
        Reference pixel (x, y) of node (0, 0).
    step : (float, float)
        Distance of the nodes along x and y.
    x, y : ndarray of float64, shape (rows, columns)
        Pixel of the image there.
    error : float
        Greatest distance from the exact transform in the middle of the cells, in pixels of the image.
    """

    origin: tuple[float, float]
    step: tuple[float, float]
    x: np.ndarray
    y: np.ndarray
    error: float

    def at(self, x: np.ndarray, y: np.ndarray) -> Pair:
        """Return the image's pixels of reference pixels; NaN well beyond the grid, where nothing of the image is."""
        columns, rows = (np.asarray(v, float) for v in (x, y))
        u, v = (columns - self.origin[0]) / self.step[0], (rows - self.origin[1]) / self.step[1]
        n_rows, n_columns = self.x.shape
        # A little beyond, for the cells of a viewport that the image's edge runs through.
        inside = (u >= 1 - BEYOND) & (u <= n_columns - 2 + BEYOND) & (v >= 1 - BEYOND) & (v <= n_rows - 2 + BEYOND)
        j = np.clip(u, 1, n_columns - 3).astype(np.int64)
        i = np.clip(v, 1, n_rows - 3).astype(np.int64)
        across, down = _weights(u - j), _weights(v - i)
        first = (i - 1) * n_columns + (j - 1)
        found = []
        for grid in (self.x.ravel(), self.y.ravel()):
            total = np.zeros(u.shape)
            for a in range(4):
                line = np.zeros(u.shape)
                for b in range(4):
                    line += across[b] * grid.take(first + (a * n_columns + b))
                total += down[a] * line
            found.append(np.where(inside, total, np.nan))
        return found[0], found[1]


def _weights(t: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return Lagrange's weights of nodes −1, 0, 1, 2 for places between 0 and 1: exact for cubics."""
    less, more, far = t - 1, t + 1, t - 2
    return -t * less * far / 6, more * less * far / 2, -more * t * far / 2, more * t * less / 6


def warp_between(reference: Any, image: Any) -> Warp | None:
    """Work out the grid from a reference's pixels to an image's; takes up to a second, for a thread.

    Parameters
    ----------
    reference, image : SkyMap

    Returns
    -------
    Warp or None
        None where a grid will not do: all-sky maps with rims and tears, images beyond the reach of
        the reference's distortion. The exact transform is the only way then.
    """
    box = _footprint(reference, image)
    if box is None:
        return None

    def exact(x: np.ndarray, y: np.ndarray) -> Pair:
        return image.sky_to_pixel(*reference.pixel_to_sky(x, y))

    cells, best = FIRST_CELLS, None
    while cells <= MOST_CELLS:
        made = _grid(exact, box, cells)
        if made is None:
            return best
        if best is not None and not made.error < best.error:
            return best
        best = made
        if best.error <= GOAL:
            break
        cells *= 2
    return best


FAR = 10.0
"""Times the sizes of two images between them, from where nobody compares them by looking from one to the other."""


def gap(first: Any, second: Any) -> float:
    """Return how many degrees of sky lie between the circles round two images; 0 where they meet or nobody can say.

    Parameters
    ----------
    first, second : SkyMap
    """
    circles = [_circle(sky) for sky in (first, second)]
    apart = float(separation(*circles[0][0], *circles[1][0])) - circles[0][1] - circles[1][1]
    return max(apart, 0.0) if np.isfinite(apart) else 0.0


def are_far_apart(first: Any, second: Any) -> bool:
    """Whether two images are of different places: ten times as far from each other as they are large."""
    return gap(first, second) > FAR * (_circle(first)[1] + _circle(second)[1])


def _circle(sky: Any) -> tuple[tuple[float, float], float]:
    """Return the middle of an image on the sky and the largest distance to its corners, in degrees."""
    if sky not in _circles:
        _circles[sky] = _circle_round(sky)
    return _circles[sky]


_circles: WeakKeyDictionary[Any, tuple[tuple[float, float], float]] = WeakKeyDictionary()


def _circle_round(sky: Any) -> tuple[tuple[float, float], float]:
    ny, nx = sky.shape[-2:]
    middle = sky.pixel_to_sky((nx - 1) / 2, (ny - 1) / 2)
    corners = sky.pixel_to_sky(np.array([-0.5, nx - 0.5, -0.5, nx - 0.5]), np.array([-0.5, -0.5, ny - 0.5, ny - 0.5]))
    return middle, float(np.max(separation(*middle, *corners)))


def _footprint(reference: Any, image: Any) -> tuple[float, float, float, float] | None:
    """Return the box of reference pixels that holds the image, None when there is no simple one."""
    ny, nx = image.shape[-2:]
    x, y = np.meshgrid(np.linspace(-0.5, nx - 0.5, 25), np.linspace(-0.5, ny - 0.5, 25))
    column, row = reference.sky_to_pixel(*image.pixel_to_sky(x, y))
    if not (np.isfinite(column).all() and np.isfinite(row).all()):
        return None
    back_x, back_y = image.sky_to_pixel(*reference.pixel_to_sky(column, row))
    if not (np.hypot(back_x - x, back_y - y) < 0.01).all():
        return None  # NaN, or another branch of the projection
    wide, high = np.ptp(column), np.ptp(row)
    return (
        column.min() - MARGIN * wide - 1, row.min() - MARGIN * high - 1,
        column.max() + MARGIN * wide + 1, row.max() + MARGIN * high + 1,
    )  # fmt: skip


def _grid(exact: Callable[..., Pair], box: tuple[float, float, float, float], cells: int) -> Warp | None:
    x0, y0, x1, y1 = box
    longest = max(x1 - x0, y1 - y0)
    counts = [max(4, round(cells * (high - low) / longest)) for low, high in ((x0, x1), (y0, y1))]
    step = (x1 - x0) / counts[0], (y1 - y0) / counts[1]
    # One more node on each side: the interpolation needs two neighbours.
    columns, rows = (low + h * np.arange(-1, n + 2) for low, h, n in zip((x0, y0), step, counts, strict=True))
    x, y = exact(*np.meshgrid(columns, rows))
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        return None
    made = Warp((columns[0], rows[0]), step, x, y, 0.0)
    middle = np.meshgrid(columns[1:-2] + step[0] / 2, rows[1:-2] + step[1] / 2)
    (ex, ey), (gx, gy) = exact(*middle), made.at(*middle)
    error = float(np.max(np.hypot(ex - gx, ey - gy)))
    return Warp(made.origin, step, x, y, error) if np.isfinite(error) else None


class Warps:
    """The grids between pairs of images, worked out once in a job and used for every frame."""

    def __init__(self) -> None:
        self._made: WeakKeyDictionary[Any, WeakKeyDictionary[Any, Warp | None]] = WeakKeyDictionary()

    def get(self, first: Any, sky: Any) -> Warp | None:
        """Return the grid from one sky map's pixels to another's; None when there is none (yet)."""
        return self._made.get(first, {}).get(sky)

    def is_known(self, first: Any, sky: Any) -> bool:
        """Whether it was worked out already, be it that there is none."""
        return sky in self._made.get(first, {})

    def keep(self, first: Any, sky: Any, warp: Warp | None) -> None:
        """Take a grid that was worked out."""
        self._made.setdefault(first, WeakKeyDictionary())[sky] = warp

    @staticmethod
    def work_out(first: Any, sky: Any) -> Warp | None:
        """Work a grid out (in any thread)."""
        return warp_between(first, sky)


warps = Warps()
