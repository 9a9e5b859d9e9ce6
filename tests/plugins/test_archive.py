"""The archive panel, worked with keys and the mouse against a server on loopback."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication

from jviz.errors import CommandError
from jviz.plugins.archive_question import conditions
from tests.standin import Fault


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
    qtbot.waitUntil(lambda: not panel._jobs, timeout=15_000)


def double_click(qtbot, table, row):
    place = table.visualRect(table.model().index(row, 0)).center()
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.mouseDClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)


def test_from_a_search_to_a_file_that_is_opened(qtbot, panel, session, mast):
    searched(qtbot, panel, instrument="nircam")
    assert panel.about.text() == "5 observations, MAST"
    assert panel.found.table_model.rowCount() == 5
    double_click(qtbot, panel.found, 0)
    qtbot.waitUntil(lambda: panel._files is not None, timeout=15_000)
    assert panel.products.table_model.rowCount() == 3
    qtbot.keyClicks(panel.suffix, "i2d")
    assert panel.products.table_model.rowCount() == 1
    assert panel.get_button.text() == "Download 1"
    size = (mast.folder / "jw01234-o000_t001_nircam_clear-f200w_i2d.fits").stat().st_size
    assert panel.about_products.text() == f"1 file, {size / 1000:.3g} kB"
    double_click(qtbot, panel.products, 0)
    qtbot.waitUntil(lambda: session.names != [], timeout=15_000)
    assert session.names == ["jw01234-o000_t001_nircam_clear-f200w_i2d"]
    script = session.script()
    assert "archive.search" in script
    assert "archive.download" in script


def test_only_what_is_selected_is_fetched(qtbot, panel, session, mast):
    panel.open_after.setChecked(False)
    searched(qtbot, panel, target="test field", radius="20 arcmin")
    assert panel.found.table_model.rowCount() == 2
    qtbot.mouseClick(panel.list_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: panel._files is not None, timeout=15_000)
    panel.products.select_rows([3])
    assert panel.get_button.text() == "Download 1"
    qtbot.mouseClick(panel.get_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not panel._jobs, timeout=15_000)
    assert len(mast.asked("Download")) == 1
    assert panel.about_products.text().startswith("1 file in ")
    assert session.names == []


def test_the_library_is_searched_in_the_same_form(qtbot, panel, session, holdings):
    session.run("library.add", path=holdings)
    panel.question.collection.setCurrentText("This machine")
    searched(qtbot, panel, filter="F200W")
    assert panel.about.text() == "6 files, library"
    assert not panel.list_button.isEnabled()
    double_click(qtbot, panel.found, 0)
    qtbot.waitUntil(lambda: session.names != [], timeout=15_000)


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
    qtbot.waitUntil(lambda: not panel._jobs, timeout=15_000)
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
