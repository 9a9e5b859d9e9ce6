"""Many spectra on the screen: drawn by a kernel into one picture, since Qt takes a millisecond for each."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QImage, QPainter

from jviz.backend.spectra.strokes import Strokes
from jviz.viewers.plot.axes import Curves
from jviz.viewers.spectrum.scene import SpectrumScene

__all__ = ["CROWD", "Crowd", "CrowdCurves"]

CROWD = 16
"""Spectra from which on they are drawn together."""
FAINT = 0.35
BAND = 0.22
"""Opacity of a band of errors."""
WIDE = 200
"""Spectra up to which lines are a little wider than one pixel."""


class CrowdCurves(Curves):
    """What the axes have to reach over, found by the kernels; with curves that are not part of the crowd.

    Parameters
    ----------
    strokes : Strokes
    where : ndarray
        Places of the curves of the crowd.
    shown, others : sequence of Curve
        Those of the crowd, and the others.
    """

    def __init__(self, strokes: Strokes, where: np.ndarray, shown: list[Any], others: list[Any]) -> None:
        super().__init__([*shown, *others])
        self._strokes, self._where, self._others = strokes, where, Curves(others)

    def span(self, low: float, high: float, *, log: bool) -> tuple[float, float]:
        low, high = min(low, high), max(low, high)
        least, most, _ = self._strokes.span(self._where, low, high, log=log)
        beside = self._others.span(low, high, log=log) if self._others.curves else (least, most)
        found = np.fmin(least, beside[0]), np.fmax(most, beside[1])
        return (float(found[0]), float(found[1])) if np.isfinite(found).all() else super().span(low, high, log=log)

    def some(self, low: float, high: float, count: int) -> np.ndarray:
        low, high = min(low, high), max(low, high)
        total = self._strokes.span(self._where, low, high, log=False)[2]
        found = self._strokes.every(self._where, low, high, max(1, total // count), total)
        return np.concatenate([found, self._others.some(low, high, count)]) if self._others.curves else found


class Crowd:
    """Keeps the samples of the spectra of a viewer at hand for the kernels, and their colours."""

    def __init__(self) -> None:
        self._strokes = Strokes()
        self._shown: list[Any] = []
        self._where, self._looks = np.zeros((3, 0), np.int64), (None,)
        self._is_plain = True

    def take(self, shown: list[tuple[Any, Any]], version: int) -> None:
        """Take what is shown; with the same version nothing has changed."""
        if self._shown and self._looks[0] == version:
            return
        self._shown, self._looks = shown, (version,)
        self._where = self._strokes.places(curve for _, curve in shown)
        grey = [(n, curve.masked) for n, (_, curve) in enumerate(shown) if curve.masked is not None]
        self._greys = np.array([n for n, _ in grey], np.int64)
        self._masked = Strokes()
        self._masked_where = self._masked.places(curve for _, curve in grey)
        drawings = [layer.drawing for layer, _ in shown]
        self._stepped = np.array([drawing == "steps" for drawing in drawings])
        self._banded = self._where.copy()
        self._banded[2] &= np.array([bool(layer.errors) for layer, _ in shown])
        self._opacity = np.array([layer.opacity for layer, _ in shown])
        self._is_plain = "points" not in drawings

    @property
    def is_one(self) -> bool:
        """Whether there are so many spectra, of such looks, that they are drawn together."""
        return len(self._shown) >= CROWD and self._is_plain

    def curves(self, others: list[Any]) -> CrowdCurves:
        """Return what the axes have to reach over."""
        return CrowdCurves(self._strokes, self._where, [curve for _, curve in self._shown], others)

    def nearest(self, wanted: float) -> tuple[np.ndarray, np.ndarray]:
        """Return which sample of each spectrum is nearest to a value of x, −1 for none, and its y."""
        found = self._strokes.nearest(self._where, wanted)
        values = np.full(len(found), np.nan)
        has = found >= 0
        values[has] = self._strokes.y[self._where[0, has] + found[has]]
        return found, values

    def draw(self, painter: QPainter, scene: SpectrumScene, ratio: float) -> None:
        """Draw all spectra of a scene, the one that is pointed at on top."""
        box = scene.picture
        width, height = max(1, round(box.width() * ratio)), max(1, round(box.height() * ratio))
        picture = np.zeros((width, height), np.uint32)
        axes = np.array([_map(scene.x, box.left(), ratio), _map(scene.y, box.top(), ratio)])
        logs = np.array([scene.x.log, scene.y.log])
        colours, plain, greys = self._colours(scene)
        order = self._order(scene)
        where = np.ascontiguousarray(self._where[:, order])
        self._strokes.draw_bands(picture, self._banded, plain, BAND, axes, logs)
        if len(self._greys):
            stepped = self._stepped[self._greys]
            self._masked.draw(picture, self._masked_where, greys, stepped, axes, logs, 1.2 * ratio)
        self._strokes.draw(picture, where, colours[order], self._stepped[order], axes, logs, self._width * ratio)
        if scene.hovered is not None and len(order):
            last, place = order[-1:], np.ascontiguousarray(where[:, -1:])
            self._strokes.draw(picture, place, colours[last], self._stepped[last], axes, logs, 2.4 * ratio)
        rows = np.ascontiguousarray(picture.T)
        image = QImage(rows.data, width, height, 4 * width, QImage.Format.Format_ARGB32_Premultiplied)
        image.setDevicePixelRatio(ratio)
        painter.drawImage(QPointF(box.left(), box.top()), image)

    @property
    def _width(self) -> float:
        return 1.4 if len(self._shown) <= WIDE else 1.0

    def _order(self, scene: SpectrumScene) -> np.ndarray:
        """Return the numbers of the spectra in the order in which they are drawn."""
        order = np.arange(len(self._shown))
        if scene.hovered is None:
            return order
        at = next((n for n, (layer, _) in enumerate(self._shown) if layer is scene.hovered), -1)
        return np.append(order[order != at], at) if at >= 0 else order

    def _colours(self, scene: SpectrumScene) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return premultiplied colours of the curves, plain ones of their bands, and those of masked samples."""
        key = (self._looks[0], id(scene.hovered), scene.look, id(scene.colors))
        if len(self._looks) == 1 or self._looks[1] != key:
            names = [QColor(scene.colors.get(id(layer), scene.look.text)).rgb() for layer, _ in self._shown]
            parts = np.array(names, np.int64)
            faint = np.array([scene.hovered is not None and scene.hovered is not layer for layer, _ in self._shown])
            alpha = self._opacity * np.where(faint, FAINT, 1.0)
            grey = np.full(len(self._greys), QColor(scene.look.faint).rgb(), np.int64)
            made = _argb(parts, alpha), _argb(parts, np.ones(len(parts))), _argb(grey, alpha[self._greys])
            self._looks = (key[0], key, made, scene.colors)
        return self._looks[2]


def _map(axis: Any, zero: float, ratio: float) -> tuple[float, float]:
    """Return factor and zero point from values of an axis, or their logarithms, to pixels of the picture."""
    factor, start = axis.linear
    return factor * ratio, (start - zero) * ratio


def _argb(rgb: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Return colours, premultiplied by their opacity."""
    found = np.round(255 * alpha).astype(np.int64) << 24
    for shift in (0, 8, 16):
        found |= np.round(((rgb >> shift) & 255) * alpha).astype(np.int64) << shift
    return found.astype(np.uint32)
