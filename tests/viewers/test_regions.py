"""Regions drawn, picked, edited by mouse and keys, and looked at."""

import threading

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QGuiApplication, QImage
from PySide6.QtWidgets import QLineEdit
from regions import (
    CircleAnnulusPixelRegion,
    CirclePixelRegion,
    CircleSkyRegion,
    EllipsePixelRegion,
    PixCoord,
    PolygonPixelRegion,
    RectanglePixelRegion,
)

from jviz.backend.regions.combining import members
from jviz.backend.regions.converting import combined
from jviz.backend.regions.placing import place
from jviz.backend.skymap import SkyMap
from jviz.places import Outline
from jviz.subsets import Subset
from jviz.viewers.region_clipboard import paste_regions
from jviz.viewers.region_drawing import _named
from tests.viewers.test_image_mouse import drag

CTRL, SHIFT, ALT = (
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)


@pytest.fixture
def viewer(show):
    """An image of 100 × 80 pixels, 4 screen pixels each, in a viewer of 400 × 320."""
    return show(np.zeros((80, 100), np.float32), size=(400, 320), scale=4.0, centre=(49.5, 39.5))


def at(viewer, x, y):
    """Return the place of a data pixel in the viewer."""
    px, py = viewer.geometry_now().to_screen(x, y)
    corner = viewer.frame_now().picture.topLeft()
    return round(px + corner.x()), round(py + corner.y())


def draw(qtbot, viewer, tool, start, end, modifier=Qt.KeyboardModifier.NoModifier):
    viewer.session.run("tool.select", tool=tool)
    if not modifier & (CTRL | ALT):
        viewer.session.interaction.select(())
    drag(qtbot, viewer, at(viewer, *start), at(viewer, *end), modifier=modifier)
    viewer.session.run("tool.select", tool="pan")
    return viewer.session.subsets[viewer.session.interaction.selected[-1]]


def colours(viewer, x, y, reach=2):
    px, py = at(viewer, x, y)
    image = viewer.grab()
    return {image.pixelColor(px + i, py + j).name() for i in range(-reach, reach + 1) for j in range(-reach, reach + 1)}


def circle(session, viewer, name="core", x=50.0, y=40.0, radius=10.0, **values):
    region = CirclePixelRegion(PixCoord(x, y), radius)
    subset = Subset(name, region, viewer.state.data, **{"color": "#f94144", **values})
    with session.change("Make"):
        session.set_subsets({**session.subsets, name: subset})
    return subset


# --- drawing ----------------------------------------------------------------------------------------


def test_a_drawn_circle_has_the_radius_of_the_drag_and_is_one_step(qtbot, viewer, session):
    steps = len(session.history)
    subset = draw(qtbot, viewer, "circle", (50, 40), (62, 45))
    assert subset.data is viewer.state.data
    assert (subset.region.center.x, subset.region.center.y) == pytest.approx((50, 40), abs=0.3)
    assert subset.region.radius == pytest.approx(13, abs=0.3)
    assert len(session.history) == steps + 1
    session.undo()
    assert not session.subsets
    session.redo()
    assert list(session.subsets) == ["Circle 1"]
    assert "CirclePixelRegion" in session.script()


@pytest.mark.parametrize("tool", ["ellipse", "rectangle", "annulus", "ellipse_annulus", "rectangle_annulus", "line",
                                  "ruler", "compass", "point"])  # fmt: skip
def test_every_tool_draws_what_is_then_seen(qtbot, viewer, session, tool):
    black = viewer.grab()
    subset = draw(qtbot, viewer, tool, (30, 30), (50, 45))
    assert viewer.grab() != black
    session.interaction.select(())
    image = viewer.grab()
    seen = [image.pixelColor(x, y) for x in range(400) for y in range(80, 240)]
    assert max(colour.saturation() for colour in seen) > 0.8 * QColor(subset.color).saturation()


