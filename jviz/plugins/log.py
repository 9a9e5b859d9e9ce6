"""The log panel: what jviz and its libraries report, and every command as a line of Python."""

from __future__ import annotations

import logging
import time
from typing import Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QColor, QFontDatabase, QGuiApplication, QPalette, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QPlainTextEdit, QVBoxLayout

from jviz.api import Entry, Record
from jviz.plugins.parts import Panel, is_dark, tool_button

__all__ = ["LogPanel"]

LEVELS = {"Everything": 0, "Commands and above": logging.INFO, "Warnings and errors": logging.WARNING,
          "Errors": logging.ERROR}  # fmt: skip
NOTICE_LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR, "status": logging.DEBUG}
COLOURS = {logging.ERROR: ("#b3261e", "#ff8a80"), logging.WARNING: ("#8a5a00", "#f0b860"), 0: ("#1f5fa8", "#8ab4f8")}

MOST, AT_ONCE = 2000, 100
"""Lines shown, and those written in one turn of the event loop."""

BREATH_MS = 4
"""Between two turns, so that what the user does comes in."""


class LogPanel(Panel):
    """Records of jviz and its libraries, notices, and each step as the Python line it is.

    The menu leaves out what is less important, the search keeps lines that hold its text.
    """

    empty_text = "The log is empty."

    def __init__(self, context: Any) -> None:
        super().__init__(context)
        self.level = QComboBox()
        self.level.addItems(list(LEVELS))
        self.level.setCurrentIndex(1)
        self.level.setAccessibleName("Least level shown")
        self.search = QLineEdit(placeholderText="Search the log", clearButtonEnabled=True)
        self.search.setAccessibleName("Search the log")
        self.text = QPlainTextEdit(readOnly=True)
        self.text.setFrameShape(QPlainTextEdit.Shape.NoFrame)
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.text.setAccessibleName("Log")
        self.text.setPlaceholderText("Nothing of this level so far.")
        self.level.currentIndexChanged.connect(self.later)
        self.search.textChanged.connect(self.later)
        self._arrange()
        self.setFocusProxy(self.search)
        self._since = 0.0
        self._written: list[Record] = []
        self._waiting: list[Record] = []
        self._recoloured = False
        self._more = QTimer(self, singleShot=True, interval=BREATH_MS)
        self._more.timeout.connect(self._write)
        self.links.signal(self.session.history_changed, self.later)
        self.links.signal(self.session.jobs.changed, self.later)
        context.notice_added.connect(self.later)
        # Records come from any thread, in bursts: looking twice a second is all that a reader needs.
        self._seen = 0
        self._clock = QTimer(self, interval=500)
        self._clock.timeout.connect(self._look)

    def showEvent(self, event: Any) -> None:
        super().showEvent(event)
        self._clock.start()
        self.later()

    def hideEvent(self, event: Any) -> None:
        super().hideEvent(event)
        self._clock.stop()

    def _look(self) -> None:
        if self.context.records.count != self._seen:
            self._seen = self.context.records.count
            self.later()

    def _arrange(self) -> None:
        bar = QHBoxLayout()
        bar.setContentsMargins(4, 2, 4, 2)
        bar.addWidget(self.level)
        bar.addWidget(self.search, 1)
        bar.addWidget(tool_button(self.context, "fa6s.copy", "Copy what is shown", self.copy))
        bar.addWidget(tool_button(self.context, "fa6s.broom", "Clear", self.clear))
        layout = QVBoxLayout(self.body)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(bar)
        layout.addWidget(self.text)

    # --- lines ----------------------------------------------------------------------------------

    def lines(self) -> list[Record]:
        """Return the lines that pass level and search, oldest first."""
        least = list(LEVELS.values())[self.level.currentIndex()]
        wanted = self.search.text().casefold()
        return [
            line
            for line in sorted(self._all(), key=lambda line: line.when)
            if line.level >= least and line.when > self._since and wanted in str(line).casefold()
        ]

    def _all(self) -> list[Record]:
        notices = [Record(n.when, NOTICE_LEVELS[n.level], "notice", n.text) for n in self.context.notices]
        steps = (line for entry in self.session.history.entries for line in _of_entry(entry))
        return [*self.context.records.lines(), *notices, *steps]

    def refresh(self) -> None:
        lines = self.lines()[-MOST:]
        if self._recoloured or lines[: len(self._written)] != self._written:
            self.text.clear()
            self._written, self._recoloured = [], False
        self._waiting = lines[len(self._written) :]
        self._write()

    def _write(self) -> None:
        """Write the lines that wait, so many in a turn of the event loop that the window goes on."""
        part, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
        bar = self.text.verticalScrollBar()
        at_end = bar.value() >= bar.maximum() - 2
        cursor = QTextCursor(self.text.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.beginEditBlock()
        for number, line in enumerate(part, start=len(self._written)):
            cursor.insertText(f"\n{line}" if number else str(line), self._format(line))
        cursor.endEditBlock()
        self._written += part
        if at_end:
            self.text.moveCursor(QTextCursor.MoveOperation.End)
            self.text.horizontalScrollBar().setValue(0)
        if self._waiting:
            self._more.start()

    def _format(self, line: Record) -> QTextCharFormat:
        style = QTextCharFormat()
        level = logging.ERROR if line.level >= logging.ERROR else line.level
        key = 0 if line.source == "command" else level
        colour = COLOURS[key][is_dark(self)] if key in COLOURS else self.palette().color(QPalette.ColorRole.Text)
        style.setForeground(QColor(colour))
        return style

    def restyle(self) -> None:
        self._recoloured = True
        self.later()

    def copy(self) -> None:
        """Copy the lines that are shown."""
        QGuiApplication.clipboard().setText("\n".join(map(str, self.lines())))

    def clear(self) -> None:
        """Show only what comes from now on."""
        self._since = time.time()
        self.later()

    def keyPressEvent(self, event: Any) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.search.clear()
        super().keyPressEvent(event)


def _of_entry(entry: Entry) -> list[Record]:
    return [Record(entry.when, logging.INFO, "command", line) for line in entry.lines or [f"# {entry.label}"]]
