"""The preferences, made from the declared settings; what is changed holds at once."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QPushButton,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from jviz.errors import JvizError
from jviz.settings import Setting, declared
from jviz.window.fields import Field, TextField, field_for

__all__ = ["Preferences", "open_preferences"]

TITLES = {"window": "Window", "image": "Images", "cache": "Cache", "session": "Sessions", "network": "Network",
          "plugins": "Plugins", "samp": "SAMP"}  # fmt: skip
ELSEWHERE = {"window.shortcuts": ("Edit Shortcuts…", "window.shortcuts")}
"""Settings that have an editor of their own: the text of the button, and the command."""

BREATH_MS = 4
"""Between two rows that are made in advance."""


def open_preferences(window: Any, key: str = "") -> Preferences:
    """Open the preferences, at a setting when one is named."""
    dialog = Preferences(window)
    dialog.show()
    if key:
        dialog.go_to(key)
    return dialog


class Preferences(QDialog):
    """Sections at the left, their settings at the right, and a search over all of them."""

    def __init__(self, window: Any) -> None:
        super().__init__(window)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        window.theme.dress(self)
        self.setWindowTitle("Preferences")
        self.resize(820, 580)
        self._window, self._settings = window, window.session.settings
        self._rows: dict[str, Row] = {}
        self._next = QTimer(self, interval=BREATH_MS)
        self._next.timeout.connect(self._make_next)
        self.search = QLineEdit(placeholderText="Search the settings", clearButtonEnabled=True)
        self.search.setAccessibleName("Search the settings")
        self.search.textChanged.connect(self._filter)
        self.sections = QListWidget()
        self.sections.setAccessibleName("Sections")
        self.sections.setFixedWidth(150)
        self.page = QScrollArea(widgetResizable=True)
        self.page.setAccessibleName("Settings")
        self._fill()
        self._lay_out()
        self.sections.currentTextChanged.connect(lambda _: self._filter(self.search.text()))
        self.sections.setCurrentRow(0)

    def _fill(self) -> None:
        inside = QWidget()
        self._column = QVBoxLayout(inside)
        self._column.setContentsMargins(16, 4, 16, 16)
        self._column.setSpacing(18)
        self._column.addStretch()
        self.sections.addItems(list(dict.fromkeys(map(_section, declared().values()))))
        self.page.setWidget(inside)
        self._next.start()

    @property
    def rows(self) -> dict[str, Row]:
        """All settings in their order; those that were not made yet are made now."""
        return {key: self._row(key) for key in declared()}

    def _row(self, key: str) -> Row:
        if key not in self._rows:
            row = Row(self._window, self._settings, declared()[key])
            before = list(declared())[: list(declared()).index(key)]
            self._column.insertWidget(sum(k in self._rows for k in before), row)
            self._rows[key] = row
            row.setVisible(self._is_wanted(row.setting))
        return self._rows[key]

    def _make_next(self) -> None:
        """Make one of the rows that nobody sees yet: all in one go would hold the window up."""
        key = next((key for key in declared() if key not in self._rows), None)
        if key is not None:
            self._row(key)
        else:
            self._next.stop()

    def _lay_out(self) -> None:
        body = QHBoxLayout()
        body.setSpacing(0)
        body.addWidget(self.sections)
        body.addWidget(self.page, 1)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        reset = buttons.addButton("Reset These", QDialogButtonBox.ButtonRole.ResetRole)
        reset.setToolTip("Go back to the defaults of all settings that are listed now")
        reset.clicked.connect(self.reset_shown)
        for button in buttons.buttons():
            button.setAutoDefault(False)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 16, 18, 14)
        layout.setSpacing(12)
        layout.addWidget(self.search)
        layout.addLayout(body, 1)
        layout.addWidget(buttons)

    def go_to(self, key: str) -> None:
        """Show one setting and put the focus on it."""
        if key not in declared():
            return
        row = self._row(key)
        self.search.clear()
        found = self.sections.findItems(_section(row.setting), Qt.MatchFlag.MatchExactly)
        self.sections.setCurrentItem(found[0])
        row.focus()
        # The row has its place only after the next layout.
        QTimer.singleShot(0, row, lambda: self.page.ensureWidgetVisible(row))

    def _filter(self, text: str) -> None:
        """Show one section, or what the search finds in all."""
        for key, setting in declared().items():
            wanted = self._is_wanted(setting)
            if wanted or key in self._rows:
                self._row(key).setVisible(wanted)

    def _is_wanted(self, setting: Setting) -> bool:
        text, item = self.search.text().casefold(), self.sections.currentItem()
        words = f"{setting.title} {setting.help} {setting.key}".casefold()
        return text in words if text else item is not None and _section(setting) == item.text()

    def reset_shown(self) -> None:
        """Go back to the defaults of what is listed."""
        for row in self._rows.values():
            if not row.isHidden():
                row.reset()


class Row(QWidget):
    """One setting: title, field, what it means; a wrong value stays in the field with the reason below."""

    def __init__(self, window: Any, settings: Any, setting: Setting) -> None:
        super().__init__()
        self.setting, self._settings = setting, settings
        title = QLabel(setting.title)
        font = title.font()
        font.setWeight(font.Weight.DemiBold)
        title.setFont(font)
        note = QLabel(setting.help)
        note.setWordWrap(True)
        note.setProperty("muted", "true")
        self.error = QLabel()
        self.error.setObjectName("error")
        self.error.setWordWrap(True)
        self.error.hide()
        self.field: Field | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(title)
        column.addWidget(note)
        column.addLayout(self._edit_row(window))
        column.addWidget(self.error)
        settings.changed.connect(self._setting_changed)

    def _edit_row(self, window: Any) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(6)
        if self.setting.key in ELSEWHERE:
            text, command = ELSEWHERE[self.setting.key]
            self.button = QPushButton(text)
            self.button.setAutoDefault(False)
            self.button.clicked.connect(lambda: window.invoker.trigger(command))
            row.addWidget(self.button)
            row.addStretch()
            return row
        self.field = self._field(window.session)
        self.field.setMaximumWidth(360)
        self.field.focusProxy().setAccessibleName(self.setting.title)
        self.field.focusProxy().setAccessibleDescription(self.setting.help)
        self.field.set_value(self._settings[self.setting.key])
        self.field.changed.connect(self._changed)
        row.addWidget(self.field, 1)
        row.addWidget(self._back_button())
        row.addStretch(1)
        self._show_default()
        return row

    def _field(self, session: Any) -> Field:
        name = self.setting.key.partition(".")[2]
        if self.setting.type is list:
            return TextField(self.setting.title, _words, ", ".join, hint="names, with commas")
        # Text fields hold numbers too: spin boxes would change a value under way to another.
        return field_for(name, self.setting.type, session, low=self.setting.low, high=self.setting.high)

    def _back_button(self) -> QToolButton:
        self.back = QToolButton(text="↺")
        self.back.setToolTip(f"Back to the default: {self.setting.default}")
        self.back.setAccessibleName(f"Back to the default of {self.setting.title}")
        self.back.clicked.connect(self.reset)
        return self.back

    def focus(self) -> None:
        """Put the focus on the field."""
        (self.field or self.button).setFocus()

    def reset(self) -> None:
        """Go back to the default."""
        self._settings.reset(self.setting.key)
        if self.field is not None:
            self._setting_changed(self.setting.key)

    def _changed(self) -> None:
        try:
            self._settings[self.setting.key] = self.field.value()
        except JvizError as error:
            self.error.setText(str(error))
            self.error.show()
            self.field.set_wrong(True)
            return
        self.error.hide()
        self.field.set_wrong(False)
        self._show_default()

    def _setting_changed(self, key: str) -> None:
        if key != self.setting.key or self.field is None:
            return
        present = self._settings[key]
        try:
            shown = self.field.value()
        except JvizError:
            shown = None
        if shown != present:
            self.field.set_value(present)
        self._show_default()

    def _show_default(self) -> None:
        self.back.setEnabled(self._settings[self.setting.key] != self.setting.default)


def _section(setting: Setting) -> str:
    name = setting.key.partition(".")[0]
    return TITLES.get(name, name.capitalize())


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]
