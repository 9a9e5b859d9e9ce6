"""Menus, keys and names: everything is there, can be read aloud, and nothing collides."""

from __future__ import annotations

from collections import Counter

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLineEdit, QMenu, QWidget

from jviz.commands import all_commands
from jviz.window.shortcuts import split_keys


def entries(menu: QMenu):
    for action in menu.actions():
        if action.menu() is not None:
            yield action
            yield from entries(action.menu())
        elif not action.isSeparator():
            yield action


def test_every_entry_of_every_menu_has_a_text(window):
    tops = window.menuBar().actions()
    assert [a.text().replace("&", "") for a in tops][:3] == ["File", "Edit", "View"]
    for top in tops:
        listed = list(entries(top.menu()))
        assert listed, f"{top.text()} is empty"
        assert all(action.text().strip() for action in listed)


def test_every_command_with_a_menu_is_in_it(window):
    texts = {a.objectName() for top in window.menuBar().actions() for a in entries(top.menu())}
    hidden = {"file.open", "file.open_session"}
    missing = {id for id, c in all_commands().items() if c.menu} - texts - hidden
    assert not missing


def test_no_two_commands_share_keys(window):
    declared = [key for keyed in window.shortcuts.all() for key in split_keys(keyed.declared)]
    twice = [key for key, count in Counter(declared).items() if count > 1]
    assert not twice, f"declared twice: {twice}"


def test_no_two_actions_share_keys(window):
    from PySide6.QtGui import QAction

    keys = Counter(
        key.toString() for action in window.findChildren(QAction) for key in action.shortcuts()
        if action.parent() is window and not key.isEmpty()
    )  # fmt: skip
    assert not [key for key, count in keys.items() if count > 1]


def test_everything_that_can_be_used_has_an_accessible_name(filled):
    for widget in filled.findChildren(QWidget):
        if not isinstance(widget, QAbstractButton | QComboBox | QLineEdit) or not widget.isVisible():
            continue
        name = widget.accessibleName() or getattr(widget, "text", lambda: "")() or widget.toolTip()
        parent = type(widget.parent()).__name__
        inner = widget.objectName().startswith("qt_") or isinstance(widget.parent(), QComboBox)
        assert name or inner, f"{type(widget).__name__} in {parent} has no name"


def test_entries_are_enabled_by_what_is_there(window, image, qtbot):
    actions = window.menus.actions
    assert not actions["image.fit"].isEnabled()
    assert not actions["view.close"].isEnabled()
    assert not actions["edit.undo"].isEnabled()
    window.session.add(image, name="picture")
    window.open_viewer("image", data="picture")
    assert actions["image.fit"].isEnabled()
    assert actions["view.close"].isEnabled()
    assert "New View" in actions["edit.undo"].text() or actions["edit.undo"].isEnabled()


def test_toggles_show_what_is_on(filled):
    action = filled.menus.actions["image.grid"]
    assert action.isCheckable()
    assert not action.isChecked()
    action.trigger()
    assert filled.session.views["Image 1"].grid
    assert action.isChecked()


def test_panels_open_and_close_by_their_keys(window, qtbot):
    keys = window.shortcuts.effective()["panel.history"]
    sequence = QKeySequence(keys[0])[0]
    dock = window.docks["history"]
    assert not dock.isVisible()
    qtbot.keyClick(window, sequence.key(), sequence.keyboardModifiers())
    assert dock.isVisible()
    qtbot.keyClick(window, sequence.key(), sequence.keyboardModifiers())
    assert not dock.isVisible()


def test_a_command_of_a_plugin_appears_when_it_is_declared(window):
    from jviz.commands import command, forget

    @command("extra.wave", title="Wave", menu="Extra", shortcut="Ctrl+Alt+W")
    def wave() -> None:
        """Do nothing, politely."""

    try:
        window.take_plugins()
        tops = [a.text() for a in window.menuBar().actions()]
        assert "Extra" in tops
        assert tops.index("Extra") < tops.index("&Panels")
        assert window.menus.actions["extra.wave"].shortcut() == QKeySequence("Ctrl+Alt+W")
    finally:
        forget("extra.wave")
    window.take_plugins()
    assert "extra.wave" not in window.menus.actions


def test_full_screen_by_key(window, qtbot):
    qtbot.keyClick(window, Qt.Key.Key_F11)
    assert window.isFullScreen()
    qtbot.keyClick(window, Qt.Key.Key_F11)
    assert not window.isFullScreen()


def test_a_list_that_the_user_asked_for_is_shown_but_not_one_that_a_panel_did(window, qtbot):
    results = window.session.results
    window.invoker.run("library.problems")
    assert not list(results)
    window.menus.actions["library.problems"].trigger()
    [result] = results
    assert (result.title, result.line) == ("Show Refused Files", "session.run('library.problems')")
    assert window.docks["results"].isVisible()
    window.menus.actions["calibration.runs"].trigger()
    qtbot.waitUntil(lambda: len(list(results)) == 2)
    assert "run" in list(results)[-1].value.colnames
