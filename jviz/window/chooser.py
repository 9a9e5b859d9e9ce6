"""Choosing which of the data sets in files to open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from jviz.backend.io.product import Product

__all__ = ["Chooser"]

FEW = 8
"""Files with up to so many data sets have all of them ticked at first."""


class Chooser(QDialog):
    """Lists the data sets of files with boxes to tick; Space ticks, Enter opens.

    Parameters
    ----------
    files : dict
        The products of each file.

    Attributes
    ----------
    chosen : Signal
        With a dict: the ``hdu`` of the ticked ones by file, an empty list where all of a file are.
    """

    chosen = Signal(dict)

    def __init__(self, parent: QWidget, files: dict[str, list[Product]]) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._files = files
        products = [product for inside in files.values() for product in inside]
        name = Path(next(iter(files))).name if len(files) == 1 else f"{len(files)} files"
        self.setWindowTitle(f"Open {name}")
        self.resize(640, 440)
        holds = "holds" if len(files) == 1 else "hold"
        title = QLabel(f"{name} {holds} {len(products)} data sets. Which do you want to open?")
        title.setWordWrap(True)
        self.search = QLineEdit(placeholderText="Filter by name or kind", clearButtonEnabled=True)
        self.search.setAccessibleName("Filter by name or kind")
        self.search.textChanged.connect(self._filter)
        self.tree = self._tree(products)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Open | QDialogButtonBox.StandardButton.Cancel)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 16, 18, 14)
        layout.setSpacing(10)
        layout.addWidget(title)
        layout.addWidget(self.search)
        layout.addWidget(self.tree, 1)
        layout.addLayout(self._ticking())
        layout.addWidget(self.buttons)
        self._count()
        self.tree.setFocus()

    def _tree(self, products: list[Product]) -> QTreeWidget:
        tree = QTreeWidget()
        tree.setHeaderLabels(["Name", "Shape", "Unit", "Kind", "Planes"])
        tree.setRootIsDecorated(False)
        tree.setUniformRowHeights(True)
        tree.setAlternatingRowColors(True)
        tree.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        tree.setAccessibleName("Data sets of the file")
        tree.header().setStretchLastSection(False)
        tree.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        state = Qt.CheckState.Checked if len(products) <= FEW else Qt.CheckState.Unchecked
        items = []
        for product in products:
            item = QTreeWidgetItem(_facts(product))
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(0, state)
            item.setToolTip(0, product.label or product.name)
            items.append(item)
        tree.addTopLevelItems(items)
        first = 0
        for inside in self._files.values():
            items[first].setCheckState(0, Qt.CheckState.Checked)
            first += len(inside)
        tree.setCurrentItem(tree.topLevelItem(0))
        tree.itemChanged.connect(self._count)
        return tree

    def _ticking(self) -> QHBoxLayout:
        row = QHBoxLayout()
        for text, state in (("Tick All", Qt.CheckState.Checked), ("Tick None", Qt.CheckState.Unchecked)):
            button = QPushButton(text)
            button.setAutoDefault(False)
            button.clicked.connect(lambda _=False, state=state: self._tick(state))
            row.addWidget(button)
        row.addStretch()
        return row

    def _items(self) -> list[QTreeWidgetItem]:
        return [self.tree.topLevelItem(n) for n in range(self.tree.topLevelItemCount())]

    def _tick(self, state: Qt.CheckState) -> None:
        self.tree.blockSignals(True)  # each would count all
        for item in self._items():
            if not item.isHidden():
                item.setCheckState(0, state)
        self.tree.blockSignals(False)
        self.tree.viewport().update()
        self._count()

    def _filter(self, text: str) -> None:
        for item in self._items():
            shown = " ".join(item.text(column) for column in range(item.columnCount())).casefold()
            item.setHidden(text.casefold() not in shown)

    def _ticked(self) -> list[int]:
        return [n for n, item in enumerate(self._items()) if item.checkState(0) == Qt.CheckState.Checked]

    def _count(self, *_: Any) -> None:
        count = len(self._ticked())
        button = self.buttons.button(QDialogButtonBox.StandardButton.Open)
        button.setText(f"Open {count}" if count else "Open")
        button.setEnabled(bool(count))
        button.setDefault(True)

    def accept(self) -> None:
        """Hand over what is ticked."""
        ticked, first = set(self._ticked()), 0
        wanted = {}
        for path, inside in self._files.items():
            parts = [product.options["hdu"] for n, product in enumerate(inside, first) if n in ticked]
            if parts:
                wanted[path] = [] if len(parts) == len(inside) else parts
            first += len(inside)
        self.chosen.emit(wanted)
        super().accept()


def _facts(product: Product) -> list[str]:
    first = next(iter(product.planes.values()), None)
    part = product.options.get("hdu")
    name = product.name if part is None or f"[{part}" in product.name else f"{product.name} [{part}]"
    shape = " × ".join(map(str, product.shape))
    return [name, shape, first.unit if first is not None else "", product.kind, ", ".join(product.planes)]
