"""The panels, used as a hand uses them: keys, clicks and drags; and what an eye would see."""

import json
import logging
import threading
import time

import numpy as np
import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QColor, QGuiApplication, QPalette
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QSlider,
)

from jviz import CommandError, plugin_loader
from jviz.plugins.context import Context, built_panel
from jviz.viewers import icons

LEFT = Qt.MouseButton.LeftButton


def clipboard():
    return QGuiApplication.clipboard().text()


# --- all of them ----------------------------------------------------------------------------------


@pytest.mark.parametrize("id", [id for id in plugin_loader.BUILTIN if id != "console"])
def test_empty_panels_say_what_to_do(make_panel, id):
    panel = make_panel(id)
    if id in ("log", "footprints", "archive", "transfers", "calibration", "library", "samp", "ccd", "crds"):  # of use
        return
    assert not panel.body.isVisible()
    assert panel.empty_text in panel._empty.text()


@pytest.mark.parametrize("id", [id for id in plugin_loader.BUILTIN if id != "console"])
def test_panels_leave_nothing_connected(context, session, view, qtbot, id):
    import gc

    plugin_loader.load_builtin()

    def counts():
        signals = (session.data_changed, session.views_changed, session.history_changed, session.jobs.changed)
        states = (view, view.layer)
        ours = [h for h in logging.getLogger().handlers if type(h).__module__.startswith("jviz")]
        return [len(list(s._receivers)) for s in signals], [len(list(s._global_callbacks)) for s in states], ours

    def collect():
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        gc.collect()

    collect()  # what earlier tests have left to Qt
    before = counts()
    panel = built_panel(plugin_loader.panels()[id], context)
    panel.show()
    qtbot.wait(50)
    panel.close()
    panel.deleteLater()
    collect()
    assert counts() == before
    view.stretch = "sqrt"
    session.run("data.rename", data="ramp", name="other")
    qtbot.wait(20)


@pytest.mark.parametrize("id", [id for id in plugin_loader.BUILTIN if id != "console"])
def test_what_can_be_used_has_a_name(make_panel, session, view, id):
    panel = make_panel(id)
    for kind in (QAbstractButton, QAbstractItemView, QComboBox, QLineEdit, QPlainTextEdit, QSlider):
        for widget in panel.findChildren(kind):
            inner = widget.objectName().startswith("qt_") or isinstance(widget.parent(), QComboBox | QAbstractItemView)
            private = isinstance(widget.parent(), QLineEdit | QAbstractSpinBox)
            if widget.isVisible() and not (inner or private):
                assert widget.accessibleName() or getattr(widget, "text", lambda: "")(), widget


# --- data -----------------------------------------------------------------------------------------


def test_data_are_listed_with_shape_and_planes(make_panel, session, shared_data, qtbot):
    session.open(shared_data / "jw01288016001_34101_00002_mirimage_i2d.fits")
    session.open(shared_data / "2MASS_PSC.vot")
    panel = make_panel("data")
    rows = panel.tree.model()
    table = [[rows.index(n, c).data() for c in range(4)] for n in range(rows.rowCount())]
    assert [row[0] for row in table] == session.names
    assert table[0][2:] == ["129 × 137", "MJy/sr"]
    assert [rows.index(n, 0, rows.index(0, 0)).data() for n in range(3)] == ["SCI", "ERR", "CON"]
    assert table[1][1] == "catalogue"


def test_the_rows_keep_to_the_rules_of_models(make_panel, session, shared_data, qtmodeltester):
    session.open(shared_data / "jw01288016001_34101_00002_mirimage_i2d.fits")
    qtmodeltester.check(make_panel("data").tree.model())


def test_selection_and_open_rows_stay_when_data_come(make_panel, session, shared_data, picture, qtbot):
    session.open(shared_data / "jw01288016001_34101_00002_mirimage_i2d.fits")
    panel = make_panel("data")
    tree = panel.tree
    tree.expand(tree.model().index(0, 0))
    tree.setCurrentIndex(tree.model().index(0, 0))
    session.add(picture, name="later")
    qtbot.waitUntil(lambda: tree.model().rowCount() == 2)
    assert tree.isExpanded(tree.model().index(0, 0))
    assert panel.selected() == [session.data[0]]


