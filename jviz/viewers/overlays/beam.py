"""The beam of radio data in the lower left corner: as large as on the sky, turned with the picture."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPolygonF

from jviz.beams import beams_at_hand
from jviz.viewers.image_overlays import EDGE, SMALL, Scene, draw_plate, is_bare
from jviz.viewers.image_tools import Overlay, register_overlay

__all__ = ["BeamOverlay", "beam_shown", "ellipse"]

POINTS = 64
LARGEST, SMALLEST = 0.4, 3.0
"""Beams wider than this share of the picture are left out, and those narrower than so many pixels."""


def beam_shown(view: Any) -> tuple[float, float, float] | None:
    """Return the beam of what the topmost visible layer with one shows: arcsec, arcsec, degrees."""
    for layer in reversed(view.layers):
        beams = beams_at_hand(layer.data) if layer.visible else None
        if beams is None:
            continue
        is_slice = getattr(layer, "cube", None) is not None and not layer.shows_slab
        beam = beams.at(layer.point[0]) if is_slice else beams.reference
        if beam is not None:
            return beam
    return None


def ellipse(beam: tuple[float, float, float], jacobian: np.ndarray, to_screen: np.ndarray) -> np.ndarray:
    """Return the outline at half maximum about (0, 0) in screen pixels, shape (points, 2).

    Parameters
    ----------
    beam : (float, float, float)
        Full widths in arcsec, and the position angle of the longer one in degrees, from north to east.
    jacobian : ndarray, shape (2, 2)
        Arcseconds to the east and to the north per pixel along x and y.
    to_screen : ndarray, shape (2, 2)
        Screen pixels per pixel.
    """
    turn, angle = np.linspace(0, 2 * np.pi, POINTS, endpoint=False), np.radians(beam[2])
    along, across = beam[0] / 2 * np.cos(turn), beam[1] / 2 * np.sin(turn)
    sky = np.stack([along * np.sin(angle) + across * np.cos(angle), along * np.cos(angle) - across * np.sin(angle)])
    return (to_screen @ np.linalg.solve(jacobian, sky)).T


@lru_cache(maxsize=8)
def _jacobian(sky: Any, x: float, y: float) -> np.ndarray:
    return sky.jacobian(x, y)


class BeamOverlay(Overlay):
    """The beam, where the data have one (BMAJ and BMIN, or a table of beams)."""

    order = 50

    def paint(self, painter: QPainter, scene: Scene) -> None:
        view = scene.view
        if not view.beam or scene.sky is None or not view.layers or is_bare(scene, SMALL):
            return
        beam = beam_shown(view)
        if beam is None:
            return
        jacobian = _jacobian(scene.sky, *scene.geometry.centre)
        if not np.isfinite(jacobian).all() or not np.linalg.det(jacobian):
            return
        outline = ellipse(beam, jacobian, scene.geometry.to_screen_matrix[:, :2])
        half = np.abs(outline).max(axis=0)
        size = min(scene.geometry.width, scene.geometry.height)
        if 2 * half.max() > LARGEST * size or 2 * half.max() < SMALLEST:
            return
        _draw(painter, scene, outline, half)


def _draw(painter: QPainter, scene: Scene, outline: np.ndarray, half: np.ndarray) -> None:
    bottom = scene.geometry.height - EDGE - (3.4 * scene.look.pixels if scene.view.scale_bar else 0)
    middle = QPointF(EDGE + 2 + half[0], bottom - half[1])
    path = QPainterPath()
    path.addPolygon(QPolygonF([middle + QPointF(x, y) for x, y in outline.tolist()]))
    path.closeSubpath()
    area = path.boundingRect().adjusted(-5, -5, 5, 5)
    ink, mixed = scene.ground(area)

    def draw(painter: QPainter) -> None:
        if mixed:
            draw_plate(painter, area)
        inside = QColor(ink.colour)
        inside.setAlphaF(0.35)
        painter.fillPath(path, inside)
        ink.stroke(painter, path, 1.6)

    scene.draw(painter, area, ("beam", ink, mixed, outline.tobytes(), middle.toTuple()), draw)


register_overlay(BeamOverlay())
