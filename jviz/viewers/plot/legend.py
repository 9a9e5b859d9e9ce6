"""The legend of a plot: as many names as fit, the others by scrolling."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

__all__ = ["Legend", "draw_legend", "is_on_legend", "legend_of"]

SHARE = 0.42
"""Share of the width of the picture that a legend may take."""
FEW = 3
"""Cubes up to which the spectra of a region are named one by one."""
MOST = 12
"""Names that are seen at once at most: the rest by scrolling, so that curves are not hidden."""


@dataclass(frozen=True)
class Legend:
    """Where the names of layers are.

    Attributes
    ----------
    box : QRectF
    rows : tuple of (PlotLayer, QRectF, str)
    first : int
        Number of the uppermost layer.
    count : int
        How many layers there are.
    """

    box: QRectF
    rows: tuple[tuple[Any, QRectF, str], ...]
    first: int
    count: int

    def layer_at(self, position: QPointF) -> Any:
        """Return the layer whose name is at a position, or None."""
        return next((layer for layer, rect, _ in self.rows if rect.contains(position)), None)


def legend_of(scene: Any) -> Legend | None:
    """Lay out the legend of a scene; None where one layer needs none."""
    live = getattr(scene, "live", ())
    together = _of_several(layer for layer, _ in live)
    layers = [*(layer for layer, _ in together), *scene.view.layers]
    if not scene.view.legend or (len(layers) < 2 and not live):
        return None
    metrics = scene.look.metrics(0.92)
    high = 1.35 * metrics.height()
    room = min(MOST, max(1, int((scene.picture.height() * 0.9 - 16) / high)))
    first = max(0, min(scene.legend_first, len(layers) - room))
    seen = layers[first : first + room]
    most = SHARE * scene.picture.width() - 44
    titles = _titles(layers, seen)
    titles[: max(0, len(together) - first)] = [title for _, title in together[first : first + room]]
    names = [metrics.elidedText(title, Qt.TextElideMode.ElideMiddle, max(most, 20)) for title in titles]
    foot = high if len(layers) > len(seen) else 0.0
    wide = max(metrics.horizontalAdvance(name) for name in names) + 44
    if foot:
        wide = max(wide, metrics.horizontalAdvance(_counted(first, len(seen), len(layers))) + 16)
    box = QRectF(0, 0, wide, high * len(names) + 8 + foot)
    if scene.legend_left:
        box.moveTopLeft(scene.picture.topLeft() + QPointF(8, 8))
    else:
        box.moveTopRight(scene.picture.topRight() + QPointF(-8, 8))
    rows = tuple(
        (layer, QRectF(box.left(), box.top() + 4 + number * high, box.width(), high), name)
        for number, (layer, name) in enumerate(zip(seen, names, strict=True))
    )
    return Legend(box, rows, first, len(layers))


def _of_several(live: Iterable[Any]) -> list[tuple[Any, str]]:
    """Return live curves with their titles; those of one region on more than `FEW` cubes have one for all."""
    groups: dict[tuple[str, str], list[Any]] = {}
    for layer in live:
        name = _place_of(layer)
        groups.setdefault(("Spaxel" if name.startswith("Spaxel ") else name, layer.color), []).append(layer)
    found: list[tuple[Any, str]] = []
    for own in groups.values():
        if len(own) > FEW:
            # Of the cube under the mouse the number of the spaxel is told.
            told = max(map(_place_of, own), key=len)
            found.append((own[0], f"{told} · {len(own)} cubes"))
        else:
            found += [(layer, layer.title) for layer in own]
    return found


def _place_of(layer: Any) -> str:
    return layer.title.partition(" · ")[0]


def _titles(layers: list[Any], seen: list[Any]) -> list[str]:
    """Return the titles of layers, without the name of the data where all are of the same."""
    data = layers[0].data
    titles = [layer.title for layer in seen]
    if data is None or len(layers) < 2 or any(layer.data is not data for layer in layers):
        return titles
    return [title.removeprefix(data.name).strip() or title for title in titles]


def _counted(first: int, seen: int, count: int) -> str:
    return f"{first + 1} to {first + seen} of {count}"


def draw_legend(painter: QPainter, scene: Any) -> None:
    """Draw the legend of a scene."""
    legend = legend_of(scene)
    if legend is None:
        return
    look, metrics = scene.look, scene.look.metrics(0.92)
    ground = QColor(look.canvas)
    ground.setAlphaF(0.85)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ground)
    painter.drawRoundedRect(legend.box, 4, 4)
    painter.setFont(look.font(0.92))
    for layer, rect, name in legend.rows:
        y = rect.center().y()
        colour = QColor(layer.color or scene.colors.get(id(layer)) or look.text)
        colour.setAlphaF(1.0 if layer.visible else 0.3)
        painter.setPen(QPen(colour, 3.5 if layer is scene.hovered else 2.0))
        if getattr(layer, "drawing", "") == "points":
            painter.setPen(QPen(colour, 5.0, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            painter.drawPoint(QPointF(rect.left() + 18, y))
        else:
            painter.drawLine(QPointF(rect.left() + 8, y), QPointF(rect.left() + 28, y))
        painter.setPen(QColor(look.text if layer.visible else look.faint))
        painter.drawText(QPointF(rect.left() + 36, y + metrics.ascent() / 2 - 1.5), name)
    if len(legend.rows) < legend.count:
        painter.setPen(QColor(look.faint))
        foot = QRectF(
            legend.box.left(), legend.rows[-1][1].bottom(), legend.box.width() - 8, legend.rows[-1][1].height()
        )
        text = _counted(legend.first, len(legend.rows), legend.count)
        painter.drawText(foot, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)


def is_on_legend(scene: Any, position: QPointF) -> bool:
    """Whether a position lies on the legend, which covers the curves there."""
    legend = legend_of(scene)
    return legend is not None and legend.box.contains(position)
