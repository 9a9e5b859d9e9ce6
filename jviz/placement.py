"""Where the subsets of a session lie in the pixels of an image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from jviz.backend.regions.outlines import ERROR, Outlines
from jviz.backend.regions.placing import HERE, place
from jviz.data import Data
from jviz.subsets import Subset

__all__ = ["Placement", "home_of", "outlines_of"]


@dataclass(frozen=True)
class Placement:
    """Outlines of subsets in the pixels of one image.

    Attributes
    ----------
    names : tuple of str
        The subsets with a region; ``outlines.owners`` counts them.
    outlines : Outlines
    """

    names: tuple[str, ...]
    outlines: Outlines


def home_of(subset: Subset, data: Data) -> Any:
    """Return what `jviz.backend.regions.placing.place` wants to know of the image that a subset belongs to.

    Images that are not both on the sky are linked by their pixels.
    """
    if subset.data is None or subset.data is data:
        return HERE
    home, target = getattr(subset.data, "sky", None), getattr(data, "sky", None)
    return HERE if home is None or target is None else home


def outlines_of(subsets: Mapping[str, Subset], data: Data, *, error: float = ERROR) -> Placement:
    """Return the outlines of all regions (pixel and sky) among subsets, in the pixels of some data.

    What was worked out for a subset is kept as long as the subset lives: when one of thousands
    moves, one is worked out. The sky of the data must be ready (`Data.wcs_ready`), or this waits for it.

    Parameters
    ----------
    subsets : mapping of str to Subset
        ``session.subsets``.
    data : Data
        An image, a cube …
    error : float
        Largest distance in pixels between a curve and its polyline; it is rounded down to a power
        of two, so that a view may ask for what suits its zoom.

    Returns
    -------
    Placement
        Subsets that are masks or spectral ranges are left out.
    """
    error = 2.0 ** np.floor(np.log2(error))
    wanted = {name: subset for name, subset in subsets.items() if subset.kind in ("pixel", "sky")}
    kept = _kept.setdefault(data, {}).setdefault(error, WeakKeyDictionary())
    if len(_kept[data]) > _errors:
        _kept[data] = {error: kept}
    missing = [subset for subset in wanted.values() if subset not in kept]
    if missing:
        homes = [home_of(subset, data) for subset in missing]
        found = place([s.region for s in missing], homes, getattr(data, "sky", None), error=error)
        for subset, own in zip(missing, _split(found, len(missing)), strict=True):
            kept[subset] = own
    return Placement(tuple(wanted), _joined([kept[subset] for subset in wanted.values()]))


_kept: WeakKeyDictionary[Data, dict[float, WeakKeyDictionary[Subset, Outlines]]] = WeakKeyDictionary()
_errors = 4


def _split(found: Outlines, count: int) -> list[Outlines]:
    """Return the rings of each region alone."""
    bounds = np.searchsorted(found.owners, np.arange(count + 1)).tolist()
    starts = found.starts
    edges = starts.tolist()
    parts = []
    for first, last in pairwise(bounds):
        points = found.points[edges[first] : edges[last]]
        own = starts[first : last + 1] - edges[first]
        parts.append(Outlines(points, own, found.closed[first:last], found.owners[first:last]))
    return parts


def _joined(parts: list[Outlines]) -> Outlines:
    if not parts:
        return Outlines(np.empty((0, 2)), np.zeros(1, np.intp), np.zeros(0, bool), np.zeros(0, np.intp))
    lengths = np.concatenate([np.diff(part.starts) for part in parts])
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.intp)
    owners = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    closed = np.concatenate([part.closed for part in parts])
    return Outlines(np.concatenate([part.points for part in parts]), starts, closed, owners)
