"""Services of the Virtual Observatory, through pyvo: TAP with ADQL, ObsCore, and cone searches of catalogues."""

from __future__ import annotations

import threading
import tomllib
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any
from urllib.parse import urlsplit

import requests
from astropy.table import Table

from jviz.backend.archive.keys import NO_SECRETS, Keys
from jviz.backend.archive.net import NetError, connection, reason_of, waited
from jviz.backend.archive.permits import CONFIRMED
from jviz.backend.progress import Cancelled, Progress, silent
from jviz.backend.searching import WORDS, days_of, pattern_of, several, spans_of
from jviz.errors import JvizError

__all__ = ["Service", "about", "ask_tap", "asked_with", "cone", "links", "obscore_columns", "obscore_count",
           "obscore_query", "service_of", "services"]  # fmt: skip

TEXTS = ("dataproduct_type", "obs_collection", "obs_id", "target_name", "instrument_name", "facility_name",
         "dataproduct_subtype", "obs_title", "proposal_id", "proposal_pi", "filters")  # fmt: skip
FIRST_LOOK, LAST_LOOK = 0.3, 10.0
"""Seconds between two looks at a job of a service, which grow."""

NUMBERS = ("calib_level", "t_exptime", "s_ra", "s_dec", "s_resolution", "em_min", "em_max", "s_fov")


@dataclass(frozen=True)
class Service:
    """Where a service is and what it speaks: ``kind`` is "tap", "cone", "sia1", "sia2" or "ssa"; "missions" and
    "catalogue" are those of MAST, and "mast" its observations."""

    name: str
    title: str
    kind: str
    url: str
    obscore: bool = False


@cache
def services() -> dict[str, Service]:
    """Return the services that jviz knows by name."""
    text = resources.files("jviz.backend.archive").joinpath("services.toml").read_text("utf-8")
    return {name: Service(name, **values) for name, values in tomllib.loads(text).items()}


def service_of(name_or_url: str, kind: str, own: Mapping[str, Service] | None = None) -> Service:
    """Return the service that is meant.

    Parameters
    ----------
    own : mapping
        Further services by name.

    Raises
    ------
    JvizError
        When it is neither a known name nor an address.
    """
    if name_or_url.startswith(("http://", "https://")) and urlsplit(name_or_url).hostname:
        return Service(urlsplit(name_or_url).hostname or "", name_or_url, kind, name_or_url, True)
    known = {**services(), **(own or {})}
    found = known.get(name_or_url.lower())
    if found is None or found.kind != kind:
        names = ", ".join(name for name, service in known.items() if service.kind == kind)
        raise JvizError(f"There is no service {name_or_url!r}. Give the address of one (https://…), or one of {names}.")
    return found


def ask_tap(service: Service, adql: str, *, keys: Keys = NO_SECRETS, timeout: float = 120.0, wait: bool = False,
            progress: Progress = silent) -> Table:  # fmt: skip
    """Ask a TAP service in ADQL.

    Parameters
    ----------
    wait : bool
        Let the question run as a job of the service: for those that take longer than a minute. The job is removed
        from the service at the end, also when nobody waits for it any more.

    Raises
    ------
    JvizError
        With what the service says against the question.
    NetError
        When it cannot be asked.
    """

    unwanted = threading.Event()

    def question() -> Table:
        import pyvo

        with _Quiet(), connection(keys=keys, timeout=(10.0, timeout)) as session:
            tap = pyvo.dal.TAPService(service.url, session=session)
            return _by_job(tap.submit_job(adql), unwanted) if wait else _plain(tap.run_sync(adql))

    try:
        return _asked(question, service.title, progress)
    finally:
        unwanted.set()


def _by_job(job: Any, unwanted: threading.Event) -> Table:
    """Run a job of a service to its end."""
    pause = FIRST_LOOK
    try:
        job.run()
        while (phase := job.phase) in ("PENDING", "QUEUED", "EXECUTING", "HELD", "SUSPENDED", "UNKNOWN"):
            if unwanted.wait(pause):
                raise Cancelled
            pause = min(pause * 1.3, LAST_LOOK)
        job.raise_if_error()
        if phase != "COMPLETED":
            raise NetError(f"The service ended the question before there was an answer ({phase.lower()}). Ask again.")
        return _plain(job.fetch_result())
    finally:
        job.delete()


def cone(service: Service, sky: tuple[float, float, float], *, keys: Keys = NO_SECRETS,
         progress: Progress = silent) -> Table:  # fmt: skip
    """Return the rows of a catalogue within a circle (RA, Dec, radius in degrees)."""
    return about(service, sky, keys=keys, progress=progress)


