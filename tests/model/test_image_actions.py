"""Commands on image views: geometry laws, orientation on the sky, limits, and undo of each."""

import math

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS

import jviz
from jviz.geometry import Geometry, fitting_scale, geometry_of


@pytest.fixture
def session():
    session = jviz.Session()
    yield session
    session.close()


@pytest.fixture
def sky_file(tmp_path):
    """An image turned by 40° on the sky, east to the left of north."""
    wcs = WCS(naxis=2)
    angle = math.radians(40)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [150.0, 2.0]
    wcs.wcs.crpix = [101, 81]
    scale = 0.1 / 3600
    wcs.wcs.cd = scale * np.array([[-math.cos(angle), math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    path = tmp_path / "turned.fits"
    values = np.random.default_rng(1).normal(size=(160, 200)).astype("f4")
    fits.writeto(path, values, wcs.to_header())
    return path


@pytest.mark.parametrize("rotation", [0, 30, 90, 217])
@pytest.mark.parametrize("flips", [(False, False), (True, False), (False, True)])
def test_screen_and_data_are_inverse(rotation, flips):
    geometry = Geometry(640, 480, (12.5, -7.25), 3.7, rotation, *flips)
    x, y = np.meshgrid(np.linspace(0, 640, 7), np.linspace(0, 480, 5))
    back = geometry.to_screen(*geometry.to_data(x, y))
    np.testing.assert_allclose(back, (x, y), atol=1e-9)
    np.testing.assert_allclose(geometry.to_data(320, 240), (12.5, -7.25))


def test_unturned_pictures_have_y_up():
    geometry = Geometry(100, 100, (0, 0), 10)
    assert geometry.to_data(50, 40)[1] == pytest.approx(1)
    assert geometry.to_data(60, 50)[0] == pytest.approx(1)


def test_rotation_is_counter_clockwise_on_the_screen():
    geometry = Geometry(100, 100, (0, 0), 10, rotation=90)
    # The data's +x axis, to the right before, points up after a quarter turn.
    assert geometry.to_screen(1, 0) == pytest.approx((50, 40))


@pytest.mark.parametrize("rotation", [0, 45, 90, 123])
def test_fitting_scale_shows_all_corners_and_touches_an_edge(rotation):
    shape, width, height = (300, 500), 640, 480
    geometry = Geometry(width, height, (249.5, 149.5), fitting_scale(shape, width, height, rotation), rotation)
    x, y = geometry.to_screen(np.array([-0.5, 499.5, -0.5, 499.5]), np.array([-0.5, -0.5, 299.5, 299.5]))
    edges = [x.min(), width - x.max(), y.min(), height - y.max()]
    assert min(edges) == pytest.approx(0, abs=1e-6)
    assert max(edges) >= 0


def test_zoom_keeps_the_centre_and_is_one_step(session):
    session.add(np.zeros((100, 200), "f4"), name="zeros")
    view = session.view("image", data="zeros")
    before = geometry_of(view)
    steps = len(session.history)
    for _ in range(3):
        session.run("image.zoom_in", view=view)
    after = geometry_of(view)
    assert after.scale == pytest.approx(8 * before.scale)
    assert after.centre == before.centre
    assert len(session.history) == steps + 1
    session.undo()
    assert view.scale is None


def test_zoom_to_a_box_shows_the_box(session):
    session.add(np.zeros((100, 200), "f4"), name="zeros")
    view = session.view("image", data="zeros")
    session.run("image.zoom_to", x0=10, y0=20, x1=50, y1=40, view=view)
    x0, y0, x1, y1 = geometry_of(view).bounds((100, 200))
    assert x0 <= 10
    assert x1 >= 50
    assert y0 <= 20
    assert y1 >= 40
    with pytest.raises(jviz.CommandError, match="empty"):
        session.run("image.zoom_to", x0=10, y0=20, x1=10, y1=40, view=view)


def test_north_up_puts_north_up_and_east_left(session, sky_file):
    [image] = session.open(sky_file)
    view = session.view("image", data=image)
    session.run("image.north_up", view=view)
    geometry = geometry_of(view)
    lon, lat = image.sky.pixel_to_sky(*geometry.centre)
    x0, y0 = geometry.to_screen(*geometry.centre)
    north = geometry.to_screen(*image.sky.sky_to_pixel(lon, lat + 1 / 3600))
    east = geometry.to_screen(*image.sky.sky_to_pixel(lon + 1 / 3600 / math.cos(math.radians(lat)), lat))
    assert north[0] == pytest.approx(x0, abs=0.01)
    assert north[1] < y0
    assert east[0] < x0
    assert east[1] == pytest.approx(y0, abs=0.01)
    session.undo()
    assert view.rotation == 0


def test_north_up_mirrors_an_image_with_east_to_the_right(session, tmp_path):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval, wcs.wcs.crpix, wcs.wcs.cdelt = [10, 20], [50, 50], [1e-4, 1e-4]
    path = tmp_path / "mirrored.fits"
    fits.writeto(path, np.ones((100, 100), "f4"), wcs.to_header())
    [image] = session.open(path)
    view = session.view("image", data=image)
    session.run("image.north_up", view=view)
    geometry = geometry_of(view)
    lon, lat = image.sky.pixel_to_sky(*geometry.centre)
    east = geometry.to_screen(*image.sky.sky_to_pixel(lon + 1e-4, lat))
    assert east[0] < geometry.width / 2


def test_go_to_sky_and_pixel(session, sky_file):
    [image] = session.open(sky_file)
    view = session.view("image", data=image)
    session.run("image.go_to", position="pixel 20, 30", view=view)
    assert view.centre == (20, 30)
    expected = [float(v) for v in WCS(fits.getheader(sky_file)).wcs_world2pix(150.001, 2.0005, 0)]
    for text in ("20 30 px", "20, 30 pixels", "px 20 30"):
        view.centre = (1, 1)
        session.run("image.go_to", position=text, view=view)
        assert view.centre == (20, 30)
    with pytest.raises(jviz.JvizError, match="For a pixel write 'pixel 20, 300'"):
        session.run("image.go_to", position="20, 300", view=view)
    session.run("image.go_to", position="150.001 2.0005", view=view)
    assert view.centre == pytest.approx(expected, abs=1e-3)
    session.undo()
    assert view.centre == (20, 30)
    with pytest.raises(jviz.JvizError, match="not on turned"):
        session.run("image.go_to", position="151 2", view=view)
    assert view.centre == (20, 30)


def test_limits_modes(session):
    values = np.arange(10000, dtype="f4").reshape(100, 100)
    session.add(values, name="ramp")
    view = session.view("image", data="ramp")
    session.run("image.limits", mode="minmax", view=view)
    assert view.limits == (0, 9999)
    session.run("image.limits", mode="percentile", low=10, high=90, view=view)
    assert view.limits == pytest.approx(np.percentile(values, (10, 90)), rel=0.01)
    view.limits = (5, 50)
    assert view.limits_mode == "manual"
    session.undo()
    assert view.limits_mode == "percentile"
    for bad in ({"low": 5}, {"low": 5, "high": 5}, {}):
        with pytest.raises(jviz.CommandError):
            session.run("image.limits", mode="manual", view=view, **bad)
    assert view.limits_mode == "percentile"


def test_slices_step_round(session):
    session.add(np.arange(24.0).reshape(4, 2, 3), name="cube")
    view = session.view("image", data="cube")
    start = view.layer.index
    seen = set()
    for _ in range(4):
        session.run("image.next_slice", view=view)
        seen.add(view.layer.index)
    assert view.layer.index == start
    assert len(seen) == 4
    with pytest.raises(jviz.CommandError, match="none of them"):
        session.run("image.slice", index=(9,), view=view)


def test_a_folder_opens_what_can_be_read_and_names_the_rest(session, sky_file, tmp_path):
    (tmp_path / "broken.fits").write_bytes(b"SIMPLE  =                    T" + b" " * 50)
    notices = []
    session.noticed.connect(lambda level, text: notices.append(text))
    assert [d.name for d in session.open(tmp_path)] == ["turned"]
    assert any("broken.fits" in text for text in notices)


def test_opening_is_one_step_and_failing_changes_nothing(session, sky_file, tmp_path):
    session.open(sky_file, show=True)
    assert session.undo().startswith("Open")
    assert not session.names
    assert not session.views
    session.redo()
    assert session.names == ["turned"]
    assert list(session.views) == ["Image 1"]
    with pytest.raises(jviz.ReadError, match=r"missing\.fits"):
        session.open(tmp_path / "missing.fits")
    assert session.names == ["turned"]


def test_removing_data_takes_them_out_of_views_and_comes_back(session, sky_file):
    session.open(sky_file, show=True)
    session.run("data.remove", data="turned")
    assert not session.views
    session.undo()
    assert session.views["Image 1"].data is session["turned"]


def test_adding_and_replacing_layers(session, sky_file):
    session.open(sky_file, show=True)
    session.add(np.zeros((160, 200), "f4"), name="zeros")
    view = session.views["Image 1"]
    session.run("view.show", view=view, data="zeros")
    assert [layer.data.name for layer in view.layers] == ["turned", "zeros"]
    session.run("view.show", view=view, data="zeros", mode="replace")
    assert [layer.data.name for layer in view.layers] == ["zeros"]
    session.undo()
    session.undo()
    assert [layer.data.name for layer in view.layers] == ["turned"]
    session.add(Table({"a": [1]}), name="table")
    with pytest.raises(jviz.CommandError, match="kind"):
        session.run("view.show", view=view, data="table")


def test_numbers_are_checked_before_a_command_runs(session):
    session.add(np.zeros((4, 5), "f4"), name="zeros")
    view = session.view("image", data="zeros")
    with pytest.raises(jviz.CommandError, match=r"angle of image\.rotate must be a number"):
        session.run("image.rotate", angle="north", view=view)
    session.run("image.rotate", angle="30", view=view)
    assert view.rotation == 30
    cube = session.add(np.ones((5, 4, 3), "f4"), name="ones")
    with pytest.raises(jviz.CommandError, match=r"order of cube\.moment must be a number; inf is none"):
        session.run("cube.moment", data=cube, order=float("inf"))
    for order in (1.5, True, np.float32(0.5)):
        with pytest.raises(jviz.CommandError, match=r"order of cube\.moment must be a whole number"):
            session.run("cube.moment", data=cube, order=order)
    with pytest.raises(jviz.CommandError, match=r"order of cube\.transpose must be a whole number; 0\.5 is none"):
        session.run("cube.transpose", data=cube, order=(0.5, 1, 2))
    with pytest.raises(jviz.CommandError, match=r"factor of image\.rebin must be a whole number; 2\.5 is none"):
        session.run("image.rebin", data="zeros", factor=(2.5, 2))
    assert session.run("cube.transpose", data=cube, order=(2.0, 1, 0)).get(np.ndarray).shape == (3, 4, 5)
