"""What only comes into sight again looks as before, and what changed does not."""

from __future__ import annotations

from contextlib import closing

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRect, QRectF
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QFrame

import jviz
from jviz.viewers.image import ImageViewer
from jviz.viewers.kept import draw_kept

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


@pytest.mark.parametrize("ratio", [1.0, 2.0])
def test_a_kept_drawing_looks_as_one_made_anew_and_is_made_once(qtbot, ratio):
    drawn = []

    def draw(painter):
        drawn.append(painter)
        painter.setPen(QColor("#ff8800"))
        painter.drawLine(QPointF(12, 11), QPointF(55.5, 40))
        painter.drawText(QPointF(15, 38), "12 MJy")

    def picture(direct, key="a"):
        image = QImage(round(80 * ratio), round(60 * ratio), QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(ratio)
        image.fill(QColor("#203040"))
        painter = QPainter(image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if direct:
            draw(painter)
        else:
            draw_kept(painter, QRectF(8.2, 6.7, 60, 45), ratio, ("test", key), draw)
        painter.end()
        return np.frombuffer(image.constBits(), np.uint8).astype(int)

    made_anew, first, again = picture(direct=True), picture(direct=False), picture(direct=False)
    assert len(drawn) == 2
    assert (first == again).all()
    assert np.abs(made_anew - first).max() <= 4  # rounding where translucent edges are laid over the ground
    picture(direct=False, key="b")
    assert len(drawn) == 3
