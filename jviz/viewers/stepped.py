"""What viewers of several pictures after each other have in common: a bar below, keys, the wheel, playing."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from PySide6.QtCore import QPointF, Qt, QTimer
from PySide6.QtGui import QKeyEvent, QMouseEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from jviz.session import Session
from jviz.viewers.image import ImageViewer
from jviz.views import ImageView

__all__ = ["SteppedViewer"]


class SteppedViewer(ImageViewer):
    """An image viewer whose picture is one of a row; subclasses say which (`has_steps`, `has_bar`, `step`, `play_on`).

    ``play_command`` is what a tap of Space runs.

    Attributes
    ----------
    bar : QWidget
        Below the picture; has ``refresh``.
    """

    play_command: ClassVar[str] = ""

    def __init__(self, session: Session, state: ImageView, parent: QWidget | None = None) -> None:
        self.bar: Any = None
        self._space_moved = False
        super().__init__(session, state, parent)
        self._ticks = QTimer(self)
        self._ticks.setTimerType(Qt.TimerType.PreciseTimer)
        self._ticks.timeout.connect(self._tick)
        self.bar = self.make_bar()
        self._place_bar()

    def make_bar(self) -> QWidget:
        """Return a new bar."""
        raise NotImplementedError

    @property
    def has_steps(self) -> bool:
        """Whether there is a row of pictures to go through."""
        raise NotImplementedError

    @property
    def has_bar(self) -> bool:
        """Whether the bar is to be seen."""
        return self.has_steps

    def step(self, by: int) -> None:
        """Go some pictures on."""
        raise NotImplementedError

    def play_on(self) -> None:
        """Show the next picture, unless the last one is still being read."""
        raise NotImplementedError

    @property
    def page(self) -> int:
        """Steps of Page up and Page down."""
        return 10

    # --- the bar ----------------------------------------------------------------------------------

    def canvas_height(self) -> int:
        """Height of the picture and its axes, above the bar."""
        if self.bar is None or not self.has_bar:
            return self.height()
        return max(40, self.height() - self.bar.sizeHint().height())

    def _place_bar(self) -> None:
        if self.bar is not None:
            top = self.canvas_height()
            self.bar.setVisible(self.has_bar)
            self.bar.setGeometry(0, top, self.width(), self.height() - top)

    def refresh(self) -> None:
        """Bring bar and picture in line with the state."""
        self._place_bar()
        if self.bar is not None and self.has_bar:
            self.bar.refresh()
        self.before_picture()
        super().refresh()
        self._keep_time()

    def before_picture(self) -> None:
        """Do what a new picture needs first; nothing by default."""

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the bar the width of the viewer."""
        self._place_bar()
        super().resizeEvent(event)

    def seal(self) -> None:
        """End a row of changes: one step of the history."""
        self._seal()

    # --- playing ----------------------------------------------------------------------------------

    def _keep_time(self) -> None:
        wanted, interval = bool(self.state.playing) and self.has_steps, max(1, round(1000 / self.state.rate))
        if wanted and (not self._ticks.isActive() or self._ticks.interval() != interval):
            self._ticks.start(interval)
        elif not wanted and self._ticks.isActive():
            self._ticks.stop()
            self._seal()

    def _tick(self) -> None:
        if self.state.playing and self.has_steps:
            self.play_on()
        else:
            self._keep_time()

    def release(self) -> None:
        """Stop playing."""
        self._ticks.stop()
        super().release()

    # --- mouse and keys ---------------------------------------------------------------------------

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Step with Ctrl or Alt, else zoom."""
        keys = event.modifiers() & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier)
        delta = event.angleDelta().y() or event.angleDelta().x()
        if keys and delta and self.has_steps:
            self.step(1 if delta > 0 else -1)
            event.accept()
            return
        super().wheelEvent(event)

    def key_of_slices(self, event: QKeyEvent) -> Callable[[], Any] | None:
        """Return what a key does with the row of pictures, None for other keys."""
        if not self.has_steps or event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            return None
        key = Qt.Key(event.key())
        steps = {
            Qt.Key.Key_Period: 1, Qt.Key.Key_BracketRight: 1, Qt.Key.Key_Comma: -1, Qt.Key.Key_BracketLeft: -1,
            Qt.Key.Key_PageUp: self.page, Qt.Key.Key_PageDown: -self.page,
        }  # fmt: skip
        return partial(self.step, steps[key]) if key in steps else None

    def hold_space(self, down: bool) -> None:
        """Let Space pan while it is down, and play when it was only tapped."""
        if down and not self.is_space_down:
            self._space_moved = False
        tapped = self.is_space_down and not down and not self._space_moved and self.hasFocus()
        super().hold_space(down)
        if tapped and self.has_steps:
            self.run_command(self.play_command)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take note that Space serves to pan."""
        self._space_moved = True
        super().mousePressEvent(event)

    def _inside(self) -> QPointF | None:
        at = self._cursor
        return None if at is not None and at.y() > self.canvas_height() else super()._inside()
