"""What keys do with the selected regions."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

from jviz.places import places_of
from jviz.viewers.image_layers import ready_sky
from jviz.viewers.region_clipboard import copy_regions, paste_regions
from jviz.viewers.region_gestures import Place, moved_regions, vertex_under
from jviz.viewers.region_steps import add_regions, change_regions, remove_regions, selected_regions
from jviz.views import free_name

if TYPE_CHECKING:
    from jviz.viewers.image import ImageViewer

__all__ = ["copy", "cut", "duplicate", "region_key", "remove"]

ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def region_key(viewer: ImageViewer, event: QKeyEvent) -> Callable[[], Any] | None:
    """Return what a key does with regions, None for keys that are not for them."""
    held = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    if held == CTRL and event.key() == Qt.Key.Key_V and viewer.state.layers:
        return partial(paste_regions, viewer.session, viewer.state.layers[0].data)
    if not viewer.session.subsets or not viewer.state.layers:
        return None
    if event.key() in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab) and viewer.session.interaction.selected:
        return partial(_next, viewer, -1 if event.key() == Qt.Key.Key_Backtab else 1)
    if held == CTRL and event.key() == Qt.Key.Key_A:
        return partial(_all, viewer)
    if not selected_regions(viewer.session):
        return None
    return _for_selected(viewer, event.key(), held)


def _for_selected(viewer: ImageViewer, key: int, held: Any) -> Callable[[], Any] | None:
    if key in ARROWS and held in (Qt.KeyboardModifier.NoModifier, SHIFT):
        return partial(_nudge, viewer, *ARROWS[Qt.Key(key)], 10 if held == SHIFT else 1)
    if key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and not held:
        return partial(remove, viewer)
    if key == Qt.Key.Key_Escape and viewer.session.interaction.tool == "pan":
        return partial(viewer.session.interaction.select, ())
    actions = {Qt.Key.Key_C: copy, Qt.Key.Key_X: cut, Qt.Key.Key_D: duplicate}
    return partial(actions[Qt.Key(key)], viewer) if held == CTRL and key in actions else None


def _here(viewer: ImageViewer) -> Place:
    """Return the middle of the viewer as a place."""
    data, frame = viewer.state.layers[0].data, viewer.frame_now()
    geometry, inside = frame.geometry(viewer.state), frame.inside(frame.picture.center())
    x, y = geometry.to_data(inside.x(), inside.y())
    sky = ready_sky(data)
    return Place(data, sky, geometry, places_of(viewer.session, data, sky), inside, float(x), float(y))


def _nudge(viewer: ImageViewer, right: int, down: int, steps: int) -> None:
    """Move the selected regions by a data pixel along the screen; a row of strokes is one step."""
    place = _here(viewer)
    way = place.geometry.matrix[:, :2] @ (right, down) * place.geometry.scales * steps
    _shift(viewer, place, way, "Nudge")


def _shift(viewer: ImageViewer, place: Place, way: np.ndarray, verb: str) -> None:
    chosen = selected_regions(viewer.session, unlocked=True)
    after = moved_regions(chosen, place, place.x + way[0], place.y + way[1])
    if after:
        what = next(iter(after)) if len(after) == 1 else f"{len(after)} Regions"
        before = {s.name: s for s in chosen}
        change_regions(viewer.session, before, after, f"{verb} {what}", merge=(verb, tuple(after)))


def _next(viewer: ImageViewer, by: int) -> None:
    """Select the next region in sight, in the order of the session."""
    data = viewer.state.layers[0].data
    names = [s.name for s in places_of(viewer.session, data, ready_sky(data)).seen()]
    interaction = viewer.session.interaction
    last = interaction.selected[-1] if interaction.selected else ""
    if names:
        interaction.select([names[(names.index(last) + by) % len(names) if last in names else 0]])


def _all(viewer: ImageViewer) -> None:
    data = viewer.state.layers[0].data
    viewer.session.interaction.select(s.name for s in places_of(viewer.session, data, ready_sky(data)).seen())


def remove(viewer: ImageViewer) -> None:
    """Remove the vertex under the cursor, or the selected regions."""
    before, after = selected_regions(viewer.session, unlocked=True), vertex_under(viewer, viewer.cursor_position)
    if after is not None:
        change_regions(viewer.session, {before[0].name: before[0]}, {after.name: after}, f"Take Vertex of {after.name}")
    else:
        remove_regions(viewer.session, [s.name for s in before])


def copy(viewer: ImageViewer) -> None:
    """Copy the selected regions."""
    copy_regions(selected_regions(viewer.session))


def cut(viewer: ImageViewer) -> None:
    """Copy the selected regions and remove them."""
    copy(viewer)
    remove_regions(viewer.session, [s.name for s in selected_regions(viewer.session)])


def duplicate(viewer: ImageViewer) -> None:
    """Add copies of the selected regions a little beside them."""
    place = _here(viewer)
    way = place.geometry.matrix[:, :2] @ (14, 14)
    taken, new = dict(viewer.session.subsets), []
    moved = moved_regions(selected_regions(viewer.session), place, place.x + way[0], place.y + way[1])
    for subset in moved.values():
        copied = subset.but(name=free_name(subset.name, taken), locked=False)
        taken[copied.name] = copied
        new.append(copied)
    if new:
        what = new[0].name if len(new) == 1 else f"{len(new)} Regions"
        add_regions(viewer.session, new, f"Duplicate {what}")
