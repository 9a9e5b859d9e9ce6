"""The panel of data quality flags: which are set, which are drawn, and the way to their pixels."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import (
    QCheckBox,
    QColorDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QMenu,
    QSlider,
    QTableView,
    QToolButton,
    QVBoxLayout,
)

from jviz.api import (
    Flag,
    ImageLayer,
    ImageView,
    JvizError,
    flag_color,
    flag_counts,
    flags_plane,
    known_flags,
    shown_bits,
)
from jviz.plugins.parts import Panel, muted, tool_button

__all__ = ["FlagsPanel"]

NAME, USE, COUNT, SHARE, BIT, MEANING = range(6)
HEADERS = ("Flag", "Measure", "Pixels", "%", "Bit", "Meaning")
HINTS = {
    NAME: "Ticked flags are drawn over the image; double-click a colour to choose another one",
    USE: "Whether measurements use pixels with this flag",
}
Index = QModelIndex | QPersistentModelIndex


class FlagsPanel(Panel):
    """The data quality flags of the active image: names, how many pixels have each, what they mean.

    Tick flags to draw them over the image, each in its colour; arrows go from flagged pixel to flagged
    pixel; pixels with the same flags as the one under the cursor become a subset. Flags that are not
    ticked under “Measure” are left out of measurements in this view.
    """

    empty_text = (
        "No flags here.\n\nShow an image with a data quality (DQ) plane to see which pixels are flagged and why."
    )

    def __init__(self, context: Any) -> None:
        super().__init__(context)
        self.model = FlagTable(self)
        self.table = QTableView()
        self.overlay = QCheckBox("Draw over the image")
        self.opacity = QSlider(Qt.Orientation.Horizontal, minimum=5, maximum=100)
        self.only_set = QCheckBox("Only flags that are set", checked=True)
        self.where = muted(QLabel(textFormat=Qt.TextFormat.PlainText))
        self._set_up_table()
        self._arrange()
        self._connect()
        self._layer: ImageLayer | None = None
        self._view: ImageView | None = None
        self._counted: Any = None

    def _set_up_table(self) -> None:
        table, header = self.table, self.table.horizontalHeader()
        table.setModel(self.model)
        table.setAccessibleName("Flags")
        table.setFrameShape(QTableView.Shape.NoFrame)
        table.setShowGrid(False)
        table.setWordWrap(False)
        table.setAlternatingRowColors(True)
        table.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(table.fontMetrics().height() + 8)
        table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header.setHighlightSections(False)
        header.setStretchLastSection(True)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        letter = table.fontMetrics().horizontalAdvance("0")
        for column, letters in ((NAME, 19), (BIT, 3), (COUNT, 8), (SHARE, 6), (USE, 7)):
            table.setColumnWidth(column, letters * letter + 10)

    def _arrange(self) -> None:
        self.opacity.setAccessibleName("Opacity of the flags")
        self.opacity.setToolTip("Opacity of the flags")
        button = partial(tool_button, self.context)
        top, bottom = QHBoxLayout(), QHBoxLayout()
        for widget in (self.overlay, self.opacity):
            top.addWidget(widget)
        top.setStretch(1, 1)
        previous = button("fa6s.arrow-left", "Previous flagged pixel (Ctrl+Shift+K)", partial(self._go, "dq.previous"))
        following = button("fa6s.arrow-right", "Next flagged pixel (Ctrl+K)", partial(self._go, "dq.next"))
        alike = button("fa6s.magnifying-glass", "Subset of the pixels flagged like the one last pointed at", self.find)
        chosen = button("fa6s.object-group", "Subset of the pixels with the selected flags", self.make_subset)
        menu = QToolButton(text="Show", popupMode=QToolButton.ToolButtonPopupMode.InstantPopup, autoRaise=True)
        menu.setMenu(self._show_menu())
        for widget in (previous, following, alike, chosen, menu):
            bottom.addWidget(widget)
        bottom.addStretch(1)
        bottom.addWidget(self.only_set)
        layout = QVBoxLayout(self.body)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        self.where.setContentsMargins(10, 6, 10, 2)
        top.setContentsMargins(10, 2, 10, 2)
        bottom.setContentsMargins(6, 0, 10, 4)
        layout.addWidget(self.where)
        layout.addLayout(top)
        layout.addLayout(bottom)
        layout.addWidget(self.table)
        self.setFocusProxy(self.table)

    def _show_menu(self) -> QMenu:
        menu = QMenu(self)
        menu.addAction("All Flags", lambda: self._set(dq_bits=None, dq=True))
        menu.addAction("Selected Flags Only", lambda: self._set(dq_bits=self.selected_bits(), dq=True))
        menu.addAction("All but DO_NOT_USE", self._all_but_summary)
        menu.addAction("No Flag", lambda: self._set(dq_bits=()))
        menu.addSeparator()
        menu.addAction("Usual Colours", lambda: self._set(dq_colors=()))
        return menu

    def _connect(self) -> None:
        self.overlay.clicked.connect(lambda on: self._set(dq=on))
        self.opacity.valueChanged.connect(lambda value: self._set(dq_opacity=value / 100, ended=False))
        self.opacity.sliderReleased.connect(self._seal)
        self.only_set.clicked.connect(self.later)
        self.table.doubleClicked.connect(self._choose_color)
        self.table.customContextMenuRequested.connect(self._open_menu)
        self._pointed: tuple[Any, float, float] | None = None
        self.context.cursor_changed.connect(self._note_cursor)
        self.context.active_changed.connect(self.later)
        self.links.signal(self.session.data_changed, self.later)

    # --- what is shown --------------------------------------------------------------------------

    def _current(self) -> tuple[ImageView, ImageLayer] | None:
        view = self.context.active_image()
        layer = view.layer if isinstance(view, ImageView) else None
        return (view, layer) if layer is not None and flags_plane(layer) is not None else None

    def is_empty(self) -> bool:
        return self._current() is None

    def refresh(self) -> None:
        found = self._current()
        view = self.context.active_image()
        watched = view if isinstance(view, ImageView) else None
        self.links.states("view", [watched], self._view_changed)
        self.links.states("layer", [watched.layer] if watched is not None else [], self.later)
        self._view, self._layer = found or (None, None)
        if found is None:
            return
        view, layer = found
        self.where.setText(f"{layer.data.name} · {flags_plane(layer).name}")
        self.overlay.setChecked(layer.dq)
        self.opacity.blockSignals(True)
        self.opacity.setValue(round(100 * layer.dq_opacity))
        self.opacity.blockSignals(False)
        self._count(layer)
        self.model.show(view, layer, only_set=self.only_set.isChecked())

    def _view_changed(self, **changed: Any) -> None:
        if changed.keys() - {"centre", "scale", "rotation"}:
            self.later()

    def _count(self, layer: ImageLayer) -> None:
        """Have the pixels of each flag counted, once for each plane and slice."""
        key = (id(layer.data), layer.plane, layer.index)
        if key == self._counted:
            return
        self._counted, self.model.counts = key, None
        self.session.jobs.submit(f"Count flags: {layer.data.name}", partial(self._work, key, layer), quiet=True)

    def _work(self, key: Any, layer: ImageLayer, job: Any) -> None:
        counts = flag_counts(layer, job.report)
        self.session.dispatcher.call(partial(self._take, key, counts))

    def _take(self, key: Any, counts: np.ndarray) -> None:
        if key == self._counted and not self.links.ended:
            self.model.counts = counts
            self.later()

    # --- what the user does ---------------------------------------------------------------------

    def selected_bits(self) -> tuple[int, ...]:
        """Return the bits of the selected rows."""
        return tuple(sorted(self.model.rows[i.row()].bit for i in self.table.selectionModel().selectedRows()))

    def selected_names(self) -> list[str]:
        """Return the names of the selected flags."""
        return [flag.name for flag in self.model.rows if flag.bit in self.selected_bits()]

    def _all_but_summary(self) -> None:
        if self._layer is not None:
            self._set(dq_bits=tuple(f.bit for f in known_flags(self._layer.data) if f.name != "DO_NOT_USE"), dq=True)

    def _set(self, *, ended: bool = True, **values: Any) -> None:
        if self._layer is None:
            return
        try:
            self._layer.update(**values)
        except JvizError as error:
            self.context.notify("error", str(error))
        if ended:
            self._seal()

    def _seal(self) -> None:
        self.session.flush()
        self.session.history.seal()

    def show_flag(self, flag: Flag, on: bool) -> None:
        """Draw a flag, or draw it no more; the first that is ticked brings the overlay up."""
        bits = shown_bits(self._layer)
        bits = bits | 1 << flag.bit if on else bits & ~(1 << flag.bit)
        every = all(bits >> one.bit & 1 for one in known_flags(self._layer.data))
        chosen = None if every else tuple(bit for bit in range(32) if bits >> bit & 1)
        self._set(dq_bits=chosen, dq=self._layer.dq or on)

    def use_flag(self, flag: Flag, on: bool) -> None:
        """Use the pixels with a flag in measurements, or leave them out."""
        others = [name for name in self._view.exclude_flags if name != flag.name]
        self._view.exclude_flags = tuple(others if on else [*others, flag.name])
        self._seal()

    def _note_cursor(self) -> None:
        if self.context.cursor is not None:
            self._pointed = self.context.cursor

    def find(self) -> None:
        """Make a subset of the pixels with the flags of the one under the cursor, or where it was last."""
        if self._view is not None:
            at = self._pointed if self._pointed is not None and self._pointed[0] is self._view else None
            self.context.run("dq.find", view=self._view, **({"x": at[1], "y": at[2]} if at is not None else {}))

    def make_subset(self) -> None:
        """Make a subset of the pixels with the selected flags, with any flag when none is selected."""
        if self._view is not None:
            self.context.run("dq.subset", view=self._view, flags=self.selected_names() or "all")

    def _go(self, command: str) -> None:
        if self._view is not None:
            names = self.selected_names()
            self.context.run(command, view=self._view, **({"flags": names} if names else {}))

    def _choose_color(self, index: QModelIndex) -> None:
        if index.column() != NAME or self._layer is None:
            return
        flag = self.model.rows[index.row()]
        color = QColorDialog.getColor(QColor(flag_color(self._layer, flag.bit)), self, f"Colour of {flag.name}")
        if color.isValid():
            self.context.run("dq.color", flag=flag.name, color=color.name(), view=self._view)

    def _open_menu(self, position: Any) -> None:
        index = self.table.indexAt(position)
        menu = self._show_menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if index.isValid():
            menu.addAction("Colour…", partial(self._choose_color, index.siblingAtColumn(NAME)))
        menu.popup(self.table.viewport().mapToGlobal(position))


class FlagTable(QAbstractTableModel):
    """Rows are flags; two columns have boxes to tick.

    Attributes
    ----------
    counts : ndarray or None
        Pixels with each bit, as from `flag_counts`; None while they are being counted.
    rows : list of Flag
    """

    def __init__(self, owner: FlagsPanel) -> None:
        super().__init__(owner)
        self._owner = owner
        self.counts: np.ndarray | None = None
        self.rows: list[Flag] = []
        self._total = 1
        self._shown, self._excluded = 0, frozenset()
        self._layer: ImageLayer | None = None

    def show(self, view: ImageView, layer: ImageLayer, *, only_set: bool) -> None:
        """Take over the state of a layer."""
        shape = flags_plane(layer).shape
        flags = known_flags(layer.data)
        if self.counts is not None:
            named = {flag.bit for flag in flags}
            flags += [Flag(b, f"bit {b}", "not defined") for b in range(32) if self.counts[b] and b not in named]
            flags = [flag for flag in flags if self.counts[flag.bit]] if only_set else flags
        self._layer, self._total = layer, shape[-1] * shape[-2]
        self._shown, self._excluded = shown_bits(layer), frozenset(view.exclude_flags)
        if flags != self.rows:
            self.beginResetModel()
            self.rows = flags
            self.endResetModel()
        elif flags:
            self.dataChanged.emit(self.index(0, 0), self.index(len(flags) - 1, MEANING))

    def rowCount(self, parent: Index | None = None) -> int:
        return len(self.rows)

    def columnCount(self, parent: Index | None = None) -> int:
        return len(HEADERS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        return {Qt.ItemDataRole.DisplayRole: HEADERS[section], Qt.ItemDataRole.ToolTipRole: HINTS.get(section)}.get(
            role
        )

    def flags(self, index: Index) -> Qt.ItemFlag:
        usual = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return usual | Qt.ItemFlag.ItemIsUserCheckable if index.column() in (NAME, USE) else usual

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        flag, column = self.rows[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(flag, column)
        if role == Qt.ItemDataRole.CheckStateRole and column in (NAME, USE):
            on = self._shown >> flag.bit & 1 if column == NAME else flag.name not in self._excluded
            return Qt.CheckState.Checked if on else Qt.CheckState.Unchecked
        if role == Qt.ItemDataRole.DecorationRole and column == NAME and self._layer is not None:
            return swatch(flag_color(self._layer, flag.bit))
        if role == Qt.ItemDataRole.ToolTipRole:
            return HINTS.get(column) if column == USE else f"{flag.name} (bit {flag.bit}): {flag.description}"
        if role == Qt.ItemDataRole.TextAlignmentRole and column in (BIT, COUNT, SHARE):
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def _text(self, flag: Flag, column: int) -> str | None:
        count = None if self.counts is None else int(self.counts[flag.bit])
        texts = {
            NAME: flag.name,
            BIT: str(flag.bit),
            COUNT: "…" if count is None else f"{count:,}",
            SHARE: "" if count is None else f"{100 * count / self._total:.3f}",
            MEANING: flag.description,
        }
        return texts.get(column)

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if role != Qt.ItemDataRole.CheckStateRole:
            return False
        on = Qt.CheckState(value) == Qt.CheckState.Checked
        act = self._owner.show_flag if index.column() == NAME else self._owner.use_flag
        act(self.rows[index.row()], on)
        return True


def swatch(color: str) -> QIcon:
    """Make a small square of a colour."""
    pixmap = QPixmap(12, 12)
    pixmap.fill(QColor(color))
    with QPainter(pixmap) as painter:
        painter.setPen(QColor(128, 128, 128, 160))
        painter.drawRect(0, 0, 11, 11)
    return QIcon(pixmap)
