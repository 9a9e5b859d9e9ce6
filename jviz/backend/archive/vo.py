"""Services of the Virtual Observatory, through pyvo: TAP with ADQL, ObsCore, and cone searches of catalogues."""

from __future__ import annotations

import tomllib
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any
from urllib.parse import urlsplit

from astropy.table import Table

from jviz.backend.archive.net import NetError, connection, reason_of, waited
from jviz.backend.progress import Progress, silent
from jviz.backend.searching import WORDS, days_of, pattern_of, several
from jviz.errors import JvizError

__all__ = ["Service", "ask_tap", "cone", "obscore_query", "service_of", "services"]

TEXTS = ("dataproduct_type", "obs_collection", "obs_id", "target_name", "instrument_name", "facility_name",
         "dataproduct_subtype", "obs_title", "proposal_id", "proposal_pi", "filters")  # fmt: skip
NUMBERS = ("calib_level", "t_exptime", "s_resolution", "em_min", "em_max", "s_fov")


@dataclass(frozen=True)
class Service:
    """Where a service is and what it speaks: ``kind`` is "tap" or "cone"."""

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


def service_of(name_or_url: str, kind: str) -> Service:
    """Return the service that is meant.

    Raises
    ------
    JvizError
        When it is neither a known name nor an address.
    """
    if name_or_url.startswith(("http://", "https://")) and urlsplit(name_or_url).hostname:
        return Service(urlsplit(name_or_url).hostname or "", name_or_url, kind, name_or_url, True)
    found = services().get(name_or_url.lower())
    if found is None or found.kind != kind:
        names = ", ".join(name for name, service in services().items() if service.kind == kind)
        raise JvizError(f"There is no service {name_or_url!r}. Give the address of one (https://…), or one of {names}.")
    return found


def ask_tap(service: Service, adql: str, *, token: str = "", timeout: float = 120.0, wait: bool = False,
            progress: Progress = silent) -> Table:  # fmt: skip
    """Ask a TAP service in ADQL.

    Parameters
    ----------
    wait : bool
        Let the question run as a job of the service: for those that take longer than a minute.

    Raises
    ------
    JvizError
        With what the service says against the question.
    NetError
        When it cannot be asked.
    """

    def question() -> Table:
        import pyvo

        with _Quiet(), connection(token=token, timeout=(10.0, timeout)) as session:
            tap = pyvo.dal.TAPService(service.url, session=session)
            result = tap.run_async(adql) if wait else tap.run_sync(adql)
            return _plain(result)

    return _asked(question, service.title, progress)


def cone(service: Service, sky: tuple[float, float, float], *, progress: Progress = silent) -> Table:
    """Return the rows of a catalogue within a circle (RA, Dec, radius in degrees)."""

    def question() -> Table:
        import pyvo

        with _Quiet(), connection(timeout=(10.0, 120.0)) as session:
            return _plain(pyvo.dal.SCSService(service.url, session=session).search(sky[:2], sky[2]))

    return _asked(question, service.title, progress)


def obscore_query(sky: tuple[float, float, float] | None, criteria: Mapping[str, Any], most: int) -> str:
    """Return ADQL for observations that meet a circle and conditions.

    Parameters
    ----------
    criteria : mapping
        As `jviz.backend.archive.mast.Mast.search` takes them.
    """
    wheres = []
    if sky is not None:
        ra, dec, radius = (repr(float(number)) for number in sky)
        wheres.append(f"1 = CONTAINS(POINT('ICRS', s_ra, s_dec), CIRCLE('ICRS', {ra}, {dec}, {radius}))")
    wheres += [_condition(name, value) for name, value in criteria.items()]
    if not wheres:
        raise JvizError("A search of all of an archive needs a target, a position or a condition such as "
                        "instrument='MUSE'.")  # fmt: skip
    return f"SELECT TOP {int(most)} * FROM ivoa.ObsCore WHERE {' AND '.join(wheres)}"


def _condition(name: str, value: Any) -> str:
    column = WORDS.get(name.lower(), name).lower()
    if column in ("t_min", "t_max"):
        low, high = days_of(value)
        return f"{column} BETWEEN {low!r} AND {high!r}"
    if column in NUMBERS:
        if isinstance(value, list | tuple) and len(value) == 2:
            return f"{column} BETWEEN {float(value[0])!r} AND {float(value[1])!r}"
        return f"{column} = {float(value)!r}"
    if column not in TEXTS:
        raise JvizError(f"ObsCore has no column {name!r}; it has {', '.join((*TEXTS, *NUMBERS, 't_min', 't_max'))}.")
    likes = [f"{column} LIKE '{_quoted(pattern_of(column, str(text)))}'" for text in several(value)]
    return likes[0] if len(likes) == 1 else f"({' OR '.join(likes)})"


def _quoted(pattern: str) -> str:
    return pattern.replace("'", "''").replace("*", "%")


def _plain(result: Any) -> Table:
    table = result.to_table()
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
    if isinstance(error, pyvo.dal.DALQueryError):
        return JvizError(f"{who} refuses the question: {' '.join(str(error).split()).rstrip('.')}.")
    if isinstance(error, pyvo.dal.DALServiceError):
        cause = error.cause if isinstance(getattr(error, "cause", None), Exception) else error
        if cause is error:
            return NetError(f"{who} cannot be asked: {' '.join(str(error).split()).rstrip('.')}. Check its address, or "
                            "try again later.")  # fmt: skip
        return reason_of(cause, who)
    if isinstance(error, pyvo.dal.DALFormatError):
        return NetError(f"{who} sent something that is no table: it is no service of this kind, or is down. "
                        "Check its address, or try again later.")  # fmt: skip
    return reason_of(error, who)
