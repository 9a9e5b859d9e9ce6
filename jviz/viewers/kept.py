"""Pictures that are painted again as they were: of a viewer that comes into sight again, and of parts of it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPixmap
from PySide6.QtWidgets import QWidget

__all__ = ["Kept", "draw_kept"]


class Kept:
    """Saves a viewer from composing its picture anew for what was in front of it.

    A menu, a message or the palette over a viewer uncovers it again at each of their changes. What was asked
    for by ``update`` is painted at once, without a copy: a moving picture costs no more than before. The first
    repaint that nobody asked for paints into a pixmap; those that follow copy it.
    """

    def __init__(self) -> None:
        self._pixmap: QPixmap | None = None
        self._is_outdated = True

    def forget(self) -> None:
        """The picture changed, or is out of sight."""
        self._pixmap, self._is_outdated = None, True

    @contextmanager
    def painter(self, widget: QWidget) -> Iterator[QPainter | None]:
        """Give what to paint a widget with, None when its picture is there already (in its paint event)."""
        if self._is_outdated:
            self._is_outdated = False
            with QPainter(widget) as painter:
                yield painter
            return
        if self._fits(widget):
            yield None
        else:
            self._pixmap = _pixmap_for(widget)
            with QPainter(self._pixmap) as painter:
                painter.setFont(widget.font())
                yield painter
        with QPainter(widget) as painter:
            painter.drawPixmap(0, 0, self._pixmap)

    def _fits(self, widget: QWidget) -> bool:
        kept, ratio = self._pixmap, widget.devicePixelRatioF()
        return kept is not None and kept.devicePixelRatio() == ratio and kept.size() == widget.size() * ratio


def _pixmap_for(widget: QWidget) -> QPixmap:
    ratio = widget.devicePixelRatioF()
    pixmap = QPixmap(widget.size() * ratio)
    pixmap.setDevicePixelRatio(ratio)
    return pixmap


MOST_DRAWINGS = 64
_drawings: OrderedDict[Hashable, QImage] = OrderedDict()


def draw_kept(painter: QPainter, area: QRectF, ratio: float, key: Hashable, draw: Callable[[QPainter], object]) -> None:
    """Draw something that mostly looks as the last time, such as a scale while slices go by.

    Parameters
    ----------
    area : QRectF
        Outside of it nothing is drawn.
    ratio : float
        Pixels of the device per logical pixel.
    key : hashable
        All that the drawing depends on, besides area and ratio.
    draw : callable
        Given a painter with antialiasing and the coordinates of ``painter``.
    """
    whole = area.toAlignedRect()
    key = (key, whole.getRect(), ratio)
    image = _drawings.pop(key, None)
    if image is None:
        image = QImage(QSize(_pixels(whole.width(), ratio), _pixels(whole.height(), ratio)),
                       QImage.Format.Format_ARGB32_Premultiplied)  # fmt: skip
        image.setDevicePixelRatio(ratio)
        image.fill(Qt.GlobalColor.transparent)
        with QPainter(image) as inner:
            inner.setRenderHint(QPainter.RenderHint.Antialiasing, True)
            inner.translate(-whole.topLeft())
            draw(inner)
    _drawings[key] = image
    while len(_drawings) > MOST_DRAWINGS:
        _drawings.popitem(last=False)
    painter.drawImage(whole.topLeft(), image)


def _pixels(length: int, ratio: float) -> int:
    return max(1, round(length * ratio))
