"""Searches of archives as the window needs them: rows while they come, answers that are kept, lists of targets."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from jviz.archive_asking import ask, asked_of_service, of_question, progress_of, unpacked
from jviz.archive_services import collection_named, service_named
from jviz.archives import DEFAULT_RADIUS, answer, arranged, circle_of, online
from jviz.backend.progress import Progress
from jviz.errors import CommandError, JvizError

if TYPE_CHECKING:
    from astropy.table import QTable

    from jviz.backend.archive.asking import Question
    from jviz.backend.catalogs.columns import TableColumn

__all__ = ["Grown", "asked_of", "count_found", "found_by", "preview_of", "question_of", "tables_of", "targets_of"]

@dataclass(frozen=True, eq=False)
class Grown:
    """The rows of a search so far, ready to be shown."""

    table: Any
    columns: list[TableColumn]


def _feed(session: Any, job: Any) -> Any:
    """Return what tells the window of rows while they come; to be called in the thread of a job."""

    def each(table: Any, total: int) -> None:
        from jviz.backend.catalogs.columns import columns_of

        shown = arranged(table)
        grown = Grown(shown, columns_of(shown))
        session.dispatcher.call(lambda: session.archives.arrived.emit(job, grown, total))

    return each


def asked_of(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was asked, without what was not given."""
    return {name: value for name, value in arguments.items() if value is not None}


def targets_of(session: Any, targets: Any) -> list[tuple[str, Any]]:
    """Return names and places of a list of targets.

    Parameters
    ----------
    targets : list of str, str, Path, Table or Catalog
        Names or positions; a text with one on each line; a file with them, or a table; a catalogue or its name.

    Raises
    ------
    CommandError
        When there is none in it.
    """
    if isinstance(targets, str) and targets in session.names:
        targets = session[targets]
    if isinstance(targets, Path) or (isinstance(targets, str) and "\n" not in targets and _is_file(targets)):
        targets = _read(Path(targets).expanduser())
    table = targets.get(_table_kind()) if hasattr(targets, "kind") else targets
    if hasattr(table, "colnames"):
        return _rows_of(table)
    lines = table.splitlines() if isinstance(table, str) else [str(line) for line in table]
    found = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if not found:
        raise CommandError("The list of targets is empty. Give a name or a position on each line.")
    return [(text, text) for text in found]


def _table_kind() -> Any:
    from astropy.table import Table

    return Table


def _is_file(text: str) -> bool:
    try:
        return Path(text).expanduser().is_file()
    except OSError:
        return False


def _read(path: Path) -> Any:
    """Read a file of targets: a table with positions, or one target on each line."""
    if path.suffix.lower() in (".ecsv", ".csv", ".vot", ".xml", ".fits", ".tsv"):
        from astropy.table import Table

        try:
            formats = {".csv": "ascii.csv", ".tsv": "ascii.tab", ".xml": "votable", ".vot": "votable"}
            return Table.read(path, format=formats.get(path.suffix.lower()))
        except (OSError, ValueError, TypeError) as error:
            raise CommandError(f"{path.name} cannot be read as a table of targets: {error}") from error
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path.name} cannot be read as a list of targets: {error}") from error


def _rows_of(table: Any) -> list[tuple[str, Any]]:
    from jviz.backend.archive.skyplaces import position_columns

    found = position_columns(table)
    low = {name.lower(): name for name in table.colnames}
    label = next((low[name] for name in ("name", "target", "target_name", "main_id", "label", "id", "source_id")
                  if name in low), None)  # fmt: skip
    if found is None:
        if label is None:
            raise CommandError("The table of targets has neither RA and Dec in degrees nor a column of names.")
        return [(str(name), str(name)) for name in table[label]]
    names = [str(name) for name in table[label]] if label else [f"row {number + 1}" for number in range(len(table))]
    return [(name, (float(ra), float(dec))) for name, ra, dec in zip(names, *found, strict=True)
            if np.isfinite(ra) and np.isfinite(dec)]  # fmt: skip


def question_of(session: Any, collection: str, target: Any, position: Any, radius: Any, targets: Any,
                criteria: Mapping[str, Any], progress: Progress, resolver: str = "auto") -> Question:  # fmt: skip
    """Return what is asked, all names looked up.

    Raises
    ------
    CommandError
        When it makes no sense.
    """
    from jviz.backend.archive.asking import Question

    service = collection_named(session, collection)
    if targets is None:
        circle = circle_of(session, target, position, radius, resolver)
        return Question(service, () if circle is None else (circle,), criteria)
    if target is not None or position is not None:
        raise CommandError("Give a target, a position or a list of targets, not several of them.")
    wanted = targets_of(session, targets)
    circles = []
    for number, (name, place) in enumerate(wanted):
        progress(number, len(wanted), f"Looking up {name}")
        circles.append(circle_of(session, None, place, radius, resolver))
    return Question(service, tuple(circles), criteria, tuple(name for name, _ in wanted))


