"""Questions for files and names, none of which blocks what else goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QFileDialog, QInputDialog, QLineEdit, QWidget

__all__ = ["ask_text", "file_to_open", "file_to_save", "files_to_open", "folder_to_open"]

_last_folder: dict[str, str] = {}


def files_to_open(window: Any, then: Callable[[list[Path]], Any]) -> QFileDialog:
    """Ask for files that some reader may read."""
    dialog = _dialog(window, "Open")
    dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
    dialog.setNameFilters(_filters())
    return _asked(dialog, lambda: then([Path(p) for p in dialog.selectedFiles()]))


def folder_to_open(window: Any, then: Callable[[Path], Any]) -> QFileDialog:
    """Ask for a folder."""
    dialog = _dialog(window, "Open Folder")
    dialog.setFileMode(QFileDialog.FileMode.Directory)
    return _asked(dialog, lambda: then(Path(dialog.selectedFiles()[0])))


def file_to_open(window: Any, title: str, name_filter: str, then: Callable[[Path], Any]) -> QFileDialog:
    """Ask for one file of a type."""
    dialog = _dialog(window, title)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    dialog.setNameFilters([name_filter, "All files (*)"])
    return _asked(dialog, lambda: then(Path(dialog.selectedFiles()[0])))


def file_to_save(window: Any, title: str, suggested: str, name_filter: str, then: Callable[[Path], Any]) -> QFileDialog:
    """Ask for the name of a file to write."""
    dialog = _dialog(window, title)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setNameFilters([name_filter, "All files (*)"])
    dialog.setDefaultSuffix(name_filter.rpartition("*.")[2].strip(")"))
    dialog.selectFile(suggested)
    return _asked(dialog, lambda: then(Path(dialog.selectedFiles()[0])))


def ask_text(window: Any, title: str, label: str, known: list[str], then: Callable[[str], Any]) -> QInputDialog:
    """Ask for a name, offering those known."""
    dialog = QInputDialog(window)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setWindowTitle(title)
    dialog.setLabelText(label)
    dialog.setComboBoxItems(known)
    dialog.setComboBoxEditable(True)
    dialog.textValueSelected.connect(then)
    dialog.open()
    for part in dialog.findChildren(QWidget):
        if isinstance(part, QComboBox | QLineEdit):
            part.setAccessibleName(label.rstrip(":"))
    return dialog


def _dialog(window: Any, title: str) -> QFileDialog:
    dialog = QFileDialog(window, title, _last_folder.get(title, str(_start_folder(window))))
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    return dialog


def _asked(dialog: QFileDialog, then: Callable[[], Any]) -> QFileDialog:
    def accepted() -> None:
        _last_folder[dialog.windowTitle()] = dialog.directory().absolutePath()
        then()

    dialog.accepted.connect(accepted)
    dialog.open()
    return dialog


def _start_folder(window: Any) -> Path:
    return next((path.parent for path in window.recent.paths if path.parent.is_dir()), Path.cwd())


def _filters() -> list[str]:
    """Say in the words of a file dialog what can be read."""
    from jviz.backend.io.registry import readers

    named = [(reader.title, " ".join(f"*{s}" for s in reader.suffixes)) for reader in readers().values()]
    every = " ".join(dict.fromkeys(s for _, suffixes in named for s in suffixes.split()))
    return [f"Astronomical data ({every})", *(f"{title} ({s})" for title, s in named if s), "All files (*)"]
