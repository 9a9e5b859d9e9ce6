"""Layers, curtain, blinking, differences and the linked cursor, as the eye sees them."""

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.wcs import WCS
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from jviz.backend.render import kernels
from jviz.backend.render.warp import gap, warp_between, warps
from jviz.backend.skymap import SkyMap
from jviz.viewers.image import ImageViewer
from jviz.viewers.image_layers import Compositor
from jviz.viewers.readout import read_out
from tests.model.sky_pairs import STARS, header, image


@pytest.fixture
def layered(session, show, tmp_path):
    """Show images with the same stars in one viewer, each with its own options."""

    def make(*options, **values):
        for number, given in enumerate(options):
            image(tmp_path / f"i{number}.fits", **given)
            session.open(tmp_path / f"i{number}.fits", show=False)
        viewer = show(session["i0"], wait=False, **values)
        for number in range(1, len(options)):
            session.run("view.show", view=viewer.state, data=f"i{number}")
        for layer in viewer.state.layers:
            layer.update(limits=(0.0, 100.0), stretch="linear")
        return viewer

    return make


def pixels(viewer):
    """Return the picture as RGB, float, shape (height, width, 3)."""
    shot = viewer.grab()
    array = np.frombuffer(shot.constBits(), np.uint8).reshape(shot.height(), shot.bytesPerLine())
    return array[:, : 4 * shot.width()].reshape(shot.height(), shot.width(), 4)[..., 2::-1].astype(float)


def centroid(channel, u, v, reach=22):
    """Return the centre of light near a place of the picture."""
    j, i = round(u), round(v)
    part = channel[i - reach : i + reach + 1, j - reach : j + reach + 1]
    y, x = np.mgrid[i - reach : i + reach + 1, j - reach : j + reach + 1] + 0.5
    return (part * x).sum() / part.sum(), (part * y).sum() / part.sum()


@pytest.mark.parametrize(
    "twin",
    [{"angle": 30.0, "sip": -0.7}, {"mirrored": True, "angle": 100.0}, {"scale": 0.031, "shift": (60.0, -90.0)}],
)
@pytest.mark.parametrize("turn", [{}, {"rotation": 25.0, "flip_x": True}])
def test_stars_of_both_layers_coincide(layered, qtbot, twin, turn):
    width = 3.0 * 0.05 / twin.get("scale", 0.05)
    viewer = layered(
        {}, {**twin, "width": width}, centre=(500.0, 490.0), scale=2.0, smooth=True, size=(1000, 900), **turn
    )
    viewer.state.layers[0].colormap, viewer.state.layers[1].colormap = "#ff0000", "#00ff00"
    viewer.state.layers[1].blend = "add"
    qtbot.waitUntil(lambda: viewer.is_sharp, timeout=20_000)
    picture, wcs, seen = pixels(viewer), WCS(header()), 0
    for star in STARS:
        u, v = viewer.geometry_now().to_screen(*wcs.all_world2pix(*star, 0))
        if not (30 < u < 970 and 30 < v < 870):
            continue
        seen += 1
        red, green = centroid(picture[..., 0], u, v), centroid(picture[..., 1], u, v)
        assert np.hypot(red[0] - green[0], red[1] - green[1]) < 0.15
        assert np.hypot(red[0] - u, red[1] - v) < 0.15
    assert seen >= 2


def test_the_grid_of_a_warp_is_as_good_as_it_says():
    for options in ({"angle": 30.0}, {"mirrored": True, "sip": -2.0}, {"scale": 0.2, "angle": 77.0}):
        first, second = (SkyMap.of(WCS(h), (1000, 1000)) for h in (header(), header(**options)))
        warp = warp_between(first, second)
        assert warp is not None
        x, y = np.random.default_rng(1).uniform(0, 999, (2, 5000))
        exact, found = second.sky_to_pixel(*first.pixel_to_sky(x, y)), warp.at(x, y)
        wrong = np.hypot(exact[0] - found[0], exact[1] - found[1])
        inside = (exact[0] > -0.5) & (exact[0] < 999.5) & (exact[1] > -0.5) & (exact[1] < 999.5)
        assert np.isfinite(wrong[inside]).all()
        assert np.nanmax(wrong[inside]) < max(5 * warp.error, 1e-3)


