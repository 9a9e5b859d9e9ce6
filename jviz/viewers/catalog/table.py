"""The viewer of tables: the rows of a catalogue, sorted and filtered, with what is selected anywhere."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import QEvent, QPoint, Qt, QTimer
from PySide6.QtGui import QColor, QFont, QKeySequence, QPainter, QPalette, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QMenu, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from jviz.catalog_views import TableView as TableState
from jviz.catalogs import isophote_shapes, passing, row_places, selection_name, selections_of
from jviz.errors import JvizError
from jviz.session import Session
from jviz.viewers.base import Viewer, viewer
from jviz.viewers.catalog.plots import MODES
from jviz.viewers.drops import DropZones
from jviz.viewers.look import Look, blended
from jviz.viewers.menu import command_menu
from jviz.viewers.tables.model import TableModel
from jviz.viewers.tables.view import TableView

__all__ = ["TableViewer"]

MANY = 100_000
"""Rows above which they are sorted off the main thread."""

SETTLE = 80
"""Milliseconds after which a row that was clicked on is selected everywhere."""


@viewer(kind="table", title="Table", view=TableState)
class TableViewer(Viewer):
    """Shows a catalogue. A click on a header sorts, selected rows are selected in all viewers."""

    takes_long = True

    def __init__(self, session: Session, state: TableState, parent: QWidget | None = None) -> None:
        self._shown: tuple[Any, ...] = ()
        self._marked: tuple[Any, ...] = ()
        self._told: tuple[Any, ...] = ()
        self._gone_to: Any = None
        super().__init__(session, state, parent)
        self.run_command = self._run_command
        self.drops = DropZones(self)
        self.setAcceptDrops(True)
        self._make_widgets()
        self._select = QTimer(self, singleShot=True, interval=SETTLE)
        self._select.timeout.connect(self._selected)
        self.rows.selectionModel().selectionChanged.connect(lambda *_: self._select.start())
        session.subsets_changed.connect(self.stir)
        session.data_changed.connect(self.stir)

    def _make_widgets(self) -> None:
        self.rows = TableView("Rows of the catalogue")
        self.rows.setSortingEnabled(False)
        self.rows.viewport().installEventFilter(self)
        header = self.rows.horizontalHeader()
        header.setSectionsClickable(True)
        header.setSortIndicatorShown(True)
        header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header.sectionClicked.connect(self._sort)
        header.customContextMenuRequested.connect(self._header_menu)
        self.rows.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.rows.customContextMenuRequested.connect(self._rows_menu)
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("Rows where…   (mag < 24) & (class == 'star')")
        self.filter.setAccessibleName("Condition on rows")
        self.filter.setToolTip("Only rows for which this holds are shown, here and on images")
        self.filter.setClearButtonEnabled(True)
        self.filter.editingFinished.connect(self._filter)
        self.count = QLabel()
        self.count.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        self.marks = QToolButton(autoRaise=True, checkable=True, text="On images")
        self.marks.setToolTip("Mark the rows on images at their positions")
        self.marks.setAccessibleName("Mark rows on images")
        self.marks.clicked.connect(lambda on: self.state.layer and self.state.layer.update(on_images=on))
        top = QHBoxLayout()
        top.setContentsMargins(8, 4, 10, 4)
        top.setSpacing(10)
        for widget, stretch in ((self.filter, 1), (self.marks, 0), (self.count, 0)):
            top.addWidget(widget, stretch)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addLayout(top)
        whole.addWidget(self.rows, 1)
        QShortcut(QKeySequence.StandardKey.Find, self, self.filter.setFocus,
                  context=Qt.ShortcutContext.WidgetWithChildrenShortcut)  # fmt: skip
        self.setFocusProxy(self.rows)

    def release(self) -> None:
        """Stop listening."""
        self._select.stop()
        self.session.subsets_changed.disconnect(self.stir)
        self.session.data_changed.disconnect(self.stir)
        super().release()

    # --- picture --------------------------------------------------------------------------------

    @property
    def model(self) -> TableModel:
        """The rows as they are shown."""
        return self.rows.table_model

    def refresh(self) -> None:
        """Bring rows, order and marks up to date."""
        state, data = self.state, self.state.data
        if data is None or not data.is_read:
            self._show_nothing(data)
            return
        wanted = (data, state.sort_by, state.descending, state.filter)
        if wanted[0] is not (self._shown or (None,))[0]:
            self.model.show_columns(list(data.columns.values()), len(data))
            self.rows.fit_columns()
        if wanted != self._shown:
            self._shown = wanted
            self._order(*wanted)
        for number, column in enumerate(self.model.columns):
            self.rows.setColumnHidden(number, column.name in state.hidden)
        self._mark(data)
        self._tell_images()
        self.marks.setChecked(state.layer.on_images)
        self.marks.setEnabled(data.places is not None or isophote_shapes(data) is not None)
        if not self.filter.hasFocus():
            self.filter.setText(state.filter)
        self.has_painted = True

    def _show_nothing(self, data: Any) -> None:
        self._shown = ()
        self.model.show_columns([], 0)
        if data is not None:
            # Read in a job: a catalogue can hold millions of rows.
            self.session.jobs.submit(f"Reading {data.name}", lambda job: (data.prepare(), self.stir()), quiet=True)
        self.count.setText("Reading…" if data is not None else "No catalogue")

    def _order(self, data: Any, sort_by: str, descending: bool, condition: str) -> None:
        header = self.rows.horizontalHeader()
        names = [column.name for column in self.model.columns]
        direction = Qt.SortOrder.DescendingOrder if descending else Qt.SortOrder.AscendingOrder
        header.setSortIndicator(names.index(sort_by) if sort_by in names else -1, direction)

        def work() -> np.ndarray:
            order = data.columns[sort_by].order(descending=descending) if sort_by in names else np.arange(len(data))
            rows = passing(data, condition)
            return order if rows is None else order[rows[order]]

        def done(order: np.ndarray) -> None:
            if self._shown == (data, sort_by, descending, condition):
                self.model.set_order(order)
                self._marked = ()
                self._mark(data)

        if len(data) > MANY:
            self.session.jobs.submit(f"Sorting {data.name}", lambda job: self._later_done(work, done), quiet=True)
            return
        try:
            done(work())
        except JvizError as error:
            self._wrong(error)

    def _later_done(self, work: Any, done: Any) -> None:
        try:
            order = work()
        except JvizError as error:
            self.session.dispatcher.call(lambda error=error: self._wrong(error))
            return
        self.session.dispatcher.call(lambda: done(order))

    def _wrong(self, error: JvizError) -> None:
        """Show all rows where a filter of the state cannot be used (a column of its was renamed)."""
        self.session.notice("error", str(error))
        self.model.set_order(np.arange(len(self.state.data)))

    def _mark(self, data: Any) -> None:
        """Colour the rows of subsets, and say how many there are."""
        subsets = selections_of(self.session, data)
        shown = len(self.model.order)
        if tuple(subsets) != self._marked:
            self._marked = tuple(subsets)
            self.model.mark([(subset.region, QColor(subset.color)) for subset in subsets])
        plain = next((s for s in subsets if s.name == selection_name(data)), None)
        self._go_to_sole(plain)
        texts = [f"{shown:,} of {len(data):,} rows" if shown != len(data) else f"{shown:,} rows"]
        if plain is not None:
            texts.append(f"{int(plain.region.sum()):,} selected")
        self.count.setText("   ".join(texts))

    def _go_to_sole(self, plain: Any) -> None:
        """Bring a row into sight that was selected alone: on an image, in a plot, or by another program."""
        rows = np.flatnonzero(plain.region) if plain is not None and plain is not self._gone_to else ()
        self._gone_to = plain
        shown = np.flatnonzero(self.model.order == rows[0]) if len(rows) == 1 else ()
        if len(shown):
            # Only up and down: the column at the left stays.
            column = max(self.rows.horizontalHeader().logicalIndexAt(0), 0)
            self.rows.scrollTo(self.model.index(int(shown[0]), column))

    def _tell_images(self) -> None:
        """Have the marks on images drawn anew when how they look has changed."""
        looks = (self.state.filter, *self.state.layer.recorded().values())
        if looks != self._told:
            self._told = looks
            row_places(self.session).arrived.emit()

    def draw(self, painter: QPainter) -> None:
        """Draw the table as it is on the screen."""
        self.render(painter, QPoint())

    def wear(self, look: Look) -> None:
        """Take colours and font for a file."""
        super().wear(look)
        palette = QPalette(QColor(look.canvas))
        palette.setColor(QPalette.ColorRole.Base, QColor(look.canvas))
        palette.setColor(QPalette.ColorRole.Text, QColor(look.text))
        palette.setColor(QPalette.ColorRole.AlternateBase, blended(QColor(look.canvas), QColor(look.text), 0.06))
        self.setPalette(palette)
        font = QFont(self.font())
        font.setPixelSize(max(1, round(look.pixels)))
        self.setFont(font)

    # --- what the user does ---------------------------------------------------------------------

    def _filter(self) -> None:
        text, data = self.filter.text().strip(), self.state.data
        if data is None or text == self.state.filter:
            return
        try:
            passing(data, text)
        except JvizError as error:
            self.session.notice("error", str(error))
            return
        self._one_step(filter=text)

    def _sort(self, section: int) -> None:
        """Sort by a column: up, down, and as the catalogue is."""
        name = self.model.columns[section].name
        if self.state.sort_by != name:
            self._one_step(sort_by=name, descending=False)
        elif not self.state.descending:
            self._one_step(descending=True)
        else:
            self._one_step(sort_by="", descending=False)

    def _one_step(self, **values: Any) -> None:
        self.session.flush()
        self.session.history.seal()
        self.state.update(**values)
        self.session.flush()
        self.session.history.seal()

    def _selected(self) -> None:
        """Select in all viewers the rows that were chosen here."""
        data, chosen = self.state.data, self.rows.selected_rows()
        if data is None or not chosen:
            return
        held = self._held & (Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.AltModifier)
        mode = MODES[held] if held != Qt.KeyboardModifier.ShiftModifier else "new"
        try:
            self.session.run("catalog.select", data=data, rows=np.array(chosen, np.intp), mode=mode)
        except JvizError as error:
            self.session.notice("error", str(error))

    _held = Qt.KeyboardModifier.NoModifier

    def eventFilter(self, watched: Any, event: QEvent) -> bool:
        """Note the keys that are held when rows are clicked on, and who is worked with."""
        if event.type() == QEvent.Type.MouseButtonPress:
            self._held = event.modifiers()
            self.activated.emit()
        return False

    # --- menus ----------------------------------------------------------------------------------

    def _header_menu(self, place: QPoint) -> None:
        section = self.rows.horizontalHeader().logicalIndexAt(place)
        if section < 0:
            return
        name, hidden = self.model.columns[section].name, self.state.hidden
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(f"Hide {name}", lambda: self._one_step(hidden=(*hidden, name)))
        if hidden:
            menu.addAction("Show All Columns", lambda: self._one_step(hidden=()))
        menu.addAction(f"Edit {name}…", lambda: self.run_command("catalog.edit_column", column=name))
        menu.addAction("New Column…", lambda: self.run_command("catalog.add_column"))
        menu.addSeparator()
        quoted = name if name.isidentifier() else f"`{name}`"
        menu.addAction(f"Histogram of {name}", lambda: self._run_command("catalog.histogram", x=quoted))
        menu.addAction(f"Scatter Plot with {name}", lambda: self._run_command("catalog.scatter", y=quoted))
        layer = self.state.layer
        menu.addAction("Colour the Marks on Images by It", lambda: layer.update(color_by=quoted))
        if layer.color_by:
            menu.addAction("Marks of One Colour", lambda: layer.update(color_by=""))
        menu.popup(self.rows.horizontalHeader().mapToGlobal(place))

    def _rows_menu(self, place: QPoint) -> None:
        menu = command_menu(self, ("table", *self.state.accepts), lambda id: self.run_command(id))
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.rows.viewport().mapToGlobal(place))

    def _run_command(self, id: str, **arguments: Any) -> None:
        try:
            self.session.run(id, data=self.state.data, **arguments)
        except JvizError as error:
            self.session.notice("error", str(error))
