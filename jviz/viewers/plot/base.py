"""What viewers with axes share: a picture in a frame that is moved and zoomed by mouse, wheel and keys."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt
from PySide6.QtGui import (
    QContextMenuEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from jviz.errors import JvizError
from jviz.session import Session
from jviz.viewers.base import RESTYLING, Viewer
from jviz.viewers.drops import DropZones
from jviz.viewers.look import Look
from jviz.viewers.menu import command_menu
from jviz.viewers.plot.frame import Frame
from jviz.viewers.zoom_band import draw_band
from jviz.views import View

__all__ = ["AxesViewer"]

TREMOR = 4.0
"""Pixels that a click may move."""


class AxesViewer(Viewer):
    """Draws something in a frame with axes; its state has ``x_range`` and ``y_range``.

    Drag moves, the wheel zooms along x (Shift: along y), Ctrl and drag zooms to a box. Subclasses implement
    `scene_now`, `paint` and `readout`.
    """

    def __init__(self, session: Session, state: View, parent: QWidget | None = None) -> None:
        self._look: Look | None = None
        self._cursor: QPointF | None = None
        self._start: tuple[QPointF, Frame, dict[str, Any], bool] | None = None
        self._band: QRectF | None = None
        super().__init__(session, state, parent)
        self.run_command = self._run_command
        self.drops = DropZones(self)
        self.setMouseTracking(True)
        self.setAcceptDrops(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMinimumSize(80, 60)

    # --- picture --------------------------------------------------------------------------------

    @property
    def look(self) -> Look:
        """Colours and font of the theme."""
        if self._look is None:
            self._look = Look.of(self)
        return self._look

    def scene_now(self) -> Frame:
        """Lay out the view in the present size."""
        raise NotImplementedError

    def paint(self, painter: QPainter, scene: Any) -> None:
        """Paint a scene, on the screen or into a file."""
        raise NotImplementedError

    def readout(self, position: QPointF) -> Any:
        """Return what is under a position, with a ``text``; None for nothing."""
        return None

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the picture and what the mouse is doing."""
        with QPainter(self) as painter:
            scene = self.scene_now()
            self.paint(painter, scene)
            if self._band is not None:
                draw_band(painter, self._band, self.look)
            self.drops.draw(painter, self.look)
        self.has_painted = True

    def draw(self, painter: QPainter) -> None:
        """Draw what is on the screen."""
        self.paint(painter, self.scene_now())

    def event(self, event: QEvent) -> bool:
        """Take over changes of theme and font."""
        if event.type() in RESTYLING:
            self._look = None
            self.stir()
        return super().event(event)

    # --- mouse and keys -------------------------------------------------------------------------

    @property
    def is_filled(self) -> bool:
        """Whether there is something that mouse and wheel can move."""
        return bool(self.state.layers)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin to move the picture, or to draw a box."""
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        self.activated.emit()
        left = event.button() == Qt.MouseButton.LeftButton
        if (left or event.button() == Qt.MouseButton.MiddleButton) and self.is_filled:
            box = not left or bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
            before = {"x_range": self.state.x_range, "y_range": self.state.y_range}
            self._seal()
            self._start = (event.position(), self.scene_now(), before, box)
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow the mouse, or read the nearest sample."""
        self._cursor = event.position()
        if self._start is None:
            self.readout_changed.emit(self.readout(event.position()))
            return
        start, scene, _, box = self._start
        if (event.position() - start).manhattanLength() < TREMOR and self._band is None:
            return
        if box:
            self._band = QRectF(start, event.position()).normalized().intersected(scene.picture)
            self.update()
        else:
            moved = event.position() - start
            values: dict[str, Any] = {"x_range": scene.x.moved(moved.x())}
            # Up and down only when y was set by hand: else the heights follow what is in sight.
            if self.state.y_range is not None or event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
                values["y_range"] = scene.y.moved(moved.y())
            self.state.update(**values)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End the gesture: one step of the history."""
        if self._start is None:
            return
        (_, scene, _, _), band = self._start, self._band
        self._start = self._band = None
        if band is not None and band.width() > TREMOR:
            values: dict[str, Any] = {"x_range": (scene.x.value(band.left()), scene.x.value(band.right()))}
            if band.height() > 0.1 * scene.picture.height():
                values["y_range"] = (scene.y.value(band.bottom()), scene.y.value(band.top()))
            self.state.update(**values)
        self._seal()
        self.update()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Show all again."""
        self._seal()
        self.state.update(x_range=None, y_range=None)
        self._seal()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom at the cursor: along x, with Shift along y."""
        delta = event.angleDelta()
        steps = (delta.y() or delta.x()) / 120
        if steps and self.is_filled:
            factor, scene, at = self.session.settings["image.zoom_step"] ** steps, self.scene_now(), event.position()
            if event.modifiers() & Qt.KeyboardModifier.ShiftModifier or at.x() < scene.picture.left():
                self.state.y_range = scene.y.zoomed(at.y(), factor)
            else:
                self.state.x_range = scene.x.zoomed(at.x(), factor)
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move with the arrows, zoom with + and −, show all with Home, give a drag up with Escape."""
        key, scene = event.key(), self.scene_now()
        far = 0.15 * scene.picture.width()
        if key == Qt.Key.Key_Escape and self._start is not None:
            self.state.update(**self._start[2])
            self._start = self._band = None
            self.update()
        elif key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            self.state.x_range = scene.x.moved(far if key == Qt.Key.Key_Left else -far)
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Minus):
            factor = 0.5 if key == Qt.Key.Key_Minus else 2.0
            self.state.x_range = scene.x.zoomed(scene.picture.center().x(), factor)
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_F):
            self.state.update(x_range=None, y_range=None)
        else:
            super().keyPressEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        """Forget the cursor."""
        self._cursor = None
        self.readout_changed.emit(None)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Show the commands on plots."""
        menu = command_menu(self, (self.kind, *self.state.accepts), lambda id: self.run_command(id))
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(event.globalPos())
        event.accept()

    def _seal(self) -> None:
        self.session.flush()
        self.session.history.seal()

    def _run_command(self, id: str) -> None:
        try:
            self.session.run(id, view=self.state)
        except JvizError as error:
            self.session.notice("error", str(error))
