"""Choosing the reader for files whose content or name does not tell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFormLayout, QLabel, QVBoxLayout

from jviz.window.fields import ChoiceField

__all__ = ["ask_reader"]


def ask_reader(window: Any, paths: list[Path]) -> QDialog:
    """Ask which reader is to open files, and open them with it."""
    from jviz.backend.io.registry import readers

    dialog = QDialog(window)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setWindowTitle("Open As")
    dialog.setMinimumWidth(380)
    names = ", ".join(path.name for path in paths[:3]) + (" …" if len(paths) > 3 else "")
    text = QLabel(f"How is {names} to be read?")
    text.setWordWrap(True)
    listed = sorted((r.title, r.id) for r in readers().values() if r.id != "folder")
    field = ChoiceField("reader", listed)
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Open | QDialogButtonBox.StandardButton.Cancel)
    buttons.accepted.connect(dialog.accept)
    buttons.rejected.connect(dialog.reject)
    dialog.accepted.connect(lambda: window.choose_and_open(paths, reader=field.value()))
    rows = QFormLayout()
    rows.addRow("Reader", field)
    layout = QVBoxLayout(dialog)
    layout.setContentsMargins(18, 16, 18, 14)
    layout.setSpacing(12)
    layout.addWidget(text)
    layout.addLayout(rows)
    layout.addWidget(buttons)
    dialog.open()
    return dialog
