"""The image viewer: a canvas that draws an image view of the session and answers mouse and keys."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import shiboken6
from PySide6.QtCore import QPointF, Qt, QTimer
from PySide6.QtGui import (
    QColor,
    QPainter,
    QPaintEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QWidget

from jviz.backend.render import kernels
from jviz.errors import JvizError
from jviz.geometry import Geometry
from jviz.session import Session
from jviz.viewers.base import viewer
from jviz.viewers.drops import DropZones
from jviz.viewers.image_compare import Companion
from jviz.viewers.image_events import ImageEvents
from jviz.viewers.image_frame import Frame, frame_of
from jviz.viewers.image_layers import Compositor, rasters_of
from jviz.viewers.image_loading import Loader, preparer_of, warm_up
from jviz.viewers.image_mouse import Gesture
from jviz.viewers.image_needs import Need, SkyNeed, fulfil, missing
from jviz.viewers.image_overlays import lens, overview
from jviz.viewers.image_paint import paint, scene_of
from jviz.viewers.image_tools import overlays
from jviz.viewers.image_touch import Fingers
from jviz.viewers.look import Look
from jviz.viewers.post import post
from jviz.viewers.zoom_band import draw_band
from jviz.views import ImageView

__all__ = ["ImageViewer"]

MUCH = 2_000_000
"""Pixels of a picture above which it is drawn at half resolution while it moves."""

MUCH_LAYERED = 3_300_000
"""The same for all layers together; each counts half as much again in a picture of the kind "lupton"."""

FIRST_LOOKS = 1.5
"""Seconds after the first picture in which half its resolution will do, if the fast kernels are being loaded."""

REST = 140
"""Milliseconds without a change after which the view rests."""


@viewer(kind="image", title="Image", view=ImageView)
class ImageViewer(ImageEvents):
    """Draws images: layers, axes, colour bar and what else the state asks for.

    Attributes
    ----------
    run_command : callable
        ``run_command(id)`` is called for an entry of the context menu; the window puts its own here,
        which asks for arguments where a command needs them.
    """

    def __init__(self, session: Session, state: ImageView, parent: QWidget | None = None) -> None:
        self.compositor = Compositor()
        self.gesture: Gesture | None = None
        self._cursor: QPointF | None = None
        self.is_space_down = False
        self._moving = False
        self._is_laid_out = False
        self._look: Look | None = None
        self._first_looks_end = math.inf
        self.run_command: Callable[[str], Any] = self._run_command
        super().__init__(session, state, parent)
        self.loader = Loader(session)
        self.loader.arrived.connect(self.stir)
        self._preparer = preparer_of(session)
        self._preparer.prepared.connect(self.stir)
        warm_up().ended.connect(self._warm)
        self._rest = QTimer(self, singleShot=True, interval=REST)
        self._rest.timeout.connect(self._come_to_rest)
        self._sharpener = QTimer(self, interval=0)
        self._sharpener.timeout.connect(self._draw_step)
        self._steps: Iterator[None] = iter(())
        self.drops = DropZones(self)
        self.fingers = Fingers(self)
        self.companion = Companion(self)
        self.setMouseTracking(True)
        self.setAcceptDrops(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        session.interaction.changed.connect(self._show_cursor)
        self._heard = [session.subsets_changed, session.interaction.selection_changed]
        self._heard += [signal for overlay in overlays() for signal in overlay.signals(session)]
        for signal in self._heard:
            signal.connect(self._overlays_changed)
        self._show_cursor()
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMinimumSize(80, 60)
        self._describe()

    # --- state to picture -----------------------------------------------------------------------

    @property
    def look(self) -> Look:
        """Colours and font of the theme."""
        if self._look is None:
            self._look = Look.of(self)
        return self._look

    def canvas_height(self) -> int:
        """Height that the picture and its axes have; what is below belongs to others."""
        return self.height()

    def frame_now(self) -> Frame:
        """Return where the parts of the viewer lie; tells the state how large the picture is."""
        frame = frame_of(self.state, self.width(), self.canvas_height(), self.look)
        self.state.viewport = (frame.picture.width(), frame.picture.height())
        return frame

    def geometry_now(self) -> Geometry:
        """Return the map between the picture and data pixels."""
        return self.frame_now().geometry(self.state)

    @property
    def pixels_ratio(self) -> float:
        """Pixels of the picture per logical pixel: those of the screen, or half of them while the picture moves
        and is large, has many layers or the fast kernels are not there yet, and for the first look without them.
        """
        ratio = self.devicePixelRatioF()
        pixels = self.width() * self.canvas_height() * ratio * ratio
        slow = pixels > MUCH or self._has_many_layers or not kernels.ready
        first = not (self.has_painted or kernels.ready)
        return ratio / 2 if first or (self._moving and slow) else ratio

    @property
    def _has_many_layers(self) -> bool:
        """Whether all layers together, in all pixels of the screen, take longer than a frame."""
        ratio, layers = self.devicePixelRatioF(), len(self.state.shown)
        effort = layers * (1.5 if self.state.composite == "lupton" else 1.0)
        return layers > 1 and self.width() * self.canvas_height() * ratio * ratio * effort > MUCH_LAYERED

    @property
    def is_sharp(self) -> bool:
        """Whether nothing better than what is drawn is still to come, pyramids included."""
        rasters = [r for layer in self.state.layers if layer.visible for r in rasters_of(layer)]
        pending = any(not r.sharp and self._preparer.is_pending(r) for r in rasters)
        pending = pending or not warm_up().is_over
        waiting = self._later.isActive() or self._moving or self.loader.busy
        return self._is_under_way and not pending and not waiting and not self.loader.open_needs(self._needs())

    @property
    def _is_under_way(self) -> bool:
        """Whether the first picture is out, or nobody is there to see it; until then nothing else may take time."""
        return self.has_painted or not self.isVisible()

    def refresh(self) -> None:
        """Look for what is missing in memory, have it fetched, and paint what there is."""
        self.companion.follow()
        self._sharpener.stop()
        if self._has_many_layers and self.isVisible():
            self._moving = True  # coarsely at once; `_sharpen` draws the rest
        if not self.isVisible():
            warm_up().begin()
        self.loader.want(need for need in self._needs() if warm_up().is_over or not isinstance(need, SkyNeed))
        self._rest.start()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint from what is in memory; what only came into sight again is copied."""
        if not self._is_laid_out and self.window() is not self:
            self._is_laid_out = True
            self._begin_to_paint()
            return
        with self.kept.painter(self) as painter:
            drawn = self._paint(painter, self.pixels_ratio) if painter is not None else self.has_painted
        if drawn and not self.has_painted:
            self.has_painted = True
            post(self._after_first_paint)

    def _begin_to_paint(self) -> None:
        """Leave the picture to the next turn of the event loop: this one has made the viewer, and room for it."""
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), QColor(self.look.canvas))
        QTimer.singleShot(0, self, self.update)

    def draw(self, painter: QPainter) -> None:
        """Draw all of the viewer, as exactly as it can be now: waits for what is not in memory, not for pyramids."""
        self._moving = False
        try:
            fulfil(self.state, self.geometry_now(), self.devicePixelRatioF(), self.compositor, build=False)
        except (JvizError, OSError) as error:
            self.session.notice("error", str(error))
        self._paint(painter, self.devicePixelRatioF())

    def _paint(self, painter: QPainter, pixels_ratio: float) -> bool:
        scene = scene_of(
            self.state, self.width(), self.canvas_height(), self.look, self.compositor,
            ratio=self.devicePixelRatioF(), origin=self.session.settings["image.pixel_origin"],
            cursor=self._inside(), fast=True, session=self.session,
        )  # fmt: skip
        self.state.viewport = (scene.frame.picture.width(), scene.frame.picture.height())
        drawn = paint(painter, scene, pixels_ratio=pixels_ratio)
        if scene.unfinished:
            self._later.start()
        band = self.gesture.band() if self.gesture is not None else None
        if band is not None:
            draw_band(painter, band, self.look)
        if self.gesture is not None:
            self.gesture.draw(painter)
        self.drops.draw(painter, self.look)
        return drawn

    def _needs(self) -> list[Need]:
        if not self.state.layers:
            return []
        geometry, ratio = self.geometry_now(), self.pixels_ratio
        needs = list(missing(self.state, geometry, ratio, self.compositor, settled=not self._moving))
        insets = (
            overview(self.state, geometry) if self.state.overview else None,
            lens(self.state, geometry, self._inside(), self.look) if self.state.magnifier else None,
        )
        for inset in insets:
            if inset is not None:
                needs += missing(self.state, inset.geometry, ratio, self.compositor, slot=inset.slot)
        return needs

    def _state_changed(self, **values: Any) -> None:
        super()._state_changed(**values)
        if self._rest.isActive() and values.keys() - {"shown_limits"}:
            # One change after the other: a drag in a panel, or a script that moves the picture.
            self._moving = True
        if "layers" in values:
            self.loader.forget_failures()

    def _after_first_paint(self) -> None:
        self._first_looks_end = time.monotonic() + FIRST_LOOKS
        QTimer.singleShot(round(1000 * FIRST_LOOKS) + 1, self, self.stir)
        warm_up().begin()
        self._warm()

    def _warm(self) -> None:
        """Go on with what waited for the fast kernels."""
        if shiboken6.isValid(self):
            self.stir()
            self._prepare()

    def _prepare(self) -> None:
        """Have the pyramids of all images built."""
        if not (warm_up().is_over and self._is_under_way):
            return
        for layer in self.state.layers:
            for raster in rasters_of(layer) if layer.visible else ():
                self._preparer.prepare(layer.data.name, raster)

    def _come_to_rest(self) -> None:
        """Draw in full resolution and tell assistive programs what is shown."""
        self._describe()
        self._prepare()
        self._tell_readout()
        if self._moving and self.gesture is None:
            self._sharpen()

    def _sharpen(self) -> None:
        """Draw in full resolution: at once, or many layers one after the other, so that no step takes long."""
        if not self._has_many_layers:
            self._moving = False
            self.refresh()
            return
        geometry, ratio = self.geometry_now(), self.devicePixelRatioF()
        needs = list(missing(self.state, geometry, ratio, self.compositor, settled=False))
        if self.loader.open_needs(needs):
            self.loader.want(needs)  # what arrives leads back here
            return
        self._steps = self.compositor.gradually(self.state, geometry, ratio, self.look)
        self._sharpener.start()

    def _draw_step(self) -> None:
        """Draw one more layer in full resolution; after the last, show them."""
        if next(self._steps, self) is self:
            self._sharpener.stop()
            self._moving = False
            self.loader.want(self._needs())
            self.update()

    def _describe(self) -> None:
        names = ", ".join(layer.data.name for layer in self.state.layers) or "empty"
        self.setAccessibleName(f"{self.state.name}: {names}")
        if self.state.layers:
            geometry = self.geometry_now()
            x, y = geometry.centre
            self.setAccessibleDescription(f"Image at {100 * geometry.scale:.3g} %, centred on pixel {x:.1f}, {y:.1f}")

    # --- mouse ----------------------------------------------------------------------------------

    def _inside(self) -> QPointF | None:
        """Return the cursor as seen from the corner of the picture, None when it is not over it."""
        if self._cursor is None:
            return None
        frame = self.frame_now()
        return frame.inside(self._cursor) if frame.picture.contains(self._cursor) else None

    def _overlays_changed(self, *_: Any) -> None:
        self.update()

    def _run_command(self, id: str) -> None:
        try:
            if self.session.commands[id].job:
                self.session.submit(id, view=self.state)
            else:
                self.session.run(id, view=self.state)
        except JvizError as error:
            self.session.notice("error", str(error))

    # --- the rest -------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Tell the state how large the picture is now."""
        self.frame_now()
        self._later.start()

    def dragEnterEvent(self, event: Any) -> None:
        """Show where files can be dropped."""
        self.drops.enter(event)

    def dragMoveEvent(self, event: Any) -> None:
        """Follow the files over the zones."""
        self.drops.move(event)

    def dragLeaveEvent(self, event: Any) -> None:
        """Hide the zones."""
        self.drops.leave()

    def dropEvent(self, event: Any) -> None:
        """Take files, or data of the session."""
        self.drops.drop(event)

    def release(self) -> None:
        """Stop fetching, and stop listening to the state."""
        self._rest.stop()
        self._sharpener.stop()
        self.companion.release()
        self.session.interaction.changed.disconnect(self._show_cursor)
        for signal in self._heard:
            signal.disconnect(self._overlays_changed)
        self.loader.close()
        super().release()
