"""Where live spectra of regions on cubes come from: rings of background, and cones as wide as at the slice in sight."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPainter, QPen

from jviz.cube_places import can_grow, can_have_ring, centroid, growth
from jviz.cube_spectra import MOST
from jviz.errors import JvizError
from jviz.placement import outlines_of, ready_sky
from jviz.viewers.image_overlays import Scene
from jviz.viewers.image_tools import Overlay, register_overlay
from jviz.viewers.plot.curves import polygon

__all__ = ["LiveAreas"]

class LiveAreas(Overlay):
    """Dashed: a ring round each region, or the region itself as it has grown at the slice that is shown."""

    order = 34

    def signals(self, session: Any) -> Iterable[Any]:
        return (session.cube_spectra.changed,)

    def paint(self, painter: QPainter, scene: Scene) -> None:
        cube = getattr(scene.view.layers[0], "cube", None) if scene.view.layers else None
        if scene.session is None or cube is None or not cube.axis_ready:
            return
        live = scene.session.cube_spectra
        if live.ring is None and not live.cone:
            return
        factor = _factor(cube, live.reference, scene.view.layers[0].point[0]) if live.cone else 1.0
        painter.save()
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        for subset in [s for s in scene.session.subsets.values() if s.visible and s.on_images][:MOST]:
            if subset.kind == "mask" or (subset.kind == "sky" and ready_sky(cube) is None):
                continue
            own = factor if can_grow(subset.region) else 1.0
            ring = live.ring if can_have_ring(subset.region) else None
            sizes = ((own,) if own != 1.0 else ()) + tuple(own * size for size in ring or ())
            _draw(painter, scene, subset, cube, sizes)
        painter.restore()


def _factor(cube: Any, reference: float | None, channel: int) -> float:
    try:
        return float(growth(cube.axis, reference)[channel])
    except JvizError:
        return 1.0


def _draw(painter: QPainter, scene: Scene, subset: Any, cube: Any, sizes: tuple[float, ...]) -> None:
    outlines = outlines_of({subset.name: subset}, cube).outlines if sizes else ()
    painter.setPen(QPen(QColor(subset.color), 1.0, Qt.PenStyle.DashLine))
    for number in range(len(outlines)):
        points = outlines.ring(number)
        once = points[:-1] if len(points) > 1 and (points[0] == points[-1]).all() else points
        middle = np.array(centroid(*once.T))
        for size in sizes:
            u, v = scene.geometry.to_screen(*(middle + size * (points - middle)).T)
            if np.isfinite(u + v).all():
                painter.drawPolygon(polygon(np.clip(u, -1e5, 1e5), np.clip(v, -1e5, 1e5)))


register_overlay(LiveAreas())
