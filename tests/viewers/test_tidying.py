"""Garbage with widgets in it is collected in the window's thread, whatever other threads do meanwhile."""

import gc
import sys
import threading
import types
import weakref

import pytest

import jviz
from jviz.viewers import tidying as module
from jviz.viewers.tidying import tidying


@pytest.fixture(autouse=True)
def python_collects_at_first():
    gc.enable()
    yield
    gc.disable()


class Thing:
    """Part of a cycle; notes where it ends."""

    ended: list[str] = []

    def __init__(self):
        self.me = self
        weakref.finalize(self, lambda: Thing.ended.append(threading.current_thread().name))


def litter():
    for _ in range(20_000):
        Thing()


def test_cycles_made_in_threads_end_in_the_window_s_thread(qtbot, monkeypatch):
    monkeypatch.setattr(module, "IMPORTED", sys.maxsize)  # one of them, at work just then, would be spared
    window = jviz.launch(show=False)
    qtbot.addWidget(window)
    try:
        Thing.ended = []
        thread = threading.Thread(target=litter, name="litterer")
        thread.start()
        thread.join()
        assert not gc.isenabled()
        assert "litterer" not in Thing.ended
        qtbot.waitUntil(lambda: len(Thing.ended) == 20_000, timeout=10_000)
        assert set(Thing.ended) == {threading.main_thread().name}
    finally:
        window.close_at_once()


def test_python_s_own_collector_comes_back_with_the_last_window(qtbot):
    before = gc.isenabled()
    windows = [jviz.launch(show=False), jviz.launch(show=False)]
    for window in windows:
        qtbot.addWidget(window)
    assert not gc.isenabled()
    windows[0].close_at_once()
    assert not gc.isenabled()
    windows[1].close_at_once()
    assert gc.isenabled() == before


def test_nothing_is_collected_while_something_large_is_imported(qtbot):
    tidy = tidying()
    tidy.keep()
    try:
        Thing.ended = []
        with tidy.undisturbed():
            litter()
            tidy.tidy()
            assert Thing.ended == []
        tidy.tidy()
        assert Thing.ended
        assert not gc.isenabled()
    finally:
        tidy.release()
    before = gc.isenabled()
    with tidy.undisturbed():
        assert not gc.isenabled()
    assert gc.isenabled() == before


def test_what_came_with_imports_is_not_looked_through_again(qtbot, monkeypatch):
    tidy = tidying()
    tidy.keep()
    try:
        Thing.ended = []
        made = [Thing() for _ in range(5_000)]
        litter()
        tidy.tidy()
        assert len(Thing.ended) == 20_000
        before = gc.get_freeze_count()
        for number in range(module.IMPORTED):
            monkeypatch.setitem(sys.modules, f"imported_{number}", types.ModuleType("imported"))
        litter()
        tidy.tidy()
        assert len(Thing.ended) == 40_000
        assert gc.get_freeze_count() >= before + len(made)
        litter()
        tidy.tidy()
        assert len(Thing.ended) == 60_000
    finally:
        tidy.release()
        gc.unfreeze()


def test_what_is_kept_twice_is_released_twice(qtbot):
    tidy, before = tidying(), gc.isenabled()
    tidy.keep()
    tidy.keep()
    tidy.release()
    assert not gc.isenabled()
    tidy.release()
    assert gc.isenabled() == before
