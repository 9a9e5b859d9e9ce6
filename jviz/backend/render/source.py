"""Rows of an image from its file, piece by piece, without the file piling up in memory."""

import mmap
from contextlib import suppress
from typing import Any

import numpy as np

from jviz.backend.io.product import Plane
from jviz.backend.progress import Progress, silent
from jviz.errors import JvizError

__all__ = ["Source"]


class Source:
    """A 2-D image: a plane, or one slice of a plane with more axes.

    Parameters
    ----------
    plane : Plane
    index : tuple of int
        Position on each axis before the last two.
    flags : bool
        Give pixels as uint32 bits instead of float32 values.

    Raises
    ------
    JvizError
        When the plane does not hold real numbers, or the index does not leave two axes.
    """

    def __init__(self, plane: Plane, index: tuple[int, ...] = (), *, flags: bool = False) -> None:
        if plane.dtype.kind not in "biuf":
            raise JvizError(f"{plane.name} holds {plane.dtype}, which cannot be drawn. Choose an array of numbers.")
        if len(plane.shape) - len(index) != 2:
            raise JvizError(
                f"{plane.name} has {len(plane.shape)} axes: an image needs {len(plane.shape) - 2} slice "
                f"numbers, not {len(index)}."
            )
        self.plane = plane
        self.index = tuple(range(n)[i] for i, n in zip(index, plane.shape, strict=False))
        self.shape: tuple[int, int] = plane.shape[-2], plane.shape[-1]
        self.dtype = np.dtype(np.uint32 if flags else np.float32)

    @property
    def ready(self) -> bool:
        """Whether reading takes no decompression first."""
        return self.plane.immediate or self.plane.loaded

    @property
    def grid(self) -> tuple[float, float] | None:
        """Value of a stored 0 and of a step, for scaled integers that float32 tells apart; None for others."""
        plane = self.plane
        is_fine = plane.dtype.kind in "biu" and plane.dtype.itemsize <= 2 and plane.scale != 0
        return (float(plane.zero), abs(float(plane.scale))) if is_fine else None

    def raw(self, progress: Progress = silent) -> np.ndarray:
        """Return the pixels as stored; a memory map."""
        return self.plane.raw(progress)[self.index]

    def read(self, rows: slice, columns: slice, progress: Progress = silent) -> np.ndarray:
        """Read a part, as a new C-contiguous array of ``dtype``; then let go of the file's pages."""
        raw = self.raw(progress)
        part = self._converted(raw[rows, columns])
        let_go(raw[rows])
        return part

    def pick(self, rows: np.ndarray, columns: np.ndarray, progress: Progress = silent) -> np.ndarray:
        """Read the pixels where some rows and some columns (both ascending) cross."""
        raw = self.raw(progress)
        part = self._converted(raw[np.ix_(rows, columns)])
        let_go(raw[rows[0] : rows[-1] + 1])
        return part

    def _converted(self, raw: np.ndarray) -> np.ndarray:
        values = self.plane.physical(raw)
        with np.errstate(all="ignore"):  # float64 beyond float32 becomes inf, which is not drawn
            return np.array(values, dtype=self.dtype, order="C", copy=values.base is not None or None)

    def value(self, column: int, row: int) -> Any:
        """Return the exact value of a pixel as a Python number."""
        raw = self.raw()[row : row + 1, column : column + 1]
        return self.plane.physical(raw)[0, 0].item()


def let_go(part: np.ndarray) -> None:
    """Take the pages of a memory-mapped part out of this process; the system keeps them cached."""
    found = _map_below(part)
    if found is None or part.flags.writeable or not part.size or not hasattr(mmap, "MADV_DONTNEED"):
        return
    first, last = np.lib.array_utils.byte_bounds(part)
    start = first - np.frombuffer(found, np.uint8).__array_interface__["data"][0]
    page = start - start % mmap.PAGESIZE
    # Only ever advice: a system that refuses it keeps the pages a little longer.
    with suppress(OSError, ValueError):
        found.madvise(mmap.MADV_DONTNEED, page, min(last - first + start - page, len(found) - page))


def _map_below(array: Any) -> mmap.mmap | None:
    while array is not None and not isinstance(array, mmap.mmap):
        array = array.obj if isinstance(array, memoryview) else getattr(array, "base", None)
    return array
