"""Commands of the library: what is on this machine, found again."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jviz.archives import DEFAULT_RADIUS, answer, circle_of
from jviz.backend.progress import Progress
from jviz.commands import command
from jviz.errors import CommandError
from jviz.history import Edit
from jviz.libraries import change_library
from jviz.results import counted
from jviz.running import Apply
from jviz.session import Session

if TYPE_CHECKING:
    from jviz.backend.library.catalogue import Taken

MENU = "Archive/Library"


@command("library.add", title="Add to Library…", menu=MENU, job=True, group="add", icon="fa6s.plus")
def add(session: Session, path: Path, *, progress: Progress) -> Apply:
    """Take a file, or all files below a folder, into the library; the files stay where and as they are.

    Headers are read, footprints and checksums kept. A folder is linked, as by library.link.

    Returns
    -------
    QTable
        ``path``, what became of it (``state``: added, changed, unchanged, moved, missing, found or refused) and the
        ``reason`` where a file was refused.
    """
    path = Path(path).expanduser().absolute()
    return _taken_in(session, path, f"Add {path.name} to the library", progress)


@command("library.link", title="Link Folder…", menu=MENU, job=True, group="add", icon="fa6s.folder-plus")
def link(session: Session, folder: Path, *, progress: Progress) -> Apply:
    """Link a folder to the library: all its data files are found by searches, and it is watched for new ones.

    The folder is only ever read. The window looks every few seconds (the setting ``library.watch_seconds``) whether
    files came, changed, moved or went; a script looks by library.rescan.

    Parameters
    ----------
    folder : Path
        With the folders in it.

    Returns
    -------
    QTable
        As of library.add.
    """
    folder = Path(folder).expanduser().absolute()
    if not folder.is_dir():
        raise CommandError(f"{folder} is no folder that is there, so it cannot be linked. Choose one, or add a file.")
    return _taken_in(session, folder, f"Link {folder.name} to the library", progress)


def _taken_in(session: Session, path: Path, label: str, progress: Progress) -> Apply:
    from jviz.backend.library.folders import link as link_again
    from jviz.backend.library.folders import linked_folders, unlink

    library = session.archives.library
    before = {linked.path for linked in linked_folders(library)}
    taken = library.add(path, progress=progress)
    fresh = [*taken.added, *(new for _, new in taken.moved), *taken.found]
    is_linked = path.is_dir() and any(linked.path == path for linked in linked_folders(library)) and path not in before

    known, told = list(fresh), _told(taken)

    def back() -> None:
        # What came into a linked folder since then goes and comes with it.
        known[:] = unlink(library, path) if is_linked else fresh
        library.forget(known)

    def again() -> None:
        link_again(library, path, known) if is_linked else library.recall(known)

    # It is done already: the first time there is nothing left to do.
    change = partial(change_library, session, len(fresh))
    return Apply(lambda: Edit(label, _from_the_second_time_on(lambda: change(again)), lambda: change(back), told))


def _from_the_second_time_on(function: Callable[[], None]) -> Callable[[], None]:
    times = count()
    return lambda: function() if next(times) else None


@command("library.unlink", title="Unlink Folder…", menu=MENU, job=True, group="add", icon="fa6s.folder-minus")
def unlink_folder(session: Session, folder: Path) -> Apply:
    """Let go of a linked folder: its files are not found any more; they stay on the disk as they are.

    Parameters
    ----------
    folder : Path
        One that library.folders lists.
    """
    from jviz.backend.library.folders import link as link_again
    from jviz.backend.library.folders import unlink

    library, folder = session.archives.library, Path(folder).expanduser().absolute()
    files = unlink(library, folder)
    change = partial(change_library, session, len(files))
    again = _from_the_second_time_on(lambda: change(partial(unlink, library, folder)))
    label = f"Unlink {folder.name} ({counted(len(files), 'file')})"
    return Apply(lambda: Edit(label, again, lambda: change(partial(link_again, library, folder, files)), len(files)))


@command("library.folders", title="Show Linked Folders", menu=MENU, recorded=False, script=False, group="search")
def folders(session: Session) -> Any:
    """List the linked folders: how many files of each the library has, their size, and whether it is there now."""
    from astropy import units as u
    from astropy.table import QTable

    from jviz.backend.library.folders import linked_folders

    found = linked_folders(session.archives.library)
    return QTable({"path": [str(one.path) for one in found], "files": [one.files for one in found],
                   "size": [one.size for one in found] * u.byte, "there": [one.is_there for one in found]})  # fmt: skip


@command("library.rescan", title="Rescan Library", menu=MENU, job=True, group="add", icon="fa6s.arrows-rotate",
         recorded=False, script=False)  # fmt: skip
def rescan(session: Session, folder: Path | None = None, *, progress: Progress) -> Any:
    """Look through linked folders again: new, changed, moved and missing files are found, and those that are back.

    Parameters
    ----------
    folder : Path, optional
        Only this one; by default all, and files that were added one by one.
    """
    from jviz.backend.library.folders import linked_folders

    library = session.archives.library
    path = None if folder is None else Path(folder).expanduser().absolute()
    known = [linked.path for linked in linked_folders(library)]
    if path is not None and not any(path.is_relative_to(one) for one in known):
        raise CommandError(f"{path} is not linked to the library. Link it by library.link.")
    return _told(library.rescan(path, progress=progress))


@command("library.search", title="Search Library…", menu=MENU, job=True, group="search", icon="fa6s.magnifying-glass")
def search(
    session: Session,
    text: str = "",
    target: str | None = None,
    position: Any = None,
    radius: Any = DEFAULT_RADIUS,
    *,
    tag: str = "",
    missing: bool = False,
    duplicates: bool = False,
    limit: int = 100_000,
    **criteria: Any,
) -> Any:
    """Search the files on this machine.

    Parameters
    ----------
    text : str
        Words that begin words of target, investigator, title or file name, or are in the note.
    target : str, optional
        Name of an object; it needs the network when jviz does not know it.
    position : str, (float, float) or SkyCoord, optional
        Files whose footprint meets the circle, nearest first.
    radius : str, float or Quantity
        ``"3 arcmin"``; a bare number is in degrees; 0 for the point itself.
    tag : str
        Only files with it.
    missing : bool
        Also files that are not on the disk now: gone, or dropped from the store.
    duplicates : bool
        Only files with the same bytes as others, side by side.
    **criteria
        instrument, filter, program, pi, level, date, exposure_time, suffix … as in archive.search; and state
        (present, missing, dropped), pinned, note, size, name, path.

    Returns
    -------
    QTable
    """
    from jviz.backend.library.queries import search as search_library

    circle = circle_of(session, target, position, radius)
    table = search_library(session.archives.library, sky=circle, text=text, tag=tag, criteria=criteria,
                           missing=missing, duplicates=duplicates, most=limit)  # fmt: skip
    asked = {"text": text, "target": target, "position": position, "tag": tag, **criteria}
    return answer(table, len(table), "library", {name: value for name, value in asked.items() if value})


@command("library.problems", title="Show Refused Files", menu=MENU, recorded=False, script=False, group="search")
def problems(session: Session) -> Any:
    """List the files that could not be taken into the library, and why."""
    from astropy.table import QTable

    from jviz.backend.library.queries import refused

    rows = refused(session.archives.library)
    return QTable({"path": [path for path, _ in rows], "reason": [reason for _, reason in rows]})


@command("library.duplicates", title="Show Duplicates", menu=MENU, recorded=False, script=False, group="search")
def duplicates(session: Session) -> Any:
    """List files of the library with the same bytes; nothing is removed."""
    from astropy.table import QTable

    from jviz.backend.library.queries import duplicates as groups_of

    rows = [(number, path) for number, group in enumerate(groups_of(session.archives.library), 1) for path in group]
    return QTable({"group": [number for number, _ in rows], "path": [path for _, path in rows]})


def _told(taken: Taken) -> Any:
    from astropy.table import QTable

    rows = [(str(path), state, "") for state in ("added", "changed", "unchanged", "found", "missing")
            for path in getattr(taken, state)]  # fmt: skip
    rows += [(str(new), "moved", f"was {old}") for old, new in taken.moved]
    rows += [(str(path), "refused", reason) for path, reason in taken.refused]
    names = ("path", "state", "reason")
    return QTable({name: [row[number] for row in rows] for number, name in enumerate(names)})
