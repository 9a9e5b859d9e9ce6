"""Commands that ask archives and bring their files here."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from jviz.archives import DEFAULT_RADIUS, answer, circle_of, ids_of, mast_of, online, store
from jviz.backend.progress import Progress
from jviz.commands import command
from jviz.errors import CommandError
from jviz.running import Apply
from jviz.session import Session

MENU = "Archive"
LIBRARY = "library"


@command("archive.search", title="Search Archive…", menu=MENU, job=True, group="search", icon="fa6s.magnifying-glass")
def search(
    session: Session,
    collection: str = "mast",
    target: str | None = None,
    position: Any = None,
    radius: Any = DEFAULT_RADIUS,
    *,
    limit: int = 50_000,
    progress: Progress,
    **criteria: Any,
) -> Any:
    """Search an archive, or the library on this machine, for observations.

    Parameters
    ----------
    collection : str
        ``"mast"`` (JWST, HST, TESS and the other missions of MAST), ``"library"`` (what is on this machine),
        ``"esa-jwst"``, ``"cadc"``, ``"irsa"``, ``"alma"``, ``"eso"``, or the address of a TAP service with ObsCore.
    target : str, optional
        Name of an object.
    position : str, (float, float) or SkyCoord, optional
        Place in any usual form; a pair of numbers is RA and Dec in degrees.
    radius : str, float or Quantity
        Of the circle about it: ``"3 arcmin"``; a bare number is in degrees.
    limit : int
        Most rows.
    **criteria
        Columns and what they must be: instrument, filter, program, pi, level, date, exposure_time, mission,
        type, title, target_name, moving_target, or any column of the archive. A text, in which ``*`` stands for
        anything (of instruments, filters, names and titles a part is enough), a list of texts, a number, or
        (least, most); dates are ``"2024-05-31"`` or ``"2024-01-01..2024-05-31"``.

    Returns
    -------
    QTable
        One row for each observation; ``meta`` says the source, the time, the total and whether rows were cut off.
    """
    asked = {"collection": collection, "target": target, "position": position, "radius": radius, **criteria}
    asked = {name: value for name, value in asked.items() if value is not None}
    if limit < 1:
        raise CommandError(f"A search of at most {limit} rows finds nothing; give a limit of 1 or more.")
    circle = circle_of(session, target, position, radius)
    if collection == LIBRARY:
        from jviz.backend.library.queries import search as search_library

        table = search_library(session.archives.library, sky=circle, criteria=criteria, most=limit)
        return answer(table, len(table), "library", asked)
    if collection == "mast":
        table, total = mast_of(session).search(circle, criteria, most=limit, progress=progress)
        return answer(table, total, "MAST", asked)
    from jviz.backend.archive.vo import ask_tap, obscore_query, service_of

    online(session)
    service = service_of(collection, "tap")
    table = ask_tap(service, obscore_query(circle, criteria, limit + 1), progress=progress)
    return answer(table[:limit], len(table), service.title, asked)


@command("archive.count", title="Count in Archive…", menu=MENU, job=True, group="search")
def count(
    session: Session,
    collection: str = "mast",
    target: str | None = None,
    position: Any = None,
    radius: Any = DEFAULT_RADIUS,
    *,
    progress: Progress,
    **criteria: Any,
) -> int:
    """Count what a search of MAST or of the library would find; see archive.search for the parameters.

    Returns
    -------
    int
    """
    circle = circle_of(session, target, position, radius)
    if collection == LIBRARY:
        from jviz.backend.library.queries import search as search_library

        return len(search_library(session.archives.library, sky=circle, criteria=criteria))
    if collection != "mast":
        raise CommandError(f"{collection} cannot count without searching; use archive.search with a limit.")
    return mast_of(session).count(circle, criteria, progress=progress)


@command("archive.products", title="List Products…", menu=MENU, job=True, group="search", icon="fa6s.list")
def products(
    session: Session,
    observations: Any,
    *,
    level: int | list[int] | None = None,
    type: str | list[str] | None = None,
    suffix: str | list[str] | None = None,
    extension: str | list[str] | None = None,
    progress: Progress,
) -> Apply:
    """List the files of observations of MAST, each once.

    Parameters
    ----------
    observations : QTable, Row, str or list of str
        Rows of archive.search, or their ``obsid``.
    level : int or list of int, optional
        Calibration levels, 1 to 4.
    type : str or list of str, optional
        ``"SCIENCE"``, ``"PREVIEW"``, ``"AUXILIARY"``, ``"INFO"``.
    suffix : str or list of str, optional
        Kinds of product: ``"i2d"``, ``"cal"``, ``"x1d"`` …; associations of level 3 products come along.
    extension : str or list of str, optional
        Ends of the names: ``".fits"``, ``".json"``.

    Returns
    -------
    QTable
        Name, size, level, rights and ``dataURI`` of each; archive.download takes it.
    """
    from jviz.backend.archive.products import narrowed

    ids = ids_of(observations)
    found = mast_of(session).products(ids, progress=progress)
    table = narrowed(found, level=level, type=type, suffix=suffix, extension=extension)
    result = answer(table, len(table), "MAST", {"observations": len(ids)})
    return Apply(lambda: result, recorded={"observations": ids})


@command("archive.download", title="Download Products…", menu=MENU, job=True, group="download", icon="fa6s.download")
def download(
    session: Session, products: Any, folder: Path | None = None, *, open: bool = False, progress: Progress
) -> Apply:
    """Fetch files, several at a time; what was cut goes on where it was, and what comes is checked.

    Parameters
    ----------
    products : QTable, Row, str or list of str
        Rows of archive.products, or addresses: ``mast:JWST/product/…`` or ``https://…``.
    folder : Path, optional
        By default the store of the library. A file of the same name that is there already stays as it is.
    open : bool
        Open the files afterwards.

    Returns
    -------
    list of Path
        The files that are here; what could not be had is told in a notice each.
    """
    from jviz.backend.archive.products import addresses, wanted_files
    from jviz.backend.archive.transfers import fetch_all

    online(session)
    library, token = session.archives.library, session.archives.token
    files = wanted_files(products)
    where = Path(folder).expanduser() if folder is not None else lambda file: store(*addresses(file.name))
    outcomes = fetch_all(files, where, token=token, progress=progress, known=library.sum_of)
    here = [outcome for outcome in outcomes if outcome.fetched is not None]
    lost = [outcome for outcome in outcomes if outcome.error is not None]
    if lost and not here:
        rest = "" if len(lost) == 1 else f" The same goes for the other {len(lost) - 1}."
        raise CommandError(f"{lost[0].error}{rest}")
    for outcome in here:
        library.add(outcome.fetched.path, source=outcome.wanted.url, sha256=outcome.fetched.sha256)
    return Apply(
        partial(_arrived, session, [outcome.fetched.path for outcome in here], lost, open),
        recorded={"products": [file.url for file in files]},
    )


def _arrived(session: Session, paths: list[Path], lost: list[Any], opened: bool) -> list[Path]:
    for outcome in lost:
        session.notice("warning", str(outcome.error))
    if opened:
        session.open(*paths)
    return paths


@command("archive.login", title="Log in to MAST…", menu=MENU, job=True, recorded=False, script=False, group="account",
         icon="fa6s.key")  # fmt: skip
def login(session: Session, token: str = "", *, remember: bool = True, progress: Progress) -> dict[str, str]:
    """Use a token of MAST for exclusive data, and say whose it is and until when.

    Tokens are made at https://auth.mast.stsci.edu/token. One in the environment variable ``MAST_API_TOKEN`` comes
    first. It is shown to MAST alone, and never written into a file, a script or the history.

    Parameters
    ----------
    token : str
        Empty: the one that is known already.
    remember : bool
        Keep it in the keyring of the desktop; without one it is kept until jviz ends.

    Returns
    -------
    dict
        ``user``, ``name``, ``expires`` and where the token is ``kept``.
    """
    from jviz.backend.archive.mast import Mast

    online(session)
    used = token.strip() or session.archives.token
    if not used:
        raise CommandError("There is no token yet. Make one at https://auth.mast.stsci.edu/token and give it here.")
    progress(0, 1, "Asking MAST who this is")
    known = Mast(used).whoami()
    if known.get("anon", True):
        raise CommandError("MAST does not know this token: it is wrong or too old. Make a new one at "
                           "https://auth.mast.stsci.edu/token.")  # fmt: skip
    kept = session.archives.keep_token(used, remember=remember) if token.strip() else "as before"
    about = known.get("attrib") or {}
    return {"user": str(known.get("ezid", "")), "name": str(about.get("display_name", "")),
            "expires": str(about.get("expires") or known.get("expires") or "not said"), "kept": kept}  # fmt: skip


@command("archive.logout", title="Log out of MAST", menu=MENU, recorded=False, script=False, group="account")
def logout(session: Session) -> None:
    """Forget the token, also in the keyring; one in ``MAST_API_TOKEN`` stays."""
    session.archives.keep_token("", remember=True)


@command("archive.tap", title="Ask in ADQL…", menu=MENU, job=True, group="search", icon="fa6s.database")
def tap(session: Session, url: str, adql: str, *, wait: bool = False, progress: Progress) -> Any:
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
    from jviz.backend.archive.vo import ask_tap, service_of

    online(session)
    if not adql.strip():
        raise CommandError("The question is empty. Write ADQL such as SELECT TOP 10 * FROM ivoa.ObsCore.")
    service = service_of(url, "tap")
    table = ask_tap(service, adql, wait=wait, progress=progress)
    return answer(table, len(table), service.title, {"url": service.url, "adql": adql})


@command("archive.cone", title="Search Catalogue Around…", menu=MENU, job=True, group="search",
         icon="fa6s.circle-dot")  # fmt: skip
def cone(session: Session, url: str, position: Any, radius: Any = DEFAULT_RADIUS, *, progress: Progress) -> Any:
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
    from jviz.backend.archive.vo import cone as ask_cone
    from jviz.backend.archive.vo import service_of

    online(session)
    service = service_of(url, "cone")
    circle = circle_of(session, None, position, radius)
    table = ask_cone(service, circle, progress=progress)
    return answer(table, len(table), service.title, {"url": service.url, "position": str(position), "radius": radius})