@pytest.mark.parametrize("scale", [0.05, 0.15, 0.3, 1.0])
@pytest.mark.parametrize("turn", [0.0, 20.0])
def test_edges_are_drawn_as_by_the_exact_transform(layered, qtbot, scale, turn):
    viewer = layered({}, {"angle": 30.0, "sip": -1.5}, centre=(300.0, 250.0), scale=scale, rotation=turn)
    viewer.state.layers[0].visible = False
    viewer.state.layers[1].update(limits=(-100.0, 100.0))
    qtbot.waitUntil(lambda: viewer.is_sharp, timeout=20_000)
    by_grid = pixels(viewer)[..., 0]
    first, sky = (layer.data.sky for layer in viewer.state.layers)
    kept = warps.get(first, sky)
    assert kept is not None
    warps.keep(first, sky, None)
    exact = pixels(viewer)[..., 0]
    warps.keep(first, sky, kept)
    assert (np.abs(by_grid - exact) > 60).mean() < 1e-4


def test_no_grid_for_all_sky_maps():
    aitoff = WCS({"CTYPE1": "RA---AIT", "CTYPE2": "DEC--AIT", "CRPIX1": 180, "CRPIX2": 90, "CRVAL1": 0.0,
                  "CRVAL2": 0.0, "CDELT1": -1.0, "CDELT2": 1.0})  # fmt: skip
    other = aitoff.deepcopy()
    other.wcs.crval = [180.0, 0.0]
    assert warp_between(SkyMap.of(aitoff, (180, 360)), SkyMap.of(other, (180, 360))) is None


def test_pixel_on_pixel_when_asked_for(layered, qtbot):
    viewer = layered({}, {"angle": 30.0}, centre=(500.0, 500.0), scale=0.5)
    viewer.state.layers[0].visible = False
    viewer.state.align = "pixels"
    qtbot.waitUntil(lambda: viewer.is_sharp, timeout=20_000)
    u, v = viewer.geometry_now().to_screen(*WCS(header(angle=30.0)).all_world2pix(*STARS[1], 0))
    assert pixels(viewer)[round(float(v)), round(float(u)), 0] > 150


def test_a_layer_without_a_sky_is_told_of(session, layered, qtbot):
    told = []
    session.noticed.connect(lambda level, text: told.append(text))
    viewer = layered({})
    session.add(np.zeros((50, 50)), name="bare")
    session.run("view.show", view=viewer.state, data="bare")
    qtbot.waitUntil(lambda: any("bare has no sky" in text for text in told), timeout=10_000)


def test_a_tile_of_a_mosaic_beside_another_layer_is_not_told_of(session, layered, qtbot):
    told = []
    session.noticed.connect(lambda level, text: told.append(text))
    viewer = layered({}, {"shift": (900.0, 0.0)}, {"shift": (1800.0, 0.0)}, {"shift": (40000.0, 0.0)})
    first, *others = (layer.data for layer in viewer.state.layers)
    qtbot.waitUntil(lambda: all(d.wcs_ready and warps.is_known(first.sky, d.sky) for d in others), timeout=30_000)
    qtbot.waitUntil(lambda: not viewer.loader.busy, timeout=20_000)
    assert gap(first.sky, others[1].sky) > 0
    assert [text.split()[0] for text in told if "lies more than" in text] == ["i3"]


@pytest.mark.parametrize(("shift", "is_told"), [((60.0, -90.0), False), ((40000.0, 0.0), True)])
def test_a_layer_that_lies_elsewhere_on_the_sky_is_told_of(session, layered, qtbot, shift, is_told):
    told = []
    session.noticed.connect(lambda level, text: told.append(text))
    viewer = layered({}, {"shift": shift})
    first, second = (layer.data for layer in viewer.state.layers)
    qtbot.waitUntil(lambda: second.wcs_ready and warps.is_known(first.sky, second.sky), timeout=20_000)
    qtbot.waitUntil(lambda: not viewer.loader.busy, timeout=20_000)
    assert any("i1 lies more than" in text for text in told) == is_told
    centres = [SkyCoord(*layer.data.sky.pixel_to_sky(499.5, 499.5), unit="deg") for layer in viewer.state.layers]
    assert (gap(first.sky, second.sky) > 0) == is_told
    assert gap(first.sky, second.sky) < centres[0].separation(centres[1]).deg


