"""The viewer of curves: pixels where the numbers say, peaks that are kept, mouse and keys, pictures."""

import numpy as np
import pytest
from astropy.table import QTable
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QWheelEvent

import jviz
from jviz.conversion.taken import take_profile
from jviz.data import from_product
from jviz.plot_views import Curve
from jviz.viewers.plot.axes import Axis, axis_ticks
from jviz.viewers.plot.curves import Outline
from jviz.viewers.plot.paint import layer_colors
from jviz.viewers.plot.viewer import ProfileViewer


def profile(x, y, name="curve"):
    table = QTable({"x": x, "y": y}, meta={"x": "x", "y": "y"})
    return from_product(take_profile(table, name, "test"))


@pytest.fixture
def session():
    session = jviz.Session()
    yield session
    session.close()


@pytest.fixture
def viewer(session, qtbot):
    x = np.arange(200.0)
    session.add(profile(x, np.where((x > 90) & (x < 110), 10.0, 0.0)))
    viewer = ProfileViewer(session, session.view("profile", data="curve"))
    qtbot.addWidget(viewer)
    viewer.resize(600, 400)
    viewer.show()
    qtbot.waitUntil(lambda: viewer.has_painted)
    return viewer


def is_curve(viewer, image, x, y):
    colour = QColor(layer_colors(viewer.state, viewer.look)[id(viewer.state.layers[0])])
    near = [image.pixelColor(round(x) + i, round(y) + j) for i in range(-2, 3) for j in range(-2, 3)]
    return any(abs(c.red() - colour.red()) + abs(c.green() - colour.green()) < 40 for c in near)


def test_the_curve_is_where_its_numbers_are(viewer):
    image, scene = viewer.grab(), viewer.scene_now()
    for x, y in ((30.0, 0.0), (100.0, 10.0), (160.0, 0.0)):
        assert is_curve(viewer, image, float(scene.x.place(x)), float(scene.y.place(y)))
    assert not is_curve(viewer, image, float(scene.x.place(30.0)), float(scene.y.place(8.0)))


