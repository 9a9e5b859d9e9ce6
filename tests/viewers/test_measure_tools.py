"""Tools that measure with the mouse: markers, line cuts while they are drawn, the peak under a click."""

import numpy as np
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor

from tests.viewers.test_image_mouse import drag


def near(colour, wanted):
    return max(abs(a - b) for a, b in zip(colour.getRgb()[:3], QColor(wanted).getRgb()[:3], strict=True)) < 40


def coloured(viewer, wanted, place, reach=14):
    """Count pixels of a colour round a data pixel."""
    u, v = viewer.geometry_now().to_screen(*place)
    corner, image = viewer.frame_now().picture.topLeft(), viewer.grab()
    x, y = round(u + corner.x()), round(v + corner.y())
    return sum(
        near(image.pixelColor(i, j), wanted)
        for i in range(x - reach, x + reach) for j in range(y - reach, y + reach)
        if 0 <= i < image.width() and 0 <= j < image.height()
    )  # fmt: skip


def test_a_marker_is_logged_under_the_cursor_and_drawn(qtbot, show, ramp, session):
    viewer = show(ramp)
    qtbot.mouseMove(viewer, QPoint(200, 150))
    at = viewer.geometry_now().to_data(200, 150)
    session.run("marker.add_at_cursor")
    qtbot.waitUntil(lambda: session.dispatcher.drain() or len(session.markers) == 1)
    marker = session.markers[0]
    np.testing.assert_allclose((marker.x, marker.y), at)
    assert marker.value == ramp[round(marker.y), round(marker.x)]
    assert coloured(viewer, "#ffd54a", at) > 10
    session.undo()
    assert coloured(viewer, "#ffd54a", at) == 0


def test_a_marker_lies_on_the_same_sky_of_another_image(qtbot, show, session):
    from astropy.nddata import CCDData

    from jviz.markers import places
    from tests.model.test_profile_actions import sip_wcs

    other = sip_wcs()
    other.wcs.crpix = [20, 30]
    first = session.add(CCDData(np.zeros((80, 100)), unit="Jy", wcs=sip_wcs()), name="first")
    second = session.add(CCDData(np.zeros((80, 100)), unit="Jy", wcs=other), name="second")
    session.run("marker.add", data="first", position=(40, 35))
    viewer = show(second)
    found = places(session.markers, viewer.state, second.sky)
    expected = other.all_world2pix(*sip_wcs().all_pix2world(40, 35, 0), 0)
    np.testing.assert_allclose(found[0], expected, atol=1e-6)
    assert coloured(viewer, "#ffd54a", found[0]) > 10
    del first


def test_a_cut_is_told_while_it_is_drawn_and_stays_as_a_line(qtbot, show, ramp, session):
    viewer = show(ramp)
    session.run("tool.cut")
    seen = []
    session.interaction.line_changed.connect(lambda: seen.append(session.interaction.line))
    before = viewer.geometry_now()
    drag(qtbot, viewer, (100, 100), (300, 220))
    assert len(seen) >= 3
    assert seen[-1] is None
    view, points = seen[-2]
    assert view is viewer.state
    np.testing.assert_allclose(points, [before.to_data(100, 100), before.to_data(300, 220)])
    [line] = session.subsets.values()
    assert type(line.region).__name__ == "LinePixelRegion"
    session.undo()
    assert not session.subsets


def test_escape_gives_a_cut_up(qtbot, show, ramp, session):
    viewer = show(ramp)
    session.run("tool.cut")
    qtbot.mousePress(viewer, Qt.MouseButton.LeftButton, pos=QPoint(100, 100))
    qtbot.mouseMove(viewer, QPoint(200, 180))
    assert session.interaction.line is not None
    qtbot.keyClick(viewer, Qt.Key.Key_Escape)
    assert session.interaction.line is None
    qtbot.mouseRelease(viewer, Qt.MouseButton.LeftButton, pos=QPoint(200, 180))
    assert not session.subsets


def test_a_click_picks_the_nearest_peak_and_shows_its_width(qtbot, show, session):
    y, x = np.mgrid[:80, :100].astype(float)
    star = 5 + 300 * np.exp(-4 * np.log(2) * ((x - 61.4) ** 2 + (y - 33.2) ** 2) / 4.5**2)
    viewer = show(star)
    session.run("tool.pick")
    u, v = (round(float(n)) for n in viewer.geometry_now().to_screen(58.0, 36.0))
    qtbot.mouseClick(viewer, Qt.MouseButton.LeftButton, pos=QPoint(u, v))
    qtbot.waitUntil(lambda: session.dispatcher.drain() or len(session.results) == 1, timeout=10_000)
    table = session.results[-1].value
    np.testing.assert_allclose([table["x"][0].value, table["y"][0].value], [61.4, 33.2], atol=0.01)
    np.testing.assert_allclose(table["fwhm"][0].value, 4.5, atol=0.02)
    edge = 61.4 + 4.5 / 2, 33.2
    assert coloured(viewer, "#7ee787", edge, reach=4) > 3
    session.results.clear()
    assert coloured(viewer, "#7ee787", edge, reach=4) == 0
