"""The display panel: limits dragged on the histogram, stretches, colours, layers; and what it looks like."""

import numpy as np
import pytest
from astropy.io import fits
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QListWidget, QScrollArea

from jviz.backend.render.colormaps import colormap
from jviz.backend.render.distribution import Values
from jviz.plugins.histogram import Histogram, round_values

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def panel(make_panel, view, qtbot):
    """The panel with the picture of 60 × 40 pixels, its histogram filled."""
    panel = make_panel("display", (340, 640))
    qtbot.waitUntil(lambda: panel._sample.size == 2400 and panel.controls.low.text() != "")
    return panel


def drag(widget, start, stop, steps=8):
    start, stop = QPointF(*start), QPointF(*stop)
    QTest.mouseMove(widget, start.toPoint())
    QTest.mousePress(widget, LEFT, pos=start.toPoint())
    for n in range(1, steps + 1):
        QTest.mouseMove(widget, (start + (stop - start) * n / steps).toPoint())
    QTest.mouseRelease(widget, LEFT, pos=stop.toPoint())


def choose(box, data):
    """Choose an entry of a combo box with the keys."""
    box.setFocus()
    target, present = box.findData(data), box.currentIndex()
    for _ in range(abs(target - present)):
        QTest.keyClick(box, Qt.Key.Key_Down if target > present else Qt.Key.Key_Up)


def per_pixel(histogram):
    low, high = histogram._span
    return (high - low) / histogram.area.width()


# --- histogram ------------------------------------------------------------------------------------


def test_escape_gives_up_a_drag_of_the_limits(panel, view, session, qtbot):
    histogram, before = panel.controls.histogram, (view.limits, view.layer.limits_mode)
    steps, y = len(session.history), histogram.area.center().y()
    at = QPoint(round(histogram.x_of(view.limits[0])), round(y))
    qtbot.mousePress(histogram, Qt.MouseButton.LeftButton, pos=at)
    qtbot.mouseMove(histogram, at + QPoint(30, 0))
    assert view.limits != before[0]
    qtbot.keyClick(histogram, Qt.Key.Key_Escape)
    qtbot.mouseRelease(histogram, Qt.MouseButton.LeftButton, pos=at + QPoint(30, 0))
    assert (view.limits, view.layer.limits_mode) == before
    assert len(session.history) == steps


def drag_with_shift(histogram, low, high, *, escape=False):
    y, shift = round(histogram.area.center().y()), Qt.KeyboardModifier.ShiftModifier
    start, stop = (QPoint(round(histogram.x_of(value)), y) for value in (low, high))
    QTest.mousePress(histogram, LEFT, shift, start)
    QTest.mouseMove(histogram, stop)
    marked = histogram.grab().toImage().pixelColor(start + (stop - start) / 2 + QPoint(0, 8 - y))
    if escape:
        QTest.keyClick(histogram, Qt.Key.Key_Escape)
    QTest.mouseRelease(histogram, LEFT, shift, stop)
    return marked


def test_shift_and_a_drag_make_a_region_of_a_range_of_values(panel, view, session, qtbot):
    histogram, before = panel.controls.histogram, view.limits
    plain = histogram.grab().toImage().pixelColor(round(histogram.x_of(1000.0)), 8)
    assert drag_with_shift(histogram, 1500.0, 500.0) != plain, "the range is marked while it is dragged"
    qtbot.waitUntil(lambda: len(session.subsets) == 1)
    [subset] = session.subsets.values()
    values = view.layer.data.get(np.ndarray)
    low, high = values[subset.region].min(), values[subset.region].max()
    assert abs(low - 500) <= per_pixel(histogram)
    assert abs(high - 1500) <= per_pixel(histogram)
    assert np.array_equal(subset.region, (values >= low) & (values <= high))
    assert view.limits == before
    assert "image.select_values" in session.script()
    session.undo()
    assert not session.subsets


