"""The Qt application, and starting the window in it."""

from __future__ import annotations

import gc
import importlib
import logging
import os
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from PySide6.QtCore import QAbstractEventDispatcher, QTimer
from PySide6.QtWidgets import QApplication

from jviz.backend.courtesy import give_way_by
from jviz.errors import JvizError
from jviz.session import Session
from jviz.window.giving_way import give_way

__all__ = ["application", "has_display", "launch", "prepare_kernels", "run"]

FOR_THE_FIRST_FILE = (
    "jviz.backend.io.guard", "jviz.backend.io.fits_products", "jviz.backend.io.checksums", "jviz.backend.render.raster",
    "jviz.backend.render.limits", "numpy.ma",
)  # fmt: skip
"""What opening an image and its first picture import."""

KERNELS_MS = 15_000
"""How long after the start the kernels of photometry are compiled, the first time on a machine."""

SWITCH_SECONDS = 0.0001
"""How often Python may change threads: with the usual 5 ms, a third of all frames comes late."""


def launch(files: Any = (), *, session: Session | None = None, show: bool = True) -> Any:
    """Open the window on files; returns at once.

    Parameters
    ----------
    files : str, Path or a list of them
        Opened as soon as the window shows.
    session : Session, optional
        A new one by default.
    show : bool
        False makes the window without showing it; files are opened nevertheless.

    Returns
    -------
    MainWindow
    """
    application()
    from jviz.window.main import MainWindow

    window = MainWindow(Session() if session is None else session, _listed(files))
    if show:
        window.show()
    else:
        window.startup.begin()
    return window


def run(
    files: Any = (),
    *,
    session: Session | None = None,
    theme: str | None = None,
    size: tuple[int, int] | None = None,
    screenshot: Path | None = None,
) -> int:
    """Open the window and return when it is closed, with the exit status.

    Parameters
    ----------
    theme : str, optional
        "dark", "light" or "system", for this once.
    size : (int, int), optional
        Width and height of the window in pixels.
    screenshot : Path, optional
        Write the window to this picture as soon as everything is drawn, and close it.
    """
    # Filters of warnings belong to the process: what one thread silences another may hear. None goes to the terminal.
    logging.captureWarnings(True)
    window = launch(files, session=session)
    if theme is not None:
        window.theme.wear(theme)
    if size is not None:
        window.resize(*size)
    if screenshot is not None:
        from jviz.window.screenshot import Screenshot

        Screenshot(window, screenshot)
    else:
        QTimer.singleShot(KERNELS_MS, window, lambda: prepare_kernels(window.session))
    from jviz.window.interrupt import Interrupt

    interrupt = Interrupt(window)
    status = application().exec()
    interrupt.release()
    window.session.close()
    logging.captureWarnings(False)
    return status


def prepare_kernels(session: Session) -> Any:
    """Have the kernels of photometry compiled by a process beside this one, where they are not yet; return the job.

    Else whoever measures something first would wait for half a minute.
    """
    from jviz.backend.photometry.warming import is_warm

    if is_warm():
        return None

    def work(job: Any) -> None:
        from jviz.worker import run_in_worker

        run_in_worker(job, "jviz.backend.photometry.warming:warm")

    try:
        return session.jobs.submit("Preparing photometry", work, quiet=True, apart=True)
    except JvizError:
        return None  # the session was closed meanwhile


def application() -> QApplication:
    """Return the application, made on first use; without a display it draws offscreen."""
    app = QApplication.instance()
    if app is None:
        if not has_display():
            os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        app = QApplication(sys.argv[:1])
    give_way().watch(QAbstractEventDispatcher.instance())
    give_way_by(give_way().wait)
    if not isinstance(app, QApplication):
        raise RuntimeError("a Qt application without widgets is running in this process; jviz needs one with widgets")
    app.setApplicationName("jviz")
    app.setApplicationDisplayName("jviz")
    app.setDesktopFileName("jviz")
    app.setStyle("Fusion")
    sys.setswitchinterval(SWITCH_SECONDS)
    _import_actions()
    return app


def has_display() -> bool:
    """Whether windows can be shown on this machine."""
    if sys.platform in ("darwin", "win32"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))


def _import_actions() -> None:
    """Declare the commands of the window, its viewers and panels."""
    from jviz.commands import all_commands

    all_commands()  # the model's come first in the menus
    import jviz.window.actions  # noqa: F401
    from jviz.plugin_loader import load_builtin
    from jviz.viewers.base import viewer_type
    from jviz.viewers.image_tools import overlays

    # Before the event loop runs: the window would wait for these imports with the first viewer and the first file.
    viewer_type("image")
    overlays()
    load_builtin()
    for name in FOR_THE_FIRST_FILE:
        importlib.import_module(name)
    _spare_garbage_collection()


@cache
def _spare_garbage_collection() -> None:
    """Have what was imported not looked through for garbage while the window is used; all of it stays."""
    gc.freeze()


def _listed(files: str | Path | Iterable[str | Path]) -> list[str]:
    return [str(files)] if isinstance(files, str | Path) else [str(f) for f in files]
