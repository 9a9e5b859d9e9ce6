"""The panel of regions: list, numbers, statistics."""

from __future__ import annotations

from functools import partial
from typing import Any

from PySide6.QtCore import QItemSelection, QItemSelectionModel, QSortFilterProxyModel, Qt
from PySide6.QtGui import QColor, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QColorDialog,
    QHBoxLayout,
    QHeaderView,
    QInputDialog,
    QLineEdit,
    QMenu,
    QSplitter,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from jviz.api import Subset
from jviz.plugins.parts import Panel, tool_button
from jviz.plugins.region_editor import RegionEditor
from jviz.plugins.region_rows import KEEP, LARGE, RegionRows
from jviz.plugins.region_statistics import RegionStatistics

__all__ = ["RegionsPanel"]

class RegionsPanel(Panel):
    """The regions of the session: which are seen, their numbers, and what is inside of them.

    The box hides a region or a group, F2 renames it, Delete removes it; rows are dragged to another place, into a
    group or out of it. What is selected here is selected in the viewers. The filter finds names, shapes and groups.
    Below the list stand the numbers of the selected region, on the sky or in pixels, and statistics of the selected
    regions (of all when none is) on the image of the active viewer.
    """

    pause_ms = 40
    empty_text = "No regions yet.\n\nTake a tool from the strip beside the viewers and draw one, or open a region file."

    def __init__(self, context: Any) -> None:
        super().__init__(context)
        self.interaction = self.session.interaction
        self._taking_over = False
        self._make_list()
        self.editor = RegionEditor()
        self.editor.edited.connect(self._edited)
        self.editor.refused.connect(partial(context.notify, "error"))
        self.statistics = RegionStatistics(context)
        self._arrange()
        self.links.signal(self.session.subsets_changed, self.later)
        self.links.signal(self.interaction.selection_changed, self.later)
        context.active_changed.connect(self.later)

    # --- parts ----------------------------------------------------------------------------------

    def _make_list(self) -> None:
        self.rows = RegionRows(self, self.context.icon)
        self.rows.changed.connect(self._changed)
        self.rows.moved.connect(self._moved)
        self.shown = QSortFilterProxyModel(self)
        self.shown.setSourceModel(self.rows)
        self.shown.setFilterKeyColumn(-1)
        self.shown.setRecursiveFilteringEnabled(True)
        self.shown.setAutoAcceptChildRows(True)
        self.shown.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.list = QTreeView()
        self.list.setModel(self.shown)
        self.list.setAccessibleName("Regions")
        self.list.setIndentation(14)
        self.list.setDragEnabled(True)
        self.list.setAcceptDrops(True)
        self.list.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.list.setUniformRowHeights(True)
        self.list.setTextElideMode(Qt.TextElideMode.ElideMiddle)  # names that are made end in what tells them apart
        self.list.setFrameShape(QTreeView.Shape.NoFrame)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)
        self.list.setSortingEnabled(True)
        self.list.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
        header = self.list.header()
        header.setSortIndicatorClearable(True)
        header.setStretchLastSection(False)
        header.setMinimumSectionSize(24)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column, width in ((1, 96), (2, 26)):
            header.resizeSection(column, width)
        self.list.selectionModel().selectionChanged.connect(self._chosen)
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list.customContextMenuRequested.connect(self._show_menu)
        self.list.doubleClicked.connect(lambda *_: self.centre())
        delete = QShortcut(QKeySequence("Del"), self.list, self.remove)
        delete.setContext(Qt.ShortcutContext.WidgetShortcut)
        self.filter = QLineEdit(placeholderText="Filter by name, shape or group", clearButtonEnabled=True)
        self.filter.setAccessibleName("Filter")
        self.filter.textChanged.connect(self.shown.setFilterFixedString)

    def _arrange(self) -> None:
        top = QWidget()
        layout = QVBoxLayout(top)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(self._tool_bar())
        line = QHBoxLayout()
        line.setContentsMargins(6, 0, 6, 4)
        line.addWidget(self.filter)
        layout.addLayout(line)
        layout.addWidget(self.list, 1)
        splitter = QSplitter(Qt.Orientation.Vertical)
        splitter.setChildrenCollapsible(False)
        for widget, stretch in ((top, 3), (self.editor, 0), (self.statistics, 2)):
            splitter.addWidget(widget)
            splitter.setStretchFactor(splitter.count() - 1, stretch)
        outer = QVBoxLayout(self.body)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(splitter)

    def _tool_bar(self) -> QHBoxLayout:
        bar = QHBoxLayout()
        bar.setContentsMargins(4, 2, 4, 2)
        bar.setSpacing(0)
        for icon, text, function in (
            ("fa6s.eye", "Show or hide the selected regions", partial(self.switch, "visible")),
            ("fa6s.lock", "Lock or unlock the selected regions", partial(self.switch, "locked")),
            ("fa6s.palette", "Colour of the selected regions…", self.colour),
            ("fa6s.crosshairs", "Centre the view on the selected region", self.centre),
            ("fa6s.copy", "Copy the selected regions within the session", self.duplicate),
            ("fa6s.layer-group", "Group the selected regions…", self.ask_group),
            ("fa6s.object-group", "Combine two regions…", partial(self.context.run, "region.boolean")),
            ("fa6s.file-import", "Import regions…", "region.import_file"),
            ("fa6s.file-export", "Export regions…", "region.export_file"),
            ("fa6s.trash", "Remove the selected regions", self.remove),
        ):
            if isinstance(function, str):
                if function not in self.session.commands:
                    continue
                function = partial(self.context.run, function)
            bar.addWidget(tool_button(self.context, icon, text, function))
        bar.addStretch()
        return bar

    # --- what is shown --------------------------------------------------------------------------

    def regions(self) -> list[Subset]:
        """Return the regions of the session."""
        return [s for s in self.session.subsets.values() if s.on_images]

    def is_empty(self) -> bool:
        return not any(s.on_images for s in self.session.subsets.values())

    def refresh(self) -> None:
        self._taking_over = True
        closed = self._closed()
        if self.rows.show(self.regions()):
            self._open_all_but(closed)
        self._select()
        self._taking_over = False
        chosen, view = self.selected(), self.context.active_image()
        data = view.layers[0].data if view is not None and view.layers else None
        self.editor.origin = self.session.settings["image.pixel_origin"]
        self.editor.show_region(chosen[0] if len(chosen) == 1 else None, data, len(chosen))
        self.editor.setVisible(bool(chosen))
        self.statistics.show_regions(chosen or self.rows.subsets, view)

    def selected(self) -> list[Subset]:
        """Return the selected regions in the order of the list."""
        names = set(self.interaction.selected)
        return [s for s in self.regions() if s.name in names] if names else []

    def _closed(self) -> dict[str, bool]:
        """Return for each group whether it is closed."""
        heads = [self.shown.index(row, 0) for row in range(self.shown.rowCount())]
        groups = [(self.rows.group(self.shown.mapToSource(head)), head) for head in heads]
        return {group: not self.list.isExpanded(head) for group, head in groups if group}

    def _open_all_but(self, closed: dict[str, bool]) -> None:
        """Open the groups that were open, and new ones that are not large."""
        for row, entry in enumerate(self.rows.entries):
            if entry.group and not closed.get(entry.group, len(entry.members) > LARGE):
                self.list.expand(self.shown.mapFromSource(self.rows.index(row, 0)))

    def _under(self, indexes: Any) -> list[str]:
        """Return the names of the regions of rows of the list, those of groups among them."""
        rows = [self.shown.mapToSource(index) for index in indexes]
        return list(dict.fromkeys(s.name for row in rows for s in self.rows.members(row)))

    def _select(self) -> None:
        """Select in the list what is selected in the viewers."""
        names = set(self.interaction.selected)
        model = self.list.selectionModel()
        if set(self._under(model.selectedRows())) == names:
            return
        wanted = QItemSelection()
        for first, last in self.rows.ranges(names):
            wanted.merge(QItemSelection(first, last), QItemSelectionModel.SelectionFlag.Select)
        chosen = self.shown.mapSelectionFromSource(wanted)
        flags = QItemSelectionModel.SelectionFlag
        model.select(chosen, flags.ClearAndSelect | flags.Rows)
        if len(names) == 1 and not chosen.isEmpty():
            self.list.scrollTo(chosen.indexes()[0])

    # --- what the user does ---------------------------------------------------------------------

    def _chosen(self, *_: Any) -> None:
        if not self._taking_over:
            self.interaction.select(self._under(self.list.selectionModel().selectedRows()))

    def _changed(self, names: list[str], values: dict[str, Any]) -> None:
        self.context.run("region.edit", name=names if len(names) > 1 else names[0], **values)
        if "rename" in values and values["rename"] in self.session.subsets:
            self.interaction.select([values["rename"]])
        self.later()

    def _moved(self, names: list[str], before: str, group: str) -> None:
        joins = {} if group == KEEP else {"group": group}
        self.context.run("region.order", names=names, before=before or None, **joins)

    def _edited(self, name: str, region: Any, data: Any) -> None:
        self.context.run("region.edit", name=name, region=region, data=data)

    def _names(self) -> list[str]:
        return [s.name for s in self.selected()]

    def switch(self, what: str) -> None:
        """Turn ``visible`` or ``locked`` of the selected regions on, or off when it is on for all."""
        chosen = self.selected()
        if chosen:
            on = not all(getattr(s, what) for s in chosen)
            self.context.run("region.edit", name=self._names(), **{what: on})

    def colour(self) -> None:
        """Ask for the colour of the selected regions."""
        chosen = self.selected()
        if not chosen:
            return
        dialog = QColorDialog(QColor(chosen[0].color), self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        names = self._names()
        dialog.colorSelected.connect(lambda c: self.context.run("region.edit", name=names, color=c.name()))
        dialog.open()

    def ask_group(self) -> None:
        """Ask for the group of the selected regions."""
        chosen = self.selected()
        if not chosen:
            return
        dialog = QInputDialog(self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowTitle("Group")
        dialog.setLabelText("Name of the group (empty: none)")
        dialog.setTextValue(chosen[0].group)
        names = self._names()
        dialog.textValueSelected.connect(lambda text: self.context.run("region.group", names=names, group=text))
        dialog.open()

    def remove(self) -> None:
        """Remove the selected regions."""
        if self.selected():
            self.context.run("region.remove", names=self._names())

    def duplicate(self) -> None:
        """Copy the selected regions."""
        if self.selected():
            copies = self.context.run("region.copy", name=self._names())
            self.interaction.select(s.name for s in copies or ())

    def centre(self) -> None:
        """Move the active view to the selected region."""
        view, chosen = self.context.active_image(), self.selected()
        at = self.statistics.centre_of(chosen[-1], view) if chosen and view is not None else None
        if at is not None:
            view.centre = at
            self.session.flush()

    def _show_menu(self, position: Any) -> None:
        if not self.selected():
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for text, function in (
            ("Rename", lambda: self.list.edit(self.list.currentIndex().siblingAtColumn(0))),
            ("Show or Hide", partial(self.switch, "visible")),
            ("Lock or Unlock", partial(self.switch, "locked")),
            ("Colour…", self.colour),
            ("Group…", self.ask_group),
            ("Centre View on It", self.centre),
            ("Copy", self.duplicate),
            ("Remove", self.remove),
        ):
            menu.addAction(text, function)
        menu.popup(self.list.viewport().mapToGlobal(position))
