"""Differences and ratios of images for the eye: sampled where, and as finely as, they are seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from jviz.backend.render import kernels
from jviz.backend.render.mesh import Bounds, Mesh, affine_mesh, mesh_of

if TYPE_CHECKING:
    from jviz.views import ImageLayer

__all__ = ["combined", "limits_of", "low_resolution", "sampled", "true_values"]

SAMPLES = 384
"""Along the longer side, for limits."""


def combined(values: np.ndarray, others: np.ndarray, operation: str) -> np.ndarray:
    """Return ``values − others`` or ``values / others``, float32; NaN where either is missing or the divisor is 0."""
    if operation == "ratio":
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            ratio = np.divide(values, others)
        ratio[others == 0] = np.nan
        return ratio.astype(np.float32, copy=False)
    return np.subtract(values, others).astype(np.float32, copy=False)


def true_values(blocks: Any, mesh: Mesh, shape: tuple[int, int], *, smooth: bool = False) -> np.ndarray:
    """Return what `sampled` does in units of the data: float64 where float32 cannot tell values apart."""
    values = sampled(blocks, mesh, shape, smooth=smooth)
    offset = blocks[0].offset if blocks else 0.0
    return values + np.float64(offset) if offset else values


def sampled(
    blocks: Any, mesh: Mesh, shape: tuple[int, int], *, smooth: bool = False, out: np.ndarray | None = None
) -> np.ndarray:
    """Return the values that a picture shows of an image, above the offset of its blocks: float32, NaN outside.

    Parameters
    ----------
    blocks : sequence of Block
        Coarse to sharp.
    out : ndarray of float32, optional
        Is filled, and returned.
    """
    out = np.empty(shape, np.float32) if out is None else out
    out.fill(np.nan)
    for number, block in enumerate(blocks):
        if number == 0:
            kernels.resample(block, mesh, out, smooth=smooth)
            continue
        sharper = np.empty(shape, np.float32)
        kernels.resample(block, mesh, sharper, smooth=smooth)
        np.copyto(out, sharper, where=~np.isnan(sharper))
    return out


def limits_of(layer: ImageLayer) -> tuple[float, float]:
    """Work out display limits of a difference (the same on both sides of 0) or a ratio over the whole image.

    Reads both images at low resolution, so it may take a moment.
    """
    from jviz.backend.render.limits import limits

    sample = low_resolution(layer)
    sample = sample[np.isfinite(sample)]
    if not sample.size:
        return (-1.0, 1.0) if layer.operation == "difference" else (0.0, 2.0)
    if layer.limits_mode == "auto":
        if layer.operation == "ratio":
            low, high = (float(v) for v in np.percentile(sample, (3, 97)))
            return (low, high) if low < high else (low - 0.5, high + 0.5)
        sizes = np.abs(sample)
        usual, reach = (float(v) for v in np.percentile(sizes, (68.3, 99.5)))
        most = float(sizes.max())
        # Five times the noise, where the stars that vary would else hide it.
        reach = min(reach, 5 * usual) if usual > 1e-3 * reach else reach
        # On a sky without noise nearly all differences are nothing: take what there is.
        reach = (most if reach < 1e-3 * most else reach) or 1.0
        return -reach, reach
    options = {}
    if layer.limits_mode == "percentile":
        options = dict(zip(("low", "high"), layer.percentiles, strict=True))
    return limits(sample.reshape(1, -1), layer.limits_mode, **options)


def low_resolution(layer: ImageLayer) -> np.ndarray:
    """Return a difference or ratio over the whole of the first image, at most `SAMPLES` along its longer side."""
    raster, other = layer.raster(), layer.against.raster()
    ny, nx = raster.shape
    step = max(ny, nx) / min(SAMPLES, max(ny, nx))
    size = max(2, int(nx / step)), max(2, int(ny / step))
    m = np.array([[step, 0, (step - 1) / 2], [0, step, (step - 1) / 2]])
    mesh = affine_mesh(m, *size)
    first, second = layer.data.sky, layer.against.sky
    through = mesh
    if layer.against is not layer.data and first is not None and second is not None:

        def function(u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            return second.sky_to_pixel(*first.pixel_to_sky(step * u + m[0, 2], step * v + m[1, 2]))

        through = mesh_of(function, *size, step=16)
    if through.bounds is None or not through.scale > 0:
        return np.empty(0)
    values = true_values(_read(raster, raster.bounds, step), mesh, size[::-1])
    others = true_values(_read(other, through.bounds, through.scale), through, size[::-1])
    return combined(values, others, layer.operation)


def _read(raster: Any, bounds: Bounds, step: float) -> Any:
    request = raster.wanted(bounds, step)
    if request is not None:
        raster.fetch(request)
    return raster.blocks(bounds, step)
