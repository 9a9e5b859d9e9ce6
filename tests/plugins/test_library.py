"""The Library panel, worked with keys and the mouse: found, sorted, marked, opened, dragged out, and empty."""

from __future__ import annotations

import shutil

import pytest
from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtGui import QColor, QGuiApplication
from PySide6.QtWidgets import QApplication, QFileDialog

from tests.archives import made
from tests.model.test_library_quality import written as written_product

I2D = "jw01234-o{:03d}_t001_nircam_clear-f200w_i2d.fits"
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def panel(make_panel, session, holdings, qtbot):
    session.run("library.link", folder=holdings)
    panel = make_panel("library", size=(1200, 420))
    qtbot.waitUntil(lambda: panel.rows is not None and len(panel.rows) == 7, timeout=15_000)
    return panel


def names(panel):
    """Names as they stand in the table, from top to bottom."""
    model = panel.table.table_model
    column = [c.name for c in model.columns].index("name")
    return [model.columns[column].shown(int(row)) for row in model.order]


def place_of(table, row, column=1):
    return table.visualRect(table.model().index(row, column)).center()


def written(qtbot, field, text):
    field.setFocus()
    field.selectAll()
    qtbot.keyClicks(field, text)
    qtbot.keyClick(field, Qt.Key.Key_Return)


def test_an_empty_library_says_what_to_do(make_panel, session, holdings, qtbot, monkeypatch):
    panel = make_panel("library")
    qtbot.waitUntil(panel.link_first.isVisible, timeout=10_000)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(holdings))
    qtbot.mouseClick(panel.link_first, LEFT)
    qtbot.waitUntil(lambda: panel.rows is not None and len(panel.rows) == 7, timeout=15_000)
    assert not panel.link_first.isVisible()
    session.undo()
    qtbot.waitUntil(panel.link_first.isVisible, timeout=10_000)


def test_words_fields_and_places_narrow_down(panel, qtbot):
    for field, text, count in (("words", "curie field 3", 1), ("words", "", 7), ("instrument", "miri", 0),
                               ("instrument", "", 7), ("date", "2022-08-10", 1), ("date", "", 7),
                               ("place", "53.1 -27.8", 2), ("place", "", 7), ("more", "level=3", 5)):  # fmt: skip
        widget = panel.question.words if field == "words" else panel.question.fields[field]
        if text:
            qtbot.keyClicks(widget, text)
        else:
            widget.clear()
        qtbot.waitUntil(lambda count=count: panel.rows is not None and len(panel.rows) == count, timeout=10_000)
    assert panel.about.text().startswith("5 files of 7 · ")
    qtbot.keyClicks(panel.question.fields["more"], " colour=red")
    qtbot.waitUntil(lambda: "no column 'colour'" in panel.about.text(), timeout=10_000)
    qtbot.keyClicks(panel.question.fields["more"], " nonsense")
    qtbot.waitUntil(lambda: "'nonsense' is no condition" in panel.about.text(), timeout=10_000)


def test_a_search_is_copied_as_python_that_runs(panel, session, qtbot):
    panel.question.fields["place"].setText("53.1 -27.8")
    panel.question.fields["radius"].setText("0.25 deg")
    panel.question.choose("here")
    panel.copy_python()
    text = QGuiApplication.clipboard().text()
    assert text == "session.run('library.search', target='53.1 -27.8', radius='0.25 deg')"
    assert len(eval(text, {"session": session})) == 3
    panel.question.choose("refused")
    panel.copy_python()
    assert len(eval(QGuiApplication.clipboard().text(), {"session": session})) == 0


def test_where_no_file_fits_the_table_says_so(panel, qtbot):
    panel.question.choose("refused")
    qtbot.waitUntil(lambda: panel.table.hint == "No file was refused.", timeout=10_000)
    empty = panel.table.viewport().grab().toImage()
    panel.table.hint = ""
    assert panel.table.viewport().grab().toImage() != empty, "it is written in the table"
    panel.question.choose("all")
    qtbot.keyClicks(panel.question.words, "nowhere")
    qtbot.waitUntil(lambda: not len(panel.rows) and panel.table.hint == "No file fits.", timeout=10_000)


