"""Region files that leave something to their image: sizes of the other kind, linear coordinates, the field of CIAO."""

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.wcs import WCS

import jviz
from jviz.backend.regions.ds9 import parse_ds9

SIDE, SCALE = 64, 0.2


@pytest.fixture
def session(tmp_path):
    session = jviz.Session(settings={})
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.crpix = ["RA---TAN", "DEC--TAN"], [150.0, 2.0], [32.5, 32.5]
    wcs.wcs.cdelt = [-SCALE / 3600, SCALE / 3600]
    header = wcs.to_header()
    header.update({"LTM1_1": 0.5, "LTM2_2": 0.5, "LTV1": 10.0, "LTV2": 0.0})
    fits.PrimaryHDU(np.ones((SIDE, SIDE), np.float32), header).writeto(tmp_path / "sky.fits")
    linear = fits.Header({"CTYPE1": "X", "CTYPE2": "Y", "CRPIX1": 1.0, "CRPIX2": 1.0, "CRVAL1": 100.0, "CRVAL2": -5.0,
                          "CDELT1": 2.0, "CDELT2": -0.5})  # fmt: skip
    fits.PrimaryHDU(np.ones((SIDE, SIDE), np.float32), linear).writeto(tmp_path / "plain.fits")
    session.open(tmp_path / "sky.fits")
    session.open(tmp_path / "plain.fits")
    yield session
    session.close()


@pytest.fixture
def imported(session, tmp_path):
    def read(text, data="sky"):
        (tmp_path / "a.reg").write_text(text)
        return [s.region for s in session.run("region.import_file", path=str(tmp_path / "a.reg"), data=data)]

    return read


def test_sizes_in_arcseconds_round_pixels(imported):
    circle, box, physical = imported(
        "image\ncircle(21,31,2\")\nbox(21,31,0.1',2\",30)\nphysical\nellipse(40,60,1\",2\",10)\n"
    )
    assert circle.center.xy == (20, 30)
    assert circle.radius == pytest.approx(2 / SCALE, rel=1e-5)
    assert (box.width, box.height, box.angle.to_value("deg")) == pytest.approx((6 / SCALE, 2 / SCALE, 30), rel=1e-5)
    assert physical.center.xy == pytest.approx((29, 29))
    assert (physical.width, physical.height) == pytest.approx((2 / SCALE, 4 / SCALE), rel=1e-5)
    assert not any("frame" in r.meta for r in (circle, box, physical))


def test_sizes_in_pixels_round_places_on_the_sky(imported):
    circle, box = imported("fk5\ncircle(150,2,5p)\nbox(150,2,10i,4i,20)\n")
    assert circle.center.fk5.ra.deg == pytest.approx(150)
    assert circle.radius.to_value("arcsec") == pytest.approx(5 * SCALE, rel=1e-5)
    assert box.width.to_value("arcsec") == pytest.approx(10 * SCALE, rel=1e-5)
    assert box.angle == 20 * u.deg


def test_linear_coordinates(imported, session):
    circle, box = imported("linear\ncircle(120,-10,1)\nbox(120,-10,8,2,0)\n", "plain")
    assert circle.center.xy == pytest.approx((10, 10))  # the pixel counted from 0
    assert circle.radius == pytest.approx(1)  # sqrt(1/2 · 2): the circle keeps its area
    assert (box.width, box.height) == pytest.approx((4, 4))
    assert len(imported("image\ncircle(3,3,2)\nlinear\ncircle(120,-10,1)\n")) == 1
    assert "left out 1 (linear coordinates, which the image does not have)" in session.notices[-1][1]


def test_wcs_is_fk5_as_in_ds9():
    [region], problems = parse_ds9("wcs\ncircle(150,2,1\")\n")
    assert (region.center.frame.name, problems) == ("fk5", [])
    assert parse_ds9("detector\ncircle(150,2,1\")\n")[1] == [(2, "detector coordinates")]


def test_rings_by_their_number():
    found, problems = parse_ds9(
        "image\nannulus(30,30,2,10,n=4)\nellipse(30,30,2,1,10,5,n=2,20)\nfk5\nbox(150,2,2\",1\",6\",3\",n=2,20)\n"
        "annulus(150,2,1\",2\",3\",n=3)\nannulus(150,2,1\",2\",n=99999)\n"
    )
    assert [n for n, _ in problems] == [6, 7]
    assert [(r.inner_radius, r.outer_radius) for r in found[:4]] == [(2, 4), (4, 6), (6, 8), (8, 10)]
    assert [(r.inner_width, r.outer_width, r.angle.value) for r in found[4:6]] == [(4, 12, 20), (12, 20, 20)]
    [text], _ = parse_ds9("image\ntext(4,4,{where n = 4})\n")
    assert text.text == "where n = 4"
    assert [r.outer_width.to_value("arcsec") for r in found[6:]] == pytest.approx([4, 6])


def test_the_field_of_ciao_less_a_circle(session, imported):
    [region] = imported("image\nfield()-circle(20,20,5.2)\n")
    [name] = session.subsets
    found = session.run("region.statistics", data="sky", region=name)
    y, x = np.mgrid[:SIDE, :SIDE]
    assert found["n_pixels"][0] == np.count_nonzero((x - 19) ** 2 + (y - 19) ** 2 > 5.2**2)
    assert region.region1.region1.width == SIDE


def test_a_sector_without_radii_ends_at_the_edges(session, imported):
    imported("image\nsector(11.2,21.3,10,80)\n")
    [name] = session.subsets
    found = session.run("region.statistics", data="sky", region=name)
    y, x = np.mgrid[:SIDE, :SIDE]
    angle = np.degrees(np.arctan2(y - 20.3, x - 10.2))
    assert found["n_pixels"][0] == np.count_nonzero((angle > 10) & (angle < 80))


def test_without_an_image_they_are_told_and_the_rest_is_kept(tmp_path):
    session = jviz.Session(settings={})
    (tmp_path / "a.reg").write_text("image\ncircle(9,9,2)\ncircle(9,9,2\")\nfield()\n")
    session.run("region.import_file", path=str(tmp_path / "a.reg"))
    assert len(session.subsets) == 1
    assert "left out 2" in session.notices[-1][1]
    assert "need an image with world coordinates" in session.notices[-1][1]
    session.close()


def test_shapes_that_cannot_be_scaled_later_are_told_by_their_line():
    found, problems = parse_ds9(
        'image\npanda(9,9,0,90,1,2",4,1)\nellipse(9,9,2",3)\nfk5\nsector(150,2,0,90,3)\nimage\n'
        'field()-circle(9:00:00,2:00:00,5")\n'
    )
    assert (len(found), [n for n, _ in problems]) == (0, [2, 3, 5, 7])
