"""The question whether a page in a browser may connect, answered with the mouse and the keyboard."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

import jviz
from jviz.backend.samp import web
from tests.samp_page import ORIGIN, BrowserPage

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def open_window(qtbot, make_window, monkeypatch, samp_lock_file):
    monkeypatch.setattr(web, "PORT", 0)
    session = jviz.Session(settings={"samp.web_pages": True, "samp.connect": True})
    window = make_window([], session=session)
    qtbot.waitUntil(lambda: session.samp.takes_pages, timeout=30_000)
    return window


@pytest.fixture
def asked(qtbot, open_window):
    """Return a page that knocks, the thread that waits for the answer, and the question."""
    page = BrowserPage(open_window.session.samp.connection.gate.port)
    thread = page.knock("Sky <b>Page</b>")
    qtbot.waitUntil(lambda: bool(open_window.doorkeeper.questions), timeout=30_000)
    [question] = open_window.doorkeeper.questions.values()
    yield page, thread, question
    thread.join(30)


def test_the_question_names_the_page_and_lets_it_in_on_a_click(qtbot, open_window, asked):
    page, _, question = asked
    qtbot.waitUntil(question.isVisible)
    texts = [label.text() for label in question.findChildren(QLabel)]
    assert texts[0] == ORIGIN
    assert "“Sky <b>Page</b>”" in texts[1]
    assert all(label.textFormat() == Qt.TextFormat.PlainText for label in question.findChildren(QLabel))
    assert not question.isModal()
    assert question.refuse_button.isDefault()
    assert not page.key
    qtbot.mouseClick(question.allow_button, LEFT)
    qtbot.waitUntil(lambda: bool(page.key), timeout=30_000)
    qtbot.waitUntil(lambda: not open_window.doorkeeper.questions)
    panel = open_window.panel("samp")
    qtbot.waitUntil(lambda: panel.programs.topLevelItemCount() == 2, timeout=30_000)
    name = "Sky <b>Page</b> (page.example.org)"  # it comes after the page itself
    qtbot.waitUntil(lambda: panel.programs.topLevelItem(1).text(0) == name, timeout=30_000)
    item = panel.programs.topLevelItem(1)
    assert not panel.end_button.isVisibleTo(panel)
    qtbot.mouseClick(panel.programs.viewport(), LEFT, pos=panel.programs.visualItemRect(item).center())
    qtbot.waitUntil(lambda: panel.end_button.isVisibleTo(panel))
    qtbot.mouseClick(panel.end_button, LEFT)
    qtbot.waitUntil(lambda: not open_window.session.samp.partners, timeout=30_000)


def test_return_refuses(qtbot, open_window, asked):
    page, _, question = asked
    qtbot.waitUntil(question.isVisible)
    qtbot.keyClick(question, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "does not let this page in" in page.refused, timeout=30_000)
    qtbot.waitUntil(lambda: not open_window.doorkeeper.questions)
    again = BrowserPage(page.port)
    again.register()
    assert "does not let this page in" in again.refused
    assert not open_window.doorkeeper.questions


def test_escape_is_not_now(qtbot, open_window, asked):
    page, _, question = asked
    qtbot.waitUntil(question.isVisible)
    qtbot.keyClick(question, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: "does not let this page in" in page.refused, timeout=30_000)
    again = BrowserPage(page.port)
    waiting = again.knock()
    qtbot.waitUntil(lambda: len(open_window.doorkeeper.questions) == 1, timeout=30_000)
    [question] = open_window.doorkeeper.questions.values()
    qtbot.mouseClick(question.allow_button, LEFT)
    qtbot.waitUntil(lambda: bool(again.key), timeout=30_000)
    waiting.join(30)


def test_the_switch_of_the_panel_ends_the_question(qtbot, open_window, asked):
    page, _, _ = asked
    panel = open_window.panel("samp")
    box = panel.options["samp.web_pages"]
    assert box.isChecked()
    qtbot.mouseClick(box, LEFT)
    qtbot.waitUntil(lambda: not open_window.session.settings["samp.web_pages"])
    qtbot.waitUntil(lambda: not open_window.doorkeeper.questions, timeout=30_000)
    qtbot.waitUntil(lambda: bool(page.refused), timeout=30_000)
