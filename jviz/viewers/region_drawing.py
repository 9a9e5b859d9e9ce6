"""Drawing regions: all outlines of a colour in one path, names where there is room, handles of what is selected."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPen, QPolygonF

from jviz.backend.regions.combining import members
from jviz.backend.render import kernels
from jviz.geometry import Geometry
from jviz.places import Outline, Places, finely, placed
from jviz.subsets import Subset
from jviz.viewers.footprint_turn import draw_turn_grip, turn_grip
from jviz.viewers.image_layers import ready_sky
from jviz.viewers.image_overlays import Scene
from jviz.viewers.ink import Ink
from jviz.viewers.region_grids import shape_on_grid
from jviz.viewers.region_names import Named, names_in_room
from jviz.viewers.region_ruler import measured
from jviz.viewers.region_shapes import Handle
from jviz.viewers.strokes import draw_segments, path_of, picked, segments_of

__all__ = ["TURN_REACH", "Grip", "draw_regions", "draw_selection", "handles_on_screen", "has_room", "highlight"]

MANY = 60
"""Regions in sight above which lines are drawn plainly."""

ROUGH = 4000
"""Lines above which edges are not smoothed."""

FEW = 40
"""Regions in sight up to which names are written."""

LARGE = 260.0
"""Size on the screen above which curves need many points."""

STRIDE_SIZES = np.array([5.0, 10.0, 16.0, 50.0])
STRIDES = np.array([16, 11, 8, 4, 1])
"""Up to these sizes every n-th point of a curve will do."""

LEAST_ROOM = 14.0
"""Size on the screen below which a region shows no handles."""

TURN_REACH = 24.0
"""Screen pixels from the upper edge of a shape to the handle that turns it."""


def draw_regions(painter: QPainter, scene: Scene, places: Places) -> None:
    """Draw the outlines, points and names of all regions in sight."""
    sizes, seen = _in_sight(scene.geometry, places)
    strong = selected_numbers(scene, places)
    labelled = np.flatnonzero(seen)
    seen[strong] = False  # they are drawn by `draw_selection`
    numbers = np.flatnonzero(seen)
    large = numbers[(sizes[numbers] > LARGE) & places.curved[numbers]][:FEW]
    plain = scene.fast and len(numbers) > MANY
    marked = numbers[places.marked[numbers]]
    seen[large] = False
    strides = np.where(places.curved, STRIDES[np.searchsorted(STRIDE_SIZES, sizes)], 1) if plain else None
    done = plain and _draw_at_once(painter, scene, places, seen, strides)
    of, alone = places.colours[1], np.union1d(large, marked) if done else numbers
    for number in np.unique(of[alone]).tolist():
        colour, path = places.colours[0][number], QPainterPath()
        if not done:
            _add_lines(painter, path, scene, places, seen & (of == number), strides, colour)
        for k in large[of[large] == number].tolist():
            path.addPath(_fine(scene, places.subsets[k]))
        crossed = marked[of[marked] == number]
        if len(crossed):
            path.addPath(_crosses(scene.geometry, places, crossed))
        _stroke(painter, path, colour, quick=plain)
    _write_texts(painter, scene, places, labelled, sizes)


def _draw_at_once(painter: QPainter, scene: Scene, places: Places, seen: np.ndarray, strides: np.ndarray) -> bool:
    """Draw very many lines into a picture of its own, if there are as many and once the kernels are compiled."""
    if not kernels.ready or (places.lengths[seen] / strides[seen]).sum() <= ROUGH:
        return False
    from jviz.backend.render import line_kernels

    geometry, ratio = scene.geometry, scene.ratio
    picture = _blank(int(geometry.width * ratio) + 1, int(geometry.height * ratio) + 1)
    to = np.ascontiguousarray(geometry.to_screen_matrix * ratio)
    shades = np.array([QColor(name).rgba() for name in places.colours[0]], np.uint32)[places.colours[1]]
    drawn = np.where(seen, strides, 0)
    line_kernels.draw_outlines(places.points, places.starts, places.owners, drawn, shades, to, picture)
    height, width = picture.shape
    image = QImage(picture.data, width, height, 4 * width, QImage.Format.Format_ARGB32_Premultiplied)
    painter.drawImage(QRectF(0, 0, width / ratio, height / ratio), image)
    return True


def _add_lines(
    painter: QPainter,
    path: QPainterPath,
    scene: Scene,
    places: Places,
    wanted: np.ndarray,
    strides: np.ndarray | None,
    colour: str,
) -> None:
    """Add the lines of some regions to a path; with strides, draw them plainly at once."""
    lines = np.flatnonzero(wanted[places.owners])
    steps = np.ones(len(lines), int) if strides is None else strides[places.owners[lines]]
    points, starts = _on_the_way(scene.geometry, places, lines, steps)
    if strides is None:
        path.addPath(path_of(points, starts))
    else:
        draw_plainly(painter, segments_of(points, starts), colour)


@lru_cache(maxsize=2)
def _memory(width: int, height: int) -> np.ndarray:
    return np.zeros((height, width), np.uint32)


def _blank(width: int, height: int) -> np.ndarray:
    """Return an empty picture; its memory is used again, for the system takes a millisecond to give new one."""
    picture = _memory(width, height)
    picture[:] = 0
    return picture


def _in_sight(geometry: Geometry, places: Places) -> tuple[np.ndarray, np.ndarray]:
    """Return how large the regions are on the screen, and which of them may be seen."""
    if not len(places.boxes):
        return np.empty(0), np.empty(0, dtype=bool)
    x0, y0, x1, y1 = places.boxes.T
    sizes = np.maximum((x1 - x0) * geometry.scales[0], (y1 - y0) * geometry.scales[1])
    u, v = geometry.to_screen((x0 + x1) / 2, (y0 + y1) / 2)
    reach = 0.75 * sizes + 20  # half the diagonal of the box, however it is turned, and a mark
    seen = (u > -reach) & (u < geometry.width + reach) & (v > -reach) & (v < geometry.height + reach)
    return sizes, seen


def _on_the_way(
    geometry: Geometry, places: Places, lines: np.ndarray, strides: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the points of some polylines on the screen, and where each begins."""
    if not len(lines):
        return np.empty((0, 2)), np.zeros(1, dtype=int)
    points, starts = picked(places.starts, lines, strides)
    return np.column_stack(geometry.to_screen(*places.points[points].T)), starts


