"""What commands of archives and of the library share: secrets, the library, places, and how answers look."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jviz.archive_keys import ArchiveKeys
from jviz.backend.searching import cells, several
from jviz.errors import CommandError
from jviz.positions import sky_of
from jviz.signals import Signal

if TYPE_CHECKING:
    from astropy.table import QTable, Table

    from jviz.backend.archive.mast import Mast
    from jviz.backend.archive.transfers import Transfers
    from jviz.backend.library.catalogue import Library

__all__ = ["Archives", "answer", "arranged", "circle_of", "ids_of", "mast_of", "online", "store"]

UNITS = {"s_ra": "deg", "s_dec": "deg", "t_exptime": "s", "em_min": "nm", "em_max": "nm", "distance": "arcsec",
         "size": "byte"}  # fmt: skip
"""Units of columns of MAST."""

FIRST = ("new", "asked_for", "obs_collection", "instrument_name", "filters", "target_name", "obs_id", "name",
         "calib_level", "t_exptime", "proposal_id", "proposal_pi", "s_ra", "s_dec", "distance", "t_min",
         "dataproduct_type", "dataRights", "obs_title")  # fmt: skip
"""Columns that are shown first; the others follow."""

DEFAULT_RADIUS = "3 arcmin"


class Archives:
    """The library of a session, opened when it is first needed, and its secrets."""

    def __init__(self, session: Any) -> None:
        self.keys = ArchiveKeys(session)
        self._library: Library | None = None
        self._transfers: Transfers | None = None
        self.transfers_changed = Signal()
        """Emitted, in any thread, when a transfer begins, ends or is put on the list."""
        self.library_changed = Signal()
        """Emitted, in any thread, after what the library knows of files changed."""
        self.basket_changed = Signal()
        """Emitted, in any thread, when products were put into the basket or taken out."""
        self._lock = threading.RLock()
        self.arrived = Signal()
        """Emitted in the session's thread with the job of a search, its `Grown` rows, and the total so far."""

    @property
    def library(self) -> Library:
        """The library of this user."""
        from jviz.backend.cache import home
        from jviz.backend.library.catalogue import Library

        with self._lock:
            if self._library is None:
                self._library = Library(home("data") / "library.sqlite", changed=self.library_changed.emit)
            return self._library

    @property
    def transfers(self) -> Transfers:
        """The list of downloads."""
        from jviz.backend.archive.transfers import Transfers

        with self._lock:
            if self._transfers is None:
                self._transfers = Transfers(self.library, keys=self.keys, changed=self.transfers_changed.emit)
            return self._transfers

    def stop(self) -> None:
        """Pause what is being fetched: it goes on another time."""
        with self._lock:
            if self._transfers is not None:
                self._transfers.close()

    def close(self) -> None:
        """Let go of the database."""
        self.stop()
        with self._lock:
            self._transfers = None
            if self._library is not None:
                self._library.close()
                self._library = None


def online(session: Any) -> None:
    """Raise a sentence when the user works offline."""
    if session.settings["network.offline"]:
        raise CommandError("You work offline, so no archive can be asked. Search the library "
                           "(collection='library'), or allow the network in the preferences.")  # fmt: skip


def mast_of(session: Any) -> Mast:
    """Return a connection to MAST, for this thread."""
    from jviz.backend.archive.mast import Mast

    online(session)
    return Mast(session.archives.keys)


def circle_of(
    session: Any, target: str | None, position: Any, radius: Any, resolver: str = "auto"
) -> tuple[float, float, float] | None:
    """Return the circle that is searched: RA, Dec and radius in degrees; None when no place is given.

    Parameters
    ----------
    target : str
        A name; position : any form that `jviz.positions` knows.
    radius : str, float or Quantity
        ``"3 arcmin"``, ``0.05`` (degrees).
    resolver : str
        Who is asked about names, see `jviz.backend.names.RESOLVERS`.

    Raises
    ------
    CommandError
        When it is none.
    """
    if target is None and position is None:
        return None
    if target is not None and position is not None:
        raise CommandError("Give a target or a position, not both.")
    if isinstance(position, tuple | list) and len(position) == 2:
        position = f"{float(position[0])!r} {float(position[1])!r}"
    place = target if target is not None else position
    if resolver != "auto" and isinstance(place, str):
        from jviz.positions import sky_position

        lon, lat, _ = sky_position(session, place, resolver=resolver)
    else:
        lon, lat = sky_of(session, None, place)
    return lon, lat, _degrees(radius)


def _degrees(radius: Any) -> float:
    from astropy import units as u
    from astropy.coordinates import Angle

    try:
        degrees = float(Angle(radius, u.deg).deg)
    except (ValueError, TypeError, u.UnitsError) as error:
        raise CommandError(f"{radius!r} is no radius: {str(error).rstrip('.')}. "
                           "Write 3 arcmin, 10 arcsec or 0.05 (degrees).") from None  # fmt: skip
    if not 0 <= degrees <= 180:
        raise CommandError(f"A radius of {degrees:g}° is none on the sky; give one of 0 to 180 degrees.")
    return degrees


def answer(table: Table, total: int, source: str, asked: Mapping[str, Any], *, incomplete: str = "",
           when: float | None = None) -> QTable:  # fmt: skip
    """Return a table as the answer of a search: units, and in its ``meta`` who said it, when, and if it is all.

    Parameters
    ----------
    incomplete : str
        What is missing, in words.
    when : float
        When it was said (seconds since 1970), of an answer that was kept.
    """
    import time

    from astropy.table import QTable

    for name, unit in UNITS.items():
        if name in table.colnames and table[name].unit is None and table[name].dtype.kind in "fi":
            table[name].unit = unit
    found = QTable(arranged(table))
    found.meta.clear()
    found.meta.update(source=source, time=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(when)), total=int(total),
                      truncated=len(found) < total, incomplete=incomplete, cached=when is not None,
                      question=dict(asked))  # fmt: skip
    return found


def arranged(table: Table) -> Table:
    """Return a table with the columns first that people look at first; nothing is copied."""
    names = [name for name in FIRST if name in table.colnames]
    names += [name for name in table.colnames if name not in names]
    return type(table)([table[name] for name in names], names=names, copy=False, meta=table.meta)


def store(collection: str, obs_id: str) -> Path:
    """Return the folder of jviz's own in which files of an observation are kept."""
    from jviz.backend.cache import home

    def safe(name: str) -> str:
        cleaned = "".join(sign if sign.isalnum() or sign in "-_.+" else "_" for sign in name).strip(".")
        return cleaned or "unknown"

    return home("data") / "store" / safe(collection) / safe(obs_id)


def ids_of(observations: Any) -> list[str]:
    """Return the ``obsid`` of observations given as a table, a row, one id or several.

    Raises
    ------
    CommandError
        When they are none.
    """
    found = cells(observations, "obsid", "obsID", "parent_obsid")
    if found is None and hasattr(observations, "colnames"):
        raise CommandError("These are no observations: a column obsid is missing. Take what archive.search gives.")
    observations = several(observations) if found is None else found
    ids = [str(value).strip() for value in observations]
    if not ids:
        raise CommandError("No observations were given, so there are no files to list.")
    if not all(value.isdigit() for value in ids):
        wrong = next((value for value in ids if not value.isdigit()), "")
        raise CommandError(f"{wrong!r} is no obsid of MAST (a number such as 71738612). Take observations from "
                           "archive.search.")  # fmt: skip
    return ids
