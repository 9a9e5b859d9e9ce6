"""A form of all columns of an archive, made from what the archive says of them."""

from __future__ import annotations

import shlex
from typing import Any

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QLabel,
    QLineEdit,
    QStyledItemDelegate,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from jviz.api import counted
from jviz.plugins.parts import Awaited, Links, muted

__all__ = ["ColumnForm", "written"]

NAME, VALUE, UNIT, ABOUT = range(4)
HINTS = {"number": "100..5000, or one number", "date": "2024-01-01..2024-12-31", "boolean": "true or false",
         "text": "words; * stands for anything; commas part alternatives"}  # fmt: skip


EXAMPLE = Qt.ItemDataRole.UserRole


class _Values(QStyledItemDelegate):
    """Shows, pale, what could be written where nothing is."""

    def initStyleOption(self, option: Any, index: QModelIndex) -> None:
        super().initStyleOption(option, index)
        if not option.text:
            option.text = index.data(EXAMPLE) or "any"
            faint = option.palette.color(QPalette.ColorRole.PlaceholderText)
            option.palette.setColor(QPalette.ColorRole.Text, faint)


class ColumnForm(QDialog):
    """Lists the columns of an archive with a value to give for each; ``filled`` tells the conditions as a text.

    Parameters
    ----------
    collection : str
        As of archive.columns.
    given : str
        Conditions that are written already.
    """

    filled = Signal(str)

    def __init__(self, context: Any, parent: QWidget, collection: str, given: str) -> None:
        super().__init__(parent, windowTitle="Conditions")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._given = _read(given)
        self.words = QLineEdit(placeholderText="Columns with these words", clearButtonEnabled=True)
        self.tree = QTreeWidget()
        self.told = muted(QLabel("Asking which columns there are…", wordWrap=True))
        self.told.setTextFormat(Qt.TextFormat.PlainText)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self._arrange()
        self.words.textChanged.connect(self._narrow)
        self.tree.itemClicked.connect(lambda item, _: self.tree.editItem(item, VALUE))
        self.tree.itemChanged.connect(self._changed)
        self.buttons.accepted.connect(self._accept)
        self.buttons.rejected.connect(self.reject)
        self._asked = Awaited(Links(self), context.session, self._show, self.told.setText)
        self._asked.ask("archive.columns", collection=collection)

    def _arrange(self) -> None:
        self.tree.setHeaderLabels(["Column", "Must be", "Unit", "What it is"])
        self.tree.setRootIsDecorated(False)
        self.tree.setUniformRowHeights(True)
        self.tree.setAlternatingRowColors(True)
        self.tree.setItemDelegateForColumn(VALUE, _Values(self.tree))
        self.tree.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.tree.setAccessibleName("Columns and what they must be")
        self.words.setAccessibleName("Words in the columns")
        for column, width in ((NAME, 170), (VALUE, 210), (UNIT, 60)):
            self.tree.header().resizeSection(column, width)
        layout = QVBoxLayout(self)
        for part in (self.words, self.tree, self.told, self.buttons):
            layout.addWidget(part, 1 if part is self.tree else 0)
        self.resize(760, 520)

    # --- the columns ----------------------------------------------------------------------------

    def _show(self, table: Any) -> None:
        self.tree.blockSignals(True)
        for row in table:
            name, kind = str(row["name"]), str(row["kind"])
            example = str(row["example"]).strip()
            item = QTreeWidgetItem(self.tree, [name, self._given.get(name, ""), str(row["unit"]), str(row["about"])])
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
            item.setData(VALUE, EXAMPLE, example)
            item.setToolTip(VALUE, "\n".join(filter(None, (HINTS.get(kind, HINTS["text"]),
                                                           f"Examples: {example}" if example else ""))))  # fmt: skip
            item.setToolTip(ABOUT, str(row["about"]))
        self.tree.blockSignals(False)
        self._changed()

    def _narrow(self, text: str) -> None:
        words = text.lower().split()
        for number in range(self.tree.topLevelItemCount()):
            item = self.tree.topLevelItem(number)
            said = f"{item.text(NAME)} {item.text(ABOUT)}".lower()
            item.setHidden(not all(word in said for word in words))

    # --- what they must be ----------------------------------------------------------------------

    def values(self) -> dict[str, str]:
        """Return what is given, by column; also what was given of columns that are not listed."""
        listed = {}
        for number in range(self.tree.topLevelItemCount()):
            item = self.tree.topLevelItem(number)
            listed[item.text(NAME)] = item.text(VALUE).strip()
        return {name: value for name, value in {**self._given, **listed}.items() if value}

    def _changed(self, *_: Any) -> None:
        count = self.tree.topLevelItemCount()
        known = f"{counted(count, 'column')}, {counted(len(self.values()), 'condition')}"
        self.told.setText(f"{known}. Click on a line and write what it must be." if count else
                          "This archive is asked about a place and a radius only.")  # fmt: skip

    def _accept(self) -> None:
        # What is being written counts, too.
        self.tree.setFocus()
        self.filled.emit(written(self.values()))
        self.accept()

    def done(self, result: int) -> None:
        self._asked.stop()
        super().done(result)


def written(values: dict[str, str]) -> str:
    """Write conditions as the form of a search reads them."""
    return " ".join(f"{name}={shlex.quote(value) if set(value) & set(QUOTED) else value}"
                    for name, value in values.items())  # fmt: skip


QUOTED = " \t'\"\\"
"""Signs that would end a condition."""


def _read(text: str) -> dict[str, str]:
    try:
        words = [word.partition("=") for word in shlex.split(text)]
    except ValueError:
        return {}
    return {name: value for name, equals, value in words if equals and value}
