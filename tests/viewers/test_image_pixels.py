"""What is drawn where: colours at computed places, at any orientation; NaN, limits, layers, resolution."""

import math
import os
import subprocess
import sys

import numpy as np
import pytest
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor

from jviz.backend.render.colormaps import colormap
from jviz.compose import composed
from jviz.viewers.readout import read_out
from tests.viewers.conftest import grey_at

LOW, HIGH = 0.0, 4000.0


def expected(value, low=LOW, high=HIGH):
    return round(255 * min(max((value - low) / (high - low), 0), 1))


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"rotation": 90.0},
        {"rotation": 33.0},
        {"flip_x": True},
        {"flip_y": True, "rotation": 200.0},
        {"scale": 23.0, "centre": (31.3, 17.8)},
        {"scale": 11.0, "centre": (30.0, 20.0), "rotation": 75.0, "flip_x": True},
        {"axes": "pixel", "colorbar": True},
    ],
)
def test_each_pixel_is_where_the_geometry_says(show, ramp, values):
    viewer = show(ramp, limits=(LOW, HIGH), stretch="linear", **values)
    geometry = viewer.geometry_now()
    tried = 0
    for x, y in [(0, 0), (59, 0), (0, 39), (59, 39), (30, 20), (31, 18), (29, 17), (28, 22)]:
        u, v = geometry.to_screen(x, y)
        if 1 < u < geometry.width - 1 and 1 < v < geometry.height - 1:
            assert abs(grey_at(viewer, x, y) - expected(ramp[y, x])) <= 1
            tried += 1
    assert tried >= 3


def test_orientation_as_seen_by_eye(show):
    """Row 0 is at the bottom, column 0 at the left; a quarter turn goes counter-clockwise."""
    data = np.zeros((10, 10), np.float32)
    data[0, 9] = 1.0  # bottom right
    viewer = show(data, size=(400, 400), limits=(0, 1), stretch="linear")
    assert viewer.grab().pixelColor(380, 380).red() == 255
    assert viewer.grab().pixelColor(20, 380).red() == 0
    viewer.state.rotation = 90
    assert viewer.grab().pixelColor(380, 20).red() == 255


def test_nan_and_beside_the_image_have_colours_of_their_own(show):
    data = np.ones((20, 20), np.float32)
    data[5, 5] = np.nan
    viewer = show(data, limits=(0, 1), stretch="linear", nan_color="#ff0000")
    u, v = viewer.geometry_now().to_screen(5, 5)
    assert viewer.grab().pixelColor(int(u), int(v)) == QColor("#ff0000")
    assert viewer.grab().pixelColor(5, 200) == QColor(viewer.look.canvas)
    viewer.state.nan_color = ""
    assert viewer.grab().pixelColor(int(u), int(v)) == QColor(viewer.look.blank)


def test_stretch_colormap_and_invert(show, ramp):
    viewer = show(ramp, limits=(LOW, HIGH), stretch="sqrt", colormap="viridis", invert=True)
    x, y = 30, 10
    u, v = viewer.geometry_now().to_screen(x, y)
    colour = viewer.grab().pixelColor(int(u), int(v))
    brightness = math.sqrt((ramp[y, x] - LOW) / (HIGH - LOW))
    wanted = colormap("viridis")[round(255 * (1 - brightness))]
    assert np.abs(np.array(colour.getRgb()[:3]) - wanted).max() <= 4


def test_limits_are_worked_out_in_the_background(show, ramp, qtbot):
    viewer = show(ramp, stretch="linear", limits_mode="minmax")
    assert viewer.state.layer.shown_limits == (0.0, 3959.0)
    viewer.state.limits_mode = "zscale"
    qtbot.waitUntil(lambda: viewer.state.layer.shown_limits is not None)
    assert viewer.state.layer.shown_limits == viewer.state.layer.computed_limits()


