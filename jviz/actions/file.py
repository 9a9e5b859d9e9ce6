"""Commands on files: open, save, scripts, sessions."""

from __future__ import annotations

import os
import re
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from jviz.actions.check import check_later, check_loaded
from jviz.actions.region_file import active_image, add_regions, for_image, tell_excluded
from jviz.actions.view import kind_for, open_views_for, place
from jviz.backend.io.kinds import EVENTS
from jviz.backend.progress import Progress
from jviz.commands import command
from jviz.cube_choice import as_remembered
from jviz.data import Data, from_product, loaded_object
from jviz.errors import CommandError, ReadError, SessionError
from jviz.libraries import take_opened
from jviz.running import Apply, add_data
from jviz.session import Session
from jviz.session_file import adopt, is_session_file
from jviz.session_file import read as read_session
from jviz.views import View

ADDRESS = re.compile(r"(https?|ftp|s3|mast):")
FOLDER_LIMIT = 500
MOST_TOLD = 3


@command("file.open", title="Open…", menu="File", job=True, method="open", icon="fa6s.folder-open", group="open")
def open_files(
    session: Session,
    paths: list[str],
    *,
    name: str | None = None,
    show: bool | None = None,
    view: View | None = None,
    mode: Literal["new", "add", "replace"] = "new",
    reader: str | None = None,
    hdu: str | int | list[str | int] | None = None,
    progress: Progress,
    **options: Any,
) -> Apply:
    """Open files, every readable file of a folder, or what a saved session holds.

    Parameters
    ----------
    paths : list of str
        Files and folders.
    name : str, optional
        Name of the data, when it is one.
    show : bool, optional
        Open viewers; by default when there is a window.
    view, mode
        "add" puts the data on top of what ``view`` shows, "replace" shows them instead of it.
    reader : str, optional
        Id of the reader, instead of looking at the content.
    hdu : str or int, or a list of them, optional
        Which parts of the file: ``"SCI,1"``, 3.

    Raises
    ------
    ReadError
        When nothing could be read; files of a folder that could not are named in a notice.
    """
    if not paths or "" in paths:
        raise CommandError("There is nothing to open; name at least one file or folder.")
    paths = [_on_this_computer(path) for path in paths]
    files, problems = _files_of(paths)
    is_sole = len(paths) == len(files) == 1 and files[0] == Path(paths[0])
    loaded, saved, unread = _read(session, files, reader, hdu, options, is_sole, progress)
    problems += unread
    if not loaded and not saved:
        raise ReadError(_none_of(paths, problems))
    check_loaded(loaded, progress)
    kept_views = {view.kind for parts in saved.values() for view in parts.views}
    session.views_awaited.emit({kind_for(data) for data in loaded} | kept_views)
    if name is not None:
        for data in loaded:
            data.name = name

    def apply() -> list[Data]:
        _tell(session, loaded, problems)
        add_data(session, loaded)
        _show_regions(session, loaded)
        if view is not None and mode != "new":
            place(session, view, loaded, mode)
        elif shown:
            open_views_for(session, loaded)
        for path, parts in saved.items():
            adopt(session, parts, path, replace=False)
        if session.showing:
            check_later(session, loaded)
        take_opened(session, [data.path for data in loaded])
        return [*loaded, *(data for parts in saved.values() for data in parts.data)]

    shown = session.showing if show is None else show
    recorded = {"paths": [str(Path(p).absolute()) for p in paths], "show": shown or None}
    return Apply(apply, f"Open {_title([d.name for d in loaded] + [p.name for p in saved])}", recorded)


def _on_this_computer(path: str) -> str:
    """Take ``~`` for the user's own folder, and refuse addresses."""
    if ADDRESS.match(path) and not os.path.lexists(path):
        raise ReadError(
            f"{path} is an address and no file of this computer. Fetch it first: "
            f"session.run('archive.download', products={path!r}, open=True)."
        )
    return os.path.expanduser(path)


def _read(
    session: Session,
    files: list[Path],
    reader: str | None,
    hdu: Any,
    options: dict[str, Any],
    is_sole: bool,
    progress: Progress,
) -> tuple[list[Data], dict[Path, Any], list[str]]:
    """Return data, saved sessions, and why other files were not read; a sole file raises it."""
    loaded: list[Data] = []
    saved: dict[Path, Any] = {}
    problems: list[str] = []
    for number, path in enumerate(files):
        progress(number, len(files), f"Reading {path.name}")
        try:
            if is_session_file(path) and reader is None:
                saved[path] = read_session(path, progress=progress)
            else:
                loaded += _load(session, path, hdu, reader, options, progress)
        except (ReadError, SessionError) as error:
            if is_sole:
                raise
            problems.append(str(error))
    return loaded, saved, problems


