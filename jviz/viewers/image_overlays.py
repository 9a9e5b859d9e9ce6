"""What stands over and beside the picture: colour bar, compass, scale bar, overview, magnifier."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPen, QPolygonF

from jviz.backend.dq import flag_names
from jviz.backend.render.grid import Compass, compass, scale_bar, ticks_for_table
from jviz.flags import flag_color, shown_bits
from jviz.geometry import Geometry, fitting_scale, image_shape
from jviz.viewers.image_frame import Frame
from jviz.viewers.image_layers import Compositor, is_flags
from jviz.viewers.ink import BRIGHT, Ink, ground_of, ink_on
from jviz.viewers.kept import draw_kept
from jviz.viewers.look import Look
from jviz.viewers.readout import pretty_unit, unit_of_ratio
from jviz.views import ImageView

__all__ = ["Scene", "draw_bar", "draw_caption", "draw_compass", "draw_inset", "draw_scale_bar", "furniture",
           "is_bare", "lens", "overview"]  # fmt: skip

EDGE = 14.0
"""Distance of overlays from the edges of the picture."""
SMALL = 90.0
"""Sides of pictures from which on they have a scale bar and a beam."""


@dataclass
class Scene:
    """All that painting a view needs.

    Parameters
    ----------
    ratio : float
        Pixels of the device per logical pixel.
    pixels : ndarray of uint32 or None
        The picture, ``pixels_ratio`` pixels per logical pixel.
    sky : SkyMap or None
        Of the first layer.
    cursor : QPointF or None
        In coordinates of the picture.
    fast : bool
        For the screen, where a frame must be quick.
    session : Session or None
        Whose regions and the like belong to the picture.
    unfinished : bool
        Set by what had no time to paint all; a viewer paints again soon.
    """

    view: ImageView
    frame: Frame
    geometry: Geometry
    look: Look
    ratio: float
    compositor: Compositor
    pixels: np.ndarray | None = None
    pixels_ratio: float = 1.0
    sky: Any = None
    origin: int = 0
    cursor: QPointF | None = None
    fast: bool = False
    session: Any = None
    unfinished: bool = False

    def ink(self, area: QRectF) -> Ink:
        """Return what can be read on a part of the picture."""
        return ink_on(self.pixels, self.pixels_ratio, area)

    def ground(self, area: QRectF) -> tuple[Ink, bool]:
        """Return what can be read on a part of the picture, and whether it needs a plate (`draw_plate`) for that."""
        return ground_of(self.pixels, self.pixels_ratio, area)

    def draw(self, painter: QPainter, area: QRectF, key: Hashable, draw: Callable[[QPainter], object]) -> None:
        """Draw something that hardly changes: on the screen as a picture that is kept, in files as lines and text.

        ``key`` holds all that it depends on, besides the area it lies in and the look.
        """
        if self.fast:
            draw_kept(painter, area, self.ratio, (key, self.look), draw)
        else:
            draw(painter)


def draw_plate(painter: QPainter, area: QRectF) -> None:
    """Lay a dark plate under what could not be read on all of the picture there."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(16, 18, 22, 190))
    painter.drawRoundedRect(area, 6, 6)


def draw_caption(painter: QPainter, look: Look, text: str, share: float) -> None:
    """Write a line on a plate in the upper left corner, at a share of the size of the font."""
    metrics = look.metrics(share)
    area = QRectF(8, 8, 1.1 * metrics.horizontalAdvance(text) + 16, metrics.height() + 6)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    draw_plate(painter, area)
    BRIGHT.write(painter, QPointF(16, area.center().y()), text, look.font(share, bold=True), across=0.0, down=0.5)


def image_of(pixels: np.ndarray) -> QImage:
    """Wrap opaque pixels in an image without copying; the array must outlive it."""
    height, width = pixels.shape
    return QImage(pixels.data, width, height, width * 4, QImage.Format.Format_RGB32)


# --- colour bar -----------------------------------------------------------------------------------


