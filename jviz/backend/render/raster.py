"""An image at all resolutions: what is in memory for the window, what a thread should fetch.

The window asks `Raster.block` for the best there is (never waiting) and `Raster.wanted` for
what would be better; a thread then runs `Raster.fetch`. `Raster.first` gives the first
look, `Raster.build` makes the image sharp at every scale.
"""

import math
from dataclasses import replace

import numpy as np

from jviz.backend import cache
from jviz.backend.io.product import Identity, Plane
from jviz.backend.progress import Progress, silent
from jviz.backend.render import pyramid
from jviz.backend.render.blocks import STORE, Block, BlockRequest, block_of, cut
from jviz.backend.render.distribution import Counted, Distribution, Values
from jviz.backend.render.mesh import Bounds
from jviz.backend.render.pyramid import Pyramid, Reduce, Statistics
from jviz.backend.render.source import Source

__all__ = ["Block", "BlockRequest", "Raster", "Statistics"]

SMALL = 2048 * 2048
"""Pixels up to which an image is read again whenever needed, and has no pyramid."""

SORTED = 1 << 20
"""Pixels up to which all are sorted to count them, which takes 80 ms."""

WHOLE = 1536 * 1536
"""Samples up to which a level is fetched whole, so that panning never fetches again."""

MARGIN = 0.3
"""Share of the viewport that is fetched beyond each of its edges."""

SPARE = 0.1
"""Share of the viewport that must be left beyond an edge; else more is fetched ahead."""

PIECE = 1 << 20
"""Pixels read between two looks at whether the result is still wanted."""


