"""The products of observations in the Archive panel: a tree with filters, to be fetched now or put into the basket."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from jviz.api import counted, files_here, narrowed_products, product_groups
from jviz.plugins.parts import Newest, muted, tool_button
from jviz.plugins.products_tree import ProductTree

__all__ = ["ProductsPane"]

LEVELS = {"All levels": None, "Level 1": [1], "Level 2": [2], "Level 3": [3, 4], "Levels 2, 3": [2, 3, 4]}
TYPES = {"All types": None, "Science": ["SCIENCE"], "Preview": ["PREVIEW"], "Auxiliary": ["AUXILIARY"],
         "Information": ["INFO"]}  # fmt: skip
ENDS = {"All files": None, ".fits": ["fits", "fits.gz"], ".json": ["json"], ".jpg": ["jpg", "jpeg"],
        ".ecsv": ["ecsv"], ".csv": ["csv"]}  # fmt: skip
GROUPS = {"All products": None, "Minimum recommended": True}
CHOICES = {"level": LEVELS, "type": TYPES, "extension": ENDS, "recommended": GROUPS}
KEPT = "archive.product_filters"

SENTENCE = "Select observations and list their products."


class ProductsPane(QWidget):
    """Files of observations.

    Parameters
    ----------
    submit : callable
        Runs a command in a job that the panel shows: ``submit(id, arguments, take, label)``.
    """

    def __init__(self, context: Any, links: Any, submit: Callable[..., None]) -> None:
        super().__init__()
        self.context, self.session, self._submit = context, context.session, submit
        self.tree = ProductTree("Products", context)
        self.all: Any = None
        self._size = ""
        """All products of the observations, None when none are listed."""
        self.about = muted(QLabel(SENTENCE, textFormat=Qt.TextFormat.PlainText))
        self.list_button, self.get_button = QPushButton("List Products"), QPushButton("Download")
        self.basket_button = QPushButton("Add to Basket")
        self.open_after = QCheckBox("and open", checked=True)
        self.suffix = QLineEdit(placeholderText="i2d s3d x1d", clearButtonEnabled=True)
        about = "Filters: level, type, extension, recommended products"
        self.filter_button = tool_button(context, "fa6s.filter", about, lambda: None)
        self.choices = {name: QActionGroup(self) for name in CHOICES}
        self._narrowing = Newest(links, self.session, "Products", self._begin, apart=True)
        self._looking = Newest(links, self.session, "Files on this machine", self._begin_to_look, apart=True)
        for changed in (self.session.archives.library_changed, self.session.archives.transfers_changed):
            links.signal(changed, self._look_again)
        self._arrange()
        self._recall()
        self._connect()
        self._settle()

    def _arrange(self) -> None:
        self.suffix.setToolTip("Suffixes of the files that are shown, such as i2d s3d x1d; none: all. The associations "
                               "of what is shown come along.")  # fmt: skip
        self.suffix.setAccessibleName("Suffixes of the products that are shown")
        self.about.setWordWrap(True)
        self.about.setContentsMargins(8, 4, 8, 0)
        self.filter_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.filter_button.setMenu(self._filter_menu())
        head, foot = QHBoxLayout(), QHBoxLayout()
        head.addWidget(self.list_button)
        head.addWidget(self.suffix, 1)
        head.addWidget(self.filter_button)
        foot.addWidget(self.open_after)
        foot.addStretch(1)
        foot.addWidget(self.basket_button)
        foot.addWidget(self.get_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        for part, margins in ((head, (8, 2, 6, 2)), (foot, (8, 4, 8, 6))):
            part.setContentsMargins(*margins)
            part.setSpacing(6)
        layout.addLayout(head)
        layout.addWidget(self.tree, 1)
        layout.addWidget(self.about)
        layout.addLayout(foot)
        self.tree.setMinimumHeight(5 * self.tree.fontMetrics().height())

    def _filter_menu(self) -> QMenu:
        menu = QMenu(self)
        for name, group in self.choices.items():
            menu.addSection(name.capitalize())
            for words in CHOICES[name]:
                action = group.addAction(menu.addAction(words))
                action.setCheckable(True)
            group.actions()[0].setChecked(True)
        return menu

    def _connect(self) -> None:
        self.suffix.textChanged.connect(self._filter)
        for group in self.choices.values():
            group.triggered.connect(self._filter)
        self.tree.opened.connect(self._get_one)
        self.tree.selectionModel().selectionChanged.connect(self._settle)
        self.get_button.clicked.connect(self.download)
        self.basket_button.clicked.connect(self.add_to_basket)

    # --- filters --------------------------------------------------------------------------------

    def filters(self) -> dict[str, Any]:
        """Return what is chosen, as archive.products takes it."""
        found = {name: CHOICES[name][group.checkedAction().text()] for name, group in self.choices.items()}
        found["suffix"] = self.suffix.text().lower().replace(",", " ").split() or None
        return {name: value for name, value in found.items() if value is not None}

    def _recall(self) -> None:
        """Choose what was chosen last."""
        kept = dict(self.session.settings[KEPT])
        for name, group in self.choices.items():
            for action in group.actions():
                action.setChecked(action.text() == kept.get(name, group.actions()[0].text()))
            if group.checkedAction() is None:
                group.actions()[0].setChecked(True)
        self.suffix.setText(str(kept.get("suffix", "")))

    def _filter(self, *_: Any) -> None:
        kept = {name: group.checkedAction().text() for name, group in self.choices.items()
                if not group.actions()[0].isChecked()}  # fmt: skip
        if self.suffix.text().strip():
            kept["suffix"] = self.suffix.text().strip()
        self.session.settings[KEPT] = kept
        self._narrowing.ask()

    def _begin(self) -> Any:
        table, filters = self.all, self.filters()
        if table is None:
            return None
        return (lambda job: (table, product_groups(narrowed_products(table, **filters)))), self._show

    def _show(self, table: Any, groups: Any) -> None:
        if table is self.all:
            self.tree.show_groups(groups)
            self._looking.ask()
            self._settle()

    def _look_again(self) -> None:
        """Look once more which files are here; called in any thread."""
        self.session.dispatcher.call(self._looking.ask)

    def _begin_to_look(self) -> Any:
        table = self.tree.table
        if table is None or not len(table):
            return None
        return (lambda job: (table, files_here(self.session.archives.library, table))), self._show_here

    def _show_here(self, table: Any, here: list[Path | None]) -> None:
        if table is self.tree.table:
            self.tree.products.show_here(here)
            self._allow()
            if self.about.text() == self._size:  # what is said of files that have just come stays
                self._say_size()

    # --- products -------------------------------------------------------------------------------

    def list_products(self, observations: Any) -> None:
        """List the files of observations: rows, or the obsid of those of MAST."""
        self._submit("archive.products", {"observations": observations}, self.take, self.about)

    def take(self, table: Any) -> None:
        """Show products."""
        self.all = table
        self._narrowing.ask()

    def _settle(self, *_: Any) -> None:
        """Enable what can be done, and say how much it is."""
        self._allow()
        self._say_size()

    def _allow(self) -> None:
        rows = self.tree.chosen_rows()
        here = int(self.tree.products.are_here(rows).sum())
        missing = len(rows) - here
        for button in (self.basket_button, self.get_button):
            button.setEnabled(len(rows) > 0)
        self.open_after.setVisible(missing > 0 or not len(rows))
        word, count = ("Open", here) if here and not missing else ("Download", missing)
        self.get_button.setText(f"{word} {count:,}" if count else word)

    def _say_size(self) -> None:
        if self.all is None:
            return
        here = int(self.tree.products.are_here(self.tree.chosen_rows()).sum())
        hidden = len(self.all) - len(self.tree.table) if self.tree.table is not None else 0
        known = f", {here:,} on this machine" if here else ""
        more = f"; the filters hide {hidden:,}" if hidden else ""
        self._size = f"{self.tree.size_of(self.tree.chosen())}{known}{more}"
        self.about.setText(self._size)

    def download(self) -> None:
        """Fetch those of the selected files, or of all that are listed, that are not here; open all when none is."""
        rows = self.tree.chosen_rows()
        if len(rows):
            self._get(rows, self.open_after.isChecked() or bool(self.tree.products.are_here(rows).all()))

    def add_to_basket(self) -> None:
        """Put the selected files, or all that are listed, into the basket."""
        table = self.tree.chosen()
        if table is not None and len(table):
            self._submit("archive.basket_add", {"products": table}, self._kept, self.about)

    def _kept(self, count: int) -> None:
        self.about.setText(f"{counted(count, 'file')} put into the basket." if count else "They are in the basket.")

    def _get_one(self, row: int) -> None:
        self._get(np.array([row]), True)

    def _get(self, rows: np.ndarray, opened: bool) -> None:
        """Fetch what is not here of these rows, and open all of them when that is wanted."""
        are_here = self.tree.products.are_here(rows)
        paths = [path for row in rows[are_here] if (path := self.tree.products.path_of(int(row))) is not None]
        missing = rows[~are_here]
        if len(missing):
            take = partial(self._arrived, opened, paths)
            self._submit("archive.download", {"products": self.tree.table[missing]}, take, self.about)
        elif opened:
            self._open(paths)

    def _arrived(self, opened: bool, here: list[Path], paths: list[Path]) -> None:
        self.about.setText(f"{counted(len(paths), 'file')} in {paths[0].parent}")
        if opened:
            self._open([*here, *paths])

    def _open(self, paths: list[Path]) -> None:
        data = [str(path) for path in paths if path.suffix.lower() != ".json"]
        if data:
            self.context.run("file.open", paths=data)
