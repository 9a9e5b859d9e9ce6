"""The command that brings a catalogue together with one of an archive."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from jviz.actions.catalog_match import match, places_by
from jviz.archive_asking import asked_of_service
from jviz.archive_services import service_named
from jviz.archives import online
from jviz.backend.render.frames import lonlat, separation, unit_vectors
from jviz.catalogs import catalog_of
from jviz.commands import command
from jviz.data import Catalog, Image
from jviz.errors import CommandError
from jviz.session import Session

WIDEST = 5.0
"""Radius in degrees of the largest field that a service is asked about in one question."""


@command("catalog.match_archive", title="Match with Archive Catalogue…", menu="Catalogue", needs="catalog",
         group="make", icon="fa6s.satellite-dish", job=True)  # fmt: skip
def match_archive(
    session: Session,
    a: Catalog,
    service: str = "gaia",
    radius: float = 0.5,
    *,
    epoch: float | None = None,
    keep: Literal["best", "all"] = "best",
    rows: Literal["matched", "only a", "only b"] = "matched",
    image: Image | None = None,
    suffixes: tuple[str, str] = ("_1", "_2"),
    name: str = "",
    job: Any = None,
) -> list[Catalog]:
    """Match a catalogue with the rows of an archive's catalogue in its field.

    Parameters
    ----------
    a : Catalog
    service : str
        ``"gaia"``, ``"2mass"``, ``"allwise"``, ``"sdss"``, ``"panstarrs"``, or the address of a cone search.
    radius : float
        Farthest separation, in arcseconds.
    epoch : float, optional
        Julian year of the observation, ``2023.4``: the archive's positions are moved there by its proper motions. By
        default they stay at their own epoch.
    keep, rows, suffixes
        As of catalog.match.
    image : Data, optional
        Its world coordinates place rows that are known in pixels.

    Returns
    -------
    list of Catalog
        The matches, with the columns that catalog.match adds, and the archive's rows of the field.

    Raises
    ------
    CommandError
        When the field is too wide for one question, or the archive has nothing there.
    """
    from jviz.backend.catalogs.motion import at_epoch

    online(session)
    asked = service_named(session, service, "cone")
    circle = _field(a, radius, image)
    found = asked_of_service(session, job, "about", asked, sky=circle).table
    if not len(found):
        raise CommandError(f"{asked.title} has no row in the field of {a.name}.")
    if epoch is not None:
        found, moved = at_epoch(found, float(epoch))
        found.meta["epoch"] = float(epoch)
        if not moved:
            raise CommandError(f"The rows of {asked.title} have no proper motions that are known by their names (pmRA, "
                               "pmDE), so they cannot be moved to an epoch; leave epoch out.")  # fmt: skip
    b = catalog_of(found, f"{asked.name} at {a.name}")
    return [match(session, a, b, radius, keep=keep, rows=rows, image=image, suffixes=suffixes, name=name), b]


def _field(data: Catalog, radius: float, image: Any) -> tuple[float, float, float]:
    """Return the circle about all rows of a catalogue, in degrees."""
    ra, dec = places_by(data, "sky", image)
    good = np.isfinite(ra) & np.isfinite(dec)
    if not good.any():
        raise CommandError(f"No row of {data.name} has a place on the sky.")
    lon, lat = (float(value) for value in lonlat(unit_vectors(ra[good], dec[good]).mean(1)))
    size = float(separation(ra[good], dec[good], lon, lat).max()) + radius / 3600
    if size > WIDEST:
        raise CommandError(f"The field of {data.name} has a radius of {size:.1f}°, too wide for one question (at most "
                           f"{WIDEST:g}°). Select the rows of a part of it first.")  # fmt: skip
    return lon, lat, size
