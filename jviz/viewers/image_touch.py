"""Fingers on a touch screen: one is the mouse, two hold on to the data below them and zoom."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QGuiApplication, QMouseEvent, QTouchEvent
from PySide6.QtWidgets import QApplication

from jviz.viewers.image_mouse import zoom_at

if TYPE_CHECKING:
    from jviz.viewers.image import ImageViewer

__all__ = ["Fingers"]

LEAST_APART = 4.0
"""Pixels between two fingers below which their distance tells nothing."""

NEAR = 24.0
"""Pixels within which the second of two taps makes a double click."""


class Fingers:
    """What fingers on a viewer do.

    Touches are taken here and not by Qt's own gestures, which tell a zoom twice over where the mouse
    is made of the first finger as well.
    """

    def __init__(self, viewer: ImageViewer) -> None:
        self._viewer = viewer
        self._is_mouse = False
        self._last: tuple[QPointF, float] | None = None
        self._before: tuple[tuple[float, float] | None, float | None] | None = None
        self._tapped: tuple[float, QPointF] = (0.0, QPointF())
        viewer.setAttribute(Qt.WidgetAttribute.WA_AcceptTouchEvents)

    def take(self, event: QTouchEvent) -> bool:
        """Follow the fingers; returns whether the event was theirs."""
        if not self._viewer.state.layers or event.device() is None:
            return False
        points = [p for p in event.points() if p.state() != p.State.Released]
        if event.type() == QEvent.Type.TouchCancel:
            self.give_up()
        elif len(points) == 2:
            self._pinch(points[0].position(), points[1].position())
        elif self._before is not None or self._last is not None:
            self._lift(all_up=not points)
        elif event.points():
            self._be_mouse(event.type(), event.points()[0].position())
        event.accept()
        return True

    def give_up(self) -> bool:
        """Put back what was in view before two fingers came; returns whether they are there."""
        before, self._before, self._last = self._before, None, None
        if before is not None:
            self._viewer.state.update(centre=before[0], scale=before[1])
        return before is not None

    # --- two fingers ----------------------------------------------------------------------------

    def _pinch(self, first: QPointF, second: QPointF) -> None:
        middle = (first + second) / 2
        apart = float(np.hypot((second - first).x(), (second - first).y()))
        viewer, last = self._viewer, self._last
        self._last = middle, apart
        if self._before is None:
            self._begin()
        elif last is not None:
            geometry = viewer.geometry_now()
            step = middle - last[0]
            moved = geometry.matrix[:, :2] @ (step.x(), step.y())
            viewer.state.centre = tuple(np.subtract(geometry.centre, moved).tolist())
            if min(apart, last[1]) > LEAST_APART:
                zoom_at(viewer, middle, apart / last[1])

    def _begin(self) -> None:
        view = self._viewer.state
        # The first finger was the mouse, and began a drag that was not meant.
        self._viewer.give_up()
        self._is_mouse = False
        self._seal()
        self._before = (view.centre, view.scale)

    def _lift(self, *, all_up: bool) -> None:
        """End the step with the first finger that goes; the other one does nothing more."""
        if self._before is not None:
            self._before = None
            self._seal()
        if all_up:
            self._last = None

    def _seal(self) -> None:
        self._viewer.session.flush()
        self._viewer.session.history.seal()

    # --- one finger -----------------------------------------------------------------------------

    def _be_mouse(self, kind: QEvent.Type, at: QPointF) -> None:
        if kind == QEvent.Type.TouchBegin:
            self._is_mouse = True
            when, where = self._tapped
            soon = time.monotonic() - when < QGuiApplication.styleHints().mouseDoubleClickInterval() / 1000
            double = soon and (at - where).manhattanLength() < NEAR
            self._tapped = (0.0 if double else time.monotonic(), at)
            self._send(QEvent.Type.MouseButtonDblClick if double else QEvent.Type.MouseButtonPress, at)
        elif self._is_mouse and kind == QEvent.Type.TouchUpdate:
            self._send(QEvent.Type.MouseMove, at)
        elif self._is_mouse:
            self._is_mouse = False
            self._send(QEvent.Type.MouseButtonRelease, at)

    def _send(self, kind: QEvent.Type, at: QPointF) -> None:
        left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
        button = none if kind == QEvent.Type.MouseMove else left
        held = none if kind == QEvent.Type.MouseButtonRelease else left
        keys = QGuiApplication.keyboardModifiers()
        QApplication.sendEvent(self._viewer, QMouseEvent(kind, at, self._viewer.mapToGlobal(at), button, held, keys))
