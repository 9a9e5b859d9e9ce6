"""What keys do in an image viewer before the window's shortcuts get them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

from jviz.viewers.image_tools import overlays_of

if TYPE_CHECKING:
    from jviz.viewers.image import ImageViewer

__all__ = ["key_action"]


def key_action(viewer: ImageViewer, event: QKeyEvent) -> Callable[[], Any] | None:
    """Return what a key does in a viewer, None when it is the window's.

    Escape gives up a gesture; Space lets the left button pan; overlays come next (the selected regions, for one);
    at last Escape puts the tool down.
    """
    if viewer.gesture is not None:
        return viewer.give_up if event.key() == Qt.Key.Key_Escape else viewer.gesture.key(event)
    if event.key() == Qt.Key.Key_Space and not event.modifiers():
        return partial(viewer.hold_space, True)
    slices = getattr(viewer, "key_of_slices", None)
    if slices is not None and (action := slices(event)) is not None:
        return action
    found = (overlay.key(viewer, event) for overlay in reversed(overlays_of(viewer.state)))
    action = next((action for action in found if action is not None), None)
    interaction = viewer.session.interaction
    if action is None and event.key() == Qt.Key.Key_Escape and interaction.tool != "pan":
        return partial(setattr, interaction, "tool", "pan")
    return action
