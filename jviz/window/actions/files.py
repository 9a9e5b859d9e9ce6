"""Commands that ask for files."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from jviz.commands import command
from jviz.session import Session

SESSIONS = "jviz sessions (*.jviz)"


@command(
    "file.open_dialog",
    title="Open…",
    menu="File",
    shortcut="Ctrl+O",
    recorded=False,
    script=False,
    icon="fa6s.folder-open",
    group="open",
)
def open_dialog(window: Any) -> None:
    """Choose files to open; several data sets in one file are offered in a list."""
    from jviz.window.dialogs import files_to_open

    files_to_open(window, window.choose_and_open)


@command("file.open_folder", title="Open Folder…", menu="File", recorded=False, script=False, group="open")
def open_folder(window: Any) -> None:
    """Choose a folder and open every file in it that can be read."""
    from jviz.window.dialogs import folder_to_open

    folder_to_open(window, lambda path: window.open_files([path]))


@command(
    "file.open_as", title="Open As…", menu="File", shortcut="Ctrl+Shift+O", recorded=False, script=False, group="open"
)
def open_as(window: Any) -> None:
    """Choose files and the reader that is to read them, whatever their names and content say."""
    from jviz.window.dialogs import files_to_open
    from jviz.window.open_as import ask_reader

    files_to_open(window, lambda paths: ask_reader(window, paths))


@command("file.recent", title="Open Recent File…", shortcut="Ctrl+R", recorded=False, script=False, group="open")
def recent(window: Any) -> None:
    """Choose one of the files opened lately, by typing a part of its name."""
    from jviz.window.palette import open_palette

    open_palette(window, only="Recent")


@command("file.open_sample", title="Open Sample Data", recorded=False, script=False, group="open")
def open_sample(window: Any, which: Literal["mosaic", "cube", "all", "raw"] = "mosaic") -> None:
    """Make simulated data on this computer and open them; raw exposures come with the panel that calibrates them."""
    from jviz.window.samples import open_samples

    open_samples(window, which)


@command(
    "file.open_session_dialog",
    title="Open Session…",
    menu="File",
    recorded=False,
    script=False,
    group="open",
    icon="fa6s.box-open",
)
def open_session_dialog(window: Any) -> None:
    """Choose a saved session; it replaces the present one, which is asked about when it has unsaved work."""
    from jviz.window.dialogs import file_to_open

    def open_it(path: Path) -> None:
        window.invoker.run("file.open_session", path=path)

    def choose() -> None:
        file_to_open(window, "Open Session", SESSIONS, open_it)

    if not window.leaving.asks("Open another session?", choose, jobs=False):
        choose()


@command(
    "file.save_session_as",
    title="Save Session As…",
    menu="File",
    shortcut="Ctrl+Alt+S",
    recorded=False,
    script=False,
    group="save",
)
def save_session_as(window: Any, session: Session) -> None:
    """Choose a name and write the session there."""
    from jviz.window.dialogs import file_to_save

    file_to_save(
        window,
        "Save Session As",
        session_name(session),
        SESSIONS,
        lambda path: window.invoker.run("file.save_session", path=path),
    )


def session_name(session: Session) -> str:
    """Suggest a file for a session: its own, or one named after the first data."""
    return str(session.path or Path(f"{session.names[0] if session.names else 'session'}.jviz"))


@command("file.quit", title="Quit", menu="File", shortcut="Ctrl+Q", recorded=False, script=False, group="quit")
def quit_program(window: Any) -> None:
    """Close the window; asks over unsaved work, and when jobs run."""
    window.close()
