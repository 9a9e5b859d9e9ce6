"""The panel of numbers round the cursor."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from PySide6.QtCore import QAbstractTableModel, QModelIndex, Qt
from PySide6.QtGui import QColor, QFontDatabase, QGuiApplication, QKeySequence, QPalette, QShortcut
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QHeaderView, QLabel, QTableView, QVBoxLayout

from jviz.api import JvizError, Plane, View, blended, digits_apart, in_digits
from jviz.plugins.parts import Panel, muted, tool_button

__all__ = ["PixelsPanel"]


class PixelsPanel(Panel):
    """The values of the pixels round the cursor, live, straight from the file.

    y rises upwards, as in the picture; the pixel under the cursor is framed in the middle.
    Space holds the table still.
    """

    empty_text = "Move the mouse over an image to see the numbers round it."

    def __init__(self, context: Any) -> None:
        super().__init__(context)
        self.model = _Values(self)
        self.table = QTableView()
        self.table.setModel(self.model)
        self.table.setFrameShape(QTableView.Shape.NoFrame)
        self.table.setAccessibleName("Values round the cursor")
        self.table.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        for header in (self.table.horizontalHeader(), self.table.verticalHeader()):
            header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
            header.setMinimumSectionSize(18)
        QShortcut(QKeySequence(QKeySequence.StandardKey.Copy), self.table, self.copy).setContext(
            Qt.ShortcutContext.WidgetShortcut
        )
        self.size_choice = QComboBox()
        self.size_choice.addItems([f"{n} × {n}" for n in (3, 5, 7, 9, 11, 15)])
        self.size_choice.setCurrentIndex(2)
        self.size_choice.setAccessibleName("Size of the table")
        self.size_choice.currentIndexChanged.connect(self.later)
        self.hold = QCheckBox("Hold", shortcut=QKeySequence("Space"), toolTip="Keep the table as it is (Space)")
        self.where = muted(QLabel())
        self._arrange()
        self.setFocusProxy(self.table)
        self._centre: tuple[View, int, int] | None = None
        context.cursor_changed.connect(self._moved)
        self.links.signal(self.session.views_changed, self.later)

    def _arrange(self) -> None:
        bar = QHBoxLayout()
        bar.setContentsMargins(6, 2, 4, 2)
        bar.addWidget(self.size_choice)
        bar.addWidget(self.hold)
        bar.addSpacing(10)
        bar.addWidget(self.where, 1)
        bar.addWidget(tool_button(self.context, "fa6s.copy", "Copy the table", self.copy))
        layout = QVBoxLayout(self.body)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(bar)
        layout.addWidget(self.table)

    def _moved(self) -> None:
        cursor = self.context.cursor
        if cursor is None or self.hold.isChecked():
            return
        view, x, y = cursor
        centre = (view, math.floor(x + 0.5), math.floor(y + 0.5))
        if centre != self._centre:
            self._centre = centre
            self.links.states("layer", [getattr(view, "layer", None)], self.later)
            self.later()

    def is_empty(self) -> bool:
        return self._values() is None

    def _values(self) -> tuple[np.ndarray, Plane, Any] | None:
        if self._centre is None or self._centre[0] not in self.session.views.values():
            return None
        view, column, row = self._centre
        layer = getattr(view, "layer", None)
        if layer is None or not getattr(layer.data, "planes", None) or not hasattr(layer, "index"):
            return None
        plane = layer.data.plane(layer.plane)
        half = (2 * self.size_choice.currentIndex() + 3) // 2 if self.size_choice.currentIndex() < 5 else 7
        return around(plane, tuple(layer.index), column, row, half), plane, layer

    def refresh(self) -> None:
        try:
            found = self._values()
        except (JvizError, OSError, ValueError) as error:
            self.show_empty(True, f"The pixels cannot be read: {error}")
            return
        if found is None:
            return
        values, plane, layer = found
        _, column, row = self._centre
        self.model.show(values, column, row)
        unit = f"({plane.unit})" if plane.unit else ""
        self.where.setText(" ".join(filter(None, [layer.data.name, plane.name, unit])))
        self.where.setToolTip(self.where.text())

    def restyle(self) -> None:
        self.later()

    def copy(self) -> None:
        """Copy the numbers as text with tabs, the highest row first as shown."""
        rows = self.model.texts()
        QGuiApplication.clipboard().setText("\n".join("\t".join(row) for row in rows))


def around(plane: Plane, index: tuple[int, ...], column: int, row: int, half: int) -> np.ndarray:
    """Return the values round a pixel, shape (2 half + 1, 2 half + 1) as objects; None outside the image."""
    size = 2 * half + 1
    values = np.full((size, size), None, dtype=object)
    ny, nx = plane.shape[-2:]
    y0, y1 = max(row - half, 0), min(row + half + 1, ny)
    x0, x1 = max(column - half, 0), min(column + half + 1, nx)
    if y0 < y1 and x0 < x1 and (plane.immediate or plane.loaded):
        axes = index if len(index) == len(plane.shape) - 2 else (0,) * (len(plane.shape) - 2)
        inside = plane.read((*axes, slice(y0, y1), slice(x0, x1)))
        top, left = y0 - row + half, x0 - column + half
        values[top : top + y1 - y0, left : left + x1 - x0] = inside
    return values


class _Values(QAbstractTableModel):
    """The numbers, the highest row on top."""

    def __init__(self, panel: PixelsPanel) -> None:
        super().__init__(panel)
        self._panel = panel
        self._values = np.empty((0, 0), dtype=object)
        self._column = self._row = 0
        self._limits = (0.0, 1.0)
        self._digits = 4

    def show(self, values: np.ndarray, column: int, row: int) -> None:
        changed = values.shape != self._values.shape
        if changed:
            self.beginResetModel()
        self._values, self._column, self._row = values, column, row
        self._limits = _extremes(values)
        self._digits = digits_apart(*self._limits, least=4, parts=100)
        if changed:
            self.endResetModel()
            return
        last = len(values) - 1
        self.dataChanged.emit(self.index(0, 0), self.index(last, last))
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, last)
        self.headerDataChanged.emit(Qt.Orientation.Vertical, 0, last)

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        return len(self._values)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        return len(self._values)

    def _value(self, index: QModelIndex) -> Any:
        return self._values[len(self._values) - 1 - index.row(), index.column()]

    def texts(self) -> list[list[str]]:
        """Return all cells as texts in full precision, the highest row first."""
        return [["" if v is None else str(v) for v in row] for row in self._values[::-1]]

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        value = self._value(index)
        if role == Qt.ItemDataRole.DisplayRole:
            return number_text(value, self._digits)
        if role == Qt.ItemDataRole.ToolTipRole and value is not None:
            x, y = self._at(index)
            return f"pixel ({x}, {y}): {value}"
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignCenter
        if role == Qt.ItemDataRole.BackgroundRole:
            return self._background(index, value)
        if role == Qt.ItemDataRole.FontRole and index.row() == index.column() == len(self._values) // 2:
            font = self._panel.table.font()
            font.setBold(True)
            font.setUnderline(True)
            return font
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        half = len(self._values) // 2
        return str(self._column - half + section if orientation == Qt.Orientation.Horizontal
                   else self._row + half - section)  # fmt: skip

    def _at(self, index: QModelIndex) -> tuple[int, int]:
        half = len(self._values) // 2
        return self._column - half + index.column(), self._row + half - index.row()

    def _background(self, index: QModelIndex, value: Any) -> QColor | None:
        """Shade cells by their value between the extremes of the table, so that structure shows."""
        if value is None or not np.isfinite(value):
            return None
        low, high = self._limits
        share = min(max((float(value) - low) / ((high - low) or 1.0), 0.0), 1.0)
        palette = self._panel.palette()
        base, accent = palette.color(QPalette.ColorRole.Base), palette.color(QPalette.ColorRole.Accent)
        return blended(base, accent, 0.45 * share)


def _extremes(values: np.ndarray) -> tuple[float, float]:
    finite = [float(v) for v in values.flat if v is not None and np.isfinite(v)]
    return (min(finite), max(finite)) if finite else (0.0, 1.0)


def number_text(value: Any, digits: int = 4) -> str:
    """Write a value in few characters."""
    if value is None:
        return "–"
    if isinstance(value, int | np.integer | np.bool_):
        return str(int(value))
    return in_digits(value, digits)
