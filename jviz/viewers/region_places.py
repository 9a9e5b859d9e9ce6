"""Where the regions of a session lie in a view: packed outlines in its pixels, for drawing and picking."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import pairwise
from threading import RLock
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from jviz.backend.regions.placing import HERE, place
from jviz.subsets import Subset
from jviz.viewers.image_layers import ready_sky
from jviz.viewers.region_grids import PixelGrid, SkyGrid, grid_of, offset_by
from jviz.viewers.region_shapes import Shape, distances_to_segments, kind_of

__all__ = ["Placed", "Places", "places_of", "visible_regions"]

CURVE = 64
"""Points of a curve; a coarser one is every n-th of them."""

AT_ONCE = 100
"""Regions that are placed together."""

ASIDE = 250
"""New regions above which a quiet job places them."""

PART = 1250
"""Regions that the job places together; between the parts it may be cancelled."""

CURVED = frozenset({"circle", "annulus", "ellipse", "ellipse_annulus"})

MANY = 512
"""Points of a curve that is large on the screen."""


@dataclass(frozen=True, eq=False)
class Placed:
    """The outline of one region in pixels of a view.

    Attributes
    ----------
    points : ndarray, shape (n, 2)
    starts : ndarray of int
        Where in ``points`` each polyline begins, and the end of the last.
    curved : bool
    kind : str
        Of its shape; "" for a compound region.
    anchor : (float, float)
        Where its name or text belongs.
    """

    points: np.ndarray
    starts: np.ndarray
    curved: bool
    kind: str
    anchor: tuple[float, float]

    @cached_property
    def box(self) -> tuple[float, float, float, float]:
        """``(x0, y0, x1, y1)`` round the outline; NaN where the view's sky does not reach."""
        if not len(self.points):
            return (*self.anchor, *self.anchor)
        (x0, y0), (x1, y1) = self.points.min(axis=0), self.points.max(axis=0)
        return float(x0), float(y0), float(x1), float(y1)

    def lines(self) -> list[np.ndarray]:
        """Return the polylines."""
        return [self.points[a:b] for a, b in zip(self.starts[:-1], self.starts[1:], strict=True)]


