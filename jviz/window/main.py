"""The main window: puts its parts together; each part does its work in a module of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QChildEvent, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent, QDropEvent, QGuiApplication, QIcon, QScreen
from PySide6.QtWidgets import QMainWindow, QTabWidget, QWidget

from jviz.jobs import Job
from jviz.plugins.context import Context
from jviz.session import Session
from jviz.viewers.tidying import tidying
from jviz.views import View
from jviz.window.asking import AxisQuestion
from jviz.window.central import Central
from jviz.window.clocks import FileClock, LibraryClock
from jviz.window.closing import Leaving
from jviz.window.docks import Docks
from jviz.window.dragdrop import DropTarget
from jviz.window.errors import Errors
from jviz.window.giving_way import give_way
from jviz.window.invoke import Invoker
from jviz.window.layouts import Layouts
from jviz.window.menus import Menus
from jviz.window.notifications import Toasts
from jviz.window.recent import Recent
from jviz.window.recovery import Keeper
from jviz.window.shortcuts import Shortcuts
from jviz.window.startup import Startup
from jviz.window.status import StatusBar
from jviz.window.theme import Theme
from jviz.window.tool_strip import ToolStrip, beside
from jviz.window.viewer_list import ViewerList
from jviz.window.viewers import Viewers
from jviz.window.web_pages import Doorkeeper
from jviz.window.welcome import Welcome

__all__ = ["MainWindow"]

NOTE_MS = 200

FIRST_SIZE = QSize(1400, 900)
"""Of the window at a first start, where the screen is large enough."""

DRAIN_SECONDS = 0.004
"""How long calls from other threads may be begun in one turn of the event loop."""

PAUSE_MS = 300
"""How long a user must pause before what they drag becomes a step of the history."""


class MainWindow(QMainWindow):
    """The window round a session.

    Parameters
    ----------
    session : Session
        Owned by the thread of the window as long as that is there.
    files : iterable of str or Path
        Opened as soon as the window shows.

    Attributes
    ----------
    session : Session
    viewers : ViewerList
        The open viewers, by name or position.
    """

    _woken = Signal()

    def __init__(self, session: Session, files: Iterable[str | Path] = ()) -> None:
        super().__init__()
        self.session = session
        self.is_closed = False
        self._may_close = False
        tidying().keep()
        self.watched_jobs: set[int] = set()
        self._bind()
        self._dress()
        self._make_parts()
        self.startup = Startup(self, [str(f) for f in files])

    def _bind(self) -> None:
        """Become the owner of the session."""
        self._receivers = self.session.receivers()
        self._woken.connect(self._drain, Qt.ConnectionType.QueuedConnection)
        self.session.dispatcher.bind(self._woken.emit)
        self.session.showing = True
        self._way_before, self.session.jobs.way = self.session.jobs.way, give_way()
        self.session._runner.window = self
        self._pause = QTimer(self, singleShot=True, interval=PAUSE_MS)
        self._pause.timeout.connect(self._user_pauses)
        self.session._recorder.touched.connect(self._touched)

    def _drain(self) -> None:
        """Run what other threads left for this one, for a part of a frame; the rest comes after user and painting."""
        if not self.is_closed:
            self.session.dispatcher.drain(DRAIN_SECONDS)

    def _dress(self) -> None:
        from jviz.resources import resource

        self.setWindowTitle("jviz")
        self.setWindowIcon(QIcon(str(resource("icons/jviz.svg"))))
        self.setAccessibleName("jviz")
        self.resize(_first_size(self.screen()))
        self.setMinimumSize(QSize(560, 400))
        self.setDockNestingEnabled(True)
        self.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North)
        self.theme = Theme(self, self.session.settings)

    def _make_parts(self) -> None:
        self.errors = Errors(self)
        self.errors.install()
        self.context = Context(self.session, self)
        self.context.window = self
        self.log = self.context.records
        self.shortcuts = Shortcuts(self.session.settings)
        self.recent = Recent(self)
        self.invoker = Invoker(self)
        self.layouts = Layouts(self)
        self.central = Central(Welcome(self))
        self.tool_strip = ToolStrip(self)
        self.setCentralWidget(beside(self.tool_strip, self.central))
        self._viewers = Viewers(self)
        self.viewers = ViewerList(self._viewers.by_name, self._viewers.complete_for_script)
        self.docks = Docks(self)
        self.setStatusBar(StatusBar(self))
        self.menus = Menus(self)
        self.toasts = Toasts(self)
        self.axis_question = AxisQuestion(self)
        self.doorkeeper = Doorkeeper(self)
        self.drops = DropTarget(self)
        self.keeper = Keeper(self)
        self.library_clock = LibraryClock(self)
        self.file_clock = FileClock(self)
        self.leaving = Leaving(self)
        self._first_layout = not self.layouts.restore_last()
        for problem in self.session.settings.problems:
            self.session.notice("warning", problem)
        self.session.settings.problems.clear()
        self._viewers.refresh()
        self._note = QTimer(self, singleShot=True, interval=NOTE_MS)
        self._note.timeout.connect(self._note_layout)
        self.central.arranged.connect(self._note.start)
        self.session.extras_changed.connect(self._extras_changed)
        self.session.history_changed.connect(self.refresh_title)

    # --- what scripts, panels and tests use -----------------------------------------------------

    def open_viewer(self, kind: str, data: Any = None, **values: Any) -> Any:
        """Open a viewer on data and go to it.

        Parameters
        ----------
        kind : str
            "image", …
        data : Data or str, optional
        values : dict
            Properties of its state, ``stretch="asinh"``.

        Returns
        -------
        jviz.viewers.base.Viewer
        """
        view = self.session.view(kind, data=data, **values)
        return self.viewers[view.name]

    def panel(self, id: str) -> QWidget:
        """Show a panel in front of others and return its widget.

        Raises
        ------
        SessionError
            When there is no such panel; its text lists those there are.
        """
        return self.docks.show(id)

    def open_files(self, paths: Iterable[str | Path], **options: Any) -> Job | None:
        """Open files, folders or a session, as a job; what fails becomes a notice."""
        return self.invoker.run("file.open", paths=[str(p) for p in paths], **options)

    def choose_and_open(self, paths: Iterable[str | Path], **options: Any) -> Job | None:
        """Open what a user chose: files with several data sets are asked about first."""
        from jviz.window.opening import choose_and_open

        return choose_and_open(self, paths, **options)

    def active_view(self) -> View | None:
        """Return the state of the viewer that keys and panels act on."""
        return self.context.active_view()

    def layout_state(self) -> dict[str, Any]:
        """Return the arrangement of viewers and panels as a dict for JSON."""
        return {"viewers": self.central.state(), "docks": self.docks.state()}

    def restore_layout_state(self, state: dict[str, Any]) -> None:
        """Arrange viewers and panels as `layout_state` found them."""
        self._viewers.complete()
        viewers, docks = state.get("viewers"), state.get("docks")
        if isinstance(viewers, dict):
            self.central.restore(viewers)
        if isinstance(docks, str):
            self.docks.restore(docks)

    # --- for the parts --------------------------------------------------------------------------

    def take_plugins(self) -> None:
        """Show what plugins declared: panels, commands, keys."""
        if self.docks.add_declared() or self.menus.is_outdated:
            self.menus.build()

    def icon_steps(self) -> list[Callable[[], None]]:
        """Return what puts icons on menus, tool bar and status bar, in steps."""
        return [
            partial(part.show_icons, self.context.icon)
            for part in (self.menus, self.tool_strip, self.docks, self.statusBar())
        ]

    def _note_layout(self) -> None:
        """Keep the arrangement with the session, so that it is saved with it."""
        self.session.extras["layout"] = self.layout_state()

    def _extras_changed(self) -> None:
        """A session was opened: arrange its viewers as they were, once they are all there."""
        layout = self.session.extras.get("layout")
        if isinstance(layout, dict):
            QTimer.singleShot(0, self, lambda: self.restore_layout_state(layout))

    def _touched(self) -> None:
        give_way().note_user()
        self._pause.start()

    def _user_pauses(self) -> None:
        """Make a step of what was changed, unless a drag still holds it."""
        if QGuiApplication.mouseButtons() == Qt.MouseButton.NoButton:
            self.session.flush()
        else:
            self._pause.start()

    def refresh_title(self) -> None:
        """Name the session and the active data in the title."""
        view = self.context.active_view()
        names = [view.data.name] if view is not None and view.data is not None else []
        names += [self.session.path.stem] if self.session.path is not None else []
        self.setWindowTitle(" — ".join([*names, "jviz"]))

    # --- begin and end --------------------------------------------------------------------------

    def childEvent(self, event: QChildEvent) -> None:
        """Dress what is shown for the first time: docks, menus, dialogs."""
        if event.polished() and isinstance(event.child(), QWidget):
            self.theme.dress(event.child())

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Raise the veil that takes what is dragged in; it has the same coordinates."""
        self.drops.dragEnterEvent(event)

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        """Move over the veil, which the event was still sent past."""
        self.drops.dragMoveEvent(event)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """Ignore it: when the veil appears under the cursor, the window hears that, and it is no end."""

    def dropEvent(self, event: QDropEvent) -> None:
        """Drop on the veil."""
        self.drops.dropEvent(event)

    def showEvent(self, event: Any) -> None:
        super().showEvent(event)
        if self._first_layout:
            self._first_layout = False
            self.docks.set_usual_sizes()

    def closeEvent(self, event: Any) -> None:
        may_close = self.is_closed or self._may_close
        if not may_close and self.leaving.asks("Close jviz?", self.close_at_once):
            event.ignore()
            return
        self._let_go()
        super().closeEvent(event)

    def close_at_once(self, *, keep: bool = False) -> None:
        """Close without asking.

        Parameters
        ----------
        keep : bool
            Leave what is not saved for the next start to offer.
        """
        self._may_close = True
        self.keeper.stop(keep=keep)
        self.close()

    def _let_go(self) -> None:
        """Give the session back: nothing of the window is called any more."""
        if self.is_closed:
            return
        self.is_closed = True
        tidying().release()
        self.layouts.keep_last()
        self.recent.keep()
        self.startup.stop()
        self.keeper.stop()
        self.library_clock.stop()
        self.file_clock.stop()
        self.leaving.release()
        self._pause.stop()
        self._note.stop()
        self.session.extras_changed.disconnect(self._extras_changed)
        self.session.history_changed.disconnect(self.refresh_title)
        self.session.flush()
        self.doorkeeper.release()
        self.statusBar().release()
        self._viewers.release()
        self.errors.remove()
        self.log.remove()
        self.session.showing = False
        self.session.jobs.way = self._way_before
        self.session._runner.window = None
        self.session._recorder.touched.disconnect(self._touched)
        self.session.dispatcher.drain()
        self.session.restore_receivers(self._receivers)
        self.session.dispatcher.bind(None)
        # The window itself stays for whoever holds it; all that it is made of goes now.
        for part in (self.tool_strip, self.central, *self.docks, self.menus.tool_bar, *self.toasts.shown):
            part.deleteLater()


def _first_size(screen: QScreen | None) -> QSize:
    # Offscreen there is no screen to fit into.
    if screen is None or QGuiApplication.platformName() == "offscreen":
        return FIRST_SIZE
    return FIRST_SIZE.boundedTo(screen.availableSize() * 0.95)
