"""The archive panel, worked with keys and the mouse against a server on loopback."""

from __future__ import annotations

import math
import shlex
import threading

import pytest
from astropy.table import Table
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLineEdit, QPlainTextEdit

import jviz
from jviz.errors import CommandError
from jviz.plugins.archive_columns import ColumnForm, written
from jviz.plugins.archive_question import conditions
from jviz.plugins.archive_rows import Told
from tests.standin import Fault

I2D = "jw01234-o000_t001_nircam_clear-f200w_i2d.fits"


@pytest.fixture
def panel(make_panel, mast):
    return make_panel("archive", size=(1200, 420))


def searched(qtbot, panel, **fields):
    for name, text in fields.items():
        field = panel.question.fields.get(name) or getattr(panel.question, name)
        field.clear()
        qtbot.keyClicks(field, text)
    qtbot.mouseClick(panel.search_button, Qt.MouseButton.LeftButton)
    assert panel.cancel_button.isEnabled()
    qtbot.waitUntil(lambda: not panel._jobs, timeout=60_000)


def double_click(qtbot, table, row):
    place = table.visualRect(table.model().index(row, 0)).center()
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.mouseDClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)


def wait_for_files(qtbot, panel, count):
    def there():
        table = panel.files.tree.table
        return table is not None and len(table) == count

    qtbot.waitUntil(there, timeout=60_000)


def choose(pane, name, words):
    next(action for action in pane.choices[name].actions() if action.text() == words).trigger()


def double_click_file(qtbot, panel, row):
    tree = panel.files.tree
    place = tree.visualRect(tree.products.index_of(row)).center()
    qtbot.mouseClick(tree.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.mouseDClick(tree.viewport(), Qt.MouseButton.LeftButton, pos=place)


def test_from_a_search_to_a_file_that_is_opened(qtbot, panel, session, mast):
    searched(qtbot, panel, instrument="nircam")
    assert panel.about.text() == "5 observations, MAST"
    assert panel.found.table_model.rowCount() == 5
    double_click(qtbot, panel.found, 0)
    wait_for_files(qtbot, panel, 3)
    qtbot.keyClicks(panel.files.suffix, "i2d")
    wait_for_files(qtbot, panel, 2)  # the association comes along
    choose(panel.files, "extension", ".fits")
    wait_for_files(qtbot, panel, 1)
    assert panel.files.get_button.text() == "Download 1"
    size = (mast.folder / "jw01234-o000_t001_nircam_clear-f200w_i2d.fits").stat().st_size
    assert panel.files.about.text() == f"1 file, {size / 1000:.3g} kB; the filters hide 2"
    double_click_file(qtbot, panel, 0)
    qtbot.waitUntil(lambda: session.names != [], timeout=60_000)
    assert session.names == ["jw01234-o000_t001_nircam_clear-f200w_i2d"]
    script = session.script()
    assert "archive.search" in script
    assert "archive.download" in script


def test_only_what_is_selected_is_fetched(qtbot, panel, session, mast):
    panel.files.open_after.setChecked(False)
    searched(qtbot, panel, target="test field", radius="20 arcmin")
    assert panel.found.table_model.rowCount() == 2
    qtbot.mouseClick(panel.files.list_button, Qt.MouseButton.LeftButton)
    wait_for_files(qtbot, panel, 4)
    panel.files.tree.select_rows([3])
    assert panel.files.get_button.text() == "Download 1"
    qtbot.mouseClick(panel.files.get_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not panel._jobs, timeout=60_000)
    assert len(mast.asked("Download")) == 1
    assert panel.files.about.text().startswith("1 file in ")
    assert session.names == []


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


def test_copied_as_python(qtbot, panel, mast):
    panel.question.level.setCurrentText("3")
    qtbot.keyClicks(panel.question.fields["instrument"], "NIRCAM, MIRI")
    qtbot.keyClicks(panel.question.more, "exposure_time=100..5000 title='deep field'")
    panel.copy_python()
    assert QGuiApplication.clipboard().text() == (
        "session.run('archive.search', collection='mast', instrument=['NIRCAM', 'MIRI'], level=3, "
        "exposure_time=(100, 5000), title='deep field')"
    )
    assert mast.log == []


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


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", {}),
        ("a=1 b=2.5", {"a": 1, "b": 2.5}),
        ("t=1..5", {"t": (1, 5)}),
        ("date=2024-01-01..2024-02-01", {"date": "2024-01-01..2024-02-01"}),
        ("pi='van der Berg' filter=F1,F2", {"pi": "van der Berg", "filter": ["F1", "F2"]}),
    ],
)
def test_conditions(text, found):
    assert conditions(text) == found


