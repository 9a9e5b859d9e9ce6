"""The header panel: every keyword of every extension, and the ASDF tree, with search."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QModelIndex, QSize, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QKeySequence, QPalette, QShortcut
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QSplitter,
    QStackedWidget,
    QTableView,
    QTreeView,
    QVBoxLayout,
)

from jviz.api import Data, Unit
from jviz.plugins.header_models import Cards, Highlight, Tree, matching
from jviz.plugins.parts import Panel, tool_button

__all__ = ["HeaderPanel"]

COUNTED = 100_000
"""Cards up to which matches are counted in every extension while the user types."""

TREE = -1


class HeaderPanel(Panel):
    """The header of every extension of a file: keyword, value, comment; and the ASDF tree of a product.

    Type to search in all of them: matches are marked, and the list says how many each extension has.
    The panel follows the active viewer until another data set is chosen in its menu.
    """

    empty_text = "No header to show.\n\nOpen a file, and its keywords appear here."

    def __init__(self, context: Any) -> None:
        super().__init__(context)
        self._data: Data | None = None
        self._chosen: Data | None = None
        self._tree_of: Data | None = None
        self._units: tuple[Unit, ...] = ()
        self._make_widgets()
        self._arrange()
        self.setFocusProxy(self.search)
        self._typed = QTimer(self, singleShot=True, interval=60)
        self._typed.timeout.connect(self._search)
        self.search.textChanged.connect(lambda _: self._typed.start())
        self.chooser.activated.connect(self._choose)
        self.units.currentRowChanged.connect(lambda _: self._show_unit())
        self.links.signal(self.session.data_changed, self.later)
        self.links.signal(self.session.jobs.changed, self._job_changed)
        context.active_changed.connect(self.later)

    # --- parts ----------------------------------------------------------------------------------

    def _make_widgets(self) -> None:
        self.chooser = QComboBox(sizeAdjustPolicy=QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.chooser.setMinimumContentsLength(16)
        self.chooser.setAccessibleName("Data whose header is shown")
        self.search = QLineEdit(placeholderText="Search keywords, values and comments", clearButtonEnabled=True)
        self.search.setAccessibleName("Search the header")
        self.units = QListWidget(uniformItemSizes=True)
        self.units.setAccessibleName("Extensions of the file")
        self.cards = Cards(self)
        self.table = QTableView(showGrid=False, wordWrap=False, alternatingRowColors=True)
        self.table.setModel(self.cards)
        self.table.setAccessibleName("Keywords")
        self.table.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        self.table.setTabKeyNavigation(False)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 6)
        self.tree_model = Tree(self)
        self.tree = QTreeView(uniformRowHeights=True, alternatingRowColors=True)
        self.tree.setModel(self.tree_model.shown)
        self.tree.setAccessibleName("ASDF tree")
        self.highlight = Highlight(self)
        for view in (self.units, self.table, self.tree):
            view.setFrameShape(QTableView.Shape.NoFrame)
            view.setItemDelegate(self.highlight) if view is not self.units else None
        for view in (self.table, self.tree):
            QShortcut(QKeySequence(QKeySequence.StandardKey.Copy), view, self.copy).setContext(
                Qt.ShortcutContext.WidgetShortcut
            )
        find = QShortcut(QKeySequence(QKeySequence.StandardKey.Find), self, self.search.setFocus)
        find.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        escape = QShortcut(QKeySequence("Esc"), self.search, self.search.clear)
        escape.setContext(Qt.ShortcutContext.WidgetShortcut)

    def _arrange(self) -> None:
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Interactive)
        header.setStretchLastSection(True)
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.resizeSection(0, 110)
        header.resizeSection(1, 220)
        bar = QHBoxLayout()
        bar.setContentsMargins(6, 3, 4, 3)
        bar.addWidget(self.chooser, 1)
        bar.addWidget(self.search, 2)
        bar.addWidget(tool_button(self.context, "fa6s.copy", "Copy selected rows, or all", self.copy))
        self.pages = QStackedWidget()
        self.pages.addWidget(self.table)
        self.pages.addWidget(self.tree)
        splitter = QSplitter()
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(self.units)
        splitter.addWidget(self.pages)
        splitter.setStretchFactor(1, 1)
        splitter.setSizes([190, 600])
        layout = QVBoxLayout(self.body)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(bar)
        layout.addWidget(splitter)

    # --- which data -----------------------------------------------------------------------------

    def show_data(self, data: Data) -> None:
        """Show the header of a data set until another one is chosen."""
        self._chosen = data
        self.later()

    def _choose(self, row: int) -> None:
        self._chosen = self.chooser.itemData(row)
        self.later()

    def _wanted(self) -> Data | None:
        if self._chosen in self.session.data:
            return self._chosen
        view = self.context.active_view()
        if view is not None and view.data is not None:
            return view.data
        return self.session.data[-1] if self.session.data else None

    def is_empty(self) -> bool:
        return self._wanted() is None

    def refresh(self) -> None:
        data = self._wanted()
        self._fill_chooser()
        if data is not None and data is not self._data:
            self._data, self._units = data, data.product.units
            self._fill_units(data)

    def _fill_chooser(self) -> None:
        view = self.context.active_view()
        followed = view.data.name if view is not None and view.data is not None else "none yet"
        self.chooser.clear()
        self.chooser.addItem(f"Active viewer ({followed})", None)
        for data in self.session.data:
            self.chooser.addItem(data.name, data)
        row = self.session.data.index(self._chosen) + 1 if self._chosen in self.session.data else 0
        self.chooser.setCurrentIndex(row)

    def _fill_units(self, data: Data) -> None:
        self.units.blockSignals(True)
        self.units.clear()
        for unit in self._units:
            item = QListWidgetItem(unit_text(unit))
            item.setToolTip(" ".join(filter(None, [unit.what, _sizes(unit.shape), unit.dtype, unit.unit])))
            item.setData(Qt.ItemDataRole.UserRole, unit_text(unit))
            item.setSizeHint(QSize(0, self.fontMetrics().height() + 6))
            self.units.addItem(item)
        if data.product.tree is not None:
            self.units.addItem(QListWidgetItem("ASDF tree"))
        self.units.blockSignals(False)
        self.units.setCurrentRow(self._first_row(data))
        self._show_unit()
        if not self.units.count():
            self.show_empty(True, f"{data.name} has no header: it was made in this session.")

    def _first_row(self, data: Data) -> int:
        """Return what to show first: the extension of the data, or the tree of a file that has nothing but that."""
        row = min(max(data.product.main, 0), self.units.count() - 1)
        is_bare = data.product.tree is not None and 0 <= row < len(self._units) and not self._units[row].cards
        return len(self._units) if is_bare else row

    # --- what is shown --------------------------------------------------------------------------

    def _on_tree(self) -> bool:
        return self.units.currentRow() == len(self._units) and self._has_tree()

    def _has_tree(self) -> bool:
        return self._data is not None and self._data.product.tree is not None

    def _show_unit(self) -> None:
        row = self.units.currentRow()
        self.pages.setCurrentWidget(self.tree if self._on_tree() else self.table)
        if self._on_tree():
            self._load_tree()
        elif 0 <= row < len(self._units):
            self.cards.show(self._units[row].cards)
        self._search()

    def _load_tree(self) -> None:
        if self._tree_of is self._data or self._data is None:
            return
        self._tree_of = data = self._data
        self.tree_model.clear("Reading the tree …")
        load = data.product.tree
        self._job = self.session.jobs.submit(f"ASDF tree: {data.name}", lambda job: load(), quiet=True, urgent=True)

    def _job_changed(self, job: Any) -> None:
        if job is not getattr(self, "_job", None) or not job.is_over:
            return
        self._job = None
        if self._tree_of is not self._data:
            return
        if job.state == "done":
            self.tree_model.fill(job.result())
            self.tree.expandToDepth(0)
            self.tree.resizeColumnToContents(0)
            self._search()
        else:
            self.tree_model.clear(str(job.error))

    # --- search and copy ------------------------------------------------------------------------

    def _search(self) -> None:
        text = self.search.text().strip()
        self.highlight.text = text
        self.cards.search(text)
        self._count(text)
        if self._on_tree():
            self.tree_model.search(text)
            if text:
                self.tree.expandAll()
        for view in (self.table, self.tree):
            view.viewport().update()

    def _count(self, text: str) -> None:
        counted = sum(len(unit.cards) for unit in self._units) <= COUNTED
        for row, unit in enumerate(self._units):
            found = len(matching(unit.cards, text)) if text and counted else None
            item = self.units.item(row)
            item.setText(unit_text(unit) + (f"   ({found})" if found else ""))
            role = QPalette.ColorRole.PlaceholderText if found == 0 else QPalette.ColorRole.Text
            item.setForeground(self.palette().color(role))

    def restyle(self) -> None:
        self._count(self.search.text())

    def copy(self) -> None:
        """Copy the selected rows, or all that are shown, as text."""
        if self._on_tree():
            index = self.tree.currentIndex()
            text = self.tree_model.text_of(index)
        else:
            rows = sorted({index.row() for index in self.table.selectionModel().selectedRows()})
            text = self.cards.text_of(rows or range(self.cards.rowCount(QModelIndex())))
        QGuiApplication.clipboard().setText(text)


def unit_text(unit: Unit) -> str:
    """Name an extension as its files do: ``1  SCI,1  2048 × 2048``."""
    name = unit.name or ("PRIMARY" if unit.index == 0 else unit.what)
    version = f",{unit.version}" if unit.version > 1 else ""
    return "  ".join(filter(None, [str(unit.index), f"{name}{version}", _sizes(unit.shape)]))


def _sizes(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape))
