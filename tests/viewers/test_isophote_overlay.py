"""Ellipses of isophotes over the image: where they are, through the sky, hidden, selected."""

import numpy as np
import pytest
from astropy.nddata import CCDData
from astropy.table import QTable
from astropy.wcs import WCS


def sky_of(scale, x, y):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.crpix = ["RA---TAN", "DEC--TAN"], [150.0, 2.0], [x + 1, y + 1]
    wcs.wcs.cdelt = [-scale, scale]
    return wcs


@pytest.fixture
def ellipses(session):
    image = session.add(CCDData(np.zeros((100, 100), np.float32), unit="Jy", wcs=sky_of(1e-4, 50, 50)), name="galaxy")
    rows = {"sma": [10.0, 30.0], "ellipticity": [0.0, 0.5], "pa": [0.0, 90.0], "x0": [50.0, 50.0], "y0": [50.0, 50.0]}
    table = session.add(QTable(rows), name="isophotes")
    view = session.view("table", data=table)
    view.layers[0].update(image=image, color="#ff0000")
    return view


def is_red(viewer, x, y, reach=2):
    geometry, frame, image = viewer.geometry_now(), viewer.frame_now(), viewer.grab()
    u, v = geometry.to_screen(x, y)
    for dx in range(-reach, reach + 1):
        for dy in range(-reach, reach + 1):
            colour = image.pixelColor(int(u + frame.picture.left()) + dx, int(v + frame.picture.top()) + dy)
            if colour.red() > 100 and colour.green() < colour.red() / 3:
                return True
    return False


def test_ellipses_lie_where_their_numbers_say(show, session, ellipses):
    viewer = show(session["galaxy"])
    for x, y in ((60, 50), (50, 40), (50, 80), (50, 20), (65, 50), (35, 50)):
        assert is_red(viewer, x, y), (x, y)
    for x, y in ((80, 50), (50, 65), (50, 90)):
        assert not is_red(viewer, x, y), (x, y)
    viewer.state.catalog_marks = False
    assert not is_red(viewer, 60, 50)


def test_a_switch_hides_them_and_a_filter_leaves_some(show, session, ellipses):
    viewer = show(session["galaxy"])
    ellipses.filter = "sma > 20"
    assert is_red(viewer, 50, 80)
    assert not is_red(viewer, 60, 50)
    ellipses.layers[0].on_images = False
    assert not is_red(viewer, 50, 80)


def test_on_another_image_they_lie_where_the_sky_says(show, session, ellipses):
    other = session.add(CCDData(np.zeros((60, 60), np.float32), unit="Jy", wcs=sky_of(2e-4, 30, 30)), name="coarse")
    viewer = show(other)
    assert is_red(viewer, 30, 45)
    assert is_red(viewer, 37.5, 30)
    assert not is_red(viewer, 30, 36.9)


def test_without_a_sky_they_stay_on_their_own_image(show, session, ellipses):
    viewer = show(session.add(np.zeros((100, 100), np.float32), name="bare"))
    assert not is_red(viewer, 60, 50)


def test_a_selected_ellipse_has_the_colour_of_the_selection(show, session, ellipses):
    viewer = show(session["galaxy"])
    session.run("catalog.select", data="isophotes", rows=[1])
    [subset] = session.subsets.values()
    session.set_subsets({subset.name: subset.but(color="#0000ff")})
    geometry, frame = viewer.geometry_now(), viewer.frame_now()
    u, v = geometry.to_screen(50.0, 80.0)
    image = viewer.grab()
    found = [image.pixelColor(int(u + frame.picture.left()), int(v + frame.picture.top()) + d) for d in range(-3, 4)]
    assert any(c.blue() > 180 and c.red() < 90 for c in found)
