"""The panel that says how an image looks: plane, limits, stretch, colours, layers."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QVBoxLayout

from jviz.api import Counted, ImageLayer, ImageView, Job, JvizError, Values, geometry_of
from jviz.plugins.display_controls import Controls
from jviz.plugins.looks import curve_of, ramp_of
from jviz.plugins.parts import Line, Panel, muted, scrolled

__all__ = ["DisplayPanel"]

SAMPLE = 200_000


class DisplayPanel(Panel):
    """How the active image looks: which plane and slice, limits, stretch, colour map, layers.

    Drag the lines of the histogram to set the limits, or the space between them to move both; choose
    percentiles, z-scale or the extremes, of the whole image or of the part in view. Shift and a drag over the
    histogram make a region of the pixels that have these values. With the stretch
    “spline” the knots of its curve are dragged. Every change is a step that can be undone.
    """

    empty_text = "No image is open.\n\nOpen one, and its limits, stretch and colours are set here."

    def __init__(self, context: Any) -> None:
        super().__init__(context)
        self.controls = Controls(context)
        self.controls.wanted.connect(self._set)
        self.controls.ended.connect(self._seal)
        self.title = muted(Line())
        self.title.setContentsMargins(10, 6, 10, 2)
        layout = QVBoxLayout(self.body)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.title)
        layout.addWidget(scrolled(self.controls))
        self.setFocusProxy(self.controls.histogram)
        self._connect_parts()
        self._view: ImageView | None = None
        self._before: tuple[ImageLayer, dict[str, Any]] | None = None
        self._sampled: Any = None
        self._sample = np.empty(0)
        self._moved = QTimer(self, singleShot=True, interval=120)
        self._moved.timeout.connect(self.later)
        context.active_changed.connect(self.later)
        self.links.signal(self.session.data_changed, self.later)
        self.links.signal(self.session.jobs.changed, self._job_changed)

    def _connect_parts(self) -> None:
        histogram, layers = self.controls.histogram, self.controls.layers
        histogram.limits_dragged.connect(lambda low, high: self._set({"limits": (low, high)}, ended=False))
        histogram.knots_dragged.connect(lambda knots: self._set({"knots": knots}, ended=False))
        histogram.drag_began.connect(self._note_looks)
        histogram.drag_ended.connect(self._seal)
        histogram.drag_given_up.connect(self._put_looks_back)
        histogram.range_chosen.connect(self._select)
        layers.chosen.connect(self._activate)
        layers.visibility_set.connect(lambda layer, on: self._set({"visible": on}, layer=layer))
        layers.reordered.connect(self._reorder)
        layers.removal_wanted.connect(
            lambda layer: self.context.run("layer.remove", view=self._view, layer=self._view.layers.index(layer))
        )

    # --- what is shown --------------------------------------------------------------------------

    def view(self) -> ImageView | None:
        """Return the active image view with something in it, or None."""
        view = self.context.active_image()
        return view if view is not None and view.layers else None

    def is_empty(self) -> bool:
        return self.view() is None

    def refresh(self) -> None:
        view = self.view()
        self._watch(view)
        if view is None:
            self._sampled = None
            return
        self.title.setText(f"{view.name} · {view.layer.data.name}")
        self.controls.layers.show_layers(view)
        self.controls.show_layer(view.layer)
        self._refresh_look(view.layer)
        self._refresh_sample(view)

    def _watch(self, view: ImageView | None) -> None:
        self._view = view
        self.links.states("view", [view], self._view_changed)
        self.links.states("layers", view.layers if view is not None else (), self.later)

    def _view_changed(self, **changed: Any) -> None:
        if set(changed) - {"centre", "scale", "rotation"}:
            self.later()
        elif self._view is not None and self._view.layers and self._view.layer.limits_from == "view":
            self._moved.start()

    @staticmethod
    def _limits(layer: ImageLayer) -> tuple[float, float] | None:
        """The limits in use, None while they are being worked out."""
        if layer.limits_mode == "manual" and layer.manual_limits is not None:
            return layer.manual_limits
        return layer.shown_limits

    def _refresh_look(self, layer: ImageLayer) -> None:
        limits = self._limits(layer)
        self.controls.show_limits(limits)
        if limits is None:
            return
        try:
            curve = curve_of(layer, self._sample, limits)
            ramp = ramp_of(layer, curve)
        except JvizError as error:
            self.context.notify("error", str(error))
            return
        knots = layer.knots if layer.stretch == "spline" else None
        self.controls.histogram.show_look(limits, ramp, curve(np.linspace(0, 1, 129)), knots)

    # --- the sample behind the histogram, read in a job -------------------------------------------

    def _refresh_sample(self, view: ImageView) -> None:
        layer = view.layer
        sight = None
        if layer.limits_from == "view" and not layer.operation:
            geometry = geometry_of(view)
            sight = (geometry.bounds(layer.picture.shape), 1 / geometry.scale)
        counted = sight is None and not layer.operation and layer.raster().counted
        key = (*layer.limits_key, layer.operation, layer.against, sight, counted)
        waits = layer.limits_mode != "manual" and layer.shown_limits is None
        if key == self._sampled and not waits:
            return
        self._sampled = key
        self.session.jobs.submit(
            f"Histogram: {layer.data.name}", partial(self._read, key, layer, sight), quiet=True, urgent=True
        )

    def _job_changed(self, job: Job) -> None:
        """A pyramid may have come, and with it the histogram of all pixels."""
        if job.is_over and not job.quiet:
            self.later()

    def _read(self, key: Any, layer: ImageLayer, sight: Any, job: Any) -> None:
        """Runs in a job's thread: sample and limits; the owner's thread shows them.

        All pixels of a small image are counted by a job of its own, which others need not wait for.
        """
        raster = layer.raster()
        values = np.ravel(layer.sample() if sight is None else in_sight(raster, *sight))
        values = np.sort(values[np.isfinite(values)])
        limits = layer.computed_limits(exact=False) if layer.limits_mode != "manual" else None
        self.session.dispatcher.call(partial(self._take, key, layer, values, Values(values), limits))
        if sight is None and not layer.operation and raster.counted:
            self.session.jobs.submit(f"Histogram: {layer.data.name}", partial(self._count, key, raster), quiet=True)

    def _count(self, key: Any, raster: Any, job: Any) -> None:
        counted = raster.spread()
        if counted is not None:
            self.session.dispatcher.call(partial(self._take_counted, key, counted))

    def _take(self, key: Any, layer: ImageLayer, values: np.ndarray, spread: Values, limits: Any) -> None:
        if layer.shown_limits is None and limits is not None and layer.limits_from == "image":
            layer.shown_limits = limits
        if key == self._sampled and not self.links.ended:
            self._sample = values
            self.controls.histogram.limits = self._limits(layer) or limits or (0.0, 1.0)
            self.controls.histogram.show_values(spread)
            self._refresh_look(layer)

    def _take_counted(self, key: Any, counted: Counted) -> None:
        if key == self._sampled and not self.links.ended:
            self.controls.histogram.show_values(counted)

    # --- what the user does ---------------------------------------------------------------------

    def _set(self, values: dict[str, Any], *, ended: bool = True, layer: ImageLayer | None = None) -> None:
        """Set properties of a layer, the active one unless one is given."""
        layer = layer or (self._view.layer if self._view is not None else None)
        if layer is None:
            return
        try:
            if "limits" in values:
                layer.limits = values.pop("limits")
            layer.update(**values)
        except JvizError as error:
            self.context.notify("error", str(error))
            self.later()
        if ended:
            self._seal()

    def _seal(self) -> None:
        """End a gesture: what follows is a step of its own."""
        self.session.flush()
        self.session.history.seal()

    def _note_looks(self) -> None:
        """Remember how the layer looked when a drag began."""
        layer = self._view.layer if self._view is not None else None
        self._seal()
        self._before = (layer, layer.recorded()) if layer is not None else None

    def _put_looks_back(self) -> None:
        """Undo a drag that was given up: it is no step."""
        if self._before is not None:
            layer, values = self._before
            layer.update(**values)
            self.later()

    def _select(self, low: float, high: float) -> None:
        """Make a region of the pixels of the image whose values lie in a range."""
        if self._view is not None and self._view.layer.operation:
            self.context.notify("info", "This layer is for the eye; make it by Image Arithmetic to choose its pixels.")
        elif self._view is not None:
            low, high = (float(f"{value:.5g}") for value in (low, high))
            self.context.run("image.select_values", data=self._view.layer.data, low=low, high=high)

    def _activate(self, layer: ImageLayer) -> None:
        if self._view is not None and layer in self._view.layers:
            self._view.active = self._view.layers.index(layer)
            self._seal()

    def _reorder(self, layers: tuple[ImageLayer, ...]) -> None:
        view = self._view
        if view is not None and layers != view.layers and set(layers) == set(view.layers):
            self.context.run("view.order_layers", view=view, order=[view.layers.index(layer) for layer in layers])
        self.later()

    def restyle(self) -> None:
        self.controls.histogram.update()


def in_sight(raster: Any, bounds: tuple[float, float, float, float], step: float) -> np.ndarray:
    """Return values of the best block in memory within a box, at most about 200,000."""
    block = raster.block(bounds, step)
    if block is None:
        return np.empty(0)
    x0, y0, x1, y1 = bounds
    part = block.data[_within(y0, y1, block.y0, block.step), _within(x0, x1, block.x0, block.step)].ravel()
    part = part[:: max(1, part.size // SAMPLE)]
    return part + np.float64(block.offset) if block.offset else part


def _within(low: float, high: float, first: float, step: float) -> slice:
    """Return which samples at ``first + n * step`` lie between two edges."""
    return slice(max(math.ceil((low - first) / step), 0), max(math.floor((high - first) / step) + 1, 0))
