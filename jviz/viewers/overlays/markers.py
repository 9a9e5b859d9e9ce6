"""Markers over images: a pin with its number at each logged place."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF
from PySide6.QtGui import QAction, QPainter, QPainterPath

from jviz.markers import places
from jviz.viewers.image import ImageViewer
from jviz.viewers.image_layers import ready_sky
from jviz.viewers.image_overlays import Scene
from jviz.viewers.image_tools import Overlay, register_overlay
from jviz.viewers.ink import Ink

__all__ = ["MarkerOverlay"]

INK = Ink("#ffd54a", "#000000")
ARM, GAP, REACH = 8.0, 3.0, 9.0


class MarkerOverlay(Overlay):
    """The markers of the session that lie on what a view shows."""

    order = 45

    def signals(self, session: Any) -> Iterable[Any]:
        return (session.markers_changed,)

    def paint(self, painter: QPainter, scene: Scene) -> None:
        if scene.session is None or not scene.session.markers or not scene.view.layers:
            return
        markers = scene.session.markers
        found = places(markers, scene.view, ready_sky(scene.view.layers[0].data))
        u, v = scene.geometry.to_screen(*found.T)
        seen = (u > -20) & (u < scene.geometry.width + 20) & (v > -20) & (v < scene.geometry.height + 20)
        path, font = QPainterPath(), scene.look.font(0.88, bold=True)
        for n in np.flatnonzero(seen).tolist():
            for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
                path.moveTo(u[n] + GAP * dx, v[n] + GAP * dy)
                path.lineTo(u[n] + ARM * dx, v[n] + ARM * dy)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        INK.stroke(painter, path, 1.6)
        for n in np.flatnonzero(seen).tolist():
            INK.write(painter, QPointF(u[n] + ARM - 1, v[n] - 3), str(markers[n].number), font, down=1)
        painter.restore()

    def menu(self, viewer: ImageViewer, position: QPointF) -> list[QAction]:
        markers = viewer.session.markers
        if not markers or not viewer.state.layers:
            return []
        found = places(markers, viewer.state, ready_sky(viewer.state.layers[0].data))
        u, v = viewer.geometry_now().to_screen(*found.T)
        inside = viewer.frame_now().inside(position)
        far = np.nan_to_num(np.hypot(u - inside.x(), v - inside.y()), nan=np.inf)
        if far.min() > REACH:
            return []
        number = markers[int(np.argmin(far))].number
        action = QAction(f"Remove Marker {number}")
        action.triggered.connect(lambda *_: viewer.session.run("marker.remove", number=number))
        return [action]


register_overlay(MarkerOverlay())
