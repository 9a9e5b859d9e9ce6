"""Footprints on an image: drawn where they lie, and moved as a whole by one drag."""

import numpy as np
import pytest
from astropy.io import fits
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor

from jviz.viewers.footprint_turn import turn_grip
from tests.viewers.test_image_mouse import drag


@pytest.fixture
def field(session, tmp_path):
    """An image of 6′ with north up, 1″ pixels, centred on (150, 2)."""
    image = fits.PrimaryHDU(np.zeros((360, 360), np.float32))
    values = {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRPIX1": 180.5, "CRPIX2": 180.5, "CRVAL1": 150.0,
              "CRVAL2": 2.0, "CDELT1": -1 / 3600, "CDELT2": 1 / 3600, "CUNIT1": "deg", "CUNIT2": "deg"}  # fmt: skip
    image.header.update(values)
    image.writeto(tmp_path / "field.fits")
    return session.open(tmp_path / "field.fits", show=False)[0]


def pixels(session, name, sky):
    vertices = session.subsets[name].region.vertices.icrs
    return np.stack(sky.sky_to_pixel(vertices.ra.deg, vertices.dec.deg), axis=1)


def test_one_drag_moves_all_of_a_footprint(qtbot, show, session, field):
    viewer = show(field, size=(500, 500), scale=1.0)
    made = session.run("footprint.place", aperture="NRCAS_FULL", pa=0)
    names = [subset.name for subset in made]
    assert np.allclose(np.mean([pixels(session, n, field.sky).mean(0) for n in names], axis=0), 179.5, atol=8)
    session.interaction.select(names)
    qtbot.waitUntil(lambda: viewer.is_sharp)
    before = {name: pixels(session, name, field.sky) for name in names}
    steps = len(session.history)
    edge = (before[names[0]][0] + before[names[0]][1]) / 2
    u, v = viewer.geometry_now().to_screen(*edge)
    corner = viewer.frame_now().picture.topLeft()
    start = (int(u + corner.x()), int(v + corner.y()))
    drag(qtbot, viewer, start, (start[0] + 40, start[1] + 25))
    for name in names:
        assert np.allclose(pixels(session, name, field.sky) - before[name], (40, -25), atol=0.05)
    assert len(session.history) == steps + 1
    session.undo()
    for name in names:
        assert np.allclose(pixels(session, name, field.sky), before[name], atol=1e-6)


def test_the_handle_turns_a_footprint_about_its_middle(qtbot, show, session, field):
    viewer = show(field, size=(500, 500), scale=1.0)
    names = [subset.name for subset in session.run("footprint.place", aperture="NRCAS_FULL", pa=20)]
    session.interaction.select(names)
    qtbot.waitUntil(lambda: viewer.is_sharp)
    geometry = viewer.geometry_now()
    grip = turn_grip(session, field.sky, geometry)
    corner = viewer.frame_now().picture.topLeft()
    start = grip.at + corner
    # A quarter turn to the left of the screen, which is to the east.
    end = grip.centre + corner - QPointF(grip.centre.y() - grip.at.y(), 0)
    assert QColor(viewer.grab().pixel(start.toPoint())).lightness() > 200
    before = {name: pixels(session, name, field.sky) for name in names}
    steps, script = len(session.history), len(session.script().splitlines())
    drag(qtbot, viewer, (round(start.x()), round(start.y())), (round(end.x()), round(end.y())))
    middle = np.stack(field.sky.sky_to_pixel(*grip.middle))
    for name in names:
        x, y = (before[name] - middle).T
        assert np.allclose(pixels(session, name, field.sky) - middle, np.stack([-y, x], 1), atol=2.5)
    assert len(session.history) == steps + 1
    assert len(session.script().splitlines()) == script + 1
    assert "footprint.move" in session.script()
    session.undo()
    for name in names:
        assert np.allclose(pixels(session, name, field.sky), before[name], atol=1e-6)
    assert turn_grip(session, field.sky, geometry) is not None
    session.interaction.select(names[1:])
    assert turn_grip(session, field.sky, geometry) is None
