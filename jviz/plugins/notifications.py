"""The panel of notifications: everything the user was told, to be read again."""

from __future__ import annotations

import time
from typing import Any

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QGuiApplication, QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QListWidget, QListWidgetItem, QVBoxLayout

from jviz.plugins.parts import Panel, tool_button

__all__ = ["NotificationsPanel"]

ICONS = {
    "error": ("fa6s.circle-exclamation", "#d9534f"),
    "warning": ("fa6s.triangle-exclamation", "#e0a030"),
    "info": ("fa6s.circle-info", "#4a90d9"),
}


class NotificationsPanel(Panel):
    """What jviz told you in this session, newest first; Ctrl+C copies the selected ones."""

    empty_text = "No notifications.\n\nWarnings, errors and hints stay here after they left the screen."

    def __init__(self, context: Any) -> None:
        super().__init__(context)
        self.list = QListWidget()
        self.list.setFrameShape(QListWidget.Shape.NoFrame)
        self.list.setWordWrap(True)
        self.list.setIconSize(QSize(16, 16))
        self.list.setSpacing(2)
        self.list.setSelectionMode(QListWidget.SelectionMode.ExtendedSelection)
        self.list.setAccessibleName("Notifications, newest first")
        self.setFocusProxy(self.list)
        copy = QShortcut(QKeySequence(QKeySequence.StandardKey.Copy), self.list, self.copy)
        copy.setContext(Qt.ShortcutContext.WidgetShortcut)
        bar = QHBoxLayout()
        bar.setContentsMargins(4, 2, 4, 2)
        bar.addStretch()
        bar.addWidget(tool_button(context, "fa6s.copy", "Copy", self.copy, label=True))
        bar.addWidget(tool_button(context, "fa6s.broom", "Clear", self.clear, label=True))
        layout = QVBoxLayout(self.body)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(bar)
        layout.addWidget(self.list)
        context.notice_added.connect(self.later)

    def _notices(self) -> list[Any]:
        return [notice for notice in reversed(self.context.notices) if notice.level in ICONS]

    def is_empty(self) -> bool:
        return not self._notices()

    def refresh(self) -> None:
        self.list.clear()
        for notice in self._notices():
            when = time.strftime("%H:%M:%S", time.localtime(notice.when))
            item = QListWidgetItem(self.context.icon(*ICONS[notice.level]), f"{when}  {notice.text}")
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{notice.level}: {notice.text}")
            self.list.addItem(item)

    def copy(self) -> None:
        """Copy the selected notifications, all of them when none is selected."""
        items = self.list.selectedItems() or [self.list.item(n) for n in range(self.list.count())]
        QGuiApplication.clipboard().setText("\n".join(item.text() for item in items))

    def clear(self) -> None:
        """Forget all notifications."""
        self.context.notices.clear()
        self.later()
