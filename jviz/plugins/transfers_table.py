"""The table of transfers: a model that follows the list without losing the place, and the bars of progress."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QRectF, QSortFilterProxyModel, Qt
from PySide6.QtGui import QColor, QPainter, QPalette
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QTreeView

from jviz.api import TransferRow, size_text
from jviz.plugins.jobs import duration
from jviz.plugins.parts import fit_first, is_dark

__all__ = ["COLUMNS", "GROUPS", "TransferTable"]

COLUMNS = ("File", "State", "Progress", "Speed", "Time left", "Size", "From")
NAME, STATE, PROGRESS, SPEED, LEFT, SIZE, HOST = range(len(COLUMNS))
NUMBERS = (SIZE, SPEED, LEFT)
SORT = Qt.ItemDataRole.UserRole

GROUPS = {
    "All": ("waiting", "running", "paused", "done", "failed", "cancelled"),
    "Not finished": ("waiting", "running", "paused"),
    "Failed": ("failed", "cancelled"),
    "Done": ("done",),
}
"""What may be shown, and the states it stands for."""

ORDER = ("running", "waiting", "paused", "failed", "cancelled", "done")
WORDS = {"waiting": "Waiting", "running": "Running", "paused": "Paused", "done": "Done", "failed": "Failed",
         "cancelled": "Cancelled"}  # fmt: skip


class TransferModel(QAbstractTableModel):
    """Transfers, newest first."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self.rows: list[TransferRow] = []

    def follow(self, rows: list[TransferRow]) -> None:
        """Take over the list as it is now: what is still on it stays selected."""
        wanted = {row.number for row in rows}
        for first, last in _runs([n for n, row in enumerate(self.rows) if row.number not in wanted])[::-1]:
            self.beginRemoveRows(QModelIndex(), first, last)
            del self.rows[first : last + 1]
            self.endRemoveRows()
        there = {row.number for row in self.rows}
        for first, last in _runs([n for n, row in enumerate(rows) if row.number not in there]):
            self.beginInsertRows(QModelIndex(), first, last)
            self.rows[first:first] = rows[first : last + 1]
            self.endInsertRows()
        changed = [n for n, (old, new) in enumerate(zip(self.rows, rows, strict=True)) if old != new]
        self.rows = list(rows)
        for first, last in _runs(changed):
            self.dataChanged.emit(self.index(first, 0), self.index(last, len(COLUMNS) - 1))

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if section in NUMBERS else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row, column = self.rows[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return _shown(row, column)
        if role == SORT:
            return _key(row, column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return _about(row)
        if role == Qt.ItemDataRole.AccessibleTextRole and column == PROGRESS:
            return _percent(row)
        if role == Qt.ItemDataRole.TextAlignmentRole and column in NUMBERS:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None


def _runs(numbers: list[int]) -> list[tuple[int, int]]:
    """Put numbers that follow each other together: first and last of each run."""
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1] = found[-1][0], number
        else:
            found.append((number, number))
    return found


def _shown(row: TransferRow, column: int) -> str:
    if column == NAME:
        return row.name
    if column == PROGRESS:
        return _percent(row)
    if column == SIZE:
        return size_text(row.size) if row.size else "–"
    if column == SPEED:
        return f"{size_text(row.speed)}/s" if row.speed else ""
    if column == LEFT:
        return duration(row.remaining) if row.remaining is not None else ""
    return row.host if column == HOST else _state(row)


def _percent(row: TransferRow) -> str:
    if row.share is not None:
        return f"{row.share:.0%}" if row.state != "waiting" or row.done else ""
    return size_text(row.done) if row.done else ""


def _state(row: TransferRow) -> str:
    if row.interrupted:
        return "Interrupted"
    if row.elsewhere:
        return f"{WORDS[row.state]} in another jviz"
    return f"Failed: {_why(row)}" if row.state == "failed" else WORDS[row.state]


def _why(row: TransferRow) -> str:
    """Return why a transfer failed, without the name and the host, which stand beside it."""
    said, colon, why = row.reason.partition(": ")
    return why if colon and said.startswith(row.name) else row.reason


def _key(row: TransferRow, column: int) -> Any:
    keys = (row.name.lower(), ORDER.index(row.state), row.share or 0.0, row.speed, row.remaining or 0.0, row.size,
            row.host)  # fmt: skip
    return keys[column]


def _about(row: TransferRow) -> str:
    lines = [row.name, f"from {row.url}", f"{'in' if row.path else 'to'} {row.path or row.folder}"]
    return "\n".join([*lines, *([row.reason] if row.reason else [])])


class _Shown(QSortFilterProxyModel):
    """The transfers in the states that are to be shown, with a name that holds some words."""

    def __init__(self, parent: Any) -> None:
        super().__init__(parent)
        self.setSortRole(SORT)
        self._states, self._words = frozenset(ORDER), ""

    def show_only(self, states: Any, words: str) -> None:
        """Choose what is shown."""
        self._states, self._words = frozenset(states), words.lower().strip()
        self.invalidate()

    def filterAcceptsRow(self, source_row: int, source_parent: QModelIndex) -> bool:
        row = self.sourceModel().rows[source_row]
        return row.state in self._states and (not self._words or self._words in f"{row.name} {row.host}".lower())


class _Bar(QStyledItemDelegate):
    """Draws how much of a file is here."""

    def paint(self, painter: QPainter, option: Any, index: QModelIndex) -> None:
        row = index.model().mapToSource(index).row()
        transfer = index.model().sourceModel().rows[row]
        painter.save()
        option.widget.style().drawPrimitive(QStyle.PrimitiveElement.PE_PanelItemViewItem, option, painter,
                                            option.widget)  # fmt: skip
        text, colour = option.palette.color(QPalette.ColorRole.Text), _colour(transfer, option)
        words = option.fontMetrics.horizontalAdvance("100%") + 6
        area = QRectF(option.rect).adjusted(4, 0, -4 - words, 0)
        area = QRectF(area.left(), option.rect.center().y() - 2, max(area.width(), 8), 5)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(text.red(), text.green(), text.blue(), 40))
        if transfer.share is not None or not transfer.done:
            painter.drawRoundedRect(area, 2.5, 2.5)
            painter.setBrush(colour)
            filled = QRectF(area)
            filled.setWidth(area.width() * (transfer.share or 0.0))
            painter.drawRoundedRect(filled, 2.5, 2.5)
        painter.setPen(text)
        right = option.rect.adjusted(0, 0, -4, 0)
        painter.drawText(right, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, index.data())
        painter.restore()


