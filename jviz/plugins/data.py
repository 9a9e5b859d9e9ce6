"""The panel that lists what the session holds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from PySide6.QtCore import QItemSelectionModel, QMimeData, QModelIndex, QSize, Qt
from PySide6.QtGui import QAction, QGuiApplication, QIcon, QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QMenu,
    QTreeView,
    QVBoxLayout,
)

from jviz.api import DATA_MIME, Data, Plane, told_apart, view_kinds
from jviz.plugins.parts import Panel, tool_button
from jviz.plugins.tree_model import Row, Rows

__all__ = ["DataPanel"]

ICONS = {
    "image": "fa6s.image",
    "cube": "fa6s.cube",
    "spectrum": "fa6s.chart-line",
    "profile": "fa6s.chart-area",
    "spectrum2d": "fa6s.barcode",
    "ramp": "fa6s.stairs",
    "catalog": "fa6s.table",
    "regions": "fa6s.draw-polygon",
    "psf": "fa6s.certificate",
    "association": "fa6s.diagram-project",
}

SELECT = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows

WORDS = {"spectrum2d": "2-D spectrum", "catalog": "catalogue", "psf": "PSF"}


class DataPanel(Panel):
    """All data of the session with kind, shape and unit, and below each its planes.

    Double-click opens data in a viewer, or shows a plane; F2 renames, Delete removes from the
    session (the file stays). Drag rows onto a viewer to add them there.
    """

    empty_text = "Nothing is loaded yet.\n\nDrop files on the window, or open them with Ctrl+O."

    def __init__(self, context: Any) -> None:
        super().__init__(context)
        self.tree = _Tree()
        self.rows = self.tree.rows
        self.tree.activated.connect(self._activated)
        self.rows.edited.connect(self._edited)
        self.tree.customContextMenuRequested.connect(self._show_menu)
        self.tree.selectionModel().selectionChanged.connect(lambda *_: self._update_actions())
        self.setFocusProxy(self.tree)
        self.setMinimumWidth(170)
        self._icons: dict[str, QIcon] = {}
        self._make_actions()
        layout = QVBoxLayout(self.body)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(self._tool_bar())
        layout.addWidget(self.tree)
        self.links.signal(self.session.data_changed, self.later)
        self.links.signal(self.session.views_changed, self.later)
        context.active_changed.connect(self._update_actions)

    # --- parts ----------------------------------------------------------------------------------

    def _make_actions(self) -> None:
        self.open_action = self._action("Open in New Viewer", self.open_selected, "fa6s.window-maximize")
        self.add_action = self._action("Add to Active Viewer", self.add_selected, "fa6s.plus")
        self.replace_action = self._action("Show in Active Viewer Instead", self.replace_with_selected)
        self.header_action = self._action("Show Header", self.show_header, "fa6s.file-lines")
        self.rename_action = self._action("Rename", self.rename, "fa6s.pen", "F2")
        self.copy_action = self._action("Copy Name", self.copy_names, "fa6s.copy")
        self.path_action = self._action("Copy Path", self.copy_paths)
        self.remove_action = self._action("Remove from Session", self.remove_selected, "fa6s.trash", "Del")

    def _action(self, text: str, function: Any, icon: str = "", key: str = "") -> QAction:
        action = QAction(text, self)
        if icon:
            action.setIcon(self.context.icon(icon))
        if key:
            action.setShortcut(QKeySequence(key))
            action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        action.triggered.connect(lambda: function())
        self.addAction(action)
        return action

    def _tool_bar(self) -> QHBoxLayout:
        bar = QHBoxLayout()
        bar.setContentsMargins(4, 2, 4, 2)
        bar.setSpacing(0)
        for icon, text, function in (
            ("fa6s.window-maximize", "Open in new viewer", self.open_selected),
            ("fa6s.plus", "Add to the active viewer", self.add_selected),
            ("fa6s.file-lines", "Show the header", self.show_header),
            ("fa6s.trash", "Remove from the session (the file stays)", self.remove_selected),
        ):
            bar.addWidget(tool_button(self.context, icon, text, function))
        bar.addStretch()
        return bar

    # --- what is shown --------------------------------------------------------------------------

    def is_empty(self) -> bool:
        return not self.session.data

    def refresh(self) -> None:
        chosen, open_ones = {d.number for d in self.selected()}, self._expanded()
        shown = {layer.data for view in self.session.views.values() for layer in view.layers}
        short = told_apart(data.name for data in self.session.data)
        self.rows.show(self._row(data, data in shown, short[data.name]) for data in self.session.data)
        for row in self.rows.top:
            index = self.rows.index_of(row)
            self.tree.setExpanded(index, row.what[0].number in open_ones)
            if row.what[0].number in chosen:
                self.tree.selectionModel().select(index, SELECT)
        self._update_actions()

    def _row(self, data: Data, shown: bool, short: str) -> Row:
        texts = (data.name, WORDS.get(data.kind, data.kind), _sizes(data.shape), data.unit)
        tip = "\n".join(filter(None, [data.name, data.label, str(data.path or "made in this session")]))
        planes = data.planes.values() if len(data.planes) > 1 else ()
        return Row(
            texts, (data, None), [_plane_row(data, plane) for plane in planes], tip,
            self._icon(data.kind), bold=shown, editable=True, draggable=True, short=short,
        )  # fmt: skip

    def _icon(self, kind: str) -> QIcon:
        if kind not in self._icons:
            self._icons[kind] = self.context.icon(ICONS.get(kind, "fa6s.file"))
        return self._icons[kind]

    def _expanded(self) -> set[int]:
        return {row.what[0].number for row in self.rows.top if self.tree.isExpanded(self.rows.index_of(row))}

    def selected(self) -> list[Data]:
        """Return the selected data, each once, in the order of the list."""
        numbers = {self.rows.row(index).what[0].number for index in self.tree.selectionModel().selectedRows()}
        return [d for d in self.session.data if d.number in numbers]

    def _update_actions(self) -> None:
        chosen, view = self.selected(), self.context.active_view()
        showable = [d for d in chosen if _viewer_for(d)]
        fits = bool(view and chosen and all(d.kind in view.accepts for d in chosen))
        self.open_action.setEnabled(bool(showable))
        self.add_action.setEnabled(fits)
        self.replace_action.setEnabled(fits and len(chosen) == 1)
        self.rename_action.setEnabled(len(chosen) == 1)
        self.path_action.setEnabled(any(d.path for d in chosen))
        for action in (self.header_action, self.copy_action, self.remove_action):
            action.setEnabled(bool(chosen))

    # --- what the user does ---------------------------------------------------------------------

    def _activated(self, index: QModelIndex) -> None:
        data, plane = self.rows.row(index).what
        if plane is None:
            self._open(data)
        else:
            self._show_plane(data, plane)

    def _open(self, data: Data, **values: Any) -> None:
        kind = _viewer_for(data)
        if kind is not None:
            self.context.run("view.open", kind=kind, data=data, **values)
            return
        word = WORDS.get(data.kind, data.kind)
        self.context.notify("info", f"{data.name} ({word}) has no viewer yet; its header is shown.")
        self.show_header(data)

    def _show_plane(self, data: Data, plane: str) -> None:
        view = self.context.active_view()
        if view is not None and "image" in view.kinds() and view.data is data:
            self.context.run("image.plane", plane=plane, view=view)
        else:
            self._open(data, plane=plane)

    def _edited(self, row: Row, name: str) -> None:
        data = row.what[0]
        if name != data.name:
            self.context.run("data.rename", data=data, name=name)

    def open_selected(self) -> None:
        """Open each selected data set in a viewer of its own."""
        for data in self.selected():
            self._open(data)

    def add_selected(self) -> None:
        """Put the selected data on top of what the active viewer shows."""
        view = self.context.active_view()
        for data in self.selected() if view else ():
            self.context.run("view.show", view=view, data=data)

    def replace_with_selected(self) -> None:
        """Show the selected data in the active viewer instead of what is there."""
        view = self.context.active_view()
        for data in self.selected()[:1] if view else ():
            self.context.run("view.show", view=view, data=data, mode="replace")

    def show_header(self, data: Data | None = None) -> None:
        """Show the header of the selected data in its panel."""
        chosen = [data] if data else self.selected()
        header = self.context.open_panel("header")
        if chosen and hasattr(header, "show_data"):
            header.show_data(chosen[0])

    def rename(self) -> None:
        """Edit the name of the selected data in place."""
        for index in self.tree.selectionModel().selectedRows()[:1]:
            self.tree.edit(index if not index.parent().isValid() else index.parent())

    def copy_names(self) -> None:
        """Copy the names of the selected data."""
        QGuiApplication.clipboard().setText("\n".join(d.name for d in self.selected()))

    def copy_paths(self) -> None:
        """Copy the paths of the selected data's files."""
        QGuiApplication.clipboard().setText("\n".join(str(d.path) for d in self.selected() if d.path))

    def remove_selected(self) -> None:
        """Remove the selected data from the session; the files stay."""
        for data in self.selected():
            self.context.run("data.remove", data=data)

    def _show_menu(self, position: Any) -> None:
        if self.selected():
            menu = QMenu(self)
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            menu.addActions([self.open_action, self.add_action, self.replace_action])
            menu.addSeparator()
            menu.addActions([self.header_action, self.rename_action, self.copy_action, self.path_action])
            menu.addSeparator()
            menu.addAction(self.remove_action)
            menu.popup(self.tree.viewport().mapToGlobal(position))


