"""The strip above plots of catalogues: what is plotted, and what the mouse does."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QSizePolicy, QToolButton, QWidget

from jviz.viewers.icons import themed_icon

__all__ = ["ExpressionBox", "Strip"]


class ExpressionBox(QComboBox):
    """Takes the name of a column, or an expression over several.

    Parameters
    ----------
    chosen : callable
        Called with the expression when the user has chosen or typed one.
    """

    def __init__(self, name: str, hint: str, chosen: Callable[[str], None]) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setEditable(True)
        self.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(4)
        self.setMinimumWidth(56)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setToolTip(hint)
        self.lineEdit().setPlaceholderText(hint)
        self._chosen, self._names = chosen, ()
        self.lineEdit().editingFinished.connect(self._finish)
        self.activated.connect(lambda _: self._finish())

    def offer(self, names: Iterable[str], expression: str) -> None:
        """Offer columns, and show an expression."""
        names = tuple(names)
        if names != self._names:
            self._names = names
            self.blockSignals(True)
            self.clear()
            self.addItems(list(names))
            self.blockSignals(False)
        if not self.lineEdit().hasFocus() or self.currentText() == "":
            self.setEditText(expression)
            self.lineEdit().setCursorPosition(0)

    def _finish(self) -> None:
        self._chosen(self.currentText().strip())


class Strip(QWidget):
    """A row of boxes and buttons; its widgets act on a view state."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAutoFillBackground(True)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(8, 4, 8, 4)
        self._row.setSpacing(6)

    def add_box(self, label: str, box: QWidget, stretch: int = 1) -> None:
        """Add a box with its label."""
        text = QLabel(label)
        text.setBuddy(box)
        self._row.addWidget(text)
        self._row.addWidget(box, stretch)

    def add_button(self, icon: str, tip: str, clicked: Callable[[bool], Any], *, checkable: bool = True) -> QToolButton:
        """Add a flat button with an icon."""
        button = QToolButton()
        button.setAutoRaise(True)
        button.setCheckable(checkable)
        button.setToolTip(tip)
        button.setAccessibleName(tip.partition(":")[0])
        button.setIconSize(QSize(16, 16))
        button.clicked.connect(clicked)
        button.setIcon(themed_icon(icon))
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._row.addWidget(button)
        return button

    def add_gap(self) -> None:
        """Leave a little room between groups."""
        self._row.addSpacing(6)
