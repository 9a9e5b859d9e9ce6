"""The numerical inverse of a map from pixels to the sky, for WCS objects that have none (or a rough one)."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np

from jviz.backend.render.frames import unit_vectors

__all__ = ["Inverse"]

Pair = tuple[np.ndarray, np.ndarray]
Forward = Callable[[np.ndarray, np.ndarray], Pair]

_nodes = 33
_margin = 0.25
_rounds = 25
_enough = 1e-7
_accepted = 1e-4
_reach = 10.0


class Inverse:
    """Newton's method on the forward map.

    Parameters
    ----------
    forward : callable
        ``(x, y) -> (lon, lat)`` in degrees.
    shape : tuple of int
        (ny, nx); solutions are sought in the array and a quarter of its size around it.
    """

    def __init__(self, forward: Forward, shape: tuple[int, int]) -> None:
        self._forward = forward
        ny, nx = shape
        self._limits = [(-_margin * n - 1.0, n + _margin * n) for n in (nx, ny)]

    @cached_property
    def _start(self) -> tuple[object, np.ndarray, np.ndarray]:
        """A tree of the directions at coarse nodes, with their pixels."""
        from scipy.spatial import KDTree

        x, y = (a.ravel() for a in np.meshgrid(*(np.linspace(*limits, _nodes) for limits in self._limits)))
        directions = self._directions(x, y)
        known = np.isfinite(directions).all(axis=0)
        return KDTree(directions[:, known].T), x[known], y[known]

    def _directions(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return unit_vectors(*self._forward(x, y))

    def solve(self, lon: np.ndarray, lat: np.ndarray) -> Pair:
        """Find pixels from directions alone; NaN where there are none.

        Parameters
        ----------
        lon, lat : ndarray of float64, any shape
            Degrees, in the frame of the forward map.
        """
        tree, nodes_x, nodes_y = self._start
        target = unit_vectors(lon.ravel(), lat.ravel())
        x, y = np.full(target.shape[1], np.nan), np.full(target.shape[1], np.nan)
        known = np.isfinite(target).all(axis=0)
        if known.any() and nodes_x.size:
            nearest = tree.query(target[:, known].T)[1]
            x[known], y[known] = self._iterate(nodes_x[nearest], nodes_y[nearest], target[:, known])
        return x.reshape(lon.shape), y.reshape(lon.shape)

    def improve(self, x: np.ndarray, y: np.ndarray, lon: np.ndarray, lat: np.ndarray) -> Pair:
        """Take one Newton step from rough pixels; NaN where they turn out to be another direction's.

        Polynomials made for the array find pixels in it even for directions far from it.
        """
        target = unit_vectors(lon, lat)
        step_x, step_y = self._step(x, y, target)
        size = max(limits[1] for limits in self._limits)
        good = (np.hypot(step_x, step_y) < 2.0 + 0.01 * size) & (np.hypot(x, y) < _reach * size)
        return np.where(good, x + step_x, np.nan), np.where(good, y + step_y, np.nan)

    def _iterate(self, x: np.ndarray, y: np.ndarray, target: np.ndarray) -> Pair:
        length = np.full(x.shape, np.inf)
        (low_x, high_x), (low_y, high_y) = self._limits
        for _ in range(_rounds):
            step_x, step_y = self._step(x, y, target)
            length = np.hypot(step_x, step_y)
            x, y = np.clip(x + step_x, low_x, high_x), np.clip(y + step_y, low_y, high_y)
            if not (length > _enough).any():
                break
        found = length < _accepted
        return np.where(found, x, np.nan), np.where(found, y, np.nan)

    def _step(self, x: np.ndarray, y: np.ndarray, target: np.ndarray) -> Pair:
        """Solve the least-squares problem J step = target − here, J by differences over a pixel."""
        # one call for the five places: a GWCS takes longer to start than to compute
        dx, dy = np.array([0, 0.5, -0.5, 0, 0]), np.array([0, 0, 0, 0.5, -0.5])
        places = np.add.outer(dx, x).ravel(), np.add.outer(dy, y).ravel()
        here, right, left, up, down = self._directions(*places).reshape(3, 5, -1).swapaxes(0, 1)
        along_x, along_y = right - left, up - down
        # in the opposite direction the tangents see no miss at all
        miss = np.where((target * here).sum(0) > 0, target - here, np.nan)
        xx, xy, yy = ((a * b).sum(0) for a, b in ((along_x, along_x), (along_x, along_y), (along_y, along_y)))
        rx, ry = (along_x * miss).sum(0), (along_y * miss).sum(0)
        with np.errstate(divide="ignore", invalid="ignore"):
            determinant = xx * yy - xy * xy
            return (yy * rx - xy * ry) / determinant, (xx * ry - xy * rx) / determinant