def test_a_rectangle_goes_from_corner_to_corner(qtbot, viewer):
    region = draw(qtbot, viewer, "rectangle", (20, 30), (60, 50)).region
    assert isinstance(region, RectanglePixelRegion)
    assert (region.center.x, region.center.y) == pytest.approx((40, 40), abs=0.3)
    assert (region.width, region.height) == pytest.approx((40, 20), abs=0.5)


def test_a_rectangle_drawn_in_a_turned_view_is_upright_on_the_screen(qtbot, show):
    viewer = show(np.zeros((80, 100), np.float32), size=(400, 320), scale=4.0, centre=(49.5, 39.5), rotation=30.0)
    viewer.session.run("tool.rectangle")
    drag(qtbot, viewer, (150, 120), (250, 200))
    region = viewer.session.subsets["Rectangle 1"].region
    assert (region.width, region.height) == pytest.approx((25, 20), abs=0.1)
    corners = region.corners
    screen = np.array([viewer.geometry_now().to_screen(x, y) for x, y in zip(*np.transpose(corners), strict=True)])
    assert set(np.round(screen).ravel().astype(int)) == {120, 150, 200, 250}


def test_shift_constrains(qtbot, viewer):
    square = draw(qtbot, viewer, "rectangle", (20, 20), (50, 30), SHIFT).region
    assert square.width == pytest.approx(square.height)
    line = draw(qtbot, viewer, "line", (20, 20), (60, 22), SHIFT).region
    assert line.end.y == pytest.approx(line.start.y, abs=1e-6)


def test_a_click_makes_a_region_of_a_usual_size(qtbot, viewer, session):
    session.run("tool.circle")
    qtbot.mouseClick(viewer, Qt.MouseButton.LeftButton, pos=QPoint(200, 160))
    assert session.subsets["Circle 1"].region.radius == pytest.approx(20 / 4)


def test_a_polygon_is_clicked_corner_by_corner(qtbot, viewer, session):
    session.run("tool.polygon")
    corners = [(20, 20), (60, 20), (60, 60)]
    for corner in corners:
        qtbot.mouseClick(viewer, Qt.MouseButton.LeftButton, pos=QPoint(*at(viewer, *corner)))
        qtbot.mouseMove(viewer, QPoint(*at(viewer, 30, 60)))
    assert not session.subsets
    qtbot.mouseClick(viewer, Qt.MouseButton.LeftButton, pos=QPoint(*at(viewer, 30, 60)))
    qtbot.keyClick(viewer, Qt.Key.Key_Return)
    region = session.subsets["Polygon 1"].region
    assert np.allclose(np.transpose([region.vertices.x, region.vertices.y]), [*corners, (30, 60)], atol=0.3)
    assert viewer.gesture is None


def test_a_path_ends_with_a_double_click_and_escape_gives_it_up(qtbot, viewer, session):
    session.run("tool.path")
    for corner in ((20, 20), (60, 20), (60, 60)):
        qtbot.mouseMove(viewer, QPoint(*at(viewer, *corner)))
        qtbot.mouseClick(viewer, Qt.MouseButton.LeftButton, pos=QPoint(*at(viewer, *corner)))
    qtbot.mouseDClick(viewer, Qt.MouseButton.LeftButton, pos=QPoint(*at(viewer, 60, 60)))
    region = session.subsets["Path 1"].region
    assert len(region.vertices) == 3
    assert region.meta["type"] == "path"
    qtbot.mouseClick(viewer, Qt.MouseButton.LeftButton, pos=QPoint(10, 10))
    qtbot.keyClick(viewer, Qt.Key.Key_Escape)
    assert viewer.gesture is None
    assert len(session.subsets) == 1


