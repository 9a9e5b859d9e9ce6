"""From a block of data to the pixels of a viewport, in one pass that releases the GIL.

Until `warm_up` has imported numba, numpy does the same work with the same result.
Pictures are uint32 arrays 0xAARRGGBB with premultiplied alpha, as Qt draws fastest
(``QImage.Format_ARGB32_Premultiplied``).
"""

import os
import threading
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Literal

import numpy as np

from jviz.backend.render import numpy_kernels
from jviz.backend.render.mesh import Mesh

if TYPE_CHECKING:
    from jviz.backend.render.blocks import Block

__all__ = [
    "active", "blend", "colour", "colour_flags", "lupton", "lupton_curve", "ready", "resample", "veil", "warm_up",
]  # fmt: skip

BlendMode = Literal["normal", "add", "screen", "multiply", "lighten", "difference"]
_MODES = {"normal": 0, "add": 1, "screen": 2, "multiply": 3, "lighten": 4, "difference": 5}

LARGE = 1 << 19
"""Pixels from which a picture is worth a second thread, whose start takes a tenth of a millisecond."""

STRIP = 64
"""Rows that numpy works on at a time: for a viewport at once it would take two to three times as long."""

ready = False
"""Whether the compiled kernels are in use."""

_active: ModuleType = numpy_kernels
_warming = threading.Lock()


def active() -> ModuleType:
    """Return the module of kernels in use: numpy's until `warm_up` is through."""
    return _active


def colour(
    block: "Block",
    mesh: Mesh,
    table: np.ndarray,
    low: float,
    high: float,
    out: np.ndarray,
    *,
    blank: int = 0,
    smooth: bool = False,
    clear: bool = True,
) -> None:
    """Colour the part of a block that a viewport shows.

    Parameters
    ----------
    block : Block
        The data, float32.
    mesh : Mesh
    table : ndarray of uint32, shape (n,)
        Colours from ``low`` to ``high``, as from `look_table`.
    low, high : float
        Data values of the first and the last colour; ``low > high`` turns them round.
    out : ndarray of uint32, shape (height, width)
        The picture that is filled.
    blank : int
        Colour of NaN, ARGB; 0 is transparent.
    smooth : bool
        Interpolate between samples instead of showing the nearest.
    clear : bool
        Make pixels outside of the block transparent; else they stay as they are.
    """
    if low == high:
        high = low + max(abs(low) * 1e-6, 1e-30)
    low, high = low - block.offset, high - block.offset
    factor = (len(table) - 1) / (float(high) - float(low))
    table = np.require(table, np.uint32, "CW")  # a read-only one would be compiled for anew
    place, brightness = _in_samples(block, mesh, out), (table, float(low), factor, np.uint32(blank))

    def rows(first: int, last: int) -> None:
        _active.colour_rows(block.data, *place, *brightness, smooth, clear, out[first:last], first)

    _in_parts(rows, out)


