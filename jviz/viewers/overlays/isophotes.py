"""Ellipses of isophotes over the image that they were fitted to, and over others through the sky."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from PySide6.QtGui import QPainter

from jviz.catalogs import isophote_shapes, selections_of
from jviz.viewers.image_overlays import Scene
from jviz.viewers.image_tools import register_overlay
from jviz.viewers.ink import Ink
from jviz.viewers.overlays.catalogs import RowOverlay, rows_shown

__all__ = ["IsophoteOverlay", "corners_of", "far_enough", "stroke_outlines"]

CORNERS = 96
"""Of the polygon that is drawn for an ellipse."""

APART = 4.5
"""Screen pixels between the major axes of two ellipses that are drawn."""

_outlines: WeakKeyDictionary[Any, dict[tuple, np.ndarray]] = WeakKeyDictionary()


class IsophoteOverlay(RowOverlay):
    """The ellipses of the tables of isophotes that are marked on images; selected rows in their colours."""

    order = 36

    def paint(self, painter: QPainter, scene: Scene) -> None:
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        for layer, condition, colour in self.tables(scene):
            outlines = _outlines_on(layer, scene.view.layers[0].data)
            if outlines is not None:
                _draw(painter, scene, layer, condition, outlines, colour)
        painter.restore()


def _outlines_on(layer: Any, image: Any) -> np.ndarray | None:
    """Return corners of the ellipses in pixels of an image, shape (n, CORNERS, 2); None without a place there."""
    shapes = isophote_shapes(layer.data)
    home = layer.image
    if shapes is None or (home is not None and home is not image and None in (home.sky, getattr(image, "sky", None))):
        return None
    kept, key = _outlines.setdefault(layer.data, {}), (image.number, None if home is None else home.number)
    if key not in kept:
        x, y = corners_of(*shapes)
        if home is not None and home is not image:
            x, y = image.sky.sky_to_pixel(*home.sky.pixel_to_sky(x, y))
        kept[key] = np.stack([x, y], -1)
    return kept[key]


def corners_of(
    x0: np.ndarray, y0: np.ndarray, a: np.ndarray, b: np.ndarray, turn: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the corners (x and y, shape (n, CORNERS)) of ellipses, angles in radians from +x."""
    x0, y0, a, b, turn = (v[:, None] for v in (x0, y0, a, b, turn))
    t = np.linspace(0, 2 * np.pi, CORNERS, endpoint=False)
    return (x0 + a * np.cos(t) * np.cos(turn) - b * np.sin(t) * np.sin(turn),
            y0 + a * np.cos(t) * np.sin(turn) + b * np.sin(t) * np.cos(turn))  # fmt: skip


def _draw(painter: QPainter, scene: Scene, layer: Any, condition: str, outlines: np.ndarray, colour: str) -> None:
    rows = rows_shown(layer, condition)
    chosen = np.ones(len(outlines), bool) if rows is None else rows
    stroke_outlines(painter, scene, outlines[chosen & far_enough(scene, outlines)], colour, 1.1)
    for subset in selections_of(scene.session, layer.data):
        stroke_outlines(painter, scene, outlines[chosen & subset.region], subset.color, 2.2)


def far_enough(scene: Scene, outlines: np.ndarray) -> np.ndarray:
    """Return which ellipses to draw so that they can be told from each other, the outer ones first."""
    ends = np.stack(scene.geometry.to_screen(outlines[:, 0, 0], outlines[:, 0, 1]), -1)
    middle = np.stack(scene.geometry.to_screen(*outlines.mean(1).T), -1)
    size = np.hypot(*(ends - middle).T)
    kept, last = np.zeros(len(size), bool), np.inf
    for n in np.argsort(-np.nan_to_num(size)):
        if size[n] >= 2 * APART / 3 and size[n] <= last - APART:
            kept[n], last = True, size[n]
    return kept


def stroke_outlines(painter: QPainter, scene: Scene, outlines: np.ndarray, colour: str, width: float) -> None:
    """Draw closed outlines, shape (n, corners, 2) in pixels of the image."""
    outlines = outlines[np.isfinite(outlines).all((1, 2))]
    corners = np.stack(scene.geometry.to_screen(outlines[..., 0], outlines[..., 1]), -1)
    segments = np.concatenate([corners, np.roll(corners, -1, axis=1)], -1).reshape(-1, 4)
    Ink(colour, "#000000").lines(painter, segments, width)


register_overlay(IsophoteOverlay())