def draw_plainly(painter: QPainter, segments: np.ndarray, colour: str) -> None:
    """Draw many lines one pixel wide, which Qt draws many times faster, and rough when there are very many."""
    smooth = painter.testRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, smooth and len(segments) <= ROUGH)
    painter.setPen(QPen(QColor(colour), 0))
    draw_segments(painter, segments)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, smooth)


def _fine(scene: Scene, subset: Subset) -> QPainterPath:
    data = scene.view.layers[0].data
    outline = finely(subset, data, ready_sky(data), max(scene.geometry.scales))
    return path_of(np.column_stack(scene.geometry.to_screen(*outline.points.T)), outline.starts)


def _crosses(geometry: Geometry, places: Places, numbers: np.ndarray) -> QPainterPath:
    """Return crosses with a gap, so that what is marked can be seen."""
    u, v = geometry.to_screen(*places.boxes[numbers, :2].T)
    steps = np.array([(-7, 0), (-2.5, 0), (2.5, 0), (7, 0), (0, -7), (0, -2.5), (0, 2.5), (0, 7)])
    points = (np.column_stack([u, v])[:, None, :] + steps).reshape(-1, 2)
    return path_of(points, np.arange(0, len(points) + 1, 2))


def _stroke(painter: QPainter, path: QPainterPath, colour: str, *, quick: bool = False) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    if quick:
        # Qt draws lines of one pixel many times faster than wider ones.
        pen = QPen(QColor(colour), 1.0)
        pen.setCosmetic(True)
        painter.setPen(pen)
        painter.drawPath(path)
        return
    Ink(colour, "#000000").stroke(painter, path, 1.6)


# --- words ------------------------------------------------------------------------------------------


def _write_texts(painter: QPainter, scene: Scene, places: Places, numbers: np.ndarray, sizes: np.ndarray) -> None:
    """Write texts, lengths of rulers and letters of compasses; names as long as there are few."""
    font, bold = scene.look.font(0.88), scene.look.font(0.95, bold=True)
    named: list[tuple[Named, Ink]] = []
    if len(numbers) > FEW:
        numbers = numbers[places.worded[numbers]]
    for k in numbers[:500].tolist():
        subset, placed = places.subsets[k], places.outline(k)
        ink = Ink(subset.color, "#000000")
        if placed.kind == "text":
            ink.write(painter, _on_screen(scene, placed.anchor), subset.text, bold, across=0.5, down=0.5)
        elif placed.kind == "ruler":
            start, end = placed.points[0], placed.points[-1]
            text = measured(start, end, scene.sky)
            middle, aside = _beside(scene, start, end, 0.5 * scene.look.metrics(0.88).horizontalAdvance(text))
            ink.write(painter, middle + aside, text, font, across=0.5, down=1)
        elif placed.kind == "compass":
            words = ("N", "E") if subset.kind == "sky" else ("Y", "X")
            _write_compass(painter, scene, placed, words, ink)
        elif placed.kind == "vector":
            line = placed.lines()[0]
            ink.stroke(painter, _head(_on_screen(scene, tuple(line[0])), _on_screen(scene, tuple(line[-1]))), 1.6)
        elif len(numbers) <= FEW and placed.kind != "point" and sizes[k] > 12:
            box = np.column_stack(scene.geometry.to_screen(*_named(placed).T))
            middle, (top, bottom) = float(np.nanmean(box[:, 0])), (np.nanmin(box[:, 1]), np.nanmax(box[:, 1]))
            named.append((Named(subset.name, subset.group, middle, float(top), float(bottom)), ink))
    _write_names(painter, scene, named)


