"""The two themes."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QDialog

from jviz.window.theme import DARK, LIGHT, contrast


def brightness(window) -> float:
    image = window.grab().toImage()
    points = [(10, 8), (image.width() // 2, 8), (10, image.height() - 6)]
    return sum(image.pixelColor(*point).lightnessF() for point in points) / len(points)


def test_the_setting_switches_the_pixels(window, qtbot):
    window.session.settings["window.theme"] = "dark"
    qtbot.waitUntil(lambda: window.theme.is_settled)
    dark = brightness(window)
    window.session.settings["window.theme"] = "light"
    qtbot.waitUntil(lambda: window.theme.is_settled)
    light = brightness(window)
    assert dark < 0.3
    assert light > 0.8


def test_the_command_switches_and_is_kept(window, make_window):
    window.session.settings["window.theme"] = "dark"
    window.invoker.run("window.theme")
    assert window.session.settings["window.theme"] == "light"
    assert make_window().theme.colours is LIGHT


def test_a_theme_for_this_once_leaves_the_setting_alone(window):
    window.theme.wear("light")
    assert window.theme.colours is LIGHT
    assert window.session.settings["window.theme"] == "system"


def test_contrast_of_black_and_white_is_the_largest():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#777777") == pytest.approx(1)


@pytest.mark.parametrize("colours", [DARK, LIGHT], ids=["dark", "light"])
def test_all_text_can_be_read(colours):
    """WCAG 2.2 AA asks for 4.5 of text and 3 of what bounds a control or marks the focus."""
    behind = (colours.window, colours.base, colours.raised, colours.hover, colours.selection)
    for name in ("text", "muted", "accent", "error", "warning", "good"):
        grounds = behind if name == "text" else behind[:2]
        for ground in grounds:
            assert contrast(getattr(colours, name), ground) >= 4.5, (name, ground)
    assert contrast(colours.on_accent, colours.accent) >= 4.5
    for ground in (colours.window, colours.base):
        assert contrast(colours.edge, ground) >= 3
        assert contrast(colours.accent, ground) >= 3


def test_what_is_hidden_meanwhile_wears_the_theme_when_it_is_seen(window, qtbot):
    dock = next(iter(window.docks))
    dock.hide()
    window.theme.wear("light")
    window.theme.wear("dark")
    window.theme.wear("light")
    dock.show()
    qtbot.waitUntil(lambda: window.theme.is_settled)
    assert dock.updatesEnabled()
    assert dock.grab().toImage().pixelColor(4, dock.height() - 4).lightnessF() > 0.8


def test_the_lines_between_docks_follow_the_theme(window, qtbot):
    found = {}
    for theme in ("light", "dark", "light"):
        window.theme.wear(theme)
        qtbot.waitUntil(lambda: window.theme.is_settled)
        image = window.grab().toImage()
        found[theme] = {QColor(image.pixel(x, image.height() // 2)).name() for x in range(image.width())}
    assert LIGHT.line in found["light"]
    assert DARK.line in found["dark"]
    assert DARK.line not in found["light"]


def test_a_dialog_wears_the_theme(window, qtbot):
    window.theme.wear("light")
    dialog = QDialog(window)
    qtbot.addWidget(dialog)
    dialog.show()
    assert LIGHT.window in dialog.styleSheet()
    dialog.close()


def test_the_sheet_has_no_holes(window):
    sheet = window.central.window().menuBar().styleSheet()
    assert "{" in sheet
    assert "{{" not in sheet
    for name in ("window", "base", "accent"):
        assert QColor(getattr(window.theme.colours, name)).name() in sheet
