"""The tools that move the picture."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QMouseEvent

from jviz.viewers.image import ImageViewer
from jviz.viewers.image_mouse import BoxZoom, Gesture, Pan
from jviz.viewers.image_tools import gesture


@gesture("pan")
def pan(viewer: ImageViewer, event: QMouseEvent) -> Gesture:
    """Move the picture; zoom to a box with Ctrl."""
    boxes = event.modifiers() & Qt.KeyboardModifier.ControlModifier
    return (BoxZoom if boxes else Pan)(viewer, event.position())


@gesture("zoom")
def zoom(viewer: ImageViewer, event: QMouseEvent) -> Gesture:
    """Zoom to a box."""
    return BoxZoom(viewer, event.position())
