"""Thousands of regions: placed by a quiet job, drawn as rough lines, where they are."""

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from PySide6.QtGui import QColor, QImage, QPainter
from regions import CircleAnnulusPixelRegion, CirclePixelRegion, CircleSkyRegion, PixCoord

from jviz.backend.regions.placing import HERE, place
from jviz.places import ASIDE, places_of
from jviz.subsets import Subset
from jviz.viewers.strokes import draw_segments, picked, segments_of

COLOUR = "#f94144"


@pytest.fixture
def viewer(show):
    return show(np.zeros((80, 100), np.float32), size=(400, 320), scale=4.0, centre=(49.5, 39.5))


def grid_of_circles(data):
    places = [(x, y) for x in np.arange(2, 98, 4.0) for y in np.arange(2, 78, 4.0)]
    return {
        f"c{n}": Subset(f"c{n}", CirclePixelRegion(PixCoord(x, y), 1.5), data, color=COLOUR)
        for n, (x, y) in enumerate(places)
    }


def red(colour):
    return colour.red() > colour.green() + 60


def test_a_quiet_job_places_very_many_and_the_picture_has_them_all(qtbot, viewer, session):
    data = viewer.state.data
    subsets = grid_of_circles(data)
    assert len(subsets) > ASIDE
    session.set_subsets(subsets)
    viewer.grab()
    qtbot.waitUntil(lambda: places_of(session, data, None, at_once=False).complete)
    qtbot.waitUntil(lambda: viewer.is_sharp)
    image, corner = viewer.grab(), viewer.frame_now().picture.topLeft()
    pixels = {}
    for name, subset in subsets.items():
        x, y = subset.region.center.x, subset.region.center.y
        u, v = viewer.geometry_now().to_screen(x, y)
        u, v = round(u + corner.x()), round(v + corner.y())
        box = [(u + i, v + j) for i in range(-7, 8) for j in range(-7, 8)]
        pixels[name] = sum(red(image.pixelColor(*at)) for at in box)
    assert min(pixels.values()) >= 16  # a circle of six screen pixels has some forty


def test_meanwhile_regions_that_are_gone_are_not_shown(qtbot, viewer, session):
    data = viewer.state.data
    session.set_subsets(grid_of_circles(data))
    qtbot.waitUntil(lambda: places_of(session, data, None, at_once=False).complete)
    session.set_subsets(grid_of_circles(data))
    meanwhile = places_of(session, data, None, at_once=False)
    assert all(session.subsets[s.name] is s for s in meanwhile.seen())
    assert not meanwhile.numbers
    qtbot.waitUntil(lambda: places_of(session, data, None, at_once=False).complete)
    assert places_of(session, data, None).numbers.keys() == session.subsets.keys()


