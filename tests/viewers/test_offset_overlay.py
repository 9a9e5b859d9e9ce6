"""Offsets as arrows over images: where they begin, in which direction they go, how long they are."""

import numpy as np
import pytest
from astropy import units as u
from astropy.nddata import CCDData
from astropy.table import QTable
from astropy.wcs import WCS

from jviz.catalogs import offsets_on, places_on, row_places
from jviz.errors import JvizError
from jviz.viewers.overlays.offsets import _offsets_of

RED = "#ff0000"


@pytest.fixture
def image(session):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.crpix = ["RA---TAN", "DEC--TAN"], [150.0, 60.0], [51, 51]
    wcs.wcs.cdelt = [-1e-4, 1e-4]
    return session.add(CCDData(np.zeros((100, 100), np.float32), unit="Jy", wcs=wcs), name="field")


@pytest.fixture
def pairs(session, image):
    x, y = np.array([20.0, 70.0]), np.array([30.0, 60.0])
    lon, lat = image.sky.pixel_to_sky(x, y)
    step = [0.036, 0.0] * u.arcsec
    table = {"ra": lon * u.deg, "dec": lat * u.deg, "residual_ra": step, "residual_dec": step[::-1]}
    data = session.add(QTable(table), name="pairs")
    session.run("catalog.arrows", data=data, scale=200)
    view = next(view for view in session.views.values() if view.kind == "table")
    view.layers[0].update(color=RED, size=1.0)
    return data


def is_red(viewer, x, y, reach=1):
    geometry, frame, image = viewer.geometry_now(), viewer.frame_now(), viewer.grab()
    u_, v = geometry.to_screen(x, y)
    near = [image.pixelColor(int(u_ + frame.picture.left()) + dx, int(v + frame.picture.top()) + dy)
            for dx in range(-reach, reach + 1) for dy in range(-reach, reach + 1)]  # fmt: skip
    return any(c.red() > 100 and c.green() < c.red() / 3 for c in near)


def test_steps_on_the_image_are_those_of_the_sky(session, image, pairs):
    dx, dy, length, unit = offsets_on(pairs, image, "residual", places_on(pairs, image))
    # 0.036 arcsec are a tenth of a pixel; east is to the left
    assert np.allclose([dx, dy], [[-0.1, 0], [0, 0.1]], atol=1e-4)
    assert np.allclose(length, 0.036)
    assert unit == "arcsec"


def test_arrows_go_where_the_offsets_go_magnified(show, session, image, pairs):
    viewer = show(image)
    # 200 times a tenth of a pixel: 20 pixels
    for x, y in ((15, 30), (2, 30), (70, 65), (70, 78)):
        assert is_red(viewer, x, y), (x, y)
    for x, y in ((25, 30), (70, 55), (70, 83), (80, 60)):
        assert not is_red(viewer, x, y), (x, y)
    session.run("catalog.arrows", data=pairs, columns="none")
    assert not is_red(viewer, 10, 30)
    session.undo()
    assert is_red(viewer, 10, 30)


def test_steps_are_worked_out_once_for_each_of_several_images(session, image, pairs):
    other = session.add(image.get(CCDData), name="other")
    layer = next(view for view in session.views.values() if view.kind == "table").layers[0]
    places = row_places(session)
    first, _, again = [_offsets_of(layer, one, places.of(pairs, one, wait=True)) for one in (image, other, image)]
    assert again is first


def test_pixels_of_one_image_are_not_drawn_on_another(show, session, image):
    table = QTable({"x": [20.0], "y": [30.0], "delta_x": [30.0], "delta_y": [0.0]})
    session.run("catalog.arrows", data=session.add(table, name="table"), scale=1)
    layer = next(view for view in session.views.values() if view.kind == "table").layers[0]
    other = session.add(np.zeros((100, 100), np.float32), name="other")
    layer.update(color=RED, image=image)
    assert is_red(show(image), 35, 30)
    assert not is_red(show(other), 35, 30)


def test_by_default_they_are_as_long_as_can_be_seen(show, session, image, pairs):
    session.run("catalog.arrows", data=pairs, scale=0)
    viewer = show(image)
    along = 20 / viewer.geometry_now().scale
    assert is_red(viewer, 20 - along, 30)
    assert not is_red(viewer, 20 - 2 * along, 30)


def test_offsets_in_pixels_need_no_sky(session):
    image = session.add(np.zeros((50, 50), np.float32), name="bare")
    data = session.add(QTable({"x": [10.0], "y": [20.0], "delta_x": [0.3], "delta_y": [-0.4]}), name="match")
    dx, dy, length, unit = offsets_on(data, image, "delta", places_on(data, image))
    assert (dx[0], dy[0], length[0], unit) == (0.3, -0.4, 0.5, "pix")


def test_without_columns_it_says_what_there_is(session, pairs):
    with pytest.raises(JvizError, match="there are offsets residual"):
        session.run("catalog.arrows", data=pairs, columns="shift")
