"""Asking before something would be lost: unsaved work, and jobs that run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtWidgets import QMessageBox, QPushButton

from jviz.jobs import Job

__all__ = ["Leaving"]

NAMED = 5
"""Steps and jobs that the question names."""

ROLES = QMessageBox.ButtonRole


class Leaving(QObject):
    """Asks Save, Discard or Cancel where a session would be left, without stopping the window meanwhile.

    Parameters
    ----------
    window : MainWindow

    Attributes
    ----------
    box : QMessageBox or None
        The question, while it is there.
    """

    def __init__(self, window: Any) -> None:
        super().__init__(window)
        self._window, self._session = window, window.session
        self.box: QMessageBox | None = None
        self._saving: Job | None = None
        self._then: Callable[[], Any] = _nothing
        self._session.jobs.changed.connect(self._job_changed)

    def release(self) -> None:
        """Hear of jobs no more."""
        self._session.jobs.changed.disconnect(self._job_changed)

    def asks(self, question: str, then: Callable[[], Any], *, jobs: bool = True) -> bool:
        """Ask when something would be lost; False when nothing would be, and the caller may go on at once.

        Parameters
        ----------
        question : str
            ``"Close jviz?"``
        then : callable
            What leaves the session; called after the user's answer.
        jobs : bool
            Whether jobs that run would be cancelled.
        """
        wanted = self._session.settings["window.confirm_close"] and self._window.isVisible()
        steps = self._session.unsaved() if wanted else []
        running = self._session.jobs.running if wanted and jobs else []
        if not steps and not running:
            return False
        if self.box is None:
            self._ask(question, steps, running, then)
        self.box.raise_()
        return True

    # --- the question ---------------------------------------------------------------------------

    def _ask(self, question: str, steps: list[str], running: list[Job], then: Callable[[], Any]) -> None:
        box = self.box = QMessageBox(self._window)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle(question)
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setText(_headline(steps, running))
        box.setInformativeText("\n".join([*_list("Not saved:", steps[::-1]), *_jobs_named(steps, running)]))
        self._add_buttons(box, bool(steps), then)
        box.finished.connect(self._answered)
        box.open()

    def _add_buttons(self, box: QMessageBox, unsaved: bool, then: Callable[[], Any]) -> None:
        # Each answer is followed when the question is gone: what follows may close the window.
        if unsaved:
            save = self._button(box, "Save", ROLES.AcceptRole, lambda: self._save(then))
            self._button(box, "Discard", ROLES.DestructiveRole, then)
            cancel = box.addButton("Cancel", ROLES.RejectRole)
            box.setDefaultButton(save)
        else:
            self._button(box, "Cancel Jobs and Close", ROLES.DestructiveRole, then)
            cancel = box.addButton("Keep Working", ROLES.RejectRole)
            box.setDefaultButton(cancel)
        box.setEscapeButton(cancel)

    def _button(self, box: QMessageBox, text: str, role: Any, then: Callable[[], Any]) -> QPushButton:
        button = box.addButton(text, role)
        button.clicked.connect(lambda: QTimer.singleShot(0, self, then))
        return button

    def _answered(self) -> None:
        self.box = None

    # --- saving ---------------------------------------------------------------------------------

    def _save(self, then: Callable[[], Any]) -> None:
        """Save, under a name to be asked for when there is none, and go on when that is done."""
        if self._session.path is not None:
            self._save_to(self._session.path, then)
            return
        from jviz.window.actions.files import SESSIONS, session_name
        from jviz.window.dialogs import file_to_save

        file_to_save(
            self._window, "Save Session As", session_name(self._session), SESSIONS,
            lambda path: self._save_to(path, then),
        )  # fmt: skip

    def _save_to(self, path: Path, then: Callable[[], Any]) -> None:
        self._then = then
        self._saving = self._window.invoker.run("file.save_session", path=path)

    def _job_changed(self, job: Job) -> None:
        if job is self._saving and job.is_over:
            self._saving = None
            if job.state == "done":
                # Not within the call that tells the end of the job: closing waits for jobs.
                QTimer.singleShot(0, self, self._then)


def _headline(steps: list[str], running: list[Job]) -> str:
    jobs = "a job is running" if len(running) == 1 else f"{len(running)} jobs are running"
    if not steps:
        return f"{jobs[0].upper()}{jobs[1:]}. Close the window and cancel?"
    if running:
        return f"The session is not saved, and {jobs}. Save it before closing?"
    return "The session is not saved. Save it first?"


def _jobs_named(steps: list[str], running: list[Job]) -> list[str]:
    return _list("Will be cancelled:" if steps else "", [job.title for job in running])


def _list(title: str, items: list[str]) -> list[str]:
    more = [f"   and {len(items) - NAMED} more"] if len(items) > NAMED else []
    return [*([title] if title and items else []), *(f"• {item}" for item in items[:NAMED]), *more]


def _nothing() -> None:
    """What follows when nothing was asked."""
