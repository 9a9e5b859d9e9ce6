"""Pieces of images in memory at some resolution, and the memory they may take together."""

import itertools
import threading
import weakref
from collections import OrderedDict, deque
from dataclasses import dataclass

import numpy as np

from jviz.backend.render.mesh import Bounds

__all__ = ["STORE", "Block", "BlockRequest", "BlockStore"]


@dataclass(frozen=True)
class BlockRequest:
    """What to fetch: samples ``column … column + width`` of a level (level L: 2^L data pixels).

    Level 0 is the data itself.
    """

    level: int
    column: int
    row: int
    width: int
    height: int

    @property
    def step(self) -> int:
        """Data pixels per sample."""
        return 1 << self.level

    def bounds(self, shape: tuple[int, int]) -> Bounds:
        """Return the edges in data coordinates, cut at the image's."""
        return cell_edges(self.column, self.row, (self.height, self.width), self.step, shape)


@dataclass(frozen=True, eq=False)
class Block:
    """A piece of an image.

    Parameters
    ----------
    data : ndarray of float32 (flags: uint32), shape (rows, columns)
        Each sample stands for a square of data pixels.
    x0, y0 : float
        Data coordinates of the centre of sample (0, 0).
    step : float
        Data pixels per sample; sample (i, j) is centred on (x0 + j·step, y0 + i·step).
    level : int
        Which level it was fetched for.
    extent : tuple of float
        Edges (x0, y0, x1, y1) of what it covers, in data coordinates.
    exact : bool
        Whether it is the mean of all pixels, rather than some of them for a first look.
    offset : float
        What is to be added to ``data``: of values that lie close together, but far from 0, float32 holds the rest.
    """

    data: np.ndarray
    x0: float
    y0: float
    step: float
    level: int
    extent: Bounds
    exact: bool = True
    offset: float = 0.0

    @property
    def values(self) -> np.ndarray:
        """The samples in units of the data; float64 where they need it."""
        return self.data + np.float64(self.offset) if self.offset else self.data

    def covers(self, bounds: Bounds) -> bool:
        """Whether all of the box lies within."""
        x0, y0, x1, y1 = self.extent
        return x0 <= bounds[0] and y0 <= bounds[1] and x1 >= bounds[2] and y1 >= bounds[3]

    def share(self, bounds: Bounds) -> float:
        """Return which share of the box lies within, 0 to 1."""
        x0, y0, x1, y1 = cut(bounds, self.extent)
        area = (bounds[2] - bounds[0]) * (bounds[3] - bounds[1])
        return max(x1 - x0, 0.0) * max(y1 - y0, 0.0) / area if area > 0 else 0.0


def cut(bounds: Bounds, by: Bounds) -> Bounds:
    """Return what two boxes have in common (x1 < x0 or y1 < y0 when that is nothing)."""
    return max(bounds[0], by[0]), max(bounds[1], by[1]), min(bounds[2], by[2]), min(bounds[3], by[3])


def cell_edges(column: int, row: int, size: tuple[int, int], step: int, shape: tuple[int, int]) -> Bounds:
    """Return the edges of ``size`` cells of ``step`` data pixels, cut at those of the image."""
    return (
        column * step - 0.5,
        row * step - 0.5,
        min((column + size[1]) * step, shape[1]) - 0.5,
        min((row + size[0]) * step, shape[0]) - 0.5,
    )


def block_of(
    data: np.ndarray,
    column: int,
    row: int,
    step: int,
    shape: tuple[int, int],
    *,
    level: int,
    exact: bool,
    offset: float = 0.0,
) -> Block:
    """Make a block whose first sample stands for cell (row, column) of ``step`` data pixels."""
    half = (step - 1) / 2
    extent = cell_edges(column, row, data.shape, step, shape)
    return Block(data, column * step + half, row * step + half, float(step), level, extent, exact, offset)


class BlockStore:
    """Blocks of all images in one budget, the least recently used out first.

    An owner is a number from `owner`, which stands for one raster.

    Parameters
    ----------
    limit : int
        In bytes.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._blocks: OrderedDict[tuple[int, int], Block] = OrderedDict()
        self._gone: deque[int] = deque()
        self._used = 0

    @property
    def used(self) -> int:
        """Bytes taken."""
        return self._used

    def owner(self, raster: object) -> int:
        """Return a new number for a raster, whose blocks go when it goes."""
        number = next(self._numbers)
        weakref.finalize(raster, self.forget, number).atexit = False
        return number

    def of(self, owner: int) -> list[Block]:
        """Return the blocks of one raster."""
        with self._lock:
            return [block for (key, _), block in self._blocks.items() if key == owner]

    def add(self, owner: int, block: Block) -> None:
        """Keep a block, at the price of the least recently used ones."""
        with self._lock:
            self._sweep()
            self._blocks[owner, id(block)] = block
            self._used += block.data.nbytes
            while self._used > self.limit and len(self._blocks) > 1:
                _, gone = self._blocks.popitem(last=False)
                self._used -= gone.data.nbytes

    def touch(self, owner: int, block: Block) -> None:
        """Mark a block as just used."""
        with self._lock:
            if (owner, id(block)) in self._blocks:
                self._blocks.move_to_end((owner, id(block)))

    def remove(self, owner: int, block: Block) -> None:
        """Forget a block that a better one has replaced."""
        with self._lock:
            if self._blocks.pop((owner, id(block)), None):
                self._used -= block.data.nbytes

    def forget(self, owner: int) -> None:
        """Forget all blocks of a raster."""
        self._gone.append(owner)
        # The garbage collector may call this while its own thread holds the lock.
        if self._lock.acquire(blocking=False):
            try:
                self._sweep()
            finally:
                self._lock.release()

    def _sweep(self) -> None:
        while self._gone:
            owner = self._gone.popleft()
            for name in [name for name in self._blocks if name[0] == owner]:
                self._used -= self._blocks.pop(name).data.nbytes


STORE = BlockStore(160 * 1024**2)
"""The blocks of all rasters."""
