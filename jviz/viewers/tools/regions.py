"""The tools that draw regions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPen

from jviz.viewers.image import ImageViewer
from jviz.viewers.image_mouse import Gesture
from jviz.viewers.image_tools import gesture
from jviz.viewers.ink import Ink
from jviz.viewers.region_entry import ask_text
from jviz.viewers.region_gestures import place_of
from jviz.viewers.region_making import make_region, preview_region
from jviz.viewers.region_ruler import measured
from jviz.viewers.region_shapes import Shape, stepped
from jviz.viewers.strokes import path_of

DEFAULT = 20.0
"""Radius, in screen pixels, of a region that is made by a click."""

INNER = 0.5
"""Radius of the inner edge of a new annulus, as a share of the outer one."""

DRAWN = Ink("#6cb6ff", "#000000")
"""What is being drawn, on any picture and in every theme."""

SPACING = 3.0
"""Screen pixels between the points of a free-hand outline."""


class Draw(Gesture):
    """Draws a shape in pixels of the view, and makes a region of it."""

    kind = ""

    def __init__(self, viewer: ImageViewer, start: QPointF, place: Any, held: Qt.KeyboardModifier) -> None:
        super().__init__(viewer, start)
        self.place, self.held = place, held
        self.shape: Shape | None = None

    @property
    def at(self) -> np.ndarray:
        """Where the press was, in pixels of the view."""
        return np.array([self.place.x, self.place.y])

    def pixel(self, position: QPointF) -> np.ndarray:
        """Return the pixel of the view at a position of the viewer."""
        inside = self.viewer.frame_now().inside(position)
        return np.array(self.viewer.geometry_now().to_data(inside.x(), inside.y()), dtype=float)

    @property
    def constrained(self) -> bool:
        """Whether Shift is held."""
        return bool(self.modifiers & Qt.KeyboardModifier.ShiftModifier)

    def drag(self, position: QPointF) -> None:
        self.shape = self.shape_to(self.pixel(position))
        self.follow()

    def follow(self) -> None:
        """Show the shape as it is now, and live spectra of it."""
        preview_region(self.viewer, self.place, self.shape, self.held)
        self.viewer.update()

    def leave(self) -> None:
        preview_region(self.viewer, self.place, None, self.held)

    def shape_to(self, to: np.ndarray) -> Shape | None:
        """Return the shape with the mouse at a pixel."""
        return None

    def finish(self, position: QPointF) -> None:
        shape = self.shape if self.moved else self.shape_to(self.at + self.clicked())
        if shape is not None:
            make_region(self.viewer, self.place, shape, self.held)

    def clicked(self) -> np.ndarray:
        """Return how far the mouse would have been dragged where it was only clicked, in pixels."""
        return self.axes()[0] * DEFAULT / self.place.geometry.scale

    def axes(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the directions to the right and up on the screen, in pixels of the view."""
        m = self.place.geometry.matrix
        right, up = m[:, 0], -m[:, 1]
        return right / np.hypot(*right), up / np.hypot(*up)

    def draw(self, painter: QPainter) -> None:
        if self.shape is None:
            return
        lines = self.shape.lines()
        geometry, corner = self.viewer.geometry_now(), self.viewer.frame_now().picture.topLeft()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.translate(corner)
        points = np.column_stack(geometry.to_screen(*np.vstack(lines).T))
        starts = np.concatenate([[0], np.cumsum([len(line) for line in lines])]).astype(int)
        DRAWN.stroke(painter, path_of(points, starts), 1.6)
        self.write(painter, points[-1])
        painter.restore()

    def write(self, painter: QPainter, at: np.ndarray) -> None:
        """Write beside the shape while it is drawn."""


