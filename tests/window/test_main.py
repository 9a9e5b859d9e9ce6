"""The window as a whole: opening, viewers, active view, closing."""

from __future__ import annotations

import gc
import threading
import weakref

import numpy as np
import pytest
import regions
import shiboken6
from PySide6.QtCore import QEvent, Qt, QTimer, QUrl
from PySide6.QtWidgets import QApplication, QDialog, QFileDialog, QLineEdit, QPushButton, QWidget

import jviz
from jviz.errors import SessionError
from jviz.plugin_loader import unload, user_folder
from jviz.window.manual import Manual


def test_launch_opens_files_in_viewers(make_window, image_file, qtbot):
    window = make_window([image_file])
    qtbot.waitUntil(lambda: len(window.viewers) == 1 and window.viewers[0].has_painted, timeout=20_000)
    assert window.viewers[0] is window.viewers["Image 1"]
    assert window.viewers[0].state is window.session.views["Image 1"]
    assert window.central.active == "Image 1"


def test_a_file_that_cannot_be_read_is_told_and_nothing_else_happens(make_window, tmp_path, qtbot):
    path = tmp_path / "broken.fits"
    path.write_bytes(b"<html>no such file</html>")
    window = make_window([path])
    qtbot.waitUntil(lambda: any(t.level == "error" for t in window.toasts.shown), timeout=20_000)
    assert "broken.fits" in window.toasts.shown[0].text
    assert len(window.viewers) == 0


def test_a_file_that_may_not_be_read_is_told_and_nothing_else_happens(like_anybody, filled, image_file, qtbot):
    image_file.chmod(0)
    filled.open_files([str(image_file)])
    qtbot.waitUntil(lambda: any(level == "error" for level, _ in filled.session.notices))
    [told] = [text for level, text in filled.session.notices if level == "error"]
    assert str(image_file) in told
    assert "permission denied" in told
    assert "chmod u+r" in told
    assert filled.session.names == ["picture"]
    assert len(filled.viewers) == 1


def test_viewers_follow_the_views_of_the_session(filled, qtbot):
    view = filled.session.view("image", data="picture")
    assert filled.viewers.names == ["Image 1", view.name]
    filled.session.run("view.close", view=view)
    assert filled.viewers.names == ["Image 1"]
    filled.session.undo()
    assert filled.viewers.names == ["Image 1", view.name]
    with pytest.raises(KeyError, match="Image 1"):
        filled.viewers["nothing"]


