"""A cube in pieces, always in the order (channel, y, x), whatever the order of its file."""

from __future__ import annotations

import numpy as np

from jviz.backend.io.product import Identity, Plane
from jviz.backend.progress import Progress, silent
from jviz.backend.render.source import let_go, will_need
from jviz.errors import JvizError

__all__ = ["CubeSource"]

LARGE = 1 << 20
"""Bytes above which pages of the file are let go of once they were read."""

MANY = 1024
"""Channels that are read at a time. The system maps 64 kB round each piece: of 16,000 channels that is a GB."""

PIECE = 1 << 23
"""Values read between two looks at whether the result is still wanted."""


class CubeSource:
    """Reads parts of a three-dimensional plane as physical values; flagged ones become NaN.

    Parameters
    ----------
    plane : Plane
        With three axes.
    spectral : int
        Which of them is the spectral one, in numpy order.
    flags : Plane, optional
        Data quality bits of the same shape.
    exclude : int
        Values with any of these bits count as missing.
    factors : ndarray of shape (channels,), optional
        What the values of each channel are multiplied by.

    Attributes
    ----------
    shape : (int, int, int)
        Channels, rows (y), columns (x).
    """

    def __init__(
        self, plane: Plane, spectral: int = 0, *, flags: Plane | None = None, exclude: int = 0,
        factors: np.ndarray | None = None,
    ) -> None:  # fmt: skip
        if len(plane.shape) != 3:
            raise JvizError(f"{plane.name} has {len(plane.shape)} axes; a cube has three.")
        if plane.dtype.kind not in "biuf":
            raise JvizError(f"{plane.name} holds {plane.dtype}, which is no number. Choose an array of numbers.")
        if flags is not None and flags.shape != plane.shape:
            flags = None  # of another array; there is nothing to exclude by
        self.plane, self.spectral, self.factors = plane, spectral, factors
        self.flags, self.exclude = flags, exclude if flags is not None else 0
        sizes = list(plane.shape)
        self.shape: tuple[int, int, int] = (sizes.pop(spectral), *sizes)

    @property
    def dtype(self) -> np.dtype:
        """float64 where the file has so many digits, else float32."""
        wide = self.plane.dtype.kind == "f" and self.plane.dtype.itemsize == 8
        return np.dtype(np.float64 if wide else np.float32)

    @property
    def identity(self) -> Identity | None:
        """Of the values as they are read: with the flags that are left out."""
        identity = self.plane.identity
        if identity is None or not (self.exclude or self.spectral):
            return identity
        from dataclasses import replace

        return replace(identity, part=f"{identity.part}|axis {self.spectral}|without {self.exclude}")

    def read(
        self,
        channels: slice | np.ndarray,
        rows: slice = slice(None),
        columns: slice = slice(None),
        *,
        progress: Progress = silent,
        dtype: np.dtype | None = None,
    ) -> np.ndarray:
        """Read a part.

        Parameters
        ----------
        channels : slice or ndarray of int
        rows, columns : slice

        Returns
        -------
        ndarray, shape (channels, rows, columns)
            New, C-contiguous, float32 unless ``dtype`` says otherwise.
        """
        numbers = range(self.shape[0])[channels] if isinstance(channels, slice) else range(0)
        if len(numbers) > MANY and numbers.step > 0:
            return self._in_parts(numbers, (rows, columns), progress, np.dtype(dtype or np.float32))
        where = (channels, rows, columns)
        part = self._part(self.plane, where, progress)
        values = self.plane.physical(part)
        values = np.array(values, dtype=dtype or np.float32, order="C", copy=values.base is not None or None)
        if part.nbytes > LARGE:
            let_go(part)
        if self.exclude:
            bits = np.asarray(self.flags.physical(self._part(self.flags, where, progress)))
            values[(bits.astype(np.int64, copy=False) & self.exclude) != 0] = np.nan
        if self.factors is not None:
            values *= self.factors[channels, None, None].astype(values.dtype)
        return values

    def _in_parts(
        self, numbers: range, where: tuple[slice, slice], progress: Progress, dtype: np.dtype
    ) -> np.ndarray:
        sizes = [len(range(n)[part]) for n, part in zip(self.shape[1:], where, strict=True)]
        made = np.empty((len(numbers), *sizes), dtype)
        for first in range(0, len(numbers), MANY):
            part = numbers[first : first + MANY]
            channels = slice(part[0], part[-1] + 1, part.step)
            made[first : first + MANY] = self.read(channels, *where, progress=progress, dtype=dtype)
        return made

    def value(self, channel: int, row: int, column: int) -> float:
        """Return one value, whatever its flags."""
        raw = np.moveaxis(self.plane.raw(), self.spectral, 0)
        return float(self.plane.physical(raw[channel : channel + 1, row : row + 1, column : column + 1])[0, 0, 0])

    @property
    def has_whole_planes(self) -> bool:
        """Whether each plane lies in one piece in a file that need not be decompressed, so that it is read quickly."""
        if not (self.plane.immediate or self.plane.loaded) or self.exclude or self.factors is not None:
            return False
        raw = np.moveaxis(self.plane.raw(), self.spectral, 0)
        return bool(raw[0].flags.c_contiguous)

    def release(self) -> None:
        """Let the system have the pages of the file back; it keeps them cached."""
        let_go(self.plane.raw())

    def _part(self, plane: Plane, where: tuple, progress: Progress) -> np.ndarray:
        part = np.moveaxis(plane.raw(progress), self.spectral, 0)[where]
        will_need(part)
        return part
