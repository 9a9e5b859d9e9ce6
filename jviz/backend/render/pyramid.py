"""Means of 2 × 2, 4 × 4, 8 × 8 … pixels of a whole image, made in strips and kept in a file.

Sums and numbers of finite pixels go up from level to level, so that a sample is the mean
of all finite pixels below it, however unevenly NaN are spread (a mean of means is not).

Level 1 is never kept: on disk it would be a quarter of the image (400 MB for 20k × 20k;
level 2 and up are 133 MB), and a viewport of it is read from the file in tens of milliseconds.
"""

import json
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from jviz.backend import cache
from jviz.backend.io.product import Identity
from jviz.backend.progress import Progress, silent
from jviz.backend.render import kernels
from jviz.backend.render.distribution import Distribution, Spread
from jviz.backend.render.source import Source

__all__ = [
    "FIRST_LEVEL",
    "Pyramid",
    "Reduce",
    "Statistics",
    "build",
    "level_shape",
    "reduced",
    "stored",
    "survey",
    "top_level",
]

Reduce = Literal["mean", "or", "nearest"]
"""How pixels become one sample: values, flags (bits), labels (no pyramid needed)."""

FIRST_LEVEL = 2
STRIP_LEVEL = 6
STRIP_COLUMNS = 1 << 15
STRIP_PIXELS = 1 << 20
"""Of narrow images more rows are taken at a time: each strip keeps other threads from running Python for a while."""

MANY = 1 << 24
"""Pixels from which an image is worth a second thread."""

_HEADER = 4096
_FORMAT = 2


@dataclass(frozen=True)
class Statistics:
    """What one pass over all pixels tells.

    ``minimum`` and ``maximum`` are NaN when no pixel is finite.
    """

    minimum: float
    maximum: float
    mean: float
    finite: int
    missing: int


