"""Regions over images: drawn, picked, grasped, moved by keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QAction, QKeyEvent, QMouseEvent, QPainter

from jviz.places import places_of
from jviz.viewers.image import ImageViewer
from jviz.viewers.image_layers import ready_sky
from jviz.viewers.image_mouse import Gesture
from jviz.viewers.image_overlays import Scene
from jviz.viewers.image_tools import Overlay, register_overlay
from jviz.viewers.region_drawing import draw_regions, draw_selection
from jviz.viewers.region_gestures import beside, grasp, insert_vertex, over
from jviz.viewers.region_keys import region_key
from jviz.viewers.region_menu import region_actions

__all__ = ["RegionOverlay"]


class RegionOverlay(Overlay):
    """The regions of the session."""

    order = 50

    def paint(self, painter: QPainter, scene: Scene) -> None:
        if scene.session is None or not scene.view.layers or not scene.session.subsets:
            return
        data = scene.view.layers[0].data
        places = places_of(scene.session, data, ready_sky(data), at_once=not scene.fast)
        scene.unfinished = scene.unfinished or not places.complete
        draw_regions(painter, scene, places)
        if scene.fast:
            draw_selection(painter, scene, places)

    def gesture(self, viewer: ImageViewer, event: QMouseEvent) -> Gesture | None:
        return grasp(viewer, event)

    def cursor(self, viewer: ImageViewer, position: QPointF) -> Qt.CursorShape | None:
        return over(viewer, position)

    def double_click(self, viewer: ImageViewer, event: QMouseEvent) -> bool:
        return insert_vertex(viewer, event.position())

    def key(self, viewer: ImageViewer, event: QKeyEvent) -> Callable[[], Any] | None:
        return region_key(viewer, event)

    def menu(self, viewer: ImageViewer, position: QPointF) -> list[QAction]:
        return region_actions(viewer, position)


class GroundOverlay(Overlay):
    """What a press selects, or moves, where no other overlay has anything to grasp."""

    order = -10

    def gesture(self, viewer: ImageViewer, event: QMouseEvent) -> Gesture | None:
        return beside(viewer, event)


register_overlay(RegionOverlay())
register_overlay(GroundOverlay())
