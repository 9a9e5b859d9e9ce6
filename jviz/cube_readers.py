"""Spectra of cubes that are wanted at once: from the copy or from memory, and from the file a little later."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from jviz.backend.cubes.extract import Extracted, LiveSum, Spaxels, Statistic, extract, weighted_statistic
from jviz.backend.regions.masks import Target, weights
from jviz.backend.spectra.samples import Samples
from jviz.cube_copies import SMALL, copy_of
from jviz.cube_measuring import CubeMeasure, spaxel_area
from jviz.data import Cube
from jviz.placement import home_of
from jviz.subsets import Subset

__all__ = ["Area", "CubeReader", "InMemory"]

COARSE = 64
"""Channels of a first look from the file."""

AT_ONCE = 8_000_000
"""Values that are added up without a job: some 10 ms."""

PART = 1 << 22
"""Values that a small cube is read by."""


@dataclass(frozen=True, eq=False)
class InMemory:
    """All spectra of a small cube, one behind the other, without the values that flags forbid.

    Attributes
    ----------
    spectra : ndarray of float32, shape (rows, columns, channels)
    """

    spectra: np.ndarray

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, rows, columns."""
        ny, nx, n = self.spectra.shape
        return n, ny, nx

    @classmethod
    def of(cls, source: Any, check: Callable[..., None]) -> InMemory:
        """Read a whole cube."""
        n, ny, nx = source.shape
        spectra = np.empty((ny, nx, n), np.float32)
        step = max(1, PART // (ny * nx))
        for first in range(0, n, step):
            check()
            channels = slice(first, min(first + step, n))
            spectra[:, :, channels] = np.moveaxis(source.read(channels), 0, 2)
        spectra.setflags(write=False)  # as the copy on the disk: one compiled kernel serves both
        return cls(spectra)


@dataclass
class Area:
    """A region of one cube whose sum is kept up while it moves.

    Attributes
    ----------
    spaxels : Spaxels
    """

    spaxels: Spaxels
    running: LiveSum | None = None

    def sum_over(self, store: Any) -> LiveSum:
        """Return the sum over the region as it is now."""
        if self.running is None or self.running.store is not store:
            self.running = LiveSum(store)
        self.running.move_to(self.spaxels)
        return self.running

    def effort(self, store: Any) -> int:
        """Return how many values must be added up for that."""
        if self.running is None or self.running.store is not store:
            return len(self.spaxels) * store.shape[0]
        return self.running.changes(self.spaxels) * store.shape[0]


class CubeReader:
    """Reads spectra of one cube. Making it may take a second: it loads the spectral axis and small cubes.

    Parameters
    ----------
    session : Session
    cube : Cube
    room : int
        Bytes of memory that may hold spectra of a small cube.
    check : callable
        Raises `Cancelled` when nobody wants it any more.
    """

    def __init__(self, session: Any, cube: Cube, room: int, check: Callable[..., None]) -> None:
        self.cube = cube
        self.measure = CubeMeasure(session, cube)
        self.axis, source = self.measure.axis, self.measure.source
        self.flux_unit, self.solid_angle = self.measure.flux_unit(), spaxel_area(cube)
        self.target = Target(source.shape[1:], cube.sky)  # type: ignore[arg-type]
        self.variance = self.measure.variance
        count = int(np.prod(source.shape))
        self.memory = InMemory.of(source, check) if count < SMALL and 4 * count <= room else None
        warm_up()

    @property
    def store(self) -> Any:
        """What spectra are read from in no time: memory or the copy; None while there is none."""
        return self.memory or copy_of(self.cube)

    @property
    def needs_the_file(self) -> bool:
        """Whether the file has to say more than the store: errors, and which values flags forbid."""
        return self.variance is not None or (self.memory is None and bool(self.measure.bits))

    def spaxels(self, subset: Subset) -> Spaxels:
        """Return the spaxels of a region or mask by their exact shares; none where it is beside the cube."""
        shape = subset.region
        if isinstance(shape, np.ndarray) and shape.shape[-2:] != self.target.shape:
            return Spaxels.of((0, 0), np.zeros((0, 0)))
        found = weights(shape, self.target, home=home_of(subset, self.cube))
        return Spaxels.of((found.slices[0].start, found.slices[1].start), found.values)

    # --- spectra --------------------------------------------------------------------------------

    def spaxel(self, row: int, column: int) -> Samples:
        """Return the spectrum of a spaxel from the store."""
        values = self.store.spectra[row, column].astype(np.float64)
        return self._samples(Extracted(values, None, np.isfinite(values).astype(float)), "mean")

    def at_once(self, area: Area, statistic: Statistic, background: Area | None) -> Samples | None:
        """Return the sum or mean over a region from the store; None when that would take long."""
        store = self.store
        if store is None or statistic not in ("sum", "mean"):
            return None
        areas = [area] if background is None else [area, background]
        if sum(one.effort(store) for one in areas) > AT_ONCE:
            return None
        return self._summed(area, statistic, background)

    def _summed(self, area: Area, statistic: Statistic, background: Area | None) -> Samples:
        running = area.sum_over(self.store)
        found = Extracted(running.spectrum(statistic), None, running.coverage)
        if background is not None:
            sky = background.sum_over(self.store)
            found = found.minus(Extracted(sky.spectrum("mean"), None, sky.coverage), _share(found, statistic))
        return self._samples(found, statistic)

    def finer_and_finer(
        self, spaxels: Spaxels, statistic: Statistic, background: Spaxels | None, check: Callable[..., None]
    ) -> Iterator[Samples]:
        """Return the spectrum of a region: soon from the store or of a few channels, then with all that the file says.

        Parameters
        ----------
        check : callable
            Called as a `Progress`; raises `Cancelled` when the region has moved on.
        """
        store, n = self.store, len(self.axis)
        read = self._of_store if store is not None else self._coarse
        if store is not None or n >= 2 * COARSE:
            found, channels = read(spaxels, statistic)
            if background is not None:
                check()
                found = found.minus(read(background, "mean")[0], _share(found, statistic))
            yield self._samples(found, statistic, channels)
        if store is None or self.needs_the_file:
            check()
            yield self._of_file(spaxels, statistic, background, check)

    def _of_store(self, spaxels: Spaxels, statistic: Statistic) -> tuple[Extracted, slice]:
        spaxels = spaxels.within(self.target.shape)
        part = np.moveaxis(self.store.spectra[spaxels.box], 2, 0).astype(np.float64)
        values, _, coverage = weighted_statistic(part, None, spaxels.sheet(), statistic)
        return Extracted(values, None, coverage), slice(None)

    def _coarse(self, spaxels: Spaxels, statistic: Statistic) -> tuple[Extracted, slice]:
        """Read every n-th channel only."""
        spaxels = spaxels.within(self.target.shape)
        channels = slice(0, len(self.axis), max(1, len(self.axis) // COARSE))
        part = self.measure.source.read(channels, *spaxels.box, dtype=np.dtype(np.float64))
        values, _, coverage = weighted_statistic(part, None, spaxels.sheet(), statistic)
        return Extracted(values, None, coverage), channels

    def _of_file(
        self, spaxels: Spaxels, statistic: Statistic, background: Spaxels | None, check: Callable[..., None]
    ) -> Samples:
        source = self.measure.source
        found = extract(source, spaxels, statistic, variance=self.variance, progress=check)
        if background is not None:
            sky = extract(source, background, "mean", variance=self.variance, progress=check)
            found = found.minus(sky, _share(found, statistic))
        return self._samples(found, statistic)

    def _samples(self, found: Extracted, statistic: str, channels: slice = slice(None)) -> Samples:
        factor, unit = self.flux_unit if statistic == "sum" else (1.0, self.cube.unit)
        whole = channels == slice(None)
        axis = self.axis if whole else replace(self.axis, values=self.axis.values[channels])
        error = None if found.error is None else found.error * factor
        covered = float(found.coverage.max(initial=0.0))
        area = None if self.solid_angle is None or not covered else self.solid_angle * covered
        return Samples(axis, found.values * factor, unit, error, "std" if error is not None else "", area=area)


def _share(found: Extracted, statistic: str) -> Any:
    return found.coverage if statistic == "sum" else 1.0


def warm_up() -> None:
    """Compile what moving regions need, in the thread of a job."""
    from jviz.backend.cubes import kernels

    spectra = np.zeros((1, 1, 1), np.float32)
    spectra.setflags(write=False)
    place = np.zeros(1, np.int64)
    kernels.add_spectra(spectra, place, place, np.ones(1), np.zeros(1), np.zeros(1))