def about(service: Service, sky: tuple[float, float, float], *, keys: Keys = NO_SECRETS,
          progress: Progress = silent) -> Table:  # fmt: skip
    """Return what a cone search, an image or a spectrum service has about a place (RA, Dec, radius in degrees)."""

    def question() -> Table:
        import pyvo

        with _Quiet(), connection(keys=keys, timeout=(10.0, 120.0)) as session:
            if service.kind == "cone":
                return _plain(pyvo.dal.SCSService(service.url, session=session).search(sky[:2], sky[2]))
            if service.kind == "sia2":
                found = pyvo.dal.SIA2Service(service.url, session=session, check_baseurl=False).search(pos=sky)
                return _plain(found)
            # The older protocols take diameters.
            if service.kind == "sia1":
                found = pyvo.dal.SIAService(service.url, session=session).search(sky[:2], size=2 * sky[2])
            else:
                found = pyvo.dal.SSAService(service.url, session=session).search(sky[:2], diameter=2 * sky[2])
            return _as_observations(_plain(found))

    return _asked(question, service.title, progress)


def links(url: str, *, keys: Keys = NO_SECRETS, progress: Progress = silent) -> Table:
    """Return what a datalink says belongs to a data set: ``access_url``, ``semantics``, ``description`` and so on."""

    def question() -> Table:
        import pyvo

        with _Quiet(), connection(keys=keys, timeout=(10.0, 60.0)) as session:
            return _plain(pyvo.dal.adhoc.DatalinkResults.from_result_url(url, session=session))

    return _asked(question, urlsplit(url).hostname or url, progress)


def asked_with(url: str, keys: Keys, *, progress: Progress = silent) -> str:
    """Ask an address with a name and a password; return what it said to them, in words.

    Raises
    ------
    JvizError
        When it does not take them, or cannot be reached.
    """
    host = urlsplit(url).hostname or url

    def question() -> tuple[int, str]:
        with connection(keys=keys, timeout=(10.0, 30.0), tries=2) as session:
            status, known = _status(session, url)
            if status in (400, 404, 405):
                # The base of a TAP service is no page, but what it can do is.
                more = _status(session, f"{url.rstrip('/')}/capabilities")
                status, known = more if more[0] < 400 or more[0] in (401, 403) else (status, known)
            return status, known

    try:
        status, known = waited(question, lambda: progress(0, 1, f"Asking {host}"))
    except Exception as error:
        raise reason_of(error, host) from error
    if status in (401, 403):
        raise JvizError(f"{host} does not take this name and password, or token. Check them.")
    if known:
        return f"taken: they know you as {known}"
    return "taken, or not needed at this address" if status < 400 else f"nothing about them (answer {status})"


def _status(session: requests.Session, url: str) -> tuple[int, str]:
    """Return the number of the answer, and as whom the service knows us, where it says so."""
    with session.get(url, stream=True) as reply:
        return reply.status_code, reply.headers.get(CONFIRMED, "")


def obscore_query(sky: tuple[float, float, float] | None, criteria: Mapping[str, Any], most: int) -> str:
    """Return ADQL for observations that meet a circle and conditions.

    Parameters
    ----------
    criteria : mapping
        As `jviz.backend.archive.mast.Mast.search` takes them.
    """
    return f"SELECT TOP {int(most)} * FROM ivoa.ObsCore WHERE {_where(sky, criteria)}"


def obscore_count(service: Service, sky: tuple[float, float, float] | None, criteria: Mapping[str, Any], *,
                  keys: Keys = NO_SECRETS, progress: Progress = silent) -> int:  # fmt: skip
    """Return how many observations of a service meet a circle and conditions."""
    adql = f"SELECT COUNT(*) AS n FROM ivoa.ObsCore WHERE {_where(sky, criteria)}"
    table = ask_tap(service, adql, keys=keys, progress=progress)
    return int(table[table.colnames[0]][0]) if len(table) else 0


def obscore_columns() -> Table:
    """Return the columns of ObsCore that conditions can be about."""
    units = {"t_exptime": "s", "s_ra": "deg", "s_dec": "deg", "s_resolution": "arcsec", "em_min": "m", "em_max": "m",
             "s_fov": "deg", "t_min": "d", "t_max": "d"}  # fmt: skip
    kinds = {name: "text" for name in TEXTS} | {name: "number" for name in NUMBERS} | {"t_min": "date", "t_max": "date"}
    rows = [(name, kind, units.get(name, ""), name.replace("_", " "), "") for name, kind in kinds.items()]
    return Table(rows=rows, names=("name", "kind", "unit", "about", "example"))


