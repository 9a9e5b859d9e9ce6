"""Questions in ADQL, in the Archive panel: the service, its tables, the editor, what was asked before."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontDatabase,
    QKeySequence,
    QShortcut,
    QSyntaxHighlighter,
    QTextCharFormat,
    QTextCursor,
)
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QPlainTextEdit,
    QSplitter,
    QTextEdit,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from jviz.api import (
    OWN_SERVICES,
    CommandError,
    JvizError,
    adql_examples,
    adql_place,
    literal,
    own_services,
    tables_of,
    tap_services,
)
from jviz.plugins.archive_words import WORDS
from jviz.plugins.parts import Links, is_dark, tool_button

__all__ = ["AdqlPage"]

KEPT = 50
"""Questions that are remembered."""

NAME, TABLE = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1
TOKENS = re.compile(r"(--.*)|('[^']*'?)|(\"[^\"]*\"?)|\b(\d[\d.eE]*)\b|\b([A-Za-z_]\w*)\b")
"""A comment, a text, a name in quotes, a number, a word."""

PLACEHOLDER = "SELECT TOP 100 *\nFROM ivoa.ObsCore\nWHERE …\n\nCtrl+Return asks."


class AdqlPage(QWidget):
    """Asks TAP services in ADQL; ``asked`` is emitted when the user wants an answer.

    Parameters
    ----------
    context : Context
    """

    asked = Signal()
    wanted = Signal()
    """The user looks for a service."""

    def __init__(self, context: Any) -> None:
        super().__init__()
        self._context, self._session = context, context.session
        self.service, self.words, self.tables = QComboBox(editable=True), QLineEdit(), QTreeWidget()
        self.editor, self.wait = Editor(), QCheckBox("Long")
        self._links = Links(self)
        self._job: Any = None
        self._listed: tuple[str, str] | None = None
        self._arrange()
        self._forget_tables()
        self._connect()

    def _arrange(self) -> None:
        self._list_services()
        self.service.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.service.setMinimumContentsLength(12)
        self.service.lineEdit().setPlaceholderText("https://… of a TAP service")
        self.words.setPlaceholderText("Tables with these words")
        self.words.setClearButtonEnabled(True)
        self.tables.setHeaderHidden(True)
        self.tables.setUniformRowHeights(True)
        self.wait.setToolTip("Let it run as a job of the service, for questions that take longer than a minute")
        names = (self.service, "Service"), (self.words, "Words in tables"), (self.tables, "Tables and columns"), (
            self.wait, "Ask as a job of the service")  # fmt: skip
        for widget, name in names:
            widget.setAccessibleName(name)
        head, foot = QHBoxLayout(), QHBoxLayout()
        button = partial(tool_button, self._context)
        head.addWidget(self.service, 1)
        head.addWidget(button("fa6s.compass", "Find a service in the registry or among those you keep", self.find))
        head.addWidget(button("fa6s.table-list", "List the tables of this service", self.list_tables))
        foot.addWidget(self.words, 1)
        foot.addWidget(self.wait)
        foot.addWidget(button("fa6s.lightbulb", "Questions to begin with", self.show_examples))
        foot.addWidget(button("fa6s.clock-rotate-left", "Questions that were asked before", self.show_history))
        splitter = QSplitter(Qt.Orientation.Vertical)
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(self.editor)
        splitter.addWidget(self.tables)
        splitter.setSizes([130, 110])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 8, 10, 2)
        layout.setSpacing(4)
        layout.addLayout(head)
        layout.addWidget(splitter, 1)
        layout.addLayout(foot)

    def _list_services(self) -> None:
        """List the services by their titles; what stands in the box stays."""
        text = self.service.currentText()
        self.service.clear()
        for service in tap_services(own_services(self._session)):
            self.service.addItem(service.title, service.name)
        if text:
            self.service.setCurrentText(text)

    def _follow(self, name: str, *_: Any) -> None:
        if name == OWN_SERVICES:
            self._list_services()

    def find(self) -> None:
        """Say that the user looks for a service."""
        self.wanted.emit()

    def choose(self, name: str) -> None:
        """Ask the service of this name from now on."""
        self.service.setCurrentIndex(self.service.findData(name))

    def _connect(self) -> None:
        self._links.signal(self._session.settings.changed, self._follow)
        self.editor.asked.connect(self.asked)
        self.words.returnPressed.connect(self.list_tables)
        self.service.currentTextChanged.connect(self._forget_tables)
        self.tables.itemExpanded.connect(self._open)
        self.tables.itemDoubleClicked.connect(self._insert)

    # --- what is asked --------------------------------------------------------------------------

    def url(self) -> str:
        """Return the name of the service, or its address."""
        text = self.service.currentText().strip()
        known = self.service.findText(text)
        return self.service.itemData(known) if known >= 0 else text

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of archive.tap.

        Raises
        ------
        CommandError
            When nothing is asked.
        """
        adql = self.editor.toPlainText().strip()
        if not adql:
            raise CommandError("The question is empty. Write ADQL, or choose one of the questions to begin with.")
        return {"url": self.url(), "adql": adql} | ({"wait": True} if self.wait.isChecked() else {})

    def python(self) -> str:
        """Return the question as a line of Python."""
        words = [f"{name}={literal(value)}" for name, value in self.arguments().items()]
        return f"session.run('archive.tap', {', '.join(words)})"

    def remember(self) -> None:
        """Keep the present question among those that were asked."""
        entry = [self.url(), self.editor.toPlainText().strip()]
        settings = self._session.settings
        before = [list(one) for one in settings["archive.adql_history"] if list(one) != entry]
        settings["archive.adql_history"] = [entry, *before][:KEPT]
        self.editor.mark(None)

    def show_fault(self, message: str) -> None:
        """Mark the place in the question that a service complains about."""
        self.editor.mark(adql_place(message, self.editor.toPlainText()))

    # --- examples and history -------------------------------------------------------------------

    def show_examples(self) -> None:
        """Show the menu of questions to begin with."""
        self.examples_menu().popup(self.mapToGlobal(self.rect().center()))

    def examples_menu(self) -> QMenu:
        """Return the menu of questions that suit the service."""
        found = adql_examples(self.url(), own_services(self._session))
        return self._menu([(one.title, self.url(), one.adql) for one in found], "")

    def show_history(self) -> None:
        """Show the menu of questions that were asked."""
        self.history_menu().popup(self.mapToGlobal(self.rect().center()))

    def history_menu(self) -> QMenu:
        """Return the menu of the last questions."""
        before = self._session.settings["archive.adql_history"]
        asked = [(" ".join(adql.split())[:70], url, adql) for url, adql in before]
        return self._menu(asked, "Nothing was asked yet")

    def _menu(self, entries: list[tuple[str, str, str]], empty: str) -> QMenu:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setToolTipsVisible(True)
        for title, url, adql in entries:
            action = menu.addAction(title.replace("&", "&&"), partial(self.write, url, adql))
            action.setToolTip(adql)
        if not entries:
            menu.addAction(empty).setEnabled(False)
        return menu

    def write(self, url: str, adql: str) -> None:
        """Write a question into the editor; what was there can be had back by Ctrl+Z."""
        known = self.service.findData(url)
        self.service.setCurrentText(self.service.itemText(known) if known >= 0 else url)
        cursor = QTextCursor(self.editor.document())
        cursor.select(QTextCursor.SelectionType.Document)
        cursor.insertText(adql)
        self.editor.mark(None)
        self.editor.setFocus()

    # --- tables ---------------------------------------------------------------------------------

    def list_tables(self) -> None:
        """List the tables of the service."""
        if self._job is not None:
            self._job.cancel()
        self._listed = self.url(), self.words.text().strip()
        self._say("Asking…")
        self._job = self._read("")

    def _forget_tables(self) -> None:
        self._listed = None
        self._say("The button beside the service lists its tables")

    def _open(self, item: QTreeWidgetItem) -> None:
        """Read the columns of a table that is opened for the first time."""
        if item.data(0, TABLE) and item.childCount() == 1 and item.child(0).data(0, NAME) is None:
            self._read(item.data(0, TABLE))

    def _read(self, table: str) -> Any:
        """Ask for the tables of the service, or for the columns of one."""
        url, words = self._listed or ("", "")

        def work(job: Any) -> None:
            try:
                found = tables_of(self._session, url, table, words, job)
            except JvizError as error:
                found = str(error)
            self._session.dispatcher.call(lambda: self._take((url, words), table, found))

        return self._session.jobs.submit("Tables of a service", work, quiet=True, apart=True)

    def _take(self, listed: tuple[str, str], table: str, found: Any) -> None:
        if self._links.ended or self._listed != listed:
            return
        if table:
            self._take_columns(table, found)
        elif isinstance(found, str):
            self._say(found)
        else:
            self._take_tables(found)

    def _take_tables(self, found: Any) -> None:
        self.tables.clear()
        for name, about in zip(found["table_name"], found["description"], strict=True):
            item = QTreeWidgetItem(self.tables, [str(name)])
            item.setData(0, NAME, _quoted(str(name)))
            item.setData(0, TABLE, str(name))
            item.setToolTip(0, f"{name}\n{about}".strip())
            QTreeWidgetItem(item, ["Reading…"]).setDisabled(True)
        if not len(found):
            self._say("No tables with these words" if self.words.text() else "The service lists no tables")
        elif found.meta["incomplete"]:
            QTreeWidgetItem(self.tables, [found.meta["incomplete"].capitalize()]).setDisabled(True)

    def _take_columns(self, table: str, found: Any) -> None:
        tops = [self.tables.topLevelItem(n) for n in range(self.tables.topLevelItemCount())]
        item = next((one for one in tops if one.data(0, TABLE) == table), None)
        if item is None:
            return
        item.takeChildren()
        if isinstance(found, str):
            QTreeWidgetItem(item, [found]).setDisabled(True)
            return
        for row in found:
            unit = str(row["unit"]) if str(row["unit"]) not in ("", "--", "None") else ""
            child = QTreeWidgetItem(item, [f"{row['column_name']}  {unit}".rstrip()])
            child.setData(0, NAME, _quoted(str(row["column_name"])))
            facts = (row["description"], f"{row['datatype']} {unit}".strip(), row["ucd"])
            child.setToolTip(0, "\n".join(str(fact) for fact in facts if str(fact) not in ("", "--", "None")))

    def _say(self, text: str) -> None:
        self.tables.clear()
        QTreeWidgetItem(self.tables, [text]).setDisabled(True)
        self.tables.topLevelItem(0).setToolTip(0, text)

    def _insert(self, item: QTreeWidgetItem) -> None:
        """Write the name of a table or column where the cursor of the editor is."""
        if item.data(0, NAME):
            self.editor.insertPlainText(item.data(0, NAME))
            self.editor.setFocus()