def _colour(transfer: TransferRow, option: Any) -> QColor:
    if transfer.state in ("failed", "cancelled", "paused"):
        return option.palette.color(QPalette.ColorRole.PlaceholderText)
    if transfer.state == "done":
        return QColor("#7bd0a0" if is_dark(option.widget) else "#1c7a4a")
    return option.palette.color(QPalette.ColorRole.Accent)


class _State(QStyledItemDelegate):
    """Colours the word of what went wrong."""

    def initStyleOption(self, option: Any, index: QModelIndex) -> None:
        super().initStyleOption(option, index)
        option.textElideMode = Qt.TextElideMode.ElideRight  # reasons begin with what matters
        row = index.model().sourceModel().rows[index.model().mapToSource(index).row()]
        if row.state == "failed":
            option.palette.setColor(QPalette.ColorRole.Text, QColor("#ff8a80" if is_dark(option.widget) else "#b3261e"))
        if row.interrupted:
            option.palette.setColor(QPalette.ColorRole.Text, QColor("#f0b860" if is_dark(option.widget) else "#8a5a00"))


class TransferTable(QTreeView):
    """The view of the transfers."""

    def __init__(self) -> None:
        super().__init__()
        self.transfers = TransferModel(self)
        self.shown = _Shown(self)
        self.shown.setSourceModel(self.transfers)
        self.setModel(self.shown)
        self.setAccessibleName("Transfers")
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setAlternatingRowColors(True)
        self.setFrameShape(QTreeView.Shape.NoFrame)
        self.setSelectionMode(QTreeView.SelectionMode.ExtendedSelection)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setSortingEnabled(True)
        self.setItemDelegateForColumn(PROGRESS, _Bar(self))
        self.setItemDelegateForColumn(STATE, _State(self))
        header = self.header()
        header.setSortIndicatorClearable(True)
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        header.setStretchLastSection(False)
        header.setMinimumSectionSize(36)
        digit = self.fontMetrics().horizontalAdvance("0")
        for column, letters in enumerate((0, 13, 15, 10, 11, 9, 16)):
            if letters:
                header.resizeSection(column, letters * digit)

    def resizeEvent(self, event: Any) -> None:
        super().resizeEvent(event)
        header, digit = self.header(), self.fontMetrics().horizontalAdvance("0")
        spare = self.viewport().width() - header.length() + header.sectionSize(NAME) + header.sectionSize(STATE)
        header.resizeSection(STATE, round(min(max(0.45 * spare, 13 * digit), 60 * digit)))
        fit_first(self, 24)

    def selected(self) -> list[TransferRow]:
        """Return the transfers that are selected, as they are shown."""
        rows = sorted(self.selectionModel().selectedRows(), key=lambda index: index.row())
        return [self.transfers.rows[self.shown.mapToSource(index).row()] for index in rows]

    def at(self, index: QModelIndex) -> TransferRow:
        """Return the transfer of a row."""
        return self.transfers.rows[self.shown.mapToSource(index).row()]