def _plane_row(data: Data, plane: Plane) -> Row:
    meaning = "" if plane.meaning == "other" else plane.meaning
    texts = (plane.name, meaning, _sizes(plane.shape), plane.unit)
    return Row(texts, (data, plane.name), tip=f"{data.name}, plane {plane.name}: double-click shows it")


class _Rows(Rows):
    """The rows of the list; those of data can be dragged onto viewers."""

    def mimeTypes(self) -> list[str]:
        return [DATA_MIME, "text/plain"]

    def mimeData(self, indexes: Iterable[QModelIndex]) -> QMimeData:
        names = "\n".join(dict.fromkeys(self.row(index).what[0].name for index in indexes))
        mime = QMimeData()
        mime.setData(DATA_MIME, names.encode())
        mime.setText(names)
        return mime


class _Tree(QTreeView):
    """The list."""

    def __init__(self) -> None:
        super().__init__()
        self.rows = _Rows(("Name", "Kind", "Shape", "Unit"), self)
        self.setModel(self.rows)
        self.setAccessibleName("Data of the session")
        self.setFrameShape(QTreeView.Shape.NoFrame)
        self.setUniformRowHeights(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setDragEnabled(True)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setExpandsOnDoubleClick(False)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        header = self.header()
        header.setStretchLastSection(False)
        header.setMinimumSectionSize(40)
        header.setResizeContentsPrecision(0)  # by the rows in sight: hundreds would be measured at each resize
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in (1, 2, 3):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)

    def sizeHint(self) -> QSize:
        return QSize(300, 240)

    def resizeEvent(self, event: Any) -> None:
        super().resizeEvent(event)
        # Where there is no room for all, the name matters most, then the shape.
        width = self.viewport().width()
        for column, needed in ((1, 430), (3, 350), (2, 200)):
            if self.isColumnHidden(column) != (width < needed):
                self.setColumnHidden(column, width < needed)


def _viewer_for(data: Data) -> str | None:
    return next((kind for kind, view in view_kinds().items() if data.kind in view.accepts), None)


def _sizes(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape))
