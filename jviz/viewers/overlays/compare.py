"""What stands over the picture when images are compared: the curtain, the cursor of other viewers, a layer's name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPainterPath, QPen

from jviz.viewers.image_compare import crosshair_of
from jviz.viewers.image_mouse import Gesture
from jviz.viewers.image_tools import Overlay, register_overlay
from jviz.viewers.ink import Ink
from jviz.views import ImageView

if TYPE_CHECKING:
    from jviz.viewers.image import ImageViewer
    from jviz.viewers.image_overlays import Scene

__all__ = ["Comparison", "CurtainDrag"]

REACH = 6.0
"""Logical pixels from the edge of the curtain within which the mouse takes it."""

GRIP = 11.0
PLATE, LETTERS = QColor(16, 18, 22, 190), QColor("#f2f4f8")


def has_curtain(view: ImageView) -> bool:
    """Whether a curtain parts the picture: there must be layers to part."""
    return view.curtain is not None and len(view.shown) > 1 and view.composite == "layers"


def edge(view: ImageView, width: float, height: float) -> tuple[QPointF, QPointF]:
    """Return the ends of the curtain's edge in a picture of a size."""
    share = view.curtain or 0.0
    if view.curtain_axis == "vertical":
        return QPointF(share * width, 0), QPointF(share * width, height)
    return QPointF(0, share * height), QPointF(width, share * height)


class CurtainDrag(Gesture):
    """Moves the edge of the curtain between the topmost layer and those below it."""

    cursor = Qt.CursorShape.SplitHCursor

    def drag(self, position: QPointF) -> None:
        at = self.viewer.frame_now().inside(position)
        upright = self.view.curtain_axis == "vertical"
        share = at.x() / self.geometry.width if upright else at.y() / self.geometry.height
        self.view.curtain = min(max(share, 0.0), 1.0)


class Comparison(Overlay):
    """The curtain with its grip, the crosshair, and the name of a layer that is shown alone."""

    order = 50
    any_side = True

    def paint(self, painter: QPainter, scene: Scene) -> None:
        view = scene.view
        if has_curtain(view):
            _draw_curtain(painter, scene)
        if len(view.layers) > 1 and len(view.shown) == 1:
            name = f"{view.layers.index(view.shown[0]) + 1}/{len(view.layers)}  {view.shown[0].data.name}"
            metrics = scene.look.metrics(0.92)
            _draw_plate(
                painter, scene, name, QRectF(12, 12, metrics.horizontalAdvance(name) + 16, metrics.height() + 8)
            )
        crosshair = crosshair_of(scene.session, view) if scene.session is not None and scene.fast else None
        if crosshair is not None:
            _draw_crosshair(painter, scene, crosshair)

    def gesture(self, viewer: ImageViewer, event: QMouseEvent) -> Gesture | None:
        return CurtainDrag(viewer, event.position()) if self._is_on_edge(viewer, event.position()) else None

    def cursor(self, viewer: ImageViewer, position: QPointF) -> Qt.CursorShape | None:
        if not self._is_on_edge(viewer, position):
            return None
        upright = viewer.state.curtain_axis == "vertical"
        return Qt.CursorShape.SplitHCursor if upright else Qt.CursorShape.SplitVCursor

    @staticmethod
    def _is_on_edge(viewer: ImageViewer, position: QPointF) -> bool:
        view = viewer.state
        if not has_curtain(view):
            return False
        geometry, at = viewer.geometry_now(), viewer.frame_now().inside(position)
        start, _ = edge(view, geometry.width, geometry.height)
        return abs(at.x() - start.x() if view.curtain_axis == "vertical" else at.y() - start.y()) <= REACH


def _draw_curtain(painter: QPainter, scene: Scene) -> None:
    view, geometry, metrics = scene.view, scene.geometry, scene.look.metrics(0.92)
    start, end = edge(view, geometry.width, geometry.height)
    upright = view.curtain_axis == "vertical"
    for colour, width in ((QColor(0, 0, 0, 130), 3.5), (QColor(255, 255, 255, 235), 1.5)):
        painter.setPen(QPen(colour, width))
        painter.drawLine(start, end)
    _draw_grip(painter, (start + end) / 2, upright=upright)
    room = 10.0
    for layer, side in ((view.shown[-2], -1), (view.shown[-1], 1)):
        space = (geometry.width - start.x() if side > 0 else start.x()) if upright else geometry.width
        name = metrics.elidedText(layer.data.name, Qt.TextElideMode.ElideMiddle, max(int(space - room - 24), 0))
        if not name:
            continue
        wide, high = metrics.horizontalAdvance(name) + 12, metrics.height() + 6
        if upright:
            left = start.x() + room if side > 0 else start.x() - room - wide
            plate = QRectF(left, geometry.height - high - 40, wide, high)
        else:
            plate = QRectF(geometry.width - wide - 12, start.y() + (room if side > 0 else -room - high), wide, high)
        _draw_plate(painter, scene, name, plate)


def _draw_plate(painter: QPainter, scene: Scene, text: str, plate: QRectF) -> None:
    painter.setFont(scene.look.font(0.92))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(PLATE)
    painter.drawRoundedRect(plate, 4, 4)
    painter.setPen(LETTERS)
    painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, text)


def _draw_grip(painter: QPainter, at: QPointF, *, upright: bool) -> None:
    painter.setPen(QPen(QColor(0, 0, 0, 120), 1.0))
    painter.setBrush(QColor(250, 250, 252))
    painter.drawEllipse(at, GRIP, GRIP)
    painter.setPen(QPen(QColor(40, 44, 52), 1.8, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    for side in (-1, 1):
        tip, back = 6.0 * side, 2.5 * side
        for bend in (-3.0, 3.0):
            first, second = ((tip, 0.0), (back, bend)) if upright else ((0.0, tip), (bend, back))
            painter.drawLine(at + QPointF(*first), at + QPointF(*second))


def _draw_crosshair(painter: QPainter, scene: Scene, place: tuple[float, float]) -> None:
    """Draw four strokes round a place, with the middle left open for what is there."""
    u, v = (float(n) for n in scene.geometry.to_screen(*place))
    if not (-20 <= u <= scene.geometry.width + 20 and -20 <= v <= scene.geometry.height + 20):
        return
    path = QPainterPath()
    for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        path.moveTo(u + 5 * dx, v + 5 * dy)
        path.lineTo(u + 18 * dx, v + 18 * dy)
    Ink("#ffffff", "#000000").stroke(painter, path, 1.4)


register_overlay(Comparison())
