"""What the mouse can take hold of in a viewer of spectra: ranges and their ends, slices of cubes, a new range."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPen

from jviz.backend.spectra.ranges import ranges_of
from jviz.backend.spectra.units import convert_axis, scale_of
from jviz.errors import JvizError
from jviz.spectrum_views import ranges_between
from jviz.viewers.spectrum.marks import RangeMark, SliceMark, ranges_in_sight, slices_in_sight
from jviz.viewers.spectrum.scene import SpectrumScene
from jviz.views import free_name

__all__ = ["Grip", "cursor_at", "follow_range", "grip_at", "moved_range", "set_slab"]

NEAR = 6.0
"""Pixels within which a line is taken hold of."""


class Grip:
    """Follows the mouse from press to release."""

    def __init__(self, viewer: Any, scene: SpectrumScene, start: QPointF) -> None:
        self.viewer, self.scene, self.start, self.at = viewer, scene, start, start
        self.session = viewer.session

    def value(self, position: QPointF) -> float:
        """Return the value of the axis at a position, within the picture."""
        picture = self.scene.picture
        return self.scene.x.value(min(max(position.x(), picture.left()), picture.right()))

    def drag(self, position: QPointF) -> None:
        """The mouse moved."""

    def finish(self) -> None:
        """The button was released."""

    def cancel(self) -> None:
        """Escape was pressed: everything is as before."""

    def draw(self, painter: QPainter) -> None:
        """Draw what the mouse is doing."""


class Band(Grip):
    """Draws a band; what becomes of it is up to the subclass."""

    color = ""

    def drag(self, position: QPointF) -> None:
        self.at = position
        self.viewer.update()

    @property
    def ends(self) -> tuple[float, float] | None:
        """Both ends in the unit of the axis, None while it is too narrow to be meant."""
        if abs(self.at.x() - self.start.x()) < 3:
            return None
        low, high = sorted((self.value(self.start), self.value(self.at)))
        return low, high

    def draw(self, painter: QPainter) -> None:
        colour, picture = QColor(self.color or self.scene.look.accent), self.scene.picture
        box = QRectF(QPointF(self.start.x(), picture.top()), QPointF(self.at.x(), picture.bottom()))
        fill = QColor(colour)
        fill.setAlphaF(0.25)
        painter.fillRect(box.normalized().intersected(picture), fill)
        painter.setPen(QPen(colour, 1.5))
        for place in (self.start.x(), self.at.x()):
            painter.drawLine(QPointF(place, picture.top()), QPointF(place, picture.bottom()))


class NewRange(Band):
    """Makes a spectral subset."""

    def finish(self) -> None:
        if self.ends is None:
            return
        name = free_name(f"Range {1 + sum(s.kind == 'spectral' for s in self.session.subsets.values())}",
                         self.session.subsets)  # fmt: skip
        region = ranges_between(*self.ends, self.scene.scale)
        self.session.run("subset.create", name=name, region=region)
        self.session.interaction.select([name])


class NewSlab(Band):
    """Shows a slab in the cube views, while it is drawn."""

    def __init__(self, viewer: Any, scene: SpectrumScene, start: QPointF) -> None:
        super().__init__(viewer, scene, start)
        viewer.seal()
        self.before = [(one.leading, one.leading.slab, one.leading.slab_subset) for one in _cube_views(self.session)]

    def drag(self, position: QPointF) -> None:
        super().drag(position)
        if self.ends is not None and self.before:
            set_slab(self.session, *self.ends, self.scene.scale)

    def finish(self) -> None:
        if self.ends is None:
            self.cancel()
        elif not self.before:
            set_slab(self.session, *self.ends, self.scene.scale)  # says that there is none
        self.viewer.seal()

    def cancel(self) -> None:
        for layer, slab, subset in self.before:
            layer.update(slab=slab, slab_subset=subset)
        self.viewer.seal()


class MoveRange(Grip):
    """Moves a range, or one of its ends: live while it goes on, one step at the end."""

    def __init__(self, viewer: Any, scene: SpectrumScene, start: QPointF, mark: RangeMark, part: str) -> None:
        super().__init__(viewer, scene, start)
        self.mark, self.part, self.original = mark, part, self.session.subsets[mark.subset.name]

    def drag(self, position: QPointF) -> None:
        low, high = self.mark.low, self.mark.high
        shift = self.value(position) - self.value(self.start)
        low = low + shift if self.part in ("all", "low") else low
        high = high + shift if self.part in ("all", "high") else high
        if low == high:
            return
        self._put(moved_range(self.original, self.mark.part, low, high, self.scene.scale))

    def _put(self, region: Any) -> None:
        self.session.set_subsets({**self.session.subsets, self.original.name: self.original.but(region=region)})

    def finish(self) -> None:
        moved = self.session.subsets[self.original.name].region
        self.cancel()
        if moved is not self.original.region:
            self.session.run("subset.create", name=self.original.name, region=moved, data=self.original.data)

    def cancel(self) -> None:
        self.session.set_subsets({**self.session.subsets, self.original.name: self.original})


class LeadSlice(Grip):
    """Drags the slice of a cube view along."""

    def __init__(self, viewer: Any, scene: SpectrumScene, start: QPointF, mark: SliceMark) -> None:
        super().__init__(viewer, scene, start)
        self.view, self.before = mark.view, mark.value
        viewer.seal()

    def drag(self, position: QPointF) -> None:
        axis = self.view.leading.data.axis
        value = float(convert_axis(self.value(position), self.scene.scale, scale_of(axis)))
        ends = sorted((float(axis.values[0]), float(axis.values[-1])))
        self.view.spectral_value = min(max(value, ends[0]), ends[1])

    def finish(self) -> None:
        self.viewer.seal()

    def cancel(self) -> None:
        self.view.spectral_value = self.before


def grip_at(viewer: Any, event: QMouseEvent) -> Grip | None:
    """Return what the mouse takes hold of with this press; None leaves it to move or zoom the picture."""
    if event.button() != Qt.MouseButton.LeftButton:
        return None
    scene, at, keys = viewer.scene_now(), event.position(), event.modifiers()
    if not scene.picture.contains(at) or not scene.shown + scene.live:
        return None
    if keys & Qt.KeyboardModifier.ShiftModifier:
        return NewRange(viewer, scene, at)
    if keys & Qt.KeyboardModifier.AltModifier:
        return NewSlab(viewer, scene, at)
    if keys & Qt.KeyboardModifier.ControlModifier:
        return None
    return _slice_grip(viewer, scene, at) or _range_grip(viewer, scene, at)


def _slice_grip(viewer: Any, scene: SpectrumScene, at: QPointF) -> Grip | None:
    for mark in slices_in_sight(viewer.session, scene):
        if abs(mark.place - at.x()) <= NEAR:
            return LeadSlice(viewer, scene, at, mark)
    return None


def _range_grip(viewer: Any, scene: SpectrumScene, at: QPointF) -> Grip | None:
    found = range_part_at(viewer, scene, at)
    if found is None:
        return None
    mark, part = found
    interaction = viewer.session.interaction
    if part == "all" and mark.subset.name not in interaction.selected:
        return None  # a click selects it first; a drag over it moves the picture
    if mark.subset.locked:
        return None
    interaction.select([mark.subset.name])
    return MoveRange(viewer, scene, at, mark, part)


def range_part_at(viewer: Any, scene: SpectrumScene, at: QPointF) -> tuple[RangeMark, str] | None:
    """Return the range at a position and which part of it: low, high (ends of the axis) or all."""
    if not scene.picture.contains(at):
        return None
    marks = list(reversed(ranges_in_sight(viewer.session, scene)))
    rising = scene.x.low < scene.x.high
    for mark in marks:
        for place, part in ((mark.left, "low" if rising else "high"), (mark.right, "high" if rising else "low")):
            if abs(place - at.x()) <= NEAR:
                return mark, part
    inside = [mark for mark in marks if mark.left < at.x() < mark.right]
    return (min(inside, key=lambda mark: mark.right - mark.left), "all") if inside else None


def cursor_at(viewer: Any, scene: SpectrumScene, at: QPointF) -> Qt.CursorShape:
    """Return the shape that tells what a press would do."""
    if any(rect.contains(at) for rect in viewer.titles.values()):
        return Qt.CursorShape.PointingHandCursor
    if any(abs(mark.place - at.x()) <= NEAR for mark in slices_in_sight(viewer.session, scene)):
        return Qt.CursorShape.SplitHCursor
    found = range_part_at(viewer, scene, at)
    if found is not None and not found[0].subset.locked:
        if found[1] != "all":
            return Qt.CursorShape.SizeHorCursor
        if found[0].subset.name in viewer.session.interaction.selected:
            return Qt.CursorShape.SizeAllCursor
    return Qt.CursorShape.CrossCursor


def moved_range(subset: Any, part: int, low: float, high: float, scale: Any) -> Any:
    """Return the region of a subset with other ends of one of its ranges, in its own unit where that can be."""
    old = ranges_of(subset.region)
    own = replace(scale, unit=old.unit, quantity=_quantity(old.unit), medium=old.medium or scale.medium)
    try:
        ends = convert_axis([low, high], scale, own)
    except JvizError:
        return ranges_between(low, high, scale)
    pairs = list(old.ranges)
    pairs[part] = (float(ends.min()), float(ends.max()))
    return replace(old, ranges=tuple(pairs))


def _quantity(unit: str) -> Any:
    from jviz.backend.spectra.units import quantity_of

    return quantity_of(unit)[0]


def _cube_views(session: Any) -> list[Any]:
    """Return the views of cubes whose slices are stepped through."""
    return [view for view in session.views.values() if getattr(view, "leading", None) is not None]


def _views_to_show(session: Any) -> list[Any]:
    """Return the same; the user is told when there is none."""
    views = _cube_views(session)
    if not views:
        session.notice("info", "No cube viewer is open that could show this range.")
    return views


def set_slab(session: Any, low: float, high: float, scale: Any) -> None:
    """Show the sum of a range, or what is shown of one already, in every cube view that counts the same way."""
    for layer in [view.leading for view in _views_to_show(session)]:
        try:
            ends = convert_axis([low, high], scale, scale_of(layer.data.axis))
        except JvizError:
            continue
        how = layer.slab[2] if layer.slab is not None else "sum"
        layer.update(slab=(float(ends.min()), float(ends.max()), how), slab_subset="")


def follow_range(session: Any, name: str, statistic: str) -> None:
    """Show a range in every cube view that counts the same way, and let the map follow the range."""
    for view in _views_to_show(session):
        try:
            session.run("cube.show_slab", subset=name, statistic=statistic, view=view)
        except JvizError as error:
            session.notice("warning", str(error))
