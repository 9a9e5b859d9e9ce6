"""Keeps one viewer widget for every view of the session."""

from __future__ import annotations

import logging
from collections import Counter
from contextlib import nullcontext
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QLabel, QVBoxLayout

from jviz.short_names import told_apart
from jviz.viewers.base import Viewer, viewer_type
from jviz.viewers.turns import in_turn
from jviz.views import ImageView, View

__all__ = ["Viewers"]

log = logging.getLogger(__name__)


class Viewers(QObject):
    """Makes, names and removes the viewers as the views of the session come and go.

    Parameters
    ----------
    window : MainWindow
    """

    def __init__(self, window: Any) -> None:
        super().__init__(window)
        self._window, self._session = window, window.session
        self._widgets: dict[View, Viewer] = {}
        self._names: dict[View, str] = {}
        self._places: dict[str, Any] = {}
        self._awaited: list[View] = []
        self._leading: View | None = None
        self._ahead: Viewer | None = None
        self._session.views_changed.connect(self.refresh)
        self._session.views_awaited.connect(self.prepare)
        self._session.data_changed.connect(self._retitle)
        window.central.activated.connect(self._activated)
        window.central.close_requested.connect(self._close)

    def by_name(self) -> dict[str, Viewer]:
        """Return the viewers in the order of the views."""
        return {view.name: self._widgets[view] for view in self._session.views.values() if view in self._widgets}

    def refresh(self) -> None:
        """Take away viewers whose views are gone; open one for the first new view, and soon those for the others.

        The first one comes in a turn of its own, too, when the view is what a job has made.
        """
        present = list(self._session.views.values())
        for view in [v for v in self._widgets if v not in present]:
            self._remove(view)
        new = [view for view in present if view not in self._widgets and view not in self._awaited]
        self._awaited = [view for view in self._awaited if view in present] + new
        if self._ahead is not None and self._ahead.state not in self._awaited:
            self._taken_ahead(None)
        if new:
            self._leading = new[0]
            if not self._session.dispatcher.is_draining:
                self._awaited.remove(new[0])
                self._add(new[0], front=True)
        if self._awaited:
            in_turn(self._add_next)
        self._retitle()

    def prepare(self, kinds: set[str | None]) -> None:
        """Import the viewers of some kinds before they are opened; in the thread that reads the files."""
        for kind in kinds - {None}:
            viewer_type(kind)

    def complete(self) -> None:
        """Open all viewers that are still to come."""
        self.refresh()
        while self._awaited:
            self._add_next()
        for viewer in self._widgets.values():
            viewer.appear()

    def complete_for_script(self) -> None:
        """Open them, from any thread, unless the session is being changed just now."""
        dispatcher = self._session.dispatcher
        if not dispatcher.is_here:
            dispatcher.ask(self.complete)
        elif not dispatcher.is_draining:
            self.complete()

    def _add_next(self) -> None:
        """Make the next viewer; in the turn after that put it into the window, and in one more have it painted."""
        if self._awaited and self._ahead is None:
            self._ahead = self._made(self._awaited[0])
        elif self._awaited:
            view = self._awaited.pop(0)
            viewer = self._add(view, front=view is self._leading)
            viewer.setUpdatesEnabled(False)
            in_turn(viewer.appear)
        if self._awaited:
            in_turn(self._add_next)

    def _taken_ahead(self, view: View | None) -> Viewer | None:
        """Return the viewer that was made ahead, when it is of this view; of another one it is needed no more."""
        viewer, self._ahead = self._ahead, None
        if viewer is None or viewer.state is view:
            return viewer
        viewer.release()
        viewer.deleteLater()
        return None

    def release(self) -> None:
        """Let go of all views."""
        self._awaited.clear()
        self._taken_ahead(None)
        self._session.views_changed.disconnect(self.refresh)
        self._session.views_awaited.disconnect(self.prepare)
        self._session.data_changed.disconnect(self._retitle)
        for view, viewer in self._widgets.items():
            view.remove_callback("layers", self._retitle)
            viewer.release()
        self._widgets.clear()

    # --- one viewer -----------------------------------------------------------------------------

    def _add(self, view: View, *, front: bool) -> Viewer:
        viewer = self._taken_ahead(view) or self._made(view)
        viewer.setAccessibleName(_tip(view))
        viewer.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        viewer.readout_changed.connect(partial(self._readout, view))
        viewer.files_dropped.connect(partial(self._dropped, view))
        viewer.activated.connect(lambda: self._window.central.activate(self._names[view], focus=False))
        view.add_callback("layers", self._retitle)
        self._widgets[view], self._names[view] = viewer, view.name
        title = self._titles()[view]
        central, is_below = self._window.central, view.below in self._window.central.names
        with central.adding_beside(view.below, "bottom") if is_below else nullcontext():
            central.add(view.name, viewer, title, _tip(view), front=front or is_below)
        if is_below:
            central.activate(view.below, focus=False)
        self._window.drops.watch(viewer)
        if hasattr(viewer, "run_command"):
            viewer.run_command = self._window.invoker.trigger
        return viewer

    def _made(self, view: View) -> Viewer:
        kind = viewer_type(view.kind)
        if kind is None:
            return NoViewer(self._session, view)
        try:
            return kind(self._session, view)
        except Exception as error:
            log.exception("The viewer of %s could not be made", view.name)
            self._session.notice("error", f"The viewer of {view.name} could not be made: {error}. The log has more.")
            return NoViewer(self._session, view)

    def _remove(self, view: View) -> None:
        viewer = self._widgets.pop(view)
        view.remove_callback("layers", self._retitle)
        self._window.central.remove(self._names.pop(view))
        self._window.statusBar().show_readout("")
        viewer.release()
        viewer.setParent(None)
        viewer.deleteLater()

    def _retitle(self, *_: Any) -> None:
        titles = self._titles()
        for view in self._widgets:
            self._window.central.set_title(self._names[view], titles.get(view, view.name), _tip(view))
            self._widgets[view].setAccessibleName(_tip(view))
        self._window.refresh_title()

    def _titles(self) -> dict[View, str]:
        """Return what stands on the tabs of all views: what each shows, and its own name where others show the same."""
        shown = {view: _shown(view) for view in self._session.views.values()}
        short, counts = told_apart(shown.values()), Counter(shown.values())
        beside = {view: f" · {view.name}" if counts[what] > 1 else "" for view, what in shown.items()}
        return {view: short[what] + beside[view] for view, what in shown.items()}

    # --- what the user does there ---------------------------------------------------------------

    def _activated(self, name: str) -> None:
        self._window.context.activate(self._session.views.get(name))
        self._window.refresh_title()

    def _close(self, name: str) -> None:
        self._window.invoker.run("view.close", view=self._session.views[name])

    def _readout(self, view: View, readout: Any) -> None:
        self._window.statusBar().show_readout("" if readout is None else readout.text)
        if readout is None or not isinstance(view, ImageView):
            # What a cursor points at in data pixels is known of images only.
            self._window.context.move_cursor(None)
        else:
            self._window.context.move_cursor(view, readout.x, readout.y)

    def _dropped(self, view: View, paths: list[Any], mode: str) -> None:
        self._window.open_files(paths, view=view, mode=mode)


class NoViewer(Viewer):
    """Stands for a view that nothing can draw."""

    def __init__(self, session: Any, state: View) -> None:
        super().__init__(session, state)
        label = QLabel(f"There is no viewer for views of kind “{state.kind}”. Is its plugin disabled?")
        label.setWordWrap(True)
        label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        QVBoxLayout(self).addWidget(label)

    def paintEvent(self, event: Any) -> None:
        self.has_painted = True
        super().paintEvent(event)


def _shown(view: View) -> str:
    """Say what a view shows in a few words."""
    names = list(dict.fromkeys(layer.data.name for layer in view.layers))
    if not names:
        return view.name
    return names[0] if len(names) == 1 else f"{names[0]} + {len(names) - 1}"


def _tip(view: View) -> str:
    names = ", ".join(dict.fromkeys(layer.data.name for layer in view.layers))
    return f"{view.name}: {names}" if names else view.name
