"""The panel of reference files: the best ones of the active product, and those that it used."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QGuiApplication, QPalette
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QInputDialog,
    QLabel,
    QMenu,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
)

from jviz.api import JvizError, ReferenceRow, Rules, is_jwst, is_own, own_contexts, references_of, rules_for
from jviz.plugins.parts import Newest, Panel, in_tab_order, is_dark, item_menu, low, muted, tool_button

NEWEST = "as set, or the newest"
STATES = {"cached": "on this machine", "missing": "missing here", "not applicable": "not needed", "no rule": "no rule"}

NO_PRODUCT = "Open a JWST product to see its reference files here."


class CrdsPanel(Panel):
    """The reference files that the rules of a CRDS context choose for the active JWST product.

    Each type has its best file, whether it is in the cache of this machine, and the file that the product used: another
    one than the best is marked. A double click opens a cached file. The buttons fetch what is missing from the server,
    add a file of yours to a copy of the rules, compare contexts, list the products of the session and the library
    that should be calibrated anew, and put these into the queue of calibrations.
    """

    def __init__(self, context: Any) -> None:
        super().__init__(context)
        self._fetching: Any = None
        self._asked = ""
        self.contexts = QComboBox()
        self.contexts.addItem(NEWEST, None)
        self.contexts.setAccessibleName("CRDS context")
        self.contexts.setToolTip("Whose rules are asked: that of CRDS_CONTEXT, or the newest in the cache, by default")
        self.contexts.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.everything = QCheckBox("All types")
        self.everything.setToolTip("Also types that do not apply to this product")
        self.tree = QTreeWidget()
        self.tree.setHeaderLabels(["Type", "Best file", "State", "Used"])
        self.tree.setRootIsDecorated(False)
        self.tree.setUniformRowHeights(True)
        self.tree.setAlternatingRowColors(True)
        self.tree.setAccessibleName("Reference files")
        self.tree.itemActivated.connect(self._open)
        item_menu(self.tree, self._fill_menu)
        low(self.tree, 4)
        self.note = muted(QLabel())
        self.note.setWordWrap(True)
        self.note.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._arrange()
        self._newest = Newest(self.links, self.session, "Reference files", self._begin)
        self.contexts.activated.connect(self.later)
        self.everything.toggled.connect(self.later)
        self.context.active_changed.connect(self.later)
        self.links.signal(self.session.data_changed, self.later)
        self.links.signal(self.session.jobs.changed, self._job_changed)

    def _arrange(self) -> None:
        head = QHBoxLayout()
        head.addWidget(QLabel("Context"))
        head.addWidget(self.contexts, 1)
        head.addWidget(self.everything)
        head.addWidget(tool_button(self.context, "fa6s.cloud-arrow-down", "Fetch what is missing here", self.fetch))
        head.addWidget(tool_button(self.context, "fa6s.file-circle-plus", "Add a file of your own", self.add_own))
        head.addWidget(tool_button(self.context, "fa6s.code-compare", "Compare two contexts…", self.compare))
        head.addWidget(tool_button(self.context, "fa6s.list-check", "List what should be calibrated anew",
                                   self.list_stale))  # fmt: skip
        head.addWidget(tool_button(self.context, "fa6s.arrows-rotate", "Queue what should be calibrated anew",
                                   self.renew))  # fmt: skip
        layout = QVBoxLayout(self.body)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.addLayout(head)
        layout.addWidget(self.note)  # above: a low dock shows the top of a panel
        layout.addWidget(self.tree, 1)
        buttons = [head.itemAt(n).widget() for n in range(3, head.count())]
        in_tab_order(self.contexts, self.everything, *buttons, self.tree)

    def compare(self) -> None:
        """Ask which context the one that is shown here is compared with: first of all that of the product."""
        there = [self.contexts.itemData(n) for n in range(1, self.contexts.count())]
        shown = self._asked or next(iter(there), "")
        others = [name for name in there if name != shown]
        if not others:
            self.context.run("crds.compare")  # its form says what is missing
            return
        used = str(self.product.header.get("CRDS_CTX", "")) if self.product is not None else ""
        place = others.index(used) if used in others else 0
        other, given = QInputDialog.getItem(self, "Compare contexts", f"What changed in {shown} since", others, place)
        if given and other.strip():
            self.context.ask("crds.compare", context_a=other.strip(), context_b=shown)

    def fetch(self) -> None:
        """Fetch the files of the active product that are missing here."""
        data, chosen = self.product, self.contexts.currentData()
        if data is None:
            self.context.notify("info", NO_PRODUCT)
        else:
            given = {"context": chosen} if chosen else {}
            self._fetching = self.context.ask("crds.sync", data=data.name, **given)

    def add_own(self) -> None:
        """Choose a reference file that joins a copy of the rules."""
        path, _ = QFileDialog.getOpenFileName(self, "Reference file", "", "Reference files (*.fits *.asdf)")
        if path:
            chosen = self.contexts.currentData()
            given = {"context": chosen} if chosen else {}
            self._fetching = self.context.ask("crds.add_reference", path=path, **given)

    def _job_changed(self, job: Any) -> None:
        if job is self._fetching and job.is_over:
            self._fetching = None
            self.later()

    def list_stale(self) -> None:
        """List the products that the rules of the chosen context would change."""
        chosen = self.contexts.currentData()
        self.context.ask("crds.reprocess", **({"context": chosen} if chosen else {}))

    def renew(self) -> None:
        """Queue the products that the rules of the chosen context would change, and show which they are."""
        chosen = self.contexts.currentData()
        self.context.ask("calibration.renew", **({"context": chosen} if chosen else {}))

    # --- what is shown --------------------------------------------------------------------------

    @property
    def product(self) -> Any:
        """The data of the active view, when they are of JWST."""
        view = self.context.active_view()
        data = getattr(getattr(view, "layer", None), "data", None) or getattr(view, "data", None)
        return data if data is not None and is_jwst(data.header) else None

    def refresh(self) -> None:
        """Ask the rules about the active product."""
        self._newest.ask()

    def _begin(self) -> Any:
        """Return what asks the rules, and what shows the answer."""
        data, context, everything = self.product, self.contexts.currentData(), self.everything.isChecked()
        if not self.isVisible():
            return None
        path = data.path if data is not None else None

        def work(job: Any) -> tuple:
            rules = rules_for(path, context)
            contexts = [*rules_for(path).contexts(), *own_contexts()]
            if data is None:
                return data, rules, contexts, "", NO_PRODUCT
            try:
                found = references_of(data.header, data.name, context, everything=everything, rules=rules)
                return data, rules, contexts, *found
            except (JvizError, OSError) as error:
                return data, rules, contexts, "", str(error)

        return work, self._show

    def _show(self, data: Any, rules: Rules, contexts: list[str], asked: str, rows: Any) -> None:
        self._fill_contexts(contexts)
        self._asked = asked
        self.tree.clear()
        if isinstance(rows, str):
            self.note.setText(rows)
            return
        for row in rows:
            self.tree.addTopLevelItem(self._item(row))
        for column in range(3):
            self.tree.resizeColumnToContents(column)
        used, missing = str(data.header.get("CRDS_CTX", "")), sum(row.state == "missing" for row in rows)
        other = sum(row.differs for row in rows)
        words = [f"{data.name}: rules of {asked}", f"it was made with {used}" if used else "not calibrated yet"]
        words += [f"{other} of its files would be others now"] if other else []
        words += [f"{missing} not in {rules.folder}"] if missing else []
        self.note.setText(", ".join(words) + ".")

    def _item(self, row: ReferenceRow) -> QTreeWidgetItem:
        item = QTreeWidgetItem([row.kind, row.best or "–", STATES[row.state], row.used or "–"])
        item.setData(0, Qt.ItemDataRole.UserRole, row.path)
        item.setToolTip(1, str(row.path or row.note or row.best))
        item.setToolTip(3, row.used)
        warn = QColor("#e5a50a" if is_dark(self) else "#8f5902")
        if row.state == "missing":
            item.setForeground(2, warn)
        if row.differs:
            item.setForeground(3, warn)
            font = item.font(3)
            font.setBold(True)
            item.setFont(3, font)
        if row.state in ("not applicable", "no rule"):
            for column in range(3):
                item.setForeground(column, self.palette().color(QPalette.ColorRole.PlaceholderText))
        return item

    def restyle(self) -> None:
        self.later()

    def _fill_contexts(self, contexts: list[str]) -> None:
        if [self.contexts.itemData(n) for n in range(1, self.contexts.count())] == contexts[::-1]:
            return
        chosen = self.contexts.currentData()
        self.contexts.clear()
        self.contexts.addItem(NEWEST, None)
        for name in reversed(contexts):
            self.contexts.addItem(f"{name} (own)" if is_own(name) else name, name)
        self.contexts.setCurrentIndex(max(self.contexts.findData(chosen), 0))

    def _fill_menu(self, menu: QMenu, item: QTreeWidgetItem) -> None:
        is_here = item.data(0, Qt.ItemDataRole.UserRole) is not None
        menu.addAction("Open", lambda: self._open(item, 0)).setEnabled(is_here)
        menu.addAction("Copy Name", lambda: QGuiApplication.clipboard().setText(item.text(1)))

    def _open(self, item: QTreeWidgetItem, _: int) -> None:
        path = item.data(0, Qt.ItemDataRole.UserRole)
        if path is None:
            self.context.notify("warning", f"{item.text(1)} is not on this machine, so it cannot be opened.")
        else:
            self.context.run("file.open", paths=[str(path)])
