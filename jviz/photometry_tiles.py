"""An image less its background, read a tile at a time: what finds sources and measures them looks at no more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from jviz.backend.photometry.backgrounds import ZEROS, Estimator, Meshes, Rms, clipped_scatter, meshes_of
from jviz.backend.photometry.segmenting import Tile, bands
from jviz.backend.progress import Progress, silent
from jviz.backend.room import let_go
from jviz.data import Image
from jviz.errors import CommandError
from jviz.flags import DEFAULT_FLAGS
from jviz.photometry import Field
from jviz.pictures import standard_deviation
from jviz.subsets import Subset

__all__ = ["Noise", "Scene", "near_edge"]

Noise = Literal["background", "errors"]

HOLE = 5
"""Side of the smallest hole whose rim is an edge, in pixels."""

Uncovered = Callable[[np.ndarray], np.ndarray]
"""From values to which of them hold nothing."""

SAMPLE = 1_000_000
"""Pixels that tell the scatter of an image without meshes."""


class Scene:
    """What is to be seen in an image: its pixels less the background, with their noise.

    Parameters
    ----------
    data : Image
    region : sequence of Subset
        Whose pixels are not used.
    segments : Data, optional
        An image whose pixels above 0 are not used.
    exclude_flags : str, int, list or None
        Flags whose pixels are not used.
    edge : int
        Pixels nearer than so many to the edge of the image, or of its field, are not used.

    Attributes
    ----------
    meshes : Meshes or None
        The background; None where it is 0.
    parts : list of slice
        Rows of the tiles that it is worked on in.
    """

    def __init__(
        self,
        session: Any,
        data: Image,
        regions: tuple[Subset, ...] = (),
        segments: Any = None,
        exclude_flags: Any = DEFAULT_FLAGS,
        edge: int = 0,
    ) -> None:
        if not 0 <= edge < 10000:
            raise CommandError(f"An edge of {edge} pixels is none; give 0 or more.")
        self._edge = int(edge)
        self.data, self.field = data, Field(session, data, exclude_flags=exclude_flags)
        self.shape, self.parts = self.field.shape, bands(self.field.shape)
        self._segments = None if segments is None else self._of_shape(segments)
        self._regions = [self.field.weights(subset, "center") for subset in regions]
        self.meshes: Meshes | None = None
        self._rms: float | None = None
        self._errors = False
        self._kept: tuple[Any, Tile] | None = None
        self._zeros_are_empty = self._count()

    def _of_shape(self, segments: Any) -> Any:
        plane = segments.plane()
        if plane.shape[-2:] != self.shape:
            raise CommandError(f"{segments.name} has shape {plane.shape}; {self.data.name} has {self.shape}.")
        return plane

    def _count(self) -> bool:
        """Return whether exact zeros lie outside of the field.

        Raises
        ------
        CommandError
            When no pixel is left.
        """
        zeros = used = 0
        for rows in self.parts:
            values, hidden = self._read(rows, slice(0, self.shape[1]), empty=False)[:2]
            nothing = values == 0
            zeros += int(np.count_nonzero(nothing))
            used += int(np.count_nonzero(~(hidden | nothing)))
            self._let_go()
        if not used and not (zeros and zeros <= ZEROS * self.shape[0] * self.shape[1]):
            raise CommandError(
                f"{self.data.name} has no pixel to look at: all are NaN, flagged, masked or off the field."
            )
        return zeros > ZEROS * self.shape[0] * self.shape[1]

    # --- pixels -----------------------------------------------------------------------------------------

    def _read(self, rows: slice, columns: slice, *, empty: bool = True) -> tuple[np.ndarray, np.ndarray, Any]:
        """Return the values of a part, which of them are not used, and the plane of errors."""
        block = self.field.read(rows, columns)
        hidden = ~np.isfinite(block.values)
        if empty and self._zeros_are_empty:
            hidden |= block.values == 0
        if block.flags is not None and self.field.bits:
            hidden |= (block.flags & np.uint32(self.field.bits)) != 0
        for box in self._regions:
            _hide(hidden, rows, columns, box)
        if self._segments is not None:
            index = (*(0,) * (len(self._segments.shape) - 2), rows, columns)
            hidden |= self._segments.read(index) > 0
        if empty and self._edge:
            hidden |= near_edge(self.field, rows, columns, self._edge, self.uncovered)
        return block.values, hidden, block.sigma

    def _let_go(self) -> None:
        if len(self.parts) > 1:
            let_go(*(plane.raw() for plane in self.data.planes.values() if plane.loaded))

    def uncovered(self, values: np.ndarray) -> np.ndarray:
        """Return which of some pixels hold nothing: NaN, and exact zeros off the field."""
        empty = ~np.isfinite(values)
        return empty | (values == 0) if self._zeros_are_empty else empty

    def used(self, rows: slice, columns: slice) -> np.ndarray:
        """Return the pixels of a part as float64, with their background, NaN where they are not used."""
        values, hidden, _ = self._read(rows, columns)
        made = np.array(values, np.float64)
        made[hidden] = np.nan
        self._let_go()
        return made

    # --- background -------------------------------------------------------------------------------------

    def measure(
        self,
        box_size: int = 64,
        filter_size: int = 3,
        estimator: Estimator = "median",
        rms: Rms = "std",
        *,
        clip: float = 3.0,
        noise: Noise = "background",
        progress: Progress = silent,
    ) -> Scene:
        """Work out background and noise, and return itself.

        Parameters
        ----------
        box_size : int
            0: the background is subtracted already, the noise is one for all.
        noise : {"background", "errors"}

        Raises
        ------
        CommandError
            When errors are asked for that there are not, or a size is none.
        """
        self._errors = noise == "errors"
        if self._errors and not self.field.has_errors:
            raise CommandError(f"{self.data.name} has no plane of errors; take the scatter of the background as noise.")
        whole = slice(0, self.shape[1])

        def read(rows: slice) -> tuple[np.ndarray, np.ndarray]:
            values, hidden, _ = self._read(rows, whole)
            self._let_go()
            return values, hidden

        if box_size:
            self.meshes = meshes_of(read, self.shape, box_size, filter_size, estimator, rms, clip=clip,
                                    progress=progress)  # fmt: skip
        elif not self._errors:
            self._rms = clipped_scatter(self._sample())
        return self

    def _sample(self) -> np.ndarray:
        """Return the pixels of evenly spaced rows, as many as tell the scatter."""
        ny, nx = self.shape
        found = []
        for row in np.unique(np.linspace(0, ny - 1, max(SAMPLE // nx, 8)).astype(int)).tolist():
            values, hidden, _ = self._read(slice(row, row + 1), slice(0, nx))
            found.append(values[~hidden])
        return np.concatenate(found)

    @property
    def typical_rms(self) -> float:
        """The median of the noise; NaN where there is none."""
        if self._errors:
            tiles = (self.tile(rows, slice(0, self.shape[1])) for rows in self.parts)
            known = np.concatenate([t.rms[~t.mask & (t.rms > 0)].ravel()[::17] for t in tiles])
            return float(np.median(known)) if known.size else np.nan
        return float(np.median(self.meshes.scatter)) if self.meshes is not None else float(self._rms or 0)

    def tile(self, rows: slice, columns: slice) -> Tile:
        """Return a part less its background; of small images all is kept, of others the last part."""
        one = len(self.parts) == 1
        wanted = (slice(0, self.shape[0]), slice(0, self.shape[1])) if one else (rows, columns)
        if self._kept is None or self._kept[0] != wanted:
            self._kept = (wanted, self._tile(*wanted))
            self._let_go()
        return self._kept[1].part(rows, columns) if one else self._kept[1]

    def _tile(self, rows: slice, columns: slice) -> Tile:
        values, hidden, sigma = self._read(rows, columns)
        kind = values.dtype
        error = None if sigma is None else standard_deviation(self.field.kind, sigma)
        if self.meshes is None:
            level = np.zeros(values.shape, kind)
            rms = np.full(values.shape, np.nan if self._rms is None else self._rms, kind)
        else:
            level = self.meshes.level_of(rows, columns).astype(kind, copy=False)
            rms = self.meshes.scatter_of(rows, columns).astype(kind, copy=False)
        if self._errors:
            rms = np.full(values.shape, self.field.constant, kind) if error is None else error.astype(kind, copy=False)
            rms = np.where(rms > 0, rms, np.nan).astype(kind, copy=False)
        less = np.subtract(values, level)
        less[hidden & self.uncovered(values)] = np.nan
        return Tile(less, level, rms, hidden, error)


def near_edge(field: Field, rows: slice, columns: slice, edge: int, uncovered: Uncovered) -> np.ndarray:
    """Return which pixels of a part are nearer than so many to the edge of the field; single bad pixels make none."""
    from scipy.ndimage import maximum_filter, minimum_filter

    reach = edge + HOLE
    wide = [slice(part.start - reach, part.stop + reach) for part in (rows, columns)]
    there = tuple(slice(max(p.start, 0), min(p.stop, n)) for p, n in zip(wide, field.shape, strict=True))
    empty = uncovered(field.read(*there).values).astype(np.uint8)
    beside = [(t.start - w.start, w.stop - t.stop) for t, w in zip(there, wide, strict=True)]
    core = minimum_filter(np.pad(empty, beside, constant_values=1), HOLE, mode="nearest")
    grown = maximum_filter(core, 2 * (edge + HOLE // 2) + 1, mode="nearest")
    return grown[reach:-reach, reach:-reach] > 0


def _hide(hidden: np.ndarray, rows: slice, columns: slice, box: Any) -> None:
    """Hide the pixels of a region in a part of an image."""
    spans = [(max(part.start, whole.start), min(part.stop, whole.stop))
             for part, whole in zip((rows, columns), box.slices, strict=True)]  # fmt: skip
    if all(high > low for low, high in spans):
        here, there = (tuple(slice(low - part.start, high - part.start)
                             for (low, high), part in zip(spans, parts, strict=True))
                       for parts in ((rows, columns), box.slices))  # fmt: skip
        hidden[here] |= box.values[there] > 0
