"""Pixels that are drawn higher than wide: 2-D spectra fill their viewer, and nothing else is stretched unasked."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication

from jviz.backend.render.blocks import Block
from jviz.geometry import Geometry
from jviz.viewers.image_pools import pooled


def written(path, values, **cards):
    from astropy.io import fits

    hdu = fits.PrimaryHDU(values.astype("f4"))
    hdu.header.update(cards)
    hdu.writeto(path)
    return path


@pytest.fixture
def slit(session, tmp_path):
    """20 × 1600 pixels with a line one pixel wide at x = 801."""
    values = np.ones((20, 1600))
    values[:, 801] = 101
    return session.open(written(tmp_path / "slit.fits", values, DISPAXIS=1), show=False)[0]


@pytest.mark.parametrize("rotation", [0.0, 30.0, 90.0])
@pytest.mark.parametrize("flip", [False, True])
def test_places_go_to_the_screen_and_back(rotation, flip):
    geometry = Geometry(640, 400, (12.0, 3.5), 2.0, rotation, flip, not flip, aspect=7.0)
    x, y = np.array([0.0, 12.0, 30.0]), np.array([1.0, 3.5, -8.0])
    np.testing.assert_allclose(geometry.to_data(*geometry.to_screen(x, y)), [x, y], atol=1e-9)
    one, two = (np.array(geometry.to_screen(*place)) for place in ((5.0, 5.0), (5.0, 6.0)))
    assert np.hypot(*(two - one)) == pytest.approx(2.0 * 7.0)  # a step along y of the data
    one, two = (np.array(geometry.to_screen(*place)) for place in ((5.0, 5.0), (6.0, 5.0)))
    assert np.hypot(*(two - one)) == pytest.approx(2.0)


def test_2d_spectra_fill_the_view_and_images_are_square(session, slit, show, tmp_path):
    viewer = show(slit)
    geometry = viewer.geometry_now()
    corners = np.array(geometry.to_screen(np.array([-0.5, 1599.5]), np.array([19.5, -0.5])))
    np.testing.assert_allclose(corners, [[0, geometry.width], [0, geometry.height]], atol=1e-6)
    [image] = session.open(written(tmp_path / "image.fits", np.ones((20, 1600))), show=False)
    assert show(image).geometry_now().aspect == 1


def test_a_line_narrower_than_a_pixel_of_the_picture_is_seen(session, slit, show):
    viewer = show(slit, limits=(1.0, 21.0))
    geometry, picture = viewer.geometry_now(), viewer.grab()
    ratio = picture.width() / viewer.width()
    middle = viewer.frame_now().picture
    row = round((middle.top() + geometry.height / 2) * ratio)
    greys = [picture.pixelColor(x, row).red() for x in range(picture.width())]
    at = (middle.left() + float(geometry.to_screen(801.0, 10.0)[0])) * ratio
    assert abs(int(np.argmax(greys)) - at) < 2 * ratio
    # A mean over as many columns as share a pixel: at least a hundredth part of the line, above 1.
    assert max(greys) > sorted(greys)[len(greys) // 2] + 40


def turn(viewer, position, steps, keys):
    viewer.wheelEvent(
        QWheelEvent(
            QPointF(position), QPointF(viewer.mapToGlobal(position)), QPoint(), QPoint(0, 120 * steps),
            Qt.MouseButton.NoButton, keys, Qt.ScrollPhase.NoScrollPhase, False,
        )
    )  # fmt: skip
    QApplication.processEvents()


def test_shift_and_wheel_stretch_along_y_under_the_cursor(session, slit, show):
    viewer = show(slit)
    view = viewer.state
    before = viewer.geometry_now()
    at = QPoint(200, 120)
    inside = viewer.frame_now().inside(QPointF(at))
    place = before.to_data(inside.x(), inside.y())
    turn(viewer, at, 2, Qt.KeyboardModifier.ShiftModifier)
    after = viewer.geometry_now()
    assert after.scale == pytest.approx(before.scale)
    assert after.aspect > 1.2 * before.aspect
    np.testing.assert_allclose(after.to_data(inside.x(), inside.y()), place, atol=1e-6)
    viewer.setFocus()
    session.run("image.fit", view=view)
    assert viewer.geometry_now() == before
    session.undo()
    assert viewer.geometry_now().aspect == pytest.approx(after.aspect)


def test_a_region_is_hit_as_near_as_it_looks(session, slit, show):
    from regions import PixCoord, PolygonPixelRegion, RegionMeta

    path = PolygonPixelRegion(PixCoord([0, 1599], [10, 10]), meta=RegionMeta({"type": "path"}))
    session.subset("trace", path, data="slit")
    viewer = show(slit)
    from jviz.viewers.region_gestures import place_of

    geometry, corner = viewer.geometry_now(), viewer.frame_now().picture.topLeft()
    u, v = geometry.to_screen(700.0, 10.0)
    for away, hit in ((3.0, True), (20.0, False)):
        place = place_of(viewer, QPointF(float(u), float(v) + away) + corner)
        assert bool(place.under(inside=False)) is hit


@pytest.mark.parametrize("first", [0.0, 3.0])
def test_means_are_those_of_numpy_and_stay_where_they_are_while_panning(first):
    rng = np.random.default_rng(2)
    data = rng.normal(size=(6, 23)).astype("f4")
    data[2, 4:9] = np.nan
    block = Block(data, first, 0.0, 1.0, 0, (first - 0.5, -0.5, first + 22.5, 5.5))
    [found] = pooled([block], (4.3, 0.1))
    columns = np.arange(23) + int(first)
    for group in np.unique(columns // 4):
        chosen = columns // 4 == group
        with np.errstate(invalid="ignore"):
            total, count = np.nansum(data[:, chosen], axis=1), np.isfinite(data[:, chosen]).sum(axis=1)
            expected = np.where(count > 0, total / np.maximum(count, 1), np.nan)
        np.testing.assert_allclose(
            found.data[:, chosen], np.broadcast_to(expected[:, None], (6, chosen.sum())), rtol=1e-5
        )
    assert pooled([block], (4.3, 0.1))[0] is found
    assert pooled([block], (0.7, 0.1))[0] is block
