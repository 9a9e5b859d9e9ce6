"""A WCS with its pixel axes in another order, for those that cannot be asked for it."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy.wcs.wcsapi.wrappers.base import BaseWCSWrapper

__all__ = ["Reordered"]


class Reordered(BaseWCSWrapper):
    """The same world coordinates over pixel axes that were swapped.

    Parameters
    ----------
    wcs : object
        With the low-level interface of APE 14.
    order : list of int
        Which pixel axis (x first) of ``wcs`` comes first, second …
    """

    def __init__(self, wcs: Any, order: list[int]) -> None:
        super().__init__(wcs)
        self._order = list(order)
        self._inverse = [int(axis) for axis in np.argsort(order)]

    def pixel_to_world_values(self, *pixels: Any) -> Any:
        """Return world coordinates of pixels."""
        return self._wcs.pixel_to_world_values(*(pixels[axis] for axis in self._inverse))

    def world_to_pixel_values(self, *world: Any) -> Any:
        """Return pixels of world coordinates."""
        found = self._wcs.world_to_pixel_values(*world)
        return tuple(found[axis] for axis in self._order)

    @property
    def pixel_shape(self) -> tuple[int, ...] | None:
        """Lengths of the axes, x first."""
        return self._turned(self._wcs.pixel_shape)

    @property
    def pixel_bounds(self) -> Any:
        """Where the WCS is defined, x first."""
        return self._turned(self._wcs.pixel_bounds)

    @property
    def pixel_axis_names(self) -> Any:
        """Names of the pixel axes."""
        return self._turned(self._wcs.pixel_axis_names)

    @property
    def axis_correlation_matrix(self) -> np.ndarray:
        """Which world axis depends on which pixel axis."""
        return np.asarray(self._wcs.axis_correlation_matrix)[:, self._order]

    def _turned(self, values: Any) -> Any:
        return None if values is None else tuple(values[axis] for axis in self._order)
