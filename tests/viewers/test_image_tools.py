"""Tools of image viewers: which one the mouse works with, and how it is put down."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor

from jviz.errors import CommandError
from jviz.interaction import tools
from jviz.viewers import image_tools
from jviz.viewers.image_tools import Overlay, register_overlay
from tests.viewers.test_image_mouse import drag


def test_every_tool_has_a_command(session):
    assert {f"tool.{id}" for id in tools()} <= set(session.commands)
    session.run("tool.zoom")
    assert session.interaction.tool == "zoom"
    assert not len(session.history)
    with pytest.raises(CommandError, match="no tool 'hammer'"):
        session.run("tool.select", tool="hammer")


@pytest.mark.parametrize("way", ["middle", "space"])
def test_middle_button_and_space_pan_whatever_the_tool(qtbot, show, ramp, session, way):
    viewer = show(ramp)
    session.run("tool.zoom")
    held = viewer.geometry_now().to_data(200, 150)
    button = Qt.MouseButton.MiddleButton if way == "middle" else Qt.MouseButton.LeftButton
    if way == "space":
        qtbot.keyPress(viewer, Qt.Key.Key_Space)
        assert viewer.cursor().shape() == Qt.CursorShape.OpenHandCursor
    drag(qtbot, viewer, (200, 150), (263, 101), button)
    if way == "space":
        qtbot.keyRelease(viewer, Qt.Key.Key_Space)
        assert viewer.cursor().shape() == Qt.CursorShape.CrossCursor
    assert np.allclose(viewer.geometry_now().to_data(263, 101), held)


def test_escape_gives_up_a_drag_and_then_puts_the_tool_down(qtbot, show, ramp, session):
    viewer = show(ramp)
    steps = len(session.history)
    qtbot.mousePress(viewer, Qt.MouseButton.LeftButton, pos=QPoint(200, 150))
    qtbot.mouseMove(viewer, QPoint(260, 180))
    assert viewer.state.centre is not None
    qtbot.keyClick(viewer, Qt.Key.Key_Escape)
    qtbot.mouseRelease(viewer, Qt.MouseButton.LeftButton, pos=QPoint(270, 180))
    session.flush()
    assert viewer.state.centre is None
    assert len(session.history) == steps
    session.run("tool.zoom")
    qtbot.keyClick(viewer, Qt.Key.Key_Escape)
    assert session.interaction.tool == "pan"


def test_overlays_are_painted_in_viewers_and_files_and_take_presses(qtbot, show, ramp, session, tmp_path, monkeypatch):
    class Red(Overlay):
        pressed = 0

        def paint(self, painter, scene):
            painter.fillRect(0, 0, 50, 40, QColor("#ff0000"))

        def gesture(self, viewer, event):
            self.pressed += 1

    monkeypatch.setattr(image_tools, "_overlays", list(image_tools.overlays()))
    red = register_overlay(Red())
    viewer = show(ramp)
    assert viewer.grab().pixelColor(10, 10) == QColor("#ff0000")
    from PySide6.QtGui import QImage

    assert QImage(str(viewer.save(tmp_path / "a.png"))).pixelColor(10, 10) == QColor("#ff0000")
    qtbot.mouseClick(viewer, Qt.MouseButton.LeftButton, pos=QPoint(10, 10))
    assert red.pressed == 1
