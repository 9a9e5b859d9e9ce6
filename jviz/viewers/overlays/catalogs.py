"""Rows of catalogues marked on images at their positions, and read there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter

from jviz.catalog_views import CatalogLayer
from jviz.catalogs import passing, row_places, selections_of
from jviz.errors import JvizError
from jviz.viewers.image import ImageViewer
from jviz.viewers.image_mouse import Gesture, Pan
from jviz.viewers.image_overlays import Scene
from jviz.viewers.image_tools import Overlay, register_overlay

if TYPE_CHECKING:
    from jviz.viewers.catalog.rows import Rows

__all__ = ["CatalogOverlay", "RowOverlay", "marked_layers", "places_shown", "rows_shown"]

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


class RowOverlay(Overlay):
    """Draws something of the rows of the tables that are marked on images."""

    def signals(self, session: Any) -> Iterable[Any]:
        return (row_places(session).arrived, session.subsets_changed, session.views_changed)

    @staticmethod
    def tables(scene: Scene) -> Iterator[tuple[CatalogLayer, str, str]]:
        """Yield the layers of the tables that are read, with the filter of their view and their colour."""
        if scene.session is None or not scene.view.layers or not scene.view.catalog_marks:
            return
        for number, (layer, condition) in enumerate(marked_layers(scene.session)):
            if layer.data.is_read:
                yield layer, condition, layer.color or COLOURS[number % len(COLOURS)]


class CatalogOverlay(RowOverlay):
    """The marks of all catalogues that have a place on the image."""

    order = 35

    def paint(self, painter: QPainter, scene: Scene) -> None:
        painter.save()
        for layer, condition, colour in self.tables(scene):
            image = scene.view.layers[0].data
            rows = _rows(scene.session, layer, condition, image, scene.geometry, wait=not scene.fast)
            if rows is not None:
                _draw(painter, scene, layer, rows, colour)
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
        from jviz.viewers.catalog.plots import MODES  # tables need it, and no picture without them

        held = self.modifiers & (Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.AltModifier)
        self.viewer.session.run("catalog.select", data=self.layer.data, rows=[self.row], mode=MODES[held])


def places_shown(
    session: Any, layer: CatalogLayer, image: Any, *, wait: bool
) -> tuple[np.ndarray, np.ndarray] | None:
    """Return where the rows lie in pixels of an image; None without places there, or while they are worked out."""
    if not layer.data.is_read or layer.data.places is None:
        return None
    if layer.image is not None and layer.image is not image and layer.data.places.system == "pixel":
        return None
    return row_places(session).of(layer.data, image, wait=wait)


def _rows(session: Any, layer: CatalogLayer, condition: str, image: Any, geometry: Any, *, wait: bool) -> Rows | None:
    from jviz.viewers.catalog.rows import Rows

    found = places_shown(session, layer, image, wait=wait)
    return None if found is None else Rows(*found, geometry.to_screen_matrix, rows_shown(layer, condition))


def _draw(painter: QPainter, scene: Scene, layer: CatalogLayer, rows: Rows, colour: str) -> None:
    from jviz.viewers.catalog.rows import Marking, draw_rows

    area = QRectF(0, 0, scene.geometry.width, scene.geometry.height)
    selected = selections_of(scene.session, layer.data)
    marking = Marking(colour, "#9aa0a8", rim=RIM, shrinks=True)
    # What a wrong expression of the layer says is told where it was typed; marks are drawn plainly.
    with suppress(JvizError):
        numbers = draw_rows(painter, rows, area, layer, marking, selected)
        if layer.label in layer.data.columns and len(numbers) <= MOST_LABELS:
            _labels(painter, scene, layer, rows, numbers, colour)


def _labels(painter: QPainter, scene: Scene, layer: CatalogLayer, rows: Rows, numbers: np.ndarray, colour: str) -> None:
    column, font = layer.data.columns[layer.label], scene.look.font(0.85)
    painter.setFont(font)
    for row, x, y in zip(numbers.tolist(), *(place.tolist() for place in rows.at(numbers)), strict=True):
        at, text = QPointF(x + layer.size / 2 + 4, y + 4), column.shown(row)
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
        rows = _rows(viewer.session, layer, condition, image, geometry, wait=False)
        row = rows.nearest((at.x(), at.y()), layer.size / 2 + 4) if rows is not None else None
        if row is not None:
            return layer, row
    return None


def rows_shown(layer: CatalogLayer, condition: str) -> np.ndarray | None:
    """Return which rows a filter lets through; all of them when it cannot be used (that is told in the table)."""
    try:
        return passing(layer.data, condition)
    except JvizError:
        return None


register_overlay(CatalogOverlay())
