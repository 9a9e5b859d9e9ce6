"""Where the layers of an image view lie in its picture: straight on the first one's pixels, or through the sky."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from jviz.backend.render.mesh import Bounds, Mesh, affine_mesh, mesh_of
from jviz.backend.render.warp import BEYOND, Warp, warps
from jviz.geometry import Geometry
from jviz.placement import ready_sky
from jviz.viewers.image_pools import pooled
from jviz.views import ImageLayer, ImageView

__all__ = ["Placed", "alignment_note", "picture_size", "placed", "placed_data", "ready_sky"]

MESH_STEPS = (32, 16, 8)
"""Pixels of the picture between nodes where they cost next to nothing: as many as it takes."""

BENT = 0.02
"""Pixels of the picture by which a line between two nodes may miss the curve."""

TOLERANCE = 0.03
"""Screen pixels by which interpolation may move a layer; beyond, the exact transform is used."""


MOST_SAMPLES = 2**24
"""Samples that are read for a picture whose pixels are not square."""


@dataclass(frozen=True, eq=False)
class Placed:
    """Where the pixels of a picture lie in a layer's data.

    ``bounds`` and ``step`` say which part of the data is in sight and how many data pixels
    there are for each pixel of the picture, along the axis with fewer; ``steps`` are those of
    both, where pixels are not drawn square.
    """

    mesh: Mesh
    bounds: Bounds
    step: float
    steps: tuple[float, float] | None = None

    def blocks(self, raster: Any) -> list[Any]:
        """Return what of a raster is in memory and in sight."""
        found = raster.blocks(self.bounds, self.step)
        return found if self.steps is None else pooled(found, self.steps)


@lru_cache(maxsize=256)
def _straight(geometry: Geometry, ratio: float, shape: tuple[int, int], size: tuple[int, int]) -> Placed:
    m = _to_data(geometry, ratio)
    bounds = geometry.bounds(shape)
    if geometry.aspect == 1:
        return Placed(affine_mesh(m, *size), bounds, 1 / (geometry.scale * ratio))
    steps = tuple(1 / (scale * ratio) for scale in geometry.scales)
    # Means of huge images come from coarse levels all the same.
    least = math.sqrt(max(0.0, (bounds[2] - bounds[0]) * (bounds[3] - bounds[1])) / MOST_SAMPLES)
    return Placed(affine_mesh(m, *size), bounds, max(min(steps), min(max(steps), least)), steps)


def _to_data(geometry: Geometry, ratio: float) -> np.ndarray:
    """Return the matrix from pixels of the picture (their centres) to data pixels of the first layer."""
    m = geometry.matrix / ratio
    m[:, 2] = geometry.matrix[:, 2] + 0.5 * (m[:, 0] + m[:, 1])
    return m


@lru_cache(maxsize=256)
def _bent(
    geometry: Geometry, ratio: float, size: tuple[int, int], first: Any, sky: Any, warp: Warp | None
) -> Placed | None:
    m = _to_data(geometry, ratio)

    def exact(u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return sky.sky_to_pixel(*first.pixel_to_sky(*_affine(m, u, v)))

    def kept(u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return warp.at(*_affine(m, u, v))

    mesh = None
    if warp is not None:
        # Cells at the image's edge must end where the grid can still be followed.
        widest = 0.9 * BEYOND * min(warp.step) * geometry.scale * ratio
        mesh = _fine_mesh(kept, size, tuple(step for step in MESH_STEPS if 1.5 * step <= widest))
    if mesh is not None and mesh.bounds is None:
        return None
    if mesh is None or not mesh.scale > 0 or warp.error > TOLERANCE * mesh.scale:
        mesh = mesh_of(exact, *size, step=min(first.mesh_step, sky.mesh_step))
    if mesh.bounds is None or not mesh.scale > 0:
        return None
    return Placed(mesh, mesh.bounds, mesh.scale)


def _fine_mesh(function: Any, size: tuple[int, int], steps: tuple[int, ...]) -> Mesh | None:
    """Return the coarsest mesh between whose nodes straight lines are good enough; None when no step will do."""
    mesh = None
    for step in steps:
        mesh = mesh_of(function, *size, step=step, rim=False)
        bends = [np.diff(grid, 2, axis=axis) for grid in (mesh.x, mesh.y) for axis in (0, 1)]
        most = max((float(np.nanmax(np.abs(b))) for b in bends if np.isfinite(b).any()), default=0.0)
        # Half-way between two nodes a parabola is an eighth of the second difference off; x and y add up.
        if not most / 4 > BENT * mesh.scale:
            break
    return mesh


def _affine(m: np.ndarray, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return m[0, 0] * u + m[0, 1] * v + m[0, 2], m[1, 0] * u + m[1, 1] * v + m[1, 2]


def placed_data(view: ImageView, data: Any, shape: tuple[int, int], geometry: Geometry, ratio: float) -> Placed | None:
    """Place data in a picture, as `placed` does a layer."""
    size = picture_size(geometry, ratio)
    base = view.layers[0].picture
    if data is not base and view.align == "sky":
        if not (base.wcs_ready and data.wcs_ready):
            return None
        if base.sky is not None and data.sky is not None:
            return _bent(geometry, ratio, size, base.sky, data.sky, warps.get(base.sky, data.sky))
    return _straight(geometry, ratio, tuple(shape), size)


def placed(
    view: ImageView, layer: ImageLayer, shape: tuple[int, int], geometry: Geometry, ratio: float
) -> Placed | None:
    """Place a layer in a picture of ``ratio`` pixels per unit of the geometry.

    Layers lie on the first one's pixels, through the sky when both have one and the view aligns by it.

    Returns
    -------
    Placed or None
        None while a sky is not known yet, or when nothing of the layer is in sight.
    """
    return placed_data(view, layer.picture, shape, geometry, ratio)


def picture_size(geometry: Geometry, ratio: float) -> tuple[int, int]:
    """Return width and height of the picture in pixels."""
    return max(1, math.ceil(geometry.width * ratio)), max(1, math.ceil(geometry.height * ratio))


def alignment_note(view: ImageView, layer: ImageLayer) -> str:
    """Say why a layer lies on the first one's pixels although the view aligns by the sky; "" when it does not."""
    base, data = view.layers[0].picture, layer.picture
    if view.align != "sky" or data is base or not (base.wcs_ready and data.wcs_ready):
        return ""
    if (base.sky is None) == (data.sky is None):
        return ""
    without, other = (data, base) if data.sky is None else (base, data)
    return (
        f"{without.name} has no sky coordinates and {other.name} has: in {view.name} they lie pixel on pixel. "
        "Open them in two views to look at each on its own."
    )
