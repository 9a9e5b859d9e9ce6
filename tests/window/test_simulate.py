"""Simulated exposures by hand: the welcome page, the menu and its form."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton

from jviz.backend.simulate.plans import MODES
from jviz.window import samples


def test_raw_exposures_of_the_welcome_page_open_with_the_panel_that_calibrates_them(qtbot, window, monkeypatch):
    monkeypatch.setattr(samples, "RAW_SIZE", 160)
    [link] = [link for link in window.findChildren(QPushButton) if link.accessibleName().startswith("Raw exposures")]
    qtbot.mouseClick(link, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(window.session.names) == 4, timeout=60_000)
    assert {data.kind for data in window.session.data} == {"ramp"}
    qtbot.waitUntil(lambda: window.panel("calibration").isVisible(), timeout=10_000)


def test_the_form_in_the_menu_simulates_and_says_what_cannot_be(qtbot, window, tmp_path):
    from jviz.window.forms import Form

    window.menus.actions["simulate.exposures"].trigger()
    qtbot.waitUntil(lambda: window.findChildren(Form) != [], timeout=10_000)
    [form] = window.findChildren(Form)
    assert form.windowTitle() == "Simulate Exposures"
    offered = {}
    for instrument in MODES:
        form.fields["instrument"].set_value(instrument)
        offered[instrument] = {name for name, field in form.fields.items() if field.isVisibleTo(form)}
        assert offered[instrument].isdisjoint(MODES[instrument].others)
        assert set(form.values()) == offered[instrument]
    assert offered["nircam-tso"] - offered["nircam"] == {"transit_depth"}
    assert set(MODES["miri-mrs"].others) == offered["nircam"] - offered["miri-mrs"]
    form.close()
    with pytest.raises(Exception, match="groups is 2; it must be between 3 and 60"):
        window.session.run("simulate.exposures", groups=2)
    assert window.session.names == []
