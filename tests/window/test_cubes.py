"""Cubes in the window: opened in a viewer of their own, with their menu, and asked about what the file leaves open."""

import numpy as np
import pytest
from astropy.io import fits
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit

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


def test_an_axis_that_the_file_leaves_open_is_asked_about_once(qtbot, make_window, tmp_path):
    fits.PrimaryHDU(np.zeros((5, 6, 7), np.float32)).writeto(tmp_path / "plain.fits")
    window = make_window([tmp_path / "plain.fits"])
    told = window.session.notices
    qtbot.waitUntil(lambda: bool(window.findChildren(Form)), timeout=20_000)
    [form] = window.findChildren(Form)
    assert any("Spectral Axis" in text for _, text in told)
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
    window.session.open(tmp_path / "plain.fits")
    live = window.session.cube_spectra
    qtbot.waitUntil(lambda: len(live.cubes()) == 2 and all(map(live.reader, live.cubes())), timeout=20_000)
    qtbot.wait(50)
    assert not window.findChildren(Form)
