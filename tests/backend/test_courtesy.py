"""Threads that give way: they call the pause often, and only while they are courteous."""

import sys
import threading

import pytest

from jviz.backend.courtesy import EVERY, courteous, give_way_by


@pytest.fixture
def pauses():
    """The threads that paused, as often as they did."""
    found = []
    give_way_by(lambda: found.append(threading.current_thread()))
    yield found
    give_way_by(None)


def work():
    return sum(map(abs, (len(str(n)) for n in range(10 * EVERY))))


def in_thread(function):
    thread = threading.Thread(target=function)
    thread.start()
    thread.join()
    return thread


def test_a_courteous_thread_pauses_often_and_ends_as_it_was(pauses):
    said = []

    def run():
        with courteous():
            said.append(work())
        said.append(sys.getprofile())
        count = len(pauses)
        work()
        said.append(len(pauses) - count)

    thread = in_thread(run)
    assert said == [work(), None, 0]
    assert len(pauses) >= 10
    assert set(pauses) == {thread}


def test_an_error_ends_it(pauses):
    ends = []

    def run():
        try:
            with courteous():
                raise ValueError
        except ValueError:
            ends.append(sys.getprofile())

    in_thread(run)
    assert ends == [None]


def test_the_main_thread_waits_for_nobody(pauses):
    with courteous():
        work()
    assert not pauses


def test_without_a_window_nothing_is_called(pauses):
    give_way_by(None)
    seen = []

    def run():
        with courteous():
            seen.append(sys.getprofile())

    in_thread(run)
    assert seen == [None]
