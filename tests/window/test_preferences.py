"""Preferences: made from the declarations, in force at once."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt

from jviz.settings import Settings, declared
from jviz.window.preferences import open_preferences
from jviz.window.shortcut_editor import ShortcutEditor


@pytest.fixture
def preferences(window):
    return open_preferences(window)


def test_every_setting_is_there_with_its_meaning(preferences):
    assert set(preferences.rows) == set(declared())
    for key, row in preferences.rows.items():
        if row.field is not None:
            target = row.field.focusProxy()
            assert target.accessibleName() == declared()[key].title
            assert target.accessibleDescription() == declared()[key].help


def test_a_change_holds_at_once_and_is_kept(window, preferences, qtbot):
    box = preferences.rows["window.confirm_close"].field.box
    qtbot.mouseClick(box, Qt.MouseButton.LeftButton, pos=QPoint(8, box.height() // 2))
    assert window.session.settings["window.confirm_close"] is False
    assert Settings(window.session.settings.path)["window.confirm_close"] is False


def test_the_theme_follows_while_the_dialog_is_open(window, preferences, qtbot):
    combo = preferences.rows["window.theme"].field.combo
    combo.setCurrentText("light")
    assert not window.theme.colours.dark


def test_a_wrong_value_is_explained_and_not_taken(window, preferences, qtbot):
    preferences.go_to("image.zoom_step")
    row = preferences.rows["image.zoom_step"]
    row.field.edit.clear()
    qtbot.keyClicks(row.field.edit, "99")
    assert "between" in row.error.text()
    assert row.error.isVisible()
    assert window.session.settings["image.zoom_step"] == 1.25
    row.field.edit.clear()
    qtbot.keyClicks(row.field.edit, "2")
    assert not row.error.isVisible()
    assert window.session.settings["image.zoom_step"] == 2


def test_back_to_the_default(window, preferences, qtbot):
    window.session.settings["window.recent_files"] = 7
    row = preferences.rows["window.recent_files"]
    assert row.field.value() == 7
    qtbot.mouseClick(row.back, Qt.MouseButton.LeftButton)
    assert window.session.settings["window.recent_files"] == 20
    assert row.field.value() == 20
    assert not row.back.isEnabled()


def test_search_finds_across_sections(preferences, qtbot):
    qtbot.keyClicks(preferences.search, "resolver")
    assert [key for key, row in preferences.rows.items() if row.isVisible()] == ["network.name_resolver"]


def test_one_section_at_a_time(preferences):
    shown = {key.partition(".")[0] for key, row in preferences.rows.items() if row.isVisible()}
    assert shown == {"window"}


def test_shortcuts_have_an_editor_of_their_own(window, preferences, qtbot):
    qtbot.mouseClick(preferences.rows["window.shortcuts"].button, Qt.MouseButton.LeftButton)
    assert window.findChild(ShortcutEditor).isVisible()
