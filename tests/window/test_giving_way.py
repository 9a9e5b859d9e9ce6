"""Imports in threads wait for the window, but never for long."""

import sys
import threading
import time

from PySide6.QtCore import QAbstractEventDispatcher, QTimer

from jviz.window import giving_way
from jviz.window.giving_way import GivingWay, give_way


def watching() -> GivingWay:
    way = GivingWay()
    way.watch(QAbstractEventDispatcher.instance())
    return way


def test_it_is_installed_once():
    first = give_way()
    assert give_way() is first
    assert sum(isinstance(finder, GivingWay) for finder in sys.meta_path) == 1


def test_a_thread_waits_while_the_window_is_busy_and_goes_on_when_it_is_not(qtbot, monkeypatch):
    monkeypatch.setattr(giving_way, "PATIENCE", 30.0)
    way, order = watching(), []
    begun = threading.Event()

    def look() -> None:
        begun.set()
        assert way.find_spec("no_such_module") is None
        order.append("import")

    def busy() -> None:
        thread.start()
        begun.wait()
        time.sleep(0.05)
        order.append("window")

    thread = threading.Thread(target=look)
    qtbot.wait(1)  # a loop has run: from now on it is known what it looks like when it waits
    QTimer.singleShot(0, busy)
    qtbot.waitUntil(lambda: len(order) == 2)
    thread.join()
    assert order == ["window", "import"]


def test_a_thread_that_the_window_waits_for_goes_on(qtbot, monkeypatch):
    monkeypatch.setattr(giving_way, "PATIENCE", 0.01)
    way, found = watching(), []

    def wait_for_it() -> None:
        thread = threading.Thread(target=lambda: found.append([way.find_spec("no_such_module") for _ in range(500)]))
        thread.start()
        thread.join()

    QTimer.singleShot(0, wait_for_it)
    qtbot.waitUntil(lambda: bool(found))


def test_the_thread_of_the_widgets_never_waits(qtbot, monkeypatch):
    monkeypatch.setattr(giving_way, "PATIENCE", 1000.0)
    way, found = watching(), []
    QTimer.singleShot(0, lambda: found.append(way.find_spec("no_such_module")))
    qtbot.waitUntil(lambda: found == [None])
