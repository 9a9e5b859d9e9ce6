"""How the pictures of the documentation are made: a window as a user has it, and the pictures by name."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["PICTURES", "opened", "picture", "pump", "sample", "settle", "type_into_focus"]

SIZE = (1360, 860)

PICTURES: dict[str, Callable[[], Any]] = {}
"""What gives the widget of each picture, in the order in which they are drawn."""


def picture(draw: Callable[[], Any]) -> Callable[[], Any]:
    """Make a function that gives a widget a picture of its name."""
    PICTURES[draw.__name__.replace("_", "-")] = draw
    return draw


def pump(seconds: float) -> None:
    """Let the window live for a while."""
    from PySide6.QtWidgets import QApplication

    end = time.monotonic() + seconds
    while time.monotonic() < end:
        QApplication.processEvents()
        time.sleep(0.003)


def settle(window: Any) -> None:
    """Wait until nothing more is to come."""
    calm, end = 0, time.monotonic() + 60
    while calm < 60 and time.monotonic() < end:
        pump(0.01)
        in_sight = [v for v in window.viewers if v.isVisible()]  # those behind other tabs may never have been painted
        quiet = all(job.is_over for job in window.session.jobs.all) and all(v.is_sharp for v in in_sight)
        calm = calm + 1 if quiet else 0


def opened(files: list[Path], theme: str = "dark") -> Any:
    """Open a window as a user would."""
    import jviz

    window = jviz.launch([str(f) for f in files])
    window.theme.wear(theme)
    window.resize(*SIZE)
    settle(window)
    return window


def sample(*words: str) -> list[Path]:
    """Return samples by parts of their names."""
    from jviz.backend.demo import sample_files

    return [path for word in words for path in sample_files() if word in path.name]


def type_into_focus(text: str) -> None:
    """Type where the keyboard is."""
    from PySide6.QtTest import QTest
    from PySide6.QtWidgets import QApplication

    QTest.keyClicks(QApplication.focusWidget() or QApplication.activeWindow(), text)
    pump(0.3)
