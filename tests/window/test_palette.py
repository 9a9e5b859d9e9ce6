"""The command palette, by keyboard only."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from jviz.window.palette import HIT, Palette
from jviz.window.preferences import Preferences
from jviz.window.search import Hit, matched_letters, ranked

CTRL_SHIFT = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def opened(filled, qtbot):
    """The palette opened by its keys."""
    qtbot.keyClick(filled, Qt.Key.Key_P, CTRL_SHIFT)
    palette = filled.findChild(Palette)
    assert palette.isVisible()
    assert QApplication.focusWidget() is palette.search
    return palette


def titles(palette):
    return [palette.model.index(row).data() for row in range(palette.model.rowCount())]


def test_typing_runs_a_command(filled, opened, qtbot):
    qtbot.keyClicks(opened.search, "invert")
    assert titles(opened)[0] == "Invert Colours"
    qtbot.keyClick(opened.search, Qt.Key.Key_Return)
    assert filled.session.views["Image 1"].invert
    assert filled.findChild(Palette) is None or not opened.isVisible()


def test_it_shows_keys_and_says_what_a_command_does(opened, qtbot):
    qtbot.keyClicks(opened.search, "undo")
    hit = opened.model.index(0).data(HIT)
    assert (hit.title, hit.keys) == ("Undo", "Ctrl+Z")
    assert "last step" in opened.summary.text()


@pytest.mark.parametrize(("typed", "title"), [("asinh", "Stretch"), ("zscale", "Limits")])
def test_commands_are_found_by_what_they_can_be_told(opened, qtbot, typed, title):
    qtbot.keyClicks(opened.search, typed)
    assert titles(opened)[0] == title


def test_arrows_choose(opened, qtbot):
    qtbot.keyClicks(opened.search, "zoom")
    first = titles(opened)
    qtbot.keyClick(opened.search, Qt.Key.Key_Down)
    assert opened.list.currentIndex().data() == first[1]
    qtbot.keyClick(opened.search, Qt.Key.Key_Up)
    qtbot.keyClick(opened.search, Qt.Key.Key_Up)
    assert opened.list.currentIndex().data() == first[-1]


def test_escape_closes_and_gives_the_focus_back(filled, opened, qtbot):
    qtbot.keyClick(opened.search, Qt.Key.Key_Escape)
    assert not opened.isVisible()
    assert QApplication.focusWidget() is filled.viewers["Image 1"]


def test_data_settings_and_panels_are_found_too(filled, opened, qtbot):
    qtbot.keyClicks(opened.search, "picture")
    assert ("picture", "Data") in [
        (opened.model.index(r).data(), opened.model.index(r).data(HIT).kind) for r in range(opened.model.rowCount())
    ]
    opened.search.clear()
    qtbot.keyClicks(opened.search, "zoom step")
    assert opened.model.index(0).data(HIT).kind == "Setting"
    qtbot.keyClick(opened.search, Qt.Key.Key_Return)
    dialog = filled.findChild(Preferences)
    assert dialog.rows["image.zoom_step"].isVisible()


def test_recent_files_are_found(window, image_file, qtbot):
    window.recent.add(image_file)
    qtbot.keyClick(window, Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    palette = window.findChild(Palette)
    qtbot.waitUntil(lambda: titles(palette) == ["picture.fits"])
    qtbot.keyClick(palette.search, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.session.names == ["picture"], timeout=20_000)


def test_what_cannot_run_now_says_so(window, qtbot):
    qtbot.keyClick(window, Qt.Key.Key_P, CTRL_SHIFT)
    palette = window.findChild(Palette)
    qtbot.keyClicks(palette.search, "invert colours")
    qtbot.keyClick(palette.search, Qt.Key.Key_Return)
    assert palette.isVisible()
    assert "not open" in palette.summary.text()


def test_nothing_found_is_said(opened, qtbot):
    qtbot.keyClicks(opened.search, "qqqqzzzz")
    assert titles(opened) == []
    assert "Nothing" in opened.summary.text()
    qtbot.keyClick(opened.search, Qt.Key.Key_Return)
    assert opened.isVisible()


NAMES = ("Zoom In", "Zoom Out", "North Up, East Left", "Colour Map", "Save Session As", "Split Right")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("zi", "Zoom In"), ("zoom o", "Zoom Out"), ("nort", "North Up, East Left"), ("color map", "Colour Map"),
        ("ssa", "Save Session As"), ("right", "Split Right"), ("sessoin", "Save Session As"), ("out zo", "Zoom Out"),
    ],
)  # fmt: skip
def test_few_letters_initials_and_slips_find_it(query, expected):
    hits = [Hit(name, lambda: None) for name in NAMES]
    assert ranked(query, hits)[0].title == expected


def test_letters_found_are_marked():
    assert {"Zoom In"[i] for i in matched_letters("zo", "Zoom In")} == {"Z", "o"}
    assert matched_letters("xy", "Zoom In") == set()
