"""Images whose place on the sky was corrected: what was done to them goes along in session files."""

from __future__ import annotations

from dataclasses import replace

from jviz.backend.catalogs.astrometry import Correction, moved_wcs
from jviz.backend.io.product import WcsResult
from jviz.data import Data, from_product
from jviz.errors import CommandError, JvizError

__all__ = ["corrections_of", "moved", "restored", "saved"]


def corrections_of(data: Data) -> tuple[Correction, ...]:
    """Return what was done to the place of data, in order."""
    return getattr(data, "corrections", ())


def moved(data: Data, corrections: tuple[Correction, ...]) -> Data:
    """Return the same data with corrections of their world coordinates; only these are new.

    Raises
    ------
    CommandError
        When they have none that can be changed.
    """
    old = data.wcs
    if old is None:
        raise CommandError(f"{data.name} has no world coordinates to correct.")
    try:
        for correction in corrections:
            old = moved_wcs(old, correction)
    except JvizError as error:
        raise CommandError(f"The WCS of {data.name} is kept as it is: {error}") from error
    product = replace(data.product, load_wcs=lambda: WcsResult(old, data.wcs_warnings))
    new = from_product(product, data.name)
    new.made_by = data.made_by
    new.corrections = (*corrections_of(data), *corrections)
    return new


def saved(data: Data) -> list[list[float]]:
    """Return corrections as plain numbers, for session files."""
    return [[c.lon, c.lat, *c.matrix, *c.shift] for c in corrections_of(data)]


def restored(data: Data, values: list[list[float]]) -> Data:
    """Return freshly read data with corrections from plain numbers."""
    if not values:
        return data
    return moved(data, tuple(Correction(v[0], v[1], tuple(v[2:6]), tuple(v[6:8])) for v in values))  # type: ignore[arg-type]
