"""Opening by drop, by dialog, by recent files; choosing among several data sets; samples; recovery."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading

import numpy as np
import pytest
import shiboken6
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QDialogButtonBox, QFileDialog, QLineEdit, QMessageBox, QPushButton

from jviz.plugin_loader import DATA_MIME
from jviz.viewers.base import Viewer
from jviz.window.chooser import Chooser
from jviz.window.welcome import Link

NONE, LEFT, COPY = Qt.KeyboardModifier.NoModifier, Qt.MouseButton.LeftButton, Qt.DropAction.CopyAction


def urls_of(*paths) -> QMimeData:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return mime


def drop(window, mime: QMimeData, where: QPoint) -> None:
    """Enter the window, move over the veil, let go."""
    target = window.childAt(where) or window
    while target is not window and not target.acceptDrops():
        target = target.parentWidget()
    here = target.mapFrom(window, where)
    QApplication.sendEvent(target, QDragEnterEvent(QPointF(here), COPY, mime, LEFT, NONE))
    assert window.drops.isVisible()
    # The veil is under the cursor now: Qt tells it so.
    QApplication.sendEvent(window.drops, QDragEnterEvent(QPointF(where), COPY, mime, LEFT, NONE))
    QApplication.sendEvent(window.drops, QDragMoveEvent(QPointF(where), COPY, mime, LEFT, NONE))
    QApplication.sendEvent(window.drops, QDropEvent(QPointF(where), COPY, mime, LEFT, NONE, QEvent.Type.Drop))
    assert not window.drops.isVisible()


def on_viewer(window, *, upper: bool) -> QPoint:
    viewer = window.viewers[0]
    return viewer.mapTo(window, QPoint(viewer.width() // 2, viewer.height() // (4 if upper else 1) - 10 * (not upper)))


def test_a_file_dropped_on_the_empty_window_opens(window, image_file, qtbot):
    drop(window, urls_of(image_file), QPoint(400, 300))
    qtbot.waitUntil(lambda: window.viewers.names == ["Image 1"], timeout=20_000)


def test_the_veil_changes_the_pixels_and_goes_with_the_mouse(window, image_file):
    before = window.grab().toImage().pixelColor(500, 400)
    mime = urls_of(image_file)
    QApplication.sendEvent(window, QDragEnterEvent(QPointF(500, 400), COPY, mime, LEFT, NONE))
    assert window.grab().toImage().pixelColor(500, 400) != before
    QApplication.sendEvent(window.drops, QEvent(QEvent.Type.DragLeave))
    window.drops.hide()
    assert window.grab().toImage().pixelColor(500, 400) == before


def test_what_is_no_file_is_not_taken(window):
    mime = QMimeData()
    mime.setText("hello")
    event = QDragEnterEvent(QPointF(400, 300), COPY, mime, LEFT, NONE)
    QApplication.sendEvent(window, event)
    assert not event.isAccepted()
    assert not window.drops.isVisible()


@pytest.mark.parametrize(("upper", "names"), [(True, ["picture", "other"]), (False, ["other"])])
def test_dropped_on_a_viewer_it_is_added_or_replaces(filled, tmp_path, image_file, qtbot, upper, names):
    other = tmp_path / "other.fits"
    shutil.copy(image_file, other)
    drop(filled, urls_of(other), on_viewer(filled, upper=upper))
    view = filled.session.views["Image 1"]
    qtbot.waitUntil(lambda: [layer.data.name for layer in view.layers] == names, timeout=20_000)
    assert len(filled.viewers) == 1


def test_data_from_the_panel_are_dropped_on_a_viewer(filled, image):
    filled.session.add(image, name="second")
    mime = QMimeData()
    mime.setData(DATA_MIME, b"second")
    drop(filled, mime, on_viewer(filled, upper=True))
    assert [layer.data.name for layer in filled.session.views["Image 1"].layers] == ["picture", "second"]


def test_a_folder_dropped_opens_what_can_be_read(window, image_file, qtbot):
    (image_file.parent / "notes.xyz").write_text("nothing")
    drop(window, urls_of(image_file.parent), QPoint(400, 300))
    qtbot.waitUntil(lambda: window.session.names == ["picture"], timeout=20_000)


# --- dialogs --------------------------------------------------------------------------------------


@pytest.fixture
def several(tmp_path, image):
    """A file with three images of different names and shapes."""
    from astropy.io import fits

    hdus = [fits.PrimaryHDU(), *(fits.ImageHDU(image[: 20 + 10 * n], name=f"CHIP{n}") for n in range(3))]
    path = tmp_path / "several.fits"
    fits.HDUList(hdus).writeto(path)
    return path


def test_open_dialog_offers_a_choice_when_there_is_one(window, several, qtbot):
    qtbot.keyClick(window, Qt.Key.Key_O, Qt.KeyboardModifier.ControlModifier)
    dialog = window.findChild(QFileDialog)
    dialog.setDirectory(str(several.parent))
    dialog.selectFile(str(several))
    dialog.accept()
    qtbot.waitUntil(lambda: window.findChild(Chooser) is not None, timeout=20_000)
    chooser = window.findChild(Chooser)
    rows = [[chooser.tree.topLevelItem(n).text(c) for c in (1, 3)] for n in range(3)]
    assert rows == [["20 × 80", "image"], ["30 × 80", "image"], ["40 × 80", "image"]]
    chooser.tree.setCurrentItem(chooser.tree.topLevelItem(0))
    qtbot.keyClick(chooser.tree, Qt.Key.Key_Space)  # untick the first
    qtbot.mouseClick(chooser.buttons.button(QDialogButtonBox.StandardButton.Open), LEFT)
    qtbot.waitUntil(lambda: len(window.session.data) == 2, timeout=20_000)
    assert [d.shape for d in window.session.data] == [(30, 80), (40, 80)]


def test_the_chooser_filters_and_ticks(window, several, qtbot):
    window.choose_and_open([several])
    qtbot.waitUntil(lambda: window.findChild(Chooser) is not None, timeout=20_000)
    chooser = window.findChild(Chooser)
    none = next(b for b in chooser.findChildren(QPushButton) if b.text() == "Tick None")
    qtbot.mouseClick(none, LEFT)
    open_button = chooser.buttons.button(QDialogButtonBox.StandardButton.Open)
    assert not open_button.isEnabled()
    qtbot.keyClicks(chooser.search, "chip1")
    assert [chooser.tree.topLevelItem(n).isHidden() for n in range(3)] == [True, False, True]
    every = next(b for b in chooser.findChildren(QPushButton) if b.text() == "Tick All")
    qtbot.mouseClick(every, LEFT)
    assert open_button.text() == "Open 1"


def test_many_files_with_a_choice_are_asked_about_once(window, several, qtbot):
    other = several.with_name("other.fits")
    other.write_bytes(several.read_bytes())
    window.choose_and_open([several, other])
    qtbot.waitUntil(lambda: window.findChild(Chooser) is not None, timeout=20_000)
    [chooser] = window.findChildren(Chooser)
    assert chooser.tree.topLevelItemCount() == 6
    chooser.tree.topLevelItem(0).setCheckState(0, Qt.CheckState.Unchecked)
    chooser.tree.topLevelItem(1).setCheckState(0, Qt.CheckState.Unchecked)
    qtbot.mouseClick(chooser.buttons.button(QDialogButtonBox.StandardButton.Open), LEFT)
    qtbot.waitUntil(lambda: len(window.session.data) == 4, timeout=20_000)
    assert sorted(d.path.name for d in window.session.data) == ["other.fits"] * 3 + ["several.fits"]


def test_a_chooser_of_five_hundred_extensions_is_quick_to_use(window, tmp_path, qtbot):
    from astropy.io import fits

    hdus = [fits.PrimaryHDU(), *(fits.ImageHDU(np.zeros((2, 3 + n), "u1"), name=f"CHIP{n}") for n in range(500))]
    path = tmp_path / "many.fits"
    fits.HDUList(hdus).writeto(path)
    window.choose_and_open([path])
    qtbot.waitUntil(lambda: window.findChild(Chooser) is not None, timeout=30_000)
    chooser = window.findChild(Chooser)
    open_button = chooser.buttons.button(QDialogButtonBox.StandardButton.Open)
    assert open_button.text() == "Open 1"
    qtbot.mouseClick(next(b for b in chooser.findChildren(QPushButton) if b.text() == "Tick All"), LEFT)
    assert open_button.text() == "Open 500"
    qtbot.mouseClick(next(b for b in chooser.findChildren(QPushButton) if b.text() == "Tick None"), LEFT)
    qtbot.keyClicks(chooser.search, "chip499")
    qtbot.mouseClick(next(b for b in chooser.findChildren(QPushButton) if b.text() == "Tick All"), LEFT)
    qtbot.mouseClick(open_button, LEFT)
    qtbot.waitUntil(lambda: [d.shape for d in window.session.data] == [(2, 502)], timeout=20_000)


def test_of_very_many_files_the_first_are_shown_and_all_are_open(window, image_file, tmp_path, qtbot, told):
    files = [tmp_path / f"copy{n:02d}.fits" for n in range(30)]
    for file in files:
        file.write_bytes(image_file.read_bytes())
    window.choose_and_open(files)
    qtbot.waitUntil(lambda: len(window.session.data) == 30, timeout=30_000)
    qtbot.waitUntil(lambda: len(window.viewers) == 24, timeout=20_000)
    assert window.central.active == "Image 1"
    assert window.central.names == list(window.session.views)
    assert "first 24" in told(window)[-1].text
    window.session.undo()
    assert len(window.viewers) == 0


def test_what_comes_while_many_viewers_are_still_to_come_is_there_at_once(window, image, qtbot):
    data = window.session.add(image, name="picture")
    from jviz.actions.view import open_views_for

    open_views_for(window.session, [data] * 5)
    viewer = window.open_viewer("image", data=data)
    assert viewer.state.name == "Image 6"
    qtbot.waitUntil(lambda: len(window.viewers) == 6, timeout=20_000)
    assert window.central.active == "Image 6"


def test_the_viewer_of_what_a_job_opens_is_there_when_it_is_asked_for(window, image_file):
    """It comes in a turn of its own after the view, but a script need not wait for that."""
    job = window.session.submit("file.open", paths=[str(image_file)])
    while not job.is_over:
        window.session.dispatcher.drain()
    [view] = window.session.views.values()
    assert len(window.viewers) == 0
    assert window.viewers[view.name].state is view
    assert window.central.active == view.name
    assert len(window.viewers) == 1
    assert window.viewers[0].updatesEnabled()


def test_a_script_in_a_thread_gets_the_viewer_of_what_it_has_opened(window, image_file, qtbot):
    found = []

    def script():
        window.session.submit("file.open", paths=[str(image_file)]).result(20)
        found.append(window.viewers["Image 1"].state.name)

    thread = threading.Thread(target=script)
    thread.start()
    qtbot.waitUntil(lambda: not thread.is_alive(), timeout=20_000)
    thread.join()
    assert found == ["Image 1"]


def test_a_viewer_that_was_made_ahead_goes_with_its_view(window, image_file, qtbot):
    before = set(QApplication.topLevelWidgets())
    for _ in range(3):
        job = window.session.submit("file.open", paths=[str(image_file)])
        while not job.is_over:
            window.session.dispatcher.drain()
        window._viewers._add_next()  # made, and not in the window yet
        window.session.undo()
    left = [one for one in QApplication.topLevelWidgets() if isinstance(one, Viewer) and one not in before]
    qtbot.waitUntil(lambda: not any(map(shiboken6.isValid, left)), timeout=5_000)
    assert len(window.viewers) == 0
    window.session.redo()
    qtbot.waitUntil(lambda: len(window.viewers) == 1 and window.viewers[0].has_painted, timeout=10_000)


def test_a_file_with_one_data_set_opens_without_a_question(window, image_file, qtbot):
    window.choose_and_open([image_file])
    qtbot.waitUntil(lambda: window.session.names == ["picture"], timeout=20_000)
    assert window.findChild(Chooser) is None


def test_save_session_asks_for_a_name_the_first_time_only(filled, tmp_path, qtbot):
    qtbot.keyClick(filled, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    dialog = filled.findChild(QFileDialog)
    dialog.selectFile(str(tmp_path / "work.jviz"))
    dialog.accept()
    path = tmp_path / "work.jviz"
    qtbot.waitUntil(path.is_file, timeout=20_000)
    qtbot.waitUntil(lambda: "work" in filled.windowTitle(), timeout=5_000)
    path.unlink()
    filled.session.views["Image 1"].invert = True
    filled.activateWindow()
    qtbot.waitUntil(filled.isActiveWindow, timeout=5_000)
    qtbot.keyClick(filled, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(path.is_file, timeout=20_000)


# --- recent files and samples ---------------------------------------------------------------------


def test_recent_files_are_kept_and_offered(make_window, image_file, qtbot):
    first = make_window([image_file])
    qtbot.waitUntil(lambda: first.recent.paths == [image_file], timeout=20_000)
    first.close()
    second = make_window()
    link = next(w for w in second.findChildren(Link) if w.accessibleName().startswith("picture.fits"))
    qtbot.mouseClick(link, LEFT)
    qtbot.waitUntil(lambda: second.session.names == ["picture"], timeout=20_000)


def test_recent_files_are_newest_first_once_each_and_limited(window, tmp_path):
    window.session.settings["window.recent_files"] = 3
    paths = [tmp_path / f"{n}.fits" for n in range(5)]
    for path in paths:
        window.recent.add(path)
    window.recent.add(paths[3])
    assert window.recent.paths == [paths[3], paths[4], paths[2]]


@pytest.mark.parametrize("width", [700, 1000, 1400])
def test_the_welcome_page_cuts_off_no_command(window, qtbot, width):
    window.resize(width, 800)
    welcome = window.central.findChild(object, "welcome")
    qtbot.wait(50)
    for link in welcome.findChildren(Link):
        assert link.fontMetrics().horizontalAdvance(link._text) <= link.width() - 16, link._text


def test_a_sample_opens_from_the_welcome_page(window, qtbot):
    link = next(w for w in window.findChildren(Link) if w.accessibleName().startswith("Mosaic"))
    qtbot.mouseClick(link, LEFT)
    qtbot.waitUntil(lambda: len(window.viewers) == 1, timeout=60_000)
    assert "simulated" in window.session.names[0]


def test_the_welcome_page_says_why_a_map_of_the_sphere_is_not_seen(window, qtbot, tmp_path):
    from astropy.table import Table
    from PySide6.QtWidgets import QLabel

    path = tmp_path / "sphere.fits"
    meta = {"PIXTYPE": "HEALPIX", "ORDERING": "RING", "NSIDE": 1}
    Table({"TEMPERATURE": np.ones(12)}, meta=meta).write(path)
    window.session.run("file.open", paths=[str(path)])
    welcome = window.central.findChild(object, "welcome")
    words = lambda: " ".join(label.text() for label in welcome.findChildren(QLabel) if label.isVisible())  # noqa: E731
    qtbot.waitUntil(lambda: "Open: sphere (" in words() and "no image" in words(), timeout=20_000)
    window.session.run("edit.undo")
    qtbot.waitUntil(lambda: "sphere" not in words(), timeout=5_000)


# --- status bar -----------------------------------------------------------------------------------


def test_the_status_bar_reads_out_what_is_under_the_cursor(filled, image, qtbot):
    viewer = filled.viewers[0]
    from jviz.geometry import geometry_of

    x, y = geometry_of(viewer.state).to_screen(40, 30)
    qtbot.mouseMove(viewer, QPoint(10, 10))
    qtbot.mouseMove(viewer, QPoint(round(float(x)), round(float(y))))
    qtbot.waitUntil(lambda: f"{image[30, 40]:.4g}" in filled.statusBar().readout.text(), timeout=5_000)


def test_the_status_bar_says_the_zoom(filled, qtbot):
    qtbot.keyClick(filled.viewers[0], Qt.Key.Key_1)
    qtbot.waitUntil(lambda: filled.statusBar().zoom.text() == "100 %", timeout=5_000)


def test_running_jobs_are_counted_and_lead_to_their_panel(window, qtbot):
    import threading

    go_on = threading.Event()
    for number in range(2):
        window.session.jobs.submit(f"Job {number}", lambda job: go_on.wait(10))
    jobs = window.statusBar().jobs
    qtbot.waitUntil(jobs.isVisible, timeout=5_000)
    assert jobs.button.text() == "2 jobs"
    qtbot.mouseClick(jobs.button, LEFT)
    assert window.docks["jobs"].isVisible()
    go_on.set()
    qtbot.waitUntil(lambda: not jobs.isVisible(), timeout=5_000)


# --- after a crash --------------------------------------------------------------------------------

CRASH = """
import sys, time, numpy as np, jviz
window = jviz.launch([], show=False)
window.session.add(np.arange(12.0, dtype="f4").reshape(3, 4), name="precious")
from PySide6.QtWidgets import QApplication, QLineEdit
from jviz.autosave import Autosave
saver = Autosave(window.session)
job = saver.save_now()
while not job.is_over:
    QApplication.processEvents()
