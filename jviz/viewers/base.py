"""What every viewer is: a widget that draws one view state of the session and holds none of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import shiboken6
from PySide6.QtCore import QEvent, QPoint, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QWidget

from jviz.session import Session
from jviz.viewers.kept import Kept
from jviz.viewers.look import Look
from jviz.viewers.post import post, post_office
from jviz.viewers.turns import in_turn
from jviz.views import State, View, declare_view

__all__ = ["Viewer", "viewer", "viewer_type", "viewer_types"]

OWN = {
    "image": "jviz.viewers.image",
    "cube": "jviz.viewers.cube",
    "channel_maps": "jviz.viewers.channel_maps",
    "ramp": "jviz.viewers.ramp",
    "profile": "jviz.viewers.plot.viewer",
    "spectrum": "jviz.viewers.spectrum.viewer",
    "table": "jviz.viewers.catalog.table",
    "scatter": "jviz.viewers.catalog.scatter",
    "histogram": "jviz.viewers.catalog.histogram",
    "association": "jviz.viewers.association.viewer",
}
"""Modules of jviz's own viewers by the kind of view they draw."""

RESTYLING = (QEvent.Type.PaletteChange, QEvent.Type.FontChange, QEvent.Type.StyleChange)
"""Events after which a viewer looks different."""

_viewers: dict[str, type[Viewer]] = {}
_alive: dict[int, Viewer] = {}
"""Viewers that Qt has not deleted: the garbage collector may run in any thread, and must not delete a widget there."""


def viewer(*, kind: str, title: str, view: type[View]) -> Callable[[type[Viewer]], type[Viewer]]:
    """Declare a class of viewers; the window opens one for each view state of that kind.

    Parameters
    ----------
    kind : str
        As in ``session.view(kind)``.
    title : str
        What a user reads in menus.
    view : type of View
        Class of the state that it draws.
    """

    def register(cls: type[Viewer]) -> type[Viewer]:
        cls.kind, cls.title = kind, title
        view.kind = kind
        declare_view(view)
        _viewers[kind] = cls
        return cls

    return register


def viewer_type(kind: str) -> type[Viewer] | None:
    """Return the viewer of one kind, None when there is none; its module is imported when it is first asked for."""
    if kind not in _viewers and kind in OWN:
        import_module(OWN[kind])
    return _viewers.get(kind)


def viewer_types() -> dict[str, type[Viewer]]:
    """Return the declared viewers by kind, those of jviz first; imports all of them."""
    for module in OWN.values():
        import_module(module)
    return dict(_viewers)


