"""Icons in the colours of the theme, also after it has changed.

They are glyphs of the fonts that come with QtAwesome. Only the fonts that are used are read: QtAwesome itself
reads all of its own when it draws the first icon, which would stop the window for a tenth of a second.
"""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontDatabase,
    QGuiApplication,
    QIcon,
    QIconEngine,
    QPainter,
    QPalette,
    QPixmap,
    QPixmapCache,
)

__all__ = ["preload_icons", "themed_icon"]

FONTS = {
    "fa6s": "fontawesome6-solid-webfont",
    "fa6r": "fontawesome6-regular-webfont",
    "mdi6": "materialdesignicons6-webfont",
}
"""QtAwesome's prefixes, and how the files of their fonts begin."""

USUAL = ("fa6s", "mdi6")
UNKNOWN = "fa6s.circle-question"
FILLED = 0.84
"""Share of an icon's height that its glyph fills: room for those that stick out."""


def themed_icon(name: str, color: str = "") -> QIcon:
    """Return an icon by its QtAwesome name, in a colour of its own or in that of the text.

    An unknown name gives a question mark, so that a plugin's mistake is seen and does no harm.
    """
    return QIcon(_Engine(name, color))


def preload_icons() -> None:
    """Read the lists of glyphs (in a thread, before the first icon is drawn)."""
    for prefix in USUAL:
        _list(prefix)


class _Engine(QIconEngine):
    """Looks up the colour of the text whenever it paints."""

    def __init__(self, name: str, color: str) -> None:
        super().__init__()
        self._name, self._color = name, color

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        glyph, font = _glyph(self._name)
        font.setPixelSize(max(1, round(FILLED * rect.height())))
        painter.save()
        painter.setFont(font)
        painter.setPen(self._ink(mode))
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, glyph)
        painter.restore()

    def _ink(self, mode: QIcon.Mode) -> QColor:
        disabled = mode == QIcon.Mode.Disabled
        if self._color and not disabled:
            return QColor(self._color)
        group = QPalette.ColorGroup.Disabled if disabled else QPalette.ColorGroup.Active
        return QGuiApplication.palette().color(group, QPalette.ColorRole.WindowText)

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        key = f"jviz icon {self._name} {size.width()} {size.height()} {self._ink(mode).name(QColor.NameFormat.HexArgb)}"
        pixmap = QPixmapCache.find(key)
        if pixmap is None or pixmap.isNull():
            pixmap = self._drawn(size, mode, state)
            QPixmapCache.insert(key, pixmap)
        return pixmap

    def _drawn(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        pixmap = QPixmap(size)
        pixmap.fill(Qt.GlobalColor.transparent)
        with QPainter(pixmap) as painter:
            self.paint(painter, QRect(QPoint(0, 0), size), mode, state)
        return pixmap


def _glyph(name: str) -> tuple[str, QFont]:
    code = _code(name)
    if not code:
        name = UNKNOWN
        code = _code(name)
    prefix = name.partition(".")[0]
    font = QFont(_family(prefix))
    font.setStyleName("Solid" if prefix == "fa6s" else "Regular")
    return chr(int(code, 16)), font


@cache
def _file(prefix: str, ending: str) -> Path:
    folder = Path(importlib.util.find_spec("qtawesome").origin).parent / "fonts"
    return next(path for path in sorted(folder.glob(f"{FONTS[prefix]}*{ending}")) if path.suffix == ending)


@cache
def _code(name: str) -> str:
    """Return the code point of a glyph, hexadecimal, "" when there is no such name."""
    prefix, _, word = name.partition(".")
    # A flat list of names in JSON; to take all of it apart holds every thread up for up to 40 ms.
    _, found, rest = _list(prefix).partition(f'"{word}":')
    return rest[: rest.index(",") if "," in rest[:20] else 20].strip(' "\n}') if found else ""


@cache
def _list(prefix: str) -> str:
    return _file(prefix, ".json").read_text(encoding="utf-8") if prefix in FONTS else ""


@cache
def _family(prefix: str) -> str:
    number = QFontDatabase.addApplicationFont(str(_file(prefix, ".ttf")))
    return QFontDatabase.applicationFontFamilies(number)[0]
