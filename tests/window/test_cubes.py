"""Cubes in the window: opened in a viewer of their own, with their menu, and asked about what the file leaves open."""

import os

import numpy as np
import pytest
from astropy.io import fits
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit

import jviz
from jviz.viewers.cube import CubeViewer
from jviz.window.forms import Form


@pytest.fixture
def path(tmp_path):
    hdu = fits.PrimaryHDU(np.random.default_rng(0).normal(size=(12, 10, 9)).astype(np.float32))
    hdu.header.update({"CTYPE3": "WAVE", "CUNIT3": "um", "CRVAL3": 1.0, "CDELT3": 0.5, "CRPIX3": 1.0})
    hdu.writeto(tmp_path / "cube.fits")
    return tmp_path / "cube.fits"


def test_a_cube_opens_in_a_cube_viewer_that_keys_of_the_window_leave_alone(qtbot, make_window, path):
    window = make_window([path])
    qtbot.waitUntil(lambda: len(window.viewers) == 2 and window.viewers[0].is_sharp, timeout=20_000)
    viewer, spectra = window.viewers
    assert spectra.kind == "spectrum"
    assert isinstance(viewer, CubeViewer)
    viewer.setFocus()
    before = viewer.state.slice
    qtbot.keyClick(viewer, Qt.Key.Key_Period)
    qtbot.keyClick(viewer, Qt.Key.Key_BracketRight)
    assert viewer.state.slice == before + 2
    second = window.open_viewer("cube", data="cube")
    assert isinstance(second, CubeViewer)
    assert second.state.name == "Cube 2"


def test_the_ruler_has_its_keys_though_the_picture_pans_and_fits_with_the_same_ones(qtbot, make_window, path):
    window = make_window([path])
    qtbot.waitUntil(lambda: len(window.viewers) == 2 and window.viewers[0].is_sharp, timeout=20_000)
    viewer = window.viewers[0]
    track, last = viewer.bar.track, viewer.state.leading.count - 1
    track.setFocus()
    for key, then in ((Qt.Key.Key_End, last), (Qt.Key.Key_Home, 0), (Qt.Key.Key_Right, 1), (Qt.Key.Key_Up, 2),
                      (Qt.Key.Key_Left, 1)):  # fmt: skip
        qtbot.keyClick(track, key)
        qtbot.waitUntil(lambda then=then: viewer.state.slice == then == track.current)
    assert viewer.state.centre is None


def test_an_axis_that_the_file_leaves_open_is_asked_about_once(qtbot, make_window, tmp_path):
    fits.PrimaryHDU(np.zeros((5, 6, 7), np.float32)).writeto(tmp_path / "plain.fits")
    window = make_window([tmp_path / "plain.fits"])
    told = window.session.notices
    qtbot.waitUntil(lambda: bool(window.findChildren(Form)), timeout=20_000)
    [form] = window.findChildren(Form)
    qtbot.waitUntil(lambda: any("Spectral Axis" in text for _, text in told), timeout=20_000)
    for name, text in (("unit", "um"), ("first", "1.0"), ("step", "0.1")):
        field = form.fields[name]
        widget = field if isinstance(field, QLineEdit) else getattr(field, "widget", field)
        editor = widget if isinstance(widget, QLineEdit) else widget.findChild(QLineEdit)
        editor.setFocus()
        qtbot.keyClicks(editor, text)
    qtbot.mouseClick(form.run_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.session["plain"].axis.unit == "um", timeout=10_000)
    assert np.allclose(window.session["plain"].axis.values, 1 + 0.1 * np.arange(5))
    told.clear()
    window.session.open(tmp_path / "plain.fits")
    cubes = lambda: [viewer for viewer in window.viewers if viewer.kind == "cube"]  # noqa: E731
    qtbot.waitUntil(lambda: len(cubes()) == 2 and all(v.is_sharp for v in cubes()), timeout=20_000)
    assert not any("Spectral Axis" in text for _, text in told)
    assert not [form for form in window.findChildren(Form) if form.isVisible()]
    assert np.allclose(window.session.data[-1].axis.values, 1 + 0.1 * np.arange(5))


def test_a_question_that_was_closed_is_not_asked_again(qtbot, make_window, tmp_path):
    fits.PrimaryHDU(np.zeros((5, 6, 7), np.float32)).writeto(tmp_path / "plain.fits")
    window = make_window([tmp_path / "plain.fits"])
    qtbot.waitUntil(lambda: bool(window.findChildren(Form)), timeout=20_000)
    qtbot.keyClick(window.findChildren(Form)[0], Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not window.findChildren(Form))
    [data] = window.session.open(tmp_path / "plain.fits")
    live = window.session.cube_spectra
    qtbot.waitUntil(lambda: data in live.cubes() and bool(live.reader(data)), timeout=20_000)
    qtbot.wait(50)
    assert not window.findChildren(Form)


def test_a_file_that_another_program_changes_is_told_in_the_window(qtbot, tmp_path):
    path = tmp_path / "cube.fits"
    fits.PrimaryHDU(np.ones((5, 6, 7), np.float32)).writeto(path)
    window = jviz.launch([str(path)], show=True)
    qtbot.addWidget(window)
    qtbot.waitUntil(lambda: len(window.viewers) > 0 and window.viewers[0].is_sharp, timeout=30_000)
    window.file_clock.look()
    qtbot.waitUntil(lambda: window.file_clock._job.is_over)
    os.utime(path, ns=(5, 5))
    window.file_clock.look()
    qtbot.waitUntil(lambda: any("was changed by another" in text for _, text in window.session.notices), timeout=10_000)
    window.close_at_once()


def test_errors_that_are_not_what_they_are_called_are_asked_about(qtbot, make_window, tmp_path):
    from tests.model.test_cube_operations import cube_header

    noise = np.random.default_rng(1).normal(0, 13.0, (20, 12, 14)).astype("f4")
    header = cube_header(20)
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(noise, header, name="SCI"),
                  fits.ImageHDU(np.full_like(noise, 169.0), name="ERR")]).writeto(tmp_path / "odd.fits")  # fmt: skip
    window = make_window([tmp_path / "odd.fits"])
    qtbot.waitUntil(lambda: bool(window.findChildren(Form)), timeout=60_000)
    [form] = window.findChildren(Form)
    qtbot.mouseClick(form.run_button, Qt.MouseButton.LeftButton)
    plane = lambda: window.session["odd"].product.planes["ERR"]  # noqa: E731
    qtbot.waitUntil(lambda: plane().meaning == "variance", timeout=60_000)
