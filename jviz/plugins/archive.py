"""The panel in which archives and the library are searched, and files fetched and opened."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from PySide6.QtCore import QModelIndex, Qt, QTimer
from PySide6.QtGui import QCursor, QGuiApplication
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSplitter,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from jviz.api import (
    OWN_SERVICES,
    Job,
    JvizError,
    count_found,
    counted,
    own_services,
    texts_of,
)
from jviz.plugins.archive_adql import AdqlPage
from jviz.plugins.archive_columns import ColumnForm
from jviz.plugins.archive_products import ProductsPane
from jviz.plugins.archive_question import Question, field_of
from jviz.plugins.archive_registry import ServiceFinder
from jviz.plugins.archive_rows import FoundRows, Told, age_text, column
from jviz.plugins.archive_saved import SavedSearches
from jviz.plugins.parts import Panel, ProgressBar, muted, scrolled, tool_button

__all__ = ["ArchivePanel"]


ROOM = 380
"""Pixels that a question in ADQL gets at least."""

MOST_REGIONS = 2_000
"""Rows that regions are made of at once."""


class ArchivePanel(Panel):
    """Search MAST, archives of the Virtual Observatory, or the files on this machine.

    Fill in what you know and press Return. Choose observations and list their products: what is selected of them,
    or all that is listed, is downloaded or put into the basket for later. A double click on an observation lists its
    products, on a file fetches and opens it. Which products are listed is remembered. Facets narrow down what was
    found; the map shows where it is, and Shift and drag on it draws the circle of the next search. The footprints
    of selected rows can be drawn on the images. The tab ADQL asks services of the Virtual Observatory directly:
    choose one, open its tables, write, and press Ctrl+Return.
    """

    def __init__(self, context: Any) -> None:
        super().__init__(context)
        self.question, self.adql, self.ways = Question(), AdqlPage(context), QTabWidget()
        self.ways.setAccessibleName("Ways to ask")
        self.search_button, self.cancel_button = QPushButton("Search"), QPushButton("Cancel")
        self.rows = FoundRows(context)
        self.files = ProductsPane(context, self.links, self._submit)
        self.found, self.told = self.rows.view, Told()
        self.about = self.told.label
        self.told.say("Fill in what you know and press Return.")
        self.counted = muted(QLabel(textFormat=Qt.TextFormat.PlainText))
        self.counted.setWordWrap(True)
        self.counted.setContentsMargins(10, 0, 10, 2)
        self.bar = ProgressBar("Progress of the search")
        self._jobs: dict[int, tuple[Job, Callable[[Any], None], QLabel]] = {}
        self._fetching: set[int] = set()
        self._asked: tuple[Any, ...] | None = None
        self.saved = SavedSearches(self, context, self.links, self.rows, self.question.arguments)
        self._count_job: Job | None = None
        self._pause_count = QTimer(self, singleShot=True, interval=700)
        self._arrange()
        self._connect()
        self._settle()

    # --- parts ----------------------------------------------------------------------------------

    def _arrange(self) -> None:
        splitter = self._columns = QSplitter()
        splitter.setChildrenCollapsible(False)
        for widget in (self._left(), self._middle(), self._right()):
            splitter.addWidget(widget)
        splitter.setStretchFactor(1, 3)
        splitter.setStretchFactor(2, 2)
        splitter.setSizes([250, 590, 400])
        outer = QVBoxLayout(self.body)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(splitter)

    def _left(self) -> QWidget:
        button = partial(tool_button, self.context)
        self.question.archive.addWidget(
            button("fa6s.compass", "Find an archive in the registry, or among those you keep", self.find_service)
        )
        self.question.others.addWidget(
            button("fa6s.list-check", "Conditions on any column of the archive", self.choose_conditions)
        )
        self.question.list_collections(own_services(self.session))
        self.question.place.addWidget(
            button("fa6s.expand", "Search the field of the image in the active view", self.take_field)
        )
        scroll = scrolled(self.question, sideways=False)
        bar = scroll.verticalScrollBar().sizeHint().width()
        scroll.setMinimumWidth(self.question.minimumSizeHint().width() + bar)
        row = QHBoxLayout()
        row.setContentsMargins(10, 4, 10, 8)
        row.setSpacing(6)
        row.addWidget(self.search_button)
        row.addWidget(self.cancel_button)
        row.addStretch(1)
        row.addWidget(button("fa6s.code", "Copy this search as Python", self.copy_python))
        self.saved_button = button("fa6s.bookmark", "Saved searches", self.saved.show_menu)
        row.insertWidget(3, self.saved_button)
        self.ways.addTab(column(scroll, self.counted), "Form")
        self.ways.addTab(self.adql, "ADQL")
        self.ways.setDocumentMode(True)
        self.ways.currentChanged.connect(self._make_room)
        return column(self.ways, self.bar, row)

    def _make_room(self, way: int) -> None:
        """Give a question in ADQL room to be written."""
        sizes = self._columns.sizes()
        wider = ROOM - sizes[0] if way == 1 else 0
        if wider > 0:
            self._columns.setSizes([ROOM, max(sizes[1] - wider, 0), sizes[2]])
        self.saved_button.setVisible(way == 0)

    def _middle(self) -> QWidget:
        button = partial(tool_button, self.context)
        row = QHBoxLayout()
        row.setContentsMargins(8, 2, 4, 2)
        row.addWidget(self.told, 1)
        self.on_images = button("fa6s.eye", "Show the footprints of the rows over the images", self.show_on_images)
        self.on_images.setCheckable(True)
        self.on_images.setChecked(self.session.settings["archive.footprints_on_images"])
        for each in (
            button("fa6s.table-columns", "Choose the columns that are shown", self.choose_columns), self.on_images,
            button("fa6s.draw-polygon", "Make regions of the selected footprints", self.draw_footprints),
            button("fa6s.layer-group", "Add the table to the session as a catalogue", self.add_as_data),
        ):  # fmt: skip
            row.addWidget(each, alignment=Qt.AlignmentFlag.AlignTop)
        middle = column(row, self.rows)
        middle.layout().setStretch(1, 1)
        return middle

    def _right(self) -> QWidget:
        splitter = QSplitter(Qt.Orientation.Vertical)
        splitter.setChildrenCollapsible(False)
        looks = QTabWidget(documentMode=True)
        looks.setAccessibleName("Map and previews")
        looks.addTab(self.rows.map, "Map")
        looks.addTab(self.rows.previews, "Previews")
        splitter.addWidget(looks)
        splitter.addWidget(self.files)
        splitter.setStretchFactor(0, 1)
        splitter.setStretchFactor(1, 2)
        splitter.setSizes([130, 260])
        return splitter

    def _connect(self) -> None:
        self.question.asked.connect(self.search)
        self.adql.asked.connect(self.search)
        self.adql.wanted.connect(self.find_service)
        self.links.signal(self.session.settings.changed, self._follow_settings)
        self.question.changed.connect(self._pause_count.start)
        self._pause_count.timeout.connect(self._count)
        self.told.again.connect(self.ask_again)
        self.saved.wanted.connect(self._search)
        self.saved.refused.connect(self.told.say)
        self.saved.marked.connect(lambda table, new: self._say_found(table, f", {new:,} new"))
        self.told.log_in.connect(self.log_in)
        self.rows.map.circled.connect(self._take_circle)
        for edit in (self.question.target, self.question.radius):
            edit.textChanged.connect(lambda: self.rows.map.show_circle(None))
        self.links.signal(self.session.archives.arrived, self._grow)
        self.search_button.clicked.connect(self.search)
        self.cancel_button.clicked.connect(self.cancel)
        self.files.list_button.clicked.connect(self.list_products)
        self.found.doubleClicked.connect(self._go_to)
        self.links.signal(self.session.jobs.changed, self._follow)

    # --- searching ------------------------------------------------------------------------------

    def search(self) -> None:
        """Ask what the form says."""
        is_adql = self.ways.currentWidget() is self.adql
        try:
            arguments = self.adql.arguments() if is_adql else self.question.arguments()
        except JvizError as error:
            self.told.say(str(error))
            return
        if is_adql:
            self.adql.remember()
        self._search(arguments, "archive.tap" if is_adql else "archive.search")

    def _search(self, arguments: dict[str, Any], id: str = "archive.search") -> None:
        self.cancel()
        self.rows.show_table(None)
        self.saved.begin(arguments if id == "archive.search" else {})
        self._submit(id, arguments, self._show_found, self.about)

    def ask_again(self) -> None:
        """Ask what was asked last once more, and not of memory."""
        if self._asked is not None:
            id, arguments, take, label = self._asked
            if id == "archive.search" and arguments.get("collection") != "library":
                arguments = {**arguments, "fresh": True}
            self._submit(id, arguments, take, label)

    def log_in(self) -> None:
        """Open the form of the log-in to the archive that was asked last."""
        asked = self._asked[1] if self._asked is not None else {}
        where = str(asked.get("url") or asked.get("collection") or "mast")
        if where.partition("-")[0] == "mast":
            self.context.fill_in("archive.login")
        else:
            self.context.fill_in("archive.login_to", archive=where)

    def _grow(self, job: Job, grown: Any, total: int) -> None:
        if job.number in self._jobs:
            self.rows.grow(grown)

    def _take_circle(self, ra: float, dec: float, radius: float) -> None:
        self.question.target.setText(f"{ra:.6f} {dec:+.6f}")
        self.question.radius.setText(f"{radius * 60:.3f} arcmin")
        self.rows.map.show_circle((ra, dec, radius))

    def choose_columns(self) -> None:
        """Show the menu of columns."""
        self.rows.columns_menu().popup(QCursor.pos())

    def _follow_settings(self, name: str, *_: Any) -> None:
        if name == OWN_SERVICES:
            self.question.list_collections(own_services(self.session))

    def find_service(self) -> None:
        """Show the services of the registry, and those that are kept."""
        finder = ServiceFinder(self.context, self)
        finder.chosen.connect(self._take_service)
        finder.show()

    def choose_conditions(self) -> None:
        """Show all columns of the archive, to be filled in."""
        form = ColumnForm(self.context, self, self.question.name(), self.question.more.text())
        form.filled.connect(self.question.more.setText)
        form.show()

    def _take_service(self, name: str) -> None:
        """Ask a service from now on: by the form when it can be, else in ADQL."""
        service = own_services(self.session)[name]
        in_adql = service.kind == "tap" and (not service.obscore or self.ways.currentWidget() is self.adql)
        self.ways.setCurrentWidget(self.adql if in_adql else self.ways.widget(0))
        if in_adql:
            self.adql.choose(name)
        else:
            self.question.collection.setCurrentIndex(self.question.collection.findData(name))

    # --- how many -------------------------------------------------------------------------------

    def _count(self) -> None:
        """Ask how many rows the form would find."""
        if self._count_job is not None:
            self._count_job.cancel()
        self.counted.clear()
        try:
            arguments = self.question.arguments()
        except JvizError:
            return
        if self.isVisible() and len(arguments) > 1:
            self._count_job = self.session.jobs.submit("Count", partial(self._counting, arguments), quiet=True)

    def _counting(self, arguments: dict[str, Any], job: Job) -> None:
        try:
            count = count_found(self.session, arguments, job)
        except JvizError:
            return  # the search itself will say why
        self.session.dispatcher.call(partial(self._show_count, job, count))

    def _show_count(self, job: Job, count: int) -> None:
        if job is self._count_job and not self.links.ended and not job.cancel_wanted:
            cut = ": only 50,000 will be loaded" if count > 50_000 else ""
            self.counted.setText(f"{count:,} to be found{cut}")

    def cancel(self) -> None:
        """Stop waiting for what was asked; downloads go on."""
        for job in self._asking():
            job.cancel()

    def _asking(self) -> list[Job]:
        return [job for number, (job, *_) in self._jobs.items() if number not in self._fetching]

    def take_field(self) -> None:
        """Write the middle and the size of the image in the active view into the form."""
        view = self.context.active_image()
        sky = view.layers[0].data.sky if view is not None and view.layers else None
        if sky is None:
            self.context.notify("warning", "Show an image with sky coordinates first.")
            return
        field = field_of(sky, view.layers[0].data.shape[-2:])
        if field is None:
            self.context.notify("warning", "The corner of that image is not on the sky; give a position and a radius.")
            return
        ra, dec, away = field
        self.question.target.setText(f"{ra:.6f} {dec:+.6f}")
        self.question.radius.setText(f"{away * 60:.3f} arcmin")

    def copy_python(self) -> None:
        """Copy the search as a line of Python."""
        try:
            way = self.adql if self.ways.currentWidget() is self.adql else self.question
            QGuiApplication.clipboard().setText(way.python())
        except JvizError as error:
            self.about.setText(str(error))
            return
        self.context.notify("status", "Copied the search as Python.")

    def _show_found(self, table: Any) -> None:
        self.rows.show_table(table)
        if not self.saved.found(table):
            self._say_found(table)
        self._settle()

    def _say_found(self, table: Any, new: str = "") -> None:
        meta = table.meta
        word = "file" if meta["source"] == "library" else "row" if "obs_id" not in table.colnames else "observation"
        cut = f" of {meta['total']:,}: give more conditions" if meta["truncated"] else ""
        text = f"{counted(len(table), word)}{cut}, {meta['source']}"
        if meta["cached"]:
            text += f", as of {age_text(meta['time'])}"
        text += new
        if meta["incomplete"]:
            text += f". Not complete: {meta['incomplete']}"
        again = "Refresh" if meta["cached"] or meta["incomplete"] else ""
        self.told.say(text, again=again)

    # --- observations ---------------------------------------------------------------------------

    def list_products(self) -> None:
        """List the files of the selected observations, or of all."""
        table = self.rows.table
        if table is not None and "obsid" in table.colnames:
            self.files.list_products(texts_of(table["obsid"][self.rows.chosen_rows()]))
        elif table is not None and "access_url" in table.colnames:
            self.files.list_products(self.rows.chosen())

    def show_on_images(self) -> None:
        """Show the footprints of what was found over the images, or do not."""
        self.session.settings["archive.footprints_on_images"] = self.on_images.isChecked()
        self.rows.draw_on_images()

    def draw_footprints(self) -> None:
        """Draw the outlines of the selected rows as regions."""
        if len(self.found.selected_rows()) > MOST_REGIONS:
            self.context.notify("warning", f"Select at most {MOST_REGIONS:,} rows to make regions of; the eye shows "
                                "the outlines of all over the images.")  # fmt: skip
            return
        rows = self.rows.chosen() if self.found.selected_rows() else None
        texts = [str(v) for v in rows["s_region"] if str(v) not in ("", "--")] if rows is not None else []
        if not texts:
            self.context.notify("warning", "Select rows with a footprint first.")
            return
        self.context.run("footprint.stcs", text="\n".join(texts), name="Archive")

    def add_as_data(self) -> None:
        """Add what was found to the session: it is marked on images, drawn and matched as any catalogue."""
        table = self.rows.table
        if table is not None and len(table):
            rows = self.rows.chosen_rows()
            self.session.jobs.submit("Choose rows", partial(self._add_rows, table, rows), quiet=True, urgent=True)

    def _add_rows(self, table: Any, rows: np.ndarray, job: Job) -> None:
        """Take rows out of a table, in a job: of many that takes longer than a window may stand still."""
        chosen = table if len(rows) == len(table) else table[rows]
        self.session.dispatcher.call(partial(self.context.run, "data.add", thing=chosen, name="observations"))

    def _go_to(self, index: QModelIndex) -> None:
        row = self.rows.table[int(self.found.table_model.table_rows([index.row()])[0])]
        if "path" in row.colnames:
            self.context.run("file.open", paths=[str(row["path"])])
        else:
            self.list_products()

    # --- jobs -----------------------------------------------------------------------------------

    def _submit(self, id: str, arguments: dict[str, Any], take: Callable[[Any], None], label: QLabel) -> None:
        try:
            job = self.session.submit(id, **arguments)
        except JvizError as error:
            label.setText(str(error))
            return
        self._jobs[job.number] = job, take, label
        if id == "archive.download":
            self._fetching.add(job.number)
        if label is self.about:
            self._asked = id, arguments, take, label
            self.told.say("Asking…")
        label.setText("Asking…")
        self._settle()

    def _follow(self, job: Job) -> None:
        if job.number not in self._jobs:
            return
        _, take, label = self._jobs[job.number]
        if not job.is_over:
            label.setText(job.text or "Asking…")
            return
        del self._jobs[job.number]
        self._fetching.discard(job.number)
        if job.state == "done":
            # The result is set at the same moment as the state.
            take(job.result(5))
        else:
            self._tell_end(job, label)
        self._settle()

    def _tell_end(self, job: Job, label: QLabel) -> None:
        """Say why there is no answer, and what can be done."""
        cancelled = job.state == "cancelled"
        text = "Cancelled." if cancelled else str(job.error)
        rows = self.rows.table
        if label is not self.about:
            label.setText(text)
        elif cancelled and rows is not None and len(rows):
            self.told.say(f"Cancelled: the first {len(rows):,} rows only.", again="Retry")
        else:
            self.told.say(text, again="Retry", details="" if cancelled else "\n".join(job.log),
                          log_in=getattr(job.error, "status", 0) in (401, 403))  # fmt: skip
            if self.ways.currentWidget() is self.adql and not cancelled:
                self.adql.show_fault(text)

    def _settle(self, *_: Any) -> None:
        """Enable what can be done, and say how much it is."""
        asking = bool(self._asking())
        self.cancel_button.setEnabled(asking)
        self.bar.setVisible(asking)
        self.bar.show_progress(0, 0 if asking else 1)
        table = self.rows.table
        has = table is not None and len(table) and {"obsid", "access_url"} & set(table.colnames)
        self.files.list_button.setEnabled(bool(has))
