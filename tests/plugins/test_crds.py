"""The panel of reference files."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QScrollArea

from jviz.plugins.crds import NO_PRODUCT
from tests.crds_cache import write_cache
from tests.model.test_crds import write_product


@pytest.fixture
def product(session, tmp_path, monkeypatch):
    monkeypatch.setenv("CRDS_PATH", str(write_cache(tmp_path / "crds")))
    monkeypatch.delenv("CRDS_CONTEXT", raising=False)
    return session.open(write_product(tmp_path / "jw1_cal.fits"), show=False)[0]


def cells(panel):
    items = [panel.tree.topLevelItem(n) for n in range(panel.tree.topLevelItemCount())]
    return {item.text(0): [item.text(n) for n in range(1, 4)] for item in items}


def test_the_active_product_shows_its_files(make_panel, context, session, product, qtbot):
    context.activate(session.view("image", data=product))
    panel = make_panel("crds")
    qtbot.waitUntil(lambda: "flat" in cells(panel))
    assert cells(panel)["flat"] == ["flat_new.fits", "missing here", "flat_c.fits"]
    [flat] = panel.tree.findItems("flat", Qt.MatchFlag.MatchExactly)
    assert flat.font(3).bold()
    assert "jwst_0002.pmap" in panel.note.text()
    assert "1 of its files would be others now" in panel.note.text()
    assert [panel.contexts.itemText(n) for n in range(3)][1:] == ["jwst_0002.pmap", "jwst_0001.pmap"]
    panel.contexts.setFocus()
    qtbot.keyClick(panel.contexts, Qt.Key.Key_End)
    qtbot.waitUntil(lambda: cells(panel).get("flat") == ["flat_c.fits", "missing here", "flat_c.fits"])
    panel.everything.click()
    qtbot.waitUntil(lambda: "ipc" in cells(panel))


def test_without_rules_it_says_what_to_do(make_panel, context, session, product, tmp_path, monkeypatch, qtbot):
    monkeypatch.setenv("CRDS_PATH", str(tmp_path / "nowhere"))
    context.activate(session.view("image", data=product))
    panel = make_panel("crds")
    qtbot.waitUntil(lambda: "Set CRDS_PATH" in panel.note.text())
    assert cells(panel) == {}
    assert panel.contexts.currentText() == "as set, or the newest"


def test_what_is_missing_is_fetched_by_a_button(make_panel, context, session, tmp_path, monkeypatch, qtbot):
    from tests.crds_server import CrdsServer

    folder = write_cache(tmp_path / "there")
    write_product(tmp_path / "flat.fits").replace(folder / "references" / "jwst" / "nircam" / "flat_b.fits")
    server = CrdsServer(folder, "jwst_0002.pmap")
    try:
        monkeypatch.setenv("CRDS_PATH", str(tmp_path / "here"))
        monkeypatch.setenv("CRDS_SERVER_URL", server.url)
        monkeypatch.delenv("CRDS_CONTEXT", raising=False)
        path = write_product(tmp_path / "jw1_cal.fits", **{"DATE-OBS": "2020-06-01", "SUBSIZE1": 5})
        context.activate(session.view("image", data=session.open(path, show=False)[0]))
        panel = make_panel("crds")
        qtbot.waitUntil(lambda: "Set CRDS_PATH" in panel.note.text())
        panel.fetch()
        fetched = ["flat_b.fits", "on this machine"]
        qtbot.waitUntil(lambda: cells(panel).get("flat", [""])[:2] == fetched, timeout=15_000)
    finally:
        server.close()


def test_contexts_and_buttons_are_there_without_a_product(make_panel, session, product, qtbot):
    session.run("data.remove", data=product)
    panel = make_panel("crds")
    panel.resize(600, 300)
    panel.show()
    qtbot.waitUntil(lambda: panel.contexts.count() > 1)
    assert panel.note.text() == NO_PRODUCT
    assert panel.body.isVisible()
    assert panel.tree.topLevelItemCount() == 0


def test_in_a_low_dock_the_files_alone_are_scrolled(make_panel, session, product, qtbot):
    panel = make_panel("crds")
    area = QScrollArea(widgetResizable=True)
    qtbot.addWidget(area)
    area.setWidget(panel)
    area.resize(600, 200)
    area.show()
    qtbot.waitUntil(lambda: panel.contexts.count() > 1 and panel.height() <= 200)
    assert area.verticalScrollBar().maximum() == 0
    assert panel.tree.viewport().height() > 0
    area.takeWidget()
