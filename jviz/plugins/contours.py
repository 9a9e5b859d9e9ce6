"""The panel of contours: of which image, at which levels, and how they look."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QSignalBlocker
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QCheckBox,
    QColorDialog,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from jviz.api import CommandError, ImageLayer, ImageView, NumberBox, WholeBox, contour_color, digits_apart, in_digits
from jviz.plugins.parts import Panel, color_icon, muted

__all__ = ["ContoursPanel"]

SPACINGS = {"linear": "Equal steps", "sqrt": "Square root", "log": "Logarithm", "sigma": "σ above background"}


class ContoursPanel(Panel):
    """Contours over the active view: of any image of the session, at levels that are made or written by hand.

    “Make Levels” spreads levels between two values (the display limits when empty), or over the noise; the line of
    levels can be edited, and Enter draws them. Contours of an image that the view does not show lie over it
    through the sky.
    """

    empty_text = "No image is open.\n\nOpen one to draw lines of equal value over it."

    def __init__(self, context: Any) -> None:
        super().__init__(context)
        self._view: ImageView | None = None
        self._source: Any = None
        layout = QVBoxLayout(self.body)
        layout.setContentsMargins(10, 8, 10, 8)
        layout.setSpacing(8)
        self.form = QFormLayout()
        self._add_levels()
        self._add_look()
        layout.addLayout(self.form)
        layout.addLayout(self._buttons())
        self.note = muted(QLabel(wordWrap=True))
        layout.addWidget(self.note)
        layout.addStretch()
        context.active_changed.connect(self.later)
        self.links.signal(self.session.views_changed, self.later)
        self.links.signal(self.session.data_changed, self.later)

    # --- parts ----------------------------------------------------------------------------------

    def _add_levels(self) -> None:
        self.source = QComboBox()
        self.source.setAccessibleName("Contours of")
        self.source.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.source.activated.connect(self._choose_source)
        self.spacing = QComboBox()
        self.spacing.setAccessibleName("Spacing of levels")
        for key, text in SPACINGS.items():
            self.spacing.addItem(text, key)
        self.spacing.activated.connect(lambda _: self._show_range())
        self.number = WholeBox(minimum=1, maximum=100, value=7)
        self.number.setAccessibleName("Number of levels")
        self.low, self.high = QLineEdit(placeholderText="from"), QLineEdit(placeholderText="to")
        for box, name in ((self.low, "Lowest level"), (self.high, "Highest level")):
            box.setAccessibleName(name)
            box.setToolTip(f"{name}; empty: near the display limit")
        make = QPushButton("Make Levels")
        make.clicked.connect(self.make_levels)
        self.levels = QLineEdit(placeholderText="0.5, 1, 2, 5")
        self.levels.setAccessibleName("Levels")
        self.levels.setToolTip("Levels in the unit of the image, with commas or spaces between; Enter draws them")
        self.levels.returnPressed.connect(self.draw_levels)
        form = self.form
        form.addRow("Of", self.source)
        form.addRow("Spacing", _side_by_side(self.spacing, self.number))
        self._range = _side_by_side(self.low, self.high)
        form.addRow("Range", self._range)
        form.addRow("", make)
        form.addRow("Levels", self.levels)

    def _add_look(self) -> None:
        self.smoothing = _number(0, 1000, 0.5, " pix", "Sigma of the smoothing", self._set_look)
        self.smoothing.setToolTip("Sigma of a Gaussian that the image is smoothed by first")
        self.width_box = _number(0.5, 8, 0.5, " px", "Width of the lines", self._set_look)
        self.labels = QCheckBox("Write levels")
        self.labels.clicked.connect(self._set_look)
        self.color = QPushButton("Colour")
        self.color.setAccessibleName("Colour of the lines")
        self.color.clicked.connect(self._choose_color)
        self.form.addRow("Smoothing", self.smoothing)
        self.form.addRow("Lines", _side_by_side(self.width_box, self.color))
        self.form.addRow("", self.labels)

    def _buttons(self) -> QHBoxLayout:
        self.draw, self.remove = QPushButton("Draw"), QPushButton("Remove")
        self.draw.clicked.connect(self.draw_levels)
        self.remove.clicked.connect(self.remove_contours)
        self.regions = QPushButton("Regions")
        self.regions.setToolTip("Make regions of the areas within the lowest of the contours")
        self.regions.clicked.connect(self.make_regions)
        row = QHBoxLayout()
        row.addWidget(self.regions)
        row.addStretch()
        row.addWidget(self.remove)
        row.addWidget(self.draw)
        return row

    # --- what is shown --------------------------------------------------------------------------

    def is_empty(self) -> bool:
        view = self.context.active_image()
        return view is None or not view.layers

    def layer(self) -> ImageLayer | None:
        """Return the layer of the view that has the chosen image, None when the view does not show it."""
        layers = self._view.layers if self._view is not None else ()
        return next((layer for layer in layers if layer.data is self._source), None)

    def refresh(self) -> None:
        self._view = view = self.context.active_image()
        if view is None or not view.layers:
            return
        pictures = [data for data in self.session.data if hasattr(data, "limits")]
        if self._source not in pictures:
            drawn = [layer.data for layer in view.layers if layer.contour_levels]
            self._source = drawn[0] if drawn else view.layer.data if view.layer is not None else view.layers[0].data
        with QSignalBlocker(self.source):
            self.source.clear()
            for data in pictures:
                self.source.addItem(data.name)
            self.source.setCurrentIndex(pictures.index(self._source))
        self._pictures = pictures
        self.links.states("layers", [view, *view.layers], self._state_changed)
        self._show_layer()

    def _state_changed(self, **changed: Any) -> None:
        if any(name.startswith("contour") or name in ("layers", "active") for name in changed):
            self.later()

    def _show_layer(self) -> None:
        layer, view = self.layer(), self._view
        drawn = layer is not None and bool(layer.contour_levels)
        look = layer if layer is not None else view.layer_type()
        blockers = [QSignalBlocker(w) for w in (self.smoothing, self.width_box, self.labels)]
        self.smoothing.setValue(look.contour_smoothing)
        self.width_box.setValue(look.contour_width)
        self.labels.setChecked(look.contour_labels)
        del blockers
        if not self.levels.hasFocus() or drawn:
            levels = layer.contour_levels if drawn else ()
            digits = digits_apart(levels[0], levels[-1]) if drawn else 6
            self.levels.setText(", ".join(in_digits(level, digits) for level in levels))
            self.levels.setCursorPosition(0)
        for button in (self.remove, self.regions):
            button.setEnabled(drawn)
        self._show_color(contour_color(view, look))
        unit = layer.shown_unit if layer is not None else self._source.plane("").unit
        beside = f"{view.name} does not show this image; its contours lie over it by the sky." if layer is None else ""
        self.note.setText("\n".join(filter(None, (f"Levels in {unit}" if unit else "", beside))))
        self._show_range()

    def _show_range(self) -> None:
        self.form.setRowVisible(self._range, self.spacing.currentData() != "sigma")

    def _show_color(self, color: str) -> None:
        self.color.setIcon(color_icon(color))
        self._color = color

    # --- what the user does ---------------------------------------------------------------------

    def _choose_source(self, number: int) -> None:
        self._source = self._pictures[number]
        self._show_layer()

    def make_levels(self) -> None:
        """Spread levels as the form says, and draw them."""
        try:
            low, high = _value(self.low), _value(self.high)
        except CommandError as error:
            self.context.notify("error", str(error))
            return
        self._run(spacing=self.spacing.currentData(), n=self.number.value(), low=low, high=high)

    def draw_levels(self) -> None:
        """Draw the levels that are written in the line; make some when it is empty."""
        words = self.levels.text().replace(",", " ").replace(";", " ").split()
        if not words:
            self.make_levels()
            return
        try:
            self._run(levels=[float(word) for word in words])
        except ValueError:
            text = f"“{self.levels.text()}” is no list of levels; write numbers such as 0.5, 1, 2."
            self.context.notify("error", text)

    def remove_contours(self) -> None:
        """Take the contours of the chosen image away."""
        self.context.run("image.no_contours", view=self._view, data=self._source)

    def make_regions(self) -> None:
        """Make regions of the areas within the lowest contour of the chosen image."""
        self.context.run("region.from_contours", data=self._source)

    def _run(self, **values: Any) -> None:
        layer = self.layer()
        color = layer.contour_color if layer is not None else ""
        look = {"smoothing": self.smoothing.value(), "color": color, "width": self.width_box.value(),
                "labels": self.labels.isChecked()}  # fmt: skip
        self.context.run("image.contours", data=self._source, view=self._view, **values, **look)

    def _set_look(self, *_: Any) -> None:
        """Change the look of contours that are drawn already; else it is taken when they are."""
        layer = self.layer()
        if layer is not None and layer.contour_levels:
            self._change(
                layer, contour_smoothing=self.smoothing.value(), contour_width=self.width_box.value(),
                contour_labels=self.labels.isChecked(),
            )  # fmt: skip

    def _choose_color(self) -> None:
        layer = self.layer()
        color = QColorDialog.getColor(QColor(self._color), self, "Colour of the Contours")
        if color.isValid() and layer is not None:
            self._change(layer, contour_color=color.name())

    def _change(self, layer: ImageLayer, **values: Any) -> None:
        changed = {name: value for name, value in values.items() if getattr(layer, name) != value}
        layer.update(**changed)
        self.session.flush()
        self.session.history.seal()


def _value(box: QLineEdit) -> float | None:
    text = box.text().strip()
    try:
        return float(text) if text else None
    except ValueError:
        raise CommandError(f"“{text}” is no level; write a number, or nothing for the display limit.") from None


def _number(low: float, high: float, step: float, suffix: str, name: str, on_change: Any) -> NumberBox:
    box = NumberBox(minimum=low, maximum=high, singleStep=step, suffix=suffix, decimals=2, keyboardTracking=False)
    box.setAccessibleName(name)
    box.valueChanged.connect(on_change)
    return box


def _side_by_side(*widgets: QWidget) -> QWidget:
    both = QWidget()
    row = QHBoxLayout(both)
    row.setContentsMargins(0, 0, 0, 0)
    for widget in widgets:
        row.addWidget(widget, 1)
    return both