def test_what_is_hidden_among_thousands_goes_at_once_and_comes_back(qtbot, viewer, session):
    data = viewer.state.data
    many = {f"c{k}": Subset(f"c{k}", CirclePixelRegion(PixCoord(k % 60, k // 60), 0.4), data) for k in range(1500)}
    session.set_subsets(many)
    qtbot.waitUntil(lambda: places_of(session, data, None, at_once=False).complete)
    session.set_subsets({**many, "c700": many["c700"].but(visible=False)})
    meanwhile = places_of(session, data, None, at_once=False)
    assert {s.name for s in meanwhile.seen()} == many.keys() - {"c700"}
    assert many["c700"] not in meanwhile.under(700 % 60, 700 // 60, 1.0)
    qtbot.waitUntil(lambda: places_of(session, data, None, at_once=False).complete)
    session.set_subsets(many)
    qtbot.waitUntil(lambda: places_of(session, data, None, at_once=False).complete)
    assert [s.name for s in places_of(session, data, None).seen()] == list(many)


def test_a_curve_has_as_many_points_as_are_asked_for_and_all_are_on_it():
    circles = [CirclePixelRegion(PixCoord(10, 20), radius) for radius in (0.5, 7.0, 900.0)]
    circles.append(CircleAnnulusPixelRegion(PixCoord(10, 20), 3.0, 5.0))
    found = place(circles, [HERE] * 4, None, curve=64)
    radii = np.hypot(*(found.points.reshape(-1, 64, 2) - (10, 20)).transpose(2, 0, 1))
    assert np.allclose(radii.T, (0.5, 7.0, 900.0, 5.0, 3.0))


def test_frames_with_other_equinoxes_are_told_apart():
    from astropy import units as u

    at = [SkyCoord(150.0, 2.0, unit="deg", frame="fk5", equinox=f"J{year}") for year in (2000, 2050, 2000)]
    found = place([CircleSkyRegion(c, 1 * u.arcsec) for c in at], [None] * 3, None)
    from jviz.backend.regions.outlines import outline

    middles = [outline(CircleSkyRegion(c, 1 * u.arcsec)).points.mean(axis=0) for c in at]
    expected = [(c.icrs.ra.deg, c.icrs.dec.deg) for c in at]
    assert np.allclose(middles, expected, atol=1e-6)
    assert np.isnan(found.points).all()  # no target, no pixels


def test_every_nth_point_and_the_last_one_are_taken():
    starts = np.array([0, 65, 70])
    points, begins = picked(starts, np.array([0, 1]), np.array([11, 3]))
    assert points.tolist() == [0, 11, 22, 33, 44, 55, 64, 65, 68, 69]
    assert begins.tolist() == [0, 7, 10]


def test_pieces_of_polylines_do_not_join_them():
    points = np.array([(0, 0), (1, 0), (2, 0), (5, 5), (6, 5)], float)
    pieces = segments_of(points, np.array([0, 3, 5]))
    assert pieces.tolist() == [[0, 0, 1, 0], [1, 0, 2, 0], [5, 5, 6, 5]]
    assert segments_of(np.empty((0, 2)), np.zeros(1, int)).shape == (0, 4)


def test_lines_are_drawn_from_the_memory_of_an_array():
    image = QImage(20, 10, QImage.Format.Format_RGB32)
    image.fill(0)
    painter = QPainter(image)
    painter.setPen(QColor(COLOUR))
    draw_segments(painter, np.array([(1, 2, 8, 2), (12, 7, 18, 7)], np.float32))
    painter.end()
    drawn = {(x, y) for x in range(20) for y in range(10) if image.pixelColor(x, y) == QColor(COLOUR)}
    assert drawn == {(x, 2) for x in range(1, 9)} | {(x, 7) for x in range(12, 19)}


def test_the_script_of_what_hands_do_makes_the_same_regions(viewer, session):
    from jviz.viewers.region_steps import add_regions, change_regions, remove_regions

    circle = CirclePixelRegion(PixCoord(30, 40), 5.0)
    add_regions(session, [Subset("a", circle, color=COLOUR, group="g", locked=True), Subset("b", circle)])
    add_regions(session, [Subset("c", circle)])
    before = {"b": session.subsets["b"]}
    after = {"b": before["b"].but(color="#123456", group="h", region=CirclePixelRegion(PixCoord(8, 9), 2.0))}
    change_regions(session, before, after, "Change b")
    before = {"b": session.subsets["b"]}
    change_regions(session, before, {"b": before["b"].but(locked=True, visible=False)}, "Lock b")
    remove_regions(session, ["a", "b", "c"])
    made, lines = session.subsets, [n for n in session.script().splitlines() if "region." in n or "import" in n]
    assert list(made) == ["a", "b"]
    assert not any("subset" in line for line in lines)
    session.set_subsets({})
    exec("\n".join(n for n in lines if not n.startswith("import jviz")), {"session": session})
    for name, subset in session.subsets.items():
        for what in ("color", "group", "locked", "visible", "data"):
            assert getattr(subset, what) == getattr(made[name], what)
        assert subset.region.center.xy == made[name].region.center.xy
    assert session.subsets.keys() == made.keys()
