"""Dropping files, folders and data anywhere on the window, with a veil that shows what will happen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QMimeData, QPoint, QRect, Qt
from PySide6.QtGui import QColor, QPainter, QPalette, QPen
from PySide6.QtWidgets import QLineEdit, QWidget

from jviz.actions.view import kind_for
from jviz.plugin_loader import DATA_MIME
from jviz.views import View

__all__ = ["DropTarget"]

TAKES_FILE = "takesFile"
"""Object name of line edits that take a dropped file's path."""


@dataclass(frozen=True)
class Spot:
    """A place to drop on: what it does, and where it is."""

    area: QRect
    text: str
    view: View | None = None
    mode: str = "new"
    field: QLineEdit | None = None


class DropTarget(QWidget):
    """The veil over a window that takes what is dropped; hidden until something is dragged in.

    Parameters
    ----------
    window : MainWindow
    """

    def __init__(self, window: Any) -> None:
        super().__init__(window)
        self._window = window
        self._spots: list[Spot] = []
        self._hot: Spot | None = None
        self.setAcceptDrops(True)
        self.setAccessibleName("Drop target for files")
        self.hide()
        window.setAcceptDrops(True)

    def watch(self, widget: QWidget) -> None:
        """Take drags over a widget that would accept drops itself: Qt offers them to what is behind it."""
        widget.setAcceptDrops(False)

    # --- drag and drop --------------------------------------------------------------------------

    def dragEnterEvent(self, event: Any) -> None:
        self._entered(event)

    def dragMoveEvent(self, event: Any) -> None:
        if self.isVisible():
            self._moved(event, event.position().toPoint())

    def dragLeaveEvent(self, event: Any) -> None:
        self.hide()

    def dropEvent(self, event: Any) -> None:
        if self.isVisible():
            self._dropped(event, event.position().toPoint())

    def _entered(self, event: Any) -> None:
        if not _is_welcome(event.mimeData()):
            event.ignore()
            return
        self.setGeometry(self._window.rect())
        self._spots = self._spots_now(event.mimeData())
        self._hot = None
        self.raise_()
        self.show()
        event.acceptProposedAction()

    def _moved(self, event: Any, where: QPoint) -> None:
        hot = self._spot_at(where)
        if hot != self._hot:
            self._hot = hot
            self.update()
        event.acceptProposedAction()

    def _dropped(self, event: Any, where: QPoint) -> None:
        spot, mime = self._spot_at(where), event.mimeData()
        self.hide()
        event.acceptProposedAction()
        if spot.field is not None and (local := [url.toLocalFile() for url in mime.urls() if url.isLocalFile()]):
            spot.field.setText(local[0])
        elif mime.hasFormat(DATA_MIME):
            self._show_data(bytes(mime.data(DATA_MIME)).decode().splitlines(), spot)
        else:
            paths = [url.toLocalFile() for url in mime.urls() if url.isLocalFile()]
            options = {} if spot.view is None else {"view": spot.view, "mode": spot.mode}
            self._window.choose_and_open(paths, **options)

    def _show_data(self, names: list[str], spot: Spot) -> None:
        invoker, session = self._window.invoker, self._window.session
        for number, name in enumerate(name for name in names if name in session):
            if spot.view is not None:
                mode = spot.mode if number == 0 else "add"
                invoker.run("view.show", view=spot.view, data=name, mode=mode)
            else:
                kind = kind_for(session[name])
                if kind is not None:
                    invoker.run("view.open", kind=kind, data=name)

    # --- spots ----------------------------------------------------------------------------------

    def _spots_now(self, mime: QMimeData) -> list[Spot]:
        """Return the places on the viewers in sight, and at the end the whole window."""
        spots = []
        for viewer in self._window.viewers:
            area = self._window.central.area_of(viewer.state.name, self._window)
            if not area.isEmpty():
                half = area.height() // 2
                upper = QRect(area.left(), area.top(), area.width(), half)
                lower = QRect(area.left(), area.top() + half, area.width(), area.height() - half)
                spots.append(Spot(upper, "Add here", viewer.state, "add"))
                spots.append(Spot(lower, "Replace", viewer.state, "replace"))
        fields = self._window.findChildren(QLineEdit, TAKES_FILE) if mime.hasUrls() else []
        for field in (one for one in fields if not one.visibleRegion().isEmpty()):
            area = QRect(field.mapTo(self._window, QPoint(0, 0)), field.size())
            spots.insert(0, Spot(area, "Use this file", field=field))
        text = "Open in a new viewer" if spots else "Drop to open"
        return [*spots, Spot(self.rect().adjusted(8, 8, -8, -8), text)]

    def _spot_at(self, where: QPoint) -> Spot:
        return next((spot for spot in self._spots if spot.area.contains(where)), self._spots[-1])

    def paintEvent(self, event: Any) -> None:
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            window = QColor(self.palette().color(QPalette.ColorRole.Window))
            window.setAlphaF(0.62)
            painter.fillRect(self.rect(), window)
            *on_viewers, whole = self._spots
            if whole is self._hot or not on_viewers:
                self._paint_spot(painter, whole, True, centred=True)
            for spot in on_viewers:
                self._paint_spot(painter, spot, spot is self._hot, centred=spot.field is None)

    def _paint_spot(self, painter: QPainter, spot: Spot, hot: bool, *, centred: bool) -> None:
        accent = self.palette().color(QPalette.ColorRole.Accent)
        fill = QColor(accent)
        fill.setAlphaF(0.25 if hot else 0.06)
        pen = QPen(accent, 2)
        if not hot:
            pen.setStyle(Qt.PenStyle.DashLine)
        painter.setPen(pen)
        painter.setBrush(fill)
        area = spot.area.adjusted(6, 6, -6, -6) if spot.field is None else spot.area
        painter.drawRoundedRect(area, 8, 8)
        if centred or hot:
            self._paint_text(painter, spot.text, area)

    def _paint_text(self, painter: QPainter, text: str, area: QRect) -> None:
        font = painter.font()
        font.setPointSizeF(self.font().pointSizeF() * 1.3)
        font.setBold(True)
        painter.setFont(font)
        metrics = painter.fontMetrics()
        box = QRect(0, 0, metrics.horizontalAdvance(text) + 32, metrics.height() + 16)
        box.moveCenter(area.center())
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.palette().color(QPalette.ColorRole.Window))
        painter.drawRoundedRect(box, 6, 6)
        painter.setPen(self.palette().color(QPalette.ColorRole.WindowText))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)


def _is_welcome(mime: QMimeData) -> bool:
    return mime.hasFormat(DATA_MIME) or (mime.hasUrls() and any(url.isLocalFile() for url in mime.urls()))