def _quoted(name: str) -> str:
    """Return a name as it is written in ADQL: in quotes where it is no plain word."""
    plain = all(part.isidentifier() and part.isascii() for part in name.split("."))
    if (plain and name.upper() not in WORDS) or name.startswith('"'):
        return name
    return f'"{name}"'


class Editor(QPlainTextEdit):
    """A few lines of ADQL; Ctrl+Return asks."""

    asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.setPlaceholderText(PLACEHOLDER)
        self.setAccessibleName("Question in ADQL")
        self.setTabChangesFocus(True)
        self._colours = _Colours(self)
        for key in ("Ctrl+Return", "Ctrl+Enter"):
            QShortcut(QKeySequence(key), self, self.asked.emit, context=Qt.ShortcutContext.WidgetShortcut)
        self.textChanged.connect(lambda: self.mark(None))

    def mark(self, place: tuple[int, int] | None) -> None:
        """Underline a place and go to it; None takes the mark away."""
        marks = []
        if place is not None:
            mark = QTextEdit.ExtraSelection()
            mark.cursor = QTextCursor(self.document())
            mark.cursor.setPosition(place[0])
            mark.cursor.setPosition(place[1], QTextCursor.MoveMode.KeepAnchor)
            mark.format.setUnderlineStyle(QTextCharFormat.UnderlineStyle.WaveUnderline)
            mark.format.setUnderlineColor(QColor("#f85149"))
            fill = QColor("#f85149")
            fill.setAlpha(60)
            mark.format.setBackground(fill)
            marks.append(mark)
            there = self.textCursor()
            there.setPosition(place[0])
            self.setTextCursor(there)
        self.setExtraSelections(marks)


class _Colours(QSyntaxHighlighter):
    """Colours words of the language, texts, numbers and comments."""

    def __init__(self, editor: QPlainTextEdit) -> None:
        super().__init__(editor.document())
        self._editor = editor

    def highlightBlock(self, text: str) -> None:
        dark = is_dark(self._editor)
        colours = {"word": "#79c0ff" if dark else "#0550ae", "text": "#a5d6ff" if dark else "#0a3069",
                   "number": "#d2a8ff" if dark else "#8250df", "comment": "#8b949e" if dark else "#6e7781"}  # fmt: skip
        for found in TOKENS.finditer(text):
            comment, quoted, _, number, word = found.groups()
            kind = "comment" if comment else "text" if quoted else "number" if number else ""
            kind = "word" if word and word.upper() in WORDS else kind
            if kind:
                self.setFormat(found.start(), found.end() - found.start(), QColor(colours[kind]))
