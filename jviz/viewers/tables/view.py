"""A view of a `TableModel`: sorted by a click, copied by Ctrl+C, with the place its cells need."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import QEvent, QItemSelection, QItemSelectionModel, QSignalBlocker, Qt
from PySide6.QtGui import QGuiApplication, QKeySequence, QPainter, QPaintEvent, QPalette, QShortcut
from PySide6.QtWidgets import QHeaderView, QTableView

from jviz.viewers.look import blended
from jviz.viewers.tables.cells import paint_cells
from jviz.viewers.tables.headers import Header
from jviz.viewers.tables.model import TableModel

__all__ = ["TableView"]

MEASURED_ROWS, MEASURED_CELLS, MEASURED_TEXTS = 60, 450, 6

FOLLOWED = 50
"""Selected rows that Qt follows by itself when they are sorted."""

MOST_WIDTH = 320
PADDING = 18


class TableView(QTableView):
    """Shows an astropy table.

    Attributes
    ----------
    table_model : TableModel
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self.table_model = TableModel(self)
        self.setModel(self.table_model)
        self.setAccessibleName(name)
        self.setFrameShape(QTableView.Shape.NoFrame)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setAlternatingRowColors(True)
        self.setTabKeyNavigation(False)
        self.setCornerButtonEnabled(False)
        self.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        self.setHorizontalScrollMode(QTableView.ScrollMode.ScrollPerPixel)
        header, rows = (Header(way, self.table_model) for way in (Qt.Orientation.Horizontal, Qt.Orientation.Vertical))
        self.setHorizontalHeader(header)
        self.setVerticalHeader(rows)
        # Else it asks, each time that it is painted, whether all cells of a column are selected: 0.2 s of 10,000 rows.
        header.setSelectionModel(QItemSelectionModel(self.table_model, header))
        header.setSortIndicatorClearable(True)
        header.setMinimumSectionSize(36)
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self._set_aside: list[int] = []
        header.sortIndicatorChanged.connect(self._set_selection_aside)
        self.setSortingEnabled(True)
        header.sortIndicatorChanged.connect(self._take_selection_back)
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(self.fontMetrics().height() + 6)
        rows.setDefaultAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        copy = QShortcut(QKeySequence(QKeySequence.StandardKey.Copy), self, self.copy)
        copy.setContext(Qt.ShortcutContext.WidgetShortcut)
        self._colour()

    def show_table(self, table: Any, *, fit: bool = True) -> None:
        """Take over a table; None empties the view. ``fit=False`` leaves the columns as wide as they are."""
        self.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.table_model.show(table)
        if fit:
            self.fit_columns()
        self.scrollToTop()

    # --- rows -----------------------------------------------------------------------------------

    def selected_rows(self) -> list[int]:
        """Return the selected rows, counted in the table, in the order in which they are shown."""
        return [int(r) for r in self.table_model.table_rows(self._selected())]

    def select_rows(self, rows: Any) -> None:
        """Select rows of the table and go to the first of them."""
        shown = self._choose(rows)
        if len(shown):
            self.scrollTo(self.table_model.index(int(shown[0]), 0))

    def _choose(self, rows: Any) -> np.ndarray:
        """Select rows of the table; return where they are shown."""
        model, chosen = self.table_model, QItemSelection()
        shown = np.flatnonzero(np.isin(model.order, np.asarray(rows if hasattr(rows, "__len__") else list(rows), int)))
        # Runs as wide as the table, not cells or rows: what Qt has to complete takes it seconds for thousands of them.
        for run in model.runs(shown):
            chosen.append(run)
        self.selectionModel().select(chosen, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        return shown

    def sortByColumn(self, column: int, order: Qt.SortOrder) -> None:
        """Sort the rows as a click on the header does; Qt would do it twice, once with each selected cell followed."""
        header = self.horizontalHeader()
        if (header.sortIndicatorSection(), header.sortIndicatorOrder()) == (column, order):
            header.sortIndicatorChanged.emit(column, order)
        else:
            header.setSortIndicator(column, order)

    def _set_selection_aside(self) -> None:
        """Keep what is selected from Qt while the rows change places: it would follow each cell of many rows."""
        rows = self.selected_rows()
        self._set_aside = rows if len(rows) > FOLLOWED else []
        if self._set_aside:
            with QSignalBlocker(self.selectionModel()):  # the same rows are selected afterwards
                self.selectionModel().clear()

    def _take_selection_back(self) -> None:
        rows, self._set_aside = self._set_aside, []
        if rows:
            with QSignalBlocker(self.selectionModel()):
                shown = self._choose(rows)
            self.scrollTo(self.table_model.index(int(shown[0]), 0))

    def copy(self) -> None:
        """Copy the selected rows, or all, as text with tabs."""
        rows = self._selected() or range(self.table_model.rowCount())
        QGuiApplication.clipboard().setText(self.table_model.text_of(rows))

    def _selected(self) -> list[int]:
        # Ranges, not indexes: Select All on 100,000 rows makes one range, and a million indexes.
        spans = self.selectionModel().selection()
        return sorted({row for span in spans for row in range(span.top(), span.bottom() + 1)})

    def chosen_in(self, first: int, last: int) -> set[int]:
        """Return which of these rows of the view are selected."""
        # Qt looks through thousands of ranges in the time in which Python looks at a few.
        model, is_selected = self.table_model, self.selectionModel().isSelected
        return {row for row in range(first, last + 1) if is_selected(model.index(row, 0))}

    # --- looks ----------------------------------------------------------------------------------

    def fit_columns(self) -> None:
        """Give each column the width of its header and of its first cells."""
        model, metrics, header = self.table_model, self.fontMetrics(), self.horizontalHeader()
        most = max(8, min(MEASURED_ROWS, MEASURED_CELLS // max(len(model.columns), 1)))
        rows = range(min(most, model.rowCount()))
        for number, column in enumerate(model.columns):
            texts = [column.shown(row) for row in rows]
            if column.is_number:  # all digits are as wide, and to measure each text takes longer than all the rest
                texts = sorted(set(texts), key=len)[-MEASURED_TEXTS:]
            widths = [metrics.horizontalAdvance(text) for text in (column.unit, *texts)]
            widths.append(metrics.horizontalAdvance(column.name) + PADDING)  # room for the arrow of the order
            header.resizeSection(number, min(max(widths) + PADDING, MOST_WIDTH))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the cells in sight."""
        with QPainter(self.viewport()) as painter:
            paint_cells(self, painter, event.rect())

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._colour()

    def _colour(self) -> None:
        palette = self.palette()
        self.table_model.faint = blended(
            palette.color(QPalette.ColorRole.Text), palette.color(QPalette.ColorRole.Base), 0.55
        )
