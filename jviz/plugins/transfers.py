"""The panel of downloads: what is on its way, what is wanted next, and what came."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QModelIndex, QPoint, Qt, QTimer, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QPushButton,
    QStackedLayout,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from jviz.api import JvizError, Totals, TransferRow, counted, size_text, totals_of, transfer_rows
from jviz.plugins.basket import BasketPage, HistoryPage
from jviz.plugins.jobs import duration
from jviz.plugins.parts import Newest, Panel, ProgressBar, hint_label, muted, tool_button
from jviz.plugins.transfers_table import GROUPS, TransferTable

__all__ = ["TransfersPanel"]

STEPS = 1000

CAN = {"resume": ("paused",), "pause": ("waiting", "running"), "cancel": ("waiting", "running", "paused"),
       "retry": ("failed", "cancelled")}  # fmt: skip
"""In which states each of the buttons does something."""

LOOKS = {"resume": ("fa6s.play", "Resume"), "pause": ("fa6s.pause", "Pause"), "cancel": ("fa6s.xmark", "Cancel"),
         "retry": ("fa6s.rotate-right", "Retry")}  # fmt: skip

NONE_YET = ("No downloads.\n\nChoose files in the Archive panel and press Download: "
            "they show here with progress and speed, and go on after a restart.")  # fmt: skip


class TransfersPanel(Panel):
    """Downloads with progress, speed and the time they will still take; the basket, and the history.

    Pause, resume, cancel or retry the selected ones, or all when none is selected. A double click opens a file
    that is here in the viewer for it. What was interrupted when jviz ended is offered to go on; no byte comes
    twice. The list is shared by all jviz that are open. The basket keeps products that are to be fetched together
    later, and tells their size in all; the history knows every file that ever came.
    """

    def __init__(self, context: Any) -> None:
        super().__init__(context)
        self.page, self.basket = TransfersPage(context, self.links), BasketPage(context, self.links)
        self.history = HistoryPage(context, self.links)
        self.setFocusProxy(self.page.table)
        self.tabs = QTabWidget(documentMode=True)
        self.tabs.setAccessibleName("Transfers, basket and history")
        for page, title in ((self.page, "Transfers"), (self.basket, "Basket"), (self.history, "History")):
            self.tabs.addTab(page, title)
        self.tabs.currentChanged.connect(self.later)
        layout = QVBoxLayout(self.body)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.tabs)
        self.links.signal(self.session.archives.transfers_changed, self.later)
        self.links.signal(self.session.archives.basket_changed, self.later)
        self.basket.looked.connect(
            lambda count: self.tabs.setTabText(1, f"Basket ({count:,})" if count else "Basket")
        )

    def refresh(self) -> None:
        self.basket.ask()  # its tab tells how much is in it
        if self.tabs.currentWidget() is not self.basket:
            self.tabs.currentWidget().ask()

    def hideEvent(self, event: Any) -> None:
        super().hideEvent(event)
        self.page.rest()
        self._stale = True


class TransfersPage(QWidget):
    """The list of downloads."""

    def __init__(self, context: Any, links: Any) -> None:
        super().__init__()
        self.context, self.session = context, context.session
        self.table = TransferTable()
        self.totals: Totals = totals_of([])
        self._newest = Newest(links, self.session, "Transfers", self._begin, apart=True)
        self._clock = QTimer(self, interval=400, singleShot=True)
        self._clock.timeout.connect(self._newest.ask)
        self._make_widgets()
        self._arrange()
        self._connect()
        self._show([])

    # --- parts ----------------------------------------------------------------------------------

    def _make_widgets(self) -> None:
        self.buttons = {id: tool_button(self.context, icon, words, partial(self.change, id), label=True)
                        for id, (icon, words) in LOOKS.items()}  # fmt: skip
        self.clear_button = tool_button(self.context, "fa6s.broom", "Take finished downloads off the list",
                                        partial(self.context.run, "archive.clear_transfers"))  # fmt: skip
        self.group = QComboBox()
        self.group.addItems(list(GROUPS))
        self.group.setAccessibleName("Which transfers are shown")
        self.words = QLineEdit(placeholderText="Filter", clearButtonEnabled=True)
        self.words.setAccessibleName("Words in the names of the transfers that are shown")
        self.words.setMaximumWidth(180)
        self.offer = QFrame()
        self.offer_text = QLabel(textFormat=Qt.TextFormat.PlainText)
        self.go_on_button, self.give_up_button = QPushButton("Go On"), QPushButton("Cancel Them")
        self.bar = ProgressBar("Progress of all downloads")
        self.about = muted(QLabel(textFormat=Qt.TextFormat.PlainText))

    def _arrange(self) -> None:
        head = QHBoxLayout()
        head.setContentsMargins(6, 2, 6, 2)
        head.setSpacing(2)
        for button in self.buttons.values():
            head.addWidget(button)
        head.addStretch(1)
        for widget in (self.words, self.group, self.clear_button):
            head.addWidget(widget)
        row = QHBoxLayout(self.offer)
        row.setContentsMargins(10, 4, 8, 6)
        row.addWidget(self.offer_text, 1)
        row.addWidget(self.go_on_button)
        row.addWidget(self.give_up_button)
        self._pages, pages = QStackedLayout(), QWidget()
        pages.setLayout(self._pages)
        self._pages.addWidget(self.table)
        self._pages.addWidget(hint_label(NONE_YET))
        foot = QHBoxLayout()
        foot.setContentsMargins(10, 4, 10, 6)
        foot.setSpacing(12)
        foot.addWidget(self.about, 1)
        foot.addWidget(self.bar)
        self.bar.setFixedWidth(200)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(head)
        layout.addWidget(self.offer)
        layout.addWidget(pages, 1)
        layout.addLayout(foot)

    def _connect(self) -> None:
        self.group.currentTextChanged.connect(self._narrow)
        self.words.textChanged.connect(self._narrow)
        self.go_on_button.clicked.connect(lambda: self._on_interrupted("resume"))
        self.give_up_button.clicked.connect(lambda: self._on_interrupted("cancel"))
        self.table.doubleClicked.connect(self._open_at)
        self.table.selectionModel().selectionChanged.connect(self._settle)
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.table.customContextMenuRequested.connect(self._show_menu)
        for keys, do in (("Return", self.open), ("Enter", self.open), ("Space", self.pause_or_resume),
                         ("Del", partial(self.change, "cancel"))):  # fmt: skip
            shortcut = QShortcut(QKeySequence(keys), self.table, do)
            shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)

    # --- following ------------------------------------------------------------------------------

    def ask(self) -> None:
        """Look at the list, in a job."""
        self._newest.ask()

    def rest(self) -> None:
        """Look no more until asked."""
        self._clock.stop()

    def _begin(self) -> Any:
        return (lambda job: _looked_at(self.session)), self._take

    def _take(self, rows: list[TransferRow], error: str) -> None:
        if error:
            self.about.setText(error)
            return
        self._show(rows)
        if self.totals.counts.keys() & {"waiting", "running"} and self.isVisible():
            self._clock.start()

    def _show(self, rows: list[TransferRow]) -> None:
        self.table.transfers.follow(rows)
        self._pages.setCurrentIndex(0 if rows else 1)
        self.totals = totals_of(rows)
        self._say()
        self._settle()

    def _say(self) -> None:
        totals = self.totals
        words = [f"{totals.counts[state]:,} {state}" for state in
                 ("running", "waiting", "paused", "failed", "cancelled", "done") if state in totals.counts]  # fmt: skip
        text = ", ".join(words)
        if totals.size:
            text += f": {size_text(totals.done)} of {size_text(totals.size)}"
            text += " or more" if totals.unknown else ""
        if totals.speed:
            text += f", {size_text(totals.speed)}/s"
        if totals.remaining is not None:
            text += f", about {duration(totals.remaining)} left"
        self.about.setText(text)
        self.bar.setVisible(bool(totals.size))
        self.bar.show_progress(round(STEPS * totals.done / totals.size) if totals.size else 0, STEPS)
        interrupted = self._interrupted()
        self.offer.setVisible(bool(interrupted))
        left = sum(row.size - row.done for row in interrupted if row.size)
        self.offer_text.setText(f"{counted(len(interrupted), 'download')} stopped when jviz ended"
                                + (f"; {size_text(left)} are missing." if left else "."))  # fmt: skip

    def _interrupted(self) -> list[TransferRow]:
        return [row for row in self.table.transfers.rows if row.interrupted]

    def _narrow(self, *_: Any) -> None:
        self.table.shown.show_only(GROUPS[self.group.currentText()], self.words.text())

    # --- doing ----------------------------------------------------------------------------------

    def _meant(self, id: str) -> list[TransferRow]:
        """Return the transfers that a button is about: of those that are selected, or of all."""
        rows = self.table.selected() or self.table.transfers.rows
        retried = id == "retry" and bool(self.table.selected())
        states = CAN[id] if id != "retry" or retried else ("failed",)
        return [row for row in rows if row.state in states and not row.elsewhere]

    def change(self, id: str) -> None:
        """Pause, resume, cancel or retry what is selected, or all."""
        rows = self._meant(id)
        if rows:
            self.context.run(f"archive.{id}", transfers=[row.number for row in rows])

    def pause_or_resume(self) -> None:
        """Pause what runs of the selected ones, else resume what is paused."""
        self.change("pause" if self._meant("pause") else "resume")

    def _on_interrupted(self, id: str) -> None:
        self.context.run(f"archive.{id}", transfers=[row.number for row in self._interrupted()])

    def _settle(self, *_: Any) -> None:
        """Enable what can be done, and say of how many."""
        chosen = bool(self.table.selected())
        for id, button in self.buttons.items():
            count, words = len(self._meant(id)), LOOKS[id][1]
            button.setEnabled(bool(count))
            button.setText(words if chosen else f"{words} All" if id != "retry" else "Retry Failed")
            button.setToolTip(f"{words} {counted(count, 'download')}" if count else words)
            button.setAccessibleName(button.text())
        self.clear_button.setEnabled(bool(self.totals.counts.keys() & {"done", "failed", "cancelled"}))

    # --- files ----------------------------------------------------------------------------------

    def _open_at(self, index: QModelIndex) -> None:
        self._open([self.table.at(index)])

    def open(self) -> None:
        """Open the selected files that are here."""
        self._open(self.table.selected())

    def _open(self, rows: list[TransferRow]) -> None:
        done = [row for row in rows if row.state == "done"]
        if done:
            self.context.run("file.open", paths=[row.path for row in done])
        elif rows:
            self.context.notify("warning", f"{rows[0].name} is not here yet: it is {_state_word(rows[0])}.")

    def _show_menu(self, place: QPoint) -> None:
        if self.table.selected():
            self.menu().popup(self.table.viewport().mapToGlobal(place))

    def menu(self) -> QMenu:
        """Return the menu on the selected transfers."""
        rows = self.table.selected()
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Open", self.open).setEnabled(any(row.state == "done" for row in rows))
        menu.addAction("Show Folder", partial(self._show_folder, rows[0]))
        menu.addAction("Copy Addresses", partial(_copy, [row.url for row in rows]))
        menu.addSeparator()
        for id, (icon, words) in LOOKS.items():
            action = menu.addAction(self.context.icon(icon), words, partial(self.change, id))
            action.setEnabled(bool(self._meant(id)))
        menu.addSeparator()
        over = [row.number for row in rows if row.state in ("done", "failed", "cancelled")]
        clear = partial(self.context.run, "archive.clear_transfers", transfers=over)
        menu.addAction("Take Off the List", clear).setEnabled(bool(over))
        return menu

    def _show_folder(self, row: TransferRow) -> None:
        folder = Path(row.path).parent if row.path else Path(row.folder)
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))


def _looked_at(session: Any) -> tuple[list[TransferRow], str]:
    try:
        return transfer_rows(session), ""
    except JvizError as error:
        return [], str(error)


def _state_word(row: TransferRow) -> str:
    return "waiting for its turn" if row.state == "waiting" else row.state


def _copy(texts: list[str]) -> None:
    QGuiApplication.clipboard().setText("\n".join(texts))
