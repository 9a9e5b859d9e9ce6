"""The table of the Library panel: a small picture in each row, and rows that can be dragged onto viewers."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import QMimeData, QPoint, QRect, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import QColor, QDrag, QImage, QMouseEvent, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QApplication

from jviz.api import TableView
from jviz.plugins.parts import paint_hint

__all__ = ["LibraryTable"]

HIGH = 52
"""Height of a row with a picture."""

MARGIN = 3

MEASURED = 100
"""Rows whose reasons are measured for the width of their column."""

ABSENT = (("missing", "#d29922"), ("dropped", "#6e7681"))
"""Colours of rows whose files are not on the disk."""

BAD = "#c01c28"
"""Colour of rows of products that something is wrong with."""

LEFT = Qt.MouseButton.LeftButton


class LibraryTable(TableView):
    """Shows rows of the library; the first column is that of the pictures.

    Attributes
    ----------
    pictures : dict of str to QPixmap or None
        By SHA-256; None where there is nothing to draw.
    hint : str
        Shown instead of rows when there are none.
    """

    pictures_wanted = Signal(list)
    """Rows of the table, in sight, whose pictures are not there."""

    def __init__(self) -> None:
        super().__init__("Files of the library")
        self.pictures: dict[str, QPixmap | None] = {}
        self.hint = ""
        self.paths = np.empty(0, str)
        self._known_sums = np.empty(0, str)
        self._sized: dict[tuple[str, int], QPixmap] = {}
        self._with_pictures = True
        self._pressed: QPoint | None = None
        self._was_selected = False
        self._ask = QTimer(self, singleShot=True, interval=60)
        self._ask.timeout.connect(self._want)
        self._plain = self.verticalHeader().defaultSectionSize()
        self.show_pictures(True)

    # --- rows -----------------------------------------------------------------------------------

    def order_wanted(self) -> tuple[str, bool]:
        """Return the column by which the user wants the rows in order ("": as they come), and whether downwards."""
        header, columns = self.horizontalHeader(), self.table_model.columns
        section = header.sortIndicatorSection()
        name = columns[section].name if 0 <= section < len(columns) else ""
        return name, header.sortIndicatorOrder() == Qt.SortOrder.DescendingOrder

    def take(self, found: Any) -> None:
        """Show other rows (`LibraryFound`); order, selection and place in the table stay as far as they can."""
        chosen, top = self.paths_of(self.selected_rows()), self.verticalScrollBar().value()
        by, _ = self.order_wanted()
        has_sums = found is not None and "sha256" in found.table.colnames
        self.paths = found.paths if found is not None else np.empty(0, str)
        self._known_sums = np.asarray(found.table["sha256"], str) if has_sums else np.empty(0, str)
        if found is None:
            self.show_table(None)
            return
        names, header = [column.name for column in found.columns], self.horizontalHeader()
        same = names == [column.name for column in self.table_model.columns] and self.table_model.rowCount() > 0
        section = names.index(by) if by in names and found.order is not None else -1
        self.table_model.table = found.table
        self.table_model.show_columns(found.columns, len(found.table), order=found.order if section >= 0 else None,
                                      by=(section, header.sortIndicatorOrder()))  # fmt: skip
        self._mark(found.table)
        # The rows are in that order already.
        header.blockSignals(True)
        header.setSortIndicator(section, header.sortIndicatorOrder())
        header.blockSignals(False)
        if not same:
            self.fit_columns()
        if chosen:
            self.select_rows([found.row_of[path] for path in chosen if path in found.row_of])
        self.verticalScrollBar().setValue(top)

    def _mark(self, table: Any) -> None:
        """Colour the rows of files that are not on the disk now, and of those that something is wrong with."""
        if "state" in table.colnames:
            states = np.asarray(table["state"], str)
            marks = [(states == state, QColor(colour)) for state, colour in ABSENT]
            if "quality" in table.colnames:
                bad = np.ma.filled(np.ma.asarray(table["quality"]), "") == "bad"
                marks.insert(0, (bad, QColor(BAD)))
            self.table_model.mark(marks)

    # --- pictures -------------------------------------------------------------------------------

    @property
    def with_pictures(self) -> bool:
        """Whether rows are high enough for a picture."""
        return self._with_pictures

    def show_pictures(self, on: bool) -> None:
        """Make the rows high, with a picture each, or as low as those of other tables."""
        self._with_pictures = on
        self._fit_pictures()
        self.viewport().update()

    def fit_columns(self) -> None:
        super().fit_columns()
        self._fit_pictures()
        names = [column.name for column in self.table_model.columns]
        if "reason" in names:
            # It is what the list is for.
            column, advance = names.index("reason"), self.fontMetrics().horizontalAdvance
            texts = map(self.table_model.columns[column].shown, range(min(self.table_model.rowCount(), MEASURED)))
            self.horizontalHeader().resizeSection(column, max(map(advance, ("reason", *texts))) + 24)

    def _fit_pictures(self) -> None:
        columns = self.table_model.columns
        has_pictures = bool(columns) and columns[0].name == "preview"
        self.verticalHeader().setDefaultSectionSize(HIGH if self._with_pictures and has_pictures else self._plain)
        if has_pictures:
            self.setColumnHidden(0, not self._with_pictures)
            self.horizontalHeader().resizeSection(0, round(HIGH * 1.5))

    def take_picture(self, sha256: str, content: bytes | None) -> None:
        """Take over a picture (PNG); None: there is none."""
        image = QImage.fromData(content) if content else QImage()
        self.pictures[sha256] = None if image.isNull() else QPixmap.fromImage(image)
        self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the cells, and over the first column the pictures; of no files, that there are none."""
        super().paintEvent(event)
        if not self.table_model.rowCount():
            paint_hint(self, self.hint)
        if not self._with_pictures or self._sums() is None:
            return
        with QPainter(self.viewport()) as painter:
            for row in self._rows_in_sight():
                self._paint_picture(painter, row)
        if self._wanted():
            self._ask.start()

    def _paint_picture(self, painter: QPainter, row: int) -> None:
        sha256 = str(self._sums()[self.table_model.order[row]])
        picture = self.pictures.get(sha256)
        cell = self.visualRect(self.table_model.index(row, 0)).adjusted(MARGIN, MARGIN, -MARGIN, -MARGIN)
        if picture is None:
            return
        small = self._small(sha256, picture, cell)
        place = QRect(QPoint(0, 0), small.deviceIndependentSize().toSize())
        place.moveCenter(cell.center())
        painter.drawPixmap(place.topLeft(), small)

    def _small(self, sha256: str, picture: QPixmap, cell: QRect) -> QPixmap:
        key, ratio = (sha256, cell.height()), self.devicePixelRatioF()
        if key not in self._sized:
            if len(self._sized) > 500:
                self._sized.clear()
            small = picture.scaled(cell.size() * ratio, Qt.AspectRatioMode.KeepAspectRatio,
                                   Qt.TransformationMode.SmoothTransformation)  # fmt: skip
            small.setDevicePixelRatio(ratio)
            self._sized[key] = small
        return self._sized[key]

    def _sums(self) -> Any:
        return self._known_sums if len(self._known_sums) == self.table_model.rowCount() > 0 else None

    def _rows_in_sight(self) -> range:
        first, last = self.rowAt(0), self.rowAt(self.viewport().height() - 1)
        last = self.table_model.rowCount() - 1 if last < 0 else last
        return range(max(first, 0), last + 1) if first >= 0 else range(0)

    def _wanted(self) -> list[int]:
        sums = self._sums()
        rows = [int(self.table_model.order[row]) for row in self._rows_in_sight()]
        return [row for row in rows if str(sums[row]) not in self.pictures]

    def _want(self) -> None:
        if self._sums() is not None and (rows := self._wanted()):
            self.pictures_wanted.emit(rows)

    # --- dragging out ---------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Remember where the mouse went down: a row that is selected already may be dragged with the others."""
        index, plain = self.indexAt(event.position().toPoint()), event.modifiers() == Qt.KeyboardModifier.NoModifier
        self._pressed = event.position().toPoint() if event.button() == LEFT and index.isValid() and plain else None
        self._was_selected = self._pressed is not None and self.selectionModel().isSelected(index)
        if not self._was_selected:
            super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag the selected files."""
        if self._pressed is None or not event.buttons() & LEFT:
            super().mouseMoveEvent(event)
            return
        away = (event.position().toPoint() - self._pressed).manhattanLength()
        if away >= QApplication.startDragDistance():
            self._pressed = None
            self.drag()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A click on one of several selected rows selects it alone."""
        if self._pressed is not None and self._was_selected:
            index = self.indexAt(self._pressed)
            self.setCurrentIndex(index)
            self.selectRow(index.row())
        self._pressed, self._was_selected = None, False
        super().mouseReleaseEvent(event)

    def paths_of(self, rows: list[int]) -> list[str]:
        """Return the paths of rows of the table."""
        return self.paths[rows].tolist() if rows else []

    def mime(self) -> QMimeData | None:
        """Return the selected files that are on the disk, as files are dragged anywhere; None when there are none."""
        table, rows = self.table_model.table, self.selected_rows()
        if table is not None and "state" in table.colnames:
            rows = np.array(rows, int)[np.asarray(table["state"], str)[rows] == "present"].tolist() if rows else []
        paths = self.paths_of(rows)
        if not paths:
            return None
        mime = QMimeData()
        mime.setUrls([QUrl.fromLocalFile(path) for path in paths])
        mime.setText("\n".join(paths))
        return mime

    def drag(self) -> None:
        """Drag the selected files; where they are dropped, they are opened."""
        mime = self.mime()
        if mime is None:
            return
        drag = QDrag(self)
        drag.setMimeData(mime)
        sums, rows = self._sums(), self.selected_rows()
        picture = self.pictures.get(str(sums[rows[0]])) if sums is not None else None
        if picture is not None:
            drag.setPixmap(picture.scaledToHeight(HIGH, Qt.TransformationMode.SmoothTransformation))
        drag.exec(Qt.DropAction.CopyAction)
