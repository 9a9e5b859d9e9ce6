"""The windows of an extraction on the picture, and the wavelength in the read-out."""

import numpy as np
import pytest
from astropy.io import fits
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QWidget

from jviz.extraction import Extraction, extraction_shown
from jviz.viewers.readout import read_out


@pytest.fixture
def slit(session, tmp_path):
    y, x = np.mgrid[:60, :80]
    header = fits.Header({"TELESCOP": "JWST", "INSTRUME": "NIRSPEC", "DATAMODL": "SlitModel"})
    hdus = [fits.PrimaryHDU(header=header), fits.ImageHDU(np.zeros(x.shape, "f4"), name="SCI")]
    hdus += [fits.ImageHDU(np.where(y < 50, 2 + 0.01 * x + 0.002 * y, np.nan), name="WAVELENGTH")]
    fits.HDUList(hdus).writeto(tmp_path / "slit_cal.fits")
    return session.open(tmp_path / "slit_cal.fits")[0]


def test_the_read_out_tells_the_wavelength_of_tilted_lines(session, slit):
    view = session.view("image", data=slit.name)
    assert read_out(view, 10.5, 20.0).spectral == "2.145 µm"
    assert "2.145 µm" in read_out(view, 10.5, 20.0).text
    for x, y in ((10, 55), (-5, 3), (200, 3)):
        assert read_out(view, x, y).spectral == ""


def color_at(viewer, x, y):
    geometry, frame = viewer.geometry_now(), viewer.frame_now()
    u, v = geometry.to_screen(x, y)
    return viewer.grab().pixelColor(round(u + frame.picture.left()), round(v + frame.picture.top()))


def test_bands_and_edges_are_drawn_where_they_are(qtbot, session, slit, show):
    viewer = show(slit, size=(640, 480))
    plain = {place: color_at(viewer, *place) for place in ((40, 45), (40, 33), (40, 27), (40, 30), (40, 5))}
    bands = {"light": (-3.0, 3.0), "above": (10.0, 20.0)}
    extraction_shown(session).show(Extraction(slit, np.full(80, 30.0), False, bands))
    band = color_at(viewer, 60, 47)
    assert band.red() > plain[40, 45].red() - 60
    assert band.red() > band.blue()
    for row in (27, 33):
        edge = color_at(viewer, 40, row)
        assert edge.green() > edge.red() + 40
        assert edge.green() > edge.blue() + 40
    assert color_at(viewer, 40, 5) == plain[40, 5]
    extraction_shown(session).show(None)
    assert {place: color_at(viewer, *place) for place in plain} == plain


def test_a_wavelength_lies_on_a_tilted_line():
    from jviz.viewers.overlays.wavelength import places_of

    y, x = np.mgrid[:60, :80]
    plane = np.where(y < 50, 2 + 0.01 * x + 0.002 * y, np.nan)
    columns, rows = places_of(plane, 2.4)
    np.testing.assert_allclose(columns[rows < 50], (2.4 - 2 - 0.002 * rows[rows < 50]) / 0.01)
    assert np.isnan(columns[rows >= 50]).all()
    up, across = places_of(plane.T, 2.4)[::-1]
    np.testing.assert_allclose(up[across < 50], columns[rows < 50])


def test_the_cursor_in_a_spectrum_is_a_line_over_the_image_and_back(qtbot, session, slit, show):
    from jviz.backend.spectra.axis import SpectralAxis
    from jviz.backend.spectra.samples import Samples
    from jviz.spectral import made_spectrum
    from jviz.viewers.spectrum.viewer import SpectrumViewer

    image = show(slit, size=(640, 480))
    plain = color_at(image, 40, 10)
    x = np.linspace(20000, 30000, 200)
    axis = SpectralAxis(x, "Angstrom", "wavelength", medium="vacuum")
    session.add(made_spectrum(Samples(axis, np.ones(200), "Jy"), "s", "s"))
    plot = SpectrumViewer(session, session.view("spectrum", data="s"))
    qtbot.addWidget(plot)
    plot.resize(640, 420)
    plot.show()
    qtbot.waitUntil(lambda: plot.is_sharp)
    scene = plot.scene_now()
    at = QPointF(float(scene.x.place(24200.0)), scene.picture.center().y())
    none = Qt.MouseButton.NoButton
    QApplication.sendEvent(plot, QMouseEvent(QEvent.Type.MouseMove, at, at, none, none, Qt.KeyboardModifier.NoModifier))
    value = session.pointer.spectral[1]
    row = 8.0
    column = (value / 1e4 - 2 - 0.002 * row) / 0.01
    colours = [color_at(image, column, r) for r in np.arange(row - 3, row + 3, 0.25)]
    assert any(c.blue() > plain.blue() + 40 for c in colours)
    before = QWidget.grab(plot).toImage()
    session.pointer.move(image.state, 40.0, 10.0)
    qtbot.waitUntil(lambda: plot._pointed is not None)
    assert plot._pointed == pytest.approx(2.42)
    assert QWidget.grab(plot).toImage() != before
    session.pointer.move(None)
    session.pointer.move_spectral(None)
