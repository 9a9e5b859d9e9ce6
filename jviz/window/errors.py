"""What goes wrong inside jviz: caught everywhere, logged, shown once with a report to copy."""

from __future__ import annotations

import logging
import platform
import sys
import threading
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Any

from PySide6.QtCore import QObject, Qt, QtMsgType, Signal, qInstallMessageHandler, qVersion
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QPlainTextEdit, QVBoxLayout, QWidget

from jviz.errors import JvizError

__all__ = ["ErrorDialog", "Errors", "report_of"]

log = logging.getLogger(__name__)

KEPT = 50
LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG, QtMsgType.QtInfoMsg: logging.INFO, QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR, QtMsgType.QtFatalMsg: logging.CRITICAL,
}  # fmt: skip


class Errors(QObject):
    """Takes over Python's and Qt's last resorts while a window is there.

    A `JvizError` becomes a notification; anything else is a defect and opens a dialog with a
    report. One dialog is open at a time: further errors are added to it.

    Parameters
    ----------
    window : MainWindow
    """

    _met = Signal(object)

    def __init__(self, window: Any) -> None:
        super().__init__(window)
        self._window = window
        self._details: dict[str, BaseException] = {}
        self._former: tuple[Any, Any, Any] | None = None
        self.dialog: ErrorDialog | None = None
        self._met.connect(self.show, Qt.ConnectionType.QueuedConnection)

    # --- hooks ----------------------------------------------------------------------------------

    def install(self) -> None:
        """Hear of errors that nobody caught, in any thread."""
        former = qInstallMessageHandler(self._qt_message)
        self._former = (sys.excepthook, threading.excepthook, former)
        sys.excepthook = self._uncaught
        threading.excepthook = lambda args: self._uncaught(args.exc_type, args.exc_value, args.exc_traceback)

    def remove(self) -> None:
        """Give the hooks back."""
        if self._former is not None:
            sys.excepthook, threading.excepthook = self._former[:2]
            qInstallMessageHandler(self._former[2])
            self._former = None

    def _qt_message(self, kind: QtMsgType, context: Any, text: str) -> None:
        logging.getLogger("qt").log(LEVELS.get(kind, logging.WARNING), "%s", text)
        if self._former is not None and self._former[2] is not None:
            self._former[2](kind, context, text)

    def _uncaught(self, kind: type, error: BaseException | None, where: TracebackType | None) -> None:
        if error is None or issubclass(kind, KeyboardInterrupt | SystemExit):
            sys.__excepthook__(kind, error or kind(), where)
            return
        is_defect = not isinstance(error, JvizError)
        if is_defect:
            log.error("%s", error, exc_info=(kind, error, where))
        # Whoever started jviz from a terminal sees defects there too, and what ends their script.
        if is_defect or _ends_script(where):
            (self._former[0] if self._former is not None else sys.__excepthook__)(kind, error, where)
        self._met.emit(error)

    # --- showing --------------------------------------------------------------------------------

    def show(self, error: BaseException) -> None:
        """Tell the user: a notification for what they can mend, a dialog for a defect."""
        if isinstance(error, JvizError):
            self._window.invoker.report(error)
            return
        report = report_of(error, self._window.session)
        if self.dialog is not None and self.dialog.isVisible():
            self.dialog.add(report)
            return
        self.dialog = ErrorDialog(_sentence(error), report, self._window)
        self.dialog.show()

    def remember(self, text: str, error: BaseException) -> None:
        """Keep what is behind a message, for its Details button."""
        self._details[text] = error
        while len(self._details) > KEPT:
            del self._details[next(iter(self._details))]

    def details_of(self, text: str) -> Callable[[], None] | None:
        """Return what opens the report behind a message, None when there is none."""
        error = self._details.get(text)
        if error is None:
            return None

        def open_report(*_: Any) -> None:
            self.dialog = ErrorDialog(text, report_of(error, self._window.session), self._window)
            self.dialog.show()

        return open_report


class ErrorDialog(QDialog):
    """Says that something failed inside jviz, with a report to copy."""

    def __init__(self, text: str, report: str, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Something went wrong")
        self.resize(680, 460)
        title = QLabel("Something went wrong inside jviz")
        title.setObjectName("title")
        message = QLabel(
            f"{text}\n\nYour data and the session are as they were. Please send the report below to the developers; "
            "it holds no data, but look through it for names of files."
        )
        message.setWordWrap(True)
        message.setTextFormat(Qt.TextFormat.PlainText)
        self.report = QPlainTextEdit(report, readOnly=True)
        self.report.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.report.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.report.setAccessibleName("Report")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        copy = buttons.addButton("Copy Report", QDialogButtonBox.ButtonRole.ActionRole)
        copy.clicked.connect(self.copy)
        copy.setDefault(True)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 18, 20, 16)
        layout.setSpacing(12)
        for widget in (title, message, self.report, buttons):
            layout.addWidget(widget)
        layout.setStretch(2, 1)

    def copy(self) -> None:
        """Put the report on the clipboard."""
        QGuiApplication.clipboard().setText(self.report.toPlainText())

    def add(self, report: str) -> None:
        """Append another report."""
        self.report.appendPlainText(f"\n{'-' * 70}\n\n{report}")


def report_of(error: BaseException, session: Any) -> str:
    """Return what a developer needs to know: versions, platform, traceback, last commands."""
    import numpy
    import PySide6

    import jviz

    lines = [line for entry in session._history.entries[-15:] for line in entry.lines or [f"# {entry.label}"]]
    return "\n".join([
        f"jviz {jviz.__version__}, Python {platform.python_version()}, Qt {qVersion()}, "
        f"PySide6 {PySide6.__version__}, numpy {numpy.__version__}",
        f"{platform.platform()}, screen {QGuiApplication.platformName()}",
        "", "".join(traceback.format_exception(error)).rstrip(),
        "", "Last commands:", *(lines or ["none"]),
    ])  # fmt: skip


def _ends_script(where: TracebackType | None) -> bool:
    """Whether an error went through the outermost code, after which there is no window to say it."""
    return where is not None and where.tb_frame.f_code.co_name == "<module>"


def _sentence(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
