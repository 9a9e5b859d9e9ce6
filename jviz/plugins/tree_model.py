"""Rows below rows, for views of Qt, made of plain Python objects.

Qt asks the model for what is in sight; no object of Qt is made, owned or deleted for a row.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QObject, Qt, Signal
from PySide6.QtGui import QFont, QIcon

__all__ = ["Row", "Rows"]

NOWHERE = QModelIndex()
Role = Qt.ItemDataRole


@dataclass(eq=False)
class Row:
    """One row: a text for each column, and the rows below it.

    Attributes
    ----------
    what : object
        What the row stands for.
    short : str
        Written in place of the first text, which is edited.
    """

    texts: tuple[str, ...]
    what: Any = None
    children: list[Row] = field(default_factory=list)
    tip: str = ""
    icon: QIcon | None = None
    bold: bool = False
    editable: bool = False
    draggable: bool = False
    short: str = ""
    parent: Row | None = None
    position: int = 0
    number: int = 0


class Rows(QAbstractItemModel):
    """A tree of `Row`; every show replaces all of them.

    Attributes
    ----------
    edited : Signal
        With the `Row` and the text that the user wrote into its first column.
    """

    edited = Signal(object, str)

    def __init__(self, titles: tuple[str, ...], parent: QObject) -> None:
        super().__init__(parent)
        self._titles = titles
        self._top: list[Row] = []
        self._all: list[Row] = []

    @property
    def top(self) -> list[Row]:
        """The rows that are below no other."""
        return self._top

    def show(self, rows: Iterable[Row]) -> None:
        """Take over rows instead of those that are there."""
        self.beginResetModel()
        self._top, self._all = list(rows), []
        self._number(self._top, None)
        self.endResetModel()

    def _number(self, rows: list[Row], parent: Row | None) -> None:
        for position, row in enumerate(rows):
            row.parent, row.position, row.number = parent, position, len(self._all)
            self._all.append(row)
            self._number(row.children, row)

    def row(self, index: QModelIndex) -> Row:
        """Return the row at an index."""
        return self._all[index.internalId()]

    def index_of(self, row: Row, column: int = 0) -> QModelIndex:
        """Return the index of a row."""
        return self.createIndex(row.position, column, row.number)

    def _below(self, index: QModelIndex) -> list[Row]:
        if not index.isValid():
            return self._top
        return self.row(index).children if index.column() == 0 else []

    # --- what views ask -------------------------------------------------------------------------

    def index(self, row: int, column: int, parent: QModelIndex = NOWHERE) -> QModelIndex:
        rows = self._below(parent)
        if not (0 <= row < len(rows) and 0 <= column < len(self._titles)):
            return QModelIndex()
        return self.index_of(rows[row], column)

    def parent(self, index: QModelIndex | None = None) -> Any:
        if index is None:
            return super().parent()
        above = self.row(index).parent if index.isValid() else None
        return QModelIndex() if above is None else self.index_of(above)

    def rowCount(self, parent: QModelIndex = NOWHERE) -> int:
        return len(self._below(parent))

    def columnCount(self, parent: QModelIndex = NOWHERE) -> int:
        return len(self._titles)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Role.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Role.DisplayRole:
            return self._titles[section]
        return None

    def flags(self, index: QModelIndex) -> Qt.ItemFlag:
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        row = self.row(index)
        if row.draggable:
            flags |= Qt.ItemFlag.ItemIsDragEnabled
        return flags | Qt.ItemFlag.ItemIsEditable if row.editable and index.column() == 0 else flags

    def data(self, index: QModelIndex, role: int = Role.DisplayRole) -> Any:
        row, column = self.row(index), index.column()
        if role in (Role.DisplayRole, Role.EditRole):
            return row.short if row.short and column == 0 and role == Role.DisplayRole else row.texts[column]
        if role == Role.ToolTipRole:
            return (row.tip if column == 0 else "") or row.texts[column]
        if column == 0 and role == Role.DecorationRole:
            return row.icon
        if column == 0 and role == Role.FontRole and row.bold:
            return _bold()
        return None

    def setData(self, index: QModelIndex, value: Any, role: int = Role.EditRole) -> bool:
        if role != Role.EditRole or not index.isValid():
            return False
        self.edited.emit(self.row(index), str(value))
        return True


@cache
def _bold() -> QFont:
    font = QFont()
    font.setBold(True)
    return font
