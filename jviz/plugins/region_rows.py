"""The regions of a session as rows: thousands of them, changed one at a time."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, Qt, Signal
from PySide6.QtGui import QColor, QPixmap

from jviz.api import Subset

__all__ = ["RegionRows"]

TITLES = ("Name", "Shape", "Group", "")
ROLES = Qt.ItemDataRole
NOWHERE = QModelIndex()

WORDS = {
    "CircleAnnulus": "annulus",
    "EllipseAnnulus": "elliptical annulus",
    "RectangleAnnulus": "rectangular annulus",
    "Compound": "combined",
}


class RegionRows(QAbstractTableModel):
    """A row for each region: a box for being seen, colour and name, shape, group, lock.

    Attributes
    ----------
    changed : Signal
        With the name of a region and a dict of what the user set: visible, locked, rename, group.
    """

    changed = Signal(str, dict)

    def __init__(self, parent: Any, icon: Any) -> None:
        super().__init__(parent)
        self.subsets: list[Subset] = []
        self._lock = icon("fa6s.lock")
        self._swatches: dict[str, QPixmap] = {}

    def show(self, subsets: list[Subset]) -> None:
        """Take over regions; only rows that changed are told of when they are the same ones."""
        old, self.subsets = self.subsets, subsets
        if [s.name for s in old] != [s.name for s in subsets]:
            self.beginResetModel()
            self.endResetModel()
            return
        for row, (before, after) in enumerate(zip(old, subsets, strict=True)):
            if before is not after:
                self.dataChanged.emit(self.index(row, 0), self.index(row, len(TITLES) - 1))

    # --- what a view asks -----------------------------------------------------------------------

    def rowCount(self, parent: QModelIndex = NOWHERE) -> int:
        return 0 if parent.isValid() else len(self.subsets)

    def columnCount(self, parent: QModelIndex = NOWHERE) -> int:
        return len(TITLES)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = ROLES.DisplayRole) -> Any:
        return TITLES[section] if role == ROLES.DisplayRole and orientation == Qt.Orientation.Horizontal else None

    def flags(self, index: QModelIndex) -> Qt.ItemFlag:
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        if index.column() == 0:
            flags |= Qt.ItemFlag.ItemIsUserCheckable
        return flags | Qt.ItemFlag.ItemIsEditable if index.column() in (0, 2) else flags

    def data(self, index: QModelIndex, role: int = ROLES.DisplayRole) -> Any:
        subset, column = self.subsets[index.row()], index.column()
        if role in (ROLES.DisplayRole, ROLES.EditRole):
            return (subset.name, shape_word(subset), subset.group, "")[column]
        if role == ROLES.CheckStateRole and column == 0:
            return Qt.CheckState.Checked if subset.visible else Qt.CheckState.Unchecked
        if role == ROLES.DecorationRole:
            return self._swatch(subset.color) if column == 0 else self._lock if column == 3 and subset.locked else None
        if role == ROLES.ToolTipRole:
            where = "on the sky" if subset.kind == "sky" else f"pixels of {getattr(subset.data, 'name', 'any image')}"
            return f"{subset.name}: {shape_word(subset)}, {where}"
        return None

    def setData(self, index: QModelIndex, value: Any, role: int = ROLES.EditRole) -> bool:
        subset = self.subsets[index.row()]
        if role == ROLES.CheckStateRole:
            self.changed.emit(subset.name, {"visible": Qt.CheckState(value) == Qt.CheckState.Checked})
        elif role == ROLES.EditRole and index.column() == 0 and str(value).strip() not in ("", subset.name):
            self.changed.emit(subset.name, {"rename": str(value).strip()})
        elif role == ROLES.EditRole and index.column() == 2 and str(value).strip() != subset.group:
            self.changed.emit(subset.name, {"group": str(value).strip()})
        return True

    def _swatch(self, color: str) -> QPixmap:
        if color not in self._swatches:
            square = QPixmap(10, 10)
            square.fill(QColor(color))
            self._swatches[color] = square
        return self._swatches[color]


def shape_word(subset: Subset) -> str:
    """Say what shape a region has."""
    special = getattr(subset.region, "meta", {}).get("type", "")
    if special in ("path", "ruler", "compass"):
        return special
    name = type(subset.region).__name__.removesuffix("Region").removesuffix("Pixel").removesuffix("Sky")
    return WORDS.get(name, name.lower())
