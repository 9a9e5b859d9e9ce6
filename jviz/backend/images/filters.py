"""Filters that know NaN and errors: they run in scipy, which lets other threads go on."""

from __future__ import annotations

from typing import Literal

import numpy as np

from jviz.backend.images.picture import Picture
from jviz.backend.progress import Progress, silent
from jviz.errors import CommandError

__all__ = ["FWHM", "Kernel", "background", "convolved", "gaussian", "kernel_of", "median_filtered"]

Kernel = Literal["gaussian", "median", "tophat", "box"]

FWHM = 2.0 * np.sqrt(2.0 * np.log(2.0))
"""Full width at half maximum of a Gaussian of σ = 1."""


def kernel_of(kind: str, size: float) -> np.ndarray:
    """Return a kernel with sum 1: σ of a Gaussian, radius of a disc, side of a box, in pixels."""
    if not (np.isfinite(size) and size > 0):
        raise CommandError(f"The size of a kernel must be above 0, not {size!r}.")
    if kind == "gaussian":
        return gaussian(size)
    half = int(np.ceil(size if kind == "tophat" else (size - 1) / 2))
    y, x = np.mgrid[-half : half + 1, -half : half + 1]
    inside = np.hypot(x, y) <= size if kind == "tophat" else np.maximum(abs(x), abs(y)) <= (size - 1) / 2
    return inside / inside.sum()


def gaussian(sigma: float) -> np.ndarray:
    """Return a Gaussian out to 5 σ, sum 1."""
    half = max(1, int(np.ceil(5 * sigma)))
    line = np.exp(-0.5 * (np.arange(-half, half + 1) / sigma) ** 2)
    return np.outer(line, line) / line.sum() ** 2


def convolved(picture: Picture, kernel: np.ndarray, progress: Progress = silent) -> Picture:
    """Convolve; a pixel without value gets the weighted mean of those round it, and edges do not darken.

    Notes
    -----
    Normalised convolution (Knutsson & Westin 1993): k ∗ (m v) / k ∗ m with m = 1 where there is a value; the variance
    is k² ∗ (m σ²) / (k ∗ m)², for errors that were independent.
    """
    good = np.isfinite(picture.values)
    progress(0, 3, "weights")
    weight = _fft(good.astype(np.float64), kernel)
    known = weight > 1e-6 * kernel.max()
    progress(1, 3, "values")
    with np.errstate(divide="ignore", invalid="ignore"):
        values = np.where(known, _fft(np.where(good, picture.values, 0), kernel) / weight, np.nan)
        error = None
        if picture.error is not None:
            progress(2, 3, "errors")
            square = np.where(good & np.isfinite(picture.error), picture.error, 0).astype(np.float64) ** 2
            error = np.where(known, np.sqrt(np.maximum(_fft(square, kernel**2), 0)) / weight, np.nan)
            error = error.astype(picture.error.dtype)
    return picture.but(values=values.astype(picture.values.dtype), error=error)


