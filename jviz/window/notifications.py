"""Toasts: messages at the lower right that stop nobody and go by themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from jviz.viewers.turns import in_turn

__all__ = ["Toast", "Toasts"]

SECONDS = {"info": 5, "warning": 9, "error": 14}
MOST, NAMED = 4, 3
WIDTH = 400
MOVING = (QEvent.Type.Resize, QEvent.Type.LayoutRequest)
MARGIN = 14
WORDS = {"info": "Information", "warning": "Warning", "error": "Error"}


class Mark(QWidget):
    """The sign of a level: a letter in a disc, so that colour is not all that tells them apart."""

    def __init__(self, level: str, colour: str, behind: str) -> None:
        super().__init__()
        self._text, self._colour, self._behind = {"info": "i"}.get(level, "!"), QColor(colour), QColor(behind)
        self.setFixedSize(QSize(18, 18))
        self.setAccessibleName(WORDS[level])

    def paintEvent(self, event: Any) -> None:
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setBrush(self._colour)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.drawEllipse(self.rect().adjusted(1, 1, -1, -1))
            font = painter.font()
            font.setBold(True)
            painter.setFont(font)
            painter.setPen(self._behind)
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self._text)


class Toast(QFrame):
    """One message; it stays while the mouse is on it or it has the focus."""

    gone = Signal(object)

    def __init__(self, level: str, text: str, colours: Any, details: Callable[[], Any] | None, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("toast")
        self.level, self.text, self.times = level, text, 1
        subject, self.reason = _parted(text)
        self._subjects = [subject]
        self.setAccessibleName(f"{WORDS[level]}: {text}")
        self._label = QLabel(text)
        self._label.setWordWrap(True)
        self._label.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self._label.setTextFormat(Qt.TextFormat.PlainText)
        self._label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        column = QVBoxLayout()
        column.setSpacing(8)
        column.addWidget(self._label)
        if details is not None:
            more = QPushButton("Details…")
            more.clicked.connect(details)
            column.addWidget(more, alignment=Qt.AlignmentFlag.AlignLeft)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 12, 8, 12)
        layout.setSpacing(10)
        layout.addWidget(Mark(level, getattr(colours, level), colours.base), alignment=Qt.AlignmentFlag.AlignTop)
        layout.addLayout(column, 1)
        layout.addWidget(self._close_button(), alignment=Qt.AlignmentFlag.AlignTop)
        self._clock = QTimer(self, singleShot=True, interval=SECONDS[level] * 1000)
        self._clock.timeout.connect(self.close_now)
        self._clock.start()

    def _close_button(self) -> QToolButton:
        button = QToolButton(text="✕")
        button.setAccessibleName("Close this message")
        button.setToolTip("Close (the Notifications panel keeps it)")
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        button.clicked.connect(self.close_now)
        return button

    def says(self, level: str, text: str) -> bool:
        """Whether a message is this one, or the same of something else: "B: reason" beside "A: reason"."""
        if level != self.level:
            return False
        return text == self.text or (bool(self.reason) and _parted(text)[1] == self.reason)

    def again(self, text: str) -> None:
        """The same message came once more, perhaps of something else."""
        self.times += 1
        subject = _parted(text)[0]
        if subject not in self._subjects:
            self._subjects.append(subject)
        if len(self._subjects) == 1:
            self._label.setText(f"{self.text}  (× {self.times})")
        else:
            self._label.setText(f"{_listed(self._subjects)}: {self.reason}")
        self.setAccessibleName(f"{WORDS[self.level]}: {self._label.text()}")
        self._clock.start()

    def close_now(self) -> None:
        """Go away."""
        self._clock.stop()
        self.hide()
        self.gone.emit(self)
        self.deleteLater()

    def enterEvent(self, event: Any) -> None:
        self._clock.stop()
        super().enterEvent(event)

    def leaveEvent(self, event: Any) -> None:
        self._clock.start()
        super().leaveEvent(event)


class Toasts(QObject):
    """Shows notices of a session over a window, newest at the bottom.

    Parameters
    ----------
    window : MainWindow

    Attributes
    ----------
    shown : list of Toast
    waiting : list of (str, str)
        Levels and texts that are shown in the next turns of the event loop.
    """

    def __init__(self, window: Any) -> None:
        super().__init__(window)
        self._window = window
        self.shown: list[Toast] = []
        self.waiting: list[tuple[str, str]] = []
        window.session.noticed.connect(self.tell)

    def tell(self, level: str, text: str) -> None:
        """Show a message soon, in a turn of its own; "status" belongs to the status bar alone."""
        if level in SECONDS:
            self.waiting.append((level, text))
            in_turn(self._tell_next)

    def _tell_next(self) -> None:
        if not self.waiting or self._window.is_closed:
            return
        level, text = self.waiting.pop(0)
        same = next((toast for toast in self.shown if toast.says(level, text)), None)
        if same is not None:
            same.again(text)
        else:
            self._add(level, text)
        self._arrange()
        if self.waiting:
            in_turn(self._tell_next)

    def clear(self) -> None:
        """Take all messages away."""
        self.waiting.clear()
        for toast in list(self.shown):
            toast.close_now()

    def _add(self, level: str, text: str) -> None:
        details = self._window.errors.details_of(text)
        toast = Toast(level, text, self._window.theme.colours, details, self._window)
        toast.gone.connect(self._forget)
        if not self.shown:
            self._window.installEventFilter(self)
        self.shown.append(toast)
        while len(self.shown) > MOST:
            self.shown[0].close_now()
        toast.show()

    def _forget(self, toast: Toast) -> None:
        if toast in self.shown:
            self.shown.remove(toast)
        if not self.shown:
            self._window.removeEventFilter(self)
        self._arrange()

    def _arrange(self) -> None:
        area = self._window.rect()
        width = min(WIDTH, area.width() - 2 * MARGIN)
        bottom = area.bottom() - self._window.statusBar().height() - MARGIN
        for toast in reversed(self.shown):
            toast.setFixedWidth(width)
            toast.layout().activate()
            height = toast.heightForWidth(width)
            toast.setGeometry(area.right() - width - MARGIN, bottom - height, width, height)
            toast.raise_()
            bottom -= height + 8

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        # A panel that is shown or brought to the front comes to lie above the messages.
        if not self._window.is_closed and event.type() in MOVING:
            self._arrange()
        return False


def _parted(text: str) -> tuple[str, str]:
    """Part "name: reason" into the two; without a name all is the first."""
    subject, colon, reason = text.partition(": ")
    return (subject, reason) if colon and " " not in subject else (text, "")


def _listed(names: list[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")
