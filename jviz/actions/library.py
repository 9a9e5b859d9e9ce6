"""Commands of the library: what is on this machine, found again."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jviz.archives import DEFAULT_RADIUS, answer, circle_of
from jviz.backend.progress import Progress, silent
from jviz.backend.searching import cells, several
from jviz.commands import command
from jviz.errors import CommandError
from jviz.history import Edit
from jviz.outputs import output_path
from jviz.running import Apply
from jviz.session import Session

if TYPE_CHECKING:
    from jviz.backend.library.catalogue import Taken

MENU = "Archive/Library"


@command("library.add", title="Add to Library…", menu=MENU, job=True, group="add", icon="fa6s.folder-plus")
def add(session: Session, path: Path, *, progress: Progress) -> Apply:
    """Take a file, or all files below a folder, into the library; the files stay where and as they are.

    Headers are read, footprints and checksums kept. A folder is looked through again by library.rescan.

    Returns
    -------
    QTable
        ``path``, what became of it (``state``: added, changed, unchanged, moved, missing or refused) and the
        ``reason`` where a file was refused.
    """
    library, path = session.archives.library, Path(path).expanduser().absolute()
    taken = library.add(path, progress=progress)
    fresh = [*taken.added, *(new for _, new in taken.moved)]

    def again() -> None:
        if not all(library.sum_of(file) for file in fresh):
            library.add(path, progress=silent)

    return Apply(lambda: Edit(f"Add {path.name} to the library", again, lambda: library.forget(fresh), _told(taken)))


@command("library.rescan", title="Rescan Library", menu=MENU, job=True, group="add", icon="fa6s.arrows-rotate",
         recorded=False, script=False)  # fmt: skip
def rescan(session: Session, *, progress: Progress) -> Any:
    """Look through all folders of the library again: new, changed, moved and missing files are found."""
    return _told(session.archives.library.rescan(progress=progress))


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
    limit: int = 100_000,
    **criteria: Any,
) -> Any:
    """Search the files on this machine.

    Parameters
    ----------
    text : str
        Words that begin words of target, investigator, title or file name.
    target : str, optional
        Name of an object; it needs the network when jviz does not know it.
    position : str, (float, float) or SkyCoord, optional
        Files whose footprint meets the circle, nearest first.
    radius : str, float or Quantity
        ``"3 arcmin"``; a bare number is in degrees; 0 for the point itself.
    tag : str
        Only files with it.
    missing : bool
        Also files that are no more where they were.
    **criteria
        instrument, filter, program, pi, level, date, exposure_time, suffix … as in archive.search.

    Returns
    -------
    QTable
    """
    from jviz.backend.library.queries import search as search_library

    circle = circle_of(session, target, position, radius)
    table = search_library(session.archives.library, sky=circle, text=text, tag=tag, criteria=criteria,
                           missing=missing, most=limit)  # fmt: skip
    asked = {"text": text, "target": target, "position": position, "tag": tag, **criteria}
    return answer(table, len(table), "library", {name: value for name, value in asked.items() if value})


@command("library.tag", title="Tag Files…", menu=MENU, group="mark", icon="fa6s.tag")
def tag(session: Session, files: Any, tag: str, on: bool = True) -> Edit:
    """Put a tag on files of the library, or take it off; it stays with them wherever they move.

    Parameters
    ----------
    files : QTable, str, Path or list
        Rows of a search, or paths.
    """
    word = tag.strip()
    if not word:
        raise CommandError("The tag is empty. Give a word.")
    library = session.archives.library
    sums = [total for total in _sums(session, files) if (total in library.tagged(word)) is not on]
    label = f"{'Tag' if on else 'Take the tag'} {word!r} {'on' if on else 'off'} {len(sums)} files"
    return Edit(label, partial(library.tag, sums, word, on=on), partial(library.tag, sums, word, on=not on), len(sums))


@command("library.note", title="Write Note…", menu=MENU, group="mark", icon="fa6s.note-sticky")
def note(session: Session, file: Any, text: str) -> Edit:
    """Write a note to a file of the library; an empty one is taken away."""
    library = session.archives.library
    [total] = _sums(session, file)
    before = library.note_of(total)
    return Edit("Write a note", partial(library.note, total, text), partial(library.note, total, before))


@command("library.forget", title="Forget Files…", menu=MENU, group="mark", icon="fa6s.eraser")
def forget(session: Session, files: Any) -> Edit:
    """Take files out of the library; they stay on the disk."""
    library = session.archives.library
    paths = [path for path in _paths(files) if library.sum_of(path) is not None]
    if not paths:
        raise CommandError("None of these files is in the library.")

    def back() -> None:
        for path in paths:
            if path.is_file():
                library.add(path)

    return Edit(f"Forget {len(paths)} files", lambda: library.forget(paths), back, len(paths))


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


@command("library.provenance", title="Show Provenance…", menu=MENU, recorded=False, script=False, group="search",
         icon="fa6s.diagram-project")  # fmt: skip
def provenance(session: Session, file: Path) -> Any:
    """List what a file was made of (members, associations, reference files), and what was made of it."""
    from astropy.table import QTable

    from jviz.backend.library.queries import made_from, used_by

    library, path = session.archives.library, Path(file).expanduser().absolute()
    if library.sum_of(path) is None:
        raise CommandError(f"{path.name} is not in the library; add it first.")
    rows = [("made of", *row) for row in made_from(library, str(path))]
    rows += [("used by", Path(user).name, "product", "", user) for user in used_by(library, path.name)]
    names = ("relation", "name", "role", "step", "path")
    return QTable({name: [row[number] for row in rows] for number, name in enumerate(names)})


@command("library.bundle", title="Export Bundle…", menu=MENU, job=True, group="export", icon="fa6s.box-archive")
def bundle(session: Session, products: Any, path: Path, *, progress: Progress) -> Apply:
    """Put files of the library into a ZIP with a manifest, checksums and scripts.

    The bundle holds the files; ``MANIFEST.csv`` and ``manifest.json`` (name, size, SHA-256, source, what each was
    made of); ``get_data.sh``, which fetches them again where their source is known; and ``load_in_jviz.py``.

    Parameters
    ----------
    products : QTable, str, Path or list
        Rows of library.search, or paths.
    path : Path
        ``"….zip"``
    """
    from jviz.backend.library.bundle import write_bundle

    paths = _paths(products)
    if not paths:
        raise CommandError("No files were given, so there is nothing to bundle.")
    target = output_path(session, path)
    if target.suffix.lower() != ".zip":
        raise CommandError(f"{target.name} is no name of a bundle; it must end with .zip.")
    write_bundle(session.archives.library, paths, target, progress=progress)
    return Apply(lambda: target, recorded={"products": [str(file) for file in paths]})


def _told(taken: Taken) -> Any:
    from astropy.table import QTable

    rows = [(str(path), state, "") for state in ("added", "changed", "unchanged", "missing")
            for path in getattr(taken, state)]  # fmt: skip
    rows += [(str(new), "moved", f"was {old}") for old, new in taken.moved]
    rows += [(str(path), "refused", reason) for path, reason in taken.refused]
    names = ("path", "state", "reason")
    return QTable({name: [row[number] for row in rows] for number, name in enumerate(names)})


def _paths(files: Any) -> list[Path]:
    """Return the paths that a table, a row, a path or several stand for."""
    found = cells(files, "path")
    if found is None and hasattr(files, "colnames"):
        raise CommandError("These are no files of the library: a column path is missing.")
    files = several(files) if found is None else found
    return [Path(str(path)).expanduser().absolute() for path in files]


def _sums(session: Session, files: Any) -> list[str]:
    found = []
    for path in _paths(files):
        total = session.archives.library.sum_of(path)
        if total is None:
            raise CommandError(f"{path.name} is not in the library; add it first.")
        found.append(total)
    return found