def statistics_of(values: np.ndarray) -> Statistics:
    """Return the statistics of values at hand."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return Statistics(np.nan, np.nan, np.nan, 0, values.size)
    return Statistics(
        float(finite.min()), float(finite.max()), float(finite.mean()), finite.size, values.size - finite.size
    )


def top_level(shape: tuple[int, int]) -> int:
    """Return the first level on which the image is at most 256 samples wide and high."""
    return max(0, (max(shape) - 1).bit_length() - 8)


def level_shape(shape: tuple[int, int], level: int) -> tuple[int, int]:
    """Return how many samples a level has; the last may stand for fewer pixels."""
    return -(-shape[0] >> level), -(-shape[1] >> level)


class Pyramid:
    """The levels of an image, in memory or in a file.

    Parameters
    ----------
    levels : dict
        Level → array, for those in memory.
    path : Path, optional
        File with the others, which start at byte ``offsets[level]``.
    distribution : Distribution, optional
        How the values are spread; flags have none.
    """

    def __init__(
        self,
        shape: tuple[int, int],
        statistics: Statistics,
        *,
        levels: dict[int, np.ndarray] | None = None,
        path: Path | None = None,
        dtype: np.dtype | None = None,
        distribution: Distribution | None = None,
    ) -> None:
        self.shape, self.statistics, self.path, self.dtype = shape, statistics, path, dtype
        self.distribution = distribution
        self._levels = levels or {}

    def read(self, level: int, rows: slice, columns: slice) -> np.ndarray | None:
        """Read samples of a level as a new array; None when the file has gone from the cache."""
        if level in self._levels:
            return self._levels[level][rows, columns].copy()
        # Opened for each read: nothing stays mapped, and the cache may remove the file.
        try:
            start = _offset(self.shape, level)
            whole = np.memmap(self.path, self.dtype, "r", start, level_shape(self.shape, level))
        except (OSError, ValueError):
            return None
        return np.array(whole[rows, columns])


def stored(source: Source, identity: Identity) -> Pyramid | None:
    """Return the pyramid in the cache, or None when there is none (or not a sound one)."""
    shape = source.shape
    path = cache.stored(identity, _suffix(source))
    if path is None:
        return None
    try:
        with path.open("rb") as stream:
            header = json.loads(stream.read(_HEADER).rstrip(b"\0"))
            end = _offset(shape, top_level(shape) + 1)
            sound = header["format"] == _FORMAT and header["shape"] == list(shape)
            if sound and path.stat().st_size == end + header["more"]:
                stream.seek(end)
                spread = Distribution.unpacked(header["spread"], stream.read()) if header["spread"] else None
                about = Statistics(**header["statistics"])
                return Pyramid(shape, about, path=path, dtype=source.dtype, distribution=spread)
    except (OSError, ValueError, KeyError, TypeError, zlib.error):
        return None  # it will be made again
    return None


def build(source: Source, identity: Identity | None, progress: Progress = silent, *, sample: np.ndarray) -> Pyramid:
    """Make the pyramid of an image; in the cache when it has an identity, else in memory.

    Parameters
    ----------
    sample : ndarray
        Some values, which tell in which range most of the others are.
    progress : callable
        May raise `Cancelled`, which leaves nothing behind.
    """
    if identity is not None:
        try:
            with cache.storing(identity, _suffix(source)) as path:
                _write(path, source, progress, sample)
        except OSError:
            pass  # no room or no right to write there: memory will do, it is a twelfth of the image
        else:
            found = stored(source, identity)
            if found is not None:
                return found
    return _in_memory(source, progress, sample)


def _suffix(source: Source) -> str:
    return f".{source.dtype.name}.pyramid"


def survey(
    source: Source, progress: Progress = silent, *, sample: np.ndarray
) -> tuple[Statistics, Distribution | None]:
    """Pass over an image only for its extremes and mean, and for how its values are spread."""
    builder = _builder(source, lambda level, row, column, data: None, sample)
    return builder.run(progress), builder.distribution


def _in_memory(source: Source, progress: Progress, sample: np.ndarray) -> Pyramid:
    numbers = range(FIRST_LEVEL, top_level(source.shape) + 1)
    levels = {n: np.empty(level_shape(source.shape, n), source.dtype) for n in numbers}

    def keep(level: int, row: int, column: int, data: np.ndarray) -> None:
        levels[level][row : row + data.shape[0], column : column + data.shape[1]] = data

    builder = _builder(source, keep, sample)
    found = builder.run(progress)
    return Pyramid(source.shape, found, levels=levels, distribution=builder.distribution)


def _write(path: Path, source: Source, progress: Progress, sample: np.ndarray) -> None:
    shape = source.shape
    with path.open("wb", buffering=0) as stream:
        # Written, not mapped: a full disk is then an error and not the end of the program.
        end = _offset(shape, top_level(shape) + 1)
        stream.truncate(end)

        def keep(level: int, row: int, column: int, data: np.ndarray) -> None:
            width = level_shape(shape, level)[1]
            parts = [data] if data.shape[1] == width else list(data[:, None])
            for number, part in enumerate(parts):
                stream.seek(_offset(shape, level) + 4 * ((row + number) * width + column))
                _write_all(stream, np.ascontiguousarray(part))

        builder = _builder(source, keep, sample)
        found = builder.run(progress)
        facts, content = builder.distribution.packed() if builder.distribution is not None else (None, b"")
        stream.seek(end)
        _write_all(stream, np.frombuffer(content, np.uint8))
        header = {"format": _FORMAT, "shape": shape, "statistics": asdict(found)}
        header |= {"spread": facts, "more": len(content)}
        stream.seek(0)
        stream.write(json.dumps(header).encode())


def _write_all(stream: Any, data: np.ndarray) -> None:
    view = memoryview(data).cast("B")
    while view:
        view = view[stream.write(view) :]


def _offset(shape: tuple[int, int], level: int) -> int:
    before = (level_shape(shape, n) for n in range(FIRST_LEVEL, level))
    return _HEADER + 4 * sum(rows * columns for rows, columns in before)


class _Keep(Protocol):
    def __call__(self, level: int, row: int, column: int, data: np.ndarray) -> None: ...


class _Builder:
    """One pass over an image that hands the samples of all levels to ``keep``."""

    def __init__(self, source: Source, keep: _Keep, sample: np.ndarray) -> None:
        self.source, self.keep = source, keep
        self.spread = Spread(sample, source.shape[0] * source.shape[1], grid=source.grid)
        self.distribution: Distribution | None = None
        shape = level_shape(source.shape, STRIP_LEVEL)
        self.sums, self.counts = np.zeros(shape), np.zeros(shape, np.int32)

    def run(self, progress: Progress) -> Statistics:
        """Take strip after strip, then the levels above the strips."""
        if self.source.shape[0] * self.source.shape[1] < MANY:
            for row, column, values in _strips(self.source, progress):
                self.spread.add(values)
                self._climb(row, column, values)
        else:
            self._climb_beside_counting(progress)
        top = top_level(self.source.shape)
        sums, counts = self.sums, self.counts
        for level in range(STRIP_LEVEL, top + 1):
            if level > STRIP_LEVEL:
                sums, counts = _halved(sums, counts)
            self.keep(level, 0, 0, means(sums, counts))
        return self._statistics()

    def _climb_beside_counting(self, progress: Progress) -> None:
        """Do it in two threads: counting takes as long as adding up, and both leave Python's lock alone."""
        with ThreadPoolExecutor(1, "jviz-counting") as other:
            for row, column, values in _strips(self.source, progress):
                counting = other.submit(self.spread.add, values)
                self._climb(row, column, values)
                counting.result()

    def _climb(self, row: int, column: int, values: np.ndarray) -> None:
        sums, counts = gathered(values)
        top = top_level(self.source.shape)
        for level in range(2, STRIP_LEVEL + 1):
            sums, counts = _halved(sums, counts)
            if FIRST_LEVEL <= level <= min(STRIP_LEVEL - 1, top):
                self.keep(level, row >> level, column >> level, means(sums, counts))
        place = np.s_[row >> STRIP_LEVEL :, column >> STRIP_LEVEL :]
        rows, columns = sums.shape
        self.sums[place][:rows, :columns], self.counts[place][:rows, :columns] = sums, counts

    def _statistics(self) -> Statistics:
        finite = int(self.counts.sum(dtype=np.int64))
        missing = self.source.shape[0] * self.source.shape[1] - finite
        if not finite:
            return Statistics(np.nan, np.nan, np.nan, 0, missing)
        self.distribution = self.spread.result()
        least, greatest = self.spread.extremes or (np.nan, np.nan)
        return Statistics(least, greatest, float(self.sums.sum() / finite), finite, missing)


