"""Messages that stop nobody, and errors that are reported once."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading

import pytest
from PySide6.QtCore import Qt, qWarning
from PySide6.QtWidgets import QApplication, QLabel, QPushButton

from jviz.commands import command, forget
from jviz.errors import JvizError
from jviz.plugins.histogram import Histogram
from jviz.window.errors import ErrorDialog


@pytest.fixture
def texts(told):
    return lambda window: [toast.text for toast in told(window)]


def test_a_notice_is_a_toast_and_stays_in_the_history(window, qtbot, texts):
    window.session.notice("warning", "The header lies.")
    assert texts(window) == ["The header lies."]
    toast = window.toasts.shown[0]
    assert toast.accessibleName() == "Warning: The header lies."
    assert window.rect().contains(toast.geometry())
    toast.close_now()
    assert texts(window) == []
    panel = window.panel("notifications")
    qtbot.waitUntil(lambda: panel.list.count() == 1, timeout=5_000)
    assert "The header lies." in panel.list.item(0).text()


def test_status_messages_go_to_the_status_bar_only(window, texts):
    window.session.notice("status", "Copied.")
    assert texts(window) == []
    assert window.statusBar().readout.text() == "Copied."


def test_the_same_message_is_counted_not_repeated(window, told):
    for _ in range(3):
        window.session.notice("info", "Again")
    assert [toast.times for toast in told(window)] == [3]


def test_the_same_reason_for_several_is_told_once(window, told):
    for number in range(5):
        window.session.notice("warning", f"a[{number}]: The WCS cannot be read.")
    window.session.notice("warning", "b: The unit is unknown.")
    window.session.notice("info", "Opened: all of it.")
    window.session.notice("info", "Closed as well: all of it.")
    first, *others = told(window)
    label = first.findChild(QLabel)
    assert label.text() == "a[0], a[1], a[2] and 2 more: The WCS cannot be read."
    assert first.accessibleName() == f"Warning: {label.text()}"
    told = ["b: The unit is unknown.", "Opened: all of it.", "Closed as well: all of it."]
    assert [toast.text for toast in others] == told


def test_not_more_than_four_at_once_newest_at_the_bottom(window, texts):
    for number in range(7):
        window.session.notice("info", f"Message {number}")
    assert texts(window) == [f"Message {n}" for n in (3, 4, 5, 6)]
    tops = [toast.y() for toast in window.toasts.shown]
    assert tops == sorted(tops)


def test_toasts_take_no_focus(filled, texts):
    filled.viewers[0].setFocus()
    filled.session.notice("error", "Oh")
    assert texts(filled) == ["Oh"]
    assert QApplication.focusWidget() is filled.viewers[0]


def test_the_bell_counts_and_opens_the_history(window, qtbot):
    window.session.notice("info", "One")
    window.session.notice("info", "Two")
    assert window.statusBar().bell.text() == "2"
    qtbot.mouseClick(window.statusBar().bell, Qt.MouseButton.LeftButton)
    assert window.docks["notifications"].isVisible()
    assert window.statusBar().bell.text() == ""


# --- errors ---------------------------------------------------------------------------------------


def raised(error: Exception) -> Exception:
    try:
        raise error
    except type(error) as caught:
        return caught


def test_a_defect_opens_a_dialog_with_a_report_to_copy(filled, qtbot, capsys):
    error = raised(ZeroDivisionError("by nothing"))
    sys.excepthook(type(error), error, error.__traceback__)
    qtbot.waitUntil(lambda: filled.errors.dialog is not None, timeout=5_000)
    dialog = filled.errors.dialog
    report = dialog.report.toPlainText()
    assert "ZeroDivisionError: by nothing" in report
    assert "jviz 0" in report
    assert filled.session.history.entries[-1].lines[0] in report
    button = next(b for b in dialog.findChildren(QPushButton) if b.text() == "Copy Report")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert QApplication.clipboard().text() == report


def test_what_ends_a_script_with_a_window_is_said_where_the_script_was_started(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("import jviz\nw = jviz.launch([], show=False)\nw.session.run('data.remove', data='none')\n")
    plain = {**os.environ, "PYTHON_COLORS": "0"}
    run = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False, env=plain)
    assert run.returncode == 1
    assert 'script.py", line 3' in run.stderr
    assert "SessionError: There is no data named 'none'" in run.stderr.splitlines()[-1]


@pytest.fixture(autouse=True)
def quiet_hooks(monkeypatch):
    """The hooks that the window passes errors on to would fail the test."""
    monkeypatch.setattr(sys, "excepthook", lambda *_: None)
    monkeypatch.setattr(threading, "excepthook", lambda *_: None)


def test_a_defect_while_painting_is_reported_and_the_next_picture_is_drawn(filled, qtbot, monkeypatch):
    histogram = filled.findChild(Histogram)
    bars, painted = type(histogram)._paint_bars, []
    monkeypatch.setattr(type(histogram), "_paint_bars", lambda *_: 1 / 0)
    histogram.update()
    qtbot.waitUntil(lambda: filled.errors.dialog is not None, timeout=5_000)
    assert "ZeroDivisionError" in filled.errors.dialog.report.toPlainText()
    # The frames of the error still hold the painter that was at work.
    monkeypatch.setattr(type(histogram), "_paint_bars", lambda *args: painted.append(bars(*args)))
    for times in (1, 2, 3):
        histogram.update()
        qtbot.waitUntil(lambda times=times: len(painted) >= times, timeout=5_000)


def test_a_second_defect_joins_the_open_dialog(window, qtbot):
    for text in ("first", "second"):
        error = raised(ValueError(text))
        sys.excepthook(type(error), error, error.__traceback__)
    qtbot.waitUntil(lambda: window.errors.dialog is not None, timeout=5_000)
    qtbot.waitUntil(lambda: "second" in window.errors.dialog.report.toPlainText(), timeout=5_000)
    assert len(window.findChildren(ErrorDialog)) == 1


def test_a_jviz_error_is_a_notification(window, qtbot):
    error = raised(JvizError("m31.fits is gone; copy it again."))
    sys.excepthook(type(error), error, error.__traceback__)
    qtbot.waitUntil(lambda: [toast.text for toast in window.toasts.shown] == [str(error)], timeout=5_000)
    assert window.errors.dialog is None


def test_an_error_in_a_thread_reaches_the_dialog(window, qtbot):
    def fail():
        raise KeyError("lost")

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    qtbot.waitUntil(lambda: window.errors.dialog is not None, timeout=5_000)
    assert "lost" in window.errors.dialog.report.toPlainText()


def test_a_defect_in_a_command_is_told_with_a_way_to_its_report(window, qtbot, told):
    @command("extra.fail", title="Fail")
    def fail(session) -> None:
        """Divide."""
        _ = 1 / 0

    try:
        window.invoker.run("extra.fail")
    finally:
        forget("extra.fail")
    toast = told(window)[0]
    assert "Fail failed" in toast.text
    button = next(b for b in toast.findChildren(QPushButton) if b.text() == "Details…")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert "ZeroDivisionError" in window.errors.dialog.report.toPlainText()


def test_the_log_has_what_python_and_qt_say(window):
    logging.getLogger("jviz.test").warning("A record")
    assert any("A record" in str(line) for line in window.log.lines())


@pytest.mark.qt_log_ignore("Qt speaks")
def test_messages_of_qt_go_to_the_log(window):
    qWarning("Qt speaks")
    assert any("Qt speaks" in line.text and line.source == "qt" for line in window.log.lines())


def test_hooks_are_given_back(make_window):
    before = (sys.excepthook, threading.excepthook)
    window = make_window()
    assert sys.excepthook != before[0]
    window.close()
    assert (sys.excepthook, threading.excepthook) == before
