"""Buttons of the bars below viewers of several pictures: one back, play, one on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPalette, QPixmap, QPolygonF
from PySide6.QtWidgets import QToolButton, QWidget

__all__ = ["bar_button", "show_glyphs"]


def bar_button(bar: QWidget, glyph: str, tip: str, act: Callable[[], Any]) -> QToolButton:
    """Return a button with a sign of its own; ``back`` and ``forth`` repeat while they are held down."""
    button = QToolButton(bar)
    button.setAutoRaise(True)
    button.setToolTip(tip)
    button.setAccessibleName(tip.partition(" (")[0])
    button.setProperty("glyph", glyph)
    button.setAutoRepeat(glyph in ("back", "forth"))
    button.clicked.connect(lambda: act())
    return button


def show_glyphs(buttons: Iterable[QToolButton], *, playing: bool) -> None:
    """Draw the signs of buttons in the colour of the theme, where that or what they say has changed."""
    for button in buttons:
        colour = button.palette().color(QPalette.ColorRole.ButtonText)
        glyph = button.property("glyph")
        worn = ("pause" if glyph == "play" and playing else glyph, colour.name())
        if button.property("worn") != worn:
            button.setProperty("worn", worn)
            button.setIcon(_icon(worn[0], colour, button.devicePixelRatioF()))
            button.setIconSize(QSize(16, 16))


def _icon(glyph: str, colour: QColor, ratio: float) -> QIcon:
    """Draw a sign of 16 pixels."""
    pixmap = QPixmap(round(16 * ratio), round(16 * ratio))
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    with QPainter(pixmap) as painter:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        if glyph == "play":
            painter.drawPolygon(_polygon((4, 2.5), (13.5, 8), (4, 13.5)))
        elif glyph == "pause":
            painter.drawRoundedRect(3.5, 2.5, 3.4, 11, 1, 1)
            painter.drawRoundedRect(9.1, 2.5, 3.4, 11, 1, 1)
        elif glyph in ("back", "forth"):
            if glyph == "back":
                painter.translate(16, 0)
                painter.scale(-1, 1)
            painter.drawPolygon(_polygon((4, 3.5), (10.5, 8), (4, 12.5)))
            painter.drawRoundedRect(11, 3.5, 1.8, 9, 0.8, 0.8)
        else:
            for y in (3.5, 8, 12.5):
                painter.drawEllipse(QPointF(8, y), 1.5, 1.5)
    return QIcon(pixmap)


def _polygon(*points: tuple[float, float]) -> QPolygonF:
    return QPolygonF([QPointF(x, y) for x, y in points])
