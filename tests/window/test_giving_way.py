"""Imports in threads wait for the window, but never for long."""

import os
import sys
import threading
import time
from contextlib import nullcontext

from PySide6.QtCore import QAbstractEventDispatcher, QTimer

from jviz.window import giving_way
from jviz.window.giving_way import GivingWay, give_way


def watching() -> GivingWay:
    way = GivingWay()
    way.watch(QAbstractEventDispatcher.instance())
    return way


def own_priority() -> int:
    """Return how much this thread gives way to others."""
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def test_it_is_installed_once():
    first = give_way()
    assert give_way() is first
    assert sum(isinstance(finder, GivingWay) for finder in sys.meta_path) == 1


def test_a_thread_waits_while_the_window_is_busy_and_goes_on_when_it_is_not(qtbot, monkeypatch):
    # Long looks: on a machine that is busy otherwise, the window may be kept from its work for a moment.
    for name, seconds in (("PATIENCE", 30.0), ("GLANCE", 0.05), ("SHORT", 0.03), ("STALE", 1.0)):
        monkeypatch.setattr(giving_way, name, seconds)
    way, order = watching(), []
    begun = threading.Event()

    def look() -> None:
        begun.wait()
        assert way.find_spec("no_such_module") is None
        order.append("import")

    def busy() -> None:
        thread.start()
        end = time.monotonic() + 0.5
        while time.monotonic() < end:
            if end - time.monotonic() < 0.4:
                begun.set()
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


def test_quiet_imports_wait_until_the_user_pauses(qtbot, monkeypatch):
    monkeypatch.setattr(giving_way, "PAUSE", 0.15)
    way, seen = watching(), {}
    qtbot.wait(1)

    def look(name: str, patient: bool) -> None:
        with way.patiently() if patient else nullcontext():
            way.find_spec("no_such_module")
        seen[name] = time.monotonic()

    way.note_user()
    begun = time.monotonic()
    threads = [threading.Thread(target=look, args=args) for args in (("quiet", True), ("asked for", False))]
    for thread in threads:
        thread.start()
    qtbot.waitUntil(lambda: len(seen) == 2)
    for thread in threads:
        thread.join()
    assert seen["asked for"] < seen["quiet"]
    assert seen["quiet"] - begun > 0.1


def test_somebody_who_never_pauses_does_not_keep_imports_for_ever(qtbot, monkeypatch):
    monkeypatch.setattr(giving_way, "LONGEST", 0.1)
    monkeypatch.setattr(giving_way, "PAUSE", 1000.0)
    way, seen = watching(), []
    qtbot.wait(1)

    def look() -> None:
        with way.patiently():
            way.find_spec("no_such_module")
        seen.append("import")

    way.note_user()
    thread = threading.Thread(target=look)
    thread.start()
    qtbot.waitUntil(lambda: bool(seen))
    thread.join()


def test_jobs_of_a_window_leave_it_the_processors(window, qtbot):
    """A job's thread knows that it matters less; that of the window is as it was."""
    niceness = window.session.jobs.submit("ask", lambda job: own_priority())
    before = own_priority()
    qtbot.waitUntil(lambda: niceness.is_over)
    if sys.platform == "linux":
        assert niceness.result() > before
    assert window.session.jobs.way is give_way()
