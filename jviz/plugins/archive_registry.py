"""Finding services of the Virtual Observatory: what the registry lists, and those that the user keeps."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QTabWidget,
    QTextBrowser,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from jviz.api import OWN_SERVICES, counted, own_services
from jviz.plugins.parts import Awaited, Links, muted

__all__ = ["ServiceFinder"]

KINDS = (("Any kind", ""), ("Observations (TAP)", "obscore"), ("TAP (ADQL)", "tap"), ("Images (SIA 2)", "sia2"),
         ("Images (SIA 1)", "sia1"), ("Spectra (SSA)", "ssa"), ("Catalogues (cone search)", "cone"))  # fmt: skip
WAVEBANDS = (("Any waveband", ""), ("Radio", "radio"), ("Millimetre", "millimeter"), ("Infrared", "infrared"),
             ("Optical", "optical"), ("Ultraviolet", "uv"), ("Extreme ultraviolet", "euv"), ("X-ray", "x-ray"),
             ("Gamma ray", "gamma-ray"))  # fmt: skip
WORDS = {"tap": "TAP", "sia1": "SIA 1", "sia2": "SIA 2", "ssa": "SSA", "cone": "Cone search"}
SERVICE = Qt.ItemDataRole.UserRole


class ServiceFinder(QDialog):
    """Lists services; ``chosen`` gives the short name of one that is to be asked.

    Parameters
    ----------
    context : Context
    """

    chosen = Signal(str)

    def __init__(self, context: Any, parent: QWidget) -> None:
        super().__init__(parent, windowTitle="Services")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._context, self._session, self._links = context, context.session, Links(self)
        self._asked = Awaited(self._links, self._session, self._show, self._say)
        self.words = QLineEdit(placeholderText="Words, such as galaxy spectra", clearButtonEnabled=True)
        self.kind, self.waveband = QComboBox(), QComboBox()
        self.search_button, self.use_button = QPushButton("Search"), QPushButton("Use")
        self.forget_button, close = QPushButton("Forget"), QPushButton("Close")
        self.found, self.kept = _tree("Services of the registry"), _tree("Services that you keep")
        self.lists = QTabWidget()
        self.about = QTextBrowser(openLinks=False)
        self.told = muted(QLabel("Which services there are is asked of the registry.", wordWrap=True))
        self.told.setTextFormat(Qt.TextFormat.PlainText)
        for box, choices in ((self.kind, KINDS), (self.waveband, WAVEBANDS)):
            for text, value in choices:
                box.addItem(text, value)
        self._arrange(close)
        self._connect(close)
        self._list_kept()
        self._settle()

    def _arrange(self, close: QPushButton) -> None:
        head, foot = QHBoxLayout(), QHBoxLayout()
        head.addWidget(self.words, 1)
        for widget in (self.kind, self.waveband, self.search_button):
            head.addWidget(widget)
        first, second = QWidget(), QWidget()
        for page, parts in ((first, (head, self.found)), (second, (self.kept,))):
            layout = QVBoxLayout(page)
            layout.setContentsMargins(0, 8, 0, 0)
            for part in parts:
                layout.addWidget(part, 1) if isinstance(part, QWidget) else layout.addLayout(part)
        self.lists.addTab(first, "Registry")
        self.lists.addTab(second, "Kept")
        self.lists.setDocumentMode(True)
        self.about.setFixedHeight(96)
        foot.addWidget(self.told, 1)
        for button in (self.forget_button, self.use_button, close):
            button.setAutoDefault(False)
            foot.addWidget(button)
        layout = QVBoxLayout(self)
        layout.addWidget(self.lists, 1)
        layout.addWidget(self.about)
        layout.addLayout(foot)
        self.resize(820, 560)
        for widget, name in ((self.words, "Words"), (self.kind, "Kind of service"), (self.waveband, "Waveband"),
                             (self.about, "About the service")):  # fmt: skip
            widget.setAccessibleName(name)
        self.search_button.setDefault(True)

    def _connect(self, close: QPushButton) -> None:
        self.search_button.clicked.connect(self.search)
        self.use_button.clicked.connect(self.use)
        self.forget_button.clicked.connect(self.forget)
        close.clicked.connect(self.close)
        self.lists.currentChanged.connect(self._settle)
        for tree in (self.found, self.kept):
            tree.itemSelectionChanged.connect(self._settle)
            tree.itemDoubleClicked.connect(lambda *_: self.use())
        self._links.signal(self._session.settings.changed, self._follow)

    # --- what there is --------------------------------------------------------------------------

    def search(self) -> None:
        """Ask the registry."""
        self.found.clear()
        self._say("Asking the registry…")
        self._asked.ask("archive.services", words=self.words.text().strip(), kind=self.kind.currentData(),
                        waveband=self.waveband.currentData(), registry=True)  # fmt: skip

    def _say(self, text: str) -> None:
        self.told.setText(text)
        self._settle()

    def _show(self, table: Any) -> None:
        for row in table:
            _add(self.found, {name: row[name] for name in table.colnames})
        cut = table.meta["incomplete"]
        text = counted(len(table), "service") if len(table) else "No service fits; use fewer words"
        self._say(f"{text}: {cut}" if cut else f"{text}.")

    def _follow(self, name: str, *_: Any) -> None:
        if name == OWN_SERVICES:
            self._list_kept()
            self._settle()

    def _list_kept(self) -> None:
        self.kept.clear()
        for service in own_services(self._session).values():
            _add(self.kept, {**vars(service), "waveband": "", "about": ""})
        self.lists.setTabText(1, f"Kept ({self.kept.topLevelItemCount()})")

    # --- what is done with one ------------------------------------------------------------------

    def _selected(self) -> dict[str, Any] | None:
        tree = self.found if self.lists.currentIndex() == 0 else self.kept
        items = tree.selectedItems()
        return items[0].data(0, SERVICE) if items else None

    def use(self) -> None:
        """Keep the selected service and have it asked."""
        service = self._selected()
        if service is None:
            return
        name = str(service["name"])
        if self.lists.currentIndex() == 0:
            name = self._context.run("archive.keep_service", url=service["url"], kind=service["kind"],
                                     title=service["title"], obscore=service["obscore"])  # fmt: skip
        if name:
            self.chosen.emit(name)
            self.close()

    def forget(self) -> None:
        """Take the selected service off the list of those that are kept."""
        service = self._selected()
        if service is not None:
            self._context.run("archive.forget_service", name=service["name"])

    def _settle(self, *_: Any) -> None:
        service, is_kept = self._selected(), self.lists.currentIndex() == 1
        self.use_button.setEnabled(service is not None)
        self.forget_button.setVisible(is_kept)
        self.forget_button.setEnabled(service is not None)
        lines = (service["title"], service["url"], service["about"]) if service else ()
        self.about.setPlainText("\n".join(line for line in lines if line))

    def closeEvent(self, event: Any) -> None:
        self._asked.stop()
        super().closeEvent(event)


def _tree(name: str) -> QTreeWidget:
    tree = QTreeWidget()
    tree.setAccessibleName(name)
    tree.setHeaderLabels(["Service", "Kind", "Wavebands", "Address"])
    tree.setRootIsDecorated(False)
    tree.setUniformRowHeights(True)
    tree.setAlternatingRowColors(True)
    tree.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    tree.header().setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
    for column, width in enumerate((330, 90, 130)):
        tree.header().resizeSection(column, width)
    return tree


def _add(tree: QTreeWidget, service: dict[str, Any]) -> None:
    plain = {name: bool(value) if name == "obscore" else str(value) for name, value in service.items()}
    word = "Observations" if plain["obscore"] else WORDS.get(plain["kind"], plain["kind"])
    item = QTreeWidgetItem(tree, [plain["title"] or plain["name"], word, plain["waveband"], plain["url"]])
    item.setData(0, SERVICE, plain)
    item.setToolTip(0, plain["title"])
    item.setToolTip(3, plain["url"])