def _fft(values: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Convolve with zeros beyond the edges; the output has the shape of the values."""
    from scipy import fft

    shape = [fft.next_fast_len(a + b - 1, real=True) for a, b in zip(values.shape, kernel.shape, strict=True)]
    whole = fft.irfft2(fft.rfft2(values, shape) * fft.rfft2(kernel, shape), shape)
    y, x = ((n - 1) // 2 for n in kernel.shape)
    return whole[y : y + values.shape[0], x : x + values.shape[1]]


def median_filtered(picture: Picture, size: int, progress: Progress = silent) -> Picture:
    """Take the median of a square of pixels that have a value; errors are not known afterwards."""
    from scipy import ndimage

    if size < 1 or size % 2 == 0:
        raise CommandError(f"The side of a median filter must be an odd number of pixels, not {size}.")
    out = np.empty_like(picture.values)
    half, step = size // 2, max(64, 4 * size)
    padded = np.pad(picture.values, half, constant_values=np.nan)
    complete = bool(np.isfinite(picture.values).all())
    for start in range(0, picture.shape[0], step):
        progress(start, picture.shape[0], "rows")
        stop = min(start + step, picture.shape[0])
        part = padded[start : stop + 2 * half]
        if complete and half <= start and stop + half <= picture.shape[0]:
            out[start:stop] = ndimage.median_filter(part, size)[half : half + stop - start, half : -half or None]
            edges = [slice(0, half), slice(picture.shape[1] - half, picture.shape[1])]
        else:
            edges = [slice(0, picture.shape[1])]
        for columns in edges:
            out[start:stop, columns] = _medians(part[:, columns.start : columns.stop + 2 * half], size)
    return picture.but(values=out, error=None)


def _medians(part: np.ndarray, size: int) -> np.ndarray:
    import warnings

    rows = []
    windows = np.lib.stride_tricks.sliding_window_view(part, (size, size))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a square without any value gives NaN
        for line in windows:
            rows.append(np.nanmedian(line.reshape(line.shape[0], -1), axis=1))
    return np.array(rows).reshape(windows.shape[:2])


def background(picture: Picture, kind: str, box: int, mask: np.ndarray | None = None) -> np.ndarray:
    """Estimate the background from values clipped at 3 σ.

    Parameters
    ----------
    kind : {"constant", "plane", "mesh"}
        The median; a plane fitted by least squares; medians of boxes, joined by cubic splines.
    box : int
        Side of the boxes in pixels.
    """
    values = picture.values.astype(np.float64)
    good = np.isfinite(values) & (True if mask is None else ~mask)
    if not good.any():
        raise CommandError("No pixel with a value is left to estimate the background from.")
    if kind == "constant":
        return np.full(values.shape, _clipped_median(values[good]))
    if kind == "plane":
        return _plane(values, good)
    return _mesh(values, good, box)


def _clipped_median(values: np.ndarray) -> float:
    return float(np.median(values[_unclipped(values)]))


def _unclipped(values: np.ndarray) -> np.ndarray:
    """Return which are within 3 σ (from the median absolute deviation) of the median, five times over."""
    keep = np.ones(values.shape, bool)
    for _ in range(5):
        middle = np.median(values[keep])
        spread = 1.4826 * np.median(np.abs(values[keep] - middle))
        new = np.abs(values - middle) <= 3 * spread
        if spread == 0 or (new == keep).all():
            break
        keep = new
    return keep


def _plane(values: np.ndarray, good: np.ndarray) -> np.ndarray:
    ny, nx = values.shape
    y, x = (g.ravel() for g in np.mgrid[:ny, :nx])
    use = np.flatnonzero(good.ravel())
    terms = np.stack([np.ones(x.size), x / nx, y / ny], axis=1)
    flat = values.ravel()
    keep = use
    for _ in range(5):
        found = np.linalg.lstsq(terms[keep], flat[keep], rcond=None)[0]
        new = use[_unclipped(flat[use] - terms[use] @ found)]
        if len(new) == len(keep):
            break
        keep = new
    return (terms @ found).reshape(values.shape)


def _mesh(values: np.ndarray, good: np.ndarray, box: int) -> np.ndarray:
    from scipy import ndimage

    ny, nx = values.shape
    if not 3 <= box <= max(ny, nx):
        raise CommandError(f"The boxes of the mesh must have 3 to {max(ny, nx)} pixels a side, not {box}.")
    rows, columns = max(1, round(ny / box)), max(1, round(nx / box))
    ys, xs = np.linspace(0, ny, rows + 1).astype(int), np.linspace(0, nx, columns + 1).astype(int)
    mesh = np.full((rows, columns), np.nan)
    for i in range(rows):
        for j in range(columns):
            part = np.s_[ys[i] : ys[i + 1], xs[j] : xs[j + 1]]
            inside = values[part][good[part]]
            if inside.size >= max(9, 0.1 * values[part].size):
                mesh[i, j] = _clipped_median(inside)
    known = np.isfinite(mesh)
    if not known.any():
        raise CommandError("No box has enough pixels with a value; use larger boxes.")
    nearest = ndimage.distance_transform_edt(~known, return_distances=False, return_indices=True)
    mesh = mesh[tuple(nearest)]
    y, x = (np.arange(ny) + 0.5) * rows / ny - 0.5, (np.arange(nx) + 0.5) * columns / nx - 0.5
    grid = np.meshgrid(y, x, indexing="ij")
    return ndimage.map_coordinates(mesh, grid, order=3 if min(mesh.shape) > 3 else 1, mode="nearest")
