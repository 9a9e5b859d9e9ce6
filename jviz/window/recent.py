"""The files opened lately."""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QMenu

from jviz.backend.cache import home
from jviz.backend.files import writing
from jviz.errors import JvizError

__all__ = ["Recent"]

log = logging.getLogger(__name__)


class Recent:
    """Paths of files that were opened, newest first, kept between runs.

    Parameters
    ----------
    window : MainWindow
    """

    def __init__(self, window: Any) -> None:
        self._window, self._session = window, window.session
        self._known: set[Path] = set()
        self._is_kept = True
        self._writing = threading.Lock()
        self.paths: list[Path] = self._read()
        self._session.data_changed.connect(self._look)

    @property
    def limit(self) -> int:
        """How many are remembered."""
        return self._session.settings["window.recent_files"]

    def add(self, *paths: Path) -> None:
        """Put files first."""
        new = list(dict.fromkeys(Path(p).absolute() for p in paths))
        self.paths = [*new, *(p for p in self.paths if p not in new)][: self.limit]
        self._write()

    def clear(self) -> None:
        """Forget them all."""
        self.paths = []
        self._write()

    def open(self, path: Path) -> None:
        """Open one of them again."""
        self._window.open_files([path])

    def fill_menu(self, menu: QMenu) -> None:
        """List them in a menu."""
        menu.clear()
        for path in self.paths:
            action = menu.addAction(shown(path), lambda path=path: self.open(path))
            action.setToolTip(str(path))
        if not self.paths:
            menu.addAction("No files yet").setEnabled(False)
            return
        menu.addSeparator()
        menu.addAction("Clear List", self.clear)

    def _look(self) -> None:
        paths = {data.path for data in self._session.data if data.path is not None}
        new = [path for path in paths if path not in self._known]
        self._known |= paths
        if new:
            self.add(*new)

    @property
    def _path(self) -> Path:
        return home("data") / "recent.json"

    def _read(self) -> list[Path]:
        try:
            return [Path(str(p)) for p in json.loads(self._path.read_text(encoding="utf-8"))][: self.limit]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, TypeError) as error:
            log.warning("%s could not be read (%s); the list of recent files starts empty.", self._path, error)
            return []

    def _write(self) -> None:
        """Have the list written in a thread: a disk may be slow."""
        self._is_kept = False
        try:
            self._session.jobs.submit("Keep the list of recent files", lambda _: self.keep(), quiet=True)
        except JvizError:
            self.keep()  # the session is closed

    def keep(self) -> None:
        """Write the list unless that was done."""
        with self._writing:
            if not self._is_kept:
                self._is_kept = True
                self._write_now()

    def _write_now(self) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with writing(self._path) as temporary:
                temporary.write_text(json.dumps([str(p) for p in self.paths], indent=1), encoding="utf-8")
        except (OSError, JvizError) as error:
            log.warning("The list of recent files was not kept: %s", error)


def shown(path: Path) -> str:
    """Return a name with the folder it is in, for menus."""
    return f"{path.name}   —   {folder_of(path)}".replace("&", "&&")


def folder_of(path: Path) -> str:
    """Return the folder of a file, short: below the user's own as ``~/…``."""
    try:
        return str(Path("~") / path.parent.relative_to(Path.home()))
    except ValueError:
        return str(path.parent)
