"""Cut-outs, binning, mirrors and quarter turns: exact, with errors, flags and the WCS."""

from __future__ import annotations

from typing import Literal

import numpy as np

from jviz.backend.images.picture import Picture
from jviz.backend.images.wcs_change import changed_wcs
from jviz.errors import CommandError

__all__ = ["crop", "flip", "quarter_turns", "rebin"]


def crop(picture: Picture, x: tuple[int, int], y: tuple[int, int]) -> Picture:
    """Cut out columns x[0] … x[1] - 1 and rows y[0] … y[1] - 1.

    Raises
    ------
    CommandError
        When none of these pixels is in the image; what lies beyond its edges is left out.
    """
    ny, nx = picture.shape
    x0, x1, y0, y1 = max(x[0], 0), min(x[1], nx), max(y[0], 0), min(y[1], ny)
    if x0 >= x1 or y0 >= y1:
        raise CommandError(
            f"Columns {x[0]} to {x[1] - 1}, rows {y[0]} to {y[1] - 1} hold no pixel of an image of {nx} × {ny}; "
            "choose a place on it."
        )
    part = np.s_[y0:y1, x0:x1]
    shape = y1 - y0, x1 - x0
    wcs = changed_wcs(picture.wcs, np.eye(2), (-x0, -y0), shape)
    return _each(picture, lambda a: a[part].copy()).but(wcs=wcs)


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
    if picture.error is not None:
        variance = np.where(good, np.square(blocks(picture.error), dtype=np.float64), 0).sum(axis=(1, 3))
        error = (np.sqrt(variance) * scale).astype(picture.error.dtype)
    if picture.dq is not None:
        dq = np.bitwise_or.reduce(np.bitwise_or.reduce(blocks(picture.dq), axis=3), axis=1)
    shift = ((1 / fx - 1) / 2, (1 / fy - 1) / 2)
    wcs = changed_wcs(picture.wcs, [[1 / fx, 0], [0, 1 / fy]], shift, (ny, nx))
    return picture.but(values=new.astype(picture.values.dtype), error=error, dq=dq, wcs=wcs)


def _each(picture: Picture, function: object) -> Picture:
    planes = {name: getattr(picture, name) for name in ("values", "error", "dq")}
    return picture.but(**{name: None if a is None else function(a) for name, a in planes.items()})  # type: ignore[operator]
