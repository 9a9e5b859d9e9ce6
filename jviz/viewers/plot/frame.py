"""The frame of every plot: where the picture lies, its axes with ticks and titles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from jviz.viewers.look import Look
from jviz.viewers.plot.axes import Axis, axis_ticks
from jviz.viewers.readout import pretty_unit

__all__ = ["Frame", "Title", "draw_frame", "many_ticks", "picture_in", "title_rects"]

CHOICE = " ▾"
"""After the title of an axis that a click gives a menu."""


@dataclass(frozen=True)
class Title:
    """What an axis is of."""

    label: str = ""
    unit: str = ""

    def text(self, power: str) -> str:
        """Return the title with the power of ten of the numbers and the unit."""
        inside = " ".join(filter(None, (power, pretty_unit(self.unit))))
        return f"{self.label} ({inside})" if inside else self.label


@dataclass(kw_only=True)
class Frame:
    """Where the picture and its axes lie, in logical pixels with the origin at the top left corner."""

    look: Look
    picture: QRectF
    whole: QRectF
    x: Axis
    y: Axis
    x_title: Title = field(default_factory=Title)
    y_title: Title = field(default_factory=Title)
    grid: bool = False
    cursor: QPointF | None = None


def many_ticks(length: float, each: float) -> int:
    """Return how many ticks fit along an axis when each needs so much room."""
    return max(2, int(length / each))


def picture_in(width: float, height: float, look: Look, y: Axis, room: float = 0.0) -> QRectF:
    """Return the place of the picture, with room for the numbers of this y axis (of which only the ends count).

    Parameters
    ----------
    room : float
        On the left, in pixels, at least.
    """
    metrics = look.metrics(0.92)
    line = metrics.height()
    top, right, bottom, left = 0.9 * line, 1.2 * line, 3.1 * line, 2.2 * line
    labels = axis_ticks(y, many_ticks(height - bottom - top, 3.2 * line))[0].labels
    left += max((metrics.horizontalAdvance(text) for text in labels), default=0.0) + 8
    left = max(left, room)
    return QRectF(left, top, max(width - left - right, 10.0), max(height - top - bottom, 10.0))


def draw_frame(painter: QPainter, frame: Frame, *, choices: bool = False) -> None:
    """Draw the border, ticks, numbers, titles and, when wanted, the grid.

    Parameters
    ----------
    choices : bool
        Whether a click on a title gives a menu, which a sign after it tells.
    """
    look, picture = frame.look, frame.picture
    metrics = look.metrics(0.92)
    line = metrics.height()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setFont(look.font(0.92))
    x_ticks, x_small = axis_ticks(frame.x, many_ticks(picture.width(), 7 * line))
    y_ticks, y_small = axis_ticks(frame.y, many_ticks(picture.height(), 3.2 * line))
    across = [picture.left() + p * picture.width() for p in x_ticks.positions]
    down = [picture.bottom() - p * picture.height() for p in y_ticks.positions]
    if frame.grid:
        _draw_grid(painter, frame, across, down)
    painter.setPen(QPen(QColor(look.line), 1.0))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(picture)
    for place, length in [(p, 5.0) for p in across] + [(picture.left() + p * picture.width(), 3.0) for p in x_small]:
        painter.drawLine(QPointF(place, picture.bottom()), QPointF(place, picture.bottom() - length))
        painter.drawLine(QPointF(place, picture.top()), QPointF(place, picture.top() + length))
    for place, length in [(p, 5.0) for p in down] + [(picture.bottom() - p * picture.height(), 3.0) for p in y_small]:
        painter.drawLine(QPointF(picture.left(), place), QPointF(picture.left() + length, place))
        painter.drawLine(QPointF(picture.right(), place), QPointF(picture.right() - length, place))
    painter.setPen(QColor(look.text))
    for left, text in _numbers_across(frame, across, x_ticks.labels):
        painter.drawText(QPointF(left, picture.bottom() + metrics.ascent() + 5), text)
    widest = 0.0
    for place, text in zip(down, y_ticks.labels, strict=True):
        wide = metrics.horizontalAdvance(text)
        widest = max(widest, wide)
        painter.drawText(QPointF(picture.left() - wide - 7, place + metrics.ascent() / 2 - 1.5), text)
    _draw_titles(painter, frame, (x_ticks.power, y_ticks.power), widest, CHOICE if choices else "")


def _numbers_across(frame: Frame, across: Sequence[float], labels: Sequence[str]) -> list[tuple[float, str]]:
    """Return the numbers below a picture and where each begins: within the viewer, and apart from each other."""
    metrics, found, taken = frame.look.metrics(0.92), [], frame.whole.left()
    for place, text in sorted(zip(across, labels, strict=True)):
        wide = metrics.horizontalAdvance(text)
        left = min(max(place - wide / 2, frame.whole.left() + 1), frame.whole.right() - wide - 1)
        if left >= taken:
            found.append((left, text))
            taken = left + wide + metrics.height() / 2
    return found


def _draw_grid(painter: QPainter, frame: Frame, across: list[float], down: list[float]) -> None:
    colour = QColor(frame.look.line)
    colour.setAlphaF(0.3)
    painter.setPen(QPen(colour, 1.0))
    for place in across:
        painter.drawLine(QPointF(place, frame.picture.top()), QPointF(place, frame.picture.bottom()))
    for place in down:
        painter.drawLine(QPointF(frame.picture.left(), place), QPointF(frame.picture.right(), place))


def _draw_titles(painter: QPainter, frame: Frame, powers: tuple[str, str], widest: float, after: str) -> None:
    picture, metrics = frame.picture, frame.look.metrics(0.92)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    room = Qt.TextElideMode.ElideMiddle
    title = metrics.elidedText(frame.x_title.text(powers[0]) + after, room, picture.width() + 20)
    painter.drawText(
        QPointF(picture.center().x() - metrics.horizontalAdvance(title) / 2, picture.bottom() + 2.6 * metrics.height()),
        title,
    )
    title = metrics.elidedText(frame.y_title.text(powers[1]) + after, room, picture.height() + 20)
    painter.save()
    painter.translate(
        max(picture.left() - widest - 16, metrics.ascent() + 4),
        picture.center().y() + metrics.horizontalAdvance(title) / 2,
    )
    painter.rotate(-90)
    painter.drawText(QPointF(0, 0), title)
    painter.restore()


def title_rects(frame: Frame) -> dict[str, QRectF]:
    """Return where the titles of the axes are, "x" and "y", with some room for the mouse."""
    picture, metrics = frame.picture, frame.look.metrics(0.92)
    wide = min(metrics.horizontalAdvance(frame.x_title.text("") + CHOICE) + 60, picture.width())
    high = min(metrics.horizontalAdvance(frame.y_title.text("") + CHOICE) + 60, picture.height())
    below = picture.bottom() + 1.7 * metrics.height()
    return {
        "x": QRectF(picture.center().x() - wide / 2, below, wide, 1.3 * metrics.height()),
        "y": QRectF(0, picture.center().y() - high / 2, 1.7 * metrics.height(), high),
    }
