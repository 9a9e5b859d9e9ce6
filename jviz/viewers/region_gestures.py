"""What the mouse does with regions that are there: pick, move, resize, turn, select by a band."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QMouseEvent

from jviz.actions.footprint import turned_by
from jviz.backend.regions.combining import with_member
from jviz.backend.regions.kinds import kind_of
from jviz.geometry import Geometry
from jviz.places import Places, places_of
from jviz.subsets import Subset
from jviz.viewers.footprint_turn import TurnGrip, position_angle, turn_grip, turn_group
from jviz.viewers.image import ImageViewer
from jviz.viewers.image_layers import ready_sky
from jviz.viewers.image_mouse import Gesture, Pan
from jviz.viewers.region_drawing import Grip, handles_on_screen, has_room
from jviz.viewers.region_grids import edited, grid_of, shape_on_grid
from jviz.viewers.region_steps import change_regions, selected_regions, show_live

__all__ = ["Place", "beside", "grasp", "insert_vertex", "moved_regions", "over", "pick", "place_of", "vertex_under"]

CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
REACH = 5.0
"""Screen pixels within which an outline or a handle is hit."""

SHAPES = {
    "size": Qt.CursorShape.SizeFDiagCursor,
    "turn": Qt.CursorShape.PointingHandCursor,
    "vertex": Qt.CursorShape.SizeAllCursor,
    "move": Qt.CursorShape.SizeAllCursor,
}


class Place(NamedTuple):
    """What is under a position of a viewer: the position in the picture and in data pixels, and the regions."""

    data: Any
    sky: Any
    geometry: Geometry
    places: Places
    inside: QPointF
    x: float
    y: float

    def under(self, *, inside: bool = True) -> list[Subset]:
        """Return the regions at the place, outlines within `REACH` screen pixels, the smallest first."""
        reach, aspect = REACH / self.geometry.scale, self.geometry.aspect
        return self.places.under(self.x, self.y, reach, inside=inside, aspect=aspect)


def place_of(viewer: ImageViewer, position: QPointF) -> Place | None:
    """Return what is under a position, None beside the picture."""
    frame = viewer.frame_now()
    if not viewer.state.layers or not frame.picture.contains(position):
        return None
    data = viewer.state.layers[0].data
    sky, geometry, inside = ready_sky(data), frame.geometry(viewer.state), frame.inside(position)
    x, y = geometry.to_data(inside.x(), inside.y())
    places = places_of(viewer.session, data, sky, at_once=False)
    return Place(data, sky, geometry, places, inside, float(x), float(y))


def _handle_under(viewer: ImageViewer, place: Place) -> tuple[Subset, Grip] | None:
    """Return the handle under the cursor; only a region that is selected alone shows any."""
    chosen = selected_regions(viewer.session)
    if len(chosen) != 1 or chosen[0].locked or not chosen[0].visible:
        return None
    number = place.places.numbers.get(chosen[0].name)
    if number is None or not has_room(place.geometry, place.places, number):
        return None
    found = handles_on_screen(chosen[0], place.data, place.sky, place.geometry)
    near = [(grip, (grip.at - place.inside).manhattanLength()) for grip in found]
    near = [(grip, distance) for grip, distance in near if distance < REACH + 4]
    return (chosen[0], min(near, key=lambda pair: pair[1])[0]) if near else None


def _turn_grip_under(viewer: ImageViewer, place: Place) -> TurnGrip | None:
    """Return the handle under the cursor that turns the selected group."""
    grip = turn_grip(viewer.session, place.sky, place.geometry)
    near = grip is not None and (grip.at - place.inside).manhattanLength() < REACH + 4
    return grip if near else None


def _movable_under(viewer: ImageViewer, place: Place) -> Subset | None:
    """Return the region that a drag would move: a selected one by its inside, others by their outline."""
    chosen = {s.name for s in selected_regions(viewer.session, unlocked=True)}
    under = place.under() if chosen else []
    inside = next((s for s in under if s.name in chosen), None)
    if inside is not None:
        return inside
    on_line = place.under(inside=False)
    return next((s for s in on_line if not s.locked), None)


def over(viewer: ImageViewer, position: QPointF) -> Qt.CursorShape | None:
    """Return the cursor over something of a region that can be grasped."""
    if not viewer.session.subsets or (place := place_of(viewer, position)) is None:
        return None
    handle = _handle_under(viewer, place)
    if handle is not None:
        return SHAPES[handle[1].handle.what]
    if _turn_grip_under(viewer, place) is not None:
        return SHAPES["turn"]
    if viewer.session.interaction.tool != "pan":
        return None
    return Qt.CursorShape.SizeAllCursor if _movable_under(viewer, place) is not None else None


def grasp(viewer: ImageViewer, event: QMouseEvent) -> Gesture | None:
    """Return the gesture of a press: on a handle with any tool, on a region with the pointer."""
    if not viewer.session.subsets or (place := place_of(viewer, event.position())) is None:
        return None
    handle = _handle_under(viewer, place)
    if handle is not None:
        return DragHandle(viewer, event.position(), place, *handle)
    grip = _turn_grip_under(viewer, place)
    if grip is not None:
        return TurnGroup(viewer, event.position(), place, grip)
    if viewer.session.interaction.tool != "pan" or event.modifiers() & (CONTROL | SHIFT):
        return None
    region = _movable_under(viewer, place)
    return MoveRegions(viewer, event.position(), place, region) if region is not None else None


def beside(viewer: ImageViewer, event: QMouseEvent) -> Gesture | None:
    """Return the gesture of a press with the pointer where nothing is grasped: selecting by a box, or panning."""
    if not viewer.session.subsets or viewer.session.interaction.tool != "pan" or event.modifiers() & CONTROL:
        return None
    if (place := place_of(viewer, event.position())) is None:
        return None
    kind = Band if event.modifiers() & SHIFT else PanOrPick
    return kind(viewer, event.position(), place)


def pick(viewer: ImageViewer, place: Place, *, toggle: bool = False) -> None:
    """Select the smallest region under the cursor; another click on the same place goes to the next larger one."""
    interaction = viewer.session.interaction
    under = [s.name for s in place.under()]
    if toggle:
        if under:
            chosen = interaction.selected
            has = under[0] in chosen
            interaction.select([n for n in chosen if n != under[0]] if has else [*chosen, under[0]])
        return
    if not under:
        interaction.select(())
        return
    last = interaction.selected[0] if len(interaction.selected) == 1 else ""
    at = under.index(last) + 1 if last in under else 0
    interaction.select([under[at % len(under)]])


class PanOrPick(Pan):
    """Pans; a click selects."""

    def __init__(self, viewer: ImageViewer, start: QPointF, place: Place) -> None:
        super().__init__(viewer, start)
        self.place = place

    def finish(self, position: QPointF) -> None:
        if not self.moved:
            pick(self.viewer, self.place)


class Band(Gesture):
    """Selects the regions within a rectangle, besides those that are selected; a click adds or takes away one."""

    def __init__(self, viewer: ImageViewer, start: QPointF, place: Place) -> None:
        super().__init__(viewer, start)
        self.place, self.end = place, start

    def drag(self, position: QPointF) -> None:
        self.end = position
        self.viewer.update()

    def band(self) -> QRectF | None:
        return QRectF(self.start, self.end).normalized() if self.moved else None

    def finish(self, position: QPointF) -> None:
        if not self.moved:
            pick(self.viewer, self.place, toggle=True)
            return
        box = self.viewer.frame_now().inside(self.start), self.viewer.frame_now().inside(position)
        u, v = np.array([[p.x(), p.y()] for p in box]).T
        names = [s.name for s in _within(self.place, QRectF(QPointF(u.min(), v.min()), QPointF(u.max(), v.max())))]
        interaction = self.viewer.session.interaction
        interaction.select([*interaction.selected, *names])


def _within(place: Place, box: QRectF) -> list[Subset]:
    """Return the regions whose boxes lie in a rectangle of the picture."""
    boxes = place.places.boxes
    if not len(boxes):
        return []
    x0, y0, x1, y1 = boxes.T
    corners = [place.geometry.to_screen(x, y) for x in (x0, x1) for y in (y0, y1)]
    inside = np.ones(len(boxes), dtype=bool)
    for u, v in corners:
        inside &= (u >= box.left()) & (u <= box.right()) & (v >= box.top()) & (v <= box.bottom())
    return [place.places.subsets[k] for k in np.flatnonzero(inside)]


class LiveEdit(Gesture):
    """Changes regions while the mouse moves; one step when it is released."""

    label = "Edit"

    def __init__(self, viewer: ImageViewer, start: QPointF, place: Place) -> None:
        super().__init__(viewer, start)
        self.place = place
        self.before: dict[str, Subset] = {}
        self.after: dict[str, Subset] = {}

    def drag(self, position: QPointF) -> None:
        inside = self.viewer.frame_now().inside(position)
        after = self.changed(*(float(c) for c in self.geometry.to_data(inside.x(), inside.y())))
        if after:
            self.after = after
            show_live(self.viewer.session, after)

    def changed(self, x: float, y: float) -> dict[str, Subset]:
        """Return the regions as they are with the mouse at a data pixel."""
        return {}

    def finish(self, position: QPointF) -> None:
        if self.after:
            names = list(self.before)
            what = names[0] if len(names) == 1 else f"{len(names)} Regions"
            change_regions(self.viewer.session, self.before, self.after, f"{self.label} {what}")

    def cancel(self) -> None:
        show_live(self.viewer.session, self.before)


class MoveRegions(LiveEdit):
    """Moves a region, with all that are selected if it is one of them; a click selects."""

    cursor = Qt.CursorShape.SizeAllCursor
    label = "Move"

    def __init__(self, viewer: ImageViewer, start: QPointF, place: Place, region: Subset) -> None:
        super().__init__(viewer, start, place)
        self.region = region

    def drag(self, position: QPointF) -> None:
        if not self.before:
            interaction = self.viewer.session.interaction
            if self.region.name not in interaction.selected:
                interaction.select([self.region.name])
            self.before = {s.name: s for s in selected_regions(self.viewer.session, unlocked=True)}
        super().drag(self._constrained(position))

    def _constrained(self, position: QPointF) -> QPointF:
        """Keep to one direction of the screen with Shift."""
        if not self.modifiers & Qt.KeyboardModifier.ShiftModifier:
            return position
        way = position - self.start
        across = abs(way.x()) > abs(way.y())
        return QPointF(position.x(), self.start.y()) if across else QPointF(self.start.x(), position.y())

    def changed(self, x: float, y: float) -> dict[str, Subset]:
        return moved_regions(self.before.values(), self.place, x, y)

    def finish(self, position: QPointF) -> None:
        if self.moved:
            super().finish(position)
        else:
            pick(self.viewer, self.place)


def moved_regions(subsets: Any, place: Place, x: float, y: float) -> dict[str, Subset]:
    """Return regions moved as far as from a place to a data pixel of the view."""
    ways = np.array([(place.x, place.y), (x, y)])
    found = {s.name: (s, _moved(s, s.region, place, ways)) for s in subsets}
    return {name: subset.but(region=region) for name, (subset, region) in found.items() if region is not None}


def _moved(subset: Subset, region: Any, place: Place, ways: np.ndarray) -> Any:
    if hasattr(region, "region1"):
        parts = [_moved(subset, part, place, ways) for part in (region.region1, region.region2)]
        if any(part is None for part in parts):
            return None
        return type(region)(*parts, region.operator, meta=region.meta, visual=region.visual)
    grid = grid_of(subset, place.data, place.sky, region) if kind_of(region) else None
    if grid is None:
        return None
    (x0, y0), (x1, y1) = grid.from_view(ways)
    if not np.isfinite([x0, y0, x1, y1]).all():
        return None
    return grid.region(grid.shape(region).moved(x1 - x0, y1 - y0), region)


class TurnGroup(LiveEdit):
    """Turns a group of polygons on the sky about its middle; by steps of 15° with Shift."""

    cursor = SHAPES["turn"]

    def __init__(self, viewer: ImageViewer, start: QPointF, place: Place, grip: TurnGrip) -> None:
        super().__init__(viewer, start, place)
        self.grip, self.turn = grip, 0.0
        self.before = {subset.name: subset for subset in grip.members}

    def _angle(self, x: float, y: float) -> float:
        ra, dec = (float(np.ravel(c)[0]) for c in self.place.sky.pixel_to_sky(x, y))
        return position_angle(self.grip.middle, ra, dec)

    def changed(self, x: float, y: float) -> dict[str, Subset]:
        turn = (self._angle(x, y) - self._angle(self.place.x, self.place.y) + 180) % 360 - 180
        if not np.isfinite(turn):
            return {}
        self.turn = 15.0 * round(turn / 15) if self.modifiers & Qt.KeyboardModifier.ShiftModifier else turn
        return turned_by(self.grip.members, self.grip.middle, self.turn)

    def finish(self, position: QPointF) -> None:
        if self.after:
            turn_group(self.viewer.session, self.grip, self.turn)


class DragHandle(LiveEdit):
    """Resizes a region, turns it, or moves one of its vertices."""

    label = "Reshape"

    def __init__(self, viewer: ImageViewer, start: QPointF, place: Place, region: Subset, grip: Grip) -> None:
        super().__init__(viewer, start, place)
        self.cursor = SHAPES[grip.handle.what]
        self.region, self.grip = region, grip
        self.shape, self.grid = shape_on_grid(region, place.data, place.sky, grip.region)
        self.before = {region.name: region}

    def changed(self, x: float, y: float) -> dict[str, Subset]:
        [at] = self.grid.from_view(np.array([(x, y)]))
        if not np.isfinite(at).all():
            return {}
        constrained = bool(self.modifiers & Qt.KeyboardModifier.ShiftModifier)
        shape = self.shape.dragged(self.grip.handle, at, constrained=constrained)
        member = self.grid.region(shape, self.grip.region)
        whole = with_member(self.region.region, self.grip.region, member)
        return {self.region.name: self.region.but(region=whole)}


# --- vertices ---------------------------------------------------------------------------------------


def insert_vertex(viewer: ImageViewer, position: QPointF) -> bool:
    """Add a vertex where an edge of the selected polygon, path or line is double-clicked; returns whether it was."""
    chosen, place = selected_regions(viewer.session, unlocked=True), place_of(viewer, position)
    if place is None or len(chosen) != 1:
        return False
    hit = [s.name for s in place.under(inside=False)]
    found = shape_on_grid(chosen[0], place.data, place.sky)
    if chosen[0].name not in hit or found is None or found[0].kind not in ("polygon", "path", "line"):
        return False
    shape, grid = found
    [at] = grid.from_view(np.array([(place.x, place.y)]))
    new, _ = shape.with_new_vertex(at)
    _change(viewer, chosen[0], edited(chosen[0], new, grid), "Add Vertex to")
    return True


def vertex_under(viewer: ImageViewer, position: QPointF | None) -> Subset | None:
    """Return the selected region without the vertex under the cursor, None where there is none to spare."""
    place = place_of(viewer, position) if position is not None else None
    found = _handle_under(viewer, place) if place is not None else None
    if found is None or found[1].handle.what != "vertex":
        return None
    subset, grip = found
    shape, grid = shape_on_grid(subset, place.data, place.sky, grip.region)
    new = shape.without_vertex(grip.handle.index) if shape.kind in ("polygon", "path") else None
    if new is None:
        return None
    return subset.but(region=with_member(subset.region, grip.region, grid.region(new, grip.region)))


def _change(viewer: ImageViewer, before: Subset, after: Subset, label: str) -> None:
    change_regions(viewer.session, {before.name: before}, {before.name: after}, f"{label} {before.name}")
