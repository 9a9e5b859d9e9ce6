"""Where the regions of a session lie in an image: outlines of thousands in one array, for drawing and picking."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from threading import RLock
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from jviz.backend.regions.combining import combine
from jviz.backend.regions.kinds import CURVED
from jviz.backend.regions.outlines import Outlines
from jviz.backend.regions.placing import place
from jviz.placement import home_of, ready_sky
from jviz.subsets import Subset

__all__ = ["ASIDE", "Outline", "Places", "finely", "placed", "places_of", "visible_regions"]

CURVE = 64
"""Points of a curve; a coarser one is every n-th of them."""

ASIDE = 200
"""New regions above which a quiet job places them."""

PART = 1250
"""Regions that the job places together; between the parts it may be cancelled."""


WORKED_OUT = ("firsts", "lengths", "kinds", "curved", "marked", "worded", "colours", "numbers")
"""What places of thousands of regions work out once."""


@dataclass(frozen=True, eq=False)
class Outline:
    """The outline of one region in pixels of an image.

    Attributes
    ----------
    points : ndarray, shape (n, 2)
        NaN where a line is interrupted.
    starts : ndarray of int
        Where in ``points`` each polyline begins, and the end of the last; a point or text is one of one point.
    kind : str
        As `Subset.shape`.
    """

    points: np.ndarray
    starts: np.ndarray
    kind: str

    def lines(self) -> list[np.ndarray]:
        """Return the polylines, closed ones with the first point again at the end."""
        return [self.points[a:b] for a, b in zip(self.starts[:-1], self.starts[1:], strict=True)]

    @property
    def anchor(self) -> tuple[float, float]:
        """Where a text belongs."""
        x, y = self.points[0]
        return float(x), float(y)


@dataclass(frozen=True, eq=False)
class Places:
    """All regions of an image at once.

    Attributes
    ----------
    subsets : list of Subset
    points : ndarray, shape (n, 2)
        Of all outlines, in pixels of the image.
    starts : ndarray of int
        Where each polyline begins, and the end of the last.
    owners : ndarray of int
        Which region each polyline is of; ascending.
    boxes : ndarray, shape (regions, 4)
        x0, y0, x1, y1; NaN where the image's sky does not reach.
    complete : bool
        Whether all are there that should be.
    """

    subsets: list[Subset]
    points: np.ndarray
    starts: np.ndarray
    owners: np.ndarray
    boxes: np.ndarray
    complete: bool = True

    @cached_property
    def firsts(self) -> np.ndarray:
        """The first polyline of each region, and their number."""
        return np.searchsorted(self.owners, np.arange(len(self.subsets) + 1))

    @cached_property
    def lengths(self) -> np.ndarray:
        """How many points each region has."""
        return np.diff(self.starts[self.firsts])

    @cached_property
    def kinds(self) -> np.ndarray:
        """What shape each region has."""
        return np.array([s.shape for s in self.subsets], dtype="U24")

    @cached_property
    def curved(self) -> np.ndarray:
        """Which regions have curves."""
        return np.isin(self.kinds, list(CURVED))

    @cached_property
    def marked(self) -> np.ndarray:
        """Which regions are points."""
        return self.kinds == "point"

    @cached_property
    def worded(self) -> np.ndarray:
        """Which regions have something written, or an arrow's head, however many there are."""
        return np.isin(self.kinds, ("text", "ruler", "compass", "vector"))

    @cached_property
    def colours(self) -> tuple[list[str], np.ndarray]:
        """The colours that there are, and the number of each region's."""
        numbers: dict[str, int] = {}
        of = [numbers.setdefault(s.color, len(numbers)) for s in self.subsets]
        return list(numbers), np.array(of, dtype=int)

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The number of each region by its name."""
        return {subset.name: number for number, subset in enumerate(self.subsets)}

    def seen(self) -> list[Subset]:
        """Return the regions that lie on the image's sky."""
        return [self.subsets[k] for k in np.flatnonzero(np.isfinite(self.boxes).all(axis=1))]

    def outline(self, number: int) -> Outline:
        """Return the outline of one region."""
        first, last = self.firsts[number : number + 2]
        starts = self.starts[first : last + 1]
        return Outline(self.points[starts[0] : starts[-1]], starts - starts[0], self.subsets[number].shape)

    def taken(self, numbers: np.ndarray) -> Places:
        """Return some of the regions, in the order of their numbers given."""
        firsts, counts = self.firsts[:-1][numbers], np.diff(self.firsts)[numbers]
        rings = _ragged(firsts, counts)
        lengths = np.diff(self.starts)[rings]
        points = self.points.take(_ragged(self.starts[rings], lengths), axis=0)
        owners = np.repeat(np.arange(len(numbers)), counts)
        return Places([self.subsets[k] for k in numbers], points, _ends(lengths), owners, self.boxes[numbers])

    def replaced(self, changed: dict[int, Subset], new: Places) -> Places | None:
        """Return the same with other outlines, of as many points, for a few regions; None where they have not as many.

        The arrays are changed in place, for to copy those of thousands takes a good part of a frame: these places
        are not to be used any more.

        Parameters
        ----------
        changed : dict of int to Subset
            By their numbers.
        new : Places
            Of those, in the same order.
        """
        old = np.fromiter(changed, int)
        rings = _ragged(self.firsts[old], np.diff(self.firsts)[old])
        if not np.array_equal(np.diff(self.starts)[rings], np.diff(new.starts)):
            return None
        before, subsets = self.subsets, list(self.subsets)
        self.points[_ragged(self.starts[rings], np.diff(new.starts))] = new.points
        self.boxes[old] = new.boxes
        for k, subset in changed.items():
            subsets[k] = subset
        made = replace(self, subsets=subsets)
        kept = ["firsts", "lengths", "numbers"]
        if all(before[k].shape == s.shape for k, s in changed.items()):
            kept += ["kinds", "curved", "marked", "worded"]
        if all(before[k].color == s.color for k, s in changed.items()):
            kept.append("colours")
        vars(made).update({name: getattr(self, name) for name in kept})
        return made

    def without(self, wanted: Sequence[Subset]) -> Places:
        """Return the same, incomplete, with all regions but those wanted out of sight; nothing large is copied."""
        left = set(map(id, wanted))
        gone = [k for k, subset in enumerate(self.subsets) if id(subset) not in left]
        boxes = self.boxes.copy()
        boxes[gone] = np.nan
        made = replace(self, boxes=boxes, complete=False)
        vars(made).update({name: getattr(self, name) for name in WORKED_OUT})
        if gone:
            hidden = {self.subsets[k].name for k in gone}
            vars(made)["numbers"] = {name: k for name, k in self.numbers.items() if name not in hidden}
        return made

    def under(self, x: float, y: float, reach: float, *, inside: bool = True, aspect: float = 1.0) -> list[Subset]:
        """Return the regions at a point, the smallest first.

        Parameters
        ----------
        x, y, reach : float
            In pixels of the image; an outline is hit within ``reach``.
        inside : bool
            Whether the inside counts, or the outline only.
        aspect : float
            How many times as high as wide pixels are drawn: upwards it is hit within ``reach / aspect``.
        """
        if not len(self.boxes):
            return []
        x0, y0, x1, y1 = self.boxes.T
        up = reach / aspect
        near = np.flatnonzero((x0 - reach <= x) & (x <= x1 + reach) & (y0 - up <= y) & (y <= y1 + up))
        near = near[np.argsort(((x1 - x0) * (y1 - y0))[near], kind="stable")]
        drawn = np.array([1.0, aspect])
        return [self.subsets[k] for k in near if _hits(self.outline(k), np.array([x, y]), drawn, reach, inside)]


