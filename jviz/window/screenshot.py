"""Writing the window to a picture and closing it: for machines without a display, and for documentation."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from PySide6.QtCore import QBuffer, QIODevice, QObject, QTimer
from PySide6.QtWidgets import QApplication

from jviz.backend.files import writing
from jviz.errors import JvizError

__all__ = ["Screenshot"]

LOOK_MS = 50
CALM = 8
"""How many looks in a row must find nothing more to come: panels are built a little at a time."""

PATIENCE_MS = 120_000


class Screenshot(QObject):
    """Waits until a window shows all it will show, writes it to ``path`` and ends the program.

    The exit status is 1 when something could not be opened or written; the reasons go to standard error.
    """

    def __init__(self, window: Any, path: Path) -> None:
        super().__init__(window)
        self._window, self._path = window, path
        self._calm, self._waited = 0, 0
        self._failed = False
        window.session.noticed.connect(self._noticed)
        self._timer = QTimer(self, interval=LOOK_MS)
        self._timer.timeout.connect(self._look)
        self._timer.start()

    def _look(self) -> None:
        self._waited += LOOK_MS
        self._calm = self._calm + 1 if self._is_ready() else 0
        if self._calm >= CALM or self._waited > PATIENCE_MS:
            self._timer.stop()
            self._take()

    def _is_ready(self) -> bool:
        if not self._window.startup.is_done or len(self._window.viewers) < len(self._window.session.views):
            return False
        # Those behind other tabs may have lost their pixels to the others: memory is bounded.
        in_sight = (viewer for viewer in self._window.viewers if viewer.isVisible())
        return all(job.is_over for job in self._window.session.jobs.all) and all(v.is_sharp for v in in_sight)

    def _take(self) -> None:
        try:
            save_picture(self._window, self._path)
            print(f"Written: {self._path}")
        except JvizError as error:
            self._noticed("error", str(error))
        self._window.close_at_once()
        QApplication.exit(int(self._failed))

    def _noticed(self, level: str, text: str) -> None:
        if level in ("error", "warning"):
            print(f"jviz: {text}", file=sys.stderr)
        self._failed = self._failed or level == "error"


def save_picture(widget: Any, path: Path) -> None:
    """Write what a widget shows to a PNG or JPEG file.

    Raises
    ------
    JvizError
        When the file cannot be written or its ending is of no known kind.
    """
    with writing(path) as temporary:
        content = QBuffer()
        content.open(QIODevice.OpenModeFlag.WriteOnly)
        if not widget.grab().save(content, path.suffix.lstrip(".")):
            raise JvizError(f"{path} cannot be written as a picture; give it the ending .png or .jpg.")
        temporary.write_bytes(content.data().data())
