"""The observations and products of MAST, through astroquery's queries (its downloads are never used)."""

from __future__ import annotations

import gc
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from itertools import product
from typing import Any
from urllib.parse import quote, urlencode

import numpy as np
from astropy.table import Table, vstack

from jviz.backend.archive.keys import NO_SECRETS, Keys
from jviz.backend.archive.net import NetError, connection, json_of, mast_url, prepare, reason_of, waited
from jviz.backend.progress import Progress, silent
from jviz.backend.searching import DATES, WILD, WORDS, days_of, pattern_of, several, spans_of
from jviz.errors import JvizError

__all__ = ["BUCKET", "WHO", "Mast", "Sky", "catalogue_at"]

WHO = "MAST"
BUCKET = "stpubdata"
"""Of S3, with the public files of MAST."""

PAGE = 2_000
"""Rows asked for at a time: a page of that size is read in a few hundredths of a second."""

MOST_ROWS = 50_000
BATCH = 50
"""Observations whose products are asked for at a time: more make the server give up."""

type Sky = tuple[float, float, float]
"""Right ascension, declination and radius in degrees (ICRS)."""


class Mast:
    """A connection to MAST; of one thread.

    Parameters
    ----------
    keys : Secrets or callable
        For exclusive data.
    """

    def __init__(self, keys: Keys = NO_SECRETS, *, timeout: tuple[float, float] = (10.0, 60.0), tries: int = 4) -> None:
        self._keys, self._options = keys, {"timeout": timeout, "tries": tries}
        self._observations: Any = None

    @property
    def observations(self) -> Any:
        """The queries of astroquery, on a connection of ours."""
        if self._observations is None:
            self._observations = _observations()
            prepare(self._observations._session, keys=self._keys, **self._options)
        return self._observations

    # --- observations -----------------------------------------------------------------------------

    def count(self, sky: Sky | None, criteria: Mapping[str, Any], *, progress: Progress = silent) -> int:
        """Return how many observations there are.

        Raises
        ------
        NetError, JvizError
            When MAST cannot be asked, or has no such column.
        """
        tick, total = partial(progress, 0, 1, "Asking MAST"), 0
        for service, parameters in self._questions(sky, criteria, tick):
            counting = {**parameters, "columns": "COUNT_BIG(*)"}
            page, _ = self._ask(partial(self._page, service, counting, 1), tick)
            if not len(page):
                raise NetError("MAST did not say how many observations there are. Try again later.")
            total += int(page[0][0])
        return total

    def search(
        self,
        sky: Sky | None,
        criteria: Mapping[str, Any],
        *,
        most: int = MOST_ROWS,
        progress: Progress = silent,
        each: Callable[[Table, int], None] = lambda page, total: None,
    ) -> tuple[Table, int]:
        """Return observations, and how many there are in all.

        Parameters
        ----------
        sky : (float, float, float) or None
            Circle in degrees.
        criteria : mapping
            Columns of MAST and what they must be: a text (``*`` stands for anything), several texts,
            or (least, most) of a number.
        most : int
            Rows to stop at.
        each : callable
            Called with every page and the total as soon as they are here.
        """
        pages: list[Table] = []
        rows = total = 0
        for service, parameters in self._questions(sky, criteria, partial(progress, 0, 1, "Asking MAST")):
            count = 0
            for page, count in self._pages(service, parameters, most - rows, progress):
                pages.append(page)
                rows += len(page)
                each(page, count)
            total += count
        table = vstack(pages, metadata_conflicts="silent") if pages else Table()
        return _once(table, "obsid"), total

    def _pages(self, service: str, parameters: Any, most: int, progress: Progress) -> Iterator[tuple[Table, int]]:
        """Yield the pages of one question, so many rows at most, and how many rows it has."""
        rows, total, number = 0, 1, 0
        last = Table()
        while rows < min(total, most):
            text = f"Asking MAST: {rows:,} of {total:,} rows" if number else "Asking MAST"
            tick = partial(progress, rows, total, text)
            tick()
            number += 1
            page, total = self._ask(partial(self._page, service, parameters, number), tick)
            if not len(page) and rows == total:
                yield last[:0], total
            if not len(page) or (len(last) == len(page) and str(page[0]) == str(last[0])):
                return  # the end, or a server that gives the same page for ever
            last = page
            page = page[: most - rows]
            rows += len(page)
            yield page, total

    def _questions(
        self, sky: Sky | None, criteria: Mapping[str, Any], tick: Callable[[], None]
    ) -> list[tuple[str, dict[str, Any]]]:
        """Return the services that answer, and what each is asked."""
        if sky is None and not criteria:
            raise JvizError("A search of all of MAST needs a target, a position or a condition such as "
                            "instrument='NIRCAM'.")  # fmt: skip
        caom, columns = self.observations, self._ask(self._columns, tick)
        service = caom._caom_filtered if sky is None else caom._caom_filtered_position
        where = {} if sky is None else {"position": ", ".join(repr(float(number)) for number in sky)}
        return [(service, {"columns": "*", "filters": self._ask(partial(self._filters, asked)), **where})
                for asked in _alternatives(criteria, columns)]  # fmt: skip

    def _columns(self) -> dict[str, Any]:
        portal, name = self.observations._portal_api_connection, self.observations._caom_cone
        if name not in portal._column_configs:
            portal._get_col_config(name)
        for service in (self.observations._caom_filtered, self.observations._caom_filtered_position):
            portal._column_configs.setdefault(service, portal._column_configs[name])
        return portal._column_configs[name]

    def _filters(self, criteria: Mapping[str, Any]) -> list[dict[str, Any]]:
        values = {column: _values(column, value) for column, value in criteria.items()}
        portal, caom = self.observations._portal_api_connection, self.observations
        return portal.build_filter_set(caom._caom_cone, caom._caom_filtered, **values)

    def _page(self, service: str, parameters: Mapping[str, Any], number: int) -> tuple[Table, int]:
        from astroquery.exceptions import RemoteServiceError
        from astroquery.mast.discovery_portal import _json_to_table

        portal = self.observations._portal_api_connection
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "no results" is an answer
            [answer] = portal.service_request_async(service, dict(parameters), pagesize=PAGE, page=number)
            reply = answer.json()
            if reply["status"] == "ERROR":
                raise RemoteServiceError(reply.get("msg", ""))
            paging = reply.get("paging") or {}
            table = _json_to_table(reply, portal._column_configs.get(service))
            if reply["data"] and not len(table):
                raise LookupError("rows without fields")
            more = len(table) == PAGE  # a full page without a word about others need not be the last
            total = paging.get("rowsFiltered")
            return table, (number - 1) * PAGE + len(table) + more if total is None else int(total)

    def columns(self, *, progress: Progress = silent) -> Table:
        """Return the columns of MAST: ``name``, ``kind``, ``unit``, ``about`` and ``example``."""
        found = self._ask(self._columns, partial(progress, 0, 1, "Asking MAST which columns there are"))
        rows = [(name, _kind(about), *_words(name, about)) for name, about in found.items()
                if not name.startswith("_") and not about.get("remove")]  # fmt: skip
        return Table(rows=rows, names=("name", "kind", "unit", "about", "example"))

    # --- products ---------------------------------------------------------------------------------

    def products(self, ids: Iterable[str], *, progress: Progress = silent) -> Table:
        """Return the products of observations, each once.

        Parameters
        ----------
        ids : iterable of str
            The ``obsid`` of each observation (not its ``obs_id``).
        """
        wanted = list(dict.fromkeys(str(number) for number in ids))
        pages = []
        for start in range(0, len(wanted), BATCH):
            parameters = {"obsid": ",".join(wanted[start : start + BATCH])}
            tick = partial(progress, start, len(wanted), f"Asking for the products of {len(wanted)} observations")
            found = self._pages(self.observations._caom_products, parameters, sys.maxsize, lambda *_, t=tick: t())
            pages += [page for page, _ in found]
        return _once(vstack(pages, metadata_conflicts="silent") if pages else Table(), "dataURI")

    # --- other questions --------------------------------------------------------------------------

    def whoami(self) -> dict[str, Any]:
        """Return who the token belongs to, and until when."""
        return self._ask(lambda: self._get("/whoami"))

    def resolve(self, name: str) -> list[dict[str, Any]]:
        """Return the places that the name resolver of MAST knows."""
        reply = self._ask(lambda: self._get(f"/Santa-war/query?name={quote(name)}&outputFormat=json&resolveAll=true",
                                            "http://mastresolver.stsci.edu"))  # fmt: skip
        return reply.get("resolvedCoordinate") or []

    def cloud(self, uris: Sequence[str], *, progress: Progress = silent) -> dict[str, str]:
        """Return where public files lie in the cloud: keys of the bucket `BUCKET` by ``mast:`` address."""
        found: dict[str, str] = {}
        for start in range(0, len(uris), BATCH):
            progress(start, len(uris), "Asking MAST which files are in the cloud")
            query = urlencode([("uri", uri) for uri in uris[start : start + BATCH]])
            reply = self._ask(lambda query=query: self._get(f"/api/v0.1/path_lookup/?{query}"))
            found |= {uri: about["path"].lstrip("/") for uri, about in reply.items() if (about or {}).get("path")}
        return {uri: key for uri, key in found.items() if "/public/" in f"/{key}"}

    def _get(self, path: str, host: str = "") -> Any:
        with connection(keys=self._keys, **self._options) as session:
            return json_of(session.get((host or mast_url()) + path), WHO)

    def _ask(self, question: Callable[[], Any], tick: Callable[[], None] | None = None) -> Any:
        """Return an answer; a ``tick`` that raises leaves the question alone, and this connection with it."""
        from astroquery.exceptions import InvalidQueryError, RemoteServiceError

        try:
            return question() if tick is None else waited(question, tick)
        except JvizError:
            raise
        except InvalidQueryError as error:
            raise JvizError(f"MAST does not understand the search: {str(error).rstrip('.')}.") from error
        except RemoteServiceError as error:
            why = " ".join(str(error).split()).rstrip(".") or "it gives no reason"
            raise NetError(f"MAST could not answer: {why}. "
                           "Try again, or ask for less.") from error  # fmt: skip
        except Exception as error:
            raise reason_of(error, WHO) from error


