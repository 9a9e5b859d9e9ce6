"""The basket of products, and the history of downloads: pages of the panel Transfers."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QModelIndex, Qt, QTimer, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from jviz.api import JvizError, TableView, basket_of, counted, downloads_of, files_here, product_groups, size_text
from jviz.plugins.parts import Newest, hint_label, muted, tool_button
from jviz.plugins.products_tree import ProductTree

__all__ = ["BasketPage", "HistoryPage"]

EMPTY = ("The basket is empty.\n\nList products in the Archive panel and press Add to Basket: "
         "they wait here, also after a restart, until you download them together.")  # fmt: skip
NOTHING = "Nothing was downloaded yet.\n\nEvery file that ever came is listed here, for good."


class _Page(QWidget):
    """A view with buttons above and words below, or a hint while there is nothing."""

    def _lay_out(self, head: QHBoxLayout, view: QWidget, hint: str, foot: QHBoxLayout) -> None:
        self._pages, pages = QStackedLayout(), QWidget()
        pages.setLayout(self._pages)
        self._pages.addWidget(view)
        self._pages.addWidget(hint_label(hint))
        head.setContentsMargins(6, 2, 6, 2)
        head.setSpacing(2)
        foot.setContentsMargins(10, 4, 8, 6)
        foot.setSpacing(8)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(head)
        layout.addWidget(pages, 1)
        layout.addLayout(foot)


class BasketPage(_Page):
    """The products in the basket, with their size in all.

    Attributes
    ----------
    looked : Signal
        With how many there are, after a look into it.
    """

    looked = Signal(int)

    def __init__(self, context: Any, links: Any) -> None:
        super().__init__()
        self.context, self.session = context, context.session
        self.tree = ProductTree("Products in the basket", context)
        self.about = muted(QLabel(textFormat=Qt.TextFormat.PlainText))
        self.open_after = QCheckBox("and open")
        self.get_button = QPushButton("Download Basket")
        self._newest = Newest(links, self.session, "Basket", self._begin, apart=True)
        self._looking = Newest(links, self.session, "Files that are here", self._begin_to_look, apart=True)
        links.signal(self.session.archives.library_changed, self._look_again)
        button = partial(tool_button, context, label=True)
        self.remove_button = button("fa6s.minus", "Remove", self.remove)
        self.clear_button = button("fa6s.trash", "Empty", partial(context.run, "archive.basket_clear"))
        self.out_button = button("fa6s.file-export", "Fetch Elsewhere…", self.show_out)
        self._arrange()
        self.tree.selectionModel().selectionChanged.connect(self._settle)
        self.tree.opened.connect(self._open_one)
        delete = QShortcut(QKeySequence("Del"), self.tree, self.remove)
        delete.setContext(Qt.ShortcutContext.WidgetShortcut)
        self.get_button.clicked.connect(partial(self.download, None))
        self._settle()

    def _arrange(self) -> None:
        head, foot = QHBoxLayout(), QHBoxLayout()
        for button in (self.remove_button, self.clear_button, self.out_button):
            head.addWidget(button)
        head.addStretch(1)
        self.folder_button = tool_button(self.context, "fa6s.folder-open", "Download into a folder…",
                                         self.choose_folder)  # fmt: skip
        foot.addWidget(self.about, 1)
        foot.addWidget(self.open_after)
        foot.addWidget(self.folder_button)
        foot.addWidget(self.get_button)
        self._lay_out(head, self.tree, EMPTY, foot)

    def ask(self) -> None:
        """Look into the basket, in a job."""
        self._newest.ask()

    def _begin(self) -> Any:
        def look(job: Any) -> tuple[Any, str]:
            try:
                return product_groups(basket_of(self.session.archives.library)), ""
            except JvizError as error:
                return None, str(error)

        return look, self._show

    def _show(self, groups: Any, error: str) -> None:
        self.tree.show_groups(groups)
        self._pages.setCurrentIndex(0 if self.count else 1)
        self._settle()
        self._looking.ask()
        self.looked.emit(self.count)
        if error:
            self.about.setText(error)

    def _look_again(self) -> None:
        """Look once more which files are here; called in any thread."""
        self.session.dispatcher.call(self._looking.ask)

    def _begin_to_look(self) -> Any:
        table = self.tree.table
        if not self.count:
            return None
        return (lambda job: (table, files_here(self.session.archives.library, table))), self._show_here

    def _show_here(self, table: Any, here: list[Path | None]) -> None:
        if table is self.tree.table:
            self.tree.products.show_here(here)
            self._settle()

    @property
    def count(self) -> int:
        """How many products are in the basket."""
        return 0 if self.tree.table is None else len(self.tree.table)

    def _settle(self, *_: Any) -> None:
        chosen = self.tree.selected_rows()
        for button in (self.clear_button, self.out_button, self.get_button, self.folder_button):
            button.setEnabled(bool(self.count))
        self.remove_button.setEnabled(bool(chosen))
        text = self.tree.size_of(self.tree.table) if self.count else ""
        here = int(self.tree.products.are_here(np.arange(self.count)).sum())
        text += f", {here:,} on this machine" if here else ""
        self.about.setText(f"{text}; selected: {self.tree.size_of(self.tree.chosen())}" if chosen else text)

    # --- doing ----------------------------------------------------------------------------------

    def remove(self) -> None:
        """Take the selected products out of the basket."""
        if self.tree.selected_rows():
            self.context.run("archive.basket_remove", products=self.tree.chosen())

    def download(self, folder: str | None) -> None:
        """Fetch all that is in the basket, into jviz's store or a folder."""
        if self.count:
            where = {} if folder is None else {"folder": folder}
            self.context.run("archive.basket_download", open=self.open_after.isChecked(), **where)

    def _open_one(self, row: int) -> None:
        """Open a file, fetched first where it is not here."""
        path = self.tree.products.path_of(row)
        if path is None:
            self.context.run("archive.download", products=self.tree.table[[row]], open=True)
        elif path.suffix.lower() != ".json":
            self.context.run("file.open", paths=[str(path)])

    def choose_folder(self) -> None:
        """Ask for a folder, and download into it."""
        folder = QFileDialog.getExistingDirectory(self, "Download Into")
        if folder:
            self.download(folder)

    def show_out(self) -> None:
        """Show the menu of what can be written."""
        self.tree.popup(self.out_button.mapToGlobal(self.out_button.rect().bottomLeft()))