def draw_bar(painter: QPainter, scene: Scene) -> None:
    """Draw the colours of the active layer with their values."""
    layer, bar, look = scene.view.layer, scene.frame.bar, scene.look
    if bar is not None and layer is not None and is_flags(layer):
        _draw_flags(painter, scene)
        return
    limits = scene.compositor.limits(layer) if layer is not None else None
    if bar is None or limits is None:
        return
    shown = scene.compositor.bar(layer)

    def draw(painter: QPainter) -> None:
        painter.save()
        painter.drawImage(bar, image_of(shown.colours))
        painter.setPen(QPen(QColor(look.line), 1.0))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(bar)
        if limits[0] != limits[1]:
            _draw_bar_numbers(painter, scene, shown.bright, *sorted(limits), turned=limits[0] > limits[1])
        painter.restore()

    whole = scene.frame.whole
    area = QRectF(bar.left() - 2, whole.top(), whole.right() - bar.left() + 2, whole.height())
    place = (bar.getRect(), whole.getRect())
    scene.draw(painter, area, ("bar", place, limits, bar_title(layer), shown.key), draw)


def _draw_bar_numbers(
    painter: QPainter, scene: Scene, bright: np.ndarray, low: float, high: float, *, turned: bool
) -> None:
    bar, look, layer = scene.frame.bar, scene.look, scene.view.layer
    metrics = look.metrics(0.92)
    ticks = ticks_for_table(bright, low, high, max(2, int(bar.height() / (4.2 * metrics.height()))))
    painter.setFont(look.font(0.92))
    widest = 0.0
    for place, text in zip(ticks.positions, ticks.labels, strict=True):
        y = bar.top() + bar.height() * (place if turned else 1 - place)
        painter.setPen(QPen(QColor(look.line), 1.0))
        painter.drawLine(QPointF(bar.right(), y), QPointF(bar.right() + 4, y))
        painter.setPen(QColor(look.text))
        painter.drawText(QPointF(bar.right() + 8, y + metrics.ascent() / 2 - metrics.descent() / 3), text)
        widest = max(widest, metrics.horizontalAdvance(text))
    title = " ".join(filter(None, (ticks.power, bar_title(layer))))
    across = min(bar.right() + 16 + widest + metrics.ascent(), scene.frame.whole.right() - metrics.descent())
    painter.translate(across, bar.center().y() + metrics.horizontalAdvance(title) / 2)
    painter.rotate(-90)
    painter.drawText(QPointF(0, 0), title)


def _draw_flags(painter: QPainter, scene: Scene) -> None:
    """List the flags that are set in sight, each with its colour, in place of a colour bar."""
    layer, bar, look = scene.view.layer, scene.frame.bar, scene.look
    metrics = look.metrics(0.85)
    painter.save()
    painter.setFont(look.font(0.85))
    step = 1.5 * metrics.height()
    bits = flags_listed(scene, layer)
    for number, bit in enumerate(bits[: max(0, int(bar.height() / step))]):
        y = bar.top() + number * step
        painter.fillRect(QRectF(bar.left(), y, 14, metrics.height()), QColor(flag_color(layer, bit)))
        painter.setPen(QColor(look.text))
        name = flag_names(1 << bit, layer.data.product.flags or "generic")[0]
        painter.drawText(QPointF(bar.left() + 21, y + metrics.ascent()), name)
    painter.restore()


def flags_listed(scene: Scene, layer: Any) -> list[int]:
    """Return the bits that are set in sight and shown."""
    there = scene.compositor.flags_in_sight(layer) & shown_bits(layer)
    return [bit for bit in range(32) if there >> bit & 1]


def bar_title(layer: Any) -> str:
    """Return what the values of a layer are: the unit, and the plane when it is not the first."""
    if layer.operation == "ratio":
        return unit_of_ratio(layer)
    plane = layer.data.plane(layer.plane)
    unit = pretty_unit(layer.shown_unit)
    if plane is layer.data.plane():
        return unit
    return f"{plane.name} ({unit})" if unit else plane.name


# --- compass and scale bar ------------------------------------------------------------------------


@lru_cache(maxsize=8)
def _directions(sky: Any, geometry: Geometry, frame: str) -> Compass | None:
    x, y = geometry.centre
    return compass(sky.pixel_to_sky, x, y, frame=frame, pixel_to_viewport=geometry.to_screen)


def furniture(scene: Scene) -> tuple[QRectF, ...]:
    """Return the places in the picture that scale bar, compass and overview take, where numbers of a grid cannot be."""
    view, areas = scene.view, []
    if view.scale_bar and not is_bare(scene, SMALL):
        areas.append(_scale_plate(scene, _scale(scene)[0]))
    if view.compass and not is_bare(scene):
        areas.append(_compass_corner(scene))
    inset = overview(view, scene.geometry) if view.overview else None
    return tuple(areas if inset is None else [*areas, inset.area])


def is_bare(scene: Scene, least: float = 160) -> bool:
    """Whether a picture is smaller than so many pixels, or shows too little of a sky, for scale bar and compass."""
    small = min(scene.geometry.width, scene.geometry.height) < least
    return small or getattr(scene.view.layers[0], "is_side", False)