def _observations() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from astroquery.mast import ObservationsClass

        _spare_garbage_collection()
        return ObservationsClass()


@cache
def _spare_garbage_collection() -> None:
    """Have what was imported not looked through for garbage, which would stop the window each time."""
    gc.freeze()


PANSTARRS = "https://catalogs.mast.stsci.edu/api/v0.1/panstarrs/dr2/mean.json"


def _panstarrs_at(sky: Sky) -> Table:
    """Return rows of Pan-STARRS; astroquery would ask for its columns on a connection of its own, past a mirror."""
    from astroquery.mast.services import _json_to_table

    with connection() as session:
        asked = {"ra": sky[0], "dec": sky[1], "radius": sky[2], "pagesize": MOST_ROWS}
        return _json_to_table(json_of(session.post(PANSTARRS, data=asked), "Pan-STARRS"))


def catalogue_at(name: str, title: str, sky: Sky, *, progress: Progress = silent) -> Table:
    """Return the rows of a catalogue of MAST in a circle: ``"gaia"``, ``"hsc"``, ``"panstarrs"``, ``"tic"``."""

    def question() -> Table:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if name == "panstarrs":
                return _panstarrs_at(sky)
            from astropy.coordinates import SkyCoord
            from astroquery.mast.collections import CatalogsClass

            catalogs = CatalogsClass()
            prepare(catalogs._session, keys=NO_SECRETS, timeout=(10.0, 60.0), tries=4)
            return catalogs.query_region(SkyCoord(sky[0], sky[1], unit="deg"), radius=sky[2], catalog=name)

    try:
        return waited(question, partial(progress, 0, 1, f"Asking {title}"))
    except JvizError:
        raise
    except Exception as error:
        raise reason_of(error, title) from error


