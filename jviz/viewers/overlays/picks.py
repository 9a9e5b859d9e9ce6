"""Picked peaks over images: the ellipse at half maximum of each that is among the results."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF
from PySide6.QtGui import QPainter

from jviz.linking import place_in
from jviz.viewers.image_overlays import Scene
from jviz.viewers.image_tools import Overlay, register_overlay
from jviz.viewers.ink import Ink
from jviz.viewers.strokes import path_of

__all__ = ["PickOverlay"]

INK = Ink("#7ee787", "#000000")
MOST = 100
ROUND = np.linspace(0, 2 * np.pi, 73)


class PickOverlay(Overlay):
    """The peaks that were picked on what a view shows, as long as their results are kept."""

    order = 44

    def signals(self, session: Any) -> Iterable[Any]:
        return (session.results_changed,)

    def paint(self, painter: QPainter, scene: Scene) -> None:
        if scene.session is None or not scene.view.layers:
            return
        base, font = scene.view.layers[0].data, scene.look.font(0.88)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        for data, row in _picked(scene):
            x, y = outline(row)
            if data is not base and scene.view.align == "sky":
                if not (base.wcs_ready and data.wcs_ready):
                    continue
                x, y = place_in(data, base, x, y)
            u, v = scene.geometry.to_screen(x, y)
            if not np.isfinite(u).all() or u.max() < 0 or u.min() > scene.geometry.width:
                continue
            INK.stroke(painter, path_of(np.column_stack([u, v]), np.array([0, len(u)])), 1.5)
            at, width = QPointF(float(u.max()) + 5, float(v.mean())), row["fwhm"].to_value("pix")
            INK.write(painter, at, f"FWHM {width:.2f} px", font, down=0.5)
        painter.restore()


def _picked(scene: Scene) -> Iterator[tuple[Any, Any]]:
    """Yield the data and the row of each pick that belongs to a layer in sight."""
    shown = {layer.data.name: layer.data for layer in scene.view.shown}
    picks = [r.value for r in scene.session.results if r.command == "image.pick"]
    for table in picks[-MOST:]:
        data = shown.get(table.meta.get("data"))
        if data is not None:
            yield data, table[0]


def outline(row: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the ellipse at half maximum of a picked peak, in data pixels."""
    angle = row["angle"].to_value("rad")
    along = 0.5 * row["fwhm_major"].to_value("pix") * np.cos(ROUND)
    across = 0.5 * row["fwhm_minor"].to_value("pix") * np.sin(ROUND)
    x = row["x"].to_value("pix") + along * np.cos(angle) - across * np.sin(angle)
    y = row["y"].to_value("pix") + along * np.sin(angle) + across * np.cos(angle)
    return x, y


register_overlay(PickOverlay())
