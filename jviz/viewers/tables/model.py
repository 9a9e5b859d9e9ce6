"""A table of astropy as a Qt model: quick with many rows, sorted without touching the table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from PySide6.QtCore import QAbstractTableModel, QItemSelectionRange, QModelIndex, QObject, Qt
from PySide6.QtGui import QColor

from jviz.backend.catalogs.columns import TableColumn, columns_of

__all__ = ["TableModel"]

ROLES = Qt.ItemDataRole
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
UNSORTED = (-1, Qt.SortOrder.AscendingOrder)


class TableModel(QAbstractTableModel):
    """Rows and columns of an astropy table; headers have the units, what is missing is a quiet dash.

    Attributes
    ----------
    table : Table or None
        As it was given; sorting changes `order` only.
    columns : list of TableColumn
    order : ndarray of int
        Row of the table for each row that is shown.
    faint : QColor
        Of cells without a value.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.table: Any = None
        self.columns: list[TableColumn] = []
        self.order = np.arange(0)
        self._has_units = False
        self.faint = QColor("gray")
        self._marks: list[tuple[np.ndarray, QColor]] = []
        self._badges: tuple[np.ndarray, Any, str] | None = None
        self._kept: np.ndarray | None = None
        self._sorted = UNSORTED
        self._whole: tuple[tuple[int, Qt.SortOrder], np.ndarray] | None = None

    def show(self, table: Any) -> None:
        """Take over a table, in its own order; None shows nothing."""
        self.table = table
        columns = columns_of(table) if table is not None else []
        self.show_columns(columns, len(table) if table is not None else 0)

    def show_columns(
        self,
        columns: list[TableColumn],
        rows: int,
        *,
        order: np.ndarray | None = None,
        by: tuple[int, Qt.SortOrder] = UNSORTED,
    ) -> None:
        """Take over columns that are worked out already, in their own order, or in one that is worked out, too.

        Parameters
        ----------
        order : ndarray of int, optional
            Rows in the order of a column.
        by : (int, SortOrder)
            That column, and which way.
        """
        self.beginResetModel()
        self._take(columns)
        self._marks, self._badges = [], None
        self.order = np.arange(rows) if order is None else order
        self._kept, self._sorted, self._whole = None, UNSORTED if order is None else by, None
        self.endResetModel()

    def grow(self, table: Any, columns: list[TableColumn], rows: int) -> None:
        """Take over a table that begins with the rows of the present one; the new ones come at the end."""
        before = 0 if self.table is None else len(self.table)
        if before == 0 or [c.name for c in columns] != [c.name for c in self.columns]:
            self.table = table
            self.show_columns(columns, rows)
            return
        at = len(self.order)
        self.beginInsertRows(QModelIndex(), at, at + rows - before - 1)
        self.table, self._whole = table, None
        self._take(columns)
        self.order = np.concatenate([self.order, np.arange(before, rows)])
        self.endInsertRows()

    def _take(self, columns: list[TableColumn]) -> None:
        self.columns, self._has_units = list(columns), any(column.unit for column in columns)

    def keep(self, kept: np.ndarray | None) -> None:
        """Show the rows of the table that are True, all for None; they stay sorted as they are."""
        self._kept = kept
        self.set_order(self._ordered(*self._sorted))

    def set_order(self, order: np.ndarray) -> None:
        """Show these rows in this order; what was selected in the view is not any more."""
        self.beginResetModel()
        self.order = order
        self.endResetModel()

    def mark(self, marks: list[tuple[np.ndarray, QColor]]) -> None:
        """Colour rows: pairs of a value for each row of the table, True to mark it, and a colour; the last wins."""
        self._marks = [(rows, _pale(colour)) for rows, colour in marks]
        if len(self.order) and self.columns:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self.order) - 1, len(self.columns) - 1))

    def badge(self, rows: np.ndarray, icon: Any, about: str) -> None:
        """Put an icon beside the numbers of rows: a value for each row of the table, True for those that get it.

        Parameters
        ----------
        icon : QIcon
        about : str
            What it says, shown when the mouse rests on it.
        """
        self._badges = rows, icon, about
        if len(self.order):
            self.headerDataChanged.emit(Qt.Orientation.Vertical, 0, len(self.order) - 1)

    def _has_badge(self, shown: int) -> bool:
        row = int(self.order[shown])
        return self._badges is not None and row < len(self._badges[0]) and bool(self._badges[0][row])

    # --- what Qt asks ---------------------------------------------------------------------------

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.order)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.columns)

    def data(self, index: QModelIndex, role: int = ROLES.DisplayRole) -> Any:
        column, row = self.columns[index.column()], int(self.order[index.row()])
        if role == ROLES.DisplayRole:
            return column.shown(row)
        if role == ROLES.TextAlignmentRole:
            return RIGHT if column.is_number else LEFT
        if role == ROLES.ToolTipRole:
            return f"{column.name} = {column.exact(row) or 'no value'} {column.unit}".rstrip()
        if role == ROLES.ForegroundRole and column.is_missing(row):
            return self.faint
        if role == ROLES.BackgroundRole:
            return self.colour_of(index.row())
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = ROLES.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Vertical:
            return self._of_row(section, role)
        column = self.columns[section]
        if role == ROLES.DisplayRole:
            return f"{column.name}\n{column.unit}" if self._has_units else column.name
        if role == ROLES.TextAlignmentRole:
            return RIGHT if column.is_number else LEFT
        if role == ROLES.ToolTipRole:
            facts = (column.name + (f" ({column.unit})" if column.unit else ""), column.about, _type(column))
            return "\n".join(filter(None, facts))
        return None

    def _of_row(self, shown: int, role: int) -> Any:
        if role == ROLES.DisplayRole:
            return str(int(self.order[shown]) + 1)
        if role in (ROLES.DecorationRole, ROLES.ToolTipRole) and self._badges is not None and self._has_badge(shown):
            return self._badges[1 if role == ROLES.DecorationRole else 2]
        return None

    def sort(self, section: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Order the rows by a column; -1 gives the table's own order. Selected rows stay selected."""
        self.layoutAboutToBeChanged.emit()
        kept, before = self.persistentIndexList(), self.order
        self._sorted = section, order
        self.order = self._ordered(section, order)
        place = np.empty(int(before.max(initial=-1)) + 1, np.intp)
        place[self.order] = np.arange(len(before))
        moved = [self.index(int(place[before[index.row()]]), index.column()) for index in kept]
        self.changePersistentIndexList(kept, moved)
        self.layoutChanged.emit()

    def _ordered(self, section: int, order: Qt.SortOrder) -> np.ndarray:
        """Return the rows that are kept, in the order of a column; -1: in that of the table."""
        if 0 <= section < len(self.columns):
            # Facets ask for the same order again and again.
            if self._whole is None or self._whole[0] != (section, order):
                descending = order == Qt.SortOrder.DescendingOrder
                self._whole = (section, order), self.columns[section].order(descending=descending)
            rows = self._whole[1]
        elif self._kept is not None:
            return np.flatnonzero(self._kept)
        else:
            return np.arange(len(self.columns[0].values)) if self.columns else np.arange(len(self.order))
        return rows if self._kept is None else rows[self._kept[rows]]

    # --- what panels ask ------------------------------------------------------------------------

    def table_rows(self, shown: Iterable[int]) -> np.ndarray:
        """Return which rows of the table stand in these rows of the view."""
        return self.order[np.fromiter(shown, np.intp)]

    def widest_rows(self) -> list[int]:
        """Return the rows of the view that take the most room to be numbered: the highest number, and one with an icon.

        Empty where there are no rows.
        """
        if not len(self.order):
            return []
        widest = [int(np.argmax(self.order))]
        if self._badges is not None:
            widest += np.flatnonzero(np.isin(self.order, np.flatnonzero(self._badges[0])))[:1].tolist()
        return widest

    def colour_of(self, shown: int) -> QColor | None:
        """Return the colour that a row of the view is marked with."""
        row = self.order[shown]
        return next((colour for rows, colour in reversed(self._marks) if rows[row]), None)

    def shown_row(self, row: int) -> int:
        """Return where a row of the table is shown."""
        return int(np.flatnonzero(self.order == row)[0])

    def runs(self, shown: np.ndarray) -> list[QItemSelectionRange]:
        """Return rows of the view, in rising order, as ranges of whole rows that follow one another."""
        if not len(shown) or not self.columns:
            return []
        breaks, right = np.flatnonzero(np.diff(shown) > 1), len(self.columns) - 1
        firsts, lasts = shown[np.append(0, breaks + 1)], shown[np.append(breaks, -1)]
        return [QItemSelectionRange(self.createIndex(first, 0), self.createIndex(last, right))
                for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True)]  # fmt: skip

    def text_of(self, shown: Iterable[int]) -> str:
        """Return rows as text with tabs, with all digits, below a line of names and units."""
        head = "\t".join(f"{c.name} ({c.unit})" if c.unit else c.name for c in self.columns)
        rows = ("\t".join(column.exact(int(row)) for column in self.columns) for row in self.table_rows(shown))
        return "\n".join([head, *rows])


def _pale(colour: QColor) -> QColor:
    """Return a colour that text can be read on, in dark and bright themes."""
    pale = QColor(colour)
    pale.setAlphaF(0.35)
    return pale


def _type(column: TableColumn) -> str:
    return "text" if column.values.dtype.kind in "OUS" else column.values.dtype.name
