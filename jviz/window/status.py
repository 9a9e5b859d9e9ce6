"""The status bar: what is under the cursor, the zoom, the jobs that run, the bell."""

from __future__ import annotations

from typing import Any

import shiboken6
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QStatusBar, QToolButton, QWidget

from jviz.geometry import geometry_of
from jviz.jobs import Job
from jviz.plugins.parts import ProgressBar
from jviz.window.programs import ProgramsButton

__all__ = ["StatusBar"]

MESSAGE_MS = 5000


class StatusBar(QStatusBar):
    """Shows the read-out of the viewer under the mouse; short messages take its place for a while.

    Parameters
    ----------
    window : MainWindow
    """

    def __init__(self, window: Any) -> None:
        super().__init__(window)
        self._window, self._session = window, window.session
        self.setAccessibleName("Status bar")
        self.setSizeGripEnabled(False)
        self.readout = _label("Read-out under the cursor")
        self.readout.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.readout.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.readout.setTextInteractionFlags(Qt.TextInteractionFlag.NoTextInteraction)
        self.zoom = _label("Zoom")
        self.jobs = JobsButton(window)
        self.programs = ProgramsButton(window)
        self.bell = self._make_bell()
        self.addWidget(self.readout, 1)
        for widget in (self.zoom, self.jobs, self.programs, self.bell):
            self.addPermanentWidget(widget)
        self._message = QTimer(self, singleShot=True, interval=MESSAGE_MS)
        self._message.timeout.connect(self._show_readout)
        self._text = ""
        self._unread = 0
        self._view: Any = None
        self._viewer: Any = None
        self._soon = QTimer(self, singleShot=True, interval=50)
        self._soon.timeout.connect(self._view_changed)
        self._session.noticed.connect(self._noticed)
        window.context.active_changed.connect(self._follow)

    # --- read-out and messages ------------------------------------------------------------------

    def show_readout(self, text: str) -> None:
        """Show what is under the cursor; ``""`` when it left."""
        self._text = text
        if text or not self._message.isActive():
            self._message.stop()
            self._show_readout()

    def tell(self, text: str) -> None:
        """Show a message for some seconds."""
        self.readout.setText(text)
        self._message.start()

    def _show_readout(self) -> None:
        self.readout.setText(self._text)

    def _noticed(self, level: str, text: str) -> None:
        if level == "status":
            self.tell(text)
        else:
            self._unread += 1
            self._show_unread()

    # --- zoom -----------------------------------------------------------------------------------

    def _follow(self) -> None:
        view = self._window.context.active_view()
        if view is not self._view:
            if self._view is not None:
                self._view.remove_global_callback(self._view_changed)
            self._view = view
            if view is not None:
                view.add_global_callback(self._view_changed)
            self._watch_size(view)
        self._view_changed()

    def _watch_size(self, view: Any) -> None:
        """An image that fits changes its scale with its viewer."""
        if self._viewer is not None and shiboken6.isValid(self._viewer):
            self._viewer.resized.disconnect(self._size_changed)
        viewers = self._window.viewers
        self._viewer = viewers[view.name] if view is not None and view.name in viewers else None
        if self._viewer is not None:
            self._viewer.resized.connect(self._size_changed)

    def _size_changed(self) -> None:
        self._soon.start()  # the viewer sets the size of its picture at its next refresh

    def release(self) -> None:
        """Stop listening to the active view and to the jobs."""
        for timer in (self._message, self._soon):
            timer.stop()
        self.jobs.release()
        self.programs.release()
        if self._view is not None:
            self._view.remove_global_callback(self._view_changed)
            self._view = None

    def _view_changed(self, **_: Any) -> None:
        view = self._view
        has_scale = view is not None and hasattr(view, "scale") and view.layers
        self.zoom.setText(_zoom_text(geometry_of(view).scale) if has_scale else "")

    # --- bell -----------------------------------------------------------------------------------

    def _make_bell(self) -> QToolButton:
        bell = QToolButton()
        bell.setToolTip("Notifications of this session")
        bell.setAccessibleName("Notifications")
        bell.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        bell.clicked.connect(self._open_notifications)
        return bell

    def _open_notifications(self) -> None:
        self._unread = 0
        self._show_unread()
        self._window.panel("notifications")

    def _show_unread(self) -> None:
        self.bell.setText(str(self._unread) if self._unread else "")
        self.bell.setAccessibleName(f"Notifications, {self._unread} new" if self._unread else "Notifications")

    def show_icons(self, icon: Any) -> None:
        """Give the buttons their icons."""
        self.bell.setIcon(icon("fa6s.bell"))
        self.programs.setIcon(icon("fa6s.share-nodes"))


class JobsButton(QWidget):
    """A bar and a word on the jobs that run; a click opens their panel."""

    def __init__(self, window: Any) -> None:
        super().__init__()
        self._window, self._jobs = window, window.session.jobs
        self.button = QToolButton()
        self.button.setAccessibleName("Running jobs")
        self.button.setToolTip("Open the Jobs panel")
        self.button.clicked.connect(lambda: window.panel("jobs"))
        self.bar = ProgressBar("Progress of the jobs")
        self.bar.setFixedSize(72, 6)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.bar)
        layout.addWidget(self.button)
        # Jobs report hundreds of times a second; ten looks a second are enough.
        self._soon = QTimer(self, singleShot=True, interval=100)
        self._soon.timeout.connect(self.refresh)
        self._jobs.changed.connect(self._changed)
        self.hide()

    def _changed(self, _: Job) -> None:
        if not self._soon.isActive():
            self._soon.start()

    def release(self) -> None:
        """Stop listening to the jobs."""
        self._jobs.changed.disconnect(self._changed)
        self._soon.stop()

    def refresh(self) -> None:
        """Show how many jobs run, and how far they are."""
        running = self._jobs.running
        self.setVisible(bool(running))
        if running:
            title = running[0].title if len(running) == 1 else f"{len(running)} jobs"
            text = self.fontMetrics().elidedText(title, Qt.TextElideMode.ElideRight, 260)
            if text != self.button.text():
                self.button.setText(text)  # lays out the status bar anew
            known = [job.progress for job in running if job.total]
            self.bar.show_progress(round(100 * sum(known) / len(known)) if known else 0, 100 if known else 0)


def _label(name: str) -> QLabel:
    label = QLabel()
    label.setAccessibleName(name)
    label.setTextFormat(Qt.TextFormat.PlainText)
    return label


def _zoom_text(scale: float) -> str:
    """Say a scale in screen pixels per data pixel as a percentage."""
    percent = scale * 100
    return f"{percent:.0f} %" if percent >= 10 else f"{percent:.2g} %"
