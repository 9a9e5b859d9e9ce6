"""Offsets of rows of catalogues as arrows over images: how far off sources are, and in which direction."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter

from jviz.catalogs import offsets_on, selections_of
from jviz.viewers.image_overlays import EDGE, Scene
from jviz.viewers.image_tools import register_overlay
from jviz.viewers.ink import Ink
from jviz.viewers.overlays.catalogs import RowOverlay, places_shown, rows_shown

__all__ = ["OffsetOverlay", "arrow_scale"]

USUAL = 26.0
"""Screen pixels that an arrow of the usual length has when no scale is given."""

MOST = 4_000
KEPT = 8
"""Images and columns of a table of which offsets are kept: several viewers may draw them in turn."""

HEAD = 5.0
ROUND = (1.0, 2.0, 5.0)

_offsets: WeakKeyDictionary[Any, dict[tuple, Any]] = WeakKeyDictionary()


class OffsetOverlay(RowOverlay):
    """Arrows of the tables whose layer names columns of offsets, and what length they have."""

    order = 37

    def paint(self, painter: QPainter, scene: Scene) -> None:
        keys = 0
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        for layer, condition, colour in self.tables(scene):
            if not layer.arrows:
                continue
            image = scene.view.layers[0].data
            places = places_shown(scene.session, layer, image, wait=not scene.fast)
            found = None if places is None else _offsets_of(layer, image, places)
            if found is not None:
                _draw(painter, scene, layer, condition, (places, found), colour, keys)
                keys += 1
        painter.restore()


def _offsets_of(layer: Any, image: Any, places: tuple[np.ndarray, np.ndarray]) -> Any:
    """Return steps in pixels and lengths with their unit, kept while places and columns are the same."""
    kept, key = _offsets.setdefault(layer.data, {}), (layer.arrows, image.number)
    if key not in kept or kept[key][0] is not places:
        while len(kept) >= KEPT:
            del kept[next(iter(kept))]
        kept[key] = (places, offsets_on(layer.data, image, layer.arrows, places))
    return kept[key][1]


def arrow_scale(layer: Any, steps: tuple[np.ndarray, np.ndarray], scale: float) -> float:
    """Return by what steps in data pixels are multiplied on the screen: the layer's factor, or what shows them well."""
    if layer.arrow_scale:
        return layer.arrow_scale * scale
    long = np.hypot(*steps)
    long = long[np.isfinite(long) & (long > 0)]
    return USUAL / float(np.percentile(long, 75)) if len(long) else scale


def _draw(
    painter: QPainter, scene: Scene, layer: Any, condition: str, shown: tuple[Any, Any], colour: str, number: int
) -> None:
    (x, y), (dx, dy, length, unit) = shown
    factor = arrow_scale(layer, (dx, dy), scene.geometry.scale)
    good = np.isfinite(x) & np.isfinite(dx) & np.isfinite(dy)
    rows = rows_shown(layer, condition)
    good &= True if rows is None else rows
    u, v = scene.geometry.to_screen(x, y)
    good &= (u > 0) & (v > 0) & (u < scene.geometry.width) & (v < scene.geometry.height)
    chosen = np.flatnonzero(good)[:: max(1, int(good.sum()) // MOST)]
    turn = scene.geometry.to_screen_matrix[:, :2] / scene.geometry.scale
    ends = turn @ np.stack([dx, dy]) * factor
    Ink(colour, "#000000").lines(painter, _arrows(u, v, ends, chosen))
    for subset in selections_of(scene.session, layer.data):
        Ink(subset.color, "#000000").lines(painter, _arrows(u, v, ends, chosen[subset.region[chosen]]), 2.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        per_unit = np.nanmedian(np.where(length > 0, np.hypot(dx, dy) / length, np.nan)) * factor
    if len(chosen) and np.isfinite(per_unit) and per_unit > 0:
        _key(painter, scene, colour, float(per_unit), unit, number)


def _arrows(u: np.ndarray, v: np.ndarray, ends: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the lines of arrows, shape (n, 4): shafts, and both sides of the heads of those that are long enough."""
    x, y = u[rows], v[rows]
    dx, dy = ends[:, rows]
    shafts, tips = np.stack([x, y, x + dx, y + dy], -1), []
    long = np.hypot(dx, dy)
    big = long >= 1
    head = np.minimum(HEAD, long / 2)[big] / long[big]
    for side in (1, -1):
        back = head * (0.9 * dx + side * 0.55 * dy)[big], head * (0.9 * dy - side * 0.55 * dx)[big]
        tips.append(np.concatenate([shafts[big, 2:], shafts[big, 2:] - np.stack(back, -1)], -1))
    return np.concatenate([shafts, *tips])


def _key(painter: QPainter, scene: Scene, colour: str, per_unit: float, unit: str, number: int) -> None:
    """Say in the corner how long an arrow of a round length is."""
    size = USUAL * 1.5 / per_unit
    power = 10.0 ** np.floor(np.log10(size))
    size = max(r * power for r in ROUND if r * power <= size * 1.0001)
    text = _length_text(size, unit)
    metrics = scene.look.metrics(0.92)
    wide, high = size * per_unit, metrics.height() + 8
    # Above the scale bar.
    top = scene.geometry.height - EDGE - 4.5 * metrics.height() - number * (high + 4)
    box = QRectF(EDGE, top, wide + metrics.horizontalAdvance(text) + 30, high)
    ground = QColor(0, 0, 0, 150)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ground)
    painter.drawRoundedRect(box, 4, 4)
    start = np.array([[box.left() + 9], [box.center().y()]])
    Ink(colour, "#000000").lines(painter, _arrows(*start, np.array([[wide], [0.0]]), np.array([0])))
    painter.setFont(scene.look.font(0.92))
    painter.setPen(QColor("#ffffff"))
    painter.drawText(QPointF(box.left() + wide + 19, box.center().y() + metrics.ascent() / 2 - 1.5), text)


def _length_text(size: float, unit: str) -> str:
    if unit == "arcsec" and size < 0.1:
        return f"{size * 1000:.3g} mas"
    return f"{size:.3g} {'″' if unit == 'arcsec' else unit}"


register_overlay(OffsetOverlay())
