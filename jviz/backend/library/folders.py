"""Folders that a user linked to the library: only read, and looked through again."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jviz.backend.library.reading import Seen
from jviz.backend.library.records import SUFFIXES
from jviz.errors import JvizError

if TYPE_CHECKING:
    from jviz.backend.library.catalogue import Library

__all__ = ["LinkedFolder", "below", "files_below", "folder_times", "link", "linked_folders", "outermost", "unlink"]


@dataclass(frozen=True)
class LinkedFolder:
    """A folder, how many of its files the library has, how many bytes they are, and whether it can be reached now."""

    path: Path
    files: int
    size: int
    is_there: bool


def linked_folders(library: Library) -> list[LinkedFolder]:
    """Return the folders that are looked through again, by name."""
    rows = library.ask(
        "SELECT root.path, count(file.id) AS files, coalesce(sum(file.size), 0) AS size FROM root "
        "LEFT JOIN file ON file.root = root.id AND state = 'present' GROUP BY root.id ORDER BY root.path"
    )
    return [LinkedFolder(Path(row["path"]), row["files"], row["size"], os.path.isdir(row["path"])) for row in rows]


def link(library: Library, folder: Path, files: Iterable[Path] = ()) -> None:
    """Link a folder without looking into it: to take back what `unlink` did, which gave the files."""
    with library.writing() as database:
        database.execute("INSERT OR IGNORE INTO root(path) VALUES (?)", (str(folder),))
        number = database.execute("SELECT id FROM root WHERE path = ?", (str(folder),)).fetchone()["id"]
    library.recall(files, root=number)


def unlink(library: Library, folder: Path) -> list[Path]:
    """Let go of a linked folder; return its files, which are no more in the library and stay on the disk.

    Raises
    ------
    JvizError
        When it is not linked.
    """
    rows = library.ask("SELECT id FROM root WHERE path = ?", (str(folder),))
    if not rows:
        known = ", ".join(str(linked.path) for linked in linked_folders(library)) or "none"
        raise JvizError(f"{folder} is not linked to the library; linked are: {known}.")
    number = rows[0]["id"]
    files = [Path(row["path"]) for row in
             library.ask("SELECT path FROM file WHERE root = ? AND state <> 'forgotten'", (number,))]  # fmt: skip
    where, values = below(folder)
    with library.writing() as database:
        database.execute("UPDATE file SET root = NULL WHERE root = ?", (number,))
        database.execute("DELETE FROM root WHERE id = ?", (number,))
        database.execute(f"DELETE FROM refused WHERE {where}", values)
    library.forget(files)
    return files


def below(path: Path) -> tuple[str, tuple[str, str, str]]:
    """Return SQL for what is at a path or below it, and its values."""
    return "(path = ? OR (path >= ? AND path < ?))", (str(path), f"{path}/", f"{path}0")


def outermost(folders: Sequence[Path]) -> list[Path]:
    """Return the folders that lie in no other of them."""
    return [folder for folder in folders if not any(other in folder.parents for other in folders)]


def files_below(folder: Path) -> Iterator[Seen]:
    """Yield the data files below a folder; hidden ones and links to folders are left out."""
    for entry in _entries(folder):
        try:
            if entry.is_dir(follow_symlinks=False):
                yield from files_below(Path(entry.path))
            elif entry.name.lower().endswith(SUFFIXES) and entry.is_file():
                status = entry.stat()
                yield Seen(Path(entry.path), status.st_size, status.st_mtime_ns)
        except OSError:
            continue  # it went away, or may not be looked at


def folder_times(folder: Path) -> dict[str, int]:
    """Return when each folder at a path and below it changed: files that come, go or are replaced change it."""
    found: dict[str, int] = {}
    waiting = [str(folder)]
    while waiting:
        path = waiting.pop()
        try:
            found[path] = os.stat(path).st_mtime_ns
        except OSError:
            continue
        waiting += [entry.path for entry in _entries(Path(path)) if entry.is_dir(follow_symlinks=False)]
    return found


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """Return what is in a folder by name, but for what is hidden; nothing when it may not be looked into."""
    try:
        with os.scandir(folder) as entries:
            return sorted((entry for entry in entries if not entry.name.startswith(".")), key=lambda entry: entry.name)
    except OSError:
        return []