class FromCentre(Draw):
    """Draws round a centre: to a radius, or to a corner of the box round it."""

    def __init__(self, viewer: ImageViewer, start: QPointF, place: Any, held: Any, kind: str) -> None:
        super().__init__(viewer, start, place, held)
        self.kind = kind

    def shape_to(self, to: np.ndarray) -> Shape | None:
        centre = self.at[None, :]
        radius = float(np.hypot(*(to - self.at)))
        if radius <= 0:
            return None
        if self.kind in ("circle", "compass"):
            return Shape(self.kind, centre, (radius,))
        if self.kind == "annulus":
            return Shape(self.kind, centre, (INNER * radius, radius))
        a, b = self._semi_axes(to)
        right, _ = self.axes()
        angle = float(np.degrees(np.arctan2(right[1], right[0])))
        sizes = (a, b) if self.kind == "ellipse" else (INNER * a, INNER * b, a, b)
        return Shape(self.kind, centre, sizes, angle % 360)

    def _semi_axes(self, to: np.ndarray) -> tuple[float, float]:
        right, up = self.axes()
        a, b = abs(float((to - self.at) @ right)), abs(float((to - self.at) @ up))
        if self.constrained:
            a = b = max(a, b)
        least = 2 / self.place.geometry.scale
        return max(a, least), max(b, least)

    def clicked(self) -> np.ndarray:
        if self.kind in ("circle", "annulus", "compass"):
            return super().clicked()
        right, up = self.axes()
        return (1.5 * right + up) * DEFAULT / self.place.geometry.scale


class Box(Draw):
    """Draws a rectangle from corner to corner, a square with Shift."""

    def shape_to(self, to: np.ndarray) -> Shape | None:
        right, up = self.axes()
        across, along = float((to - self.at) @ right), float((to - self.at) @ up)
        if self.constrained:
            side = max(abs(across), abs(along))
            across, along = np.copysign(side, across), np.copysign(side, along)
        if not (across and along):
            return None
        centre = self.at + (across * right + along * up) / 2
        angle = float(np.degrees(np.arctan2(right[1], right[0]))) % 360
        return Shape("rectangle", centre[None, :], (abs(across) / 2, abs(along) / 2), angle)

    def clicked(self) -> np.ndarray:
        right, up = self.axes()
        return (2 * right - 1.4 * up) * DEFAULT / self.place.geometry.scale


class Straight(Draw):
    """Draws a line; with Shift in steps of 15°."""

    def __init__(self, viewer: ImageViewer, start: QPointF, place: Any, held: Any, kind: str) -> None:
        super().__init__(viewer, start, place, held)
        self.kind = kind

    def shape_to(self, to: np.ndarray) -> Shape | None:
        to = stepped(self.at, to) if self.constrained else to
        return Shape(self.kind, np.vstack([self.at, to]))

    def finish(self, position: QPointF) -> None:
        if self.moved:
            super().finish(position)

    def write(self, painter: QPainter, at: np.ndarray) -> None:
        if self.shape is not None:
            text = measured(*self.shape.points, self.place.sky)
            look = self.viewer.look
            left = at[0] + 24 + look.metrics(0.92).horizontalAdvance(text) > self.viewer.frame_now().picture.width()
            place = QPointF(at[0] + (-12 if left else 12), at[1] - 6)
            Ink("#ffffff", "#000000").write(painter, place, text, look.font(0.92), across=1 if left else 0, down=1)


class FreeHand(Draw):
    """Draws an outline along the way of the mouse."""

    def __init__(self, viewer: ImageViewer, start: QPointF, place: Any, held: Any) -> None:
        super().__init__(viewer, start, place, held)
        self.points, self.last = [self.at], start

    def drag(self, position: QPointF) -> None:
        if (position - self.last).manhattanLength() >= SPACING:
            self.points.append(self.pixel(position))
            self.last = position
            self.shape = Shape("polygon", np.array(self.points))
            self.follow()

    def finish(self, position: QPointF) -> None:
        if self.shape is not None and len(self.points) > 2:
            make_region(self.viewer, self.place, self.shape, self.held)


