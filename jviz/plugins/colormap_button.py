"""A button that shows a colour map and opens the list of all of them, with swatches and search."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from PySide6.QtCore import QEvent, QObject, QRect, QSize, Qt, Signal
from PySide6.QtGui import QIcon, QImage, QPainter, QPalette, QPixmap
from PySide6.QtWidgets import QFrame, QLineEdit, QListWidget, QListWidgetItem, QPushButton, QVBoxLayout, QWidget

from jviz.api import JvizError, colormap, colormap_names

__all__ = ["ColormapButton", "swatch"]

SWATCH = QSize(120, 14)


def swatch(name: str, *, invert: bool = False, size: QSize = SWATCH) -> QPixmap:
    """Draw a colour map from low (left) to high."""
    return _swatch(name, invert, size.width(), size.height())


@lru_cache(maxsize=512)
def _swatch(name: str, invert: bool, width: int, height: int) -> QPixmap:
    colours = colormap(name, invert=invert)
    row = np.ascontiguousarray(colours[np.linspace(0, len(colours) - 1, width).astype(int)])
    image = QImage(row.data, width, 1, width * 3, QImage.Format.Format_RGB888)
    return QPixmap.fromImage(image.scaled(width, height))


class ColormapButton(QPushButton):
    """Shows the present colour map; a click opens the list."""

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.name, self.invert = "gray", False
        self._popup: _Popup | None = None
        self.setMinimumHeight(self.fontMetrics().height() + 12)
        self.setAccessibleName("Colour map")
        self.clicked.connect(self.open_list)

    def show_map(self, name: str, invert: bool) -> None:
        """Take over the present map."""
        self.name, self.invert = name, invert
        self.setToolTip(f"Colour map {name}{', turned round' if invert else ''}: click to choose another")
        self.setAccessibleDescription(name)
        self.update()

    def open_list(self) -> None:
        """Open the list of all maps below the button."""
        self._popup = _Popup(self)
        self._popup.chosen.connect(self.chosen)
        self._popup.open_below(self)

    @property
    def popup(self) -> Any:
        """The open list, or None."""
        return self._popup

    def paintEvent(self, event: Any) -> None:
        super().paintEvent(event)
        with QPainter(self) as painter:
            inner = self.rect().adjusted(6, 6, -6, -6)
            text = self.fontMetrics().horizontalAdvance(self.name) + 10
            try:
                pixmap = swatch(self.name, invert=self.invert, size=QSize(256, 12))
                painter.drawPixmap(
                    QRect(inner.left(), inner.top(), max(inner.width() - text, 20), inner.height()), pixmap
                )
            except JvizError:
                self.setToolTip(f"There is no colour map {self.name}")
            painter.setPen(self.palette().color(QPalette.ColorRole.ButtonText))
            painter.drawText(inner, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, self.name)


class _Popup(QFrame):
    """The list: groups in order of preference, narrowed by typing."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.search = QLineEdit(placeholderText="Search colour maps", clearButtonEnabled=True)
        self.search.setAccessibleName("Search colour maps")
        self.list = QListWidget(iconSize=SWATCH, uniformItemSizes=True)
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setAccessibleName("Colour maps")
        self.list.itemClicked.connect(self._choose)
        self.search.textChanged.connect(self._fill)
        self.search.returnPressed.connect(lambda: self._choose(self.list.currentItem()))
        self.search.installEventFilter(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addWidget(self.search)
        layout.addWidget(self.list)
        self._fill("")

    def open_below(self, button: ColormapButton) -> None:
        """Show the list with the present map selected."""
        self.resize(max(button.width(), 280), 380)
        self.move(button.mapToGlobal(button.rect().bottomLeft()))
        self.show()
        self.search.setFocus()
        found = self.list.findItems(button.name, Qt.MatchFlag.MatchExactly)
        if found:
            self.list.setCurrentItem(found[0])
            self.list.scrollToItem(found[0], QListWidget.ScrollHint.PositionAtCenter)

    def _fill(self, text: str) -> None:
        self.list.clear()
        bold = self.font()
        bold.setBold(True)
        for group, names in colormap_names().items():
            matching = [name for name in names if text.casefold() in name.casefold()]
            if matching:
                heading = QListWidgetItem(group)
                heading.setFlags(Qt.ItemFlag.NoItemFlags)
                heading.setForeground(self.palette().color(QPalette.ColorRole.PlaceholderText))
                heading.setFont(bold)
                self.list.addItem(heading)
            for name in matching:
                icon = QIcon(swatch(name))
                icon.addPixmap(swatch(name), QIcon.Mode.Selected)  # or Qt would tint it
                self.list.addItem(QListWidgetItem(icon, name))
        self._step(0, 1)

    def _step(self, start: int, by: int) -> None:
        row = start
        while 0 <= row < self.list.count():
            if self.list.item(row).flags() & Qt.ItemFlag.ItemIsSelectable:
                self.list.setCurrentRow(row)
                return
            row += by

    def _choose(self, item: QListWidgetItem | None) -> None:
        if item is not None and item.flags() & Qt.ItemFlag.ItemIsSelectable:
            self.chosen.emit(item.text())
            self.close()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up):
            by = 1 if event.key() == Qt.Key.Key_Down else -1
            self._step(self.list.currentRow() + by, by)
            return True
        return super().eventFilter(watched, event)
