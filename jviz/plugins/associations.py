"""The panel of associations: which exposures are made into which products, edited, checked, calibrated."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt, QTimer
from PySide6.QtGui import QColor, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QSplitter,
    QToolButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from jviz.api import ROLES, Association, AssociationGraph, Job, JvizError, counted, problems_of
from jviz.plugins.parts import Newest, Panel, in_tab_order, is_dark, item_menu, low, muted, scrolled, tool_button

__all__ = ["AssociationsPanel"]

Role = Qt.ItemDataRole
FILES = "Exposures (*.fits)"
POOLS = "Association pools (*.csv)"
ASSOCIATIONS = "Associations (*.json)"
MOST_TOLD = 3
AT_ONCE = 100
"""Members that are added to the tree in one turn."""

NAMES = 150
"""Widest column of names, in pixels: they end in what tells them apart, and are cut at the left."""


class AssociationsPanel(Panel):
    """Associations of the session: products with their members and roles as a tree, and as a graph.

    Make them of exposures or of a pool, open a file by a double click on it, add and take out members, change their
    role, and rename products (F2). What is wrong is said below. **Calibrate** runs the pipeline that the type names.
    """

    empty_text = (
        "No association is open.\n\n"
        "Make one of the exposures in a folder, or drop an association (_asn.json) on the window."
    )

    def __init__(self, context: Any) -> None:
        super().__init__(context)
        self._filling = False
        self._writing: Job | None = None
        self._problems = Newest(self.links, self.session, "Checking an association", self._begin_check)
        self._shown: tuple[Any, ...] = ()
        self._view: Any = None
        self._tops: dict[str, QTreeWidgetItem] = {}
        self._left: list[tuple[Any, ...]] = []
        self._more = QTimer(self, singleShot=True, interval=0)
        self._more.timeout.connect(self._add_some)
        self._make_parts()
        self._arrange()
        self.links.signal(self.session.data_changed, self.later)
        self.links.signal(self.session.jobs.changed, self._job_changed)
        self.context.active_changed.connect(self.later)

    # --- parts ----------------------------------------------------------------------------------

    def _make_parts(self) -> None:
        self.which = QComboBox()
        self.which.setAccessibleName("Association")
        self.which.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.which.setMinimumContentsLength(24)
        self.which.activated.connect(self.later)
        self.make_button = self._make_menu_button()
        self.calibrate_button = QPushButton("Calibrate")
        self.calibrate_button.setToolTip("Run the pipeline that the type names on this association")
        self.calibrate_button.clicked.connect(self.calibrate)
        self.tree = QTreeWidget()
        self.tree.setHeaderLabels(["Product, member", "Role", "Kind", "State"])
        self.tree.setAccessibleName("Products and members")
        self.tree.setUniformRowHeights(True)
        self.tree.setTextElideMode(Qt.TextElideMode.ElideLeft)
        self.tree.setIndentation(14)
        self.tree.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.tree.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)
        self.tree.setFrameShape(QFrame.Shape.NoFrame)
        self.tree.itemSelectionChanged.connect(self._selected)
        self.tree.itemActivated.connect(lambda item, _: self.open_node(item.data(0, Role.UserRole)))
        self.tree.itemChanged.connect(self._edited)
        QShortcut(QKeySequence.StandardKey.Delete, self.tree, self.remove,
                  context=Qt.ShortcutContext.WidgetShortcut)  # fmt: skip
        item_menu(self.tree, self._fill_menu)
        self.graph = AssociationGraph()
        self.graph.chosen.connect(lambda number: self._chosen_in_graph(self.graph.name_of(number)))
        self.graph.opened.connect(lambda number: self.open_node(self.graph.name_of(number)))
        self.role = QComboBox()
        self.role.addItems([role.replace("_", " ") for role in ROLES])
        self.role.setAccessibleName("Role of the chosen members")
        self.role.setToolTip("What the chosen members are there for")
        self.role.activated.connect(lambda _: self.set_role())
        self.note = muted(QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText))
        self.note.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)

    def _make_menu_button(self) -> QToolButton:
        button = tool_button(self.context, "fa6s.wand-magic-sparkles", "Make", lambda: None, label=True)
        button.setToolTip("Make associations of exposures or of a pool")
        menu = QMenu(button)
        menu.addAction("Of Exposures…", self.make_of_files)
        menu.addAction("Of a Pool…", self.make_of_pool)
        self.open_ones = menu.addAction("Of All Open Exposures", self.make_of_open)
        menu.addSeparator()
        menu.addAction("By Rules of jwst…", lambda: self.context.run("association.make"))
        menu.aboutToShow.connect(lambda: self.open_ones.setEnabled(bool(self._open_exposures())))
        button.setMenu(menu)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        return button

    def _arrange(self) -> None:
        button = partial(tool_button, self.context)
        head, tools, foot = QHBoxLayout(), QHBoxLayout(), QHBoxLayout()
        head.addWidget(self.which, 1)
        tools.addWidget(self.make_button)
        others = [button("fa6s.folder-open", "Open an association", self.open_file),
                  button("fa6s.floppy-disk", "Write this association", self.write),
                  button("fa6s.list-check", "List all that is wrong with it", self.check)]  # fmt: skip
        for widget in others:
            tools.addWidget(widget)
        tools.addStretch(1)
        tools.addWidget(self.calibrate_button)
        self.add_button = button("fa6s.plus", "Add members", self.add)
        self.remove_button = button("fa6s.minus", "Take the chosen members out (their files stay)", self.remove)
        for widget in (self.add_button, self.remove_button):
            foot.addWidget(widget)
        foot.addStretch(1)
        foot.addWidget(QLabel("Role"))
        foot.addWidget(self.role)
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.tree, 1)
        column.addLayout(foot)
        self.scroll = scrolled(self.graph)
        self.scroll.setMinimumHeight(80)
        split = QSplitter(Qt.Orientation.Vertical, childrenCollapsible=False)
        split.addWidget(left)
        split.addWidget(self.scroll)
        split.setSizes([300, 300])
        low(split, 14)
        layout = QVBoxLayout(self.body)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.setSpacing(4)
        layout.addLayout(head)
        layout.addLayout(tools)
        layout.addWidget(split, 1)
        layout.addWidget(self.note)
        in_tab_order(self.which, self.make_button, *others, self.calibrate_button, self.tree, self.add_button,
                     self.remove_button, self.role, self.graph)  # fmt: skip
        self._empty_button()

    def _empty_button(self) -> None:
        """Let the empty panel make one, too."""
        make = QPushButton("Make of Exposures…")
        make.clicked.connect(self.make_of_files)
        layout = QVBoxLayout(self._empty)
        layout.addStretch(3)
        layout.addWidget(make, alignment=Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(1)

    # --- what is shown --------------------------------------------------------------------------

    @property
    def association(self) -> Any:
        """The association that is chosen, or None."""
        name = self.which.currentText()
        return next((data for data in self._all() if data.name == name), None)

    def _all(self) -> list[Any]:
        return [data for data in self.session.data if isinstance(data, Association)]

    def is_empty(self) -> bool:
        return not self._all()

    def refresh(self) -> None:
        """Show the chosen association; that of the active view, when it changed to one."""
        self.show_empty(self.is_empty())
        names = [data.name for data in self._all()]
        before = [self.which.itemText(n) for n in range(self.which.count())]
        fresh = [name for name in names if name not in before]
        chosen = fresh[-1] if fresh else self._activated() or self.which.currentText()
        if before != names or chosen != self.which.currentText():
            with QSignalBlocker(self.which):
                self.which.clear()
                self.which.addItems(names)
                self.which.setCurrentIndex(names.index(chosen) if chosen in names else len(names) - 1)
        self._show(self.association)

    def _activated(self) -> str:
        """Return the name of the association to whose viewer the user has just gone."""
        view, before = self.context.active_view(), self._view
        self._view = view
        data = getattr(view, "data", None)
        return data.name if isinstance(data, Association) and view is not before else ""

    def _show(self, data: Any) -> None:
        if self._draw(data):
            self.note.setText("")
            if data is not None:
                self._problems.ask()
        self._settle()

    def _draw(self, data: Any) -> bool:
        """Show an association where it, or what is there of it, is not what is shown."""
        wanted = (data, data.graph if data is not None else None)
        if wanted == self._shown:
            return False
        self._shown = wanted
        self.graph.show_graph(wanted[1])
        self._fill_tree(data)
        return True

    def _fill_tree(self, data: Any) -> None:
        chosen, place = self.graph.selected_name, self._place()
        self._filling = True
        self.tree.clear()
        tops: dict[str, QTreeWidgetItem] = {}
        for product in data.content.products if data is not None else ():
            kind = data.content.asn_type if data.content.asn_type.lower() not in ("", "none") else ""
            item = QTreeWidgetItem([product.name, "product", kind, ""])
            item.setData(0, Role.UserRole, product.name)
            item.setData(0, Role.UserRole + 1, "product")
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
            item.setToolTip(0, f"{product.name}\nF2 renames it")
            tops[product.name] = item
        self.tree.addTopLevelItems(list(tops.values()))
        self._tops, self._left = tops, data.rows[::-1] if data is not None else []
        self._add_some()
        self.tree.expandAll()
        self.tree.resizeColumnToContents(0)
        self.tree.setColumnWidth(0, min(self.tree.columnWidth(0), NAMES))
        for column in (1, 2, 3):
            self.tree.resizeColumnToContents(column)
        self._filling = False
        if self.tree.hasFocus() and place[0] >= 0:
            self._go_to(place)  # not to the same file in another product
        else:
            self._select_in_tree(chosen)

    def _place(self) -> tuple[int, int]:
        """Return the product and the member where the keyboard is; -1 for none."""
        item = self.tree.currentItem()
        if item is None:
            return -1, -1
        if item.parent() is None:
            return self.tree.indexOfTopLevelItem(item), -1
        return self.tree.indexOfTopLevelItem(item.parent()), item.parent().indexOfChild(item)

    def _go_to(self, place: tuple[int, int]) -> None:
        """Have the keyboard go on where it was: beside a member that was taken out."""
        top = self.tree.topLevelItem(min(place[0], self.tree.topLevelItemCount() - 1))
        if place[0] >= 0 and top is not None:
            item = top.child(min(place[1], top.childCount() - 1)) if place[1] >= 0 else top
            self.tree.setCurrentItem(item or top)

    def _add_some(self) -> None:
        """Add the next members to the tree; many come in several turns, so that the window never waits."""
        filling, self._filling = self._filling, True
        warn = QColor("#e5a50a" if is_dark(self) else "#8f5902")
        for _ in range(min(AT_ONCE, len(self._left))):
            product, member, role, suffix, level, meaning, state = self._left.pop()
            item = QTreeWidgetItem([member, role.replace("_", " "), f"{suffix} · {level}" if level else suffix, state])
            item.setData(0, Role.UserRole, member)
            item.setToolTip(0, member)
            item.setToolTip(2, meaning)
            if state == "missing":
                item.setForeground(3, warn)
            self._tops[product].addChild(item)
        self._filling = filling
        if self._left:
            self._more.start()

    def _begin_check(self) -> Any:
        data = self.association
        return None if data is None else (partial(_checked, data), self._show_problems)

    def _show_problems(self, data: Any, found: Any) -> None:
        if data is not self.association:
            return
        self._draw(data)
        if not found:
            self.note.setText("Nothing is wrong with it.")
            return
        errors = sum(problem.level == "error" for problem in found)
        head = [counted(errors, "error")] if errors else []
        head += [counted(len(found) - errors, "warning")] if len(found) > errors else []
        told = " ".join(problem.text for problem in sorted(found, key=lambda p: p.level)[:MOST_TOLD])
        self.note.setText(f"{', '.join(head)}. {told}" + (" …" if len(found) > MOST_TOLD else ""))

    def restyle(self) -> None:
        self._shown = ()
        self.later()

    # --- choosing -------------------------------------------------------------------------------

    def chosen(self) -> tuple[list[str], str | None]:
        """Return the chosen members, and their product where they are of one."""
        items = [item for item in self.tree.selectedItems() if item.parent() is not None]
        products = {item.parent().data(0, Role.UserRole) for item in items}
        names = list(dict.fromkeys(item.data(0, Role.UserRole) for item in items))
        return names, products.pop() if len(products) == 1 else None

    def _product(self) -> str | None:
        """Return the product that is chosen, or that of the chosen members."""
        items = self.tree.selectedItems()
        if items and items[0].parent() is None:
            return items[0].data(0, Role.UserRole)
        return self.chosen()[1]

    def _selected(self) -> None:
        items = self.tree.selectedItems()
        if self._filling:
            return
        self.graph.select_name(items[0].data(0, Role.UserRole) if len(items) == 1 else "")
        self._settle()

    def _chosen_in_graph(self, name: str) -> None:
        self._select_in_tree(name)
        self._settle()

    def _select_in_tree(self, name: str) -> None:
        with QSignalBlocker(self.tree):
            self.tree.clearSelection()
            found = self.tree.findItems(name, Qt.MatchFlag.MatchExactly | Qt.MatchFlag.MatchRecursive) if name else []
            if found:
                self.tree.setCurrentItem(found[0])

    def _settle(self) -> None:
        data, (names, _) = self.association, self.chosen()
        for widget in (self.remove_button, self.role):
            widget.setEnabled(bool(names))
        self.add_button.setEnabled(data is not None)
        self.calibrate_button.setEnabled(data is not None and self._writing is None)
        roles = {item.text(1) for item in self.tree.selectedItems() if item.parent() is not None}
        if len(roles) == 1:
            with QSignalBlocker(self.role):
                self.role.setCurrentText(roles.pop())

    def open_node(self, name: str) -> None:
        """Open the file of a member or a product, when it is there."""
        data = self.association
        node = next((node for node in data.graph.nodes if node.name == name), None) if data is not None else None
        if node is None or node.column == 1:
            return
        if node.present is False or data.folder is None:
            self.context.notify("warning", f"{name} is not in {data.folder or 'any folder'}, so it cannot be opened.")
        else:
            self.context.run("file.open", paths=[str(data.folder / name)])

    def _fill_menu(self, menu: QMenu, item: QTreeWidgetItem) -> None:
        if item.parent() is None:
            menu.addAction("Rename", lambda: self.tree.editItem(item, 0))
            menu.addAction("Add Members…", self.add)
            return
        if not item.isSelected():
            self.tree.setCurrentItem(item)
        menu.addAction("Open", lambda: self.open_node(item.data(0, Role.UserRole)))
        menu.addAction("Take Out", self.remove)

    # --- making and editing ---------------------------------------------------------------------

    def make_of_files(self) -> None:
        """Choose exposures and associate them."""
        paths, _ = QFileDialog.getOpenFileNames(self, "Exposures", "", FILES)
        if paths:
            self.context.run("association.make", data=paths)

    def make_of_pool(self) -> None:
        """Choose a pool and associate its exposures."""
        path, _ = QFileDialog.getOpenFileName(self, "Association pool", "", POOLS)
        if path:
            self.context.run("association.make", data=path)

    def make_of_open(self) -> None:
        """Associate all exposures of the session."""
        self.context.run("association.make", data=self._open_exposures())

    def _open_exposures(self) -> list[str]:
        suffixes = ("uncal", "rate", "rateints", "cal", "calints", "crf", "crfints")
        return [data.name for data in self.session.data
                if data.path is not None and data.path.stem.rpartition("_")[2] in suffixes]  # fmt: skip

    def add(self) -> None:
        """Choose files and add them to the chosen product."""
        data = self.association
        start = str(data.folder or "")
        paths, _ = QFileDialog.getOpenFileNames(self, "Members", start, FILES)
        if paths:
            more = {"product": self._product()} if self._product() else {}
            self.context.run("association.add", data=data, members=paths, **more)

    def remove(self) -> None:
        """Take the chosen members out."""
        self._on_chosen("association.remove")

    def set_role(self) -> None:
        """Give the chosen members the role of the box."""
        self._on_chosen("association.role", role=self.role.currentText().replace(" ", "_"))

    def _on_chosen(self, id: str, **arguments: Any) -> None:
        names, product = self.chosen()
        if names:
            more = {"product": product} if product is not None else {}
            self.context.run(id, data=self.association, members=names, **arguments, **more)

    def _edited(self, item: QTreeWidgetItem, column: int) -> None:
        if self._filling or column or item.data(0, Role.UserRole + 1) != "product":
            return
        old, new = item.data(0, Role.UserRole), item.text(0).strip()
        if new != old:
            with QSignalBlocker(self.tree):
                item.setText(0, old)  # the session says when it is renamed
            self.context.run("association.rename", data=self.association, name=new, product=old)

    # --- files and pipelines --------------------------------------------------------------------

    def open_file(self) -> None:
        """Choose an association and open it."""
        paths, _ = QFileDialog.getOpenFileNames(self, "Associations", "", ASSOCIATIONS)
        if paths:
            self.context.run("file.open", paths=paths)

    def check(self) -> None:
        """List what is wrong among the results."""
        if self.association is not None:
            self.context.ask("association.validate", data=self.association)
            self.context.open_panel("results")

    def write(self) -> Any:
        """Choose a name and write the association; returns the job."""
        data = self.association
        if data is None:
            return None
        name = data.name if data.name.endswith("_asn") else f"{data.name}_asn"
        start = str((data.folder or Path()) / f"{name}.json")
        path, _ = QFileDialog.getSaveFileName(self, "Write association", start, ASSOCIATIONS)
        return self.context.run("association.write", data=data, path=path) if path else None

    def calibrate(self) -> None:
        """Calibrate the association; one that is in no file is written first."""
        data = self.association
        if data.path is not None:
            self._calibrate(data.path)
            return
        self.context.notify("info", f"{data.name} is in no file yet; choose where it is written, beside its members.")
        self._writing = self.write()
        self._settle()

    def _job_changed(self, job: Job) -> None:
        if job is self._writing and job.is_over:
            self._writing = None
            if job.state == "done":
                self._calibrate(Path(job.result()))
            self._settle()

    def _calibrate(self, path: Path) -> None:
        panel = self.context.open_panel("calibration")
        if panel is not None and hasattr(panel, "take_files"):
            panel.take_files([str(path)])
        self.context.run("calibration.run", inputs=[str(path)])


def _checked(data: Any, job: Job) -> tuple:
    data.look()
    try:
        return data, problems_of(data.content, data.folder)
    except JvizError:
        return data, []
