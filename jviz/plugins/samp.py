"""The panel of other programs: who is there, what is sent to them, and what may come from them."""

from __future__ import annotations

from functools import partial
from typing import Any

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QIcon, QPixmap
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QStackedWidget,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from jviz.api import Catalog, counted
from jviz.plugins.parts import Panel, hint_label, tool_button

__all__ = ["SampPanel"]

ALL = "All programs"
WORDS = {
    "image.load.fits": "images", "table.load.votable": "tables", "table.load.fits": "tables",
    "spectrum.load.ssa-generic": "spectra", "table.select.rowList": "rows", "coord.pointAt.sky": "positions",
}  # fmt: skip
OPTIONS = {
    "samp.link_rows": "Select rows together",
    "samp.follow_positions": "Follow positions",
    "samp.connect": "Connect at the start",
    "samp.own_hub": "Start a hub when there is none",
    "samp.web_pages": "Let pages in a browser ask to connect",
}
ALONE = "Nobody else is here yet.\n\nStart TOPCAT, DS9 or Aladin and have it connect to the SAMP hub."
APART = "Connect to exchange images, spectra and tables with TOPCAT, DS9, Aladin and others."
ICON = 20
LETTERS = 18
"""Of a name on a button."""


class SampPanel(Panel):
    """Send images, spectra and tables to TOPCAT, DS9, Aladin and other programs, and take what they send.

    Connect, choose a program, and send what is active or any data of the session. Rows of a table that was sent or
    received are selected in all programs at once, and the images follow the positions that others point at. What comes
    in is opened by jviz's own readers and named in a notification; nothing of it is run. Pages in a browser come in
    only when you want it, and each only when you allow it.
    """

    def __init__(self, context: Any) -> None:
        super().__init__(context)
        self.state, self.connect_button = QLabel(textFormat=Qt.TextFormat.PlainText), QPushButton("Connect")
        self.state.setWordWrap(True)
        self.programs, self.data = QTreeWidget(), QComboBox()
        self.hint = hint_label("")
        self.send_button, self.point_button = QPushButton("Send"), QPushButton("Send Position")
        self.rows_button = QPushButton("Send Rows")
        self.end_button = tool_button(context, "fa6s.plug-circle-xmark", "Disconnect this page", self.end_page)
        self.options = {key: QCheckBox(text) for key, text in OPTIONS.items()}
        self._job: Any = None
        self._icons: dict[str, QIcon | None] = {}
        self._arrange()
        self._connect()

    def _arrange(self) -> None:
        head, send, rest = QHBoxLayout(), QHBoxLayout(), QHBoxLayout()
        head.addWidget(self.state, 1)
        head.addWidget(self.connect_button, 0, Qt.AlignmentFlag.AlignTop)
        send.addWidget(self.data, 1)
        send.addWidget(self.send_button)
        rest.addWidget(self.end_button)
        rest.addStretch(1)
        rest.addWidget(self.rows_button)
        rest.addWidget(self.point_button)
        self.pages = QStackedWidget()
        self.pages.addWidget(self.programs)
        self.pages.addWidget(self.hint)
        layout = QVBoxLayout(self.body)
        layout.setContentsMargins(10, 8, 10, 8)
        layout.setSpacing(6)
        layout.addLayout(head)
        layout.addWidget(self.pages, 1)
        layout.addLayout(send)
        layout.addLayout(rest)
        layout.addWidget(self._choices())
        self._dress()

    def _choices(self) -> QWidget:
        widget = QWidget()
        grid = QGridLayout(widget)
        grid.setContentsMargins(0, 4, 0, 0)
        grid.setVerticalSpacing(2)
        for row, (key, box) in enumerate(self.options.items()):
            box.clicked.connect(lambda on, key=key: self._set(key, on))
            grid.addWidget(box, row, 0)
        self.options["samp.link_rows"].setToolTip("Of tables that were sent or received")
        self.options["samp.follow_positions"].setToolTip("Centre the images where other programs point")
        self.options["samp.own_hub"].setToolTip("For programs on this machine")
        self.options["samp.web_pages"].setToolTip("To jviz's own hub, as Aladin Lite does; you are asked for each page")
        return widget

    def _dress(self) -> None:
        tree = self.programs
        tree.setHeaderLabels(["Program", "Takes"])
        tree.setRootIsDecorated(False)
        tree.setIconSize(QSize(ICON, ICON))
        tree.setUniformRowHeights(True)
        tree.setAccessibleName("Other programs")
        self.data.setAccessibleName("Data to send")
        self.data.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.rows_button.setToolTip("Tell which rows of the table are selected")
        self.point_button.setToolTip("Have the programs point at the middle of the active image")

    def _connect(self) -> None:
        self.connect_button.clicked.connect(self.toggle)
        self.send_button.clicked.connect(self.send)
        self.rows_button.clicked.connect(self.send_rows)
        self.point_button.clicked.connect(self.point)
        self.programs.itemSelectionChanged.connect(self._settle)
        self.data.currentIndexChanged.connect(self._settle)
        session = self.session
        for signal in (session.samp.changed, session.data_changed, session.subsets_changed, session.settings.changed):
            self.links.signal(signal, self.later)
        self.links.signal(session.jobs.changed, self._follow)
        self.context.active_changed.connect(self._take_active)

    # --- what is shown --------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show who is there and what can be sent."""
        samp = self.session.samp
        self.connect_button.setText("Disconnect" if samp.connected else "Connect")
        self.connect_button.setEnabled(self._job is None)
        where = ", through jviz's own hub" if samp.owns_hub else ""
        there = counted(len(samp.partners), "other program")
        self.state.setText(f"Connected to {there}{where}{self._about_pages()}" if samp.connected else "Not connected")
        self.hint.setText(ALONE if samp.connected else APART)
        self.pages.setCurrentIndex(0 if samp.partners else 1)
        self._fill_programs()
        self._fill_data()
        for key, box in self.options.items():
            box.setChecked(self.session.settings[key])
        self._settle()

    def _about_pages(self) -> str:
        samp = self.session.samp
        if not self.session.settings["samp.web_pages"] or samp.takes_pages:
            return ""
        return "; pages in a browser cannot connect" if samp.owns_hub else "; its own program asks about pages"

    def _fill_programs(self) -> None:
        chosen = self.target()
        self.programs.blockSignals(True)
        self.programs.clear()
        everybody = QTreeWidgetItem([ALL, ""])
        everybody.setData(0, Qt.ItemDataRole.UserRole, "")
        everybody.setIcon(0, self.context.icon("fa6s.share-nodes"))
        self.programs.addTopLevelItem(everybody)
        self.programs.setCurrentItem(everybody)
        for partner in self.session.samp.partners:
            takes = dict.fromkeys(word for mtype, word in WORDS.items() if partner.understands(mtype))
            item = QTreeWidgetItem([partner.name, ", ".join(takes) or "–"])
            item.setToolTip(1, item.text(1))
            item.setData(0, Qt.ItemDataRole.UserRole, partner.id)
            item.setToolTip(0, "\n".join(filter(None, (partner.origin or partner.name, partner.about))))
            item.setIcon(0, self.context.icon("fa6s.globe") if partner.origin else self._icon(partner))
            self.programs.addTopLevelItem(item)
            if partner.id == chosen:
                self.programs.setCurrentItem(item)
        self.programs.resizeColumnToContents(0)
        self.programs.setColumnWidth(0, min(self.programs.columnWidth(0), self.width() * 6 // 10))
        self.programs.blockSignals(False)

    def _icon(self, partner: Any) -> QIcon:
        """Return the icon of a program; it is fetched when it is seen for the first time."""
        if partner.icon and partner.icon not in self._icons:
            self._icons[partner.icon] = None
            self.session.jobs.submit("Icon", partial(self._fetch, partner), quiet=True, apart=True)
        return self._icons.get(partner.icon) or self.context.icon("fa6s.desktop")

    def _fetch(self, partner: Any, _: Any) -> None:
        found = self.session.samp.icon(partner)
        self.session.dispatcher.call(lambda: self._take_icon(partner.icon, found))

    def _take_icon(self, url: str, found: bytes) -> None:
        picture = QPixmap()
        if found and not self.links.ended and picture.loadFromData(found):
            self._icons[url] = QIcon(picture)
            self.later()

    def _fill_data(self) -> None:
        names = [data.name for data in self.session.data]
        if [self.data.itemText(n) for n in range(self.data.count())] != names:
            chosen = self.data.currentText()
            self.data.blockSignals(True)
            self.data.clear()
            self.data.addItems(names)
            self.data.setCurrentText(chosen)
            self.data.blockSignals(False)
            if chosen not in names:
                self._take_active()

    def _take_active(self) -> None:
        """Offer what is active."""
        view = self.context.active_view()
        if view is not None and getattr(view, "data", None) is not None:
            self.data.setCurrentText(view.data.name)

    def target(self) -> str:
        """Return the id of the chosen program, "" for all."""
        chosen = self.programs.selectedItems()
        return chosen[0].data(0, Qt.ItemDataRole.UserRole) if chosen else ""

    def chosen_data(self) -> Any:
        """Return the data to send, None when there are none."""
        name = self.data.currentText()
        return next((data for data in self.session.data if data.name == name), None)

    def _settle(self, *_: Any) -> None:
        """Enable what can be done, and say to whom."""
        chosen, data = self.programs.selectedItems(), self.chosen_data()
        there = bool(self.session.samp.partners)
        self.send_button.setText(f"Send to {_short(chosen[0].text(0))}" if self.target() else "Send to All")
        self.send_button.setEnabled(there and data is not None)
        is_shared = isinstance(data, Catalog) and self.session.samp.tables.of(data) is not None
        self.rows_button.setEnabled(there and is_shared)
        self.end_button.setVisible(any(p.origin and p.id == self.target() for p in self.session.samp.partners))
        self.point_button.setEnabled(there and self.context.active_image() is not None)

    # --- what the user does ---------------------------------------------------------------------

    def toggle(self) -> None:
        """Connect, or end the connection."""
        self.connect_button.setEnabled(False)
        self._job = self.context.run("samp.disconnect" if self.session.samp.connected else "samp.connect")
        self.later()

    def _follow(self, job: Any) -> None:
        if job is self._job and job.is_over:
            self._job = None
            self.later()

    def send(self) -> None:
        """Send the chosen data to the chosen program, or to all."""
        data = self.chosen_data()
        if data is not None:
            self.context.run("samp.send", data=data, to=self.target())

    def send_rows(self) -> None:
        """Tell which rows of the chosen table are selected."""
        self.context.run("samp.send_rows", data=self.chosen_data(), to=self.target())

    def point(self) -> None:
        """Have the programs point at the middle of the active image."""
        self.context.run("samp.point", view=self.context.active_image(), to=self.target())

    def end_page(self) -> None:
        """Disconnect the chosen page in a browser."""
        self.context.run("samp.refuse_page", page=self.target())

    def _set(self, key: str, on: bool) -> None:
        self.session.settings[key] = on


def _short(name: str) -> str:
    """Return a name that a button has room for, of a page without where it comes from."""
    name = name.partition(" (")[0]
    return name if len(name) <= LETTERS else name[: LETTERS - 1].rstrip() + "…"
