"""One way to ask every collection: MAST and its forms and catalogues, and services of the Virtual Observatory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from astropy.table import Table, vstack

from jviz.backend.archive import vo
from jviz.backend.archive.keys import NO_SECRETS, Keys
from jviz.backend.archive.mast import Mast, catalogue_at
from jviz.backend.archive.missions import mission_columns, search_mission
from jviz.backend.archive.net import NetError
from jviz.backend.progress import Progress, silent
from jviz.errors import JvizError

__all__ = ["Answer", "Question", "ask", "collection_of", "columns_of", "count"]

MAST = vo.Service("mast", "MAST", "mast", "")
PLACED = ("cone", "sia1", "sia2", "ssa", "catalogue")
"""Kinds of service that are asked about a place and nothing else."""

MOST_TARGETS = 1_000

type Circle = tuple[float, float, float]


@dataclass(frozen=True)
class Question:
    """What is asked.

    Attributes
    ----------
    service : Service
    circles : tuple of (RA, Dec, radius) in degrees
        Several for a list of targets; none: the whole sky.
    names : tuple of str
        Of the targets of a list, as many as circles; they come back in a column ``asked_for``.
    criteria : mapping
    """

    service: vo.Service
    circles: tuple[Circle, ...]
    criteria: Mapping[str, Any]
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """Rows, how many there are in all, and in words what is missing ("" when nothing is)."""

    table: Table
    total: int
    incomplete: str = ""


def collection_of(name_or_url: str, own: Mapping[str, vo.Service] | None = None) -> vo.Service:
    """Return the collection that is meant: ``"mast"``, a name of `services`, or an address, which may have its kind
    in front (``"ssa:https://…"``); an address alone is one of a TAP service with ObsCore.

    Parameters
    ----------
    own : mapping
        Further services by name.

    Raises
    ------
    JvizError
        When there is none of that name.
    """
    if name_or_url.lower() == "mast":
        return MAST
    kind, colon, rest = name_or_url.partition(":")
    if colon and kind.lower() in (*PLACED, "tap") and rest.startswith(("http://", "https://")):
        return vo.service_of(rest, kind.lower())
    if name_or_url.startswith(("http://", "https://")):
        return vo.service_of(name_or_url, "tap")
    known = {**vo.services(), **(own or {})}
    found = known.get(name_or_url.lower())
    if found is None or (found.kind == "tap" and not found.obscore):
        names = ", ".join(["mast", *(n for n, s in known.items() if s.kind != "tap" or s.obscore)])
        raise JvizError(f"There is no service {name_or_url!r} for observations. Take one of {names}; or an address: "
                        "https://… of TAP, or sia2:https://…, sia1:…, ssa:…, cone:….")  # fmt: skip
    return found


def ask(
    question: Question,
    *,
    most: int = 50_000,
    keys: Keys = NO_SECRETS,
    progress: Progress = silent,
    each: Callable[[Table, int], None] = lambda page, total: None,
) -> Answer:
    """Ask a collection; of a list of targets one after the other, so that one that fails does not lose the others.

    Parameters
    ----------
    each : callable
        Called with every page of rows, and the total so far, as soon as they are here.
    """
    if len(question.circles) > MOST_TARGETS:
        raise JvizError(f"{len(question.circles):,} targets are too many for one search; give at most "
                        f"{MOST_TARGETS:,}.")  # fmt: skip
    if len(question.circles) < 2 and not question.names:
        return _one(question, question.circles[0] if question.circles else None, most, keys, progress, each)
    return _several(question, most, keys, progress, each)


def _several(question: Question, most: int, keys: Keys, progress: Progress, each: Callable[..., None]) -> Answer:
    pages: list[Table] = []
    lost: list[str] = []
    rows = total = 0
    for number, (circle, name) in enumerate(zip(question.circles, question.names, strict=True)):

        def tick(done: float, of: float, text: str = "", number: int = number, name: str = name) -> None:
            progress(number, len(question.circles), f"{name}: {text}")

        def named(page: Table, _: int, name: str = name, before: int = total) -> None:
            page = page.copy(copy_data=False)
            page.add_column([name] * len(page), name="asked_for", index=0)
            pages.append(page)
            each(page, before + len(page))

        if rows >= most:
            lost.append("the limit of rows was reached")
            break
        try:
            found = _one(question, circle, most - rows, keys, tick, named)
        except NetError as error:
            if not pages and number + 1 == len(question.circles):
                raise
            lost.append(f"{name}: {error}")
            continue
        rows += len(found.table)
        total += found.total
        lost += [found.incomplete] * bool(found.incomplete)
    if lost and not rows and len(lost) == len(question.circles):
        raise NetError(lost[0])
    table = vstack(pages, metadata_conflicts="silent") if pages else Table()
    return Answer(table, total, "; ".join(lost))


def _one(question: Question, circle: Circle | None, most: int, keys: Keys, progress: Progress,
         each: Callable[[Table, int], None]) -> Answer:  # fmt: skip
    service, criteria = question.service, question.criteria
    if service.kind == "mast":
        return Answer(*Mast(keys).search(circle, criteria, most=most, progress=progress, each=each))
    if service.kind == "missions":
        return Answer(*search_mission(circle, criteria, mission=service.url, most=most, keys=keys,
                                      progress=progress, each=each))  # fmt: skip
    if service.kind == "tap":
        table = vo.ask_tap(service, vo.obscore_query(circle, criteria, most + 1), keys=keys, progress=progress)
    else:
        table = _about(service, circle, criteria, keys, progress)
    short = table[:most]
    each(short, len(table))
    cut = "the service sent only a part of what it has" if table.meta.get("overflow") else ""
    return Answer(short, len(table), cut)


def _about(service: vo.Service, circle: Circle | None, criteria: Mapping[str, Any], keys: Keys,
           progress: Progress) -> Table:  # fmt: skip
    """Ask a service that answers about places alone."""
    if circle is None:
        raise JvizError(f"{service.title} is asked about a place: give a target or a position.")
    if criteria:
        raise JvizError(f"{service.title} knows a place and a radius only; leave {', '.join(criteria)} out, and narrow "
                        "down what was found.")  # fmt: skip
    if service.kind == "catalogue":
        return catalogue_at(service.url, service.title, circle, progress=progress)
    return vo.about(service, circle, keys=keys, progress=progress)


def count(question: Question, *, keys: Keys = NO_SECRETS, progress: Progress = silent) -> int:
    """Return how many rows there are, without loading them.

    Raises
    ------
    JvizError
        When the collection has no way to count.
    """
    service, total = question.service, 0
    circles: Sequence[Circle | None] = question.circles or (None,)
    for circle in circles:
        if service.kind == "mast":
            total += Mast(keys).count(circle, question.criteria, progress=progress)
        elif service.kind == "missions":
            total += search_mission(circle, question.criteria, mission=service.url, count=True, keys=keys,
                                    progress=progress)[1]  # fmt: skip
        elif service.kind == "tap":
            total += vo.obscore_count(service, circle, question.criteria, keys=keys, progress=progress)
        else:
            raise JvizError(f"{service.title} cannot count without searching.")
    return total


def columns_of(service: vo.Service, *, keys: Keys = NO_SECRETS, progress: Progress = silent) -> Table:
    """Return the columns that conditions can be about: ``name``, ``kind``, ``unit``, ``about`` and ``example``."""
    if service.kind == "mast":
        return Mast(keys).columns(progress=progress)
    if service.kind == "missions":
        return mission_columns(service.url, progress=progress)
    if service.kind == "tap":
        return vo.obscore_columns()
    return Table(names=("name", "kind", "unit", "about", "example"), dtype=("U1",) * 5)
