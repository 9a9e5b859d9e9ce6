"""Ctrl+C in the terminal closes the window in the proper way: jobs cancelled, nothing left behind."""

from __future__ import annotations

import signal
import socket
from typing import Any

from PySide6.QtCore import QObject, QSocketNotifier, QTimer
from PySide6.QtWidgets import QApplication

__all__ = ["Interrupt"]

STATUS = 130
"""Exit status of programs that Ctrl+C ended."""

LOOK_MS = 50
PATIENCE_MS = 3000


class Interrupt(QObject):
    """Closes a window on SIGINT, without asking; a second one ends the program at once.

    Python runs handlers of signals between two of its own instructions only, and Qt's event loop
    may not come to one for long: a socket that the signal writes to wakes it.

    Parameters
    ----------
    window : MainWindow
    """

    def __init__(self, window: Any) -> None:
        super().__init__(window)
        self._window, self._waited = window, 0
        self._reader, self._writer = socket.socketpair()
        for end in (self._reader, self._writer):
            end.setblocking(False)
        self._notifier = QSocketNotifier(self._reader.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._woken)
        self._before = signal.signal(signal.SIGINT, self._interrupted)
        signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        self._timer = QTimer(self, interval=LOOK_MS)
        self._timer.timeout.connect(self._look)

    def release(self) -> None:
        """Give the signal back."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGINT, self._before)
        self._notifier.setEnabled(False)
        self._timer.stop()
        self._reader.close()
        self._writer.close()

    def _woken(self) -> None:
        # Reading lets Python come to its handler.
        self._reader.recv(64)

    def _interrupted(self, *_: object) -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        for job in self._window.session.jobs.running:
            job.cancel()
        self._timer.start()

    def _look(self) -> None:
        self._waited += LOOK_MS
        if not self._window.session.jobs.running:
            self._window.close_at_once(keep=bool(self._window.session.unsaved()))
        if self._window.is_closed or self._waited > PATIENCE_MS:
            self._timer.stop()
            QApplication.exit(STATUS)
