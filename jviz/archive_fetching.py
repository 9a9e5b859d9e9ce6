"""Fetching files for commands: into the store of the library or a folder, and what becomes of them then."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jviz.archives import online, store
from jviz.backend.progress import Progress
from jviz.errors import CommandError

if TYPE_CHECKING:
    from jviz.backend.archive.fetch import Wanted
    from jviz.backend.archive.transfers import Transfer

__all__ = ["arrived", "fetched"]


def fetched(session: Any, files: Sequence[Wanted], folder: Path | None, progress: Progress) -> list[Transfer]:
    """Fetch files; return what became of each.

    Raises
    ------
    CommandError
        When none could be had.
    """
    from jviz.backend.archive.products import addresses

    online(session)
    where = Path(folder).expanduser().absolute() if folder is not None else lambda f: store(*addresses(f.name))
    transfers = session.archives.transfers
    outcomes = transfers.wait(transfers.add(files, where), progress)
    lost = _lost(outcomes)
    if len(lost) == len(outcomes):
        rest = "" if len(lost) == 1 else f" The same goes for the other {len(lost) - 1}."
        raise CommandError(f"{lost[0]}{rest}")
    return outcomes


def arrived(session: Any, outcomes: Sequence[Transfer], opened: bool) -> list[Path]:
    """Return the files that are here, opened where it is wanted, and tell what was lost; in the session's thread."""
    for reason in _lost(outcomes):
        session.notice("warning", reason)
    paths = [outcome.path for outcome in outcomes if outcome.path is not None]
    if opened:
        session.open(*paths)
    return paths


def _lost(outcomes: Sequence[Transfer]) -> list[str]:
    return [outcome.reason or f"{outcome.wanted.name} was not fetched: the download was stopped."
            for outcome in outcomes if outcome.path is None]  # fmt: skip
