"""TIFF files, memory mapped where their pixels are stored plainly."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from jviz.backend.io.colours import colour_planes, once
from jviz.backend.io.product import Identity, Plane, Product
from jviz.backend.io.registry import reader
from jviz.backend.progress import Progress, silent
from jviz.errors import ReadError

__all__ = ["read_tiff"]

_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_BUILT_IN = (1, 8, 32946, 34925)
"""Compressions that tifffile undoes alone: none, zip (twice), LZMA."""


@reader("tiff", title="TIFF", suffixes=(".tif", ".tiff"), sniff=lambda path, start: start.startswith(_MAGIC))
def read_tiff(path: Path, *, progress: Progress = silent, series: int | None = None) -> list[Product]:
    """Open a TIFF file; each series of equal pages becomes an image or a cube, with y pointing up.

    Parameters
    ----------
    series : int, optional
        Number of the only series to open, counted from 0.

    Raises
    ------
    ReadError
        When the file is damaged, or packed in a way that is not supported.
    """
    import tifffile

    try:
        with tifffile.TiffFile(path) as file:
            if any(page.keyframe.compression not in _BUILT_IN for page in file.series):
                from jviz.backend.io.pictures import read_picture

                return read_picture(path)
            all_series = [_Series.of(path, file, number) for number, one in enumerate(file.series) if one.size]
    except (tifffile.TiffFileError, ValueError, KeyError, IndexError, struct.error) as error:
        raise ReadError(f"{path.name} cannot be read as TIFF: {error}. Fetch or export it again.") from error
    chosen = [one for one in all_series if series is None or one.number == series]
    if not chosen:
        raise ReadError(f"{path.name} has no picture{'' if series is None else f' {series}'}. Export it again.")
    if len(all_series) == 1:
        return [chosen[0].product(path.stem, {})]
    return [one.product(f"{path.stem}[{one.number}]", {"series": one.number}) for one in chosen]


@dataclass(frozen=True)
class _Series:
    """Pages of one shape and type.

    Parameters
    ----------
    axes : str
        One letter for each axis of ``shape``; S stands for samples (colours).
    offset : int or None
        Where the plainly stored pixels begin.
    """

    path: Path
    number: int
    axes: str
    shape: tuple[int, ...]
    dtype: np.dtype
    offset: int | None

    @classmethod
    def of(cls, path: Path, file: Any, number: int) -> _Series:
        series = file.series[number]
        offset = series.dataoffset
        if offset is not None and offset + series.nbytes > path.stat().st_size:
            raise ReadError(f"{path.name} is truncated: it ends before its pixels do. Fetch it again.")
        dtype = series.dtype.newbyteorder(file.byteorder) if offset is not None else series.dtype
        return cls(path, number, series.axes, tuple(series.shape), dtype, offset)

    @property
    def grey_shape(self) -> tuple[int, ...]:
        """Shape without colours and without axes of length 1 other than those of the picture."""
        pairs = zip(self.axes, self.shape, strict=True)
        return tuple(size for axis, size in pairs if axis != "S" and (size > 1 or axis in "YX"))

    @property
    def channels(self) -> str:
        """The colours of a single picture."""
        samples = self.shape[self.axes.index("S")] if "S" in self.axes else 1
        return {2: "A", 3: "RGB", 4: "RGBA"}.get(samples, "") if len(self.grey_shape) == 2 else ""

    def product(self, name: str, options: dict[str, Any]) -> Product:
        """Make the image, or the cube of a stack."""
        product = Product("image", name, "TIFF picture", path=self.path, reader="tiff", options=options)
        identity = Identity.of(self.path.absolute(), f"series {self.number}")
        if len(self.grey_shape) == 2 and (self.channels or "S" not in self.axes):
            product.planes = colour_planes(once(self.array), self.grey_shape, self.channels, self.dtype, identity)
            return product
        shape = self.array_shape
        load = partial(_ignoring_progress, self.array)
        plane = Plane("STACK", shape, self.dtype, load, identity=identity, immediate=self.offset is not None)
        product.kind, product.label = ("cube" if len(shape) == 3 else "other"), "TIFF stack"
        product.planes = {"STACK": plane}
        return product

    @property
    def array_shape(self) -> tuple[int, ...]:
        """Shape of `array`: colours last for a picture, first for a stack."""
        if "S" not in self.axes:
            return self.grey_shape
        samples = self.shape[self.axes.index("S")]
        return (*self.grey_shape, samples) if self.channels else (samples, *self.grey_shape)

    def array(self) -> np.ndarray:
        """Return the pixels with the bottom row first."""
        pixels = self._stored()
        if "S" in self.axes:
            pixels = np.moveaxis(pixels, self.axes.index("S"), -1 if self.channels else 0)
        pixels = pixels.reshape(self.array_shape)
        return np.flip(pixels, axis=0 if self.channels else pixels.ndim - 2)

    def _stored(self) -> np.ndarray:
        if self.offset is not None:
            return np.memmap(self.path, self.dtype, "r", self.offset, self.shape)
        import tifffile

        try:
            return tifffile.imread(self.path, series=self.number)
        except (ValueError, OSError, RuntimeError) as error:
            raise ReadError(f"{self.path.name} is damaged: {error}. Fetch or export it again.") from error


def _ignoring_progress(function: Any, progress: Progress) -> np.ndarray:
    return function()
