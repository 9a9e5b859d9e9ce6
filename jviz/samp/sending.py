"""Data made into files that other programs can read, and the messages that tell of them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jviz.backend.progress import Progress
from jviz.data import Catalog, Data, Profile, Spectrum
from jviz.errors import CommandError

if TYPE_CHECKING:
    from jviz.backend.samp.connection import Partner

__all__ = ["messages_for", "send"]

MANY = 20_000
"""Rows above which a table is offered as FITS first: XML of so many is slow to write and to read."""

SPECTRUM = "spectrum.load.ssa-generic"
ENDS = {"image.load.fits": ".fits", "table.load.fits": ".fits", "table.load.votable": ".vot", SPECTRUM: ".fits"}
PLAIN = (".fits", ".fit", ".fts")


def messages_for(data: Data) -> tuple[str, ...]:
    """Return the messages that can bring data to others, the best first.

    Raises
    ------
    CommandError
        When there is none.
    """
    tables = ("table.load.votable", "table.load.fits")
    if isinstance(data, Catalog):
        return tables if data.shape[0] <= MANY else tables[::-1]
    if isinstance(data, Profile):
        return tables
    if isinstance(data, Spectrum):
        return (SPECTRUM, "table.load.fits", "table.load.votable")
    if data.planes:
        return ("image.load.fits",)
    raise CommandError(f"{data.name} is of kind {data.kind}; images, cubes, spectra and tables can be sent.")


def send(session: Any, data: Data, to: list[tuple[Partner, str]], progress: Progress) -> list[tuple[str, str]]:
    """Send data to programs (in a job); return the name of each with what went wrong, "" for nothing."""
    connection, said = session.samp.connection, []
    for mtype in dict.fromkeys(mtype for _, mtype in to):
        progress(0, 1, f"Writing {data.name}")
        url = _file_for(data, mtype, progress).as_uri()
        partners = [partner for partner, wanted in to if wanted == mtype]
        params = session.dispatcher.ask(partial(_params, session, data, mtype, url, partners))
        answers = connection.send(mtype, params, partners, progress=progress)
        said += [(partner.name, answers[partner.id]) for partner in partners]
    return said


def _params(session: Any, data: Data, mtype: str, url: str, partners: list[Partner]) -> Mapping[str, Any]:
    """Return what a message says of data; a table is known to others from now on."""
    word, params = mtype.split(".")[0], {"url": url, "name": data.name}
    if isinstance(data, Catalog):
        shared = session.samp.tables.share(data, url)
        return {**params, "table-id": shared.name_for(partner.id for partner in partners)}
    params[f"{word}-id"] = f"jviz-{data.number}-{data.name}"
    if mtype == SPECTRUM:
        return {**params, "meta": {"Access.Reference": url, "Access.Format": "application/fits",
                                   "Target.Name": data.name}}  # fmt: skip
    return params


def _file_for(data: Data, mtype: str, progress: Progress) -> Path:
    """Return the file of data, their own where it says the same."""
    if mtype == "image.load.fits" and _is_as_filed(data):
        return data.path.absolute()  # type: ignore[union-attr]
    from jviz.actions.export import write_data
    from jviz.backend.cache import folder
    from jviz.backend.samp.fetching import safe_name

    # A folder for each data set and program run: the name of the file is what other programs show.
    place = folder("samp") / f"{RUN}-{data.number}"
    place.mkdir(exist_ok=True)
    path = place / (safe_name(data.name.replace("/", "_")) + ENDS[mtype])
    if not path.exists():
        write_data(data, path, progress)
    return path


RUN = uuid.uuid4().hex[:8]


def _is_as_filed(data: Data) -> bool:
    """Whether a program that opens the file of data finds these first in it."""
    path, units = data.path, data.product.units
    if path is None or path.suffix.lower() not in PLAIN or data.made_by or getattr(data, "corrections", ()):
        return False
    first = next((number for number, unit in enumerate(units) if len(unit.shape) >= 2), None)
    return data.filed is data.product and first == data.product.main and path.is_file()
