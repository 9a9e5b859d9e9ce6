"""What only comes into sight again looks as before, and what changed does not."""

from __future__ import annotations

from contextlib import closing

import numpy as np
import pytest
from PySide6.QtCore import QRect
from PySide6.QtWidgets import QFrame

import jviz
from jviz.viewers.image import ImageViewer

COVER = QRect(40, 40, 120, 90)


@pytest.fixture
def viewer(qtbot):
    with closing(jviz.Session()) as session:
        data = session.add(np.linspace(0, 1, 60 * 80, dtype="f4").reshape(60, 80), name="ramp")
        viewer = ImageViewer(session, session.view("image", data=data))
        viewer.resize(400, 300)
        qtbot.addWidget(viewer)
        viewer.show()
        qtbot.waitUntil(lambda: viewer.is_sharp)
        yield viewer


def on_screen(viewer):
    return viewer.screen().grabWindow(viewer.winId()).toImage()


def uncovered(viewer, qtbot):
    """Cover a part and take the cover away; return what is to be seen then."""
    cover = QFrame(viewer)
    cover.setAutoFillBackground(True)
    cover.setGeometry(COVER)
    cover.show()
    qtbot.wait(30)
    cover.hide()
    qtbot.wait(30)
    return on_screen(viewer)


def test_a_picture_that_was_covered_looks_as_before(viewer, qtbot):
    before = on_screen(viewer)
    assert uncovered(viewer, qtbot) == before
    assert uncovered(viewer, qtbot) == before


def test_a_change_below_a_cover_is_seen(viewer, qtbot):
    before = uncovered(viewer, qtbot)
    viewer.state.layer.invert = True
    qtbot.waitUntil(lambda: viewer.is_sharp)
    qtbot.wait(30)
    after = uncovered(viewer, qtbot)
    assert after != before
    viewer.state.layer.invert = False
    qtbot.waitUntil(lambda: viewer.is_sharp)
    qtbot.wait(30)
    assert uncovered(viewer, qtbot) == before