def test_free_hand_follows_the_mouse(qtbot, viewer, session):
    session.run("tool.freehand")
    angles = np.linspace(0, 6, 40)
    way = [QPoint(*at(viewer, 50 + 20 * np.cos(a), 40 + 20 * np.sin(a))) for a in angles]
    qtbot.mousePress(viewer, Qt.MouseButton.LeftButton, pos=way[0])
    for point in way[1:]:
        qtbot.mouseMove(viewer, point)
    qtbot.mouseRelease(viewer, Qt.MouseButton.LeftButton, pos=way[-1])
    region = next(iter(session.subsets.values())).region
    assert region.area == pytest.approx(np.pi * 400, rel=0.03)


def test_a_text_is_written_over_the_picture(qtbot, viewer, session):
    session.run("tool.text")
    qtbot.mouseClick(viewer, Qt.MouseButton.LeftButton, pos=QPoint(200, 160))
    entry = viewer.findChild(QLineEdit)
    qtbot.keyClicks(entry, "knot A")
    qtbot.keyClick(entry, Qt.Key.Key_Return)
    assert session.subsets["Text 1"].region.text == "knot A"
    session.interaction.select(())
    assert session.subsets["Text 1"].color in colours(viewer, 49.5, 39.5, reach=25)


# --- picking and editing ------------------------------------------------------------------------------


def test_outlines_are_seen_where_they_are(viewer, session):
    circle(session, viewer)
    for angle in np.radians([10, 80, 200, 330]):
        assert "#f94144" in colours(viewer, 50 + 10 * np.cos(angle), 40 + 10 * np.sin(angle))
    assert len(colours(viewer, 50, 40)) == 1
    circle(session, viewer, visible=False)
    assert len(colours(viewer, 60, 40)) == 1


def test_a_click_picks_the_smallest_and_then_the_next(qtbot, viewer, session):
    circle(session, viewer, "large", radius=30)
    circle(session, viewer, "small", radius=8)
    place = QPoint(*at(viewer, 52, 41))
    for expected in (("small",), ("large",), ("small",)):
        qtbot.mouseClick(viewer, Qt.MouseButton.LeftButton, pos=place)
        assert session.interaction.selected == expected
    qtbot.mouseClick(viewer, Qt.MouseButton.LeftButton, pos=QPoint(3, 3))
    assert session.interaction.selected == ()


def test_shift_click_and_band_select_several(qtbot, viewer, session):
    for number, x in enumerate((20, 40, 80)):
        circle(session, viewer, f"r{number}", x=x, radius=4)
    for x in (20, 80):
        qtbot.mouseClick(viewer, Qt.MouseButton.LeftButton, SHIFT, QPoint(*at(viewer, x, 40)))
    assert session.interaction.selected == ("r0", "r2")
    session.interaction.select(())
    drag(qtbot, viewer, at(viewer, 10, 30), at(viewer, 50, 50), modifier=SHIFT)
    assert session.interaction.selected == ("r0", "r1")


def test_a_region_is_moved_by_its_outline_as_one_step(qtbot, viewer, session):
    circle(session, viewer)
    session.flush()
    steps = len(session.history)
    drag(qtbot, viewer, at(viewer, 60, 40), at(viewer, 70, 45))
    moved = session.subsets["core"].region
    assert (moved.center.x, moved.center.y) == pytest.approx((60, 45), abs=0.3)
    assert moved.radius == 10
    assert len(session.history) == steps + 1
    session.undo()
    assert session.subsets["core"].region.center.x == 50


def test_escape_puts_a_moved_region_back(qtbot, viewer, session):
    before = circle(session, viewer)
    steps = len(session.history)
    qtbot.mousePress(viewer, Qt.MouseButton.LeftButton, pos=QPoint(*at(viewer, 60, 40)))
    qtbot.mouseMove(viewer, QPoint(*at(viewer, 80, 50)))
    assert session.subsets["core"].region.center.x == pytest.approx(70, abs=0.3)
    qtbot.keyClick(viewer, Qt.Key.Key_Escape)
    qtbot.mouseRelease(viewer, Qt.MouseButton.LeftButton, pos=QPoint(*at(viewer, 80, 50)))
    assert session.subsets["core"] is before
    assert len(session.history) == steps


