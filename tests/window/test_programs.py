"""Other programs in the window: the menu that sends to them, the sign in the status bar, the table that follows."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.table import Table
from PySide6.QtCore import Qt

import jviz
from tests.samp_partner import Partner


@pytest.fixture
def ds9(qtbot, make_window, image_file, samp_lock_file):
    session = jviz.Session(settings={"samp.connect": True})
    window = make_window([image_file], session=session)
    qtbot.waitUntil(lambda: session.samp.connected, timeout=30_000)
    partner = Partner("DS9", "image.load.fits", "table.load.votable")
    qtbot.waitUntil(lambda: any(p.understands("image.load.fits") for p in session.samp.partners), timeout=20_000)
    yield window, partner
    partner.close()


def entries(window):
    menu = window.menus._menus["Interop/Send To"]
    menu.aboutToShow.emit()
    return {action.text(): action for action in menu.actions() if not action.isSeparator()}


def test_the_menu_sends_what_is_active(qtbot, ds9, image_file):
    window, partner = ds9
    assert list(entries(window)) == ["DS9", "All Programs"]
    entries(window)["DS9"].trigger()
    qtbot.waitUntil(lambda: not partner.heard.empty(), timeout=20_000)
    assert partner.next()["params"]["url"] == image_file.as_uri()


def test_the_status_bar_leads_to_the_panel(qtbot, ds9):
    window, _ = ds9
    button = window.statusBar().programs
    qtbot.waitUntil(lambda: button.accessibleName() == "Connected to 1 other program")
    assert button.isVisible()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(window.panel("samp").isVisible)
    window.session.run("samp.disconnect")
    qtbot.waitUntil(button.isHidden)


def test_without_a_connection_the_menu_says_so(window):
    assert list(entries(window)) == ["No data are shown"]
    window.session.add(np.ones((4, 4)), name="flat")
    window.session.view("image", data="flat")
    assert list(entries(window)) == ["Not connected"]
    assert not window.statusBar().programs.isVisible()


def test_a_row_that_is_selected_elsewhere_comes_into_sight(qtbot, window):
    session = window.session
    data = session.add(Table({"id": np.arange(500), "x": np.arange(500.0)}), name="many")
    session.view("table", data=data)
    viewer = window.viewers[0]
    qtbot.waitUntil(lambda: viewer.model.rowCount() == 500)
    rows = viewer.rows
    session.run("catalog.select", data=data, rows=[400])
    qtbot.waitUntil(lambda: rows.viewport().rect().contains(rows.visualRect(viewer.model.index(400, 0)).center()))
    session.run("catalog.select", data=data, rows=[3, 5])  # of several none is gone to
    qtbot.wait(50)
    assert rows.viewport().rect().contains(rows.visualRect(viewer.model.index(400, 0)).center())
