"""What stands below the picture of a ramp: integration, group, playing, and whether differences are shown."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QSlider, QWidget

from jviz.ramp_views import ramp_layer
from jviz.viewers.bar_buttons import bar_button, show_glyphs
from jviz.viewers.number_boxes import WholeBox

if TYPE_CHECKING:
    from jviz.viewers.ramp import RampViewer

__all__ = ["GroupBar"]


class GroupBar(QWidget):
    """Shows which group a ramp viewer is at, and lets it be chosen; holds no state of its own."""

    def __init__(self, viewer: RampViewer) -> None:
        super().__init__(viewer)
        self._viewer, self._view = viewer, viewer.state
        self._silent = False
        self.setAutoFillBackground(True)
        self.setObjectName("groupBar")
        self.setAccessibleName("Groups")
        self.back = bar_button(self, "back", "Previous group (,)", partial(viewer.step, -1))
        self.play = bar_button(self, "play", "Play (Space)", lambda: viewer.run_command("ramp.play"))
        self.forth = bar_button(self, "forth", "Next group (.)", partial(viewer.step, 1))
        self.integration = self._number("Integration", self._integration_set)
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setAccessibleName("Group")
        self.slider.setPageStep(1)
        self.slider.valueChanged.connect(self._group_set)
        self.slider.sliderReleased.connect(viewer.seal)
        self.group = self._number("Group number, from 0", self._group_set)
        self.total, self.of_integration = QLabel(self), QLabel("Integration", self)
        self.shown = QComboBox(self)
        self.shown.addItem("Collected so far", False)
        self.shown.addItem("Since the group before", True)
        self.shown.setAccessibleName("What of the ramp is shown")
        self.shown.activated.connect(self._shown_chosen)
        self._lay_out()

    def _number(self, name: str, act: Callable[[int], None]) -> WholeBox:
        box = WholeBox(self)
        box.setAccessibleName(name)
        box.setToolTip(name)
        box.setKeyboardTracking(False)
        box.valueChanged.connect(act)
        return box

    def _lay_out(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(6, 4, 6, 5)
        row.setSpacing(4)
        for widget in (self.back, self.play, self.forth, self.of_integration, self.integration):
            row.addWidget(widget)
        row.addWidget(self.slider, 1)
        for widget in (self.group, self.total, self.shown):
            row.addWidget(widget)

    def refresh(self) -> None:
        """Show the state of the view."""
        layer = ramp_layer(self._view)
        shape = layer.data.shape[:-2]
        self._silent = True
        try:
            for box, size, now in ((self.integration, shape[0], self._view.integration),
                                   (self.group, shape[-1], self._view.group)):  # fmt: skip
                box.setRange(0, size - 1)
                box.setValue(now)
                box.setFixedWidth(self.fontMetrics().horizontalAdvance("0") * (len(str(size)) + 1) + 34)
            self.slider.setRange(0, shape[-1] - 1)
            self.slider.setValue(self._view.group)
            self.total.setText(f"/ {shape[-1] - 1}")
            for widget in (self.integration, self.of_integration):
                widget.setVisible(len(shape) > 1 and shape[0] > 1)
            self.shown.setVisible(layer.data.has_groups)
            self.shown.setCurrentIndex(int(self._view.difference))
            show_glyphs((self.back, self.play, self.forth), playing=bool(self._view.playing))
        finally:
            self._silent = False

    # --- what the user does -----------------------------------------------------------------------

    def _group_set(self, number: int) -> None:
        if not self._silent:
            self._view.group = number

    def _integration_set(self, number: int) -> None:
        if not self._silent:
            self._view.integration = number

    def _shown_chosen(self, _: int) -> None:
        view, wanted = self._view, bool(self.shown.currentData())
        if wanted != view.difference:
            self._viewer.session.run("ramp.group", group=max(view.group, int(wanted)), difference=wanted, view=view)