class Viewer(QWidget):
    """Draws a view state; subclasses implement ``paintEvent`` (or hold other widgets) and `refresh`.

    Parameters
    ----------
    session : Session
    state : View
        The same object as in ``session.views``.

    Attributes
    ----------
    has_painted : bool
        Whether the first picture has been on screen.
    readout_changed : Signal
        With what is under the cursor (see `jviz.viewers.readout.Readout`), or None.
    files_dropped : Signal
        With a list of paths and "add" or "replace".
    activated : Signal
        The user began to work in this viewer.
    resized : Signal
    """

    kind: ClassVar[str] = ""
    title: ClassVar[str] = ""
    takes_long: ClassVar[bool] = False
    """Whether `refresh` takes more than a few milliseconds, and so has a turn of the event loop of its own."""
    readout_changed = Signal(object)
    files_dropped = Signal(list, str)
    activated = Signal()
    resized = Signal()

    def __init__(self, session: Session, state: View, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session, self.state = session, state
        self.has_painted = False
        self.kept = Kept()
        self._watched: dict[State, None] = {}
        self._later = QTimer(self, singleShot=True, interval=0)
        self._later.timeout.connect(self._refresh_soon)
        _alive[id(self)] = self
        self.destroyed.connect(partial(_forget, id(self)))
        post_office()
        session.settings.changed.connect(self._setting_changed)
        self._watch()
        self._later.start()

    def wear(self, look: Look) -> None:
        """Draw with other colours and another font than those of the theme (for files)."""
        self._look: Look | None = look

    def _refresh_soon(self) -> None:
        if self.takes_long:
            in_turn(self.refresh)
        else:
            self.refresh()

    def refresh(self) -> None:
        """Show the state as it is now; called once after any number of changes."""
        self.update()

    def update(self, *area: Any) -> None:
        """Have the viewer painted anew, soon."""
        self.kept.forget()
        super().update(*area)

    @property
    def is_sharp(self) -> bool:
        """Whether nothing better than what is drawn is still to come."""
        return self.has_painted

    def grab(self, *_: Any) -> QImage:  # type: ignore[override]
        """Return what the viewer shows, in screen pixels (an image, unlike `QWidget.grab`)."""
        ratio = self.devicePixelRatioF()
        image = QImage(_times(self.size(), ratio), QImage.Format.Format_ARGB32_Premultiplied)
        image.setDevicePixelRatio(ratio)
        image.fill(Qt.GlobalColor.transparent)
        with QPainter(image) as painter:
            self.draw(painter)
        return image

    def draw(self, painter: QPainter) -> None:
        """Draw all of the viewer with its top left corner at the origin."""
        self.render(painter, QPoint())

    def save(self, path: str | Path, size: tuple[int, int] | None = None) -> Path:
        """Draw the view into a PNG, PDF or SVG file.

        Parameters
        ----------
        size : (int, int), optional
            Width and height in pixels; by default as on the screen.

        Raises
        ------
        JvizError
            When the file cannot be written, or is of a type that jviz does not write.
        """
        from jviz.viewers.picture import save

        if size is None:
            shown = _times(self.size(), self.devicePixelRatioF())
            size = (shown.width(), shown.height())
        return save(self.session, self.state, Path(path), size)

    def stir(self) -> None:
        """Ask for a `refresh`; from any thread."""
        if threading.current_thread() is not threading.main_thread():
            post(self.stir)
        elif shiboken6.isValid(self):
            self._later.start()

    def appear(self) -> None:
        """Paint from now on, where a window has put that off."""
        self.setUpdatesEnabled(True)

    def release(self) -> None:
        """Stop listening to the state; the widget is about to go."""
        self._later.stop()
        self.session.settings.changed.disconnect(self._setting_changed)
        for state in self._watched:
            state.remove_global_callback(self._state_changed)
        self._watched.clear()

    def event(self, event: QEvent) -> bool:
        """Let go of the state when Qt deletes the widget."""
        kind = event.type()
        if kind == QEvent.Type.DeferredDelete:
            self.release()
        elif kind == QEvent.Type.Hide:
            self.kept.forget()
        elif kind == QEvent.Type.FocusIn:
            self.activated.emit()
        elif kind == QEvent.Type.Resize:
            self.resized.emit()
        return super().event(event)

    def _watch(self) -> None:
        # There may be a thousand layers, of which most stay.
        wanted = dict.fromkeys([self.state, *self.state.layers])
        for state in self._watched.keys() - wanted.keys():
            state.remove_global_callback(self._state_changed)
        for state in wanted.keys() - self._watched.keys():
            state.add_global_callback(self._state_changed)
        self._watched = wanted

    def _setting_changed(self, key: str) -> None:
        self.stir()

    def _state_changed(self, **values: Any) -> None:
        if "layers" in values:
            self._watch()
        self.stir()


def _forget(number: int, *_: Any) -> None:
    """Let go of a viewer that Qt has deleted, and have it let go of everything.

    It is in a cycle of references, and one that was there when imports were spared from the search for garbage
    (`gc.freeze`) is never collected.
    """
    viewer = _alive.pop(number, None)
    if viewer is not None:
        vars(viewer).clear()


def _times(size: QSize, ratio: float) -> QSize:
    return QSize(max(1, round(size.width() * ratio)), max(1, round(size.height() * ratio)))
