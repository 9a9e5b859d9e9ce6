"""The bar beside a scatter plot that tells which values its colours stand for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen

from jviz.backend.render.colormaps import colormap
from jviz.catalog_views import CatalogLayer
from jviz.catalogs import evaluated
from jviz.errors import JvizError
from jviz.viewers.catalog.points import shades_of
from jviz.viewers.look import Look
from jviz.viewers.plot.axes import Axis, axis_ticks
from jviz.viewers.plot.frame import Title, many_ticks

__all__ = ["ColourBar", "colour_bar"]

WIDE, GAP = 12.0, 8.0
LEAST = 260.0
"""Width of a plot that has room for a bar."""


@dataclass(frozen=True)
class ColourBar:
    """Colours from the lowest to the highest value, from below upwards."""

    low: float
    high: float
    colormap: str
    title: Title

    def _ticks(self, look: Look, high: float) -> object:
        axis = Axis(self.low, self.high, high, 0.0, False)
        return axis_ticks(axis, many_ticks(high, 3.2 * look.metrics(0.92).height()))[0]

    def room(self, look: Look, high: float) -> float:
        """Return how wide the bar is with its numbers and its title."""
        metrics = look.metrics(0.92)
        numbers = max((metrics.horizontalAdvance(text) for text in self._ticks(look, high).labels), default=0)
        return WIDE + GAP + numbers + 10 + 1.2 * metrics.height()

    def draw(self, painter: QPainter, look: Look, picture: QRectF) -> None:
        """Draw it to the right of a picture."""
        bar = QRectF(picture.right() + GAP, picture.top(), WIDE, picture.height())
        table = np.ascontiguousarray(colormap(self.colormap)[::-1], np.uint32)
        packed = (0xFF000000 | (table[:, 0] << 16) | (table[:, 1] << 8) | table[:, 2]).astype(np.uint32)
        painter.drawImage(bar, QImage(packed.data, 1, len(packed), 4, QImage.Format.Format_RGB32))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(QPen(QColor(look.line), 1.0))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(bar)
        metrics, ticks = look.metrics(0.92), self._ticks(look, bar.height())
        painter.setFont(look.font(0.92))
        painter.setPen(QColor(look.text))
        for place, text in zip(ticks.positions, ticks.labels, strict=True):
            y = bar.bottom() - place * bar.height()
            painter.drawLine(QPointF(bar.right() + 1, y), QPointF(bar.right() + 3, y))
            painter.drawText(QPointF(bar.right() + 6, y + metrics.ascent() / 2 - 1.5), text)
        wide = max((metrics.horizontalAdvance(text) for text in ticks.labels), default=0)
        title = metrics.elidedText(self.title.text(ticks.power), Qt.TextElideMode.ElideMiddle, int(bar.height()))
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.translate(bar.right() + wide + 12 + metrics.ascent(),
                          bar.center().y() + metrics.horizontalAdvance(title) / 2)  # fmt: skip
        painter.rotate(-90)
        painter.drawText(QPointF(0, 0), title)
        painter.restore()


def colour_bar(layers: list[CatalogLayer], width: float) -> ColourBar | None:
    """Return the bar of the first layer whose points are coloured by a value; None without one, or without room."""
    for layer in layers:
        if layer.color_by and width >= LEAST:
            try:
                found = evaluated(layer.data, layer.color_by)
            except JvizError:
                continue
            return ColourBar(*shades_of(found)[1:], layer.colormap, Title(found.label.strip("`"), found.unit))
    return None
