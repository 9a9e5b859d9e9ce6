"""A WCS of pixels that each join several of another one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from astropy.wcs.wcsapi.wrappers.base import BaseWCSWrapper

__all__ = ["Blocks"]


class Blocks(BaseWCSWrapper):
    """The same world coordinates over blocks of pixels: a pixel p is at p · size + (size - 1) / 2 + start.

    Parameters
    ----------
    wcs : object
        With the low-level interface of APE 14.
    size, start : sequence of float
        Pixels joined along each pixel axis, x first, and the first one used.
    """

    def __init__(self, wcs: Any, size: Sequence[float], start: Sequence[float]) -> None:
        super().__init__(wcs)
        self._size = np.asarray(size, float)
        self._middle = np.asarray(start, float) + (self._size - 1) / 2

    def pixel_to_world_values(self, *pixels: Any) -> Any:
        """Return world coordinates of pixels."""
        old = (np.asarray(p) * size + middle for p, size, middle in zip(pixels, self._size, self._middle, strict=True))
        return self._wcs.pixel_to_world_values(*old)

    def world_to_pixel_values(self, *world: Any) -> Any:
        """Return pixels of world coordinates."""
        old = self._wcs.world_to_pixel_values(*world)
        return tuple((p - middle) / size for p, size, middle in zip(old, self._size, self._middle, strict=True))

    @property
    def pixel_shape(self) -> None:
        """None: what was left out at the end is not known here."""
        return None

    @property
    def pixel_bounds(self) -> Any:
        """Where the WCS is defined, x first."""
        bounds = self._wcs.pixel_bounds
        if bounds is None:
            return None
        return tuple(
            None if pair is None else tuple((edge - middle) / size for edge in pair)
            for pair, size, middle in zip(bounds, self._size, self._middle, strict=True)
        )