def test_the_order_and_the_selection_stay_when_something_changes(panel, session, qtbot):
    header, columns = panel.table.horizontalHeader(), [c.name for c in panel.table.table_model.columns]
    section = columns.index("name")
    place = QPoint(header.sectionViewportPosition(section) + 20, header.height() // 2)
    for _ in range(2):
        qtbot.mouseClick(header.viewport(), LEFT, pos=place)
    assert names(panel) == sorted(names(panel), reverse=True)
    qtbot.mouseClick(panel.table.viewport(), LEFT, pos=place_of(panel.table, 2))
    before, chosen = names(panel), panel.selected()
    session.run("library.tag", files=chosen, tag="good")
    qtbot.waitUntil(lambda: panel.details.tags.text() == "good", timeout=10_000)
    assert (names(panel), panel.selected()) == (before, chosen)


def test_tags_notes_and_pins_are_written_and_undone(panel, session, holdings, qtbot):
    path = str(holdings / I2D.format(2))
    panel.table.select_rows([n for n, p in enumerate(panel.rows["path"]) if str(p) == path])
    details, library = panel.details, session.archives.library
    assert details.title.text().replace("\u200b", "") == I2D.format(2)
    assert "Target: FIELD 2" in details.facts.text()
    assert "Observed: 313 s" in details.facts.text()
    total = library.sum_of(path)
    written(qtbot, details.tags, "deep, good")
    qtbot.waitUntil(lambda: library.tagged("deep") == library.tagged("good") == {total}, timeout=10_000)
    written(qtbot, details.tags, "deep")
    qtbot.waitUntil(lambda: library.tagged("good") == set(), timeout=10_000)
    session.undo()
    assert library.tagged("good") == {total}
    written(qtbot, details.note, "saturated core")
    assert library.note_of(total) == "saturated core"
    session.undo()
    assert library.note_of(total) == ""
    qtbot.mouseClick(details.pin, LEFT, pos=QPoint(8, details.pin.height() // 2))
    qtbot.waitUntil(lambda: library.pinned() == {path}, timeout=10_000)
    session.undo()
    assert library.pinned() == set()
    assert "library.pin" not in session.script()


def test_many_files_are_tagged_at_once(panel, session, qtbot):
    panel.table.setFocus()
    qtbot.keyClick(panel.table, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert panel.details.title.text() == "7 files"
    assert not panel.details.note.isEnabled()
    written(qtbot, panel.details.tags, "all")
    sums = set(map(str, panel.rows["sha256"]))
    qtbot.waitUntil(lambda: session.archives.library.tagged("all") == sums, timeout=10_000)


def test_a_double_click_and_return_open(panel, session, holdings, qtbot):
    row = names(panel).index(I2D.format(3))
    qtbot.mouseClick(panel.table.viewport(), LEFT, pos=place_of(panel.table, row))
    qtbot.mouseDClick(panel.table.viewport(), LEFT, pos=place_of(panel.table, row))
    qtbot.waitUntil(lambda: len(session.data) == 1, timeout=15_000)
    assert session.data[0].path == holdings / I2D.format(3)
    panel.table.setFocus()
    qtbot.keyClick(panel.table, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(session.data) == 2, timeout=15_000)


def test_files_are_dragged_out(panel, holdings, qtbot, monkeypatch):
    """The drag itself is the system's: what is looked at is what it carries."""
    carried = []
    monkeypatch.setattr("jviz.plugins.library_table.QDrag.exec", lambda drag, _: carried.append(drag.mimeData().urls()))
    table, rows = panel.table, [names(panel).index(I2D.format(n)) for n in (1, 2)]
    qtbot.mouseClick(table.viewport(), LEFT, pos=place_of(table, rows[0]))
    qtbot.mouseClick(table.viewport(), LEFT, Qt.KeyboardModifier.ControlModifier, pos=place_of(table, rows[1]))
    start = place_of(table, rows[0])
    qtbot.mousePress(table.viewport(), LEFT, pos=start)
    qtbot.mouseMove(table.viewport(), start + QPoint(2, 1))
    move_held(table, start + QPoint(40, 10))
    qtbot.mouseRelease(table.viewport(), LEFT, pos=start + QPoint(40, 10))
    assert [sorted(url.toLocalFile() for url in urls) for urls in carried] == [
        [str(holdings / I2D.format(n)) for n in (1, 2)]
    ]
    assert len(panel.selected()) == 2
    qtbot.mouseClick(table.viewport(), LEFT, pos=place_of(table, rows[1]))
    assert panel.selected() == [str(holdings / I2D.format(2))]


def move_held(table, place):
    """Move with the left button down (qtbot's own moves have none)."""
    from PySide6.QtCore import QEvent, QPointF
    from PySide6.QtGui import QMouseEvent

    where = QPointF(place)
    none, plain = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
    event = QMouseEvent(QEvent.Type.MouseMove, where, table.viewport().mapToGlobal(where), none, LEFT, plain)
    QApplication.sendEvent(table.viewport(), event)


def test_pictures_are_made_for_the_rows_in_sight(panel, qtbot):
    qtbot.waitUntil(lambda: sum(p is not None for p in panel.table.pictures.values()) >= 3, timeout=20_000)
    row = names(panel).index(I2D.format(4))
    panel.table.scrollTo(panel.table.model().index(row, 0))
    total = str(panel.rows["sha256"][panel.table.table_model.order[row]])
    qtbot.waitUntil(lambda: panel.table.pictures.get(total) is not None, timeout=20_000)
    cell = panel.table.visualRect(panel.table.model().index(row, 0))
    shot = panel.table.viewport().grab().toImage()
    lights = {QColor(shot.pixel(x, cell.center().y())).lightness() // 8
              for x in range(cell.left() + 20, cell.right() - 20, 2)}  # fmt: skip
    assert len(lights) > 3, "noise has many shades"
    high = cell.height()
    qtbot.mouseClick(panel.pictures_button, LEFT)
    assert panel.table.isColumnHidden(0)
    assert panel.table.rowHeight(0) < high


def test_duplicates_missing_and_refused_files_are_listed(panel, session, holdings, qtbot):
    def shows(what, count):
        panel.question.choose(what)
        qtbot.waitUntil(lambda: panel.rows is not None and len(panel.rows) == count, timeout=10_000)

    shutil.copy(holdings / I2D.format(4), holdings / "copy.fits")
    session.run("library.rescan")
    panel.question.choose("duplicates")
    qtbot.waitUntil(lambda: {"copy.fits", I2D.format(4)} <= set(names(panel)) and len(names(panel)) < 5, timeout=10_000)
    (holdings / I2D.format(1)).unlink()
    broken = holdings / "broken_i2d.fits"
    broken.write_bytes((holdings / I2D.format(2)).read_bytes()[:5000])
    session.run("library.rescan")
    shows("missing", 1)
    assert panel.table.table_model.colour_of(0) is not None, "what is not there is marked"
    assert "not where it was" in selected_about(panel)
    panel.question.choose("refused")
    qtbot.waitUntil(lambda: "reason" in panel.rows.colnames, timeout=10_000)
    assert panel.about.text().startswith("1 file of 9 · ")
    panel.table.select_rows([0])
    assert "Why refused: " in panel.details.facts.text()
    assert not panel.details.tags.isVisible()
    table, columns = panel.table, panel.rows.colnames
    for name in ("name", "reason"):
        width = table.fontMetrics().horizontalAdvance(str(panel.rows[name][0]))
        assert table.columnWidth(columns.index(name)) > width, "it can be read as a whole"
    high = table.rowHeight(0)
    qtbot.mouseClick(panel.pictures_button, LEFT)
    assert not table.isColumnHidden(0), "it is that of the names here"
    qtbot.mouseClick(panel.pictures_button, LEFT)
    assert table.rowHeight(0) == high, "there are no pictures to make room for"
    shutil.copy(holdings / I2D.format(2), broken)
    [again] = [action for action in panel.rows_menu().actions() if action.text() == "Try Again"]
    again.trigger()
    qtbot.waitUntil(lambda: len(panel.rows) == 0, timeout=10_000)
    shows("all", 9)


def selected_about(panel):
    panel.table.select_rows([0])
    return panel.details.about.text()


def test_a_dropped_file_is_fetched_when_it_is_opened(make_panel, session, mast, qtbot):
    [path] = session.run("archive.download", products=f"mast:JWST/product/{I2D.format(1)}")
    session.run("library.trim", limit=0)
    panel = make_panel("library", size=(1000, 400))
    qtbot.waitUntil(lambda: panel.rows is not None and len(panel.rows) == 1, timeout=10_000)
    assert "1 dropped" in panel.about.text()
    panel.table.select_rows([0])
    assert panel.table.mime() is None, "there is no file to drag"
    panel.open_selected()
    qtbot.waitUntil(lambda: len(session.data) == 1, timeout=20_000)
    assert path.is_file()


def test_files_are_forgotten_and_bundled(panel, session, holdings, tmp_path, qtbot, monkeypatch):
    panel.table.select_rows([0])
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "b.zip"), ""))
    [export] = [action for action in panel.rows_menu().actions() if action.text() == "Export Bundle…"]
    export.trigger()
    qtbot.waitUntil((tmp_path / "b.zip").is_file, timeout=10_000)
    panel.table.setFocus()
    qtbot.keyClick(panel.table, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: len(panel.rows) == 6, timeout=10_000)
    assert len(list(holdings.iterdir())) == 7
    session.undo()
    qtbot.waitUntil(lambda: len(panel.rows) == 7, timeout=10_000)


def test_new_files_come_by_themselves(panel, session, holdings, qtbot):
    made(holdings / "new_i2d.fits", 8)
    session.archives.library.rescan()
    qtbot.waitUntil(lambda: len(panel.rows) == 8, timeout=10_000)


def test_folders_are_unlinked_in_the_menu(panel, session, holdings, qtbot):
    menu = panel.folders_menu()
    [inside] = [action.menu() for action in menu.actions() if action.menu() is not None]
    assert inside.title() == str(holdings)
    [unlink] = [action for action in inside.actions() if action.text() == "Unlink"]
    unlink.trigger()
    qtbot.waitUntil(panel.link_first.isVisible, timeout=10_000)


def test_the_choice_of_columns_is_kept(panel, session):
    columns = [column.name for column in panel.table.table_model.columns]
    assert panel.table.isColumnHidden(columns.index("sha256"))
    [show] = [action for action in panel.columns_menu().actions() if action.text() == "sha256"]
    show.trigger()
    assert not panel.table.isColumnHidden(columns.index("sha256"))
    assert "sha256" not in session.settings["library.hidden_columns"]


def test_the_quality_of_products_is_seen_with_its_reasons(panel, session, holdings, qtbot):
    path = written_product(holdings / "jw01234001001_02101_00002_nrcb1_cal.fits", saturated=2000)
    session.run("library.rescan")
    session.run("library.quality", files=path)
    session.archives.library_changed.emit()
    panel.question.choose("bad")
    qtbot.waitUntil(lambda: panel.rows is not None and len(panel.rows) == 1, timeout=15_000)
    assert str(panel.rows["quality"][0]) == "bad"
    panel.table.selectRow(0)
    qtbot.waitUntil(panel.details.quality.isVisible, timeout=15_000)
    lines = panel.details.quality.text().splitlines()
    assert lines[:2] == ["Quality", "saturated: 20 %, bad. 2,000 pixels."]
    panel.question.choose("refused")
    qtbot.waitUntil(lambda: not panel.details.quality.isVisible(), timeout=15_000)


def test_the_menu_of_rows_opens_beside_the_mouse(panel, qtbot):
    QTimer.singleShot(200, lambda: QApplication.activePopupWidget() and QApplication.activePopupWidget().close())
    panel.table.customContextMenuRequested.emit(QPoint(20, 20))
    assert [action.text() for action in panel.rows_menu().actions()][:4] == [
        "Open", "Show What It Was Made Of", "Quality Report", "Pin"
    ]
