"""Which spaxels of a cube a region covers: as it is drawn, as a ring round it, or growing with wavelength."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from jviz.backend.cubes.extract import Spaxels
from jviz.backend.regions.converting import is_pixel, to_pixel
from jviz.backend.regions.masks import Target, weights
from jviz.backend.spectra.axis import SpectralAxis
from jviz.backend.spectra.units import Scale, convert_axis, scale_of
from jviz.errors import CommandError

__all__ = ["Place", "can_grow", "can_have_ring", "centroid", "checked_ring", "growth", "scaled"]

SIZES = ("radius", "width", "height", "inner_radius", "outer_radius", "inner_width", "outer_width", "inner_height",
         "outer_height")  # fmt: skip

Mode = Literal["exact", "center"]


@dataclass(frozen=True, eq=False)
class Place:
    """A region on a cube.

    Attributes
    ----------
    shape : region or mask
    home : object
        What pixel regions are on, see `jviz.placement.home_of`.
    target : Target
        The spaxels of the cube.
    mode : {"exact", "center"}
    ring : (float, float) or None
        Not the region itself but what is round it, from so many times its size to so many times.
    factors : ndarray, shape (n_channels,), or None
        By what the region is larger than drawn in each channel.
    """

    shape: Any
    home: Any
    target: Target
    mode: Mode = "exact"
    ring: tuple[float, float] | None = None
    factors: np.ndarray | None = None

    @property
    def grows(self) -> bool:
        """Whether the spaxels differ from channel to channel."""
        return self.factors is not None

    def in_pixels(self, sky: Any) -> Place:
        """Return the same with a region on the pixels of the cube, whose sizes can be multiplied."""
        if isinstance(self.shape, np.ndarray) or is_pixel(self.shape) or sky is None:
            return self
        return replace(self, shape=to_pixel(self.shape, sky))

    def spaxels(self, factor: float = 1.0) -> Spaxels:
        """Return the spaxels of the region so many times as large as drawn; none where it is beside the cube."""
        if self.ring is None:
            return self._weighed(factor)
        inner, outer = (self._sheet(factor * size) for size in self.ring)
        return Spaxels.of((0, 0), np.clip(outer - inner, 0, 1) * (outer - inner > 1e-9))

    def __call__(self, channel: int) -> Spaxels:
        return self.spaxels(1.0 if self.factors is None else float(self.factors[channel]))

    def _weighed(self, factor: float) -> Spaxels:
        shape = self.shape if factor == 1.0 else scaled(self.shape, factor)
        found = weights(shape, self.target, home=self.home, mode=self.mode)
        return Spaxels.of((found.slices[0].start, found.slices[1].start), found.values)

    def _sheet(self, factor: float) -> np.ndarray:
        """Return the weights over the whole cube."""
        sheet, one = np.zeros(self.target.shape), self._weighed(factor)
        sheet[one.rows, one.columns] = one.weights
        return sheet


def can_grow(shape: Any) -> bool:
    """Whether a region has a size that a cone can multiply: a mask, a point or a line has none."""
    return not isinstance(shape, np.ndarray) and any(hasattr(shape, name) for name in (*SIZES, "vertices"))


def can_have_ring(shape: Any) -> bool:
    """Whether a ring can be laid round a region: it has an inside, without a hole in it."""
    hollow = hasattr(shape, "inner_radius") or hasattr(shape, "inner_width")
    return not hollow and can_grow(shape)


def scaled(shape: Any, factor: float) -> Any:
    """Return a pixel region with all its sizes multiplied; polygons grow from their centroid."""
    made = copy.deepcopy(shape)
    if hasattr(made, "vertices"):
        from regions import PixCoord

        x, y = np.asarray(shape.vertices.x, float), np.asarray(shape.vertices.y, float)
        x0, y0 = centroid(x, y)
        made.vertices = PixCoord(x0 + factor * (x - x0), y0 + factor * (y - y0))
        return made
    names = [name for name in SIZES if hasattr(made, name)]
    # An annulus must not have its inner size above its outer one in between.
    for name in sorted(names, key=lambda n: n.startswith("inner") == (factor > 1)):
        setattr(made, name, getattr(shape, name) * factor)
    return made


def centroid(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Return the centroid of a polygon (Green's theorem); the mean of its corners where it encloses no area.

    Parameters
    ----------
    x, y : ndarray, shape (n_corners,)
    """
    u, v = x - x.mean(), y - y.mean()
    cross = u * np.roll(v, -1) - np.roll(u, -1) * v
    area = cross.sum() / 2
    if not abs(area) > 1e-9 * (np.ptp(x) * np.ptp(y)):
        return float(x.mean()), float(y.mean())
    shift = [((w + np.roll(w, -1)) * cross).sum() / (6 * area) for w in (u, v)]
    return float(x.mean() + shift[0]), float(y.mean() + shift[1])


def checked_ring(ring: Any) -> tuple[float, float]:
    """Return inner and outer size of a ring.

    Raises
    ------
    CommandError
        When they are no two sizes from 1 on, the smaller one first.
    """
    try:
        inner, outer = (float(size) for size in ring)
    except (TypeError, ValueError):
        inner, outer = np.nan, np.nan
    if not 1 <= inner < outer < np.inf:
        raise CommandError(
            f"{ring!r} is no ring; give two sizes from 1 on, such as (1.5, 2): from 1.5 to 2 times that of the region."
        )
    return inner, outer


def growth(axis: SpectralAxis, reference: float | None) -> np.ndarray:
    """Return by what a region that grows with wavelength is larger than drawn, shape (n_channels,).

    Parameters
    ----------
    reference : float or None
        Value on the axis at which it is as drawn; the middle channel by default.

    Raises
    ------
    CommandError
        When the axis cannot be turned into wavelengths.
    """

    scale = scale_of(axis)
    if scale.quantity == "channel" and axis.quantity != "wavelength":
        raise CommandError(
            "A cone grows with the wavelength, and the file gives none for the channels; say what they are with Cube ▸ "
            "Spectral Axis…."
        )

    def to_metres(values: np.ndarray) -> np.ndarray:
        # Wavelengths in an unknown unit grow in the same proportion.
        return values if scale.quantity == "channel" else convert_axis(values, scale, Scale("m", "wavelength"))

    waves = to_metres(axis.values)
    middle = axis.values[len(axis) // 2] if reference is None else reference
    unit = float(to_metres(np.array([middle]))[0])
    if not unit > 0:
        raise CommandError("The reference wavelength must be positive.")
    return waves / unit
