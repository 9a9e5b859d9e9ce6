"""The page that is shown while nothing is open: open, recent files, samples."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPalette, QPen
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from jviz.data import Data, WithPicture
from jviz.viewers.turns import in_turn
from jviz.window.recent import folder_of

__all__ = ["Welcome"]

SHOWN_FILES = 6
SHOWN_NAMES = 3
SUBTITLE = "Astronomical data, linked in one window"
WIDTH, NARROW = 860, 520
_ACROSS, _DOWN = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom


class Welcome(QWidget):
    """Where a user starts.

    Parameters
    ----------
    window : MainWindow
    """

    def __init__(self, window: Any) -> None:
        super().__init__()
        self._window = window
        self.setAccessibleName("Welcome")
        self.setObjectName("welcome")
        self._files = QVBoxLayout()
        self._files.setSpacing(2)
        self._subtitle = _muted(SUBTITLE)
        self._subtitle.setWordWrap(True)
        window.session.data_changed.connect(self._say_what_is_open)
        middle = QWidget()
        middle.setMaximumWidth(WIDTH)
        middle.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._fill(middle)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(middle, 20)
        row.addStretch(1)
        page = QWidget()
        room = QScrollArea(widgetResizable=True, frameShape=QFrame.Shape.NoFrame, focusPolicy=Qt.FocusPolicy.NoFocus)
        room.setWidget(page)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(room)
        outer = QVBoxLayout(page)
        outer.setContentsMargins(36, 28, 36, 28)
        outer.addStretch(2)
        outer.addLayout(row)
        outer.addStretch(3)

    def _fill(self, middle: QWidget) -> None:
        self._columns = QBoxLayout(_ACROSS)
        self._columns.addWidget(_boxed(self._start()), 2, Qt.AlignmentFlag.AlignTop)
        self._columns.addWidget(_boxed(self._recent()), 3, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(22)
        column.addLayout(self._heading())
        column.addLayout(self._columns)
        column.addWidget(DropHint())

    def resizeEvent(self, event: Any) -> None:
        """Put the two columns below each other where they would be cut off side by side."""
        narrow = self.width() < NARROW
        self._columns.setDirection(_DOWN if narrow else _ACROSS)
        self._columns.setSpacing(18 if narrow else 48)
        super().resizeEvent(event)

    def _heading(self) -> QVBoxLayout:
        title = QLabel("jviz")
        font = title.font()
        font.setPointSizeF(font.pointSizeF() * 2.6)
        font.setWeight(font.Weight.DemiBold)
        title.setFont(font)
        title.setContentsMargins(6, 0, 0, 0)
        column = QVBoxLayout()
        column.setSpacing(2)
        column.addWidget(title)
        column.addWidget(self._subtitle)
        return column

    def _say_what_is_open(self, *_: Any) -> None:
        """Say why nothing is shown although data are open: a file that seems not to open puzzles."""
        unseen = [data for data in self._window.session.data if not isinstance(data, WithPicture)]
        self._subtitle.setText(_unseen_text(unseen) if unseen else SUBTITLE)

    def _start(self) -> QVBoxLayout:
        column = _column("Start")
        invoker = self._window.invoker
        for text, tip, action in (
            ("Open Files…", "Ctrl+O", lambda: invoker.trigger("file.open_dialog")),
            ("Open Session…", "", lambda: invoker.trigger("file.open_session_dialog")),
            ("All Commands…", "Ctrl+Shift+P", lambda: invoker.trigger("window.palette")),
        ):
            column.addWidget(_link(text, tip, action))
        column.addSpacing(14)
        column.addWidget(_head("Samples"))
        for text, tip, which in (
            ("Mosaic of a galaxy field", "image", "mosaic"),
            ("Emission-line cube", "cube", "cube"),
            ("Everything", "also spectra", "all"),
            ("Raw exposures", "to calibrate", "raw"),
        ):
            column.addWidget(_link(text, tip, partial(invoker.run, "file.open_sample", which=which)))
        return column

    def _recent(self) -> QVBoxLayout:
        column = _column("Recent")
        column.addLayout(self._files)
        return column

    def showEvent(self, event: Any) -> None:
        if self._window.startup.is_done:
            in_turn(self.refresh)  # the last viewer has just been closed, which takes long enough
        else:
            self.refresh()
        super().showEvent(event)

    def refresh(self) -> None:
        """List the recent files and what is open as they are now."""
        self._say_what_is_open()
        while (item := self._files.takeAt(0)) is not None:
            item.widget().hide()
            item.widget().deleteLater()
        for path in self._window.recent.paths[:SHOWN_FILES]:
            self._files.addWidget(self._file(path))
        if not self._window.recent.paths:
            self._files.addWidget(_muted("Files that you open will be listed here."))

    def _file(self, path: Path) -> QWidget:
        link = _link(path.name, folder_of(path), lambda: self._window.recent.open(path))
        link.setToolTip(str(path))
        return link


SHORT_NOTE = 16
"""Letters of notes that are never cut, such as shortcuts; longer ones are paths."""


class Link(QPushButton):
    """A line that can be clicked: a text, and beside it in grey what it means."""

    def __init__(self, text: str, note: str) -> None:
        super().__init__()
        self._text, self._note = text, note
        self.setFlat(True)
        self.setAccessibleName(f"{text}, {note}" if note else text)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setMinimumHeight(self.fontMetrics().height() + 12)
        if len(note) <= SHORT_NOTE:
            metrics = self.fontMetrics()
            self.setMinimumWidth(metrics.horizontalAdvance(text) + metrics.horizontalAdvance(note) + 30)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def paintEvent(self, event: Any) -> None:
        with QPainter(self) as painter:
            palette, metrics = self.palette(), self.fontMetrics()
            if self.underMouse() or self.hasFocus():
                painter.setRenderHint(QPainter.RenderHint.Antialiasing)
                painter.setPen(QPen(palette.color(QPalette.ColorRole.Accent)) if self.hasFocus() else Qt.PenStyle.NoPen)
                painter.setBrush(palette.color(QPalette.ColorRole.Light))
                painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 5, 5)
            inside = self.rect().adjusted(8, 0, -8, 0)
            text = metrics.elidedText(self._text, Qt.TextElideMode.ElideMiddle, inside.width())
            painter.setPen(palette.color(QPalette.ColorRole.Link))
            left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(inside, left, text)
            rest = inside.adjusted(metrics.horizontalAdvance(text) + 12, 0, 0, 0)
            if rest.width() > 40:
                painter.setPen(palette.color(QPalette.ColorRole.PlaceholderText))
                painter.drawText(rest, left, metrics.elidedText(self._note, Qt.TextElideMode.ElideMiddle, rest.width()))


class DropHint(QWidget):
    """A dashed frame that says where files can be dropped: everywhere."""

    def __init__(self) -> None:
        super().__init__()
        self.setMinimumHeight(64)
        self.setAccessibleName("Drop files or folders anywhere on the window to open them")

    def paintEvent(self, event: Any) -> None:
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            muted = self.palette().color(QPalette.ColorRole.PlaceholderText)
            pen = QPen(muted, 1.2, Qt.PenStyle.DashLine)
            pen.setDashPattern([5, 4])
            painter.setPen(pen)
            painter.drawRoundedRect(self.rect().adjusted(1, 1, -1, -1), 8, 8)
            painter.drawText(
                self.rect(), Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap,
                "Drop files or folders anywhere on this window",
            )  # fmt: skip


def _unseen_text(unseen: list[Data]) -> str:
    names = [f"{data.name} ({data.label or data.kind})" for data in unseen[:SHOWN_NAMES]]
    if len(unseen) > SHOWN_NAMES:
        names.append(f"{len(unseen) - SHOWN_NAMES} more")
    subject = "It holds" if len(unseen) == 1 else "They hold"
    return f"Open: {', '.join(names)}. {subject} no image to show here; the Header panel has the keywords."


def _column(title: str) -> QVBoxLayout:
    column = QVBoxLayout()
    column.setSpacing(2)
    column.addWidget(_head(title))
    return column


def _boxed(column: QVBoxLayout) -> QWidget:
    box = QWidget()
    column.setContentsMargins(0, 0, 0, 0)
    box.setLayout(column)
    return box


def _head(text: str) -> QLabel:
    label = QLabel(text)
    font = label.font()
    font.setPointSizeF(font.pointSizeF() * 1.15)
    font.setWeight(font.Weight.DemiBold)
    label.setFont(font)
    label.setContentsMargins(8, 0, 0, 4)
    return label


def _muted(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("muted", "true")
    label.setContentsMargins(8, 0, 0, 0)
    return label


def _link(text: str, note: str, action: Callable[[], Any]) -> Link:
    link = Link(text, note)
    link.clicked.connect(lambda: action())
    return link