def _compass_corner(scene: Scene) -> QRectF:
    room = _arrow(scene) + 1.5 * scene.look.pixels
    return QRectF(scene.geometry.width - 2 * room - EDGE / 2, EDGE / 2, 2 * room, 2 * room)


def _arrow(scene: Scene) -> float:
    return max(26.0, 2.6 * scene.look.pixels)


def draw_compass(painter: QPainter, scene: Scene) -> None:
    """Draw arrows to north and east, or along x and y when the image has no sky."""
    geometry = scene.geometry
    if scene.sky is not None:
        found = _directions(scene.sky, geometry, scene.view.sky_frame)
        if found is None:
            return
        arrows = (("N", found.north), ("E", found.east))
    else:
        x, y = geometry.to_screen(np.array([0, 1.0, 0]), np.array([0, 0, 1.0]))
        arrows = tuple((name, math.degrees(math.atan2(y[k] - y[0], x[k] - x[0]))) for name, k in (("x", 1), ("y", 2)))
    _draw_arrows(painter, scene, _compass_corner(scene), arrows, _arrow(scene))


def _draw_arrows(painter: QPainter, scene: Scene, corner: QRectF, arrows: Any, size: float) -> None:
    ways = [(name, math.cos(math.radians(a)), math.sin(math.radians(a))) for name, a in arrows]
    # The arrows' own middle stands in the middle of the corner, wherever they point.
    origin = corner.center() - QPointF(sum(w[1] for w in ways), sum(w[2] for w in ways)) * (size / 3)
    pixels, font = scene.look.pixels, scene.look.font(0.92, bold=True)
    ends = [origin, *(origin + QPointF(dx, dy) * (size + 0.75 * pixels) for _, dx, dy in ways)]
    plate = QPolygonF(ends).boundingRect().adjusted(-pixels, -pixels, pixels, pixels)
    ink, mixed = scene.ground(plate)

    def draw(painter: QPainter) -> None:
        if mixed:
            draw_plate(painter, plate)
        ink.stroke(painter, _arrows(origin, [way[1:] for way in ways], size), 1.7)
        for (name, *_), end in zip(ways, ends[1:], strict=True):
            ink.write(painter, end, name, font, across=0.5, down=0.5)

    key = ("compass", ink, mixed, tuple(ways), size, corner.getRect())
    scene.draw(painter, plate.adjusted(-pixels, -pixels, pixels, pixels), key, draw)


def _arrows(origin: QPointF, ways: list[Any], size: float) -> QPainterPath:
    path = QPainterPath()
    for dx, dy in ways:
        tip = origin + QPointF(dx, dy) * size
        path.moveTo(origin)
        path.lineTo(tip)
        for side in (1, -1):
            path.moveTo(tip)
            path.lineTo(tip + QPointF(-dx + side * 0.5 * dy, -dy - side * 0.5 * dx) * (0.2 * size))
    return path


@lru_cache(maxsize=8)
def _level_size(sky: Any, x: float, y: float, along: tuple[float, float]) -> float:
    """Return the arcseconds of a step on the array; pixels need not be square."""
    return float(np.hypot(*(sky.jacobian(x, y) @ np.array(along))))


def _scale(scene: Scene) -> tuple[float, str]:
    """Return the length of the scale bar, NaN where there is none, and what it says."""
    geometry = scene.geometry
    size = None
    if scene.sky is not None:
        along = geometry.matrix[:, 0] * geometry.scale  # a pixel's length to the right of the screen
        size = _level_size(scene.sky, *geometry.centre, tuple(along.tolist()))
    return scale_bar(size, geometry.scale, min(0.25 * geometry.width, 220.0))


def _scale_plate(scene: Scene, length: float) -> QRectF:
    letters = scene.look.pixels
    return QRectF(EDGE - 6, scene.geometry.height - EDGE - 2 - 2 * letters, length + 16, 2.6 * letters)


