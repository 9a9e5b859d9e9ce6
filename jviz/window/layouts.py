"""Arrangements of the window: the last one, and those saved under names, in one file."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

from PySide6.QtCore import QByteArray
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu

from jviz.backend.cache import home
from jviz.backend.files import writing
from jviz.errors import JvizError

__all__ = ["Layouts"]

log = logging.getLogger(__name__)


class Layouts:
    """Keeps arrangements of docks between runs.

    Parameters
    ----------
    window : MainWindow
    """

    def __init__(self, window: Any) -> None:
        self._window = window
        self._kept = self._read()

    @property
    def path(self) -> Path:
        """The file they are kept in."""
        return home("data") / "layouts.json"

    @property
    def names(self) -> list[str]:
        """Names of the saved ones."""
        return sorted(self._kept["named"])

    def save(self, name: str) -> None:
        """Keep the present arrangement under a name; one of that name is replaced."""
        name = name.strip()
        if not name:
            raise JvizError("A layout needs a name; type one.")
        self._kept["named"][name] = self._window.docks.state()
        self._write()

    def restore(self, name: str) -> None:
        """Arrange the window as saved under a name.

        Raises
        ------
        JvizError
            When there is none of that name.
        """
        if name not in self._kept["named"]:
            known = ", ".join(self.names) or "none yet"
            raise JvizError(f"There is no layout {name!r}; saved are {known}.")
        self._window.docks.restore(self._kept["named"][name])

    def remove(self, name: str) -> None:
        """Forget a saved arrangement."""
        if self._kept["named"].pop(name, None) is not None:
            self._write()

    def reset(self) -> None:
        """Go back to the arrangement of a first start."""
        self._window.docks.reset()

    def restore_last(self) -> bool:
        """Come back as the window was last closed; False at a first start."""
        last = self._kept["last"]
        geometry = QByteArray.fromBase64(str(last.get("geometry", "")).encode())
        # Offscreen there is no screen to fit into: pictures get the size that their maker asks for.
        if not geometry.isEmpty() and QGuiApplication.platformName() != "offscreen":
            self._window.restoreGeometry(geometry)
        return self._window.docks.restore(str(last.get("docks", "")))

    def keep_last(self) -> None:
        """Remember how the window is, for the next start."""
        geometry = bytes(self._window.saveGeometry().toBase64()).decode()
        self._kept["last"] = {"docks": self._window.docks.state(), "geometry": geometry}
        try:
            self._write()
        except (OSError, JvizError) as error:
            log.warning("The layout of the window was not kept: %s", error)

    def fill_menu(self, menu: QMenu) -> None:
        """List the saved arrangements in a menu."""
        menu.clear()
        for name in self.names:
            menu.addAction(name, lambda name=name: self._window.invoker.run("window.restore_layout", name=name))
        if not self.names:
            menu.addAction("No saved layouts").setEnabled(False)

    def _read(self) -> dict[str, Any]:
        kept: dict[str, Any] = {"named": {}, "last": {}}
        try:
            found = json.loads(self.path.read_text(encoding="utf-8"))
            kept |= {key: found[key] for key in kept if isinstance(found.get(key), dict)}
        except FileNotFoundError:
            return kept
        except (OSError, ValueError, AttributeError) as error:
            log.warning("%s could not be read (%s); the window starts with its first layout.", self.path, error)
        return kept

    def _write(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with writing(self.path) as temporary:
            temporary.write_text(json.dumps(self._kept, indent=1), encoding="utf-8")
