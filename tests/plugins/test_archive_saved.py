"""Searches that are kept in the archive panel, and what is new in them."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt

from jviz.api import saved_searches
from jviz.errors import CommandError
from tests.archive_hand import crowd, searched


@pytest.fixture
def panel(make_panel, mast):
    return make_panel("archive", size=(1200, 420))


def test_saved_searches_mark_what_is_new(qtbot, panel, session, mast):
    crowd(mast, 3)
    panel.question.fields["program"].setText("1234")
    panel.saved.keep("mine")
    run = next(action for action in panel.saved.menu().actions() if action.text() == "mine")
    run.trigger()
    qtbot.waitUntil(lambda: not panel._jobs, timeout=60_000)
    qtbot.waitUntil(lambda: panel.about.text() == "3 observations, MAST, 3 new")
    crowd(mast, 5)
    next(action for action in panel.saved.menu().actions() if action.text() == "mine").trigger()
    qtbot.waitUntil(lambda: not panel._jobs, timeout=60_000)
    qtbot.waitUntil(lambda: panel.about.text() == "5 observations, MAST, 2 new")
    again = session.run("archive.again", name="mine")
    assert not again["new"].any()
    session.run("archive.forget", name="mine")
    with pytest.raises(CommandError, match="no saved search 'mine'"):
        session.run("archive.again", name="mine")


def seen(session):
    return {search.name: len(search.seen) for search in saved_searches(session.archives.library)}


def run(qtbot, panel, name):
    next(action for action in panel.saved.menu().actions() if action.text() == name).trigger()
    qtbot.waitUntil(lambda: not panel._jobs, timeout=60_000)


def test_what_is_shown_when_a_search_is_saved_has_been_seen(qtbot, panel, session, mast):
    crowd(mast, 3)
    searched(qtbot, panel, program="1234", more="s_ra=52..54")
    panel.saved.keep("mine")
    qtbot.waitUntil(lambda: seen(session) == {"mine": 3}, timeout=60_000)
    crowd(mast, 5)
    run(qtbot, panel, "mine")
    qtbot.waitUntil(lambda: panel.about.text() == "5 observations, MAST, 2 new")
    # What is in the form now was not asked: none of its rows has been seen.
    panel.question.more.setText("s_ra=51..54")
    panel.saved.keep("other")
    run(qtbot, panel, "other")
    qtbot.waitUntil(lambda: panel.about.text() == "5 observations, MAST, 5 new")
    assert seen(session) == {"mine": 5, "other": 5}
    # The rows on the screen answer the search that was run; saved again, by whatever name, they are known.
    panel.saved.keep("third")
    qtbot.waitUntil(lambda: seen(session)["third"] == 5, timeout=60_000)


def test_a_search_that_is_saved_while_its_rows_come_knows_them_when_they_are_all_there(qtbot, panel, session, mast):
    crowd(mast, 3)
    mast.executing, mast.hold = 1, 1.0
    panel.question.fields["program"].setText("1234")
    qtbot.mouseClick(panel.search_button, Qt.MouseButton.LeftButton)
    panel.saved.keep("mine")
    assert panel._jobs
    assert seen(session) == {"mine": 0}
    qtbot.waitUntil(lambda: seen(session) == {"mine": 3}, timeout=60_000)
    assert panel.about.text() == "3 observations, MAST"
    run(qtbot, panel, "mine")
    qtbot.waitUntil(lambda: panel.about.text() == "3 observations, MAST, 0 new")
