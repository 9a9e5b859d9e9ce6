"""Panels in docks, and arrangements that come back."""

from __future__ import annotations

import json

import numpy as np
import pytest
from astropy import units as u
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QScrollArea
from specutils import Spectrum

from jviz.api import LINE_FIT
from jviz.backend.cache import home
from jviz.errors import JvizError
from jviz.plugin_loader import _panels, panel, panels
from jviz.window.docks import SIZES


def arrangement(window):
    return {d.spec.id: (not d.isHidden(), d.isFloating(), window.dockWidgetArea(d)) for d in window.docks}


def test_every_declared_panel_has_a_dock(window):
    assert {d.spec.id for d in window.docks} == set(panels())


def test_panels_are_made_when_they_are_first_seen(window):
    hidden = [d for d in window.docks if d.isHidden()]
    assert hidden
    assert all(d.panel is None for d in hidden)
    widget = window.panel("history")
    assert window.panel("history") is widget


def test_the_arrangement_comes_back_in_the_next_window(make_window):
    first = make_window()
    first.docks["data"].close()
    first.panel("history")
    first.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, first.docks["history"])
    first.panel("log")
    first.docks["log"].setFloating(True)
    before = arrangement(first)
    first.close()
    assert arrangement(make_window()) == before


def test_named_layouts_and_reset(window):
    usual = arrangement(window)
    window.panel("log")
    window.docks["data"].close()
    window.invoker.run("window.save_layout", name="  plain ")
    mine = arrangement(window)
    window.invoker.run("window.reset_layout")
    assert arrangement(window) == usual
    window.invoker.run("window.restore_layout", name="plain")
    assert arrangement(window) == mine
    with pytest.raises(JvizError, match="plain"):
        window.layouts.restore("fancy")


def test_layouts_are_written_whole_or_not_at_all(window):
    window.layouts.save("mine")
    path = home("data") / "layouts.json"
    assert "mine" in json.loads(path.read_text())["named"]
    assert [p.name for p in path.parent.glob("*layouts*")] == ["layouts.json"]


@pytest.mark.parametrize("text", ["", "not json", "[1, 2]", '{"last": {"docks": "rubbish"}, "named": 3}'])
def test_a_damaged_layout_file_does_no_harm(make_window, text):
    path = home("data") / "layouts.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    assert make_window().panel("data").isVisible()


def test_a_panel_of_a_plugin_that_raises_is_told_and_the_rest_goes_on(window, told):
    @panel("extra.broken", title="Broken", place="right")
    class Broken(QLabel):
        """Cannot be made."""

        def __init__(self, context):
            raise ValueError("no luck")

    try:
        window.take_plugins()
        window.panel("extra.broken")
        assert any("no luck" in t.text for t in told(window))
        assert window.panel("data").isVisible()
    finally:
        del _panels["extra.broken"]


def test_the_arrangement_of_viewers_is_saved_with_a_session(filled, make_window, tmp_path, qtbot):
    filled.session.view("image", data="picture")
    filled.central.move("Image 2", "Image 1", "right")
    qtbot.waitUntil(lambda: "split" in str(filled.session.extras.get("layout")), timeout=5_000)
    path = filled.session.save(tmp_path / "work.jviz")
    other = make_window()
    other.invoker.run("file.open_session", path=path)
    qtbot.waitUntil(lambda: len(other.viewers) == 2, timeout=20_000)
    qtbot.waitUntil(lambda: len(list(other.central.groups())) == 2, timeout=5_000)
    assert other.central.names == ["Image 1", "Image 2"]


def test_panels_of_a_first_start_need_no_scroll_bar_to_the_side(make_window, image, qtbot):
    window = make_window()
    window.resize(1400, 900)
    window.session.add(image, name="picture")
    window.session.view("image", data="picture")
    panel = window.panel("display")
    layer = window.session.views["Image 1"].layer
    for looks in ({}, {"limits_mode": "percentile"}, {"stretch": "power"}, {"stretch": "spline"}):
        layer.update(**looks)
        qtbot.wait(60)
        for area in panel.findChildren(QScrollArea):
            assert area.widget().minimumSizeHint().width() <= SIZES["right"], looks


def test_the_longest_name_and_every_panel_leave_room_in_a_small_window(window, qtbot):
    window.resize(1024, 700)
    image = window.session.add(np.ones((30, 40)), name="a_name_that_goes_on_and_on_" * 8)
    viewer = window.open_viewer("image", data=image)
    for dock in window.docks:
        window.panel(dock.spec.id)
    qtbot.waitUntil(lambda: viewer.has_painted)
    assert window.minimumSizeHint().width() < 1024
    assert (window.width(), window.height()) == (1024, 700)
    assert viewer.visibleRegion().boundingRect() == viewer.rect(), "no panel lies over the picture"
    bar = window.menuBar()
    ends = [bar.actionGeometry(action).right() for action in bar.actions()]
    assert max(ends) < 1024, "every menu is in sight"


def test_what_a_panel_has_no_room_for_is_scrolled_to(window, qtbot):
    panel = window.panel("calibration")
    dock = window.docks["calibration"]
    dock.setFloating(True)
    dock.resize(220, 200)
    room = dock.widget()
    qtbot.waitUntil(lambda: room.horizontalScrollBar().maximum() > 0)
    assert room.widget() is panel
    assert panel.width() >= panel.minimumSizeHint().width() > room.viewport().width()


def test_a_panel_at_a_side_is_shown_as_wide_as_it_needs_to_be(window, qtbot):
    window.resize(1360, 860)
    panel = window.docks.show("calibration")
    room = window.docks["calibration"].widget()
    qtbot.waitUntil(lambda: room.width() >= panel.minimumSizeHint().width())
    qtbot.waitUntil(lambda: not room.horizontalScrollBar().isVisible())
    window.resize(800, 600)
    window.docks.show("calibration")
    qtbot.wait(10)
    assert window.width() == 800
    assert window.docks["calibration"].width() < 400  # the viewers keep more than half


def test_a_panel_behind_another_tab_is_out_of_sight_for_itself_too(window, qtbot):
    """Qt only moves it off the window; it would go on refreshing, and show its previews over spectra."""
    rng = np.random.default_rng(5)
    x = np.linspace(4.0, 4.2, 400)
    flux = 2 + 3 * np.exp(-0.5 * ((x - 4.1) / 0.004) ** 2) + rng.normal(0, 0.05, x.size)
    window.session.add(Spectrum(flux=flux * u.Jy, spectral_axis=x * u.um), name="line")
    window.open_viewer("spectrum", "line")
    fit, live = window.panel("line_fit"), window.session.live_spectra
    qtbot.waitUntil(lambda: LINE_FIT in [one.name for one in live.shown], timeout=20_000)
    width = window.docks["line_fit"].width()
    other = window.panel("display")
    assert window.docks["line_fit"] in window.tabifiedDockWidgets(window.docks["display"])
    assert other.isVisible()
    assert not fit.isVisible()
    assert LINE_FIT not in [one.name for one in live.shown]
    assert window.docks["display"].width() == width
    assert window.panel("line_fit") is fit
    assert fit.isVisible()
    assert not other.isVisible()
    qtbot.waitUntil(lambda: LINE_FIT in [one.name for one in live.shown], timeout=20_000)