def test_double_click_opens_a_viewer_and_a_plane(make_panel, session, shared_data, qtbot):
    session.open(shared_data / "jw01288016001_34101_00002_mirimage_i2d.fits")
    panel = make_panel("data")
    tree = panel.tree
    index = tree.model().index(0, 0)
    tree.expand(index)
    place = tree.visualRect(index).center()
    QTest.mouseClick(tree.viewport(), LEFT, pos=place)
    QTest.mouseDClick(tree.viewport(), LEFT, pos=place)
    assert [v.data.name for v in session.views.values()] == [index.data()]
    qtbot.wait(20)
    place = tree.visualRect(tree.model().index(1, 0, tree.model().index(0, 0))).center()
    QTest.mouseClick(tree.viewport(), LEFT, pos=place)
    QTest.mouseDClick(tree.viewport(), LEFT, pos=place)
    assert [v.plane for v in session.views.values()] == ["ERR"]


def test_rename_in_place(make_panel, session, picture, qtbot):
    session.add(picture, name="one")
    session.add(picture, name="two")
    panel = make_panel("data")
    panel.tree.setCurrentIndex(panel.tree.model().index(0, 0))
    panel.tree.setFocus()
    panel.rename_action.trigger()
    editor = panel.tree.findChild(QLineEdit)
    editor.selectAll()
    qtbot.keyClicks(editor, "first")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: session.names == ["first", "two"])
    qtbot.wait(20)
    panel.tree.model().setData(panel.tree.model().index(0, 0), "two")  # taken: refused with a notice
    qtbot.wait(20)
    assert session.names == ["first", "two"]
    assert panel.tree.model().index(0, 0).data() == "first"
    assert "already" in panel.context.notices[-1].text


def test_dragged_rows_carry_the_names(make_panel, session, picture):
    session.add(picture, name="nébuleuse")
    session.add(picture, name="two")
    panel = make_panel("data")
    rows = panel.tree.model()
    mime = rows.mimeData([rows.index(n, 0) for n in range(2)])
    assert bytes(mime.data(plugin_loader.DATA_MIME)).decode().split("\n") == ["nébuleuse", "two"]


def test_remove_asks_the_session_and_can_be_undone(make_panel, session, view, qtbot):
    panel = make_panel("data")
    panel.tree.setCurrentIndex(panel.tree.model().index(0, 0))
    panel.remove_action.trigger()
    assert session.names == []
    qtbot.waitUntil(lambda: not panel.body.isVisible())
    session.undo()
    qtbot.waitUntil(lambda: panel.tree.model().rowCount() == 1)
    assert list(session.views.values()) == [view]


# --- header ---------------------------------------------------------------------------------------


def test_typing_narrows_the_header_and_marks_matches(make_panel, session, shared_data, qtbot):
    [data] = session.open(shared_data / "jw01288016001_34101_00002_mirimage_i2d.fits")
    panel = make_panel("header", (800, 400))
    unit = data.product.units[panel.units.currentRow()]
    assert panel.cards.rowCount() == len(unit.cards)
    qtbot.keyClicks(panel.search, "crval")
    expected = [k for k, v, c in unit.cards if "crval" in f"{k} {v} {c}".lower()]
    qtbot.waitUntil(lambda: panel.cards.rowCount() == len(expected))
    assert [panel.cards.index(n, 0).data() for n in range(len(expected))] == expected
    picture = panel.table.viewport().grab().toImage()
    rectangle = panel.table.visualRect(panel.cards.index(0, 0))
    inside = picture.pixelColor(rectangle.left() + 6, rectangle.top() + 4)
    beside = picture.pixelColor(rectangle.right() - 4, rectangle.top() + 4)
    assert inside.blue() < beside.blue() or inside.red() > beside.red()  # a yellow marker
    panel.search.setFocus()
    qtbot.keyClick(panel.search, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: panel.cards.rowCount() == len(unit.cards))


def test_every_extension_can_be_looked_at(make_panel, session, shared_data, qtbot):
    [data] = session.open(shared_data / "jw01288016001_34101_00002_mirimage_i2d.fits")
    panel = make_panel("header")
    for row, unit in enumerate(data.product.units):
        panel.units.setCurrentRow(row)
        assert panel.cards.rowCount() == len(unit.cards)
        assert panel.units.item(row).text().startswith(f"{unit.index}  ")


