"""The viewer of channel maps: drawn by a job into an image, shown when it is there."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from typing import Any

import shiboken6
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QGradient,
    QImage,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)

from jviz.backend.progress import Progress, silent
from jviz.channel_views import ChannelMapsView, field_of, maps_of, middle_of, panel_view
from jviz.errors import JvizError
from jviz.jobs import Job
from jviz.session import Session
from jviz.spectral_display import scale_of
from jviz.viewers.base import RESTYLING, Viewer, viewer
from jviz.viewers.image_frame import Frame
from jviz.viewers.image_layers import Compositor
from jviz.viewers.image_needs import failed_text, fulfil
from jviz.viewers.image_overlays import draw_bar, draw_plate
from jviz.viewers.image_paint import paint, scene_of
from jviz.viewers.look import Look
from jviz.viewers.post import post

__all__ = ["ChannelMapsViewer", "draw_maps"]

GAP = 3.0

# Members of this enum are made when `QPainter.fillRect` first looks for them. When that is in the main thread and in a
# job at the same time, the program ends: so they are made here.
PRESETS = tuple(QGradient.Preset)


@viewer(kind="channel_maps", title="Channel Maps", view=ChannelMapsView)
class ChannelMapsViewer(Viewer):
    """Shows many slices of a cube side by side; Page up, Page down and the wheel turn the pages."""

    def __init__(self, session: Session, state: ChannelMapsView, parent: Any = None) -> None:
        self._look: Look | None = None
        self._picture: QImage | None = None
        self._drawn: tuple = ()
        self._job: Job | None = None
        super().__init__(session, state, parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(120, 90)
        self.setAccessibleName(f"{state.name}: maps of channels")

    @property
    def look(self) -> Look:
        """Colours and font of the theme."""
        if self._look is None:
            self._look = Look.of(self)
        return self._look

    @property
    def is_sharp(self) -> bool:
        """Whether the page is drawn as the state is now."""
        return self._drawn == self._wanted()

    def _wanted(self) -> tuple:
        layer = self.state.layer
        now = tuple(sorted((k, repr(v)) for k, v in self.state.recorded().items() if k != "layers"))
        looks = tuple(sorted((k, repr(v)) for k, v in layer.recorded().items())) if layer is not None else ()
        return (self.width(), self.height(), self.devicePixelRatioF(), self.look, now, looks)

    def refresh(self) -> None:
        """Have the page drawn by a job, unless it is there or under way; then the next look decides again."""
        wanted = self._wanted()
        if self.state.layer is not None and wanted != self._drawn and (self._job is None or self._job.is_over):
            try:
                self._job = self.session.jobs.submit(
                    "Channel maps", partial(self._work, wanted), quiet=True, urgent=True
                )
            except JvizError:
                return  # the session is closed
        self.update()

    def _work(self, wanted: tuple, job: Job) -> None:
        image, error = None, None
        try:
            image = self._image(wanted[2], job.report)
        except (JvizError, OSError) as problem:
            error = problem
        post(partial(self._take, wanted, image, error))

    def _image(self, ratio: float, progress: Progress) -> QImage:
        image = QImage(round(self.width() * ratio), round(self.height() * ratio), QImage.Format.Format_RGB32)
        with QPainter(image) as painter:
            painter.scale(ratio, ratio)
            draw_maps(painter, self.state, self.width(), self.height(), self.look, ratio, progress)
        image.setDevicePixelRatio(ratio)
        return image

    def _take(self, wanted: tuple, image: QImage | None, error: Exception | None) -> None:
        if not shiboken6.isValid(self):
            return
        self._job, self._drawn = None, wanted
        if error is not None:
            self.session.notice("error", failed_text(error))
        self._picture = image
        self.has_painted = True
        self.stir()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Copy the page that was drawn last."""
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), QColor(self.look.canvas))
            if self._picture is not None:
                painter.drawImage(QPointF(0, 0), self._picture)

    def draw(self, painter: QPainter) -> None:
        """Draw the page exactly; waits for it."""
        ratio = max(1.0, self.devicePixelRatioF())
        draw_maps(painter, self.state, self.width(), self.height(), self.look, ratio, silent)

    def event(self, event: QEvent) -> bool:
        """Draw anew in the colours of another theme."""
        if event.type() in RESTYLING:
            self._look = None
            self.stir()
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Draw anew in the new size."""
        self.stir()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Turn pages."""
        turns = {Qt.Key.Key_PageUp: -1, Qt.Key.Key_PageDown: 1, Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        if event.key() in turns:
            self.turn(turns[Qt.Key(event.key())])
        else:
            super().keyPressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Turn pages."""
        self.turn(-1 if event.angleDelta().y() > 0 else 1)
        event.accept()

    def turn(self, by: int) -> None:
        """Go some pages on."""
        self.state.page = min(max(self.state.page + by, 0), self.state.pages - 1)


def draw_maps(
    painter: QPainter, view: ChannelMapsView, width: float, height: float, look: Look, ratio: float, progress: Progress
) -> None:
    """Draw a page of channel maps in a size in logical pixels."""
    painter.fillRect(QRectF(0, 0, width, height), QColor(look.canvas))
    layer = view.layer
    if layer is None:
        return
    limits, shown = layer.limits, maps_of(view)
    room = 14 + 8 * look.metrics(0.92).horizontalAdvance("0") + 34 if view.colorbar else 0.0
    wide, high = _cell(view, width - room, height)
    if wide < 8 or high < 8:
        return
    grid = QRectF(0, 0, view.columns * (wide + GAP) + GAP, view.rows * (high + GAP) + GAP)
    grid.moveTo(max(0.0, (width - room - grid.width()) / 2), max(0.0, (height - grid.height()) / 2))
    scene, scale = None, scale_of(layer.data.axis, view.spectral_unit)
    for number, channels in enumerate(shown):
        progress(number, len(shown), "drawing maps")
        row, column = divmod(number, view.columns)
        corner = grid.topLeft() + QPointF(GAP + column * (wide + GAP), GAP + row * (high + GAP))
        panel = panel_view(view, channels, limits, (wide, high), first=number == 0)
        scene = _draw_map(painter, panel, corner, (wide, high), look, ratio)
        if view.labels:
            _label(painter, scene, corner, scale.text(middle_of(view, channels)).replace("-", "\u2212"))
    if scene is not None and view.colorbar:
        bar = QRectF(grid.right() + 7, grid.top() + GAP + 10, 14, grid.height() - 2 * GAP - 20)
        whole = QRectF(0, 0, grid.right() + room, height)
        draw_bar(painter, replace(scene, frame=Frame(whole, scene.frame.picture, bar)))


def _cell(view: ChannelMapsView, width: float, height: float) -> tuple[float, float]:
    """Return width and height of a map: of the shape of what it shows, as large as there is room."""
    wide = (width - GAP * (view.columns + 1)) / view.columns
    high = (height - GAP * (view.rows + 1)) / view.rows
    if min(wide, high) <= 0:
        return 0.0, 0.0
    x0, y0, x1, y1 = field_of(view)
    angle = math.radians(view.rotation)
    cos, sin = abs(math.cos(angle)), abs(math.sin(angle))
    across, up = (x1 - x0) * cos + (y1 - y0) * sin, (x1 - x0) * sin + (y1 - y0) * cos
    scale = min(wide / across, high / up)
    return scale * across, scale * up


def _draw_map(
    painter: QPainter, panel: Any, corner: QPointF, size: tuple[float, float], look: Look, ratio: float
) -> Any:
    compositor = Compositor()
    scene = scene_of(panel, *size, look, compositor, ratio=ratio)
    panel.viewport = size
    fulfil(panel, scene.geometry, ratio, compositor)
    scene = scene_of(panel, *size, look, compositor, ratio=ratio)
    painter.save()
    painter.translate(corner)
    painter.setClipRect(QRectF(0, 0, *size))
    paint(painter, scene, pixels_ratio=ratio)
    painter.restore()
    painter.setPen(QPen(QColor(look.line), 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(QRectF(corner, corner + QPointF(*size)))
    return scene


SMALLEST = 0.5
"""Size of the letters of labels in narrow maps, as a share of the usual size."""


def _label(painter: QPainter, scene: Any, corner: QPointF, text: str) -> None:
    share = 0.92
    needed = QFontMetricsF(scene.look.font(share, bold=True)).horizontalAdvance(text) + 20
    if needed > scene.geometry.width:
        share = max(SMALLEST, share * scene.geometry.width / needed)
    font, metrics = scene.look.font(share, bold=True), scene.look.metrics(share)
    place = QRectF(6, 5, metrics.horizontalAdvance(text) + 8, metrics.height() + 2)
    painter.save()
    painter.translate(corner)
    ink, mixed = scene.ground(place)
    if mixed:
        draw_plate(painter, place)
    ink.write(painter, QPointF(10, 6 + metrics.height() / 2), text, font, across=0.0, down=0.5)
    painter.restore()
