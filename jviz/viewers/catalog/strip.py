"""The strip above plots of catalogues: what is plotted, and what the mouse does."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QBoxLayout, QComboBox, QHBoxLayout, QLabel, QSizePolicy, QToolButton, QWidget

from jviz.viewers.icons import themed_icon

__all__ = ["ExpressionBox", "Strip"]


SHORTEST, LONGEST = 2, 24
"""Letters between which a longer expression gets a wider box."""

NARROWEST, WHOLE = 56, 5
"""Pixels of a box at least, and letters of a name that is never cut."""

EDGES = 6
"""Pixels that a line keeps free at its ends, the cursor's among them."""

ARROW = 4
"""Letters for which there would be room in place of the arrow of a box."""


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
        self.setMinimumWidth(NARROWEST)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setToolTip(hint)
        self.lineEdit().setPlaceholderText(hint)
        self._chosen, self._names, self._hint = chosen, (), hint
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
            self.setToolTip(f"{self._hint}\n{expression}" if expression else self._hint)

    def make_room(self) -> None:
        """Be wide enough for what is shown where it is short, and for its beginning else."""
        self.setMinimumWidth(self._width_of(self.currentText()[:WHOLE]))

    def wanted(self) -> int:
        """Return the width at which all that is shown can be read, or as much of it as is reasonable."""
        return self._width_of(self.currentText()[:LONGEST])

    def _width_of(self, text: str) -> int:
        letters = self.fontMetrics()
        frame = self.sizeHint().width() - letters.horizontalAdvance("X") * self.minimumContentsLength()
        return max(NARROWEST, frame + EDGES + letters.horizontalAdvance(text))

    def _finish(self) -> None:
        self._chosen(self.currentText().strip())


class Strip(QWidget):
    """Boxes and buttons in a row, or in two; they act on a view state."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAutoFillBackground(True)
        self._rows = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._rows.setContentsMargins(8, 4, 8, 4)
        self._rows.setSpacing(6)
        self._boxes, self._buttons = QHBoxLayout(), QHBoxLayout()
        for row, stretch in ((self._boxes, 1), (self._buttons, 0)):
            row.setSpacing(6)
            self._rows.addLayout(row, stretch)
        self._labels: list[QLabel] = []

    def fit(self, width: int) -> int:
        """Arrange for a width and return the height: two rows, and no labels, where it is narrow."""
        for label in self._labels:
            label.show()
        boxes, buttons = (row.minimumSize().width() for row in (self._boxes, self._buttons))
        room = width - 16
        beside = self._wanted() + buttons + 6 <= room
        for label in self._labels:
            label.setVisible(boxes <= room)
        directions = QBoxLayout.Direction
        self._rows.setDirection(directions.LeftToRight if beside else directions.TopToBottom)
        self._buttons.setAlignment(Qt.AlignmentFlag.AlignLeft)
        return self._rows.minimumSize().height()

    def _wanted(self) -> int:
        """Return how wide the boxes are that show all they hold, as far as that is not very long."""
        parts = [self._boxes.itemAt(number).widget() for number in range(self._boxes.count())]
        widths = [part.wanted() if isinstance(part, ExpressionBox) else part.minimumSizeHint().width()
                  for part in parts if not part.isHidden()]  # fmt: skip
        return sum(widths) + (len(widths) - 1) * self._boxes.spacing()

    def add_box(self, label: str, box: QWidget) -> None:
        """Add a box with its label."""
        text = QLabel(label)
        text.setBuddy(box)
        self._labels.append(text)
        self._boxes.addWidget(text)
        self._boxes.addWidget(box, SHORTEST + ARROW)

    def share(self) -> None:
        """Give the boxes room by the lengths of what they show."""
        for number in range(self._boxes.count()):
            box = self._boxes.itemAt(number).widget()
            if isinstance(box, ExpressionBox):
                box.make_room()
                self._boxes.setStretch(number, ARROW + min(max(len(box.currentText()), SHORTEST), LONGEST))

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
        self._buttons.addWidget(button)
        return button

    def add_gap(self) -> None:
        """Leave a little room between groups."""
        self._buttons.addSpacing(6)
