"""Excluded regions of files, those with a minus sign: cut out of the regions of the file that they lie on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from jviz.backend.regions.combining import inside
from jviz.backend.regions.converting import combined, is_pixel
from jviz.backend.regions.kinds import OPEN, kind_of
from jviz.backend.regions.making import Sketch
from jviz.backend.regions.offsets import offsets_to
from jviz.backend.regions.outlines import counts_of, sampled
from jviz.backend.regions.rings import PIXEL, rings_of
from jviz.backend.render.frames import unit_vectors

__all__ = ["cut_excluded", "is_excluded"]

_fine = 100.0
"""The outlines that are compared are as fine as those of regions of so many pixels."""


def is_excluded(region: Any) -> bool:
    """Whether a region, or a sketch of one, has a minus sign."""
    return region.meta.get("include", True) in (False, "-")


def cut_excluded(regions: Sequence[Any]) -> tuple[list[Any], int]:
    """Cut the excluded regions out of all others that they lie on, wherever they stand.

    Parameters
    ----------
    regions : sequence of regions.Region or Sketch
        Those of one file; pixels are of one image.

    Returns
    -------
    regions : list of regions.Region or Sketch
        In the same order. Excluded regions that lie on no other one stay as they are.
    count : int
        How many were cut out.

    Notes
    -----
    So they are meant by CIAO and funtools; DS9 itself leaves it to what reads its files. Regions of pixels and of the
    sky are not compared.
    """
    signed = {k for k, region in enumerate(regions) if is_excluded(region)}
    tools = [k for k in sorted(signed) if _has_inside(regions[k])]
    if not tools:
        return list(regions), 0
    kept = dict(enumerate(regions))
    targets = np.array([k for k, region in kept.items() if k not in signed and _has_inside(region)], int)
    shapes = _Shapes(regions)
    for k in tools:
        on = shapes.met(k, targets)
        if not on:
            continue
        tool = _object(kept.pop(k)).copy()
        tool.meta.pop("include", None)
        for t in on:
            kept[t] = combined(_object(kept[t]), tool, "andnot")
    return [kept[k] for k in sorted(kept)], len(regions) - len(kept)


def _has_inside(region: Any) -> bool:
    kind = kind_of(region)
    return not isinstance(region, np.ndarray) and kind not in (*OPEN, "point", "text")


def _object(region: Any) -> Any:
    return region.made() if isinstance(region, Sketch) else region


class _Shapes:
    """Outlines of regions in pixels or on the sky, with the circle round each."""

    def __init__(self, regions: Sequence[Any]) -> None:
        self._pixel = np.array([is_pixel(region) for region in regions])
        rings = rings_of(regions)
        table = rings.table
        size = np.maximum(np.hypot(table[:, 6], table[:, 7]), 1e-12)
        outlines = sampled(rings, table, counts_of(table, np.where(table[:, 2] == PIXEL, 1.0, _fine / size)))
        self._outlines = outlines
        self._first = np.searchsorted(outlines.owners, np.arange(len(regions) + 1))
        circles = [self._circle(k) for k in range(len(regions))]
        self._centres = np.array([centre for centre, _ in circles])
        self._radii = np.array([radius for _, radius in circles])

    def _rings(self, k: int) -> list[np.ndarray]:
        return [self._outlines.ring(r) for r in range(self._first[k], self._first[k + 1])]

    def _circle(self, k: int) -> tuple[np.ndarray, float]:
        """Return a middle, as (x, y, 0) or a unit vector, and the largest distance from it."""
        points = np.concatenate([*self._rings(k), np.empty((0, 2))])
        if not len(points):
            return np.full(3, np.nan), 0.0
        if self._pixel[k]:
            points = np.column_stack([points, np.zeros(len(points))])
            centre = points.mean(axis=0)
        else:
            points = unit_vectors(*points.T).T
            centre = points.mean(axis=0)
            centre /= np.linalg.norm(centre) or 1.0
        return centre, float(np.linalg.norm(points - centre, axis=1).max())

    def met(self, k: int, others: np.ndarray) -> list[int]:
        """Return which of other regions have some part in common with a region."""
        like = self._pixel[others] == self._pixel[k]
        apart = np.linalg.norm(self._centres[others] - self._centres[k], axis=1)
        near = others[like & (apart < self._radii[others] + self._radii[k])]
        return [int(other) for other in near if self._meet(k, int(other))]

    def _meet(self, a: int, b: int) -> bool:
        first, second = self._rings(a), self._rings(b)
        if not self._pixel[a]:
            lon, lat = first[0][0]
            first, second = ([np.column_stack(offsets_to(lon, lat, *r.T)) for r in some] for some in (first, second))
        return any(
            bool(inside(np.concatenate(some), others).any()) for some, others in ((first, second), (second, first))
        )