def two_fields(session, show, **values):
    session.add(np.full((40, 60), 20.0, np.float32), name="below")
    session.add(np.full((40, 60), 80.0, np.float32), name="above")
    viewer = show(session["below"], **values)
    session.run("view.show", view=viewer.state, data="above")
    for layer in viewer.state.layers:
        layer.update(limits=(0.0, 100.0), stretch="linear")
    return viewer


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("normal", 204), ("add", 255), ("screen", 214), ("multiply", 41), ("lighten", 204), ("difference", 153)],
)
def test_blend_modes(session, show, mode, expected):
    viewer = two_fields(session, show)
    viewer.state.layers[1].blend = mode
    assert abs(pixels(viewer)[200, 250, 0] - expected) <= 1


def test_the_curtain_is_dragged_and_undone(session, show, qtbot):
    viewer = two_fields(session, show, size=(600, 400))
    session.run("compare.curtain", view=viewer.state)
    picture = pixels(viewer)
    assert (picture[100, 200, 0], picture[100, 400, 0]) == (51, 204)
    steps = len(session.history)
    QTest.mousePress(viewer, Qt.MouseButton.LeftButton, pos=QPoint(301, 120))
    for x in range(305, 455, 10):
        QTest.mouseMove(viewer, QPoint(x, 130))
    QTest.mouseRelease(viewer, Qt.MouseButton.LeftButton, pos=QPoint(450, 130))
    assert viewer.state.curtain == pytest.approx(0.75, abs=0.01)
    assert viewer.state.centre is None
    assert len(session.history) == steps + 1
    assert pixels(viewer)[100, 400, 0] == 51
    session.undo()
    assert viewer.state.curtain == 0.5
    session.run("compare.curtain_level", view=viewer.state)
    picture = pixels(viewer)
    assert (picture[100, 120, 0], picture[300, 120, 0]) == (51, 204)
    session.run("compare.curtain_level", view=viewer.state)
    assert viewer.state.curtain is None


def test_blinking_shows_one_after_the_other_and_leaves_no_steps(session, show, qtbot):
    viewer = two_fields(session, show)
    session.run("compare.blink", seconds=0.05, view=viewer.state)
    steps = len(session.history)
    seen = set()

    def both_seen():
        seen.add(pixels(viewer)[200, 250, 0])
        return seen >= {51.0, 204.0}

    qtbot.waitUntil(both_seen, timeout=10_000)
    assert len(session.history) == steps
    session.run("compare.blink", view=viewer.state)
    qtbot.waitUntil(lambda: viewer.state.blinking is None, timeout=5000)
    assert viewer.state.blink == 0


def test_difference_and_ratio_are_drawn_and_read(session, show, qtbot):
    viewer = two_fields(session, show)
    session.run("compare.difference", view=viewer.state)
    viewer.state.layer.update(limits=(0.0, 120.0), colormap="gray")
    assert abs(pixels(viewer)[200, 250, 0] - 255 / 2) <= 1
    assert read_out(viewer.state, 10, 12).value == 60.0
    session.run("compare.ratio", view=viewer.state)
    viewer.state.layer.update(limits=(0.0, 8.0), colormap="gray")
    assert abs(pixels(viewer)[200, 250, 0] - 255 / 2) <= 1
    assert read_out(viewer.state, 10, 12).value == 4.0


def test_difference_through_the_sky_is_nothing_where_both_are_the_same(layered, session, qtbot):
    viewer = layered({}, {"angle": 30.0}, centre=(500.0, 500.0), scale=2.0, smooth=True)
    session.run("compare.difference", view=viewer.state)
    viewer.state.layer.update(limits=(-100.0, 100.0), colormap="gray")
    qtbot.waitUntil(lambda: viewer.is_sharp, timeout=20_000)
    assert np.abs(pixels(viewer)[..., 0] - 127.5).max() < 6


