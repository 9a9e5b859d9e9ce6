"""How the values of all pixels are spread: percentiles and histograms, from one pass with bounded memory.

Most pixels of an image lie in a range that a sample tells; they are counted in a hundred thousand bins of
it, so fine that what is worked out of them is exact to a thousandth of what a screen can show. The few outside
are kept one by one. Scaled integers, which have a bin for each of their values, are exact.
"""

from __future__ import annotations

import zlib
from typing import Any, Protocol

import numpy as np

from jviz.backend.render import kernels

__all__ = ["Counted", "Distribution", "Spread", "Values"]

BINS = 1 << 17
MOST_OUTSIDE = 1 << 21
"""Pixels kept one by one; beyond that the range is made wider."""

OUTSIDE = 0.004
"""Share of the pixels on either side that is left outside of the bins, unless that is too many.

Bright stars would stretch the range, and make the bins of the sky wide.
"""


class Counted(Protocol):
    """What knows how values are spread."""

    size: int

    def percentile(self, percent: float) -> float:
        """Return the value below which so many per cent are, as `numpy.percentile` does."""

    def counts(self, edges: np.ndarray) -> np.ndarray:
        """Return how many values lie between edges, which rise."""


class Values:
    """Values at hand.

    Parameters
    ----------
    values : ndarray
        Of any shape; what is not finite is left out.
    """

    def __init__(self, values: np.ndarray) -> None:
        self._sorted = np.sort(values[np.isfinite(values)], axis=None)
        self.size = self._sorted.size

    def percentile(self, percent: float) -> float:
        """Return the value below which so many per cent are; NaN when there are none."""
        return _at_rank(percent, self.size, lambda rank: float(self._sorted[rank]))

    def counts(self, edges: np.ndarray) -> np.ndarray:
        """Return how many values lie between edges, which rise."""
        return np.diff(np.searchsorted(self._sorted, edges)).astype(float)


class Distribution:
    """The values of all pixels.

    Parameters
    ----------
    start, width : float
        Lower edge of the first bin, and how wide each is, in data units.
    bins : ndarray of uint32
        Pixels in each.
    low, high : ndarray of float32
        The values below and above the bins, sorted.
    span : (float, float)
        The least and the greatest value.
    whole : bool
        Whether a bin stands for one value, which is in its middle.
    """

    def __init__(
        self,
        start: float,
        width: float,
        bins: np.ndarray,
        low: np.ndarray,
        high: np.ndarray,
        span: tuple[float, float],
        *,
        whole: bool,
    ) -> None:
        self.start, self.width, self.low, self.high, self.whole = start, width, low, high, whole
        self.span = span
        self._bins = bins
        self._upto = np.concatenate([[0], np.cumsum(bins, dtype=np.int64)])
        self.size = int(low.size + self._upto[-1] + high.size)

    def percentile(self, percent: float) -> float:
        """Return the value below which so many per cent are; NaN when there are none."""
        return _at_rank(percent, self.size, self._value)

    def _value(self, rank: int) -> float:
        """Return the value that has so many below it."""
        if rank < self.low.size:
            return float(self.low[rank])
        rank -= self.low.size
        if rank >= self._upto[-1]:
            return float(self.high[rank - self._upto[-1]])
        number = int(np.searchsorted(self._upto, rank, "right")) - 1
        share = 0.5 if self.whole else (rank - self._upto[number] + 0.5) / self._bins[number]
        # Pixels are float32: where a bin holds one of those, that is it.
        value = float(np.float32(self.start + (number + share) * self.width))
        return min(max(value, self.span[0]), self.span[1])

    def counts(self, edges: np.ndarray) -> np.ndarray:
        """Return how many values lie between edges, which rise; parts of a bin are taken as evenly filled."""
        edges = np.asarray(edges, float)
        place = (edges - self.start) / self.width
        if self.whole:
            place = np.round(place)  # an edge within the bin of a number is before or after that number
        inside = np.interp(place, np.arange(self._upto.size), self._upto)
        below = np.searchsorted(self.low, edges) + np.searchsorted(self.high, edges)
        return np.diff(inside + below)

    # --- on disk --------------------------------------------------------------------------------

    def packed(self) -> tuple[dict[str, Any], bytes]:
        """Return what `unpacked` needs: facts for JSON, and bytes."""
        bins = zlib.compress(self._bins.tobytes(), 1)
        facts = {"start": self.start, "width": self.width, "whole": self.whole, "bins": len(bins), "span": self.span}
        facts |= {"low": self.low.size, "high": self.high.size}
        return facts, bins + self.low.tobytes() + self.high.tobytes()

    @classmethod
    def unpacked(cls, facts: dict[str, Any], content: bytes) -> Distribution:
        """Make one of what `packed` gave.

        Raises
        ------
        ValueError, KeyError, zlib.error
            When it is not that.
        """
        bins = np.frombuffer(zlib.decompress(content[: facts["bins"]]), np.uint32)
        rest = np.frombuffer(content[facts["bins"] :], np.float32)
        if rest.size != facts["low"] + facts["high"]:
            raise ValueError("values are missing")
        low, high = rest[: facts["low"]], rest[facts["low"] :]
        return cls(facts["start"], facts["width"], bins, low, high, tuple(facts["span"]), whole=facts["whole"])


