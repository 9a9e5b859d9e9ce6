"""Cut-outs, binning, mirrors and quarter turns: exact, with errors, flags and the WCS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from jviz.backend.images.picture import Picture
from jviz.backend.images.wcs_change import changed_wcs
from jviz.errors import CommandError

__all__ = ["crop_wcs", "flip", "part_of", "quarter_turns", "rebin"]


def part_of(shape: tuple[int, int], x: tuple[int, int], y: tuple[int, int]) -> tuple[slice, slice]:
    """Return rows and columns of the part of an image between columns x[0] … x[1] - 1 and rows y[0] … y[1] - 1.

    Raises
    ------
    CommandError
        When none of these pixels is in the image; what lies beyond its edges is left out.
    """
    ny, nx = shape
    x0, x1, y0, y1 = max(x[0], 0), min(x[1], nx), max(y[0], 0), min(y[1], ny)
    if x0 >= x1 or y0 >= y1:
        raise CommandError(
            f"Columns {x[0]} to {x[1] - 1}, rows {y[0]} to {y[1] - 1} hold no pixel of an image of {nx} × {ny}; "
            "choose a place on it."
        )
    return slice(y0, y1), slice(x0, x1)


def crop_wcs(wcs: Any, rows: slice, columns: slice) -> Any:
    """Return the WCS of a part of an image."""
    shape = rows.stop - rows.start, columns.stop - columns.start
    return changed_wcs(wcs, np.eye(2), (-columns.start, -rows.start), shape)


def flip(picture: Picture, axis: Literal["x", "y"]) -> Picture:
    """Mirror along x (left and right change places) or y."""
    ny, nx = picture.shape
    if axis == "x":
        wcs = changed_wcs(picture.wcs, [[-1, 0], [0, 1]], (nx - 1, 0), picture.shape)
        return _each(picture, lambda a: np.ascontiguousarray(a[:, ::-1])).but(wcs=wcs)
    wcs = changed_wcs(picture.wcs, [[1, 0], [0, -1]], (0, ny - 1), picture.shape)
    return _each(picture, lambda a: np.ascontiguousarray(a[::-1])).but(wcs=wcs)


def quarter_turns(picture: Picture, turns: int) -> Picture:
    """Turn counter-clockwise (as shown with y upwards) by a number of quarters."""
    ny, nx = picture.shape
    turns %= 4
    matrix, shift, shape = {
        0: ([[1, 0], [0, 1]], (0, 0), (ny, nx)),
        1: ([[0, -1], [1, 0]], (ny - 1, 0), (nx, ny)),
        2: ([[-1, 0], [0, -1]], (nx - 1, ny - 1), (ny, nx)),
        3: ([[0, 1], [-1, 0]], (0, nx - 1), (nx, ny)),
    }[turns]
    wcs = changed_wcs(picture.wcs, matrix, shift, shape)
    # Rows count upwards here, and numpy's rot90 turns with rows downwards.
    return _each(picture, lambda a: np.ascontiguousarray(np.rot90(a, -turns))).but(wcs=wcs)


def rebin(picture: Picture, factor: tuple[int, int], how: Literal["mean", "sum"]) -> Picture:
    """Join blocks of pixels; what does not fill a block at the right and upper edge is left out.

    Parameters
    ----------
    factor : tuple of int
        Pixels along x and y.
    how : {"mean", "sum"}
        Of the pixels that are not NaN; a sum is scaled to the whole block where some are. NaN where all are.
        Errors are added in quadrature, flags combined by or.
    """
    fx, fy = factor
    ny, nx = picture.shape[0] // fy, picture.shape[1] // fx
    if min(factor) < 1 or not (ny and nx):
        raise CommandError(
            f"An image of {picture.shape[1]} × {picture.shape[0]} cannot be binned by {fx} × {fy}; "
            "use factors from 1 to its size."
        )

    def blocks(array: np.ndarray) -> np.ndarray:
        return array[: ny * fy, : nx * fx].reshape(ny, fy, nx, fx)

    values = blocks(picture.values)
    good = np.isfinite(values)
    count = good.sum(axis=(1, 3))
    scale = np.where(count > 0, (fx * fy if how == "sum" else 1) / np.maximum(count, 1), np.nan)
    new = np.where(good, values, 0).sum(axis=(1, 3), dtype=np.float64) * scale
    error = dq = None

    def joined(variance: np.ndarray) -> np.ndarray:
        return np.where(good, variance, 0).sum(axis=(1, 3), dtype=np.float64) * scale**2

    if picture.error is not None:
        variance = joined(np.square(blocks(picture.error), dtype=np.float64))
        error = np.sqrt(variance).astype(picture.error.dtype)
    # What other planes mean once pixels are joined is not known; variances add up.
    others = tuple(
        replace(extra, values=joined(blocks(extra.values)).astype(extra.values.dtype))
        for extra in picture.others
        if extra.meaning == "variance"
    )
    if picture.dq is not None:
        dq = np.bitwise_or.reduce(np.bitwise_or.reduce(blocks(picture.dq), axis=3), axis=1)
    shift = ((1 / fx - 1) / 2, (1 / fy - 1) / 2)
    wcs = changed_wcs(picture.wcs, [[1 / fx, 0], [0, 1 / fy]], shift, (ny, nx))
    return picture.but(values=new.astype(picture.values.dtype), error=error, dq=dq, wcs=wcs, others=others)


def _each(picture: Picture, function: Callable[[np.ndarray], np.ndarray]) -> Picture:
    planes = {name: getattr(picture, name) for name in ("values", "error", "dq")}
    others = tuple(replace(extra, values=function(extra.values)) for extra in picture.others)
    return picture.but(others=others, **{name: None if a is None else function(a) for name, a in planes.items()})
