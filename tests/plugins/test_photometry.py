"""The panel of photometry: live numbers, previews over the image, and the same by commands."""

import numpy as np
import pytest
from astropy.nddata import CCDData, StdDevUncertainty
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from regions import CirclePixelRegion, PixCoord

from jviz.photometry_preview import photometry_shown

SIGMA = 1.6
STARS = ((60.0, 50.0, 4000.0), (100.3, 90.6, 9000.0), (30.0, 120.0, 6000.0))


@pytest.fixture
def stars(session, context):
    y, x = np.mgrid[:150, :160]
    values = np.random.default_rng(4).normal(10, 1, x.shape)
    for px, py, flux in STARS:
        values += flux / (2 * np.pi * SIGMA**2) * np.exp(-0.5 * ((x - px) ** 2 + (y - py) ** 2) / SIGMA**2)
    ccd = CCDData(values.astype("f4"), unit="uJy", uncertainty=StdDevUncertainty(np.ones_like(values)))
    session.add(ccd, name="stars")
    view = session.view("image", data="stars")
    view.viewport = (640, 600)
    context.activate(view)
    return view


@pytest.fixture
def panel(make_panel, stars):
    return make_panel("photometry")


def said(panel):
    return {name: label.text() for name, label in panel.aperture._said.items()}


def flux_of(panel):
    return float(said(panel)["Flux"].split()[0])


def turn(panel, qtbot, tab):
    panel.tabs.setCurrentWidget(tab)
    qtbot.waitUntil(lambda: photometry_shown(panel.session).current is not None and not panel._newest.is_busy)


def test_it_says_what_it_is_for_without_an_image(make_panel):
    panel = make_panel("photometry")
    assert panel.is_empty()
    assert "Open an image" in panel._empty.text()


def test_flux_and_growth_follow_a_dragged_region(panel, session, qtbot):
    qtbot.waitUntil(lambda: "Draw a circle" in panel.aperture.note.text())
    panel.aperture.ring.setText("12, 18")
    session.subset("core", CirclePixelRegion(PixCoord(60, 50), 8), data="stars")
    qtbot.waitUntil(lambda: "Flux" in said(panel))
    assert flux_of(panel) == pytest.approx(4000e-6, rel=0.02)  # Jy
    assert "AB magnitude" in said(panel)
    subset = session.subsets["core"]
    moved = subset.but(region=CirclePixelRegion(PixCoord(100.3, 90.6), 8))
    session.set_subsets({"core": moved})  # as a drag does at every move
    qtbot.waitUntil(lambda: flux_of(panel) == pytest.approx(9000e-6, rel=0.02))
    curve = panel.aperture.picture.curves["growth"]
    half = float(np.interp(0.5, curve.y / curve.y[-1], curve.x))
    assert half == pytest.approx(SIGMA * np.sqrt(2 * np.log(2)), abs=0.15)  # closed form of a Gaussian
    assert photometry_shown(session).current.ring == pytest.approx((100.3, 90.6, 12, 18), abs=0.02)
    panel.hide()
    assert photometry_shown(session).current is None


def test_the_button_measures_what_was_shown(panel, session, qtbot):
    session.subset("core", CirclePixelRegion(PixCoord(60, 50), 8), data="stars")
    panel.aperture.ring.setText("12, 18")
    qtbot.waitUntil(lambda: "Flux" in said(panel) and not panel._newest.is_busy)
    shown = flux_of(panel)
    qtbot.mouseClick(panel.aperture.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(list(session.results)))
    assert list(session.results)[-1].value["flux"][0].to_value("Jy") == pytest.approx(shown, rel=1e-3)
    qtbot.mouseClick(panel.aperture.copier, Qt.MouseButton.LeftButton)
    line = QGuiApplication.clipboard().text()
    assert line.startswith('session.run("photometry.aperture", data=')
    table = eval(line, {"session": session})
    assert table["flux"][0].to_value("Jy") == pytest.approx(shown, rel=1e-3)


def test_at_the_cursor(panel, stars, context, qtbot):
    panel.aperture.where.setCurrentIndex(panel.aperture.where.findData("cursor"))
    panel.aperture.radii.setText("4, 8")
    context.move_cursor(stars, 100.3, 90.6)
    qtbot.waitUntil(lambda: "Flux 2" in said(panel))
    context.move_cursor(None)
    assert len(photometry_shown(panel.session).current.circles) == 2
    assert panel.aperture.options()["positions"] == [(100.3, 90.6)]
    panel.aperture.radii.setText("four")
    qtbot.waitUntil(lambda: "four" in panel.aperture.note.text())


def test_sources_in_sight_follow_the_threshold(panel, session, qtbot):
    turn(panel, qtbot, panel.detect)
    panel.detect.snr.setValue(10)
    qtbot.waitUntil(lambda: panel.detect.note.text() == "3 sources in sight")
    rgba = photometry_shown(session).current.rgba
    for x, y, _ in STARS:
        assert rgba[round(y), round(x)] >> 24  # a veil is over each star
    assert not rgba[10, 10]
    panel.detect.snr.setValue(5000)
    qtbot.waitUntil(lambda: "no source" in panel.detect.note.text())
    panel.detect.snr.setValue(10)
    panel.detect.method.setCurrentIndex(panel.detect.method.findData("dao"))
    qtbot.waitUntil(lambda: getattr(photometry_shown(session).current, "marks", None) is not None)
    marks = photometry_shown(session).current.marks
    for x, y, _ in STARS:
        assert np.hypot(*(marks - (x, y)).T).min() < 0.2
    qtbot.mouseClick(panel.detect.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(session.data) == 2)
    assert "photometry.detect" in session.script()
    session.undo()
    assert len(session.data) == 1


def test_a_region_is_left_out(panel, session, qtbot):
    session.subset("mask", CirclePixelRegion(PixCoord(60, 50), 15), data="stars")
    turn(panel, qtbot, panel.detect)
    panel.detect.snr.setValue(10)
    panel.detect.mask.setCurrentIndex(panel.detect.mask.findData("mask"))
    qtbot.waitUntil(lambda: panel.detect.note.text() == "2 sources in sight")


def test_the_background_is_drawn_and_subtracted(panel, session, qtbot):
    turn(panel, qtbot, panel.background)
    panel.background.box.setValue(30)
    qtbot.waitUntil(lambda: panel.background.note.text().startswith("level 10") or
                    panel.background.note.text().startswith("level 9.9"))  # fmt: skip
    preview = photometry_shown(session).current
    assert preview.rgba.shape == (150, 160)
    assert preview.caption.startswith("Background")
    panel.background.subtract.setChecked(True)
    qtbot.mouseClick(panel.background.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(session.data) == 4)
    assert abs(np.median(session["stars less background"].plane().read())) < 0.1


def test_a_catalogue_is_made_and_its_rows_are_measured(panel, session, qtbot):
    turn(panel, qtbot, panel.catalog)
    panel.catalog.snr.setValue(10)
    qtbot.mouseClick(panel.catalog.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "stars catalogue" in session.names, timeout=60_000)
    panel.tabs.setCurrentWidget(panel.aperture)
    qtbot.waitUntil(lambda: panel.aperture.where.findData("stars catalogue") > 0)
    panel.aperture.where.setCurrentIndex(panel.aperture.where.findData("stars catalogue"))
    qtbot.waitUntil(lambda: said(panel) == {"Places": "3 of 3 on the image"})
    assert panel.aperture.options() == {"positions": "stars catalogue"}