def test_the_histogram_of_a_ratio_is_of_the_ratio(panel, view, session, qtbot):
    values = view.layer.data.get(np.ndarray)
    session.add(values / 4 + 1, name="quarter")
    session.run("view.show", view=view, data="quarter")
    session.run("compare.ratio", view=view, data=view.layers[0].data, against="quarter")
    ratio = values / (values / 4 + 1)
    qtbot.waitUntil(lambda: panel._sample.size == 2400 and panel._sample.max() < 4)
    np.testing.assert_allclose(panel._sample, np.sort(ratio, axis=None), rtol=1e-5)
    low, high = panel.controls.histogram._span
    assert low < np.median(ratio) < high
    drag_with_shift(panel.controls.histogram, low + 0.3 * (high - low), low + 0.6 * (high - low))
    qtbot.wait(50)
    assert not session.subsets


def test_a_range_is_given_up_by_escape_and_a_click_makes_none(panel, session, qtbot):
    histogram = panel.controls.histogram
    drag_with_shift(histogram, 500.0, 1500.0, escape=True)
    drag_with_shift(histogram, 500.0, 500.0)
    qtbot.wait(50)
    assert not session.subsets


def test_dragging_a_line_sets_the_limit_in_one_step(panel, view, session):
    histogram = panel.controls.histogram
    session.flush()
    steps = len(session.history)
    low, high = view.limits
    target = 1500.0
    y = histogram.area.center().y()
    drag(histogram, (histogram.x_of(low), y), (histogram.x_of(target), y))
    assert view.limits_mode == "manual"
    assert view.limits[1] == high
    assert view.limits[0] == pytest.approx(target, abs=1.5 * per_pixel(histogram))
    assert len(session.history) == steps + 1
    session.undo()
    assert view.limits == (low, high)
    assert view.limits_mode == "auto"


def test_two_drags_are_two_steps(panel, view, session):
    histogram = panel.controls.histogram
    steps, y = len(session.history), histogram.area.center().y()
    for target in (3000.0, 2500.0):
        drag(histogram, (histogram.x_of(view.limits[1]), y), (histogram.x_of(target), y))
    assert len(session.history) == steps + 2


def test_dragging_between_the_lines_moves_both(panel, view):
    histogram = panel.controls.histogram
    low, high = view.limits
    y, middle, shift = histogram.area.center().y(), histogram.x_of((low + high) / 2), 20
    drag(histogram, (middle, y), (middle + shift, y))
    assert view.limits[1] - view.limits[0] == pytest.approx(high - low)
    assert view.limits[0] - low == pytest.approx(shift * per_pixel(histogram), rel=0.06)


def test_limits_cannot_pass_each_other(panel, view):
    histogram = panel.controls.histogram
    low, high = view.limits
    y = histogram.area.center().y()
    drag(histogram, (histogram.x_of(low), y), (histogram.area.right() - 1, y))
    assert low < view.limits[0] < view.limits[1] == high


