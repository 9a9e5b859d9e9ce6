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


def test_several_bands_are_measured_at_once(panel, session, qtbot):
    other = np.asarray(session["stars"].plane().read()) * 2
    session.add(CCDData(other, unit="uJy"), name="twice")
    panel.tabs.setCurrentWidget(panel.bands)
    qtbot.waitUntil(lambda: panel.bands.bands.count() == 1)
    item = panel.bands.bands.item(0)
    rect = panel.bands.bands.visualItemRect(item)
    panel.bands.bands.setFocus()
    qtbot.mouseClick(panel.bands.bands.viewport(), Qt.MouseButton.LeftButton, pos=rect.center())
    qtbot.keyClick(panel.bands.bands, Qt.Key.Key_Space)
    assert panel.bands.chosen() == ["twice"]
    panel.bands.snr.setValue(10)
    qtbot.mouseClick(panel.bands.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "2 bands" in session.names, timeout=60_000)
    table = session["2 bands"].table
    assert len(table) == 3
    np.testing.assert_allclose(table["flux_twice"] / table["flux_stars"], 2, rtol=0.02)
    session.undo()
    assert session.names == ["stars", "twice"]


def test_flags_edges_and_vega_are_fields(panel, session, qtbot):
    panel.aperture.vega.setText("0.4")
    panel.aperture.flags.setText("none")
    session.subset("core", CirclePixelRegion(PixCoord(60, 50), 8), data="stars")
    qtbot.waitUntil(lambda: "Vega magnitude" in said(panel))
    ab, vega = (float(said(panel)[f"{name} magnitude"].split()[0]) for name in ("AB", "Vega"))
    assert ab - vega == pytest.approx(0.4, abs=2e-3)
    assert panel.aperture.options()["exclude_flags"] == []
    session.add(np.full((150, 160), 3.0), name="threefold")
    errors = panel.aperture.error
    qtbot.waitUntil(lambda: errors.findData("threefold") > 0)
    before = float(said(panel)["Flux"].split()[2])
    errors.setCurrentIndex(errors.findData("threefold"))
    qtbot.waitUntil(lambda: float(said(panel)["Flux"].split()[2]) == pytest.approx(3 * before, rel=0.05))
    qtbot.mouseClick(panel.aperture.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(list(session.results)))
    assert list(session.results)[-1].value["flux_err"][0].value == pytest.approx(3e-6 * np.sqrt(np.pi * 64), rel=0.04)
    turn(panel, qtbot, panel.detect)
    panel.detect.snr.setValue(10)
    panel.detect.box.setValue(30)
    panel.detect.edge.setValue(40)  # one of three stars is nearer to the edge
    qtbot.waitUntil(lambda: panel.detect.note.text() == "2 sources in sight")


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


def test_isophotes_are_fitted_with_the_numbers_of_the_tab(panel, session, qtbot):
    y, x = np.mgrid[:90, :90]
    session.add(CCDData(100 * np.exp(-np.hypot(x - 45, (y - 44) / 0.7) / 9), unit="uJy"), name="galaxy")
    view = session.view("image", data="galaxy")
    panel.context.activate(view)
    tab = panel.isophotes
    panel.tabs.setCurrentWidget(tab)
    tab.centre.setText("46, 43")
    tab.maximum.setText("25")
    qtbot.mouseClick(tab.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "galaxy isophotes" in session.names, timeout=60_000)
    table = session["galaxy isophotes"].table
    rows = table[(table["sma"].value > 5) & (table["sma"].value < 20)]
    assert np.allclose(rows["ellipticity"], 0.3, atol=0.02)
    assert "galaxy residual" in session.names
    qtbot.mouseClick(tab.copier, Qt.MouseButton.LeftButton)
    assert "center=(46.0, 43.0), maximum=25.0" in QGuiApplication.clipboard().text()
    # The ellipses of the table are drawn now; those of the preview come back with the next turn of a number.
    qtbot.waitUntil(lambda: not panel._newest.is_busy, timeout=60_000)
    assert photometry_shown(session).current is None

    def reaches(most):
        shown = photometry_shown(session).current
        return shown is not None and most - 4 < shown.ellipses[:, 2].max() < most and not panel._newest.is_busy

    for maximum in ("24", "12"):
        tab.maximum.setText(maximum)
        qtbot.waitUntil(lambda maximum=maximum: reaches(1.05 * float(maximum)), timeout=60_000)
    assert "ellipticity 0.3" in tab.note.text()
    tab.live.click()
    qtbot.waitUntil(lambda: photometry_shown(session).current is None)
    assert "cursor on a galaxy" in tab.note.text()
    tab.maximum.setText("wide")
    qtbot.mouseClick(tab.button, Qt.MouseButton.LeftButton)
    assert "wide" in panel.context.notices[-1].text