def _write_names(painter: QPainter, scene: Scene, named: list[tuple[Named, Ink]]) -> None:
    font, metrics = scene.look.font(0.88), scene.look.metrics(0.88)
    view = QSizeF(scene.geometry.width, scene.geometry.height)
    found = names_in_room([one for one, _ in named], metrics.horizontalAdvance, metrics.height(), view)
    for number, text, place in found:
        named[number][1].write(painter, place.topLeft(), text, font)


def _named(placed: Outline) -> np.ndarray:
    """Return the points below which a name is written: all of a region, the largest piece of one that a seam parts."""
    lines = [line for line in placed.lines() if np.isfinite(line).all(axis=1).any()]
    if len(lines) < 2 or all(np.array_equal(line[0], line[-1], equal_nan=True) for line in lines):
        return placed.points
    return max(lines, key=lambda line: float((np.nanmax(line, axis=0) - np.nanmin(line, axis=0)).max()))


def _beside(scene: Scene, start: np.ndarray, end: np.ndarray, half: float) -> tuple[QPointF, QPointF]:
    """Return the middle of a line on the screen, and the way from there to a text of a width that does not cross it."""
    a, b = _on_screen(scene, tuple(start.tolist())), _on_screen(scene, tuple(end.tolist()))
    way = b - a if b.x() >= a.x() else a - b
    slope = way.y() / max(way.x(), 1e-9)
    if abs(slope) > 1:
        return (a + b) / 2, QPointF(half + 8, 0)
    return (a + b) / 2, QPointF(0, -6 - half * abs(slope))


def _write_compass(painter: QPainter, scene: Scene, placed: Outline, words: tuple[str, str], ink: Ink) -> None:
    for line, word in zip(placed.lines(), words, strict=False):
        start, end = _on_screen(scene, tuple(line[0])), _on_screen(scene, tuple(line[-1]))
        ink.stroke(painter, _head(start, end), 1.6)
        at = end + _along(start, end) * 11
        ink.write(painter, at, word, scene.look.font(0.92, bold=True), across=0.5, down=0.5)


def _along(start: QPointF, end: QPointF) -> QPointF:
    way = end - start
    return way / max(1.0, (way.x() ** 2 + way.y() ** 2) ** 0.5)


def _head(start: QPointF, end: QPointF) -> QPainterPath:
    """Return the head of an arrow."""
    along, head = _along(start, end), QPainterPath()
    for side in (1, -1):
        head.moveTo(end)
        head.lineTo(end + QPointF(-along.x() + side * 0.5 * along.y(), -along.y() - side * 0.5 * along.x()) * 9)
    return head


def _on_screen(scene: Scene, at: tuple[float, float]) -> QPointF:
    u, v = scene.geometry.to_screen(*at)
    return QPointF(float(u), float(v))


# --- what is selected -------------------------------------------------------------------------------


def selected_numbers(scene: Scene, places: Places) -> list[int]:
    """Return the numbers of the selected regions; saved pictures know of none, and of very many none stands out."""
    chosen = scene.session.interaction.selected if scene.fast else ()
    return [places.numbers[name] for name in chosen if name in places.numbers] if len(chosen) <= 200 else []


def draw_selection(painter: QPainter, scene: Scene, places: Places) -> None:
    """Draw the selected regions stronger, and the handles of one that is selected alone."""
    numbers = selected_numbers(scene, places)
    for k in numbers:
        outline, subset = places.outline(k), places.subsets[k]
        frame = _text_frame(scene, outline, subset.text) if outline.kind == "text" else None
        highlight(painter, scene.geometry, outline, subset.color, locked=subset.locked, frame=frame)
    if len(numbers) == 1 and not places.subsets[numbers[0]].locked and has_room(scene.geometry, places, numbers[0]):
        subset, data = places.subsets[numbers[0]], scene.view.layers[0].data
        if subset.shape == "combined":
            _draw_members(painter, scene, subset, scene.look.accent)
        _draw_handles(painter, handles_on_screen(subset, data, ready_sky(data), scene.geometry), scene.look.accent)
    elif 1 < len(numbers) <= FEW:
        grip = turn_grip(scene.session, ready_sky(scene.view.layers[0].data), scene.geometry)
        if grip is not None:
            draw_turn_grip(painter, grip, scene.look.accent)