def _where(sky: tuple[float, float, float] | None, criteria: Mapping[str, Any]) -> str:
    wheres = []
    if sky is not None:
        ra, dec, radius = (repr(float(number)) for number in sky)
        wheres.append(f"1 = CONTAINS(POINT('ICRS', s_ra, s_dec), CIRCLE('ICRS', {ra}, {dec}, {radius}))")
    wheres += [_condition(name, value) for name, value in criteria.items()]
    if not wheres:
        raise JvizError("A search of all of an archive needs a target, a position or a condition such as "
                        "instrument='MUSE'.")  # fmt: skip
    return " AND ".join(wheres)


def _condition(name: str, value: Any) -> str:
    column = WORDS.get(name.lower(), name).lower()
    if column in ("t_min", "t_max"):
        low, high = days_of(value)
        return f"{column} BETWEEN {low!r} AND {high!r}"
    if column in NUMBERS:
        return _any_of([f"{column} = {low!r}" if low == high else f"{column} BETWEEN {low!r} AND {high!r}"
                        for low, high in spans_of(column, value)])  # fmt: skip
    if column not in TEXTS:
        raise JvizError(f"ObsCore has no column {name!r}; it has {', '.join((*TEXTS, *NUMBERS, 't_min', 't_max'))}.")
    return _any_of([f"{column} LIKE '{_quoted(pattern_of(column, str(text)))}'" for text in several(value)])


def _any_of(conditions: Sequence[str]) -> str:
    return conditions[0] if len(conditions) == 1 else f"({' OR '.join(conditions)})"


def _quoted(pattern: str) -> str:
    return pattern.replace("'", "''").replace("*", "%")


NAMES = {"accref": "access_url", "mime": "access_format", "accsize": "access_estsize", "imageTitle": "obs_title",
         "dstitle": "obs_title", "centerAlpha": "s_ra", "centerDelta": "s_dec", "location_ra": "s_ra",
         "location_dec": "s_dec", "targname": "target_name", "instId": "instrument_name", "bandpassId": "filters",
         "dateObs": "t_min", "instrument": "instrument_name"}  # fmt: skip
"""Columns of the older protocols for images and spectra, with their names of ObsCore."""

UCDS = {"VOX:Image_AccessReference": "access_url", "VOX:Image_Format": "access_format", "POS_EQ_RA_MAIN": "s_ra",
        "POS_EQ_DEC_MAIN": "s_dec", "VOX:Image_Title": "obs_title", "pos.eq.ra;meta.main": "s_ra",
        "pos.eq.dec;meta.main": "s_dec"}  # fmt: skip


def _as_observations(table: Table) -> Table:
    """Give the columns of images and spectra their names of ObsCore."""
    for name in table.colnames:
        wanted = UCDS.get(str(table[name].meta.get("ucd", ""))) or NAMES.get(name.removeprefix("ssa_"))
        if wanted and wanted not in table.colnames:
            table.rename_column(name, wanted)
    return table


def _plain(result: Any) -> Table:
    table = result.to_table()
    table.meta["overflow"] = getattr(result, "query_status", "") == "OVERFLOW"
    # Texts come as objects, which neither sort nor go into files.
    for name in table.colnames:
        if table[name].dtype.kind == "O":
            filled = ["" if value is None or value is Ellipsis else str(value) for value in table[name].tolist()]
            table.replace_column(name, Table({name: filled})[name])
    return table


class _Quiet(warnings.catch_warnings):
    """Leave complaints about the VOTables of others to them."""

    def __enter__(self) -> Any:
        found = super().__enter__()
        warnings.simplefilter("ignore")
        return found


def _asked(question: Callable[[], Table], who: str, progress: Progress) -> Table:
    try:
        return waited(question, lambda: progress(0, 1, f"Asking {who}"))
    except Exception as error:
        raise _said(error, who) from error


def _said(error: BaseException, who: str) -> JvizError:
    import pyvo

    if isinstance(error, JvizError):
        return error
    cause = getattr(error, "cause", None)
    if isinstance(cause, requests.exceptions.ConnectionError | requests.exceptions.Timeout):
        return reason_of(cause, who)  # whatever pyvo takes it for
    if isinstance(error, pyvo.dal.DALQueryError):
        return JvizError(f"{who} refuses the question: {' '.join(str(error).split()).rstrip('.')}.")
    if isinstance(error, pyvo.dal.DALServiceError):
        if not isinstance(cause, Exception):
            return NetError(f"{who} cannot be asked: {' '.join(str(error).split()).rstrip('.')}. Check its address, or "
                            "try again later.")  # fmt: skip
        return reason_of(cause, who)
    if isinstance(error, pyvo.dal.DALFormatError):
        return NetError(f"{who} sent something that is no table: it is no service of this kind, or is down. "
                        "Check its address, or try again later.")  # fmt: skip
    return reason_of(error, who)
