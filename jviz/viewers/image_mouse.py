"""What mouse, wheel and touch pad do in an image viewer: a gesture sets the state, and is one step of the history."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent, QMouseEvent, QNativeGestureEvent, QPainter, QWheelEvent

from jviz.geometry import MOST_ASPECT, Geometry, fitting_scale
from jviz.viewers.image_overlays import overview
from jviz.viewers.image_tools import overlays_of, tool_gesture

if TYPE_CHECKING:
    from jviz.viewers.image import ImageViewer

__all__ = ["Gesture", "gesture_for", "pinch", "wheel", "zoom_at"]

LEAST_SCALE, MOST_SCALE = 1e-5, 1e3


def zoom_at(viewer: ImageViewer, position: QPointF, factor: float) -> None:
    """Zoom by a factor and keep the data point under a position of the viewer where it is."""
    view, geometry = viewer.state, viewer.geometry_now()
    at = viewer.frame_now().inside(position)
    scale = min(max(geometry.scale * factor, LEAST_SCALE), MOST_SCALE)
    x, y = geometry.to_data(at.x(), at.y())
    share = geometry.scale / scale
    centre = (x + (geometry.centre[0] - x) * share, y + (geometry.centre[1] - y) * share)
    view.update(centre=centre, scale=scale)


def stretch_at(viewer: ImageViewer, position: QPointF, factor: float) -> None:
    """Draw pixels higher by a factor and keep the data point under a position of the viewer where it is."""
    view, geometry = viewer.state, viewer.geometry_now()
    at = viewer.frame_now().inside(position)
    aspect = min(max(geometry.aspect * factor, 1 / MOST_ASPECT), MOST_ASPECT)
    y = geometry.to_data(at.x(), at.y())[1]
    centre = (geometry.centre[0], y + (geometry.centre[1] - y) * geometry.aspect / aspect)
    view.update(centre=centre, scale=geometry.scale, aspect=aspect)


def wheel(viewer: ImageViewer, event: QWheelEvent) -> None:
    """Zoom at the cursor, with Shift along y alone; touch pads send fractions of a step."""
    delta = event.angleDelta()
    steps = (delta.y() or delta.x()) / 120
    if steps:
        change = stretch_at if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else zoom_at
        change(viewer, event.position(), viewer.session.settings["image.zoom_step"] ** steps)


def pinch(viewer: ImageViewer, event: QNativeGestureEvent) -> bool:
    """Zoom as two fingers on a touch pad move apart; returns whether the event was one of those."""
    if event.gestureType() != Qt.NativeGestureType.ZoomNativeGesture:
        return False
    zoom_at(viewer, event.position(), max(0.2, 1 + event.value()))
    return True


class Gesture:
    """A drag from press to release, or (while ``goes_on``) a row of clicks.

    Attributes
    ----------
    modifiers : Qt.KeyboardModifier
        The keys that are held now.
    goes_on : bool
        Whether it lasts beyond the release of the button; `press`, `double_click` and `key` tell what follows.
    """

    cursor = Qt.CursorShape.CrossCursor
    navigates = False
    goes_on = False
    modifiers = Qt.KeyboardModifier.NoModifier

    def __init__(self, viewer: ImageViewer, start: QPointF) -> None:
        self.viewer, self.start = viewer, start
        self.view = viewer.state
        self.geometry: Geometry = viewer.geometry_now()
        self.moved = False

    def move(self, position: QPointF) -> None:
        """Follow the mouse; small tremors of a click count as none."""
        distance = (position - self.start).manhattanLength()
        if not self.moved and distance < QGuiApplication.styleHints().startDragDistance() / 2:
            return
        self.moved = True
        self.drag(position)

    def drag(self, position: QPointF) -> None:
        """Set the state as it is with the mouse here."""

    def finish(self, position: QPointF) -> None:
        """End the drag."""

    def press(self, position: QPointF) -> None:
        """Take another press of the left button."""

    def double_click(self, position: QPointF) -> None:
        """Take a double click."""

    def key(self, event: QKeyEvent) -> Callable[[], Any] | None:
        """Return what a key does, None for keys of others."""
        return None

    def cancel(self) -> None:
        """Put back what there was before."""

    def leave(self) -> None:
        """Tidy up: the gesture is over, whatever came of it."""

    def draw(self, painter: QPainter) -> None:
        """Draw over the viewer while the gesture lasts, in its coordinates."""

    def band(self) -> QRectF | None:
        """Return a rectangle to draw while the drag lasts, in coordinates of the viewer."""
        return None


class Pan(Gesture):
    """Moves the picture with the mouse."""

    cursor = Qt.CursorShape.ClosedHandCursor
    navigates = True

    def __init__(self, viewer: ImageViewer, start: QPointF) -> None:
        super().__init__(viewer, start)
        self.before = viewer.state.centre

    def drag(self, position: QPointF) -> None:
        linear = self.geometry.matrix[:, :2]
        moved = linear @ (position.x() - self.start.x(), position.y() - self.start.y())
        self.view.centre = tuple(np.subtract(self.geometry.centre, moved).tolist())

    def cancel(self) -> None:
        self.view.centre = self.before


class OverviewPan(Gesture):
    """Moves the part in view to where the mouse is in the overview."""

    cursor = Qt.CursorShape.ClosedHandCursor
    navigates = True

    def __init__(self, viewer: ImageViewer, start: QPointF) -> None:
        super().__init__(viewer, start)
        self.before = viewer.state.centre
        self.moved = True
        self.drag(start)

    def drag(self, position: QPointF) -> None:
        inset = overview(self.view, self.geometry)
        if inset is not None:
            at = self.viewer.frame_now().inside(position) - inset.area.topLeft()
            self.view.centre = inset.geometry.to_data(at.x(), at.y())

    def cancel(self) -> None:
        self.view.centre = self.before


class Contrast(Gesture):
    """Contrast (up and down) and bias (left and right) of the active layer, as in DS9."""

    cursor = Qt.CursorShape.SizeAllCursor

    def __init__(self, viewer: ImageViewer, start: QPointF) -> None:
        super().__init__(viewer, start)
        self.layer = self.view.layer
        self.before = (self.layer.contrast, self.layer.bias) if self.layer is not None else (1.0, 0.5)

    def drag(self, position: QPointF) -> None:
        if self.layer is None:
            return
        across = (position.x() - self.start.x()) / self.geometry.width
        up = (self.start.y() - position.y()) / self.geometry.height
        contrast = min(max(self.before[0] * 8**up, 0.02), 50.0)
        self.layer.update(contrast=contrast, bias=min(max(self.before[1] + across, -1.0), 2.0))

    def cancel(self) -> None:
        if self.layer is not None:
            self.layer.update(contrast=self.before[0], bias=self.before[1])

    def finish(self, position: QPointF) -> None:
        if not self.moved:
            self.viewer.show_menu(self.viewer.mapToGlobal(position).toPoint())


class BoxZoom(Gesture):
    """Zooms to a rectangle that is drawn with the mouse."""

    def __init__(self, viewer: ImageViewer, start: QPointF) -> None:
        super().__init__(viewer, start)
        self.end = start

    def drag(self, position: QPointF) -> None:
        self.end = position
        self.viewer.update()

    def band(self) -> QRectF | None:
        return QRectF(self.start, self.end).normalized() if self.moved else None

    def finish(self, position: QPointF) -> None:
        self.viewer.update()
        box = QRectF(self.start, position).normalized()
        if not self.moved or box.width() < 4 or box.height() < 4:
            return
        middle = self.viewer.frame_now().inside(box.center())
        factor = fitting_scale((box.height(), box.width()), self.geometry.width, self.geometry.height)
        scale = min(max(self.geometry.scale * factor, LEAST_SCALE), MOST_SCALE)
        self.view.update(centre=self.geometry.to_data(middle.x(), middle.y()), scale=scale)


def gesture_for(viewer: ImageViewer, event: QMouseEvent) -> Gesture | None:
    """Return the gesture that a press begins, None when it begins none.

    With the left button: overlays that are hit, then the tool in hand. Space or the middle button always pan.
    """
    button = event.button()
    if button == Qt.MouseButton.RightButton:
        return Contrast(viewer, event.position())
    if button == Qt.MouseButton.MiddleButton or (button == Qt.MouseButton.LeftButton and viewer.is_space_down):
        return Pan(viewer, event.position())
    if button != Qt.MouseButton.LeftButton:
        return None
    inset = overview(viewer.state, viewer.geometry_now()) if viewer.state.overview else None
    if inset is not None and inset.area.contains(viewer.frame_now().inside(event.position())):
        return OverviewPan(viewer, event.position())
    found = (overlay.gesture(viewer, event) for overlay in reversed(overlays_of(viewer.state)))
    hit = next((gesture for gesture in found if gesture is not None), None)
    if hit is None and getattr(viewer.state.layers[0], "is_side", False):
        return Pan(viewer, event.position())  # tools draw and measure on the sky
    return hit or tool_gesture(viewer, event)
