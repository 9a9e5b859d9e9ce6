"""What commands of archives and of the library share: the token, the library, places, and how answers look."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jviz.backend.searching import cells, several
from jviz.errors import CommandError
from jviz.positions import sky_of

if TYPE_CHECKING:
    from astropy.table import QTable, Table

    from jviz.backend.archive.mast import Mast
    from jviz.backend.library.catalogue import Library

__all__ = ["Archives", "answer", "circle_of", "ids_of", "mast_of", "online", "store"]

KEYRING = ("astroquery:mast.stsci.edu.token", "token")
"""Where astroquery keeps the token too, so that one who logged in there is known here."""

UNITS = {"s_ra": "deg", "s_dec": "deg", "t_exptime": "s", "em_min": "nm", "em_max": "nm", "distance": "arcsec",
         "size": "byte"}  # fmt: skip
"""Units of columns of MAST."""

DEFAULT_RADIUS = "3 arcmin"


class Archives:
    """The library of a session, opened when it is first needed, and its token."""

    def __init__(self) -> None:
        self._library: Library | None = None
        self._lock = threading.Lock()
        self._token: str | None = None

    @property
    def library(self) -> Library:
        """The library of this user."""
        from jviz.backend.cache import home
        from jviz.backend.library.catalogue import Library

        with self._lock:
            if self._library is None:
                self._library = Library(home("data") / "library.sqlite")
            return self._library

    @property
    def token(self) -> str:
        """The token for exclusive data: of ``$MAST_API_TOKEN``, of this session, or of the keyring; "" for none."""
        given = os.environ.get("MAST_API_TOKEN", "").strip()
        if given:
            return given
        if self._token is None:
            self._token = _from_keyring()
        return self._token

    def keep_token(self, token: str, *, remember: bool) -> str:
        """Use a token from now on; return where it is kept: "keyring" or "memory"."""
        self._token = token
        return "keyring" if remember and _to_keyring(token) else "memory"

    def close(self) -> None:
        """Let go of the database."""
        with self._lock:
            if self._library is not None:
                self._library.close()
                self._library = None


def _from_keyring() -> str:
    import keyring
    import keyring.errors

    with suppress(keyring.errors.KeyringError, RuntimeError):  # no desktop, or a locked one
        return keyring.get_password(*KEYRING) or ""
    return ""


def _to_keyring(token: str) -> bool:
    """Keep a token in the keyring, or take it out when it is empty; False when there is no keyring."""
    import keyring
    import keyring.errors

    try:
        if token:
            keyring.set_password(*KEYRING, token)
        else:
            keyring.delete_password(*KEYRING)
    except keyring.errors.PasswordDeleteError:
        return True  # there was none
    except (keyring.errors.KeyringError, RuntimeError):
        return False
    return True


def online(session: Any) -> None:
    """Raise a sentence when the user works offline."""
    if session.settings["network.offline"]:
        raise CommandError("You work offline, so no archive can be asked. Search the library "
                           "(collection='library'), or allow the network in the preferences.")  # fmt: skip


def mast_of(session: Any) -> Mast:
    """Return a connection to MAST, for this thread."""
    from jviz.backend.archive.mast import Mast

    online(session)
    return Mast(session.archives.token)


def circle_of(session: Any, target: str | None, position: Any, radius: Any) -> tuple[float, float, float] | None:
    """Return the circle that is searched: RA, Dec and radius in degrees; None when no place is given.

    Parameters
    ----------
    target : str
        A name; position : any form that `jviz.positions` knows.
    radius : str, float or Quantity
        ``"3 arcmin"``, ``0.05`` (degrees).

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
    lon, lat = sky_of(session, None, target if target is not None else position)
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


def answer(table: Table, total: int, source: str, asked: Mapping[str, Any]) -> QTable:
    """Return a table as the answer of a search: units, and in its ``meta`` who said it, when, and if it is all."""
    import time

    from astropy.table import QTable

    for name, unit in UNITS.items():
        if name in table.colnames and table[name].unit is None and table[name].dtype.kind in "fi":
            table[name].unit = unit
    found = QTable(table)
    found.meta.clear()
    found.meta.update(source=source, time=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), total=int(total),
                      truncated=len(found) < total, question=dict(asked))  # fmt: skip
    return found


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
    if not ids or not all(value.isdigit() for value in ids):
        wrong = next((value for value in ids if not value.isdigit()), "")
        raise CommandError(f"{wrong!r} is no obsid of MAST (a number such as 71738612). Take observations from "
                           "archive.search.")  # fmt: skip
    return ids
