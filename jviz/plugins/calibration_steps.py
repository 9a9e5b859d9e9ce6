"""The tree of the steps of a pipeline: which run, what became of each, which reference files they read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QBrush, QColor, QKeyEvent
from PySide6.QtWidgets import QHeaderView, QTreeWidget, QTreeWidgetItem

from jviz.api import ReferenceRow, StepRow

__all__ = ["MARKS", "StepTree", "found_in", "taken"]

NAME, STATE, FILES = range(3)
NOTHING = "N/A"
"""Written in place of a file: none."""

SHORT = re.compile(r"jwst_(nircam|niriss|nirspec|miri|fgs)_")
"""What begins the names of all reference files, and says nothing."""

MARKS = {
    "done": ("fa6s.circle-check", "#3fa66b", "done"),
    "warning": ("fa6s.triangle-exclamation", "#e0a030", "done, with warnings"),
    "failed": ("fa6s.circle-exclamation", "#d9534f", "failed"),
    "cancelled": ("fa6s.ban", "#8a8f98", "cancelled"),
    "skipped": ("fa6s.circle-minus", "#8a8f98", "skipped"),
    "running": ("fa6s.gear", "#6cb2ff", "running"),
    "COMPLETE": ("fa6s.circle-check", "#3fa66b", "done before"),
    "SKIPPED": ("fa6s.circle-minus", "#8a8f98", "skipped before"),
}
"""Icon, colour and words of each state of a step."""


class StepTree(QTreeWidget):
    """One line for each step, in the order in which they run.

    Attributes
    ----------
    ticked : Signal
        With the name of a step and whether it is to run.
    """

    ticked = Signal(str, bool)

    def __init__(self, context: Any) -> None:
        super().__init__()
        self._context = context
        self.setHeaderLabels(["Step", "State", "Reference files"])
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setAlternatingRowColors(True)
        self.setAccessibleName("Steps")
        self.setFrameShape(QTreeWidget.Shape.NoFrame)
        header = self.header()
        header.setStretchLastSection(True)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        letter = self.fontMetrics().horizontalAdvance("0")
        self.setColumnWidth(NAME, 20 * letter)
        self.setColumnWidth(STATE, 13 * letter)
        self._items: dict[str, QTreeWidgetItem] = {}
        self._states: dict[str, str] = {}
        self.itemChanged.connect(self._changed)

    @property
    def chosen(self) -> str:
        """Name of the current step, "" for none."""
        item = self.currentItem()
        return item.data(NAME, Qt.ItemDataRole.UserRole) if item is not None else ""

    def show_steps(self, rows: tuple[StepRow, ...], ticks: Mapping[str, bool]) -> None:
        """Take over other steps; the current one stays while it is among them."""
        before = self.chosen
        with QSignalBlocker(self):
            self.clear()
            self._items, self._states = {}, {}
            for row in rows:
                self._items[row.info.name] = self._item(row, ticks.get(row.info.name, row.runs))
            self.addTopLevelItems(list(self._items.values()))
            item = self._items.get(before) or self.topLevelItem(0)
            if item is not None:
                self.setCurrentItem(item)

    def _item(self, row: StepRow, runs: bool) -> QTreeWidgetItem:
        item = QTreeWidgetItem([f"{row.info.name} (pipeline)" if row.is_pipeline else row.info.name, "", ""])
        item.setData(NAME, Qt.ItemDataRole.UserRole, row.info.name)
        if not row.is_pipeline:
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(NAME, Qt.CheckState.Checked if runs else Qt.CheckState.Unchecked)
        item.setToolTip(NAME, row.info.title)
        item.setText(FILES, SHORT.sub("", ", ".join(row.used.values())))
        self._mark(item, row.info.name, {"state": row.status})
        return item

    def show_states(self, states: Mapping[str, Mapping[str, Any]]) -> None:
        """Show what is becoming of steps; those without a state stay as they are."""
        with QSignalBlocker(self):
            for name, state in states.items():
                if name in self._items and state:
                    self._mark(self._items[name], name, state)

    def show_files(self, best: Mapping[str, ReferenceRow], own: Mapping[str, str],
                   rows: tuple[StepRow, ...]) -> None:  # fmt: skip
        """Show which files steps get: one's own in bold, those that are missing in red."""
        with QSignalBlocker(self):
            for row in rows:
                item = self._items.get(row.info.name)
                if item is None:
                    continue
                words, mine, missing = [], False, False
                for kind in row.info.references:
                    if kind in own:
                        words.append(f"{kind}: {own[kind] if own[kind] == NOTHING else Path(own[kind]).name}")
                        mine = True
                    elif (found := best.get(kind)) is not None and found.state in ("cached", "missing"):
                        words.append(found.best)
                        missing |= found.state == "missing"
                font = item.font(FILES)
                font.setBold(mine)
                item.setFont(FILES, font)
                item.setForeground(FILES, QBrush(QColor("#d9534f")) if missing else QBrush())
                text = ", ".join(words) or ("none" if best and row.info.references else ", ".join(row.used.values()))
                item.setText(FILES, text)
                item.setToolTip(FILES, text.replace(", ", "\n"))
                item.setText(FILES, SHORT.sub("", text))

    def show_changed(self, names: set[str]) -> None:
        """Make the names of steps with changed parameters bold."""
        with QSignalBlocker(self):
            for name, item in self._items.items():
                font = item.font(NAME)
                font.setBold(name in names)
                item.setFont(NAME, font)

    def show_found(self, names: set[str] | None) -> None:
        """Hide all steps but some; None shows all."""
        for name, item in self._items.items():
            item.setHidden(names is not None and name not in names)

    def choose_one_of(self, names: set[str]) -> None:
        """Choose the first of some steps, unless one of them is chosen."""
        if self.chosen not in names:
            for name, item in self._items.items():
                if name in names:
                    self.setCurrentItem(item)
                    return

    def state(self, name: str) -> str:
        """Return the words of the state that a step shows."""
        return self._states.get(name, "")

    def _mark(self, item: QTreeWidgetItem, name: str, state: Mapping[str, Any]) -> None:
        icon, colour, words = MARKS.get(state.get("state", ""), ("", "", ""))
        seconds = state.get("seconds", 0.0)
        text = f"{words}, {seconds:.1f} s" if seconds >= 0.05 else words
        if self._states.get(name) == text:
            return
        self._states[name] = text
        item.setText(STATE, text)
        item.setToolTip(STATE, "\n".join(state.get("warnings", ())) or text)
        if icon:
            item.setIcon(STATE, self._context.icon(icon, colour))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Have the space bar tick the current step, whichever of its columns was clicked."""
        item = self.currentItem()
        if event.key() == Qt.Key.Key_Space and item is not None and item.flags() & Qt.ItemFlag.ItemIsUserCheckable:
            ticked = item.checkState(NAME) == Qt.CheckState.Checked
            item.setCheckState(NAME, Qt.CheckState.Unchecked if ticked else Qt.CheckState.Checked)
        else:
            super().keyPressEvent(event)

    def _changed(self, item: QTreeWidgetItem, column: int) -> None:
        if column == NAME:
            name = item.data(NAME, Qt.ItemDataRole.UserRole)
            self.ticked.emit(name, item.checkState(NAME) == Qt.CheckState.Checked)


def taken(row: Any, given: Any) -> tuple[dict[str, Any], bool | None]:
    """Return checked parameters of a step, and whether it runs where that is not as by default."""
    given = row.info.checked({"skip": not given} if isinstance(given, bool) else given)
    skip = given.pop("skip", not row.runs)
    return given, None if skip != row.runs else not skip


def found_in(row: Any, words: list[str]) -> bool:
    """Return whether a step or one of its parameters has words in its name or help."""
    texts = [f"{row.info.name} {row.info.title}", *(f"{param.name} {param.help}" for param in row.info.params)]
    return any(all(word in text.lower() for word in words) for text in texts)
