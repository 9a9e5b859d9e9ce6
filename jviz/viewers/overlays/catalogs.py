"""Rows of catalogues marked on images at their positions, and read there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter

from jviz.backend.catalogs.crowd import nearest
from jviz.catalog_views import CatalogLayer
from jviz.catalogs import evaluated, passing, row_places, selections_of
from jviz.errors import JvizError
from jviz.viewers.catalog.plots import MODES
from jviz.viewers.catalog.points import CROWD, FEW, colours_by, draw_density, draw_points, sizes_by
from jviz.viewers.image import ImageViewer
from jviz.viewers.image_mouse import Gesture, Pan
from jviz.viewers.image_overlays import Scene
from jviz.viewers.image_tools import Overlay, register_overlay

__all__ = ["CatalogOverlay", "marked_layers"]

COLOURS = ("#35e0a1", "#ffb02e", "#ff5d8f", "#5cc8ff", "#d9f85c")
MOST_LABELS = 300
RIM = "#000000"


def marked_layers(session: Any) -> list[tuple[CatalogLayer, str]]:
    """Return the layers of tables whose rows are marked on images, with the filter of their view."""
    found = []
    for view in session.views.values():
        if view.kind == "table":
            found += [
                (one, view.filter) for one in view.layers if one.visible and one.on_images and one.data is not None
            ]
    return found


class CatalogOverlay(Overlay):
    """The marks of all catalogues that have a place on the image."""

    order = 35

    def signals(self, session: Any) -> Iterable[Any]:
        return (row_places(session).arrived, session.subsets_changed, session.views_changed)

    def paint(self, painter: QPainter, scene: Scene) -> None:
        if scene.session is None or not scene.view.layers or not scene.view.catalog_marks:
            return
        image = scene.view.layers[0].data
        painter.save()
        for number, (layer, condition) in enumerate(marked_layers(scene.session)):
            places = _placed(scene, layer, image)
            if places is not None:
                _draw(painter, scene, layer, condition, places, layer.color or COLOURS[number % len(COLOURS)])
        painter.restore()

    def gesture(self, viewer: ImageViewer, event: QMouseEvent) -> Gesture | None:
        if viewer.session.interaction.tool != "pan" or not viewer.state.catalog_marks:
            return None
        found = _row_at(viewer, event.position())
        return PickRow(viewer, event.position(), *found) if found is not None else None

    def cursor(self, viewer: ImageViewer, position: QPointF) -> Qt.CursorShape | None:
        if viewer.session.interaction.tool != "pan" or not viewer.state.catalog_marks:
            return None
        return Qt.CursorShape.PointingHandCursor if _row_at(viewer, position) is not None else None


class PickRow(Pan):
    """A click on a mark selects its row; a drag moves the picture."""

    def __init__(self, viewer: ImageViewer, start: QPointF, layer: CatalogLayer, row: int) -> None:
        super().__init__(viewer, start)
        self.layer, self.row = layer, row

    def finish(self, position: QPointF) -> None:
        if self.moved:
            super().finish(position)
            return
        held = self.modifiers & (Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.AltModifier)
        self.viewer.session.run("catalog.select", data=self.layer.data, rows=[self.row], mode=MODES[held])


def _placed(scene: Scene, layer: CatalogLayer, image: Any) -> tuple[np.ndarray, np.ndarray] | None:
    """Return where the rows lie in the picture, in screen pixels."""
    if not layer.data.is_read:
        return None
    if layer.image is not None and layer.image is not image and layer.data.places.system == "pixel":
        return None
    found = row_places(scene.session).of(layer.data, image, wait=not scene.fast and layer.data.is_read)
    return None if found is None else scene.geometry.to_screen(*found)


def _draw(
    painter: QPainter, scene: Scene, layer: CatalogLayer, condition: str, places: tuple[np.ndarray, np.ndarray],
    colour: str,
) -> None:  # fmt: skip
    x, y = places
    wide, high = scene.geometry.width, scene.geometry.height
    with np.errstate(invalid="ignore"):
        seen = (x > -20) & (x < wide + 20) & (y > -20) & (y < high + 20)
    rows = _passing(layer, condition)
    seen = seen if rows is None else seen & rows
    try:
        size: Any = sizes_by(evaluated(layer.data, layer.size_by).values, layer.size) if layer.size_by else layer.size
        values = evaluated(layer.data, layer.color_by).values if layer.color_by else None
    except JvizError:
        values, size = None, layer.size  # told where it was typed; marks are drawn plainly
    n = int(seen.sum())
    if n > CROWD:
        draw_density(painter, x[seen], y[seen], QRectF(0, 0, wide, high), QColor(colour), opacity=layer.opacity)
    elif values is None:
        _marks(painter, layer, x, y, seen, colour, size)
    else:
        numbers, colours = colours_by(values, layer.colormap)
        for shade in np.unique(numbers[seen]).tolist():
            _marks(painter, layer, x, y, seen & (numbers == shade), colours[shade] if shade >= 0 else "#9aa0a8", size)
    for subset in selections_of(scene.session, layer.data):
        chosen = seen & subset.region
        draw_points(painter, x[chosen], y[chosen], subset.color, layer.mark, layer.size + 4, width=2.2, rim=RIM)
    if layer.label in layer.data.columns and n <= MOST_LABELS:
        _labels(painter, scene, layer, x, y, np.flatnonzero(seen), colour)


def _marks(
    painter: QPainter, layer: CatalogLayer, x: np.ndarray, y: np.ndarray, part: np.ndarray, colour: str, size: Any
) -> None:
    sizes = size if np.ndim(size) == 0 else size[part]
    rim = RIM if part.sum() <= FEW else ""
    draw_points(painter, x[part], y[part], colour, layer.mark, sizes, opacity=layer.opacity, rim=rim)


def _labels(
    painter: QPainter, scene: Scene, layer: CatalogLayer, x: np.ndarray, y: np.ndarray, rows: np.ndarray, colour: str
) -> None:
    column, font = layer.data.columns[layer.label], scene.look.font(0.85)
    painter.setFont(font)
    for row in rows.tolist():
        at, text = QPointF(x[row] + layer.size / 2 + 4, y[row] + 4), column.shown(row)
        painter.setPen(QColor(0, 0, 0, 160))
        painter.drawText(at + QPointF(1, 1), text)
        painter.setPen(QColor(colour))
        painter.drawText(at, text)


def _row_at(viewer: ImageViewer, position: QPointF) -> tuple[CatalogLayer, int] | None:
    """Return the marked row under a position, the nearest one within a mark's reach."""
    frame, image = viewer.frame_now(), viewer.state.data
    if image is None or not frame.picture.contains(position):
        return None
    image, at, geometry = viewer.state.layers[0].data, frame.inside(position), viewer.geometry_now()
    for layer, condition in reversed(marked_layers(viewer.session)):
        found = row_places(viewer.session).of(layer.data, image) if layer.data.is_read else None
        if found is None:
            continue
        x, y = geometry.to_screen(*found)
        rows = _passing(layer, condition)
        row = nearest(x if rows is None else np.where(rows, x, np.nan), y, (at.x(), at.y()), layer.size / 2 + 4)
        if row is not None:
            return layer, row
    return None


def _passing(layer: CatalogLayer, condition: str) -> np.ndarray | None:
    """Return which rows a filter lets through; all of them when it cannot be used (that is told in the table)."""
    try:
        return passing(layer.data, condition)
    except JvizError:
        return None


register_overlay(CatalogOverlay())
