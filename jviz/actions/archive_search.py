"""Commands that search archives, services of the Virtual Observatory and the library."""

from __future__ import annotations

from typing import Any, Literal

from jviz.archive_asking import ask, asked_of_service, progress_of
from jviz.archive_outlines import outlined, overlapped
from jviz.archive_search import asked_of, count_found, found_by, question_of, tables_of
from jviz.archive_services import collection_named, service_named
from jviz.archives import DEFAULT_RADIUS, answer, circle_of, online
from jviz.commands import command
from jviz.errors import CommandError
from jviz.session import Session

MENU = "Archive"
LIBRARY = "library"
Resolver = Literal["auto", "offline", "sesame", "mast"]


@command("archive.search", title="Search Archive…", menu=MENU, job=True, apart=True, group="search",
         icon="fa6s.magnifying-glass")  # fmt: skip
def search(
    session: Session,
    collection: str = "mast",
    target: str | None = None,
    position: Any = None,
    radius: Any = DEFAULT_RADIUS,
    *,
    targets: Any = None,
    outline: Any = None,
    resolver: Resolver = "auto",
    limit: int = 50_000,
    fresh: bool = False,
    job: Any = None,
    **criteria: Any,
) -> Any:
    """Search an archive, or the library on this machine, for observations.

    Parameters
    ----------
    collection : str
        ``"mast"`` (JWST, HST, TESS and the other missions of MAST), ``"mast-jwst"`` (the form of JWST: every header
        keyword), ``"mast-gaia"``, ``"mast-hsc"``, ``"mast-panstarrs"``, ``"mast-tic"`` (catalogues),
        ``"library"`` (what is on this machine), ``"esa-jwst"``, ``"cadc"``, ``"irsa"``, ``"alma"``, ``"eso"`` and the
        others of archive.services, or an address: ``https://…`` of a TAP service with ObsCore, ``sia2:https://…``,
        ``sia1:https://…``, ``ssa:https://…`` or ``cone:https://…``.
    target : str, optional
        Name of an object.
    position : str, (float, float) or SkyCoord, optional
        Place in any usual form; a pair of numbers is RA and Dec in degrees.
    radius : str, float or Quantity
        Of the circle about it: ``"3 arcmin"``; a bare number is in degrees.
    targets : list of str, str, Path, Table or Catalog, optional
        Many targets: names or positions (one on each line of a text or a file), or a table with RA and Dec. Rows
        come back with the target in ``asked_for``.
    outline : str or Subset, optional
        Instead of a circle: ``"POLYGON 53.1 -27.8 53.2 -27.8 53.2 -27.7"`` (degrees, as in ``S_REGION``), or a polygon
        on the sky of the session. What overlaps it is found.
    resolver : {"auto", "offline", "sesame", "mast"}
        Who says where a target is: jviz's own list and earlier answers, then a server; nobody else; or one server.
        Names with a position (``J100028.6+021221``) need none of them.
    limit : int
        Most rows.
    fresh : bool
        Ask, even when the same was asked a short while ago.
    **criteria
        Columns and what they must be: instrument, filter, program, pi, level, date, exposure_time, mission,
        type, title, target_name, moving_target, or any column of the archive (see archive.columns). A text, in which
        ``*`` stands for anything (of instruments, filters, names and titles a part is enough), a list of texts, a
        number, or (least, most); dates are ``"2024-05-31"`` or ``"2024-01-01..2024-05-31"``.

    Returns
    -------
    QTable
        One row for each observation; ``meta`` says the source, the time, the total, whether rows were cut off
        (``truncated``), whether the answer was kept from before (``cached``), and what is missing (``incomplete``).
    """
    shape = None
    if outline is not None:
        shape, position, radius = outlined(session, outline, target, position, targets)
    asked = asked_of({"collection": collection, "target": target, "position": position, "radius": radius,
                      "targets": targets, "outline": None if outline is None else str(outline),
                      "resolver": None if resolver == "auto" else resolver, **criteria})  # fmt: skip
    if limit < 1:
        raise CommandError(f"A search of at most {limit} rows finds nothing; give a limit of 1 or more.")
    if collection == LIBRARY:
        from jviz.backend.library.queries import search as search_library

        circle = circle_of(session, target, position, radius, resolver)
        table = search_library(session.archives.library, sky=circle, criteria=criteria, most=limit)
        return overlapped(answer(table, len(table), "library", asked), shape)
    question = question_of(session, collection, target, position, radius, targets, criteria, progress_of(job), resolver)
    return overlapped(found_by(session, question, asked, limit=limit, fresh=fresh, job=job), shape)


