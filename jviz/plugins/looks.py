"""Curve and colours of a layer, as its state says."""

from __future__ import annotations

import numpy as np

from jviz.api import ImageLayer, Stretch, colormap, look_table, stretch

__all__ = ["PARAMETERS", "curve_of", "ramp_of"]

PARAMETERS = {
    "log": ("a", 1000.0, 1.0, 1e6),
    "asinh": ("a", 0.1, 1e-4, 10.0),
    "sinh": ("a", 1 / 3, 0.01, 10.0),
    "power": ("gamma", 2.0, 0.05, 20.0),
}
"""Stretches with a parameter: its name, usual value, and bounds."""


def curve_of(layer: ImageLayer, sample: np.ndarray, limits: tuple[float, float]) -> Stretch:
    """Make the stretch of a layer; ``sample`` holds values for the histogram stretch.

    Raises
    ------
    JvizError
        When the parameter or the knots cannot be used.
    """
    name, parameter = layer.stretch, layer.stretch_parameter
    if name == "spline":
        return stretch(name, knots=layer.knots)
    if name == "histogram":
        return stretch(name, sample=sample, low=limits[0], high=limits[1])
    if name in PARAMETERS and parameter is not None:
        return stretch(name, **{PARAMETERS[name][0]: parameter})
    return stretch(name)


def ramp_of(layer: ImageLayer, curve: Stretch, size: int = 512) -> np.ndarray:
    """Return the colours from the lower to the upper limit as uint32, shape (size,)."""
    colours = colormap(layer.colormap)
    return look_table(curve, colours, contrast=layer.contrast, bias=layer.bias, invert=layer.invert, size=size)
