"""Searches by an outline on the sky: the circle that is asked about, and the rows that overlap the outline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from jviz.errors import CommandError

if TYPE_CHECKING:
    from astropy.table import QTable

    from jviz.backend.library.footprints import Footprint

__all__ = ["outlined", "overlapped"]

MARGIN = 0.1
"""Degrees that the circle is wider: some archives look only for middles in it, and footprints reach beyond theirs."""


def outlined(
    session: Any, outline: Any, target: Any, position: Any, targets: Any
) -> tuple[Footprint, tuple[float, float], float]:
    """Return an outline, and place and radius (degrees) of a circle round it and its surroundings.

    Raises
    ------
    CommandError
        When it is none, or a place is given besides.
    """
    from jviz.backend.library.outlines import enclosing

    if not (target is None and position is None and targets is None):
        raise CommandError("Give an outline or a place, not both.")
    shape = _shape(session, outline)
    lon, lat, radius = enclosing(shape)
    return shape, (lon, lat), radius + MARGIN


def _shape(session: Any, outline: Any) -> Footprint:
    from jviz.backend.library.footprints import Footprint, of_region, vector

    known = session.subsets.get(outline, outline) if isinstance(outline, str) else outline
    region = getattr(known, "region", known)
    if isinstance(region, str):
        shape = of_region(region)
        if shape is None:
            raise CommandError(f"{region[:60]!r} is no outline. Write POLYGON and RA and Dec of its corners in "
                               "degrees, or name a polygon on the sky.")  # fmt: skip
        return shape
    vertices = getattr(getattr(region, "vertices", None), "icrs", None)
    if vertices is None:
        raise CommandError("Only polygons on the sky can be searched; turn the region into one.")
    return Footprint((vector(vertices.ra.deg, vertices.dec.deg),))


def overlapped(table: QTable, outline: Footprint | None) -> QTable:
    """Return the rows of an answer that overlap an outline; all without one."""
    if outline is None:
        return table
    keep = _places(table, outline)
    if "s_region" in table.colnames:
        from jviz.backend.library.footprints import of_region
        from jviz.backend.library.outlines import overlapping

        keep |= overlapping([of_region(str(text)) for text in table["s_region"]], outline)
    found = table[keep]
    if not table.meta["truncated"]:
        found.meta["total"] = len(found)
    return found


def _places(table: QTable, outline: Footprint) -> np.ndarray:
    from jviz.backend.archive.skyplaces import position_columns
    from jviz.backend.library.outlines import within

    places = position_columns(table)
    return np.zeros(len(table), bool) if places is None else within(outline, *places)
