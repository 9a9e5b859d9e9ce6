"""What a hand does in the window, and how long each of it blocked the event loop.

Started by `benchmarks.window` as a process of its own, with a file that is large or without one; prints one line
of JSON: the longest block of each scene in milliseconds, and that without the time that other programs took.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from PySide6.QtCore import QEventLoop, QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QWidget

from benchmarks.monitor import LoopMonitor

__all__ = ["Hand", "Scene", "scenes", "scenes_of_large"]

type Scene = tuple[str, Callable[[Hand], None]]

PANELS = ("header", "pixels", "history", "jobs", "log", "notifications", "console")
FORMS = ("view.save", "image.go_to", "image.stretch")


class Hand:
    """Acts on a window and lets its event loop run between.

    Attributes
    ----------
    window : MainWindow
    """

    def __init__(self, window: Any) -> None:
        self.window = window

    def rest(self, seconds: float = 0.3) -> None:
        """Let the loop run."""
        loop = QEventLoop()
        QTimer.singleShot(round(seconds * 1000), loop.quit)
        loop.exec()

    def settle(self, limit: float = 30.0) -> None:
        """Wait until nothing more is to come."""
        end = time.monotonic() + limit
        self.rest()
        while time.monotonic() < end and not self._is_calm():
            self.rest(0.05)
        self.rest()

    def _is_calm(self) -> bool:
        window = self.window
        over = all(job.is_over for job in window.session.jobs.all)
        seen = [viewer for viewer in window.viewers if viewer.isVisible()]
        return over and window.startup.is_done and all(viewer.is_sharp for viewer in seen)

    def key(self, key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        """Press a key where the focus is."""
        QTest.keyClick(QApplication.focusWidget() or self.window, key, modifiers)

    def drag(self, viewer: QWidget, steps: int = 60, button: Qt.MouseButton = Qt.MouseButton.LeftButton) -> None:
        """Drag the picture in a circle, with a move every 8 ms."""
        middle = viewer.rect().center()
        QTest.mousePress(viewer, button, pos=middle)
        for n in range(steps):
            angle = 2 * math.pi * n / steps
            QTest.mouseMove(viewer, middle + QPoint(round(160 * math.sin(angle)), round(120 * (1 - math.cos(angle)))))
            self.rest(0.008)
        QTest.mouseRelease(viewer, button, pos=middle)

    def wheel(self, viewer: QWidget, clicks: int) -> None:
        """Turn the wheel over the middle of a viewer, a click every 25 ms."""
        at = QPointF(viewer.rect().center())
        for _ in range(abs(clicks)):
            event = QWheelEvent(
                at, QPointF(viewer.mapToGlobal(at.toPoint())), QPoint(), QPoint(0, 120 if clicks > 0 else -120),
                Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
            )  # fmt: skip
            QApplication.sendEvent(viewer, event)
            self.rest(0.025)

    def close_dialogs(self) -> None:
        """Close what is open over the window."""
        for dialog in self.window.findChildren(QDialog):
            dialog.close()


# --- scenes -----------------------------------------------------------------------------------------


def _panel(hand: Hand, id: str) -> None:
    panel = hand.window.panel(id)
    hand.rest(0.5)
    while id == "console" and panel.is_empty():
        hand.rest(0.1)
    hand.rest(0.5)


def _trigger(hand: Hand, id: str) -> None:
    hand.window.invoker.trigger(id)
    hand.rest(0.5)
    hand.close_dialogs()
    hand.rest(0.2)


def _palette(hand: Hand) -> None:
    hand.window.invoker.trigger("window.palette")
    hand.rest(0.4)
    for letter in "zoom":
        QTest.keyClick(QApplication.focusWidget(), letter)
        hand.rest(0.05)
    hand.key(Qt.Key.Key_Escape)
    hand.rest(0.2)


def _theme(hand: Hand, name: str) -> None:
    hand.window.theme.wear(name)
    hand.rest(0.5)


def _open_ten(hand: Hand) -> None:
    for path in samples(10):
        hand.window.open_files([path])
        hand.rest(0.15)
    hand.settle()


def _blink(hand: Hand) -> None:
    names = [viewer.state.name for viewer in hand.window.viewers]
    for name in 2 * names:
        hand.window.central.activate(name)
        hand.rest(0.1)


def _display(hand: Hand) -> None:
    layer = hand.window.active_view().layer
    for name, value in (
        ("stretch", "log"), ("stretch", "histogram"), ("stretch", "asinh"), ("colormap", "viridis"), ("invert", True),
        ("limits_mode", "zscale"), ("limits_mode", "minmax"), ("limits_mode", "percentile"), ("limits", (0.0, 1.0)),
    ):  # fmt: skip
        setattr(layer, name, value)
        hand.rest(0.12)
    hand.settle()


def _view(hand: Hand) -> None:
    view = hand.window.active_view()
    for values in (
        {"axes": "sky", "grid": True}, {"rotation": 40.0}, {"colorbar": True, "overview": True}, {"magnifier": True},
        {"axes": "none", "grid": False, "rotation": 0.0, "magnifier": False},
    ):  # fmt: skip
        view.update(**values)
        hand.rest(0.25)


def _history(hand: Hand) -> None:
    session = hand.window.session
    for step in (session.undo, session.redo):
        for _ in range(len(session.history)):
            step()
            hand.rest(0.06)
    hand.settle()


def _mouse(hand: Hand) -> None:
    viewer = next(v for v in hand.window.viewers if v.isVisible())
    for clicks in (6, 6, 6, -20):
        hand.drag(viewer, 40)
        hand.wheel(viewer, clicks)
    hand.drag(viewer, button=Qt.MouseButton.RightButton)
    hand.settle()


def _split(hand: Hand) -> None:
    hand.window.session.run("view.split_right")
    hand.rest(0.5)


def scenes_of_large() -> Iterator[Scene]:
    """Return those with a large image, from its first picture on."""
    yield "first second", partial(Hand.rest, seconds=1.0)
    yield "pan, zoom and bias by the mouse, from the start", _mouse
    yield "pan, zoom and bias by the mouse, later", _mouse
    yield "limits, stretch, colours", _display


def scenes() -> Iterator[Scene]:
    """Return those with a 2k image, in the order in which they can follow each other."""
    yield "pan, zoom and bias by the mouse", _mouse
    yield "limits, stretch, colours", _display
    yield "axes, grid, rotation, insets", _view
    for id in PANELS:
        yield f"first show of the panel {id}", partial(_panel, id=id)
    yield "the palette, and typing there", _palette
    for id in FORMS:
        yield f"the form of {id}", partial(_trigger, id=id)
    yield "preferences", partial(_trigger, id="window.preferences")
    yield "shortcut editor", partial(_trigger, id="window.shortcuts")
    yield "light theme", partial(_theme, name="light")
    yield "dark theme", partial(_theme, name="dark")
    yield "split", _split
    yield "opening 10 images", _open_ten
    yield "blinking through the tabs", _blink
    yield "undo and redo of everything", _history


# --- running them -----------------------------------------------------------------------------------


def samples(number: int) -> list[str]:
    """Return images of 2k with other pixels each, made when they are not there."""
    import numpy as np

    from jviz.backend.cache import home

    folder = home("data") / "scenes"
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"field_{n}.npy" for n in range(number)]
    for n, path in enumerate(paths):
        if not path.exists():
            np.save(path, np.random.default_rng(n).normal(n, 1, (2048, 2048)).astype("f4"))
    return [str(path) for path in paths]


def opened(path: str) -> Hand:
    """Return a hand at a window that has drawn its first picture."""
    import jviz

    hand = Hand(jviz.launch([path]))
    while not any(viewer.has_painted for viewer in hand.window.viewers):
        hand.rest(0.01)
    return hand


def small() -> str:
    """Return the mosaic of 2k among the samples."""
    from jviz.backend.demo import sample_files

    samples(10)
    return str(next(path for path in sample_files() if "i2d" in path.name))


def main(large: str = "") -> None:
    """Run the scenes and print the longest block of each."""
    hand = opened(large or small())
    if not large:
        hand.settle()
    monitor, found = LoopMonitor(), {}
    for name, scene in scenes_of_large() if large else scenes():
        monitor.start()
        scene(hand)
        monitor.stop()
        found[name] = monitor.longest, monitor.longest_held
    print(json.dumps(found))
    hand.window.close_at_once()
    hand.window.session.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
