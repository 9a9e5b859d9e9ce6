"""Previews of the selected rows of the Archive panel, fetched when they are looked at."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QIcon, QImageReader, QPaintEvent, QPixmap
from PySide6.QtWidgets import QListView, QListWidget, QListWidgetItem

from jviz.api import Cancelled, JvizError, preview_address, preview_of
from jviz.plugins.parts import Links, paint_hint

__all__ = ["Previews"]

MOST = 24
"""Previews that are shown at once."""

LEAST, LARGEST = 56, 480
NAMES = ("obs_id", "target_name", "obs_title", "name")
ROW = Qt.ItemDataRole.UserRole
PATH = Qt.ItemDataRole.UserRole + 1
NOTHING, NONE = "Select rows to see their previews.", "No preview is known of the selected rows."


class Previews(QListWidget):
    """Pictures of rows; a click points at the row, a double click opens the picture in a viewer.

    Attributes
    ----------
    pointed : Signal
        With the row whose picture was clicked.
    """

    pointed = Signal(int)

    def __init__(self, context: Any) -> None:
        super().__init__()
        self._context, self._session, self._links = context, context.session, Links(self)
        self._wanted: tuple[Any, list[int]] = (None, [])
        self._shown: tuple[Any, list[int]] = (None, [])
        self._job: Any = None
        self._empty = NOTHING
        self.setAccessibleName("Previews of the selected rows")
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setMovement(QListView.Movement.Static)
        self.setUniformItemSizes(True)
        self.setFrameShape(QListView.Shape.NoFrame)
        self.setSpacing(4)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.itemClicked.connect(lambda item: self.pointed.emit(item.data(ROW)))
        self.itemDoubleClicked.connect(self._open)

    def show_rows(self, table: Any, rows: list[int]) -> None:
        """Show the previews of these rows of a table, as soon as they are looked at."""
        self._wanted = table, list(rows)
        if self.isVisible():
            self._show()

    def showEvent(self, event: Any) -> None:
        super().showEvent(event)
        self._show()

    def resizeEvent(self, event: Any) -> None:
        super().resizeEvent(event)
        self._resize()

    def _show(self) -> None:
        if self._wanted[0] is self._shown[0] and self._wanted[1] == self._shown[1]:
            return
        table, rows = self._shown = self._wanted
        if self._job is not None:
            self._job.cancel()
        self.clear()
        addresses = {row: preview_address(table[row]) for row in rows[: 4 * MOST]} if table is not None else {}
        addresses = dict([(row, text) for row, text in addresses.items() if text][:MOST])
        self._empty = NONE if rows else NOTHING
        for row in addresses:
            name = next((str(table[name][row]) for name in NAMES if name in table.colnames), f"row {row + 1}")
            item = QListWidgetItem(self._context.icon("fa6s.image"), name, self)
            item.setData(ROW, row)
            item.setToolTip(f"{name}\nFetching…")
        self._resize()
        if addresses:
            self._job = self._session.jobs.submit("Previews", partial(self._fetch, addresses), quiet=True, apart=True)

    def _resize(self) -> None:
        """Give a sole picture all the room, and several a part each."""
        width, height = self.viewport().width() - 16, self.viewport().height() - 34
        side = min(width if self.count() == 1 else width // 3, height)
        side = max(LEAST, min(side, LARGEST))
        self.setIconSize(QSize(side, side))
        self.setGridSize(QSize(side + 10, side + 26))

    def _fetch(self, addresses: dict[int, str], job: Any) -> None:
        for row, address in addresses.items():
            job.report(0, 0)
            try:
                found: Any = preview_of(self._session, address, job)
            except JvizError as error:
                found = str(error)
            except Cancelled:
                return
            self._session.dispatcher.call(partial(self._take, job, row, found))

    def _take(self, job: Any, row: int, found: Path | str) -> None:
        if self._links.ended or job is not self._job:
            return
        item = next((self.item(n) for n in range(self.count()) if self.item(n).data(ROW) == row), None)
        if item is None:
            return
        picture = _read(found) if isinstance(found, Path) else None
        if picture is None:
            item.setIcon(self._context.icon("fa6s.triangle-exclamation"))
            why = found if isinstance(found, str) else "It is no picture that can be read."
            item.setToolTip(f"{item.text()}\n{why}")
            return
        item.setIcon(QIcon(picture))
        item.setData(PATH, str(found))
        item.setToolTip(f"{item.text()}\nDouble-click opens it in a viewer")

    def _open(self, item: QListWidgetItem) -> None:
        if item.data(PATH):
            self._context.run("file.open", paths=[item.data(PATH)], name=f"{item.text()} preview")

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self.count():
            paint_hint(self, self._empty)


def _read(path: Path) -> QPixmap | None:
    """Read a picture no larger than it is shown."""
    reader = QImageReader(str(path))
    reader.setAutoTransform(True)
    size = reader.size()
    if size.isValid() and max(size.width(), size.height()) > LARGEST:
        reader.setScaledSize(size.scaled(LARGEST, LARGEST, Qt.AspectRatioMode.KeepAspectRatio))
    image = reader.read()
    return None if image.isNull() else QPixmap.fromImage(image)