class _FlagBuilder(_Builder):
    """The same for flags, of which a sample has every bit that a pixel below it has."""

    def __init__(self, source: Source, keep: _Keep, sample: np.ndarray) -> None:
        super().__init__(source, keep, sample[:0])
        self.flags = np.zeros(self.sums.shape, np.uint32)
        self.least, self.greatest = np.inf, -np.inf

    def run(self, progress: Progress) -> Statistics:
        for row, column, flags in _strips(self.source, progress):
            self._climb(row, column, flags)
        for level in range(STRIP_LEVEL, top_level(self.source.shape) + 1):
            self.keep(level, 0, 0, _either(self.flags, level - STRIP_LEVEL))
        finite = self.source.shape[0] * self.source.shape[1]
        return Statistics(self.least, self.greatest, float(self.sums.sum() / finite), finite, 0)

    def _climb(self, row: int, column: int, values: np.ndarray) -> None:
        self.least, self.greatest = min(self.least, int(values.min())), max(self.greatest, int(values.max()))
        flags = _either(values, 1)
        for level in range(FIRST_LEVEL, STRIP_LEVEL + 1):
            flags = _either(flags, 1)
            if level < STRIP_LEVEL and level <= top_level(self.source.shape):
                self.keep(level, row >> level, column >> level, flags)
        rows, columns = flags.shape
        place = np.s_[row >> STRIP_LEVEL :, column >> STRIP_LEVEL :]
        self.flags[place][:rows, :columns] = flags
        self.sums[place][0, 0] = values.sum(dtype=np.float64)


def _builder(source: Source, keep: _Keep, sample: np.ndarray) -> _Builder:
    return (_FlagBuilder if source.dtype == np.uint32 else _Builder)(source, keep, sample)


def _strips(source: Source, progress: Progress) -> Iterator[tuple[int, int, np.ndarray]]:
    rows, columns = source.shape
    height = max(1, STRIP_PIXELS // (min(columns, STRIP_COLUMNS) << STRIP_LEVEL)) << STRIP_LEVEL
    for row in range(0, rows, height):
        progress(row, rows, "making it sharp at every scale")
        for column in range(0, columns, STRIP_COLUMNS):
            part = slice(column, min(column + STRIP_COLUMNS, columns))
            yield row, column, source.read(slice(row, min(row + height, rows)), part, progress)


def gathered(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return sums and numbers of finite pixels of 2 × 2, the last ones of what there is."""
    shape = level_shape(values.shape, 1)
    sums, counts = np.empty(shape), np.empty(shape, np.int32)
    kernels.active().gather(values, sums, counts)
    return sums, counts


def _halved(sums: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    shape = level_shape(sums.shape, 1)
    half_sums, half_counts = np.empty(shape), np.empty(shape, counts.dtype)
    kernels.active().halve(sums, counts, half_sums, half_counts)
    return half_sums, half_counts


def means(sums: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Divide sums by numbers; NaN where there is nothing."""
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        return (sums / counts).astype(np.float32)


def reduced(values: np.ndarray, level: int, reduce: Reduce = "mean") -> np.ndarray:
    """Reduce pixels, which start at a cell of the level, to its samples."""
    if level == 0:
        return values
    if reduce == "mean":
        sums, counts = gathered(values)
        for _ in range(level - 1):
            sums, counts = _halved(sums, counts)
        return means(sums, counts)
    if reduce == "or":
        return _either(values, level)
    middle = ((1 << level) - 1) // 2
    rows, columns = level_shape(values.shape, level)
    i = np.minimum(np.arange(rows) * (1 << level) + middle, values.shape[0] - 1)
    j = np.minimum(np.arange(columns) * (1 << level) + middle, values.shape[1] - 1)
    return values[np.ix_(i, j)]


def _either(flags: np.ndarray, level: int) -> np.ndarray:
    for _ in range(level):
        rows, columns = flags.shape
        even = np.pad(flags, ((0, rows % 2), (0, columns % 2)))
        flags = even[0::2, 0::2] | even[0::2, 1::2] | even[1::2, 0::2] | even[1::2, 1::2]
    return flags