def draw_scale_bar(painter: QPainter, scene: Scene) -> None:
    """Draw a bar of a round angular length (of pixels without a sky) at the bottom left."""
    length, text = _scale(scene)
    if not length > 0:
        return
    left, base = EDGE + 2, scene.geometry.height - EDGE - 2
    letters, plate = scene.look.pixels, _scale_plate(scene, length)
    ink, mixed = scene.ground(plate)
    font = scene.look.font(0.92, bold=True)

    def draw(painter: QPainter) -> None:
        if mixed:
            draw_plate(painter, plate)
        path = QPainterPath()
        for x in (left, left + length):
            path.moveTo(x, base - 4)
            path.lineTo(x, base + 4)
        path.moveTo(left, base)
        path.lineTo(left + length, base)
        ink.stroke(painter, path, 1.8)
        ink.write(painter, QPointF(left + length / 2, base - 6), text, font, across=0.5, down=1)

    # The text may be longer than the bar.
    area = plate.adjusted(-6 * letters, -letters, 6 * letters, letters)
    scene.draw(painter, area, ("scale bar", ink, mixed, length, text, left, base), draw)


# --- insets ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Inset:
    """A small picture within the picture: where it stands, what it shows."""

    slot: str
    area: QRectF
    geometry: Geometry


def overview(view: ImageView, geometry: Geometry) -> Inset | None:
    """Return the inset of the whole image, turned as the picture is; None when there is no room."""
    longest = min(190.0, 0.28 * geometry.width, 0.4 * geometry.height)
    if longest < 50 or not view.layers:
        return None
    ny, nx = image_shape(view)
    scale, ny = fitting_scale((ny, nx), longest, longest, view.rotation, geometry.aspect), ny * geometry.aspect
    cos, sin = abs(math.cos(math.radians(view.rotation))), abs(math.sin(math.radians(view.rotation)))
    width, height = max(12.0, scale * (nx * cos + ny * sin)), max(12.0, scale * (nx * sin + ny * cos))
    area = QRectF(geometry.width - width - EDGE, geometry.height - height - EDGE, width, height)
    centre = ((nx - 1) / 2, (ny / geometry.aspect - 1) / 2)
    turned = (view.rotation, view.flip_x, view.flip_y, geometry.aspect)
    return Inset("overview", area, Geometry(width, height, centre, scale, *turned))


def lens(view: ImageView, geometry: Geometry, cursor: QPointF | None, look: Look) -> Inset | None:
    """Return the inset of the pixels round the cursor, in a corner that the cursor is not in."""
    side = round(min(12 * look.pixels, 0.4 * geometry.width, 0.4 * geometry.height))
    if cursor is None or side < 40 or not view.layers:
        return None
    x, y = geometry.to_data(cursor.x(), cursor.y())
    centre = (float(math.floor(x + 0.5)), float(math.floor(y + 0.5)))
    scale = max(side / 13, 2 * geometry.scale)
    area = QRectF(EDGE, EDGE, side, side)
    if area.adjusted(-40, -40, 40, 40).contains(cursor):
        area.moveLeft(geometry.width - side - EDGE)
    place = Geometry(float(side), float(side), centre, scale, view.rotation, view.flip_x, view.flip_y)
    return Inset("magnifier", area, place)


def draw_inset(painter: QPainter, scene: Scene, inset: Inset) -> None:
    """Draw an inset with its border and the outline that matters in it."""
    pixels = scene.compositor.compose(scene.view, inset.geometry, scene.ratio, scene.look, inset.slot)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.fillRect(inset.area.adjusted(-2.5, -2.5, 2.5, 2.5), QColor(0, 0, 0, 110))
    painter.fillRect(inset.area, QColor(scene.look.canvas))
    if pixels is not None:
        painter.drawImage(inset.area, image_of(pixels))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(255, 255, 255, 200), 1.0))
    painter.drawRect(inset.area)
    painter.setClipRect(inset.area, Qt.ClipOperation.IntersectClip)
    painter.translate(inset.area.topLeft())
    path = QPainterPath()
    path.addPolygon(outline(scene, inset))
    path.closeSubpath()
    Ink("#ffffff", "#000000").stroke(painter, path, 1.3)
    painter.restore()


def outline(scene: Scene, inset: Inset) -> QPolygonF:
    """Return what is framed: the pixel in the middle of the magnifier, the part in view in the overview."""
    if inset.slot == "magnifier":
        x, y = inset.geometry.centre
        xs, ys = np.array([x - 0.5, x + 0.5, x + 0.5, x - 0.5]), np.array([y - 0.5, y - 0.5, y + 0.5, y + 0.5])
    else:
        width, height = scene.geometry.width, scene.geometry.height
        xs, ys = scene.geometry.to_data(np.array([0, width, width, 0]), np.array([0, 0, height, height]))
    u, v = inset.geometry.to_screen(xs, ys)
    return QPolygonF([QPointF(a, b) for a, b in zip(u.tolist(), v.tolist(), strict=True)])
