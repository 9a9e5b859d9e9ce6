"""The panel of footprints, worked with mouse and keys."""

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage


def test_place_move_turn_and_remove(qtbot, make_panel, session):
    panel = make_panel("footprints", size=(340, 640))
    panel.instrument.setCurrentText("JWST NIRSpec")
    panel.aperture.setCurrentIndex(panel.aperture.findData("NRS_FULL_IFU"))
    qtbot.keyClicks(panel.position, "150.1 2.2")
    panel.angle.setValue(25)
    qtbot.mouseClick(panel.place_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: panel.placed.count() == 1)
    assert session.subsets["NRS_FULL_IFU"].group == "NRS_FULL_IFU"
    panel.instrument.setCurrentIndex(0)
    qtbot.mouseClick(panel.placed.viewport(), Qt.MouseButton.LeftButton,
                     pos=panel.placed.visualItemRect(panel.placed.item(0)).center())  # fmt: skip
    assert panel.aperture.currentData() == "NRS_FULL_IFU"
    assert session.interaction.selected == ("NRS_FULL_IFU",)
    panel.position.clear()
    qtbot.keyClicks(panel.position, "10.5 -5")
    qtbot.keyClick(panel.position, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: np.isclose(session.subsets["NRS_FULL_IFU"].region.vertices.ra.deg.mean(), 10.5, atol=0.01))
    before = session.subsets["NRS_FULL_IFU"].region.vertices.ra.deg
    panel.turn(1.0)
    qtbot.waitUntil(lambda: (session.subsets["NRS_FULL_IFU"].region.vertices.ra.deg != before).all())
    panel.remove()
    assert not session.subsets
    session.undo()
    assert "NRS_FULL_IFU" in session.subsets


def test_preview_shows_the_field(make_panel):
    panel = make_panel("footprints", size=(340, 640))
    image = panel.preview.grab()
    image = image if isinstance(image, QImage) else image.toImage()
    accent = panel.preview.palette().accent().color()
    blue = sum(image.pixelColor(x, y) == accent for x in range(image.width()) for y in range(0, image.height(), 2))
    assert blue > 100
