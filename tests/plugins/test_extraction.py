"""The panel of extractions: live spectrum, windows on the image, and the same by commands."""

import numpy as np
import pytest
from astropy.io import fits
from PySide6.QtCore import Qt

from jviz.extraction import extraction_shown


@pytest.fixture
def slit(session, tmp_path):
    y, x = np.mgrid[:30, :120]
    values = 50 * np.exp(-0.5 * ((y - 14) / 1.3) ** 2) + 2.0
    header = fits.Header({"TELESCOP": "JWST", "INSTRUME": "NIRSPEC", "DATAMODL": "SlitModel"})
    hdus = [fits.PrimaryHDU(header=header), fits.ImageHDU(values.astype("f4"), name="SCI")]
    hdus += [
        fits.ImageHDU(np.ones(x.shape, "f4"), name="ERR"),
        fits.ImageHDU(1 + 0.01 * x + 0.001 * y, name="WAVELENGTH"),
    ]
    hdus[1].header.update(BUNIT="DN/s", DISPAXIS=1)
    fits.HDUList(hdus).writeto(tmp_path / "slit_cal.fits")
    return session.open(tmp_path / "slit_cal.fits")[0]


@pytest.fixture
def panel(make_panel):
    return make_panel("extraction")


def shown(panel, qtbot):
    qtbot.waitUntil(lambda: "spectrum" in panel.picture.curves and not panel._newest.is_busy)
    return panel.picture.curves["spectrum"]


def activate(context, session, data):
    view = session.view("image", data=data.name)
    context.activate(view)
    return view


def test_it_says_what_it_is_for_until_there_is_a_2d_spectrum(panel, context, session, view):
    context.activate(view)
    assert panel.is_empty()
    assert "2-D spectrum" in panel._empty.text()


def test_the_spectrum_follows_width_and_background(panel, context, session, slit, qtbot):
    activate(context, session, slit)
    curve = shown(panel, qtbot)
    light = 50 * 1.3 * np.sqrt(2 * np.pi)
    np.testing.assert_allclose(curve.x, 1 + 0.01 * np.arange(120) + 0.001 * 14, rtol=1e-6)
    assert np.median(curve.y) == pytest.approx(light + 12, rel=0.03)
    panel.width_box.setValue(10)
    qtbot.waitUntil(lambda: np.median(panel.picture.curves["spectrum"].y) == pytest.approx(light + 20, rel=0.01))
    panel.background.setChecked(True)
    qtbot.waitUntil(lambda: np.median(panel.picture.curves["spectrum"].y) == pytest.approx(light, rel=0.01))
    assert extraction_shown(session).current.windows == ((-10.0, -6.0), (6.0, 10.0))
    panel.hide()
    assert extraction_shown(session).current is None


def test_a_moved_trace_is_followed(panel, context, session, slit, qtbot):
    activate(context, session, slit)
    before = shown(panel, qtbot)
    qtbot.mouseClick(panel.find, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "trace" in session.subsets)
    subset = session.subsets["trace"]
    moved = subset.region.copy()
    moved.vertices.y[:] += 9
    session.set_subsets({"trace": subset.but(region=moved)})  # as a drag does at every move
    qtbot.waitUntil(lambda: np.median(panel.picture.curves["spectrum"].y) < 0.2 * np.median(before.y))
    np.testing.assert_allclose(extraction_shown(session).current.centre, 23, atol=0.1)


def test_the_button_makes_what_was_shown(panel, context, session, slit, qtbot):
    activate(context, session, slit)
    panel.method.setCurrentIndex(panel.method.findData("horne"))
    panel.background.setChecked(True)
    qtbot.waitUntil(lambda: bool(getattr(extraction_shown(session).current, "windows", ())))
    qtbot.waitUntil(lambda: not panel._newest.is_busy)
    curve = panel.picture.curves["spectrum"]
    qtbot.mouseClick(panel.extract, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(session.data) == 2)
    np.testing.assert_allclose(session.data[-1].samples[0].flux, curve.y, rtol=1e-6)
    assert "spectrum2d.extract" in session.script()
    session.undo()
    assert len(session.data) == 1


def test_a_trace_beside_the_image_is_said(panel, context, session, slit, qtbot):
    activate(context, session, slit)
    shown(panel, qtbot)
    session.run("spectrum2d.trace", data=slit, points=500.0, name="far")
    qtbot.waitUntil(lambda: panel.trace.findData("far") > 0)
    panel.trace.setCurrentIndex(panel.trace.findData("far"))
    qtbot.waitUntil(lambda: "outside of the image" in panel.note.text())
    assert not panel.extract.isEnabled()
