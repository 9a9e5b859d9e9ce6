"""Spectra of cubes that are wanted at once: from the copy or from memory, and from the file a little later."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from jviz.backend.cubes.extract import Extracted, LiveSum, Spaxels, Statistic, extract, weighted_statistic
from jviz.backend.regions.masks import Target
from jviz.backend.spectra.samples import Samples
from jviz.beams import is_per_beam
from jviz.cube_copies import SMALL, copy_of
from jviz.cube_measuring import CubeMeasure, spaxel_area
from jviz.cube_places import Place, growth
from jviz.data import Cube
from jviz.placement import home_of
from jviz.subsets import Subset

__all__ = ["Area", "CubeReader", "InMemory"]

COARSE = 64
"""Channels of a first look from the file."""

AT_ONCE = 32_000_000
"""Values that are added up without a job: some 8 ms."""

AHEAD = 16
"""Spaxels before a moving region that are read before it comes there."""

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


@dataclass(eq=False)
class Area:
    """A region of one cube whose sum is kept up while it moves.

    Attributes
    ----------
    spaxels : Spaxels
    """

    spaxels: Spaxels
    running: LiveSum | None = None
    busy: threading.Lock = field(default_factory=threading.Lock)
    _before: Spaxels | None = None
    _looked: Spaxels | None = None

    def move(self, spaxels: Spaxels) -> None:
        """Take the region as it is now; nothing is added up yet."""
        self._before, self.spaxels = self.spaxels, spaxels

    def _sum(self, store: Any) -> LiveSum:
        if self.running is None or self.running.store is not store:
            self.running = LiveSum(store)
        return self.running

    def is_near(self, store: Any) -> bool:
        """Whether what has to be added up now is little, and in memory."""
        running = self._sum(store)
        effort = (len(self.spaxels) if running.worn else running.changes(self.spaxels)) * store.shape[0]
        return effort <= AT_ONCE and running.is_warm_for(self.spaxels)

    def added_up(self, store: Any) -> LiveSum:
        """Return the sum over the region as it is now."""
        running = self._sum(store)
        if running.worn:
            running.clear()
        running.move_to(self.spaxels)
        return running

    def approach(self, store: Any, check: Callable[..., None]) -> None:
        """Add up the region in parts, in the thread of a job, and have the disk read where it is going."""
        spaxels, running = self.spaxels, self._sum(store)
        if running.worn:
            running.clear()
        running.move_to(spaxels, check, AT_ONCE)
        if running.worn:  # so much went away that rounding is left
            running.clear()
            running.move_to(spaxels, check, AT_ONCE)
        self.look_ahead(store)

    @property
    def has_gone_far(self) -> bool:
        """Whether the region is elsewhere than where it was looked ahead last."""
        if not len(self.spaxels) or self._looked is None:
            return len(self.spaxels) > 0
        moved = [float(np.mean(getattr(self.spaxels, axis)) - np.mean(getattr(self._looked, axis)))
                 for axis in ("rows", "columns")]  # fmt: skip
        return float(np.hypot(*moved)) > AHEAD / 4

    def look_ahead(self, store: Any) -> None:
        """Have the disk read where the region is going, in the thread of a job."""
        spaxels, before, running = self.spaxels, self._before, self._sum(store)
        if before is not None and len(before) and self.has_gone_far:
            self._looked = self.spaxels
            down, right = (int(np.round(AHEAD * np.clip(new.mean() - old.mean(), -1, 1))) for new, old in (
                (spaxels.rows, before.rows), (spaxels.columns, before.columns)))  # fmt: skip
            for part in (0.5, 1.0):
                running.expect(Spaxels(spaxels.rows + int(part * down), spaxels.columns + int(part * right),
                                       spaxels.weights))  # fmt: skip


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
        self._growth: tuple[float | None, np.ndarray] | None = None
        warm_up()

    @property
    def store(self) -> Any:
        """What spectra are read from in no time: memory or the copy; None while there is none."""
        return self.memory or copy_of(self.cube)

    @property
    def needs_the_file(self) -> bool:
        """Whether the file has to say more than the store: errors, and which values flags forbid."""
        return self.variance is not None or (self.memory is None and bool(self.measure.bits))

    def place(self, subset: Subset, **options: Any) -> Place:
        """Return the place of a region or mask on the cube; ``options`` are those of a `Place`."""
        made = Place(subset.region, home_of(subset, self.cube), self.target, **options)
        return made.in_pixels(self.cube.sky) if options else made

    def growth(self, reference: float | None) -> np.ndarray:
        """Return by what cones are larger than drawn in each channel."""
        if self._growth is None or self._growth[0] != reference:
            self._growth = (reference, growth(self.axis, reference))
        return self._growth[1]

    def spaxels(self, subset: Subset, ring: tuple[float, float] | None = None) -> Spaxels:
        """Return the spaxels of a region, or of a ring round it, by their exact shares; none where it is beside."""
        shape = subset.region
        if isinstance(shape, np.ndarray) and shape.shape[-2:] != self.target.shape:
            return Spaxels.of((0, 0), np.zeros((0, 0)))
        return (self.place(subset) if ring is None else self.place(subset, ring=ring)).spaxels()

    # --- spectra --------------------------------------------------------------------------------

    @property
    def of_spaxel(self) -> Statistic:
        """How a spaxel counts: as it is, but per beam as a flux where regions are summed up, to be seen beside them."""
        summed = self.measure.session.settings["cube.region_statistic"] == "sum"
        return "sum" if summed and is_per_beam(self.cube.unit) else "mean"

    def spaxel(self, row: int, column: int) -> Samples:
        """Return the spectrum of a spaxel from the store."""
        values = self.store.spectra[row, column].astype(np.float64)
        return self._samples(Extracted(values, None, np.isfinite(values).astype(float)), self.of_spaxel)

    def at_once(self, area: Area, statistic: Statistic, background: Area | None) -> Samples | None:
        """Return the sum or mean over a region from the store; None when that would take long."""
        store = self.store
        if store is None or statistic not in ("sum", "mean"):
            return None
        areas = [area] if background is None else [area, background]
        with ExitStack() as held:
            for one in areas:
                if not one.busy.acquire(blocking=False):
                    return None
                held.callback(one.busy.release)
            if all(one.is_near(store) for one in areas):
                found = self._summed(areas, statistic)
                return None if any(one.running.worn for one in areas) else found
        return None

    def _summed(self, areas: list[Area], statistic: Statistic) -> Samples:
        running = areas[0].added_up(self.store)
        found = Extracted(running.spectrum(statistic), None, running.coverage)
        if len(areas) > 1:
            sky = areas[1].added_up(self.store)
            found = found.minus(Extracted(sky.spectrum("mean"), None, sky.coverage), _share(found, statistic))
        return self._samples(found, statistic)

    def summed_up(
        self, area: Area, statistic: Statistic, background: Area | None, check: Callable[..., None]
    ) -> Iterator[Samples]:
        """Return the sum or mean over a large region: of a few channels soon, then all from the store.

        Afterwards the region can be moved in no time. One that moves on meanwhile is gone after: what was added up
        for where it was is not lost.
        """
        store, spaxels = self.store, area.spaxels
        below = None if background is None else background.spaxels
        areas = [area] if background is None else [area, background]
        with ExitStack() as held:
            for one in areas:
                held.enter_context(one.busy)
            if not all(one.is_near(store) for one in areas):
                yield from self._first_look(spaxels, statistic, below, check)
                for one in areas:
                    one.approach(store, check)
            found = self._summed(areas, statistic)
        yield found
        if self.needs_the_file:
            yield self._of_file(spaxels, statistic, below, check)

    def ahead(self, area: Area, check: Callable[..., None]) -> Iterator[Samples]:
        """Have what a region needs next read before it comes there; gives nothing."""
        check()
        if self.memory is None and self.store is not None:
            area.look_ahead(self.store)
        yield from ()

    def finer_and_finer(
        self, place: Spaxels | Place, statistic: Statistic, background: Spaxels | Place | None,
        check: Callable[..., None],
    ) -> Iterator[Samples]:  # fmt: skip
        """Return the spectrum of a region: soon from the store or of a few channels, then with all that the file says.

        Parameters
        ----------
        place, background : Spaxels or Place
            A place that grows with wavelength has other spaxels in each channel.
        check : callable
            Called as a `Progress`; raises `Cancelled` when the region has moved on.
        """
        store = self.store
        steady = isinstance(place, Spaxels) and not isinstance(background, Place)
        if store is not None and steady:
            found = self._of_store(place, statistic, check)
            if background is not None:
                found = found.minus(self._of_store(background, "mean", check), _share(found, statistic))
            yield self._samples(found, statistic)
        else:
            yield from self._first_look(place, statistic, background, check)
        if store is None or self.needs_the_file or not steady:
            check()
            yield self._of_file(place, statistic, background, check)

    def _first_look(
        self, place: Spaxels | Place, statistic: Statistic, background: Spaxels | Place | None,
        check: Callable[..., None],
    ) -> Iterator[Samples]:  # fmt: skip
        """Read every n-th channel only, more and more of them."""
        for count in (COARSE,) if isinstance(place, Spaxels) else (COARSE, 8 * COARSE):
            if len(self.axis) < 2 * count:
                return
            channels = slice(0, len(self.axis), len(self.axis) // count)
            found = self._coarse(place, statistic, channels, check)
            if background is not None:
                found = found.minus(self._coarse(background, "mean", channels, check), _share(found, statistic))
            yield self._samples(found, statistic, channels, grows=isinstance(place, Place))
            check()

    def _of_store(self, spaxels: Spaxels, statistic: Statistic, check: Callable[..., None]) -> Extracted:
        spaxels = spaxels.within(self.target.shape)
        rows, columns = spaxels.box
        sheet, parts = spaxels.sheet(), []
        step = max(1, PART // sheet.size)
        for first in range(0, len(self.axis), step):
            check()
            part = np.moveaxis(self.store.spectra[rows, columns, first : first + step], 2, 0).astype(np.float64)
            parts.append(weighted_statistic(part, None, sheet, statistic))
        return Extracted(np.concatenate([p[0] for p in parts]), None, np.concatenate([p[2] for p in parts]))

    def _coarse(
        self, place: Spaxels | Place, statistic: Statistic, channels: slice, check: Callable[..., None]
    ) -> Extracted:
        """Read some channels only."""
        source = self.measure.source
        if isinstance(place, Spaxels):
            spaxels = place.within(self.target.shape)
            part = source.read(channels, *spaxels.box, dtype=np.dtype(np.float64))
            values, _, coverage = weighted_statistic(part, None, spaxels.sheet(), statistic)
            return Extracted(values, None, coverage)
        found = []
        for channel in range(len(self.axis))[channels]:
            check()
            spaxels = place(channel).within(self.target.shape)
            if not len(spaxels):
                found.append((np.array([np.nan]), None, np.zeros(1)))
                continue
            part = source.read(slice(channel, channel + 1), *spaxels.box, dtype=np.dtype(np.float64))
            found.append(weighted_statistic(part, None, spaxels.sheet(), statistic))
        return Extracted(np.concatenate([f[0] for f in found]), None, np.concatenate([f[2] for f in found]))

    def _of_file(
        self, place: Spaxels | Place, statistic: Statistic, background: Spaxels | Place | None,
        check: Callable[..., None],
    ) -> Samples:  # fmt: skip
        source = self.measure.source
        found = extract(source, place, statistic, variance=self.variance, progress=check)
        if background is not None:
            sky = extract(source, background, "mean", variance=self.variance, progress=check)
            found = found.minus(sky, _share(found, statistic))
        return self._samples(found, statistic, grows=isinstance(place, Place))

    def _samples(
        self, found: Extracted, statistic: str, channels: slice = slice(None), *, grows: bool = False
    ) -> Samples:
        factor, unit = self.flux_unit if statistic == "sum" else (1.0, self.cube.unit)
        factor = factor[channels] if isinstance(factor, np.ndarray) else factor
        whole = channels == slice(None)
        axis = self.axis if whole else replace(self.axis, values=self.axis.values[channels])
        error = None if found.error is None else found.error * factor
        covered = float(found.coverage.max(initial=0.0))
        # A cone has another solid angle in each channel.
        area = None if self.solid_angle is None or not covered or grows else self.solid_angle * covered
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
