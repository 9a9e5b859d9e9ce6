"""Tiles, blinking between viewers and the panel that compares, in the window."""

import numpy as np
import pytest
from PySide6.QtCore import Qt

from jviz.geometry import geometry_of


@pytest.fixture
def pair(window):
    """A view of two images, and a third that is not shown."""
    for name in ("one", "two", "three"):
        window.session.add(np.arange(1200.0).reshape(30, 40), name=name)
    view = window.session.view("image", data="one")
    window.session.run("view.show", view=view, data="two")
    return view


def test_layers_become_linked_tiles(window, pair, qtbot):
    window.session.run("view.show", view=pair, data="three")
    window.session.run("view.tile_layers")
    qtbot.waitUntil(lambda: all(job.is_over for job in window.session.jobs.all), timeout=10_000)
    views = list(window.session.views.values())
    assert [view.data.name for view in views] == ["one", "two", "three"]
    assert all({"pan", "zoom"} <= set(view.locks) for view in views)
    assert len(list(window.central.groups())) == 3
    areas = [window.central.area_of(view.name, window) for view in views]
    assert not any(a.intersects(b) for a in areas for b in areas if a is not b)
    views[1].update(scale=7.0, centre=(11.0, 12.0))
    assert all(geometry_of(view).scale == pytest.approx(7.0) for view in views)


def test_tiles_of_layers_show_the_whole_of_the_image_that_was_shown_whole(window, pair, qtbot):
    assert pair.scale is None
    window.session.run("view.tile_layers")
    qtbot.waitUntil(lambda: all(job.is_over for job in window.session.jobs.all), timeout=10_000)
    assert len(window.viewers) == 2
    for viewer in window.viewers:
        width, height = viewer.state.viewport
        assert geometry_of(viewer.state).scale <= 1.001 * min(width / 40, height / 30)
    assert window.central.active == pair.name


def test_blinking_from_viewer_to_viewer(window, pair, qtbot):
    window.session.settings["image.blink"] = 0.05
    window.session.view("image", data="three")
    start = window.central.active
    window.session.run("compare.blink_viewers")
    qtbot.waitUntil(lambda: window.central.active != start, timeout=5000)
    qtbot.waitUntil(lambda: window.central.active == start, timeout=5000)
    window.session.run("compare.blink_viewers")


def test_the_panel_shows_and_sets(window, pair, qtbot):
    panel = window.panel("compare")
    qtbot.waitUntil(lambda: panel.locks["cursor"].isChecked(), timeout=5000)
    panel.way.setCurrentIndex(panel.way.findData("curtain"))
    panel.way.activated.emit(panel.way.currentIndex())
    assert pair.curtain == 0.5
    window.session.undo()
    assert pair.curtain is None
    panel.locks["zoom"].setFocus()
    qtbot.keyClick(panel.locks["zoom"], Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: "zoom" in pair.locks, timeout=5000)


def test_images_of_a_composite_are_ticked_in_its_form(window, pair, qtbot):
    from jviz.window.fields import field_for

    field = field_for("data", list[type(window.session["one"])], window.session)
    qtbot.addWidget(field)
    assert field.value() == []
    field.set_value([window.session["three"], window.session["one"]])
    assert [data.name for data in field.value()] == ["one", "three"]
    names = field_for("colors", list[str] | None, window.session)
    qtbot.addWidget(names)
    assert names.value() is None
    names.edit.setText("red, #00ff00")
    assert names.value() == ["red", "#00ff00"]


def test_spectra_are_stacked_below_their_image_and_aligned(window, pair, qtbot):
    from jviz.backend.spectra.axis import SpectralAxis
    from jviz.backend.spectra.samples import Samples
    from jviz.spectral import made_spectrum

    session, views = window.session, []
    for name, unit, factor in (("red", "um", 1.0), ("blue", "nm", 1e3)):
        axis = SpectralAxis(factor * np.linspace(1.0, 2.0, 50), unit, "wavelength")
        session.add(made_spectrum(Samples(axis, np.arange(50.0), "mJy"), name, name))
        views.append(session.view("spectrum", data=name))
    qtbot.waitUntil(lambda: len(window.central.names) == 3)
    window.central.activate(views[0].name)
    views[0].x_range = (1.2, 1.6)
    session.run("spectrum.stack_panels")
    areas = [window.central.area_of(view.name, window) for view in (pair, *views)]
    assert areas[0].bottom() <= areas[1].top() < areas[1].bottom() <= areas[2].top()
    assert len({area.width() for area in areas}) == 1
    assert views[1].x_range == pytest.approx((1200.0, 1600.0))
    views[1].x_range = (1300.0, 1500.0)
    assert views[0].x_range == pytest.approx((1.3, 1.5))


def test_one_viewer_alone_is_not_stacked(window, pair):
    from jviz.errors import CommandError

    with pytest.raises(CommandError, match="one viewer only"):
        window.session.run("spectrum.stack_panels")
