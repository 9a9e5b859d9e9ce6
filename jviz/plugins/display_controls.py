"""The controls of the display panel: they show a layer's state and say what the user wants of it."""

from __future__ import annotations

import math
from contextlib import contextmanager
from typing import Any

import numpy as np
from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QColor, QDoubleValidator
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QColorDialog,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QSizePolicy,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from jviz.api import BLENDS, LIMIT_MODES, STRETCHES, ImageLayer, NumberBox, WholeBox, digits_apart, in_digits
from jviz.plugins.colormap_button import ColormapButton
from jviz.plugins.histogram import Histogram
from jviz.plugins.layer_list import LayerList
from jviz.plugins.looks import PARAMETERS
from jviz.plugins.parts import tool_button

__all__ = ["Controls"]

SLIDER_HEIGHT = 26
"""Of a row of sliders in screen pixels, as of one that has a button beside it."""

MODES = {"auto": "Automatic", "minmax": "Min / max", "percentile": "Percentiles", "zscale": "z-scale",
         "manual": "Manual"}  # fmt: skip
BLEND_NAMES = {"normal": "Normal", "add": "Add", "screen": "Screen", "multiply": "Multiply", "lighten": "Lighten",
               "difference": "Difference"}  # fmt: skip
NAMES = {"linear": "Linear", "sqrt": "Square root", "squared": "Squared", "log": "Logarithm", "asinh": "asinh",
         "sinh": "sinh", "power": "Power", "histogram": "Equal area", "spline": "Spline"}  # fmt: skip