class HistoryPage(_Page):
    """All files that ever came, the newest first."""

    def __init__(self, context: Any, links: Any) -> None:
        super().__init__()
        self.context, self.session = context, context.session
        self.view = TableView("Files that were downloaded")
        self.rows: Any = None
        self.words = QLineEdit(placeholderText="Part of a name", clearButtonEnabled=True)
        self.words.setAccessibleName("Part of the names that are listed")
        self.about = muted(QLabel(textFormat=Qt.TextFormat.PlainText))
        self._newest = Newest(links, self.session, "History of downloads", self._begin, apart=True)
        self._typing = QTimer(self, singleShot=True, interval=200)
        button = partial(tool_button, context, label=True)
        self.open_button = button("fa6s.folder-open", "Open", self.open)
        self.again_button = button("fa6s.download", "Download Again", partial(self._use, "archive.download"))
        self.basket_button = button("fa6s.basket-shopping", "Add to Basket", partial(self._use, "archive.basket_add"))
        head, foot = QHBoxLayout(), QHBoxLayout()
        for part in (self.open_button, self.again_button, self.basket_button):
            head.addWidget(part)
        head.addStretch(1)
        head.addWidget(self.words)
        foot.addWidget(self.about, 1)
        self._lay_out(head, self.view, NOTHING, foot)
        self._typing.timeout.connect(self._newest.ask)
        self.words.textChanged.connect(lambda *_: self._typing.start())
        self.view.doubleClicked.connect(self._open_at)
        self.view.selectionModel().selectionChanged.connect(self._settle)
        self._settle()

    def ask(self) -> None:
        """Look into the history, in a job."""
        self._newest.ask()

    def _begin(self) -> Any:
        words = self.words.text()

        def look(job: Any) -> tuple[Any, str]:
            try:
                return _table(downloads_of(self.session.archives.library, words)), ""
            except JvizError as error:
                return None, str(error)

        return look, self._show

    def _show(self, table: Any, error: str) -> None:
        if _same(table, self.rows):
            return  # what is selected stays so
        self.rows = table
        self.view.show_table(table)
        count = 0 if table is None else len(table)
        self._pages.setCurrentIndex(0 if count or self.words.text() else 1)
        gone = 0 if table is None else int(np.sum(np.asarray(table["here"]) == "gone"))
        text = counted(count, "file") + (f", {gone:,} not where they were any more" if gone else "")
        self.about.setText(error or (text if count or self.words.text() else ""))
        self._settle()

    def _settle(self, *_: Any) -> None:
        chosen = self.view.selected_rows()
        for button in (self.open_button, self.again_button, self.basket_button):
            button.setEnabled(bool(chosen))

    def open(self) -> None:
        """Open the selected files that are here."""
        self._open(self.view.selected_rows())

    def _open_at(self, index: QModelIndex) -> None:
        self._open(self.view.table_model.table_rows([index.row()]).tolist())

    def _open(self, rows: list[int]) -> None:
        here = [str(self.rows["path"][row]) for row in rows if self.rows["here"][row] == "here"]
        if here:
            self.context.run("file.open", paths=here)
        elif rows:
            self.context.notify("warning", f"{self.rows['productFilename'][rows[0]]} is not where it was any more. "
                                "Download it again.")  # fmt: skip

    def _use(self, id: str) -> None:
        rows = self.view.selected_rows()
        if rows:
            self.context.run(id, products=[str(self.rows["dataURI"][row]) for row in rows])


def _same(one: Any, two: Any) -> bool:
    return one is not None and two is not None and len(one) == len(two) > 0 and bool(np.all(one == two))


def _table(found: Any) -> Any:
    from astropy.table import Table

    times = [time.strftime("%Y-%m-%d %H:%M", time.localtime(row.time)) for row in found]
    columns = {"time": times, "productFilename": [row.name for row in found],
               "size": [row.size for row in found], "here": ["here" if row.is_here else "gone" for row in found],
               "dataURI": [row.uri for row in found], "path": [row.path for row in found]}  # fmt: skip
    table = Table(columns, dtype=[int if name == "size" else str for name in columns])
    table["size"].info.format = lambda size: size_text(float(size))
    return table
