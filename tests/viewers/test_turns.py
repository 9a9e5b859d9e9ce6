"""Refreshes that were asked for in one turn of the event loop come in several, and in between the window lives."""

import shiboken6
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QWidget

from jviz.viewers.turns import in_turn


class Slow(QWidget):
    def __init__(self, log, name):
        super().__init__()
        self.log, self.name = log, name

    def refresh(self):
        self.log.append(self.name)


def test_each_call_has_a_turn_of_its_own(qtbot):
    log = []
    widgets = [Slow(log, name) for name in "abc"]
    # What is asked for later, for the same moment, comes before the second refresh.
    QTimer.singleShot(0, lambda: [in_turn(widget.refresh) for widget in widgets])
    QTimer.singleShot(0, lambda: QTimer.singleShot(0, lambda: log.append("user")))
    qtbot.waitUntil(lambda: len(log) == 4)
    assert [entry for entry in log if entry != "user"] == ["a", "b", "c"]
    assert log.index("user") < log.index("b")


def test_asked_for_twice_it_is_called_once(qtbot):
    log = []
    widget = Slow(log, "a")
    for _ in range(5):
        in_turn(widget.refresh)
    qtbot.wait(30)
    assert log == ["a"]
    in_turn(widget.refresh)
    qtbot.waitUntil(lambda: log == ["a", "a"])


def test_a_widget_that_is_gone_loses_its_turn(qtbot):
    log = []
    gone, there = Slow(log, "gone"), Slow(log, "there")
    in_turn(gone.refresh)
    in_turn(there.refresh)
    shiboken6.delete(gone)
    qtbot.waitUntil(lambda: log == ["there"])


def test_one_that_raises_does_not_keep_the_others(qtbot):
    log = []
    widget = Slow(log, "after")

    def fails():
        raise ValueError("a defect")

    with qtbot.captureExceptions() as caught:
        in_turn(fails)
        in_turn(widget.refresh)
        qtbot.waitUntil(lambda: log == ["after"])
    assert [str(error) for _, error, _ in caught] == ["a defect"]