class Controls(QWidget):
    """Widgets for one image layer.

    Attributes
    ----------
    wanted : Signal
        With a dict of properties that the user has set.
    ended : Signal
        The user let go of a slider.
    """

    wanted = Signal(dict)
    ended = Signal()

    def __init__(self, context: Any) -> None:
        super().__init__()
        self.context = context
        self._layer: ImageLayer | None = None
        self.layers, self.histogram, self.colormap = LayerList(), Histogram(), ColormapButton()
        self._make_choices()
        self._make_limits()
        self._make_sliders()
        self._arrange()
        self._connect()

    # --- parts ----------------------------------------------------------------------------------

    def _make_choices(self) -> None:
        self.plane = _chooser("Plane shown")
        self.slice_slider = QSlider(Qt.Orientation.Horizontal)
        self.slice_slider.setAccessibleName("Slice")
        self.slice_number = WholeBox()
        self.slice_number.setAccessibleName("Number of the slice")
        self.slices = _side_by_side(self.slice_slider, self.slice_number)
        self.mode = _chooser("How the limits are found")
        for mode in LIMIT_MODES:
            self.mode.addItem(MODES[mode], mode)
        self.stretch = _chooser("Stretch")
        for name in STRETCHES:
            self.stretch.addItem(NAMES[name], name)
        self.parameter = _Parameter(decimals=4, stepType=QAbstractSpinBox.StepType.AdaptiveDecimalStepType)
        self.parameter.setKeyboardTracking(False)
        self.parameter.setAccessibleName("Parameter of the stretch")
        self.parameter.setMinimumWidth(90)
        self.invert = tool_button(self.context, "fa6s.circle-half-stroke", "Invert the colours", lambda: None)
        self.invert.setCheckable(True)
        self.hue = tool_button(self.context, "fa6s.droplet", "From black to a colour of your choice…", self._pick_hue)
        self.blend = _chooser("How the layer joins those below it")
        for blend in BLENDS:
            self.blend.addItem(BLEND_NAMES[blend], blend)

    def _make_limits(self) -> None:
        self.low, self.high = _number("Lower limit"), _number("Upper limit")
        self.low_percentile, self.high_percentile = _percentile("Lower percentile"), _percentile("Upper percentile")
        self.percentiles = _side_by_side(self.low_percentile, QLabel("to"), self.high_percentile, stretch=(0, 2))
        self.source = _chooser("Pixels that the limits are found from")
        self.source.addItem("all pixels", "image")
        self.source.addItem("in view", "view")
        self.source.addItem("all slices", "cube")

    def _make_sliders(self) -> None:
        self.contrast = _slider("Contrast", -100, 100)
        self.bias = _slider("Bias", 0, 200)
        self.opacity = _slider("Opacity", 0, 100)
        usual = {"contrast": 1.0, "bias": 0.5}
        self.reset = tool_button(
            self.context, "fa6s.rotate-left", "Reset contrast and bias", lambda: self.wanted.emit(dict(usual))
        )

    def _arrange(self) -> None:
        form = QFormLayout()
        form.setContentsMargins(10, 4, 10, 8)
        form.setHorizontalSpacing(10)
        form.setVerticalSpacing(6)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        form.addRow("Plane", self.plane)
        form.addRow("Slice", self.slices)
        form.addRow("Limits", _side_by_side(self.mode, self.source, stretch=(0, 1)))
        form.addRow("Percentiles", self.percentiles)
        form.addRow("From", _side_by_side(self.low, QLabel("to"), self.high, stretch=(0, 2)))
        form.addRow("Stretch", _side_by_side(self.stretch, self.parameter, stretch=(0,)))
        form.addRow("Colours", _side_by_side(self.colormap, self.hue, self.invert, stretch=(0,)))
        form.addRow("Contrast", _side_by_side(self.contrast, self.reset, stretch=(0,)))
        form.addRow("Bias", self.bias)
        form.addRow("Opacity", self.opacity)
        form.addRow("Blend", self.blend)
        self.form = form
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.layers)
        layout.addWidget(self.histogram, 1)
        layout.addLayout(form)
        layout.addStretch()

    def _connect(self) -> None:
        want = self.wanted.emit
        self.plane.activated.connect(
            lambda _: want({"plane": self.plane.currentData(), "index": self._index_for_plane()})
        )
        self.slice_slider.valueChanged.connect(self._slice_set)
        self.slice_number.valueChanged.connect(self._slice_set)
        self.mode.activated.connect(lambda _: self._mode_chosen())
        self.source.activated.connect(lambda _: want({"limits_from": self.source.currentData()}))
        for edit in (self.low, self.high):
            edit.editingFinished.connect(self._limits_typed)
        for spin in (self.low_percentile, self.high_percentile):
            spin.valueChanged.connect(lambda _: self._percentiles_set())
        self.stretch.activated.connect(
            lambda _: want({"stretch": self.stretch.currentData(), "stretch_parameter": None})
        )
        self.parameter.valueChanged.connect(lambda value: want({"stretch_parameter": value}))
        self.colormap.chosen.connect(lambda name: want({"colormap": name}))
        self.invert.toggled.connect(lambda on: want({"invert": on}))
        self.contrast.valueChanged.connect(lambda n: want({"contrast": 10 ** (n / 100)}))
        self.bias.valueChanged.connect(lambda n: want({"bias": n / 200}))
        self.blend.activated.connect(lambda _: want({"blend": self.blend.currentData()}))
        self.opacity.valueChanged.connect(lambda n: want({"opacity": n / 100}))
        for slider in (self.contrast, self.bias, self.opacity, self.slice_slider):
            slider.sliderReleased.connect(self.ended)

    # --- what is shown --------------------------------------------------------------------------

    def show_layer(self, layer: ImageLayer) -> None:
        """Show the state of a layer (its limits apart)."""
        self._layer = layer
        with self._quiet():
            self._show_planes(layer)
            self._show_slices(layer)
            self.mode.setCurrentIndex(self.mode.findData(layer.limits_mode))
            self._show_source(layer)
            self.source.setEnabled(layer.limits_mode != "manual")
            self.low_percentile.setValue(layer.percentiles[0])
            self.high_percentile.setValue(layer.percentiles[1])
            self.form.setRowVisible(self.percentiles, layer.limits_mode == "percentile")
            self.stretch.setCurrentIndex(self.stretch.findData(layer.stretch))
            self._show_parameter(layer)
            self.colormap.show_map(layer.colormap, layer.invert)
            self.invert.setChecked(layer.invert)
            self.contrast.setValue(round(100 * math.log10(max(layer.contrast, 0.1))))
            self.bias.setValue(round(200 * layer.bias))
            self.opacity.setValue(round(100 * layer.opacity))
            self.blend.setCurrentIndex(self.blend.findData(layer.blend))
            self.form.setRowVisible(self.blend, self.layers.count() > 1)
        self.reset.setEnabled((layer.contrast, layer.bias) != (1.0, 0.5))
        for slider, value in ((self.contrast, layer.contrast), (self.bias, layer.bias), (self.opacity, layer.opacity)):
            slider.setToolTip(f"{slider.accessibleName()}: {value:.3g}")

    def show_limits(self, limits: tuple[float, float] | None) -> None:
        """Show the limits as numbers (None: not known yet), unless one is being typed."""
        digits = digits_apart(*limits) if limits is not None else 6
        for edit, value in zip((self.low, self.high), limits or (None, None), strict=True):
            if not (edit.hasFocus() and edit.isModified()):
                edit.setText("" if value is None else in_digits(value, digits))
                edit.setCursorPosition(0)

    def _show_planes(self, layer: ImageLayer) -> None:
        planes = [p for p in layer.data.planes.values() if len(p.shape) >= 2]
        self.plane.clear()
        for plane in planes:
            meaning = "" if plane.meaning in ("other", "data") else f"  ({plane.meaning})"
            self.plane.addItem(f"{plane.name}{meaning}", plane.name)
        self.plane.setCurrentIndex(max(self.plane.findData(layer.plane), 0))
        self.form.setRowVisible(self.plane, len(planes) > 1)

    def _show_source(self, layer: ImageLayer) -> None:
        """Offer all slices where there are several; a slab has limits of its own."""
        has_slices = getattr(layer, "cube", None) is not None
        place = self.source.findData("cube")
        if has_slices != (place >= 0):
            self.source.addItem("all slices", "cube") if has_slices else self.source.removeItem(place)
        if has_slices:
            self.source.setItemText(self.source.findData("cube"), "the slab" if layer.shows_slab else "all slices")
        self.source.setCurrentIndex(max(self.source.findData(layer.limits_from), 0))

    def _show_slices(self, layer: ImageLayer) -> None:
        shape = self._slice_shape()
        # A cube viewer has a bar for them.
        self.form.setRowVisible(self.slices, bool(shape) and not hasattr(layer, "slab"))
        if shape:
            index = layer.index if len(layer.index) == len(shape) else tuple(n // 2 for n in shape)
            number = int(np.ravel_multi_index(index, shape, mode="clip"))
            for widget in (self.slice_slider, self.slice_number):
                widget.setRange(0, math.prod(shape) - 1)
                widget.setValue(number)

    def _show_parameter(self, layer: ImageLayer) -> None:
        known = PARAMETERS.get(layer.stretch)
        self.parameter.setVisible(known is not None)
        if known is not None:
            name, usual, low, high = known
            self.parameter.setRange(low, high)
            self.parameter.setPrefix(f"{name} = ")
            self.parameter.setValue(usual if layer.stretch_parameter is None else layer.stretch_parameter)

    @contextmanager
    def _quiet(self) -> Any:
        """Let no widget say that the user has set it."""
        blockers = [QSignalBlocker(child) for child in self.findChildren(QWidget)]
        try:
            yield
        finally:
            for blocker in blockers:
                blocker.unblock()

    # --- what the user does ---------------------------------------------------------------------

    def _slice_shape(self) -> tuple[int, ...]:
        return self._layer.data.plane(self._layer.plane).shape[:-2] if self._layer is not None else ()

    def _pick_hue(self) -> None:
        """Ask for a colour: the layer goes from black to it, as in a colour picture."""
        now = self._layer.colormap if self._layer is not None and self._layer.colormap.startswith("#") else "#ff8000"
        colour = QColorDialog.getColor(QColor(now), self, "Colour of the layer")
        if colour.isValid():
            self.wanted.emit({"colormap": colour.name()})

    def _slice_set(self, number: int) -> None:
        shape = self._slice_shape()
        if shape:
            self.wanted.emit({"index": tuple(int(n) for n in np.unravel_index(number, shape))})

    def _index_for_plane(self) -> tuple[int, ...]:
        shape = self._layer.data.plane(self.plane.currentData()).shape[:-2]
        index = self._layer.index
        fits = len(index) == len(shape) and all(n < size for n, size in zip(index, shape, strict=True))
        return index if fits else tuple(n // 2 for n in shape)

    def _mode_chosen(self) -> None:
        mode = self.mode.currentData()
        if mode == "manual":
            self.wanted.emit({"limits": self.histogram.limits})
        else:
            self.wanted.emit({"limits_mode": mode})

    def _limits_typed(self) -> None:
        if not (self.low.isModified() or self.high.isModified()):
            return
        # Not what the other box shows, which is rounded.
        pairs = zip((self.low, self.high), self.histogram.limits, strict=True)
        low, high = (float(edit.text()) if edit.isModified() else now for edit, now in pairs)
        self.low.setModified(False)
        self.high.setModified(False)
        if low < high:
            self.wanted.emit({"limits": (low, high)})
        else:
            digits = digits_apart(low, high)
            said = f"The lower limit {in_digits(low, digits)} must be below the upper one, {in_digits(high, digits)}."
            self.context.notify("error", said)
            self.show_limits(self.histogram.limits)

    def _percentiles_set(self) -> None:
        low, high = self.low_percentile.value(), self.high_percentile.value()
        if low < high:
            self.wanted.emit({"percentiles": (low, high), "limits_mode": "percentile"})


class _Parameter(NumberBox):
    """Writes numbers without zeros at their end."""

    def textFromValue(self, value: float) -> str:
        return f"{value:.6g}"


def _chooser(name: str) -> QComboBox:
    box = QComboBox(sizeAdjustPolicy=QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(6)
    box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    box.setAccessibleName(name)
    return box


def _number(name: str) -> QLineEdit:
    edit = QLineEdit()
    validator = QDoubleValidator(edit)
    validator.setLocale(validator.locale().c())
    edit.setValidator(validator)
    edit.setAccessibleName(name)
    edit.setMinimumWidth(60)
    return edit


def _percentile(name: str) -> NumberBox:
    spin = NumberBox(minimum=0, maximum=100, decimals=2, singleStep=0.5, suffix=" %", keyboardTracking=False)
    spin.setAccessibleName(name)
    spin.setMinimumWidth(72)
    return spin


def _slider(name: str, low: int, high: int) -> QSlider:
    slider = QSlider(Qt.Orientation.Horizontal, minimum=low, maximum=high, pageStep=(high - low) // 10)
    slider.setAccessibleName(name)
    slider.setMinimumHeight(SLIDER_HEIGHT)
    return slider


def _side_by_side(*widgets: QWidget, stretch: tuple[int, ...] = (0,)) -> QWidget:
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(6)
    for number, widget in enumerate(widgets):
        layout.addWidget(widget, 1 if number in stretch else 0)
    return row
