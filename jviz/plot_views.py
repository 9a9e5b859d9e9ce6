"""States of viewers that plot curves, and the curve that such data give."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from echo import CallbackProperty

from jviz.checked import Checked, colour, number, one_of, pair
from jviz.views import State, View, declare_view

__all__ = ["Curve", "PlotLayer", "PlotView", "ProfileView", "curve_of_table"]

DRAWINGS = ("steps", "line", "points")


@dataclass(frozen=True, eq=False)
class Curve:
    """Numbers to plot, x ascending.

    Attributes
    ----------
    x, y : ndarray of float64, shape (n,)
    error : ndarray or None
        One standard deviation of y.
    x_label, y_label, x_unit, y_unit : str
    turned : bool
        Whether y grows downwards, as magnitudes do.
    """

    x: np.ndarray
    y: np.ndarray
    error: np.ndarray | None = None
    x_label: str = "x"
    y_label: str = "y"
    x_unit: str = ""
    y_unit: str = ""
    turned: bool = False

    @cached_property
    def edges(self) -> np.ndarray:
        """Borders of the steps, half way between samples, shape (n + 1,)."""
        x = self.x
        if len(x) < 2:
            return np.array([x[0] - 0.5, x[0] + 0.5]) if len(x) else np.zeros(1)
        between = (x[1:] + x[:-1]) / 2
        return np.concatenate([[2 * x[0] - between[0]], between, [2 * x[-1] - between[-1]]])


def curve_of_table(table: Any) -> Curve:
    """Return the curve of a table of a profile (`jviz.data.Profile` says which columns)."""
    x_name, y_name = (table.meta.get(key, table.colnames[n]) for n, key in enumerate("xy"))
    x, x_unit = _numbers(table[x_name])
    y, y_unit = _numbers(table[y_name])
    error = _numbers(table[f"{y_name}_err"])[0] if f"{y_name}_err" in table.colnames else None
    order = slice(None) if (np.diff(x) >= 0).all() else np.argsort(x, kind="stable")
    labels = [
        str(table.meta.get(f"{key}_label", name.replace("_", " ")))
        for key, name in zip("xy", (x_name, y_name), strict=True)
    ]
    return Curve(x[order], y[order], None if error is None else error[order], *labels, x_unit, y_unit)


def _numbers(column: Any) -> tuple[np.ndarray, str]:
    """Return a column as plain numbers, NaN where it is masked, and its unit."""
    unit = str(getattr(column, "unit", None) or "")
    values = getattr(column, "value", column)
    if np.ma.isMaskedArray(values):
        values = values.astype(float).filled(np.nan)
    return np.asarray(values, dtype=float), unit


class PlotLayer(State):
    """How one curve looks.

    Attributes
    ----------
    data : Data
        Gives its `Curve` by a method ``curve()``.
    color : str
        ``"#rrggbb"``; empty: one of the theme by its number.
    drawing : str
        steps, line or points.
    errors : bool
        Show a band of one standard deviation.
    """

    data = CallbackProperty(None)
    visible = CallbackProperty(True)
    color = Checked("", colour)
    drawing = Checked("steps", one_of(*DRAWINGS, name="way to draw a curve"))
    errors = CallbackProperty(True)
    opacity = Checked(1.0, number(0, 1, "opacity"))

    @property
    def title(self) -> str:
        """What the legend says."""
        return self.data.name


class PlotView(View):
    """The state of a viewer of curves.

    Attributes
    ----------
    x_range, y_range : (float, float) or None
        What the axes show; None: all of x, and of y all that is in sight.
    x_log, y_log : bool
    legend, grid : bool
    """

    layer_type = PlotLayer
    navigation = frozenset({"x_range", "y_range"})

    x_range = Checked(None, pair)
    y_range = Checked(None, pair)
    x_log = CallbackProperty(False)
    y_log = CallbackProperty(False)
    legend = CallbackProperty(True)
    grid = CallbackProperty(False)


class ProfileView(PlotView):
    """The state of a viewer of profiles: cuts, radial profiles, growth curves, histograms."""

    kind = "profile"
    accepts = ("profile",)


declare_view(ProfileView)
