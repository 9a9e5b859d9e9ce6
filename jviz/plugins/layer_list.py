"""The list of a view's layers: which are seen, in what order, and which one panels act on."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QListWidget, QListWidgetItem

from jviz.api import View

__all__ = ["LayerList"]

ROLE = Qt.ItemDataRole.UserRole


def name_of(layer: Any) -> str:
    """Name a layer by its data, a difference or a ratio by both, a slab of a cube by its range."""
    sign, slab = {"difference": "−", "ratio": "/"}.get(layer.operation), getattr(layer, "slab_text", "")
    if sign is not None and layer.against is not None:
        return f"{layer.data.name} {sign} {layer.against.name}"
    return f"{layer.data.name} · {slab}" if slab else layer.data.name


class LayerList(QListWidget):
    """Layers of a view, the topmost first.

    The box hides a layer, dragging changes the order, a click makes a layer the active one,
    Delete takes it out of the view.
    """

    reordered = Signal(tuple)
    chosen = Signal(object)
    visibility_set = Signal(object, bool)
    removal_wanted = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setFrameShape(QListWidget.Shape.NoFrame)
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setDefaultDropAction(Qt.DropAction.MoveAction)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Layers, the topmost first")
        self.setToolTip("The topmost layer is first; drag to change the order, Delete removes one from the view")
        self.itemChanged.connect(self._checked)
        self.currentItemChanged.connect(self._current)
        self.model().rowsMoved.connect(self._moved)

    def show_layers(self, view: View) -> None:
        """Take over the layers of a view."""
        self.blockSignals(True)
        self.clear()
        lowest = view.layers[0] if len(view.layers) > 1 else None
        for layer in reversed(view.layers):
            item = QListWidgetItem(name_of(layer))
            item.setData(ROLE, layer)
            item.setToolTip(name_of(layer) + (" (the reference: its pixels are the grid)" if layer is lowest else ""))
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable & ~Qt.ItemFlag.ItemIsDropEnabled)
            item.setCheckState(Qt.CheckState.Checked if layer.visible else Qt.CheckState.Unchecked)
            self.addItem(item)
            if layer is view.layer:
                self.setCurrentItem(item)
        self.blockSignals(False)
        rows = min(max(self.count(), 1), 5)
        self.setFixedHeight(rows * max(self.sizeHintForRow(0), self.fontMetrics().height() + 6) + 4)

    def layers(self) -> tuple[Any, ...]:
        """Return the layers in the order of the view: the topmost last."""
        return tuple(self.item(row).data(ROLE) for row in reversed(range(self.count())))

    def _checked(self, item: QListWidgetItem) -> None:
        self.visibility_set.emit(item.data(ROLE), item.checkState() == Qt.CheckState.Checked)

    def _current(self, item: QListWidgetItem | None, _: Any) -> None:
        if item is not None:
            self.chosen.emit(item.data(ROLE))

    def _moved(self, *_: Any) -> None:
        self.reordered.emit(self.layers())

    def keyPressEvent(self, event: Any) -> None:
        item = self.currentItem()
        if event.key() == Qt.Key.Key_Delete and item is not None:
            self.removal_wanted.emit(item.data(ROLE))
        elif event.modifiers() & Qt.KeyboardModifier.AltModifier and event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self._shift(-1 if event.key() == Qt.Key.Key_Up else 1)
        else:
            super().keyPressEvent(event)

    def _shift(self, by: int) -> None:
        row = self.currentRow()
        if 0 <= row + by < self.count():
            order = list(reversed(self.layers()))
            order[row], order[row + by] = order[row + by], order[row]
            self.reordered.emit(tuple(reversed(order)))