def _title(names: list[str]) -> str:
    """Say what is opened: the first three names, and how many more there are."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _show_regions(session: Session, loaded: list[Data]) -> None:
    """Make the regions of region files subsets, which are shown on the images."""
    for data in loaded:
        if data.kind == "regions":
            image = active_image(session)
            settled = for_image(list(loaded_object(data)), image)
            add_regions(session, settled.regions, image, data.name)
            tell_excluded(session, data.name, settled.regions, settled.cut)
            if settled.problems:
                session.notice("warning", f"{data.name}: left out {'; '.join(settled.problems)}.")


def _load(
    session: Session, path: Path, hdu: Any, reader: str | None, options: dict[str, Any], progress: Progress
) -> list[Data]:
    from jviz.backend.io.registry import open_products

    choices = hdu if isinstance(hdu, list) else [hdu]
    loaded = []
    for choice in choices:
        selection = {} if choice is None else {"hdu": choice}
        for product in open_products(path, reader=reader, progress=progress, **selection, **options):
            loaded.append(as_remembered(session, from_product(product)))
    for data in loaded:
        data.prepare(progress)
    return loaded


def _files_of(paths: list[str]) -> tuple[list[Path], list[str]]:
    """Return the files of paths, those of folders in the order of their names, and what cannot be looked into."""
    files: list[Path] = []
    problems: list[str] = []
    for path in map(Path, paths):
        try:
            # Not `path.is_dir()`, which raises for what lies in a folder that may not be entered.
            files += _inside(path) if os.path.isdir(path) else [path]
        except ReadError as error:
            problems.append(str(error))
        except OSError as error:
            reason = error.strerror or str(error)
            problems.append(f"The folder {path} cannot be read: {reason}. Change its permissions, or copy its files.")
    return files, problems


def _inside(folder: Path) -> list[Path]:
    """Return the files of a folder; where it holds only folders, as downloads do, those of the folders."""
    entries = [entry for entry in sorted(folder.iterdir()) if not entry.name.startswith(".")]
    files = [entry for entry in entries if entry.is_file()]
    if not files:
        deeper = (entry for entry in entries if entry.is_dir() and not entry.is_symlink())
        files = [file for entry in deeper for file in _found(entry)]
    if not files:
        raise ReadError(f"The folder {folder} holds no files; choose one with FITS, ASDF or table files.")
    if len(files) > FOLDER_LIMIT:
        raise ReadError(
            f"The folder {folder} holds {len(files)} files, more than the {FOLDER_LIMIT} that are opened at "
            "once; open those you need by name."
        )
    return files


def _found(folder: Path) -> list[Path]:
    names = ((Path(place), name) for place, _, inside in sorted(os.walk(folder)) for name in sorted(inside))
    return [place / name for place, name in islice(names, FOLDER_LIMIT + 1) if not name.startswith(".")]


def _none_of(paths: list[str], problems: list[str]) -> str:
    if len(problems) <= MOST_TOLD:
        return " ".join(problems)
    names = ", ".join(Path(p).name for p in paths[:3])
    return f"None of the {len(problems)} files of {names} could be read. The first: {problems[0]}"


def _tell(session: Session, loaded: list[Data], problems: list[str]) -> None:
    for data in loaded:
        for text in data.product.warnings:
            is_named = data.path is not None and text.startswith(data.path.name)
            session.notice("warning", text if is_named else f"{data.name}: {text}")
        if data.kind == "catalog" and EVENTS in data.label:
            session.notice("info", f"{data.name} is a {EVENTS}; Catalogue ▸ Image of Rows… makes an image of them.")
    if problems:
        more = f" And {len(problems) - MOST_TOLD} more." if len(problems) > MOST_TOLD else ""
        session.notice("warning", f"{len(problems)} not read: {' '.join(problems[:MOST_TOLD])}{more}")


@command(
    "file.save_script",
    title="Save Script…",
    menu="File",
    script=False,
    recorded=False,
    group="save",
    icon="fa6s.file-code",
)
def save_script(session: Session, path: Path) -> Path:
    """Write the Python program that repeats this session without a window."""
    return _write_text(path, session.script())


def _write_text(path: Path, text: str) -> Path:
    """Write atomically."""
    from jviz.backend.files import writing

    with writing(Path(path)) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return Path(path)
