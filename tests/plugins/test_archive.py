"""The archive panel, worked with keys and the mouse against a server on loopback: table, facets, map, what is said."""

from __future__ import annotations

import math
import threading

import pytest
from astropy.table import Table
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QDialog, QPlainTextEdit

import jviz
from jviz.plugins.archive_rows import Told
from tests.archive_hand import crowd, double_click, searched
from tests.standin import Fault


@pytest.fixture
def panel(make_panel, mast):
    return make_panel("archive", size=(1200, 420))


def test_the_library_is_searched_in_the_same_form(qtbot, panel, session, holdings):
    session.run("library.add", path=holdings)
    panel.question.collection.setCurrentText("This machine")
    searched(qtbot, panel, filter="F200W")
    assert panel.about.text() == "6 files, library"
    assert not panel.files.list_button.isEnabled()
    double_click(qtbot, panel.found, 0)
    qtbot.waitUntil(lambda: session.names != [], timeout=60_000)


def test_footprints_of_rows_become_regions(qtbot, panel, session):
    searched(qtbot, panel, program="1234")
    panel.found.select_rows([1])
    panel.draw_footprints()
    qtbot.waitUntil(lambda: len(session.subsets) == 1)
    session.undo()
    assert not session.subsets


def test_the_field_of_the_image_is_searched(qtbot, panel, session, holdings):
    [image] = session.open(holdings / "jw01234-o001_t001_nircam_clear-f200w_i2d.fits")
    session.view("image", data=image)
    panel.take_field()
    lon, lat = map(float, panel.question.target.text().split())
    assert (lon, lat) == pytest.approx((53.3, -27.8), abs=1e-5)
    assert panel.question.radius.text() == "0.066 arcmin"  # half the diagonal of 180 pixels of 0.031 arcsec
    searched(qtbot, panel)
    assert panel.found.table_model.rowCount() == 1


def test_what_goes_wrong_is_told_beside_the_table(qtbot, panel, mast):
    searched(qtbot, panel)
    assert "needs a target" in panel.about.text()
    panel.question.more.setText("nonsense")
    panel.search()
    assert panel.about.text().startswith("'nonsense' is no condition.")
    panel.question.more.clear()
    mast.error = "Database <b>down</b>"
    searched(qtbot, panel, program="1234")
    assert "Database <b>down</b>" in panel.about.text()
    assert panel.about.textFormat() == Qt.TextFormat.PlainText


def test_a_search_is_cancelled(qtbot, panel, mast):
    mast.fail("invoke", Fault("silence", seconds=3.0))
    qtbot.keyClicks(panel.question.fields["program"], "1234")
    qtbot.keyClick(panel.question.fields["program"], Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: panel.cancel_button.isEnabled())
    qtbot.mouseClick(panel.cancel_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not panel._jobs, timeout=60_000)
    assert panel.about.text() == "Cancelled."


# --- facets, map, what is said, saved searches --------------------------------------------------------


def facet_item(panel, title, value):
    tree = panel.rows.facets
    head = next(tree.topLevelItem(n) for n in range(tree.topLevelItemCount()) if tree.topLevelItem(n).text(0) == title)
    return next(head.child(n) for n in range(head.childCount()) if head.child(n).text(0) == value)


def tick(qtbot, panel, title, value):
    item = facet_item(panel, title, value)
    tree = panel.rows.facets
    tree.scrollToItem(item)

    def place():
        area = tree.visualItemRect(item)
        return QPoint(area.left() + 10, area.center().y())

    qtbot.waitUntil(lambda: tree.viewport().rect().contains(place()))  # the tree has just been laid out, or will be
    before = item.checkState(0)
    qtbot.mouseClick(tree.viewport(), Qt.MouseButton.LeftButton, pos=place())
    assert item.checkState(0) != before


def test_facets_narrow_down_what_was_found(qtbot, panel, mast):
    crowd(mast, 300)
    searched(qtbot, panel, program="1234")
    qtbot.waitUntil(lambda: panel.rows.facets.topLevelItemCount() > 0)
    assert facet_item(panel, "Instrument", "MIRI/IMAGE").text(1) == "100"
    tick(qtbot, panel, "Instrument", "MIRI/IMAGE")
    assert panel.found.table_model.rowCount() == 100
    assert facet_item(panel, "Instrument", "NIRCAM/IMAGE").text(1) == "100"  # what it would give
    tick(qtbot, panel, "Instrument", "NIRCAM/IMAGE")
    assert panel.found.table_model.rowCount() == 200
    panel.found.sortByColumn(0, Qt.SortOrder.DescendingOrder)
    assert panel.found.table_model.rowCount() == 200
    assert len(panel.rows.chosen()) == 200


