"""The live link from cubes to spectra: of the spaxel under the cursor, and of every region on cubes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from jviz.backend.cubes.extract import Spaxels
from jviz.backend.regions.kinds import OPEN
from jviz.backend.spectra.samples import Samples
from jviz.cube_places import can_grow, can_have_ring, checked_ring
from jviz.cube_sight import continued
from jviz.errors import CommandError, JvizError
from jviz.latest import Latest
from jviz.signals import Signal
from jviz.subsets import PALETTE, Subset

if TYPE_CHECKING:
    from jviz.data import Cube
    from jviz.session import Session

__all__ = ["CubeSpectra"]

MOST = 24
"""Live spectra of regions; of more regions only the first and the selected ones have one."""

MEMORY = 256 << 20
"""Bytes for the spectra of small cubes together."""

Key = tuple[str, Any, Any]
Title = tuple[str, str, str]


class CubeSpectra:
    """Shows live spectra of the cubes of a session as long as there are viewers of spectra.

    Attributes
    ----------
    changed : Signal
        Without arguments: another statistic or background was chosen.
    spaxel : (Cube, int, int) or None
        The cube, row and column whose spectrum was shown last.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self.changed = Signal()
        self.spaxel: tuple[Cube, int, int] | None = None
        self._background = ""
        self._ring: tuple[float, float] | None = None
        self._cone, self._reference = False, None
        self._drawn: Subset | None = None
        self._audience: set[int] = set()
        self._hidden: dict[Any, None] = {}
        self._readers: dict[Cube, Any] = {}
        self._areas: dict[Key, Any] = {}
        self._known: dict[Key, Any] = {}
        self._names: dict[Key, Title] = {}
        self._later = Latest(session, self._deliver)
        session.pointer.moved.connect(self._pointer_moved)
        for signal in (session.subsets_changed, session.views_changed, session.data_changed):
            signal.connect(self.follow)
        session.settings.changed.connect(self._setting_changed)

    # --- what is chosen -------------------------------------------------------------------------

    @property
    def statistic(self) -> str:
        """What live spectra of regions are: mean, sum, median, min or max over their spaxels."""
        return self._session.settings["cube.region_statistic"]

    @statistic.setter
    def statistic(self, value: str) -> None:
        self._session.settings["cube.region_statistic"] = value

    def _setting_changed(self, key: str) -> None:
        if key == "cube.region_statistic":
            self._choice_changed()

    @property
    def background(self) -> str:
        """Name of the region whose mean is taken away from live spectra of the others; ``""``: none."""
        return self._background

    @background.setter
    def background(self, name: str) -> None:
        if name and name not in self._session.subsets:
            raise CommandError(f"There is no region {name!r} to take as the background.")
        if name != self._background:
            self._background = name
            self._choice_changed()

    @property
    def ring(self) -> tuple[float, float] | None:
        """Sizes of the ring round each region whose mean is taken away from its live spectrum; None: none."""
        return self._ring

    @ring.setter
    def ring(self, sizes: tuple[float, float] | None) -> None:
        sizes = None if sizes is None else checked_ring(sizes)
        if sizes != self._ring:
            self._ring = sizes
            self._choice_changed()

    @property
    def cone(self) -> bool:
        """Whether regions grow in proportion to wavelength, as the image of a point source does."""
        return self._cone

    @property
    def reference(self) -> float | None:
        """Value on the spectral axis at which cones are as drawn; None: the middle of each cube."""
        return self._reference

    def use_cones(self, on: bool, reference: float | None = None) -> None:
        """Let regions with a size grow with wavelength, or not."""
        if (on, reference) != (self._cone, self._reference):
            self._cone, self._reference = on, reference
            self._choice_changed()

    def _choice_changed(self) -> None:
        self.follow()
        self.changed.emit()

    # --- who looks ------------------------------------------------------------------------------

    def attend(self, viewer: Any) -> None:
        """Begin to show live spectra: a viewer of spectra is there."""
        self._audience.add(id(viewer))
        self.follow()

    def leave(self, viewer: Any) -> None:
        """Take note that a viewer of spectra is gone; after the last one nothing is worked out any more."""
        self._audience.discard(id(viewer))
        if not self._audience:
            self._drop(list(self._names))

    def see(self, view: Any, *, seen: bool) -> None:
        """Take note that the viewer of a view comes into sight, or goes behind another tab."""
        self._hidden.pop(view, None)
        if not seen:
            self._hidden[view] = None
        self.follow()

    def _views_in_sight(self) -> list[Any]:
        """Return the views in sight; of cubes that lie all behind tabs the one that was seen last."""
        views = list(self._session.views.values())
        self._hidden = {view: None for view in self._hidden if view in views}
        cubes = [view for view in views if view.kind == "cube"]
        last = next(reversed(self._hidden), None) if cubes and all(view in self._hidden for view in cubes) else None
        return [view for view in views if view not in self._hidden or view is last]

    def cubes(self) -> list[Cube]:
        """Return the cubes in sight, and those behind tabs that continue them at other wavelengths."""
        seen = self._cubes_in_sight()
        behind = [cube for cube in _cubes_of(self._hidden) if cube not in seen] if seen else []
        for cube in behind:
            if not cube.axis_ready:
                self._find_axis(cube)
        return continued(seen, behind)

    def _cubes_in_sight(self) -> list[Cube]:
        return _cubes_of(self._views_in_sight())

    def _find_axis(self, cube: Cube) -> None:
        """Find the spectral axis of a cube that was not in sight yet, in a job."""
        key = ("axis", None, cube)
        if key in self._known:
            return
        self._known[key] = True

        def work(check: Callable[..., None]) -> Iterator[Any]:
            yield cube.axis

        self._later.ask(key, work, urgent=False)

    @property
    def titles(self) -> set[str]:
        """Titles of the live spectra of cubes; others may be shown beside them."""
        return {title[1] for title in self._names.values()}

    def regions_shown(self) -> list[tuple[str, str, Cube]]:
        """Return title, region and cube of each live spectrum of a region."""
        return [(title[1], key[1], key[2]) for key, title in self._names.items() if key[0] == "region" and key[1]]

    def options_of(self, region: str) -> dict[str, Any]:
        """Return the options of ``cube.extract`` that give what is shown of a region."""
        subset, found = self._session.subsets[region], {"statistic": self.statistic}
        if self._ring is not None and can_have_ring(subset.region):
            found["ring"] = self._ring
        elif self._background not in ("", region):
            found["background"] = self._background
        if self._cone and can_grow(subset.region):
            found |= {"cone": True, "reference_wavelength": self._reference}
        return found

    def reader(self, cube: Cube) -> Any:
        """Return the `jviz.cube_readers.CubeReader` of a cube; None while a job makes it."""
        if cube not in self._readers:
            self._readers[cube] = None
            self._later.ask(("reader", None, cube), partial(self._make_reader, cube), urgent=False)
        return self._readers[cube]

    def _make_reader(self, cube: Cube, check: Callable[..., None]) -> Iterator[Any]:
        from jviz.cube_readers import CubeReader

        taken = sum(r.memory.spectra.nbytes for r in self._readers.values() if r is not None and r.memory is not None)
        yield CubeReader(self._session, cube, MEMORY - taken, check)

    # --- the spaxel under the cursor --------------------------------------------------------------

    def _pointer_moved(self) -> None:
        """Show the spectrum under the cursor; away from all cubes the last one stays, to be looked at."""
        if not self._audience or self._session.pointer.at is None:
            return
        cubes, seen = self.cubes(), self._cubes_in_sight()
        for number, (cube, row, column) in enumerate(self._under_cursor(cubes)):
            key, place = ("spaxel", None, cube), (row, column)
            reader = self.reader(cube)
            if reader is None or (self._known.get(key) == place and key in self._names):
                continue
            self._known[key] = place
            if not number:
                self.spaxel = (cube, row, column)
            of = f" · {cube.name}" if len(cubes) > 1 else ""
            # Of the cube under the mouse, and those that continue it, in the colour of text; regions begin at the other
            # end of the palette.
            color = PALETTE[-1 - cubes.index(cube) % len(PALETTE)] if number and cube in seen else ""
            where = f"Spaxel {column}, {row}" if cube in seen or not number else "Spaxel"
            self._retitle(key, ("Cursor" + of, where + of, color), again=False)
            self._look_at(key, reader, row, column)

    def place_on(self, cube: Cube) -> tuple[int, int] | None:
        """Return row and column of the spaxel of a cube that is under the cursor now, None when none is."""
        if self._session.pointer.at is None:
            return None
        return next(((row, column) for _, row, column in self._under_cursor([cube])), None)

    def _under_cursor(self, cubes: list[Cube]) -> Iterator[tuple[Cube, int, int]]:
        """Return row and column of each cube under the cursor, through the sky; first that of the viewer itself."""
        from jviz.linking import place_in

        view, x, y = self._session.pointer.at
        first = view.layers[0] if view.layers else None
        if first is None:
            return
        if getattr(first, "is_side", False):
            there = list(first.point)
            there[first.order[1]], there[first.order[2]] = y, x
            _, y, x = there
        for cube in sorted(cubes, key=lambda cube: cube is not first.data):
            if cube is not first.data and not _linked(first.data, cube):
                continue
            column, row = place_in(first.data, cube, np.asarray(x, float), np.asarray(y, float))
            if not (np.isfinite(column) and np.isfinite(row)):
                continue
            column, row = int(np.floor(column + 0.5)), int(np.floor(row + 0.5))
            if 0 <= row < cube.shape[1] and 0 <= column < cube.shape[2]:
                yield cube, row, column

    def _look_at(self, key: Key, reader: Any, row: int, column: int) -> None:
        if reader.store is not None:
            self._show(key, reader.spaxel(row, column))
        if reader.store is None or reader.needs_the_file:
            self._later.ask(key, partial(reader.finer_and_finer, Spaxels.one(row, column), reader.of_spaxel, None))
        else:
            self._later.forget(key)

    # --- regions ----------------------------------------------------------------------------------

    def preview(self, region: Subset | None) -> None:
        """Show the spectrum of a region that is being drawn, which the session does not have yet; None: no more."""
        if region is not self._drawn:
            self._drawn = region
            self.follow()

    def follow(self) -> None:
        """Bring the live spectra in line with regions, viewers and data."""
        for cube in [cube for cube in self._readers if cube not in self._session]:
            del self._readers[cube]
        if self._background not in self._session.subsets:
            self._background = ""
        if not self._audience:
            return
        cubes = self.cubes()
        subsets = self._regions() if cubes else []
        wanted = {("region", subset.name, cube): subset for cube in cubes for subset in subsets}
        for key in [key for key in self._known if key[0] == "axis" and key[2] not in self._session]:
            del self._known[key]
        self._drop([k for k in self._names if (k not in wanted if k[0] == "region" else k[2] not in cubes)])
        for cube in cubes:
            self.reader(cube)
        for key, subset in wanted.items():
            self._follow_region(key, subset, len(cubes) > 1)

    def _regions(self) -> list[Subset]:
        """Return the regions that have a live spectrum: visible ones that have an inside."""
        subsets = [s for s in self._session.subsets.values() if s.visible and s.on_images and _has_inside(s)]
        if self._drawn is not None and self._drawn.name not in self._session.subsets and _has_inside(self._drawn):
            subsets.insert(0, self._drawn)
        if len(subsets) <= MOST:
            return subsets
        chosen = set(self._session.interaction.selected)
        return sorted(subsets, key=lambda s: s.name not in chosen)[:MOST]

    def _follow_region(self, key: Key, subset: Subset, several: bool) -> None:
        cube = key[2]
        reader = self._readers.get(cube)
        if reader is None or not (subset.data is cube or _linked(subset.data, cube)):
            return
        ground = self._session.subsets.get(self._background) if subset.name != self._background else None
        ring = self._ring if can_have_ring(subset.region) else None
        wanted = (subset.source, subset.data, self.statistic, ground and ground.source, reader.store is None, ring,
                  self._cone, self._reference)  # fmt: skip
        name = f"{subset.name} · {cube.name}" if several else subset.name
        title = (name, name, subset.color)
        if _same(self._known.get(key), wanted):
            self._retitle(key, title)
            return
        self._known[key] = wanted
        area, below = self._area(key, reader, subset), self._below(cube, reader, subset, ground, ring)
        if not len(area.spaxels) or (below is not None and not len(below.spaxels)):
            self._later.forget(key)
            self._hide(key)
            return
        self._retitle(key, title)
        if self._cone and can_grow(subset.region):
            self._look_into_cone(key, reader, subset, ground if ring is None else None, ring)
            return
        self._look_into_region(key, reader, area, below)

    def _below(self, cube: Cube, reader: Any, subset: Subset, ground: Subset | None, ring: Any) -> Any:
        """Return the area of the background of a region, None when it has none."""
        if ring is not None:
            return self._area(("ring", subset.name, cube), reader, subset, ring)
        return None if ground is None else self._area(("ground", None, cube), reader, ground)

    def _look_into_region(self, key: Key, reader: Any, area: Any, below: Any) -> None:
        found = reader.at_once(area, self.statistic, below)
        if found is not None:
            self._show(key, found)
            if reader.memory is None and area.has_gone_far:
                self._later.ask(("ahead", *key[1:]), partial(reader.ahead, area))
        if found is None and reader.store is not None and self.statistic in ("sum", "mean"):
            self._later.ask(key, partial(reader.summed_up, area, self.statistic, below))
        elif found is None or reader.needs_the_file:
            spaxels = None if below is None else below.spaxels
            self._later.ask(key, partial(reader.finer_and_finer, area.spaxels, self.statistic, spaxels))
        else:
            self._later.forget(key)

    def _look_into_cone(self, key: Key, reader: Any, subset: Subset, ground: Any, ring: Any) -> None:
        """Ask for the spectrum of a region that grows with wavelength, and its background with it."""
        try:
            factors = reader.growth(self._reference)
        except JvizError as error:
            self._session.notice("warning", f"Cones need wavelengths: {error}")
            self.use_cones(False)
            return
        place = reader.place(subset, factors=factors)
        below: Any = None
        if ring is not None:
            below = reader.place(subset, factors=factors, ring=ring)
        elif ground is not None:
            grows = can_grow(ground.region)
            below = reader.place(ground, factors=factors) if grows else reader.spaxels(ground)
        self._later.ask(key, partial(reader.finer_and_finer, place, self.statistic, below))

    def _area(self, key: Key, reader: Any, subset: Subset, ring: tuple[float, float] | None = None) -> Any:
        from jviz.cube_readers import Area

        try:
            spaxels = reader.spaxels(subset, ring)
        except JvizError:
            spaxels = Spaxels.of((0, 0), np.zeros((0, 0)))  # it cannot be laid on this cube
        area = self._areas.setdefault(key, Area(spaxels))
        area.move(spaxels)
        return area

    # --- showing ----------------------------------------------------------------------------------

    def _deliver(self, key: Key, result: Any) -> None:
        from jviz.cube_choice import is_unclear

        if key[0] == "axis":
            self.follow()
        elif key[0] == "reader":
            if key[2] in self._readers:
                self._readers[key[2]] = result
                if is_unclear(key[2]):
                    self._session.axis_unclear.emit(key[2])
                self.follow()
                self._pointer_moved()
        elif key in self._names:
            self._show(key, result)

    def _retitle(self, key: Key, title: Title, *, again: bool = True) -> None:
        """Give a live spectrum another name, title or colour."""
        before = self._names.get(key)
        if before == title:
            return
        self._names[key] = title
        shown = next((s for s in self._session.live_spectra.shown if before and s.name == before[0]), None)
        if shown is None:
            return
        if before[0] != title[0]:
            self._session.live_spectra.remove(before[0])
        if again:
            self._show(key, shown.samples)

    def _show(self, key: Key, samples: Samples) -> None:
        name, title, color = self._names[key]
        self._session.live_spectra.show(name, samples, color, title)

    def _hide(self, key: Key) -> None:
        title = self._names.pop(key, None)
        if title is not None:
            self._session.live_spectra.remove(title[0])

    def _drop(self, keys: list[Key]) -> None:
        for key in keys:
            self._later.forget(key)
            self._known.pop(key, None)
            self._areas.pop(key, None)
            self._areas.pop(("ring", *key[1:]), None)
            self._hide(key)
        if self.spaxel is not None and self.spaxel[0] not in self._session:
            self.spaxel = None


def _same(before: tuple | None, wanted: tuple) -> bool:
    if before is None:
        return False
    return all(a is b or (isinstance(a, str) and a == b) for a, b in zip(before, wanted, strict=True))


def _has_inside(subset: Subset) -> bool:
    return subset.shape not in (*OPEN, "text", "spectral")


def _linked(data: Any, cube: Cube) -> bool:
    """Whether places of some data are known on a cube now: through the sky, or pixel by pixel."""
    if data is None:
        return cube.wcs_ready
    if not (data.wcs_ready and cube.wcs_ready):
        return False
    both = getattr(data, "sky", None) is not None and cube.sky is not None
    return both or tuple(data.shape[-2:]) == tuple(cube.shape[-2:])


def _cubes_of(views: Iterable[Any]) -> list[Cube]:
    """Return the cubes that are visible in views, each once."""
    found: dict[Cube, None] = {}
    for view in views:
        # A viewer of spectra may have a thousand layers, none of a cube.
        for layer in view.layers if hasattr(getattr(type(view), "layer_type", None), "cube") else ():
            cube = layer.cube
            if cube is not None and layer.visible:
                found[cube] = None
    return list(found)
