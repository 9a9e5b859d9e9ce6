"""Autosave while the window is open, and the offer to go on with what a crash left behind."""

from __future__ import annotations

import time
from typing import Any

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QMessageBox

from jviz.autosave import Autosave, Recovery, discard, recoverable
from jviz.backend.archive.interrupted import interrupted
from jviz.backend.cache import home
from jviz.errors import JvizError
from jviz.jobs import Job
from jviz.results import counted

__all__ = ["Keeper"]


class Keeper(QObject):
    """Saves the session of a window for recovery, and offers sessions of crashed programs.

    Parameters
    ----------
    window : MainWindow
    """

    def __init__(self, window: Any) -> None:
        super().__init__(window)
        self._window, self._session = window, window.session
        self._autosave: Autosave | None = None
        self.offer: QMessageBox | None = None

    def start(self) -> None:
        """Begin to save, and look for what a crash left."""
        self._autosave = Autosave(self._session)
        self._autosave.start()

        def look(_: Job) -> None:
            found = recoverable()
            if found:
                self._session.dispatcher.call(lambda: self._ask(found))
            stopped = interrupted(home("data") / "library.sqlite")
            if stopped:
                self._session.notice("info", f"{counted(stopped, 'download')} stopped when jviz ended. The panel "
                                     "Transfers goes on where they were.")  # fmt: skip

        self._session.jobs.submit("Look for sessions to restore", look, quiet=True)

    def stop(self, *, keep: bool = False) -> None:
        """End saving; the window was closed in the proper way, unless what it saved is to be kept."""
        if self._autosave is not None:
            self._autosave.stop(keep=keep)
            self._autosave = None

    # --- the offer ------------------------------------------------------------------------------

    def _ask(self, found: list[Recovery]) -> None:
        if self._window.is_closed:
            return
        newest = found[0]
        box = self.offer = QMessageBox(self._window)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle("Restore the session?")
        names = ", ".join(newest.names[:4]) + (" …" if len(newest.names) > 4 else "") or "no data"
        when = time.strftime("%d %B, %H:%M", time.localtime(newest.when))
        box.setText(f"jviz ended without being closed. Restore the session of {when}?")
        more = f" {len(found) - 1} older ones are offered after it." if len(found) > 1 else ""
        box.setInformativeText(f"It holds {names}.{more}")
        restore = box.addButton("Restore", QMessageBox.ButtonRole.AcceptRole)
        throw = box.addButton("Discard", QMessageBox.ButtonRole.DestructiveRole)
        later = box.addButton("Ask Again Later", QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(restore)
        box.setEscapeButton(later)
        restore.clicked.connect(lambda: self._restore(newest))
        throw.clicked.connect(lambda: self._discard(newest, found[1:]))
        box.open()

    def _discard(self, recovery: Recovery, others: list[Recovery]) -> None:
        discard(recovery)
        if others:
            self._ask(others)

    def _restore(self, recovery: Recovery) -> None:
        """Read in a job, take over in the window's thread."""
        from jviz.session_file import adopt, read

        session = self._session

        def apply(parts: Any) -> None:
            before = session.path
            adopt(session, parts, recovery.path, replace=True)
            session.saved_as(before, None)  # what was recovered is saved nowhere yet
            discard(recovery)

        def work(job: Job) -> None:
            try:
                parts = read(recovery.path, progress=job.report)
                session.views_awaited.emit({view.kind for view in parts.views})
                session.dispatcher.ask(lambda: apply(parts))
            except JvizError as error:
                session.notice("error", f"The session could not be restored: {error}")

        session.jobs.submit("Restore the session", work)
