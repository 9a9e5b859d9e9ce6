"""The form of one step of a pipeline, made from what the step says of its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QToolButton,
    QWidget,
)

from jviz.api import JvizError, Param, ReferenceRow, StepRow
from jviz.plugins.calibration_references import GivenReferences, ReferenceField
from jviz.plugins.parts import muted, tool_button

__all__ = ["StepForm"]

USUAL = "as by default"
FORM = QSize(300, 240)
BUTTON = 24
"""Width in pixels of the button that takes a change back."""

INVALID = "QLineEdit { border: 1px solid #d9534f; }"


class StepForm(QScrollArea):
    """Parameters and reference files of one step.

    Changed parameters are bold and have a button that takes the change back.

    Attributes
    ----------
    changed : Signal
        A value was changed; `values` has it.
    """

    changed = Signal()

    def __init__(
        self,
        context: Any,
        row: StepRow,
        values: dict[str, Any],
        given: GivenReferences,
        best: Mapping[str, ReferenceRow],
    ) -> None:
        super().__init__(widgetResizable=True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.context, self.row, self.values, self.given = context, row, values, given
        self.fields: dict[str, QWidget] = {}
        self.references: dict[str, ReferenceField] = {}
        self._labels: dict[str, QLabel] = {}
        self._lines: dict[str, int] = {}
        self._resets: dict[str, QToolButton] = {}
        inside = QWidget()
        self._grid = QGridLayout(inside)
        self._grid.setContentsMargins(10, 8, 10, 8)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(1, 1)
        self._grid.setColumnMinimumWidth(2, BUTTON)  # fields must not jump when one is changed
        self._heading()
        for param in row.info.params:
            if param.name != "skip":
                self._add(param)
        self._add_references()
        self.show_best(best)
        self._grid.setRowStretch(self._grid.rowCount(), 1)
        self.setWidget(inside)

    def sizeHint(self) -> QSize:
        """Ask for the same room whatever is in it: it is scrolled, and all forms that were made are asked each time."""
        return FORM

    def _heading(self) -> None:
        title = QLabel(f"<b>{self.row.info.name}</b>")
        about = muted(QLabel(self.row.info.title, wordWrap=True, textFormat=Qt.TextFormat.PlainText))
        self.problem = QLabel(wordWrap=True, visible=False, textFormat=Qt.TextFormat.PlainText)
        self.problem.setStyleSheet("color: #d9534f")
        for number, widget in enumerate((title, about, self.problem)):
            self._grid.addWidget(widget, number, 0, 1, 3)

    # --- parameters -----------------------------------------------------------------------------

    def _add(self, param: Param) -> None:
        line = self._grid.rowCount()
        label = QLabel(param.name)
        label.setToolTip(_hint(param))
        field = self._field(param)
        field.setToolTip(_hint(param))
        field.setAccessibleName(param.name)
        label.setBuddy(field)
        self.fields[param.name], self._labels[param.name], self._lines[param.name] = field, label, line
        self._grid.addWidget(label, line, 0)
        self._grid.addWidget(field, line, 1)
        if param.name in self.values:
            self._mark(param.name)

    def _field(self, param: Param) -> QWidget:
        value = self.values.get(param.name, param.default)
        if param.type == "boolean" and isinstance(param.default, bool):
            box = QCheckBox(checked=bool(value))
            box.toggled.connect(partial(self._set, param))
            return box
        if param.type in ("option", "boolean"):
            return self._choice(param, value)
        line = QLineEdit(placeholderText=_shown(param.default))
        if param.name in self.values:
            line.setText(_shown(self.values[param.name]))
            line.setClearButtonEnabled(True)
        line.textChanged.connect(partial(self._written, param))
        return line

    def _choice(self, param: Param, value: Any) -> QComboBox:
        box = QComboBox()
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        box.setMinimumContentsLength(8)
        choices = param.options if param.type == "option" else ("True", "False")
        if param.default is None:
            box.addItem(USUAL, None)
        for choice in choices:
            if choice != "None":
                box.addItem(choice, choice if param.type == "option" else choice == "True")
        box.setCurrentIndex(max(0, box.findData(value)))
        box.activated.connect(lambda _: self._set(param, box.currentData()))
        return box

    def _written(self, param: Param, text: str) -> None:
        self.fields[param.name].setClearButtonEnabled(bool(text))
        self._set(param, text.strip() or param.default)

    def _set(self, param: Param, value: Any) -> None:
        field = self.fields[param.name]
        try:
            value = param.checked(value, self.row.info.name)
            problem = ""
        except JvizError as error:
            problem = str(error)
        if isinstance(field, QLineEdit):
            field.setStyleSheet(INVALID if problem else "")
        self.say(problem)
        if value == param.default:
            self.values.pop(param.name, None)
        else:
            self.values[param.name] = value  # also a wrong one: running says what is wrong with it
        self._mark(param.name)
        self.changed.emit()

    def say(self, problem: str) -> None:
        """Say what is wrong above the parameters; "" when nothing is."""
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))

    def reset(self, name: str) -> None:
        """Take the change of a parameter back."""
        param, field = self.row.info.param(name), self.fields[name]
        with QSignalBlocker(field):
            if isinstance(field, QCheckBox):
                field.setChecked(bool(param.default))
            elif isinstance(field, QComboBox):
                field.setCurrentIndex(max(0, field.findData(param.default)))
            else:
                field.clear()
        self._set(param, param.default)

    def _mark(self, name: str) -> None:
        changed = name in self.values
        label = self._labels[name]
        font = label.font()
        font.setBold(changed)
        label.setFont(font)
        if changed and name not in self._resets:
            self._resets[name] = self._reset_button(name)
        if name in self._resets:
            self._resets[name].setVisible(changed)

    def _reset_button(self, name: str) -> QToolButton:
        """Make what takes a change back, beside the field; most parameters never need one."""
        about = f"{name}: back to {_shown(self.row.info.param(name).default)}"
        button = tool_button(self.context, "fa6s.rotate-left", about, partial(self.reset, name))
        self._grid.addWidget(button, self._lines[name], 2)
        self.setTabOrder(self.fields[name], button)
        return button

    def stops(self) -> list[QWidget]:
        """Return the fields and buttons in which the Tab key stops, from top to bottom."""
        items = (self._grid.itemAtPosition(row, column) for row in range(self._grid.rowCount()) for column in (1, 2))
        found = [item.widget() for item in items if item is not None and item.widget() is not None]
        return [widget for widget in found if widget.focusPolicy() & Qt.FocusPolicy.TabFocus]

    def find(self, text: str) -> bool:
        """Show only the parameters with a text in their name or help; says whether there are any."""
        words = text.lower().split()
        found = False
        for name, field in self.fields.items():
            param = self.row.info.param(name)
            shown = all(word in f"{name} {param.help}".lower() for word in words)
            found |= shown
            for widget in (field, self._labels[name]):
                widget.setVisible(shown)
            if name in self._resets:
                self._resets[name].setVisible(shown and name in self.values)
        return found

    # --- references -----------------------------------------------------------------------------

    def _add_references(self) -> None:
        if not self.row.info.references:
            return
        heading = QLabel("Reference files")
        heading.setContentsMargins(0, 8, 0, 0)
        self._grid.addWidget(heading, self._grid.rowCount(), 0, 1, 3)
        for kind in self.row.info.references:
            field = ReferenceField(kind, self.given.files.get(kind, ""), self.row.used.get(kind, ""))
            field.offered.connect(partial(self.given.give, kind))
            self.references[kind] = field
            line = self._grid.rowCount()
            label = QLabel(kind)
            label.setBuddy(field)
            browse = tool_button(self.context, "fa6s.folder-open", f"Choose a file for {kind}", field.browse)
            for column, widget in enumerate((label, field, browse)):
                self._grid.addWidget(widget, line, column)
            self._labels[f"ref {kind}"] = label
            self._resets[f"ref {kind}"] = browse

    def show_best(self, best: Mapping[str, ReferenceRow]) -> None:
        """Say which file each type would get; types that do not apply are shown only when one gave a file."""
        for kind, field in self.references.items():
            row = best.get(kind)
            field.show_best(row)
            shown = row is None or row.state != "not applicable" or bool(field.text())
            for widget in (field, self._labels[f"ref {kind}"], self._resets[f"ref {kind}"]):
                widget.setVisible(shown)


def _shown(value: Any) -> str:
    """Write a value as a person would."""
    if value is None:
        return "None"
    if isinstance(value, list):
        return ", ".join(map(_shown, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _hint(param: Param) -> str:
    limits = f" {param.range_text}" if param.range_text else ""
    return f"{param.help or param.name}\n{param.type}{limits}; by default {_shown(param.default)}"