@command("archive.count", title="Count in Archive…", menu=MENU, job=True, apart=True, group="search")
def count(
    session: Session,
    collection: str = "mast",
    target: str | None = None,
    position: Any = None,
    radius: Any = DEFAULT_RADIUS,
    *,
    targets: Any = None,
    resolver: Resolver = "auto",
    job: Any = None,
    **criteria: Any,
) -> int:
    """Count what a search would find, without loading it; see archive.search for the parameters.

    Returns
    -------
    int
    """
    asked = {"collection": collection, "target": target, "position": position, "radius": radius, "targets": targets,
             "resolver": resolver}  # fmt: skip
    return count_found(session, {**criteria, **asked}, job)


@command("archive.columns", title="List Columns of Archive…", menu=MENU, job=True, apart=True, group="search")
def columns(session: Session, collection: str = "mast", *, job: Any = None) -> Any:
    """List the columns that the conditions of a search can be about.

    Parameters
    ----------
    collection : str
        As of archive.search.

    Returns
    -------
    QTable
        ``name``, ``kind`` (text, number, date, boolean), ``unit``, ``about`` and ``example``.
    """
    if collection == LIBRARY:
        from jviz.backend.library.queries import SHOWN

        return answer(_named(SHOWN), len(SHOWN), "library", {"collection": collection})
    online(session)
    service = collection_named(session, collection)
    table = asked_of_service(session, job, "columns", service).table
    return answer(table, len(table), service.title, {"collection": collection})


def _named(names: Any) -> Any:
    from astropy.table import Table

    rows = [(name, "", "", name.replace("_", " "), "") for name in names]
    return Table(rows=rows, names=("name", "kind", "unit", "about", "example"))


@command("archive.datalink", title="List Linked Files…", menu=MENU, job=True, apart=True, group="search")
def datalink(session: Session, url: str, *, job: Any = None) -> Any:
    """List what belongs to a data set of the Virtual Observatory, by its datalink.

    Parameters
    ----------
    url : str
        Of the datalink: the ``access_url`` of a row whose ``access_format`` says so.

    Returns
    -------
    QTable
        archive.download takes its rows.
    """
    online(session)
    if not url.startswith(("https://", "http://")):
        raise CommandError(f"{url[:80]!r} is no address of a datalink; it begins with https://.")
    table = ask(session, job, "links", url=url).table
    return answer(table, len(table), "datalink", {"url": url})


@command("archive.tap", title="Ask in ADQL…", menu=MENU, job=True, apart=True, group="search", icon="fa6s.database")
def tap(session: Session, url: str, adql: str, *, wait: bool = False, job: Any = None) -> Any:
    """Ask a TAP service of the Virtual Observatory in ADQL.

    Parameters
    ----------
    url : str
        Address of the service, or ``"esa-jwst"``, ``"cadc"``, ``"irsa"``, ``"alma"``, ``"eso"``, ``"vizier"``,
        ``"simbad"``, ``"ned"``, ``"mast-vo"``.
    adql : str
        ``SELECT TOP 10 * FROM ivoa.ObsCore WHERE …``
    wait : bool
        As a job of the service, for questions that take longer than a minute.

    Returns
    -------
    QTable
    """
    online(session)
    if not adql.strip():
        raise CommandError("The question is empty. Write ADQL such as SELECT TOP 10 * FROM ivoa.ObsCore.")
    service = service_named(session, url, "tap")
    found = asked_of_service(session, job, "tap", service, adql=adql, wait=wait)
    table = found.table
    cut = "the service cut the answer off; ask for less, or in parts" if found.said["overflow"] else ""
    return answer(table, len(table), service.title, {"url": service.url, "adql": adql}, incomplete=cut)


