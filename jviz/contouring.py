"""Contours of layers of image views: traced in jobs, kept, and placed in the pixels of the view."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from jviz.backend.contours import Contours, smoothed, trace
from jviz.backend.progress import Progress, silent
from jviz.backend.render.blocks import BlockRequest
from jviz.data import Data
from jviz.errors import JvizError
from jviz.signals import Signal

__all__ = ["ContourStore", "contour_color", "contour_store", "contours_of", "samples_of"]

MOST = 4_000_000
"""Samples that contours are traced through; of larger images means of several pixels are taken."""

KEPT = 16

COLORS = ("#35e0a1", "#ffb02e", "#ff5d8f", "#5cc8ff", "#d9f85c")


def contour_color(view: Any, layer: Any) -> str:
    """Return the colour that contours of a layer are drawn in: its own, or one by its number in the view."""
    number = view.layers.index(layer) if layer in view.layers else len(view.layers)
    return layer.contour_color or COLORS[number % len(COLORS)]


def contours_of(layer: Any, reference: Data, align: str = "sky", progress: Progress = silent) -> Contours:
    """Trace the contours of a layer in the pixels of another image; takes a while for large ones.

    Parameters
    ----------
    layer : ImageLayer
        With ``contour_levels`` and ``contour_smoothing`` (Gaussian sigma in data pixels).
    reference : Data
        Whose pixels the lines are in: every point goes through the sky exactly when both have one.
    """
    values, origin, step = samples_of(layer.raster(), layer.contour_smoothing, progress)
    found = trace(values, layer.contour_levels, origin=origin, step=step, progress=progress)
    if layer.data is reference or align != "sky":
        return found
    home, target = getattr(layer.data, "sky", None), getattr(reference, "sky", None)
    if home is None or target is None:
        return found
    x, y = target.sky_to_pixel(*home.pixel_to_sky(found.points[:, 0], found.points[:, 1]))
    return Contours(np.stack([x, y], axis=1), found.starts, found.levels)


def samples_of(
    raster: Any, smoothing: float, progress: Progress = silent
) -> tuple[np.ndarray, tuple[float, float], float]:
    """Return what contours are traced through: values, the data pixel (x, y) of the first, and pixels per sample.

    Parameters
    ----------
    smoothing : float
        Gaussian sigma in data pixels.
    """
    level, samples = 0, raster.shape[0] * raster.shape[1]
    while samples > MOST:
        level, samples = level + 1, samples // 4
    if level > 1:
        raster.build(progress)
    rows, columns = (-(-size >> level) for size in raster.shape)
    block = raster.fetch(BlockRequest(level, 0, 0, columns, rows), progress)
    values = smoothed(block.data, smoothing / (1 << level))
    return values + np.float64(block.offset) if block.offset else values, (block.x0, block.y0), block.step


class ContourStore:
    """The contours that views of one session show.

    Attributes
    ----------
    arrived : Signal
        Emitted when contours that were asked for are there.
    """

    def __init__(self, session: Any) -> None:
        self.arrived = Signal()
        self._session = session
        self._kept: dict[tuple, Contours] = {}
        self._under_way: set[tuple] = set()
        self._last: WeakKeyDictionary[Any, Contours] = WeakKeyDictionary()

    def of(self, layer: Any, reference: Data, align: str, *, wait: bool = False) -> Contours | None:
        """Return the contours of a layer; the last ones, or None, while they are being traced in a job."""
        key = (layer.data.number, reference.number, align, *layer.limits_key, layer.contour_levels,
               layer.contour_smoothing)  # fmt: skip
        if key in self._kept:
            self._last[layer] = self._kept[key]
            return self._kept[key]
        if wait:
            self._keep(key, contours_of(layer, reference, align))
            return self._kept[key]
        if key not in self._under_way:
            self._under_way.add(key)
            self._trace(key, layer, reference, align)
        return self._last.get(layer)

    def _trace(self, key: tuple, layer: Any, reference: Data, align: str) -> None:
        from jviz.actions.view import copy_of_state

        still = copy_of_state(layer)

        def work(job: Any) -> None:
            try:
                made: Contours | None = contours_of(still, reference, align, job.report)
            except (JvizError, OSError) as error:
                made, text = None, str(error)
                self._session.notice("error", f"The contours of {still.data.name} cannot be drawn: {text}")
            self._session.dispatcher.call(self._end(key, made))

        self._session.jobs.submit(f"Contours of {layer.data.name}", work, quiet=True)

    def _end(self, key: tuple, made: Contours | None) -> Callable[[], None]:
        def end() -> None:
            self._under_way.discard(key)
            # What failed is not tried again and again.
            self._keep(key, made or Contours(np.zeros((0, 2)), np.zeros(1, np.int64), np.zeros(0)))
            self.arrived.emit()

        return end

    def _keep(self, key: tuple, made: Contours) -> None:
        while len(self._kept) >= KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = made


_stores: WeakKeyDictionary[Any, ContourStore] = WeakKeyDictionary()


def contour_store(session: Any) -> ContourStore:
    """Return the store of a session."""
    if session not in _stores:
        _stores[session] = ContourStore(session)
    return _stores[session]
