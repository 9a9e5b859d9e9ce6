"""What image viewers can be given without touching them: gestures of tools, and overlays that are painted and grasped.

A module in `jviz.viewers.tools` says with `gesture` what a declared tool (`jviz.interaction.Tool`) does, one in
`jviz.viewers.overlays` registers an `Overlay`. All modules of both packages are imported with the first viewer.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QAction, QKeyEvent, QMouseEvent, QPainter

if TYPE_CHECKING:
    from jviz.viewers.image import ImageViewer
    from jviz.viewers.image_mouse import Gesture
    from jviz.viewers.image_overlays import Scene

__all__ = ["Overlay", "cursor_of", "gesture", "overlays", "overlays_of", "register_overlay", "tool_gesture"]

Make = Callable[["ImageViewer", QMouseEvent], "Gesture | None"]

_gestures: dict[str, tuple[Make, Qt.CursorShape]] = {}
_overlays: list[Overlay] = []
_loaded = False


def gesture(tool: str, cursor: Qt.CursorShape = Qt.CursorShape.CrossCursor) -> Callable[[Make], Make]:
    """Say what a press of the left button begins while a tool is in hand.

    Parameters
    ----------
    tool : str
        Its id.
    cursor : Qt.CursorShape
        Over the picture.
    """

    def register(make: Make) -> Make:
        _gestures[tool] = (make, cursor)
        return make

    return register


def tool_gesture(viewer: ImageViewer, event: QMouseEvent) -> Gesture | None:
    """Return the gesture that the tool in hand begins, None when it begins none."""
    _load()
    make, _ = _gestures.get(viewer.session.interaction.tool, _gestures["pan"])
    return make(viewer, event)


def cursor_of(tool: str) -> Qt.CursorShape:
    """Return the cursor of a tool."""
    _load()
    return _gestures.get(tool, _gestures["pan"])[1]


class Overlay:
    """Something over the picture of an image view, in viewers and in saved pictures; holds no state of its own.

    Attributes
    ----------
    order : int
        Overlays of a higher number are painted over others, and asked first what the mouse does.
    any_side : bool
        Whether it has a place on pictures of a cube that do not show the sky.
    """

    order = 0
    any_side = False

    def signals(self, session: Any) -> Iterable[Any]:
        """Return the signals of a session after which viewers must paint anew."""
        return ()

    def paint(self, painter: QPainter, scene: Scene) -> None:
        """Paint in coordinates of the picture (`Scene.geometry`), clipped to it; ``scene.session`` may be None."""

    def gesture(self, viewer: ImageViewer, event: QMouseEvent) -> Gesture | None:
        """Return the gesture that a press of the left button on something of it begins."""
        return None

    def cursor(self, viewer: ImageViewer, position: QPointF) -> Qt.CursorShape | None:
        """Return the cursor over something of it that can be grasped."""
        return None

    def double_click(self, viewer: ImageViewer, event: QMouseEvent) -> bool:
        """Take a double click of the left button; returns whether it was for this."""
        return False

    def key(self, viewer: ImageViewer, event: QKeyEvent) -> Callable[[], Any] | None:
        """Return what a key does, before shortcuts of the window get it."""
        return None

    def menu(self, viewer: ImageViewer, position: QPointF) -> list[QAction]:
        """Return entries for the context menu of what is under a position; they belong to the caller."""
        return []


def register_overlay(overlay: Overlay) -> Overlay:
    """Add an overlay to all image viewers and saved pictures."""
    _overlays.append(overlay)
    _overlays.sort(key=lambda o: o.order)
    return overlay


def overlays() -> list[Overlay]:
    """Return the overlays, the one that is painted first at the beginning."""
    _load()
    return list(_overlays)


def overlays_of(view: Any) -> list[Overlay]:
    """Return the overlays of a view: those of the sky have no place on another side of a cube."""
    side = bool(view.layers) and getattr(view.layers[0], "is_side", False)
    return [overlay for overlay in overlays() if overlay.any_side or not side]


def _load() -> None:
    global _loaded
    if _loaded:
        return
    _loaded = True
    for name in ("tools", "overlays"):
        package = importlib.import_module(f"jviz.viewers.{name}")
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{package.__name__}.{module.name}")
