"""Questions to archives as a process of their own answers them.

To read a long answer, and to import what reads it, keeps Python busy for seconds, which a window would feel. What is
asked comes as JSON, rows go back as files; see `jviz.archive_asking` for the other side.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from astropy.table import Table, vstack

from jviz.backend.archive import vo
from jviz.backend.archive.answers import packed_table, unpacked_table
from jviz.backend.archive.asking import Question, ask, columns_of, count
from jviz.backend.archive.keys import Keys, Secrets
from jviz.backend.archive.mast import Mast
from jviz.backend.archive.net import NetError
from jviz.backend.archive.table_files import write_table
from jviz.backend.archive.vo_products import files_of_rows
from jviz.backend.progress import Progress

__all__ = ["PACKED", "ROWS", "answered", "as_json", "from_json", "prepare", "taken"]

ROWS, PACKED = "rows", "packed"
"""Files of the rows of an answer, and of the answer as it is kept."""

PAUSE = 0.3
"""Seconds between two looks at the rows that came meanwhile, at least."""

SHARE = 10
"""So many times as long as putting the rows together takes."""


def prepare() -> None:
    """Import what takes long, ahead of the first question; the window comes before what is asked for it."""
    Mast().observations  # noqa: B018


def as_json(value: Any) -> Any:
    """Return a value that JSON can say; `from_json` makes the value of it again, also tuples and the parts of them."""
    if isinstance(value, tuple):
        return {"tuple": [as_json(part) for part in value]}
    if isinstance(value, list | set):
        return [as_json(part) for part in value]
    if isinstance(value, Mapping):
        return {"dict": {str(name): as_json(part) for name, part in value.items()}}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return as_json(value.item()) if hasattr(value, "item") else str(value)


def from_json(value: Any) -> Any:
    """Return what `as_json` was given."""
    if isinstance(value, list):
        return [from_json(part) for part in value]
    if not isinstance(value, dict):
        return value
    if "tuple" in value:
        return tuple(from_json(part) for part in value["tuple"])
    return {name: from_json(part) for name, part in value["dict"].items()}


def answered(mast: str, road: str, asked: Any, keys: Any, folder: str, progress: Progress,
             tell: Callable[[Any], None], heard: Callable[[], Any]) -> dict[str, Any]:  # fmt: skip
    """Answer one question in a process of its own; see `taken`.

    Parameters
    ----------
    mast : str
        Address of MAST.
    asked : object
        By `as_json`.
    keys : object
        What may be shown to hosts; `heard` gives it anew whenever somebody logs in or out meanwhile.

    Returns
    -------
    dict
        ``fault`` and ``status`` of a `NetError`, else what the road says.
    """
    os.environ["JVIZ_MAST_URL"] = mast
    try:
        return taken(road, from_json(asked), _Heard(keys, heard), Path(folder), progress, tell)
    except NetError as error:
        return {"fault": str(error), "status": error.status}


def taken(road: str, asked: Mapping[str, Any], keys: Keys, folder: Path, progress: Progress,
          tell: Callable[[Any], None]) -> dict[str, Any]:  # fmt: skip
    """Answer one question.

    Parameters
    ----------
    road : str
        Which of the functions here answers it.
    asked : mapping
        Their arguments.
    folder : Path
        In which rows are left.
    tell : callable
        Told which rows are there meanwhile.
    """
    return ROADS[road](folder, keys, progress, tell, **asked)


class _Heard:
    """The secrets that count now, as the other process tells them."""

    def __init__(self, keys: Any, heard: Callable[[], Any]) -> None:
        self._secrets, self._heard = Secrets(**from_json(keys)), heard

    def __call__(self) -> Secrets:
        newer = self._heard()
        if newer is not None:
            self._secrets = Secrets(**from_json(newer))
        return self._secrets


class _Growing:
    """Tells of rows while they come; to be called with each page."""

    def __init__(self, folder: Path, tell: Callable[[Any], None]) -> None:
        self._folder, self._tell = folder, tell
        self._pages: list[Table] = []
        self._told, self._pause, self._number = 0.0, 0.0, 0

    def __call__(self, page: Table, total: int) -> None:
        self._pages.append(page)
        if time.monotonic() - self._told < self._pause or len(page) == total:
            return
        began = time.thread_time()
        table = vstack(self._pages, metadata_conflicts="silent")
        # From now on the pages so far are one.
        self._pages, self._number = [table], self._number + 1
        path = self._folder / f"{ROWS}-{self._number}"
        write_table(table, path)
        # The more there are the longer that takes: it stays a small part of the work.
        self._told, self._pause = time.monotonic(), max(PAUSE, SHARE * (time.thread_time() - began))
        self._tell({"rows": path.name, "total": int(total)})


def _search(folder: Path, keys: Keys, progress: Progress, tell: Callable[[Any], None], *, service: Any, circles: Any,
            names: Any, criteria: Any, most: int) -> dict[str, Any]:  # fmt: skip
    question = Question(vo.Service(*service), circles, criteria, names)
    found = ask(question, most=most, keys=keys, progress=progress, each=_Growing(folder, tell))
    write_table(found.table, folder / ROWS)
    if not found.incomplete:
        (folder / PACKED).write_bytes(packed_table(found.table))
    return {"total": int(found.total), "incomplete": found.incomplete}


def _count(folder: Path, keys: Keys, progress: Progress, tell: Any, *, service: Any, circles: Any, names: Any,
           criteria: Any) -> dict[str, Any]:  # fmt: skip
    return {"count": count(Question(vo.Service(*service), circles, criteria, names), keys=keys, progress=progress)}


def _columns(folder: Path, keys: Keys, progress: Progress, tell: Any, *, service: Any) -> dict[str, Any]:
    return _left(columns_of(vo.Service(*service), keys=keys, progress=progress), folder)


def _products(folder: Path, keys: Keys, progress: Progress, tell: Any, *, ids: list[str]) -> dict[str, Any]:
    return _left(Mast(keys).products(ids, progress=progress), folder)


def _tap(folder: Path, keys: Keys, progress: Progress, tell: Any, *, service: Any, adql: str,
         wait: bool) -> dict[str, Any]:  # fmt: skip
    return _left(vo.ask_tap(vo.Service(*service), adql, keys=keys, wait=wait, progress=progress), folder)


def _about(folder: Path, keys: Keys, progress: Progress, tell: Any, *, service: Any, sky: Any) -> dict[str, Any]:
    return _left(vo.about(vo.Service(*service), sky, keys=keys, progress=progress), folder)


def _links(folder: Path, keys: Keys, progress: Progress, tell: Any, *, url: str) -> dict[str, Any]:
    return _left(vo.links(url, keys=keys, progress=progress), folder)


def _files_of_rows(folder: Path, keys: Keys, progress: Progress, tell: Any, *, rows: list[Any]) -> dict[str, Any]:
    def links(url: str) -> Table:
        return vo.links(url, keys=keys, progress=lambda *_: progress(0, 0, "Asking a datalink"))

    return _left(files_of_rows(rows, links, progress=progress), folder)


def _kept(folder: Path, keys: Keys, progress: Progress, tell: Any) -> dict[str, Any]:
    return _left(unpacked_table((folder / PACKED).read_bytes()), folder)


def _left(table: Table, folder: Path) -> dict[str, Any]:
    write_table(table, folder / ROWS)
    return {"overflow": bool(table.meta.get("overflow"))}


ROADS: dict[str, Callable[..., dict[str, Any]]] = {
    "search": _search, "count": _count, "columns": _columns, "products": _products, "tap": _tap, "about": _about,
    "links": _links, "files of rows": _files_of_rows, "kept": _kept,
}  # fmt: skip