class Spread:
    """Gathers a `Distribution` from parts of an image.

    Parameters
    ----------
    sample : ndarray
        Values spread over the image, from which the range of the bins is chosen; where none is finite,
        the first part that has some decides.
    pixels : int
        Of the image.
    grid : (float, float), optional
        First value and step of values of which each is so many steps from the first: scaled integers.
    """

    def __init__(self, sample: np.ndarray, pixels: int, *, grid: tuple[float, float] | None = None) -> None:
        self._share = min(OUTSIDE, 0.3 * MOST_OUTSIDE / max(pixels, 1))
        self._least, self._greatest = np.inf, -np.inf
        self._grid = grid
        self._is_ready = False
        self._outside: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
        self._choose(sample)

    def add(self, values: np.ndarray) -> None:
        """Take in a part of the image, float32, shape (rows, columns)."""
        if not self._is_ready and not self._choose(values):
            return
        self._count(values)
        while sum(part.size for side in self._outside for part in side) > MOST_OUTSIDE:
            self._widen()

    @property
    def extremes(self) -> tuple[float, float] | None:
        """The least and the greatest finite value so far, None when there is none."""
        low, high = self._outside
        least = min((float(part.min()) for part in low), default=self._least)
        greatest = max((float(part.max()) for part in high), default=self._greatest)
        return (least, greatest) if least <= greatest else None

    def result(self) -> Distribution | None:
        """Return the whole; None when no pixel is finite."""
        span = self.extremes
        if span is None:
            return None
        low, high = (np.sort(np.concatenate([np.empty(0, np.float32), *side])) for side in self._outside)
        return Distribution(self._start, self._width, self._bins[1:-2], low, high, span, whole=self._is_whole)

    # --- the range ------------------------------------------------------------------------------

    def _choose(self, sample: np.ndarray) -> bool:
        """Choose the range of the bins; False when no value is finite."""
        finite = sample[np.isfinite(sample)].astype(float)
        if not finite.size:
            return False
        low, high = np.quantile(finite, (self._share, 1 - self._share))
        if low == high:
            low, high = finite.min(), finite.max()
        margin = 0.05 * (high - low) or abs(low) * 1e-3 or 1e-30
        low, high = low - margin, high + margin
        zero, step = self._grid or (0.0, 0.0)
        self._is_whole = bool(0.0 < high - low < (BINS - 2) * step)
        if self._is_whole:
            low, self._width = zero + (np.floor((low - zero) / step) - 0.5) * step, step
        else:
            # As the kernels have it, which count in float32: edges are where they say.
            self._width = 1.0 / float(np.float32(BINS / (high - low)))
        self._start = float(np.float32(low))
        self._bins = np.zeros(BINS + 3, np.uint32)
        self._is_ready = True
        return True

    def _count(self, values: np.ndarray) -> None:
        low, high = np.empty(values.size, np.float32), np.empty(values.size, np.float32)
        module = kernels.active()
        numbers = module.survey(values, np.float32(self._start), np.float32(1.0 / self._width), self._bins, low, high)
        for side, part, number in zip(self._outside, (low, high), numbers, strict=True):
            if number:
                side.append(part[:number].copy())
        if not all(self._outside):
            # Among the values outside the extremes are found at the end; that saves a fifth of the time.
            least, greatest = module.extremes(values)
            self._least, self._greatest = min(self._least, least), max(self._greatest, greatest)

    def _widen(self) -> None:
        """Make bins twice as wide, towards the side on which more values lie outside, and count those anew."""
        below, above = (sum(part.size for part in side) for side in self._outside)
        joined = self._bins[1:-2].reshape(-1, 2).sum(axis=1, dtype=np.uint32)
        self._bins = np.zeros(BINS + 3, np.uint32)
        if below > above:
            self._start = float(np.float32(self._start - BINS * self._width))
            self._bins[1 + BINS // 2 : -2] = joined
        else:
            self._bins[1 : 1 + BINS // 2] = joined
        self._width *= 2
        self._is_whole = False
        kept = [part for side in self._outside for part in side]
        self._outside = ([], [])
        self._count(np.concatenate(kept)[None, :])


def _at_rank(percent: float, size: int, value: Any) -> float:
    """Return a percentile between the values of the two ranks about it."""
    if not size:
        return float("nan")
    rank = min(max(percent, 0.0), 100.0) / 100 * (size - 1)
    first = int(rank)
    low, high = value(first), value(min(first + 1, size - 1))
    return low + (rank - first) * (high - low)
