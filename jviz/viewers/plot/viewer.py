"""The viewer of curves: draws a plot view of the session and answers mouse and keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF
from PySide6.QtGui import QPainter

from jviz.plot_views import Curve, PlotView, ProfileView
from jviz.viewers.base import viewer
from jviz.viewers.plot.base import AxesViewer
from jviz.viewers.plot.paint import PlotScene, paint_plot, plot_scene
from jviz.viewers.readout import number_text, pretty_unit

__all__ = ["PlotReadout", "PlotViewer", "ProfileViewer"]


@dataclass(frozen=True)
class PlotReadout:
    """The sample that is nearest to the cursor.

    Attributes
    ----------
    x, y : float
        Of the sample, in the units of its curve.
    error : float or None
    """

    view: PlotView
    data: Any
    curve: Curve
    x: float
    y: float
    error: float | None = None

    @property
    def text(self) -> str:
        """All in one line."""
        curve = self.curve
        across = f"{curve.x_label} {number_text(self.x)} {pretty_unit(curve.x_unit)}".rstrip()
        spread = "" if self.error is None or not np.isfinite(self.error) else f" ± {self.error:.3g}"
        return f"{across}   {number_text(self.y)}{spread} {pretty_unit(curve.y_unit)}".rstrip() + f"   {self.data.name}"

    def __str__(self) -> str:
        return self.text


class PlotViewer(AxesViewer):
    """Draws curves."""

    def scene_now(self) -> PlotScene:
        """Lay out the view in the present size."""
        return plot_scene(self.state, self.width(), self.height(), self.look, self._cursor)

    def paint(self, painter: QPainter, scene: PlotScene) -> None:
        """Paint the curves."""
        paint_plot(painter, scene)

    def readout(self, position: QPointF) -> PlotReadout | None:
        """Return the nearest sample of the curve that is nearest to a position, None beside the picture."""
        scene = self.scene_now()
        if not scene.picture.contains(position):
            return None
        best: tuple[float, PlotReadout] | None = None
        for layer, curve in scene.shown:
            if not len(curve.x):
                continue
            n = _nearest(curve.x, scene.x.value(position.x()))
            error = None if curve.error is None else float(curve.error[n])
            found = PlotReadout(self.state, layer.data, curve, float(curve.x[n]), float(curve.y[n]), error)
            away = abs(float(scene.y.place(found.y)) - position.y())
            away = away if np.isfinite(away) else np.inf
            if best is None or away < best[0]:
                best = (away, found)
        return best[1] if best is not None else None


def _nearest(values: np.ndarray, wanted: float) -> int:
    n = int(np.clip(np.searchsorted(values, wanted), 1, max(len(values) - 1, 1)))
    if len(values) == 1:
        return 0
    return n - 1 if wanted - values[n - 1] <= values[n] - wanted else n


@viewer(kind="profile", title="Profile", view=ProfileView)
class ProfileViewer(PlotViewer):
    """Draws profiles over each other."""
