"""The editor of shortcuts: all commands and panels with their keys, conflicts named before they happen."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QHeaderView,
    QKeySequenceEdit,
    QLabel,
    QLineEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
)

from jviz.window.shortcuts import Keyed, Shortcuts, shown_keys

__all__ = ["ShortcutEditor", "open_editor"]

KEYED = Qt.ItemDataRole.UserRole


def open_editor(window: Any) -> ShortcutEditor:
    """Open the editor over a window."""
    editor = ShortcutEditor(window, window.shortcuts)
    editor.show()
    return editor


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

    def _tree(self) -> QTreeWidget:
        tree = QTreeWidget()
        tree.setHeaderLabels(["Command", "Menu", "Keys"])
        tree.setRootIsDecorated(False)
        tree.setUniformRowHeights(True)
        tree.setAlternatingRowColors(True)
        tree.setAccessibleName("Commands and their keys")
        tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        tree.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        tree.header().setSectionResizeMode(2, QHeaderView.ResizeMode.ResizeToContents)
        tree.currentItemChanged.connect(lambda *_: self._check())
        return tree

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
        effective = self._shortcuts.effective()
        self.tree.clear()
        for keyed in sorted(self._shortcuts.all(), key=lambda k: (k.menu or "~", k.title)):
            keys = ",  ".join(shown_keys([key]) for key in effective[keyed.id])
            item = QTreeWidgetItem([keyed.title, keyed.menu.replace("/", " ▸ "), keys])
            item.setData(0, KEYED, keyed)
            item.setToolTip(0, keyed.id)
            self.tree.addTopLevelItem(item)
            if chosen is not None and keyed.id == chosen.id:
                self.tree.setCurrentItem(item)
        self._filter(self.search.text())
        if self.tree.currentItem() is None and self.tree.topLevelItemCount():
            self.tree.setCurrentItem(self.tree.topLevelItem(0))
        self._check()

    def choose(self, id: str) -> None:
        """Go to the entry of a command or panel."""
        for at in range(self.tree.topLevelItemCount()):
            if self.tree.topLevelItem(at).data(0, KEYED).id == id:
                self.tree.setCurrentItem(self.tree.topLevelItem(at))

    def _filter(self, text: str) -> None:
        for at in range(self.tree.topLevelItemCount()):
            item = self.tree.topLevelItem(at)
            searched = f"{item.text(0)} {item.text(1)} {item.text(2)} {item.data(0, KEYED).id}".casefold()
            item.setHidden(text.casefold() not in searched)

    def _chosen(self) -> Keyed | None:
        item = self.tree.currentItem()
        return item.data(0, KEYED) if item is not None else None

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
