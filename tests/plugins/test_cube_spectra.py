"""The panel of live spectra of cubes: statistic, background and keeping, by hand."""

import numpy as np
import pytest
from astropy.io import fits
from PySide6.QtCore import Qt
from regions import CirclePixelRegion, PixCoord

from jviz.viewers.spectrum.viewer import SpectrumViewer

N, NY, NX = 30, 14, 16


@pytest.fixture
def values():
    return np.random.default_rng(2).normal(5, 1, (N, NY, NX)).astype(np.float32)


@pytest.fixture
def cube(session, tmp_path, values, qtbot):
    header = fits.Header({"CTYPE3": "WAVE", "CRVAL3": 5.0, "CDELT3": 0.1, "CUNIT3": "um", "BUNIT": "Jy/beam"})
    fits.PrimaryHDU(values, header).writeto(tmp_path / "cube.fits")
    [cube] = session.open(tmp_path / "cube.fits")
    view = session.view("cube", data=cube)
    plot = SpectrumViewer(session, session.view("spectrum"))
    qtbot.addWidget(plot)
    session.subset("core", CirclePixelRegion(PixCoord(5, 6), 2), data=cube)
    session.subset("sky", CirclePixelRegion(PixCoord(12, 6), 2), data=cube)
    qtbot.waitUntil(lambda: len(session.live_spectra.shown) == 2, timeout=20_000)
    yield cube
    session.run("view.close", view=view)
    plot.release()


def flux(session, name):
    return next(live.samples.flux for live in session.live_spectra.shown if live.name == name)


def share(x, y, radius):
    return CirclePixelRegion(PixCoord(x, y), radius).to_mask(mode="exact").to_image((NY, NX))


def test_it_says_what_it_is_for_until_there_is_a_cube(make_panel):
    panel = make_panel("cube_spectra")
    assert panel.is_empty()
    assert "Open a cube" in panel._empty.text()


def pick(qtbot, box, text):
    """Choose an entry as a hand does: with the keys."""
    box.setFocus()
    box.showPopup()
    box.view().setCurrentIndex(box.model().index(box.findText(text), 0))
    qtbot.keyClick(box.view(), Qt.Key.Key_Return)


def test_statistic_and_background_are_those_of_the_numbers(make_panel, session, cube, values, qtbot):
    panel = make_panel("cube_spectra", (320, 420))
    qtbot.waitUntil(lambda: panel.list.count() == 2)
    core, sky = share(5, 6, 2), share(12, 6, 2)
    pick(qtbot, panel.statistic, "Sum")
    expected = (values * core).sum(axis=(1, 2))
    qtbot.waitUntil(lambda: np.allclose(flux(session, "core"), expected, rtol=1e-5), timeout=10_000)
    pick(qtbot, panel.background, "sky")
    expected = expected - (values * sky).sum(axis=(1, 2)) / sky.sum() * core.sum()
    qtbot.waitUntil(lambda: np.allclose(flux(session, "core"), expected, rtol=1e-4), timeout=10_000)
    panel.list.item(0).setSelected(True)
    qtbot.mouseClick(panel.keep, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: any(data.kind == "spectrum" for data in session.data), timeout=10_000)
    [made] = [data for data in session.data if data.kind == "spectrum"]
    assert np.allclose(made.samples[0].flux, expected, rtol=1e-4)
    assert 'background="sky"' in session.script().replace("'", '"')
    session.undo()
    assert [data.kind for data in session.data] == ["cube"]


def test_ring_and_cone_are_chosen_by_hand_and_kept(make_panel, session, cube, values, qtbot):
    panel = make_panel("cube_spectra", (340, 440))
    qtbot.waitUntil(lambda: panel.list.count() == 2)
    pick(qtbot, panel.background, "Ring round each")
    qtbot.waitUntil(lambda: panel.sizes.isVisible())
    ring = share(5, 6, 4) - share(5, 6, 3)
    core = share(5, 6, 2)
    expected = (values * core).sum(axis=(1, 2)) / core.sum() - (values * ring).sum(axis=(1, 2)) / ring.sum()
    qtbot.waitUntil(lambda: np.allclose(flux(session, "core"), expected, atol=1e-4), timeout=10_000)
    panel.outer.setFocus()
    panel.outer.selectAll()
    qtbot.keyClicks(panel.outer, "2.5")
    qtbot.keyClick(panel.outer, Qt.Key.Key_Return)
    assert session.cube_spectra.ring == (1.5, 2.5)
    qtbot.mouseClick(panel.cone, Qt.MouseButton.LeftButton, pos=panel.cone.rect().center() * 0.2)
    assert session.cube_spectra.cone
    assert session.cube_spectra.reference == pytest.approx(6.6)  # the middle channel
    factors = (5.1 + 0.1 * np.arange(N)) / 6.6
    grown = []
    for channel, factor in zip(values, factors, strict=True):
        inside, round_it = share(5, 6, 2 * factor), share(5, 6, 5 * factor) - share(5, 6, 3 * factor)
        grown.append((channel * inside).sum() / inside.sum() - (channel * round_it).sum() / round_it.sum())
    qtbot.waitUntil(lambda: np.allclose(flux(session, "core"), grown, atol=1e-4), timeout=10_000)
    panel.list.item([panel.list.item(k).text() for k in range(2)].index("core")).setSelected(True)
    qtbot.mouseClick(panel.keep, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: any(data.kind == "spectrum" for data in session.data), timeout=10_000)
    [made] = [data for data in session.data if data.kind == "spectrum"]
    np.testing.assert_allclose(made.samples[0].flux, grown, atol=1e-4)
    assert "ring=(1.5, 2.5)" in session.script()
    pick(qtbot, panel.background, "None")
    assert session.cube_spectra.ring is None
    qtbot.waitUntil(lambda: not panel.sizes.isVisible())
