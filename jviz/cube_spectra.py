"""Live spectra of cubes: of the spaxel under the cursor and of every region, as they move."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from jviz.backend.regions.kinds import OPEN
from jviz.backend.spectra.samples import Samples
from jviz.errors import JvizError

if TYPE_CHECKING:
    from jviz.data import Cube
    from jviz.session import Session
    from jviz.subsets import Subset

__all__ = ["CubeSpectra"]

COARSE = 128
"""Channels of the first look at a spaxel of a large cube without a copy."""

QUICK = 2_000
"""Channels up to which one spaxel is read from a mapped file while the mouse moves."""

SETTLE = 0.12
"""Seconds without a further change after which a region is measured with its error."""

MOST_SPAXELS = 20_000
"""Spaxels of a region whose sum is kept up at each step."""


class CubeSpectra:
    """Shows spectra in the spectrum viewers of a session while a window shows cubes; records nothing.

    With the copy of a cube (`jviz.cube_copies`) a spaxel and the change of a region cost milliseconds; without it a
    job reads every n-th channel first, and then all. Of several requests for one spectrum only the newest counts.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._newest: dict[str, int] = {}
        self._regions: dict[str, tuple[Any, ...]] = {}
        self._sums: dict[str, tuple[Any, Any]] = {}
        self._cursor: tuple[str, ...] = ()
        session.pointer.moved.connect(self._pointed)
        session.subsets_changed.connect(self._regions_changed)
        session.views_changed.connect(self._regions_changed)
        session.settings.changed.connect(self._setting_changed)

    # --- what there is --------------------------------------------------------------------------

    def _is_wanted(self) -> bool:
        return self._session.showing and any(view.kind == "spectrum" for view in self._session.views.values())

    def _has_spectra(self) -> bool:
        return any(view.layers for view in self._session.views.values() if view.kind == "spectrum")

    def _cubes(self) -> list[Cube]:
        """Return the cubes that views show, whose axis is known."""
        found: dict[int, Cube] = {}
        for view in self._session.views.values():
            for layer in view.layers:
                cube = getattr(layer, "cube", None)
                if cube is not None and cube.kind == "cube" and len(cube.plane().shape) == 3:
                    found[cube.number] = cube
        return list(found.values())

    def _asked(self, name: str) -> Callable[[], bool]:
        """Note a new request for a spectrum; what is returned tells whether it is still the newest."""
        number = self._newest.get(name, 0) + 1
        self._newest[name] = number
        return lambda: self._newest.get(name) == number

    def _show(self, name: str, samples: Samples, colour: str, is_newest: Callable[[], bool]) -> None:
        def show() -> None:
            if is_newest() and self._is_wanted():
                self._session.live_spectra.show(name, samples, colour)

        self._session.dispatcher.call(show)

    def _work(self, title: str, work: Callable[[], None]) -> None:
        def run(job: Any) -> None:
            try:
                work()
            except (JvizError, OSError) as error:
                self._session.notice("error", f"{title}: {error}")

        try:
            self._session.jobs.submit(title, run, quiet=True, urgent=True)
        except JvizError:
            return  # the session is closed

    # --- the spaxel under the cursor ------------------------------------------------------------

    def _pointed(self) -> None:
        at = self._session.pointer.at
        found: list[str] = []
        if at is not None and self._is_wanted():
            view, x, y = at
            cubes = [layer.cube for layer in view.layers if getattr(layer, "cube", None) is not None]
            turned = any(getattr(layer, "order", ()) not in ((), (0, 1, 2)) for layer in view.layers)
            if cubes and not turned:
                found = self._spaxels(view.layers[0].data, cubes, x, y)
        if at is None and not self._regions and not self._has_spectra():
            return  # the last one stays while there is nothing else to see
        gone = [name for name in self._cursor if name not in found]
        self._cursor = tuple(found)
        for name in gone:
            self._asked(name)
        if gone:
            self._session.live_spectra.remove(*gone)

    def _spaxels(self, first: Any, cubes: list[Cube], x: float, y: float) -> list[str]:
        """Show the spaxels of cubes at a pixel of the first layer; returns the names of their spectra."""
        found = []
        for cube in cubes:
            place = _on(cube, first, x, y)
            if place is None:
                continue
            name = "Cursor" if len(cubes) == 1 else f"Cursor · {cube.name}"
            self._spaxel(name, cube, *place)
            found.append(name)
        return found

    def _spaxel(self, name: str, cube: Cube, row: int, column: int) -> None:
        from jviz.cube_copies import copy_of

        is_newest, live = self._asked(name), self._session.live_spectra
        store = copy_of(cube)
        if store is not None and cube.axis_ready:
            live.show(name, _samples(cube, store.spectrum(row, column).astype(float), name))
            return
        if cube.axis_ready and cube.plane().loaded and cube.shape[0] <= QUICK and cube.plane().immediate:
            live.show(name, _samples(cube, _column(cube, slice(None), row, column), name))
            return

        def work() -> None:
            step = max(1, cube.shape[0] // COARSE)
            if step > 1 and is_newest():
                rough = np.full(cube.shape[0], np.nan)
                rough[::step] = _column(cube, slice(None, None, step), row, column)
                filled = np.interp(np.arange(len(rough)), np.arange(0, len(rough), step), rough[::step])
                self._show(name, _samples(cube, filled, name), "", is_newest)
            if is_newest():
                self._show(name, _samples(cube, _column(cube, slice(None), row, column), name), "", is_newest)

        self._work(f"Spectrum of {cube.name}", work)

    # --- regions --------------------------------------------------------------------------------

    def _setting_changed(self, key: str) -> None:
        if key == "cube.region_statistic":
            self._regions.clear()
            self._regions_changed()

    def _regions_changed(self) -> None:
        wanted = self._wanted_regions() if self._is_wanted() else {}
        gone = [name for name in self._regions if name not in wanted]
        for name in gone:
            self._asked(name)
            self._regions.pop(name)
            self._sums.pop(name, None)
        if gone:
            self._session.live_spectra.remove(*gone)
        for name, (subset, cube) in wanted.items():
            before = self._regions.get(name)
            if before is None or before[0] is not subset or before[1] is not cube:
                self._regions[name] = (subset, cube)
                self._region(name, subset, cube)

    def _wanted_regions(self) -> dict[str, tuple[Subset, Cube]]:
        cubes = self._cubes()
        wanted: dict[str, tuple[Subset, Cube]] = {}
        for subset in self._session.subsets.values():
            if not subset.visible or not _has_inside(subset):
                continue
            for cube in cubes:
                if subset.kind != "sky" and subset.data is not None and subset.data is not cube:
                    sky = getattr(subset.data, "sky", None) if getattr(subset.data, "wcs_ready", False) else None
                    if sky is None:
                        continue
                wanted[subset.name if len(cubes) == 1 else f"{subset.name} · {cube.name}"] = (subset, cube)
        return wanted

    def _region(self, name: str, subset: Subset, cube: Cube) -> None:
        is_newest, statistic = self._asked(name), self._session.settings["cube.region_statistic"]
        if statistic in ("sum", "mean") and cube.axis_ready:
            self._step(name, subset, cube, statistic)

        def work() -> None:
            time.sleep(SETTLE)
            if is_newest():
                from jviz.cube_measuring import CubeMeasure

                measure = CubeMeasure(self._session, cube)
                try:
                    samples = measure.spectrum(subset, statistic, name=subset.name)
                except JvizError:  # it lies beside the cube, or covers nothing of it
                    self._session.dispatcher.call(lambda: is_newest() and self._session.live_spectra.remove(name))
                    return
                self._show(name, samples, subset.color, is_newest)

        self._work(f"Spectrum of {subset.name}", work)

    def _step(self, name: str, subset: Subset, cube: Cube, statistic: Any) -> None:
        """Show the spectrum at once when the cube has a copy: only spaxels that came or went are read."""
        from jviz.backend.cubes.extract import LiveSum
        from jviz.cube_copies import copy_of
        from jviz.cube_measuring import CubeMeasure

        store = copy_of(cube)
        if store is None:
            return
        try:
            measure = CubeMeasure(self._session, cube)
            spaxels = measure.spaxels(subset)
        except JvizError:
            self._session.live_spectra.remove(name)
            return
        if len(spaxels) > MOST_SPAXELS:
            return
        kept = self._sums.get(name)
        if kept is None or kept[0] is not store:
            kept = self._sums[name] = (store, LiveSum(store))
        kept[1].move_to(spaxels)
        factor, unit = measure.flux_unit() if statistic == "sum" else (1.0, cube.unit)
        values = kept[1].spectrum(statistic) * factor
        self._session.live_spectra.show(name, Samples(cube.axis, values, unit, name=subset.name), subset.color)


def _has_inside(subset: Subset) -> bool:
    if subset.kind == "mask":
        return getattr(subset.region, "ndim", 0) >= 2
    return subset.kind in ("pixel", "sky") and subset.shape not in (*OPEN, "text")


def _on(cube: Cube, first: Any, x: float, y: float) -> tuple[int, int] | None:
    """Return the row and column of the spaxel at a pixel of another data set, None beside the cube."""
    if first is not cube:
        home, sky = getattr(first, "sky", None), getattr(cube, "sky", None)
        if home is not None and sky is not None:
            x, y = (float(v) for v in sky.sky_to_pixel(*home.pixel_to_sky(x, y)))
    if not (np.isfinite(x) and np.isfinite(y)):
        return None
    row, column = int(np.floor(y + 0.5)), int(np.floor(x + 0.5))
    ny, nx = cube.shape[-2:]
    return (row, column) if 0 <= row < ny and 0 <= column < nx else None


def _column(cube: Cube, channels: slice, row: int, column: int) -> np.ndarray:
    where = (channels, slice(row, row + 1), slice(column, column + 1))
    return cube.source().read(*where, dtype=np.dtype(np.float64))[:, 0, 0]


def _samples(cube: Cube, values: np.ndarray, name: str) -> Samples:
    from jviz.cube_measuring import spaxel_area

    return Samples(cube.axis, values, cube.unit, area=spaxel_area(cube), name=name)
