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


SKY = {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 150.0, "CRVAL2": 2.0, "CRPIX1": 10.0, "CRPIX2": 8.0,
       "CDELT1": -0.3 / 3600, "CDELT2": 0.72 / 3600, "CUNIT1": "deg", "CUNIT2": "deg"}  # fmt: skip


@pytest.fixture
def slices(session, tmp_path):
    """30 × 24 spaxels of 0.3 by 0.72 arcseconds, as those of slicers are."""
    y, x = np.mgrid[:24, :30]
    return session.open(written(tmp_path / "slices.fits", x + 100.0 * y, **SKY), show=False)[0]


def steps(geometry):
    return [float(np.hypot(*geometry.to_screen_matrix[:, k])) for k in (0, 1)]


@pytest.mark.parametrize("turn", [0.0, 35.0])
def test_pixels_have_their_shape_on_the_sky_from_the_first_look_on(session, slices, show, turn):
    viewer = show(slices, wait=False)
    assert not slices.wcs_ready  # by the header, without the WCS
    viewer.state.rotation = turn
    wide, high = steps(viewer.geometry_now())
    assert high / wide == pytest.approx(0.72 / 0.3)


def test_square_pixels_are_a_choice(session, slices, show):
    viewer = show(slices)
    for expected in (1.0, 2.4):
        session.run("image.square_pixels", view=viewer.state)
        wide, high = steps(viewer.geometry_now())
        assert high / wide == pytest.approx(expected)
    session.run("image.square_pixels", on=True, view=viewer.state)
    session.undo()
    assert viewer.geometry_now().aspect == pytest.approx(2.4)


@pytest.mark.parametrize(
    ("cards", "expected"),
    [
        ({"CDELT1": -0.05 / 3600, "CDELT2": 0.055 / 3600}, 1.0),  # a detector with some distortion
        ({"CDELT1": -1e-4, "CDELT2": 0.0}, 1.0),
        ({"CTYPE1": "LINEAR", "CTYPE2": "LINEAR"}, 1.0),
        ({"PC1_1": 0.0, "PC1_2": 2.0, "PC2_1": 0.25, "PC2_2": 0.0, "CDELT1": -1e-4, "CDELT2": 1e-4}, 8.0),
        ({"CD1_1": 0.0, "CD1_2": 3e-4, "CD2_1": 1e-4, "CD2_2": 0.0}, 3.0),
        ({"CTYPE1": "VRAD", "CTYPE2": "DEC--TAN", "CTYPE3": "RA---TAN", "CDELT3": -2.16 / 3600}, 3.0),
    ],
)
def test_what_a_header_says_of_the_shape_of_pixels(cards, expected):
    from jviz.backend.first_look import pixel_aspect

    assert pixel_aspect(SKY | cards) == pytest.approx(expected)


def test_north_is_up_and_a_box_fills_the_picture_with_oblong_pixels(session, tmp_path, show):
    cos, sin = np.cos(np.radians(25)), np.sin(np.radians(25))
    matrix = np.array([[-cos, -sin], [-sin, cos]]) @ np.diag([0.3, 0.72]) / 3600
    cards = {f"CD{i + 1}_{j + 1}": matrix[i, j] for i in (0, 1) for j in (0, 1)}
    turned = {key: value for key, value in SKY.items() if not key.startswith("CDELT")} | cards
    [image] = session.open(written(tmp_path / "turned.fits", np.ones((24, 30)), **turned), show=False)
    viewer = show(image)
    session.run("image.north_up", view=viewer.state)
    geometry = viewer.geometry_now()
    lon, lat = image.sky.pixel_to_sky(*geometry.centre)
    north = geometry.to_screen(*image.sky.sky_to_pixel(lon, lat + 2 / 3600))
    assert float(north[0]) == pytest.approx(geometry.width / 2, abs=0.01)
    assert float(north[1]) < geometry.height / 2
    east = geometry.to_screen(*image.sky.sky_to_pixel(lon + 2 / 3600, lat))
    assert float(east[1]) == pytest.approx(geometry.height / 2, abs=0.01)
    session.run("image.reset_orientation", view=viewer.state)
    session.run("image.zoom_to", x0=4, y0=6, x1=14, y1=18, view=viewer.state)
    geometry = viewer.geometry_now()
    corners = np.array(geometry.to_screen(np.array([4.0, 14.0]), np.array([6.0, 18.0])))
    size = np.abs(np.diff(corners, axis=1)).ravel() / (geometry.width, geometry.height)
    assert size.max() == pytest.approx(1.0)


def test_linked_views_show_as_much_sky(session, slices, show, tmp_path):
    from jviz.linking import matched

    square = SKY | {"CDELT1": -0.5 / 3600, "CDELT2": 0.5 / 3600}
    [image] = session.open(written(tmp_path / "square.fits", np.ones((40, 40)), **square), show=False)
    one, other = show(slices), show(image)
    other.state.update(**matched(one.state, other.state, ["pan", "zoom"]))
    wide, high = steps(one.geometry_now())
    assert steps(other.geometry_now()) == pytest.approx([wide / 0.3 * 0.5, high / 0.72 * 0.5], rel=1e-4)
    one.state.update(**matched(other.state, one.state, ["pan", "zoom", "rotation"]))
    assert steps(one.geometry_now()) == pytest.approx([wide, high], rel=1e-4)
    assert one.state.rotation == 0


def test_a_dragged_circle_of_a_pick_is_one_in_pixels(qtbot, session, slices, show):
    viewer = show(slices)
    session.run("tool.pick")
    geometry, corner = viewer.geometry_now(), viewer.frame_now().picture.topLeft()
    asked = []
    viewer.session.submit = lambda id, **values: asked.append(values)
    start, end = ((QPointF(*map(float, geometry.to_screen(10.0, y))) + corner).toPoint() for y in (8.0, 14.0))
    qtbot.mousePress(viewer, Qt.MouseButton.LeftButton, pos=start)
    for at in (start + (end - start) / 2, end):
        qtbot.mouseMove(viewer, at)
    qtbot.mouseRelease(viewer, Qt.MouseButton.LeftButton, pos=end)
    assert asked[0]["radius"] == pytest.approx(6.0, abs=0.1)


def test_the_slit_of_a_whole_detector_is_seen_first(session, show, tmp_path):
    cards = {"TELESCOP": "JWST", "INSTRUME": "MIRI", "EXP_TYPE": "MIR_LRS-FIXEDSLIT", "DISPAXIS": 2}
    path = written(tmp_path / "jw01_mirimage_cal.fits", np.ones((1024, 1032)), **cards)
    [data] = session.open(path, show=False)
    viewer = show(data)
    x0, y0, x1, y1 = viewer.geometry_now().bounds(data.shape)
    assert 290 < x0 < 303 < 347 < x1 < 360
    assert y0 < 7 < 397 < y1 < 410
