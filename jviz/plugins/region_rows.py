"""The regions of a session as a tree: groups and their members, thousands of them, changed one at a time."""

from __future__ import annotations

import itertools
import json
from typing import Any, NamedTuple

from PySide6.QtCore import QAbstractItemModel, QMimeData, QModelIndex, Qt, Signal
from PySide6.QtGui import QColor, QPixmap

from jviz.api import Subset

__all__ = ["KEEP", "LARGE", "RegionRows"]

TITLES = ("Name", "Shape", "")
ROLES = Qt.ItemDataRole
NOWHERE = QModelIndex()
MIME = "application/x-jviz-region-names"
NAME, SHAPE, LOCK = range(3)
LARGE = 50
"""Members above which a group is closed at first."""
KEEP = "\0"
"""Group of regions that were dropped and stay in theirs."""

WORDS = {
    "ellipse_annulus": "elliptical annulus",
    "rectangle_annulus": "rectangular annulus",
}


class Entry(NamedTuple):
    """A row at the top: a group with its members, or a region alone (whose group is "")."""

    group: str
    members: list[Subset]


class RegionRows(QAbstractItemModel):
    """A row for each region, under its group: a box for being seen, colour and name, shape, lock.

    Attributes
    ----------
    changed : Signal
        With a list of names and a dict of what the user set: visible, locked, rename, group.
    moved : Signal
        With a list of names, the name of the region before which they were dropped ("": the end), and their new group.
    """

    changed = Signal(list, dict)
    moved = Signal(list, str, str)

    def __init__(self, parent: Any, icon: Any) -> None:
        super().__init__(parent)
        self.subsets: list[Subset] = []
        self.entries: list[Entry] = []
        self._lock, self._folder = icon("fa6s.lock"), icon("fa6s.layer-group")
        self._swatches: dict[str, QPixmap] = {}
        self._places: dict[str, tuple[int, int]] = {}

    def show(self, subsets: list[Subset]) -> bool:
        """Take over regions; only rows that changed are told of when they are the same ones in the same groups.

        Returns whether the rows were made anew.
        """
        old, self.subsets = self.subsets, subsets
        if [(s.name, s.group) for s in old] != [(s.name, s.group) for s in subsets]:
            self.beginResetModel()
            self._arrange()
            self.endResetModel()
            return True
        touched: dict[int, list[int]] = {}
        for before, after in zip(old, subsets, strict=True):
            if before is not after:
                top, child = self._places[after.name]
                self.entries[top].members[max(child, 0)] = after
                touched.setdefault(top, []).append(child)
        last = len(TITLES) - 1
        for top, children in touched.items():
            parent = self.index(top, 0)
            if self.entries[top].group:
                # one range for each group: views take long over thousands of single rows
                first, final = min(children), max(children)
                self.dataChanged.emit(self.index(first, 0, parent), self.index(final, last, parent))
            self.dataChanged.emit(parent, parent.siblingAtColumn(last))
        return False

    def _arrange(self) -> None:
        """Put each group where the first of its members is."""
        numbers: dict[str, int] = {}
        self.entries, self._places = [], {}
        for subset in self.subsets:
            if subset.group and subset.group in numbers:
                top = numbers[subset.group]
                self.entries[top].members.append(subset)
            else:
                top = len(self.entries)
                self.entries.append(Entry(subset.group, [subset]))
                if subset.group:
                    numbers[subset.group] = top
            self._places[subset.name] = top, len(self.entries[top].members) - 1 if subset.group else -1

    # --- from names to rows and back ------------------------------------------------------------

    def index_of(self, name: str) -> QModelIndex:
        """Return the row of a region."""
        top, child = self._places[name]
        parent = self.index(top, 0)
        return parent if child < 0 else self.index(child, 0, parent)

    def ranges(self, names: set[str]) -> list[tuple[QModelIndex, QModelIndex]]:
        """Return the rows of regions as ranges from a first to a last one; all of a large group are its own row."""
        rows: dict[int, list[int]] = {}
        for name in names & self._places.keys():
            top, child = self._places[name]
            rows.setdefault(top if child >= 0 else -1, []).append(child if child >= 0 else top)
        found = []
        for top, some in rows.items():
            parent = self.index(top, 0) if top >= 0 else NOWHERE
            if top >= 0 and len(some) == len(self.entries[top].members) > LARGE:
                found.append((parent, parent))
                continue
            some.sort()
            breaks = [k for k in range(1, len(some)) if some[k] != some[k - 1] + 1]
            for first, end in itertools.pairwise([0, *breaks, len(some)]):
                found.append((self.index(some[first], 0, parent), self.index(some[end - 1], 0, parent)))
        return found

    def members(self, index: QModelIndex) -> list[Subset]:
        """Return the regions of a row: itself, or all of a group."""
        if index.internalId():
            return [self.entries[index.internalId() - 1].members[index.row()]]
        return self.entries[index.row()].members

    def group(self, index: QModelIndex) -> str:
        """Return the name of a group's row, "" for other rows."""
        return "" if index.internalId() or not index.isValid() else self.entries[index.row()].group

    # --- what a view asks -----------------------------------------------------------------------

    def index(self, row: int, column: int, parent: QModelIndex = NOWHERE) -> QModelIndex:
        # `hasIndex` would ask three more times, thousands of times over
        top = parent.row() + 1 if parent.isValid() else 0
        count = len(self.entries[top - 1].members) if top else len(self.entries)
        if not (0 <= row < count and 0 <= column < len(TITLES)):
            return QModelIndex()
        return self.createIndex(row, column, top)

    def parent(self, index: QModelIndex = NOWHERE) -> QModelIndex:  # type: ignore[override]
        top = index.internalId() if index.isValid() else 0
        return self.createIndex(top - 1, 0, 0) if top else QModelIndex()

    def rowCount(self, parent: QModelIndex = NOWHERE) -> int:
        if not parent.isValid():
            return len(self.entries)
        return len(self.entries[parent.row()].members) if self.group(parent) and parent.column() == 0 else 0

    def columnCount(self, parent: QModelIndex = NOWHERE) -> int:
        return len(TITLES)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = ROLES.DisplayRole) -> Any:
        return TITLES[section] if role == ROLES.DisplayRole and orientation == Qt.Orientation.Horizontal else None

    def flags(self, index: QModelIndex) -> Qt.ItemFlag:
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsDragEnabled
        if not index.isValid():
            return Qt.ItemFlag.ItemIsDropEnabled
        if self.group(index):
            flags |= Qt.ItemFlag.ItemIsDropEnabled
        if index.column() == NAME:
            flags |= Qt.ItemFlag.ItemIsUserCheckable | Qt.ItemFlag.ItemIsEditable
        return flags

    def data(self, index: QModelIndex, role: int = ROLES.DisplayRole) -> Any:
        members, column = self.members(index), index.column()
        if role == ROLES.CheckStateRole and column == NAME:
            seen = sum(s.visible for s in members)
            state = Qt.CheckState.Checked if seen == len(members) else Qt.CheckState.PartiallyChecked
            return state if seen else Qt.CheckState.Unchecked
        if role == ROLES.DecorationRole and column == LOCK:
            return self._lock if all(s.locked for s in members) else None
        group = self.group(index)
        return self._of_group(group, members, column, role) if group else self._of_region(members[0], column, role)

    def _of_group(self, group: str, members: list[Subset], column: int, role: int) -> Any:
        if role in (ROLES.DisplayRole, ROLES.EditRole):
            return (group, f"{len(members)} region{'s' * (len(members) != 1)}", "")[column]
        if role == ROLES.DecorationRole and column == NAME:
            return self._folder
        return f"Group {group}: {len(members)} regions" if role == ROLES.ToolTipRole else None

    def _of_region(self, subset: Subset, column: int, role: int) -> Any:
        if role in (ROLES.DisplayRole, ROLES.EditRole):
            return (subset.name, shape_word(subset), "")[column]
        if role == ROLES.DecorationRole and column == NAME:
            return self._swatch(subset.color)
        if role == ROLES.ToolTipRole:
            where = "on the sky" if subset.kind == "sky" else f"pixels of {getattr(subset.data, 'name', 'any image')}"
            return f"{subset.name}: {shape_word(subset)}, {where}"
        return None

    def setData(self, index: QModelIndex, value: Any, role: int = ROLES.EditRole) -> bool:
        names, group, text = [s.name for s in self.members(index)], self.group(index), str(value).strip()
        if role == ROLES.CheckStateRole:
            self.changed.emit(names, {"visible": Qt.CheckState(value) == Qt.CheckState.Checked})
        elif role == ROLES.EditRole and text and group and text != group:
            self.changed.emit(names, {"group": text})
        elif role == ROLES.EditRole and text and not group and text != names[0]:
            self.changed.emit(names, {"rename": text})
        return True

    def _swatch(self, color: str) -> QPixmap:
        if color not in self._swatches:
            square = QPixmap(10, 10)
            square.fill(QColor(color))
            self._swatches[color] = square
        return self._swatches[color]

    # --- dragging -------------------------------------------------------------------------------

    def supportedDropActions(self) -> Qt.DropAction:
        return Qt.DropAction.MoveAction

    def mimeTypes(self) -> list[str]:
        return [MIME]

    def mimeData(self, indexes: list[QModelIndex]) -> QMimeData:
        rows = [index for index in indexes if index.column() == NAME]
        names = dict.fromkeys(s.name for index in rows for s in self.members(index))
        whole = bool(rows) and all(self.group(index) for index in rows)
        mime = QMimeData()
        mime.setData(MIME, json.dumps([list(names), whole]).encode())
        return mime

    def dropMimeData(self, mime: QMimeData, action: Any, row: int, column: int, parent: QModelIndex) -> bool:
        if not mime.hasFormat(MIME):
            return False
        names, whole = json.loads(bytes(mime.data(MIME).data()))
        group = KEEP if whole else self.group(parent)  # groups stay groups wherever they are dropped
        siblings = self.entries[parent.row()].members if parent.isValid() else [e.members[0] for e in self.entries]
        after = [s.name for s in siblings[row:] if s.name not in names] if row >= 0 else []
        if not after and parent.isValid():  # at the end of a group: before what follows its last member
            last = siblings[-1].name
            order = [s.name for s in self.subsets]
            after = [n for n in order[order.index(last) + 1 :] if n not in names]
        self.moved.emit(names, after[0] if after else "", group)
        return False  # the rows follow the session; nothing is to be taken away here


def shape_word(subset: Subset) -> str:
    """Say what shape a region has."""
    return WORDS.get(subset.shape, subset.shape)
