"""Viewers to test, with a session behind them."""

from __future__ import annotations

import numpy as np
import pytest

from jviz.backend.render import kernels
from jviz.backend.spectra import strokes
from jviz.session import Session
from jviz.viewers.image import ImageViewer


@pytest.fixture(scope="session", autouse=True)
def fast_kernels():
    """Compile the kernels before anything is drawn."""
    kernels.warm_up()
    strokes.prepare()


@pytest.fixture
def session():
    """An empty session whose notices of errors fail the test."""
    session = Session()
    errors = []

    def note(level, text):
        if level == "error":
            errors.append(text)

    session.noticed.connect(note)
    session.errors = errors
    yield session
    session.close()
    assert not errors


@pytest.fixture
def show(qtbot, session):
    """Show an array, a file's data or an empty view in a viewer, and wait until it is sharp."""

    def make(what=None, *, size=(500, 400), wait=True, **values) -> ImageViewer:
        plain = {"compass": False, "scale_bar": False, "colorbar": False}
        data = session.add(what, name="test") if isinstance(what, np.ndarray) else what
        view = session.view("image", data=data, **{**plain, **values})
        viewer = ImageViewer(session, view)
        qtbot.addWidget(viewer)
        viewer.resize(*size)
        viewer.show()
        if wait and data is not None:
            qtbot.waitUntil(lambda: viewer.is_sharp, timeout=20_000)
        return viewer

    return make


@pytest.fixture
def ramp():
    """Values that tell each pixel from its neighbours: x + 100 y, 60 columns and 40 rows."""
    y, x = np.mgrid[:40, :60]
    return (x + 100.0 * y).astype(np.float32)


def grey_at(viewer, x, y):
    """Return the grey value drawn for a data pixel."""
    geometry, frame = viewer.geometry_now(), viewer.frame_now()
    u, v = geometry.to_screen(x, y)
    colour = viewer.grab().pixelColor(int(u + frame.picture.left()), int(v + frame.picture.top()))
    assert colour.red() == colour.green() == colour.blue()
    return colour.red()