@pytest.mark.parametrize("text", ["a", "=3", "a=", "a='x", "1a=2"])
def test_bad_conditions(text):
    with pytest.raises(CommandError):
        conditions(text)


# --- facets, map, what is said, saved searches --------------------------------------------------------


def crowd(mast, count):
    """Let the server have many observations."""
    first = mast.observations[0]
    instruments = ("NIRCAM/IMAGE", "MIRI/IMAGE", "NIRSPEC/MSA")
    mast.__dict__["observations"] = [
        {**first, "obsid": str(2_000_000 + n), "obs_id": f"obs-{n}", "instrument_name": instruments[n % 3],
         "s_ra": 53.0 + 0.001 * (n % 100), "s_dec": -27.8 + 0.001 * (n // 100), "t_exptime": 1.0 + n}
        for n in range(count)
    ]  # fmt: skip


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


def test_how_many_there_are_is_said_before_the_search(qtbot, panel, mast):
    qtbot.keyClicks(panel.question.fields["program"], "1234")
    qtbot.waitUntil(lambda: panel.counted.text() == "5 to be found", timeout=60_000)
    assert panel.rows.table is None


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


@pytest.mark.parametrize(
    ("fields", "words"),
    [({"target": "no such object"}, "does not know"), ({"more": "nonsense=1"}, "no column 'nonsense'"),
     ({"radius": "three", "target": "M 31"}, "is no radius")],
    ids=["a bad name", "a bad column", "a bad radius"],
)  # fmt: skip
def test_what_is_asked_wrongly_is_one_sentence(qtbot, panel, fields, words):
    searched(qtbot, panel, **fields)
    assert words in panel.about.text()
    assert panel.told.again_button.isVisible()


def test_without_a_network(qtbot, panel, mast):
    mast.close()
    searched(qtbot, panel, program="1234")
    assert "cannot be reached" in panel.about.text()
    assert panel.told.again_button.isVisible()


def test_saved_searches_mark_what_is_new(qtbot, panel, session, mast):
    crowd(mast, 3)
    panel.question.fields["program"].setText("1234")
    panel._keep_search("mine")
    run = next(action for action in panel.saved_menu().actions() if action.text() == "mine")
    run.trigger()
    qtbot.waitUntil(lambda: not panel._jobs, timeout=60_000)
    qtbot.waitUntil(lambda: panel.about.text() == "3 observations, MAST, 3 new")
    crowd(mast, 5)
    next(action for action in panel.saved_menu().actions() if action.text() == "mine").trigger()
    qtbot.waitUntil(lambda: not panel._jobs, timeout=60_000)
    qtbot.waitUntil(lambda: panel.about.text() == "5 observations, MAST, 2 new")
    again = session.run("archive.again", name="mine")
    assert not again["new"].any()
    session.run("archive.forget", name="mine")
    with pytest.raises(CommandError, match="no saved search 'mine'"):
        session.run("archive.again", name="mine")


def test_columns_that_are_hidden_stay_hidden(qtbot, panel, session):
    searched(qtbot, panel, program="1234")
    menu = panel.rows.columns_menu()
    next(action for action in menu.actions() if action.text() == "proposal_pi").trigger()
    names = [column.name for column in panel.found.table_model.columns]
    assert panel.found.isColumnHidden(names.index("proposal_pi"))
    assert session.settings["archive.hidden_columns"] == ["proposal_pi"]
    searched(qtbot, panel, program="1234")
    assert panel.found.isColumnHidden(names.index("proposal_pi"))


def test_an_outline_is_a_target_too(qtbot, panel):
    searched(qtbot, panel, target="polygon 53.05 -27.85 53.35 -27.85 53.35 -27.75 53.05 -27.75")
    assert panel.about.text() == "2 observations, MAST"
    assert "radius" not in panel.question.arguments()


def test_pasted_lines_are_several_targets(qtbot, panel):
    QGuiApplication.clipboard().setText("53.1 -27.8\ntest field\n\n")
    panel.question.target.setFocus()
    qtbot.keyClick(panel.question.target, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert panel.question.arguments()["targets"] == ["53.1 -27.8", "test field"]


def test_several_targets(qtbot, panel, session):
    from astropy.table import Table

    searched(qtbot, panel, target="53.1 -27.8; test field; 53.5 -27.8", radius="1 arcmin")
    assert panel.about.text() == "3 observations, MAST"
    assert panel.rows.table["asked_for"].tolist() == ["53.1 -27.8", "test field", "53.5 -27.8"]
    session.add(Table({"name": ["a", "b"], "ra": [53.1, 53.9], "dec": [-27.8, -27.8]}), name="mine")
    searched(qtbot, panel, target="@mine", radius="1 arcmin")
    assert panel.rows.table["asked_for"].tolist() == ["a", "b"]


# --- products ---------------------------------------------------------------------------------------


@pytest.fixture
def listed(qtbot, panel):
    """The products of two observations."""
    searched(qtbot, panel, target="test field", radius="20 arcmin")
    qtbot.mouseClick(panel.files.list_button, Qt.MouseButton.LeftButton)
    wait_for_files(qtbot, panel, 4)
    return panel.files


def test_products_stand_below_their_observations(qtbot, panel, listed, mast):
    model = listed.tree.products
    assert [model.index(row, 0).data() for row in range(model.rowCount())] == [
        f"jw01234-o00{n}_t001_nircam_clear-f200w" for n in range(2)
    ]
    first = model.index(0, 0)
    assert model.rowCount(first) == 3
    assert listed.tree.isExpanded(first)
    sizes = [path.stat().st_size for path in mast.folder.glob("jw01234-o000_*")]
    assert model.index(0, 1).data() == f"{sum(sizes) / 1000:.3g} kB"
    place = listed.tree.visualRect(first).center()
    qtbot.mouseClick(listed.tree.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert listed.get_button.text() == "Download 3", "an observation stands for its files"
    assert listed.tree.selected_rows() == [0, 1, 2]
    listed.tree.sortByColumn(1, Qt.SortOrder.DescendingOrder)
    shown = [model.index(row, 0, first).data() for row in range(3)]
    assert shown[-1].endswith("_asn.json")
    assert listed.tree.selected_rows() == [0, 1, 2]


def test_filters_of_products_are_kept(qtbot, panel, listed, make_panel, session):
    choose(listed, "level", "Level 3")
    wait_for_files(qtbot, panel, 2)
    choose(listed, "type", "Preview")
    wait_for_files(qtbot, panel, 0)
    assert listed.about.text() == "0 files; the filters hide 4"
    assert not listed.get_button.isEnabled()
    choose(listed, "type", "Science")
    qtbot.keyClicks(listed.suffix, "cal i2d")
    wait_for_files(qtbot, panel, 3)  # the association comes along
    other = make_panel("archive", size=(1200, 420)).files
    assert other.filters() == {"level": [3, 4], "type": ["SCIENCE"], "suffix": ["cal", "i2d"]}
    assert other.suffix.text() == "cal i2d"


def test_products_are_put_into_the_basket(qtbot, panel, listed, session, mast):
    listed.tree.select_rows([0, 3])
    qtbot.mouseClick(listed.basket_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not panel._jobs, timeout=60_000)
    assert listed.about.text() == "2 files put into the basket."
    assert len(session.run("archive.basket")) == 2
    qtbot.mouseClick(listed.basket_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not panel._jobs, timeout=60_000)
    assert listed.about.text() == "They are in the basket."
    assert not mast.asked("Download")


def test_a_new_search_does_not_stop_downloads(qtbot, panel, listed, session, mast):
    mast.rate = 60_000
    listed.open_after.setChecked(False)
    qtbot.mouseClick(listed.get_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(mast.asked("Download")) == 4, timeout=60_000)
    assert not panel.cancel_button.isEnabled()
    panel.question.target.clear()
    panel.question.fields["program"].setText("1234")
    qtbot.mouseClick(panel.search_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: panel.about.text() == "5 observations, MAST", timeout=60_000)
    mast.rate = 0
    qtbot.waitUntil(lambda: not panel._jobs, timeout=60_000)
    assert listed.about.text().startswith("4 files in ")
    qtbot.waitUntil(lambda: bool(listed.tree.products.are_here(listed.tree.chosen_rows()).all()))
    assert listed.about.text().startswith("4 files in ")


def test_a_quarter_of_a_million_products_are_grouped():
    import numpy as np
    from astropy.table import Table

    from jviz.backend.archive.products import grouped

    draw = np.random.default_rng(4)
    names = np.array([f"obs-{n}" for n in draw.integers(0, 24, 250_000)])
    sizes = draw.integers(0, 1000, 250_000)
    groups = grouped(Table({"obs_id": names, "size": sizes, "dataURI": names}))
    assert groups.observations == tuple(dict.fromkeys(names.tolist()))
    for name, rows, size in zip(groups.observations, groups.rows, groups.sizes, strict=True):
        assert np.array_equal(rows, np.flatnonzero(names == name))
        assert size == sizes[names == name].sum()
    assert grouped(Table({"obs_id": [], "size": []})).observations == ()


def test_the_recommended_products_alone(qtbot, panel, session, mast):
    searched(qtbot, panel, instrument="nircam")
    panel.found.select_rows([next(n for n, v in enumerate(panel.rows.table["obs_id"]) if "o000" in str(v))])
    qtbot.mouseClick(panel.files.list_button, Qt.MouseButton.LeftButton)
    wait_for_files(qtbot, panel, 3)
    choose(panel.files, "recommended", "Minimum recommended")
    wait_for_files(qtbot, panel, 1)
    assert "the filters hide 2" in panel.files.about.text()
    assert session.settings["archive.product_filters"] == {"recommended": "Minimum recommended"}


def test_what_is_on_this_machine_is_marked_and_opened(qtbot, panel, session, mast, holdings):
    session.run("library.add", path=holdings / "jw01234-o000_t001_nircam_clear-f200w_i2d.fits")
    searched(qtbot, panel, instrument="nircam")
    rows, role = panel.found.table_model, Qt.ItemDataRole.DecorationRole

    def marked():
        names = [str(name) for name in panel.rows.table["obs_id"]]
        return [names[n][8:12] for n in range(len(names))
                if rows.headerData(n, Qt.Orientation.Vertical, role) is not None]  # fmt: skip

    qtbot.waitUntil(lambda: marked() == ["o000"], timeout=60_000)
    panel.found.sortByColumn(0, Qt.SortOrder.DescendingOrder)
    first = next(n for n in range(5) if rows.headerData(n, Qt.Orientation.Vertical, role) is not None)
    assert str(panel.rows.table["obs_id"][rows.order[first]])[8:12] == "o000"
    panel.found.select_rows([int(rows.order[first])])
    qtbot.mouseClick(panel.files.list_button, Qt.MouseButton.LeftButton)
    wait_for_files(qtbot, panel, 3)
    listed = panel.files
    qtbot.waitUntil(lambda: ", 1 on this machine" in listed.about.text(), timeout=60_000)
    assert listed.get_button.text() == "Download 2"
    names = [str(name) for name in listed.tree.table["productFilename"]]
    i2d = names.index("jw01234-o000_t001_nircam_clear-f200w_i2d.fits")
    about = listed.tree.products.data(listed.tree.products.index_of(i2d), Qt.ItemDataRole.ToolTipRole)
    assert f"On this machine: {holdings}" in about
    listed.tree.select_rows([i2d])
    assert (listed.get_button.text(), listed.open_after.isVisible()) == ("Open 1", False)
    qtbot.mouseClick(listed.get_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(session.names) == 1, timeout=60_000)
    assert not mast.asked("Download")
    # The others are fetched alone, and then everything is here.
    listed.tree.clearSelection()
    listed.open_after.setChecked(False)
    qtbot.mouseClick(listed.get_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: listed.get_button.text() == "Open 3", timeout=60_000)
    assert len(mast.asked("Download")) == 2


def test_conditions_on_any_column_are_filled_in(qtbot, panel, session):
    panel.question.more.setText("title='deep field' s_ra=0..1")
    button = next(b for b in panel.question.findChildren(type(panel.saved_button)) if "any column" in b.toolTip())
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    [form] = panel.findChildren(ColumnForm)
    qtbot.waitUntil(lambda: form.tree.topLevelItemCount() > 20, timeout=60_000)
    assert form.values() == {"title": "deep field", "s_ra": "0..1"}
    qtbot.keyClicks(form.words, "exposure time")
    shown = [item for n in range(form.tree.topLevelItemCount()) if not (item := form.tree.topLevelItem(n)).isHidden()]
    [item] = [item for item in shown if item.text(0) == "t_exptime"]
    assert len(shown) < 5
    place = form.tree.visualItemRect(item).center()
    qtbot.mouseClick(form.tree.viewport(), Qt.MouseButton.LeftButton, pos=place)
    editor = form.tree.viewport().findChild(QLineEdit)
    qtbot.keyClicks(editor, "312..313")
    qtbot.mouseClick(form.buttons.button(QDialogButtonBox.StandardButton.Ok), Qt.MouseButton.LeftButton)
    assert conditions(panel.question.more.text()) == {
        "title": "deep field", "s_ra": (0, 1), "t_exptime": (312, 313)}  # fmt: skip
    panel.question.more.setText("t_exptime=312..313")
    qtbot.mouseClick(panel.search_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not panel._jobs, timeout=60_000)
    assert panel.found.table_model.rowCount() == 2


@given(st.dictionaries(st.sampled_from(["title", "s_ra"]), st.text("ab ',\"\\*.=é", min_size=1, max_size=12)))
def test_conditions_are_written_as_they_are_read(values):
    words = [word.partition("=") for word in shlex.split(written(values))]
    assert {name: value for name, _, value in words} == values


def test_files_of_another_archive_are_listed_and_fetched(qtbot, panel, session, service, mast, holdings):
    from astropy.table import Table

    kind, url = "application/x-votable+xml;content=datalink", f"{mast.url}/plain/{I2D}"
    panel.rows.show_table(Table({"obs_id": ["a", "b"], "access_url": [f"{service.url}/links?ID=a", url],
                                 "access_format": [kind, "image/fits"]}))  # fmt: skip
    panel._settle()
    panel.found.select_rows([0, 1])
    qtbot.mouseClick(panel.files.list_button, Qt.MouseButton.LeftButton)
    wait_for_files(qtbot, panel, 5)
    names = [str(name) for name in panel.files.tree.table["productFilename"]]
    assert names == ["data.fits", "about.html", "small.png", "picture.png", I2D]
    model = panel.files.tree.products
    assert [model.data(model.index(row, 1)) for row in (0, 1)] == ["–", "–"], "no size is told"
    panel.files.tree.select_rows([4])
    qtbot.mouseClick(panel.files.get_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(session.names) == 1, timeout=60_000)
    assert session.data[0].path.read_bytes() == (holdings / I2D).read_bytes()
    assert "'access_format': 'image/fits'" in session.script()
