"""What the window looks at now and then: files that are shown, and folders that are linked to the library."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject, QTimer

from jviz.changed_files import FileWatch
from jviz.errors import JvizError
from jviz.jobs import Job
from jviz.library_pictures import PicturesAhead
from jviz.library_quality import QualityWatch
from jviz.library_watch import LibraryWatch
from jviz.window.folder_eyes import FolderEyes

__all__ = ["FileClock", "LibraryClock"]

SOON_MS = 700
"""After a folder changed, before it is looked at: what is being written is often many files."""

FILES_MS = 3000
"""Between two looks at the files of the session."""


class Clock(QObject):
    """Looks every so often while a session is open.

    Parameters
    ----------
    window : MainWindow
    """

    def __init__(self, window: Any) -> None:
        super().__init__(window)
        self._session = window.session
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._tick)

    def start(self) -> None:
        """Begin to look."""
        self._timer.start()

    def stop(self) -> None:
        """Look no more."""
        self._timer.stop()

    def look(self) -> None:
        """Begin a look; raises `JvizError` when the session is closed."""
        raise NotImplementedError

    def _tick(self) -> None:
        try:
            self.look()
        except JvizError:
            self._timer.stop()


class FileClock(Clock):
    """Looks whether other programs changed files, in a thread of its own: a disk may not answer."""

    def __init__(self, window: Any) -> None:
        super().__init__(window)
        self._watch = FileWatch(self._session)
        self._job: Job | None = None
        self._timer.setInterval(FILES_MS)

    def look(self) -> None:
        """Look once, unless the last look is not over or nothing came from a file."""
        if (self._job is None or self._job.is_over) and any(data.path for data in self._session.data):
            self._job = self._session.jobs.submit("Look at files", lambda _: self._watch.look(), quiet=True, apart=True)


class LibraryClock(Clock):
    """Has linked folders looked through as often as the settings say, and sooner when one of them changes."""

    def __init__(self, window: Any) -> None:
        super().__init__(window)
        self._eyes = FolderEyes(self)
        self._watch = LibraryWatch(self._session, looked=self._eyes.watch)
        self._pictures, self._quality = PicturesAhead(self._session), QualityWatch(self._session)
        self._soon = QTimer(self, singleShot=True, interval=SOON_MS)
        self._soon.timeout.connect(self._tick)
        self._eyes.changed.connect(self._soon.start)
        self._has_new = True

    def start(self) -> None:
        self._eyes.start()
        self._session.archives.library_changed.connect(self._library_changed)
        self._session.settings.changed.connect(self._settings_changed)
        self._settings_changed("library.watch_seconds")

    def stop(self) -> None:
        self._session.settings.changed.disconnect(self._settings_changed)
        self._session.archives.library_changed.disconnect(self._library_changed)
        self._soon.stop()
        self._eyes.stop()
        self._pictures.close()
        self._quality.close()
        super().stop()

    def look(self) -> None:
        self._watch.look()
        self._quality.look()
        if self._has_new:
            self._has_new = False
            self._pictures.look()

    def _library_changed(self) -> None:
        """Take note that there may be files without a picture; called in any thread."""
        self._has_new = True

    def _settings_changed(self, key: str) -> None:
        if key == "library.watch_seconds":
            seconds = self._session.settings[key]
            self._timer.setInterval(1000 * seconds)
            self._timer.start() if seconds else self._timer.stop()
