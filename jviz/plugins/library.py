"""The panel of the library: what is on this machine, found, marked, opened and dragged onto viewers."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QModelIndex, QPoint, Qt
from PySide6.QtGui import QCursor, QGuiApplication, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QFileDialog,
    QLabel,
    QMenu,
    QPushButton,
    QSplitter,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from jviz.api import (
    Job,
    JvizError,
    LibraryCounts,
    counted,
    library_found,
    library_report,
    library_thumbnail,
    linked_paths,
    size_text,
)
from jviz.plugins.library_details import LibraryDetails
from jviz.plugins.library_question import LibraryQuestion
from jviz.plugins.library_table import LibraryTable
from jviz.plugins.parts import Newest, Panel, hint_label, muted, tool_button

__all__ = ["LibraryPanel"]

EMPTY = ("The library is empty.\n\nLink a folder with your data: it is only ever read, and watched for new files. "
         "What you open, drop in the window or download comes into the library by itself.")  # fmt: skip

AT_ONCE = 12
"""Pictures that are made before the table is asked again which it needs."""


class LibraryPanel(Panel):
    """All data files that jviz knows on this machine: those in linked folders, opened ones, and downloads.

    Write words, a place, an instrument, dates or a tag to find files; the table is sorted by a click on a column. A
    double click opens a file in the viewer for it, and selected files can be dragged onto a viewer. Tags, notes and
    pins are written at the right, and undone as anything. The box beside the words shows duplicates, missing files,
    those dropped from the store, and those that were refused with the reason.
    """

    pause_ms = 250

    def __init__(self, context: Any) -> None:
        super().__init__(context)
        self.question, self.table, self.details = LibraryQuestion(), LibraryTable(), LibraryDetails()
        self.about = muted(QLabel(textFormat=Qt.TextFormat.PlainText))
        self.about.setWordWrap(True)
        self.about.setContentsMargins(8, 2, 8, 4)
        self.link_button = QPushButton("Link Folder…")
        self.link_first = QPushButton("Link Folder…")
        self.counts = LibraryCounts()
        self.found: Any = None
        self._hidden = set(self.session.settings["library.hidden_columns"])
        self._arrange()
        self._search = Newest(self.links, self.session, "Search the library", self._begin_search)
        self._draw = Newest(self.links, self.session, "Small pictures", self._begin_pictures)
        self._report = Newest(self.links, self.session, "Quality of a file", self._begin_report)
        self._wanted: list[int] = []
        self._connect()

    # --- parts ----------------------------------------------------------------------------------

    def _arrange(self) -> None:
        button = partial(tool_button, self.context)
        head = self.question.head
        self.pictures_button = button("fa6s.image", "Small pictures", self._toggle_pictures)
        self.pictures_button.setCheckable(True)
        self.pictures_button.setChecked(True)
        head.addWidget(self.pictures_button)
        head.addWidget(button("fa6s.table-columns", "Choose the columns that are shown", self._show_columns))
        head.addWidget(button("fa6s.code", "Copy this search as Python", self.copy_python))
        head.addWidget(button("fa6s.arrows-rotate", "Look through all folders again", self.rescan))
        head.addWidget(button("fa6s.folder-tree", "Linked folders", self._show_folders))
        head.addWidget(self.link_button)
        splitter = QSplitter()
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(self.table)
        splitter.addWidget(self.details)
        splitter.setStretchFactor(0, 1)
        splitter.setSizes([760, 260])
        main = QWidget()
        layout = QVBoxLayout(main)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        for part in (self.question, self.about, splitter):
            layout.addWidget(part, 1 if part is splitter else 0)
        self._either = QStackedLayout(self.body)
        self._either.addWidget(main)
        self._either.addWidget(self._empty_page())

    def _empty_page(self) -> QWidget:
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.addStretch(1)
        layout.addWidget(hint_label(EMPTY))
        layout.addWidget(self.link_first, alignment=Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(1)
        return page

    def _connect(self) -> None:
        self.question.asked.connect(self._search.ask)
        self.table.pictures_wanted.connect(self._want_pictures)
        self.table.doubleClicked.connect(self._open_at)
        self.table.selectionModel().selectionChanged.connect(self._show_details)
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.table.customContextMenuRequested.connect(self._show_menu)
        self.details.tags_written.connect(self._write_tags)
        self.details.note_written.connect(self._write_note)
        self.details.pin_clicked.connect(self._pin)
        for widget in (self.link_button, self.link_first):
            widget.clicked.connect(self.link)
        for key, function in ((QKeySequence(Qt.Key.Key_Return), self.open_selected),
                              (QKeySequence(QKeySequence.StandardKey.Delete), self.forget)):  # fmt: skip
            QShortcut(key, self.table, function).setContext(Qt.ShortcutContext.WidgetShortcut)
        self.links.signal(self.session.archives.library_changed, self.later)

    # --- what is shown --------------------------------------------------------------------------

    def refresh(self) -> None:
        """Ask the library again."""
        self._search.ask()

    def _begin_search(self) -> Any:
        try:
            asked = self.question.arguments()
        except JvizError as error:
            self.about.setText(str(error))
            return None

        by, descending = self.table.order_wanted()

        def work(job: Job) -> tuple:
            try:
                found = library_found(self.session, asked, by=by, descending=descending, progress=job.report)
            except JvizError as error:
                return (error,)
            return (found,)

        return work, self._show_found

    def _show_found(self, found: Any) -> None:
        if isinstance(found, JvizError):
            self.about.setText(str(found))
            return
        self.found, self.counts = found, found.counts if found is not None else LibraryCounts()
        nothing = not self.counts.all and not self.counts.refused and not self.counts.folders
        self._either.setCurrentIndex(1 if nothing else 0)
        self.table.hint = "No file was refused." if self.question.shown == "refused" else "No file fits."
        self.table.take(found)
        self._hide_columns()
        self._show_details()
        self.about.setText(self._told())

    @property
    def rows(self) -> Any:
        """The table of what was found, None when there is no library yet."""
        return self.found.table if self.found is not None else None

    def _told(self) -> str:
        counts = self.counts
        if self.rows is None:
            return ""
        words = [counted(len(self.rows), "file")]
        if not self.question.is_blank:
            words[0] += f" of {counts.all + (counts.refused if self.question.shown == 'refused' else 0):,}"
        words.append(size_text(float(counts.size)))
        words += [f"{number:,} {word}" for number, word in ((counts.missing, "missing"), (counts.dropped, "dropped"),
                  (counts.refused, "refused")) if number]  # fmt: skip
        if counts.store:
            limit = f" of {size_text(float(counts.store_limit))}" if counts.store_limit else ""
            words.append(f"store {size_text(float(counts.store))}{limit}")
        return " · ".join(words)

    def _hide_columns(self) -> None:
        for number, column in enumerate(self.table.table_model.columns):
            if column.name != "preview":
                self.table.setColumnHidden(number, column.name in self._hidden)

    def columns_menu(self) -> QMenu:
        """Return the menu that shows and hides columns; the choice is kept."""
        menu = _menu(self)
        for column in self.table.table_model.columns:
            if column.name != "preview":
                action = menu.addAction(column.name, partial(self._hide, column.name))
                action.setCheckable(True)
                action.setChecked(column.name not in self._hidden)
        return menu

    def _hide(self, name: str) -> None:
        self._hidden ^= {name}
        self.session.settings["library.hidden_columns"] = sorted(self._hidden)
        self._hide_columns()

    def _show_columns(self) -> None:
        self.columns_menu().popup(QCursor.pos())

    # --- pictures -------------------------------------------------------------------------------

    def _toggle_pictures(self) -> None:
        self.table.show_pictures(self.pictures_button.isChecked())

    def _want_pictures(self, rows: list[int]) -> None:
        self._wanted = rows
        self._draw.ask()

    def _begin_pictures(self) -> Any:
        table = self.rows
        if not self._wanted or table is None or "sha256" not in table.colnames:
            return None
        wanted = [(str(table["sha256"][row]), Path(str(table["path"][row]))) for row in self._wanted[:AT_ONCE]
                  if row < len(table)]  # fmt: skip

        def work(job: Job) -> tuple:
            return ([(sha256, library_thumbnail(self.session, sha256, path, job.report)) for sha256, path in wanted],)

        return work, self._take_pictures

    def _take_pictures(self, made: list[tuple[str, bytes | None]]) -> None:
        self._wanted = []
        for sha256, content in made:
            self.table.take_picture(sha256, content)
        self._show_details()

    # --- selected files -------------------------------------------------------------------------

    def selected(self) -> list[str]:
        """Return the paths of the selected files."""
        return self.table.paths_of(self.table.selected_rows())

    def _show_details(self, *_: Any) -> None:
        rows = self.table.selected_rows()
        self.details.show_rows(self.rows, rows)
        if len(rows) == 1 and "sha256" in self.rows.colnames:
            self.details.show_picture(self.table.pictures.get(str(self.rows["sha256"][rows[0]])))
            self._report.ask()

    def _one(self) -> str:
        """SHA-256 of the one file that is selected and has a report, else ""."""
        rows = self.table.selected_rows()
        if len(rows) != 1 or self.rows is None or "quality" not in self.rows.colnames:
            return ""
        row = self.rows[rows[0]]
        return "" if np.ma.is_masked(row["quality"]) else str(row["sha256"])

    def _begin_report(self) -> Any:
        sha256 = self._one()
        return (lambda job: (sha256, library_report(self.session, sha256)), self._show_report) if sha256 else None

    def _show_report(self, sha256: str, checks: list[Any]) -> None:
        if sha256 == self._one():
            self.details.show_report(checks)

    def _write_tags(self, words: list[str]) -> None:
        paths = self.selected()
        for word in words:
            self.context.run("library.tag", files=paths, tag=word.removeprefix("-"), on=not word.startswith("-"))

    def _write_note(self, text: str) -> None:
        [path] = self.selected()[:1]
        self.context.run("library.note", file=path, text=text)

    def _pin(self, on: bool) -> None:
        self.context.run("library.pin", files=self.selected(), on=on)

    def _open_at(self, index: QModelIndex) -> None:
        self._open(self.table.paths_of([int(self.table.table_model.table_rows([index.row()])[0])]))

    def open_selected(self) -> None:
        """Open the selected files in the viewers for them."""
        self._open(self.selected())

    def _open(self, paths: list[str]) -> None:
        here = self._here()
        gone = [path for path in paths if path not in here]
        if gone:
            self.context.run("library.fetch", files=gone, open=True)
        if len(gone) < len(paths):
            self.context.run("file.open", paths=[path for path in paths if path in here])

    def _here(self) -> set[str]:
        """Return the paths of all rows whose files are on the disk."""
        here = np.asarray(self.rows["state"], str) == "present" if "state" in self.rows.colnames else slice(None)
        return set(self.found.paths[here].tolist())

    def forget(self) -> None:
        """Take the selected files out of the library; they stay on the disk."""
        if self.question.shown != "refused" and (paths := self.selected()):
            self.context.run("library.forget", files=paths)

    def show_provenance(self) -> None:
        """Show in a graph what the selected file was made of."""
        panel = self.context.open_panel("provenance")
        if panel is not None and (paths := self.selected()):
            panel.show_file(paths[0])

    def show_quality(self) -> None:
        """Put the reports on the selected files among the results."""
        self.context.ask("library.quality", files=self.selected())
        self.context.open_panel("results")

    def bundle(self) -> None:
        """Ask for a name, and write the selected files into a bundle."""
        paths = self.selected()
        target, _ = QFileDialog.getSaveFileName(self, "Export Bundle", "bundle.zip", "Bundles (*.zip)")
        if target:
            self.context.run("library.bundle", products=paths, path=Path(target))

    def _show_menu(self, place: QPoint) -> None:
        self.rows_menu().popup(self.table.viewport().mapToGlobal(place))

    def rows_menu(self) -> QMenu:
        """Return the menu of the selected files."""
        menu, paths = _menu(self), self.selected()
        if self.question.shown == "refused":
            menu.addAction("Try Again", partial(self._try_again, paths))
        else:
            menu.addAction("Open", self.open_selected)
            menu.addAction("Show What It Was Made Of", self.show_provenance).setEnabled(len(paths) == 1)
            menu.addAction("Quality Report", self.show_quality)
            menu.addAction("Pin", partial(self._pin, True))
            menu.addAction("Unpin", partial(self._pin, False))
            menu.addAction("Export Bundle…", self.bundle)
        menu.addAction("Copy Paths", lambda: QGuiApplication.clipboard().setText("\n".join(paths)))
        if self.question.shown != "refused":
            menu.addSeparator()
            menu.addAction("Forget", self.forget)
        for action in menu.actions() if not paths else ():
            action.setEnabled(False)
        return menu

    def _try_again(self, paths: list[str]) -> None:
        for path in paths:
            self.context.run("library.add", path=Path(path))

    # --- folders --------------------------------------------------------------------------------

    def link(self) -> None:
        """Ask for a folder, and link it."""
        folder = QFileDialog.getExistingDirectory(self, "Link a folder; it is only read")
        if folder:
            self.context.run("library.link", folder=Path(folder))

    def rescan(self) -> None:
        """Look through all folders again."""
        self.context.run("library.rescan")

    def _show_folders(self) -> None:
        self.folders_menu().popup(QCursor.pos())

    def folders_menu(self) -> QMenu:
        """Return the menu of the linked folders."""
        menu, folders = _menu(self), linked_paths(self.session)
        menu.addAction("Link Folder…", self.link)
        menu.addSeparator()
        for folder in folders:
            inside = menu.addMenu(str(folder).replace("&", "&&"))
            inside.addAction("Look Through Again", partial(self.context.run, "library.rescan", folder=folder))
            inside.addAction("Unlink", partial(self.context.run, "library.unlink", folder=folder))
        if not folders:
            menu.addAction("No folder is linked").setEnabled(False)
        return menu

    def copy_python(self) -> None:
        """Copy the search as a line of Python."""
        try:
            QGuiApplication.clipboard().setText(self.question.python())
        except JvizError as error:
            self.about.setText(str(error))
            return
        self.context.notify("status", "Copied the search as Python.")


def _menu(parent: QWidget) -> QMenu:
    menu = QMenu(parent)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    return menu
