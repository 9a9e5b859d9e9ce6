"""What was found, over the images: its outlines are drawn, and linked with the rows both ways."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QWidget

from jviz.api import found_rows
from jviz.found_rows import outlined
from tests.archives import made


@pytest.fixture
def panel(make_panel, mast):
    return make_panel("archive", size=(1200, 460))


@pytest.fixture
def image(session, tmp_path):
    """An image of the place of the first observation."""
    [data] = session.open(made(tmp_path / "mine_i2d.fits", 0, size=2400), show=False)
    return data


def searched(qtbot, panel):
    panel.question.fields["instrument"].setText("nircam")
    panel.search()
    qtbot.waitUntil(lambda: not panel._jobs, timeout=60_000)
    assert panel.found.table_model.rowCount() == 5


def drawn(qtbot, session, image):
    found = found_rows(session)
    found.on(image)
    qtbot.waitUntil(lambda: found.on(image) is not None, timeout=60_000)
    return found.on(image)


def test_outlines_lie_where_the_sky_of_the_image_has_them(qtbot, panel, session, image, mast):
    searched(qtbot, panel)
    there = drawn(qtbot, session, image)
    # The observations are 0.2 degrees apart along RA; all middles are within a degree of the image.
    assert sorted(there.rows.tolist()) == [0, 1, 2, 3, 4]
    corners = [(53.09, -27.81), (53.11, -27.81), (53.11, -27.79), (53.09, -27.79), (53.09, -27.81)]
    first = int(np.flatnonzero(there.rows == 0)[0])
    part = slice(there.starts[first], there.starts[first + 1])
    x, y = image.sky.sky_to_pixel(*np.array(corners).T)
    np.testing.assert_allclose(there.x[part], x, atol=1e-3)
    np.testing.assert_allclose(there.y[part], y, atol=1e-3)


def test_rows_that_facets_hide_and_hidden_panels_draw_nothing(qtbot, panel, session, image, mast):
    searched(qtbot, panel)
    drawn(qtbot, session, image)
    panel.rows._passing = np.array([True, False, False, False, False])
    panel.rows.draw_on_images()
    assert drawn(qtbot, session, image).rows.tolist() == [0]
    qtbot.mouseClick(panel.on_images, Qt.MouseButton.LeftButton)
    assert session.settings["archive.footprints_on_images"] is False
    assert found_rows(session).on(image) is None
    qtbot.mouseClick(panel.on_images, Qt.MouseButton.LeftButton)
    drawn(qtbot, session, image)
    panel.hide()
    assert found_rows(session).on(image) is None


def test_far_away_rows_are_left_out(session, image):
    from astropy.table import Table

    box = "POLYGON {0} {1} {2} {1} {2} {3}"
    table = Table({
        "s_ra": [53.1, 233.1, np.nan], "s_dec": [-27.8, 27.8, 0.0],
        "s_region": [box.format(53.0, -27.9, 53.2, -27.7), box.format(233.0, 27.7, 233.2, 27.9), ""],
    })  # fmt: skip
    assert outlined(table, None, image.sky).rows.tolist() == [0]
    assert outlined(table[1:], None, image.sky) is None
    assert outlined(table, np.array([False, True, True]), image.sky) is None
    assert outlined(table["s_ra", "s_dec"], None, image.sky) is None


def test_a_click_on_an_outline_selects_the_row_and_a_selected_row_is_bright(qtbot, panel, session, image, mast):
    from jviz.viewers.base import viewer_types

    view = session.view("image", data=image)
    viewer = viewer_types()["image"](session, view)
    qtbot.addWidget(viewer)
    viewer.resize(400, 400)
    viewer.show()
    searched(qtbot, panel)
    there = drawn(qtbot, session, image)
    view.update(scale=1.0, centre=(there.x[there.starts[0]], there.y[there.starts[0]]))
    qtbot.waitUntil(lambda: viewer.has_painted, timeout=60_000)
    qtbot.wait(50)
    row = int(there.rows[0])
    a = np.array([there.x[0], there.y[0]])
    b = np.array([there.x[1], there.y[1]])
    on_line = a + 40 * (b - a) / np.hypot(*(b - a))
    u, v = viewer.geometry_now().to_screen(*on_line)
    at = (viewer.frame_now().picture.topLeft() + QPointF(float(u), float(v))).toPoint()
    before = QWidget.grab(viewer).toImage().pixelColor(at)
    qtbot.mouseClick(viewer, Qt.MouseButton.LeftButton, pos=at)
    assert panel.found.selected_rows() == [row]
    qtbot.waitUntil(lambda: found_rows(session).chosen == {row})
    qtbot.waitUntil(lambda: QWidget.grab(viewer).toImage().pixelColor(at) != before, timeout=60_000)
    colour = QWidget.grab(viewer).toImage().pixelColor(at)
    assert colour.red() > 180
    assert colour.blue() < 100
    other = 1 if row != 1 else 2
    panel.found.select_rows([other])
    qtbot.waitUntil(lambda: found_rows(session).chosen == {other})
