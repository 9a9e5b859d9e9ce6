"""Rows of an image from its file, piece by piece, without the file piling up in memory."""

import ctypes
import mmap
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from typing import Any

import numpy as np

from jviz.backend.io.product import Plane
from jviz.backend.progress import Progress, silent
from jviz.errors import JvizError

__all__ = ["Source", "in_memory", "let_go", "will_need"]

GAP = 1 << 15
"""Bytes between two pieces of a file that are read along: one read is quicker than two."""

FINE = 1024.0
"""How far values may lie from 0, in units of their spread, before float32 loses shades: 2^24 / 1024 are left."""

LOOKED_AT = 64
"""Rows, and columns, that tell where the values of an image lie."""

MOST_PIECES = 100_000
"""Pieces of a file above which nothing is asked for beforehand."""


class Source:
    """A 2-D image: a plane, or one slice of a plane with more axes.

    Parameters
    ----------
    plane : Plane
    index : tuple of int
        Position on each axis before the last two.
    flags : bool
        Give pixels as uint32 bits instead of float32 values.
    relative : bool
        Give values that lie close together, but far from 0, as what they are above `offset`: float32 has steps of
        16 kHz at 230 GHz.

    Raises
    ------
    JvizError
        When the plane does not hold real numbers, or the index does not leave two axes.
    """

    def __init__(
        self, plane: Plane, index: tuple[int, ...] = (), *, flags: bool = False, relative: bool = False
    ) -> None:
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
        is_wide = plane.dtype.kind != "b" and plane.dtype.itemsize > 2 and plane.dtype != np.float32
        self._offset: float | None = None if relative and is_wide and not flags else 0.0

    def offset(self, progress: Progress = silent) -> float:
        """Return what was taken from all values, 0 where float32 tells them apart; looks at some of them first."""
        if self._offset is None:
            raw, (rows, columns) = self.raw(progress), self.shape
            some = raw[:: -(-rows // LOOKED_AT), :: -(-columns // LOOKED_AT)] if isinstance(raw, np.ndarray) else None
            self._offset = 0.0 if some is None else _far_from_zero(self.plane.physical(some).astype(np.float64))
        return self._offset

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
        if isinstance(raw, np.ndarray):
            will_need(raw[rows, columns])
        part = self._converted(raw[rows, columns], self.offset(progress))
        _let_go_rows(raw, rows)
        return part

    def pick(self, rows: np.ndarray, columns: np.ndarray, progress: Progress = silent) -> np.ndarray:
        """Read the pixels where some rows and some columns (both ascending) cross."""
        raw = self.raw(progress)
        if isinstance(raw, np.ndarray):
            step = int(rows[1] - rows[0]) if len(rows) > 1 else 1
            will_need(raw[rows[0] : rows[-1] + 1 : step, columns[0] : columns[-1] + 1])
        part = self._converted(raw[np.ix_(rows, columns)], self.offset(progress))
        _let_go_rows(raw, slice(rows[0], rows[-1] + 1))
        return part

    def _converted(self, raw: np.ndarray, offset: float) -> np.ndarray:
        values = self.plane.physical(raw)
        if offset:
            values = values.astype(np.float64) - offset
        with np.errstate(all="ignore"):  # float64 beyond float32 becomes inf, which is not drawn
            return np.array(values, dtype=self.dtype, order="C", copy=values.base is not None or None)

    def value(self, column: int, row: int) -> Any:
        """Return the exact value of a pixel as a Python number."""
        raw = self.raw()[row : row + 1, column : column + 1]
        return self.plane.physical(raw)[0, 0].item()


def _far_from_zero(some: np.ndarray) -> float:
    """Return a float32 amid values that lie close together for how far from 0 they are; 0 for others."""
    # Exact zeros fill what no instrument has seen.
    some = some[np.isfinite(some) & (some != 0)]
    if not some.size:
        return 0.0
    low, middle, high = (float(v) for v in np.percentile(some, (5, 50, 95)))
    amid = float(np.float32(middle))
    if not np.isfinite(amid) or (low == high == amid):
        return 0.0
    return amid if abs(middle) > FINE * (high - low) else 0.0


def _let_go_rows(raw: Any, rows: slice) -> None:
    """Let go of some rows; what is worked out where it is read would be worked out once more for that."""
    if isinstance(raw, np.ndarray):
        let_go(raw[rows])


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


def will_need(part: np.ndarray) -> None:
    """Have the system read a memory-mapped part all at once; met page by page, a cold file takes ten times as long."""
    found = _map_below(part)
    if found is None or part.flags.writeable or not part.size or not hasattr(mmap, "MADV_WILLNEED"):
        return
    first, _ = np.lib.array_utils.byte_bounds(part)
    start = first - np.frombuffer(found, np.uint8).__array_interface__["data"][0]
    for offset, length in _pieces(part):
        page = (start + offset) - (start + offset) % mmap.PAGESIZE
        # Only ever advice, as above.
        with suppress(OSError, ValueError):
            found.madvise(mmap.MADV_WILLNEED, page, min(start + offset + length - page, len(found) - page))


def in_memory(part: np.ndarray) -> bool:
    """Return whether no page of a mapped part would have to come from the disk; True where the system does not tell."""
    ask = _mincore()
    if ask is None or not part.size or _map_below(part) is None:
        return True
    low, high = np.lib.array_utils.byte_bounds(part)
    start = low - low % mmap.PAGESIZE
    found = (ctypes.c_ubyte * -(-(high - start) // mmap.PAGESIZE))()
    if ask(ctypes.c_void_p(start), ctypes.c_size_t(high - start), found) != 0:
        return True
    return bool((np.frombuffer(found, np.uint8) & 1).all())


@cache
def _mincore() -> Any:
    """Return the call of the system that tells which pages are in memory, None where there is none."""
    if sys.platform not in ("linux", "darwin"):
        return None
    return getattr(ctypes.CDLL(None), "mincore", None)


def _pieces(part: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yield offset and length of what of a part lies together in memory, small gaps included."""
    axes = sorted(range(part.ndim), key=lambda axis: abs(part.strides[axis]))
    length, outer = part.itemsize, []
    for axis in axes:
        stride, count = abs(part.strides[axis]), part.shape[axis]
        if not outer and stride <= length + GAP:
            length += stride * (count - 1)
        elif count > 1:
            outer.append(stride * np.arange(count))
    if np.prod([float(len(places)) for places in outer]) > MOST_PIECES:
        return
    offsets = np.zeros(1, np.int64)
    for places in outer:
        offsets = np.add.outer(places, offsets).ravel()
    for offset in offsets.tolist():
        yield offset, length


def _map_below(array: Any) -> mmap.mmap | None:
    while array is not None and not isinstance(array, mmap.mmap):
        array = array.obj if isinstance(array, memoryview) else getattr(array, "base", None)
    return array
