"""What the panel of photometry works out, over its image: maps, segments, marks, apertures."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from PySide6.QtGui import QImage, QPainter, QPainterPath, QTransform

from jviz.photometry_preview import Preview, photometry_shown
from jviz.viewers.image_overlays import Scene, draw_caption
from jviz.viewers.image_tools import Overlay, register_overlay
from jviz.viewers.ink import Ink
from jviz.viewers.overlays.isophotes import corners_of, far_enough, stroke_outlines
from jviz.viewers.strokes import circle_on_screen

__all__ = ["PhotometryOverlay"]

APERTURE, SKY = Ink("#7ee787", "#000000"), Ink("#ffb86b", "#000000")
MARK = 6.0
SEVERAL = 12
"""Circles up to which each has the shape of the pixels of the image."""


class PhotometryOverlay(Overlay):
    """The preview of the panel of photometry, while it is seen."""

    order = 34

    def signals(self, session: Any) -> Iterable[Any]:
        return (photometry_shown(session).changed,)

    def paint(self, painter: QPainter, scene: Scene) -> None:
        if scene.session is None or not scene.view.layers or not scene.fast:
            return
        shown = photometry_shown(scene.session).current
        if shown is None or shown.data is not scene.view.layers[0].data:
            return
        painter.save()
        if shown.rgba is not None:
            _picture(painter, scene, shown)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        if shown.marks is not None:
            from jviz.viewers.catalog.points import draw_points  # no image needs it without them

            u, v = scene.geometry.to_screen(*shown.marks.T)
            seen = (u > -9) & (v > -9) & (u < scene.geometry.width + 9) & (v < scene.geometry.height + 9)
            draw_points(painter, u[seen], v[seen], APERTURE.colour, size=2 * MARK, rim=APERTURE.rim)
        if shown.ring is not None:
            x, y, *edges = shown.ring
            SKY.stroke(painter, _circles(scene, [(x, y, r) for r in edges]), 1.2)
        if len(shown.circles) > SEVERAL:
            _same_circles(painter, scene, np.array(shown.circles))
        elif shown.circles:
            APERTURE.stroke(painter, _circles(scene, shown.circles), 1.6)
        if shown.ellipses is not None and len(shown.ellipses):
            outlines = np.stack(corners_of(*shown.ellipses.T), -1)
            stroke_outlines(painter, scene, outlines[far_enough(scene, outlines)], APERTURE.colour, 1.2)
        if shown.caption:
            draw_caption(painter, scene.look, shown.caption, 0.95)
        painter.restore()


def _picture(painter: QPainter, scene: Scene, shown: Preview) -> None:
    """Lay the coloured pixels of a part where they are on the screen."""
    rgba = np.ascontiguousarray(shown.rgba)
    image = QImage(rgba.data, rgba.shape[1], rgba.shape[0], 4 * rgba.shape[1], QImage.Format.Format_ARGB32)
    (a, b, c), (d, e, f) = scene.geometry.to_screen_matrix
    x, y = shown.corner[0] - 0.5, shown.corner[1] - 0.5
    painter.save()
    painter.setTransform(QTransform(a, d, b, e, a * x + b * y + c, d * x + e * y + f), True)
    painter.drawImage(0, 0, image)
    painter.restore()


def _same_circles(painter: QPainter, scene: Scene, circles: np.ndarray) -> None:
    """Draw the apertures of many places, all of one radius, as marks: of thousands an outline takes too long."""
    from jviz.viewers.catalog.points import draw_points

    u, v = scene.geometry.to_screen(*circles[:, :2].T)
    reach = float(circles[:, 2].max()) * scene.geometry.scale
    seen = (u > -reach) & (v > -reach) & (u < scene.geometry.width + reach) & (v < scene.geometry.height + reach)
    draw_points(painter, u[seen], v[seen], APERTURE.colour, size=2 * reach, rim=APERTURE.rim)


def _circles(scene: Scene, circles: Iterable[tuple[float, float, float]]) -> QPainterPath:
    path = QPainterPath()
    for x, y, radius in circles:
        u, v = scene.geometry.to_screen(x, y)
        reach = radius * max(scene.geometry.scales)
        if -reach < u < scene.geometry.width + reach and -reach < v < scene.geometry.height + reach:
            path.addPath(circle_on_screen(scene.geometry, (x, y), radius))
    return path


register_overlay(PhotometryOverlay())