def test_limits_of_the_pixels_in_sight_follow_the_view(show, ramp, qtbot):
    viewer = show(ramp, stretch="linear", limits_mode="minmax", limits_from="view", scale=40.0, centre=(30.0, 20.0))
    geometry = viewer.geometry_now()
    x0, y0, x1, y1 = (math.floor(edge + 0.5) for edge in geometry.bounds(ramp.shape))
    part = ramp[y0 : y1 + 1, x0 : x1 + 1]
    assert viewer.state.layer.shown_limits == (part.min(), part.max())
    viewer.state.centre = (10.0, 5.0)
    qtbot.waitUntil(lambda: viewer.is_sharp)
    assert viewer.state.layer.shown_limits[1] < part.min()


def test_histogram_stretch_gives_all_greys_the_same_share(show, qtbot):
    rng = np.random.default_rng(3)
    data = rng.exponential(size=(200, 250)).astype(np.float32)
    viewer = show(data, size=(500, 400), limits_mode="minmax", stretch="histogram")
    image = viewer.grab()
    greys = np.array([image.pixelColor(x, y).red() for x in range(0, 500, 7) for y in range(0, 400, 7)])
    shares = np.histogram(greys, 4, (0, 256))[0] / greys.size
    assert np.abs(shares - 0.25).max() < 0.04


def test_opacity_blends_layers_of_equal_pixels(show, session):
    viewer = show(np.zeros((10, 10), np.float32), limits=(0, 1), stretch="linear")
    top = session.add(np.ones((10, 10), np.float32), name="top")
    session.run("view.show", view=viewer.state, data=top)
    viewer.state.update(active=-1)
    viewer.state.layers[-1].update(manual_limits=(0, 1), limits_mode="manual", opacity=0.5, stretch="linear")
    assert abs(grey_at(viewer, 5, 5) - 128) <= 1
    viewer.state.layers[-1].visible = False
    assert grey_at(viewer, 5, 5) == 0


def test_sharp_picture_equals_the_exact_one(show, qtbot):
    """A shrunken large image shows the mean of the pixels below each screen pixel."""
    rng = np.random.default_rng(5)
    data = rng.uniform(0, 1, (2600, 2600)).astype(np.float32)
    viewer = show(data, size=(650, 650), limits=(0.2, 0.8), stretch="linear", scale=0.25, centre=(1299.5, 1299.5))
    image = viewer.grab()
    for u, v in [(10, 10), (325, 320), (600, 77)]:
        rows = slice(2600 - 4 * (v + 1), 2600 - 4 * v)
        mean = data[rows, 4 * u : 4 * (u + 1)].mean()
        assert abs(image.pixelColor(u, v).red() - expected(mean, 0.2, 0.8)) <= 1


def test_half_resolution_while_a_large_picture_moves(show, ramp, qtbot):
    viewer = show(ramp, size=(2400, 1200))
    assert viewer.pixels_ratio == 1.0
    viewer._moving = True
    assert viewer.pixels_ratio == 0.5
    viewer.refresh()
    qtbot.waitUntil(lambda: viewer.is_sharp)
    assert viewer.pixels_ratio == 1.0


MANY = [(1, "lupton", 1.0), (3, "layers", 1.0), (3, "lupton", 0.5)]


@pytest.mark.parametrize(("layers", "composite", "moving"), MANY)
def test_half_resolution_while_a_picture_of_many_layers_moves(qtbot, show, session, ramp, layers, composite, moving):
    viewer = show(ramp, size=(1000, 800))
    for number in range(1, layers):
        session.add(ramp + number, name=f"more {number}")
        session.run("view.show", view=viewer.state, data=f"more {number}")
    for layer in viewer.state.layers:
        layer.opacity = 1.0
    viewer.state.composite = composite
    qtbot.waitUntil(lambda: viewer.pixels_ratio == 1.0)
    viewer._moving = True
    assert viewer.pixels_ratio == moving


def test_the_next_slice_replaces_the_last_without_a_gap(show, session, qtbot):
    cube = np.stack([np.full((8, 8), value, np.float32) for value in (0.0, 0.5, 1.0)])
    viewer = show(cube, limits=(0, 1), stretch="linear")
    viewer.state.layer.index = (2,)
    viewer.repaint()
    qtbot.waitUntil(lambda: viewer.is_sharp)
    assert grey_at(viewer, 4, 4) == 255


