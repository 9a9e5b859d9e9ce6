"""Hears from the system when folders change, so that nobody has to wait for the next look."""

from __future__ import annotations

import atexit
from contextlib import suppress
from typing import Any

from PySide6.QtCore import QFileSystemWatcher, QObject, QThread, Signal, Slot

__all__ = ["FolderEyes"]

MOST = 500
"""Folders that the system is asked to watch; the others are found at the next look."""


class _Watcher(QObject):
    """Lives in a thread of its own: a disk that does not answer would stop the window."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._watcher: QFileSystemWatcher | None = None

    @Slot(list)
    def watch(self, folders: list[str]) -> None:
        """Watch these folders and no others."""
        if self._watcher is None:
            self._watcher = QFileSystemWatcher(self)
            self._watcher.directoryChanged.connect(self.changed)
        before = set(self._watcher.directories())
        gone, new = list(before - set(folders)), [folder for folder in folders if folder not in before]
        if gone:
            self._watcher.removePaths(gone)
        if new:
            self._watcher.addPaths(new)


class FolderEyes(QObject):
    """Watches folders.

    Attributes
    ----------
    changed : Signal
        Something came into one of the folders, or went.
    """

    changed = Signal()
    _wanted = Signal(list)

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._thread, self._watcher = QThread(self), _Watcher()
        self._watcher.moveToThread(self._thread)
        self._wanted.connect(self._watcher.watch)
        self._watcher.changed.connect(self.changed)
        self._thread.finished.connect(self._watcher.deleteLater)

    def start(self) -> None:
        """Begin to watch."""
        # A script may end without closing its window: Qt ends the process hard where a thread outlives its object.
        atexit.register(self.stop)
        self._thread.start(QThread.Priority.LowPriority)

    def stop(self) -> None:
        """Watch no more."""
        atexit.unregister(self.stop)
        with suppress(RuntimeError):  # Qt has taken it away already
            self._thread.quit()
            self._thread.wait(2000)

    def watch(self, folders: list[str]) -> None:
        """Watch these folders instead of those before; may be called in any thread."""
        with suppress(RuntimeError):  # the window was closed meanwhile
            self._wanted.emit(folders[:MOST])