class Places:
    """All regions of a view at once.

    Attributes
    ----------
    subsets : list of Subset
    placed : list of Placed
    points : ndarray, shape (n, 2)
        Of all outlines, in pixels of the view.
    starts : ndarray of int
        Where each polyline begins, and the end of the last.
    owners : ndarray of int
        Which region each polyline is of.
    boxes : ndarray, shape (regions, 4)
    complete : bool
        Whether all are there that should be.
    """

    complete = True

    def __init__(self, subsets: Sequence[Subset], placed: Sequence[Placed]) -> None:
        self.subsets, self.placed = list(subsets), list(placed)
        self.points = np.concatenate([p.points for p in placed]) if placed else np.empty((0, 2))
        counts = [len(p.starts) - 1 for p in placed]
        self.owners = np.repeat(np.arange(len(placed)), counts)
        lengths = np.concatenate([np.diff(p.starts) for p in placed]) if placed else np.empty(0, int)
        self.starts = np.concatenate([[0], np.cumsum(lengths)]).astype(int)
        self.boxes = np.array([p.box for p in placed]).reshape(-1, 4)

    @cached_property
    def curved(self) -> np.ndarray:
        """Which regions have curves."""
        return np.array([p.curved for p in self.placed], dtype=bool)

    @cached_property
    def colours(self) -> tuple[list[str], np.ndarray]:
        """The colours that there are, and the number of each region's."""
        names = list(dict.fromkeys(s.color for s in self.subsets))
        numbers = {name: number for number, name in enumerate(names)}
        return names, np.array([numbers[s.color] for s in self.subsets], dtype=int)

    @cached_property
    def of_kind(self) -> np.ndarray:
        """What shape each region is."""
        return np.array([p.kind for p in self.placed], dtype="U24")

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The number of each region by its name."""
        return {subset.name: number for number, subset in enumerate(self.subsets)}

    def replaced(self, changed: dict[int, tuple[Subset, Placed]]) -> Places:
        """Return the same with other outlines, of as many points, for a few regions; quick."""
        new = object.__new__(Places)
        new.subsets, new.placed = list(self.subsets), list(self.placed)
        new.points, new.boxes = self.points.copy(), self.boxes.copy()
        new.owners, new.starts, new.complete = self.owners, self.starts, self.complete
        new.numbers, new.curved, new.of_kind = self.numbers, self.curved, self.of_kind
        for number, (subset, placed) in changed.items():
            new.subsets[number], new.placed[number] = subset, placed
            start = self.starts[np.searchsorted(self.owners, number)]
            new.points[start : start + len(placed.points)] = placed.points
            new.boxes[number] = placed.box
        return new

    def under(self, x: float, y: float, reach: float, *, inside: bool = True) -> list[Subset]:
        """Return the regions at a point, the smallest first.

        Parameters
        ----------
        x, y, reach : float
            In pixels of the view; an outline is hit within ``reach``.
        inside : bool
            Whether the inside counts, or the outline only.
        """
        if not len(self.boxes):
            return []
        x0, y0, x1, y1 = self.boxes.T
        near = np.flatnonzero((x0 - reach <= x) & (x <= x1 + reach) & (y0 - reach <= y) & (y <= y1 + reach))
        near = near[np.argsort(((x1 - x0) * (y1 - y0))[near], kind="stable")]
        point = np.array([x, y])
        return [self.subsets[k] for k in near if _hits(self.placed[k], point, reach, inside)]


def _hits(placed: Placed, point: np.ndarray, reach: float, inside: bool) -> bool:
    lines = placed.lines()
    if not lines:
        return bool(np.hypot(*(point - placed.anchor)) <= 2 * reach)
    crossings = 0
    for line in lines:
        if distances_to_segments(point, line[:-1], line[1:]).min() <= reach:
            return True
        if inside and len(line) > 3 and np.array_equal(line[0], line[-1]):
            crossings += _crossings(line, point)
    return crossings % 2 == 1


def _crossings(line: np.ndarray, point: np.ndarray) -> int:
    """Count the edges that a ray to the right of a point meets."""
    x, y = point
    x0, y0, x1, y1 = line[:-1, 0], line[:-1, 1], line[1:, 0], line[1:, 1]
    straddles = (y0 > y) != (y1 > y)
    with np.errstate(divide="ignore", invalid="ignore"):
        at = x0 + (y - y0) * (x1 - x0) / (y1 - y0)
    return int(np.count_nonzero(straddles & (x < at)))


# --- placing ----------------------------------------------------------------------------------------


class Kept(NamedTuple):
    """What was put together last for an image, and what it depended on."""

    stamp: tuple
    wanted: list[Subset]
    places: Places


_memory: WeakKeyDictionary[Subset, dict[Any, Placed | None]] = WeakKeyDictionary()
_last: dict[int, Kept] = {}
_aside_for: dict[int, tuple[tuple, bool | None]] = {}
"""For an image what a quiet job places its regions for, and whether it is still at it."""
_lock = RLock()


def visible_regions(session: Any) -> list[Subset]:
    """Return the regions that are to be seen, in the order of the session."""
    return [s for s in session.subsets.values() if s.visible and s.kind in ("pixel", "sky")]


def places_of(session: Any, data: Any, sky: Any, *, seconds: float | None = None) -> Places:
    """Return where the visible regions lie in the pixels of an image.

    Parameters
    ----------
    data : Data
        The first layer of the view.
    sky : SkyMap or None
        Of that layer.
    seconds : float, optional
        After that long the rest of new regions is left for the next call: a frame must be quick.
        Very many new ones are left to a quiet job.
    """
    stamp = (id(session), session.subsets_version, sky is not None, *(ready_sky(d) is not None for d in session.data))
    with _lock:
        kept = _last.get(data.number)
        if kept is not None and kept.stamp == stamp and kept.places.complete:
            return kept.places
        wanted = visible_regions(session)
        places = _moved(kept, stamp, wanted, data, sky)
        if places is None and seconds is not None and len(wanted) > ASIDE:
            meanwhile = _aside(session, kept, stamp, wanted, data, sky)
            if meanwhile is not None:
                return meanwhile
        places = places or _anew(wanted, data, sky, seconds)
        while len(_last) >= 8:
            _last.pop(next(iter(_last)))
        _last[data.number] = Kept(stamp, wanted, places)
        return places


def _moved(kept: Kept | None, stamp: tuple, wanted: list[Subset], data: Any, sky: Any) -> Places | None:
    """Return the places before with a few regions changed, None when more is to be done."""
    if kept is None or not kept.places.complete or len(kept.wanted) != len(wanted) or kept.stamp[2:] != stamp[2:]:
        return None
    if len(kept.places.subsets) != len(wanted):
        return None
    changed = [k for k, (a, b) in enumerate(zip(kept.wanted, wanted, strict=True)) if a is not b]
    if len(changed) > 50:
        return None
    new = [(wanted[k], _key(wanted[k], data, sky)) for k in changed]
    _place([(s, key) for s, key in new if key not in _memory.get(s, ())], data, sky)
    found = {k: (s, _memory[s][key]) for k, (s, key) in zip(changed, new, strict=True)}
    if all(_alike(kept.places, k, s, placed) for k, (s, placed) in found.items()):
        return kept.places.replaced(found)
    return None


def _alike(places: Places, number: int, subset: Subset, placed: Placed | None) -> bool:
    """Whether an outline can take the place of the one before."""
    old = places.placed[number]
    same = placed is not None and placed.kind == old.kind and np.array_equal(placed.starts, old.starts)
    return same and places.subsets[number].name == subset.name


def _anew(wanted: list[Subset], data: Any, sky: Any, seconds: float | None) -> Places:
    """Place what is new and put all together."""
    keys = [_key(subset, data, sky) for subset in wanted]
    new = _missing(wanted, keys)
    end = math.inf if seconds is None else time.perf_counter() + seconds
    done = 0
    while done < len(new) and time.perf_counter() < end:
        _place(new[done : done + AT_ONCE], data, sky)
        done += AT_ONCE
    places = _assembled(wanted, keys)
    places.complete = done >= len(new)
    return places


def _missing(wanted: list[Subset], keys: list[tuple]) -> list[tuple[Subset, tuple]]:
    return [(s, k) for s, k in zip(wanted, keys, strict=True) if k not in _memory.get(s, ())]


def _assembled(wanted: list[Subset], keys: list[tuple]) -> Places:
    """Put together what is placed."""
    found = [(s, _memory[s][k]) for s, k in zip(wanted, keys, strict=True) if k in _memory.get(s, ())]
    shown = [(s, p) for s, p in found if p is not None]
    return Places([s for s, _ in shown], [p for _, p in shown])


def _aside(session: Any, kept: Kept | None, stamp: tuple, wanted: list[Subset], data: Any, sky: Any) -> Places | None:
    """Have many new regions placed by a quiet job, and return what there is meanwhile; None when it is not needed."""
    if _aside_for.get(data.number, ((), None))[0] != stamp:
        keys = [_key(subset, data, sky) for subset in wanted]
        if len(_missing(wanted, keys)) <= ASIDE:
            return None
        _aside_for[data.number] = (stamp, True)
        work = partial(_place_aside, stamp, wanted, keys, data, sky)
        session.jobs.submit("Place the regions", work, quiet=True, urgent=True)
    if not _aside_for[data.number][1]:
        return None
    alive = {id(subset) for subset in wanted}
    fits = kept is not None and all(id(subset) in alive for subset in kept.places.subsets)
    places = copy(kept.places) if kept is not None and fits else Places([], [])
    places.complete = False
    return places


def _place_aside(stamp: tuple, wanted: list[Subset], keys: list[tuple], data: Any, sky: Any, job: Any) -> None:
    """Place regions without holding up those who draw."""
    try:
        new = _missing(wanted, keys)
        for done in range(0, len(new), PART):
            job.report(done, len(new))
            _place(new[done : done + PART], data, sky)
        places = _assembled(wanted, keys)
        with _lock:
            _last[data.number] = Kept(stamp, wanted, places)
    finally:
        if _aside_for.get(data.number, ((), None))[0] == stamp:
            _aside_for[data.number] = (stamp, False)


def _key(subset: Subset, data: Any, sky: Any) -> tuple:
    """Return what the outline of a region in a view depends on."""
    own = subset.data is not None and subset.data is not data and ready_sky(subset.data) is not None
    return (data.number, sky is not None, own)


def _place(new: list[tuple[Subset, tuple]], data: Any, sky: Any) -> None:
    """Work out the outlines of regions that are new; all those on the sky in one go."""
    curves = [(s, key) for s, key in new if kind_of(s.region) in CURVED and _home(s, data, sky) is not None]
    for (subset, key), placed in zip(curves, _curves([s for s, _ in curves], data, sky), strict=True):
        _keep(subset, key, placed)
    known = {id(subset) for subset, _ in curves}
    others = [(s, key) for s, key in new if id(s) not in known]
    pieces = [_pieces(subset, subset.region, data, sky, CURVE) for subset, _ in others]
    lines = iter(_to_view([piece for found in pieces for piece in found]))
    for (subset, key), found in zip(others, pieces, strict=True):
        _keep(subset, key, _together([(piece, next(lines)) for piece in found], kind_of(subset.region)))


def _keep(subset: Subset, key: tuple, placed: Placed | None) -> None:
    memory = _memory.setdefault(subset, {})
    if len(memory) > 8:
        memory.clear()
    memory[key] = placed


def _home(subset: Subset, data: Any, sky: Any) -> Any:
    """Return what `place` wants to know of the image whose pixels a region counts, None when a view cannot show it."""
    if subset.kind == "sky":
        return sky
    if subset.data is None or subset.data is data:
        return HERE
    own = ready_sky(subset.data)
    return HERE if own is None and sky is None else own if sky is not None else None


def _curves(subsets: list[Subset], data: Any, sky: Any) -> list[Placed | None]:
    """Place circles, ellipses and annuli, each ring by `CURVE` points and the first one again, in one go."""
    if not subsets:
        return []
    found = place([s.region for s in subsets], [_home(s, data, sky) for s in subsets], sky, curve=CURVE)
    rings = found.points.reshape(-1, CURVE, 2)
    rings = np.concatenate([rings, rings[:, :1]], axis=1)
    good = np.isfinite(rings).all(axis=(1, 2))
    low, high, middle = rings.min(axis=1), rings.max(axis=1), rings[:, :-1].mean(axis=1)
    bounds = np.searchsorted(found.owners, np.arange(len(subsets) + 1))
    shown = np.logical_and.reduceat(good, bounds[:-1]).tolist()
    boxes, middles, edges = np.hstack([low, high]).tolist(), middle.tolist(), bounds.tolist()
    placed: list[Placed | None] = []
    for number, (subset, first, last) in enumerate(zip(subsets, edges[:-1], edges[1:], strict=True)):
        if not shown[number]:
            placed.append(None)
            continue
        points, starts = rings[first:last].reshape(-1, 2), _starts[: last - first + 1]
        one = Placed(points, starts, True, kind_of(subset.region), tuple(middles[first]))
        vars(one)["box"] = tuple(boxes[first])  # the outer ring comes first
        placed.append(one)
    return placed


_starts = np.arange(3) * (CURVE + 1)


def finely(subset: Subset, data: Any, sky: Any) -> list[np.ndarray]:
    """Return the polylines of a region that is large on the screen."""
    pieces = _pieces(subset, subset.region, data, sky, MANY)
    return [line for lines in _to_view(pieces) for line in lines]


Piece = tuple[Any, Shape, list[np.ndarray]]


def _pieces(subset: Subset, region: Any, data: Any, sky: Any, n: int) -> list[Piece]:
    """Return the shapes that a region is made of, with their grids and outlines; none when it cannot be shown."""
    if hasattr(region, "region1"):
        parts = (region.region1, region.region2)
        return [piece for part in parts for piece in _pieces(subset, part, data, sky, n)]
    grid = grid_of(subset, data, sky, region) if kind_of(region) else None
    shape = grid.shape(region) if grid is not None else None
    return [] if shape is None else [(grid, shape, _bent(shape, grid, n))]


def _bent(shape: Shape, grid: Any, n: int) -> list[np.ndarray]:
    """Return the outline with points between the corners where the grid is not that of the view."""
    lines = shape.lines(n)
    if (isinstance(grid, PixelGrid) and grid.own is None) or shape.kind in ("circle", "annulus", "ellipse"):
        return lines
    return [_divided(line) if len(line) < 40 else line for line in lines]


def _divided(line: np.ndarray, parts: int = 4) -> np.ndarray:
    """Return a polyline with its edges divided."""
    share = np.arange(parts)[:, None] / parts
    between = [a + share * (b - a) for a, b in pairwise(line)]
    return np.vstack([*between, line[-1:]])


def _to_view(pieces: list[Piece]) -> list[list[np.ndarray]]:
    """Return the outlines of pieces, then their anchors, in pixels of the view."""
    found: list[list[np.ndarray]] = []
    skies = [(k, grid) for k, (grid, _, _) in enumerate(pieces) if isinstance(grid, SkyGrid)]
    by_frame: dict[str, list[int]] = {}
    for k, grid in skies:
        by_frame.setdefault(grid.frame.name, []).append(k)
    for grid, shape, lines in pieces:
        parts = [*lines, shape.centre[None, :]]
        found.append(parts if isinstance(grid, SkyGrid) else _cut(grid.to_view(np.vstack(parts)), parts))
    for numbers in by_frame.values():
        parts = [part for k in numbers for part in found[k]]
        counts = [sum(map(len, found[k])) for k in numbers]
        grids = [pieces[k][0] for k in numbers]
        lon, lat = (np.repeat([getattr(g, name) for g in grids], counts) for name in ("lon", "lat"))
        lon, lat = grids[0].frame.to_icrs(*offset_by(lon, lat, *np.vstack(parts).T))
        placed = iter(_cut(np.column_stack(grids[0].view.sky_to_pixel(lon, lat)), parts))
        for k in numbers:
            found[k] = [next(placed) for _ in found[k]]
    return found


def _cut(points: np.ndarray, parts: list[np.ndarray]) -> list[np.ndarray]:
    ends = np.cumsum([len(part) for part in parts])[:-1]
    return np.split(points, ends)


def _together(placed: list[tuple[Piece, list[np.ndarray]]], kind: str) -> Placed | None:
    if not placed:
        return None
    lines = [line for _, parts in placed for line in parts[:-1] if np.isfinite(line).all()]
    anchor = placed[0][1][-1][0]
    if not np.isfinite(anchor).all():
        return None
    points = np.vstack(lines) if lines else np.empty((0, 2))
    starts = np.concatenate([[0], np.cumsum([len(line) for line in lines])]).astype(int)
    kinds = {shape.kind for (_, shape, _), _ in placed}
    curved = bool(kinds & CURVED) and len(kinds) == 1
    return Placed(points, starts, curved, kind, (float(anchor[0]), float(anchor[1])))
