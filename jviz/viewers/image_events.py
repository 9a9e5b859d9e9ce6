"""What mouse and keys do in an image viewer: events become gestures, readings and what overlays make of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QTouchEvent,
    QWheelEvent,
)

from jviz.errors import JvizError
from jviz.geometry import Geometry
from jviz.viewers.base import RESTYLING, Viewer
from jviz.viewers.image_frame import Frame
from jviz.viewers.image_keys import key_action
from jviz.viewers.image_mouse import Gesture, gesture_for, pinch, wheel
from jviz.viewers.image_tools import cursor_of, overlays_of
from jviz.viewers.image_touch import Fingers
from jviz.viewers.look import Look
from jviz.viewers.menu import command_menu
from jviz.viewers.readout import Readout, read_out

__all__ = ["ImageEvents"]


class ImageEvents(Viewer):
    """The hands of an image viewer; `jviz.viewers.image.ImageViewer` is its eyes.

    Attributes
    ----------
    gesture : Gesture or None
        What the mouse is doing now.
    is_space_down : bool
        Whether the left button pans whatever tool is in hand.
    """

    gesture: Gesture | None
    is_space_down: bool
    run_command: Callable[[str], Any]
    fingers: Fingers
    frame_now: Callable[[], Frame]
    geometry_now: Callable[[], Geometry]
    _cursor: QPointF | None
    _look: Look | None
    _moving: bool
    _rest: QTimer

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a gesture, or go on with it."""
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        self.activated.emit()
        if self.gesture is not None and event.button() == Qt.MouseButton.LeftButton:
            self.gesture.modifiers = event.modifiers()
            self.gesture.press(event.position())
            self._end_if_over()
        elif self.gesture is None and self.state.layers:
            self._seal()
            self.gesture = gesture_for(self, event)
            if self.gesture is not None:
                self.gesture.modifiers = event.modifiers()
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow the gesture, or read what is under the cursor."""
        self._cursor = event.position()
        if self.gesture is not None:
            before = self.gesture.moved
            self.gesture.modifiers = event.modifiers()
            self.gesture.move(event.position())
            self._moving = self._moving or (self.gesture.navigates and self.gesture.moved)
            if self.gesture.moved and not before:
                self.setCursor(self.gesture.cursor)
        else:
            self._show_cursor()
        self._tell_readout()
        if self.state.magnifier:
            self._later.start()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End the gesture, unless it goes on: one step of the history."""
        gesture = self.gesture
        if gesture is None:
            return
        gesture.modifiers = event.modifiers()
        if gesture.moved:
            gesture.move(event.position())
        gesture.finish(event.position())
        self._end_if_over()

    def _end_if_over(self) -> None:
        gesture = self.gesture
        if gesture is None or gesture.goes_on:
            return
        self.gesture = None
        gesture.leave()
        self._show_cursor()
        if gesture.moved:
            self._seal()
        self.update()
        self._rest.start()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Centre on the point that was clicked, unless it is for the gesture or something over the picture."""
        if event.button() != Qt.MouseButton.LeftButton or not self.state.layers:
            return
        if self.gesture is not None:
            self.gesture.double_click(event.position())
            self._end_if_over()
        elif any(overlay.double_click(self, event) for overlay in reversed(overlays_of(self.state))):
            return
        elif self.session.interaction.tool == "pan":
            at = self.frame_now().inside(event.position())
            self._seal()
            self.state.centre = self.geometry_now().to_data(at.x(), at.y())
            self._seal()

    @property
    def cursor_position(self) -> QPointF | None:
        """Where the cursor is in the viewer, None when it is elsewhere."""
        return self._cursor

    def give_up(self) -> None:
        """Give up the gesture that goes on."""
        gesture, self.gesture = self.gesture, None
        if gesture is not None:
            gesture.cancel()
            gesture.leave()
            self._show_cursor()
            self.update()

    def end_gesture_with(self, last: Callable[[], Any]) -> Callable[[], None]:
        """Return a function that does the last of the gesture and ends it."""

        def end() -> None:
            last()
            self._end_if_over()

        return end

    def _show_cursor(self) -> None:
        """Show what a press would do here."""
        if self.is_space_down:
            self.setCursor(Qt.CursorShape.OpenHandCursor)
            return
        at, found = self._cursor, None
        if at is not None and self.state.layers:
            shapes = (overlay.cursor(self, at) for overlay in reversed(overlays_of(self.state)))
            found = next((shape for shape in shapes if shape is not None), None)
        self.setCursor(found if found is not None else cursor_of(self.session.interaction.tool))

    # --- keys -----------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Let gesture, overlays and tools have their keys."""
        action = key_action(self, event)
        if action is None:
            super().keyPressEvent(event)
            return
        action()
        event.accept()

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """End panning with Space, and what keys move."""
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self.hold_space(False)
        super().keyReleaseEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Forget the keys that are held."""
        self.hold_space(False)
        super().focusOutEvent(event)

    def hold_space(self, down: bool) -> None:
        """Let the left button pan while Space is down."""
        if down != self.is_space_down:
            self.is_space_down = down
            self._show_cursor()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom at the cursor."""
        if self.state.layers:
            self._moving = True
            wheel(self, event)
            self._tell_readout()
        event.accept()

    def event(self, event: QEvent) -> bool:
        """Take pinches of touch pads, and changes of theme and font."""
        kind = event.type()
        if kind == QEvent.Type.KeyPress and event.key() in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
            action = key_action(self, event)
            if action is not None:  # Qt would move the focus before the viewer sees the key
                action()
                return True
        elif kind == QEvent.Type.ShortcutOverride and key_action(self, event) is not None:
            event.accept()
            return True
        elif isinstance(event, QNativeGestureEvent | QTouchEvent) and self._touched(event):
            return True
        elif kind in RESTYLING:
            self._look = None
            self._later.start()
        return super().event(event)

    def _touched(self, event: QNativeGestureEvent | QTouchEvent) -> bool:
        if isinstance(event, QTouchEvent):
            return self.fingers.take(event)
        return bool(self.state.layers) and pinch(self, event)

    def leaveEvent(self, event: QEvent) -> None:
        """Forget the cursor."""
        self._cursor = None
        self.session.pointer.move(None)
        self.readout_changed.emit(None)
        if self.state.magnifier:
            self.update()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Show the menu for the menu key; for the mouse its release decides, because a drag shows none."""
        if event.reason() != QContextMenuEvent.Reason.Mouse:
            self.show_menu(event.globalPos())
        event.accept()

    def show_menu(self, position: QPoint) -> None:
        """Show the menu of what is at a place of the screen, and of commands on images."""
        menu = command_menu(self, self.state.kinds(), lambda id: self.run_command(id))
        here = QPointF(self.mapFromGlobal(position))
        own = [action for overlay in reversed(overlays_of(self.state)) for action in overlay.menu(self, here)]
        if own:
            before = menu.actions()[0]
            for action in own:
                action.setParent(menu)
            menu.insertActions(before, own)
            menu.insertSeparator(before)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(position)

    def readout(self, position: QPointF) -> Readout | None:
        """Return what is under a position of the viewer, None beside the picture."""
        frame = self.frame_now()
        if not self.state.layers or not frame.picture.contains(position):
            return None
        at = frame.inside(position)
        x, y = frame.geometry(self.state).to_data(at.x(), at.y())
        return read_out(self.state, float(x), float(y), origin=self.session.settings["image.pixel_origin"])

    def _tell_readout(self) -> None:
        if self._cursor is None:
            return
        try:
            found = self.readout(self._cursor)
            self.session.pointer.move(*((self.state, found.x, found.y) if found is not None else (None,)))
            self.readout_changed.emit(found)
        except (JvizError, OSError) as error:
            self.readout_changed.emit(None)
            self.session.notice("error", str(error))

    def _seal(self) -> None:
        self.session.flush()
        self.session.history.seal()
