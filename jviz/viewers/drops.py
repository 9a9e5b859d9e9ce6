"""Files, or data of the session, dropped on a viewer: two zones, "Add here" and "Replace"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QMimeData, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QDragEnterEvent, QDragMoveEvent, QDropEvent, QPainter, QPen

from jviz.errors import JvizError
from jviz.plugin_loader import DATA_MIME
from jviz.viewers.look import Look

if TYPE_CHECKING:
    from jviz.viewers.base import Viewer

__all__ = ["DropZones"]


class DropZones:
    """Shows the zones while something is dragged over a viewer, and tells what was dropped where."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._at: QPointF | None = None

    def enter(self, event: QDragEnterEvent) -> None:
        """Accept files and data."""
        if _paths(event.mimeData()) or _names(event.mimeData()):
            event.acceptProposedAction()
            self._show(event.position())

    def move(self, event: QDragMoveEvent) -> None:
        """Follow the mouse."""
        event.acceptProposedAction()
        self._show(event.position())

    def leave(self) -> None:
        """Hide the zones."""
        self._show(None)

    def drop(self, event: QDropEvent) -> None:
        """Tell the window about files; place data at once."""
        mode = self._mode(event.position())
        paths, names = _paths(event.mimeData()), _names(event.mimeData())
        self._show(None)
        event.acceptProposedAction()
        if names:
            self._place(names, mode)
        elif paths:
            self._viewer.files_dropped.emit(paths, mode)

    def draw(self, painter: QPainter, look: Look) -> None:
        """Draw the zones over the viewer while they are wanted."""
        if self._at is None:
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        chosen = self._mode(self._at)
        for mode, area in self._zones().items():
            self._draw_zone(painter, look, "Add here" if mode == "add" else "Replace", area, mode == chosen)
        painter.restore()

    def _draw_zone(self, painter: QPainter, look: Look, text: str, area: QRectF, chosen: bool) -> None:
        fill, line = QColor(look.accent if chosen else look.canvas), QColor(look.accent)
        fill.setAlphaF(0.78 if chosen else 0.8)
        painter.setBrush(fill)
        painter.setPen(QPen(line, 2.0, Qt.PenStyle.SolidLine if chosen else Qt.PenStyle.DashLine))
        painter.drawRoundedRect(area, 10, 10)
        painter.setPen(QColor("#ffffff" if chosen else look.text))
        painter.setFont(look.font(1.5, bold=True))
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter, text)

    def _zones(self) -> dict[str, QRectF]:
        whole = QRectF(self._viewer.rect()).adjusted(12, 12, -12, -12)
        if not self._viewer.state.layers:
            return {"add": whole}
        half = QRectF(whole.left(), whole.top(), whole.width() / 2 - 5, whole.height())
        return {"add": half, "replace": half.translated(half.width() + 10, 0)}

    def _mode(self, at: QPointF) -> str:
        right = at.x() > self._viewer.width() / 2
        return "replace" if right and self._viewer.state.layers else "add"

    def _place(self, names: list[str], mode: str) -> None:
        session, view = self._viewer.session, self._viewer.state
        try:
            for name in names:
                session.run("view.show", view=view, data=name, mode=mode)
                mode = "add"
        except JvizError as error:
            session.notice("error", str(error))

    def _show(self, at: QPointF | None) -> None:
        self._at = at
        self._viewer.update()


def _paths(mime: QMimeData) -> list[str]:
    return [url.toLocalFile() for url in mime.urls() if url.isLocalFile()]


def _names(mime: QMimeData) -> list[str]:
    text: Any = bytes(mime.data(DATA_MIME)).decode("utf-8", "replace") if mime.hasFormat(DATA_MIME) else ""
    return [name for name in text.splitlines() if name]
