"""Flags of ramps: those of a pixel throughout (PIXELDQ) together with those of each group (GROUPDQ)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from jviz.backend.io.product import Plane
from jviz.backend.progress import Progress

__all__ = ["JointFlags", "joint_flags"]


class JointFlags:
    """Flags of two planes as one array, put together where they are read.

    Indices of whole numbers alone choose a part that still reads nothing.

    Parameters
    ----------
    planes : (Plane, Plane)
        Say how stored values become flags.
    arrays : (ndarray, ndarray)
        Theirs, as stored, of the same shape.
    """

    def __init__(self, planes: tuple[Plane, Plane], arrays: tuple[np.ndarray, np.ndarray]) -> None:
        self._planes, self._arrays = planes, arrays
        self.shape, self.dtype = arrays[0].shape, np.dtype(np.uint32)

    def __getitem__(self, index: Any) -> Any:
        first, second = (array[index] for array in self._arrays)
        keys = index if isinstance(index, tuple) else (index,)
        if all(isinstance(key, int | np.integer) for key in keys) and len(keys) <= len(self.shape) - 2:
            return JointFlags(self._planes, (first, second))
        return self._bits(0, first) | self._bits(1, second)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self[...].astype(dtype or self.dtype, copy=False)

    def _bits(self, number: int, part: np.ndarray) -> np.ndarray:
        return self._planes[number].physical(part).astype(np.uint32)


def joint_flags(planes: Iterable[Plane]) -> Plane | None:
    """Return the flags of every group, those of the pixel among them; None where there are not both.

    Parameters
    ----------
    planes : iterable of Plane
        The first is the one that the flags are of.
    """
    main, *others = planes
    flags = [plane for plane in others if plane.meaning == "flags" and plane.dtype.kind in "iu"]
    each = next((plane for plane in flags if plane.shape == main.shape), None)
    whole = next((plane for plane in flags if plane.shape == main.shape[-2:]), None)
    if each is None or whole is None or len(main.shape) < 3:
        return None

    def load(progress: Progress) -> Any:
        return JointFlags((each, whole), (each.raw(progress), np.broadcast_to(whole.raw(progress), each.shape)))

    immediate = each.immediate and whole.immediate
    name = f"{whole.name} and {each.name}"
    return Plane(name, each.shape, np.dtype(np.uint32), load, "flags", hdu=each.hdu, immediate=immediate)
