"""The strip of tools beside the viewers."""

from PySide6.QtCore import Qt


def test_a_click_takes_a_tool_and_a_second_one_puts_it_down(qtbot, make_window, image):
    window = make_window()
    assert not window.tool_strip.isVisible()
    window.open_viewer("image", data=window.session.add(image, name="test"))
    assert window.tool_strip.isVisible()
    button = window.tool_strip._buttons["pan"]
    button.menu().actions()[1].trigger()
    assert window.session.interaction.tool == "zoom"
    assert button.isChecked()
    assert "Zoom to Box" in button.toolTip()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert window.session.interaction.tool == "pan"


def test_letters_take_tools(qtbot, make_window, image):
    window = make_window()
    viewer = window.open_viewer("image", data=window.session.add(image, name="test"))
    viewer.setFocus()
    qtbot.keyClick(viewer, Qt.Key.Key_A)
    assert window.session.interaction.tool == "circle"
    assert window.tool_strip._buttons["circle"].isChecked()
    qtbot.keyClick(viewer, Qt.Key.Key_Escape)
    assert window.session.interaction.tool == "pan"


def test_modes_and_systems_are_switched_in_the_strip(qtbot, make_window, image):
    window = make_window()
    window.open_viewer("image", data=window.session.add(image, name="test"))
    strip = window.tool_strip
    qtbot.mouseClick(strip._system, Qt.MouseButton.LeftButton)
    assert window.session.interaction.region_system == "pixel"
    next(a for a in strip._mode.menu().actions() if a.data() == "xor").trigger()
    assert window.session.interaction.region_mode == "xor"
