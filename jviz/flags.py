"""Data quality flags of images: which there are, what they are called, how they are coloured, where they are set."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np

from jviz.backend.dq import DIALECTS, flag_bits
from jviz.backend.io.product import Plane
from jviz.backend.progress import Progress, silent

__all__ = [
    "DEFAULT_FLAGS",
    "FLAG_COLOURS",
    "Flag",
    "bits_of",
    "excluded_bits",
    "excluded_flags",
    "flag_color",
    "flag_counts",
    "flag_table",
    "flags_meant",
    "flags_plane",
    "flags_raster",
    "is_flags",
    "known_flags",
    "matching",
    "next_flagged",
    "shown_bits",
    "shown_order",
    "slice_of",
]

DEFAULT_FLAGS = "default"
"""The flags that the views of the data leave out; DO_NOT_USE, where there is one, without a view that says."""

BITS = 32
ROWS = 256
"""Rows that are read at a time."""

Match = Literal["any", "all", "exact", "none"]
Flags = str | int | Iterable[str | int]

NICE = np.array(
    [0x4E79A7, 0xF28E2B, 0xE15759, 0x76B7B2, 0x59A14F, 0xEDC948, 0xB07AA1, 0xFF9DA7, 0x9C755F, 0xBAB0AC, 0x86BCB6],
    np.uint32,
)


def _shades(colours: np.ndarray, towards: int, share: float) -> np.ndarray:
    """Mix colours with a grey."""
    mixed = np.zeros_like(colours)
    for shift in (16, 8, 0):
        channel = (colours >> np.uint32(shift)) & np.uint32(255)
        mixed |= np.rint(channel * (1 - share) + towards * share).astype(np.uint32) << np.uint32(shift)
    return mixed


FLAG_COLOURS = np.concatenate([NICE, _shades(NICE, 255, 0.5), _shades(NICE, 0, 0.4)])[:BITS] | np.uint32(0xFF000000)
"""One colour for each bit, 0xFFRRGGBB, unless the user chose another."""


@dataclass(frozen=True)
class Flag:
    """One bit of a data quality array and what it means."""

    bit: int
    name: str
    description: str = ""


# --- which flags there are ------------------------------------------------------------------------


def is_flags(layer: Any) -> bool:
    """Whether the plane that a layer shows is itself one of flags."""
    return layer.data.plane(layer.plane).meaning == "flags"


def flags_plane(layer: Any) -> Plane | None:
    """Return the flags that belong to the plane a layer shows, or that plane when it is one of flags; or None."""
    if layer is None or layer.data is None or not layer.data.planes:
        return None
    shown = layer.data.planes.get(layer.plane) or layer.data.plane()
    if shown.meaning == "flags":
        return shown
    plane = layer.data.product.plane("flags")
    fits = plane is not None and len(plane.shape) >= 2 and plane.shape[-2:] == shown.shape[-2:]
    return plane if fits and plane.dtype.kind in "iub" else None


def slice_of(layer: Any, plane: Plane) -> tuple[int, ...]:
    """Return the index of a plane beside the one shown: none for two axes, the last numbers for more."""
    extra = len(plane.shape) - 2
    index = tuple(layer.picture_index) or layer.picture.middle
    index = index[len(index) - extra :] if extra <= len(index) else (0,) * (extra - len(index)) + index
    return tuple(min(n, size - 1) for n, size in zip(index, plane.shape[:-2], strict=True)) if extra else ()


def flags_raster(layer: Any) -> Any:
    """Return the picture of the flags over the plane that a layer shows, or None."""
    plane = flags_plane(layer)
    if plane is None or layer.picture.plane(plane.name).shape[-2:] != layer.picture.plane().shape[-2:]:
        return None
    return layer.picture.raster(plane.name, slice_of(layer, layer.picture.plane(plane.name)))


def known_flags(data: Any) -> list[Flag]:
    """Return all bits that the flags of data may have: the named ones, or plain numbers."""
    names = DIALECTS.get(data.product.flags or "generic", {})
    plane = data.product.plane("flags")
    width = 8 * plane.dtype.itemsize if plane is not None else BITS
    bits = range(min(width, BITS))
    return [Flag(bit, *names.get(bit, (f"bit {bit}", ""))) for bit in bits if bit in names or not names]


def bits_of(data: Any, flags: Flags) -> int:
    """Return flags, given by name or as ``"bit 13"``, as one number (`jviz.backend.dq.flag_bits`)."""
    return flag_bits(flags, data.product.flags or "generic")


def excluded_flags(session: Any, data: Any) -> list[str] | None:
    """Return the flags whose pixels measurements of data leave out, as the newest view of them says; None without."""
    views = [view for view in session.views.values() if hasattr(view, "exclude_flags")]
    view = next((v for v in reversed(views) if any(layer.data is data for layer in v.layers)), None)
    if view is None:
        return None
    names = {flag.name for flag in known_flags(data)}
    return [name for name in view.exclude_flags if name in names or name.startswith("bit ")]


# --- colours --------------------------------------------------------------------------------------


def flag_color(layer: Any, bit: int) -> str:
    """Return the colour of a flag, ``"#rrggbb"``."""
    return dict(layer.dq_colors).get(bit) or f"#{int(FLAG_COLOURS[bit]) & 0xFFFFFF:06x}"


@lru_cache(maxsize=64)
def _table(bits: int, colors: tuple[tuple[int, str], ...]) -> np.ndarray:
    table = FLAG_COLOURS.copy()
    for bit, color in colors:
        table[bit] = 0xFF000000 | int(color[1:], 16)
    table[[bit for bit in range(BITS) if not bits >> bit & 1]] = 0
    table.setflags(write=False)
    return table


def flag_table(layer: Any) -> np.ndarray:
    """Return the colours of the bits of a layer, 0 where one is not shown: uint32 ARGB of shape (32,)."""
    return _table(shown_bits(layer), tuple(layer.dq_colors))


def shown_bits(layer: Any) -> int:
    """Return the flags that a layer shows as one number."""
    return 0xFFFFFFFF if layer.dq_bits is None else sum(1 << bit for bit in layer.dq_bits)


def shown_order(layer: Any) -> tuple[int, ...]:
    """Return the bits that a layer shows, those first that cover others.

    A flag that only sums up others (DO_NOT_USE) comes last: it is seen where no other says why.
    """
    summary = {flag.bit for flag in known_flags(layer.data) if flag.name == "DO_NOT_USE"}
    bits = [bit for bit in range(BITS) if shown_bits(layer) >> bit & 1]
    return tuple(sorted(bits, key=lambda bit: (bit in summary, bit)))


# --- where they are set ---------------------------------------------------------------------------


def matching(values: np.ndarray, bits: int, match: Match = "any") -> np.ndarray:
    """Return which values have any or all of some bits, exactly these, or none of them."""
    wanted = np.uint32(bits & 0xFFFFFFFF)
    found = as_bits(values) & (np.uint32(0xFFFFFFFF) if match == "exact" else wanted)
    if match == "any":
        return found != 0
    return found == (np.uint32(0) if match == "none" else wanted)


def as_bits(values: np.ndarray) -> np.ndarray:
    """Return values of flags as uint32; negative ones keep their bits."""
    return np.asarray(values).astype(np.int64, copy=False).astype(np.uint32)


def _rows(plane: Plane, index: tuple[int, ...], first: int, last: int, progress: Progress) -> np.ndarray:
    return as_bits(plane.read((*index, slice(first, last)), progress=progress))


def flag_counts(layer: Any, progress: Progress = silent) -> np.ndarray:
    """Count the pixels that have each bit set, over the slice that a layer shows: int64 of shape (33,).

    The last number is that of the pixels without any flag.
    """
    plane, counts = flags_plane(layer), np.zeros(BITS + 1, np.int64)
    if plane is None:
        return counts
    index, rows = slice_of(layer, plane), plane.shape[-2]
    for first in range(0, rows, ROWS):
        progress(first, rows, "Counting flags")
        values = _rows(plane, index, first, first + ROWS, progress)
        there = int(np.bitwise_or.reduce(values, axis=None))
        for bit in range(BITS):
            if there >> bit & 1:
                counts[bit] += np.count_nonzero(values & np.uint32(1 << bit))
        counts[BITS] += values.size - np.count_nonzero(values)
    return counts


def next_flagged(
    layer: Any, bits: int, column: int, row: int, *, back: bool = False, progress: Progress = silent
) -> tuple[int, int] | None:
    """Return the next pixel (column, row) with any of some bits, row by row, begun again at the end; or None."""
    plane = flags_plane(layer)
    if plane is None:
        return None
    index, (rows, columns) = slice_of(layer, plane), plane.shape[-2:]
    start = min(max(row, 0), rows - 1) * columns + min(max(column, -1), columns)
    chunks = [(first, min(first + ROWS, rows)) for first in range(0, rows, ROWS)]
    turn = next(n for n, (first, last) in enumerate(chunks) if first <= min(max(row, 0), rows - 1) < last)
    step = -1 if back else 1
    for number in range(len(chunks) + 1):
        first, last = chunks[(turn + step * number) % len(chunks)]
        found = np.flatnonzero(matching(_rows(plane, index, first, last, progress), bits)) + first * columns
        if number == 0:
            found = found[found < start] if back else found[found > start]
        if found.size:
            at = int(found[-1] if back else found[0])
            return at % columns, at // columns
    return None


def flags_meant(session: Any, data: Any, flags: Any) -> Any:
    """Return the flags that are left out: for `DEFAULT_FLAGS` those that the views of the data say, if they do."""
    if isinstance(flags, str) and flags == DEFAULT_FLAGS:
        chosen = excluded_flags(session, data)
        return flags if chosen is None else chosen
    return flags


def excluded_bits(data: Any, flags: Any = DEFAULT_FLAGS) -> int:
    """Return the data quality bits whose pixels are left out."""
    dialect = data.product.flags or "generic"
    if flags == DEFAULT_FLAGS:
        known = {name for name, _ in DIALECTS.get(dialect, {}).values()}
        flags = ["DO_NOT_USE"] if "DO_NOT_USE" in known else []
    return flag_bits(flags, dialect)