@command("archive.tables", title="List Tables of Service…", menu=MENU, job=True, apart=True, group="search",
         script=False)  # fmt: skip
def tables(session: Session, url: str, table: str = "", *, words: str = "", job: Any = None) -> Any:
    """List the tables of a TAP service, or the columns of one.

    Parameters
    ----------
    url : str
        As of archive.tap.
    table : str
        Name of a table whose columns are wanted.
    words : str
        That must be in the name or description of tables.

    Returns
    -------
    QTable
        ``schema_name``, ``table_name`` and ``description``, at most 2,000; or ``column_name``, ``datatype``, ``unit``,
        ``ucd`` and ``description``.
    """
    return tables_of(session, url, table, words, job)


@command("archive.cone", title="Search Catalogue Around…", menu=MENU, job=True, apart=True, group="search",
         icon="fa6s.circle-dot")  # fmt: skip
def cone(session: Session, url: str, position: Any, radius: Any = DEFAULT_RADIUS, *, job: Any = None) -> Any:
    """Return the rows of a catalogue around a place, by the cone search of the Virtual Observatory.

    Parameters
    ----------
    url : str
        Address of the service, or ``"gaia"``, ``"2mass"``, ``"allwise"``, ``"sdss"``, ``"panstarrs"``.
    position : str, (float, float) or SkyCoord
        Place in any usual form, or the name of an object.
    radius : str, float or Quantity
        ``"3 arcmin"``; a bare number is in degrees.

    Returns
    -------
    QTable
        ``session.add(table, name="gaia")`` makes it a catalogue that is marked on images.
    """
    online(session)
    service = service_named(session, url, "cone")
    circle = circle_of(session, None, position, radius)
    table = asked_of_service(session, job, "about", service, sky=circle).table
    return answer(table, len(table), service.title, {"url": service.url, "position": str(position), "radius": radius})


@command("archive.save", title="Save Search…", menu=MENU, group="saved", icon="fa6s.bookmark")
def save(
    session: Session,
    name: str,
    collection: str = "mast",
    target: str | None = None,
    position: Any = None,
    radius: Any = DEFAULT_RADIUS,
    **criteria: Any,
) -> None:
    """Keep a search under a name; archive.again runs it and tells what is new.

    Parameters
    ----------
    name : str
        One of the same name is replaced.
    collection, target, position, radius
        As of archive.search.
    **criteria
        As of archive.search.
    """
    from jviz.backend.archive.answers import save_search

    place = None if position is None else str(position)
    asked = {"collection": collection, "target": target, "position": place, "radius": str(radius), **criteria}
    save_search(session.archives.library, name, asked_of(asked))


@command("archive.again", title="Run Saved Search…", menu=MENU, job=True, apart=True, group="saved")
def again(session: Session, name: str, *, job: Any = None) -> Any:
    """Run a saved search anew.

    Parameters
    ----------
    name : str

    Returns
    -------
    QTable
        As of archive.search, with a column ``new``: True for what the search had not found when it was run before.
    """
    from jviz.backend.archive.answers import identities, save_search, saved_searches

    library = session.archives.library
    saved = next((search for search in saved_searches(library) if search.name == name), None)
    if saved is None:
        names = ", ".join(search.name for search in saved_searches(library)) or "none is saved"
        raise CommandError(f"There is no saved search {name!r}; there are: {names}.")
    found = search(session, **saved.question, fresh=True, job=job)
    ids = identities(found)
    found.add_column([text not in saved.seen for text in ids], name="new", index=0)
    save_search(library, name, saved.question, frozenset(ids))
    return found


@command("archive.seen", title="Mark Rows of Search as Seen", job=False, recorded=False, script=False)
def seen(session: Session, name: str, rows: list[str]) -> None:
    """Take note of the rows that a saved search has found."""
    from jviz.backend.archive.answers import save_search, saved_searches

    library = session.archives.library
    for search in saved_searches(library):
        if search.name == name:
            save_search(library, name, search.question, frozenset(rows))


@command("archive.forget", title="Forget Saved Search…", menu=MENU, group="saved")
def forget(session: Session, name: str) -> None:
    """Forget a saved search."""
    from jviz.backend.archive.answers import forget_search

    forget_search(session.archives.library, name)
