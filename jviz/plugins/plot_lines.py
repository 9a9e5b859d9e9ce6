"""The panel of lines over plots of catalogues: functions, and isochrones moved by distance and dust."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QSignalBlocker, QSize, Qt
from PySide6.QtGui import QColor, QIcon
from PySide6.QtWidgets import (
    QColorDialog,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from jviz.api import JvizError, Line, NumberBox, line_colors, line_expressions, lines_of, set_line
from jviz.plugins.parts import Panel, color_icon, fill_quietly, is_dark, muted, row_of, tool_button

__all__ = ["PlotLinesPanel"]

NUMBERS = {
    "distance_modulus": ("m − M", -20.0, 60.0, 0.05, " mag", "Distance modulus, added to the magnitudes of the track"),
    "reddening": ("E(B − V)", -10.0, 100.0, 0.01, " mag", "Reddening: each filter is dimmed by its R times this"),
    "width": ("Width", 0.5, 12.0, 0.5, " px", "Width of the line, in screen pixels"),
}
TEXTS = {
    "x": ("x", "Expression over the columns of the track along x"),
    "y": ("y", "Expression over the columns of the track along y"),
    "condition": ("Rows", "Only rows for which this holds: (logAge == 10) & (label < 9)"),
}


class PlotLinesPanel(Panel):
    """Lines over the active scatter plot or histogram: functions, isochrones and tracks of stars.

    A box hides a line; the fields below are those of the chosen one. Tracks are tables that are open: files of PARSEC,
    MIST or BaSTI, or any other.
    """

    empty_text = (
        "No scatter plot or histogram is open.\n\nOpen one of a catalogue to draw functions or isochrones over it."
    )
    pause_ms = 40

    def __init__(self, context: Any) -> None:
        super().__init__(context)
        self._view: Any = None
        self._chosen = 0
        self._make_widgets()
        layout = QVBoxLayout(self.body)
        layout.setContentsMargins(10, 8, 10, 8)
        layout.setSpacing(8)
        layout.addLayout(self._adders())
        layout.addWidget(self.list, 1)
        layout.addLayout(self._list_buttons())
        layout.addWidget(self._fields())
        layout.addWidget(self.note)
        context.active_changed.connect(self.later)
        for signal in (self.session.views_changed, self.session.data_changed):
            self.links.signal(signal, self.later)

    # --- parts ----------------------------------------------------------------------------------

    def _make_widgets(self) -> None:
        self.function = QLineEdit(placeholderText="24 - 2 * x     or     x = 1.2")
        self.function.setAccessibleName("Function of x or y")
        self.function.setToolTip("A function in the units of the axes; Enter draws it")
        self.function.returnPressed.connect(self.add_function)
        self.source = QComboBox()
        self.source.setAccessibleName("Table of the track")
        self.source.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.list = QListWidget()
        self.list.setAccessibleName("Lines over the plot")
        self.list.setIconSize(QSize(14, 14))
        self.list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.list.itemChanged.connect(self._checked)
        self.list.currentRowChanged.connect(self._choose)
        self.note = muted(QLabel(wordWrap=True))

    def _adders(self) -> QFormLayout:
        form = QFormLayout()
        self._add_adder(form, "Function", self.function, self.add_function)
        self.add_track_button = self._add_adder(form, "Track", self.source, self.add_track)
        return form

    @staticmethod
    def _add_adder(form: QFormLayout, label: str, box: QWidget, add: Callable[[], None]) -> QPushButton:
        button = QPushButton("Draw")
        button.setAccessibleName(f"Draw the {label.lower()}")
        button.clicked.connect(add)
        form.addRow(label, row_of(box, button))
        return button

    def _list_buttons(self) -> QHBoxLayout:
        self.color = QPushButton("Colour")
        self.color.clicked.connect(self._choose_color)
        self.remove = tool_button(self.context, "fa6s.trash-can", "Remove the chosen line", self.remove_line)
        row = QHBoxLayout()
        row.addWidget(self.color)
        row.addStretch()
        row.addWidget(self.remove)
        return row

    def _fields(self) -> QWidget:
        self.fields = QWidget()
        self.form = QFormLayout(self.fields)
        self.form.setContentsMargins(0, 0, 0, 0)
        self.texts: dict[str, QLineEdit] = {}
        self.numbers: dict[str, NumberBox] = {}
        for name, (label, tip) in TEXTS.items():
            box = self.texts[name] = QLineEdit(toolTip=tip)
            box.setAccessibleName(tip.partition(":")[0])
            box.editingFinished.connect(lambda name=name: self._set_text(name))
            self.form.addRow(label, box)
        for name, (label, low, high, step, suffix, tip) in NUMBERS.items():
            number = self.numbers[name] = NumberBox(minimum=low, maximum=high, singleStep=step, suffix=suffix,
                                                    decimals=1 if name == "width" else 3, keyboardTracking=False,
                                                    toolTip=tip)  # fmt: skip
            number.setAccessibleName(tip.partition(",")[0].partition(":")[0])
            number.valueChanged.connect(lambda value, name=name: self._set(**{name: value}))
            self.form.addRow(label, number)
        return self.fields

    # --- what is shown --------------------------------------------------------------------------

    def plot(self) -> Any:
        """Return the plot whose lines are shown: the active one, else the last one that was."""
        active = self.context.active_view()
        views = list(self.session.views.values())
        plots = [view for view in views if hasattr(view, "functions") and view.layers]
        if active in plots:
            return active
        return self._view if self._view in plots else plots[-1] if plots else None

    def is_empty(self) -> bool:
        return self.plot() is None

    def refresh(self) -> None:
        self._view = view = self.plot()
        if view is None:
            return
        self.links.states("plot", [view, *view.layers], self.later)
        tables = [data for data in self.session.data if data.kind == "catalog"]
        if [self.source.itemData(n) for n in range(self.source.count())] != [data.name for data in tables]:
            self._offer(tables)
        self.add_track_button.setEnabled(bool(tables))
        lines = lines_of(view)
        self._chosen = max(0, min(self._chosen, len(lines) - 1))
        self._fill(lines)
        self._show_line(lines[self._chosen] if lines else None)

    def _offer(self, tables: list[Any]) -> None:
        """Offer the tables that are open, one that the plot does not show first."""
        now = self.source.currentData()
        shown = {layer.data.name for layer in self._view.layers}
        self.source.clear()
        for data in tables:
            self.source.addItem(data.name, data.name)
        wanted = now if now in [data.name for data in tables] and now not in shown else None
        free = [data.name for data in tables if data.name not in shown]
        self.source.setCurrentIndex(max(0, self.source.findData(wanted or (free[-1] if free else now))))

    def _fill(self, lines: list[Line]) -> None:
        colors = line_colors(self._view, dark=is_dark(self))
        with QSignalBlocker(self.list):
            self.list.clear()
            for line, color in zip(lines, colors, strict=True):
                item = QListWidgetItem(color_icon(color), line.title, self.list)
                item.setToolTip(line.title)
                item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
                item.setCheckState(Qt.CheckState.Checked if line.visible else Qt.CheckState.Unchecked)
            self.list.setCurrentRow(self._chosen if lines else -1)
        self.color.setIcon(color_icon(colors[self._chosen]) if lines else QIcon())
        for widget in (self.color, self.remove):
            widget.setEnabled(bool(lines))

    def _show_line(self, line: Line | None) -> None:
        layer = line.layer if line is not None else None
        self.fields.setVisible(line is not None)
        for name, box in self.texts.items():
            self.form.setRowVisible(box, layer is not None or name == "y")
        for box in self.numbers.values():
            self.form.setRowVisible(box, layer is not None)
        if line is None:
            self.note.setText(f"No line lies over {self._view.name} yet.")
            return
        values = self._written(layer) if layer is not None else {"y": line.expression}
        self.form.labelForField(self.texts["y"]).setText("y" if layer is not None else "Function")
        for name, text in values.items():
            if not self.texts[name].hasFocus():
                self.texts[name].setText(text)
                self.texts[name].setCursorPosition(0)
        for name, box in self.numbers.items() if layer is not None else ():
            fill_quietly(box, getattr(layer, name))
        self.note.setText(_dimmed(layer) if layer is not None else f"Over {self._view.name}")

    # --- what the user does ---------------------------------------------------------------------

    def line(self) -> Line | None:
        """Return the chosen line."""
        lines = lines_of(self._view) if self._view is not None else []
        return lines[self._chosen] if self._chosen < len(lines) else None

    def add_function(self) -> None:
        """Draw the function that is written."""
        text = self.function.text().strip()
        if text and self._run("catalog.add_function", expression=text, view=self._view):
            self.function.clear()
            self._chosen = len(lines_of(self._view)) - 1

    def add_track(self) -> None:
        """Draw the rows of the chosen table as a line."""
        if self._run("catalog.add_track", data=self.source.currentData(), view=self._view):
            self._chosen = sum(line.layer is not None for line in lines_of(self._view)) - 1
            self.later()

    def remove_line(self) -> None:
        """Take the chosen line away."""
        if self.line() is not None:
            self._run("catalog.remove_line", number=self._chosen, view=self._view)

    def _run(self, id: str, **values: Any) -> bool:
        try:
            self.session.run(id, **values)
        except JvizError as error:
            self.context.notify("error", str(error))
            return False
        return True

    def _checked(self, item: QListWidgetItem) -> None:
        self._chosen = self.list.row(item)
        self._set(visible=item.checkState() == Qt.CheckState.Checked)

    def _choose(self, row: int) -> None:
        self._chosen = max(row, 0)
        self.later()

    def _choose_color(self) -> None:
        line = self.line()
        if line is None:
            return
        now = line_colors(self._view, dark=is_dark(self))[self._chosen]
        color = QColorDialog.getColor(QColor(now), self, "Colour of the Line")
        if color.isValid():
            self._set(color=color.name())

    def _set_text(self, name: str) -> None:
        line, text = self.line(), self.texts[name].text().strip()
        if line is None:
            return
        if line.layer is None:
            self._set(expression=text) if text else self.later()
        elif text != self._written(line.layer)[name]:
            self._set(**{name: text})

    def _written(self, layer: Any) -> dict[str, str]:
        """Return what a track is drawn along, and which of its rows."""
        x, y = line_expressions(self._view, layer)
        return {"x": x, "y": y, "condition": layer.condition}

    def _set(self, **values: Any) -> None:
        """Change the chosen line, as one step."""
        line = self.line()
        if line is None or all(getattr(line.layer or line, name, None) == value for name, value in values.items()):
            return
        try:
            self.session.flush()
            self.session.history.seal()
            set_line(self._view, line, **values)
            self.session.flush()
            self.session.history.seal()
        except JvizError as error:
            self.context.notify("error", str(error))
            self.later()


def _dimmed(layer: Any) -> str:
    """Say by how much a track's filters are dimmed."""
    known = dict(layer.extinction)
    used = [name for name in known if name in f"{layer.x} {layer.y}"]
    if not used:
        return "The extinction of its filters is not known: reddening does not move it."
    return "A / E(B − V): " + ", ".join(f"{name} {known[name]:.3g}" for name in used)
