"""What a panel is given: the session, the view the user works in, and ways to ask the window for things."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QWidget

from jviz.api import ImageView, Job, JvizError, LogKeeper, PanelSpec, Session, Settings, View, all_commands

__all__ = ["Context", "Notice", "built_panel"]


@dataclass(frozen=True)
class Notice:
    """One thing that the user was told; ``level`` is "info", "status", "warning" or "error"."""

    level: str
    text: str
    when: float = field(default_factory=time.time)


class Context(QObject):
    """Given to every panel; a window fills in what only it can do.

    Parameters
    ----------
    session : Session

    Attributes
    ----------
    window : MainWindow or None
    notices : deque of Notice
        The last 1,000, oldest first.
    records : LogKeeper
        What jviz and its libraries log.
    active_changed : Signal
        The user went to another view.
    cursor_changed : Signal
        The mouse moved over a view, or left it: `cursor` is (view, x, y) in data pixels, or None.
    notice_added : Signal
        With the `Notice`.
    """

    active_changed = Signal()
    cursor_changed = Signal()
    notice_added = Signal(object)

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.window: Any = None
        self.notices: deque[Notice] = deque(maxlen=1000)
        self.records = LogKeeper()
        self.records.install()
        self.destroyed.connect(_remover(self.records))
        self._last_image: ImageView | None = None
        self.cursor: tuple[View, float, float] | None = None
        self._active: View | None = None
        session.noticed.connect(self._noticed)
        session.views_changed.connect(self._check_active)
        session.jobs.changed.connect(self._job_changed)
        self._own_jobs: set[int] = set()

    @property
    def settings(self) -> Settings:
        """The settings of the session."""
        return self.session.settings

    # --- the view the user works in -------------------------------------------------------------

    def active_view(self) -> View | None:
        """Return the view that panels act on; the newest until the user goes to one."""
        if self._active is not None:
            return self._active
        views = list(self.session.views.values())
        return views[-1] if views else None

    def active_image(self) -> ImageView | None:
        """Return the image view that panels on images act on: the active one, else the last that was or the newest."""
        active, views = self.active_view(), self.session.views.values()
        if isinstance(active, ImageView):
            return active
        if self._last_image in views:
            return self._last_image
        return next((view for view in reversed(list(views)) if isinstance(view, ImageView)), None)

    def activate(self, view: View | None) -> None:
        """Take note that the user went to a view (called by the window)."""
        if isinstance(view, ImageView):
            self._last_image = view
        if view is not self._active:
            self._active = view
            self.active_changed.emit()

    def move_cursor(self, view: View | None, x: float = 0.0, y: float = 0.0) -> None:
        """Take note of where the mouse is, in data pixels of a view (called by the window); None: nowhere."""
        self.cursor = None if view is None else (view, x, y)
        self.cursor_changed.emit()

    # --- asking for things ----------------------------------------------------------------------

    def notify(self, level: str, text: str) -> None:
        """Tell the user something without stopping anybody."""
        self.session.notice(level, text)

    def run(self, id: str, /, **arguments: Any) -> Any:
        """Run a command, in a job when it is one; errors become notices.

        Called without arguments, it opens the form of a command whose title ends with ….

        Returns
        -------
        object
            What the command gives, its `Job`, or None when it failed.
        """
        if self.window is not None:
            return self._run_by_window(id, arguments)
        try:
            command = all_commands().get(id)
            if command is not None and command.job:
                return self._submitted(id, arguments)
            return self.session.run(id, **arguments)
        except JvizError as error:
            self.notify("error", str(error))
            return None

    def ask(self, id: str, /, **arguments: Any) -> Any:
        """Run a command whose answer the user wants to see: the table or text comes to the front of the results.

        Returns
        -------
        object
            As of `run`.
        """
        return self.run(id, **arguments) if self.window is None else self.window.invoker.ask(id, **arguments)

    def fill_in(self, id: str, /, **arguments: Any) -> None:
        """Open the form of a command, which begins with these arguments; without a window there is none."""
        if self.window is not None:
            self.window.invoker.trigger(id, **arguments)

    def open_panel(self, id: str) -> Any:
        """Show a panel and return it; without a window there is none."""
        return self.window.panel(id) if self.window is not None else None

    def icon(self, name: str, color: str = "") -> QIcon:
        """Return an icon by its QtAwesome name, in the colour of the text of the theme, or in one of its own."""
        from jviz.api import themed_icon

        return themed_icon(name, color)

    # --- what the session tells -----------------------------------------------------------------

    def _run_by_window(self, id: str, arguments: dict[str, Any]) -> Any:
        command = all_commands().get(id)
        if command is not None and command.title.endswith("…") and not arguments:
            return self.window.invoker.trigger(id)
        return self.window.invoker.run(id, **arguments)

    def _submitted(self, id: str, arguments: dict[str, Any]) -> Job:
        job = self.session.submit(id, **arguments)
        self._own_jobs.add(job.number)
        return job

    def _job_changed(self, job: Job) -> None:
        if job.is_over and job.number in self._own_jobs:
            self._own_jobs.discard(job.number)
            if job.state == "failed":
                self.notify("error", str(job.error))

    def _noticed(self, level: str, text: str) -> None:
        notice = Notice(level, text)
        self.notices.append(notice)
        self.notice_added.emit(notice)

    def _check_active(self) -> None:
        if self._active is not None and self._active not in self.session.views.values():
            self._active = None
        self.active_changed.emit()


def _remover(records: LogKeeper) -> Callable[..., None]:
    return lambda *_: records.remove()


def built_panel(spec: PanelSpec, context: Context) -> QWidget:
    """Make a panel; one that raises becomes a note with the reason, and the window stays whole."""
    from jviz.plugins.parts import Broken

    try:
        widget = spec.factory(context)
        if not isinstance(widget, QWidget):
            raise TypeError(f"it made a {type(widget).__name__}, which is no QWidget")
    except Exception as error:
        widget = Broken(spec, error)
        context.notify("error", f"The panel {spec.title} ({spec.origin}) could not be made: {widget.reason}")
    widget.setAccessibleName(widget.accessibleName() or spec.title)
    return widget
