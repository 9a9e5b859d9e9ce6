"""Boxes for numbers, whose text stands as far from the edge as that of fields beside them."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QDoubleSpinBox, QSpinBox

__all__ = ["NumberBox", "WholeBox"]

ROOM = 7
"""Logical pixels before the text. Qt leaves the left padding of a style sheet out where a box has its arrows."""


class NumberBox(QDoubleSpinBox):
    """A box for a number; takes the properties of `QDoubleSpinBox` by name."""

    def __init__(self, *arguments: Any, **properties: Any) -> None:
        super().__init__(*arguments, **properties)
        self.lineEdit().setTextMargins(ROOM, 0, 0, 0)


class WholeBox(QSpinBox):
    """A box for a whole number; takes the properties of `QSpinBox` by name."""

    def __init__(self, *arguments: Any, **properties: Any) -> None:
        super().__init__(*arguments, **properties)
        self.lineEdit().setTextMargins(ROOM, 0, 0, 0)