def screen_of(panel, row):
    sky = panel.rows.map
    table = panel.rows.table
    u, v = sky._screen(*sky.plane.at(float(table["s_ra"][row].value), float(table["s_dec"][row].value)))
    return QPoint(round(float(u)), round(float(v)))


def test_map_and_table_are_linked(qtbot, panel):
    searched(qtbot, panel, program="1234")
    sky = panel.rows.map
    qtbot.mouseClick(sky, Qt.MouseButton.LeftButton, pos=screen_of(panel, 2))
    assert panel.found.selected_rows() == [2]
    qtbot.mouseClick(sky, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier, screen_of(panel, 4))
    assert sorted(panel.found.selected_rows()) == [2, 4]
    qtbot.waitUntil(lambda: sky._chosen == {2, 4})
    picture = sky.grab().toImage()
    ratio = picture.devicePixelRatio()
    place = screen_of(panel, 2)
    near = [picture.pixelColor(int((place.x() + dx) * ratio), int((place.y() + dy) * ratio)).name()
            for dx in range(-14, 15) for dy in range(-14, 15)]  # fmt: skip
    assert "#ffb000" in near


def test_a_circle_drawn_on_the_map_is_searched(qtbot, panel):
    searched(qtbot, panel, program="1234")
    sky, start = panel.rows.map, screen_of(panel, 1)
    shift = Qt.KeyboardModifier.ShiftModifier
    qtbot.mousePress(sky, Qt.MouseButton.LeftButton, shift, start)
    qtbot.mouseMove(sky, start + QPoint(12, 0))
    qtbot.mouseRelease(sky, Qt.MouseButton.LeftButton, shift, start + QPoint(12, 0))
    lon, lat = map(float, panel.question.target.text().split())
    assert (lon, lat) == pytest.approx((53.3, -27.8), abs=0.02)
    degrees = float(panel.question.radius.text().split()[0]) / 60
    assert degrees == pytest.approx(math.degrees(12 / sky._scale), rel=0.1)
    assert sky._circle == pytest.approx((lon, lat, degrees), rel=0.1)
    panel.question.target.clear()
    assert sky._circle is None, "a circle that is no longer asked about is not drawn"


def test_rows_are_there_while_others_come(qtbot, panel, mast):
    crowd(mast, 9000)
    grown = []
    panel.session.archives.arrived.connect(lambda job, rows, total: grown.append((len(rows.table), total)))
    searched(qtbot, panel, program="1234")
    assert grown
    assert grown[0][0] < 9000
    assert {total for _, total in grown} == {9000}
    assert panel.found.table_model.rowCount() == 9000
    assert panel.about.text() == "9,000 observations, MAST"


def test_kept_answers_say_so_and_can_be_refreshed(qtbot, panel, mast):
    searched(qtbot, panel, program="1234")
    assert not panel.told.again_button.isVisible()
    searched(qtbot, panel, program="1234")
    assert panel.about.text() == "5 observations, MAST, as of just now"
    assert panel.told.again_button.text() == "Refresh"
    asked = len(mast.asked("invoke"))
    qtbot.mouseClick(panel.told.again_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not panel._jobs, timeout=60_000)
    assert len(mast.asked("invoke")) > asked
    assert panel.about.text() == "5 observations, MAST"


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault("html"), "maintenance"),
        (Fault("status", status=401), "token is missing, wrong or too old"),
        (Fault("status", status=404), "error 404"),
    ],
    ids=["a page for people", "an expired token", "an error of the server"],
)
def test_each_fault_is_one_sentence_and_can_be_retried(qtbot, panel, mast, fault, words):
    panel._pause_count.setInterval(600_000)  # the fault is for the search
    mast.fail("invoke", fault)
    searched(qtbot, panel, program="1234")
    assert words in panel.about.text()
    assert panel.told.again_button.text() == "Retry"
    qtbot.mouseClick(panel.told.details_button, Qt.MouseButton.LeftButton)
    dialog = panel.told.findChild(QDialog)
    assert "Traceback" in dialog.findChild(QPlainTextEdit).toPlainText()
    dialog.close()
    qtbot.mouseClick(panel.told.again_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not panel._jobs, timeout=60_000)
    assert panel.about.text() == "5 observations, MAST"


