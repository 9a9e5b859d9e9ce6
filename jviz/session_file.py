"""Session files: a zip with ``session.json`` and the objects that were made in memory.

What undo needs is not saved: a session that is opened again starts with an empty undo list,
but keeps the labels and script lines of all it was made of, so `Session.script` still gives the
whole program.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from jviz import kept
from jviz.backend.files import unwritable, writing
from jviz.backend.progress import Progress, silent
from jviz.errors import SessionError
from jviz.history import Entry
from jviz.session_document import VERSION, Parts, Snapshot, keys_in, parts_of, put_in, snapshot

if TYPE_CHECKING:
    from jviz.session import Session

__all__ = ["SUFFIX", "adopt", "is_session_file", "load", "read", "save", "write"]

SUFFIX = ".jviz"
MAIN = "session.json"
LARGEST_DOCUMENT = 64 * 10**6
"""Bytes of text; a session with a thousand views has less than one tenth of it."""


def save(session: Session, path: Path, *, progress: Progress = silent) -> Path:
    """Write a session to a file.

    Parameters
    ----------
    path : Path
        Gets the suffix ``.jviz`` when it has none.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    JvizError
        When the file cannot be written; an older one of that name is as it was.
    """
    path = path if path.suffix else path.with_suffix(SUFFIX)
    taken = session.dispatcher.ask(lambda: (snapshot(session), session.mark()))
    write(taken[0], path, progress=progress)
    session.dispatcher.ask(lambda: session.saved_as(path, taken[1]))
    return path


def write(taken: Snapshot, path: Path, *, embed: bool = True, progress: Progress = silent) -> None:
    """Write a snapshot (in any thread).

    Parameters
    ----------
    embed : bool
        Put the objects made in memory into the file; False leaves them in the store of this
        machine, for a recovery file.
    """
    document = {**taken.finish(whole=embed, progress=progress), "where": str(path.absolute())}
    text = json.dumps(document, indent=1)
    try:
        with writing(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(MAIN, text)
            for key in sorted(keys_in(document)) if embed else ():
                # Stored as they are: floats do not get smaller, and sizes can be checked when opened.
                archive.write(kept.path_of(key), f"kept/{key}", zipfile.ZIP_STORED)
    except OSError as error:  # of an object that is to go into it
        raise unwritable(path, error) from error


def load(session: Session, path: Path, search: list[Path]) -> Session:
    """Fill an empty session from a file.

    Raises
    ------
    SessionError
        When it is no session file, is damaged, or was made by a newer jviz.
    """
    adopt(session, read(path, search), path, replace=True)
    return session


def is_session_file(path: Path) -> bool:
    """Whether a file calls itself a session."""
    return path.suffix.lower() == SUFFIX


def read(path: Path, search: list[Path] = (), *, progress: Progress = silent) -> Parts:
    """Read a session file and open its data (in any thread).

    Parameters
    ----------
    search : list of Path
        Folders to look for moved files in.

    Returns
    -------
    Parts
        With the problems met in ``problems``.
    """
    document = read_document(path)
    try:
        return parts_of(document, path, list(search), progress=progress)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise _damaged(path, f"its content makes no sense ({type(error).__name__}: {error})") from error


def adopt(session: Session, parts: Parts, path: Path, *, replace: bool) -> None:
    """Put what was read into a session, in the thread that owns it.

    Parameters
    ----------
    replace : bool
        The session becomes the one that was saved, and its undo list starts anew; else the
        parts are added to what is there, inside of the step that is being recorded.
    """
    if not replace:
        if not session.data and not session.views:
            session.path = path
            session.set_extras(parts.extras)
        put_in(session, parts)
    else:
        with session.change("Open session"):
            session.set_views(())
            session.set_subsets({})
            session.set_markers(())
            session.set_data(())
            put_in(session, parts)
        session.history.replace([_note(entry) for entry in parts.history])
        session.saved_as(path, session.mark())
        session.set_extras(parts.extras)
    for problem in parts.problems:
        session.notice("warning", problem)


def read_document(path: Path) -> dict[str, Any]:
    """Read and check the document of a session file, and take in the objects that it brings.

    Raises
    ------
    SessionError
        Names the file, the reason and the way out.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _check(path, archive)
            document = json.loads(archive.read(MAIN))
            _check_version(path, document)
            for info in archive.infolist():
                if info.filename.startswith("kept/"):
                    with archive.open(info) as file:
                        kept.take_in(info.filename.removeprefix("kept/"), file)
    except FileNotFoundError:
        raise SessionError(f"There is no file {path}; choose a session file ({SUFFIX}).") from None
    except (OSError, NotImplementedError) as error:
        raise SessionError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.") from error
    except (zipfile.BadZipFile, KeyError, ValueError, EOFError, RuntimeError, RecursionError) as error:
        raise _damaged(path, f"{type(error).__name__}: {error}") from error
    except zipfile.zlib.error as error:
        raise _damaged(path, str(error)) from error
    return document


def _check(path: Path, archive: zipfile.ZipFile) -> None:
    size = path.stat().st_size
    objects = 0
    for info in archive.infolist():
        name = PurePosixPath(info.filename)
        if name.is_absolute() or ".." in name.parts or "\\" in info.filename:
            raise SessionError(f"{path} names a file outside of itself ({info.filename}); it was not made by jviz.")
        if info.filename.startswith("kept/"):
            objects += info.file_size
            if info.compress_type != zipfile.ZIP_STORED:
                raise SessionError(f"{path} holds compressed objects; it was not made by jviz.")
    if objects > size or (MAIN in archive.namelist() and archive.getinfo(MAIN).file_size > LARGEST_DOCUMENT):
        raise SessionError(f"{path} would expand to more than it can hold; it was not made by jviz.")


def _check_version(path: Path, document: Any) -> None:
    if not isinstance(document, dict) or document.get("format") != "jviz session":
        raise SessionError(f"{path} is a zip file, but no jviz session.")
    version = document.get("version")
    if not isinstance(version, int) or version > VERSION:
        made_by = document.get("jviz", "a newer version")
        raise SessionError(
            f"{path} was saved by jviz {made_by} in format {version}; this jviz reads formats up to {VERSION}. "
            "Update jviz (pip install --upgrade jviz), or run the script of that session instead."
        )


def _damaged(path: Path, reason: str) -> SessionError:
    return SessionError(
        f"{path} is no session file, or it is damaged ({reason}). Take a copy of it, or the script of that session."
    )


def _note(entry: dict[str, Any]) -> Entry:
    return Entry(entry["label"], _nothing, _nothing, entry["lines"], None, entry["command"], changes=False)


def _nothing() -> None:
    """What was done before the session was saved is not undone."""
