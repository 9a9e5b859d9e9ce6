"""Means over the data pixels that share one of the picture, where pixels are not drawn square."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from weakref import WeakKeyDictionary

import numpy as np

from jviz.backend.render.blocks import Block

__all__ = ["pooled"]

_made: WeakKeyDictionary[Block, tuple[tuple[int, int], Block]] = WeakKeyDictionary()


def pooled(blocks: Sequence[Block], steps: tuple[float, float]) -> list[Block]:
    """Return blocks whose samples are means along the axis on which several fall on a pixel of the picture.

    Blocks are as fine as the axis that is magnified needs; along the other one every n-th sample alone would be seen,
    and lines would be lost.

    Parameters
    ----------
    steps : (float, float)
        Data pixels for each pixel of the picture, along x and y.
    """
    return [_pooled(block, (int(steps[0] / block.step + 1e-6), int(steps[1] / block.step + 1e-6))) for block in blocks]


def _pooled(block: Block, counts: tuple[int, int]) -> Block:
    if max(counts) < 2 or block.data.dtype.kind != "f":
        return block
    known = _made.get(block)
    if known is None or known[0] != counts:
        data = block.data
        for axis, first, count in ((1, block.x0, counts[0]), (0, block.y0, counts[1])):
            if count > 1:
                data = _means(data, axis, round((first + 0.5) / block.step - 0.5), count)
        known = _made[block] = (counts, replace(block, data=data))
    return known[1]


def _means(data: np.ndarray, axis: int, first: int, count: int) -> np.ndarray:
    """Replace samples by the means of groups of them, which begin at multiples of a number of the whole image."""
    length = data.shape[axis]
    starts = np.arange(-(first % count), length, count)
    sizes = np.diff(np.append(np.maximum(starts, 0), length))
    starts = np.maximum(starts, 0)
    finite = np.isfinite(data)
    sums = np.add.reduceat(np.where(finite, data, 0), starts, axis=axis)
    known = np.add.reduceat(finite, starts, axis=axis, dtype=np.float32)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = (sums / known).astype(data.dtype)
    return np.repeat(means, sizes, axis=axis)
