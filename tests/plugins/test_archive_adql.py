"""Questions in ADQL in the Archive panel, against a small service on loopback."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication


@pytest.fixture
def panel(qtbot, make_panel, service):
    panel = make_panel("archive", size=(1200, 460))
    tabs = panel.ways.tabBar()
    qtbot.mouseClick(tabs, Qt.MouseButton.LeftButton, pos=tabs.tabRect(1).center())
    assert panel.adql.isVisible()
    panel.adql.service.setCurrentText(f"{service.url}/tap")
    return panel


def asked(qtbot, panel, adql):
    panel.adql.editor.clear()
    qtbot.keyClicks(panel.adql.editor, adql)
    qtbot.keyClick(panel.adql.editor, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert panel._jobs
    qtbot.waitUntil(lambda: not panel._jobs, timeout=60_000)


def test_a_question_is_answered_in_the_table_and_on_the_map(qtbot, panel, session, service):
    asked(qtbot, panel, "SELECT TOP 7 obs_id, s_ra, s_dec FROM ivoa.ObsCore")
    assert panel.found.table_model.rowCount() == 7
    assert panel.about.text() == f"7 observations, {service.url}/tap"
    assert "archive.tap" in session.script()
    assert session.settings["archive.adql_history"][0][1].startswith("SELECT TOP 7")
    panel.copy_python()
    assert QGuiApplication.clipboard().text().startswith("session.run('archive.tap', url='http://127.0.0.1")


def test_the_place_of_a_fault_is_marked(qtbot, panel):
    adql = "SELECT TOP 7 colour FROM ivoa.ObsCore"
    asked(qtbot, panel, adql)
    assert "refuses the question" in panel.about.text()
    assert "no such column: colour" in panel.about.text()
    assert panel.told.again_button.isVisible()
    [mark] = panel.adql.editor.extraSelections()
    assert mark.cursor.selectedText() == "colour"
    qtbot.keyClick(panel.adql.editor, Qt.Key.Key_Delete)
    assert panel.adql.editor.extraSelections() == []


def test_an_empty_question_says_so(qtbot, panel, service):
    qtbot.mouseClick(panel.search_button, Qt.MouseButton.LeftButton)
    assert "question is empty" in panel.about.text()
    assert service.asked == []


def test_tables_and_columns_are_listed_and_written(qtbot, panel):
    tree = panel.adql.tables
    qtbot.keyClicks(panel.adql.words, "observ")
    qtbot.keyClick(panel.adql.words, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: tree.topLevelItemCount() == 1 and tree.topLevelItem(0).text(0) == "ivoa.ObsCore",
                    timeout=60_000)  # fmt: skip
    table = tree.topLevelItem(0)
    tree.expandItem(table)
    qtbot.waitUntil(lambda: table.childCount() == 2, timeout=60_000)
    assert [table.child(n).text(0) for n in range(2)] == ["s_ra  deg", "obs_id"]
    assert "Right ascension" in table.child(0).toolTip(0)
    place = tree.visualItemRect(table.child(1)).center()
    qtbot.mouseClick(tree.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.mouseDClick(tree.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert panel.adql.editor.toPlainText() == "obs_id"


def test_a_service_that_cannot_be_asked_is_told_in_the_tree(qtbot, panel, service):
    service.broken = "<html>down</html>"
    panel.adql.list_tables()
    qtbot.waitUntil(lambda: "Asking" not in panel.adql.tables.topLevelItem(0).text(0), timeout=60_000)
    assert "Check its address" in panel.adql.tables.topLevelItem(0).text(0)


def test_examples_suit_the_service_and_what_was_asked_comes_back(qtbot, panel, service):
    panel.adql.service.setCurrentText("VizieR catalogues")
    assert panel.adql.url() == "vizier"
    menu = panel.adql.examples_menu()
    menu.actions()[0].trigger()
    assert "gaiadr3" in panel.adql.editor.toPlainText()
    menu.deleteLater()
    assert [one.text() for one in panel.adql.history_menu().actions()] == ["Nothing was asked yet"]
    panel.adql.service.setCurrentText(f"{service.url}/tap")
    asked(qtbot, panel, "SELECT TOP 1 obs_id FROM ivoa.ObsCore")
    asked(qtbot, panel, "SELECT TOP 2 obs_id FROM ivoa.ObsCore")
    asked(qtbot, panel, "SELECT TOP 1 obs_id FROM ivoa.ObsCore")
    actions = panel.adql.history_menu().actions()
    assert len(actions) == 2
    actions[1].trigger()
    assert panel.adql.editor.toPlainText() == "SELECT TOP 2 obs_id FROM ivoa.ObsCore"


def test_a_long_question_can_be_cancelled(qtbot, panel, service):
    service.slow = True
    qtbot.mouseClick(panel.adql.wait, Qt.MouseButton.LeftButton)
    panel.adql.editor.setPlainText("SELECT TOP 1 obs_id FROM ivoa.ObsCore")
    qtbot.mouseClick(panel.search_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: service.jobs != {}, timeout=60_000)
    qtbot.mouseClick(panel.cancel_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: panel.about.text() == "Cancelled.", timeout=60_000)
    qtbot.waitUntil(lambda: service.jobs == {}, timeout=30_000)
