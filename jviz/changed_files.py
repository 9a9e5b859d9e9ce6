"""Files that other programs change, move or delete while jviz shows them: told once, read again on demand."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from jviz.backend.progress import Progress
from jviz.errors import JvizError, ReadError

if TYPE_CHECKING:
    from jviz.data import Data
    from jviz.session import Session

__all__ = ["FileWatch", "read_again"]

State = tuple[int, int] | None
"""Size and time of the last change; None for a file that is gone."""


class FileWatch:
    """Knows how the files of a session were when they were first seen, and tells once what becomes of them."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._seen: WeakKeyDictionary[Data, State] = WeakKeyDictionary()

    def look(self) -> None:
        """Look at every file; may take long where a disk does not answer, so it is for a thread of its own."""
        told: set[Path] = set()
        for data in tuple(self._session.data):
            if data.path is None:
                continue
            now, before = _state(data.path), self._seen.setdefault(data, _first_state(data))
            if now == before:
                continue
            self._seen[data] = now
            if data.path not in told:
                told.add(data.path)
                self._session.notice("warning", _words(data.path, before, now))


def _state(path: Path) -> State:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def _first_state(data: Data) -> State:
    """Return how the file was when it was read, as far as its arrays tell; else how it is now."""
    planes = getattr(data.product, "planes", {}).values()
    known = next((plane.identity for plane in planes if plane.identity is not None), None)
    if known is not None and known.path == os.path.abspath(data.path):
        return known.size, known.mtime_ns
    return _state(data.path)


def _words(path: Path, before: State, now: State) -> str:
    if now is None:
        return (
            f"{path.name} was moved or deleted by another program. What is shown stays as it is; a saved session will "
            "look for the file. Export the data where it is still needed."
        )
    if before is not None and now[0] < before[0]:
        return (
            f"{path.name} was cut from {before[0]} to {now[0]} bytes by another program; parts that are not in sight "
            "cannot be read any more. Data ▸ Read Again from File takes it as it is now."
        )
    return (
        f"{path.name} was changed by another program since it was opened: what is shown may be partly old. "
        "Data ▸ Read Again from File takes it as it is now."
    )


def read_again(data: Data, progress: Progress) -> Data:
    """Return what a file holds now in the place of data, with what was said about its spectral axis.

    Raises
    ------
    JvizError
        When the data came from no file, or it cannot be read, or holds nothing of the kind.
    """
    from jviz.backend.io.registry import open_products
    from jviz.cube_choice import restored, saved
    from jviz.data import from_product

    if data.path is None:
        raise JvizError(f"{data.name} was made in jviz and came from no file.")
    product: Any = data.product
    found = open_products(data.path, reader=product.reader or None, progress=progress, **product.options)
    named = [p for p in found if p.name == product.name and p.kind == product.kind]
    same = named or [p for p in found if p.kind == product.kind]
    if not same:
        raise ReadError(f"{data.path.name} no longer holds anything of kind {product.kind}; open what it holds now.")
    made = restored(from_product(same[0], data.name), saved(data))
    made.prepare(progress)
    return made
