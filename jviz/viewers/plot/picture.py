"""A small picture of curves for panels: no mouse, only what is shown."""

from __future__ import annotations

from dataclasses import dataclass

from echo import CallbackProperty
from PySide6.QtCore import QSize
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from jviz.plot_views import Curve, PlotLayer, ProfileView
from jviz.viewers.look import Look
from jviz.viewers.plot.paint import paint_plot, plot_scene

__all__ = ["CurvePicture"]


@dataclass(frozen=True, eq=False)
class _Named:
    """Stands for data of a layer."""

    name: str
    shown: Curve

    def curve(self) -> Curve:
        return self.shown


class _PictureView(ProfileView):
    """Says how y reaches over curves as well."""

    robust = CallbackProperty("off")


class CurvePicture(QWidget):
    """Draws curves over each other, with axes that hold them.

    Parameters
    ----------
    robust : str
        Whether peaks of noise that would hide the rest are cut off: "auto" or "off".
    legend_left : bool
        Whether the legend stands at the left, for curves that rise.
    empty : str
        What it says while there is no curve.
    """

    def __init__(
        self, parent: QWidget | None = None, *, legend_left: bool = False, empty: str = "No curve yet",
        robust: str = "off",
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._legend_left, self._empty = legend_left, empty
        self._view = _PictureView()
        self._view.robust = robust
        self.setMinimumSize(160, 120)

    def sizeHint(self) -> QSize:
        return QSize(320, 200)

    def show_curves(self, curves: dict[str, Curve], drawings: dict[str, str] | None = None) -> None:
        """Show these curves by name; ``drawings`` says which are no steps."""
        layers = []
        for name, curve in curves.items():
            layer = PlotLayer()
            layer.update(data=_Named(name, curve), drawing=(drawings or {}).get(name, "steps"))
            layers.append(layer)
        self._view.layers = tuple(layers)
        self.update()

    @property
    def curves(self) -> dict[str, Curve]:
        """What is shown."""
        return {layer.data.name: layer.data.curve() for layer in self._view.layers}

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the curves."""
        with QPainter(self) as painter:
            scene = plot_scene(self._view, self.width(), self.height(), Look.of(self))
            scene.legend_left = self._legend_left
            paint_plot(painter, scene, self._empty)
