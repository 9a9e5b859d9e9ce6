"""The panel of other programs, worked with the mouse; the other program is a process of its own."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.table import Table
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPixmap

from jviz.backend.samp.connection import Partner as Told
from tests.samp_partner import Partner


@pytest.fixture
def panel(make_panel, samp_lock_file):
    return make_panel("samp", size=(360, 600))


@pytest.fixture
def topcat(qtbot, panel, session):
    click(qtbot, panel.connect_button)
    qtbot.waitUntil(lambda: session.samp.connected, timeout=30_000)
    partner = Partner("Topcat", "table.load.votable", "table.select.rowList", "coord.pointAt.sky")
    qtbot.waitUntil(lambda: panel.programs.topLevelItemCount() == 2, timeout=20_000)
    qtbot.waitUntil(lambda: "tables" in panel.programs.topLevelItem(1).text(1), timeout=20_000)
    yield partner
    partner.close()


def click(qtbot, button):
    assert button.isEnabled(), button.text()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def names(panel):
    return [panel.programs.topLevelItem(n).text(0) for n in range(panel.programs.topLevelItemCount())]


def heard(qtbot, partner):
    qtbot.waitUntil(lambda: not partner.heard.empty(), timeout=20_000)
    return partner.next()


def test_without_a_connection_the_panel_says_what_to_do(qtbot, panel, session):
    assert panel.state.text() == "Not connected"
    assert "Connect" in panel.hint.text()
    assert panel.hint.isVisible()
    session.add(np.ones((3, 3)), name="flat")
    qtbot.waitUntil(lambda: panel.data.currentText() == "flat")
    assert not panel.send_button.isEnabled()
    click(qtbot, panel.connect_button)
    qtbot.waitUntil(lambda: panel.connect_button.text() == "Disconnect", timeout=30_000)
    assert "Nobody else" in panel.hint.text()
    click(qtbot, panel.connect_button)
    qtbot.waitUntil(lambda: panel.connect_button.text() == "Connect", timeout=30_000)
    assert not session.samp.connected


def test_why_it_cannot_connect_is_told(qtbot, panel, session):
    click(qtbot, panel.options["samp.own_hub"])
    assert session.settings["samp.own_hub"] is False
    click(qtbot, panel.connect_button)
    qtbot.waitUntil(lambda: any("No SAMP hub" in text for _, text in session.notices), timeout=30_000)
    qtbot.waitUntil(panel.connect_button.isEnabled)
    assert panel.connect_button.text() == "Connect"


def test_a_table_is_sent_and_its_rows_are_linked(qtbot, panel, session, topcat):
    session.add(Table({"ra": [1.0, 2.0, 3.0], "dec": [0.0, 0.0, 0.0]}), name="stars")
    qtbot.waitUntil(lambda: panel.data.currentText() == "stars")
    assert panel.send_button.text() == "Send to All"
    item = panel.programs.topLevelItem(1)
    assert (item.text(0), item.text(1)) == ("Topcat", "tables, rows, positions")
    place = panel.programs.visualItemRect(item).center()
    qtbot.mouseClick(panel.programs.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert panel.send_button.text() == "Send to Topcat"
    assert not panel.rows_button.isEnabled()
    click(qtbot, panel.send_button)
    told = heard(qtbot, topcat)
    assert told["params"]["name"] == "stars"
    topcat.tell("table.select.rowList", **{"table-id": told["params"]["table-id"], "row-list": ["0", "2"]})
    qtbot.waitUntil(lambda: "stars selection" in session.subsets, timeout=20_000)
    np.testing.assert_array_equal(session.subsets["stars selection"].region, [True, False, True])
    qtbot.waitUntil(panel.rows_button.isEnabled)
    click(qtbot, panel.rows_button)
    assert heard(qtbot, topcat)["params"]["row-list"] == ["0", "2"]
    topcat.close()
    qtbot.waitUntil(panel.hint.isVisible, timeout=20_000)


def test_programs_that_come_and_go_while_one_is_chosen(qtbot, panel, session, topcat):
    panel.programs.setCurrentItem(panel.programs.topLevelItem(1))
    other = Partner("Aladin", "image.load.fits")
    qtbot.waitUntil(lambda: names(panel) == ["All programs", "Aladin", "Topcat"])
    assert panel.send_button.text() == "Send to Topcat"
    other.close()
    qtbot.waitUntil(lambda: panel.programs.topLevelItemCount() == 2, timeout=20_000)
    assert panel.target() == topcat.id


def test_a_long_name_leaves_room_for_what_a_program_takes(qtbot, panel, topcat):
    other = Partner("A program that says much of itself in its name", "image.load.fits", "table.select.rowList")
    qtbot.waitUntil(lambda: panel.programs.topLevelItemCount() == 3, timeout=20_000)
    tree = panel.programs
    qtbot.waitUntil(lambda: "rows" in tree.topLevelItem(1).text(1), timeout=20_000)
    assert not tree.horizontalScrollBar().isVisible()
    assert tree.header().sectionSize(1) > tree.viewport().width() // 3
    other.close()


def test_the_icon_of_a_program_on_this_machine_is_shown(qtbot, panel, tmp_path):
    picture = QPixmap(16, 16)
    picture.fill(QColor("red"))
    picture.save(str(tmp_path / "icon.png"))
    partner = Told("c1", "Red", icon=(tmp_path / "icon.png").as_uri())
    panel._icon(partner)
    qtbot.waitUntil(lambda: panel._icons.get(partner.icon) is not None, timeout=20_000)
    assert panel._icon(partner).pixmap(16, 16).toImage().pixelColor(8, 8) == QColor("red")
    assert panel.session.samp.icon(Told("c2", "Far", icon="https://example.org/icon.png")) == b""
