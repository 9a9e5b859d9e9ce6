"""Searches of the Archive panel that are kept under a name: run again, they tell what is new."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QInputDialog, QMenu, QWidget

from jviz.api import Job, JvizError, newly_found, saved_searches
from jviz.plugins.archive_rows import FoundRows
from jviz.plugins.parts import Links

__all__ = ["SavedSearches"]


class SavedSearches(QObject):
    """Keeps searches, and what was seen of them: the rows of their last run, or those shown when they were kept.

    Attributes
    ----------
    wanted : Signal
        With the arguments of archive.search.
    refused : Signal
        With a sentence.
    marked : Signal
        With the table whose new rows are marked, and how many they are.
    """

    wanted = Signal(object)
    refused = Signal(str)
    marked = Signal(object, int)

    def __init__(self, panel: QWidget, context: Any, links: Links, rows: FoundRows,
                 asked: Callable[[], dict[str, Any]]) -> None:  # fmt: skip
        super().__init__(panel)
        self._panel, self._context, self._links, self._rows, self._asked = panel, context, links, rows, asked
        self._shown: dict[str, Any] = {}
        self._run: Any = None
        self._kept = ""

    def menu(self) -> QMenu:
        """Return the menu that keeps searches and runs them again."""
        menu = QMenu(self._panel)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Save This Search…", self.ask_name)
        saved = saved_searches(self._context.session.archives.library)
        forget = menu.addMenu("Forget")
        forget.setEnabled(bool(saved))
        menu.addSeparator()
        for search in saved:
            menu.addAction(search.name, partial(self.run, search))
            forget.addAction(search.name, partial(self._context.run, "archive.forget", name=search.name))
        return menu

    def show_menu(self) -> None:
        """Show the menu under the mouse."""
        self.menu().popup(QCursor.pos())

    def ask_name(self) -> None:
        """Ask for a name, and keep what the form says under it."""
        name, given = QInputDialog.getText(self._panel, "Save Search", "Name")
        if given and name.strip():
            self.keep(name.strip())

    def keep(self, name: str) -> None:
        """Keep what the form says; rows that answer it and are shown have been seen."""
        try:
            arguments = self._asked()
        except JvizError as error:
            self.refused.emit(str(error))
            return
        self._context.run("archive.save", name=name, **arguments)
        if _text_of(arguments) == _text_of(self._shown):
            self._kept = name
            if self._rows.table is not None and len(self._rows.table):
                self._compare(self._rows.table, name, frozenset())

    def run(self, search: Any) -> None:
        """Run a saved search; the rows that are new since it was run last are marked."""
        self.wanted.emit({**search.question, "fresh": search.question.get("collection") != "library"})
        self._run = search

    def begin(self, arguments: dict[str, Any]) -> None:
        """Take note of what is asked: the rows to come answer it."""
        self._shown, self._run, self._kept = arguments, None, ""

    def found(self, table: Any) -> bool:
        """Look for what is new in an answer; False when it is of no saved search, or of one that was kept meanwhile."""
        if self._run is not None:
            self._compare(table, self._run.name, self._run.seen, self._mark)
        elif self._kept:
            self._compare(table, self._kept, frozenset())
        return self._run is not None

    def _compare(self, table: Any, name: str, seen: frozenset[str], take: Callable[..., None] | None = None) -> None:
        work = partial(self._look_for_new, table, name, seen, take)
        self._context.session.jobs.submit("What is new", work, quiet=True)

    def _look_for_new(self, table: Any, name: str, seen: frozenset[str], take: Any, _: Job) -> None:
        session = self._context.session
        new = newly_found(session.archives.library, name, seen, table)
        if take is not None:
            session.dispatcher.call(partial(take, table, new))

    def _mark(self, table: Any, new: np.ndarray) -> None:
        """Mark the rows that a saved search had not found before."""
        if not self._links.ended and table is self._rows.table:
            self._rows.mark(new)
            self.marked.emit(table, int(new.sum()))


def _text_of(arguments: dict[str, Any]) -> str:
    """Return a search as a text that is the same for the same search, also for one that was kept."""
    if not arguments:
        return ""
    asked = {"radius": "3 arcmin"} | {name: value for name, value in arguments.items() if name != "fresh"}
    return json.dumps(asked, sort_keys=True, default=str)
