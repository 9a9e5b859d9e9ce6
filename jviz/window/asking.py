"""Questions that a file leaves open, asked once."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject

__all__ = ["AxisQuestion"]


class AxisQuestion(QObject):
    """Asks what the spectral axis of a cube is where its file does not say, and what its errors are where their name
    and their numbers contradict each other; the answer is kept by the name of the file.

    A question that was closed without an answer is not asked again: **Cube ▸ Spectral Axis…** and **Kind of Errors…**
    stay.

    Parameters
    ----------
    window : MainWindow
    """

    def __init__(self, window: Any) -> None:
        super().__init__(window)
        self._window = window
        window.session.axis_unclear.connect(self.ask)

    def ask(self, cube: Any) -> None:
        """Open the form of `cube.spectral_axis` or `cube.errors` for a cube that nobody was asked about."""
        from jviz.cube_choice import is_axis_unclear
        from jviz.window.forms import open_form

        session, name = self._window.session, cube.path.name
        known = session.settings["cube.axes"]
        if name in known or cube not in session:
            return
        session.settings["cube.axes"] = {**known, name: {}}
        wanted = "cube.spectral_axis" if is_axis_unclear(cube) else "cube.errors"
        open_form(self._window, session.commands[wanted], {"data": cube})