def _in_parts(rows: Callable[[int, int], None], out: np.ndarray) -> None:
    """Work on the two halves of a large picture at the same time; with numpy, on strips that its caches can hold."""
    height = len(out)
    if not ready:
        for first in range(0, height, STRIP):
            rows(first, min(first + STRIP, height))
        return
    if out.size < LARGE:
        rows(0, height)
        return
    other = threading.Thread(target=rows, args=(height // 2, height))
    other.start()
    rows(0, height // 2)
    other.join()


def colour_flags(block: "Block", mesh: Mesh, colours: np.ndarray, out: np.ndarray, *, clear: bool = True) -> None:
    """Colour the flags that a viewport shows.

    Parameters
    ----------
    block : Block
        From a raster with ``reduce="or"``: uint32.
    colours : ndarray of uint32, shape (32,)
        Premultiplied ARGB of each bit, 0 for bits not to be shown; the lowest bit wins.
    """
    _active.flag_rows(block.data, *_in_samples(block, mesh, out), colours, clear, out)


def veil(
    block: "Block", mesh: Mesh, order: tuple[int, ...], colours: np.ndarray, out: np.ndarray, *, opacity: float = 1.0
) -> None:
    """Lay the flags that a viewport shows over a picture, in place.

    Parameters
    ----------
    block : Block
        From a raster with ``reduce="or"``: uint32.
    order : tuple of int
        The bits that are shown; of those set in a pixel the first one here is.
    colours : ndarray of uint32, shape (32,)
        Opaque ARGB of each bit.
    out : ndarray of uint32, shape (height, width)
        Premultiplied ARGB.
    opacity : float
    """
    if not order:
        return
    bits = np.array([1 << bit for bit in order], np.uint32)
    share, tints = np.uint32(round(min(max(opacity, 0.0), 1.0) * 256)), np.zeros(len(order), np.uint32)
    for shift in (np.uint32(0), np.uint32(8), np.uint32(16), np.uint32(24)):
        channel = (colours[list(order)] >> shift) & np.uint32(255)
        tints |= ((channel * share + np.uint32(128)) >> np.uint32(8)) << shift
    place = _in_samples(block, mesh, out)

    def rows(first: int, last: int) -> None:
        _active.veil_rows(block.data, *place, bits, tints, out[first:last], first)

    _in_parts(rows, out)


def resample(block: "Block", mesh: Mesh, out: np.ndarray, *, smooth: bool = False) -> None:
    """Fill ``out`` (float32) with the data that a viewport shows, above the offset of the block; NaN outside."""
    place = _in_samples(block, mesh, out)

    def rows(first: int, last: int) -> None:
        _active.value_rows(block.data, *place, smooth, out[first:last], first)

    _in_parts(rows, out)


def blend(out: np.ndarray, layer: np.ndarray, opacity: float = 1.0, mode: BlendMode = "normal") -> None:
    """Lay a picture over another, in place.

    Parameters
    ----------
    out, layer : ndarray of uint32, shape (height, width)
        Premultiplied ARGB.
    opacity : float
        Of the layer, 0 to 1.
    mode : str
        ``"normal"`` covers, ``"add"`` adds light, ``"screen"`` adds without burning out, ``"multiply"``
        filters, ``"lighten"`` takes the brighter of each channel, ``"difference"`` how far they are apart.
    """
    if out.shape != layer.shape:
        raise ValueError(f"pictures of {out.shape} and {layer.shape} pixels cannot be blended")
    share = np.uint32(round(min(max(opacity, 0.0), 1.0) * 256))

    def rows(first: int, last: int) -> None:
        _active.blend(out[first:last], layer[first:last], share, _MODES[mode])

    _in_parts(rows, out)


def lupton(
    values: np.ndarray,
    hues: np.ndarray,
    limits: np.ndarray,
    out: np.ndarray,
    *,
    q: float = 8.0,
    stretch: float = 0.5,
) -> None:
    """Bring layers into one picture that keeps the colours of bright sources.

    The mean brightness I of the channels becomes F(I) = asinh(Q I / stretch) s, and all channels are
    multiplied by F(I) / I; where one would exceed the brightest, all are scaled to fit
    (Lupton et al. 2004, PASP 116, 133, with the slope s of astropy's ``make_lupton_rgb``).

    Parameters
    ----------
    values : ndarray of float32, shape (n, height, width)
        NaN counts as nothing; pixels where all are NaN are left as they are.
    hues : ndarray of float, shape (n, 3)
        Red, green, blue of each layer, 0 to 1; a channel's sum over the layers is brought down to 1.
    limits : ndarray of float, shape (n, 2)
        Values of each layer that count 0 and 1.
    out : ndarray of uint32, shape (height, width)
    q, stretch : float
    """
    soften, slope = lupton_curve(q, stretch)
    low, factor = limits[:, 0].astype(float), 1.0 / np.where(np.ptp(limits, axis=1) == 0, 1.0, np.diff(limits)[:, 0])
    hues = hues / np.maximum(hues.sum(axis=0), 1.0)
    values = np.ascontiguousarray(values)

    def rows(first: int, last: int) -> None:
        _active.lupton(values, hues, low, factor, soften, slope, out[first:last], first)

    _in_parts(rows, out)


def lupton_curve(q: float, stretch: float) -> tuple[float, float]:
    """Return (soften, slope) of F(I) = asinh(soften I) slope, where F(stretch / 10) is a tenth of the brightest."""
    q = max(q, 0.1 / 2**23)
    return q / stretch, 0.1 / float(np.arcsinh(0.1 * q))


def no_pause() -> None:
    """Go on at once."""


def warm_up(pause: Callable[[], None] = no_pause) -> None:
    """Import and load the compiled kernels, then use them. For a thread: takes about a second.

    The first time on a machine they are compiled, which takes longer.

    Parameters
    ----------
    pause : callable
        Called before each kernel, so that others come to use Python.
    """
    global _active, ready
    with _warming:
        if ready:
            return
        choose_cache()
        from jviz.backend.render import crowd_kernels, line_kernels, numba_kernels

        for _ in chain(_exercise(numba_kernels), _exercise_lines(line_kernels), _exercise_crowd(crowd_kernels)):
            pause()
        _active, ready = numba_kernels, True


def _in_samples(block: "Block", mesh: Mesh, out: np.ndarray) -> tuple:
    """Express a mesh and the edges of a block in samples: sample j spans j … j + 1."""
    _check(block, mesh, out)
    x, y = ((grid - zero) / block.step + 0.5 for grid, zero in ((mesh.x, block.x0), (mesh.y, block.y0)))
    x0, y0, x1, y1 = block.extent
    edges = tuple(
        (float(edge) - zero) / block.step + 0.5
        for edge, zero in ((x0, block.x0), (y0, block.y0), (x1, block.x0), (y1, block.y0))
    )
    return x, y, mesh.whole, mesh.step, edges


def _check(block: "Block", mesh: Mesh, out: np.ndarray) -> None:
    # Compiled code would read and write beyond what is too small, and end the program.
    rows, columns = (number * mesh.step for number in mesh.whole.shape)
    if rows < out.shape[0] or columns < out.shape[1]:
        raise ValueError(f"the mesh covers {columns} × {rows} pixels, the picture has {out.shape[::-1]}")
    if not (block.data.flags.c_contiguous and out.flags.c_contiguous):
        raise ValueError("the block and the picture must be C-contiguous arrays")


def choose_cache() -> None:
    """Let numba keep compiled kernels in the cache folder where the source is read-only."""
    # numba keeps compiled code beside the source, and gives up where that is read-only.
    if "NUMBA_CACHE_DIR" in os.environ or os.access(Path(__file__).parent, os.W_OK):
        return
    import numba

    from jviz.backend import cache

    os.environ["NUMBA_CACHE_DIR"] = numba.config.CACHE_DIR = str(cache.folder("numba"))


def _exercise(module: ModuleType) -> Iterator[None]:
    """Call every kernel once with the types that the engine uses, one at each step, so that none compiles later."""
    data, flags = np.zeros((2, 2), np.float32), np.zeros((2, 2), np.uint32)
    grid, whole = np.zeros((2, 2)), np.ones((1, 1), bool)
    out, table = np.zeros((2, 2), np.uint32), np.zeros(32, np.uint32)
    place = (grid, grid, whole, 2, (0.0, 0.0, 2.0, 2.0))
    module.colour_rows(data, *place, table, 0.0, 1.0, np.uint32(0), False, True, out, 0)
    yield
    module.value_rows(data, *place, False, data.copy(), 0)
    yield
    module.flag_rows(flags, *place, table, True, out)
    yield
    module.veil_rows(flags, *place, np.ones(1, np.uint32), np.zeros(1, np.uint32), out, 0)
    yield
    module.blend(out, out.copy(), np.uint32(256), 0)
    yield
    module.lupton(data[None].copy(), np.ones((1, 3)), np.zeros(1), np.ones(1), 1.0, 1.0, out, 0)
    yield
    sums, counts = np.zeros((1, 1)), np.zeros((1, 1), np.int32)
    module.gather(data, sums, counts)
    yield
    module.halve(sums, counts, sums.copy(), counts.copy())
    yield
    module.survey(data, np.float32(0.0), np.float32(1.0), table, data.ravel(), data.ravel())
    yield
    module.extremes(data)
    yield


def _exercise_lines(module: ModuleType) -> Iterator[None]:
    starts, numbers, colours = np.array([0, 2]), np.zeros(1, int), np.zeros(1, np.uint32)
    module.draw_outlines(
        np.zeros((2, 2)), starts, numbers, numbers, colours, np.zeros((2, 3)), np.zeros((2, 2), np.uint32)
    )
    yield


def _exercise_crowd(module: ModuleType) -> Iterator[None]:
    points, rows, to, numbers = np.zeros(2), np.ones(2, bool), np.zeros((2, 3)), np.zeros(2, np.int64)
    module.count_points(points, points, rows, to, np.zeros((1, 1), np.uint32))
    yield
    module.gather(points, points, rows, to, np.zeros(4), numbers)
    yield
    module.add_points(points, points, rows, to, numbers, np.zeros((1, 1), np.uint32), np.zeros((1, 1), np.int64))
    yield
    module.stamp_points(numbers, numbers, numbers, np.zeros((1, 1), np.uint8), np.zeros((1, 1), np.uint32))
    yield
    cells = np.zeros((1, 1), np.uint8)
    module.inside(points, points, to, np.zeros((2, 2)), np.zeros(2, np.int64), numbers, 0.0, 1.0, cells, rows)
    yield
    module.tint(np.zeros((1, 1), np.uint32), np.zeros(1, np.uint32), np.zeros((1, 1), np.uint32))
    yield
