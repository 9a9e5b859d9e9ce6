"""Where the parts of an image view lie: the picture, its axes in the margins, the colour bar."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF

from jviz.geometry import Geometry, aspect_of, geometry_of
from jviz.viewers.image_layers import is_flags
from jviz.viewers.look import Look
from jviz.views import ImageView

__all__ = ["Frame", "frame_of"]

LEAST = 220.0
"""Width or height of the picture below which axes and colour bar are left out."""


@dataclass(frozen=True)
class Frame:
    """Places of the parts, in logical pixels from the top left corner of the viewer.

    ``bar`` is the strip of colours; its numbers stand to the right of it. None: not shown.
    """

    whole: QRectF
    picture: QRectF
    bar: QRectF | None = None
    axes: bool = False

    def geometry(self, view: ImageView, *, same_field: bool = False) -> Geometry:
        """Return the map between the picture (from its own corner) and data pixels.

        Parameters
        ----------
        same_field : bool
            Show what the viewer shows, whatever the size, instead of keeping its scale.
        """
        width, height = self.picture.width(), self.picture.height()
        geometry = geometry_of(view, width, height)
        if same_field and view.scale is not None:
            shown_width, shown_height = view.viewport
            scale = view.scale * min(width / shown_width, height / shown_height)
            turned = (view.rotation, view.flip_x, view.flip_y)
            return Geometry(width, height, geometry.centre, scale, *turned, aspect_of(view, shown_width, shown_height))
        return geometry

    def inside(self, point: QPointF) -> QPointF:
        """Return a point of the viewer as seen from the corner of the picture."""
        return point - self.picture.topLeft()


def frame_of(view: ImageView, width: float, height: float, look: Look) -> Frame:
    """Lay out a view in a rectangle of a size."""
    whole = QRectF(0, 0, max(width, 1), max(height, 1))
    line, letter = look.metrics(0.92).height(), look.metrics(0.92).horizontalAdvance("0")
    left = top = right = bottom = 0.0
    axes = view.axes != "none" and bool(view.layers)
    bar = view.colorbar and view.layer is not None
    flags = bar and is_flags(view.layer)
    if axes:
        left = round(letter * (11 if view.axes == "sky" else 6) + line + 16)
        bottom = round(2 * line + 18)
        top, right = round(line), round(line)
    bar_room = round(0.7 * line + 14 + (18 if flags else 8) * letter + 16 + 1.2 * line) if bar else 0.0
    if width - left - max(right, bar_room) < LEAST or height - top - bottom < LEAST:
        left = top = right = bottom = bar_room = 0.0
        axes = bar = False
    picture = QRectF(left, top, whole.width() - left - max(right, bar_room), whole.height() - top - bottom)
    return Frame(whole, picture, _bar(picture, line, axes) if bar else None, axes)


def _bar(picture: QRectF, line: float, axes: bool) -> QRectF:
    gap = 0 if axes else round(line)
    return QRectF(picture.right() + round(0.7 * line), picture.top() + gap, 14, picture.height() - 2 * gap)
