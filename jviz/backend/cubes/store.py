"""A copy of a cube in which every spectrum lies in one piece, kept in the cache folder.

One pass over the file makes it, together with the statistics of each plane and sums over blocks
of channels. A spectrum of the copy is read in microseconds where the file, which has one
plane behind the other, takes a read of the disk for each channel.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jviz.backend import cache
from jviz.backend.cubes.source import CubeSource
from jviz.backend.progress import Progress, silent
from jviz.backend.spectra.axis import SpectralAxis

__all__ = ["BLOCK", "PlaneStatistics", "SpectralStore", "build", "stored"]

BLOCK = 50
"""Channels that are summed beforehand."""

SLAB = 24 << 20
"""Values that are turned at a time: 96 MB, so that each read of a plane is long."""

_HEADER = 4096
_FORMAT = 1
_SUFFIX = ".spectra"
_SUMS = 4
_STATISTICS = 4


@dataclass(frozen=True)
class PlaneStatistics:
    """What one pass tells of each channel; arrays of shape (n_channels,), NaN where nothing is finite."""

    number: np.ndarray
    mean: np.ndarray
    least: np.ndarray
    greatest: np.ndarray


@dataclass(frozen=True)
class _Layout:
    """Where the parts of the file lie."""

    channels: int
    rows: int
    columns: int

    @property
    def blocks(self) -> int:
        return -(-self.channels // BLOCK)

    @property
    def spectra_bytes(self) -> int:
        return 4 * self.rows * self.columns * self.channels

    @property
    def sums_at(self) -> int:
        return _HEADER + self.spectra_bytes

    @property
    def statistics_at(self) -> int:
        return self.sums_at + 4 * _SUMS * self.blocks * self.rows * self.columns

    @property
    def size(self) -> int:
        return self.statistics_at + 8 * _STATISTICS * self.channels


class SpectralStore:
    """The copy, mapped into memory and read only.

    Attributes
    ----------
    spectra : ndarray of float32, shape (rows, columns, channels)
    sums : ndarray of float32, shape (4, blocks, rows, columns)
        Over each block of channels: of f·Δ, f·Δ·t, f·Δ·t² and the number of finite values, where Δ is the
        width of a channel and t its place in the block (`block_places`).
    statistics : PlaneStatistics
    path : Path
    """

    def __init__(self, path: Path, layout: _Layout) -> None:
        self.path = path
        n, ny, nx = layout.channels, layout.rows, layout.columns
        self.spectra = np.memmap(path, np.float32, "r", _HEADER, (ny, nx, n))
        self.sums = np.memmap(path, np.float32, "r", layout.sums_at, (_SUMS, layout.blocks, ny, nx))
        number, mean, least, greatest = np.fromfile(
            path, np.float64, _STATISTICS * n, offset=layout.statistics_at
        ).reshape(_STATISTICS, n)
        self.statistics = PlaneStatistics(number.astype(np.int64), mean, least, greatest)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, rows, columns."""
        ny, nx, n = self.spectra.shape
        return n, ny, nx

    def spectrum(self, row: int, column: int) -> np.ndarray:
        """Return the spectrum of one spaxel as a new array, shape (n_channels,)."""
        return np.array(self.spectra[row, column])


def block_places(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the place −1 … 1 of each channel in its block, and the middle and half length of each block."""
    n = len(values)
    places, middles, halves = np.zeros(n), [], []
    for first in range(0, n, BLOCK):
        part = values[first : first + BLOCK]
        middle, half = (part[0] + part[-1]) / 2, abs(part[-1] - part[0]) / 2 or 1.0
        places[first : first + BLOCK] = (part - middle) / half
        middles.append(middle)
        halves.append(half)
    return places, np.array(middles), np.array(halves)


def stored(source: CubeSource) -> SpectralStore | None:
    """Return the copy in the cache, None when there is none or not a sound one."""
    identity = source.identity
    path = cache.stored(identity, _SUFFIX) if identity is not None else None
    if path is None:
        return None
    layout = _Layout(*source.shape)
    try:
        with path.open("rb") as stream:
            header = json.loads(stream.read(_HEADER).rstrip(b"\0"))
        if header == _header_of(layout) and path.stat().st_size == layout.size:
            return SpectralStore(path, layout)
    except (OSError, ValueError):
        return None  # it will be made again
    return None


def build(source: CubeSource, axis: SpectralAxis, progress: Progress = silent) -> SpectralStore | None:
    """Make the copy in the cache, in strips of rows; takes what is there already.

    Parameters
    ----------
    progress : callable
        May raise `Cancelled`, which leaves nothing behind.

    Returns
    -------
    SpectralStore or None
        None for arrays that come from no file.

    Raises
    ------
    OSError
        When the cache cannot hold it (a full disk); the file serves on then.
    """
    identity = source.identity
    if identity is None:
        return None
    found = stored(source)
    if found is None:
        with cache.storing(identity, _SUFFIX) as path:
            _write(path, source, axis, progress)
        found = stored(source)
    return found


def _header_of(layout: _Layout) -> dict[str, Any]:
    return {"format": _FORMAT, "shape": [layout.channels, layout.rows, layout.columns], "block": BLOCK}


def _write(path: Path, source: CubeSource, axis: SpectralAxis, progress: Progress) -> None:
    from jviz.backend.cubes import kernels

    layout = _Layout(*source.shape)
    n, ny, nx = source.shape
    height = max(1, min(ny, SLAB // (n * nx)))
    number, total = np.zeros(n), np.zeros(n)
    least, greatest = np.full(n, np.inf), np.full(n, -np.inf)
    sums = np.empty((_SUMS, layout.blocks, ny, nx), np.float32)
    places, _, _ = block_places(axis.values)
    with path.open("wb", buffering=0) as stream:
        stream.write(json.dumps(_header_of(layout)).encode().ljust(_HEADER, b"\0"))
        for row in range(0, ny, height):
            rows = slice(row, min(row + height, ny))
            slab = _slab(source, rows, row / ny, (rows.stop - row) / ny, progress)
            spectra = np.empty((rows.stop - row, nx, n), np.float32)
            kernels.turned(slab, spectra)
            kernels.plane_statistics(slab, number, total, least, greatest)
            kernels.block_sums(spectra, axis.widths, places, BLOCK, sums[:, :, rows])
            _write_all(stream, spectra)
        _write_all(stream, sums)
        with np.errstate(invalid="ignore", divide="ignore"):
            empty = np.where(number > 0, 0.0, np.nan)
            _write_all(stream, np.stack([number, total / number, least + empty, greatest + empty]))


def _slab(source: CubeSource, rows: slice, done: float, share: float, progress: Progress) -> np.ndarray:
    """Read some rows of all channels, in pieces, so that a cancel is heard soon."""
    n, _, nx = source.shape
    slab = np.empty((n, rows.stop - rows.start, nx), np.float32)
    step = max(1, (1 << 21) // slab[0].size)
    for first in range(0, n, step):
        progress(done + share * first / n, 1.0, "copying spectra")
        channels = slice(first, min(first + step, n))
        slab[channels] = source.read(channels, rows)
    source.release()
    return slab


def _write_all(stream: Any, data: np.ndarray) -> None:
    # Written, not mapped: a full disk is then an error and not the end of the program.
    view = memoryview(np.ascontiguousarray(data)).cast("B")
    while view:
        view = view[stream.write(view) :]
