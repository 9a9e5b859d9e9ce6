"""Choosing which of the data sets in a file to open."""

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
    """Lists the data sets of a file with boxes to tick; Space ticks, Enter opens.

    Attributes
    ----------
    chosen : Signal
        With the ``hdu`` of the ticked ones, an empty list when all are.
    """

    chosen = Signal(list)

    def __init__(self, parent: QWidget, path: Path, products: list[Product]) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(f"Open {path.name}")
        self.resize(640, 440)
        self._products = products
        title = QLabel(f"{path.name} holds {len(products)} data sets. Which do you want to open?")
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
        for product in products:
            item = QTreeWidgetItem(_facts(product))
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(0, state)
            item.setToolTip(0, product.label or product.name)
            tree.addTopLevelItem(item)
        tree.topLevelItem(0).setCheckState(0, Qt.CheckState.Checked)
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
        for item in self._items():
            if not item.isHidden():
                item.setCheckState(0, state)

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
        ticked = self._ticked()
        everything = len(ticked) == len(self._products)
        self.chosen.emit([] if everything else [self._products[n].options["hdu"] for n in ticked])
        super().accept()


def _facts(product: Product) -> list[str]:
    first = next(iter(product.planes.values()), None)
    part = product.options.get("hdu")
    name = product.name if part is None or f"[{part}" in product.name else f"{product.name} [{part}]"
    shape = " × ".join(map(str, product.shape))
    return [name, shape, first.unit if first is not None else "", product.kind, ", ".join(product.planes)]