def test_handles_resize_and_turn(qtbot, viewer, session):
    region = RectanglePixelRegion(PixCoord(50, 40), 40, 20, 0 * u.deg)
    session.set_subsets({"box": Subset("box", region, viewer.state.data)})
    session.interaction.select(["box"])
    drag(qtbot, viewer, at(viewer, 70, 50), at(viewer, 75, 55))
    wide = session.subsets["box"].region
    assert (wide.width, wide.height) == pytest.approx((50, 30), abs=0.5)
    top = at(viewer, 50, 55)
    drag(qtbot, viewer, (top[0], top[1] - 24), at(viewer, 20, 40))
    assert session.subsets["box"].region.angle.to_value("deg") == pytest.approx(90, abs=1.5)


def test_the_edges_of_an_annulus_are_dragged_apart_but_not_across(qtbot, viewer, session):
    region = CircleAnnulusPixelRegion(PixCoord(50, 40), 5, 12)
    session.set_subsets({"ring": Subset("ring", region, viewer.state.data)})
    session.interaction.select(["ring"])
    drag(qtbot, viewer, at(viewer, 62, 40), at(viewer, 66, 40))
    assert session.subsets["ring"].region.outer_radius == pytest.approx(16, abs=0.3)
    drag(qtbot, viewer, at(viewer, 55, 40), at(viewer, 80, 40))
    ring = session.subsets["ring"].region
    assert ring.inner_radius < ring.outer_radius == pytest.approx(16, abs=0.3)


def test_an_axis_of_an_ellipse_is_dragged(qtbot, viewer, session):
    region = EllipsePixelRegion(PixCoord(50, 40), 40, 20, 0 * u.deg)
    session.set_subsets({"e": Subset("e", region, viewer.state.data)})
    session.interaction.select(["e"])
    drag(qtbot, viewer, at(viewer, 70, 40), at(viewer, 75, 40))
    assert (session.subsets["e"].region.width, session.subsets["e"].region.height) == pytest.approx((50, 20), abs=0.5)


def test_vertices_are_moved_added_and_taken_away(qtbot, viewer, session):
    region = PolygonPixelRegion(PixCoord([20, 60, 60, 20], [20, 20, 60, 60]))
    session.set_subsets({"p": Subset("p", region, viewer.state.data)})
    session.interaction.select(["p"])
    drag(qtbot, viewer, at(viewer, 60, 60), at(viewer, 70, 70))
    assert session.subsets["p"].region.vertices.x[2] == pytest.approx(70, abs=0.3)
    qtbot.mouseDClick(viewer, Qt.MouseButton.LeftButton, pos=QPoint(*at(viewer, 40, 20)))
    assert len(session.subsets["p"].region.vertices) == 5
    assert session.subsets["p"].region.vertices.x[1] == pytest.approx(40, abs=0.3)
    qtbot.mouseMove(viewer, QPoint(*at(viewer, 40, 20)))
    qtbot.keyClick(viewer, Qt.Key.Key_Delete)
    assert len(session.subsets["p"].region.vertices) == 4


def test_locked_regions_stay(qtbot, viewer, session):
    circle(session, viewer, locked=True)
    session.interaction.select(["core"])
    drag(qtbot, viewer, at(viewer, 60, 40), at(viewer, 70, 45))
    qtbot.keyClick(viewer, Qt.Key.Key_Delete)
    assert session.subsets["core"].region.center.x == 50


def test_arrows_nudge_and_a_row_of_strokes_is_one_step(qtbot, viewer, session):
    circle(session, viewer)
    session.interaction.select(["core"])
    steps = len(session.history)
    for _ in range(3):
        qtbot.keyClick(viewer, Qt.Key.Key_Right)
    qtbot.keyClick(viewer, Qt.Key.Key_Up, SHIFT)
    centre = session.subsets["core"].region.center
    assert (centre.x, centre.y) == pytest.approx((53, 50))
    assert len(session.history) == steps + 1
    session.undo()
    assert session.subsets["core"].region.center.x == 50