def _kind(about: Mapping[str, Any]) -> str:
    """Return what a column of MAST holds: "date", "boolean", "number" or "text"."""
    if about.get("isMjd") or about.get("isDate"):
        return "date"
    kind = str(about.get("type") or about.get("vot.datatype") or "char")
    return "boolean" if kind == "boolean" else "text" if kind in ("char", "string", "unicodeChar") else "number"


def _words(name: str, about: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return unit, title and example of a column of MAST."""
    example = str(about.get("example") or about.get("examples") or "").removeprefix("E.g. ").removeprefix("Ex. ")
    if example.startswith("May be "):
        example = ""  # it is about how the column looks on the page of MAST
    return str(about.get("vot.unit") or about.get("unit") or ""), str(about.get("text") or name), example


def _once(table: Table, column: str) -> Table:
    """Return the first row of each value of a column, in their order."""
    if not len(table):
        return table
    _, first = np.unique(np.asarray(table[column], str), return_index=True)
    return table if len(first) == len(table) else table[np.sort(first)]


def _column(name: str, columns: Mapping[str, Any]) -> str:
    """Return the column of MAST that a word means.

    Raises
    ------
    JvizError
        With near names when there is none.
    """
    import difflib

    low = {column.lower(): column for column in columns}
    column = WORDS.get(name.lower(), name).lower()
    if column in low:
        return low[column]
    near = difflib.get_close_matches(column, [*low, *WORDS], 3)
    hint = f" Did you mean {' or '.join(near)}?" if near else " See the columns of a search for those there are."
    raise JvizError(f"MAST has no column {name!r}.{hint}")


def _values(column: str, value: Any) -> list[Any]:
    """Return a condition as astroquery takes it: ranges of numbers, and texts of which a part is enough."""
    if column in DATES:
        return list(days_of(value))
    if column == "mtFlag":
        return ["true" if value in (True, 1, "true", "yes") else "false"]
    values = several(value)
    if column == "proposal_id":  # 01234 in the names of files is 1234 in MAST
        values = list(dict.fromkeys(form for each in values for form in (each, _without_zeros(each))))
    return [pattern_of(column, values[0])] if len(values) == 1 and isinstance(values[0], str) else values


def _without_zeros(value: Any) -> Any:
    return value.lstrip("0") or value if isinstance(value, str) and value.isdecimal() else value


def _alternatives(criteria: Mapping[str, Any], columns: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Part a search into several: of texts that are a part of a value, and of ranges, MAST takes one at a time."""
    named = {_column(name, columns): value for name, value in criteria.items()}
    parted = {column: several(value) for column, value in named.items() if column in WILD}
    parted |= {column: list(spans_of(column, value)) for column, value in named.items()
               if column not in DATES and _is_continuous(columns[column])}  # fmt: skip
    return [{**named, **dict(zip(parted, chosen, strict=True))} for chosen in product(*parted.values())]


def _is_continuous(about: Mapping[str, Any]) -> bool:
    """Whether MAST wants a range of a column; astroquery leaves any other condition on it out, without a word."""
    kind = about.get("vot.datatype", about.get("type"))
    return kind in ("double", "float", "numeric") or bool(about.get("treatNumeric"))