def test_lupton_in_the_viewer(session, show):
    viewer = two_fields(session, show)
    view = viewer.state
    view.layers[0].colormap, view.layers[1].colormap = "#ff0000", "#0000ff"
    view.update(composite="lupton", lupton_q=5.0, lupton_stretch=1.0)
    soften, slope = kernels.lupton_curve(5.0, 1.0)
    brightness = (0.2 + 0.8) / 3
    factor = np.arcsinh(brightness * soften) * slope / brightness
    np.testing.assert_allclose(pixels(viewer)[200, 250], [51 * factor, 0, 204 * factor], atol=1)


def test_the_cursor_is_seen_in_the_other_viewer(session, layered, show, qtbot, tmp_path):
    first = layered({}, {"angle": 30.0}, centre=(500.0, 500.0), scale=1.0)
    second = ImageViewer(session, session.view("image", data="i1", compass=False, scale_bar=False, colorbar=False))
    qtbot.addWidget(second)
    second.resize(500, 400)
    second.show()
    qtbot.waitUntil(lambda: first.is_sharp and second.is_sharp, timeout=20_000)
    calm = pixels(second)
    QTest.mouseMove(first, QPoint(300, 150))
    x, y = first.geometry_now().to_data(300, 150)
    there = WCS(header(angle=30.0)).all_world2pix(*WCS(header()).all_pix2world(x, y, 0), 0)
    u, v = second.geometry_now().to_screen(*there)
    j, i = int(u), int(v)
    cross = pixels(second)
    changed = np.abs(cross - calm).sum(axis=2) > 50
    rows, columns = np.nonzero(changed)
    assert abs(columns.mean() - j) < 1.5
    assert abs(rows.mean() - i) < 1.5
    assert not changed[i - 2 : i + 3, j - 2 : j + 3].any()
    second.state.locks = ()
    assert (pixels(second) == calm).all()


def test_real_images_with_gwcs_lie_on_each_other(session, show, shared_data, qtbot):
    """Two exposures of the same field: the picture of the one, through the sky, is where the exact transform says."""
    from jviz.viewers.image_places import placed

    paths = sorted(shared_data.rglob("jw*_nrcb1_cal.fits"))[-2:]
    if len(paths) < 2:
        pytest.skip("no overlapping pair with GWCS is there")
    first, second = session.open(*paths, show=False)
    viewer = show(first, wait=False, size=(800, 700))
    session.run("view.show", view=viewer.state, data=second)
    qtbot.waitUntil(lambda: viewer.is_sharp, timeout=30_000)
    assert warps.get(first.sky, second.sky) is not None
    for scale in (0.5, 4.0, 40.0):
        viewer.state.scale = scale
        geometry = viewer.geometry_now()
        place = placed(viewer.state, viewer.state.layers[1], second.shape, geometry, 1.0)
        step = place.mesh.step
        rows, columns = (np.arange(n) for n in place.mesh.x.shape)
        u, v = np.meshgrid(columns * step + 0.5, rows * step + 0.5)
        exact = second.sky.sky_to_pixel(*first.sky.pixel_to_sky(*geometry.to_data(u, v)))
        wrong = np.hypot(place.mesh.x - exact[0], place.mesh.y - exact[1]) * scale
        assert np.nanmax(wrong) < 0.05


def test_many_layers_are_drawn_coarsely_and_then_one_by_one(session, show, qtbot):
    fields = [session.add(np.random.default_rng(n).normal(size=(900, 1000)), name=f"layer {n}") for n in range(7)]
    view = session.run("image.compose_rgb", data=fields, method="lupton")
    viewer = ImageViewer(session, view)
    qtbot.addWidget(viewer)
    viewer.resize(1000, 800)
    viewer.show()
    qtbot.waitUntil(lambda: viewer.is_sharp, timeout=20_000)
    sharp = viewer.grab().copy()
    view.centre = (view.centre or (500.0, 450.0))[0] + 3.0, 450.0
    viewer.refresh()
    assert viewer.pixels_ratio == 0.5
    qtbot.waitUntil(lambda: viewer.is_sharp, timeout=20_000)
    assert viewer.pixels_ratio == 1.0
    geometry = viewer.geometry_now()
    by_steps = viewer.compositor.compose(view, geometry, 1.0, viewer.look).copy()
    at_once = Compositor().compose(view, geometry, 1.0, viewer.look)
    assert np.array_equal(by_steps, at_once)
    assert viewer.grab() != sharp