def test_the_asdf_tree_is_read_and_searched(make_panel, session, shared_data, qtbot):
    session.open(shared_data / "jw01288016001_34101_00002_mirimage_i2d.fits")
    panel = make_panel("header")
    panel.units.setCurrentRow(panel.units.count() - 1)
    assert panel.units.currentItem().text() == "ASDF tree"
    model = panel.tree_model.shown
    qtbot.waitUntil(lambda: "meta" in [model.index(n, 0).data() for n in range(model.rowCount())], timeout=20000)
    qtbot.keyClicks(panel.search, "no such key anywhere")
    qtbot.waitUntil(lambda: model.rowCount() == 0)


def test_of_a_file_that_is_nothing_but_a_tree_the_tree_is_shown(make_panel, session, shared_data, qtbot):
    session.open(shared_data / "miri_lrs_wcs.asdf")
    panel = make_panel("header")
    qtbot.waitUntil(lambda: panel.units.currentItem() is not None)
    assert panel.units.currentItem().text() == "ASDF tree"
    model = panel.tree_model.shown
    qtbot.waitUntil(lambda: model.rowCount() > 0, timeout=20000)


def test_copied_cards_read_as_fits(make_panel, session, shared_data, qtbot):
    session.open(shared_data / "gc_msx_e.fits")
    panel = make_panel("header")
    qtbot.keyClicks(panel.search, "naxis1")
    qtbot.waitUntil(lambda: panel.cards.rowCount() == 1)
    panel.table.selectRow(0)
    panel.table.setFocus()
    qtbot.keyClick(panel.table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert clipboard().startswith("NAXIS1  = 149")


def test_the_header_follows_the_active_view(make_panel, session, shared_data, context, qtbot):
    session.open(shared_data / "gc_msx_e.fits", shared_data / "allsky_rosat.fits", show=True)
    first, second = session.views.values()
    context.activate(first)
    panel = make_panel("header")
    assert panel._data is first.data
    context.activate(second)
    qtbot.waitUntil(lambda: panel._data is second.data)


# --- history --------------------------------------------------------------------------------------


def test_a_click_goes_back_and_forward(make_panel, session, view, qtbot):
    for stretch in ("sqrt", "log", "asinh"):
        view.stretch = stretch
        session.flush()
        session.history.seal()
    panel = make_panel("history")
    rows = panel.model.rowCount()
    assert [panel.model.index(n).data() for n in range(rows - 3, rows)] == [
        "Stretch: sqrt", "Stretch: log", "Stretch: asinh"
    ]  # fmt: skip
    click_row(panel, rows - 3)
    assert view.stretch == "sqrt"
    qtbot.wait(20)
    grey = panel.model.index(rows - 1).data(Qt.ItemDataRole.ForegroundRole)
    assert isinstance(grey, QColor)
    assert panel.model.index(rows - 3).data(Qt.ItemDataRole.ForegroundRole) is None
    click_row(panel, rows - 1)
    assert view.stretch == "asinh"
    qtbot.wait(20)
    click_row(panel, 0)
    assert session.names == []


def click_row(panel, row):
    place = panel.list.visualRect(panel.model.index(row)).center()
    QTest.mouseClick(panel.list.viewport(), LEFT, pos=place)


def test_the_script_is_copied_and_saved(make_panel, session, view, tmp_path):
    view.stretch = "sinh"
    panel = make_panel("history")
    panel.copy_script()
    assert clipboard() == session.script()
    assert "sinh" in clipboard()
    panel.save_script(tmp_path / "session.py")
    assert (tmp_path / "session.py").read_text() == session.script()


# --- jobs -----------------------------------------------------------------------------------------


def test_a_long_job_shows_its_progress_and_is_cancelled(make_panel, session, qtbot):
    def work(job):
        for n in range(10_000):
            job.report(n, 10_000, f"Plane {n}")
            time.sleep(0.005)

    panel = make_panel("jobs")
    job = session.jobs.submit("Collapse cube", work)
    qtbot.waitUntil(lambda: job.number in panel.rows and panel.rows[job.number].bar.value() > 2)
    row = panel.rows[job.number]
    assert row.title.text() == "Collapse cube"
    assert row.text.text().startswith("Plane ")
    row.log_button.click()
    assert "Plane 0" in row.log.toPlainText()
    qtbot.mouseClick(row.cancel_button, LEFT)
    qtbot.waitUntil(lambda: job.state == "cancelled")
    qtbot.waitUntil(lambda: row.time.text().startswith("cancelled"))
    assert not row.bar.isVisible()
    assert not panel._clock.isActive()
    qtbot.mouseClick(panel.clear_button, LEFT)
    qtbot.waitUntil(lambda: not panel.body.isVisible())


def test_a_failed_job_says_why(make_panel, session, qtbot):
    def work(job):
        raise CommandError("m51 has no spectral axis; choose another cube.")

    panel = make_panel("jobs")
    job = session.jobs.submit("Moment", work)
    qtbot.waitUntil(lambda: job.number in panel.rows and "spectral axis" in panel.rows[job.number].text.text())


def test_quiet_jobs_are_not_listed(make_panel, session, qtbot):
    panel = make_panel("jobs")
    job = session.jobs.submit("Histogram", lambda job: None, quiet=True)
    qtbot.waitUntil(lambda: job.is_over)
    qtbot.wait(20)
    assert panel.rows == {}


# --- log and notifications ------------------------------------------------------------------------


def test_a_long_log_is_written_in_order_and_goes_on_at_its_end(make_panel, session, qtbot):
    panel = make_panel("log")
    for number in range(450):
        panel.context.notify("info", f"note {number:03d}")
    wanted = [f"note {number:03d}" for number in range(450)]
    qtbot.waitUntil(lambda: [line[-8:] for line in panel.text.toPlainText().splitlines()] == wanted)
    panel.context.notify("info", "note new")
    qtbot.waitUntil(lambda: panel.text.toPlainText().endswith("note new"))
    assert panel.text.document().blockCount() == 451
    panel.search.setText("note 44")
    qtbot.waitUntil(lambda: panel.text.document().blockCount() == 10)


def test_the_log_shows_commands_and_filters_by_level(make_panel, session, view, qtbot, caplog):
    panel = make_panel("log")
    view.stretch = "sinh"
    session.notice("warning", "the header lies")
    logging.getLogger("jviz.test").error("a disk is full")
    session.flush()
    qtbot.waitUntil(lambda: "sinh" in panel.text.toPlainText() and "a disk is full" in panel.text.toPlainText())
    assert "the header lies" in panel.text.toPlainText()
    panel.level.setCurrentIndex(3)
    qtbot.waitUntil(lambda: "the header lies" not in panel.text.toPlainText())
    assert "a disk is full" in panel.text.toPlainText()
    panel.level.setCurrentIndex(0)
    qtbot.keyClicks(panel.search, "sinh")
    qtbot.waitUntil(lambda: "a disk is full" not in panel.text.toPlainText())
    assert "session.views['Image 1'].stretch = 'sinh'" in panel.text.toPlainText()


def test_notices_are_kept_also_those_from_before(make_panel, session, context, qtbot):
    session.notice("warning", "first")
    panel = make_panel("notifications")
    session.notice("error", "second")
    session.notice("status", "not worth keeping")
    qtbot.waitUntil(lambda: panel.list.count() == 2)
    assert "second" in panel.list.item(0).text()
    assert "first" in panel.list.item(1).text()
    panel.clear()
    qtbot.waitUntil(lambda: not panel.body.isVisible())


# --- pixels ---------------------------------------------------------------------------------------


def test_the_numbers_round_the_cursor(make_panel, context, view, picture, qtbot):
    panel = make_panel("pixels")
    context.move_cursor(view, 20.3, 11.6)
    qtbot.waitUntil(lambda: panel.model.rowCount() == 7)
    shown = np.array(panel.model.texts(), dtype=float)
    np.testing.assert_array_equal(shown, picture[9:16, 17:24][::-1])
    centre = panel.model.index(3, 3)
    assert float(centre.data()) == picture[12, 20]
    header = panel.model.headerData(3, Qt.Orientation.Horizontal), panel.model.headerData(0, Qt.Orientation.Vertical)
    assert header == ("20", "15")
    context.move_cursor(view, 0, 0)
    qtbot.waitUntil(lambda: panel.model.index(6, 0).data() == "–")
    assert float(panel.model.index(3, 3).data()) == picture[0, 0]
    panel.hold.setChecked(True)
    context.move_cursor(view, 30, 30)
    qtbot.wait(20)
    assert float(panel.model.index(3, 3).data()) == picture[0, 0]


def test_the_plane_that_is_shown_counts(make_panel, context, session, shared_data, qtbot):
    session.open(shared_data / "j8bt06nyq_flt.fits", show=True)
    [view] = session.views.values()
    panel = make_panel("pixels")
    context.move_cursor(view, 100, 200)
    qtbot.waitUntil(lambda: panel.model.rowCount() == 7)
    view.plane = "DQ"
    expected = str(view.data.plane("DQ").read((200, 100)))
    qtbot.waitUntil(lambda: panel.model.index(3, 3).data() == expected)


def test_without_a_view_there_is_no_error(qtbot, session):
    context = Context(session)
    assert context.active_view() is None
    assert context.run("image.fit") is None
    assert "No image is open" in context.notices[-1].text


def test_icons_follow_the_theme(context, qapp):
    def brightest():
        picture = icon.pixmap(32, 32).toImage()
        seen = [picture.pixelColor(x, y) for x in range(32) for y in range(32)]
        return [c.getRgb()[:3] for c in seen if c.alpha() == 255]

    icon, before = context.icon("fa6s.square"), qapp.palette()
    try:
        for colour in ("#ff8000", "#2040c0"):
            palette = QPalette(before)
            palette.setColor(QPalette.ColorRole.WindowText, QColor(colour))
            qapp.setPalette(palette)
            assert set(brightest()) == {QColor(colour).getRgb()[:3]}
    finally:
        qapp.setPalette(before)


def test_a_state_may_change_in_another_thread(make_panel, session, view, qtbot):
    panel = make_panel("display")
    job = session.jobs.submit("Elsewhere", lambda job: view.layer.update(colormap="magma"))
    qtbot.waitUntil(lambda: job.is_over and panel.controls.colormap.name == "magma")


@pytest.mark.parametrize("prefix", icons.FONTS)
def test_every_icon_of_a_font_is_found_by_its_name(prefix):
    listed = json.loads(icons._file(prefix, ".json").read_text(encoding="utf-8"))
    assert {name: icons._code(f"{prefix}.{name}") for name in listed} == listed
    assert icons._code(f"{prefix}.no-such-icon") == icons._code("nothing.star") == ""


def test_of_many_wishes_the_first_and_the_last_are_worked_out_one_at_a_time(qtbot, caplog):
    """Also after work that fails, which is logged: the next wish begins anew."""
    from PySide6.QtWidgets import QWidget

    import jviz
    from jviz.plugins.parts import Links, Newest

    session, widget, shown, wish = jviz.Session(), QWidget(), [], [0]
    qtbot.addWidget(widget)
    gate = threading.Event()

    def begin():
        number = wish[0]

        def work(job):
            gate.wait(5)
            if number == 2:
                raise ZeroDivisionError
            return (number,)

        return work, shown.append

    newest = Newest(Links(widget), session, "Wishes", begin)
    session.dispatcher.bind(lambda: None)
    try:
        for number in (1, 3, 4, 5):
            wish[0] = number
            newest.ask()
        gate.set()

        def drained():
            session.dispatcher.drain()
            return not newest.is_busy

        qtbot.waitUntil(drained)
        assert shown == [1, 5]
        wish[0] = 2
        newest.ask()
        qtbot.waitUntil(drained)
        assert [record.getMessage() for record in caplog.records] == ["Wishes failed"]
        wish[0] = 6
        newest.ask()
        qtbot.waitUntil(drained)
        assert shown == [1, 5, 6]
    finally:
        session.close()


def test_a_bar_is_painted_with_the_next_frame_and_not_at_once(qtbot):
    """Qt's own repaints when its value is set, and everything else of the window that waits for being painted."""
    from PySide6.QtWidgets import QVBoxLayout, QWidget

    from jviz.plugins.parts import ProgressBar

    class Beside(QWidget):
        painted = 0

        def paintEvent(self, event):
            self.painted += 1

    window, beside, bar = QWidget(), Beside(), ProgressBar("Progress")
    beside.setMinimumSize(40, 40)
    layout = QVBoxLayout(window)
    layout.addWidget(beside)
    layout.addWidget(bar)
    qtbot.addWidget(window)
    window.show()
    qtbot.waitUntil(lambda: beside.painted > 0)
    qtbot.wait(20)
    before = beside.painted
    beside.update()
    bar.show_progress(400, 1000)
    assert (bar.value(), bar.maximum(), beside.painted) == (400, 1000, before)
    qtbot.waitUntil(lambda: beside.painted == before + 1)
    bar.show_progress(0, 0)
    assert bar.maximum() == 0
