"""Painting an image view with all that belongs to it: one code for the screen, PNG, PDF and SVG."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPen

from jviz.viewers.image_axes import Lines, draw_axes, draw_grid, pixel_lines, sky_lines
from jviz.viewers.image_frame import frame_of
from jviz.viewers.image_layers import Compositor, ready_sky
from jviz.viewers.image_overlays import (
    SMALL,
    Scene,
    draw_bar,
    draw_compass,
    draw_inset,
    draw_scale_bar,
    furniture,
    image_of,
    is_bare,
    lens,
    overview,
)
from jviz.viewers.image_sides import side_lines
from jviz.viewers.image_tools import overlays_of
from jviz.viewers.look import Look
from jviz.views import ImageView

__all__ = ["paint", "scene_of"]


def scene_of(
    view: ImageView,
    width: float,
    height: float,
    look: Look,
    compositor: Compositor,
    *,
    ratio: float = 1.0,
    same_field: bool = False,
    origin: int = 0,
    cursor: QPointF | None = None,
    fast: bool = False,
    session: Any = None,
) -> Scene:
    """Lay out a view in a size in logical pixels.

    Parameters
    ----------
    ratio : float
        Pixels of the device per logical pixel.
    same_field : bool
        Show what the viewer shows, whatever the size (for files).
    origin : int
        Number of the first pixel on axes.
    cursor : QPointF, optional
        In coordinates of the picture.
    fast : bool
        For the screen, where a frame must be quick.
    session : Session, optional
        Whose regions and the like are painted over the picture.
    """
    frame = frame_of(view, width, height, look)
    geometry = frame.geometry(view, same_field=same_field)
    sky = ready_sky(view.layers[0].picture) if view.layers else None
    return Scene(
        view, frame, geometry, look, ratio, compositor,
        sky=sky, origin=origin, cursor=cursor, fast=fast, session=session,
    )  # fmt: skip


def paint(painter: QPainter, scene: Scene, *, pixels_ratio: float | None = None) -> bool:
    """Paint a scene with its top left corner at the origin.

    Parameters
    ----------
    pixels_ratio : float, optional
        Pixels of the picture per logical pixel; those of the device by default.

    Returns
    -------
    bool
        Whether there was an image to draw.
    """
    if not scene.look.transparent:
        painter.fillRect(scene.frame.whole, QColor(scene.look.canvas))
    if not scene.view.layers:
        _draw_hint(painter, scene)
        return False
    scene.pixels_ratio = pixels_ratio or scene.ratio
    scene.pixels = scene.compositor.compose(scene.view, scene.geometry, scene.pixels_ratio, scene.look)
    if scene.pixels is not None:
        _draw_pixels(painter, scene)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    lines = lines_of(scene)
    if scene.view.grid:
        labels = not scene.frame.axes
        taken = furniture(scene) if labels else ()
        draw_grid(painter, lines, scene.frame.picture, scene.look, labels=labels, fast=scene.fast, taken=taken,
                  ground=scene.ground)  # fmt: skip
    if scene.frame.axes:
        draw_axes(painter, lines, scene.frame.picture, scene.look)
    draw_bar(painter, scene)
    if scene.pixels is not None:
        _draw_overlays(painter, scene)
    return scene.pixels is not None


def lines_of(scene: Scene) -> Lines:
    """Return the grid that the view asks for: of the sky when it is known, else of pixels."""
    view = scene.view
    if not (view.grid or scene.frame.axes):
        return Lines()
    metrics = scene.look.metrics(0.92)
    letters = scene.look.pixels / 13
    n = max(2.0, min(7.0, min(scene.geometry.width / (150 * letters), scene.geometry.height / (110 * letters))))
    wants_sky = view.axes == "sky" or (view.axes == "none" and view.grid)
    if getattr(view.layers[0], "is_side", False):
        return side_lines(view, scene.geometry, scene.origin, n)
    if not wants_sky or (scene.sky is None and view.layers[0].picture.wcs_ready):
        return pixel_lines(scene.geometry, scene.origin, n)
    if scene.sky is None:
        return Lines()
    glyph = (metrics.horizontalAdvance("0") * 1.1, metrics.height())
    taken = () if scene.frame.axes else tuple(area.getCoords() for area in furniture(scene))
    return sky_lines(scene.sky, scene.geometry, view.sky_frame, view.sky_style, glyph, n, taken)


def _draw_pixels(painter: QPainter, scene: Scene) -> None:
    image = _cut_out(scene) if scene.look.transparent else image_of(scene.pixels)
    ratio = scene.pixels_ratio
    corner = scene.frame.picture.topLeft()
    painter.save()
    painter.setClipRect(scene.frame.picture, Qt.ClipOperation.IntersectClip)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceOver)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
    painter.drawImage(QRectF(corner.x(), corner.y(), image.width() / ratio, image.height() / ratio), image)
    painter.restore()


def _cut_out(scene: Scene) -> QImage:
    """Return the picture with what lies behind it left transparent.

    Notes
    -----
    Drawn on black and on white, a pixel differs by what shines through it (Smith and Blinn 1996, SIGGRAPH, 259).
    """
    sheets = []
    for canvas in ("#ffffff", "#000000"):
        look = replace(scene.look, canvas=canvas)
        drawn = scene.compositor.compose(scene.view, scene.geometry, scene.pixels_ratio, look, "cut out")
        sheets.append(drawn.copy())
    on_white, on_black = sheets
    alpha = np.uint32(255) - ((on_white & np.uint32(255)) - (on_black & np.uint32(255)))
    pixels = (on_black & np.uint32(0xFFFFFF)) | (alpha << np.uint32(24))
    height, width = pixels.shape
    return QImage(pixels.data, width, height, width * 4, QImage.Format.Format_ARGB32_Premultiplied).copy()


def _draw_overlays(painter: QPainter, scene: Scene) -> None:
    view = scene.view
    painter.save()
    painter.setClipRect(scene.frame.picture, Qt.ClipOperation.IntersectClip)
    painter.translate(scene.frame.picture.topLeft())
    for overlay in overlays_of(view):
        painter.save()
        overlay.paint(painter, scene)
        painter.restore()
    if view.scale_bar and not is_bare(scene, SMALL):
        draw_scale_bar(painter, scene)
    if view.compass and not is_bare(scene):
        draw_compass(painter, scene)
    insets = (
        overview(view, scene.geometry) if view.overview else None,
        lens(view, scene.geometry, scene.cursor, scene.look) if view.magnifier else None,
    )
    for inset in insets:
        if inset is not None:
            draw_inset(painter, scene, inset)
    painter.restore()


def _draw_hint(painter: QPainter, scene: Scene) -> None:
    """Tell what to do with an empty view."""
    look, whole = scene.look, scene.frame.whole
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    box = QRectF(0, 0, min(360.0, 0.8 * whole.width()), min(150.0, 0.6 * whole.height()))
    box.moveCenter(whole.center())
    pen = QPen(QColor(look.faint), 1.5)
    pen.setDashPattern([5, 4])
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(box, 12, 12)
    _hint_line(painter, "Drop an image here", look.font(1.25), look.text, box.adjusted(0, 0, 0, -1.8 * look.pixels))
    _hint_line(painter, "or File ▸ Open…", look.font(), look.faint, box.adjusted(0, 1.8 * look.pixels, 0, 0))
    painter.restore()


def _hint_line(painter: QPainter, text: str, font: QFont, colour: str, box: QRectF) -> None:
    painter.setFont(font)
    painter.setPen(QColor(colour))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