def test_flags_have_a_colour_for_each_bit(show, session, shared_data):
    data = session.open(shared_data / "j8bt06nyq_flt.fits", show=False)[0]
    flags = data.planes["DQ"].read()
    y, x = (int(v[v.size // 2]) for v in np.nonzero(flags))
    viewer = show(data, plane="DQ", scale=30.0, centre=(float(x), float(y)))
    lowest = int(flags[y, x]) & -int(flags[y, x])
    from jviz.viewers.image_layers import FLAG_COLOURS

    colour = viewer.grab().pixelColor(250, 200).rgb()
    assert colour == int(FLAG_COLOURS[lowest.bit_length() - 1])


def test_layers_lie_on_each_other_through_the_sky(show, session, tmp_path, qtbot):
    """The same source, at two pixels of two images that are turned against each other, is drawn at one place."""
    first, second = (_sky_file(tmp_path, *file) for file in (("a", 0.0, (30, 40)), ("b", 50.0, (64, 51))))
    viewer = show(session.open(first, show=False)[0], scale=4.0, limits=(0, 1), stretch="linear")
    base, other = viewer.state.data, session.open(second, show=False)[0]
    session.run("view.show", view=viewer.state, data=other)
    layer = viewer.state.layers[-1]
    layer.update(manual_limits=(0.0, 1.0), limits_mode="manual", stretch="linear", colormap="gray")
    qtbot.waitUntil(lambda: viewer.is_sharp)
    x, y = (float(v) for v in base.sky.sky_to_pixel(*other.sky.pixel_to_sky(64.0, 51.0)))
    viewer.state.layers[0].visible = False
    assert grey_at(viewer, x, y) == 255
    assert grey_at(viewer, x + 3, y) < 255


def _sky_file(folder, name, angle, source):
    from astropy.io import fits
    from astropy.wcs import WCS

    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.crpix = ["RA---TAN", "DEC--TAN"], [80, 10], [50, 50]
    turn = np.radians(angle)
    wcs.wcs.cd = np.array([[-np.cos(turn), np.sin(turn)], [np.sin(turn), np.cos(turn)]]) / 3600
    data = np.zeros((100, 100), np.float32)
    x, y = source
    data[y, x] = 1.0
    path = folder / f"{name}.fits"
    fits.writeto(path, data, wcs.to_header())
    return path


def test_magnifier_shows_the_pixel_under_the_cursor_in_its_middle(show, ramp, qtbot):
    viewer = show(ramp, limits=(LOW, HIGH), stretch="linear", magnifier=True)
    geometry = viewer.geometry_now()
    u, v = geometry.to_screen(40, 12)
    viewer._cursor = QPointF(float(u), float(v))
    from jviz.viewers.image_overlays import lens

    inset = lens(viewer.state, geometry, viewer._cursor, viewer.look)
    assert inset.geometry.centre == (40.0, 12.0)
    colour = viewer.grab().pixelColor(inset.area.center().toPoint())
    assert abs(colour.red() - expected(ramp[12, 40])) <= 1


def test_overlays_and_axes_draw_on_every_kind_of_image(show, session, shared_data):
    for name in ("allsky_rosat.fits", "j8bt06nyq_flt.fits", "tpv.fits", "sprat_2d_lhs6328.fits.gz"):
        data = session.open(shared_data / name, show=False)[0]
        viewer = show(data, size=(600, 500), colorbar=True, compass=True, scale_bar=True, overview=True, magnifier=True)
        for axes in ("none", "pixel", "sky"):
            viewer.state.update(axes=axes, grid=True)
            before = viewer.grab()
            viewer.state.update(grid=False)
            assert viewer.grab() != before


def test_an_empty_view_says_what_to_do(show, qtbot):
    viewer = show()
    colours = {viewer.grab().pixelColor(x, 190).name() for x in range(150, 350)}
    assert len(colours) > 3


TWICE = """
import numpy as np
from PySide6.QtWidgets import QApplication
application = QApplication([])
from jviz.session import Session
from jviz.viewers.image import ImageViewer
session = Session()
y, x = np.mgrid[:40, :60]
data = session.add((x + 100.0 * y).astype("f4"), name="a")
view = session.view("image", data=data, limits=(0, 4000), stretch="linear", colorbar=False, compass=False)
viewer = ImageViewer(session, view)
viewer.resize(500, 400)
viewer.show()
image = viewer.grab()
u, v = viewer.geometry_now().to_screen(31, 17)
print(image.width(), image.height(), image.pixelColor(int(2 * u), int(2 * v)).red(), image.devicePixelRatio())
session.close()
"""


def test_screens_with_two_pixels_per_point():
    # None of Qt's variables that other tests or the machine may have set.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("QT_")}
    environment |= {"QT_QPA_PLATFORM": "offscreen", "QT_SCALE_FACTOR": "2"}
    run = subprocess.run([sys.executable, "-c", TWICE], capture_output=True, text=True, check=True, env=environment)
    width, height, red, ratio = run.stdout.split()
    assert (width, height, ratio) == ("1000", "800", "2.0")
    assert abs(int(red) - expected(1731.0)) <= 1


def test_a_burst_of_changes_counts_as_moving_until_it_rests(show, ramp, qtbot):
    viewer = show(ramp, size=(2400, 1200))
    qtbot.waitUntil(lambda: not viewer._rest.isActive())
    for bias in (0.4, 0.45, 0.5):
        viewer.state.layer.bias = bias
    assert viewer.pixels_ratio == 1.0  # the view had rested before: no burst yet
    qtbot.wait(10)
    viewer.state.layer.bias = 0.55
    assert viewer.pixels_ratio == 0.5
    qtbot.waitUntil(lambda: viewer.pixels_ratio == 1.0)


def test_an_edge_with_numbers_of_both_axes_names_both():
    from jviz.viewers.image_axes import Lines, Mark

    names = ("Right ascension (ICRS)", "Declination (ICRS)")
    marks = [Mark(text, 0.0, y, "left", axis) for text, y, axis in (("10h", 1, 0), ("+1°", 2, 1), ("+2°", 3, 1))]
    assert Lines((), tuple(marks), names).title("left") == "Declination, right ascension (ICRS)"
    assert Lines((), tuple(marks[:1]), names).title("left") == "Right ascension (ICRS)"
    assert Lines((), tuple(marks), names).title("bottom") == ""


LINE = 230.538e9
"""Hz; the 2–1 line of CO."""


def test_kilohertz_at_230_gigahertz_are_seen_read_and_typed(show, ramp, qtbot, session):
    """A map of frequencies that differ by less than a step of a float32 there, which is 16 kHz."""
    frequencies = LINE + ramp.astype(float)  # 0 to 3.96 kHz
    viewer = show(frequencies, limits_mode="minmax", stretch="linear")
    assert viewer.state.limits == (LINE, LINE + 3959)
    for x, y in [(5, 3), (30, 20), (50, 35)]:
        assert abs(grey_at(viewer, x, y) - expected(ramp[y, x], 0.0, 3959.0)) <= 1
        assert float(read_out(viewer.state, x, y).value_text.split()[0]) == pytest.approx(frequencies[y, x], abs=2)
    viewer.state.update(limits_from="view", limits_mode="percentile", percentiles=(10.0, 90.0))
    qtbot.waitUntil(lambda: viewer.is_sharp and viewer.state.layer.shown_limits is not None)
    tenth = np.percentile(frequencies, (10.0, 90.0))
    np.testing.assert_allclose(viewer.state.limits, tenth, rtol=0, atol=60)
    colours = composed(viewer.state, step=1.0)
    low, high = viewer.state.limits
    shown = np.clip((frequencies[::-1] - low) / (high - low), 0, 1)
    np.testing.assert_allclose(colours[..., 0], shown, atol=0.01)


def test_differences_of_frequencies_are_those_of_their_values(show, ramp, qtbot, session):
    other = session.add(LINE + 1000.0 + np.zeros_like(ramp, float), name="rest")
    viewer = show(LINE + ramp.astype(float), stretch="linear", wait=False)
    viewer.state.layer.update(operation="difference", against=other, limits=(-1000.0, 3000.0))
    qtbot.waitUntil(lambda: viewer.is_sharp, timeout=20_000)
    for x, y in [(5, 3), (30, 20), (50, 35)]:
        assert abs(grey_at(viewer, x, y) - expected(ramp[y, x], 0.0, 4000.0)) <= 1
