"""Forms made from the signature of a command, with the line of Python that it will run."""

from __future__ import annotations

import inspect
from typing import Any, get_args

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from jviz.commands import Command
from jviz.data import Data
from jviz.errors import CommandError, JvizError
from jviz.jobs import Job
from jviz.plugins.parts import ProgressBar
from jviz.script import command_line
from jviz.window.docstrings import parameter_docs
from jviz.window.fields import SECRET, ChoiceField, Field, field_for, shown_name

__all__ = ["Form", "open_form"]

HIDDEN = ("show", "mode", "options", "values", "table")
"""Parameters for scripts only."""


def open_form(window: Any, command: Command, arguments: dict[str, Any] | None = None) -> Form:
    """Open the form of a command, filled with these arguments and the defaults."""
    form = Form(window, command, arguments or {})
    form.show()
    return form


class Form(QDialog):
    """Asks for the arguments of a command, runs it, and stays open when it fails.

    Parameters
    ----------
    window : MainWindow
    command : Command
    arguments : dict
        Values to begin with.
    """

    def __init__(self, window: Any, command: Command, arguments: dict[str, Any]) -> None:
        super().__init__(window)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(command.title.rstrip("…"))
        self.setMinimumWidth(500)
        self._window, self._command, self._session = window, command, window.session
        self._job: Job | None = None
        self._code = ""
        self.fields = _fields(command, self._session)
        self._fill(arguments)
        self.error = QLabel()
        self.error.setObjectName("error")
        self.error.setWordWrap(True)
        self.error.setTextFormat(Qt.TextFormat.PlainText)
        self.error.hide()
        self.line = QLineEdit(readOnly=True)
        self.bar = ProgressBar("Progress")
        self.bar.hide()
        self.buttons = self._buttons()
        self._lay_out()
        for field in self.fields.values():
            field.changed.connect(self._changed)
        self._changed()
        self._session.jobs.changed.connect(self._job_changed)

    # --- parts ----------------------------------------------------------------------------------

    def _fill(self, arguments: dict[str, Any]) -> None:
        for name, field in self.fields.items():
            parameter = self._command.parameters[name]
            if name in arguments:
                field.set_value(arguments[name])
            elif parameter.default is not parameter.empty:
                field.set_value(parameter.default)
        self._tell_apart(arguments)

    def _tell_apart(self, arguments: dict[str, Any]) -> None:
        """Offer different data where a command needs two: to match a catalogue with itself is seldom meant."""
        needed = [name for name, field in self.fields.items() if isinstance(field, ChoiceField)
                  and self._command.parameters[name].default is inspect.Parameter.empty]  # fmt: skip
        taken = [arguments[name] for name in needed if name in arguments]
        for name in needed:
            combo = self.fields[name].combo
            if name in arguments or not isinstance(combo.currentData(), Data):
                continue
            others = (at for at in range(combo.count()) if combo.itemData(at) not in taken)
            combo.setCurrentIndex(next(others, combo.currentIndex()))
            taken.append(combo.currentData())

    def _buttons(self) -> QDialogButtonBox:
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.run_button = buttons.addButton("Run", QDialogButtonBox.ButtonRole.AcceptRole)
        self.run_button.setDefault(True)
        buttons.accepted.connect(self.run)
        buttons.rejected.connect(self.reject)
        return buttons

    def _lay_out(self) -> None:
        summary = QLabel(self._command.summary.replace("``", ""))
        summary.setWordWrap(True)
        summary.setProperty("muted", "true")
        self._rows = rows = QFormLayout()
        rows.setHorizontalSpacing(14)
        rows.setVerticalSpacing(8)
        rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        docs = parameter_docs(self._command.function)
        for name, field in self.fields.items():
            label = QLabel(shown_name(name))
            label.setBuddy(field)
            for part in (label, field, field.focusProxy()):
                part.setToolTip(docs.get(name, ""))
            field.focusProxy().setAccessibleDescription(docs.get(name, ""))
            rows.addRow(label, field)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 16, 20, 14)
        layout.setSpacing(12)
        layout.addWidget(summary)
        layout.addLayout(rows)
        layout.addWidget(self.error)
        layout.addStretch(1)
        layout.addWidget(_rule())
        layout.addLayout(self._line_row())
        layout.addWidget(self.bar)
        layout.addWidget(self.buttons)

    def _line_row(self) -> QHBoxLayout:
        self.line.setObjectName("code")
        self.line.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.line.setAccessibleName("The line of Python that this form runs")
        self.line.setToolTip("The line of Python that this form runs")
        copy = QPushButton("Copy")
        copy.setAutoDefault(False)
        copy.setAccessibleName("Copy the line of Python")
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self._code))
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self.line, 1)
        row.addWidget(copy)
        return row

    # --- values ---------------------------------------------------------------------------------

    def values(self) -> dict[str, Any]:
        """Return the arguments as entered.

        Raises
        ------
        CommandError
            For the first field that cannot be used; it is marked and gets the focus.
        """
        values = {}
        for name, field in self._asked():
            try:
                values[name] = field.value()
            except CommandError:
                field.set_wrong(True)
                field.setFocus()
                raise
        return values

    def _asked(self) -> list[tuple[str, Field]]:
        """Return the fields that count for what is chosen in others."""
        return [(name, field) for name, field in self.fields.items() if self._counts(name)]

    def _counts(self, name: str) -> bool:
        by, values = self._command.only_with.get(name, ("", ()))
        return by not in self.fields or self.fields[by].value() in values

    def _show_asked(self) -> None:
        rule, before = self._command.only_with, [self._rows.isRowVisible(field) for field in self.fields.values()]
        for name, field in self.fields.items():
            if name in rule:
                self._rows.setRowVisible(field, self._counts(name))
        if [self._rows.isRowVisible(field) for field in self.fields.values()] != before and self.isVisible():
            self.adjustSize()

    def _changed(self) -> None:
        """Show the line that would run; what is not finished is left out."""
        values = {}
        self._show_asked()
        for name, field in self._asked():
            field.set_wrong(False)
            try:
                values[name] = field.value()
            except CommandError:
                continue
            if name in SECRET and values[name]:
                values[name] = "…"
        self.error.hide()
        self._code = command_line(self._session, self._command, values)
        self.line.setText("; ".join(self._code.splitlines()))
        self.line.setCursorPosition(0)

    # --- running --------------------------------------------------------------------------------

    def run(self) -> None:
        """Run the command; close when it is done, stay open with the reason when it fails."""
        try:
            result = self._window.invoker.start(self._command.id, show_result=True, **self.values())
        except JvizError as error:
            self._fail(error)
            return
        if isinstance(result, Job):
            self._job = result
            self._window.watched_jobs.add(result.number)
            self.run_button.setEnabled(False)
            self.bar.show_progress(0, 0)
            self.bar.show()
            self._job_changed(result)
        else:
            self.accept()

    def _job_changed(self, job: Job) -> None:
        if job is not self._job or not self.isVisible():
            return
        if job.total:
            self.bar.show_progress(round(job.progress * 1000), 1000)
        if not job.is_over:
            return
        self._job = None
        self.run_button.setEnabled(True)
        self.bar.hide()
        if job.state == "failed":
            self._fail(job.error)
        elif job.state == "done":
            self.accept()

    def _fail(self, error: BaseException | None) -> None:
        self.error.setText(str(error))
        self.error.show()
        self._make_room()

    def showEvent(self, event: Any) -> None:
        super().showEvent(event)
        self._make_room()

    def _make_room(self) -> None:
        """Become as high as the texts need that are broken into lines; Qt would cut off the fields instead."""
        self.layout().activate()
        height = self.layout().totalHeightForWidth(self.width())
        if height > self.height():
            self.resize(self.width(), height)

    def reject(self) -> None:
        """Cancel what runs, or close."""
        if self._job is not None:
            self._job.cancel()
            return
        super().reject()


def _fields(command: Command, session: Any) -> dict[str, Field]:
    shown = {
        name: parameter
        for name, parameter in command.parameters.items()
        if name not in HIDDEN and parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
    }
    # What a command works on comes first, whatever the signature says.
    order = sorted(shown, key=lambda name: name in ("view", "data") and type(None) in get_args(command.hints.get(name)))
    return {
        name: field_for(name, command.hints.get(name, Any), session, optional=shown[name].default is None)
        for name in order
    }


def _rule() -> QWidget:
    from PySide6.QtWidgets import QFrame

    rule = QFrame()
    rule.setObjectName("rule")
    rule.setFixedHeight(1)
    return rule
