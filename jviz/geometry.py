"""Where data pixels lie on the screen: the affine map of an image view."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from jviz.views import ImageView

__all__ = ["MOST_ASPECT", "Geometry", "aspect_of", "geometry_of"]

MOST_ASPECT = 1000.0
ALIKE = 0.6
"""Shapes of a 2-D spectrum and its viewer that differ by less are no reason to stretch pixels."""


@dataclass(frozen=True)
class Geometry:
    """Map between screen positions (x to the right, y down, in pixels from the top left corner)
    and data pixels (x to the right, y up, 0 in the centre of the first pixel).

    Parameters
    ----------
    width, height : float
        Size of the picture in screen pixels.
    centre : (float, float)
        Data pixel in the middle.
    scale : float
        Screen pixels per data pixel.
    rotation : float
        Degrees, counter-clockwise as seen on the screen.
    flip_x, flip_y : bool
    aspect : float
        How many times as high as wide data pixels are drawn.
    """

    width: float
    height: float
    centre: tuple[float, float]
    scale: float
    rotation: float = 0.0
    flip_x: bool = False
    flip_y: bool = False
    aspect: float = 1.0

    @property
    def scales(self) -> tuple[float, float]:
        """Screen pixels per data pixel, along x and along y of the data."""
        return self.scale, self.scale * self.aspect

    @property
    def matrix(self) -> np.ndarray:
        """The 2 × 3 matrix from screen to data: ``data = matrix @ (x, y, 1)``."""
        angle = math.radians(self.rotation)
        cos, sin = math.cos(angle) / self.scale, math.sin(angle) / self.scale
        sx, sy = (-1 if self.flip_x else 1), (-1 if self.flip_y else 1)
        # The screen's y points down: v = −(y − height / 2); then turn back, then flip back.
        linear = np.array([[sx * cos, -sx * sin], [-sy * sin / self.aspect, -sy * cos / self.aspect]])
        offset = np.array(self.centre) - linear @ (self.width / 2, self.height / 2)
        return np.column_stack([linear, offset])

    @property
    def to_screen_matrix(self) -> np.ndarray:
        """The 2 × 3 matrix from data to screen: ``screen = matrix @ (x, y, 1)``."""
        m = self.matrix
        inverse = np.linalg.inv(m[:, :2])
        return np.column_stack([inverse, -inverse @ m[:, 2]])

    def to_data(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Screen → data pixels; arrays welcome."""
        m = self.matrix
        return m[0, 0] * x + m[0, 1] * y + m[0, 2], m[1, 0] * x + m[1, 1] * y + m[1, 2]

    def to_screen(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Data pixels → screen; arrays welcome."""
        m = self.to_screen_matrix
        return m[0, 0] * x + m[0, 1] * y + m[0, 2], m[1, 0] * x + m[1, 1] * y + m[1, 2]

    def bounds(self, shape: tuple[int, int]) -> tuple[float, float, float, float]:
        """Data pixels in sight, ``(x0, y0, x1, y1)``, cut to an image of shape (ny, nx)."""
        corners_x, corners_y = self.to_data(
            np.array([0, self.width, 0, self.width]), np.array([0, 0, self.height, self.height])
        )
        ny, nx = shape[-2:]
        x0, x1 = np.clip([corners_x.min(), corners_x.max()], -0.5, nx - 0.5)
        y0, y1 = np.clip([corners_y.min(), corners_y.max()], -0.5, ny - 0.5)
        return float(x0), float(y0), float(x1), float(y1)


def fitting_scale(
    shape: tuple[float, float], width: float, height: float, rotation: float = 0.0, aspect: float = 1.0
) -> float:
    """Screen pixels per data pixel, along x, at which a turned image of shape (ny, nx) just fits."""
    ny, nx = shape[-2] * aspect, shape[-1]
    angle = math.radians(rotation)
    cos, sin = abs(math.cos(angle)), abs(math.sin(angle))
    return max(1e-6, min(width / (nx * cos + ny * sin), height / (nx * sin + ny * cos)))


def image_shape(view: ImageView) -> tuple[int, int]:
    """Shape (ny, nx) of the first layer, which defines the pixels of the view."""
    return view.layers[0].picture.shape[-2:] if view.layers else (1, 1)


def _first_look(view: ImageView) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the shape (ny, nx) and the middle (x, y) of what a view shows when it is told nothing."""
    box = view.layers[0].picture.lit_box if view.layers else None
    if box is None:
        ny, nx = image_shape(view)
        box = (-0.5, -0.5, nx - 0.5, ny - 0.5)
    x0, y0, x1, y1 = box
    return (y1 - y0, x1 - x0), ((x0 + x1) / 2, (y0 + y1) / 2)


def aspect_of(view: ImageView, width: float, height: float) -> float:
    """How many times as high as wide data pixels are drawn: as the view says, else as they are on the sky.

    2-D spectra and other pictures with wavelength along an edge fill the view.
    """
    if view.aspect is not None:
        return view.aspect
    if not view.layers:
        return 1.0
    picture = view.layers[0].picture
    if picture.kind != "spectrum2d" and not math.isnan(aspect := picture.pixel_aspect):
        return aspect
    ny, nx = _first_look(view)[0]
    if abs(math.sin(math.radians(view.rotation))) > 0.7:
        width, height = height, width
    filling = (height / ny) / (width / nx)
    return 1.0 if ALIKE < filling < 1 / ALIKE else min(max(filling, 1 / MOST_ASPECT), MOST_ASPECT)


def geometry_of(view: ImageView, width: float | None = None, height: float | None = None) -> Geometry:
    """Return the map of a view, for the size of its viewer (or of the one given).

    A ``centre`` or ``scale`` of None becomes the one that shows the whole first layer, or the part of it with light.
    """
    if width is None or height is None:
        width, height = view.viewport
    (ny, nx), middle = _first_look(view)
    centre = view.centre or middle
    aspect = aspect_of(view, width, height)
    scale = view.scale or fitting_scale((ny, nx), width, height, view.rotation, aspect)
    return Geometry(width, height, centre, scale, view.rotation, view.flip_x, view.flip_y, aspect)