def test_the_wheel_zooms_at_the_cursor_as_one_step(viewer, session):
    scene = viewer.scene_now()
    at = QPointF(float(scene.x.place(100.0)), scene.picture.center().y())
    steps = len(session.history)
    for _ in range(3):
        wheel = QWheelEvent(
            at, viewer.mapToGlobal(at), QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        viewer.wheelEvent(wheel)
    low, high = viewer.state.x_range
    assert high - low < 150
    assert np.isclose(viewer.scene_now().x.value(at.x()), 100.0, atol=1e-6)
    assert len(session.history) == steps + 1
    session.undo()
    assert viewer.state.x_range is None


def test_a_drag_moves_the_curve_and_escape_gives_up(viewer, qtbot):
    viewer.state.x_range = (50.0, 150.0)
    scene = viewer.scene_now()
    middle = scene.picture.center().toPoint()
    qtbot.mousePress(viewer, Qt.MouseButton.LeftButton, pos=middle)
    qtbot.mouseMove(viewer, middle + QPoint(60, 0))
    moved = viewer.state.x_range
    assert moved[0] < 50.0
    qtbot.keyClick(viewer, Qt.Key.Key_Escape)
    assert viewer.state.x_range == (50.0, 150.0)
    qtbot.mouseRelease(viewer, Qt.MouseButton.LeftButton, pos=middle + QPoint(60, 0))
    assert viewer.state.x_range == (50.0, 150.0)


def test_control_and_drag_zooms_to_a_box(viewer, qtbot):
    scene = viewer.scene_now()
    a = QPoint(round(float(scene.x.place(80.0))), round(float(scene.y.place(9.0))))
    b = QPoint(round(float(scene.x.place(120.0))), round(float(scene.y.place(2.0))))
    qtbot.mousePress(viewer, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier, a)
    qtbot.mouseMove(viewer, (a + b) / 2)
    qtbot.mouseMove(viewer, b)
    qtbot.mouseRelease(viewer, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier, b)
    np.testing.assert_allclose(viewer.state.x_range, (80, 120), atol=1)
    np.testing.assert_allclose(viewer.state.y_range, (2, 9), atol=0.2)


def test_the_readout_is_the_nearest_sample(viewer):
    scene = viewer.scene_now()
    found = viewer.readout(QPointF(float(scene.x.place(99.7)), float(scene.y.place(9.0))))
    assert (found.x, found.y) == (100.0, 10.0)
    assert viewer.readout(QPointF(1, 1)) is None


def test_single_peaks_among_millions_are_drawn():
    y = np.zeros(3_000_000)
    y[1_234_567] = 7.0
    y[2_000_000] = np.nan
    outline = Outline(Curve(np.arange(len(y), dtype=float), y))
    x_axis, y_axis = Axis(0, len(y), 0, 800), Axis(0, 10, 400, 0)
    pieces = outline.points(x_axis, y_axis, "line")
    assert sum(len(x) for x, _ in pieces) < 5000
    highest = min(((down.min(), across[down.argmin()]) for across, down in pieces))
    assert np.isclose(highest[0], y_axis.place(7.0))
    assert abs(highest[1] - x_axis.place(1_234_567.0)) < 1.5


@pytest.mark.parametrize("log", [False, True])
def test_axes_are_inverse_and_ticks_lie_on_their_values(log):
    axis = Axis(0.02, 350.0, 40.0, 640.0, log)
    for value in (0.03, 1.0, 200.0):
        assert np.isclose(axis.value(float(axis.place(value))), value)
    ticks, _ = axis_ticks(axis, 6)
    for value, position in zip(ticks.values, ticks.positions, strict=True):
        assert np.isclose(40 + 600 * position, axis.place(value), atol=1e-6)


@pytest.mark.parametrize("suffix", ["png", "pdf", "svg"])
def test_plots_are_saved(session, tmp_path, suffix, qapp):
    session.add(profile(np.arange(50.0), np.arange(50.0) ** 2))
    view = session.view("profile", data="curve", y_log=True)
    path = session.render(view, tmp_path / f"plot.{suffix}", size=(500, 400))
    assert path.stat().st_size > 1500


def test_a_curve_without_values_leaves_the_axes(session, qtbot):
    session.add(profile(np.arange(5.0), np.full(5, np.nan)))
    viewer = ProfileViewer(session, session.view("profile", data="curve"))
    qtbot.addWidget(viewer)
    viewer.resize(300, 200)
    assert not viewer.grab().isNull()


def test_noise_over_the_whole_height_is_drawn_by_thin_pens():
    from jviz.viewers.plot.paint import is_much

    x = np.arange(1000.0)
    assert not is_much([(x, 200 * np.sin(x / 50))])
    assert is_much([(x[:500], 200 * (-1.0) ** x[:500]), (x[500:], np.zeros(500))])
    assert is_much([(np.arange(2e3), np.zeros(2000))])


def test_samples_of_noise_do_not_hide_the_rest_and_bright_lines_are_shown():
    """The ends of a slitless spectrum, where hardly any light comes through, have errors a thousand times larger."""
    from jviz.spectrum_views import SpectrumView
    from jviz.viewers.plot.axes import spans_of

    rng = np.random.default_rng(2)
    x = np.arange(1000.0)
    error = np.where(x < 870, 1.0, 500.0)
    y = 20 + error * rng.standard_normal(1000)
    y[870:] += 2000  # badly calibrated, too
    view = SpectrumView()
    low, high = spans_of(view, [Curve(x, y, error)])[1]
    assert y[:870].max() < high < 40
    assert 0 < low < y[:870].min()
    assert spans_of(view, [Curve(x, y)])[1][1] > y.max()  # nothing tells noise without errors
    view.robust = "off"
    assert spans_of(view, [Curve(x, y, error)])[1][1] > y.max()
    view.update(robust="auto", x_range=(900.0, 990.0))  # where all are alike none is left out
    assert spans_of(view, [Curve(x, y, error)])[1][1] > y[901:990].max()
    line = 20 + rng.standard_normal(1000) + 600 * np.exp(-0.5 * ((x - 500) / 4) ** 2)
    spread = np.sqrt(1 + 3 * np.clip(line, 0, None))  # its photons make the line's error forty times that of the rest
    spread[line < 40] = 1.0
    view.x_range = None
    assert spans_of(view, [Curve(x, line, spread)])[1][1] > line.max()
