"""The search forms of single missions at MAST: every header keyword of JWST's products as a condition."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import product
from typing import Any

import numpy as np
from astropy.table import MaskedColumn, Table, vstack

from jviz.backend.archive.keys import NO_SECRETS, Keys
from jviz.backend.archive.net import connection, json_of, mast_url, reason_of, waited
from jviz.backend.progress import Progress, silent
from jviz.backend.searching import days_of, several, spans_of
from jviz.errors import JvizError

__all__ = ["mission_columns", "search_mission"]

WHO = "MAST"
PAGE = 2_000

WORDS = {"instrument": "instrume", "filter": "opticalElements", "pi": "pi_name", "date": "date_obs",
         "level": "productLevel", "target_name": "targprop", "exposure_time": "duration",
         "moving_target": "targtype"}  # fmt: skip
"""Words of archive.search for columns of the form of JWST."""

KINDS = {"INTEGER": int, "INT": int, "BIGINT": int, "FLOAT": float, "DOUBLE": float, "REAL": float, "DECIMAL": float}
"""Types of columns as the server tells them; all others are texts."""


def search_mission(
    sky: tuple[float, float, float] | None,
    criteria: Mapping[str, Any],
    *,
    mission: str = "jwst",
    most: int = 50_000,
    count: bool = False,
    keys: Keys = NO_SECRETS,
    progress: Progress = silent,
    each: Callable[[Table, int], None] = lambda page, total: None,
) -> tuple[Table, int]:
    """Return data sets of a mission that meet a circle and conditions, and how many there are in all.

    Parameters
    ----------
    sky : (float, float, float) or None
        RA, Dec and radius in degrees.
    criteria : mapping
        Header keywords and what they must be: a text (``*`` stands for anything, a leading ``!`` excludes), several
        texts, (least, most), or two dates with ``..`` between.
    count : bool
        Ask for the number alone.

    Raises
    ------
    NetError, JvizError
        When MAST cannot be asked, or does not understand a condition.
    """
    if sky is None and not criteria:
        raise JvizError("A search of all of a mission needs a target, a position or a condition such as "
                        "instrument='NIRCAM'.")  # fmt: skip
    place = {} if sky is None else {"target": [f"{sky[0]!r} {sky[1]!r}"], "radius": sky[2] * 3600,
                                    "radius_units": "arcseconds"}  # fmt: skip
    pages, rows, total = [], 0, 0
    for conditions in _alternatives(criteria):
        of_this = 0
        for page, of_this in _pages(mission, {"conditions": conditions, **place}, 1 if count else most - rows, keys,
                                    progress):  # fmt: skip
            pages.append(page)
            rows += 0 if count else len(page)
            if not count:
                each(page, total + of_this)
        total += of_this
    table = vstack(pages, metadata_conflicts="silent") if pages else Table()
    return table, total


def _alternatives(criteria: Mapping[str, Any]) -> list[list[dict[str, str]]]:
    """Return what is to be asked: several questions where a right ascension goes through zero."""
    named = [(WORDS.get(name, name), _conditions(name, value)) for name, value in criteria.items()]
    return [[{name: text} for (name, _), text in zip(named, chosen, strict=True)]
            for chosen in product(*(texts for _, texts in named))]  # fmt: skip


def _conditions(name: str, value: Any) -> list[str]:
    """Return the texts that say what a keyword must be, each of them enough."""
    if name == "moving_target":
        return ["MOVING" if value in (True, 1, "true", "yes") else "FIXED"]
    first, dots, last = value.partition("..") if isinstance(value, str) else ("", "", "")
    if isinstance(value, tuple) and len(value) == 2:
        first, dots, last = value[0], "..", value[1]
    if dots and _are_numbers(first, last):
        return [f"{low:.15g}..{high:.15g}" for low, high in spans_of(name, (first, last))]
    if dots and all(re.match(r"\d{4}-\d\d", str(end)) for end in (first, last)):
        days_of((first, last))
    if dots:
        return [f"{first}..{last}"]
    return [",".join(str(text).replace("%", "*") for text in several(value))]


def _are_numbers(*texts: Any) -> bool:
    try:
        return all(np.isfinite(float(text)) for text in texts)
    except (TypeError, ValueError):
        return False


def _pages(
    mission: str, body: Mapping[str, Any], most: int, keys: Keys, progress: Progress
) -> Iterator[tuple[Table, int]]:
    rows, total = 0, 1
    while rows < min(total, most):
        said = f"Asking MAST: {rows:,} of {total:,} rows" if rows else "Asking MAST"
        asked = {**body, "limit": min(PAGE, most - rows), "offset": rows}
        reply = _asked(lambda asked=asked: _post(f"/search/{mission}/api/v0.1/search", asked, keys),
                       lambda text=said, at=rows, of=total: progress(at, of, text))  # fmt: skip
        page, total = _table(reply), int(reply.get("totalResults") or 0)
        if not len(page):
            return
        rows += len(page)
        yield page, total


def _post(path: str, body: Any, keys: Keys) -> Any:
    with connection(keys=keys) as session:
        reply = session.post(mast_url() + path, json=body)
        if reply.status_code == 400:
            raise JvizError(f"MAST does not understand the search: {_reason(reply)}.")
        return json_of(reply, WHO)


def _reason(reply: Any) -> str:
    try:
        found = reply.json()
    except ValueError:
        return "it gives no reason"
    said = found.get("message") or found.get("detail") or found.get("messages") or "it gives no reason"
    return " ".join(str(said).split()).rstrip(".")


def _asked(question: Callable[[], Any], tick: Callable[[], Any]) -> Any:
    try:
        return waited(question, tick)
    except JvizError:
        raise
    except Exception as error:
        raise reason_of(error, WHO) from error


def _table(reply: Mapping[str, Any]) -> Table:
    """Make a table of a reply; what is null is masked."""
    rows = reply.get("results") or []
    kinds = {info["name"]: KINDS.get(str(info.get("type", "")).split("(")[0].upper(), str)
             for info in reply.get("info") or []}  # fmt: skip
    names = list(dict.fromkeys(name for row in rows for name in row))
    table = Table()
    for name in names:
        values = [row.get(name) for row in rows]
        kind = kinds.get(name) or _kind_of(values)
        missing = np.array([value is None for value in values], bool)
        try:
            filled = np.array([kind() if value is None else kind(value) for value in values])
        except (TypeError, ValueError):
            filled = np.array(["" if value is None else str(value) for value in values])
        table[name] = MaskedColumn(filled, mask=missing)
    return table


def _kind_of(values: list[Any]) -> type:
    there = {type(value) for value in values if value is not None}
    return there.pop() if there in ({int}, {float}) else float if there == {int, float} else str


def mission_columns(mission: str = "jwst", *, progress: Progress = silent) -> Table:
    """Return the columns of a mission's form: ``name``, ``kind``, ``unit``, ``about`` and ``example``."""

    def question() -> Any:
        with connection() as session:
            return json_of(session.get(f"{mast_url()}/search/util/api/v0.1/column_list?mission={mission}"), WHO)

    found = _asked(question, lambda: progress(0, 1, "Asking MAST which columns there are"))
    rows = [(c["column_name"], str(c.get("qual_type") or "string"), "",
             " ".join(str(c.get("description") or "").split()), "") for c in found]  # fmt: skip
    return Table(rows=rows, names=("name", "kind", "unit", "about", "example"), dtype=("U", "U", "U", "U", "U"))
