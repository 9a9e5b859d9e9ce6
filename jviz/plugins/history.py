"""The panel of steps: what was done, what can be undone, and the script of it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, Qt
from PySide6.QtGui import QFont, QGuiApplication, QPalette
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QListView, QVBoxLayout

from jviz.api import Entry, blended
from jviz.plugins.parts import Panel, tool_button

__all__ = ["HistoryPanel"]


class HistoryPanel(Panel):
    """The steps of the session, newest last; a click goes back, or forward, to right after one.

    Steps that are undone stay in grey until something new is done. Each step is a line of
    Python: its tool tip shows it, “Copy as script” takes the program that repeats them all.
    """

    empty_text = "Nothing was done yet.\n\nEvery step will be listed here; a click goes back to it."

    def __init__(self, context: Any) -> None:
        super().__init__(context)
        self.model = _Steps(self)
        self.list = QListView()
        self.list.setModel(self.model)
        self.list.setFrameShape(QListView.Shape.NoFrame)
        self.list.setUniformItemSizes(True)
        self.list.setAccessibleName("Steps of the session")
        self.setFocusProxy(self.list)
        self.list.clicked.connect(self._go_to)
        self.list.activated.connect(self._go_to)
        bar = QHBoxLayout()
        bar.setContentsMargins(4, 2, 4, 2)
        bar.setSpacing(0)
        run = context.run
        bar.addWidget(tool_button(context, "fa6s.rotate-left", "Undo (Ctrl+Z)", lambda: run("edit.undo")))
        bar.addWidget(tool_button(context, "fa6s.rotate-right", "Redo (Ctrl+Shift+Z)", lambda: run("edit.redo")))
        bar.addStretch()
        bar.addWidget(tool_button(context, "fa6s.copy", "Copy as script", self.copy_script))
        bar.addWidget(tool_button(context, "fa6s.file-code", "Save script…", self.save_script))
        layout = QVBoxLayout(self.body)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(bar)
        layout.addWidget(self.list)
        self.links.signal(self.session.history_changed, self.later)

    def is_empty(self) -> bool:
        return not self.session.history.entries

    def refresh(self) -> None:
        history = self.session.history
        self.model.show(history.entries, history.position)
        index = self.model.index(history.position)
        self.list.setCurrentIndex(index)
        self.list.scrollTo(index)

    def _go_to(self, index: QModelIndex) -> None:
        self.session.history.go_to(index.row())

    def copy_script(self) -> None:
        """Copy the program that repeats the session."""
        QGuiApplication.clipboard().setText(self.session.script())
        self.context.notify("status", "The script of this session was copied.")

    def save_script(self, path: str | Path = "") -> None:
        """Write the program to a file; asks for its name when none is given."""
        if not path:
            path, _ = QFileDialog.getSaveFileName(self, "Save Script", "session.py", "Python (*.py)")
        if path:
            self.context.run("file.save_script", path=Path(path))


class _Steps(QAbstractListModel):
    """Row n stands for “n steps are done”."""

    def __init__(self, parent: HistoryPanel) -> None:
        super().__init__(parent)
        self._entries: list[Entry] = []
        self._position = 0
        self._widget = parent

    def show(self, entries: list[Entry], position: int) -> None:
        self.beginResetModel()
        self._entries, self._position = list(entries), position
        self.endResetModel()

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        return len(self._entries) + 1

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = index.row()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._entries[row - 1].label if row else "Start of the session"
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return self.data(index) + (", undone" if row > self._position else "")
        if role == Qt.ItemDataRole.ToolTipRole and row:
            entry = self._entries[row - 1]
            return "\n".join([time.strftime("%H:%M:%S", time.localtime(entry.when)), *entry.lines])
        if role == Qt.ItemDataRole.FontRole:
            return self._font(row)
        if role == Qt.ItemDataRole.ForegroundRole and row > self._position:
            palette = self._widget.palette()
            return blended(palette.color(QPalette.ColorRole.Text), palette.color(QPalette.ColorRole.Base), 0.55)
        return None

    def _font(self, row: int) -> QFont:
        font = QFont(self._widget.font())
        font.setBold(row == self._position)
        font.setItalic(row > self._position or row == 0)
        return font
