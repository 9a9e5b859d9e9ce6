"""Images on the grid of another image, by the reproject package, in chunks of rows."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from jviz.backend.images.picture import Picture
from jviz.backend.images.wcs_change import changed_wcs, turned_wcs
from jviz.backend.progress import Progress, silent
from jviz.errors import CommandError

__all__ = ["Method", "reprojected", "rotated"]

Method = Literal["interpolate", "exact", "adaptive"]

_pixels = 1 << 18
"""Worked out between two looks at whether somebody still waits."""


def reprojected(
    picture: Picture, wcs: Any, shape: tuple[int, int], method: Method, *, flux: bool, progress: Progress = silent
) -> Picture:
    """Bring an image onto the pixels of another WCS.

    Parameters
    ----------
    wcs, shape
        The grid to fill, (ny, nx).
    method : {"interpolate", "exact", "adaptive"}
        Cubic interpolation; overlap of pixels on the sphere, which keeps the sum; or a Gaussian filter that follows the
        change of scale (DeForest 2004, Solar Physics 219, 3), which keeps it too and smooths a little.
    flux : bool
        Keep the sum over pixels (values per pixel) instead of surface brightness.

    Returns
    -------
    Picture
        NaN outside. Variances go the same way, divided by the number of pixels joined in one where pixels get larger;
        correlations between new pixels are not followed. Flags are those of the nearest pixel.
    """
    if picture.wcs is None or wcs is None:
        raise CommandError("Both images need a place on the sky to be reprojected.")
    out = np.full(shape, np.nan, picture.values.dtype)
    error = None if picture.error is None else np.full(shape, np.nan, picture.error.dtype)
    dq = None if picture.dq is None else np.zeros(shape, picture.dq.dtype)
    step = max(8, _pixels // shape[1])
    for start in range(0, shape[0], step):
        progress(start, shape[0], "rows")
        rows = slice(start, min(start + step, shape[0]))
        part_shape = rows.stop - rows.start, shape[1]
        part = changed_wcs(wcs, np.eye(2), (0, -start), part_shape)
        ratio = _area_ratio(picture, part, part_shape)
        out[rows] = _projected(picture.values, picture.wcs, part, part_shape, method) * (ratio if flux else 1.0)
        if error is not None:
            variance = _projected(np.square(picture.error, dtype=np.float64), picture.wcs, part, part_shape, method)
            variance = np.maximum(variance, 0) / np.maximum(ratio, 1)
            error[rows] = np.sqrt(variance) * (ratio if flux else 1.0)
        if dq is not None:
            dq[rows] = _nearest(picture, part, part_shape)
    return picture.but(values=out, error=error, dq=dq, wcs=wcs)


def rotated(picture: Picture, degrees: float, method: Method, *, flux: bool, progress: Progress = silent) -> Picture:
    """Turn an image counter-clockwise by any angle, onto a grid that holds all of it."""
    own = picture.wcs
    if own is None:
        picture = picture.but(wcs=_stand_in())
    wcs, shape = turned_wcs(picture.wcs, picture.shape, degrees)
    turned = reprojected(picture, wcs, shape, method, flux=flux, progress=progress)
    return turned if own is not None else turned.but(wcs=None)


def _stand_in() -> Any:
    """Return a sky for an image without one: so small a field that it is flat."""
    from astropy.wcs import WCS

    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.cdelt = [1e-6, 1e-6]
    wcs.wcs.set()
    return wcs


def _projected(values: np.ndarray, wcs_in: Any, wcs_out: Any, shape: tuple[int, int], method: Method) -> np.ndarray:
    """Reproject surface brightness; NaN where less than half of a pixel is known."""
    import warnings

    from reproject import reproject_adaptive, reproject_exact, reproject_interp

    good = np.isfinite(values)
    filled = np.where(good, values, 0).astype(np.float64)
    options: dict[str, Any] = {"shape_out": shape}
    function: Any = {"interpolate": reproject_interp, "exact": reproject_exact, "adaptive": reproject_adaptive}[method]
    if method == "interpolate":
        options["order"] = "bicubic"
    elif method == "adaptive":
        options |= {"kernel": "gaussian", "boundary_mode": "strict"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found, footprint = function((filled, wcs_in), wcs_out, **options)
        if good.all():
            found[~(footprint > 0)] = np.nan
            return found
        if method == "interpolate":
            options["order"] = "bilinear"
        known, _ = function((good.astype(np.float64), wcs_in), wcs_out, **options)
    limit = 0.999 if method == "interpolate" else 0.5
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where((known >= limit) & (footprint > 0), found / known, np.nan)


def _nearest(picture: Picture, wcs: Any, shape: tuple[int, int]) -> np.ndarray:
    x, y = _places(picture, wcs, shape)
    ny, nx = picture.shape
    inside = (x > -0.5) & (x < nx - 0.5) & (y > -0.5) & (y < ny - 0.5)
    flags = np.zeros(shape, picture.dq.dtype)  # type: ignore[union-attr]
    flags[inside] = picture.dq[np.rint(y[inside]).astype(int), np.rint(x[inside]).astype(int)]  # type: ignore[index]
    return flags


def _places(picture: Picture, wcs: Any, shape: tuple[int, int], edges: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return where in the old image the pixels of the new one lie, or their corners (``edges=1``)."""
    from astropy.wcs.utils import pixel_to_pixel

    y, x = np.mgrid[: shape[0] + edges, : shape[1] + edges] - 0.5 * edges
    found = pixel_to_pixel(wcs, picture.wcs, x, y)
    return np.asarray(found[0]), np.asarray(found[1])


def _area_ratio(picture: Picture, wcs: Any, shape: tuple[int, int]) -> np.ndarray:
    """Return how many old pixels go into each new one: the area of the quadrangle between its corners."""
    x, y = _places(picture, wcs, shape, 1)
    dx, dy = x[1:, 1:] - x[:-1, :-1], y[1:, 1:] - y[:-1, :-1]
    ex, ey = x[1:, :-1] - x[:-1, 1:], y[1:, :-1] - y[:-1, 1:]
    return np.abs(dx * ey - dy * ex) / 2
