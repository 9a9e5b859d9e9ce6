"""What was found, in the Archive panel: the sentence about it, facets, the table and the map, linked both ways."""

from __future__ import annotations

import time
from calendar import timegm
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QBoxLayout,
    QDialog,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPlainTextEdit,
    QPushButton,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from jviz.api import TableView, counted, facets_of, found_rows, in_turn, observations_here
from jviz.plugins.archive_facets import FacetTree
from jviz.plugins.archive_map import SkyMap
from jviz.plugins.archive_previews import Previews
from jviz.plugins.parts import Links, Newest, muted

__all__ = ["FoundRows", "Told", "age_text", "column"]

AT_ONCE = 5_000
"""Rows up to which all is shown in one turn of the event loop; of more, table, widths, map and facets take one each."""

LINES = 2
"""Lines of a sentence up to which buttons stand beside it."""

LEAST = 200
"""Pixels that a sentence gets at least."""


class Told(QWidget):
    """A sentence about a search, with what can be done about it: log in, ask again, or see the details.

    The buttons stand beside the sentence, or below it where it would become a narrow column of words.
    """

    again = Signal()
    log_in = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.label = muted(QLabel(textFormat=Qt.TextFormat.PlainText))
        self.label.setWordWrap(True)
        self.label.setMinimumWidth(LEAST)
        self.log_in_button, self.again_button = QPushButton("Log in…"), QPushButton("Retry")
        self.details_button = QPushButton("Details…")
        self._details = ""
        self._buttons = QHBoxLayout()
        for button in (self.log_in_button, self.again_button, self.details_button):
            self._buttons.addWidget(button)
        self._buttons.addStretch(1)
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.addWidget(self.label, 1)
        self._row.addLayout(self._buttons)
        self.log_in_button.clicked.connect(self.log_in)
        self.again_button.clicked.connect(self.again)
        self.details_button.clicked.connect(self.show_details)
        self.say("")

    def say(self, text: str, *, again: str = "", details: str = "", log_in: bool = False) -> None:
        """Say something; ``again`` is the word on the button that asks once more, "" for none."""
        self.label.setText(text)
        self._details = details
        self.log_in_button.setVisible(log_in)
        self.again_button.setVisible(bool(again))
        self.again_button.setText(again or "Retry")
        self.details_button.setVisible(bool(details))
        self._place_buttons()

    def resizeEvent(self, event: Any) -> None:
        super().resizeEvent(event)
        self._place_buttons()

    def _place_buttons(self) -> None:
        room = self.width() - self._buttons.sizeHint().width() - self._row.spacing()
        needed = self.label.fontMetrics().horizontalAdvance(self.label.text())
        beside = QBoxLayout.Direction.LeftToRight
        self._row.setDirection(beside if needed <= LINES * room else QBoxLayout.Direction.TopToBottom)

    def show_details(self) -> None:
        """Show the whole report of what went wrong."""
        dialog = QDialog(self, windowTitle="Details")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        text = QPlainTextEdit(self._details, readOnly=True)
        text.setAccessibleName("Report")
        QVBoxLayout(dialog).addWidget(text)
        dialog.resize(680, 360)
        dialog.open()


