"""The panel in which archives and the library are searched, and files fetched and opened."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from jviz.api import Job, JvizError, TableView, separation, size_text
from jviz.plugins.archive_question import Question
from jviz.plugins.parts import Panel, ProgressBar, muted, tool_button

__all__ = ["ArchivePanel"]

FIRST = ("obs_collection", "instrument_name", "filters", "target_name", "obs_id", "name", "calib_level", "t_exptime",
         "proposal_id", "proposal_pi", "s_ra", "s_dec", "distance", "t_min", "dataproduct_type", "dataRights",
         "obs_title")  # fmt: skip
"""Columns that are shown first; the others follow."""

PRODUCTS = ("productFilename", "size", "calib_level", "productType", "productSubGroupDescription", "dataRights",
            "description", "obs_id", "dataURI")  # fmt: skip


class ArchivePanel(Panel):
    """Search MAST, archives of the Virtual Observatory, or the files on this machine.

    Fill in what you know and press Return. Choose observations and list their products, tick nothing: what is
    selected is downloaded, or all that is listed. A double click on an observation lists its products, on a file
    fetches and opens it. The footprints of selected rows can be drawn on the images.
    """

    def __init__(self, context: Any) -> None:
        super().__init__(context)
        self.question = Question()
        self.search_button, self.cancel_button = QPushButton("Search"), QPushButton("Cancel")
        self.found, self.products = TableView("Observations found"), TableView("Products")
        self.about, self.about_products = (muted(QLabel(textFormat=Qt.TextFormat.PlainText)) for _ in range(2))
        self.about.setText("Fill in what you know and press Return.")
        self.about_products.setText("Products of observations come here.")
        self.about_products.setWordWrap(True)
        self.suffix = QLineEdit(placeholderText="Only suffixes: i2d s3d x1d", clearButtonEnabled=True)
        self.list_button, self.get_button = QPushButton("List Products"), QPushButton("Download")
        self.open_after = QCheckBox("and open", checked=True)
        self.bar = ProgressBar("Progress of the search")
        self._jobs: dict[int, tuple[Job, Callable[[Any], None], QLabel]] = {}
        self._table: Any = None
        self._files: Any = None
        self._shown: Any = None
        self._arrange()
        self._connect()
        self._settle()

    # --- parts ----------------------------------------------------------------------------------

    def _arrange(self) -> None:
        splitter = QSplitter()
        splitter.setChildrenCollapsible(False)
        for widget in (self._left(), self._middle(), self._right()):
            splitter.addWidget(widget)
        splitter.setStretchFactor(1, 3)
        splitter.setStretchFactor(2, 2)
        splitter.setSizes([270, 560, 400])
        outer = QVBoxLayout(self.body)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(splitter)

    def _left(self) -> QWidget:
        button = partial(tool_button, self.context)
        self.question.place.addWidget(
            button("fa6s.expand", "Search the field of the image in the active view", self.take_field)
        )
        scroll = QScrollArea(widgetResizable=True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(self.question)
        row = QHBoxLayout()
        row.setContentsMargins(10, 4, 10, 8)
        row.setSpacing(6)
        row.addWidget(self.search_button)
        row.addWidget(self.cancel_button)
        row.addStretch(1)
        row.addWidget(button("fa6s.code", "Copy this search as Python", self.copy_python))
        return _column(scroll, self.bar, row)

    def _middle(self) -> QWidget:
        button = partial(tool_button, self.context)
        row = QHBoxLayout()
        row.setContentsMargins(8, 2, 4, 2)
        row.addWidget(self.about, 1)
        row.addWidget(button("fa6s.draw-polygon", "Draw the footprints of the selected rows", self.draw_footprints))
        row.addWidget(button("fa6s.layer-group", "Add the table to the session as a catalogue", self.add_as_data))
        row.addWidget(self.list_button)
        return _column(row, self.found)

    def _right(self) -> QWidget:
        row, foot = QHBoxLayout(), QHBoxLayout()
        row.setContentsMargins(8, 2, 8, 2)
        row.addWidget(self.suffix, 1)
        foot.setContentsMargins(8, 4, 8, 6)
        foot.addWidget(self.about_products, 1)
        foot.addWidget(self.open_after)
        foot.addWidget(self.get_button)
        return _column(row, self.products, foot)

    def _connect(self) -> None:
        self.question.asked.connect(self.search)
        self.search_button.clicked.connect(self.search)
        self.cancel_button.clicked.connect(self.cancel)
        self.list_button.clicked.connect(self.list_products)
        self.get_button.clicked.connect(self.download)
        self.suffix.textChanged.connect(self._show_files)
        self.found.doubleClicked.connect(self._go_to)
        self.products.doubleClicked.connect(self._get_one)
        for table in (self.found, self.products):
            table.selectionModel().selectionChanged.connect(self._settle)
        self.products.selectionModel().selectionChanged.connect(self._tell_size)
        self.links.signal(self.session.jobs.changed, self._follow)
        self.suffix.setAccessibleName("Suffixes of the products that are shown")

    # --- searching ------------------------------------------------------------------------------

    def search(self) -> None:
        """Ask what the form says."""
        try:
            arguments = self.question.arguments()
        except JvizError as error:
            self.about.setText(str(error))
            return
        self.cancel()
        self._submit("archive.search", arguments, self._show_found, self.about)

    def cancel(self) -> None:
        """Stop waiting for what was asked."""
        for job, *_ in list(self._jobs.values()):
            job.cancel()

    def take_field(self) -> None:
        """Write the middle and the size of the image in the active view into the form."""
        view = self.context.active_image()
        sky = view.layers[0].data.sky if view is not None and view.layers else None
        if sky is None:
            self.context.notify("warning", "Show an image with sky coordinates first.")
            return
        height, width = view.layers[0].data.shape[-2:]
        x, y = (width - 1) / 2, (height - 1) / 2
        lon, lat = (np.asarray(v, float) for v in sky.pixel_to_sky(np.array([x, -0.5]), np.array([y, -0.5])))
        if not np.isfinite([lon, lat]).all():
            self.context.notify("warning", "The corner of that image is not on the sky; give a position and a radius.")
            return
        away = float(separation(lon[0], lat[0], lon[1], lat[1]))
        self.question.target.setText(f"{lon[0]:.6f} {lat[0]:+.6f}")
        self.question.radius.setText(f"{away * 60:.3f} arcmin")

    def copy_python(self) -> None:
        """Copy the search as a line of Python."""
        try:
            QGuiApplication.clipboard().setText(self.question.python())
        except JvizError as error:
            self.about.setText(str(error))
            return
        self.context.notify("status", "Copied the search as Python.")

    def _show_found(self, table: Any) -> None:
        self._table = _ordered(table, FIRST)
        self.found.show_table(self._table)
        cut = f" of {table.meta['total']:,}: give more conditions" if table.meta["truncated"] else ""
        word = "file" if table.meta["source"] == "library" else "observation"
        self.about.setText(f"{len(table):,} {word}{'' if len(table) == 1 else 's'}{cut}, {table.meta['source']}")
        self._settle()

    # --- observations ---------------------------------------------------------------------------

    def list_products(self) -> None:
        """List the files of the selected observations, or of all."""
        rows = self._chosen(self.found, self._table)
        if rows is not None and "obsid" in rows.colnames:
            self._submit("archive.products", {"observations": [str(v) for v in rows["obsid"]]},
                         self._take_files, self.about_products)  # fmt: skip

    def draw_footprints(self) -> None:
        """Draw the outlines of the selected rows as regions."""
        rows = self._chosen(self.found, self._table) if self.found.selected_rows() else None
        texts = [str(v) for v in rows["s_region"] if str(v) not in ("", "--")] if rows is not None else []
        if not texts:
            self.context.notify("warning", "Select rows with a footprint first.")
            return
        self.context.run("footprint.stcs", text="\n".join(texts), name="Archive")

    def add_as_data(self) -> None:
        """Add what was found to the session: it is marked on images, drawn and matched as any catalogue."""
        if self._table is not None and len(self._table):
            self.session.add(self._table, name="observations")

    def _go_to(self, index: QModelIndex) -> None:
        row = self._table[int(self.found.table_model.table_rows([index.row()])[0])]
        if "path" in row.colnames:
            self.context.run("file.open", paths=[str(row["path"])])
        else:
            self.list_products()

    # --- files ----------------------------------------------------------------------------------

    def _take_files(self, table: Any) -> None:
        self._files = _ordered(table, PRODUCTS)
        self._show_files()

    def _shown_files(self) -> Any:
        words = self.suffix.text().lower().replace(",", " ").split()
        if self._files is None or not words:
            return self._files
        names = [str(name).lower().partition(".")[0] for name in self._files["productFilename"]]
        return self._files[np.array([name.rpartition("_")[2] in words for name in names], bool)]

    def _show_files(self) -> None:
        self._shown = self._shown_files()
        self.products.show_table(self._shown)
        self._tell_size()
        self._settle()

    def _tell_size(self, *_: Any) -> None:
        rows = self._chosen(self.products, self._shown)
        count = 0 if rows is None else len(rows)
        size = float(np.sum(np.asarray(rows["size"], float))) if count else 0.0
        self.about_products.setText(f"{count:,} file{'' if count == 1 else 's'}, {size_text(size)}")

    def download(self) -> None:
        """Fetch the selected files, or all that are listed."""
        rows = self._chosen(self.products, self._shown)
        if rows is not None and len(rows):
            self._get([str(uri) for uri in rows["dataURI"]], self.open_after.isChecked())

    def _get_one(self, index: QModelIndex) -> None:
        row = self._shown[int(self.products.table_model.table_rows([index.row()])[0])]
        self._get([str(row["dataURI"])], True)

    def _get(self, uris: list[str], opened: bool) -> None:
        self._submit("archive.download", {"products": uris}, partial(self._arrived, opened), self.about_products)

    def _arrived(self, opened: bool, paths: list[Path]) -> None:
        self.about_products.setText(f"{len(paths)} file{'' if len(paths) == 1 else 's'} in {paths[0].parent}")
        data = [str(path) for path in paths if path.suffix.lower() != ".json"]
        if opened and data:
            self.context.run("file.open", paths=data)

    # --- jobs -----------------------------------------------------------------------------------

    def _submit(self, id: str, arguments: dict[str, Any], take: Callable[[Any], None], label: QLabel) -> None:
        try:
            job = self.session.submit(id, **arguments)
        except JvizError as error:
            label.setText(str(error))
            return
        self._jobs[job.number] = job, take, label
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
        if job.state == "done":
            # The result is set at the same moment as the state.
            take(job.result(5))
        else:
            label.setText("Cancelled." if job.state == "cancelled" else str(job.error))
        self._settle()

    def _settle(self, *_: Any) -> None:
        """Enable what can be done, and say how much it is."""
        self.cancel_button.setEnabled(bool(self._jobs))
        self.bar.setVisible(bool(self._jobs))
        self.bar.show_progress(0, 0 if self._jobs else 1)
        has = self._table is not None and len(self._table) and "obsid" in self._table.colnames
        self.list_button.setEnabled(bool(has))
        rows = self._chosen(self.products, self._shown)
        count = 0 if rows is None else len(rows)
        self.get_button.setEnabled(bool(count))
        self.get_button.setText(f"Download {count}" if count else "Download")

    @staticmethod
    def _chosen(view: TableView, table: Any) -> Any:
        """Return the selected rows of a table, all when none is; None without a table."""
        if table is None:
            return None
        rows = view.selected_rows()
        return table[rows] if rows else table


def _column(*parts: Any) -> QWidget:
    widget = QWidget()
    layout = QVBoxLayout(widget)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(0)
    for part in parts:
        layout.addWidget(part) if isinstance(part, QWidget) else layout.addLayout(part)
    return widget


def _ordered(table: Any, first: tuple[str, ...]) -> Any:
    names = [name for name in first if name in table.colnames]
    return table[[*names, *(name for name in table.colnames if name not in names)]]
