"""Commands on session files."""

from __future__ import annotations

from pathlib import Path

from jviz.backend.progress import Progress
from jviz.commands import command
from jviz.errors import JvizError
from jviz.session import Session
from jviz.session_file import adopt, read, save


@command(
    "file.open_session",
    title="Open Session…",
    menu="File",
    job=True,
    script=False,
    recorded=False,
    group="open",
    icon="fa6s.box-open",
)
def open_session(session: Session, path: Path, search: list[Path] | None = None, *, progress: Progress) -> None:
    """Replace everything by a saved session, with its script; undo begins anew.

    To add a saved session to what is there, as a step that can be undone, open it with ``file.open``.

    Parameters
    ----------
    path : Path
        A ``.jviz`` file.
    search : list of Path, optional
        Folders in which moved files are looked for, besides the session's own.
    """
    path = Path(path)
    parts = read(path, [Path(folder) for folder in search or []], progress=progress)
    session.views_awaited.emit({view.kind for view in parts.views})
    session.dispatcher.ask(lambda: adopt(session, parts, path, replace=True))


@command(
    "file.save_session",
    title="Save Session",
    menu="File",
    shortcut="Ctrl+S",
    job=True,
    script=False,
    recorded=False,
    group="save",
    icon="fa6s.floppy-disk",
)
def save_session(session: Session, path: Path | None = None, *, progress: Progress) -> Path:
    """Write the session (data by path and checksum, viewers, history) to a ``.jviz`` file."""
    path = path or session.path
    if path is None:
        raise JvizError("This session has no file yet; give it a name with Save Session As….")
    return save(session, Path(path), progress=progress)
