"""A field over the picture in which the text of a region is written."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QWidget

__all__ = ["ask_text"]


class TextEntry(QLineEdit):
    """Hands its text on with Enter or when the focus leaves; Escape gives it up."""

    def __init__(self, parent: QWidget, done: Callable[[str], None]) -> None:
        super().__init__(parent)
        self._done: Callable[[str], None] | None = done
        self.setPlaceholderText("Text")
        self.setAccessibleName("Text of the region")
        self.editingFinished.connect(self._finish)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self._close()
            return
        super().keyPressEvent(event)

    def _finish(self) -> None:
        done, text = self._done, self.text().strip()
        self._close()
        if done is not None and text:
            done(text)

    def _close(self) -> None:
        self._done = None
        self.hide()
        self.parentWidget().setFocus()
        self.deleteLater()


def ask_text(viewer: QWidget, at: QPointF, done: Callable[[str], None], text: str = "") -> QLineEdit:
    """Let the user write a text at a place of a viewer."""
    entry = TextEntry(viewer, done)
    entry.setText(text)
    width = min(180, viewer.width())
    height = entry.sizeHint().height()
    left = min(max(0, round(at.x()) - width // 2), viewer.width() - width)
    top = min(max(0, round(at.y()) - height // 2), viewer.height() - height)
    entry.setGeometry(left, top, width, height)
    entry.show()
    entry.setFocus()
    return entry