def test_delete_tab_and_select_all(qtbot, viewer, session):
    for number, x in enumerate((20, 40, 80)):
        circle(session, viewer, f"r{number}", x=x, radius=4)
    session.interaction.select(["r0"])
    qtbot.keyClick(viewer, Qt.Key.Key_Tab)
    assert session.interaction.selected == ("r1",)
    qtbot.keyClick(viewer, Qt.Key.Key_Delete)
    assert list(session.subsets) == ["r0", "r2"]
    session.undo()
    assert list(session.subsets) == ["r0", "r1", "r2"]
    qtbot.keyClick(viewer, Qt.Key.Key_A, CTRL)
    assert session.interaction.selected == ("r0", "r1", "r2")
    qtbot.keyClick(viewer, Qt.Key.Key_Escape)
    assert session.interaction.selected == ()


def test_copies_go_to_other_viewers_and_to_other_programs(qtbot, viewer, session, show):
    circle(session, viewer)
    session.interaction.select(["core"])
    qtbot.keyClick(viewer, Qt.Key.Key_C, CTRL)
    assert "circle(51,41,10) # color=#f94144 text={core}" in QGuiApplication.clipboard().text()
    other = show(session.add(np.ones((80, 100), np.float32), name="other"))
    qtbot.keyClick(other, Qt.Key.Key_V, CTRL)
    assert session.subsets["core (2)"].data.name == "other"
    qtbot.keyClick(viewer, Qt.Key.Key_D, CTRL)
    assert len(session.subsets) == 3
    QGuiApplication.clipboard().setText("image\ncircle(11,21,5)\n")
    qtbot.keyClick(viewer, Qt.Key.Key_V, CTRL)
    pasted = session.subsets["Region 1"].region
    assert (pasted.center.x, pasted.center.y, pasted.radius) == (10, 20, 5)


@pytest.mark.parametrize(
    ("held", "expected"),
    [(CTRL, "either"), (ALT, "first only"), (CTRL | SHIFT, "both"), (CTRL | ALT, "one")],
)
def test_keys_combine_with_the_selected_region(qtbot, viewer, session, held, expected):
    circle(session, viewer, x=40.0)
    session.interaction.select(["core"])
    steps = len(session.history)
    draw(qtbot, viewer, "circle", (53, 40), (63, 40), held)
    region = session.subsets["core"].region
    assert len(session.subsets) == 1
    assert len(session.history) == steps + 1
    first, both, second = (region.contains(PixCoord(x, 40)) for x in (33, 46, 60))
    wanted = {"either": (1, 1, 1), "first only": (1, 0, 0), "both": (0, 1, 0), "one": (1, 0, 1)}[expected]
    assert (first, both, second) == wanted


# --- sky --------------------------------------------------------------------------------------------


@pytest.fixture
def sky_file(tmp_path):
    """Make an image of the sky, turned by an angle, with 0.5″ pixels."""

    def make(name, angle=0.0):
        wcs = WCS(naxis=2)
        wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.crpix = ["RA---TAN", "DEC--TAN"], [150.0, 60.0], [50.5, 40.5]
        c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
        wcs.wcs.cd = np.array([[-c, s], [s, c]]) * 0.5 / 3600
        path = tmp_path / f"{name}.fits"
        fits.writeto(path, np.zeros((80, 100), np.float32), wcs.to_header())
        return path

    return make


