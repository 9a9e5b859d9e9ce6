"""The tools that measure: a line whose profile is shown while it is drawn, and the peak nearest to a click."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QMouseEvent, QPainter, QPainterPath

from jviz.linking import place_in
from jviz.viewers.image import ImageViewer
from jviz.viewers.image_mouse import Gesture
from jviz.viewers.image_tools import gesture
from jviz.viewers.region_gestures import place_of
from jviz.viewers.strokes import circle_on_screen
from jviz.viewers.tools.regions import DRAWN, Straight

RADIUS = 10.0
"""Radius, in data pixels, within which a click finds a peak."""

FINEST = 2.0
"""Screen pixels below which the sides of a cut are not drawn beside its middle."""


class Cut(Straight):
    """Draws a line, and says where it is while it is drawn; the line stays as a region."""

    def __init__(self, viewer: ImageViewer, start: QPointF, place: Any, held: Qt.KeyboardModifier) -> None:
        super().__init__(viewer, start, place, held, "line")

    def drag(self, position: QPointF) -> None:
        super().drag(position)
        if self.shape is not None:
            self.viewer.session.interaction.show_line((self.view, self.shape.points))

    def finish(self, position: QPointF) -> None:
        super().finish(position)
        self.viewer.session.interaction.show_line(None)

    def cancel(self) -> None:
        self.viewer.session.interaction.show_line(None)

    def draw(self, painter: QPainter) -> None:
        super().draw(painter)
        half = self.viewer.session.interaction.cut_width / 2
        if self.shape is None or half * self.place.geometry.scale < FINEST:
            return
        start, end = self.shape.points
        along = (end - start) / max(np.hypot(*(end - start)), 1e-9)
        across = half * np.array([-along[1], along[0]])
        corners = np.array([start + across, end + across, end - across, start - across])
        u, v = self.viewer.geometry_now().to_screen(*corners.T)
        path = QPainterPath(QPointF(u[0], v[0]))
        for x, y in zip(u[1:], v[1:], strict=True):
            path.lineTo(x, y)
        path.closeSubpath()
        painter.save()
        painter.translate(self.viewer.frame_now().picture.topLeft())
        DRAWN.stroke(painter, path, 0.8)
        painter.restore()


class PickPeak(Gesture):
    """Finds the brightest peak near a click, or within a circle that is dragged out."""

    def __init__(self, viewer: ImageViewer, start: QPointF, place: Any) -> None:
        super().__init__(viewer, start)
        self.place, self.end = place, start

    def drag(self, position: QPointF) -> None:
        self.end = position
        self.viewer.update()

    def _reach(self) -> float:
        """Return the radius of the circle, in pixels of the view."""
        way = self.end - self.start
        return float(np.hypot(*(self.geometry.matrix[:, :2] @ (way.x(), way.y()))))

    def finish(self, position: QPointF) -> None:
        session, layer, base = self.viewer.session, self.view.layer, self.place.data
        if layer is None:
            return
        radius = max(2.0, self._reach()) if self.moved else RADIUS
        x, y = self.place.x, self.place.y
        if self.view.align == "sky":
            x, y = place_in(base, layer.data, x, y)
        session.submit("image.pick", data=layer.data, position=(float(x), float(y)), radius=float(radius))

    def draw(self, painter: QPainter) -> None:
        if self.moved:
            painter.save()
            painter.translate(self.viewer.frame_now().picture.topLeft())
            centre = float(self.place.x), float(self.place.y)
            DRAWN.stroke(painter, circle_on_screen(self.geometry, centre, self._reach()), 1.2)
            painter.restore()


@gesture("cut")
def cut(viewer: ImageViewer, event: QMouseEvent) -> Gesture | None:
    """Draw a line cut."""
    place = place_of(viewer, event.position())
    return None if place is None else Cut(viewer, event.position(), place, event.modifiers())


@gesture("pick")
def pick(viewer: ImageViewer, event: QMouseEvent) -> Gesture | None:
    """Pick a peak."""
    place = place_of(viewer, event.position())
    return None if place is None else PickPeak(viewer, event.position(), place)