class Raster:
    """One 2-D image at all resolutions.

    Parameters
    ----------
    plane : Plane
        The array it is taken from.
    index : tuple of int
        Position on each axis before the last two: ``(12,)`` for slice 12 of a cube.
    reduce : {"mean", "or", "nearest"}
        What many pixels become: their mean (NaN left out), all of their flags (blocks are
        then uint32), or the middle one (labels).

    Attributes
    ----------
    shape : (int, int)
        Rows and columns.
    statistics : Statistics or None
        True extremes, mean and number of finite pixels, once `build` is through.
    """

    def __init__(self, plane: Plane, index: tuple[int, ...] = (), *, reduce: Reduce = "mean") -> None:
        # Larger ones have pyramids in the cache, which hold values as they are.
        relative = plane.shape[-2] * plane.shape[-1] <= SMALL if len(plane.shape) > 1 else False
        self._source = Source(plane, index, flags=reduce == "or", relative=relative)
        self.plane, self.index, self.reduce = plane, self._source.index, reduce
        self.shape = self._source.shape
        self.statistics: Statistics | None = None
        self._spread: Distribution | None = None
        self._pyramid: Pyramid | None = None
        self._owner = STORE.owner(self)
        self._sample: np.ndarray | None = None

    @property
    def bounds(self) -> Bounds:
        """Edges of the image in data coordinates."""
        return -0.5, -0.5, self.shape[1] - 0.5, self.shape[0] - 0.5

    @property
    def sharp(self) -> bool:
        """Whether every resolution can be fetched exactly, without `build`."""
        return self._pyramid is not None or self.reduce == "nearest" or self._is_small

    @property
    def _is_small(self) -> bool:
        return self.shape[0] * self.shape[1] <= SMALL

    @property
    def _identity(self) -> Identity | None:
        identity = self.plane.identity
        if identity is None or not self.index:
            return identity
        return replace(identity, part=f"{identity.part}{list(self.index)}")

    # What the window calls: memory only.

    def block(self, bounds: Bounds, step: float) -> Block | None:
        """Return the best block in memory for a viewport; never waits.

        Parameters
        ----------
        bounds : (x0, y0, x1, y1)
            What the viewport shows, in data coordinates.
        step : float
            Data pixels per screen pixel.
        """
        blocks = self.blocks(bounds, step)
        if not blocks:
            return None
        return next((b for b in reversed(blocks) if b.covers(cut(bounds, self.bounds))), blocks[-1])

    def blocks(self, bounds: Bounds, step: float) -> list[Block]:
        """Return blocks to draw over each other, coarse to sharp, to fill a viewport best.

        Usually one; a second while a sharp one covers a part of the viewport only.
        """
        shown = cut(bounds, self.bounds)
        ranked = sorted(STORE.of(self._owner), key=lambda block: _cost(block, step, lossless=self.reduce == "or"))
        useful = [block for block in ranked if block.share(shown) > 0]
        covering = next((n for n, block in enumerate(useful) if block.covers(shown)), len(useful))
        chosen = [useful[n] for n in sorted({0, covering}) if n < len(useful)]
        for block in chosen:
            STORE.touch(self._owner, block)
        return chosen[::-1]

    def wanted(self, bounds: Bounds, step: float) -> BlockRequest | None:
        """Return what to `fetch` to make a viewport sharper, or None when it is as sharp as can be."""
        shown = cut(bounds, self.bounds)
        if shown[0] >= shown[2] or shown[1] >= shown[3]:
            return None
        level = self._level(step)
        spare = cut(_grown(shown, SPARE), self.bounds)
        exact = self._can_be_exact(level)
        for block in STORE.of(self._owner):
            if block.level == level and block.exact >= exact and block.covers(spare):
                return None
        return self._request(level, shown)

    def _level(self, step: float) -> int:
        # A sample may be up to a fifth larger than a screen pixel: smoother than to take
        # every second one of the finer level.
        # Of flags none may be lost between the samples, so that those are never smaller.
        spare = 0.25 if self.reduce != "or" else 0.99
        level = math.floor(math.log2(max(step, 1e-9)) + spare)
        return min(max(level, 0), pyramid.top_level(self.shape))

    def _can_be_exact(self, level: int) -> bool:
        return self.sharp or level <= pyramid.FIRST_LEVEL

    def _request(self, level: int, shown: Bounds) -> BlockRequest:
        rows, columns = pyramid.level_shape(self.shape, level)
        if rows * columns <= WHOLE:
            return BlockRequest(level, 0, 0, columns, rows)
        x0, y0, x1, y1 = ((edge + 0.5) / (1 << level) for edge in _grown(shown, MARGIN))
        left, top = max(math.floor(x0), 0), max(math.floor(y0), 0)
        return BlockRequest(level, left, top, min(math.ceil(x1), columns) - left, min(math.ceil(y1), rows) - top)

    # What threads call: may read the disk.

    def first(self, max_side: int = 1024, *, progress: Progress = silent) -> Block:
        """Read a first look at the whole image: every n-th pixel of every n-th row.

        Parameters
        ----------
        max_side : int
            Samples along the longer side at most.
        """
        if self._is_small:
            return self.fetch(BlockRequest(0, 0, 0, self.shape[1], self.shape[0]), progress)
        # Odd, so that the pixel in the middle stands where the middle of its cell is.
        step = -(-max(self.shape) // max_side) | 1
        whole = BlockRequest(0, 0, 0, self.shape[1], self.shape[0])
        return self._keep(self._every(step, whole, round(math.log2(step)), progress))

    def fetch(self, request: BlockRequest, progress: Progress = silent) -> Block:
        """Read or work out a block, and keep it for `block` to find.

        Parameters
        ----------
        progress : callable
            ``progress(done, total, text)``; may raise `Cancelled`.
        """
        return self._keep(self._fetch(request, progress))

    def _fetch(self, request: BlockRequest, progress: Progress) -> Block:
        level = request.level
        if self.reduce == "nearest" and level > 0:
            return self._every(request.step, request, level, progress, exact=True)
        data = self._from_pyramid(request)
        if data is None:
            if not (self._is_small or level <= pyramid.FIRST_LEVEL):
                return self._every(request.step - 1, request, level, progress)
            data = self._reduced(request, progress)
        return block_of(
            data, request.column, request.row, request.step, self.shape,
            level=level, exact=True, offset=self._source.offset(progress),
        )  # fmt: skip

    def _from_pyramid(self, request: BlockRequest) -> np.ndarray | None:
        if self._pyramid is None or request.level < pyramid.FIRST_LEVEL:
            return None
        rows = slice(request.row, request.row + request.height)
        data = self._pyramid.read(request.level, rows, slice(request.column, request.column + request.width))
        if data is None:
            self._pyramid = None  # the cache has removed it
        return data

    def _reduced(self, request: BlockRequest, progress: Progress) -> np.ndarray:
        """Reduce pixels straight from the file, in strips."""
        data = np.empty((request.height, request.width), self._source.dtype)
        step, columns = request.step, _pixels(request.column, request.width, request.step, self.shape[1])
        height = max(1, PIECE // (request.width * step * step))
        for row in range(0, request.height, height):
            progress(row, request.height, "reading")
            number = min(height, request.height - row)
            rows = _pixels(request.row + row, number, step, self.shape[0])
            values = self._source.read(rows, columns, progress)
            data[row : row + number] = pyramid.reduced(values, request.level, self.reduce)
        return data

    def _every(self, step: int, request: BlockRequest, level: int, progress: Progress, *, exact: bool = False) -> Block:
        """Read the middle pixel of each cell of ``step`` pixels that the request touches."""
        x0, y0, x1, y1 = request.bounds(self.shape)
        left, top = int((x0 + 0.5) // step), int((y0 + 0.5) // step)
        rows, columns = math.ceil((y1 + 0.5) / step) - top, math.ceil((x1 + 0.5) / step) - left
        across, down = (
            np.minimum((start + np.arange(number)) * step + (step - 1) // 2, size - 1)
            for start, number, size in ((left, columns, self.shape[1]), (top, rows, self.shape[0]))
        )
        data, offset = self._picked(down, across, progress), self._source.offset(progress)
        return block_of(data, left, top, step, self.shape, level=level, exact=exact, offset=offset)

    def _picked(self, down: np.ndarray, across: np.ndarray, progress: Progress) -> np.ndarray:
        data = np.empty((len(down), len(across)), self._source.dtype)
        height = max(1, PIECE // int(across[-1] - across[0] + 1))
        for row in range(0, len(down), height):
            progress(row, len(down), "reading")
            data[row : row + height] = self._source.pick(down[row : row + height], across, progress)
        return data

    def _keep(self, block: Block) -> Block:
        for old in STORE.of(self._owner):
            # Not a coarser one: it fills in where the viewport leaves the sharp one.
            if old.level == block.level and block.exact >= old.exact and block.covers(old.extent):
                STORE.remove(self._owner, old)
        STORE.add(self._owner, block)
        return block

    def build(self, progress: Progress = silent, *, cache_limit: int | None = None) -> Statistics:
        """Make the image sharp at every scale and find its true extremes; for a thread.

        Takes the result from the cache when it is there, else keeps it there.

        Parameters
        ----------
        cache_limit : int, optional
            Trim the cache to so many bytes afterwards.
        """
        identity = self._identity
        if self._source.offset(progress):
            values = self.all_values(progress)
            self.statistics, self._spread = pyramid.statistics_of(values), Values(values)
            return self.statistics
        if self._is_small or self.reduce == "nearest":
            self.statistics, self._spread = pyramid.survey(self._source, progress, sample=self.sample())
            return self.statistics
        found = pyramid.stored(self._source, identity) if identity else None
        made = found or pyramid.build(self._source, identity, progress, sample=self.sample(progress=progress))
        self._pyramid, self._spread, self.statistics = made, made.distribution, made.statistics
        if cache_limit is not None and found is None:
            cache.trim(cache_limit, keep={made.path} if made.path else set())
        return made.statistics

    @property
    def counted(self) -> bool:
        """Whether limits of all pixels can be worked out without `build`: it is through, or the image is small."""
        return self._is_small or self.statistics is not None

    def spread(self) -> Counted | None:
        """Return how all values are spread; of a small image at once, else None until `build` is through."""
        if self.shape[0] * self.shape[1] <= SORTED or (self._is_small and self._source.offset()):
            return Values(self.all_values())
        if self._spread is None and self._is_small:
            return pyramid.survey(self._source, sample=self.sample())[1]
        return self._spread

    def all_values(self, progress: Progress = silent) -> np.ndarray | None:
        """Read all pixels of a small image, NaN included; None for others."""
        if not self._is_small:
            return None
        rows, columns = self.shape
        return self._true(self._source.read(slice(0, rows), slice(0, columns), progress))

    def _true(self, values: np.ndarray) -> np.ndarray:
        """Return values in units of the data: float64 where the source gives them above an offset."""
        offset = self._source.offset()
        return values + np.float64(offset) if offset else values

    def sample(self, n: int = 200_000, *, progress: Progress = silent) -> np.ndarray:
        """Read about ``n`` pixels spread evenly over the image, NaN included.

        Returns
        -------
        ndarray of float32 (flags: uint32; float64 where float32 cannot tell values apart), 1-D
            In the order of rows, so that every n-th of it is spread evenly, too.
        """
        if self._sample is not None and n == 200_000:
            return self._sample
        sample = self._read_sample(n, progress)
        if n == 200_000:
            self._sample = sample
        return sample

    def _read_sample(self, n: int, progress: Progress) -> np.ndarray:
        rows, columns = self.shape
        step = math.sqrt(max(rows * columns / n, 1.0))
        step = min(max(step, rows * columns / n / columns), rows)
        # Odd steps: amplifier edges and tiles lie at multiples of 2 and must not fall in step.
        down = np.arange(0, rows, int(step) | 1)
        across = np.arange(0, columns, max(1, int(rows * columns / n / (int(step) | 1))) | 1)
        return self._true(self._picked(down, across, progress)).ravel()

    def value(self, x: float, y: float) -> float | int | None:
        """Return the exact value of the pixel at (x, y) from the file; None outside.

        Also None while the data are still to be decompressed.
        """
        column, row = math.floor(x + 0.5), math.floor(y + 0.5)
        if not (0 <= column < self.shape[1] and 0 <= row < self.shape[0]) or not self._source.ready:
            return None
        return self._source.value(column, row)


def _cost(block: Block, step: float, *, lossless: bool = False) -> float:
    """Return how ill a block suits a resolution: coarser is worse than finer, unless no sample may be left out."""
    octaves = math.log2(block.step / max(step, 1.0))
    if lossless and octaves < -0.01:
        return 3.0 - octaves + (0.0 if block.exact else 4.0)
    # Some of the pixels are no better than a finer level of which some are drawn.
    return (octaves if octaves > 0 else -0.7 * octaves) + (0.0 if block.exact else 4.0)


def _grown(bounds: Bounds, share: float) -> Bounds:
    x0, y0, x1, y1 = bounds
    wide, high = share * (x1 - x0), share * (y1 - y0)
    return x0 - wide, y0 - high, x1 + wide, y1 + high


def _pixels(start: int, number: int, step: int, size: int) -> slice:
    return slice(start * step, min((start + number) * step, size))
