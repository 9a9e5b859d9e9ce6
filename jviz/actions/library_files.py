"""Commands on files of the library: tags, notes, pins, the store, what they were made of, bundles."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from jviz.archives import online
from jviz.backend.progress import Progress
from jviz.backend.searching import cells, several
from jviz.commands import command
from jviz.errors import CommandError
from jviz.history import Edit
from jviz.libraries import change_library, keep_store
from jviz.outputs import output_path
from jviz.results import counted
from jviz.running import Apply
from jviz.session import Session

MENU = "Archive/Library"


@command("library.tag", title="Tag Files…", menu=MENU, job=True, group="mark", icon="fa6s.tag")
def tag(session: Session, files: Any, tag: str, on: bool = True) -> Apply:
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
    tagged = library.tagged(word)
    sums = [total for total in dict.fromkeys(_sums(session, files)) if (total in tagged) is not on]
    label = f"{'Tag' if on else 'Take the tag'} {word!r} {'on' if on else 'off'} {counted(len(sums), 'file')}"
    return _apply(session, label, files, partial(library.tag, sums, word, on=on),
                  partial(library.tag, sums, word, on=not on), len(sums))  # fmt: skip


def _apply(session: Session, label: str, files: Any, do: Callable[[], Any], undo: Callable[[], Any],
           count: int) -> Apply:  # fmt: skip
    """Return a change of the library that can be taken back: of many files it is made beside the window."""
    edit = Edit(label, lambda: change_library(session, count, do), lambda: change_library(session, count, undo), count)
    return Apply(lambda: edit, recorded={"files": [str(path) for path in paths_of_files(files)]})


@command("library.note", title="Write Note…", menu=MENU, group="mark", icon="fa6s.note-sticky")
def note(session: Session, file: Any, text: str) -> Edit:
    """Write a note to a file of the library; an empty one is taken away."""
    library = session.archives.library
    [total] = _sums(session, file)
    before = library.note_of(total)
    return Edit("Write a note", partial(library.note, total, text), partial(library.note, total, before))


@command("library.pin", title="Pin Files…", menu=MENU, job=True, group="mark", icon="fa6s.thumbtack")
def pin(session: Session, files: Any, on: bool = True) -> Apply:
    """Pin files, so that they are never dropped from the store, or let go of them.

    Parameters
    ----------
    files : QTable, str, Path or list
        Rows of a search, or paths.
    """
    library, known = session.archives.library, session.archives.library.pinned()
    paths = [path for path in _known_paths(session, files) if (str(path) in known) is not on]
    label = f"{'Pin' if on else 'Unpin'} {counted(len(paths), 'file')}"
    return _apply(session, label, files, partial(library.pin, paths, on=on), partial(library.pin, paths, on=not on),
                  len(paths))  # fmt: skip


@command("library.forget", title="Forget Files…", menu=MENU, job=True, group="mark", icon="fa6s.eraser")
def forget(session: Session, files: Any) -> Apply:
    """Take files out of the library; they stay on the disk.

    Those in linked folders stay out until they are added by hand.
    """
    library = session.archives.library
    known = library.sums_of(paths_of_files(files))
    paths = list(known)
    if not paths:
        raise CommandError("None of these files is in the library.")
    label = f"Forget {counted(len(paths), 'file')}"
    return _apply(session, label, files, partial(library.forget, paths), partial(library.recall, paths), len(paths))


@command("library.trim", title="Free Space in Store…", menu=MENU, job=True, recorded=False, script=False, group="store",
         icon="fa6s.broom")  # fmt: skip
def trim(session: Session, limit: float | None = None, *, progress: Progress) -> Any:
    """Drop downloads from jviz's own folder until it is within a limit; they stay in the library, marked as dropped.

    Only what can be fetched again goes: files that came from an archive, are not pinned, not open, and as they came.
    Those that were not used for longest go first; library.fetch brings them back.

    Parameters
    ----------
    limit : float, optional
        Gigabytes that may stay; by default the setting ``library.store_limit_gb``. 0 drops all that can be.

    Returns
    -------
    QTable
        ``path``, ``size`` in bytes and ``source`` of what was dropped.
    """
    from astropy import units as u
    from astropy.table import QTable

    if limit is not None and limit < 0:
        raise CommandError(f"A limit of {limit:g} GB is none; give 0 or more.")
    dropped = keep_store(session, limit, progress=progress)
    return QTable({"path": [str(file.path) for file in dropped], "size": [file.size for file in dropped] * u.byte,
                   "source": [file.source for file in dropped]})  # fmt: skip


@command("library.fetch", title="Fetch Again…", menu=MENU, job=True, group="store", icon="fa6s.download")
def fetch(session: Session, files: Any, open: bool = False, *, progress: Progress) -> Apply:
    """Fetch files that were dropped from the store, or are gone, from where they came.

    Parameters
    ----------
    files : QTable, str, Path or list
        Rows of a search, or paths.
    open : bool
        Open them afterwards.

    Returns
    -------
    list of Path
        The files that are here.
    """
    from jviz.backend.archive.fetch import Wanted

    paths = _known_paths(session, files)
    wanted = {path: source for path in paths if not path.is_file() and (source := _source(session, path))}
    lost = [path.name for path in paths if path not in wanted and not path.is_file()]
    if lost:
        raise CommandError(f"{lost[0]} did not come from an archive, so it cannot be fetched again.")
    if wanted:
        online(session)
    transfers = session.archives.transfers
    # One after the other: the same file may be missing in several folders.
    numbers = [number for path, source in wanted.items()
               for number in transfers.add([Wanted(source, path.name)], path.parent)]  # fmt: skip
    outcomes = transfers.wait(numbers, progress)
    failed = next((one for one in outcomes if one.path is None), None)
    if failed is not None:
        raise CommandError(failed.reason or f"{failed.wanted.name} was not fetched: the download was stopped.")

    def arrived() -> list[Path]:
        if open:
            session.open(*paths)
        return paths

    return Apply(arrived, recorded={"files": [str(path) for path in paths]})


def _source(session: Session, path: Path) -> str:
    rows = session.archives.library.ask("SELECT source FROM file WHERE path = ?", (str(path),))
    source = (rows[0]["source"] or "") if rows else ""
    return source if source.startswith(("http://", "https://")) else ""


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


@command("library.draw_provenance", title="Save Provenance Picture…", menu=MENU, job=True, group="export",
         icon="fa6s.diagram-project")  # fmt: skip
def draw_provenance(
    session: Session,
    file: Path,
    path: Path = Path("provenance.png"),
    references: bool = True,
    theme: Literal["light", "dark", "screen"] = "light",
    *,
    progress: Progress,
) -> Path:
    """Draw what a file was made of, and what was made of it, as a graph into a PNG, PDF or SVG file.

    Parameters
    ----------
    file : Path
        In the library.
    path : Path
        Of the picture.
    references : bool
        Draw the reference files that it was made with, too.
    """
    from jviz.backend.library.provenance import provenance_of

    progress(0, 1, "Following what it was made of")
    graph = provenance_of(session.archives.library, Path(file).expanduser().absolute(), references=references)
    target = output_path(session, path)
    # The model knows no Qt: who draws is found at run time, so that scripts without a window draw too.
    picture = import_module("jviz.viewers.provenance")
    session.dispatcher.ask(lambda: picture.save_provenance(graph, target, theme))
    return target


@command("library.bundle", title="Export Bundle…", menu=MENU, job=True, group="export", icon="fa6s.box-archive")
def bundle(session: Session, products: Any, path: Path, members: bool = False, *, progress: Progress) -> Apply:
    """Put files of the library into a ZIP or tar with a manifest, checksums and scripts.

    The bundle holds the files; ``MANIFEST.csv`` and ``manifest.json`` (name, size, SHA-256, source, what each was
    made of); ``get_data.sh``, which fetches them again where their source is known; and ``load_in_jviz.py``. A source
    with a password or a token in its address is left out.

    Parameters
    ----------
    products : QTable, str, Path or list
        Rows of library.search, or paths.
    path : Path
        ``"….zip"``, ``"….tar"`` or ``"….tar.gz"``.
    members : bool
        Put in all that the files were made of and that is on this machine, too: exposures, associations, reference
        files.
    """
    from jviz.backend.library.bundle import ENDS, write_bundle
    from jviz.backend.library.provenance import made_of

    paths = paths_of_files(products)
    if not paths:
        raise CommandError("No files were given, so there is nothing to bundle.")
    if members:
        progress(0, 1, "Following what the files were made of")
        paths = made_of(session.archives.library, paths)
    target = output_path(session, path)
    if not target.name.lower().endswith(ENDS):
        raise CommandError(f"{target.name} is no name of a bundle; it must end with .zip, .tar or .tar.gz.")
    write_bundle(session.archives.library, paths, target, progress=progress)
    return Apply(lambda: target, recorded={"products": [str(file) for file in paths]})


def paths_of_files(files: Any) -> list[Path]:
    """Return the paths that a table, a row, a path or several stand for."""
    found = cells(files, "path")
    if found is None and hasattr(files, "colnames"):
        raise CommandError("These are no files of the library: a column path is missing.")
    files = several(files) if found is None else found
    return [Path(str(path)).expanduser().absolute() for path in files]


def _sums(session: Session, files: Any) -> list[str]:
    paths = paths_of_files(files)
    known = session.archives.library.sums_of(paths)
    lost = next((path for path in paths if path not in known), None)
    if lost is not None:
        raise CommandError(f"{lost.name} is not in the library; add it first.")
    return [known[path] for path in paths]


def _known_paths(session: Session, files: Any) -> list[Path]:
    """Return paths, all of which are in the library."""
    paths = paths_of_files(files)
    if not paths:
        raise CommandError("No files were given.")
    _sums(session, paths)
    return paths


@command("library.here", title="Show Products on This Machine…", menu=MENU, job=True, group="search")
def here(session: Session, products: Any) -> Apply:
    """Tell which products of an archive are on this machine already, wherever they lie.

    Parameters
    ----------
    products : QTable, Row, str or list of str
        Rows of archive.products, or addresses: ``mast:JWST/product/…`` or ``https://…``.

    Returns
    -------
    QTable
        The products with a column ``path``: of a file that was fetched from that address, of a copy of it, or of one
        in the library with its name and size; empty where there is none.
    """
    from astropy.table import QTable, Table

    from jviz.archives import answer
    from jviz.backend.archive.on_disk import files_here
    from jviz.backend.archive.products import uri_of, wanted_files

    files = wanted_files(products)
    uris, sizes = [uri_of(file.url) for file in files], [file.size for file in files]
    table = QTable({"dataURI": uris, "productFilename": [file.name for file in files], "size": sizes})
    if isinstance(products, Table):
        table = products.copy()
    table["path"] = [str(path or "") for path in files_here(session.archives.library, table)]
    found = answer(table, len(table), "library", {"products": len(uris)})
    return Apply(lambda: found, recorded={"products": uris})
