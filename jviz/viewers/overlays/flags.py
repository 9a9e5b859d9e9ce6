"""The legend of the flags that are drawn over an image, and the frame of the pixel that was stepped to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QAction, QColor, QPainter, QPen

from jviz.backend.dq import flag_names
from jviz.flags import flag_color, flags_plane
from jviz.viewers.image_layers import overlaid_flags
from jviz.viewers.image_overlays import Scene, flags_listed
from jviz.viewers.image_tools import Overlay, register_overlay
from jviz.viewers.ink import Ink
from jviz.viewers.readout import read_out
from jviz.viewers.strokes import path_of

if TYPE_CHECKING:
    from jviz.viewers.image import ImageViewer

__all__ = ["FlagLegend", "SteppedPixel"]

PLATE, LETTERS, FAINT = QColor(16, 18, 22, 200), QColor("#f2f4f8"), QColor("#aab2c0")
ABOVE_SCALE_BAR = 46.0
MOST = 14


class FlagLegend(Overlay):
    """Names the flags in sight of the topmost layer that shows some, each with its colour."""

    order = 40
    any_side = True

    def paint(self, painter: QPainter, scene: Scene) -> None:
        if not scene.view.flag_legend:
            return
        layer = next((one for one in reversed(scene.view.shown) if overlaid_flags(one) is not None), None)
        bits = flags_listed(scene, layer) if layer is not None else []
        metrics = scene.look.metrics(0.85)
        step = round(1.45 * metrics.height())
        room = int((scene.geometry.height - ABOVE_SCALE_BAR - 60) / step)
        if not bits or room < 2:
            return
        shown = bits[: min(room, MOST)]
        names = [flag_names(1 << bit, layer.data.product.flags or "generic")[0] for bit in shown]
        more = f"and {len(bits) - len(shown)} more" if len(bits) > len(shown) else ""
        wide = max(metrics.horizontalAdvance(text) for text in (*names, more)) + 38
        high = step * (len(names) + bool(more)) + 10
        plate = QRectF(14, scene.geometry.height - ABOVE_SCALE_BAR - high, wide, high)
        painter.setFont(scene.look.font(0.85))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(PLATE)
        painter.drawRoundedRect(plate, 5, 5)
        base = plate.top() + 5 + (step + metrics.ascent() - metrics.descent()) / 2
        for number, (bit, name) in enumerate(zip(shown, names, strict=True)):
            y = base + number * step
            painter.setPen(QPen(QColor(255, 255, 255, 90), 1.0))
            painter.setBrush(QColor(flag_color(layer, bit)))
            painter.drawRect(QRectF(plate.left() + 9.5, round(y - 0.36 * metrics.ascent() - 6) + 0.5, 11, 11))
            painter.setPen(LETTERS)
            painter.drawText(QPointF(plate.left() + 29, y), name)
        if more:
            painter.setPen(FAINT)
            painter.drawText(QPointF(plate.left() + 29, base + len(names) * step), more)

    def menu(self, viewer: ImageViewer, position: QPointF) -> list[QAction]:
        """Return the entry that finds the pixels flagged like the one under the cursor, when that is flagged."""
        view, frame = viewer.state, viewer.frame_now()
        if not frame.picture.contains(position) or flags_plane(view.layer) is None:
            return []
        x, y = (float(n) for n in viewer.geometry_now().to_data(*frame.inside(position).toTuple()))
        names = read_out(view, x, y).flag_names
        if not names:
            return []
        action = QAction(f"Find Pixels Flagged {', '.join(names[:3])}{' …' if len(names) > 3 else ''}")
        action.triggered.connect(lambda *_: viewer.session.submit("dq.find", x=x, y=y, view=view))
        return [action]


class SteppedPixel(Overlay):
    """Frames the flagged pixel that was stepped to, on the screen only."""

    order = 42

    def signals(self, session: Any) -> Iterable[Any]:
        return (session.interaction.pixel_changed,)

    def paint(self, painter: QPainter, scene: Scene) -> None:
        at = scene.session.interaction.pixel if scene.session is not None and scene.fast else None
        if at is None or at[0] is not scene.view:
            return
        corners = np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)]) + at[1:]
        u, v = scene.geometry.to_screen(*corners.T)
        middle = np.array([u.mean(), v.mean()])
        # A frame a little outside the pixel, and never so small that it is not seen.
        away = np.column_stack([u, v]) - middle
        reach = max(float(np.hypot(*away.T).max()), 1e-9)
        frame = middle + away * max(1 + 2.5 / reach, 7 / reach)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        Ink("#ffffff", "#000000").stroke(painter, path_of(np.vstack([frame, frame[:1]]), np.array([0, 5])), 1.8)
        painter.restore()


register_overlay(FlagLegend())
register_overlay(SteppedPixel())
