"""A group of viewers behind each other, with tabs that can be dragged away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from PySide6.QtCore import QEvent, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QTabBar, QTabWidget, QWidget

__all__ = ["TabGroup"]

MIN_WIDTH, MAX_WIDTH = 150, 320
"""Of a tab, in pixels."""


class DragBar(QTabBar):
    """Tabs that are ordered by dragging along the bar and taken out by dragging away from it."""

    taken = Signal(int, QPoint)
    moved = Signal(QPoint)
    dropped = Signal(QPoint)
    given_up = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._pressed = -1
        self._away = False
        self.setExpanding(False)
        self.setUsesScrollButtons(True)
        self.setElideMode(Qt.TextElideMode.ElideMiddle)
        self.setAccessibleName("Viewers")

    def minimumTabSizeHint(self, index: int) -> QSize:
        """Keep enough of a name to tell tabs apart; those that do not fit are scrolled to."""
        size = self.tabSizeHint(index)
        return QSize(min(size.width(), MIN_WIDTH), size.height())

    def tabSizeHint(self, index: int) -> QSize:
        size = super().tabSizeHint(index)
        return QSize(min(size.width(), MAX_WIDTH), size.height())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._pressed = self.tabAt(event.position().toPoint()) if event.button() == Qt.MouseButton.LeftButton else -1
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        where = event.globalPosition().toPoint()
        if self._away:
            self.moved.emit(where)
        elif self._pressed >= 0 and self._is_outside(event.position().toPoint()):
            # The tab under the mouse may have moved along the bar meanwhile: it is the current one.
            self._end_moving_along(event)
            self._away = True
            self.setFocus()  # Escape gives up
            self.taken.emit(self.currentIndex(), where)
        else:
            super().mouseMoveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._away:
            self._stop()
            self.dropped.emit(event.globalPosition().toPoint())
        elif event.button() == Qt.MouseButton.MiddleButton:
            index = self.tabAt(event.position().toPoint())
            if index >= 0:
                self.tabCloseRequested.emit(index)
        else:
            super().mouseReleaseEvent(event)
        self._pressed = -1

    def keyPressEvent(self, event: Any) -> None:
        if self._away and event.key() == Qt.Key.Key_Escape:
            self._stop()
            self.given_up.emit()
        elif event.key() == Qt.Key.Key_Delete and self.currentIndex() >= 0:
            self.tabCloseRequested.emit(self.currentIndex())
        else:
            super().keyPressEvent(event)

    def _stop(self) -> None:
        self._away, self._pressed = False, -1

    def _is_outside(self, point: QPoint) -> bool:
        reach = QApplication.startDragDistance() * 2
        return not self.rect().adjusted(-reach, -reach, reach, reach).contains(point)

    def _end_moving_along(self, event: QMouseEvent) -> None:
        release = QMouseEvent(
            QEvent.Type.MouseButtonRelease, event.position(), event.globalPosition(),
            Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton, event.modifiers(),
        )  # fmt: skip
        super().mouseReleaseEvent(release)


class TabGroup(QTabWidget):
    """Viewers behind each other; ``active`` marks the group that keys act on."""

    def __init__(self) -> None:
        super().__init__()
        self.bar = DragBar(self)
        self.setTabBar(self.bar)
        self.setDocumentMode(True)
        self.setTabsClosable(True)
        self.setMovable(True)
        self.setProperty("active", False)
        self.setAccessibleName("Group of viewers")

    def viewers(self) -> Iterator[QWidget]:
        """Return the viewers, from left to right."""
        return (self.widget(n) for n in range(self.count()))

    def mark(self, active: bool) -> None:
        """Show whether this group holds the active viewer."""
        if self.property("active") != active:
            self.setProperty("active", active)
            for part in (self, self.bar):
                part.style().unpolish(part)
                part.style().polish(part)
            self.bar.update()