def test_whoever_is_not_let_in_is_offered_to_log_in(qtbot, panel, mast, monkeypatch):
    filled = []
    monkeypatch.setattr(panel.context, "fill_in", lambda id, **arguments: filled.append((id, arguments)))
    panel._pause_count.setInterval(600_000)
    button = panel.told.log_in_button
    mast.fail("invoke", Fault("status", status=401))
    searched(qtbot, panel, program="1234")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert filled == [("archive.login", {})]
    mast.fail("invoke", Fault("status", status=404))
    searched(qtbot, panel, program="1234")
    assert panel.told.again_button.isVisible()
    assert not button.isVisible(), "a log-in does not help there"


def test_whoever_is_not_let_in_by_another_archive_gives_its_password(qtbot, panel, service, monkeypatch):
    filled = []
    monkeypatch.setattr(panel.context, "fill_in", lambda id, **arguments: filled.append((id, arguments)))
    service.account = "marie:radium"
    panel.question.collection.setCurrentText(f"{service.url}/tap")
    searched(qtbot, panel, target="53.1 -27.8")
    qtbot.mouseClick(panel.told.log_in_button, Qt.MouseButton.LeftButton)
    assert filled == [("archive.login_to", {"archive": f"{service.url}/tap"})]


def test_buttons_go_below_a_sentence_that_has_no_room_beside_them(qtbot):
    told = Told()
    qtbot.addWidget(told)
    told.say("MAST does not let you see this: the token is missing, wrong or too old. Log in again.",
             again="Retry", details="…", log_in=True)  # fmt: skip
    told.resize(1200, 60)
    told.show()
    qtbot.waitExposed(told)
    qtbot.waitUntil(lambda: told.again_button.x() > told.label.geometry().right())
    told.resize(360, 120)
    qtbot.waitUntil(lambda: told.again_button.y() > told.label.geometry().bottom())
    assert told.label.width() > 340, "the sentence has the whole width"
    told.say("5 observations, MAST", again="Refresh")
    qtbot.waitUntil(lambda: told.again_button.x() > told.label.geometry().right())


def test_a_short_sentence_takes_one_line(qtbot, panel):
    searched(qtbot, panel, program="1234")
    assert panel.about.text() == "5 observations, MAST"
    qtbot.waitUntil(lambda: panel.told.height() < 3 * panel.about.fontMetrics().height())


def test_what_was_found_is_added_to_the_session(qtbot, panel, session, mast, monkeypatch):
    threads = []
    monkeypatch.setattr(
        "jviz.conversion.taken.cards_of", lambda meta: threads.append(threading.current_thread()) or {}
    )
    searched(qtbot, panel, program="1234")
    panel.found.select_rows([1, 3])
    panel.add_as_data()
    qtbot.waitUntil(lambda: session.names == ["observations"], timeout=60_000)
    expected = [str(name) for name in panel.rows.table["obs_id"][[1, 3]]]
    added = session.data[0].get(Table)
    assert [str(name) for name in added["obs_id"]] == expected
    assert threads, "tables are taken over there"
    assert threading.main_thread() not in threads
    added["obs_id"][0] = "changed"
    line = list(session.history)[-1].lines[-1]
    again = eval(line.replace("session.add", "dict"), {"jviz": jviz})
    assert [str(name) for name in again["thing"]["obs_id"]] == expected
    session.undo()
    assert session.names == []
    panel.found.clearSelection()
    panel.add_as_data()
    qtbot.waitUntil(lambda: session.names == ["observations"], timeout=60_000)
    assert len(session.data[0].get(Table)) == 5


def test_without_a_network(qtbot, panel, mast):
    mast.close()
    searched(qtbot, panel, program="1234")
    assert "cannot be reached" in panel.about.text()
    assert panel.told.again_button.isVisible()


def test_columns_that_are_hidden_stay_hidden(qtbot, panel, session):
    searched(qtbot, panel, program="1234")
    menu = panel.rows.columns_menu()
    next(action for action in menu.actions() if action.text() == "proposal_pi").trigger()
    names = [column.name for column in panel.found.table_model.columns]
    assert panel.found.isColumnHidden(names.index("proposal_pi"))
    assert session.settings["archive.hidden_columns"] == ["proposal_pi"]
    searched(qtbot, panel, program="1234")
    assert panel.found.isColumnHidden(names.index("proposal_pi"))


# --- products ---------------------------------------------------------------------------------------
