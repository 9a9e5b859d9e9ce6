"""The windows of an extraction on the picture, and the wavelength in the read-out."""

import numpy as np
import pytest
from astropy.io import fits

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
    extraction_shown(session).show(Extraction(slit, np.full(80, 30.0), False, 6.0, ((10.0, 20.0),)))
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
