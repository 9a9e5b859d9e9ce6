"""Icons in the colours of the theme, also after it has changed."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QGuiApplication, QIcon, QIconEngine, QPainter, QPalette, QPixmap

__all__ = ["themed_icon"]


def themed_icon(name: str, color: str = "") -> QIcon:
    """Return an icon by its QtAwesome name, in a colour of its own or in that of the text."""
    return QIcon(_Engine(name, color))


class _Engine(QIconEngine):
    """Looks up the colour of the text whenever it paints."""

    def __init__(self, name: str, color: str) -> None:
        super().__init__()
        self._name, self._color = name, color

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        disabled = mode == QIcon.Mode.Disabled
        group = QPalette.ColorGroup.Disabled if disabled else QPalette.ColorGroup.Active
        text = QGuiApplication.palette().color(group, QPalette.ColorRole.WindowText).name()
        _drawn(self._name, text if disabled or not self._color else self._color).paint(painter, rect)

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        pixmap = QPixmap(size)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        self.paint(painter, QRect(QPoint(0, 0), size), mode, state)
        painter.end()
        return pixmap


@lru_cache(maxsize=512)
def _drawn(name: str, color: str) -> QIcon:
    import qtawesome

    return qtawesome.icon(name, color=color)