def test_close_button_of_a_tab_closes_the_view_and_undo_brings_it_back(filled, qtbot):
    group = filled.central.group_of("Image 1")
    button = group.bar.tabButton(0, group.bar.ButtonPosition.RightSide)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert not filled.session.views
    assert filled.central.findChild(object, "welcome").isVisible()
    qtbot.keyClick(filled, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert list(filled.session.views) == ["Image 1"]
    assert filled.viewers["Image 1"].isVisible()


def test_undo_and_redo_by_keys(filled, qtbot):
    view = filled.session.views["Image 1"]
    view.colormap = "viridis"
    filled.session.flush()
    qtbot.keyClick(filled, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert view.colormap == "gray"
    qtbot.keyClick(filled, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    assert view.colormap == "viridis"


def test_changes_by_hand_become_a_step_after_a_pause(filled, qtbot):
    before = len(filled.session._history.entries)
    filled.session.views["Image 1"].stretch = "log"
    assert len(filled.session._history.entries) == before
    qtbot.waitUntil(lambda: len(filled.session._history.entries) == before + 1, timeout=5_000)


def test_commands_work_on_the_active_viewer_not_on_the_newest(filled, qtbot):
    newest = filled.session.view("image", data="picture")
    filled.central.activate("Image 1")
    qtbot.keyClick(filled.viewers["Image 1"], Qt.Key.Key_G)
    assert filled.session.views["Image 1"].grid
    assert not newest.grid


def test_single_letters_do_nothing_while_a_panel_has_the_focus(filled, qtbot):
    panel = filled.panel("data")
    panel.setFocus()
    QApplication.focusWidget()
    qtbot.keyClick(panel, Qt.Key.Key_G)
    assert not filled.session.views["Image 1"].grid


def test_panel_names_those_there_are(window):
    assert window.panel("history").isVisible()
    with pytest.raises(SessionError, match="history"):
        window.panel("nothing")


def test_jobs_of_other_threads_reach_the_window(window, qtbot):
    seen = []
    thread = threading.Thread(
        target=lambda: window.session.dispatcher.call(lambda: seen.append(threading.current_thread()))
    )
    thread.start()
    thread.join()
    qtbot.waitUntil(lambda: bool(seen), timeout=5_000)
    assert seen == [threading.main_thread()]


def answer(window, qtbot, text):
    """Click a button of the question that the window asks."""
    box = window.leaving.box
    qtbot.waitUntil(box.isVisible)
    button = next(b for b in box.findChildren(QPushButton) if b.text().replace("&", "") == text)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


@pytest.mark.parametrize(("button", "closes"), [("Keep Working", False), ("Cancel Jobs and Close", True)])
def test_closing_with_a_job_running_asks(make_window, qtbot, button, closes):
    window = make_window()
    go_on = threading.Event()

    def work(job):
        while not go_on.wait(0.01):
            job.report(0.1)

    window.session.jobs.submit("Count the stars", work)
    window.close()
    assert not window.is_closed
    assert "Count the stars" in window.leaving.box.informativeText()
    answer(window, qtbot, button)
    qtbot.waitUntil(lambda: window.leaving.box is None and window.is_closed is closes)
    go_on.set()


def test_looking_alone_is_no_work(make_window, image_file, qtbot):
    window = make_window([image_file])
    qtbot.waitUntil(lambda: len(window.viewers) == 1 and window.viewers[0].has_painted, timeout=20_000)
    window.session.run("image.zoom_in")
    window.session.run("view.open", kind="image", data=window.session.data[0])
    assert window.session.modified
    assert window.session.unsaved() == []
    window.close()
    assert window.is_closed


@pytest.mark.parametrize(("button", "closes"), [("Cancel", False), ("Discard", True)])
def test_unsaved_work_is_asked_about(make_window, image, qtbot, button, closes):
    window = make_window()
    window.session.add(image, name="sky")
    window.close()
    assert not window.is_closed
    assert "Add Data" in window.leaving.box.informativeText()
    window.close()  # asked once is enough
    answer(window, qtbot, button)
    qtbot.waitUntil(lambda: window.leaving.box is None and window.is_closed is closes)
    assert window.session.names == ["sky"]


def test_save_in_the_question_saves_and_then_closes(make_window, image, qtbot, tmp_path):
    window = make_window()
    window.session.add(image, name="sky")
    path = tmp_path / "night.jviz"
    window.session.save(path)
    assert window.session.unsaved() == []
    window.session.subset("bright", np.asarray(image) > 0.5, data="sky")
    window.close()
    answer(window, qtbot, "Save")
    qtbot.waitUntil(lambda: window.is_closed, timeout=10_000)
    again = jviz.Session.load(path)
    assert list(again.subsets) == ["bright"]
    again.close()


def test_save_that_fails_keeps_the_window(make_window, image, qtbot, tmp_path):
    window = make_window()
    window.session.add(image, name="sky")
    window.session.saved_as(tmp_path / "gone" / "night.jviz", None)
    window.close()
    answer(window, qtbot, "Save")
    qtbot.waitUntil(lambda: any("cannot be written" in n.text for n in window.context.notices), timeout=10_000)
    qtbot.wait(50)
    assert not window.is_closed
    assert window.session.names == ["sky"]


def test_a_session_without_a_file_asks_for_a_name_first(make_window, image, qtbot, tmp_path):
    window = make_window()
    window.session.add(image, name="sky")
    window.close()
    answer(window, qtbot, "Save")
    qtbot.waitUntil(lambda: window.findChild(QFileDialog) is not None)
    dialog = window.findChild(QFileDialog)
    dialog.findChild(QLineEdit).setText(str(tmp_path / "mine.jviz"))
    dialog.accept()
    qtbot.waitUntil(lambda: window.is_closed, timeout=10_000)
    assert window.session.path == tmp_path / "mine.jviz"
    assert (tmp_path / "mine.jviz").exists()


def test_another_session_is_opened_only_when_work_may_go(make_window, image, qtbot):
    window = make_window()
    window.session.add(image, name="sky")
    window.session.run("file.open_session_dialog")
    answer(window, qtbot, "Cancel")
    qtbot.wait(50)
    assert window.findChild(QFileDialog) is None
    window.session.run("file.open_session_dialog")
    answer(window, qtbot, "Discard")
    qtbot.waitUntil(lambda: window.findChild(QFileDialog) is not None)
    window.findChild(QFileDialog).reject()
    assert window.session.names == ["sky"]


def test_closing_without_asking_when_the_setting_says_so(make_window):
    window = make_window()
    window.session.settings["window.confirm_close"] = False
    go_on = threading.Event()
    window.session.jobs.submit("Count", lambda job: go_on.wait(5))
    window.close()
    assert window.is_closed
    go_on.set()


def test_after_closing_the_session_is_free_again(make_window, image):
    window = make_window()
    session = window.session
    window.close()
    assert not session.showing
    assert session.dispatcher.is_here
    session.add(image, name="later")
    assert session.names == ["later"]
    with pytest.raises(jviz.JvizError, match="window"):
        session.run("window.reset_layout")


def test_a_second_window_on_the_same_session_shows_what_is_there(make_window, filled, qtbot):
    session = filled.session
    filled.close_at_once()
    second = make_window(session=session)
    qtbot.waitUntil(lambda: len(second.viewers) == 1 and second.viewers[0].has_painted, timeout=20_000)
    assert second.viewers.names == ["Image 1"]


def test_copy_picture(filled, qtbot):
    QApplication.clipboard().clear()
    modifiers = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    qtbot.keyClick(filled, Qt.Key.Key_C, modifiers)
    copied = QApplication.clipboard().image()
    assert copied.size() == filled.viewers[0].grab().size()


def test_a_closed_window_leaves_no_widget_no_timer_and_no_receiver(make_window, image, qtbot):
    before = set(QApplication.topLevelWidgets())
    window = make_window()
    session = window.session
    session.add(image, name="picture")
    viewer = window.open_viewer("image", data="picture")
    qtbot.waitUntil(lambda: window.viewers[0].has_painted, timeout=20_000)
    window.panel("history")
    gone = weakref.ref(viewer)
    window.close_at_once()
    del viewer
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    assert {w for w in QApplication.topLevelWidgets() if w.isVisible()} <= before
    assert not [timer.parent() for timer in window.findChildren(QTimer) if timer.isActive()]
    gc.collect()
    assert gone() is None or not shiboken6.isValid(gone())
    session.view("image", data="picture")  # nobody of the window answers any more
    session.undo()


def test_data_sets_that_come_and_go_leave_nothing_in_the_window(filled):
    before = len(filled.findChildren(QWidget))
    for _ in range(3):
        view = filled.session.view("image", data="picture")
        filled.session.run("view.close", view=view)
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    assert len(filled.findChildren(QWidget)) == before


def test_tabs_are_named_by_their_data_and_told_apart(filled, qtbot):
    group = filled.central.group_of("Image 1")
    assert group.tabText(0) == "picture"
    filled.session.view("image", data="picture")
    assert [group.tabText(n) for n in range(2)] == ["picture · Image 1", "picture · Image 2"]
    filled.session.run("data.rename", data="picture", name="m31")
    assert group.tabText(0) == "m31 · Image 1"
    assert group.bar.accessibleTabName(0) == "Image 1: m31"
    filled.session.run("view.close", view="Image 2")
    names = [f"jw09999001001_02101_0000{n}_nrcb1_uncal" for n in (1, 2)]
    filled.session.run("data.rename", data="m31", name=names[0])
    filled.session.view("image", data=filled.session.add(np.zeros((20, 30)), name=names[1]))
    assert [group.tabText(n) for n in range(2)] == ["…00001_nrcb1_uncal", "…00002_nrcb1_uncal"]
    assert group.tabToolTip(1) == f"Image 2: {names[1]}"
    panel = filled.panel("data")
    expected = ["…00001_nrcb1_uncal", "…00002_nrcb1_uncal"]
    qtbot.waitUntil(lambda: [row.short for row in panel.rows.top] == expected, timeout=5_000)
    index = panel.rows.index_of(panel.rows.top[0])
    assert index.data(Qt.ItemDataRole.EditRole) == names[0]  # which is what is renamed


def test_the_manual_opens_and_its_links_lead_on(window, qtbot):
    qtbot.keyClick(window, Qt.Key.Key_F1)
    manual = window.findChild(Manual)
    assert "jviz" in manual.browser.toPlainText()
    manual.browser.anchorClicked.emit(QUrl("window.md"))
    assert manual.browser.toPlainText().startswith("The window")
    qtbot.waitUntil(manual.isActiveWindow, timeout=5_000)
    qtbot.keyClick(manual, Qt.Key.Key_Left, Qt.KeyboardModifier.AltModifier)
    qtbot.waitUntil(lambda: manual.browser.source().fileName() == "index.md", timeout=5_000)


def test_about_says_versions_that_can_be_copied(window, qtbot):
    window.invoker.run("help.about")
    dialog = next(d for d in window.findChildren(QDialog) if d.windowTitle() == "About jviz")
    button = next(b for b in dialog.findChildren(QPushButton) if b.text() == "Copy Versions")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert f"jviz {jviz.__version__}" in QApplication.clipboard().text()


PLUGIN = """
from pathlib import Path
import numpy as np
from jviz.api import Plane, Product, reader

@reader("stars", title="Stars", suffixes=(".stars",))
def read_stars(path, *, progress):
    values = np.loadtxt(path, dtype="f4")
    plane = Plane("STARS", values.shape, values.dtype, lambda progress: values)
    return [Product("image", Path(path).stem, planes={"STARS": plane})]
"""


def test_files_given_at_the_start_may_need_a_reader_of_a_plugin(make_window, tmp_path, image, qtbot, told):
    folder = user_folder()
    folder.mkdir(parents=True)
    (folder / "stars.py").write_text(PLUGIN)
    path = tmp_path / "sky.stars"
    np.savetxt(path, image)
    try:
        window = make_window([path])
        qtbot.waitUntil(lambda: window.session.names == ["sky"], timeout=20_000)
        assert not [t.text for t in told(window)]
    finally:
        unload("stars")


def test_panels_on_images_work_on_while_a_plot_is_active(filled, qtbot):
    window = filled
    panel = window.panel("regions")
    window.session.run("region.add", region=regions.CirclePixelRegion(regions.PixCoord(30, 30), 5), data="picture")
    window.session.run("image.line_cut", data="picture", path=[(5, 5), (50, 50)])
    qtbot.waitUntil(lambda: window.context.active_view().kind == "profile")
    image = window.context.active_image()
    assert image.data.name == "picture"
    qtbot.waitUntil(lambda: panel.statistics.isVisible())
    assert panel.context.active_image() is image


def test_a_number_is_told_of_the_command_that_gave_it(window, qtbot):
    told = []
    window.session.noticed.connect(heard := lambda level, text: told.append(text))
    for id, words in (("archive.basket_clear", "Empty Basket: 0"), ("archive.pause", "Pause Transfers: 0")):
        window.invoker.trigger(id)
        qtbot.waitUntil(lambda words=words: told[-1:] == [words])
    assert heard


def test_what_was_open_while_imports_were_spared_from_the_search_for_garbage_goes_too(filled, qtbot):
    """At the start `gc.freeze` takes along the first picture, with all cycles of references that it is in."""
    session = filled.session
    viewer = filled.viewers[0]
    qtbot.waitUntil(lambda: filled.viewers[0].is_sharp)
    left = [weakref.ref(viewer), weakref.ref(viewer.state.layer.raster())]
    name = viewer.state.data.name
    del viewer
    gc.freeze()
    try:
        session.run("data.remove", data=name)
        qtbot.waitUntil(lambda: [one() for one in left] == [None, None])
        session.undo()
        qtbot.waitUntil(lambda: filled.viewers[0].is_sharp)
        assert filled.viewers[0].state.data.name == name
    finally:
        gc.unfreeze()
