"""The wavelength under the cursor of a 2-D spectrum, marked in the viewers of spectra."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from jviz.backend.spectra.axis import SpectralAxis
from jviz.backend.spectra.units import convert_axis, scale_of
from jviz.errors import CommandError
from jviz.viewers.spectrum.scene import SpectrumScene

__all__ = ["draw_pointed", "pointed_wavelength"]


def _waves(session: Any) -> Any:
    """Return the wavelengths of the 2-D spectrum under the cursor, where they are at hand."""
    at = session.pointer.at
    if at is None or not getattr(at[0], "layers", ()):
        return None
    data = at[0].layers[0].data
    return data.wavelengths if getattr(data, "wavelengths_ready", False) else None


def pointed_wavelength(session: Any) -> float | None:
    """Return the wavelength under the cursor, in the unit of its data; None beside a 2-D spectrum."""
    waves = _waves(session)
    if waves is None:
        return None
    value = waves.at(*session.pointer.at[1:])
    return value if np.isfinite(value) else None


def draw_pointed(painter: QPainter, scene: SpectrumScene, session: Any) -> None:
    """Draw a line at the wavelength under the cursor of a 2-D spectrum."""
    value, waves = pointed_wavelength(session), _waves(session)
    if value is None:
        return
    axis = SpectralAxis(np.array([value]), waves.unit, waves.quantity, medium=waves.medium)
    try:
        place = float(scene.x.place(convert_axis(axis.values, scale_of(axis), scene.scale))[0])
    except CommandError:
        return
    if scene.picture.left() <= place <= scene.picture.right():
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(QPen(QColor(scene.look.accent), 1.0, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(place, scene.picture.top()), QPointF(place, scene.picture.bottom()))
