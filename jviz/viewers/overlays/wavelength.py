"""The wavelength under the cursor of a spectrum, as a line over 2-D spectra: tilted where their lines are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPainter, QPen

from jviz.backend.spectra.axis import SpectralAxis
from jviz.backend.spectra.units import convert_axis, scale_of
from jviz.errors import CommandError
from jviz.viewers.image_overlays import Scene
from jviz.viewers.image_tools import Overlay, register_overlay
from jviz.viewers.plot.curves import polygon

__all__ = ["WavelengthOverlay", "places_of"]

COLOR = "#4cc9f0"
MOST = 64
"""Rows in which the place of a wavelength is worked out; it runs straight between them."""


def places_of(values: np.ndarray, wanted: float) -> tuple[np.ndarray, np.ndarray]:
    """Return where wavelengths have a value, along the axis on which they change most: x and y, NaN where nowhere.

    Parameters
    ----------
    values : ndarray, shape (ny, nx)
    """
    few = [values[:: max(1, len(values) // MOST)], values[:, :: max(1, values.shape[1] // MOST)].T]
    changes = [np.abs(np.diff(part, axis=1)) for part in few]
    along_x, along_y = (c[np.isfinite(c)].sum() / max(np.isfinite(c).sum(), 1) for c in changes)
    turned = bool(along_y > along_x)
    plane = values.T if turned else values
    rows = np.unique(np.linspace(0, len(plane) - 1, MOST).round().astype(int))
    difference = plane[rows] - wanted
    crossing = np.signbit(difference[:, 1:]) != np.signbit(difference[:, :-1])
    crossing &= np.isfinite(difference[:, 1:]) & np.isfinite(difference[:, :-1])
    first = np.argmax(crossing, axis=1)
    line = np.arange(len(rows))
    left, right = difference[line, first], difference[line, np.minimum(first + 1, difference.shape[1] - 1)]
    with np.errstate(divide="ignore", invalid="ignore"):
        along = np.where(crossing[line, first], first + left / (left - right), np.nan)
    return (rows.astype(float), along) if turned else (along, rows.astype(float))


class WavelengthOverlay(Overlay):
    """The wavelength that the mouse is at in a viewer of spectra."""

    order = 36

    def signals(self, session: Any) -> Iterable[Any]:
        return (session.pointer.spectral_moved,)

    def paint(self, painter: QPainter, scene: Scene) -> None:
        pointed = scene.session.pointer.spectral if scene.session is not None else None
        data = scene.view.layers[0].data if scene.view.layers else None
        if pointed is None or not scene.fast or not getattr(data, "wavelengths_ready", False):
            return
        waves = data.wavelengths
        if waves.values is None:
            return
        axis = SpectralAxis(np.array([1.0]), waves.unit, waves.quantity, medium=waves.medium)
        try:
            value = float(convert_axis(np.array([pointed[1]]), pointed[2], scale_of(axis))[0])
        except CommandError:
            return
        x, y = places_of(waves.values, value)
        known = np.isfinite(x) & np.isfinite(y)
        if not known.any():
            return
        u, v = scene.geometry.to_screen(x[known], y[known])
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setPen(QPen(QColor(COLOR), 1.4, Qt.PenStyle.DashLine))
        painter.drawPolyline(polygon(u, v))
        painter.restore()


register_overlay(WavelengthOverlay())