def _draw_members(painter: QPainter, scene: Scene, subset: Subset, accent: str) -> None:
    """Draw the members of a combined region as thin dashed lines: what their handles change."""
    data, sky = scene.view.layers[0].data, ready_sky(scene.view.layers[0].data)
    pen = QPen(QColor(accent), 1.0, Qt.PenStyle.DashLine)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(pen)
    for member in members(subset.region)[:FEW]:
        outline = placed([subset.but(region=member)], data, sky).outline(0)
        painter.drawPath(path_of(np.column_stack(scene.geometry.to_screen(*outline.points.T)), outline.starts))


def has_room(geometry: Geometry, places: Places, number: int) -> bool:
    """Whether handles would not cover all of a region."""
    x0, y0, x1, y1 = places.boxes[number]
    return max((x1 - x0) * geometry.scales[0], (y1 - y0) * geometry.scales[1]) > LEAST_ROOM


def _text_frame(scene: Scene, outline: Outline, text: str) -> QRectF:
    """Return a rectangle round a text, where a ring would lie over its letters."""
    metrics = scene.look.metrics(0.95)
    size = QSizeF(1.1 * metrics.horizontalAdvance(text) + 10, metrics.height() + 6)
    frame = QRectF(QPointF(), size)
    frame.moveCenter(_on_screen(scene, outline.anchor))
    return frame


def highlight(
    painter: QPainter,
    geometry: Geometry,
    placed: Outline,
    colour: str,
    *,
    locked: bool = False,
    frame: QRectF | None = None,
) -> None:
    """Draw an outline stronger, or a frame instead of the ring of a point; that of a locked region is dashed."""
    if not np.isfinite(placed.points).any():
        return
    path = path_of(np.column_stack(geometry.to_screen(*placed.points.T)), placed.starts)
    if frame is not None:
        path.addRoundedRect(frame, 4, 4)
    elif len(placed.points) == 1:
        path.addEllipse(QPointF(*(float(c) for c in geometry.to_screen(*placed.anchor))), 11, 11)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for shade, width in ((QColor(255, 255, 255, 230), 3.4), (QColor(colour), 1.8)):
        pen = QPen(shade, width)
        if locked:
            pen.setDashPattern([6 / width, 6 / width])
        painter.setPen(pen)
        painter.drawPath(path)


@dataclass(frozen=True)
class Grip:
    """A handle of a region on the screen: of itself, or of one of the members of a combined region."""

    handle: Handle
    at: QPointF
    region: Any


def handles_on_screen(subset: Subset, data: Any, sky: Any, geometry: Geometry) -> list[Grip]:
    """Return the handles of a region and where they stand in the picture."""
    if subset.kind == "mask":
        return []
    several = members(subset.region)
    found = [grip for member in several[:FEW] for grip in _grips(subset, member, data, sky, geometry, len(several) > 1)]
    return found if len(found) <= 400 else []


def _grips(subset: Subset, region: Any, data: Any, sky: Any, geometry: Geometry, is_member: bool) -> list[Grip]:
    found = shape_on_grid(subset, data, sky, region)
    if found is None:
        return []
    shape, grid = found
    handles = shape.handles()
    if is_member:
        handles = [*handles, Handle("move", 0, tuple(shape.centre.tolist()))]
    if not handles or len(handles) > 400:
        return []
    places = grid.to_view(np.array([shape.centre, *(handle.at for handle in handles)]))
    u, v = geometry.to_screen(*places.T)
    centre = QPointF(float(u[0]), float(v[0]))
    shown = []
    for handle, x, y in zip(handles, u[1:].tolist(), v[1:].tolist(), strict=True):
        at = QPointF(x, y)
        if handle.what == "turn":
            way = at - centre
            at += way * (TURN_REACH / max(1.0, (way.x() ** 2 + way.y() ** 2) ** 0.5))
        if np.isfinite(at.x() + at.y()):
            shown.append(Grip(handle, at, region))
    return shown


def _draw_handles(painter: QPainter, grips: list[Grip], accent: str) -> None:
    painter.setPen(QPen(QColor(accent), 1.4))
    painter.setBrush(QColor("#ffffff"))
    for grip in grips:
        what, at = grip.handle.what, grip.at
        if what == "size":
            painter.drawRect(QRectF(at.x() - 3.5, at.y() - 3.5, 7, 7))
        elif what in ("turn", "move"):
            painter.drawEllipse(at, 4.5, 4.5)
        else:
            diamond = [QPointF(0, -4.5), QPointF(4.5, 0), QPointF(0, 4.5), QPointF(-4.5, 0)]
            painter.drawPolygon(QPolygonF([at + corner for corner in diamond]))
        if what == "move":
            painter.drawLine(at - QPointF(3, 0), at + QPointF(3, 0))
            painter.drawLine(at - QPointF(0, 3), at + QPointF(0, 3))
