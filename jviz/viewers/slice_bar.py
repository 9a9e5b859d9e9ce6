"""What stands below the picture of a cube: the ruler of slices, playing, the value, and what of the slices is shown."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from jviz.cube_planes import known_statistics
from jviz.cube_views import CURVES, LOOPS, MATCHES, CubeLayer, CubeView
from jviz.errors import JvizError
from jviz.spectral_display import channel_within, parsed, pretty, quantity_name, scale_of, units_for
from jviz.viewers.bar_buttons import bar_button, show_glyphs
from jviz.viewers.number_boxes import WholeBox
from jviz.viewers.slice_track import SliceTrack

if TYPE_CHECKING:
    from jviz.viewers.cube import CubeViewer

__all__ = ["SliceBar"]

SIDES = (((), "x – y"), ((1, 2, 0), "λ – x"), ((2, 1, 0), "λ – y"))
SHOWN = (
    ("", "Slice"), ("sum", "Sum"), ("mean", "Mean"), ("median", "Median"), ("min", "Minimum"), ("max", "Maximum"),
    ("moment0", "Moment 0"), ("moment1", "Moment 1"), ("moment2", "Moment 2"),
)  # fmt: skip
LOOP_NAMES = {"loop": "From the beginning", "bounce": "Back and forth", "once": "Once"}
CURVE_NAMES = {"none": "No curve", "mean": "Mean of each slice", "std": "Standard deviation of each slice",
               "max": "Greatest value of each slice"}  # fmt: skip
CURVE_FIELDS = {"mean": "mean", "std": "std", "max": "greatest"}
MATCH_NAMES = {"wavelength": "By wavelength", "velocity": "By velocity", "channel": "By channel"}
RATES = (2, 5, 10, 20, 30, 60)
NARROW, NARROWER = 660, 430
"""Widths below which the less used controls are left out."""


class SliceBar(QWidget):
    """Shows which slice a cube viewer is at, and lets it be chosen; holds no state of its own."""

    def __init__(self, viewer: CubeViewer) -> None:
        super().__init__(viewer)
        self._viewer, self._view = viewer, viewer.state
        self._silent = False
        self.setAutoFillBackground(True)
        self.setObjectName("sliceBar")
        self.setAccessibleName("Slices")
        self.track = SliceTrack(self)
        self.track.moved.connect(self._go_to)
        self.track.ranged.connect(self._slab_to)
        self.track.released.connect(viewer.seal)
        self._make_buttons()
        self._make_fields()
        self._lay_out()

    # --- parts ------------------------------------------------------------------------------------

    def _make_buttons(self) -> None:
        self.back = bar_button(self, "back", "Previous slice (,)", partial(self._step, -1))
        self.play = bar_button(self, "play", "Play (Space)", self._play)
        self.forth = bar_button(self, "forth", "Next slice (.)", partial(self._step, 1))
        self.more = bar_button(self, "more", "How to play, and which slices go together", self._no_action)
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.menu = QMenu(self.more)
        self.menu.aboutToShow.connect(self._fill_menu)
        self.more.setMenu(self.menu)

    def _no_action(self) -> None:
        """The menu opens by itself."""

    def _make_fields(self) -> None:
        self.value = QLineEdit(self)
        self.value.setAccessibleName("Spectral value")
        self.value.setToolTip("Type a value to go to its slice")
        self.value.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.value.editingFinished.connect(self._value_typed)
        self.unit = self._chooser("Unit of the spectral values", self._unit_chosen)
        self.channel = WholeBox(self)
        self.channel.setAccessibleName("Slice number")
        self.channel.setToolTip("Number of the slice, from 0")
        self.channel.setKeyboardTracking(False)
        self.channel.valueChanged.connect(self._channel_set)
        self.total = QLabel(self)
        self.averaged = WholeBox(self)
        self.averaged.setAccessibleName("Slices averaged")
        self.averaged.setToolTip("How many slices are averaged")
        self.averaged.setPrefix("× ")
        self.averaged.setKeyboardTracking(False)
        self.averaged.valueChanged.connect(self._width_set)
        self.shown = self._chooser("What is shown: one slice, or a statistic of a slab", self._statistic_chosen)
        for name, title in SHOWN:
            self.shown.addItem(title, name)
        self.side = self._chooser("Side of the cube", self._side_chosen)
        for order, title in SIDES:
            self.side.addItem(title, order)

    def _chooser(self, name: str, act: Callable[[Any], None]) -> QComboBox:
        box = QComboBox(self)
        box.setAccessibleName(name)
        box.setToolTip(name)
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        box.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Fixed)
        box.activated.connect(lambda _: act(box.currentData()))
        return box

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(3)
        for widget in (self.back, self.play, self.forth):
            row.addWidget(widget)
        row.addSpacing(6)
        for widget in (self.value, self.unit, self.channel, self.total):
            row.addWidget(widget)
        row.addStretch(1)
        for widget in (self.averaged, self.shown, self.side, self.more):
            row.addWidget(widget)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 3, 6, 5)
        column.setSpacing(2)
        column.addWidget(self.track)
        column.addLayout(row)

    # --- what is shown ----------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show the state of the view."""
        layer = self._view.leading
        if layer is None:
            return
        self._silent = True
        try:
            self._show(layer)
        finally:
            self._silent = False

    def _show(self, layer: CubeLayer) -> None:
        count, current = layer.count, int(layer.slice)
        scale = scale_of(layer.data.axis, self._view.spectral_unit) if layer.data.axis_ready else None
        along = scale if scale is not None and not layer.order else None
        slab = None
        if layer.shows_slab and layer.data.axis_ready:
            slab = tuple(channel_within(layer.data.axis, end) for end in layer.slab_now[:2])
        self.track.show_state(count, current, layer.width, along, slab)
        self.track.show_curve(self._curve(layer), wanted=self._view.slice_curve != "none" and not layer.order)
        self.channel.setRange(0, max(count - 1, 0))
        self.channel.setValue(current)
        self.total.setText(f"/ {count - 1}")
        self.averaged.setRange(1, max(count, 1))
        self.averaged.setValue(layer.width)
        self.averaged.setEnabled(not layer.shows_slab)
        self.value.setEnabled(along is not None)
        if not self.value.hasFocus() or not self.value.isModified():
            self.value.setText(along.text(current, unit=False) if along is not None else "–")
        self._show_units(layer)
        self.shown.setCurrentIndex(self.shown.findData(layer.slab[2] if layer.shows_slab else ""))
        self.shown.setEnabled(not layer.order)
        self.side.setCurrentIndex(max(0, next((n for n, (o, _) in enumerate(SIDES) if o == layer.order), 0)))
        show_glyphs((self.back, self.play, self.forth, self.more), playing=bool(self._view.playing))

    def _curve(self, layer: CubeLayer) -> Any:
        """Return the statistic of every plane that is drawn above the ruler, None while it is not known."""
        name = CURVE_FIELDS.get(self._view.slice_curve)
        found = known_statistics(layer.data) if name and not layer.order else None
        return None if found is None else getattr(found, name)

    def _show_units(self, layer: CubeLayer) -> None:
        axis = layer.data.axis if layer.data.axis_ready else None
        units = units_for(axis) if axis is not None else ("",)
        own = scale_of(axis).unit if axis is not None else ""
        nameless = "channel" if axis is None or axis.quantity == "channel" else "no unit"
        titles = [_with_frame(layer.data, unit or own) or nameless for unit in units]
        if [self.unit.itemText(n) for n in range(self.unit.count())] != titles:
            self.unit.clear()
            for unit, title in zip(units, titles, strict=True):
                self.unit.addItem(title, unit)
        self.unit.setCurrentIndex(max(self.unit.findData(self._view.spectral_unit), 0))
        self.unit.setEnabled(not layer.order and self.unit.count() > 1)
        metrics = self.fontMetrics()
        self.value.setMinimumWidth(metrics.horizontalAdvance("0") * max(8, len(self.value.text()) + 3))
        self.value.setMaximumWidth(metrics.horizontalAdvance("0") * max(12, len(self.value.text()) + 3))
        self.channel.setFixedWidth(metrics.horizontalAdvance("0") * (len(str(layer.count)) + 1) + 34)
        self.averaged.setFixedWidth(metrics.horizontalAdvance("0") * 4 + 40)

    def resizeEvent(self, event: Any) -> None:
        """Leave out what finds no room."""
        wide = event.size().width()
        for widget in (self.averaged, self.side, self.total):
            widget.setVisible(wide >= NARROW)
        for widget in (self.shown, self.channel):
            widget.setVisible(wide >= NARROWER)

    # --- what the user does -----------------------------------------------------------------------

    def _change(self, act: Callable[[CubeLayer], Any]) -> None:
        layer = self._view.leading
        if self._silent or layer is None:
            return
        try:
            act(layer)
        except JvizError as error:
            self._viewer.session.notice("error", str(error))

    def _go_to(self, channel: int) -> None:
        def act(layer: CubeLayer) -> None:
            if layer.slab is not None:
                layer.update(slab=None, slab_subset="")
            layer.slice = channel

        self._change(act)

    def _slab_to(self, first: float, second: float) -> None:
        def act(layer: CubeLayer) -> None:
            if layer.order:
                return
            edges = layer.data.axis.edges
            low, high = sorted((first, second))
            ends = [float(edges[min(max(int(end), 0), len(edges) - 1)]) for end in (low + 0.5, high + 1.5)]
            statistic = layer.slab[2] if layer.slab is not None else "mean"
            layer.update(slab=(*ends, statistic), slab_subset="")

        self._change(act)

    def _step(self, by: int) -> None:
        self._viewer.step(by)

    def _play(self) -> None:
        self._viewer.run_command("cube.play")

    def _value_typed(self) -> None:
        if self.value.isModified():
            self.value.setModified(False)
            text, unit = self.value.text(), self._view.spectral_unit
            self._change(lambda layer: setattr(layer, "slice", round(parsed(text, scale_of(layer.data.axis, unit)))))
            self._viewer.seal()
            self.refresh()

    def _channel_set(self, number: int) -> None:
        self._change(lambda layer: setattr(layer, "slice", number))

    def _width_set(self, width: int) -> None:
        self._change(lambda layer: setattr(layer, "width", width))

    def _unit_chosen(self, unit: str) -> None:
        self._view.spectral_unit = unit

    def _statistic_chosen(self, statistic: str) -> None:
        run = self._viewer.session.run
        if statistic:
            self._change(lambda layer: run("cube.slab_statistic", statistic=statistic, view=self._view))
        else:
            self._change(lambda layer: run("cube.show_slab", view=self._view))

    def _side_chosen(self, order: tuple[int, ...]) -> None:
        from jviz.actions.cube_view import ORDERS

        side = next(name for name, known in ORDERS.items() if known == tuple(order))
        self._change(lambda layer: self._viewer.session.run("cube.axes", side=side, view=self._view))

    # --- the menu ---------------------------------------------------------------------------------

    def _fill_menu(self) -> None:
        self.menu.clear()
        view = self._view
        self._section("When the last slice is reached", [(LOOP_NAMES[n], n) for n in LOOPS], view.loop, "loop")
        rates = self.menu.addMenu("Slices a second")
        self._choices(rates, [(str(rate), float(rate)) for rate in RATES], view.rate, "rate")
        self.menu.addSeparator()
        locked = self.menu.addAction("Keep slices of all cube views together")
        locked.setCheckable(True)
        locked.setChecked("slice" in view.locks)
        locked.toggled.connect(self._lock)
        self._section("", [(MATCH_NAMES[n], n) for n in MATCHES], view.match, "match")
        curves = self.menu.addMenu("Curve Above the Ruler")
        self._choices(curves, [(CURVE_NAMES[n], n) for n in CURVES], view.slice_curve, "slice_curve")
        self.menu.addSeparator()
        for id in ("cube.plane_statistics", "cube.spectral_axis", "cube.channel_maps", "cube.rgb", "cube.movie"):
            command = self._viewer.session.commands.get(id)
            if command is not None:
                self.menu.addAction(command.title, partial(self._viewer.run_command, id))

    def _section(self, title: str, choices: list[tuple[str, Any]], now: Any, name: str) -> None:
        if title:
            self.menu.addSection(title)
        self._choices(self.menu, choices, now, name)

    def _choices(self, menu: QMenu, choices: list[tuple[str, Any]], now: Any, name: str) -> None:
        group = QActionGroup(menu)
        for title, value in choices:
            action = QAction(title, menu, checkable=True, checked=value == now)
            action.triggered.connect(partial(self._set, name, value))
            group.addAction(action)
            menu.addAction(action)

    def _set(self, name: str, value: Any, *_: Any) -> None:
        setattr(self._view, name, value)

    def _lock(self, on: bool) -> None:
        view: CubeView = self._view
        view.locks = (*view.locks, "slice") if on else tuple(lock for lock in view.locks if lock != "slice")
        for other in self._viewer.session.views.values():
            if on and isinstance(other, CubeView) and other is not view:
                other.locks = tuple(dict.fromkeys((*other.locks, "slice")))


def _with_frame(cube: Any, unit: str) -> str:
    """Write a unit, of velocities with the frame that they are counted in (SPECSYS): km/s, LSRK."""
    frame = str(cube.header.get("SPECSYS", "")).strip()
    of_velocity = bool(unit and frame) and cube.axis_ready and quantity_name(cube.axis, unit) == "Velocity"
    return f"{pretty(unit)}, {frame}" if of_velocity else pretty(unit)
