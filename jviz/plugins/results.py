"""The panel of results: what commands found out, with the Python that gives it again."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, Qt
from PySide6.QtGui import QFont, QFontDatabase, QGuiApplication, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListView,
    QPlainTextEdit,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from jviz.api import CommandError, Result, TableView, as_table, entries
from jviz.plugins.parts import Panel, muted, tool_button

__all__ = ["ResultsPanel"]

FILTERS = ("ECSV (*.ecsv)", "CSV (*.csv)", "Text with tabs (*.tsv)", "FITS (*.fits)", "VOTable (*.vot)",
           "Parquet (*.parquet)")  # fmt: skip


class ResultsPanel(Panel):
    """What commands found out, newest first: tables, numbers with unit and uncertainty, texts.

    A click on a column's header sorts; Ctrl+C copies rows with all their digits. Tables can be written as
    ECSV, CSV, FITS, VOTable or Parquet, or added to the session as catalogues. The line of Python below gives the
    same again.
    """

    empty_text = "No results yet.\n\nWhat a command measures or counts will be listed here."

    def __init__(self, context: Any) -> None:
        super().__init__(context)
        self._shown: Result | None = None
        self._newest = 0
        self._make_widgets()
        self._arrange()
        self.setFocusProxy(self.list)
        self.list.selectionModel().currentChanged.connect(lambda *_: self._show_chosen())
        self.links.signal(self.session.results_changed, self.later)

    # --- parts ----------------------------------------------------------------------------------

    def _make_widgets(self) -> None:
        self.model = _List(self)
        self.list = QListView()
        self.list.setModel(self.model)
        self.list.setUniformItemSizes(True)
        self.list.setFrameShape(QListView.Shape.NoFrame)
        self.list.setAccessibleName("Results, newest first")
        delete = QShortcut(QKeySequence("Del"), self.list, self.remove)
        delete.setContext(Qt.ShortcutContext.WidgetShortcut)
        self.table = TableView("Table of the result")
        self.pairs = TableView("Values of the result")
        self.pairs.verticalHeader().hide()
        self.pairs.horizontalHeader().setStretchLastSection(True)
        self.text = QPlainTextEdit(readOnly=True)
        self.text.setFrameShape(QPlainTextEdit.Shape.NoFrame)
        self.text.setAccessibleName("Text of the result")
        self.number = QLabel()
        self.number.setAccessibleName("Value of the result")
        self.number.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.number.setWordWrap(True)
        self.number.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        font = QFont(self.number.font())
        font.setPointSizeF(font.pointSizeF() * 1.7)
        self.number.setFont(font)
        self.head = muted(QLabel())
        self.head.setTextFormat(Qt.TextFormat.PlainText)
        self.line = QLineEdit(readOnly=True)
        self.line.setObjectName("code")
        self.line.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.line.setAccessibleName("The Python that gives this result again")
        self.line.setToolTip("The Python that gives this result again")

    def _arrange(self) -> None:
        self.pages = QStackedWidget()
        for page in (self.table, self.pairs, self.number, self.text):
            self.pages.addWidget(page)
        right = QWidget()
        layout = QVBoxLayout(right)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(self._tool_bar())
        layout.addWidget(self.pages, 1)
        foot = QHBoxLayout()
        foot.setContentsMargins(6, 4, 6, 4)
        foot.addWidget(self.line)
        layout.addLayout(foot)
        splitter = QSplitter()
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(self.list)
        splitter.addWidget(right)
        splitter.setStretchFactor(1, 1)
        splitter.setSizes([200, 740])
        outer = QVBoxLayout(self.body)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(splitter)

    def _tool_bar(self) -> QHBoxLayout:
        bar = QHBoxLayout()
        bar.setContentsMargins(8, 2, 4, 2)
        bar.setSpacing(0)
        bar.addWidget(self.head, 1)
        self.buttons = {}
        for name, icon, text, function in (
            ("copy", "fa6s.copy", "Copy the result, or selected rows", self.copy),
            ("export", "fa6s.file-export", "Write the table to a file…", self.export),
            ("add", "fa6s.layer-group", "Add the table to the session as a catalogue", self.add_as_data),
            ("remove", "fa6s.trash", "Remove this result", self.remove),
            ("clear", "fa6s.broom", "Remove all results", self.clear),
        ):
            self.buttons[name] = tool_button(self.context, icon, text, function)
            bar.addWidget(self.buttons[name])
        return bar

    # --- what is shown --------------------------------------------------------------------------

    def is_empty(self) -> bool:
        return not len(self.session.results)

    def refresh(self) -> None:
        results = list(self.session.results)[::-1]
        newest = results[0].number if results else 0
        row = self.list.currentIndex().row()
        kept = self._shown if newest <= self._newest else None
        self._newest = newest
        self.model.show(results)
        chosen = results.index(kept) if kept in results else 0 if kept is None else min(row, len(results) - 1)
        self.list.setCurrentIndex(self.model.index(max(chosen, 0)))
        self._show_chosen()

    def show_result(self, result: Result) -> None:
        """Go to a result."""
        self.refresh()
        if result in self.model.results:
            self.list.setCurrentIndex(self.model.index(self.model.results.index(result)))

    def _show_chosen(self) -> None:
        row = self.list.currentIndex().row()
        result = self.model.results[row] if 0 <= row < len(self.model.results) else None
        if result is self._shown:
            return
        self._shown = result
        if result is None:
            self.table.show_table(None)
            return
        self.head.setText(f"{result.title} — {result.text}" if _is_table(result.value) else result.title)
        self.line.setText(result.line)
        self.line.setCursorPosition(0)
        self.line.setVisible(bool(result.line))
        self._show_value(result)
        tabular = self._tabular() is not None
        self.buttons["export"].setEnabled(tabular)
        self.buttons["add"].setEnabled(tabular)

    def _show_value(self, result: Result) -> None:
        value = result.value
        if isinstance(value, Mapping):
            self.pairs.show_table(_pairs(value))
            self.pages.setCurrentWidget(self.pairs)
        elif _is_table(value) or (getattr(value, "ndim", 0) == 1 and self._tabular() is not None):
            self.table.show_table(value if _is_table(value) else as_table(value))
            self.pages.setCurrentWidget(self.table)
        elif isinstance(value, str) or len(result.text) > 60:
            self.text.setPlainText(str(value))
            self.pages.setCurrentWidget(self.text)
        else:
            self.number.setText(result.text)
            self.pages.setCurrentWidget(self.number)

    def _tabular(self) -> Any:
        """Return the shown result as a table, None when it is none."""
        try:
            return as_table(self._shown.value) if self._shown is not None else None
        except CommandError:
            return None

    # --- what the user does ---------------------------------------------------------------------

    def copy(self) -> None:
        """Copy rows of a table, or the value as text."""
        page = self.pages.currentWidget()
        if isinstance(page, TableView):
            page.copy()
        elif self._shown is not None:
            text = self.text.toPlainText() if page is self.text else self._shown.text
            QGuiApplication.clipboard().setText(text)

    def export(self, path: str | Path = "") -> None:
        """Write the shown table to a file; asks for its name when none is given."""
        table = self._tabular()
        if table is None:
            return
        if not path:
            path, _ = QFileDialog.getSaveFileName(self, "Export Table", f"{self._name()}.ecsv", ";;".join(FILTERS))
        if path:
            self.context.run("table.export", path=Path(path), table=table)

    def add_as_data(self) -> None:
        """Add the shown table to the session as a catalogue."""
        table = self._tabular()
        if table is not None:
            self.context.run("data.add", thing=table, name=self._name())

    def remove(self) -> None:
        """Forget the shown result."""
        if self._shown is not None:
            self.session.results.remove(self._shown)

    def clear(self) -> None:
        """Forget all results."""
        self.session.results.clear()

    def _name(self) -> str:
        return self._shown.title.lower().replace(" ", "_") if self._shown is not None else "result"


def _is_table(value: Any) -> bool:
    return hasattr(value, "colnames")


def _pairs(values: Mapping[str, Any]) -> Any:
    from astropy.table import Table

    names, texts = zip(*entries(values), strict=True)
    return Table([list(names), list(texts)], names=("Quantity", "Value"))


class _List(QAbstractListModel):
    """The results, newest first, two words each: what and when."""

    def __init__(self, parent: ResultsPanel) -> None:
        super().__init__(parent)
        self.results: list[Result] = []

    def show(self, results: list[Result]) -> None:
        self.beginResetModel()
        self.results = results
        self.endResetModel()

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        return len(self.results)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        result = self.results[index.row()]
        clock = time.strftime("%H:%M:%S", time.localtime(result.when))
        if role == Qt.ItemDataRole.DisplayRole:
            return f"{clock}  {result.title}"
        if role == Qt.ItemDataRole.ToolTipRole:
            return "\n".join(filter(None, [f"{clock}  {result.title}", result.text[:200], result.line[:300]]))
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{result.title}, {result.text[:80]}, at {clock}"
        return None