class Corners(Draw):
    """Draws corner after corner by clicks; a double click, Enter, or a click on the first corner ends."""

    goes_on = True

    def __init__(self, viewer: ImageViewer, start: QPointF, place: Any, held: Any, kind: str) -> None:
        super().__init__(viewer, start, place, held)
        self.kind, self.least = kind, 3 if kind == "polygon" else 2
        self.points = [self.at]
        self.to: np.ndarray | None = None

    def move(self, position: QPointF) -> None:
        self.to = self.pixel(position)
        if self.constrained:
            self.to = stepped(self.points[-1], self.to)
        self._show()

    def press(self, position: QPointF) -> None:
        self.move(position)
        if len(self.points) >= self.least and self._is_at(position, self.points[0]):
            self._end()
            return
        self.points.append(self.to)
        self._show()

    def double_click(self, position: QPointF) -> None:
        # Its first press has put down the last corner already.
        self._end()

    def finish(self, position: QPointF) -> None:
        """Let go of the button: the next corner is still to come."""

    def key(self, event: QKeyEvent) -> Callable[[], Any] | None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            return self.viewer.end_gesture_with(self._end)
        if event.key() in (Qt.Key.Key_Backspace, Qt.Key.Key_Delete) and len(self.points) > 1:
            return self._take_back
        return None

    def _take_back(self) -> None:
        self.points.pop()
        self._show()

    def _is_at(self, position: QPointF, pixel: np.ndarray) -> bool:
        u, v = self.viewer.geometry_now().to_screen(*pixel)
        inside = self.viewer.frame_now().inside(position)
        return bool(np.hypot(inside.x() - u, inside.y() - v) < 8)

    def _show(self) -> None:
        points = [*self.points, self.to] if self.to is not None else self.points
        self.shape = Shape(self.kind if len(points) > 2 else "path", np.array(points)) if len(points) > 1 else None
        self.follow()

    def _end(self) -> None:
        self.goes_on = False
        points = _without_repeats(np.array(self.points), 2 / self.place.geometry.scale)
        if len(points) >= self.least:
            kind = "line" if self.kind == "path" and len(points) == 2 else self.kind
            make_region(self.viewer, self.place, Shape(kind, points), self.held)

    def draw(self, painter: QPainter) -> None:
        super().draw(painter)
        geometry, corner = self.viewer.geometry_now(), self.viewer.frame_now().picture.topLeft()
        u, v = geometry.to_screen(*np.array(self.points).T)
        painter.setPen(QPen(QColor(DRAWN.colour), 1.4))
        painter.setBrush(QColor("#ffffff"))
        for x, y in zip(u.tolist(), v.tolist(), strict=True):
            painter.drawEllipse(QPointF(x, y) + corner, 3, 3)


def _without_repeats(points: np.ndarray, least: float) -> np.ndarray:
    """Leave out points that stand where the one before stands, as a double click makes them."""
    apart = np.hypot(*np.diff(points, axis=0).T) > least
    return points[np.concatenate([[True], apart])]


class Mark(Draw):
    """Marks a point by a click, or writes a text there."""

    def __init__(self, viewer: ImageViewer, start: QPointF, place: Any, held: Any, kind: str) -> None:
        super().__init__(viewer, start, place, held)
        self.kind = kind

    def finish(self, position: QPointF) -> None:
        shape = Shape(self.kind, self.at[None, :])
        if self.kind == "point":
            make_region(self.viewer, self.place, shape, self.held)
        else:
            ask_text(
                self.viewer,
                self.start,
                lambda text: make_region(self.viewer, self.place, shape.but(text=text), self.held),
            )


def _drawing(tool: str, cls: type[Draw], *kinds: str) -> None:
    @gesture(tool)
    def begin(viewer: ImageViewer, event: QMouseEvent) -> Gesture | None:
        place = place_of(viewer, event.position())
        return None if place is None else cls(viewer, event.position(), place, event.modifiers(), *kinds)


for _kind in ("circle", "annulus", "ellipse", "ellipse_annulus", "rectangle_annulus", "compass"):
    _drawing(_kind, FromCentre, _kind)
for _kind in ("line", "ruler"):
    _drawing(_kind, Straight, _kind)
for _kind in ("polygon", "path"):
    _drawing(_kind, Corners, _kind)
for _kind in ("point", "text"):
    _drawing(_kind, Mark, _kind)
_drawing("rectangle", Box)
_drawing("freehand", FreeHand)
