"""Lines over plots as they are seen: where they should be, in their colours, hidden, named, and not selected."""

import itertools

import numpy as np
import pytest
from astropy.table import QTable
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor

from jviz.catalogs import selection_name
from jviz.viewers.catalog.histogram import HistogramViewer
from jviz.viewers.catalog.scatter import ScatterViewer

RED, GREEN = "#ff0000", "#00ff00"


@pytest.fixture
def scatter(session, qtbot):
    session.add(QTable({"a": [0.0, 10.0], "b": [0.0, 10.0]}), name="stars")
    session.add(QTable({"a": [2.0, 8.0], "b": [7.0, 7.0]}), name="track")
    viewer = ScatterViewer(session, session.view("scatter", data="stars", x="a", y="b", legend=False))
    qtbot.addWidget(viewer)
    viewer.resize(600, 500)
    viewer.show()
    qtbot.waitUntil(lambda: viewer.has_painted)
    return viewer


def is_drawn(viewer, x, y, colour):
    """Whether a place, or a pixel beside it, has a colour, as far as smooth edges leave it."""
    scene, image = viewer.scene_now(), viewer.grab()
    at, wanted = [round(float(axis.place(v))) for axis, v in ((scene.x, x), (scene.y, y))], QColor(colour)
    for dx, dy in itertools.product((-1, 0, 1), repeat=2):
        found = image.pixelColor(at[0] + dx, at[1] + dy)
        if max(abs(a - b) for a, b in zip(found.getRgb(), wanted.getRgb(), strict=True)) < 90:
            return True
    return False


def test_functions_and_tracks_lie_where_their_numbers_say(scatter, session):
    session.run("catalog.add_function", expression="0.5 * x + 1", color=RED)
    session.run("catalog.add_function", expression="x = 9", color=GREEN)
    session.run("catalog.add_track", data="track", color="#0000ff", width=3)
    assert is_drawn(scatter, 6.0, 4.0, RED)
    assert is_drawn(scatter, 9.0, 3.0, GREEN)
    assert is_drawn(scatter, 5.0, 7.0, "#0000ff")
    assert not any(is_drawn(scatter, 1.0, 7.0, colour) for colour in ("#0000ff", RED, GREEN))
    scatter.state.y_inverted = True
    assert is_drawn(scatter, 6.0, 4.0, RED)
    scatter.state.update(x_log=True, x_range=(1.0, 20.0), y_range=(0.0, 10.0))
    assert is_drawn(scatter, 6.0, 4.0, RED)


def test_a_hidden_line_is_not_drawn(scatter, session):
    session.run("catalog.add_function", expression="y = 5", color=RED)
    assert is_drawn(scatter, 6.0, 5.0, RED)
    scatter.state.functions = (("y = 5", RED, False),)
    assert not is_drawn(scatter, 6.0, 5.0, RED)


def test_names_are_drawn_unless_the_legend_is_off(scatter, session):
    session.run("catalog.add_function", expression="y = 5", color=RED, name="limit")
    before = scatter.grab()
    scatter.state.legend = True
    assert scatter.grab() != before


def test_axes_reach_over_points_and_not_over_tracks(scatter, session):
    session.add(QTable({"a": [-900.0, 900.0], "b": [-900.0, 900.0]}), name="far")
    before = scatter.scene_now()
    session.run("catalog.add_track", data="far")
    after = scatter.scene_now()
    assert (after.x.low, after.x.high, after.y.low) == (before.x.low, before.x.high, before.y.low)


def test_a_lasso_selects_points_and_not_the_rows_of_a_track(scatter, session, qtbot):
    session.run("catalog.add_track", data="track")
    scatter.take_tool("box")
    scene = scatter.scene_now()
    picture = scene.picture.toRect()
    qtbot.mousePress(scatter, Qt.MouseButton.LeftButton, pos=picture.topLeft() + QPoint(1, 1))
    qtbot.mouseMove(scatter, picture.center())
    qtbot.mouseMove(scatter, picture.bottomRight())
    qtbot.mouseRelease(scatter, Qt.MouseButton.LeftButton, pos=picture.bottomRight())
    assert session.subsets[selection_name(session["stars"])].region.all()
    assert selection_name(session["track"]) not in session.subsets


def test_a_track_whose_column_is_gone_is_told_and_the_points_stay(scatter, session):
    session.run("catalog.add_track", data="track", x="a", y="b")
    session.run("catalog.edit_column", data="track", column="b", remove=True)
    scatter.grab()
    assert "no column 'b'" in scatter.problem
    assert len(scatter.scene_now().clouds) == 1


def test_a_function_over_a_histogram(session, qtbot):
    session.add(QTable({"a": np.repeat([0.0, 1.0, 2.0], [5, 10, 5])}), name="rows")
    viewer = HistogramViewer(session, session.view("histogram", data="rows", x="a", bins=3, legend=False))
    qtbot.addWidget(viewer)
    viewer.resize(500, 400)
    viewer.show()
    session.run("catalog.add_function", expression="y = 7", color=RED)
    qtbot.waitUntil(lambda: is_drawn(viewer, 1.9, 7.0, RED))
    assert not is_drawn(viewer, 1.9, 9.0, RED)
