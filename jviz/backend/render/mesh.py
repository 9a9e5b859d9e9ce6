"""Which data coordinates the pixels of a viewport show, on a coarse grid between which one interpolates.

Exact transforms of every pixel of a distorted WCS take half a second; on a grid of 32
pixels with bilinear interpolation they take milliseconds and are wrong by less than a
hundredth of a pixel.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

__all__ = ["Bounds", "Mesh", "affine_mesh", "mesh_of"]

Bounds = tuple[float, float, float, float]
"""(x0, y0, x1, y1) in data coordinates: edges, so the whole image is −0.5 … n − 0.5."""

TEAR = 8.0
"""How many times wider than its median a cell may be before it counts as torn."""

Function = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True, eq=False)
class Mesh:
    """Data coordinates at every ``step``-th pixel of a viewport.

    Parameters
    ----------
    step : int
        Distance of the nodes, in viewport pixels.
    x, y : ndarray of float64, shape (rows, columns)
        Data coordinates of the centre of viewport pixel (column × step, row × step).
        NaN where the viewport shows no data.
    """

    step: int
    x: np.ndarray
    y: np.ndarray

    @cached_property
    def whole(self) -> np.ndarray:
        """Which cells between four nodes can be drawn, bool, shape (rows − 1, columns − 1).

        A cell is not when a corner is NaN, or when it is torn: the two ends of an
        all-sky map meet in it.
        """
        finite = np.isfinite(self.x) & np.isfinite(self.y)
        whole = finite[1:, 1:] & finite[1:, :-1] & finite[:-1, 1:] & finite[:-1, :-1]
        if whole.size > 1:
            width = np.maximum(_span(self.x), _span(self.y))
            if whole.any():
                # The pixel of grace keeps cells of far-magnified, turned images.
                whole &= width <= TEAR * np.median(width[whole]) + 1.0
        return whole

    @cached_property
    def bounds(self) -> Bounds | None:
        """Smallest box of data coordinates that holds all nodes; None when all are NaN."""
        shown = np.isfinite(self.x) & np.isfinite(self.y)
        if not shown.any():
            return None
        x, y = self.x[shown], self.y[shown]
        return float(x.min()), float(y.min()), float(x.max()), float(y.max())

    @cached_property
    def scale(self) -> float:
        """Data pixels per viewport pixel (median over the mesh); NaN when nothing is shown."""
        right_x, right_y = np.diff(self.x, axis=1)[:-1], np.diff(self.y, axis=1)[:-1]
        down_x, down_y = np.diff(self.x, axis=0)[:, :-1], np.diff(self.y, axis=0)[:, :-1]
        area = np.abs(right_x * down_y - right_y * down_x)[self.whole]
        return float(np.sqrt(np.median(area))) / self.step if area.size else float("nan")


def affine_mesh(affine: np.ndarray, width: int, height: int) -> Mesh:
    """Make the mesh of an affine transform, exact with only four nodes.

    Parameters
    ----------
    affine : array_like, shape (2, 3)
        x = a·u + b·v + c and y = d·u + e·v + f for the centre of the viewport pixel in
        column u and row v (0-based).
    width, height : int
        Size of the viewport, in its pixels.
    """
    (a, b, c), (d, e, f) = np.asarray(affine, dtype=float)[:2]
    step = max(width, height, 2)
    nodes = np.array([0.0, step])
    u, v = np.meshgrid(nodes, nodes)
    return Mesh(step, a * u + b * v + c, d * u + e * v + f)


def mesh_of(function: Function, width: int, height: int, *, step: int = 32, rim: bool = True) -> Mesh:
    """Make the mesh of any transform, finer where the image ends within the viewport.

    Parameters
    ----------
    function : callable
        ``function(u, v) -> (x, y)``: arrays of viewport pixel coordinates (columns, rows)
        to data coordinates of the same shape; NaN outside of the image.
    width, height : int
        Size of the viewport, in its pixels.
    step : int
        Distance of the nodes, in viewport pixels: 32 suits FITS WCS, 16 GWCS.
    rim : bool
        Whether it is made finer where the image ends; needless for a function that goes on beyond the image.
    """
    mesh = _evaluate(function, width, height, step)
    some = mesh.whole
    if rim and step > 8 and some.any() and not some.all():
        # The rim of an all-sky map would look cut with coarse scissors.
        return _evaluate(function, width, height, step // 4)
    return mesh


def _evaluate(function: Function, width: int, height: int, step: int) -> Mesh:
    columns, rows = (-(-size // step) + 1 for size in (width, height))
    u, v = np.meshgrid(np.arange(columns) * float(step), np.arange(rows) * float(step))
    x, y = function(u, v)
    return Mesh(step, np.asarray(x, dtype=float).reshape(u.shape), np.asarray(y, dtype=float).reshape(u.shape))


def _span(node: np.ndarray) -> np.ndarray:
    corners = node[1:, 1:], node[1:, :-1], node[:-1, 1:], node[:-1, :-1]
    return np.maximum.reduce(corners) - np.minimum.reduce(corners)
