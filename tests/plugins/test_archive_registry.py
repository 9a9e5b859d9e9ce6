"""Services found in the registry by hand, kept, asked and forgotten."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt

from jviz.plugins.archive_registry import SERVICE, ServiceFinder

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def panel(qtbot, make_panel, session, service):
    session.settings["archive.registry"] = f"{service.url}/tap"
    return make_panel("archive", size=(1200, 560))


def opened(qtbot, panel):
    """Click the compass beside the archives and return the dialog."""
    button = next(b for b in panel.ways.currentWidget().findChildren(type(panel.saved_button))
                  if b.toolTip().startswith("Find a"))  # fmt: skip
    qtbot.mouseClick(button, LEFT)
    [finder] = [one for one in panel.findChildren(ServiceFinder) if one.isVisible()]
    return finder


def searched(qtbot, finder, words, kind=""):
    finder.words.clear()
    qtbot.keyClicks(finder.words, words)
    finder.kind.setCurrentIndex(finder.kind.findData(kind))
    qtbot.mouseClick(finder.search_button, LEFT)
    qtbot.waitUntil(lambda: not finder._asked.is_waiting, timeout=60_000)


def titles(tree):
    return [tree.topLevelItem(n).text(0) for n in range(tree.topLevelItemCount())]


def picked(qtbot, tree, title):
    item = next(tree.topLevelItem(n) for n in range(tree.topLevelItemCount()) if tree.topLevelItem(n).text(0) == title)
    qtbot.mouseClick(tree.viewport(), LEFT, pos=tree.visualItemRect(item).center())
    return item


def test_an_archive_of_the_registry_is_asked_by_the_form(qtbot, panel, session, service):
    finder = opened(qtbot, panel)
    assert not finder.use_button.isEnabled()
    searched(qtbot, finder, "observatory", "obscore")
    assert titles(finder.found) == ["Infrared observatory archive"]
    assert finder.told.text() == "1 service."
    picked(qtbot, finder.found, "Infrared observatory archive")
    assert "Images and spectra of galaxies" in finder.about.toPlainText()
    qtbot.mouseClick(finder.use_button, LEFT)
    assert panel.question.collection.currentText() == "Infrared observatory archive"
    qtbot.keyClicks(panel.question.target, "53 -27")
    panel.question.radius.setText("0.1 deg")
    qtbot.mouseClick(panel.search_button, LEFT)
    qtbot.waitUntil(lambda: not panel._jobs, timeout=60_000)
    assert panel.about.text().endswith("observations, Infrared observatory archive")
    assert panel.found.table_model.rowCount() > 0
    assert "archive.keep_service" in session.script()


def test_a_service_for_adql_alone_goes_to_that_tab(qtbot, panel):
    finder = opened(qtbot, panel)
    searched(qtbot, finder, "stars", "tap")
    item = picked(qtbot, finder.found, "Stars' catalogue")
    qtbot.mouseDClick(finder.found.viewport(), LEFT, pos=finder.found.visualItemRect(item).center())
    assert panel.ways.currentWidget() is panel.adql
    assert panel.adql.service.currentText() == "Stars' catalogue"
    assert panel.adql.url() == "stars-catalogue"
    assert panel.question.collection.findText("Stars' catalogue") < 0
    # Found from there, one with observations stays there.
    finder = opened(qtbot, panel)
    searched(qtbot, finder, "observatory", "obscore")
    picked(qtbot, finder.found, "Infrared observatory archive")
    qtbot.mouseClick(finder.use_button, LEFT)
    assert panel.adql.url() == "infrared-observatory-archive"


def test_kept_services_are_listed_and_forgotten(qtbot, panel, session):
    session.run("archive.keep_service", url="https://a.test/sia", kind="sia2", title="Pictures")
    assert panel.question.collection.findText("Pictures") >= 0
    finder = opened(qtbot, panel)
    tabs = finder.lists.tabBar()
    assert tabs.tabText(1) == "Kept (1)"
    assert not finder.forget_button.isVisible()
    qtbot.mouseClick(tabs, LEFT, pos=tabs.tabRect(1).center())
    assert picked(qtbot, finder.kept, "Pictures").data(0, SERVICE)["name"] == "pictures"
    qtbot.mouseClick(finder.forget_button, LEFT)
    assert titles(finder.kept) == []
    assert panel.question.collection.findText("Pictures") < 0
    session.undo()
    assert titles(finder.kept) == ["Pictures"]


def test_what_cannot_be_asked_is_said(qtbot, panel, session, service):
    finder = opened(qtbot, panel)
    searched(qtbot, finder, "")
    assert "Give words, or a waveband" in finder.told.text()
    searched(qtbot, finder, "nothing of that")
    assert finder.told.text() == "No service fits; use fewer words."
    service.broken = "<html>down</html>"
    searched(qtbot, finder, "stars")
    assert "Registry of the Virtual Observatory" in finder.told.text()
    finder.close()
