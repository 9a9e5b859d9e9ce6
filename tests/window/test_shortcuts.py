"""Keys that users change."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence

from jviz.window.shortcut_editor import open_editor
from jviz.window.shortcuts import is_plain, split_keys

CTRL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def editor(window):
    editor = open_editor(window)
    editor.choose("window.reset_layout")
    return editor


def test_a_conflict_is_named_before_it_happens(window, editor, qtbot):
    qtbot.keyClick(editor.keys, Qt.Key.Key_O, CTRL)
    assert "Open" in editor.warning.text()
    assert "Ctrl+O" in editor.warning.text()
    assert window.shortcuts.effective()["file.open_dialog"] == ["Ctrl+O"]


def test_assigning_takes_the_keys_away_from_the_other(window, editor, qtbot):
    qtbot.keyClick(editor.keys, Qt.Key.Key_O, CTRL)
    qtbot.mouseClick(editor.assign_button, Qt.MouseButton.LeftButton)
    assert window.menus.actions["window.reset_layout"].shortcut() == QKeySequence("Ctrl+O")
    assert window.menus.actions["file.open_dialog"].shortcut().isEmpty()


def test_free_keys_work_at_once_and_in_the_next_window(window, editor, make_window, qtbot):
    window.docks.show("history")
    qtbot.keyClick(editor.keys, Qt.Key.Key_L, Qt.KeyboardModifier.AltModifier)
    assert "free" in editor.warning.text()
    qtbot.mouseClick(editor.assign_button, Qt.MouseButton.LeftButton)
    editor.close()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=5_000)
    qtbot.keyClick(window, Qt.Key.Key_L, Qt.KeyboardModifier.AltModifier)
    assert not window.docks["history"].isVisible()
    other = make_window()
    assert other.shortcuts.effective()["window.reset_layout"] == ["Alt+L"]


def test_reset_goes_back_to_the_declared_keys(window, editor, qtbot):
    editor.choose("file.open_dialog")
    qtbot.mouseClick(editor.remove_button, Qt.MouseButton.LeftButton)
    assert window.shortcuts.effective()["file.open_dialog"] == []
    qtbot.mouseClick(editor.reset_button, Qt.MouseButton.LeftButton)
    assert window.shortcuts.effective()["file.open_dialog"] == ["Ctrl+O"]
    assert window.session.settings["window.shortcuts"] == {}


def test_search_narrows_the_list(editor, qtbot):
    qtbot.keyClicks(editor.search, "ctrl+shift+p")
    model = editor.tree.model()
    assert [model.index(row, 0).data() for row in range(model.rowCount())] == ["Command Palette"]
    assert editor.tree.currentIndex().row() == 0


def test_keys_have_one_spelling():
    assert split_keys("ctrl+z; Ctrl+Shift+Z") == ["Ctrl+Z", "Ctrl+Shift+Z"]
    assert split_keys("") == []


@pytest.mark.parametrize(
    ("keys", "plain"), [("F", True), ("Home", True), ("Shift+C", True), ("Ctrl+O", False), ("F11", False), ("+", True)]
)
def test_plain_keys_are_those_that_type(keys, plain):
    assert is_plain(keys) is plain
