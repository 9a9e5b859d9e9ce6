"""The viewer of spectra: draws a spectrum view of the session and answers mouse and keys."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap, QWheelEvent
from PySide6.QtWidgets import QWidget

from jviz.backend.dq import flag_names
from jviz.backend.spectra import strokes
from jviz.errors import JvizError
from jviz.session import Session
from jviz.spectrum_views import SpectrumView, bounds_in
from jviz.viewers.base import viewer
from jviz.viewers.plot.frame import draw_frame, title_rects
from jviz.viewers.plot.legend import draw_legend, is_on_legend, legend_of
from jviz.viewers.plot.paint import draw_curve, ground, layer_colors, plot_scene
from jviz.viewers.plot.viewer import PlotReadout, PlotViewer, _nearest
from jviz.viewers.readout import number_text, place_text, pretty_unit
from jviz.viewers.spectrum import marks
from jviz.viewers.spectrum.crowd import CROWD, Crowd
from jviz.viewers.spectrum.grips import Grip, cursor_at, grip_at, moved_range, range_part_at
from jviz.viewers.spectrum.masks import draw_masked
from jviz.viewers.spectrum.menus import context_menu, unit_menu
from jviz.viewers.spectrum.panels import laid_out
from jviz.viewers.spectrum.pointing import draw_pointed, pointed_wavelength
from jviz.viewers.spectrum.scene import CurveKeeper, SpectrumScene
from jviz.viewers.zoom_band import draw_band

__all__ = ["SpectrumReadout", "SpectrumViewer"]

EMPTY = "Move the mouse over a cube, draw a region on it, or open a spectrum"
WAITING = "Reading the spectrum…"
ASIDE = frozenset({"x_range", "y_range", "redshift", "lines", "own_lines", "ranges", "legend", "grid", "locks", "name",
                   "active"})  # fmt: skip
"""Properties of a view of which its curves do not depend."""
PATIENCE = 0.25
"""Seconds between pictures while very many curves are made."""
FEW_CURVES = 6
"""Curves up to which all are drawn anew for each live spectrum."""


@dataclass(frozen=True)
class SpectrumReadout(PlotReadout):
    """The sample that is nearest to the cursor.

    Attributes
    ----------
    channel : int
        Of the spectrum in its file, from 0.
    flags : tuple of str
        Names of the data quality flags that are set.
    layer : object
    """

    channel: int = 0
    flags: tuple[str, ...] = ()
    layer: Any = None

    @property
    def text(self) -> str:
        """All in one line."""
        curve = self.curve
        across = f"{place_text(self.x, curve.x)} {pretty_unit(curve.x_unit)}".rstrip()
        spread = "" if self.error is None or not np.isfinite(self.error) else f" ± {self.error:.3g}"
        value = f"{number_text(self.y)}{spread} {pretty_unit(curve.y_unit)}".rstrip()
        flags = f"DQ {', '.join(self.flags)}" if self.flags else ""
        return "   ".join(filter(None, (across, value, flags, f"channel {self.channel}", self.layer.title)))


@viewer(kind="spectrum", title="Spectrum", view=SpectrumView)
class SpectrumViewer(PlotViewer):
    """Draws spectra. Shift and drag marks a range, Alt and drag shows one in the cube viewers."""

    def __init__(self, session: Session, state: SpectrumView, parent: QWidget | None = None) -> None:
        self.titles: dict[str, QRectF] = {}
        self._grip: Grip | None = None
        self._hovered: Any = None
        self._painted = 0.0
        self._legend_first = 0
        self._still: tuple[Any, QPixmap] | None = None
        self._complete = self._compiling = False
        self._curves, self._crowd = CurveKeeper(session, state, self.stir), Crowd()
        self._colors: tuple[Any, dict[int, str]] | None = None
        self._views: list[Any] = []
        super().__init__(session, state, parent)
        session.subsets_changed.connect(self.stir)
        session.live_spectra.changed.connect(self.stir)
        session.interaction.selection_changed.connect(self.stir)
        session.views_changed.connect(self._watch_cubes)
        session.pointer.moved.connect(self._pointer_moved)
        self._pointed: float | None = None
        self._watch_cubes()
        session.cube_spectra.attend(self)

    def _pointer_moved(self) -> None:
        """Mark the wavelength under the cursor of a 2-D spectrum."""
        before, self._pointed = self._pointed, pointed_wavelength(self.session)
        if self._pointed != before:
            self.stir()

    def release(self) -> None:
        """Stop listening to the session."""
        self.session.cube_spectra.leave(self)
        self.session.subsets_changed.disconnect(self.stir)
        self.session.live_spectra.changed.disconnect(self.stir)
        self.session.interaction.selection_changed.disconnect(self.stir)
        self.session.views_changed.disconnect(self._watch_cubes)
        self.session.pointer.moved.disconnect(self._pointer_moved)
        self._follow([])
        super().release()

    def _state_changed(self, **values: Any) -> None:
        if not values.keys() <= ASIDE | {"layers"}:
            self._curves.forget()
        super()._state_changed(**values)

    def _watch_cubes(self) -> None:
        """Hear of the slices that cube views show."""
        cubes = [view for view in self.session.views.values() if hasattr(type(view), "leading")]
        self._follow([state for view in cubes for state in (view, *view.layers)])
        self.stir()

    def _follow(self, states: list[Any]) -> None:
        for state in self._views:
            state.remove_global_callback(self._cube_changed)
        for state in states:
            state.add_global_callback(self._cube_changed)
        self._views = states

    def _cube_changed(self, **values: Any) -> None:
        if "layers" in values:
            self._watch_cubes()
        elif {"index", "slab", "order", "active"} & set(values):
            self.stir()

    @property
    def is_sharp(self) -> bool:
        """Whether all curves are drawn."""
        return self.has_painted and self._complete

    # --- picture --------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show the state; while very many curves are made, only now and then."""
        if not self._complete and len(self.state.layers) >= CROWD and time.perf_counter() < self._painted + PATIENCE:
            made = self._curves.make(wait=False)
            if made.fresh and not made.is_complete:  # it has asked for the next refresh
                return
        super().refresh()

    def scene_now(self) -> SpectrumScene:
        """Lay out the view in the present size, with the curves that are at hand."""
        made = self._curves.make(wait=not self.isVisible())
        self._complete = made.is_complete
        live, within = [curve for _, curve in made.live], None
        if len(made.shown) >= CROWD and self._can_crowd():
            self._crowd.take(made.shown, made.version)
            within = self._crowd.curves(live)
        scene = laid_out(self, lambda room: plot_scene(
            self.state, self.width(), self.height(), self.look, self._cursor, shown=made.shown, spanning=live,
            kind=SpectrumScene, within=within, colors=self._colours(made.version), room=room,
        ))  # fmt: skip
        scene.live, scene.scale, scene.notes = made.live, made.scale, made.notes
        visible = self._hovered is not None and any(layer is self._hovered for layer, _ in made.shown)
        scene.hovered = self._hovered if visible else None
        scene.legend_first = self._legend_first
        return scene

    def _colours(self, version: int) -> dict[int, str]:
        """Return the colours of the layers, kept as long as nothing about them changes."""
        key = (version, self.look, len(self.state.layers))
        if self._colors is None or self._colors[0] != key:
            self._colors = (key, layer_colors(self.state, self.look))
        return self._colors[1]

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the spectra and what the mouse is doing."""
        with QPainter(self) as painter:
            scene = self.scene_now()
            scene.on_screen = True
            self.titles = title_rects(scene)
            self.paint(painter, scene)
            self._draw_mouse(painter, scene)
            self.drops.draw(painter, self.look)
        self.has_painted, self._painted = True, time.perf_counter()

    def paint(self, painter: QPainter, scene: SpectrumScene) -> None:
        """Paint a scene, on the screen or into a file."""
        if not ground(painter, scene, EMPTY):
            return
        marked = marks.ranges_in_sight(self.session, scene)
        if scene.on_screen and scene.live and len(scene.shown) > FEW_CURVES:
            self._paint_still(painter, scene)
        else:
            self._paint_curves(painter, scene)
        painter.save()
        painter.setClipRect(scene.picture, Qt.ClipOperation.IntersectClip)
        marks.draw_ranges(painter, scene, marked, self.session.interaction.selected)
        for layer, curve in scene.live:
            draw_curve(painter, scene, layer, curve, layer.color or scene.look.text, width=1.6)
        marks.draw_lines(painter, scene)
        if scene.on_screen:
            marks.draw_slices(painter, scene, marks.slices_in_sight(self.session, scene))
            draw_pointed(painter, scene, self.session)
        painter.restore()
        draw_legend(painter, scene)
        self._draw_notes(painter, scene)

    def _paint_still(self, painter: QPainter, scene: SpectrumScene) -> None:
        """Copy the frame and the curves of layers as they were painted last: only live spectra have changed."""
        ratio = self.devicePixelRatioF()
        key = (
            self.size(), ratio, scene.x, scene.y, scene.look, scene.grid, id(scene.hovered), scene.x_title,
            scene.y_title,
            tuple((id(layer), id(curve), layer.color, layer.drawing, layer.opacity) for layer, curve in scene.shown),
        )  # fmt: skip
        if self._still is None or self._still[0] != key:
            pixmap = QPixmap(self.size() * ratio)
            pixmap.setDevicePixelRatio(ratio)
            with QPainter(pixmap) as still:
                ground(still, scene, EMPTY)
                self._paint_curves(still, scene)
            self._still = (key, pixmap)
        painter.drawPixmap(0, 0, self._still[1])

    def _paint_curves(self, painter: QPainter, scene: SpectrumScene) -> None:
        draw_frame(painter, scene, choices=scene.on_screen)
        painter.save()
        painter.setClipRect(scene.picture, Qt.ClipOperation.IntersectClip)
        shown = scene.shown
        if self.state.masked == "grey":
            draw_masked(painter, scene)
        if scene.on_screen and len(shown) >= CROWD:
            if not self._can_crowd():
                # Until the kernels are there some of them, so that the window goes on.
                shown, self._complete = shown[:CROWD], False
            elif self._crowd.is_one:
                self._crowd.draw(painter, scene, self.devicePixelRatioF())
                painter.restore()
                return
        for layer, curve in sorted(shown, key=lambda pair: pair[0] is scene.hovered):
            if getattr(curve, "masked", None) is not None:
                bare = replace_drawing(layer)
                draw_curve(painter, scene, bare, curve.masked, scene.look.faint, width=1.0)
            draw_curve(painter, scene, layer, curve, width=2.4 if layer is scene.hovered else 1.4)
        painter.restore()

    def _can_crowd(self) -> bool:
        """Whether many spectra can be drawn by the kernel; it is compiled by a job when they come first."""
        if not strokes.is_ready() and not self._compiling:
            self._compiling = True

            def work(job: Any) -> None:
                strokes.prepare()
                self.stir()

            self.session.jobs.submit("Prepare to draw many spectra", work, quiet=True, urgent=True)
        return strokes.is_ready()

    def _draw_notes(self, painter: QPainter, scene: SpectrumScene) -> None:
        """Say what could not be shown."""
        text = WAITING if not scene.shown and not self._complete else ""
        if scene.notes:
            more = f"  (and {len(scene.notes) - 1} more)" if len(scene.notes) > 1 else ""
            text = scene.notes[0] + more
        if text and scene.on_screen:
            painter.setFont(scene.look.font(0.92))
            how = Qt.AlignmentFlag.AlignBottom | Qt.AlignmentFlag.AlignLeft | Qt.TextFlag.TextWordWrap
            area = painter.boundingRect(scene.picture.adjusted(12, 8, -12, -8), how, text)
            plate = QColor(scene.look.canvas)
            plate.setAlpha(220)
            painter.fillRect(area.adjusted(-4, -2, 4, 2), plate)
            painter.setPen(QColor(scene.look.faint))
            painter.drawText(area, how, text)

    def _draw_mouse(self, painter: QPainter, scene: SpectrumScene) -> None:
        """Draw the box that is being zoomed to, what is being dragged, and the sample under the cursor."""
        if self._band is not None:
            draw_band(painter, self._band, self.look)
        if self._grip is not None:
            self._grip.draw(painter)
        elif self._cursor is not None and self._start is None:
            found = self.readout(self._cursor, scene)
            if found is not None and np.isfinite(found.y):
                _draw_sample(painter, scene, found)

    # --- read-out -------------------------------------------------------------------------------

    def readout(self, position: QPointF, scene: SpectrumScene | None = None) -> SpectrumReadout | None:
        """Return the sample of a spectrum nearest to a position; None beside the picture and on the legend."""
        scene = scene or self.scene_now()
        if not scene.picture.contains(position) or is_on_legend(scene, position):
            return None
        wanted = scene.x.value(position.x())
        best: tuple[float, Any, Any, int] | None = None
        shown = scene.shown
        if len(shown) >= CROWD and self._can_crowd():
            channels, values = self._crowd.nearest(wanted)
            far = np.abs(scene.y.place(values) - position.y())
            if len(far) == len(shown) and np.isfinite(far).any():
                n = int(np.nanargmin(far))
                best, shown = (float(far[n]), *shown[n], int(channels[n])), []
        for layer, curve in shown + scene.live:
            if not len(curve.x):
                continue
            n = _nearest(curve.x, wanted)
            away = abs(float(scene.y.place(float(curve.y[n]))) - position.y())
            away = away if np.isfinite(away) else np.inf
            if best is None or away < best[0]:
                best = (away, layer, curve, n)
        return None if best is None else self._read(*best[1:])

    def _read(self, layer: Any, curve: Any, n: int) -> SpectrumReadout:
        channel, samples = curve.channel(n), curve.samples
        error = None if curve.error is None else float(curve.error[n])
        names: tuple[str, ...] = ()
        if samples.flags is not None and int(samples.flags[channel]):
            meanings = getattr(getattr(layer.data, "product", None), "flags", "") or "generic"
            names = tuple(flag_names(int(samples.flags[channel]), meanings))
        return SpectrumReadout(
            self.state, layer.data, curve, float(curve.x[n]), float(curve.y[n]), error, channel, names, layer
        )

    # --- mouse and keys -------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of a range or slice, choose a unit or a name; else move or zoom."""
        if event.button() == Qt.MouseButton.LeftButton and self._press_on(event.position()):
            event.accept()
            return
        self._grip = grip_at(self, event)
        if self._grip is not None:
            self.setFocus(Qt.FocusReason.MouseFocusReason)
            self.activated.emit()
            event.accept()
            return
        super().mousePressEvent(event)

    @property
    def is_filled(self) -> bool:
        """Whether there is a spectrum, of a layer or a live one."""
        return bool(self.state.layers or self.session.live_spectra.shown)

    def _press_on(self, at: QPointF) -> bool:
        axis = next((axis for axis, rect in self.titles.items() if rect.contains(at)), None)
        if axis is not None and self.is_filled:
            menu = unit_menu(self, axis)
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            menu.popup(self.mapToGlobal(at.toPoint()))
            return True
        legend = legend_of(self.scene_now()) if self.state.layers else None
        layer = legend.layer_at(at) if legend is not None else None
        if layer is not None and layer not in self.state.layers:
            return True  # a live spectrum, which is shown and hidden with its region
        if layer is None:
            return False
        self.seal()
        layer.visible = not layer.visible
        self.seal()
        return True

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow the mouse, or read the nearest sample."""
        if self._grip is not None:
            self._cursor = event.position()
            self._grip.drag(event.position())
            return
        super().mouseMoveEvent(event)
        if self._start is None:
            self._hover(event.position())

    def _hover(self, at: QPointF) -> None:
        """Show what a press would do, and which spectrum a name in the legend is of; mark the place in 2-D spectra."""
        scene = self.scene_now()
        inside = scene.picture.contains(at)
        value = float(scene.x.value(at.x())) if inside else 0.0
        self.session.pointer.move_spectral(self.state if inside else None, value, scene.scale)
        legend = legend_of(scene) if scene.shown else None
        self._hovered = legend.layer_at(at) if legend is not None else None
        self.setCursor(cursor_at(self, scene, at) if self._hovered is None else Qt.CursorShape.PointingHandCursor)
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End what was begun: one step of the history."""
        if self._grip is not None:
            grip, self._grip = self._grip, None
            try:
                grip.finish()
            except JvizError as error:
                self.session.notice("error", str(error))
            self.update()
            return
        clicked = (
            self._start is not None
            and self._band is None
            and ((event.position() - self._start[0]).manhattanLength() < 4)
        )
        super().mouseReleaseEvent(event)
        if clicked and event.button() == Qt.MouseButton.LeftButton:
            found = range_part_at(self, self.scene_now(), event.position())
            self.session.interaction.select([found[0].subset.name] if found else [])

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll the legend, else zoom at the cursor."""
        legend = legend_of(self.scene_now()) if self.state.layers else None
        if legend is not None and legend.box.contains(event.position()) and len(legend.rows) < legend.count:
            steps = -event.angleDelta().y() / 120 * 3
            last = legend.count - len(legend.rows)
            self._legend_first = int(min(max(self._legend_first + steps, 0), last))
            self.update()
            event.accept()
            return
        super().wheelEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        """Forget the cursor."""
        self.session.pointer.move_spectral(None)
        self._hovered = None
        super().leaveEvent(event)
        self.update()

    def contextMenuEvent(self, event: Any) -> None:
        """Show what can be done at this place, and the commands on spectra."""
        menu = context_menu(self, QPointF(event.pos()))
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(event.globalPos())
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move or remove selected ranges; else as in every plot."""
        if event.key() == Qt.Key.Key_Escape and self._grip is not None:
            self._grip.cancel()
            self._grip = None
            self.update()
            return
        chosen = [self.session.subsets[name] for name in self.session.interaction.selected
                  if name in self.session.subsets]  # fmt: skip
        chosen = [subset for subset in chosen if subset.kind == "spectral" and not subset.locked]
        if chosen and self._range_key(event, chosen):
            event.accept()
            return
        super().keyPressEvent(event)

    def _range_key(self, event: QKeyEvent, chosen: list[Any]) -> bool:
        key, keys = event.key(), event.modifiers()
        if key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            for subset in chosen:
                self.session.run("subset.remove", name=subset.name)
            self.session.interaction.select([])
        elif key == Qt.Key.Key_Escape:
            self.session.interaction.select([])
        elif key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            pixels = (10.0 if keys & Qt.KeyboardModifier.ShiftModifier else 1.0) * (-1 if key == Qt.Key.Key_Left else 1)
            for subset in chosen:
                self._nudge(subset, pixels, widen=bool(keys & Qt.KeyboardModifier.AltModifier))
        else:
            return False
        return True

    def _nudge(self, subset: Any, pixels: float, *, widen: bool) -> None:
        """Move a range by pixels of the screen, or only its upper end."""
        from jviz.backend.spectra.ranges import ranges_of

        scene = self.scene_now()
        region = subset.region
        for part, (low, high) in enumerate(bounds_in(ranges_of(region), scene.scale)):
            ends = [scene.x.value(float(scene.x.place(end)) + pixels) for end in (low, high)]
            moved = (low, ends[1]) if widen else tuple(ends)
            if moved[0] < moved[1]:
                region = moved_range(subset.but(region=region), part, *moved, scene.scale)
        self.session.run("subset.create", name=subset.name, region=region, data=subset.data)

    def seal(self) -> None:
        """End what was set by mouse so far as a step of its own."""
        self._seal()


def replace_drawing(layer: Any) -> Any:
    """Return a stand-in of a layer for its masked samples: no band, no colour of its own."""
    from types import SimpleNamespace

    return SimpleNamespace(color="", drawing=layer.drawing, errors=False, opacity=layer.opacity)


def _draw_sample(painter: QPainter, scene: SpectrumScene, found: SpectrumReadout) -> None:
    place = QPointF(float(scene.x.place(found.x)), float(scene.y.place(found.y)))
    if not scene.picture.contains(place):
        return
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setPen(QPen(QColor(scene.look.text), 1.2))
    painter.setBrush(QColor(found.layer.color or scene.colors.get(id(found.layer), scene.look.text)))
    painter.drawEllipse(place, 3.5, 3.5)
