"""Segments of an image of any size, found a tile at a time and the same as if it had been looked at whole."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from jviz.backend.progress import Progress, silent
from jviz.backend.room import let_go, room
from jviz.errors import CommandError

__all__ = ["Segments", "Tile", "Tiles", "Window", "bands", "find_segments", "gaussian", "label_boxes", "labels_in",
           "windows"]  # fmt: skip

FWHM = 2.0 * np.sqrt(2.0 * np.log(2.0))

WHOLE = 1 << 25
"""Pixels of an image that is worked on in one piece."""

PIECE = 1 << 22
"""Pixels of the tiles of a larger one."""


@dataclass(frozen=True)
class Tile:
    """A part of an image.

    Attributes
    ----------
    values : ndarray of float, shape (ny, nx)
        Less the background, NaN where nothing is known.
    level, rms : ndarray
        Background, and the noise of each pixel.
    mask : ndarray of bool
        Pixels that are not used, those without a value among them.
    error : ndarray or None
        Standard deviations of the pixels, where the data have them.
    """

    values: np.ndarray
    level: np.ndarray
    rms: np.ndarray
    mask: np.ndarray
    error: np.ndarray | None = None

    def part(self, rows: slice, columns: slice) -> Tile:
        """Return a part of it."""
        planes = (self.values, self.level, self.rms, self.mask, self.error)
        return Tile(*(None if plane is None else plane[rows, columns] for plane in planes))


Tiles = Callable[[slice, slice], Tile]
"""``tiles(rows, columns)`` returns a part of an image."""


@dataclass(frozen=True)
class Segments:
    """Sources of an image.

    Attributes
    ----------
    labels : ndarray of int32, shape (ny, nx)
        0: no source. Labels ascend from 1 without gaps, row by row with the first pixel of what was connected.
    count : int
    tiles : callable
        What they were found on.
    fwhm : float
        Of the Gaussian that smoothed it, in pixels; 0: none.
    whole : ndarray, optional
        The smoothed image, where it was worked on in one piece.
    """

    labels: np.ndarray
    count: int
    tiles: Tiles
    fwhm: float = 0.0
    whole: np.ndarray | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """(ny, nx)"""
        return self.labels.shape[0], self.labels.shape[1]

    def smooth(self, rows: slice, columns: slice) -> np.ndarray:
        """Return the smoothed light of a part, 0 where nothing is known."""
        if self.whole is not None:
            return self.whole[rows, columns]
        return smooth_part(self.tiles, self.shape, rows, columns, self.fwhm)[0]


@dataclass(frozen=True)
class Window:
    """A part of an image that holds some segments and what is round them.

    Attributes
    ----------
    rows, columns : slice
    numbers : ndarray of int
        The labels that are worked on.
    """

    rows: slice
    columns: slice
    numbers: np.ndarray


def bands(shape: tuple[int, int]) -> list[slice]:
    """Return the rows of the tiles of an image: all of it, or bands of so many pixels."""
    ny, nx = shape
    height = ny if ny * nx <= WHOLE else max(PIECE // nx, 16)
    return [slice(first, min(first + height, ny)) for first in range(0, ny, height)]


def smooth_part(
    tiles: Tiles, shape: tuple[int, int], rows: slice, columns: slice, fwhm: float
) -> tuple[np.ndarray, Tile, float]:
    """Smooth a part of an image by a Gaussian, with what lies beside it.

    Returns
    -------
    smooth : ndarray of float32
        0 beyond the image and where nothing is known.
    tile : Tile
        The part as it is.
    factor : float
        Of the scatter of noise that is independent from pixel to pixel.
    """
    from jviz.backend.photometry.smoothing import smooth

    kernel = gaussian(fwhm)
    reach = len(kernel) // 2
    wide = tuple(slice(max(part.start - reach, 0), min(part.stop + reach, n))
                 for part, n in zip((rows, columns), shape, strict=True))  # fmt: skip
    tile = tiles(*wide)
    inner = tuple(slice(part.start - more.start, part.stop - more.start)
                  for part, more in zip((rows, columns), wide, strict=True))  # fmt: skip
    clean = np.where(tile.mask, np.float32(0), tile.values.astype(np.float32, copy=False))
    made = clean
    if reach:
        made = np.empty(clean.shape, np.float32)
        smooth(clean, kernel.astype(np.float32), made)
    return np.ascontiguousarray(made[inner]), tile.part(*inner), float((kernel**2).sum())


def gaussian(fwhm: float) -> np.ndarray:
    """Return the kernel of a Gaussian along one axis; one pixel for a width of 0."""
    if fwhm <= 0:
        return np.ones(1)
    sigma = fwhm / FWHM
    reach = max(1, int(4 * sigma + 0.5))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    return kernel / kernel.sum()


def find_segments(
    tiles: Tiles,
    shape: tuple[int, int],
    *,
    snr: float = 3.0,
    npixels: int = 5,
    fwhm: float = 2.0,
    deblend: bool = True,
    levels: int = 32,
    contrast: float = 0.005,
    progress: Progress = silent,
    parts: list[slice] | None = None,
) -> Segments | None:
    """Find connected pixels above a threshold, and split those that blend; None when there are none.

    Parameters
    ----------
    tiles : callable
    shape : (int, int)
    snr : float
        Threshold over the scatter of the smoothed image.
    npixels : int
        Fewest connected pixels of a source.
    fwhm : float
        Of the Gaussian that smooths it for the detection, in pixels.
    deblend : bool
        As in SExtractor, with so many levels and the contrast.
    parts : list of slice, optional
        Rows of the tiles; by default as `bands` has them.
    """
    from jviz.backend.photometry.label_kernels import label_rows, relabel, settle

    if not (np.isfinite(snr) and snr > 0 and npixels >= 1):
        raise CommandError(f"A threshold of S/N {snr:g} over {npixels} pixels finds nothing; both must be above 0.")
    parts = bands(shape) if parts is None else parts
    labels = room(shape, np.int32)
    parents, areas, count = np.zeros(1, np.int32), np.zeros(1, np.int32), 0
    for rows in parts:
        progress(rows.start, shape[0], "finding sources")
        smooth, tile, factor = smooth_part(tiles, shape, rows, slice(0, shape[1]), fwhm)
        with np.errstate(invalid="ignore"):
            above = smooth > (snr * factor) * tile.rms  # never where the noise is not known
        above &= ~tile.mask
        parents, areas = (_longer(t, count + above.size // 4 + sum(above.shape) + 2) for t in (parents, areas))
        count = label_rows(above, labels, rows.start, parents, areas, count)
    kept = settle(parents, areas, count, npixels)
    if not kept:
        return None
    for rows in parts:
        relabel(labels[rows], parents)
        let_go(labels)
    found = Segments(labels, kept, tiles, fwhm, smooth if len(parts) == 1 else None)
    return _split(found, npixels, levels, contrast, progress, parts) if deblend else found


def _longer(table: np.ndarray, size: int) -> np.ndarray:
    """Return a table with room for so many, what it holds in front."""
    if len(table) >= size:
        return table
    made = np.empty(size, table.dtype)
    made[: len(table)] = table
    return made


def label_boxes(labels: np.ndarray, count: int, parts: list[slice]) -> np.ndarray:
    """Return the box of each label, shape (count, 4): rows and columns, with both ends."""
    from jviz.backend.photometry.label_kernels import boxes

    found = np.zeros((count + 1, 4), np.int64)
    found[:, ::2] = 1 << 40
    for rows in parts:
        boxes(labels[rows], rows.start, found)
        let_go(labels)
    return found[1:]


def windows(
    boxes: np.ndarray, shape: tuple[int, int], parts: list[slice], margin: float = 0.0, extra: int = 0,
    alone: np.ndarray | None = None,
) -> Iterator[Window]:  # fmt: skip
    """Share segments out to parts of the image that hold them with what is round them.

    A window is as wide as the image, and about as high as a tile; large segments have their own.

    Parameters
    ----------
    boxes : ndarray, shape (n, 4)
    margin : float
        Of a segment, over the diagonal of its box.
    extra : int
        Pixels more.
    alone : ndarray of int, optional
        Only these labels, each in a window of its own.
    """
    ny, nx = shape
    height, width = boxes[:, 1] - boxes[:, 0], boxes[:, 3] - boxes[:, 2]
    reach = np.ceil(margin * np.hypot(height, width)).astype(int) + extra
    usual = max(parts[0].stop - parts[0].start, 1)
    single = np.zeros(len(boxes), bool) if len(parts) == 1 else height + 2 * reach > usual // 2
    if alone is not None:
        single[alone - 1] = True
    start = np.array([part.start for part in parts])
    owner = np.searchsorted(start, boxes[:, 0], side="right") - 1
    for number in range(len(parts)):
        mine = np.flatnonzero((owner == number) & ~single)
        if len(mine) and alone is None:
            low = max(int((boxes[mine, 0] - reach[mine]).min()), 0)
            high = min(int((boxes[mine, 1] + reach[mine]).max()), ny)
            yield Window(slice(low, high), slice(0, nx), mine + 1)
        for k in np.flatnonzero((owner == number) & single):
            if alone is not None and k + 1 not in alone:
                continue
            y0, y1, x0, x1 = (int(v) for v in boxes[k])
            r = int(reach[k])
            yield Window(slice(max(y0 - r, 0), min(y1 + r, ny)), slice(max(x0 - r, 0), min(x1 + r, nx)),
                         np.array([k + 1]))  # fmt: skip


@dataclass(frozen=True)
class _Pieces:
    """What a segment was split into: the number of the piece of each pixel of its box, −1 beside it."""

    label: int
    count: int
    box: tuple[slice, slice]
    numbers: np.ndarray


def _split(
    found: Segments, npixels: int, levels: int, contrast: float, progress: Progress, parts: list[slice]
) -> Segments:
    """Split segments with several peaks; labels stay in the order of what they were split from."""
    from photutils.segmentation import SegmentationImage, deblend_sources

    done, split = 0, []
    for window in windows(label_boxes(found.labels, found.count, parts), found.shape, parts):
        done += len(window.numbers)
        progress(done, found.count, f"splitting {found.count} segments")
        before = SegmentationImage(labels_in(found, window))
        smooth = found.smooth(window.rows, window.columns)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            after = deblend_sources(smooth, before, npixels, n_levels=levels, contrast=contrast, relabel=False,
                                    progress_bar=False)  # fmt: skip
        split += _pieces(window, before, after)
        let_go(found.labels)
    return _renumbered(found, split, parts)


def labels_in(found: Segments, window: Window) -> np.ndarray:
    """Return the labels of a window that are worked on, from 1 without gaps; all else is 0."""
    from jviz.backend.photometry.label_kernels import relabel

    part = np.array(found.labels[window.rows, window.columns], order="C")
    if len(window.numbers) < found.count:
        table = np.zeros(found.count + 1, np.int32)
        table[window.numbers] = np.arange(1, len(window.numbers) + 1)
        relabel(part, table)
    return part


def _pieces(window: Window, before: Any, after: Any) -> list[_Pieces]:
    made = []
    for label, children in after.parent_to_deblended_labels.items():
        box = before.slices[label - 1]
        inside, numbers = after.data[box], np.full(after.data[box].shape, -1, np.int32)
        for number, child in enumerate(children):
            numbers[inside == child] = number
        whole = tuple(slice(p.start + w.start, p.stop + w.start)
                      for p, w in zip(box, (window.rows, window.columns), strict=True))  # fmt: skip
        made.append(_Pieces(int(window.numbers[label - 1]), len(children), whole, numbers))
    return made


def _renumbered(found: Segments, split: list[_Pieces], parts: list[slice]) -> Segments:
    from jviz.backend.photometry.label_kernels import relabel

    count = np.ones(found.count + 1, np.int32)
    for pieces in split:
        count[pieces.label] = pieces.count
    first = np.concatenate([[0], 1 + np.cumsum(count[1:]) - count[1:]]).astype(np.int32)
    for rows in parts:
        relabel(found.labels[rows], first)
        let_go(found.labels)
    for pieces in split:
        there = pieces.numbers >= 0
        found.labels[pieces.box][there] = first[pieces.label] + pieces.numbers[there]
    return Segments(found.labels, int(count[1:].sum()), found.tiles, found.fwhm, found.whole)