def found_by(session: Any, question: Question, asked: Mapping[str, Any], *, limit: int, fresh: bool,
             job: Any) -> QTable:  # fmt: skip
    """Return the answer to a question: one that was kept when it is new enough, or when nobody can be asked."""
    from jviz.backend.archive.answers import keep, kept
    from jviz.backend.archive.net import NetError

    library, minutes = session.archives.library, session.settings["archive.keep_minutes"]
    # By places, not by names: the same question may be asked in several ways.
    key = {"url": question.service.url or _mast(), "kind": question.service.kind, "circles": question.circles,
           "names": question.names, "criteria": dict(question.criteria), "limit": limit,
           "known as": _known_as(session, question.service)}  # fmt: skip
    offline = session.settings["network.offline"]
    if offline or not fresh:
        before = kept(library, key, newer_than=0.0 if offline else time.time() - 60 * minutes)
        if before is not None:
            return answer(unpacked(session, job, before.content), before.total, question.service.title, asked,
                          when=before.time)  # fmt: skip
    online(session)
    try:
        each = _feed(session, job) if job else None
        found = ask(session, job, "search", each=each, most=limit, **of_question(question))
    except NetError as error:
        before = None if fresh else kept(library, key)
        if before is None or error.status in (401, 403):
            raise
        return answer(unpacked(session, job, before.content), before.total, question.service.title, asked,
                      when=before.time, incomplete=f"this is an earlier answer: {error}")  # fmt: skip
    total, incomplete = found.said["total"], found.said["incomplete"]
    if not incomplete:
        _kept_if_possible(keep, library, key, found.packed, total)
    return answer(found.table, total, question.service.title, asked, incomplete=incomplete)


def count_found(session: Any, arguments: Mapping[str, Any], job: Any) -> int:
    """Return how many rows a search with these arguments of archive.search would find.

    Raises
    ------
    JvizError
        When it cannot be counted.
    """
    asked = dict(arguments)
    if asked.pop("outline", None) is not None:
        raise CommandError("What overlaps an outline is known when it was loaded; it cannot be counted before.")
    collection, radius = asked.pop("collection", "mast"), asked.pop("radius", DEFAULT_RADIUS)
    target, position, targets = (asked.pop(name, None) for name in ("target", "position", "targets"))
    resolver = asked.pop("resolver", "auto")
    if collection == "library":
        from jviz.backend.library.queries import search

        circle = circle_of(session, target, position, radius, resolver)
        return len(search(session.archives.library, sky=circle, criteria=asked))
    online(session)
    question = question_of(session, collection, target, position, radius, targets, asked, progress_of(job), resolver)
    return int(ask(session, job, "count", **of_question(question)).said["count"])


def preview_of(session: Any, address: str, job: Any = None) -> Path:
    """Return the file of a picture of an observation; see `jviz.backend.archive.previews.preview`.

    Parameters
    ----------
    address : str
        As of `jviz.backend.archive.previews.preview_address`; a datalink is asked first.

    Raises
    ------
    JvizError
        When it cannot be had.
    """
    from jviz.backend.archive.previews import DATALINK, kept_preview, picture_among, preview

    offline, picture = session.settings["network.offline"], address
    if address.startswith(DATALINK):
        known = kept_preview(address)
        if known is not None:
            return known
        online(session)
        picture = picture_among(ask(session, job, "links", url=address.removeprefix(DATALINK)).table)
        if not picture:
            raise CommandError("Its datalink tells of no picture.")
    return preview(picture, known_as=address if picture != address else "", keys=session.archives.keys,
                   offline=offline, progress=progress_of(job))  # fmt: skip


def tables_of(session: Any, url: str, table: str, words: str, job: Any) -> QTable:
    """Return the tables of a TAP service, or the columns of one; see archive.tables.

    Raises
    ------
    JvizError
        When it cannot be asked, or has no such table.
    """
    from jviz.backend.archive.adql import MOST, columns_query, tables_query

    online(session)
    service = service_named(session, url, "tap")
    adql = columns_query(table) if table else tables_query(words)
    found = asked_of_service(session, job, "tap", service, adql=adql, wait=False).table
    if table and not len(found):
        raise CommandError(f"{service.title} has no table {table!r}; archive.tables without one lists those it has.")
    cut = f"only the first {MOST:,} tables are listed; give words" if len(found) >= MOST and not table else ""
    return answer(found, len(found), service.title, {"url": service.url, "table": table}, incomplete=cut)


def _mast() -> str:
    from jviz.backend.archive.net import mast_url

    return mast_url()


def _known_as(session: Any, service: Any) -> str:
    """Return as whom the user asks a service: what others may not see is not given to them later."""
    secrets = session.archives.keys()
    login = secrets.login_at(service.url) if service.url.startswith(("http://", "https://")) else None
    return f"user {login[0]}" if login else "token" if secrets.token else ""


def _kept_if_possible(keep: Any, library: Any, key: Mapping[str, Any], content: bytes, total: int) -> None:
    import sqlite3

    try:
        keep(library, key, content, total)
    except (sqlite3.Error, JvizError):
        return  # it only costs asking again
