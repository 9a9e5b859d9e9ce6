"""Colour pictures of several images in full resolution and depth, on the pixels of one of them: for files."""

from __future__ import annotations

from typing import Any

import numpy as np

from jviz.backend.progress import Progress, silent
from jviz.backend.render.colormaps import colormap
from jviz.backend.render.kernels import lupton_curve
from jviz.backend.render.mesh import Mesh, affine_mesh, mesh_of
from jviz.backend.render.stretch import stretch
from jviz.combining import combined, true_values
from jviz.views import ImageLayer, ImageView

__all__ = ["composed"]

STRIP = 256


def composed(view: ImageView, *, step: float = 1.0, progress: Progress = silent) -> np.ndarray:
    """Compose the visible layers of a view on the pixels of its first layer.

    Parameters
    ----------
    step : float
        Data pixels of the first layer for each pixel of the picture.

    Returns
    -------
    ndarray of float32, shape (height, width, 3)
        Red, green and blue, 0 to 1, row 0 at the top. Black where no layer is.
    """
    ny, nx = view.layers[0].data.shape[-2:]
    width, height = max(1, round(nx / step)), max(1, round(ny / step))
    out = np.zeros((height, width, 3), np.float32)
    for first in range(0, height, STRIP):
        progress(first, height, "composing")
        rows = min(STRIP, height - first)
        out[height - first - rows : height - first] = _strip(view, first, rows, width, step)[::-1]
    return out


def _strip(view: ImageView, first: int, rows: int, width: int, step: float) -> np.ndarray:
    """Compose some rows, the lowest first."""
    size = (width, rows)
    values = [(layer, _values(view, layer, first, size, step)) for layer in view.shown]
    if view.composite == "lupton" and len(values) > 1:
        return _lupton(view, values)
    out = np.zeros((rows, width, 3), np.float32)
    for number, (layer, array) in enumerate(values):
        colours, alpha = _coloured(layer, array)
        _blend(out, colours, alpha * layer.opacity, layer.blend if number else "normal")
    return out


def _values(view: ImageView, layer: ImageLayer, first: int, size: tuple[int, int], step: float) -> np.ndarray:
    own = _read(view, layer.data, layer.raster(), first, size, step)
    if not layer.operation or layer.against is None:
        return own
    return combined(own, _read(view, layer.against, layer.against.raster(), first, size, step), layer.operation)


def _read(view: ImageView, data: Any, raster: Any, first: int, size: tuple[int, int], step: float) -> np.ndarray:
    """Return the values of data at the pixels of a strip of the grid, NaN outside."""
    mesh = _mesh(view, data, first, size, step)
    if mesh is None or mesh.bounds is None or not mesh.scale > 0:
        return np.full(size[::-1], np.nan, np.float32)
    x0, y0, x1, y1 = mesh.bounds
    bounds = (x0 - 2, y0 - 2, x1 + 2, y1 + 2)
    request = raster.wanted(bounds, mesh.scale)
    if request is not None:
        raster.fetch(request)
    return true_values(raster.blocks(bounds, mesh.scale), mesh, size[::-1], smooth=data is not view.layers[0].data)


def _mesh(view: ImageView, data: Any, first: int, size: tuple[int, int], step: float) -> Mesh | None:
    base, corner = view.layers[0].data, (step - 1) / 2
    if data is base or view.align == "pixels" or base.sky is None or data.sky is None:
        return affine_mesh(np.array([[step, 0, corner], [0, step, corner + first * step]]), *size)

    def through(u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return data.sky.sky_to_pixel(*base.sky.pixel_to_sky(step * u + corner, step * (v + first) + corner))

    return mesh_of(through, *size, step=16)


def _bright(layer: ImageLayer, values: np.ndarray) -> np.ndarray:
    """Return brightness from 0 to 1; NaN stays."""
    low, high = layer.limits
    x = np.clip((values - low) / ((high - low) or 1.0), 0, 1)
    options: dict[str, Any] = {}
    if layer.stretch in ("log", "asinh", "sinh", "power") and layer.stretch_parameter is not None:
        options["gamma" if layer.stretch == "power" else "a"] = layer.stretch_parameter
    if layer.stretch == "spline":
        options["knots"] = layer.knots
    if layer.stretch == "histogram":
        raster = layer.raster()
        options = {"sample": raster.sample(), "low": low, "high": high}
    bright = stretch(layer.stretch, **options)(x)
    bright = np.clip((bright - layer.bias) * layer.contrast + 0.5, 0, 1)
    return 1 - bright if layer.invert else bright


def _coloured(layer: ImageLayer, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    bright = _bright(layer, values)
    table, steps = colormap(layer.colormap).astype(np.float32) / 255, np.linspace(0, 1, 256)
    if layer.colormap.startswith("#"):
        # Not by the table of 256 entries, which is rounded: these are what 16 bits are for.
        colours = np.nan_to_num(bright)[..., None] * table[-1]
    else:
        colours = np.stack([np.interp(np.nan_to_num(bright), steps, channel) for channel in table.T], axis=-1)
    return colours.astype(np.float32), np.isfinite(values).astype(np.float32)


def _blend(out: np.ndarray, colours: np.ndarray, alpha: np.ndarray, mode: str) -> None:
    """Lay colours over a picture, as `jviz.backend.render.kernels.blend` does with eight bits."""
    share = alpha[..., None]
    above = colours * share
    mixed = {
        "add": lambda: out + above,
        "screen": lambda: out + above - out * above,
        "multiply": lambda: out * (above + 1 - share),
        "lighten": lambda: np.maximum(out, above),
        "difference": lambda: np.abs(out - above),
    }.get(mode, lambda: above + out * (1 - share))()
    np.clip(mixed, 0, 1, out=out)


def _lupton(view: ImageView, values: list[tuple[ImageLayer, np.ndarray]]) -> np.ndarray:
    soften, slope = lupton_curve(view.lupton_q, view.lupton_stretch)
    hues = np.array([colormap(layer.colormap)[-1] / 255 for layer, _ in values])
    hues = hues / np.maximum(hues.sum(axis=0), 1.0)
    rgb = sum(_over(layer, array)[..., None] * hue for (layer, array), hue in zip(values, hues, strict=True))
    total = rgb.mean(axis=-1)
    safe = np.where(total > 0, total, 1.0)
    rgb = np.maximum(rgb * np.where(total > 0, np.arcsinh(safe * soften) * slope / safe, 0.0)[..., None], 0.0)
    return (rgb / np.maximum(rgb.max(axis=-1), 1.0)[..., None]).astype(np.float32)


def _over(layer: ImageLayer, values: np.ndarray) -> np.ndarray:
    low, high = layer.limits
    return np.nan_to_num((values - low) / ((high - low) or 1.0), nan=0.0)