class FoundRows(QWidget):
    """Facets and the table of what was found; `map` and `previews` are to be put beside them.

    Attributes
    ----------
    table : Table or None
        All rows.
    """

    def __init__(self, context: Any) -> None:
        super().__init__()
        self._session = session = context.session
        self.view, self.facets, self.map = TableView("Observations found"), FacetTree(), SkyMap()
        self.table: Any = None
        self.previews = Previews(context)
        self._hidden: set[str] = set(session.settings["archive.hidden_columns"])
        self._links, self._on_images = Links(self), found_rows(session)
        self._passing: Any = None
        self._work = Newest(self._links, session, "Facets", self._begin_facets)
        self._here = Newest(self._links, session, "Files on this machine", self._begin_to_look, apart=True)
        self._here_icon = context.icon("fa6s.circle-check", "#3fb950")
        self._links.signal(session.archives.library_changed, self._look_again)
        self._to_fit = False
        self._resting = QTimer(self, singleShot=True, interval=0)
        self._resting.timeout.connect(self._show_chosen)
        splitter = QSplitter()
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(self.facets)
        splitter.addWidget(self.view)
        splitter.setStretchFactor(1, 1)
        splitter.setSizes([150, 450])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(splitter)
        self._connect()

    def _connect(self) -> None:
        self.facets.chosen.connect(self._narrow)
        self.map.picked.connect(self._pick)
        self.map.hovered.connect(self._on_images.point_at)
        self.previews.pointed.connect(self._point_at)
        self._links.signal(self._on_images.picked, self._pick)
        self.view.setMouseTracking(True)
        self.view.entered.connect(lambda index: self._point_at(int(self.view.table_model.order[index.row()])))
        self.view.selectionModel().selectionChanged.connect(lambda *_: self._resting.start())
        header = self.view.horizontalHeader()
        header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header.customContextMenuRequested.connect(
            lambda place: self.columns_menu().popup(header.viewport().mapToGlobal(place))
        )

    # --- rows -----------------------------------------------------------------------------------

    def grow(self, grown: Any) -> None:
        """Show the rows that are there so far; where the user is in the table stays."""
        first = self.table is None
        self.table = grown.table
        self.view.table_model.grow(self.table, grown.columns, len(self.table))
        if first:
            self._fit()
            self._fit_widths()
        self._show_on_map(fit=first)

    def show_table(self, table: Any) -> None:
        """Show an answer; None empties all."""
        known = [column.name for column in self.view.table_model.columns]
        self.table = table
        self.view.show_table(self.table, fit=False)
        self._fit()
        if table is None or not self._many or table.colnames != known:
            self._fit_widths()
        self._passing = None
        self.facets.show_facets([], 0)
        self._show_on_map(fit=True)
        self._after(self._ask_of_all)

    @property
    def _many(self) -> bool:
        return self.table is not None and len(self.table) > AT_ONCE

    def _after(self, call: Callable[[], Any]) -> None:
        """Do something now; when there are many rows, in a turn of the event loop of its own."""
        if self._many:
            in_turn(call)
        else:
            call()

    def _fit_widths(self) -> None:
        self._after(self.view.fit_columns)

    def _ask_of_all(self) -> None:
        self._work.ask()
        self._here.ask()

    def _look_again(self) -> None:
        """Look once more which observations have files here; called in any thread."""
        self._session.dispatcher.call(self._here.ask)

    def _begin_to_look(self) -> Any:
        table = self.table
        if table is None or "obs_id" not in table.colnames or "path" in table.colnames:
            return None
        return (lambda job: (table, _have_files(self._session, table))), self._take_here

    def _take_here(self, table: Any, here: np.ndarray) -> None:
        if table is self.table:
            self.view.table_model.badge(here, self._here_icon, "Files of this observation are on this machine")

    def _show_on_map(self, *, fit: bool) -> None:
        """Show all rows on the map and on the images."""
        self._to_fit = fit or self._to_fit
        self._after(self._take_map_turn)
        self._after(self.draw_on_images)

    def _take_map_turn(self) -> None:
        self.map.show_rows(self.table, self.facets.rows(), fit=self._to_fit)
        self._to_fit = False

    def chosen(self) -> Any:
        """Return the selected rows, all that are shown when none is; None without a table."""
        if self.table is None:
            return None
        rows = self.chosen_rows()
        return self.table if len(rows) == len(self.table) else self.table[rows]

    def chosen_rows(self) -> np.ndarray:
        """Return which rows are selected, all that are shown when none is."""
        return np.array(self.view.selected_rows() or self.view.table_model.order, np.intp)

    def _begin_facets(self) -> Any:
        table = self.table
        if table is None or not len(table):
            return None
        return lambda job: (table, facets_of(table)), self._take_facets

    def _take_facets(self, table: Any, facets: Any) -> None:
        if table is self.table:
            self.facets.show_facets(facets, len(table))

    def _narrow(self) -> None:
        rows = self.facets.rows()
        self.view.table_model.keep(rows)
        self.map.show_rows(self.table, rows)
        self._passing = rows
        self.draw_on_images()

    def _pick(self, row: int, add: bool) -> None:
        before = self.view.selected_rows() if add else []
        wanted = [r for r in before if r != row] if row in before else [*before, row]
        self.view.select_rows([r for r in wanted if r >= 0])

    def _show_chosen(self) -> None:
        self.map.select(self.view.selected_rows())
        self.previews.show_rows(self.table, self.view.selected_rows())
        self._on_images.choose(self.view.selected_rows())

    def _point_at(self, row: int) -> None:
        self.map.point_at(row)
        self._on_images.point_at(row)

    # --- on the images --------------------------------------------------------------------------

    def draw_on_images(self) -> None:
        """Draw the outlines of the rows over the images while they are seen here, and the user wants it."""
        wanted = self.isVisible() and self._session.settings["archive.footprints_on_images"]
        self._on_images.show(self.table if wanted else None, self._passing)

    def showEvent(self, event: Any) -> None:
        super().showEvent(event)
        self.draw_on_images()

    def hideEvent(self, event: Any) -> None:
        super().hideEvent(event)
        self.draw_on_images()

    # --- columns --------------------------------------------------------------------------------

    def _fit(self) -> None:
        for number, column in enumerate(self.view.table_model.columns):
            self.view.setColumnHidden(number, column.name in self._hidden)

    def columns_menu(self) -> QMenu:
        """Return the menu that shows and hides columns; the choice is kept."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Show All Columns", partial(self._hide, None))
        menu.addSeparator()
        for column in self.view.table_model.columns:
            action = menu.addAction(column.name, partial(self._hide, column.name))
            action.setCheckable(True)
            action.setChecked(column.name not in self._hidden)
        return menu

    def _hide(self, name: str | None) -> None:
        self._hidden = set() if name is None else self._hidden ^ {name}
        self._session.settings["archive.hidden_columns"] = sorted(self._hidden)
        self._fit()

    def mark(self, rows: np.ndarray) -> None:
        """Colour rows that are new."""
        from PySide6.QtGui import QColor

        self.view.table_model.mark([(rows, QColor("#3fb950"))])


def _have_files(session: Any, table: Any) -> np.ndarray:
    # One by one, the cells of a column with gaps would keep Python to themselves for half a second.
    ids = np.ma.filled(np.ma.asarray(table["obs_id"]).astype(str), "").tolist()
    return observations_here(session.archives.library, ids) > 0


def age_text(when: str) -> str:
    """Say how long ago "2026-01-31T12:00:00Z" was."""
    seconds = max(0, time.time() - timegm(time.strptime(when, "%Y-%m-%dT%H:%M:%SZ")))
    for length, word in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= length:
            return f"{counted(int(seconds // length), word)} ago"
    return "just now"


def column(*parts: Any) -> QWidget:
    """Put widgets and layouts below one another."""
    widget = QWidget()
    layout = QVBoxLayout(widget)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(0)
    for part in parts:
        layout.addWidget(part) if isinstance(part, QWidget) else layout.addLayout(part)
    return widget
