"""What a viewer does when it is not alone: blinking, the cursor of the others, notes on layers without a sky."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import shiboken6
from PySide6.QtCore import QObject, QTimer

from jviz.linking import position_in
from jviz.viewers.image_places import alignment_note
from jviz.views import ImageView

if TYPE_CHECKING:
    from jviz.viewers.image import ImageViewer

__all__ = ["Companion", "crosshair_of"]


def crosshair_of(session: Any, view: ImageView) -> tuple[float, float] | None:
    """Return the data pixel under the cursor of another viewer, None when there is none or it is not followed."""
    at = session.pointer.at
    if at is None or at[0] is view or not view.layers or "cursor" not in view.locks:
        return None
    source = at[0]
    if not isinstance(source, ImageView) or not source.layers or "cursor" not in source.locks:
        return None
    found = position_in(source, at[1], at[2], view, wait=False)
    if found is None or not (math.isfinite(found[0]) and math.isfinite(found[1])):
        return None
    return float(found[0]), float(found[1])


class Companion(QObject):
    """What a viewer does beside drawing when it is not alone: it blinks, follows the cursor of others, and tells
    of layers that cannot be placed by the sky.
    """

    def __init__(self, viewer: ImageViewer) -> None:
        super().__init__(viewer)
        self._viewer = viewer
        self._blinker = Blinker(viewer)
        self._noted: set[str] = set()
        self._crosshair: tuple[float, float] | None = None
        viewer.session.pointer.moved.connect(self._pointer_moved)

    def follow(self) -> None:
        """Do what the state asks for now."""
        viewer = self._viewer
        self._blinker.follow(viewer.isVisible())
        for text in filter(None, (alignment_note(viewer.state, layer) for layer in viewer.state.layers)):
            if text not in self._noted:
                self._noted.add(text)
                viewer.session.notice("warning", text)

    def release(self) -> None:
        """End it all; the viewer is about to go."""
        self._blinker.stop()
        self._viewer.session.pointer.moved.disconnect(self._pointer_moved)

    def _pointer_moved(self) -> None:
        """Paint anew when the cursor of another viewer moved over what this one shows."""
        if not shiboken6.isValid(self) or not self._viewer.isVisible():
            return
        before, self._crosshair = self._crosshair, crosshair_of(self._viewer.session, self._viewer.state)
        if self._crosshair != before:
            self._viewer.update()


class Blinker(QObject):
    """Shows the layers of a view one after the other, as long as its ``blink`` is above 0."""

    def __init__(self, viewer: ImageViewer) -> None:
        super().__init__(viewer)
        self._view: ImageView = viewer.state
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.step)

    def follow(self, on: bool) -> None:
        """Begin, change the pace or end as the state says; ``on``: somebody can see it."""
        seconds = self._view.blink if on and len(self._turns()) > 1 else 0.0
        if seconds <= 0:
            self._timer.stop()
            if self._view.blinking is not None:
                self._view.blinking = None
        elif not self._timer.isActive() or self._timer.interval() != round(1000 * seconds):
            self._timer.start(max(20, round(1000 * seconds)))

    def stop(self) -> None:
        """End it; the viewer is about to go."""
        self._timer.stop()

    def step(self) -> None:
        """Show the next layer."""
        turns = self._turns()
        if turns:
            now = self._view.blinking
            self._view.blinking = turns[(turns.index(now) + 1) % len(turns)] if now in turns else turns[0]

    def _turns(self) -> list[int]:
        layers: tuple[Any, ...] = self._view.layers
        return [n for n, layer in enumerate(layers) if layer.visible and layer.opacity > 0]