def test_regions_drawn_on_a_sky_lie_on_the_sky_and_are_in_all_images(qtbot, show, session, sky_file):
    first, second = session.open(sky_file("a"), sky_file("b", 40.0), show=False)
    viewer, other = (show(data, size=(400, 320), scale=4.0, centre=(49.5, 39.5)) for data in (first, second))
    qtbot.waitUntil(lambda: first.wcs_ready and second.wcs_ready)
    subset = draw(qtbot, viewer, "circle", (60, 45), (70, 45))
    assert isinstance(subset.region, CircleSkyRegion)
    assert subset.data is None
    assert subset.region.radius.to_value("arcsec") == pytest.approx(5, abs=0.2)
    expected = first.wcs.pixel_to_world(60, 45)
    assert subset.region.center.separation(expected).arcsec < 0.2
    session.interaction.select(())
    for data, shown in ((first, viewer), (second, other)):
        for angle in (0, 70, 200) * u.deg:
            edge = subset.region.center.directional_offset_by(angle, subset.region.radius)
            assert subset.color in colours(shown, *data.wcs.world_to_pixel(edge))


def test_a_region_drawn_before_the_sky_is_known_comes_onto_the_sky(qtbot, show, session, sky_file):
    [data] = session.open(sky_file("a"), show=False)
    known, load = threading.Event(), data.product.load_wcs
    data.product.load_wcs = lambda: known.wait(60) and load()
    viewer = show(data, size=(400, 320), scale=4.0, centre=(49.5, 39.5), wait=False)
    session.run("tool.select", tool="circle")
    drag(qtbot, viewer, at(viewer, 60, 45), at(viewer, 70, 45))
    assert not session.subsets
    known.set()
    qtbot.waitUntil(lambda: bool(session.subsets), timeout=20_000)
    [subset] = session.subsets.values()
    assert subset.region.center.separation(data.wcs.pixel_to_world(60, 45)).arcsec < 0.2
    session.undo()
    assert not session.subsets


def test_a_setting_draws_on_pixels_instead(qtbot, show, session, sky_file):
    [data] = session.open(sky_file("a"), show=False)
    viewer = show(data, size=(400, 320), scale=4.0, centre=(49.5, 39.5))
    session.run("tool.region_system", system="pixel")
    assert isinstance(draw(qtbot, viewer, "circle", (60, 45), (70, 45)).region, CirclePixelRegion)


def test_sky_regions_of_other_frames_are_moved_in_their_own(qtbot, show, session, sky_file):
    [data] = session.open(sky_file("a", 25.0), show=False)
    viewer = show(data, size=(400, 320), scale=4.0, centre=(49.5, 39.5))
    qtbot.waitUntil(lambda: data.wcs_ready)
    centre = SkyCoord(150, 60, unit="deg").galactic
    session.subset("g", CircleSkyRegion(centre, 5 * u.arcsec))
    x, y = data.wcs.world_to_pixel(centre.icrs)
    drag(qtbot, viewer, at(viewer, x + 10, y), at(viewer, x + 15, y + 5))
    moved = session.subsets["g"].region
    assert moved.center.frame.name == "galactic"
    assert np.allclose(data.wcs.world_to_pixel(moved.center.icrs), (x + 5, y + 5), atol=0.3)
    assert moved.radius.to_value("arcsec") == 5


# --- files and menus --------------------------------------------------------------------------------


def test_saved_pictures_have_the_regions_as_vectors(viewer, session, tmp_path):
    circle(session, viewer)
    png = QImage(str(viewer.save(tmp_path / "a.png", size=(400, 320))))
    found = {png.pixelColor(x, y).name() for x in range(400) for y in range(120, 200)}
    assert QColor("#f94144").name() in found
    svg = viewer.save(tmp_path / "a.svg", size=(400, 320)).read_text()
    assert "#f94144" in svg
    assert viewer.save(tmp_path / "a.pdf", size=(400, 320)).stat().st_size > 1000


