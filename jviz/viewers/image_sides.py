"""Axes of pictures of a cube that do not show the sky: wavelength along one edge."""

from __future__ import annotations

from jviz.geometry import Geometry
from jviz.spectral_display import axis_name, scale_of
from jviz.viewers.image_axes import Lines, pixel_lines
from jviz.views import ImageView

__all__ = ["side_lines"]

NAMES = ("Channel", "y (pixels)", "x (pixels)")


def side_lines(view: ImageView, geometry: Geometry, origin: int, n: float) -> Lines:
    """Lay lines of equal wavelength, and of equal pixel number across it, over a side of a cube."""
    layer = view.layers[0]
    axis = layer.data.axis if layer.data.axis_ready else None
    scale = scale_of(axis, getattr(view, "spectral_unit", "")) if axis is not None else None
    along = (layer.order[2], layer.order[1])  # what lies to the right, and up
    scales = tuple(scale if number == 0 else None for number in along)
    known = axis is not None and scale is not None
    names = tuple(axis_name(axis, scale) if number == 0 and known else NAMES[number] for number in along)
    return pixel_lines(geometry, origin, n, scales, names)
