"""Products as a tree: observations, and below each its files; quick also with hundreds of thousands of them."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import (
    QAbstractItemModel,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPoint,
    Qt,
    QUrl,
    Signal,
)
from PySide6.QtGui import QDesktopServices, QGuiApplication, QIcon
from PySide6.QtWidgets import QFileDialog, QMenu, QTreeView

from jviz.api import ProductGroups, address_of, counted, size_text
from jviz.plugins.parts import fit_first

__all__ = ["ProductTree"]

COLUMNS = ("File", "Size", "Level", "Kind", "Type", "Rights")
NAME, SIZE, LEVEL, KIND, TYPE, RIGHTS = range(len(COLUMNS))
FIELDS = ("productFilename", "size", "calib_level", "productSubGroupDescription", "productType", "dataRights")
RIGHTS_SHOWN = {"EXCLUSIVE_ACCESS": "exclusive", "PUBLIC": "public", "RESTRICTED": "restricted"}

MOST_OPEN = 2_000
"""Files up to which all observations are unfolded at first."""


class ProductModel(QAbstractItemModel):
    """Observations and files; an index of a file holds the number of its observation plus one."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self.groups: ProductGroups | None = None
        self._orders: list[np.ndarray] = []
        self._columns: dict[int, Any] = {}
        self._sorted = (-1, Qt.SortOrder.AscendingOrder)
        self.paths: list[Path | None] = []
        """Of each row of the table its file on this machine; empty while that is not known."""
        self._here = np.zeros(0, bool)
        self.icons: tuple[QIcon, QIcon] | None = None
        """Of files that are here, and of those that are not."""

    def show(self, groups: ProductGroups | None) -> None:
        """Take over products; None shows nothing."""
        self.beginResetModel()
        self.groups, self.paths = groups, []
        self._here = np.zeros(0 if groups is None else len(groups.table), bool)
        names = () if groups is None else groups.table.colnames
        self._columns = {column: groups.table[field] for column, field in enumerate(FIELDS) if field in names}
        self._order()
        self.endResetModel()

    def show_here(self, paths: list[Path | None]) -> None:
        """Take note of which files are on this machine."""
        self.paths, self._here = paths, np.array([path is not None for path in paths], bool)
        for number, rows in enumerate(self._orders):
            self.dataChanged.emit(self.createIndex(0, NAME, number + 1),
                                  self.createIndex(len(rows) - 1, NAME, number + 1))  # fmt: skip
        if self._orders:
            self.dataChanged.emit(self.createIndex(0, NAME, 0), self.createIndex(len(self._orders) - 1, NAME, 0))

    def are_here(self, rows: np.ndarray) -> np.ndarray:
        """Return which of these rows of the table are files on this machine."""
        return self._here[rows]

    def path_of(self, row: int) -> Path | None:
        """Return the file on this machine that a row of the table is, None when there is none."""
        return self.paths[row] if self.paths else None

    def rows_of(self, index: QModelIndex) -> np.ndarray:
        """Return the rows of the table that an index stands for: all files of an observation, or one."""
        if not index.isValid():
            return np.arange(0)
        if index.internalId() == 0:
            return self._orders[index.row()]
        return self._orders[index.internalId() - 1][index.row() : index.row() + 1]

    def index_of(self, row: int) -> QModelIndex:
        """Return the index of a row of the table."""
        for number, order in enumerate(self._orders):
            found = np.flatnonzero(order == row)
            if len(found):
                return self.createIndex(int(found[0]), 0, number + 1)
        return QModelIndex()

    # --- what Qt asks ---------------------------------------------------------------------------

    def index(self, row: int, column: int, parent: QModelIndex | None = None) -> QModelIndex:
        inside = 0 if parent is None or not parent.isValid() else parent.row() + 1
        return self.createIndex(row, column, inside)

    def parent(self, index: QModelIndex | None = None) -> Any:
        if index is None:
            return super().parent()
        return QModelIndex() if index.internalId() == 0 else self.createIndex(index.internalId() - 1, 0, 0)

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        if parent is None or not parent.isValid():
            return len(self._orders)
        return len(self._orders[parent.row()]) if parent.internalId() == 0 and parent.column() == 0 else 0

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        return len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if section == SIZE else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        column = index.column()
        if role == Qt.ItemDataRole.TextAlignmentRole and column == SIZE:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.DecorationRole and column == NAME and self.paths and self.icons:
            is_file, are_here = index.internalId() > 0, bool(self.are_here(self.rows_of(index)).all())
            return self.icons[0 if are_here else 1] if is_file or are_here else None
        if role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole) or self.groups is None:
            return None
        if index.internalId() == 0:
            return self._of_observation(index.row(), column, role)
        row = int(self.rows_of(index)[0])
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._about(row)
        return self._shown(row, column)

    def _of_observation(self, number: int, column: int, role: int) -> str:
        assert self.groups is not None
        count = counted(len(self._orders[number]), "file")
        if role == Qt.ItemDataRole.ToolTipRole:
            here = int(self.are_here(self._orders[number]).sum())
            more = f"\n{here:,} of them on this machine" if here else ""
            size = size_text(self.groups.sizes[number]) if self.groups.sizes[number] else "size unknown"
            return f"{self.groups.observations[number]}\n{count}, {size}{more}"
        if column == NAME:
            return self.groups.observations[number] or "Other files"
        if column == SIZE:
            return size_text(self.groups.sizes[number]) if self.groups.sizes[number] else "–"
        return count if column == KIND else ""

    def _shown(self, row: int, column: int) -> str:
        value = _cell(self._columns.get(column), row)
        if column == SIZE:
            return size_text(float(value)) if value else "–"
        if column == LEVEL:
            return "" if value is None or value < 0 else str(value)
        if column == RIGHTS:
            return RIGHTS_SHOWN.get(str(value or ""), str(value or "").lower())
        return str(value or "").lower() if column == TYPE else str(value or "")

    def _about(self, row: int) -> str:
        assert self.groups is not None
        table = self.groups.table
        lines = [_cell(table[name], row) for name in ("productFilename", "description", "dataURI")
                 if name in table.colnames]  # fmt: skip
        path = self.path_of(row)
        lines.append(f"On this machine: {path}" if path else "")
        return "\n".join(str(line) for line in lines if line)

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Order the files of each observation by a column; -1 gives the order in which they came."""
        self.layoutAboutToBeChanged.emit()
        kept = self.persistentIndexList()
        rows = [int(self.rows_of(index)[0]) if index.internalId() else -1 for index in kept]
        self._sorted = column, order
        self._order()
        moved = [index if row < 0 else self.index_of(row).siblingAtColumn(index.column())
                 for index, row in zip(kept, rows, strict=True)]  # fmt: skip
        self.changePersistentIndexList(kept, moved)
        self.layoutChanged.emit()

    def _order(self) -> None:
        groups = () if self.groups is None else self.groups.rows
        values = _plain(self._columns.get(self._sorted[0]))
        if values is None:
            self._orders = list(groups)
            return
        self._orders = [rows[np.argsort(values[rows], kind="stable")] for rows in groups]
        if self._sorted[1] == Qt.SortOrder.DescendingOrder:
            self._orders = [rows[::-1] for rows in self._orders]


def _cell(column: Any, row: int) -> Any:
    """Return a value of a column, None where there is none."""
    if column is None:
        return None
    value = column[row]
    if np.ma.is_masked(value) or bool(getattr(value, "mask", False)):
        return None
    return getattr(value, "value", value)


def _plain(column: Any) -> np.ndarray | None:
    if column is None:
        return None
    column = getattr(column, "unmasked", column)
    return np.asarray(np.ma.getdata(getattr(column, "value", column)))


class ProductTree(QTreeView):
    """The view of products.

    Attributes
    ----------
    opened : Signal
        With the row of the table of a file that was double clicked, or on which Return was pressed.
    """

    opened = Signal(int)

    def __init__(self, name: str, context: Any) -> None:
        super().__init__()
        self.context = context
        self.products = ProductModel(self)
        self.products.icons = context.icon("fa6s.circle-check", "#3fb950"), context.icon("fa6s.cloud", "#8b949e")
        self.setModel(self.products)
        self.setAccessibleName(name)
        self.setUniformRowHeights(True)
        self.setAlternatingRowColors(True)
        self.setFrameShape(QTreeView.Shape.NoFrame)
        self.setIndentation(14)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setSelectionMode(QTreeView.SelectionMode.ExtendedSelection)
        header, digit = self.header(), self.fontMetrics().horizontalAdvance("0")
        header.setSortIndicatorClearable(True)
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.setSortingEnabled(True)
        header.setStretchLastSection(False)
        header.setMinimumSectionSize(30)
        for column, letters in enumerate((0, 9, 7, 9, 10, 10)):
            if letters:
                header.resizeSection(column, letters * digit)
        self.activated.connect(self._open)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(lambda place: self.popup(self.viewport().mapToGlobal(place)))

    def resizeEvent(self, event: Any) -> None:
        super().resizeEvent(event)
        fit_first(self, 26)

    @property
    def table(self) -> Any:
        """The products that are shown, None without any."""
        return None if self.products.groups is None else self.products.groups.table

    def show_groups(self, groups: ProductGroups | None) -> None:
        """Take over products; what was selected is not any more."""
        self.products.show(groups)
        if groups is not None and len(groups.table) <= MOST_OPEN:
            self.expandAll()

    def selected_rows(self) -> list[int]:
        """Return the selected rows of the table; an observation stands for all of its files."""
        found: set[int] = set()
        for span in self.selectionModel().selection():
            inside = span.parent()
            for row in range(span.top(), span.bottom() + 1):
                found.update(self.products.rows_of(self.products.index(row, 0, inside)).tolist())
        return sorted(found)

    def select_rows(self, rows: Any) -> None:
        """Select rows of the table."""
        chosen = QItemSelection()
        for row in rows:
            index = self.products.index_of(int(row))
            chosen.select(index, index)
        flags = QItemSelectionModel.SelectionFlag
        self.selectionModel().select(chosen, flags.ClearAndSelect | flags.Rows)

    def chosen_rows(self) -> np.ndarray:
        """Return the selected rows of the table, all when none is."""
        rows = self.selected_rows()
        return np.array(rows) if rows else np.arange(0 if self.table is None else len(self.table))

    def chosen(self) -> Any:
        """Return the selected files as a table, all when none is; None without any."""
        rows = self.selected_rows()
        return self.table if not rows or self.table is None else self.table[rows]

    def size_of(self, table: Any) -> str:
        """Say how many files and bytes a table of products has."""
        if table is None or not len(table):
            return "0 files"
        sizes = np.nan_to_num(np.asarray(_plain(table["size"]), float)) if "size" in table.colnames else np.zeros(1)
        unknown = int(np.sum(sizes <= 0))
        more = f" and {counted(unknown, 'file')} of unknown size" if unknown and sizes.sum() else ""
        size = size_text(float(sizes.sum())) if sizes.sum() else "size unknown"
        return f"{counted(len(table), 'file')}, {size}{more}"

    def _open(self, index: QModelIndex) -> None:
        if index.internalId():
            self.opened.emit(int(self.products.rows_of(index)[0]))

    # --- going out ------------------------------------------------------------------------------

    def popup(self, place: QPoint) -> None:
        """Show the menu of what can be written, when there are products."""
        if self.table is not None and len(self.table):
            self.menu().popup(place)

    def menu(self) -> QMenu:
        """Return the menu of what can be written of the selected products, of all when none is selected."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        folders = menu.addAction("Show in Folder", self.show_folder)
        folders.setEnabled(self._first_here() is not None)
        menu.addAction("Copy Addresses", self.copy_addresses)
        menu.addAction("Write cURL Script…", partial(self._write, "archive.script", "get_data.sh", "Shell (*.sh)"))
        menu.addAction("Write Addresses…", partial(self._write, "archive.urls", "addresses.txt", "Text (*.txt)"))
        return menu

    def _first_here(self) -> Path | None:
        rows = self.chosen_rows()
        here = rows[self.products.are_here(rows)]
        return self.products.path_of(int(here[0])) if len(here) else None

    def show_folder(self) -> None:
        """Show the folder of the first of the selected files that is on this machine."""
        path = self._first_here()
        if path is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(path.parent)))

    def copy_addresses(self) -> None:
        """Copy the addresses of the selected products, of all when none is selected."""
        table = self.chosen()
        if table is None or not len(table):
            return
        QGuiApplication.clipboard().setText("\n".join(address_of(str(uri)) for uri in table["dataURI"]))
        self.context.notify("status", f"Copied the addresses of {counted(len(table), 'file')}.")

    def _write(self, id: str, name: str, kinds: str) -> None:
        path, _ = QFileDialog.getSaveFileName(self, "Write", name, kinds)
        if path:
            self.context.run(id, products=self.chosen(), path=path)