@pytest.mark.qt_log_ignore("does not support")
def test_the_menu_of_a_region_changes_it(qtbot, viewer, session):
    from PySide6.QtWidgets import QApplication

    circle(session, viewer)
    qtbot.mouseClick(viewer, Qt.MouseButton.RightButton, pos=QPoint(*at(viewer, 50, 40)))
    qtbot.waitUntil(lambda: QApplication.activePopupWidget() is not None)
    menu = QApplication.activePopupWidget()
    actions = {action.text(): action for action in menu.actions()}
    actions["Lock"].trigger()
    menu.close()
    assert session.subsets["core"].locked
    session.undo()
    assert not session.subsets["core"].locked


def test_a_member_of_a_combined_region_is_dragged_by_its_handles(qtbot, viewer, session):
    left, right = CirclePixelRegion(PixCoord(40, 40), 12), CirclePixelRegion(PixCoord(56, 40), 10)
    whole = combined(left, right, "andnot")
    with session.change("Make"):
        session.set_subsets({"both": Subset("both", whole, viewer.state.data, color="#f94144")})
    session.interaction.select(["both"])
    steps = len(session.history)
    drag(qtbot, viewer, at(viewer, 56, 50), at(viewer, 56, 48))  # the handle at the top of the second
    first, second = members(session.subsets["both"].region)
    assert first.radius == 12
    assert second.radius == pytest.approx(8, abs=0.3)
    drag(qtbot, viewer, at(viewer, 56, 40), at(viewer, 58, 44))  # the cross in its middle
    first, second = members(session.subsets["both"].region)
    assert second.center.xy == pytest.approx((58, 44), abs=0.3)
    assert first.center.xy == (40, 40)
    assert len(session.history) == steps + 2
    session.undo()
    session.undo()
    assert session.subsets["both"].region is whole


def test_the_outline_of_a_combined_region_is_that_of_the_combination(viewer, session):
    left, right = RectanglePixelRegion(PixCoord(40, 40), 20, 20), RectanglePixelRegion(PixCoord(52, 40), 20, 12)
    whole = combined(left, right, "or")
    session.set_subsets({"both": Subset("both", whole, viewer.state.data, color="#f94144")})
    image = viewer.grab()

    def red(x, y):
        u, v = at(viewer, x, y)
        found = [image.pixelColor(u + i, v + j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
        return any(c.red() > c.green() + 60 for c in found)

    assert red(30, 40)
    assert red(62, 40)
    assert red(50, 48)  # the left one's edge above the right one
    assert not red(50, 40)  # within the right one
    assert not red(44, 46)  # the right one's edge within the left one


def test_the_name_of_a_region_across_a_seam_stands_below_its_larger_piece():
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.cdelt, wcs.wcs.crpix = ["RA---AIT", "DEC--AIT"], [-1.0, 1.0], [190.5, 190.5]
    sky = SkyMap.of(wcs, (380, 380))
    parted, whole = (
        place([CircleSkyRegion(SkyCoord(lon, 0, unit="deg"), 20 * u.deg)], [None], sky) for lon in (175.0, 20.0)
    )
    lines = [np.vstack([r, r[:1]]) if c else r for r, c in ((parted.ring(k), parted.closed[k]) for k in (0, 1))]
    starts = np.cumsum([0, *map(len, lines)])
    named = _named(Outline(np.concatenate(lines), starts, "circle"))
    # RA 175° lies at the left, where 25° of 40° are
    assert (named[:, 0].max() - named[:, 0].min()) < 40
    assert named[:, 0].max() < 190
    ring = np.vstack([whole.ring(0), whole.ring(0)[:1]])
    assert len(_named(Outline(ring, np.array([0, len(ring)]), "circle"))) == len(ring)


def test_regions_on_the_clipboard_that_need_a_sky_are_told(session, show):
    viewer = show(np.zeros((80, 100), np.float32))
    QGuiApplication.clipboard().setText('image\ncircle(20,30,4)\ncircle(20,30,4")\n')
    assert len(paste_regions(session, viewer.state.data)) == 1
    assert "need an image with world coordinates" in session.notices[-1][1]
