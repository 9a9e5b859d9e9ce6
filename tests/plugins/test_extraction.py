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
    panel.edges["light", 1].setValue(5)
    assert panel.edges["light", 0].value() == -5
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


@pytest.mark.parametrize(("turned", "traced"), [(False, False), (True, False), (False, True)])
def test_edges_are_dragged_on_the_image_and_the_spectrum_follows(
    panel, context, session, tmp_path, qtbot, turned, traced
):
    from PySide6.QtCore import QPoint, QPointF

    from jviz.viewers.image import ImageViewer

    y, x = np.mgrid[:30, :120]
    values = 50 * np.exp(-0.5 * ((y - 14) / 1.3) ** 2) + 2.0
    header = fits.Header({"TELESCOP": "JWST", "INSTRUME": "NIRSPEC", "DATAMODL": "SlitModel"})
    waves = 1 + 0.01 * x
    hdus = [fits.PrimaryHDU(header=header), fits.ImageHDU((values.T if turned else values).astype("f4"), name="SCI"),
            fits.ImageHDU(waves.T if turned else waves, name="WAVELENGTH")]  # fmt: skip
    hdus[1].header.update(BUNIT="DN/s", DISPAXIS=2 if turned else 1)
    fits.HDUList(hdus).writeto(tmp_path / "slit_cal.fits")
    [slit] = session.open(tmp_path / "slit_cal.fits")
    view = activate(context, session, slit)
    viewer = ImageViewer(session, view)
    qtbot.addWidget(viewer)
    viewer.resize(700, 700)
    viewer.show()
    qtbot.waitUntil(lambda: viewer.is_sharp)
    if traced:  # its path is a region, which must not take the presses on the edges
        qtbot.mouseClick(panel.find, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: "trace" in session.subsets)
    panel.background.setChecked(True)
    shown(panel, qtbot)
    qtbot.waitUntil(lambda: extraction_shown(session).current.windows == ((-10.0, -6.0), (6.0, 10.0)))

    def place(along, across):
        at = (across, along) if turned else (along, across)
        u, v = viewer.geometry_now().to_screen(*map(float, at))
        return (QPointF(float(u), float(v)) + viewer.frame_now().picture.topLeft()).toPoint()

    def drag(start, end, held=Qt.KeyboardModifier.NoModifier):
        qtbot.mouseMove(viewer, start)
        qtbot.mousePress(viewer, Qt.MouseButton.LeftButton, held, pos=start)
        for share in (0.4, 0.8, 1.0):
            qtbot.mouseMove(viewer, QPoint(round(start.x() + share * (end.x() - start.x())),
                                           round(start.y() + share * (end.y() - start.y()))))  # fmt: skip
            viewer.repaint()  # while the edge is held
        qtbot.mouseRelease(viewer, Qt.MouseButton.LeftButton, pos=end)

    drag(place(60, 17), place(60, 18.5))
    assert panel.edges["light", 1].value() == pytest.approx(4.5, abs=0.25)
    drag(place(40, 4), place(40, 2))
    assert panel.edges["below", 0].value() == pytest.approx(-12, abs=0.4)
    assert panel.edges["above", 1].value() == -panel.edges["below", 0].value()
    qtbot.waitUntil(lambda: extraction_shown(session).current.bands == panel.bands)
    light = 50 * 1.3 * np.sqrt(2 * np.pi)
    assert np.median(shown(panel, qtbot).y) == pytest.approx(light, rel=0.01)
    both = panel.bands
    drag(place(60, 14 + both["light"][1]), place(60, 20), Qt.KeyboardModifier.ShiftModifier)
    assert not panel.alike.isChecked()
    assert panel.bands == both | {"light": (both["light"][0], pytest.approx(6, abs=0.25))}
    drag(place(30, 14 + both["below"][1]), place(30, 7))  # from now on each edge goes alone
    assert panel.bands["above"] == both["above"]
    assert panel.bands["below"] == (both["below"][0], pytest.approx(-7, abs=0.25))
    qtbot.waitUntil(lambda: extraction_shown(session).current.bands == panel.bands)
    curve = shown(panel, qtbot)
    history = len(session.data)
    qtbot.mouseClick(panel.extract, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(session.data) == history + 1)
    np.testing.assert_allclose(session.data[-1].samples[0].flux, curve.y, rtol=1e-6)
    assert "edges=(" in session.script()
    before, kept = view.centre, panel.bands
    drag(place(90, 28), place(80, 22))  # beside all edges the picture is moved as ever
    assert panel.bands == kept
    assert view.centre != before
    viewer.release()