def test_keys_move_the_limits(panel, view, qtbot):
    histogram = panel.controls.histogram
    low, high = view.limits
    histogram.setFocus()
    qtbot.keyClick(histogram, Qt.Key.Key_Up)
    qtbot.keyClick(histogram, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    assert view.limits == (low, pytest.approx(high - 10 * per_pixel(histogram)))


def test_the_bars_count_the_pixels(panel, picture):
    histogram = panel.controls.histogram
    low, high = histogram._span
    counts, _ = np.histogram(picture, len(histogram._heights), (low, high))
    np.testing.assert_allclose(histogram._heights, np.log1p(counts) / np.log1p(counts).max())


def test_the_wheel_zooms_about_the_cursor_and_a_double_click_shows_all(panel, qtbot):
    histogram = panel.controls.histogram
    x = histogram.area.left() + 70
    value, span = histogram.value_at(x), histogram._span
    from PySide6.QtGui import QWheelEvent

    place = QPointF(x, 40)
    event = QWheelEvent(place, histogram.mapToGlobal(place), QPoint(), QPoint(0, 240), Qt.MouseButton.NoButton,
                        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False)  # fmt: skip
    histogram.wheelEvent(event)
    assert histogram._span[1] - histogram._span[0] == pytest.approx(0.64 * (span[1] - span[0]))
    assert histogram.value_at(x) == pytest.approx(value)
    QTest.mouseDClick(histogram, LEFT, pos=QPoint(int(x), 60))
    assert histogram._span == span


def test_knots_of_the_spline_are_dragged_added_and_removed(panel, view, session, qtbot):
    choose(panel.controls.stretch, "spline")
    histogram = panel.controls.histogram
    qtbot.waitUntil(lambda: histogram.knots is not None)
    start = histogram.knot_position(view.knots[1])
    drag(histogram, (start.x(), start.y()), (start.x(), start.y() - 0.2 * histogram.area.height()))
    assert view.knots[1] == (pytest.approx(0.25, abs=0.01), pytest.approx(0.45, abs=0.02))
    xs = [x for x, _ in view.knots]
    assert len(session.history) > 0
    QTest.mouseDClick(histogram, LEFT, pos=histogram.knot_position((0.62, 0.6)).toPoint())
    assert len(view.knots) == len(xs) + 1
    assert view.knots == tuple(sorted(view.knots))
    qtbot.wait(20)
    QTest.mouseDClick(histogram, LEFT, pos=histogram.knot_position(view.knots[1]).toPoint())
    assert len(view.knots) == len(xs)


def test_the_ramp_shows_the_colours_between_the_limits(panel, view, qtbot):
    view.colormap, view.stretch = "viridis", "linear"
    view.limits = (1000.0, 3000.0)
    histogram = panel.controls.histogram
    qtbot.waitUntil(lambda: histogram.limits == (1000.0, 3000.0))
    picture = histogram.grab().toImage()
    y = int(histogram.area.bottom() + 7)
    colours = colormap("viridis").astype(int)
    for share, value in ((0.0, 400.0), (0.25, 1500.0), (0.75, 2500.0), (1.0, 3500.0)):
        seen = np.array(picture.pixelColor(int(histogram.x_of(value)), y).getRgb()[:3])
        assert np.abs(seen - colours[round(255 * share)]).max() <= 8


def test_round_values_are_round_and_inside():
    for low, high in ((0.0, 1.0), (-3.2e-19, 8e-19), (1e5, 1e5 + 3), (-7e6, 2e7)):
        values = round_values(low, high, 4)
        assert 2 <= len(values) <= 9
        assert all(low <= v <= high for v, _ in values)
        assert len({text for _, text in values}) == len(values)
        step = values[1][0] - values[0][0]
        assert all(abs(float(text) - v) < 0.01 * step for v, text in values)


def test_a_histogram_without_values_can_be_painted(qtbot):
    histogram = Histogram()
    qtbot.addWidget(histogram)
    histogram.show_values(Values(np.empty(0)))
    histogram.show()
    assert not histogram.grab().isNull()


# --- the other controls ---------------------------------------------------------------------------


def test_typed_limits(panel, view, qtbot):
    low = panel.controls.low
    low.setFocus()
    low.selectAll()
    qtbot.keyClicks(low, "123.5")
    qtbot.keyClick(low, Qt.Key.Key_Return)
    assert view.limits[0] == 123.5
    assert view.limits_mode == "manual"


def test_limits_that_lie_close_together_are_written_apart_and_the_other_one_stays(panel, view, qtbot):
    view.limits = (230_538_000_000.25, 230_538_060_000.0)
    edits = panel.controls.low, panel.controls.high
    qtbot.waitUntil(lambda: [edit.text() for edit in edits] == ["230538000000", "230538060000"])
    panel.controls.high.setFocus()
    panel.controls.high.selectAll()
    qtbot.keyClicks(panel.controls.high, "230538050000")
    qtbot.keyClick(panel.controls.high, Qt.Key.Key_Return)
    assert view.limits == (230_538_000_000.25, 230_538_050_000.0)


def test_limits_the_wrong_way_round_are_refused(panel, view, context, qtbot):
    before = view.limits
    panel.controls.low.setFocus()
    panel.controls.low.selectAll()
    qtbot.keyClicks(panel.controls.low, "1e9")
    qtbot.keyClick(panel.controls.low, Qt.Key.Key_Return)
    assert view.limits == before
    assert "must be below" in context.notices[-1].text


def test_percentiles(panel, view, picture, qtbot):
    choose(panel.controls.mode, "percentile")
    qtbot.waitUntil(lambda: panel.controls.low_percentile.isVisible())
    panel.controls.low_percentile.setValue(10.0)
    panel.controls.high_percentile.setValue(80.0)
    assert view.percentiles == (10.0, 80.0)
    np.testing.assert_allclose(view.limits, np.percentile(picture, (10, 80)), rtol=1e-5)


def test_stretch_and_parameter(panel, view, session, qtbot):
    choose(panel.controls.stretch, "log")
    qtbot.waitUntil(lambda: panel.controls.parameter.prefix() == "a = ")
    assert panel.controls.parameter.value() == 1000.0
    panel.controls.parameter.setValue(50.0)
    assert (view.stretch, view.stretch_parameter) == ("log", 50.0)
    choose(panel.controls.stretch, "linear")
    qtbot.waitUntil(lambda: not panel.controls.parameter.isVisible())
    assert view.stretch_parameter is None


def test_contrast_and_bias_are_reset(panel, view, qtbot):
    panel.controls.contrast.setValue(40)
    panel.controls.bias.setValue(20)
    assert view.contrast == pytest.approx(10**0.4)
    assert view.bias == pytest.approx(0.1)
    qtbot.waitUntil(panel.controls.reset.isEnabled)
    qtbot.mouseClick(panel.controls.reset, LEFT)
    assert (view.contrast, view.bias) == (1.0, 0.5)


def test_a_script_moves_the_controls(panel, view, qtbot):
    view.layer.update(stretch="sqrt", colormap="magma", invert=True, opacity=0.5, contrast=10.0)
    controls = panel.controls
    qtbot.waitUntil(lambda: controls.stretch.currentData() == "sqrt")
    assert controls.colormap.name == "magma"
    assert controls.invert.isChecked()
    assert (controls.opacity.value(), controls.contrast.value()) == (50, 100)
    assert (view.opacity, view.contrast) == (0.5, 10.0)


@pytest.mark.qt_log_ignore("This plugin does not support")
def test_a_colour_map_is_found_by_typing(panel, view, qtbot):
    qtbot.mouseClick(panel.controls.colormap, LEFT)
    popup = panel.controls.colormap.popup
    shown = popup.findChild(QListWidget)
    assert shown.item(0).text() == "Safe for the colour-blind"
    qtbot.keyClicks(popup.search, "cubeh")
    assert [shown.item(n).text() for n in range(shown.count())] == ["Safe for the colour-blind", "cubehelix"]
    qtbot.keyClick(popup.search, Qt.Key.Key_Return)
    assert view.colormap == "cubehelix"


def test_planes_of_a_real_file(make_panel, session, shared_data, qtbot):
    session.open(shared_data / "j8bt06nyq_flt.fits", show=True)
    [view] = session.views.values()
    panel = make_panel("display")
    plane = panel.controls.plane
    assert [plane.itemData(n) for n in range(plane.count())] == ["SCI", "ERR", "DQ"]
    choose(plane, "ERR")
    assert view.plane == "ERR"
    expected = view.data.raster("ERR").sample()
    expected = np.sort(expected[np.isfinite(expected)])
    qtbot.waitUntil(lambda: np.array_equal(panel._sample, expected))


def test_slices_of_a_cube(make_panel, session, shared_data, qtbot):
    session.open(shared_data / "l1448_13co.fits", show=True)
    [view] = session.views.values()
    panel = make_panel("display")
    assert panel.controls.slice_slider.maximum() == view.data.shape[0] - 1
    panel.controls.slice_number.setValue(7)
    assert view.layer.index == (7,)
    view.layer.index = (9,)
    qtbot.waitUntil(lambda: panel.controls.slice_slider.value() == 9)


def test_layers_are_hidden_chosen_and_moved(panel, view, session, picture, qtbot):
    session.add(picture[::-1].copy(), name="top")
    session.run("view.show", view=view, data="top")
    layers = panel.controls.layers
    qtbot.waitUntil(lambda: layers.count() == 2)
    assert [layers.item(n).text() for n in range(2)] == ["top", "ramp"]
    bottom = view.layers[0]
    place = layers.visualItemRect(layers.item(1)).center()
    QTest.mouseClick(layers.viewport(), LEFT, pos=place)
    assert view.layer is bottom
    qtbot.wait(20)
    layers.item(1).setCheckState(Qt.CheckState.Unchecked)
    assert not bottom.visible
    qtbot.wait(20)
    layers.setFocus()
    QTest.keyClick(layers, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert [layer.data.name for layer in view.layers] == ["top", "ramp"]
    assert view.layer is bottom
    session.undo()
    assert [layer.data.name for layer in view.layers] == ["ramp", "top"]
    qtbot.waitUntil(lambda: layers.item(0).text() == "top")
    layers.setCurrentRow(0)
    QTest.keyClick(layers, Qt.Key.Key_Delete)
    assert [layer.data.name for layer in view.layers] == ["ramp"]


def test_limits_of_what_is_in_view(panel, view, qtbot):
    view.data.raster().first()
    view.update(centre=(10.0, 10.0), scale=100.0)
    choose(panel.controls.source, "view")
    assert view.limits_from == "view"
    qtbot.waitUntil(lambda: 0 < panel._sample.size < 2400)
    x0, y0, x1, y1 = 5.0, 6.0, 15.0, 14.0
    np.testing.assert_array_equal(
        panel._sample, np.sort([x + 100 * y for x in np.arange(x0, x1 + 1) for y in np.arange(y0, y1 + 1)])
    )


def test_what_a_narrow_panel_cuts_off_can_be_scrolled_to(panel, qtbot):
    panel.resize(180, 300)
    [area] = panel.findChildren(QScrollArea)
    qtbot.waitUntil(lambda: area.horizontalScrollBar().maximum() > 0)
    assert area.viewport().width() + area.horizontalScrollBar().maximum() >= panel.controls.width()


def test_layers_of_slabs_have_names_of_their_own_and_limits_of_the_slab(make_panel, session, tmp_path, qtbot):
    header = fits.Header({"CTYPE3": "FREQ", "CUNIT3": "Hz", "CRVAL3": 1e11, "CDELT3": 1e9, "CRPIX3": 1.0})
    fits.PrimaryHDU(np.ones((24, 10, 12), np.float32), header).writeto(tmp_path / "cube.fits")
    session.open(tmp_path / "cube.fits")
    panel = make_panel("display", (340, 640))
    source, layers = panel.controls.source, panel.controls.layers
    rgb = session.run("cube.rgb", data="cube")
    qtbot.waitUntil(lambda: layers.count() == 3)
    for row, ends in enumerate(("115.5 – 123.5", "107.5 – 115.5", "99.5 – 107.5")):
        assert layers.item(row).text() == f"cube · mean, {ends} GHz"
    assert source.itemText(source.findData("cube")) == "the slab"
    rgb.layer.update(slab=None)
    qtbot.waitUntil(lambda: source.itemText(source.findData("cube")) == "all slices")
    assert layers.item(0).text() == "cube"
