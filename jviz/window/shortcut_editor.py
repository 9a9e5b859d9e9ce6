"""The editor of shortcuts: all commands and panels with their keys, conflicts named before they happen."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QHeaderView,
    QKeySequenceEdit,
    QLabel,
    QLineEdit,
    QPushButton,
    QTreeView,
    QVBoxLayout,
)

from jviz.window.shortcuts import Keyed, Shortcuts, shown_keys

__all__ = ["ShortcutEditor", "open_editor"]

TITLES = ("Command", "Menu", "Keys")


def open_editor(window: Any) -> ShortcutEditor:
    """Open the editor over a window."""
    editor = ShortcutEditor(window, window.shortcuts)
    editor.show()
    return editor


class Entries(QAbstractTableModel):
    """What can have keys: name, menu, keys; those that a search finds."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._all: list[tuple[Keyed, tuple[str, str, str]]] = []
        self._found = self._all

    def fill(self, shortcuts: Shortcuts) -> None:
        """Take over the keys as they are now, all of them."""
        effective = shortcuts.effective()
        self.beginResetModel()
        self._found = self._all = [
            (k, (k.title, k.menu.replace("/", " ▸ "), ",  ".join(shown_keys([key]) for key in effective[k.id])))
            for k in sorted(shortcuts.all(), key=lambda k: (k.menu or "~", k.title))
        ]
        self.endResetModel()

    def search(self, text: str) -> None:
        """Show those whose name, menu, keys or id have a text in them."""
        wanted = text.casefold()
        self.beginResetModel()
        self._found = [(k, row) for k, row in self._all if wanted in f"{' '.join(row)} {k.id}".casefold()]
        self.endResetModel()

    def texts(self) -> list[tuple[str, str, str]]:
        """Return the rows that are shown."""
        return [row for _, row in self._found]

    def keyed(self, row: int) -> Keyed | None:
        """Return what stands in a row."""
        return self._found[row][0] if 0 <= row < len(self._found) else None

    def row_of(self, id: str) -> int | None:
        """Return where something stands, None when the search hides it."""
        return next((row for row, (keyed, _) in enumerate(self._found) if keyed.id == id), None)

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._found)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        return len(TITLES)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        keyed, texts = self._found[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return texts[index.column()]
        return keyed.id if role == Qt.ItemDataRole.ToolTipRole else None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        shown = orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole
        return TITLES[section] if shown else None


class ShortcutEditor(QDialog):
    """Lists what can have keys; choose one, press the new keys, assign."""

    def __init__(self, window: Any, shortcuts: Shortcuts) -> None:
        super().__init__(window)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        window.theme.dress(self)
        self.setWindowTitle("Shortcuts")
        self.resize(720, 560)
        self._shortcuts = shortcuts
        self.search = QLineEdit(placeholderText="Search by name, id or keys", clearButtonEnabled=True)
        self.search.setAccessibleName("Search by name, id or keys")
        self.search.textChanged.connect(self._filter)
        self.entries = Entries(self)
        self.entries.fill(shortcuts)
        self.tree = self._tree()
        self.keys = QKeySequenceEdit()
        self.keys.setMaximumSequenceLength(1)
        self.keys.setClearButtonEnabled(True)
        self.keys.setAccessibleName("New keys")
        self.keys.keySequenceChanged.connect(self._check)
        self.warning = QLabel()
        self.warning.setWordWrap(True)
        self.assign_button = QPushButton("Assign")
        self.remove_button = QPushButton("Remove Keys")
        self.reset_button = QPushButton("Reset")
        self.reset_all_button = QPushButton("Reset All")
        self._lay_out()
        self.refresh()

    def _tree(self) -> QTreeView:
        tree = QTreeView()
        tree.setModel(self.entries)
        tree.setRootIsDecorated(False)
        tree.setUniformRowHeights(True)
        tree.setAlternatingRowColors(True)
        tree.setAccessibleName("Commands and their keys")
        tree.header().setStretchLastSection(False)
        tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in (1, 2):
            tree.header().resizeSection(column, self._width(column))
        tree.selectionModel().currentRowChanged.connect(lambda *_: self._check())
        return tree

    def _width(self, column: int) -> int:
        """Return the room that the texts of a column need: measuring each in Qt would keep the window waiting."""
        longest = sorted((row[column] for row in self.entries.texts()), key=len)[-5:]
        return max(map(self.fontMetrics().horizontalAdvance, longest), default=0) + 24

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(QLabel("New keys"))
        row.addWidget(self.keys, 1)
        for button, action in (
            (self.assign_button, self.assign), (self.remove_button, self.remove), (self.reset_button, self.reset)
        ):  # fmt: skip
            button.setAutoDefault(False)
            button.clicked.connect(action)
            row.addWidget(button)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.addButton(self.reset_all_button, QDialogButtonBox.ButtonRole.ResetRole)
        self.reset_all_button.clicked.connect(self.reset_all)
        buttons.rejected.connect(self.reject)
        for button in buttons.buttons():
            button.setAutoDefault(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 16, 18, 14)
        layout.setSpacing(10)
        layout.addWidget(self.search)
        layout.addWidget(self.tree, 1)
        layout.addLayout(row)
        layout.addWidget(self.warning)
        layout.addWidget(buttons)

    # --- the list -------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show the keys as they are now."""
        chosen = self._chosen()
        self.entries.fill(self._shortcuts)
        self._filter(self.search.text())
        if chosen is not None:
            self.choose(chosen.id)
        self._check()

    def choose(self, id: str) -> None:
        """Go to the entry of a command or panel."""
        row = self.entries.row_of(id)
        if row is not None:
            self.tree.setCurrentIndex(self.entries.index(row, 0))

    def _filter(self, text: str) -> None:
        chosen = self._chosen()
        self.entries.search(text)
        row = self.entries.row_of(chosen.id) if chosen is not None else None
        if self.entries.rowCount():
            self.tree.setCurrentIndex(self.entries.index(row or 0, 0))

    def _chosen(self) -> Keyed | None:
        return self.entries.keyed(self.tree.currentIndex().row())

    # --- keys -----------------------------------------------------------------------------------

    def _check(self, *_: Any) -> None:
        """Say what else uses the keys that were pressed."""
        keyed, keys = self._chosen(), self.keys.keySequence().toString()
        self.assign_button.setEnabled(bool(keyed and keys))
        conflicts = self._shortcuts.conflicts(keyed.id, keys) if keyed and keys else []
        if conflicts:
            names = " and ".join(f"“{k.title}”" for k in conflicts)
            self.warning.setText(f"{shown_keys([keys])} is used by {names}; assigning takes it away there.")
        else:
            self.warning.setText(f"{shown_keys([keys])} is free." if keys else "Press the new keys in the field above.")
        self.warning.setObjectName("error" if conflicts else "")
        self.warning.style().unpolish(self.warning)
        self.warning.style().polish(self.warning)

    def assign(self) -> None:
        """Give the chosen entry the keys in the field."""
        keyed = self._chosen()
        if keyed is not None:
            self._shortcuts.assign(keyed.id, self.keys.keySequence().toString())
            self.keys.clear()
            self.refresh()

    def remove(self) -> None:
        """Leave the chosen entry without keys."""
        keyed = self._chosen()
        if keyed is not None:
            self._shortcuts.assign(keyed.id, "")
            self.refresh()

    def reset(self) -> None:
        """Go back to the built-in keys of the chosen entry."""
        keyed = self._chosen()
        if keyed is not None:
            self._shortcuts.reset(keyed.id)
            self.refresh()

    def reset_all(self) -> None:
        """Go back to all built-in keys."""
        self._shortcuts.reset()
        self.refresh()