print("saved", flush=True)
time.sleep(60)
"""


def test_after_a_kill_the_next_start_offers_to_restore(make_window, qtbot):
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    process = subprocess.Popen([sys.executable, "-c", CRASH], stdout=subprocess.PIPE, env=environment, text=True)
    try:
        assert process.stdout.readline().strip() == "saved"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    window = make_window()
    qtbot.waitUntil(lambda: window.keeper.offer is not None, timeout=10_000)
    box = window.keeper.offer
    assert "precious" in box.informativeText()
    qtbot.mouseClick(next(b for b in box.findChildren(QPushButton) if b.text() == "Restore"), LEFT)
    qtbot.waitUntil(lambda: window.session.names == ["precious"], timeout=20_000)
    assert np.array_equal(window.session["precious"].get(np.ndarray), np.arange(12.0, dtype="f4").reshape(3, 4))
    assert window.findChild(QMessageBox) is None or not window.keeper.offer.isVisible()


def test_a_field_that_takes_files_gets_what_is_dropped_on_it(window, image_file, qtbot):
    field = QLineEdit(window)
    field.setObjectName("takesFile")
    field.setGeometry(600, 300, 200, 30)
    field.show()
    drop(window, urls_of(image_file), QPoint(650, 310))
    assert field.text() == str(image_file)
    assert window.session.names == []


def test_interrupted_downloads_are_told_of_at_the_start(make_window, mast, qtbot, tmp_path):
    import jviz
    from jviz.backend.archive.products import wanted_files

    mast.rate = 10_000
    names = [f"mast:JWST/product/jw01234-o00{n}_t001_nircam_clear-f200w_i2d.fits" for n in range(2)]
    session = jviz.Session()
    session.archives.transfers.add(wanted_files(names), tmp_path / "in")
    session.close()
    window = make_window()
    words = "2 downloads stopped when jviz ended. The panel Transfers goes on where they were."
    qtbot.waitUntil(lambda: any(notice.text == words for notice in window.context.notices), timeout=15_000)
    page = window.panel("transfers").page
    qtbot.waitUntil(lambda: page.offer.isVisible(), timeout=15_000)


def test_files_that_are_opened_are_taken_into_the_library_beside(window, qtbot, holdings):
    from jviz.libraries import is_begun

    file = next(holdings.glob("*_i2d.fits"))
    window.open_files([file])
    qtbot.waitUntil(is_begun, timeout=20_000)
    library = window.session.archives.library
    qtbot.waitUntil(lambda: library.sum_of(file) is not None, timeout=20_000)


def test_linked_folders_are_watched_while_the_window_is_open(window, qtbot, holdings):
    session = window.session
    session.settings["library.watch_seconds"] = 1
    window.library_clock.start()
    session.run("library.link", folder=holdings)
    file = next(holdings.glob("*_i2d.fits"))
    file.rename(holdings / "renamed_i2d.fits")
    library = session.archives.library
    qtbot.waitUntil(lambda: library.sum_of(holdings / "renamed_i2d.fits") is not None, timeout=20_000)


def test_what_comes_into_a_linked_folder_is_heard_of_at_once(window, qtbot, holdings):
    session = window.session
    session.settings["library.watch_seconds"] = 86400
    session.run("library.link", folder=holdings)
    window.library_clock.start()
    library, eyes = session.archives.library, window.library_clock._eyes
    heard = []
    eyes.changed.connect(lambda: heard.append(1))
    window.library_clock.look()
    old = next(holdings.glob("*_i2d.fits"))

    def moved_is_known():
        # Until the system watches the folder nothing is heard of what comes into it.
        if not heard and not (holdings / "new").exists():
            (holdings / "new").mkdir()
        elif heard and old.exists():
            old.rename(holdings / "renamed_i2d.fits")
        elif not heard:
            (holdings / "new").rmdir()
        return library.sum_of(holdings / "renamed_i2d.fits") is not None

    qtbot.waitUntil(moved_is_known, timeout=60_000)


def test_an_association_dropped_on_the_window_shows_its_graph(window, nods, qtbot):
    from jviz import Session

    with_file = Session()
    [made] = with_file.run("association.make", data=str(nods))
    path = with_file.run("association.write", data=made, path=str(nods / "nods_asn.json"))
    with_file.close()
    drop(window, urls_of(path), QPoint(400, 300))
    qtbot.waitUntil(lambda: window.viewers.names == ["Association 1"], timeout=20_000)
    viewer = window.viewers[0]
    qtbot.waitUntil(lambda: "3 members" in viewer.title.text() and "all there" in viewer.title.text())
    name = made.content.names[0]
    number = next(n for n, node in enumerate(viewer.graph.graph.nodes) if node.name == name)
    qtbot.mouseDClick(viewer.graph, LEFT, pos=viewer.graph.rect_of(number).center().toPoint())
    qtbot.waitUntil(lambda: name.removesuffix(".fits") in window.session.names, timeout=20_000)


def test_files_of_the_library_are_dropped_on_a_viewer(filled, holdings, qtbot):
    window = filled
    window.session.run("library.add", path=next(holdings.glob("*o002*_i2d.fits")))
    table = window.panel("library").table
    qtbot.waitUntil(lambda: table.table_model.rowCount() == 1, timeout=20_000)
    table.selectAll()
    viewer = window.viewers[0]
    drop(window, table.mime(), viewer.mapTo(window, QPoint(viewer.width() // 2, viewer.height() // 4)))
    qtbot.waitUntil(lambda: len(viewer.state.layers) == 2, timeout=20_000)
    assert viewer.state.layers[-1].data.name.startswith("jw01234-o002")