def _ragged(firsts: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return the numbers first, first + 1 … of each, one after the other."""
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    return np.arange(total) + np.repeat(firsts - (ends - counts), counts)


def _ends(lengths: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.intp)


def _hits(outline: Outline, point: np.ndarray, drawn: np.ndarray, reach: float, inside: bool) -> bool:
    crossings = 0
    for line in outline.lines():
        if len(line) == 1:
            return bool(np.hypot(*((point - line[0]) * drawn)) <= 2 * reach)
        if _distance(point * drawn, line * drawn) <= reach:
            return True
        crossings += _crossings(line, point)
    # the pieces of a combined region are open, but together they close
    closed = outline.kind not in ("path", "line", "ruler", "vector", "compass")
    return inside and closed and crossings % 2 == 1


def _distance(point: np.ndarray, line: np.ndarray) -> float:
    """Return how far a point is from a polyline."""
    starts, along = line[:-1], np.diff(line, axis=0)
    length = (along**2).sum(axis=1)
    share = ((point - starts) * along).sum(axis=1) / np.where(length > 0, length, 1)
    apart = np.hypot(*(point - starts - np.clip(share, 0, 1)[:, None] * along).T)
    return float(np.fmin.reduce(apart, initial=np.inf))


def _crossings(line: np.ndarray, point: np.ndarray) -> int:
    """Count the edges that a ray to the right of a point meets."""
    x, y = point
    x0, y0, x1, y1 = line[:-1, 0], line[:-1, 1], line[1:, 0], line[1:, 1]
    straddles = ((y0 > y) != (y1 > y)) & np.isfinite(y0 + y1)
    with np.errstate(divide="ignore", invalid="ignore"):
        at = x0 + (y - y0) * (x1 - x0) / (y1 - y0)
    return int(np.count_nonzero(straddles & (x < at)))


# --- placing ----------------------------------------------------------------------------------------


class Kept(NamedTuple):
    """What was put together last for an image, of which subsets, and what else it depended on."""

    stamp: tuple
    subsets: list[Subset]
    places: Places


_last: dict[int, Kept] = {}
_aside_for: dict[int, tuple[tuple, bool | None]] = {}
"""For an image what a quiet job places its regions for, and whether it is still at it."""
_lock = RLock()
NOTHING = Places([], np.empty((0, 2)), np.zeros(1, np.intp), np.empty(0, int), np.empty((0, 4)))


def visible_regions(session: Any) -> list[Subset]:
    """Return the regions and masks of images that are to be seen, in the order of the session."""
    return [s for s in session.subsets.values() if s.visible and s.on_images]


def places_of(session: Any, data: Any, sky: Any, *, at_once: bool = True) -> Places:
    """Return where the visible regions lie in the pixels of an image.

    Parameters
    ----------
    data : Data
        The first layer of the view.
    sky : SkyMap or None
        Of that layer.
    at_once : bool
        Otherwise very many new regions are left to a quiet job: a frame must be quick.
    """
    stamp = (id(session), session.subsets_version, id(sky), *(ready_sky(d) is not None for d in session.data))
    with _lock:
        kept = _last.get(data.number)
        if kept is not None and kept.stamp == stamp and kept.places.complete:
            return kept.places
        if kept is not None and (kept.stamp[0], *kept.stamp[2:]) != (stamp[0], *stamp[2:]):
            kept = None  # another sky: nothing of it serves
        places = _moved(kept, session, data, sky)
        if places is None:
            wanted = visible_regions(session)
            known = kept.places if kept is not None else NOTHING
            if not at_once and (_many_new(known, wanted) or _many_to_copy(known, wanted)):
                return _aside(session, known, stamp, wanted, data, sky)
            places = _anew(known, wanted, data, sky)
        while len(_last) >= 8:
            _last.pop(next(iter(_last)))
        _last[data.number] = Kept(stamp, list(session.subsets.values()), places)
        return places


def placed(subsets: Sequence[Subset], data: Any, sky: Any, *, curve: int | None = CURVE, error: float = 0.1) -> Places:
    """Place regions, all those on the sky in one go.

    Parameters
    ----------
    curve : int or None
        Points of every curve; None: as many as ``error``, in pixels of the image, asks for.
    """
    homes = [home_of(s, data, sky) for s in subsets]
    shown = [k for k, home in enumerate(homes) if home is not None]
    regions = [subsets[k].source for k in shown]
    found = place(regions, [homes[k] for k in shown], sky, curve=curve, error=error)
    found = combine(found, regions)
    return _packed(list(subsets), replace(found, owners=np.array(shown, int)[found.owners]))


def finely(subset: Subset, data: Any, sky: Any, scale: float) -> Outline:
    """Return the outline of a region that is large on the screen, ``scale`` screen pixels for each of the image's."""
    scale = 2.0 ** math.ceil(math.log2(scale))
    key, found = _fine.get(subset, ((), None))
    if key != (data.number, id(sky), scale):
        found = placed([subset], data, sky, curve=None, error=0.2 / scale).outline(0)
        _fine[subset] = (data.number, id(sky), scale), found
    return found


_fine: WeakKeyDictionary[Subset, tuple[tuple, Outline]] = WeakKeyDictionary()


def _packed(subsets: list[Subset], found: Outlines) -> Places:
    """Close the closed lines; what is nowhere on the image gets a single point that is NaN."""
    missing = np.setdiff1d(np.arange(len(subsets)), found.owners)
    lengths = np.concatenate([np.diff(found.starts), np.ones(len(missing), int)])
    closed = np.concatenate([found.closed, np.zeros(len(missing), bool)])
    firsts = np.concatenate([found.starts[:-1], np.full(len(missing), len(found.points))])
    owners = np.concatenate([found.owners, missing])
    if len(missing):
        order = np.argsort(owners, kind="stable")
        lengths, closed, firsts, owners = lengths[order], closed[order], firsts[order], owners[order]
    lengths = lengths + closed
    index = _ragged(firsts, lengths)
    index[np.cumsum(lengths)[closed] - 1] = firsts[closed]
    points = np.vstack([found.points, [[np.nan, np.nan]]]) if len(missing) else found.points
    points, starts = points.take(index, axis=0), _ends(lengths)
    points[~np.isfinite(points).all(axis=1)] = np.nan
    if not len(subsets):
        return NOTHING
    begins = starts[np.searchsorted(owners, np.arange(len(subsets)))]
    boxes = np.hstack([np.fmin.reduceat(points, begins), np.fmax.reduceat(points, begins)])
    return Places(subsets, points, starts, owners, boxes)


def _moved(kept: Kept | None, session: Any, data: Any, sky: Any) -> Places | None:
    """Return the places before with a few regions changed, None when more is to be done."""
    if kept is None or not kept.places.complete:
        return None
    now = list(session.subsets.values())
    if len(now) != len(kept.subsets):
        return None
    pairs = [(a, b) for a, b in zip(kept.subsets, now, strict=True) if a is not b]
    changed: dict[int, Subset] = {}
    for before, after in pairs[: ASIDE + 1]:
        number = kept.places.numbers.get(before.name)
        shown = after.visible and after.on_images
        if before.name != after.name or shown != (number is not None) or len(pairs) > ASIDE:
            return None
        if number is not None:
            changed[number] = after
    if not changed:
        return kept.places
    changed = dict(sorted(changed.items()))
    return kept.places.replaced(changed, placed(list(changed.values()), data, sky))


def _many_new(known: Places, wanted: list[Subset]) -> bool:
    have = set(map(id, known.subsets))
    return sum(id(s) not in have for s in wanted) > ASIDE


def _many_to_copy(known: Places, wanted: list[Subset]) -> bool:
    """Whether thousands of outlines are to be put together anew: more than is added at their end."""
    first = wanted[: len(known.subsets)]
    return len(known.subsets) > PART and list(map(id, first)) != list(map(id, known.subsets))


def _anew(known: Places, wanted: list[Subset], data: Any, sky: Any) -> Places:
    """Place what is new, and put all together in the order wanted."""
    have = {id(s): k for k, s in enumerate(known.subsets)}
    new = [s for s in wanted if id(s) not in have]
    return _joined([known, placed(new, data, sky)] if new else [known], wanted)


def _joined(parts: list[Places], wanted: list[Subset]) -> Places:
    """Return those of some places that are wanted, in that order."""
    parts = [part for part in parts if part.subsets]
    if not parts:
        return NOTHING
    shifts = np.cumsum([0, *(len(part.subsets) for part in parts)])
    both = Places(
        [s for part in parts for s in part.subsets],
        np.concatenate([part.points for part in parts]),
        _ends(np.concatenate([np.diff(part.starts) for part in parts])),
        np.concatenate([part.owners + shift for part, shift in zip(parts, shifts[:-1], strict=True)]),
        np.concatenate([part.boxes for part in parts]),
    )
    number = {id(s): k for k, s in enumerate(both.subsets)}
    order = [number[id(s)] for s in wanted if id(s) in number]
    return both if order == list(range(len(both.subsets))) else both.taken(np.array(order, int))


def _aside(session: Any, known: Places, stamp: tuple, wanted: list[Subset], data: Any, sky: Any) -> Places:
    """Have many new regions placed by a quiet job, and return what there is meanwhile."""
    if _aside_for.get(data.number, ((), None))[0] != stamp:
        _aside_for[data.number] = (stamp, True)
        work = partial(_place_aside, stamp, known, wanted, list(session.subsets.values()), data, sky)
        session.jobs.submit("Place the regions", work, quiet=True, urgent=True)
    if not _aside_for[data.number][1]:
        return _anew(known, wanted, data, sky)  # the job failed
    return known.without(wanted)


def _place_aside(
    stamp: tuple, known: Places, wanted: list[Subset], subsets: list[Subset], data: Any, sky: Any, job: Any
) -> None:
    """Place regions without holding up those who draw."""
    try:
        have = set(map(id, known.subsets))
        new, parts = [s for s in wanted if id(s) not in have], [known]
        for done in range(0, len(new), PART):
            job.report(done, len(new))
            parts.append(placed(new[done : done + PART], data, sky))
        places = _joined(parts, wanted)
        for name in WORKED_OUT:
            getattr(places, name)  # worked out here, not in the window's thread
        with _lock:
            _last[data.number] = Kept(stamp, subsets, places)
    finally:
        if _aside_for.get(data.number, ((), None))[0] == stamp:
            _aside_for[data.number] = (stamp, False)
