"""The image viewer: a canvas that draws an image view of the session and answers mouse and keys."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import shiboken6
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QTouchEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from jviz.backend.render import kernels
from jviz.errors import JvizError
from jviz.geometry import Geometry
from jviz.session import Session
from jviz.viewers.base import Viewer, viewer
from jviz.viewers.drops import DropZones
from jviz.viewers.image_compare import Companion
from jviz.viewers.image_frame import Frame, frame_of
from jviz.viewers.image_keys import key_action
from jviz.viewers.image_layers import Compositor, raster_of
from jviz.viewers.image_loading import Loader, preparer_of, warm_up
from jviz.viewers.image_mouse import Gesture, gesture_for, pinch, wheel
from jviz.viewers.image_needs import Need, SkyNeed, fulfil, missing
from jviz.viewers.image_overlays import draw_band, lens, overview
from jviz.viewers.image_paint import paint, scene_of
from jviz.viewers.image_tools import cursor_of, overlays
from jviz.viewers.image_touch import Fingers
from jviz.viewers.look import Look
from jviz.viewers.menu import command_menu
from jviz.viewers.post import post
from jviz.viewers.readout import Readout, read_out
from jviz.views import ImageView

__all__ = ["ImageViewer"]

MUCH = 2_000_000
"""Pixels of a picture above which it is drawn at half resolution while it moves."""

FIRST_LOOKS = 1.5
"""Seconds after the first picture in which half its resolution will do, if the fast kernels are being loaded."""

REST = 140
"""Milliseconds without a change after which the view rests."""


@viewer(kind="image", title="Image", view=ImageView)
class ImageViewer(Viewer):
    """Draws images: layers, axes, colour bar and what else the state asks for.

    Attributes
    ----------
    run_command : callable
        ``run_command(id)`` is called for an entry of the context menu; the window puts its own here,
        which asks for arguments where a command needs them.
    """

    def __init__(self, session: Session, state: ImageView, parent: QWidget | None = None) -> None:
        self.compositor = Compositor()
        self.gesture: Gesture | None = None
        self._cursor: QPointF | None = None
        self.is_space_down = False
        self._moving = False
        self._look: Look | None = None
        self._first_looks_end = math.inf
        self.run_command: Callable[[str], Any] = self._run_command
        super().__init__(session, state, parent)
        self.loader = Loader(session)
        self.loader.arrived.connect(self.stir)
        self._preparer = preparer_of(session)
        self._preparer.prepared.connect(self.stir)
        warm_up().ended.connect(self._warm)
        self._rest = QTimer(self, singleShot=True, interval=REST)
        self._rest.timeout.connect(self._come_to_rest)
        self.drops = DropZones(self)
        self.fingers = Fingers(self)
        self.companion = Companion(self)
        self.setMouseTracking(True)
        self.setAcceptDrops(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        session.interaction.changed.connect(self._show_cursor)
        self._heard = [session.subsets_changed, session.interaction.selection_changed]
        self._heard += [signal for overlay in overlays() for signal in overlay.signals(session)]
        for signal in self._heard:
            signal.connect(self._overlays_changed)
        self._show_cursor()
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMinimumSize(80, 60)
        self._describe()

    # --- state to picture -----------------------------------------------------------------------

    @property
    def look(self) -> Look:
        """Colours and font of the theme."""
        if self._look is None:
            self._look = Look.of(self)
        return self._look

    def frame_now(self) -> Frame:
        """Return where the parts of the viewer lie; tells the state how large the picture is."""
        frame = frame_of(self.state, self.width(), self.height(), self.look)
        self.state.viewport = (frame.picture.width(), frame.picture.height())
        return frame

    def geometry_now(self) -> Geometry:
        """Return the map between the picture and data pixels."""
        return self.frame_now().geometry(self.state)

    @property
    def pixels_ratio(self) -> float:
        """Pixels of the picture per logical pixel: those of the screen, or half of them while the picture moves
        and is large or the fast kernels are not there yet, and for the first look without them.
        """
        ratio = self.devicePixelRatioF()
        slow = self.width() * self.height() * ratio * ratio > MUCH or not kernels.ready
        first = not (self.has_painted or kernels.ready)
        return ratio / 2 if first or (self._moving and slow) else ratio

    @property
    def is_sharp(self) -> bool:
        """Whether nothing better than what is drawn is still to come, pyramids included."""
        rasters = [raster_of(layer) for layer in self.state.layers if layer.visible]
        pending = any(r is not None and not r.sharp and self._preparer.is_pending(r) for r in rasters)
        pending = pending or not warm_up().is_over
        waiting = self._later.isActive() or self._moving or self.loader.busy
        return self._is_under_way and not pending and not waiting and not self.loader.open_needs(self._needs())

    @property
    def _is_under_way(self) -> bool:
        """Whether the first picture is out, or nobody is there to see it; until then nothing else may take time."""
        return self.has_painted or not self.isVisible()

    def refresh(self) -> None:
        """Look for what is missing in memory, have it fetched, and paint what there is."""
        self.companion.follow()
        if not self.isVisible():
            warm_up().begin()
        self.loader.want(need for need in self._needs() if warm_up().is_over or not isinstance(need, SkyNeed))
        self._rest.start()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint from what is in memory."""
        painter = QPainter(self)
        try:
            drawn = self._paint(painter, self.pixels_ratio)
        finally:
            painter.end()
        if drawn and not self.has_painted:
            self.has_painted = True
            post(self._after_first_paint)

    def draw(self, painter: QPainter) -> None:
        """Draw all of the viewer, as exactly as it can be now: waits for what is not in memory, not for pyramids."""
        self._moving = False
        try:
            fulfil(self.state, self.geometry_now(), self.devicePixelRatioF(), self.compositor, build=False)
        except (JvizError, OSError) as error:
            self.session.notice("error", str(error))
        self._paint(painter, self.devicePixelRatioF())

    def _paint(self, painter: QPainter, pixels_ratio: float) -> bool:
        scene = scene_of(
            self.state, self.width(), self.height(), self.look, self.compositor,
            ratio=self.devicePixelRatioF(), origin=self.session.settings["image.pixel_origin"],
            cursor=self._inside(), fast=True, session=self.session,
        )  # fmt: skip
        self.state.viewport = (scene.frame.picture.width(), scene.frame.picture.height())
        drawn = paint(painter, scene, pixels_ratio=pixels_ratio)
        if scene.unfinished:
            self._later.start()
        band = self.gesture.band() if self.gesture is not None else None
        if band is not None:
            draw_band(painter, band, self.look)
        if self.gesture is not None:
            self.gesture.draw(painter)
        self.drops.draw(painter, self.look)
        return drawn

    def _needs(self) -> list[Need]:
        if not self.state.layers:
            return []
        geometry, ratio = self.geometry_now(), self.pixels_ratio
        needs = list(missing(self.state, geometry, ratio, self.compositor, settled=not self._moving))
        insets = (
            overview(self.state, geometry) if self.state.overview else None,
            lens(self.state, geometry, self._inside(), self.look) if self.state.magnifier else None,
        )
        for inset in insets:
            if inset is not None:
                needs += missing(self.state, inset.geometry, ratio, self.compositor, slot=inset.slot)
        return needs

    def _state_changed(self, **values: Any) -> None:
        super()._state_changed(**values)
        if self._rest.isActive() and values.keys() - {"shown_limits"}:
            # One change after the other: a drag in a panel, or a script that moves the picture.
            self._moving = True
        if "layers" in values:
            self.loader.forget_failures()

    def _after_first_paint(self) -> None:
        self._first_looks_end = time.monotonic() + FIRST_LOOKS
        QTimer.singleShot(round(1000 * FIRST_LOOKS) + 1, self, self.stir)
        warm_up().begin()
        self._warm()

    def _warm(self) -> None:
        """Go on with what waited for the fast kernels."""
        if shiboken6.isValid(self):
            self.stir()
            self._prepare()

    def _prepare(self) -> None:
        """Have the pyramids of all images built."""
        if not (warm_up().is_over and self._is_under_way):
            return
        for layer in self.state.layers:
            raster = raster_of(layer) if layer.visible else None
            if raster is not None:
                self._preparer.prepare(layer.data.name, raster)

    def _come_to_rest(self) -> None:
        """Draw in full resolution and tell assistive programs what is shown."""
        self._describe()
        self._prepare()
        self._tell_readout()
        if self._moving and self.gesture is None:
            self._moving = False
            self.refresh()

    def _describe(self) -> None:
        names = ", ".join(layer.data.name for layer in self.state.layers) or "empty"
        self.setAccessibleName(f"{self.state.name}: {names}")
        if self.state.layers:
            geometry = self.geometry_now()
            x, y = geometry.centre
            self.setAccessibleDescription(f"Image at {100 * geometry.scale:.3g} %, centred on pixel {x:.1f}, {y:.1f}")

    # --- mouse ----------------------------------------------------------------------------------

    def _inside(self) -> QPointF | None:
        """Return the cursor as seen from the corner of the picture, None when it is not over it."""
        if self._cursor is None:
            return None
        frame = self.frame_now()
        return frame.inside(self._cursor) if frame.picture.contains(self._cursor) else None

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
        elif any(overlay.double_click(self, event) for overlay in reversed(overlays())):
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
            shapes = (overlay.cursor(self, at) for overlay in reversed(overlays()))
            found = next((shape for shape in shapes if shape is not None), None)
        self.setCursor(found if found is not None else cursor_of(self.session.interaction.tool))

    def _overlays_changed(self, *_: Any) -> None:
        self.update()

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
        if event.type() == QEvent.Type.KeyPress and event.key() in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
            action = key_action(self, event)
            if action is not None:  # Qt would move the focus before the viewer sees the key
                action()
                return True
        if event.type() == QEvent.Type.ShortcutOverride and key_action(self, event) is not None:
            event.accept()
            return True
        if isinstance(event, QNativeGestureEvent) and self.state.layers and pinch(self, event):
            return True
        if isinstance(event, QTouchEvent) and self.fingers.take(event):
            return True
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._look = None
            self._later.start()
        return super().event(event)

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
        menu = command_menu(self, "image", lambda id: self.run_command(id))
        here = QPointF(self.mapFromGlobal(position))
        own = [action for overlay in reversed(overlays()) for action in overlay.menu(self, here)]
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

    def _run_command(self, id: str) -> None:
        try:
            if self.session.commands[id].job:
                self.session.submit(id, view=self.state)
            else:
                self.session.run(id, view=self.state)
        except JvizError as error:
            self.session.notice("error", str(error))

    # --- the rest -------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Tell the state how large the picture is now."""
        self.frame_now()
        self._later.start()

    def dragEnterEvent(self, event: Any) -> None:
        """Show where files can be dropped."""
        self.drops.enter(event)

    def dragMoveEvent(self, event: Any) -> None:
        """Follow the files over the zones."""
        self.drops.move(event)

    def dragLeaveEvent(self, event: Any) -> None:
        """Hide the zones."""
        self.drops.leave()

    def dropEvent(self, event: Any) -> None:
        """Take files, or data of the session."""
        self.drops.drop(event)

    def release(self) -> None:
        """Stop fetching, and stop listening to the state."""
        self._rest.stop()
        self.companion.release()
        self.session.interaction.changed.disconnect(self._show_cursor)
        for signal in self._heard:
            signal.disconnect(self._overlays_changed)
        self.loader.close()
        super().release()
